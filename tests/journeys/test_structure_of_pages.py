"""What a screen reader is told of the pages that matter most: landmarks, headings, fields by name, and what went wrong."""

from playwright.sync_api import expect

from tests.builders import PASSWORD
from tests.journeys.conftest import Browse
from tests.journeys.scene import Scene, send, sign_in

WRONG = """
- main:
  - heading "Sign in to your account" [level=1]
  - alert:
    - heading "The login or the password is not right" [level=2]
    - list:
      - listitem:
        - link "Check the login."
  - text: Login
  - textbox "Login": aida
  - text: Password
  - textbox "Password"
  - 'button "Show: Password"'
  - button "Sign in"
"""
CODE = """
- main:
  - heading [level=1]
  - text: Code
  - textbox "Code"
  - button "Continue"
"""
OVERVIEW = """
- banner:
  - navigation "Sections":
    - link "Account"
- main:
  - heading [level=1]
"""
SESSIONS = """
- main:
  - heading [level=1]
  - region "Your open sessions":
    - heading "Your open sessions" [level=2]
    - list:
      - listitem
"""
DESK = """
- banner:
  - navigation "Sections":
    - link "Account"
    - link "Desk"
    - link "Look-up"
- main:
  - heading "Officer’s desk" [level=1]
  - list
  - region "Locked logins":
    - heading "Locked logins" [level=2]
    - list:
      - listitem:
        - heading [level=3]
        - text: /Reason/
        - textbox /Reason/
        - button /Lift the lock.*aida/
  - region "Tasks":
    - heading "Tasks" [level=2]
"""


def test_what_a_screen_reader_is_told(scene: Scene, browse: Browse) -> None:
    aida, bakyt = scene.make.account(), scene.make.officer()
    page = browse()
    sign_in(page, aida, "wrong")
    expect(page.locator("body")).to_match_aria_snapshot(WRONG)
    sign_in(page, aida)
    expect(page.locator("body")).to_match_aria_snapshot(OVERVIEW)
    page.goto("/account/sessions")
    expect(page.locator("body")).to_match_aria_snapshot(SESSIONS)
    scene.lock("aida")
    officer = browse()
    officer.goto("/sign-in?lang=en")
    officer.fill("#login", bakyt.login)
    officer.fill("#password", PASSWORD)
    send(officer)
    expect(officer.locator("body")).to_match_aria_snapshot(CODE)
    officer.fill("#code", bakyt.recovery_codes.pop())
    send(officer)
    officer.goto("/desk")
    expect(officer.locator("body")).to_match_aria_snapshot(DESK)

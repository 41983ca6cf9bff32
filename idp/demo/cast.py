"""Who plays in the story, and what they do again and again: look, wait, send a form, ask for tokens."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx2
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from connectors.base import Remote
from idp.crypto import new_token
from idp.demo.stage import Stage
from idp.demo.visitor import Visitor

T = TypeVar("T")
PATIENCE = 60.0  # seconds to wait for the worker
PASSWORD = "Ala-Archa 4 kumbez"  # noqa: S105  # of invented people
PEOPLE = "Sary-Chelek 9 kol"
WEAK = "anara11"
LOGIN = "a.ulgubaeva"
ORDER = re.compile(r'href="(/orders/[0-9a-f-]{36})"')


class Failed(Exception):
    """A step did not hold; the text says what was seen instead."""


@dataclass
class Cast:
    """Who plays, and what they hold as the story goes on."""

    stage: Stage
    tokens: dict[str, Any] = field(default_factory=dict)
    recovery_codes: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.admin, self.anara = self.person(), self.person()

    def person(self) -> Visitor:
        """Somebody at a browser of their own."""
        return Visitor(self.stage.base_url, self.stage.clock, self.recovery_codes)


def expect(held: bool, otherwise: str) -> None:
    """Raise `Failed` unless it held."""
    if not held:
        raise Failed(otherwise)


def wait_for(look_up: Callable[[], T], otherwise: str, seconds: float = PATIENCE) -> T:
    """The first truthy answer."""
    deadline = time.monotonic() + seconds
    while not (seen := look_up()):
        expect(time.monotonic() < deadline, f"{otherwise} within {seconds:.0f} s")
        time.sleep(0.2)
    return seen


def automatic(cast: Cast) -> list[str]:
    """The systems with a connector that is set up."""
    return ["unet", "moodle"] + (["mail"] if cast.stage.mail else [])


def look(cast: Cast, system: str) -> Remote | None:
    """Anara's account as the target system itself shows it."""
    connector = cast.stage.connector(system)
    page = connector.scan(None, 100)
    found = list(page.remotes)
    while page.cursor is not None:
        page = connector.scan(page.cursor, 100)
        found += page.remotes
    return next((remote for remote in found if remote.attributes.get("login") == LOGIN), None)


def orders(cast: Cast) -> list[str]:
    """Where the execution sheets are."""
    return ORDER.findall(cast.admin.open("/orders").text)


def sheet(cast: Cast, number: str) -> Any:
    """The execution sheet of the order with this number, as JSON."""
    for link in orders(cast):
        told = cast.admin.http.get(f"{link}.json").json()
        if told["order"]["number"] == number:
            return told
    raise Failed(f"no order {number}")


def automatic_tasks_done(cast: Cast, number: str) -> list[dict[str, Any]]:
    """The tasks of the order, once those with a connector are done; before that nothing."""
    tasks: list[dict[str, Any]] = [task for line in sheet(cast, number)["lines"] for task in line["tasks"]]
    mine = [task for task in tasks if task["code"] in automatic(cast)]
    return tasks if mine and all(task["status"] == "done" for task in mine) else []


def officer_at_desk(cast: Cast, login: str) -> Visitor:
    """A signed-in officer who looks at the desk."""
    officer = cast.person()
    officer.sign_in(login, PEOPLE)
    officer.open("/desk")
    return officer


def confirm_all(cast: Cast) -> int:
    """The administrator confirms every task by hand; how many there were."""
    cast.admin.open("/desk")
    confirmed = 0
    while forms := cast.admin.forms("/tasks/"):
        answer = cast.admin.submit(forms[0], note="done by hand, looked at it afterwards")
        expect(answer.status_code == 200, f"confirming was answered {answer.status_code}")
        confirmed += 1
    return confirmed


def fresh_tokens(cast: Cast) -> None:
    """A new sign-in to UNET by hand: the demo's client checks dates by the machine's clock, and ours has moved."""
    verifier, system = new_token(), cast.stage.system
    cast.anara = cast.person()
    cast.anara.sign_in(LOGIN, PASSWORD)
    cast.anara.http.follow_redirects = False
    answer = cast.anara.http.get(
        "/oauth/authorize",
        params={
            "response_type": "code",
            "client_id": system.client_id,
            "redirect_uri": system.redirect_uri,
            "scope": "openid profile email",
            "code_challenge": create_s256_code_challenge(verifier),
            "code_challenge_method": "S256",
        },
    )
    cast.anara.http.follow_redirects = True
    code = httpx2.URL(answer.headers.get("location", "")).params.get("code")
    expect(bool(code), f"no code: {answer.status_code} {answer.headers.get('location')}")
    form = {"code": str(code), "redirect_uri": system.redirect_uri, "code_verifier": verifier}
    answer = token(cast, grant_type="authorization_code", **form)
    expect(answer.status_code == 200, f"no tokens: {answer.text}")
    cast.tokens = answer.json()


def refreshed(cast: Cast) -> httpx2.Response:
    """Use the refresh token; keeps its successor."""
    answer = token(cast, grant_type="refresh_token", refresh_token=cast.tokens["refresh_token"])
    if answer.status_code == 200:
        cast.tokens |= answer.json()
    return answer


def userinfo(cast: Cast) -> httpx2.Response:
    """What the access token still opens."""
    token = cast.tokens["access_token"]
    return httpx2.get(f"{cast.stage.base_url}/oauth/userinfo", headers={"Authorization": f"Bearer {token}"})


def token(cast: Cast, **form: str) -> httpx2.Response:
    system = cast.stage.system
    return httpx2.post(f"{cast.stage.base_url}/oauth/token", data=form, auth=(system.client_id, system.client_secret))


def post_as(visitor: Visitor, url: str, **fields: str) -> httpx2.Response:
    """Send another's form under one's own form token."""
    hidden = visitor.hidden("/sign-out")
    return visitor.http.post(url, data={"csrf_token": hidden["csrf_token"]} | fields)

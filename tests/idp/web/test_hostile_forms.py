"""Forms given what nobody types: never a failure, never markup, never more than one counter for a login (ASVS 1.2, 2.2)."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idp.db import db
from idp.flows.misuse_link import misuse_link
from idp.models import Lockout
from tests.builders import Make
from tests.idp.recovery import ask, mails
from tests.idp.web.browser import Browser

MARKUP = '"><script>alert(7)</script>'
NASTY = (
    "", " ", "\0", "a\0b", "\u202egnp.exe", "\ufeff", "\u200b", "a" * 100_000, "’" * 20_000, "%00", "../../etc/passwd",
    "' OR 1=1 --", "{{ 7*7 }}", "${7*7}", MARKUP, "\r\nSet-Cookie: x=1", "𝕒𝕚𝕕𝕒", "аида", "\U0010ffff", "\x1b[31m",
    "🧨" * 300,
)  # fmt: skip
HOSTILE = st.sampled_from(NASTY) | st.text(max_size=60) | st.text(max_size=20).map(lambda some: MARKUP + some)
OPEN = {
    "/sign-in": ("login", "password"),
    "/sign-in/passkey": ("passkey", "request"),
    "/forgotten-password": ("entered",),
    "/forgotten-login": ("entered",),
    "/activation": ("code",),
}
OWN = {
    "/account/factors": ("name",),
    "/account/factors/passkeys": ("name", "passkey"),
    "/account/password": ("present", "password", "again"),
    "/account/password/advice": ("password",),
    "/account/profile/contacts": (
        "work_phone",
        "mobile_phone",
        "personal_email",
        "country",
        "city",
        "street",
        "building",
    ),
    "/account/profile/names": ("family", "given", "patronymic", "duties"),
    "/account/profile/language": ("language",),
    "/device": ("user_code",),
    "/device/decision": ("user_code", "decision"),
    "/choose-account": ("account", "request"),
    "/consent": ("consent", "request"),
    "/agreement": ("sha256", "accept", "request"),
}
DESK = {
    "/desk/lockouts/lift": ("account", "reason"),
    "/desk/factors/reset": ("login", "reason"),
    "/people": ("entered",),
    "/admin/clients/new": ("client_name", "redirect_uris", "scope", "rest", "system", "client_uri"),
    "/admin/initial-tokens": ("name", "uses", "days", "scopes"),
}
often = settings(
    max_examples=20, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def patient(make: Make) -> Make:
    """An institution that lets one client be wrong as often as it likes."""
    rules = make.service.profile.rules
    profile = replace(make.service.profile, rules=replace(rules, throttle=replace(rules.throttle, wrong=10_000)))
    make.app.extensions["achkych"] = make.service = replace(make.service, profile=profile)
    return make


def given_to(browser: Browser, forms: dict[str, tuple[str, ...]], said: dict[str, str], page: str) -> None:
    """All of it to every form; whoever sent it is still who they were."""
    for path, names in forms.items():
        answer = browser.submit(path, {name: said[name] for name in names if name in said}, page)
        assert browser.get(page).status_code == 200, (path, said)
        assert answer.status_code < 500, (path, said)
        assert "<script>alert(7)" not in answer.text
        assert "Traceback" not in answer.text and "x=1" not in str(answer.headers)


def values(forms: dict[str, tuple[str, ...]]) -> st.SearchStrategy[dict[str, str]]:
    return st.dictionaries(st.sampled_from(sorted({name for names in forms.values() for name in names})), HOSTILE)


@often
@given(said=values(OPEN))
def test_what_anybody_may_send(patient: Make, said: dict[str, str]) -> None:
    given_to(Browser(patient), OPEN, said, "/sign-in")


def test_what_a_person_may_send_of_the_own_account(patient: Make) -> None:
    browser = Browser(patient)
    browser.sign_in(patient.account())

    @often
    @given(said=values(OWN))
    def send(said: dict[str, str]) -> None:
        given_to(browser, OWN, said, "/account")

    send()


def test_what_an_officer_may_send(patient: Make) -> None:
    browser = Browser(patient)
    browser.sign_in(patient.officer(role="admin", department=None))

    @often
    @given(said=values(DESK))
    def send(said: dict[str, str]) -> None:
        given_to(browser, DESK, said, "/desk")

    send()


def test_what_may_be_sent_in_place_of_a_code_and_along_with_a_report(patient: Make) -> None:
    """Each of them ends the session it came from, sooner or later: everybody signs in for themselves."""
    aida = patient.account()
    patient.enrol(aida)
    with patient.app.app_context():
        link = misuse_link(patient.here(), aida.id).removeprefix(patient.service.settings.base_url)

    @often
    @given(said=HOSTILE)
    def send(said: str) -> None:
        browser = Browser(patient)
        browser.submit("/sign-in", {"login": aida.login, "password": aida.password})
        for path, name, page in (("/second-factor", "code", "/sign-in"), (link, "told", link)):
            answer = browser.submit(path, {name: said}, page)
            assert answer.status_code < 500, (path, said)
            assert "<script>alert(7)" not in answer.text

    send()


def test_what_may_be_sent_in_place_of_a_new_password(patient: Make) -> None:
    patient.account()
    ask(patient, "aida")
    [mail] = mails(patient)

    @often
    @given(said=values({"": ("password", "code", "passkey")}))
    def send(said: dict[str, str]) -> None:
        for path in (f"/recovery/{mail.token}", f"/recovery/{mail.token}/advice"):
            answer = Browser(patient).submit(path, said, f"/recovery/{mail.token}")
            assert answer.status_code < 500, (path, said)
            assert "<script>alert(7)" not in answer.text

    send()


def raw(browser: Browser, body: bytes, kind: str = "application/x-www-form-urlencoded") -> int:
    return browser.post("/sign-in", data=body, content_type=kind).status_code


@pytest.mark.parametrize(
    ("more", "kind", "status"),
    [
        (b"&login=%ED%A0%80&password=%FF%FE", "application/x-www-form-urlencoded", 401),
        (b"&login=aida&login=bermet&password=x&password=y", "application/x-www-form-urlencoded", 401),
        (b"&x=1" * 5_000, "application/x-www-form-urlencoded", 413),
        (b"&login=" + b"a" * 1_000_001, "application/x-www-form-urlencoded", 413),
        (b"", "application/json", 400),
        (b"", "multipart/form-data; boundary=x", 400),
        (b"", "text/plain; charset=utf-7", 400),
    ],
)
def test_bodies_that_no_browser_sends(patient: Make, more: bytes, kind: str, status: int) -> None:
    browser = Browser(patient)
    token = urlencode(browser.form("/sign-in")).encode()
    assert raw(browser, token + more, kind) == status


@pytest.mark.parametrize("token", ["", "x", "a" * 10_000, "\0", MARKUP])
def test_a_wrong_form_token_is_told_as_a_page_that_was_open_too_long(patient: Make, token: str) -> None:
    browser = Browser(patient)
    browser.form("/sign-in")
    answer = browser.post("/sign-in", data={"csrf_token": token, "login": MARKUP, "password": "x"})
    assert (answer.status_code, "<script>alert(7)" in answer.text) == (400, False)


def spelt(login: str) -> st.SearchStrategy[str]:
    """The login as somebody may write it who wants another counter: other case, full width, blanks, what does not show."""
    unseen = st.text("\u200b\u00ad\u2060\ufeff\u180e \t\u3000\u0000", max_size=3)
    forms = [st.sampled_from((one, one.upper(), chr(ord(one) + 0xFEE0))) for one in login]
    return st.tuples(*(part for form in forms for part in (unseen, form)), unseen).map("".join)


def test_no_spelling_of_a_login_has_a_counter_of_its_own(patient: Make) -> None:
    browser = Browser(patient)

    @often
    @given(login=spelt("aida"))
    def send(login: str) -> None:
        browser.submit("/sign-in", {"login": login, "password": "wrong"})

    send()
    with patient.app.app_context():
        assert db.session.scalars(sa.select(Lockout.login)).all() == ["aida"]


@pytest.mark.parametrize("exists", [True, False])
def test_spellings_of_one_login_share_its_counter_on_the_page(make: Make, exists: bool) -> None:
    if exists:
        make.account("aida")
    browser = Browser(make)
    spellings = ("aida", " AIDA ", "ａｉｄａ", "a\u200bi\u00adda")
    answers = [browser.submit("/sign-in", {"login": one, "password": "wrong"}) for one in spellings]
    assert ["This login is locked" in answer.text for answer in answers] == [False, False, False, True]
    with make.app.app_context():
        rows: list[Any] = list(db.session.execute(sa.select(Lockout.login, Lockout.attempts)))
    assert [tuple(row) for row in rows] == [("aida", 4)]

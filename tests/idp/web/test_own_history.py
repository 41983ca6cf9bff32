"""The trail of one's own account (6.1): all of it in words, page by page, and nothing of anybody else's."""

import ast
import re
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import force_locale

import idp
from idp.db import db, unit_of_work
from idp.flows.own_history import PAGE
from idp.flows.record import record
from idp.models import Account
from tests.builders import Make, Someone
from tests.idp.web.browser import Browser

NOT_OF_AN_ACCOUNT = {
    "client-changed", "client-registered", "client-removed", "client-secret-rotated", "many-locks",
    "order-dropped", "order-held", "order-line-needs-review", "order-received", "order-refused", "order-released",
    "order-state", "order-versions-missing",
    "populated", "profile-loaded", "orders-imported", "reminded", "rules-followed",
    "circuit-closed", "circuit-opened", "circuit-tried", "scan-begun", "scan-ended",
    "receiver-not-told", "receiver-told", "registration-allowed", "registration-revoked", "scim-person-deleted",
    "signing-key-made",
}  # fmt: skip
ACT = re.compile(r"[a-z]+(-[a-z]+)*")


def every_act() -> set[str]:
    """The second of what is handed to `record` and `note`; those about access are named by what is to be done."""
    found = set()
    for path in Path(idp.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf8"))):
            named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.lstrip("_")
            if isinstance(node, ast.Call) and named in ("record", "note"):
                found |= {act for argument in node.args for act in acts_in(argument)}
    return found


def acts_in(argument: ast.expr) -> set[str]:
    if isinstance(argument, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.Constant) else "{}" for part in argument.values]
        return {"".join(map(str, parts)).format(action) for action in ("open", "change", "close")}
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        return {argument.value} if ACT.fullmatch(argument.value) else set()
    return set()


def history(make: Make, someone: Someone) -> Browser:
    browser = Browser(make)
    browser.sign_in(someone)
    return browser


def act(make: Make, someone: Someone, actor: str, name: str, times: int = 1, **values: object) -> None:
    with make.app.app_context(), unit_of_work():
        account = db.session.get_one(Account, someone.id)
        for number in range(times):
            record(make.here().acting_as(actor), name, account, after={"reason": f"no {number}", **values})


@pytest.mark.parametrize("language", ["ky", "ru", "en"])
def test_every_act_that_concerns_a_person_has_words(app: Flask, language: str) -> None:
    acts = every_act()
    assert {"signed-in", "locked", "access-open-done"} <= acts
    with app.test_request_context("/"), force_locale(language):
        words = app.jinja_env.get_template("_acts.html").make_module({"_": app.jinja_env.globals["gettext"]})
        silent = {one for one in acts - NOT_OF_AN_ACCOUNT if str(words.act(one)).strip() == one}  # type: ignore[attr-defined]
    assert silent == set(), "write them in idp/templates/_acts.html"


def test_it_tells_when_from_where_who_and_the_values_before_and_after(make: Make) -> None:
    aida = make.account()
    act(make, aida, "account/bakyt", "lockout-lifted")
    act(make, aida, "order/shnet/1/101-К/v1", "account-closed")
    act(make, aida, "worker", "mail-sent")
    page = history(make, aida).get("/account/history").text
    for told in (
        "An officer: bakyt",
        "By order 1/101-К",
        "The service itself",
        "The lock was lifted",
        "127.0.0.1",
        "no 0",
    ):
        assert told in page
    assert page.index("A mail was sent") < page.index("The account was closed") < page.index("The lock was lifted")


def test_nobody_reads_the_trail_of_somebody_else(make: Make) -> None:
    aida, bermet = make.account(), make.account("bermet")
    act(make, aida, "account/bermet", "lockout-lifted")
    page = history(make, bermet).get("/account/history").text
    assert "Signed in" in page
    assert "The lock was lifted" not in page, "not even as the one who acted"


def test_a_page_goes_on_where_the_last_one_ended(make: Make) -> None:
    aida = make.account()
    act(make, aida, "worker", "mail-sent", PAGE + 5)
    browser = history(make, aida)
    first = browser.get("/account/history").text
    found = re.search(r'href="(/account/history\?before=\d+)"', first)
    assert found is not None
    numbers = [re.findall(r"no (\d+)<", text) for text in (first, browser.get(found[1]).text)]
    assert [int(number) for page in numbers for number in page] == list(reversed(range(PAGE + 5)))
    for odd in ("x", "-1", "²", "9" * 19):
        assert browser.get(f"/account/history?before={odd}").status_code == 200


def test_what_is_written_in_a_record_is_shown_as_text(make: Make) -> None:
    aida = make.account()
    act(make, aida, "worker", "mail-sent", note="<script>alert(1)</script>")
    assert "<script>alert" not in history(make, aida).get("/account/history").text

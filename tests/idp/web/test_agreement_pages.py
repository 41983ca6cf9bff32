"""The agreements on the way in, one after another; and one's own, to read and to keep as a sheet."""

import re

import pytest
import sqlalchemy as sa
from flask import Flask

from idp.clock import SetClock
from idp.db import db, unit_of_work
from idp.models import Acceptance, AgreementText
from tests.builders import Make
from tests.idp.paper import is_accessible, pages_of, text_of
from tests.idp.web.browser import Browser


def signed_in(make: Make, login: str = "aida", language: str = "en") -> Browser:
    browser = Browser(make, language)
    browser.sign_in(make.account(login, patronymic="Асановна"))
    return browser


def test_each_text_is_accepted_by_itself_and_the_page_says_what_is_left(make: Make) -> None:
    browser = Browser(make)
    browser.sign_in(make.account(accepted=False))
    user, hr = make.service.profile.in_force
    page = browser.get("/agreement").text
    assert "<h1>User agreement</h1>" in page
    assert "After it comes one more text." in page
    browser.submit("/agreement", {"accept": "yes", "sha256": user.sha256})
    page = browser.get("/account", follow_redirects=True).text
    assert "<h1>Consent to electronic HR documents</h1>" in page
    assert "After it come" not in page
    browser.submit("/agreement", {"accept": "yes", "sha256": user.sha256})
    assert "Consent to electronic HR documents" in browser.get("/account", follow_redirects=True).text
    browser.submit("/agreement", {"accept": "yes", "sha256": hr.sha256})
    assert browser.get("/account").status_code == 200
    assert browser.get("/agreement").status_code == 303, "nothing is left to accept"


def test_the_list_tells_which_when_and_from_where(make: Make) -> None:
    browser = signed_in(make)
    assert "User agreement, version 2" in browser.get("/account").text
    page = browser.get("/account/agreements").text
    for agreement in make.service.profile.in_force:
        assert agreement.sha256 in page
    for told in (
        "User agreement, version 2",
        "Consent to electronic HR documents, version 1",
        "In force",
        "9 Sep 2026",
    ):
        assert told in page


@pytest.mark.parametrize(
    ("language", "name", "words"),
    [("ky", "Колдонуучу макулдашуусу", "Сырсөздү эч кимге бербейм"), ("ru", "Пользовательское соглашение", "никому не"),
     ("en", "User agreement", "I give my password to nobody")],
)  # fmt: skip
def test_a_text_is_read_and_kept_as_a_sheet_in_each_language(make: Make, language: str, name: str, words: str) -> None:
    browser = signed_in(make, language=language)
    agreement = make.service.profile.in_force[0]
    page = browser.get(f"/account/agreements/{agreement.sha256}").text
    assert name in page
    assert words in page
    answer = browser.get(f"/account/agreements/{agreement.sha256}/pdf")
    assert (answer.mimetype, answer.headers["Cache-Control"]) == ("application/pdf", "no-store")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="agreement-{agreement.sha256[:8]}.pdf"'
    assert is_accessible(answer.data)
    assert pages_of(answer.data) == 1
    sheet = text_of(answer.data)
    for told in (
        name,
        words,
        agreement.sha256,
        "Үлгүбаева Aida Асановна",
        "aida",
        "12:00:00 (UTC+06:00, Asia/Bishkek)",
    ):
        assert told in sheet


def test_nobody_reads_what_only_somebody_else_accepted(make: Make, app: Flask) -> None:
    with app.app_context(), unit_of_work():
        text = AgreementText(sha256="b" * 64, code="x", version="1", names={}, texts={}, kept_at=make.clock.now())
        db.session.add(text)
    browser, bermet = signed_in(make), make.account("bermet")
    with app.app_context(), unit_of_work():
        db.session.add(Acceptance(account_id=bermet.id, version="1", sha256="b" * 64, accepted_at=make.clock.now()))
    assert "b" * 64 not in browser.get("/account/agreements").text
    for path in ("b" * 64, "b" * 64 + "/pdf", "x", "x/pdf"):
        assert browser.get(f"/account/agreements/{path}").status_code == 404


def test_what_was_accepted_before_texts_were_kept_says_so(make: Make, app: Flask, clock: SetClock) -> None:
    browser = signed_in(make)
    with app.app_context(), unit_of_work():
        db.session.execute(sa.delete(AgreementText))
    page = browser.get("/account/agreements").text
    assert page.count("The text itself was not kept at that time") == 2
    assert not re.search(r"/account/agreements/[0-9a-f]{64}", page)
    assert "User agreement, version 2" in browser.get("/account").text

"""Sheets as PDF and as signed JSON, and the report of a year: what stands in them is what was done (3.7)."""

import base64
import json
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from joserfc import jwt
from joserfc.jwk import KeySet

from idp.db import db, unit_of_work
from idp.flows.signing_keys import ensure_signing_keys, published_keys
from idp.models import Account, Order, Task
from tests.builders import Make
from tests.idp.hr import Hr
from tests.idp.paper import is_accessible, pages_of, text_of
from tests.idp.web.browser import Browser

LATE, KEPT = datetime(2026, 12, 30, tzinfo=UTC), datetime(2026, 12, 2, tzinfo=UTC)


@pytest.fixture
def hr(hr: Hr, make: Make) -> Hr:
    """Somebody was hired and dismissed; some systems were closed in time, one late, others not yet."""
    with make.app.app_context(), unit_of_work():
        ensure_signing_keys(make.here())
    hr.deliver("hire", "dismissal_v1")
    hr.clock.moment = datetime(2026, 12, 3, 6, tzinfo=UTC)
    hr.work()
    return hr


def reader(make: Make, role: str = "hr") -> Browser:
    browser = Browser(make)
    browser.sign_in(make.officer(f"reader-{role}", role=role, department=None))
    return browser


def order_page(hr: Hr, kind: str = "dismissal") -> str:
    return f"/orders/{hr.rows(sa.select(Order.id).where(Order.kind == kind))[0].id}"


def person_page(hr: Hr) -> str:
    return f"/people/{hr.rows(sa.select(Account.id).where(Account.login == 'a.ulgubaeva'))[0].id}"


@pytest.mark.parametrize("language", ["ky", "ru", "en"])
def test_the_sheet_of_an_order_is_a_pdf_that_screen_readers_can_read(hr: Hr, make: Make, language: str) -> None:
    browser = Browser(make, language)
    browser.sign_in(make.officer("reader", role="hr", department=None))
    answer = browser.get(f"{order_page(hr)}.pdf")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    told = text_of(answer.data)
    assert is_accessible(answer.data)
    assert pages_of(answer.data) >= 1
    for said in ("a.ulgubaeva", "Үлгүбаева", "Moodle"):
        assert said in told


def test_the_sheet_of_a_person_has_every_system_of_every_order(hr: Hr, make: Make) -> None:
    told = text_of(reader(make).get(f"{person_page(hr)}.pdf").data)
    assert "Close the account" in told
    assert "Open the account" in told
    assert "reader-hr" in told, "who printed it"


def test_a_signed_sheet_holds_against_the_published_keys_and_not_when_it_was_changed(hr: Hr, make: Make) -> None:
    browser = reader(make)
    for page in (order_page(hr), person_page(hr)):
        token = browser.get(f"{page}.jwt").text
        with make.app.app_context():
            keys = KeySet.import_key_set(published_keys(make.service))
        read = jwt.decode(token, keys, algorithms=["RS256"])
        assert (read.header["typ"], read.claims["iss"]) == ("execution-sheet+jwt", make.service.settings.base_url)
        assert "a.ulgubaeva" in json.dumps(read.claims["sheet"])
        head, body, signature = token.split(".")
        with pytest.raises(Exception, match="bad_signature"):
            jwt.decode(f"{head}.{body[:-4]}AAAA.{signature}", keys, algorithms=["RS256"])


def test_no_sensitive_field_is_in_a_signed_sheet(hr: Hr, make: Make) -> None:
    told = json.dumps(jwt_of(reader(make).get(f"{order_page(hr, 'hire')}.jwt").text), ensure_ascii=False)
    for hidden in ("99999999990001", "personal_email", "birth"):
        assert hidden not in told


def jwt_of(token: str) -> object:
    """The claims, whoever signed them."""
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def test_the_report_counts_what_was_due_in_the_year(hr: Hr, make: Make) -> None:
    with hr.looking():
        tasks = db.session.scalars(sa.select(Task.id).where(Task.action == "close").order_by(Task.id)).all()
    assert len(tasks) > 3
    with make.app.app_context(), unit_of_work():
        db.session.execute(sa.update(Task).where(Task.id == tasks[0]).values(status="done", done_at=KEPT))
        db.session.execute(sa.update(Task).where(Task.id == tasks[1]).values(status="done", done_at=LATE))
        db.session.execute(sa.update(Task).where(Task.id == tasks[2]).values(status="superseded"))
    hr.clock.moment = datetime(2026, 12, 31, 6, tzinfo=UTC)
    browser = reader(make)
    due = len(tasks) - 1
    for year, said in ((2026, f"1 of {due}"), (2025, "No account had to be closed")):
        assert said in browser.get(f"/orders/report?year={year}").text
    assert f"1 of {due}" in text_of(browser.get("/orders/report.pdf?year=2026").data)
    for year in ("2027", "1999"):
        assert browser.get(f"/orders/report?year={year}").status_code == 404


@pytest.mark.parametrize("ending", [".pdf", ".jwt"])
def test_officers_see_sheets_of_their_people_and_none_of_orders(hr: Hr, make: Make, ending: str) -> None:
    browser = Browser(make)
    browser.sign_in(make.officer("elnura", department="0112"))
    assert browser.get(order_page(hr) + ending).status_code == 404
    assert browser.get(person_page(hr) + ending).status_code == 404

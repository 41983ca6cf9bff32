"""A file with the officer's word: taken by what it is, seen by who may see the sheet, its hash on every proof (3.7)."""

from hashlib import sha256
from io import BytesIO
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from idp.db import db, unit_of_work
from idp.flows.signing_keys import ensure_signing_keys
from idp.models import Account, Attachment, Order, Task
from tests.builders import Make
from tests.idp.hr import Hr
from tests.idp.paper import text_of
from tests.idp.web.browser import Browser
from tests.idp.web.test_proof import jwt_of

PDF = b"%PDF-1.7\nproof " + b"x" * 1_500_000
HASH = sha256(PDF).hexdigest()
LIMIT = 2_000_000


@pytest.fixture
def hr(hr: Hr, make: Make) -> Hr:
    with make.app.app_context(), unit_of_work():
        ensure_signing_keys(make.here())
    hr.deliver("hire")
    return hr


def signed_in(make: Make, role: str, language: str = "en", **more: Any) -> Browser:
    browser = Browser(make, language)
    browser.sign_in(make.officer(f"one-{role}", role=role, **({"department": None} | more)))
    return browser


def task_of(hr: Hr) -> Any:
    return hr.rows(sa.select(Task.id, Task.status, Task.read_back).where(Task.system == "avn"))[0]


def confirm(browser: Browser, hr: Hr, data: bytes, name: str = "акт.html", note: str = "opened") -> TestResponse:
    fields = {"note": note, "file": FileStorage(BytesIO(data), filename=name)}
    boundary, body = encode_multipart(fields | browser.form("/desk"))
    kind = f"multipart/form-data; boundary={boundary}"
    return browser.post(f"/desk/tasks/{task_of(hr).id}/confirm", data=body, content_type=kind)


def kept(hr: Hr) -> Any:
    return hr.rows(sa.select(Attachment.id, Attachment.size, Attachment.content))[0]


def test_a_file_is_downloaded_from_both_sheets_and_stands_on_pdf_json_and_in_the_audit(hr: Hr, make: Make) -> None:
    officer = signed_in(make, "officer")
    assert 'type="file"' in officer.get("/desk").text
    assert confirm(officer, hr, PDF).status_code == 303
    row = kept(hr)
    assert row.size == len(PDF) and PDF[:20] not in row.content, "sealed"
    assert task_of(hr).read_back["sha256"] == HASH
    [act] = hr.acts("task-confirmed")
    assert (act.after["file"], act.after["sha256"]) == ("акт.pdf", HASH)
    reader = signed_in(make, "hr")
    order = f"/orders/{hr.rows(sa.select(Order.id))[0].id}"
    person = f"/people/{hr.rows(sa.select(Account.id).where(Account.login == 'a.ulgubaeva'))[0].id}"
    for page in (order, person):
        told = reader.get(page).text
        assert HASH in told and f'href="{page}/files/{row.id}"' in told
        answer = reader.get(f"{page}/files/{row.id}")
        assert (answer.status_code, answer.mimetype, answer.data) == (200, "application/pdf", PDF)
        assert answer.headers["Content-Disposition"].startswith("attachment; ")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "no-store" in answer.headers["Cache-Control"]
        assert HASH in str(jwt_of(reader.get(f"{page}.jwt").text))
        assert HASH in text_of(reader.get(f"{page}.pdf").data).replace("\n", "").replace("\u00ad", "")


@pytest.mark.parametrize(("data", "said"), [
    (b"", {"en": "The attached file is empty", "ru": "Приложенный файл пуст", "ky": "Тиркелген файл бош"}),
    (b"%PDF-".ljust(LIMIT + 1), {"en": "bigger than 2 MB", "ru": "больше 2 МБ", "ky": "2 МБдан чоң"}),
    (b"<html><script>", {"en": "no PDF, JPEG or PNG", "ru": "не PDF, не JPEG", "ky": "PDF, JPEG же PNG эмес"}),
])  # fmt: skip
def test_a_file_that_is_not_taken_is_told_why_and_changes_nothing(
    hr: Hr, make: Make, data: bytes, said: dict[str, str]
) -> None:
    for language, words in said.items():
        browser = Browser(make, language)
        browser.sign_in(make.officer(f"officer-{language}", department=None))
        answer = confirm(browser, hr, data, "акт.pdf")
        assert answer.status_code == 422 and words in answer.text
        assert f'href="#file-{task_of(hr).id}"' in answer.text
    assert (task_of(hr).status, hr.acts("task-confirmed")) == ("manual", [])
    assert hr.rows(sa.select(Attachment.id)) == []


def test_far_too_big_a_file_is_not_even_read(hr: Hr, make: Make) -> None:
    officer = signed_in(make, "officer")
    assert confirm(officer, hr, b"%PDF-".ljust(8_000_001)).status_code == 413
    assert task_of(hr).status == "manual"


def test_a_note_alone_is_enough_and_a_file_alone_is_not(hr: Hr, make: Make) -> None:
    officer = signed_in(make, "officer")
    assert confirm(officer, hr, PDF, note=" ").status_code == 422
    assert confirm(officer, hr, b"", name="").status_code == 303
    assert hr.rows(sa.select(Attachment.id)) == []


def test_who_may_not_see_the_sheet_does_not_get_its_file(hr: Hr, make: Make) -> None:
    confirm(signed_in(make, "officer"), hr, PDF)
    row, order = kept(hr), hr.rows(sa.select(Order.id))[0].id
    person = hr.rows(sa.select(Account.id).where(Account.login == "a.ulgubaeva"))[0].id
    stranger = Browser(make)
    stranger.sign_in(make.officer("elnura", department="0112"))
    assert stranger.get(f"/orders/{order}/files/{row.id}").status_code == 404
    assert stranger.get(f"/people/{person}/files/{row.id}").status_code == 404
    reader = signed_in(make, "hr")
    assert reader.get(f"/orders/{row.id}/files/{row.id}").status_code == 404, "of another order"
    other = make.account("bermet").id
    assert reader.get(f"/people/{other}/files/{row.id}").status_code == 404, "of another person"
    with make.app.app_context():
        db.session.remove()

"""Orders out of a table: looked at, then carried out once, like any other order (3.7)."""

import csv
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from io import BytesIO, StringIO
from typing import Any
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from idp.db import db, unit_of_work
from idp.flows.import_orders import carry_out_import, forget_imports
from idp.flows.refusal import Refusal
from idp.models import Account, Order, OrderImport, OrderLine
from policies.permissions import Appointment, Who
from tests.builders import Make, Someone
from tests.idp.hr import Hr
from tests.idp.web.browser import Browser
from tests.idp.workbook import workbook
from tests.policies.test_order_table import ANARA, HEAD, but

IMPORT = re.compile(r'action="/orders/import/([0-9a-f-]{36})"')


def as_csv(rows: Sequence[Sequence[Any]], delimiter: str = ";", encoding: str = "utf-8-sig") -> bytes:
    written = StringIO()
    csv.writer(written, delimiter=delimiter).writerows(rows)
    return written.getvalue().encode(encoding)


@pytest.fixture
def clerk(make: Make) -> Someone:
    return make.officer("clerk", role="hr", department=None)


@pytest.fixture
def browser(make: Make, clerk: Someone) -> Browser:
    found = Browser(make)
    found.sign_in(clerk)
    return found


def look(browser: Browser, data: bytes) -> TestResponse:
    return browser.submit("/orders/import", {"table": (BytesIO(data), "orders")})


def carry_out(browser: Browser, looked: TestResponse) -> str:
    found = IMPORT.search(looked.text)
    assert found is not None, looked.text
    browser.submit(f"/orders/import/{found[1]}", {}, page="/orders/import")
    return found[1]


@pytest.mark.parametrize(
    "data",
    [
        as_csv([HEAD, ANARA]),
        as_csv([HEAD, ANARA], ","),
        as_csv([HEAD, but(ANARA, Фамилия="Улгубаева")], "\t", "cp1251"),
        workbook([HEAD, but(ANARA, ПИН=99999999990001.0, Ставка=0.5)]),
    ],
    ids=["csv", "commas", "windows", "xlsx"],
)
def test_a_hire_out_of_a_table_opens_an_account_like_any_other(hr: Hr, browser: Browser, data: bytes) -> None:
    looked = look(browser, data)
    assert looked.status_code == 200
    assert "1/9-К" in looked.text and "New order" in looked.text
    assert hr.rows(sa.select(Order.id)) == []
    carry_out(browser, looked)
    assert "The orders are taken in" in browser.get("/orders").text
    hr.work()
    assert hr.states() == {"1/9-К v1": "applying"}, "its tasks are with officers and workers"
    assert hr.rows(sa.select(Order.source, Order.kind)) == [("import", "hire")]
    assert hr.account().login == "a.ulgubaeva"


def test_the_same_table_again_changes_nothing_and_a_changed_one_is_a_correction(hr: Hr, browser: Browser) -> None:
    carry_out(browser, look(browser, as_csv([HEAD, ANARA])))
    hr.work()
    again = look(browser, as_csv([HEAD, ANARA]))
    assert "nothing would change" in again.text and IMPORT.search(again.text) is None
    corrected = look(browser, as_csv([HEAD, but(ANARA, Должность="профессор")]))
    assert "Correction, version 2" in corrected.text
    carry_out(browser, corrected)
    hr.work()
    assert hr.states() == {"1/9-К v1": "superseded", "1/9-К v2": "applying"}


def test_mistakes_are_told_by_row_and_column_without_the_value_and_nothing_is_kept(hr: Hr, browser: Browser) -> None:
    rows = [HEAD, but(ANARA, ПИН="12345"), but(ANARA, ПИН="99999999990002", Код_подразделения="9999", Фамилия="")]
    told = look(browser, as_csv(rows))
    assert told.status_code == 422
    assert "Row 2, «ПИН»: does not have the form it must have" in told.text
    assert "12345" not in told.text
    assert "Row 3, «Фамилия»: is missing" in told.text
    assert hr.rows(sa.select(OrderImport.id)) == []
    department = look(browser, as_csv([HEAD, but(ANARA, Код_подразделения="9999")]))
    assert "Row 2, «Код подразделения»: no such department is known" in department.text


def bomb() -> bytes:
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as file:
        file.writestr("xl/workbook.xml", b"0" * 61_000_000)
    return packed.getvalue()


@pytest.mark.parametrize(
    "data", [b"PK\x03\x04garbage", bomb(), b"\x00\x01", b'"unfinished', workbook([]), b"\xff\xfe\x00"],
    ids=["zip", "bomb", "binary", "quote", "empty", "utf-16"],
)  # fmt: skip
def test_files_that_are_no_tables_are_refused(browser: Browser, data: bytes) -> None:
    told = look(browser, data)
    assert (told.status_code, "Nothing was carried out" in told.text) == (422, True)


def test_without_a_file_the_page_says_so(browser: Browser) -> None:
    assert "Choose a file" in look(browser, b"").text


def test_the_empty_table_is_read_again(browser: Browser) -> None:
    answer = browser.get("/orders/import/template.csv")
    assert answer.mimetype == "text/csv"
    told = look(browser, answer.data + ("\r\n" + ";" * 40).encode())
    assert "no such column" not in told.text and "column is missing" not in told.text


def test_many_lines_are_one_order(hr: Hr, browser: Browser) -> None:
    people = [but(ANARA, ПИН=f"{number:014}", Имя=f"Аида{number}") for number in range(1, 301)]
    looked = look(browser, workbook([HEAD, *people]))
    assert ">300<" in looked.text
    carry_out(browser, looked)
    assert hr.rows(sa.select(sa.func.count(OrderLine.id))) == [(300,)]


def outcome(make: Make, whom: Someone, import_id: str) -> int | str:
    with make.app.app_context(), unit_of_work():
        who = Who(str(whom.id), (Appointment("hr", None, None, make.clock.now(), None),))
        here = replace(make.here(), who=who, account_id=whom.id, actor=f"account/{whom.login}")
        done = carry_out_import(here, UUID(import_id))
        return done.code if isinstance(done, Refusal) else done


def test_what_was_looked_at_is_carried_out_once_by_whoever_looked_and_within_the_hour(
    hr: Hr, make: Make, browser: Browser, clerk: Someone
) -> None:
    found = IMPORT.search(look(browser, as_csv([HEAD, ANARA])).text)
    assert found is not None
    assert outcome(make, make.account("other"), found[1]) == "gone"
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: outcome(make, clerk, found[1]), range(8)))
    assert sorted(map(str, answers)) == ["1", *["gone"] * 7]
    late = IMPORT.search(look(browser, as_csv([HEAD, but(ANARA, Номер_приказа="1/10-К")])).text)
    assert late is not None
    make.clock.moment += timedelta(hours=1)
    assert outcome(make, clerk, late[1]) == "gone"
    with make.app.app_context(), unit_of_work():
        forget_imports(make.here())
    assert hr.rows(sa.select(OrderImport.id)) == []


def test_what_is_kept_meanwhile_is_sealed(hr: Hr, browser: Browser) -> None:
    look(browser, as_csv([HEAD, ANARA]))
    [(content,)] = hr.rows(sa.select(OrderImport.content))
    assert b"9999999999" not in content


def test_officers_import_nothing(make: Make) -> None:
    browser = Browser(make)
    browser.sign_in(make.officer())
    assert browser.get("/orders/import").status_code == 404
    with make.app.app_context():
        assert db.session.scalars(sa.select(Account.login)).all() == ["bakyt"]
        db.session.remove()

"""Orders out of a table: which rows make an order, how cells are read, and what is told of those that can't be (3.7)."""

from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.order_table import HEADINGS, LABELS, MOST_ROWS, Cell, Wrong, read_table

HEAD = ["Номер приказа", "Вид", "Дата приказа", "Действует с", "Подписал", "ПИН", "Фамилия", "Имя",
        "Код подразделения", "Должность", "Ставка", "Программы"]  # fmt: skip
ANARA = ["1/9-К", "Приём", "01.09.2026", "2026-09-07", "Ректор", "99999999990001", "Үлгүбаева", "Анара", "0407", "доцент",
         "0,5", "avn.teacher; moodle.teacher"]  # fmt: skip


def but(row: list[Any], **changes: Cell) -> list[Any]:
    """The row with other cells, by the place of its heading."""
    changed = list(row)
    for heading, cell in changes.items():
        changed[HEAD.index(heading.replace("_", " "))] = cell
    return changed


def test_a_row_is_a_person_of_an_order_as_the_schema_has_it() -> None:
    [order], wrong = read_table([HEAD, ANARA])
    assert wrong == []
    assert order.rows == [2]
    identity = order.body.pop("orderId")
    assert order.body == {
        "schema": "urn:kstu:hr:order:1", "status": "approved", "kind": "hire", "number": "1/9-К",
        "approvedOn": "2026-09-01", "effectiveOn": "2026-09-07", "signatory": {"fullName": "Ректор"},
        "source": {"system": "import"},
        "persons": [{
            "line": "1", "ids": {"pin": "99999999990001"}, "name": {"family": "Үлгүбаева", "given": "Анара"},
            "employment": {"departmentCode": "0407", "positionTitle": "доцент", "rate": 0.5},
            "access": {"programs": ["avn.teacher", "moodle.teacher"]},
        }],
    }  # fmt: skip
    assert read_table([HEAD, ANARA])[0][0].body["orderId"] == identity


def test_rows_with_number_and_date_in_common_are_one_order() -> None:
    orders, wrong = read_table(
        [HEAD, ANARA, but(ANARA, ПИН="99999999990002"), but(ANARA, Номер_приказа="1/10-К"), [""] * 12]
    )
    assert wrong == []
    assert [(order.body["number"], len(order.body["persons"]), order.rows) for order in orders] == [
        ("1/9-К", 2, [2, 3]), ("1/10-К", 1, [4]),
    ]  # fmt: skip
    assert [person["line"] for person in orders[0].body["persons"]] == ["1", "2"]


def test_a_contract_of_a_learner_is_a_row_with_a_course_and_a_last_day() -> None:
    head = [
        "Номер приказа",
        "Вид",
        "Дата приказа",
        "Действует с",
        "Действует до",
        "Подписал",
        "Фамилия",
        "Код направления",
    ]
    row = ["Д-7", "Договор слушателя", "01.09.2026", "07.09.2026", "31.12.2026", "Проректор", "Үлгүбаева", "IT-COURSE"]
    [order], wrong = read_table([head, row])
    assert wrong == []
    assert (order.body["kind"], order.body["effectiveUntil"]) == ("learner_contract", "2026-12-31")
    assert order.body["persons"][0]["study"] == {"programCode": "IT-COURSE"}


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"Вид": "приказ"}, [Wrong(2, "Вид", "unknown-word"), Wrong(2, "Вид", "required")]),
        ({"Дата приказа": "31.02.2026"}, [Wrong(2, "Дата приказа", "no-day"), Wrong(2, "Дата приказа", "required")]),
        ({"Ставка": "половина"}, [Wrong(2, "Ставка", "no-number")]),
        ({"Подписал": " "}, [Wrong(2, "Подписал", "required")]),
    ],
)
def test_what_can_t_be_read_is_told_by_row_and_column(changes: dict[str, Cell], wrong: list[Wrong]) -> None:
    assert read_table([HEAD, but(ANARA, **changes)])[1] == wrong


def test_what_rows_of_one_order_say_of_it_is_the_same_in_all() -> None:
    assert read_table([HEAD, ANARA, but(ANARA, Действует_с="08.09.2026")])[1] == [
        Wrong(3, "Действует с", "differs-within-order")
    ]


@pytest.mark.parametrize(
    ("table", "rules"),
    [
        ([], {"empty"}),
        ([["Номер приказа", "Номер приказа", "Цвет"]], {"twice", "unknown-column", "missing-column"}),
        ([HEAD, *([ANARA] * (MOST_ROWS + 1))], {"too-many-rows"}),
    ],
)
def test_tables_that_hold_no_orders(table: list[list[Cell]], rules: set[str]) -> None:
    orders, wrong = read_table(table)
    assert (orders, {one.rule for one in wrong}) == ([], rules)


@pytest.mark.parametrize(
    ("path", "cell", "value"),
    [
        ("ids.pin", 12345678901234.0, "12345678901234"),
        ("approvedOn", datetime(2026, 9, 1, 8), "2026-09-01"),
        ("approvedOn", date(2026, 9, 1), "2026-09-01"),
        ("ids.avnStudentId", "771", 771),
        ("study.year", 2.0, 2),
        ("immediate", "Да", True),
        ("leave.keepAccess", "нет", False),
        ("leave.type", "По уходу за ребёнком", "childcare"),
        ("employment.rate", 1.0, 1.0),
    ],
)
def test_cells_as_spreadsheets_hold_them(path: str, cell: Cell, value: Any) -> None:
    head = [*HEAD, LABELS[path]] if LABELS[path] not in HEAD else HEAD
    row = [*ANARA, cell] if len(head) > len(HEAD) else but(ANARA, **{LABELS[path]: cell})
    [order], wrong = read_table([head, row])
    assert wrong == []
    found: Any = order.body if path in order.body else order.body["persons"][0]
    for name in path.split("."):
        found = found[name]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(("path", "cell"), [("ids.avnStudentId", "-1"), ("immediate", "maybe"), ("leave.type", "2")])
def test_cells_that_say_nothing(path: str, cell: Cell) -> None:
    assert [one.column for one in read_table([[*HEAD, path], [*ANARA, cell]])[1]] == [LABELS[path]]


CELLS = st.none() | st.text(max_size=12) | st.floats(allow_nan=False) | st.booleans() | st.dates()


@given(st.lists(st.lists(CELLS | st.sampled_from(sorted(HEADINGS)), max_size=8), max_size=6))
def test_whatever_a_file_holds_every_row_is_taken_or_told(table: list[list[Cell]]) -> None:
    orders, wrong = read_table(table)
    assert orders or wrong or not any(table[1:])
    assert all(len(order.rows) == len(order.body["persons"]) for order in orders)

"""Orders out of a table, one person a row, for an HR department that sends none by itself.  Regulation 3.7.

Owns the columns, how their cells are read, and which rows make one order.  Leaves alone whether the orders are in order
(the schema of hr-orders), and how a file becomes rows.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

SOURCE = "import"
LATEST_VERSION = 2**31 - 1
MOST_ROWS = 20_000

Cell = str | float | bool | date | None


@dataclass(frozen=True, slots=True)
class Wrong:
    """A cell that can't be read: its row as the file counts them, the heading of its column, and why."""

    row: int
    column: str
    rule: str


@dataclass(slots=True)
class TableOrder:
    """One order of the table: its body as hr-orders has it but for the version, and the row of each person."""

    body: dict[str, Any]
    rows: list[int] = field(default_factory=list)


def read_table(table: Sequence[Sequence[Cell]]) -> tuple[list[TableOrder], list[Wrong]]:
    """The orders, in the order of their first rows, and every cell that can't be read.

    The first row has the headings; rows without anything are passed over.
    """
    if not table:
        return [], [Wrong(1, "", "empty")]
    columns, wrong = _columns(table[0])
    if len(table) - 1 > MOST_ROWS:
        return [], [*wrong, Wrong(MOST_ROWS + 2, "", "too-many-rows")]
    orders: dict[tuple[str, str], TableOrder] = {}
    for place, cells in enumerate(table[1:], start=2):
        values, unread = _values(place, columns, cells)
        wrong += unread
        if values:
            wrong += _add(orders, place, values)
    return list(orders.values()), wrong


def _columns(headings: Sequence[Cell]) -> tuple[dict[int, str], list[Wrong]]:
    """Where which column is, by its path in the schema."""
    found: dict[int, str] = {}
    wrong: list[Wrong] = []
    for index, heading in enumerate(headings):
        said = " ".join(str(heading or "").split())
        path = HEADINGS.get(said.casefold())
        if path in found.values():
            wrong.append(Wrong(1, said, "twice"))
        elif path is not None:
            found[index] = path
        elif said:
            wrong.append(Wrong(1, said, "unknown-column"))
    wrong += [Wrong(1, LABELS[path], "missing-column") for path in NEEDED if path not in found.values()]
    return found, wrong


def _values(row: int, columns: Mapping[int, str], cells: Sequence[Cell]) -> tuple[dict[str, Any], list[Wrong]]:
    values: dict[str, Any] = {}
    wrong: list[Wrong] = []
    for index, path in columns.items():
        cell = cells[index] if index < len(cells) else None
        if cell is None or (isinstance(cell, str) and not cell.strip()):
            continue
        try:
            values[path] = READERS.get(path, _text)(cell)
        except ValueError as error:
            wrong.append(Wrong(row, LABELS[path], str(error)))
    return values, wrong


def _add(orders: dict[tuple[str, str], TableOrder], row: int, values: Mapping[str, Any]) -> list[Wrong]:
    """Put one person into their order; what rows of one order say of it must be the same in all."""
    missing = [Wrong(row, LABELS[path], "required") for path in NEEDED if path not in values]
    if missing:
        return missing
    whole, own = _split(values)
    key = (whole["number"], whole["approvedOn"])
    order = orders.setdefault(key, TableOrder(_new_body(whole)))
    differing = [Wrong(row, LABELS[path], "differs-within-order") for path, value in whole.items()
                 if order.rows and _at(order.body, path) != value]  # fmt: skip
    persons = order.body["persons"]
    persons.append({"line": str(len(persons) + 1), "ids": {}} | own)
    order.rows.append(row)
    return differing


def _split(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is said of the order, by path; and the person as the schema has them."""
    person: dict[str, Any] = {}
    for path, value in values.items():
        if path not in OF_ORDER:
            _put(person, path, value)
    return {path: value for path, value in values.items() if path in OF_ORDER}, person


def _new_body(whole: Mapping[str, Any]) -> dict[str, Any]:
    """The same order has the same id whenever it is imported."""
    name = f"urn:achkych:import:{whole['number']}:{whole['approvedOn']}"
    body: dict[str, Any] = {
        "schema": "urn:kstu:hr:order:1", "orderId": str(uuid5(NAMESPACE_URL, name)), "status": "approved",
        "source": {"system": SOURCE}, "persons": [],
    }  # fmt: skip
    for path, value in whole.items():
        _put(body, path, value)
    return body


def _put(body: dict[str, Any], path: str, value: Any) -> None:
    *above, last = path.split(".")
    for name in above:
        body = body.setdefault(name, {})
    body[last] = value


def _at(body: Mapping[str, Any], path: str) -> Any:
    for name in path.split("."):
        body = body.get(name, {})
    return body


def _text(cell: Cell) -> str:
    """As it is written; a number that a spreadsheet made of an identifier is whole again."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return cell.isoformat() if isinstance(cell, date) else " ".join(str(cell).split())


def _day(cell: Cell) -> str:
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    for form in ("%Y-%m-%d", "%d.%m.%Y"):
        try:
            return datetime.strptime(_text(cell), form).date().isoformat()  # noqa: DTZ007  # a day has no zone
        except ValueError:
            continue
    raise ValueError("no-day")


def _whole(cell: Cell) -> int:
    said = _text(cell)
    if not (said.isascii() and said.isdigit()):
        raise ValueError("no-number")
    return int(said)


def _number(cell: Cell) -> float:
    try:
        return float(_text(cell).replace(",", "."))
    except ValueError:
        raise ValueError("no-number") from None


def _yes_or_no(cell: Cell) -> bool:
    said = _text(cell).casefold()
    if said in YES | NO:
        return said in YES
    raise ValueError("no-yes-or-no")


def _list(cell: Cell) -> list[str]:
    return [part.strip() for part in _text(cell).split(";") if part.strip()]


def _word(words: Mapping[str, str]) -> Callable[[Cell], str]:
    def read(cell: Cell) -> str:
        said = _text(cell).casefold()
        if said not in words:
            raise ValueError("unknown-word")
        return words[said]

    return read


def _known(words: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Every word by which a code may be written, itself included."""
    return {said.casefold(): code for code, others in words.items() for said in (code, *others)}


YES = {"true", "1", "yes", "да", "ооба"}
NO = {"false", "0", "no", "нет", "жок"}
KINDS = _known({
    "hire": ["приём", "прием", "кабыл алуу"], "transfer": ["перевод", "которуу"],
    "dismissal": ["увольнение", "бошотуу"], "leave": ["отпуск", "өргүү"], "return": ["выход из отпуска"],
    "rename": ["смена имени", "смена фамилии"], "contacts": ["контакты"], "reinstatement": ["восстановление"],
    "student_enrolment": ["зачисление"], "student_transfer": ["перевод студента"],
    "student_academic_leave": ["академический отпуск"], "student_return": ["выход из академического отпуска"],
    "student_expulsion": ["отчисление"], "student_graduation": ["выпуск"],
    "student_reinstatement": ["восстановление студента"],
    "learner_contract": ["договор слушателя", "угуучунун келишими"],
    "learner_contract_end": ["расторжение договора слушателя"],
})  # fmt: skip
LEAVES = _known({
    "annual": ["ежегодный"], "unpaid": ["без содержания"], "study": ["учебный"], "maternity": ["по беременности и родам"],
    "childcare": ["по уходу за ребёнком", "по уходу за ребенком"], "sick": ["больничный"],
    "academic": ["академический"], "other": ["другой"],
})  # fmt: skip
LABELS = {
    "number": "Номер приказа", "kind": "Вид", "approvedOn": "Дата приказа", "effectiveOn": "Действует с",
    "effectiveUntil": "Действует до", "immediate": "Немедленно", "signatory.fullName": "Подписал",
    "signatory.position": "Должность подписавшего",
    "ids.pin": "ПИН", "ids.employeeNo": "Табельный номер", "ids.avnTeacherId": "Номер преподавателя AVN",
    "ids.avnStudentId": "Номер студента AVN",
    "name.family": "Фамилия", "name.given": "Имя", "name.patronymic": "Отчество",
    "name.latin.family": "Фамилия латиницей", "name.latin.given": "Имя латиницей",
    "previousName.family": "Прежняя фамилия", "previousName.given": "Прежнее имя", "birthDate": "Дата рождения",
    "employment.departmentCode": "Код подразделения", "employment.positionTitle": "Должность",
    "employment.rate": "Ставка", "employment.type": "Вид занятости", "employment.employmentId": "Номер договора",
    "study.facultyCode": "Код факультета", "study.programCode": "Код направления", "study.groupCode": "Группа",
    "study.year": "Курс", "leave.type": "Вид отпуска", "leave.keepAccess": "Оставить доступ",
    "contacts.personalEmail": "Личная почта", "contacts.workPhone": "Рабочий телефон",
    "contacts.mobilePhone": "Мобильный телефон", "access.programs": "Программы",
    "access.reportSections": "Разделы отчётов",
}  # fmt: skip
"""The columns by their path in the schema of orders; in a file either the path or the heading may stand."""
HEADINGS = {heading.casefold(): path for path, label in LABELS.items() for heading in (path, label)}
OF_ORDER = frozenset(path for path in LABELS if path.partition(".")[0] in {
    "number", "kind", "approvedOn", "effectiveOn", "effectiveUntil", "immediate", "signatory"})  # fmt: skip
NEEDED = ("number", "kind", "approvedOn", "effectiveOn", "signatory.fullName")
READERS: Mapping[str, Callable[[Cell], Any]] = {
    "kind": _word(KINDS), "leave.type": _word(LEAVES), "immediate": _yes_or_no, "leave.keepAccess": _yes_or_no,
    "approvedOn": _day, "effectiveOn": _day, "effectiveUntil": _day, "birthDate": _day,
    "ids.avnTeacherId": _whole, "ids.avnStudentId": _whole, "study.year": _whole, "employment.rate": _number,
    "access.programs": _list, "access.reportSections": _list,
}  # fmt: skip

"""What people may say of themselves: every form of a value, hostile ones included, and whose word is the newest."""

import unicodedata
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.profile_changes import (
    ADDRESS_PARTS,
    FORMS,
    MAY_BE_EMPTY,
    NAME,
    PHONE,
    WAYS,
    Own,
    Way,
    Wrong,
    newest,
    read_contacts,
    read_names,
)

ZONE = ZoneInfo("Asia/Bishkek")
NOON = datetime(2026, 9, 9, 6, 0, tzinfo=UTC)
CONTACTS = {"work_phone": "+996312000000", "mobile_phone": "+996700000001", "personal_email": "a@example.org"}
PERSON = {"family": "Үлгүбаева", "given": "Анара", "patronymic": None, "duties": None}


def contact(name: str, text: str) -> object:
    values, wrong = read_contacts(CONTACTS | {name: text}, CONTACTS, "kstu.kg")
    return wrong.get(name, values.get(name, "as before"))


def spelt(name: str, text: str) -> object:
    values, wrong = read_names({"family": "Үлгүбаева", "given": "Анара"} | {name: text}, PERSON)
    return wrong.get(name, values.get(name, "as before"))


def test_what_is_a_matter_of_hr_and_what_is_not() -> None:
    by_hr = {name for name, way in WAYS.items() if way is Way.BY_HR}
    assert by_hr == {"family", "given", "patronymic", "duties"}
    assert {name for name, way in WAYS.items() if way is Way.BY_LINK} == {"personal_email"}
    assert FORMS.keys() | {"home_address"} == WAYS.keys()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("+996 700 12-34-56", "+996700123456"),
        ("+996 (700) 123.456", "+996700123456"),
        ("\u202a+996\u00a0700\u00a0123456\u202c", "+996700123456"),
        ("＋９９６７００１２３４５６", "+996700123456"),
        ("+7 999 123-45-67", "+79991234567"),
    ],
)
def test_a_phone_is_taken_however_it_is_written_and_kept_in_one_form(typed: str, kept: str) -> None:
    assert contact("mobile_phone", typed) == kept


@pytest.mark.parametrize(
    "typed",
    ["0700 123456", "+0700123456", "+996", "+99670012345678901", "call me", "+996700123456;ext=1", "+٩٩٦٧٠٠١٢٣٤٥٦",
     "+996700123456\x00", "++996700123456", "996700123456"],
)  # fmt: skip
def test_what_is_no_phone_is_refused(typed: str) -> None:
    assert contact("mobile_phone", typed) is Wrong.NOT_A_PHONE


@given(st.text(max_size=60))
def test_whatever_is_typed_as_a_phone_is_one_or_is_refused(typed: str) -> None:
    found = contact("mobile_phone", typed)
    assert isinstance(found, Wrong) or found == "as before" or PHONE.fullmatch(str(found))


def test_what_must_be_there_can_not_be_emptied_and_the_rest_can() -> None:
    for name in ("mobile_phone", "personal_email"):
        assert contact(name, " ") is Wrong.MISSING
    assert contact("work_phone", "") is None
    assert spelt("family", "\u2003") is Wrong.MISSING
    assert {"patronymic", "duties"} < MAY_BE_EMPTY
    assert read_names({"family": "А", "given": "Б"}, {"family": "А", "given": "Б", "patronymic": "В"}) == (
        {"patronymic": None}, {},
    )  # fmt: skip


def test_what_stays_is_not_looked_at_even_where_nobody_could_enter_it() -> None:
    odd = {"family": "Иванов-2", "given": "X Æ A-12", "patronymic": None, "duties": None}
    assert read_names({"family": "Иванов-2", "given": "X Æ A-12"}, odd) == ({}, {})
    assert contact("mobile_phone", "+996 700 000001") == "as before"


@pytest.mark.parametrize("typed", ["a.b+c@example.org", "o'neil@xn--e1afmkfd.xn--p1ai", "1@mail.example.org"])
def test_addresses(typed: str) -> None:
    assert contact("personal_email", typed) == typed


def test_the_host_of_an_address_is_in_one_case() -> None:
    assert contact("personal_email", "Aida@Example.ORG") == "Aida@example.org"


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("aida", Wrong.NOT_AN_ADDRESS),
        ("@example.org", Wrong.NOT_AN_ADDRESS),
        ("a@b@example.org", Wrong.NOT_AN_ADDRESS),
        ("a..b@example.org", Wrong.NOT_AN_ADDRESS),
        ("a@localhost", Wrong.NOT_AN_ADDRESS),
        ("a@example.org\r\nBcc: x@example.org", Wrong.NOT_AN_ADDRESS),
        ("<a@example.org>", Wrong.NOT_AN_ADDRESS),
        ("а@example.org", Wrong.NOT_AN_ADDRESS),
        ("a@example.org,b@example.org", Wrong.NOT_AN_ADDRESS),
        (f"{'a' * 65}@example.org", Wrong.TOO_LONG),
        (f"a@{'b.' * 130}org", Wrong.TOO_LONG),
        ("aida@KSTU.kg", Wrong.OWN_DOMAIN),
    ],
)
def test_what_is_no_personal_address_is_refused(typed: str, why: Wrong) -> None:
    assert contact("personal_email", typed) is why


@pytest.mark.parametrize(
    "typed",
    [
        "Ажыбекова",
        "Үлгү уулу",
        "Мамбеткул-Кызы",
        "Өмүрзакова",
        "Жаңыбаев",
        "O'Neil",
        "Müller",
        "Ким",
        "Ё",
        "İnce",
        "Łoś",
    ],
)
def test_names_of_one_script(typed: str) -> None:
    assert spelt("family", typed) == typed


def test_a_name_is_kept_in_one_spelling() -> None:
    assert spelt("family", "  Мамбет‑Кулова  ") == "Мамбет-Кулова"
    assert spelt("family", "O’Neil") == "O'Neil"
    assert spelt("family", unicodedata.normalize("NFD", "Йылдыз")) == "Йылдыз"


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("Иванoв", Wrong.MIXED_SCRIPTS),  # a Latin o
        ("Aйбек", Wrong.MIXED_SCRIPTS),
        ("Ivanov Иван", Wrong.MIXED_SCRIPTS),
        ("Иванов2", Wrong.NOT_LETTERS),
        ("Иванов--Петров", Wrong.NOT_LETTERS),
        ("-Иванов", Wrong.NOT_LETTERS),
        ("Иванов'", Wrong.NOT_LETTERS),
        ("Ива\u200bнов", Wrong.NOT_LETTERS),
        ("\u202eвонавИ", Wrong.NOT_LETTERS),
        ("𝐈vanov", Wrong.NOT_LETTERS),
        ("Ｉvanov", Wrong.NOT_LETTERS),
        ("Ιωάννης", Wrong.NOT_LETTERS),
        ("李", Wrong.NOT_LETTERS),
        ("И\u0301ван", Wrong.NOT_LETTERS),  # a stress that belongs to no letter of its own
        ("<b>Иван</b>", Wrong.NOT_LETTERS),
        ("Иван\x00", Wrong.NOT_LETTERS),
        ("И" * 101, Wrong.TOO_LONG),
    ],
)
def test_what_is_no_name_is_refused(typed: str, why: Wrong) -> None:
    assert spelt("family", typed) is why


@given(st.text(max_size=120))
def test_whatever_is_typed_as_a_name_is_letters_of_one_script_or_is_refused(typed: str) -> None:
    found = spelt("given", typed)
    if isinstance(found, Wrong) or found == "as before":
        return
    assert NAME.fullmatch(str(found))
    assert len({unicodedata.name(one).split()[0] for one in str(found) if one not in " '-"}) == 1
    assert unicodedata.is_normalized("NFC", str(found))
    assert spelt("given", str(found)) == found, "taken again as it is"


def test_duties_are_plain_text() -> None:
    assert spelt("duties", "  Ведёт   лаборатории;\nкуратор АИС-1-24 ") == "Ведёт лаборатории; куратор АИС-1-24"
    assert spelt("duties", "x" * 201) is Wrong.TOO_LONG
    for hidden in ("\x00", "\u202e", "\u200d", "\ue000", "\ud800"):
        assert spelt("duties", f"куратор{hidden}групп") is Wrong.NOT_PLAIN


def home(**parts: str) -> tuple[object, dict[str, Wrong]]:
    entered = CONTACTS | {f"home_address.{part}": text for part, text in parts.items()}
    values, wrong = read_contacts(entered, CONTACTS, "kstu.kg")
    return values.get("home_address"), wrong


def test_a_home_address_is_kept_as_orders_write_it() -> None:
    told = {"country": "KG", "city": "Бишкек", "street": "ул. Образцовая", "building": "1", "postalCode": "720044"}
    assert home(**told, flat=" ") == (told, {})
    assert set(told) < set(ADDRESS_PARTS)


def test_all_that_is_wrong_with_a_home_address_is_told() -> None:
    found = home(country="kg", postalCode="№1", street="а" * 201, building="1\u202e")[1]
    assert found == {
        "home_address.country": Wrong.NOT_A_COUNTRY,
        "home_address.postalCode": Wrong.NOT_A_POSTAL_CODE,
        "home_address.street": Wrong.TOO_LONG,
        "home_address.building": Wrong.NOT_PLAIN,
        "home_address.city": Wrong.MISSING,
    }


def test_a_home_address_is_taken_back_by_emptying_it_and_left_by_leaving_it() -> None:
    there = CONTACTS | {"home_address": {"city": "Бишкек"}}
    assert read_contacts(CONTACTS, there, "kstu.kg") == ({"home_address": {}}, {})
    assert read_contacts(CONTACTS | {"home_address.city": "Бишкек "}, there, "kstu.kg") == ({}, {})


# --- whose word is the newest


def said(day: date, received_at: datetime = NOON) -> dict[str, tuple[date, datetime]]:
    return {"work_phone": (day, received_at)}


@pytest.mark.parametrize(
    ("order", "stands"),
    [
        ({}, "own"),
        (said(date(2026, 9, 8)), "own"),
        (said(date(2026, 9, 10)), "order"),
        (said(date(2026, 9, 9), NOON), "own"),
        (said(date(2026, 9, 9), NOON.replace(hour=7)), "order"),
        (said(date(2026, 9, 8), NOON.replace(day=20)), "own"),  # an old order that came late is still old
    ],
)
def test_the_newest_word_counts(order: dict[str, tuple[date, datetime]], stands: str) -> None:
    found = newest({"work_phone": "order", "given": "Анара"}, order, {"work_phone": Own("own", NOON)}, ZONE)
    assert found == {"work_phone": stands, "given": "Анара"}


def test_the_day_is_that_of_the_institution() -> None:
    late = datetime(2026, 9, 9, 19, 0, tzinfo=UTC)  # the 10th in Bishkek
    order = said(date(2026, 9, 9), late.replace(hour=23))
    assert newest({"work_phone": "order"}, order, {"work_phone": Own("own", late)}, ZONE) == {"work_phone": "own"}


def test_a_latin_spelling_goes_with_its_name() -> None:
    orders = {"family": "Үлгүбаева", "latin_family": "Ulgubaeva", "given": "Анара", "latin_given": "Anara"}
    own = {"family": Own("Мисалова", NOON), "given": Own("Анара", NOON)}
    assert newest(orders, {}, own, ZONE) == {
        "family": "Мисалова", "latin_family": None, "given": "Анара", "latin_given": "Anara",
    }  # fmt: skip

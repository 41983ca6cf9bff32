"""One form for every login, proposals for new ones, names for people."""

import re
import unicodedata
from itertools import chain, islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.naming import address, canonical_login, display_name, login_candidates, transliterate

NAMES = st.text(max_size=60) | st.text("АӨҮңжщьъйЁюя '-", max_size=60)


def first(how_many: int, *names: str | None) -> list[str]:
    family, given_, latin_family, latin_given = names
    return list(islice(login_candidates(family or "", given_ or "", latin_family, latin_given), how_many))


@pytest.mark.parametrize(
    "typed",
    ["a.ulgubaeva", " A.Ulgubaeva ", "a.\u200bulgu\u00adbaeva", "ａ．ｕｌｇｕｂａｅｖａ", "A.\tULGU BAEVA\n",
     "a.ulgubaeva\x00", "a.ulgubaeva\ud800", "a.ulgu\ufe0fbaeva"],
)  # fmt: skip
def test_however_it_is_typed_it_is_the_same_login(typed: str) -> None:
    assert canonical_login(typed) == "a.ulgubaeva"


def test_an_accent_that_was_kept_apart_by_something_invisible_is_joined() -> None:
    assert canonical_login("jose\u200b\u0301") == canonical_login("jos\u00e9")


def test_letters_of_another_alphabet_stay_another_login() -> None:
    assert canonical_login("а.ulgubaeva") != "a.ulgubaeva"  # a Cyrillic а


@given(st.text(st.characters(exclude_categories=())))
def test_any_string_has_one_canonical_form_and_it_is_stable(text: str) -> None:
    once = canonical_login(text)
    assert canonical_login(once) == once
    assert canonical_login(text.upper().lower()) == canonical_login(canonical_login(text.upper().lower()))


def test_every_letter_and_sign_has_a_stable_form_without_blanks() -> None:
    blocks = (range(0x3400), range(0xA640, 0xAC00), range(0xD800, 0xD810), range(0xF900, 0x10000),
              range(0x1D173, 0x1D800), range(0x1E900, 0x1E960), range(0xE0000, 0xE0200))  # fmt: skip
    for code_point in chain.from_iterable(blocks):
        once = canonical_login(chr(code_point))
        assert canonical_login(once) == once
        assert not any(character.isspace() for character in once)


@pytest.mark.parametrize(
    ("cyrillic", "latin"),
    [
        ("Үлгүбаева Анара", "Ulgubaeva Anara"),
        ("Щукин", "Shchukin"),
        ("Өмүрзаков Жаңыл", "Omurzakov Zhanyl"),
        ("Подъячев-Юсупов", "Podiachev-Iusupov"),
        ("Йылмаз", "Iylmaz"),
        ("Müller Ğ", "Muller G"),
        ("ѝ", "i"),
        ("李", ""),
    ],
)
def test_names_are_written_in_latin_letters(cyrillic: str, latin: str) -> None:
    assert transliterate(cyrillic) == latin
    assert transliterate(unicodedata.normalize("NFD", cyrillic)) == latin


@given(st.text())
def test_a_transliteration_is_ascii(text: str) -> None:
    assert transliterate(text).isascii()


def test_initial_and_surname_come_first_then_the_full_name_then_numbers() -> None:
    expected = ["a.ulgubaeva", "anara.ulgubaeva", "a.ulgubaeva2", "a.ulgubaeva3"]
    assert first(4, "Үлгүбаева", "Анара", "Ulgubaeva", "Anara") == expected
    assert first(4, "Үлгүбаева", "Анара", None, None) == expected


def test_the_spelling_of_the_order_goes_before_ours() -> None:
    assert first(1, "Жусупова", "Айгүл", "Jusupova", "Aigul") == ["a.jusupova"]


def test_a_latin_spelling_that_says_nothing_is_passed_over() -> None:
    assert first(1, "Жусупова", "Айгүл", " ' ", "") == ["a.zhusupova"]


@pytest.mark.parametrize(
    ("family", "given_", "expected"),
    [
        ("Үлгү уулу", "Азат", ["a.ulguuulu", "azat.ulguuulu", "a.ulguuulu2"]),
        ("", "Азат", ["a", "azat", "a2"]),
        ("Үлгү", "", ["ulgu", "ulgu2", "ulgu3"]),
        ("李", "—", ["user", "user2", "user3"]),
        ("Иванова--Петрова-", "-Я", ["i.ivanova-petrova", "ia.ivanova-petrova", "i.ivanova-petrova2"]),
        ("Ли", "O", ["o.li", "o.li2", "o.li3"]),
        ("", "¼", ["1", "14", "12", "13", "15"]),
    ],
)
def test_odd_names_have_logins_too(family: str, given_: str, expected: list[str]) -> None:
    assert first(len(expected), family, given_, None, None) == expected


@given(NAMES, NAMES, st.none() | NAMES, st.none() | NAMES)
def test_proposals_are_always_writable_canonical_short_and_different(
    family: str, given_: str, latin_family: str | None, latin_given: str | None
) -> None:
    logins = first(40, family, given_, latin_family, latin_given)
    assert len(set(logins)) == len(logins)
    for login in logins:
        assert re.fullmatch("[a-z0-9-]+(\\.[a-z0-9-]+)?", login) and not login.startswith("-")
        assert len(login) <= 64 and canonical_login(login) == login


def test_the_longest_name_and_a_three_digit_number_fill_a_local_part() -> None:
    assert max(map(len, first(999, "Щ" * 200, "Щ" * 200, None, None))) == 61
    assert len(first(999, "Ю" * 200, "Ю" * 200, None, None)[-1]) <= 64


def test_a_display_name_has_the_parts_a_person_has() -> None:
    assert display_name("Анара", "Үлгүбаева", "Үлгүевна") == "Үлгүбаева Анара Үлгүевна"
    assert display_name(" Азат ", "Үлгү  уулу", None) == "Үлгү уулу Азат"


def test_an_address_is_the_login_at_the_domain() -> None:
    assert address("a.ulgubaeva", "kstu.kg") == "a.ulgubaeva@kstu.kg"

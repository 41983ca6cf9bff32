"""Printed pages: what is written on them is text, whatever it is, and every reader can read it."""

import segno

from idp.paper import qr_code, typeset
from tests.idp.paper import is_accessible, pages_of, text_of


def slip(**changes: object) -> bytes:
    """A slip with other values."""
    values = {
        "language": "ky",
        "title": "Биринчи кирүү",
        "institution": "Мисалдар университети",
        "name": "Үлгүбаева Анара",
        "login": "a.ulgubaeva",
        "code": "7K3M 9QWE 4RTY 0PAS 1FGH J2KN XZ",
        "address": "https://id.example.org/activation",
        "qr": qr_code("https://id.example.org/activation/7K3M9QWE4RTY0PAS1FGHJ2KNXZ"),
        "qr_alt": "QR",
        "labels": {"name": "Аты", "login": "Логин", "address": "Дареги", "code": "Код"},
        "told": [{"language": one, "heading": "Ысык-Көл", "steps": ["Ңң, өө, үү"] * 4} for one in ("ky", "ru", "en")],
        "printed": "2026-09-09",
    }
    return typeset("slip", values | changes)


def test_letters_of_kyrgyz_are_there_to_read_and_to_hear() -> None:
    page = slip()
    assert is_accessible(page)
    for told in (
        "Үлгүбаева Анара",
        "Ңң, өө, үү",
        "7K3M 9QWE 4RTY 0PAS 1FGH J2KN XZ",
        "https://id.example.org/activation",
    ):
        assert told in text_of(page)


def test_what_looks_like_markup_is_text() -> None:
    for hostile in (
        '#panic("x")',
        "*bold* _em_ = Heading",
        '#read("/etc/passwd")',
        '"] #let x = [',
        r"\u{41} $x^2$ <label> @ref",
    ):
        assert hostile in text_of(slip(name=hostile))


def test_a_name_in_letters_that_the_fonts_lack_is_printed_all_the_same() -> None:
    page = slip(name="张伟 a.zhang")
    assert not is_accessible(page)
    assert "a.zhang" in text_of(page)


def test_the_same_page_is_the_same_file() -> None:
    assert slip() == slip(), "nothing of the machine or the moment is in it"


def test_a_square_holds_the_address_and_nothing_of_its_own() -> None:
    square = qr_code("https://id.example.org/activation/X")
    assert square.startswith("<svg")
    assert segno.make("https://id.example.org/activation/X", error="m").svg_inline(border=0) == square
    assert pages_of(slip()) == 1

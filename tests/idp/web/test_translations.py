"""No string goes untranslated: every one in code and templates is there in Kyrgyz and Russian, and templates have no
text of their own."""

import re
from html import unescape
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po
from jinja2 import Environment

import idp

HOUSE = Path(idp.__file__).parent
TEMPLATES = sorted(path for path in (HOUSE / "templates").rglob("*.*") if path.suffix in (".html", ".txt"))
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")
SPOKEN_ATTRIBUTE = re.compile(r'\b(?:alt|title|placeholder|aria-label|data-label|data-show|data-hide)="([^"]*)"')
NOT_FOR_PEOPLE = {"Subject:", "low", "PDF"}  # the header of a mail; a class of the room; the same in every language


@pytest.fixture(scope="module")
def asked_for() -> set[str]:
    """Every string in code and templates, in English."""
    with (HOUSE / "translations" / "babel.cfg").open() as mapping:
        methods, options = parse_mapping_cfg(mapping)
    found = extract_from_dir(HOUSE.parent, methods, options, directory_filter=_is_ours)
    return {message if isinstance(message, str) else message[0] for _, _, message, _, _ in found}


def _is_ours(folder: str) -> bool:
    return Path(folder) == HOUSE.parent or HOUSE in (Path(folder), *Path(folder).parents)


@pytest.fixture(scope="module", params=["ky", "ru"])
def catalog(request: pytest.FixtureRequest) -> Catalog:
    path = HOUSE / "translations" / request.param / "LC_MESSAGES" / "messages.po"
    return read_po(BytesIO(path.read_bytes()), locale=request.param)


def test_strings_are_found_at_all(asked_for: set[str]) -> None:
    assert {"Sign in", "There is nothing here", "Dear %(name)s,"} <= asked_for


def test_every_string_has_its_translation(asked_for: set[str], catalog: Catalog) -> None:
    missing = sorted(text for text in asked_for if not _is_translated(catalog.get(text)))
    assert not missing, f"untranslated in {catalog.locale}: {missing}"


def test_translations_of_strings_that_are_gone_are_gone(asked_for: set[str], catalog: Catalog) -> None:
    assert sorted(_english(message) for message in catalog if message.id and _english(message) not in asked_for) == []


def test_translations_have_the_placeholders_of_their_strings(catalog: Catalog) -> None:
    """A singular may leave the number out («one attempt»), in any language."""
    for message in filter(lambda message: message.id, catalog):
        for text in _forms(message):
            assert _placeholders(_english(message)) <= _placeholders(text) <= _placeholders(message.id), text


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_template_has_no_text_outside_of_translation(template: Path) -> None:
    tokens = Environment(extensions=["jinja2.ext.i18n"]).lex(template.read_text("utf8"))
    data = "".join(text for _, kind, text in tokens if kind == "data")
    data = re.sub(r"<style>.*?</style>", "", data, flags=re.DOTALL)
    spoken = " ".join([*SPOKEN_ATTRIBUTE.findall(data), unescape(re.sub(r"<[^>]*>", " ", data))])
    words = {word for word in spoken.split() if any(map(str.isalpha, word))}
    assert words <= NOT_FOR_PEOPLE


@pytest.mark.parametrize("template", sorted((HOUSE / "templates").rglob("*.typ")), ids=lambda path: path.name)
def test_a_printed_page_has_no_text_of_its_own(template: Path) -> None:
    """Every word comes in as a value."""
    code = re.sub(r"//.*", "", template.read_text("utf8"))
    assert code.isascii()
    assert not re.search(r"\[\s*[A-Za-z]{3,}", code), "content that begins with a word"


def _english(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _forms(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string)


def _is_translated(message: Message | None) -> bool:
    return message is not None and not message.fuzzy and all(_forms(message))


def _placeholders(text: str | tuple[str, ...]) -> set[str]:
    texts = (text,) if isinstance(text, str) else text
    return {name for one in texts for name in PLACEHOLDER.findall(one)}

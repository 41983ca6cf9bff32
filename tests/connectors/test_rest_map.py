"""A map is checked as a whole when it is read; a mistake names file, key and reason."""

from pathlib import Path

import pytest

from connectors.rest import Rest, RestSettings
from connectors.rest_map import SHIPPED, MapError, parse_map, read_map

MAP = """
[sign_in]
by = "bearer"
[record]
id = "id"
account_id = "external.id"
[attributes]
login = "name"
[active]
field = "enabled"
[find_by_id]
path = "/users/{id}"
[find_by_account_id]
path = "/users"
query = { external = "{account_id}" }
list = "data.items"
[create]
path = "/users"
body = { name = "{login}", tags = ["x {login}"], external = { id = "{account_id}" }, level = 1, admin = false }
[update]
method = "PATCH"
path = "/users/{id}"
[scan]
path = "/users"
query = { from = "{offset}", size = "{limit}" }
list = "data.items"
"""


def mistakes(*changes: tuple[str, str]) -> list[str]:
    text = MAP
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    with pytest.raises(MapError) as caught:
        parse_map(text, "own.toml")
    return str(caught.value).splitlines()


@pytest.mark.parametrize("file", sorted(SHIPPED.glob("*.toml")), ids=lambda file: file.stem)
def test_every_map_that_ships_can_be_read(file: Path) -> None:
    assert read_map(file.stem) == read_map(str(file))
    assert Rest(RestSettings(url="https://x.example.edu/api", map=file.stem, secret="s")).capabilities.attributes


def test_there_are_maps_of_koha_and_1c() -> None:
    assert {file.stem for file in SHIPPED.glob("*.toml")} == {"koha", "onec"}


def test_the_map_in_the_documentation_can_be_read() -> None:
    page = (Path(__file__).parents[2] / "docs" / "writing-a-connector.md").read_text("utf8")
    [shown] = (block for block in page.split("```")[1::2] if block.startswith("toml\n") and "[find_by_id]" in block)
    assert parse_map(shown.removeprefix("toml\n"), "page").taken.keys() == {"login"}


def test_a_map_may_be_as_short_as_this() -> None:
    read = parse_map(MAP, "own.toml")
    assert read.taken == {} and not read.left_out and read.update.method == "PATCH"


@pytest.mark.parametrize(("before", "after", "told"), [
    ('by = "bearer"', 'by = "magic"', "sign_in.by: must be one of basic, bearer, client-credentials"),
    ('by = "bearer"', 'by = "client-credentials"', "sign_in.path: is missing"),
    ('id = "id"', "id = 1", "record.id: must be a text"),
    ('id = "id"', 'id = ""', "record.id: must not be empty"),
    ('"external.id"', '"external..id"', "record.account_id: is no place in an answer: fields divided by dots, a list with "
     "[field=value]"),
    ('login = "name"', 'nickname = "name"', "attributes.nickname: is none of affiliation, "),
    ('field = "enabled"', 'expires = "until"', "active.opened: is missing"),
    ('field = "enabled"', 'expires = "until"\nopened = "2099-12-31"', "active.opened: must be a day like 2099-12-31"),
    ('path = "/users/{id}"', 'path = "users/{id}"', "find_by_id.path: must be a plain path that begins with /"),
    ('path = "/users/{id}"', 'path = "/users/../{id}"', "find_by_id.path: must be a plain path that begins with /"),
    ('path = "/users/{id}"', 'path = "/users?id={id}"', "find_by_id.path: must be a plain path that begins with /"),
    ('path = "/users/{id}"', 'path = "/users/{login}"', "find_by_id.path: {login} is none of id"),
    ('external = "{account_id}"', 'external = "{login}"',
     "find_by_account_id.query.external: {login} is none of account_id"),
    ('{ external = "{account_id}" }', '{ "$filter" = "Id eq {account_id}" }',
     "find_by_account_id.query.$filter: a placeholder must stand in quotes: Field eq '{login}'"),
    ('{ from = "{offset}"', "{ from = 1", "scan.query.from: must be a text"),
    ("x {login}", "{programs}", "create.body.tags[0]: {programs} is none of account_id, "),
    ('login = "name"', 'programs = "groups"', "attributes.programs: is none of affiliation, "),
    ('method = "PATCH"', 'method = "POST"', "update.method: must be one of PUT, PATCH"),
    ("level = 1", "level = 2026-01-01", "create.body.level: is no value that JSON has"),
    ("[scan]", "[taken.email]\npath = '/users'\n[scan]", "taken.email: is none of the attributes"),
    ("[scan]", "[scann]\n[scan]", "scann: is not known here"),
    ("[update]", "pages = 3\n[update]", "create.pages: is not known here"),
    ("[sign_in]", "[sign_in", "is not TOML: "),
])  # fmt: skip
def test_a_mistake_names_file_key_and_reason(before: str, after: str, told: str) -> None:
    assert [line for line in mistakes((before, after)) if line.startswith(f"own.toml: {told}")]


def test_all_mistakes_are_told_at_once_and_of_a_missing_table_one() -> None:
    found = mistakes(('by = "bearer"', 'by = ""'), ("[scan]", "[scans]"))
    assert found[0] == "own.toml: sign_in.by: must not be empty" and "own.toml: scan: is missing" in found
    assert not [line for line in found if line.startswith("own.toml: scan.")]


def test_a_file_that_is_not_there_is_named_without_its_folder(tmp_path: Path) -> None:
    with pytest.raises(MapError, match=r"^typo3\.toml: cannot be read \(FileNotFoundError\)$"):
        read_map("typo3")
    with pytest.raises(MapError, match=r"^none\.toml: cannot be read"):
        read_map(str(tmp_path / "none.toml"))

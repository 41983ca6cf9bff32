"""No value gets out of the place it was put in: each place is read back by a reader that is not ours."""

import json
import re
from urllib.parse import parse_qs, unquote

import httpx2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.base import OutcomeKind, TargetError
from connectors.rest_template import as_json, as_path, as_query, parse

NAMES = frozenset({"login", "email", "id", "offset"})
BASE = httpx2.Client(base_url="https://target.example.edu/api/v1")
HOSTILE = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="'\"\\/{}&=?#%;.+ \r\n\0$()<>", max_size=12),
    st.sampled_from(["' or '1' eq '1", "''", "'", "a' or true", '"}, {"admin": true', "../../admin", "..", "%2e%2e%2f",
                     "%27", "a&$top=1", "a#b", "a?b", "{login}", "\r\nX-Admin: 1", "guid'')/x", "a%00b", "\u2028", "А'Б"]),
)  # fmt: skip
LITERAL = re.compile(r"Логин eq '((?:[^']|'')*)'", re.DOTALL)


def path_of(template: str, value: str) -> str | None:
    """The path, as it goes over the wire; None where the value is refused."""
    try:
        path = as_path(parse(template, NAMES), {"id": value})
    except TargetError:
        return None
    url = BASE.build_request("GET", path).url
    assert url.host == "target.example.edu" and not url.query and not url.fragment
    return url.raw_path.decode()


@given(HOSTILE)
def test_a_value_in_a_path_is_one_segment_or_is_refused(value: str) -> None:
    path = path_of("/users/{id}/card", value)
    if path is not None:
        assert unquote(path) == f"/api/v1/users/{value}/card" and unquote(path).count("/") == 5


@given(HOSTILE)
def test_a_value_in_the_key_of_an_entity_stays_in_its_quotes(value: str) -> None:
    path = path_of("/Catalog(guid'{id}')", value)
    if path is not None:
        key = re.fullmatch(r"/api/v1/Catalog\(guid'((?:[^']|'')*)'\)", unquote(path), re.DOTALL)
        assert key is not None and key[1].replace("''", "'") == value


@pytest.mark.parametrize("value", ["", ".", "..", "...", "a/b", "a\\b", "/", "a\nb", "\0", None])
def test_what_servers_may_take_for_more_than_a_segment_is_refused(value: str | None) -> None:
    with pytest.raises(TargetError, match="id is not what a path can carry") as caught:
        as_path(parse("/users/{id}", NAMES), {"id": value})
    assert caught.value.kind is OutcomeKind.PERMANENT


@given(HOSTILE, HOSTILE)
@example("a' or Логин ne '", "b")
def test_a_value_in_a_filter_of_odata_is_one_literal(login: str, other: str) -> None:
    text = as_query(parse("Логин eq '{login}'", NAMES), {"login": login, "email": other})
    sent = BASE.build_request("GET", "/x", params={"$filter": text, "$top": "1"}).url.query.decode()
    asked = parse_qs(sent, keep_blank_values=True, strict_parsing=True)
    assert asked.keys() == {"$filter", "$top"} and len(asked["$filter"]) == 1
    literal = LITERAL.fullmatch(asked["$filter"][0])
    assert literal is not None and literal[1].replace("''", "'") == login


@given(HOSTILE)
def test_a_value_in_a_query_is_one_parameter(value: str) -> None:
    text = as_query(parse("{login}", NAMES), {"login": value})
    sent = BASE.build_request("GET", "/x", params={"name": text}).url.query.decode()
    assert parse_qs(sent, keep_blank_values=True) == {"name": [value]}


@given(HOSTILE)
def test_a_value_in_json_is_one_text(value: str) -> None:
    tree = {"name": parse("x{login}", NAMES), "list": [{"value": parse("{login}", NAMES)}], "fixed": 1}
    told = json.loads(as_query(tree, {"login": value}))
    assert told == {"name": f"x{value}", "list": [{"value": value} if value else {}], "fixed": 1}


@given(HOSTILE)
def test_a_placeholder_in_a_value_is_only_text(value: str) -> None:
    assert as_query(parse("{login}", NAMES), {"login": "{email}" + value, "email": "secret"}) == "{email}" + value


def test_a_field_without_a_value_is_left_out() -> None:
    tree = {"a": parse("{login}", NAMES), "b": parse("{email}", NAMES), "c": parse("x{id}", NAMES), "d": False}
    assert as_json(tree, {"login": "", "id": None}) == {"c": "x", "d": False}


def test_a_number_is_written_also_when_it_is_0() -> None:
    assert as_query(parse("{offset}", NAMES), {"offset": 0}) == "0"


@pytest.mark.parametrize(("text", "why"), [
    ("{name}", "{name} is none of"), ("{login", "a brace"), ("login}", "a brace"), ("{}", "a brace"),
    ("{{login}}", "a brace"), ("{login.__class__}", "a brace"), ("{login!r}", "a brace"), ("{0}", "a brace"),
])  # fmt: skip
def test_a_template_holds_nothing_but_names(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        parse(text, NAMES)

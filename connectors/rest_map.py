"""The map of one REST service: its requests, and where its answers hold what, read from a TOML file.

Owns the language of these files.  A map is checked as a whole when it is read; each mistake names file, key and reason.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from connectors.base import CANONICAL, LISTS
from connectors.rest_record import TOP, Expiry, Flag, Layout, Place
from connectors.rest_table import Table
from connectors.rest_template import Template, Tree
from connectors.rest_wire import SignIn

SHIPPED = Path(__file__).parent / "maps"

SIGN_INS = ("basic", "bearer", "client-credentials")
TEXTS = CANONICAL - LISTS
"""Attributes a map may name; no service that was looked at takes lists."""
NOTHING: frozenset[str] = frozenset()
ID = frozenset({"id"})
ACCOUNT_ID = frozenset({"account_id"})
PAGING = frozenset({"limit", "offset", "page"})


class MapError(ValueError):
    """A map that cannot be used; one line for each mistake."""


@dataclass(frozen=True, slots=True)
class Request:
    """One call: templates for path, query and body, headers as they are, and where the answer has its list."""

    method: str
    path: Template
    query: Mapping[str, Tree]
    headers: Mapping[str, str]
    records: Place = TOP
    body: Tree = False


@dataclass(frozen=True, slots=True)
class Map:
    """Everything `rest.py` knows of one service."""

    sign_in: SignIn
    layout: Layout
    find_by_id: Request
    find_by_account_id: Request
    taken: Mapping[str, Request]  # attribute -> look-up of who has it, where the service takes doubles
    create: Request
    update: Request  # PUT replaces all (RFC 9110 9.3.4): the record is read, changed, and sent back without `left_out`
    left_out: frozenset[str]
    scan: Request


def read_map(name: str) -> Map:
    """A map that ships (by its name), or one by its path.  MapError with every mistake in it."""
    file = SHIPPED / f"{name}.toml" if name.isidentifier() else Path(name)
    try:
        text = file.read_text("utf8")
    except (OSError, UnicodeDecodeError) as error:
        raise MapError(f"{file.name}: cannot be read ({type(error).__name__})") from None
    return parse_map(text, file.name)


def parse_map(text: str, name: str) -> Map:
    """The map written in this TOML text; `name` is what its mistakes are told of."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MapError(f"{name}: is not TOML: {error}") from None
    mistakes: list[str] = []
    read = _map(Table(values, "", mistakes))
    if mistakes:
        raise MapError("\n".join(f"{name}: {mistake}" for mistake in mistakes))
    return read


def _map(table: Table) -> Map:
    """The whole file; where something is wrong a stand-in, so that reading goes on."""
    update = table.table("update")
    read = Map(
        sign_in=_sign_in(table.table("sign_in")),
        layout=_layout(table),
        find_by_id=_request(table.table("find_by_id"), "GET", ID),
        find_by_account_id=_search(table.table("find_by_account_id"), ACCOUNT_ID),
        taken={name: _search(one, frozenset({name})) for name, one in table.table("taken", {}).tables().items()},
        create=_create(table.table("create")),
        left_out=frozenset(update.items("leave_out")),
        update=_request(update, update.choice("method", ("PUT", "PATCH")), ID),
        scan=_search(table.table("scan"), PAGING),
    )
    for name in sorted(read.taken.keys() - read.layout.attributes.keys()):
        table.wrong(f"taken.{name}", "is none of the attributes")
    table.nothing_left()
    return read


def _sign_in(table: Table) -> SignIn:
    by = table.choice("by", SIGN_INS)
    path = table.path("path", NOTHING).fill(str) if by == "client-credentials" else ""
    table.nothing_left()
    return SignIn(by, path)


def _layout(table: Table) -> Layout:
    """[record], [attributes] and [active]"""
    record, names, active = table.table("record"), table.table("attributes"), table.table("active")
    attributes = names.texts()
    for name in sorted(attributes.keys() - TEXTS):
        names.wrong(name, f"is none of {', '.join(sorted(TEXTS))}")
    layout = Layout(record.place("id"), record.place("account_id"), attributes, _active(active))
    record.nothing_left()
    active.nothing_left()
    return layout


def _active(table: Table) -> Flag | Expiry:
    """[active]: the first of `field`, `inverted` and `expires` that is written"""
    if "expires" in table:
        return Expiry(table.text("expires"), table.day("opened"))
    if "inverted" in table:
        return Flag(table.text("inverted"), inverted=True)
    return Flag(table.text("field"), inverted=False)


def _request(table: Table, method: str, allowed: frozenset[str], records: Place = TOP, body: Tree = False) -> Request:
    """`path`, `query` and `headers`; a path carries nothing but the id."""
    path = table.path("path", allowed & ID)
    request = Request(method, path, table.query("query", allowed), table.table("headers", {}).texts(), records, body)
    table.nothing_left()
    return request


def _search(table: Table, allowed: frozenset[str]) -> Request:
    """A request that answers with records, at `list`."""
    return _request(table, "GET", allowed, records=table.place("list", ""))


def _create(table: Table) -> Request:
    return _request(table, "POST", NOTHING, body=table.tree("body", TEXTS | ACCOUNT_ID))

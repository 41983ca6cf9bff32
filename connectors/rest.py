"""Any system with a REST service, by a map (`maps/*.toml`): Koha, the OData of 1C, another university's own.

Owns what all such services have in common: finding, making, changing and looking through accounts.  What is asked for, and
where answers hold what, is the map's; how to write one is told in docs/writing-a-connector.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, ClassVar

from connectors import http
from connectors.base import (
    Capabilities,
    Correlation,
    Health,
    Json,
    OutcomeKind,
    Page,
    Remote,
    TargetError,
    Wanted,
    refuse,
)
from connectors.rest_map import Map, Request, read_map
from connectors.rest_template import Values, as_json, as_path, as_query
from connectors.rest_wire import Answer, Wire


@dataclass(frozen=True, kw_only=True)
class RestSettings:
    """Where a REST service is, how to be let in, and its map."""

    url: str
    """Base URL of the service, to which the paths of the map are added; https, or http on loopback."""
    map: str
    """Name of a map that ships (`koha`, `onec`), or a path to a TOML file."""
    user: str = ""
    """User of Basic, or the client id of OAuth 2 client credentials; none for a bearer token."""
    secret: str = field(repr=False)
    """That user's password, that client's secret, or the bearer token: the map says which way in its service has."""
    timeout: float = 10.0
    """Seconds for one call as a whole."""
    ca_file: str = ""
    """PEM file of the authority that signed the target's certificate; empty = the system's authorities."""


class Rest:
    """One service.  Creates go one at a time where the service takes doubles: we look, then it makes."""

    kind: ClassVar[str] = "rest"

    def __init__(self, settings: RestSettings) -> None:
        """Raises `MapError` for a map that cannot be used."""
        self._map: Map = read_map(settings.map)
        client = http.client(settings.url.rstrip("/"), seconds=settings.timeout, ca_file=settings.ca_file,
                             headers={"Accept": "application/json"})  # fmt: skip
        self._wire = Wire(client, self._map.sign_in, settings.user, settings.secret)
        self._creating = Lock()
        self.capabilities = Capabilities(frozenset(self._map.layout.attributes), timeout=settings.timeout)

    def check(self) -> Health:
        """The credentials hold, and what is listed looks as the map says."""
        try:
            self.scan(None, 1)
        except TargetError as error:
            return Health(False, str(error))
        return Health(True, "accounts can be listed")

    def find(self, key: Correlation) -> Remote | None:
        if key.remote_id and (found := self._by_id(key.remote_id)) is not None:
            return found
        return self._by_account_id(key.account_id)

    def create(self, wanted: Wanted, op: str) -> Remote:
        """What was made is read back by its id: an answer to a create may be shorter than a record."""
        values = {**wanted.attributes, "account_id": wanted.account_id}
        with self._creating:
            if self._by_account_id(wanted.account_id) is not None:
                raise TargetError(OutcomeKind.CONFLICT, "an account with this external id exists")
            self._refuse_taken(wanted.attributes, own_id="")
            made = self._make(values)
        if not wanted.active:
            self.update(made, {"active": False}, op)
        found = self._by_id(made)
        if found is None:
            raise TargetError(OutcomeKind.UNKNOWN, "made, but not seen afterwards")
        return found

    def update(self, remote_id: str, changes: Mapping[str, Json], op: str) -> None:
        """Reads first: for fields that a full replacement would lose, for the day it is there."""
        update, layout, left_out = self._map.update, self._map.layout, self._map.left_out
        if not changes.keys() & {"active", *layout.attributes}:
            return
        answer = self._ask(self._map.find_by_id, {"id": remote_id})
        seen = _object(answer.document)
        fields = layout.fields(changes, seen, answer.today)
        if not fields:
            return
        self._refuse_taken(changes, own_id=remote_id)
        kept = {name: value for name, value in seen.items() if name not in left_out} if update.method == "PUT" else {}
        self._ask(update, {"id": remote_id}, {**kept, **fields})

    def scan(self, cursor: str | None, limit: int) -> Page:
        """A cursor is `seen:limit:id`, the id being the first of the page before: who does not page, is found out.

        The end is an empty page, since a service may give fewer at a time than it was asked for.
        """
        offset, size, before = (cursor or f"0:{min(limit, self.capabilities.page_max)}:").split(":", 2)
        seen, count = int(offset), int(size)
        page = -(-seen // count) + 1  # after a last page that was not full the next one, not the same again
        remotes = self._search(self._map.scan, {"offset": seen, "limit": count, "page": page})
        if not remotes:
            return Page()
        if remotes[0].id == before:
            raise TargetError(OutcomeKind.PERMANENT, "the service gives the same page again")
        return Page(remotes, f"{seen + len(remotes)}:{count}:{remotes[0].id}")

    def end_sessions(self, remote_id: str) -> None:
        raise refuse(self.kind, "ending sessions")

    def delete(self, remote_id: str, op: str) -> None:
        raise refuse(self.kind, "deleting")

    def _by_id(self, remote_id: str) -> Remote | None:
        try:
            answer = self._ask(self._map.find_by_id, {"id": remote_id})
        except TargetError as error:
            if error.kind is OutcomeKind.NOT_FOUND:
                return None
            raise
        return self._map.layout.remote(_object(answer.document), answer.today)

    def _by_account_id(self, account_id: str) -> Remote | None:
        found = self._having("account_id", account_id, self._map.find_by_account_id)
        ours = [one for one in found if one.account_id == account_id]
        if len(ours) > 1:
            raise TargetError(OutcomeKind.CONFLICT, "several accounts with this external id")
        return ours[0] if ours else None

    def _refuse_taken(self, attributes: Mapping[str, Json], own_id: str) -> None:
        """Looked up beforehand where the service itself would make doubles."""
        for name, search in self._map.taken.items():
            value = attributes.get(name)
            if value and any(one.id != own_id for one in self._having(name, str(value), search)):
                raise TargetError(OutcomeKind.CONFLICT, f"another account has this {name}")

    def _having(self, name: str, value: str, search: Request) -> list[Remote]:
        """Compared once more here: a service may fold case, or not know the filter and answer with everybody."""
        found = self._search(search, {name: value})
        told = [one.account_id if name == "account_id" else str(one.attributes.get(name, "")) for one in found]
        if any(one.casefold() != value.casefold() for one in told):
            raise TargetError(OutcomeKind.PERMANENT, f"the service did not keep to the filter by {name}")
        return found

    def _make(self, values: Values) -> str:
        """The id of the new account; once it was sent, an answer without one leaves open what happened."""
        create = self._map.create
        answer = self._ask(create, values, as_json(create.body, values), repeatable=False)
        try:
            return self._map.layout.id_of(_object(answer.document))
        except TargetError as error:
            raise TargetError(OutcomeKind.UNKNOWN, f"made, but {error.detail}") from None

    def _search(self, search: Request, values: Values) -> list[Remote]:
        answer = self._ask(search, values)
        records = search.records.read(answer.document)
        if not isinstance(records, list):
            raise TargetError(OutcomeKind.PERMANENT, f"the answer has no list at {str(search.records) or 'its top'}")
        return [self._map.layout.remote(_object(one), answer.today) for one in records]

    def _ask(self, request: Request, values: Values, body: Json = None, repeatable: bool = True) -> Answer:
        """Everything but a create may be sent twice: it reads, or sets plain values."""
        query = {name: as_query(one, values) for name, one in request.query.items()}
        return self._wire.call(request.method, as_path(request.path, values), query=query, headers=request.headers,
                               body=body, repeatable=repeatable)  # fmt: skip


def _object(document: Any) -> Mapping[str, Any]:
    if not isinstance(document, Mapping):
        raise TargetError(OutcomeKind.PERMANENT, "the answer is no object")
    return document

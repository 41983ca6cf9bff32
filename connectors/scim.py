"""Any system that speaks SCIM 2.0 (RFC 7643, RFC 7644): core User with the enterprise extension.

Owns how our attributes look in SCIM, and the ways in which services fall short of it (`Dialect`).  In lists that others
may write too, ours carry a type (`work`, `affiliation`, `program`, `reportSection`) and only these are touched.  The
protocol is scim2-client's, the limits are `http.py`'s.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

from scim2_client import SCIMClientException
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import (
    EnterpriseUser,
    ListResponse,
    ResourceType,
    SCIMException,
    ScimPolicy,
    ScimProvider,
    SearchRequest,
    ServiceProviderConfig,
    User,
)

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

Document = dict[str, Any]

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
CORE = "urn:ietf:params:scim:schemas:core:2.0:User"

PLAIN = {
    "login": "userName",
    "given_name": "name.givenName",
    "family_name": "name.familyName",
    "patronymic": "name.middleName",
    "display_name": "displayName",
    "title": "title",
    "language": "preferredLanguage",
}
EXTENDED = {"employee_no": "employeeNumber", "department": "department", "department_name": "division"}
TYPED = {  # attribute -> (SCIM list, our type in it, marked as primary)
    "email": ("emails", "work", True),
    "phone": ("phoneNumbers", "work", False),
    "mobile_phone": ("phoneNumbers", "mobile", False),
    "affiliation": ("roles", "affiliation", True),
    "programs": ("entitlements", "program", False),
    "report_sections": ("entitlements", "reportSection", False),
}
LISTED = frozenset({"programs", "report_sections"})


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a service makes of the protocol, where it is not all of it.

    `user_name`: which of our attributes its userName is; `patch_by_value`: it takes an object of values and no paths;
    `pause`: seconds from one call to the next, of all its clients together.
    """

    attributes: frozenset[str] = frozenset(PLAIN) | frozenset(EXTENDED) | frozenset(TYPED)
    user_name: str = "login"
    patch_by_value: bool = False
    delete: bool = True
    page_max: int = 100
    concurrency: int = 4
    pause: float = 0.0


@dataclass(frozen=True, kw_only=True)
class ScimSettings:
    """Where a SCIM service is and how to be let in."""

    url: str
    """Base URL of the service, without `/Users`; https, or http on loopback."""
    token: str = field(repr=False)
    """Bearer token of the provisioning client."""
    timeout: float = 10.0
    """Seconds for one call as a whole."""
    ca_file: str = ""
    """PEM file of the authority that signed the target's certificate; empty = the system's authorities."""


class Scim:
    """The connector; a profile of one system subclasses it and sets `kind` and `dialect`."""

    kind: ClassVar[str] = "scim"
    dialect: ClassVar[Dialect] = Dialect()

    def __init__(self, settings: ScimSettings) -> None:
        headers = {"Authorization": f"Bearer {settings.token}", "Accept": "application/scim+json"}
        self._http = http.client(settings.url, seconds=settings.timeout, ca_file=settings.ca_file, headers=headers,
                                 pause=self.dialect.pause)  # fmt: skip
        # what a service adds of its own is read over, not refused
        policy = ScimPolicy(unknown=ScimPolicy.Unknown.ignore)
        types = [ResourceType.from_resource(User[EnterpriseUser])]
        self._scim = SyncSCIMClient(self._http, provider=ScimProvider(
            models=[User, EnterpriseUser], resource_types=types, policy=policy))  # fmt: skip
        self.capabilities = Capabilities(
            self.dialect.attributes, delete=self.dialect.delete, timeout=settings.timeout + self.dialect.pause,
            concurrency=self.dialect.concurrency, page_max=self.dialect.page_max,
        )  # fmt: skip

    def check(self) -> Health:
        """The service must know PATCH, and this token must be allowed to list users."""
        try:
            with _typed():
                config = cast(ServiceProviderConfig, self._scim.query(ServiceProviderConfig))
            self.scan(None, 1)
        except TargetError as error:
            return Health(False, str(error))
        patch = config.patch is not None and config.patch.supported
        return Health(bool(patch), "users can be listed" if patch else "the service does not offer PATCH")

    def find(self, key: Correlation) -> Remote | None:
        if key.remote_id and (found := self._by_id(key.remote_id)) is not None:
            return found
        return self._by_external_id(key.account_id)

    def create(self, wanted: Wanted, op: str) -> Remote:
        # externalId is not unique in the protocol (RFC 7643 3.1), so a second account is ours to prevent
        if self._by_external_id(wanted.account_id) is not None:
            raise TargetError(OutcomeKind.CONFLICT, "an account with this external id exists")
        with _typed():
            user = self._scim.create(User[EnterpriseUser], document(wanted, self.dialect), headers=_operation(op))
        return remote(cast(User[EnterpriseUser], user), self.dialect)

    def update(self, remote_id: str, changes: Mapping[str, Json], op: str) -> None:
        if not (steps := operations(changes, self.dialect)):
            return
        patch = {"schemas": [PATCH], "Operations": steps}
        with _typed():  # every step sets or removes plain values, so sending it twice does no harm
            self._scim.modify(User[EnterpriseUser], remote_id, patch, extensions=http.REPEAT, headers=_operation(op))

    def scan(self, cursor: str | None, limit: int) -> Page:
        start = int(cursor or "1")
        listed = self._search(SearchRequest[Any](start_index=start, count=min(limit, self.capabilities.page_max)))
        remotes = [remote(user, self.dialect) for user in listed.resources or []]
        following = start + len(remotes)
        more = remotes and following <= (listed.total_results or 0)
        return Page(remotes, str(following) if more else None)

    def end_sessions(self, remote_id: str) -> None:
        raise refuse(self.kind, "ending sessions")

    def delete(self, remote_id: str, op: str) -> None:
        if not self.dialect.delete:
            raise refuse(self.kind, "deleting accounts")
        try:
            with _typed():
                self._scim.delete(User[EnterpriseUser], remote_id, headers=_operation(op))
        except TargetError as error:
            if error.kind is not OutcomeKind.NOT_FOUND:
                raise

    def _by_id(self, remote_id: str) -> Remote | None:
        try:
            with _typed():
                return remote(
                    cast(User[EnterpriseUser], self._scim.query(User[EnterpriseUser], remote_id)), self.dialect
                )
        except TargetError as error:
            if error.kind is OutcomeKind.NOT_FOUND:
                return None
            raise

    def _by_external_id(self, account_id: str) -> Remote | None:
        # a filter's string is a JSON string (RFC 7644 3.4.2.2)
        where = f"externalId eq {json.dumps(account_id)}"
        listed = self._search(SearchRequest[Any].model_validate({"filter": where, "count": 2}))
        users = listed.resources or []
        if len(users) > 1:
            raise TargetError(OutcomeKind.CONFLICT, "several accounts with this external id")
        return remote(users[0], self.dialect) if users else None

    def _search(self, search: SearchRequest[Any]) -> ListResponse[User[EnterpriseUser]]:
        with _typed():
            found = self._scim.query(User[EnterpriseUser], query_parameters=search)
        return cast(ListResponse[User[EnterpriseUser]], found)


def document(wanted: Wanted, dialect: Dialect) -> Document:
    """The User of a new account (RFC 7643 4.1, 4.3); empty values are left out."""
    user: Document = {"schemas": [CORE], "externalId": wanted.account_id, "active": wanted.active}
    if dialect.attributes.intersection(EXTENDED):
        user["schemas"].append(ENTERPRISE)
    for name, value in wanted.attributes.items():
        if value and name == dialect.user_name:
            user["userName"] = value
        if not value or name not in dialect.attributes:
            continue
        if name in PLAIN:
            _put(user, PLAIN[name], value)
        elif name in EXTENDED:
            user.setdefault(ENTERPRISE, {})[EXTENDED[name]] = value
        elif name in TYPED:
            user.setdefault(TYPED[name][0], []).extend(_items(name, value))
    return user


def operations(changes: Mapping[str, Json], dialect: Dialect) -> list[Document]:
    """The steps of one PATCH (RFC 7644 3.5.2), which the service applies all or none."""
    if dialect.patch_by_value:
        values = dict(_by_value(changes, dialect))
        return [{"op": "replace", "value": values}] if values else []
    steps: list[Document] = []
    for name, value in changes.items():
        if name == dialect.user_name and name not in PLAIN:
            steps.append({"op": "replace", "path": "userName", "value": value})
        if name == "active":
            steps.append({"op": "replace", "path": "active", "value": bool(value)})
        elif name in TYPED:
            listed, kind, _ = TYPED[name]
            steps.append({"op": "remove", "path": f'{listed}[type eq "{kind}"]'})
            steps.extend([{"op": "add", "path": listed, "value": _items(name, value)}] if value else [])
        elif path := PLAIN.get(name) or (f"{ENTERPRISE}:{EXTENDED[name]}" if name in EXTENDED else None):
            steps.append({"op": "replace", "path": path, "value": value} if value else {"op": "remove", "path": path})
    return steps


def _by_value(changes: Mapping[str, Json], dialect: Dialect) -> Iterator[tuple[str, Any]]:
    """Names and values of one step without a path; what becomes empty is an empty text."""
    for name, value in changes.items():
        if name == dialect.user_name and name not in PLAIN:
            yield "userName", value
        if name == "active":
            yield "active", bool(value)
        elif name in TYPED:
            yield TYPED[name][0], _items(name, value) if value else []
        elif name in PLAIN:
            yield PLAIN[name], value or ""


def remote(user: User[EnterpriseUser], dialect: Dialect) -> Remote:
    """A User in our words; `active` left out by the service means active (it is optional in RFC 7643 4.1.1)."""
    told: Document = user.model_dump()
    seen: dict[str, Json] = {name: _get(told, path) for name, path in PLAIN.items()}
    seen |= {name: told.get(ENTERPRISE, {}).get(path) for name, path in EXTENDED.items()}
    for name, (listed, kind, _) in TYPED.items():
        ours = [item["value"] for item in told.get(listed, []) if item.get("type") == kind and item.get("value")]
        seen[name] = ours if name in LISTED else next(iter(ours), None)
    kept = {name: value for name, value in seen.items() if value and name in dialect.attributes}
    return Remote(str(user.id), told.get("active", True), kept, told.get("externalId", ""))


def _items(name: str, value: Json) -> list[Document]:
    kind, primary = TYPED[name][1:]
    given = value if isinstance(value, list | tuple) else [value]
    return [{"value": item, "type": kind, **({"primary": True} if primary else {})} for item in given]


def _put(user: Document, path: str, value: Json) -> None:
    first, _, second = path.partition(".")
    if second:
        user.setdefault(first, {})[second] = value
    else:
        user[first] = value


def _get(user: Document, path: str) -> Json:
    first, _, second = path.partition(".")
    return cast(Json, (user.get(first) or {}).get(second) if second else user.get(first))


def _operation(op: str) -> dict[str, str]:
    return {"X-Request-Id": op}


@contextmanager
def _typed() -> Iterator[None]:
    """What is left for scim2-client to refuse: our document, or an answer that is not SCIM.  HTTP failed in `http.py`."""
    try:
        yield
    except TargetError:
        raise
    except SCIMClientException as error:  # a page of a proxy, a wrong base URL
        raise TargetError(OutcomeKind.PERMANENT, f"not a SCIM answer ({type(error).__name__})") from error
    except (SCIMException, ValueError) as error:
        raise TargetError(OutcomeKind.PERMANENT, f"a value SCIM does not allow ({type(error).__name__})") from error

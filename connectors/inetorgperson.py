"""Any directory of people by LDAP (RFC 2798, inetOrgPerson): AVN, a library, a department's server.

Owns the attributes named in `ATTRIBUTES`, and the one by which an account is closed: by default the lock of slapd's
password policy (draft-behera-ldap-password-policy, pwdAccountLockedTime; the policy needs pwdLockout TRUE), which keeps
people out who sign in by binding.
Passwords are never written.  Active Directory is not spoken: its ids are bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

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
from connectors.ldap import Directory, Entry, rdn
from connectors.people import ID, People

ATTRIBUTES = {
    "login": "uid",
    "email": "mail",
    "given_name": "givenName",
    "family_name": "sn",
    "display_name": "displayName",
    "department": "departmentNumber",
    "department_name": "ou",
    "title": "title",
    "affiliation": "employeeType",
    "phone": "telephoneNumber",
    "mobile_phone": "mobile",
    "language": "preferredLanguage",
}


@dataclass(frozen=True, kw_only=True)
class LdapSettings:
    """A directory, where the people are in it, and how an account is told apart and closed there."""

    url: str
    """ldaps://host or ldap://host (upgraded with StartTLS outside loopback)."""
    bind_dn: str
    """DN of the connector's own account in the directory."""
    password: str = field(repr=False)
    """Its password."""
    base: str
    """DN under which the people are, one level: ou=people,..."""
    account_attribute: str = "employeeNumber"
    """Where the id of our account is kept; nobody else may write it."""
    closed_attribute: str = "pwdAccountLockedTime"
    """What tells that an account is closed."""
    closed_value: str = "000001010000Z"
    """Its value then; of an open account it is absent."""
    timeout: float = 10.0
    """Seconds for one call as a whole."""
    ca_file: str = ""
    """PEM file of the authority that signed the certificate; empty = the system's authorities."""


class Ldap:
    """One directory."""

    kind: ClassVar[str] = "ldap"

    def __init__(self, settings: LdapSettings) -> None:
        self._settings = settings
        self._directory = Directory(
            settings.url, settings.bind_dn, settings.password, settings.timeout, settings.ca_file
        )
        read = (*ATTRIBUTES.values(), settings.account_attribute, settings.closed_attribute)
        self._people = People(self._directory, settings.base, "inetOrgPerson", read)
        self.capabilities = Capabilities(
            frozenset(ATTRIBUTES), delete=True, page_max=200, concurrency=4, timeout=settings.timeout
        )

    def check(self) -> Health:
        """The account can sign in and read where the people are.  Rights to write show at the first task."""
        try:
            self._directory.search(self._settings.base, "(objectClass=*)", ["ou"], scope="base")
        except TargetError as error:
            return Health(False, str(error))
        return Health(True, "the directory answers")

    def find(self, key: Correlation) -> Remote | None:
        found = self._people.entry(ID, key.remote_id) if key.remote_id else None
        found = found or self._people.entry(self._settings.account_attribute, key.account_id)
        return None if found is None else self._remote(found)

    def create(self, wanted: Wanted, op: str) -> Remote:
        """The name of the entry keeps logins unique; that nobody has two accounts is looked at before."""
        given = {ATTRIBUTES[name]: [str(value)] for name, value in wanted.attributes.items()
                 if name in ATTRIBUTES and value}  # fmt: skip
        login = next(iter(given.get("uid", ())), "")
        if not login:
            raise TargetError(OutcomeKind.PERMANENT, "an entry needs a login")
        if self._people.entry(self._settings.account_attribute, wanted.account_id) is not None:
            raise TargetError(OutcomeKind.CONFLICT, "an account with this external id exists")
        given.setdefault("sn", [login])  # obligatory, like cn
        entry = given | {"cn": given.get("displayName", [login]), self._settings.account_attribute: [wanted.account_id]}
        self._directory.add(f"{rdn('uid', login)},{self._settings.base}", ("inetOrgPerson",), entry)
        if not wanted.active:  # an operational attribute can't be given to a new entry
            self.update(self._created(wanted).first(ID), {"active": False}, op)
        return self._remote(self._created(wanted))

    def update(self, remote_id: str, changes: Mapping[str, Json], op: str) -> None:
        seen = self._people.known(remote_id)
        replaced = {ATTRIBUTES[name]: [str(value)] if value else [] for name, value in changes.items()
                    if name in ATTRIBUTES and name != "login"}  # fmt: skip
        if changes.get("display_name"):
            replaced["cn"] = [str(changes["display_name"])]
        if "active" in changes:
            replaced[self._settings.closed_attribute] = [] if changes["active"] else [self._settings.closed_value]
        if replaced:
            self._directory.replace(seen.dn, replaced)
        login = changes.get("login")
        if login and login != seen.first("uid"):
            self._directory.rename(seen.dn, "uid", str(login))

    def scan(self, cursor: str | None, limit: int) -> Page:
        found, following = self._people.page(cursor, min(limit, self.capabilities.page_max))
        return Page([self._remote(entry) for entry in found], following)

    def end_sessions(self, remote_id: str) -> None:
        raise refuse(self.kind, "ending sessions")

    def delete(self, remote_id: str, op: str) -> None:
        self._people.remove(remote_id)

    def _created(self, wanted: Wanted) -> Entry:
        found = self._people.entry(self._settings.account_attribute, wanted.account_id)
        if found is None:
            raise TargetError(OutcomeKind.UNKNOWN, "created, but not seen afterwards")
        return found

    def _remote(self, entry: Entry) -> Remote:
        seen = {name: entry.first(there) for name, there in ATTRIBUTES.items() if entry.first(there)}
        closed = entry.first(self._settings.closed_attribute) == self._settings.closed_value
        return Remote(entry.first(ID), not closed, seen, entry.first(self._settings.account_attribute))

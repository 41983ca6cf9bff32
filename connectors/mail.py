"""A person's mailbox, as the directory entry that Postfix and Dovecot read (contracts/mail).

Owns the entry's `inetOrgPerson` and `kstuMailAccount` attributes named in `ATTRIBUTES` and the two switches; quota,
forwarding, app passwords and further aliases are left as they are.

Two switches (decision 2): closing sets `kstuMailEnabled` FALSE and `kstuMailInbound` accept, so nobody signs in and mail
still arrives.  Rejecting mail later is a matter of retention.  A former address stays an alias: it is never another's.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

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
from connectors.ldap import Directory, Entry, rdn
from connectors.people import ID, People

CLASSES = ("inetOrgPerson", "kstuMailAccount")
ATTRIBUTES = {
    "login": "uid",
    "email": "mail",
    "given_name": "givenName",
    "family_name": "sn",
    "display_name": "displayName",
    "department": "departmentNumber",
    "title": "title",
    "affiliation": "employeeType",
}
ACCOUNT = "kstuAccountId"
READ = (*ATTRIBUTES.values(), ACCOUNT, "kstuMailEnabled", "kstuMailInbound", "mailLocalAddress")
NOBODY = 68  # exit code of `doveadm kick` when the person had no session open


@dataclass(frozen=True, kw_only=True)
class MailSettings:
    """The directory of the mail system, and Dovecot's administration port."""

    url: str
    """ldaps://host or ldap://host (upgraded with StartTLS outside loopback)."""
    bind_dn: str
    """DN of the connector's own account in the directory."""
    password: str = field(repr=False)
    """Its password."""
    base: str
    """DN under which the people are, one level: ou=people,..."""
    doveadm_url: str = ""
    """Dovecot's HTTP administration, https://host:port; empty = open sessions cannot be ended."""
    doveadm_key: str = field(default="", repr=False)
    """Its API key."""
    own_passwords: bool = False
    """Whether people sign in to their mail with passwords of its own: then nobody may choose the same one here (5.1).
    A wrong one counts in the directory's own lockout, if it has one."""
    timeout: float = 10.0
    """Seconds for one call as a whole."""
    ca_file: str = ""
    """PEM file of the authority that signed the certificates; empty = the system's authorities."""


class Mail:
    """One directory of mail accounts."""

    kind: ClassVar[str] = "mail"

    def __init__(self, settings: MailSettings) -> None:
        self._directory = Directory(
            settings.url, settings.bind_dn, settings.password, settings.timeout, settings.ca_file
        )
        self._people = People(self._directory, settings.base, "kstuMailAccount", READ)
        self._settings = settings
        self.capabilities = Capabilities(frozenset(ATTRIBUTES), end_sessions=bool(settings.doveadm_url), delete=True,
                                         verify_password=settings.own_passwords,
                                         page_max=200, concurrency=4, timeout=settings.timeout)  # fmt: skip

    def check(self) -> Health:
        """The account can sign in and read the people; the schema has our class.  Rights to write show at the first task."""
        try:
            self._directory.search(self._settings.base, "(objectClass=*)", ["ou"], scope="base")
            schema = self._directory.search("cn=Subschema", "(objectClass=subschema)", ["objectClasses"], scope="base")
        except TargetError as error:
            return Health(False, str(error))
        known = any(
            "'kstuMailAccount'" in text for entry in schema for text in entry.attributes.get("objectClasses", ())
        )
        return Health(known, "the directory answers" if known else "the schema lacks kstuMailAccount")

    def find(self, key: Correlation) -> Remote | None:
        found = self._people.entry(ID, key.remote_id) if key.remote_id else None
        found = found or self._people.entry(ACCOUNT, key.account_id)
        return None if found is None else remote(found)

    def create(self, wanted: Wanted, op: str) -> Remote:
        """The directory itself keeps login, addresses and account id unique, against races too."""
        entry = new_entry(wanted)
        if not entry.get("uid") or not entry.get("mail"):
            raise TargetError(OutcomeKind.PERMANENT, "a mailbox needs a login and an address")
        self._directory.add(f"{rdn('uid', entry['uid'][0])},{self._settings.base}", CLASSES, entry)
        found = self._people.entry(ACCOUNT, wanted.account_id)
        if found is None:
            raise TargetError(OutcomeKind.UNKNOWN, "created, but not seen afterwards")
        return remote(found)

    def update(self, remote_id: str, changes: Mapping[str, Json], op: str) -> None:
        seen = self._people.known(remote_id)
        if replaced := replacements(changes, seen):
            self._directory.replace(seen.dn, replaced)
        login = changes.get("login")
        if login and login != seen.first("uid"):
            self._directory.rename(seen.dn, "uid", str(login))

    def scan(self, cursor: str | None, limit: int) -> Page:
        found, following = self._people.page(cursor, min(limit, self.capabilities.page_max))
        return Page([remote(entry) for entry in found], following)

    def end_sessions(self, remote_id: str) -> None:
        """A change in the directory does not touch a session that is open; Dovecot has to be told (decision 4)."""
        if not self._settings.doveadm_url:
            raise refuse(self.kind, "ending sessions without doveadm_url")
        address = self._people.known(remote_id).first("mail")
        key = base64.b64encode(self._settings.doveadm_key.encode()).decode()
        with http.client(self._settings.doveadm_url, seconds=self._settings.timeout, ca_file=self._settings.ca_file,
                         headers={"Authorization": f"X-Dovecot-API {key}"}) as dovecot:  # fmt: skip
            answer = dovecot.post("/doveadm/v1", json=[["kick", {"mask": [address]}, "t"]], extensions=http.REPEAT)
        _kicked(answer.text)

    def verify_password(self, login: str, password: str) -> bool:
        """Whether the mailbox of this login opens with this password."""
        if not self._settings.own_passwords:
            raise refuse(self.kind, "verifying passwords")
        found = self._people.entry("uid", login)
        return found is not None and self._directory.accepts(found.dn, password)

    def delete(self, remote_id: str, op: str) -> None:
        self._people.remove(remote_id)


def new_entry(wanted: Wanted) -> dict[str, list[str]]:
    """All attributes of a new account; cn and sn are obligatory in inetOrgPerson, so they fall back to the login."""
    given = {name: str(value) for name, value in wanted.attributes.items() if name in ATTRIBUTES and value}
    entry = {ATTRIBUTES[name]: [value] for name, value in given.items()}
    login = given.get("login", "")
    entry.setdefault("sn", [login])
    entry["cn"] = [given.get("display_name") or login]
    entry[ACCOUNT] = [wanted.account_id]
    entry["mailLocalAddress"] = entry.get("mail", [])  # must hold the primary too: uniqueness is checked here alone
    return {**entry, **switches(wanted.active)}


def replacements(changes: Mapping[str, Json], seen: Entry) -> dict[str, list[str]]:
    """What to set to what; the login is not among it, as it names the entry."""
    entry = {ATTRIBUTES[name]: [str(value)] if value else [] for name, value in changes.items()
             if name in ATTRIBUTES and name != "login"}  # fmt: skip
    if changes.get("display_name"):
        entry["cn"] = [str(changes["display_name"])]
    if changes.get("email"):
        entry["mailLocalAddress"] = _addresses(seen, str(changes["email"]))
    return entry | (switches(bool(changes["active"])) if "active" in changes else {})


def switches(active: bool) -> dict[str, list[str]]:
    """May the person sign in; what happens to arriving mail."""
    return {"kstuMailEnabled": ["TRUE" if active else "FALSE"], "kstuMailInbound": ["accept"]}


def remote(entry: Entry) -> Remote:
    seen = {name: entry.first(there) for name, there in ATTRIBUTES.items() if entry.first(there)}
    return Remote(entry.first(ID), entry.first("kstuMailEnabled") == "TRUE", seen, entry.first(ACCOUNT))


def _addresses(seen: Entry, primary: str) -> list[str]:
    """All addresses so far and the new primary; compared without case, as the directory does."""
    kept = [address for address in seen.attributes.get("mailLocalAddress", ()) if address.lower() != primary.lower()]
    return [primary, *kept]


def _kicked(text: str) -> None:
    """Dovecot answers 200 with [["doveadmResponse"|"error", detail, tag]]."""
    try:
        verdict, detail, _ = json.loads(text)[0]
        code = detail["exitCode"] if verdict == "error" else 0
    except (ValueError, LookupError, TypeError):
        raise TargetError(OutcomeKind.RETRYABLE, "not a doveadm answer") from None
    if code not in (0, NOBODY):
        raise TargetError(OutcomeKind.RETRYABLE, f"doveadm refused to end sessions ({code})")

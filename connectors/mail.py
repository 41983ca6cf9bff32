"""A person's mailbox, as the directory entry that Postfix and Dovecot read (contracts/mail).

Owns the entry's `inetOrgPerson` and `kstuMailAccount` attributes named in `ATTRIBUTES`, the two switches and, where wanted,
the membership in the lists of departments; quota, forwarding, app passwords and further aliases are left as they are.

Two switches (decision 2): closing sets `kstuMailEnabled` FALSE and `kstuMailInbound` accept, so nobody signs in and mail
still arrives, but no more what is sent to the department's list.  Rejecting mail later is a matter of retention.
A former address stays an alias: it is never another's.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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
from connectors.mail_lists import DepartmentLists
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
    lists: str = ""
    """DN under which the lists of departments are, one level: ou=lists,...; empty = no lists."""
    department_list: str = ""
    """Address of a department's list, {department} standing for its code: dept-{department}@example.edu."""
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

    def __post_init__(self) -> None:
        if bool(self.lists) != bool(self.department_list):
            raise ValueError("lists and department_list need each other")
        if self.department_list and self.department_list.count("{department}") != 1:
            raise ValueError("department_list needs {department} once")


class Mail:
    """One directory of mail accounts."""

    kind: ClassVar[str] = "mail"

    def __init__(self, settings: MailSettings) -> None:
        self._directory = Directory(
            settings.url, settings.bind_dn, settings.password, settings.timeout, settings.ca_file
        )
        self._people = People(self._directory, settings.base, "kstuMailAccount", READ)
        self._settings = settings
        self._lists = (
            DepartmentLists(self._directory, settings.lists, settings.department_list) if settings.lists else None
        )
        self.capabilities = Capabilities(frozenset(ATTRIBUTES), end_sessions=bool(settings.doveadm_url), delete=True,
                                         verify_password=settings.own_passwords,
                                         page_max=200, concurrency=4, timeout=settings.timeout)  # fmt: skip

    def check(self) -> Health:
        """The account can sign in and read the people; the schema has our class.  Rights to write show at the first task."""
        try:
            for base in filter(None, (self._settings.base, self._settings.lists)):
                self._directory.search(base, "(objectClass=*)", ["ou"], scope="base")
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
        return None if found is None else self._remote(found)

    def create(self, wanted: Wanted, op: str) -> Remote:
        """The directory itself keeps login, addresses and account id unique, against races too."""
        entry = new_entry(wanted)
        if not entry.get("uid") or not entry.get("mail"):
            raise TargetError(OutcomeKind.PERMANENT, "a mailbox needs a login and an address")
        self._directory.add(f"{rdn('uid', entry['uid'][0])},{self._settings.base}", CLASSES, entry)
        found = self._people.entry(ACCOUNT, wanted.account_id)
        if found is None:
            raise TargetError(OutcomeKind.UNKNOWN, "created, but not seen afterwards")
        if self._lists:
            self._lists.move(found.dn, department_of(found))
        return self._remote(found)

    def update(self, remote_id: str, changes: Mapping[str, Json], op: str) -> None:
        seen = self._people.known(remote_id)
        login = str(changes.get("login") or "")
        renamed = bool(login) and login != seen.first("uid")
        closing = changes.get("active") is False
        try:
            if self._lists and (renamed or closing):  # lists know people by the name of the entry
                self._lists.move(seen.dn, "")
        finally:  # whatever is the matter with lists does not keep an account open
            if replaced := replacements(changes, seen):
                self._directory.replace(seen.dn, replaced)
        if renamed:
            self._directory.rename(seen.dn, "uid", login)
        if self._lists and not closing and (renamed or changes.keys() & {"department", "active"}):
            there = self._people.known(remote_id)
            self._lists.move(there.dn, department_of(there))

    def scan(self, cursor: str | None, limit: int) -> Page:
        """Where departments have lists, those are asked for one person at a time."""
        found, following = self._people.page(cursor, min(limit, self.capabilities.page_max))
        return Page([self._remote(entry) for entry in found], following)

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
        found = self._people.entry(ID, remote_id)
        if found is not None and self._lists:
            self._lists.move(found.dn, "")
        self._people.remove(remote_id)

    def _remote(self, entry: Entry) -> Remote:
        """A list that is not the department's shows as another department, so that it is put right."""
        seen = remote(entry)
        if not self._lists or not seen.active:
            return seen
        number, codes = entry.first("departmentNumber"), self._lists.codes(entry.dn)
        if codes == {number.lower()} - {""}:
            return seen
        shown = f"{number or 'none'} (lists: {', '.join(sorted(codes)) or 'none'})"
        return replace(seen, attributes={**seen.attributes, "department": shown})


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


def department_of(entry: Entry) -> str:
    """Whose list the person is to be in: nobody's while the mailbox is closed."""
    return entry.first("departmentNumber") if entry.first("kstuMailEnabled") == "TRUE" else ""


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

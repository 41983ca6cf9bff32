"""Moodle through its REST web service.

Owns the user record of a person in Moodle and, where wanted, membership in cohorts and roles (`moodle_places.py`);
enrolments are left to Moodle.  Facts: contracts/moodle (numbers in brackets are its recorded answers).  Accounts sign in
through us (`auth=oauth2`), so no password is ever sent, and `createpassword` never: it would lock the person out [043].

Closing is `suspended=1` and nothing more: it ends the person's sessions at once.  It does not stop the *first* sign-in of
an account Moodle never linked to us (2.5); our provider refuses closed accounts before Moodle hears of them, so the
address is not replaced meanwhile - that would lose the value of record and break the link by e-mail on return.  Cohorts
and roles stay as they were, useless to whoever cannot come in: leaving one would end enrolments that hang on it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any, ClassVar

from connectors.base import (
    LISTS,
    Capabilities,
    Correlation,
    Health,
    Json,
    OutcomeKind,
    Page,
    Remote,
    TargetError,
    Wanted,
)
from connectors.moodle_cohorts import FUNCTIONS
from connectors.moodle_places import OWNED, ROLE_FUNCTIONS, Places
from connectors.moodle_rest import Rest

FIELDS = {
    "login": "username",
    "email": "email",
    "given_name": "firstname",
    "family_name": "lastname",
    "department_name": "department",
}
"""Only what Moodle gives back: a phone or patronymic is stored but never returned (1.4), so it could not be verified.
A language that is not installed there fails the whole call [025]; Moodle takes it from the sign-in instead."""

LONGEST = 100  # characters of any of these columns [033, 034]
SLICES = "abcdefghijklmnopqrstuvwxyz0123456789"  # first characters of an address; a scan's cursor is one of them
NEEDED = frozenset({"core_user_create_users", "core_user_update_users", "core_user_get_users",
                    "core_user_get_users_by_field"})  # fmt: skip
DELETED_NAME = re.compile(r"\.\d{9,}$")  # a deleted user keeps the id and is called name@host.<unix time> [326]
DELETED_ADDRESS = re.compile(r"[0-9a-f]{32}")
PREFIX = re.compile(r"[A-Za-z0-9._-]{1,30}")
UNREAD = "cohorts could not be read"


@dataclass(frozen=True, kw_only=True)
class MoodleSettings:
    """Where Moodle is and how to be let in."""

    url: str
    """The site (its `wwwroot`), without a path of ours; https, or http on loopback."""
    token: str = field(repr=False)
    """Web service token of the provisioning account."""
    cohorts: str = ""
    """What the idnumbers of our cohorts begin with, such as achkych: then each department, student group and program has a
    cohort, achkych:department:<code> and so on, which follows who is in it.  Empty = no cohorts."""
    roles: Mapping[str, int] = field(default_factory=dict)
    """Program -> id of the role at system level that whoever has the program is given: { "moodle.teacher" = 2 }."""
    probe_username: str = "admin"
    """Another account that is known to exist: when it is not seen, everybody would look absent and be created twice."""
    timeout: float = 10.0
    """Seconds for one call as a whole."""
    ca_file: str = ""
    """PEM file of the authority that signed the target's certificate; empty = the system's authorities."""

    def __post_init__(self) -> None:
        if self.cohorts and not PREFIX.fullmatch(self.cohorts):
            raise ValueError("cohorts may have up to 30 letters, digits, dots, hyphens and underscores")
        if self.roles and not self.cohorts:
            raise ValueError("roles need cohorts: who was given one is known by its cohort alone")
        if any(role < 1 for role in self.roles.values()):
            raise ValueError("roles are numbers from 1, as Moodle has them")


class Moodle:
    """One site.  Creates go one at a time: Moodle looks, then inserts, and parallel ones double a person [344]."""

    kind: ClassVar[str] = "moodle"

    def __init__(self, settings: MoodleSettings) -> None:
        self._rest = Rest(settings.url, settings.token, settings.timeout, settings.ca_file)
        self._probe = settings.probe_username
        self._creating = Lock()
        self._places = Places(self._rest, settings.cohorts, settings.roles) if settings.cohorts else None
        self._needed = (
            NEEDED | (FUNCTIONS if settings.cohorts else set()) | (ROLE_FUNCTIONS if settings.roles else set())
        )
        owned = FIELDS.keys() | (OWNED.keys() if settings.cohorts else set())
        self.capabilities = Capabilities(frozenset(owned), end_sessions=True, delete=True, page_max=1000,
                                         concurrency=2, timeout=settings.timeout)  # fmt: skip

    def check(self) -> Health:
        """The token's functions, then what it may see (1.3): without `viewalldetails` people look absent [150]."""
        try:
            site = self._rest.read("core_webservice_get_site_info")
            missing = self._needed - {function["name"] for function in site["functions"]}
            if self._places and not missing:
                self._places.check()
            own = self._users("id", str(site["userid"]))
            other = self._users("username", self._probe)
        except TargetError as error:
            return Health(False, str(error))
        if missing:
            return Health(False, f"the service lacks {', '.join(sorted(missing))}")
        if not own or not other or not {"username", "auth"} <= other[0].keys():
            return Health(
                False, "other accounts are not fully visible: moodle/user:viewdetails and viewalldetails needed"
            )
        return Health(True, f"Moodle {site.get('release', 'of an unknown release')}")

    def find(self, key: Correlation) -> Remote | None:
        found = self._by_id(key.remote_id) if key.remote_id else None
        found = found or self._by_external_id(key.account_id)
        return self._placed(found) if found else None

    def create(self, wanted: Wanted, op: str) -> Remote:
        user = {"auth": "oauth2", "idnumber": wanted.account_id, **fields(wanted.attributes)}
        with self._creating:
            self._refuse_doubles(user)
            made = self._rest.create("core_user_create_users", {"users": [user]})
            if len(made) != 1:  # fields over max_input_vars vanish without an error [305]
                raise TargetError(OutcomeKind.UNKNOWN, f"asked for one user, told of {len(made)}")
            if not wanted.active:  # create knows no `suspended` [026]
                self.update(str(made[0]["id"]), {"active": False}, op)
            found = self._by_external_id(wanted.account_id)
        if found is None:
            raise TargetError(OutcomeKind.UNKNOWN, "created, but not seen afterwards")
        if self._places is None:
            return found
        self._places.move(found.id, wanted.attributes, str(wanted.attributes.get("department_name") or ""))
        return self._placed(found)

    def update(self, remote_id: str, changes: Mapping[str, Json], op: str) -> None:
        user: dict[str, Json] = {"id": remote_id, **fields(changes)}
        if "active" in changes:
            user["suspended"] = not changes["active"]
        if len(user) > 1:
            self._rest.change("core_user_update_users", {"users": [user]})
        if self._places and changes.keys() & {*OWNED, "department_name"}:
            seen = self._known(remote_id)
            self._places.move(seen.id, changes, str(seen.attributes.get("department_name", "")))

    def scan(self, cursor: str | None, limit: int) -> Page:
        """One slice of addresses by first character: Moodle has no paging (1.6), so `limit` cannot be kept.

        An address that begins with another character is not seen; ours begin with the login.
        """
        position = SLICES.index(cursor) if cursor else 0
        criteria = [{"key": "email", "value": SLICES[position] + "%"}]
        answer = self._rest.read("core_user_get_users", {"criteria": criteria})
        if answer.get("warnings"):  # a criterion Moodle does not know is dropped and the whole site answered [124]
            raise TargetError(OutcomeKind.PERMANENT, "Moodle did not take the search criterion")
        following = SLICES[position + 1 :][:1] or None
        found = [remote(user) for user in answer["users"]]
        places = self._places.of_everybody() if self._places and found else {}
        return Page([replace(one, attributes={**one.attributes, **places.get(one.id, {})}) for one in found], following)

    def end_sessions(self, remote_id: str) -> None:
        """Suspending ends sessions, also when repeated [053]; there is no other way (1.7)."""
        seen = self._known(remote_id)
        self.update(remote_id, {"active": False}, "end-sessions")
        if seen.active:  # should we die in between, the account's wanted state opens it again
            self.update(remote_id, {"active": True}, "end-sessions")

    def delete(self, remote_id: str, op: str) -> None:
        if self._by_id(remote_id) is not None:  # a second delete is refused as unknown [321]
            self._rest.read("core_user_delete_users", {"userids": [remote_id]})

    def _by_id(self, remote_id: str) -> Remote | None:
        users = [user for user in self._users("id", remote_id) if not is_deleted(user)]
        return remote(users[0]) if users else None

    def _known(self, remote_id: str) -> Remote:
        found = self._by_id(remote_id)
        if found is None:
            raise TargetError(OutcomeKind.NOT_FOUND, "no such user")
        return found

    def _placed(self, found: Remote) -> Remote:
        """With its cohorts.  Whatever is the matter with those keeps no account open: an account to be closed needs them
        not, and of one that stays open they are then a difference, whose repair tells the reason."""
        if self._places is None:
            return found
        try:
            places: Mapping[str, Json] = self._places.of_everybody().get(found.id, {})
        except TargetError:
            places = {name: [UNREAD] if name in LISTS else UNREAD for name in OWNED}
        return replace(found, attributes={**found.attributes, **places})

    def _by_external_id(self, account_id: str) -> Remote | None:
        """`idnumber` is neither unique nor checked [013, 021], and compared without case [115]."""
        users = [user for user in self._users("idnumber", account_id) if user.get("idnumber") == account_id]
        if len(users) > 1:
            raise TargetError(OutcomeKind.CONFLICT, "several users with this external id")
        return remote(users[0]) if users else None

    def _users(self, name: str, value: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._rest.read(
            "core_user_get_users_by_field", {"field": name, "values": [value]}
        )
        return found

    def _refuse_doubles(self, user: Mapping[str, Json]) -> None:
        """Looked up beforehand, as the error of a create does not tell what was taken (1.2)."""
        for name in ("idnumber", "username", "email"):
            if user.get(name) and self._users(name, str(user[name])):
                raise TargetError(OutcomeKind.CONFLICT, f"a user with this {name} exists")


def fields(attributes: Mapping[str, Json]) -> dict[str, Json]:
    """Our attributes as Moodle's fields; what it would answer with a bare "invalid" is refused here by name."""
    found: dict[str, Json] = {FIELDS[name]: value or "" for name, value in attributes.items() if name in FIELDS}
    for name, value in found.items():
        if len(str(value)) > LONGEST:
            raise TargetError(OutcomeKind.PERMANENT, f"{name} is longer than {LONGEST} characters")
        if not value and name != "department":  # an update would take an empty name without a word [064]
            raise TargetError(OutcomeKind.PERMANENT, f"{name} must not be empty")
    if "username" in found:  # capitals are refused, not folded [014]
        found["username"] = str(found["username"]).lower()
    return found


def remote(user: Mapping[str, Any]) -> Remote:
    """A user record in our words; a field left out is empty."""
    seen = {name: user[there] for name, there in FIELDS.items() if user.get(there)}
    return Remote(str(user["id"]), not user.get("suspended", False), seen, user.get("idnumber", ""))


def is_deleted(user: Mapping[str, Any]) -> bool:
    """Look-ups by id still give deleted users, marked only by their mangled name and address [326]."""
    name, address = str(user.get("username", "")), str(user.get("email", ""))
    return bool(DELETED_NAME.search(name)) and bool(DELETED_ADDRESS.fullmatch(address))

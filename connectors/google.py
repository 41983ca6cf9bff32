"""A person's account in Google Workspace, through the Directory API (contracts/mail, section on Google Workspace).

Owns of the user: address, name, title and department in the primary entry of `organizations`, whether it is suspended,
and the membership in the groups of departments.  All else is left to the administrators there; the organizational unit
and a password that nobody knows are given once, when the user is made: people are to sign in through us.

Closing suspends.  Google then refuses arriving mail; whoever wants it kept moves the address before.  A former address
stays an alias by Google's own rule.
"""

import secrets
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
)
from connectors.google_groups import DepartmentGroups
from connectors.google_rest import Document, Rest, place
from connectors.google_token import ServiceAccount, Tokens
from connectors.google_user import WORK, account_of, attributes, fields

SCOPE = "https://www.googleapis.com/auth/admin.directory."
SCOPES = (SCOPE + "user", SCOPE + "user.security")  # the second for signing out, app passwords and third-party tokens
GROUP_SCOPE = SCOPE + "group"
EVERYBODY = "my_customer"  # all domains of the Workspace that the administrator belongs to
OWNED = frozenset({"email", "given_name", "family_name", "title", "department_name"})


@dataclass(frozen=True, kw_only=True)
class GoogleSettings:
    """The Workspace, and the service account that acts in it for an administrator."""

    service_account: str
    """E-mail of the service account (`client_email` of its key file)."""
    key_id: str
    """Id of its key (`private_key_id`)."""
    private_key: str = field(repr=False)
    """Its private key in PEM (`private_key`)."""
    administrator: str
    """Address of the administrator it acts for, whose role allows users and, where wanted, groups."""
    org_unit: str = "/"
    """Organizational unit of new users; later moves are the administrators'."""
    department_group: str = ""
    """Address of a department's group, {department} standing for its code: dept-{department}@example.edu; the groups must
    be there.  Empty = no groups."""
    settle_seconds: float = 5.0
    """How long a change is left alone before it is read back."""
    url: str = "https://admin.googleapis.com"
    """The Directory API."""
    token_url: str = "https://oauth2.googleapis.com/token"  # noqa: S105  # an address
    """Where access tokens come from (`token_uri`)."""
    timeout: float = 10.0
    """Seconds for one call as a whole."""
    ca_file: str = ""
    """PEM file of the authority that signed the certificates; empty = the system's authorities."""

    def __post_init__(self) -> None:
        if self.department_group and self.department_group.count("{department}") != 1:
            raise ValueError("department_group needs {department} once")


class Google:
    """One Workspace."""

    kind: ClassVar[str] = "google"

    def __init__(self, settings: GoogleSettings) -> None:
        account = ServiceAccount(email=settings.service_account, key_id=settings.key_id,
                                 private_key=settings.private_key, administrator=settings.administrator)  # fmt: skip
        scopes = (*SCOPES, GROUP_SCOPE) if settings.department_group else SCOPES
        tokens = Tokens(account, settings.token_url, scopes, settings.timeout, settings.ca_file)
        self._rest = Rest(settings.url, tokens, settings.timeout, settings.ca_file)
        self._groups = DepartmentGroups(self._rest, settings.department_group) if settings.department_group else None
        self._org_unit = settings.org_unit
        owned = OWNED | {"department"} if self._groups else OWNED
        self.capabilities = Capabilities(owned, end_sessions=True, delete=True, page_max=100, concurrency=4,
                                         timeout=settings.timeout, settle_seconds=settings.settle_seconds)  # fmt: skip

    def check(self) -> Health:
        """The token with all its scopes, and reading.  Rights to write show at the first task."""
        try:
            self._rest.read("/users", customer=EVERYBODY, maxResults="1")
            if self._groups:
                self._rest.read("/groups", customer=EVERYBODY, maxResults="1")
        except TargetError as error:
            return Health(False, str(error))
        return Health(True, "Google Workspace answers")

    def find(self, key: Correlation) -> Remote | None:
        """The search lags behind, so last the record at the address is looked at: ours only if it bears our account id."""
        found = self._user(key.remote_id) if key.remote_id else None
        found = found or self._searched(key.account_id)
        if found is None and key.email:
            at_address = self._user(key.email)
            found = at_address if at_address and account_of(at_address) == key.account_id else None
        return None if found is None else self._remote(found)

    def create(self, wanted: Wanted, op: str) -> Remote:
        """Google keeps addresses unique, external ids not; a double that its search does not show yet cannot be seen."""
        user = new_user(wanted, self._org_unit)
        if self._searched(wanted.account_id) is not None:
            raise TargetError(OutcomeKind.CONFLICT, "a user with this external id exists")
        made = self._rest.create("/users", user)
        if self._groups:
            self._groups.move(made, str(wanted.attributes.get("department") or ""))
        return self._remote(made)

    def update(self, remote_id: str, changes: Mapping[str, Json], op: str) -> None:
        regrouped = self._groups is not None and "department" in changes
        user = self._known(remote_id) if regrouped or changes.keys() & WORK.keys() else {}
        patch = fields(changes, user)
        if "active" in changes:
            patch["suspended"] = not changes["active"]
        if patch:
            user = self._patch(remote_id, patch)
        if self._groups and regrouped:
            self._groups.move(user, str(changes["department"] or ""))

    def scan(self, cursor: str | None, limit: int) -> Page:
        """Everybody in the order of addresses; where departments have groups, they are asked for one by one."""
        query = {"customer": EVERYBODY, "orderBy": "email", "maxResults": str(min(limit, self.capabilities.page_max))}
        answer = self._rest.read("/users", **query, **({"pageToken": cursor} if cursor else {}))
        return Page([self._remote(user) for user in answer.get("users", ())], answer.get("nextPageToken"))

    def end_sessions(self, remote_id: str) -> None:
        """Sign out everywhere, and take away what signs in without us: app passwords and tokens of third parties."""
        user = place("users", remote_id)
        self._rest.change("POST", f"{user}/signOut")
        for password in self._rest.read(f"{user}/asps").get("items", ()):
            self._rest.remove(user + place("asps", str(password["codeId"])))
        for token in self._rest.read(f"{user}/tokens").get("items", ()):
            self._rest.remove(user + place("tokens", str(token["clientId"])))

    def delete(self, remote_id: str, op: str) -> None:
        """Google can undo it for about 20 days."""
        self._rest.remove(place("users", remote_id))

    def _user(self, key: str) -> Document | None:
        """By id or by any address, aliases included."""
        try:
            return self._rest.read(place("users", key))
        except TargetError as error:
            if error.kind is OutcomeKind.NOT_FOUND:
                return None
            raise

    def _known(self, remote_id: str) -> Document:
        found = self._user(remote_id)
        if found is None:
            raise TargetError(OutcomeKind.NOT_FOUND, "no such user")
        return found

    def _searched(self, account_id: str) -> Document | None:
        """By external id in all domains.  The search may show what is gone or has changed, so each hit is read itself."""
        quoted = account_id.replace("\\", "\\\\").replace("'", "\\'")
        hits = self._rest.read("/users", customer=EVERYBODY, query=f"externalId='{quoted}'").get("users", ())
        users = [user for hit in hits if (user := self._user(str(hit["id"]))) and account_of(user) == account_id]
        if len(users) > 1:
            raise TargetError(OutcomeKind.CONFLICT, "several users with this external id")
        return users[0] if users else None

    def _patch(self, remote_id: str, patch: Document) -> Document:
        try:
            return self._rest.change("PATCH", place("users", remote_id), patch)
        except TargetError as error:
            if error.kind is OutcomeKind.CONFLICT and "primaryEmail" not in patch:  # no address that could be taken
                raise TargetError(OutcomeKind.RETRYABLE, error.detail) from error
            raise

    def _remote(self, user: Document) -> Remote:
        seen = attributes(user)
        if self._groups and (department := self._groups.department_of(str(user["id"]))):
            seen["department"] = department
        return Remote(str(user["id"]), not user.get("suspended", False), seen, account_of(user))


def new_user(wanted: Wanted, org_unit: str) -> Document:
    """All of a new user.  Google wants a password: a random one that is neither kept nor told to anybody."""
    user = fields(wanted.attributes, {})
    if "primaryEmail" not in user or user.get("name", {}).keys() != {"givenName", "familyName"}:
        raise TargetError(OutcomeKind.PERMANENT, "a user needs an address, a given and a family name")
    return {
        **user,
        "externalIds": [{"type": "organization", "value": wanted.account_id}],
        "orgUnitPath": org_unit,
        "suspended": not wanted.active,
        "password": secrets.token_urlsafe(48),
        "changePasswordAtNextLogin": False,  # nobody could: nobody knows it
    }

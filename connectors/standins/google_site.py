"""What the Google stand-in knows: users and groups of one Workspace, and how the Directory API treats them.

Owns the behaviour behind the API as contracts/mail tells it: external ids are not unique, fields that are read-only are
ignored without a word, a new user refuses changes for a while, the search lags behind.  HTTP is `google.py`'s.
"""

import re
from collections.abc import Callable
from typing import Any

Record = dict[str, Any]

WRITABLE = {
    "primaryEmail", "name", "password", "suspended", "archived", "changePasswordAtNextLogin", "externalIds",
    "organizations", "orgUnitPath", "phones", "addresses", "relations", "recoveryEmail", "recoveryPhone", "languages",
}  # fmt: skip
"""All other fields of a request are ignored."""

ERRORS = {
    "duplicate": (409, "Entity already exists."),
    "notFound": (404, "Resource Not Found"),
    "invalid": (400, "Invalid Input"),
    "authError": (401, "Invalid Credentials"),
    "insufficientPermissions": (403, "Request had insufficient authentication scopes."),
    "forbidden": (403, "Not Authorized to access this resource/api"),
    "userRateLimitExceeded": (403, "User Rate Limit Exceeded."),
    "quotaExceeded": (403, "Quota exceeded."),
    "rateLimitExceeded": (429, "Rate limit exceeded."),
    "conditionNotMet": (412, "User creation is not complete."),
    "staleEtag": (412, "Precondition Failed"),
    "backendError": (503, "Backend Error"),
}
"""Reason -> status and message."""

QUERY = re.compile(r"externalId='((?:[^'\\]|\\.)*)'")
LONGEST_PAGE = 500


class Refused(Exception):
    """A call failed; its argument is the reason, a key of `ERRORS`."""


class Site:
    """One Workspace.  Users by id, groups by address.

    `creation_seconds` is how long a new user refuses changes, `search_seconds` how far the search lags behind.
    """

    def __init__(self, clock: Callable[[], float], creation_seconds: float = 0.0, search_seconds: float = 0.0) -> None:
        self.clock, self.creation_seconds, self.search_seconds = clock, creation_seconds, search_seconds
        self.users: dict[str, Record] = {}
        self.groups: dict[str, set[str]] = {}  # address -> ids of members
        self.passwords: dict[str, str] = {}  # of users, by id; never written down
        self.signed_out: list[str] = []
        self.asps: dict[str, list[Record]] = {}
        self.tokens: dict[str, list[Record]] = {}
        self._made: dict[str, float] = {}
        self._searchable: list[tuple[float, str, set[str]]] = []  # from when, id, external ids

    def restore(self, users: dict[str, Record], groups: dict[str, list[str]]) -> None:
        """Take over what was kept; all of it is complete and known to the search."""
        self.users, self.groups = users, {address: set(members) for address, members in groups.items()}
        for number, user in users.items():
            self._searchable.append((float("-inf"), number, _external_ids(user)))

    # --- users

    def insert(self, body: Record) -> Record:
        name = body.get("name", {})
        if not (body.get("primaryEmail") and name.get("givenName") and name.get("familyName")):
            raise Refused("invalid")
        if not 8 <= len(body.get("password", "")) <= 100 or max(map(len, name.values())) > 60:
            raise Refused("invalid")
        self._free(body["primaryEmail"])
        number = str(max(map(int, {*self.users, *self._made}), default=118_000_000_000_000_000_000) + 1)
        self._made[number] = self.clock()
        self.users[number] = {"kind": "admin#directory#user", "id": number, "isAdmin": False, "suspended": False,
                              "orgUnitPath": "/", "aliases": []}  # fmt: skip
        return self._write(number, body)

    def get(self, key: str) -> Record:
        return _shown(self.users[self._id(key)])

    def patch(self, key: str, body: Record) -> Record:
        number = self._complete(key)
        address = body.get("primaryEmail", "").lower()
        former = self.users[number]["primaryEmail"]
        if address and address != former:
            self._free(address, number)
            kept = [one for one in self.users[number]["aliases"] if one != address]
            self.users[number]["aliases"] = [*kept, former]
        return self._write(number, body)

    def delete(self, key: str) -> None:
        number = self._complete(key)
        del self.users[number]
        for members in self.groups.values():
            members.discard(number)
        self._index(number, set())

    def page(self, query: dict[str, str]) -> Record:
        """By address, or those that the search knows; a page token is the address after which it goes on."""
        if query.get("customer") != "my_customer":
            raise Refused("invalid")
        found = sorted(self.users.values(), key=lambda user: str(user["primaryEmail"]))
        if "query" in query:
            return {"users": [_shown(user) for user in self._search(query["query"])]}
        size, after = min(int(query.get("maxResults", "100")), LONGEST_PAGE), query.get("pageToken", "")
        rest = [user for user in found if user["primaryEmail"] > after]
        page = {"users": [_shown(user) for user in rest[:size]]}
        return page | ({"nextPageToken": rest[size - 1]["primaryEmail"]} if len(rest) > size else {})

    def sign_out(self, key: str) -> None:
        self.signed_out.append(self._complete(key))

    def credentials(self, kind: str, key: str) -> Record:
        """App passwords (`asps`) or `tokens` of third parties."""
        return {"items": getattr(self, kind).get(self._id(key), [])}

    def remove_credential(self, kind: str, key: str, one: str) -> None:
        there = getattr(self, kind).get(self._id(key), [])
        gone = [item for item in there if one in (str(item.get("codeId")), item.get("clientId"))]
        if not gone:
            raise Refused("notFound")
        there.remove(gone[0])

    # --- groups

    def list_groups(self, query: dict[str, str]) -> Record:
        if "userKey" not in query:
            return {"groups": [{"email": address} for address in sorted(self.groups)]}
        number = self._id(query["userKey"])
        return {"groups": [{"email": one} for one, members in sorted(self.groups.items()) if number in members]}

    def get_group(self, key: str) -> Record:
        self._group(key)
        return {"email": key}

    def add_member(self, key: str, body: Record) -> Record:
        members, number = self._group(key), self._complete(body["email"])
        if number in members:
            raise Refused("duplicate")
        members.add(number)
        return {"id": number, "email": body["email"], "role": body.get("role", "MEMBER")}

    def remove_member(self, key: str, member: str) -> None:
        members, number = self._group(key), self._id(member)
        if number not in members:
            raise Refused("notFound")
        members.discard(number)

    # ---

    def _write(self, number: str, body: Record) -> Record:
        """Objects are merged, lists replaced, addresses folded."""
        user = self.users[number]
        given = {name: value for name, value in body.items() if name in WRITABLE}
        self.passwords |= {number: given.pop("password")} if "password" in given else {}
        names = {part: value for part, value in given.pop("name", {}).items() if part in ("givenName", "familyName")}
        user.update(given, name={**user.get("name", {}), **names})
        user["primaryEmail"] = user["primaryEmail"].lower()
        self._index(number, _external_ids(user))
        return _shown(user)

    def _index(self, number: str, external_ids: set[str]) -> None:
        self._searchable.append((self.clock() + self.search_seconds, number, external_ids))

    def _search(self, query: str) -> list[Record]:
        """As the search knew it a while ago; of somebody deleted since then a bare record is left."""
        match = QUERY.fullmatch(query)
        if match is None:
            raise Refused("invalid")
        wanted = re.sub(r"\\(.)", r"\1", match[1])
        known: dict[str, set[str]] = {}
        for since, number, external_ids in self._searchable:
            known |= {number: external_ids} if since <= self.clock() else {}
        return [self.users.get(number, {"id": number}) for number, ids in known.items() if wanted in ids]

    def _id(self, key: str) -> str:
        """By id, address or alias."""
        folded = key.lower()
        for number, user in self.users.items():
            if key == number or folded == user["primaryEmail"] or folded in user["aliases"]:
                return number
        raise Refused("notFound")

    def _complete(self, key: str) -> str:
        number = self._id(key)
        if self.clock() < self._made.get(number, float("-inf")) + self.creation_seconds:
            raise Refused("conditionNotMet")
        return number

    def _group(self, key: str) -> set[str]:
        if key.lower() not in self.groups:
            raise Refused("notFound")
        return self.groups[key.lower()]

    def _free(self, address: str, own: str = "") -> None:
        """Of users, their aliases and groups; one's own alias may become the address again."""
        folded = address.lower()
        taken = folded in self.groups or any(folded in (user["primaryEmail"], *user["aliases"])
                                             for number, user in self.users.items() if number != own)  # fmt: skip
        if taken:
            raise Refused("duplicate")


def _external_ids(user: Record) -> set[str]:
    return {one["value"] for one in user.get("externalIds", ())}


def _shown(user: Record) -> Record:
    """As a look-up shows it; a name in full is made of its parts."""
    name = user.get("name", {})
    full = f"{name.get('givenName', '')} {name.get('familyName', '')}".strip()
    return {**user, "name": {**name, "fullName": full}}

"""A stand-in of Koha's REST API for patrons on loopback, after contracts/others.md and the API's published description.

Unknown and read-only fields are refused; PUT replaces everything but the patron attributes, and fails on them, as Koha's own
source reads; `userid` and `cardnumber` are unique; attributes are told only to who asks for them, and only where they may be
asked for.
"""

import json
import secrets
import ssl
from typing import Any
from urllib.parse import parse_qsl

from connectors.rest import RestSettings
from connectors.standins.loopback import Call, Loopback, Refused, Reply

Patron = dict[str, Any]

REQUIRED = ("surname", "library_id", "category_id")
UNIQUE = ("userid", "cardnumber")
READ_ONLY = ("patron_id", "restricted", "anonymized")
PLAIN = (
    "cardnumber", "userid", "surname", "firstname", "middle_name", "title", "email", "phone", "mobile", "address", "city",
    "library_id", "category_id", "date_of_birth", "expiry_date", "staff_notes", "opac_notes", "statistics_1", "lang",
)  # fmt: skip
KNOWN = {*PLAIN, *READ_ONLY, "extended_attributes", "updated_on", "last_seen"}
PARAMETERS = {"q", "_page", "_per_page", "_order_by"}
LIBRARIES, CATEGORIES, ATTRIBUTE_TYPES = {"MAIN"}, {"READER"}, {"ACHKYCH", "HOBBY"}
ENROLLED_UNTIL = "2091-08-31"  # the category's own end of enrolment
EMBED = "extended_attributes"


class KohaStandin(Loopback):
    """`patrons` may be looked into and changed."""

    base = "/api/v1"

    def __init__(self, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(port, tls)
        self.client_id, self.client_secret = "standin-koha-client", "standin-koha-secret"
        self.tokens: set[str] = set()
        self.patrons: dict[int, Patron] = {}

    @property
    def settings(self) -> RestSettings:
        """How a connector reaches this stand-in."""
        return RestSettings(url=self.url, map="koha", user=self.client_id, secret=self.client_secret)

    def answer(self, call: Call) -> Reply:
        path = call.path.removeprefix(self.base)
        if path == "/oauth/token":
            return self._token(call)
        if call.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            raise Refused(401, "Authentication failure.")
        if path == "/patrons":
            return self._list(call) if call.method == "GET" else self._add(call)
        if not path.startswith("/patrons/") or "/" in path.removeprefix("/patrons/"):
            raise Refused(404, "no such route")
        return self._one(call, path.removeprefix("/patrons/"))

    def _token(self, call: Call) -> Reply:
        form = dict(parse_qsl(call.raw.decode()))
        asked = (form.get("grant_type"), form.get("client_id"), form.get("client_secret"))
        if asked != ("client_credentials", self.client_id, self.client_secret):
            raise Refused(403, "unauthorized_client")
        token = secrets.token_urlsafe(16)
        self.tokens.add(token)
        return Reply(200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600})

    def _list(self, call: Call) -> Reply:
        if unknown := call.query.keys() - PARAMETERS:
            raise Refused(400, f"unknown parameters {sorted(unknown)}")
        wanted = json.loads(call.query.get("q", "{}"))
        found = [one for one in self.patrons.values() if _fits(one, wanted, _embeds(call))]
        size, page = int(call.query.get("_per_page", "20")), int(call.query.get("_page", "1"))
        return Reply(200, [_shown(one, call) for one in sorted(found, key=_id)[(page - 1) * size : page * size]])

    def _add(self, call: Call) -> Reply:
        _no_embedding(call)
        body = self._checked(call.json(), own_id=0)
        number = max(self.patrons, default=0) + 1
        self.patrons[number] = _patron(number, {"expiry_date": ENROLLED_UNTIL, **body}, body.get(EMBED, []))
        return Reply(201, _shown(self.patrons[number], call))

    def _one(self, call: Call, written: str) -> Reply:
        patron = self.patrons.get(int(written)) if written.isascii() and written.isdigit() else None
        if patron is None:
            raise Refused(404, "Patron not found")
        if call.method == "GET":
            return Reply(200, _shown(patron, call))
        if call.method != "PUT":
            raise Refused(405, "no such method")
        _no_embedding(call)
        body = self._checked(call.json(), own_id=_id(patron))
        if EMBED in body:
            raise Refused(500, "Something went wrong, check Koha logs for details.")
        self.patrons[_id(patron)] = _patron(_id(patron), body, patron[EMBED])
        return Reply(200, _shown(self.patrons[_id(patron)], call))

    def _checked(self, body: Any, own_id: int) -> Patron:
        if not isinstance(body, dict) or body.keys() - KNOWN:
            raise Refused(400, "Properties not allowed")
        if body.keys() & set(READ_ONLY):
            raise Refused(400, "Read-only.")
        if missing := [name for name in REQUIRED if not body.get(name)]:
            raise Refused(400, f"Missing property {missing}")
        if body["library_id"] not in LIBRARIES or body["category_id"] not in CATEGORIES:
            raise Refused(400, "Given library_id or category_id does not exist")
        others = [one for one in self.patrons.values() if _id(one) != own_id]
        if any(body.get(name) and one[name] == body[name] for name in UNIQUE for one in others):
            raise Refused(409, "Duplicate ID")
        self._check_attributes(body.get(EMBED, []), others)
        return body

    def _check_attributes(self, given: list[dict[str, Any]], others: list[Patron]) -> None:
        if any(one["type"] not in ATTRIBUTE_TYPES for one in given):
            raise Refused(400, "invalid_attribute_type")
        ours = [one["value"] for one in given if one["type"] == "ACHKYCH"]
        taken = {one["value"] for other in others for one in other[EMBED] if one["type"] == "ACHKYCH"}
        if taken & set(ours):
            raise Refused(400, "attribute_not_unique")


def _id(patron: Patron) -> int:
    return int(patron["patron_id"])


def _patron(number: int, body: Patron, attributes: list[dict[str, Any]]) -> Patron:
    """What is not sent is empty afterwards."""
    kept = [{"type": one["type"], "value": one["value"], "extended_attribute_id": number * 100 + place}
            for place, one in enumerate(attributes)]  # fmt: skip
    return {**dict.fromkeys(PLAIN), **{name: body[name] for name in PLAIN if name in body}, "patron_id": number,
            "restricted": False, "anonymized": False, EMBED: kept}  # fmt: skip


def _embeds(call: Call) -> bool:
    return call.headers.get("x-koha-embed") == EMBED


def _no_embedding(call: Call) -> None:
    if "x-koha-embed" in call.headers:
        raise Refused(400, "Embedding objects is not allowed on this endpoint.")


def _shown(patron: Patron, call: Call) -> Patron:
    return {name: value for name, value in patron.items() if name != EMBED or _embeds(call)}


def _fits(patron: Patron, wanted: Patron, embedded: bool) -> bool:
    related = {name: value for name, value in wanted.items() if name.startswith(f"{EMBED}.")}
    if related and not embedded:
        raise Refused(400, "not embedded")
    code, value = related.get(f"{EMBED}.code"), related.get(f"{EMBED}.value")
    has_it = not related or any(one["type"] == code and str(one["value"]).casefold() == str(value).casefold()
                                for one in patron[EMBED])  # fmt: skip
    return has_it and all(patron[name] == told for name, told in wanted.items() if name not in related)

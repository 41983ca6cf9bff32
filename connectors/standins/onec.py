"""A stand-in of the standard OData interface of 1C:Enterprise (OData v3) on loopback, after contracts/others.md.

One catalogue, `Catalog_Пользователи`: keys are GUIDs, nothing but the key is unique, objects are marked for deletion and
stay.
"""

import base64
import re
import ssl
import uuid
from typing import Any

from connectors.rest import RestSettings
from connectors.standins.loopback import Call, Loopback, Refused, Reply

User = dict[str, Any]

CATALOGUE = "/Catalog_Пользователи"
ONE = re.compile(re.escape(CATALOGUE) + r"\(guid'([0-9a-f-]{36})'\)")
CONDITION = re.compile(r"(\w+) eq '((?:[^']|'')*)'")
TEXTS = ("Description", "Code", "Комментарий", "ИдентификаторУчетнойЗаписи", "Логин", "Почта")
OPTIONS = {"$filter", "$top", "$skip", "$orderby", "$format"}


class OneCStandin(Loopback):
    """`users` may be looked into and changed, by `Ref_Key`."""

    base = "/university/odata/standard.odata"

    def __init__(self, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(port, tls)
        self.user, self.password = "Служба входа", "standin-1c-password"
        self.users: dict[str, User] = {}

    @property
    def settings(self) -> RestSettings:
        """How a connector reaches this stand-in."""
        return RestSettings(url=self.url, map="onec", user=self.user, secret=self.password)

    def answer(self, call: Call) -> Reply:
        wanted = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        if call.headers.get("authorization") != f"Basic {wanted}":
            raise Refused(401, "no such infobase user")
        if call.query.keys() - OPTIONS:
            raise Refused(400, "unknown options")
        path = call.path.removeprefix(self.base)
        if path == CATALOGUE:
            return self._list(call) if call.method == "GET" else self._add(call)
        if (one := ONE.fullmatch(path)) is None:
            raise Refused(400 if path.startswith(CATALOGUE) else 404, "no such entity")
        return self._one(call, one[1])

    def _list(self, call: Call) -> Reply:
        found = [one for one in self.users.values() if _fits(one, call.query.get("$filter", ""))]
        if order := call.query.get("$orderby"):
            found.sort(key=lambda one: str(one[order]))
        skip = int(call.query.get("$skip", "0"))
        top = int(call.query.get("$top", str(len(found))))
        return Reply(
            200, {"odata.metadata": f"{self.url}/$metadata#{CATALOGUE[1:]}", "value": found[skip : skip + top]}
        )

    def _add(self, call: Call) -> Reply:
        key = str(uuid.uuid4())
        empty = {**dict.fromkeys(TEXTS, ""), "Ref_Key": key, "DeletionMark": False, "Predefined": False}
        self.users[key] = {**empty, **_checked(call.json())}
        return Reply(201, self.users[key])

    def _one(self, call: Call, key: str) -> Reply:
        user = self.users.get(key)
        if user is None:
            raise Refused(404, "the object is not found")
        if call.method == "GET":
            return Reply(200, user)
        if call.method != "PATCH":
            raise Refused(405, "no such method")
        user.update(_checked(call.json()))
        return Reply(200, user)


def _checked(body: Any) -> User:
    """Fields the catalogue has, of their types."""
    if not isinstance(body, dict) or body.keys() - {*TEXTS, "DeletionMark"}:
        raise Refused(400, "no such property")
    if any(not isinstance(value, bool if name == "DeletionMark" else str) for name, value in body.items()):
        raise Refused(400, "a value of another type")
    return body


def _fits(user: User, written: str) -> bool:
    """`Field eq 'text'`, and nothing after it; texts are compared without case."""
    if not written:
        return True
    condition = CONDITION.fullmatch(written)
    if condition is None or condition[1] not in user:
        raise Refused(400, "no such filter")
    return str(user[condition[1]]).casefold() == condition[2].replace("''", "'").casefold()

"""Our security server and the member behind it, on loopback: TLS on both sides, and a personnel system of our own.

Checks path and headers as PR-REST 1.0.4 has them and answers errors in its words.  The employees are invented, and so is
their service: e-Kyzmat's owner has published none.
"""

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

from connectors.ekyzmat import FIELDS, EkyzmatSettings
from connectors.standins.loopback import Call, Loopback, Refused, Reply

CLIENT = "central-server/GOV/70000098/idp"
PROVIDER = "central-server/GOV/70000099/ekyzmat-services"
SERVICE = f"{PROVIDER}/hr"


class XRoadStandin(Loopback):
    """Listens from entering to leaving, with the server's side of TLS as given.

    `errors` are codes of X-Road for the next calls, `faults` those of `Loopback`: the provider's own, and what something
    in between answers.  `allowed` are clients that are registered, `opened` services that these may call.
    """

    def __init__(self, tls: ssl.SSLContext, certificate: Path, authority: Path, port: int = 0) -> None:
        """`certificate`: file with certificate and key of the client; `authority`: the server's, to be pinned."""
        super().__init__(port, tls)
        self._certificate, self._authority = str(certificate), str(authority)
        self.errors: list[str] = []
        self.allowed, self.opened = {CLIENT}, {SERVICE}
        self.heard: list[Call] = []
        self.employees: dict[str, dict[str, Any]] = {}
        self.page_max = 100
        self.ignores_paging = False

    @property
    def settings(self) -> EkyzmatSettings:
        """How a connector reaches this stand-in."""
        own = self._certificate
        return EkyzmatSettings(url=self.url, client=CLIENT, service=SERVICE, certificate=own, key=own,
                               ca_file=self._authority, timeout=5.0)  # fmt: skip

    def employ(self, attributes: Mapping[str, Any], state: str = "working") -> str:
        """Enter somebody by hand, as an officer does; the new id."""
        number = str(len(self.employees) + 1)
        told = {there: attributes.get(name) for name, there in FIELDS.items()}
        office = {"id": "7", "nameKy": "Физика", "nameRu": "Физика"}
        self.employees[number] = {"id": number, "pin": "1" + "0" * 13, "state": state, "office": office, **told}
        return number

    def answer(self, call: Call) -> Reply:
        self.heard.append(call)
        headers = {"X-Road-Id": call.headers.get("x-road-id", str(uuid4())), "X-Road-Request-Id": str(uuid4())}
        code = self.errors.pop(0) if self.errors else self._refusal(call)
        if code:
            status = 400 if code.lower().startswith("client.") else 500
            body = {"type": code, "message": "no. 1" + "0" * 13, "detail": str(uuid4())}
            return Reply(status, body, headers | {"X-Road-Error": code})
        try:
            document = self._provided(call)
        except Refused as refused:
            return Reply(refused.status, {"error": refused.why}, headers)
        more = {"X-Road-Client": call.headers["x-road-client"], "X-Road-Request-Hash": "c3R1Yg=="}
        return Reply(200, document, headers | more)

    def _refusal(self, call: Call) -> str | None:
        """X-Road's own no."""
        client = call.headers.get("x-road-client", "")
        parts = call.path.split("/")[1:]
        if parts[0] != "r1" or len(parts) < 6 or len(client.split("/")) not in (3, 4):
            return "Client.BadRequest"
        if client not in self.allowed:
            return "Server.ClientProxy.UnknownMember"
        service = "/".join(map(unquote, parts[1:6]))
        if service not in (SERVICE, f"{PROVIDER}/allowedMethods"):
            return "Server.ServerProxy.UnknownService"
        return None if service in self.opened or parts[5] == "allowedMethods" else "Server.ServerProxy.AccessDenied"

    def _provided(self, call: Call) -> Any:
        """What the provider answers."""
        parts = call.path.split("/")[6:]
        if parts[0] == "allowedMethods":
            return {"service": [{"object_type": "SERVICE", "service_code": one.split("/")[-1]} for one in self.opened]}
        if parts[1:3] != ["v1", "employees"]:
            raise Refused(404, "nothing here")
        if len(parts) == 4:
            if parts[3] not in self.employees:
                raise Refused(404, "no such employee")
            return self.employees[parts[3]]
        start = 0 if self.ignores_paging else int(call.query.get("offset", 0))
        size = min(int(call.query.get("limit", 50)), self.page_max)
        return {"items": list(self.employees.values())[start : start + size]}

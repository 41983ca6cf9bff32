"""A browser without a window: cookies, redirects and the forms of a sign-in, for any provider.

Fetches pages only, no styles or pictures: these are the business of whoever stands in front of a provider.
"""

import html
import re
from urllib.parse import urlencode, urljoin, urlsplit

from tests.bench.load import Answer, Connection, WrongError
from tests.bench.provider import CALLBACK, Someone

STEPS = 15  # pages and redirects of one sign-in, at most
FORM = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.DOTALL | re.IGNORECASE)
INPUT = re.compile(r"<(?:input|button)\b([^>]*)>", re.DOTALL | re.IGNORECASE)
ATTRIBUTE = re.compile(r"""([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")


class Browser:
    """One person's jar of cookies on one provider."""

    def __init__(self) -> None:
        self.cookies: dict[str, str] = {}

    def open(self, connection: Connection, target: str, form: dict[str, str] | None = None) -> Answer:
        """One request with what is in the jar; what the answer brings goes into it."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        method, body = ("GET", None) if form is None else ("POST", urlencode(form))
        answer = connection.exchange(method, target, headers if self.cookies else {}, body)
        for name, value in answer.headers:
            if name == "set-cookie":
                self._keep(value)
        return answer

    def sign_in(self, connection: Connection, target: str, someone: Someone) -> str:
        """From an authorization request through every page to the client: the address the browser is sent to."""
        answer, here = self.open(connection, target), target
        for _ in range(STEPS):
            if answer.status in (302, 303):
                there = urljoin(
                    f"http://{connection.address[0]}:{connection.address[1]}{here}", answer.header("location")
                )
                if there.startswith(CALLBACK):
                    return there
                here = path_of(there)
                answer = self.open(connection, here)
            elif answer.status == 200:
                action, fields = filled(answer.body.decode(), someone)
                here = path_of(urljoin(f"http://nowhere{here}", html.unescape(action)))
                answer = self.open(connection, here, fields)
            else:
                raise WrongError(f"{answer.status} at {here.partition('?')[0]}")
        raise WrongError(f"no end to the pages; the last is {here.partition('?')[0]}")

    def _keep(self, cookie: str) -> None:
        pair, _, attributes = cookie.partition(";")
        name, _, value = pair.partition("=")
        if "1970" in attributes or "max-age=0" in attributes.lower():
            self.cookies.pop(name.strip(), None)
        else:
            self.cookies[name.strip()] = value.strip()


def filled(page: str, someone: Someone) -> tuple[str, dict[str, str]]:
    """The form that asks for a login or a password, filled in: where it goes to and its fields."""
    for attributes, inside in FORM.findall(page):
        fields = dict(_field(raw) for raw in INPUT.findall(inside))
        asked = {"login": someone.login, "password": someone.password}
        if asked.keys() & fields.keys():
            fields |= {name: value for name, value in asked.items() if name in fields}
            fields.pop("", None)
            return _attributes(attributes).get("action", ""), fields
    raise WrongError("a page without a sign-in form")


def path_of(address: str) -> str:
    """Path and query of an address, as a request line carries them."""
    parts = urlsplit(address)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _field(raw: str) -> tuple[str, str]:
    attributes = _attributes(raw)
    if attributes.get("type", "").lower() in ("checkbox", "radio"):
        return "", ""
    return attributes.get("name", ""), html.unescape(attributes.get("value", ""))


def _attributes(raw: str) -> dict[str, str]:
    return {name.lower(): one or other for name, one, other in ATTRIBUTE.findall(raw)}

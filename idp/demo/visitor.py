"""A person at a browser, as far as forms go: follows links and redirects, fills in forms, keeps cookies."""

import re
from html import unescape
from html.parser import HTMLParser

import httpx2
import pyotp

from idp.clock import Clock

SEED = re.compile(r'id="seed">([A-Z2-7 ]+)<')
RECOVERY_CODE = re.compile(r"<li>([0-9A-Z-]{19})</li>")


class Visitor:
    """One browser of one person; `recovery_codes`, by login, are what people keep at home for the next time."""

    def __init__(self, base_url: str, clock: Clock, recovery_codes: dict[str, list[str]]) -> None:
        self.base_url, self.clock, self.recovery_codes = base_url, clock, recovery_codes
        self.http = httpx2.Client(
            base_url=base_url, follow_redirects=True, timeout=30, headers={"Accept-Language": "en"}
        )
        self.page = httpx2.Response(204, request=httpx2.Request("GET", base_url))

    def open(self, url: str) -> httpx2.Response:
        """Look at a page."""
        self.page = self.http.get(url)
        return self.page

    def submit(self, url: str | None = None, **fields: str) -> httpx2.Response:
        """Send the form of the page at hand that leads to `url` (else its only one), with its hidden fields."""
        action, hidden = self._form(url)
        self.page = self.http.post(action, data=hidden | fields)
        return self.page

    def activate(self, link: str, password: str) -> httpx2.Response:
        """Choose the first password behind a one-time link."""
        self.open(link)
        return self.submit(password=password, again=password)

    def sign_in(self, login: str, password: str) -> httpx2.Response:
        """Fill in the sign-in page at hand (or open it), and do what is asked after it: second factor, agreements."""
        if "/sign-in" not in str(self.page.url):
            self.open("/sign-in")
        answer = self.submit("/sign-in", login=login, password=password)
        if "/second-factor" in str(answer.url):
            answer = self.submit("/second-factor", code=self.recovery_codes[login].pop())
        while "/agreement" in str(answer.url):
            answer = self.submit(accept="yes")
        return self._enrol(login) if "/account/factors" in str(answer.url) else answer

    def _enrol(self, login: str) -> httpx2.Response:
        """Add an authenticator, and keep the recovery codes."""
        self.submit("/account/factors", name="Phone")
        seed = SEED.findall(self.page.text)[0].replace(" ", "")
        self.submit(code=pyotp.TOTP(seed).at(self.clock.now()))
        self.recovery_codes[login] = RECOVERY_CODE.findall(self.page.text)
        return self.open("/continue")

    def sees(self, text: str) -> bool:
        """Whether the page at hand shows `text`."""
        return text in unescape(self.page.text)

    def forms(self, pattern: str) -> list[str]:
        """Where the forms of the page at hand lead to, of those that match `pattern`."""
        return [form.action for form in self._forms() if re.search(pattern, form.action)]

    def hidden(self, url: str) -> dict[str, str]:
        """The hidden fields of the form that leads to `url`."""
        return self._form(url)[1]

    def _form(self, url: str | None) -> tuple[str, dict[str, str]]:
        found = [form for form in self._forms() if url is None or form.action == url]
        form = next(one for one in found if url is not None or one.action != "/sign-out")
        return form.action or str(self.page.url), form.hidden

    def _forms(self) -> list["Form"]:
        reader = _Reader()
        reader.feed(self.page.text)
        return reader.forms


class Form:
    """A form of a page: where it leads, and its hidden fields."""

    def __init__(self, action: str) -> None:
        self.action = action
        self.hidden: dict[str, str] = {}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag == "form":
            self.forms.append(Form(told.get("action") or ""))
        if tag == "input" and told.get("type") == "hidden" and self.forms and told.get("name"):
            self.forms[-1].hidden[str(told["name"])] = told.get("value") or ""

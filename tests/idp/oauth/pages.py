"""A browser that goes from page to page of a sign-in, as a person does, until it is sent to the client."""

import re
from typing import Any
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.builders import Someone
from tests.idp.oauth.driver import Party, Registered

FIELD = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')


class Visit:
    """One authorization request and the pages it leads to; in English.

    `at` is the path of the page the browser shows, or the client's address once it has been sent there.
    """

    def __init__(self, party: Party, browser: FlaskClient, client: Registered, **changes: Any) -> None:
        self._party, self._browser = party, browser
        self.answer = self._follow(party.authorize(browser, client, **changes))

    @property
    def text(self) -> str:
        """What the page says."""
        return self.answer.text

    @property
    def main(self) -> str:
        """The page without its frame."""
        return self.text.partition("<main")[2]

    def press(self, form: str, **fields: str) -> None:
        """Send the form that posts to the path `form`, with its hidden fields and these."""
        _, action, rest = self.main.partition(f'action="{form}"')
        assert action, f"no form to {form} on {self.at}"
        sent = dict(FIELD.findall(rest.partition("</form>")[0])) | fields
        self.answer = self._follow(self._browser.post(form, base_url=self._party.base, data=sent))

    def open(self, path: str) -> None:
        """Go to an address of the provider."""
        self.answer = self._follow(self._browser.get(path, base_url=self._party.base))

    def sign_in(self, someone: Someone) -> None:
        """Fill in the sign-in page."""
        self.press("/sign-in", login=someone.login, password=someone.password)

    def _follow(self, answer: TestResponse) -> TestResponse:
        self.at = answer.request.path
        while answer.status_code == 303:
            there = urlsplit(answer.headers["Location"])
            self.at = there.path if not there.netloc else f"{there.scheme}://{there.netloc}{there.path}"
            if there.netloc:
                return answer
            english = f"{there.path}?{there.query}&lang=en" if there.query else f"{there.path}?lang=en"
            answer = self._browser.get(english, base_url=self._party.base)
        return answer

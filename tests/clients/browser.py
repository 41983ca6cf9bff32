"""A browser without scripts: it follows redirects, keeps cookies, and a person fills in its forms."""

import re
from html import unescape
from typing import Self

import httpx2

from tests.builders import Someone

FIELD = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')
HOPS = 20


class Browser:
    """One person's browser; `issuer` is the address of the service."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.visited: list[str] = []  # addresses without their queries
        self.http = httpx2.Client(timeout=20, headers={"Accept-Language": "en"}, event_hooks={"request": [self._note]})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def open(self, url: str) -> httpx2.Response:
        """The page that an address leads to."""
        return self._follow(self.http.get(url))

    def sign_in(self, page: httpx2.Response, someone: Someone) -> httpx2.Response:
        """Fill in the form of the sign-in page; the page it leads to."""
        return self._follow(self._present(page, someone))

    def sign_out(self) -> None:
        """By the service's own page, not by a client's."""
        self._follow(self._submit(self.open(f"{self.issuer}/sign-out"), "/sign-out"))

    def is_signed_in(self) -> bool:
        """Whether the service still knows this browser."""
        return self.open(f"{self.issuer}/account").url.path == "/account"

    def travel(self, url: str, to: str, someone: Someone | None = None) -> str:
        """From a client's link back to the client, by way of the sign-in page if it is shown: the address that begins
        with `to`, which is not opened, since the client of the test has no server there."""
        page = self.http.get(url)
        for _ in range(HOPS):
            target = str(page.url.join(page.headers["Location"])) if page.is_redirect else ""
            if target.startswith(to):
                return target
            if target:
                page = self.http.get(target)
            else:
                assert someone is not None, f"the person is asked for something: {page.url}"
                page, someone = self._present(page, someone), None
        raise AssertionError(f"{url} leads round and round")

    def _present(self, page: httpx2.Response, someone: Someone) -> httpx2.Response:
        return self._submit(page, "/sign-in", login=someone.login, password=someone.password)

    def _submit(self, page: httpx2.Response, path: str, **typed: str) -> httpx2.Response:
        assert page.url.path == path, page.text
        hidden = {name: unescape(value) for name, value in FIELD.findall(page.text)}
        return self.http.post(page.url.join(path), data=hidden | typed)

    def _follow(self, page: httpx2.Response) -> httpx2.Response:
        for _ in range(HOPS):
            if not page.is_redirect:
                return page
            page = self.http.get(page.url.join(page.headers["Location"]))
        raise AssertionError(f"{page.url} leads round and round")

    def _note(self, request: httpx2.Request) -> None:
        self.visited.append(str(request.url.copy_with(query=None)))

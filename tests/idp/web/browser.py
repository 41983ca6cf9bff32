"""A browser over WSGI that fills in forms: it takes the form token from the page it looks at."""

import re
from typing import Any

from werkzeug.test import TestResponse

from tests.builders import Make, Someone

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Browser:
    """One jar of cookies; answers in English."""

    def __init__(self, make: Make, language: str = "en") -> None:
        self._client = make.browser()
        self._language = language
        self._headers = {"Accept-Language": language}

    def get(self, path: str, **options: Any) -> TestResponse:
        return self._client.get(path, headers=self._headers, **options)

    def submit(
        self, path: str, fields: dict[str, Any], page: str = "", headers: dict[str, str] | None = None
    ) -> TestResponse:
        """Post a form that stands on `page`; by default on the page at the same path."""
        data = fields | self.form(page or path)
        return self._client.post(path, data=data, headers=self._headers | (headers or {}))

    def form(self, page: str) -> dict[str, str]:
        """The form token that stands on `page`."""
        found = TOKEN.search(self.get(page, follow_redirects=True).text)
        assert found is not None, f"no form on {page}"
        return {"csrf_token": found.group(1)}

    def sign_in(self, someone: Someone) -> TestResponse:
        """In the browser's language, whatever the account's is."""
        fields = {"login": someone.login, "password": someone.password}
        answer = self.submit("/sign-in", fields, page=f"/sign-in?lang={self._language}")
        if answer.status_code == 303 and someone.recovery_codes:
            return self.submit("/second-factor", {"code": someone.recovery_codes.pop()})
        return answer

    def post(self, path: str, **options: Any) -> TestResponse:
        """Without a form token."""
        return self._client.post(path, headers=self._headers, **options)

    def session_cookie(self) -> str:
        """The value of the session's cookie."""
        cookie = self._client.get_cookie("achkych-session")
        assert cookie is not None
        return cookie.value

    def state_cookie(self) -> str | None:
        """The value of the cookie that scripts may read."""
        cookie = self._client.get_cookie("achkych-state")
        return cookie.value if cookie else None

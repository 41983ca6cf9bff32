"""Flask's signed cookie: what a browser carries between pages before and beside a sign-in (form tokens, language).

The sign-in session is another thing: it lives in the database (`idp/flows/sessions.py`).
"""

from functools import cache

from flask import Flask, Request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer

from idp.web.audience import for_programs


class FormSession(SecureCookieSessionInterface):
    """The cookie, for people's pages only: a program has none, and writing to it fails."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """What the browser brought; None for a program."""
        return None if for_programs(request.path) else super().open_session(app, request)

    @cache  # noqa: B019  # one interface lives as long as its application; Flask would build the signer twice a page
    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """What signs the cookie."""
        return super().get_signing_serializer(app)

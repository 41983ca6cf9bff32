"""The errors of the provider: what goes to a client (a code and a description) and what may only be shown.

Descriptions are ours from end to end: they never repeat what came in (RFC 6749, 4.1.2.1 and 5.2 allow few
characters).
"""

from dataclasses import dataclass
from http import HTTPStatus

from flask import Response, jsonify

from idp.errors import AchkychError


@dataclass(frozen=True, slots=True)
class OAuthError:
    """A refusal in the words of the standards; `error` is a registered code (RFC 6749, 4.1.2.1; OIDC Core, 3.1.2.6)."""

    error: str
    description: str


@dataclass
class UnsafeRequest(AchkychError):
    """Doubt about the client or its redirect URI: shown as a page, never sent anywhere (RFC 9700, 4.11)."""

    reason: str
    client_id: str | None = None


def tell(status: int) -> Response:
    """What a program is told of a request that no endpoint took, or that failed inside one (RFC 6749, 5.2)."""
    later = status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
    code = "temporarily_unavailable" if later else "server_error" if status >= 500 else "invalid_request"
    response = jsonify(error=code, error_description=HTTPStatus(status).phrase.lower())
    response.status_code = status
    return response

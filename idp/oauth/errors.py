"""The errors of the provider: what goes to a client (a code and a description) and what may only be shown.

Descriptions are ours from end to end: they never repeat what came in (RFC 6749, 4.1.2.1 and 5.2 allow few
characters).
"""

from dataclasses import dataclass

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

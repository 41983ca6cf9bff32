"""Answers to the client by way of the browser (RFC 6749, 4.1.2; RFC 9207): the only place that writes such a redirect.

The target has been found among the client's registered redirect URIs before it comes here.
"""

from urllib.parse import urlencode

from flask import Response

from idp.oauth.errors import OAuthError
from idp.service import Service


def code_url(service: Service, redirect_uri: str, state: str | None, code: str) -> str:
    """Where the browser takes a code."""
    return with_parameters(redirect_uri, code=code, state=state, iss=service.settings.base_url)


def error_url(service: Service, redirect_uri: str, state: str | None, refusal: OAuthError) -> str:
    """Where the browser takes a refusal."""
    return with_parameters(
        redirect_uri,
        error=refusal.error,
        error_description=refusal.description,
        state=state,
        iss=service.settings.base_url,
    )


def with_parameters(uri: str, **parameters: str | None) -> str:
    """`uri` with these added to its query, which is kept as it is (RFC 6749, 3.1.2)."""
    added = urlencode({name: value for name, value in parameters.items() if value is not None})
    if not added:
        return uri
    return f"{uri}{'&' if '?' in uri else '?'}{added}"


def see_other(url: str) -> Response:
    """Send the browser on; 303, so that what was posted here is posted nowhere else (RFC 9700, 4.12)."""
    return Response(status=303, headers={"Location": url, "Cache-Control": "no-store"})

"""Answers to the client by way of the browser (RFC 6749, 4.1.2; RFC 9207; Form Post Response Mode; JARM): the only
place that writes them.

The target has been found among the client's registered redirect URIs before it comes here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Response, g, render_template

from idp.flows.here import Here
from idp.flows.signing_keys import sign
from idp.oauth.clients import RegisteredClient
from idp.oauth.errors import OAuthError

SIGNED_FOR = timedelta(minutes=10)  # JARM, 2.1: a maximum


@dataclass(frozen=True, slots=True)
class Answer:
    """What the client gets, where and how (`response_mode.py`)."""

    client: RegisteredClient
    redirect_uri: str
    response_mode: str
    values: Mapping[str, str]


def refusal(
    client: RegisteredClient, redirect_uri: str, response_mode: str, state: str | None, error: OAuthError
) -> Answer:
    """A refusal in the words of the standards."""
    said = {"error": error.error, "error_description": error.description, "state": state}
    values = {name: value for name, value in said.items() if value is not None}
    return Answer(client, redirect_uri, response_mode, values)


def send(here: Here, answer: Answer) -> Response:
    """Have the browser take the answer to the client."""
    mode, _, signed = answer.response_mode.partition(".")
    values = _signed(here, answer) if signed else {**answer.values, "iss": here.service.settings.base_url}
    if mode == "form_post":
        return _posting(answer.redirect_uri, values)
    return see_other(with_parameters(answer.redirect_uri, "#" if mode == "fragment" else "?", **values))


def with_parameters(uri: str, mark: str = "?", **parameters: str | None) -> str:
    """`uri` with these added to its query, which is kept as it is (RFC 6749, 3.1.2), or as its fragment."""
    added = urlencode({name: value for name, value in parameters.items() if value is not None})
    if not added:
        return uri
    return f"{uri}{'&' if mark == '?' and '?' in uri else mark}{added}"


def origin_of(uri: str) -> str:
    """Scheme and host, or a private-use scheme alone, as a Content-Security-Policy names them."""
    address = urlsplit(uri)
    return f"{address.scheme}://{address.netloc}" if address.netloc else f"{address.scheme}:"


def see_other(url: str) -> Response:
    """Send the browser on; 303, so that what was posted here is posted nowhere else (RFC 9700, 4.12)."""
    return Response(status=303, headers={"Location": url, "Cache-Control": "no-store"})


def _signed(here: Here, answer: Answer) -> dict[str, str]:
    """All of it as one signed JWT (JARM, 2.1)."""
    claims: dict[str, Any] = {
        **answer.values,
        "iss": here.service.settings.base_url,
        "aud": answer.client.client_id,
        "exp": int((here.now + SIGNED_FOR).timestamp()),
        "iat": int(here.now.timestamp()),
    }
    return {"response": sign(here.service, "JWT", claims, answer.client.metadata.authorization_signed_response_alg)}


def _posting(redirect_uri: str, values: Mapping[str, str]) -> Response:
    """A page whose form the browser posts by itself, or at the press of a button (Form Post Response Mode, 2)."""
    g.form_target = origin_of(redirect_uri)
    return Response(render_template("form_post.html", target=redirect_uri, values=values), mimetype="text/html")

"""Authlib's authorization server with what it leaves to us: the request, the client, the answer.

Serves the token and revocation endpoints.  The authorization endpoint is ours (`authorize.py`).
"""

import json
from collections.abc import Collection, Mapping
from typing import Any

from authlib.oauth2.rfc6749 import (
    AuthorizationServer,
    InvalidRequestError,
    OAuth2Error,
    OAuth2Payload,
    OAuth2Request,
)
from authlib.oauth2.rfc7636 import CodeChallenge
from flask import Response, g, request

from idp.flows.here import Here
from idp.oauth.authorization_code import AuthorizationCodeGrant
from idp.oauth.client_authentication import authenticate
from idp.oauth.client_certificate import Headers
from idp.oauth.client_credentials import ClientCredentialsGrant
from idp.oauth.clients import RegisteredClient
from idp.oauth.confirmation import ask_for_nonce, confirmation_of
from idp.oauth.device_code import DeviceCodeGrant
from idp.oauth.dpop import HEADER, NONCE_HEADER, current_nonce
from idp.oauth.parameters import read_parameters
from idp.oauth.refresh_token import RefreshTokenGrant
from idp.oauth.revocation_endpoint import RevocationEndpoint
from idp.oauth.token_exchange import TokenExchangeGrant

_as_json = json.JSONEncoder(separators=(",", ":")).encode
BINDING = ("token", "par")  # RFC 9449, 5 and 10.1


class Form(OAuth2Payload):  # type: ignore[misc]  # Authlib has no types
    """Parameters from the body, and from nowhere else (RFC 6749, 3.2; query strings end up in logs)."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    @property
    def data(self) -> Mapping[str, str]:
        return self._values

    @property
    def datalist(self) -> dict[str, list[str]]:
        return {name: [value] for name, value in self._values.items()}


class FormRequest(OAuth2Request):  # type: ignore[misc]  # Authlib has no types
    """A request as Authlib reads it, with the circumstances our grants act in."""

    def __init__(self, here: Here, headers: Headers, form: Mapping[str, str], path: str = "/oauth/token") -> None:
        # Authlib wants https here; whether http is allowed is for the settings to say, and they refuse it in production
        super().__init__("POST", here.service.settings.base_url.replace("http:", "https:", 1))
        self.headers = headers
        self.url = here.service.settings.base_url + path  # as clients know it, whatever the proxy made of it
        self.here = here
        self.payload = Form(form)
        self.resources: tuple[str, ...] = ()  # RFC 8707, 2: may come several times
        self.audiences: tuple[str, ...] = ()  # RFC 8693, 2.1: likewise
        self.confirmation: Mapping[str, str] | None = None  # RFC 7800: whose key or certificate the tokens are bound to

    @property
    def form(self) -> Mapping[str, str]:
        return self.payload.data


class Provider(AuthorizationServer):  # type: ignore[misc]  # Authlib has no types
    """The server of one process; it holds nothing of any request."""

    @property
    def grants(self) -> list[tuple[Any, Any]]:
        """The grants of the token endpoint, with their extensions."""
        return list(self._token_grants)

    def authenticate_client(
        self, request: FormRequest, methods: Collection[str], endpoint: str = "token"
    ) -> RegisteredClient:
        """The client, proven by one method; it is the one who acts from here on.

        Where tokens come of the request, now or later, `request.confirmation` tells what they will be bound to.
        """

        def before(client: RegisteredClient) -> None:
            if endpoint in BINDING:
                ask_for_nonce(request.here, request.headers, client)

        client = authenticate(request.here, request.headers, request.form, request.url, methods, before)
        if endpoint in BINDING:
            needed = endpoint == "token"
            request.confirmation = confirmation_of(request.here, request.headers, request.url, client, needed)
        request.here = request.here.acting_as(f"client/{client.client_id}")
        return client

    def create_oauth2_request(self, request: FormRequest) -> FormRequest:
        return request

    def save_token(self, token: dict[str, Any], request: FormRequest) -> None:
        """Nothing: access tokens carry their own proof, refresh tokens were stored as they were made."""

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens; what matters is recorded by the flow that does it."""

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> Response:
        told = [header for header in headers if header[0] != "Content-Type"]
        response = Response(_as_json(body), status, told, content_type="application/json")
        if HEADER in request.headers:
            response.headers[NONCE_HEADER] = current_nonce(g.here.service, g.here.now)  # RFC 9449, 8.2
        return response


def posted() -> FormRequest:
    """The request that was posted.  Raises `InvalidRequestError` when a parameter is repeated or unreadable."""
    parameters = read_parameters(request.form.items(multi=True))
    if parameters.faulty:
        raise InvalidRequestError("a parameter is repeated or unreadable")
    posted = FormRequest(g.here, request.headers, parameters.values, request.path)
    posted.resources = parameters.all("resource")
    posted.audiences = parameters.all("audience")
    return posted


def refused(error: OAuth2Error) -> Response:
    """An error as JSON (RFC 6749, 5.2)."""
    response: Response = provider.handle_error_response(None, error)
    return response


def _provider() -> Provider:
    server = Provider()
    server.register_grant(AuthorizationCodeGrant, [CodeChallenge(required=True)])
    server.register_grant(RefreshTokenGrant)
    server.register_grant(ClientCredentialsGrant)
    server.register_grant(DeviceCodeGrant)
    server.register_grant(TokenExchangeGrant)
    server.register_endpoint(RevocationEndpoint)
    return server


provider = _provider()

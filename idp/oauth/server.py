"""Authlib's authorization server with what it leaves to us: the request, the client, the answer.

Serves the token and revocation endpoints.  The authorization endpoint is ours (`authorize.py`).
"""

from collections.abc import Mapping
from typing import Any

from authlib.oauth2.rfc6749 import (
    AuthorizationServer,
    InvalidClientError,
    InvalidRequestError,
    OAuth2Error,
    OAuth2Payload,
    OAuth2Request,
)
from authlib.oauth2.rfc7636 import CodeChallenge
from flask import Response, g, jsonify, request

from idp.flows.here import Here
from idp.oauth.authorization_code import AuthorizationCodeGrant
from idp.oauth.client_authentication import failed, presented_method
from idp.oauth.client_credentials import ClientCredentialsGrant
from idp.oauth.clients import RegisteredClient, find_client
from idp.oauth.parameters import read_parameters
from idp.oauth.refresh_token import RefreshTokenGrant
from idp.oauth.revocation_endpoint import RevocationEndpoint


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

    def __init__(self, here: Here, headers: Mapping[str, str], form: Mapping[str, str]) -> None:
        # Authlib wants https here; whether http is allowed is for the settings to say, and they refuse it in production
        super().__init__("POST", here.service.settings.base_url.replace("http:", "https:", 1), headers=headers)
        self.here = here
        self.payload = Form(form)

    @property
    def form(self) -> Mapping[str, str]:
        return self.payload.data


class Provider(AuthorizationServer):  # type: ignore[misc]  # Authlib has no types
    """The server of one process; it holds nothing of any request."""

    def query_client(self, client_id: str) -> RegisteredClient | None:
        return find_client(client_id)

    def authenticate_client(
        self, request: FormRequest, methods: list[str], endpoint: str = "token"
    ) -> RegisteredClient:
        """The client, proven by one method; it is the one who acts from here on."""
        method = presented_method(request.headers.get("Authorization"), request.form)
        client = self._proven(request, method, endpoint) if method in methods else None
        if client is None:
            raise failed()
        request.here = request.here.acting_as(f"client/{client.client_id}")
        return client

    def _proven(self, request: FormRequest, method: str, endpoint: str) -> RegisteredClient | None:
        try:
            client: RegisteredClient = super().authenticate_client(request, [method], endpoint)
        except InvalidClientError:
            return None
        return client

    def create_oauth2_request(self, request: FormRequest) -> FormRequest:
        return request

    def save_token(self, token: dict[str, Any], request: FormRequest) -> None:
        """Nothing: access tokens carry their own proof, refresh tokens were stored as they were made."""

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens; what matters is recorded by the flow that does it."""

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> Response:
        response: Response = jsonify(body)
        response.status_code = status
        response.headers.extend(headers)
        response.headers["Content-Type"] = "application/json"
        return response


def posted() -> FormRequest:
    """The request that was posted.  Raises `InvalidRequestError` when a parameter is repeated or unreadable."""
    parameters = read_parameters(request.form.items(multi=True))
    if parameters.faulty:
        raise InvalidRequestError("a parameter is repeated or unreadable")
    return FormRequest(g.here, dict(request.headers), parameters.values)


def refused(error: OAuth2Error) -> Response:
    """An error as JSON (RFC 6749, 5.2)."""
    response: Response = provider.handle_error_response(None, error)
    return response


def _provider() -> Provider:
    server = Provider()
    server.register_grant(AuthorizationCodeGrant, [CodeChallenge(required=True)])
    server.register_grant(RefreshTokenGrant)
    server.register_grant(ClientCredentialsGrant)
    server.register_endpoint(RevocationEndpoint)
    return server


provider = _provider()

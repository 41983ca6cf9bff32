"""Clients that register themselves (RFC 7591; OIDC Registration 1.0) and look after what is registered (RFC 7592).

Nobody registers without an initial access token, which an administrator gives out.  What a client may then say of
itself is for `policies/self_registration.py` to decide; a refused registration costs none of the token's uses.
"""

from collections.abc import Mapping
from typing import Any

from flask import Response, g, jsonify, request

from idp.flows.initial_access_tokens import find_right
from idp.flows.refusal import Refusal
from idp.flows.register_client import BadClient
from idp.flows.register_itself import (
    OwnRegistration,
    change_itself,
    changed_registration,
    new_registration,
    own_registration,
    register_itself,
    secret_is,
)
from idp.flows.remove_client import remove_client
from idp.json_body import NotJson, read_object
from idp.oauth.blueprint import blueprint
from idp.oauth.clients import CLIENT_ID
from idp.oauth.errors import OAuthError
from idp.oauth.sector import check_sector
from policies.registration import HOUSE_FIELDS, Mistake, plain_metadata

LONGEST_BODY = 64 * 1024
LONGEST_DESCRIPTION = 1_000  # characters
ADDRESSES = {"redirect_uris"}
NOT_TOLD = frozenset(HOUSE_FIELDS) - {
    "require_pkce"
}  # what the house decides about a client is not the client's matter
STATUS = {"invalid_token": 401, "invalid_request": 400, "invalid_client_metadata": 400, "invalid_redirect_uri": 400}
STALE = OAuthError("invalid_token", "the token does not hold, or not for this")


@blueprint.post("/oauth/register")
def register() -> Response:
    """201 and the client as registered, with its secret, which is told this once (RFC 7591, 3.2.1)."""
    right = find_right(_token(), g.here.now)
    if right is None:
        return refused(STALE)
    said = _said()
    if isinstance(said, OAuthError):
        return refused(said)
    try:
        metadata = new_registration(said, right)
        check_sector(g.here.service, metadata)
    except BadClient as error:
        return refused(told(error.mistakes))
    return _answer(register_itself(g.here, metadata, right), 201)


@blueprint.get("/oauth/register/<client_id>")
def show_registration(client_id: str) -> Response:
    """What is registered now, except the secret (RFC 7592, 2.1)."""
    return _answer(_own(client_id))


@blueprint.put("/oauth/register/<client_id>")
def change_registration(client_id: str) -> Response:
    """Replace it as a whole: what is left out is deleted (RFC 7592, 2.2)."""
    own = _own(client_id)
    if isinstance(own, Refusal):
        return refused(STALE)
    said = _said(own)
    if isinstance(said, OAuthError):
        return refused(said)
    try:
        check_sector(g.here.service, changed_registration(own, said))
        return _answer(change_itself(g.here, own, said))
    except BadClient as error:
        return refused(told(error.mistakes))


@blueprint.delete("/oauth/register/<client_id>")
def remove_registration(client_id: str) -> Response:
    """204; what was granted to the client ends with it (RFC 7592, 2.3)."""
    if isinstance(_own(client_id), Refusal):
        return refused(STALE)
    remove_client(g.here.acting_as(f"client/{client_id}"), client_id)
    return Response(status=204)


def _own(client_id: str) -> OwnRegistration | Refusal:
    return own_registration(client_id, _token()) if CLIENT_ID.fullmatch(client_id) else Refusal("no-such-client")


def told(mistakes: tuple[Mistake, ...]) -> OAuthError:
    """All mistakes, field by field; texts of errors are ASCII (RFC 7591, 3.2.2)."""
    error = "invalid_redirect_uri" if ADDRESSES & {mistake.field for mistake in mistakes} else "invalid_client_metadata"
    text = "; ".join(f"{mistake.field}: {mistake.reason}" for mistake in mistakes)
    return OAuthError(error, text.encode("ascii", "replace").decode()[:LONGEST_DESCRIPTION])


def refused(refusal: OAuthError) -> Response:
    """The refusal as JSON; a challenge where the token is what is wrong (RFC 7591, 3.2.2; RFC 6750, 3)."""
    response = jsonify(error=refusal.error, error_description=refusal.description)
    response.status_code = STATUS[refusal.error]
    if refusal.error == "invalid_token":
        response.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"' if _token() else "Bearer"
    return response


def _token() -> str:
    """From the header and nowhere else; empty when there is none, which no token's digest equals."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _said(own: OwnRegistration | None = None) -> dict[str, Any] | OAuthError:
    """The metadata that was sent; `own`: by a client that is registered already."""
    if request.mimetype != "application/json":
        return OAuthError("invalid_request", "application/json is expected")
    raw = request.get_data()
    if len(raw) > LONGEST_BODY:
        return OAuthError("invalid_request", f"at most {LONGEST_BODY} bytes")
    try:
        said = read_object(raw)
    except NotJson as error:
        return OAuthError("invalid_request", str(error))
    return (_mistaken_identity(own, said) if own else None) or said


def _mistaken_identity(own: OwnRegistration, said: Mapping[str, Any]) -> OAuthError | None:
    """A client names itself, and may repeat its secret, but not choose one (RFC 7592, 2.2)."""
    if said.get("client_id") != own.client_id:
        return told((Mistake("client_id", "must be the client's own"),))
    if "client_secret" in said and not secret_is(own.client_id, said["client_secret"]):
        return told((Mistake("client_secret", "must be the one that was given"),))
    return None


def _answer(own: OwnRegistration | Refusal, status: int = 200) -> Response:
    """The client information response (RFC 7591, 3.2.1; RFC 7592, 3)."""
    if isinstance(own, Refusal):
        return refused(STALE)
    address = f"{g.here.service.settings.base_url}/oauth/register/{own.client_id}"
    secret = {"client_secret": own.secret, "client_secret_expires_at": 0} if own.secret else {}
    registered = plain_metadata(own.metadata)
    response = jsonify(
        {
            "client_id": own.client_id,
            "client_id_issued_at": int(own.created_at.timestamp()),
            **secret,
            "registration_access_token": own.token,
            "registration_client_uri": address,
            **{name: value for name, value in registered.items() if name not in NOT_TOLD},
        }
    )
    response.status_code = status
    return response

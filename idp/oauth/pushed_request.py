"""Pushed authorization requests (RFC 9126): the parameters come from the client itself, the browser carries a name.

The name may be visited again, by a reload or in a second tab, until the authorization is completed: whoever answers the
client takes its row along (`finish.py`).
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from authlib.oauth2 import OAuth2Error
from flask import Response, jsonify, request

from idp.crypto import digest
from idp.db import reader
from idp.flows.here import Here
from idp.flows.throttled import admit
from idp.models import AuthorizationRequest
from idp.oauth.authorization_checks import READ_ONCE
from idp.oauth.authorization_request import Mistaken, parse_authorization_request
from idp.oauth.blueprint import blueprint
from idp.oauth.client_authentication import METHODS
from idp.oauth.clients import RegisteredClient
from idp.oauth.errors import OAuthError, UnsafeRequest
from idp.oauth.interaction import PATIENCE, keep
from idp.oauth.parameters import Parameters, read_parameters
from idp.oauth.request_object import resolve
from idp.oauth.server import posted, provider, refused

PREFIX = "urn:ietf:params:oauth:request_uri:"  # RFC 9126, 2.2
LIFETIME = timedelta(seconds=90)  # of the name; its row outlasts every request that waits under it
KEPT = READ_ONCE | {"client_id", "redirect_uri"}  # whatever else comes along, nobody reads
PROOFS = frozenset({"client_secret", "client_assertion", "client_assertion_type"})  # of the client, not of its request
PUSHED = sa.select(AuthorizationRequest.id, AuthorizationRequest.parameters).where(
    AuthorizationRequest.token_digest == sa.bindparam("digest"),
    AuthorizationRequest.client_id == sa.bindparam("client"),
    AuthorizationRequest.requested_at > sa.bindparam("since"),
)


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a client pushed, and the row it is kept in until its answer."""

    id: UUID
    parameters: Parameters


@blueprint.post("/oauth/par")
def push() -> Response:
    """Take a request that would hold, and name it (RFC 9126, 2)."""
    try:
        form = posted()
        client: RegisteredClient = provider.authenticate_client(form, METHODS, "par")
    except OAuth2Error as error:
        return refused(error)
    if client.metadata.public:
        admit(form.here)  # RFC 9126, 2.3: 429
    asked = ((name, value) for name, value in request.form.items(multi=True) if name not in PROOFS)
    parameters = read_parameters(asked)
    found = _checked(form.here, parameters, client, (form.confirmation or {}).get("jkt"))
    if isinstance(found, OAuthError):
        return _told({"error": found.error, "error_description": found.description}, 400)
    plain = {"values": dict(found.values), "repeated": {name: list(all_) for name, all_ in found.repeated.items()}}
    token = keep(form.here.now, client, {"pushed": plain}, PATIENCE + LIFETIME)
    return _told({"request_uri": PREFIX + token, "expires_in": int(LIFETIME.total_seconds())}, 201)


def find_pushed(here: Here, parameters: Parameters, client: RegisteredClient) -> Pushed | None:
    """What this client pushed under the name that the browser brings, while it is not answered (RFC 9126, 4, 7.3).

    None when no such name came.  Raises `UnsafeRequest` for a name that holds nothing: where to answer is unknown.
    """
    name = parameters.get("request_uri") or ""
    if not name.startswith(PREFIX):
        return None
    values = {"digest": digest(name.removeprefix(PREFIX)), "client": client.id, "since": here.now - LIFETIME}
    with reader().connect() as connection:
        row = connection.execute(PUSHED, values).one_or_none()
    plain = row.parameters.get("pushed") if row else None
    if row is None or plain is None:
        raise UnsafeRequest("unknown-request-uri", client.client_id)
    repeated = {name: tuple(all_) for name, all_ in plain["repeated"].items()}
    return Pushed(row.id, Parameters(plain["values"], frozenset(), repeated))


def _checked(here: Here, parameters: Parameters, client: RegisteredClient, jkt: str | None) -> Parameters | OAuthError:
    """The parameters to keep, or what is wrong with them: all that the authorization endpoint would find (2.1)."""
    if parameters.get("request_uri") is not None:
        return OAuthError("invalid_request", "request_uri can't be pushed")
    if parameters.get("client_id") not in (None, client.client_id):
        return OAuthError("invalid_request", "client_id is another client's")
    resolved = resolve(here, parameters, client)
    if isinstance(resolved, OAuthError):
        return resolved
    bound = _bound(resolved, client, jkt)
    if isinstance(bound, OAuthError):
        return bound
    try:
        parsed = parse_authorization_request(bound, client)
    except UnsafeRequest:
        return OAuthError("invalid_request", "redirect_uri is missing or not registered")
    return parsed.refusal if isinstance(parsed, Mistaken) else bound


def _bound(parameters: Parameters, client: RegisteredClient, jkt: str | None) -> Parameters | OAuthError:
    """A proof that comes with the request binds the code to its key, as `dpop_jkt` does (RFC 9449, 10.1)."""
    named = parameters.get("dpop_jkt")
    if jkt is not None and named not in (None, jkt):
        return OAuthError("invalid_dpop_proof", "dpop_jkt names another key than the proof")
    added = {"client_id": client.client_id} | ({"dpop_jkt": jkt} if jkt else {})
    kept = {name: value for name, value in parameters.values.items() if name in KEPT}
    return replace(parameters, values={**kept, **added})


def _told(body: dict[str, object], status: int) -> Response:
    response = jsonify(body)
    response.status_code = status
    response.headers["Cache-Control"] = "no-store"
    return response

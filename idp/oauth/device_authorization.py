"""The device authorization endpoint (RFC 8628, 3.1): a device without a browser gets a code to poll with, and one for
its person to type.

The database keeps of the first a digest, of the second, which is short, a keyed fingerprint.  What the person does with
it: `device_approval.py`; how the device polls: `device_code.py`.
"""

import secrets
from datetime import timedelta
from typing import Any, cast

import sqlalchemy as sa
from authlib.oauth2.rfc6749 import InvalidScopeError, OAuth2Error, UnauthorizedClientError
from flask import Response, jsonify
from uuid_utils.compat import uuid7

from idp.crypto import digest, new_token
from idp.db import db
from idp.flows.here import Here
from idp.flows.throttled import admit
from idp.models import DeviceCode
from idp.oauth.blueprint import blueprint
from idp.oauth.client_authentication import METHODS
from idp.oauth.clients import RegisteredClient
from idp.oauth.device_approval import fingerprint
from idp.oauth.server import FormRequest, posted, provider, refused
from idp.oauth.token_response import audience_asked
from policies.device_codes import ALPHABET, LENGTH, RULES, shown
from policies.registration import DEVICE_CODE

REMEMBERED = timedelta(days=1)  # how long a device is still told that its code ran out
CODES = cast(sa.Table, DeviceCode.__table__)


@blueprint.post("/oauth/device_authorization")
def device_authorization() -> Response:
    """The two codes, and where the person takes theirs (RFC 8628, 3.2)."""
    try:
        request = posted()
        client = provider.authenticate_client(request, METHODS, "device_authorization")
        parameters = _asked(request, client)
    except OAuth2Error as error:
        return refused(error)
    if client.metadata.public:
        admit(request.here)
    return jsonify(_begin(request.here, client, parameters))


def _asked(request: FormRequest, client: RegisteredClient) -> dict[str, Any]:
    """What the person will be asked for.  As at the authorization endpoint, scopes the client may not have are left out,
    and one must remain."""
    if not client.check_grant_type(DEVICE_CODE):
        raise UnauthorizedClientError
    if "authorization_details" in request.form:
        raise OAuth2Error("not to be had by a device", error="invalid_authorization_details")  # RFC 9396, 5
    scope = [scope for scope in dict.fromkeys((request.payload.scope or "").split()) if scope in client.scopes]
    if not scope:
        raise InvalidScopeError
    resources = audience_asked(request.resources, list(request.resources and client.metadata.resources))
    return {"scope": scope, "resource": resources}


def _begin(here: Here, client: RegisteredClient, parameters: dict[str, Any]) -> dict[str, Any]:
    device_code, user_code = new_token(), "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    row = {
        "id": uuid7(),
        "client_id": client.id,
        "device_digest": digest(device_code),
        "user_digest": fingerprint(here.service, user_code),
        "parameters": parameters,
        "interval": RULES.interval,
        "requested_at": here.now,
        "expires_at": here.now + RULES.lifetime,
    }
    with db.engine.begin() as connection:
        connection.execute(sa.delete(CODES).where(CODES.c.expires_at <= here.now - REMEMBERED))
        connection.execute(sa.insert(CODES), row)
    return _told(here, device_code, shown(user_code))


def _told(here: Here, device_code: str, user_code: str) -> dict[str, Any]:
    page = f"{here.service.settings.base_url}/device"
    return {
        "device_code": device_code,
        "user_code": user_code,
        "verification_uri": page,
        "verification_uri_complete": f"{page}?user_code={user_code}",
        "expires_in": int(RULES.lifetime.total_seconds()),
        "interval": RULES.interval,
    }

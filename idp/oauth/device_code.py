"""The device code grant at the token endpoint (RFC 8628, 3.4 and 3.5): a device polls until its person has decided.

A code is redeemed once, by the statement that also stores the refresh token.  A second redemption gets nothing, and
takes nothing back from the first: a device that polls twice at once is careless, not an attack.
"""

from typing import Any

import sqlalchemy as sa
from authlib.oauth2.rfc6749 import (
    BaseGrant,
    InvalidGrantError,
    InvalidRequestError,
    OAuth2Error,
    TokenEndpointMixin,
    UnauthorizedClientError,
)

from idp.crypto import digest
from idp.db import reader
from idp.flows.here import Here
from idp.models import DeviceCode
from idp.oauth.client_authentication import METHODS
from idp.oauth.clients import RegisteredClient
from idp.oauth.one_use import spend
from idp.oauth.standing import standing_grant
from idp.oauth.token_response import (
    Tokens,
    audience_asked,
    can_be_answered,
    key_of_public,
    new_refresh_token,
    token_response,
)
from policies.device_codes import RULES, Poll, Waiting, verdict
from policies.registration import DEVICE_CODE

POLLED = sa.select(
    DeviceCode.id,
    DeviceCode.client_id,
    DeviceCode.grant_id,
    DeviceCode.authenticated_at,
    DeviceCode.denied_at,
    DeviceCode.used_at,
    DeviceCode.interval,
    DeviceCode.polled_at,
    DeviceCode.expires_at,
).where(DeviceCode.device_digest == sa.bindparam("digest"))
TOLD = {
    Poll.SPENT: "the code was redeemed already",
    Poll.DENIED: "the person refused",
    Poll.EXPIRED: "the code has run out",
    Poll.TOO_FAST: "wait longer between two requests",
    Poll.WAIT: "the person has not decided yet",
}


class DeviceCodeGrant(BaseGrant, TokenEndpointMixin):  # type: ignore[misc]  # Authlib has no types
    """RFC 8628, 3.4; Authlib's own redeems a code again and again."""

    GRANT_TYPE = DEVICE_CODE
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    def validate_token_request(self) -> None:
        """Who asks, and with what."""
        client = self.authenticate_token_endpoint_client()
        if not client.check_grant_type(self.GRANT_TYPE):
            raise UnauthorizedClientError
        if not self.request.form.get("device_code"):
            raise InvalidRequestError("device_code is missing")
        self.request.client = client

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """The tokens, once the person has allowed it; until then an error that says how to go on."""
        here: Here = self.request.here
        row = _find(self.request.form["device_code"], self.request.client)
        told = _answer(here, row)
        if told is not Poll.APPROVED:
            raise OAuth2Error(TOLD[told], error=told.value)
        return 200, self._redeem(here, row), self.TOKEN_RESPONSE_HEADER

    def _redeem(self, here: Here, row: Any) -> dict[str, Any]:
        """As with an authorization code, the grant must still stand."""
        client, confirmation = self.request.client, self.request.confirmation
        grant = standing_grant(row.grant_id, here.now)
        if grant is None:
            raise InvalidGrantError
        audience = audience_asked(self.request.resources, grant.resources)
        can_be_answered(here, client, grant)
        token, stored = None, None
        if client.check_grant_type("refresh_token"):
            jkt = key_of_public(client, confirmation)
            token, stored = new_refresh_token(here, grant, row.authenticated_at, jkt)
        if not spend(DeviceCode, row.id, here.now, stored):
            raise InvalidGrantError(TOLD[Poll.SPENT])
        asked = Tokens(grant.scope, audience, row.authenticated_at)
        return token_response(here, client, grant, asked, confirmation, token)


def _find(device_code: str, client: RegisteredClient) -> Any:
    """The row of a code of this client.  Raises `InvalidGrantError`."""
    with reader().connect() as connection:
        row = connection.execute(POLLED, {"digest": digest(device_code)}).one_or_none()
    if row is None or row.client_id != client.id:
        raise InvalidGrantError
    return row


def _answer(here: Here, row: Any) -> Poll:
    """Where the request stands; one that still waits notes when it was asked for."""
    waiting = Waiting(
        approved=row.grant_id is not None,
        denied=row.denied_at is not None,
        used=row.used_at is not None,
        interval=row.interval,
        polled_at=row.polled_at,
        expires_at=row.expires_at,
    )
    told = verdict(waiting, here.now)
    if told not in (Poll.WAIT, Poll.TOO_FAST):
        return told
    if _noted(here, row, told, DeviceCode.polled_at.is_not_distinct_from(row.polled_at)):
        return told
    _noted(here, row, Poll.TOO_FAST, sa.true())  # another poll came in between
    return Poll.TOO_FAST


def _noted(here: Here, row: Any, told: Poll, which: sa.ColumnElement[bool]) -> bool:
    """Note this poll, and that the next must come later when it came too soon (RFC 8628, 3.5)."""
    slower = RULES.slower if told is Poll.TOO_FAST else 0
    statement = (
        sa.update(DeviceCode)
        .where(DeviceCode.id == row.id, which)
        .values(polled_at=here.now, interval=DeviceCode.interval + slower)
        .returning(DeviceCode.id)
        .execution_options(synchronize_session=False)
    )
    with reader().connect() as connection:
        return connection.execute(statement).first() is not None

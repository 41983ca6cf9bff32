"""Whether a person agreed to what a client asks for (OIDC Core, 3.1.2.4).

Owns the comparison, and of whom people are warned.  Giving and withdrawing consent are flows.
"""

from datetime import datetime

import sqlalchemy as sa

from idp.db import reader
from idp.flows.sessions import LiveSession
from idp.models import Client, Consent
from idp.oauth.authorization_request import AuthorizationRequest
from idp.oauth.clients import RegisteredClient

GIVEN = sa.select(
    Consent.scopes, Consent.claims, Consent.resources, Consent.authorization_details, Consent.given_at
).where(
    Consent.account_id == sa.bindparam("account"),
    Consent.client_id == sa.bindparam("client"),
    Consent.withdrawn_at.is_(None),
)
BY_ITSELF = sa.select(Client.registered_with.is_not(None)).where(Client.id == sa.bindparam("client"))


def consent_is_needed(client: RegisteredClient, request: AuthorizationRequest) -> bool:
    """Whether anything rests on consent: not for a first-party client that does not want it asked."""
    return not client.metadata.first_party or "consent" in request.prompt


def consent_given_at(
    client: RegisteredClient, request: AuthorizationRequest, session: LiveSession | None
) -> datetime | None:
    """When the person agreed to all of this; None when something of it is left to ask, or nothing needs to be."""
    if session is None or not consent_is_needed(client, request):
        return None
    with reader().connect() as connection:
        given = connection.execute(GIVEN, {"account": session.account_id, "client": client.id}).one_or_none()
    if given is None:
        return None
    covered = (
        set(request.scope) <= set(given.scopes)
        and claims_named(request) <= set(given.claims)
        and set(request.resources) <= set(given.resources)
        and all(detail in given.authorization_details for detail in request.authorization_details)
    )
    return given.given_at if covered else None


def claims_named(request: AuthorizationRequest) -> set[str]:
    """The single claims asked for, wherever they are to be told."""
    return {name for wishes in request.claims.values() for name in wishes}


def nobody_checked(client: RegisteredClient) -> bool:
    """Whether people are warned of it: it registered itself, and is not one of the university's own."""
    if client.metadata.first_party:
        return False
    with reader().connect() as connection:
        return bool(connection.execute(BY_ITSELF, {"client": client.id}).scalar())

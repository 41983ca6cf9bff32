"""Telling clients of a logout through the browser (OpenID Connect Front-Channel Logout 1.0).

Owns which addresses the signed-out page loads in frames.  It is a courtesy of the browser, which may keep a client's
cookies from frames; who must be sure to hear of it has an address for the back channel.
"""

from urllib.parse import urlsplit
from uuid import UUID

import sqlalchemy as sa

from idp.db import reader
from idp.models import Client, Grant
from idp.oauth.answer import with_parameters
from idp.oauth.clients import RegisteredClient, find_client
from idp.service import Service

SIGNED_IN_TO = (
    sa.select(Client.client_id)
    .join(Grant, Grant.client_id == Client.id)
    .where(Grant.session_id == sa.bindparam("session"), Client.removed_at.is_(None))
    .distinct()
    .order_by(Client.client_id)
)


def frames_for(service: Service, session_id: UUID) -> tuple[str, ...]:
    """The addresses at which the clients of an ended session want the browser to call (3)."""
    with reader().connect() as connection:
        names = connection.execute(SIGNED_IN_TO, {"session": session_id}).scalars().all()
    clients = [client for name in names if (client := find_client(name)) is not None]
    return tuple(_address(service, client, session_id) for client in clients if client.metadata.frontchannel_logout_uri)


def origins_of(frames: tuple[str, ...]) -> str:
    """Where they are, as a Content-Security-Policy names them."""
    addresses = [urlsplit(frame) for frame in frames]
    return " ".join(dict.fromkeys(f"{address.scheme}://{address.netloc}" for address in addresses))


def _address(service: Service, client: RegisteredClient, session_id: UUID) -> str:
    """With issuer and session for clients that want to know which session it was (3)."""
    uri = client.metadata.frontchannel_logout_uri or ""
    if not client.metadata.frontchannel_logout_session_required:
        return uri
    return with_parameters(uri, iss=service.settings.base_url, sid=str(session_id))

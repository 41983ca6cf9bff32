"""Under which name a client knows an account (OIDC Core, 8): the same for all, or one of its own for each sector."""

import base64
from urllib.parse import urlsplit

from idp.oauth.clients import RegisteredClient
from idp.service import Service


def subject_for(service: Service, client: RegisteredClient, sub: str) -> str:
    """The `sub` of the account `sub` at `client`; pairwise ones can't be traced back, nor compared between sectors
    (OIDC Core, 8.1)."""
    if client.metadata.subject_type == "public":
        return sub
    fingerprint = service.vault.fingerprint(f"pairwise\n{_sector(client)}\n{sub}")
    return base64.urlsafe_b64encode(bytes.fromhex(fingerprint)).rstrip(b"=").decode()


def _sector(client: RegisteredClient) -> str:
    """The host that stands for the client; registration saw to it that there is only one."""
    addresses = client.metadata.sector_identifier_uri or next(iter(client.metadata.redirect_uris), "")
    return urlsplit(addresses).hostname or client.client_id

"""What is looked at before a client is stored: its reach, and whether its hosts are one sector (OIDC Registration, 5).

Whoever names a sector gets the subjects of all its clients, so the sector itself must name them.
"""

from collections.abc import Mapping
from typing import Any

from idp.flows.register_client import BadClient, checked
from idp.json_body import NotJson, read_json
from idp.oauth.outbound import Unreachable, fetch
from idp.service import Service
from policies.registration import ClientMetadata, Mistake
from policies.self_registration import beyond_reach

FIELD = "sector_identifier_uri"


def check_client(service: Service, before: ClientMetadata | None, said: Mapping[str, Any]) -> None:
    """Whether somebody other than the command may make `said` of a client (`before`, when it is there already).

    Raises `BadClient`.
    """
    after = checked(said)
    mistakes = beyond_reach(before, after)
    if mistakes:
        raise BadClient(mistakes)
    check_sector(service, after)


def check_sector(service: Service, metadata: ClientMetadata) -> None:
    """Asks the client's sector, if it names one, for its list.  Raises `BadClient` when not all redirect URIs are there.

    Nothing may be open in the database meanwhile: the network takes its time.
    """
    if metadata.sector_identifier_uri is None:
        return
    try:
        listed = read_json(fetch(service, metadata.sector_identifier_uri, "application/json"))
    except (Unreachable, NotJson):
        raise BadClient((Mistake(FIELD, "did not answer with a JSON list"),)) from None
    if not isinstance(listed, list):
        raise BadClient((Mistake(FIELD, "did not answer with a JSON list"),))
    if not all(uri in listed for uri in metadata.redirect_uris):
        raise BadClient((Mistake(FIELD, "does not list every redirect URI"),))

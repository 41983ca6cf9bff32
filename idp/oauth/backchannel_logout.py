"""Telling a client, server to server, that a session has ended (OpenID Connect Back-Channel Logout 1.0).

Owns the logout token and the call that takes it there.  Who must be told is noted where sessions end
(`idp/flows/tell_clients.py`), when and how often is for the worker (`idp/provisioning/tell_client.py`).
"""

from datetime import timedelta
from uuid import UUID

from idp.crypto import new_token
from idp.errors import AchkychError
from idp.flows.here import Here
from idp.flows.signing_keys import sign
from idp.oauth.clients import RegisteredClient
from idp.oauth.encryption import encrypted
from idp.oauth.outbound import Unreachable, post
from idp.oauth.subject import subject_for

TYPE = "logout+jwt"
EVENT = "http://schemas.openid.net/event/backchannel-logout"
VALID_FOR = timedelta(minutes=2)  # section 2.4: at most that
BAD_REQUEST = "HTTP 400"  # how connectors/http.py says it


class Refused(AchkychError):
    """The client has no use for this notice, and would have none for the same again."""


def logout_token(here: Here, client: RegisteredClient, sub: str, session_id: UUID) -> str:
    """The logout token for the session `session_id` of the account `sub` (2.4): signed, and encrypted as the client's
    ID tokens are.

    A new one for each try: a client that remembers every `jti` would take the same one twice for an attack (2.6).
    """
    service = here.service
    claims = {
        "iss": service.settings.base_url,
        "sub": subject_for(service, client, sub),
        "aud": client.client_id,
        "iat": int(here.now.timestamp()),
        "exp": int((here.now + VALID_FOR).timestamp()),
        "jti": new_token(),
        "events": {EVENT: {}},
        "sid": str(session_id),
    }
    return encrypted(
        service, client, "id_token", sign(service, TYPE, claims, client.metadata.id_token_signed_response_alg)
    )


def say_logout(here: Here, uri: str, token: str) -> None:
    """Take the token to the client; with a 2xx it says that it is done (2.8).

    Raises `Refused` when it has understood and will not (2.8: 400), `Unreachable` for all else.
    """
    try:
        post(here.service, uri, {"logout_token": token})
    except Unreachable as error:
        if error.reason == BAD_REQUEST:
            raise Refused(error.reason) from error
        raise

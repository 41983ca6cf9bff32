"""Encrypting for a client what only it may read (OIDC Core, 10.2): signed first, then encrypted, where registered."""

from flask import Response, jsonify, request

from idp.db import db
from idp.errors import AchkychError
from idp.jose import choose_encryption_key, encrypt_jwt
from idp.log import log
from idp.oauth.blueprint import blueprint
from idp.oauth.client_keys import client_keys
from idp.oauth.clients import RegisteredClient
from idp.service import Service

DEFAULT_CIPHER = "A128CBC-HS256"  # OIDC Registration, 2


class NoEncryptionKey(AchkychError):
    """The client registered encryption and has no key for it now; nothing is given out in the clear instead."""


@blueprint.errorhandler(NoEncryptionKey)
def explain_missing_key(error: NoEncryptionKey) -> Response:
    """Tell the client what only it can mend (RFC 6749, 5.2).  A browser gets the page for failures."""
    if request.endpoint == "oauth.authorize":
        raise error
    if db.session.registry.has():
        db.session.rollback()  # as after any other failure
    log.warning("nothing to encrypt with", client=str(error))
    response = jsonify(error="invalid_request", error_description="the client has no encryption key that can be used")
    response.status_code = 400
    return response


def encrypted(service: Service, client: RegisteredClient, what: str, signed: str) -> str:
    """`signed` as it is, or encrypted to the client's key; `what` is `id_token` or `userinfo`.

    Raises `NoEncryptionKey`.
    """
    algorithm = getattr(client.metadata, f"{what}_encrypted_response_alg")
    if algorithm is None:
        return signed
    cipher = getattr(client.metadata, f"{what}_encrypted_response_enc") or DEFAULT_CIPHER
    keys = client_keys(service, client)
    key = choose_encryption_key(keys, algorithm) if keys else None
    if key is None:
        raise NoEncryptionKey(client.client_id)
    return encrypt_jwt(signed, key, algorithm, cipher)

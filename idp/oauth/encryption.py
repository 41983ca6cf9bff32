"""Encrypting for a client what only it may read (OIDC Core, 10.2): signed first, then encrypted, where registered."""

from flask import Response, jsonify
from joserfc.jwk import Key

from idp.db import db
from idp.errors import AchkychError
from idp.jose import choose_encryption_key, encrypt_jwt
from idp.log import log
from idp.oauth.blueprint import blueprint
from idp.oauth.client_keys import client_keys
from idp.oauth.clients import RegisteredClient
from idp.service import Service

DEFAULT_CIPHER = "A128CBC-HS256"  # OIDC Registration, 2
TOLD = "the client has no encryption key that can be used"


class NoEncryptionKey(AchkychError):
    """The client registered encryption and has no key for it now; nothing is given out in the clear instead."""


@blueprint.errorhandler(NoEncryptionKey)
def explain_missing_key(error: NoEncryptionKey) -> Response:
    """Tell the client what only it can mend (RFC 6749, 5.2); at the authorization endpoint `finish.py` does."""
    if db.session.registry.has():
        db.session.rollback()  # as after any other failure
    log.warning("nothing to encrypt with", client=str(error))
    response = jsonify(error="invalid_request", error_description=TOLD)
    response.status_code = 400
    return response


def encrypted(service: Service, client: RegisteredClient, what: str, signed: str) -> str:
    """`signed` as it is, or encrypted to the client's key; `what` is `id_token` or `userinfo`.

    Raises `NoEncryptionKey`.
    """
    key = encryption_key(service, client, what)
    if key is None:
        return signed
    cipher = getattr(client.metadata, f"{what}_encrypted_response_enc") or DEFAULT_CIPHER
    return encrypt_jwt(signed, key, getattr(client.metadata, f"{what}_encrypted_response_alg"), cipher)


def encryption_key(service: Service, client: RegisteredClient, what: str) -> Key | None:
    """The key to encrypt with, None where the client registered no encryption.

    Raises `NoEncryptionKey`; to be asked before a code or token is spent for an answer that can't be given.
    """
    algorithm = getattr(client.metadata, f"{what}_encrypted_response_alg")
    if algorithm is None:
        return None
    keys = client_keys(service, client)
    key = choose_encryption_key(keys, algorithm) if keys else None
    if key is None:
        raise NoEncryptionKey(client.client_id)
    return key

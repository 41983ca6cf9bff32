"""The provider with a signing key, and somebody to play clients and browsers."""

from collections.abc import Iterator
from functools import cache

import pytest
from flask import Flask
from joserfc.jwk import RSAKey

from idp.db import db
from idp.flows.signing_keys import ensure_signing_key
from tests.builders import Make
from tests.idp.oauth.driver import Party

make_key = RSAKey.generate_key


@cache
def the_key(bits: int) -> RSAKey:
    """Making an RSA key takes a quarter of a second; the tests of this folder share one."""
    return make_key(bits, {"use": "sig", "alg": "RS256"}, auto_kid=True)


@pytest.fixture(autouse=True, scope="module")
def one_key_for_all() -> Iterator[None]:
    """Only while a module of this folder runs: elsewhere two keys are two keys."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("idp.flows.signing_keys.RSAKey.generate_key", lambda bits, *_, **__: the_key(bits))
        yield


@pytest.fixture
def party(app: Flask, make: Make) -> Party:
    with app.app_context():
        ensure_signing_key(make.here())
        db.session.commit()
        db.session.remove()
    return Party(app, make)

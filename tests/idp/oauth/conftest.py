"""The provider with a signing key, and somebody to play clients and browsers."""

from collections.abc import Callable, Iterator
from functools import cache

import pytest
from flask import Flask
from joserfc.jwk import RSAKey

from idp.db import db
from idp.flows.signing_keys import ensure_signing_key
from tests.builders import Make
from tests.idp.oauth.driver import Party


@pytest.fixture(scope="session", autouse=True)
def one_key_for_all() -> Iterator[None]:
    """Making an RSA key takes a quarter of a second; the tests share one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("idp.flows.signing_keys.RSAKey.generate_key", _cached(RSAKey.generate_key))
        yield


def _cached(generate: Callable[..., RSAKey]) -> Callable[..., RSAKey]:
    @cache
    def only_once(bits: int) -> RSAKey:
        return generate(bits, {"use": "sig", "alg": "RS256"}, auto_kid=True)

    return lambda bits, *_, **__: only_once(bits)


@pytest.fixture
def party(app: Flask, make: Make) -> Party:
    with app.app_context():
        ensure_signing_key(make.here())
        db.session.commit()
        db.session.remove()
    return Party(app, make)

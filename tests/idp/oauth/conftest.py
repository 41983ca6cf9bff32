"""The provider with signing keys, and somebody to play clients and browsers."""

import pytest
from flask import Flask

from idp.db import db
from idp.flows.signing_keys import ensure_signing_keys
from tests.builders import Make
from tests.idp.oauth.driver import Party


@pytest.fixture
def party(app: Flask, make: Make) -> Party:
    with app.app_context():
        ensure_signing_keys(make.here())
        db.session.commit()
        db.session.remove()
    return Party(app, make)

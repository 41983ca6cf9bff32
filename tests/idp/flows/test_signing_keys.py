"""What our keys sign, and what is believed of it."""

import json
import warnings
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa
from flask import Flask
from joserfc import jws
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, KeySet, import_key
from joserfc.util import urlsafe_b64decode

from idp.clock import SetClock
from idp.db import db, unit_of_work
from idp.errors import AchkychError
from idp.flows import signing_keys
from idp.flows.signing_keys import ALGORITHMS, ensure_signing_keys, forget_keys, published_keys, sign, verify
from idp.jose import read_jwks, signer
from idp.models import AuditRecord, SigningKey
from tests.builders import Make
from tests.idp.test_jose import public, signed

CLAIMS = {"head": "abc", "name": "Чыңгыз"}


@pytest.fixture
def keys(app: Flask, make: Make) -> Flask:
    """The service with a key of each kind."""
    with app.app_context(), unit_of_work():
        ensure_signing_keys(make.here())
    return app


def the_key(algorithm: str = "ES256") -> SigningKey:
    return db.session.scalars(sa.select(SigningKey).where(SigningKey.algorithm == algorithm)).one()


def test_a_first_key_of_each_kind_is_made_once_sealed_and_recorded(keys: Flask, make: Make) -> None:
    with keys.app_context(), unit_of_work():
        assert ensure_signing_keys(make.here())
        rows = db.session.scalars(sa.select(SigningKey)).all()
        assert sorted(row.algorithm for row in rows) == sorted(ALGORITHMS)
        assert not any(b'"d"' in row.private for row in rows)
        made = db.session.scalars(sa.select(AuditRecord).where(AuditRecord.act == "signing-key-made")).all()
        assert {item.subject for item in made} == {f"key/{row.kid}" for row in rows}


def test_only_what_is_missing_is_made(keys: Flask, make: Make) -> None:
    with keys.app_context(), unit_of_work():
        db.session.delete(the_key("EdDSA"))
    with keys.app_context(), unit_of_work():
        forget_keys()
        assert not ensure_signing_keys(make.here())
        assert len(db.session.scalars(sa.select(SigningKey)).all()) == 4


def test_of_two_who_make_the_first_keys_at_once_one_does(app: Flask, make: Make) -> None:
    start = Barrier(2)

    def make_keys(_: int) -> bool:
        with app.app_context(), unit_of_work():
            start.wait()
            return ensure_signing_keys(make.here())

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(make_keys, range(2))) == [False, True]
    with app.app_context(), unit_of_work():
        assert len(db.session.scalars(sa.select(SigningKey)).all()) == 4


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_others_can_check_what_we_sign_with_what_we_publish(keys: Flask, make: Make, algorithm: str) -> None:
    with keys.app_context():
        token = sign(make.service, "at+jwt", CLAIMS, algorithm)
        document = published_keys(make.service)
    head, claims, _ = token.split(".")
    [own] = [key for key in document["keys"] if key["alg"] == algorithm]
    assert json.loads(urlsafe_b64decode(head.encode())) == {"alg": algorithm, "kid": own["kid"], "typ": "at+jwt"}
    assert json.loads(urlsafe_b64decode(claims.encode())) == CLAIMS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)  # that «EdDSA» has a newer name (RFC 9864)
        jws.deserialize_compact(token, import_key(own), [algorithm])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_our_own_tokens_open_by_type(keys: Flask, make: Make, algorithm: str) -> None:
    with keys.app_context():
        token = sign(make.service, "at+jwt", CLAIMS, algorithm)
        assert verify(make.service, "at+jwt", token) == CLAIMS
        assert verify(make.service, "JWT", token) is None


def test_without_a_key_nothing_is_signed(app: Flask, make: Make) -> None:
    with app.app_context(), pytest.raises(AchkychError, match="no signing key for ES256"):
        sign(make.service, "JWT", CLAIMS, "ES256")
    with app.app_context(), pytest.raises(AchkychError):
        sign(make.service, "JWT", CLAIMS, "none")


def test_tokens_of_another_key_are_not_ours_whatever_they_say(keys: Flask, make: Make) -> None:
    foreign = ECKey.generate_key("P-256", auto_kid=True)
    with keys.app_context():
        own = the_key().kid
        by = signer(foreign, "ES256")
        for header in ({"kid": own}, {"kid": foreign.kid}, {}, {"kid": own, "jwk": public(foreign)}):
            token = signed({"alg": "ES256", "typ": "JWT", **header}, CLAIMS, by)
            assert verify(make.service, "JWT", token) is None
            assert verify(make.service, "JWT", token, also_retired=True) is None


def test_a_key_slipped_into_the_database_is_not_believed(keys: Flask, make: Make) -> None:
    foreign = ECKey.generate_key("P-256", auto_kid=True)
    with keys.app_context(), unit_of_work():
        row = the_key()
        kid, moment = str(foreign.kid), row.created_at
        private = the_key().private
        values = {"public": public(foreign, use="sig"), "private": private, "created_at": moment, "active_from": moment}
        db.session.add(SigningKey(kid=kid, algorithm="ES256", **values))
    with keys.app_context():
        forget_keys()
        token = signed({"alg": "ES256", "typ": "JWT", "kid": kid}, CLAIMS, signer(foreign, "ES256"))
        assert verify(make.service, "JWT", token) is None


def test_an_algorithm_changed_in_the_database_signs_and_opens_nothing(keys: Flask, make: Make) -> None:
    with keys.app_context(), unit_of_work():
        token = sign(make.service, "JWT", CLAIMS, "RS256")
        the_key("RS256").algorithm = "PS512"
    with keys.app_context():
        forget_keys()
        assert verify(make.service, "JWT", token) is None


def test_a_retired_key_verifies_only_where_that_is_asked_for(keys: Flask, make: Make, clock: SetClock) -> None:
    with keys.app_context():
        seal = sign(make.service, "seal", CLAIMS, "ES256")
        the_key().retired_at = clock.now() - timedelta(seconds=1)
        db.session.commit()
        forget_keys()  # look at the table again, as happens every few seconds
        assert verify(make.service, "seal", seal) is None
        assert verify(make.service, "seal", seal, also_retired=True) == CLAIMS
        assert "ES256" not in {key["alg"] for key in published_keys(make.service)["keys"]}


def test_a_key_that_another_process_made_just_now_is_found_soon(
    keys: Flask, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    with keys.app_context(), unit_of_work():
        token = sign(make.service, "JWT", CLAIMS, "ES256")
        forget_keys()
        row = the_key()
        kid, row.kid = row.kid, "elsewhere"
        db.session.flush()
        db.session.commit()
        assert verify(make.service, "JWT", token) is None
        the_key().kid = kid
        db.session.commit()
        monkeypatch.setattr(signing_keys, "VERY_RECENT", 0.0)
        assert verify(make.service, "JWT", token) == CLAIMS


def test_what_is_published_is_public_and_can_be_read(keys: Flask, make: Make) -> None:
    with keys.app_context():
        document = published_keys(make.service)
    read = read_jwks(document)
    assert isinstance(read, KeySet)
    assert [key.kid for key in read] == [key["kid"] for key in document["keys"]]
    assert len({key["kid"] for key in document["keys"]}) == 4

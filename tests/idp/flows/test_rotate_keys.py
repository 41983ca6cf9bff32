"""Keys change without an outage; a stolen key opens nothing any more."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa
from flask import Flask

from idp.clock import SetClock
from idp.db import db, unit_of_work
from idp.flows.record import record
from idp.flows.rotate_keys import RULES, Rotation, list_keys, rotate_keys
from idp.flows.seal_audit import seal_audit, verify_audit
from idp.flows.signing_keys import (
    ALGORITHMS,
    KEYS_LOCK,
    ensure_signing_keys,
    forget_keys,
    published_keys,
    sign,
    verify,
)
from idp.jose import read_jws
from idp.models import AuditDay, AuditRecord, SigningKey
from idp.oauth.metadata import CACHED
from tests.builders import Make

CLAIMS = {"sub": "aida"}
LOCKED = 0.5  # seconds in which two commands surely come to the lock


class Keys:
    """Signs and checks as a process does that has just looked at the table."""

    def __init__(self, app: Flask, make: Make) -> None:
        self.app, self.make = app, make

    def rotate(self, *algorithms: str, at_once: bool = False) -> list[Rotation]:
        with self.app.app_context(), unit_of_work():
            return rotate_keys(self.make.here(), algorithms, at_once)

    def sign(self, algorithm: str = "ES256") -> str:
        with self.app.app_context():
            forget_keys()
            return sign(self.make.service, "JWT", CLAIMS, algorithm)

    def opens(self, token: str, also_retired: bool = False) -> bool:
        with self.app.app_context():
            forget_keys()
            return verify(self.make.service, "JWT", token, also_retired) == CLAIMS

    def published(self, algorithm: str = "ES256") -> list[str]:
        with self.app.app_context():
            forget_keys()
            return [key["kid"] for key in published_keys(self.make.service)["keys"] if key["alg"] == algorithm]

    def states(self, algorithm: str = "ES256") -> list[str]:
        with self.app.app_context(), unit_of_work():
            return [key.state for key in list_keys(self.make.here()) if key.algorithm == algorithm]


@pytest.fixture
def keys(app: Flask, make: Make) -> Keys:
    with app.app_context(), unit_of_work():
        ensure_signing_keys(make.here())
    return Keys(app, make)


def kid_of(token: str) -> str:
    unverified = read_jws(token)
    assert unverified is not None
    return str(unverified.header["kid"])


# --- in good time


def test_a_key_changes_without_a_moment_in_which_a_token_is_refused(keys: Keys, clock: SetClock) -> None:
    lifetime = keys.make.service.profile.rules.tokens.access
    living: list[tuple[datetime, str]] = []
    seen: dict[str, list[str]] = {}  # what others keep of our key set: until when, and which keys
    for minute in range(0, 120, 2):
        if minute == 10:
            [rotation] = keys.rotate("ES256")
        if minute % 4 == 0:  # others fetch it as often as they must, and use it up to five minutes
            seen = {"before": seen.get("now", keys.published()), "now": keys.published()}
        token = keys.sign()
        assert kid_of(token) in seen["before"], "signed by a key that a cache does not know"
        living = [(until, old) for until, old in living if until > clock.now()]
        assert all(keys.opens(old) for _, old in living)
        assert {kid_of(old) for _, old in living} <= set(keys.published())
        living.append((clock.now() + lifetime, token))
        clock.advance(minutes=2)
    assert kid_of(keys.sign()) == rotation.kid
    assert keys.published() == [rotation.kid]
    assert keys.states() == ["retired", "signing"]


def test_the_states_of_a_rotation_are_told(keys: Keys, clock: SetClock) -> None:
    assert keys.states() == ["signing"]
    keys.rotate("ES256")
    assert keys.states() == ["signing", "waiting"]
    clock.advance(minutes=61)
    assert keys.states() == ["running out", "signing"]
    clock.advance(minutes=15)
    assert keys.states() == ["retired", "signing"]
    keys.rotate("ES256", at_once=True)
    assert keys.states() == ["destroyed", "destroyed", "signing"]


def test_the_key_set_is_cached_for_no_longer_than_the_rules_of_rotation_say() -> None:
    assert f"max-age={RULES.cached.total_seconds():.0f}" in CACHED


def test_a_retired_key_still_opens_hints(keys: Keys, clock: SetClock) -> None:
    token = keys.sign()
    keys.rotate("ES256")
    clock.advance(minutes=90)
    assert not keys.opens(token)
    assert keys.opens(token, also_retired=True)


def test_while_a_key_waits_no_other_is_made(keys: Keys, clock: SetClock) -> None:
    [first] = keys.rotate("ES256")
    clock.advance(minutes=30)
    [second] = keys.rotate("ES256")
    assert (first.made, second.made) == (True, False)
    assert (first.kid, first.signs_from) == (second.kid, second.signs_from)
    clock.advance(minutes=31)
    [third] = keys.rotate("ES256")
    assert third.made


def test_one_algorithm_changes_and_the_others_stay(keys: Keys) -> None:
    keys.rotate("ES256")
    assert [len(keys.published(algorithm)) for algorithm in ("RS256", "PS256", "ES256", "EdDSA")] == [1, 1, 2, 1]


def test_all_change_together(keys: Keys, clock: SetClock) -> None:
    before = {kid_of(keys.sign(algorithm)) for algorithm in ALGORITHMS}
    rotations = keys.rotate(*ALGORITHMS)
    clock.advance(minutes=61)
    after = {kid_of(keys.sign(algorithm)) for algorithm in ALGORITHMS}
    assert after == {rotation.kid for rotation in rotations}
    assert not before & after


# --- at once


def test_what_a_stolen_key_signed_is_accepted_nowhere(keys: Keys, clock: SetClock) -> None:
    long_ago = keys.sign()
    keys.rotate("ES256")
    clock.advance(hours=2)
    stolen = keys.sign()
    keys.rotate("ES256")  # one waits, too
    [rotation] = keys.rotate("ES256", at_once=True)
    assert rotation.replaced == 3
    for token in (long_ago, stolen):
        assert not keys.opens(token)
        assert not keys.opens(token, also_retired=True)
    assert keys.published() == [rotation.kid]
    assert kid_of(keys.sign()) == rotation.kid
    assert keys.opens(keys.sign())
    clock.advance(hours=3)
    assert kid_of(keys.sign()) == rotation.kid


def test_a_stolen_key_cannot_be_brought_back_from_the_table(keys: Keys) -> None:
    token = keys.sign()
    keys.rotate("ES256", at_once=True)
    with keys.app.app_context(), unit_of_work():
        db.session.execute(sa.update(SigningKey).values(retired_at=None))
    assert not keys.opens(token, also_retired=True)
    assert len(keys.published()) == 1


def test_other_algorithms_outlive_a_theft(keys: Keys) -> None:
    token = keys.sign("EdDSA")
    keys.rotate("ES256", at_once=True)
    assert keys.opens(token)


# --- at the same time


@contextmanager
def keys_locked(app: Flask) -> Iterator[None]:
    """Nobody else can make keys meanwhile."""
    with app.app_context(), db.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(KEYS_LOCK)))
        else:
            connection.execute(sa.select(1))  # the write lock is taken as the transaction begins
        yield


@pytest.mark.parametrize("at_once", [False, True])
def test_two_commands_at_the_same_time_make_one_new_key(keys: Keys, at_once: bool) -> None:
    begin = Barrier(3)

    def command(_: int) -> list[Rotation]:
        begin.wait()
        return keys.rotate("ES256", "EdDSA", at_once=at_once)

    with ThreadPoolExecutor(2) as pool:
        with keys_locked(keys.app):
            under_way = [pool.submit(command, number) for number in range(2)]
            begin.wait()
            time.sleep(LOCKED)
        done = [future.result() for future in under_way]
    for one, other in zip(*done, strict=True):
        assert {one.made, other.made} == {True, False}
        assert one.kid == other.kid
    assert len(keys.states("ES256")) == len(keys.states("EdDSA")) == 2


# --- the trail


@pytest.fixture
def trail(keys: Keys, clock: SetClock) -> Keys:
    """Three days, two of them sealed."""
    for _ in range(3):
        with keys.app.app_context(), unit_of_work():
            record(keys.make.here(), "something", subject="thing/1", before={}, after={"n": 1})
        seal(keys)
        clock.advance(days=1)
    seal(keys)
    return keys


def seal(keys: Keys) -> None:
    with keys.app.app_context(), unit_of_work():
        seal_audit(keys.make.here())


def broken(keys: Keys) -> str | None:
    with keys.app.app_context(), unit_of_work():
        forget_keys()
        return verify_audit(keys.make.here()).broken


def test_every_change_of_keys_is_in_the_trail(keys: Keys) -> None:
    old = kid_of(keys.sign())
    [rotation] = keys.rotate("ES256")
    keys.rotate("ES256", at_once=True)
    with keys.app.app_context():
        found = db.session.scalars(sa.select(AuditRecord).order_by(AuditRecord.number)).all()
    told = [(item.act, item.subject) for item in found[4:]]
    assert told[:2] == [("signing-key-made", f"key/{rotation.kid}"), ("signing-key-retires", f"key/{old}")]
    assert [act for act, _ in told[2:]] == ["signing-key-made", "signing-key-destroyed", "signing-key-destroyed"]
    for item in found[4:]:
        assert item.after != item.before


def test_a_rotation_leaves_the_seals_as_they_are(trail: Keys, clock: SetClock) -> None:
    [rotation] = trail.rotate("RS256")
    clock.advance(days=1)
    assert broken(trail) is None
    seal(trail)
    assert broken(trail) is None
    with trail.app.app_context():
        seals = db.session.scalars(sa.select(AuditDay.signature).order_by(AuditDay.day)).all()
    assert [kid_of(str(seal)) == rotation.kid for seal in seals] == [False, False, False, True]


def test_after_a_theft_the_days_are_sealed_by_the_new_key(trail: Keys) -> None:
    [rotation] = trail.rotate("RS256", at_once=True)
    assert rotation.sealed_again == 3
    assert broken(trail) is None
    with trail.app.app_context():
        seals = db.session.scalars(sa.select(AuditDay.signature).where(AuditDay.signature.is_not(None))).all()
    assert {kid_of(str(seal)) for seal in seals} == {rotation.kid}


def test_a_theft_of_another_key_leaves_the_seals_as_they_are(trail: Keys) -> None:
    [rotation] = trail.rotate("ES256", at_once=True)
    assert rotation.sealed_again == 0
    assert broken(trail) is None


def spoil_seal(day: AuditDay) -> None:
    day.signature = (day.signature or "")[:-8] + "AAAAAAAA"


def spoil_day(day: AuditDay) -> None:
    day.head = "0" * 64


@pytest.mark.parametrize("spoil", [spoil_seal, spoil_day])
def test_a_seal_that_did_not_hold_is_not_made_good_by_a_rotation(
    trail: Keys, spoil: Callable[[AuditDay], None]
) -> None:
    with trail.app.app_context(), unit_of_work():
        spoil(db.session.scalars(sa.select(AuditDay).order_by(AuditDay.day)).first())  # type: ignore[arg-type]
    assert str(broken(trail)).startswith("2026-09-09")
    [rotation] = trail.rotate("RS256", at_once=True)
    assert rotation.sealed_again == 2
    assert str(broken(trail)).startswith("2026-09-09")


def test_a_seal_made_with_a_stolen_key_afterwards_does_not_hold(trail: Keys) -> None:
    with trail.app.app_context():
        day = db.session.scalars(sa.select(AuditDay).order_by(AuditDay.day)).first()
        stolen = day.signature if day else None
    trail.rotate("RS256", at_once=True)
    with trail.app.app_context(), unit_of_work():
        row = db.session.scalars(sa.select(AuditDay).order_by(AuditDay.day)).first()
        assert row is not None
        row.signature = stolen
    assert broken(trail) == "2026-09-09: the signature of the day does not fit"


def test_a_longer_life_of_tokens_keeps_the_old_key_longer(keys: Keys) -> None:
    keys.rotate("ES256")
    with keys.app.app_context(), unit_of_work():
        old = next(key for key in list_keys(keys.make.here()) if key.algorithm == "ES256")
    tokens = keys.make.service.profile.rules.tokens
    assert old.retired_at is not None
    assert old.retired_at - keys.make.clock.now() >= RULES.publication + max(tokens.access, tokens.id_token)
    assert old.retired_at - keys.make.clock.now() < RULES.publication + timedelta(minutes=20)

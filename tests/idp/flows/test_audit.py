"""The trail (6.1): values before and after of every act, and nobody rewrites it unnoticed."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa
from flask import Flask
from joserfc import jws
from joserfc.jwk import RSAKey

from idp.clock import SetClock
from idp.db import db, unit_of_work
from idp.flows.here import at_work
from idp.flows.record import chain, hash_of, note, record
from idp.flows.seal_audit import seal_audit, verify_audit
from idp.flows.sessions import find_session, start_session
from idp.flows.signing_keys import sign
from idp.models import Account, AuditDay, AuditRecord, SigningKey
from idp.service import Service
from tests.builders import Make
from tests.idp.hr import Hr

RECORDS = AuditRecord.__table__
DAYS = AuditDay.__table__


def write(app: Flask, acts: int = 1, **values: object) -> None:
    """So many acts, one transaction each."""
    for number in range(acts):
        with app.app_context(), unit_of_work():
            record(
                at_work(app.extensions["achkych"], "test"),
                f"act-{number}",
                before={"n": 0},
                after={"n": number} | values,
            )


def verdict(app: Flask) -> str | None:
    with app.app_context(), unit_of_work():
        return verify_audit(at_work(app.extensions["achkych"], "test")).broken


def tamper(app: Flask, *statements: sa.Executable) -> None:
    """What somebody with the rights to the database, and nothing else, could do."""
    with app.app_context(), db.engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)


@pytest.fixture
def trail(app: Flask, clock: SetClock) -> Flask:
    """Two days of six records each, the first sealed, and a third that has begun."""
    for _ in range(2):
        write(app, 6)
        clock.advance(days=1)
    seal(app)
    seal(app)
    write(app, 3)
    return app


def seal(app: Flask) -> None:
    with app.app_context(), unit_of_work():
        seal_audit(at_work(app.extensions["achkych"], "test"))


def test_a_whole_trail_is_found_whole(trail: Flask) -> None:
    with trail.app_context(), unit_of_work():
        found = verify_audit(at_work(trail.extensions["achkych"], "test"))
    assert (found.records, found.days, found.broken) == (19, 3, None), "with the records of the keys that were made"


def test_the_first_sealing_makes_the_key_and_the_second_seals(app: Flask, clock: SetClock) -> None:
    write(app)
    clock.advance(days=2)
    for sealed in (False, True):
        seal(app)
        with app.app_context():
            day = db.session.scalars(sa.select(AuditDay).order_by(AuditDay.day).limit(1)).one()
            assert (day.signature is not None) is sealed
            db.session.remove()


def test_every_day_that_is_over_is_sealed_once(trail: Flask, clock: SetClock) -> None:
    def signatures() -> list[str | None]:
        with trail.app_context():
            found = list(db.session.scalars(sa.select(AuditDay.signature).order_by(AuditDay.day)))
            db.session.remove()
        return found

    before = signatures()
    assert [signature is not None for signature in before] == [True, True, False]
    seal(trail)
    assert signatures() == before


@pytest.mark.parametrize(
    "change",
    [{"after": {"n": 99}}, {"before": None}, {"actor": "somebody"}, {"act": "nothing"}, {"login": "x"},
     {"request_id": "x"},
     {"address": "10.0.0.1"}, {"subject": "x"}],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_a_changed_value_names_its_record(trail: Flask, change: dict[str, object]) -> None:
    for number in (16, 4, 1):  # what is broken further back is told instead
        tamper(trail, sa.update(RECORDS).where(RECORDS.c.number == number).values(change))
        assert verdict(trail) == f"record {number}: was changed"


def test_a_record_removed_from_the_middle_names_the_gap(trail: Flask) -> None:
    tamper(trail, sa.delete(RECORDS).where(RECORDS.c.number == 7))
    assert verdict(trail) == "record 7: missing (the next one found is 8)"


def test_a_gap_closed_by_counting_anew_is_found_all_the_same(trail: Flask) -> None:
    tamper(trail, sa.delete(RECORDS).where(RECORDS.c.number == 7))
    for number in range(8, 20):
        tamper(trail, sa.update(RECORDS).where(RECORDS.c.number == number).values(number=number - 1))
    assert verdict(trail) == "record 7: does not continue the one before"


def test_a_removed_tail_names_the_record_that_should_be_last(trail: Flask) -> None:
    tamper(trail, sa.delete(RECORDS).where(RECORDS.c.number >= 15))
    assert "the last should be record 19" in str(verdict(trail))


def test_a_whole_last_day_of_records_removed_is_missed(trail: Flask) -> None:
    tamper(trail, sa.delete(RECORDS).where(RECORDS.c.number >= 13))
    assert "the last should be record 19" in str(verdict(trail))


def test_a_day_whose_own_row_is_gone_is_missed(trail: Flask) -> None:
    tamper(trail, sa.delete(DAYS).where(DAYS.c.last_number == 6))
    assert str(verdict(trail)).endswith("the day is missing")


def test_a_record_slipped_in_names_its_place(trail: Flask) -> None:
    with trail.app_context():
        [row] = db.session.execute(sa.select(RECORDS).where(RECORDS.c.number == 19)).mappings().all()
        forged = dict(row) | {"number": 20, "hash": "f" * 64, "act": "forged"}
        db.session.remove()
    tamper(trail, sa.insert(RECORDS).values(forged))
    assert verdict(trail) == "record 20: does not continue the one before"


def test_a_well_chained_forgery_at_the_end_is_found_by_its_day(trail: Flask) -> None:
    tamper(trail, sa.insert(RECORDS).values(_continued(trail)))
    assert "do not add up" in str(verdict(trail))


def _continued(app: Flask) -> dict[str, object]:
    """A record that continues the chain correctly, made by somebody who knows how."""
    with app.app_context():
        last = db.session.scalars(sa.select(AuditRecord).order_by(AuditRecord.number.desc()).limit(1)).one()
        forged = AuditRecord(
            number=last.number + 1, at=last.at, day=last.day, actor="nobody", act="forged", before=None, after=None,
            request_id="r", previous=last.hash,
        )  # fmt: skip
        forged.hash = hash_of(forged)
        values = {column.name: getattr(forged, column.name) for column in RECORDS.columns}
        db.session.remove()
    return values


@pytest.mark.parametrize("field", ["head", "first", "records"])
def test_a_changed_day_head_names_the_day_whether_sealed_or_not(trail: Flask, field: str) -> None:
    for last_number, day in ((6, "2026-09-09"), (19, "2026-09-11")):
        tamper(
            trail,
            sa.update(DAYS)
            .where(DAYS.c.last_number == last_number)
            .values({field: 5 if field == "records" else "0" * 63 + "1"}),
        )
        assert str(verdict(trail)).startswith(f"{day}: ")
        restore(trail)


def restore(app: Flask) -> None:
    """Make the days fit their records again."""
    with app.app_context(), db.engine.begin() as connection:
        for day in connection.execute(sa.select(DAYS.c.day)).scalars().all():
            which = sa.select(RECORDS.c.number, RECORDS.c.previous, RECORDS.c.hash).where(RECORDS.c.day == day)
            found = connection.execute(which.order_by(RECORDS.c.number)).all()
            values = {"first": found[0].previous, "head": found[-1].hash, "records": len(found)}
            connection.execute(sa.update(DAYS).where(DAYS.c.day == day).values(values))


@pytest.mark.parametrize("signature", ["", "x", "a.b.c", "e30.e30."])
def test_a_wrong_signature_names_the_day(trail: Flask, signature: str) -> None:
    tamper(trail, sa.update(DAYS).where(DAYS.c.last_number == 6).values(signature=signature))
    assert verdict(trail) == "2026-09-09: the signature of the day does not fit"


def test_the_signature_of_another_day_does_not_fit(trail: Flask) -> None:
    other = sa.select(DAYS.c.signature).where(DAYS.c.last_number == 12).scalar_subquery()
    tamper(trail, sa.update(DAYS).where(DAYS.c.last_number == 6).values(signature=other))
    assert verdict(trail) == "2026-09-09: the signature of the day does not fit"


def rewritten(app: Flask) -> None:
    """Everything written anew from record 3 on, chained as it should be; only the seals can't be made."""
    with app.app_context(), unit_of_work():
        records = db.session.scalars(sa.select(AuditRecord).order_by(AuditRecord.number)).all()
        records[2].after = {"n": 99}
        previous = records[1].hash
        for item in records[2:]:
            item.previous, previous = previous, item.hash
            item.previous = records[item.number - 2].hash
            item.hash = hash_of(item)
    restore(app)


def test_a_trail_written_anew_is_found_by_its_seals(trail: Flask) -> None:
    rewritten(trail)
    assert verdict(trail) == "2026-09-09: the signature of the day does not fit"


def test_a_trail_written_anew_without_its_seals_is_not_believed(trail: Flask) -> None:
    rewritten(trail)
    tamper(trail, sa.update(DAYS).values(signature=None))
    assert verdict(trail) == "2026-09-09: the day is over and was not signed"


def test_a_seal_by_a_key_somebody_slipped_into_the_database_does_not_fit(trail: Flask) -> None:
    foreign = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True)
    with trail.app_context(), unit_of_work():
        own = db.session.scalars(sa.select(SigningKey).where(SigningKey.algorithm == "RS256")).one()
        own.public = {**foreign.as_dict(private=False), "kid": own.kid}
    assert verdict(trail) is None, "what is published is not what is believed"
    rewritten(trail)
    with trail.app_context():
        service: Service = trail.extensions["achkych"]
        day = db.session.scalars(sa.select(AuditDay).order_by(AuditDay.day).limit(1)).one()
        forged = json.loads(
            json.dumps({"day": day.day.isoformat(), "first": day.first, "head": day.head, "records": day.records})
        )
        token = _signed_by(foreign, sign(service, "audit-day+jwt", forged), forged)
        db.session.remove()
    tamper(trail, sa.update(DAYS).where(DAYS.c.last_number == 6).values(signature=token))
    assert verdict(trail) == "2026-09-09: the signature of the day does not fit"


def _signed_by(key: RSAKey, like: str, claims: dict[str, object]) -> str:
    """The same claims under the same header, signed by another key."""
    header = jws.extract_compact(like.encode()).headers()
    return jws.serialize_compact(dict(header), json.dumps(claims), key, algorithms=["RS256"])


# --- writing


def test_the_chain_stays_whole_under_twenty_parallel_writers(app: Flask) -> None:
    start = Barrier(20)

    def hand(number: int) -> None:
        start.wait()
        write(app, 5, hand=number)

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(hand, range(20)))
    assert verdict(app) is None
    with app.app_context():
        assert db.session.scalars(sa.select(AuditRecord.number).order_by(AuditRecord.number)).all() == list(
            range(1, 101)
        )
        db.session.remove()


def test_the_chain_stays_whole_when_many_write_around_midnight(app: Flask) -> None:
    """Some transactions began before it, some after; nobody's day is split, and nobody is refused."""
    midnight = datetime(2026, 9, 10, tzinfo=UTC)
    start = Barrier(20)

    def hand(number: int) -> None:
        start.wait()
        for second in (-1, number % 3 - 1, 1):
            here = replace(at_work(app.extensions["achkych"], "test"), now=midnight + timedelta(seconds=second))
            with app.app_context(), unit_of_work():
                record(here, "act")
                record(here, "another")

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(hand, range(20)))
    assert verdict(app) is None
    with app.app_context():
        assert db.session.scalars(sa.select(AuditDay.day).order_by(AuditDay.day)).all() == [
            date(2026, 9, 9), date(2026, 9, 10),
        ]  # fmt: skip
        assert db.session.scalar(sa.select(sa.func.count()).select_from(AuditRecord)) == 120
        db.session.remove()


def test_a_transaction_over_midnight_writes_on_both_days(app: Flask) -> None:
    here = at_work(app.extensions["achkych"], "test")
    with app.app_context(), unit_of_work():
        for days in (0, 0, 1, 0):
            record(replace(here, now=here.now + timedelta(days=days)), "act")
    assert verdict(app) is None
    with app.app_context():
        assert db.session.execute(sa.select(DAYS.c.records).order_by(DAYS.c.day)).scalars().all() == [2, 2]
        db.session.remove()


def test_nothing_is_added_to_a_day_that_is_sealed(trail: Flask, clock: SetClock) -> None:
    clock.advance(days=1)
    seal(trail)
    clock.advance(days=-1)
    write(trail)
    clock.advance(days=1)
    assert verdict(trail) is None
    with trail.app_context():
        last = db.session.scalars(sa.select(AuditRecord).order_by(AuditRecord.number.desc()).limit(1)).one()
        assert last.day == last.at.date() + timedelta(days=1)
        db.session.remove()


def test_a_transaction_of_its_own_chains_its_records(app: Flask) -> None:
    here = at_work(app.extensions["achkych"], "test")
    write(app)
    for acts in (["one"], ["two", "three"]):
        with app.app_context(), db.engine.begin() as connection:
            chain(connection, [note(here, act, before={"n": 0}, after={"n": 1}) for act in acts])
    write(app)
    assert verdict(app) is None
    with app.app_context():
        acts = db.session.scalars(sa.select(AuditRecord.act).order_by(AuditRecord.number)).all()
        assert acts == ["act-0", "one", "two", "three", "act-0"]
        db.session.remove()


def test_what_a_look_up_told_of_an_account_is_enough_to_name_it(app: Flask, make: Make, clock: SetClock) -> None:
    someone = make.account("aida")
    with app.app_context(), unit_of_work():
        token = start_session(make.here(), db.session.get_one(Account, someone.id))
    with app.app_context(), unit_of_work():
        session = find_session(token, clock.now())
        assert session is not None
        record(make.here(), "looked", session.account)
    with app.app_context():
        noted = db.session.scalars(sa.select(AuditRecord).where(AuditRecord.act == "looked")).one()
        assert (noted.account_id, noted.login) == (someone.id, "aida")
        db.session.remove()


def test_what_is_rolled_back_leaves_no_record_and_no_gap(app: Flask) -> None:
    write(app)
    with app.app_context(), suppress(ZeroDivisionError), unit_of_work():
        record(at_work(app.extensions["achkych"], "test"), "never-happened")
        raise ZeroDivisionError
    write(app)
    assert verdict(app) is None
    with app.app_context():
        assert db.session.scalars(sa.select(AuditRecord.number)).all() == [1, 2]
        db.session.remove()


def test_a_savepoint_rolled_back_takes_no_record_of_the_transaction_with_it(app: Flask) -> None:
    with app.app_context(), unit_of_work():
        record(at_work(app.extensions["achkych"], "test"), "before-it")
        with suppress(ZeroDivisionError), db.session.begin_nested():
            db.session.flush()
            raise ZeroDivisionError
        record(at_work(app.extensions["achkych"], "test"), "after-it")
    with app.app_context():
        assert db.session.scalars(sa.select(AuditRecord.act).order_by(AuditRecord.number)).all() == [
            "before-it",
            "after-it",
        ]
        db.session.remove()


def test_a_change_whose_record_cannot_be_written_does_not_happen(app: Flask, make: Make) -> None:
    someone = make.account("aida")
    with app.app_context(), suppress(sa.exc.DatabaseError), unit_of_work():
        account = db.session.get_one(Account, someone.id)
        account.language = "ru"
        db.session.execute(sa.text("DROP TABLE audit_record"))
        record(make.here(), "language-changed", account)
    with app.app_context():
        assert db.session.get_one(Account, someone.id).language == "ky"
        db.session.remove()


def test_a_clock_put_back_does_not_break_the_chain(app: Flask, clock: SetClock) -> None:
    write(app)
    clock.advance(days=-3)
    write(app)
    assert verdict(app) is None


SECRETS = {
    "password": "s3cret", "new_password": "s3cret", "token": "s3cret", "clientSecret": "s3cret", "pin": "s3cret",
    "nested": {"refresh_token": "s3cret", "list": [{"code": "s3cret"}]}, "personal_number": "s3cret",
    "cookie": "s3cret",
}  # fmt: skip


def test_secrets_never_stand_in_the_values(app: Flask) -> None:
    with app.app_context(), unit_of_work():
        record(at_work(app.extensions["achkych"], "test"), "act", before=SECRETS, after=SECRETS)
    with app.app_context():
        for row in db.session.execute(sa.select(RECORDS)):
            assert "s3cret" not in repr(tuple(row))
        db.session.remove()


# --- the story


@pytest.fixture
def story(hr: Hr, clock: SetClock) -> Callable[..., list[AuditRecord]]:
    hr.deliver("hire")
    hr.finish_tasks()
    hr.deliver("transfer", "rename", "dismissal_v1")
    clock.advance(days=90)
    hr.work()
    return hr.acts


def test_each_act_of_the_story_tells_the_values_before_and_after(story: Callable[..., list[AuditRecord]]) -> None:
    told = {item.act for item in story()}
    assert told >= {
        "order-received", "order-state", "order-line-needs-review", "person-changed", "account-opened",
        "activation-issued", "account-window", "account-closed", "sessions-ended",
        "access-open-wanted", "access-change-wanted",
        "access-close-wanted",
    }  # fmt: skip
    for item in story("order-state", "person-changed", "account-window", "account-closed", "access-close-wanted"):
        assert item.before is not None
        assert item.after is not None
        assert item.before != item.after
        assert item.before.keys() == item.after.keys()
    states = [(item.subject, item.before["state"], item.after["state"]) for item in story("order-state")]
    assert ("order/shnet/1/101-К/v1", "accepted", "applying") in states
    assert ("order/shnet/1/140-К/v1", "accepted", "scheduled") in states


def test_each_act_of_the_story_names_the_order_it_rests_on(story: Callable[..., list[AuditRecord]]) -> None:
    for item in story(
        "account-opened", "account-closed", "access-open-wanted", "access-close-wanted", "person-changed"
    ):
        assert item.actor.startswith("order/shnet/1/")
    assert {item.actor for item in story("order-received")} == {"source/shnet"}
    assert {item.address for item in story("order-received")} == {"127.0.0.1"}

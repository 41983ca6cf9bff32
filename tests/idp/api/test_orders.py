"""The door for HR orders, knocked at over HTTP with the contract's own samples, byte for byte."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import EnvironBuilder, run_wsgi_app

from idp.clock import SetClock
from idp.db import Base, db
from idp.flows.apply_order import apply_order
from idp.models import AuditRecord, Delivery, Order, OrderLine
from tests.idp.hr import PIN, URL, Hr, changed, sample

HIRE = "b7659072-a5c3-5571-a24f-90e0aaffc9f6"
NAMES = sorted(path.stem for path in (Path(__file__).parent / "samples").glob("*.json"))


def stored(hr: Hr) -> dict[str, int]:
    """How many rows there are of what an order leaves behind."""
    tables = (Order, OrderLine, Delivery, AuditRecord)
    with hr.looking():
        return {
            table.__tablename__: db.session.scalar(sa.select(sa.func.count()).select_from(table)) or 0
            for table in tables
        }


def problem(hr: Hr, body: bytes | dict[str, Any], status: int, code: str, **more: Any) -> dict[str, Any]:
    """The problem an order is refused with; nothing of it may be kept."""
    before = stored(hr)
    answer = hr.send(body, **more)
    told: dict[str, Any] = answer.get_json()
    assert (answer.status_code, told["code"], answer.mimetype) == (status, code, "application/problem+json")
    assert stored(hr) == before
    return told


# --- taking in


def test_every_sample_of_the_contract_is_taken_in(hr: Hr, subtests: pytest.Subtests) -> None:
    for name in NAMES:
        with subtests.test(name):
            answer = hr.send(sample(name))
            body = json.loads(sample(name))
            assert answer.status_code == 202
            assert answer.headers["Location"] == f"{URL}/{body['orderId']}/versions/{body['version']}"
            assert answer.get_json()["state"] == "accepted"
            assert len(answer.get_json()["receipt"]) >= 20


def test_what_was_signed_is_kept_as_it_came_and_sealed(hr: Hr) -> None:
    hr.send(sample("hire"))
    with hr.looking() as here:
        order = db.session.scalars(sa.select(Order)).one()
        assert here.service.vault.open(order.raw, f"order/{order.id}/raw").encode() == sample("hire")
        assert set(order.signature) == {"webhook-id", "webhook-timestamp", "webhook-signature"}
        line = db.session.scalars(sa.select(OrderLine)).one()
        assert PIN.encode() not in order.raw + line.body


def test_the_same_again_gets_the_same_receipt_and_the_present_state(hr: Hr) -> None:
    first = hr.send(sample("hire"))
    hr.work()
    again = hr.send(sample("hire"))
    assert again.status_code == 200
    assert again.get_json() == {"receipt": first.get_json()["receipt"], "state": "applying"}
    assert again.headers["Location"] == first.headers["Location"]
    assert stored(hr)["order"] == 1


def test_the_same_content_written_otherwise_is_the_same(hr: Hr) -> None:
    first = hr.send(sample("hire"))
    again = hr.send(json.dumps(json.loads(sample("hire")), sort_keys=True, indent=4).encode())
    assert (again.status_code, again.get_json()["receipt"]) == (200, first.get_json()["receipt"])


def test_other_content_under_a_known_version_is_a_conflict_and_is_recorded(hr: Hr) -> None:
    hr.send(sample("hire"))
    before = stored(hr)
    answer = hr.send(changed("hire", effectiveOn="2026-09-08"))
    assert (answer.status_code, answer.get_json()["code"]) == (409, "version_conflict")
    assert stored(hr) == before | {"audit_record": before["audit_record"] + 1}
    [refused] = hr.acts("order-refused")
    assert (refused.subject, refused.after) == ("order/shnet/1/101-К/v1", {"reason": "version_conflict"})


def test_a_version_older_than_the_newest_is_kept_as_evidence_and_never_applied(hr: Hr) -> None:
    hr.deliver("hire", "dismissal_v2_correction")
    stale = hr.send(sample("dismissal_v1"))
    assert (stale.status_code, stale.get_json()["code"]) == (409, "stale_version")
    hr.work()
    assert hr.states()["1/140-К v1"] == "superseded"
    with hr.looking() as here:
        order = db.session.scalars(sa.select(Order).where(Order.version == 1, Order.kind == "dismissal")).one()
        assert here.service.vault.open(order.raw, f"order/{order.id}/raw").encode() == sample("dismissal_v1")
    again = hr.send(sample("dismissal_v1"))
    assert (again.status_code, again.get_json()["code"]) == (409, "stale_version")


def test_a_gap_between_versions_is_noted_and_no_hindrance(hr: Hr) -> None:
    hr.send(sample("dismissal_v1"))
    assert hr.send(sample("dismissal_v3_cancellation")).status_code == 202
    [gap] = hr.acts("order-versions-missing")
    assert gap.after == {"known": 1, "arrived": 3}


def test_the_same_number_and_day_under_another_id_waits_for_a_human(hr: Hr) -> None:
    hr.deliver("hire")
    twin = hr.send(changed("hire", orderId="00000000-0000-4000-8000-000000000001"))
    assert (twin.status_code, twin.get_json()["state"]) == (202, "needs_review")
    hr.work()
    with hr.looking():
        order = db.session.scalars(sa.select(Order).where(Order.note == "possible_duplicate")).one()
        assert (order.state, order.run_at) == ("needs_review", None)
        assert db.session.scalars(sa.select(OrderLine.state).where(OrderLine.order_pk == order.id)).all() == ["waiting"]


def test_a_correction_is_no_duplicate_of_the_order_that_came_after_its_first_version(hr: Hr) -> None:
    hr.deliver("hire")
    hr.send(changed("hire", orderId="00000000-0000-4000-8000-000000000001"))
    corrected = hr.send(changed("hire", version=2))
    assert corrected.get_json()["state"] == "accepted"


def test_states_are_told_to_the_sender_without_a_sensitive_field(hr: Hr) -> None:
    hr.deliver("hire", "dismissal_v1")
    answer = hr.status("8bcd53cb-0ad5-5409-828b-ad0b942c6ebc", 1)
    assert answer.status_code == 200
    assert answer.get_json()["state"] == "scheduled"
    assert answer.get_json()["persons"] == [
        {"line": "1", "state": "done", "note": None},
        {"line": "2", "state": "not_found", "note": None},
    ]
    assert PIN not in answer.text
    assert "T-0077" not in answer.text


def test_an_unknown_version_is_not_found(hr: Hr) -> None:
    hr.send(sample("hire"))
    assert [hr.status(HIRE, version).status_code for version in (2, 2**31 - 1, 10**30)] == [404] * 3


# --- who may send


def test_a_signature_over_other_bytes_is_refused(hr: Hr) -> None:
    problem(hr, sample("hire") + b" ", 401, "not_authentic", headers=hr.headers(sample("hire")))


def test_a_stamp_may_be_five_minutes_off_and_not_a_second_more(hr: Hr, clock: SetClock) -> None:
    now = int(clock.now().timestamp())
    for off in (-301, 301, 86_400 * 365):
        problem(hr, sample("hire"), 401, "not_authentic", headers=hr.headers(sample("hire"), stamp=now + off))
    for off, status in ((-300, 202), (300, 200)):
        assert hr.send(sample("hire"), headers=hr.headers(sample("hire"), stamp=now + off)).status_code == status


def test_a_stamp_that_is_no_number_is_refused(hr: Hr, subtests: pytest.Subtests) -> None:
    for stamp in ("", "now", "-5", "1e9", "१७८८९३३६००", "9" * 400):
        with subtests.test(stamp[:20]):
            problem(hr, sample("hire"), 401, "not_authentic", headers=hr.headers(sample("hire"), stamp=stamp))


def test_a_missing_header_is_refused(hr: Hr, subtests: pytest.Subtests) -> None:
    for missing in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        with subtests.test(missing):
            headers = {name: value for name, value in hr.headers(sample("hire")).items() if name != missing}
            problem(hr, sample("hire"), 401, "not_authentic", headers=headers)


def test_of_more_signatures_than_eight_none_is_looked_at(hr: Hr) -> None:
    good = hr.headers(sample("hire"))
    eight = good | {"webhook-signature": " ".join(["v1,AAAA"] * 7 + [good["webhook-signature"]])}
    assert hr.send(sample("hire"), headers=eight).status_code == 202
    nine = good | {"webhook-signature": " ".join([good["webhook-signature"]] * 9)}
    problem(hr, sample("hire"), 401, "not_authentic", headers=nine)


def test_a_malformed_signature_is_refused_without_a_crash(hr: Hr, subtests: pytest.Subtests) -> None:
    for signature in ("v1,%%%", "v1,AAA", "v1", ",", "v1,ключ", "v1a,AAAA", "v2,AAAA", "v1,=", " " * 50):
        with subtests.test(signature):
            headers = hr.headers(sample("hire"), signature=signature.encode().decode("latin-1"))
            problem(hr, sample("hire"), 401, "not_authentic", headers=headers)


def test_a_sender_speaks_only_for_its_own_source(hr: Hr) -> None:
    source = json.loads(sample("hire"))["source"] | {"system": "other"}
    problem(hr, changed("hire", source=source), 401, "not_authentic")


def test_a_foreign_address_is_refused_whatever_it_signs(hr: Hr) -> None:
    for address in ("192.0.2.7", "::1", "10.0.0.1"):
        problem(hr, sample("hire"), 401, "not_authentic", environ_base={"REMOTE_ADDR": address})


def test_a_forwarding_header_changes_nothing_without_a_proxy_in_the_settings(hr: Hr) -> None:
    headers = hr.headers(sample("hire")) | {"X-Forwarded-For": "127.0.0.1"}
    problem(hr, sample("hire"), 401, "not_authentic", headers=headers, environ_base={"REMOTE_ADDR": "192.0.2.7"})


# --- what may be sent


NOT_JSON = [
    b"", b"not json", b"{", b"\xff\xfe{}", "\ufeff{}".encode(), b'{"a":1,"a":2}', b'{"a":{"b":1,"b":2}}', b"[NaN]",
    b'{"a":Infinity}', b'{"a":-Infinity}', b'{"a":"\\ud800"}', b"[" * 21 + b"]" * 21, b"[" * 900 + b"]" * 900,
    b"[" * 100_000, b'{"a":' * 30 + b"1" + b"}" * 30, b'{"a":' + b"9" * 5000 + b"}",
]  # fmt: skip


def test_what_is_not_one_plain_json_document_is_refused(hr: Hr, subtests: pytest.Subtests) -> None:
    for raw in NOT_JSON:
        with subtests.test(repr(raw[:20])):
            problem(hr, raw, 400, "not_json")


def test_one_byte_too_many_is_refused_and_the_last_one_allowed_is_not(hr: Hr) -> None:
    fits = sample("hire") + b" " * (256 * 1024 - len(sample("hire")))
    problem(hr, fits + b" ", 413, "too_large")
    problem(hr, b" " * 2_000_000, 413, "too_large")
    assert hr.send(fits).status_code == 202


@pytest.mark.parametrize(("size", "status"), [(256 * 1024 + 1, 413), (3_000_000, 413), (None, 202)])
def test_a_body_in_chunks_without_a_length_is_measured_too(hr: Hr, app: Flask, size: int | None, status: int) -> None:
    raw = sample("hire") if size is None else b" " * size
    builder = EnvironBuilder(
        URL, "http://localhost", method="POST", headers=hr.headers(raw), content_type="application/json"
    )
    environ = builder.get_environ() | {
        "wsgi.input_terminated": True,
        "wsgi.input": Once(raw),
        "REMOTE_ADDR": "127.0.0.1",
    }
    environ.pop("CONTENT_LENGTH", None)
    environ["HTTP_TRANSFER_ENCODING"] = "chunked"
    _, told, _ = run_wsgi_app(app, environ)
    assert int(told.split()[0]) == status


class Once:
    """The input of a server that has taken the chunks apart."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def read(self, size: int = -1) -> bytes:
        size = len(self._raw) if size < 0 else size
        part, self._raw = self._raw[:size], self._raw[size:]
        return part


def test_another_media_type_is_refused(hr: Hr) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/scim+json", ""):
        problem(hr, sample("hire"), 415, "unsupported_media_type", content_type=kind)


def person(**changes: Any) -> dict[str, Any]:
    """The sample hire with the parts of its one person changed; None takes a part out."""
    told: dict[str, Any] = json.loads(sample("hire"))["persons"][0] | changes
    return changed("hire", persons=[{name: value for name, value in told.items() if value is not None}])


def employment(**changes: Any) -> dict[str, Any]:
    return person(employment=json.loads(sample("hire"))["persons"][0]["employment"] | changes)


BROKEN: dict[str, tuple[dict[str, Any], str, str]] = {
    "unknown department": (
        employment(departmentCode="4711"), "$.persons[0].employment.departmentCode", "known_department"),
    "unknown faculty": (
        changed("student_enrolment", persons=[{"line": "1", "ids": {"pin": PIN}, "name": {"family": "А", "given": "Б"},
                                               "study": {"facultyCode": "4711", "programCode": "1"}}]),
        "$.persons[0].study.facultyCode", "known_department"),
    "missing day": (changed("hire", effectiveOn=None), "$.effectiveOn", "required"),
    "missing name": (person(name=None), "$.persons[0].name", "required"),
    "missing given name": (person(name={"family": "Үлгүбаева"}), "$.persons[0].name.given", "required"),
    "missing position": (employment(positionTitle=""), "$.persons[0].employment.positionTitle", "minLength"),
    "bad pin": (person(ids={"pin": PIN + "7"}), "$.persons[0].ids.pin", "pattern"),
    "bad day": (changed("hire", approvedOn="2026-02-30"), "$.approvedOn", "format"),
    "day of the stone age": (changed("hire", effectiveOn="0001-01-01"), "$.effectiveOn", "day_between_1950_and_2200"),
    "bad address": (person(contacts={"personalEmail": "anara"}), "$.persons[0].contacts.personalEmail", "format"),
    "two lines in an address": (
        person(contacts={"personalEmail": "a@b.example\r\nBcc: c@d.example"}),
        "$.persons[0].contacts.personalEmail", "format"),
    "bad phone": (person(contacts={"mobilePhone": "0700 000001"}), "$.persons[0].contacts.mobilePhone", "pattern"),
    "unknown field": (person(**{PIN: PIN}), "$.persons[0]", "additionalProperties"),
    "unknown kind": (changed("hire", kind=PIN), "$.kind", "enum"),
    "huge version": (changed("hire", version=10**20), "$.version", "maximum"),
    "huge student number": (person(ids={"avnStudentId": 10**20}), "$.persons[0].ids.avnStudentId", "maximum"),
    "control character": (changed("hire", number="1/1\u0000"), "$.number", "printable"),
    "duplicate line": (
        changed("hire", persons=json.loads(sample("hire"))["persons"] * 2), "$.persons[1].line", "unique"),
    "not an object": ({"persons": [PIN]}, "$.persons[0]", "type"),
}  # fmt: skip


def test_a_broken_rule_is_named_by_place_and_rule_and_never_by_its_value(
    hr: Hr, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], subtests: pytest.Subtests
) -> None:
    for what, (body, place, rule) in BROKEN.items():
        with subtests.test(what), caplog.at_level(logging.DEBUG):
            told = problem(hr, body, 422, "invalid_order")
            assert {"json_path": place, "rule": rule} in told["errors"]
            heard = json.dumps(told, ensure_ascii=False) + caplog.text + "".join(capfd.readouterr())
            for secret in (PIN, "Үлгүбаева", "anara@example.org", "+996700000001", "Образцовая"):
                assert secret not in heard


def test_every_broken_rule_is_named_at_once(hr: Hr) -> None:
    told = problem(hr, changed("hire", effectiveOn=None, number=None, kind="?"), 422, "invalid_order")
    assert {error["json_path"] for error in told["errors"]} >= {"$.effectiveOn", "$.number", "$.kind"}


def test_other_json_than_an_order_is_refused_by_the_schema(hr: Hr) -> None:
    for raw in (b"null", b"[]", b'"order"', b"17", b"{}", b'{"source":7}', b'{"source":{"system":7}}'):
        problem(hr, raw, 422, "invalid_order")


def test_the_personal_number_is_nowhere_but_sealed(hr: Hr, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        hr.deliver("hire")
        hr.send(changed("hire", effectiveOn="2026-09-08"))
    assert PIN not in caplog.text
    with hr.looking():
        for table in Base.metadata.sorted_tables:
            for row in db.session.execute(sa.select(table)):
                assert PIN not in repr(tuple(row)), table.name


# --- many at once


def at_once(hr: Hr, bodies: list[bytes]) -> list[Any]:
    """The answers to these deliveries, all made at the same moment."""
    start, headers = Barrier(len(bodies)), [hr.headers(raw) for raw in bodies]

    def deliver(number: int) -> Any:
        start.wait()
        return hr.send(bodies[number], headers=headers[number])

    with ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(deliver, range(len(bodies))))


def test_of_twenty_parallel_deliveries_of_one_order_one_is_new(hr: Hr) -> None:
    answers = at_once(hr, [sample("hire")] * 20)
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [202]
    assert len({answer.get_json()["receipt"] for answer in answers}) == 1
    assert stored(hr) | {"delivery": 0} == {"order": 1, "order_line": 1, "delivery": 0, "audit_record": 1}


def test_of_two_contents_of_one_version_at_once_one_is_kept_whole(hr: Hr) -> None:
    other = json.dumps(changed("hire", effectiveOn="2026-09-08")).encode()
    answers = at_once(hr, [sample("hire"), other] * 6)
    states = [answer.status_code for answer in answers]
    assert states.count(202) == 1
    assert states.count(409) == 6
    assert states.count(200) == 5
    assert (stored(hr)["order"], stored(hr)["order_line"]) == (1, 1)


def test_orders_about_the_same_person_sent_at_once_are_all_kept(hr: Hr) -> None:
    answers = at_once(hr, [sample(name) for name in ("hire", "transfer", "rename", "leave", "dismissal_v1")])
    assert [answer.status_code for answer in answers] == [202] * 5
    hr.work()
    states = hr.states()
    # dismissed before it begins: told at once when the dismissal came first, else on the day of the leave
    assert states.pop("1/130-О v1") in ("needs_review", "scheduled")
    assert states == {
        "1/101-К v1": "applied",  # the later orders have taken over what was left to do
        "1/118-К v1": "scheduled",
        "1/125-К v1": "applying",
        "1/140-К v1": "scheduled",
    }


def test_the_samples_here_are_those_of_the_contract(shared: Path) -> None:
    theirs = {path.name: path.read_bytes() for path in (shared / "contracts/hr-orders/samples").glob("*.json")}
    assert {path.name: path.read_bytes() for path in (Path(__file__).parent / "samples").glob("*.json")} == theirs


def test_the_schema_here_is_that_of_the_contract_with_contracts_of_learners_beside(shared: Path) -> None:
    """The contract does not know them; Regulation S2-5 does."""
    ours = json.loads((Path(__file__).parents[3] / "idp" / "flows" / "order.schema.json").read_text("utf8"))
    ours["allOf"] = [rule for rule in ours["allOf"] if _kind_of(rule).get("const") != "learner_contract"]
    for kinds in (ours["properties"]["kind"], *(_kind_of(rule) for rule in ours["allOf"])):
        if "enum" in kinds:
            kinds["enum"] = [kind for kind in kinds["enum"] if not kind.startswith("learner_")]
    assert ours == json.loads((shared / "contracts/hr-orders/order.schema.json").read_text("utf8"))


def _kind_of(rule: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = rule["if"]["properties"].get("kind", {})
    return found


def test_a_version_that_arrives_later_than_a_newer_one_was_stored_is_not_applied(hr: Hr) -> None:
    """Two versions that overtake each other on the way in: the older is stored first and the newer applied first."""
    hr.deliver("hire")
    hr.send(sample("dismissal_v1"))
    hr.send(sample("dismissal_v2_correction"))
    with hr.looking() as here:
        newer = db.session.scalars(sa.select(Order).where(Order.kind == "dismissal", Order.version == 2)).one()
        apply_order(here, newer)
        db.session.commit()
    hr.work()
    assert hr.states()["1/140-К v1"] == "superseded"
    assert hr.account().closes_at == datetime(2026, 12, 15, 18, tzinfo=UTC)

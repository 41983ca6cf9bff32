"""Reading over X-Road: TLS on both sides, every row of the contract's table of errors, and what is taken of an answer."""

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from connectors import http, xroad
from connectors.base import Correlation, OutcomeKind, TargetError
from connectors.ekyzmat import Ekyzmat, EkyzmatSettings
from connectors.standins.ports import free_port
from connectors.standins.xroad import CLIENT, SERVICE, XRoadStandin
from tests.certificates import both_sides, certificate, new_key, pem, private_pem, self_signed

PERSON = {"family_name": "Мисалова", "given_name": "Анара", "email": "a.sample@example.edu", "title": "доцент"}
PIN = "1" + "0" * 13
RETRYABLE, AUTH, PERMANENT = OutcomeKind.RETRYABLE, OutcomeKind.AUTH, OutcomeKind.PERMANENT


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The client's and the server's."""
    folder = tmp_path_factory.mktemp("certificates")
    return self_signed(folder, "client"), self_signed(folder, "server")


@pytest.fixture
def standin(files: tuple[Path, Path]) -> Iterator[XRoadStandin]:
    ours, server = files
    with XRoadStandin(both_sides(server, ours), ours, server) as running:
        yield running


def connect(standin: XRoadStandin, **changed: Any) -> Ekyzmat:
    return Ekyzmat(replace(standin.settings, **changed))


def key(remote_id: str = "1") -> Correlation:
    return Correlation("acc-1", remote_id, "a.sample", "a.sample@example.edu")


def refusal(act: Callable[[], object]) -> TargetError:
    with pytest.raises(TargetError) as caught:
        act()
    return caught.value


OLD = [
    ("Client.BadRequest", PERMANENT), ("Client.Anything", PERMANENT),
    ("Server.ClientProxy.SslAuthenticationFailed", AUTH), ("Server.ClientProxy.AccessDenied", AUTH),
    ("Server.ClientProxy.UnknownMember", AUTH), ("Server.ServerProxy.AccessDenied", AUTH),
    ("Server.ServerProxy.UnknownService", PERMANENT), ("Server.ServerProxy.ServiceDisabled", PERMANENT),
    ("Server.ServerProxy.NetworkError", RETRYABLE), ("Server.ClientProxy.NetworkError", RETRYABLE),
    ("Server.ClientProxy.IoError", RETRYABLE), ("Server.ServerProxy.ServiceFailed.HttpError", RETRYABLE),
    ("Server.ClientProxy.OutdatedGlobalConf", RETRYABLE), ("Server.ClientProxy.GlobalConfOutdated", RETRYABLE),
    ("Server.ServerProxy.MaintenanceMode", RETRYABLE), ("Server.ClientProxy.LoggingFailed", RETRYABLE),
    ("Server.ServerProxy.LoggingFailed.TimestampingFailed", RETRYABLE), ("Server.ServerProxy.New", RETRYABLE),
    ("Nothing.Known", RETRYABLE),
]  # fmt: skip
NEW = [
    ("client.bad_request", PERMANENT), ("server.clientproxy.ssl_authentication_failed", AUTH),
    ("server.clientproxy.unknown_member", AUTH), ("server.serverproxy.access_denied", AUTH),
    ("server.serverproxy.unknown_service", PERMANENT), ("server.serverproxy.service_disabled", PERMANENT),
    ("server.serverproxy.network_error", RETRYABLE), ("server.serverproxy.service_failed.http_error", RETRYABLE),
]  # fmt: skip


@pytest.mark.parametrize(("code", "kind"), OLD + NEW)
def test_each_error_of_x_road_has_its_outcome_in_old_and_new_spelling(
    standin: XRoadStandin, code: str, kind: OutcomeKind
) -> None:
    standin.errors = [code]
    error = refusal(lambda: connect(standin).find(key()))
    assert error.kind is kind
    assert code in error.detail and "(exchange " in error.detail and PIN not in error.detail


def test_an_error_that_is_no_code_is_not_repeated(standin: XRoadStandin) -> None:
    standin.errors = [f"server {PIN}"]
    error = refusal(lambda: connect(standin).find(key()))
    assert (error.kind, PIN in error.detail) == (RETRYABLE, False)


@pytest.mark.parametrize(("fault", "kind"), [
    (400, PERMANENT), (401, AUTH), (403, AUTH), (404, OutcomeKind.NOT_FOUND), (429, OutcomeKind.THROTTLED),
    (500, RETRYABLE), (503, RETRYABLE), (302, PERMANENT), ("garbage", RETRYABLE), ("hang", RETRYABLE),
])  # fmt: skip
def test_without_an_error_of_x_road_the_status_is_the_provider_s(
    standin: XRoadStandin, fault: int | str, kind: OutcomeKind
) -> None:
    standin.faults = [fault]
    assert refusal(lambda: connect(standin, timeout=0.5).scan(None, 10)).kind is kind


def test_an_answer_to_another_call_is_none(standin: XRoadStandin, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = standin.answer

    def mixed_up(call: Any) -> Any:
        reply = honest(call)
        return replace(reply, headers={**reply.headers, "X-Road-Id": "another"})

    monkeypatch.setattr(standin, "answer", mixed_up)
    assert refusal(lambda: connect(standin).scan(None, 10)).kind is RETRYABLE


def test_each_call_says_who_asks_and_bears_a_number_of_its_own(standin: XRoadStandin) -> None:
    connector = connect(standin)
    for _ in range(2):
        connector.scan(None, 10)
    one, other = standin.heard
    assert one.path == f"/r1/{SERVICE}/v1/employees"
    assert one.headers["x-road-client"] == CLIENT and one.headers["x-road-userid"] == "KGidp-service"
    assert UUID(one.headers["x-road-id"]) != UUID(other.headers["x-road-id"])


def test_parts_of_a_name_are_escaped_one_by_one(standin: XRoadStandin) -> None:
    strange = "central-server/GOV/70000099/ekyzmat-services/h'r?(1)+=,."
    assert refusal(lambda: connect(standin, service=strange).find(key())).kind is PERMANENT
    assert standin.heard[0].path == f"/r1/{strange}/v1/employees/1"


@pytest.mark.parametrize("remote_id", ["1/../2", "..", "1?x=1", "1%2F2", "1#", "ä", "x" * 201])
def test_a_hostile_id_is_never_sent(standin: XRoadStandin, remote_id: str) -> None:
    assert refusal(lambda: connect(standin).find(key(remote_id))).kind is PERMANENT
    assert standin.heard == []


def test_an_address_that_is_too_long_is_never_sent(standin: XRoadStandin) -> None:
    wire = xroad.XRoad(standin.settings)
    assert refusal(lambda: wire.read(["v1"], {"q": "x" * 2000})).kind is PERMANENT
    assert standin.heard == []


# --- TLS on both sides


def expired(folder: Path) -> Path:
    key = new_key()
    made = certificate("client", [], key, now=datetime.now(UTC) - timedelta(days=30))
    (folder / "expired.pem").write_text(private_pem(key) + pem(made))
    return folder / "expired.pem"


@pytest.mark.parametrize("whose", ["a stranger's", "our expired one"])
def test_our_certificate_refused_stops_the_connector(files: tuple[Path, Path], tmp_path: Path, whose: str) -> None:
    ours, server = files
    shown = self_signed(tmp_path, "client") if whose == "a stranger's" else expired(tmp_path)
    taken = shown if whose == "our expired one" else ours
    with XRoadStandin(both_sides(server, taken), shown, server) as standin:
        connector = connect(standin)
        error = refusal(lambda: connector.find(key()))
        assert (error.kind, error.detail) == (AUTH, "our certificate was not accepted")
        health = connector.check()
        assert not health.ok and "our certificate" in health.detail
        assert standin.heard == []


def test_a_server_that_asks_for_a_certificate_gets_none_from_whoever_has_none(standin: XRoadStandin) -> None:
    with http.client(standin.url, seconds=3, ca_file=standin.settings.ca_file) as bare:
        assert refusal(lambda: bare.get("/")).kind is AUTH


def test_only_the_pinned_certificate_of_the_server_counts(standin: XRoadStandin, tmp_path: Path) -> None:
    other = self_signed(tmp_path, "server")
    error = refusal(lambda: connect(standin, ca_file=str(other)).find(key()))
    assert (error.kind, error.detail) == (AUTH, "the certificate was not accepted")
    assert refusal(lambda: connect(standin, url=standin.url.replace("127.0.0.1", "localhost")).find(key())).kind is AUTH


def test_a_server_that_does_not_answer_is_left_after_the_limit_for_connecting(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xroad, "CONNECT", 0.2)
    ours, server = files
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = EkyzmatSettings(url=f"https://127.0.0.1:{silent.getsockname()[1]}", client=CLIENT, service=SERVICE,
                                   certificate=str(ours), key=str(ours), ca_file=str(server))  # fmt: skip
        started = time.monotonic()
        assert refusal(lambda: Ekyzmat(settings).find(key())).kind is RETRYABLE
        assert time.monotonic() - started < 3


def test_every_mistake_in_the_settings_is_told_by_name(files: tuple[Path, Path], tmp_path: Path) -> None:
    ours, server = files
    good = EkyzmatSettings(url=f"https://127.0.0.1:{free_port()}", client=CLIENT, service=SERVICE,
                           certificate=str(ours), key=str(ours), ca_file=str(server))  # fmt: skip
    (tmp_path / "none.pem").write_text("no certificate")
    foreign = str(self_signed(tmp_path, "client"))
    for changed, told in [
        ({"client": "idp"}, "client: "), ({"service": f"{SERVICE}/../x"}, "service: "), ({"user_id": PIN}, "user_id: "),
        ({"url": "http://127.0.0.1:1"}, "https"), ({"key": foreign}, foreign), ({"ca_file": "/nowhere.pem"}, "/nowhere.pem"),
        ({"certificate": str(tmp_path / "none.pem")}, "none.pem"), ({"people": "v1/../x"}, "people: "),
        ({"fields": {"home_address": "address"}}, "fields.home_address"), ({"id": ""}, "id: "),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=told):
            Ekyzmat(replace(good, **changed))


# --- e-Kyzmat


def test_of_an_employee_no_more_is_taken_than_the_mapping_names(standin: XRoadStandin) -> None:
    remote_id = standin.employ(PERSON)
    [found] = connect(standin).scan(None, 10).remotes
    assert (found.id, found.active, found.account_id) == (remote_id, True, "")
    assert found.attributes == PERSON
    assert PIN not in repr(found)


def test_the_mapping_is_configuration(standin: XRoadStandin) -> None:
    standin.employ(PERSON)
    standin.employees["1"]["state"] = "left"
    connector = connect(standin, fields={"department_name": "office.nameRu"}, ended=("left",))
    [found] = connector.scan(None, 10).remotes
    assert (found.active, found.attributes) == (False, {"department_name": "Физика"})


def test_a_state_that_nobody_explained_is_not_taken_for_closed(standin: XRoadStandin) -> None:
    standin.employ(PERSON, "onSomething")
    assert [one.active for one in connect(standin).scan(None, 10).remotes] == [True]


@pytest.mark.parametrize(
    "record", [{"id": "1"}, {"state": "working"}, {"id": "a/b", "state": "x"}, {"id": True, "state": "x"}]
)
def test_a_record_that_cannot_be_read_ends_the_scan(standin: XRoadStandin, record: dict[str, Any]) -> None:
    standin.employees["1"] = record
    assert refusal(lambda: connect(standin).scan(None, 10)).kind is PERMANENT


def test_a_service_that_does_not_page_is_found_out(standin: XRoadStandin) -> None:
    standin.employ(PERSON)
    standin.ignores_paging = True
    page = connect(standin).scan(None, 10)
    assert refusal(lambda: connect(standin).scan(page.cursor, 10)).kind is PERMANENT


def test_a_service_that_gives_fewer_than_asked_is_read_to_its_end(standin: XRoadStandin) -> None:
    standin.page_max = 2
    made = [standin.employ(PERSON) for _ in range(5)]
    connector, ids, cursor = connect(standin), [], None
    while (page := connector.scan(cursor, 100)).cursor:
        ids += [one.id for one in page.remotes]
        cursor = page.cursor
    assert ids == made


def test_an_answer_without_the_list_is_told_as_a_wrong_mapping(standin: XRoadStandin) -> None:
    error = refusal(lambda: connect(standin, records="people").scan(None, 10))
    assert (error.kind, error.detail) == (PERMANENT, "the answer has no list at people")


def test_a_service_that_was_not_opened_to_us_is_told_before_the_first_night(standin: XRoadStandin) -> None:
    standin.opened = set()
    health = connect(standin).check()
    assert not health.ok and health.detail == "the provider has not opened hr to our subsystem"

"""What is particular to services told by a map: Koha that replaces the whole, 1C that takes doubles, and how both fail."""

import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.base import Correlation, Json, OutcomeKind, TargetError, Wanted
from connectors.rest import Rest, RestSettings
from connectors.rest_map import SHIPPED
from connectors.rest_record import Expiry
from connectors.standins.koha import ENROLLED_UNTIL, KohaStandin
from connectors.standins.loopback import Loopback
from connectors.standins.onec import OneCStandin
from tests.certificates import self_signed

ATTRIBUTES: dict[str, Json] = {"login": "aida", "email": "aida@example.edu", "given_name": "Аида", "family_name": "Асанова",
                               "display_name": "Аида Асанова", "phone": "0312 000000"}  # fmt: skip
WANTED = Wanted("acc-1", 1, True, ATTRIBUTES)
OTHER = Wanted("acc-2", 1, True, {**ATTRIBUTES, "login": "bolot", "email": "bolot@example.edu"})
KEY = Correlation("acc-1", None, "aida", "aida@example.edu")
HOSTILE = ["' or '1' eq '1", "a'b", '"}, {"userid": "x', "aida' or Логин eq 'aida", "a&$top=1", "a\\", "{login}", "%27"]


@pytest.fixture
def koha() -> Iterator[KohaStandin]:
    with KohaStandin() as standin:
        yield standin


@pytest.fixture
def onec() -> Iterator[OneCStandin]:
    with OneCStandin() as standin:
        yield standin


@pytest.fixture(params=["koha", "onec"])
def standin(request: pytest.FixtureRequest) -> Loopback:
    found: Loopback = request.getfixturevalue(request.param)
    return found


def connect(standin: Any, **changed: Any) -> Rest:
    return Rest(replace(standin.settings, **{"timeout": 0.5, **changed}))


def own_map(folder: Path, name: str, *changes: tuple[str, str]) -> str:
    """Path to a copy of a map that ships, changed."""
    text = (SHIPPED / f"{name}.toml").read_text("utf8")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    (folder / "own.toml").write_text(text, "utf8")
    return str(folder / "own.toml")


def refusal(act: Callable[[], object]) -> TargetError:
    with pytest.raises(TargetError) as caught:
        act()
    return caught.value


FAULTS = [
    (500, OutcomeKind.RETRYABLE), (503, OutcomeKind.RETRYABLE), (429, OutcomeKind.THROTTLED), (403, OutcomeKind.AUTH),
    (409, OutcomeKind.CONFLICT), (412, OutcomeKind.CONFLICT), (400, OutcomeKind.PERMANENT), (405, OutcomeKind.PERMANENT),
    (302, OutcomeKind.PERMANENT), ("garbage", OutcomeKind.RETRYABLE), ("hang", OutcomeKind.RETRYABLE),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "kind"), FAULTS)
def test_each_fault_of_a_look_up_has_its_outcome(standin: Loopback, fault: int | str, kind: OutcomeKind) -> None:
    connector = connect(standin)
    assert connector.find(KEY) is None
    standin.faults = [fault, fault, fault]  # a token may be fetched anew in between
    assert refusal(lambda: connector.find(KEY)).kind is kind


@pytest.mark.parametrize(("fault", "kind"), [*FAULTS, (404, OutcomeKind.NOT_FOUND)])
def test_each_fault_of_an_update_has_its_outcome(standin: Loopback, fault: int | str, kind: OutcomeKind) -> None:
    connector = connect(standin)
    made = connector.create(WANTED, "op")
    standin.faults = [fault, fault, fault]
    assert refusal(lambda: connector.update(made.id, {"active": False}, "op")).kind is kind


@pytest.mark.parametrize("fault", ["hang", "garbage"])
def test_a_lost_answer_to_a_create_is_unknown_and_a_look_tells(standin: Loopback, fault: str) -> None:
    connector = connect(standin)
    connector.find(KEY)
    lookups = 1 if isinstance(standin, KohaStandin) else 3  # by account id, in 1C also by login and address
    standin.faults = [*["none"] * lookups, fault]
    assert refusal(lambda: connector.create(WANTED, "op")).kind is OutcomeKind.UNKNOWN
    assert connector.find(KEY) is not None


def test_throttling_tells_how_long(standin: Loopback) -> None:
    connector = connect(standin)
    connector.find(KEY)
    standin.faults = [429]
    assert refusal(lambda: connector.find(KEY)).retry_after == 7.0


@pytest.mark.parametrize("made", [KohaStandin, OneCStandin])
def test_a_certificate_nobody_vouches_for_stops_the_connector(made: type[Any], tmp_path: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(self_signed(tmp_path))
    with made(tls=tls) as standin:
        stranger = connect(standin, timeout=3.0)
        assert refusal(lambda: stranger.find(KEY)).kind is OutcomeKind.AUTH
        assert not stranger.check().ok
        assert connect(standin, timeout=3.0, ca_file=str(tmp_path / "server.pem")).check().ok


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_are_only_values(standin: Loopback, value: str) -> None:
    connector = connect(standin)
    made = connector.create(WANTED, "op")
    assert connector.find(replace(KEY, account_id=value)) is None
    hostile = Wanted(value, 1, True, {**ATTRIBUTES, "login": value, "email": value, "family_name": value})
    other = connector.create(hostile, "op")
    assert other.id != made.id and other.account_id == value and other.attributes["login"] == value
    connector.update(other.id, {"email": value + "'"}, "op")
    found = connector.find(replace(KEY, account_id=value))
    assert found is not None and found.attributes["email"] == value + "'"
    assert connector.find(KEY) == made


@pytest.mark.parametrize("remote_id", ["1/../1", "..", "1' or '1", "1%2Fx", "a\nb"])
def test_a_hostile_id_reaches_nothing(standin: Loopback, remote_id: str) -> None:
    connector = connect(standin)
    connector.create(WANTED, "op")
    error = refusal(lambda: connector.update(remote_id, {"active": False}, "op"))
    assert error.kind in (OutcomeKind.PERMANENT, OutcomeKind.NOT_FOUND) and remote_id not in error.detail


def test_an_account_made_by_others_is_seen_as_nobody_s(koha: KohaStandin) -> None:
    connector = connect(koha)
    made = connector.create(WANTED, "op")
    koha.patrons[int(made.id)]["extended_attributes"] = [{"type": "HOBBY", "value": "acc-1"}]
    assert connector.find(KEY) is None
    assert [one.account_id for one in connector.scan(None, 10).remotes] == [""]


# --- Koha


def test_a_reader_gets_what_koha_demands_and_keeps_the_library_s_own_day(koha: KohaStandin) -> None:
    made = connect(koha).create(WANTED, "op")
    patron = koha.patrons[int(made.id)]
    assert (patron["library_id"], patron["category_id"], patron["cardnumber"]) == ("MAIN", "READER", "aida")
    assert patron["expiry_date"] == ENROLLED_UNTIL and made.active and patron["middle_name"] is None


def test_a_reader_who_left_is_expired_since_yesterday_by_the_clock_of_koha(koha: KohaStandin) -> None:
    connector = connect(koha)
    made = connector.create(WANTED, "op")
    patron = koha.patrons[int(made.id)]
    connector.update(made.id, {"active": False}, "op")
    last_day = koha.patrons[int(made.id)]["expiry_date"]
    assert last_day < patron["expiry_date"] and connector.find(KEY) == replace(made, active=False)
    koha.patrons[int(made.id)]["expiry_date"] = "2020-06-30"
    connector.update(made.id, {"active": False}, "op")
    assert koha.patrons[int(made.id)]["expiry_date"] == "2020-06-30", "the day somebody left stays"
    connector.update(made.id, {"active": True}, "op")
    assert koha.patrons[int(made.id)]["expiry_date"] == "2099-12-31"


def test_the_last_day_is_a_day_on_which_an_account_is_open_and_without_a_clock_nothing_is_said() -> None:
    card, last = Expiry("until", date(2099, 12, 31)), {"until": "2026-03-01"}
    assert card.read(last, date(2026, 3, 1)) and not card.read(last, date(2026, 3, 2))
    assert card.write(False, last, date(2026, 3, 1)) == {"until": "2026-02-28"}
    assert refusal(lambda: card.read(last, None)).kind is OutcomeKind.PERMANENT


def test_a_card_without_an_end_is_open(koha: KohaStandin) -> None:
    connector = connect(koha)
    made = connector.create(WANTED, "op")
    koha.patrons[int(made.id)]["expiry_date"] = None
    assert connector.find(KEY) == made


def test_a_login_or_card_of_another_reader_is_a_conflict_also_when_renaming(koha: KohaStandin) -> None:
    connector = connect(koha)
    connector.create(WANTED, "op")
    other = connector.create(OTHER, "op")
    assert refusal(lambda: connector.update(other.id, {"login": "aida"}, "op")).kind is OutcomeKind.CONFLICT


def test_nothing_is_written_when_nothing_of_ours_changes(koha: KohaStandin) -> None:
    connector = connect(koha)
    made = connector.create(WANTED, "op")
    koha.calls.clear()
    connector.update(made.id, {"duties": "x"}, "op")
    assert koha.calls == []


def test_one_token_serves_many_calls_and_a_forgotten_one_is_fetched_anew(koha: KohaStandin) -> None:
    connector = connect(koha)
    connector.find(KEY)
    connector.find(KEY)
    assert koha.calls.count("POST /oauth/token") == 1
    koha.tokens.clear()
    assert connector.find(KEY) is None
    assert koha.calls.count("POST /oauth/token") == 2


def test_a_client_that_is_not_known_any_more_is_asked_for_a_token_once(koha: KohaStandin) -> None:
    connector = connect(koha, secret="wrong")
    assert refusal(lambda: connector.find(KEY)).kind is OutcomeKind.AUTH
    assert koha.calls == ["POST /oauth/token"]
    koha.faults = [400]
    assert refusal(lambda: connector.find(KEY)).kind is OutcomeKind.AUTH


# --- 1C


def test_a_user_of_1c_is_named_once_and_afterwards_only_login_and_address_are_ours(onec: OneCStandin) -> None:
    connector = connect(onec)
    made = connector.create(WANTED, "op")
    assert onec.users[made.id]["Description"] == "Аида Асанова"
    connector.update(made.id, {"display_name": "X", "email": "a@example.edu"}, "op")
    assert (onec.users[made.id]["Description"], onec.users[made.id]["Почта"]) == ("Аида Асанова", "a@example.edu")


def test_closing_marks_for_deletion_and_deletes_nothing(onec: OneCStandin) -> None:
    connector = connect(onec)
    made = connector.create(WANTED, "op")
    connector.update(made.id, {"active": False}, "op")
    assert onec.users[made.id]["DeletionMark"] is True and not connector.capabilities.delete


@pytest.mark.parametrize("name", ["login", "email"])
def test_a_login_or_address_that_1c_would_give_twice_is_refused_beforehand(onec: OneCStandin, name: str) -> None:
    connector = connect(onec)
    connector.create(WANTED, "op")
    double = replace(OTHER, attributes={**OTHER.attributes, name: str(ATTRIBUTES[name]).upper()})
    onec.calls.clear()
    error = refusal(lambda: connector.create(double, "op"))
    assert (error.kind, error.detail) == (OutcomeKind.CONFLICT, f"another account has this {name}")
    other = connector.create(OTHER, "op")
    change = {name: ATTRIBUTES[name]}
    assert refusal(lambda: connector.update(other.id, change, "op")).kind is OutcomeKind.CONFLICT
    assert not [call for call in onec.calls if call.startswith("PATCH")]


def test_two_users_with_one_external_id_are_for_a_person_to_sort_out(onec: OneCStandin) -> None:
    connector = connect(onec)
    made = connector.create(WANTED, "op")
    onec.users["x"] = {**onec.users[made.id], "Ref_Key": "x"}
    assert refusal(lambda: connector.find(KEY)).kind is OutcomeKind.CONFLICT


# --- services that do not do what the map believes


@pytest.mark.parametrize(("changes", "act"), [
    ([("""{ "$filter" = "ИдентификаторУчетнойЗаписи eq '{account_id}'" }""", "{}")], "find"),
    ([("""{ "$filter" = "Логин eq '{login}'" }""", "{}")], "create"),
])  # fmt: skip
def test_a_filter_that_is_not_kept_to_is_found_out(
    onec: OneCStandin, tmp_path: Path, changes: list[tuple[str, str]], act: str
) -> None:
    connect(onec).create(WANTED, "op")
    connector = connect(onec, map=own_map(tmp_path, "onec", *changes))
    key = replace(KEY, account_id="acc-9")
    error = refusal((lambda: connector.find(key)) if act == "find" else (lambda: connector.create(OTHER, "op")))
    assert error.kind is OutcomeKind.PERMANENT and "did not keep to the filter" in error.detail
    assert len(onec.users) == 1


def test_a_service_that_does_not_page_is_found_out(onec: OneCStandin, tmp_path: Path) -> None:
    connect(onec).create(WANTED, "op")
    connector = connect(onec, map=own_map(tmp_path, "onec", ('"$skip" = "{offset}", ', "")))
    page = connector.scan(None, 10)
    assert refusal(lambda: connector.scan(page.cursor, 10)).kind is OutcomeKind.PERMANENT


def test_a_scan_goes_on_where_it_was_whatever_is_asked_for_then(standin: Loopback) -> None:
    connector = connect(standin)
    people = [Wanted(f"a-{n}", 1, True, {**ATTRIBUTES, "login": f"l{n}", "email": f"{n}@x.edu"}) for n in range(5)]
    made = {connector.create(one, "op").id for one in people}
    first = connector.scan(None, 2)
    second = connect(standin).scan(first.cursor, 50)
    third = connect(standin).scan(second.cursor, 3)
    assert {one.id for page in (first, second, third) for one in page.remotes} == made
    assert connector.scan(third.cursor, 3).cursor is None


@pytest.mark.parametrize(("before", "after", "told"), [
    ('list = "value"', 'list = "items"', "the answer has no list at items"),
    ('id = "Ref_Key"', 'id = "Key"', "the answer has no id in Key"),
    ('inverted = "DeletionMark"', 'inverted = "Code"', "the answer has no true or false in Code"),
])  # fmt: skip
def test_an_answer_of_another_shape_is_told_in_the_check(
    onec: OneCStandin, tmp_path: Path, before: str, after: str, told: str
) -> None:
    connect(onec).create(WANTED, "op")
    health = connect(onec, map=own_map(tmp_path, "onec", (before, after))).check()
    assert not health.ok and health.detail == f"permanent: {told}"


def test_a_bearer_token_opens_as_well(koha: KohaStandin, tmp_path: Path) -> None:
    koha.tokens.add("of-an-administrator")
    bearer = ('by = "client-credentials"\npath = "/oauth/token"', 'by = "bearer"')
    connector = connect(koha, map=own_map(tmp_path, "koha", bearer), user="", secret="of-an-administrator")
    assert connector.check().ok and "POST /oauth/token" not in koha.calls


def test_settings_show_no_secret() -> None:
    assert "hidden" not in repr(RestSettings(url="https://x.example.edu", map="koha", secret="hidden"))

"""What is particular to Moodle: hidden reasons, doubled people, lost answers, rights that make people invisible."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.base import Correlation, OutcomeKind, TargetError, Wanted
from connectors.moodle import Moodle
from connectors.standins.moodle import MoodleStandin

ATTRIBUTES = {"login": "aida", "email": "aida@example.edu", "given_name": "Аида", "family_name": "Асанова"}
WANTED = Wanted("acc-1", 1, True, ATTRIBUTES)
KEY = Correlation("acc-1", None, "aida", "aida@example.edu")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[MoodleStandin]:
    with MoodleStandin(tmp_path) as standin:
        yield standin


@pytest.fixture
def moodle(site: MoodleStandin) -> Moodle:
    return Moodle(replace(site.settings, timeout=0.5))


def refusal(act: Callable[[], object]) -> OutcomeKind:
    with pytest.raises(TargetError) as caught:
        act()
    return caught.value.kind


def test_an_account_signs_in_through_us_and_gets_no_password(site: MoodleStandin, moodle: Moodle) -> None:
    user = site.site.users[int(moodle.create(WANTED, "op").id)]
    assert user["auth"] == "oauth2" and user["idnumber"] == "acc-1" and "password" not in user


def test_capitals_of_a_login_are_folded_for_moodle(moodle: Moodle) -> None:
    assert (
        moodle.create(replace(WANTED, attributes={**ATTRIBUTES, "login": "Aida"}), "op").attributes["login"] == "aida"
    )


def test_a_taken_address_is_named_before_moodle_answers_without_a_reason(site: MoodleStandin, moodle: Moodle) -> None:
    moodle.create(WANTED, "op")
    other = Wanted("acc-2", 1, True, {**ATTRIBUTES, "login": "other", "email": "AIDA@example.edu"})
    site.calls.clear()
    assert refusal(lambda: moodle.create(other, "op")) is OutcomeKind.CONFLICT
    assert "core_user_create_users" not in site.calls


def test_a_warning_of_an_update_is_a_failure(moodle: Moodle) -> None:
    moodle.create(WANTED, "op")
    other = moodle.create(Wanted("acc-2", 1, True, {**ATTRIBUTES, "login": "b", "email": "b@example.edu"}), "op")
    assert refusal(lambda: moodle.update(other.id, {"email": "aida@example.edu"}, "op")) is OutcomeKind.CONFLICT
    assert refusal(lambda: moodle.update(other.id, {"login": "aida"}, "op")) is OutcomeKind.CONFLICT
    assert refusal(lambda: moodle.update("2", {"active": False}, "op")) is OutcomeKind.PERMANENT


@pytest.mark.parametrize("changes", [{"family_name": ""}, {"given_name": "Я" * 101}, {"email": None}])
def test_a_value_moodle_would_swallow_or_choke_on_is_not_sent(
    site: MoodleStandin, moodle: Moodle, changes: dict[str, str | None]
) -> None:
    made = moodle.create(WANTED, "op")
    site.calls.clear()
    assert refusal(lambda: moodle.update(made.id, changes, "op")) is OutcomeKind.PERMANENT
    assert site.calls == []


def test_two_users_with_one_external_id_are_for_a_person_to_sort_out(site: MoodleStandin, moodle: Moodle) -> None:
    made = moodle.create(WANTED, "op")
    double = {**site.site.users[int(made.id)], "id": 99, "username": "double", "email": "d@example.edu"}
    site.site.users[99] = double
    assert refusal(lambda: moodle.find(KEY)) is OutcomeKind.CONFLICT


def test_a_deleted_user_that_moodle_still_shows_is_not_found(moodle: Moodle) -> None:
    made = moodle.create(WANTED, "op")
    moodle.delete(made.id, "op")
    assert moodle.find(replace(KEY, remote_id=made.id)) is None
    assert refusal(lambda: moodle.update(made.id, {"active": True}, "op")) is OutcomeKind.NOT_FOUND
    assert moodle.create(WANTED, "op").id != made.id


def test_parallel_creates_of_one_person_leave_one(moodle: Moodle) -> None:
    def create(number: int) -> str:
        try:
            return moodle.create(WANTED, f"op-{number}").id
        except TargetError as error:
            return error.kind.value

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(create, range(6)))
    assert answers.count("conflict") == 5


def test_a_lost_answer_to_a_create_is_unknown_and_a_look_tells(site: MoodleStandin, moodle: Moodle) -> None:
    original = site.answer

    def hang_on_create(form: dict[str, str]) -> object:
        answer = original(form)
        if site.calls[-1] == "core_user_create_users":
            site.stopping.wait(2)
        return answer

    site.answer = hang_on_create  # type: ignore[method-assign]
    assert refusal(lambda: moodle.create(WANTED, "op")) is OutcomeKind.UNKNOWN
    assert moodle.find(KEY) is not None


@pytest.mark.parametrize(("fault", "kind"), [
    (500, OutcomeKind.RETRYABLE), (503, OutcomeKind.RETRYABLE), (429, OutcomeKind.THROTTLED), (403, OutcomeKind.AUTH),
    (413, OutcomeKind.PERMANENT), ("garbage", OutcomeKind.RETRYABLE), ("hang", OutcomeKind.RETRYABLE),
    ("sitemaintenance", OutcomeKind.RETRYABLE), ("dbconnectionfailed", OutcomeKind.RETRYABLE),
    ("accessexception", OutcomeKind.AUTH), ("invalidresponse", OutcomeKind.PERMANENT),
])  # fmt: skip
def test_each_fault_has_its_outcome(site: MoodleStandin, moodle: Moodle, fault: int | str, kind: OutcomeKind) -> None:
    site.faults.append(fault)
    assert refusal(lambda: moodle.find(KEY)) is kind


@pytest.mark.parametrize("capability", ["moodle/user:viewalldetails", "moodle/user:viewdetails"])
def test_it_refuses_to_run_where_people_would_look_absent(site: MoodleStandin, moodle: Moodle, capability: str) -> None:
    site.site.capabilities.remove(capability)
    health = moodle.check()
    assert not health.ok and "viewalldetails" in health.detail


def test_it_refuses_to_run_without_its_functions(site: MoodleStandin, moodle: Moodle) -> None:
    del site.site.functions["core_user_update_users"]
    assert moodle.check().detail == "the service lacks core_user_update_users"


def test_ending_sessions_leaves_an_open_account_open_and_a_closed_one_closed(
    site: MoodleStandin, moodle: Moodle
) -> None:
    made = moodle.create(WANTED, "op")
    site.calls.clear()
    moodle.end_sessions(made.id)
    assert site.calls.count("core_user_update_users") == 2 and not site.site.users[int(made.id)]["suspended"]
    moodle.update(made.id, {"active": False}, "op")
    moodle.end_sessions(made.id)
    assert site.site.users[int(made.id)]["suspended"]
    assert refusal(lambda: moodle.end_sessions("999")) is OutcomeKind.NOT_FOUND

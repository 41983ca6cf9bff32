"""Cohorts and roles in Moodle: who is in them follows department, group and programs, and nobody else's are touched."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors.base import Correlation, Json, OutcomeKind, Remote, TargetError, Wanted
from connectors.moodle import UNREAD, Moodle, MoodleSettings
from connectors.plan import Change, Plan, drift, plan
from connectors.standins.moodle import MoodleStandin
from idp.provisioning.bring import bring

ATTRIBUTES: dict[str, Json] = {
    "login": "aida", "email": "aida@example.edu", "given_name": "Аида", "family_name": "Асанова",
    "department": "FIT", "department_name": "Факультет ИТ", "student_group": "", "programs": [],
}  # fmt: skip
AIDA = Wanted("acc-1", 1, True, ATTRIBUTES)
KEY = Correlation("acc-1", None, "aida", "aida@example.edu")
FIT, PHYSICS = "achkych:department:FIT", "achkych:department:0407"
TEACHERS, CREATORS = "achkych:program:moodle.teacher", "achkych:role:2"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[MoodleStandin]:
    with MoodleStandin(tmp_path) as standin:
        yield standin


@pytest.fixture
def moodle(site: MoodleStandin) -> Moodle:
    return Moodle(replace(site.with_cohorts, timeout=1.0))


def keep(moodle: Moodle, wanted: Wanted = AIDA) -> Plan:
    return bring(moodle, wanted, KEY, "op").plan


def changed(**attributes: Json) -> Wanted:
    return replace(AIDA, attributes=ATTRIBUTES | attributes)


def seen(moodle: Moodle) -> Remote:
    found = moodle.find(KEY)
    assert found is not None
    return found


def names(site: MoodleStandin) -> dict[str, str]:
    return {cohort["idnumber"]: cohort["name"] for cohort in site.cohorts.table.values()}


def refusal(act: Callable[[], object]) -> TargetError:
    with pytest.raises(TargetError) as caught:
        act()
    return caught.value


def test_cohorts_follow_department_and_group_and_others_are_let_alone(site: MoodleStandin, moodle: Moodle) -> None:
    keep(moodle)
    one = int(seen(moodle).id)
    for foreign in ("choir", "achkych:choir", "achkych2:department:FIT", ""):
        site.cohorts.put(foreign, one)
    others = {"choir": [one], "achkych:choir": [one], "achkych2:department:FIT": [one], "": [one]}
    assert site.cohorts.people() == {FIT: [one], **others}
    keep(moodle, changed(department="0407", student_group="ИВТ-1-24"))
    assert site.cohorts.people() == {FIT: [], PHYSICS: [one], "achkych:group:ИВТ-1-24": [one], **others}
    keep(moodle, changed(department="", student_group=None))
    assert site.cohorts.people() == {FIT: [], PHYSICS: [], "achkych:group:ИВТ-1-24": [], **others}


def test_members_whom_somebody_else_entered_stay(site: MoodleStandin, moodle: Moodle) -> None:
    site.cohorts.put(FIT, 2)
    keep(moodle)
    keep(moodle, changed(department="0407"))
    assert site.cohorts.people()[FIT] == [2]


def test_a_membership_that_somebody_changed_shows_and_is_put_right(site: MoodleStandin, moodle: Moodle) -> None:
    keep(moodle)
    one = int(seen(moodle).id)
    site.cohorts.put(PHYSICS, one)
    change = {"department": Change("0407, FIT", "FIT")}
    assert plan(AIDA, seen(moodle), moodle.capabilities).changes == change
    assert drift(AIDA, moodle.scan("a", 10).remotes[-1], moodle.capabilities) == change
    keep(moodle)
    site.cohorts.members[1].clear()
    assert plan(AIDA, seen(moodle), moodle.capabilities).changes == {"department": Change(None, "FIT")}
    keep(moodle)
    assert site.cohorts.people() == {FIT: [one], PHYSICS: []}


def test_of_two_cohorts_with_one_idnumber_the_elder_counts(site: MoodleStandin, moodle: Moodle) -> None:
    """Moodle looks before it inserts, so two processes may make it twice."""
    keep(moodle)
    one = int(seen(moodle).id)
    site.cohorts.members[site.cohorts.put(FIT)], site.cohorts.members[1] = [one], []
    assert seen(moodle).attributes["department"] == "FIT (cohort 2)"
    keep(moodle)
    assert (site.cohorts.members, seen(moodle).attributes["department"]) == ({1: [one], 2: []}, "FIT")


def test_an_idnumber_in_other_letters_is_the_same_cohort(site: MoodleStandin, moodle: Moodle) -> None:
    """Moodle compares them so: a second could not be made."""
    site.cohorts.put("achkych:group:ивт-1-24")
    keep(moodle, changed(student_group="ИВТ-1-24"))
    assert site.cohorts.people()["achkych:group:ивт-1-24"] == [int(seen(moodle).id)]
    assert keep(moodle, changed(student_group="ИВТ-1-24")).act == "nothing"


def test_the_name_of_a_department_is_the_cohort_s(site: MoodleStandin, moodle: Moodle) -> None:
    keep(moodle)
    assert names(site) == {FIT: "Факультет ИТ"}
    keep(moodle, changed(department_name="Институт ИТ"))
    assert names(site) == {FIT: "Институт ИТ"}
    keep(moodle, changed(department="0407", department_name="", student_group="A-1"))
    assert names(site) == {FIT: "Институт ИТ", PHYSICS: "0407", "achkych:group:A-1": "A-1"}


def test_another_s_cohort_is_not_renamed_by_whoever_leaves_it(site: MoodleStandin, moodle: Moodle) -> None:
    keep(moodle)
    keep(moodle, changed(department="0407", department_name="Кафедра физики"))
    assert names(site) == {FIT: "Факультет ИТ", PHYSICS: "Кафедра физики"}


def test_a_teacher_has_the_role_as_long_as_the_program(site: MoodleStandin, moodle: Moodle) -> None:
    keep(moodle, changed(programs=["moodle.teacher", "moodle.author"]))
    one = int(seen(moodle).id)
    assert site.cohorts.roles == {(2, one)} and seen(moodle).attributes["programs"] == [
        "moodle.author",
        "moodle.teacher",
    ]
    assert site.cohorts.people() | {FIT: [one], TEACHERS: [one], CREATORS: [one]} == site.cohorts.people()
    keep(moodle, changed(programs=["moodle.author"]))
    assert site.cohorts.roles == set() and site.cohorts.people()[CREATORS] == []


def test_roles_that_are_switched_on_later_are_a_difference_and_given(site: MoodleStandin, moodle: Moodle) -> None:
    teacher = changed(programs=["moodle.teacher"])
    before = Moodle(replace(site.with_cohorts, roles={}))
    keep(before, teacher)
    assert site.cohorts.roles == set()
    assert seen(moodle).attributes["programs"] == ["moodle.teacher (no role 2)"]
    keep(moodle, teacher)
    assert site.cohorts.roles == {(2, int(seen(moodle).id))}
    assert seen(before).attributes["programs"] == ["moodle.teacher", "role 2"]


def test_a_role_is_taken_before_its_cohort_is_left(site: MoodleStandin, moodle: Moodle) -> None:
    """Otherwise a failure in between would leave a role that nobody sees any more."""
    keep(moodle, changed(programs=["moodle.teacher"]))
    one = int(seen(moodle).id)
    site.site.capabilities.remove("moodle/role:assign")
    error = refusal(lambda: keep(moodle, changed(programs=[])))
    assert error.kind is OutcomeKind.PERMANENT and "moodle/role:assign" in error.detail
    assert site.cohorts.roles == {(2, one)} and site.cohorts.people()[CREATORS] == [one]
    assert seen(moodle).attributes["programs"]


def test_leaving_the_double_of_a_role_s_cohort_takes_no_role(site: MoodleStandin, moodle: Moodle) -> None:
    teacher = changed(programs=["moodle.teacher"])
    keep(moodle, teacher)
    site.cohorts.put(CREATORS, 4)
    assert seen(moodle).attributes["programs"] == ["moodle.teacher", "role 2 (cohort 4)"]
    keep(moodle, teacher)
    assert site.cohorts.roles == {(2, 4)} and site.cohorts.members[4] == []


def test_closing_leaves_cohorts_and_roles_as_they_were(site: MoodleStandin, moodle: Moodle) -> None:
    teacher = changed(programs=["moodle.teacher"])
    keep(moodle, teacher)
    people, roles = site.cohorts.people(), set(site.cohorts.roles)
    keep(moodle, replace(teacher, active=False))
    assert not seen(moodle).active and (site.cohorts.people(), site.cohorts.roles) == (people, roles)
    keep(moodle, replace(changed(programs=[]), active=True))
    assert site.cohorts.roles == set() and seen(moodle).active


def test_cohorts_that_may_not_be_read_keep_no_account_open(site: MoodleStandin, moodle: Moodle) -> None:
    """Whoever stays open is not taken for somebody as wanted; the reason is told."""
    keep(moodle)
    site.site.capabilities.remove("moodle/cohort:view")
    assert seen(moodle).attributes["department"] == UNREAD
    assert refusal(lambda: keep(moodle)).kind is OutcomeKind.AUTH
    keep(moodle, replace(AIDA, active=False))
    assert site.site.users[4]["suspended"]
    assert refusal(lambda: moodle.scan("a", 10)).kind is OutcomeKind.AUTH


def test_an_account_that_could_not_be_entered_is_entered_at_the_next_try(site: MoodleStandin, moodle: Moodle) -> None:
    site.site.capabilities.remove("moodle/cohort:assign")
    assert refusal(lambda: keep(moodle)).kind is OutcomeKind.AUTH
    site.site.capabilities.add("moodle/cohort:assign")
    keep(moodle)
    assert site.cohorts.people() == {FIT: [4]}


def test_a_scan_asks_no_question_per_person(site: MoodleStandin, moodle: Moodle) -> None:
    for number in range(5):
        names = {"login": f"a{number}", "email": f"a{number}@example.edu", "student_group": f"A-{number}"}
        moodle.create(Wanted(f"acc-{number}", 1, True, ATTRIBUTES | names), "op")
    site.calls.clear()
    remotes = [one for one in moodle.scan("a", 10).remotes if one.account_id]
    assert [one.attributes["student_group"] for one in remotes] == [f"A-{number}" for number in range(5)]
    assert site.calls == ["core_user_get_users", "core_cohort_get_cohorts", "core_cohort_get_cohort_members"]
    site.calls.clear()
    assert not moodle.scan("q", 10).remotes and site.calls == ["core_user_get_users"]


def test_many_cohorts_are_asked_for_in_portions(site: MoodleStandin, moodle: Moodle) -> None:
    """PHP drops the fields beyond a thousand without a word."""
    for number in range(450):
        site.cohorts.put(f"achkych:group:{number}", *([2] if number == 449 else []))
    site.calls.clear()
    assert moodle.scan("a", 10).remotes[-1].attributes["student_group"] == "449"
    assert site.calls.count("core_cohort_get_cohort_members") == 3


def answering(site: MoodleStandin, function: str, answer: Any) -> None:
    """Have one function answer otherwise."""
    site.site.functions[function] = lambda _: answer


def test_a_cohort_missing_from_the_answer_is_not_taken_for_empty(site: MoodleStandin, moodle: Moodle) -> None:
    keep(moodle)
    answering(site, "core_cohort_get_cohort_members", [])
    assert refusal(lambda: moodle.scan("a", 10)).kind is OutcomeKind.RETRYABLE
    assert refusal(lambda: moodle.update("4", {"department": "0407"}, "op")).kind is OutcomeKind.RETRYABLE


@pytest.mark.parametrize(("code", "kind"), [("1", OutcomeKind.PERMANENT), ("2", OutcomeKind.RETRYABLE)])
def test_a_warning_about_a_member_is_a_failure(
    site: MoodleStandin, moodle: Moodle, code: str, kind: OutcomeKind
) -> None:
    answering(site, "core_cohort_add_cohort_members", {"warnings": [{"warningcode": code, "message": "user id=4"}]})
    error = refusal(lambda: keep(moodle))
    assert error.kind is kind and "id=4" not in error.detail


def test_whoever_is_a_member_already_is_no_failure(site: MoodleStandin, moodle: Moodle) -> None:
    keep(moodle)
    moodle._places._cohorts.enter("4", moodle._places._cohorts.ours())  # type: ignore[union-attr]
    assert site.cohorts.people() == {FIT: [4]}


def test_a_cohort_that_is_removed_meanwhile_is_made_again_at_the_next_try(site: MoodleStandin, moodle: Moodle) -> None:
    keep(moodle)
    original = site.site.functions["core_cohort_get_cohorts"]
    site.site.functions["core_cohort_get_cohorts"] = lambda told: [*original(told), original(told)[0] | {"id": 99}]
    assert refusal(lambda: moodle.scan("a", 10)).kind is OutcomeKind.RETRYABLE
    site.site.functions["core_cohort_get_cohorts"] = original
    site.cohorts.table.clear()
    site.cohorts.members.clear()
    keep(moodle)
    assert site.cohorts.people() == {FIT: [4]}


def test_a_cohort_that_another_process_made_meanwhile_is_used(site: MoodleStandin, moodle: Moodle) -> None:
    original = site.site.functions["core_cohort_create_cohorts"]

    def late(told: dict[str, Any]) -> Any:
        site.cohorts.put(FIT, 2)
        return original(told)

    site.site.functions["core_cohort_create_cohorts"] = late
    keep(moodle)
    assert site.cohorts.people() == {FIT: [2, 4]}


def test_of_many_at_once_all_are_in_one_cohort(site: MoodleStandin, moodle: Moodle) -> None:
    people = [Wanted(f"acc-{n}", 1, True, ATTRIBUTES | {"login": f"p{n}", "email": f"p{n}@example.edu"})
              for n in range(12)]  # fmt: skip
    patient = Moodle(site.with_cohorts)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda one: patient.create(one, "op"), people))
    assert {name: len(users) for name, users in site.cohorts.people().items()} == {FIT: 12}


def test_membership_of_somebody_unknown_or_deleted_is_not_found(moodle: Moodle) -> None:
    keep(moodle)
    assert refusal(lambda: moodle.update("999", {"department": "0407"}, "op")).kind is OutcomeKind.NOT_FOUND
    moodle.delete("4", "op")
    assert refusal(lambda: moodle.update("4", {"department": "0407"}, "op")).kind is OutcomeKind.NOT_FOUND


def test_a_code_that_is_too_long_is_refused_by_name(site: MoodleStandin, moodle: Moodle) -> None:
    error = refusal(lambda: keep(moodle, changed(student_group="Я" * 90)))
    assert (error.kind, error.detail) == (
        OutcomeKind.PERMANENT, "the code of a group is too long for a cohort of Moodle"
    )  # fmt: skip


@pytest.mark.parametrize("fault", [500, "sitemaintenance"])
def test_an_update_of_membership_that_failed_is_done_by_the_next_try(
    site: MoodleStandin, moodle: Moodle, fault: int | str
) -> None:
    keep(moodle)
    original = site.site.functions["core_cohort_add_cohort_members"]
    site.site.functions["core_cohort_add_cohort_members"] = lambda told: site.faults.append(fault) or original(told)
    assert refusal(lambda: keep(moodle, changed(department="0407"))).kind is OutcomeKind.RETRYABLE
    site.site.functions["core_cohort_add_cohort_members"] = original
    site.faults.clear()
    keep(moodle, changed(department="0407"))
    assert site.cohorts.people() == {FIT: [], PHYSICS: [4]}


@pytest.mark.parametrize("function", ["core_cohort_get_cohort_members", "core_role_unassign_roles"])
def test_functions_for_cohorts_and_roles_are_needed_only_where_they_are_wanted(
    site: MoodleStandin, moodle: Moodle, function: str
) -> None:
    assert moodle.check().ok
    del site.site.functions[function]
    assert moodle.check().detail == f"the service lacks {function}" and Moodle(site.settings).check().ok
    assert Moodle(replace(site.with_cohorts, roles={})).check().ok == function.startswith("core_role")


def test_it_refuses_to_run_where_cohorts_may_not_be_read(site: MoodleStandin, moodle: Moodle) -> None:
    site.site.capabilities.remove("moodle/cohort:view")
    assert not moodle.check().ok and Moodle(site.settings).check().ok


def test_without_the_setting_no_cohort_is_asked_for(site: MoodleStandin) -> None:
    plain = Moodle(site.settings)
    keep(plain)
    keep(plain, changed(department="0407"))
    plain.scan("a", 10)
    assert not [name for name in site.calls if "cohort" in name or "role" in name]
    assert not {"department", "student_group", "programs"} & plain.capabilities.attributes


@pytest.mark.parametrize(("values", "reason"), [
    ({"cohorts": "ours:"}, "cohorts may have"), ({"roles": {"moodle.teacher": 2}}, "roles need cohorts"),
    ({"cohorts": "ours", "roles": {"moodle.teacher": 0}}, "numbers from 1"),
])  # fmt: skip
def test_settings_that_do_not_fit_are_refused(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        MoodleSettings(url="https://lms.example.edu", token="t", **values)

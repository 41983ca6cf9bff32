"""From affiliations to systems and to the days on which the account may be used."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.access import Right, SystemRule, gained_and_lost, next_review, primary, rights, window
from policies.access_decisions import Decision
from policies.affiliations import Affiliation, Kind, OrderLine
from policies.deadlines import local_day, start_of
from policies.folding import fold
from policies.profile_text import parse_profile

BISHKEK = ZoneInfo("Asia/Bishkek")
PROFILE = parse_profile((Path(__file__).parents[2] / "policies/profiles/kstu.toml").read_text("utf-8"))
SYSTEMS = [system.rule for system in PROFILE.systems]
LEAVES = PROFILE.rules.leaves


def order(kind: str, number: str, approved: str, effective: str, body: dict[str, Any]) -> OrderLine:
    return OrderLine(
        source="shnet", order_id=f"order {number}", version=1, kind=kind, status="approved", number=number,
        approved_on=date.fromisoformat(approved), effective_on=date.fromisoformat(effective), effective_until=None,
        immediate=False, line="1", body={"line": "1", "ids": {"employeeNo": "T-0101"}, **body},
        received_at=datetime(2026, 9, 1, 5, tzinfo=UTC),
    )  # fmt: skip


HIRE = order("hire", "1/101-К", "2026-09-01", "2026-09-07", {
    "name": {"family": "Үлгүбаева", "given": "Анара", "patronymic": "Үлгүевна"},
    "employment": {"departmentCode": "0407", "departmentName": "Кафедра примеров", "positionCode": "SEN-LECT",
                   "positionTitle": "Старший преподаватель", "rate": 1.0, "type": "main"},
    "access": {"programs": ["avn.teacher", "moodle.teacher", "unet.employee", "zoom.licensed"],
               "reportSections": ["kpi.department"]},
})  # fmt: skip
TRANSFER = order("transfer", "1/118-К", "2026-09-01", "2026-10-01", {
    "employment": {"departmentCode": "0112", "positionTitle": "Доцент", "rate": 0.5, "type": "main"},
    "access": {"programs": ["avn.teacher", "moodle.teacher"], "reportSections": []},
})  # fmt: skip
DISMISSAL = order("dismissal", "1/140-К", "2026-11-16", "2026-11-30", {"reason": {"code": "own-request"}})

OF_A_LECTURER = {"unet", "moodle", "mail", "avn", "library", "antiplagiarism", "website", "e-kyzmat", "infodocs"}


def on(day: str, *lines: OrderLine) -> dict[str, Right]:
    """What the orders give at noon of a local day, by system."""
    now = start_of(date.fromisoformat(day), BISHKEK) + timedelta(hours=12)
    given_ = rights(fold(lines).affiliations, SYSTEMS, LEAVES, local_day(now, BISHKEK), now)
    return {right.system: right for right in given_}


def active(given_: dict[str, Right]) -> set[str]:
    return {code for code, right in given_.items() if right.active}


def test_anara_is_hired_transferred_and_dismissed() -> None:
    # the hire is known, the first day has not come: everything is made ready
    hired = on("2026-09-02", HIRE)
    assert active(hired) == OF_A_LECTURER | {"zoom"} == set(hired)
    assert hired["unet"].programs == ("unet.employee",) and hired["unet"].report_sections == ("kpi.department",)
    assert hired["avn"].programs == ("avn.teacher",) and hired["avn"].report_sections == ()

    # on the last day at the old department nothing has been taken away
    assert active(on("2026-09-30", HIRE, TRANSFER)) == OF_A_LECTURER | {"zoom"}

    # from the first day at the new one: no Zoom licence, no programs and report sections in UNET, the rest stays
    moved = on("2026-10-01", HIRE, TRANSFER)
    assert active(moved) == OF_A_LECTURER
    assert not moved["zoom"].active and moved["zoom"].programs == ()
    assert moved["unet"].programs == () and moved["unet"].report_sections == ()
    assert moved["moodle"].programs == ("moodle.teacher",)
    assert moved["moodle"].affiliation is not None and moved["moodle"].affiliation.department == "0112"

    # the last day is a day of work, the day after is not
    assert active(on("2026-11-30", HIRE, TRANSFER, DISMISSAL)) == OF_A_LECTURER
    left = on("2026-12-01", HIRE, TRANSFER, DISMISSAL)
    assert active(left) == set() and set(left) == OF_A_LECTURER | {"zoom"}
    assert left["zoom"].affiliation is not None and left["zoom"].affiliation.department == "0407"

    # and the door is open from the first midnight to the last
    opens_at = datetime(2026, 9, 6, 18, tzinfo=UTC)
    assert window(fold([HIRE, TRANSFER]).affiliations, BISHKEK) == (opens_at, None)
    everything = fold([HIRE, TRANSFER, DISMISSAL]).affiliations
    assert window(everything, BISHKEK) == (opens_at, datetime(2026, 11, 30, 18, tzinfo=UTC))


CHILDCARE = replace(
    order("leave", "1/130-О", "2026-12-01", "2027-01-11", {"leave": {"type": "childcare"}}),
    effective_until=date(2028, 7, 10),
)


def test_a_leave_takes_away_what_its_type_does_not_keep_and_gives_it_back() -> None:
    assert active(on("2027-01-10", HIRE, CHILDCARE)) == OF_A_LECTURER | {"zoom"}
    assert active(on("2027-01-11", HIRE, CHILDCARE)) == {"mail", "moodle"}
    assert active(on("2028-07-10", HIRE, CHILDCARE)) == {"mail", "moodle"}
    assert active(on("2028-07-11", HIRE, CHILDCARE)) == OF_A_LECTURER | {"zoom"}
    kept = replace(CHILDCARE, body={**CHILDCARE.body, "leave": {"type": "childcare", "keepAccess": True}})
    assert active(on("2027-06-01", HIRE, kept)) == OF_A_LECTURER | {"zoom"}


def test_a_leave_from_one_employment_takes_nothing_that_another_gives() -> None:
    second = order("hire", "1/102-К", "2026-09-01", "2026-09-07", {
        "employment": {"departmentCode": "IT", "positionTitle": "Инженер", "employmentId": "B"},
    })  # fmt: skip
    named = replace(CHILDCARE, body={**CHILDCARE.body, "employment": HIRE.body["employment"]})
    assert active(on("2027-06-01", HIRE, second, named)) == OF_A_LECTURER


def test_the_account_stays_open_during_a_leave_and_its_edges_are_looked_at() -> None:
    parts = fold([HIRE, CHILDCARE]).affiliations
    begins, over = datetime(2027, 1, 10, 18, tzinfo=UTC), datetime(2028, 7, 10, 18, tzinfo=UTC)
    assert window(parts, BISHKEK) == (datetime(2026, 9, 6, 18, tzinfo=UTC), None)
    assert next_review(parts, begins - timedelta.resolution, BISHKEK) == begins
    assert next_review(parts, begins, BISHKEK) == over
    assert next_review(parts, over, BISHKEK) is None


def post(starts: str, ends: str | None = None, **rest: Any) -> Affiliation:
    base = Affiliation(
        kind=Kind.EMPLOYEE, department="0407", position=None, position_code=None, programme=None, group=None,
        employment_id=None, rate=None, employment_type="main", programs=(), report_sections=(),
        starts_on=date.fromisoformat(starts), ends_on=date.fromisoformat(ends) if ends else None, ended_at=None,
        opened_by=(f"order {starts}", 1), closed_by=None,
    )  # fmt: skip
    return replace(base, **rest)


STUDENT = post("2024-09-01", kind=Kind.STUDENT, employment_type=None, department="FIT")


def of(*affiliations: Affiliation, day: date = date(2026, 9, 7)) -> set[str]:
    now = start_of(day, BISHKEK)
    return {right.system for right in rights(affiliations, SYSTEMS, LEAVES, day, now) if right.active}


def test_a_student_has_what_students_have() -> None:
    assert of(STUDENT) == OF_A_LECTURER - {"e-kyzmat", "infodocs"}


LEARNER = post("2026-09-01", "2026-12-31", kind=Kind.LEARNER, employment_type=None, department=None)


def test_a_learner_has_the_portal_for_the_term_of_the_contract() -> None:
    assert of(LEARNER) == of(LEARNER, day=date(2026, 12, 31)) == {"moodle"}
    assert of(LEARNER, day=date(2027, 1, 1)) == set()
    assert window([LEARNER], BISHKEK) == (midnight("2026-09-01"), midnight("2027-01-01"))
    assert of(LEARNER, STUDENT) == of(STUDENT)


def test_some_systems_belong_to_departments() -> None:
    assert of(post("2026-01-01", department="HR")) == OF_A_LECTURER | {"1c", "shnet"}
    assert of(post("2026-01-01", department="ACCOUNTING")) == OF_A_LECTURER | {"1c"}


def test_the_conditions_must_hold_for_one_and_the_same_affiliation() -> None:
    assert "1c" not in of(post("2026-01-01"), replace(STUDENT, department="ACCOUNTING"))


def test_a_licence_goes_only_to_those_whose_order_names_it() -> None:
    assert "canva" not in of(STUDENT)
    assert "canva" in of(replace(STUDENT, programs=("canva.licensed",)))


DEAN = post("2026-01-01", position="Декан", position_code="DEAN")


@pytest.mark.parametrize(
    ("positions", "programmes", "affiliation", "has"),
    [
        ((), (), DEAN, True),
        (("DEAN",), (), DEAN, True),
        (("  декан ",), (), DEAN, True),
        (("Заместитель декана",), (), DEAN, False),
        (("DEAN", "RECTOR"), (), post("2026-01-01", position="Проректор", position_code="RECTOR"), True),
        (("DEAN",), (), post("2026-01-01"), False),
        (("DEAN",), (), STUDENT, False),
        ((), ("710100",), STUDENT, False),
        ((), ("710100",), replace(STUDENT, programme="710100"), True),
        ((), ("IT-COURSE",), replace(LEARNER, programme="IT-COURSE"), True),
        ((), ("710100",), DEAN, False),
        (("DEAN",), ("710100",), replace(STUDENT, programme="710100"), False),
    ],
)
def test_some_systems_belong_to_positions_or_programmes(
    positions: tuple[str, ...], programmes: tuple[str, ...], affiliation: Affiliation, has: bool
) -> None:
    everybody = frozenset(kind.value for kind in Kind)
    rule = SystemRule(
        "x", everybody, frozenset(), frozenset(), False, False, frozenset(positions), frozenset(programmes)
    )
    found = rights([affiliation], [rule], LEAVES, date(2026, 9, 7), start_of(date(2026, 9, 7), BISHKEK))
    assert [right.active for right in found] == [True] * has


@pytest.mark.parametrize(
    ("needs", "accepted", "has"),
    [
        ("", [], True),
        ("hr-documents", [], False),
        ("hr-documents", ["user"], False),
        ("hr-documents", ["user", "hr-documents"], True),
    ],
)
def test_a_system_that_needs_an_agreement_waits_for_it_even_where_an_officer_gives_it(
    needs: str, accepted: list[str], has: bool
) -> None:
    rule = SystemRule("1c", frozenset({"employee"}), frozenset(), frozenset(), False, False, needs_agreement=needs)
    day, agreed = date(2026, 9, 7), dict.fromkeys(accepted, date(2026, 9, 5))
    for decisions, since in ([], None), ([decided("1c", True, ends="2026-09-30")], day):
        (right,) = rights([post("2026-01-01")], [rule], LEAVES, day, midnight("2026-09-07"), decisions, agreed)
        assert right.active == has
        assert right.decided_on == (since or agreed.get(needs))


def test_who_belongs_to_nothing_has_nothing() -> None:
    assert of() == set()


def test_two_employments_add_up_and_foreign_programs_stay_out() -> None:
    rule = SystemRule("x", frozenset({"employee"}), frozenset(), frozenset({"x.a", "x.b"}), False, True)
    both = [post("2026-01-01", programs=("x.b", "y.z"), report_sections=("s2",)),
            post("2026-02-01", programs=("x.a",), report_sections=("s1", "s2"))]  # fmt: skip
    (right,) = rights(both, [rule], LEAVES, date(2026, 9, 7), start_of(date(2026, 9, 7), BISHKEK))
    assert (right.programs, right.report_sections) == (("x.a", "x.b"), ("s1", "s2"))


def test_an_immediate_end_takes_the_systems_at_that_moment() -> None:
    moment = datetime(2026, 9, 7, 5, tzinfo=UTC)
    gone = post("2026-01-01", "2026-09-07", ended_at=moment)
    before, after = (
        rights([gone], SYSTEMS, LEAVES, date(2026, 9, 7), now)[0] for now in (moment - timedelta.resolution, moment)
    )
    assert before.active and not after.active


# --- what officers decide beyond the rules


def decided(system: str, gives: bool, program: str | None = None, starts: str = "2026-09-07", **more: str) -> Decision:
    days = {name: date.fromisoformat(day) for name, day in more.items()}
    return Decision(system, program, gives, date.fromisoformat(starts), days.get("ends"), days.get("lifted"))


def rights_of(*decisions: Decision, day: str = "2026-09-07", parts: tuple[Affiliation, ...] = ()) -> dict[str, Right]:
    now = start_of(date.fromisoformat(day), BISHKEK)
    parts = parts or (post("2026-01-01", programs=("moodle.teacher",)),)
    return {right.system: right for right in rights(parts, SYSTEMS, LEAVES, date.fromisoformat(day), now, decisions)}


MAIN = post("2026-01-01", programs=("moodle.teacher",))
LICENSED = replace(MAIN, programs=("zoom.licensed",))


@pytest.mark.parametrize(
    ("decisions", "day", "parts", "gained", "lost"),
    [
        ([decided("mail", False)], "2026-09-07", [MAIN], set(), {"mail"}),
        ([decided("mail", False)], "2026-09-06", [MAIN], set(), set()),
        ([decided("mail", False, ends="2026-09-30")], "2026-09-30", [MAIN], set(), {"mail"}),
        ([decided("mail", False, ends="2026-09-30")], "2026-10-01", [MAIN], set(), set()),
        ([decided("mail", False, lifted="2026-09-07")], "2026-09-07", [MAIN], set(), set()),
        ([decided("1c", True, ends="2026-09-30")], "2026-09-30", [MAIN], {"1c"}, set()),
        ([decided("1c", True, ends="2026-09-30")], "2026-10-01", [MAIN], set(), set()),
        ([decided("mail", True, ends="2026-09-30")], "2026-09-07", [MAIN], set(), set()),
        ([decided("1c", True, ends="2026-09-30"), decided("1c", False)], "2026-09-07", [MAIN], set(), set()),
        ([decided("zoom", True, "zoom.licensed", ends="2026-09-30")], "2026-09-07", [MAIN], {"zoom"}, set()),
        ([decided("zoom", False, "zoom.licensed")], "2026-09-07", [LICENSED], set(), {"zoom"}),
        ([decided("moodle", False, "moodle.teacher")], "2026-09-07", [MAIN], set(), set()),
        # what is given rests on what the person was then: a transfer ends it, a dismissal too
        ([decided("1c", True, ends="2026-12-31")], "2026-10-01",
         [replace(MAIN, ends_on=date(2026, 9, 30)), post("2026-10-01", department="0112")], set(), set()),
        ([decided("1c", True, ends="2026-12-31")], "2026-10-01", [replace(MAIN, ends_on=date(2026, 9, 30))], set(), set()),
        ([decided("1c", True, ends="2026-12-31")], "2026-09-07", [post("2026-10-01")], set(), set()),
    ],
)  # fmt: skip
def test_officers_decide_beyond_the_rules_and_a_prohibition_has_the_last_word(
    decisions: list[Decision], day: str, parts: list[Affiliation], gained: set[str], lost: set[str]
) -> None:
    before, after = (rights_of(*some, day=day, parts=tuple(parts)).values() for some in ([], decisions))
    assert gained_and_lost(before, after) == (gained, lost)


def test_one_program_is_given_or_forbidden_and_the_system_stays() -> None:
    assert rights_of(decided("moodle", False, "moodle.teacher"))["moodle"].programs == ()
    given_ = rights_of(decided("avn", True, "avn.teacher", ends="2026-09-30"))["avn"]
    assert given_.programs == ("avn.teacher",) and given_.affiliation == MAIN
    both = decided("avn", True, "avn.teacher", ends="2026-09-30"), decided("avn", False, "avn.teacher")
    assert rights_of(*both)["avn"].programs == () and rights_of(*both)["avn"].active


def test_during_a_leave_what_an_officer_gives_stays() -> None:
    away = fold([HIRE, CHILDCARE]).affiliations
    library = decided("library", True, starts="2027-01-11", ends="2027-06-30")
    assert rights_of(library, day="2027-02-01", parts=away)["library"].active
    assert not rights_of(day="2027-02-01", parts=away)["library"].active


def test_a_right_tells_since_when_it_is_decided_about() -> None:
    assert rights_of(decided("mail", False))["mail"].decided_on == date(2026, 9, 7)
    assert rights_of(decided("mail", False))["avn"].decided_on is None
    over = decided("1c", True, starts="2026-08-01", ends="2026-09-06"), decided("mail", False, starts="2026-10-01")
    assert "1c" not in rights_of(*over) and rights_of(*over)["mail"].decided_on is None


def test_the_beginning_and_end_of_a_decision_are_looked_at() -> None:
    decisions = [decided("mail", False, starts="2026-10-01", ends="2026-10-31"),
                 decided("avn", False, starts="2026-09-20", lifted="2026-09-20")]  # fmt: skip
    assert next_review([MAIN], midnight("2026-09-07"), BISHKEK, decisions) == midnight("2026-10-01")
    assert next_review([MAIN], midnight("2026-10-01"), BISHKEK, decisions) == midnight("2026-11-01")
    assert next_review([MAIN], midnight("2026-11-01"), BISHKEK, decisions) is None


# --- which affiliation stands for the person

TODAY = date(2026, 9, 7)


def test_the_main_employment_goes_before_a_higher_rate_and_that_before_a_study() -> None:
    main = post("2026-01-01", rate=0.5)
    small, large = (post("2025-01-01", rate=rate, employment_type="internal_part_time") for rate in (0.25, 1.0))
    assert primary([STUDENT, small, large, main], TODAY) == main
    assert primary([STUDENT, small, large], TODAY) == large
    assert primary([LEARNER, STUDENT], TODAY) == STUDENT
    assert primary([LEARNER], TODAY) == LEARNER


def test_what_runs_goes_before_what_comes_and_what_is_over_does_not_count() -> None:
    soon, later = post("2026-10-01"), post("2026-11-01")
    assert primary([later, soon, STUDENT], TODAY) == STUDENT
    assert primary([later, soon], TODAY) == soon
    over = [post("2026-01-01", "2026-09-06"), post("2026-01-01", ended_at=datetime(2026, 9, 1, tzinfo=UTC))]
    assert primary(over, TODAY) is None


# --- when the account may be used


def midnight(day: str) -> datetime:
    return start_of(date.fromisoformat(day), BISHKEK)


def test_who_was_never_anything_may_never_come_in() -> None:
    assert window([], BISHKEK) == (None, None)
    cut_off_before = post("2026-09-07", "2026-09-30", ended_at=midnight("2026-09-01"))
    assert window([cut_off_before], BISHKEK) == (None, None)


def test_overlapping_and_adjoining_affiliations_are_one_stretch() -> None:
    parts = [post("2026-03-01", "2026-05-31"), post("2026-01-01", "2026-02-28"), post("2026-02-01", "2026-02-10")]
    assert window(parts, BISHKEK) == (midnight("2026-01-01"), midnight("2026-06-01"))
    assert window([*parts, post("2026-06-01")], BISHKEK) == (midnight("2026-01-01"), None)
    assert window([post("2026-01-01"), *parts], BISHKEK) == (midnight("2026-01-01"), None)


def test_between_two_stretches_the_door_is_shut() -> None:
    parts = [post("2026-01-01", "2026-01-31"), post("2026-03-01", "2026-03-31")]
    first = (midnight("2026-01-01"), midnight("2026-02-01"))
    second = (midnight("2026-03-01"), midnight("2026-04-01"))
    assert window(parts, BISHKEK, midnight("2026-01-15")) == first
    assert window(parts, BISHKEK, midnight("2026-02-01")) == second
    assert window(parts, BISHKEK, midnight("2027-01-01")) == second
    assert window(parts, BISHKEK) == second


def test_an_immediate_end_shuts_the_door_at_once_but_a_late_one_does_not_hold_it_open() -> None:
    moment = midnight("2026-09-07") + timedelta(hours=11)
    assert window([post("2026-01-01", "2026-09-07", ended_at=moment)], BISHKEK)[1] == moment
    assert window([post("2026-01-01", "2026-08-31", ended_at=moment)], BISHKEK)[1] == midnight("2026-09-01")


def test_until_the_end_of_time_is_open() -> None:
    assert window([post("2026-01-01", "9999-12-31")], BISHKEK) == (midnight("2026-01-01"), None)


def test_the_next_review_is_the_next_beginning_or_end() -> None:
    parts = [post("2026-01-01", "2026-01-31"), post("2026-03-01")]
    moments = [midnight(day) for day in ("2026-01-01", "2026-02-01", "2026-03-01")]
    assert next_review(parts, midnight("2025-01-01"), BISHKEK) == moments[0]
    assert next_review(parts, moments[0], BISHKEK) == moments[1]
    assert next_review(parts, moments[1], BISHKEK) == moments[2]
    assert next_review(parts, moments[2], BISHKEK) is None


DAYS = st.dates(date(2026, 1, 1), date(2026, 3, 31))
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 4, 30), timezones=st.just(UTC))


@st.composite
def affiliations(draw: st.DrawFn) -> Affiliation:
    one, other = sorted(draw(st.tuples(DAYS, DAYS)))
    ends = draw(st.sampled_from([None, str(other)]))
    return post(str(one), ends, ended_at=draw(st.none() | MOMENTS), programs=draw(
        st.sampled_from([(), ("zoom.licensed",)])), department=draw(st.sampled_from(["0407", "HR"])))  # fmt: skip


DECISIONS = st.lists(
    st.builds(
        Decision, st.sampled_from(["zoom", "mail", "1c"]), st.sampled_from([None, "zoom.licensed"]), st.booleans(), DAYS,
        st.none() | DAYS,
    ),
    max_size=3,
)  # fmt: skip


@given(st.lists(affiliations(), max_size=4), DECISIONS, MOMENTS, MOMENTS)
def test_between_two_reviews_nothing_changes(
    parts: list[Affiliation], decisions: list[Decision], one: datetime, other: datetime
) -> None:
    now, later = sorted((one, other))
    review = next_review(parts, now, BISHKEK, decisions)
    if review is None or later < review:
        at_now, at_later = (
            ([(right.system, right.active, right.programs) for right in
              rights(parts, SYSTEMS, LEAVES, local_day(moment, BISHKEK), moment, decisions)], window(parts, BISHKEK, moment))
            for moment in (now, later)
        )  # fmt: skip
        assert at_now == at_later


@given(st.lists(affiliations(), max_size=4), DECISIONS, MOMENTS)
def test_what_is_forbidden_is_never_active_and_whoever_belongs_to_nothing_is_given_nothing(
    parts: list[Affiliation], decisions: list[Decision], now: datetime
) -> None:
    today = local_day(now, BISHKEK)
    found = {right.system: right for right in rights(parts, SYSTEMS, LEAVES, today, now, decisions)}
    active_ = {code for code, right in found.items() if right.active}
    assert not active_ & {one.system for one in decisions if one.holds_on(today) and not one.gives and not one.program}
    if all(one.ends_on is not None and one.ends_on < today for one in parts):
        assert not active_


@given(st.lists(affiliations(), max_size=4), MOMENTS)
def test_inside_the_window_somebody_has_an_active_right(parts: list[Affiliation], now: datetime) -> None:
    opens_at, closes_at = window(parts, BISHKEK, now)
    if opens_at is not None and opens_at <= now and (closes_at is None or now < closes_at):
        assert any(right.active for right in rights(parts, SYSTEMS, LEAVES, local_day(now, BISHKEK), now))


RIGHTS = st.lists(
    st.builds(Right, st.sampled_from(["mail", "moodle", "avn"]), st.booleans(), st.just(()), st.just(()), st.none()),
    max_size=3,
    unique_by=lambda right: right.system,
)


def test_what_is_gained_and_lost_is_told_by_system() -> None:
    had = [Right("mail", True, (), (), None), Right("avn", False, (), (), None)]
    has = [Right("avn", True, (), (), None), Right("mail", False, (), (), None)]
    assert gained_and_lost(had, has) == ({"avn"}, {"mail"})
    assert gained_and_lost(had, []) == (set(), {"mail"})


@given(before=RIGHTS, after=RIGHTS)
def test_the_other_way_round_gains_are_losses_and_nothing_is_both(before: list[Right], after: list[Right]) -> None:
    gained, lost = gained_and_lost(before, after)
    assert gained_and_lost(after, before) == (lost, gained)
    assert not gained & lost

"""Orders in, affiliations out; only their own dates count.  Bodies are those of the sample orders."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.affiliations import OPENING, Affiliation, Folded, Kind, Note, OrderLine
from policies.folding import fold

RECEIVED = datetime(2026, 9, 2, 4, tzinfo=UTC)
LECTURER = {
    "departmentCode": "0407", "departmentName": "Кафедра примеров", "positionCode": "SEN-LECT",
    "positionTitle": "Старший преподаватель", "rate": 1.0, "type": "main",
}  # fmt: skip
DOCENT = {"departmentCode": "0112", "positionTitle": "Доцент", "rate": 0.5, "type": "main"}
PART_TIME = {"departmentCode": "IT", "positionTitle": "Инженер", "rate": 0.25, "type": "internal_part_time"}
STUDY = {"facultyCode": "FIT", "programCode": "710100", "groupCode": "ПОКС-1-26", "year": 1}
ANARA = {
    "family": "Үлгүбаева", "given": "Анара", "patronymic": "Үлгүевна",
    "latin": {"family": "Ulgubaeva", "given": "Anara"},
}  # fmt: skip


def order(
    kind: str, day: str, body: Mapping[str, Any] | None = None, *, approved: str = "2026-09-01",
    until: str | None = None, immediate: bool = False, number: str = "1/100-К", line: str = "1",
) -> OrderLine:  # fmt: skip
    return OrderLine(
        source="shnet", order_id=f"{kind} {day} {number}", version=1, kind=kind, status="approved", number=number,
        approved_on=date.fromisoformat(approved), effective_on=date.fromisoformat(day),
        effective_until=date.fromisoformat(until) if until else None, immediate=immediate, line=line,
        body={"line": line, "ids": {"employeeNo": "T-0101"}, **(body or {})}, received_at=RECEIVED,
    )  # fmt: skip


HIRE = order("hire", "2026-09-07", {
    "name": ANARA, "employment": LECTURER,
    "contacts": {"workPhone": "+996312000000", "workPhoneExtension": "1207", "mobilePhone": "+996700000001",
                 "personalEmail": "anara@example.org", "homeAddress": {"city": "Бишкек"}},
    "access": {"programs": ["unet.employee", "avn.teacher"], "reportSections": ["kpi.department"]},
})  # fmt: skip
TRANSFER = order("transfer", "2026-10-01", {
    "employment": DOCENT, "access": {"programs": ["avn.teacher"], "reportSections": []},
})  # fmt: skip
DISMISSAL = order("dismissal", "2026-11-30", {"reason": {"code": "own-request"}}, approved="2026-11-16")
SECOND = order("hire", "2026-09-07", {"name": ANARA, "employment": PART_TIME}, number="1/102-К")
ENROLMENT = order("student_enrolment", "2026-09-01", {"name": {"family": "Үлгү уулу", "given": "Азат",
                                                               "patronymic": None}, "study": STUDY})  # fmt: skip


def spans(folded: Folded) -> list[tuple[str | None, str, str | None]]:
    return [
        (one.department, str(one.starts_on), str(one.ends_on) if one.ends_on else None) for one in folded.affiliations
    ]


def codes(folded: Folded) -> list[str]:
    return [note.code for note in folded.notes]


def test_a_hire_opens_an_employment_as_the_order_describes_it() -> None:
    assert fold([HIRE]).affiliations == (
        Affiliation(
            kind=Kind.EMPLOYEE, department="0407", position="Старший преподаватель", position_code="SEN-LECT",
            programme=None, group=None, employment_id=None, rate=1.0, employment_type="main",
            programs=("avn.teacher", "unet.employee"), report_sections=("kpi.department",),
            starts_on=date(2026, 9, 7), ends_on=None, ended_at=None, opened_by=(HIRE.order_id, 1), closed_by=None,
        ),
    )  # fmt: skip


def test_a_transfer_closes_the_old_post_the_day_before_and_brings_its_own_access() -> None:
    folded = fold([HIRE, TRANSFER])
    assert spans(folded) == [("0407", "2026-09-07", "2026-09-30"), ("0112", "2026-10-01", None)]
    assert folded.affiliations[0].closed_by == folded.affiliations[1].opened_by == (TRANSFER.order_id, 1)
    assert (folded.affiliations[1].programs, folded.affiliations[1].report_sections) == (("avn.teacher",), ())


def test_a_dismissal_leaves_its_own_day_as_the_last() -> None:
    folded = fold([HIRE, TRANSFER, DISMISSAL])
    assert spans(folded)[-1] == ("0112", "2026-10-01", "2026-11-30")
    assert folded.affiliations[-1].closed_by == (DISMISSAL.order_id, 1) and folded.affiliations[-1].ended_at is None


def test_an_immediate_dismissal_ends_at_the_moment_it_came() -> None:
    folded = fold([HIRE, replace(DISMISSAL, immediate=True)])
    assert folded.affiliations[0].ended_at == RECEIVED


def test_a_corrected_date_counts_and_a_cancelled_dismissal_never_happened() -> None:
    corrected = replace(DISMISSAL, version=2, effective_on=date(2026, 12, 15))
    assert spans(fold([HIRE, corrected])) == [("0407", "2026-09-07", "2026-12-15")]
    cancelled = replace(DISMISSAL, version=3, status="cancelled", effective_on=None)
    assert fold([HIRE, cancelled]) == fold([HIRE])


def test_a_late_order_acts_by_its_own_date() -> None:
    backdated = order("transfer", "2026-09-20", {"employment": PART_TIME}, approved="2026-12-01")
    assert spans(fold([HIRE, TRANSFER, backdated])) == [
        ("0407", "2026-09-07", "2026-09-19"), ("IT", "2026-09-20", "2026-09-30"), ("0112", "2026-10-01", None),
    ]  # fmt: skip


def test_of_two_orders_of_one_day_the_later_approved_has_the_last_word() -> None:
    later = order("transfer", "2026-10-01", {"employment": PART_TIME}, approved="2026-09-02", number="1/001-К")
    assert spans(fold([later, TRANSFER, HIRE])) == [("0407", "2026-09-07", "2026-09-30"), ("IT", "2026-10-01", None)]


def test_a_transfer_on_the_first_day_leaves_nothing_of_the_first_post() -> None:
    at_once = replace(TRANSFER, effective_on=date(2026, 9, 7), approved_on=date(2026, 9, 2))
    assert spans(fold([HIRE, at_once])) == [("0112", "2026-09-07", None)]


def test_an_approved_order_without_a_date_acts_on_the_day_of_its_approval() -> None:
    assert spans(fold([replace(HIRE, effective_on=None)])) == [("0407", "2026-09-01", None)]


# --- several employments


def test_a_dismissal_that_could_mean_two_employments_changes_nothing_and_asks() -> None:
    folded = fold([HIRE, SECOND, DISMISSAL])
    assert [end for _, _, end in spans(folded)] == [None, None]
    assert folded.notes == (Note(DISMISSAL.order_id, 1, "1", "ambiguous-affiliation"),)


@pytest.mark.parametrize(
    "post",
    [
        {"departmentCode": "0407", "positionTitle": "старший  Преподаватель"},
        {"departmentCode": "0407", "positionTitle": "Ст. преп.", "positionCode": "SEN-LECT"},
    ],
)
def test_a_dismissal_that_names_the_post_ends_that_one_only(post: dict[str, str]) -> None:
    folded = fold([HIRE, SECOND, replace(DISMISSAL, body={"employment": post})])
    assert set(spans(folded)) == {("0407", "2026-09-07", "2026-11-30"), ("IT", "2026-09-07", None)}


@pytest.mark.parametrize("change", [{"departmentCode": "IT"}, {"positionTitle": "Декан"}])
def test_a_dismissal_from_a_post_nobody_knows_ends_no_other(change: dict[str, str]) -> None:
    post = {"departmentCode": "0407", "positionTitle": "Старший преподаватель"} | change
    assert codes(fold([HIRE, replace(DISMISSAL, body={"employment": post})])) == ["unknown-affiliation"]


def with_id(line: OrderLine, employment_id: str) -> OrderLine:
    post = line.body.get("employment", {"departmentCode": "-", "positionTitle": "-"})
    return replace(line, body={**line.body, "employment": {**post, "employmentId": employment_id}})


def test_an_employment_id_says_which() -> None:
    both = [with_id(HIRE, "E1"), with_id(SECOND, "E2")]
    assert ("IT", "2026-09-07", "2026-11-30") in spans(fold([*both, with_id(DISMISSAL, "E2")]))
    moved = fold([*both, with_id(TRANSFER, "E2")])
    assert ("IT", "2026-09-07", "2026-09-30") in spans(moved) and ("0407", "2026-09-07", None) in spans(moved)


def test_an_employment_id_heard_for_the_first_time_means_the_employment_without_one() -> None:
    assert spans(fold([HIRE, with_id(DISMISSAL, "E1")])) == [("0407", "2026-09-07", "2026-11-30")]
    assert codes(fold([with_id(HIRE, "E1"), with_id(DISMISSAL, "E2")])) == ["unknown-affiliation"]


def test_the_employment_id_survives_a_transfer_that_does_not_name_it() -> None:
    folded = fold([with_id(HIRE, "E1"), TRANSFER, with_id(DISMISSAL, "E1")])
    assert [one.employment_id for one in folded.affiliations] == ["E1", "E1"] and folded.notes == ()


def test_a_transfer_of_two_possible_employments_asks() -> None:
    assert codes(fold([HIRE, SECOND, TRANSFER])) == ["ambiguous-affiliation"]


@pytest.mark.parametrize("line", [TRANSFER, DISMISSAL, order("reinstatement", "2026-12-01")])
def test_an_order_about_nobody_we_know_leaves_a_note(line: OrderLine) -> None:
    assert fold([line]) == Folded((), {}, {}, (Note(line.order_id, 1, "1", "unknown-affiliation"),))


def test_who_is_dismissed_twice_is_dismissed_once() -> None:
    again = replace(DISMISSAL, order_id="again", effective_on=date(2026, 12, 31))
    folded = fold([HIRE, DISMISSAL, again])
    assert spans(folded) == [("0407", "2026-09-07", "2026-11-30")] and codes(folded) == ["unknown-affiliation"]


# --- terms


def test_after_a_temporary_transfer_the_former_post_comes_back() -> None:
    folded = fold([HIRE, replace(TRANSFER, effective_until=date(2026, 12, 31))])
    assert spans(folded) == [
        ("0407", "2026-09-07", "2026-09-30"), ("0112", "2026-10-01", "2026-12-31"), ("0407", "2027-01-01", None),
    ]  # fmt: skip
    assert folded.affiliations[2].programs == folded.affiliations[0].programs


def test_a_dismissal_during_a_temporary_transfer_ends_the_former_post_too() -> None:
    folded = fold([HIRE, replace(TRANSFER, effective_until=date(2026, 12, 31)), DISMISSAL])
    assert spans(folded) == [("0407", "2026-09-07", "2026-09-30"), ("0112", "2026-10-01", "2026-11-30")]
    assert folded.notes == ()


def test_an_employment_for_a_term_runs_out_and_a_transfer_does_not_prolong_it() -> None:
    term = replace(HIRE, effective_until=date(2027, 6, 30))
    assert spans(fold([term])) == [("0407", "2026-09-07", "2027-06-30")]
    assert spans(fold([term, TRANSFER]))[-1] == ("0112", "2026-10-01", "2027-06-30")
    temporary = replace(TRANSFER, effective_until=date(2027, 6, 30))
    assert spans(fold([term, temporary]))[-1] == ("0112", "2026-10-01", "2027-06-30")


def test_a_dismissal_on_the_last_day_of_a_term_is_a_dismissal_and_after_it_none() -> None:
    term = replace(HIRE, effective_until=DISMISSAL.effective_on)
    assert fold([term, DISMISSAL]).affiliations[0].closed_by == (DISMISSAL.order_id, 1)
    assert codes(fold([replace(term, effective_until=date(2026, 11, 29)), DISMISSAL])) == ["unknown-affiliation"]


def test_an_order_that_ends_before_it_begins_is_for_a_person() -> None:
    folded = fold([replace(HIRE, effective_until=date(2026, 9, 6))])
    assert folded.affiliations == () and codes(folded) == ["ends-before-it-begins"]


# --- coming back


def test_who_is_reinstated_without_a_post_gets_the_last_one_back() -> None:
    back = order("reinstatement", "2027-02-01", approved="2027-01-20")
    folded = fold([HIRE, TRANSFER, DISMISSAL, back])
    assert spans(folded)[-1] == ("0112", "2027-02-01", None)
    assert folded.affiliations[-1].programs == ("avn.teacher",)
    assert folded.affiliations[-1].opened_by == (back.order_id, 1)


def test_a_reinstatement_may_name_post_and_access_anew() -> None:
    access = {"access": {"programs": ["moodle.teacher"]}}
    kept = fold([HIRE, DISMISSAL, order("reinstatement", "2027-02-01", access)]).affiliations[-1]
    assert (kept.department, kept.programs, kept.report_sections) == ("0407", ("moodle.teacher",), ())
    moved = fold([HIRE, DISMISSAL, order("reinstatement", "2027-02-01", {"employment": PART_TIME})]).affiliations[-1]
    assert (moved.department, moved.programs) == ("IT", ())


def test_of_two_posts_that_ended_together_nobody_guesses_which_comes_back() -> None:
    ends = [replace(with_id(DISMISSAL, "E1"), line="1"), replace(with_id(DISMISSAL, "E2"), line="2")]
    lines = [with_id(HIRE, "E1"), with_id(SECOND, "E2"), *ends, order("reinstatement", "2027-02-01")]
    assert codes(fold(lines)) == ["ambiguous-affiliation"]


# --- students


def test_a_student_is_enrolled_moved_and_expelled() -> None:
    group = {"study": {"programCode": "710100", "groupCode": "ПОКС-2-26"}}
    moved = order("student_transfer", "2026-10-01", group)
    folded = fold([ENROLMENT, moved, order("student_expulsion", "2026-11-01", immediate=True)])
    assert [(one.kind, one.group) for one in folded.affiliations] == [
        (Kind.STUDENT, "ПОКС-1-26"), (Kind.STUDENT, "ПОКС-2-26"),
    ]  # fmt: skip
    assert folded.affiliations[1].department == "FIT" and folded.affiliations[1].ended_at == RECEIVED
    assert folded.names == {"family": "Үлгү уулу", "given": "Азат", "patronymic": None}


def test_graduation_ends_the_programme_it_names() -> None:
    other = order("student_enrolment", "2026-09-01", {"study": {"programCode": "580100"}}, number="2/302-С")
    over = order("student_graduation", "2030-06-30", {"study": {"programCode": "580100"}})
    ends = {one.programme: one.ends_on for one in fold([ENROLMENT, other, over]).affiliations}
    assert ends == {"710100": None, "580100": date(2030, 6, 30)}


def test_of_two_studies_a_transfer_means_the_one_of_its_programme() -> None:
    other = order("student_enrolment", "2026-09-01", {"study": {"programCode": "580100"}}, number="2/302-С")
    moved = order("student_transfer", "2026-10-01", {"study": {"programCode": "580100", "groupCode": "Э-2"}})
    assert {one.group for one in fold([ENROLMENT, other, moved]).affiliations} == {"ПОКС-1-26", None, "Э-2"}
    third = order("student_transfer", "2026-10-01", {"study": {"programCode": "999999"}})
    assert codes(fold([ENROLMENT, other, third])) == ["ambiguous-affiliation"]


def test_an_expelled_student_comes_back_to_the_same_study() -> None:
    lines = [ENROLMENT, order("student_expulsion", "2026-11-01"), order("student_reinstatement", "2027-09-01")]
    assert spans(fold(lines)) == [("FIT", "2026-09-01", "2026-11-01"), ("FIT", "2027-09-01", None)]


def test_a_dismissal_does_not_end_a_study() -> None:
    assert spans(fold([ENROLMENT, HIRE, DISMISSAL]))[0] == ("FIT", "2026-09-01", None)


# --- leaves, names, contacts


CHILDCARE = order("leave", "2027-01-11", {"leave": {"type": "childcare"}}, until="2028-07-10", number="1/130-О")


def leaves(folded: Folded) -> list[list[tuple[str, str, str | None]]]:
    return [
        [(one.type, str(one.starts_on), str(one.ends_on) if one.ends_on else None) for one in piece.leaves]
        for piece in folded.affiliations
    ]


def test_a_leave_leaves_the_employment_as_it_is_and_is_noted_with_its_days() -> None:
    folded = fold([HIRE, CHILDCARE])
    assert spans(folded) == spans(fold([HIRE])) and codes(folded) == []
    assert leaves(folded) == [[("childcare", "2027-01-11", "2028-07-10")]]


def test_a_return_ends_the_leave_that_runs_and_none_that_is_to_come() -> None:
    later = order("leave", "2028-01-10", {"leave": {"type": "annual"}}, until="2028-02-10", number="1/131-О")
    back = order("return", "2027-06-01", number="1/132-О")
    assert leaves(fold([HIRE, CHILDCARE, later, back])) == [
        [("childcare", "2027-01-11", "2027-05-31"), ("annual", "2028-01-10", "2028-02-10")]
    ]


def test_an_academic_leave_is_of_the_study_and_lasts_until_the_return() -> None:
    academic = order("student_academic_leave", "2026-10-05", {"leave": {"type": "academic"}}, number="2/1-С")
    assert leaves(fold([HIRE, ENROLMENT, academic])) == [[("academic", "2026-10-05", None)], []]
    back = order("student_return", "2027-08-31", number="2/2-С")
    assert leaves(fold([ENROLMENT, academic, back])) == [[("academic", "2026-10-05", "2027-08-30")]]


def test_a_leave_goes_on_through_a_transfer_and_ends_with_the_employment() -> None:
    moved = order("transfer", "2027-03-01", {"employment": DOCENT})
    assert leaves(fold([HIRE, CHILDCARE, moved])) == [[("childcare", "2027-01-11", "2028-07-10")]] * 2
    gone = order("dismissal", "2027-04-30", {"reason": {"code": "own-request"}})
    again = order("reinstatement", "2027-09-01")
    assert leaves(fold([HIRE, CHILDCARE, gone, again]))[-1] == []


@pytest.mark.parametrize("kind", ["leave", "return"])
def test_a_leave_from_one_of_several_employments_must_say_from_which(kind: str) -> None:
    line = order(kind, "2027-01-11", {"leave": {"type": "childcare"}})
    assert codes(fold([HIRE, SECOND, line])) == ["ambiguous-affiliation"]
    named = order(kind, "2027-01-11", {"leave": {"type": "childcare"}, "employment": PART_TIME})
    assert codes(fold([HIRE, SECOND, named])) == []


def test_an_order_of_a_kind_nobody_knows_yet_is_for_a_person() -> None:
    assert codes(fold([order("sabbatical", "2027-01-11")])) == ["unknown-kind"]


RENAME = order("rename", "2026-09-20", {"name": {"family": "Мисалова", "given": "Анара", "patronymic": None},
                                        "previousName": {"family": "Үлгүбаева"}})  # fmt: skip


def test_a_rename_changes_the_name_and_the_latin_spelling_that_no_longer_fits() -> None:
    folded = fold([HIRE, RENAME])
    assert folded.names == {"family": "Мисалова", "given": "Анара", "patronymic": None, "latin_given": "Anara"}
    assert len(folded.affiliations) == 1 and folded.notes == ()


def test_before_its_day_a_rename_is_pending() -> None:
    folded = fold([HIRE, RENAME], today=date(2026, 9, 19))
    assert folded.names["family"] == "Үлгүбаева" and folded.pending == (date(2026, 9, 20),)
    folded = fold([HIRE, RENAME], today=date(2026, 9, 20))
    assert folded.names["family"] == "Мисалова" and folded.pending == ()


def test_the_name_of_a_new_person_is_known_before_the_first_day() -> None:
    assert fold([HIRE], today=date(2026, 9, 1)).names["latin_family"] == "Ulgubaeva"
    assert fold([HIRE, TRANSFER], today=date(2026, 9, 1)).pending == ()


def test_a_name_that_only_identifies_the_person_changes_nothing() -> None:
    assert fold([HIRE, replace(DISMISSAL, body={"name": {"family": "X"}})]).names["family"] == "Үлгүбаева"


def test_the_home_address_is_the_whole_of_the_latest_and_may_be_taken_back() -> None:
    assert fold([HIRE]).home_address == {"city": "Бишкек"}
    moved = order("contacts", "2026-10-05", {"contacts": {"homeAddress": {"street": "ул. Образцовая"}}})
    gone = order("contacts", "2026-10-06", {"contacts": {"homeAddress": {}}})
    assert fold([moved, HIRE]).home_address == {"street": "ул. Образцовая"}
    assert fold([moved, HIRE], date(2026, 10, 4)).home_address == {"city": "Бишкек"}
    assert fold([moved, gone, HIRE]).home_address == {}
    assert fold([TRANSFER]).home_address is None


def test_contacts_are_those_last_ordered_and_the_home_address_is_not_among_them() -> None:
    change = order("contacts", "2026-10-05", {"contacts": {"mobilePhone": "+996555000002"}})
    assert fold([change, HIRE]).contacts == {
        "work_phone": "+996312000000", "work_phone_extension": "1207", "mobile_phone": "+996555000002",
        "personal_email": "anara@example.org",
    }  # fmt: skip


# --- any orders whatever

KINDS = ["hire", "transfer", "dismissal", "rename", "contacts", "reinstatement", "leave", "student_enrolment",
         "student_transfer", "student_expulsion", "student_reinstatement"]  # fmt: skip
DAYS = st.integers(0, 40).map(lambda n: date(2026, 9, 1) + timedelta(days=n))


@st.composite
def histories(draw: st.DrawFn) -> list[OrderLine]:
    lines = []
    for place in range(draw(st.integers(0, 8))):
        kind, day = draw(st.sampled_from(KINDS)), draw(DAYS)
        body: dict[str, Any] = {}
        if kind in {"hire", "transfer"} or draw(st.booleans()):
            body["employment"] = draw(st.sampled_from([LECTURER, DOCENT, PART_TIME]))
            body["study"] = draw(st.sampled_from([STUDY, {"programCode": "580100"}]))
        if draw(st.booleans()):
            body |= {"name": {"family": f"Ф{place}", "given": "Г"}, "contacts": {"mobilePhone": f"+9967000000{place}"}}
        until, immediate = draw(st.none() | DAYS.map(str)), draw(st.booleans())
        number, approved = f"1/{place}-К", str(draw(DAYS))
        lines.append(order(kind, str(day), body, approved=approved, until=until, immediate=immediate, number=number))
    return lines


@given(histories(), st.randoms(use_true_random=False), st.none() | DAYS)
def test_the_order_in_which_lines_come_makes_no_difference(
    lines: list[OrderLine], chance: Any, today: date | None
) -> None:
    shuffled = list(lines)
    chance.shuffle(shuffled)
    assert fold(shuffled, today) == fold(lines, today)


@given(histories())
def test_no_affiliation_ends_before_it_begins(lines: Sequence[OrderLine]) -> None:
    for one in fold(lines).affiliations:
        assert one.ends_on is None or one.starts_on <= one.ends_on


@given(histories())
def test_nobody_has_more_affiliations_on_a_day_than_orders_opened(lines: Sequence[OrderLine]) -> None:
    opening = sum(line.kind in OPENING for line in lines)
    affiliations = fold(lines).affiliations
    for day in (date(2026, 9, 1) + timedelta(days=n) for n in range(50)):
        on_that_day = [one for one in affiliations if one.starts_on <= day <= (one.ends_on or date.max)]
        assert len(on_that_day) <= opening


@given(histories())
def test_a_cancelled_order_is_as_if_it_had_never_been(lines: list[OrderLine]) -> None:
    cancelled = [replace(line, status="cancelled", effective_on=None) for line in lines[::2]]
    assert fold(lines[1::2] + cancelled) == fold(lines[1::2])

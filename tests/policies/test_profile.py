"""A profile is data, and every mistake in it is told at once."""

import tomllib
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.claims import EVERY_CLAIM, USUAL
from policies.profile import Names
from policies.profile_text import ProfileError, _profile, parse_profile
from policies.toml_section import Section

KSTU = (Path(__file__).parents[2] / "policies/profiles/kstu.toml").read_text("utf-8")

SMALL = """
moved_working_days = [2026-01-10]
extra_holidays = [2026-09-21]
programmes = []

[institution]
code = "x"
names = { ky = "к", ru = "р", en = "e" }
domain = "x.kg"
country = "KG"
timezone = "Asia/Bishkek"

[rules]

[[departments]]
code = "A"
names = { ky = "к", ru = "р", en = "e" }

[[departments]]
code = "B"
names = { ky = "к", ru = "р", en = "e" }
parent = "A"

[[systems]]
code = "s"
names = { ky = "к", ru = "р", en = "e" }
kind = "manual"
audience = ["student"]
responsible = "B"

[[agreements]]
code = "user"
version = "1"
names = { ky = "к", ru = "р", en = "e" }
texts = { ky = "к", ru = "р", en = "e" }
"""


def mistakes(text: str) -> tuple[str, ...]:
    with pytest.raises(ProfileError) as error:
        parse_profile(text)
    assert str(error.value) == "\n".join(error.value.mistakes)
    return error.value.mistakes


def test_the_profile_of_the_university_has_the_thirteen_systems_of_the_annex() -> None:
    profile = parse_profile(KSTU)
    assert [system.code for system in profile.systems] == [
        "avn", "moodle", "1c", "unet", "library", "antiplagiarism", "website", "mail", "zoom", "canva", "e-kyzmat",
        "infodocs", "shnet",
    ]  # fmt: skip
    kinds = {system.code: system.kind for system in profile.systems if system.kind != "manual"}
    assert kinds == {"unet": "unet", "moodle": "moodle", "mail": "mail"}
    assert {system.code for system in profile.systems if system.on_request} == {"zoom", "canva"}
    assert {system.code for system in profile.systems if system.e_signature} == {"avn", "unet"}
    assert {system.code for system in profile.systems if system.report_sections} == {"unet"}


def test_a_system_learns_what_its_list_names_and_without_one_whatever_scopes_open() -> None:
    written = {system.code: system.claims for system in parse_profile(KSTU).systems}
    assert {"given_name", "family_name", "email"} <= written["moodle"] < EVERY_CLAIM
    assert "address" not in written["moodle"]
    assert written["unet"] == USUAL
    assert {code for code, claims in written.items() if "address" in claims} == {"e-kyzmat", "infodocs"}
    nothing = SMALL.replace('responsible = "B"', 'responsible = "B"\nclaims = []')
    assert parse_profile(nothing).systems[0].claims == frozenset()
    misspelt = SMALL.replace('responsible = "B"', 'responsible = "B"\nclaims = ["e-mail", "adress"]')
    assert [mistake.split(" is none")[0] for mistake in mistakes(misspelt)] == [
        "systems[0].claims: 'adress'", "systems[0].claims: 'e-mail'",
    ]  # fmt: skip


def test_the_university_keeps_the_numbers_of_the_regulation() -> None:
    written, assumed = parse_profile(KSTU).rules, parse_profile(SMALL).rules
    assert replace(written, leaves=assumed.leaves, brakes=assumed.brakes) == assumed
    assert (written.password.shortest, written.lockout.allowed_failures, written.working_days) == (8, 3, 3)
    assert written.officer_session.idle == timedelta(minutes=15)


def test_a_name_is_told_in_the_readers_language() -> None:
    names = Names("Китепкана", "Библиотека", "Library")
    assert [names.to(language) for language in ("ky", "ru", "en", "de")] == [
        "Китепкана", "Библиотека", "Library", "Китепкана",
    ]  # fmt: skip


def test_public_holidays_and_the_profiles_own_days_make_the_calendar() -> None:
    profile = parse_profile(SMALL)
    calendar = profile.calendar(frozenset({date(2026, 1, 7)}))
    days = (date(2026, 1, 7), date(2026, 9, 21), date(2026, 1, 10), date(2026, 1, 11), date(2026, 1, 12))
    assert [calendar.is_working(day) for day in days] == [False, False, True, False, True]
    assert profile.institution.zone.key == "Asia/Bishkek"


@pytest.mark.parametrize(
    ("address", "inside"),
    [("10.3.200.1", True), ("10.4.0.1", False), ("2001:db8::7", True), (None, False), ("unknown", False)],
)
def test_an_address_is_inside_when_a_network_of_the_profile_has_it(address: str | None, inside: bool) -> None:
    written = SMALL.replace('country = "KG"', 'country = "KG"\nnetworks = ["10.3.0.0/16", "2001:db8::/32"]')
    assert parse_profile(written).institution.is_inside(address) is inside
    assert not parse_profile(SMALL).institution.is_inside(address)


def test_any_change_of_the_agreement_changes_its_digest() -> None:
    digests = {
        parse_profile(text).in_force[0].sha256
        for text in (SMALL, SMALL.replace('ky = "к", ru = "р", en = "e" }\n', 'ky = "к", ru = "р", en = "e!" }\n'),
                     SMALL.replace('version = "1"', 'version = "2"'))
    }  # fmt: skip
    assert len(digests) == 3
    assert parse_profile(SMALL).in_force[0].version == "1"


def test_the_university_asks_its_employees_for_one_text_more_than_its_students() -> None:
    user, hr = parse_profile(KSTU).in_force
    assert (user.audience, hr.audience) == (frozenset(), frozenset({"employee"}))


def test_two_agreements_of_one_code_are_a_mistake() -> None:
    agreement = SMALL[SMALL.index("[[agreements]]") :]
    assert mistakes(SMALL + agreement) == ("agreements[1].code: 'user' is given twice",)


def test_all_mistakes_are_told_at_once_each_with_its_path() -> None:
    broken = (
        SMALL.replace(
            'timezone = "Asia/Bishkek"',
            'timezone = "Asia/Bishkekk"\nlanguages = ["ky", "de"]\nnetworks = ["10.3.0.1/16"]\nphone = "1"',
        )
        .replace(
            "[rules]",
            "[rules]\nworking_days = true\n[rules.lockout]\nallowed_failures = 0\nscope = 'house'\n[rules.tokens]",
        )
        .replace("[rules]\n", "[rules]\ninitial_credentials = 'mail'\n")
        .replace("[rules.tokens]", "[rules.tokens]\ncode_seconds = 61")
        .replace('parent = "A"', 'parent = "C"')
        .replace('kind = "manual"', 'kind = "magic"\non_request = true\ndepartments = ["D"]\ne_signature = "yes"')
        .replace('audience = ["student"]', 'audience = ["parents", 7]')
        .replace("[2026-01-10]", "[2026-01-10T00:00:00]")
        .replace('version = "1"', 'version = " "\naudience = ["parents"]')
    )
    assert set(mistakes(broken)) == {
        "moved_working_days: may hold only values of the kind date",
        "institution.languages: 'de' is none of en, ky, ru",
        "institution.timezone: is no time zone: 'Asia/Bishkekk'",
        "institution.networks: is no network: '10.3.0.1/16'",
        "institution.phone: is not known here",
        "rules.working_days: must be a whole number",
        "rules.initial_credentials: 'mail' is none of link, slip",
        "rules.lockout.scope: 'house' is none of device, login",
        "rules.lockout.allowed_failures: must be between 1 and 100",
        "rules.tokens.code_seconds: must be between 10 and 60",
        "departments[1].parent: no department has the code 'C'",
        "systems[0].kind: 'magic' is none of canva, ekyzmat, google, ldap, mail, manual, moodle, rest, scim, unet, zoom",
        "systems[0].audience: may hold only values of the kind str",
        "systems[0].audience: 'parents' is none of employee, learner, student",
        "systems[0].on_request: needs programs by which it is requested",
        "systems[0].e_signature: must be true or false",
        "systems[0].departments: no department has the code 'D'",
        "agreements[0].version: must not be empty",
        "agreements[0].audience: 'parents' is none of employee, learner, student",
    }


def test_of_a_missing_table_one_mistake_is_told() -> None:
    assert set(mistakes("typo = 1")) == {
        "institution: is missing", "rules: is missing", "departments: is missing", "programmes: is missing",
        "systems: is missing", "agreements: is missing", "typo: is not known here",
    }  # fmt: skip


def test_a_language_that_is_missing_is_named() -> None:
    assert mistakes(SMALL.replace('texts = { ky = "к", ', "texts = { ")) == ("agreements[0].texts.ky: is missing",)
    assert mistakes(SMALL.replace('domain = "x.kg"', 'domain = "x.kg"\nlanguages = []')) == (
        "institution.languages: must not be empty",
    )


def test_a_code_belongs_to_one_thing() -> None:
    twice = SMALL.replace('code = "B"', 'code = "A"').replace('responsible = "B"', 'responsible = "A"')
    assert mistakes(twice)[0] == "departments[1].code: 'A' is given twice"


def test_a_system_may_name_positions_and_programmes_and_a_programme_nobody_has_is_a_mistake() -> None:
    kind = 'kind = "manual"\n'
    told = SMALL.replace(kind, f'{kind}positions = ["DEAN"]\nprogrammes = ["P"]\n')
    assert mistakes(told) == ("systems[0].programmes: no programme has the code 'P'",)
    known = '[[programmes]]\ncode = "P"\nnames = { ky = "п", ru = "п", en = "p" }\ndepartment = "B"\n'
    at = told.index("[[systems]]")
    rule = parse_profile((told[:at] + known + told[at:]).replace("programmes = []\n", "", 1)).systems[0].rule
    assert (rule.positions, rule.programmes) == ({"DEAN"}, {"P"})


def test_an_agreement_that_a_system_needs_is_one_that_its_people_are_asked_for() -> None:
    needs = SMALL.replace('kind = "manual"\n', 'kind = "manual"\nneeds_agreement = "user"\n')
    assert parse_profile(needs).systems[0].rule.needs_agreement == "user"
    unknown = needs.replace('needs_agreement = "user"', 'needs_agreement = "x"')
    assert mistakes(unknown) == ("systems[0].needs_agreement: no agreement has the code 'x'",)
    for_others = needs.replace('version = "1"\n', 'version = "1"\naudience = ["employee"]\n')
    assert mistakes(for_others) == ("systems[0].needs_agreement: 'user' is not for everybody in the audience",)


def test_a_system_without_a_kind_is_told_so_once() -> None:
    assert mistakes(SMALL.replace('kind = "manual"\n', "")) == ("systems[0].kind: is missing",)


def test_a_department_does_not_stand_above_itself() -> None:
    circle = SMALL.replace('code = "A"', 'code = "A"\nparent = "B"')
    assert mistakes(circle) == (
        "departments[0].parent: 'A' stands above itself", "departments[1].parent: 'B' stands above itself",
    )  # fmt: skip
    below = circle.replace("[[systems]]", '[[departments]]\ncode = "C"\nnames = { ky = "к", ru = "р", en = "e" }\n'
                           'parent = "A"\n\n[[systems]]')  # fmt: skip
    assert len(mistakes(below)) == 2


def test_a_table_where_a_text_belongs_and_the_other_way_round_are_told() -> None:
    assert mistakes(SMALL.replace('code = "x"', "code = {}")) == ("institution.code: must be a text",)
    assert "institution.names: must be a table" in mistakes(
        SMALL.replace('code = "x"\nnames = { ky = "к", ru = "р", en = "e" }', 'code = "x"\nnames = "x"')
    )


def test_what_is_not_toml_is_told_as_such() -> None:
    (mistake,) = mistakes("a = ")
    assert mistake.startswith("profile: not TOML: ")


@pytest.mark.parametrize("code", ["0407", "0112", "FIT", "IT", "OOCI", "HR", "ACCOUNTING", "PFU", "LIBRARY",
                                  "ACADEMIC", "COS", "ORPO"])  # fmt: skip
def test_the_university_has_its_departments_in_three_languages(code: str) -> None:
    department = {part.code: part for part in parse_profile(KSTU).departments}[code]
    assert all(department.names.to(language) for language in ("ky", "ru", "en"))


def test_what_stays_during_a_leave_is_a_system_of_the_profile() -> None:
    rules = parse_profile(KSTU).rules.leaves
    assert rules.kept["childcare"] == {"mail", "moodle"} and "annual" not in rules.kept
    wrong = SMALL.replace("[rules]", '[rules.leaves]\nchildcare = ["s", "mail"]\nleast = ["x"]\nholiday = []')
    assert mistakes(wrong) == (
        "rules.leaves.holiday: is not known here",
        "rules.leaves: no system has the code 'mail'",
        "rules.leaves: no system has the code 'x'",
    )


def test_a_system_may_say_where_it_is_opened_over_https_only() -> None:
    here = SMALL.replace('responsible = "B"', 'responsible = "B"\nurl = "https://unet.kstu.kg/start?x=1"')
    assert parse_profile(here).systems[0].url == "https://unet.kstu.kg/start?x=1"
    assert parse_profile(SMALL).systems[0].url == ""
    for url in ("http://unet.kstu.kg", "javascript:alert(1)", "https://a b", "https://evil\\n", "https://user@host"):
        told = SMALL.replace('responsible = "B"', f'responsible = "B"\nurl = "{url}"')
        assert any(one.startswith("systems[0].url:") for one in mistakes(told)), url


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
KEYS = sorted(tomllib.loads(SMALL))


@given(
    key=st.sampled_from(KEYS), inner=st.none() | st.sampled_from(["code", "names", "kind", "password"]), value=VALUES
)
def test_whatever_stands_in_a_profile_it_is_read_or_every_mistake_has_its_place(
    key: str, inner: str | None, value: object
) -> None:
    values = tomllib.loads(SMALL)
    part = values[key][0] if isinstance(values[key], list) and values[key] else values[key]
    if inner and isinstance(part, dict):
        part[inner] = value
    else:
        values[key] = value
    told: list[str] = []
    _profile(Section(values, "", told))
    assert all(": " in mistake for mistake in told)


@given(text=st.text(max_size=200))
def test_a_text_that_is_no_profile_is_refused_and_nothing_else_is_raised(text: str) -> None:
    with pytest.raises(ProfileError):
        parse_profile(text)

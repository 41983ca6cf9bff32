"""A client learns what its scopes open and its system needs, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.claims import CLAIMS, EVERY_CLAIM, USUAL, address, claims_for, eduperson, opened, reach

ANARA = {
    "name": "Үлгүбаева Анара Үлгүевна", "given_name": "Анара", "family_name": "Үлгүбаева", "middle_name": "Үлгүевна",
    "preferred_username": "a.ulgubaeva", "locale": "ky", "email": "a.ulgubaeva@kstu.kg", "email_verified": False,
    "phone_number": "+996312000000", "affiliation": ("employee",), "department": "0407", "student_group": ("ИВТ-1-24",),
    "address": {"locality": "Бишкек"}, "programs": ("unet.employee",), "report_sections": ("kpi.department",),
    **eduperson(["employee"], "a.ulgubaeva", "kstu.kg"),
    "personal_number": "99999999990001", "home_address": "Бишкек", "mobile_phone": "+996700000001",
}  # fmt: skip
SOME_CLAIMS = st.frozensets(st.sampled_from([*sorted(EVERY_CLAIM), "personal_number", "home_address", "made-up"]))
SOME_SCOPES = st.frozensets(st.sampled_from([*CLAIMS, "openid", "payroll"]))


@pytest.mark.parametrize("scope", CLAIMS)
def test_a_scope_opens_its_own_claims_only(scope: str) -> None:
    assert set(claims_for(opened({scope, "openid"}), ANARA)) == set(CLAIMS[scope])


def test_all_scopes_together_do_not_open_what_no_scope_names() -> None:
    told = claims_for(opened(CLAIMS), ANARA)
    assert not {"personal_number", "home_address", "mobile_phone"} & set(told)


def test_without_scopes_nothing_is_told() -> None:
    assert claims_for(opened({"openid", "made-up"}), ANARA) == {}


def test_an_address_is_told_in_the_words_of_the_standard() -> None:
    """OIDC Core, 5.1.1: what is unknown is left out."""
    home = {"country": "KG", "region": "Чүй", "city": "Бишкек", "street": "ул. Образцовая", "building": "1",
            "flat": "2", "postalCode": "720000"}  # fmt: skip
    assert address(home) == {
        "formatted": "ул. Образцовая, 1-2\n720000 Бишкек\nЧүй\nKG", "street_address": "ул. Образцовая, 1-2",
        "locality": "Бишкек", "region": "Чүй", "postal_code": "720000", "country": "KG",
    }  # fmt: skip
    assert address({"city": "Бишкек", "flat": "2"}) == {
        "formatted": "2\nБишкек", "street_address": "2", "locality": "Бишкек",
    }  # fmt: skip
    assert address({}) == {}
    assert claims_for({"address"}, {"address": {}}) == {}


def test_a_system_is_told_the_home_address_only_where_its_profile_names_it() -> None:
    assert reach(["address"], USUAL) == frozenset()
    assert reach(["address"], EVERY_CLAIM) == {"address"}


@given(SOME_SCOPES, SOME_SCOPES, SOME_CLAIMS, SOME_CLAIMS, SOME_CLAIMS)
def test_nothing_goes_beyond_scopes_system_and_the_clients_own_list(
    registered: frozenset[str],
    granted: frozenset[str],
    asked: frozenset[str],
    system: frozenset[str],
    own: frozenset[str],
) -> None:
    at_most = reach(registered, system, own)
    assert at_most <= system & own
    assert at_most <= {claim for scope in registered for claim in CLAIMS.get(scope, ())}
    assert opened(granted, asked, at_most) <= at_most
    assert reach(registered, system, None) == reach(registered, system, EVERY_CLAIM) >= at_most


def test_a_single_claim_is_told_without_its_scope_if_that_scope_is_registered() -> None:
    within = reach(["openid", "email"])
    assert opened({"openid"}, ["email", "phone_number", "sub"], within) == {"email"}


def test_what_is_absent_or_empty_is_left_out_but_no_and_zero_are_said() -> None:
    assert claims_for(EVERY_CLAIM, {"name": "", "middle_name": None, "affiliation": ()}) == {}
    assert claims_for(EVERY_CLAIM, {"email": "a@b", "email_verified": False}) == {
        "email": "a@b",
        "email_verified": False,
    }


def test_no_address_is_neither_verified_nor_unverified() -> None:
    assert claims_for({"email", "email_verified"}, {"email": "", "email_verified": True}) == {}


def test_several_affiliations_become_a_json_list() -> None:
    assert claims_for({"affiliation"}, {"affiliation": ("student", "employee")})["affiliation"] == [
        "student",
        "employee",
    ]
    assert claims_for({"affiliation"}, {"affiliation": {"student", "employee"}})["affiliation"] == [
        "employee",
        "student",
    ]


def test_eduperson_says_the_same_in_its_own_words() -> None:
    assert claims_for(EVERY_CLAIM, eduperson({"student", "employee"}, "aida", "kstu.kg")) == {
        "eduperson_affiliation": ["employee", "member", "student"],
        "eduperson_scoped_affiliation": ["employee@kstu.kg", "member@kstu.kg", "student@kstu.kg"],
        "eduperson_principal_name": "aida@kstu.kg",
        "schac_home_organization": "kstu.kg",
    }


def test_a_learner_is_an_affiliate_and_no_member() -> None:
    said = claims_for(EVERY_CLAIM, eduperson({"learner"}, "aida", "kstu.kg"))
    assert said["eduperson_affiliation"] == ["affiliate"]
    both = claims_for(EVERY_CLAIM, eduperson({"learner", "employee"}, "aida", "kstu.kg"))
    assert both["eduperson_affiliation"] == ["affiliate", "employee", "member"]


def test_who_neither_works_nor_studies_is_no_member() -> None:
    assert set(claims_for(EVERY_CLAIM, eduperson([], "aida", "kstu.kg"))) == {
        "eduperson_principal_name", "schac_home_organization",
    }  # fmt: skip

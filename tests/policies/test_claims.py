"""A client learns what its scopes open and nothing else."""

import pytest

from policies.claims import CLAIMS, claims_for

ANARA = {
    "name": "Үлгүбаева Анара Үлгүевна", "given_name": "Анара", "family_name": "Үлгүбаева", "middle_name": "Үлгүевна",
    "preferred_username": "a.ulgubaeva", "locale": "ky", "updated_at": 0, "email": "a.ulgubaeva@kstu.kg",
    "email_verified": False, "phone_number": "+996700000001", "affiliation": ("employee",), "department": "0407",
    "personal_number": "99999999990001", "home_address": "Бишкек",
}  # fmt: skip


@pytest.mark.parametrize("scope", CLAIMS)
def test_a_scope_opens_its_own_claims_only(scope: str) -> None:
    assert set(claims_for(frozenset({scope, "openid"}), ANARA)) == set(CLAIMS[scope])


def test_all_scopes_together_do_not_open_what_no_scope_names() -> None:
    opened = claims_for(frozenset(CLAIMS), ANARA)
    assert not {"personal_number", "home_address"} & set(opened)


def test_without_scopes_nothing_is_told() -> None:
    assert claims_for(frozenset({"openid", "made-up"}), ANARA) == {}


def test_what_is_absent_or_empty_is_left_out_but_no_and_zero_are_said() -> None:
    everything = frozenset(CLAIMS)
    assert claims_for(everything, {"name": "", "middle_name": None, "affiliation": ()}) == {}
    assert claims_for(everything, {"updated_at": 0, "email": "a@b", "email_verified": False}) == {
        "updated_at": 0, "email": "a@b", "email_verified": False,
    }  # fmt: skip


def test_no_address_is_neither_verified_nor_unverified() -> None:
    assert claims_for(frozenset({"email"}), {"email": "", "email_verified": True}) == {}


def test_several_affiliations_become_a_json_list() -> None:
    opened = frozenset({"affiliation"})
    assert claims_for(opened, {"affiliation": ("student", "employee")})["affiliation"] == ["student", "employee"]
    assert claims_for(opened, {"affiliation": {"student", "employee"}})["affiliation"] == ["employee", "student"]

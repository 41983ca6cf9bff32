"""Regulation 5.1: which passwords are refused, and that every reason is told."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.passwords import Broken, PasswordRules, broken_rules, normalise

RULES = PasswordRules()
GOOD = "Zx7!mopQ"


def broken(password: str, *personal: str, rules: PasswordRules = RULES) -> tuple[Broken, ...]:
    return broken_rules(password, rules, personal, is_common=False, used_before=False)


@pytest.mark.parametrize("password", [GOOD, "Жаш7!mop", "ҮңөЖ-9үлг", "Aa1!" * 32, "Old blind mice, 7 of them"])
def test_a_password_that_keeps_every_rule_is_taken(password: str) -> None:
    assert broken(password) == ()


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("Zx7!mop", Broken.TOO_SHORT),
        ("Aa1!" * 32 + "b", Broken.TOO_LONG),
        ("Zxq!mopQ", Broken.NO_DIGIT),
        ("ZX7!MOPQ", Broken.NO_LOWER),
        ("zx7!mopq", Broken.NO_UPPER),
        ("Zx7amopQ", Broken.NO_SPECIAL),
        ("Zx7!moopQ", Broken.REPEATED),
    ],
)
def test_each_rule_of_composition_refuses_by_itself(password: str, rule: Broken) -> None:
    assert broken(password) == (rule,)


def test_a_bad_password_is_answered_with_every_rule_it_breaks() -> None:
    told = broken_rules("aaa", RULES, ["aaa"], is_common=True, used_before=True)
    others = {Broken.TOO_LONG, Broken.NO_LOWER, Broken.OTHER_SERVICE}  # the last is for others to tell
    assert told == tuple(rule for rule in Broken if rule not in others)


def test_the_empty_password_breaks_rules_instead_of_the_program() -> None:
    assert Broken.TOO_SHORT in broken("") and Broken.REPEATED not in broken("")


@pytest.mark.parametrize("fragment", ["anara", "АНАРА", " Анара ", "996700000001", "ＡＮＡＲＡ"])
def test_what_is_the_persons_own_is_found_in_any_case_and_width(fragment: str) -> None:
    assert broken("xAnArAАнАрА996700000001!", fragment)[-1] is Broken.PERSONAL


def test_fragments_of_two_characters_refuse_nothing() -> None:
    assert broken(GOOD, "Zx", "", "  ") == ()


@pytest.mark.parametrize("special", "!&#$%*-.,@~\"'")
def test_the_list_of_special_characters_is_open(special: str) -> None:
    assert broken(f"Zx7{special}mopQ") == ()


def test_a_longer_run_can_be_allowed() -> None:
    assert broken("Zx7!moopQ", rules=PasswordRules(longest_run=2)) == ()


def test_length_is_measured_after_normalisation() -> None:
    assert Broken.TOO_LONG in broken("Aa1!" + "ﷺ" * 7)  # 11 characters as typed, 130 after NFKC


def test_the_same_password_typed_on_two_keyboards_is_one_password() -> None:
    assert normalise("Й1!a") == normalise(unicodedata.normalize("NFD", "Й1!a"))


@given(st.text())
def test_normalising_again_changes_nothing(password: str) -> None:
    assert normalise(normalise(password)) == normalise(password)


@given(st.text(max_size=40), st.lists(st.text(min_size=3, max_size=6), max_size=3))
def test_how_it_was_typed_makes_no_difference_to_the_verdict(password: str, personal: list[str]) -> None:
    assert broken(password, *personal) == broken(normalise(password), *personal)


@given(st.text(max_size=20), st.text("абвгд", min_size=3, max_size=8), st.text(max_size=20))
def test_a_fragment_is_found_wherever_it_stands(before: str, fragment: str, after: str) -> None:
    assert Broken.PERSONAL in broken(f"{before} {fragment.upper()} {after}", fragment)

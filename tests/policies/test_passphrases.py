"""Every passphrase satisfies every rule, whatever the dice."""

from hypothesis import given
from hypothesis import strategies as st

from policies.passphrases import FEWEST, passphrase, usable
from policies.passwords import PasswordRules, broken_rules

WORDS = ("canal", "maple", "orbit", "pencil", "tiger")


@given(dice=st.randoms(use_true_random=False), shortest=st.integers(8, 64), run=st.integers(1, 3))
def test_a_passphrase_breaks_no_rule(dice: object, shortest: int, run: int) -> None:
    rules = PasswordRules(shortest=shortest, longest_run=run)
    made = passphrase(WORDS, dice.randrange, rules)  # type: ignore[attr-defined]
    assert broken_rules(made, rules, (), is_common=False, used_before=False) == ()
    assert made.count("-") >= FEWEST - 1


def test_it_is_made_as_the_dice_fall() -> None:
    throws = iter((1, 4, 2, 0, 3, 1, 7))
    assert passphrase(WORDS, lambda most: next(throws) % most, PasswordRules()) == "Maple-tiger7-orbit-canal-pencil"


def test_words_with_doubled_letters_signs_or_too_many_letters_are_left_out() -> None:
    assert usable(["tiger", "pepper", "t-shirt", "Maple", "ox", "magnificent", "tiger", "жолборс"]) == ("tiger",)

"""Passphrases that people can remember and that satisfy every rule.  Regulation 5.1.

Owns their form: words with a capital at the beginning and hyphens between them, a digit behind one of them.  Leaves
alone the words and the dice: both are handed in.
"""

import re
from collections.abc import Callable, Iterable, Sequence

from policies.passwords import PasswordRules

FEWEST = 5  # words; of 3,500 words that is 59 bits, and 64 with the digit and its place
LONGEST_WORD = 7
DIGITS = 10

Dice = Callable[[int], int]  # a random number below the given one


def usable(words: Iterable[str]) -> tuple[str, ...]:
    """The words that fit: short ones of plain letters, none twice in a row."""
    plain = re.compile(rf"(?!.*(.)\1)[a-z]{{3,{LONGEST_WORD}}}")
    return tuple(sorted({word for word in words if plain.fullmatch(word)}))


def passphrase(words: Sequence[str], dice: Dice, rules: PasswordRules) -> str:
    """«Maple-tiger7-orbit-canal-pencil»; as many more words as the shortest length asks for."""
    chosen: list[str] = []
    while len(chosen) < FEWEST or len("-".join(chosen)) + 1 < rules.shortest:
        chosen.append(words[dice(len(words))])
    marked = dice(len(chosen))
    chosen[marked] += str(dice(DIGITS))
    return "-".join(chosen).capitalize()

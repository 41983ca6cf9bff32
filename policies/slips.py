"""The code on a printed slip, by which a new account is activated.  Regulation 4.4, 5.1; ASVS 6.4.1, 11.5.1.

Owns how it looks and how what is typed is read.  Leaves alone who prints it, and until when it works.
"""

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # no I, L, O, U: nothing is read as something else, and no words come up
LENGTH = 26  # 130 bits
GROUP = 4
# I, L and O are what people read for 1 and 0; the rest is what a Cyrillic keyboard gives for the same picture.
LOOK_ALIKES = str.maketrans("ILOАВЕКМНОРСТУХІ", "110ABEKMH0PCTYX1")
LONGEST_ENTRY = 100  # characters that are looked at


def shown(code: str) -> str:
    """A code as people read it: in groups of four."""
    return " ".join(code[place : place + GROUP] for place in range(0, len(code), GROUP))


def read_slip_code(entered: str) -> str | None:
    """The code somebody typed, whatever the case, blanks and hyphens; None when it can't be one."""
    letters = "".join(letter for letter in entered[:LONGEST_ENTRY].upper() if letter.isalnum())
    code = letters.translate(LOOK_ALIKES)
    return code if len(code) == LENGTH and set(code) <= set(ALPHABET) else None

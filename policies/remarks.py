"""What people write in their own words, as it is kept: reasons, notes, reports.  Regulation 3.7, 5.4, 5.7, 6.5.

Owns what a remark may hold.  Leaves alone who has to give one, and where it is kept.
"""

import unicodedata

LONGEST = 500  # characters


def remark(text: str, longest: int = LONGEST) -> str:
    """`text` without what no page shows and no database takes, cut to `longest`; empty where nothing was said.

    Lines stay lines; other control characters and halves of surrogate pairs are blanks.
    """
    shown = (" " if _is_control(one) else one for one in text.replace("\r\n", "\n"))
    return "".join(shown).strip()[:longest].rstrip()


def _is_control(character: str) -> bool:
    return character != "\n" and unicodedata.category(character) in ("Cc", "Cs")

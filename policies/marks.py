"""The mark by which a system is known again among others: two letters and a colour.  Regulation annex (list of systems).

Owns how a mark follows from a code.  Leaves alone what the colours look like, which is the pages'.
"""

from zlib import crc32

COLOURS = 6


def initials(code: str) -> str:
    """Of the first two words, else the first two letters: e-kyzmat is EK, avn is AV; in capitals."""
    words = "".join(letter if letter.isalnum() else " " for letter in code).split()
    letters = "".join(word[0] for word in words[:2]) if len(words) > 1 else "".join(words)[:2]
    return letters.upper()[:2]


def colour(code: str) -> int:
    """The same for the same code, always."""
    return crc32(code.encode()) % COLOURS

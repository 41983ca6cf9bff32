"""Files that go with an officer's word that a task is done: which are taken, how they are called.  Regulation 3.5, 3.7."""

MOST_BYTES = 2_000_000
LONGEST_NAME = 100  # characters before the ending

BEGINNINGS = {b"%PDF-": "application/pdf", b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}
ENDINGS = {"application/pdf": ".pdf", "image/jpeg": ".jpg", "image/png": ".png"}


def media_type(data: bytes) -> str | None:
    """What the file is by its first bytes; None for what is not taken.  What its name says does not count."""
    return next((kind for beginning, kind in BEGINNINGS.items() if data.startswith(beginning)), None)


def wrong_with(data: bytes) -> str | None:
    """Why a file is not taken: ``file-empty``, ``file-too-big`` or ``file-kind``; None when it is."""
    if not data:
        return "file-empty"
    if len(data) > MOST_BYTES:
        return "file-too-big"
    return None if media_type(data) else "file-kind"


def called(name: str, kind: str) -> str:
    """A name that is only a name, with the ending of what the file is: `../evil.html` of a PNG is `evil.png`."""
    last = name.replace("\\", "/").rpartition("/")[2]
    stem = last.rpartition(".")[0] or last
    kept = "".join(letter for letter in stem if letter.isprintable() and letter not in '"<>:|?*').strip(" .")
    return (kept[:LONGEST_NAME] or "file") + ENDINGS[kind]

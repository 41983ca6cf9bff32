"""The list of common and leaked passwords: the one that ships, and a filter of one's own (Regulation 5.1; ASVS 6.2.4).

The filter is a Bloom filter over SHA-1 digests, so that it can be made of a plain word list and of what Have I Been Pwned
publishes alike.  It never misses a listed password; of others it takes one in a thousand for listed.
"""

import hashlib
import string
from collections.abc import Iterable, Iterator
from pathlib import Path

from rbloom import Bloom
from zxcvbn.frequency_lists import FREQUENCY_LISTS

SHIPPED = frozenset(FREQUENCY_LISTS["passwords"])
TRIMMINGS = string.digits + string.punctuation  # Password1! is still «password»
MAGIC = b"achkych-passwords-1\n"
FALSE_POSITIVES = 0.001


class Damaged(ValueError):
    """The file is no filter of ours, or not all of it."""


class CommonPasswords:
    """What no password may be."""

    def __init__(self, filter_file: Path | None = None) -> None:
        """Raises `Damaged`, or `OSError` when the file can't be read."""
        self._filter = _load(filter_file.read_bytes()) if filter_file else None

    def __contains__(self, password: str) -> bool:
        """Whether it is listed, as it is or once its trimmings are taken off, whatever its case."""
        plain = password.casefold()
        return any(self._lists(form) for form in {password, plain, plain.strip(TRIMMINGS)})

    def _lists(self, form: str) -> bool:
        return form in SHIPPED or (self._filter is not None and digest_of(form) in self._filter)


def digest_of(password: str) -> bytes:
    """What a password is listed by; SHA-1 because published lists are made of it, nothing is protected by it."""
    return hashlib.sha1(password.encode("utf8", "surrogatepass"), usedforsecurity=False).digest()


def digests(lines: Iterable[bytes], leaked: bool, least: int) -> Iterator[bytes]:
    """Out of the lines of a word list, or of ``SHA1:count`` (`leaked`) with at least that count.

    Raises `ValueError` with the number of a line that is neither.
    """
    for number, line in enumerate(lines, start=1):
        told = line.rstrip(b"\r\n")
        if not leaked:
            yield from [hashlib.sha1(told, usedforsecurity=False).digest()] if told else []
            continue
        try:
            hexadecimal, count = told.split(b":")
            found, seen = bytes.fromhex(hexadecimal.decode("ascii")), int(count)
        except ValueError:
            raise ValueError(f"line {number} is not SHA1:count") from None
        if len(found) != hashlib.sha1(usedforsecurity=False).digest_size:
            raise ValueError(f"line {number} is not SHA1:count")
        yield from [found] if seen >= least else []


def build(listed: Iterable[bytes], expected: int) -> bytes:
    """The content of a filter file for so many digests at most."""
    made = Bloom(max(1, expected), FALSE_POSITIVES, _place)
    made.update(listed)
    payload = made.save_bytes()
    return MAGIC + hashlib.sha256(payload).digest() + payload


def _load(content: bytes) -> Bloom:
    start = len(MAGIC) + hashlib.sha256().digest_size
    told, payload = content[len(MAGIC) : start], content[start:]
    if not content.startswith(MAGIC) or hashlib.sha256(payload).digest() != told:
        raise Damaged("is no filter of passwords, or not all of it (`achkych passwords build-filter` makes one)")
    return Bloom.load_bytes(payload, _place)


def _place(digest: bytes) -> int:
    """Where a digest stands in the filter: the same on every machine, unlike Python's own hash."""
    return int.from_bytes(digest[:16], signed=True)

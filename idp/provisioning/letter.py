"""A mail's text as the parts that its HTML form shows: one source for both forms, so that they never differ.

Text templates write a paragraph as lines, what stands out as indented lines, and a link on a line of its own.  Only
addresses of this service become links: whatever a name or a device calls itself, it is text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

INDENT = "    "


@dataclass(frozen=True, slots=True)
class Part:
    """A sentence or several, a link, or lines that stand out."""

    kind: Literal["text", "link", "lines"]
    lines: tuple[str, ...]


def parts(body: str, base_url: str) -> list[Part]:
    """The parts of a mail's text, in their order."""
    paragraphs = re.split(r"\n\s*\n", body.strip("\n"))
    return [part for paragraph in paragraphs for part in _parts(paragraph.splitlines(), f"{base_url}/")]


def _parts(lines: list[str], ours: str) -> Iterator[Part]:
    said: list[str] = []
    for line in lines:
        if line.strip().startswith(ours):
            yield from _said(said)
            yield Part("link", (line.strip(),))
            said = []
        elif said and line.startswith(INDENT) != said[0].startswith(INDENT):
            yield from _said(said)
            said = [line]
        else:
            said.append(line)
    yield from _said(said)


def _said(lines: list[str]) -> Iterator[Part]:
    told = tuple(line.strip() for line in lines if line.strip())
    if told:
        yield Part("lines" if lines[0].startswith(INDENT) else "text", told)

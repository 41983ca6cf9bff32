"""Reads the PDFs that we set, as far as Typst writes them: what stands on them, on how many pages, and for whom.

Text is found by the fonts' own tables back to Unicode, so it is what a reader can search, copy and hear.
"""

import re
import zlib

STREAM = re.compile(rb"\n(\d+) 0 obj\s*<<((?:(?!endobj).)*?)/Filter/FlateDecode.*?>>\s*stream\r?\n", re.DOTALL)
FONT = re.compile(rb"\n(\d+) 0 obj\s*<</Type/Font/Subtype/Type0.*?/ToUnicode (\d+) 0 R")
NAMED = re.compile(rb"/(f\d+) (\d+) 0 R")
PAGE = re.compile(rb"/Type/Page/Resources (\d+) 0 R.*?/Contents (\d+) 0 R")
LETTER = re.compile(rb"<([0-9A-F]+)> <([0-9A-F]+)>")
BLOCK = re.compile(rb"\nBT (.*?)\nET\n", re.DOTALL)
RUN = re.compile(rb"/(f\d+) [\d.]+ Tf (.*?)(?=/f\d+ [\d.]+ Tf|$)", re.DOTALL)
MARK = re.compile(rb"/Span<<.*?>>BDC", re.DOTALL)
TOKEN = re.compile(rb"\\([0-7]{1,3}|.)|(.)", re.DOTALL)
SPECIAL = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def text_of(pdf: bytes) -> str:
    """All text, page after page; runs of blanks are one."""
    streams = {int(found[1]): zlib.decompressobj().decompress(pdf[found.end() :]) for found in STREAM.finditer(pdf)}
    to_unicode = {int(found[1]): int(found[2]) for found in FONT.finditer(pdf)}
    told = "".join(
        _shown(streams[int(contents)], _fonts(pdf, resources, to_unicode, streams))
        for resources, contents in PAGE.findall(pdf)
    )
    return " ".join(told.split())


def _fonts(
    pdf: bytes, resources: bytes, to_unicode: dict[int, int], streams: dict[int, bytes]
) -> dict[bytes, dict[int, str]]:
    """The fonts of one page; each page has names of its own for them."""
    place = pdf.index(b"\n" + resources + b" 0 obj")
    named = NAMED.findall(pdf[place : pdf.index(b"endobj", place)])
    return {name: _letters(streams[to_unicode[int(number)]]) for name, number in named}


def pages_of(pdf: bytes) -> int:
    found = re.search(rb"/Type/Pages/Count (\d+)", pdf)
    assert found is not None
    return int(found[1])


def is_accessible(pdf: bytes) -> bool:
    """Whether it says that it is PDF/UA-1, which Typst checks when it writes so."""
    return b"<pdfuaid:part>1</pdfuaid:part>" in pdf


def _letters(table: bytes) -> dict[int, str]:
    return {int(code, 16): bytes.fromhex(text.decode()).decode("utf-16-be") for code, text in LETTER.findall(table)}


def _shown(stream: bytes, fonts: dict[bytes, dict[int, str]]) -> str:
    blocks = (RUN.findall(MARK.sub(b"", block)) for block in BLOCK.findall(stream))
    return "".join("".join(_read(fonts[font], run) for font, run in runs) + " " for runs in blocks)


def _read(letters: dict[int, str], run: bytes) -> str:
    codes = _codes(run)
    return "".join(letters[int.from_bytes(codes[place : place + 2])] for place in range(0, len(codes), 2))


def _codes(block: bytes) -> bytes:
    """What stands within brackets, which may nest unescaped."""
    codes, depth = b"", 0
    for found in TOKEN.finditer(block):
        escaped, plain = found.groups()
        depth -= plain == b")"
        if depth and escaped is not None:
            codes += bytes([int(escaped, 8)]) if escaped[:1].isdigit() else SPECIAL.get(escaped, escaped)
        elif depth:
            codes += plain
        depth += plain == b"("
    return codes

"""Pages to print, as PDF that screen readers can read too (PDF/UA-1).

Owns how a template of `idp/templates/paper/` is set by Typst.  Values come in as JSON and are only ever text there: nothing
of a person's data can be markup, name a file, or reach out of the templates' folder.  Only the fonts that come with Typst
are used, so that a page looks the same on every machine; Libertinus Serif has every letter of Kyrgyz.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import segno
import typst

TEMPLATES = Path(__file__).parent / "templates" / "paper"


def typeset(name: str, data: Mapping[str, Any]) -> bytes:
    """The page called `name` with these values, as PDF; needs ``title`` and ``language`` at least.

    PDF/UA-1 has no place for letters that the fonts lack (a name in Chinese): such a page is set without it, and shows
    them as empty boxes.  Raises `typst.TypstError` for a template that does not hold.
    """
    try:
        return _compiled(name, data, accessible=True)
    except typst.TypstError:
        return _compiled(name, data, accessible=False)


def qr_code(text: str) -> str:
    """`text` as a square to be scanned, in SVG."""
    return segno.make(text, error="m", micro=False).svg_inline(border=0)


@cache
def _fonts() -> typst.Fonts:
    """Read when the first page is set: they are six megabytes, and most processes never set one."""
    return typst.Fonts(include_system_fonts=False)


def _compiled(name: str, data: Mapping[str, Any], accessible: bool) -> bytes:
    return typst.compile(
        str(TEMPLATES / f"{name}.typ"),
        root=str(TEMPLATES),
        font_paths=_fonts(),
        sys_inputs={"data": json.dumps(data)},
        pdf_standards="ua-1" if accessible else None,
    )

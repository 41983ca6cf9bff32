"""The documentation of the settings, written from their declaration (`make docs`)."""

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from idp.settings import Settings

NAMED = ("senders", "receivers")  # sections of which there may be several, each with a name of its own
HEAD = """# Settings

One TOML file, named by `ACHKYCH_CONFIG` (default `achkych.toml`), then the environment: `ACHKYCH_BASE_URL`,
`ACHKYCH_MAIL__HOST` and so on. Unknown names are refused, and all mistakes are reported together at start.
This page is written by `make docs` from `idp/settings.py` and `idp/correspondents.py`.

The settings of each target system stand under `targets.<system>`; their names are those of the settings classes in
`connectors/`.
"""


def page() -> str:
    """The whole page, Markdown."""
    return "\n".join([HEAD, *_section("", Settings)])


def _section(name: str, model: type[BaseModel]) -> Iterator[str]:
    yield from ([f"## `[{name}]`", "", (model.__doc__ or "").strip(), ""] if name else [])
    yield from ["| setting | default | what it is |", "|---|---|---|"]
    inner: list[tuple[str, type[BaseModel]]] = []
    for field, info in model.model_fields.items():
        section = _model_in(info.annotation)
        if section is None:
            yield f"| `{field}` | {_default(info)} | {info.description or ''} |"
        else:
            inner.append((f"{name}.{field}" if name else field, section))
    yield ""
    for inner_name, section in inner:
        yield from _section(inner_name + (".<name>" if inner_name in NAMED else ""), section)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The section a field holds, by itself or by name."""
    candidates = (annotation, *get_args(annotation))
    return next((one for one in candidates if isinstance(one, type) and issubclass(one, BaseModel)), None)


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "**needed**"
    if info.default is PydanticUndefined or info.default is None:
        return "–"
    return f"`{info.default}`"

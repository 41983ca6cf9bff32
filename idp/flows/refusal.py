"""What a flow answers when it does not do what was asked: part of normal life, so a value."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Refusal:
    """`code` says why; `details` carries what the page needs to explain it."""

    code: str
    details: dict[str, Any] = field(default_factory=dict)

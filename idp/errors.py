"""The errors this service raises itself.  What a person or a program is told is written in one place per door
(`idp/web/errors.py`, `idp/api/problem.py`, `idp/oauth/errors.py`); refusals that are part of normal life are
values returned by flows, not exceptions."""

from dataclasses import dataclass


class AchkychError(Exception):
    """Anything this service raises on purpose; the text is for operators, never for the person outside."""


class ConfigurationError(AchkychError):
    """The service must not start like this; names every mistake found."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


class Tampered(AchkychError):
    """A sealed value does not open: wrong row, wrong key, or changed at rest."""


@dataclass
class Busy(AchkychError):
    """No room now; the caller may come back after so many seconds (answered as 503 with Retry-After)."""

    retry_after: int = 2


@dataclass
class TooMany(AchkychError):
    """One client asked for more than its share; it may come back after so many seconds (429 with Retry-After)."""

    retry_after: int = 60


@dataclass
class Forbidden(AchkychError):
    """The permissions table says no.  Answered like something that is not there (security.md, officers and API)."""

    act: str

"""The institution as data: its rules, departments, programmes, systems and agreement.  Regulation 3.1, 6.2, annex.

Owns the shape of a profile and the checking of one.  Leaves alone reading the file and asking which days are holidays.
Every mistake is reported at once, each under its key path; an unknown key is a mistake, since it is a misspelt one.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from policies.access import SystemRule
from policies.affiliations import Kind
from policies.agreement import Agreement
from policies.deadlines import Calendar
from policies.lockout import LockoutRules
from policies.passwords import PasswordRules
from policies.sessions import OFFICER, PERSON, SessionRules
from policies.tokens import TokenRules

T = TypeVar("T")

LANGUAGES = ("ky", "ru", "en")
SYSTEM_KINDS = frozenset({"unet", "moodle", "mail", "manual"})
AUDIENCES = frozenset(kind.value for kind in Kind)


class ProfileError(ValueError):
    """A profile that cannot be used; `mistakes` names all of them, one line each, key path first."""

    def __init__(self, mistakes: tuple[str, ...]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True)
class Names:
    """A name in the three languages of the house."""

    ky: str
    ru: str
    en: str

    def to(self, language: str) -> str:
        """The name for readers of a language; in one we do not speak, the Kyrgyz one."""
        return {"ky": self.ky, "ru": self.ru, "en": self.en}.get(language, self.ky)


@dataclass(frozen=True, slots=True)
class Institution:
    """Who runs the service."""

    code: str
    names: Names
    domain: str                     # of the corporate addresses
    country: str                    # ISO 3166-1 alpha-2; whose public holidays count
    timezone: str                   # IANA name; deadlines are days there
    languages: tuple[str, ...]      # of pages and mails, the default first

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of all local days."""
        return ZoneInfo(self.timezone)


@dataclass(frozen=True, slots=True)
class Rules:
    """The numbers of the Regulation, as this institution sets them."""

    password: PasswordRules
    lockout: LockoutRules
    working_days: int               # to give or close access, 3.5 and 3.7
    initial_credentials_days: int   # working days to change the initial password, 5.1
    session: SessionRules
    officer_session: SessionRules
    tokens: TokenRules


@dataclass(frozen=True, slots=True)
class Department:
    """A unit of the institution; `parent` is the code of the unit above."""

    code: str
    names: Names
    parent: str | None


@dataclass(frozen=True, slots=True)
class Programme:
    """A study programme and the department (faculty) it belongs to."""

    code: str
    names: Names
    department: str


@dataclass(frozen=True, slots=True)
class System:
    """An information system of the annex: how it is reached, who has it, which department answers for it."""

    code: str
    names: Names
    kind: str                       # which connector: unet, moodle, mail, manual
    audience: frozenset[str]
    departments: frozenset[str]
    programs: frozenset[str]
    on_request: bool
    report_sections: bool
    responsible: str
    e_signature: bool

    @property
    def rule(self) -> SystemRule:
        """The part of it that decides who has access."""
        return SystemRule(
            self.code, self.audience, self.departments, self.programs, self.on_request, self.report_sections
        )


@dataclass(frozen=True, slots=True)
class AgreementTexts:
    """The agreement in force, its text by language."""

    version: str
    texts: Mapping[str, str]

    @property
    def current(self) -> Agreement:
        """Its version and one digest over all languages: accepting it in one of them is accepting it."""
        whole = "\0".join((self.version, *(f"{language}\0{self.texts[language]}" for language in sorted(self.texts))))
        return Agreement(self.version, sha256(whole.encode()).hexdigest())


@dataclass(frozen=True, slots=True)
class Profile:
    """Everything about an institution that is data and not code."""

    institution: Institution
    rules: Rules
    moved_working_days: frozenset[date]
    extra_holidays: frozenset[date]
    departments: tuple[Department, ...]
    programmes: tuple[Programme, ...]
    systems: tuple[System, ...]
    agreement: AgreementTexts

    def calendar(self, holidays: frozenset[date]) -> Calendar:
        """The working days, given the public holidays of the country."""
        return Calendar(holidays | self.extra_holidays, self.moved_working_days)


def parse_profile(text: str) -> Profile:
    """The profile written in this TOML text; ProfileError with every mistake in it."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError((f"profile: not TOML: {error}",)) from error
    mistakes: list[str] = []
    profile = _profile(_Section(values, "", mistakes))
    mistakes += _contradictions(profile)
    if mistakes:
        raise ProfileError(tuple(mistakes))
    return profile


# --- the parts of a profile


def _profile(section: "_Section") -> Profile:
    """The whole file; where something is wrong a stand-in, so that reading goes on."""
    profile = Profile(
        institution=_institution(section.section("institution")),
        rules=_rules(section.section("rules")),
        moved_working_days=frozenset(section.items("moved_working_days", date, ())),
        extra_holidays=frozenset(section.items("extra_holidays", date, ())),
        departments=tuple(_department(part) for part in section.sections("departments")),
        programmes=tuple(_programme(part) for part in section.sections("programmes")),
        systems=tuple(_system(part) for part in section.sections("systems")),
        agreement=_agreement(section.section("agreement")),
    )
    section.nothing_left()
    return profile


def _institution(section: "_Section") -> Institution:
    """[institution]"""
    languages = section.items("languages", str, LANGUAGES)
    section.known("languages", languages, frozenset(LANGUAGES))
    if not languages:
        section.wrong("languages", "must not be empty")
    institution = Institution(
        section.text("code"), _names(section), section.text("domain"), section.text("country"), _timezone(section),
        languages,
    )
    section.nothing_left()
    return institution


def _timezone(section: "_Section") -> str:
    """A time zone that the machine knows; a misspelt one must not wait for the first deadline to be noticed."""
    name = section.text("timezone")
    try:
        ZoneInfo(name or "UTC")  # an empty one is reported already
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        section.wrong("timezone", f"is no time zone: {name!r}")
    return name


def _rules(section: "_Section") -> Rules:
    """[rules]: all optional, the defaults are the Regulation's."""
    rules = Rules(
        password=_password(section.section("password", {})),
        lockout=_lockout(section.section("lockout", {})),
        working_days=section.number("working_days", 1, 30, 3),
        initial_credentials_days=section.number("initial_credentials_days", 1, 30, 3),
        session=_session(section.section("session", {}), PERSON),
        officer_session=_session(section.section("officer_session", {}), OFFICER),
        tokens=_tokens(section.section("tokens", {})),
    )
    section.nothing_left()
    return rules


def _password(section: "_Section") -> PasswordRules:
    """[rules.password]: Regulation 5.1 is the floor, stricter is allowed."""
    default = PasswordRules()
    rules = PasswordRules(
        shortest=section.number("shortest", 8, 64, default.shortest),
        longest=section.number("longest", 128, 4096, default.longest),
        longest_run=section.number("longest_run", 1, 10, default.longest_run),
    )
    section.nothing_left()
    return rules


def _lockout(section: "_Section") -> LockoutRules:
    """[rules.lockout]"""
    rules = LockoutRules(section.number("allowed_failures", 1, 100, LockoutRules().allowed_failures))
    section.nothing_left()
    return rules


def _session(section: "_Section", default: SessionRules) -> SessionRules:
    """[rules.session] and [rules.officer_session], in minutes."""
    minute = timedelta(minutes=1)
    rules = SessionRules(
        idle=minute * section.number("idle_minutes", 1, 1440, default.idle // minute),
        absolute=minute * section.number("absolute_minutes", 1, 1440, default.absolute // minute),
    )
    section.nothing_left()
    return rules


def _tokens(section: "_Section") -> TokenRules:
    """[rules.tokens], in seconds; the bounds are the security requirements'."""
    default, second = TokenRules(), timedelta(seconds=1)
    rules = TokenRules(
        code=second * section.number("code_seconds", 10, 60, default.code // second),
        access=second * section.number("access_seconds", 300, 900, default.access // second),
        id_token=second * section.number("id_token_seconds", 60, 900, default.id_token // second),
        refresh_idle=second * section.number("refresh_idle_seconds", 60, 2592000, default.refresh_idle // second),
        refresh_absolute=second
        * section.number("refresh_absolute_seconds", 60, 31536000, default.refresh_absolute // second),
        refresh_grace=second * section.number("refresh_grace_seconds", 0, 10, default.refresh_grace // second),
    )
    section.nothing_left()
    return rules


def _department(section: "_Section") -> Department:
    """One of [[departments]]"""
    department = Department(section.text("code"), _names(section), section.text("parent", "") or None)
    section.nothing_left()
    return department


def _programme(section: "_Section") -> Programme:
    """One of [[programmes]]"""
    programme = Programme(section.text("code"), _names(section), section.text("department"))
    section.nothing_left()
    return programme


def _system(section: "_Section") -> System:
    """One of [[systems]]"""
    system = System(
        code=section.text("code"),
        names=_names(section),
        kind=section.text("kind"),
        audience=frozenset(section.items("audience", str)),
        departments=frozenset(section.items("departments", str, ())),
        programs=frozenset(section.items("programs", str, ())),
        on_request=section.flag("on_request", False),
        report_sections=section.flag("report_sections", False),
        responsible=section.text("responsible"),
        e_signature=section.flag("e_signature", False),
    )
    section.known("kind", [system.kind] if system.kind else [], SYSTEM_KINDS)
    section.known("audience", sorted(system.audience), AUDIENCES)
    if system.on_request and not system.programs:
        section.wrong("on_request", "needs programs by which it is requested")
    section.nothing_left()
    return system


def _agreement(section: "_Section") -> AgreementTexts:
    """[agreement]"""
    texts = section.section("texts")
    agreement = AgreementTexts(section.text("version"), {language: texts.text(language) for language in LANGUAGES})
    texts.nothing_left()
    section.nothing_left()
    return agreement


def _names(section: "_Section") -> Names:
    """names = { ky = "...", ru = "...", en = "..." }"""
    part = section.section("names")
    names = Names(*(part.text(language) for language in LANGUAGES))
    part.nothing_left()
    return names


# --- what the parts say about each other


def _contradictions(profile: Profile) -> Iterator[str]:
    """Codes given twice, codes that nobody has, and departments that stand above themselves."""
    for group in ("departments", "programmes", "systems"):
        yield from _twice(group, [part.code for part in getattr(profile, group)])
    known = {department.code: department.parent for department in profile.departments}
    unknown = ((path, code) for path, code in _mentions(profile) if code and code not in known)
    yield from (f"{path}: no department has the code {code!r}" for path, code in unknown)
    for place, department in enumerate(profile.departments):
        if _stands_above_itself(department.code, known):
            yield f"departments[{place}].parent: {department.code!r} stands above itself"


def _twice(group: str, codes: Sequence[str]) -> Iterator[str]:
    """The codes that stand in the list before."""
    return (
        f"{group}[{place}].code: {code!r} is given twice" for place, code in enumerate(codes) if code in codes[:place]
    )


def _mentions(profile: Profile) -> Iterator[tuple[str, str]]:
    """Every place that names a department, and the code it names; empty ones are reported where they are read."""
    for place, department in enumerate(profile.departments):
        yield f"departments[{place}].parent", department.parent or ""
    for place, programme in enumerate(profile.programmes):
        yield f"programmes[{place}].department", programme.department
    for place, system in enumerate(profile.systems):
        yield f"systems[{place}].responsible", system.responsible
        yield from ((f"systems[{place}].departments", code) for code in sorted(system.departments))


def _stands_above_itself(code: str, parents: Mapping[str, str | None]) -> bool:
    """Whether going up from the department leads back to it."""
    above = parents[code]
    for _ in parents:
        if above is None or above == code:
            break
        above = parents.get(above)
    return above == code


# --- reading one table


class _Section:
    """One TOML table being read: each key is taken once, each mistake noted under its path, reading never stops."""

    def __init__(self, values: Mapping[str, Any], path: str, mistakes: list[str]) -> None:
        self._values = dict(values)
        self._path, self._mistakes = path, mistakes

    def wrong(self, key: str, why: str) -> None:
        """Note a mistake."""
        path = f"{self._path}.{key}" if self._path else key
        self._mistakes.append(f"{path}: {why}")

    def text(self, key: str, default: str | None = None) -> str:
        """A text that says something; a default makes it optional."""
        is_blank = default is None and str(self._values.get(key, "-")).strip() == ""
        value = self._take(key, str, "a text", "", default)
        if is_blank:
            self.wrong(key, "must not be empty")
        return value

    def number(self, key: str, least: int, most: int, default: int) -> int:
        """A whole number between two bounds, both allowed."""
        value = self._take(key, int, "a whole number", default, default)
        if not least <= value <= most:
            self.wrong(key, f"must be between {least} and {most}")
        return value

    def flag(self, key: str, default: bool) -> bool:
        """true or false."""
        return self._take(key, bool, "true or false", default, default)

    def items(self, key: str, kind: type[T], default: tuple[T, ...] | None = None) -> tuple[T, ...]:
        """A list of values of one kind."""
        values = self._take(key, list, "a list", [], None if default is None else list(default))
        if any(type(value) is not kind for value in values):
            self.wrong(key, f"may hold only values of the kind {kind.__name__}")
        return tuple(value for value in values if type(value) is kind)

    def section(self, key: str, default: dict[str, Any] | None = None) -> "_Section":
        """A table inside this one."""
        path = f"{self._path}.{key}" if self._path else key
        is_there = key in self._values or default is not None
        # of a table that is missing altogether one mistake is enough
        mistakes = self._mistakes if is_there else []
        return _Section(self._take(key, dict, "a table", {}, default), path, mistakes)

    def sections(self, key: str) -> "list[_Section]":
        """A list of tables inside this one."""
        tables = self.items(key, dict)
        return [_Section(table, f"{key}[{place}]", self._mistakes) for place, table in enumerate(tables)]

    def known(self, key: str, values: Sequence[str], allowed: frozenset[str]) -> None:
        """Note each value that is none of the allowed ones."""
        for value in values:
            if value not in allowed:
                self.wrong(key, f"{value!r} is none of {', '.join(sorted(allowed))}")

    def nothing_left(self) -> None:
        """Note each key that nobody has taken."""
        for key in self._values:
            self.wrong(key, "is not known here")

    def _take(self, key: str, kind: type[T], what: str, stand_in: T, default: T | None) -> T:
        """The value of a key, or a stand-in and a note; type() because a bool is an int and a datetime is a date."""
        value = self._values.pop(key, default)
        if type(value) is kind:
            taken: T = value
            return taken
        self.wrong(key, "is missing" if value is None else f"must be {what}")
        return stand_in

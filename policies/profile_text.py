"""A profile as it is written: TOML, checked as a whole.  Regulation 3.1, 6.2, annex.

Every mistake is reported at once, each under its key path; an unknown key is a mistake, since it is a misspelt one.
Leaves alone reading the file.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from ipaddress import IPv4Network, IPv6Network, ip_network
from zoneinfo import ZoneInfo

from policies.affiliations import Kind
from policies.agreement import Agreement, digest_of
from policies.claims import EVERY_CLAIM, USUAL
from policies.profile import (
    AgreementTexts,
    Department,
    Institution,
    Names,
    Profile,
    Programme,
    System,
)
from policies.rules_text import read_rules
from policies.toml_section import Section

LANGUAGES = ("ky", "ru", "en")
SYSTEM_KINDS = frozenset(
    {"unet", "moodle", "mail", "google", "ldap", "scim", "zoom", "canva", "rest", "ekyzmat", "manual"}
)
WEB_ADDRESS = re.compile(r"https://[a-z0-9][a-z0-9.-]*(?::[0-9]{1,5})?(?:/[!-~]*)?")
AUDIENCES = frozenset(kind.value for kind in Kind)


class ProfileError(ValueError):
    """A profile that cannot be used; `mistakes` names all of them, one line each, key path first."""

    def __init__(self, mistakes: tuple[str, ...]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


def parse_profile(text: str) -> Profile:
    """The profile written in this TOML text; ProfileError with every mistake in it."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError((f"profile: not TOML: {error}",)) from error
    mistakes: list[str] = []
    profile = _profile(Section(values, "", mistakes))
    mistakes += _contradictions(profile)
    if mistakes:
        raise ProfileError(tuple(mistakes))
    return profile


# --- the parts of a profile


def _profile(section: Section) -> Profile:
    """The whole file; where something is wrong a stand-in, so that reading goes on."""
    profile = Profile(
        institution=_institution(section.section("institution")),
        rules=read_rules(section.section("rules")),
        moved_working_days=frozenset(section.items("moved_working_days", date, ())),
        extra_holidays=frozenset(section.items("extra_holidays", date, ())),
        departments=tuple(_department(part) for part in section.sections("departments")),
        programmes=tuple(_programme(part) for part in section.sections("programmes")),
        systems=tuple(_system(part) for part in section.sections("systems")),
        agreements=tuple(_agreement(part) for part in section.sections("agreements")),
    )
    section.nothing_left()
    return profile


def _institution(section: Section) -> Institution:
    """[institution]"""
    languages = section.items("languages", str, LANGUAGES)
    section.known("languages", languages, frozenset(LANGUAGES))
    if not languages:
        section.wrong("languages", "must not be empty")
    institution = Institution(
        section.text("code"),
        _names(section),
        section.text("domain"),
        section.text("country"),
        _timezone(section),
        languages,
        _networks(section),
    )
    section.nothing_left()
    return institution


def _networks(section: Section) -> tuple[IPv4Network | IPv6Network, ...]:
    networks: list[IPv4Network | IPv6Network] = []
    for written in section.items("networks", str, ()):
        try:
            networks.append(ip_network(written))
        except ValueError:
            section.wrong("networks", f"is no network: {written!r}")
    return tuple(networks)


def _timezone(section: Section) -> str:
    """A time zone that the machine knows; a misspelt one must not wait for the first deadline to be noticed."""
    name = section.text("timezone")
    try:
        ZoneInfo(name or "UTC")  # an empty one is reported already
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        section.wrong("timezone", f"is no time zone: {name!r}")
    return name


def _department(section: Section) -> Department:
    """One of [[departments]]"""
    department = Department(section.text("code"), _names(section), section.text("parent", "") or None)
    section.nothing_left()
    return department


def _programme(section: Section) -> Programme:
    """One of [[programmes]]"""
    programme = Programme(section.text("code"), _names(section), section.text("department"))
    section.nothing_left()
    return programme


def _system(section: Section) -> System:
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
        claims=frozenset(section.items("claims", str, tuple(USUAL))),
        url=section.text("url", ""),
        positions=frozenset(section.items("positions", str, ())),
        programmes=frozenset(section.items("programmes", str, ())),
        needs_agreement=section.text("needs_agreement", ""),
    )
    if system.url and not WEB_ADDRESS.fullmatch(system.url):
        section.wrong("url", f"is no https address: {system.url!r}")
    section.known("kind", [system.kind] if system.kind else [], SYSTEM_KINDS)
    section.known("audience", sorted(system.audience), AUDIENCES)
    section.known("claims", sorted(system.claims), EVERY_CLAIM)
    if system.on_request and not system.programs:
        section.wrong("on_request", "needs programs by which it is requested")
    section.nothing_left()
    return system


def _agreement(section: Section) -> AgreementTexts:
    """One of [[agreements]]; without an audience it is for everybody."""
    code, version, names = section.text("code"), section.text("version"), _names(section)
    audience = frozenset(section.items("audience", str, ()))
    section.known("audience", sorted(audience), AUDIENCES)
    part = section.section("texts")
    texts = {language: part.text(language) for language in LANGUAGES}
    part.nothing_left()
    section.nothing_left()
    return AgreementTexts(Agreement(code, version, digest_of(version, texts), audience), names, texts)


def _names(section: Section) -> Names:
    """names = { ky = "...", ru = "...", en = "..." }"""
    part = section.section("names")
    names = Names(*(part.text(language) for language in LANGUAGES))
    part.nothing_left()
    return names


# --- what the parts say about each other


def _contradictions(profile: Profile) -> Iterator[str]:
    """Codes given twice, codes that nobody has, and departments that stand above themselves."""
    for group in ("departments", "programmes", "systems", "agreements"):
        yield from _twice(group, [part.code for part in getattr(profile, group)])
    known = {department.code: department.parent for department in profile.departments}
    unknown = ((path, code) for path, code in _mentions(profile) if code and code not in known)
    yield from (f"{path}: no department has the code {code!r}" for path, code in unknown)
    systems = {system.code for system in profile.systems}
    yield from (
        f"rules.leaves: no system has the code {code!r}" for code in sorted(profile.rules.leaves.systems - systems)
    )
    yield from _unknown_programmes(profile)
    yield from _agreements_never_asked(profile)
    for place, department in enumerate(profile.departments):
        if _stands_above_itself(department.code, known):
            yield f"departments[{place}].parent: {department.code!r} stands above itself"


def _unknown_programmes(profile: Profile) -> Iterator[str]:
    """A code nobody studies under would give the system to nobody."""
    known = {programme.code for programme in profile.programmes}
    for place, system in enumerate(profile.systems):
        strange = sorted(system.programmes - known)
        yield from (f"systems[{place}].programmes: no programme has the code {code!r}" for code in strange)


def _agreements_never_asked(profile: Profile) -> Iterator[str]:
    """Whoever has a system by its rule must be asked for the agreement that it needs, or they never get it."""
    asked = {one.code: one.current.audience for one in profile.agreements}
    for place, system in enumerate(profile.systems):
        code, path = system.needs_agreement, f"systems[{place}].needs_agreement"
        if code and code not in asked:
            yield f"{path}: no agreement has the code {code!r}"
        elif code and asked[code] and not system.audience <= asked[code]:
            yield f"{path}: {code!r} is not for everybody in the audience"


def _twice(group: str, codes: Sequence[str]) -> Iterator[str]:
    """The codes that stand in the list before."""
    return (
        f"{group}[{place}].code: {code!r} is given twice" for place, code in enumerate(codes) if code in codes[:place]
    )


def _mentions(profile: Profile) -> Iterator[tuple[str, str]]:
    """Every place that names a department, and the code it names; empty ones are reported where they are read."""
    yield from (("rules.brakes.departments", code) for code in sorted(profile.rules.brakes.departments))
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

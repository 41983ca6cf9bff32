"""What the running service is made of: built once at start, handed to every flow, never looked up from thin air."""

from base64 import b64decode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import holidays
from flask import current_app

from idp.clock import Clock, RehearsalClock, SystemClock
from idp.common_passwords import CommonPasswords, Damaged
from idp.crypto import Vault
from idp.errors import ConfigurationError
from idp.hashing import Hasher
from idp.settings import Settings
from idp.throttle import Throttle
from policies.deadlines import Calendar
from policies.profile import Profile
from policies.profile_text import ProfileError, parse_profile

YEARS_OF_HOLIDAYS = range(2024, 2036)


@dataclass(frozen=True, repr=False)
class Service:
    """Settings, rules and tools of one installation.

    `woken` is called with the works (`idp.flows.work.Work`) that a commit left; it only shortens their wait.
    `password_checks` tell of login and password whether a system that keeps passwords of its own takes them.
    """

    settings: Settings
    profile: Profile
    clock: Clock
    zone: ZoneInfo
    calendar: Calendar
    vault: Vault
    hasher: Hasher
    throttle: Throttle
    common_passwords: CommonPasswords
    password_checks: list[Callable[[str, str], bool]] = field(default_factory=list)
    woken: list[Callable[[Sequence[Any]], None]] = field(default_factory=list)


def build_service(settings: Settings, clock: Clock | None = None) -> Service:
    """Assemble the service.  Raises `ConfigurationError` when the profile does not hold."""
    profile = load_profile(settings.profile)
    return Service(
        settings=settings,
        profile=profile,
        clock=clock or _clock(settings),
        zone=profile.institution.zone,
        calendar=_calendar(profile),
        vault=_vault(settings),
        hasher=_hasher(settings),
        throttle=Throttle(settings.limits_store),
        common_passwords=_common_passwords(settings),
    )


def load_profile(name: str) -> Profile:
    """The profile called `name`, or the one at the path `name`."""
    shipped = resources.files("policies") / "profiles" / f"{name}.toml"
    try:
        text = shipped.read_text("utf8") if shipped.is_file() else Path(name).read_text("utf8")
        return _parsed(text)
    except OSError as error:
        raise ConfigurationError([f"profile: {name} can't be read ({error.strerror})"]) from error
    except ProfileError as error:
        raise ConfigurationError([f"profile: {mistake}" for mistake in error.mistakes]) from error


def service() -> Service:
    """The service of the running application."""
    built: Service = current_app.extensions["achkych"]
    return built


def _clock(settings: Settings) -> Clock:
    return RehearsalClock(settings.rehearsal_shift) if settings.rehearsal_shift else SystemClock()


# a service builds itself once, the tests build thousands
_parsed = lru_cache(maxsize=2)(parse_profile)


@lru_cache(maxsize=2)
def _public_holidays(country: str) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, years=YEARS_OF_HOLIDAYS))


def _calendar(profile: Profile) -> Calendar:
    return profile.calendar(_public_holidays(profile.institution.country))


def _hasher(settings: Settings) -> Hasher:
    """Of the threads of a web process three quarters may wait for a hash: a storm of sign-ins leaves the others alone."""
    cost = settings.hashing
    return Hasher(cost.memory_kib, cost.rounds, cost.lanes, room=max(1, settings.web_threads * 3 // 4))


def _common_passwords(settings: Settings) -> CommonPasswords:
    try:
        return CommonPasswords(settings.common_passwords)
    except (Damaged, OSError) as error:
        raise ConfigurationError([f"common_passwords: {settings.common_passwords} {error}"]) from error


def _vault(settings: Settings) -> Vault:
    keys = {name: key.get_secret_value() for name, key in settings.secrets.sealing.items()}
    return Vault(
        keys={name: b64decode(key) for name, key in keys.items()},
        active=settings.secrets.active,
        lookup=b64decode(settings.secrets.lookup.get_secret_value()),
    )

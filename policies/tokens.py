"""How long codes and tokens live.  Regulation 3.7 (what is closed stays closed); RFC 9700, RFC 9068; ASVS 10.4.

Owns lifetimes.  Leaves alone issuing, rotation and revocation.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class TokenRules:
    """Lifetimes from the moment of issue; `refresh_idle` between two uses, `refresh_absolute` of a whole family."""

    code: timedelta = timedelta(seconds=60)  # ASVS 10.4.3
    access: timedelta = timedelta(minutes=10)  # security requirements: 5 to 15 minutes
    id_token: timedelta = timedelta(minutes=10)
    refresh_idle: timedelta = timedelta(hours=24)  # ASVS 10.4.8
    refresh_absolute: timedelta = timedelta(days=30)
    refresh_grace: timedelta = timedelta(seconds=10)  # a lost answer may be fetched again, the same pair


def refresh_until(family_started_at: datetime, used_at: datetime, rules: TokenRules) -> datetime:
    """Until when a refresh token issued at `used_at` works: its idle limit, never beyond its family's end."""
    return min(used_at + rules.refresh_idle, family_started_at + rules.refresh_absolute)

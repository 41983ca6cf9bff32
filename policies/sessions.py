"""How long a session lives.  Regulation 5.4-5.6; figures of NIST SP 800-63B-4 (AAL2 for people, AAL3 for officers).

Owns the two limits, and how fresh a sign-in must be for changing what it rests on.
Leaves alone ending a session for a reason (sign-out, lock, new password).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class SessionRules:
    """The longest stretch without activity, and the longest life whatever the activity."""

    idle: timedelta = timedelta(hours=1)
    absolute: timedelta = timedelta(hours=24)


PERSON = SessionRules()
FRESH = timedelta(minutes=5)  # ASVS 7.5.1
OFFICER = SessionRules(idle=timedelta(minutes=15), absolute=timedelta(hours=12))


def alive(started_at: datetime, last_seen_at: datetime, now: datetime, rules: SessionRules) -> bool:
    """Whether the session may still be used; at the very moment of a limit it may not."""
    return now - last_seen_at < rules.idle and now - started_at < rules.absolute


def is_fresh(authenticated_at: datetime, now: datetime) -> bool:
    """Whether the person proved themselves so lately that they may change what they prove themselves with."""
    return now - authenticated_at < FRESH

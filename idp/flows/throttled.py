"""Clients that have to wait: wrong sign-ins and questions about forgotten things count together (Regulation 5.7), and
for themselves the requests that leave something behind for nobody who has signed in (ASVS 2.4.1)."""

from idp.errors import TooMany
from idp.flows.here import Here
from policies.throttle import Counted


def is_throttled(here: Here) -> bool:
    """Whether the client has to wait, and its attempts are none.  Raises `Busy`."""
    profile = here.service.profile
    inside = profile.institution.is_inside(here.address)
    return here.service.throttle.is_over(here.address, profile.rules.throttle, inside)


def count_against(here: Here) -> None:
    """One more of what the client may do only so often.  Raises `Busy`."""
    profile = here.service.profile
    inside = profile.institution.is_inside(here.address)
    here.service.throttle.note(here.address, profile.rules.throttle, inside)


def admit(here: Here) -> None:
    """One more request of nobody in particular that will be kept.  Raises `TooMany`, and `Busy`."""
    profile = here.service.profile
    rules, inside = profile.rules.throttle, profile.institution.is_inside(here.address)
    if not here.service.throttle.note(here.address, rules, inside, Counted.REQUEST):
        raise TooMany

"""Clients that have to wait: wrong sign-ins and questions about forgotten things count together (Regulation 5.7)."""

from idp.flows.here import Here


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

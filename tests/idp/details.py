"""People who change their own details, and HR that decides, in one application."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from idp.db import db, unit_of_work
from idp.flows.change_profile import ask_for_change, change_contacts, profile
from idp.flows.refusal import Refusal
from idp.models import Account
from policies.permissions import Appointment, Who
from tests.builders import Make, Someone

CONTACTS = {"work_phone": "+996312000000", "mobile_phone": "+996700000001"}
SOMEBODY = UUID(int=7)


class Desk:
    """Acts on one application, each in a transaction of its own."""

    def __init__(self, make: Make) -> None:
        self.make = make

    def by(self, someone: Someone, flow: Callable[..., Any], *more: Any) -> Any:
        """What `someone` does to their own account."""
        with self.make.app.app_context(), unit_of_work():
            here = replace(self.make.here(), actor=f"account/{someone.login}", account_id=someone.id)
            return flow(here, db.session.get_one(Account, someone.id), *more)

    def contacts(self, someone: Someone, **entered: str) -> Any:
        known = self.known(someone)
        kept = {name: known[name] or "" for name in ("work_phone", "mobile_phone", "personal_email")}
        kept |= {f"home_address.{part}": text for part, text in known["home_address"].items()}
        return self.by(someone, change_contacts, kept | entered)

    def names(self, someone: Someone, **entered: str) -> Any:
        known = self.known(someone)
        kept = {name: known[name] or "" for name in ("family", "given", "patronymic", "duties")}
        return self.by(someone, ask_for_change, kept | entered)

    def known(self, someone: Someone) -> dict[str, Any]:
        told: dict[str, Any] = self.by(someone, profile)["known"]
        return told

    def waiting(self, someone: Someone) -> dict[str, UUID]:
        return {one["field"]: one["id"] for one in self.by(someone, profile)["waiting"]}

    def hr(self, flow: Callable[..., Any], *more: Any, role: str = "hr", me: UUID = SOMEBODY) -> Any:
        appointment = Appointment(role, None, None, self.make.clock.now() - timedelta(days=1), None)
        with self.make.app.app_context(), unit_of_work():
            here = replace(self.make.here(), actor="account/jyldyz", who=Who(str(me), (appointment,)))
            return flow(here, *more)


def wrong(outcome: Any) -> dict[str, str]:
    assert isinstance(outcome, Refusal)
    told: dict[str, str] = outcome.details["wrong"]
    return told

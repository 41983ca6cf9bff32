"""Departments, systems and agreements of the profile as rows that other rows can point at."""

from dataclasses import asdict

from idp.db import db
from idp.flows.agreement_texts import keep_text
from idp.flows.here import Here
from idp.flows.record import record
from idp.models import Department, System


def load_profile(here: Here) -> None:
    """Bring the rows in line with the profile.  What left the profile stays: history points at it."""
    profile = here.service.profile
    for one in profile.departments:
        db.session.merge(Department(code=one.code, names=asdict(one.names)))
    db.session.flush()
    for one in profile.departments:
        db.session.merge(Department(code=one.code, parent=one.parent))
    for system in profile.systems:
        db.session.merge(
            System(code=system.code, names=asdict(system.names), kind=system.kind, responsible=system.responsible)
        )
    for agreement in profile.agreements:
        keep_text(here, agreement)
    counts = {"departments": len(profile.departments), "systems": len(profile.systems)}
    record(here, "profile-loaded", subject=f"profile/{profile.institution.code}", after=counts)

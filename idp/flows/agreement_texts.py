"""The texts of agreements: kept as they come into force, so that what was accepted can be read years later (6.2, 6.3).

Owns keeping them, and what a person sees of their own acceptances.  Leaves alone accepting (`accept_agreement.py`).
"""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa

from idp.db import db, insert
from idp.flows.here import Here
from idp.models import Acceptance, Account, AgreementText, Person
from policies.deadlines import local_day
from policies.naming import display_name
from policies.profile import AgreementTexts

TABLE = cast(sa.Table, AgreementText.__table__)


@dataclass(frozen=True, slots=True)
class Accepted:
    """One acceptance of one's own; `name` and `text` are None for a text from before texts were kept."""

    sha256: str
    version: str
    accepted_at: datetime
    address: str | None
    in_force: bool
    name: str | None
    text: str | None


def keep_text(here: Here, agreement: AgreementTexts) -> None:
    """Keep the text, whoever else does so at the same moment; one that is there already stays as it is."""
    values: dict[str, Any] = {
        "sha256": agreement.current.sha256,
        "code": agreement.code,
        "version": agreement.current.version,
        "names": asdict(agreement.names),
        "texts": dict(agreement.texts),
        "kept_at": here.now,
    }
    db.session.connection().execute(insert(TABLE).values(values).on_conflict_do_nothing())


def own_agreements(here: Here, account_id: UUID, language: str) -> list[Accepted]:
    """All that the account ever accepted, the newest first."""
    in_force = {one.sha256 for one in here.service.profile.in_force}
    rows = db.session.execute(
        sa.select(Acceptance, AgreementText)
        .join(AgreementText, AgreementText.sha256 == Acceptance.sha256, isouter=True)
        .where(Acceptance.account_id == account_id)
        .order_by(Acceptance.accepted_at.desc(), Acceptance.id.desc())
    )
    return [
        Accepted(
            sha256=one.sha256,
            version=one.version,
            accepted_at=one.accepted_at,
            address=one.address,
            in_force=one.sha256 in in_force,
            name=kept.names[language] if kept else None,
            text=kept.texts[language] if kept else None,
        )
        for one, kept in rows
    ]


def agreed_on(here: Here, account_id: UUID) -> dict[str, date]:
    """The agreements that the account ever accepted, in whatever version, and the first day; those from before texts
    were kept are none."""
    mine = sa.select(AgreementText.code, Acceptance.accepted_at).join(
        Acceptance, Acceptance.sha256 == AgreementText.sha256
    )
    newest_first = mine.where(Acceptance.account_id == account_id).order_by(Acceptance.accepted_at.desc())
    return {row.code: local_day(row.accepted_at, here.service.zone) for row in db.session.execute(newest_first)}


def signatory(account_id: UUID) -> tuple[str, str]:
    """Full name and login of whoever accepted, as a sheet names them."""
    person, login = db.session.execute(
        sa.select(Person, Account.login).join(Account, Account.person_id == Person.id).where(Account.id == account_id)
    ).one()
    return display_name(person.given, person.family, person.patronymic), login


def own_agreement(here: Here, account_id: UUID, language: str, sha256: str) -> Accepted | None:
    """One of them whose text is kept; None for what this account never accepted."""
    mine = own_agreements(here, account_id, language)
    return next((one for one in mine if one.sha256 == sha256 and one.text is not None), None)

"""People and their affiliations.  What HR alone knows of them stays sealed."""

import uuid
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from idp.db import Base, Identified


class Person(Identified, Base):
    """A human being, found by the fingerprint of the personal number (never by the number itself).

    `review_at` is the next moment at which the standing orders mean something else than now.
    """

    __tablename__ = "person"

    personal_number_print: Mapped[str | None] = mapped_column(unique=True)
    personal_number: Mapped[bytes | None] = mapped_column(LargeBinary)  # sealed
    birth_date: Mapped[bytes | None] = mapped_column(LargeBinary)  # sealed
    employee_no: Mapped[str | None] = mapped_column(unique=True)
    teacher_no: Mapped[int | None] = mapped_column(unique=True)  # AVN's id of a teacher
    student_no: Mapped[int | None] = mapped_column(unique=True)  # AVN's id of a student
    family: Mapped[str]
    given: Mapped[str]
    patronymic: Mapped[str | None]
    latin_family: Mapped[str | None]
    latin_given: Mapped[str | None]
    work_phone: Mapped[str | None]
    mobile_phone: Mapped[str | None]
    personal_email: Mapped[str | None]
    home_address: Mapped[bytes | None] = mapped_column(LargeBinary)  # sealed JSON, as orders write it
    duties: Mapped[str | None]  # scope of duties, in the person's words, confirmed by HR
    review_at: Mapped[datetime | None] = mapped_column(index=True)
    created_at: Mapped[datetime]


class AffiliationRow(Identified, Base):
    """An employment or a study, as the orders of its person add up to (`policies.affiliations`).

    Derived: rewritten whenever an order of the person is applied.
    """

    __tablename__ = "affiliation"

    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"), index=True)
    kind: Mapped[str]
    department: Mapped[str | None] = mapped_column(index=True)
    position: Mapped[str | None]
    position_code: Mapped[str | None]
    programme: Mapped[str | None]
    student_group: Mapped[str | None]
    employment_id: Mapped[str | None]
    rate: Mapped[float | None]
    employment_type: Mapped[str | None]
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    ended_at: Mapped[datetime | None]
    leaves: Mapped[list[Any]] = mapped_column(default=list)  # each: type, first day, last day or null (ISO 8601)

    @classmethod
    def lasts(cls, today: Any, now: Any) -> sa.ColumnElement[bool]:
        """Whether it is not over; it may still be to come.  Values, or the parameters of a statement."""
        return sa.and_(
            sa.or_(cls.ends_on.is_(None), cls.ends_on >= today), sa.or_(cls.ended_at.is_(None), cls.ended_at > now)
        )

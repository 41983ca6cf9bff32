"""What SCIM has to remember beside people and orders."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from idp.db import Base


class ScimPerson(Base):
    """Somebody whom an HR system made, or changed, over SCIM, by the number HR knows them by.

    `deleted_at`: since then the resource is gone (the person and the account stay).  `department` and `title`: where
    somebody who is not employed at the moment would work again.
    """

    __tablename__ = "scim_person"

    employee_no: Mapped[str] = mapped_column(primary_key=True)
    deleted_at: Mapped[datetime | None]
    department: Mapped[str | None]
    title: Mapped[str | None]


class ScimExternalId(Base):
    """What a client calls a person (RFC 7643, 3.1); each client has its own names."""

    __tablename__ = "scim_external_id"

    client_id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    external_id: Mapped[str] = mapped_column(index=True)

"""What people allowed clients to learn or do."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from idp.db import Base, Identified


class Consent(Identified, Base):
    """One person's consent to one client: all that was agreed to so far, until it is withdrawn."""

    __tablename__ = "consent"
    __table_args__ = (UniqueConstraint("account_id", "client_id"),)

    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    client_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("client.id"))
    scopes: Mapped[list[str]]
    claims: Mapped[list[str]]
    resources: Mapped[list[str]]
    authorization_details: Mapped[list[Any]]
    given_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]

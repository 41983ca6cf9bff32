"""Keys that sign tokens.  The private half is sealed, and empty once the key was destroyed."""

from datetime import datetime
from typing import Any

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from idp.db import Base, Identified


class SigningKey(Identified, Base):
    """A key pair; published from its making, signing from `active_from`, published until `retired_at`."""

    __tablename__ = "signing_key"

    kid: Mapped[str] = mapped_column(unique=True)
    algorithm: Mapped[str]
    public: Mapped[dict[str, Any]]  # JWK
    private: Mapped[bytes] = mapped_column(LargeBinary)  # JWK, sealed; empty: destroyed
    created_at: Mapped[datetime]
    active_from: Mapped[datetime]
    retired_at: Mapped[datetime | None]

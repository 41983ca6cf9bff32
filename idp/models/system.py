"""Information systems of the institution (annex of the Regulation)."""

from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from idp.db import Base


class System(Base):
    """One information system.  Its rules stand in the profile, its connection in the settings."""

    __tablename__ = "system"

    code: Mapped[str] = mapped_column(primary_key=True)
    names: Mapped[dict[str, Any]]  # language -> name
    kind: Mapped[str]  # row of connectors.kinds.KINDS
    responsible: Mapped[str | None] = mapped_column(ForeignKey("department.code"))

"""Departments of the institution, as its profile names them."""

from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from idp.db import Base


class Department(Base):
    """A chair, faculty or office.  Loaded from the profile; never deleted, since history points at it."""

    __tablename__ = "department"

    code: Mapped[str] = mapped_column(primary_key=True)
    names: Mapped[dict[str, Any]]  # language -> name
    parent: Mapped[str | None] = mapped_column(ForeignKey("department.code"))

"""Counters of codes typed for devices that wait (RFC 8628, 5.1), one per account that types them."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from idp.db import Base


class DeviceGuesses(Base):
    """How many codes this account typed that were none, until the moment they are forgotten."""

    __tablename__ = "device_guesses"

    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    attempts: Mapped[int]
    forgotten_at: Mapped[datetime]

"""What other systems are to be told: security events, and what becomes of orders."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from idp.db import Base, Identified
from idp.models.task import Leased


class EventNotice(Identified, Leased, Base):
    """One thing to be told to one of those that the settings name; its id is what doubles are known by.

    Those of one `topic` are told one after the other.
    """

    __tablename__ = "event_notice"

    receiver: Mapped[str]  # receivers/<name> or senders/<name>, as in the settings
    topic: Mapped[str]  # account/<id> or order/<the sender's id>
    account_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    event: Mapped[str]  # of policies/events.py, or the state of the order
    content: Mapped[dict[str, Any]]  # what is said of it
    txn: Mapped[str]  # shared by all that happened in one
    status: Mapped[str] = mapped_column(default="waiting")  # waiting, told, failed
    created_at: Mapped[datetime]
    told_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_event_notice_topic", "receiver", "topic", "status"),)

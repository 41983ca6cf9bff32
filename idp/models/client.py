"""OAuth clients: the systems that sign people in through this service."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from idp.db import Base, Identified


class Client(Identified, Base):
    """A relying party.  `system` ties it to an information system: who has no right to that is refused."""

    __tablename__ = "client"

    client_id: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    system: Mapped[str | None] = mapped_column(ForeignKey("system.code"))
    secret_digest: Mapped[str | None]  # None: a public client
    redirect_uris: Mapped[list[str]]
    post_logout_redirect_uris: Mapped[list[str]]
    scopes: Mapped[list[str]]
    grant_types: Mapped[list[str]]
    pkce_required: Mapped[bool]
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]

"""Second factors of an account: authenticators, and the recovery codes for when they are lost."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from idp.db import Base, Identified


class Factor(Identified, Base):
    """An authenticator (RFC 6238).  It counts once a code of it was seen; `last_timecode` is the last step used."""

    __tablename__ = "factor"

    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), index=True)
    kind: Mapped[str]  # totp
    name: Mapped[str]
    seed: Mapped[bytes] = mapped_column(LargeBinary)  # sealed for `factor/<id>/seed`
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    last_timecode: Mapped[int | None]


class RecoveryCode(Identified, Base):
    """A code that stands in for a factor, once."""

    __tablename__ = "recovery_code"

    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), index=True)
    digest: Mapped[str] = mapped_column(unique=True)  # keyed, over account and code
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

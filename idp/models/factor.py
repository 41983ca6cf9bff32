"""Second factors of an account: authenticators and passkeys, and the recovery codes for when they are lost."""

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from idp.db import Base, Identified

TOTP, PASSKEY = "totp", "passkey"  # kinds


class Factor(Identified, Base):
    """An authenticator (RFC 6238) or a passkey (WebAuthn).

    An authenticator counts once a code of it was seen; `last_timecode` is the last step used.  A passkey counts at once;
    `sign_count` is the last that its device told, and stays 0 where it does not count.
    """

    __tablename__ = "factor"

    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), index=True)
    kind: Mapped[str]
    name: Mapped[str]
    seed: Mapped[bytes | None] = mapped_column(LargeBinary)  # sealed for `factor/<id>/seed`; of authenticators
    credential_id: Mapped[str | None] = mapped_column(unique=True)  # base64url; of passkeys
    public_key: Mapped[bytes | None] = mapped_column(LargeBinary)  # COSE
    sign_count: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    last_timecode: Mapped[int | None]
    used_at: Mapped[datetime | None]  # of passkeys


class RecoveryCode(Identified, Base):
    """A code that stands in for a factor, once."""

    __tablename__ = "recovery_code"

    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), index=True)
    digest: Mapped[str] = mapped_column(unique=True)  # keyed, over account and code
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class FactorReset(Identified, Base):
    """An officer has asked to remove every factor of somebody with duties; another one must consent in time."""

    __tablename__ = "factor_reset"

    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    asked_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    reason: Mapped[str]
    asked_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]  # consented to, refused, or lapsed

    __table_args__ = (
        Index(
            "uq_factor_reset_open",
            "account_id",
            unique=True,
            sqlite_where=text("settled_at IS NULL"),
            postgresql_where=text("settled_at IS NULL"),
        ),
    )

"""Passkeys: what a browser is asked, and whether what it answers holds (WebAuthn Level 3; ASVS 6.5, 6.7).

A challenge is a random value sealed with its purpose, its browser and its end, so that looking at a page leaves nothing
behind; it is spent by the first answer that holds.  What an answer leads to stands in `second_factor.py`,
`passkey_sign_in.py` and `change_factors.py`.
"""

import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import sqlalchemy as sa
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    base64url_to_bytes,
    bytes_to_base64url,
    options_to_json_dict,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from idp.db import db
from idp.flows.here import Here
from idp.flows.spent_jti import spend_jti
from idp.models import Account, Factor
from idp.models.factor import PASSKEY
from idp.prepared import Prepared
from idp.service import Service

LIFETIME = timedelta(minutes=10)  # of a challenge
LONGEST_ANSWER = 8_000  # characters of JSON
RANDOM, END, MAC = 16, 8, 32  # bytes of a challenge

KNOWN = Prepared(
    sa.select(Factor.id, Factor.account_id, Factor.credential_id, Factor.public_key, Factor.sign_count, Account.sub)
    .join(Account, Account.id == Factor.account_id)
    .where(Factor.credential_id == sa.bindparam("credential_id"))
)
OWN = Prepared(
    sa.select(Factor.credential_id).where(Factor.account_id == sa.bindparam("account"), Factor.kind == PASSKEY)
)


@dataclass(frozen=True, slots=True)
class Passkey:
    """One that is registered: whose it is, and what an answer is held against."""

    id: UUID
    account_id: UUID
    credential_id: str
    public_key: bytes
    sign_count: int
    sub: str


@dataclass(frozen=True, slots=True)
class Ceremony:
    """What a challenge is for: `purpose`, and the browser (and account) it was made for; worth nothing elsewhere."""

    purpose: str  # enrol, sign-in, second-factor, reset
    browser: str  # a secret of the browser's form session


def registration_options(here: Here, ceremony: Ceremony, account: Account) -> dict[str, Any]:
    """What a browser makes a passkey of.  The handle by which the account comes back is its random `sub`."""
    options = generate_registration_options(
        rp_id=rp_id(here.service),
        rp_name=here.service.profile.institution.names.to(account.language),
        user_name=account.login,
        user_id=account.sub.encode(),
        challenge=_challenge(here, ceremony),
        timeout=LIFETIME // timedelta(milliseconds=1),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.PREFERRED
        ),
        exclude_credentials=_own(account.id),
    )
    return options_to_json_dict(options)


def authentication_options(here: Here, ceremony: Ceremony, account_id: UUID | None = None) -> dict[str, Any]:
    """What a browser proves a passkey by: one of the account's, or, without an account, whichever the person chooses;
    then the device must have made sure of the person as well."""
    alone = account_id is None
    options = generate_authentication_options(
        rp_id=rp_id(here.service),
        challenge=_challenge(here, ceremony),
        timeout=LIFETIME // timedelta(milliseconds=1),
        allow_credentials=[] if account_id is None else _own(account_id),
        user_verification=UserVerificationRequirement.REQUIRED if alone else UserVerificationRequirement.PREFERRED,
    )
    return options_to_json_dict(options)


def has_passkey(account_id: UUID) -> bool:
    """Whether the account has one.  Reads without a transaction."""
    return OWN.first(account=account_id) is not None


def verify_new(here: Here, ceremony: Ceremony, answer: str) -> VerifiedRegistration | None:
    """The passkey that a browser has made, or None when the answer does not hold.  Its challenge is spent."""
    try:
        credential = parse_registration_credential_json(answer[:LONGEST_ANSWER])
        challenge = parse_client_data_json(credential.response.client_data_json).challenge
        if not _is_ours(here, ceremony, challenge):
            return None
        made = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=rp_id(here.service),
            expected_origin=here.service.settings.base_url,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        return None
    return made if _spend(here, challenge) else None


def find_passkey(answer: str) -> Passkey | None:
    """The registered one that an answer names.  Reads without a transaction."""
    try:
        named = json.loads(answer[:LONGEST_ANSWER])["id"]
    except (ValueError, KeyError, TypeError):
        return None
    row = KNOWN.first(credential_id=named) if isinstance(named, str) and "\0" not in named else None
    return Passkey(*row) if row else None


def verify_passkey(here: Here, ceremony: Ceremony, answer: str, passkey: Passkey, alone: bool = False) -> int | None:
    """The count that the device tells, or None when the answer does not hold: origin, relying party, challenge,
    presence, signature, and a count that went on (a copied key falls behind).  `alone`: without a password before it,
    so that the device must have made sure of the person, and have said whose the key is.
    """
    try:
        credential = parse_authentication_credential_json(answer[:LONGEST_ANSWER])
        challenge = parse_client_data_json(credential.response.client_data_json).challenge
        if not _is_ours(here, ceremony, challenge):
            return None
        proved = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=rp_id(here.service),
            expected_origin=here.service.settings.base_url,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=alone,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        return None
    handle = credential.response.user_handle
    if (alone or handle) and handle != passkey.sub.encode():
        return None
    return proved.new_sign_count if _spend(here, challenge) else None


def use_passkey(here: Here, passkey: Passkey, count: int) -> bool:
    """Keep the new count; False when the key was removed, or another use told the same count in the meantime."""
    onward = sa.or_(Factor.sign_count < count, sa.and_(Factor.sign_count == 0, sa.literal(count) == 0))
    used = (
        sa.update(Factor)
        .where(Factor.id == passkey.id, onward)
        .values(sign_count=count, used_at=here.now)
        .returning(Factor.id)
        .execution_options(synchronize_session=False)
    )
    return db.session.execute(used).first() is not None


def rp_id(service: Service) -> str:
    """The relying party: our host name, whatever the port."""
    return urlsplit(service.settings.base_url).hostname or ""


def _own(account_id: UUID) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(id=base64url_to_bytes(row.credential_id)) for row in OWN.all(account=account_id)
    ]


def _challenge(here: Here, ceremony: Ceremony) -> bytes:
    start = secrets.token_bytes(RANDOM) + int((here.now + LIFETIME).timestamp()).to_bytes(END)
    return start + _mac(here.service, ceremony, start)


def _is_ours(here: Here, ceremony: Ceremony, challenge: bytes) -> bool:
    """Made by us, for this, and not too long ago."""
    start, mac = challenge[: RANDOM + END], challenge[RANDOM + END :]
    right = hmac.compare_digest(mac, _mac(here.service, ceremony, start))
    return right and here.now.timestamp() < int.from_bytes(start[RANDOM:])


def _mac(service: Service, ceremony: Ceremony, start: bytes) -> bytes:
    told = "\n".join(("passkey", ceremony.purpose, ceremony.browser, start.hex()))
    return bytes.fromhex(service.vault.fingerprint(told))[:MAC]


def _spend(here: Here, challenge: bytes) -> bool:
    """Whether this is the first answer to it that holds; decided in a transaction of its own."""
    until = datetime.fromtimestamp(int.from_bytes(challenge[RANDOM : RANDOM + END]), UTC)
    return spend_jti("passkey", rp_id(here.service), bytes_to_base64url(challenge), until, here.now)

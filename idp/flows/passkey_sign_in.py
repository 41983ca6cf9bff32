"""Signing in with a passkey alone (WebAuthn Level 3; Regulation 5.7; ASVS 6.3.3).

The device has made sure of the person, so it is two factors in one.  An attempt counts like one at the password, in the
same counter and before the answer is looked at; a locked login stays locked.
"""

from idp.db import db
from idp.flows.here import Here
from idp.flows.passkeys import Ceremony, find_passkey, use_passkey, verify_passkey
from idp.flows.record import record
from idp.flows.refusal import Refusal
from idp.flows.sign_in import FORGET, FOUND_BY_ID, Found, SignedIn, count_attempt, let_in, lock, locked, refused
from idp.flows.throttled import count_against, is_throttled
from policies.assurance import BY_PASSKEY
from policies.lockout import Door


def sign_in_by_passkey(here: Here, ceremony: Ceremony, answer: str) -> SignedIn | Refusal:
    """Begin a session for whoever the passkey belongs to.

    Refusals: ``wrong-passkey``, ``locked``, ``throttled``, and those of `let_in`.  Raises `Busy`.
    """
    if is_throttled(here):
        return Refusal("throttled")
    passkey = find_passkey(answer)
    row = FOUND_BY_ID.first(account=passkey.account_id) if passkey else None
    if passkey is None or row is None:
        count_against(here)
        record(here, "sign-in-refused", after={"reason": "wrong-passkey"})
        return Refusal("wrong-passkey")
    account = Found(*row)
    where = count_attempt(here, account.login)
    count = verify_passkey(here, ceremony, answer, passkey, alone=True)
    if where is Door.SHUT or count is None:
        count_against(here)
    if where is Door.SHUT:
        lock(here, account.login, account)
        return locked(here, account.login, account)
    if count is None or not use_passkey(here, passkey, count):
        return refused(here, account.login, account, where, "wrong-passkey")
    if FORGET.first(db.session.connection(), entered=account.login) is None:  # locked since its turn was counted
        return locked(here, account.login, account)
    return let_in(here, account, BY_PASSKEY)

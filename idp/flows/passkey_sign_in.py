"""Signing in with a passkey alone (WebAuthn Level 3; Regulation 5.7; ASVS 6.3.3).

The device has made sure of the person, so it is two factors in one.  An attempt counts like one at the password, in the
same counter and before the answer is looked at; a locked login stays locked.
"""

from idp.flows.count_attempt import count_attempt, forget_attempts, lock, locked, refused
from idp.flows.here import Here
from idp.flows.passkeys import Ceremony, find_passkey, use_passkey, verify_passkey
from idp.flows.record import record
from idp.flows.refusal import Refusal
from idp.flows.sign_in import FOUND_BY_ID, Found, SignedIn, let_in
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
    turn = count_attempt(here, account.login)
    count = verify_passkey(here, ceremony, answer, passkey, alone=True)
    if turn.door is Door.SHUT or count is None:
        count_against(here)
    if turn.door is Door.SHUT:
        lock(here, turn, account)
        return locked(here, turn, account)
    if count is None or not use_passkey(here, passkey, count):
        return refused(here, turn, account, "wrong-passkey")
    if not forget_attempts(here, turn, account.id):
        return locked(here, turn, account)
    return let_in(here, account, BY_PASSKEY)

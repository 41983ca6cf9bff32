"""A new password for a forgotten one, by the link in the mail (Regulation 4.2, 4.3, 5.1; ASVS 6.4.3).

It neither lifts a lock (5.7) nor signs anybody in.
"""

from datetime import datetime

import sqlalchemy as sa

from idp.flows.change_password import replace_password
from idp.flows.choose_password import choose_password
from idp.flows.here import Here
from idp.flows.one_time_links import Invitation, find_link, spend_link
from idp.flows.refusal import Refusal
from idp.flows.second_factor import Proof, prove
from idp.flows.sessions import Holder
from idp.models import Factor, Recovery
from idp.prepared import Prepared
from policies.passwords import Broken


def find_reset(token: str, now: datetime) -> Invitation | None:
    """Whom the link is for, or None when it is dead or made up.  Changes nothing."""
    return find_link(Recovery, token, now)


HAS_FACTOR = Prepared(
    sa.select(Factor.id).where(Factor.account_id == sa.bindparam("account"), Factor.confirmed_at.is_not(None))
)


def asks_for_code(invitation: Invitation) -> bool:
    """Whether the account has a second factor, which a reset does not get around.  Reads without a transaction."""
    return HAS_FACTOR.first(account=invitation.account_id) is not None


def reset_password(here: Here, token: str, password: str, again: str, proof: Proof) -> Refusal | None:
    """Spend the link, set the password, end every session.  None when done.  Whose account has a second factor brings a
    `proof` of it.

    Refusals: ``spent``; those of `prove`; ``password`` with the codes of all broken rules under ``broken``
    (the link stays usable).
    """
    invitation = find_reset(token, here.now)
    if invitation is None:
        return Refusal("spent")
    chosen = choose_password(here, invitation.account_id, password, again)  # it takes its time outside a transaction
    if asks_for_code(invitation):
        refusal = _wrong_by_itself(chosen) or _prove(here, invitation, proof)
        if refusal is not None:
            return refusal
    if isinstance(chosen, Refusal):
        return chosen
    account = spend_link(here, Recovery, token, invitation.account_id)
    if account is None or not account.open_at(here.now):
        return Refusal("spent")
    replace_password(here.acting_as(f"account/{account.login}"), account, chosen, "password-reset")
    return None


def _wrong_by_itself(chosen: str | Refusal) -> Refusal | None:
    """What is wrong with the password, told before a code is used up; whether it was used before is only for who has
    shown one."""
    broken = chosen.details["broken"] if isinstance(chosen, Refusal) else []
    told = [rule for rule in broken if rule != Broken.USED_BEFORE.value]
    return Refusal("password", {"broken": told}) if told else None


def _prove(here: Here, invitation: Invitation, proof: Proof) -> Refusal | None:
    """A reset lifts no lock, and forgets no attempt of others (5.7)."""
    means = prove(here, Holder(invitation.account_id, invitation.login), proof)
    return means if isinstance(means, Refusal) else None

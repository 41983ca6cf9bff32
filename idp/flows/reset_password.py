"""A new password for a forgotten one, by the link in the mail (Regulation 4.2, 4.3, 5.1; ASVS 6.4.3).

It neither lifts a lock (5.7) nor signs anybody in.
"""

from datetime import datetime
from uuid import UUID

from idp.flows.change_password import replace_password
from idp.flows.choose_password import choose_password
from idp.flows.here import Here
from idp.flows.one_time_links import Invitation, find_link, spend_link
from idp.flows.refusal import Refusal
from idp.models import Recovery


def find_reset(token: str, now: datetime) -> Invitation | None:
    """Whom the link is for, or None when it is dead or made up.  Changes nothing."""
    return find_link(Recovery, token, now)


def further_proof(here: Here, account_id: UUID) -> Refusal | None:
    """What a reset asks for beside the link.  The place for the second factor: the flow passes here before anything is
    spent.  Nothing yet, for nobody has one."""
    return None


def reset_password(here: Here, token: str, password: str, again: str) -> Refusal | None:
    """Spend the link, set the password, end every session.  None when done.

    Refusals: ``spent``; ``password`` with the codes of all broken rules under ``broken`` (the link stays usable).
    """
    invitation = find_reset(token, here.now)
    if invitation is None:
        return Refusal("spent")
    refusal = further_proof(here, invitation.account_id)
    if refusal is not None:
        return refusal
    chosen = choose_password(here, invitation.account_id, password, again)
    if isinstance(chosen, Refusal):
        return chosen
    account = spend_link(here, Recovery, token, invitation.account_id)
    if account is None or not account.open_at(here.now):
        return Refusal("spent")
    replace_password(here.acting_as(f"account/{account.login}"), account, chosen, "password-reset")
    return None

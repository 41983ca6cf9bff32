"""The one-time link to a new account: issuing it and using it (Regulation 4.4, 5.1; ASVS 6.4).

The code of a printed slip (`slips.py`) is used like a link.
"""

from datetime import datetime

from idp.crypto import digest
from idp.errors import Forbidden
from idp.flows.choose_password import choose_password, set_password
from idp.flows.departments import departments_of
from idp.flows.here import Here
from idp.flows.one_time_links import Invitation, find_link, issue_link, spend_link
from idp.flows.record import record
from idp.flows.refusal import Refusal
from idp.flows.send_message import send_message
from idp.models import Account, Activation
from policies.deadlines import Deadline, deadline, local_day
from policies.permissions import Whom, may


def issue_activation(here: Here, account: Account) -> str:
    """Make a one-time link, void the earlier ones, and mail it to the personal address; the answer is the link.

    It works until the end of the third working day (5.1).
    """
    until = until_when(here)
    token = issue_link(here, Activation, account, until.due_at, issued_by=here.actor)
    link = f"{here.service.settings.base_url}/activation/{token}"
    key = f"activation/{digest(token)[:32]}"
    mailed = send_message(here, account, "activation", key, link=link, last_day=until.due_on)
    record(here, "activation-issued", account, after={"valid_until": until.due_on, "mailed": mailed})
    return link


def issue_activation_again(here: Here, account: Account) -> Refusal | None:
    """An officer's new link for somebody who let the first one pass.  Refusal: ``gone``, it was used meanwhile.

    Raises `Forbidden` for officers of other departments, and for oneself.
    """
    check_may_issue(here, account)
    if account.activated_at is not None:
        return Refusal("gone")
    issue_activation(here, account)
    return None


def check_may_issue(here: Here, account: Account) -> None:
    """Raises `Forbidden` for officers of other departments, and for oneself."""
    whom = Whom(str(account.id), departments_of(here, account), None)
    if here.who is None or not may("issue-activation", here.who, whom, here.now):
        raise Forbidden("issue-activation")


def until_when(here: Here) -> Deadline:
    """The end of the working days within which the first password is chosen by whoever receives the means for it now."""
    days = here.service.profile.rules.initial_credentials_days
    return deadline(local_day(here.now, here.service.zone), days, here.service.calendar, here.service.zone)


def find_invitation(token: str, now: datetime) -> Invitation | None:
    """Whom the link is for, or None when it is spent, voided, expired or made up.  Changes nothing."""
    return find_link(Activation, token, now)


def activate(here: Here, token: str, password: str, again: str) -> Refusal | None:
    """Spend the link and set the first password.  None when done.

    Refusals: ``spent``; ``password`` with the codes of all broken rules under ``broken`` (the link stays usable).
    """
    invitation = find_invitation(token, here.now)
    if invitation is None:
        return Refusal("spent")
    chosen = choose_password(here, invitation.account_id, password, again)
    if isinstance(chosen, Refusal):
        return chosen
    account = spend_link(here, Activation, token, invitation.account_id)
    if account is None:
        return Refusal("spent")
    account.activated_at = here.now
    owner = here.acting_as(f"account/{account.login}")
    set_password(owner, account, chosen)
    record(owner, "activated", account, before={"activated": False}, after={"activated": True})
    return None

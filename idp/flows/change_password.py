"""Changing the password, by whoever knows the present one (Regulation 5.1, 5.7; ASVS 6.2.2, 6.2.3, 6.3.7, 7.5.1)."""

from collections.abc import Sequence
from uuid import UUID

from idp.db import db
from idp.flows.choose_password import choose_password, set_password
from idp.flows.here import Here
from idp.flows.misuse_link import misuse_link
from idp.flows.refusal import Refusal
from idp.flows.send_message import send_message
from idp.flows.sessions import LiveSession, end_all_sessions
from idp.flows.sign_in import prove_password
from idp.models import Account
from policies.sessions import is_fresh


def change_password(here: Here, session: LiveSession, present: str, password: str, again: str) -> Refusal | None:
    """Set a new password and end every other session.  The present one is asked for unless the sign-in is fresh.

    Refusals: ``wrong`` and ``locked`` of the present password, which is an attempt like any other; ``password`` with
    the codes of all broken rules under ``broken``, told only to whoever knows the present one.  Raises `Busy`.
    """
    chosen = choose_password(
        here, session.account_id, password, again
    )  # first: it takes its time outside a transaction
    if not is_fresh(session.authenticated_at, here.now):
        proven = prove_password(here, session.login, present)
        if isinstance(proven, Refusal):
            return proven
    if isinstance(chosen, Refusal):
        return chosen
    account = db.session.get_one(Account, session.account_id)
    replace_password(here, account, chosen, "password-changed", but=[session.id])
    return None


def replace_password(here: Here, account: Account, password_hash: str, reason: str, but: Sequence[UUID] = ()) -> None:
    """The new password stands, sessions (except `but`) and what clients hold end, and the person is told (6.3.7)."""
    set_password(here, account, password_hash)
    end_all_sessions(here, account, reason, but)
    key = f"password-changed/{here.request_id}/{account.id}"
    send_message(here, account, "password-changed", key, misuse_link=misuse_link(here, account.id))

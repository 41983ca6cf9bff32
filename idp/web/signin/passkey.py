"""Passkeys on pages: what the page's script asks the browser for, and the answer it puts into the form.

Options stand in the page, answers come as a field of an ordinary form: there is no interface beside the pages, and
whoever has no JavaScript meets a page without passkeys.
"""

from typing import Any
from uuid import UUID

from flask import g, request, session
from flask_wtf.csrf import generate_csrf

from idp.flows.passkeys import Ceremony, authentication_options, has_passkey
from idp.flows.second_factor import Proof


def ceremony(purpose: str) -> Ceremony:
    """For this browser alone: its form session is whose answer counts."""
    generate_csrf()
    return Ceremony(purpose, session["csrf_token"])


def options_for(purpose: str, account_id: UUID) -> dict[str, Any] | None:
    """What the account's passkeys are asked by; None where it has none."""
    return authentication_options(g.here, ceremony(purpose), account_id) if has_passkey(account_id) else None


def proof(purpose: str) -> Proof:
    """The second factor out of the form."""
    return Proof(request.form.get("code", ""), request.form.get("passkey", ""), ceremony(purpose))

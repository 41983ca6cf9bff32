"""The page for those who may not use a system: why, whom to ask, and the way back to it."""

from flask import g, render_template

from idp.db import db
from idp.flows.appointments import contacts_for
from idp.flows.departments import departments_of
from idp.flows.why_no_access import why_no_access
from idp.models import Account
from idp.oauth.clients import RegisteredClient
from idp.web.language import language


def denied_page(client: RegisteredClient, request_id: str | None = None) -> str:
    """`request_id` is the token of the request that waits for an answer, if one does."""
    account = db.session.get_one(Account, g.session.account_id)
    return render_template(
        "denied.html",
        client_name=client.name,
        reason=why_no_access(g.here, account.id, client.system).value,
        contacts=contacts_for(departments_of(g.here, account), g.here.now, language()),
        request_id=request_id,
    )

"""What a page tells of a password while it is typed (`static/password.js`), and a passphrase for who asks for one."""

from uuid import UUID

from flask import Response, g, jsonify, request

from idp.flows.choose_password import advise
from idp.flows.suggest_password import suggest_password


def advice(account_id: UUID) -> Response:
    """The codes of the rules that the password in the form breaks, and its strength from 0 to 4."""
    broken, score = advise(g.here, account_id, request.form.get("password", ""))
    return jsonify(broken=[rule.value for rule in broken], score=score)


def suggestion(account_id: UUID) -> str | None:
    """A passphrase, if the form asks for one."""
    return suggest_password(g.here, account_id) if "suggest" in request.form else None

"""Initial access tokens on pages: giving one out, the list of all, revoking (RFC 7591, 3).

A token is shown on the answer to the form that made it, and never again.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, g, redirect, render_template, request
from werkzeug.wrappers import Response

from idp.flows.initial_access_tokens import (
    MOST_DAYS,
    MOST_USES,
    initial_access_tokens,
    issue_initial_access_token,
    revoke_initial_access_token,
)
from idp.flows.refusal import Refusal
from policies.registration import SCOPES, read_metadata

bp = Blueprint("initial_tokens", __name__, url_prefix="/admin/initial-tokens")
NEW = {"name": "", "scope": " ".join(SCOPES), "uses": "1", "days": "7"}


@bp.get("")
def index() -> str:
    return _page(NEW)


@bp.post("")
def add() -> str | tuple[str, int]:
    """The token, this once; or the form again with what is wrong in it."""
    fields = {name: request.form.get(name, "").strip() for name in NEW}
    scopes, uses, days = fields["scope"].split(), _number("uses", MOST_USES), _number("days", MOST_DAYS)
    wrong = _mistaken(fields["name"], scopes)
    if wrong or uses is None or days is None:
        return _page(fields, wrong | {name for name, value in (("uses", uses), ("days", days)) if value is None}), 422
    made = issue_initial_access_token(g.here, fields["name"], scopes, uses, timedelta(days=days))
    if isinstance(made, Refusal):
        return _page(fields, {"scope"}), 422
    endpoint = f"{g.here.service.settings.base_url}/oauth/register"
    return render_template("initial_token.html", token=made[1], endpoint=endpoint)


@bp.post("/<uuid:token_id>/revoke")
def revoke(token_id: UUID) -> Response:
    refusal = revoke_initial_access_token(g.here, token_id)
    flash("gone" if refusal else "token-revoked", "refusal" if refusal else "notice")
    return redirect(str(bp.url_prefix), 303)


def _number(name: str, most: int) -> int | None:
    value = request.form.get(name, type=int)
    return value if value is not None and 1 <= value <= most else None


def _mistaken(name: str, scopes: list[str]) -> set[str]:
    """Names and scopes are held to what a client's are."""
    mistakes = {mistake.field for mistake in read_metadata({"client_name": name, "scope": " ".join(scopes)})[1]}
    held = {"name": bool(name) and "client_name" not in mistakes, "scope": bool(scopes) and "scope" not in mistakes}
    return {field for field, good in held.items() if not good}


def _page(fields: dict[str, Any], wrong: set[str] | frozenset[str] = frozenset()) -> str:
    return render_template(
        "initial_tokens.html",
        tokens=initial_access_tokens(),
        now=g.here.now,
        fields=fields,
        mistakes=[name for name in NEW if name in wrong],
        most_uses=MOST_USES,
        most_days=MOST_DAYS,
    )

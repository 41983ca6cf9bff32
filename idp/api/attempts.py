"""Attempts that the mail system sees: ``POST /api/attempts?command=allow|report``, Dovecot's authentication policy
protocol (doc.dovecot.org, authentication policy).

Its client proves itself by its secret in the header, as Dovecot can, and has the scope `attempts.count`.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from authlib.oauth2.rfc6749 import OAuth2Error
from flask import Blueprint, g, jsonify, request
from werkzeug.wrappers import Response

from idp.api.problem import Problem, answer
from idp.flows.here import Here
from idp.flows.mail_attempts import MailAttempt, allow_attempt, settle_attempt
from idp.flows.receive_order import Mistake
from idp.json_body import NotJson, read_object
from idp.oauth.client_authentication import authenticate
from policies.registration import BY_SECRET

bp = Blueprint("attempts", __name__, url_prefix="/api/attempts")
bp.register_error_handler(Problem, answer)

SCOPE = "attempts.count"
LONGEST_BODY = 16 * 1024
GO_ON, REFUSE = 0, -1  # statuses of the protocol


@bp.post("")
def count() -> Response:
    """``allow``: status 0, or -1 where the password is not to be looked at; ``report``: how it went, always 0."""
    here = _calling_mail()
    said = _said()
    attempt = MailAttempt(said["login"], said["mech"], said["pwhash"])
    here = replace(here, address=said["remote"] or None, agent=said["protocol"])
    command = request.args.get("command")
    if command == "allow":
        allowed = allow_attempt(here, attempt)
        return jsonify(status=GO_ON if allowed else REFUSE, msg="" if allowed else "locked or too many attempts")
    if command != "report":
        raise Problem(400, "bad_request", "command must be allow or report")
    if not said["policy_reject"]:  # of what we refused ourselves, nothing is left to tell
        settle_attempt(here, attempt, None if said["fail_type"] == "internal" else said["success"])
    return jsonify(status=GO_ON, msg="")


def _calling_mail() -> Here:
    try:
        client = authenticate(g.here, request.headers, {}, request.url, BY_SECRET)
    except OAuth2Error:
        challenge = {"WWW-Authenticate": 'Basic realm="attempts"'}
        raise Problem(401, "not_authentic", "a client with its secret is needed", headers=challenge) from None
    if SCOPE not in client.scopes:
        raise Problem(403, "not_allowed", f"the scope {SCOPE} is needed")
    here: Here = g.here.acting_as(f"client/{client.client_id}")
    return here


def _said() -> Mapping[str, Any]:
    """What Dovecot is set to send; `login` is needed, others are empty where they are not sent."""
    if (request.content_length or 0) > LONGEST_BODY:
        raise Problem(413, "too_large", f"at most {LONGEST_BODY} bytes")
    try:
        body = read_object(request.get_data())
    except NotJson as error:
        raise Problem(400, "not_json", str(error)) from None
    texts = {name: body.get(name, "") for name in ("login", "mech", "pwhash", "remote", "protocol", "fail_type")}
    flags = {name: body.get(name, False) for name in ("success", "policy_reject")}
    wrong = [name for name, value in texts.items() if not isinstance(value, str)]
    wrong += [name for name, value in flags.items() if not isinstance(value, bool)]
    if wrong or "login" not in body:
        mistakes = [Mistake(name, "type") for name in wrong] or [Mistake("login", "required")]
        raise Problem(422, "invalid_attempt", "the attempt breaks the rules named under errors", mistakes)
    return texts | flags

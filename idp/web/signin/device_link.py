"""The page where a person types the code their device shows, and allows or denies what it asks for (RFC 8628, 3.3).

Guarded like every page of an account: who comes without having signed in goes through the sign-in and back here.  The
code is asked for even where the address brings it along, and what the device would get is shown before anything is
given (5.4): the address may have come from somebody else.
"""

from flask import Blueprint, g, render_template, request

from idp.flows.refusal import Refusal
from idp.oauth.consent import nobody_checked
from idp.oauth.device_approval import DeviceRequest, allow, deny, find_request
from idp.oauth.standing import has_access
from idp.web.signin.denied import denied_page
from policies.device_codes import RULES, read_user_code, shown

bp = Blueprint("device_link", __name__, url_prefix="/device")

Page = str | tuple[str, int] | tuple[str, int, dict[str, str]]


@bp.get("")
def show() -> str:
    """The form, filled in when the device's address brought a code (RFC 8628, 3.3.1)."""
    return _form(request.args.get("user_code", ""))


@bp.post("")
def look_up() -> Page:
    """What the device asks for."""
    found = _found()
    if not isinstance(found, DeviceRequest):
        return found
    code = shown(read_user_code(request.form["user_code"]) or "")
    return render_template(
        "device_confirm.html",
        client=found.client,
        scope=found.scope,
        resources=found.resources,
        user_code=code,
        by_itself=nobody_checked(found.client),
    )


@bp.post("/decision")
def decide() -> Page:
    """Whatever is not the one button is the other."""
    found = _found()
    if not isinstance(found, DeviceRequest):
        return found
    allowed = request.form.get("decision") == "allow"
    decided = (allow if allowed else deny)(g.here, g.session, found)
    if not decided:
        return _refused("unknown")
    return render_template("device_done.html", client_name=found.client.name, allowed=allowed)


def _found() -> DeviceRequest | Page:
    """The request behind the code in the form, if its person may use the client's system; else the page that says why
    not."""
    found = find_request(g.here, g.session, request.form.get("user_code", ""))
    if isinstance(found, Refusal):
        return _refused(found.code)
    if not has_access(g.session.account_id, found.client.system):
        return denied_page(found.client), 403
    return found


def _form(entered: str, refusal: str | None = None) -> str:
    code = read_user_code(entered)
    return render_template(
        "device.html",
        entered=shown(code) if code else entered[:20],
        refusal=refusal,
        minutes=int(RULES.rest.total_seconds() // 60),
    )


def _refused(code: str) -> Page:
    page = _form(request.form.get("user_code", ""), code)
    if code == "too-many":
        return page, 429, {"Retry-After": str(int(RULES.rest.total_seconds()))}
    return page, 422

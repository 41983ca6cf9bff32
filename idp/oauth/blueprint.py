"""The blueprint of the provider, and the page shown where no answer may go to a client (RFC 6749, 3.1.2.4, 4.1.2.1)."""

from flask import Blueprint, g, render_template
from flask_babel import gettext as _

from idp.log import log
from idp.oauth.errors import UnsafeRequest

blueprint = Blueprint("oauth", __name__)


@blueprint.errorhandler(UnsafeRequest)
def explain(error: UnsafeRequest) -> tuple[str, int]:
    """Tell the person, since the client can't be trusted with an answer."""
    log.warning("unsafe authorization request", reason=error.reason, client=error.client_id)
    page = render_template(
        "error.html",
        status=400,
        title=_("This link does not hold"),
        message=_("The system you came from asked in a way that can't be trusted, so nothing was sent to it. "
                  "Go back to it and try again; if that does not help, report it to its support."),
        reference=g.here.request_id,
    )  # fmt: skip
    return page, 400

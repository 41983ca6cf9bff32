"""The authorization endpoint (RFC 6749, 3.1; OIDC Core, 3.1.2)."""

from flask import Response, g, request, url_for

from idp.oauth.answer import error_url, see_other
from idp.oauth.authorization_request import Mistaken, parse_authorization_request
from idp.oauth.blueprint import blueprint
from idp.oauth.interaction import PendingRequest, deny, facts_for, finish, put_aside
from idp.oauth.parameters import Parameters, read_parameters
from policies.interaction import Step, next_step

REFUSED_WITHOUT_PAGES = {
    Step.LOGIN_REQUIRED: ("login_required", "the person has to sign in"),
    Step.INTERACTION_REQUIRED: ("interaction_required", "the person has to see a page first"),
}


@blueprint.route("/oauth/authorize", methods=["GET", "POST"])
def authorize() -> Response:
    """Answer the client at once where no page is needed, else let the person go through the pages first."""
    here = g.here
    parsed, client = parse_authorization_request(_parameters())
    if isinstance(parsed, Mistaken):
        return see_other(error_url(here.service, parsed.redirect_uri, parsed.state, parsed.refusal))
    pending = PendingRequest(None, client, parsed, here.now)
    step = next_step(facts_for(pending, g.session, here), here.now)
    if step in REFUSED_WITHOUT_PAGES:
        return see_other(deny(here, pending, *REFUSED_WITHOUT_PAGES[step]))
    if step is Step.DENIED and "none" in parsed.prompt:
        return see_other(deny(here, pending, "access_denied", "the person has no access to this system"))
    if step is Step.DONE and g.session is not None:
        return see_other(finish(here, pending, g.session))
    return see_other(url_for("signin.next_page", request=put_aside(here.now, pending)))


def _parameters() -> Parameters:
    """From the query of a GET, from the body of a POST, never from both (OIDC Core, 3.1.2.1)."""
    source = request.args if request.method == "GET" else request.form
    return read_parameters(source.items(multi=True))

"""The authorization endpoint (RFC 6749, 3.1; OIDC Core, 3.1.2)."""

from flask import Response, g, request, url_for

from idp.flows.here import Here
from idp.flows.throttled import admit
from idp.oauth.answer import refusal, see_other, send
from idp.oauth.authorization_request import (
    AuthorizationRequest,
    Mistaken,
    client_of,
    mistaken,
    parse_authorization_request,
    redirect_uri_of,
)
from idp.oauth.blueprint import blueprint
from idp.oauth.clients import RegisteredClient
from idp.oauth.errors import OAuthError, UnsafeRequest
from idp.oauth.finish import NO_ACCESS, REFUSALS, deny, finish
from idp.oauth.interaction import PendingRequest, facts_for, put_aside
from idp.oauth.parameters import Parameters, read_parameters
from idp.oauth.pushed_request import find_pushed
from idp.oauth.request_object import resolve
from policies.interaction import Step, next_step


@blueprint.route("/oauth/authorize", methods=["GET", "POST"])
def authorize() -> Response:
    """Answer the client at once where no page is needed, else let the person go through the pages first."""
    here = g.here
    parameters = _parameters()
    client = client_of(parameters)
    pushed = find_pushed(here, parameters, client)
    parsed = parse_authorization_request(pushed.parameters, client) if pushed else _read(here, parameters, client)
    if isinstance(parsed, Mistaken):
        return send(here, refusal(client, parsed.redirect_uri, parsed.response_mode, parsed.state, parsed.refusal))
    pending = PendingRequest(None, client, parsed, here.now, pushed=pushed.id if pushed else None)
    step = next_step(facts_for(pending, g.session, here), here.now)
    blind = request.method == "POST" and g.session is None  # a form on a client's page brings no cookie (SameSite=Lax)
    if step in REFUSALS and not blind:
        return _refused(here, pending, REFUSALS[step])
    if step is Step.DENIED and "none" in parsed.prompt:
        return _refused(here, pending, NO_ACCESS)
    answer = finish(here, pending, g.session) if step is Step.DONE else None
    if answer is not None:
        return send(here, answer)
    page = "signin.show" if step is Step.SIGN_IN and not blind else "signin.next_page"  # a slow phone saves a turn
    if g.session is None:
        admit(here)
    return see_other(url_for(page, request=put_aside(here.now, pending)))


def _refused(here: Here, pending: PendingRequest, error: OAuthError) -> Response:
    """At once, without a page; another tab may have answered what was pushed."""
    answer = deny(pending, error)
    if answer is None:
        raise UnsafeRequest("unknown-request-uri", pending.client.client_id)
    return send(here, answer)


def _read(here: Here, parameters: Parameters, client: RegisteredClient) -> AuthorizationRequest | Mistaken:
    """The request that was not pushed, wherever its parameters are: here or in a request object (RFC 9101)."""
    if client.metadata.pushed_only:
        error = OAuthError("invalid_request", "the client must push its requests")
        return mistaken(parameters, client, redirect_uri_of(parameters, client), error)
    resolved = resolve(here, parameters, client)
    if isinstance(resolved, OAuthError):
        return mistaken(parameters, client, redirect_uri_of(parameters, client), resolved)
    return parse_authorization_request(resolved, client)


def _parameters() -> Parameters:
    """From the query of a GET, from the body of a POST, never from both (OIDC Core, 3.1.2.1)."""
    source = request.args if request.method == "GET" else request.form
    return read_parameters(source.items(multi=True))

"""The door for HR systems that speak SCIM 2.0: ``/api/scim/v2`` (RFC 7644), with access tokens of programs.

Routing, PATCH, ETags, discovery and error bodies are the library's; who may do what is asked here, before it.
"""

from http import HTTPStatus

from flask import Flask, g, request
from flask_wtf import CSRFProtect
from scim2_flask import ScimServer
from scim2_models import Error
from scim2_server.handler import ScimHandler
from scim2_server.service import ScimService
from werkzeug.wrappers import Response

from idp.api.caller import calling_program
from idp.api.problem import Problem
from idp.api.scim.schema import provider_for
from idp.api.scim.storage import PeopleStorage
from idp.service import Service

PREFIX = "/api/scim/v2"
READ, WRITE = "scim.read", "scim.write"


def init_app(app: Flask, csrf: CSRFProtect, service: Service) -> None:
    """Put it in its place."""
    rules = service.profile.rules.brakes
    codes = [one.code for one in service.profile.departments if one.code not in rules.departments]
    provider = provider_for(codes)
    storage = PeopleStorage(provider)
    server = ScimServer(storage, provider, url_prefix=PREFIX)
    server.service = ScimService(provider)
    server.handler = ScimHandler(server.service, storage)
    blueprint = server.create_blueprint()
    blueprint.before_request(_let_in)
    blueprint.register_error_handler(Problem, _answer)
    csrf.exempt(blueprint)
    app.register_blueprint(blueprint)


def _let_in() -> None:
    """Searching by POST is reading (RFC 7644, 3.4.3)."""
    reads = request.method == "GET" or request.path.endswith("/.search")
    g.here = calling_program(READ if reads else WRITE)
    g.scim_client = g.here.actor.removeprefix("client/")


def _answer(problem: Problem) -> Response:
    """Who is not let in is told so in SCIM's words (RFC 7644, 3.12)."""
    body = Error(status=problem.status, detail=problem.title).model_dump_json()
    response = Response(body, HTTPStatus(problem.status), mimetype="application/scim+json")
    response.headers.update(problem.headers)
    return response

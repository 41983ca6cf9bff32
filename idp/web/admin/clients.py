"""The clients of the provider on pages: registering, changing, a new secret, removing.

A secret is shown on the answer to the form that made it, and never again.
"""

from typing import Any

from flask import Blueprint, abort, flash, g, redirect, render_template, request
from werkzeug.wrappers import Response

from idp.flows.change_client import change_client, client_to_change, metadata_of
from idp.flows.list_clients import known_systems, list_clients
from idp.flows.refusal import Refusal
from idp.flows.register_client import BadClient, register_client
from idp.flows.remove_client import remove_client
from idp.flows.rotate_client_secret import rotate_client_secret
from idp.models import Client
from idp.oauth.clients import CLIENT_ID, find_client
from idp.oauth.sector import check_client
from idp.web.admin.client_form import FIELDS, NEW, fields_of, fields_sent, registration_sent
from idp.web.language import language
from policies.registration import (
    AUTH_METHODS,
    BY_SECRET,
    GRANT_TYPES,
    SECURITY_PROFILES,
    ClientMetadata,
    Mistake,
    read_metadata,
)

bp = Blueprint("client_pages", __name__, url_prefix="/admin/clients")


@bp.get("")
def index() -> str:
    shown = [(client, metadata_of(client)) for client in list_clients()]
    return render_template("clients.html", clients=shown, systems=known_systems(language()))


@bp.get("/new")
def new() -> str:
    return _form(None, fields_of(NEW, None))


@bp.post("/new")
def add() -> str | tuple[str, int]:
    fields = fields_sent(request.form)
    try:
        said = _checked(None, fields)
        client_id, secret = register_client(g.here, said, fields["system"] or None)
    except BadClient as error:
        return _form(None, fields, error.mistakes), 422
    return _secret(client_id, secret, "registered")


@bp.get("/<client_id>")
def show(client_id: str) -> str:
    client = _client(client_id)
    return _form(client, fields_of(metadata_of(client), client.system))


@bp.post("/<client_id>")
def change(client_id: str) -> Response | str | tuple[str, int]:
    """Back to the client, or to its secret if it came to need one."""
    fields = fields_sent(request.form)
    known = find_client(client_id) or abort(404)
    try:
        said = _checked(known.metadata, fields)
        secret = change_client(g.here, _client(client_id), said, fields["system"] or None)
    except BadClient as error:
        return _form(_client(client_id), fields, error.mistakes), 422
    if secret:
        return _secret(client_id, secret, "changed")
    flash("client-changed", "notice")
    return redirect(f"{bp.url_prefix}/{client_id}", 303)


@bp.post("/<client_id>/secret")
def rotate(client_id: str) -> str:
    _client(client_id)
    secret = rotate_client_secret(g.here, client_id)
    return abort(404) if isinstance(secret, Refusal) else _secret(client_id, secret, "rotated")


@bp.get("/<client_id>/remove")
def ask_to_remove(client_id: str) -> str:
    return render_template("client_remove.html", client_id=client_id, client=metadata_of(_client(client_id)))


@bp.post("/<client_id>/remove")
def remove(client_id: str) -> Response:
    _client(client_id)
    remove_client(g.here, client_id)
    flash("client-removed", "notice")
    return redirect(str(bp.url_prefix), 303)


def _checked(before: ClientMetadata | None, fields: dict[str, Any]) -> dict[str, Any]:
    """What the form says, looked at as far as that goes without the database.  Raises `BadClient`."""
    said, mistakes = registration_sent(fields)
    if mistakes:
        raise BadClient(mistakes + read_metadata(said)[1])
    check_client(g.here.service, before, said)
    return said


def _client(client_id: str) -> Client:
    found = client_to_change(client_id) if CLIENT_ID.fullmatch(client_id) else None
    return found or abort(404)


def _form(client: Client | None, fields: dict[str, Any], mistakes: tuple[Mistake, ...] = ()) -> str:
    method = metadata_of(client).token_endpoint_auth_method if client else None
    return render_template(
        "client.html",
        client=client,
        fields=fields,
        mistakes=[(mistake.field if mistake.field in {*FIELDS, "system"} else "rest", mistake) for mistake in mistakes],
        has_secret=method in (*BY_SECRET, "client_secret_jwt"),
        systems=known_systems(language()),
        auth_methods=AUTH_METHODS,
        grant_types=GRANT_TYPES,
        profiles=SECURITY_PROFILES,
    )


def _secret(client_id: str, secret: str | None, what: str) -> str:
    issuer = g.here.service.settings.base_url
    return render_template("client_secret.html", client_id=client_id, secret=secret, what=what, issuer=issuer)

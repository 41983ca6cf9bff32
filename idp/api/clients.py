"""Registering clients by program: ``/api/clients``, for programs that have the scope `clients.manage`.

Metadata goes under the names of RFC 7591, beside it `system`; a secret is told once, when it is made.  What a page or a
command may register, a program may, except more programs like itself.
"""

from collections.abc import Iterable
from typing import Any

from flask import Blueprint, jsonify, request
from werkzeug.wrappers import Response

from idp.api.caller import calling_program
from idp.api.problem import Problem, answer
from idp.flows.change_client import change_client, client_to_change, metadata_of
from idp.flows.list_clients import list_clients
from idp.flows.receive_order import Mistake as Told
from idp.flows.refusal import Refusal
from idp.flows.register_client import BadClient, register_client
from idp.flows.remove_client import remove_client
from idp.flows.rotate_client_secret import rotate_client_secret
from idp.json_body import NotJson, read_object
from idp.models import Client
from idp.oauth.clients import CLIENT_ID, find_client
from idp.oauth.sector import check_client
from policies.registration import MANAGE_CLIENTS, READERS, Mistake, plain_metadata

bp = Blueprint("clients", __name__, url_prefix="/api/clients")
bp.register_error_handler(Problem, answer)

LONGEST_BODY = 64 * 1024
LARGEST_PAGE = 200
OURS = {"client_id", "client_id_issued_at", "self_registered"}  # told, and taken back as they were; never changed


@bp.get("")
def index() -> Response:
    """So many, `after` the client of that id; `next` is what to ask for then, absent at the end."""
    calling_program(MANAGE_CLIENTS)
    most = _page_size()
    found = list_clients(most + 1, _name(request.args["after"]) if "after" in request.args else None)
    more = {"next": found[most - 1].client_id} if len(found) > most else {}
    return jsonify({"clients": [_shown(client) for client in found[:most]], **more})


@bp.post("")
def add() -> Response:
    """201, where the client is, and its secret."""
    here = calling_program(MANAGE_CLIENTS)
    said, system = _said()
    try:
        check_client(here.service, None, said)
        client_id, secret = register_client(here, said, system)
    except BadClient as error:
        raise _invalid(error.mistakes) from None
    response = _with_secret(_client(client_id), secret, 201)
    response.headers["Location"] = f"{bp.url_prefix}/{client_id}"
    return response


@bp.get("/<client_id>")
def show(client_id: str) -> Response:
    calling_program(MANAGE_CLIENTS)
    return jsonify(_shown(_client(client_id)))


@bp.put("/<client_id>")
def change(client_id: str) -> Response:
    """Replace all that is registered; a secret is there if the client came to need one."""
    here = calling_program(MANAGE_CLIENTS)
    said, system = _said(client_id)
    known = find_client(client_id)  # nothing is held while a sector is asked
    if known is None:
        raise _unknown()
    try:
        check_client(here.service, known.metadata, said)
        client = _client(client_id)
        return _with_secret(client, change_client(here, client, said, system))
    except BadClient as error:
        raise _invalid(error.mistakes) from None


@bp.delete("/<client_id>")
def remove(client_id: str) -> Response:
    """204; what was granted to it ends with it."""
    here = calling_program(MANAGE_CLIENTS)
    if isinstance(remove_client(here, _name(client_id)), Refusal):
        raise _unknown()
    return Response(status=204)


@bp.post("/<client_id>/secret")
def rotate(client_id: str) -> Response:
    """A new secret; the old one is dead at once.  409 for a client that proves itself by other means."""
    here = calling_program(MANAGE_CLIENTS)
    client = _client(client_id)
    secret = rotate_client_secret(here, client_id)
    if isinstance(secret, Refusal):
        raise Problem(409, "no_secret", "this client proves itself by other means than a secret")
    return _with_secret(client, secret)


def _said(client_id: str | None = None) -> tuple[dict[str, Any], str | None]:
    """The metadata and the system that were sent; names that nobody knows are refused, not ignored."""
    said = _object()
    system, told = said.pop("system", None), {name: said.pop(name) for name in OURS & said.keys()}
    unknown = [Mistake(name, "is not known") for name in sorted(said.keys() - READERS.keys())]
    other = [Mistake("client_id", "must be the client's own")] if told.get("client_id", client_id) != client_id else []
    wrong = [] if system is None or isinstance(system, str) else [Mistake("system", "must be a text")]
    if unknown or other or wrong:
        raise _invalid((*unknown, *other, *wrong))
    return said, system


def _object() -> dict[str, Any]:
    if request.mimetype != "application/json":
        raise Problem(415, "unsupported_media_type", "application/json is expected")
    raw = request.get_data()
    if len(raw) > LONGEST_BODY:
        raise Problem(413, "too_large", f"at most {LONGEST_BODY} bytes")
    try:
        return read_object(raw)
    except NotJson as error:
        raise Problem(400, "not_json", str(error)) from None


def _page_size() -> int:
    size = request.args.get("limit", str(LARGEST_PAGE))
    if not (size.isascii() and size.isdecimal() and len(size) < 5 and 1 <= int(size) <= LARGEST_PAGE):
        raise Problem(400, "bad_request", f"limit is a number from 1 to {LARGEST_PAGE}")
    return int(size)


def _name(client_id: str) -> str:
    """A name that a client can have, so that the database may be asked for it."""
    if not CLIENT_ID.fullmatch(client_id):
        raise _unknown()
    return client_id


def _client(client_id: str) -> Client:
    client = client_to_change(_name(client_id))
    if client is None:
        raise _unknown()
    return client


def _unknown() -> Problem:
    return Problem(404, "not_found", "no client has this id")


def _invalid(mistakes: Iterable[Mistake]) -> Problem:
    told = [Told(f"$.{mistake.field[:100]}", mistake.reason) for mistake in mistakes]
    return Problem(422, "invalid_client", "the client can't be registered like this", told)


def _shown(client: Client) -> dict[str, Any]:
    return {
        "client_id": client.client_id,
        "client_id_issued_at": int(client.created_at.timestamp()),
        "self_registered": client.registered_with is not None,
        "system": client.system,
        **plain_metadata(metadata_of(client)),
    }


def _with_secret(client: Client, secret: str | None, status: int = 200) -> Response:
    response = jsonify(_shown(client) | ({"client_secret": secret} if secret else {}))
    response.status_code = status
    return response

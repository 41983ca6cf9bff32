"""Registering OAuth clients, changing and removing them."""

import json
from collections.abc import Callable
from typing import Any, TextIO

import click
import sqlalchemy as sa

from idp.cli.initial_token import initial_token
from idp.cli.session import at_the_command
from idp.db import db
from idp.flows.change_client import change_client, client_to_change, metadata_of
from idp.flows.refusal import Refusal
from idp.flows.register_client import BadClient, description, register_client
from idp.flows.remove_client import remove_client
from idp.flows.rotate_client_secret import rotate_client_secret
from idp.json_body import NotJson, read_object
from idp.models import Client
from policies.registration import AUTH_METHODS, GRANT_TYPES, READERS, SCOPES

OUR_OWN = {
    "scope": SCOPES,
    "grant_types": ("authorization_code", "refresh_token"),
    "first_party": True,
}  # what the university's own clients mostly are
Command = Callable[..., None]


@click.group()
def client() -> None:
    """OAuth / OpenID Connect clients."""


client.add_command(initial_token)


def _described(command: Command) -> Command:
    """The usual options; what is not given is left as it is."""
    options = (
        click.option("--redirect-uri", "redirect_uris", multiple=True, help="exact address; may be repeated"),
        click.option("--post-logout-redirect-uri", "post_logout_redirect_uris", multiple=True, help="may be repeated"),
        click.option("--scope", multiple=True, help=f"may be repeated; a new client gets {' '.join(SCOPES)}"),
        click.option("--grant", "grant_types", multiple=True, type=click.Choice(GRANT_TYPES), help="may be repeated"),
        click.option("--auth-method", "token_endpoint_auth_method", type=click.Choice(AUTH_METHODS)),
        click.option("--public", is_flag=True, help="a native or browser application without a secret"),
        click.option("--without-pkce", is_flag=True, help="for those that can't (Moodle); they must send a nonce"),
        click.option("--system", help="code of the system it belongs to: only people with access to that get in"),
        click.option(
            "--metadata", type=click.File(), help="a JSON file with more, by the names of RFC 7591; - is stdin"
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@client.command()
@click.argument("name")
@_described
def add(name: str, system: str | None, **options: Any) -> None:
    """Register NAME; prints its id and, this once, its secret."""
    registration = OUR_OWN | _said(**options) | {"client_name": name}
    try:
        with at_the_command() as here:
            client_id, secret = register_client(here, registration, system)
    except BadClient as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"client_id:     {client_id}")
    _tell_secret(secret)


@client.command()
@click.argument("client_id")
def show(client_id: str) -> None:
    """All that is registered of a client, as JSON."""
    with at_the_command():
        click.echo(json.dumps(description(_found(client_id)), ensure_ascii=False, indent=2, sort_keys=True))


@client.command()
@click.argument("client_id")
@click.option("--name", "client_name", help="what people know it by")
@click.option("--for-everybody", is_flag=True, help="it belongs to no system any more: every account gets in")
@_described
def change(client_id: str, client_name: str | None, system: str | None, for_everybody: bool, **options: Any) -> None:
    """Change what is given and leave the rest; null in the JSON file takes away."""
    named = {"client_name": client_name} if client_name else {}
    try:
        with at_the_command() as here:
            row = _found(client_id)
            belongs_to = None if for_everybody else system or row.system
            secret = change_client(here, row, row.registration | _said(**options) | named, belongs_to)
    except BadClient as error:
        raise click.ClickException(str(error)) from error
    click.echo("changed")
    _tell_secret(secret)


@client.command("list")
def list_clients() -> None:
    """All clients, one a line."""
    with at_the_command():
        for row in db.session.scalars(sa.select(Client).where(Client.removed_at.is_(None)).order_by(Client.created_at)):
            metadata = metadata_of(row)
            kind, addresses = metadata.token_endpoint_auth_method, " ".join(metadata.redirect_uris)
            click.echo(f"{row.client_id}  {metadata.client_name}  {kind}  {row.system or '-'}  {addresses}")


@client.command("rotate-secret")
@click.argument("client_id")
def rotate_secret(client_id: str) -> None:
    """Give a client a new secret; the old one is dead at once."""
    with at_the_command() as here:
        secret = rotate_client_secret(here, client_id)
    if isinstance(secret, Refusal):
        raise click.ClickException(secret.code)
    _tell_secret(secret)


@client.command()
@click.argument("client_id")
def remove(client_id: str) -> None:
    """Remove a client and revoke what it holds."""
    with at_the_command() as here:
        revoked = remove_client(here, client_id)
    if isinstance(revoked, Refusal):
        raise click.ClickException(revoked.code)
    click.echo(f"removed; {revoked} grants revoked")


def _found(client_id: str) -> Client:
    row = client_to_change(client_id)
    if row is None:
        raise click.ClickException(f"no client has the id {client_id!r}")
    return row


def _said(metadata: TextIO | None, public: bool, without_pkce: bool, **given: Any) -> dict[str, Any]:
    """The file first, then what stands on the command line itself."""
    said = _from_file(metadata) if metadata else {}
    said |= {name: value for name, value in given.items() if value}
    said |= {"token_endpoint_auth_method": "none", "application_type": "native"} if public else {}
    return said | ({"require_pkce": False} if without_pkce else {})


def _from_file(metadata: TextIO) -> dict[str, Any]:
    try:
        said = read_object(metadata.read().encode("utf-8", "surrogateescape"))
    except NotJson as error:
        raise click.ClickException(f"{metadata.name}: {error}") from error
    unknown = sorted(said.keys() - READERS.keys())
    if unknown:
        raise click.ClickException(f"{metadata.name}: nobody knows {', '.join(unknown)}")
    return said


def _tell_secret(secret: str | None) -> None:
    if secret:
        click.echo(f"client_secret: {secret}")

"""Registering OAuth clients."""

import click
import sqlalchemy as sa

from idp.cli.session import at_the_command
from idp.db import db
from idp.flows.refusal import Refusal
from idp.flows.register_client import BadClient, register_client
from idp.flows.remove_client import remove_client
from idp.flows.rotate_client_secret import rotate_client_secret
from idp.models import Client
from policies.registration import GRANT_TYPES, SCOPES, read_metadata

USUAL_GRANTS = ("authorization_code", "refresh_token")


@click.group()
def client() -> None:
    """OAuth / OpenID Connect clients."""


@client.command()
@click.argument("name")
@click.option("--redirect-uri", "redirect_uris", multiple=True, help="exact address; may be repeated")
@click.option("--post-logout-redirect-uri", "post_logout", multiple=True, help="exact address; may be repeated")
@click.option("--system", help="code of the system it belongs to: only people with access to that get in")
@click.option("--scope", "scopes", multiple=True, default=SCOPES, show_default=True)
@click.option("--grant", "grants", multiple=True, type=click.Choice(GRANT_TYPES), default=USUAL_GRANTS)
@click.option("--public", is_flag=True, help="a native or browser application without a secret")
@click.option("--without-pkce", is_flag=True, help="for clients that can't do PKCE (Moodle); they must send a nonce")
def add(
    name: str,
    redirect_uris: tuple[str, ...],
    post_logout: tuple[str, ...],
    system: str | None,
    scopes: tuple[str, ...],
    grants: tuple[str, ...],
    public: bool,
    without_pkce: bool,
) -> None:
    """Register NAME; prints its id and, this once, its secret."""
    registration = {
        "client_name": name,
        "redirect_uris": redirect_uris,
        "post_logout_redirect_uris": post_logout,
        "scope": scopes,
        "grant_types": grants,
        "require_pkce": not without_pkce,
        "application_type": "native" if public else "web",
        "token_endpoint_auth_method": "none" if public else "client_secret_basic",
        "first_party": True,
    }
    try:
        with at_the_command() as here:
            client_id, secret = register_client(here, registration, system)
    except BadClient as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"client_id:     {client_id}")
    if secret:
        click.echo(f"client_secret: {secret}")


@client.command("list")
def list_clients() -> None:
    """All clients, one a line."""
    with at_the_command():
        for row in db.session.scalars(sa.select(Client).where(Client.removed_at.is_(None)).order_by(Client.created_at)):
            metadata = read_metadata(row.registration)[0]
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
    click.echo(f"client_secret: {secret}")


@client.command()
@click.argument("client_id")
def remove(client_id: str) -> None:
    """Remove a client and revoke what it holds."""
    with at_the_command() as here:
        revoked = remove_client(here, client_id)
    if isinstance(revoked, Refusal):
        raise click.ClickException(revoked.code)
    click.echo(f"removed; {revoked} grants revoked")

"""Initial access tokens: leave for others to register so many clients by themselves (RFC 7591, 3)."""

from datetime import timedelta
from uuid import UUID

import click

from idp.cli.session import at_the_command
from idp.flows.initial_access_tokens import (
    MOST_DAYS,
    MOST_USES,
    initial_access_tokens,
    issue_initial_access_token,
    revoke_initial_access_token,
)
from idp.flows.refusal import Refusal
from policies.registration import SCOPES


@click.group("initial-token")
def initial_token() -> None:
    """Leave for clients to register themselves."""


@initial_token.command()
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, default=SCOPES, show_default=True, help="the most its clients get")
@click.option("--uses", type=click.IntRange(1, MOST_USES), default=1, show_default=True, help="how many clients")
@click.option("--days", type=click.IntRange(1, MOST_DAYS), default=7, show_default=True, help="how long it holds")
def add(name: str, scopes: tuple[str, ...], uses: int, days: int) -> None:
    """Give out a token for NAME, which says whom it is for; it is printed this once."""
    with at_the_command() as here:
        made = issue_initial_access_token(here, name, scopes, uses, timedelta(days=days))
    if isinstance(made, Refusal):
        raise click.ClickException(made.code)
    click.echo(f"id:    {made[0]}\ntoken: {made[1]}")


@initial_token.command("list")
def list_tokens() -> None:
    """All tokens, one a line."""
    with at_the_command() as here:
        for row in initial_access_tokens():
            until = f"revoked {row.revoked_at:%Y-%m-%d}" if row.revoked_at else f"until {row.expires_at:%Y-%m-%d}"
            over = "" if row.revoked_at or row.expires_at > here.now else ", over"
            click.echo(f"{row.id}  {row.name}  {row.uses_left} left  {until}{over}  {' '.join(row.scopes)}")


@initial_token.command()
@click.argument("token_id", type=click.UUID)
def revoke(token_id: UUID) -> None:
    """End a token; the clients registered with it stay."""
    with at_the_command() as here:
        refusal = revoke_initial_access_token(here, token_id)
    if refusal:
        raise click.ClickException(refusal.code)
    click.echo("revoked")

"""What other systems could not be told of, and keys to sign what they are told with."""

import click
import sqlalchemy as sa

from idp.cli.session import at_the_command
from idp.db import db
from idp.models import EventNotice
from idp.standard_webhooks import new_key, new_key_pair


@click.group()
def events() -> None:
    """What other systems are told of: security events, and what becomes of orders."""


@events.command("list")
@click.option("--limit", default=100, show_default=True, help="how many, the newest first")
def list_events(limit: int) -> None:
    """What was not told: it was refused, nobody could be reached, or it will be told yet."""
    newest = sa.select(EventNotice).where(EventNotice.status != "told").order_by(EventNotice.id.desc()).limit(limit)
    with at_the_command():
        for one in db.session.scalars(newest):
            happened, reason = one.created_at.isoformat(timespec="seconds"), one.last_error or "-"
            click.echo(
                f"{happened}  {one.status}  {one.receiver}  {one.event}  {one.topic}  tries: {one.failures}  {reason}"
            )


@events.command("new-key")
@click.option("--asymmetric", is_flag=True, help="a pair: one signs, the other is for the receiver, and no secret")
def make_key(asymmetric: bool) -> None:
    """Make a key for signed webhooks; it is printed and kept nowhere."""
    if not asymmetric:
        click.echo(f"for both:         {new_key()}")
        return
    signs, verifies = new_key_pair()
    click.echo(f"for the settings: {signs}\nfor the receiver: {verifies}")

"""Which clients have not heard of a logout."""

import click
import sqlalchemy as sa

from idp.cli.session import at_the_command
from idp.db import db
from idp.models import Account, Client, LogoutNotice


@click.command()
@click.option("--limit", default=100, show_default=True, help="how many, the newest first")
def logouts(limit: int) -> None:
    """Sessions that ended and whose client was not told: it refused, can't be reached, or will be called yet."""
    newest = sa.select(LogoutNotice, Client.client_id, Account.login).where(LogoutNotice.status != "told")
    with at_the_command():
        rows = db.session.execute(
            newest.join(Client, Client.id == LogoutNotice.client_id)
            .join(Account, Account.id == LogoutNotice.account_id)
            .order_by(LogoutNotice.id.desc())
            .limit(limit)
        )
        for notice, client_id, login in rows:
            ended, reason = notice.created_at.isoformat(timespec="seconds"), notice.last_error or "-"
            click.echo(f"{ended}  {notice.status}  {client_id}  {login}  tries: {notice.failures}  {reason}")

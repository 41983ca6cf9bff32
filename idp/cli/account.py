"""Accounts that no order made."""

import click

from idp.cli.session import at_the_command
from idp.flows.bootstrap_account import bootstrap_account
from idp.flows.change_factors import factors_of
from idp.flows.find_account import find_account
from idp.flows.reset_factors import remove_factors
from policies.remarks import remark


@click.group()
def account() -> None:
    """Accounts."""


@account.command("reset-factors")
@click.argument("login")
@click.option("--reason", required=True, help="why, and how you made sure who asks; it stands in the audit trail")
def reset(login: str, reason: str) -> None:
    """Remove every second factor of LOGIN: where there is no second officer who could consent."""
    with at_the_command() as here:
        account = find_account(login)
        if account is None or not factors_of(account.id):
            raise click.ClickException("nobody has this login" if account is None else "it has no second factor")
        told = remark(reason)
        if not told:
            raise click.ClickException("a reason is needed")
        remove_factors(here, account, told)
    click.echo(f"{login} has no second factor any more, is signed out everywhere, and has been told")


@account.command()
@click.option("--family", required=True, help="family name")
@click.option("--given", required=True, help="given name")
@click.option("--email", required=True, help="personal address")
@click.option("--basis", default="first start of the service", show_default=True, help="order that appoints")
def bootstrap(family: str, given: str, email: str, basis: str) -> None:
    """Make the first administrator and print a one-time link; refuses when there is an administrator."""
    with at_the_command() as here:
        made = bootstrap_account(here, family, given, email, basis)
        if made is None:
            raise click.ClickException("there is an administrator already; let them appoint others")
        login, link = made.login, made.link
    click.echo(f"login: {login}\nlink:  {link}\nThe link works once and for three working days.")

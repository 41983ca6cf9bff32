"""For developers: refuses outside development."""

import click

from idp.cli.session import at_the_command
from idp.crypto import new_key
from idp.flows.populate import populate
from idp.settings import load_settings
from idp.settings_page import page


@click.group()
def dev() -> None:
    """Only in development."""


@dev.command()
def secrets() -> None:
    """A fresh set of keys, as the settings file wants them."""
    click.echo(f'[secrets]\npages = "{new_key()}"\nlookup = "{new_key()}"\nactive = "k1"')
    click.echo(f'sealing = {{ k1 = "{new_key()}" }}')


@dev.command("settings")
def settings_page() -> None:
    """The page that documents every setting (docs/settings.md)."""
    click.echo(page())


@dev.command("populate")
@click.option("--accounts", type=click.IntRange(1, 100_000), required=True, help="how many")
@click.option("--password", required=True, help="one for all of them")
def populate_command(accounts: int, password: str) -> None:
    """Make lecturers with open accounts, called person1, person2 ..., spread over the departments."""
    if load_settings().environment != "development":
        raise click.ClickException("this installation is not a development one")
    with at_the_command() as here:
        made = populate(here, accounts, password)
    click.echo(f"{made} accounts made")

"""The command `achkych`: one file per group of commands.  Commands parse, call one flow, and print.

A command's file is loaded when the command is run: a worker's libraries take seconds to load, which nobody should wait
for who only wants to list the clients.
"""

import sys
from importlib import import_module

import click

from idp.errors import ConfigurationError

COMMANDS = {
    "serve": "idp.cli.web",
    "web": "idp.cli.web",
    "worker": "idp.cli.worker",
    "migrate": "idp.cli.migrate",
    "demo": "idp.cli.demo",
    "audit": "idp.cli.audit",
    "client": "idp.cli.client",
    "keys": "idp.cli.keys",
    "logouts": "idp.cli.logouts",
    "events": "idp.cli.events",
    "officer": "idp.cli.officer",
    "account": "idp.cli.account",
    "profile": "idp.cli.profile",
    "passwords": "idp.cli.passwords",
    "dev": "idp.cli.dev",
}


class Commands(click.Group):
    """Finds commands in the table above."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(COMMANDS[cmd_name]), cmd_name)
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="achkych")
def achkych() -> None:
    """The identity and access service of a university."""


def main() -> None:
    """Entry point; mistakes in the settings are listed, not traced."""
    try:
        achkych()
    except ConfigurationError as error:
        for mistake in error.mistakes:
            click.echo(f"settings: {mistake}", err=True)
        sys.exit(78)  # EX_CONFIG

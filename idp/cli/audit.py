"""Checking the audit trail."""

import sys

import click

from idp.cli.session import at_the_command
from idp.flows.seal_audit import verify_audit


@click.group()
def audit() -> None:
    """The audit trail."""


@audit.command()
def verify() -> None:
    """Check every record against the one before; names the first that does not hold and exits with 1."""
    with at_the_command() as here:
        verdict = verify_audit(here)
    if verdict.broken:
        click.echo(f"broken: {verdict.broken}", err=True)
        sys.exit(1)
    click.echo(f"{verdict.records} records of {verdict.days} days hold together")

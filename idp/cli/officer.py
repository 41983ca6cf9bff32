"""Appointing officers."""

import click
import sqlalchemy as sa

from idp.cli.session import account_of, at_the_command
from idp.db import db
from idp.flows.appointments import appoint_officer
from idp.models import Department, System

ROLES = ("officer", "admin", "hr", "security")


@click.group()
def officer() -> None:
    """Responsible officers (3.1)."""


@officer.command()
@click.argument("login")
@click.option("--role", type=click.Choice(ROLES), default="officer", show_default=True)
@click.option("--department", help="code; without it, all departments")
@click.option("--system", help="code; without it, all systems")
@click.option("--basis", required=True, help="number and date of the order that appoints")
def appoint(login: str, role: str, department: str | None, system: str | None, basis: str) -> None:
    """Appoint LOGIN from now on."""
    with at_the_command() as here:
        _must_exist(Department.code, "department", department)
        _must_exist(System.code, "system", system)
        appoint_officer(here, account_of(login), role, department, system, basis)
    click.echo(f"{login} is {role} of {department or 'all departments'}, {system or 'all systems'}")


def _must_exist(column: sa.orm.InstrumentedAttribute[str], what: str, code: str | None) -> None:
    if code is not None and db.session.scalar(sa.select(column).where(column == code)) is None:
        raise click.ClickException(f"no {what} has the code {code!r}")

"""Doing something to the installation from a command: one transaction, recorded under `command`."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from idp.db import unit_of_work
from idp.flows.find_account import find_account
from idp.flows.here import Here, at_work
from idp.models import Account
from idp.wsgi import build_web


@contextmanager
def at_the_command() -> Iterator[Here]:
    """The circumstances of a command, inside a transaction that is committed at its end."""
    app = build_web()
    with app.app_context(), unit_of_work():
        yield at_work(app.extensions["achkych"], "command")


def account_of(login: str) -> Account:
    """The account called `login`; ends the command when there is none."""
    found = find_account(login)
    if found is None:
        raise click.ClickException(f"no account is called {login!r}")
    return found

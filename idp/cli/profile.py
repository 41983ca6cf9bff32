"""The profile: what another one would change, and having the one in force followed."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click

from idp.cli.session import at_the_command
from idp.db import unit_of_work
from idp.flows.here import at_work
from idp.flows.what_if import Difference, follow_rules, what_if
from idp.service import load_profile
from idp.wsgi import build_web
from policies.profile import Profile

AT_ONCE = 200  # people looked at in one transaction


@click.group()
def profile() -> None:
    """Rules and systems of the institution."""


@profile.command("what-if")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--names", is_flag=True, help="name every login, with what it would gain (+) and lose (-)")
def show(file: Path, names: bool) -> None:
    """Who would gain and lose which system, were FILE the profile.  Changes nothing."""
    gained: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    for one in _differences(load_profile(str(file))):
        gained.update(one.gained)
        lost.update(one.lost)
        if names:
            told = [f"+{code}" for code in sorted(one.gained)] + [f"-{code}" for code in sorted(one.lost)]
            click.echo(f"{one.login}  {' '.join(told)}")
    for code in sorted(gained.keys() | lost.keys()):
        click.echo(f"{code}: {gained[code]} would gain it, {lost[code]} would lose it")
    if not gained and not lost:
        click.echo("nobody would gain or lose anything")


@profile.command()
@click.confirmation_option(prompt="Have every person looked at again by the rules in force?")
def follow() -> None:
    """Have the workers bring everybody in line with the rules in force; look first (`what-if`)."""
    with at_the_command() as here:
        people = follow_rules(here)
    click.echo(f"{people} people are looked at again")


def _differences(other: Profile) -> Iterator[Difference]:
    """A transaction for each page: on SQLite nobody else could write meanwhile."""
    app, after = build_web(), None
    while True:
        with app.app_context(), unit_of_work():
            page, after = what_if(at_work(app.extensions["achkych"], "command"), other, after, AT_ONCE)
        yield from page
        if after is None:
            return

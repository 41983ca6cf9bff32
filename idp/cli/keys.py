"""Signing keys: how they stand, and replacing them."""

from datetime import UTC, datetime

import click

from idp.cli.session import at_the_command
from idp.flows.rotate_keys import Rotation, list_keys, rotate_keys
from idp.flows.signing_keys import ALGORITHMS


@click.group()
def keys() -> None:
    """Keys that sign tokens and seal the trail."""


@keys.command("list")
def show() -> None:
    """Every key, one a line: kid, algorithm, state, since when it signs, until when it is published."""
    with at_the_command() as here:
        listed = list_keys(here)
    for key in listed:
        until = _moment(key.retired_at) if key.retired_at else "-"
        click.echo(f"{key.kid}  {key.algorithm}  {key.state}  {_moment(key.active_from)}  {until}")


@keys.command()
@click.option("--algorithm", type=click.Choice((*ALGORITHMS, "all")), default="all", show_default=True)
@click.option("--at-once", is_flag=True, help="a key was stolen: the new one signs now, the old ones are destroyed")
def rotate(algorithm: str, at_once: bool) -> None:
    """Replace keys; without an outage, unless at once."""
    with at_the_command() as here:
        rotations = rotate_keys(here, ALGORITHMS if algorithm == "all" else (algorithm,), at_once)
    for rotation in rotations:
        click.echo(_line(rotation, at_once))


def _line(rotation: Rotation, at_once: bool) -> str:
    new = f"{rotation.algorithm}: {rotation.kid} signs from {_moment(rotation.signs_from)}"
    if not rotation.made:
        return f"{new}; it was made already"
    if not at_once:
        return new
    return f"{new}; {rotation.replaced} keys destroyed, {rotation.sealed_again} days of the trail sealed again"


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")

"""The list of leaked passwords, made into a filter that the service reads at start (setting `common_passwords`)."""

import os
from pathlib import Path

import click

from idp.common_passwords import FALSE_POSITIVES, build, digests


@click.group()
def passwords() -> None:
    """The list of common and leaked passwords."""


@passwords.command("build-filter")
@click.argument("listed", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("filter_file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--leaked", is_flag=True, help="LISTED has lines SHA1:count, as Have I Been Pwned publishes them")
@click.option("--least", default=1, show_default=True, help="take what was seen so often at least (with --leaked)")
def build_filter(listed: Path, filter_file: Path, leaked: bool, least: int) -> None:
    """Make FILTER_FILE out of LISTED, a password a line.  Reads it twice, and keeps none of it in memory."""
    try:
        with listed.open("rb") as lines:
            expected = sum(1 for _ in digests(lines, leaked, least))
        with listed.open("rb") as lines:
            content = build(digests(lines, leaked, least), expected)
    except ValueError as error:
        raise click.ClickException(f"{listed}: {error}") from None
    unfinished = filter_file.with_name(f"{filter_file.name}.new")
    unfinished.write_bytes(content)
    os.replace(unfinished, filter_file)
    size = len(content) / 1024
    click.echo(f"{expected} passwords, {size:.0f} KiB; {FALSE_POSITIVES:.1%} of other passwords are refused with them")

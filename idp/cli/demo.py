"""`achkych demo`: the story of an order, to watch or to check."""

import shutil
import signal
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import httpx2

from idp.clock import RehearsalClock
from idp.demo.hr import SAMPLES, Hr, key_in, sample
from idp.demo.stage import USUAL, Stage
from idp.demo.story import play, welcome

FOLDER = Path("var/demo")


@click.command()
@click.option("--once", is_flag=True, help="play the whole story, check every step, and stop")
@click.option("--send", type=click.Choice(SAMPLES), help="send this order of HR to the demo that is running")
def demo(once: bool, send: str | None) -> None:
    """Start the service with stand-in systems around it, all in var/demo."""
    if send:
        _send(send)
    elif once:
        with TemporaryDirectory(prefix="achkych-") as folder, Stage(Path(folder)) as stage:
            sys.exit(0 if play(stage, click.echo) else 1)
    else:
        _stay()


def _stay() -> None:
    """Begin anew each time: the stand-ins forget, so what the service remembers of them would be wrong."""
    for ending in (signal.SIGINT, signal.SIGTERM):  # also when started in the background; everything is stopped with us
        signal.signal(ending, signal.default_int_handler)
    shutil.rmtree(FOLDER, ignore_errors=True)
    with Stage(FOLDER, USUAL) as stage:
        welcome(stage, click.echo)
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            click.echo("\nstopping")


def _send(name: str) -> None:
    base_url = f"http://localhost:{USUAL['web']}"
    hr = Hr(key_in(FOLDER / "hr.key"), base_url, RehearsalClock(FOLDER / "clock-shift"))
    try:
        answer = hr.send(sample(name))
    except httpx2.TransportError as error:
        raise click.ClickException("no demo is running; start it with `make demo`") from error
    click.echo(f"{answer.status_code} {answer.text.strip()}")

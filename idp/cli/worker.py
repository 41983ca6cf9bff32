"""The worker."""

import click

from idp.provisioning.engine import run_worker
from idp.wsgi import build


@click.command()
def worker() -> None:
    """Apply orders, bring the systems in line, send mail; until told to stop."""
    run_worker(build())

"""Bringing the database up to date."""

import click

import migrations
from idp.app import create_app
from idp.db import unit_of_work
from idp.flows.here import at_work
from idp.flows.load_profile import load_profile
from idp.flows.signing_keys import ensure_signing_keys
from idp.provisioning.wake import prepare_queue
from idp.settings import load_settings


@click.command()
def migrate() -> None:
    """Bring the database up to date and load the profile; before the first start and with every new version."""
    settings = load_settings()
    migrations.upgrade(settings.database_url)
    if settings.database_url.startswith("postgresql"):
        prepare_queue(settings.database_url)
    app = create_app(settings)
    with app.app_context(), unit_of_work():
        here = at_work(app.extensions["achkych"], "command")
        load_profile(here)
        ensure_signing_keys(here)
    click.echo("the database is up to date")

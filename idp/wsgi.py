"""What the web server loads: the application with the settings of this installation."""

from flask import Flask

from idp.app import create_app
from idp.db import db
from idp.errors import ConfigurationError
from idp.log import configure_logging
from idp.provisioning.wake import wake_workers
from idp.schema import is_current
from idp.settings import load_settings


def build() -> Flask:
    """Raises `ConfigurationError` with every reason not to start, a database behind the code among them."""
    configure_logging()
    app = create_app(load_settings())
    with app.app_context():
        if not is_current(db.engine):
            raise ConfigurationError(["database_url: the database is behind the code (run `achkych migrate`)"])
    return app


def build_web() -> Flask:
    """For a web process: its commits wake the workers."""
    app = build()
    wake_workers(app)
    return app

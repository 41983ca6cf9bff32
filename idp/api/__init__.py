"""HTTP for programs: HR orders in, health."""

from flask import Flask
from flask_wtf import CSRFProtect

from idp.api import health, orders


def init_app(app: Flask, csrf: CSRFProtect) -> None:
    """Put the machine endpoints in their places; they prove who calls by other means than a form token."""
    for blueprint in (orders.bp, health.bp):
        csrf.exempt(blueprint)
        app.register_blueprint(blueprint)

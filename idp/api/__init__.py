"""HTTP for programs: HR orders in, clients, attempts in the mail, health."""

from flask import Flask
from flask_wtf import CSRFProtect

from idp.api import attempts, clients, health, orders


def init_app(app: Flask, csrf: CSRFProtect) -> None:
    """Put the machine endpoints in their places; they prove who calls by other means than a form token."""
    for blueprint in (orders.bp, clients.bp, attempts.bp, health.bp):
        csrf.exempt(blueprint)
        app.register_blueprint(blueprint)

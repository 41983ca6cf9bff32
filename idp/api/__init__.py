"""HTTP for programs: HR orders in, clients, attempts in the mail, health; SCIM where it is switched on."""

from importlib import import_module

from flask import Flask
from flask_wtf import CSRFProtect

from idp.api import attempts, clients, health, orders
from idp.service import Service


def init_app(app: Flask, csrf: CSRFProtect, service: Service) -> None:
    """Put the machine endpoints in their places; they prove who calls by other means than a form token."""
    for blueprint in (orders.bp, clients.bp, attempts.bp, health.bp):
        csrf.exempt(blueprint)
        app.register_blueprint(blueprint)
    if service.settings.scim:  # its libraries take megabytes of each web process
        import_module("idp.api.scim.blueprint").init_app(app, csrf, service)

"""HTTP for people: server-rendered pages in three languages, one blueprint per file."""

from flask import Flask

from idp.web import errors, visitor
from idp.web.account import agreements, factors, history, open_system, password, profile, report_misuse, sessions
from idp.web.account import pages as account
from idp.web.admin import clients, initial_tokens, systems
from idp.web.hr import changes, files, imports, orders, proof
from idp.web.officer import desk, misuse, people, slips
from idp.web.signin import (
    activation,
    agreement,
    choose_account,
    consent,
    device_link,
    recovery,
    second_factor,
    sign_in,
    sign_out,
)
from policies.devices import device

PAGES = (
    sign_in.bp,
    second_factor.bp,
    sign_out.bp,
    activation.bp,
    recovery.bp,
    agreement.bp,
    choose_account.bp,
    open_system.bp,
    consent.bp,
    device_link.bp,
    account.bp,
    profile.bp,
    password.bp,
    sessions.bp,
    history.bp,
    agreements.bp,
    report_misuse.bp,
    factors.bp,
    desk.bp,
    people.bp,
    slips.bp,
    misuse.bp,
    orders.bp,
    changes.bp,
    proof.bp,
    files.bp,
    imports.bp,
    clients.bp,
    initial_tokens.bp,
    systems.bp,
)


def init_app(app: Flask, doors: errors.Doors) -> None:
    """Put every page in its place, and the page that says what went wrong; `doors`: what programs are told instead."""
    for blueprint in PAGES:
        app.register_blueprint(blueprint)
    errors.init_app(app, doors)
    visitor.init_app(app)
    app.add_template_filter(device)

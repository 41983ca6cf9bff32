"""The application: all wiring stands here, nothing else wires.

A request passes, in this order: its size and host, its id, the browser's session, the route's rule
(`idp/web/guard.py`), the form token, the view.  Programs have none of what is about browsers
(`idp/web/audience.py`).  After the view the request's one transaction is committed, here and nowhere else; an exception
rolls it back.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from flask import Flask, Response
from flask_babel import Babel
from flask_bootstrap import Bootstrap5
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from idp import api, oauth, web
from idp.api import problem
from idp.clock import Clock
from idp.db import db
from idp.flows.record import chain_on_commit
from idp.flows.work import tell_after_commit
from idp.oauth import errors as oauth_errors
from idp.oauth.published import Published
from idp.service import Service, build_service
from idp.settings import Settings
from idp.web import guard, language, place
from idp.web.form_session import FormSession

MAX_BODY = 1_000_000  # bytes
MOST_CONNECTIONS = 6  # to the database, of one process at rest
DOORS = {  # what programs are told when something goes wrong, by the beginning of their paths
    "/api/": problem.tell,
    "/health/": problem.tell,
    "/oauth/": oauth_errors.tell,
    "/.well-known/": oauth_errors.tell,
}


class Application(Flask):
    """Flask, which asks each function of each request whether it is async; ours are not."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is."""
        return func


def create_app(settings: Settings, clock: Clock | None = None) -> Flask:
    """The service as a WSGI application.  Raises `ConfigurationError` when it must not start like this."""
    app = Application("idp")
    built = build_service(settings, clock)
    app.config.from_mapping(flask_options(settings))
    app.session_interface = FormSession()
    built.password_checks.extend(_password_checks(built))
    app.extensions["achkych"] = built
    _connect_database(app, built)
    csrf = CSRFProtect()
    place.init_app(app, settings)
    api.init_app(app, csrf, built)
    oauth.init_oauth(app, csrf)
    web.init_app(app, DOORS)
    language.init_app(app, Babel())
    csrf.init_app(app)
    Bootstrap5().init_app(app)
    app.after_request(_commit)
    guard.check_every_route(app)
    app.wsgi_app = Published(app)  # type: ignore[method-assign]  # Flask's documented place for middleware
    _believe_proxies(app, settings.trusted_proxies)
    return app


def flask_options(settings: Settings) -> dict[str, Any]:
    """Settings in the words of Flask and its extensions."""
    return {
        "SECRET_KEY": settings.secrets.pages.get_secret_value(),
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": {
            "pool_size": min(settings.web_threads, MOST_CONNECTIONS),  # who waits for a hash holds none
            "max_overflow": 2,
            "hide_parameters": True,  # they may be personal data, and errors end in the log
        },
        "MAX_CONTENT_LENGTH": MAX_BODY,
        "MAX_FORM_PARTS": place.MAX_FIELDS,
        "SESSION_COOKIE_NAME": place.cookie_name(settings, "form"),
        "SESSION_COOKIE_SECURE": settings.https,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "WTF_CSRF_TIME_LIMIT": 24 * 3600,
        "WTF_CSRF_SSL_STRICT": False,  # wants a Referer, which our own policy withholds; place.py checks Origin
        "WTF_CSRF_CHECK_DEFAULT": True,
        "BOOTSTRAP_SERVE_LOCAL": True,
        "BABEL_TRANSLATION_DIRECTORIES": "translations",
        "PROPAGATE_EXCEPTIONS": False,
    }


def _password_checks(built: Service) -> list[Callable[[str, str], bool]]:
    """Of the systems that keep passwords of their own.  Connectors are loaded where there is one: their libraries take
    megabytes of each web process."""
    if not any(values.get("own_passwords") for values in built.settings.targets.values()):
        return []
    checks: list[Callable[[str, str], bool]] = import_module("idp.provisioning.targets").password_checks(built)
    return checks


def _connect_database(app: Flask, built: Service) -> None:
    db.init_app(app)
    with app.app_context():
        chain_on_commit(db.session)
        tell_after_commit(db.session)


def _commit(response: Response) -> Response:
    """The one transaction of a request ends here, if it has one: asking for the session would begin it."""
    if response.status_code < 500 and db.session.registry.has():
        db.session.commit()
    return response


def _believe_proxies(app: Flask, proxies: int) -> None:
    if proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies)  # type: ignore[method-assign]

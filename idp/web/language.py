"""The language of a page: what the person chose, else the account's, else the client's wish, else the browser's."""

from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from flask import Flask, g, request, session
from flask.globals import request_ctx
from flask_babel import Babel, format_date, get_locale
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from idp.service import service
from idp.web.audience import for_programs

NAMES = {"ky": "Кыргызча", "ru": "Русский", "en": "English"}


def init_app(app: Flask, babel: Babel) -> None:
    """Select language and zone for every page, and give templates what all of them need."""
    babel.init_app(app, locale_selector=_language, timezone_selector=lambda: service().profile.institution.timezone)
    app.before_request(_remember_choice)
    app.add_template_filter(format_date, "dateformat")
    app.context_processor(_for_every_page)


def language() -> str:
    """The language of this page: ky, ru or en."""
    locale = get_locale()
    return locale.language if locale else spoken()[0]


def spoken() -> tuple[str, ...]:
    """The languages of the house, the default first."""
    return service().profile.institution.languages


def _remember_choice() -> None:
    if not for_programs(request.path) and request.args.get("lang") in spoken():
        session["language"] = request.args["lang"]


def _language() -> str:
    wishes = (session.get("language"), session.get("account_language"), *getattr(g, "languages_wished", ()))
    known = (wish.partition("-")[0] for wish in wishes if wish)
    wish = next((language for language in known if language in spoken()), None)
    return wish or request.accept_languages.best_match(spoken()) or spoken()[0]


def _for_every_page() -> dict[str, Any]:
    return {
        "institution": service().profile.institution.names.to(language()),
        "language": language(),
        "languages": [(code, NAMES[code], _same_page_in(code)) for code in spoken()],
    }


def _same_page_in(code: str) -> str:
    """A link to this page in another language; the answer to a form has its page where the form was."""
    kept = [(name, value) for name, value in request.args.items(multi=True) if name != "lang"]
    waiting = None
    with suppress(RequestEntityTooLarge):  # of which this page tells
        waiting = request.form.get("request") if request.method == "POST" else None
    if waiting:
        kept.append(("request", waiting))
    path = request.path if request.method in ("GET", "HEAD") else _page_of_form(request.path)
    return f"{path}?{urlencode([*kept, ('lang', code)])}"


def _page_of_form(path: str) -> str:
    """The nearest page at or above `path`: /desk for /desk/tasks/…/confirm."""
    routes = request_ctx.url_adapter
    while routes and path:
        try:
            routes.match(path, method="GET")
            return path
        except HTTPException:
            path = path.rpartition("/")[0]
    return "/"

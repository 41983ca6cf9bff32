"""The language of a page: what the person asked for, else the account's, else the browser's."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import Flask, request, session
from flask_babel import Babel, format_date, format_datetime, get_locale

from idp.service import service

NAMES = {"ky": "Кыргызча", "ru": "Русский", "en": "English"}


def init_app(app: Flask, babel: Babel) -> None:
    """Select language and zone for every page, and give templates what all of them need."""
    babel.init_app(app, locale_selector=_language, timezone_selector=lambda: service().profile.institution.timezone)
    app.before_request(_remember_choice)
    app.add_template_filter(_datetime, "datetimeformat")
    app.add_template_filter(format_date, "dateformat")
    app.context_processor(_for_every_page)


def language() -> str:
    """The language of this page: ky, ru or en."""
    locale = get_locale()
    return locale.language if locale else NAMES_FIRST


NAMES_FIRST = next(iter(NAMES))


def _remember_choice() -> None:
    if request.args.get("lang") in NAMES:
        session["language"] = request.args["lang"]


def _language() -> str:
    chosen = request.args.get("lang", session.get("language"))
    if chosen in NAMES:
        return str(chosen)
    return request.accept_languages.best_match(list(NAMES), default=NAMES_FIRST) or NAMES_FIRST


def _datetime(moment: datetime) -> str:
    return format_datetime(moment, "medium")


def _for_every_page() -> dict[str, Any]:
    return {
        "institution": service().profile.institution.names.to(language()),
        "language": language(),
        "languages": [(code, name, _same_page_in(code)) for code, name in NAMES.items()],
    }


def _same_page_in(code: str) -> str:
    kept = [(name, value) for name, value in request.args.items(multi=True) if name != "lang"]
    return f"{request.path}?{urlencode([*kept, ('lang', code)])}"

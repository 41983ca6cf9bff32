"""What went wrong, as people see it: a sentence in their language and a reference number, nothing else (ASVS 16.5.1)."""

from flask import Flask, g, render_template
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from idp.db import db
from idp.errors import Busy, Forbidden
from idp.log import log


def init_app(app: Flask) -> None:
    """Have every failure end on the error page."""
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(CSRFError, lambda error: _page(400, _stale()))
    app.register_error_handler(Busy, _busy)
    app.register_error_handler(Forbidden, _forbidden)
    app.register_error_handler(Exception, _crash)


def _http_error(error: HTTPException) -> Response | tuple[str, int]:
    if error.response is not None:
        return error.get_response()
    return _page(error.code or 500, _sentences().get(error.code or 500, _sentences()[500]))


def _forbidden(error: Forbidden) -> tuple[str, int]:
    """«Not yours» looks like «not there»."""
    log.warning("forbidden", act=error.act)
    return _page(404, _sentences()[404])


def _busy(error: Busy) -> tuple[str, int, dict[str, str]]:
    return *_page(503, _sentences()[503]), {"Retry-After": str(error.retry_after)}


def _crash(error: Exception) -> tuple[str, int]:
    log.error("crash", exc_info=error)
    db.session.rollback()
    return _page(500, _sentences()[500])


def _page(status: int, sentence: tuple[str, str]) -> tuple[str, int]:
    title, message = sentence
    reference = getattr(g, "request_id", "-")
    return render_template("error.html", status=status, title=title, message=message, reference=reference), status


def _stale() -> tuple[str, str]:
    return _("This page is too old"), _("Go back, reload the page and try again.")


def _sentences() -> dict[int, tuple[str, str]]:
    return {
        400: (_("This request is not in order"), _("Go back to where you came from and try again.")),
        404: (_("There is nothing here"), _("The address is wrong, or the page is not meant for you.")),
        405: (_("This request is not in order"), _("Go back to where you came from and try again.")),
        413: (_("That was too much"), _("What was sent is larger than we take.")),
        429: (_("Too many attempts"), _("Wait a little and try again.")),
        500: (_("Something went wrong with us"), _("Try again in a minute. If it stays, tell us the number below.")),
        503: (_("Many people are signing in right now"), _("Wait a few seconds and try again.")),
    }

"""What went wrong, as people see it: a sentence in their language and a reference number, nothing else (ASVS 16.5.1).

Programs get the same in their own words: whoever owns their paths hands over how (`Doors`).  Whatever was begun is
rolled back first; a refusal that must be kept is a value, not an exception.
"""

from collections.abc import Callable, Mapping

from flask import Flask, g, render_template, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import (
    BadRequest,
    HTTPException,
    InternalServerError,
    NotFound,
    ServiceUnavailable,
    TooManyRequests,
)
from werkzeug.wrappers import Response

from idp.db import db
from idp.errors import Busy, Forbidden, TooMany
from idp.log import log
from idp.web.audience import for_programs

Doors = Mapping[str, Callable[[int], Response]]  # beginning of a path -> the answer programs get there for a status
KEPT = ("Allow", "Retry-After")  # headers of an error that are part of the answer


class RanOut(BadRequest):
    """The authorization request that waited for this sign-in has run out, or was answered already."""


class Stale(BadRequest):
    """The page was open for so long that its form is not accepted any more."""


def init_app(app: Flask, doors: Doors) -> None:
    """Have every failure end on the error page, or in the words of the program that asked."""

    def page(error: HTTPException) -> Response:
        if error.response is not None:
            return error.response if isinstance(error.response, Response) else error.get_response()
        return _tell(doors, error)

    app.register_error_handler(HTTPException, page)
    app.register_error_handler(CSRFError, lambda error: _tell(doors, Stale()))
    app.register_error_handler(Busy, lambda error: _tell(doors, ServiceUnavailable(retry_after=error.retry_after)))
    app.register_error_handler(TooMany, lambda error: _tell(doors, TooManyRequests(retry_after=error.retry_after)))
    app.register_error_handler(Forbidden, lambda error: _tell(doors, _forbidden(error)))
    app.register_error_handler(Exception, lambda error: _tell(doors, _crash(error)))


def _forbidden(error: Forbidden) -> HTTPException:
    """«Not yours» looks like «not there»."""
    log.warning("forbidden", act=error.act)
    return NotFound()


def _crash(error: Exception) -> HTTPException:
    log.error("crash", exc_info=error)
    return InternalServerError()


def _tell(doors: Doors, error: HTTPException) -> Response:
    db.session.remove()  # with what was noted for the audit trail and the workers, written or not
    response = _of_program(doors, error.code or 500) or _page(error)
    response.headers.update({name: value for name, value in error.get_headers() if name in KEPT})
    return response


def _of_program(doors: Doors, status: int) -> Response | None:
    for beginning, answer in doors.items():
        if request.path.startswith(beginning) and for_programs(request.path):
            return answer(status)
    return None


def _page(error: HTTPException) -> Response:
    status = error.code or 500
    title, message = _sentence(error, status)
    reference = getattr(g, "request_id", "-")
    text = render_template("error.html", status=status, title=title, message=message, reference=reference)
    return Response(text, status, mimetype="text/html")


def _sentence(error: HTTPException, status: int) -> tuple[str, str]:
    if isinstance(error, RanOut):
        return (
            _("This sign-in has run out"),
            _("It waited too long, or was used already. "
              "Go back to the system you wanted to use and sign in from there."),
        )  # fmt: skip
    if isinstance(error, Stale):
        return _("This page is too old"), _("Go back, reload the page and try again.")
    return _sentences().get(status) or _sentences()[400 if status < 500 else 500]


def _sentences() -> dict[int, tuple[str, str]]:
    return {
        400: (_("This request is not in order"), _("Go back to where you came from and try again.")),
        404: (_("There is nothing here"), _("The address is wrong, or the page is not meant for you.")),
        413: (_("That was too much"), _("What was sent is larger than we take.")),
        429: (_("Too many attempts"), _("Wait a little and try again.")),
        500: (_("Something went wrong with us"), _("Try again in a minute. If it stays, tell us the number below.")),
        503: (_("Many people are signing in right now"), _("Wait a few seconds and try again.")),
    }

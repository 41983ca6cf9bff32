"""How programs are told what went wrong: RFC 9457 problem details.  Never a value that was sent."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from http import HTTPStatus

from flask import g, jsonify
from werkzeug.wrappers import Response

from idp.flows.receive_order import Mistake


@dataclass
class Problem(Exception):
    """Ends a request of a program; `code` is for the program, `title` for the person who reads its log."""

    status: int
    code: str
    title: str
    mistakes: Iterable[Mistake] = ()
    retry_after: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def answer(problem: Problem) -> Response:
    """The problem as application/problem+json."""
    body = {
        "type": f"urn:achkych:problem:{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "code": problem.code,
        "reference": g.request_id,
    }
    mistakes = [asdict(mistake) for mistake in problem.mistakes]
    response = jsonify(body | ({"errors": mistakes} if mistakes else {}))
    response.status_code = problem.status
    response.mimetype = "application/problem+json"
    if problem.retry_after:
        response.headers["Retry-After"] = str(problem.retry_after)
    response.headers.update(problem.headers)
    return response


CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "too_large", 503: "busy"}


def tell(status: int) -> Response:
    """The problem of a request that no endpoint took, or that failed inside one."""
    title = HTTPStatus(status).phrase.lower()
    return answer(Problem(status, CODES.get(status, "failed" if status >= 500 else "bad_request"), title))

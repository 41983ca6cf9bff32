"""Proof to keep and to hand on: execution sheets of orders and people as PDF and as signed JSON, and the report of a year
(Regulation 3.7).

A signed sheet is a JWT of type `execution-sheet+jwt`; whoever has it checks it against the published keys.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, current_app, g, render_template, request
from flask_babel import format_date, format_datetime
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.wrappers import Response

from idp.crypto import new_token
from idp.db import db
from idp.flows.closing_report import Closings, closing_report
from idp.flows.execution_sheet import execution_sheet
from idp.flows.look_up_person import person_sheet
from idp.flows.signing_keys import sign
from idp.models import Account, Order
from idp.paper import typeset
from idp.service import service
from idp.web.language import language
from policies.deadlines import local_day

TYPE = "execution-sheet+jwt"
FIRST_YEAR = 2000
WIDTHS = {"tasks": [4, 2, 3, 3, 5], "closings": [6, 2, 2, 2, 2, 2]}  # of the columns, to each other

bp = Blueprint("proof", __name__)


@bp.get("/orders/<uuid:order_pk>.pdf")
def order_pdf(order_pk: UUID) -> Response:
    sheet = _order_sheet(order_pk)
    order = sheet["order"]
    facts = [
        [_("Kind"), _word("order_kind", order["kind"])],
        [_("State"), _word("order_state", order["state"])],
        [_("Approved"), _day(order["approved_on"])],
        [_("In force from"), _day(order["effective_on"])],
        [_("Version"), str(order["version"])],
        [_("Received"), _moment(order["received_at"])],
        [_("Source"), order["source"]],
    ]
    sections = [_of_line(line) for line in sheet["lines"]]
    return _pdf(_("Execution of order %(number)s", number=order["number"]), facts, sections, "order")


@bp.get("/orders/<uuid:order_pk>.jwt")
def order_jwt(order_pk: UUID) -> Response:
    return _signed(_order_sheet(order_pk))


@bp.get("/people/<uuid:account_id>.pdf")
def person_pdf(account_id: UUID) -> Response:
    sheet = _person_sheet(account_id)
    account: Account = sheet["account"]
    facts = [[_("Login"), account.login], [_("Address"), account.email]]
    return _pdf(sheet["name"], facts, [_table("", "", sheet["tasks"])], "person")


@bp.get("/people/<uuid:account_id>.jwt")
def person_jwt(account_id: UUID) -> Response:
    sheet = _person_sheet(account_id)
    account: Account = sheet["account"]
    return _signed({"person": sheet["name"], "login": account.login, "sub": account.sub, "tasks": sheet["tasks"]})


@bp.get("/orders/report")
def report() -> str:
    year = _year()
    rows = closing_report(g.here, year, language())
    return render_template("closing_report.html", year=year, rows=rows, whole=_whole(rows))


@bp.get("/orders/report.pdf")
def report_pdf() -> Response:
    rows = closing_report(g.here, _year(), language())
    columns = [_("System"), _("Due"), _("Done in time"), _("Done late"), _("Overdue"), _("Not due yet")]
    cells = [[row.system, *map(str, (row.due, row.kept, row.late, row.overdue, row.open))] for row in rows]
    section = {
        "heading": "",
        "note": _share(_whole(rows)),
        "columns": columns,
        "rows": cells,
        "widths": WIDTHS["closings"],
    }
    return _pdf(_("Closings of the year %(year)s", year=_year()), [], [section], "closings")


def _year() -> int:
    """The one asked for, else this one."""
    this = local_day(g.here.now, service().zone).year
    year = request.args.get("year", this, type=int)
    return year if FIRST_YEAR <= year <= this else abort(404)


def _whole(rows: Iterable[Closings]) -> Closings:
    told = list(rows)
    return Closings("", *(sum(getattr(row, name) for row in told) for name in ("kept", "late", "overdue", "open")))


def _share(whole: Closings) -> str:
    return str(_("Closed within the deadline: %(kept)s of %(due)s", kept=whole.kept, due=whole.due))


def _order_sheet(order_pk: UUID) -> dict[str, Any]:
    return execution_sheet(g.here, db.session.get(Order, order_pk) or abort(404), language())


def _person_sheet(account_id: UUID) -> dict[str, Any]:
    return person_sheet(g.here, db.session.get(Account, account_id) or abort(404), language())


def _of_line(line: Mapping[str, Any]) -> dict[str, Any]:
    name = line["person"] or _("Nobody found yet")
    login = f" ({line['login']})" if line["login"] else ""
    return _table(f"{line['line']}. {name}{login}", _word("line_state", line["state"]), line["tasks"])


def _table(heading: str, note: str, tasks: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    columns = [_("System"), _("Due"), _("Status"), _("Done"), _("Read back from the system")]
    rows = [[_what(task), _when_due(task), _how(task), _done(task), _read_back(task)] for task in tasks]
    return {"heading": heading, "note": note, "columns": columns, "rows": rows, "widths": WIDTHS["tasks"]}


def _what(task: Mapping[str, Any]) -> str:
    order = _("order %(number)s", number=task["order_number"]) if task["order_number"] else ""
    return "\n".join(filter(None, (task["system"], _word("action", task["action"]), order)))


def _when_due(task: Mapping[str, Any]) -> str:
    return "\n".join(filter(None, (_day(task["due_on"]), task["standing"] and _word("standing", task["standing"]))))


def _how(task: Mapping[str, Any]) -> str:
    return "\n".join(filter(None, (_word("task_status", task["status"]), task["last_error"])))


def _done(task: Mapping[str, Any]) -> str:
    return "\n".join(filter(None, (_moment(task["done_at"]), task["done_by"])))


def _read_back(task: Mapping[str, Any]) -> str:
    seen = task["read_back"] or {}
    return "\n".join(f"{_word('attribute', name)}: {_word('value', value)}" for name, value in seen.items()) or "–"


def _word(macro: str, code: Any) -> str:
    """As the pages say it, without their markup."""
    said: Markup = getattr(current_app.jinja_env.get_template("_words.html").module, macro)(code)
    return str(said.striptags())


def _day(value: date | None) -> str:
    return format_date(value, "dd.MM.yyyy") if value else "–"


def _moment(value: datetime | None) -> str:
    return format_datetime(value, "dd.MM.yyyy HH:mm") if value else "–"


def _pdf(title: str, facts: list[list[str]], sections: list[dict[str, Any]], name: str) -> Response:
    page = typeset(
        "sheet",
        {
            "language": language(),
            "title": title,
            "institution": service().profile.institution.names.to(language()),
            "facts": facts,
            "sections": sections,
            "signatures": [_("Responsible officer"), _("Head of human resources")],
            "printed": f"{_moment(g.here.now)} · {g.here.actor.removeprefix('account/')}",
        },
    )
    headers = {"Content-Disposition": f'inline; filename="{name}.pdf"'}
    return Response(page, mimetype="application/pdf", headers=headers)


def _signed(sheet: Mapping[str, Any]) -> Response:
    house = service()
    claims = {
        "iss": house.settings.base_url,
        "iat": int(g.here.now.timestamp()),
        "jti": new_token(),
        "sheet": plain(sheet),
    }
    headers = {"Content-Disposition": 'attachment; filename="execution-sheet.jwt"'}
    return Response(sign(house, TYPE, claims), mimetype="application/jwt", headers=headers)


def plain(value: Any) -> Any:
    """Days and moments in ISO 8601, all else as it is."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, date | datetime) else value

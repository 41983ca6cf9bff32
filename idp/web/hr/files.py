"""Files with tasks that were confirmed by hand, for whoever may see the sheet they stand on (3.7)."""

from io import BytesIO
from uuid import UUID

import sqlalchemy as sa
from flask import Blueprint, abort, g, send_file
from werkzeug.wrappers import Response

from idp.db import db
from idp.flows.attachments import attachment_of
from idp.flows.look_up_person import person_sheet
from idp.models import Account, Task
from idp.web.language import language

bp = Blueprint("files", __name__)


@bp.get("/orders/<uuid:order_pk>/files/<uuid:file_id>")
def of_order(order_pk: UUID, file_id: UUID) -> Response:
    return _file(file_id, Task.order_pk == order_pk)


@bp.get("/people/<uuid:account_id>/files/<uuid:file_id>")
def of_person(account_id: UUID, file_id: UUID) -> Response:
    """Whoever may not see the person's sheet gets its answer."""
    person_sheet(g.here, db.session.get(Account, account_id) or abort(404), language())
    return _file(file_id, Task.account_id == account_id)


def _file(file_id: UUID, whose: sa.ColumnElement[bool]) -> Response:
    """To be saved and never shown in our place."""
    row, content = attachment_of(g.here, file_id, whose) or abort(404)
    answer = send_file(BytesIO(content), mimetype=row.media_type, as_attachment=True, download_name=row.name)
    answer.headers["Cache-Control"] = "no-store"
    return answer

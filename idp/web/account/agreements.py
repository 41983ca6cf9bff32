"""What one has accepted oneself: the list, each text, and each as a sheet to keep (6.2, 6.3)."""

from datetime import datetime

from flask import Blueprint, abort, g, render_template
from flask_babel import format_datetime
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from idp.flows.agreement_texts import Accepted, own_agreement, own_agreements, signatory
from idp.paper import typeset
from idp.service import service
from idp.web.language import language

bp = Blueprint("account_agreements", __name__, url_prefix="/account/agreements")


@bp.get("")
def index() -> str:
    return render_template("agreements.html", agreements=own_agreements(g.here, g.session.account_id, language()))


@bp.get("/<sha256>")
def show(sha256: str) -> str:
    return render_template("agreement_accepted.html", agreement=_own(sha256))


@bp.get("/<sha256>/pdf")
def download(sha256: str) -> Response:
    pdf = agreement_pdf(_own(sha256))
    headers = {"Content-Disposition": f'attachment; filename="agreement-{sha256[:8]}.pdf"'}
    return Response(pdf, mimetype="application/pdf", headers=headers)


def agreement_pdf(agreement: Accepted) -> bytes:
    """The sheet, in the language of the page."""
    name, login = signatory(g.session.account_id)
    return typeset(
        "agreement",
        {
            "language": language(),
            "title": agreement.name,
            "institution": service().profile.institution.names.to(language()),
            "paragraphs": [line for line in (agreement.text or "").splitlines() if line.strip()],
            "statement": _(
                "Accepted with the simple electronic signature: the owner of the account signed in to it, had this text "
                "on the screen, and accepted it by a tick."
            ),
            "facts": [
                [_("Full name"), name],
                [_("Login"), login],
                [_("Version of the text"), agreement.version],
                [_("Accepted"), _moment(agreement.accepted_at)],
                [_("IP address"), agreement.address or "–"],
            ],
            "digest": [_("SHA-256 over the version and the text in all languages"), agreement.sha256],
        },
    )


def _moment(at: datetime) -> str:
    """To the second, with the zone: it is evidence."""
    zone = service().zone
    offset = at.astimezone(zone).isoformat()[-6:]
    return f"{format_datetime(at, _('d MMM yyyy') + ', HH:mm:ss')} (UTC{offset}, {zone.key})"


def _own(sha256: str) -> Accepted:
    """What somebody else accepted is answered like what nobody did."""
    return own_agreement(g.here, g.session.account_id, language(), sha256) or abort(404)

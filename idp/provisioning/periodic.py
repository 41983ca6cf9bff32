"""What is done from time to time: closing the audit days that are over, ending sessions that have lived too long,
reminding of what is due, looking through the systems at night, forgetting what has served its time."""

from datetime import timedelta

import sqlalchemy as sa

from idp.db import db, unit_of_work
from idp.flows.here import at_work
from idp.flows.import_orders import forget_imports
from idp.flows.remind import remind
from idp.flows.scans import begin_nightly
from idp.flows.seal_audit import seal_audit
from idp.flows.sessions import end_outlived_sessions
from idp.flows.tell_receivers import forget_told
from idp.models import AuthorizationRequest, Delivery
from idp.provisioning.workshop import Workshop

EVERY = timedelta(minutes=10)  # how often it is worth looking
DELIVERIES_KEPT = timedelta(days=7)  # hr-orders, idempotency


def do_periodic(workshop: Workshop) -> None:
    """Do it all; whoever calls keeps the time."""
    here = at_work(workshop.service, "worker")
    with workshop.app.app_context(), unit_of_work():
        seal_audit(here)
        end_outlived_sessions(here)
        forget_imports(here)
        forget_told(here)
        remind(here)
        begin_nightly(here, workshop.targets)
        db.session.execute(sa.delete(Delivery).where(Delivery.received_at < here.now - DELIVERIES_KEPT))
        db.session.execute(sa.delete(AuthorizationRequest).where(AuthorizationRequest.expires_at < here.now))

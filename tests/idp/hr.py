"""The HR department, for tests: signs and sends orders over HTTP; and a worker that applies what is due."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from idp.clock import SetClock
from idp.db import db, unit_of_work
from idp.flows.apply_order import apply_order
from idp.flows.finish_order import finish_order
from idp.flows.follow_orders import follow_orders
from idp.flows.here import Here, at_work
from idp.models import Account, AuditRecord, Link, Order, Person, Task
from tests.builders import HMAC_KEY

SAMPLES = Path(__file__).parent / "api" / "samples"
PIN = "99999999990001"
URL = "/api/hr/v1/orders"


def sample(name: str) -> bytes:
    """The bytes of one of the contract's sample orders."""
    return (SAMPLES / f"{name}.json").read_bytes()


def changed(name: str, **changes: Any) -> dict[str, Any]:
    """A sample order with other top-level fields; None takes a field out."""
    body: dict[str, Any] = json.loads(sample(name)) | changes
    return {field: value for field, value in body.items() if value is not None}


def hire_of(number: int, **person: Any) -> dict[str, Any]:
    """A hire of somebody new: own order, number, personal number and employee number."""
    body = changed("hire", orderId=f"00000000-0000-4000-8000-{number:012}", number=f"9/{number}-К")
    told = body["persons"][0]
    told["ids"] = {"pin": f"{number:014}", "employeeNo": f"E-{number}"}
    body["persons"] = [told | person]
    return body


def v1(message_id: str, stamp: int | str, raw: bytes, key: str = HMAC_KEY) -> str:
    """One entry of the signature header, HMAC-SHA-256."""
    secret = base64.b64decode(key.partition("_")[2])
    mac = hmac.digest(secret, f"{message_id}.{stamp}.".encode() + raw, hashlib.sha256)
    return "v1," + base64.b64encode(mac).decode()


class Hr:
    """Sends orders to one application, and does what its workers would do about them."""

    def __init__(self, app: Flask, clock: SetClock) -> None:
        self.app, self.clock, self._sent = app, clock, 0

    def headers(self, raw: bytes, **changes: Any) -> dict[str, str]:
        self._sent += 1
        stamp = changes.pop("stamp", int(self.clock.now().timestamp()))
        message_id = changes.pop("message_id", f"msg_{self._sent}")
        signature = changes.pop("signature", None) or v1(message_id, stamp, raw)
        return {"webhook-id": message_id, "webhook-timestamp": str(stamp), "webhook-signature": signature}

    def send(self, body: bytes | dict[str, Any], **more: Any) -> TestResponse:
        """One delivery; `more`: headers, or arguments of the request."""
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        headers = more.pop("headers", None) or self.headers(raw)
        options: dict[str, Any] = {"content_type": "application/json", "base_url": "http://localhost"} | more
        return self.app.test_client().post(URL, data=raw, headers=headers, **options)

    def status(self, order_id: str, version: int, **more: Any) -> TestResponse:
        headers = self.headers(b"")
        return self.app.test_client().get(
            f"{URL}/{order_id}/versions/{version}", headers=headers, base_url="http://localhost", **more
        )

    def deliver(self, *names: str) -> None:
        """Send these samples, and apply what is due."""
        for name in names:
            assert self.send(sample(name)).status_code == 202, name
            self.work()

    def work(self) -> None:
        """Apply every order and look again at every person whose moment has come."""
        with self.app.app_context():
            while self._apply_one() or self._review_one():
                pass

    def _apply_one(self) -> bool:
        here = at_work(self.app.extensions["achkych"], "worker")
        with unit_of_work():
            order = db.session.scalar(sa.select(Order).where(Order.run_at <= here.now).order_by(Order.run_at, Order.id))
            if order is None:
                return False
            apply_order(here, order)
        return True

    def _review_one(self) -> bool:
        here = at_work(self.app.extensions["achkych"], "worker")
        with unit_of_work():
            person = db.session.scalar(sa.select(Person).where(Person.review_at <= here.now).order_by(Person.id))
            if person is None:
                return False
            follow_orders(here, person)
        return True

    @contextmanager
    def looking(self) -> Iterator[Here]:
        """An application context to look at rows in, and the circumstances of a worker."""
        with self.app.app_context():
            yield at_work(self.app.extensions["achkych"], "worker")
            db.session.rollback()
            db.session.remove()

    def rows(self, statement: sa.Select[Any]) -> list[Any]:
        with self.looking():
            return list(db.session.execute(statement))

    def states(self) -> dict[str, str]:
        """State of each order version, by number and version."""
        return {f"{n} v{v}": s for n, v, s in self.rows(sa.select(Order.number, Order.version, Order.state))}

    def acts(self, *of: str) -> list[AuditRecord]:
        """The audit records, in their order; only those acts, where any are named."""
        which = AuditRecord.act.in_(of) if of else sa.true()
        with self.looking():
            found = list(db.session.scalars(sa.select(AuditRecord).where(which).order_by(AuditRecord.number)))
            db.session.expunge_all()
        return found

    def tasks(self, *statuses: str) -> dict[str, Task]:
        """The tasks of these statuses, by system; of several the latest."""
        with self.looking():
            which = Task.status.in_(statuses or ["waiting", "manual", "failed"])
            found = db.session.scalars(sa.select(Task).where(which).order_by(Task.created_at, Task.id)).all()
            db.session.expunge_all()
        return {task.system: task for task in found}

    def finish_tasks(self, systems: Iterable[str] = ()) -> None:
        """Say of every open task (of these systems) that it is done, as a worker would."""
        wanted = set(systems)
        with self.app.app_context(), unit_of_work():
            here = at_work(self.app.extensions["achkych"], "worker")
            _finish(here, wanted)

    def account(self, login: str = "a.ulgubaeva") -> Account:
        with self.looking():
            found = db.session.scalars(sa.select(Account).where(Account.login == login)).one()
            db.session.expunge_all()
        return found


def _finish(here: Here, systems: set[str]) -> None:
    tasks = db.session.scalars(sa.select(Task).where(Task.status.in_(["waiting", "manual", "failed"]))).all()
    for task in tasks:
        if not systems or task.system in systems:
            task.status, task.done_at, task.run_at = "done", here.now, None
            which = (Link.account_id == task.account_id, Link.system == task.system)
            db.session.execute(sa.update(Link).where(*which).values(applied_revision=task.revision))
    db.session.flush()
    for order_pk in {task.order_pk for task in tasks if task.order_pk}:
        finish_order(here, order_pk)

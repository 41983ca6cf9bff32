"""Clients that listen for logouts: a real server on loopback, and people who are signed in to them."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import sqlalchemy as sa
from flask import Flask

from idp.db import db
from idp.flows.sessions import start_session
from idp.models import Account, AuditRecord, Client, Grant, LogoutNotice, Session
from tests.builders import Make, Someone
from tests.idp.oauth.driver import Registered


@dataclass
class Listener:
    """Its address, what it was told and how it answers: the next of `answers`, then 200."""

    base: str
    told: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    @property
    def uri(self) -> str:
        return f"{self.base}/backchannel"

    @property
    def tokens(self) -> list[str]:
        return [form["logout_token"] for _, form in self.told]


@contextmanager
def listening() -> Iterator[Listener]:
    class Pages(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            assert self.headers["Content-Type"] == "application/x-www-form-urlencoded"
            listener.told.append((self.path, dict(parse_qsl(body))))
            self.send_response(listener.answers.pop(0) if listener.answers else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    listener = Listener(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield listener
    server.shutdown()
    thread.join()
    server.server_close()


def signed_in_to(app: Flask, make: Make, someone: Someone, clients: Sequence[Registered]) -> UUID:
    """A session of theirs through which they are signed in to the `clients`."""
    with app.app_context():
        start_session(make.here(), db.session.get_one(Account, someone.id))
        db.session.commit()
        db.session.remove()
    return go_on_to(app, make, someone, clients)


def go_on_to(app: Flask, make: Make, someone: Someone, clients: Sequence[Registered]) -> UUID:
    """Their newest session, through which they have gone on to the `clients`."""
    with app.app_context():
        mine = sa.select(Session).where(Session.account_id == someone.id).order_by(Session.id.desc()).limit(1)
        session = db.session.scalars(mine).one()
        known = {row.client_id: row.id for row in db.session.scalars(sa.select(Client))}
        for client in clients:
            db.session.add(
                Grant(account_id=someone.id, client_id=known[client.client_id], session_id=session.id,
                      scope="openid", granted_at=make.clock.now())
            )  # fmt: skip
        session_id = session.id
        db.session.commit()
        db.session.remove()
    return session_id


def notices(app: Flask) -> list[LogoutNotice]:
    """All of them, oldest first."""
    with app.app_context():
        found = list(db.session.scalars(sa.select(LogoutNotice).order_by(LogoutNotice.id)))
        db.session.expunge_all()
        db.session.remove()
    return found


def recorded(app: Flask, act: str) -> list[AuditRecord]:
    with app.app_context():
        found = list(db.session.scalars(sa.select(AuditRecord).where(AuditRecord.act == act)))
        db.session.expunge_all()
        db.session.remove()
    return found

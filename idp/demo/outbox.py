"""The outgoing mail of the demo: an SMTP server that keeps what it is given, and a page to read it."""

import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from flask import Flask, abort, render_template_string
from werkzeug.serving import make_server

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Outbox</title>
<h1>Outbox of the demo</h1>
{% for mail in mails %}<article><h2>{{ mail["subject"] }}</h2><p>to {{ mail["to"] }}</p>
<pre>{{ text_of(mail)|urlize }}</pre></article><hr>{% else %}<p>No mail yet.</p>{% endfor %}"""


def text_of(mail: EmailMessage) -> str:
    """Its plain form."""
    part = mail.get_body(("plain",))
    return str(part.get_content()) if part else ""


class Outbox:
    """Takes mail on one port and shows it on another, from entering to leaving."""

    def __init__(self, smtp_port: int, page_port: int) -> None:
        self.url = f"http://localhost:{page_port}/"
        self.mails: list[EmailMessage] = []
        self._smtp = Controller(self, hostname="127.0.0.1", port=smtp_port)
        self._pages = make_server("127.0.0.1", page_port, self._app(), threaded=True)

    def __enter__(self) -> "Outbox":
        self._smtp.start()
        threading.Thread(target=self._pages.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._pages.shutdown()
        self._pages.server_close()
        self._smtp.stop()

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """Called by aiosmtpd, which gave it its name."""
        content: Any = envelope.content
        self.mails.append(message_from_bytes(content, policy=policy.default))
        return "250 kept"

    def to(self, address: str) -> list[EmailMessage]:
        """The mails to one address, oldest first."""
        return [mail for mail in self.mails if mail["to"] == address]

    def _app(self) -> Flask:
        app = Flask(__name__)

        @app.get("/")
        def show() -> str:
            return render_template_string(PAGE, mails=reversed(self.mails), text_of=text_of) or abort(404)

        return app

"""A system that signs people in through the service, as any Flask application would: Authlib's client, ten lines."""

import threading
from typing import Any

from authlib.integrations.base_client import OAuthError
from authlib.integrations.flask_client import OAuth
from flask import Flask, jsonify, session, url_for
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

from idp.crypto import new_token


class RelyingParty:
    """Listens from entering to leaving; `tokens` holds what each signed-in person's sign-in gave, by `sub`."""

    def __init__(self, port: int, issuer: str) -> None:
        self.url = f"http://localhost:{port}"
        self.redirect_uri = f"{self.url}/callback"
        self.tokens: dict[str, dict[str, Any]] = {}
        self.client_id = self.client_secret = ""
        self._issuer = issuer
        self._port = port

    def register(self, client_id: str, client_secret: str) -> None:
        """What `achkych client add` printed."""
        self.client_id, self.client_secret = client_id, client_secret

    def __enter__(self) -> "RelyingParty":
        self._server = make_server("127.0.0.1", self._port, self._app(), threaded=True)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _app(self) -> Flask:
        app = Flask(__name__)
        app.secret_key = new_token()
        app.config["SESSION_COOKIE_NAME"] = "demo-system"  # cookies don't know ports
        achkych = OAuth(app).register(
            "achkych",
            client_id=self.client_id,
            client_secret=self.client_secret,
            server_metadata_url=f"{self._issuer}/.well-known/openid-configuration",
            client_kwargs={"scope": "openid profile email", "code_challenge_method": "S256"},
        )

        @app.get("/")
        def home() -> Response:
            return jsonify(session.get("user") or {"sign in": f"{self.url}/login"})

        @app.get("/login")
        def login() -> Response:
            answer: Response = achkych.authorize_redirect(url_for("callback", _external=True))
            return answer

        @app.get("/callback")
        def callback() -> Response | tuple[Response, int]:
            try:
                token = achkych.authorize_access_token()
            except OAuthError as error:
                return jsonify({"error": error.error}), 403
            session["user"] = achkych.userinfo(token=token)
            self.tokens[session["user"]["sub"]] = token
            return jsonify(session["user"])

        return app

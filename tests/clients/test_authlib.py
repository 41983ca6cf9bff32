"""Authlib's clients: the one for Flask, which finds the provider by itself, and the bare session."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
from authlib.integrations.flask_client import OAuth
from authlib.integrations.requests_client import OAuth2Session
from flask import Flask, jsonify, session, url_for
from werkzeug.wrappers import Response

from tests.clients.browser import Browser
from tests.clients.served import serving
from tests.idp.oauth.driver import Party
from tests.postgres import free_port

CALLBACK = "http://127.0.0.1:9/callback"


def flask_site(issuer: Party, client_id: str, secret: str | None) -> Flask:
    """A Flask site that signs people in, tells who they are with a token it may have to refresh, and signs them out."""
    site = Flask("site")
    site.config.update(SECRET_KEY="only-for-this-test", SESSION_COOKIE_NAME="site")
    provider = OAuth(site).register(
        "achkych",
        client_id=client_id,
        client_secret=secret,
        server_metadata_url=f"{issuer.base}/.well-known/openid-configuration",
        client_kwargs={"scope": "openid profile email", "code_challenge_method": "S256"},
        fetch_token=lambda: session.get("token"),
        update_token=lambda token, **_: session.update(token=token, refreshed=True),
    )

    @site.get("/sign-in")
    def sign_in() -> Response:
        answer: Response = provider.authorize_redirect(url_for("callback", _external=True))
        return answer

    @site.get("/callback")
    def callback() -> Any:
        token = provider.authorize_access_token()
        session["token"] = {name: token[name] for name in ("access_token", "refresh_token", "token_type")}
        session["id_token"] = token["id_token"]
        return jsonify(token["userinfo"])

    @site.get("/who")
    def who() -> Any:
        session["token"] = session["token"] | {"expires_at": 1}  # long ago: the client is to refresh it
        return jsonify(provider.userinfo() | {"refreshed": session.pop("refreshed", False)})

    @site.get("/sign-out")
    def sign_out() -> Response:
        answer: Response = provider.logout_redirect(url_for("bye", _external=True), session.pop("id_token"))
        return answer

    @site.get("/bye")
    def bye() -> Any:
        return jsonify(provider.validate_logout_response())

    return site


@contextmanager
def served_site(issuer: Party) -> Iterator[str]:
    """The site, registered and served; its address."""
    port = free_port()
    home = f"http://127.0.0.1:{port}"
    client = issuer.client(redirect_uris=[f"{home}/callback"], post_logout_redirect_uris=[f"{home}/bye"])
    with serving(flask_site(issuer, client.client_id, client.secret), port):
        yield home


def test_a_flask_site_signs_a_person_in_refreshes_and_signs_out(issuer: Party, browser: Browser) -> None:
    someone = issuer.make.account()
    with served_site(issuer) as home:
        verified = browser.sign_in(browser.open(f"{home}/sign-in"), someone).json()
        assert (verified["iss"], verified["sub"]) == (issuer.base, someone.sub)
        who = browser.open(f"{home}/who").json()
        assert (who["sub"], who["email"], who["refreshed"]) == (someone.sub, "aida@kstu.kg", True)
        assert browser.is_signed_in()
        bye = browser.open(f"{home}/sign-out")
        assert bye.url.path == "/bye"
        assert bye.json() == {"post_logout_redirect_uri": f"{home}/bye"}, "the state it had given came back"
        assert not browser.is_signed_in()


def test_the_bare_session_refreshes_and_revokes(issuer: Party, browser: Browser) -> None:
    client = issuer.client(redirect_uris=[CALLBACK])
    provider = httpx2.get(f"{issuer.base}/.well-known/openid-configuration").json()
    asking = {"redirect_uri": CALLBACK, "scope": "openid email", "code_challenge_method": "S256"}
    verifier = "only-for-this-test-and-of-forty-three-letters"
    with OAuth2Session(client.client_id, client.secret, **asking) as party:
        url, state = party.create_authorization_url(provider["authorization_endpoint"], code_verifier=verifier)
        answer = browser.travel(url, CALLBACK, issuer.make.account())
        proof = {"state": state, "code_verifier": verifier}
        tokens = party.fetch_token(provider["token_endpoint"], authorization_response=answer, **proof)
        assert party.get(provider["userinfo_endpoint"]).json()["email"] == "aida@kstu.kg"
        refreshed = party.refresh_token(provider["token_endpoint"])
        assert refreshed["refresh_token"] != tokens["refresh_token"]
        assert party.get(provider["userinfo_endpoint"]).json()["email"] == "aida@kstu.kg"
        revoked = party.revoke_token(provider["revocation_endpoint"], token=refreshed["refresh_token"])
        assert revoked.status_code == 200
        assert party.get(provider["userinfo_endpoint"]).status_code == 401

"""A real relying party: Apache with mod_auth_openidc signs a person in, reads who it is, and signs out."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import httpx2
import pytest
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from flask import Flask

from idp.app import create_app
from idp.clock import SystemClock
from idp.db import db
from idp.flows.signing_keys import ensure_signing_key
from tests.builders import Make, Someone, settings_for
from tests.idp.oauth.driver import VERIFIER, Party, Registered, claims_in
from tests.idp.oauth.served import serving
from tests.missing import missing
from tests.postgres import free_port

MODULES = Path("/usr/lib/apache2/modules")
CONFIGURATION = """
ServerRoot {folder}
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
PidFile {folder}/apache.pid
ErrorLog {folder}/error.log
LogLevel warn auth_openidc:info
User {user}
Group {user}
StartServers 1
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule authn_core_module {modules}/mod_authn_core.so
LoadModule authz_user_module {modules}/mod_authz_user.so
LoadModule dir_module {modules}/mod_dir.so
LoadModule headers_module {modules}/mod_headers.so
LoadModule auth_openidc_module {modules}/mod_auth_openidc.so
DocumentRoot {folder}/pages
DirectoryIndex index.html
OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID {client_id}
OIDCClientSecret {secret}
OIDCRedirectURI http://127.0.0.1:{port}/inside/callback
OIDCCryptoPassphrase only-for-this-test
OIDCScope "openid profile email affiliation"
OIDCPKCEMethod S256
OIDCUserInfoTokenMethod {token_method}
OIDCPassClaimsAs environment
OIDCHTTPTimeoutLong 10
<Location /inside>
  AuthType openid-connect
  Require valid-user
  Header set X-User "%{{OIDC_CLAIM_preferred_username}}e"
  Header set X-Sub "%{{OIDC_CLAIM_sub}}e"
  Header set X-Email "%{{OIDC_CLAIM_email}}e"
  Header set X-Affiliation "%{{OIDC_CLAIM_affiliation}}e"
  Header set X-Department "%{{OIDC_CLAIM_department}}e"
</Location>
"""


@pytest.fixture
def issuer(database_url: str) -> Iterator[Party]:
    """The service, served on loopback by the machine's own clock; clients check times themselves."""
    port = free_port()
    app = create_app(settings_for(database_url, base_url=f"http://127.0.0.1:{port}"), SystemClock())
    party = Party(app, Make(app))
    with app.app_context():
        ensure_signing_key(party.make.here())
        db.session.commit()
        db.session.remove()
    with serving(app, port):
        yield party
    _close(app)


def _close(app: Flask) -> None:
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@contextmanager
def apache(issuer: Party, client: Registered, port: int, token_method: str) -> Iterator[str]:
    """Apache with one protected place; gives its address."""
    folder = Path(mkdtemp(prefix="achkych-apache-"))
    for name, text in (("inside/index.html", "inside"), ("bye.html", "bye")):
        page = folder / "pages" / name
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(text)
    folder.chmod(0o755)
    configuration = CONFIGURATION.format(
        folder=folder, port=port, modules=MODULES, issuer=issuer.base, client_id=client.client_id, secret=client.secret,
        user="www-data" if os.getuid() == 0 else f"#{os.getuid()}", token_method=token_method,
    )  # fmt: skip
    (folder / "apache.conf").write_text(configuration)
    server = subprocess.Popen(["/usr/sbin/apache2", "-f", str(folder / "apache.conf"), "-D", "FOREGROUND"])
    try:
        _wait_for(f"http://127.0.0.1:{port}/bye.html")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(url: str) -> None:
    for _ in range(100):
        try:
            if httpx2.get(url).status_code == 200:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.1)
    pytest.fail(f"{url} does not answer")


def sign_in(browser: httpx2.Client, page: httpx2.Response, someone: Someone) -> httpx2.Response:
    """Fill in the form of the sign-in page."""
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    form = hidden | {"login": someone.login, "password": someone.password}
    return browser.post(page.url.join("/sign-in"), data=form)


@pytest.mark.parametrize("token_method", ["authz_header", "post_param"])
def test_apache_signs_a_person_in_and_out(issuer: Party, token_method: str) -> None:
    if not (MODULES / "mod_auth_openidc.so").exists():
        missing("the Debian package libapache2-mod-auth-openidc")
    port = free_port()
    here = f"http://127.0.0.1:{port}"
    client = issuer.client(redirect_uris=[f"{here}/inside/callback"], post_logout_redirect_uris=[f"{here}/bye.html"])
    someone = issuer.make.account()
    with apache(issuer, client, port, token_method), httpx2.Client(follow_redirects=True, timeout=20) as browser:
        asked = browser.get(f"{here}/inside/")
        assert asked.url.path == "/sign-in", asked.text
        assert "Test system" in asked.text
        inside = sign_in(browser, asked, someone)
        assert (str(inside.url), inside.text) == (f"{here}/inside/", "inside")
        told = {name: inside.headers[f"X-{name}"] for name in ("User", "Sub", "Email", "Affiliation", "Department")}
        assert told == {"User": "aida", "Sub": someone.sub, "Email": "aida@kstu.kg", "Affiliation": "employee",
                        "Department": "0407"}  # fmt: skip
        bye = browser.get(f"{here}/inside/callback", params={"logout": f"{here}/bye.html"})
        assert (str(bye.url), bye.text) == (f"{here}/bye.html", "bye")
        assert browser.get(f"{here}/inside/").url.path == "/sign-in", "the session ended at both ends"


def test_authlibs_own_client_gets_through_the_code_flow(issuer: Party) -> None:
    client = issuer.client(redirect_uris=["http://127.0.0.1:9/cb"])
    someone = issuer.make.account()
    metadata = httpx2.get(f"{issuer.base}/.well-known/openid-configuration").json()
    session = OAuth2Session(
        client.client_id, client.secret, redirect_uri="http://127.0.0.1:9/cb", scope="openid email",
        code_challenge_method="S256",
    )  # fmt: skip
    url, state = session.create_authorization_url(metadata["authorization_endpoint"], code_verifier=VERIFIER, nonce="n")
    assert create_s256_code_challenge(VERIFIER) in url
    with httpx2.Client(follow_redirects=False, timeout=20) as browser:
        step = browser.get(url)
        while step.is_redirect and "/cb?" not in step.headers["Location"]:
            step = browser.get(step.url.join(step.headers["Location"]))
            if "/sign-in" in step.url.path and not step.is_redirect:
                step = sign_in(browser, step, someone)
    answer = step.headers["Location"]
    tokens = session.fetch_token(
        metadata["token_endpoint"], authorization_response=answer, state=state, code_verifier=VERIFIER
    )
    assert claims_in(tokens["id_token"])["nonce"] == "n"
    assert session.get(metadata["userinfo_endpoint"]).json()["email"] == "aida@kstu.kg"
    refreshed = session.refresh_token(metadata["token_endpoint"])
    assert refreshed["refresh_token"] != tokens["refresh_token"]
    assert session.revoke_token(metadata["revocation_endpoint"], token=refreshed["refresh_token"]).status_code == 200
    assert session.get(metadata["userinfo_endpoint"]).status_code == 401

"""mod_auth_openidc: Apache lets people in, passes on who they are, renews what it holds, and signs out."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import httpx2
import pytest

from tests.clients.browser import Browser
from tests.clients.waiting import wait_for
from tests.idp.oauth.driver import Party, Registered
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
  Header set X-Access-Token "%{{OIDC_access_token}}e"
</Location>
"""


@contextmanager
def apache(issuer: Party, client: Registered, port: int, token_method: str) -> Iterator[None]:
    """Apache with one protected place."""
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
        wait_for(f"http://127.0.0.1:{port}/bye.html")
        yield
    finally:
        server.terminate()
        server.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("token_method", ["authz_header", "post_param"])
def test_apache_signs_a_person_in_refreshes_and_signs_out(issuer: Party, browser: Browser, token_method: str) -> None:
    if not (MODULES / "mod_auth_openidc.so").exists():
        missing("the Debian package libapache2-mod-auth-openidc")
    port = free_port()
    home = f"http://127.0.0.1:{port}"
    client = issuer.client(redirect_uris=[f"{home}/inside/callback"], post_logout_redirect_uris=[f"{home}/bye.html"])
    someone = issuer.make.account()
    with apache(issuer, client, port, token_method):
        asked = browser.open(f"{home}/inside/")
        assert "Test system" in asked.text
        inside = browser.sign_in(asked, someone)
        assert (str(inside.url), inside.text) == (f"{home}/inside/", "inside")
        told = {name: inside.headers[f"X-{name}"] for name in ("User", "Sub", "Email", "Affiliation", "Department")}
        assert told == {"User": "aida", "Sub": someone.sub, "Email": "aida@kstu.kg", "Affiliation": "employee",
                        "Department": "0407"}  # fmt: skip
        first, second = inside.headers["X-Access-Token"], refreshed(browser, home, inside)
        assert second != first
        assert issuer.userinfo(second).get_json()["sub"] == someone.sub
        bye = browser.open(f"{home}/inside/callback?logout={home}/bye.html")
        assert (str(bye.url), bye.text) == (f"{home}/bye.html", "bye")
        assert browser.open(f"{home}/inside/").url.path == "/sign-in", "the session ended at both ends"
        assert issuer.userinfo(second).status_code == 401


def refreshed(browser: Browser, home: str, page: httpx2.Response) -> str:
    """The access token after Apache was asked, by its own hook, to fetch another."""
    asked = httpx2.QueryParams({"refresh": f"{home}/inside/", "access_token": page.headers["X-Access-Token"]})
    again = browser.open(f"{home}/inside/callback?{asked}")
    assert str(again.url) == f"{home}/inside/", "with an error added otherwise"
    return str(again.headers["X-Access-Token"])

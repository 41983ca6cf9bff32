"""mozilla-django-oidc: a Django site that keeps its own users and asks now and then whether they are still signed in."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from tests.clients.browser import Browser
from tests.clients.waiting import wait_for
from tests.idp.oauth.driver import Party
from tests.postgres import free_port

ROOT = Path(__file__).parents[2]
NOBODY = {"user": "", "email": ""}


@contextmanager
def django_site(issuer: Party, folder: Path, renew_after: int = 900) -> Iterator[str]:
    """The site, registered and served; its address.  `renew_after`: seconds until it asks again."""
    port = free_port()
    home = f"http://127.0.0.1:{port}"
    client = issuer.client(
        redirect_uris=[f"{home}/oidc/callback/"], post_logout_redirect_uris=[f"{home}/bye"],
        token_endpoint_auth_method="client_secret_post",
    )  # fmt: skip
    told = {
        "port": port, "client_id": client.client_id, "secret": client.secret, "renew_after": renew_after,
        "provider": httpx2.get(f"{issuer.base}/.well-known/openid-configuration").json(),
        "database": str(folder / "django.db"),
    }  # fmt: skip
    around = os.environ | {"DJANGO_SITE": json.dumps(told)}
    with subprocess.Popen([sys.executable, "-m", "tests.clients.django_site"], cwd=ROOT, env=around) as process:
        try:
            wait_for(f"{home}/bye")
            yield home
        finally:
            process.terminate()


def test_a_django_site_signs_people_in_and_out(issuer: Party, browser: Browser, tmp_path: Path) -> None:
    someone = issuer.make.account()
    with django_site(issuer, tmp_path) as home:
        assert browser.open(home).json() == NOBODY
        inside = browser.sign_in(browser.open(f"{home}/oidc/authenticate/"), someone)
        assert (str(inside.url), inside.json()) == (f"{home}/", {"user": someone.sub, "email": "aida@kstu.kg"})
        assert browser.is_signed_in()
        bye = browser.open(f"{home}/oidc/logout/")
        assert (str(bye.url), bye.json()) == (f"{home}/bye", NOBODY)
        assert not browser.is_signed_in()


def test_a_django_site_asks_again_in_silence_until_the_person_has_signed_out_elsewhere(
    issuer: Party, browser: Browser, tmp_path: Path
) -> None:
    someone = issuer.make.account()
    with django_site(issuer, tmp_path, renew_after=2) as home:
        browser.sign_in(browser.open(f"{home}/oidc/authenticate/"), someone)
        time.sleep(2.1)
        browser.visited.clear()
        assert browser.open(f"{home}/").json()["user"] == someone.sub
        assert f"{issuer.base}/oauth/authorize" in browser.visited
        assert f"{issuer.base}/sign-in" not in browser.visited
        browser.sign_out()
        time.sleep(2.1)
        assert browser.open(home).json() == NOBODY

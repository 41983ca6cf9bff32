"""The systems one may open, as tiles: where each leads, and what leads nowhere."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from idp.db import db
from idp.flows.register_client import register_client
from idp.flows.signing_keys import ensure_signing_keys
from idp.models import Link
from tests.builders import Make, Someone
from tests.idp.web.browser import Browser

TILE = re.compile(r'<(a|span) id="((?:system|open)-[^"]+)"(?: href="([^"]+)")?')


def client(make: Make, system: str | None, **more: Any) -> str:
    with make.app.app_context():
        here = make.here()
        ensure_signing_keys(here)
        registration = {
            "client_name": "Rooms", "redirect_uris": ["https://rooms.kstu.kg/callback"], "first_party": True,
            "grant_types": ["authorization_code"], **more,
        }  # fmt: skip
        client_id, _ = register_client(here, registration, system)
        db.session.commit()
        db.session.remove()
    return client_id


def tiles(make: Make, someone: Someone) -> dict[str, str]:
    browser = Browser(make)
    browser.sign_in(someone)
    return {tile: href for _, tile, href in TILE.findall(browser.get("/account").text)}


@pytest.fixture
def pages(make: Make) -> Iterator[None]:
    """A profile that tells where each system is opened."""
    service, before = make.service, make.service.profile
    systems = tuple(replace(one, url=f"https://{one.code}.kstu.kg/") for one in before.systems)
    object.__setattr__(service, "profile", replace(before, systems=systems))
    yield
    object.__setattr__(service, "profile", before)


def test_without_an_address_a_system_is_shown_without_a_link(make: Make) -> None:
    assert tiles(make, make.account(systems=("avn", "mail"))) == {"system-avn": "", "system-mail": ""}


@pytest.mark.usefixtures("pages")
def test_the_profile_tells_where_a_system_is_opened(make: Make) -> None:
    assert tiles(make, make.account(systems=("unet",))) == {"system-unet": "https://unet.kstu.kg/"}


@pytest.mark.usefixtures("pages")
def test_a_client_that_begins_the_sign_in_goes_before_its_page_and_that_before_the_profiles(make: Make) -> None:
    aida = make.account(systems=("unet", "avn"))
    client(make, "unet", client_uri="https://rooms.kstu.kg/")
    assert tiles(make, aida)["system-unet"] == "https://rooms.kstu.kg/"
    client_id = client(make, "unet", initiate_login_uri="https://rooms.kstu.kg/login")
    assert tiles(make, aida) == {"system-unet": f"/open/{client_id}", "system-avn": "https://avn.kstu.kg/"}


def test_a_client_of_no_system_has_a_tile_of_its_own(make: Make) -> None:
    aida = make.account(systems=("avn",))
    client_id = client(make, None, initiate_login_uri="https://rooms.kstu.kg/login")
    assert tiles(make, aida) == {f"open-{client_id}": f"/open/{client_id}", "system-avn": ""}


@pytest.mark.usefixtures("pages")
@pytest.mark.parametrize("change", [{"active": False}, {"applied_revision": 0}])
def test_what_is_not_open_yet_or_no_more_leads_nowhere(make: Make, change: dict[str, Any]) -> None:
    aida = make.account(systems=("unet", "avn"))
    with make.app.app_context():
        db.session.execute(sa.update(Link).where(Link.system == "unet").values(**change))
        db.session.commit()
        db.session.remove()
    assert tiles(make, aida) == {"system-avn": "https://avn.kstu.kg/", "system-unet": ""}

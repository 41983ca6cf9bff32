"""Every page, in three languages, light and dark, on a phone and on a desktop: no barriers (axe-core), no scrolling
sideways, nothing untranslated to the eye."""

from typing import Any

import pytest

from tests.journeys.album import Album, keep
from tests.journeys.barriers import barriers, each_look
from tests.journeys.conftest import Browse
from tests.journeys.relying_party import relying_party
from tests.journeys.scene import Scene


@pytest.mark.parametrize("language", ["ky", "ru", "en"])
def test_every_page_is_for_everyone(scene: Scene, browse: Browse, axe: str, language: str) -> None:
    found: list[Any] = []
    with relying_party() as unet:
        for name, page in Album(scene, browse, unet, language).pages():
            assert page.get_attribute("html", "lang") == language, name
            page.evaluate(axe)
            for look in each_look(page):
                found += [(name, look, finding) for finding in barriers(page)]
                keep(page, f"{name}.{language}.{look}")
    assert not found, "\n".join(map(str, found))


def test_dark_is_dark(scene: Scene, browse: Browse) -> None:
    page = browse(color_scheme="dark")
    page.goto("/sign-in")
    red, green, blue = page.evaluate("() => getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert max(red, green, blue) < 64

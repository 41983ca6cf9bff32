"""Every page, in three languages, light and dark, on a phone and on a desktop: no barriers (axe-core), no scrolling
sideways, nothing untranslated to the eye."""

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.journeys.album import Album
from tests.journeys.conftest import Browse
from tests.journeys.relying_party import relying_party
from tests.journeys.scene import Scene
from tests.missing import missing

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
SIZES = {"phone": {"width": 360, "height": 740}, "desktop": {"width": 1280, "height": 800}}
SCHEMES = ("light", "dark")
GRAVE = {"serious", "critical"}

FINDINGS = """async () => {
    const {violations} = await axe.run(document, {resultTypes: ["violations"]});
    return violations.map(({id, impact, nodes}) => ({id, impact, nodes: nodes.map(node => node.html.slice(0, 200))}));
}"""
OVERHANG = "() => document.scrollingElement.scrollWidth - document.documentElement.clientWidth"
CROWDED = """() => [...document.querySelectorAll("a, button, input:not([type=hidden]), summary")].filter(one => {
    const {width, height} = one.getBoundingClientRect();
    const inText = one.tagName === "A" && getComputedStyle(one).display === "inline";
    return width && height && !inText && !one.matches(".skip") && (width < 22 || height < 22);
}).map(one => one.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def axe() -> str:
    if not AXE.exists():
        missing("axe-core")
    return AXE.read_text("utf8")


@pytest.mark.parametrize("language", ["ky", "ru", "en"])
def test_every_page_is_for_everyone(scene: Scene, browse: Browse, axe: str, language: str) -> None:
    found: list[Any] = []
    with relying_party() as unet:
        for name, page in Album(scene, browse, unet, language).pages():
            assert page.get_attribute("html", "lang") == language, name
            page.evaluate(axe)
            for scheme in SCHEMES:
                for size, viewport in SIZES.items():
                    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # no colour on its way
                    page.set_viewport_size(viewport)
                    found += [(name, scheme, size, finding) for finding in _looked_at(page)]
                    _keep(page, f"{name}.{language}.{scheme}.{size}")
    assert not found, "\n".join(map(str, found))


def _looked_at(page: Page) -> list[Any]:
    barriers = [finding for finding in page.evaluate(FINDINGS) if finding["impact"] in GRAVE]
    overhang, crowded = page.evaluate(OVERHANG), page.evaluate(CROWDED)
    return barriers + ([f"{overhang} px too wide"] if overhang > 0 else []) + [f"too small: {one}" for one in crowded]


def _keep(page: Page, name: str) -> None:
    """A picture, for whoever asked for an album."""
    folder = os.environ.get("ACHKYCH_ALBUM")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_dark_is_dark(scene: Scene, browse: Browse) -> None:
    page = browse(color_scheme="dark")
    page.goto("/sign-in")
    red, green, blue = page.evaluate("() => getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert max(red, green, blue) < 64

"""What keeps somebody from using a page: barriers that axe-core finds, scrolling sideways, targets too small to hit; on a
phone and on a desktop, light and dark."""

from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Page

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


def each_look(page: Page) -> Iterator[str]:
    """The page as it is seen in turn; the name of what it shows now."""
    for scheme in SCHEMES:
        for size, viewport in SIZES.items():
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # no colour on its way
            page.set_viewport_size(viewport)
            yield f"{scheme}.{size}"


def barriers(page: Page) -> list[Any]:
    """What is found on the page as it shows now; axe-core has been evaluated in it."""
    grave = [finding for finding in page.evaluate(FINDINGS) if finding["impact"] in GRAVE]
    overhang, crowded = page.evaluate(OVERHANG), page.evaluate(CROWDED)
    return grave + ([f"{overhang} px too wide"] if overhang > 0 else []) + [f"too small: {one}" for one in crowded]

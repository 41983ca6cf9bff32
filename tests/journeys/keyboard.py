"""A person without a mouse: everything by Tab, Enter, Space and typing, and where they are is always to be seen."""

from playwright.sync_api import Page

MOST_STEPS = 80  # from the top of a page to anything on it

WHERE = """() => {
  const one = document.activeElement;
  const box = one.getBoundingClientRect();
  const style = getComputedStyle(one);
  return {
    name: one.id || one.getAttribute("href") || one.textContent.trim().slice(0, 40),
    seen: box.width > 0 && box.height > 0 && style.visibility === "visible",
    marked: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    body: one === document.body,
  };
}"""


class Keyboard:
    """One page, by its keys."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def reach(self, selector: str, key: str = "Tab") -> None:
        """Tab (or Shift+Tab) until `selector` has the focus; every stop on the way is seen and marked."""
        for _ in range(MOST_STEPS):
            if self._is_at(selector):
                return
            self.page.keyboard.press(key)
            where = self.page.evaluate(WHERE)
            assert where["body"] or (where["seen"] and where["marked"]), where
        raise AssertionError(f"{selector} is not reached by Tab")

    def type(self, selector: str, text: str) -> None:
        """What stood there is overwritten."""
        self.reach(selector)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def press(self, selector: str, key: str = "Enter") -> None:
        """Press a button, a link or a box, and wait for what comes of it."""
        self.reach(selector)
        with self.page.expect_navigation():
            self.page.keyboard.press(key)

    def stops(self, key: str, last: str) -> list[str]:
        """Where the focus comes along on its way to the one called `last`."""
        found: list[str] = []
        while last not in found and len(found) < MOST_STEPS:
            self.page.keyboard.press(key)
            found.append(self.page.evaluate(WHERE)["name"])
        return found

    def tick(self, selector: str) -> None:
        self.reach(selector)
        self.page.keyboard.press("Space")

    def _is_at(self, selector: str) -> bool:
        return bool(self.page.evaluate("s => document.activeElement.matches(s)", selector))

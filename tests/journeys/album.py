"""Every page in every state worth looking at, as somebody meets it: what barriers are looked for on, and what is
photographed for people to look at.

With `ACHKYCH_ALBUM=folder` the pages are kept there as pictures.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from playwright.sync_api import Page

from idp.hashing import QUEUE
from tests.builders import Someone
from tests.journeys.conftest import Browse
from tests.journeys.relying_party import RelyingParty
from tests.journeys.scene import Scene, send, sign_in

GOOD = "Ысык-Көл 2026 tolkun"


@dataclass
class Album:
    """One language's walk through the house."""

    scene: Scene
    browse: Browse
    unet: RelyingParty
    language: str

    def pages(self) -> Iterator[tuple[str, Page]]:
        """The name of a page, and the page; whoever takes it looks at it before asking for the next."""
        for part in (self._way_in, self._first_day, self._account, self._desk, self._orders, self._ways_out):
            yield from part()

    def _open(self, path: str = "/sign-in") -> Page:
        page = self.browse(locale=self.language)
        page.goto(f"{path}?lang={self.language}")
        return page

    def _signed_in(self, someone: Someone, path: str = "/account") -> Page:
        page = self._open()
        sign_in(page, someone)
        page.goto(path)
        return page

    def _way_in(self) -> Iterator[tuple[str, Page]]:
        aida = self.scene.make.account()
        names = {"family": "Образцов", "given": "Бакыт", "patronymic": "Маратович"}
        admin = self.scene.make.officer("bakyt", role="admin", department=None, **names)
        self.scene.phone(admin, "+996 312 000 001")
        page = self._open()
        yield "sign-in", page
        sign_in(page, aida, "wrong")
        yield "sign-in-wrong", page
        page.context.clear_cookies()
        sign_in(page, aida)
        yield "sign-in-stale", page
        page.goto(f"/sign-in?lang={self.language}")
        for _ in range(QUEUE):
            self.scene.make.service.hasher._room.acquire()
        sign_in(page, aida)
        for _ in range(QUEUE):
            self.scene.make.service.hasher._room.release()
        yield "sign-in-busy", page
        self.scene.lock("someone")
        sign_in(page, Someone(aida.id, "someone", "x", ""))
        yield "sign-in-locked", page
        self.scene.make.close(self.scene.make.account("former"))
        sign_in(page, Someone(aida.id, "former", aida.password, ""))
        yield "sign-in-closed", page

    def _first_day(self) -> Iterator[tuple[str, Page]]:
        self.scene.hire(2)
        page = self._open(self.scene.invite(self.scene.newcomers()[0]))
        yield "activation", page
        page.fill("#password", "aaa")
        page.fill("#again", "aab")
        send(page)
        yield "activation-refused", page
        link = page.url
        page.fill("#password", GOOD)
        page.fill("#again", GOOD)
        send(page)
        yield "activation-done", page
        page.goto(link)
        yield "activation-spent", page
        page = self._open()
        sign_in(page, self.scene.make.account("cholpon", accepted=False))
        yield "agreement", page
        page.eval_on_selector("#accept", "field => field.required = false")
        send(page)
        yield "agreement-refused", page

    def _account(self) -> Iterator[tuple[str, Page]]:
        page = self._signed_in(self.scene.make.account("daniyar", systems=("avn", "moodle", "unet", "mail")))
        yield "account", page
        page.goto("/sign-out")
        yield "sign-out", page
        page.goto("/nowhere")
        yield "not-there", page
        client_id, _ = self.scene.client(self.unet.callback, name="1C", system="1c")
        page.goto(self.unet.sign_in_url(self.scene.base, client_id))
        yield "denied", page
        page.goto("/continue?request=unknown")
        yield "ran-out", page
        page.goto("/oauth/authorize?client_id=nobody")
        yield "unsafe", page
        other = self._open()
        other.goto(self.unet.sign_in_url(self.scene.base, client_id))
        yield "sign-in-for-a-system", other

    def _desk(self) -> Iterator[tuple[str, Page]]:
        page = self._signed_in(self.scene.make.officer("elnura", department="0112"), "/desk")
        yield "desk-empty", page
        self.scene.hire(8, number="1/102-К")
        for login in ("aida", "daniyar"):
            self.scene.lock(login)
        page = self._signed_in(self.scene.make.officer("gulmira", family="Жусупбекова", patronymic="Асановна"), "/desk")
        yield "desk", page
        page.locator("details summary").first.click()
        page.locator("input[name=note]").first.fill(" ")
        send(page, "details form button")
        yield "desk-refused", page

    def _orders(self) -> Iterator[tuple[str, Page]]:
        page = self._signed_in(self.scene.make.officer("jyldyz", role="hr", department=None), "/orders")
        yield "orders", page
        send(page, "tbody a")
        yield "execution-sheet", page

    def _ways_out(self) -> Iterator[tuple[str, Page]]:
        page = self._signed_in(self.scene.make.account("zarina"))
        send(page, "header form button")
        yield "signed-out", page

"""Every page in every state worth looking at, as somebody meets it: what barriers are looked for on, and what is
photographed for people to look at.

With `ACHKYCH_ALBUM=folder` the pages are kept there as pictures.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyotp
import sqlalchemy as sa
from playwright.sync_api import Page

from idp.db import db
from idp.models import Client, InitialAccessToken
from tests.builders import Someone
from tests.idp.recovery import mails, work
from tests.idp.web.test_import_pages import as_csv
from tests.journeys.conftest import Browse
from tests.journeys.devices import television
from tests.journeys.relying_party import RelyingParty
from tests.journeys.scene import Scene, send, sign_in
from tests.policies.test_order_table import ANARA, HEAD

GOOD = "Ысык-Көл 2026 tolkun"


def keep(page: Page, name: str) -> None:
    """A picture, for whoever asked for an album."""
    folder = os.environ.get("ACHKYCH_ALBUM")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@dataclass
class Album:
    """One language's walk through the house."""

    scene: Scene
    browse: Browse
    unet: RelyingParty
    language: str

    def pages(self) -> Iterator[tuple[str, Page]]:
        """The name of a page, and the page; whoever takes it looks at it before asking for the next."""
        for part in (
            self._way_in,
            self._first_day,
            self._slip,
            self._recovery,
            self._account,
            self._details,
            self._changed_password,
            self._agreements,
            self._security,
            self._second_factor,
            self._desk,
            self._orders,
            self._clients,
            self._systems,
            self._device,
            self._consent,
            self._ways_out,
        ):
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
        page.locator("#use-passkey").wait_for()
        yield "sign-in", page
        sign_in(page, aida, "wrong")
        yield "sign-in-wrong", page
        page.context.clear_cookies()
        sign_in(page, aida)
        yield "sign-in-stale", page
        page.goto(f"/sign-in?lang={self.language}")
        hasher = self.scene.make.service.hasher
        for _ in range(hasher.room):
            hasher._room.acquire()
        sign_in(page, aida)
        for _ in range(hasher.room):
            hasher._room.release()
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
        page.check("#accept")
        send(page)
        yield "agreement-hr-documents", page

    def _agreements(self) -> Iterator[tuple[str, Page]]:
        page = self._signed_in(self.scene.make.account("meerim"), "/account/agreements")
        yield "agreements", page
        send(page, "main section a")
        yield "agreement-accepted", page

    def _slip(self) -> Iterator[tuple[str, Page]]:
        code = self.scene.slip(self.scene.newcomers()[0])
        page = self._open("/activation")
        yield "activation-code", page
        page.fill("#code", "wrong")
        send(page)
        yield "activation-code-wrong", page
        page.fill("#code", code)
        send(page)
        yield "activation-waiting", page

    def _recovery(self) -> Iterator[tuple[str, Page]]:
        nazgul = self.scene.make.account("nazgul")
        page = self._open("/forgotten-login")
        yield "forgotten-login", page
        page.goto(f"/forgotten-password?lang={self.language}")
        yield "forgotten-password", page
        page.fill("#entered", nazgul.login)
        send(page)
        yield "forgotten-sent", page
        work(self.scene.make)
        link = next(mail.link for mail in mails(self.scene.make) if mail.template == "password-reset")
        page.goto(link)
        yield "reset", page
        page.fill("#password", "aaa")
        page.fill("#again", "aab")
        send(page)
        yield "reset-refused", page
        page.fill("#password", GOOD)
        page.fill("#again", GOOD)
        send(page)
        yield "reset-done", page
        page.goto(link)
        yield "reset-spent", page

    def _changed_password(self) -> Iterator[tuple[str, Page]]:
        page = self._signed_in(self.scene.make.account("ermek"), "/account/password")
        yield "password", page
        self.scene.make.clock.advance(minutes=5)
        page.reload()
        yield "password-present", page
        for place in range(4):
            page.fill("#present", "wrong")
            page.fill("#password", GOOD)
            page.fill("#again", GOOD)
            send(page)
            if place == 0:
                yield "password-wrong", page
        yield "password-locked", page

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

    def _details(self) -> Iterator[tuple[str, Page]]:
        known = {"work_phone": "+996312000000", "mobile_phone": "+996700000001"}
        page = self._signed_in(self.scene.make.account("meerimai", **known), "/account/profile")
        yield "details", page
        page.goto("/account/profile/contacts")
        yield "contacts", page
        page.fill("#mobile_phone", "0700")
        page.fill("[name='home_address.country']", "kg")
        send(page)
        yield "contacts-refused", page
        page.fill("#mobile_phone", "+996 700 123456")
        page.fill("[name='home_address.country']", "KG")
        page.fill("[name='home_address.city']", "Бишкек")
        page.fill("#personal_email", "meerim@example.net")
        send(page)
        page.goto("/account/profile/names")
        yield "names", page
        page.fill("#family", "Иванoв")
        send(page)
        yield "names-refused", page
        page.fill("#family", "Сыдыкова")
        page.fill("#duties", "Куратор АИС-1-24 тобунун, кафедранын сайты үчүн жооптуу")
        send(page)
        yield "details-waiting", page
        page.goto(next(mail.link for mail in mails(self.scene.make) if mail.template == "address-proof"))
        yield "address-proof", page
        send(page)
        page.goto("/account/profile/address/old")
        yield "address-spent", page
        office = self._signed_in(self.scene.make.officer("kanykei", role="hr", department=None), "/hr/changes")
        yield "changes", office
        office.locator("input[name=reason]").first.fill(" ")
        send(office, "main form.together button")
        yield "changes-refused", office

    def _security(self) -> Iterator[tuple[str, Page]]:
        someone = self.scene.make.account("saltanat")
        self._signed_in(someone)
        page = self._signed_in(someone, "/account/sessions")
        yield "sessions", page
        page.goto("/account/history")
        yield "history", page
        page.goto("/account/report-misuse")
        yield "report-misuse", page
        page.fill("#told", "Түнкү саат үчтө кирүү болгон")
        send(page)
        yield "misuse-reported", page
        page.goto("/report-misuse/old")
        yield "report-misuse-spent", page
        page = self._signed_in(self.scene.make.officer("turat", role="security", department=None), "/misuse")
        yield "misuse", page
        page.locator("input[name=result]").first.fill(" ")
        send(page, "main form.together button")
        yield "misuse-refused", page

    def _second_factor(self) -> Iterator[tuple[str, Page]]:
        someone = self.scene.make.account("zhyldyz")
        page = self._signed_in(someone, "/account/factors")
        yield "factors-none", page
        page.fill("#name", "Телефон")
        send(page, "#add button")
        yield "factor-set-up", page
        seed = page.locator("#seed").inner_text().replace(" ", "")
        page.fill("#code", "000")
        send(page)
        yield "factor-refused", page
        page.fill("#code", pyotp.TOTP(seed).at(self.scene.make.clock.now()))
        send(page)
        yield "recovery-codes", page
        page.goto("/account/factors")
        yield "factors", page
        page.goto("/sign-in?again=")
        yield "sign-in-again", page
        page = self._open()
        sign_in(page, someone)
        yield "second-factor", page
        page.fill("#code", "000")
        send(page)
        yield "second-factor-wrong", page
        other = self.scene.make.account("passkeyholder")
        self.scene.make.give_passkey(other)
        page = self._open()
        sign_in(page, other)
        page.locator("#use-passkey").wait_for()
        yield "second-factor-passkey", page
        page.click("#use-passkey")
        page.locator("[data-failure]").wait_for()
        yield "second-factor-passkey-failed", page

    def _desk(self) -> Iterator[tuple[str, Page]]:
        page = self._signed_in(self.scene.make.officer("elnura", department="0112"), "/desk")
        yield "desk-empty", page
        self.scene.hire(8, number="1/102-К")
        for login in ("aida", "daniyar"):
            self.scene.lock(login)
        self.scene.ask_for_reset("bakyt", self.scene.make.officer("asel", role="admin", department=None))
        page = self._signed_in(self.scene.make.officer("gulmira", family="Жусупбекова", patronymic="Асановна"), "/desk")
        yield "desk", page
        page.locator("details summary").first.click()
        page.locator("input[name=note]").first.fill(" ")
        send(page, "details form button")
        yield "desk-refused", page
        page.goto("/people")
        yield "people", page
        page.fill("#entered", "a")
        send(page, "#find")
        yield "people-found", page
        send(page, "main .rows a")
        yield "person", page
        page.locator("details:has(#give) summary").click()
        page.locator("details:has(#forbid) summary").click()
        page.fill("#forbid-reason", " ")
        send(page, "#forbid button")
        page.locator("details:has(#give) summary").click()
        yield "person-refused", page

    def _orders(self) -> Iterator[tuple[str, Page]]:
        page = self._signed_in(self.scene.make.officer("jyldyz", role="hr", department=None), "/orders")
        yield "orders", page
        send(page, "#report")
        yield "closing-report", page
        page.goto("/orders/import")
        yield "order-import", page
        head, row = list(HEAD), list(ANARA)
        page.set_input_files("#table", {"name": "o.csv", "mimeType": "text/csv", "buffer": as_csv([head, row])})
        send(page, "#look")
        yield "order-import-ahead", page
        row[1] = "?"
        page.set_input_files("#table", {"name": "o.csv", "mimeType": "text/csv", "buffer": as_csv([head, row])})
        send(page, "#look")
        yield "order-import-refused", page
        page.goto("/orders")
        send(page, "tbody a")
        yield "execution-sheet", page

    def _clients(self) -> Iterator[tuple[str, Page]]:
        self.scene.client(self.unet.callback, name="Китепкана системасы", system="moodle")
        admin = self.scene.make.officer("nurlan", role="admin", department=None)
        page = self._signed_in(admin, "/admin/clients")
        yield "clients", page
        send(page, "main a.btn-primary")
        yield "client-new", page
        page.fill("#client_name", "Timetable")
        page.fill("#redirect_uris", "http://timetable.kstu.kg/callback")
        page.fill("#rest", '{"colour": "red"}')
        send(page, "#client .btn-primary")
        yield "client-refused", page
        page.fill("#redirect_uris", "https://timetable.kstu.kg/callback")
        page.fill("#rest", '{"backchannel_logout_uri": "https://timetable.kstu.kg/out"}')
        send(page, "#client .btn-primary")
        yield "client-secret", page
        send(page, "main a.btn-quiet")
        yield "client", page
        send(page, "a[href$='/remove']")
        yield "client-remove", page
        page.goto("/admin/clients")
        send(page, "#initial-tokens")
        yield "initial-tokens-none", page
        page.fill("#name", "Китепкана")
        page.fill("#uses", "many")
        send(page, "#give .btn-primary")
        yield "initial-tokens-refused", page
        page.fill("#uses", "3")
        send(page, "#give .btn-primary")
        yield "initial-token", page
        send(page, "main a.btn-quiet")
        yield "initial-tokens", page
        send(page, "tbody form button")
        yield "initial-tokens-revoked", page

    def _systems(self) -> Iterator[tuple[str, Page]]:
        page = self._signed_in(self.scene.make.officer("ulan", role="admin", department=None), "/admin/systems")
        yield "systems", page
        self.scene.find_in("unet", "differing", self.scene.make.account("syrga"), attributes=["email", "title"])
        self.scene.find_in("unet", "extra", None, login="root", email="root@localhost")
        page.goto("/admin/systems")
        yield "systems-found", page
        page.goto("/admin/systems/unet")
        yield "findings", page
        page.locator("input[name=reason]").first.fill(" ")
        send(page, "form.together button")
        yield "findings-refused", page

    def _device(self) -> Iterator[tuple[str, Page]]:
        code = television(self.scene)["user_code"]
        page = self._signed_in(self.scene.make.account("viewer"), f"/device?user_code={code}")
        yield "device", page
        page.fill("#user_code", "BBBB-BBBB")
        page.click("#continue")
        yield "device-unknown", page
        page.fill("#user_code", code)
        page.click("#continue")
        yield "device-confirm", page
        page.click("#deny")
        yield "device-denied", page
        page.goto("/device")
        for _ in range(5):
            page.fill("#user_code", "BBBB-BBBB")
            page.click("#continue")
        yield "device-too-many", page

    def _consent(self) -> Iterator[tuple[str, Page]]:
        client_id, _ = self.scene.client(
            self.unet.callback, name="Жатакана", first_party=False, authorization_details_types=["room"],
            scope="openid profile email phone affiliation orders:read",
            client_uri="https://rooms.kstu.kg/", policy_uri="https://rooms.kstu.kg/privacy",
        )  # fmt: skip
        with self.scene.act() as here:
            client = db.session.scalars(sa.select(Client).where(Client.client_id == client_id)).one()
            right = InitialAccessToken(
                name="album", token_digest="album", scopes=[], uses_left=0, created_at=here.now, expires_at=here.now
            )
            db.session.add(right)
            db.session.flush()
            client.registered_with = right.id
        page = self._open()
        page.goto(self.unet.sign_in_url(self.scene.base, client_id))
        yield "sign-in-for-client", page
        page = self._signed_in(self.scene.make.account("tenant"))
        self.scene.make.clock.advance(seconds=1)
        room = '[{"type": "room", "house": {"number": 3, "street": "Дэн Сяопин"}, "from": "2026-09-15"}]'
        asked = {"scope": "openid profile phone orders:read", "claims": '{"userinfo": {"email": null}}'}
        page.goto(
            self.unet.sign_in_url(
                self.scene.base, client_id, prompt="select_account", authorization_details=room, **asked
            )
        )
        yield "choose-account", page
        send(page, "#continue")
        yield "consent", page
        send(page, "#allow")
        page.goto("/account")
        yield "account-consents", page
        send(page, "#consents ~ ul form button")
        yield "account-withdrawn", page

    def _ways_out(self) -> Iterator[tuple[str, Page]]:
        page = self._signed_in(self.scene.make.account("zarina"))
        send(page, "header form button")
        yield "signed-out", page

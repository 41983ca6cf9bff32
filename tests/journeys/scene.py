"""The people and things a journey needs, made through the service's own flows."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import Page

from idp.db import db
from idp.flows.activate import issue_activation
from idp.flows.apply_order import apply_order
from idp.flows.receive_order import receive_order
from idp.flows.register_client import register_client
from idp.flows.reset_factors import Reset, reset_factors
from idp.flows.signing_keys import ensure_signing_keys
from idp.flows.slips import Slip, print_slip
from idp.models import Account, Finding, Lockout, Person, Scan
from policies.permissions import Appointment, Who
from tests.builders import Make, Someone

DAY = date(2026, 9, 7)
FAMILIES = ("Үлгүбаева", "Мисалов", "Образцова", "Жусупбекова", "Тестов", "Кошоева")
GIVEN = ("Анара", "Бакыт", "Чолпон", "Данияр", "Элнура", "Жаныбек", "Гүлмира")

GRANTS = {"grant_types": ["authorization_code", "refresh_token"], "first_party": True}


class Scene:
    """One served installation.  Each call is a committed transaction."""

    def __init__(self, app: Flask, make: Make) -> None:
        self.app, self.make = app, make
        self.base = make.service.settings.base_url

    @contextmanager
    def act(self) -> Iterator[Any]:
        """Do something in the service; committed at the end."""
        with self.app.app_context():
            yield self.make.here()
            db.session.commit()
            db.session.remove()

    def hire(self, people: int = 1, department: str = "0407", number: str = "1/101-К") -> UUID:
        """An order arrives and is applied; systems kept by hand have their tasks then.  The row of the order."""
        persons = [_hired(place, department) for place in range(people)]
        body = {
            "schema": "urn:kstu:hr:order:1", "orderId": str(uuid4()), "version": 1, "status": "approved",
            "kind": "hire", "number": number, "approvedOn": "2026-09-08", "effectiveOn": DAY.isoformat(),
            "signatory": {"fullName": "Ректор"}, "source": {"system": "shnet"}, "persons": persons,
        }  # fmt: skip
        signature = {"webhook-id": body["orderId"], "webhook-timestamp": "0", "webhook-signature": "v1,test"}
        with self.act() as here:
            order = receive_order(here, json.dumps(body).encode(), body, signature).order
            assert order is not None
            apply_order(here, order)
            return order.id

    def newcomers(self) -> list[str]:
        """The logins of those who have not set a password."""
        with self.act():
            waiting = sa.select(Account.login).where(Account.activated_at.is_(None)).order_by(Account.id)
            return list(db.session.scalars(waiting))

    def invite(self, login: str) -> str:
        """A new one-time link for `login`."""
        with self.act() as here:
            return issue_activation(here, _account(login))

    def slip(self, login: str) -> str:
        """The code of a new slip for `login`, not handed over yet."""
        with self.act() as here:
            all_rights = Appointment("admin", None, None, here.now, None)
            slip = print_slip(replace(here, who=Who("somebody", (all_rights,))), _account(login))
            assert isinstance(slip, Slip)
            return slip.code

    def lock(self, login: str) -> None:
        with self.act() as here:
            db.session.merge(Lockout(login=login, device="", attempts=4, last_at=here.now, locked_at=here.now))

    def ask_for_reset(self, login: str, by: Someone) -> None:
        """One of the two officers asks that the second factors of `login` are removed."""
        with self.act() as here:
            who = Who(str(by.id), (Appointment("admin", None, None, here.now, None),))
            asked = reset_factors(replace(here, who=who), _account(login), "lost the phone")
            assert asked is Reset.ASKED

    def find_in(self, system: str, kind: str, whom: Someone | None, **details: Any) -> None:
        """Something that the last scan of a system found; all of one system belong to one scan."""
        with self.act() as here:
            scan = db.session.scalar(sa.select(Scan).where(Scan.system == system))
            if scan is None:
                scan = Scan(system=system, asked_by="worker", started_at=here.now, finished_at=here.now, state="done",
                            accounts=7, failures=0, attempt=0)  # fmt: skip
                db.session.add(scan)
                db.session.flush()
            account_id = whom.id if whom else None
            db.session.add(
                Finding(
                    scan_id=scan.id, system=system, kind=kind, account_id=account_id, remote_id=kind, details=details
                )
            )

    def phone(self, someone: Someone, number: str) -> None:
        """A public contact of theirs."""
        with self.act():
            account = db.session.get_one(Account, someone.id)
            db.session.get_one(Person, account.person_id).work_phone = number

    def client(self, redirect_uri: str, name: str = "UNET", **more: Any) -> tuple[str, str]:
        """A registered client and its secret."""
        with self.act() as here:
            ensure_signing_keys(here)
            system = more.pop("system", None)
            registration = {"client_name": name, "redirect_uris": [redirect_uri], **GRANTS, **more}
            client_id, secret = register_client(here, registration, system)
        assert secret is not None
        return client_id, secret


def _account(login: str) -> Account:
    return db.session.scalars(sa.select(Account).where(Account.login == login)).one()


def _hired(place: int, department: str) -> dict[str, Any]:
    return {
        "line": str(place + 1),
        "ids": {"pin": f"9999999999{place:04}", "employeeNo": f"T-{place:04}"},
        "name": {"family": FAMILIES[place % len(FAMILIES)], "given": GIVEN[place % len(GIVEN)]},
        "employment": {"departmentCode": department, "positionTitle": "Старший преподаватель"},
        "contacts": {"workPhone": "+996312000000", "personalEmail": f"new{place}@example.org"},
        "access": {"programs": ["avn.teacher", "moodle.teacher", "unet.employee"]},
    }  # fmt: skip


def sign_in(page: Page, someone: Someone, password: str | None = None) -> None:
    """Through the form, as anybody does; in English, unless the page is open already."""
    if "/sign-in" not in page.url:
        page.goto("/sign-in?lang=en")
    page.fill("#login", someone.login)
    page.fill("#password", password or someone.password)
    send(page)
    if "/second-factor" in page.url and someone.recovery_codes:
        page.fill("#code", someone.recovery_codes.pop())
        send(page)


def send(page: Page, button: str = "main form button.btn-primary") -> None:
    """Press the button of a form and wait for the page that answers."""
    with page.expect_navigation():
        page.locator(button).first.click()

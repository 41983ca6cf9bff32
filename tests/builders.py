"""People and things for tests, made through the service's own flows and rows."""

import base64
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient

from idp.clock import SetClock
from idp.crypto import new_token
from idp.db import db
from idp.flows.accept_agreement import accept_agreement
from idp.flows.appointments import appoint_officer
from idp.flows.here import Here, at_work
from idp.flows.second_factor import fingerprint
from idp.hashing import Hasher
from idp.models import Account, AffiliationRow, Credential, Factor, Link, Person, RecoveryCode
from idp.service import Service
from idp.settings import Settings

PASSWORD = "Tash-Rabat 7 kumbez"
SEED = "JBSWY3DPEHPK3PXP" * 2  # of an authenticator
HMAC_KEY = "whsec_" + base64.b64encode(b"a key only this test suite knows").decode()


def settings_for(database_url: str, **changes: Any) -> Settings:
    """Settings of a development installation with fixed keys."""
    key = {name: base64.b64encode(name.encode().ljust(32, b".")).decode() for name in ("pages", "lookup", "k1")}
    values: dict[str, Any] = {
        "environment": "development",
        "base_url": "http://localhost",
        "database_url": database_url,
        "secrets": {"pages": key["pages"], "lookup": key["lookup"], "sealing": {"k1": key["k1"]}, "active": "k1"},
        "mail": {"sender": "achkych@kstu.kg", "starttls": False, "port": 1},
        "senders": {"shnet": {"keys": [HMAC_KEY], "addresses": ["127.0.0.0/8"]}},
    }
    return Settings(**(values | changes))


@dataclass(frozen=True)
class Someone:
    """An account made for a test, with what is needed to sign in."""

    id: UUID
    login: str
    password: str
    sub: str
    recovery_codes: list[str] = field(default_factory=list, compare=False)  # each good for one sign-in


class Make:
    """Makes people in the database of one application; each call is a committed transaction."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.service: Service = app.extensions["achkych"]

    @property
    def clock(self) -> SetClock:
        assert isinstance(self.service.clock, SetClock)
        return self.service.clock

    def here(self) -> Here:
        return at_work(self.service, "test")

    def account(
        self,
        login: str = "aida",
        password: str = PASSWORD,
        department: str = "0407",
        accepted: bool = True,
        systems: tuple[str, ...] = ("unet",),
        **person: Any,
    ) -> Someone:
        """An open, activated account of a lecturer; `accepted`: every agreement; `systems`: where they have access."""
        with self.app.app_context():
            here = self.here()
            row = _person(here, login, person)
            db.session.add(row)
            db.session.flush()
            db.session.add(_employment(row, department))
            account = _account(here, row, login)
            db.session.add(account)
            db.session.flush()
            password_hash = _hashed(self.service.hasher, password)
            db.session.add(Credential(account_id=account.id, password_hash=password_hash, set_at=here.now))
            db.session.add_all(_link(account, system) for system in systems)
            if accepted:
                for agreement in self.service.profile.in_force:
                    accept_agreement(here, account, agreement.sha256)
            db.session.commit()
            made = Someone(account.id, login, password, account.sub)
            db.session.remove()
        return made

    def officer(
        self, login: str = "bakyt", role: str = "officer", department: str | None = "0407", **more: Any
    ) -> Someone:
        """An account with an appointment, and with the second factor that it therefore needs."""
        system = more.pop("system", None)
        someone = self.account(login, **more)
        with self.app.app_context():
            account = db.session.get_one(Account, someone.id)
            appoint_officer(self.here(), account, role, department, system, "test order 1")
            db.session.commit()
            db.session.remove()
        self.enrol(someone)
        return someone

    def enrol(self, someone: Someone, seed: str = SEED) -> None:
        """Give them an authenticator with this seed, and recovery codes; nothing of it is in the trail or the mail."""
        with self.app.app_context():
            here = self.here()
            factor = Factor(account_id=someone.id, kind="totp", name="Phone", seed=b"", created_at=here.now)
            factor.confirmed_at = here.now
            db.session.add(factor)
            db.session.flush()
            factor.seed = self.service.vault.seal(seed, f"factor/{factor.id}/seed")
            codes = (f"{number:04}".replace("0", "A") + "BCDE" * 3 for number in range(20))
            for code in codes:
                digest = fingerprint(self.service, someone.id, code)
                db.session.add(RecoveryCode(account_id=someone.id, digest=digest, created_at=here.now))
                someone.recovery_codes.append(code)
            db.session.commit()
            db.session.remove()

    def give_passkey(self, someone: Someone) -> None:
        """One that some device holds; nothing of it is in the trail or the mail."""
        with self.app.app_context():
            now = self.clock.now()
            db.session.add(
                Factor(account_id=someone.id, kind="passkey", name="Notebook", created_at=now, confirmed_at=now,
                       credential_id=new_token(), public_key=b"", sign_count=0)
            )  # fmt: skip
            db.session.commit()
            db.session.remove()

    def close(self, someone: Someone) -> None:
        """The account's time ends now."""
        with self.app.app_context():
            db.session.get_one(Account, someone.id).closes_at = self.clock.now()
            db.session.commit()
            db.session.remove()

    def browser(self) -> FlaskClient:
        """A browser with an empty jar of cookies, talking to the service's own address."""
        return self.app.test_client()


HASHES: dict[tuple[str, str], str] = {}


def _hashed(hasher: Hasher, password: str) -> str:
    """Hashed once for all tests: it is slow on purpose, and nothing depends on the salt."""
    key = (hasher.dummy, password)
    return HASHES.get(key) or HASHES.setdefault(key, hasher.hash(password))


def _person(here: Here, login: str, more: dict[str, Any]) -> Person:
    names = {"family": "Үлгүбаева", "given": login.capitalize(), "personal_email": f"{login}@example.org"}
    return Person(created_at=here.now, **(names | more))


def _employment(person: Person, department: str) -> AffiliationRow:
    return AffiliationRow(
        person_id=person.id,
        kind="employee",
        department=department,
        position="Окутуучу",
        starts_on=date(2020, 9, 1),
    )


def _account(here: Here, person: Person, login: str) -> Account:
    return Account(
        person_id=person.id,
        login=login,
        sub=new_token()[:22],
        email=f"{login}@kstu.kg",
        language="ky",
        opens_at=here.now - timedelta(days=30),
        activated_at=here.now - timedelta(days=29),
        created_at=here.now - timedelta(days=30),
    )


def _link(account: Account, system: str) -> Link:
    return Link(account_id=account.id, system=system, revision=1, active=True, attributes={}, applied_revision=1)

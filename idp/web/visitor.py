"""Who looks at a page, as far as the frame of the page needs to know."""

from dataclasses import dataclass

from flask import Flask, g

from idp.db import db
from idp.models import Account, Person
from policies.naming import display_name
from policies.permissions import Whom, may


@dataclass(frozen=True, slots=True)
class Visitor:
    """The signed-in person, and which rooms are open to them."""

    login: str
    display_name: str
    is_officer: bool
    is_hr: bool


def init_app(app: Flask) -> None:
    """Tell every template who is signed in."""
    app.context_processor(lambda: {"signed_in": visitor()})


def visitor() -> Visitor | None:
    """The person behind the session of this request, if there is one."""
    if getattr(g, "session", None) is None:
        return None
    account = db.session.get_one(Account, g.session.account_id)
    person = db.session.get_one(Person, account.person_id)
    nobody = Whom(None, frozenset(), None)
    return Visitor(
        login=account.login,
        display_name=display_name(person.given, person.family, person.patronymic),
        is_officer=may("see-desk", g.here.who, nobody, g.here.now),
        is_hr=may("see-order", g.here.who, nobody, g.here.now),
    )

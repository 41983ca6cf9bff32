"""Who looks at a page, as far as the frame of the page needs to know."""

from dataclasses import dataclass

import sqlalchemy as sa
from flask import Flask, g
from sqlalchemy.exc import SQLAlchemyError

from idp.log import log
from idp.models import Account, Person
from idp.oauth.interaction import facts_for
from idp.prepared import Prepared
from policies.interaction import Step, next_step
from policies.naming import display_name
from policies.permissions import Whom, may

NOBODY = Whom(None, frozenset(), None)
WHO = Prepared(
    sa.select(Account.login, Person.given, Person.family, Person.patronymic)
    .join(Person, Person.id == Account.person_id)
    .where(Account.id == sa.bindparam("account"))
)


@dataclass(frozen=True, slots=True)
class Visitor:
    """The signed-in person, and which rooms are open to them."""

    login: str
    display_name: str
    is_officer: bool
    sees_people: bool
    is_hr: bool
    confirms_changes: bool
    reconciles: bool
    registers_clients: bool
    handles_misuse: bool


def init_app(app: Flask) -> None:
    """Tell every template who is signed in."""
    app.context_processor(lambda: {"signed_in": visitor()})


def has_arrived() -> bool:
    """Whether the sign-in is finished: a session with a step still to go opens nothing."""
    return step_of() is Step.DONE


def step_of() -> Step:
    """What the person has to do next, whatever a client wants."""
    if "step" not in g:
        g.step = next_step(facts_for(None, g.session, g.here), g.here.now)
    step: Step = g.step
    return step


def visitor() -> Visitor | None:
    """The person behind the session of this request.

    Nobody, when there is none, when the sign-in is not finished, or when the database does not answer: this is asked
    for by the page that tells of that, too.
    """
    if g.get("here") is None or g.session is None:
        return None
    try:
        return _visitor() if has_arrived() else None
    except SQLAlchemyError as error:
        log.error("no visitor", exc_info=error)
        return None


def _visitor() -> Visitor:
    row = WHO.first(account=g.session.account_id)
    return Visitor(
        login=row.login,
        display_name=display_name(row.given, row.family, row.patronymic),
        is_officer=may("see-desk", g.here.who, NOBODY, g.here.now),
        sees_people=may("see-people", g.here.who, NOBODY, g.here.now),
        is_hr=may("see-order", g.here.who, NOBODY, g.here.now),
        confirms_changes=may("confirm-change", g.here.who, NOBODY, g.here.now),
        reconciles=may("reconcile", g.here.who, NOBODY, g.here.now),
        registers_clients=may("register-client", g.here.who, NOBODY, g.here.now),
        handles_misuse=may("handle-misuse", g.here.who, NOBODY, g.here.now),
    )

"""People change what is known of them, once, here (Regulation 3.3, 3.6; ASVS 6.3.7).

Phones and the home address count at once and every system follows; a new personal address counts when it is proved
(`prove_address.py`), name and scope of duties when HR confirms (`confirm_change.py`).  That the person proved themselves
a moment ago is the guard's to see to.
"""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from idp.db import db
from idp.flows.here import Here
from idp.flows.misuse_link import misuse_link
from idp.flows.prove_address import ask_for_proof, asked_too_often
from idp.flows.record import record
from idp.flows.refusal import Refusal
from idp.flows.send_message import send_message
from idp.flows.statements import WITHDRAWN, account_of, own_statements, refused_of, settle, state, value_of, waiting_of
from idp.flows.want_access import want_everywhere
from idp.flows.write_person import hold_person, home_address, write_person
from idp.models import Account, Person, Statement
from policies.naming import display_name
from policies.profile_changes import NAMES, WAYS, Way, Wrong, newest, read_contacts, read_names

SHOWN = ("work_phone", "mobile_phone", "personal_email", *NAMES)


def present(here: Here, person: Person) -> dict[str, Any]:
    """What is known of the person now, by field."""
    return {name: getattr(person, name) for name in SHOWN} | {"home_address": home_address(here, person)}


def profile(here: Here, account: Account) -> dict[str, Any]:
    """What the profile page shows: what is known, what waits."""
    person = db.session.get_one(Person, account.person_id)
    return {
        "login": account.login,
        "display_name": display_name(person.given, person.family, person.patronymic),
        "known": present(here, person),
        "waiting": [_shown(here, one) for one in waiting_of(person)],
        "refused": [_shown(here, one) for one in refused_of(person)],
        "chosen_language": account.language,
    }


def change_contacts(here: Here, account: Account, entered: Mapping[str, str]) -> Refusal | list[str]:
    """Take the contacts that differ: phones and home address at once, a personal address when it is proved.

    The fields taken, none when all stays.  Refusals: ``malformed`` with what is wrong by field, then nothing changes;
    ``asked-too-often`` for one address after another.
    """
    person = hold_person(account.person_id)
    domain = here.service.profile.institution.domain
    values, wrong = read_contacts(entered, present(here, person), domain)
    if wrong:
        return _malformed(wrong)
    if "personal_email" in values and asked_too_often(here, person):
        return Refusal("asked-too-often", {"wrong": {"personal_email": "asked-too-often"}})
    at_once = {name: value for name, value in values.items() if WAYS[name] is Way.AT_ONCE}
    if at_once:
        _take(here, person, account, at_once)
    if "personal_email" in values:
        ask_for_proof(here, person, account, values["personal_email"])
    return list(values)


def ask_for_change(here: Here, account: Account, entered: Mapping[str, str]) -> Refusal | list[str]:
    """Ask HR to confirm another name or scope of duties; the fields asked for, none when all stays.

    Refusal: ``malformed`` with what is wrong by field; then nothing is asked.
    """
    person = hold_person(account.person_id)
    before = present(here, person)
    values, wrong = read_names(entered, before)
    if wrong:
        return _malformed(wrong)
    for name, value in values.items():
        state(here, person, name, value, counts=False)
    if values:
        record(here, "change-asked", account, before={name: before[name] for name in values}, after=values)
    return list(values)


def withdraw_change(here: Here, account: Account, statement_id: UUID) -> Refusal | None:
    """Take back what still waits.  Refusal: ``gone``, it was decided meanwhile, or is not theirs."""
    statement = db.session.get(Statement, statement_id)
    if statement is None or statement.person_id != account.person_id:
        return Refusal("gone")
    if not settle(here, statement_id, WITHDRAWN):
        return Refusal("gone")
    record(here, "change-withdrawn", account, before={statement.field: value_of(here, statement)}, after={})
    return None


def take_effect(here: Here, statement: Statement) -> None:
    """A statement has just been confirmed, so nothing is newer: it is written, and every system follows."""
    person = db.session.get_one(Person, statement.person_id)
    _follow(here, person, account_of(statement), [statement.field])


def _take(here: Here, person: Person, account: Account, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        state(here, person, name, value, counts=True)
    _follow(here, person, account, values)
    key = f"profile-changed/{here.request_id}/{account.id}"
    send_message(
        here, account, "profile-changed", key, fields=sorted(values), misuse_link=misuse_link(here, account.id)
    )


def _follow(here: Here, person: Person, account: Account, names: Collection[str]) -> None:
    """What was said just now is the newest there is; of a name, its Latin spelling goes along."""
    own = {name: one for name, one in own_statements(here, person).items() if name in names}
    orders: dict[str, Any] = {name: getattr(person, name) for name in ("family", "given") if name in own}
    orders |= {f"latin_{name}": getattr(person, f"latin_{name}") for name in tuple(orders)}
    write_person(here, person, newest(orders, {}, own, here.service.zone))
    want_everywhere(here, person, account)


def _malformed(wrong: Mapping[str, Wrong]) -> Refusal:
    return Refusal("malformed", {"wrong": {name: reason.value for name, reason in wrong.items()}})


def _shown(here: Here, statement: Statement) -> dict[str, Any]:
    return {
        "id": statement.id,
        "field": statement.field,
        "value": value_of(here, statement),
        "way": WAYS[statement.field].value,
        "since": statement.stated_at,
        "settled_at": statement.settled_at,
        "reason": statement.reason,
    }

"""A directory of people by LDAP, against a real slapd: closing keeps people out, and no value breaks out of its place."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.base import Correlation, OutcomeKind, Remote, TargetError, Wanted
from connectors.inetorgperson import Ldap, LdapSettings
from connectors.ldap import Directory
from connectors.plan import plan
from connectors.standins import slapd
from connectors.standins.slapd import SlapdStandin
from tests.missing import missing

NUMBERS = count(1)
HOSTILE = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20).filter(str.strip)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlapdStandin]:
    if not slapd.available():
        missing("the Debian package slapd")
    with SlapdStandin(tmp_path_factory.mktemp("slapd")) as standin:
        yield standin


@pytest.fixture
def ldap(server: SlapdStandin) -> Ldap:
    return Ldap(LdapSettings(url=server.url, bind_dn=slapd.CONNECTOR, password=server.password, base=slapd.PEOPLE))


def person(**attributes: str) -> Wanted:
    number = next(NUMBERS)
    known = {"login": f"p{number}", "family_name": "Мисалова", "display_name": "Анара Мисалова"}
    return Wanted(f"acc-{number}", 1, True, known | attributes)


def key(one: Wanted) -> Correlation:
    return Correlation(one.account_id, None, str(one.attributes["login"]), "")


def created(ldap: Ldap, one: Wanted) -> Remote | OutcomeKind:
    try:
        return ldap.create(one, "op")
    except TargetError as error:
        return error.kind


def test_a_closed_account_is_kept_out_and_let_in_again(server: SlapdStandin, ldap: Ldap) -> None:
    one = person()
    made = ldap.create(one, "op")
    admin = Directory(server.url, slapd.ADMIN, slapd.ADMIN_PASSWORD, 5)
    dn = f"uid={one.attributes['login']},{slapd.PEOPLE}"
    admin.replace(dn, {"userPassword": ["theirs-alone"]})
    told = []
    for active in (True, False, True):
        ldap.update(made.id, {"active": active}, "op")
        told.append(admin.accepts(dn, "theirs-alone"))
    assert told == [True, False, True]


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(login=HOSTILE, title=HOSTILE)
def test_no_value_breaks_out_of_its_place(ldap: Ldap, login: str, title: str) -> None:
    """In a name of an entry, in a filter, in a value."""
    one = person(login=f"{login}{next(NUMBERS)}", title=title)
    made = created(ldap, one)
    found = ldap.find(key(one))
    if isinstance(made, OutcomeKind):  # what the schema does not take is refused, and nothing else happens
        assert (made in (OutcomeKind.PERMANENT, OutcomeKind.CONFLICT), found) == (True, None)
        return
    assert found == made
    assert " ".join(str(made.attributes["title"]).split()) == " ".join(title.split())
    ldap.delete(made.id, "op")
    assert ldap.find(key(one)) is None


def test_an_entry_needs_a_login(ldap: Ldap) -> None:
    with pytest.raises(TargetError) as caught:
        ldap.create(person(login=""), "op")
    assert caught.value.kind is OutcomeKind.PERMANENT


def test_another_attribute_may_close_and_another_may_carry_our_id(server: SlapdStandin, ldap: Ldap) -> None:
    other = Ldap(replace(
        ldap._settings, account_attribute="roomNumber", closed_attribute="businessCategory", closed_value="closed"
    ))  # fmt: skip
    one = replace(person(), active=False)
    made = other.create(one, "op")
    assert (made.active, made.account_id) == (False, one.account_id)
    assert ldap.find(key(one)) is None
    other.update(made.id, {"active": True}, "op")
    found = other.find(key(one))
    assert found is not None and found.active


def test_what_a_dry_run_shows(ldap: Ldap) -> None:
    planned = plan(person(programs="x"), None, ldap.capabilities)
    assert (planned.act, planned.unsupported) == ("create", ("programs",))
    assert sorted(planned.changes) == ["active", "display_name", "family_name", "login"]

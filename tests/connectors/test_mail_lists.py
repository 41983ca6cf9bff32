"""The lists of departments in the mail directory, against a real slapd: membership follows the department."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from connectors.base import Correlation, OutcomeKind, Remote, TargetError, Wanted
from connectors.ldap import Directory
from connectors.mail import Mail
from connectors.plan import Change, Plan, plan
from connectors.standins import slapd
from connectors.standins.slapd import LISTS, PEOPLE, SlapdStandin
from idp.provisioning.bring import bring
from tests.missing import missing

AIDA = Wanted("acc-1", 1, True, {"login": "aida", "email": "aida@example.edu", "department": "FIT"})
KEY = Correlation("acc-1", None, "aida", "aida@example.edu")
DN = f"uid=aida,{PEOPLE}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlapdStandin]:
    if not slapd.available():
        missing("the Debian package slapd")
    with SlapdStandin(tmp_path_factory.mktemp("slapd")) as standin:
        yield standin


@pytest.fixture
def admin(server: SlapdStandin) -> Directory:
    return Directory(server.url, slapd.ADMIN, slapd.ADMIN_PASSWORD, 5)


@pytest.fixture
def mail(server: SlapdStandin, admin: Directory) -> Iterator[Mail]:
    connector = Mail(server.with_lists)
    yield connector
    for base, kind in ((PEOPLE, "kstuMailAccount"), (LISTS, "kstuMailList")):
        for entry in admin.search(base, f"(objectClass={kind})", ["mail"]):
            admin.remove(entry.dn)


def keep(mail: Mail, wanted: Wanted = AIDA) -> Plan:
    return bring(mail, wanted, KEY, "op").plan


def seen(mail: Mail) -> Remote:
    found = mail.find(KEY)
    assert found is not None
    return found


def lists(admin: Directory) -> dict[str, list[str]]:
    """Address -> members."""
    found = admin.search(LISTS, "(objectClass=kstuMailList)", ["mail", "member"])
    return {one.first("mail"): sorted(one.attributes.get("member", ())) for one in found}


def choir(admin: Directory) -> None:
    """A list of somebody else's."""
    admin.add(f"cn=choir,{LISTS}", ("kstuMailList",), {"mail": ["choir@example.edu"], "member": [DN],
              "mailLocalAddress": ["choir@example.edu"], "kstuAccountId": ["choir"]})  # fmt: skip


def moved(department: str) -> Wanted:
    return replace(AIDA, attributes={**AIDA.attributes, "department": department})


def refusal(act: Callable[[], object]) -> TargetError:
    with pytest.raises(TargetError) as caught:
        act()
    return caught.value


def test_membership_follows_the_department_and_other_lists_are_let_alone(mail: Mail, admin: Directory) -> None:
    choir(admin)
    keep(mail)
    assert lists(admin) == {"choir@example.edu": [DN], "dept-fit@example.edu": [DN]}
    keep(mail, moved("0407"))
    assert lists(admin) == {"choir@example.edu": [DN], "dept-fit@example.edu": [], "dept-0407@example.edu": [DN]}
    keep(mail, moved(""))
    assert lists(admin) == {"choir@example.edu": [DN], "dept-fit@example.edu": [], "dept-0407@example.edu": []}


def test_a_list_that_is_there_keeps_its_other_addresses_and_outsiders(mail: Mail, admin: Directory) -> None:
    given = {"mail": ["dept-fit@example.edu"], "mailLocalAddress": ["dept-fit@example.edu", "fit@example.edu"],
             "kstuAccountId": ["made-by-hand"], "kstuListAddress": ["guest@example.org"]}  # fmt: skip
    admin.add(f"cn=FIT,{LISTS}", ("kstuMailList",), given)
    keep(mail)
    entry = admin.search(LISTS, "(cn=FIT)", [*given, "member"])[0]
    assert {name: list(values) for name, values in entry.attributes.items()} == given | {"member": [DN]}


def test_a_membership_that_somebody_changed_shows_and_is_put_right(mail: Mail, admin: Directory) -> None:
    keep(mail)
    admin.exclude(f"cn=dept-fit@example.edu,{LISTS}", "member", DN)
    assert plan(AIDA, seen(mail), mail.capabilities).changes == {"department": Change("FIT (lists: none)", "FIT")}
    assert mail.scan(None, 10).remotes[0].attributes["department"] == "FIT (lists: none)"
    keep(mail)
    assert lists(admin) == {"dept-fit@example.edu": [DN]}
    mail._directory.replace(DN, {"departmentNumber": ["0407"]})
    assert seen(mail).attributes["department"] == "0407 (lists: fit)"
    keep(mail)
    assert (seen(mail).attributes["department"], lists(admin)) == ("FIT", {"dept-fit@example.edu": [DN]})


def test_nobody_who_is_closed_gets_mail_of_the_department_and_whoever_returns_does(
    mail: Mail, admin: Directory
) -> None:
    keep(mail)
    keep(mail, replace(AIDA, active=False))
    assert lists(admin) == {"dept-fit@example.edu": []} and seen(mail).attributes["department"] == "FIT"
    keep(mail)
    assert lists(admin) == {"dept-fit@example.edu": [DN]}


def test_lists_that_may_not_be_written_keep_no_account_open(server: SlapdStandin, mail: Mail, admin: Directory) -> None:
    """The refusal is told, but the mailbox is closed."""
    keep(mail)
    admin.exclude(f"cn=dept-fit@example.edu,{LISTS}", "member", DN)
    elsewhere = Mail(replace(server.with_lists, lists=f"ou=nowhere,{slapd.SUFFIX}"))
    assert not elsewhere.check().ok and mail.check().ok
    change = {"active": False}
    assert refusal(lambda: elsewhere.update(seen(mail).id, change, "op")).kind is OutcomeKind.NOT_FOUND
    assert not seen(mail).active


def test_another_login_is_the_same_member(mail: Mail, admin: Directory) -> None:
    keep(mail)
    keep(mail, replace(AIDA, attributes={**AIDA.attributes, "login": "asanova"}))
    assert lists(admin) == {"dept-fit@example.edu": [f"uid=asanova,{PEOPLE}"]}


def test_whoever_is_deleted_is_on_no_list(mail: Mail, admin: Directory) -> None:
    keep(mail)
    mail.delete(seen(mail).id, "op")
    assert lists(admin) == {"dept-fit@example.edu": []}


def test_an_address_of_a_person_does_not_become_a_list(mail: Mail) -> None:
    mail.create(Wanted("acc-2", 1, True, {"login": "x", "email": "dept-fit@example.edu"}), "op")
    error = refusal(lambda: keep(mail))
    assert (error.kind, error.detail) == (OutcomeKind.PERMANENT, "the address of the department's list is taken")


def test_of_many_at_once_all_are_on_the_list(mail: Mail, admin: Directory) -> None:
    """The first of them makes it."""
    people = [Wanted(f"acc-{n}", 1, True, {"login": f"p{n}", "email": f"p{n}@example.edu", "department": "FIT"})
              for n in range(20)]  # fmt: skip
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda one: mail.create(one, "op"), people))
    assert {address: len(members) for address, members in lists(admin).items()} == {"dept-fit@example.edu": 20}


@pytest.mark.parametrize("changed", [
    {"department_list": ""}, {"lists": ""}, {"department_list": "all@example.edu"},
    {"department_list": "{department}-{department}@example.edu"},
])  # fmt: skip
def test_half_of_the_settings_is_refused(server: SlapdStandin, changed: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="department_list"):
        replace(server.with_lists, **changed)

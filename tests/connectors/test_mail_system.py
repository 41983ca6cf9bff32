"""Mail end to end with a real slapd, Dovecot and Postfix: what a person and a sender see of what the connector writes."""

import imaplib
from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import pytest

from connectors.base import Correlation, Wanted
from connectors.ldap import Directory
from connectors.mail import Mail
from connectors.standins import slapd
from connectors.standins.slapd import PEOPLE
from idp.provisioning.bring import bring
from tests.mail_system import API_KEY, MailSystem, eventually

PASSWORD = "Only-the-mail-s-1"
NUMBERS = count(1)


@pytest.fixture(scope="module")
def system() -> Iterator[MailSystem]:
    with MailSystem() as running:
        yield running


@pytest.fixture
def mail(system: MailSystem) -> Mail:
    return Mail(replace(system.directory.with_lists, doveadm_url=system.doveadm_url, doveadm_key=API_KEY))


def person(department: str = "") -> Wanted:
    login = f"aida{next(NUMBERS)}"
    address = f"{login}@example.edu"
    return Wanted(f"acc-{login}", 1, True, {"login": login, "email": address, "department": department})


def made(system: MailSystem, mail: Mail, one: Wanted) -> str:
    """The address of a new mailbox, which opens with `PASSWORD`."""
    keep(mail, one)
    write(system, one, "userPassword", PASSWORD)
    return str(one.attributes["email"])


def keep(mail: Mail, one: Wanted) -> None:
    """As a worker does: find, plan, act, read back."""
    bring(mail, one, Correlation(one.account_id, None, "", ""), "op")


def write(system: MailSystem, one: Wanted, name: str, value: str) -> None:
    admin = Directory(system.directory.url, slapd.ADMIN, slapd.ADMIN_PASSWORD, 5)
    admin.replace(f"uid={one.attributes['login']},{PEOPLE}", {name: [value]})


def lets_in(system: MailSystem, address: str) -> bool:
    client = system.session(address, PASSWORD)
    if client is None:
        return False
    client.logout()
    return True


def is_open(client: imaplib.IMAP4) -> bool:
    try:
        return client.noop()[0] == "OK"
    except (imaplib.IMAP4.abort, OSError):
        return False


def test_whoever_is_dismissed_cannot_sign_in_and_their_mail_still_arrives(system: MailSystem, mail: Mail) -> None:
    one = person()
    address = made(system, mail, one)
    assert lets_in(system, address)
    keep(mail, replace(one, active=False))
    assert not lets_in(system, address)
    assert system.send(address, "after dismissal") == 250
    eventually(lambda: system.subjects(address) == {"after dismissal"}, "the mail is in the mailbox")
    keep(mail, one)
    client = system.session(address, PASSWORD)
    assert client is not None and client.search(None, "ALL")[1] == [b"1"]
    client.logout()


def test_an_open_session_is_cut_when_the_account_is_closed(system: MailSystem, mail: Mail) -> None:
    one = person()
    address = made(system, mail, one)
    another = made(system, mail, person())
    client, bystander = system.session(address, PASSWORD), system.session(another, PASSWORD)
    assert client and bystander and is_open(client)
    keep(mail, replace(one, active=False))
    eventually(lambda: not is_open(client), "the session is cut")
    assert is_open(bystander)
    client.shutdown()
    bystander.logout()


def test_the_directory_alone_would_leave_the_session_open(system: MailSystem, mail: Mail) -> None:
    """Why the connector calls Dovecot (contracts/mail, decision 4)."""
    one = person()
    client = system.session(made(system, mail, one), PASSWORD)
    assert client is not None
    keep(Mail(system.directory.settings), replace(one, active=False))
    assert is_open(client)
    client.logout()


@pytest.mark.parametrize(("inbound", "answer"), [("accept", 250), ("reject", 550), ("defer", 450)])
def test_arriving_mail_is_treated_as_the_switch_says(system: MailSystem, mail: Mail, inbound: str, answer: int) -> None:
    one = person()
    address = made(system, mail, one)
    keep(mail, replace(one, active=False))
    write(system, one, "kstuMailInbound", inbound)
    assert system.send(address, "hello") == answer
    assert not lets_in(system, address)


def test_nobody_s_address_is_refused(system: MailSystem) -> None:
    assert system.send("nobody@example.edu", "hello") == 550


def test_mail_to_a_former_address_arrives(system: MailSystem, mail: Mail) -> None:
    one = person()
    former = made(system, mail, one)
    renamed = replace(one, attributes={**one.attributes, "email": f"new.{former}"})
    keep(mail, renamed)
    assert system.send(former, "to the former") == 250
    eventually(lambda: system.subjects(f"new.{former}") == {"to the former"}, "it is in the mailbox of today")


def test_mail_to_a_department_reaches_whoever_is_in_it_today(system: MailSystem, mail: Mail) -> None:
    staying, moving, leaving = person("0407"), person("0407"), person("0407")
    addresses = [made(system, mail, one) for one in (staying, moving, leaving)]

    def reached(subject: str, who: list[bool]) -> bool:
        return [subject in system.subjects(address) for address in addresses] == who

    assert system.send("dept-0407@example.edu", "first") == 250
    eventually(lambda: reached("first", [True, True, True]), "all three get it")
    keep(mail, replace(moving, attributes={**moving.attributes, "department": "FIT"}))
    keep(mail, replace(leaving, active=False))
    assert system.send("dept-0407@example.edu", "second") == 250
    assert system.send("dept-fit@example.edu", "third") == 250
    eventually(lambda: reached("second", [True, False, False]), "the one who stays gets it")
    eventually(lambda: reached("third", [False, True, False]), "the one who moved gets it")
    keep(mail, replace(moving, active=False))
    assert system.send("dept-fit@example.edu", "to nobody") == 550

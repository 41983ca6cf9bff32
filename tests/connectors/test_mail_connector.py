"""What is particular to the directory: two switches, aliases, escaping, result codes, and Dovecot's sessions."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from ldap3.core.exceptions import LDAPOperationResult

from connectors.base import Correlation, OutcomeKind, TargetError, Wanted
from connectors.ldap import CODES, Directory, equals, fault, rdn
from connectors.mail import Mail
from connectors.standins import slapd
from connectors.standins.slapd import PEOPLE, SlapdStandin
from tests.missing import missing

WANTED = Wanted("acc-1", 1, True, {"login": "aida", "email": "aida@example.edu", "display_name": "Аида Асанова"})
SWITCHES = ["kstuMailEnabled", "kstuMailInbound", "mailLocalAddress"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlapdStandin]:
    if not slapd.available():
        missing("the Debian package slapd")
    with SlapdStandin(tmp_path_factory.mktemp("slapd")) as standin:
        yield standin


@pytest.fixture
def mail(server: SlapdStandin) -> Iterator[Mail]:
    connector = Mail(server.settings)
    yield connector
    for remote in connector.scan(None, 100).remotes:
        connector.delete(remote.id, "op")


def entry(server: SlapdStandin, remote_id: str) -> dict[str, list[str]]:
    directory = Directory(server.url, slapd.READER, slapd.READER_PASSWORD, 5)
    found = directory.search(PEOPLE, equals("entryUUID", remote_id), SWITCHES)[0]
    return {name: list(values) for name, values in found.attributes.items()}


def refusal(act: Callable[[], object]) -> OutcomeKind:
    with pytest.raises(TargetError) as caught:
        act()
    return caught.value.kind


def test_closing_refuses_the_person_and_keeps_taking_mail(server: SlapdStandin, mail: Mail) -> None:
    made = mail.create(WANTED, "op")
    mail.update(made.id, {"active": False}, "op")
    found = entry(server, made.id)
    assert (found["kstuMailEnabled"], found["kstuMailInbound"]) == (["FALSE"], ["accept"])


def test_it_tells_whether_a_mailbox_opens_with_a_password_where_mail_keeps_its_own(
    server: SlapdStandin, mail: Mail
) -> None:
    made = mail.create(WANTED, "op")
    Directory(server.url, slapd.ADMIN, slapd.ADMIN_PASSWORD, 5).replace(
        f"uid=aida,{PEOPLE}", {"userPassword": ["Kumbez, 9 Ala-Archa"]}
    )
    keeper = Mail(replace(server.settings, own_passwords=True))
    assert keeper.capabilities.verify_password and not mail.capabilities.verify_password
    tried = {
        password: keeper.verify_password("aida", password) for password in ("Kumbez, 9 Ala-Archa", "wrong", "", "*")
    }
    assert tried == {"Kumbez, 9 Ala-Archa": True, "wrong": False, "": False, "*": False}
    assert not keeper.verify_password("nobody", "Kumbez, 9 Ala-Archa")
    assert refusal(lambda: mail.verify_password("aida", "x")) is OutcomeKind.PERMANENT
    down = Mail(replace(server.settings, own_passwords=True, url="ldap://127.0.0.1:1"))
    assert refusal(lambda: down.verify_password("aida", "x")) is OutcomeKind.RETRYABLE
    mail.delete(made.id, "op")


def test_a_former_address_stays_and_nobody_else_gets_it(server: SlapdStandin, mail: Mail) -> None:
    made = mail.create(WANTED, "op")
    mail.update(made.id, {"email": "aida.asanova@example.edu"}, "op")
    mail.update(made.id, {"email": "Aida@example.edu"}, "op")
    mail.update(made.id, {"email": "aida.asanova@example.edu"}, "op")
    assert len(entry(server, made.id)["mailLocalAddress"]) == 2
    other = Wanted("acc-2", 1, True, {"login": "other", "email": "aida@example.edu"})
    assert refusal(lambda: mail.create(other, "op")) is OutcomeKind.CONFLICT


@pytest.mark.parametrize("login", ["a,b", "a+b=c", 'q"u\\o', "#x", "*", "a)(uid=*", " lead"])
def test_no_character_of_a_login_breaks_out_of_its_place(mail: Mail, login: str) -> None:
    one = Wanted(f"id*)({login.strip()}", 1, True, {"login": login, "email": "aida@example.edu"})
    made = mail.create(one, "op")
    mail.update(made.id, {"title": "x", "login": login + "2"}, "op")
    found = mail.find(Correlation(one.account_id, None, login, ""))
    assert found is not None and found.id == made.id and found.attributes["login"] == login + "2"
    assert mail.find(Correlation("*", None, "*", "*")) is None


def test_a_mailbox_needs_a_login_and_an_address(mail: Mail) -> None:
    assert refusal(lambda: mail.create(Wanted("acc", 1, True, {"login": "a"}), "op")) is OutcomeKind.PERMANENT


def test_a_value_may_be_emptied(mail: Mail) -> None:
    made = mail.create(replace(WANTED, attributes={**WANTED.attributes, "title": "доцент"}), "op")
    mail.update(made.id, {"title": ""}, "op")
    found = mail.find(Correlation("acc-1", made.id, "", ""))
    assert found is not None and "title" not in found.attributes


def test_an_account_that_may_only_read_is_a_matter_for_the_operator(server: SlapdStandin) -> None:
    reader = Mail(replace(server.settings, bind_dn=slapd.READER, password=slapd.READER_PASSWORD))
    assert refusal(lambda: reader.create(WANTED, "op")) is OutcomeKind.AUTH


def test_a_wrong_base_is_told_by_the_check(server: SlapdStandin) -> None:
    assert not Mail(replace(server.settings, base="ou=nowhere,dc=example,dc=edu")).check().ok


@pytest.mark.parametrize(("code", "kind"), [
    *CODES.items(), (1, OutcomeKind.PERMANENT), (4, OutcomeKind.PERMANENT), (21, OutcomeKind.PERMANENT),
    (53, OutcomeKind.PERMANENT), (65, OutcomeKind.PERMANENT),
])  # fmt: skip
def test_each_result_code_has_its_outcome(code: int, kind: OutcomeKind) -> None:
    error = fault(LDAPOperationResult(result=code, description="x", message="uid=aida"), repeatable=False)
    assert error.kind is kind and "aida" not in str(error)


def test_names_are_escaped_by_the_library() -> None:
    assert (equals("uid", "a*(b)"), rdn("uid", "a,b")) == (r"(uid=a\2a\28b\29)", r"uid=a\,b")


class Doveadm(BaseHTTPRequestHandler):
    """Answers what `reply` holds and keeps what it was asked.  A stand-in: it proves our side of the call only."""

    asked: ClassVar[list[tuple[str | None, Any]]] = []
    reply: ClassVar[Any] = None

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append((self.headers["Authorization"], body))
        answer = json.dumps(type(self).reply).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def dovecot() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Doveadm) as listening:
        threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()


@pytest.mark.parametrize(("reply", "kind"), [
    ([["doveadmResponse", [], "t"]], None), ([["error", {"type": "exitCode", "exitCode": 68}, "t"]], None),
    ([["error", {"type": "exitCode", "exitCode": 75}, "t"]], OutcomeKind.RETRYABLE), ({}, OutcomeKind.RETRYABLE),
])  # fmt: skip
def test_open_sessions_are_kicked_by_address(
    server: SlapdStandin, mail: Mail, dovecot: str, reply: Any, kind: OutcomeKind | None
) -> None:
    made = mail.create(WANTED, "op")
    Doveadm.reply = reply
    connector = Mail(replace(server.settings, doveadm_url=dovecot, doveadm_key="key"))
    assert connector.capabilities.end_sessions
    if kind is None:
        connector.end_sessions(made.id)
    else:
        assert refusal(lambda: connector.end_sessions(made.id)) is kind
    assert Doveadm.asked[-1] == ("X-Dovecot-API a2V5", [["kick", {"mask": ["aida@example.edu"]}, "t"]])


def test_entries_survive_a_restart_of_the_stand_in(tmp_path: Path) -> None:
    if not slapd.available():
        missing("the Debian package slapd")
    standin = SlapdStandin(tmp_path)
    with standin:
        made = Mail(standin.settings).create(WANTED, "op")
    with standin:
        assert Mail(standin.settings).find(Correlation("acc-1", made.id, "", "")) == made

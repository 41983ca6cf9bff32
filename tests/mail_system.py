"""A real mail system on loopback: slapd, Dovecot (IMAP, LMTP, administration over HTTP) and Postfix (SMTP).

Set up as contracts/mail says; nothing of the machine's own configuration is read or touched.  Runs as root, because both
change user; needs the Debian packages dovecot-imapd, dovecot-lmtpd, dovecot-ldap, postfix and postfix-ldap.
"""

import imaplib
import os
import shutil
import smtplib
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from connectors.standins import slapd
from connectors.standins.ports import free_port
from connectors.standins.slapd import LISTS, PEOPLE, READER, READER_PASSWORD, SlapdStandin
from tests.missing import missing

DOMAIN = "example.edu"
API_KEY = "only-for-tests"
PATIENCE = 15.0  # seconds that a delivery or the end of a session may take at most

ACCOUNT = "(objectClass=kstuMailAccount)(mailLocalAddress=%u)"
DOVECOT_FILES = {
    "deny": f"pass_filter = (&{ACCOUNT}(kstuMailEnabled=FALSE))\npass_attrs = mail=user\n",
    "pass": f"auth_bind = yes\npass_filter = (&{ACCOUNT}(kstuMailEnabled=TRUE))\npass_attrs = mail=user\n",
    "user": f"user_filter = (&{ACCOUNT})\nuser_attrs = mail=user\n",
}
DOVECOT = """
base_dir = {d}/dv
state_dir = {d}/dvs
log_path = {d}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_cache_size = 0
mail_location = maildir:{d}/mail/%Lu
mail_uid = nobody
mail_gid = nogroup
first_valid_uid = 1
passdb {{
  driver = ldap
  deny = yes
  args = {d}/deny.ext
}}
passdb {{
  driver = ldap
  args = {d}/pass.ext
}}
userdb {{
  driver = ldap
  args = {d}/user.ext
}}
# tests only: no growing delay after refusals from one address
auth_failure_delay = 0
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
doveadm_api_key = {key}
service doveadm {{
  inet_listener http {{
    address = 127.0.0.1
    port = {api}
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
"""

MAIN_CF = """
compatibility_level = 3.6
queue_directory = {d}/pfq
data_directory = {d}/pfd
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
maillog_file = {d}/postfix.log
maillog_file_prefixes = {d}
myhostname = mail.example.edu
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
virtual_mailbox_domains = {domain}
virtual_mailbox_maps = ldap:{d}/pf/mailbox.cf
virtual_alias_maps = ldap:{d}/pf/alias.cf ldap:{d}/pf/list.cf
virtual_transport = lmtp:inet:127.0.0.1:{lmtp}
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_restrictions = check_recipient_access ldap:{d}/pf/closed.cf,
  check_recipient_access ldap:{d}/pf/paused.cf, reject_unlisted_recipient, permit
default_transport = error:no delivery outside the tests
"""
MASTER_CF = """
127.0.0.1:{smtp} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
showq unix n - n - - showq
"""
OF_ACCOUNT = "(objectClass=kstuMailAccount)(mailLocalAddress=%s)"
POSTFIX_MAPS = {  # name -> filter, what is answered
    "mailbox": ("(&(objectClass=kstuMailAccount)(mail=%s))", "%s"),
    "alias": (f"(&{OF_ACCOUNT})", "%s"),
    "closed": (f"(&{OF_ACCOUNT}(kstuMailInbound=reject))", "550 5.2.1 This mailbox is closed"),
    "paused": (f"(&{OF_ACCOUNT}(kstuMailInbound=defer))", "450 4.2.1 This mailbox is paused"),
}
# an empty list would be taken for a mailbox of its own address: accepted first, then bounced
LIST_MAP = """query_filter = (&(objectClass=kstuMailList)(mailLocalAddress=%s)(|(member=*)(kstuListAddress=*)))
special_result_attribute = member
leaf_result_attribute = mail
result_attribute = kstuListAddress
"""


class MailSystem:
    """Starts on entering, stops on leaving."""

    def __init__(self) -> None:
        if not slapd.available() or not shutil.which("dovecot") or not shutil.which("postfix") or os.getuid() != 0:
            missing("one of the Debian packages slapd, dovecot-* and postfix-*, or the rights of root")
        self._stack = ExitStack()
        # short, for sockets are made in it; open to the users that the servers change to
        self._d = Path(self._stack.enter_context(TemporaryDirectory(prefix="achkych-ms-")))
        self._d.chmod(0o755)
        self.ports = {name: free_port() for name in ("imap", "lmtp", "api", "smtp")}
        self.directory = SlapdStandin(self._d / "ldap")

    @property
    def doveadm_url(self) -> str:
        return f"http://127.0.0.1:{self.ports['api']}"

    def __enter__(self) -> Self:
        with ExitStack() as undo:  # when one of them does not start, the others end
            undo.push(self._stack)
            self._stack.enter_context(self.directory)
            self._write_dovecot()
            self._write_postfix()
            self._run("dovecot", "-c", str(self._d / "dovecot.conf"))
            self._stack.callback(self._run, "doveadm", "-c", str(self._d / "dovecot.conf"), "stop")
            self._run("postfix", "-c", str(self._d / "pf"), "start")
            self._stack.callback(self._run, "postfix", "-c", str(self._d / "pf"), "abort")
            for name in ("imap", "smtp", "api"):
                eventually(lambda name=name: self._answers(name), f"{name} answers")
            undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def session(self, user: str, password: str) -> imaplib.IMAP4 | None:
        """An open IMAP session in the inbox; None where IMAP refuses the person."""
        client = imaplib.IMAP4("127.0.0.1", self.ports["imap"], timeout=PATIENCE)
        try:
            client.login(user, password)
        except imaplib.IMAP4.error:
            client.shutdown()
            return None
        client.select()
        return client

    def subjects(self, user: str) -> set[str]:
        """Of what is in the mailbox, sign-in or not: read from the disk."""
        return {line.removeprefix("Subject: ") for path in (self._d / "mail" / user).glob("new/*")
                for line in path.read_text("utf8").splitlines() if line.startswith("Subject: ")}  # fmt: skip

    def send(self, to: str, subject: str) -> int:
        """What a sender's server is answered: 250, or the status of the refusal."""
        with smtplib.SMTP("127.0.0.1", self.ports["smtp"], timeout=PATIENCE) as client:
            try:
                client.sendmail(
                    "hr@example.edu", [to], f"From: hr@example.edu\r\nTo: {to}\r\nSubject: {subject}\r\n\r\n."
                )
            except smtplib.SMTPRecipientsRefused as refused:
                return next(iter(refused.recipients.values()))[0]
        return 250

    def _write_dovecot(self) -> None:
        for name in ("mail", "dv", "dvs"):
            (self._d / name).mkdir()
        shutil.chown(self._d / "mail", "nobody", "nogroup")
        head = f"uris = {self.directory.url}\ndn = {READER}\ndnpass = {READER_PASSWORD}\nbase = {PEOPLE}\n"
        for name, text in DOVECOT_FILES.items():
            (self._d / f"{name}.ext").write_text(head + text)
        (self._d / "dovecot.conf").write_text(DOVECOT.format(d=self._d, key=API_KEY, **self.ports))

    def _write_postfix(self) -> None:
        for name in ("pf", "pfq", "pfd"):
            (self._d / name).mkdir()
        shutil.chown(self._d / "pfd", "postfix")
        shutil.copy("/etc/postfix/dynamicmaps.cf", self._d / "pf")
        shutil.copytree("/etc/postfix/dynamicmaps.cf.d", self._d / "pf/dynamicmaps.cf.d")
        (self._d / "pf/main.cf").write_text(MAIN_CF.format(d=self._d, domain=DOMAIN, **self.ports).lstrip())
        (self._d / "pf/master.cf").write_text(MASTER_CF.format(**self.ports).lstrip())
        head = (f"server_host = {self.directory.url}\nversion = 3\nbind = yes\nbind_dn = {READER}\n"
                f"bind_pw = {READER_PASSWORD}\n")  # fmt: skip
        for name, (where, answer) in POSTFIX_MAPS.items():
            text = f"query_filter = {where}\nresult_attribute = mail\nresult_format = {answer}\n"
            (self._d / f"pf/{name}.cf").write_text(f"{head}search_base = {PEOPLE}\n{text}")
        (self._d / "pf/list.cf").write_text(f"{head}search_base = {LISTS}\n{LIST_MAP}")

    def _answers(self, name: str) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.ports[name])) == 0

    def _run(self, *command: str) -> None:
        """Never with a pipe: the daemons keep it open."""
        with (self._d / "start.log").open("ab") as log:
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def eventually(true: Callable[[], bool], what: str) -> None:
    """Wait until it is so, at most `PATIENCE` seconds."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.02)

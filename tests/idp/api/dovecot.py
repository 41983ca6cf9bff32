"""A real Dovecot on loopback that asks the service before it looks at a password (`/api/attempts`)."""

import imaplib
import os
import shutil
import subprocess
import time
from base64 import b64encode
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from tests.missing import missing
from tests.postgres import free_port

MAIL_PASSWORD = "Only-the-mail-s-1"
ATTRIBUTES = "login=%{requested_username} pwhash=%{hashed_password} remote=%{rip} mech=%{mech} protocol=%s"
CONFIG = """
base_dir = {d}/run
state_dir = {d}/state
log_path = {d}/dovecot.log
auth_verbose = yes
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login xoauth2
mail_location = maildir:{d}/mail/%Lu
auth_policy_server_url = {url}/api/attempts
auth_policy_server_api_header = Authorization: Basic {credentials}
auth_policy_hash_nonce = only-for-tests
auth_policy_request_attributes = {attributes}
auth_policy_check_after_auth = no
auth_policy_reject_on_fail = yes
passdb {{
  driver = static
  mechanisms = plain login
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={d}/mail/%u
}}
first_valid_uid = 1
# tests only: no growing delay after wrong passwords from one address
auth_failure_delay = 0
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
"""


class Dovecot:
    """Starts on entering, stops on leaving; `credentials` are the client's name and secret.

    Its folder is open to the users that Dovecot changes to, as pytest's own are not.
    """

    def __init__(self, url: str, credentials: str) -> None:
        if shutil.which("dovecot") is None or os.getuid() != 0:
            missing("the Debian package dovecot-imapd, or the rights of root")
        self._folder = TemporaryDirectory(prefix="achkych-dv-")
        folder = Path(self._folder.name)
        folder.chmod(0o755)
        self.port, self._config = free_port(), folder / "dovecot.conf"
        self._config.write_text(CONFIG.format(
            d=folder, url=url, credentials=b64encode(credentials.encode()).decode(), password=MAIL_PASSWORD,
            user="nobody", group="nogroup", port=self.port, attributes=ATTRIBUTES,
        ))  # fmt: skip
        (folder / "mail").mkdir()
        shutil.chown(folder / "mail", "nobody", "nogroup")

    def __enter__(self) -> Self:
        self._run("dovecot", "-c", str(self._config))
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with suppress(OSError), imaplib.IMAP4("127.0.0.1", self.port):
                return self
            time.sleep(0.05)
        raise AssertionError("dovecot does not answer")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run("doveadm", "-c", str(self._config), "stop")
        self._folder.cleanup()

    def sign_in(self, user: str, password: str) -> bool:
        """Whether IMAP lets in."""
        with imaplib.IMAP4("127.0.0.1", self.port) as client:
            try:
                return client.login(user, password)[0] == "OK"
            except imaplib.IMAP4.error:
                return False

    def bring_token(self, user: str, token: str) -> bool:
        """Whether IMAP lets in by XOAUTH2; nothing checks tokens here, so it does not."""
        with imaplib.IMAP4("127.0.0.1", self.port) as client, suppress(imaplib.IMAP4.error):
            told = f"user={user}\x01auth=Bearer {token}\x01\x01".encode()
            return client.authenticate("XOAUTH2", lambda _: told)[0] == "OK"
        return False

    def looked(self) -> int:
        """How many wrong passwords it has looked at."""
        return (self._config.parent / "dovecot.log").read_text().count("Password mismatch")

    def _run(self, *command: str) -> None:
        """Never with a pipe: the daemons keep it open."""
        with (self._config.parent / "start.log").open("ab") as log:
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

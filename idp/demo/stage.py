"""Everything the demo needs around the service: started and stopped together, on loopback, state in one folder."""

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx2

from connectors.base import Connector
from connectors.mail import Mail
from connectors.moodle import Moodle
from connectors.standins import slapd
from connectors.standins.moodle import MoodleStandin
from connectors.standins.ports import free_port
from connectors.standins.unet import UnetStandin
from connectors.unet import Unet
from idp.clock import RehearsalClock
from idp.crypto import new_key
from idp.demo.hr import Hr, key_in
from idp.demo.outbox import Outbox
from idp.demo.relying_party import RelyingParty

NAMES = ("web", "smtp", "outbox", "system", "moodle", "unet", "slapd")
USUAL = dict(zip(NAMES, (8080, 8025, 8081, 8082, 8083, 8084, 8085), strict=True))
PATIENCE = 60  # seconds for the service to answer


@dataclass(frozen=True)
class Registered:
    """A client as `achkych client add` printed it."""

    client_id: str
    client_secret: str


class Stage:
    """The set of the demo, from entering to leaving."""

    def __init__(self, folder: Path, ports: Mapping[str, int] | None = None) -> None:
        self.folder = folder
        self.ports = ports or {name: free_port() for name in NAMES}
        self.base_url = f"http://localhost:{self.ports['web']}"
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        try:
            self._set_up()
        except BaseException:
            self._stack.close()
            raise
        return self

    def _set_up(self) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)  # of the outbox and the demo's system
        self.folder.mkdir(parents=True, exist_ok=True)
        self.clock = RehearsalClock(self.folder / "clock-shift")
        self.hr = Hr(key_in(self.folder / "hr.key"), self.base_url, self.clock)
        self.outbox = self._stack.enter_context(Outbox(self.ports["smtp"], self.ports["outbox"]))
        self.moodle = self._stack.enter_context(MoodleStandin(self.folder / "moodle", self.ports["moodle"]))
        self.unet = self._stack.enter_context(UnetStandin(self.folder / "unet", self.ports["unet"]))
        self.mail = self._mail()
        self._write_settings()
        self.command("migrate")
        self._serve()
        self.system = self._system()

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def connector(self, system: str) -> Connector:
        """A connector of our own to a target, to look at it past the service."""
        if system == "mail" and self.mail is not None:
            return Mail(self.mail.settings)
        return Unet(self.unet.settings) if system == "unet" else Moodle(self.moodle.settings)

    def command(self, *words: str) -> str:
        """Run `achkych ...` on this installation; its output.  Raises `CalledProcessError` with what it said."""
        done = subprocess.run(
            [sys.executable, "-m", "idp", *words], env=self._environment(), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"achkych {' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def add_client(self, name: str, *options: str) -> Registered:
        """Register an OAuth client."""
        printed = dict(line.split(":", 1) for line in self.command("client", "add", name, *options).splitlines())
        return Registered(printed["client_id"].strip(), printed["client_secret"].strip())

    def _mail(self) -> slapd.SlapdStandin | None:
        """The mail system's directory, where Debian's package slapd is installed; else its tasks visibly wait."""
        if not slapd.available():
            return None
        return self._stack.enter_context(slapd.SlapdStandin(self.folder / "slapd", self.ports["slapd"]))

    def _system(self) -> RelyingParty:
        """UNET's sign-in page, a client of the service."""
        system = RelyingParty(self.ports["system"], self.base_url)
        known = self.folder / "client.json"
        if not known.exists():
            client = self.add_client("UNET", "--system", "unet", "--redirect-uri", system.redirect_uri)
            known.write_text(json.dumps([client.client_id, client.client_secret]))
        system.register(*json.loads(known.read_text()))
        return self._stack.enter_context(system)

    def _write_settings(self) -> None:
        file = self.folder / "achkych.toml"
        if file.exists():
            return
        targets: dict[str, dict[str, Any]] = {
            "unet": {"url": self.unet.url, "token": self.unet.token},
            "moodle": {"url": self.moodle.url, "token": self.moodle.token, "cohorts": "achkych"},
        }
        if self.mail is not None:
            mail = self.mail.settings
            targets["mail"] = {"url": mail.url, "bind_dn": mail.bind_dn, "password": mail.password, "base": mail.base}
        file.write_text(_toml(self._settings(), targets))
        file.chmod(0o600)

    def _settings(self) -> dict[str, dict[str, Any]]:
        return {
            "": {
                "environment": "development",
                "base_url": self.base_url,
                "port": self.ports["web"],
                "database_url": f"sqlite:///{(self.folder / 'achkych.db').absolute()}",
                "rehearsal_shift": str(self.clock.shift_file.absolute()),
            },
            "secrets": {"pages": new_key(), "lookup": new_key(), "active": "k1"},
            "secrets.sealing": {"k1": new_key()},
            "mail": {"port": self.ports["smtp"], "starttls": False, "sender": "achkych@kstu.kg"},
            "senders.shnet": {"keys": [self.hr.public_key], "addresses": ["127.0.0.0/8"]},
        }

    def _environment(self) -> dict[str, str]:
        return os.environ | {"ACHKYCH_CONFIG": str((self.folder / "achkych.toml").absolute())}

    def _serve(self) -> None:
        with (self.folder / "service.log").open("ab") as log:
            command = [sys.executable, "-m", "idp", "serve"]
            service = subprocess.Popen(command, env=self._environment(), stdout=log, stderr=log)
        self._stack.callback(_end, service)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and service.poll() is None:
            try:
                if httpx2.get(f"{self.base_url}/health/ready").status_code == 200:
                    return
            except httpx2.TransportError:
                time.sleep(0.1)
        raise RuntimeError(f"the service did not start:\n{(self.folder / 'service.log').read_text()[-2000:]}")


def _end(service: subprocess.Popen[bytes]) -> None:
    service.send_signal(signal.SIGTERM)
    try:
        service.wait(30)
    except subprocess.TimeoutExpired:
        service.kill()


def _toml(sections: Mapping[str, Mapping[str, Any]], targets: Mapping[str, Mapping[str, Any]]) -> str:
    """Strings, numbers, booleans and lists of strings are written in TOML as in JSON."""
    all_sections = {**sections, **{f"targets.{code}": values for code, values in targets.items()}}
    parts = []
    for name, values in all_sections.items():
        head = [f"[{name}]"] if name else []
        parts.append("\n".join([*head, *(f"{key} = {json.dumps(value)}" for key, value in values.items())]))
    return "\n\n".join(parts) + "\n"

"""Starts npm's `oidc-provider` for the bench: two processes of Node on one SQLite file (`provider.mjs`)."""

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

from argon2 import PasswordHasher
from joserfc.jwk import ECKey

from tests.bench.load import HANDS
from tests.bench.provider import CALLBACK, Client, NotDrivenError, Provider, Someone, running, tail
from tests.postgres import free_port

HERE = Path(__file__).parent
INSTALLING = 900  # seconds; better-sqlite3 is compiled where its ready-made build can't be fetched
RESOURCE = "https://api.example"  # what makes access tokens JWTs


@contextmanager
def oidc_provider(folder: Path, hasher: PasswordHasher) -> Iterator[Provider]:
    """The provider with two clients and a person for each hand; `folder` is empty.  Raises `NotDrivenError`."""
    _install()
    port = free_port()
    machine, client = (Client(name, token_hex(32)) for name in ("machine", "people"))
    people = [Someone(f"person{number}", token_hex(16)) for number in range(HANDS)]
    _store(folder / "bench.db", people, hasher)
    (folder / "config.json").write_text(json.dumps(_config(folder, port, machine, client)))
    command = ["node", str(HERE / "provider.mjs"), str(folder / "config.json")]
    with running("oidc-provider", command, port, folder / "log", os.environ | {"NODE_ENV": "production"}) as pid:
        yield Provider(
            "oidc-provider", _version(), port, pid, folder / "log", client, machine, people, more={"resource": RESOURCE}
        )


def _install() -> None:
    """What package-lock.json says, once."""
    mark = HERE / "node_modules" / ".package-lock.json"
    if mark.exists() and mark.stat().st_mtime >= (HERE / "package-lock.json").stat().st_mtime:
        return
    if shutil.which("npm") is None:
        raise NotDrivenError("npm is missing")
    command = ["npm", "ci", "--silent", "--no-audit", "--no-fund", "--prefix", str(HERE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALLING)
    if done.returncode != 0:
        raise NotDrivenError(f"npm ci: {tail(done.stderr or done.stdout)}")


def _store(path: Path, people: list[Someone], hasher: PasswordHasher) -> None:
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE person (login TEXT PRIMARY KEY, password_hash TEXT NOT NULL) WITHOUT ROWID")
    rows = [(someone.login, hasher.hash(someone.password)) for someone in people]
    database.executemany("INSERT INTO person VALUES (?, ?)", rows)
    database.commit()
    database.close()


def _config(folder: Path, port: int, machine: Client, client: Client) -> dict[str, object]:
    key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
    for_people = {"redirect_uris": [CALLBACK], "grant_types": ["authorization_code", "refresh_token"]}
    for_itself = {"redirect_uris": [], "response_types": [], "grant_types": ["client_credentials"]}
    return {
        "issuer": f"http://127.0.0.1:{port}",
        "port": port,
        "database": str(folder / "bench.db"),
        "resource": RESOURCE,
        "cookieKeys": [token_hex(32)],
        "jwks": {"keys": [key.as_dict(private=True)]},
        "clients": [_registration(client) | for_people, _registration(machine) | for_itself],
    }


def _registration(client: Client) -> dict[str, object]:
    return {
        "client_id": client.client_id,
        "client_secret": client.secret,
        "token_endpoint_auth_method": "client_secret_basic",
    }


def _version() -> str:
    package = json.loads((HERE / "node_modules" / "oidc-provider" / "package.json").read_text())
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return f"{package['version']}, Node {node.removeprefix('v')}"

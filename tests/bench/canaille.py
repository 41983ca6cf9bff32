"""Starts PyPI's `canaille` for the bench: two Hypercorn workers on one SQLite file, in an environment of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from uuid import uuid4

from joserfc.jwk import ECKey, RSAKey

from tests.bench.load import HANDS
from tests.bench.provider import CALLBACK, WORKERS, Client, NotDrivenError, Provider, Someone, running, tail
from tests.postgres import free_port

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
HOME = ROOT / "var" / "bench" / "canaille"  # git ignores var
LOCK = HERE / "canaille.lock"
INSTALLING = 600  # seconds
SCOPE = "openid profile"


@contextmanager
def canaille(folder: Path, cost: dict[str, int]) -> Iterator[Provider]:
    """The provider with two clients and a person for each hand; `folder` is empty, `cost` that of Argon2id.

    Raises `NotDrivenError`.
    """
    _install()
    port = free_port()
    environment = os.environ | _settings(folder, port, cost)
    machine, client = (Client(name, token_hex(24)) for name in ("machine", "people"))
    people = [Someone(f"person{number}", token_hex(16)) for number in range(HANDS)]
    _run(environment, "db upgrade")
    _run(environment, "restore", json.dumps(_rows(port, machine, client, people)))
    command = [str(HOME / "bin" / "canaille"), "run"]
    with running("canaille", command, port, folder / "log", environment) as pid:
        yield Provider("canaille", _version(), port, pid, folder / "log", client, machine, people, scope=SCOPE)


def _install() -> None:
    """What canaille.lock says, once."""
    mark = HOME / "installed"
    if mark.exists() and mark.stat().st_mtime >= LOCK.stat().st_mtime:
        return
    HOME.parent.mkdir(parents=True, exist_ok=True)
    python = str(HOME / "bin" / "python")
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(HOME)], capture_output=True)
    if made.returncode != 0:  # Debian without python3-venv
        subprocess.run([sys.executable, str(ROOT / ".ci" / "bare_venv.py"), str(HOME)], check=True)
    command = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes", "-r", str(LOCK)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALLING)
    if done.returncode != 0:
        raise NotDrivenError(f"pip: {tail(done.stderr)}")
    mark.touch()


def _settings(folder: Path, port: int, cost: dict[str, int]) -> dict[str, str]:
    """Its settings, as environment variables; the first key signs ES256, RS256 is what it insists on having."""
    keys: list[ECKey | RSAKey] = [
        ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True),
        RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True),
    ]
    return {
        "SECRET_KEY": token_hex(32),
        "SERVER_NAME": f"127.0.0.1:{port}",
        "PREFERRED_URL_SCHEME": "http",
        "CANAILLE__DATABASE": "sql",
        "CANAILLE_SQL__DATABASE_URI": f"sqlite:///{folder}/bench.db",
        "CANAILLE_SQL__PASSWORD_SCHEMES": "argon2",
        "CANAILLE_SQL__PASSWORD_HASH_PARAMS": json.dumps({f"argon2__{name}": value for name, value in cost.items()}),
        "CANAILLE_OIDC__ACTIVE_JWKS": json.dumps([key.as_dict(private=True) for key in keys]),
        "CANAILLE_HYPERCORN__BIND": f"127.0.0.1:{port}",
        "CANAILLE_HYPERCORN__WORKERS": str(WORKERS),
        "CANAILLE_HYPERCORN__KEEP_ALIVE_MAX_REQUESTS": "1000000",
    }


def _rows(port: int, machine: Client, client: Client, people: list[Someone]) -> dict[str, object]:
    """What `canaille restore` takes.  Clients at a trusted address are not asked about."""
    for_people = {"redirect_uris": [CALLBACK], "grant_types": ["authorization_code", "refresh_token"]}
    for_itself = {"grant_types": ["client_credentials"]}
    return {
        "user": [{"id": str(uuid4()), "user_name": someone.login, "family_name": someone.login.capitalize(),
                  "formatted_name": someone.login.capitalize(), "password": someone.password}
                 for someone in people],
        "client": [_registration(client, port) | for_people, _registration(machine, port) | for_itself],
    }  # fmt: skip


def _registration(client: Client, port: int) -> dict[str, object]:
    identity = str(uuid4())
    return {
        "id": identity,
        "audience": [identity],
        "client_id": client.client_id,
        "client_secret": client.secret,
        "client_name": client.client_id,
        "client_uri": f"http://127.0.0.1:{port}",
        "response_types": ["code"],
        "scope": SCOPE.split(),
        "token_endpoint_auth_method": "client_secret_basic",
        "id_token_signed_response_alg": "ES256",
    }


def _run(environment: dict[str, str], command: str, given: str = "") -> None:
    arguments = [str(HOME / "bin" / "canaille"), *command.split()]
    done = subprocess.run(arguments, input=given, env=environment, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise NotDrivenError(f"canaille {command}: {tail(done.stderr)}")


def _version() -> str:
    pins = (line.split()[0] for line in LOCK.read_text().splitlines() if line.startswith("canaille"))
    return f"{next(pins).rpartition('==')[2]}, Python {sys.version.split()[0]}"

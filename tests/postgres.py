"""A throw-away PostgreSQL server on loopback, from Debian's package; nothing of the machine's own is touched."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp


def binaries() -> Path | None:
    """Where the newest installed server's programs are, if any."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@contextmanager
def postgres_server() -> Iterator[str]:
    """Runs a server; gives the address of its `postgres` database without the database's name."""
    programs = binaries()
    assert programs is not None, "the Debian package postgresql is missing"
    folder = Path(mkdtemp(prefix="achkych-pg-"))
    port = free_port()
    if os.getuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    data = folder / "data"
    _run(programs / "initdb", "-D", data, "-U", "achkych", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C.UTF-8")
    listen = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=''"
    options = f"{listen} -c fsync=off -c max_connections=300"
    _run(programs / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start")
    try:
        yield f"postgresql+psycopg://achkych@127.0.0.1:{port}"
    finally:
        _run(programs / "pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _run(*command: object) -> None:
    """As the user postgres when we are root, which the server refuses to run as."""
    prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []
    subprocess.run([*prefix, *map(str, command)], check=True, cwd="/tmp", stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip

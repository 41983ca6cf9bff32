"""`achkych web`: what a refused start says, and that the processes share what they can and nothing they must not."""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from idp.crypto import new_key
from tests.postgres import free_port


@contextmanager
def started(folder: Path, port: int, migrated: bool = True) -> Iterator[subprocess.Popen[str]]:
    """The command under way, with two processes."""
    file = folder / "achkych.toml"
    file.write_text(
        f'base_url = "http://127.0.0.1:{port}"\nenvironment = "development"\nport = {port}\nweb_processes = 2\n'
        f'database_url = "sqlite:///{folder}/achkych.db"\n[secrets]\npages = "{new_key()}"\nlookup = "{new_key()}"\n'
        f'active = "k1"\nsealing = {{ k1 = "{new_key()}" }}\n[mail]\nsender = "achkych@kstu.kg"\n'
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ACHKYCH_")}
    environment |= {"ACHKYCH_CONFIG": str(file)}
    if migrated:
        migrate = [sys.executable, "-m", "idp", "migrate"]
        subprocess.run(migrate, env=environment, check=True, timeout=120, stdout=subprocess.DEVNULL)
    command = [sys.executable, "-m", "idp", "web"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def status(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path)
    answer = connection.getresponse().status
    connection.close()
    return answer


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            assert status(port, "/health/ready") == 200
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the service does not answer")


def memory(pid: int, what: str) -> int:
    """Kilobytes, from the kernel's own account of a process."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(f"{what}:"))


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def holds_the_database(pid: int) -> bool:
    links = Path(f"/proc/{pid}/fd").iterdir()
    return any("achkych.db" in os.readlink(link) for link in links if link.is_symlink())


def test_the_web_processes_answer_and_share_the_code_they_run(tmp_path: Path) -> None:
    port = free_port()
    with started(tmp_path, port) as process:
        wait_for(port)
        assert {status(port, "/sign-in") for _ in range(40)} == {200}
        both = children(process.pid)
        assert len(both) == 2
        assert all(memory(child, "Private_Dirty") < memory(child, "Rss") / 2 for child in both)
        assert any(holds_the_database(child) for child in both)
        assert not holds_the_database(process.pid), "a connection belongs to one process"


def test_a_start_that_is_refused_says_why_before_any_process_is_there(tmp_path: Path) -> None:
    with started(tmp_path, free_port(), migrated=False) as process:
        said, _ = process.communicate(timeout=60)
        assert process.returncode == os.EX_CONFIG
        assert "achkych migrate" in said
        assert "Traceback" not in said
        assert "granian" not in said.lower()

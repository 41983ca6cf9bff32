"""Waiting for servers on loopback, and for processes to end."""

import socket
import subprocess
import time


def free_port() -> int:
    """A TCP port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[bytes], seconds: float = 15.0) -> None:
    """Until the port answers; fails at once when the process has ended instead."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError(f"the stand-in on port {port} did not start (exit code {process.poll()})")


def end(process: subprocess.Popen[bytes], seconds: float = 5.0) -> None:
    """Asks the process to end, and insists after a while."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

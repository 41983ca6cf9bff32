"""The real command `achkych worker` in processes of its own, on the settings of a test."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from idp.settings import Settings

PATIENCE = 60.0  # seconds


def environment(settings: Settings) -> dict[str, str]:
    """The settings as environment variables."""
    told = {
        name: str(value) if isinstance(value, str | Path) else json.dumps(value, default=_plain)
        for name, value in settings.model_dump(exclude_unset=True).items()
    }
    names = {f"ACHKYCH_{name.upper()}": value for name, value in told.items()}
    return {**os.environ, **names}


def _plain(value: Any) -> Any:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


class WorkerProcess:
    """Runs from entering to leaving; its log is at hand when something goes wrong."""

    def __init__(self, settings: Settings, log: Path) -> None:
        self.log = log
        with log.open("ab") as out:
            command = [sys.executable, "-W", "ignore", "-m", "idp", "worker"]
            self._process = subprocess.Popen(command, env=environment(settings), cwd=log.parent, stdout=out, stderr=out)

    def __enter__(self) -> "WorkerProcess":
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self.kill()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(30)

    def kill(self) -> None:
        """kill -9."""
        self._process.kill()
        self._process.wait()


def until(condition: Callable[[], Any], seconds: float = PATIENCE) -> float:
    """Wait until it holds; how long that took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, "waited too long"
        time.sleep(0.05)
    return time.monotonic() - began

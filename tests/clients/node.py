"""Programs in JavaScript that talk with a test: one line of JSON each way (`conversation.mjs` is the other end)."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.missing import missing

HERE = Path(__file__).parent


class Program:
    """A running script."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process, self._to, self._from = process, process.stdin, process.stdout

    def say(self, value: Any) -> None:
        self._to.write(json.dumps(value) + "\n")
        self._to.flush()

    def hear(self) -> dict[str, Any]:
        """What it says next; what it complained of, when it died instead."""
        line = self._from.readline()
        assert line, self._process.communicate(timeout=10)[1]
        return dict(json.loads(line))


@contextmanager
def talking(script: str, **told: Any) -> Iterator[Program]:
    """Run `script` of this folder; `told` is the first thing it hears, so that no secret stands on a command line."""
    if shutil.which("node") is None:
        missing("the Debian package nodejs")
    installed()
    pipe = subprocess.PIPE
    with subprocess.Popen(["node", HERE / script], stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            program = Program(process)
            program.say(told)
            yield program
        finally:
            process.kill()


def installed() -> Path:
    """The folder with the packages from npm."""
    folder = HERE / "node_modules"
    if not folder.exists():
        missing("tests/clients/node_modules")
    return folder

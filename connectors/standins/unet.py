"""A stand-in of UNET's SCIM service: the `scim2-server` command, which keeps its users in memory."""

import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from connectors.standins.ports import end, free_port, wait_for
from connectors.unet import UnetSettings


class UnetStandin:
    """Starts on entering, stops on leaving; `users.json` in the folder holds what was there at the end."""

    def __init__(self, folder: Path, port: int = 0, token: str = "standin-unet-token") -> None:
        self.folder, self.port, self.token = folder, port or free_port(), token
        self.url = f"http://127.0.0.1:{self.port}/v2"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def settings(self) -> UnetSettings:
        """How a connector reaches this stand-in."""
        return UnetSettings(url=self.url, token=self.token)

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [str(Path(sys.executable).parent / "scim2-server"), "--port", str(self.port),
                   "--bearer-token", self.token, "--dump-resources", str(self.folder / "users.json")]  # fmt: skip
        with (self.folder / "scim2-server.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for(self.port, self._process)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            end(self._process)
            self._process = None

"""Makes a virtual environment where Debian's `python3-venv` is missing: without ensurepip, with a pinned pip.

Run as `python3 .ci/bare_venv.py FOLDER`; needs nothing but Python and the package index.
"""

import hashlib
import io
import json
import sys
import venv
import zipfile
from pathlib import Path
from urllib.request import Request, urlopen

INDEX = "https://pypi.org/simple/pip/"
WHEEL = "pip-26.3-py3-none-any.whl"
SHA256 = "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"


def main(folder: Path) -> None:
    venv.create(folder, clear=True, with_pip=False)
    site = next((folder / "lib").glob("python3*")) / "site-packages"
    zipfile.ZipFile(io.BytesIO(pinned_wheel())).extractall(site)  # a pure wheel runs from where it lies


def pinned_wheel() -> bytes:
    listing = json.load(urlopen(Request(INDEX, headers={"Accept": "application/vnd.pypi.simple.v1+json"}), timeout=60))
    url = next(file["url"] for file in listing["files"] if file["filename"] == WHEEL)
    wheel: bytes = urlopen(url, timeout=120).read()
    if hashlib.sha256(wheel).hexdigest() != SHA256:
        raise SystemExit(f"{WHEEL} is not what was pinned")
    return wheel


if __name__ == "__main__":
    main(Path(sys.argv[1]))

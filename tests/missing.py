"""What a test does when something it needs is not on the machine."""

import os
from typing import NoReturn

import pytest


def missing(what: str) -> NoReturn:
    """Skip, saying what `make setup` would provide; CI has everything, so there it is a failure."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing (`make setup` installs it)")
    pytest.skip(f"{what} is missing (`make setup` installs it)")

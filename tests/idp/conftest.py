"""The HR department beside the shared fixtures."""

import os
from pathlib import Path

import pytest
from flask import Flask

from idp.clock import SetClock
from tests.idp.hr import Hr


@pytest.fixture
def hr(app: Flask, clock: SetClock) -> Hr:
    return Hr(app, clock)


@pytest.fixture
def shared() -> Path:
    """The folder of the contracts, where it is at hand."""
    folder = Path(os.environ.get("ACHKYCH_SHARED", Path(__file__).parents[3] / "shared"))
    if not (folder / "contracts").is_dir():
        pytest.skip("the contracts are not at hand (ACHKYCH_SHARED)")
    return folder

"""The HR department beside the shared fixtures."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from idp.clock import SetClock
from tests.idp.hr import Hr
from tests.rsa_keys import cheap_rsa_keys


@pytest.fixture(autouse=True)
def rsa_keys_made_before() -> Iterator[None]:
    with cheap_rsa_keys():
        yield


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

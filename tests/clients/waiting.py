"""Waiting for a server that was just started."""

import time

import httpx2
import pytest


def wait_for(url: str) -> None:
    """Until it answers well; half a minute at most."""
    for _ in range(300):
        try:
            if httpx2.get(url).status_code == 200:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.1)
    pytest.fail(f"{url} does not answer")

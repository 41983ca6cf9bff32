"""Devices in words (5.4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.devices import BROWSERS, SYSTEMS, device

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("agent", "named"),
    [
        (f"Mozilla/5.0 (Linux; Android 14; K) {WEBKIT} Chrome/140.0.0.0 Mobile Safari/537.36", "Chrome, Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605 Safari/604.1", "Safari, iPhone"),
        (f"Mozilla/5.0 (Windows NT 10.0) {WEBKIT} Chrome/140.0.0.0 Safari/537.36 Edg/140.0", "Edge, Windows"),
        (f"Mozilla/5.0 (Windows NT 10.0) {WEBKIT} Chrome/140.0.0.0 YaBrowser/25.8 Safari/537.36", "Yandex, Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox, Linux"),
        ("Something on Windows", "Windows"),
        ("curl/8.5", ""),
        ("", ""),
    ],
)
def test_a_device_is_named_as_people_know_it_and_none_is_guessed(agent: str, named: str) -> None:
    assert device(agent) == named


@given(agent=st.text(max_size=300))
def test_only_words_of_ours_are_told_of_a_device(agent: str) -> None:
    words = {name for table in (BROWSERS, SYSTEMS) for _, name in table}
    assert set(filter(None, device(agent).split(", "))) <= words

"""Addresses of clients: what may be registered and what never."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.redirect_uris import LONGEST_URI, is_loopback, redirect_uri_refusal, web_address_refusal


@pytest.mark.parametrize(
    ("uri", "refusal"),
    [
        ("https://rp.example/cb?tenant=7", None),
        ("http://127.0.0.1:8000/cb", None),
        ("http://[::1]/cb", None),
        ("http://localhost/cb", None),
        ("http://rp.example/cb", "http"),
        ("http:///cb", "http"),
        ("https:cb", "host"),
        ("https://rp.example:99999/", "malformed"),
        ("https://[::1/", "malformed"),
        ("https://127.0.0.1/cb", None),
        ("https://[2001:db8::1]:8443/cb", None),
        ("https://RP-2.example:8443/cb", None),
        ("https://rp.example;evil.example/", "host"),
        ("https://rp.example,evil.example/", "host"),
        ("https://rp.example%2eevil.example/", "host"),
        ("https://rp..example/", "host"),
        ("https://rp.example./", "host"),
        ("https://.rp.example/", "host"),
        ("https://:8443/", "host"),
        ("https://rp_1.example/", "host"),
        ("https://[fe80::1%25eth0]/", "host"),
        ("https://[v1.x]/", "malformed"),
        ("https://[rp.example]/", "malformed"),
        ("https://[::1]evil.example/", "host"),
        ("http://evil.example[::1]/", "http"),
        ("http://[::1%25lo]/", "http"),
        ("http://localhost./", "http"),
        ("https://user@rp.example/", "userinfo"),
        ("https://@rp.example/", "userinfo"),
        ("https://rp.example/a/%2E%2e/b", "path"),
        ("https://*.example/", "characters"),
        ("", "characters"),
        ("https://rp.example/" + "x" * LONGEST_URI, "characters"),
        ("https://rp.example/#", "fragment"),
        ("com.example.app:/cb", "scheme"),
        ("javascript:alert(1)", "scheme"),
    ],
)
def test_a_redirect_uri_leads_to_a_client_and_nowhere_else(uri: str, refusal: str | None) -> None:
    assert redirect_uri_refusal(uri) == refusal


@pytest.mark.parametrize(
    ("uri", "refusal"),
    [
        ("com.example.app:/cb", None),
        ("com.example.app://host/cb", "scheme"),
        ("app:/cb", "scheme"),
        ("javascript:alert(1)", "scheme"),
        ("http://rp.example/", "http"),
        ("com.example.app:/../cb", "path"),
    ],
)
def test_an_application_on_a_device_has_a_scheme_of_its_own(uri: str, refusal: str | None) -> None:
    assert redirect_uri_refusal(uri, native=True) == refusal


def test_other_addresses_of_a_client_may_have_fragments() -> None:
    assert web_address_refusal("https://rp.example/request.jwt#hash") is None


@pytest.mark.parametrize(
    ("host", "verdict"),
    [
        ("localhost", True),
        ("127.9.9.9", True),
        ("::1", True),
        (None, False),
        ("10.0.0.1", False),
        ("rp.example", False),
    ],
)
def test_loopback_is_this_very_machine(host: str | None, verdict: bool) -> None:
    assert is_loopback(host) is verdict


@given(uri=st.text(max_size=60) | st.from_regex(r"https?://[ -~]{0,30}", fullmatch=True), native=st.booleans())
def test_an_address_that_is_taken_is_plain_and_leads_where_it_says(uri: str, native: bool) -> None:
    if redirect_uri_refusal(uri, native) is None:
        parts = urlsplit(uri)
        assert uri.isascii() and uri.isprintable() and not {"#", "*", " ", "\\"} & set(uri)
        assert parts.username is None and parts.password is None
        assert parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname)) or native

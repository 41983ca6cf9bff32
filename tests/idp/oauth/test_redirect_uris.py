"""Redirect URIs: what may be registered, and that nothing else than what is registered is ever answered at."""

import json

import pytest

from idp.flows.register_client import BadClient
from policies.redirect_uris import redirect_uri_refusal
from tests.builders import Make
from tests.idp.oauth.driver import CALLBACK, Party, answer_of
from tests.idp.oauth.test_registration import Registrar

# CALLBACK is https://rp.example/callback?tenant=7
UNFIT = [  # addresses that nobody can register, nor ask for
    # the registered one with something added
    "https://rp.example/callback?tenant=7#",
    "https://rp.example/callback?tenant=7#fragment",
    "https://rp.example/callback?tenant=7#access_token=x",
    "https://rp.example/./callback?tenant=7",
    "https://rp.example/x/../callback?tenant=7",
    "https://rp.example/callback/..?tenant=7",
    "https://rp.example/%2e%2e/callback?tenant=7",
    "https://rp.example/.%2E/callback?tenant=7",
    "https://rp.example/..\\callback?tenant=7",
    "https://rp.example/callback?tenant=7 ",
    " https://rp.example/callback?tenant=7",
    "\u00a0https://rp.example/callback?tenant=7",
    "\ufeffhttps://rp.example/callback?tenant=7",
    "https://rp.example/callback?tenant=7\n",
    "\nhttps://rp.example/callback?tenant=7",
    "https://rp.example/callback?tenant=7\r\nSet-Cookie: a=b",
    "https://rp.example/call\tback?tenant=7",
    "https://rp.example/callback?tenant=7\t",
    "https://rp.example/callback?tenant=7\0",
    "https://rp.example/callback?tenant=7\x7f",
    "https://rp.example/callback?tenant=7\u2028",
    "https://rp.example/callback?tenant=7\u200b",
    "https://rp.example/callback?tenant=\uff17",
    "https://rp.example/*?tenant=7",
    "http://rp.example/callback?tenant=7",
    "http://rp.example:443/callback?tenant=7",
    # another host that looks like it
    "https://evil.example#https://rp.example/callback?tenant=7",
    "https://evil.example#@rp.example/callback?tenant=7",
    "https://evil.example\\@rp.example/callback?tenant=7",
    "https://rp.example\\.evil.example/callback?tenant=7",
    "https:\\\\rp.example\\callback?tenant=7",
    "https:/\\evil.example/callback?tenant=7",
    "https://rp.example@evil.example/callback?tenant=7",
    "https://rp.example:443@evil.example/callback?tenant=7",
    "https://@rp.example/callback?tenant=7",
    "https://user:pass@rp.example/callback?tenant=7",
    "https://rр.example/callback?tenant=7",  # a Cyrillic letter
    "https://rp.example\u3002evil.example/callback?tenant=7",
    "https://rp\u2044example/callback?tenant=7",
    "https://rp\u00ad.example/callback?tenant=7",
    "https://\uff52p.example/callback?tenant=7",
    "https://rp.example\x00.evil.example/callback?tenant=7",
    "https://rp.example\n.evil.example/callback?tenant=7",
    "https://rp.example./callback?tenant=7",
    "https://rp.example%2eevil.example/callback?tenant=7",
    "https://*.example/callback?tenant=7",
    "https://*/callback?tenant=7",
    "https:rp.example/callback?tenant=7",
    "https:/rp.example/callback?tenant=7",
    "https:///rp.example/callback?tenant=7",
    "https://",
    "https://?tenant=7",
    "https://:443/callback?tenant=7",
    "//rp.example/callback?tenant=7",
    "///evil.example",
    "\\\\evil.example",
    "/callback?tenant=7",
    "../callback?tenant=7",
    "rp.example/callback?tenant=7",
    "?tenant=7",
    "#",
    # other schemes
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "java\tscript:alert(1)",
    "javascript://rp.example/callback?tenant=7",
    "javascript:https://rp.example/callback?tenant=7",
    "data:text/html,<script>alert(1)</script>",
    "data:text/html;base64,PHNjcmlwdD4=",
    "vbscript:msgbox",
    "file:///etc/passwd",
    "ftp://rp.example/callback?tenant=7",
    "ws://rp.example/callback?tenant=7",
    "wss://rp.example/callback?tenant=7",
    "blob:https://rp.example/callback?tenant=7",
    "filesystem:https://rp.example/callback?tenant=7",
    "view-source:https://rp.example/callback?tenant=7",
    "intent://rp.example/callback#Intent;scheme=https;end",
    "mailto:evil@evil.example",
    "httpss://rp.example/callback?tenant=7",
    "com.example.app:/callback",
    "app:/callback",
    "about:blank",
    "urn:ietf:wg:oauth:2.0:oob",
    # what looks like loopback
    "http://127.0.0.1.evil.example/callback?tenant=7",
    "http://127.0.0.1@evil.example/callback?tenant=7",
    "http://localhost.evil.example/callback?tenant=7",
    "http://0.0.0.0/callback?tenant=7",
    "http://2130706433/callback?tenant=7",
    "http://0x7f.1/callback?tenant=7",
    # what breaks parsers
    'https://rp.example/callback?tenant=7"',
    "https://rp.example/callback?tenant=7'><script>",
    "https://[rp.example/callback?tenant=7",
    "https://rp.example]/callback?tenant=7",
    "https://[::1/callback?tenant=7",
    "https://rp.example:port/callback?tenant=7",
    "https://rp.example:99999/callback?tenant=7",
    "https://rp.example:-1/callback?tenant=7",
    "https://rp.example/\ud800",
    "https://rp.example/кат",
    CALLBACK + " " + CALLBACK,
    "x" * 5000,
    "null",
]
FOREIGN = [  # somebody else may register these; to this client they are foreign
    # near misses of the registered one
    "https://rp.example/callback",
    "https://rp.example/callback?",
    "https://rp.example/callback?tenant=8",
    "https://rp.example/callback?tenant=7&",
    "https://rp.example/callback?tenant=7&x=1",
    "https://rp.example/callback?x=1&tenant=7",
    "https://rp.example/callback?tenant=7&tenant=7",
    "https://rp.example/callback/?tenant=7",
    "https://rp.example/callback/more?tenant=7",
    "https://rp.example/Callback?tenant=7",
    "https://rp.example/callback?Tenant=7",
    "https://RP.example/callback?tenant=7",
    "HTTPS://rp.example/callback?tenant=7",
    "https://rp.example:443/callback?tenant=7",
    "https://rp.example:8443/callback?tenant=7",
    "https://rp.example:/callback?tenant=7",
    "https://rp.example//callback?tenant=7",
    "https://rp.example/%63allback?tenant=7",
    "https://rp.example/callback%3Ftenant=7",
    "https://rp.example/callback?tenant=%37",
    "https://rp.example/callback;x?tenant=7",
    "https://rp.example/callback?tenant=7%",
    "https://rp.example/callback?tenant=7%00",
    "https://rp.example/callback?tenant=7%0d%0aSet-Cookie:a=b",
    "https://rp.example/callback?tenant=7," + CALLBACK,
    # another host that looks like it
    "https://rp.example.evil.example/callback?tenant=7",
    "https://evil.example/https://rp.example/callback?tenant=7",
    "https://evil.example/?u=https://rp.example/callback?tenant=7",
    "https://evilrp.example/callback?tenant=7",
    "https://sub.rp.example/callback?tenant=7",
    "https://rp.examp1e/callback?tenant=7",
    "https://xn--r-0tb.example/callback?tenant=7",
    # loopback, which only native applications may use with any port
    "http://127.0.0.1:8000/callback?tenant=7",
    "http://localhost/callback?tenant=7",
    "http://[::1]:8000/callback",
]
HOSTILE = UNFIT + FOREIGN


@pytest.mark.parametrize("prompt", [None, "none"])
def test_none_of_the_hostile_redirect_uris_gets_a_redirect(party: Party, make: Make, prompt: str | None) -> None:
    assert len(set(HOSTILE)) >= 120
    client = party.client()
    browsers = [party.browser(), party.browser(make.account())]
    for uri in HOSTILE:
        for browser in browsers:
            sent = uri.encode("utf8", "surrogatepass")
            response = party.authorize(browser, client, redirect_uri=sent, prompt=prompt)
            assert (uri, response.status_code) == (uri, 400)
            assert "Location" not in response.headers
            assert "//evil.example" not in response.text


def test_what_is_no_address_of_a_client_is_not_registered_either(party: Party, make: Make) -> None:
    registrar = Registrar(party.app, make)
    _, token = registrar.allow()
    told = {uri: registrar.post(token, _as_json(uri)) for uri in UNFIT}
    assert {uri: answer.status_code for uri, answer in told.items()} == dict.fromkeys(UNFIT, 400)
    errors = {answer.get_json()["error"] for answer in told.values()}
    assert errors <= {"invalid_redirect_uri", "invalid_request"}  # what is no Unicode is no JSON either
    assert registrar.clients() == 0


def test_the_foreign_ones_are_addresses_so_only_the_comparison_keeps_them_out() -> None:
    assert {uri: redirect_uri_refusal(uri) for uri in FOREIGN} == dict.fromkeys(FOREIGN)


def _as_json(uri: str) -> bytes:
    return json.dumps({"client_name": "Library", "redirect_uris": [uri]}).encode()


def test_two_redirect_uris_get_none(party: Party, make: Make) -> None:
    browser = party.browser(make.account())
    for pair in ([CALLBACK, CALLBACK], [CALLBACK, "https://evil.example/"]):
        response = party.authorize(browser, party.client(), redirect_uri=pair)
        assert response.status_code == 400
        assert "Location" not in response.headers


def test_one_clients_redirect_uri_is_not_anothers(party: Party, make: Make) -> None:
    party.client(redirect_uris=["https://other.example/cb"])
    response = party.authorize(party.browser(make.account()), party.client(), redirect_uri="https://other.example/cb")
    assert response.status_code == 400


def test_a_native_application_may_use_any_port_of_its_loopback_address(party: Party, make: Make) -> None:
    native = party.client(public=True, redirect_uris=["http://127.0.0.1/cb", "http://[::1]/cb", "http://localhost/cb"])
    browser = party.browser(make.account())
    for uri in ("http://127.0.0.1:49152/cb", "http://[::1]:8000/cb", "http://127.0.0.1/cb"):
        assert "code" in answer_of(party.authorize(browser, native, redirect_uri=uri), uri)
    for uri in ("http://127.0.0.1:49152/other", "http://127.0.0.2:80/cb", "http://localhost:80/cb", "http://127.0.0.1:/cb",
                "http://127.0.0.1:80@evil.example/cb", "http://127.0.0.1:80.evil.example/cb"):  # fmt: skip
        assert party.authorize(browser, native, redirect_uri=uri).status_code == 400


def test_a_confidential_client_may_not(party: Party, make: Make) -> None:
    client = party.client(redirect_uris=["http://127.0.0.1/cb"])
    response = party.authorize(party.browser(make.account()), client, redirect_uri="http://127.0.0.1:8000/cb")
    assert response.status_code == 400


@pytest.mark.parametrize(
    ("uri", "refusal"),
    [
        ("https://rp.example/cb", None),
        ("https://rp.example/cb?tenant=7", None),
        ("https://rp.example:8443/cb", None),
        ("http://127.0.0.1/cb", None),
        ("http://[::1]:8000/cb", None),
        ("http://localhost:3000/cb", None),
        ("http://rp.example/cb", "http"),
        ("http://127.0.0.1.evil.example/cb", "http"),
        ("https://rp.example/cb#top", "fragment"),
        ("https://rp.example/cb#", "fragment"),
        ("https://user@rp.example/cb", "userinfo"),
        ("https://*.rp.example/cb", "characters"),
        ("https://rp.example/c b", "characters"),
        ("https://rp.example/кат", "characters"),
        ('https://rp.example/"', "characters"),
        ("https://rp.example\\cb", "characters"),
        ("https://rp.example/a/../cb", "path"),
        ("https://rp.example/a/%2E%2e/cb", "path"),
        ("https://rp.example:port/cb", "malformed"),
        ("https://[::1/cb", "malformed"),
        ("https:///cb", "host"),
        ("https:cb", "host"),
        ("javascript:alert(1)", "scheme"),
        ("com.example.app:/cb", "scheme"),
        ("/cb", "scheme"),
        ("", "characters"),
        ("https://rp.example/" + "x" * 2000, "characters"),
    ],
)
def test_what_may_be_registered(uri: str, refusal: str | None) -> None:
    assert redirect_uri_refusal(uri) == refusal


def test_only_native_applications_have_schemes_of_their_own() -> None:
    assert redirect_uri_refusal("com.example.app:/cb", native=True) is None
    for uri in ("javascript:alert(1)", "myapp:/cb", "com.example.app://host/cb", "data:text/html,x"):
        assert redirect_uri_refusal(uri, native=True) == "scheme"


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uris": ["http://rp.example/cb"]},
        {"redirect_uris": []},
        {"post_logout_redirect_uris": ["https://rp.example/#bye"]},
        {"grant_types": ["password"]},
        {"scopes": ["open id"]},
        {"public": True, "grant_types": ["client_credentials"]},
        {"public": True, "pkce_required": False},
    ],
)
def test_a_bad_client_is_not_registered(party: Party, changes: dict[str, object]) -> None:
    with pytest.raises(BadClient):
        party.client(**changes)

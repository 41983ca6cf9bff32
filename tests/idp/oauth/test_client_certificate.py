"""Clients with certificates, as the proxy hands them on: who is proven, and what tokens are bound to."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.jwk import ECKey
from werkzeug.test import TestResponse

from idp.clock import SetClock
from idp.oauth.client_keys import forget_fetched_keys
from idp.settings import Settings
from tests.builders import Make, settings_for
from tests.certificates import Authority, Key, certificate, new_key, pem
from tests.idp.oauth.driver import Party, Registered, claims_in
from tests.idp.oauth.proofs import Prover, jwks
from tests.idp.oauth.publisher import Publisher, publisher

HEADER = "X-Client-Cert"
FOR_ITSELF = {"grant_type": "client_credentials"}
NOW = datetime(2026, 9, 9, 6, 0, tzinfo=UTC)  # the clock of the tests
DN = "CN=rp.example,OU=Kafedra\\, 1,O=Ысык-Көл университети,C=KG"


@pytest.fixture
def believed(request: pytest.FixtureRequest, authority: Authority, tmp_path: Path) -> dict[str, Any]:
    """Settings about certificates; with the parameter «authorities», those of the test."""
    named = {"client_certificate_authorities": authority.write(tmp_path, now=NOW)} if hasattr(request, "param") else {}
    return {"trusted_proxies": 1, "client_certificate_header": HEADER, **named}


@pytest.fixture
def settings(database_url: str, believed: dict[str, Any]) -> Settings:
    return settings_for(database_url, **believed)


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
def published() -> Iterator[Publisher]:
    forget_fetched_keys()
    with publisher() as running:
        yield running


def with_certificate(party: Party, method: str, **changes: Any) -> Registered:
    return party.client(
        token_endpoint_auth_method=method, grant_types=["authorization_code", "client_credentials"], **changes
    )


def ask(party: Party, client: Registered, shown: x509.Certificate | None, **more: str) -> TestResponse:
    headers = {HEADER: quote(pem(shown))} if shown else {}
    return party.token(client, headers | more, **FOR_ITSELF)


def as_jwks(key: Key) -> dict[str, Any]:
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return jwks(ECKey.import_key(public))


NAMES: dict[str, tuple[str, Any, list[Any]]] = {  # registered, a name that fits, names that don't
    "san_dns": ("rp.example", x509.DNSName("RP.example"), [x509.DNSName("rp.example.kg"), x509.DNSName("*.example")]),
    "san_uri": (
        "https://rp.example/me",
        x509.UniformResourceIdentifier("https://rp.example/me"),
        [x509.UniformResourceIdentifier("https://rp.example/"), x509.DNSName("rp.example")],
    ),
    "san_ip": (
        "2001:db8::1",
        x509.IPAddress(ip_address("2001:0db8:0:0::1")),
        [x509.IPAddress(ip_address("2001:db8::2")), x509.DNSName("2001:db8::1")],
    ),
    "san_email": ("rp@kstu.kg", x509.RFC822Name("rp@kstu.kg"), [x509.RFC822Name("rp@evil.kg"), x509.DNSName("kstu.kg")]),
}  # fmt: skip


def test_the_registered_alternative_name_proves_the_client(party: Party, authority: Authority, clock: SetClock) -> None:
    for kind, (registered, fitting, others) in NAMES.items():
        client = with_certificate(party, "tls_client_auth", **{f"tls_client_auth_{kind}": registered})

        def answer(names: list[Any], client: Registered = client) -> int:
            return ask(party, client, authority.issue(DN, names, now=clock.now())).status_code

        assert (kind, answer([others[0], fitting])) == (kind, 200)
        assert (kind, answer(others)) == (kind, 401)
        assert (kind, answer([])) == (kind, 401)


def test_the_registered_subject_proves_the_client(party: Party, authority: Authority, clock: SetClock) -> None:
    client = with_certificate(party, "tls_client_auth", tls_client_auth_subject_dn=DN.replace("\\,", "\\2C"))
    assert ask(party, client, authority.issue(DN, [], now=clock.now())).status_code == 200
    for other in (
        DN.replace("rp.", "evil."),
        DN + ",C=KG",
        DN.replace(",C=KG", ""),
        "rp.example",
        "CN=rp",
    ):
        assert ask(party, client, authority.issue(other, [], now=clock.now())).status_code == 401, other
    alternative = x509.DirectoryName(x509.Name.from_rfc4514_string(DN))
    assert ask(party, client, authority.issue("rp", [alternative], now=clock.now())).status_code == 401


def test_a_registered_subject_that_is_none_proves_nobody(party: Party, authority: Authority, clock: SetClock) -> None:
    client = with_certificate(party, "tls_client_auth", tls_client_auth_subject_dn="rp.example")
    assert ask(party, client, authority.issue("rp.example", [], now=clock.now())).status_code == 401


def test_a_certificate_counts_in_its_time_only(party: Party, authority: Authority, clock: SetClock) -> None:
    client = with_certificate(party, "tls_client_auth", tls_client_auth_subject_dn=DN)
    shown = authority.issue(DN, [], now=clock.now())
    clock.advance(days=1)
    assert ask(party, client, shown).status_code == 200
    clock.advance(seconds=1)
    assert ask(party, client, shown).status_code == 401
    early = authority.issue(DN, [], now=clock.now() + timedelta(days=2))
    assert ask(party, client, early).status_code == 401


def test_a_self_signed_certificate_proves_who_registered_its_key(party: Party, clock: SetClock) -> None:
    key, stranger = new_key(), new_key()
    client = with_certificate(party, "self_signed_tls_client_auth", jwks=as_jwks(key))
    assert ask(party, client, certificate("rp.example", [], key, now=clock.now())).status_code == 200
    assert ask(party, client, certificate("anything", [], key, now=clock.now())).status_code == 200
    assert ask(party, client, certificate("rp.example", [], stranger, now=clock.now())).status_code == 401
    clock.advance(days=2)
    assert ask(party, client, certificate("rp.example", [], key)).status_code == 401


def test_a_new_self_signed_certificate_is_looked_for_where_the_client_publishes(
    party: Party, clock: SetClock, published: Publisher
) -> None:
    old, new = new_key(), new_key()
    client = with_certificate(party, "self_signed_tls_client_auth", jwks_uri=published.url("/keys", as_jwks(old)))
    assert ask(party, client, certificate("rp", [], old, now=clock.now())).status_code == 200
    published.url("/keys", as_jwks(new))
    assert ask(party, client, certificate("rp", [], new, now=clock.now())).status_code == 200
    assert ask(party, client, certificate("rp", [], old, now=clock.now())).status_code == 401
    assert len(published.asked) == 2


def test_what_is_no_certificate_gets_the_one_answer(party: Party, authority: Authority, clock: SetClock) -> None:
    client = with_certificate(party, "tls_client_auth", tls_client_auth_subject_dn=DN)
    good = quote(pem(authority.issue(DN, [], now=clock.now())))
    written = [
        "x",
        "::",
        ":x:",
        ":" + "A" * 400 + ":",
        good[:200],
        "%FF%FE",
        good + " " * 20_000,
        good.replace("M", "?"),
    ]
    answers = [party.token(client, {HEADER: text}, **FOR_ITSELF) for text in (*written, "")]
    assert {(answer.status_code, answer.text) for answer in answers} == {(401, answers[0].text)}
    assert not any("WWW-Authenticate" in answer.headers for answer in answers)


def test_the_form_of_rfc_9440_is_read_too(party: Party, authority: Authority, clock: SetClock) -> None:
    client = with_certificate(party, "tls_client_auth", tls_client_auth_subject_dn=DN)
    der = authority.issue(DN, [], now=clock.now()).public_bytes(Encoding.DER)
    answer = party.token(client, {HEADER: f":{base64.b64encode(der).decode()}:"}, **FOR_ITSELF)
    assert answer.status_code == 200


def test_a_certificate_is_no_second_method(party: Party, authority: Authority, clock: SetClock) -> None:
    """It may only be there to bind the token (RFC 8705, 3)."""
    shown = authority.issue(DN, [], now=clock.now())
    plain = party.client(grant_types=["client_credentials"])
    assert ask(party, plain, shown).status_code == 200
    by_name = with_certificate(party, "tls_client_auth", tls_client_auth_subject_dn=DN)
    with_secret = {"client_id": by_name.client_id, "client_secret": "x"}
    answer = party.token(None, {HEADER: quote(pem(shown))}, **FOR_ITSELF, **with_secret)
    assert answer.status_code == 401


@pytest.mark.parametrize("believed", ["authorities"], indirect=True)
def test_where_authorities_are_named_only_theirs_prove_a_name(
    party: Party, authority: Authority, clock: SetClock
) -> None:
    client = with_certificate(party, "tls_client_auth", tls_client_auth_subject_dn=DN)
    key, impostor = new_key(), Authority()
    assert ask(party, client, authority.issue(DN, [], now=clock.now())).status_code == 200
    for shown in (certificate(DN, [], key, now=clock.now()), impostor.issue(DN, [], now=clock.now())):
        assert ask(party, client, shown).status_code == 401
    by_key = with_certificate(party, "self_signed_tls_client_auth", jwks=as_jwks(key))
    assert ask(party, by_key, certificate(DN, [], key, now=clock.now())).status_code == 200


@pytest.mark.parametrize("believed", [{}, {"trusted_proxies": 1}])
def test_without_the_settings_the_header_is_anybody_s(party: Party, authority: Authority, clock: SetClock) -> None:
    client = with_certificate(party, "tls_client_auth", tls_client_auth_subject_dn=DN)
    assert ask(party, client, authority.issue(DN, [], now=clock.now())).status_code == 401
    metadata = party.browser().get("/.well-known/openid-configuration", base_url=party.base).get_json()
    assert not metadata["tls_client_certificate_bound_access_tokens"]
    assert "tls_client_auth" not in metadata["token_endpoint_auth_methods_supported"]


def test_the_metadata_tell_that_certificates_are_taken(party: Party) -> None:
    metadata = party.browser().get("/.well-known/openid-configuration", base_url=party.base).get_json()
    assert metadata["tls_client_certificate_bound_access_tokens"]
    assert "self_signed_tls_client_auth" in metadata["token_endpoint_auth_methods_supported"]


# --- bound tokens


def test_a_bound_token_opens_userinfo_with_its_certificate_only(
    party: Party, make: Make, authority: Authority, clock: SetClock
) -> None:
    shown, other = (authority.issue(DN, [], now=clock.now()) for _ in range(2))
    client = party.client(tls_client_certificate_bound_access_tokens=True)
    code = party.code(make.account(), client)
    answer = party.redeem(client, code, headers={HEADER: quote(pem(shown))})
    access = answer.get_json()["access_token"]
    assert answer.get_json()["token_type"] == "Bearer"
    assert set(claims_in(access)["cnf"]) == {"x5t#S256"}

    def userinfo(certificate: x509.Certificate | None, scheme: str = "Bearer") -> int:
        headers = {"Authorization": f"{scheme} {access}"} | ({HEADER: quote(pem(certificate))} if certificate else {})
        return party.app.test_client().get("/oauth/userinfo", base_url=party.base, headers=headers).status_code

    assert [userinfo(shown), userinfo(other), userinfo(None), userinfo(shown, "DPoP")] == [200, 401, 401, 401]


def test_a_client_that_must_bind_its_tokens_gets_none_without_a_certificate(
    party: Party, authority: Authority, clock: SetClock
) -> None:
    client = party.client(grant_types=["client_credentials"], tls_client_certificate_bound_access_tokens=True)
    refused = ask(party, client, None)
    assert (refused.status_code, refused.get_json()["error"]) == (400, "invalid_request")
    assert ask(party, client, None, DPoP=Prover(party).proof()).get_json()["error"] == "invalid_request"
    assert ask(party, client, authority.issue(DN, [], now=clock.now())).status_code == 200


def test_a_token_may_be_bound_to_both(party: Party, authority: Authority, clock: SetClock) -> None:
    client = party.client(
        grant_types=["client_credentials"],
        tls_client_certificate_bound_access_tokens=True,
        dpop_bound_access_tokens=True,
    )
    prover, shown = Prover(party), authority.issue(DN, [], now=clock.now())
    assert ask(party, client, shown).get_json()["error"] == "invalid_request"
    token = ask(party, client, shown, DPoP=prover.proof()).get_json()["access_token"]
    assert set(claims_in(token)["cnf"]) == {"jkt", "x5t#S256"}


def test_under_a_security_profile_the_certificate_may_be_all_there_is(
    party: Party, authority: Authority, clock: SetClock
) -> None:
    client = with_certificate(
        party, "tls_client_auth", tls_client_auth_subject_dn=DN, security_profile="fapi2-security"
    )
    token = ask(party, client, authority.issue(DN, [], now=clock.now())).get_json()["access_token"]
    assert set(claims_in(token)["cnf"]) == {"x5t#S256"}

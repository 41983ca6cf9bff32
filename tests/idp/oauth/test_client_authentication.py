"""One method per request, the one that was registered, one answer when it fails."""

import base64

from structlog.testing import capture_logs

from tests.idp.oauth.driver import Party, basic

FOR_ITSELF = {"grant_type": "client_credentials"}


def escaped(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def test_the_parts_of_basic_may_be_escaped_as_in_a_form(party: Party) -> None:
    client = party.client(grant_types=["client_credentials"])
    assert client.secret is not None
    header = {"Authorization": basic(escaped(client.client_id), escaped(client.secret))}
    assert party.token(None, header, **FOR_ITSELF).status_code == 200


def test_only_who_tried_the_header_is_asked_for_it(party: Party) -> None:
    client = party.client()
    by_header = party.token(None, {"Authorization": basic(client.client_id, "wrong")}, **FOR_ITSELF)
    by_body = party.token(None, client_id=client.client_id, client_secret="wrong", **FOR_ITSELF)
    assert (by_header.status_code, by_body.status_code) == (401, 401)
    assert by_header.text == by_body.text
    assert by_header.headers["WWW-Authenticate"].startswith("Basic ")
    assert "WWW-Authenticate" not in by_body.headers


def test_a_header_that_can_t_be_read_proves_nobody(party: Party) -> None:
    client = party.client(public=True)
    written = [b"no colon", b"\xff\xfe:x", f"{client.client_id}:".encode()]
    headers = ["Basic", "Basic ?", "Basic é", *("Basic " + base64.b64encode(raw).decode() for raw in written)]
    browser, place = party.browser(), {"base_url": party.base, "data": {"token": "x"}}
    answers = [browser.post("/oauth/revoke", headers={"Authorization": header}, **place) for header in headers]
    assert {answer.status_code for answer in answers} == {401}


def test_a_client_with_a_secret_is_not_proven_by_its_name(party: Party) -> None:
    client, public = party.client(), party.client(public=True)
    assert party.revoke(None, token="x", client_id=client.client_id).status_code == 401
    assert party.revoke(None, token="x", client_id=public.client_id).status_code == 200
    assert party.token(public, **FOR_ITSELF).get_json()["error"] == "invalid_client", "it could be anybody"


def test_the_metadata_list_the_methods_that_are_there(party: Party) -> None:
    metadata = party.browser().get("/.well-known/openid-configuration", base_url=party.base).get_json()
    methods = {"client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt"}
    assert set(metadata["token_endpoint_auth_methods_supported"]) == methods | {"none"}
    assert set(metadata["introspection_endpoint_auth_methods_supported"]) == methods
    assert metadata["token_endpoint_auth_signing_alg_values_supported"] == ["RS256", "PS256", "ES256", "EdDSA", "HS256"]
    assert metadata["dpop_signing_alg_values_supported"] == ["RS256", "PS256", "ES256", "EdDSA"]


def test_who_is_refused_is_in_the_log_without_any_secret(party: Party) -> None:
    client = party.client()
    assert client.secret is not None
    with capture_logs() as told:
        party.token(None, {"Authorization": basic(client.client_id, "a wrong secret")}, **FOR_ITSELF)
        party.revoke(None, token="x", client_id=client.secret, client_secret=client.client_id)
        party.revoke(None, token="x", client_id="no { name }", client_secret="x")
    assert [(line["event"], line["client"], line["endpoint"]) for line in told] == [
        ("client refused", client.client_id, "/oauth/token"),
        ("client refused", f"{client.secret[:8]}…", "/oauth/revoke"),
        ("client refused", None, "/oauth/revoke"),
    ]
    assert told[0]["method"] == "client_secret_basic client_secret_post"
    assert "a wrong secret" not in str(told)
    assert client.secret not in str(told)

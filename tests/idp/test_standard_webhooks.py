"""Standard Webhooks, held against the contract's test vector and against the package of that name."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from standardwebhooks import Webhook, WebhookVerificationError

from idp.standard_webhooks import is_signed
from tests.idp.hr import Hr, sample, v1

BODY = b'{"schema":"urn:kstu:hr:order:1"}'
AT = datetime.fromtimestamp(1788739200, UTC)
HMAC = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
ED25519 = "whpk_Kay64UG8yvCyLhqU000LxzYeUm0L/hLIl5S8kyKWbdc="
VECTOR = {
    HMAC: "v1,v6f7L7LD1Hob5Q3w1zx1Zq7Ln8ivuwNo7cnE/cVAUm0=",
    ED25519: "v1a,5W4t+DBsZttbWZpKc82J0uemN261izCYJh3M54nsTFQt7vC82alpsu4KXYiNa/ycGfEQdEcmmVYyqOpydO5KAg==",
}


def headers(signature: str) -> dict[str, str]:
    return {"webhook-id": "msg_0001", "webhook-timestamp": "1788739200", "webhook-signature": signature}


@pytest.mark.parametrize("key", VECTOR)
def test_the_contracts_vector_passes_under_its_own_key_and_no_other(key: str) -> None:
    [other] = VECTOR.keys() - {key}
    assert is_signed(headers(VECTOR[key]), BODY, [key], AT)
    assert is_signed(headers(VECTOR[key]), BODY, [other, key], AT), "while keys are rotated"
    assert not is_signed(headers(VECTOR[key]), BODY, [other], AT)
    assert not is_signed(headers(VECTOR[key]), BODY + b" ", [key], AT)
    assert not is_signed(headers(VECTOR[key]) | {"webhook-id": "msg_0002"}, BODY, [key], AT)
    assert not is_signed(headers(VECTOR[key]) | {"webhook-timestamp": "1788739201"}, BODY, [key], AT)


@pytest.mark.parametrize("key", VECTOR)
def test_one_valid_signature_among_unknown_ones_is_enough(key: str) -> None:
    assert is_signed(headers(f"v9,AAAA v1,AAAA {VECTOR[key]}"), BODY, [key], AT)


def test_a_signature_is_not_taken_for_one_of_the_other_scheme() -> None:
    swapped = [VECTOR[HMAC].replace("v1,", "v1a,"), VECTOR[ED25519].replace("v1a,", "v1,")]
    assert not any(is_signed(headers(signature), BODY, [key], AT) for signature in swapped for key in VECTOR)


def test_an_hmac_made_with_the_public_key_is_no_signature() -> None:
    forged = v1("msg_0001", 1788739200, BODY, ED25519)
    assert not is_signed(headers(forged), BODY, [ED25519], AT)


def test_what_the_standard_package_signs_is_accepted(hr: Hr) -> None:
    key = "whsec_" + base64.b64encode(b"a key only this test suite knows").decode()
    raw, now = sample("hire"), hr.clock.now()
    signature = Webhook(key).sign("msg_7", now, raw.decode())
    assert hr.send(raw, headers=hr.headers(raw, message_id="msg_7", signature=signature)).status_code == 202


def test_the_standard_package_and_we_agree_on_ours() -> None:
    """The package looks at the machine's own clock, so the stamp is taken from there."""
    now = datetime.now(UTC)  # an honest exception: a foreign clock
    told = {"webhook-id": "m", "webhook-timestamp": str(int(now.timestamp()))}
    told["webhook-signature"] = v1("m", told["webhook-timestamp"], BODY, HMAC)
    assert Webhook(HMAC).verify(BODY, told) == json.loads(BODY)
    assert is_signed(told, BODY, [HMAC], now)
    with pytest.raises(WebhookVerificationError):
        Webhook(HMAC).verify(BODY + b" ", told)
    assert not is_signed(told, BODY, [HMAC], now + timedelta(seconds=302))


def test_an_ed25519_sender_may_deliver(hr: Hr) -> None:
    private = Ed25519PrivateKey.generate()
    public = base64.b64encode(private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
    raw, stamp = sample("hire"), str(int(hr.clock.now().timestamp()))
    told = {"webhook-id": "m", "webhook-timestamp": stamp}
    told["webhook-signature"] = "v1a," + base64.b64encode(private.sign(f"m.{stamp}.".encode() + raw)).decode()
    assert is_signed(told, raw, [f"whpk_{public}"], hr.clock.now())
    assert hr.send(raw, headers=told).status_code == 401, "this installation does not know the key"

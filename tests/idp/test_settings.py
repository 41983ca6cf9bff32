"""Settings: every mistake at once, no unknown name, nothing unsafe in production, no secret in any text."""

import base64
from pathlib import Path
from typing import Any

import pytest

from idp.errors import ConfigurationError
from idp.settings import Settings, load_settings
from tests.builders import HMAC_KEY, settings_for

SECRET = base64.b64encode(b"a secret that must not be shown.").decode()
GOOD = f"""
base_url = "https://id.kstu.kg"
database_url = "postgresql+psycopg://achkych:pa55word@db/achkych"
[secrets]
pages = "{SECRET}"
lookup = "{SECRET}"
active = "k1"
sealing = {{ k1 = "{SECRET}" }}
[mail]
sender = "achkych@kstu.kg"
password = "ma1l-secret"
[senders.shnet]
keys = ["{HMAC_KEY}"]
addresses = ["10.0.0.0/8"]
[targets.moodle]
url = "https://online.kstu.kg"
token = "t4rget-token"
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "achkych.toml"
    path.write_text(GOOD)
    monkeypatch.setenv("ACHKYCH_CONFIG", str(path))
    return path


def mistakes(file: Path, text: str) -> list[str]:
    file.write_text(text)
    with pytest.raises(ConfigurationError) as told:
        load_settings()
    assert told.value.__cause__ is None
    for secret in (SECRET, "pa55word", "ma1l-secret", "t4rget-token", HMAC_KEY, "0ther-secret"):
        assert secret not in str(told.value)
    return told.value.mistakes


def test_a_good_file_is_read(file: Path) -> None:
    settings = load_settings()
    assert (settings.environment, settings.host, settings.https) == ("production", "id.kstu.kg", True)


def test_the_environment_goes_before_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACHKYCH_BASE_URL", "https://other.kstu.kg")
    monkeypatch.setenv("ACHKYCH_MAIL__HOST", "smtp.kstu.kg")
    settings = load_settings()
    assert (settings.host, settings.mail.host, settings.mail.sender) == (
        "other.kstu.kg",
        "smtp.kstu.kg",
        "achkych@kstu.kg",
    )


def test_every_mistake_is_told_at_once(file: Path) -> None:
    told = mistakes(file, GOOD.replace("https://id", "https://id/").replace(SECRET, "0ther-secret")
                    .replace("10.0.0.0/8", "ten")
                    .replace('sender = "achkych@kstu.kg"', "port = 0"))  # fmt: skip
    for place in (
        "secrets.pages",
        "secrets.lookup",
        "secrets.sealing.k1",
        "mail.sender",
        "mail.port",
        "senders.shnet.addresses",
    ):
        assert any(line.startswith(place) for line in told), place


def test_everything_unsafe_in_production_is_told_at_once(file: Path) -> None:
    told = mistakes(file, 'rehearsal_shift = "/tmp/shift"\n' + GOOD.replace("https://id", "http://id")
                    .replace('sender = "a', 'starttls = false\nhost = "smtp.kstu.kg"\nsender = "a'))  # fmt: skip
    assert told == [
        "base_url: only https in production",
        "rehearsal_shift: not in production",
        "mail.starttls: off only on loopback",
    ]


@pytest.mark.parametrize(
    "url",
    ["https://id.kstu.kg/", "https://id.kstu.kg/sso", "https://id.kstu.kg?x", "https://id.kstu.kg#x", "https://u:p@id.kstu.kg",
     "ftp://id.kstu.kg", "https://", "id.kstu.kg", "javascript:alert(1)", "https://id.kstu.kg "],
)  # fmt: skip
def test_only_scheme_and_host_make_a_base_url(file: Path, url: str) -> None:
    assert mistakes(file, GOOD.replace("https://id.kstu.kg", url))


@pytest.mark.parametrize(
    "text", ["surprise = 1\n" + GOOD, GOOD.replace("[mail]", "[mail]\nhots = 'x'"), GOOD + "[hashing]\nmemory = 1\n"]
)
def test_an_unknown_name_in_the_file_is_refused(file: Path, text: str) -> None:
    assert any("Extra inputs are not permitted" in line for line in mistakes(file, text))


@pytest.mark.parametrize("name", ["ACHKYCH_BASE_ULR", "ACHKYCH_MALI__HOST", "ACHKYCH_MAIL__HOTS", "ACHKYCH_DEBUG"])
def test_an_unknown_name_in_the_environment_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "0ther-secret")
    assert len(mistakes(file, GOOD)) == 1


@pytest.mark.parametrize("text", ["not toml", GOOD + "[mail]\n", "\x00"])
def test_a_file_that_is_no_toml_is_one_mistake_without_its_content(file: Path, text: str) -> None:
    assert mistakes(file, text)[0].startswith(f"{file}: can't be read as TOML")


def test_a_file_that_is_not_there_is_named(file: Path) -> None:
    file.unlink()
    with pytest.raises(ConfigurationError, match="there is no file"):
        load_settings()


def test_nonsense_in_the_environment_is_told_without_its_value(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACHKYCH_SENDERS", '{"shnet": "0ther-secret"')
    assert len(mistakes(file, GOOD)) == 1


@pytest.mark.parametrize(
    "key",
    ["", "whsec_", "whsec_c2hvcnQ=", "whpk_" + SECRET[:-8], "secret", "whsec_%%%", HMAC_KEY.replace("whsec", "v1")],
)
def test_an_empty_short_or_strange_key_of_a_sender_is_refused(file: Path, key: str) -> None:
    assert [line for line in mistakes(file, GOOD.replace(HMAC_KEY, key)) if line.startswith("senders.shnet.keys.0")]


def test_a_sender_that_nothing_but_a_signature_tells_keeps_the_service_from_starting(file: Path) -> None:
    """hr-orders, decision 2: its client, or for an old sender the networks it calls from."""
    nobody = GOOD.replace('addresses = ["10.0.0.0/8"]', "")
    told = "senders.shnet: client_id or, for a sender that can do no OAuth, addresses must be named"
    assert mistakes(file, nobody) == [told]
    assert mistakes(file, nobody.replace("[senders.shnet]", "[senders.shnet]\naddresses = []")) == [told]
    file.write_text(nobody.replace("[senders.shnet]", '[senders.shnet]\nclient_id = "hr"'))
    assert load_settings().senders["shnet"].client_id == "hr"


def test_the_active_key_must_be_one_of_those_that_seal(file: Path) -> None:
    assert "secrets" in mistakes(file, GOOD.replace('active = "k1"', 'active = "k2"'))[0]


def test_a_key_id_that_could_not_be_told_from_what_is_sealed_is_refused(file: Path) -> None:
    assert mistakes(file, GOOD.replace("{ k1 =", '{ "k:1" =').replace('active = "k1"', 'active = "k:1"'))


@pytest.mark.parametrize("changes", [{"memory_kib": 1024}, {"rounds": 1}])
def test_hashing_is_never_cheaper_than_the_standard_asks(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="hashing"):
        settings_for("sqlite://", hashing=changes)


def test_settings_can_not_be_changed_and_show_no_secret(file: Path) -> None:
    settings = load_settings()
    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1  # type: ignore[misc]
    shown = repr(settings) + str(settings)
    for secret in (SECRET, "pa55word", "ma1l-secret", "t4rget-token", HMAC_KEY):
        assert secret not in shown


def test_development_may_do_what_production_may_not() -> None:
    settings = settings_for("sqlite://", rehearsal_shift="/tmp/shift")
    assert isinstance(settings, Settings)
    assert not settings.https


def test_certificates_of_clients_are_believed_behind_a_proxy_only(file: Path) -> None:
    header = 'client_certificate_header = "X-Client-Cert"\n'
    assert mistakes(file, header + GOOD) == ["client_certificate_header: only behind a proxy (trusted_proxies)"]
    file.write_text("trusted_proxies = 1\n" + header + GOOD)
    assert load_settings().client_certificate_header == "X-Client-Cert"


def test_authorities_must_be_certificates(file: Path, tmp_path: Path) -> None:
    (tmp_path / "authorities.pem").write_text("none")
    told = mistakes(file, f'client_certificate_authorities = "{tmp_path}/authorities.pem"\n' + GOOD)
    assert [mistake.partition(":")[0] for mistake in told] == ["client_certificate_authorities"]


RECEIVER = """
[receivers.unet]
kind = "set"
url = "https://unet.example.org/ssf"
audience = "https://unet.example.org"
authorization = "Bearer t4rget-token"
[receivers.moodle]
kind = "webhook"
url = "https://moodle.example.org/hook"
keys = ["whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"]
"""


def test_receivers_and_callbacks_are_settings(file: Path) -> None:
    callback = f'{GOOD}[senders.shnet.callback]\nurl = "https://hr.example.org/told"\nkeys = ["{HMAC_KEY}"]\n'
    file.write_text(callback + RECEIVER)
    settings = load_settings()
    assert settings.receivers["unet"].kind == "set"
    assert "account-disabled" in settings.receivers["moodle"].events
    assert settings.senders["shnet"].callback is not None
    assert "t4rget-token" not in repr(settings)


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ('audience = "https://unet.example.org"', "", "receivers.unet: audience must be named"),
        ('keys = ["whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"]', "", "receivers.moodle: keys must be named"),
        ("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz", "0ther-secret", "receivers.moodle.keys.0: whsec_"),
        ("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz", "whpk_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz", "whsk_"),
        ("https://unet.example.org/ssf", "http://unet.example.org/ssf", "receivers.unet.url: https"),
        ("https://unet.example.org/ssf", "https://a@unet.example.org/", "(userinfo)"),
        ("Bearer t4rget-token", "Bearer\\nt4rget-token", "receivers.unet.authorization: printable"),
        ('kind = "webhook"', 'kind = "mail"', "receivers.moodle.kind"),
        (
            'kind = "webhook"',
            'kind = "webhook"\nevents = ["purged"]',
            "receivers.moodle.events.0: one of account-disabled",
        ),
        ('kind = "webhook"', 'kind = "webhook"\nevents = []', "receivers.moodle.events"),
        ("[receivers.unet]", '[receivers."U/net"]', "receivers"),
    ],
)
def test_what_is_wrong_with_a_receiver_is_told_by_field_and_reason(
    file: Path, right: str, wrong: str, told: str
) -> None:
    assert any(told in line for line in mistakes(file, GOOD + RECEIVER.replace(right, wrong)))

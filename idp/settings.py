"""Every setting of the service: typed, frozen, read once at start (design, decision 14).

One TOML file, named by ``ACHKYCH_CONFIG`` (default ``achkych.toml``), then the environment (``ACHKYCH_BASE_URL``,
``ACHKYCH_MAIL__HOST`` ...).  Unknown names are refused and all mistakes are reported together.  Rules and systems
of an institution are not settings: they live in its profile.
"""

import base64
import binascii
import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from cryptography.x509 import load_pem_x509_certificates
from pydantic import (
    AfterValidator,
    Field,
    FilePath,
    SecretStr,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from idp.correspondents import Network, Receiver, Section, Sender
from idp.errors import ConfigurationError


def _key_of_32_bytes(value: SecretStr) -> SecretStr:
    try:
        if len(base64.b64decode(value.get_secret_value(), validate=True)) == 32:
            return value
    except binascii.Error:
        pass
    raise ValueError("32 random bytes in base64 are expected (`achkych dev secrets` makes a set)")


def _certificates(value: Path) -> Path:
    load_pem_x509_certificates(value.read_bytes())
    return value


LOOPBACK = {"127.0.0.1", "::1", "localhost"}
OTHER_NAMES = {"ACHKYCH_CONFIG", "ACHKYCH_SHARED"}  # of the environment: where the file is, and the tests' samples

Key = Annotated[SecretStr, AfterValidator(_key_of_32_bytes)]
CorrespondentName = Annotated[str, StringConstraints(pattern="^[a-z0-9_-]{1,40}$")]
KeyId = Annotated[str, StringConstraints(pattern="^[a-z0-9_-]+$")]
Certificates = Annotated[FilePath, AfterValidator(_certificates)]
HeaderName = Annotated[str, StringConstraints(pattern="^[A-Za-z][A-Za-z0-9-]{0,63}$")]


class Secrets(Section):
    """Keys made once for this installation; all are 32 random bytes in base64."""

    pages: Key = Field(description="signs form tokens and short-lived cookies")
    lookup: Key = Field(description="keys the fingerprints by which personal numbers are found; can't be rotated")
    sealing: dict[KeyId, Key] = Field(min_length=1, description="key id -> key for values sealed at rest")
    active: str = Field(description="id of the sealing key in use; the others only open")

    @model_validator(mode="after")
    def _active_is_known(self) -> "Secrets":
        if self.active not in self.sealing:
            raise ValueError(f"active names the key {self.active!r}, which is not under sealing")
        return self


class Mail(Section):
    """The server that takes outgoing mail."""

    host: str = Field(default="127.0.0.1", description="SMTP host")
    port: int = Field(default=25, ge=1, le=65535, description="SMTP port")
    starttls: bool = Field(default=True, description="upgrade to TLS before anything else; off only on loopback")
    username: str | None = Field(default=None, description="SMTP user, if the server asks for one")
    password: SecretStr | None = Field(default=None, description="SMTP password")
    sender: str = Field(description="address in From")
    timeout: float = Field(default=10, gt=0, le=30, description="seconds for the whole delivery")


class Hashing(Section):
    """Cost of Argon2id; aim at 50-150 ms on the machine that serves."""

    memory_kib: int = Field(default=19_456, ge=19_456, description="memory of one hash, KiB")
    rounds: int = Field(default=2, ge=2, description="passes over the memory")
    lanes: int = Field(default=1, ge=1, description="parallel lanes")


class Worker(Section):
    """How the provisioning engine works."""

    threads: int = Field(default=4, ge=1, le=64, description="tasks done at the same time")
    sweep_seconds: float = Field(
        default=0.5, gt=0, description="pause between sweeps for work that nothing woke (SQLite)"
    )
    lease_seconds: int = Field(
        default=60, ge=30, description="a claim ends after this; longer than any call's time limit"
    )


class Settings(BaseSettings):
    """All of it.  Build with `load_settings()`; tests may build it directly."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix="ACHKYCH_", env_nested_delimiter="__", env_ignore_empty=True
    )

    environment: Literal["production", "development"] = Field(
        default="production", description="development allows http, rehearsal clocks and `achkych dev`"
    )
    base_url: str = Field(description="where people reach the service, e.g. https://id.kstu.kg; also the issuer")
    database_url: str = Field(
        repr=False, description="sqlite:////path/achkych.db or postgresql+psycopg://user@host/achkych"
    )
    profile: str = Field(default="kstu", description="name of a profile that ships with the service, or a path to one")
    bind: str = Field(default="127.0.0.1", description="address to listen on")
    port: int = Field(default=8080, ge=1, le=65535, description="port to listen on")
    web_processes: int = Field(default=2, ge=1, le=32, description="web processes")
    web_threads: int = Field(
        default=32, ge=2, le=64, description="threads of each web process; three quarters may wait for password hashes"
    )
    trusted_proxies: int = Field(default=0, ge=0, le=4, description="proxies in front whose X-Forwarded-* is believed")
    client_certificate_header: HeaderName | None = Field(
        default=None,
        description="header in which the proxy hands on the certificate of a client, e.g. X-Client-Cert (URL-escaped "
        "PEM) or Client-Cert (RFC 9440); the proxy must remove it from what comes from outside",
    )
    client_certificate_authorities: Certificates | None = Field(
        default=None,
        description="PEM file of the authorities whose certificates prove a client by name; needed where the proxy also "
        "lets certificates through whose chain it did not check",
    )
    client_networks: list[Network] = Field(
        default_factory=list,
        description="private networks in which addresses that clients publish (keys, logout), receivers and callbacks may "
        "be called",
    )
    limits_store: Annotated[str, StringConstraints(pattern=r"^(memory|rediss?|redis\+unix)://")] = Field(
        default="memory://",
        repr=False,
        description="where wrong sign-ins of one client are counted: memory:// (each process for itself) or "
        "redis://host:6379/0 (Valkey, for all processes on all machines)",
    )
    common_passwords: FilePath | None = Field(
        default=None,
        description="filter of common and leaked passwords, beside the list that ships (`achkych passwords build-filter`)",
    )
    secrets: Secrets
    mail: Mail
    senders: dict[str, Sender] = Field(default_factory=dict, description="source system -> who may send its orders")
    receivers: dict[CorrespondentName, Receiver] = Field(
        default_factory=dict, description="name -> a system that is told of security events"
    )
    targets: dict[str, dict[str, Any]] = Field(
        default_factory=dict, repr=False, description="system code -> settings of its connector"
    )
    scim: bool = Field(
        default=False,
        description="serve people and departments to HR systems that speak SCIM 2.0, under /api/scim/v2",
    )
    hashing: Hashing = Hashing()
    worker: Worker = Worker()
    rehearsal_shift: Path | None = Field(default=None, description="file that moves the clock (development only)")

    @model_validator(mode="after")
    def _safe_for_its_environment(self) -> "Settings":
        address = urlsplit(self.base_url)
        is_production = self.environment == "production"
        plain = address.scheme in ("https", "http") and self.base_url == f"{address.scheme}://{address.netloc.strip()}"
        mistakes = {
            "base_url: scheme and host only, without a slash at the end": not (plain and address.hostname)
            or "@" in address.netloc,
            "base_url: only https in production": is_production and address.scheme != "https",
            "rehearsal_shift: not in production": is_production and self.rehearsal_shift is not None,
            "client_certificate_header: only behind a proxy (trusted_proxies)": not self.trusted_proxies
            and self.client_certificate_header is not None,
            "mail.starttls: off only on loopback": not self.mail.starttls and self.mail.host not in LOOPBACK,
        }
        if any(mistakes.values()):
            raise ValueError("\n".join(mistake for mistake, made in mistakes.items() if made))
        return self

    @property
    def host(self) -> str:
        """The only Host header that is answered."""
        return urlsplit(self.base_url).netloc

    @property
    def https(self) -> bool:
        return self.base_url.startswith("https:")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, config_file())


def config_file() -> Path:
    """The TOML file of this installation."""
    return Path(os.environ.get("ACHKYCH_CONFIG", "achkych.toml"))


def load_settings() -> Settings:
    """Read file and environment.  Raises `ConfigurationError` with every mistake; values are never shown."""
    mistakes = [f"{name}: no such setting" for name in sorted(os.environ) if _is_unknown(name)]
    if "ACHKYCH_CONFIG" in os.environ and not config_file().is_file():
        mistakes += [f"ACHKYCH_CONFIG: there is no file {config_file()}"]
    try:
        settings = Settings()  # type: ignore[call-arg]  # the values come from the file and the environment
    except ValidationError as error:
        mistakes += [line for item in error.errors(include_input=False) for line in _mistake(item)]
    except SettingsError as error:  # its cause shows the value
        mistakes += [str(error)]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        mistakes += [f"{config_file()}: can't be read as TOML ({type(error).__name__})"]
    if mistakes:
        raise ConfigurationError(mistakes) from None
    return settings


def _is_unknown(name: str) -> bool:
    """Of our part of the environment, and no setting: the library reads such names over, we don't."""
    prefix = "ACHKYCH_"
    field = name.removeprefix(prefix).partition("__")[0].lower()
    return name.startswith(prefix) and name not in OTHER_NAMES and field not in Settings.model_fields


def _mistake(item: Any) -> list[str]:
    place = ".".join(map(str, item["loc"]))
    message = str(item["msg"]).removeprefix("Value error, ")
    return [f"{place}: {message}"] if place else message.splitlines()

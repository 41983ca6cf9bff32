"""Every setting of the service: typed, frozen, read once at start (design, decision 14).

One TOML file, named by ``ACHKYCH_CONFIG`` (default ``achkych.toml``), then the environment (``ACHKYCH_BASE_URL``,
``ACHKYCH_MAIL__HOST`` ...).  Unknown names are refused and all mistakes are reported together.  Rules and systems
of an institution are not settings: they live in its profile.
"""

import base64
import binascii
import os
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from idp.errors import ConfigurationError


def _key_of_32_bytes(value: SecretStr) -> SecretStr:
    try:
        if len(base64.b64decode(value.get_secret_value(), validate=True)) == 32:
            return value
    except binascii.Error:
        pass
    raise ValueError("32 random bytes in base64 are expected (`achkych dev secrets` makes a set)")


def _network(value: str) -> str:
    ip_network(value)
    return value


Key = Annotated[SecretStr, AfterValidator(_key_of_32_bytes)]
Network = Annotated[str, AfterValidator(_network)]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Secrets(Section):
    """Keys made once for this installation; all are 32 random bytes in base64."""

    pages: Key = Field(description="signs form tokens and short-lived cookies")
    lookup: Key = Field(description="keys the fingerprints by which personal numbers are found; can't be rotated")
    sealing: dict[str, Key] = Field(min_length=1, description="key id -> key for values sealed at rest")
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


class Sender(Section):
    """Who may send HR orders: one source system, its keys and its addresses."""

    keys: list[SecretStr] = Field(min_length=1, max_length=4, description="whsec_... (HMAC) or whpk_... (Ed25519); two while rotating")
    addresses: list[Network] = Field(min_length=1, description="networks the sender calls from")


class Hashing(Section):
    """Cost of Argon2id; aim at 50-150 ms on the machine that serves."""

    memory_kib: int = Field(default=19_456, ge=19_456, description="memory of one hash, KiB")
    rounds: int = Field(default=2, ge=2, description="passes over the memory")
    lanes: int = Field(default=1, ge=1, description="parallel lanes")


class Worker(Section):
    """How the provisioning engine works."""

    threads: int = Field(default=4, ge=1, le=64, description="tasks done at the same time")
    sweep_seconds: float = Field(default=0.5, gt=0, description="pause between sweeps for work that nothing woke (SQLite)")
    lease_seconds: int = Field(default=60, ge=30, description="a claim ends after this; longer than any call's time limit")


class Settings(BaseSettings):
    """All of it.  Build with `load_settings()`; tests may build it directly."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix="ACHKYCH_", env_nested_delimiter="__", env_ignore_empty=True
    )

    environment: Literal["production", "development"] = Field(
        default="production", description="development allows http, rehearsal clocks and `achkych dev`"
    )
    base_url: str = Field(description="where people reach the service, e.g. https://id.kstu.kg; also the issuer")
    database_url: str = Field(description="sqlite:////path/achkych.db or postgresql+psycopg://user@host/achkych")
    profile: str = Field(default="kstu", description="name of a profile that ships with the service, or a path to one")
    bind: str = Field(default="127.0.0.1", description="address to listen on")
    port: int = Field(default=8080, ge=1, le=65535, description="port to listen on")
    web_processes: int = Field(default=2, ge=1, le=32, description="web processes")
    web_threads: int = Field(default=4, ge=1, le=64, description="threads of each web process")
    trusted_proxies: int = Field(default=0, ge=0, le=4, description="proxies in front whose X-Forwarded-* is believed")
    secrets: Secrets
    mail: Mail
    senders: dict[str, Sender] = Field(default_factory=dict, description="source system -> who may send its orders")
    targets: dict[str, dict[str, Any]] = Field(default_factory=dict, description="system code -> settings of its connector")
    hashing: Hashing = Hashing()
    worker: Worker = Worker()
    rehearsal_shift: Path | None = Field(default=None, description="file that moves the clock (development only)")

    @model_validator(mode="after")
    def _safe_for_its_environment(self) -> "Settings":
        address = urlsplit(self.base_url)
        if address.scheme not in ("https", "http") or not address.hostname or address.path not in ("",):
            raise ValueError("base_url: scheme and host only, without a slash at the end")
        if self.environment == "production":
            if address.scheme != "https":
                raise ValueError("base_url: only https in production")
            if self.rehearsal_shift:
                raise ValueError("rehearsal_shift: not in production")
        return self

    @property
    def host(self) -> str:
        """The only Host header that is answered."""
        return urlsplit(self.base_url).netloc

    @property
    def https(self) -> bool:
        return self.base_url.startswith("https:")

    def networks(self, source: str) -> list[IPv4Network | IPv6Network]:
        """From where `source` may call."""
        return [ip_network(address) for address in self.senders[source].addresses]

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
    try:
        return Settings()  # type: ignore[call-arg]  # the values come from the file and the environment
    except ValidationError as error:
        raise ConfigurationError([_mistake(item) for item in error.errors(include_input=False)]) from None


def _mistake(item: Any) -> str:
    place = ".".join(map(str, item["loc"]))
    return f"{place}: {item['msg']}" if place else str(item["msg"]).removeprefix("Value error, ")

"""The settings of whom the service hears from and tells by itself: senders of orders, and receivers of events.

Owns what is true of one of them alone.  Where they stand among all settings, and how those are read: `settings.py`.
"""

import base64
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from policies.events import TYPES
from policies.redirect_uris import web_address_refusal

SHORTEST_HMAC_KEY = 24  # bytes (Standard Webhooks)
ED25519_KEY = 32


def _key_of_a_sender(value: SecretStr) -> SecretStr:
    return _key(value, "whpk")


def _key_that_signs(value: SecretStr) -> SecretStr:
    return _key(value, "whsk")


def _key(value: SecretStr, asymmetric: str) -> SecretStr:
    kind, _, encoded = value.get_secret_value().partition("_")
    try:
        length = len(base64.b64decode(encoded, validate=True))
    except ValueError:
        length = 0
    if (kind == "whsec" and length >= SHORTEST_HMAC_KEY) or (kind == asymmetric and length == ED25519_KEY):
        return value
    raise ValueError(
        f"whsec_ and at least {SHORTEST_HMAC_KEY} bytes, or {asymmetric}_ and {ED25519_KEY} bytes, in base64 are expected"
    )


def _network(value: str) -> str:
    ip_network(value)
    return value


def _address(value: str) -> str:
    if refusal := web_address_refusal(value):
        raise ValueError(f"https (http on loopback only), a host and a path are expected ({refusal})")
    return value


def _event(value: str) -> str:
    if value not in TYPES:
        raise ValueError(f"one of {', '.join(TYPES)} is expected")
    return value


def _header(value: SecretStr) -> SecretStr:
    if not (value.get_secret_value().isascii() and value.get_secret_value().isprintable()):
        raise ValueError("printable ASCII is expected")
    return value


SenderKey = Annotated[SecretStr, AfterValidator(_key_of_a_sender)]
WebhookKey = Annotated[SecretStr, AfterValidator(_key_that_signs)]
Network = Annotated[str, AfterValidator(_network)]
Address = Annotated[str, AfterValidator(_address)]
EventName = Annotated[str, AfterValidator(_event)]
Header = Annotated[SecretStr, AfterValidator(_header)]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Callback(Section):
    """Where a sender is told what becomes of its orders, as signed webhooks (docs/events.md)."""

    url: Address = Field(description="address that is called: https, or http on loopback")
    keys: list[WebhookKey] = Field(
        min_length=1, max_length=2, description="whsec_... or whsk_... (`achkych events new-key`); two while rotating"
    )


class Sender(Section):
    """Who may send HR orders: one source system, its keys, and its client or, where it can do no OAuth, its addresses."""

    keys: list[SenderKey] = Field(
        min_length=1, max_length=4, description="whsec_... (HMAC) or whpk_... (Ed25519); two while rotating"
    )
    client_id: str | None = Field(
        default=None,
        min_length=1,
        description="the client whose access token, with scope `hr.orders.write`, it calls with",
    )
    addresses: list[Network] = Field(
        default_factory=list, description="networks it calls from; enough for an old sender without a client"
    )
    callback: Callback | None = Field(default=None, description="where it is told what becomes of its orders")

    @model_validator(mode="after")
    def _is_known_by_more_than_its_signature(self) -> "Sender":
        if self.client_id is None and not self.addresses:
            raise ValueError("client_id or, for a sender that can do no OAuth, addresses must be named")
        return self

    def may_call_from(self, address: IPv4Address | IPv6Address) -> bool:
        """Whether it is one of its own, if it named any."""
        return not self.addresses or any(address in ip_network(network) for network in self.addresses)


class Receiver(Section):
    """A system that is told of security events: as Security Event Tokens, or as signed webhooks (docs/events.md)."""

    kind: Literal["set", "webhook"] = Field(
        description="set: RFC 8935 push of signed tokens; webhook: Standard Webhooks"
    )
    url: Address = Field(description="address that is called: https, or http on loopback")
    audience: str | None = Field(default=None, min_length=1, description="`aud` of the tokens; needed for set")
    keys: list[WebhookKey] = Field(
        default_factory=list,
        max_length=2,
        description="whsec_... or whsk_... (`achkych events new-key`), needed for webhook; two while rotating",
    )
    authorization: Header | None = Field(
        default=None, description="Authorization header that it asks for, e.g. Bearer and a token"
    )
    events: list[EventName] = Field(
        default_factory=lambda: list(TYPES), min_length=1, description="what it wants to hear of; all that there is"
    )
    client: str | None = Field(
        default=None, min_length=1, description="client_id it signs people in with: it hears of them by its own `sub`"
    )
    system: str | None = Field(
        default=None, min_length=1, description="code of its system: it hears only of who has or had access to that"
    )

    @model_validator(mode="after")
    def _can_be_told_so_that_it_knows_who_says_it(self) -> "Receiver":
        if self.kind == "set" and self.audience is None:
            raise ValueError("audience must be named for kind set")
        if self.kind == "webhook" and not self.keys:
            raise ValueError("keys must be named for kind webhook")
        return self

"""What a client may be.  RFC 7591, 2; OIDC Dynamic Client Registration, 2; RFC 9700, 2.1; security.md, OAuth server.

Owns the names, defaults and limits of a client's metadata, and which of them contradict each other.  Leaves alone keys
(whether a JWK Set can be used is for `idp/jose.py`), addresses on the network, and who may register a client.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from policies.redirect_uris import redirect_uri_refusal, web_address_refusal

SIGNATURES = ("RS256", "PS256", "ES256", "EdDSA")
CLIENT_SIGNATURES = (*SIGNATURES, "HS256")  # HS256 for client_secret_jwt only
KEY_WRAPS = ("RSA-OAEP", "RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW")
CIPHERS = ("A128CBC-HS256", "A256CBC-HS512", "A128GCM", "A256GCM")
BY_SECRET = ("client_secret_basic", "client_secret_post")
BY_CERTIFICATE = ("tls_client_auth", "self_signed_tls_client_auth")
AUTH_METHODS = (*BY_SECRET, "client_secret_jwt", "private_key_jwt", *BY_CERTIFICATE, "none")
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"  # RFC 8628, 3.4
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105  # RFC 8693, 2.1
IMPLICIT = "implicit"  # OIDC Registration, 2: what `id_token` in a response type goes by; no access token comes of it
GRANT_TYPES = ("authorization_code", "refresh_token", "client_credentials", DEVICE_CODE, TOKEN_EXCHANGE, IMPLICIT)
RESPONSE_TYPES = ("code", "id_token", "code id_token")  # never `token` (RFC 9700, 2.1.2)
SECURITY_PROFILES = ("fapi2-security", "fapi2-message-signing")
CERTIFICATE_NAMES = ("subject_dn", "san_dns", "san_uri", "san_ip", "san_email")  # RFC 8705, 2.1.2
SCOPES = ("openid", "profile", "email")
LONGEST_NAME = 200
LONGEST_LIST = 50
SCOPE = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")  # RFC 6749, 3.3
TEXT = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


@dataclass(frozen=True, slots=True)
class Mistake:
    """Why metadata is refused: the field, and a reason in words of the protocol."""

    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class ClientMetadata:
    """A client as registered, under the standards' names; the last block is the house's own, set by people only.

    `scope` is what it may have at most.  `claims` narrows what its scopes open to these claims; None: nothing is
    narrowed.  `resources` are the audiences it may ask tokens for (RFC 8707) or exchange tokens into (RFC 8693).
    """

    client_name: str = ""
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    application_type: str = "web"
    grant_types: tuple[str, ...] = ("authorization_code",)
    response_types: tuple[str, ...] = ("code",)
    scope: tuple[str, ...] = SCOPES
    token_endpoint_auth_method: str = "client_secret_basic"  # noqa: S105
    token_endpoint_auth_signing_alg: str | None = None
    jwks: Mapping[str, Any] | None = None
    jwks_uri: str | None = None
    tls_client_auth_subject_dn: str | None = None
    tls_client_auth_san_dns: str | None = None
    tls_client_auth_san_uri: str | None = None
    tls_client_auth_san_ip: str | None = None
    tls_client_auth_san_email: str | None = None
    tls_client_certificate_bound_access_tokens: bool = False
    dpop_bound_access_tokens: bool = False
    subject_type: str = "public"
    sector_identifier_uri: str | None = None
    id_token_signed_response_alg: str = "RS256"
    id_token_encrypted_response_alg: str | None = None
    id_token_encrypted_response_enc: str | None = None
    userinfo_signed_response_alg: str | None = None
    userinfo_encrypted_response_alg: str | None = None
    userinfo_encrypted_response_enc: str | None = None
    authorization_signed_response_alg: str = "RS256"
    introspection_signed_response_alg: str = "RS256"
    request_object_signing_alg: str | None = None
    require_signed_request_object: bool = False
    request_uris: tuple[str, ...] = ()
    require_pushed_authorization_requests: bool = False
    authorization_details_types: tuple[str, ...] = ()
    default_max_age: int | None = None
    require_auth_time: bool = False
    default_acr_values: tuple[str, ...] = ()
    initiate_login_uri: str | None = None
    backchannel_logout_uri: str | None = None
    backchannel_logout_session_required: bool = False
    frontchannel_logout_uri: str | None = None
    frontchannel_logout_session_required: bool = False
    client_uri: str | None = None
    logo_uri: str | None = None
    policy_uri: str | None = None
    tos_uri: str | None = None
    contacts: tuple[str, ...] = ()
    software_id: str | None = None
    software_version: str | None = None

    access_token_signed_response_alg: str = "RS256"  # noqa: S105
    require_pkce: bool = True
    security_profile: str | None = None
    resources: tuple[str, ...] = ()
    claims: tuple[str, ...] | None = None
    first_party: bool = False

    @property
    def public(self) -> bool:
        """Whether it can't keep a secret (RFC 6749, 2.1)."""
        return self.token_endpoint_auth_method == "none"  # noqa: S105

    @property
    def sender_bound(self) -> bool:
        """Whether its tokens must be bound to a key or a certificate (FAPI 2.0 Security Profile, 5.3.2.1)."""
        bound = self.dpop_bound_access_tokens or self.tls_client_certificate_bound_access_tokens
        return bound or self.security_profile is not None

    @property
    def pushed_only(self) -> bool:
        """Whether it must push its authorization requests (RFC 9126, 6; FAPI 2.0 Security Profile, 5.3.2.2)."""
        return self.require_pushed_authorization_requests or self.security_profile is not None

    @property
    def signed_only(self) -> bool:
        """Whether its authorization requests must be signed (RFC 9101, 10.5; FAPI 2.0 Message Signing, 5.3)."""
        return self.require_signed_request_object or self.security_profile == "fapi2-message-signing"


HOUSE_FIELDS = (
    "access_token_signed_response_alg", "require_pkce", "security_profile", "resources", "claims", "first_party",
)  # fmt: skip

Reader = Callable[[Any], tuple[Any, str | None]]  # the value as it is kept, and what is wrong with it


def read_metadata(values: Mapping[str, Any]) -> tuple[ClientMetadata, tuple[Mistake, ...]]:
    """What `values` say, defaults filled in, and all that is wrong with it; names nobody knows are left out (RFC 7591,
    2).  A value of null counts as absent.  With mistakes the metadata must not be used."""
    read = {name: READERS[name](value) for name, value in values.items() if name in READERS and value is not None}
    mistakes = [Mistake(name, reason) for name, (_, reason) in read.items() if reason]
    metadata = ClientMetadata(**{name: value for name, (value, reason) in read.items() if not reason})
    return metadata, tuple(mistakes or _contradictions(metadata))


def plain_metadata(metadata: ClientMetadata) -> dict[str, Any]:
    """The metadata as JSON has it (RFC 7591, 3.2.1); what is absent is left out."""
    said = {name: value for name, value in asdict(metadata).items() if value is not None and value != ()}
    listed = {name: list(value) if isinstance(value, tuple) else value for name, value in said.items()}
    return {**listed, "scope": " ".join(metadata.scope)}


# --- readers of single values


def _text(value: Any) -> tuple[Any, str | None]:
    fits = isinstance(value, str) and len(value) <= LONGEST_NAME and TEXT.fullmatch(value)
    return value, None if fits else f"must be a text of at most {LONGEST_NAME} characters"


def _flag(value: Any) -> tuple[Any, str | None]:
    return value, None if isinstance(value, bool) else "must be true or false"


def _seconds(value: Any) -> tuple[Any, str | None]:
    fits = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10**9
    return value, None if fits else "must be a number of seconds"


def _document(value: Any) -> tuple[Any, str | None]:
    return value, None if isinstance(value, Mapping) else "must be a JSON object"


def _address(value: Any) -> tuple[Any, str | None]:
    refusal = web_address_refusal(value) if isinstance(value, str) else "characters"
    return value, f"is no address that can be used ({refusal})" if refusal else None


def _one_of(*known: str) -> Reader:
    return lambda value: (value, None if value in known else f"must be one of: {', '.join(known)}")


def _list_of(reader: Reader) -> Reader:
    def read(value: Any) -> tuple[Any, str | None]:
        if not isinstance(value, list | tuple) or len(value) > LONGEST_LIST:
            return value, f"must be a list of at most {LONGEST_LIST} entries"
        reasons = [reason for item in value if (reason := reader(item)[1])]
        return tuple(dict.fromkeys(value)) if not reasons else value, reasons[0] if reasons else None

    return read


def _scopes(value: Any) -> tuple[Any, str | None]:
    words = value.split() if isinstance(value, str) else value
    fits = isinstance(words, list | tuple) and all(isinstance(word, str) and SCOPE.fullmatch(word) for word in words)
    return tuple(sorted(set(words))) if fits else value, None if fits else "must be scopes, separated by blanks"


def _any_text(value: Any) -> tuple[Any, str | None]:
    """Checked later, where it is known whether the application is native."""
    return value, None if isinstance(value, str) else "must be a text"


_SPECIAL: dict[str, Reader] = {
    "client_name": _text,
    "redirect_uris": _list_of(_any_text),
    "post_logout_redirect_uris": _list_of(_any_text),
    "application_type": _one_of("web", "native"),
    "grant_types": _list_of(_one_of(*GRANT_TYPES)),
    "response_types": _list_of(_one_of(*RESPONSE_TYPES)),
    "scope": _scopes,
    "token_endpoint_auth_method": _one_of(*AUTH_METHODS),
    "token_endpoint_auth_signing_alg": _one_of(*CLIENT_SIGNATURES),
    "jwks": _document,
    "subject_type": _one_of("public", "pairwise"),
    "default_max_age": _seconds,
    "request_uris": _list_of(_address),
    "authorization_details_types": _list_of(_text),
    "default_acr_values": _list_of(_text),
    "contacts": _list_of(_text),
    "security_profile": _one_of(*SECURITY_PROFILES),
    "resources": _list_of(_address),
    "claims": _list_of(_text),
}


def _reader_for(name: str, kind: Any) -> Reader:
    """By the standards' way of naming things."""
    endings = {"_uri": _address, "_response_enc": _one_of(*CIPHERS), "_encrypted_response_alg": _one_of(*KEY_WRAPS)}
    by_name = next((reader for ending, reader in endings.items() if name.endswith(ending)), None)
    if by_name:
        return by_name
    if name.endswith("_alg"):
        return _one_of(*SIGNATURES)
    return _flag if kind is bool else _text


READERS: dict[str, Reader] = {
    field.name: _SPECIAL.get(field.name) or _reader_for(field.name, field.type) for field in fields(ClientMetadata)
}


# --- what only shows when all is looked at together


def _contradictions(client: ClientMetadata) -> list[Mistake]:
    found = {mistake: made for check in CONTRADICTIONS for mistake, made in check(client).items()}
    addresses = [
        Mistake(field, f"{uri} can't be registered ({refusal})")
        for field in ("redirect_uris", "post_logout_redirect_uris")
        for uri in getattr(client, field)
        if (refusal := redirect_uri_refusal(uri, client.application_type == "native"))
    ]
    return addresses + [Mistake(*mistake) for mistake, made in found.items() if made]


Contradictions = dict[tuple[str, str], bool]


def _of_grants(client: ClientMetadata) -> Contradictions:
    for_people = "authorization_code" in client.grant_types or "id_token" in client.response_types
    return {
        ("redirect_uris", "a client for people needs one"): for_people and not client.redirect_uris,
        ("grant_types", "a public client can't act for itself"): client.public
        and bool({"client_credentials", TOKEN_EXCHANGE} & set(client.grant_types)),
        ("require_pkce", "a public client needs PKCE"): client.public and not client.require_pkce,
    }


def _of_authentication(client: ClientMetadata) -> Contradictions:
    method, algorithm = client.token_endpoint_auth_method, client.token_endpoint_auth_signing_alg
    names = [name for name in CERTIFICATE_NAMES if getattr(client, f"tls_client_auth_{name}")]
    has_keys = client.jwks is not None or client.jwks_uri is not None
    return {
        ("jwks", "jwks and jwks_uri exclude each other"): client.jwks is not None and client.jwks_uri is not None,
        ("jwks", f"{method} needs jwks or jwks_uri"): method in ("private_key_jwt", "self_signed_tls_client_auth")
        and not has_keys,
        ("token_endpoint_auth_method", "tls_client_auth needs one name of the certificate"): method == "tls_client_auth"
        and len(names) != 1,
        ("token_endpoint_auth_signing_alg", f"does not go with {method}"): algorithm is not None
        and (algorithm == "HS256") != (method == "client_secret_jwt"),
    }


def _of_encryption(client: ClientMetadata) -> Contradictions:
    has_keys = client.jwks is not None or client.jwks_uri is not None
    found: Contradictions = {}
    for what in ("id_token", "userinfo"):
        algorithm = getattr(client, f"{what}_encrypted_response_alg")
        cipher = getattr(client, f"{what}_encrypted_response_enc")
        found[f"{what}_encrypted_response_enc", "needs the algorithm of the key"] = bool(cipher) and not algorithm
        found[f"{what}_encrypted_response_alg", "needs jwks or jwks_uri"] = bool(algorithm) and not has_keys
    return found


def _of_profiles(client: ClientMetadata) -> Contradictions:
    strict = client.security_profile is not None
    method = client.token_endpoint_auth_method
    return {
        ("token_endpoint_auth_method", "the security profile needs private_key_jwt or a certificate"): strict
        and method not in ("private_key_jwt", *BY_CERTIFICATE),
        ("response_types", "the security profile allows code only"): strict and client.response_types != ("code",),
        ("require_pkce", "the security profile needs PKCE"): strict and not client.require_pkce,
        ("security_profile", "signed requests need jwks or jwks_uri"): client.signed_only
        and client.jwks is None
        and client.jwks_uri is None,
    }


CONTRADICTIONS: tuple[Callable[[ClientMetadata], Contradictions], ...] = (
    _of_grants,
    _of_authentication,
    _of_encryption,
    _of_profiles,
)

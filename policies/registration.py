"""What a client, the door of an information system, may be.  Regulation annex; RFC 7591, 2; OIDC Registration, 2.

Owns the names, defaults and limits of a client's metadata, and which of them contradict each other (RFC 9700, 2.1;
security.md, OAuth server).  Leaves alone keys (whether a JWK Set can be used is for `idp/jose.py`), addresses on the
network, and who may register a client.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any
from urllib.parse import urlsplit

from policies import registration_fields as kinds
from policies.redirect_uris import redirect_uri_refusal
from policies.registration_fields import Reader
from policies.strict_signing import SIGNED_FOR_CLIENTS, TOO_WEAK, WEAK, strictly_signed

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
SCOPES = ("email", "openid", "profile")
MANAGE_CLIENTS = "clients.manage"  # the scope of programs that register clients; itself given at the command only


@dataclass(frozen=True, slots=True)
class Mistake:
    """Why metadata is refused: the field, and a reason in words of the protocol."""

    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class ClientMetadata:
    """A client as registered, under the standards' names; the last block is the house's own, set by people only.

    `scope` is what it may have at most.  `claims` narrows what its scopes open to these claims; None: nothing is
    narrowed.  `resources` are the audiences it may ask tokens for (RFC 8707) or exchange tokens into (RFC 8693);
    `audiences` are those it is itself: tokens for them concern it (RFC 7662, 2).
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
    id_token_signed_response_alg: str = "RS256"  # noqa: S105
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
    require_nonce: bool = True  # of those that are exempted from PKCE
    security_profile: str | None = None
    resources: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
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
    "access_token_signed_response_alg", "require_pkce", "require_nonce", "security_profile", "resources", "audiences",
    "claims", "first_party",
)  # fmt: skip


def read_metadata(values: Mapping[str, Any]) -> tuple[ClientMetadata, tuple[Mistake, ...]]:
    """What `values` say, defaults filled in, and all that is wrong with it; names nobody knows are left out (RFC 7591,
    2).  A value of null counts as absent.  With mistakes the metadata must not be used."""
    read = {name: READERS[name](value) for name, value in values.items() if name in READERS and value is not None}
    mistakes = [Mistake(name, reason) for name, (_, reason) in read.items() if reason]
    said = {name: value for name, (value, reason) in read.items() if not reason}
    metadata = _in_step(ClientMetadata(**strictly_signed(said)), "response_types" in said)
    return metadata, tuple(mistakes or _contradictions(metadata))


def plain_metadata(metadata: ClientMetadata) -> dict[str, Any]:
    """The metadata as JSON has it (RFC 7591, 3.2.1); what is absent or empty by default is left out, what was
    emptied is not."""
    said = {name: value for name, value in asdict(metadata).items() if value is not None and value != EMPTY.get(name)}
    listed = {name: list(value) if isinstance(value, tuple) else value for name, value in said.items()}
    return {**listed, "scope": " ".join(metadata.scope)}


EMPTY = {field.name: field.default for field in fields(ClientMetadata) if field.default in ((), "")}


def _in_step(metadata: ClientMetadata, said: bool) -> ClientMetadata:
    """Grants and response types that go together (RFC 7591, 2.1); `said`: the response types are its own words."""
    grants = metadata.grant_types
    usual = "code" if "authorization_code" in grants else "id_token" if IMPLICIT in grants else None
    responses = metadata.response_types if said else (usual,) if usual else ()
    implied = (IMPLICIT,) if "id_token" in _words(responses) and IMPLICIT not in grants else ()
    return replace(metadata, response_types=responses, grant_types=(*grants, *implied))


def _words(responses: tuple[str, ...]) -> set[str]:
    return {word for response in responses for word in response.split()}


# --- the fields, one by one


_SPECIAL: dict[str, Reader] = {
    "client_name": kinds.text,
    "redirect_uris": kinds.list_of(kinds.any_text),
    "post_logout_redirect_uris": kinds.list_of(kinds.any_text),
    "application_type": kinds.one_of("web", "native"),
    "grant_types": kinds.list_of(kinds.one_of(*GRANT_TYPES)),
    "response_types": kinds.list_of(kinds.one_of(*RESPONSE_TYPES)),
    "scope": kinds.scopes,
    "token_endpoint_auth_method": kinds.one_of(*AUTH_METHODS),
    "token_endpoint_auth_signing_alg": kinds.one_of(*CLIENT_SIGNATURES),
    "jwks": kinds.document,
    "subject_type": kinds.one_of("public", "pairwise"),
    "default_max_age": kinds.seconds,
    "request_uris": kinds.list_of(kinds.address_of_object),
    "authorization_details_types": kinds.list_of(kinds.text),
    "default_acr_values": kinds.list_of(kinds.text),
    "contacts": kinds.list_of(kinds.text),
    "security_profile": kinds.one_of(*SECURITY_PROFILES),
    "resources": kinds.list_of(kinds.address),
    "audiences": kinds.list_of(kinds.address),
    "claims": kinds.list_of(kinds.text),
}


def _reader_for(name: str, kind: Any) -> Reader:
    """By the standards' way of naming things."""
    endings = {
        "_uri": kinds.address,
        "_response_enc": kinds.one_of(*CIPHERS),
        "_encrypted_response_alg": kinds.one_of(*KEY_WRAPS),
    }
    by_name = next((reader for ending, reader in endings.items() if name.endswith(ending)), None)
    if by_name:
        return by_name
    if name.endswith("_alg"):
        return kinds.one_of(*SIGNATURES)
    return kinds.flag if kind is bool else kinds.text


READERS: dict[str, Reader] = {
    field.name: _SPECIAL.get(field.name) or _reader_for(field.name, field.type) for field in fields(ClientMetadata)
}


# --- what only shows when all is looked at together


def _contradictions(client: ClientMetadata) -> list[Mistake]:
    addresses = [
        Mistake(field, f"{uri} can't be registered ({refusal})")
        for field in ("redirect_uris", "post_logout_redirect_uris")
        for uri in getattr(client, field)
        if (refusal := redirect_uri_refusal(uri, client.application_type == "native"))
    ]
    if addresses:
        return addresses  # some of what follows takes them apart
    found = {mistake: made for check in CONTRADICTIONS for mistake, made in check(client).items()}
    return [Mistake(*mistake) for mistake, made in found.items() if made]


Contradictions = dict[tuple[str, str], bool]


def _of_grants(client: ClientMetadata) -> Contradictions:
    by_code = "authorization_code" in client.grant_types
    for_people = by_code or bool(client.response_types)
    return {
        ("redirect_uris", "a client for people needs one"): for_people and not client.redirect_uris,
        ("grant_types", "code needs authorization_code"): "code" in _words(client.response_types) and not by_code,
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
        ("response_types", "the security profile allows code only"): strict
        and not set(client.response_types) <= {"code"},
        ("require_pkce", "the security profile needs PKCE"): strict and not client.require_pkce,
        ("security_profile", "signed requests need jwks or jwks_uri"): client.signed_only
        and client.jwks is None
        and client.jwks_uri is None,
        **{(name, TOO_WEAK): strict for name in SIGNED_FOR_CLIENTS if getattr(client, name) == WEAK},
    }


def _of_subjects(client: ClientMetadata) -> Contradictions:
    hosts = {urlsplit(uri).hostname for uri in client.redirect_uris}
    alone = client.subject_type == "pairwise" and client.sector_identifier_uri is None
    return {("sector_identifier_uri", "redirect URIs at several hosts need one"): alone and len(hosts) > 1}


CONTRADICTIONS = (_of_grants, _of_authentication, _of_encryption, _of_profiles, _of_subjects)

"""Request objects: parameters in a signed JWT (RFC 9101; OIDC Core, 6; FAPI 2.0 Message Signing, 5.3.1).

What the object says goes before what stands beside it.  A client that must sign is answered for the object alone.
"""

import json
import math
from collections.abc import Mapping
from typing import Any

from idp.flows.here import Here
from idp.jose import open_jws, read_jws
from idp.oauth.client_keys import client_keys, named
from idp.oauth.clients import RegisteredClient
from idp.oauth.errors import OAuthError
from idp.oauth.outbound import Unreachable, fetch
from idp.oauth.parameters import MAY_REPEAT, Parameters, read_parameters
from policies.registration import SIGNATURES

TYPES = ("oauth-authz-req+jwt", "JWT", None)
MEDIA_TYPE = "application/oauth-authz-req+jwt"
SKEW = 10  # seconds
LONGEST_LIFE = 3_600  # seconds between nbf and exp (FAPI 2.0 Message Signing, 5.3.1)
NOT_PARAMETERS = frozenset({"iss", "aud", "exp", "nbf", "iat", "jti", "sub"})
STRICT_ALGORITHMS = ("PS256", "ES256", "EdDSA")  # FAPI 2.0 Security Profile, 5.4.1
INVALID = OAuthError("invalid_request_object", "the request object can't be accepted")


def resolve(here: Here, parameters: Parameters, client: RegisteredClient) -> Parameters | OAuthError:
    """The parameters as the client means them, or why they can't be used."""
    given, address = parameters.get("request"), parameters.get("request_uri")
    if {"request", "request_uri"} & parameters.faulty or (given and address):
        return OAuthError("invalid_request", "request and request_uri exclude each other, each comes once")
    if address is not None:
        found = _fetch(here, address, client)
        if isinstance(found, OAuthError):
            return found
        given = found
    if given is None:
        return _unsigned(parameters, client)
    claims = _opened(here, given, client)
    return INVALID if claims is None else _merged(parameters, claims, client)


def _unsigned(parameters: Parameters, client: RegisteredClient) -> Parameters | OAuthError:
    if client.metadata.signed_only:
        return OAuthError("invalid_request", "the client must sign its requests")
    return parameters


def _fetch(here: Here, address: str, client: RegisteredClient) -> str | OAuthError:
    """Only from where the client registered; the fragment tells versions apart (OIDC Core, 6.2)."""
    registered = {uri.partition("#")[0] for uri in client.metadata.request_uris}
    if address.partition("#")[0] not in registered:
        return OAuthError("invalid_request_uri", "the client did not register this request_uri")
    try:
        return fetch(here.service, address.partition("#")[0], MEDIA_TYPE).decode("ascii")
    except (Unreachable, UnicodeDecodeError):
        return OAuthError("invalid_request_uri", "the request object could not be fetched")


def _opened(here: Here, given: str, client: RegisteredClient) -> Mapping[str, Any] | None:
    """The claims of an object that this client signed for us, for now (RFC 9101, 6.2, 10.2)."""
    unverified = read_jws(given)
    keys = client_keys(here.service, client, named(unverified.header.get("kid"))) if unverified else None
    claims = open_jws(unverified, keys, _algorithms(client), TYPES) if unverified and keys else None
    if claims is None or claims.get("client_id", client.client_id) != client.client_id:
        return None
    strict, now = client.metadata.signed_only, here.now.timestamp()
    needed = {"iss", "aud"} if strict else set()
    if needed - claims.keys() or claims.get("iss", client.client_id) != client.client_id:
        return None
    if "aud" in claims and not _is_for_us(claims["aud"], here.service.settings.base_url):
        return None
    return claims if _is_timely(claims, now, strict) else None


def _algorithms(client: RegisteredClient) -> tuple[str, ...]:
    """Those that are safe enough for it, or of them the one it registered."""
    allowed = STRICT_ALGORITHMS if client.metadata.security_profile else SIGNATURES
    registered = client.metadata.request_object_signing_alg
    return tuple(algorithm for algorithm in allowed if registered in (None, algorithm))


def _is_for_us(audience: Any, issuer: str) -> bool:
    return audience == issuer or (isinstance(audience, list) and issuer in audience)


def _is_timely(claims: Mapping[str, Any], now: float, strict: bool) -> bool:
    """Within its life; who must sign, must say when that is, and not for long (FAPI 2.0 Message Signing, 5.3.1)."""
    expires, begins = claims.get("exp", math.inf), claims.get("nbf", -math.inf)
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in (expires, begins)):
        return False
    if strict and max(now, expires) > begins + LONGEST_LIFE:  # compared, not subtracted: a number may be endless
        return False
    return bool(begins <= now + SKEW and now < expires + SKEW)


def _merged(parameters: Parameters, claims: Mapping[str, Any], client: RegisteredClient) -> Parameters | OAuthError:
    """One set of parameters; an object in an object is none (RFC 9101, 4)."""
    if {"request", "request_uri"} & claims.keys():
        return INVALID
    said = [pair for name, value in claims.items() if name not in NOT_PARAMETERS for pair in _pairs(name, value)]
    signed = read_parameters(said)
    if client.metadata.signed_only:
        return read_parameters([*said, *([] if "client_id" in claims else [("client_id", client.client_id)])])
    outer = {name: value for name, value in parameters.values.items() if name not in ("request", "request_uri")}
    return Parameters(
        {**outer, **signed.values},
        (parameters.faulty - signed.values.keys()) | signed.faulty,
        {**parameters.repeated, **signed.repeated},
    )


def _pairs(name: str, value: Any) -> list[tuple[str, str]]:
    """A claim as parameters are written: numbers as text, structures as JSON (RFC 9101, 4; RFC 9396, 5)."""
    if name in MAY_REPEAT and isinstance(value, list):
        return [(name, item) for item in value if isinstance(item, str)]
    if isinstance(value, str):
        return [(name, value)]
    if isinstance(value, bool) or value is None:
        return []
    return [(name, str(value) if isinstance(value, int) else json.dumps(value))]

"""Tokens that only their holder can use: to whose key or certificate they are bound, and whether a request comes from
that holder (RFC 9449, 5 to 7; RFC 8705, 3; RFC 7800; FAPI 2.0 Security Profile, 5.3.2.1).
"""

from collections.abc import Mapping

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Error

from idp.flows.here import Here
from idp.oauth.client_certificate import Headers, handed_on, read_certificate, thumbprint
from idp.oauth.clients import RegisteredClient
from idp.oauth.dpop import HEADER, NONCE_NEEDED, Expected, lacks_nonce, read_proof
from idp.oauth.errors import OAuthError
from idp.oauth.request_object import STRICT_ALGORITHMS
from policies.registration import SIGNATURES

KEY, CERTIFICATE = "jkt", "x5t#S256"
NOT_THE_HOLDER = OAuthError("invalid_token", "the token is bound to another sender, or was sent in another way")


def confirmation_of(
    here: Here, headers: Headers, url: str, client: RegisteredClient, needed: bool
) -> dict[str, str] | None:
    """What tokens for this request are bound to (RFC 7800, 3.1), or None.

    `needed`: tokens come of this request, so a client whose tokens must be bound has to show its key or certificate.
    Raises `OAuth2Error`.
    """
    proof, metadata = headers.get(HEADER), client.metadata
    if proof is None and not metadata.sender_bound:
        return None
    found: dict[str, str] = {}
    if proof is not None:
        found[KEY] = _proven_key(here, proof, client, url)
    if metadata.tls_client_certificate_bound_access_tokens or (metadata.sender_bound and not found):
        certificate = read_certificate(handed_on(here.service, headers))
        found |= {CERTIFICATE: thumbprint(certificate)} if certificate else {}
    if needed:
        _is_bound_enough(client, found)
    return found or None


def ask_for_nonce(here: Here, headers: Headers, client: RegisteredClient) -> None:
    """Have a client whose proofs need our nonce repeat its request with one, before anything of it is spent: it will
    send the same assertion again (RFC 9449, 8).  Raises `OAuth2Error`."""
    proof = headers.get(HEADER)
    if proof is not None and client.metadata.security_profile is not None and lacks_nonce(here, proof):
        raise OAuth2Error(NONCE_NEEDED.description, error=NONCE_NEEDED.error)


def _proven_key(here: Here, proof: str, client: RegisteredClient, url: str) -> str:
    proven = read_proof(here, proof, expected_of(client, "POST", url))
    if isinstance(proven, OAuthError):
        raise OAuth2Error(proven.description, error=proven.error)
    return proven


def _is_bound_enough(client: RegisteredClient, found: Mapping[str, str]) -> None:
    if client.metadata.dpop_bound_access_tokens and KEY not in found:
        raise InvalidRequestError("a DPoP proof is needed")
    if client.metadata.tls_client_certificate_bound_access_tokens and CERTIFICATE not in found:
        raise InvalidRequestError("a client certificate is needed")
    if client.metadata.sender_bound and not found:
        raise InvalidRequestError("a DPoP proof or a client certificate is needed")


def expected_of(client: RegisteredClient, method: str, url: str, access_token: str | None = None) -> Expected:
    """What a proof of `client` must be like; under a security profile with our nonce and a strong algorithm."""
    strict = client.metadata.security_profile is not None
    return Expected(method, url, access_token, strict, STRICT_ALGORITHMS if strict else SIGNATURES)


def holder_refusal(
    here: Here, headers: Headers, confirmation: Mapping[str, str] | None, by_dpop: bool, expected: Expected
) -> OAuthError | None:
    """Why a request with a token that says `confirmation` does not come from its holder; None when it does.

    `by_dpop`: the token came under the scheme DPoP.  A bound token under Bearer is refused, and so is one that is not
    bound under DPoP (RFC 9449, 7.1, 7.2).
    """
    bound = confirmation or {}
    if by_dpop != (KEY in bound):
        return NOT_THE_HOLDER
    if CERTIFICATE in bound:
        certificate = read_certificate(handed_on(here.service, headers))
        if certificate is None or thumbprint(certificate) != bound[CERTIFICATE]:
            return NOT_THE_HOLDER
    if not by_dpop:
        return None
    proven = read_proof(here, headers.get(HEADER) or "", expected)
    if isinstance(proven, OAuthError):
        return proven
    return None if proven == bound[KEY] else NOT_THE_HOLDER

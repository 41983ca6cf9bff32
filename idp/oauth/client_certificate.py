"""Certificates of clients (RFC 8705): as the proxy hands them on, as proof of a client, and as what tokens are bound to.

TLS ends at the proxy: it asks for the certificate and writes what it saw into one header, which it removes from what
comes from outside.  The chain is checked there, or here against the authorities that the settings name.  Without both
settings (`trusted_proxies`, `client_certificate_header`) the header is not looked at.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store, VerificationError

from idp.flows.here import Here
from idp.oauth.client_keys import client_keys
from idp.oauth.clients import RegisteredClient
from idp.service import Service
from policies.registration import CERTIFICATE_NAMES

LONGEST = 16_384  # characters
# what RFC 4514 leaves to dotted numbers, under the names that OpenSSL prints
MORE_NAMES = {
    "emailAddress": NameOID.EMAIL_ADDRESS,
    "serialNumber": NameOID.SERIAL_NUMBER,
    "SN": NameOID.SURNAME,
    "GN": NameOID.GIVEN_NAME,
    "title": NameOID.TITLE,
    "organizationIdentifier": NameOID.ORGANIZATION_IDENTIFIER,
}
# the names are ours to compare; of an authority only that it is one
EXTENSIONS = {
    "ca_policy": ExtensionPolicy.permit_all().require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None),
    "ee_policy": ExtensionPolicy.permit_all(),
}


class Headers(Protocol):
    """The headers of a request, whatever their case."""

    def get(self, name: str, /) -> str | None: ...


def handed_on(service: Service, headers: Headers) -> str | None:
    """What the proxy wrote about the certificate of this connection; None where no proxy is to be believed."""
    name = service.settings.client_certificate_header
    return headers.get(name) or None if name is not None and service.settings.trusted_proxies else None


def read_certificate(written: str | None) -> x509.Certificate | None:
    """The certificate, from RFC 9440's form (`:base64:` of DER) or URL-escaped PEM; None when it is neither."""
    if written is None or len(written) > LONGEST:
        return None
    try:
        if written.startswith(":"):
            return x509.load_der_x509_certificate(base64.b64decode(written.strip().strip(":"), validate=True))
        return x509.load_pem_x509_certificate(unquote(written).encode())
    except (ValueError, binascii.Error, x509.InvalidVersion, UnsupportedAlgorithm):
        return None


def thumbprint(certificate: x509.Certificate) -> str:
    """What a token bound to the certificate says of it (RFC 8705, 3.1: x5t#S256)."""
    der = certificate.public_bytes(Encoding.DER)
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()


def proves_by_name(here: Here, client: RegisteredClient, written: str, _url: str) -> bool:
    """Whether the certificate bears the one registered name, and somebody we trust says so (RFC 8705, 2.1)."""
    certificate = read_certificate(written)
    if certificate is None or not _is_valid(certificate, here.now) or not _is_vouched_for(here, certificate):
        return False
    registered = {name: getattr(client.metadata, f"tls_client_auth_{name}") for name in CERTIFICATE_NAMES}
    said = [(name, value) for name, value in registered.items() if value]
    return len(said) == 1 and MATCHES[said[0][0]](certificate, said[0][1])


def proves_by_key(here: Here, client: RegisteredClient, written: str, _url: str) -> bool:
    """Whether the key of the certificate, self-signed or not, is one of the client's (RFC 8705, 2.2)."""
    certificate = read_certificate(written)
    if certificate is None or not _is_valid(certificate, here.now):
        return False
    try:
        presented = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return False

    def is_presented(key: Any) -> bool:
        return bool(key.public_key == presented)

    keys = client_keys(here.service, client, is_presented)
    return keys is not None and any(is_presented(key) for key in keys)


def _is_valid(certificate: x509.Certificate, now: datetime) -> bool:
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def _is_vouched_for(here: Here, certificate: x509.Certificate) -> bool:
    """By the authorities of the settings; where none are named, the proxy has checked the chain."""
    authorities = here.service.settings.client_certificate_authorities
    if authorities is None:
        return True
    verifier = PolicyBuilder().store(_trusted(authorities)).time(here.now).extension_policies(**EXTENSIONS)
    try:
        verifier.build_client_verifier().verify(certificate, [])
    except VerificationError:
        return False
    return True


@lru_cache(maxsize=4)
def _trusted(authorities: Path) -> Store:
    return Store(x509.load_pem_x509_certificates(authorities.read_bytes()))


# --- the names, one by one


def _by_subject(certificate: x509.Certificate, registered: str) -> bool:
    """Attribute by attribute, so that spelling and blanks of the registered text don't matter (RFC 4514)."""
    try:
        return certificate.subject == x509.Name.from_rfc4514_string(registered, MORE_NAMES)
    except ValueError:
        return False


def _by_alternative(kind: Any, same: Callable[[Any, str], bool]) -> Callable[[x509.Certificate, str], bool]:
    """Whether one of the alternative names of that kind is the registered one."""

    def matches(certificate: x509.Certificate, registered: str) -> bool:
        try:
            names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
            return False
        return any(same(value, registered) for value in names.get_values_for_type(kind))

    return matches


def _same_address(value: Any, registered: str) -> bool:
    try:
        return bool(value == ip_address(registered))
    except ValueError:
        return False


MATCHES: dict[str, Callable[[x509.Certificate, str], bool]] = {
    "subject_dn": _by_subject,
    "san_dns": _by_alternative(x509.DNSName, lambda value, registered: value.lower() == registered.lower()),
    "san_uri": _by_alternative(x509.UniformResourceIdentifier, lambda value, registered: value == registered),
    "san_ip": _by_alternative(x509.IPAddress, _same_address),
    "san_email": _by_alternative(x509.RFC822Name, lambda value, registered: value == registered),
}

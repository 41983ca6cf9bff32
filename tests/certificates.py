"""Real certificates for tests: an authority, servers and clients, and those that nobody vouches for; P-256, from a day
before to a day after the moment that is named."""

import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

Key = ec.EllipticCurvePrivateKey


def new_key() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def certificate(
    subject: str, names: list[Any], key: Key, issuer: tuple[str, Key] | None = None, *, now: datetime | None = None
) -> x509.Certificate:
    """A certificate for `subject` (a common name, or a whole name by RFC 4514) from a day before `now` to a day after;
    without `issuer` it is self-signed."""
    issuer_name, issuer_key = issuer or (subject, key)
    now = now or datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer_name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if issuer is None:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return builder.sign(issuer_key, SHA256())


def _name(text: str) -> x509.Name:
    if "=" in text:
        return x509.Name.from_rfc4514_string(text)
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def pem(made: x509.Certificate) -> str:
    return made.public_bytes(Encoding.PEM).decode()


def private_pem(key: Key) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def self_signed(folder: Path, name: str = "server", now: datetime | None = None) -> Path:
    """Key and certificate of 127.0.0.1 in one PEM file, which nobody vouches for."""
    key = new_key()
    made = certificate(name, [x509.IPAddress(ip_address("127.0.0.1"))], key, now=now)
    file = folder / f"{name}.pem"
    file.write_text(private_pem(key) + pem(made))
    return file


def both_sides(server: Path, client: Path) -> ssl.SSLContext:
    """A server's half of TLS on both sides: its key and certificate, and the one client that it lets in."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(client))
    tls.load_cert_chain(server)
    tls.verify_mode = ssl.CERT_REQUIRED
    return tls


@dataclass
class Authority:
    """Issues certificates."""

    name: str = "Test authority"
    key: Key = field(default_factory=new_key)

    def write(self, folder: Path, now: datetime | None = None) -> Path:
        """Its own certificate in a file, for those who trust it."""
        path = folder / "authority.pem"
        path.write_text(pem(certificate(self.name, [], self.key, now=now)))
        return path

    def issue(
        self, subject: str, names: list[Any], key: Key | None = None, now: datetime | None = None
    ) -> x509.Certificate:
        return certificate(subject, names, key or new_key(), (self.name, self.key), now=now)

    def server(self, host: str, folder: Path) -> Path:
        """Certificate and key of a server in one file."""
        key = new_key()
        made = self.issue(host, [x509.DNSName(host)], key)
        path = folder / f"{host}.pem"
        path.write_text(private_pem(key) + pem(made))
        return path

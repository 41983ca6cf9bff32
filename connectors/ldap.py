"""The one place that knows ldap3: a directory, its entries, and its failures as outcomes.

Owns connections (one for each call: short, threadsafe, nothing to go stale), time limits, TLS and the table of result
codes.  What entries mean is the caller's.
"""

import ssl
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from connectors.base import OutcomeKind, TargetError
from connectors.http import is_loopback

with warnings.catch_warnings():
    # ldap3 2.9.1 (its last release) imports two names pyasn1 has renamed since; nothing else is silenced
    warnings.filterwarnings("ignore", r"(tagMap|typeMap) is deprecated", DeprecationWarning)
    import ldap3
    from ldap3.core.exceptions import (
        LDAPBindError,
        LDAPCertificateError,
        LDAPException,
        LDAPInvalidDnError,
        LDAPOperationResult,
        LDAPSocketOpenError,
        LDAPStartTLSError,
    )
    from ldap3.utils.conv import escape_filter_chars
    from ldap3.utils.dn import escape_rdn

CODES = {
    3: OutcomeKind.RETRYABLE,  # timeLimitExceeded
    8: OutcomeKind.AUTH,  # strongerAuthRequired
    11: OutcomeKind.THROTTLED,  # adminLimitExceeded
    13: OutcomeKind.AUTH,  # confidentialityRequired
    16: OutcomeKind.NOT_FOUND,  # noSuchAttribute: the value to be taken away is not there
    19: OutcomeKind.CONFLICT,  # constraintViolation: what slapd's `unique` overlay answers
    20: OutcomeKind.CONFLICT,  # attributeOrValueExists
    32: OutcomeKind.NOT_FOUND,  # noSuchObject
    48: OutcomeKind.AUTH,  # inappropriateAuthentication
    49: OutcomeKind.AUTH,  # invalidCredentials
    50: OutcomeKind.AUTH,  # insufficientAccessRights
    51: OutcomeKind.RETRYABLE,  # busy
    52: OutcomeKind.RETRYABLE,  # unavailable
    68: OutcomeKind.CONFLICT,  # entryAlreadyExists
}
"""LDAP result code (RFC 4511 4.1.9) -> outcome; every other is PERMANENT."""

INVALID_CREDENTIALS = 49
SCOPES = {"one": ldap3.LEVEL, "base": ldap3.BASE}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; values as text, attribute names as asked for."""

    dn: str
    attributes: Mapping[str, Sequence[str]]

    def first(self, name: str) -> str:
        """The (first) value, or "" when there is none."""
        return next(iter(self.attributes.get(name, ())), "")


class Directory:
    """One LDAP server and the account to work as.

    `ldaps://`, or `ldap://` upgraded with StartTLS before anything is said; plain text on loopback only.
    """

    def __init__(self, url: str, bind_dn: str, password: str, seconds: float, ca_file: str = "") -> None:
        parts = urlsplit(url)
        self._start_tls = parts.scheme == "ldap" and not is_loopback(parts.hostname or "")
        self._url, self._account, self._ca_file = url, (bind_dn, password), ca_file
        self._seconds = max(1, round(seconds))  # ldap3 hands them to the kernel as whole numbers

    def search(self, base: str, where: str, attributes: Sequence[str], scope: str = "one") -> list[Entry]:
        """Entries under (`one` level) or at (`base`) this DN; a base that is not there is NOT_FOUND."""
        with self._bound(repeatable=True) as connection:
            found = connection.extend.standard.paged_search(
                base, where, SCOPES[scope], attributes=list(attributes), paged_size=500, generator=True)  # fmt: skip
            return [_entry(row) for row in found if row["type"] == "searchResEntry"]

    def add(self, dn: str, classes: Sequence[str], attributes: Mapping[str, Sequence[str]]) -> None:
        with self._bound(repeatable=False) as connection:
            connection.add(dn, list(classes), {name: list(values) for name, values in attributes.items()})

    def replace(self, dn: str, attributes: Mapping[str, Sequence[str]]) -> None:
        """Set these attributes to these values; no values removes the attribute."""
        with self._bound(repeatable=True) as connection:
            connection.modify(dn, {name: [(ldap3.MODIFY_REPLACE, list(vals))] for name, vals in attributes.items()})

    def include(self, dn: str, attribute: str, value: str) -> None:
        """Add one value to an attribute; one that it has is a CONFLICT."""
        self._modify_one(dn, attribute, ldap3.MODIFY_ADD, value)

    def exclude(self, dn: str, attribute: str, value: str) -> None:
        """Take one value away; one that it has not is NOT_FOUND."""
        self._modify_one(dn, attribute, ldap3.MODIFY_DELETE, value)

    def _modify_one(self, dn: str, attribute: str, how: str, value: str) -> None:
        with self._bound(repeatable=True) as connection:
            connection.modify(dn, {attribute: [(how, [value])]})

    def rename(self, dn: str, attribute: str, value: str) -> None:
        """Give the entry another name in the same place."""
        with self._bound(repeatable=False) as connection:
            connection.modify_dn(dn, rdn(attribute, value))

    def remove(self, dn: str) -> None:
        with self._bound(repeatable=True) as connection:
            connection.delete(dn)

    def accepts(self, dn: str, password: str) -> bool:
        """Whether this entry may sign in with this password.  An empty one never may: the server would take it for an
        anonymous sign-in (RFC 4513 5.1.2)."""
        if not password:
            return False
        as_entry = Directory(self._url, dn, password, self._seconds, self._ca_file)
        try:
            with as_entry._bound(repeatable=True):
                return True
        except TargetError as error:
            if error.kind is OutcomeKind.AUTH and f"LDAP {INVALID_CREDENTIALS} " in error.detail:
                return False
            raise

    def _server(self) -> ldap3.Server:
        """A new one for each call: a kept one remembers that the server was up, and hides that it is down."""
        tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=self._ca_file or None)
        return ldap3.Server(self._url, tls=tls, connect_timeout=self._seconds, get_info=ldap3.NONE)

    @contextmanager
    def _bound(self, repeatable: bool) -> Iterator[Any]:
        """A bound ldap3 connection (untyped in parts); its exceptions leave as `TargetError`."""
        user, password = self._account
        bound = False
        connection: Any = ldap3.Connection(
            self._server(), user, password, raise_exceptions=True, receive_timeout=self._seconds, check_names=False,
            auto_referrals=False, auto_bind="NONE")  # fmt: skip
        try:
            if self._start_tls:
                connection.open()
                connection.start_tls()
            connection.bind()
            bound = True
            yield connection
        except LDAPException as error:
            raise fault(error, repeatable or not bound) from error
        finally:
            _close(connection)


def fault(error: LDAPException, repeatable: bool) -> TargetError:
    """ldap3's exceptions as outcomes; texts of the server are not quoted, they name entries."""
    if isinstance(error, LDAPOperationResult):
        return TargetError(CODES.get(error.result, OutcomeKind.PERMANENT), f"LDAP {error.result} {error.description}")
    if isinstance(error, LDAPSocketOpenError | LDAPStartTLSError | LDAPCertificateError):
        untrusted = not isinstance(error, LDAPSocketOpenError) or "CERTIFICATE" in str(error).upper()
        return TargetError(*_UNTRUSTED if untrusted else _UNREACHED)
    if isinstance(error, LDAPBindError):
        return TargetError(OutcomeKind.AUTH, "the directory refused the account")
    if isinstance(error, LDAPInvalidDnError):
        return TargetError(OutcomeKind.PERMANENT, "not a DN")
    # time-outs and broken connections: what was sent may have happened
    return TargetError(OutcomeKind.RETRYABLE if repeatable else OutcomeKind.UNKNOWN, type(error).__name__)


def _close(connection: Any) -> None:
    """Also the socket of a connection that was never made: ldap3 leaves it to the garbage collector."""
    opened = connection.socket
    with suppress(LDAPException):  # the server closed first
        connection.unbind()
    if opened is not None:
        opened.close()


_UNTRUSTED = (OutcomeKind.AUTH, "the certificate was not accepted")
_UNREACHED = (OutcomeKind.RETRYABLE, "no connection")


def equals(attribute: str, value: str) -> str:
    """A filter for one value, whatever characters it has (RFC 4515 3)."""
    return f"({attribute}={escape_filter_chars(value)})"


def rdn(attribute: str, value: str) -> str:
    """A relative DN for one value, whatever characters it has (RFC 4514 2.4)."""
    return f"{attribute}={escape_rdn(value)}"


def _entry(row: Mapping[str, object]) -> Entry:
    """raw_attributes, because without a schema ldap3 guesses types for some names."""
    raw = row["raw_attributes"]
    assert isinstance(raw, Mapping)  # noqa: S101  # ldap3 says so of every row
    return Entry(str(row["dn"]), {name: [v.decode() for v in values] for name, values in raw.items() if values})

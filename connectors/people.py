"""People as entries of one class, one level under one DN: finding, paging and removing them, whatever they mean.

Owns that an entry is known by `entryUUID`, which never changes (RFC 4530), while its DN does on every rename.
"""

from collections.abc import Sequence

from connectors.base import OutcomeKind, TargetError
from connectors.ldap import Directory, Entry, equals

ID = "entryUUID"


class People:
    """The entries of `object_class` under `base`, read with `attributes`."""

    def __init__(self, directory: Directory, base: str, object_class: str, attributes: Sequence[str]) -> None:
        self._directory, self._base = directory, base
        self._class, self._attributes = f"(objectClass={object_class})", (*attributes, ID)

    def entry(self, attribute: str, value: str) -> Entry | None:
        """The one with this value; several are a CONFLICT."""
        found = self._search(f"(&{self._class}{equals(attribute, value)})", self._attributes)
        if len(found) > 1:
            raise TargetError(OutcomeKind.CONFLICT, f"several entries with this {attribute}")
        return found[0] if found else None

    def known(self, remote_id: str) -> Entry:
        """The one with this id, or NOT_FOUND."""
        found = self.entry(ID, remote_id)
        if found is None:
            raise TargetError(OutcomeKind.NOT_FOUND, "no such entry")
        return found

    def page(self, cursor: str | None, limit: int) -> tuple[list[Entry], str | None]:
        """In the order of the immutable id.  A server's own paging cookie would die with the connection.

        The account needs `size=unlimited` in slapd's limits; its default of 500 answers LDAP 4.
        """
        ids = sorted(one.first(ID) for one in self._search(self._class, (ID,)))
        wanted = [one for one in ids if cursor is None or one > cursor]
        page = wanted[:limit]
        found = self._search(f"(|{''.join(equals(ID, one) for one in page)})", self._attributes) if page else []
        return found, page[-1] if len(wanted) > len(page) else None

    def remove(self, remote_id: str) -> None:
        """One that is gone already is a success."""
        found = self.entry(ID, remote_id)
        if found is not None:
            self._directory.remove(found.dn)

    def _search(self, where: str, attributes: Sequence[str]) -> list[Entry]:
        return self._directory.search(self._base, where, attributes)

"""e-Kyzmat, the state's personnel system: read over X-Road, kept by hand (Regulation 3.4; contracts/xroad).

Owns the mapping from an employee there to our words, which is configuration: its owner has published no description of
a service, and nothing here has seen it.  Whom HR's officer entered or closed, a scan compares; nothing is written.
No account there bears an id of ours.  Of an answer no more is taken than the mapping names: a personal number never is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from connectors.base import (
    CANONICAL,
    LISTS,
    Capabilities,
    Correlation,
    Health,
    Json,
    OutcomeKind,
    Page,
    Remote,
    TargetError,
    Wanted,
    refuse,
)
from connectors.xroad import SEGMENT, XRoad, XRoadSettings

FIELDS = {
    "family_name": "surname",
    "given_name": "name",
    "patronymic": "patronymic",
    "email": "email",
    "phone": "workPhone",
    "mobile_phone": "mobilePhone",
    "title": "position",
}
"""What HR registers there by 3.4, in names of our own stand-in.  The home address is not compared: what is wanted of it
is a mark."""


@dataclass(frozen=True, kw_only=True)
class EkyzmatSettings(XRoadSettings):
    """X-Road's, and where the service has what; to be set by the description that its owner will give."""

    people: str = "v1/employees"
    """The provider's path to its employees; `/<id>` below it is one of them."""
    records: str = "items"
    """Field of an answer that holds the list; empty: the answer is the list."""
    id: str = "id"
    """Field with the immutable id of an employee; a dot leads into an object, here and below."""
    state: str = "state"
    """Field that tells whether somebody works there."""
    ended: tuple[str, ...] = ("dismissed",)
    """Its values for those who do not any more; whatever else it says counts as working."""
    fields: Mapping[str, str] = field(default_factory=lambda: dict(FIELDS))
    """Our name of an attribute -> its field there; what is not named is not compared."""


class Ekyzmat:
    """Reads employees of one institution; `BY_HAND` in `base.py` gives the work to an officer."""

    kind: ClassVar[str] = "ekyzmat"

    def __init__(self, settings: EkyzmatSettings) -> None:
        if mistakes := _mistakes(settings):
            raise ValueError("\n".join(mistakes))
        self._settings = settings
        self._xroad = XRoad(settings)
        self._people = settings.people.split("/")
        self.capabilities = Capabilities(frozenset(settings.fields), timeout=settings.timeout)

    def check(self) -> Health:
        """Whether the service is open to us, and whether the first employee can be read."""
        try:
            if self._xroad.service not in self._xroad.open_to_us():
                return Health(False, f"the provider has not opened {self._xroad.service} to our subsystem")
            self.scan(None, 1)
        except TargetError as error:
            return Health(False, str(error))
        return Health(True, "employees can be read")

    def find(self, key: Correlation) -> Remote | None:
        """By remote id alone: there is no id of ours."""
        if not key.remote_id:
            return None
        try:
            return self._remote(self._xroad.read([*self._people, key.remote_id]))
        except TargetError as error:
            if error.kind is OutcomeKind.NOT_FOUND:
                return None
            raise

    def scan(self, cursor: str | None, limit: int) -> Page:
        """A cursor is `seen:id`, the id being the first of the page before: who does not page, is found out.

        The end is an empty page, since a service may give fewer at a time than it was asked for.
        """
        seen, _, before = (cursor or "0:").partition(":")
        told = self._xroad.read(self._people, {"offset": seen, "limit": min(limit, self.capabilities.page_max)})
        records = _at(told, self._settings.records) if self._settings.records else told
        if not isinstance(records, list):
            raise TargetError(OutcomeKind.PERMANENT, f"the answer has no list at {self._settings.records or 'its top'}")
        remotes = [self._remote(one) for one in records]
        if not remotes:
            return Page()
        if remotes[0].id == before:
            raise TargetError(OutcomeKind.PERMANENT, "the service gives the same page again")
        return Page(remotes, f"{int(seen) + len(remotes)}:{remotes[0].id}")

    def create(self, wanted: Wanted, op: str) -> Remote:
        raise refuse(self.kind, "making accounts")

    def update(self, remote_id: str, changes: Mapping[str, Json], op: str) -> None:
        raise refuse(self.kind, "changing accounts")

    def end_sessions(self, remote_id: str) -> None:
        raise refuse(self.kind, "ending sessions")

    def delete(self, remote_id: str, op: str) -> None:
        raise refuse(self.kind, "deleting")

    def _remote(self, record: Any) -> Remote:
        found_id, state = _text(_at(record, self._settings.id)), _text(_at(record, self._settings.state))
        if not SEGMENT.fullmatch(found_id) or not state:
            raise TargetError(OutcomeKind.PERMANENT, "an employee without a usable id, or without a state")
        seen = {name: _text(_at(record, there)) for name, there in self._settings.fields.items()}
        attributes = {name: value for name, value in seen.items() if value}
        return Remote(found_id, state not in self._settings.ended, attributes)


def _at(record: Any, place: str) -> Any:
    """The value at `a.b`; None where the record has none."""
    for name in place.split("."):
        record = record.get(name) if isinstance(record, Mapping) else None
    return record


def _text(value: Any) -> str:
    """A string or a whole number as text; anything else is none."""
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _mistakes(settings: EkyzmatSettings) -> list[str]:
    single = CANONICAL - LISTS - {"home_address"}
    found = [f"fields.{name}: is no attribute that can be compared" for name in sorted(settings.fields.keys() - single)]
    found += [f"fields.{name}: must not be empty" for name, place in settings.fields.items() if not place]
    found += [f"{name}: must not be empty" for name in ("id", "state") if not getattr(settings, name)]
    if not all(map(SEGMENT.fullmatch, settings.people.split("/"))):
        found.append("people: must be a path of letters, digits, . _ ~ and - between its slashes")
    return found

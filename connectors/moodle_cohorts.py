"""The cohorts of Moodle that are ours: found by idnumber, made when missing, and who is in them.

Owns the system cohorts whose idnumber is `<prefix>:<kind>:<code>`, and never touches another.  What it means to be in
one is `moodle_places.py`'s.  Facts: contracts/moodle 1.5 and 1.8 (numbers in brackets are its recorded answers).
A cohort is never removed: courses may be bound to it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

from connectors.base import Json, OutcomeKind, TargetError
from connectors.moodle_rest import Rest

KINDS = frozenset({"department", "group", "program", "role"})
FUNCTIONS = frozenset({
    "core_cohort_get_cohorts", "core_cohort_get_cohort_members", "core_cohort_create_cohorts", "core_cohort_update_cohorts",
    "core_cohort_add_cohort_members", "core_cohort_delete_cohort_members",
})  # fmt: skip
LONGEST_IDNUMBER, LONGEST_NAME = 100, 254  # of its columns
AT_ONCE = 200  # cohorts in one question: far below the fields that PHP would drop unseen (1.5)
SYSTEM: Mapping[str, Json] = {"type": "system", "value": ""}
MEMBER_ALREADY, NOT_THERE = "3", "2"  # warning codes [212, 214]


@dataclass(frozen=True, slots=True)
class Cohort:
    """One of ours."""

    id: int
    kind: str
    code: str  # as the idnumber has it
    name: str
    double: bool = False  # another one with the same idnumber was there before

    @property
    def key(self) -> tuple[str, str]:
        """Moodle compares idnumbers without case (1.4), so two that differ in nothing else are one."""
        return self.kind, self.code.casefold()

    @property
    def label(self) -> str:
        """The code; of a double it shows that it's not the one to be in."""
        return f"{self.code} (cohort {self.id})" if self.double else self.code


class Cohorts:
    """Those of one site whose idnumber begins with `prefix`."""

    def __init__(self, rest: Rest, prefix: str) -> None:
        self._rest, self._prefix = rest, prefix
        self._making = Lock()  # Moodle looks, then inserts: of two at a time both might

    def ours(self) -> list[Cohort]:
        """All of ours, the eldest first."""
        found: dict[tuple[str, str], Cohort] = {}
        everything = []
        for one in sorted(self._rest.read("core_cohort_get_cohorts"), key=lambda cohort: int(cohort["id"])):
            if (told := self._told(one["idnumber"])) is not None:
                cohort = Cohort(int(one["id"]), *told, one["name"])
                first = found.setdefault(cohort.key, cohort)
                everything.append(cohort if first is cohort else Cohort(cohort.id, *told, cohort.name, double=True))
        return everything

    def of_everybody(self, among: Sequence[Cohort]) -> dict[str, list[Cohort]]:
        """User id -> in which of these; one question for many cohorts, none for each person."""
        found: dict[str, list[Cohort]] = defaultdict(list)
        for start in range(0, len(among), AT_ONCE):
            for cohort, user in self._members(among[start : start + AT_ONCE]):
                found[user].append(cohort)
        return found

    def make(self, kind: str, code: str, name: str) -> Cohort:
        """A new one, or the one that somebody else made meanwhile."""
        idnumber = f"{self._prefix}:{kind}:{code}"
        if len(idnumber) > LONGEST_IDNUMBER:
            raise TargetError(OutcomeKind.PERMANENT, f"the code of a {kind} is too long for a cohort of Moodle")
        with self._making:
            there = self._there(kind, code)
            return there or self._made(kind, code, {"idnumber": idnumber, "name": name[:LONGEST_NAME] or code})

    def rename(self, cohort: Cohort, name: str) -> None:
        """What is not sent stays as it is; the context has to be sent [221]."""
        changed: dict[str, Json] = {"id": cohort.id, "categorytype": SYSTEM, "name": name[:LONGEST_NAME],
                                    "idnumber": f"{self._prefix}:{cohort.kind}:{cohort.code}"}  # fmt: skip
        self._rest.read("core_cohort_update_cohorts", {"cohorts": [changed]})

    def enter(self, user: str, cohorts: Iterable[Cohort]) -> None:
        """Answers 200 with warnings for what it did not do, and none of them says for whom [214]."""
        whom: Json = {"type": "id", "value": user}
        members: list[Json] = [{"cohorttype": {"type": "id", "value": one.id}, "usertype": whom} for one in cohorts]
        answer = self._rest.read("core_cohort_add_cohort_members", {"members": members}) if members else None
        codes = {str(warning["warningcode"]) for warning in (answer or {}).get("warnings", ())}
        if NOT_THERE in codes:
            raise _vanished()
        if codes - {MEMBER_ALREADY}:
            raise TargetError(OutcomeKind.PERMANENT, "Moodle did not enter the user into a cohort")

    def leave(self, user: str, cohorts: Iterable[Cohort]) -> None:
        """All or nothing; whoever is no member is fine [218, 219]."""
        members: list[Json] = [{"cohortid": cohort.id, "userid": user} for cohort in cohorts]
        if members:
            self._asked("core_cohort_delete_cohort_members", {"members": members})

    def _told(self, idnumber: str) -> tuple[str, str] | None:
        """Kind and code, or None when the cohort is not ours."""
        prefix, _, rest = idnumber.partition(":")
        kind, _, code = rest.partition(":")
        return (kind, code) if prefix == self._prefix and kind in KINDS and code else None

    def _members(self, some: Sequence[Cohort]) -> Iterator[tuple[Cohort, str]]:
        """Asked for by number and counted: a cohort whose field was dropped would look empty (1.5)."""
        by_id = {cohort.id: cohort for cohort in some}
        answer = self._asked("core_cohort_get_cohort_members", {"cohortids": list(by_id)})
        if sorted(int(one["cohortid"]) for one in answer) != sorted(by_id):
            raise TargetError(OutcomeKind.RETRYABLE, f"asked about {len(by_id)} cohorts, told of {len(answer)}")
        for one in answer:
            for user in one["userids"]:
                yield by_id[int(one["cohortid"])], str(user)

    def _there(self, kind: str, code: str) -> Cohort | None:
        return next((one for one in self.ours() if one.key == (kind, code.casefold())), None)

    def _made(self, kind: str, code: str, told: Mapping[str, Json]) -> Cohort:
        """Another process may have been quicker: that is refused like any other mistake [201]."""
        try:
            made = self._rest.create("core_cohort_create_cohorts", {"cohorts": [{"categorytype": SYSTEM, **told}]})
        except TargetError as error:
            if error.kind is OutcomeKind.PERMANENT and (there := self._there(kind, code)) is not None:
                return there
            raise
        if len(made) != 1:
            raise TargetError(OutcomeKind.UNKNOWN, f"asked for one cohort, told of {len(made)}")
        return Cohort(int(made[0]["id"]), kind, code, str(made[0]["name"]))

    def _asked(self, function: str, parameters: Mapping[str, Json]) -> Any:
        """One unknown record fails the whole call [216, 219]."""
        try:
            return self._rest.read(function, parameters)
        except TargetError as error:
            if error.kind is OutcomeKind.NOT_FOUND:
                raise _vanished() from error
            raise


def _vanished() -> TargetError:
    """Both were just read, so one of them went meanwhile: what is there has to be read again."""
    return TargetError(OutcomeKind.RETRYABLE, "the user or a cohort was removed meanwhile")

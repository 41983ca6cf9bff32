"""What being in our cohorts says of a person in Moodle, and what is wanted of a person says of cohorts and roles.

Owns the attributes `department`, `student_group` and `programs`, each kept as membership in cohorts, and the roles that
go with programs.  No function tells who has a role, so whoever was given one is in the cohort of that role: the role
first, then the cohort, and the other way round when it ends.  A role taken away past us is not seen.
"""

from collections.abc import Iterable, Mapping

from connectors.base import Json, OutcomeKind, TargetError
from connectors.moodle_cohorts import Cohort, Cohorts
from connectors.moodle_rest import Rest

OWNED = {"department": "department", "student_group": "group", "programs": "program"}
"""Attribute -> kind of its cohorts."""
ROLE = "role"
ROLE_FUNCTIONS = frozenset({"core_role_assign_roles", "core_role_unassign_roles"})
SYSTEM_CONTEXT = 1  # [230]


class Places:
    """Of the people of one site.  `roles`: program -> id of the role at system level that goes with it."""

    def __init__(self, rest: Rest, prefix: str, roles: Mapping[str, int]) -> None:
        self._rest, self._roles = rest, roles
        self._cohorts = Cohorts(rest, prefix)

    def of_everybody(self) -> dict[str, dict[str, Json]]:
        """User id -> attributes, for whoever is in any of our cohorts."""
        members = self._cohorts.of_everybody(self._cohorts.ours())
        return {user: attributes(cohorts, self._roles) for user, cohorts in members.items()}

    def check(self) -> None:
        """Whether the cohorts may be read; rights to write show at the first task."""
        self._cohorts.ours()

    def move(self, user: str, changes: Mapping[str, Json], department_name: str) -> None:
        """Make the user a member of what the changes name, and of none of our others of the same kind."""
        wanted = goals(changes, self._roles)
        kinds = wanted.keys() | ({"department"} if "department_name" in changes else set())
        ours = self._cohorts.ours()
        there = self._cohorts.of_everybody([one for one in ours if one.kind in kinds]).get(user, [])
        goal = [self._one(ours, kind, code, department_name) for kind in wanted for code in sorted(wanted[kind])]
        kept = [one for one in there if one.kind not in wanted]
        self._enter(user, [one for one in goal if one not in there])
        self._leave(user, [one for one in there if one not in (*goal, *kept)])
        self._follow_name([one for one in (*goal, *kept) if one.kind == "department"], department_name)

    def _follow_name(self, departments: list[Cohort], name: str) -> None:
        """The cohort of the department bears its name, and keeps it as long as none is known."""
        if name and len(departments) == 1 and departments[0].name != name:
            self._cohorts.rename(departments[0], name)

    def _one(self, ours: Iterable[Cohort], kind: str, code: str, department_name: str) -> Cohort:
        found = next((one for one in ours if one.key == (kind, code.casefold())), None)
        return found or self._cohorts.make(kind, code, department_name if kind == "department" else code)

    def _enter(self, user: str, cohorts: list[Cohort]) -> None:
        self._give("core_role_assign_roles", "assignments", user, cohorts)
        self._cohorts.enter(user, cohorts)

    def _leave(self, user: str, cohorts: list[Cohort]) -> None:
        self._give("core_role_unassign_roles", "unassignments", user, cohorts)
        self._cohorts.leave(user, cohorts)

    def _give(self, function: str, name: str, user: str, cohorts: list[Cohort]) -> None:
        """Give or take the roles of these cohorts; repeating is fine [231, 238]."""
        told: list[Json] = [{"roleid": cohort.code, "userid": user, "contextid": SYSTEM_CONTEXT}
                            for cohort in cohorts if cohort.kind == ROLE and not cohort.double]  # fmt: skip
        try:
            if told:
                self._rest.read(function, {name: told})
        except TargetError as error:
            if error.kind is OutcomeKind.PERMANENT:  # no reason is given [232, 233]
                reason = "a role is not assignable: moodle/role:assign and «Allow role assignments» are needed for it"
                raise TargetError(OutcomeKind.PERMANENT, reason) from error
            raise


def goals(changes: Mapping[str, Json], roles: Mapping[str, int]) -> dict[str, set[str]]:
    """Kind -> codes of the cohorts to be in; kinds that do not change are absent."""
    wanted = {kind: _codes(changes[name]) for name, kind in OWNED.items() if name in changes}
    if "program" in wanted:
        wanted[ROLE] = {str(roles[program]) for program in wanted["program"] & roles.keys()}
    return wanted


def attributes(cohorts: Iterable[Cohort], roles: Mapping[str, int]) -> dict[str, Json]:
    """In our words; several departments are shown as such, so that they are a difference and put right."""
    told = list(cohorts)
    labels = {kind: sorted(one.label for one in told if one.kind == kind) for kind in (*OWNED.values(), ROLE)}
    seen: dict[str, Json] = {"department": ", ".join(labels["department"]), "student_group": ", ".join(labels["group"]),
                             "programs": _programs(labels["program"], labels[ROLE], roles)}  # fmt: skip
    return {name: value for name, value in seen.items() if value}


def _programs(programs: list[str], given: list[str], roles: Mapping[str, int]) -> list[str]:
    """A program whose role is lacking, and a role that no program asks for, show as a difference."""
    due = {program: str(roles[program]) for program in programs if program in roles}
    shown = [f"{one} (no role {due[one]})" if one in due and due[one] not in given else one for one in programs]
    return shown + [f"role {role}" for role in given if role not in due.values()]


def _codes(value: Json) -> set[str]:
    """One code or several; empty ones are none."""
    several = value if isinstance(value, list | tuple) else [value]
    return {str(code) for code in several if code}

"""Cohorts and roles of the Moodle stand-in, as recorded in contracts/moodle.

Owns cohorts, who is in them, and who has which role at system level.  Numbers in brackets are recorded answers.
"""

from collections.abc import Callable
from typing import Any

from connectors.standins.moodle_site import Parameters, Record, Refused, Site, listed, refuse, whole

COURSE_CREATOR = 2  # the one role that the service account may give at system level [230, 232, 233]
SYSTEM = "1"  # context id
KNOWN = {"categorytype", "name", "idnumber", "description", "descriptionformat", "visible", "theme", "customfields"}
CATEGORIES = {("system", ""), ("id", "1")}
LONGEST = {"idnumber": 100, "name": 254}


class Cohorts:
    """Adds its functions to those of the site."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.table: dict[int, Record] = {}
        self.members: dict[int, list[int]] = {}
        self.roles: set[tuple[int, int]] = set()  # role and user
        functions: dict[str, Callable[[Parameters], Any]] = {
            "core_cohort_create_cohorts": self._create,
            "core_cohort_update_cohorts": self._update,
            "core_cohort_get_cohorts": self._get,
            "core_cohort_get_cohort_members": self._get_members,
            "core_cohort_add_cohort_members": self._add_members,
            "core_cohort_delete_cohort_members": self._delete_members,
            "core_role_assign_roles": self._assign,
            "core_role_unassign_roles": self._unassign,
        }
        site.functions.update(functions)

    def load(self, kept: Record) -> None:
        self.table = {int(one): cohort for one, cohort in kept["cohorts"].items()}
        self.members = {int(one): users for one, users in kept["members"].items()}
        self.roles = {(role, user) for role, user in kept["roles"]}

    def dump(self) -> Record:
        return {"cohorts": self.table, "members": self.members, "roles": sorted(self.roles)}

    def people(self) -> dict[str, list[int]]:
        """Idnumber -> user ids, for a test to look at."""
        return {cohort["idnumber"]: self._of(one) for one, cohort in self.table.items()}

    def put(self, idnumber: str, *users: int) -> int:
        """A cohort made by the site's administrator."""
        one = self._store({"name": idnumber, "idnumber": idnumber})["id"]
        self.members[one] = list(users)
        return int(one)

    def _create(self, parameters: Parameters) -> list[Record]:
        """All or nothing; an empty name is taken [204, 205]."""
        self._site.need("moodle/cohort:manage")
        cohorts = listed(parameters, "cohorts", {"cohorts"})
        for index, cohort in enumerate(cohorts):
            _check(cohort, KNOWN)
            before = [*self.table.values(), *cohorts[:index]]
            refuse(cohort["idnumber"] and _folded(cohort) in {_folded(one) for one in before})  # [201]
        return [_shown(self._store(cohort)) for cohort in cohorts]

    def _update(self, parameters: Parameters) -> None:
        """What is not sent stays [221]."""
        self._site.need("moodle/cohort:manage")
        for cohort in listed(parameters, "cohorts", {"cohorts"}):
            _check(cohort, KNOWN | {"id"})
            stored = self._known(cohort.get("id", ""))
            stored.update({name: value for name, value in cohort.items() if name not in ("id", "categorytype")})

    def _get(self, parameters: Parameters) -> list[Record]:
        """Without ids all of them, in the order they were made; an unknown id is left out [206, 207, 208]."""
        self._site.need("moodle/cohort:view")
        ids = [whole(one) for one in parameters.get("cohortids", {}).values()] or list(self.table)
        return [_shown(self.table[one]) | {"customfields": []} for one in ids if one in self.table]

    def _get_members(self, parameters: Parameters) -> list[Record]:
        """One unknown id fails the whole call [216]."""
        self._site.need("moodle/cohort:view")
        ids = [self._known(one)["id"] for one in listed(parameters, "cohortids", {"cohortids"})]
        return [{"cohortid": one, "userids": self._of(one)} for one in ids]

    def _add_members(self, parameters: Parameters) -> Record:
        """Each for itself, with warnings that name nobody [212, 214]; without the right nobody [155]."""
        members = listed(parameters, "members", {"members"})
        self._site.need("moodle/cohort:assign")
        return {"warnings": [warning for member in members if (warning := self._add(member))]}

    def _add(self, member: Record) -> Record | None:
        (cohort_by, cohort), (user_by, user) = (
            (member[name]["type"], member[name]["value"]) for name in ("cohorttype", "usertype")
        )
        for name, by, known in (
            ("cohorttype", cohort_by, ("id", "idnumber")),
            ("usertype", user_by, ("id", "username")),
        ):
            if by not in known:
                return {"warningcode": "1", "message": f"invalid parameter: {name}={by}"}
        person = next((u for u in self._site.users.values() if str(u[user_by]) == user and not u["deleted"]), None)
        if person is None:
            return {"warningcode": "2", "message": f"user {user_by}={user} not exists"}
        place = next((one for one in self.table.values() if str(one[cohort_by]) == cohort), None)
        if place is None:
            return {"warningcode": "2", "message": f"cohort {cohort_by}={cohort} not exists"}
        if person["id"] in self.members[place["id"]]:
            text = f"record already exists: cohort({cohort_by}={cohort} {user_by}={user})"
            return {"warningcode": "3", "message": text}
        self.members[place["id"]].append(person["id"])
        return None

    def _delete_members(self, parameters: Parameters) -> None:
        """All or nothing; not a member is fine [217, 218, 219]."""
        self._site.need("moodle/cohort:assign")
        pairs = [(self._known(one["cohortid"])["id"], self._person(one["userid"], "invalidrecordunknown"))
                 for one in listed(parameters, "members", {"members"})]  # fmt: skip
        for cohort, user in pairs:
            self.members[cohort] = [one for one in self.members[cohort] if one != user]

    def _assign(self, parameters: Parameters) -> None:
        self.roles |= self._pairs(parameters, "assignments")

    def _unassign(self, parameters: Parameters) -> None:
        self.roles -= self._pairs(parameters, "unassignments")

    def _pairs(self, parameters: Parameters, name: str) -> set[tuple[int, int]]:
        """All or nothing [236]; a role that may not be given here is a bad parameter [232], so is any without the right."""
        told = listed(parameters, name, {name})
        for one in told:
            refuse(one.get("contextid") != SYSTEM or whole(one["roleid"]) != COURSE_CREATOR)
            refuse("moodle/role:assign" not in self._site.capabilities)
        return {(whole(one["roleid"]), self._person(one["userid"], "codingerror")) for one in told}

    def _store(self, cohort: Record) -> Record:
        number = max(self.table, default=0) + 1
        self.table[number] = {"description": "", "visible": "1", "theme": "", **cohort, "id": number}
        self.members[number] = []
        return self.table[number]

    def _of(self, cohort: int) -> list[int]:
        """Whoever is deleted is in no cohort any more (1.7)."""
        there = {one for one, user in self._site.users.items() if not user["deleted"]}
        return [one for one in self.members[cohort] if one in there]

    def _known(self, cohort: str) -> Record:
        if whole(cohort) not in self.table:
            raise Refused("invalidrecordunknown")
        return self.table[whole(cohort)]

    def _person(self, user: str, otherwise: str) -> int:
        """[219, 234]"""
        if whole(user) not in self._site.users or self._site.users[whole(user)]["deleted"]:
            raise Refused(otherwise)
        return whole(user)


def _check(cohort: Record, known: set[str]) -> None:
    refuse(bool(cohort.keys() - known) or "name" not in cohort or "idnumber" not in cohort)
    category = cohort.get("categorytype", {})
    refuse((category.get("type"), category.get("value")) not in CATEGORIES)  # [202]
    if any(len(cohort[name]) > longest for name, longest in LONGEST.items()):
        raise Refused("dmlwriteexception")


def _folded(cohort: Record) -> str:
    """MariaDB compares without case (1.4)."""
    return str(cohort["idnumber"]).casefold()


def _shown(cohort: Record) -> Record:
    shown = {name: cohort[name] for name in ("id", "name", "idnumber", "description")}
    return {**shown, "descriptionformat": 1, "visible": cohort["visible"] == "1", "theme": cohort["theme"]}

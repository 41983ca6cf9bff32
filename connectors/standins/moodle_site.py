"""What the Moodle stand-in knows: users, and the functions for them that a connector calls, as recorded in contracts/moodle.

Owns the behaviour behind the web service; HTTP and faults are `moodle.py`'s, cohorts and roles `moodle_cohorts.py`'s.
Numbers in brackets are recorded answers.
"""

import re
import threading
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

Record = dict[str, Any]
Parameters = dict[str, Any]

CREATE_ONLY = {"createpassword"}
UPDATE_ONLY = {"id", "suspended", "userpicture"}
WRITABLE = {
    "username", "auth", "password", "firstname", "lastname", "email", "maildisplay", "city", "country", "timezone",
    "description", "firstnamephonetic", "lastnamephonetic", "middlename", "alternatename", "interests", "idnumber",
    "institution", "department", "phone1", "phone2", "address", "lang", "calendartype", "theme", "mailformat",
    "customfields", "preferences",
}  # fmt: skip
AUTHS = {"manual", "oauth2", "nologin", "ldap"}
LANGUAGES = {"en", "ru"}
HIDDEN = {
    "password",
    "middlename",
    "alternatename",
    "phone1",
    "phone2",
    "address",
    "deleted",
    "customfields",
    "preferences",
}
DETAILS = {"username", "idnumber", "auth", "department", "institution", "confirmed", "lang", "theme", "mailformat",
           "trackforums", "city", "country"}  # fmt: skip
ALWAYS = {"department", "theme"}  # answered even when empty; other empty fields are left out
CAPABILITIES = {"moodle/user:create", "moodle/user:update", "moodle/user:delete", "moodle/user:viewdetails",
                "moodle/user:viewalldetails", "moodle/cohort:view", "moodle/cohort:manage", "moodle/cohort:assign",
                "moodle/role:assign"}  # fmt: skip
USERNAME = re.compile(r"[a-z0-9._@-]+")
EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
EXACT = {"id", "idnumber", "username", "auth"}
LIKE = {"email", "firstname", "lastname"}

CLASSES = {
    "invalidparameter": (r"core\exception\invalid_parameter_exception", "Invalid parameter value detected"),
    "dmlwriteexception": ("dml_write_exception", "Error writing to database"),
    "invalidrecordunknown": ("dml_missing_record_exception", "Can't find data record in database."),
    "nopermissions": (r"core\exception\required_capability_exception",
                      "Sorry, but you do not currently have permissions to do that."),
    "invalidtoken": (r"core\exception\moodle_exception", "Invalid token - token not found"),
    "accessexception": ("webservice_access_exception", "Access control exception"),
    "codingerror": (r"core\exception\coding_exception", "Coding error detected, it must be fixed by a programmer"),
    "useradminodelete": (r"core\exception\moodle_exception", "Administrator accounts cannot be deleted."),
    "usernotdeletederror": (r"core\exception\moodle_exception", "User not deleted - error"),
}  # fmt: skip


class Refused(Exception):
    """A function failed; its argument is the `errorcode`."""


class Site:
    """Users by id, and the functions by name.  1 is the guest, 2 the administrator, 3 the service account."""

    def __init__(self, url: str, clock: Callable[[], float]) -> None:
        self.url, self._clock, self._lock = url, clock, threading.Lock()
        self.capabilities = set(CAPABILITIES)
        self.users: dict[int, Record] = {}
        for name, email in (
            ("guest", "root@localhost"),
            ("admin", "admin@example.org"),
            ("svc-provision", "svc@example.org"),
        ):
            self._store({"username": name, "firstname": name.title(), "lastname": "User", "email": email})
        self.functions: dict[str, Callable[[Parameters], Any]] = {
            "core_webservice_get_site_info": self._site_info,
            "core_user_create_users": self._create_users,
            "core_user_update_users": self._update_users,
            "core_user_delete_users": self._delete_users,
            "core_user_get_users": self._get_users,
            "core_user_get_users_by_field": self._get_users_by_field,
        }

    def call(self, function: str, parameters: Parameters) -> Any:
        """One call at a time, as the connector makes them; an unknown function is an unknown record [104]."""
        if function not in self.functions:
            raise Refused("invalidrecordunknown")
        with self._lock:
            return self.functions[function](parameters)

    def _site_info(self, parameters: Parameters) -> Record:
        own = self.users[3]
        return {"sitename": "Stand-in LMS", "username": own["username"], "firstname": own["firstname"],
                "lastname": own["lastname"], "fullname": f"{own['firstname']} {own['lastname']}", "lang": "en",
                "userid": 3, "siteurl": self.url, "release": "5.0.2 (stand-in)", "version": "2025041402",
                "functions": [{"name": name, "version": "2025041402"} for name in self.functions]}  # fmt: skip

    def _create_users(self, parameters: Parameters) -> list[Record]:
        """All or nothing [306]."""
        self.need("moodle/user:create")
        users = listed(parameters, "users", {"users"})
        for index, user in enumerate(users):
            self._check_new(user, users[:index])
        return [{"id": record["id"], "username": record["username"]} for record in map(self._store, users)]

    def _update_users(self, parameters: Parameters) -> Record:
        """Parameters are checked for all before; then each for itself, failures become warnings [069, 070]."""
        self.need("moodle/user:update")
        users = listed(parameters, "users", {"users"})
        for user in users:
            _check_parameters(user, UPDATE_ONLY)
            refuse("id" not in user)
        return {"warnings": [warning for user in users if (warning := self._update(user))]}

    def _delete_users(self, parameters: Parameters) -> None:
        self.need("moodle/user:delete")
        ids = [whole(one) for one in listed(parameters, "userids", {"userids"})]
        for one in ids:
            self._check_deletable(one)
        for one in ids:
            user = self.users[one]
            user.update(
                deleted=True, idnumber="", username=f"{user['email']}.{int(self._clock())}", email=f"{one:032x}"
            )

    def _get_users(self, parameters: Parameters) -> Record:
        """Criteria are ANDed; one with an unknown key is dropped with a warning, so everybody is answered [124]."""
        criteria = listed(parameters, "criteria", {"criteria"})
        unknown = [one["key"] for one in criteria if one["key"] not in EXACT | LIKE]
        found = [u for u in self.users.values() if not u["deleted"] and
                 all(_matches(u, one["key"], one["value"]) for one in criteria if one["key"] not in unknown)]  # fmt: skip
        advice = "The search key '{}' is not supported, look at the web service documentation"
        warnings = [
            {"item": key, "warningcode": "invalidfieldparameter", "message": advice.format(key)} for key in unknown
        ]
        return {"users": self._shown(found, {one["key"] for one in criteria}), "warnings": warnings}

    def _get_users_by_field(self, parameters: Parameters) -> list[Record]:
        """With `id` deleted users come too, unmarked [326]."""
        field, values = parameters.get("field"), listed(parameters, "values", {"field", "values"})
        refuse(field not in {"id", "idnumber", "username", "email"})
        refuse(field == "username" and not all(USERNAME.fullmatch(value) for value in values))
        wanted = {value.casefold() for value in values}  # MariaDB compares without case [114, 115]
        found = [u for u in self.users.values() if str(u[str(field)]).casefold() in wanted
                 and (field == "id" or not u["deleted"])]  # fmt: skip
        return self._shown(found, {str(field)})

    def _shown(self, users: list[Record], asked: set[str]) -> list[Record]:
        """What the service account may see: without viewalldetails a search by a hidden field finds nobody [150-153]."""
        if "moodle/user:viewdetails" not in self.capabilities:
            return [_answer(self.users[3], set()) for user in users if user["id"] == 3]
        full = "moodle/user:viewalldetails" in self.capabilities
        return [_answer(user, set() if full or user["id"] == 3 else DETAILS) for user in users
                if full or user["id"] == 3 or not asked & DETAILS]  # fmt: skip

    def _check_new(self, user: Record, before: list[Record]) -> None:
        _check_parameters(user, CREATE_ONLY)
        refuse(any(not user.get(name, "").strip() for name in ("username", "firstname", "lastname", "email")))
        refuse(
            user.get("auth", "manual") == "manual" and not user.get("password") and user.get("createpassword") != "1"
        )
        refuse(not EMAIL.fullmatch(user["email"]))
        refuse(any(self._taken(name, user[name], None) for name in ("username", "email")))
        refuse(any(one["email"].lower() == user["email"].lower() for one in before))
        _check_lengths(user)

    def _check_deletable(self, one: int) -> None:
        if one not in self.users or self.users[one]["deleted"]:
            raise Refused("invalidrecordunknown")
        if one in (2, 3):
            raise Refused("useradminodelete" if one == 2 else "usernotdeletederror")

    def _update(self, user: Record) -> Record | None:
        one = whole(user["id"])
        if code := self._objection(one, user):
            return {"item": "user", "itemid": one, "warningcode": code, "message": f"error/{code}"}
        stored = self.users[one]
        stored.update({name: value for name, value in user.items() if name not in ("id", "suspended", "password")})
        if "suspended" in user:
            stored["suspended"] = user["suspended"] == "1"
        return None

    def _objection(self, one: int, user: Record) -> str | None:
        """The warning code an update would end with [058-063, 071, 072, 328]."""
        stored = self.users.get(one)
        if stored is None:
            return "invaliduserid"
        if stored["deleted"] or one in (1, 2):
            return "usernotupdateddeleted" if stored["deleted"] else f"usernotupdated{'guest' if one == 1 else 'admin'}"
        if "email" in user and not EMAIL.fullmatch(user["email"]):
            return "useremailinvalid"
        if "email" in user and self._taken("email", user["email"], one):
            return "useremailduplicate"
        long = any(len(str(user.get(name, ""))) > 100 for name in ("username", "firstname", "lastname", "email"))
        return "dmlwriteexception" if long or self._taken("username", user.get("username"), one) else None

    def _taken(self, name: str, value: str | None, by_other_than: int | None) -> bool:
        return value is not None and any(u[name].lower() == value.lower() for u in self.users.values()
                                         if u["id"] != by_other_than and not u["deleted"])  # fmt: skip

    def _store(self, user: Record) -> Record:
        number = len(self.users) + 1
        self.users[number] = {
            "idnumber": "", "department": "", "institution": "", "city": "", "country": "", "auth": "manual", "lang": "en",
            "theme": "", "timezone": "99", "mailformat": 1, "trackforums": 0, "firstaccess": 0, "lastaccess": 0,
            "confirmed": True, "suspended": False, "deleted": False,
            "profileimageurl": f"{self.url}/f1", "profileimageurlsmall": f"{self.url}/f2",
            **{name: value for name, value in user.items() if name not in ("password", "createpassword")}, "id": number,
        }  # fmt: skip
        return self.users[number]

    def need(self, capability: str) -> None:
        if capability not in self.capabilities:
            raise Refused("nopermissions")


def refuse(condition: bool) -> None:
    """Moodle tells no more than this about a bad parameter."""
    if condition:
        raise Refused("invalidparameter")


def listed(parameters: Parameters, name: str, known: set[str]) -> list[Any]:
    """A required list; an unknown key fails the call [026], an empty list cannot be sent [037]."""
    value = parameters.get(name)
    refuse(not isinstance(value, dict) or bool(parameters.keys() - known))
    return list(value.values()) if isinstance(value, dict) else []


def _check_parameters(user: Record, further: set[str]) -> None:
    """Types of the parameters, before anything is looked up."""
    refuse(bool(user.keys() - WRITABLE - further))
    refuse("username" in user and not USERNAME.fullmatch(user["username"]))
    refuse(user.get("auth", "manual") not in AUTHS or user.get("lang", "en") not in LANGUAGES)
    refuse(any("<" in user.get(name, "") for name in ("firstname", "lastname")))
    refuse(user.get("suspended", "0") not in ("0", "1"))


def _check_lengths(user: Record) -> None:
    if any(len(user.get(name, "")) > 100 for name in ("username", "firstname", "lastname", "email")):
        raise Refused("dmlwriteexception")


def whole(value: str) -> int:
    refuse(not value.isdigit())
    return int(value)


def _matches(user: Record, key: str, value: str) -> bool:
    if key in EXACT:
        return str(user[key]).casefold() == value.casefold()
    pattern = value.casefold().replace("[", "[[]").replace("%", "*").replace("_", "?")
    return fnmatchcase(str(user[key]).casefold(), pattern)


def _answer(user: Record, hidden: set[str]) -> Record:
    """One user as a look-up shows it."""
    shown = {n: v for n, v in user.items() if n not in HIDDEN | hidden and (v not in ("", None) or n in ALWAYS)}
    return {**shown, "fullname": f"{user['firstname']} {user['lastname']}"}

"""The groups of departments in Google Workspace: whoever works or studies in one is a member of its group, of no other's.

Owns that membership.  The groups themselves, their other members and all other groups are the administrators'.
"""

from connectors.base import OutcomeKind, TargetError
from connectors.google_rest import Document, Rest, place


class DepartmentGroups:
    """Groups whose address is made of a department's code by `pattern`, such as dept-{department}@example.edu."""

    def __init__(self, rest: Rest, pattern: str) -> None:
        self._rest = rest
        self._before, self._after = pattern.lower().split("{department}")  # Google folds addresses

    def department_of(self, user_id: str) -> str:
        """The code, in small letters; several, should somebody be in several groups, so that it shows as a difference."""
        return ", ".join(sorted(self._codes(user_id)))

    def move(self, user: Document, department: str) -> None:
        """Make `user` a member of this department's group alone; of none when `department` is empty."""
        wanted = {department.lower()} - {""}
        there = self._codes(str(user["id"]))
        for code in wanted - there:
            self._enter(self._address(code), user)
        for code in there - wanted:
            self._leave(self._address(code), user)

    def _codes(self, user_id: str) -> set[str]:
        """Of the departments whose groups the user is in."""
        codes: set[str] = set()
        query = {"userKey": user_id}
        while True:
            answer = self._page(query)
            codes |= {code for group in answer.get("groups", ()) if (code := self._code(str(group["email"])))}
            if not answer.get("nextPageToken"):
                return codes
            query["pageToken"] = str(answer["nextPageToken"])

    def _page(self, query: dict[str, str]) -> Document:
        try:
            return self._rest.read("/groups", **query)
        except TargetError as error:
            if error.kind is OutcomeKind.NOT_FOUND:  # the record of the user was just read or made
                raise TargetError(OutcomeKind.RETRYABLE, "Google does not know the groups of the user yet") from error
            raise

    def _code(self, address: str) -> str:
        """Of the department whose group has this address, or "" when it is none's."""
        address = address.lower()
        if not (address.startswith(self._before) and address.endswith(self._after)):
            return ""
        return address[len(self._before) : len(address) - len(self._after)]

    def _address(self, code: str) -> str:
        return f"{self._before}{code}{self._after}"

    def _enter(self, group: str, user: Document) -> None:
        member = {"email": user["primaryEmail"], "role": "MEMBER"}
        try:
            self._rest.change("POST", place("groups", group, "members"), member)
        except TargetError as error:
            if error.kind is OutcomeKind.NOT_FOUND:
                raise self._absence(group) from error
            if error.kind is not OutcomeKind.CONFLICT:  # a member already
                raise

    def _absence(self, group: str) -> TargetError:
        """Why a member could not be entered: the group is not there, or the user is too new."""
        try:
            self._rest.read(place("groups", group))
        except TargetError as error:
            if error.kind is OutcomeKind.NOT_FOUND:
                return TargetError(OutcomeKind.PERMANENT, "the department has no group in Google Workspace")
            return error
        return TargetError(OutcomeKind.RETRYABLE, "Google does not let the user into groups yet")

    def _leave(self, group: str, user: Document) -> None:
        self._rest.remove(place("groups", group, "members", str(user["id"])))

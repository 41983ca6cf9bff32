"""The mailing lists of departments in the mail directory: whoever works or studies in one is a member of its list, of no
other's (contracts/mail, `kstuMailList`).

Owns who of the people is a member, and makes a list when its first member comes.  Addresses of outsiders
(`kstuListAddress`), further addresses of a list and all lists whose address is not of the pattern are the
administrators'.
"""

from connectors.base import OutcomeKind, TargetError
from connectors.ldap import Directory, equals, rdn

CLASS = "kstuMailList"


class DepartmentLists:
    """Lists under `base` whose address is made of a department's code by `pattern`: dept-{department}@example.edu."""

    def __init__(self, directory: Directory, base: str, pattern: str) -> None:
        self._directory, self._base = directory, base
        self._before, self._after = pattern.lower().split("{department}")  # the directory folds addresses

    def codes(self, member: str) -> set[str]:
        """Of the departments whose lists the entry with this DN is in, in small letters."""
        where = f"(&(objectClass={CLASS}){equals('member', member)})"
        lists = self._directory.search(self._base, where, ["mail"])
        return {code for one in lists if (code := self._code(one.first("mail")))}

    def move(self, member: str, department: str) -> None:
        """Make the entry a member of this department's list alone; of none when `department` is empty."""
        wanted, there = {department.lower()} - {""}, self.codes(member)
        for code in wanted - there:
            self._enter(code, member)
        for code in there - wanted:
            self._leave(code, member)

    def _code(self, address: str) -> str:
        address = address.lower()
        if not (address.startswith(self._before) and address.endswith(self._after)):
            return ""
        return address[len(self._before) : len(address) - len(self._after)]

    def _address(self, code: str) -> str:
        return f"{self._before}{code}{self._after}"

    def _dn(self, code: str) -> str | None:
        where = f"(&(objectClass={CLASS}){equals('mail', self._address(code))})"
        return next((one.dn for one in self._directory.search(self._base, where, ["mail"])), None)

    def _enter(self, code: str, member: str) -> None:
        there = self._dn(code) or self._made(code, member)
        try:
            if there:
                self._directory.include(there, "member", member)
        except TargetError as error:
            if error.kind is not OutcomeKind.CONFLICT:  # a member already
                raise

    def _made(self, code: str, member: str) -> str | None:
        """Make the list with its first member; the DN of the one that somebody else made meanwhile, if so."""
        address = self._address(code)
        attributes = {"mail": [address], "mailLocalAddress": [address], "kstuAccountId": [f"list:{address}"],
                      "member": [member]}  # fmt: skip
        try:
            self._directory.add(f"{rdn('cn', address)},{self._base}", (CLASS,), attributes)
        except TargetError as error:
            if error.kind is OutcomeKind.CONFLICT and (there := self._dn(code)):
                return there
            if error.kind is OutcomeKind.CONFLICT:
                raise TargetError(OutcomeKind.PERMANENT, "the address of the department's list is taken") from error
            raise
        return None

    def _leave(self, code: str, member: str) -> None:
        try:
            if there := self._dn(code):
                self._directory.exclude(there, "member", member)
        except TargetError as error:
            if error.kind is not OutcomeKind.NOT_FOUND:  # gone already
                raise

"""Zoom by SCIM (developers.zoom.us, «SCIM2»): needs an Education or Business plan with single sign-on switched on.

An account with an administrator's role answers to being deactivated, and stays active: reading back shows it, and the
task ends with an officer.  Licences are not given by SCIM.
"""

from typing import ClassVar

from connectors.scim import Dialect, Scim


class Zoom(Scim):
    """One call a second: the limit is the account's, shared by all its applications."""

    kind: ClassVar[str] = "zoom"
    dialect: ClassVar[Dialect] = Dialect(
        attributes=frozenset({"email", "given_name", "family_name", "display_name", "department"}),
        user_name="email",
        concurrency=1,
        pause=1.0,
    )

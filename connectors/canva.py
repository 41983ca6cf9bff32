"""Canva by SCIM (canva.dev, «Canva's SCIM API»): for Canva for Education and single-team Enterprise only.

Nobody is deleted there.  An address that somebody has an account of their own with is taken: a person settles that.  The
role is left to the team's settings: a word that Canva does not know would become «Member» in silence.
"""

from typing import ClassVar

from connectors.scim import Dialect, Scim


class Canva(Scim):
    """Ten accounts in a page at most, and one made in a second."""

    kind: ClassVar[str] = "canva"
    dialect: ClassVar[Dialect] = Dialect(
        attributes=frozenset({"email", "given_name", "family_name", "display_name"}),
        user_name="email",
        patch_by_value=True,
        delete=False,
        page_max=10,
        concurrency=1,
        pause=1.0,
    )

"""UNET: the SCIM service in front of its users service.

Owns what is particular to UNET; all else is `scim.py`.  Nobody outside has seen this service yet (contracts/unet-avn.md,
decision 2): the profile is proved against scim2-server only.  To be confirmed by UNET's owner: `department_name` in the
enterprise `division`, programs as slugs (`unet.<slug>`), `X-Request-Id` in its logs.  `student_group` has no place in the
core schema and stays unsupported until UNET publishes the university extension (contracts/scim, decision 5).
"""

from dataclasses import dataclass
from typing import ClassVar

from connectors.scim import Scim, ScimSettings


@dataclass(frozen=True, kw_only=True)
class UnetSettings(ScimSettings):
    """Those of any SCIM target; url and token are handed out by UNET's owner."""


class Unet(Scim):
    """UNET outlives our sessions with its own cookies; they end by back-channel logout (idp/oauth), not here."""

    kind: ClassVar[str] = "unet"

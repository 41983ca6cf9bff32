"""Which kinds of connectors there are.  A literal table; a new kind is a new row.

A system without an API is of kind `manual`: its connector is a person.  There is no code to call, so its factory is
None, and a task for it waits for the officer who confirms it.  So does one for a kind that can only be read (`BY_HAND` in
`base.py`); its connector is for looking through the system.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connectors.base import MANUAL, Connector
from connectors.canva import Canva
from connectors.ekyzmat import Ekyzmat, EkyzmatSettings
from connectors.google import Google, GoogleSettings
from connectors.inetorgperson import Ldap, LdapSettings
from connectors.mail import Mail, MailSettings
from connectors.moodle import Moodle, MoodleSettings
from connectors.rest import Rest, RestSettings
from connectors.scim import Scim, ScimSettings
from connectors.unet import Unet, UnetSettings
from connectors.zoom import Zoom


@dataclass(frozen=True)
class ManualSettings:
    """A system without an API has nothing to set."""


@dataclass(frozen=True, slots=True)
class KindEntry:
    """The settings class of a kind, and what makes a connector of such settings (None: an officer does the work)."""

    settings: type[Any]
    factory: Callable[[Any], Connector] | None


KINDS: dict[str, KindEntry] = {
    "unet": KindEntry(UnetSettings, Unet),
    "moodle": KindEntry(MoodleSettings, Moodle),
    "mail": KindEntry(MailSettings, Mail),
    "ldap": KindEntry(LdapSettings, Ldap),
    "scim": KindEntry(ScimSettings, Scim),
    "zoom": KindEntry(ScimSettings, Zoom),
    "canva": KindEntry(ScimSettings, Canva),
    "google": KindEntry(GoogleSettings, Google),
    "rest": KindEntry(RestSettings, Rest),
    "ekyzmat": KindEntry(EkyzmatSettings, Ekyzmat),
    MANUAL: KindEntry(ManualSettings, None),
}

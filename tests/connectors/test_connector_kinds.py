"""The table of kinds: every row makes a connector of its own settings, and says who it is."""

from pathlib import Path

import pytest

from connectors.base import BY_HAND
from connectors.kinds import KINDS
from policies.profile_text import SYSTEM_KINDS
from tests.certificates import self_signed

SETTINGS = {
    "unet": {"url": "https://unet.example.edu/scim", "token": "t"},
    **{kind: {"url": "https://scim.example.edu/v2", "token": "t"} for kind in ("scim", "zoom", "canva")},
    "ldap": {"url": "ldaps://d.example.edu", "bind_dn": "cn=idp", "password": "p", "base": "ou=people"},
    "rest": {"url": "https://library.example.edu/api/v1", "map": "koha", "user": "u", "secret": "s"},
    "moodle": {"url": "https://lms.example.edu", "token": "t", "cohorts": "ours", "roles": {"moodle.teacher": 2}},
    "mail": {"url": "ldaps://mail.example.edu", "bind_dn": "cn=idp", "password": "p", "base": "ou=people"},
    "google": {"service_account": "s@example.edu", "key_id": "k", "private_key": "p", "administrator": "a@example.edu"},
    "ekyzmat": {"url": "https://ss.example.edu:8443", "client": "central-server/GOV/70000098/idp",
                "service": "central-server/GOV/70000099/ekyzmat-services/hr"},
}  # fmt: skip
FILES = {"ekyzmat": ("certificate", "key", "ca_file")}  # settings that name a file with a certificate and its key


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"manual"}))
def test_each_kind_makes_a_connector_that_bears_its_name(kind: str, tmp_path: Path) -> None:
    factory = KINDS[kind].factory
    assert factory is not None
    files = dict.fromkeys(FILES.get(kind, ()), str(self_signed(tmp_path)))
    assert factory(KINDS[kind].settings(**SETTINGS[kind], **files)).kind == kind


def test_the_work_of_a_manual_system_is_a_person_s() -> None:
    assert KINDS["manual"].factory is None and KINDS["manual"].settings()


def test_kinds_kept_by_hand_are_kinds() -> None:
    assert KINDS.keys() >= BY_HAND


def test_a_profile_may_name_every_kind_there_is() -> None:
    assert frozenset(KINDS) == SYSTEM_KINDS

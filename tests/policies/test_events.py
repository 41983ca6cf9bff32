"""Which acts other systems hear of, and what of them."""

from typing import Any

import pytest

from policies.events import ACTS, CAEP, RISC, TYPES, Event, events_of

Said = tuple[str, dict[str, str]]
BY_HERSELF, BY_OFFICER, BY_ORDER = "account/aida", "account/bakyt", "order/shnet/1-К/v1"


def said(act: str, actor: str, before: Any = None, after: Any = None) -> list[Said]:
    return [(one.uri, dict(one.claims)) for one in events_of(act, "aida", actor, before, after)]


@pytest.mark.parametrize(
    ("act", "actor", "before", "after", "events"),
    [
        ("account-closed", BY_ORDER, {"open": True}, {"open": False}, [(RISC + "account-disabled", {})]),
        ("account-reopened", BY_ORDER, {"open": False}, {"open": True}, [(RISC + "account-enabled", {})]),
        ("sessions-ended", BY_HERSELF, {"open": 2}, {"open": 0},
         [(CAEP + "session-revoked", {"initiating_entity": "user"})]),
        ("sessions-ended", BY_HERSELF, {"open": 2}, {"open": 1}, []),
        ("password-set", BY_HERSELF, {"password": None}, {"password": "changed"},
         [(CAEP + "credential-change",
           {"credential_type": "password", "change_type": "create", "initiating_entity": "user"})]),
        ("password-set", "command", {"password": "changed"}, {"password": "changed"},
         [(CAEP + "credential-change",
           {"credential_type": "password", "change_type": "update", "initiating_entity": "admin"})]),
        ("factor-added", BY_HERSELF, {"factor": None}, {"factor": "Phone", "kind": "totp"},
         [(CAEP + "credential-change",
           {"credential_type": "app", "change_type": "create", "initiating_entity": "user"})]),
        ("factor-removed", BY_HERSELF, {"factor": "Key", "kind": "passkey"}, {"factor": None},
         [(CAEP + "credential-change",
           {"credential_type": "passkey", "change_type": "delete", "initiating_entity": "user"})]),
        ("factors-reset", BY_OFFICER, {"factor": ["A", "B", "C"], "kind": ["totp", "passkey", "totp"]}, {"factor": []},
         [(CAEP + "credential-change",
           {"credential_type": kind, "change_type": "revoke", "initiating_entity": "admin"})
          for kind in ("passkey", "app")]),
        ("recovery-asked", "anonymous", None, {"forgotten": "password", "outcome": "mailed"},
         [(RISC + "recovery-activated", {})]),
        ("recovery-asked", "anonymous", None, {"forgotten": "login", "outcome": "mailed"}, []),
        ("recovery-asked", "anonymous", None, {"forgotten": "password", "outcome": "closed"}, []),
        ("person-changed", BY_ORDER, {"personal_email": "a"}, {"personal_email": "b"},
         [(RISC + "recovery-information-changed", {})]),
        ("person-changed", BY_ORDER, {"family": "a"}, {"family": "b"}, []),
        ("signed-in", BY_HERSELF, None, {"agent": ""}, []),
    ],
)  # fmt: skip
def test_an_act_is_told_as_these_events(act: str, actor: str, before: Any, after: Any, events: list[Said]) -> None:
    assert said(act, actor, before, after) == events


def test_what_the_service_does_by_itself_is_said_to_be_so() -> None:
    assert said("sessions-ended", "worker")[0][1] == {"initiating_entity": "system"}


def test_no_event_carries_what_the_trail_keeps_of_the_person() -> None:
    kept = {"personal_email": "old@example.org", "factor": "Aida's phone", "kind": "totp", "reason": "fraud"}
    text = repr([said(act, BY_OFFICER, kept, kept) for act in ACTS if act != "factors-reset"])
    assert not any(word in text for word in ("example.org", "phone", "fraud"))


def test_every_event_has_a_name_of_its_own_in_both_forms() -> None:
    events = [Event(name) for name in TYPES]
    assert len({one.uri for one in events}) == len({one.webhook for one in events}) == len(TYPES)

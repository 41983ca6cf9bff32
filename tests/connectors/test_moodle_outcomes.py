"""Moodle's error codes as outcomes.  The numbers are those of contracts/moodle/recorded, where each was observed."""

import pytest

from connectors.base import Json, OutcomeKind
from connectors.moodle_rest import brackets, outcome

RECORDED = [
    ("011", "invalidparameter", OutcomeKind.PERMANENT),
    ("019", "<div>Passwords must be at least 8 characters long.</div>", OutcomeKind.PERMANENT),
    ("033", "dmlwriteexception", OutcomeKind.CONFLICT),
    ("058", "invaliduserid", OutcomeKind.NOT_FOUND),
    ("059", "useremailduplicate", OutcomeKind.CONFLICT),
    ("060", "dmlwriteexception", OutcomeKind.CONFLICT),
    ("062", "useremailinvalid", OutcomeKind.PERMANENT),
    ("071", "usernotupdatedadmin", OutcomeKind.PERMANENT),
    ("072", "usernotupdatedguest", OutcomeKind.PERMANENT),
    ("100", "invalidtoken", OutcomeKind.AUTH),
    ("104", "invalidrecordunknown", OutcomeKind.NOT_FOUND),
    ("105", "accessexception", OutcomeKind.AUTH),
    ("130", "sitemaintenance", OutcomeKind.RETRYABLE),
    ("135", "wsaccessusersuspended", OutcomeKind.AUTH),
    ("136", "wsaccessusernologin", OutcomeKind.AUTH),
    ("140", "nopermissions", OutcomeKind.AUTH),
    ("143", "dbconnectionfailed", OutcomeKind.RETRYABLE),
    ("321", "invalidrecordunknown", OutcomeKind.NOT_FOUND),
    ("323", "useradminodelete", OutcomeKind.PERMANENT),
    ("324", "usernotdeletederror", OutcomeKind.PERMANENT),
    ("328", "usernotupdateddeleted", OutcomeKind.NOT_FOUND),
    ("342", "invalidresponse", OutcomeKind.PERMANENT),
]


@pytest.mark.parametrize(("recorded", "code", "kind"), RECORDED)
def test_each_recorded_code_has_its_outcome(recorded: str, code: str, kind: OutcomeKind) -> None:
    error = outcome(code)
    assert error.kind is kind
    assert "<" not in error.detail


def test_values_travel_in_brackets_with_booleans_as_numbers() -> None:
    user: dict[str, Json] = {"id": 4, "suspended": True, "customfields": [{"type": "a", "value": "b"}]}
    assert dict(brackets({"users": [user], "field": "id"})) == {
        "users[0][id]": "4", "users[0][suspended]": "1", "users[0][customfields][0][type]": "a",
        "users[0][customfields][0][value]": "b", "field": "id"}  # fmt: skip

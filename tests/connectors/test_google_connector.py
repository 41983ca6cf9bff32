"""What is particular to Google Workspace: delegation, a search that lags behind, users that are not complete, groups."""

import logging
import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from connectors.base import Correlation, Json, OutcomeKind, Remote, TargetError, Wanted
from connectors.google import GROUP_SCOPE, SCOPES, Google, GoogleSettings
from connectors.plan import Change, Plan, plan
from connectors.standins.google import GoogleStandin
from idp.provisioning.bring import bring
from tests.certificates import self_signed

ATTRIBUTES: dict[str, Json] = {"email": "aida@example.edu", "given_name": "Аида", "family_name": "Асанова"}
WANTED = Wanted("acc-1", 1, True, ATTRIBUTES)
KEY = Correlation("acc-1", None, "aida", "aida@example.edu")
AT_WORK = replace(WANTED, attributes={**ATTRIBUTES, "title": "доцент", "department": "FIT"})


class HandClock:
    """Seconds that pass when the test says so."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def workspace(tmp_path: Path, clock: HandClock) -> Iterator[GoogleStandin]:
    with GoogleStandin(tmp_path, clock=clock) as standin:
        yield standin


@pytest.fixture
def google(workspace: GoogleStandin) -> Google:
    return Google(replace(workspace.settings, timeout=0.5))


@pytest.fixture
def grouping(workspace: GoogleStandin) -> Google:
    """With a group for each department; FIT and 0407 have theirs."""
    return Google(workspace.with_groups("FIT", "0407"))


def refusal(act: Callable[[], object]) -> TargetError:
    with pytest.raises(TargetError) as caught:
        act()
    return caught.value


def found(google: Google, remote_id: str) -> Remote:
    seen = google.find(replace(KEY, remote_id=remote_id))
    assert seen is not None
    return seen


# --- the token


def test_a_token_is_fetched_once_and_again_after_google_did_not_take_it(
    workspace: GoogleStandin, google: Google
) -> None:
    made = google.create(WANTED, "op")
    tokens = dict(workspace._tokens)
    google.update(made.id, {"title": "доцент"}, "op")
    assert len(tokens) == 1 and workspace._tokens == tokens
    workspace.revoke_tokens()
    assert refusal(lambda: google.find(KEY)).kind is OutcomeKind.AUTH
    assert google.find(KEY) is not None


def test_only_the_scopes_that_are_used_are_asked_for(workspace: GoogleStandin, google: Google) -> None:
    workspace.delegated = set(SCOPES)
    assert google.check().ok
    grouping = Google(workspace.with_groups())
    assert grouping.check().detail == "auth: Google refused the service account (unauthorized_client)"
    workspace.delegated.add(GROUP_SCOPE)
    assert grouping.check().ok


@pytest.mark.parametrize("changed", [
    {"private_key": RSAKey.generate_key(2048).as_pem(private=True).decode()}, {"private_key": "no key"},
    {"service_account": "other@stand-in.example"}, {"administrator": "other@example.edu"},
])  # fmt: skip
def test_whatever_is_wrong_with_the_service_account_is_for_the_operator(
    workspace: GoogleStandin, changed: dict[str, str]
) -> None:
    error = refusal(lambda: Google(replace(workspace.settings, **changed)).find(KEY))
    assert error.kind is OutcomeKind.AUTH
    assert not [value for value in changed.values() if value in f"{error}{error.__cause__}"]


def test_no_token_password_or_key_is_logged(
    workspace: GoogleStandin, google: Google, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    made = google.create(WANTED, "op")
    told = caplog.text + repr(google.__dict__) + repr(google._rest.__dict__) + repr(workspace.settings)
    secrets = [*workspace._tokens, workspace.site.passwords[made.id], workspace.settings.private_key]
    assert not [secret for secret in secrets if secret in told]


# --- faults


@pytest.mark.parametrize(("fault", "kind"), [
    ("userRateLimitExceeded", OutcomeKind.THROTTLED), ("quotaExceeded", OutcomeKind.THROTTLED),
    ("rateLimitExceeded", OutcomeKind.THROTTLED), (429, OutcomeKind.THROTTLED),
    ("forbidden", OutcomeKind.AUTH), ("insufficientPermissions", OutcomeKind.AUTH), ("authError", OutcomeKind.AUTH),
    (403, OutcomeKind.AUTH), (500, OutcomeKind.RETRYABLE), (503, OutcomeKind.RETRYABLE),
    ("backendError", OutcomeKind.RETRYABLE), ("conditionNotMet", OutcomeKind.RETRYABLE),
    ("staleEtag", OutcomeKind.CONFLICT), ("duplicate", OutcomeKind.CONFLICT), ("notFound", OutcomeKind.NOT_FOUND),
    (404, OutcomeKind.RETRYABLE), ("invalid", OutcomeKind.PERMANENT), (302, OutcomeKind.PERMANENT),
    ("garbage", OutcomeKind.RETRYABLE), ("hang", OutcomeKind.RETRYABLE),
])  # fmt: skip
def test_each_fault_has_its_outcome(
    workspace: GoogleStandin, google: Google, fault: int | str, kind: OutcomeKind
) -> None:
    made = google.create(WANTED, "op")
    workspace.faults.append(fault)
    error = refusal(lambda: google.update(made.id, {"email": "b@example.edu"}, "op"))
    assert error.kind is kind and "aida" not in str(error) and "example.edu" not in str(error)


@pytest.mark.parametrize("fault", ["hang", "garbage"])
def test_an_insert_without_an_answer_is_unknown_and_a_look_tells(
    workspace: GoogleStandin, google: Google, fault: str
) -> None:
    google._searched = lambda account_id: None  # type: ignore[method-assign]
    workspace.faults.append(fault)
    assert refusal(lambda: google.create(WANTED, "op")).kind is OutcomeKind.UNKNOWN
    del google._searched  # type: ignore[method-assign]
    assert (google.find(KEY) is not None) is (fault == "hang")


def test_a_certificate_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    with GoogleStandin(tmp_path / "google", tls=tls) as standin:
        assert refusal(lambda: Google(standin.settings).find(KEY)).kind is OutcomeKind.AUTH
        assert Google(replace(standin.settings, ca_file=str(certificate))).check().ok


# --- users


def test_a_new_user_gets_a_password_of_its_own_that_nobody_learns(workspace: GoogleStandin, google: Google) -> None:
    first = google.create(WANTED, "op")
    second = google.create(Wanted("acc-2", 1, True, {**ATTRIBUTES, "email": "b@example.edu"}), "op")
    passwords = [workspace.site.passwords[one.id] for one in (first, second)]
    assert len(set(passwords)) == 2 and min(map(len, passwords)) >= 64
    user = workspace.site.users[first.id]
    assert user["changePasswordAtNextLogin"] is False and user["orgUnitPath"] == "/"
    google.update(first.id, {"title": "доцент", "active": False}, "op")
    assert [workspace.site.passwords[one.id] for one in (first, second)] == passwords
    assert not [one for one in passwords for file in workspace.folder.iterdir() if one in file.read_text()]


def test_what_the_search_does_not_show_yet_is_found_at_its_address(workspace: GoogleStandin, google: Google) -> None:
    workspace.site.search_seconds = 3600
    made = google.create(WANTED, "op")
    assert google.find(KEY) == made
    assert google.find(replace(KEY, email="other@example.edu")) is None


def test_a_user_at_the_address_without_our_id_is_nobody_of_ours(workspace: GoogleStandin, google: Google) -> None:
    made = google.create(WANTED, "op")
    workspace.site.users[made.id]["externalIds"] = [{"type": "custom", "value": "acc-1"}]
    assert google.find(KEY) is None
    assert refusal(lambda: google.create(WANTED, "op")).kind is OutcomeKind.CONFLICT


def test_a_former_address_leads_to_nobody_else_and_stays_taken(google: Google) -> None:
    made = google.create(WANTED, "op")
    google.update(made.id, {"email": "asanova@example.edu"}, "op")
    other = Wanted("acc-2", 1, True, ATTRIBUTES)
    assert google.find(replace(KEY, account_id="acc-2")) is None
    assert refusal(lambda: google.create(other, "op")).kind is OutcomeKind.CONFLICT
    assert google.find(KEY) == found(google, made.id)


def test_what_the_search_still_shows_is_read_before_it_is_believed(
    workspace: GoogleStandin, clock: HandClock, google: Google
) -> None:
    workspace.site.search_seconds = 3600
    gone, changed = google.create(WANTED, "op"), google.create(
        Wanted("acc-2", 1, True, {**ATTRIBUTES, "email": "b@example.edu"}), "op")  # fmt: skip
    clock.now += 3600
    google.delete(gone.id, "op")
    workspace.site.patch(changed.id, {"externalIds": [{"type": "organization", "value": "acc-3"}]})
    assert google.find(KEY) is None
    assert google.find(replace(KEY, account_id="acc-2", email="")) is None


def test_two_users_with_one_external_id_are_for_a_person_to_sort_out(workspace: GoogleStandin, google: Google) -> None:
    google.create(WANTED, "op")
    other = google.create(Wanted("acc-2", 1, True, {**ATTRIBUTES, "email": "b@example.edu"}), "op")
    workspace.site.patch(other.id, {"externalIds": [{"type": "organization", "value": "acc-1"}]})
    assert refusal(lambda: google.find(KEY)).kind is OutcomeKind.CONFLICT


@pytest.mark.parametrize("account_id", ["a' isAdmin=true", "a\\", "a\\' b'", "*", ""])
def test_no_character_of_an_id_breaks_out_of_the_query(google: Google, account_id: str) -> None:
    google.create(WANTED, "op")
    assert google.find(Correlation(account_id, None, "", "")) is None
    made = google.create(Wanted(account_id, 1, True, {**ATTRIBUTES, "email": "b@example.edu"}), "op")
    assert google.find(Correlation(account_id, None, "", "")) == made


def test_no_character_of_a_key_breaks_out_of_the_path(workspace: GoogleStandin, google: Google) -> None:
    google.create(WANTED, "op")
    workspace.calls.clear()
    assert google.find(Correlation("acc-2", "../groups?x=1#", "", "")) is None
    assert workspace.calls[0] == ("GET", "/users/..%2Fgroups%3Fx%3D1%23")


def test_a_user_that_is_not_complete_takes_changes_later(
    workspace: GoogleStandin, clock: HandClock, google: Google
) -> None:
    workspace.site.creation_seconds = 60
    made = google.create(WANTED, "op")
    acts: list[Callable[[], object]] = [
        lambda: google.update(made.id, {"active": False}, "op"),
        lambda: google.end_sessions(made.id), lambda: google.delete(made.id, "op"),
    ]  # fmt: skip
    assert [refusal(act).kind for act in acts] == [OutcomeKind.RETRYABLE] * 3
    clock.now += 60
    for act in acts:
        act()


def test_a_conflict_without_an_address_passes(workspace: GoogleStandin, google: Google) -> None:
    made = google.create(WANTED, "op")
    workspace.faults.append("duplicate")
    assert refusal(lambda: google.update(made.id, {"active": False}, "op")).kind is OutcomeKind.RETRYABLE


@pytest.mark.parametrize("changes", [{"family_name": ""}, {"given_name": "Я" * 61}, {"email": None}])
def test_a_value_google_would_refuse_is_named_and_not_sent(
    workspace: GoogleStandin, google: Google, changes: dict[str, Any]
) -> None:
    made = google.create(WANTED, "op")
    workspace.calls.clear()
    error = refusal(lambda: google.update(made.id, changes, "op"))
    assert error.kind is OutcomeKind.PERMANENT and next(iter(changes)) in error.detail
    assert workspace.calls == []


def test_a_user_needs_an_address_and_both_names(google: Google) -> None:
    assert refusal(lambda: google.create(Wanted("acc", 1, True, {}), "op")).kind is OutcomeKind.PERMANENT


def test_a_title_may_be_emptied_without_touching_the_department(google: Google) -> None:
    attributes = {**ATTRIBUTES, "title": "доцент", "department_name": "Кафедра физики"}
    made = google.create(replace(WANTED, attributes=attributes), "op")
    google.update(made.id, {"title": ""}, "op")
    assert found(google, made.id).attributes == {**ATTRIBUTES, "department_name": "Кафедра физики"}


def test_what_google_ignores_shows_when_it_is_read_back(
    workspace: GoogleStandin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.standins.google_site.WRITABLE", {"primaryEmail", "name", "password", "externalIds"})
    google = Google(workspace.settings)
    wanted = replace(WANTED, attributes={**ATTRIBUTES, "title": "доцент"})
    error = refusal(lambda: bring(google, wanted, KEY, "op", pause=lambda seconds: None))
    assert (error.kind, error.detail) == (OutcomeKind.RETRYABLE, "read back differs in title")


def test_a_change_settles_before_it_is_read_back(workspace: GoogleStandin) -> None:
    waited: list[float] = []
    brought = bring(Google(replace(workspace.settings, settle_seconds=7)), WANTED, KEY, "op", pause=waited.append)
    assert waited == [7] and brought.remote is not None
    assert GoogleSettings.__dataclass_fields__["settle_seconds"].default == 5


def test_closing_suspends_signs_out_and_takes_what_signs_in_without_us(
    workspace: GoogleStandin, google: Google
) -> None:
    made = google.create(WANTED, "op")
    workspace.site.asps[made.id] = [{"codeId": 1, "name": "phone"}, {"codeId": 2, "name": "tablet"}]
    workspace.site.tokens[made.id] = [{"clientId": "client/1", "displayText": "an app"}]
    brought = bring(google, replace(WANTED, active=False), replace(KEY, remote_id=made.id), "op")
    assert brought.remote is not None and not brought.remote.active
    assert workspace.site.signed_out == [made.id]
    assert workspace.site.asps[made.id] == workspace.site.tokens[made.id] == []
    assert refusal(lambda: google.end_sessions("1")).kind is OutcomeKind.NOT_FOUND


# --- groups of departments


def test_a_department_is_a_group_and_a_move_changes_it(workspace: GoogleStandin, grouping: Google) -> None:
    made = grouping.create(AT_WORK, "op")
    groups = workspace.site.groups
    groups["choir@example.edu"] = {made.id}
    assert groups["dept-fit@example.edu"] == {made.id} and found(grouping, made.id).attributes["department"] == "fit"
    assert plan(AT_WORK, found(grouping, made.id), grouping.capabilities).act == "nothing"
    grouping.update(made.id, {"department": "0407", "email": "asanova@example.edu"}, "op")
    assert groups == {"dept-fit@example.edu": set(), "dept-0407@example.edu": {made.id}, "choir@example.edu": {made.id}}
    grouping.update(made.id, {"department": ""}, "op")
    assert groups["dept-0407@example.edu"] == set() and "department" not in found(grouping, made.id).attributes


def test_whoever_is_in_two_departments_differs_and_is_put_right(workspace: GoogleStandin, grouping: Google) -> None:
    made = grouping.create(AT_WORK, "op")
    workspace.site.groups["dept-0407@example.edu"].add(made.id)
    seen = found(grouping, made.id)
    assert plan(AT_WORK, seen, grouping.capabilities).changes == {"department": Change("0407, fit", "FIT")}
    bring(grouping, AT_WORK, replace(KEY, remote_id=made.id), "op")
    assert workspace.site.groups["dept-0407@example.edu"] == set()


def test_a_department_without_a_group_is_told(grouping: Google) -> None:
    lost = replace(AT_WORK, attributes={**AT_WORK.attributes, "department": "NEW"})
    error = refusal(lambda: grouping.create(lost, "op"))
    assert (error.kind, error.detail) == (OutcomeKind.PERMANENT, "the department has no group in Google Workspace")


def test_a_user_too_new_for_groups_joins_with_the_next_try(
    workspace: GoogleStandin, clock: HandClock, grouping: Google
) -> None:
    workspace.site.creation_seconds = 20
    assert refusal(lambda: bring(grouping, AT_WORK, KEY, "op")).kind is OutcomeKind.RETRYABLE
    clock.now += 20
    assert bring(grouping, AT_WORK, KEY, "op").plan.changes == {"department": Change(None, "FIT")}


def test_a_group_needs_the_department_in_its_address(workspace: GoogleStandin) -> None:
    with pytest.raises(ValueError, match="department_group"):
        replace(workspace.settings, department_group="everybody@example.edu")


# --- scans and dry runs


def test_a_scan_sees_the_suspended_too_and_goes_on_from_any_cursor(google: Google) -> None:
    ids = [google.create(Wanted(f"acc-{n}", 1, n != 2, {**ATTRIBUTES, "email": f"p{n}@example.edu"}), "op").id
           for n in range(5)]  # fmt: skip
    first = google.scan(None, 2)
    assert [remote.id for remote in first.remotes] == ids[:2]
    for _ in range(2):
        assert [(remote.id, remote.active) for remote in google.scan(first.cursor, 2).remotes] == [
            (ids[2], False), (ids[3], True)]  # fmt: skip
    assert google.scan(None, 50).cursor is None


def test_a_dry_run_tells_what_would_be_done_and_writes_nothing(workspace: GoogleStandin, grouping: Google) -> None:
    moved = replace(AT_WORK, attributes={**AT_WORK.attributes, "email": "asanova@example.edu", "department": "0407"})
    made = grouping.create(AT_WORK, "op")
    workspace.calls.clear()

    def dry(wanted: Wanted, account_id: str) -> Plan:
        seen = grouping.find(Correlation(account_id, None, "aida", "aida@example.edu"))
        return plan(wanted, seen, grouping.capabilities)

    new = {**{name: Change(None, value) for name, value in AT_WORK.attributes.items()}, "active": Change(None, True)}
    assert [dry(AT_WORK, "acc-9"), dry(AT_WORK, "acc-1"), dry(moved, "acc-1"),
            dry(replace(AT_WORK, active=False), "acc-1")] == [
        Plan("create", new),
        Plan("nothing"),
        Plan("update", {"email": Change("aida@example.edu", "asanova@example.edu"), "department": Change("fit", "0407")}),
        Plan("update", {"active": Change(True, False)}),
    ]  # fmt: skip
    assert {method for method, _ in workspace.calls} == {"GET"} and found(grouping, made.id) == made


def test_users_and_groups_survive_a_restart_of_the_stand_in(tmp_path: Path) -> None:
    standin = GoogleStandin(tmp_path / "kept")
    with standin:
        made = Google(standin.with_groups("FIT")).create(AT_WORK, "op")
    with GoogleStandin(tmp_path / "kept") as again:
        assert Google(again.with_groups("FIT")).find(KEY) == made

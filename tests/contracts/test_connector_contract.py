"""What every connector must do, against a real server of its kind (a stand-in of the target system).

A new connector joins by one more `Target` below.  `foreign` writes and reads something in the target that is not ours.
One that only reads (`BY_HAND`) passes the tests with the fixture `reading`, its people being entered at the stand-in.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import pytest

from connectors.base import BY_HAND, CANONICAL, Connector, Correlation, Json, OutcomeKind, Remote, TargetError, Wanted
from connectors.canva import Canva
from connectors.ekyzmat import Ekyzmat
from connectors.google import Google
from connectors.inetorgperson import Ldap, LdapSettings
from connectors.ldap import Directory
from connectors.mail import Mail
from connectors.moodle import Moodle
from connectors.plan import drift, plan, values
from connectors.rest import Rest
from connectors.standins import slapd
from connectors.standins.google import GoogleStandin
from connectors.standins.koha import KohaStandin
from connectors.standins.moodle import MoodleStandin
from connectors.standins.onec import OneCStandin
from connectors.standins.ports import free_port
from connectors.standins.slapd import SlapdStandin
from connectors.standins.unet import UnetStandin
from connectors.standins.vendors import CanvaStandin, Vendor, ZoomStandin
from connectors.standins.xroad import XRoadStandin
from connectors.unet import Unet
from connectors.zoom import Zoom
from tests.certificates import both_sides, self_signed
from tests.missing import missing

NUMBERS = count(1)
UNKNOWN_IDS = {"moodle": "999999", "mail": "00000000-0000-1000-8000-000000000000", "unet": "0" * 32,
               "ldap": "00000000-0000-1000-8000-000000000000",
               "zoom": "0" * 32, "canva": "0" * 32,
               "google": "100000000000000000001"}  # fmt: skip


@dataclass(frozen=True)
class Target:
    """One connector, the settings it was made of, and a way to touch what is not ours."""

    make: Callable[[Any], Connector]
    settings: Any
    secret: str  # name of the setting that holds the credential
    set_foreign: Callable[[str], None]  # by remote id
    get_foreign: Callable[[str], object]
    unknown_id: str = ""  # where one kind has targets of several sorts
    put: Callable[[Wanted], str] | None = None  # enters somebody where the connector cannot; the remote id
    strange: Any = None  # settings of somebody whom the target does not let in, where that is no secret

    @property
    def connector(self) -> Connector:
        return self.make(self.settings)

    @property
    def stranger(self) -> Connector:
        return self.make(self.strange or replace(self.settings, **{self.secret: "wrong"}))

    def with_one(self, one: Wanted) -> str:
        """The remote id of an account that is there now."""
        return self.put(one) if self.put else self.connector.create(one, "op").id


@pytest.fixture(scope="module")
def moodle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with MoodleStandin(tmp_path_factory.mktemp("moodle")) as standin:

        def mark(remote_id: str) -> None:
            standin.site.users[int(remote_id)].update(city="Бишкек", phone1="0312")

        def read(remote_id: str) -> object:
            user = standin.site.users[int(remote_id)]
            return user["city"], user.get("phone1"), user["lang"]

        yield Target(Moodle, standin.settings, "token", mark, read)


@pytest.fixture(scope="module")
def cohorts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """Moodle with cohorts and roles; a cohort and a role of somebody else's."""
    with MoodleStandin(tmp_path_factory.mktemp("moodle-cohorts")) as standin:
        choir = standin.cohorts.put("choir")

        def mark(remote_id: str) -> None:
            standin.cohorts.members[choir].append(int(remote_id))
            standin.cohorts.roles.add((9, int(remote_id)))

        def read(remote_id: str) -> object:
            return int(remote_id) in standin.cohorts.members[choir], (9, int(remote_id)) in standin.cohorts.roles

        yield Target(Moodle, standin.with_cohorts, "token", mark, read)


@pytest.fixture(scope="module")
def mail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    if not slapd.available():
        missing("the Debian package slapd")
    with SlapdStandin(tmp_path_factory.mktemp("slapd")) as standin:
        admin = Directory(standin.url, slapd.ADMIN, slapd.ADMIN_PASSWORD, 5)

        def read(remote_id: str) -> object:
            names = ["kstuMailQuota", "telephoneNumber", "mailLocalAddress"]
            entry = admin.search(slapd.PEOPLE, f"(entryUUID={remote_id})", names)[0]
            return {name: sorted(entry.attributes.get(name, ())) for name in names}

        def mark(remote_id: str) -> None:
            entry = admin.search(slapd.PEOPLE, f"(entryUUID={remote_id})", ["mailLocalAddress"])[0]
            alias = f"alias-{remote_id}@example.edu"
            admin.replace(entry.dn, {"kstuMailQuota": ["1024"], "telephoneNumber": ["0312"],
                                     "mailLocalAddress": [*entry.attributes["mailLocalAddress"], alias]})  # fmt: skip

        yield Target(Mail, standin.with_lists, "password", mark, read)


@pytest.fixture(scope="module")
def unet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with UnetStandin(tmp_path_factory.mktemp("unet")) as standin:
        headers = {"Authorization": f"Bearer {standin.token}", "Content-Type": "application/scim+json"}
        with httpx2.Client(base_url=standin.url, headers=headers) as other:

            def mark(remote_id: str) -> None:
                steps = [{"op": "add", "path": "nickName", "value": "foreign"},
                         {"op": "add", "path": "entitlements", "value": [{"type": "theirs", "value": "x"}]},
                         {"op": "add", "path": "emails", "value": [{"type": "home", "value": "h@example.edu"}]}]  # fmt: skip
                patch = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": steps}
                other.patch(f"/Users/{remote_id}", json=patch).raise_for_status()

            def read(remote_id: str) -> object:
                user = other.get(f"/Users/{remote_id}").json()
                return user["nickName"], [e["value"] for e in user["entitlements"] if e["type"] == "theirs"], [
                    e["value"] for e in user["emails"] if e["type"] == "home"]  # fmt: skip

            yield Target(Unet, standin.settings, "token", mark, read)


class QuickZoom(Zoom):
    """Without the second between two calls, which has a test of its own."""

    dialect = replace(Zoom.dialect, pause=0.0)


class QuickCanva(Canva):
    dialect = replace(Canva.dialect, pause=0.0)


def _of_vendor(standin: Vendor, make: Callable[[Any], Connector]) -> Iterator[Target]:
    headers = {"Authorization": f"Bearer {standin.token}", "Content-Type": "application/scim+json"}
    with standin, httpx2.Client(base_url=standin.url, headers=headers) as other:

        def mark(remote_id: str) -> None:
            steps = [{"op": "replace", "value": {"nickName": "foreign", "timezone": "Asia/Bishkek"}}]
            patch = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": steps}
            other.patch(f"/Users/{remote_id}", json=patch).raise_for_status()

        def read(remote_id: str) -> object:
            user = other.get(f"/Users/{remote_id}").json()
            return user["nickName"], user["timezone"]

        yield Target(make, standin.settings, "token", mark, read)


@pytest.fixture(scope="module")
def zoom() -> Iterator[Target]:
    yield from _of_vendor(ZoomStandin(), QuickZoom)


@pytest.fixture(scope="module")
def canva() -> Iterator[Target]:
    yield from _of_vendor(CanvaStandin(), QuickCanva)


@pytest.fixture(scope="module")
def ldap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A plain inetOrgPerson; the mail system's own attributes are somebody else's here."""
    if not slapd.available():
        missing("the Debian package slapd")
    with SlapdStandin(tmp_path_factory.mktemp("slapd-plain")) as standin:
        admin = Directory(standin.url, slapd.ADMIN, slapd.ADMIN_PASSWORD, 5)
        settings = LdapSettings(url=standin.url, bind_dn=slapd.CONNECTOR, password=standin.password, base=slapd.PEOPLE)

        def read(remote_id: str) -> object:
            entry = admin.search(slapd.PEOPLE, f"(entryUUID={remote_id})", ["description", "carLicense"])[0]
            return {name: sorted(values) for name, values in entry.attributes.items()}

        def mark(remote_id: str) -> None:
            entry = admin.search(slapd.PEOPLE, f"(entryUUID={remote_id})", ["uid"])[0]
            admin.replace(entry.dn, {"description": ["foreign"], "carLicense": ["01KG777"]})

        yield Target(Ldap, settings, "password", mark, read)


@pytest.fixture(scope="module")
def google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with GoogleStandin(tmp_path_factory.mktemp("google")) as standin:
        standin.site.groups["choir@example.edu"] = set()

        def mark(remote_id: str) -> None:
            user = standin.site.users[remote_id]
            user["phones"] = [{"type": "home", "value": "0312"}]
            user["organizations"].append({"type": "school", "name": "theirs"})
            user["externalIds"].append({"type": "custom", "value": "theirs"})
            standin.site.groups["choir@example.edu"].add(remote_id)

        def read(remote_id: str) -> object:
            user = standin.site.users[remote_id]
            others = [entry for entry in user["organizations"] if not entry.get("primary")]
            member = remote_id in standin.site.groups["choir@example.edu"]
            return user["phones"], others, user["externalIds"], user["orgUnitPath"], member

        yield Target(Google, standin.with_groups("0407"), "private_key", mark, read)


@pytest.fixture(scope="module")
def koha() -> Iterator[Target]:
    with KohaStandin() as standin:

        def mark(remote_id: str) -> None:
            hobby = {"type": "HOBBY", "value": "шахматы", "extended_attribute_id": 7}
            standin.patrons[int(remote_id)].update(city="Бишкек", staff_notes="x")
            standin.patrons[int(remote_id)]["extended_attributes"].append(hobby)

        def read(remote_id: str) -> object:
            patron = standin.patrons[int(remote_id)]
            attributes = [(one["type"], one["value"]) for one in patron["extended_attributes"]]
            return patron["city"], patron["staff_notes"], patron["library_id"], patron["category_id"], attributes

        yield Target(Rest, standin.settings, "secret", mark, read, "999999")


@pytest.fixture(scope="module")
def onec() -> Iterator[Target]:
    with OneCStandin() as standin:

        def mark(remote_id: str) -> None:
            standin.users[remote_id]["Комментарий"] = "чужое"

        def read(remote_id: str) -> object:
            return standin.users[remote_id]["Комментарий"], standin.users[remote_id]["Description"]

        yield Target(Rest, standin.settings, "secret", mark, read, "00000000-0000-1000-8000-000000000000")


@pytest.fixture(scope="module")
def ekyzmat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("xroad")
    ours, server = self_signed(folder, "client"), self_signed(folder, "server")
    stranger = str(self_signed(folder, "stranger"))
    with XRoadStandin(both_sides(server, ours), ours, server) as standin:

        def put(one: Wanted) -> str:
            return standin.employ(one.attributes, "working" if one.active else "dismissed")

        def untouched(remote_id: str) -> object:
            return standin.employees[remote_id]

        strange = replace(standin.settings, certificate=stranger, key=stranger)
        yield Target(Ekyzmat, standin.settings, "", lambda _: None, untouched, "999999", put, strange)


WRITING = ["moodle", "cohorts", "mail", "ldap", "unet", "zoom", "canva", "google", "koha", "onec"]


@pytest.fixture(params=[*WRITING, "ekyzmat"])
def reading(request: pytest.FixtureRequest) -> Target:
    """Whatever can be read; those that are also written are among them."""
    found: Target = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=["ekyzmat"])
def only_read(request: pytest.FixtureRequest) -> Target:
    found: Target = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=WRITING)
def target(request: pytest.FixtureRequest) -> Target:
    found: Target = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def connector(target: Target) -> Connector:
    return target.connector


def wanted(**changed: Json) -> Wanted:
    """A new person with every attribute there is."""
    number = next(NUMBERS)
    attributes: dict[str, Json] = {
        "login": f"a.sample{number}", "email": f"a.sample{number}@example.edu", "given_name": "Анара",
        "family_name": "Мисалова", "patronymic": "Бековна", "display_name": "Анара Мисалова", "department": "0407",
        "department_name": "Кафедра физики", "title": "доцент", "employee_no": f"T-{number}", "affiliation": "employee",
        "student_group": "ИВТ-1-24", "phone": "0312 000000", "mobile_phone": "+996700000001", "duties": "куратор",
        "home_address": "5f2c",
        "language": "ky",
        "programs": ["unet.it:department", "moodle.teacher"], "report_sections": ["kpi:reports"],
    }  # fmt: skip
    return Wanted(f"0c7c2f0e-0000-7000-8000-{number:012d}", 1, True, attributes | changed)


def some_change(connector: Connector) -> dict[str, Json]:
    """Of one attribute that it owns; not every target is told names."""
    name = "family_name" if "family_name" in connector.capabilities.attributes else "email"
    return {name: "Жаңыева" if name == "family_name" else wanted().attributes[name]}


def key(one: Wanted, remote_id: str | None = None) -> Correlation:
    return Correlation(one.account_id, remote_id, str(one.attributes["login"]), str(one.attributes["email"]))


def seen(connector: Connector, one: Wanted, remote_id: str | None = None) -> Remote:
    found = connector.find(key(one, remote_id))
    assert found is not None
    return found


def scanned(connector: Connector, limit: int) -> list[Remote]:
    remotes: list[Remote] = []
    cursor: str | None = None
    while True:
        page = connector.scan(cursor, limit)
        remotes.extend(page.remotes)
        if (cursor := page.cursor) is None:
            return remotes


def refusal(act: Callable[[], object]) -> OutcomeKind:
    with pytest.raises(TargetError) as caught:
        act()
    return caught.value.kind


def test_a_new_account_is_found_by_its_external_id_with_all_it_was_given(connector: Connector) -> None:
    one = wanted()
    assert connector.find(key(one)) is None
    made = connector.create(one, "op-1")
    found = seen(connector, one)
    assert found == made and found.active and found.account_id == one.account_id
    assert drift(one, found, connector.capabilities) == {}
    assert found.attributes.keys() == connector.capabilities.attributes


def test_what_it_does_not_own_is_named_as_unsupported(reading: Target) -> None:
    owned = reading.connector.capabilities.attributes
    assert set(plan(wanted(), None, reading.connector.capabilities).unsupported) == CANONICAL - owned


def test_who_is_there_is_found_by_remote_id_as_wanted(reading: Target) -> None:
    connector, one = reading.connector, wanted()
    found = seen(connector, one, reading.with_one(one))
    assert found.active and drift(one, found, connector.capabilities) == {}
    assert found.attributes.keys() == connector.capabilities.attributes
    closed = replace(wanted(), active=False)
    assert not seen(connector, closed, reading.with_one(closed)).active


def test_nobody_is_found_by_an_unknown_id(reading: Target) -> None:
    connector = reading.connector
    assert connector.find(key(wanted(), reading.unknown_id or UNKNOWN_IDS[connector.kind])) is None


def test_what_can_only_be_read_is_not_written_and_says_so(only_read: Target) -> None:
    connector, one = only_read.connector, wanted()
    assert connector.kind in BY_HAND
    made = only_read.with_one(one)
    before = dict(only_read.get_foreign(made))  # type: ignore[call-overload]
    assert refusal(lambda: connector.create(one, "op-1")) is OutcomeKind.PERMANENT
    assert refusal(lambda: connector.update(made, {"active": False}, "op-2")) is OutcomeKind.PERMANENT
    assert refusal(lambda: connector.end_sessions(made)) is OutcomeKind.PERMANENT
    assert refusal(lambda: connector.delete(made, "op-3")) is OutcomeKind.PERMANENT
    assert only_read.get_foreign(made) == before


def test_it_is_found_by_remote_id_after_a_rename(connector: Connector) -> None:
    one = wanted()
    made = connector.create(one, "op-1")
    renamed = replace(wanted(), account_id=one.account_id)
    changes = values(plan(renamed, made, connector.capabilities).changes)
    assert {"login", "email"} & connector.capabilities.attributes <= changes.keys()
    connector.update(made.id, changes, "op-2")
    found = seen(connector, renamed, made.id)
    assert found.id == made.id and drift(renamed, found, connector.capabilities) == {}


def test_a_second_create_is_a_conflict_and_leaves_one(connector: Connector) -> None:
    one = wanted()
    made = connector.create(one, "op-1")
    assert refusal(lambda: connector.create(one, "op-2")) is OutcomeKind.CONFLICT
    again = replace(wanted(), account_id=one.account_id)
    assert refusal(lambda: connector.create(again, "op-3")) is OutcomeKind.CONFLICT
    assert [r.id for r in scanned(connector, 50) if r.account_id == one.account_id] == [made.id]


def test_a_login_and_address_of_somebody_else_is_a_conflict_and_never_adopted(connector: Connector) -> None:
    """Where there are no logins, people sign in with the address."""
    one = wanted()
    made = connector.create(one, "op-1")
    names = {"login", "email"} & connector.capabilities.attributes
    other = wanted(**{name: one.attributes[name] for name in names})
    assert connector.find(key(other)) is None
    assert refusal(lambda: connector.create(other, "op-2")) is OutcomeKind.CONFLICT
    assert seen(connector, one) == made


def test_an_update_changes_only_what_is_sent(connector: Connector) -> None:
    one = wanted()
    made = connector.create(one, "op-1")
    change = some_change(connector)
    connector.update(made.id, change, "op-2")
    assert seen(connector, one) == replace(made, attributes={**made.attributes, **change})


def test_a_closed_account_reads_back_as_inactive_and_closing_again_is_harmless(connector: Connector) -> None:
    one = wanted()
    made = connector.create(one, "op-1")
    for op in ("op-2", "op-3"):
        connector.update(made.id, {"active": False}, op)
        assert seen(connector, one) == replace(made, active=False)
    assert plan(replace(one, active=False), seen(connector, one), connector.capabilities).act == "nothing"


def test_a_closed_account_can_be_opened_again(connector: Connector) -> None:
    one = wanted()
    made = connector.create(one, "op-1")
    connector.update(made.id, {"active": False}, "op-2")
    connector.update(made.id, {"active": True}, "op-3")
    assert seen(connector, one) == made


def test_an_account_may_be_made_closed(connector: Connector) -> None:
    one = replace(wanted(), active=False)
    assert not connector.create(one, "op-1").active and not seen(connector, one).active


def test_an_unknown_id_is_not_found(target: Target) -> None:
    connector, one = target.connector, wanted()
    unknown = target.unknown_id or UNKNOWN_IDS[connector.kind]
    assert connector.find(key(one, unknown)) is None
    assert refusal(lambda: connector.update(unknown, some_change(connector), "op-1")) is OutcomeKind.NOT_FOUND
    assert refusal(lambda: connector.update(unknown, {"active": False}, "op-2")) is OutcomeKind.NOT_FOUND


def test_a_deleted_account_is_gone_and_deleting_again_is_a_success(connector: Connector) -> None:
    one = wanted()
    made = connector.create(one, "op-1")
    if not connector.capabilities.delete:
        assert refusal(lambda: connector.delete(made.id, "op-2")) is OutcomeKind.PERMANENT
        return
    connector.delete(made.id, "op-2")
    connector.delete(made.id, "op-3")
    assert connector.find(key(one, made.id)) is None


def test_what_is_not_ours_stays_untouched(target: Target) -> None:
    connector, one = target.connector, wanted()
    made = connector.create(one, "op-1")
    target.set_foreign(made.id)
    before = target.get_foreign(made.id)
    other = wanted()
    changes = {n: v for n, v in other.attributes.items() if n in connector.capabilities.attributes and n != "email"}
    connector.update(made.id, {**changes, "programs": ["other"], "active": False}, "op-2")
    assert target.get_foreign(made.id) == before
    connector.update(made.id, {"email": other.attributes["email"]}, "op-3")
    still = target.get_foreign(made.id)
    if (
        isinstance(before, dict) and "mailLocalAddress" in before
    ):  # mail: the former address and the foreign alias stay, the new one comes
        assert isinstance(still, dict)
        assert set(still.pop("mailLocalAddress")) == {*before.pop("mailLocalAddress"), other.attributes["email"]}
    assert still == before


def test_a_scan_sees_everybody_once_whatever_the_page(reading: Target) -> None:
    made = {reading.with_one(wanted()) for _ in range(5)}
    for limit in (2, 50):
        ids = [remote.id for remote in scanned(reading.connector, limit)]
        assert made <= set(ids) and len(ids) == len(set(ids))


def test_a_healthy_target_is_told_as_healthy(reading: Target) -> None:
    assert reading.connector.check().ok


def test_wrong_credentials_are_a_matter_for_the_operator(reading: Target) -> None:
    connector, one = reading.stranger, wanted()
    assert refusal(lambda: connector.find(key(one, "1"))) is OutcomeKind.AUTH
    if connector.kind not in BY_HAND:
        assert refusal(lambda: connector.create(one, "op-1")) is OutcomeKind.AUTH
    health = connector.check()
    assert not health.ok and "auth" in health.detail


def test_a_target_that_is_down_is_worth_another_try(reading: Target) -> None:
    scheme = reading.settings.url.partition(":")[0]
    connector = reading.make(replace(reading.settings, url=f"{scheme}://127.0.0.1:{free_port()}"))
    one = wanted()
    assert refusal(lambda: connector.find(key(one, "1"))) is OutcomeKind.RETRYABLE
    if connector.kind not in BY_HAND:
        assert refusal(lambda: connector.create(one, "op-1")) is OutcomeKind.RETRYABLE
        assert refusal(lambda: connector.update("1", {"active": False}, "op-2")) is OutcomeKind.RETRYABLE
    assert not connector.check().ok


def test_sessions_are_ended_or_the_connector_says_it_cannot(connector: Connector) -> None:
    one = wanted()
    made = connector.create(one, "op-1")
    if connector.capabilities.end_sessions:
        connector.end_sessions(made.id)
    else:
        assert refusal(lambda: connector.end_sessions(made.id)) is OutcomeKind.PERMANENT
    assert seen(connector, one) == made


def test_no_refusal_tells_who_it_was_about(connector: Connector) -> None:
    one = wanted()
    connector.create(one, "op-1")
    with pytest.raises(TargetError) as caught:
        connector.create(one, "op-2")
    personal = [str(value) for value in one.attributes.values() if isinstance(value, str)]
    assert not [value for value in personal if value in str(caught.value)]


def test_settings_do_not_show_their_secrets(target: Target) -> None:
    assert getattr(target.settings, target.secret) not in repr(target.settings)


def test_stand_ins_start_again_with_their_state(tmp_path: Path) -> None:
    one = wanted()
    with MoodleStandin(tmp_path) as standin:
        made = Moodle(standin.with_cohorts).create(one, "op-1")
    with MoodleStandin(tmp_path) as standin:
        assert Moodle(standin.with_cohorts).find(key(one)) == made
        assert standin.cohorts.roles == {(2, int(made.id))}

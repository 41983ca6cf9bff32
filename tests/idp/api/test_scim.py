"""HR systems that speak SCIM 2.0 (RFC 7643, RFC 7644): reading is reading, and every write is an order."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_tester import Status, check_server
from werkzeug.test import TestResponse

from idp.app import create_app
from idp.clock import SetClock
from idp.db import db
from idp.flows.signing_keys import ensure_signing_keys
from idp.models import Account, Order, Person
from idp.settings import Settings
from tests.builders import Make, settings_for
from tests.idp.api.test_clients import ITSELF
from tests.idp.hr import Hr, changed
from tests.idp.oauth.driver import Party, Registered

PREFIX = "/api/scim/v2"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
WORK = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(database_url, scim=True)


@pytest.fixture
def party(app: Flask, make: Make) -> Party:
    with app.app_context():
        ensure_signing_keys(make.here())
        db.session.commit()
        db.session.remove()
    return Party(app, make)


def person(number: str = "E-1", **changes: Any) -> dict[str, Any]:
    """A lecturer; `department` and `title` are where they work."""
    department = changes.pop("department", "0407")
    return {
        "schemas": [USER, WORK],
        "userName": number,
        "name": {"familyName": "Үлгүбаева", "givenName": "Айда"},
        "title": "Окутуучу",
        "active": True,
        WORK: {"department": department},
    } | changes


class System:
    """An HR system: a client with these scopes, and its token."""

    def __init__(self, party: Party, scope: str = "scim.read scim.write") -> None:
        self.party = party
        self.client: Registered = party.client(**ITSELF, scope=scope)
        self.token = self.fetch(scope)

    def fetch(self, scope: str) -> str:
        answer = self.party.token(self.client, grant_type="client_credentials", scope=scope)
        assert answer.status_code == 200, answer.text
        return str(answer.get_json()["access_token"])

    def ask(self, method: str, path: str, body: Any = None, **more: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}"} | more.pop("headers", {})
        browser = self.party.app.test_client()
        return browser.open(
            PREFIX + path, method=method, json=body, headers=headers, base_url="http://localhost", **more
        )

    def add(self, *given: Any, **changes: Any) -> dict[str, Any]:
        answer = self.ask("POST", "/Users", person(*given, **changes))
        assert answer.status_code == 201, answer.text
        return dict(answer.get_json())

    def patch(self, id: str, path: str, value: Any, **more: Any) -> TestResponse:
        body = {"schemas": [PATCH], "Operations": [{"op": "replace", "path": path, "value": value}]}
        return self.ask("PATCH", f"/Users/{id}", body, **more)

    def read(self, id: str) -> dict[str, Any]:
        answer = self.ask("GET", f"/Users/{id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.get_json())

    def numbers(self, query: str) -> list[str]:
        answer = self.ask("GET", f"/Users?{query}")
        assert answer.status_code == 200, answer.text
        return [one["userName"] for one in answer.get_json().get("Resources", [])]


@pytest.fixture
def system(party: Party) -> System:
    return System(party)


def kinds(hr: Hr) -> list[str]:
    return [kind for (kind,) in hr.rows(sa.select(Order.kind).where(Order.source == "scim").order_by(Order.number))]


def refused(answer: TestResponse, status: int, kind: str | None, *words: str) -> None:
    """An error body of SCIM that names what is wrong."""
    body = answer.get_json()
    assert (answer.status_code, body.get("scimType")) == (status, kind), answer.text
    assert body["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert all(word in body["detail"] for word in words), body["detail"]


def test_scim2_tester_passes_in_full_on_people(app: Flask, system: System) -> None:
    """Departments are read only, so the tester, which begins by making one, is not asked about them."""
    bearer = {"Authorization": f"Bearer {system.token}"}
    client = WSGISCIMClient(app, base_url=f"http://localhost{PREFIX}", headers=bearer)
    results = check_server(client, resource_types=["User"])
    assert [(one.title, one.reason) for one in results if one.status is not Status.SUCCESS] == []
    assert len(results) > 30


def test_a_hire_over_scim_is_an_order_like_any_other(system: System, hr: Hr) -> None:
    made = system.add(externalId="hr-77", name={"familyName": "Үлгүбаева", "givenName": "Айда", "middleName": "Бекова"})
    assert kinds(hr) == ["hire"]
    assert (made["active"], made["externalId"], made["userName"]) == (True, "hr-77", "E-1")
    account = hr.account()
    assert made["emails"][0]["value"] == account.email and account.opens_at is not None
    assert made["groups"][0]["value"] == "0407"
    received = hr.acts("order-received")[0]
    assert received.actor == f"client/{system.client.client_id}"
    assert hr.acts("account-opened")[0].actor.startswith("order/scim/SCIM-")
    assert {"unet", "mail"} <= hr.tasks().keys()


def test_each_change_is_the_order_that_says_it(system: System, hr: Hr) -> None:
    made = system.add()
    assert system.patch(made["id"], "name.familyName", "Асанова").status_code == 204
    assert system.patch(made["id"], "title", "Доцент").status_code == 204
    assert system.patch(made["id"], f"{WORK}:department", "FIT").status_code == 204
    seen = system.read(made["id"])
    assert (seen["name"]["familyName"], seen["title"], seen[WORK]["department"]) == ("Асанова", "Доцент", "FIT")
    assert [one["value"] for one in seen["groups"]] == ["FIT"]
    assert system.patch(made["id"], "active", False).status_code == 204
    assert system.read(made["id"])["active"] is False and hr.account().closed_at is not None
    assert system.patch(made["id"], "active", True).status_code == 204
    assert system.read(made["id"])["active"] is True and hr.account().closed_at is None
    assert kinds(hr) == ["hire", "rename", "transfer", "transfer", "dismissal", "reinstatement"]


def test_what_changes_nothing_is_no_order(system: System, hr: Hr) -> None:
    made = system.add()
    assert system.ask("PUT", f"/Users/{made['id']}", person()).status_code == 200
    assert system.patch(made["id"], "externalId", "hr-1").status_code == 204
    assert system.read(made["id"])["externalId"] == "hr-1"
    assert kinds(hr) == ["hire"]


def test_deleting_dismisses_and_who_comes_again_has_the_same_account(system: System, hr: Hr) -> None:
    """RFC 7644, 3.6: gone for the client, and no conflict."""
    made = system.add()
    before = hr.account()
    assert system.ask("DELETE", f"/Users/{made['id']}").status_code == 204
    assert system.ask("GET", f"/Users/{made['id']}").status_code == 404
    assert system.ask("DELETE", f"/Users/{made['id']}").status_code == 404
    assert system.numbers("") == [] and hr.account().closed_at is not None
    again = system.add(title="Доцент")
    assert (again["id"], again["title"]) == (made["id"], "Доцент")
    after = hr.account()
    assert (after.id, after.closed_at) == (before.id, None)
    assert kinds(hr) == ["hire", "dismissal", "reinstatement"]


def test_who_came_by_a_signed_order_is_seen_and_changed_too(system: System, hr: Hr) -> None:
    hr.deliver("hire")
    (number,) = system.numbers("")
    refused(system.ask("POST", "/Users", person(number)), 409, "uniqueness", "userName")
    seen = system.ask("GET", f'/Users?filter=userName eq "{number}"').get_json()["Resources"][0]
    assert system.patch(seen["id"], "active", False).status_code == 204
    assert hr.account(seen["emails"][0]["value"].partition("@")[0]).closed_at is not None


def test_a_dismissal_that_the_brakes_stop_waits_for_a_person_and_is_not_given_twice(system: System, hr: Hr) -> None:
    made = system.add(department="RECTORATE")
    for _ in range(2):
        refused(system.patch(made["id"], "active", False), 409, None, "active", "brake-privileged")
        refused(system.ask("DELETE", f"/Users/{made['id']}"), 409, None, "active", "brake-privileged")
    assert kinds(hr) == ["hire", "dismissal"]
    assert system.read(made["id"])["active"] is True and hr.account().closed_at is None


def test_what_no_order_can_say_is_refused_and_changes_nothing(system: System, hr: Hr) -> None:
    made = system.add()
    place = f"/Users/{made['id']}"
    refused(system.patch(made["id"], f"{WORK}:department", "NOWHERE"), 400, "invalidValue", "department")
    refused(system.patch(made["id"], "title", "x" * 300), 400, "invalidValue", "title")
    refused(system.patch(made["id"], "name.givenName", "a\u0007"), 400, "invalidValue", "name.givenName")
    refused(system.patch(made["id"], "emails", [{"value": "a@example.org"}]), 400, "mutability")
    refused(system.patch(made["id"], "displayName", "X"), 400, "mutability")
    refused(system.ask("PUT", place, person("E-2")), 400, "mutability")
    refused(system.ask("POST", "/Users", person("-bad number")), 400, "invalidValue", "userName")
    refused(system.ask("POST", "/Users", person("E-3", nickName="x")), 400, "invalidSyntax")
    refused(system.ask("POST", "/Users", person("E-3", title=None)), 400, "invalidValue")
    assert kinds(hr) == ["hire"] and system.read(made["id"]) == made


def hire_to(department: str, **changes: Any) -> dict[str, Any]:
    """Another hire of the person of the sample."""
    body = changed("hire", **changes)
    body["persons"][0]["employment"] |= {"departmentCode": department, "positionTitle": "Декан", "employmentId": "c-2"}
    return body


def test_who_has_several_employments_is_moved_by_an_order_and_dismissed_from_all(system: System, hr: Hr) -> None:
    hr.send(changed("hire", effectiveOn="2026-09-01"))
    other = {"orderId": "00000000-0000-4000-8000-000000000009", "number": "9/9-К", "effectiveOn": "2026-09-02"}
    assert hr.send(hire_to("FIT", **other)).status_code == 202
    hr.work()
    (seen,) = system.ask("GET", "/Users").get_json()["Resources"]
    assert len(seen["groups"]) == 2
    refused(system.patch(seen["id"], "title", "Доцент"), 400, "mutability", "title", "several")
    assert system.patch(seen["id"], "active", False).status_code == 204
    assert system.read(seen["id"])["active"] is False and hr.account().closed_at is not None
    assert kinds(hr) == ["dismissal"]


def test_what_the_client_says_of_somebody_inactive_is_kept_for_the_reinstatement(system: System, hr: Hr) -> None:
    made = system.add(active=False)
    assert (made["active"], kinds(hr)) == (False, ["hire", "dismissal"])
    assert system.patch(made["id"], "title", "Доцент").status_code == 204
    assert system.read(made["id"])["title"] == "Доцент"
    assert system.patch(made["id"], "active", True).status_code == 204
    seen = system.read(made["id"])
    assert (seen["active"], seen["title"]) == (True, "Доцент")


def test_characters_that_no_database_keeps_are_nobodys(system: System) -> None:
    for told in ('userName eq "\\u0000"', 'externalId eq "\\u0000"'):
        answer = system.ask("GET", "/Users", query_string={"filter": told})
        assert answer.status_code in (200, 400) and not answer.get_json().get("Resources")
    for place in ("/Groups/%00", "/Users/%00"):
        refused(system.ask("GET", place), 404, None)
    refused(system.ask("POST", "/Users", person(externalId="a\u0000")), 400, "invalidValue", "externalId")


def test_a_search_at_the_root_finds_people_and_departments(system: System) -> None:
    system.add()
    for told, found in (('displayName sw "Үлгүбаева"', ["User"]), ('displayName pr and id eq "0407"', ["Group"])):
        answer = system.ask("GET", "/", query_string={"filter": told})
        assert [one["meta"]["resourceType"] for one in answer.get_json()["Resources"]] == found


def test_who_has_not_begun_needs_an_order(system: System, hr: Hr) -> None:
    hr.send(changed("hire", effectiveOn="2026-12-01"))
    hr.work()
    (number,) = system.numbers("")
    seen = system.ask("GET", f'/Users?filter=userName eq "{number}"').get_json()["Resources"][0]
    refused(system.patch(seen["id"], "active", False), 400, "mutability", "active", "not begun")
    refused(system.patch(seen["id"], "title", "Доцент"), 400, "mutability", "title", "not begun")


def test_of_the_same_person_sent_many_times_at_once_one_account_comes(system: System, hr: Hr) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: system.ask("POST", "/Users", person()).status_code, range(8)))
    assert sorted(answers) == [201] + [409] * 7
    assert len(hr.rows(sa.select(Person.id))) == len(hr.rows(sa.select(Account.id))) == 1
    assert kinds(hr) == ["hire"]


def test_pages_filters_and_sorting(system: System) -> None:
    made = {number: system.add(number, title=title) for number, title in (("E-1", "Б"), ("E-2", "А"), ("E-3", "В"))}
    assert system.numbers("startIndex=2&count=1") == ["E-2"]
    page = system.ask("GET", "/Users?startIndex=9").get_json()
    assert (page["totalResults"], page.get("Resources", [])) == (3, [])
    assert system.numbers("sortBy=title&sortOrder=descending") == ["E-3", "E-1", "E-2"]
    assert system.patch(made["E-3"]["id"], "externalId", "x").status_code == 204
    for told, found in {
        'userName eq "E-2"': ["E-2"],
        'externalId eq "x"': ["E-3"],
        'title sw "В"': ["E-3"],
        f'id eq "{made["E-1"]["id"]}"': ["E-1"],
        f'emails.value eq "{made["E-1"]["emails"][0]["value"]}"': ["E-1"],
        'groups.value eq "0407" and title eq "А"': ["E-2"],
        'userName eq "E-1" or userName eq "E-2"': ["E-1", "E-2"],
        "active eq false": [],
        'not (userName eq "E-1")': ["E-2", "E-3"],
        'id eq "no uuid"': [],
    }.items():
        answer = system.ask("GET", "/Users", query_string={"filter": told})
        assert [one["userName"] for one in answer.get_json().get("Resources", [])] == found, told
    refused(system.ask("GET", '/Users?filter=shoeSize eq "4"'), 400, "invalidFilter")
    refused(system.ask("GET", "/Users?filter=title eq"), 400, "invalidFilter")


def test_an_external_id_is_the_clients_own(system: System, party: Party) -> None:
    made = system.add(externalId="77")
    assert "externalId" not in System(party).read(made["id"])


def test_a_version_goes_with_every_change_also_by_a_signed_order(system: System, hr: Hr) -> None:
    """RFC 7644, 3.14."""
    made = system.add()
    place, version = f"/Users/{made['id']}", made["meta"]["version"]
    assert system.ask("GET", place, headers={"If-None-Match": version}).status_code == 304
    assert system.patch(made["id"], "title", "Доцент", headers={"If-Match": version}).status_code == 204
    refused(system.patch(made["id"], "title", "X", headers={"If-Match": version}), 412, None)
    version = system.read(made["id"])["meta"]["version"]
    hr.clock.advance(days=1)
    system.token = system.fetch("scim.read scim.write")
    body = changed("rename", effectiveOn="2026-09-10", approvedOn="2026-09-10")
    body["persons"][0] |= {"ids": {"employeeNo": "E-1"}, "name": {"family": "Асанова", "given": "Айда"}}
    assert hr.send(body).status_code == 202
    hr.work()
    assert system.read(made["id"])["meta"]["version"] != version


def test_departments_are_read_and_not_written(system: System) -> None:
    made = system.add()
    group = system.ask("GET", "/Groups/0407").get_json()
    assert [one["value"] for one in group["members"]] == [made["id"]]
    assert group["members"][0]["$ref"] == f"http://localhost{PREFIX}/Users/{made['id']}"
    listed = system.ask("GET", "/Groups?excludedAttributes=members").get_json()["Resources"]
    assert {"0407", "FIT"} <= {one["id"] for one in listed} and not any("members" in one for one in listed)
    body = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"]}
    for method, path in (("POST", "/Groups"), ("DELETE", "/Groups/0407")):
        refused(system.ask(method, path, body), 405, None)
    assert system.ask("PUT", "/Groups/0407", body).status_code == 200  # nothing in it can be set (RFC 7644, 3.5.1)
    assert system.ask("GET", "/Groups/0407").get_json() == group


def test_who_may_do_what(party: Party, make: Make, system: System) -> None:
    made = system.add()
    reader, writer, other = System(party, "scim.read"), System(party, "scim.write"), System(party, "orders:read")
    assert reader.ask("GET", f"/Users/{made['id']}").status_code == 200
    assert reader.ask("POST", "/Users/.search", {"schemas": [
        "urn:ietf:params:scim:api:messages:2.0:SearchRequest"]}).status_code == 200  # fmt: skip
    refused(reader.patch(made["id"], "title", "X"), 403, None, "scim.write")
    refused(reader.ask("POST", "/Users", person("E-2")), 403, None, "scim.write")
    refused(reader.ask("DELETE", f"/Users/{made['id']}"), 403, None, "scim.write")
    refused(writer.ask("GET", "/Users"), 403, None, "scim.read")
    refused(other.ask("GET", "/ServiceProviderConfig"), 403, None, "scim.read")
    for token in ("", "made-up"):
        answer = system.ask("GET", "/Users", headers={"Authorization": f"Bearer {token}"})
        refused(answer, 401, None)
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_for_another_resource_is_none(party: Party) -> None:
    other = party.client(**ITSELF, scope="scim.read", resources=["https://other.example/api"])
    answer = party.token(
        other, grant_type="client_credentials", scope="scim.read", resource="https://other.example/api"
    )
    token = answer.get_json()["access_token"]
    asked = party.app.test_client().get(
        PREFIX + "/Users", headers={"Authorization": f"Bearer {token}"}, base_url="http://localhost"
    )
    refused(asked, 401, None)


def test_a_filter_that_would_look_at_too_many_is_refused(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("idp.api.scim.storage.MOST_LOOKED_AT", 1)
    system.add("E-1")
    system.add("E-2")
    refused(system.ask("GET", '/Users?filter=title sw "О"'), 400, "tooMany")
    assert system.numbers('filter=title sw "О" and userName eq "E-2"') == ["E-2"]


def test_what_is_new_since_a_moment_is_found_without_looking_at_all(
    system: System, hr: Hr, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = system.add("E-1")
    hr.clock.advance(minutes=1)
    system.add("E-2")
    monkeypatch.setattr("idp.api.scim.storage.MOST_LOOKED_AT", 1)
    query = {"filter": f'meta.lastModified gt "{first["meta"]["lastModified"]}"', "sortBy": "meta.lastModified"}
    answer = system.ask("GET", "/Users", query_string=query)
    refused(answer, 400, "tooMany")  # the first is of that very moment, and a candidate
    hr.clock.advance(minutes=1)
    system.patch(first["id"], "title", "Доцент")
    query["filter"] = 'meta.lastModified ge "2026-09-09T06:02:00Z"'
    answer = system.ask("GET", "/Users", query_string=query)
    assert [one["userName"] for one in answer.get_json()["Resources"]] == ["E-1"]


@pytest.fixture
def without(database_url: str, clock: SetClock) -> Iterator[Flask]:
    app = create_app(settings_for(database_url), clock)
    yield app
    with app.app_context():
        db.engine.dispose()


def test_it_is_off_unless_it_is_switched_on(without: Flask) -> None:
    assert without.test_client().get(PREFIX + "/Users", base_url="http://localhost").status_code == 404

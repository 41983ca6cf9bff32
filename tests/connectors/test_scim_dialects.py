"""Zoom and Canva as their documentation has them (stand-ins): what they refuse is never asked, what they do behind our
back is seen."""

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from connectors.base import Correlation, OutcomeKind, TargetError, Wanted
from connectors.canva import Canva
from connectors.http import GuardedTransport
from connectors.plan import plan
from connectors.scim import Dialect, Scim, document, operations
from connectors.standins.vendors import CanvaStandin, Vendor, ZoomStandin
from connectors.zoom import Zoom
from idp.provisioning.bring import bring

WANTED = Wanted(
    "0c7c2f0e-0000-7000-8000-000000000001", 1, True,
    {"login": "a.sample", "email": "a.sample@example.edu", "given_name": "Анара", "family_name": "Мисалова",
     "display_name": "Анара Мисалова", "department": "0407", "title": "доцент", "programs": ["zoom.licensed"]},
)  # fmt: skip
KEY = Correlation(WANTED.account_id, None, "a.sample", "a.sample@example.edu")


class QuickZoom(Zoom):
    dialect = replace(Zoom.dialect, pause=0.0)


class QuickCanva(Canva):
    dialect = replace(Canva.dialect, pause=0.0)


@pytest.fixture
def zoom() -> Iterator[ZoomStandin]:
    with ZoomStandin() as standin:
        yield standin


@pytest.fixture
def canva() -> Iterator[CanvaStandin]:
    with CanvaStandin() as standin:
        yield standin


def refused(connector: Scim, standin: Vendor, *statuses: int) -> TargetError:
    standin.faults = list(statuses)
    with pytest.raises(TargetError) as caught:
        connector.find(KEY)
    return caught.value


def test_the_name_of_an_account_is_the_address(zoom: ZoomStandin) -> None:
    assert document(WANTED, Zoom.dialect)["userName"] == "a.sample@example.edu"
    assert "entitlements" not in document(WANTED, Zoom.dialect)
    assert document(WANTED, Dialect())["userName"] == "a.sample"
    made = QuickZoom(zoom.settings).create(WANTED, "op")
    assert "login" not in made.attributes


def test_a_changed_address_changes_the_name_as_well() -> None:
    changes = {"email": "new@example.edu", "active": False}
    named = [step for step in operations(changes, Zoom.dialect) if step.get("path") == "userName"]
    assert named == [{"op": "replace", "path": "userName", "value": "new@example.edu"}]
    [step] = operations(changes, Canva.dialect)
    assert step["value"] | {"emails": None} == {"userName": "new@example.edu", "active": False, "emails": None}
    assert operations({}, Canva.dialect) == []


def test_an_administrator_of_zoom_stays_active_and_that_is_seen(zoom: ZoomStandin) -> None:
    connector = QuickZoom(zoom.settings)
    made = connector.create(WANTED, "op")
    zoom.administrators.add("a.sample@example.edu")
    with pytest.raises(TargetError, match="read back differs in active"):
        bring(connector, replace(WANTED, active=False), replace(KEY, remote_id=made.id), "op-2")
    zoom.administrators.clear()
    brought = bring(connector, replace(WANTED, active=False), replace(KEY, remote_id=made.id), "op-3")
    assert brought.remote is not None and not brought.remote.active


def test_canva_is_never_asked_for_more_than_ten_nor_to_delete(canva: CanvaStandin) -> None:
    connector = QuickCanva(canva.settings)
    for number in range(23):
        attributes = {**WANTED.attributes, "email": f"p{number}@example.edu"}
        connector.create(replace(WANTED, account_id=f"p-{number}", attributes=attributes), "op")
    pages, cursor = [], None
    while True:
        page = connector.scan(cursor, 500)
        pages.append(len(page.remotes))
        if (cursor := page.cursor) is None:
            break
    assert pages == [10, 10, 3]
    with pytest.raises(TargetError) as caught:
        connector.delete("1", "op")
    assert (caught.value.kind, "DELETE" in " ".join(canva.calls)) == (OutcomeKind.PERMANENT, False)


def test_an_address_somebody_has_is_a_conflict_for_a_person(canva: CanvaStandin) -> None:
    connector = QuickCanva(canva.settings)
    connector.create(replace(WANTED, account_id="private"), "op")
    with pytest.raises(TargetError) as caught:
        connector.create(WANTED, "op")
    assert caught.value.kind is OutcomeKind.CONFLICT


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (429, OutcomeKind.THROTTLED), (500, OutcomeKind.RETRYABLE), (503, OutcomeKind.RETRYABLE),
        (401, OutcomeKind.AUTH), (403, OutcomeKind.AUTH), (400, OutcomeKind.PERMANENT),
    ],
)  # fmt: skip
def test_answers_of_a_vendor_as_outcomes(zoom: ZoomStandin, status: int, kind: OutcomeKind) -> None:
    error = refused(QuickZoom(zoom.settings), zoom, status)
    assert error.kind is kind
    assert (error.retry_after == 7) is (status in (429, 503, 500, 401, 403, 400))


def test_calls_keep_their_distance(zoom: ZoomStandin) -> None:
    class Slow(Zoom):
        dialect = replace(Zoom.dialect, pause=0.2)

    connector, began = Slow(zoom.settings), time.monotonic()
    for _ in range(3):
        connector.find(KEY)
    assert 0.4 <= time.monotonic() - began < 2
    assert Zoom.dialect.pause == Canva.dialect.pause == 1.0
    assert GuardedTransport.__init__.__defaults__ == (0.0, None)


def test_what_a_dry_run_shows(zoom: ZoomStandin) -> None:
    planned = plan(WANTED, None, Zoom(zoom.settings).capabilities)
    assert planned.act == "create"
    assert sorted(planned.changes) == ["active", "department", "display_name", "email", "family_name", "given_name"]
    assert planned.unsupported == ("login", "programs", "title")

"""Wanted x seen -> changes: what is equal, what is ours, what a closed account still needs."""

from typing import Any

import pytest

from connectors.base import Capabilities, Remote, Wanted
from connectors.plan import Change, Plan, drift, plan, values

OURS = Capabilities(frozenset({"login", "email", "title", "department", "programs"}))


def wanted(active: bool = True, **attributes: Any) -> Wanted:
    return Wanted("acc", 7, active, attributes)


def seen(active: bool = True, **attributes: Any) -> Remote:
    return Remote("r1", active, attributes)


def test_an_account_that_is_missing_is_created_with_what_is_ours() -> None:
    found = plan(wanted(login="aida", title="доцент", phone="1"), None, OURS)
    changes = {"login": Change(None, "aida"), "title": Change(None, "доцент"), "active": Change(None, True)}
    assert found == Plan("create", changes, ("phone",))
    assert values(found.changes) == {"login": "aida", "title": "доцент", "active": True}


def test_a_closed_account_that_was_never_there_needs_nothing() -> None:
    assert plan(wanted(False, login="aida"), None, OURS) == Plan("nothing")


def test_an_account_as_wanted_needs_nothing() -> None:
    assert plan(wanted(login="aida"), seen(login="aida"), OURS).act == "nothing"


def test_only_the_difference_is_written() -> None:
    assert plan(wanted(login="aida", title="a"), seen(login="aida", title="b"), OURS) == Plan(
        "update", {"title": Change("b", "a")})  # fmt: skip


def test_closing_leaves_every_other_attribute_alone() -> None:
    assert plan(wanted(False, login="new", phone="1"), seen(login="old"), OURS) == Plan(
        "update", {"active": Change(True, False)})  # fmt: skip


def test_a_closed_account_that_is_closed_needs_nothing() -> None:
    assert drift(wanted(False, login="new"), seen(False, login="old"), OURS) == {}


def test_opening_again_brings_the_attributes_up_to_date() -> None:
    assert drift(wanted(login="new"), seen(False, login="old"), OURS) == {
        "login": Change("old", "new"), "active": Change(False, True)}  # fmt: skip


def test_what_the_target_has_beside_it_is_not_ours_to_change() -> None:
    assert drift(wanted(login="aida"), seen(login="aida", title="foreign"), OURS) == {}


@pytest.mark.parametrize(("name", "before", "after"), [
    ("programs", ["b", "a", "a"], ["a", "b"]), ("programs", None, []), ("programs", ("a",), ["a"]),
    ("title", None, ""), ("title", "", None), ("login", "Aida", "aida"), ("email", "A@example.edu", "a@EXAMPLE.edu"),
    ("department", "fit", "FIT"),
])  # fmt: skip
def test_these_count_as_equal(name: str, before: Any, after: Any) -> None:
    assert drift(wanted(**{name: after}), seen(**{name: before}), OURS) == {}


@pytest.mark.parametrize(("name", "before", "after"), [
    ("programs", ["a"], ["a", "b"]), ("programs", ["a"], []), ("title", "Доцент", "доцент"), ("title", "a", ""),
])  # fmt: skip
def test_these_count_as_different(name: str, before: Any, after: Any) -> None:
    assert drift(wanted(**{name: after}), seen(**{name: before}), OURS) == {name: Change(before, after)}


def test_an_empty_value_nobody_can_write_is_not_worth_a_notice() -> None:
    assert plan(wanted(login="aida", phone="", report_sections=[]), seen(login="aida"), OURS).unsupported == ()

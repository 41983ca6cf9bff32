"""Which orders a change over SCIM amounts to: a table of before, after and the orders between."""

from dataclasses import replace

import pytest

from policies.person_orders import NOT_BEGUN, SEVERAL, Employee, Post, Unfit, orders_for

AIDA = Employee("E-1", "Үлгүбаева", "Айда", None, "0407", "Окутуучу", True)
GONE = replace(AIDA, active=False)
POST = Post("0407", "Окутуучу", "c-1", 0.5, "main")
OTHER = Post("FIT", "Декан", None)
COMING = replace(POST, begun=False)


@pytest.mark.parametrize(
    ("before", "posts", "after", "kinds"),
    [
        (None, (), AIDA, ["hire"]),
        (None, (), GONE, ["hire", "dismissal"]),
        (AIDA, (POST,), AIDA, []),
        (AIDA, (POST,), replace(AIDA, family="Асанова"), ["rename"]),
        (AIDA, (POST,), replace(AIDA, patronymic="Бекова"), ["rename"]),
        (AIDA, (POST,), replace(AIDA, title="Доцент"), ["transfer"]),
        (AIDA, (POST,), replace(AIDA, department="FIT"), ["transfer"]),
        (AIDA, (POST,), replace(AIDA, given="Аида", title="Доцент"), ["rename", "transfer"]),
        (AIDA, (POST,), GONE, ["dismissal"]),
        (AIDA, (POST, OTHER), GONE, ["dismissal"]),
        (AIDA, (POST,), replace(GONE, title="Доцент"), ["transfer", "dismissal"]),
        (GONE, (), AIDA, ["reinstatement"]),
        (GONE, (), replace(AIDA, given="Аида", title="Доцент"), ["rename", "reinstatement"]),
        (GONE, (), GONE, []),
        (GONE, (), replace(GONE, title="Доцент"), []),
        (AIDA, (COMING,), AIDA, []),
    ],
)
def test_the_orders_between_before_and_after(
    before: Employee | None, posts: tuple[Post, ...], after: Employee, kinds: list[str]
) -> None:
    steps = orders_for(before, posts, after, "new")
    assert not isinstance(steps, Unfit)
    assert [step.kind for step in steps] == kinds


@pytest.mark.parametrize(
    ("posts", "after", "unfit"),
    [
        ((POST,), replace(AIDA, number="E-2"), ("userName", None)),
        ((POST, OTHER), replace(AIDA, title="Доцент"), ("title", SEVERAL)),
        ((POST, OTHER), replace(AIDA, department="FIT"), ("department", SEVERAL)),
        ((COMING,), GONE, ("active", NOT_BEGUN)),
        ((COMING,), replace(AIDA, title="Доцент"), ("title", NOT_BEGUN)),
    ],
)
def test_what_no_order_can_say_names_the_attribute(
    posts: tuple[Post, ...], after: Employee, unfit: tuple[str, str | None]
) -> None:
    found = orders_for(AIDA, posts, after, "new")
    assert isinstance(found, Unfit)
    assert found.attribute == unfit[0] and (unfit[1] in (None, found.reason))


def test_each_line_names_the_employment_it_means_and_carries_what_scim_has_no_word_for() -> None:
    steps = orders_for(AIDA, (POST,), replace(AIDA, title="Доцент"), "new")
    assert not isinstance(steps, Unfit)
    assert steps[0].persons[0] == {
        "line": "1", "ids": {"employeeNo": "E-1"},
        "employment": {"departmentCode": "0407", "positionTitle": "Доцент", "employmentId": "c-1", "rate": 0.5,
                       "type": "main"},
    }  # fmt: skip


def test_a_dismissal_ends_every_employment() -> None:
    steps = orders_for(AIDA, (POST, OTHER), GONE, "new")
    assert not isinstance(steps, Unfit)
    assert [(person["line"], person["employment"]["departmentCode"]) for person in steps[0].persons] == [
        ("1", "0407"), ("2", "FIT"),
    ]  # fmt: skip

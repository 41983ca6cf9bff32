"""Regulation 5.7 and security.md: a limit per client that bites before one client can lock many accounts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.lockout import LockoutRules
from policies.throttle import Counted, ThrottleRules, client_of


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("unknown", "elsewhere"),
        ("203.0.113.7:8080", "elsewhere"),
    ],
)
def test_whoever_has_a_whole_site_of_addresses_is_one_client(address: str, client: str) -> None:
    assert client_of(address) == client


def test_the_networks_of_the_institution_may_do_more() -> None:
    rules = ThrottleRules(wrong=5, wrong_inside=50)
    assert [rules.allowance(Counted.WRONG, inside) for inside in (True, False)] == [50, 5]


def test_by_default_one_client_locks_no_more_than_a_handful_of_accounts() -> None:
    to_a_lock = LockoutRules().allowed_failures + 1
    assert ThrottleRules().allowance(Counted.WRONG, inside=False) // to_a_lock <= 7


@given(address=st.ip_addresses().map(str) | st.text(max_size=40))
def test_a_client_has_one_name_and_every_address_of_a_site_the_same(address: str) -> None:
    name = client_of(address)
    assert name == client_of(name.partition("/")[0]) or name == "elsewhere"


@given(numbers=st.lists(st.integers(4, 100_000), min_size=4, max_size=4))
def test_each_thing_counts_for_itself_inside_and_elsewhere(numbers: list[int]) -> None:
    rules = ThrottleRules(*numbers)
    counted = [(what, inside) for what in (Counted.WRONG, Counted.REQUEST) for inside in (False, True)]
    assert [rules.allowance(*one) for one in counted] == numbers

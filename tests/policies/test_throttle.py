"""Regulation 5.7 and security.md: a limit per client that bites before one client can lock many accounts."""

from ipaddress import ip_network

import pytest

from policies.lockout import LockoutRules
from policies.throttle import ThrottleRules, allowance, client_of

CAMPUS = ThrottleRules(networks=(ip_network("10.20.0.0/16"), ip_network("2001:db8:20::/48")))


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
    ],
)
def test_whoever_has_a_whole_site_of_addresses_is_one_client(address: str, client: str) -> None:
    assert client_of(address) == client


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("10.20.3.4", True),
        ("::ffff:10.20.3.4", True),
        ("2001:db8:20:7::1", True),
        ("10.21.3.4", False),
        ("2001:db8:21::1", False),
        ("203.0.113.7", False),
    ],
)
def test_the_networks_of_the_institution_may_do_more(address: str, inside: bool) -> None:
    assert allowance(client_of(address), CAMPUS) == (CAMPUS.wrong_inside if inside else CAMPUS.wrong)


def test_by_default_one_client_locks_no_more_than_a_handful_of_accounts() -> None:
    to_a_lock = LockoutRules().allowed_failures + 1
    assert allowance("203.0.113.7", ThrottleRules()) // to_a_lock <= 7

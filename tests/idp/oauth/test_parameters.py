"""Parameters are read once, and within bounds."""

import time

from idp.oauth.parameters import MOST, MOST_REPEATED, read_parameters


def test_a_flood_of_values_is_refused_and_costs_little() -> None:
    began = time.process_time()
    found = read_parameters([("resource", f"https://{number}.example") for number in range(100_000)])
    assert time.process_time() - began < 2
    assert found.all("resource") == ()
    assert "resource" in found.faulty


def test_of_one_parameter_some_values_are_enough() -> None:
    values = [("resource", f"https://{number}.example") for number in range(MOST_REPEATED)]
    assert len(read_parameters(values).all("resource")) == MOST_REPEATED
    assert read_parameters([*values, ("resource", "https://more.example")]).all("resource") == ()


def test_a_thousand_parameters_are_read_and_more_are_not() -> None:
    pairs = [(f"p{number}", "x") for number in range(MOST)]
    assert read_parameters(pairs).get("p0") == "x"
    assert read_parameters([*pairs, ("one more", "x")]).get("p0") is None


def test_values_of_a_repeated_one_come_once_each_in_their_order() -> None:
    found = read_parameters([("resource", "b"), ("resource", "a"), ("resource", "b"), ("state", "s")])
    assert (found.all("resource"), found.get("state"), found.faulty) == (("b", "a"), "s", frozenset())

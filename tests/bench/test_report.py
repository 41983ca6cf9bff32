"""The table says what was measured, and no more."""

import os

import pytest

from tests.bench.load import Tally
from tests.bench.processes import Memory, cpu_seconds, memory, tree
from tests.bench.report import Figures, Result, bar_of, beside_peers, details, figures, percentile, reached, table


def seen(cpu: float, wrong: tuple[str, ...] = ()) -> Figures:
    return Figures(rate=100, p50=1, p99=2, cpu=cpu, database=None, wrong=wrong, brought="access ES256")


def result(name: str, ours: bool, flow: Figures | str, workers: float = 100.0) -> Result:
    return Result(name, "1.0", ours, {"refresh": flow}, Memory(workers, 10.0, "PSS"))


def test_cpu_is_divided_by_the_flows_that_were_right() -> None:
    of = figures(Tally([0.002] * 40, ["500"], seconds=2.0), cpu=0.1, database=0.02, brought="")
    assert [of.rate, of.cpu, of.database] == pytest.approx([20.0, 2.5, 0.5])


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.99, 99), (1.0, 100)])
def test_a_percentile_is_a_value_that_so_many_do_not_exceed(share: float, value: int) -> None:
    assert percentile([float(number) for number in range(100, 0, -1)], share) == value


def test_the_worst_of_a_few_is_their_ninety_ninth_percentile() -> None:
    assert percentile([3.0, 1.0, 2.0], 0.99) == 3.0
    assert percentile([], 0.99) == 0.0


def test_the_bar_of_a_sign_in_grows_with_a_bare_hash_and_no_other_does() -> None:
    assert bar_of("sign-in", bare=20.0) == pytest.approx(25.0)
    assert bar_of("refresh", bare=20.0) == bar_of("refresh", bare=40.0) == 1.2


def test_on_the_bar_is_reached_and_over_it_is_not() -> None:
    assert reached([result("Achkych, sqlite", True, seen(1.2))], "refresh", 1.2) == "yes"
    assert reached([result("Achkych, sqlite", True, seen(1.21))], "refresh", 1.2) == "no"


def test_databases_that_differ_are_told_apart() -> None:
    both = [result("Achkych, sqlite", True, seen(1.0)), result("Achkych, postgresql", True, seen(2.0))]
    assert reached(both, "refresh", 1.2) == "sqlite yes, postgresql no"


def test_we_are_compared_with_the_faster_peer() -> None:
    peers = [result("slow", False, seen(27.0)), result("fast", False, seen(1.1))]
    assert beside_peers([result("Achkych, sqlite", True, seen(1.1)), *peers], "refresh") == "yes"
    assert beside_peers([result("Achkych, sqlite", True, seen(1.2)), *peers], "refresh") == "no"


def test_a_flow_with_a_wrong_answer_reaches_nothing() -> None:
    """Refusing is cheap: a server that refuses everything would be the fastest."""
    wrong = result("Achkych, sqlite", True, seen(0.1, ("WrongError: 500",)))
    assert reached([wrong], "refresh", 1.2) == "-"
    assert "1 WRONG" in table([wrong], ["refresh"], bare=22.0)


def test_a_peer_with_wrong_answers_is_no_measure() -> None:
    peer = result("peer", False, seen(0.1, ("WrongError: 500",)))
    assert beside_peers([result("Achkych, sqlite", True, seen(1.0)), peer], "refresh") == "no peer"


def test_what_could_not_be_driven_says_why() -> None:
    assert details(result("peer", False, "npm is missing")) == "**peer** was not driven: npm is missing"
    partly = result("peer", False, "no such grant")
    partly.flows["JWKS"] = seen(0.1)
    assert "not driven: no such grant" in details(partly)


def test_memory_is_held_to_its_bar() -> None:
    assert "| no " in table([result("Achkych, sqlite", True, seen(1.0), workers=151)], [], 22.0).splitlines()[-2]
    assert "| yes " in table([result("Achkych, sqlite", True, seen(1.0), workers=150)], [], 22.0).splitlines()[-2]


def test_processes_are_read_from_proc() -> None:
    before = cpu_seconds([os.getpid()])
    sum(number * number for number in range(2_000_000))
    assert cpu_seconds([os.getpid()]) > before
    assert os.getpid() in tree(os.getppid())
    assert memory(os.getpid(), 2).watchers > 1  # MiB: this process itself answers nobody

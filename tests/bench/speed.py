"""How fast the provider is: `python -m tests.bench.speed [--seconds 4] [--database both] [--providers ours,...]`.

Starts Achkych and two foreign providers one after another on loopback, each with two web processes, drives the same
flows through them, and prints what each flow costs: rate, latencies, and the CPU time of the server.  The load comes
from the same machine: rates and latencies are what is left beside it, the CPU figures are the server's own.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from tests.bench.achkych import achkych
from tests.bench.canaille import canaille
from tests.bench.flows import FLOWS, Flows
from tests.bench.hashing import COST, HASHER, bare_hash
from tests.bench.load import HANDS, WrongError, load, warm_up
from tests.bench.oidc_provider import oidc_provider
from tests.bench.processes import cpu_seconds, memory, tree
from tests.bench.provider import WORKERS, NotDrivenError, Provider, tail
from tests.bench.report import Figures, Result, details, figures, table

PROVIDERS = ("ours", "oidc-provider", "canaille")
DATABASES = {"both": ("sqlite", "postgresql"), "sqlite": ("sqlite",), "postgresql": ("postgresql",)}
BARE = 1.0  # seconds of bare hashing before each provider


def main() -> int:
    """0 when every answer was right and ours went through every flow."""
    options = _options()
    results: list[Result] = []
    bare: list[float] = []
    for name, ours, start in _starts(options):
        print(f"{name} ...", file=sys.stderr, flush=True)
        bare.append(bare_hash(BARE, at_once=WORKERS))
        results.append(_measured(name, ours, start, options))
        print(details(results[-1]), end="\n\n", flush=True)
    print(table(results, options.flows, bare=median(bare)))
    print(f"\n{_circumstances(bare, options.seconds)}")
    return 1 if any(result.wrong or (result.ours and result.undriven) for result in results) else 0


def _circumstances(bare: list[float], seconds: float) -> str:
    """How far the figures can be trusted: a hash that takes long, or each time another time, tells of a busy machine."""
    each = ", ".join(f"{value:.1f}" for value in bare)
    return (
        f"Bare Argon2id, {WORKERS} at once: {each} ms of CPU before each provider; "
        f"alone, at the end: {bare_hash(BARE, at_once=1):.1f}.\n"
        f"{HANDS} connections, {seconds:g} s each, {os.cpu_count()} cores, load of the machine {os.getloadavg()[0]:.1f}."
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4.0, help="how long each flow is loaded")
    parser.add_argument("--database", choices=DATABASES, default="both", help="of ours; the others have SQLite")
    parser.add_argument("--providers", type=_names(PROVIDERS), default=list(PROVIDERS), help=", ".join(PROVIDERS))
    parser.add_argument("--flows", type=_names(FLOWS), default=list(FLOWS), help=", ".join(FLOWS))
    return parser.parse_args()


def _names(known: tuple[str, ...]) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        asked = [name.strip() for name in text.split(",")]
        if unknown := set(asked) - set(known):
            raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}")
        return [name for name in known if name in asked]

    return parse


Start = Callable[..., AbstractContextManager[Provider]]


def _starts(options: argparse.Namespace) -> Iterator[tuple[str, bool, Start]]:
    """What is measured: its name, whether it is ours, and how it is started in a folder."""
    if "ours" in options.providers:
        for kind in DATABASES[options.database]:
            yield f"Achkych, {kind}", True, partial(achkych, kind=kind)
    if "oidc-provider" in options.providers:
        yield "oidc-provider", False, partial(oidc_provider, hasher=HASHER)
    if "canaille" in options.providers:
        yield "canaille", False, partial(canaille, cost=COST)


def _measured(name: str, ours: bool, start: Start, options: argparse.Namespace) -> Result:
    """A provider that does not run is a row of reasons, not the end."""
    with TemporaryDirectory(prefix="achkych-bench-") as folder:
        try:
            with start(folder=Path(folder)) as provider:
                return _drive(provider, ours, options)
        except NotDrivenError as error:
            return Result(name, "not started", ours, dict.fromkeys(options.flows, f"{error}"))


def _drive(provider: Provider, ours: bool, options: argparse.Namespace) -> Result:
    result = Result(provider.name, provider.version, ours)
    flows = Flows(provider)
    for flow in options.flows:
        result.flows[flow] = _flow(flows, provider, flow, options.seconds)
    result.memory = memory(provider.pid, WORKERS)
    return result


def _flow(flows: Flows, provider: Provider, flow: str, seconds: float) -> Figures | str:
    try:
        turn = flows.turn(flow)
    except (WrongError, OSError) as error:
        return f"{error}; {tail(provider.log.read_text('utf8', 'replace'))}"
    warm_up(turn, provider.address)
    web, database = tree(provider.pid), _database(provider)
    before = cpu_seconds(web), cpu_seconds(database)
    tally = load(turn, provider.address, seconds)
    web_cpu, database_cpu = cpu_seconds(web) - before[0], cpu_seconds(_database(provider)) - before[1]
    return figures(tally, web_cpu, database_cpu if provider.database else None, flows.seen.get(flow, ""))


def _database(provider: Provider) -> list[int]:
    return tree(provider.database) if provider.database else []


if __name__ == "__main__":
    sys.exit(main())

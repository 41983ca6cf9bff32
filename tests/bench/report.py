"""From counts to a table: figures of each flow, beside the bars they are held to and the peers of the same run."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.bench.load import Tally
from tests.bench.processes import Memory
from tests.bench.provider import WORKERS

# Server CPU, ms per flow: what the faster of the two foreign providers once took on a machine of this kind.
BARS = {"discovery": 0.12, "JWKS": 0.12, "client credentials": 0.40, "refresh": 1.2, "sign-on": 2.3}
MEMORY_BAR = 150.0  # MiB of the web processes together
SIGN_IN = "sign-in"
HASHES, PAGES = 1.15, 2.0  # a sign-in may take so many bare hashes, and so many ms


@dataclass(frozen=True, slots=True)
class Figures:
    """One flow on one provider.  Times in ms; `database` is the CPU of a database server, None where there is none."""

    rate: float
    p50: float
    p99: float
    cpu: float
    database: float | None
    wrong: tuple[str, ...]
    brought: str


@dataclass
class Result:
    """All that was seen of one provider; `flows` has the reason in words where a flow was not driven."""

    name: str
    version: str
    ours: bool
    flows: dict[str, Figures | str] = field(default_factory=dict)
    memory: Memory | None = None

    @property
    def wrong(self) -> int:
        """Wrong answers over all flows."""
        return sum(len(figures.wrong) for figures in self.flows.values() if isinstance(figures, Figures))

    @property
    def undriven(self) -> bool:
        """Whether a flow has no figures but a reason."""
        return any(isinstance(figures, str) for figures in self.flows.values())

    def cpu(self, flow: str) -> float | None:
        """CPU ms per flow; None where the flow was not driven or an answer was wrong, for that proves nothing."""
        figures = self.flows.get(flow)
        return figures.cpu if isinstance(figures, Figures) and not figures.wrong else None


def figures(tally: Tally, cpu: float, database: float | None, brought: str) -> Figures:
    """Of a tally and the CPU seconds spent meanwhile."""
    count = len(tally.latencies)
    return Figures(
        rate=count / tally.seconds if tally.seconds else 0.0,
        p50=percentile(tally.latencies, 0.50) * 1000,
        p99=percentile(tally.latencies, 0.99) * 1000,
        cpu=cpu / max(count, 1) * 1000,
        database=None if database is None else database / max(count, 1) * 1000,
        wrong=tuple(tally.wrong),
        brought=brought,
    )


def percentile(values: list[float], share: float) -> float:
    """The smallest value that at least `share` of all do not exceed; 0 of none."""
    ordered = sorted(values)
    rank = -(-len(ordered) * round(share * 100) // 100)  # rounded up, without a float's dust
    return ordered[max(rank - 1, 0)] if ordered else 0.0


def bar_of(flow: str, bare: float) -> float:
    """What the flow may take; `bare` is one Argon2id hash in ms, measured in this run."""
    return HASHES * bare + PAGES if flow == SIGN_IN else BARS[flow]


def reached(results: list[Result], flow: str, bar: float) -> str:
    """Whether each of ours is at or under the bar, by the part of its name that tells them apart."""
    return _each(results, lambda ours: _under(ours.cpu(flow), bar))


def beside_peers(results: list[Result], flow: str) -> str:
    """Whether each of ours is at or under the faster peer of this very run."""
    peers = [cpu for result in results if not result.ours and (cpu := result.cpu(flow)) is not None]
    if not peers:
        return "no peer"
    return _each(results, lambda ours: _under(ours.cpu(flow), min(peers)))


def table(results: list[Result], flows: list[str], bare: float) -> str:
    """The figures that count, one row a flow: CPU ms of the web processes."""
    heads = ["CPU, ms per flow", *(result.name for result in results), "bar", "reached", "faster than the peers"]
    rows = [
        [flow, *(_cpu(result, flow) for result in results), f"{bar:.2f}", reached(results, flow, bar),
         beside_peers(results, flow)]
        for flow in flows if (bar := bar_of(flow, bare))
    ]  # fmt: skip
    return _markdown([heads, *rows, _memory_row(results), _watchers_row(results)])


def details(result: Result) -> str:
    """Everything about one provider; a single line about one that did not start."""
    if len(reasons := set(result.flows.values())) == 1 and isinstance(reason := next(iter(reasons)), str):
        return f"**{result.name}** was not driven: {reason}"
    heads = ["flow", "flows/s", "p50, ms", "p99, ms", "CPU, ms", "database's CPU, ms", "the answer brings"]
    rows = [[flow, *_cells(figures)] for flow, figures in result.flows.items()]
    lines = [f"**{result.name}** ({result.version})", "", _markdown([heads, *rows])]
    if result.memory:
        workers, watchers, kind = result.memory.workers, result.memory.watchers, result.memory.kind
        lines += ["", f"{kind} of {WORKERS} web processes {workers:.0f} MiB, of what watches them {watchers:.0f} MiB"]
    return "\n".join(lines)


def _memory_row(results: list[Result]) -> list[str]:
    sizes = {result.name: result.memory.workers for result in results if result.memory}
    cells = [f"{sizes[result.name]:.0f}" if result.name in sizes else "-" for result in results]
    peers = [sizes[result.name] for result in results if not result.ours and result.name in sizes]
    under = _each(results, lambda ours: _under(sizes.get(ours.name), MEMORY_BAR))
    beside = _each(results, lambda ours: _under(sizes.get(ours.name), min(peers))) if peers else "no peer"
    return [f"memory of {WORKERS} web processes, MiB", *cells, f"{MEMORY_BAR:.0f}", under, beside]


def _watchers_row(results: list[Result]) -> list[str]:
    """Beside the bar, for the eye: memory that the web processes share with what watches them is counted there too."""
    wholes = [f"{size.workers + size.watchers:.0f}" if (size := result.memory) else "-" for result in results]
    return ["with what watches them, MiB", *wholes, "-", "-", "-"]


def _each(results: list[Result], holds: Callable[[Result], str]) -> str:
    verdicts = {result.name.rpartition(", ")[2]: holds(result) for result in results if result.ours}
    if len(set(verdicts.values())) == 1:
        return next(iter(verdicts.values()))
    return ", ".join(f"{name} {verdict}" for name, verdict in verdicts.items()) or "-"


def _under(value: float | None, bar: float) -> str:
    if value is None:
        return "-"
    return "yes" if value <= bar else "no"


def _cpu(result: Result, flow: str) -> str:
    figures = result.flows.get(flow)
    if isinstance(figures, Figures):
        return f"{len(figures.wrong)} WRONG" if figures.wrong else f"{figures.cpu:.2f}"
    return "not driven" if figures else "-"


def _cells(figures: Figures | str) -> list[str]:
    if isinstance(figures, str):
        return ["-", "-", "-", "-", "-", f"not driven: {figures}"]
    brought = f"{len(figures.wrong)} WRONG: {figures.wrong[0]}" if figures.wrong else figures.brought
    database = "-" if figures.database is None else f"{figures.database:.2f}"
    return [f"{figures.rate:.0f}", f"{figures.p50:.1f}", f"{figures.p99:.1f}", f"{figures.cpu:.2f}", database, brought]


def _markdown(rows: list[list[str]]) -> str:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])

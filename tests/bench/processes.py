"""What a tree of processes costs, from /proc: CPU seconds and memory.  Linux only."""

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
MIB = 1024  # KiB


@dataclass(frozen=True, slots=True)
class Memory:
    """MiB of the processes that answer and of those that watch them; `kind` is PSS, or RSS where that is not told."""

    workers: float
    watchers: float
    kind: str


def tree(root: int) -> list[int]:
    """A process and all below it."""
    children = [int(child) for path in PROC.glob(f"{root}/task/*/children") for child in path.read_text().split()]
    return [root, *(pid for child in children for pid in tree(child))]


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time so far, of these processes and of those they have seen out."""
    ticks = 0
    for pid in pids:
        with suppress(FileNotFoundError, ProcessLookupError):  # one that has just ended
            fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
            ticks += sum(int(field) for field in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def memory(root: int, workers: int) -> Memory:
    """The largest `workers` processes below `root` answer requests; the others, `root` among them, watch."""
    pids = tree(root)
    kind = "PSS" if _proportional(root) is not None else "RSS"
    sizes = {pid: (_proportional(pid) if kind == "PSS" else _resident(pid)) or 0 for pid in pids}
    answering = sorted((sizes[pid] for pid in pids[1:]), reverse=True)[:workers]
    return Memory(sum(answering) / MIB, (sum(sizes.values()) - sum(answering)) / MIB, kind)


def parent_of(pid: int) -> int:
    """The process that started this one."""
    return int((PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])


def _proportional(pid: int) -> int | None:
    """KiB, shared pages divided among those who share them; None where it can't be read."""
    try:
        return _field(PROC / str(pid) / "smaps_rollup", "Pss")
    except OSError:
        return None


def _resident(pid: int) -> int | None:
    return _field(PROC / str(pid) / "status", "VmRSS")


def _field(path: Path, name: str) -> int | None:
    lines = (line.split(":") for line in path.read_text().splitlines() if ":" in line)
    return next((int(value.split()[0]) for key, value in lines if key == name), None)

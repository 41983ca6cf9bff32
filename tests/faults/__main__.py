"""Plants faults and tells what became of it: `python -m tests.faults [NAME…] [--scale 0.05]`.

Scales: 1 is what is asked of the service.  Leaves 1 when something that must hold did not.
"""

import argparse
import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults.figure import Scenario
from tests.faults.ground import Grounds
from tests.faults.orders import dismissals, intake, shuffled
from tests.faults.targets import down, drifts, flaky
from tests.faults.workers import crowd, killed
from tests.postgres import postgres_server

SCENARIOS: dict[str, Scenario] = {
    "killed": killed,
    "down": down,
    "flaky": flaky,
    "shuffled": shuffled,
    "crowd": crowd,
    "drifts": drifts,
    "dismissals": dismissals,
    "intake": intake,
}


def main() -> int:
    options = _options()
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, scale {options.scale:g}", flush=True)
    with TemporaryDirectory(prefix="achkych-faults-") as folder, postgres_server() as server:
        grounds = Grounds(server, Path(folder))
        held = [play(name, grounds, options.scale) for name in options.names or SCENARIOS]
    return 0 if all(held) else 1


def play(name: str, grounds: Grounds, scale: float) -> bool:
    """Print the figures of one scenario as they come; whether all held."""
    print(f"\n{name}: {SCENARIOS[name].__doc__}", flush=True)
    began, held = time.monotonic(), True
    for figure in SCENARIOS[name](grounds, scale):
        print(f"  {'' if figure.holds else 'DOES NOT HOLD: '}{figure.text}", flush=True)
        held = held and figure.holds
    print(f"  took {time.monotonic() - began:.0f} s", flush=True)
    return held


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SCENARIOS)}; all by default")
    parser.add_argument("--scale", type=float, default=0.05, help="share of the full figures")
    options = parser.parse_args()
    if unknown := set(options.names) - SCENARIOS.keys():
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    return options


if __name__ == "__main__":
    sys.exit(main())

"""What a storm of sign-ins does to everybody else: `python -m tests.bench.storm [--seconds 10] [--database sqlite]`.

Four hands fetch tokens by client credentials, first alone, then while 64 hands sign in without a pause.  Told are the
rate and latencies of the tokens, how the sign-ins were answered, and the memory of the web processes.
"""

import argparse
import sys
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.achkych import achkych
from tests.bench.flows import Flows
from tests.bench.load import Connection, Tally, load, warm_up
from tests.bench.processes import memory
from tests.bench.provider import WORKERS, Provider
from tests.bench.report import percentile

TOKENS, STORM = 4, 64  # hands


def main() -> int:
    """0 when every token came, and every sign-in was answered with a code or put off."""
    options = _options()
    with (
        TemporaryDirectory(prefix="achkych-bench-") as folder,
        achkych(options.database, Path(folder), STORM) as provider,
    ):
        flows = Flows(provider)
        tokens = flows.turn("client credentials")
        warm_up(tokens, provider.address)
        calm = load(tokens, provider.address, options.seconds, TOKENS)
        _tell("tokens, calm", calm)
        print(f"  memory {_memory(provider)}")
        meanwhile, storm = _storm(flows, provider, options.seconds)
        _tell("tokens, in the storm", meanwhile)
        _tell("sign-ins", storm)
        print(f"  memory {_memory(provider)}")
    put_off = sum("503" in reason for reason in storm.wrong)
    print(f"  {put_off} put off (503), others: {sorted({reason for reason in storm.wrong if '503' not in reason})[:5]}")
    return 1 if calm.wrong or meanwhile.wrong or put_off < len(storm.wrong) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="postgresql")
    return parser.parse_args()


def _storm(flows: Flows, provider: Provider, seconds: float) -> tuple[Tally, Tally]:
    """The tokens and the sign-ins of the same seconds."""
    flows.turn("sign-in")
    found: list[Tally] = []

    def sign_in(connection: Connection, hand: int) -> None:
        flows.sign_in(connection, hand)

    storm = threading.Thread(target=lambda: found.append(load(sign_in, provider.address, seconds, STORM)))
    storm.start()
    meanwhile = load(flows.client_credentials, provider.address, seconds, TOKENS)
    storm.join()
    return meanwhile, found[0]


def _tell(what: str, tally: Tally) -> None:
    p50, p99 = (percentile(tally.latencies, share) * 1000 for share in (0.50, 0.99))
    rate = len(tally.latencies) / tally.seconds
    print(f"{what}: {rate:.0f}/s, p50 {p50:.0f} ms, p99 {p99:.0f} ms, {len(tally.wrong)} others", flush=True)


def _memory(provider: Provider) -> str:
    found = memory(provider.pid, WORKERS)
    return f"{found.workers:.0f} MiB ({found.kind} of {WORKERS} web processes)"


if __name__ == "__main__":
    sys.exit(main())

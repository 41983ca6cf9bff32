"""Whether the time of an answer tells who exists: `python -m tests.bench.timing [--samples 1000] [--database sqlite]`.

Wrong passwords for logins of several kinds, one after another in an order of chance over one connection.  Kinds that are
answered with the same page must also take the same time: the Kolmogorov-Smirnov distance of their times is compared with
what chance gives one time in a thousand.
"""

import argparse
import math
import random
import re
import sys
import time
from bisect import bisect_right
from itertools import combinations, count, islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import sqlalchemy as sa

from idp.app import create_app
from idp.db import db, unit_of_work
from idp.flows.here import Here, at_work
from idp.flows.load_profile import load_profile
from idp.flows.populate import populate
from idp.models import Account, Lockout
from idp.settings import load_settings
from tests.bench.achkych import achkych
from tests.bench.browser import Browser
from tests.bench.load import Connection
from tests.bench.report import percentile

PROFILE = Path(__file__).with_name("orders.toml")
GROUPS = (  # of each the same page
    ("known", "unknown", "closed"),
    ("locking", "locking unknown"),  # the attempt that locks
    ("locked", "locked unknown"),
)
KINDS = tuple(kind for group in GROUPS for kind in group)
ATTEMPTS = {"locking": 3, "locked": 5}  # that were made before
ONE_IN_A_THOUSAND = math.sqrt(-math.log(0.001 / 2) / 2)
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
FRESH = re.compile(TOKEN.pattern + r"|challenge&#34;: &#34;[\w-]+")  # what is new on every page


def main() -> int:
    """0 when nothing is told by time, and each kind of a group is answered alike."""
    options = _options()
    with TemporaryDirectory(prefix="achkych-bench-") as folder:
        profile = Path(folder) / "profile.toml"
        generous = "[rules]\n[rules.throttle]\nwrong = 10000\n"  # every sample comes from one client
        profile.write_text(PROFILE.read_text().replace("[rules]\n", generous, 1))
        with achkych(options.database, Path(folder), profile=str(profile)) as provider:
            logins = _logins(options.samples)
            times = _times(Connection(provider.address), logins)
    for kind in KINDS:
        p95 = percentile(times[kind], 0.95) * 1000
        print(f"{kind:15} median {median(times[kind]) * 1000:.2f} ms, p95 {p95:.2f} ms, {len(times[kind])} samples")
    bound = ONE_IN_A_THOUSAND * math.sqrt(2 / options.samples)
    apart = [(a, b, _distance(times[a], times[b])) for group in GROUPS for a, b in combinations(group, 2)]
    for a, b, distance in apart:
        print(f"{a} and {b}: distance {distance:.3f}, by chance up to {bound:.3f}")
    return 1 if any(distance > bound for *_, distance in apart) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=1000, help="of each kind of login")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    return parser.parse_args()


def _logins(samples: int) -> dict[str, list[str]]:
    """So many logins of each kind, none used twice: the first wrong attempt is compared, and one that finds the lock."""
    app = create_app(load_settings())
    with app.app_context():
        with unit_of_work():
            here = at_work(app.extensions["achkych"], "command")
            load_profile(here)
            mine = sum("unknown" not in kind for kind in KINDS) * samples
            populate(here, mine, "Kumbez, 9 Tash-Rabat")
        with unit_of_work():
            people = sa.select(Account.login).where(Account.login.like("person%"))
            known = iter(db.session.scalars(people).all()[-mine:])
            unknown = (f"nobody{number}" for number in count())
            found = {kind: list(islice(unknown if "unknown" in kind else known, samples)) for kind in KINDS}
            _prepare(here, found)
        db.engine.dispose()
    return found


def _prepare(here: Here, logins: dict[str, list[str]]) -> None:
    db.session.execute(sa.update(Account).where(Account.login.in_(logins["closed"])).values(closes_at=here.now))
    for kind in KINDS:
        attempts = ATTEMPTS.get(kind.removesuffix(" unknown"))
        locked_at = here.now if kind.startswith("locked") else None
        for login in logins[kind] if attempts else ():
            db.session.add(Lockout(login=login, attempts=attempts, last_at=here.now, locked_at=locked_at))


def _times(connection: Connection, logins: dict[str, list[str]]) -> dict[str, list[float]]:
    browser = Browser()
    page = browser.open(connection, "/sign-in").body.decode()
    form = {"csrf_token": TOKEN.findall(page)[0], "password": "Not-the-1-password"}
    order = random.Random(7)
    times: dict[str, list[float]] = {kind: [] for kind in KINDS}
    bodies: dict[str, set[str]] = {kind: set() for kind in KINDS}
    for number in range(len(logins[KINDS[0]])):
        for kind in order.sample(KINDS, len(KINDS)):  # what came before has its share in what an answer takes
            login = logins[kind][number]
            began = time.perf_counter()
            answer = browser.open(connection, "/sign-in", form | {"login": login})
            times[kind].append(time.perf_counter() - began)
            assert answer.status == 401, (kind, login, answer.status)
            bodies[kind].add(FRESH.sub("", answer.body.decode()).replace(login, ""))
    for group in GROUPS:
        assert len(set.union(*(bodies[kind] for kind in group))) == 1, f"the pages of {group} differ"
    return times


def _distance(one: list[float], other: list[float]) -> float:
    """Of Kolmogorov and Smirnov: how far the two distributions are apart at most."""
    a, b = sorted(one), sorted(other)
    return max(abs(bisect_right(a, value) / len(a) - bisect_right(b, value) / len(b)) for value in (*a, *b))


if __name__ == "__main__":
    sys.exit(main())

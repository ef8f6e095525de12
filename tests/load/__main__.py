"""``python -m tests.load --editors 50 --seconds 120 [--kill]``: many planners draw one city at once.

Starts a durable database cluster and the real server of its own, loads the demo city, and lets planners draw on
neighbouring places over the JSON interface: they move shared edges, split and merge, save, propose, approve and return, and
do again what others overtook. Afterwards what they were told is compared with what is stored. With ``--kill`` the server
and the database are killed at random moments meanwhile. Prints a table; the exit status is 1 where a requirement is missed.
"""

from __future__ import annotations

import argparse
import sys

from tests.load.report import P95_MS
from tests.load.running import KILLS, drawn_at_once

SECONDS_A_KILL = 15


def main(arguments: list[str] | None = None) -> int:
    """Run and judge; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--editors", type=int, default=50, help="people who draw; 50 by default")
    parser.add_argument("--seconds", type=float, default=120, help="for how long; 120 by default")
    parser.add_argument(
        "--think", type=float, default=20, help="seconds a person draws and thinks between two things; 20 by default"
    )
    parser.add_argument("--kill", action="store_true", help="kill the server and the database at random moments")
    parser.add_argument("--seed", type=int, default=1, help="of all that is random; 1 by default")
    options = parser.parse_args(arguments)
    n_kills = max(len(KILLS), int(options.seconds / SECONDS_A_KILL)) if options.kill else 0
    outcome = drawn_at_once(
        editors=options.editors,
        seconds=options.seconds,
        think_s=options.think,
        kills=[KILLS[index % len(KILLS)] for index in range(n_kills)],
        seed=options.seed,
    )
    print(outcome.table())
    # While the service comes back from a kill it is slow: times are judged where nothing is killed.
    missed = outcome.missed(is_timed=not options.kill)
    for text in missed[:40]:
        print(f"Missed: {text}", file=sys.stderr)
    judged = "" if options.kill else f", p95 of a save under {P95_MS:.0f} ms"
    print(f"{len(missed)} requirements missed." if missed else f"Nothing lost, all invariants hold{judged}.")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())

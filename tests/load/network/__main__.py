"""``python -m tests.load.network --scale 0.1``: a network of the size of a country, and what its pages take.

Builds an invented country of 31 provinces, 465 counties and 1,395 cities by SQL in a cluster of its own; at scale 1 with
60,000 neighbourhoods, 2 million needs, 400,000 proposals and 500,000 actions; one city has 3,000 needs and 800 actions of its
own beside those of its province. The same seed builds the same network. Then asks for every page of the network once to warm up
and several times more, as each of those who read it, and prints what that takes. The exit status is 1 where an answer takes
longer than 300 ms, or where the database reads a big table from one end to the other for it or puts rows aside on the disk.
"""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import psycopg

from config.cluster import Cluster, throwaway_cluster
from tests.load.network.building import Size, built
from tests.load.service import ROOT, taken_s

MOST_MS: Final = 300.0
STATIC: Final = "django.contrib.staticfiles.storage.StaticFilesStorage"


def main(arguments: list[str] | None = None) -> int:
    """Build, ask and judge; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="part of the country; 1 by default")
    parser.add_argument("--repeats", type=int, default=7, help="how often each page is asked for")
    parser.add_argument("--only", default="", help="ask only for addresses that contain this")
    parser.add_argument(
        "--plans", action="store_true", help="print the plan of each query, not only of slow and wrong ones"
    )
    parser.add_argument(
        "--busy", action="store_true", help="judge by the time of processors: others use the machine meanwhile"
    )
    options = parser.parse_args(arguments)
    cluster = throwaway_cluster()
    with tempfile.TemporaryDirectory(prefix="mahalleh-load-var-") as var:
        os.environ |= {
            "DATABASE_URL": cluster.url(), "DJANGO_SETTINGS_MODULE": "config.settings", "MAHALLEH_VAR": var,
            "MAHALLEH_ENV": "development",
        }  # fmt: skip
        os.environ.pop("MAHALLEH_DEBUG", None)
        try:
            cluster.start()
            cluster.ensure_database()
            prepared(cluster, options.scale)
            return judged(cluster, options)
        finally:
            cluster.wipe()


def prepared(cluster: Cluster, scale: float) -> None:
    """Make the tables and the network, and count its sums."""
    subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, check=True)
    with psycopg.connect(cluster.url(), autocommit=True) as connection:
        timed("Built", lambda: built(connection.execute, Size(scale)))
        timed("Vacuumed", lambda: connection.execute("VACUUM ANALYZE"))
        (size,) = connection.execute("SELECT pg_size_pretty(pg_database_size(current_database()))").fetchone() or ("",)
        print(f"{size} of database.", flush=True)

    import django
    from django.conf import settings

    # Pages name static files, which nobody asks for here: they need not be collected.
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": STATIC}}
    django.setup()
    from interventions.services.tallies import tallies_count

    timed("Counted all sums", tallies_count)


def timed(what: str, do: Callable[[], Any]) -> None:
    """Do something, and print what it took."""
    began = time.monotonic()
    do()
    print(f"{what} in {time.monotonic() - began:.1f} s.", flush=True)


def judged(cluster: Cluster, options: argparse.Namespace) -> int:
    """Ask for everything, print what it takes, and return the exit status."""
    from tests.load.network.asking import clients_made, questions
    from tests.load.network.measuring import distinct, taken
    from tests.load.network.plans import big_tables, described, faults

    importlib.import_module("config.wsgi")  # settles the memory as the service does
    postmaster = int((Path(cluster.data_dir) / "postmaster.pid").read_text().splitlines()[0])
    clients, big, missed = clients_made(), big_tables(), []
    print(f"\n{'wall ms':>8}{'95 %':>7}{'Python':>8}{'databases':>10}{'queries ms':>11}{'n':>5}  page")
    for question in questions():
        address = unquote(question.address)
        if options.only not in address:
            continue
        row = taken(question, clients, lambda: taken_s(postmaster), options.repeats, planned=True)
        name = f"{'POST ' if question.body else ''}{address} · {question.who}"
        print(
            f"{row.wall_ms:8.0f}{row.wall_95_ms:7.0f}{row.python_ms:8.0f}{row.database_ms:10.0f}{row.queries_ms:11.0f}"
            f"{row.queries:5}  {name}",
            flush=True,
        )
        took = row.processors_ms if options.busy else row.wall_ms
        if took > MOST_MS:
            missed.append(f"{name} takes {took:.0f} ms")
        for plan in distinct(row.plans):
            wrong = faults(plan, big)
            missed += [f"{name} {fault}" for fault in wrong]
            if options.plans or wrong or plan.ms > MOST_MS / 6:
                print(
                    f"    {plan.ms:.0f} ms {'; '.join(wrong)} {plan.sql[:1500]}\n{described(plan)}".replace(
                        "\n", "\n    "
                    )
                )
    for miss in missed:
        print(f"Missed: {miss}.", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())

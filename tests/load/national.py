"""``python -m tests.load.national --scale 1``: a whole country on processes, on a Dask cluster, with kills, and city by city.

Starts a database cluster of its own, builds the invented country in it, and has `manage.py national` compute all of it: with
two workers and with one, with workers killed meanwhile, on a Dask cluster of two processes, and city by city in one process.
All must record the same bytes. Prints times, the most memory that all processes had together with the database, and what a
city takes by its size; the exit status is 1 where a requirement is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from analysis.national.processes import worker_environment
from tests.load.service import ROOT, children, families, service, taken_s

COUNTRY = "sample-country"
MOST_S, MOST_GB = 20 * 60, 6.0
LEAST_SPEED_UP = 1.7
"""Of two workers against one, where two processors are free."""
STARTED_S = 2.0
"""Seconds of a processor after which a worker has begun to compute."""
_LOOK_S = 0.5
_BYTES = """
SELECT p.path, r.kind, md5(concat_ws('|', r.parameters, r.inputs, r.input_hash, r.code_version, r.warnings, r.result))
FROM analysis_run AS r JOIN geo_place AS p ON p.id = r.city_id
"""
_OF_NATIONAL = (
    _BYTES
    + """
JOIN analysis_nationalcity AS n ON r.id IN (n.coverage_id, n.priority_id) WHERE n.national_id = %s ORDER BY 1, 2
"""
)
_OF_NOBODY = (
    _BYTES
    + """
WHERE NOT EXISTS (SELECT FROM analysis_nationalcity AS n WHERE r.id IN (n.coverage_id, n.priority_id)) ORDER BY 1, 2
"""
)

Environment = Mapping[str, str]
Digest = list[tuple[str, str, str]]
"""Of each run: city, kind, and a hash of all that it says."""


def digest(url: str, national: int | None) -> Digest:
    """Return what the runs of a national run say; of None, what the runs do that belong to none."""
    with psycopg.connect(url) as connection:
        if national is None:
            return connection.execute(_OF_NOBODY).fetchall()
        return connection.execute(_OF_NATIONAL, [national]).fetchall()


def built(environment: Environment, scale: float) -> None:
    """Build the country in a database, and compile what computes, as `make setup` does, before anything is measured."""
    for command in (["config.compiling"], ["fixtures.country.build", "--scale", str(scale)]):
        subprocess.run([sys.executable, "-m", *command], env=dict(environment), cwd=ROOT, check=True)


def ordered(environment: Environment, *arguments: str, errors: Any = None) -> subprocess.Popen[str]:
    """Start `manage.py national` on the country; it writes JSON to a pipe."""
    command = [sys.executable, "manage.py", "national", COUNTRY, "--json", *arguments]
    return subprocess.Popen(
        command,
        env=dict(environment),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        start_new_session=True,
        # A shell that starts us in the background has us ignore interrupts, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def city_by_city(environment: Environment) -> None:
    """Compute and record every city in one plain process, as the commands of single cities do."""
    code = f"""
import django; django.setup()
from analysis.caching import caches_clear
from analysis.services import coverage_compute, priority_compute, run_record
from geo.errors import MahallehError
from geo.models import Place
from geo.querysets import system_user
for city in Place.objects.filter(kind="city", path__startswith="{COUNTRY}/"):
    try:
        run_record(coverage_compute(city=city, user=system_user()))
        run_record(priority_compute(city=city, user=system_user()))
    except MahallehError as error:
        print(city.code, error)
    caches_clear()
"""
    subprocess.run([sys.executable, "-c", code], env=dict(environment), cwd=ROOT, check=True, stdout=sys.stderr)


@contextmanager
def dask_cluster(environment: Environment, workers: int) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """Start a scheduler and workers of Dask, each a process of its own; gives the address and the workers."""
    with tempfile.TemporaryDirectory(prefix="mahalleh-dask-") as folder:
        file = Path(folder) / "scheduler.json"
        quiet = ["--no-dashboard", "--scheduler-file", str(file)]
        base = [sys.executable, "-m"]
        of_worker = {**environment, **{k: v for k, v in worker_environment().items() if k not in environment}}
        made: list[subprocess.Popen[bytes]] = []

        def start(*command: str) -> subprocess.Popen[bytes]:
            with (Path(folder) / "log").open("ab") as log:
                process = subprocess.Popen(
                    [*base, *command], env=of_worker, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
                )
            made.append(process)
            return process

        try:
            start("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", *quiet)
            until = time.monotonic() + 60
            while not file.exists() or not file.read_text().strip():
                if time.monotonic() > until or made[0].poll() is not None:
                    raise RuntimeError((Path(folder) / "log").read_text())
                time.sleep(0.05)
            address = str(json.loads(file.read_text())["address"])
            one = ("--nthreads", "1", "--no-nanny", "--host", "127.0.0.1", "--local-directory", folder)
            yield (
                address,
                [start("distributed.cli.dask_worker", address, *one, "--no-dashboard") for _ in range(workers)],
            )
        finally:
            for process in made:
                process.kill()
            for process in made:
                process.wait()


# ---- measuring


@dataclass
class Peak:
    """Looks now and then how much memory processes have, those of the database too; shared memory is counted once."""

    roots: Sequence[int]
    gigabytes: float = 0.0
    _is_over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Peak:
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._is_over.wait(_LOOK_S):
            self.gigabytes = max(self.gigabytes, sum(map(_share_gb, families(self.roots))))


def _share_gb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1e6


@dataclass
class Line:
    """What a way of computing the country took."""

    way: str
    seconds: float
    cpu_s: float
    database_s: float
    memory_gb: float
    cities: int
    answer: dict[str, Any]

    def __str__(self) -> str:
        memory = f"{self.memory_gb:6.2f} GB" if self.memory_gb else "        –"
        return f"{self.way:<34} {self.seconds:8.1f} s  {self.cpu_s:8.1f} s  {self.database_s:8.1f} s  {memory}  {self.cities:6,}"


HEAD = f"{'':<34} {'time':>10}  {'processes':>10}  {'database':>10}  {'memory':>9}  cities"


def measured(
    way: str,
    work: Callable[[], tuple[int, dict[str, Any]]],
    postmaster: int,
    beside: Sequence[int] = (),
) -> Line:
    """Do it, and say what it took."""

    def taken() -> float:
        mine = resource.getrusage(resource.RUSAGE_CHILDREN)
        return mine.ru_utime + mine.ru_stime + sum(taken_s(pid) for pid in beside)

    database, began = taken_s(postmaster), time.monotonic()
    before = taken()
    with Peak([os.getpid(), *beside, postmaster]) as peak:
        cities, answer = work()
    cpu = taken() - before
    return Line(way, time.monotonic() - began, cpu, taken_s(postmaster) - database, peak.gigabytes, cities, answer)


def answered(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Wait for the command, and return what it says."""
    out, _ = process.communicate()
    if process.returncode not in (0, 1):
        raise RuntimeError(f"The command ended with status {process.returncode}.")
    told: dict[str, Any] = json.loads(out)
    return told


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    """Return the processes that compute for a command."""
    return [pid for pid in children(process.pid) if b"analysis.national.worker" in _command_line(pid)]


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def killed_now_and_then(process: subprocess.Popen[str], every_s: float, most: int, seed: int = 1) -> int:
    """Kill a worker of a running command now and then; return how many."""
    chosen, killed = random.Random(seed), 0
    while process.poll() is None and killed < most:
        try:
            process.wait(timeout=every_s)
        except subprocess.TimeoutExpired:
            # Those at work: one that is just starting has taken little.
            pids = [pid for pid in workers_of(process) if taken_s(pid) > STARTED_S]
            if pids:
                os.kill(chosen.choice(pids), signal.SIGKILL)
                killed += 1
    return killed


def main(arguments: list[str] | None = None) -> int:
    """Run and judge; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="part of the country; 1 by default")
    parser.add_argument("--workers", type=int, default=2, help="processes; 2 by default, compared with 1")
    parser.add_argument("--only-once", action="store_true", help="compute with so many workers, and nothing else")
    options = parser.parse_args(arguments)
    missed: list[str] = []
    lines: list[Line] = []
    with service() as made:
        url, environment = made.cluster.url(), made.environment
        postmaster = int((made.cluster.data_dir / "postmaster.pid").read_text().splitlines()[0])

        def national(*more: str, kills: float = 0.0) -> tuple[int, dict[str, Any]]:
            process = ordered(environment, "--again", *more, errors=None if sys.stderr.isatty() else subprocess.DEVNULL)
            try:
                if kills:
                    threading.Thread(target=killed_now_and_then, args=(process, kills, 5), daemon=True).start()
                answer = answered(process)
            finally:
                process.kill()
            return answer["computed"] + answer["kept"], answer

        def done(way: str, work: Callable[[], tuple[int, dict[str, Any]]], **more: Any) -> Line:
            line = measured(way, work, postmaster, **more)
            lines.append(line)
            print(line, flush=True)
            return line

        def build() -> tuple[int, dict[str, Any]]:
            built(environment, options.scale)
            with psycopg.connect(url, autocommit=True) as connection:  # or the database tidies up beside the first run
                connection.execute("VACUUM ANALYZE")
                connection.execute("CHECKPOINT")
            return 0, {}

        print(HEAD, flush=True)
        done("building the country", build)
        many = done(f"{options.workers} workers", lambda: national("--workers", str(options.workers)))
        if not options.only_once:
            one = done("1 worker", lambda: national("--workers", "1"))
            kills_s = max(5.0, many.seconds / 6)
            done("2 workers, some killed", lambda: national("--workers", "2", kills=kills_s))
            with dask_cluster(environment, options.workers) as (address, workers):
                done(
                    f"Dask, {options.workers} processes",
                    lambda: national("--scheduler", address),
                    beside=[worker.pid for worker in workers],
                )

            def alone() -> tuple[int, dict[str, Any]]:
                city_by_city(environment)
                return many.cities, {}

            done("city by city, in one process", alone)
            wanted = digest(url, None)
            for line in lines:
                if line.answer and digest(url, line.answer["run"]) != wanted:
                    missed.append(f"{line.way} recorded other bytes than city by city.")
            if not wanted:
                missed.append("Nothing was recorded.")
            speed_up = one.seconds / many.seconds
            print(f"{options.workers} workers are {speed_up:.2f} times as fast as one.")
            if options.scale == 1 and options.workers == 2 and speed_up < LEAST_SPEED_UP:
                missed.append(f"Two workers should be {LEAST_SPEED_UP} times as fast as one.")
        for line in lines:
            if line.answer and line.answer["problems"]:
                missed.append(f"{line.way}: {line.answer['problems'][0]}")
        if many.seconds > MOST_S:
            missed.append(f"It took more than {MOST_S / 60:.0f} minutes.")
        if many.memory_gb > MOST_GB:
            missed.append(f"It took more than {MOST_GB} GB.")
    print(
        "\nWhat a city takes:\nbelow cells  cities      cells  places  seconds  processor s  of a million cells  memory MB"
    )
    for row in many.answer["sizes"]:
        print(
            f"{row['below'] or 'larger':>11}  {row['cities']:6,}  {row['cells']:9,.0f}  {row['places']:6,.0f}  {row['seconds']:7.2f}  "
            f"{row['cpu_seconds']:11.2f}  {row['cpu_seconds_a_million_cells']:18.1f}  {row['memory_mb']:9,.0f}"
        )
    for text in missed:
        print(f"Missed: {text}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())

"""One run: the city is loaded, people draw, the service is killed where asked, and everything is compared afterwards."""

from __future__ import annotations

import json
import math
import multiprocessing
import os
import random
import threading
import time
from collections.abc import Sequence
from typing import Any, Final

import psycopg

from tests.load.editors import OPENING_S, Task, run
from tests.load.report import Outcome
from tests.load.service import Service, service

THREADS: Final = 13
"""Editors of one process: more, and they would wait for each other rather than for the service."""

KILLS: Final = ("server", "database", "database at once")

_TWICE: Final = """
SELECT a.place_id, a.id, b.id FROM geo_boundary AS a JOIN geo_boundary AS b
ON a.place_id = b.place_id AND a.id < b.id AND a.valid && b.valid
WHERE a.status = 'approved' AND b.status = 'approved'
"""


def drawn_at_once(
    *, editors: int, seconds: float, think_s: float, kills: Sequence[str] = (), seed: int = 1, homes: int | None = None
) -> Outcome:
    """Let people draw for some time.

    Parameters
    ----------
    editors : int
        How many people.
    seconds : float
        For how long they begin new things.
    think_s : float
        How long a person draws and thinks between two things, on average.
    kills : sequence of str
        What to kill, one after another at random moments, of `KILLS`.
    seed : int
        Of all that is random.
    homes : int, optional
        Around how many places of the city's middle they draw; as many as people if None.
    """
    with service() as made:
        began = made.asked("tests.load.city", str(editors))
        made.serve()
        rng = random.Random(seed)
        cpu_s = made.cpu_s()
        begin = time.monotonic() + 2.0 + OPENING_S * editors
        tasks = _tasks(made, began, editors, think_s, begin, begin + seconds, seed, homes or editors)
        context = multiprocessing.get_context("spawn")
        proposals, handed_over, told = context.Queue(), context.Queue(), context.Queue()
        processes = [context.Process(target=run, args=(task, proposals, handed_over, told)) for task in tasks]
        for process in processes:
            process.start()
        watch = Watch(made)
        watch.start()
        outages = _killed(made, kills, begin, seconds, rng)
        records, faults = [], []
        for _ in processes:
            found, broken = told.get(timeout=seconds + 180)
            records += found
            faults += broken
        for process in processes:
            process.join(timeout=60)
        watch.stop()
        taken_s = made.cpu_s()
        cpu_s = (taken_s[0] - cpu_s[0], taken_s[1] - cpu_s[1])
        made.stop_server()
        file = made.var / "told.json"
        file.write_text(json.dumps({"began": began, "records": records}))
        checked = made.asked("tests.load.checking", str(file))
        return Outcome(
            seconds, began, records, faults, outages, watch.seen, watch.looks, checked, cpu_s, os.getloadavg()[0],
            made.server_log.read_text(errors="replace"), made.cluster.log_file.read_text(errors="replace"),
        )  # fmt: skip


def _tasks(
    made: Service,
    began: dict[str, Any],
    editors: int,
    think_s: float,
    begin: float,
    until: float,
    seed: int,
    homes: int,
) -> list[Task]:
    n_processes = math.ceil(editors / THREADS)
    return [
        Task(
            address=made.address,
            city=began["city"],
            people=tuple(began["sessions"][first::n_processes]),
            numbers=tuple(range(first, editors, n_processes)),
            n_homes=homes,
            think_s=think_s,
            begin=begin,
            until=until,
            seed=seed,
        )
        for first in range(n_processes)
    ]


def _killed(
    made: Service, kills: Sequence[str], begin: float, seconds: float, rng: random.Random
) -> list[tuple[float, float, str]]:
    """Kill one thing after another, each at a random moment of its share of the time, and bring it back."""
    outages = []
    share = seconds / max(len(kills), 1)
    for index, what in enumerate(kills):
        time.sleep(max(0.0, begin + share * (index + rng.uniform(0.2, 0.7)) - time.monotonic()))
        down = time.monotonic()
        if what == "server":
            made.kill_server()
            time.sleep(rng.uniform(0.1, 1.0))
            made.serve()
        else:
            made.kill_database(is_immediate=what == "database at once")
            time.sleep(rng.uniform(0.1, 1.0))
            made.start_database()
            made.wait_until_it_answers()
        outages.append((down, time.monotonic(), what))
    return outages


class Watch(threading.Thread):
    """Looks again and again for two approved editions of one place at one moment."""

    def __init__(self, made: Service) -> None:
        super().__init__(daemon=True)
        self.made = made
        self.seen: list[str] = []
        self.looks = 0
        self.is_over = threading.Event()

    def run(self) -> None:
        """Look every second; while the database is away there is nothing to see."""
        while not self.is_over.wait(1.0):
            try:
                with psycopg.connect(self.made.cluster.url()) as connection:
                    self.seen += [f"place {p}, editions {a} and {b}" for p, a, b in connection.execute(_TWICE)]
                self.looks += 1
            except psycopg.OperationalError:
                continue

    def stop(self) -> None:
        """Look no more."""
        self.is_over.set()
        self.join()

"""What answers take: time of the clock and of processors, queries, and the database's own time for them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.load.network.asking import Question
from tests.load.network.plans import Plan, explained, queries_of, shape_of


@dataclass(frozen=True, slots=True)
class Taken:
    """What one question takes.

    Attributes
    ----------
    wall_ms, wall_95_ms
        Of the clock: the median, and what 95 of 100 stay below.
    python_ms, database_ms
        Of a processor, without waiting for others who use the machine: in this process, and in the database's on average.
    queries
        How many queries it takes, those included that write.
    plans
        Of the queries that read.
    """

    question: Question
    wall_ms: float
    wall_95_ms: float
    python_ms: float
    database_ms: float
    queries: int
    plans: tuple[Plan, ...] = ()

    @property
    def processors_ms(self) -> float:
        """Of processors altogether."""
        return self.python_ms + self.database_ms

    @property
    def queries_ms(self) -> float:
        """What the database says that its answers took."""
        return sum(plan.ms for plan in self.plans)


def taken(
    question: Question, clients: Mapping[str, Client], database_s: Callable[[], float], repeats: int, *, planned: bool
) -> Taken:
    """Ask once to warm up, several times to measure, and once more for the plans.

    Parameters
    ----------
    database_s
        Gives the seconds of a processor that the database has taken since it was started.
    planned
        Whether to ask for plans; that takes as long as the queries do, once more.
    """
    queries = queries_asked(question, clients)
    walls, pythons, databases = [], [], []
    for _ in range(repeats):
        question.before()
        began, python, database = time.perf_counter(), time.process_time(), database_s()
        question.asked(clients)
        walls.append((time.perf_counter() - began) * 1000)
        pythons.append((time.process_time() - python) * 1000)
        databases.append((database_s() - database) * 1000)
    return Taken(
        question=question,
        wall_ms=statistics.median(walls),
        wall_95_ms=statistics.quantiles(walls, n=20, method="inclusive")[-1] if repeats > 1 else walls[0],
        python_ms=statistics.median(pythons),
        database_ms=statistics.mean(databases),
        queries=len(queries),
        plans=tuple(explained(sql) for sql in queries_of(queries)) if planned else (),
    )


def queries_asked(question: Question, clients: Mapping[str, Client]) -> list[dict[str, str]]:
    """Ask once and return the queries that it takes."""
    question.before()
    with CaptureQueriesContext(connection) as asked:
        question.asked(clients)
    return list(asked.captured_queries)


def distinct(plans: tuple[Plan, ...]) -> list[Plan]:
    """Return of plans of like queries the one that took longest."""
    longest: dict[str, Plan] = {}
    for plan in plans:
        shape = shape_of(plan.sql)
        if shape not in longest or plan.ms > longest[shape].ms:
            longest[shape] = plan
    return list(longest.values())

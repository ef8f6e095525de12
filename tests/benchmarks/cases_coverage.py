"""Coverage from the database to the result: with empty caches, after a threshold changed, after a weight changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import numpy as np
import pandas as pd

from analysis.caching import caches_clear
from analysis.core.coverage import Coverage
from analysis.reference import area_shares_exact
from analysis.results import Question
from analysis.services import coverage_compute, priority_compute
from geo.querysets import system_user
from tests.benchmarks import peers_geopandas, peers_postgis
from tests.benchmarks.measuring import Report, Row, fastest, interleaved_ms
from tests.benchmarks.question import Asked, asked, city

MOST_OFF_ON_AVERAGE = 0.002
"""Beyond this two methods would have computed different things. (A circle of 32 straight pieces, the peers' default, lies
up to 0.5 % inside the true one: 12 m at 2,500 m, so that single shares of small places differ by some percentage points.)"""


def coverage_cases(report: Report, runs: int, services: tuple[str, ...] = ()) -> None:
    """Measure full coverage, a changed threshold and a changed weight against PostGIS and geopandas."""
    question = Question(services=services)
    everything = asked(question)
    size = f"{len(everything.editions)} × {len(everything.services)}"
    ours = fully(question)
    expected = ours().area_share

    statements = {
        name: _checked(lambda name=name: peers_postgis.area_shares(name, everything), expected)
        for name in peers_postgis.COVERAGE
    }
    once = interleaved_ms(statements, 1)
    best_statement = fastest(once)
    report.note("PostGIS, once each: " + ", ".join(f"{name} {ms:,.0f} ms" for name, ms in once.items()))

    exact = area_shares_exact(city=city(), user=system_user(), question=question)
    theirs = peers_postgis.area_shares(best_statement, everything)
    for name, shares in (("ours", expected), ("the peers, with 8 segments a quarter circle", theirs)):
        off = np.abs(shares - exact) * 100
        report.note(
            f"Off the exact shares, {name}: {off.max():.2f} percentage points at most, {off.mean():.3f} on average"
        )

    frames = {
        name: _checked(lambda name=name: peers_geopandas.area_shares(name, everything), expected)
        for name in peers_geopandas.METHODS
    }
    times = interleaved_ms({"ours": ours, best_statement: statements[best_statement], **frames}, runs)
    best_frame = fastest({name: times[name] for name in frames})
    better = fastest({name: times[name] for name in (best_statement, best_frame)})
    labels = {best_statement: f"PostGIS {best_statement}", **{name: f"geopandas, by {name}" for name in frames}}
    for name, label in labels.items():
        required = 2.0 if name == better else None
        report.add(Row("full coverage, caches empty", size, times["ours"], label, times[name], runs, required))

    _threshold(report, runs, question, everything, size, times[better], labels[better])
    _weight(report, runs, question, size)


def fully(question: Question) -> Callable[[], Coverage]:
    """Return a job that computes coverage from the database with nothing remembered."""
    place, user = city(), system_user()

    def job() -> Coverage:
        caches_clear()
        return coverage_compute(city=place, user=user, question=question).values

    return job


def _checked(job: Callable[[], np.ndarray], expected: np.ndarray) -> Callable[[], np.ndarray]:
    """Return the job with its answer compared with ours."""

    def checked() -> np.ndarray:
        shares = job()
        off = np.abs(shares - expected).mean()
        assert off < MOST_OFF_ON_AVERAGE, f"The peer computed something else: {off:.4f} off on average."
        return shares

    return checked


def _threshold(
    report: Report, runs: int, question: Question, everything: Asked, size: str, full_ms: float, full_label: str
) -> None:
    place, user = city(), system_user()
    metres = _new_numbers(everything.services[0][2])
    for code, case in _examples(everything):

        def ours(code: str = code) -> None:
            changed = Question(thresholds_m={code: next(metres)}, services=question.services)
            priority_compute(city=place, user=user, question=changed)

        only = everything.only(code)
        places, features = peers_geopandas.tables(only)

        def recompute(code: str = code) -> None:
            peers_geopandas.shares_by_arrays(places, features, only.changed(code, next(metres)))  # noqa: B023

        priority_compute(city=place, user=user, question=question)
        times = interleaved_ms({"ours": ours, "peer": recompute}, max(runs, 3))
        report.add(
            Row(
                f"threshold of {code} changed, all ranked",
                size,
                times["ours"],
                f"{full_label}, in full",
                full_ms,
                runs,
                50.0,
            )
        )
        report.add(Row(case, size, times["ours"], "geopandas, that service alone, in memory", times["peer"], runs))


def _examples(everything: Asked) -> list[tuple[str, str]]:
    """Return a service of few points, and one of many lines where there is one, with the names of their cases."""
    codes = [code for code, _, _ in everything.services]
    chosen = [codes[0], *(code for code in codes if code == "water")]
    return [(code, f"  the same, {code} alone by the peer") for code in chosen]


def _new_numbers(start: float) -> Iterator[float]:
    """Give thresholds that were never asked before, so that no answer is remembered."""
    return count(start + 1.0, 1.0)


def _weight(report: Report, runs: int, question: Question, size: str) -> None:
    place, user = city(), system_user()
    covered = coverage_compute(city=place, user=user, question=question)
    codes = [service.code for service in covered.services]
    table = pd.DataFrame(1.0 - covered.values.population_share, columns=codes)
    numbers = count(2.0, 0.01)

    def ours() -> None:
        weighted = Question(weights={codes[0]: next(numbers)}, services=question.services)
        priority_compute(city=place, user=user, question=weighted)

    def peer() -> pd.Series:
        weights = pd.Series(1.0, index=codes)
        weights[codes[0]] = next(numbers)
        score = table.mul(weights, axis=1).sum(axis=1) / (table.notna() * weights).sum(axis=1)
        return score.rank(ascending=False, method="min")

    times = interleaved_ms({"ours": ours, "peer": peer}, max(runs, 9))
    report.add(
        Row(
            f"weight of {codes[0]} changed, all ranked",
            size,
            times["ours"],
            "pandas, table of shares in memory",
            times["peer"],
            runs,
        )
    )

"""Coverage from the database to the result: with empty caches, after a threshold changed, after a weight changed."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import shapely

from analysis.caching import caches_clear
from analysis.core.coverage import Coverage
from analysis.reference import area_shares_exact
from analysis.results import Question
from analysis.selectors import facilities_read
from analysis.services import coverage_compute, priority_compute
from geo.querysets import system_user
from layers.models import Supply
from layers.reading import ReadingOptions, reading
from layers.services import release_create
from tests.benchmarks import peers_geopandas, peers_postgis
from tests.benchmarks.measuring import Report, Row, fastest, interleaved_ms
from tests.benchmarks.question import Asked, asked, city, people_file

MOST_OFF_ON_AVERAGE = 0.002
"""Beyond this two methods would have computed different things. (A circle of 32 straight pieces, the peers' default, lies
up to 0.5 % inside the true one: 12 m at 2,500 m, so that single shares of small places differ by some percentage points.)"""


def coverage_cases(report: Report, runs: int, services: tuple[str, ...] = ()) -> None:
    """Measure full coverage, a changed threshold and a changed weight against PostGIS and geopandas."""
    question = Question(services=services)
    everything = asked(question)
    size = f"{len(everything.editions)} × {len(everything.services)}"
    better_ms, label = full_cases(report, runs, question, "full coverage, caches empty", size, required=3.0)
    area_cases(report, runs, question, size, is_exact_told=True)
    _threshold(report, runs, question, everything, size, better_ms, label)
    _weight(report, runs, question, size)


def full_cases(
    report: Report, runs: int, question: Question, case: str, size: str, *, required: float
) -> tuple[float, str]:
    """Measure full coverage, land and people, from empty caches against PostGIS and against geopandas with exactextract.

    Parameters
    ----------
    required
        How many times as fast as the better of the two it must be.

    Returns
    -------
    tuple
        The milliseconds of the better peer, and what it is called.
    """
    everything, people = asked(question), people_file()
    ours = fully(question)
    expected = ours()
    shares = (expected.area_share, expected.population_share)
    # What is loaded once and for all is no part of a peer's time, as it is none of ours.
    peers_postgis.people_stored(people, everything.epsg)
    peers = {
        "PostGIS": _checked(lambda: peers_postgis.area_and_people_shares(everything), shares),
        "geopandas, exactextract": _checked(lambda: peers_geopandas.area_and_people_shares(everything, people), shares),
    }
    once = interleaved_ms(peers, 1)
    better = fastest(once)
    times = interleaved_ms({"ours": ours, better: peers[better]}, runs)
    for name, ms in {**once, better: times[better]}.items():
        of_runs, least = (runs, required) if name == better else (1, None)
        report.add(Row(case, size, times["ours"], name, ms, of_runs, least))
    return times[better], better


def area_cases(
    report: Report,
    runs: int,
    question: Question,
    size: str,
    *,
    statements_of: tuple[str, ...] = peers_postgis.COVERAGE,
    is_exact_told: bool = False,
) -> None:
    """Measure full coverage against peers that leave out the people: every way of PostGIS and geopandas.

    Parameters
    ----------
    statements_of
        Files of PostGIS statements; the fastest is compared with.
    is_exact_told
        Whether to compute the exact shares, which takes long, and tell how far off everybody is.
    """
    everything = asked(question)
    ours = fully(question)
    expected = ours().area_share
    statements = {
        name: _checked(lambda name=name: (peers_postgis.area_shares(name, everything),), (expected,))
        for name in statements_of
    }
    once = interleaved_ms(statements, 1)
    best_statement = fastest(once)
    report.note("PostGIS, once each: " + ", ".join(f"{name} {ms:,.0f} ms" for name, ms in once.items()))

    if is_exact_told:
        exact = area_shares_exact(city=city(), user=system_user(), question=question)
        theirs = peers_postgis.area_shares(best_statement, everything)
        for name, shares in (("ours", expected), ("the peers, with 8 segments a quarter circle", theirs)):
            off = np.abs(shares - exact) * 100
            report.note(
                f"Off the exact shares, {name}: {off.max():.2f} percentage points at most, {off.mean():.3f} on average"
            )

    frames = {
        name: _checked(lambda name=name: (peers_geopandas.area_shares(name, everything),), (expected,))
        for name in peers_geopandas.METHODS
    }
    times = interleaved_ms({"ours": ours, best_statement: statements[best_statement], **frames}, runs)
    labels = {best_statement: f"PostGIS {best_statement}", **{name: f"geopandas, by {name}" for name in frames}}
    for name, label in labels.items():
        report.add(Row("  land alone by the peer", size, times["ours"], label, times[name], runs))


def dense_cases(report: Report, runs: int, times: int = 16) -> None:
    """Measure full coverage with many times the facilities in the same city, where the peers' polygons blow up.

    Every layer that supplies a service gets a new release in which each facility and main is there so many times, a few
    hundred metres apart; later cases find them so.
    """
    rng = np.random.default_rng(16)
    services = []
    with tempfile.TemporaryDirectory() as folder:
        for supply in Supply.objects.filter(city=city()).select_related("layer", "service"):
            services.append(supply.service.code)
            newest = supply.layer.releases.order_by("-number").first()
            shapes = facilities_read(newest.pk, supply.where)
            moved = np.concatenate([_shifted(shapes, rng) for _ in range(times)])
            path = Path(folder) / f"{supply.layer.code}.fgb"
            geopandas.GeoDataFrame(geometry=moved, crs=4326).to_file(path, driver="FlatGeobuf")
            with reading(path, ReadingOptions()) as file:
                release_create(layer=supply.layer, reading=file)
    question = Question(services=tuple(services))
    everything = asked(question)
    size = f"{len(everything.editions)} × {len(everything.services)}, × {times} as dense"
    full_cases(report, runs, question, "full coverage, caches empty, dense", size, required=10.0)


def _shifted(shapes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Move every shape by up to some 300 m, each its own way."""
    off = rng.uniform(-0.003, 0.003, (len(shapes), 2))
    _, shape = shapely.get_coordinates(shapes, return_index=True)
    return np.asarray(shapely.transform(shapes.copy(), lambda xy: xy + off[shape]))


def fully(question: Question) -> Callable[[], Coverage]:
    """Return a job that computes coverage from the database with nothing remembered."""
    place, user = city(), system_user()

    def job() -> Coverage:
        caches_clear()
        return coverage_compute(city=place, user=user, question=question).values

    return job


def _checked(
    job: Callable[[], tuple[np.ndarray, ...]], expected: tuple[np.ndarray, ...]
) -> Callable[[], tuple[np.ndarray, ...]]:
    """Return the job with its tables compared with ours."""

    def checked() -> tuple[np.ndarray, ...]:
        found = job()
        for theirs, ours in zip(found, expected, strict=True):
            off = np.nanmean(np.abs(theirs - ours))
            assert off < MOST_OFF_ON_AVERAGE, f"The peer computed something else: {off:.4f} off on average."
        return found

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

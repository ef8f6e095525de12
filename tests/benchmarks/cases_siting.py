"""Sites for 2,000 demand points among 200: maximal covering against spopt, and what is proven of a median in five seconds."""

from __future__ import annotations

import math
import warnings
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import pulp  # type: ignore[import-untyped]

from analysis.core.siting.columns import Floats
from analysis.core.siting.covering import maximal_covering
from analysis.core.siting.median import p_median
from analysis.core.siting.question import question_of
from tests.benchmarks.measuring import Report, Row

REQUIRED = 5.0
PEER_LIMIT_S = 60.0
MEDIAN_LIMIT_S = 5.0
MEDIAN_GAP = 0.01

#: Parts of the side of the square: within the first circles hardly overlap, within the second they do.
THRESHOLDS = {"siting: maximal covering": 0.1, "siting: maximal covering, wide": 0.15}


def siting_cases(report: Report, runs: int, points: int = 2_000, sites: int = 200, p: int = 10) -> None:
    """Measure points and sites thrown on a square, straight-line costs.

    Parameters
    ----------
    report
        Where the rows go.
    runs
        Interleaved runs of each; the median is asked for once.
    points, sites, p
        How many, and how many sites are chosen.
    """
    people, costs = square(points, sites)
    size = f"{points:,} × {sites:,}, p = {p}"
    # Once before, so that nothing is compiled while it is timed.
    maximal_covering(question_of(people, costs), 0.05, sites=p)
    for case, threshold in THRESHOLDS.items():
        ours: list[float] = []
        theirs: list[float] = []
        for _ in range(runs):
            started = perf_counter()
            found = maximal_covering(question_of(people, costs), threshold, sites=p)
            ours.append((perf_counter() - started) * 1000)
            started = perf_counter()
            value, is_proven = _by_spopt(people, costs, threshold, p)
            theirs.append((perf_counter() - started) * 1000)
            assert found.status == "optimal"
            if is_proven:
                assert math.isclose(found.value, value, rel_tol=1e-6), "The peer computed something else."
        if not is_proven:
            report.note(f"{case}: the peer was cut off after {PEER_LIMIT_S:g} s.")
        report.add(Row(case, size, median(ours), "spopt MCLP, CBC", median(theirs), runs, REQUIRED))
    started = perf_counter()
    best = p_median(question_of(people, costs), sites=p, time_limit_s=MEDIAN_LIMIT_S)
    report.add(Row("siting: p-median, 5 s", size, (perf_counter() - started) * 1000, "none", None, 1))
    report.note(
        f"p-median: {best.status}, gap {best.gap:.2%} after {MEDIAN_LIMIT_S:g} s at most; {MEDIAN_GAP:.0%} is required."
    )
    assert best.gap <= MEDIAN_GAP or not report.is_judged, "The median's gap is larger than it may be."


def square(points: int, sites: int, seed: int = 1) -> tuple[Floats, Floats]:
    """Return people and costs in parts of the side of a square."""
    rng = np.random.default_rng(seed)
    at, site = rng.random((points, 2)), rng.random((sites, 2))
    return np.round(rng.gamma(2, 20, points)), np.hypot(*(at[:, None] - site).transpose(2, 0, 1))


def _by_spopt(people: Floats, costs: Floats, threshold: float, p: int) -> tuple[float, bool]:
    """Return the value that spopt finds, and whether its solver was done before it was cut off."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from spopt.locate import MCLP  # type: ignore[import-untyped]

        model: Any = MCLP.from_cost_matrix(costs, people, threshold, p_facilities=p)
        started = perf_counter()
        # Without the lists of who is served where, which we make, too, but spopt makes slowly.
        model = model.solve(pulp.PULP_CBC_CMD(msg=False, timeLimit=PEER_LIMIT_S), results=False)
    return float(model.problem.objective.value()), perf_counter() - started < PEER_LIMIT_S


__all__ = ["siting_cases", "square"]

"""A portfolio of 300 proposals for 20,000 units of demand against the same question put to HiGHS as textbooks write it."""

from __future__ import annotations

import math
from statistics import median
from time import perf_counter

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from interventions.core.portfolio import Demand, Rules, portfolio
from tests.benchmarks.measuring import Report, Row

PEER_LIMIT_S = 30.0
REQUIRED = 5.0


def portfolio_cases(report: Report, runs: int, proposals: int = 300, units: int = 20_000) -> None:
    """Measure a tenth of the money that all proposals would take, their circles overlapping five- to sixfold.

    Parameters
    ----------
    report
        Where the rows go.
    runs
        Interleaved runs of each.
    proposals, units
        How many; the circles have the same size however many there are.
    """
    costs, demand = city(proposals, units)
    rules = Rules(sum(costs) // 10)
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(runs):
        started = perf_counter()
        found = portfolio(costs, demand, rules)
        ours.append((perf_counter() - started) * 1000)
        started = perf_counter()
        value, is_proven = _as_in_textbooks(costs, demand, rules)
        theirs.append((perf_counter() - started) * 1000)
        if found.status == "optimal" and is_proven:
            assert math.isclose(found.value, value, rel_tol=1e-6), "The peer computed something else."
    report.note(
        f"portfolio: {len(found.chosen)} chosen, {found.status}, gap {found.gap:.1e}; the peer's is "
        f"{'proven' if is_proven else f'not proven after {PEER_LIMIT_S:g} s'}."
    )
    size = f"{proposals:,} for {units:,}"
    report.add(
        Row("portfolio", size, median(ours), "scipy milp, a column each unit", median(theirs), runs, REQUIRED)
    )  # fmt: skip


def city(proposals: int, units: int, seed: int = 1) -> tuple[list[int], Demand]:
    """Return costs in rials, and circles thrown on a square of people."""
    rng = np.random.default_rng(seed)
    people_at, at = rng.random((units, 2)), rng.random((proposals, 2))
    radius = rng.uniform(0.04, 0.08, proposals)
    unit, proposal = np.nonzero(((people_at[:, None] - at) ** 2).sum(axis=2) <= radius**2)
    costs = [int(cost) for cost in rng.lognormal(0, 0.8, proposals) * 2e11]
    people, priority = rng.gamma(2, 20, units), rng.uniform(0.5, 3.0, units)
    return costs, Demand(proposal, unit, np.ones(unit.size), people, priority)


def _as_in_textbooks(costs: list[int], demand: Demand, rules: Rules) -> tuple[float, bool]:
    """A whole column and a row for each unit; return the value, and whether it is proven to be the best."""
    n, m = len(costs), np.asarray(demand.people).size
    weights = np.asarray(demand.people) * np.asarray(demand.priority)
    serves = sparse.csr_array((np.ones(np.asarray(demand.unit).size), (demand.unit, demand.proposal)), shape=(m, n))
    money = sparse.csr_array(np.array([cost / rules.budget_irr for cost in costs] + [0.0] * m)[None])
    answer = milp(
        np.r_[np.zeros(n), -weights],
        integrality=np.ones(n + m),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(
            sparse.vstack([sparse.hstack([-serves, sparse.eye_array(m)]), money]).tocsr(),
            -np.inf,
            np.r_[np.zeros(m), 1],
        ),
        options={"time_limit": PEER_LIMIT_S, "mip_rel_gap": 0.0},
    )
    return -float(answer.fun) if answer.x is not None else 0.0, answer.status == 0


__all__ = ["city", "portfolio_cases"]

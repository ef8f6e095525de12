"""The best choice of an allocation: interchange for the value, Lagrangian bounds for the proof, exact search for the rest."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from analysis.core.siting.allocation import Allocation, allocation_of, cost_of, is_affordable, shrunk
from analysis.core.siting.branch import branched
from analysis.core.siting.columns import Booleans
from analysis.core.siting.interchange import improved
from analysis.core.siting.lagrangian import ascend, begin, ruled_out
from analysis.core.siting.radius import by_solver
from analysis.core.siting.solver import now

#: Turns of the bound between two looks at what they have shown.
_TURNS: Final = 50

#: The interchange starts again from choices of which a third was exchanged at random, until so many in a row bring nothing.
_KICKS: Final = 60

#: Questions with so few offers are left to HiGHS; branching is faster for larger ones.
_SMALL: Final = 3_000

#: A choice is the best, in floating point, if the bound is so near.
_EQUAL: Final = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A choice and what is proven of it.

    Attributes
    ----------
    is_open
        Shape ``(sites,)``.
    value
        What the rows pay; infinite if no choice was found that serves all that must be.
    bound
        No choice makes them pay less.
    """

    is_open: Booleans
    value: float
    bound: float


def search(asked: Allocation, deadline: float, seed: int = 0, start: Booleans | None = None) -> Found:
    """Find the choice for which the rows pay least.

    Parameters
    ----------
    asked
        The question.
    deadline
        In seconds of `time.monotonic`. Only where it is reached does the answer depend on the machine.
    seed
        Of the exchanges at random.
    start
        Shape ``(sites,)``: a choice within the limits to begin with, or None. Needed where rows must be served.
    """
    nothing = np.zeros(asked.n_sites, np.bool_)
    if not asked.most or not asked.site.size:
        cost = cost_of(asked, nothing)
        return Found(nothing, cost, cost)
    best, value = _first(asked, deadline, seed, start)
    ascent = begin(asked, best)
    while now() < deadline and not ascent.is_stuck:
        ascend(asked, ascent, value, _TURNS)
        if is_affordable(asked, ascent.picked):
            candidate = improved(asked, ascent.picked)[1]
            cost = cost_of(asked, candidate)
            if cost < value:
                best, value = candidate, cost
        if ascent.bound >= value * (1 - _EQUAL):
            return Found(best, value, min(ascent.bound, value))
    if now() >= deadline or not math.isfinite(value):
        return Found(best, value, ascent.bound)
    # Only better choices are looked for from here on: what cannot be part of one is left out.
    offers = ~ruled_out(asked, ascent, value)[2]
    row = np.repeat(np.arange(asked.fallback.size), np.diff(asked.first))
    has = np.bincount(row[offers], minlength=asked.fallback.size) > 0
    left, paid = shrunk(asked, np.ones(asked.n_sites, np.bool_), np.zeros(0, np.int64), offers)
    if left.site.size <= _SMALL:
        solved, bound = by_solver(left, deadline)
        candidate = best if solved is None else solved
    else:
        ascent.prices, ascent.bound = ascent.prices[has], ascent.bound - paid
        candidate, _, bound = branched(left, ascent, best, value - paid, deadline)
    cost = cost_of(asked, candidate)
    if is_affordable(asked, candidate) and cost < value:
        best, value = candidate, cost
    return Found(best, value, min(max(ascent.bound, bound + paid), value))


@cache
def warm() -> None:
    """Have everything compiled before a clock starts: the first time ever takes longer than a search may."""
    row, site = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    for budget in (None, 3):
        asked = allocation_of(row, site, np.arange(4.0), np.array([5.0, 5.0]), np.array([1, 2]), 1, budget)
        search(asked, math.inf)


def _first(asked: Allocation, deadline: float, seed: int, start: Booleans | None) -> tuple[Booleans, float]:
    """Greed and interchange, again and again from choices of which a part is exchanged at random."""
    nothing = np.zeros(asked.n_sites, np.bool_)
    best, value = (nothing, cost_of(asked, nothing)) if start is None else (start, cost_of(asked, start))
    for begun in [nothing] if start is None else [start, nothing]:
        for per_price in (False, True) if asked.budget >= 0 else (False,):
            greedy = improved(asked, begun, swaps=False, per_price=per_price)[1]
            candidate = improved(asked, greedy)[1]
            cost = cost_of(asked, candidate)
            if cost < value:
                best, value = candidate, cost
    random = np.random.default_rng(seed)
    in_vain = 0
    while in_vain < _KICKS and now() < deadline:
        chosen, others = np.flatnonzero(best), np.flatnonzero(~best)
        if not chosen.size or not others.size:
            break
        candidate = best.copy()
        closed = random.choice(chosen, max(chosen.size // 3, 1), replace=False)
        candidate[closed] = False
        for j in random.choice(others, min(closed.size, others.size), replace=False):
            candidate[j] = True
            candidate[j] = is_affordable(asked, candidate)
        candidate = improved(asked, candidate)[1]
        cost = cost_of(asked, candidate)
        in_vain += 1
        if cost < value:
            best, value, in_vain = candidate, cost, 0
    return best, value


__all__ = ["Found", "search", "warm"]

"""HiGHS [@huangfu2018]: what it is asked, what it found, and what it proved until it was cut off."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from analysis.core.siting.columns import Booleans, Floats, Int64
from geo.errors import InvalidInput

_SOLVED: Final = 0
_INFEASIBLE: Final = 2
#: The solver proves gaps of so much in its own unit; the whole is told as a thousand of it.
_WHOLE: Final = 1000.0

#: Limits of so many units of money at most are told in whole units, which the solver's tolerance cannot blur.
_MOST_UNITS: Final = 10_000

#: How often a choice that only the solver's tolerance allows is forbidden and another one asked for.
_MOST_CUTS: Final = 50


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What the solver says.

    Attributes
    ----------
    x
        The best it found, or None.
    bound
        No solution costs less; infinite if there is none at all, minus infinity if nothing was proven.
    is_infeasible
        It is proven that there is no solution.
    """

    x: Floats | None
    bound: float
    is_infeasible: bool


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows of a linear programme: least ≤ matrix · x ≤ most."""

    matrix: Any
    least: Floats
    most: Floats


def ask(
    cost: Floats, is_whole: Booleans, lowest: Floats, highest: Floats, rows: list[Rows], time_limit_s: float
) -> Answer:
    """Minimise a linear cost.

    Parameters
    ----------
    cost
        Shape ``(x,)``, zero or of any sign.
    is_whole
        Shape ``(x,)``: which of them are whole numbers.
    lowest, highest
        Shape ``(x,)``.
    rows
        What must hold.
    time_limit_s
        Seconds.
    """
    if not cost.size:
        is_met = all((r.least <= 0).all() and (r.most >= 0).all() for r in rows)
        return Answer(np.zeros(0), 0.0, False) if is_met else Answer(None, math.inf, True)
    if time_limit_s <= 0:
        return Answer(None, -math.inf, False)
    scale = float(np.abs(cost).sum()) or 1.0
    kept = [r for r in rows if r.matrix.shape[0]]
    constraints = LinearConstraint(
        sparse.vstack([sparse.csr_array(r.matrix) for r in kept]).tocsr(),
        np.concatenate([r.least for r in kept]),
        np.concatenate([r.most for r in kept]),
    ) if kept else None  # fmt: skip
    answer = milp(
        cost / scale * _WHOLE,
        integrality=is_whole.astype(np.int64),
        bounds=Bounds(lowest, highest),
        constraints=constraints,
        options={"time_limit": time_limit_s, "mip_rel_gap": 0.0},
    )
    if answer.status == _INFEASIBLE:
        return Answer(None, math.inf, True)
    told = answer.mip_dual_bound if is_whole.any() else (answer.fun if answer.status == _SOLVED else None)
    bound = -math.inf if told is None or not math.isfinite(told) else float(told) * scale / _WHOLE
    return Answer(None if answer.x is None else np.asarray(answer.x, dtype=np.float64), bound, False)


def ask_for_sites(
    cost: Floats,
    n_sites: int,
    lowest: Floats,
    highest: Floats,
    rows: list[Rows],
    price: Int64,
    budget: int,
    deadline: float,
    is_whole: Booleans | None = None,
) -> Answer:
    """Minimise a linear cost where the first unknowns are sites, which are chosen or not, under a budget that holds exactly.

    Parameters
    ----------
    cost, lowest, highest, rows
        As of `ask`.
    n_sites
        How many of the unknowns are sites.
    price
        Shape ``(n_sites,)``.
    budget
        -1 for none.
    deadline
        In seconds of `time.monotonic`.
    is_whole
        Shape ``(x,)``: which are whole numbers; the sites where None.

    Notes
    -----
    A choice that costs more than the budget by less than the solver can see is forbidden: a minimal set of its sites that
    is too dear is a cover, of which not all may be chosen [@balas1975].
    """
    rows = list(rows)
    if is_whole is None:
        is_whole = np.arange(cost.size) < n_sites
    if budget >= 0:
        rows.append(_money_row(price, budget, cost.size))
    bound = -math.inf
    for _ in range(_MOST_CUTS):
        answer = ask(cost, is_whole, lowest, highest, rows, deadline - time.monotonic())
        bound = max(bound, answer.bound)
        if answer.x is None:
            return Answer(None, bound, answer.is_infeasible)
        picked = np.flatnonzero(answer.x[:n_sites] > 0.5)
        if budget < 0 or sum(price[picked].tolist()) <= budget:
            return Answer(answer.x, bound, False)
        rows.append(_cover(price, budget, picked, cost.size))
    return Answer(None, bound, False)


def sites_row(n_sites: int, most: int, size: int) -> Rows:
    """At most so many of the first unknowns."""
    row = sparse.csr_array((np.ones(n_sites), (np.zeros(n_sites, np.int64), np.arange(n_sites))), shape=(1, size))
    return Rows(row, np.array([-math.inf]), np.array([float(most)]))


def _money_row(price: Int64, budget: int, size: int) -> Rows:
    """The budget in the largest unit that all prices are whole numbers of, or in parts of it where that makes too many."""
    unit = math.gcd(*price.tolist()) or 1
    limit = budget // unit
    scale = limit if limit > _MOST_UNITS else 1
    # Whatever is above the budget is too dear, however much.
    units = [min(p // unit, limit + 1) / scale for p in price.tolist()]
    row = sparse.csr_array((units, (np.zeros(price.size, np.int64), np.arange(price.size))), shape=(1, size))
    return Rows(row, np.array([-math.inf]), np.array([limit / scale]))


def _cover(price: Int64, budget: int, picked: Int64, size: int) -> Rows:
    cover, spent = picked.tolist(), sum(price[picked].tolist())
    for j in sorted(picked.tolist(), key=lambda j: (int(price[j]), j)):
        if spent - int(price[j]) > budget:
            cover.remove(j)
            spent -= int(price[j])
    dearest = max(int(price[j]) for j in cover)
    # Sites as dear as the dearest of the cover can stand in for any of it.
    extended = sorted(set(cover) | set(np.flatnonzero(price >= dearest).tolist()))
    row = sparse.csr_array((np.ones(len(extended)), (np.zeros(len(extended), np.int64), extended)), shape=(1, size))
    return Rows(row, np.array([-math.inf]), np.array([len(cover) - 1.0]))


#: Seconds on a clock that never goes back; searches end by it.
now: Callable[[], float] = time.monotonic


def deadline_after(time_limit_s: float) -> float:
    """Return when a search that begins now must end."""
    if not (time_limit_s > 0 and math.isfinite(time_limit_s)):
        raise InvalidInput(
            f"A time limit of {time_limit_s:g} seconds is not possible.",
            code="bad_time_limit",
            where="time_limit_s",
            remedy="Give seconds, more than zero.",
        )
    return now() + time_limit_s


__all__ = ["Answer", "Rows", "ask", "ask_for_sites", "deadline_after", "now", "sites_row"]

"""What a Lagrangian bound leaves open, decided by branching: a site is open or it is closed [@christofides1982]."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from analysis.core.siting.allocation import Allocation, cost_of, is_affordable, shrunk
from analysis.core.siting.columns import Booleans, Floats, Int64
from analysis.core.siting.interchange import improved
from analysis.core.siting.lagrangian import Ascent, ascend, ruled_out
from analysis.core.siting.solver import now

#: Turns of the bound in each branch, and the step that they begin with.
_TURNS: Final = 100
_STEP: Final = 1.5

#: A choice that costs at most so much more than the best known is worth improving.
_NEAR: Final = 0.02

#: A branch is done with if nothing in it is better by more than this share.
_EQUAL: Final = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class _Branch:
    """A part of all choices: those with some sites open and some closed."""

    opened: Int64
    is_closed: Booleans
    prices: Floats


def branched(
    asked: Allocation, ascent: Ascent, best: Booleans, value: float, deadline: float
) -> tuple[Booleans, float, float]:
    """Go through the branches, the one with the least bound first, until none can be better; return choice, value, bound.

    Parameters
    ----------
    asked
        The question.
    ascent
        How far its bound was raised.
    best, value
        A choice that is known, and what it costs; or a cost that only better choices are looked for below.
    deadline
        In seconds of `time.monotonic`.
    """
    row = np.repeat(np.arange(asked.fallback.size), np.diff(asked.first))
    heap = [(ascent.bound, 0, _Branch(np.zeros(0, np.int64), np.zeros(asked.n_sites, np.bool_), ascent.prices))]
    number, done = 0, math.inf
    while heap and now() < deadline:
        low, _, branch = heapq.heappop(heap)
        if low >= value * (1 - _EQUAL):
            done = min(done, low)
            continue
        smaller, paid, names, has = _smaller(asked, row, branch)
        if smaller.most < 0 or (smaller.budget < 0 <= asked.budget):
            continue
        here = Ascent(
            -math.inf,
            np.minimum(branch.prices[has], smaller.fallback),
            np.zeros(names.size),
            np.zeros(names.size, np.bool_),
            _STEP,
        )
        ascend(smaller, here, value - paid, _TURNS)
        low = max(low, here.bound + paid)
        candidate = np.zeros(asked.n_sites, np.bool_)
        candidate[branch.opened] = True
        candidate[names[here.picked]] = True
        if is_affordable(asked, candidate):
            cost = cost_of(asked, candidate)
            if cost < value * (1 + _NEAR):
                candidate = improved(asked, candidate)[1]
                cost = cost_of(asked, candidate)
            if cost < value:
                best, value = candidate, cost
        if low >= value * (1 - _EQUAL):
            done = min(done, low)
            continue
        if not names.size or not smaller.most or not smaller.site.size:
            # One choice is left here, and it was judged above.
            continue
        closed, certain, _ = ruled_out(smaller, here, value - paid)
        opened = np.concatenate((branch.opened, names[certain]))
        is_closed = branch.is_closed.copy()
        is_closed[names[closed]] = True
        prices = branch.prices.copy()
        prices[has] = here.prices
        free = np.flatnonzero(~(closed | certain))
        if free.size:
            # The site that the bound gains most from: closing it is soon done with.
            at = names[free[np.argmin(here.reduced[free])]]
            without = is_closed.copy()
            without[at] = True
            parts = [_Branch(np.append(opened, at), is_closed, prices), _Branch(opened, without, prices)]
        else:
            parts = [_Branch(opened, is_closed, prices)]
        for part in parts:
            number += 1
            heapq.heappush(heap, (low, number, part))
    left = min((low for low, _, _ in heap), default=math.inf)
    return best, value, min(value, done, left)


def _smaller(asked: Allocation, row: Int64, branch: _Branch) -> tuple[Allocation, float, Int64, Booleans]:
    """Return the question of a branch, what is paid beside it, its sites, and which rows are left."""
    kept = ~branch.is_closed
    kept[branch.opened] = False
    smaller, paid = shrunk(asked, kept, branch.opened)
    is_opened = np.zeros(asked.n_sites, np.bool_)
    is_opened[branch.opened] = True
    fallback = asked.fallback.copy()
    taken = is_opened[asked.site]
    np.minimum.at(fallback, row[taken], asked.cost[taken])
    has = np.bincount(row[kept[asked.site] & (asked.cost < fallback[row])], minlength=fallback.size) > 0
    return smaller, paid, np.flatnonzero(kept), has


__all__ = ["branched"]

"""The question behind maximal covering and the p-median: open sites so that every row's cheapest offer costs least in all.

Row i pays the least of its fallback f_i and the costs c_ij of open sites. With weighted costs and what existing sites
offer as fallback that is the p-median [@hakimi1964]; with c_ij = 0 for sites within the threshold and f_i = a_i it is
maximal covering [@church1974], as noticed by [@hillsman1984].
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from analysis.core.siting.columns import Booleans, Floats, Int32, Int64


@dataclass(frozen=True, slots=True, eq=False)
class Allocation:
    """Rows with offers.

    Attributes
    ----------
    first, site, cost
        The offers of row i are ``first[i]:first[i + 1]``, by cost and then by site; each is below the row's fallback.
    fallback
        Shape ``(rows,)``: what a row pays without any of them; `never` where it must not be without.
    price
        Shape ``(sites,)`` int64: what each takes of the budget.
    most
        At most so many sites.
    budget
        At most so much money; -1 for no limit.
    never
        A cost that no choice can reach; rows that pay it are not served although they must be.
    """

    first: Int64
    site: Int32
    cost: Floats
    fallback: Floats
    price: Int64
    most: int
    budget: int
    never: float

    @property
    def n_sites(self) -> int:
        """The number of sites that are left to choose from."""
        return self.price.size


def allocation_of(
    row: Int64, site: Int64, cost: Floats, fallback: Floats, price: Int64, most: int, budget: int | None
) -> Allocation:
    """Put offers in order, without those that are not below the fallback, which is infinite for rows that must be served."""
    # Twice what all could pay together: large enough to be avoided, and finite, so that differences are numbers.
    dearest = np.zeros(fallback.size)
    np.maximum.at(dearest, row, cost)
    never = 2.0 * float(np.maximum(dearest, np.where(np.isfinite(fallback), fallback, 0.0)).sum()) + 1.0
    fallback = np.minimum(fallback, never)
    kept = cost < fallback[row]
    row, site, cost = row[kept], site[kept], cost[kept]
    order = np.lexsort((site, cost, row))
    first = np.concatenate(([0], np.cumsum(np.bincount(row, minlength=fallback.size)))).astype(np.int64)
    return Allocation(
        first, site[order].astype(np.int32), cost[order], fallback, price, most, -1 if budget is None else budget, never
    )


def shrunk(
    asked: Allocation, is_kept: Booleans, opened: Int64, offers: Booleans | None = None
) -> tuple[Allocation, float]:
    """Take sites out of the question, and open others for good.

    Parameters
    ----------
    asked
        The question.
    is_kept
        Shape ``(sites,)``: which can still be chosen.
    opened
        Sites that are open from now on; not kept.
    offers
        Shape ``(offers,)``: which offers are kept; all where None.

    Returns
    -------
    tuple
        The smaller question, its sites numbered in the old order, and what is paid by rows that have no offer left;
        these are left out.
    """
    row = np.repeat(np.arange(asked.fallback.size), np.diff(asked.first))
    is_opened = np.zeros(asked.n_sites, dtype=np.bool_)
    is_opened[opened] = True
    fallback = asked.fallback.copy()
    taken = is_opened[asked.site]
    np.minimum.at(fallback, row[taken], asked.cost[taken])
    kept = is_kept[asked.site] & (asked.cost < fallback[row])
    if offers is not None:
        kept &= offers
    row, old = row[kept], asked.site[kept]
    number = np.cumsum(is_kept) - 1
    rows_left = np.bincount(row, minlength=fallback.size)
    first = np.concatenate(([0], np.cumsum(rows_left[rows_left > 0]))).astype(np.int64)
    budget = asked.budget if asked.budget < 0 else asked.budget - sum(asked.price[opened].tolist())
    smaller = Allocation(
        first=first,
        site=number[old].astype(np.int32),
        cost=asked.cost[kept],
        fallback=fallback[rows_left > 0],
        price=asked.price[is_kept],
        most=min(asked.most - opened.size, int(is_kept.sum())),
        budget=budget,
        never=asked.never,
    )
    return smaller, float(fallback[rows_left == 0].sum())


def cost_of(asked: Allocation, is_open: Booleans) -> float:
    """Add up what the rows pay, exactly rounded; infinite if one that must be served is not."""
    paid = asked.fallback.copy()
    taken = is_open[asked.site]
    np.minimum.at(paid, np.repeat(np.arange(paid.size), np.diff(asked.first))[taken], asked.cost[taken])
    return math.inf if (paid >= asked.never).any() else math.fsum(paid.tolist())


def is_affordable(asked: Allocation, is_open: Booleans) -> bool:
    """Whether a choice keeps to the limits; money is added up exactly."""
    within = asked.budget < 0 or sum(asked.price[is_open].tolist()) <= asked.budget
    return within and int(is_open.sum()) <= asked.most


__all__ = ["Allocation", "allocation_of", "cost_of", "is_affordable", "shrunk"]

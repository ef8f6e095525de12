"""The fewest sites of which every row has one, after what is superfluous is taken out [@toregas1971]."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import sparse

from analysis.core.siting.columns import Booleans, Int32, Int64
from analysis.core.siting.radius import prefix_names
from analysis.core.siting.solver import Rows, ask_for_sites, sites_row

#: Products of more entries are not worth what they would save.
_MOST_ENTRIES: Final = 4_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Cover:
    """A choice of sites of which every row has one.

    Attributes
    ----------
    chosen
        Sites, ascending; None if none was found.
    bound
        No cover has fewer; infinite if it is proven that there is none within the limits.
    """

    chosen: Int64 | None
    bound: float


def fewest(
    first: Int64,
    site: Int32,
    price: Int64,
    most: int,
    budget: int,
    deadline: float,
    *,
    is_least_money: bool = False,
    will_any_do: bool = False,
) -> Cover:
    """Find the fewest sites, or the least money, for which every row has a site.

    Parameters
    ----------
    first, site
        The sites of row i are ``site[first[i]:first[i + 1]]``, ascending; each row has one.
    price
        Shape ``(sites,)``.
    most, budget
        Limits; the budget is -1 for none.
    deadline
        In seconds of `time.monotonic`.
    is_least_money
        Ask for the least money instead.
    will_any_do
        Take whatever greed finds within the limits, and ask only where it finds nothing.

    Notes
    -----
    A row that has all sites of another one is met with it; a site whose rows another one has for no more money need not be
    chosen. Both are taken out, again and again, before HiGHS is asked.
    """
    m, n = price.size, first.size - 1
    if not n:
        return Cover(np.zeros(0, np.int64), 0.0)
    has = sparse.csr_array((np.ones(site.size), site, first), shape=(n, m))
    if will_any_do and (chosen := _greedy(has)).size <= most and _buys(price, chosen, budget):
        return Cover(chosen, 0.0)
    unit = price if is_least_money or budget >= 0 else np.zeros(m, np.int64)
    rows, cols = np.arange(n), np.arange(m)
    while True:
        size = has.shape
        kept = ~superfluous_sites(has, unit[cols])
        has, cols = has[:, kept], cols[kept]
        kept = ~_superfluous_rows(has)
        has, rows = has[kept], rows[kept]
        if has.shape == size:
            break
    k = cols.size
    cost = price[cols].astype(np.float64) if is_least_money else np.ones(k)
    limits = [Rows(has, np.ones(rows.size), np.full(rows.size, math.inf))]
    if most < k:
        limits.append(sites_row(k, most, k))
    answer = ask_for_sites(cost, k, np.zeros(k), np.ones(k), limits, price[cols], budget, deadline)
    bound = answer.bound if math.isinf(answer.bound) else float(math.ceil(answer.bound - 1e-6 * max(answer.bound, 1.0)))
    bound = max(bound, 0.0 if is_least_money else 1.0)
    if answer.x is not None:
        return Cover(cols[answer.x > 0.5], bound)
    # Cut off without an answer: greed gives one, if the limits let it.
    chosen = np.zeros(0, np.int64) if answer.is_infeasible else cols[_greedy(has)]
    is_allowed = 0 < chosen.size <= most and _buys(price, chosen, budget)
    return Cover(chosen if is_allowed else None, bound)


def _buys(price: Int64, chosen: Int64, budget: int) -> bool:
    return budget < 0 or sum(price[chosen].tolist()) <= budget


def _greedy(has: sparse.csr_array) -> Int64:
    """Take the site of most rows that have none yet, the first of equal ones, until all have one."""
    left, chosen, columns = np.ones(has.shape[0]), [], has.tocsc()
    while left.any():
        best = int(np.argmax(has.T @ left))
        chosen.append(best)
        left[columns.indices[columns.indptr[best] : columns.indptr[best + 1]]] = 0.0
    return np.sort(np.array(chosen, dtype=np.int64))


def superfluous_sites(has: sparse.csr_array, price: Int64) -> Booleans:
    """Tell which sites have no row that another one, no dearer, has not; of equal ones the first is kept.

    Examples
    --------
    >>> has = sparse.csr_array(np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]]))
    >>> superfluous_sites(has, np.array([5, 5, 4])).tolist()
    [True, False, False]
    """
    m = has.shape[1]
    number = np.bincount(has.indices, minlength=m)
    if float((np.diff(has.indptr).astype(np.float64) ** 2).sum()) > _MOST_ENTRIES * 5 or m * m > _MOST_ENTRIES:
        return np.asarray(number == 0, dtype=np.bool_)
    both = (has.T @ has).toarray()
    within = both >= number[:, None]  # all rows of the first are rows of the second
    is_no_dearer = price[:, None] >= price[None, :]
    is_equal = within & within.T & (price[:, None] == price[None, :])
    earlier = np.arange(m)[:, None] > np.arange(m)[None, :]
    beaten = within & is_no_dearer & (~is_equal | earlier)
    np.fill_diagonal(beaten, False)
    return np.asarray(beaten.any(axis=1) | (number == 0), dtype=np.bool_)


def _superfluous_rows(has: sparse.csr_array) -> Booleans:
    """Tell which rows have all sites of another one; of equal ones the first is kept."""
    n = has.shape[0]
    has.sort_indices()
    names = prefix_names(has.indptr.astype(np.int64), has.indices, has.shape[1])[has.indptr[1:] - 1]
    example = np.unique(names, axis=0, return_index=True)[1]
    is_gone = np.ones(n, np.bool_)
    is_gone[example] = False
    if example.size**2 > _MOST_ENTRIES:
        return is_gone
    kept = np.sort(example)
    one = has[kept]
    number = np.diff(one.indptr)
    contains = (one @ one.T).toarray() >= number[None, :]
    np.fill_diagonal(contains, False)
    is_gone[kept[contains.any(axis=1)]] = True
    return is_gone


__all__ = ["Cover", "fewest", "superfluous_sites"]

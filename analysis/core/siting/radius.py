"""An allocation as a mixed-integer programme with one unknown for each set of nearest sites, not one for each pair.

z_S = 1 if no site of S is open, S being the sites of a row's k cheapest offers: z_S ≥ 1 − Σ_{j∈S} y_j, and a row pays its
cheapest offer and, for each S that is closed, the step to the next cost [@garcia2011]. Rows that share a set share its
unknown [@elloumi2010], so that rows with the same covering sites are merged, and set covering rows need no other form.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from analysis.core.siting.allocation import Allocation
from analysis.core.siting.columns import Booleans, Int64
from analysis.core.siting.solver import Rows, ask_for_sites, sites_row


def by_solver(asked: Allocation, deadline: float) -> tuple[Booleans | None, float]:
    """Ask HiGHS; return the open sites, or None, and a bound: infinite where nothing is allowed.

    Parameters
    ----------
    asked
        The question.
    deadline
        In seconds of `time.monotonic`.
    """
    m, n = asked.n_sites, asked.fallback.size
    row = np.repeat(np.arange(n), np.diff(asked.first))
    if not row.size:
        return np.zeros(m, np.bool_), math.fsum(asked.fallback.tolist())
    is_last = np.zeros(row.size, np.bool_)
    is_last[asked.first[1:][np.diff(asked.first) > 0] - 1] = True
    # A level ends where the next offer costs more, or where the row ends.
    ends = is_last.copy()
    ends[:-1] |= asked.cost[1:] != asked.cost[:-1]
    end = np.flatnonzero(ends)
    next_cost = np.where(is_last[end], asked.fallback[row[end]], asked.cost[np.minimum(end + 1, row.size - 1)])
    rise = next_cost - asked.cost[end]
    must = is_last[end] & (asked.fallback[row[end]] >= asked.never)
    name = prefix_names(asked.first, asked.site, m)[end]
    _, example, column = np.unique(name, axis=0, return_index=True, return_inverse=True)
    column = column.ravel()
    k = example.size
    is_must = np.zeros(k, np.bool_)
    is_must[column[must]] = True
    weight = np.bincount(column[~must], weights=rise[~must], minlength=k)
    is_first = np.ones(end.size, np.bool_)
    is_first[1:] = row[end[1:]] != row[end[:-1]]
    begin = np.where(is_first, asked.first[row[end]], np.concatenate(([0], end[:-1] + 1)))
    # z_S + Σ y over the sites of its last level ≥ z of the set before, which is 1 where there is none.
    length = end[example] + 1 - begin[example]
    of_row = np.repeat(np.arange(k), length)
    at = np.repeat(begin[example], length) + np.arange(of_row.size) - np.repeat(np.cumsum(length) - length, length)
    before = np.flatnonzero(~is_first[example])
    size = m + k
    matrix = sparse.csr_array(
        (
            np.concatenate((np.ones(of_row.size + k), -np.ones(before.size))),
            (
                np.concatenate((of_row, np.arange(k), before)),
                np.concatenate((asked.site[at], m + np.arange(k), m + column[example[before] - 1])),
            ),
        ),
        shape=(k, size),
    )
    least = np.where(is_first[example], 1.0, 0.0)
    rows = [Rows(matrix, least, np.full(k, math.inf))]
    if asked.most < m:
        rows.append(sites_row(m, asked.most, size))
    highest = np.ones(size)
    highest[m:][is_must] = 0.0
    cost = np.concatenate((np.zeros(m), weight.astype(np.float64)))
    answer = ask_for_sites(cost, m, np.zeros(size), highest, rows, asked.price, asked.budget, deadline)
    has_offer = np.diff(asked.first) > 0
    sure = math.fsum(asked.cost[asked.first[:-1][has_offer]].tolist()) + math.fsum(asked.fallback[~has_offer].tolist())
    return (None if answer.x is None else answer.x[:m] > 0.5), sure + answer.bound


def prefix_names(first: Int64, site: NDArray[np.integer], n_sites: int) -> NDArray[np.uint64]:
    """Name the set of each offer's site and those before it in its row by two sums of 64 random bits for each site.

    Two different sets among a billion share a name with a chance of 10⁻²¹. The bits are the same every time.
    """
    bits = np.random.default_rng(20_110).integers(0, 2**64, (n_sites, 2), dtype=np.uint64)
    sums = np.cumsum(bits[site], axis=0, dtype=np.uint64)
    before = np.concatenate((np.zeros((1, 2), np.uint64), sums))[first[:-1]]
    return sums - np.repeat(before, np.diff(first), axis=0)


__all__ = ["by_solver", "prefix_names"]

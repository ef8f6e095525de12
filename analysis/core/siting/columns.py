"""What is told of people, sites and costs: whether these are numbers, and whether they fit together."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from geo.errors import InvalidInput, LimitExceeded

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]

#: More pairs of a demand point and a site that reaches it do not fit into memory beside what is made of them.
MOST_PAIRS: Final = 20_000_000

#: No number of people, priority, capacity or cost is larger, so that products and sums of them stay finite and exact enough.
MOST_AMOUNT: Final = 1e12

#: Sums of money stay below this, so that they are exact.
MOST_MONEY: Final = 2**62


def pairs(costs: Any, n: int) -> tuple[Int64, Int32, Floats, int]:
    """List who reaches what: as `Question.first`, `Question.site` and `Question.cost`, and the number of sites."""
    if not sparse.issparse(costs):
        dense = numbers(costs, "costs")
        if dense.ndim != 2 or dense.shape[0] != n:
            raise _misfit(f"Costs of shape {dense.shape} do not fit {n} demand points.", "costs")
        reached = np.isfinite(dense)
        wrong = np.argwhere(~((dense >= 0) & ((dense <= MOST_AMOUNT) | ~reached)))
        if len(wrong):
            raise _bad_cost(*wrong[0].tolist())
        first = np.concatenate(([0], np.cumsum(np.count_nonzero(reached, axis=1))))
        _check_size(int(first[-1]))
        return first, np.nonzero(reached)[1].astype(np.int32), dense[reached], dense.shape[1]
    if costs.ndim != 2 or costs.shape[0] != n:
        raise _misfit(f"Costs of shape {costs.shape} do not fit {n} demand points.", "costs")
    _check_size(costs.nnz)
    # Not through `tocsr`, which would add up pairs that are told twice.
    told = costs.tocoo()
    row, col, cost = told.coords[0], told.coords[1], numbers(told.data, "costs")
    bad = np.flatnonzero(~((cost >= 0) & ((cost <= MOST_AMOUNT) | np.isposinf(cost))))
    if bad.size:
        raise _bad_cost(int(row[bad[0]]), int(col[bad[0]]))
    kept = np.isfinite(cost)
    row, col, cost = row[kept], col[kept], cost[kept]
    order = np.lexsort((col, row))
    row, col, cost = row[order], col[order], cost[order]
    twice = np.flatnonzero((np.diff(row) == 0) & (np.diff(col) == 0))
    if twice.size:
        raise InvalidInput(
            "The cost of a pair is told twice.",
            code="duplicate_pair",
            where=f"demand {row[twice[0]]}, site {col[twice[0]]}",
            remedy="Keep the smaller one.",
        )
    first = np.concatenate(([0], np.cumsum(np.bincount(row, minlength=n))))
    return first.astype(np.int64), col.astype(np.int32), cost, costs.shape[1]


def _check_size(pairs: int) -> None:
    if pairs > MOST_PAIRS:
        raise LimitExceeded(
            f"There are {pairs:,} pairs of a demand point and a site, which is more than {MOST_PAIRS:,}.",
            code="too_many_pairs",
            where="costs",
            remedy="Leave out pairs that are too far apart to matter, or use larger cells.",
        )


def _bad_cost(demand: int, site: int) -> InvalidInput:
    return InvalidInput(
        "A cost is negative, not a number, or too large.",
        code="bad_cost",
        where=f"demand {demand}, site {site}",
        remedy=f"Give zero or more, up to {MOST_AMOUNT:,.0f}; infinity where there is no way.",
    )


def _misfit(message: str, where: str) -> InvalidInput:
    return InvalidInput(message, code="length_mismatch", where=where, remedy="Give one for each, in the same order.")


def numbers(values: Any, where: str) -> Floats:
    """Return an array of numbers, or refuse."""
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput(
            "These are not numbers.", code="not_numbers", where=where, remedy="Give an array of numbers."
        ) from error


def amounts(values: Any, where: str, n: int | None, may_be_infinite: bool = False) -> Floats:
    """Return numbers that are zero or more, one for each, or refuse."""
    found = numbers(values, where)
    if found.ndim != 1 or (n is not None and found.size != n):
        raise _misfit(
            f"Numbers of shape {found.shape} are not a list."
            if n is None
            else f"Numbers of shape {found.shape} do not fit a list of {n}.",
            where,
        )
    is_good = (found >= 0) & ((found <= MOST_AMOUNT) | (may_be_infinite & np.isposinf(found)))
    if not is_good.all():
        raise InvalidInput(
            "A number is missing, negative, or too large.",
            code="bad_amount",
            where=f"{where} {np.flatnonzero(~is_good)[0]}",
            remedy=f"Give zero or more, up to {MOST_AMOUNT:,.0f}.",
        )
    return found


def whole(values: Any, where: str) -> Int64:
    """Return whole numbers, or refuse."""
    found = np.asarray(values)
    if found.size == 0:
        return np.zeros(0, np.int64)
    if found.ndim != 1 or found.dtype.kind not in "iu" or (found.dtype.kind == "u" and found.max() >= MOST_MONEY):
        raise InvalidInput(
            "These are not whole numbers, or they are too large.",
            code="not_whole",
            where=where,
            remedy="Give whole numbers of a larger unit.",
        )
    return found.astype(np.int64)


def mask(sites: Any, n_sites: int, where: str) -> Booleans:
    """Tell of each site whether its number is in a list."""
    listed = whole(sites, where)
    found = np.zeros(n_sites, dtype=np.bool_)
    bad = listed[(listed < 0) | (listed >= n_sites)]
    if bad.size:
        raise InvalidInput(
            f"There is no site {bad[0]} among {n_sites} sites.",
            code="no_such_site",
            where=where,
            remedy="Number the sites from zero, in the order of the costs.",
        )
    found[listed] = True
    return found


def without(forbidden: Booleans, existing: Booleans) -> Booleans:
    """Return the forbidden sites, of which none may exist."""
    both = np.flatnonzero(forbidden & existing)
    if both.size:
        raise InvalidInput(
            "A site that exists cannot be forbidden.",
            code="existing_and_forbidden",
            where=f"site {both[0]}",
            remedy="Take it out of one of the two.",
        )
    return forbidden


def money(site_costs: Any, n_sites: int) -> Int64:
    """Return what sites cost, so that sums are exact, or refuse."""
    found = whole(site_costs, "site_costs")
    if found.size != n_sites:
        raise _misfit(f"{found.size} costs do not fit {n_sites} sites.", "site_costs")
    if (found < 0).any():
        raise InvalidInput(
            "The cost of a site is negative.",
            code="bad_amount",
            where=f"site {np.flatnonzero(found < 0)[0]}",
            remedy="Give zero or more.",
        )
    if math.fsum(found.tolist()) > MOST_MONEY:
        raise InvalidInput(
            "The costs of all sites together are too large.",
            code="not_whole",
            where="site_costs",
            remedy="Give whole numbers of a larger unit.",
        )
    return found


__all__ = [
    "MOST_AMOUNT", "MOST_MONEY", "MOST_PAIRS", "Booleans", "Floats", "Int32", "Int64", "amounts", "mask", "money", "pairs",
    "without",
]  # fmt: skip

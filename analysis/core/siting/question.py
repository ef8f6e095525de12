"""What is asked of siting: who needs it, where it may be built, what each pair costs, and what may be spent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """Demand, sites and costs. Made and checked by `question_of`.

    Attributes
    ----------
    people, priority
        Shape ``(n,)``: of each demand point. Its weight is their product; a point of weight 0 asks for nothing.
    first, site, cost
        Who reaches what: the pairs of demand point i are ``site[first[i]:first[i + 1]]``, ascending, with their costs.
    is_existing, is_forbidden
        Shape ``(m,)``: sites that are open already, and that may not be chosen.
    site_costs
        Shape ``(m,)`` int64: what choosing each takes of a budget, or None where nothing is told of money.
    capacities
        Shape ``(m,)``: how many people each serves at most, or None.
    """

    people: Floats
    priority: Floats
    first: Int64
    site: Int32
    cost: Floats
    is_existing: Booleans
    is_forbidden: Booleans
    site_costs: Int64 | None
    capacities: Floats | None

    @property
    def size(self) -> int:
        """The number of demand points."""
        return self.people.size

    @property
    def n_sites(self) -> int:
        """The number of sites, existing and forbidden ones included."""
        return self.is_existing.size

    @property
    def weight(self) -> Floats:
        """Shape ``(n,)``: people × priority."""
        return self.people * self.priority

    @property
    def demand(self) -> Int64:
        """Shape ``(pairs,)``: the demand point of each pair."""
        return np.repeat(np.arange(self.size), np.diff(self.first))

    @property
    def candidates(self) -> Int64:
        """The sites that may be chosen, ascending."""
        return np.flatnonzero(~(self.is_existing | self.is_forbidden))


@dataclass(frozen=True, slots=True)
class Limits:
    """How many sites may be chosen, and what they may cost together.

    Attributes
    ----------
    sites
        At most so many; the number of candidates where only money is limited.
    budget
        At most so much, or None. In the unit of `Question.site_costs`.
    """

    sites: int
    budget: int | None


def question_of(
    people: NDArray[np.floating] | Sequence[float],
    costs: Any,
    *,
    priority: NDArray[np.floating] | Sequence[float] | None = None,
    existing: Sequence[int] | NDArray[np.integer] = (),
    forbidden: Sequence[int] | NDArray[np.integer] = (),
    site_costs: Sequence[int] | NDArray[np.integer] | None = None,
    capacities: NDArray[np.floating] | Sequence[float] | None = None,
) -> Question:
    """Check what is asked and put it in order.

    Parameters
    ----------
    people
        Shape ``(n,)``: of each demand point, zero or more.
    costs
        Shape ``(n, m)``: from each demand point to each site, zero or more, in metres, minutes or whatever the
        threshold is in; infinite where there is no way. A scipy sparse matrix stores the pairs that have a way: what it
        does not store has none, and a zero that it stores is a cost of zero.
    priority
        Shape ``(n,)``: how much a person counts at each, zero or more; 1 where left out.
    existing
        Numbers of sites that are open already and cost nothing.
    forbidden
        Numbers of sites that may not be chosen.
    site_costs
        Shape ``(m,)``: whole units of money; those of existing sites do not matter.
    capacities
        Shape ``(m,)``: people, zero or more; infinite where there is no limit.

    Raises
    ------
    InvalidInput
        If shapes do not fit, a number is negative, not a number or not whole where it must be, a pair is told twice, or
        a site is both existing and forbidden. `geo.errors.LimitExceeded` if there are more than `MOST_PAIRS` pairs.

    Examples
    --------
    >>> asked = question_of([10, 20], np.array([[0.0, 400.0], [np.inf, 0.0]]), existing=[0])
    >>> asked.first.tolist(), asked.site.tolist(), asked.cost.tolist(), asked.candidates.tolist()
    ([0, 2, 3], [0, 1, 1], [0.0, 400.0, 0.0], [1])
    """
    number = _amounts(people, "A number of people", "people", None)
    n = number.size
    first, site, cost, n_sites = _pairs(costs, n)
    return Question(
        people=number,
        priority=np.ones(n) if priority is None else _amounts(priority, "A priority", "priority", n),
        first=first,
        site=site,
        cost=cost,
        is_existing=(open_already := _mask(existing, n_sites, "existing")),
        is_forbidden=_without(_mask(forbidden, n_sites, "forbidden"), open_already),
        site_costs=None if site_costs is None else _money(site_costs, n_sites),
        capacities=None if capacities is None else _amounts(capacities, "A capacity", "capacities", n_sites, True),
    )


def limits_of(question: Question, sites: int | None, budget: int | None, *, is_needed: bool = True) -> Limits:
    """Check how many sites may be chosen, for how much money.

    Parameters
    ----------
    question
        What is asked.
    sites
        A whole number, zero or more; None if only money is limited.
    budget
        Whole units of money, zero or more; None if only the number is.
    is_needed
        Is one of them needed?

    Raises
    ------
    InvalidInput
        If neither is given and one is needed, one is negative or not whole, there are fewer sites to choose from, or the
        budget does not buy the cheapest.
    """
    n = question.candidates.size
    if sites is None and budget is None and is_needed:
        raise InvalidInput(
            "Neither a number of sites nor a budget is given.",
            code="no_limit",
            where="sites, budget",
            remedy="Say how many sites may be chosen at most, or what they may cost together.",
        )
    for value, name, where in ((sites, "number of sites", "sites"), (budget, "budget", "budget")):
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0):
            raise InvalidInput(
                f"The {name} is not a whole number, zero or more.", code="bad_limit", where=where, remedy="Correct it."
            )
    if sites is not None and sites > n:
        raise InvalidInput(
            f"{sites} sites are asked for, but only {n} may be chosen.",
            code="too_many_sites",
            where="sites",
            remedy="Ask for fewer, add candidates, or allow sites that are forbidden.",
            details={"sites": int(sites), "candidates": n},
        )
    if budget is None:
        return Limits(n if sites is None else int(sites), None)
    if question.site_costs is None:
        raise InvalidInput(
            "There is a budget, but nothing is known of what the sites cost.",
            code="no_site_costs",
            where="budget",
            remedy="Give the cost of every site, or limit their number instead.",
        )
    cheapest = min(question.site_costs[question.candidates].tolist(), default=0)
    if n and sites != 0 and budget < cheapest:
        raise InvalidInput(
            f"The budget of {budget} is below the cost of the cheapest site, {cheapest}.",
            code="budget_too_small",
            where="budget",
            remedy="Allow more money, or add a cheaper site.",
            details={"budget": int(budget), "cheapest": cheapest},
        )
    return Limits(n if sites is None else int(sites), int(budget))


def _pairs(costs: Any, n: int) -> tuple[Int64, Int32, Floats, int]:
    if not sparse.issparse(costs):
        dense = _numbers(costs, "costs")
        if dense.ndim != 2 or dense.shape[0] != n:
            raise _misfit(f"Costs of shape {dense.shape} do not fit {n} demand points.", "costs")
        reached = np.isfinite(dense)
        bad = np.argwhere(~((dense >= 0) & ((dense <= MOST_AMOUNT) | ~reached)))
        if len(bad):
            raise _bad_cost(*bad[0].tolist())
        first = np.concatenate(([0], np.cumsum(np.count_nonzero(reached, axis=1))))
        _check_size(int(first[-1]))
        return first, np.nonzero(reached)[1].astype(np.int32), dense[reached], dense.shape[1]
    if costs.ndim != 2 or costs.shape[0] != n:
        raise _misfit(f"Costs of shape {costs.shape} do not fit {n} demand points.", "costs")
    _check_size(costs.nnz)
    # Not through `tocsr`, which would add up pairs that are told twice.
    told = costs.tocoo()
    row, col, cost = told.coords[0], told.coords[1], _numbers(told.data, "costs")
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


def _numbers(values: Any, where: str) -> Floats:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput(
            "These are not numbers.", code="not_numbers", where=where, remedy="Give an array of numbers."
        ) from error


def _amounts(values: Any, what: str, where: str, n: int | None, may_be_infinite: bool = False) -> Floats:
    amounts = _numbers(values, where)
    if amounts.ndim != 1 or (n is not None and amounts.size != n):
        raise _misfit(f"Numbers of shape {amounts.shape} do not fit {n if n is not None else 'a list of points'}.", where)
    is_good = (amounts >= 0) & ((amounts <= MOST_AMOUNT) | (may_be_infinite & np.isposinf(amounts)))
    if not is_good.all():
        raise InvalidInput(
            f"{what} is negative, not finite, or too large.",
            code="bad_amount",
            where=f"{where} {np.flatnonzero(~is_good)[0]}",
            remedy=f"Give zero or more, up to {MOST_AMOUNT:,.0f}.",
        )
    return amounts


def _whole(values: Any, where: str) -> Int64:
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


def _mask(sites: Any, n_sites: int, where: str) -> Booleans:
    numbers = _whole(sites, where)
    mask = np.zeros(n_sites, dtype=np.bool_)
    bad = numbers[(numbers < 0) | (numbers >= n_sites)]
    if bad.size:
        raise InvalidInput(
            f"There is no site {bad[0]} among {n_sites} sites.",
            code="no_such_site",
            where=where,
            remedy="Number the sites from zero, in the order of the costs.",
        )
    mask[numbers] = True
    return mask


def _without(forbidden: Booleans, existing: Booleans) -> Booleans:
    both = np.flatnonzero(forbidden & existing)
    if both.size:
        raise InvalidInput(
            "A site that exists cannot be forbidden.",
            code="existing_and_forbidden",
            where=f"site {both[0]}",
            remedy="Take it out of one of the two.",
        )
    return forbidden


def _money(site_costs: Any, n_sites: int) -> Int64:
    money = _whole(site_costs, "site_costs")
    if money.size != n_sites:
        raise _misfit(f"{money.size} costs do not fit {n_sites} sites.", "site_costs")
    if (money < 0).any():
        raise InvalidInput(
            "The cost of a site is negative.",
            code="bad_amount",
            where=f"site {np.flatnonzero(money < 0)[0]}",
            remedy="Give zero or more.",
        )
    if math.fsum(money.tolist()) > MOST_MONEY:
        raise InvalidInput(
            "The costs of all sites together are too large.",
            code="not_whole",
            where="site_costs",
            remedy="Give whole numbers of a larger unit.",
        )
    return money


__all__ = ["MOST_PAIRS", "Limits", "Question", "limits_of", "question_of"]

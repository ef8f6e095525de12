"""What is asked of siting: who needs it, where it may be built, what each pair costs, and what may be spent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.core.siting.columns import Booleans, Floats, Int32, Int64, amounts, mask, money, pairs, without
from geo.errors import InvalidInput


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
    people: NDArray[Any] | Sequence[float],
    costs: Any,
    *,
    priority: NDArray[Any] | Sequence[float] | None = None,
    existing: Sequence[int] | NDArray[np.integer] = (),
    forbidden: Sequence[int] | NDArray[np.integer] = (),
    site_costs: Sequence[int] | NDArray[np.integer] | None = None,
    capacities: NDArray[Any] | Sequence[float] | None = None,
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
        a site is both existing and forbidden. `geo.errors.LimitExceeded` if there are more than `analysis.core.siting.columns.MOST_PAIRS` pairs.

    Examples
    --------
    >>> asked = question_of([10, 20], np.array([[0.0, 400.0], [np.inf, 0.0]]), existing=[0])
    >>> asked.first.tolist(), asked.site.tolist(), asked.cost.tolist(), asked.candidates.tolist()
    ([0, 2, 3], [0, 1, 1], [0.0, 400.0, 0.0], [1])
    """
    number = amounts(people, "people", None)
    n = number.size
    first, site, cost, n_sites = pairs(costs, n)
    return Question(
        people=number,
        priority=np.ones(n) if priority is None else amounts(priority, "priority", n),
        first=first,
        site=site,
        cost=cost,
        is_existing=(open_already := mask(existing, n_sites, "existing")),
        is_forbidden=without(mask(forbidden, n_sites, "forbidden"), open_already),
        site_costs=None if site_costs is None else money(site_costs, n_sites),
        capacities=None if capacities is None else amounts(capacities, "capacities", n_sites, True),
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
    for value, where in ((sites, "sites"), (budget, "budget")):
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0):
            raise InvalidInput(
                "The number of sites is not a whole number, zero or more."
                if where == "sites"
                else "The budget is not a whole number, zero or more.",
                code="bad_limit",
                where=where,
                remedy="Correct it.",
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


__all__ = ["Limits", "Question", "limits_of", "question_of"]

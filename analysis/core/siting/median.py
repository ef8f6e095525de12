"""The p-median: sites from which everybody is served at the least cost in all."""

from __future__ import annotations

import math

import numpy as np

from analysis.core.siting.allocation import Allocation, allocation_of
from analysis.core.siting.columns import Booleans, Int64
from analysis.core.siting.covering import TIME_LIMIT_S, cover_all, prices, worthwhile
from analysis.core.siting.question import Limits, Question, limits_of
from analysis.core.siting.result import Siting, nearest, siting_of
from analysis.core.siting.search import search, warm
from analysis.core.siting.solver import deadline_after
from geo.errors import InvalidInput


def p_median(
    question: Question,
    *,
    sites: int | None = None,
    budget: int | None = None,
    penalty: float | None = None,
    time_limit_s: float = TIME_LIMIT_S,
    seed: int = 0,
) -> Siting:
    """Find the new sites with which the sum of people × priority × cost to the nearest open site is least.

    Parameters
    ----------
    question
        What is asked.
    sites, budget
        At most so many sites, for so much money; at least one of them is given.
    penalty
        The cost of a person who is not served: who reaches nothing, and whom nothing cheaper serves, pays it and is
        uncovered. Where None everybody with weight must be served, and the question is refused if that cannot be.
    time_limit_s
        Seconds.
    seed
        Of the exchanges at random that look for a first choice.

    Raises
    ------
    InvalidInput
        If a limit is missing or cannot be met, or somebody must be served and cannot be.

    Notes
    -----
    The p-median [@hakimi1964]. The value comes from interchange [@teitz1968], the bound from Lagrangian relaxation
    [@cornuejols1977]; what both leave open goes to HiGHS as the radius formulation [@garcia2011]. Of several best choices
    one is found, the same for the same question and seed unless time runs out.

    Examples
    --------
    >>> from analysis.core.siting.question import question_of
    >>> costs = np.abs(np.arange(5.0)[:, None] - np.arange(5.0))
    >>> found = p_median(question_of([4, 1, 1, 1, 4], costs), sites=2)
    >>> found.chosen.tolist(), found.value, found.bound, found.status
    ([0, 4], 4.0, 4.0, 'optimal')
    """
    warm()
    deadline = deadline_after(time_limit_s)
    limits = limits_of(question, sites, budget)
    if penalty is not None and not (penalty >= 0 and math.isfinite(penalty)):
        raise InvalidInput(
            f"A penalty of {penalty:g} is not possible.",
            code="bad_penalty",
            where="penalty",
            remedy="Give zero or more, in the unit of the costs.",
        )
    is_needy = question.weight > 0
    start = None
    if penalty is None:
        start = _serving_all(question, is_needy, limits, deadline)
    asked = median_allocation(question, limits, penalty)
    found = search(asked, deadline, seed, start)
    if not math.isfinite(found.value):
        raise InvalidInput(
            "No choice that serves everybody was found in the time that was allowed.",
            code="out_of_time",
            where="time_limit_s",
            remedy="Allow more time, more sites, or name a penalty for those who are not served.",
        )
    chosen = worthwhile(asked, question.candidates, found.is_open)
    return siting_of(
        question,
        "p-median",
        chosen,
        found.value,
        max(min(found.bound, found.value), 0.0),
        time_limit_s,
        threshold=math.inf if penalty is None else penalty,
    )


def median_allocation(question: Question, limits: Limits, penalty: float | None) -> Allocation:
    """Put the p-median as an allocation of all points with weight."""
    is_needy = question.weight > 0
    needy = np.flatnonzero(is_needy)
    number = np.full(question.n_sites, -1, np.int64)
    number[question.candidates] = np.arange(question.candidates.size)
    demand = question.demand
    kept = (number[question.site] >= 0) & is_needy[demand]
    row = (np.cumsum(is_needy) - 1)[demand[kept]]
    weight = question.weight[needy]
    without = np.minimum(nearest(question, question.is_existing)[1][needy], math.inf if penalty is None else penalty)
    fallback = np.where(np.isfinite(without), weight * np.where(np.isfinite(without), without, 0.0), math.inf)
    return allocation_of(
        row, number[question.site[kept]], weight[row] * question.cost[kept], fallback, prices(question, limits),
        limits.sites, limits.budget,
    )  # fmt: skip


def _serving_all(question: Question, is_needy: Booleans, limits: Limits, deadline: float) -> Booleans | None:
    """Give a choice that serves all, or refuse; None where any site serves all."""
    reached = np.zeros(question.size, np.bool_)
    reached[question.demand[~question.is_forbidden[question.site]]] = True
    lost = np.flatnonzero(is_needy & ~reached)
    if lost.size:
        raise InvalidInput(
            f"{lost.size:,} demand points reach no site that exists or may be chosen."
            if lost.size > 1
            else f"Demand point {lost[0]} reaches no site that exists or may be chosen.",
            code="demand_out_of_reach",
            where=f"demand {', '.join(map(str, lost[:10].tolist()))}{' …' if lost.size > 10 else ''}",
            remedy="Name a penalty for those who are not served, add sites there, or allow forbidden ones.",
            details={"demand": [str(i) for i in lost[:100].tolist()], "count": int(lost.size)},
        )
    is_left = is_needy & (nearest(question, question.is_existing)[0] < 0)
    if not is_left.any():
        return None
    chosen: Int64 = cover_all(question, is_left, math.inf, limits, deadline)[0]
    return np.isin(question.candidates, chosen)


__all__ = ["median_allocation", "p_median"]

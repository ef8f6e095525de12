"""Covering: the fewest sites that reach everybody, and the most people that so many sites reach."""

from __future__ import annotations

import math
from typing import Final, Literal

import numpy as np
from scipy import sparse

from analysis.core.siting.allocation import Allocation, allocation_of
from analysis.core.siting.columns import Booleans, Floats, Int32, Int64
from analysis.core.siting.question import Limits, Question, limits_of
from analysis.core.siting.radius import prefix_names
from analysis.core.siting.result import Siting, nearest, siting_of
from analysis.core.siting.search import search, warm
from analysis.core.siting.set_cover import fewest, superfluous_sites
from analysis.core.siting.solver import deadline_after, now
from geo.errors import InvalidInput

#: Seconds that a search may take where nothing else is said.
TIME_LIMIT_S: Final = 10.0

#: What becomes of demand that nothing can serve: the question is refused, or it is answered without it and names it.
Unreachable = Literal["refuse", "leave_out"]


def set_covering(
    question: Question,
    threshold: float,
    *,
    unreachable: Unreachable = "refuse",
    sites: int | None = None,
    budget: int | None = None,
    time_limit_s: float = TIME_LIMIT_S,
) -> Siting:
    """Find the fewest new sites with which everybody is within the threshold.

    Parameters
    ----------
    question
        What is asked; points of weight 0 need not be covered.
    threshold
        In the unit of the costs; it is included.
    unreachable
        What becomes of points that neither an existing nor an allowed site covers.
    sites, budget
        At most so many sites, for so much money; no limit where None.
    time_limit_s
        Seconds.

    Raises
    ------
    InvalidInput
        If points cannot be covered and are not left out, or all together only with more sites or money than allowed.

    Notes
    -----
    The location set covering problem, min Σ y_j where Σ_{j∈N_i} y_j ≥ 1 for every i [@toregas1971]. Ties between covers of
    the same size are decided by the solver, the same way for the same question.

    Examples
    --------
    >>> from analysis.core.siting.question import question_of
    >>> costs = np.array([[0.0, 5, 9, 9], [5, 0, 5, 9], [9, 5, 0, 5], [9, 9, 5, 0]])
    >>> found = set_covering(question_of([1, 1, 1, 1], costs), 5.0)
    >>> found.value, found.bound, found.status
    (2.0, 2.0, 'optimal')
    """
    check_threshold(threshold)
    deadline = deadline_after(time_limit_s)
    limits = limits_of(question, sites, budget, is_needed=False)
    needy = needy_beyond(question, threshold)
    needy, left_out = reachable(question, needy, threshold, unreachable)
    chosen, bound = cover_all(question, needy, threshold, limits, deadline)
    return siting_of(
        question,
        "set covering",
        chosen,
        float(chosen.size),
        bound,
        time_limit_s,
        threshold=threshold,
        left_out=left_out,
    )


def maximal_covering(
    question: Question,
    threshold: float,
    *,
    sites: int | None = None,
    budget: int | None = None,
    time_limit_s: float = TIME_LIMIT_S,
    seed: int = 0,
) -> Siting:
    """Find the new sites, within a number or a budget, with which most weight is newly within the threshold.

    Parameters
    ----------
    question
        What is asked.
    threshold
        In the unit of the costs; it is included.
    sites, budget
        At most so many sites, for so much money; at least one of them is given.
    time_limit_s
        Seconds.
    seed
        Of the exchanges at random that look for a first choice.

    Raises
    ------
    InvalidInput
        If a limit is missing or cannot be met.

    Notes
    -----
    The maximal covering location problem, max Σ a_i x_i where x_i ≤ Σ_{j∈N_i} y_j and Σ y_j ≤ p [@church1974]; with a budget
    Σ c_j y_j ≤ B [@khuller1999]. Points with the same covering sites are one; sites that another one, no dearer, replaces are
    left out. Of several best choices one is found, the same for the same question and seed unless time runs out.

    Examples
    --------
    >>> from analysis.core.siting.question import question_of
    >>> costs = np.array([[0.0, 9, 9], [3, 3, 9], [9, 0, 9], [9, 9, 0]])
    >>> found = maximal_covering(question_of([10, 20, 10, 25], costs), 5.0, sites=2)
    >>> found.chosen.tolist(), found.people_new, found.people_uncovered, found.status
    ([0, 2], 55.0, 10.0, 'optimal')
    """
    check_threshold(threshold)
    warm()
    deadline = deadline_after(time_limit_s)
    limits = limits_of(question, sites, budget)
    needy = needy_beyond(question, threshold)
    asked, names = covering_allocation(question, needy, threshold, limits)
    found = search(asked, deadline, seed)
    chosen = worthwhile(asked, names, found.is_open)
    value = covered_sum(question, question.weight, needy, threshold, chosen)
    bound = max(math.fsum(asked.fallback.tolist()) - found.bound, value)
    return siting_of(question, "maximal covering", chosen, value, bound, time_limit_s, threshold=threshold)


def covering_allocation(
    question: Question, needy: Booleans, threshold: float, limits: Limits
) -> tuple[Allocation, Int64]:
    """Put maximal covering as an allocation, of merged points and sites that are worth it; return these, too."""
    first, site, names = covering_sets(question, needy, threshold)
    weight = question.weight[needy]
    n, m = weight.size, names.size
    has = sparse.csr_array((np.ones(site.size), site, first), shape=(n, m))
    price = prices(question, limits)
    while True:
        kept = ~superfluous_sites(has, price)
        size = has.shape
        has, names, price = has[:, kept], names[kept], price[kept]
        has, weight = _merged(has, weight)
        if has.shape == size:
            break
    row = np.repeat(np.arange(has.shape[0]), np.diff(has.indptr))
    site = has.indices.astype(np.int64)
    most = min(limits.sites, names.size)
    return allocation_of(row, site, np.zeros(row.size), weight, price, most, limits.budget), names


def covering_sets(question: Question, needy: Booleans, threshold: float) -> tuple[Int64, Int32, Int64]:
    """List the candidates that cover each of the needy, numbered among the candidates, which are returned, too."""
    names = question.candidates
    number = np.full(question.n_sites, -1, np.int32)
    number[names] = np.arange(names.size)
    demand = question.demand
    kept = (question.cost <= threshold) & (number[question.site] >= 0) & needy[demand]
    first = np.concatenate(([0], np.cumsum(np.bincount(demand[kept], minlength=question.size)[needy])))
    return first.astype(np.int64), number[question.site[kept]], names


def prices(question: Question, limits: Limits) -> Int64:
    """Return what the candidates take of the budget; nothing where there is none."""
    if limits.budget is None or question.site_costs is None:
        return np.zeros(question.candidates.size, np.int64)
    return question.site_costs[question.candidates]


def covered_sum(question: Question, amounts: Floats, needy: Booleans, threshold: float, chosen: Int64) -> float:
    """Add up what the needy that chosen sites cover have, such as their weights, exactly rounded."""
    is_chosen = np.zeros(question.n_sites, np.bool_)
    is_chosen[chosen] = True
    covered = np.zeros(question.size, np.bool_)
    covered[question.demand[is_chosen[question.site] & (question.cost <= threshold)]] = True
    return math.fsum(amounts[covered & needy].tolist())


def worthwhile(asked: Allocation, names: Int64, is_open: Booleans) -> Int64:
    """Return the open sites without those that save nothing beside the others, the last number first."""
    kept = is_open.copy()
    row = np.repeat(np.arange(asked.fallback.size), np.diff(asked.first))
    while True:
        best = asked.fallback.copy()
        on = kept[asked.site]
        np.minimum.at(best, row[on], asked.cost[on])
        is_best = on & (asked.cost == best[row])
        alone = np.bincount(row[is_best], minlength=best.size) == 1
        needed = np.zeros(asked.n_sites, np.bool_)
        needed[asked.site[is_best & alone[row]]] = True
        idle = np.flatnonzero(kept & ~needed)
        if not idle.size:
            return np.sort(names[kept])
        kept[idle[-1]] = False


def cover_all(
    question: Question, needy: Booleans, threshold: float, limits: Limits, deadline: float
) -> tuple[Int64, float]:
    """Find the fewest candidates that cover all of the needy; return them and a bound, or refuse."""
    first, site, names = covering_sets(question, needy, threshold)
    price = prices(question, limits)
    budget = -1 if limits.budget is None else limits.budget
    cover = fewest(first, site, price, limits.sites, budget, deadline)
    if cover.chosen is not None:
        return np.sort(names[cover.chosen]), min(cover.bound, float(cover.chosen.size))
    if math.isfinite(cover.bound):
        raise InvalidInput(
            "No choice that covers everybody was found in the time that was allowed.",
            code="out_of_time",
            where="time_limit_s",
            remedy="Allow more time, more sites, or a larger threshold.",
        )
    raise cannot_cover_all(first, site, price, limits, deadline)


def cannot_cover_all(first: Int64, site: Int32, price: Int64, limits: Limits, deadline: float) -> InvalidInput:
    """Say how many sites, or how much money, covering everybody takes at least."""
    until = max(deadline, now() + 1.0)
    least = fewest(first, site, price, price.size, -1, until)
    if least.bound > limits.sites:
        return InvalidInput(
            f"At least {least.bound:.0f} new sites are needed to reach everybody, and {limits.sites} are allowed.",
            code="too_few_sites",
            where="sites",
            remedy="Allow more sites or a larger threshold, or ask for the most people instead.",
            details={"needed": int(least.bound), "allowed": limits.sites},
        )
    money = fewest(first, site, price, limits.sites, -1, until, is_least_money=True)
    return InvalidInput(
        f"Reaching everybody costs at least {money.bound:.0f}, and the budget is {limits.budget}.",
        code="too_little_money",
        where="budget",
        remedy="Allow more money or a larger threshold, or ask for the most people instead.",
        details={"needed": int(money.bound), "allowed": limits.budget or 0},
    )


def reachable(
    question: Question, needy: Booleans, threshold: float, unreachable: Unreachable
) -> tuple[Booleans, Int64]:
    """Tell which of the needy a candidate covers, and name the others, or refuse."""
    if unreachable not in ("refuse", "leave_out"):
        raise InvalidInput(
            f"“{unreachable}” says nothing of demand that is out of reach.",
            code="bad_choice",
            where="unreachable",
            remedy="Say “refuse” or “leave_out”.",
        )
    within = question.cost <= threshold
    demand = question.demand
    can = np.zeros(question.size, np.bool_)
    can[demand[within & ~question.is_forbidden[question.site]]] = True
    lost = np.flatnonzero(needy & ~can)
    if lost.size and unreachable == "refuse":
        one = int(lost[0])
        barred = question.site[question.first[one] : question.first[one + 1]]
        barred = barred[within[question.first[one] : question.first[one + 1]]]
        why = (
            f"Demand point {one} is within reach of forbidden sites only, such as site {barred[0]}."
            if barred.size
            else f"Demand point {one} is within reach of no site."
        )
        raise InvalidInput(
            f"{lost.size:,} demand points are within reach of no site that may be chosen. {why}"
            if lost.size > 1
            else why,
            code="demand_out_of_reach",
            where=f"demand {', '.join(map(str, lost[:10].tolist()))}{' …' if lost.size > 10 else ''}",
            remedy="Add sites there, allow forbidden ones, choose a larger threshold, or leave these points out.",
            details={"demand": [str(i) for i in lost[:100].tolist()], "count": int(lost.size)},
        )
    return needy & can, lost


def check_threshold(threshold: float) -> None:
    """Refuse what is no threshold."""
    if not (threshold >= 0 and math.isfinite(threshold)):
        raise InvalidInput(
            f"A threshold of {threshold:g} is not possible.",
            code="bad_threshold",
            where="threshold",
            remedy="Give zero or more, in the unit of the costs.",
        )


def needy_beyond(question: Question, threshold: float) -> Booleans:
    """Tell which points have weight and no existing site within the threshold."""
    return (question.weight > 0) & (nearest(question, question.is_existing, threshold)[0] < 0)


def _merged(has: sparse.csr_array, weight: Floats) -> tuple[sparse.csr_array, Floats]:
    """Make one row of those with the same sites, and drop those with none."""
    some = np.flatnonzero(np.diff(has.indptr))
    if not some.size:
        return has[:0], weight[:0]
    has, weight = has[some], weight[some]
    has.sort_indices()
    names = prefix_names(has.indptr.astype(np.int64), has.indices, has.shape[1])[has.indptr[1:] - 1]
    _, example, which = np.unique(names, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(example)
    total: Floats = np.bincount(which.ravel(), weights=weight, minlength=example.size).astype(np.float64)
    return has[example[order]], total[order]


__all__ = [
    "TIME_LIMIT_S", "Unreachable", "cannot_cover_all", "check_threshold", "cover_all", "covered_sum",
    "covering_allocation", "covering_sets", "maximal_covering", "needy_beyond", "prices", "reachable", "set_covering", "worthwhile",
]  # fmt: skip

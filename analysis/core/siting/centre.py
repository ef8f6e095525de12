"""The p-centre: sites from which nobody has it farther than must be."""

from __future__ import annotations

import math

import numpy as np

from analysis.core.siting.columns import Booleans, Floats, Int64
from analysis.core.siting.covering import (
    TIME_LIMIT_S,
    Unreachable,
    cannot_cover_all,
    covering_sets,
    prices,
    reachable,
)
from analysis.core.siting.question import Limits, Question, limits_of
from analysis.core.siting.result import Siting, nearest, siting_of
from analysis.core.siting.set_cover import Cover, fewest
from analysis.core.siting.solver import deadline_after
from geo.errors import InvalidInput


def p_centre(
    question: Question,
    *,
    sites: int | None = None,
    budget: int | None = None,
    unreachable: Unreachable = "refuse",
    time_limit_s: float = TIME_LIMIT_S,
) -> Siting:
    """Find the new sites with which the largest cost of anybody to the nearest open site is least.

    Parameters
    ----------
    question
        What is asked; everybody counts the same, and points of weight 0 do not.
    sites, budget
        At most so many sites, for so much money; at least one of them is given.
    unreachable
        What becomes of points that reach no site that exists or may be chosen.
    time_limit_s
        Seconds.

    Raises
    ------
    InvalidInput
        If a limit is missing or cannot be met, points are out of reach and not left out, or no choice within the limits
        serves all others.

    Notes
    -----
    The p-centre [@hakimi1964] by bisection over the costs that occur: the least cost for which the fewest sites that cover
    everybody are no more than p [@minieka1970]. The bound is the least cost that is not ruled out.

    Examples
    --------
    >>> from analysis.core.siting.question import question_of
    >>> costs = np.abs(np.arange(5.0)[:, None] - np.arange(5.0))
    >>> found = p_centre(question_of([1, 1, 1, 1, 1], costs), sites=2)
    >>> found.value, found.bound, found.status
    (1.0, 1.0, 'optimal')
    """
    deadline = deadline_after(time_limit_s)
    limits = limits_of(question, sites, budget)
    needy, left_out = reachable(question, question.weight > 0, math.inf, unreachable)
    without = nearest(question, question.is_existing)[1]
    usable = needy[question.demand] & ~question.is_forbidden[question.site]
    # Nobody can have it nearer than the nearest site that is not forbidden, and whoever has it farthest sets the value.
    least = nearest(question, ~question.is_forbidden)[1][needy].max(initial=0.0)
    levels = np.unique(question.cost[usable])
    levels = levels[levels >= least]
    if not levels.size:
        return _result(question, np.zeros(0, np.int64), needy, 0.0, time_limit_s, left_out)
    chosen: Int64 | None = None
    if (without[needy] <= levels[-1]).all():
        chosen, levels = np.zeros(0, np.int64), levels[levels <= without[needy].max(initial=levels[0])]
    # Below `low` nothing covers everybody; at `high` a choice that does is known, or it is to be tried first.
    low, high = 0, levels.size - 1
    cut_off = False
    if chosen is None:
        cover = _covered(question, needy, float(levels[high]), without, limits, deadline)
        if cover.chosen is None:
            raise _refusal(question, needy, limits, deadline, cover)
        chosen = cover.chosen
    while not cut_off:
        # A choice may reach a lower level than the one that it was asked for.
        high = min(high, int(np.searchsorted(levels, _largest(question, needy, chosen))))
        if low >= high:
            break
        middle = (low + high) // 2
        cover = _covered(question, needy, float(levels[middle]), without, limits, deadline)
        if cover.chosen is not None:
            chosen, high = cover.chosen, middle
        elif math.isinf(cover.bound):
            low = middle + 1
        else:
            cut_off = True
    return _result(question, chosen, needy, float(levels[low]), time_limit_s, left_out)


def _covered(
    question: Question, needy: Booleans, cost: float, without: Floats, limits: Limits, deadline: float
) -> Cover:
    """Cover all that existing sites do not within a cost; return sites of the question."""
    is_left = needy & (without > cost)
    first, site, names = covering_sets(question, is_left, cost)
    if (np.diff(first) == 0).any():
        return Cover(None, math.inf)
    budget = -1 if limits.budget is None else limits.budget
    cover = fewest(first, site, prices(question, limits), limits.sites, budget, deadline, will_any_do=True)
    return Cover(None if cover.chosen is None else np.sort(names[cover.chosen]), cover.bound)


def _largest(question: Question, needy: Booleans, chosen: Int64) -> float:
    is_open = question.is_existing.copy()
    is_open[chosen] = True
    return float(nearest(question, is_open)[1][needy].max(initial=0.0))


def _refusal(question: Question, needy: Booleans, limits: Limits, deadline: float, cover: Cover) -> InvalidInput:
    if math.isfinite(cover.bound):
        return InvalidInput(
            "No choice that serves everybody was found in the time that was allowed.",
            code="out_of_time",
            where="time_limit_s",
            remedy="Allow more time or more sites.",
        )
    is_left = needy & np.isinf(nearest(question, question.is_existing)[1])
    first, site, _ = covering_sets(question, is_left, math.inf)
    return cannot_cover_all(first, site, prices(question, limits), limits, deadline)


def _result(
    question: Question, chosen: Int64, needy: Booleans, bound: float, time_limit_s: float, left_out: Int64
) -> Siting:
    value = _largest(question, needy, chosen)
    # What no longer sets anybody's nearest cost above the value is not needed, the last number first.
    for j in chosen[::-1].tolist():
        fewer = chosen[chosen != j]
        if _largest(question, needy, fewer) <= value:
            chosen = fewer
    return siting_of(question, "p-centre", chosen, value, min(bound, value), time_limit_s, left_out=left_out)


__all__ = ["p_centre"]

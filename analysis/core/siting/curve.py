"""What each further facility adds: maximal covering for one site, two sites, and so on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from analysis.core.siting.allocation import Allocation
from analysis.core.siting.columns import Booleans, Floats, Int64
from analysis.core.siting.covering import (
    TIME_LIMIT_S,
    check_threshold,
    covered_sum,
    covering_allocation,
    needy_beyond,
    worthwhile,
)
from analysis.core.siting.question import Question, limits_of
from analysis.core.siting.result import Status, gap_of, status_of
from analysis.core.siting.search import search, warm
from analysis.core.siting.solver import deadline_after, now

#: Greed reaches at least this share of the most that so many sites can cover.
GREEDY_SHARE: Final = 1.0 - math.exp(-1.0)


@dataclass(frozen=True, slots=True, eq=False)
class CurvePoint:
    """The most that so many sites can cover.

    Attributes
    ----------
    sites
        How many may be chosen.
    chosen
        Which, ascending; fewer where more would add nothing.
    weight, people
        Newly covered by all of them: people × priority, which is what is made most of, and people.
    adds_weight, adds_people
        More than with one site fewer. The weight never adds less than 0; people may, where fewer with more priority are.
    is_nested
        Are the sites of the point before among these? If not, who builds one after the other in the order of the curve has
        to give up a site; the greedy order has no such points.
    bound, gap, status
        As of `analysis.core.siting.result.Siting`.
    """

    sites: int
    chosen: Int64
    weight: float
    people: float
    adds_weight: float
    adds_people: float
    is_nested: bool
    bound: float
    gap: float
    status: Status


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """What each further facility adds.

    Attributes
    ----------
    points
        For 1, 2, … sites, each as good as is proven there. Not concave everywhere: a further site can add more than the one
        before.
    order
        Sites in the greedy order, each adding most to those before it, until nothing is added or so many are chosen.
    order_weight, order_people
        Shape of `order`: newly covered by the sites up to each.
    coverable_weight
        What all candidates together would newly cover.
    """

    points: tuple[CurvePoint, ...]
    order: Int64
    order_weight: Floats
    order_people: Floats
    coverable_weight: float


def covering_curve(
    question: Question, threshold: float, most_sites: int, *, time_limit_s: float = TIME_LIMIT_S, seed: int = 0
) -> Curve:
    """Tell who is newly covered by the best one, two, … sites, and by building one after the other.

    Parameters
    ----------
    question
        What is asked.
    threshold
        In the unit of the costs; it is included.
    most_sites
        The last point of the curve.
    time_limit_s
        Seconds for all points together; each may take an equal share of what is left.
    seed
        Of the exchanges at random.

    Raises
    ------
    InvalidInput
        If there are fewer candidates than that.

    Notes
    -----
    Each point is maximal covering [@church1974]. The best sites for p + 1 need not contain the best for p. The greedy order
    is nested and covers at least 1 − 1/e of the most at each of its points [@nemhauser1978]; ties go to the least number.

    Examples
    --------
    One site in the middle reaches the inner points of both sides; two at the sides reach all.

    >>> from analysis.core.siting.question import question_of
    >>> costs = np.array([[0.0, 9, 9], [0, 0, 9], [9, 0, 0], [9, 9, 0]])
    >>> curve = covering_curve(question_of([9, 10, 10, 9], costs), 1.0, 2)
    >>> [(point.chosen.tolist(), point.people, point.is_nested) for point in curve.points]
    [([1], 20.0, True), ([0, 2], 38.0, False)]
    >>> curve.order.tolist(), curve.order_people.tolist()
    ([1, 0], [20.0, 29.0])
    """
    check_threshold(threshold)
    warm()
    deadline = deadline_after(time_limit_s)
    limits = limits_of(question, most_sites, None)
    needy = needy_beyond(question, threshold)
    asked, names = covering_allocation(question, needy, threshold, limits)
    coverable = math.fsum(asked.fallback.tolist())
    order = _greedy_order(question, needy, threshold, most_sites)
    points: list[CurvePoint] = []
    before, weight_before, people_before = np.zeros(0, np.int64), 0.0, 0.0
    for p in range(1, limits.sites + 1):
        share = max(deadline - now(), 0.0) / (limits.sites + 1 - p)
        chosen, bound = before, coverable
        if before.size == p - 1:
            start = _started(names, before, order[:p], question, needy, threshold)
            found = search(_with_most(asked, p), now() + share, seed, start)
            chosen = worthwhile(asked, names, found.is_open)
            bound = coverable - found.bound
        weight = covered_sum(question, question.weight, needy, threshold, chosen)
        # A search that was cut off must fall behind neither the point before nor greed.
        for other in (before, np.sort(order[:p])):
            if (worth := covered_sum(question, question.weight, needy, threshold, other)) > weight:
                chosen, weight = other, worth
        people = covered_sum(question, question.people, needy, threshold, chosen)
        bound = max(min(bound, coverable), weight)
        points.append(
            CurvePoint(
                sites=p,
                chosen=chosen,
                weight=weight,
                people=people,
                adds_weight=weight - weight_before,
                adds_people=people - people_before,
                is_nested=bool(np.isin(before, chosen).all()),
                bound=bound,
                gap=(gap := gap_of(weight, bound)),
                status=status_of(gap),
            )
        )
        before, weight_before, people_before = chosen, weight, people
    steps = [order[: k + 1] for k in range(order.size)]
    return Curve(
        points=tuple(points),
        order=order,
        order_weight=np.array([covered_sum(question, question.weight, needy, threshold, step) for step in steps]),
        order_people=np.array([covered_sum(question, question.people, needy, threshold, step) for step in steps]),
        coverable_weight=coverable,
    )


def _with_most(asked: Allocation, most: int) -> Allocation:
    return Allocation(
        asked.first, asked.site, asked.cost, asked.fallback, asked.price, min(most, asked.n_sites), -1, asked.never
    )


def _started(
    names: Int64, before: Int64, greedy: Int64, question: Question, needy: Booleans, threshold: float
) -> Booleans:
    """Begin with the better of the sites of the point before and the greedy ones, as far as they were not left out."""
    two = [np.isin(names, before), np.isin(names, greedy)]
    values = [covered_sum(question, question.weight, needy, threshold, names[one]) for one in two]
    return two[int(np.argmax(values))]


def _greedy_order(question: Question, needy: Booleans, threshold: float, most: int) -> Int64:
    is_candidate = np.zeros(question.n_sites, np.bool_)
    is_candidate[question.candidates] = True
    demand = question.demand
    kept = (question.cost <= threshold) & is_candidate[question.site] & needy[demand]
    demand, site = demand[kept], question.site[kept]
    left, order = question.weight.copy(), list[int]()
    while len(order) < most:
        gain = np.bincount(site, weights=left[demand], minlength=question.n_sites)
        if not gain.size or gain.max() <= 0:
            break
        order.append(int(np.argmax(gain)))
        left[demand[site == order[-1]]] = 0.0
    return np.array(order, dtype=np.int64)


__all__ = ["GREEDY_SHARE", "Curve", "CurvePoint", "covering_curve"]

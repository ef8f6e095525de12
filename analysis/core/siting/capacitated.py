"""Maximal covering where each site serves so many people and no more."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from scipy import sparse

from analysis.core.siting.columns import Booleans, Floats, Int64
from analysis.core.siting.covering import TIME_LIMIT_S, check_threshold, covering_allocation, needy_beyond
from analysis.core.siting.interchange import improved
from analysis.core.siting.lagrangian import ascend, begin
from analysis.core.siting.question import Limits, Question, limits_of
from analysis.core.siting.result import PROVEN_GAP, Siting, gap_of, spent_on, status_of
from analysis.core.siting.search import warm
from analysis.core.siting.solver import Rows, ask, ask_for_sites, deadline_after, now, sites_row
from geo.errors import InvalidInput

#: Turns of the bound without capacities, where the solver was cut off.
_TURNS: Final = 300


def capacitated_covering(
    question: Question,
    threshold: float,
    *,
    sites: int | None = None,
    budget: int | None = None,
    may_split: bool = True,
    time_limit_s: float = TIME_LIMIT_S,
) -> Siting:
    """Find the new sites with which most weight is served within the threshold and within what each site can take.

    Parameters
    ----------
    question
        What is asked, with capacities in people for every site, existing ones included.
    threshold
        In the unit of the costs; it is included.
    sites, budget
        At most so many sites, for so much money; at least one of them is given.
    may_split
        May the people of a demand point go to several sites, and a part of them to none? If not, a point is served by one
        site or by none, which takes much longer to prove.
    time_limit_s
        Seconds.

    Raises
    ------
    InvalidInput
        If there are no capacities, or a limit is missing or cannot be met.

    Notes
    -----
    The capacitated maximal covering location problem, max Σ π_i z_ij where Σ_j z_ij ≤ P_i, Σ_i z_ij ≤ S_j y_j,
    z_ij ≤ min(P_i, S_j) y_j [@current1988], P_i people, π_i their priority; z_ij is 0 or P_i where points are whole. Who goes
    where is decided for the good of all, not by who is nearest; those whom existing sites serve may be sent elsewhere, too. A
    capacity may be exceeded by one millionth of it, which the solver cannot see. Newly served is what is served beyond the
    best that existing sites do alone, as far as that was found in the time.

    Examples
    --------
    >>> from analysis.core.siting.question import question_of
    >>> asked = question_of([30, 30, 30], np.zeros((3, 2)), capacities=[50, 20])
    >>> found = capacitated_covering(asked, 1.0, sites=1)
    >>> found.chosen.tolist(), found.people_new, found.status
    ([0], 50.0, 'optimal')
    >>> capacitated_covering(asked, 1.0, sites=1, may_split=False).people_new
    30.0
    """
    check_threshold(threshold)
    if question.capacities is None:
        raise InvalidInput(
            "There are no capacities.",
            code="no_capacities",
            where="capacities",
            remedy="Give the people that each site can serve, or ask for maximal covering without capacities.",
        )
    warm()
    deadline = deadline_after(time_limit_s)
    limits = limits_of(question, sites, budget)
    flows = _Flows(question, threshold, may_split)
    candidates = question.candidates
    can_open = ~question.is_forbidden
    before, _ = flows.best(question.is_existing, max(deadline, now() + 1.0))
    value_before = flows.worth(before)
    price = np.zeros(candidates.size, np.int64)
    if limits.budget is not None and question.site_costs is not None:
        price = question.site_costs[candidates]
    solved, bound = _chosen(flows, can_open, candidates, price, limits.sites, limits.budget, deadline)
    chosen, after = np.zeros(0, np.int64), before
    tried = [solved]
    if now() >= deadline:
        # Cut off: what is best without capacities, and what greed finds with them, may be better.
        relaxed, most = _without_capacities(question, threshold, limits)
        tried += [_filled(flows, candidates, price, limits), relaxed]
        bound = min(bound, most)
    for one in tried:
        is_open = question.is_existing.copy()
        is_open[one] = True
        flow, _ = flows.best(is_open, max(deadline, now() + 1.0))
        if flows.worth(flow) > flows.worth(after):
            chosen, after = one, flow
    used = np.zeros(question.n_sites, np.bool_)
    used[flows.site[after > 0]] = True
    chosen = chosen[used[chosen]]
    value = max(flows.worth(after) - value_before, 0.0)
    # New is what is served beyond what existing sites serve at best; where that was cut off, at least what they do.
    bound = max(min(bound, flows.most()) - value_before, value)
    # Both are differences of what the solver knows to a millionth of the whole.
    if bound - value <= PROVEN_GAP * max(value_before + value, 0.0):
        bound = value
    return _result(question, flows, chosen, before, after, value, bound, time_limit_s)


class _Flows:
    """People from demand points to sites within the threshold."""

    def __init__(self, question: Question, threshold: float, may_split: bool) -> None:
        capacities = np.full(question.n_sites, math.inf) if question.capacities is None else question.capacities
        demand = question.demand
        kept = (question.cost <= threshold) & ~question.is_forbidden[question.site] & (question.weight[demand] > 0)
        kept &= capacities[question.site] > 0
        if not may_split:
            kept &= question.people[demand] <= capacities[question.site]
        self.question, self.may_split = question, may_split
        self.demand, self.site, self.cost = demand[kept], question.site[kept].astype(np.int64), question.cost[kept]
        self.capacity: Floats = capacities
        # Of each unknown: the people that it stands for when it is 1.
        self.people: Floats = np.minimum(question.people[self.demand], self.capacity[self.site])
        if not may_split:
            self.people = question.people[self.demand]
        self.gain: Floats = self.people * question.priority[self.demand]

    def worth(self, flow: Floats) -> float:
        """People × priority of shares of the unknowns."""
        return math.fsum((flow * self.gain).tolist())

    def most(self) -> float:
        """What is served if everybody within reach of any site is."""
        return math.fsum(self.question.weight[np.unique(self.demand)].tolist())

    def rows(self, n_sites: int, number: Int64) -> list[Rows]:
        """What holds of the flows; the first unknowns are sites, numbered so, or open for sure where -1."""
        k = self.demand.size
        column = n_sites + np.arange(k)
        size = n_sites + k
        points, of = np.unique(self.demand, return_inverse=True)
        share = self.people / self.question.people[self.demand]
        once = sparse.csr_array((share, (of, column)), shape=(points.size, size))
        rows = [Rows(once, np.full(points.size, -math.inf), np.ones(points.size))]
        is_bounded = np.isfinite(self.capacity[self.site])
        sites, at = np.unique(self.site[is_bounded], return_inverse=True)
        load = self.people[is_bounded] / self.capacity[self.site[is_bounded]]
        is_choice = number[sites] >= 0
        room = sparse.csr_array(
            (
                np.concatenate((load, -np.ones(int(is_choice.sum())))),
                (
                    np.concatenate((at, np.flatnonzero(is_choice))),
                    np.concatenate((column[is_bounded], number[sites[is_choice]])),
                ),
            ),
            shape=(sites.size, size),
        )
        rows.append(Rows(room, np.full(sites.size, -math.inf), np.where(is_choice, 0.0, 1.0)))
        to_choice = np.flatnonzero(number[self.site] >= 0)
        linked = sparse.csr_array(
            (
                np.concatenate((np.ones(to_choice.size), -np.ones(to_choice.size))),
                (
                    np.concatenate((np.arange(to_choice.size), np.arange(to_choice.size))),
                    np.concatenate((column[to_choice], number[self.site[to_choice]])),
                ),
            ),
            shape=(to_choice.size, size),
        )
        rows.append(Rows(linked, np.full(to_choice.size, -math.inf), np.zeros(to_choice.size)))
        return rows

    def best(self, is_open: Booleans, deadline: float) -> tuple[Floats, float]:
        """Serve most with sites that are open; return the share of each unknown and a bound."""
        k = self.demand.size
        highest = is_open[self.site].astype(np.float64)
        if not highest.any():
            return np.zeros(k), 0.0
        rows = self.rows(0, np.full(self.question.n_sites, -1, np.int64))
        whole = np.full(k, not self.may_split)
        answer = ask(-self.gain, whole, np.zeros(k), highest, rows, deadline - now())
        flow = np.zeros(k) if answer.x is None else np.clip(answer.x, 0.0, 1.0)
        flow[flow < 1e-9] = 0.0
        return (flow if self.may_split else np.round(flow)), -answer.bound


def _chosen(
    flows: _Flows, can_open: Booleans, candidates: Int64, price: Int64, most: int, budget: int | None, deadline: float
) -> tuple[Int64, float]:
    """Choose sites; return them and the most that can be served, existing sites included."""
    m, k = candidates.size, flows.demand.size
    number = np.full(can_open.size, -1, np.int64)
    number[candidates] = np.arange(m)
    rows = flows.rows(m, number)
    if most < m:
        rows.append(sites_row(m, most, m + k))
    whole = np.arange(m + k) < m if flows.may_split else np.ones(m + k, np.bool_)
    cost = np.concatenate((np.zeros(m), -flows.gain))
    limit = -1 if budget is None else budget
    answer = ask_for_sites(cost, m, np.zeros(m + k), np.ones(m + k), rows, price, limit, deadline, whole)
    chosen = np.zeros(0, np.int64) if answer.x is None else candidates[answer.x[:m] > 0.5]
    return chosen, -answer.bound


def _filled(flows: _Flows, candidates: Int64, price: Int64, limits: Limits) -> Int64:
    """Open the site that serves most of those who are left, as far as it can, and again, within the limits."""
    question, n_sites = flows.question, flows.question.n_sites
    left, chosen, spent = question.people.copy(), list[int](), 0
    cost = np.zeros(n_sites, np.int64)
    cost[candidates] = price
    is_free = np.zeros(n_sites, np.bool_)
    is_free[candidates] = True
    waiting = np.flatnonzero(question.is_existing).tolist()
    while True:
        if waiting:
            best = waiting.pop()
        else:
            people = np.bincount(flows.site, weights=left[flows.demand], minlength=n_sites)
            gain = np.bincount(flows.site, weights=(left * question.priority)[flows.demand], minlength=n_sites)
            gain *= np.minimum(np.divide(flows.capacity, people, out=np.ones(n_sites), where=people > 0), 1.0)
            within = is_free if limits.budget is None else is_free & (cost + spent <= limits.budget)
            gain = np.where(within, gain, 0.0)
            if len(chosen) >= limits.sites or not gain.size or gain.max() <= 0:
                return np.sort(np.array(chosen, dtype=np.int64))
            best = int(np.argmax(gain))
            chosen.append(best)
            is_free[best], spent = False, spent + int(cost[best])
        served = flows.demand[flows.site == best]
        all_there = float(left[served].sum())
        left[served] *= 1.0 - min(float(flows.capacity[best]) / all_there, 1.0) if all_there > 0 else 1.0


def _without_capacities(question: Question, threshold: float, limits: Limits) -> tuple[Int64, float]:
    """Cover most as if nobody were ever turned away; return sites and a bound of the weight that all serve together."""
    needy = needy_beyond(question, threshold)
    asked, names = covering_allocation(question, needy, threshold, limits)
    most = math.fsum(question.weight[~needy].tolist())
    if not asked.site.size or not asked.most:
        return np.zeros(0, np.int64), most
    paid, is_open = improved(asked, np.zeros(asked.n_sites, np.bool_))
    ascent = begin(asked, is_open)
    ascend(asked, ascent, paid, _TURNS)
    return np.sort(names[is_open]), most + math.fsum(asked.fallback.tolist()) - ascent.bound


def _result(
    question: Question,
    flows: _Flows,
    chosen: Int64,
    before: Floats,
    after: Floats,
    value: float,
    bound: float,
    time_limit_s: float,
) -> Siting:
    n = question.size
    is_open = question.is_existing.copy()
    is_open[chosen] = True
    used = np.flatnonzero(after > 0)
    demand, site, people = flows.demand[used], flows.site[used], after[used] * flows.people[used]
    served = np.minimum(np.bincount(demand, weights=people, minlength=n), question.people)
    was = np.minimum(np.bincount(flows.demand, weights=before * flows.people, minlength=n), question.people)
    server, server_cost = np.full(n, -1, np.int64), np.full(n, math.inf)
    # The one that serves most of a point's people, of these the nearest, of these the least number: set last.
    order = np.lexsort((-site, -flows.cost[used], people))
    server[demand[order]], server_cost[demand[order]] = site[order], flows.cost[used][order]
    share = np.divide(served, question.people, out=np.zeros(n), where=question.people > 0)
    total, total_before, whole = float(served.sum()), float(was.sum()), float(question.people.sum())
    weight, priority = question.weight, question.priority
    weight_before = flows.worth(before)
    gap = gap_of(value, bound)
    return Siting(
        model="capacitated covering",
        chosen=np.sort(chosen),
        is_open=is_open,
        server=server,
        server_cost=server_cost,
        served_share=share,
        flow_demand=demand,
        flow_site=site,
        flow_people=people,
        left_out=np.zeros(0, np.int64),
        people_before=total_before,
        people_new=total - total_before,
        people_uncovered=max(whole - total, 0.0),
        weight_before=weight_before,
        weight_new=value,
        weight_uncovered=max(float(weight.sum()) - float(served @ priority), 0.0),
        spent=spent_on(question, chosen),
        value=value,
        bound=bound,
        gap=gap,
        status=status_of(gap),
        time_limit_s=time_limit_s,
    )


__all__ = ["capacitated_covering"]

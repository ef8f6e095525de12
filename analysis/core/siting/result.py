"""What siting answers: the sites, whom each serves, and what is proven of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from analysis.core.siting.columns import Booleans, Floats, Int64
from analysis.core.siting.question import Question

#: ``optimal``: nothing is better by more than `PROVEN_GAP`. ``gap_proven``: nothing is better by more than the gap, which
#: is at most `USEFUL_GAP`. ``best_found``: the gap that is left is larger; much better ones may exist.
Status = Literal["optimal", "gap_proven", "best_found"]
Model = Literal["set covering", "maximal covering", "p-median", "p-centre", "capacitated covering"]

#: What a solver that works in floating point can prove: a gap of at most one millionth is none.
PROVEN_GAP: Final = 1e-6

#: The largest gap that still says something.
USEFUL_GAP: Final = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Siting:
    """Chosen sites.

    Attributes
    ----------
    model
        Which question was answered.
    chosen
        The new sites, ascending. A site that would serve nobody better is not chosen, even if more are allowed.
    is_open
        Shape ``(m,)``: existing and chosen sites.
    server
        Shape ``(n,)``: the open site that serves each demand point, -1 if none does: the one of least cost and of these
        the one of the least number; with capacities the one that serves most of its people.
    server_cost
        Shape ``(n,)``: the cost to it, infinite without one.
    served_share
        Shape ``(n,)``: the share of its people that is served: 0 or 1, or between them with capacities.
    flow_demand, flow_site, flow_people
        Who is served where: people of a demand point served by a site, by demand point and site.
    left_out
        Demand points with people that nothing can serve and that the caller chose to leave out, ascending.
    people_before, people_new, people_uncovered
        Served by existing sites alone; served by these and the chosen ones, but not before; and not served. They sum to
        all people.
    weight_before, weight_new, weight_uncovered
        The same in people × priority.
    spent
        What the chosen sites cost, in the unit of the budget; None where nothing is told of money.
    value
        What was asked for: sites (set covering), weight newly covered (maximal and capacitated covering), weight × cost
        in all (p-median), the largest cost (p-centre).
    bound
        No choice has less (set covering, p-median, p-centre), or more (maximal and capacitated covering).
    gap
        |value − bound| / the smaller of both: 0 where they are equal, infinite where the smaller is 0 and the other is not.
    status
        What the gap means; a search that was cut off is never called optimal unless the gap is proven to be none.
    time_limit_s
        Seconds that were allowed.
    """

    model: Model
    chosen: Int64
    is_open: Booleans
    server: Int64
    server_cost: Floats
    served_share: Floats
    flow_demand: Int64
    flow_site: Int64
    flow_people: Floats
    left_out: Int64
    people_before: float
    people_new: float
    people_uncovered: float
    weight_before: float
    weight_new: float
    weight_uncovered: float
    spent: int | None
    value: float
    bound: float
    gap: float
    status: Status
    time_limit_s: float


def gap_of(value: float, bound: float) -> float:
    """Return how far a value may be from the best, as a share of the smaller of value and bound.

    Examples
    --------
    >>> gap_of(10.0, 8.0), gap_of(0.0, 0.0), gap_of(5.0, 0.0)
    (0.25, 0.0, inf)
    """
    if value == bound:
        return 0.0
    least = min(value, bound)
    return abs(value - bound) / least if least > 0 else math.inf


def status_of(gap: float) -> Status:
    """Name what a gap means.

    Examples
    --------
    >>> status_of(0.0), status_of(0.01), status_of(2.0)
    ('optimal', 'gap_proven', 'best_found')
    """
    return "optimal" if gap <= PROVEN_GAP else "gap_proven" if gap <= USEFUL_GAP else "best_found"


def nearest(question: Question, is_open: Booleans, threshold: float = math.inf) -> tuple[Int64, Floats]:
    """Find the open site of least cost of each demand point, within a threshold that is included.

    Returns
    -------
    tuple of ndarray
        Shape ``(n,)`` each: the site, -1 where there is none, the least number where several cost as little; its cost,
        infinite where there is none.
    """
    kept = is_open[question.site] & (question.cost <= threshold)
    demand, site, cost = question.demand[kept], question.site[kept], question.cost[kept]
    order = np.lexsort((site, cost, demand))
    demand, site, cost = demand[order], site[order], cost[order]
    is_first = np.ones(demand.size, dtype=np.bool_)
    is_first[1:] = demand[1:] != demand[:-1]
    server, server_cost = np.full(question.size, -1, dtype=np.int64), np.full(question.size, math.inf)
    server[demand[is_first]], server_cost[demand[is_first]] = site[is_first], cost[is_first]
    return server, server_cost


def spent_on(question: Question, chosen: Int64) -> int | None:
    """Add up what sites cost, exactly; None where nothing is told of money."""
    return None if question.site_costs is None else sum(question.site_costs[chosen].tolist())


def siting_of(
    question: Question,
    model: Model,
    chosen: Int64,
    value: float,
    bound: float,
    time_limit_s: float,
    *,
    threshold: float = math.inf,
    left_out: Int64 | None = None,
) -> Siting:
    """Put together a result where each demand point goes to its nearest open site."""
    is_open = question.is_existing.copy()
    is_open[chosen] = True
    server, cost = nearest(question, is_open, threshold)
    was = nearest(question, question.is_existing, threshold)[0] >= 0
    served = np.flatnonzero(server >= 0)
    is_new, is_left = (server >= 0) & ~was, server < 0
    people, weight = question.people, question.weight
    gap = gap_of(value, bound)
    return Siting(
        model=model,
        chosen=np.sort(chosen),
        is_open=is_open,
        server=server,
        server_cost=cost,
        served_share=(server >= 0).astype(np.float64),
        flow_demand=served,
        flow_site=server[served],
        flow_people=people[served],
        left_out=np.zeros(0, np.int64) if left_out is None else left_out,
        people_before=float(people[was].sum()),
        people_new=float(people[is_new].sum()),
        people_uncovered=float(people[is_left].sum()),
        weight_before=float(weight[was].sum()),
        weight_new=float(weight[is_new].sum()),
        weight_uncovered=float(weight[is_left].sum()),
        spent=spent_on(question, chosen),
        value=value,
        bound=bound,
        gap=gap,
        status=status_of(gap),
        time_limit_s=time_limit_s,
    )


__all__ = [
    "PROVEN_GAP",
    "USEFUL_GAP",
    "Model",
    "Siting",
    "Status",
    "gap_of",
    "nearest",
    "siting_of",
    "spent_on",
    "status_of",
]

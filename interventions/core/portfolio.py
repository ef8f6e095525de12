"""Which proposals to decide under a budget, so that most people are newly served, each counted once.

Maximal coverage [@church1974] with costs in place of a number of sites, known as budgeted maximum coverage
[@khuller1999]: with w_i the weight of a unit of demand, N_i the proposals that serve it, c_j their costs and B the
budget, maximise Σ w_i x_i where x_i ≤ Σ_{j∈N_i} y_j, Σ c_j y_j ≤ B, y_j 0 or 1. Solved by HiGHS, with what is
proven and what is not kept apart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from geo.errors import InvalidInput, LimitExceeded
from interventions.core.columns import Booleans, Floats
from interventions.core.portfolio_question import Demand, Group, Question, Reason, Rules, Selection, question_of
from interventions.core.portfolio_search import heuristic, thrifty
from interventions.core.portfolio_solver import by_solver, unreachable

Status = Literal["optimal", "feasible"]
Finder = Literal["solver", "heuristic"]

#: What a solver that works in floating point can prove: a gap of at most one millionth is none.
PROVEN_GAP: Final = 1e-6

#: Seconds for the solver, so that an answer takes no more than ten in all.
TIME_LIMIT_S: Final = 9.0


@dataclass(frozen=True, slots=True)
class Chosen:
    """A proposal that was chosen.

    Attributes
    ----------
    proposal
        Its number.
    cost_irr
        Rials.
    alone
        What it would add if nothing else were chosen, in people × priority.
    adds
        What would be lost without it, the others being chosen; less than `alone` where they overlap.
    adds_people
        The same in people.
    """

    proposal: int
    cost_irr: int
    alone: float
    adds: float
    adds_people: float


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A proposal that was not chosen, and why.

    Attributes
    ----------
    proposal
        Its number.
    cost_irr
        Rials.
    alone, adds, adds_people
        As of `Chosen`: `adds` is what it would add to those that were chosen.
    reason
        The first that holds: ``excluded`` (forced out), ``adds_nothing`` (others serve all whom it serves),
        ``exclusive`` (one that excludes it is chosen), ``ceiling`` (it costs more than may still be spent on a group of
        it), ``no_money`` (it costs more than is left).
    """

    proposal: int
    cost_irr: int
    alone: float
    adds: float
    adds_people: float
    reason: Reason


@dataclass(frozen=True, slots=True, eq=False)
class Portfolio:
    """Proposals chosen under a budget.

    Attributes
    ----------
    chosen
        By number.
    left_out
        All others, those that would add most first.
    cost_irr, left_irr
        What is spent and what is left of the budget, in rials.
    value
        People newly served × priority, each once.
    people
        People newly served, each once for each service.
    bound
        No selection reaches more than this.
    gap
        (bound − value) / value, at least 0; infinite where the value is 0 and the bound is not.
    status
        ``optimal`` where the gap is at most `PROVEN_GAP`, else ``feasible``: allowed, and not proven to be the best.
    found_by
        Who found it.
    served_share
        Of each unit of demand, the share that is newly served.
    spent_irr
        Rials spent on each group.
    """

    chosen: tuple[Chosen, ...]
    left_out: tuple[LeftOut, ...]
    cost_irr: int
    left_irr: int
    value: float
    people: float
    bound: float
    gap: float
    status: Status
    found_by: Finder
    served_share: Floats
    spent_irr: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """What a budget would reach; attributes as of `Portfolio`, with the numbers of those that were chosen."""

    budget_irr: int
    cost_irr: int
    value: float
    people: float
    bound: float
    status: Status
    chosen: tuple[int, ...]


def portfolio(
    costs_irr: Sequence[int], demand: Demand, rules: Rules, *, time_limit_s: float = TIME_LIMIT_S
) -> Portfolio:
    """Choose proposals.

    Units of demand that the same proposals serve are one to the solver. Of proposals that serve different shares of a
    unit the largest share counts, as coverage by the nearest facility has it. The order of arguments decides nothing
    but which of several equally good selections is found; the same arguments give the same answer unless the solver
    is cut off.

    Parameters
    ----------
    costs_irr
        Cost of each proposal in whole rials, zero or more.
    demand
        Whom they serve.
    rules
        What may be chosen.
    time_limit_s
        Seconds for the solver, above 0. It is asked again, for as long, in the rare case that it selected what only its
        tolerance (10⁻⁶ of a limit) allows.

    Raises
    ------
    InvalidInput
        Where columns do not fit (``lengths_differ``, ``out_of_range``), or nothing meets the rules: ``rules_contradict``
        or ``floors_unreachable``, naming groups.
    LimitExceeded
        Where nothing that meets the floors was found in time, nor proven not to exist (``no_portfolio_in_time``).

    Examples
    --------
    Three clinics for 100, 80 and 60 people, of whom the first two share 70; there is money for two.

    >>> demand = Demand([0, 0, 1, 1, 2], [0, 1, 1, 2, 3], [1.0] * 5, [30.0, 70.0, 10.0, 60.0], [1.0] * 4)
    >>> best = portfolio([5, 5, 5], demand, Rules(budget_irr=10))
    >>> [one.proposal for one in best.chosen], best.value, best.status
    ([0, 2], 160.0, 'optimal')
    >>> [(one.proposal, one.adds, one.reason) for one in best.left_out]
    [(1, 10.0, 'no_money')]
    """
    if not 0 < time_limit_s < math.inf:
        raise InvalidInput("The time limit must be above zero.", code="out_of_range", where="time_limit_s")
    question = question_of(costs_irr, demand, rules)
    selection, bound, found_by = _solved(question, time_limit_s)
    return _told(question, selection, bound, found_by)


def budget_curve(
    costs_irr: Sequence[int],
    demand: Demand,
    rules: Rules,
    budgets_irr: Sequence[int],
    *,
    time_limit_s: float | None = None,
) -> tuple[CurvePoint, ...]:
    """Return what each of several budgets would reach, so that one sees what the next unit of money would add.

    Parameters
    ----------
    costs_irr, demand, rules
        As of `portfolio`; the budget of the rules is not used.
    budgets_irr
        Budgets in rials.
    time_limit_s
        Seconds for the solver at each budget; None for the heuristic alone (a tenth of a second each, and a bound that
        is not tight, so that few points are ``optimal``).

    Returns
    -------
    tuple of CurvePoint
        In ascending order of the budgets; budgets under which the rules allow nothing are left out. A larger budget
        never reaches less.

    Examples
    --------
    >>> demand = Demand([0, 1, 2], [0, 1, 2], [1.0] * 3, [10.0, 40.0, 5.0], [1.0] * 3)
    >>> [(at.budget_irr, at.value) for at in budget_curve([1, 2, 1], demand, Rules(0), [1, 2, 3, 9])]
    [(1, 10.0), (2, 40.0), (3, 50.0), (9, 55.0)]
    """
    question = question_of(costs_irr, demand, replace(rules, budget_irr=max(budgets_irr, default=0)))
    points: list[CurvePoint] = []
    best: Selection | None = None
    for budget in sorted(set(map(int, budgets_irr))):
        asked = replace(question, rules=replace(rules, budget_irr=budget))
        bound = asked.bound()
        selection: Selection | None
        if time_limit_s is None:
            selection = heuristic(asked)
            if selection is not None and not asked.is_allowed(selection):
                selection = None  # what is forced in costs more
        else:
            try:
                selection, bound, _ = _solved(asked, time_limit_s)
            except (InvalidInput, LimitExceeded):
                selection = None
        found = [one for one in (best, selection) if one is not None]
        if not found:
            continue
        # What a smaller budget allowed is allowed still.
        best = max(found, key=asked.value)
        value = asked.value(best)
        bound = max(bound, value)
        status, _ = _proof(value, bound)
        points.append(
            CurvePoint(budget, asked.cost(best), value, asked.people(best), bound, status, tuple(sorted(best)))
        )
    return tuple(points)


def _solved(question: Question, time_limit_s: float) -> tuple[Selection, float, Finder]:
    """Return the best selection that was found, what none exceeds, and who found it."""
    found = heuristic(question)
    if found is not None and question.is_allowed(found) and question.value(found) >= question.bound():
        return thrifty(question, found), question.bound(), "heuristic"  # nobody is left to serve
    solved, bound = by_solver(question, time_limit_s)
    if bound < 0:
        raise unreachable(question, time_limit_s)
    finder: Finder = "heuristic"
    if solved is not None and (found is None or question.value(solved) >= question.value(found)):
        found, finder = solved, "solver"
    if found is None:
        raise LimitExceeded(
            "Nothing that meets the floors was found in the time allowed.",
            code="no_portfolio_in_time",
            where="time_limit_s",
            remedy="Allow more time, or lower a floor.",
        )
    return thrifty(question, found), bound, finder


def _told(question: Question, selection: Selection, bound: float, found_by: Finder) -> Portfolio:
    rules = question.rules
    times = question.times_served(selection)
    alone = question.gains(np.zeros(times.size))
    gains, losses = question.gains(times), question.losses(times)
    gained_people = question.serves.T @ np.where(times > 0, 0.0, question.heads)
    lost_people = question.serves.T @ np.where(times == 1, question.heads, 0.0)
    cost, value = question.cost(selection), question.value(selection)
    # A selection is itself a proof that so much can be reached.
    bound = max(bound, value)
    status, gap = _proof(value, bound)
    against = question.against(selection)

    def reason(j: int) -> Reason:
        why = against(j)
        # What adds something and is allowed was added; so there is a reason against all the rest.
        return "adds_nothing" if why is None or (why != "excluded" and gains[j] <= 0) else why

    left_out = [
        LeftOut(
            j, question.costs[j], float(alone[j]), float(gains[j]), float(gained_people[j]), reason(j)
        )
        for j in range(question.size)
        if j not in selection
    ]  # fmt: skip
    return Portfolio(
        chosen=tuple(
            Chosen(j, question.costs[j], float(alone[j]), float(losses[j]), float(lost_people[j]))
            for j in sorted(selection)
        ),
        left_out=tuple(sorted(left_out, key=lambda one: (-one.adds, one.proposal))),
        cost_irr=cost,
        left_irr=rules.budget_irr - cost,
        value=value,
        people=question.people(selection),
        bound=bound,
        gap=gap,
        status=status,
        found_by=found_by,
        served_share=_served_share(question, selection),
        spent_irr=tuple(question.cost(group.proposals & selection) for group in rules.groups),
    )


def _proof(value: float, bound: float) -> tuple[Status, float]:
    gap = (bound - value) / value if value > 0 else (math.inf if bound > 0 else 0.0)
    return "optimal" if gap <= PROVEN_GAP else "feasible", gap


def _served_share(question: Question, selection: Selection) -> Floats:
    demand = question.demand
    share = np.zeros(np.asarray(demand.people).size)
    is_chosen: Booleans = question.mask(selection)[np.asarray(demand.proposal)] > 0
    np.maximum.at(share, np.asarray(demand.unit)[is_chosen], np.asarray(demand.share)[is_chosen])
    return share


__all__ = [
    "PROVEN_GAP",
    "TIME_LIMIT_S",
    "Chosen",
    "CurvePoint",
    "Demand",
    "Group",
    "LeftOut",
    "Portfolio",
    "Rules",
    "budget_curve",
    "portfolio",
]

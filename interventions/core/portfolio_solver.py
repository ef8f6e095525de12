"""Portfolios by HiGHS [@huangfu2018]: the best there is and its proof, or what was proven until it was cut off."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Final

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from geo.errors import InvalidInput
from interventions.core.columns import Floats
from interventions.core.portfolio_question import Question, Selection

#: How often a selection that only the solver's tolerance allows is forbidden and another one asked for.
_MOST_CUTS: Final = 50

#: Limits of so many units of money at most are told in whole units, which the solver's tolerance cannot blur.
_MOST_UNITS: Final = 10_000
_SOLVED, _INFEASIBLE = 0, 2
#: A row of the question to the solver: coefficients of the proposals, least and most.
Row = tuple[Floats, float, float]


def by_solver(
    question: Question, time_limit_s: float, floors: Collection[int] | None = None
) -> tuple[Selection | None, float]:
    """Ask HiGHS; return what it selected and a bound, which is −1 where the rules allow nothing.

    Parameters
    ----------
    question
        What is asked.
    time_limit_s
        Seconds.
    floors
        Numbers of the groups whose floors hold; if given, whatever meets them will do. All of them where None.
    """
    n = question.size
    is_judged = floors is None
    if floors is not None:
        groups = question.rules.groups
        kept = tuple(g if i in floors else replace(g, floor_irr=0, fewest=0) for i, g in enumerate(groups))
        question = replace(question, rules=replace(question.rules, groups=kept))
    if not n:
        return (frozenset(), 0.0) if question.is_allowed(frozenset()) else (None, -1.0)
    trivial = question.bound()
    total = math.fsum(question.weights) or 1.0
    # What only one proposal serves is its own; the others need a column each, which whole proposals make whole.
    is_shared = np.diff(question.serves.indptr) > 1
    own = question.serves[~is_shared].T @ question.weights[~is_shared]
    shared, weights = question.serves[is_shared], question.weights[is_shared]
    if not is_judged:
        own, shared, weights = np.zeros(n), shared[:0], weights[:0]
    m = weights.size
    lowest, highest = np.zeros(n + m), np.ones(n + m)
    lowest[list(question.rules.forced_in)] = 1.0
    highest[list(question.rules.forced_out)] = 0.0
    rows = list(_rows(question))
    bound = trivial
    for _ in range(_MOST_CUTS):
        answer = milp(
            -np.r_[own, weights] / total * 1000,
            integrality=np.r_[np.ones(n), np.zeros(m)],
            bounds=Bounds(lowest, highest),
            constraints=_constraints(rows, shared),
            options={"time_limit": time_limit_s, "mip_rel_gap": 0.0},
        )
        if answer.status == _INFEASIBLE:
            return None, -1.0
        told = answer.mip_dual_bound
        if told is not None and math.isfinite(told):
            bound = max(min(bound, -told * total / 1000), 0.0)
        if answer.x is None:
            return None, bound
        selection = frozenset(np.flatnonzero(answer.x[:n] > 0.5).tolist())
        if question.is_allowed(selection):
            return selection, bound
        cut = _cut(question, selection)
        if answer.status != _SOLVED or cut is None:
            return None, bound
        rows.append(cut)
    return None, bound


def _constraints(rows: list[Row], shared: sparse.csr_array) -> LinearConstraint:
    """Put together x_i ≤ Σ y_j for each set, and the rows, which are of proposals alone."""
    m = shared.shape[0]
    of_sets = sparse.hstack([-shared, sparse.eye_array(m)])
    of_rules = sparse.hstack([np.array([row for row, _, _ in rows]), sparse.csr_array((len(rows), m))])
    return LinearConstraint(
        sparse.vstack([of_sets, of_rules]).tocsr(),
        np.r_[np.full(m, -math.inf), [least for _, least, _ in rows]],
        np.r_[np.zeros(m), [most for _, _, most in rows]],
    )


def _rows(question: Question) -> Iterator[Row]:
    for members, most_irr in question.ceilings():
        row, most = _money(question, members, most_irr, is_floor=False)
        yield row, -math.inf, most
    for group in question.rules.groups:
        if group.floor_irr:
            row, least = _money(question, group.proposals, group.floor_irr, is_floor=True)
            yield row, least, math.inf
        if group.fewest:
            yield question.mask(group.proposals), float(group.fewest), math.inf
    for pair in question.rules.exclusive:
        yield question.mask(pair), -math.inf, 1.0


def _money(question: Question, members: Selection, limit_irr: int, *, is_floor: bool) -> tuple[Floats, float]:
    """Give costs and a limit in the largest unit of money that all costs are whole numbers of.

    Where that makes too many units for the solver, they are told as parts of the limit.
    """
    unit = math.gcd(*(question.costs[j] for j in members)) or 1
    limit = -(-limit_irr // unit) if is_floor else limit_irr // unit
    row = np.zeros(question.size)
    scale = limit if limit > _MOST_UNITS else 1
    for j in members:
        # Whatever is above the limit is too much for a ceiling, and enough for a floor.
        row[j] = min(question.costs[j] // unit, limit if is_floor else limit + 1) / scale
    return row, limit / scale


def _cut(question: Question, selection: Selection) -> Row | None:
    """Give a row that forbids a selection which breaks a limit of money, and nothing that is allowed.

    Proposals that cost more than may be spent are a cover; of these and of others that cost as much one less may be
    chosen (an extended cover [@balas1975]). For a floor the same holds of what is not chosen.
    """
    for members, most_irr in question.ceilings():
        if question.cost(selection & members) > most_irr:
            extended, most = _cover(question, selection & members, members, most_irr)
            return question.mask(extended), -math.inf, float(most)
    for group in question.rules.groups:
        if question.cost(selection & group.proposals) < group.floor_irr:
            spare_irr = question.cost(group.proposals) - group.floor_irr
            if spare_irr < 0:
                return np.zeros(question.size), 1.0, math.inf
            extended, most = _cover(question, group.proposals - selection, group.proposals, spare_irr)
            return question.mask(extended), float(len(extended) - most), math.inf
    return None


def _cover(question: Question, inside: Selection, members: Selection, most_irr: int) -> tuple[Selection, int]:
    """Give an extended cover within the members, and how many of it may be chosen."""
    cover, cost = set(inside), question.cost(inside)
    for j in sorted(inside, key=lambda j: (-question.costs[j], j)):
        if cost - question.costs[j] > most_irr:
            cover.remove(j)
            cost -= question.costs[j]
    k = len(cover)
    # Any k of a set are too dear if its k cheapest are: the set reaches down as far as that holds.
    falling = sorted(members, key=lambda j: (-question.costs[j], j))
    reach = k
    while reach < len(falling) and question.cost(falling[reach + 1 - k : reach + 1]) > most_irr:
        reach += 1
    extended = frozenset(falling[:reach])
    if not extended >= cover:
        dearest = max(question.costs[j] for j in cover)
        extended = frozenset(cover).union(j for j in members if question.costs[j] >= dearest)
    return extended, k - 1


def unreachable(question: Question, time_limit_s: float) -> InvalidInput:
    """Name floors that cannot be met together, and of which none is superfluous to that."""
    groups = question.rules.groups
    kept = [i for i, group in enumerate(groups) if group.floor_irr or group.fewest]
    for i in tuple(kept):
        fewer = [k for k in kept if k != i]
        if by_solver(question, time_limit_s, fewer)[1] < 0:
            kept = fewer
    names = [groups[i].name for i in kept]
    return InvalidInput(
        "These floors cannot be met together with the other rules.",
        code="floors_unreachable",
        where=", ".join(names) or "rules",
        remedy="Lower one of them, or allow more money.",
        details={"groups": names},
    )


__all__ = ["by_solver", "unreachable"]

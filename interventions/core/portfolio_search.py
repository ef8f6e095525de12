"""Good portfolios by greed and exchange: quick, and without a proof."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import numpy as np

from interventions.core.portfolio_question import Question, Selection, per_rial

_MOST_PASSES: Final = 50


def heuristic(question: Question) -> Selection | None:
    """Return a good selection, found by greed and exchange; None where the floors were not met so.

    Greed takes by gain per rial, by gain, and by gain per rial after the one that adds most alone: the best of the
    first and the last reaches at least ½(1 − 1/e) of what is possible where the budget is the only rule [@khuller1999].
    """
    alone = question.gains(np.zeros(question.weights.size))
    ways: list[tuple[Selection, Callable[[float, int], float]]] = [
        (frozenset(), per_rial),
        (frozenset(), lambda gain, _: gain),
    ]
    against = question.against(question.rules.forced_in)
    free = (j for j in range(question.size) if j not in question.rules.forced_in and against(j) is None)
    first = max(free, key=lambda j: (alone[j], -question.costs[j]), default=None)
    if first is not None:
        ways.append((frozenset({first}), per_rial))
    found = [_greedy(question, question.rules.forced_in | begin, rate) for begin, rate in ways]
    allowed = [selection for selection in found if selection is not None]
    return _exchanged(question, max(allowed, key=question.value)) if allowed else None


def _greedy(question: Question, begin: Selection, rate: Callable[[float, int], float]) -> Selection | None:
    selection = begin
    gains = question.gains(question.times_served(selection))

    def best(candidates: Iterable[int]) -> int | None:
        against = question.against(selection)
        allowed = (j for j in candidates if j not in selection and against(j) is None)
        order = ((-rate(float(gains[j]), question.costs[j]), question.costs[j], j) for j in allowed)
        return min(order, default=(0.0, 0, None))[2]

    for group in question.rules.groups:
        while question.lacks(group, selection):
            chosen = best(group.proposals)
            if chosen is None:
                return None
            selection |= {chosen}
            gains = question.gains(question.times_served(selection))
    while (chosen := best(np.flatnonzero(gains > 0).tolist())) is not None:
        selection |= {chosen}
        gains = question.gains(question.times_served(selection))
    return selection


def _exchanged(question: Question, selection: Selection) -> Selection:
    """Exchange one chosen proposal for another, and add what then has room, as long as that gains."""
    value = question.value(selection)
    for _ in range(_MOST_PASSES):
        before = value
        for out in sorted(selection - question.rules.forced_in):
            less = selection - {out}
            gains = question.gains(question.times_served(less))
            against = question.against(less)
            worth = np.flatnonzero(gains > gains[out] * (1 + 1e-9))
            for come in worth[np.argsort(-gains[worth], kind="stable")].tolist():
                if come not in less and against(come) is None and question.is_allowed(less | {come}):
                    selection = _completed(question, less | {come})
                    value = question.value(selection)
                    break
        if value <= before * (1 + 1e-9):
            break
    return selection


def _completed(question: Question, selection: Selection) -> Selection:
    """Add what still adds something and is allowed, most for its money first."""
    return _greedy(question, selection, per_rial) or selection


def thrifty(question: Question, selection: Selection) -> Selection:
    """Leave out what others serve as well, the dearest first, where no rule asks for it; add what that makes room for."""
    while True:
        for j in sorted(selection - question.rules.forced_in, key=lambda j: (-question.costs[j], j)):
            if question.losses(question.times_served(selection))[j] <= 0 and question.is_allowed(selection - {j}):
                selection -= {j}
        completed = _completed(question, selection)
        if completed == selection:
            return selection
        selection = completed


__all__ = ["heuristic", "thrifty"]

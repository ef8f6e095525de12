"""How little the weights must change for a place to cross the line, or why no weights do it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from analysis.core.index import GEOMETRIC_FLOOR
from analysis.core.ranking import (
    Method,
    checked_method,
    checked_scores,
    checked_weights_many,
    ranks_of_many,
    scores_of_many,
)
from analysis.core.weight_programs import Distance, Programme, cheapest, distance_of
from analysis.core.weight_search import searched
from geo.errors import InvalidInput

Floats = NDArray[np.float64]

#: Why a place cannot cross the line.
#: ``all-inside``: there are no more places than the line lets in. ``one-indicator``: there is no weight to move.
#: ``whatever-the-weights``: proven, no weights move it. ``only-by-a-tie``: some weights may make it equal, none more
#: than that can be told. ``not-found``: none were found, which proves nothing.
Reason = Literal["all-inside", "one-indicator", "whatever-the-weights", "only-by-a-tie", "not-found"]

# Scores that agree to nine decimals are ties: by how many points of 100 a place is to be ahead, tried in turn.
_MARGINS: Final = {"in": (0.0, 1e-6, 1e-4), "out": (1e-6, 1e-5, 1e-4)}


@dataclass(frozen=True, slots=True, eq=False)
class WeightChange:
    """The smallest change of weights that moves a place across the line.

    Attributes
    ----------
    place, first, moves
        Which place, the line after the first so many, and whether it would move ``in`` or ``out``.
    rank_before, rank_after
        By the weights given and by those found; the latter by ranking again. None if nothing was found.
    weights
        Shape ``(k,)``, summing to 1; None if nothing was found.
    distance
        Between the weights given, which are scaled to sum to 1, and those found: by ``l1`` Σ |Δw|, twice the weight
        that is moved; by ``l2`` √Σ Δw². None if nothing was found.
    bound
        No smaller change does it: proven for the method if linear, else 0. It is ``distance`` where that is proven.
    is_proven
        Whether ``distance`` is proven to be the smallest (up to 10⁻⁶ points by which scores must differ), or that
        nothing can be found.
    reason
        Why nothing was found; None if something was.
    """

    place: int
    first: int
    moves: Literal["in", "out"]
    rank_before: int
    rank_after: int | None
    weights: Floats | None
    distance: float | None
    bound: float
    is_proven: bool
    reason: Reason | None


def smallest_weight_change(
    scores: NDArray[np.floating],
    weights: Sequence[float] | NDArray[np.floating],
    place: int,
    first: int,
    method: Method = "arithmetic",
    distance: Distance = "l1",
    time_limit_s: float = 5.0,
    seed: int = 1,
    ahead_points: float = 0.0,
) -> WeightChange:
    """Find the smallest change of the weights that moves a place into the first so many, or out of them.

    Parameters
    ----------
    scores
        Shape ``(p, k)``: 0 to 1, 1 is the worst need; NaN where missing.
    weights
        Shape ``(k,)``: zero or more; scaled to sum to 1, as are those found.
    place
        Its number.
    first
        The line is after so many; ties with the last one inside are inside.
    method
        ``arithmetic`` and ``geometric`` are solved exactly if all places have the same indicators (or none), the
        others are searched.
    distance
        ``l1`` or ``l2``.
    time_limit_s
        For the exact methods; what was found until then is answered, with ``is_proven`` false.
    seed
        Of the search.
    ahead_points
        By how many points of 100 the place is to be ahead of those it passes, or behind those that pass it, so that
        rounding the weights does not undo it; only the exact methods look for more than the least. What they then prove holds for
        so much; by ``geometric`` points are of the scale of logarithms.

    Returns
    -------
    WeightChange
        What it claims was checked by ranking all places again.

    Raises
    ------
    InvalidInput
        If what is given cannot be used, or the place does not exist.

    Notes
    -----
    Place i is ahead of j by a weighted mean if (s_i − s_j)·w > 0, and by the geometric mean if so for −ln g in place of s:
    linear in w. At least p − first (to move in; first to move out) of these must hold, whichever: branch and bound, each
    node a linear program for HiGHS [@huangfu2018] by l1, and a least distance to a polyhedron [@lawson1974] by l2.

    Examples
    --------
    Two places, two indicators; the second place becomes the first once the second weight is at least one half:

    >>> change = smallest_weight_change(np.array([[1.0, 0.0], [0.0, 1.0]]), [3, 1], place=1, first=1)
    >>> change.moves, change.rank_after, change.weights.round(3).tolist(), round(change.distance, 3), change.is_proven
    ('in', 1, [0.5, 0.5], 0.5, True)
    """
    known, share = checked_scores(scores), np.asarray(weights, dtype=np.float64).reshape(1, -1)
    share = checked_weights_many(share, known.shape[1])[0]
    checked_method(method)
    checked_place(place, first, len(known))
    if not (np.isfinite(ahead_points) and 0 <= ahead_points <= 100):
        raise InvalidInput("A distance to the line is negative or not a number.", code="bad_number")
    if distance not in ("l1", "l2"):
        raise InvalidInput(f"“{distance}” is not a distance between weights.", code="bad_method")
    before = rank_of(known, share, place, method)
    moves: Literal["in", "out"] = "in" if before > first else "out"

    def none(reason: Reason, *, is_proven: bool, bound: float = 0.0) -> WeightChange:
        return WeightChange(place, first, moves, before, None, None, None, bound, is_proven, reason)

    if len(known) <= first:
        return none("all-inside", is_proven=True)
    if known.shape[1] == 1:
        return none("one-indicator", is_proven=True)

    def is_flipped(many: Floats) -> NDArray[np.bool_]:
        ranks = ranks_of_many(scores_of_many(known, many, method))[:, place]
        return np.asarray((ranks <= first) == (moves == "in"))

    def found(new: Floats, bound: float, *, is_proven: bool) -> WeightChange:
        rank, change = rank_of(known, new, place, method), distance_of(new - share, distance)
        return WeightChange(place, first, moves, before, rank, new, change, bound, is_proven, None)

    terms = _linear_terms(known, method)
    if terms is not None:
        ahead = np.delete(terms[place] - terms, place, axis=0)
        needed = len(ahead) - first + 1 if moves == "in" else first
        bound = 0.0
        for margin in (ahead_points,) if ahead_points > 0 else _MARGINS[moves]:
            programme = Programme(ahead if moves == "in" else -ahead, needed, share, margin / 100)
            solution = cheapest(programme, distance, time_limit_s)
            if solution.is_impossible and ahead_points > 0:
                return none("not-found", is_proven=False)
            if solution.is_impossible:
                # With a margin this says nothing of ties, which let a place in but not out.
                is_sure = margin == 0.0 or moves == "out"
                return none("whatever-the-weights" if is_sure else "only-by-a-tie", is_proven=is_sure)
            bound = max(bound, solution.bound) if margin == 0.0 or moves == "out" else bound
            if solution.weights is not None and is_flipped(solution.weights[None])[0]:
                change = distance_of(solution.weights - share, distance)
                is_proven = solution.bound >= change * (1 - 1e-6) - 1e-8
                return found(solution.weights, change if is_proven else min(bound, change), is_proven=is_proven)
        # Every margin failed by time or by the last digits: what a search finds is still an answer.
    best = searched(is_flipped, share, distance, seed)
    return none("not-found", is_proven=False) if best is None else found(best, 0.0, is_proven=False)


def rank_of(scores: Floats, share: Floats, place: int, method: Method) -> int:
    """Return the rank of a place."""
    return int(ranks_of_many(scores_of_many(scores, share[None], method))[0, place])


def checked_place(place: int, first: int, p: int) -> None:
    """Refuse a place that there is not, and a line that is none."""
    if not 0 <= place < p:
        raise InvalidInput(f"There is no place {place} among {p}.", code="bad_place")
    if first < 1:
        raise InvalidInput("The number of first places must be one or more.", code="bad_line")


def _linear_terms(scores: Floats, method: Method) -> Floats | None:
    """Return what a place is ahead of another by, weight for weight; None if the order is not linear in the weights."""
    if method not in ("arithmetic", "geometric"):
        return None
    is_missing = np.isnan(scores)
    has_any = ~is_missing.all(axis=1)
    # Where places have different indicators each has weights of its own, and comparing two is no longer linear.
    if (is_missing[has_any] != is_missing[has_any][:1]).any():
        return None
    known = np.where(is_missing, 0.0, scores)
    if method == "arithmetic":
        return known
    return np.asarray(np.log1p(-(1.0 - GEOMETRIC_FLOOR) * known) / math.log(GEOMETRIC_FLOOR))

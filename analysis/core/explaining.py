"""Why a place stands where it does: what sets it apart from its neighbours in rank, and who is near the line.

What each indicator contributes to a score is told by `analysis.core.index.aggregate`; what would move a place by
`analysis.core.weight_changes` and `analysis.core.indicator_changes`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.core.index import aggregate
from analysis.core.ranking import (
    Method,
    checked_method,
    checked_scores,
    checked_weights_many,
    ranks_of_many,
    scores_of_many,
)
from analysis.core.ranking_loops import stretch
from analysis.core.weight_changes import checked_place
from geo.errors import InvalidInput

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Neighbour:
    """A place next in rank, and what sets it apart.

    Attributes
    ----------
    place, rank
        Which.
    points
        Its score less the score of the place asked about.
    points_of
        Shape ``(k,)``: how much of that each indicator accounts for; their sum is ``points``.
    """

    place: int
    rank: int
    points: float
    points_of: Floats


@dataclass(frozen=True, slots=True, eq=False)
class NeighboursInRank:
    """Who stands just above and just below a place.

    Attributes
    ----------
    place, rank
        Which was asked about.
    above, below
        The nearest with a better and with a worse rank; of several, the first by number. None where there is none.
    tied
        Other places with the same rank.
    """

    place: int
    rank: int
    above: Neighbour | None
    below: Neighbour | None
    tied: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A place near the line.

    Attributes
    ----------
    place, rank
        Which.
    is_inside
        Whether it is among the first so many.
    points
        How much its score would have to change to reach that of the nearest place on the other side; zero or more.
    """

    place: int
    rank: int
    is_inside: bool
    points: float


def neighbours_in_rank(
    scores: NDArray[np.floating],
    weights: Sequence[float] | NDArray[np.floating],
    place: int,
    method: Method = "arithmetic",
) -> NeighboursInRank:
    """Tell which indicators set a place apart from those just above and just below it.

    Parameters
    ----------
    scores
        Shape ``(p, k)``: 0 to 1, 1 is the worst need; NaN where missing.
    weights
        Shape ``(k,)``: as for `analysis.core.index.aggregate`.
    place
        Its number.
    method
        ``arithmetic`` and ``geometric``: the difference of the contributions of `analysis.core.index.aggregate`.
        TOPSIS and VIKOR have none that add up to their differences: the place's indicators are replaced by the neighbour's one after the
        other, and what each replacement does to the score is averaged over orders in which every indicator comes as
        often at every position (all turns of the given order, forwards and backwards); the best and worst of VIKOR stay.

    Returns
    -------
    NeighboursInRank
        A missing indicator, which has others stand in for it, may account for points too.

    Raises
    ------
    InvalidInput
        If what is given cannot be used, or the place does not exist.

    Notes
    -----
    Averages over all orders would be Shapley values [@shapley1953], for which there are too many.

    Examples
    --------
    >>> found = neighbours_in_rank(np.array([[0.9, 0.1], [0.3, 0.5], [0.1, 0.1]]), [1, 1], place=1)
    >>> found.rank, found.above.place, found.above.points_of.round(6).tolist(), found.below.points_of.round(6).tolist()
    (2, 0, [30.0, -20.0], [-10.0, -20.0])
    """
    known = checked_scores(scores)
    share = checked_weights_many(np.asarray(weights, dtype=np.float64).reshape(1, -1), known.shape[1])
    checked_method(method)
    checked_place(place, 1, len(known))
    points = scores_of_many(known, share, method)
    ranks = ranks_of_many(points)[0].astype(np.int64)

    def neighbour(at: int) -> Neighbour:
        if method in ("arithmetic", "geometric"):
            both = aggregate(known[[place, at]], share[0], "arithmetic" if method == "arithmetic" else "geometric")
            of = both.contributions[1] - both.contributions[0]
            difference = both.score[1] - both.score[0]
        else:
            of, difference = _by_replacing(known, share, place, at, method), points[0, at] - points[0, place]
        return Neighbour(at, int(ranks[at]), float(difference), of)

    better, worse = np.flatnonzero(ranks < ranks[place]), np.flatnonzero(ranks > ranks[place])
    return NeighboursInRank(
        place,
        int(ranks[place]),
        neighbour(int(better[ranks[better].argmax()])) if better.size else None,
        neighbour(int(worse[ranks[worse].argmin()])) if worse.size else None,
        tuple(int(other) for other in np.flatnonzero(ranks == ranks[place]) if other != place),
    )


def near_misses(score: NDArray[np.floating], first: int, within_points: float) -> tuple[NearMiss, ...]:
    """List the places near the line on both sides.

    Parameters
    ----------
    score
        Shape ``(p,)``: 0 to 100.
    first
        The line is after so many; ties with the last one inside are inside.
    within_points
        How near, zero or more.

    Returns
    -------
    tuple of NearMiss
        The nearest first, then by number. Empty if all places are inside: then there is no line.

    Raises
    ------
    InvalidInput
        If a score is outside 0 to 100 or not a number, or a number is out of its range.

    Examples
    --------
    >>> found = near_misses(np.array([90.0, 71.0, 70.0, 40.0]), first=2, within_points=5)
    >>> [(miss.place, miss.is_inside, miss.points) for miss in found]
    [(1, True, 1.0), (2, False, 1.0)]
    """
    given = np.asarray(score, dtype=np.float64)
    if first < 1:
        raise InvalidInput("The number of first places must be one or more.", code="bad_line")
    if not (np.isfinite(within_points) and within_points >= 0):
        raise InvalidInput("A distance to the line is negative or not a number.", code="bad_number")
    ranks = ranks_of_many(given[None])[0]
    inside = ranks <= first
    if inside.all():
        return ()
    points = np.where(inside, given - given[~inside].max(), given[inside].min() - given)
    near = np.flatnonzero(points <= within_points + 1e-9)
    order = near[np.lexsort((near, np.round(points[near], 9)))]
    return tuple(NearMiss(int(j), int(ranks[j]), bool(inside[j]), max(float(points[j]), 0.0)) for j in order)


def _by_replacing(scores: Floats, share: Floats, place: int, other: int, method: Method) -> Floats:
    """Account for the points between two places by replacing indicator after indicator, over balanced orders."""
    k = scores.shape[1]
    turns = [np.roll(np.arange(k), -shift) for shift in range(k)]
    orders = turns + [order[::-1] for order in turns]
    of = np.zeros(k)
    for order in orders:
        # Row m: the other's first m indicators in this order, the rest the place's own.
        steps = np.repeat(scores[[place]], k + 1, axis=0)
        for m, q in enumerate(order):
            steps[m + 1 :, q] = scores[other, q]
        of[order] += np.diff(_points_among(scores, steps, share, method))
    return of / len(orders)


def _points_among(scores: Floats, rows: Floats, share: Floats, method: Method) -> Floats:
    """Return the scores that rows would have, without being counted among the places themselves."""
    if method == "topsis":
        return np.asarray(scores_of_many(rows, share, method)[0])
    is_known = (~np.isnan(rows) & (share[0] > 0)).any(axis=1)
    if method == "vikor":
        both = np.vstack((scores, rows)).T[None].copy()
        # Rows are made of what places have, and so within the ends of these.
        stretch(both)
        scores, rows = both[0].T[: len(scores)], both[0].T[len(scores) :]
    regret, most = _losses(scores, share[0])
    of_rows, most_of_rows = _losses(rows, share[0])
    has_any = ~np.isnan(regret)
    points = np.full(len(rows), 100.0)
    for known, mine in ((regret[has_any], of_rows), (most[has_any], most_of_rows)):
        width = known.max() - known.min() if known.size else 0.0
        points -= 50.0 * ((mine - known.min()) / width if width > 1e-9 else 0.5)
    return np.where(np.isnan(of_rows), np.where(is_known, 50.0, 0.0), points)


def _losses(scores: Floats, share: Floats) -> tuple[Floats, Floats]:
    """Return S and R of VIKOR; NaN for a row without any weight."""
    present = ~np.isnan(scores)
    weight = present @ share
    loss = np.where(present, share * (1.0 - np.nan_to_num(scores)), 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        total, most = loss.sum(axis=1) / weight, loss.max(axis=1) / weight
    return np.where(weight > 0, total, np.nan), np.where(weight > 0, most, np.nan)

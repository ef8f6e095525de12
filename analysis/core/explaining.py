"""Why a place stands where it does: what sets it apart from its neighbours in rank, and what would move it.

What each indicator contributes to a score is told by `analysis.core.index.aggregate`; how the weights would have to
change by `analysis.core.weight_changes.smallest_weight_change`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from analysis.core.index import aggregate
from analysis.core.indicator_draws import Indicators, Normalisation, drawn_scores, normalise_columns
from analysis.core.ranking import (
    Method,
    aggregated,
    checked_method,
    checked_scores,
    checked_weights_many,
    ranked,
    ranks_of_many,
    scores_of_many,
)
from analysis.core.weight_changes import checked_place
from geo.errors import InvalidInput

Floats = NDArray[np.float64]

#: Why changing one indicator does not move a place. ``all-inside``: there are no more places than the line lets in.
#: ``missing``: the place has no value to change. ``no-weight``: the indicator does not count. ``not-enough``: not even
#: its best or worst value does it.
IndicatorReason = Literal["all-inside", "missing", "no-weight", "not-enough"]

# Values between the present one and the furthest are tried in so many steps, then so many between two of these.
_STEPS: Final = 64
_ZOOMS: Final = 9


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
class IndicatorChange:
    """What one indicator of a place would have to be for the place to cross the line.

    Attributes
    ----------
    indicator
        Its number.
    value
        Now; None if missing.
    needed
        The value nearest to it, on the side that moves the place the right way, by which the place crosses; all other
        values stay. None if there is none.
    rank_after
        By ranking again with that value; None if there is none.
    reason
        Why there is none; None if there is.
    """

    indicator: int
    value: float | None
    needed: float | None
    rank_after: int | None
    reason: IndicatorReason | None


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
        ``topsis`` and ``vikor`` have no contributions: the place's indicators are replaced by the neighbour's one after the
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


def smallest_indicator_change(
    indicators: Indicators,
    weights: Sequence[float] | NDArray[np.floating],
    place: int,
    first: int,
    normalisation: Normalisation = "goalpost",
    method: Method = "arithmetic",
) -> tuple[IndicatorChange, ...]:
    """Tell, for each indicator, which value a place would need to get into the first so many, or out of them.

    Parameters
    ----------
    indicators
        Values before normalising; errors are not looked at.
    weights
        Shape ``(k,)``: as for `analysis.core.index.aggregate`.
    place, first
        The place, and the line after so many; ties with the last one inside are inside.
    normalisation, method
        Of the ranking. A changed value changes the scores of others too, unless by ``goalpost``.

    Returns
    -------
    tuple of IndicatorChange
        One for each indicator, in their order. Values are looked for between the present one and the goalpost, or
        the largest or smallest value of any place. By ``goalpost`` with a mean or TOPSIS, where more need never moves a
        place back, ``needed`` is the nearest value there is, to a relative 10⁻¹². Otherwise a nearer one may hide
        between two steps of one 64th of the way. A place that crosses only by a tie crosses if ties do.

    Raises
    ------
    InvalidInput
        If what is given cannot be used, or the place does not exist.

    Examples
    --------
    Two places by two indicators of equal weight, 60 points to 40: the second needs 6 instead of 2, or 10 instead of 6:

    >>> two = Indicators([[6, 6], [2, 6]], ["more-is-worse"] * 2, [[0, 10], [0, 10]])
    >>> [(change.value, round(change.needed, 9), change.rank_after) for change in smallest_indicator_change(two, [1, 1], 1, 1)]
    [(2.0, 6.0, 1), (6.0, 10.0, 1)]
    """
    values = indicators.values
    p, k = values.shape
    share = checked_weights_many(np.asarray(weights, dtype=np.float64).reshape(1, -1), k)
    checked_method(method)
    checked_place(place, first, p)
    is_in = bool(_rank_with(drawn_scores(indicators, normalisation, None), share, method)[0, place] <= first)

    def change(q: int) -> IndicatorChange:
        value = float(values[place, q])
        if np.isnan(value):
            return IndicatorChange(q, None, None, None, "missing")
        if p <= first or share[0, q] == 0:
            return IndicatorChange(q, value, None, None, "all-inside" if p <= first else "no-weight")
        column = _Column(indicators, q, normalisation, share, method, place)
        near, far = value, column.furthest(is_worse=not is_in)
        if near == far:
            return IndicatorChange(q, value, None, None, "not-enough")
        for zoom in range(_ZOOMS):
            tried = near + (far - near) * np.linspace(0.0, 1.0, _STEPS + 1)[1:]
            # The furthest itself, which sums may miss by a digit.
            tried[-1] = far
            flips = np.flatnonzero((column.ranks(tried) <= first) != is_in)
            if not flips.size:
                # What flipped before at the end of the step cannot be lost; only the first time there may be nothing.
                assert zoom == 0
                return IndicatorChange(q, value, None, None, "not-enough")
            near, far = float(tried[flips[0] - 1]) if flips[0] else near, float(tried[flips[0]])
        changed = values.copy()
        changed[place, q] = far
        again = Indicators(changed, indicators.directions, indicators.goalposts)
        rank = int(_rank_with(drawn_scores(again, normalisation, None), share, method)[0, place])
        assert (rank <= first) != is_in
        return IndicatorChange(q, value, far, rank, None)

    return tuple(change(q) for q in range(k))


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
        raise InvalidInput("The first so many places must be one or more.", code="bad_line")
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


class _Column:
    """Rankings with other values of one indicator at one place."""

    def __init__(
        self, indicators: Indicators, q: int, normalisation: Normalisation, share: Floats, method: Method, place: int
    ) -> None:
        self._indicators, self._q, self._place = indicators, np.array([q]), place
        self._normalisation, self._share, self._method = normalisation, share, method
        self._scores = drawn_scores(indicators, normalisation, None)

    def furthest(self, *, is_worse: bool) -> float:
        """Return the value of the most need, or of the least; the present one if it is beyond that already."""
        column, posts = self._indicators.values[:, self._q[0]], self._indicators.goalposts
        is_fixed = posts is not None and self._normalisation == "goalpost"
        low, high = posts[self._q[0]] if posts is not None and is_fixed else (np.nanmin(column), np.nanmax(column))
        is_up = is_worse == bool(self._indicators.is_worse[self._q[0]])
        here = column[self._place]
        return float(max(high, here) if is_up else min(low, here))

    def ranks(self, tried: Floats) -> NDArray[np.int32]:
        """Return the rank of the place for each value."""
        found = np.repeat(self._indicators.values.T[None, self._q], len(tried), axis=0)
        found[:, 0, self._place] = tried
        normalise_columns(found, self._q, self._indicators, self._normalisation)
        scores = np.repeat(self._scores, len(tried), axis=0)
        scores[:, self._q] = found
        ranks = _rank_with(scores, np.repeat(self._share, len(tried), axis=0), self._method)
        return np.asarray(ranks[:, self._place])


def _rank_with(scores: Floats, share: Floats, method: Method) -> NDArray[np.int32]:
    points = np.empty((len(share), scores.shape[2]))
    aggregated(scores, share, method, points)
    ranks = np.empty(points.shape, np.int32)
    ranked(points, ranks)
    return ranks


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
    regret, most = _losses(scores, share[0])
    of_rows, most_of_rows = _losses(rows, share[0])
    has_any = ~np.isnan(regret)
    points = np.full(len(rows), 100.0)
    for known, mine in ((regret[has_any], of_rows), (most[has_any], most_of_rows)):
        width = known.max() - known.min() if known.size else 0.0
        if width > 1e-12:
            points -= 50.0 * (mine - known.min()) / width
    return np.where(np.isnan(of_rows), 0.0, points)


def _losses(scores: Floats, share: Floats) -> tuple[Floats, Floats]:
    """Return S and R of VIKOR; NaN for a row without any weight."""
    present = ~np.isnan(scores)
    weight = present @ share
    loss = np.where(present, share * (1.0 - np.nan_to_num(scores)), 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        total, most = loss.sum(axis=1) / weight, loss.max(axis=1) / weight
    return np.where(weight > 0, total, np.nan), np.where(weight > 0, most, np.nan)

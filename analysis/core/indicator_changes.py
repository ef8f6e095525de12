"""What one indicator of a place would have to be for the place to cross the line."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from analysis.core.indicator_draws import Indicators, Normalisation, drawn_scores, normalise_columns
from analysis.core.rank_draws import rank_into
from analysis.core.ranking import Method, checked_method, checked_weights_many
from analysis.core.weight_changes import checked_place

Floats = NDArray[np.float64]

#: Why changing one indicator does not move a place. ``all-inside``: there are no more places than the line lets in.
#: ``missing``: the place has no value to change. ``no-weight``: the indicator does not count. ``not-enough``: not even
#: its best or worst value does it.
IndicatorReason = Literal["all-inside", "missing", "no-weight", "not-enough"]

# Values between the present one and the furthest are tried in so many steps, then so many between two of these.
_STEPS: Final = 64
_ZOOMS: Final = 9


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
        for _ in range(_ZOOMS):
            tried = near + (far - near) * np.linspace(0.0, 1.0, _STEPS + 1)[1:]
            # The furthest itself, which sums may miss by a digit.
            tried[-1] = far
            flips = np.flatnonzero((column.ranks(tried) <= first) != is_in)
            if not flips.size:
                return IndicatorChange(q, value, None, None, "not-enough")
            near, far = float(tried[flips[0] - 1]) if flips[0] else near, float(tried[flips[0]])
        changed = values.copy()
        changed[place, q] = far
        again = Indicators(changed, indicators.directions, indicators.goalposts)
        rank = int(_rank_with(drawn_scores(again, normalisation, None), share, method)[0, place])
        if (rank <= first) == is_in:
            return IndicatorChange(q, value, None, None, "not-enough")
        return IndicatorChange(q, value, far, rank, None)

    return tuple(change(q) for q in range(k))


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
    ranks = np.empty((len(share), scores.shape[2]), np.int32)
    rank_into(scores, share, method, ranks)
    return ranks

"""Does a ranking hold if what should not matter is changed? To be asked before an index is published."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from analysis.core.indicator_draws import Indicators, Normalisation, drawn_scores
from analysis.core.rank_draws import rank_into
from analysis.core.ranking import Method, checked_method, checked_weights_many
from geo.errors import InvalidInput

Floats = NDArray[np.float64]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]

Change = Literal["place-left-out", "place-copied", "indicator-left-out"]


@dataclass(frozen=True, slots=True)
class Reversal:
    """Pairs of places that changed their order, though neither of them was changed.

    Attributes
    ----------
    change
        What was changed.
    number
        Of the place or the indicator.
    count
        How many pairs changed their order; pairs that became equal, or were equal before, are not counted.
    pairs
        The place that was ahead, and the one that now is; those with the best ranks first, not all if there are many.
    """

    change: Change
    number: int
    count: int
    pairs: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Reversals:
    """What one way of aggregating does.

    Attributes
    ----------
    method
        The way.
    asked
        How many changes were tried.
    found
        Those that reversed pairs.
    not_asked
        Indicators that could not be left out, as no other has a weight.
    """

    method: Method
    asked: int
    found: tuple[Reversal, ...]
    not_asked: tuple[int, ...]


def rank_reversals(
    indicators: Indicators,
    weights: Sequence[float] | NDArray[np.floating],
    normalisation: Normalisation,
    aggregations: Sequence[Method],
    most_pairs: int = 10,
) -> tuple[Reversals, ...]:
    """Leave out each place, copy each place, leave out each indicator; tell which pairs of places change their order.

    Parameters
    ----------
    indicators
        Values before normalising; they are normalised anew after each change. Errors are not looked at.
    weights
        Shape ``(k,)``: as for `analysis.core.index.aggregate`.
    normalisation, aggregations
        Of the ranking; several ways of aggregating can be compared.
    most_pairs
        So many pairs are named for each change.

    Returns
    -------
    tuple of Reversals
        One for each way of aggregating. By goalposts with a weighted mean (arithmetic or geometric) or TOPSIS with
        fixed ideals, leaving out or copying places reverses nothing, as the score of a place is its own affair.

    Raises
    ------
    InvalidInput
        If what is given cannot be used.

    Notes
    -----
    Reference: [@garcia2012], for TOPSIS; [@saisana2005] for leaving out indicators.

    Examples
    --------
    By the smallest and largest value, a place that is extreme in both makes the first indicator count little: with it
    place 3 (3/8 and 0) is ahead of place 2 (1/8 and 1/5), without it place 2 (1/3 and 1) of place 3 (1 and 0).

    >>> places = Indicators([[8, 10], [0, 2], [1, 2], [3, 0]], ["more-is-worse"] * 2)
    >>> found = rank_reversals(places, [1, 1], "min-max", ["arithmetic"])[0]
    >>> [(reversal.change, reversal.number, reversal.pairs) for reversal in found.found][0]
    ('place-left-out', 0, ((3, 2),))
    """
    share = checked_weights_many(np.asarray(weights, dtype=np.float64).reshape(1, -1), indicators.values.shape[1])
    for method in aggregations:
        checked_method(method)
    if most_pairs < 0:
        raise InvalidInput("A number of pairs is negative.", code="bad_number")
    plain = Indicators(indicators.values, indicators.directions, indicators.goalposts)
    before = [_ranks(plain, share, normalisation, method) for method in aggregations]
    found: list[list[Reversal]] = [[] for _ in aggregations]
    asked, not_asked = 0, []
    for change, number, changed, weight, kept in _changes(plain, share):
        if not (weight > 0).any():
            not_asked.append(number)
            continue
        asked += 1
        for at, method in enumerate(aggregations):
            after = _ranks(changed, weight / weight.sum(), normalisation, method)
            reversal = _reversal(change, number, before[at][kept], after[: kept.size], kept, most_pairs)
            if reversal is not None:
                found[at].append(reversal)
    return tuple(
        Reversals(method, asked, tuple(of_method), tuple(not_asked))
        for method, of_method in zip(aggregations, found, strict=True)
    )


def _changes(indicators: Indicators, share: Floats) -> Iterator[tuple[Change, int, Indicators, Floats, Int64]]:
    """Yield each change: what, which, the values then, the weights then, and the places that both have."""
    values, everywhere = indicators.values, np.arange(len(indicators.values))
    for place in range(len(values)):
        rest = np.delete(everywhere, place)
        yield "place-left-out", place, _of(indicators, values[rest]), share, rest
    for place in range(len(values)):
        yield "place-copied", place, _of(indicators, np.vstack((values, values[place]))), share, everywhere
    for number in range(values.shape[1]):
        weight = share.copy()
        weight[0, number] = 0.0
        yield "indicator-left-out", number, indicators, weight, everywhere


def _of(indicators: Indicators, values: Floats) -> Indicators:
    return Indicators(values, indicators.directions, indicators.goalposts)


def _ranks(indicators: Indicators, share: Floats, normalisation: Normalisation, method: Method) -> Int32:
    scores = drawn_scores(indicators, normalisation, None)
    ranks = np.empty(scores.shape[2], np.int32)
    rank_into(scores, share, method, ranks[None])
    return ranks


def _reversal(
    change: Change, number: int, before: Int32, after: Int32, kept: Int64, most_pairs: int
) -> Reversal | None:
    order = np.lexsort((after, before))
    ranks_before, ranks_after = before[order], after[order]
    # In the order before, ranks after must not fall; this is so in most cases, and quick to see.
    if (np.diff(ranks_after) >= 0).all():
        return None
    pairs = np.empty((most_pairs, 2), np.int64)
    count = _reversed(ranks_before, ranks_after, pairs)
    if count == 0:
        return None
    named = kept[order[pairs[: min(count, most_pairs)]]].tolist()
    return Reversal(change, number, count, tuple((int(ahead), int(behind)) for ahead, behind in named))


@njit(cache=True, nogil=True)
def _reversed(before, after, pairs):  # type: ignore[no-untyped-def]
    """Count pairs in the order before whose order is another after, and list the first of them."""
    count = 0
    for i in range(before.size):
        for j in range(i + 1, before.size):
            if before[i] < before[j] and after[i] > after[j]:
                if count < pairs.shape[0]:
                    pairs[count, 0] = i
                    pairs[count, 1] = j
                count += 1
    return count

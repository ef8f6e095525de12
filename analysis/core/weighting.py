"""Weights of indicators: alike, or as institutions divide their points.

Those from comparing two at a time are in `analysis.core.pairwise`, those from data in `analysis.core.data_weighting`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from geo.errors import InvalidInput

Floats = NDArray[np.float64]

Weighting = Literal["equal", "budget", "pairwise", "entropy", "critic", "merec"]


@dataclass(frozen=True, slots=True)
class Consistency:
    """How well pairwise comparisons agree with each other.

    Attributes
    ----------
    largest_eigenvalue
        λ of the matrix, the number of indicators if the comparisons agree fully.
    index
        (λ − k)/(k − 1); 0 for one indicator.
    ratio
        The index divided by that of random comparisons, `analysis.core.pairwise.RANDOM_INDEX`; 0 for one or two
        indicators, which cannot contradict each other.
    is_consistent
        Is the ratio at most `analysis.core.pairwise.CONSISTENCY_LIMIT`?
    most_at_odds
        Numbers i and j of the two indicators whose comparison is most at odds with the weights, such that i was said
        to be more important relative to j than the weights make it. None if all comparisons agree.
    said, implied
        That comparison as given, and the ratio of the two weights; None likewise.
    """

    largest_eigenvalue: float
    index: float
    ratio: float
    is_consistent: bool
    most_at_odds: tuple[int, int] | None
    said: float | None
    implied: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """Weights of indicators and where they come from.

    Attributes
    ----------
    shares
        Shape ``(k,)``: zero or more, summing to 1.
    method
        How they were found.
    amounts
        Shape ``(k,)``: what the shares are the proportions of, in the method's own measure (points, divergence,
        information, removal effect).
    spread
        Shape ``(k,)``, for ``budget``: the standard deviation of the institutions' shares; None otherwise.
    consistency
        For ``pairwise``: how well the comparisons agree with each other; None otherwise.
    """

    shares: Floats
    method: Weighting
    amounts: Floats
    spread: Floats | None = None
    consistency: Consistency | None = None


def equal_weights(count: int) -> Weights:
    """Give every indicator the same weight, which is a judgement too.

    Parameters
    ----------
    count
        Number of indicators, one or more.

    Raises
    ------
    InvalidInput
        If there is none.

    Examples
    --------
    >>> equal_weights(4).shares.tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    if count < 1:
        raise InvalidInput("There is no indicator to weigh.", code="no_indicators", remedy="Choose one or more.")
    return Weights(np.full(count, 1.0 / count), "equal", np.ones(count))


def budget_allocation(points: Sequence[Sequence[float]] | NDArray[np.floating]) -> Weights:
    """Weigh indicators by the points that institutions divide among them; each institution counts the same.

    Parameters
    ----------
    points
        Shape ``(institutions, k)``: zero or more; an institution may have any number of points to give.

    Returns
    -------
    Weights
        The mean of the institutions' shares, with their standard deviation (over the institutions, not corrected).

    Raises
    ------
    InvalidInput
        If there is no institution or indicator, points are negative or not numbers, or an institution gives none.

    Notes
    -----
    Reference: [@oecd2008], step 6, budget allocation.

    Examples
    --------
    >>> weights = budget_allocation([[50.0, 50.0], [0.0, 8.0]])
    >>> weights.shares.tolist(), weights.spread.tolist()
    ([0.25, 0.75], [0.25, 0.25])
    """
    array = np.asarray(points, dtype=np.float64)
    if array.ndim != 2 or not array.size:
        raise InvalidInput(
            f"Points of shape {array.shape} are not a table of institutions and indicators.", code="length_mismatch"
        )
    is_bad = ~np.all(np.isfinite(array) & (array >= 0), axis=1)
    if is_bad.any():
        raise InvalidInput(
            "The points of an institution are negative or not numbers.",
            code="bad_weight",
            where=f"institution {np.flatnonzero(is_bad)[0]}",
            remedy="Give zero or more for each indicator.",
        )
    largest = array.max(axis=1)
    if not largest.all():
        raise InvalidInput(
            "An institution gives no points at all.",
            code="bad_weight",
            where=f"institution {np.flatnonzero(largest == 0)[0]}",
            remedy="Leave it out, or divide its points.",
        )
    shares = array / largest[:, None]
    shares /= shares.sum(axis=1, keepdims=True)
    mean = shares.mean(axis=0)
    return Weights(mean / mean.sum(), "budget", mean, spread=shares.std(axis=0))

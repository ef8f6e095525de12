"""The composite priority index: indicators to scores, scores to one number, and the number taken apart again.

A score is between 0 and 1, and 1 is the worst need. The method follows the OECD/JRC handbook [@oecd2008].
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from geo.errors import InvalidInput

Floats = NDArray[np.float64]

#: Does a larger value of the indicator mean less need, or more?
Direction = Literal["more-is-better", "more-is-worse"]
Normalisation = Literal["goalpost", "min-max"]
Aggregation = Literal["arithmetic", "geometric"]

#: What is left of the best when an indicator is at its worst: a geometric mean needs factors above zero.
GEOMETRIC_FLOOR: Final = 0.01

# Scores that differ by less are ties: the order of a sum must not decide a rank.
_TIE_DECIMALS: Final = 9


@dataclass(frozen=True, slots=True, eq=False)
class Priority:
    """The priority of places.

    Attributes
    ----------
    score
        Shape ``(p,)``, 0 to 100, 100 is the highest need. 0 for a place without any indicator (reliability 0).
    rank
        Shape ``(p,)``, 1 is the highest need; ties share the better rank and the next ones are left out (1, 2, 2, 4).
    contributions
        Shape ``(p, k)``: points of the score owed to each indicator; their sum is the score. A missing one has 0.
    reliability
        Shape ``(p,)``, 0 to 1: the weight of the indicators that are present, of all weight.
    present
        Shape ``(p, k)``: which indicators each place has.
    weights
        Shape ``(k,)``: as used, summing to 1.
    method
        How scores were aggregated.
    """

    score: Floats
    rank: NDArray[np.int64]
    contributions: Floats
    reliability: Floats
    present: NDArray[np.bool_]
    weights: Floats
    method: Aggregation


def normalise(
    values: NDArray[np.floating],
    direction: Direction,
    method: Normalisation = "goalpost",
    goalposts: tuple[float, float] | None = None,
) -> Floats:
    """Turn the values of one indicator into scores between 0 (no need) and 1 (worst need).

    Parameters
    ----------
    values
        Shape ``(p,)``: in the indicator's own unit; NaN where missing.
    direction
        ``more-is-better`` (a covered share) or ``more-is-worse`` (a distance, a number of uncovered people).
    method
        ``goalpost``: linear between two fixed values, cut off beyond them; scores stay comparable over years and
        between cities. ``min-max``: the same between the smallest and the largest value present; relative, for one
        date only.
    goalposts
        ``(low, high)`` in the indicator's unit, low below high, for the method ``goalpost`` only.

    Returns
    -------
    ndarray
        Shape ``(p,)``; NaN where the value is missing. If all values are equal, ``min-max`` gives 0.5 to each: they
        do not differ, so the indicator must move no place up or down.

    Raises
    ------
    InvalidInput
        If a value is infinite, the goalposts are missing, not finite or not ascending, or a choice is unknown.

    Notes
    -----
    Reference: [@oecd2008], step 5. Fixed goalposts as in the Human Development Index, [@undp2010].

    Examples
    --------
    >>> normalise(np.array([0.2, 0.6, 1.0]), "more-is-better", "goalpost", (0.0, 1.0)).tolist()
    [0.8, 0.4, 0.0]
    >>> normalise(np.array([100.0, 300.0, 500.0]), "more-is-worse", "min-max").tolist()
    [0.0, 0.5, 1.0]
    """
    values = np.asarray(values, dtype=np.float64)
    if np.isinf(values).any():
        raise InvalidInput(
            "An indicator has an infinite value.",
            code="bad_indicator",
            where=f"place {np.flatnonzero(np.isinf(values))[0]}",
            remedy="Leave it missing, or give it the value of the goalpost.",
        )
    if direction not in ("more-is-better", "more-is-worse"):
        raise InvalidInput(f"“{direction}” is not a direction.", code="bad_direction")
    if method == "goalpost":
        if goalposts is None:
            raise InvalidInput("The method “goalpost” needs two goalposts.", code="bad_goalposts")
        low, high = (float(value) for value in goalposts)
        if not (np.isfinite(low) and np.isfinite(high) and low < high):
            raise InvalidInput(
                f"The goalposts {low:g} and {high:g} are not two ascending numbers.", code="bad_goalposts"
            )
    elif method == "min-max":
        present = values[~np.isnan(values)]
        if present.size == 0:
            return np.full(values.shape, np.nan)
        low, high = float(present.min()), float(present.max())
        if low == high:
            return np.where(np.isnan(values), np.nan, 0.5)
    else:
        raise InvalidInput(f"“{method}” is not a method of normalising.", code="bad_method")
    # Divided before subtracting, so that a range near the largest number does not overflow.
    scores = (values / 2 - low / 2) / (high / 2 - low / 2)
    scores = np.clip(scores, 0.0, 1.0)
    return np.asarray(1.0 - scores if direction == "more-is-better" else scores)


def aggregate(
    scores: NDArray[np.floating], weights: Sequence[float] | NDArray[np.floating], method: Aggregation = "arithmetic"
) -> Priority:
    """Put the scores of several indicators together, rank the places, and say what each indicator contributes.

    Parameters
    ----------
    scores
        Shape ``(p, k)``, from `normalise`; NaN where missing. A missing indicator is left out for that place and
        the other weights are scaled up; `Priority.reliability` says how much weight was left.
    weights
        Shape ``(k,)``: zero or more, not all zero; only their proportions matter.
    method
        ``arithmetic``: 100 · Σ w s. A good value makes up for a bad one in full.
        ``geometric``: 100 · (1 − Π g^w) / (1 − ε) with g = 1 − (1 − ε) s and ε = `GEOMETRIC_FLOOR`: the weighted
        geometric mean of what is *well*, so that one bad value is only partly hidden by good ones. Where all scores
        are s, both methods give 100 · s.

    Returns
    -------
    Priority
        For ``geometric`` the contributions share the score out in the proportion w · ln g, the terms of its
        logarithm; they too sum to the score.

    Raises
    ------
    InvalidInput
        If shapes do not fit, a score is outside [0, 1], a weight is negative or not finite, or all are zero.

    Notes
    -----
    Reference: [@oecd2008], steps 6 and 7; for the geometric mean [@undp2010].

    Examples
    --------
    >>> result = aggregate(np.array([[1.0, 0.0], [0.5, 0.5], [0.2, np.nan]]), [3.0, 1.0])
    >>> result.score.tolist(), result.rank.tolist(), result.reliability.tolist()
    ([75.0, 50.0, 20.0], [1, 2, 3], [1.0, 1.0, 0.75])
    >>> result.contributions.tolist()
    [[75.0, 0.0], [37.5, 12.5], [20.0, 0.0]]
    """
    scores = np.asarray(scores, dtype=np.float64)
    share = _checked_weights(weights)
    if scores.ndim != 2 or scores.shape[1] != share.size:
        raise InvalidInput(f"Scores of shape {scores.shape} do not fit {share.size} weights.", code="length_mismatch")
    present = ~np.isnan(scores)
    known = np.where(present, scores, 0.0)
    if not ((known >= 0) & (known <= 1)).all():
        raise InvalidInput("A score is outside 0 to 1.", code="bad_score", remedy="Normalise the indicator first.")
    reliability = np.minimum(present @ share, 1.0)
    reliability[(present | (share == 0)).all(axis=1)] = 1.0
    weight = np.divide(present * share, reliability[:, None], out=np.zeros_like(known), where=reliability[:, None] > 0)
    if method == "arithmetic":
        contributions = 100.0 * weight * known
        score = contributions.sum(axis=1)
    elif method == "geometric":
        log_well = weight * np.log1p(-(1.0 - GEOMETRIC_FLOOR) * known)
        total = log_well.sum(axis=1)
        score = -100.0 * np.expm1(total) / (1.0 - GEOMETRIC_FLOOR)
        portion = np.divide(log_well, total[:, None], out=np.zeros_like(log_well), where=total[:, None] < 0)
        contributions = score[:, None] * portion
    else:
        raise InvalidInput(f"“{method}” is not a method of aggregating.", code="bad_method")
    score = np.clip(score, 0.0, 100.0)
    return Priority(score, competition_rank(score), contributions, reliability, present, share, method)


def competition_rank(score: NDArray[np.floating]) -> NDArray[np.int64]:
    """Rank scores, 1 for the largest; ties share the better rank and the next ones are left out.

    Scores are ties if they agree to nine decimals.

    Examples
    --------
    >>> competition_rank(np.array([50.0, 80.0, 50.0, 10.0])).tolist()
    [2, 1, 2, 4]
    """
    rounded = np.round(np.asarray(score, dtype=np.float64), _TIE_DECIMALS)
    ascending = np.sort(-rounded)
    return np.searchsorted(ascending, -rounded, side="left").astype(np.int64) + 1


def _checked_weights(weights: Sequence[float] | NDArray[np.floating]) -> Floats:
    array = np.asarray(weights, dtype=np.float64).ravel()
    if not (np.isfinite(array) & (array >= 0)).all():
        raise InvalidInput("A weight is negative or not a number.", code="bad_weight", remedy="Give zero or more.")
    largest = array.max(initial=0.0)
    if largest == 0:
        raise InvalidInput("All weights are zero.", code="bad_weight", remedy="Give at least one a weight.")
    # Scaled by the largest first, so that neither very large nor very small weights lose their proportions.
    scaled = array / largest
    return np.asarray(scaled / scaled.sum())

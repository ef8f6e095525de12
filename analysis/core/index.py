"""The composite priority index: scores to one number, and the number taken apart again.

A score is between 0 and 1, and 1 is the worst need. The method follows the OECD/JRC handbook [@oecd2008].
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from analysis.core.ideal_points import Compromise, Ideals, topsis, vikor
from geo.errors import InvalidInput

Floats = NDArray[np.float64]

Aggregation = Literal["arithmetic", "geometric", "topsis", "vikor"]

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
    parts
        Shape ``(p, k)``: `contributions`, or None where the method has none.
    reliability
        Shape ``(p,)``, 0 to 1: the weight of the indicators that are present, of all weight.
    present
        Shape ``(p, k)``: which indicators each place has.
    weights
        Shape ``(k,)``: as used, summing to 1.
    method
        How scores were aggregated.
    compromise
        What ``vikor`` measured; None for the other methods.
    """

    score: Floats
    rank: NDArray[np.int64]
    parts: Floats | None
    reliability: Floats
    present: NDArray[np.bool_]
    weights: Floats
    method: Aggregation
    compromise: Compromise | None = None

    @property
    def contributions(self) -> Floats:
        """Shape ``(p, k)``: points of the score owed to each indicator; their sum is the score. A missing one has 0.

        Raises
        ------
        InvalidInput
            If the method has none; then `parts` is None.
        """
        if self.parts is None:
            raise InvalidInput(
                f"The method “{self.method}” does not divide its score among indicators.",
                code="no_contributions",
                remedy="Show its measures instead, or aggregate in another way.",
            )
        return self.parts


def aggregate(
    scores: NDArray[np.floating],
    weights: Sequence[float] | NDArray[np.floating],
    method: Aggregation = "arithmetic",
    *,
    ideals: Ideals = "fixed",
    strategy: float = 0.5,
) -> Priority:
    """Put the scores of several indicators together, rank the places, and say what each indicator contributes.

    Parameters
    ----------
    scores
        Shape ``(p, k)``, from `analysis.core.normalising.normalise`; NaN where missing. A missing indicator is left
        out for that place and the other weights are scaled up; `Priority.reliability` says how much weight was left.
    weights
        Shape ``(k,)``: zero or more, not all zero; only their proportions matter.
    method
        ``arithmetic``: 100 · Σ w s. A good value makes up for a bad one in full.
        ``geometric``: 100 · (1 − Π g^w) / (1 − ε) with g = 1 − (1 − ε) s and ε = `GEOMETRIC_FLOOR`: the weighted
        geometric mean of what is *well*, so that one bad value is only partly hidden by good ones.
        ``topsis``: 100 · D⁻/(D⁻ + D⁺), the distances to no need and to the worst need,
        `analysis.core.ideal_points.topsis`. Indicators count by the squares of their weights.
        Where all scores are s, these three give 100 · s, the last with fixed ideal points.
        ``vikor``: 100 · (1 − Q), `analysis.core.ideal_points.vikor`. Relative to the places given: the one that is
        nearest to the worst need found gets the most, 100 if it is so by both measures, whatever its own need.
    ideals
        For ``topsis``: ``fixed`` at 1 and 0, so that no place can change the order of others, or those of the
        ``data``.
    strategy
        For ``vikor``: v, 0 to 1, how much the sum counts against the single indicator that objects most.

    Returns
    -------
    Priority
        For ``geometric`` the contributions share the score out in the proportion w · ln g, the terms of its
        logarithm; for ``topsis`` in the proportion w² s², the terms of the squared distance from no need. They too
        sum to the score. ``vikor`` has none: the largest distance belongs to one indicator, and what is measured
        against the extremes of other places does not divide among indicators.

    Raises
    ------
    InvalidInput
        If shapes do not fit, a score is outside [0, 1], a weight is negative or not finite, or all are zero, or a
        choice is unknown.

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
    >>> aggregate(np.array([[1.0, 0.0], [0.5, 0.5], [0.2, np.nan]]), [3.0, 1.0], "topsis").score.round(1).tolist()
    [75.0, 50.0, 20.0]
    """
    need = np.asarray(scores, dtype=np.float64)
    share = _checked_weights(weights)
    if need.ndim != 2 or need.shape[1] != share.size:
        raise InvalidInput(f"Scores of shape {need.shape} do not fit {share.size} weights.", code="length_mismatch")
    present = ~np.isnan(need)
    known = np.where(present, need, 0.0)
    if not ((known >= 0) & (known <= 1)).all():
        raise InvalidInput("A score is outside 0 to 1.", code="bad_score", remedy="Normalise the indicator first.")
    if ideals not in ("fixed", "data"):
        raise InvalidInput(f"“{ideals}” is not a choice of ideal points.", code="bad_method")
    if not 0 <= strategy <= 1:
        raise InvalidInput(f"The strategy {strategy:g} is outside 0 to 1.", code="bad_strategy")
    reliability = np.minimum(present @ share, 1.0)
    reliability[(present | (share == 0)).all(axis=1)] = 1.0
    weight = np.divide(present * share, reliability[:, None], out=np.zeros_like(known), where=reliability[:, None] > 0)
    parts: Floats | None = None
    compromise: Compromise | None = None
    if method == "arithmetic":
        parts = 100.0 * weight * known
        score = parts.sum(axis=1)
    elif method == "geometric":
        log_well = weight * np.log1p(-(1.0 - GEOMETRIC_FLOOR) * known)
        total = log_well.sum(axis=1)
        score = -100.0 * np.expm1(total) / (1.0 - GEOMETRIC_FLOOR)
        portion = np.divide(log_well, total[:, None], out=np.zeros_like(log_well), where=total[:, None] < 0)
        parts = score[:, None] * portion
    elif method == "topsis":
        closeness, terms = topsis(need, weight, ideals)
        score, parts = 100.0 * closeness, 100.0 * terms
    elif method == "vikor":
        compromise = vikor(need, weight, strategy)
        score = 100.0 * (1.0 - compromise.combined)
    else:
        raise InvalidInput(f"“{method}” is not a method of aggregating.", code="bad_method")
    score = np.clip(score, 0.0, 100.0)
    return Priority(score, competition_rank(score), parts, reliability, present, share, method, compromise)


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

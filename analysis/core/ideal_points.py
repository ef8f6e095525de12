"""Scores as points: how near a place is to the worst that could be (TOPSIS), and which are nearest in all (VIKOR).

Both take what `analysis.core.index.aggregate` has checked and prepared; they are meant to be called by it.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from analysis.core.normalising import NEUTRAL

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: Where the two ideal points lie: at worst need 1 and no need 0, or at the largest and smallest score of the data.
Ideals = Literal["fixed", "data"]

# As for ranks: the order of a sum must not decide which place comes first.
_TIE: Final = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Compromise:
    """What VIKOR measured, and whether its first place stands alone.

    Attributes
    ----------
    group_distance, largest_distance, combined
        Shape ``(p,)`` each, 0 to 1: S, R and Q of the method; small is near the worst need. 1 where a place has no
        indicator, 0.5 where those it has do not differ between places.
    advantage_needed
        DQ = 1/(J − 1) for J places that have an indicator; 0 where there are fewer than two.
    has_advantage
        C1: the second place's Q is larger than the first's by DQ or more.
    is_stable
        C2: the first place is also first by S or by R.
    is_in_set
        Shape ``(p,)``: the places that are proposed together as first. The first alone if C1 and C2 hold; the first
        and the second if only C1 does; all whose Q is less than DQ behind the first if C1 does not.
    """

    group_distance: Floats
    largest_distance: Floats
    combined: Floats
    advantage_needed: float
    has_advantage: bool
    is_stable: bool
    is_in_set: Flags


def topsis(scores: Floats, weights: Floats, ideals: Ideals) -> tuple[Floats, Floats]:
    """Tell how much nearer each place is to the worst need than to no need.

    D⁺ = √Σ wⱼ²(hⱼ − sⱼ)² to the worst need h, D⁻ = √Σ wⱼ²(sⱼ − lⱼ)² from no need l, over the indicators that the place
    has; the closeness is D⁻/(D⁻ + D⁺). A factor common to all weights of a place cancels out, so it makes no difference
    that weights are scaled up where an indicator is missing.

    Parameters
    ----------
    scores
        Shape ``(p, k)``: 0 to 1; NaN where missing.
    weights
        Shape ``(p, k)``: 0 where missing; the sum of each row is 1, or 0 where a place has no indicator.
    ideals
        ``fixed``: h = 1, l = 0. ``data``: the largest and the smallest score of each indicator that is present.

    Returns
    -------
    tuple of ndarray
        The closeness, shape ``(p,)``: 0 to 1; 0 where a place has no indicator, 0.5 where it has some but the two
        points of the data are one. And its parts, shape ``(p, k)``: the closeness shared out in proportion to the
        terms wⱼ²(sⱼ − lⱼ)² of D⁻², to the weights where the two points are one. The parts say what takes the place
        away from no need; they do not say by how much the score would fall without the indicator.

    Notes
    -----
    Reference: [@hwang1981], section on TOPSIS, with scores in the place of vector-normalised values.

    Examples
    --------
    >>> share, parts = topsis(np.array([[0.6, 0.8], [1.0, 0.0]]), np.full((2, 2), 0.5), "fixed")
    >>> share.round(3).tolist(), parts.round(3).tolist()
    ([0.691, 0.5], [[0.249, 0.442], [0.5, 0.0]])
    """
    is_present = ~np.isnan(scores)
    known = np.where(is_present, scores, 0.0)
    highest, lowest = _ends(scores, is_present) if ideals == "data" else (np.ones(known.shape[1]), 0.0)
    weights = weights * is_present
    towards = (weights * (known - lowest)) ** 2
    missed = (weights * (highest - known)) ** 2
    near, far = np.sqrt(towards.sum(axis=1)), np.sqrt(missed.sum(axis=1))
    has_any = np.any(weights > 0, axis=1)
    share = np.where(has_any, NEUTRAL, 0.0)
    np.divide(near, near + far, out=share, where=near + far > 0)
    terms = np.where((near + far > 0)[:, None], towards, weights)
    total = terms.sum(axis=1, keepdims=True)
    parts = share[:, None] * np.divide(terms, total, out=np.zeros_like(terms), where=total > 0)
    return share, parts


def vikor(scores: Floats, weights: Floats, strategy: float) -> Compromise:
    """Rank places by how near they are to the worst need found, in all indicators together and in the furthest of them.

    For each indicator dⱼ = (maxⱼ − sⱼ)/(maxⱼ − minⱼ) over the places that have it; S = Σ wⱼ dⱼ, R = max wⱼ dⱼ, and
    Q = v (S − S*)/(S⁻ − S*) + (1 − v)(R − R*)/(R⁻ − R*), * the smallest and ⁻ the largest over places. All of it is
    relative: a place that is added or left out can change every Q. An indicator in which no places differ is left out,
    and the weights of the others scaled up, as if it were missing. Where S does not differ between places its fraction
    is 0.5, and likewise for R.

    Parameters
    ----------
    scores, weights
        As for `topsis`.
    strategy
        v, 0 to 1: how much S counts, what most indicators say; the rest is for R, the one that objects most.

    Notes
    -----
    Reference: [@opricovic2004], steps 1 to 5, the worst need being the ideal.

    Examples
    --------
    Of three mountains, one is nearest to both wishes together and neither is given up:

    >>> found = vikor(np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]]), np.full((3, 2), 0.5), 0.5)
    >>> found.group_distance.round(3).tolist(), found.largest_distance.round(3).tolist()
    ([0.5, 0.3, 0.5], [0.5, 0.2, 0.5])
    >>> found.combined.tolist(), found.has_advantage, found.is_in_set.tolist()
    ([1.0, 0.0, 1.0], True, [False, True, False])
    """
    is_present = ~np.isnan(scores)
    has_any = np.any(weights * is_present > 0, axis=1)
    highest, lowest = _ends(scores, is_present)
    weight = weights * (is_present & (highest > lowest))
    total = weight.sum(axis=1, keepdims=True)
    weight = np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)
    missed = highest - np.where(is_present, scores, 0.0)
    terms = weight * np.divide(missed, highest - lowest, out=np.zeros_like(missed), where=weight > 0)
    differs = has_any & (total[:, 0] > 0)
    group, largest = terms.sum(axis=1), terms.max(axis=1, initial=0.0)
    combined = np.full(len(scores), NEUTRAL)
    if differs.any():
        q = strategy * _fraction(group[differs]) + (1.0 - strategy) * _fraction(largest[differs])
        combined[differs] = np.clip(q, 0.0, 1.0)
    for measure in (group, largest, combined):
        measure[has_any & ~differs] = NEUTRAL
        measure[~has_any] = 1.0
    return _compromise(group, largest, combined, has_any)


def _compromise(group: Floats, largest: Floats, combined: Floats, has_any: Flags) -> Compromise:
    """Try the two conditions on the place with the smallest Q; ties are first together, and then C1 does not hold."""
    count = int(has_any.sum())
    if count < 2:
        return Compromise(group, largest, combined, 0.0, count == 1, count == 1, has_any)
    q = combined[has_any]
    behind = np.where(has_any, combined - q.min(), np.inf)
    needed = 1.0 / (count - 1)
    is_first = behind <= _TIE
    second = float(np.sort(behind[has_any])[1])
    has_advantage = second >= needed - _TIE
    is_best = (group <= group[has_any].min() + _TIE) | (largest <= largest[has_any].min() + _TIE)
    is_stable = bool(is_best[is_first].all())
    if has_advantage:
        is_in_set = is_first if is_stable else behind <= second + _TIE
    else:
        is_in_set = behind < needed - _TIE
    return Compromise(group, largest, combined, needed, has_advantage, is_stable, is_in_set | is_first)


def _fraction(values: Floats) -> Floats:
    low, high = float(values.min()), float(values.max())
    if high - low <= _TIE:
        return np.full(values.shape, NEUTRAL)
    return np.asarray((values - low) / (high - low))


def _ends(scores: Floats, is_present: Flags) -> tuple[Floats, Floats]:
    """Return the largest and the smallest score of each indicator; both 0 where no place has it."""
    highest = np.where(is_present, scores, -np.inf).max(axis=0, initial=-np.inf)
    lowest = np.where(is_present, scores, np.inf).min(axis=0, initial=np.inf)
    has_any = is_present.any(axis=0)
    return np.where(has_any, highest, 0.0), np.where(has_any, lowest, 0.0)

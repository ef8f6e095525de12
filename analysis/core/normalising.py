"""Scores of indicators: a value in its own unit to a need between 0 and 1, and outliers before that.

A score is between 0 and 1, and 1 is the worst need. The methods follow the OECD/JRC handbook [@oecd2008].
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import rankdata

from geo.errors import InvalidInput

Floats = NDArray[np.float64]

#: Does a larger value of the indicator mean less need, or more?
Direction = Literal["more-is-better", "more-is-worse"]
Normalisation = Literal["goalpost", "min-max", "z", "percentile"]

#: What all places get that do not differ: an indicator that tells nothing must move no place up or down.
NEUTRAL: Final = 0.5

#: Outliers are treated only where both are exceeded, [@coinr2022].
SKEWNESS_LIMIT: Final = 2.0
KURTOSIS_LIMIT: Final = 3.5


@dataclass(frozen=True, slots=True, eq=False)
class Winsorised:
    """Values of one indicator after outliers were moved in.

    Attributes
    ----------
    values
        Shape ``(p,)``: as given, but for the places that were moved; NaN where missing.
    is_moved
        Shape ``(p,)``: the places whose value was moved.
    skewness, kurtosis
        Of the values now, as `shape_of` tells them; None where they are not defined.
    is_within_rule
        Is the rule met now? It is not where more values would have to be moved than were allowed, or where moving
        them would have left no difference between the places.
    """

    values: Floats
    is_moved: NDArray[np.bool_]
    skewness: float | None
    kurtosis: float | None
    is_within_rule: bool


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
        between cities. The others are relative, for one date only, of the n values present:
        ``min-max``: linear between the smallest and the largest.
        ``z``: Φ((v − m)/s) with their mean m and their standard deviation s = √(Σ(v − m)²/n), and Φ the normal
        distribution function: it keeps the order, m gets 0.5, m + s 0.84, m + 2s 0.98. Beyond eight s values are ties.
        ``percentile``: (r − 1)/(n − 1), r the rank of the need from 1 (least); equal values share the mean of their
        ranks.
    goalposts
        ``(low, high)`` in the indicator's unit, low below high, for the method ``goalpost`` only.

    Returns
    -------
    ndarray
        Shape ``(p,)``; NaN where the value is missing, so everywhere if all are. If all values present are equal, or
        there is only one, the relative methods give 0.5 to each: they do not differ, so the indicator must move no
        place up or down.

    Raises
    ------
    InvalidInput
        If a value is infinite, the goalposts are missing, not finite or not ascending, or a choice is unknown.

    Notes
    -----
    Reference: [@oecd2008], step 5. Fixed goalposts as in the Human Development Index, [@undp2010]; percentile ranks as
    in the Social Vulnerability Index, [@flanagan2011], which however gives the least of their ranks to equal values.
    The mean does not depend on the direction and gives 0.5 where all are equal.

    Examples
    --------
    >>> normalise(np.array([0.2, 0.6, 1.0]), "more-is-better", "goalpost", (0.0, 1.0)).tolist()
    [0.8, 0.4, 0.0]
    >>> normalise(np.array([100.0, 300.0, 500.0]), "more-is-worse", "min-max").tolist()
    [0.0, 0.5, 1.0]
    >>> normalise(np.array([1.0, 7.0, 7.0, 90.0, np.nan]), "more-is-worse", "percentile").tolist()
    [0.0, 0.5, 0.5, 1.0, nan]
    >>> normalise(np.array([-1.0, 1.0, 0.0]), "more-is-worse", "z").round(3).tolist()
    [0.11, 0.89, 0.5]
    """
    values = _checked(values)
    if direction not in ("more-is-better", "more-is-worse"):
        raise InvalidInput(f"“{direction}” is not a direction.", code="bad_direction")
    if method not in ("goalpost", "min-max", "z", "percentile"):
        raise InvalidInput(f"“{method}” is not a method of normalising.", code="bad_method")
    is_worse = direction == "more-is-worse"
    if method == "goalpost":
        scores = np.clip(_between(values, *_checked_goalposts(goalposts)), 0.0, 1.0)
        return np.asarray(scores if is_worse else 1.0 - scores)
    is_present = ~np.isnan(values)
    present = values[is_present]
    scores = np.full(values.shape, np.nan)
    if present.size == 0:
        return scores
    if present.min() == present.max():
        scores[is_present] = NEUTRAL
        return scores
    if method == "percentile":
        scores[is_present] = (rankdata(present if is_worse else -present) - 1.0) / (present.size - 1.0)
        return scores
    # Also before z, which linear changes leave as it is: neither squares nor sums overflow then.
    linear = np.clip(_between(present, float(present.min()), float(present.max())), 0.0, 1.0)
    if method == "min-max":
        scores[is_present] = linear if is_worse else 1.0 - linear
    else:
        deviation = linear - linear.mean()
        scores[is_present] = ndtr((deviation if is_worse else -deviation) / np.sqrt(np.mean(deviation**2)))
    return scores


def winsorise(values: NDArray[np.floating], at_most: int = 5) -> Winsorised:
    """Move outliers in, one by one, until the values are no longer both very skewed and very peaked.

    While skewness is above 2 or below −2 and excess kurtosis above 3.5, the largest value (the smallest where skewness
    is negative) is set to the next one. Values that tie are moved together.

    Parameters
    ----------
    values
        Shape ``(p,)``: of one indicator, in its own unit; NaN where missing, which is left alone.
    at_most
        No more places than this are moved; zero or more.

    Returns
    -------
    Winsorised
        With the values as given if the rule is met already, or if there are fewer than four.

    Raises
    ------
    InvalidInput
        If a value is infinite or the number is negative.

    Notes
    -----
    Reference: [@oecd2008], step 3; the rule and the order as `winsorise` of [@coinr2022], but for two cases: ties that
    would exceed the number allowed are not moved, and neither is what would leave all places equal.

    Examples
    --------
    >>> found = winsorise(np.array([1.0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 30, 100]))
    >>> found.values.tolist(), np.flatnonzero(found.is_moved).tolist(), found.is_within_rule
    ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 30.0, 30.0], [11], True)
    """
    given = _checked(values)
    if at_most < 0:
        raise InvalidInput(
            f"{at_most} is not a number of values to move.", code="bad_number", remedy="Give zero or more."
        )
    treated = given.copy()
    while True:
        skewness, kurtosis = shape_of(treated)
        is_within = (
            skewness is None or kurtosis is None or abs(skewness) <= SKEWNESS_LIMIT or kurtosis <= KURTOSIS_LIMIT
        )
        is_moved = (treated != given) & ~np.isnan(given)
        if is_within or skewness is None:
            break
        end = np.nanmax(treated) if skewness > 0 else np.nanmin(treated)
        rest = treated[(treated != end) & ~np.isnan(treated)]
        if ((treated == end) | is_moved).sum() > at_most or rest.min() == rest.max():
            break
        treated[treated == end] = rest.max() if skewness > 0 else rest.min()
    return Winsorised(treated, is_moved, skewness, kurtosis, is_within)


def shape_of(values: NDArray[np.floating]) -> tuple[float | None, float | None]:
    """Tell how skewed and how peaked values are.

    Parameters
    ----------
    values
        Shape ``(p,)``: finite; NaN where missing.

    Returns
    -------
    tuple
        Skewness G₁ = √(n(n − 1))/(n − 2) · m₃/m₂^1.5 and excess kurtosis G₂ = (n − 1)/((n − 2)(n − 3)) · ((n + 1)(m₄/m₂²
        − 3) + 6) of the n values present, m the moments about their mean; as spreadsheets and [@coinr2022] compute
        them. None for both with fewer than four values or without any difference.

    Raises
    ------
    InvalidInput
        If a value is infinite.

    Examples
    --------
    >>> [round(one, 2) for one in shape_of(np.array([1.0, 2.0, 3.0, 10.0]))]
    [1.76, 3.23]
    >>> shape_of(np.array([1.0, 1.0, 1.0, 1.0]))
    (None, None)
    """
    values = _checked(values)
    present = values[~np.isnan(values)]
    n = present.size
    if n < 4 or present.min() == present.max():
        return None, None
    linear = _between(present, float(present.min()), float(present.max()))
    deviation = linear - linear.mean()
    second, third, fourth = (float(np.mean(deviation**power)) for power in (2, 3, 4))
    skewness = np.sqrt(n * (n - 1)) / (n - 2) * third / second**1.5
    kurtosis = (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * (fourth / second**2 - 3) + 6)
    return float(skewness), float(kurtosis)


def _checked(values: NDArray[np.floating]) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise InvalidInput(
            f"The values of an indicator are a list, not of shape {array.shape}.", code="length_mismatch"
        )
    if np.isinf(array).any():
        raise InvalidInput(
            "An indicator has an infinite value.",
            code="bad_indicator",
            where=f"place {np.flatnonzero(np.isinf(array))[0]}",
            remedy="Leave it missing, or give it the value of the goalpost.",
        )
    return array


def _checked_goalposts(goalposts: tuple[float, float] | None) -> tuple[float, float]:
    if goalposts is None:
        raise InvalidInput("The method “goalpost” needs two goalposts.", code="bad_goalposts")
    low, high = (float(value) for value in goalposts)
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise InvalidInput(f"The goalposts {low:g} and {high:g} are not two ascending numbers.", code="bad_goalposts")
    return low, high


def _between(values: Floats, low: float, high: float) -> Floats:
    """Return where values lie between two, 0 at the first and 1 at the second."""
    # By a power of two, which changes no digit: a range near the largest number does not overflow, and one near the
    # smallest does not vanish. Values far beyond goalposts may overflow and are cut off.
    power = -int(np.frexp(max(abs(low), abs(high)))[1])
    with np.errstate(over="ignore"):
        scaled = np.ldexp(values, power)
        low, high = float(np.ldexp(low, power)), float(np.ldexp(high, power))
        return np.asarray((scaled - low) / (high - low))

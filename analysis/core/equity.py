"""Equity: how unevenly something is shared among people, who gets it, and how far behind those behind are.

Every measure is weighted by people, so that splitting a place changes nothing, and none is ever NaN: what nobody has,
and what all have alike, is shared equally.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.errors import InvalidInput

Floats = NDArray[np.float64]

# A Palma ratio compares the share of the top tenth with that of the bottom four tenths.
_TOP = 0.9
_BOTTOM = 0.4


@dataclass(frozen=True, slots=True, eq=False)
class Lorenz:
    """A Lorenz curve, [@lorenz1905]; both shares ascend from 0 to 1, and the curve is straight between its points.

    Attributes
    ----------
    people_share
        Shape ``(k + 1,)``: share of the people, those with the least first.
    value_share
        Shape ``(k + 1,)``: share of the whole that they have.
    """

    people_share: Floats
    value_share: Floats


@dataclass(frozen=True, slots=True)
class Shortfall:
    """The Foster–Greer–Thorbecke measures of those who fall short, [@foster1984].

    Attributes
    ----------
    people
        People who fall short.
    headcount
        FGT₀: their share of all people.
    gap
        FGT₁: mean relative gap over all people, 0 for those who do not fall short.
    severity
        FGT₂: mean square of the relative gap: the further behind, the more it counts.
    """

    people: float
    headcount: float
    gap: float
    severity: float


@dataclass(frozen=True, slots=True)
class Contrast:
    """Settlements against the rest of a city.

    Attributes
    ----------
    settlements, rest
        Mean over the people of each; None if nobody lives there.
    difference
        ``settlements`` − ``rest``; None if either is.
    ratio
        ``settlements`` / ``rest``; ``inf`` if only the rest has nothing, 1 if neither has anything; None as above.
    settlement_people, rest_people
        People of each.
    people_share
        Settlements' share of all people; None without people.
    value_share
        Settlements' share of Σ value · people, such as of all uncovered people; None if that is 0.
    """

    settlements: float | None
    rest: float | None
    difference: float | None
    ratio: float | None
    settlement_people: float
    rest_people: float
    people_share: float | None
    value_share: float | None


def lorenz(values: NDArray[np.floating], people: NDArray[np.floating]) -> Lorenz:
    """Draw the Lorenz curve of what people have.

    Parameters
    ----------
    values
        Shape ``(n,)``: what each person of a place or cell has, zero or more, such as capacity or green land each.
    people
        Shape ``(n,)``: zero or more.

    Returns
    -------
    Lorenz
        The diagonal if there are no people or nobody has anything.

    Raises
    ------
    InvalidInput
        If lengths differ, or a value or number of people is negative or not finite.

    Examples
    --------
    Three people have 1 each, one has 3:

    >>> curve = lorenz(np.array([3.0, 1.0]), np.array([1.0, 3.0]))
    >>> curve.people_share.tolist(), curve.value_share.tolist()
    ([0.0, 0.75, 1.0], [0.0, 0.5, 1.0])
    """
    value, living = _checked(values, people)
    order = np.argsort(value, kind="stable")
    return _curve(value[order], living[order])


def gini(values: NDArray[np.floating], people: NDArray[np.floating]) -> float:
    """Compute the Gini coefficient: 0 if all have the same, towards 1 if one has everything.

    Twice the area between the diagonal and the Lorenz curve.

    Parameters
    ----------
    values, people
        As for `lorenz`.

    Returns
    -------
    float
        In [0, 1); 0 if there are no people or nobody has anything.

    Raises
    ------
    InvalidInput
        As for `lorenz`.

    Notes
    -----
    Equal to Σ_ij P_i P_j |v_i − v_j| / (2 μ P²), [@gini1912].

    Examples
    --------
    >>> gini(np.array([3.0, 1.0]), np.array([1.0, 3.0]))
    0.25
    """
    return max(_under_diagonal(lorenz(values, people)), 0.0)


def palma_ratio(values: NDArray[np.floating], people: NDArray[np.floating]) -> float:
    """Compute what the tenth of the people with the most have, over what the four tenths with the least have.

    Places at the borders of these shares are split.

    Parameters
    ----------
    values, people
        As for `lorenz`.

    Returns
    -------
    float
        0.25 if all have the same, if there are no people or if nobody has anything; ``inf`` if the four tenths with
        the least have nothing and others have something.

    Raises
    ------
    InvalidInput
        As for `lorenz`.

    Notes
    -----
    Reference: [@palma2011].

    Examples
    --------
    Ten people have 1, …, 10: 10 over 1 + 2 + 3 + 4.

    >>> round(palma_ratio(np.arange(1.0, 11.0), np.ones(10)), 12)
    1.0
    """
    curve = lorenz(values, people)
    top, bottom = (float(np.interp(share, curve.people_share, curve.value_share)) for share in (_TOP, _BOTTOM))
    return (1.0 - top) / bottom if bottom > 0 else math.inf


def concentration_index(
    values: NDArray[np.floating], people: NDArray[np.floating], indicator: NDArray[np.floating]
) -> float:
    """Compute the concentration index: below 0 if those low in an indicator have more, above 0 if those high in it have.

    Parameters
    ----------
    values, people
        As for `lorenz`.
    indicator
        Shape ``(n,)``: what people are ranked by, ascending, such as income. Those with the same indicator share a
        rank, so that their order does not matter.

    Returns
    -------
    float
        In (−1, 1); 0 if there are no people, nobody has anything, or all have the same indicator.

    Raises
    ------
    InvalidInput
        As for `lorenz`; if an indicator of a place with people is not finite.

    Notes
    -----
    2 cov(v, r) / μ, r the share of the people with a smaller indicator and half of those with the same one; twice the
    area between the diagonal and the concentration curve. Reference: [@kakwani1997].

    Examples
    --------
    The poorer of two have 1, the richer 3:

    >>> concentration_index(np.array([1.0, 3.0]), np.array([5.0, 5.0]), np.array([100.0, 200.0]))
    0.25
    """
    value, living = _checked(values, people)
    ranked_by = np.asarray(indicator, dtype=np.float64)
    if ranked_by.shape != value.shape:
        raise InvalidInput("Indicator and values differ in length.", code="length_mismatch")
    lived_in = living > 0
    value, living, ranked_by = value[lived_in], living[lived_in], ranked_by[lived_in]
    if not np.isfinite(ranked_by).all():
        raise InvalidInput(
            "The indicator of a place with people is missing or infinite.",
            code="bad_indicator",
            remedy="Leave the place out.",
        )
    _, group = np.unique(ranked_by, return_inverse=True)
    in_group = np.bincount(group, weights=living).astype(np.float64)
    had = np.bincount(group, weights=living * value).astype(np.float64)
    mean = np.divide(had, in_group, out=np.zeros_like(had), where=in_group > 0)
    return _under_diagonal(_curve(mean, in_group))


def distance_shortfall(
    cost: NDArray[np.floating], people: NDArray[np.floating], threshold: float, farthest: float | None = None
) -> Shortfall:
    """Measure how many are beyond a threshold of a service, and how far.

    Parameters
    ----------
    cost
        Shape ``(n,)``: metres or minutes, zero or more; ``inf`` for those who reach nothing.
    people
        Shape ``(n,)``.
    threshold
        In the unit of the cost; a cost equal to it does not fall short.
    farthest
        The cost from which on the gap is complete, above the threshold; twice the threshold if left out. Those who
        reach nothing have a complete gap.

    Returns
    -------
    Shortfall
        With the gap min((cost − threshold) / (farthest − threshold), 1). All 0 without people.

    Raises
    ------
    InvalidInput
        If lengths differ, a cost is negative or NaN, the threshold is negative or not finite, or the farthest cost is
        not above it.

    Examples
    --------
    >>> distance_shortfall(np.array([100.0, 750.0, np.inf]), np.array([2.0, 1.0, 1.0]), threshold=500.0)
    Shortfall(people=2.0, headcount=0.5, gap=0.375, severity=0.3125)
    """
    price = np.asarray(cost, dtype=np.float64)
    if not (price >= 0).all():
        raise InvalidInput("A cost is negative or not a number.", code="bad_cost", remedy="Use inf for unreachable.")
    whole = 2 * threshold if farthest is None else farthest
    if not (math.isfinite(threshold) and threshold >= 0 and threshold < whole < math.inf):
        raise InvalidInput(
            f"A threshold of {threshold} with a farthest cost of {whole} is not possible.",
            code="bad_threshold",
            remedy="Give a threshold of zero or more, and a farthest cost above it.",
        )
    return _shortfall(np.clip((price - threshold) / (whole - threshold), 0.0, 1.0), price > threshold, people)


def supply_shortfall(values: NDArray[np.floating], people: NDArray[np.floating], standard: float) -> Shortfall:
    """Measure how many have less than a standard of something, and how much less.

    Parameters
    ----------
    values
        Shape ``(n,)``: what each person has, zero or more, such as m² of green land.
    people
        Shape ``(n,)``.
    standard
        In the same unit, zero or more. At zero nobody falls short.

    Returns
    -------
    Shortfall
        With the gap max(0, 1 − value / standard). All 0 without people.

    Raises
    ------
    InvalidInput
        If lengths differ, a value is negative or not finite, or the standard is.

    Examples
    --------
    >>> supply_shortfall(np.array([4.0, 12.0]), np.array([1.0, 1.0]), standard=8.0)
    Shortfall(people=1.0, headcount=0.5, gap=0.25, severity=0.125)
    """
    value = np.asarray(values, dtype=np.float64)
    if not (np.isfinite(value) & (value >= 0)).all():
        raise InvalidInput("A value is negative or not finite.", code="bad_value")
    if not (math.isfinite(standard) and standard >= 0):
        raise InvalidInput(f"A standard of {standard} is not possible.", code="bad_standard")
    gap = np.clip(1.0 - value / standard, 0.0, 1.0) if standard > 0 else np.zeros_like(value)
    return _shortfall(gap, value < standard, people)


def settlements_against_rest(
    values: NDArray[np.floating], people: NDArray[np.floating], settlement_share: NDArray[np.floating]
) -> Contrast:
    """Compare what the people of settlements have with what the rest of the city has.

    Parameters
    ----------
    values
        Shape ``(n,)``: what each person of a place or cell has, such as a covered share; finite.
    people
        Shape ``(n,)``.
    settlement_share
        Shape ``(n,)``: share of the people of each place or cell who live in settlements, 0 to 1; True or False do.

    Raises
    ------
    InvalidInput
        If lengths differ, a value of a place with people is not finite, or a share is outside 0 to 1.

    Examples
    --------
    >>> covered = settlements_against_rest(np.array([0.4, 0.8]), np.array([10.0, 30.0]), np.array([True, False]))
    >>> covered.settlements, covered.rest, covered.ratio, covered.people_share, round(covered.value_share, 4)
    (0.4, 0.8, 0.5, 0.25, 0.1429)
    """
    living = _people(people)
    value, share = np.asarray(values, dtype=np.float64), np.asarray(settlement_share, dtype=np.float64)
    if not value.shape == living.shape == share.shape:
        raise InvalidInput("Values, people and shares of settlements differ in length.", code="length_mismatch")
    if not ((share >= 0) & (share <= 1)).all():
        raise InvalidInput("The share of people in settlements is outside 0 to 1.", code="bad_share")
    if not np.isfinite(value[living > 0]).all():
        raise InvalidInput("A value of a place with people is not finite.", code="bad_value")
    value = np.where(living > 0, value, 0.0)
    inside, outside = living * share, living * (1.0 - share)
    n_inside, n_outside = float(inside.sum()), float(outside.sum())
    settlements = _mean(value, inside)
    rest = _mean(value, outside)
    difference = ratio = None
    if settlements is not None and rest is not None:
        difference = settlements - rest
        ratio = settlements / rest if rest != 0 else 1.0 if settlements == 0 else math.inf
    whole = float(value @ living)
    return Contrast(
        settlements=settlements,
        rest=rest,
        difference=difference,
        ratio=ratio,
        settlement_people=n_inside,
        rest_people=n_outside,
        people_share=n_inside / (n_inside + n_outside) if n_inside + n_outside > 0 else None,
        value_share=float(value @ inside) / whole if whole != 0 else None,
    )


def _curve(value: Floats, living: Floats) -> Lorenz:
    """Draw the curve of what is already in order, without the points of places where nobody lives."""
    value, living = value[living > 0], living[living > 0]
    # Scaled by the largest first, so that neither very large nor very small numbers are lost in a product.
    living = living / living.max(initial=1e-300)
    had = living * (value / max(float(value.max(initial=0.0)), 1e-300))
    people_share = np.concatenate(([0.0], np.cumsum(living)))
    value_share = np.concatenate(([0.0], np.cumsum(had)))
    if living.size == 0:
        return Lorenz(np.array([0.0, 1.0]), np.array([0.0, 1.0]))
    people_share /= people_share[-1]
    if value_share[-1] == 0 or (value == value[0]).all():
        return Lorenz(people_share, people_share.copy())
    return Lorenz(people_share, value_share / value_share[-1])


def _under_diagonal(curve: Lorenz) -> float:
    """Twice the area between the diagonal and the curve, negative if the curve is above."""
    width = np.diff(curve.people_share)
    below = curve.people_share - curve.value_share
    return float(width @ (below[1:] + below[:-1]))


def _shortfall(gap: Floats, is_short: NDArray[np.bool_], people: NDArray[np.floating]) -> Shortfall:
    living = _people(people)
    if living.shape != gap.shape:
        raise InvalidInput("People and values differ in length.", code="length_mismatch")
    total = float(living.sum())
    short = float(living[is_short].sum())
    if total == 0:
        return Shortfall(0.0, 0.0, 0.0, 0.0)
    return Shortfall(short, short / total, float(living @ gap) / total, float(living @ np.square(gap)) / total)


def _mean(value: Floats, living: Floats) -> float | None:
    total = float(living.sum())
    return float(value @ living) / total if total > 0 else None


def _people(people: NDArray[np.floating]) -> Floats:
    living = np.asarray(people, dtype=np.float64)
    if living.ndim != 1:
        raise InvalidInput("People must be one number for each place or cell.", code="length_mismatch")
    if not (np.isfinite(living) & (living >= 0)).all():
        raise InvalidInput("A number of people is negative or not finite.", code="bad_population")
    return living


def _checked(values: NDArray[np.floating], people: NDArray[np.floating]) -> tuple[Floats, Floats]:
    living, value = _people(people), np.asarray(values, dtype=np.float64)
    if value.shape != living.shape:
        raise InvalidInput("Values and people differ in length.", code="length_mismatch")
    if not (np.isfinite(value) & (value >= 0)).all():
        raise InvalidInput(
            "A value is negative or not finite.", code="bad_value", remedy="Leave out places without a value."
        )
    return value, living

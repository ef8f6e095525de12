"""Real change against noise, and against places where nothing was done.

A change of an indicator is told from noise by the error of both of its values (a z test), and, since many places are
looked at together, with Holm's correction [@holm1979]. What a programme changed is the change beyond that of comparison
places, the difference in differences [@card1994]: of one place by the test of a single case against a sample
[@crawford1998], of all places together by Welch's test [@welch1947].
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from geo.errors import InvalidInput
from interventions.core.columns import Booleans, Floats, finite, floats

Verdict = Literal["rose", "fell", "unclear", "unknown"]

#: Chance of telling any change from noise where there is none.
LEVEL: Final = 0.05

#: No indicator is larger; squares of squares stay finite.
_LARGEST: Final = 1e60

#: Differences below this share of the values are what rounding leaves.
_ROUNDING: Final = 1e-12
_FEWEST_COMPARED: Final = 2

#: Standard deviations by which a comparison place may lie outside the places in which something was done.
_CALIPER: Final = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Values of one indicator per place.

    Attributes
    ----------
    baseline, measured
        The value before and after; NaN where it is not known.
    baseline_error, measured_error
        Their standard errors, zero or more; 0 for a complete count, NaN where nobody knows.
    is_comparison
        Places in which nothing was done.
    """

    baseline: ArrayLike
    baseline_error: ArrayLike
    measured: ArrayLike
    measured_error: ArrayLike
    is_comparison: ArrayLike


@dataclass(frozen=True, slots=True, eq=False)
class Tested:
    """Estimates and what they are worth. Nothing is ever NaN.

    Attributes
    ----------
    estimate
        The change, or the effect; 0 where `is_known` is false.
    error
        Its standard error; infinite where it is not known.
    statistic
        estimate / error: 0 where the error is infinite, infinite where it is zero and the estimate is not.
    degrees
        Degrees of freedom of Student's distribution; infinite for the normal one.
    p
        Chance of a statistic as far from 0 if there were no change; 1 where nothing is known.
    p_holm
        The same, corrected for all places that were tested.
    verdict
        ``rose`` or ``fell`` where the corrected chance is at most the level, ``unclear`` where it is not or no error is
        known, ``unknown`` where a value is missing.
    is_known
        Whether there is an estimate.
    """

    estimate: Floats
    error: Floats
    statistic: Floats
    degrees: Floats
    p: Floats
    p_holm: Floats
    verdict: tuple[Verdict, ...]
    is_known: Booleans


@dataclass(frozen=True, slots=True)
class Overall:
    """The mean effect on all places in which something was done; attributes as of `Tested`.

    Attributes
    ----------
    places, compared
        Places in which something was done, and comparison places, whose change is known.
    """

    estimate: float
    error: float
    statistic: float
    degrees: float
    p: float
    verdict: Verdict
    places: int
    compared: int


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """What changed.

    Attributes
    ----------
    change
        Of each place: measured − baseline.
    effect
        Of each place in which something was done: its change less the mean change of the comparison places; unknown
        for comparison places, and where fewer than two of these are known.
    overall
        The mean effect on all of them.
    level
        The chance of a false alarm that was allowed.
    """

    change: Tested
    effect: Tested
    overall: Overall
    level: float


def change(values: Measured, *, level: float = LEVEL, correlation: float = 0.0) -> Change:
    """Tell real change from noise.

    Parameters
    ----------
    values
        Values before and after, with their errors.
    level
        Chance of a false alarm anywhere among the places, above 0 and below 1.
    correlation
        Of the errors of the two values of a place: 0 for independent samples, above it where the same households were
        asked twice. From −1 to 1.

    Raises
    ------
    InvalidInput
        Where columns do not fit: ``lengths_differ`` or ``out_of_range``.

    Examples
    --------
    Served shares in percent: a place that was helped, one that was not measured, and two for comparison.

    >>> found = change(Measured([40, 50, 41, 43], [2] * 4, [60, float("nan"), 42, 42], [2] * 4, [0, 0, 1, 1]))
    >>> found.change.estimate.tolist(), found.change.verdict
    ([20.0, 0.0, 1.0, -1.0], ('rose', 'unknown', 'unclear', 'unclear'))
    >>> found.effect.estimate.tolist(), found.overall.places
    ([20.0, 0.0, 0.0, 0.0], 1)
    """
    if not 0 < level < 1:
        raise InvalidInput("The level must lie between 0 and 1.", code="out_of_range", where="level")
    if not -1 <= correlation <= 1:
        raise InvalidInput("The correlation must lie between −1 and 1.", code="out_of_range", where="correlation")
    before = floats(values.baseline, "baseline", least=-_LARGEST, most=_LARGEST, may_miss=True)
    n = before.size
    after = floats(values.measured, "measured", n, least=-_LARGEST, most=_LARGEST, may_miss=True)
    errors = [
        floats(column, name, n, least=0, most=_LARGEST, may_miss=True)
        for name, column in (("baseline_error", values.baseline_error), ("measured_error", values.measured_error))
    ]
    is_comparison = finite(values.is_comparison, "is_comparison", n, least=0) > 0
    is_known = ~(np.isnan(before) | np.isnan(after))
    # An unknown error says nothing, as an infinite one does.
    first, second = (np.where(np.isnan(error) | ~is_known, math.inf, error) for error in errors)
    difference = np.where(is_known, np.nan_to_num(after) - np.nan_to_num(before), 0.0)
    rounding = _ROUNDING * np.maximum(np.abs(np.nan_to_num(before)), np.abs(np.nan_to_num(after)))
    difference[np.abs(difference) <= rounding] = 0.0
    error = _error_of_difference(first, second, correlation)
    changed = _tested(difference, error, np.full(n, math.inf), is_known, level)
    return Change(
        changed,
        *_effects(difference, error, is_known & ~is_comparison, is_known & is_comparison, level),
        level,
    )


def comparable(baseline: ArrayLike, is_helped: ArrayLike) -> Booleans:
    """Tell which places, of those in which nothing was done, were similar before.

    Those whose baseline lies among the baselines of the places in which something was done, give or take a quarter of the
    standard deviation of all, which is how far groups may lie apart and still be compared [@stuart2010].

    Parameters
    ----------
    baseline
        The value before of each place; NaN where it is not known.
    is_helped
        Places in which something was done.

    Returns
    -------
    array of bool
        False for the places in which something was done, and everywhere where nothing is known of these.

    Examples
    --------
    >>> comparable([40, 60, 55, 90, float("nan")], [1, 1, 0, 0, 0]).tolist()
    [False, False, True, False, False]
    """
    before = floats(baseline, "baseline", least=-_LARGEST, most=_LARGEST, may_miss=True)
    helped = finite(is_helped, "is_helped", before.size, least=0) > 0
    is_known = ~np.isnan(before)
    if not (helped & is_known).any():
        return np.zeros(before.size, dtype=bool)
    known = before[is_known]
    slack = _CALIPER * (float(known.std(ddof=1)) if known.size > 1 else 0.0)
    of_helped = before[helped & is_known]
    with np.errstate(invalid="ignore"):
        is_near = (before >= of_helped.min() - slack) & (before <= of_helped.max() + slack)
    return np.asarray(is_known & ~helped & is_near)


def _error_of_difference(first: Floats, second: Floats, correlation: float) -> Floats:
    is_sound = np.isfinite(first) & np.isfinite(second)
    a, b = np.where(is_sound, first, 0.0), np.where(is_sound, second, 0.0)
    # (a − b)² + 2(1 − r)ab: no cancellation where the errors are alike and correlated.
    error = np.sqrt((a - b) ** 2 + 2 * (1 - correlation) * a * b)
    return np.where(is_sound, error, math.inf)


def _tested(estimate: Floats, error: Floats, degrees: Floats, is_known: Booleans, level: float) -> Tested:
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        statistic = np.where(estimate == 0, 0.0, estimate / error)
    p = _two_sided(statistic, degrees)
    corrected = np.ones(p.size)
    is_tested = is_known & np.isfinite(error)
    corrected[is_tested] = holm(p[is_tested])
    return Tested(
        estimate=np.where(is_known, estimate, 0.0),
        error=np.where(is_known, error, math.inf),
        statistic=statistic,
        degrees=degrees,
        p=p,
        p_holm=corrected,
        verdict=tuple(
            _verdict(*row, level)
            for row in zip(estimate.tolist(), corrected.tolist(), is_known.tolist(), strict=True)
        ),
        is_known=is_known,
    )  # fmt: skip


def _verdict(estimate: float, p: float, is_known: bool, level: float) -> Verdict:
    if not is_known:
        return "unknown"
    if estimate == 0 or p > level:
        return "unclear"
    return "rose" if estimate > 0 else "fell"


def _two_sided(statistic: Floats, degrees: Floats) -> Floats:
    is_normal = np.isinf(degrees)
    finite_degrees = np.where(is_normal, 1.0, degrees)
    student = 2 * special.stdtr(finite_degrees, -np.abs(statistic))
    return np.asarray(np.where(is_normal, special.erfc(np.abs(statistic) / math.sqrt(2)), student))


def holm(p: Floats) -> Floats:
    """Return chances corrected for being looked at together, by Holm's step-down method [@holm1979].

    Parameters
    ----------
    p
        Chances, 0 to 1.

    Returns
    -------
    array
        The smallest is multiplied by their number, the next by one less …, none falls below a smaller one's, none
        exceeds 1.

    Examples
    --------
    >>> holm(np.array([0.01, 0.5, 0.02])).tolist()
    [0.03, 0.5, 0.04]
    """
    order = np.argsort(p, kind="stable")
    corrected = np.minimum(np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1)), 1.0)
    result = np.empty(p.size)
    result[order] = corrected
    return result


def _effects(
    difference: Floats, error: Floats, is_helped: Booleans, is_compared: Booleans, level: float
) -> tuple[Tested, Overall]:
    n = difference.size
    helped, compared = difference[is_helped], difference[is_compared]
    k = compared.size
    if k < _FEWEST_COMPARED or not helped.size:
        nothing = np.zeros(n)
        unknown = _tested(nothing, np.full(n, math.inf), np.full(n, math.inf), np.zeros(n, dtype=bool), level)
        return unknown, Overall(0.0, math.inf, 0.0, math.inf, 1.0, "unknown", helped.size, k)
    mean = float(compared.mean())
    spread = _variance(compared, error[is_compared])
    effect = np.where(is_helped, difference - mean, 0.0)
    # A place differs from the others by what places differ by, or by its own error where that is larger.
    own = np.where(np.isfinite(error), error, 0.0) ** 2
    effect_error = np.sqrt(np.maximum(own, spread) + spread / k)
    tested = _tested(effect, effect_error, np.full(n, k - 1.0), is_helped, level)
    return tested, _overall(helped, error[is_helped], mean, spread, k, level)


def _overall(helped: Floats, error: Floats, mean: float, spread: float, k: int, level: float) -> Overall:
    m = helped.size
    estimate = float(helped.mean()) - mean
    # Of a single place there is no spread: it is taken to be that of the others.
    own = max(_variance(helped, error), spread if m == 1 else 0.0)
    of_helped, of_compared = own / m, spread / k
    total = of_helped + of_compared
    degrees = float(k - 1)
    if m > 1:
        share = of_helped / total if total > 0 else m / (m + k)
        degrees = 1 / (share**2 / (m - 1) + (1 - share) ** 2 / (k - 1))
    result = _tested(
        np.array([estimate]), np.array([math.sqrt(total)]), np.array([degrees]), np.array([True]), level
    )  # fmt: skip
    return Overall(
        estimate, math.sqrt(total), float(result.statistic[0]), degrees, float(result.p[0]), result.verdict[0], m, k
    )


def _variance(values: Floats, errors: Floats) -> float:
    """Give the variance between places, which is no less than that of their errors of measurement."""
    known = errors[np.isfinite(errors)]
    of_errors = float((known**2).mean()) if known.size else 0.0
    return max(float(values.var(ddof=1)) if values.size > 1 else 0.0, of_errors)


__all__ = ["LEVEL", "Change", "Measured", "Overall", "Tested", "Verdict", "change", "comparable", "holm"]

"""Scores of indicators whose values are not exact: many draws of the values, each normalised as a whole."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from analysis.core.normalising import Direction
from analysis.core.ranking import checked_number_of_places
from geo.errors import InvalidInput

Floats = NDArray[np.float64]
Int64 = NDArray[np.int64]

Normalisation = Literal["goalpost", "min-max", "percentile", "z"]
NORMALISATIONS: Final[tuple[Normalisation, ...]] = ("goalpost", "min-max", "percentile", "z")

#: No quantity that is measured is larger, and squares of what is larger cannot be told.
LARGEST: Final = 1e150


@dataclass(frozen=True, slots=True, eq=False)
class Indicators:
    """Values of indicators before normalising, with how sure they are.

    Attributes
    ----------
    values
        Shape ``(p, k)``: each column in its own unit; NaN where missing.
    directions
        ``k`` of them: ``more-is-better`` or ``more-is-worse``.
    goalposts
        Shape ``(k, 2)``: low and high of each, ascending; None if ``goalpost`` is not asked for.
    errors
        Standard error in the unit of the indicator, zero or more: shape ``(k,)`` for whole indicators or ``(p, k)``
        for single values; None if the values are taken as exact. What is given for a missing value is not looked at.

    Raises
    ------
    InvalidInput
        If shapes do not fit, a value is infinite or larger than `LARGEST`, an error is negative or not a number, a
        direction is unknown, or goalposts do not ascend.
    """

    values: Floats
    directions: Sequence[Direction]
    goalposts: Floats | None = None
    errors: Floats | None = None

    def __post_init__(self) -> None:
        values = np.array(self.values, dtype=np.float64)
        if values.ndim != 2 or values.shape[1] == 0 or values.shape[1] != len(self.directions):
            raise InvalidInput(
                f"Values of shape {values.shape} do not fit {len(self.directions)} directions.", code="length_mismatch"
            )
        checked_number_of_places(len(values))
        if (bad := np.argwhere(np.abs(values) > LARGEST)).size:
            raise InvalidInput(
                "An indicator has an infinite value.",
                code="bad_indicator",
                where=f"place {bad[0][0]}, indicator {bad[0][1]}",
                remedy="Leave it missing, or give it the value of the goalpost.",
            )
        for direction in self.directions:
            if direction not in ("more-is-better", "more-is-worse"):
                raise InvalidInput(f"“{direction}” is not a direction.", code="bad_direction")
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "directions", tuple(self.directions))
        if self.goalposts is not None:
            object.__setattr__(self, "goalposts", _checked_goalposts(self.goalposts, values.shape[1]))
        if self.errors is not None:
            object.__setattr__(self, "errors", _checked_errors(self.errors, values))

    @property
    def is_worse(self) -> NDArray[np.bool_]:
        """Shape ``(k,)``: of which more is worse."""
        return np.array([direction == "more-is-worse" for direction in self.directions], dtype=np.bool_)

    @property
    def uncertain(self) -> Int64:
        """Columns with an error above zero anywhere, ascending."""
        if self.errors is None:
            return np.empty(0, np.int64)
        return np.flatnonzero((self.errors > 0).any(axis=0))


def scores_of_draws(
    indicators: Indicators, method: Normalisation, deviates: NDArray[np.floating] | None = None
) -> Floats:
    """Score the values as they are, or once for each draw of their errors.

    Parameters
    ----------
    indicators
        Values, directions, goalposts, errors.
    method
        ``goalpost`` and ``min-max`` as `analysis.core.index.normalise`. ``percentile``: the share of the other
        places present that have a smaller value, those with the same value counting half. ``z``: Φ((v − μ)/σ)
        with the mean and standard deviation (of all, not of a sample) over the places present; Φ, the normal
        distribution function, brings it into 0 to 1 and keeps the order. All but ``goalpost`` are of each draw anew.
    deviates
        Shape ``(n, p, k)``: how many standard errors each value is off in each draw; None for the values as given.

    Returns
    -------
    ndarray
        Shape ``(p, k)``, or ``(n, p, k)`` with deviates: 1 is the worst need; NaN where missing. An indicator whose
        values are all equal, or that one place alone has, gives 0.5 unless by goalposts: it moves no place.

    Raises
    ------
    InvalidInput
        If there are no goalposts for ``goalpost``, shapes do not fit, a deviate is not finite or the method is unknown.

    Notes
    -----
    Reference: [@oecd2008], step 5; errors before normalising as in [@saisana2005].

    Examples
    --------
    >>> clinics = Indicators([[4.0], [1.0], [1.0]], ["more-is-better"], errors=[2.0])
    >>> scores_of_draws(clinics, "percentile").tolist()
    [[0.0], [0.75], [0.75]]
    >>> scores_of_draws(clinics, "min-max", [[[0.0], [0.0], [-1.0]]]).tolist()
    [[[0.0], [0.6], [1.0]]]
    """
    values = indicators.values
    if deviates is None:
        return np.ascontiguousarray(drawn_scores(indicators, method, None)[0].T)
    off = np.asarray(deviates, dtype=np.float64)
    if off.ndim != 3 or off.shape[1:] != values.shape:
        raise InvalidInput(
            f"Deviates of shape {off.shape} do not fit values of {values.shape}.", code="length_mismatch"
        )
    if not (np.abs(off) <= LARGEST).all():
        raise InvalidInput("A deviate is not a finite number.", code="bad_indicator")
    columns = indicators.uncertain
    found = np.repeat(drawn_scores(indicators, method, None), len(off), axis=0)
    if columns.size:
        found[:, columns] = drawn_scores(indicators, method, np.moveaxis(off[:, :, columns], 2, 1))
    return np.ascontiguousarray(np.moveaxis(found, 1, 2))


def drawn_scores(indicators: Indicators, method: Normalisation, deviates: Floats | None) -> Floats:
    """Score in the order that many rankings are worked out in.

    Parameters
    ----------
    indicators, method
        As for `scores_of_draws`.
    deviates
        Shape ``(n, u, p)``: of the columns `Indicators.uncertain` only; None for all columns as they are given.

    Returns
    -------
    ndarray
        Shape ``(n, u, p)``, or ``(1, k, p)`` without deviates.
    """
    columns = np.arange(indicators.values.shape[1]) if deviates is None else indicators.uncertain
    exact = indicators.values.T[columns]
    found = exact[None].copy()
    if deviates is not None and indicators.errors is not None:
        found = exact + indicators.errors.T[columns] * deviates
    normalise_columns(found, columns, indicators, method)
    return found


def normalise_columns(found: Floats, columns: Int64, indicators: Indicators, method: Normalisation) -> None:
    """Turn values of shape ``(n, u, p)``, of ``u`` columns of these indicators, into scores where they stand."""
    is_worse = indicators.is_worse[columns]
    if method == "goalpost":
        if indicators.goalposts is None:
            raise InvalidInput("The method “goalpost” needs two goalposts.", code="bad_goalposts")
        _between(found, indicators.goalposts[columns], is_worse)
    elif method == "min-max":
        _between(found, np.empty((0, 2)), is_worse)
    elif method == "z":
        _by_normal(found, is_worse)
    elif method == "percentile":
        _by_position(found, np.argsort(found, axis=2), is_worse)
    else:
        raise InvalidInput(f"“{method}” is not a method of normalising.", code="bad_method")


def _checked_goalposts(goalposts: Floats, k: int) -> Floats:
    array = np.array(goalposts, dtype=np.float64)
    if array.shape != (k, 2):
        raise InvalidInput(f"Goalposts of shape {array.shape} do not fit {k} indicators.", code="length_mismatch")
    for low, high in array.tolist():
        if not (math.isfinite(low) and math.isfinite(high) and low < high and high / 2 - low / 2 > 0):
            raise InvalidInput(
                f"The goalposts {low:g} and {high:g} are not two ascending numbers.", code="bad_goalposts"
            )
    return array


def _checked_errors(errors: Floats, values: Floats) -> Floats:
    array = np.array(errors, dtype=np.float64)
    if array.shape not in (values.shape, values.shape[1:]):
        raise InvalidInput(
            f"Errors of shape {array.shape} do not fit values of {values.shape}.", code="length_mismatch"
        )
    array = np.where(np.isnan(values), 0.0, array)
    if not ((array >= 0) & (array <= LARGEST)).all():
        raise InvalidInput(
            "A standard error is negative or not a number.",
            code="bad_standard_error",
            remedy="Give zero or more, in the unit of the indicator; zero where the value is exact.",
        )
    return array


@njit(cache=True, nogil=True)
def _between(values, goalposts, is_worse):  # type: ignore[no-untyped-def]
    """Score linearly between goalposts, or between the smallest and the largest where there are none."""
    for i in range(values.shape[0]):
        for q in range(values.shape[1]):
            row = values[i, q]
            if goalposts.shape[0]:
                low, high = goalposts[q, 0], goalposts[q, 1]
            else:
                low, high = _ends(row)
            # Divided before subtracting, so that a range near the largest number does not overflow.
            width = high / 2 - low / 2
            for j in range(row.size):
                if row[j] == row[j]:
                    score = 0.5 if width <= 0.0 else min(max((row[j] / 2 - low / 2) / width, 0.0), 1.0)
                    row[j] = score if is_worse[q] or width <= 0.0 else 1.0 - score


@njit(cache=True, nogil=True)
def _by_normal(values, is_worse):  # type: ignore[no-untyped-def]
    for i in range(values.shape[0]):
        for q in range(values.shape[1]):
            row = values[i, q]
            low, high = _ends(row)
            middle, width = low / 2 + high / 2, high / 2 - low / 2
            n, mean, square = 0, 0.0, 0.0
            for j in range(row.size):
                if row[j] == row[j]:
                    # In half widths from the middle, so that no square is lost.
                    row[j] = (row[j] - middle) / width if width > 0.0 else 0.0
                    n += 1
                    mean += row[j]
            mean /= max(n, 1)
            for j in range(row.size):
                if row[j] == row[j]:
                    square += (row[j] - mean) * (row[j] - mean)
            deviation = math.sqrt(square / max(n, 1))
            if not is_worse[q]:
                deviation = -deviation
            for j in range(row.size):
                if row[j] == row[j]:
                    z = (row[j] - mean) / deviation if width > 0.0 else 0.0
                    row[j] = 0.5 * math.erfc(-z / math.sqrt(2.0))


@njit(cache=True, nogil=True)
def _by_position(values, order, is_worse):  # type: ignore[no-untyped-def]
    """Score by the mean position among those present; ``order`` has missing ones last."""
    for i in range(values.shape[0]):
        for q in range(values.shape[1]):
            row, here = values[i, q], order[i, q]
            n = 0
            for j in range(row.size):
                if row[j] == row[j]:
                    n += 1
            first = 0
            while first < n:
                value, last = row[here[first]], first
                while last + 1 < n and row[here[last + 1]] == value:
                    last += 1
                score = 0.5 if n == 1 else (first + last) / 2 / (n - 1)
                for at in range(first, last + 1):
                    row[here[at]] = score if is_worse[q] else 1.0 - score
                first = last + 1


@njit(cache=True, nogil=True)
def _ends(row):  # type: ignore[no-untyped-def]
    low, high = np.inf, -np.inf
    for j in range(row.size):
        if row[j] == row[j]:
            low, high = min(low, row[j]), max(high, row[j])
    return (low, high) if low <= high else (0.0, 0.0)

"""Spatial pattern: whether places are like their neighbours, and where clusters are that chance would not make."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.special import ndtr

from analysis.core.neighbours import Neighbours
from analysis.core.normalising import normalise
from geo.errors import InvalidInput

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: Names of the kinds of `Clusters.kind`, by number.
KINDS: Final = ("none", "high-high", "low-high", "low-low", "high-low")

#: Values that agree to so many digits do not differ.
_SAME: Final = 1e-12

# Permutations are drawn in blocks of so many numbers, so that memory does not grow with them.
_MOST_NUMBERS: Final = 2_000_000


@dataclass(frozen=True, slots=True)
class Autocorrelation:
    """Moran's I of all places together.

    Attributes
    ----------
    i
        About −1 to 1: above `expected` if neighbours are alike, below if they are unlike.
    expected
        −1/(n − 1), if values were dealt to places by chance.
    z, p_analytic
        (I − expected) / its standard deviation under randomisation, and the two-sided p of that by the normal
        distribution, which is an approximation.
    p_permuted
        Two-sided pseudo p: twice (R + 1)/(M + 1), at most 1, with M permutations of which R have an I as far out on
        the same side; the smaller side is taken.
    permutations
        M.
    places
        n: places that have a value.
    """

    i: float
    expected: float
    z: float
    p_analytic: float
    p_permuted: float
    permutations: int
    places: int


@dataclass(frozen=True, slots=True, eq=False)
class Clusters:
    """Local Moran's I: places that are like or unlike their neighbours.

    Attributes
    ----------
    i
        Shape ``(p,)``: local Moran's I; 0 for places that cannot be tested.
    kind
        Shape ``(p,)`` uint8, by `KINDS`, whether significant or not: 1 high among high, 2 low among high, 3 low among
        low, 4 high among low, 0 where a place cannot be tested. High is above the mean of all places.
    p
        Shape ``(p,)``: two-sided pseudo p of each place on its own, as in `Autocorrelation`, its neighbours' values
        dealt out anew; 1 where it cannot be tested.
    p_false_discovery
        Shape ``(p,)``: adjusted for the number of places tested, after Benjamini and Hochberg: among all places whose
        p is at most 0.05, no more than 5 % are expected to be there by chance.
    p_bonferroni
        Shape ``(p,)``: p times the number of places tested, at most 1: it bounds the chance that even one place is there
        by chance.
    is_tested
        Shape ``(p,)``: has the place a value and a neighbour with one?
    permutations
        M; no p is below 2/(M + 1).
    """

    i: Floats
    kind: NDArray[np.uint8]
    p: Floats
    p_false_discovery: Floats
    p_bonferroni: Floats
    is_tested: Flags
    permutations: int

    def significant(self, level: float = 0.05, correction: str = "false-discovery") -> NDArray[np.uint8]:
        """Return the kinds of the places that are significant, 0 for the others.

        Parameters
        ----------
        level
            Between 0 and 1.
        correction
            ``false-discovery``, ``bonferroni`` or ``none``. By none, one of twenty places is significant where there
            is no pattern at all.

        Raises
        ------
        InvalidInput
            If the level is not between 0 and 1 or the correction is unknown.
        """
        if not 0 < level < 1:
            raise InvalidInput(f"{level:g} is not a level between 0 and 1.", code="bad_number")
        by_name = {"false-discovery": self.p_false_discovery, "bonferroni": self.p_bonferroni, "none": self.p}
        if correction not in by_name:
            raise InvalidInput(f"“{correction}” is not a correction of p-values.", code="bad_method")
        return np.where(by_name[correction] <= level, self.kind, np.uint8(0))


def moran(
    values: NDArray[np.floating], neighbours: Neighbours, seed: int = 0, permutations: int = 999
) -> Autocorrelation:
    """Tell whether neighbouring places are more alike than chance would make them: Moran's I.

    I = n/S₀ · Σᵢⱼ wᵢⱼ zᵢ zⱼ / Σᵢ zᵢ², z the values less their mean and S₀ the sum of all weights.

    Parameters
    ----------
    values
        Shape ``(p,)``: such as scores of priority; NaN where missing: such places are left out, also as neighbours.
    neighbours
        Of the same places. Islands count in the mean, with a zero as their neighbours' value.
    seed, permutations
        Of the pseudo p: the same seed gives the same p.

    Raises
    ------
    InvalidInput
        If lengths differ, a value is infinite, fewer than four places have a value, all are equal, none has
        neighbours, or there is no permutation.

    Notes
    -----
    Reference: [@cliff1981], chapters 1 and 2; variance under randomisation.

    Examples
    --------
    Two high places side by side, and two low ones:

    >>> from analysis.core.neighbours import neighbours_of
    >>> found = moran(np.array([9.0, 9.0, 1.0, 1.0]), neighbours_of(4, [(0, 1), (1, 2), (2, 3)]))
    >>> round(found.i, 3), round(found.expected, 3)
    (0.5, -0.333)
    """
    is_known = _known(values, neighbours, permutations)
    near = neighbours if is_known.all() else neighbours.only(is_known)
    deviation = _deviations(np.asarray(values, dtype=np.float64)[is_known], near)
    n, weights = near.size, near.weights
    square = float(deviation @ deviation)
    total = float(weights.sum())

    def statistic(z: Floats) -> Floats:
        return np.asarray(n / total * (z * (weights @ z)).sum(axis=0) / square)

    i = float(statistic(deviation))
    expected = -1.0 / (n - 1)
    deviation_of_i = float(np.sqrt(_variance(deviation, near)))
    z = (i - expected) / deviation_of_i if deviation_of_i > 0 else 0.0
    rng = np.random.default_rng(seed)
    larger = smaller = 0
    block = max(_MOST_NUMBERS // n, 1)
    for start in range(0, permutations, block):
        count = min(block, permutations - start)
        chance = statistic(rng.permuted(np.tile(deviation, (count, 1)), axis=1).T)
        larger += int((chance >= i - _SAME).sum())
        smaller += int((chance <= i + _SAME).sum())
    p = min(1.0, 2.0 * (min(larger, smaller) + 1) / (permutations + 1))
    return Autocorrelation(i, expected, z, 2.0 * float(ndtr(-abs(z))), p, permutations, n)


def local_moran(
    values: NDArray[np.floating], neighbours: Neighbours, seed: int = 0, permutations: int = 9_999
) -> Clusters:
    """Find clusters of high or low places, and places unlike their neighbours: local Moran's I.

    Iᵢ = (n − 1) zᵢ Σⱼ wᵢⱼ zⱼ / Σₖ zₖ², z the values less their mean. To tell what chance would do, the neighbours of a place
    are given values drawn from those of all other places without putting back, again and again (conditional
    permutation).

    Parameters
    ----------
    values, neighbours
        As for `moran`. Islands are not tested.
    seed, permutations
        As for `moran`. To find one cluster among p places after correction, about 40 · p permutations are needed at a
        level of 5 %.

    Raises
    ------
    InvalidInput
        As `moran`.

    Notes
    -----
    Reference: [@anselin1995], the local Moran and its significance; the correction of [@benjamini1995], for
    local statistics [@castro2006]. Tests of neighbours are not independent; where they agree, as for clusters, the
    correction stays on the safe side.

    Examples
    --------
    >>> from analysis.core.neighbours import neighbours_of
    >>> row = neighbours_of(5, [(0, 1), (1, 2), (2, 3), (3, 4)])
    >>> found = local_moran(np.array([9.0, 9.0, 1.0, 0.0, 0.0]), row)
    >>> [KINDS[kind] for kind in found.kind]
    ['high-high', 'high-high', 'low-high', 'low-low', 'low-low']
    """
    is_known = _known(values, neighbours, permutations)
    near = neighbours if is_known.all() else neighbours.only(is_known)
    deviation = _deviations(np.asarray(values, dtype=np.float64)[is_known], near)
    n, weights = near.size, near.weights
    number = np.diff(weights.indptr).astype(np.int64)
    lag = weights @ deviation
    square = float(deviation @ deviation)
    rng = np.random.default_rng(seed)
    larger, smaller = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    # What is drawn for one place serves all: a place's own p is not touched by what is drawn for the others.
    tie = _SAME * float(np.abs(deviation).max())
    block = max(_MOST_NUMBERS // n, 1)
    for start in range(0, permutations, block):
        draws = rng.random((min(block, permutations - start), int(number.max())))
        _count(deviation, number, lag, draws, tie, larger, smaller)
    is_high, is_near_high = deviation > tie, lag > tie
    kind = np.where(is_high, np.where(is_near_high, 1, 4), np.where(is_near_high, 2, 3))
    has_neighbours = number > 0
    p = np.ones(n)
    p[has_neighbours] = np.minimum(2.0 * (np.minimum(larger, smaller)[has_neighbours] + 1) / (permutations + 1), 1.0)
    places = np.flatnonzero(is_known)[has_neighbours]
    size = len(is_known)
    found_i, found_kind = np.zeros(size), np.zeros(size, dtype=np.uint8)
    found_i[places] = ((n - 1) * deviation * lag / square)[has_neighbours]
    found_kind[places] = kind[has_neighbours]
    found = [np.ones(size) for _ in range(3)]
    tested = p[has_neighbours]
    for target, some in zip(
        found, (tested, false_discovery(tested), np.minimum(tested * len(tested), 1.0)), strict=True
    ):
        target[places] = some
    is_tested = np.zeros(size, dtype=bool)
    is_tested[places] = True
    return Clusters(found_i, found_kind, found[0], found[1], found[2], is_tested, permutations)


def false_discovery(p: Sequence[float] | NDArray[np.floating]) -> Floats:
    """Adjust p-values for their number, after Benjamini and Hochberg.

    The r-th smallest of m becomes the smallest p · m/r among it and all larger ones.

    Parameters
    ----------
    p
        Shape ``(m,)``: 0 to 1.

    Raises
    ------
    InvalidInput
        If one is outside 0 to 1 or not a number.

    Notes
    -----
    Reference: [@benjamini1995].

    Examples
    --------
    >>> false_discovery([0.01, 0.04, 0.03, 0.5]).round(4).tolist()
    [0.04, 0.0533, 0.0533, 0.5]
    """
    array = np.asarray(p, dtype=np.float64)
    if not ((array >= 0) & (array <= 1)).all():
        raise InvalidInput("A p-value is outside 0 to 1.", code="bad_number")
    order = np.argsort(array, kind="stable")[::-1]
    adjusted = array[order] * array.size / np.arange(array.size, 0, -1)
    found = np.empty_like(array)
    found[order] = np.minimum(np.minimum.accumulate(adjusted), 1.0)
    return found


@njit(cache=True, nogil=True)
def _count(deviation, number, lag, draws, tie, larger, smaller):  # type: ignore[no-untyped-def]
    """Add up for each place how many draws make its neighbours' mean as high as it is, and as low.

    A row of draws deals out the other places: the first steps of Fisher and Yates, undone afterwards.
    """
    n = deviation.size
    most = draws.shape[1]
    order = np.arange(n - 1)
    swapped = np.empty(most, np.int64)
    for draw in range(draws.shape[0]):
        for step in range(most):
            other = min(step + int(draws[draw, step] * (n - 1 - step)), n - 2)
            swapped[step] = other
            order[step], order[other] = order[other], order[step]
        for place in range(n):
            count = number[place]
            if count == 0:
                continue
            total = 0.0
            for step in range(count):
                other = order[step]
                total += deviation[other + 1 if other >= place else other]
            mean = total / count
            if mean >= lag[place] - tie:
                larger[place] += 1
            if mean <= lag[place] + tie:
                smaller[place] += 1
        for step in range(most - 1, -1, -1):
            other = swapped[step]
            order[step], order[other] = order[other], order[step]


def _known(values: NDArray[np.floating], neighbours: Neighbours, permutations: int) -> Flags:
    array = np.asarray(values, dtype=np.float64)
    if array.shape != (neighbours.size,):
        raise InvalidInput(
            f"Values of shape {array.shape} do not fit {neighbours.size} places.", code="length_mismatch"
        )
    if np.isinf(array).any():
        raise InvalidInput("A place has an infinite value.", code="bad_indicator",
                           where=f"place {np.flatnonzero(np.isinf(array))[0]}", remedy="Leave it missing.")  # fmt: skip
    if permutations < 1:
        raise InvalidInput("Without permutations there is no p-value.", code="bad_number", remedy="Give one or more.")
    is_known = ~np.isnan(array)
    if is_known.sum() < 4:
        raise InvalidInput("Fewer than four places have a value, too few for a spatial pattern.", code="too_few_values")
    return is_known


def _deviations(values: Floats, neighbours: Neighbours) -> Floats:
    """Return the values less their mean, in a scale of their own."""
    if values.min() == values.max():
        raise InvalidInput("All places have the same value, so there is no spatial pattern.", code="nothing_differs")
    if not neighbours.weights.nnz:
        raise InvalidInput(
            "No place has a neighbour, so there is no spatial pattern.",
            code="no_neighbours",
            remedy="Allow a gap between borders, or choose places that touch.",
        )
    # Stretched first, which changes none of the measures, so that nothing overflows.
    stretched = normalise(values, "more-is-worse", "min-max")
    return np.asarray(stretched - stretched.mean())


def _variance(deviation: Floats, neighbours: Neighbours) -> float:
    """Return the variance of Moran's I under randomisation, [@cliff1981]."""
    weights, n = neighbours.weights, neighbours.size
    s0 = float(weights.sum())
    both = weights + weights.T
    s1 = float((both.multiply(both)).sum()) / 2
    s2 = float(((np.asarray(weights.sum(axis=0)) + np.asarray(weights.sum(axis=1))) ** 2).sum())
    peak = float((deviation**4).mean() / (deviation**2).mean() ** 2)
    even = n * ((n * n - 3 * n + 3) * s1 - n * s2 + 3 * s0**2)
    uneven = peak * ((n * n - n) * s1 - 2 * n * s2 + 6 * s0**2)
    return max((even - uneven) / ((n - 1) * (n - 2) * (n - 3) * s0**2) - 1.0 / (n - 1) ** 2, 0.0)

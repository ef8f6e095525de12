"""Variance-based sensitivity: which factor's uncertainty makes an output uncertain, alone and with the others."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from geo.errors import InvalidInput

Floats = NDArray[np.float64]

_MOST_BASE_DRAWS: Final = 65_536
#: Columns that one design can have: half of the dimensions that direction numbers are known for.
MOST_COLUMNS: Final = qmc.Sobol.MAXDIM // 2


@dataclass(frozen=True, slots=True, eq=False)
class SobolIndices:
    """First-order and total indices of ``d`` factors on ``m`` outputs, [@saltelli2010].

    Attributes
    ----------
    first
        Shape ``(m, d)``, S: the share of the output's variance that would go on average if the factor were known.
        Estimates of an index near 0 may be a little below it.
    total
        Shape ``(m, d)``, S_T: the share that would stay on average if all but the factor were known; its distance
        from ``first`` is what the factor does together with others.
    first_low, first_high, total_low, total_high
        Shape ``(m, d)``: 95 % intervals by drawing base rows again.
    variance
        Shape ``(m,)``: of the output; where it is 0 the output does not depend on anything and all indices are 0.
    """

    first: Floats
    total: Floats
    first_low: Floats
    first_high: Floats
    total_low: Floats
    total_high: Floats
    variance: Floats


def design(columns: int, base_draws: int, seed: int) -> tuple[Floats, Floats]:
    """Draw the two base matrices A and B, evenly over the unit cube.

    Parameters
    ----------
    columns
        How many numbers between 0 and 1 a draw has.
    base_draws
        N, a power of two.
    seed
        Of the scrambling.

    Returns
    -------
    tuple of ndarray
        Shape ``(N, columns)`` each, in (0, 1): the two halves of a scrambled Sobol sequence of twice the columns.

    Raises
    ------
    InvalidInput
        If N is not a power of two, or there are too many columns.

    Notes
    -----
    Reference: [@saltelli2010].

    Examples
    --------
    >>> a, b = design(3, 8, seed=1)
    >>> a.shape, b.shape, sorted(np.floor(a[:, 0] * 8).astype(int).tolist())
    ((8, 3), (8, 3), [0, 1, 2, 3, 4, 5, 6, 7])
    """
    if not 2 <= base_draws <= _MOST_BASE_DRAWS or base_draws & (base_draws - 1):
        raise InvalidInput(
            f"{base_draws:,} is not a power of two from 2 to {_MOST_BASE_DRAWS:,}.",
            code="bad_draws",
            remedy="Give 1,024, or so.",
        )
    if not 1 <= columns <= MOST_COLUMNS:
        raise InvalidInput(f"A design cannot have {columns:,} columns.", code="too_many_factors")
    sequence = qmc.Sobol(2 * columns, scramble=True, rng=np.random.default_rng([seed, 4]))
    points = sequence.random(base_draws)
    # An end of the interval would have an infinite deviate.
    points = np.clip(points, 2.0**-53, 1.0 - 2.0**-53)
    return points[:, :columns], points[:, columns:]


def sobol_indices(f_a: Floats, f_b: Floats, f_ab: Floats, resamples: int = 200, seed: int = 1) -> SobolIndices:
    """Estimate the indices from what the model answered.

    Parameters
    ----------
    f_a, f_b
        Shape ``(N, m)``: m outputs of the rows of A and of B.
    f_ab
        Shape ``(d, N, m)``: outputs of A with the columns of factor i taken from B.
    resamples
        How often base rows are drawn again for the intervals.
    seed
        Of that.

    Returns
    -------
    SobolIndices
        Never NaN.

    Raises
    ------
    InvalidInput
        If shapes do not fit or an output is not finite.

    Notes
    -----
    S_i = 1 − Σ (f_B − f_ABi)²/(2NV) and S_Ti = Σ (f_A − f_ABi)²/(2NV), the estimators of [@jansen1999],
    compared in [@saltelli2010]; V is the variance of A and B together.

    Examples
    --------
    A sum of two numbers, the second twice the first: 1/5 and 4/5 of the variance.

    >>> a, b = design(2, 1024, seed=1)
    >>> model = lambda x: x[:, :1] + 2 * x[:, 1:]
    >>> first_of_b, second_of_b = np.c_[b[:, 0], a[:, 1]], np.c_[a[:, 0], b[:, 1]]
    >>> found = sobol_indices(model(a), model(b), np.stack([model(first_of_b), model(second_of_b)]))
    >>> found.first.round(2).tolist(), found.total.round(2).tolist()
    ([[0.2, 0.8]], [[0.2, 0.8]])
    """
    if f_a.ndim != 2 or f_a.shape != f_b.shape or f_ab.ndim != 3 or f_ab.shape[1:] != f_a.shape or len(f_a) < 2:
        raise InvalidInput(
            f"Outputs of shapes {f_a.shape}, {f_b.shape} and {f_ab.shape} are not of one design.",
            code="length_mismatch",
        )
    if not (np.isfinite(f_a).all() and np.isfinite(f_b).all() and np.isfinite(f_ab).all()):
        raise InvalidInput("An output of the model is not a finite number.", code="bad_output")
    n = len(f_a)
    # From the middle, so that an output far from 0 keeps its digits.
    centre = (f_a.mean(axis=0) + f_b.mean(axis=0)) / 2
    a, b, ab = f_a - centre, f_b - centre, f_ab - centre
    # Of each base row: its part of the mean, of the square, and of both sums of every factor.
    parts = np.stack([(a + b) / 2, (a**2 + b**2) / 2, *((b - ab) ** 2 / 2), *((a - ab) ** 2 / 2)])
    d = len(ab)
    variance, first, total = _estimates(parts.mean(axis=1), d)
    is_constant = (f_a == f_a[0]).all(axis=0) & (f_b == f_a[0]).all(axis=0) & (f_ab == f_a[0]).all(axis=(0, 1))
    variance[is_constant] = 0.0
    rng = np.random.default_rng([seed, 5])
    times = rng.multinomial(n, np.full(n, 1.0 / n), size=max(resamples, 1)) / n
    again = np.einsum("rn,qnm->rqm", times, parts, optimize=True)
    firsts, totals = np.empty((len(times), *first.shape)), np.empty((len(times), *first.shape))
    for r, of_resample in enumerate(again):
        _, firsts[r], totals[r] = _estimates(of_resample, d)
    ends = [*np.quantile(firsts, (0.025, 0.975), axis=0), *np.quantile(totals, (0.025, 0.975), axis=0)]
    found = [np.where(variance[:, None] > 0, values, 0.0) for values in (first, total, *ends)]
    return SobolIndices(found[0], found[1], found[2], found[3], found[4], found[5], variance)


def _estimates(means: Floats, d: int) -> tuple[Floats, Floats, Floats]:
    """Return variance, S and S_T from the means of the parts; zeros without variance."""
    variance = np.maximum(means[1] - means[0] ** 2, 0.0)
    scale = np.divide(1.0, variance, out=np.zeros_like(variance), where=variance > 0)
    first = np.where(variance > 0, 1.0 - means[2 : 2 + d] * scale, 0.0)
    return variance, first.T, (means[2 + d :] * scale).T

"""Weights from pairwise comparisons (the analytic hierarchy process), and how well the comparisons agree."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from analysis.core.weighting import Consistency, Weights
from geo.errors import InvalidInput

Floats = NDArray[np.float64]

#: Mean consistency index of random matrices of one, two … indicators: Saaty's, [@saaty2003], up to ten, and beyond
#: those of [@alonso2006], which agree with his within 0.01.
RANDOM_INDEX: Final = (0.0, 0.0, 0.52, 0.89, 1.11, 1.25, 1.35, 1.40, 1.45, 1.49, 1.51, 1.54, 1.56, 1.57, 1.58)

#: Comparisons with a larger consistency ratio contradict each other too much, [@saaty1990].
CONSISTENCY_LIMIT: Final = 0.1

# 3 and 0.33 are meant as reciprocal, 7 and 0.14 too.
_RECIPROCAL_TOLERANCE: Final = 0.0201


def pairwise_weights(comparisons: Sequence[Sequence[float]] | NDArray[np.floating]) -> Weights:
    """Weigh indicators by comparing each two: the principal eigenvector of the matrix of comparisons.

    Parameters
    ----------
    comparisons
        Shape ``(k, k)``: how many times as important the indicator of the row is as that of the column, usually 1 to
        9 or the reciprocal; k at most 15.

    Returns
    -------
    Weights
        With `Weights.consistency`. Inconsistent comparisons give weights too: whether to use them is for people.

    Raises
    ------
    InvalidInput
        If the matrix is not square, too large, not positive, not reciprocal (aⱼᵢ = 1/aᵢⱼ within 2 %, so that 0.33 is
        taken for 1/3), or its diagonal is not 1. Of two such numbers the one above 1 is used.

    Notes
    -----
    Reference: [@saaty1990]. The comparison most at odds is the one whose aᵢⱼ wⱼ/wᵢ is largest, [@saaty2003].

    Examples
    --------
    >>> found = pairwise_weights([[1, 2, 4], [1 / 2, 1, 2], [1 / 4, 1 / 2, 1]])
    >>> found.shares.round(4).tolist(), round(found.consistency.ratio, 6)
    ([0.5714, 0.2857, 0.1429], 0.0)
    """
    matrix = _checked(comparisons)
    size = len(matrix)
    eigenvalues, vectors = np.linalg.eig(matrix)
    at = int(np.argmax(eigenvalues.real))
    vector = np.abs(vectors[:, at].real)
    # Two steps of the power method remove what the eigenvector of a repeated root may have kept of others.
    for _ in range(2):
        vector = matrix @ vector
        vector /= vector.sum()
    largest = max(float((matrix @ vector / vector).mean()), float(size))
    index = (largest - size) / (size - 1) if size > 1 else 0.0
    ratio = index / RANDOM_INDEX[size - 1] if size > 2 else 0.0
    odds = matrix * vector[None, :] / vector[:, None]
    i, j = (int(n) for n in np.unravel_index(int(np.argmax(odds)), odds.shape))
    agrees = size < 3 or odds[i, j] <= 1 + 1e-9
    consistency = Consistency(
        largest_eigenvalue=largest,
        index=index,
        ratio=ratio,
        is_consistent=ratio <= CONSISTENCY_LIMIT,
        most_at_odds=None if agrees else (i, j),
        said=None if agrees else float(matrix[i, j]),
        implied=None if agrees else float(vector[i] / vector[j]),
    )
    return Weights(vector, "pairwise", vector, consistency=consistency)


def comparison_matrix(count: int, comparisons: Mapping[tuple[int, int], float]) -> Floats:
    """Make the matrix of comparisons from one number for each two indicators.

    Parameters
    ----------
    count
        Number of indicators.
    comparisons
        By the numbers i and j of two indicators, how many times as important i is as j; each two once, either way.

    Raises
    ------
    InvalidInput
        If two indicators are not compared, compared twice, a number is not one of theirs, or is not above zero.

    Examples
    --------
    >>> comparison_matrix(2, {(1, 0): 4.0}).tolist()
    [[1.0, 0.25], [4.0, 1.0]]
    """
    if count < 1:
        raise InvalidInput("There is no indicator to weigh.", code="no_indicators", remedy="Choose one or more.")
    matrix = np.full((count, count), np.nan)
    np.fill_diagonal(matrix, 1.0)
    for (i, j), value in comparisons.items():
        where = f"indicators {i} and {j}"
        if not (0 <= i < count and 0 <= j < count and i != j):
            raise InvalidInput("A comparison is not of two of the indicators.", code="bad_comparison", where=where)
        if not (np.isfinite(value) and value > 0):
            raise InvalidInput("A comparison is not a number above zero.", code="bad_comparison", where=where)
        if not np.isnan(matrix[i, j]):
            raise InvalidInput("Two indicators are compared twice.", code="bad_comparison", where=where,
                               remedy="Give one comparison for each two.")  # fmt: skip
        matrix[i, j], matrix[j, i] = value, 1.0 / value
    missing = np.argwhere(np.isnan(matrix))
    if len(missing):
        raise InvalidInput("Two indicators are not compared.", code="bad_comparison",
                           where=f"indicators {missing[0][0]} and {missing[0][1]}",
                           remedy="Give one comparison for each two.")  # fmt: skip
    return matrix


def combined_comparisons(matrices: Sequence[NDArray[np.floating]]) -> Floats:
    """Make one matrix of comparisons from those of several institutions, each counting the same.

    Parameters
    ----------
    matrices
        One for each institution, shape ``(k, k)`` each, as for `pairwise_weights`.

    Returns
    -------
    ndarray
        Shape ``(k, k)``: the geometric means, which are the only ones that stay reciprocal.

    Raises
    ------
    InvalidInput
        If there is none, sizes differ, or one is refused by `pairwise_weights`.

    Notes
    -----
    Reference: [@aczel1983].

    Examples
    --------
    >>> combined_comparisons([np.array([[1, 9], [1 / 9, 1]]), np.array([[1, 1], [1, 1]])]).round(3).tolist()
    [[1.0, 3.0], [0.333, 1.0]]
    """
    checked = [_checked(matrix) for matrix in matrices]
    if not checked or len({matrix.shape for matrix in checked}) != 1:
        raise InvalidInput(
            "Comparisons of the same indicators by one institution or more are needed.", code="length_mismatch"
        )
    return np.asarray(np.exp(np.mean([np.log(matrix) for matrix in checked], axis=0)))


def _checked(comparisons: Sequence[Sequence[float]] | NDArray[np.floating]) -> Floats:
    """Return a matrix that is reciprocal to the last digit."""
    matrix = np.array(comparisons, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise InvalidInput(f"A matrix of shape {matrix.shape} does not compare each two.", code="length_mismatch")
    size = len(matrix)
    if size > len(RANDOM_INDEX):
        raise InvalidInput(
            f"{size} indicators are too many to compare each two.",
            code="too_many_comparisons",
            remedy=f"Compare at most {len(RANDOM_INDEX)}, such as domains first and indicators within each.",
        )
    bad = np.argwhere(~(np.isfinite(matrix) & (matrix > 0)))
    if len(bad):
        raise InvalidInput("A comparison is not a number above zero.", code="bad_comparison", where=_named(bad[0]))
    wrong = np.argwhere(np.abs(matrix * matrix.T - 1.0) > _RECIPROCAL_TOLERANCE)
    if len(wrong):
        raise InvalidInput(
            "Two comparisons of the same indicators contradict each other.",
            code="bad_comparison",
            where=_named(wrong[0]),
            remedy="The one must be the reciprocal of the other, such as 3 and 1/3.",
        )
    return np.where(matrix >= matrix.T, matrix, 1.0 / matrix.T) * (1 - np.eye(size)) + np.eye(size)


def _named(pair: NDArray[np.integer]) -> str:
    return f"indicators {pair[0]} and {pair[1]}"

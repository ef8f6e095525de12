"""How much several rankings of the same places agree: all together, two at a time, and place by place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.errors import InvalidInput

Floats = NDArray[np.float64]
Ranks = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """How much rankings agree.

    Attributes
    ----------
    concordance
        Kendall's W with its correction for ties: 1 where all rank alike, 0 where their sums of ranks are all the same. None
        for one ranking, one place, or rankings that all tie all places.
    taus
        Shape ``(m, m)``: Kendall's τ-b of each two, −1 to 1; NaN where one of them ties all places, or there is one place.
    spread
        Shape ``(p,)``: the largest rank of a place less the smallest.
    first
        Shape ``(m, p)``: whether a place is among the first in each.
    """

    concordance: float | None
    taus: Floats
    spread: Ranks
    first: NDArray[np.bool_]

    @property
    def first_of_all(self) -> NDArray[np.bool_]:
        """Shape ``(p,)``: places that are among the first in all of them."""
        return np.asarray(self.first.all(axis=0))

    @property
    def first_of_any(self) -> NDArray[np.bool_]:
        """Shape ``(p,)``: places that are among the first in one of them or more."""
        return np.asarray(self.first.any(axis=0))


def agreement(ranks: Sequence[Sequence[int]] | NDArray[np.integer], first: int) -> Agreement:
    """Compare rankings of the same places.

    Parameters
    ----------
    ranks
        Shape ``(m, p)``: one row for each ranking, 1 for the highest need; ties share the better rank.
    first
        How many are “the first”; with ties it may be more.

    Raises
    ------
    InvalidInput
        If there is no ranking or no place, or the first are none.

    Notes
    -----
    W is computed from mid-ranks, as τ-b it does not depend on which rank ties share. Reference: [@kendall1990].

    Examples
    --------
    >>> found = agreement([[1, 2, 3, 4], [1, 2, 4, 3]], first=2)
    >>> round(found.concordance, 3), round(float(found.taus[0, 1]), 3), found.spread.tolist(), int(found.first_of_all.sum())
    (0.9, 0.667, [0, 0, 1, 1], 2)
    """
    array = np.asarray(ranks, dtype=np.int64)
    if array.ndim != 2 or not array.size:
        raise InvalidInput(
            f"Ranks of shape {array.shape} are not rankings of places.",
            code="length_mismatch",
            details={"value": str(array.shape)},
        )
    if first < 1:
        raise InvalidInput("The number of first places must be one or more.", code="bad_line")
    middle = np.stack([_mid_ranks(row) for row in array])
    return Agreement(
        _concordance(middle), _taus(array), np.asarray(array.max(axis=0) - array.min(axis=0)), array <= first
    )


def _mid_ranks(row: Ranks) -> Floats:
    """Return ranks of which ties share the middle one."""
    _values, at, counts = np.unique(row, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    middle: Floats = (ends - (counts - 1) / 2)[at]
    return middle


def _concordance(middle: Floats) -> float | None:
    m, p = middle.shape
    if m < 2 or p < 2:
        return None
    ties = sum(
        float((counts**3 - counts).sum()) for counts in (np.unique(row, return_counts=True)[1] for row in middle)
    )
    most = m * m * (p**3 - p) - m * ties
    if most <= 0:
        return None
    sums = middle.sum(axis=0)
    return float(min(12 * ((sums - sums.mean()) ** 2).sum() / most, 1.0))


def _taus(ranks: Ranks) -> Floats:
    """Return Kendall's τ-b of each two rankings, from the signs of all pairs of places."""
    i, j = np.triu_indices(ranks.shape[1], 1)
    signs = np.sign(ranks[:, i] - ranks[:, j]).astype(np.float64)
    untied = np.sqrt((signs**2).sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        taus: Floats = np.clip((signs @ signs.T) / np.outer(untied, untied), -1.0, 1.0)
    return taus


__all__ = ["Agreement", "agreement"]

"""Weights from data: by how the places differ in each indicator.

They say which indicators tell places apart, not which matter, and they change with every place that is added.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analysis.core.index import GEOMETRIC_FLOOR
from analysis.core.normalising import Direction
from analysis.core.weighting import Weights
from geo.errors import InvalidInput

Floats = NDArray[np.float64]

DataWeighting = Literal["entropy", "critic", "merec"]


def entropy(values: NDArray[np.floating]) -> Weights:
    """Weigh indicators by how unevenly they are spread over the places.

    With pᵢⱼ = xᵢⱼ/Σᵢ xᵢⱼ and eⱼ = −Σᵢ pᵢⱼ ln pᵢⱼ / ln nⱼ over the nⱼ places that have the indicator (0 · ln 0 = 0), the
    weight is in proportion to 1 − eⱼ.

    Parameters
    ----------
    values
        Shape ``(p, k)``: zero or more, such as scores or what they are made from; NaN where missing. The unit does not
        matter, where zero lies does.

    Returns
    -------
    Weights
        An indicator that is the same everywhere, also 0, gets 0.

    Raises
    ------
    InvalidInput
        If a value is negative or infinite, an indicator has fewer than two values, or none differs between places.

    Notes
    -----
    Reference: [@hwang1981], section on entropy; the example in [@xu2004].

    Examples
    --------
    >>> entropy(np.array([[1.0, 5.0], [0.0, 5.0]])).shares.tolist()
    [1.0, 0.0]
    """
    table, is_present = _table(values)
    _refuse_first((table < 0).any(axis=0), "An indicator has a negative value.", code="bad_indicator",
                  remedy="Entropy needs values of zero or more, such as scores.")  # fmt: skip
    differs = _differs(table, is_present)
    count = is_present.sum(axis=0)
    # By the largest first, so that no sum overflows.
    scaled = np.where(differs, table, 1.0) / np.where(differs, table.max(axis=0), 1.0)
    mean = scaled.sum(axis=0) / count
    beyond = np.where(is_present & differs, scaled / mean - 1.0, 0.0)
    # Σ p ln(n p) as Σ ((1 + b) ln(1 + b) − b)/n with b = n p − 1: no term is negative, so that nearly even indicators
    # keep their digits.
    terms = (1.0 + beyond) * np.log1p(beyond, out=np.zeros_like(beyond), where=beyond > -1) - beyond
    return _proportional(np.maximum(terms, 0.0).sum(axis=0) / count / np.log(count), "entropy")


def critic(scores: NDArray[np.floating]) -> Weights:
    """Weigh indicators by how much they vary and how little they repeat each other.

    The weight is in proportion to Cⱼ = σⱼ Σₗ (1 − rⱼₗ), σⱼ the standard deviation of the scores after stretching them to
    0 … 1, and rⱼₗ the correlation with each other indicator.

    Parameters
    ----------
    scores
        Shape ``(p, k)``: scores, or values that all point the same way; NaN where missing. Units do not matter.

    Returns
    -------
    Weights
        An indicator that is the same everywhere gets 0 and is left out of the sums of the others. Correlations are
        those over the places that have both; where there are fewer than two or one of both does not differ among
        them, nothing is known and r counts as 0. If all repeat each other (Cⱼ = 0 for all), each indicator that
        differs between places gets the same: no one tells anything that another does not.

    Raises
    ------
    InvalidInput
        If a value is infinite, an indicator has fewer than two values, or none differs between places.

    Notes
    -----
    Reference: [@diakoulaki1995], equations 2 to 6; the example in [@tus2019].

    Examples
    --------
    The first two say the same, the third something else:

    >>> table = np.array([[0.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 1.0, 1.0]])
    >>> critic(table).shares.tolist()
    [0.25, 0.25, 0.5]
    """
    table, is_present = _table(scores)
    differs = _differs(table, is_present)
    low = np.where(is_present, table, np.inf).min(axis=0)
    # By the largest number first, so that no range overflows.
    scale = np.where(differs, np.abs(table).max(axis=0), 1.0)
    scaled, low = table / scale, low / scale
    width = np.where(differs, np.where(is_present, scaled, -np.inf).max(axis=0) - low, 1.0)
    stretched = np.where(is_present & differs, (scaled - low) / width, 0.0)
    count = is_present.sum(axis=0)
    mean = stretched.sum(axis=0) / count
    deviation = np.sqrt((np.where(is_present, stretched - mean, 0.0) ** 2).sum(axis=0) / count)
    conflict = 1.0 - _correlations(stretched, is_present)
    np.fill_diagonal(conflict, 0.0)
    amounts = np.where(differs, deviation * conflict[:, differs].sum(axis=1), 0.0)
    # What is left of rounding where all repeat each other must not decide.
    if differs.any() and amounts.max() <= 1e-12:
        amounts = differs.astype(np.float64)
    return _proportional(amounts, "critic")


def merec(values: NDArray[np.floating], directions: Direction | Sequence[Direction]) -> Weights:
    """Weigh indicators by how much the whole changes when each is left out.

    With nᵢⱼ = minⱼ/xᵢⱼ where more is better and xᵢⱼ/maxⱼ where more is worse, Sᵢ = ln(1 + Σⱼ |ln nᵢⱼ| / m) over the m
    indicators that place i has, and S′ᵢⱼ the same without the term of j (and the same m), the weight is in proportion to
    Σᵢ |S′ᵢⱼ − Sᵢ|.

    Parameters
    ----------
    values
        Shape ``(p, k)``: above zero, as only their ratios count; NaN where missing. For scores see
        `weights_from_scores`.
    directions
        One for all indicators, or one for each.

    Returns
    -------
    Weights
        An indicator that is the same everywhere gets 0. One that fewer places have is summed over fewer.

    Raises
    ------
    InvalidInput
        If a value is not above zero or infinite, an indicator has fewer than two values, none differs between places,
        or directions do not fit.

    Notes
    -----
    Reference: [@keshavarz2021], steps 1 to 6.

    Examples
    --------
    >>> merec(np.array([[1.0, 3.0], [2.0, 3.0]]), "more-is-better").shares.tolist()
    [1.0, 0.0]
    """
    table, is_present = _table(values)
    k = table.shape[1]
    named = [directions] * k if isinstance(directions, str) else list(directions)
    if len(named) != k:
        raise InvalidInput(f"{len(named)} directions do not fit {k} indicators.", code="length_mismatch")
    for direction in named:
        if direction not in ("more-is-better", "more-is-worse"):
            raise InvalidInput(f"“{direction}” is not a direction.", code="bad_direction")
    _refuse_first((is_present & (table <= 0)).any(axis=0), "An indicator has a value that is not above zero.",
                  code="bad_indicator", remedy="MEREC compares by ratios; weigh scores instead.")  # fmt: skip
    logarithm = np.log(np.where(is_present, table, 1.0))
    highest = np.where(is_present, logarithm, -np.inf).max(axis=0)
    lowest = np.where(is_present, logarithm, np.inf).min(axis=0)
    is_better = np.array([direction == "more-is-better" for direction in named])
    terms = np.where(is_present, np.where(is_better, logarithm - lowest, highest - logarithm), 0.0)
    count = np.maximum(is_present.sum(axis=1, keepdims=True), 1)
    total = terms.sum(axis=1, keepdims=True)
    # ln(1 + a) − ln(1 + b) = ln(1 + (a − b)/(1 + b)), without the loss of digits of a difference.
    without = np.maximum(total - terms, 0.0) / count
    effect = np.log1p((terms / count) / (1.0 + without))
    return _proportional(effect.sum(axis=0), "merec")


def weights_from_scores(scores: NDArray[np.floating], method: DataWeighting) -> Weights:
    """Weigh indicators from their scores, 1 the worst need, by a method that looks at data only.

    Parameters
    ----------
    scores
        Shape ``(p, k)``: 0 to 1; NaN where missing.
    method
        ``entropy`` and ``critic`` of the scores; ``merec`` of what is well, g = 1 − (1 − ε) s with ε =
        `analysis.core.index.GEOMETRIC_FLOOR`, more being better: the factors of the geometric mean, which are above 0.

    Raises
    ------
    InvalidInput
        If a score is outside [0, 1], the method is unknown, an indicator has fewer than two scores, or none differs.

    Examples
    --------
    >>> weights_from_scores(np.array([[0.0, 0.4], [1.0, 0.4]]), "merec").shares.tolist()
    [1.0, 0.0]
    """
    table = np.asarray(scores, dtype=np.float64)
    if not (np.isnan(table) | ((table >= 0) & (table <= 1))).all():
        raise InvalidInput("A score is outside 0 to 1.", code="bad_score", remedy="Normalise the indicator first.")
    if method == "entropy":
        return entropy(table)
    if method == "critic":
        return critic(table)
    if method == "merec":
        return merec(1.0 - (1.0 - GEOMETRIC_FLOOR) * table, "more-is-better")
    raise InvalidInput(f"“{method}” is not a method of weighing by data.", code="bad_method")


def _table(values: NDArray[np.floating]) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the values with 0 where missing, and which are present; each indicator has two or more."""
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or not table.shape[1]:
        raise InvalidInput(
            f"Values of shape {table.shape} are not a table of places and indicators.", code="length_mismatch"
        )
    _refuse_first(np.isinf(table).any(axis=0), "An indicator has an infinite value.", code="bad_indicator",
                  remedy="Leave it missing.")  # fmt: skip
    is_present = ~np.isnan(table)
    _refuse_first(
        is_present.sum(axis=0) < 2,
        "Fewer than two places have an indicator, so data cannot weigh it.",
        code="too_few_values",
        remedy="Leave it out, or choose weights that are not from data.",
    )
    return np.where(is_present, table, 0.0), is_present


def _differs(table: Floats, is_present: NDArray[np.bool_]) -> NDArray[np.bool_]:
    highest, lowest = np.where(is_present, table, -np.inf).max(axis=0), np.where(is_present, table, np.inf).min(axis=0)
    return np.asarray(highest > lowest)


def _correlations(table: Floats, is_present: NDArray[np.bool_]) -> Floats:
    """Return the correlations over the places that have both, 0 where they are not defined."""
    k = table.shape[1]
    found = np.zeros((k, k))
    for i in range(k):
        both = is_present & is_present[:, i : i + 1]
        count = np.maximum(both.sum(axis=0), 1)
        own, other = np.where(both, table[:, i : i + 1], 0.0), np.where(both, table, 0.0)
        own = np.where(both, own - own.sum(axis=0) / count, 0.0)
        other = np.where(both, other - other.sum(axis=0) / count, 0.0)
        size = np.sqrt((own**2).sum(axis=0) * (other**2).sum(axis=0))
        found[i] = np.divide((own * other).sum(axis=0), size, out=np.zeros(k), where=size > 1e-15)
    return np.clip((found + found.T) / 2, -1.0, 1.0)


def _proportional(amounts: Floats, method: DataWeighting) -> Weights:
    amounts = np.maximum(amounts, 0.0)
    total = float(amounts.sum())
    if not total > 0:
        raise InvalidInput(
            "No indicator differs between places, so data cannot weigh them.",
            code="nothing_differs",
            remedy="Choose weights that are not from data, such as equal ones.",
        )
    return Weights(amounts / total, method, amounts)


def _refuse_first(is_bad: NDArray[np.bool_] | np.bool_, message: str, *, code: str, remedy: str) -> None:
    if is_bad.any():
        raise InvalidInput(message, code=code, where=f"indicator {np.flatnonzero(is_bad)[0]}", remedy=remedy)

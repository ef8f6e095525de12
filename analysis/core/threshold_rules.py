"""Threshold rules beside the index: which places are flagged whatever their score, and by what.

An index lets a good value make up for a bad one; a rule does not. A rule is data: thresholds on indicators, and how many
of them must be met.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from analysis.core.normalising import Direction, normalise
from geo.errors import InvalidInput

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

Measure = Literal["value", "share", "percentile"]

#: Percentiles of the Climate and Economic Justice Screening Tool, [@cejst2022].
BURDEN_PERCENTILE: Final = 90.0
INCOME_PERCENTILE: Final = 65.0

#: Share that the criteria of worn fabric must exceed, [@highcouncil2006].
WORN_SHARE: Final = 0.5

_LIMITS: Final = {
    "value": "Give a finite number.",
    "share": "Give a share from 0 to 1.",
    "percentile": "Give a percentile from 0 to 100.",
}


@dataclass(frozen=True, slots=True)
class Threshold:
    """A limit on one indicator.

    Attributes
    ----------
    indicator
        Its code.
    limit
        For ``value`` in the indicator's unit, for ``share`` 0 to 1, for ``percentile`` 0 to 100.
    measure
        ``value``: the value itself. ``share``: the same, and values outside 0 to 1 are refused, so that percent are not
        taken for shares. ``percentile``: the place's percentile of need among all places that have the indicator,
        100 · the score of `analysis.core.normalising.normalise` by ``percentile``; 100 is the worst.
    direction
        Which way need grows: ``more-is-worse`` is met at or above the limit, ``more-is-better`` at or below it.
        Percentiles are of need, so that they are met at or above the limit either way.
    is_strict
        Must the limit be exceeded, not only reached?
    """

    indicator: str
    limit: float
    measure: Measure = "value"
    direction: Direction = "more-is-worse"
    is_strict: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: so many of its parts must be met.

    Attributes
    ----------
    code
        What it is called in answers.
    parts
        Thresholds, or rules of their own.
    at_least
        How many parts must be met; None for all of them, 1 for any.
    """

    code: str
    parts: tuple[Threshold | Rule, ...]
    at_least: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Flagged:
    """Which places are flagged by which rule.

    Attributes
    ----------
    rules
        Codes, in the order of the columns.
    is_flagged
        Shape ``(p, r)``: the rule is met, whatever the missing values are.
    is_undecided
        Shape ``(p, r)``: values are missing, and the rule would be met or not depending on them. Never flagged too.
    met, needed
        Shape ``(p, r)`` and ``(r,)``: how many of the rule's parts are met, and how many must be.
    """

    rules: tuple[str, ...]
    is_flagged: Flags
    is_undecided: Flags
    met: NDArray[np.int64]
    needed: NDArray[np.int64]


def flag(rules: Sequence[Rule], values: Mapping[str, NDArray[np.floating]]) -> Flagged:
    """Apply rules to places.

    Parameters
    ----------
    rules
        With different codes.
    values
        By code of an indicator, shape ``(p,)``: in the indicator's own unit; NaN where missing.

    Returns
    -------
    Flagged
        A rule is decided where the values present suffice: of two parts that must both be met, one that is not met
        decides, even if the other is missing.

    Raises
    ------
    InvalidInput
        If there is no rule, codes repeat, a rule has no parts or asks for more than it has, an indicator is not given,
        lengths differ, a limit is not a number or outside what it measures, or a share is outside 0 to 1.

    Examples
    --------
    >>> poor_and_far = Rule("poor-and-far", (Threshold("income", 100.0, direction="more-is-better"),
    ...                                      Threshold("distance_m", 800.0)))
    >>> found = flag([poor_and_far], {"income": np.array([90.0, 90.0, 200.0]),
    ...                               "distance_m": np.array([900.0, np.nan, np.nan])})
    >>> found.is_flagged[:, 0].tolist(), found.is_undecided[:, 0].tolist()
    ([True, False, False], [False, True, False])
    """
    codes = tuple(rule.code for rule in rules)
    if not rules or len(set(codes)) != len(codes):
        raise InvalidInput("Rules need codes that differ, and one rule or more.", code="bad_rule")
    arrays = {code: np.asarray(value, dtype=np.float64) for code, value in values.items()}
    sizes = {array.shape for array in arrays.values()}
    if len(sizes) != 1 or any(len(size) != 1 for size in sizes):
        raise InvalidInput("Indicators of the same places are needed, one value for each.", code="length_mismatch")
    needed = np.array([_needed(rule) for rule in rules])
    columns = [_parts(rule, arrays) for rule in rules]
    met = np.column_stack([sure.sum(axis=0) for sure, _possible in columns])
    possible = np.column_stack([possible.sum(axis=0) for _sure, possible in columns])
    is_flagged = met >= needed
    return Flagged(codes, is_flagged, ~is_flagged & (possible >= needed), met, needed)


def burden_and_income(
    code: str,
    burdens: Mapping[str, Direction],
    income: str,
    income_direction: Direction = "more-is-worse",
    burden_percentile: float = BURDEN_PERCENTILE,
    income_percentile: float = INCOME_PERCENTILE,
) -> Rule:
    """Make the rule of a category of burdens: any of them is high, and income is low.

    Parameters
    ----------
    code
        Of the rule.
    burdens
        By code of an indicator, which way need grows.
    income, income_direction
        The indicator of low income; ``more-is-worse`` where it is the share of people with a low income.
    burden_percentile, income_percentile
        At or above these percentiles of need, 0 to 100.

    Notes
    -----
    Reference: [@cejst2022]. Percentiles here are among the places given, there among all of the country.

    Examples
    --------
    >>> rule = burden_and_income("heat", {"hot_days": "more-is-worse"}, "poor_share")
    >>> many = np.arange(101.0)
    >>> flag([rule], {"hot_days": many, "poor_share": many}).is_flagged.sum()
    np.int64(11)
    """
    parts = tuple(Threshold(name, burden_percentile, "percentile", direction) for name, direction in burdens.items())
    low_income = Threshold(income, income_percentile, "percentile", income_direction)
    return Rule(code, (Rule(f"{code}: burden", parts, at_least=1), low_income))


def worn_fabric(small_plots: str, unstable_buildings: str, narrow_passages: str, share: float = WORN_SHARE) -> Rule:
    """Make the rule of worn fabric: most plots are small, most buildings unstable, and most passages narrow.

    `Flagged.met` says how many of the three criteria a place meets.

    Parameters
    ----------
    small_plots
        Indicator: share, 0 to 1, of plots under 200 m².
    unstable_buildings
        Share of buildings without a structural system.
    narrow_passages
        Share of passages under 6 m wide.
    share
        Each must exceed it.

    Notes
    -----
    Reference: [@highcouncil2006], which defines it for urban blocks.

    Examples
    --------
    >>> shares = {"small": np.array([0.9, 0.9]), "weak": np.array([0.6, 0.5]), "narrow": np.array([0.7, 0.7])}
    >>> found = flag([worn_fabric("small", "weak", "narrow")], shares)
    >>> found.is_flagged[:, 0].tolist(), found.met[:, 0].tolist()
    ([True, False], [3, 2])
    """
    criteria = (small_plots, unstable_buildings, narrow_passages)
    return Rule("worn-fabric", tuple(Threshold(name, share, "share", is_strict=True) for name in criteria))


def _needed(rule: Rule) -> int:
    needed = len(rule.parts) if rule.at_least is None else rule.at_least
    if not rule.parts or not 1 <= needed <= len(rule.parts):
        raise InvalidInput(
            f"A rule of {len(rule.parts)} parts cannot ask for {needed} of them.", code="bad_rule", where=rule.code
        )
    return needed


def _parts(rule: Rule, values: Mapping[str, Floats]) -> tuple[Flags, Flags]:
    """Return for each part of a rule, in rows, where it is met for sure, and where it may be."""
    sure, possible = [], []
    for part in rule.parts:
        if isinstance(part, Threshold):
            one, other = _is_met(part, values, rule.code)
        else:
            enough = _needed(part)
            own_sure, own_possible = _parts(part, values)
            one, other = own_sure.sum(axis=0) >= enough, own_possible.sum(axis=0) >= enough
        sure.append(one)
        possible.append(other)
    return np.stack(sure), np.stack(possible)


def _is_met(threshold: Threshold, values: Mapping[str, Floats], where: str) -> tuple[Flags, Flags]:
    if threshold.indicator not in values:
        raise InvalidInput(
            f"A rule asks for the indicator “{threshold.indicator}”, which is not given.", code="bad_rule", where=where
        )
    highest = {"value": np.inf, "share": 1.0, "percentile": 100.0}.get(threshold.measure)
    if highest is None:
        raise InvalidInput(f"“{threshold.measure}” is not a measure of a threshold.", code="bad_rule", where=where)
    if threshold.direction not in ("more-is-better", "more-is-worse"):
        raise InvalidInput(f"“{threshold.direction}” is not a direction.", code="bad_direction", where=where)
    lowest = -np.inf if threshold.measure == "value" else 0.0
    if not (np.isfinite(threshold.limit) and lowest <= threshold.limit <= highest):
        raise InvalidInput(
            f"A limit of {threshold.limit:g} is not possible.",
            code="bad_rule",
            where=where,
            remedy=_LIMITS[threshold.measure],
        )
    value = values[threshold.indicator]
    is_worse = threshold.direction == "more-is-worse"
    if threshold.measure == "share" and not (np.isnan(value) | ((value >= 0) & (value <= 1))).all():
        raise InvalidInput(
            "A share is outside 0 to 1.",
            code="bad_indicator",
            where=threshold.indicator,
            remedy="Give shares, not percentages.",
        )
    if threshold.measure == "percentile":
        # Rounded, so that 0.9 · 100 reaches 90.
        value = np.round(100.0 * normalise(value, threshold.direction, "percentile"), 9)
        is_worse = True
    need, limit = (value, threshold.limit) if is_worse else (-value, -threshold.limit)
    is_met = need > limit if threshold.is_strict else need >= limit
    return is_met, is_met | np.isnan(value)

"""Threshold rules beside the index of a city: which places are flagged whatever the index makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from analysis.core.normalising import Direction, normalise
from analysis.core.threshold_rules import BURDEN_PERCENTILE, burden_and_income, flag, worn_fabric
from analysis.indicators import IndicatorMatrix, IndicatorRow
from analysis.models import Indicator

INCOME_CODES: Final = ("low-income", "poverty", "income")
"""Indicators of low income, the first that a city has counts; without one, the first of its livelihood stands for it."""

WORN_CODES: Final = ("small-plots", "unstable-buildings", "narrow-passages")
"""Shares of plots under 200 m², of buildings without a structural system, and of passages under 6 m."""

_PER_UNIT: Final = {"%": 0.01}


@dataclass(frozen=True, slots=True)
class BurdenFound:
    """A rule of one domain: any of its burdens is high, and income is low.

    Attributes
    ----------
    high
        The indicators by which the burden is high, with the place's percentile of need, 0 to 100.
    places
        How many of the places are flagged.
    """

    domain: str
    high: tuple[tuple[IndicatorRow, float], ...]
    is_flagged: bool
    is_undecided: bool
    places: int


@dataclass(frozen=True, slots=True)
class WornFound:
    """The rule of worn fabric: how many of its three criteria a place meets."""

    met: int
    is_flagged: bool
    is_undecided: bool
    places: int


@dataclass(frozen=True, slots=True)
class RulesFound:
    """What rules beside the index say of a place.

    Attributes
    ----------
    income
        The indicator that stands for low income; None where the city has none.
    income_percentile
        The place's percentile of need by it; None where it has no value.
    is_stand_in
        Whether it is of the livelihood, and not of income itself.
    worn
        None where the city has not all three indicators.
    """

    income: IndicatorRow | None
    income_percentile: float | None
    is_stand_in: bool
    burdens: tuple[BurdenFound, ...]
    worn: WornFound | None


def rules_of(matrix: IndicatorMatrix, row: int) -> RulesFound:
    """Apply the rules to a place among others.

    Parameters
    ----------
    matrix
        All indicators of the city, whichever the index takes.
    row
        The place.
    """
    by_code = {one.code: k for k, one in enumerate(matrix.indicators)}
    income = next((by_code[code] for code in INCOME_CODES if code in by_code), None)
    is_stand_in = income is None
    if income is None:
        income = next(
            (
                k
                for k, one in enumerate(matrix.indicators)
                if one.domain == Indicator.Domain.LIVELIHOOD and not np.isnan(matrix.values[:, k]).all()
            ),
            None,
        )
    percentiles = _percentiles(matrix)
    burdens = () if income is None else _burdens(matrix, percentiles, row, income)
    return RulesFound(
        None if income is None else matrix.indicators[income],
        None if income is None or np.isnan(percentiles[row, income]) else float(percentiles[row, income]),
        is_stand_in,
        burdens,
        _worn(matrix, row, by_code),
    )


def _percentiles(matrix: IndicatorMatrix) -> NDArray[np.float64]:
    columns = [
        100.0 * normalise(matrix.values[:, k], _direction(one), "percentile") for k, one in enumerate(matrix.indicators)
    ]
    return np.asarray(np.round(np.stack(columns, axis=1), 9), dtype=np.float64)


def _burdens(
    matrix: IndicatorMatrix, percentiles: NDArray[np.float64], row: int, income: int
) -> tuple[BurdenFound, ...]:
    values = {one.code: matrix.values[:, k] for k, one in enumerate(matrix.indicators)}
    domains: dict[str, list[int]] = {}
    for k, one in enumerate(matrix.indicators):
        if k != income:
            domains.setdefault(one.domain, []).append(k)
    stands = matrix.indicators[income]
    rules = [
        burden_and_income(
            domain, {matrix.indicators[k].code: _direction(matrix.indicators[k]) for k in columns}, stands.code,
            _direction(stands),
        )
        for domain, columns in domains.items()
    ]  # fmt: skip
    if not rules:
        return ()
    found = flag(rules, values)
    return tuple(
        BurdenFound(
            domain,
            tuple(
                (matrix.indicators[k], float(percentiles[row, k]))
                for k in sorted(columns, key=lambda k: -float(np.nan_to_num(percentiles[row, k])))
                if percentiles[row, k] >= BURDEN_PERCENTILE
            ),
            bool(found.is_flagged[row, r]),
            bool(found.is_undecided[row, r]),
            int(found.is_flagged[:, r].sum()),
        )
        for r, (domain, columns) in enumerate(domains.items())
    )


def _worn(matrix: IndicatorMatrix, row: int, by_code: dict[str, int]) -> WornFound | None:
    if not all(code in by_code for code in WORN_CODES):
        return None
    shares = {
        code: matrix.values[:, by_code[code]] * _PER_UNIT.get(matrix.indicators[by_code[code]].unit, 1.0)
        for code in WORN_CODES
    }
    found = flag([worn_fabric(*WORN_CODES)], shares)
    return WornFound(
        int(found.met[row, 0]),
        bool(found.is_flagged[row, 0]),
        bool(found.is_undecided[row, 0]),
        int(found.is_flagged[:, 0].sum()),
    )


def _direction(one: IndicatorRow) -> Direction:
    return "more-is-better" if one.direction == "more-is-better" else "more-is-worse"


__all__ = ["INCOME_CODES", "WORN_CODES", "BurdenFound", "RulesFound", "WornFound", "rules_of"]

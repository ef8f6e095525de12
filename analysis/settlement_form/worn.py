"""Worn fabric: which blocks or places have the marks of it, by a rule that readers choose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from analysis.core.threshold_rules import WORN_SHARE, flag, worn_fabric
from geo.errors import InvalidInput

MARKS: Final = ("small_plots", "unstable_buildings", "narrow_passages")
"""The criteria of the Supreme Council of Urban Planning and Architecture of 1385, [@highcouncil2006]."""


@dataclass(frozen=True, slots=True)
class WornRule:
    """How marks make a block or place worn.

    Attributes
    ----------
    needed
        So many of the three marks: all by the decree, fewer by others who cite it.
    share
        Each must exceed it, 0 to 1.
    """

    needed: int = 2
    share: float = WORN_SHARE


@dataclass(frozen=True, slots=True)
class Worn:
    """What the rule says of one: flagged, not, or None where it depends on what is not known."""

    is_worn: bool | None
    met: int
    known: int


def worn_of(rule: WornRule, small_plots: Sequence[float | None], narrow_passages: Sequence[float | None]) -> list[Worn]:
    """Apply the rule; of the structure of buildings nothing is known yet, which can decide.

    Raises
    ------
    InvalidInput
        Where more marks are asked for than there are, or the share is not between 0 and 1.
    """
    if not 1 <= rule.needed <= len(MARKS):
        raise InvalidInput(
            f"A rule of {len(MARKS)} parts cannot ask for {rule.needed} of them.", code="bad_rule", where="worn"
        )
    if not len(small_plots):
        return []
    small, narrow = (
        np.array([np.nan if value is None else value for value in values], dtype=np.float64)
        for values in (small_plots, narrow_passages)
    )
    values = dict(zip(MARKS, (small, np.full(small.size, np.nan), narrow), strict=True))
    found = flag([replace(worn_fabric(*MARKS, share=rule.share), at_least=rule.needed)], values)
    known = (~np.isnan(np.stack(list(values.values())))).sum(axis=0)
    return [
        Worn(None if undecided else bool(flagged), int(met), int(n))
        for flagged, undecided, met, n in zip(
            found.is_flagged[:, 0], found.is_undecided[:, 0], found.met[:, 0], known, strict=True
        )
    ]


def worn_of_records(rule: WornRule, records: Iterable[Mapping[str, Any]]) -> list[Worn]:
    """Apply the rule to forms of places, or to blocks, as `analysis.settlement_form.form_record` tells them."""
    every = list(records)
    return worn_of(rule, _shares(every, "plots_under_200_m2"), _shares(every, "passages_under_6_m"))


def _shares(records: Iterable[Mapping[str, Any]], name: str) -> list[float | None]:
    """Return shares: a place tells its own with how much is known, a block the share alone."""
    return [record[name]["share"] if isinstance(record[name], Mapping) else record[name] for record in records]


__all__ = ["MARKS", "Worn", "WornRule", "worn_of", "worn_of_records"]

"""What the address of an index asks for: read once, into a question of the analysis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from analysis.forms import MAX_WEIGHT, number
from analysis.indexing import AGGREGATIONS, NORMALISATIONS, TREATMENTS, WEIGHTINGS, IndexQuestion
from geo.errors import InvalidInput

KINDS: Final = ("settlement", "neighbourhood", "")
"""Of places that are ranked; the empty one for all."""

VARIED: Final = ("0", "0.1", "0.25", "0.5", "1")
FIRST_MOST: Final = 1000
PREFIX: Final = "w-"
"""Before the code of an indicator, in the name of the field of its weight."""


def index_question_from(parameters: Mapping[str, str], kind: str) -> IndexQuestion:
    """Return the question that an address asks.

    Parameters
    ----------
    kind
        Of places, where the address names none.

    Raises
    ------
    InvalidInput
        Where a choice is not known, or a number out of range.
    """
    asks = bool(parameters)
    weights = {
        name.removeprefix(PREFIX)[:80]: number(value, name, 0, MAX_WEIGHT)
        for name, value in parameters.items()
        if name.startswith(PREFIX) and value.strip()
    }
    if weights and not any(weights.values()):
        raise InvalidInput("All weights are zero.", code="bad_weight", remedy="Give at least one a weight.")
    kinds = _one_of(parameters, "kind", KINDS, kind)
    chosen: dict[str, Any] = {
        name: _one_of(parameters, name, choices, choices[0])
        for name, choices in (
            ("treatment", TREATMENTS),
            ("normalisation", NORMALISATIONS),
            ("weighting", WEIGHTINGS),
            ("aggregation", AGGREGATIONS),
        )
    }
    return IndexQuestion(
        weights={code: weight for code, weight in weights.items() if weight > 0},
        vary_weights=float(_one_of(parameters, "vary", VARIED, "0.25")),
        vary_methods=parameters.get("methods") == "1" if asks else True,
        first=round(number(parameters.get("first", "") or "3", "first", 1, FIRST_MOST)),
        kinds=(kinds,) if kinds else (),
        **chosen,
    )


def _one_of(parameters: Mapping[str, str], name: str, choices: tuple[str, ...], default: str) -> str:
    value = parameters.get(name, default)
    if value not in choices:
        raise InvalidInput(
            f"{value[:40]!r} is not known.",
            code="bad_choice",
            where=name,
            remedy=f"Choose one of: {', '.join(choices)}.",
            details={"value": value[:40]},
        )
    return value


__all__ = ["KINDS", "PREFIX", "VARIED", "index_question_from"]

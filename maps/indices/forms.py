"""What the address of an index asks for: read once, into a question of the analysis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from analysis.forms import MAX_WEIGHT, number, one_of
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
    kinds = one_of(parameters.get("kind", kind), "kind", KINDS)
    chosen: dict[str, Any] = {
        name: one_of(parameters.get(name, choices[0]), name, choices)
        for name, choices in (
            ("treatment", TREATMENTS),
            ("normalisation", NORMALISATIONS),
            ("weighting", WEIGHTINGS),
            ("aggregation", AGGREGATIONS),
        )
    }
    return IndexQuestion(
        weights={code: weight for code, weight in weights.items() if weight > 0},
        vary_weights=float(one_of(parameters.get("vary", "0.25"), "vary", VARIED)),
        vary_methods=parameters.get("methods") == "1" if asks else True,
        first=round(number(parameters.get("first", "") or "3", "first", 1, FIRST_MOST)),
        kinds=(kinds,) if kinds else (),
        **chosen,
    )


__all__ = ["KINDS", "PREFIX", "VARIED", "index_question_from"]

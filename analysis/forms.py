"""Questions as readers write them, in query strings, forms and options of commands."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from analysis.models import Index
from analysis.results import Question
from geo.errors import InvalidInput

MIN_CELL_M, MAX_CELL_M = 1.0, 1000.0
MAX_THRESHOLD_M = 100_000.0
MAX_WEIGHT = 1000.0
_PARAMETER = re.compile(r"^(threshold|weight)-([a-z0-9-]+)$")


def question_from(parameters: Mapping[str, str]) -> Question:
    """Read a question from a query string or a form: ``threshold-<service>``, ``weight-<service>``, ``aggregation``, ``normalisation``.

    Raises
    ------
    InvalidInput
        Where a value is not a number in range or not a known method; which services there are is checked later.
    """
    found: dict[str, dict[str, float]] = {"threshold": {}, "weight": {}}
    for key, value in parameters.items():
        match = _PARAMETER.match(key)
        if match and value != "":
            found[match[1]][match[2]] = number(
                value,
                key,
                1.0 if match[1] == "threshold" else 0.0,
                MAX_THRESHOLD_M if match[1] == "threshold" else MAX_WEIGHT,
            )
    return Question(
        thresholds_m=found["threshold"],
        weights=found["weight"],
        normalisation=_choice(parameters, "normalisation", Index.Normalisation.values),
        aggregation=_choice(parameters, "aggregation", Index.Aggregation.values),
    )


def number(value: str, where: str, low: float, high: float) -> float:
    """Return a number within bounds from a reader's text; Persian digits are read too.

    Raises
    ------
    InvalidInput
        Where it is none.
    """
    try:
        result = float(str(value).translate(_DIGITS))
    except ValueError:
        result = math.nan
    if not low <= result <= high:
        raise InvalidInput(
            f"{str(value)[:40]!r} cannot be used here.",
            code="bad_number",
            where=where,
            remedy=f"Give a number from {low:g} to {high:g}.",
            details={"value": str(value)[:40], "low": low, "high": high},
        )
    return result


_DIGITS = str.maketrans("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩٫", "01234567890123456789.")


def _choice(parameters: Mapping[str, str], name: str, choices: list[str]) -> str:
    value = parameters.get(name, "")
    if value and value not in choices:
        raise InvalidInput(
            f"{value[:40]!r} is not a method.",
            code="bad_method",
            where=name,
            remedy=f"Choose one of: {', '.join(choices)}.",
            details={"value": value[:40], "choices": choices},
        )
    return value

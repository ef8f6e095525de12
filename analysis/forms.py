"""Questions as readers write them, in query strings, forms and options of commands."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from analysis.models import Index
from analysis.results import TRAVELS, Question
from geo.errors import InvalidInput

MIN_CELL_M, MAX_CELL_M = 1.0, 1000.0
MAX_THRESHOLD_M = 100_000.0
MAX_WEIGHT = 1000.0
MAX_DEPARTURES = 1_000_000.0
MIN_NEED, MAX_NEED = 0.001, 100_000.0
_PARAMETER = re.compile(r"^(threshold|weight|need)-([a-z0-9-]+)$")
_BOUNDS = {"threshold": (1.0, MAX_THRESHOLD_M), "weight": (0.0, MAX_WEIGHT), "need": (MIN_NEED, MAX_NEED)}


def question_from(parameters: Mapping[str, str]) -> Question:
    """Read a question from a query string or a form.

    Its keys: ``threshold-<service>``, ``weight-<service>``, ``need-<service>`` (capacity for 1,000 people), ``aggregation``,
    ``normalisation``, ``travel``, ``population``, ``programme``.

    Raises
    ------
    InvalidInput
        Where a value is not a number in range or not a known method; which services and data the city
        has is checked later.
    """
    found: dict[str, dict[str, float]] = {name: {} for name in _BOUNDS}
    for key, value in parameters.items():
        match = _PARAMETER.match(key)
        if match and value != "":
            found[match[1]][match[2]] = number(value, key, *_BOUNDS[match[1]])
    return Question(
        thresholds_m=found["threshold"],
        weights=found["weight"],
        needs_per_1000=found["need"],
        normalisation=_choice(parameters, "normalisation", Index.Normalisation.values),
        aggregation=_choice(parameters, "aggregation", Index.Aggregation.values),
        travel=travel_from(parameters.get("travel", "")),
        population=parameters.get("population", "")[:80],
        programme=parameters.get("programme", "")[:40],
    )


def travel_from(value: str, where: str = "travel") -> str:
    """Return the code of a way of travel; empty for the city's own.

    Raises
    ------
    InvalidInput
        Where there is no such way (``unknown_travel``).
    """
    if value and value not in TRAVELS:
        raise InvalidInput(
            f"{value[:40]!r} is not a way of travel.",
            code="unknown_travel",
            where=where,
            remedy=f"Choose one of: {', '.join(TRAVELS)}.",
            details={"value": value[:40], "choices": list(TRAVELS)},
        )
    return value


def edges_from(value: str, where: str) -> tuple[float, ...]:
    """Return where classes of departures a week begin, from numbers with commas between.

    Raises
    ------
    InvalidInput
        Where one is no number (``bad_number``).
    """
    return tuple(number(part, where, 0, MAX_DEPARTURES) for part in re.split("[,،]", value) if part.strip())


def one_of(value: str, where: str, choices: Sequence[str]) -> str:
    """Return a word that is one of those offered.

    Raises
    ------
    InvalidInput
        Where it is none of them (``bad_method``).
    """
    if value not in choices:
        raise InvalidInput(
            f"{str(value)[:40]!r} is not known.",
            code="bad_method",
            where=where,
            remedy=f"Choose one of: {', '.join(choices)}.",
            details={"value": str(value)[:40]},
        )
    return value


def number(value: str | float, where: str, low: float, high: float) -> float:
    """Return a number within bounds, also from a reader's text; Persian digits are read too.

    Raises
    ------
    InvalidInput
        Where it is none.
    """
    try:
        result = float(value.translate(_DIGITS)) if isinstance(value, str) else value
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

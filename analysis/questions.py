"""Questions as JSON: what a scenario keeps, and what a program asks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from analysis.core.changes import Bounds, changes_from_json
from analysis.forms import MAX_NEED, MAX_THRESHOLD_M, MAX_WEIGHT, MIN_NEED, travel_from
from analysis.models import Index
from analysis.results import Question
from geo.errors import InvalidInput

_CODE: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_MOST_SERVICES: Final = 200
_MEMBERS: Final = (
    "thresholds_m",
    "weights",
    "needs_per_1000",
    "services",
    "normalisation",
    "aggregation",
    "travel",
    "population",
    "programme",
)


def question_from_json(
    tree: Any,
    changes: Any = None,
    within: Bounds | None = None,
    where: str = "question",
    where_changes: str = "changes",
) -> Question:
    """Read a question, and the changes that go with it.

    Parameters
    ----------
    tree
        An object with any of ``thresholds_m``, ``weights`` and ``needs_per_1000`` (numbers by code of a service),
        ``services`` (codes), ``normalisation``, ``aggregation``, ``travel``, ``population``, ``programme``; what is left out is the city's own.
    changes, within
        As for `analysis.core.changes.changes_from_json`; None for none.
    where, where_changes
        What errors call them.

    Raises
    ------
    InvalidInput, LimitExceeded
        Where a member is unknown or out of range. Which services and data the city has is checked later.

    Examples
    --------
    >>> question_from_json({"thresholds_m": {"clinic": 600}}).thresholds_m
    {'clinic': 600.0}
    """
    if not isinstance(tree, dict):
        raise InvalidInput(
            "A question is an object.", code="bad_question", where=where, remedy="Send {} for the city's own."
        )
    unknown = sorted(str(name)[:40] for name in tree if name not in _MEMBERS)
    if unknown:
        raise InvalidInput(
            f"A question has no member {unknown[0]!r}.",
            code="bad_question",
            where=where,
            remedy=f"It has: {', '.join(_MEMBERS)}.",
        )
    services = tree.get("services", [])
    if not isinstance(services, list) or len(services) > _MOST_SERVICES or not all(_is_code(code) for code in services):
        raise InvalidInput(
            "Services are a list of codes.",
            code="bad_question",
            where=f"{where}.services",
            remedy='Send a list such as ["clinic", "park"].',
        )
    return Question(
        thresholds_m=_numbers(tree.get("thresholds_m", {}), f"{where}.thresholds_m", 1.0, MAX_THRESHOLD_M),
        weights=_numbers(tree.get("weights", {}), f"{where}.weights", 0.0, MAX_WEIGHT),
        needs_per_1000=_numbers(tree.get("needs_per_1000", {}), f"{where}.needs_per_1000", MIN_NEED, MAX_NEED),
        services=tuple(dict.fromkeys(services)),
        normalisation=_choice(tree, "normalisation", Index.Normalisation.values, where),
        aggregation=_choice(tree, "aggregation", Index.Aggregation.values, where),
        travel=travel_from(_text(tree, "travel", where), f"{where}.travel"),
        population=_text(tree, "population", where),
        programme=_text(tree, "programme", where),
        changes=changes_from_json(changes, within, where_changes) if changes is not None else (),
    )


def question_to_json(question: Question) -> dict[str, Any]:
    """Give a question as `question_from_json` reads it, without its changes; what is the city's own is left out.

    Examples
    --------
    >>> question_to_json(Question(weights={"park": 2.0}, travel="streets"))
    {'weights': {'park': 2.0}, 'travel': 'streets'}
    """
    values = {name: _plain(getattr(question, name)) for name in _MEMBERS}
    return {name: value for name, value in values.items() if value}


def _plain(value: str | tuple[str, ...] | Mapping[str, float]) -> str | list[str] | dict[str, float]:
    """Return a member as JSON has it."""
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value


def _numbers(tree: Any, where: str, low: float, high: float) -> dict[str, float]:
    if not isinstance(tree, Mapping) or len(tree) > _MOST_SERVICES or not all(_is_code(code) for code in tree):
        raise InvalidInput(
            "These are not numbers by the code of a service.",
            code="bad_question",
            where=where,
            remedy='Send an object such as {"clinic": 800}.',
        )
    for code, value in tree.items():
        if type(value) not in (int, float) or not low <= value <= high:  # false for NaN too
            raise InvalidInput(
                f"This is not a number from {low:.15g} to {high:.15g}.",
                code="bad_number",
                where=f"{where}.{code}",
                remedy=f"Give a number from {low:g} to {high:g}.",
            )
    return {code: float(value) for code, value in tree.items()}


def _is_code(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= 80 and _CODE.fullmatch(value) is not None


def _text(tree: Mapping[str, Any], name: str, where: str) -> str:
    value = tree.get(name, "")
    if not isinstance(value, str) or len(value) > 80:
        raise InvalidInput(
            "This is not a code.",
            code="bad_question",
            where=f"{where}.{name}",
            remedy="Send a text of at most 80 characters.",
        )
    return value


def _choice(tree: Mapping[str, Any], name: str, choices: list[str], where: str) -> str:
    value = _text(tree, name, where)
    if value and value not in choices:
        raise InvalidInput(
            f"{value[:40]!r} is not a method.",
            code="bad_method",
            where=f"{where}.{name}",
            remedy=f"Choose one of: {', '.join(choices)}.",
            details={"value": value[:40], "choices": choices},
        )
    return value

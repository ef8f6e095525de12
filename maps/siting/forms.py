"""What is asked of siting, typed into a form or an address: read once, into a question of the analysis."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from analysis.commands import conditions_from
from analysis.forms import MAX_THRESHOLD_M, number, travel_from
from analysis.results import Question
from analysis.siting import BY_PRIORITY, MOST_BUDGET, MOST_CAPACITY, MOST_SITES, SPACINGS_M, SitingQuestion
from geo.errors import InvalidInput

LIMITS: Final = ("sites", "budget")
DEMANDS: Final = ("people", "priority")
MODELS: Final = ("mclp", "capacitated", "lscp", "p-median", "p-centre")
"""As the page offers them."""

MORE_ON_CURVE: Final = 4
"""The curve goes on beyond the facilities asked for, so that one sees what more of them would add."""
LEAST_ON_CURVE: Final = 8

FIELDS: Final = {
    "service": "", "model": "mclp", "limit": "sites", "sites": "3", "budget": "", "site_cost": "", "capacity": "",
    "threshold_m": "", "demand": "people", "travel": "", "spacing_m": "400", "candidates": "", "candidates_where": "",
    "forbidden": "", "forbidden_where": "", "geometry": "", "must_reach_all": "",
}  # fmt: skip
"""Names of the fields, with what they hold where nothing is said; ``geometry`` is forbidden ground that is drawn."""

_BETWEEN_THOUSANDS: Final = re.compile(r"[\s,٬،]")
_LONGEST: Final = {"geometry": 100_000}


def typed_from(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the form as it was sent or as an address fills it in, texts cut to what a field needs."""
    return {name: str(parameters.get(name, default))[: _LONGEST.get(name, 200)] for name, default in FIELDS.items()}


def typed_of(asked: Mapping[str, Any]) -> dict[str, str]:
    """Return the form as a plan that was kept fills it in."""
    thresholds = asked["question"].get("thresholds_m", {})

    def plain(value: Any) -> str:
        return "" if value is None else f"{value:.15g}"

    return FIELDS | {
        "service": asked["service"],
        "model": asked["model"],
        "limit": "budget" if asked["budget"] is not None else "sites",
        "sites": plain(asked["sites"]) or ("" if asked["model"] == "lscp" else FIELDS["sites"]),
        "budget": plain(asked["budget"]),
        "site_cost": plain(asked["site_cost"]),
        "capacity": plain(asked["capacity"]),
        "threshold_m": plain(thresholds.get(asked["service"])),
        "demand": "priority" if asked["by_priority"] else "people",
        "travel": asked["question"].get("travel", ""),
        "spacing_m": plain(asked["spacing_m"]),
        "candidates": asked["candidates"],
        "candidates_where": _where_text(asked["candidates_where"]),
        "forbidden": asked["forbidden"],
        "forbidden_where": _where_text(asked["forbidden_where"]),
        "geometry": json.dumps(asked["forbidden_drawn"]) if asked["forbidden_drawn"] else "",
        "must_reach_all": "1" if asked["must_reach_all"] else "",
    }


def asked_from(typed: Mapping[str, str]) -> SitingQuestion:
    """Read the form.

    Raises
    ------
    InvalidInput
        Where a choice is not known, a number is none or out of range, a condition or a shape cannot be read.
    """
    model = _one_of(typed, "model", MODELS)
    is_by_budget = _one_of(typed, "limit", LIMITS) == "budget"
    sites = None if is_by_budget or (model == "lscp") else _whole(typed, "sites", 1, MOST_SITES)
    threshold = _number(typed, "threshold_m", 1, MAX_THRESHOLD_M)
    service = typed["service"]
    on_curve = max(LEAST_ON_CURVE, (sites or 0) + MORE_ON_CURVE) if model == "mclp" else 0
    return SitingQuestion(
        service=service,
        model=model,
        sites=sites,
        budget=_whole(typed, "budget", 0, MOST_BUDGET) if is_by_budget and model != "lscp" else None,
        site_cost=_whole(typed, "site_cost", 1, MOST_BUDGET) if is_by_budget or model == "lscp" else None,
        capacity=_number(typed, "capacity", 1, MOST_CAPACITY) if model == "capacitated" else None,
        by_priority=_one_of(typed, "demand", DEMANDS) == "priority" and model in BY_PRIORITY,
        curve=min(on_curve, MOST_SITES),
        spacing_m=_number(typed, "spacing_m", *SPACINGS_M) or float(FIELDS["spacing_m"]),
        candidates=typed["candidates"],
        candidates_where=_conditions(typed, "candidates_where") if typed["candidates"] else {},
        forbidden=typed["forbidden"],
        forbidden_where=_conditions(typed, "forbidden_where") if typed["forbidden"] else {},
        forbidden_drawn=_drawn(typed["geometry"]),
        must_reach_all=typed["must_reach_all"] == "1",
        question=Question(
            thresholds_m={service: threshold} if threshold and service else {}, travel=travel_from(typed["travel"])
        ),
    )


def address_of(asked: Mapping[str, Any]) -> str:
    """Return the query string that fills the form in with a plan that was kept; drawn ground, which may be long, is left out."""
    typed = typed_of(asked)
    return urlencode({name: value for name, value in typed.items() if value != FIELDS[name] and name != "geometry"})


@dataclass(frozen=True, slots=True)
class Kept:
    """A plan that is to be kept as a scenario."""

    name: str
    is_shared: bool


def kept_from(parameters: Mapping[str, str]) -> Kept:
    """Read the form that keeps a plan as a scenario; the service looks at the name."""
    return Kept(parameters.get("name", "")[:400], parameters.get("is_shared") == "1")


def _number(typed: Mapping[str, str], name: str, low: float, high: float) -> float | None:
    """Read a number, with or without marks between thousands; None where nothing is said."""
    text = _BETWEEN_THOUSANDS.sub("", typed[name])
    return number(text, name, low, high) if text else None


def _whole(typed: Mapping[str, str], name: str, low: float, high: float) -> int | None:
    value = _number(typed, name, low, high)
    return None if value is None else round(value)


def _one_of(typed: Mapping[str, str], name: str, choices: tuple[Any, ...]) -> Any:
    if typed[name] not in choices:
        raise InvalidInput(
            f"{typed[name][:40]!r} is not known.",
            code="bad_choice",
            where=name,
            remedy=f"Choose one of: {', '.join(choices)}.",
            details={"value": typed[name][:40]},
        )
    return typed[name]


def _conditions(typed: Mapping[str, str], name: str) -> dict[str, Any]:
    """Read conditions such as ``return_years=100``, with semicolons between."""
    parts = [part.strip() for part in typed[name].replace("؛", ";").split(";") if part.strip()]
    try:
        return conditions_from(parts)
    except InvalidInput as error:
        raise InvalidInput(
            f"{typed[name][:60]!r} is not a condition, or its field comes twice.",
            code="bad_condition",
            where=name,
            remedy="Write FIELD=VALUE, each field once.",
            details={"value": typed[name][:60]},
        ) from error


def _where_text(conditions: Mapping[str, Any]) -> str:
    return "; ".join(
        f"{name}={values[0] if isinstance(values, list) else values}" for name, values in conditions.items()
    )


def _drawn(text: str) -> dict[str, Any] | None:
    if not text.strip():
        return None
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError):
        tree = None
    if not isinstance(tree, dict):
        raise InvalidInput(
            "Ground is drawn as polygons.",
            code="not_polygons",
            where="forbidden_drawn",
            remedy="Draw one surface or more.",
        )
    return tree


__all__ = [
    "DEMANDS",
    "FIELDS",
    "LIMITS",
    "MODELS",
    "Kept",
    "address_of",
    "asked_from",
    "kept_from",
    "typed_from",
    "typed_of",
]

"""What is asked of siting: the service, the model, what may be spent, where may be built, and who counts how much."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, get_args

from analysis.forms import number
from analysis.questions import question_from_json, question_to_json
from analysis.results import Question
from geo.core.geojson import shape_of
from geo.errors import InvalidInput

Model = Literal["mclp", "lscp", "p-median", "p-centre", "capacitated"]
MODELS: Final[tuple[Model, ...]] = get_args(Model)

BY_PRIORITY: Final[tuple[Model, ...]] = ("mclp", "capacitated", "p-median")
"""Models for which it matters how much a person counts: the others ask for everybody."""

MOST_SITES: Final = 50
MOST_CANDIDATES: Final = 2000
SPACINGS_M: Final = (100.0, 5000.0)
TIMES_S: Final = (0.1, 120.0)
MOST_CAPACITY: Final = 1e7
MOST_BUDGET: Final = 1e15
MOST_VERTICES: Final = 2000
"""Of ground that somebody draws."""


@dataclass(frozen=True, slots=True)
class SitingQuestion:
    """What is asked.

    Attributes
    ----------
    service
        Code of a service that people go to.
    sites
        At most so many new facilities; None where only money is limited, or nothing is (set covering).
    spacing_m
        Candidates stand so far from each other, where people live.
    by_priority
        Whether a person counts by the priority of the place (models of `BY_PRIORITY`); else all count the same.
    curve
        Also tell what 1, 2, … up to so many facilities would add; 0 for no such curve. Of ``mclp`` alone.
    model
        ``mclp``: most people newly within the threshold. ``lscp``: fewest facilities with which everybody is. ``p-median``: least
        mean distance. ``p-centre``: shortest farthest distance. ``capacitated``: most people where each facility takes so many.
    budget, site_cost
        What all may cost together, and one: whole units of money.
    capacity
        How many people a new facility takes (``capacitated``).
    candidates, candidates_where
        Code of a layer of points or polygons whose features are the candidates, and the values that its fields must have;
        empty for points where people live.
    forbidden, forbidden_where, forbidden_drawn
        Code of a layer of polygons on which nothing may be built, with the values of its fields; and polygons drawn, as GeoJSON.
    must_reach_all
        Whether ``lscp`` is refused where somebody is out of reach of every candidate; else they are left out, and told.
    question
        Threshold, way of travel and source of people; changes are there already.
    """

    service: str
    sites: int | None = None
    spacing_m: float = 400.0
    by_priority: bool = False
    curve: int = 0
    time_limit_s: float = 10.0
    model: Model = "mclp"
    budget: int | None = None
    site_cost: int | None = None
    capacity: float | None = None
    candidates: str = ""
    candidates_where: Mapping[str, Any] = field(default_factory=dict)
    forbidden: str = ""
    forbidden_where: Mapping[str, Any] = field(default_factory=dict)
    forbidden_drawn: Mapping[str, Any] | None = None
    must_reach_all: bool = False
    question: Question = field(default_factory=Question)


_NUMBERS: Final[tuple[tuple[str, float, float], ...]] = (
    ("sites", 1, MOST_SITES),
    ("spacing_m", *SPACINGS_M),
    ("curve", 0, MOST_SITES),
    ("time_limit_s", *TIMES_S),
    ("budget", 0, MOST_BUDGET),
    ("site_cost", 1, MOST_BUDGET),
    ("capacity", 1, MOST_CAPACITY),
)


def asked_required(asked: SitingQuestion) -> None:
    """Refuse a number out of range, a model that is none, and what the model needs and has not.

    Raises
    ------
    InvalidInput
        With the name of the member.
    """
    for name, low, high in _NUMBERS:
        value = getattr(asked, name)
        if value is not None:
            number(str(value), name, low, high)
    if asked.model not in MODELS:
        raise InvalidInput(
            f"{str(asked.model)[:40]!r} is not a model of siting.",
            code="bad_choice",
            where="model",
            remedy=f"Choose one of: {', '.join(MODELS)}.",
            details={"value": str(asked.model)[:40], "choices": MODELS},
        )
    if asked.model == "capacitated" and asked.capacity is None:
        raise InvalidInput(
            "Nothing is said of how many people a new facility takes.",
            code="no_capacity",
            where="capacity",
            remedy="Give a number of people, or ask for the most people without capacities.",
        )
    if asked.model != "lscp" and asked.sites is None and asked.budget is None:
        raise InvalidInput(
            "Neither a number of sites nor a budget is given.",
            code="no_limit",
            where="sites",
            remedy="Say how many sites may be chosen at most, or what they may cost together.",
        )
    if asked.budget is not None and asked.site_cost is None:
        raise InvalidInput(
            "There is a budget, but nothing is known of what the sites cost.",
            code="no_site_costs",
            where="site_cost",
            remedy="Give the cost of every site, or limit their number instead.",
        )
    if asked.forbidden_drawn is not None:
        ground_drawn(asked.forbidden_drawn)


def ground_drawn(tree: Mapping[str, Any]) -> Any:
    """Return polygons that somebody drew, as a shape.

    Raises
    ------
    GeometryError, InvalidInput, LimitExceeded
        Where they are none that can be used.
    """
    shape = shape_of(dict(tree), "forbidden_drawn", most_vertices=MOST_VERTICES)
    if shape.geom_type not in ("Polygon", "MultiPolygon"):
        raise InvalidInput(
            "Ground is drawn as polygons.",
            code="not_polygons",
            where="forbidden_drawn",
            remedy="Draw one surface or more.",
        )
    return shape


def asked_to_json(asked: SitingQuestion) -> dict[str, Any]:
    """Give a question as `asked_from_json` reads it; it is without changes.

    Examples
    --------
    >>> asked_from_json(asked_to_json(SitingQuestion("clinic", 3))) == SitingQuestion("clinic", 3)
    True
    """
    tree = {name: value for name, value in asdict(asked).items() if name != "question"}
    return tree | {"question": question_to_json(asked.question)}


def asked_from_json(tree: Mapping[str, Any]) -> SitingQuestion:
    """Read what `asked_to_json` gave."""
    kept = json.loads(json.dumps(dict(tree)))
    question = question_from_json(kept.pop("question"))
    return SitingQuestion(**kept, question=question)


__all__ = [
    "BY_PRIORITY", "MODELS", "MOST_BUDGET", "MOST_CANDIDATES", "MOST_CAPACITY", "MOST_SITES", "SPACINGS_M", "TIMES_S", "Model",
    "SitingQuestion", "asked_from_json", "asked_required", "asked_to_json", "ground_drawn",
]  # fmt: skip

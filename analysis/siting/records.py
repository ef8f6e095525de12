"""A plan as JSON, and as a run that is kept and opened again."""

from __future__ import annotations

import math
from typing import Any

from django.db.models import Q, QuerySet

from analysis.caching import content_key
from analysis.core.changes import FacilityAdded
from analysis.models import Run
from analysis.questions import question_from_json
from analysis.results import PlaceRow, Question, number_or_none
from analysis.scenarios import role_required
from analysis.services import place_record
from analysis.siting.asking import asked_to_json
from analysis.siting.planning import SEED, CitySiting
from analysis.version import code_version
from geo.errors import NotFound
from geo.models import Place
from geo.querysets import User
from layers.models import Layer, Supply


def siting_parameters(found: CitySiting) -> dict[str, Any]:
    """Return what was asked, with what the city's own standards filled in."""
    service = found.service
    return asked_to_json(found.asked) | {
        "service_name_fa": service.name_fa,
        "service_name_en": service.name_en,
        "threshold_m": service.threshold_m,
        "standard_m": number_or_none(service.standard_m),
        "travel": found.before.travel.code,
    }


def siting_result(found: CitySiting) -> dict[str, Any]:
    """Return a plan, JSON-safe: a number that there is none of is None."""
    siting = found.siting
    return {
        "model": found.asked.model,
        "status": siting.status,
        "gap": number_or_none(siting.gap) if math.isfinite(siting.gap) else None,
        "value": siting.value,
        "bound": siting.bound if math.isfinite(siting.bound) else None,
        "candidates": found.candidates,
        "forbidden": found.forbidden,
        "blocks": int(siting.server.size),
        "people": round(float(found.before.people_total), 2),
        "people_uncovered_today": round(found.people_uncovered, 2),
        "people_gained": round(found.people_gained, 2),
        "people_gained_in_blocks": round(siting.people_new, 2),
        "people_hopeless": round(float(found.blocks.people[found.blocks.is_hopeless].sum()), 2),
        "people_without_way": round(found.people_without_way, 2),
        "spent": siting.spent,
        "mean_m": [_metres(value) for value in found.mean_m],
        "farthest_m": [_metres(value) for value in found.farthest_m],
        "sites": [
            {
                "lon": site.lon, "lat": site.lat, "place": _place(site.place), "people": round(site.people, 2),
                "nearest": round(site.nearest, 2), "feature": site.number or None, "name": site.name,
            }
            for site in found.sites
        ],
        "places": _places(found),
        "curve": [
            {
                "sites": point.sites, "people": round(point.people, 2), "adds_people": round(point.adds_people, 2),
                "is_nested": point.is_nested, "status": point.status, "value": point.weight, "bound": point.bound,
                "gap": number_or_none(point.gap),
            }
            for point in (found.curve.points if found.curve else ())
        ],
        "reached": _blocks(found, True),
        "left": _blocks(found, False),
    }  # fmt: skip


def siting_record(found: CitySiting) -> dict[str, Any]:
    """Return a plan as the command tells it: what was asked and what came of it, without the blocks of people."""
    result = {name: value for name, value in siting_result(found).items() if name not in ("reached", "left", "places")}
    sites = [site | {"place": site["place"] and site["place"]["code"]} for site in result["sites"]]
    asked = siting_parameters(found)
    told = ("service", "threshold_m", "travel", "by_priority")
    return {name: asked[name] for name in told} | result | {"sites": sites}


def siting_run(found: CitySiting, *, author: Any = None) -> Run:
    """Keep a plan as a run: what was asked, of which data, and what came of it."""
    before = found.before
    parameters, inputs = siting_parameters(found), dict(before.inputs) | {"siting_layers": found.releases}
    return Run.objects.create(
        kind=Run.Kind.SITING,
        city=before.city,
        parameters=parameters,
        inputs=inputs,
        input_hash=content_key(Run.Kind.SITING, parameters, inputs, code_version()),
        code_version=code_version(),
        seed=SEED,
        warnings=list(before.warnings),
        result=siting_result(found),
        duration_ms=found.duration_ms,
        author=author if author is not None and author.pk else None,
    )


def runs_of(city: Place, user: User) -> QuerySet[Run]:
    """Return the plans of a city that a user may see, the newest first: those of services and layers that the user may see.

    Raises
    ------
    Forbidden
        Where the user has no role in the city.
    """
    role_required(city, user)
    layers = Layer.objects.visible_to(user).filter(city=city)
    services = list(Supply.objects.filter(city=city, layer__in=layers).values_list("service__code", flat=True))
    codes = ["", *layers.values_list("code", flat=True)]
    return (
        Run.objects.visible_to(user)
        .filter(city=city, kind=Run.Kind.SITING, parameters__service__in=services)
        .filter(Q(parameters__candidates__in=codes), Q(parameters__forbidden__in=codes))
        .select_related("author")
        .order_by("-created_at", "-pk")
    )


def run_get(number: int, city: Place, user: User) -> Run:
    """Return a plan that a user may see.

    Raises
    ------
    NotFound
        Where there is none, or it is of what the user may not see; they are not told apart.
    """
    found: Run | None = runs_of(city, user).filter(pk=number).first() if number < 2**63 else None
    if found is None:
        raise NotFound(
            f"There is no plan {number} here, or you may not see it.",
            code="unknown_run",
            where="run",
            remedy="Choose one from the list of plans.",
        )
    return found


def planned_question(run: Run) -> Question:
    """Return the question of the city with the facilities of a plan: what a scenario keeps."""
    asked = run.parameters
    question = question_from_json(asked["question"])
    changes = tuple(
        FacilityAdded(asked["service"], site["lon"], site["lat"], f"new-{n}", asked["capacity"])
        for n, site in enumerate(run.result["sites"], start=1)
    )
    return Question(
        thresholds_m=question.thresholds_m, travel=question.travel, population=question.population, changes=changes
    )


def _places(found: CitySiting) -> list[dict[str, Any]]:
    before, after, gained = found.before.values, found.after.values, found.gained
    return [
        place_record(place)
        | {
            "people": round(float(before.population[i]), 2),
            "before": round(float(before.uncovered_people[i, 0]), 2),
            "after": round(float(after.uncovered_people[i, 0]), 2),
            "gained": round(float(gained[i]), 2),
        }
        for i, place in enumerate(found.before.places)
    ]


def _place(place: PlaceRow | None) -> dict[str, Any] | None:
    return None if place is None else place_record(place)


def _metres(value: float) -> float | None:
    return round(value, 1) if math.isfinite(value) else None


def _blocks(found: CitySiting, is_reached: bool) -> list[list[float]]:
    """Return longitude, latitude and people of blocks that lack the service today."""
    blocks = found.blocks
    chosen = (blocks.is_reached == is_reached) & (blocks.people >= 0.5)
    return [
        [round(lon, 5), round(lat, 5), round(people, 1)]
        for (lon, lat), people in zip(blocks.lon_lat[chosen].tolist(), blocks.people[chosen].tolist(), strict=True)
    ]


__all__ = [
    "planned_question",
    "run_get",
    "runs_of",
    "siting_parameters",
    "siting_record",
    "siting_result",
    "siting_run",
]

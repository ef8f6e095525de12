"""Analyses of a city: read, compute in the core, and record what was computed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from analysis import selectors
from analysis.caching import content_key
from analysis.core.changes import StreetDrawn, changes_to_json
from analysis.core.coverage import Coverage, CoverageInputs, ServiceCoverage, coverage_of, distance_curve
from analysis.core.index import Aggregation, aggregate
from analysis.core.normalising import Normalisation, normalise
from analysis.core.overlay import overlay
from analysis.forms import MAX_WEIGHT
from analysis.ground import grid_for
from analysis.inputs import CityInputs, cached_column, inputs_read
from analysis.models import Index, Indicator, Run, Weight
from analysis.results import CityCoverage, CityOverlay, CityPriority, OverlayRow, PlaceRow, Question, number_or_none
from analysis.room import room_of
from analysis.selectors import CityReading
from analysis.version import code_version
from geo.core.crs import STORAGE_EPSG, project
from geo.core.grid import CITY_CELL_M
from geo.errors import InvalidInput, NotFound
from geo.models import Place
from geo.querysets import User
from layers.models import Service

CURVE_STEPS = 60


def coverage_compute(
    *,
    city: Place,
    user: User,
    question: Question | None = None,
    cell_m: float | None = None,
    reading: CityReading | None = None,
    inputs: CityInputs | None = None,
) -> CityCoverage:
    """Compute which share of each place's people and land is within reach of each service, as a user may see it.

    Parameters
    ----------
    city, user
        Whose places, and as seen by whom.
    question : Question, optional
        Thresholds, weights and services; the city's own where left out.
    cell_m : float, optional
        Side of a cell; the city's own where left out.
    reading : CityReading, optional
        `selectors.city_read` of the same city and user, where several questions are asked at once.
    inputs : CityInputs, optional
        `analysis.inputs.inputs_read` of the same question, where it is at hand.

    Raises
    ------
    NotFound
        Where the city has no places in force, or the question names an unknown service.
    """
    started = time.perf_counter()
    question = question or Question()
    inputs = inputs or inputs_read(reading or selectors.city_read(city, user), question, cell_m)
    codes = {service.code for service in inputs.services}
    rooms, notices = _rooms(inputs, reading, question, city, user)
    columns = [
        coverage_of(inputs.arrays, index, service.threshold_m, room)
        if (room := rooms[index]) is not None
        else cached_column(
            content_key(inputs.column_keys[index], service.threshold_m),
            lambda index=index, service=service: coverage_of(inputs.arrays, index, service.threshold_m),  # type: ignore[misc]
        )
        for index, service in enumerate(inputs.services)
    ]
    return CityCoverage(
        city=city,
        places=inputs.places.rows,
        services=inputs.services,
        values=_stack(inputs.arrays, columns, [s.threshold_m for s in inputs.services]),
        population=inputs.population,
        travel=inputs.travel,
        cell_m=inputs.grid.cell_m,
        epsg=inputs.grid.epsg,
        inputs=inputs_record(inputs),
        inputs_key=inputs.key,
        warnings=(*inputs.warnings, *notices),
        duration_ms=(time.perf_counter() - started) * 1000,
        changes=tuple(c for c in question.changes if isinstance(c, StreetDrawn) or c.service in codes),
        scenario=question.scenario,
        rooms=rooms,
    )


def _rooms(
    inputs: CityInputs, reading: CityReading | None, question: Question, city: Place, user: User
) -> tuple[tuple[NDArray[np.float64] | None, ...], list[str]]:
    """Return who finds room, by service, and what to say about it."""
    if all(service.need_per_1000 is None for service in inputs.services):
        return (None,) * len(inputs.services), []
    reading = reading or selectors.city_read(city, user)
    found = [room_of(inputs, index, reading, question) for index in range(len(inputs.services))]
    return tuple(room for room, _ in found), [notice for _, notices in found for notice in notices]


def _stack(arrays: CoverageInputs, columns: list[ServiceCoverage], thresholds_m: list[float]) -> Coverage:
    def table(name: str, dtype: Any = float) -> Any:
        return (
            np.stack([getattr(column, name) for column in columns], axis=1)
            if columns
            else np.empty((arrays.n_places, 0), dtype=dtype)
        )

    return Coverage(
        thresholds_m=np.array(thresholds_m, dtype=np.float64),
        area_m2=arrays.ground.area_m2,
        population=arrays.ground.population,
        population_share=table("population_share"),
        area_share=table("area_share"),
        uncovered_people=table("uncovered_people"),
        mean_distance_m=table("mean_distance_m"),
        unreachable_people=table("unreachable_people"),
        edge_flag=table("edge_flag", bool),
    )


def priority_compute(
    *,
    city: Place,
    user: User,
    question: Question | None = None,
    cell_m: float | None = None,
    reading: CityReading | None = None,
    inputs: CityInputs | None = None,
) -> CityPriority:
    """Rank a city's places by need: each service's share of people not covered, weighted and put together.

    The parameters are those of `coverage_compute`.

    Raises
    ------
    NotFound
        As `coverage_compute`.
    InvalidInput
        Where the city has no service to rank by, or all weights are zero.
    """
    started = time.perf_counter()
    question = question or Question()
    reading = reading or selectors.city_read(city, user)
    covered = coverage_compute(city=city, user=user, question=question, cell_m=cell_m, reading=reading, inputs=inputs)
    if not covered.services:
        raise InvalidInput(
            f"{city.name_en} has no service to rank by.",
            code="no_services",
            where=city.code,
            remedy="Load a layer and say which service it supplies.",
            details={"city": city.name},
        )
    index = reading.index
    asked_normalisation = question.normalisation or (index.normalisation if index else "goalpost")
    asked_aggregation = question.aggregation or (index.aggregation if index else "arithmetic")
    normalisation, aggregation = cast(Normalisation, asked_normalisation), cast(Aggregation, asked_aggregation)
    needs = 1.0 - covered.values.population_share
    scores = np.stack(
        [
            normalise(needs[:, k], "more-is-worse", normalisation, (0.0, 1.0) if normalisation == "goalpost" else None)
            for k in range(needs.shape[1])
        ],
        axis=1,
    )
    priority = aggregate(scores, [service.weight for service in covered.services], aggregation)
    return CityPriority(
        covered,
        priority,
        normalisation,
        aggregation,
        index.code if index else "priority",
        (time.perf_counter() - started) * 1000,
    )


def priority_beside_standard(
    *, city: Place, user: User, question: Question, reading: CityReading | None = None
) -> tuple[CityPriority, CityPriority]:
    """Rank a city's places as a question asks, and as the city's own standards and weights do, from one reading.

    Returns
    -------
    tuple
        The answer to the question, and the city's own; the same where nothing is asked.

    Raises
    ------
    NotFound, InvalidInput
        As `priority_compute`.
    """
    reading = reading or selectors.city_read(city, user)
    standard = priority_compute(city=city, user=user, reading=reading)
    if question == Question():
        return standard, standard
    return priority_compute(city=city, user=user, question=question, reading=reading), standard


def distance_curves(
    *, city: Place, place_code: str, user: User, question: Question | None = None, reading: CityReading | None = None
) -> tuple[list[float], dict[str, list[float | None]]]:
    """Return distances in metres and, by service, the share of a place's people within each.

    The parameters are those of `coverage_compute`.

    Raises
    ------
    NotFound
        Where the city has no such place with a boundary in force.
    """
    inputs = inputs_read(reading or selectors.city_read(city, user), question or Question())
    row = selectors.place_number(city, inputs.places, place_code)
    farthest = max([s.threshold_m for s in inputs.services], default=1000.0) * 2
    distances = np.linspace(0, farthest, CURVE_STEPS + 1)
    one = _only_place(inputs.arrays, row)
    curves = {
        service.code: [number_or_none(v) for v in distance_curve(one, index, distances)[0]]
        for index, service in enumerate(inputs.services)
    }
    return distances.tolist(), curves


def _only_place(arrays: CoverageInputs, row: int) -> CoverageInputs:
    return CoverageInputs(arrays.place_fractions[row], arrays.people, arrays.cost_m, arrays.cell_m)


def overlay_compute(*, city: Place, user: User, subject: str, where: Mapping[str, Any] | None = None) -> CityOverlay:
    """Count the features of a layer in each neighbourhood, and measure how much of it they cover.

    Parameters
    ----------
    subject : str
        Code of a vector layer of the city, or ``settlements`` for the informal settlements.
    where : mapping, optional
        Attribute values that the layer's features must have; a list of values means any of them.

    Raises
    ------
    NotFound
        Where there is no such layer, or no neighbourhood.
    InvalidInput
        Where no feature of the layer has these values, or they are asked of settlements.
    """
    started = time.perf_counter()
    places = selectors.places_read(city, user)
    targets = [i for i, row in enumerate(places.rows) if row.kind == Place.Kind.NEIGHBOURHOOD] or list(
        range(len(places.rows))
    )
    if not targets:
        raise NotFound(
            f"{city.name_en} has no neighbourhood with an approved boundary.",
            code="no_places",
            remedy="Load or approve boundaries first.",
            details={"city": city.name},
        )
    record: dict[str, Any] = {"boundaries": _boundaries_record(places.rows)}
    conditions = dict(where or {})
    if subject == "settlements":
        if conditions:
            raise InvalidInput(
                "Settlements are places and have no attributes to choose by.",
                code="bad_condition",
                where="--where",
                remedy="Leave it out, or overlay a layer.",
            )
        chosen = [i for i, row in enumerate(places.rows) if row.kind == Place.Kind.SETTLEMENT]
        features = places.geometries_4326[chosen]
    else:
        release = selectors.vector_release(city, user, subject, "--with", ["settlements"])
        features = selectors.facilities_read(release.pk, conditions)
        if conditions and not len(features):
            raise InvalidInput(
                f"No feature of the layer {subject} has these values: {_in_words(conditions)}.",
                code="bad_condition",
                where="--where",
                remedy="Write the field and its value as the layer has them.",
            )
        record["layer"] = {"code": subject, "release": release.number, "content_hash": release.content_hash}
        if conditions:
            record["where"] = conditions
    grid = grid_for(places)
    result = overlay(
        project(places.geometries_4326[targets], STORAGE_EPSG, grid.epsg),
        project(features, STORAGE_EPSG, grid.epsg) if len(features) else features,
    )
    rows = tuple(
        OverlayRow(
            places.rows[i].code, places.rows[i].name_fa, places.rows[i].name_en, places.rows[i].kind, int(result.count[k]),
            number_or_none(result.area_m2[k]), number_or_none(result.length_m[k]), number_or_none(result.area_share[k]),
        )
        for k, i in enumerate(targets)
    )  # fmt: skip
    return CityOverlay(city, subject, rows, result.outside, record, (time.perf_counter() - started) * 1000)


def _in_words(conditions: Mapping[str, Any]) -> str:
    return ", ".join(f"{field}={value[0] if isinstance(value, list) else value}" for field, value in conditions.items())


# ---- records


def _boundaries_record(rows: tuple[PlaceRow, ...]) -> dict[str, Any]:
    return {
        "count": len(rows),
        "content_hash": content_key([(row.path, row.edition_hash) for row in rows]),
        "editions": {row.code: row.edition_id for row in rows},
    }


def inputs_record(inputs: CityInputs) -> dict[str, Any]:
    """Return what a city's results were computed from: editions, releases and hashes."""

    def release(row: Any) -> dict[str, Any]:
        return {
            "layer": row.layer_code,
            "release": row.release_number,
            "content_hash": row.release_hash,
            "reference_date": row.reference_date.isoformat() if row.reference_date else None,
            "source": row.source,
        }

    return {
        "boundaries": _boundaries_record(inputs.places.rows),
        "population": {
            **release(inputs.population),
            "code": inputs.population.code,
            "field": inputs.population.field,
            "total": inputs.population.total,
        }
        if inputs.population
        else None,
        "services": {
            s.code: {**release(s), "where": dict(s.where), "facilities": s.facilities} for s in inputs.services
        },
        "travel": {row.use: release(row) for row in inputs.travel.layers},
        "grid": {
            "epsg": inputs.grid.epsg,
            "cell_m": inputs.grid.cell_m,
            "rows": inputs.grid.n_rows,
            "columns": inputs.grid.n_cols,
        },
    }


def coverage_parameters(result: CityCoverage) -> dict[str, Any]:
    """Return what the coverage was computed with: thresholds by service, where each comes from, and changes if there are any."""
    supposed: dict[str, Any] = {"changes": changes_to_json(result.changes)} if result.changes else {}
    if result.scenario is not None:
        supposed |= {"scenario": {"id": result.scenario.id, "version": result.scenario.version}}
    needs = {s.code: s.need_per_1000 for s in result.services if s.need_per_1000 is not None}
    return {
        **supposed,
        "thresholds_m": {s.code: s.threshold_m for s in result.services},
        **({"needs_per_1000": needs} if needs else {}),
        "standards": {s.code: {"source": s.standard_source, "verified": s.is_verified} for s in result.services},
        "travel": result.travel.code,
        "cell_m": result.cell_m,
    }


def priority_parameters(result: CityPriority) -> dict[str, Any]:
    """Return what the priority was computed with."""
    return {
        **coverage_parameters(result.coverage),
        "weights": {s.code: s.weight for s in result.coverage.services},
        "normalisation": result.normalisation,
        "aggregation": result.aggregation,
    }


def coverage_rows(result: CityCoverage) -> list[dict[str, Any]]:
    """Return one JSON-safe object per place: who and what it is, and its coverage by each service."""
    values, rows = result.values, []
    for i, place in enumerate(result.places):
        services = {
            service.code: {
                "population_share": number_or_none(values.population_share[i, k]),
                "area_share": number_or_none(values.area_share[i, k]),
                "uncovered_people": number_or_none(values.uncovered_people[i, k]),
                "mean_distance_m": number_or_none(values.mean_distance_m[i, k]),
                "unreachable_people": number_or_none(values.unreachable_people[i, k]),
                "near_edge_of_data": bool(values.edge_flag[i, k]),
            }
            for k, service in enumerate(result.services)
        }
        rows.append(
            {
                **place_record(place),
                "area_m2": float(values.area_m2[i]),
                "population": float(values.population[i]),
                "services": services,
            }
        )
    return rows


def priority_rows(result: CityPriority) -> list[dict[str, Any]]:
    """Return one JSON-safe object per place, the worst first: rank, score, and what each service contributes."""
    priority, covered = result.priority, result.coverage
    order = np.lexsort((np.arange(len(covered.places)), priority.rank))
    return [
        {
            **place_record(covered.places[i]),
            "rank": int(priority.rank[i]),
            "score": float(priority.score[i]),
            "reliability": float(priority.reliability[i]),
            "population": float(covered.values.population[i]),
            "contributions": {s.code: float(priority.contributions[i, k]) for k, s in enumerate(covered.services)},
        }
        for i in order
    ]


def place_record(place: PlaceRow) -> dict[str, Any]:
    """Return who a place of a result is, for JSON."""
    return {"code": place.code, "name": place.name_fa, "name_en": place.name_en, "kind": place.kind}


def run_record(result: CityCoverage | CityPriority, *, author: Any = None) -> Run:
    """Store a result with all it was computed from and with.

    The stored result depends on inputs, parameters and code only: the same again gives the same bytes.
    """
    if isinstance(result, CityPriority):
        kind, covered, parameters, rows = (
            Run.Kind.PRIORITY,
            result.coverage,
            priority_parameters(result),
            priority_rows(result),
        )
    else:
        kind, covered, parameters, rows = Run.Kind.COVERAGE, result, coverage_parameters(result), coverage_rows(result)
    return Run.objects.create(
        kind=kind,
        city=covered.city,
        parameters=parameters,
        inputs=covered.inputs,
        input_hash=content_key(kind, parameters, covered.inputs_key, code_version()),
        code_version=code_version(),
        warnings=list(covered.warnings),
        result=rows,
        duration_ms=result.duration_ms,
        author=author if author is not None and author.pk else None,
    )


def index_put(*, city: Place, weights: Mapping[str, float], cell_m: float = CITY_CELL_M) -> Index:
    """Set a city's priority index: one indicator per service, the share of people not covered, with its weight (1 where none is given).

    Raises
    ------
    InvalidInput
        Where a weight names a service the city has not, or is out of range.
    """
    services = {s.code: s for s in Service.objects.filter(supplies__city=city).select_related("theme")}
    for code, value in weights.items():
        if code not in services:
            raise InvalidInput(
                f"{city.name_en} has no service {code!r}.",
                code="unknown_service",
                where=f"weights, {code}",
                remedy=f"Choose one of: {', '.join(services)}.",
                details={"city": city.name},
            )
        if not 0 <= value <= MAX_WEIGHT:
            raise InvalidInput(
                f"A weight of {value} is out of range.",
                code="bad_weight",
                where=f"weights, {code}",
                remedy="Give 0 to 1000.",
            )
    with transaction.atomic():
        index, _ = Index.objects.update_or_create(
            city=city,
            code="priority",
            defaults={"name_fa": "شاخص اولویت", "name_en": "Priority index", "cell_m": cell_m},
        )
        for code, service in services.items():
            indicator, _ = Indicator.objects.update_or_create(
                code=f"{code}-uncovered-share",
                defaults={
                    "domain": service.theme.code if service.theme.code in Indicator.Domain.values else "infrastructure",
                    "origin": Indicator.Origin.COVERAGE,
                    "service": service,
                    "position": service.position,
                    "measure": Indicator.Measure.UNCOVERED_SHARE,
                    "unit": "share",
                    "name_fa": f"سهم جمعیت بی‌پوشش: {service.name_fa}",
                    "name_en": f"Share of people not covered: {service.name_en}",
                    "goalpost_low": 0.0,
                    "goalpost_high": 1.0,
                },
            )
            Weight.objects.update_or_create(
                index=index, indicator=indicator, defaults={"value": weights.get(code, 1.0)}
            )
        Weight.objects.filter(index=index).exclude(indicator__service__in=services.values()).delete()
    return index

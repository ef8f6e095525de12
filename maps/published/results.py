"""From a result of the analysis, computed as anybody may see it, to the places and columns of a published map."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from analysis.results import CityPriority, number_or_none
from geo.core.measuring import area_m2
from maps.pages import telling
from maps.pages.classes import Classes
from maps.pages.place_presenters import points_told
from maps.pages.presenters import classes_of, main_reasons, told_of, values_of
from maps.pages.telling import Told
from maps.published.freeze import Column, Measure, PlaceResult
from maps.published.wording import CONTRIBUTION

_SQUARE_METRES_PER_KM2 = 1_000_000.0


def columns_of(result: CityPriority, measure: Measure) -> tuple[Column, ...]:
    """Return the columns of a measure; the first one is what the colour shows."""
    area = Column("area_km2", "km2", 3, in_table=False)
    if measure == "priority":
        is_partial = bool((result.priority.reliability < 1).any())
        return (
            Column("score", "points", 1),
            Column("rank", "rank", in_table=False),
            Column("population", "people"),
            Column("reliability", "share", 3, in_table=is_partial),
            area,
            *(Column(CONTRIBUTION + service.code, "points", 1, in_table=False) for service in result.coverage.services),
        )
    shown, other = Column("covered_share", "share", 4), Column("uncovered_people", "people")
    first = (shown, other) if measure == "coverage" else (other, shown)
    return (*first, Column("population", "people"), Column("mean_distance_m", "m"), area)


def ruler_of(standard: CityPriority, measure: Measure, column: int | None) -> Classes:
    """Return the classes the city page colours with: cut by the city's own thresholds and weights."""
    return classes_of(measure, [value.need for value in values_of(standard, measure, column, is_insider=False)])


def place_results(
    result: CityPriority, measure: Measure, column: int | None, geometries: NDArray[np.object_]
) -> list[PlaceResult]:
    """Return the places of a result as the public may see them.

    Parameters
    ----------
    result : CityPriority
        Computed for an anonymous user.
    column : int or None
        The service the colour is about; None for priority.
    geometries : ndarray
        Of ``result.coverage.places``, EPSG:4326.
    """
    values = values_of(result, measure, column, is_insider=False)
    areas = area_m2(geometries) / _SQUARE_METRES_PER_KM2
    found = []
    for row, (place, geometry) in enumerate(zip(result.coverage.places, geometries, strict=True)):
        numbers: dict[str, Told] = {"area_km2": _told(areas[row]), "population": _population(result, row)}
        if measure == "priority":
            numbers |= _priority_numbers(result, row, values[row].told)
            reasons = tuple(s.code for s in main_reasons(result, row, 3)) if values[row].need else ()
        else:
            numbers |= _coverage_numbers(result, row, column or 0)
            reasons = ()
        found.append(
            PlaceResult(
                place.code, place.kind, place.name_fa, place.name_en, geometry, values[row].need, numbers, reasons
            )
        )
    return found


def _population(result: CityPriority, row: int) -> Told:
    return telling.people(float(result.coverage.values.population[row]), False)


def _coverage_numbers(result: CityPriority, row: int, column: int) -> dict[str, Told]:
    share, count, distance = told_of(result.coverage, row, column, is_insider=False)
    return {
        "covered_share": telling.complement(share),
        "uncovered_people": telling.NOTHING if share.kind == "none" else count,
        "mean_distance_m": distance,
    }


def _priority_numbers(result: CityPriority, row: int, score: Told) -> dict[str, Told]:
    """Return the numbers of the index; where the score may not be told, nothing that it is made of is."""
    columns = {CONTRIBUTION + service.code: k for k, service in enumerate(result.coverage.services)}
    if score.value is None:
        return dict.fromkeys(("score", "rank", "reliability", *columns), score)
    named = {}
    for key, k in columns.items():
        share, _, _ = told_of(result.coverage, row, k, is_insider=False)
        named[key] = points_told(result, row, k, share)
    return {
        "score": score,
        "rank": Told(float(result.priority.rank[row])),
        "reliability": Told(float(result.priority.reliability[row])),
        **named,
    }


def _told(value: float) -> Told:
    return Told(number_or_none(np.float64(value)), "exact" if np.isfinite(value) else "none")


def as_shapes(wkb: Sequence[bytes | memoryview]) -> NDArray[np.object_]:
    """Return geometries from their binary form."""
    shapes = np.empty(len(wkb), dtype=object)
    shapes[:] = [shapely.from_wkb(bytes(item)) for item in wkb]
    return shapes

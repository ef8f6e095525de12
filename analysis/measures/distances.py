"""How far people have: percentiles, whole curves, and the facility that is nearest to each place and each point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from analysis.caching import arrays, content_key
from analysis.core.changes import changes_to_json
from analysis.core.coverage import CoverageInputs, distance_curve, distance_percentiles_m
from analysis.measures.asking import Asked, asked
from analysis.measures.facilities import Facilities
from analysis.measures.results import CityDistances, NearestFacility, ServiceDistances
from analysis.results import Question, ServiceRow
from analysis.selectors import CityReading
from analysis.travel import STRAIGHT, Costs, cost_key
from geo.core.crs import STORAGE_EPSG, project_xy
from geo.errors import InvalidInput, NotFound
from geo.models import Place
from geo.querysets import User
from layers.models import Service

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

PERCENTILES: Final = (10.0, 25.0, 50.0, 75.0, 90.0)
CURVE_STEPS: Final = 60
MOST_STEPS: Final = 200


def distances_compute(
    *,
    city: Place,
    user: User,
    question: Question | None = None,
    percentiles: Sequence[float] = PERCENTILES,
    steps: int = CURVE_STEPS,
    farthest_m: float | None = None,
    has_nearest: bool = False,
    cell_m: float | None = None,
    reading: CityReading | None = None,
) -> CityDistances:
    """Compute percentiles and the whole distance-coverage curve of every place and service.

    Parameters
    ----------
    city, user, question, cell_m, reading
        As for `analysis.services.coverage_compute`.
    percentiles
        Each above 0, at most 100.
    steps
        Steps of the curve from 0 to the farthest distance.
    farthest_m
        Where the curve ends; None for twice the largest threshold.
    has_nearest
        Whether to find the nearest facilities too, which takes longer; a utility has none.

    Raises
    ------
    NotFound
        Where the city has no places in force, or the question names something it has not.
    InvalidInput
        Where a percentile or a number of steps is not possible.
    """
    if not 1 <= steps <= MOST_STEPS:
        raise InvalidInput(
            f"A curve of {steps} steps is not possible.",
            code="bad_steps",
            where="steps",
            remedy=f"Give 1 to {MOST_STEPS}.",
        )
    what = asked(city=city, user=user, question=question, cell_m=cell_m, reading=reading)
    if farthest_m is None:
        farthest_m = max((service.threshold_m for service in what.inputs.services), default=500.0) * 2
    distances = np.linspace(0.0, farthest_m, steps + 1)
    rows = tuple(
        _service(what, k, service, tuple(percentiles), distances, has_nearest)
        for k, service in enumerate(what.inputs.services)
    )
    return CityDistances(
        what.basis(),
        what.inputs.arrays.ground.population,
        tuple(float(one) for one in percentiles),
        tuple(float(one) for one in distances),
        rows,
    )


def _service(
    what: Asked, k: int, service: ServiceRow, percentiles: tuple[float, ...], distances: Floats, has_nearest: bool
) -> ServiceDistances:
    inputs = what.inputs
    whole = _whole_city(what, k)
    key = content_key("distances", inputs.key, k, percentiles, distances.tolist())

    def compute() -> tuple[Floats, Floats, Floats, Floats]:
        return (
            distance_percentiles_m(inputs.arrays, k, percentiles),
            distance_curve(inputs.arrays, k, distances),
            distance_percentiles_m(whole, 0, percentiles)[0],
            distance_curve(whole, 0, distances)[0],
        )

    of_places, curves, of_city, city_curve = cast(tuple[Floats, Floats, Floats, Floats], arrays.get(key, compute))
    nearest: tuple[NearestFacility | None, ...] = (None,) * inputs.arrays.n_places
    if has_nearest and service.kind != Service.Kind.UTILITY:
        nearest = _nearest_of_places(what, service)
    return ServiceDistances(service, of_places, curves, of_city, city_curve, nearest)


def _whole_city(what: Asked, k: int) -> CoverageInputs:
    """Return the city as one place, each person counted once."""
    inputs = what.inputs
    ones = sparse.csr_matrix(np.ones((1, inputs.ground.cells.size)))
    return CoverageInputs(ones, what.residents.counted, inputs.arrays.cost_m[k : k + 1], inputs.grid.cell_m)


def nearest_facilities(
    what: Asked, service: ServiceRow, only: slice | None = None
) -> tuple[Facilities, Integers, Costs]:
    """Return a service's facilities, and for each part of the ground which is the nearest (-1: none) and its cost in metres.

    `only` are the parts that are asked for; of others, where they take no time, nothing is said.
    """
    facilities = what.facilities(service)
    measuring = what.measuring(service)
    key = content_key("nearest", what.inputs.key, cost_key(measuring, service), changes_to_json(what.question.changes))

    def compute(parts: slice = slice(None)) -> tuple[Integers, Costs]:
        asked_for = np.zeros(what.inputs.ground.cells.size, dtype=bool)
        asked_for[parts] = True
        return measuring.nearest(facilities.geometries_m, asked_for)

    if only is not None and measuring.row.code == STRAIGHT and key not in arrays:
        return facilities, *compute(only)
    who, cost_m = cast(tuple[Integers, Costs], arrays.get(key, compute))
    return facilities, who, cost_m


def _nearest_of_places(what: Asked, service: ServiceRow, only: str = "") -> tuple[NearestFacility | None, ...]:
    rows = [i for i, place in enumerate(what.inputs.places.rows) if only in ("", place.code)]
    bounds = what.inputs.ground.parts.indptr
    of_one = slice(bounds[rows[0]], bounds[rows[0] + 1]) if only and rows else None
    facilities, who, cost_m = nearest_facilities(what, service, of_one)
    parts, people = what.inputs.ground.parts, what.inputs.arrays.people
    found: list[NearestFacility | None] = []
    for place in range(parts.shape[0]):
        row = slice(parts.indptr[place], parts.indptr[place + 1])
        living = np.where(who[row] >= 0, parts.data[row] * people[row], 0.0) if place in rows else np.zeros(0)
        total = float(living.sum())
        if not total > 0:
            found.append(None)
            continue
        of_facility = np.bincount(np.maximum(who[row], 0), weights=living, minlength=len(facilities))
        most = int(np.argmax(of_facility))
        is_it = who[row] == most
        found.append(
            NearestFacility(
                number=int(facilities.numbers[most]),
                name=facilities.names[most],
                lon=round(float(facilities.lon_lat[most, 0]), 6),
                lat=round(float(facilities.lon_lat[most, 1]), 6),
                people=float(of_facility[most]),
                share=float(of_facility[most] / total),
                mean_distance_m=float(living[is_it] @ cost_m[row][is_it] / of_facility[most]),
                others=int((of_facility > 0).sum()) - 1,
            )
        )
    return tuple(found)


def nearest_of_place(
    *, city: Place, user: User, place_code: str, question: Question | None = None, reading: CityReading | None = None
) -> tuple[tuple[ServiceRow, NearestFacility], ...]:
    """Return for each service that people go to the facility that most people of a place have nearest.

    Services that nobody of the place reaches, and places where nobody lives, are left out. In a straight line no other
    place is measured.

    Raises
    ------
    NotFound, InvalidInput
        As `distances_compute`.
    """
    what = asked(city=city, user=user, question=question, cell_m=None, reading=reading)
    found = []
    for service in what.inputs.services:
        if service.kind != Service.Kind.UTILITY:
            nearest = next(filter(None, _nearest_of_places(what, service, place_code)), None)
            if nearest is not None:
                found.append((service, nearest))
    return tuple(found)


def nearest_to_point(
    *,
    city: Place,
    user: User,
    lon: float,
    lat: float,
    question: Question | None = None,
    reading: CityReading | None = None,
) -> list[dict[str, object]]:
    """Return for each service that people go to the facility that is nearest to a point in the city, and how far it is.

    Raises
    ------
    NotFound
        Where the point lies in none of the city's places (``point_outside``), or as `distances_compute`.
    """
    what = asked(city=city, user=user, question=question, cell_m=None, reading=reading)
    grid, ground = what.inputs.grid, what.inputs.ground
    x, y = project_xy(np.array([[lon, lat]]), STORAGE_EPSG, grid.epsg)[0]
    row, col = int((grid.y_max_m - y) // grid.cell_m), int((x - grid.x_min_m) // grid.cell_m)
    is_inside = 0 <= row < grid.n_rows and 0 <= col < grid.n_cols
    here = np.flatnonzero(ground.cells == row * grid.n_cols + col) if is_inside else np.empty(0, dtype=np.int64)
    if not here.size:
        raise NotFound(
            f"The point lies in no place of {city.name_en}.",
            code="point_outside",
            where=f"{lon:.5f}, {lat:.5f}",
            remedy="Choose one inside a neighbourhood or settlement.",
            details={"city": city.name},
        )
    found: list[dict[str, object]] = []
    for service in what.inputs.services:
        if service.kind == Service.Kind.UTILITY:
            continue
        facilities, who, cost_m = nearest_facilities(what, service, slice(here[0], here[0] + 1))
        nearest = int(who[here[0]])
        found.append(
            {
                "service": service.code,
                "number": int(facilities.numbers[nearest]) if nearest >= 0 else None,
                "name": facilities.names[nearest] if nearest >= 0 else "",
                "lon": round(float(facilities.lon_lat[nearest, 0]), 6) if nearest >= 0 else None,
                "lat": round(float(facilities.lon_lat[nearest, 1]), 6) if nearest >= 0 else None,
                "distance_m": float(cost_m[here[0]]) if nearest >= 0 else None,
            }
        )
    return found

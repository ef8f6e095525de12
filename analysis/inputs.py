"""From what was read of a city to the arrays the cores take, kept in memory by content."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from django.conf import settings
from numpy.typing import NDArray

from analysis.caching import arrays, content_key
from analysis.core.coverage import CoverageInputs, prepare
from analysis.ground import Ground, People, grid_kept, ground_kept, people_of_city
from analysis.populations import people_kept, people_key, population_row
from analysis.results import PopulationRow, Question, ServiceRow, TravelRow
from analysis.selectors import (
    CityPlaces,
    CityReading,
    facilities_of,
    facilities_read,
    population_asked,
    services_asked,
)
from analysis.travel import STRAIGHT, Measuring, cost_key, measuring_for, own_travel, travel_notices
from analysis.what_if import changed_inputs
from geo.core.crs import STORAGE_EPSG, project
from geo.core.grid import Grid

_MOST_THREADS = 4


@dataclass(frozen=True, slots=True, eq=False)
class CityInputs:
    """All that coverage of a city is computed from.

    ``arrays`` has one row per service and one column per part of the ``ground``. ``column_keys`` are the hashes of what
    each service's coverage is computed from but for its threshold.
    """

    places: CityPlaces
    services: tuple[ServiceRow, ...]
    population: PopulationRow | None
    travel: TravelRow
    grid: Grid
    ground: Ground
    arrays: CoverageInputs
    key: str
    column_keys: tuple[str, ...]
    warnings: tuple[str, ...]


def inputs_read(reading: CityReading, question: Question, cell_m: float | None = None) -> CityInputs:
    """Assemble the inputs of a city's coverage; what is unchanged since the last time is not computed again.

    Raises
    ------
    NotFound
        Where the question names an unknown service or source of population.
    InvalidInput
        Where the city has no data for the way of travel.
    """
    places, population = reading.places, population_asked(reading, question)
    services, warnings = services_asked(reading.city, reading.supplied, question, lambda: people_of_city(reading))
    grid = grid_kept(reading, cell_m)
    ground = ground_kept(places, grid)
    ways = [measuring_for(reading, question, grid, ground, service=service) for service in services]
    living_key = people_key(population, ground)
    cost_keys = [cost_key(way, service) for way, service in zip(ways, services, strict=True)]
    key = content_key("coverage", ground.key, living_key, cost_keys)

    def people() -> People | None:
        return people_kept(*population, grid, ground) if population else None

    def assemble() -> CoverageInputs:
        asked = list(zip(cost_keys, ways, services, strict=True))
        unknown = [one for one in asked if one[0] not in arrays]
        for _, way, _ in unknown:
            way.prepare()
        missing = _measured(unknown, grid)
        costs = np.empty((len(services), ground.cells.size), dtype=np.float32)
        for row, (k, way, service) in enumerate(asked):

            def cost(k: str = k, way: Measuring = way, service: ServiceRow = service) -> NDArray[np.float32]:
                return missing[k] if k in missing else way.cost_m(_facilities_m(service, grid))

            costs[row] = arrays.get(k, cost)
        living = people()
        per_cell = living.per_cell if living else np.zeros(ground.cells.size)
        return prepare(ground.parts, per_cell, costs, grid.cell_m, ground.edge_m)

    assembled = arrays.get(key, assemble)
    row = None
    if population is None:
        warnings = (*warnings, "No population source is set: shares of people are empty.")
    else:
        row = population_row(*population, people_kept(*population, grid, ground))
    travel = measuring_for(reading, question, grid, ground)
    if question.travel == "" and travel.row.code != own_travel(reading):
        warnings = (
            *warnings,
            "The city's own way of travel is measured on layers that you may not see; here it is a straight line.",
        )
    if travel.row.code != STRAIGHT:

        def notices() -> tuple[str, ...]:
            facilities = [_facilities_m(service, grid) for service in services]
            return travel_notices(travel, list(zip(services, ways, facilities, strict=True)), places, assembled)

        warnings = (*warnings, *arrays.get(content_key("notices", key, travel.key), notices))
    column_keys = tuple(content_key("column", ground.key, living_key, cost) for cost in cost_keys)
    base = CityInputs(places, services, row, travel.row, grid, ground, assembled, key, column_keys, warnings)
    return changed_inputs(base, reading, question) if question.changes else base


def _facilities_m(service: ServiceRow, grid: Grid) -> NDArray[np.object_]:
    return project(facilities_read(service.release_id, service.where), STORAGE_EPSG, grid.epsg)


def _measured(asked: list[tuple[str, Measuring, ServiceRow]], grid: Grid) -> dict[str, NDArray[np.float32]]:
    """Measure services side by side, one thread a processor; the database is read on this thread alone, meanwhile.

    With one thread, as in a process that shares its machine with others, nothing is done beside the reading.
    """

    def cost_m(way: Measuring, facilities: shapely.GeometryCollection) -> NDArray[np.float32]:
        return way.cost_m(project(facilities, STORAGE_EPSG, grid.epsg))

    if settings.ANALYSIS_THREADS == 1:
        return {key: cost_m(way, facilities) for key, way, facilities in _with_facilities(asked)}
    with ThreadPoolExecutor(min(settings.ANALYSIS_THREADS, _MOST_THREADS)) as pool:
        under_way = {key: pool.submit(cost_m, way, facilities) for key, way, facilities in _with_facilities(asked)}
        return {key: cost.result() for key, cost in under_way.items()}


def _with_facilities(
    asked: list[tuple[str, Measuring, ServiceRow]],
) -> Iterator[tuple[str, Measuring, shapely.GeometryCollection]]:
    """Give services with their facilities, one release after the other: each is read once, whatever it supplies."""
    of_release: dict[int, list[tuple[str, Measuring, ServiceRow]]] = {}
    for one in asked:
        of_release.setdefault(one[2].release_id, []).append(one)
    for release_id, together in of_release.items():
        read = facilities_of(release_id, [service.where for _, _, service in together])
        for (key, way, _), facilities in zip(together, read, strict=True):
            yield key, way, facilities


def cached_column(key: str, compute: Any) -> Any:
    """Return one service's coverage at one threshold, kept with the other arrays."""
    return arrays.get(key, compute)

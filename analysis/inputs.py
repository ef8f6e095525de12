"""From what was read of a city to the arrays the cores take, kept in memory by content."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import numpy as np
import rasterio
import shapely
from django.conf import settings
from django.contrib.gis.db.models.functions import AsWKB
from django.db.models.fields.json import KeyTextTransform
from numpy.typing import NDArray
from scipy import sparse

from analysis.caching import arrays, content_key
from analysis.core.cost import cost_off_centre_m, straight_cost_m
from analysis.core.coverage import CoverageInputs, edge_distance_m, prepare
from analysis.core.population import (
    people_from_polygons,
    people_from_raster,
    people_in_areas,
    people_in_cells,
    people_of_parts,
    pixel_corners,
)
from analysis.results import PopulationRow, Question, ServiceRow
from analysis.selectors import (
    CityPlaces,
    CityReading,
    facilities_read,
    services_asked,
)
from geo.core.cell_shares import cell_parts
from geo.core.crs import STORAGE_EPSG, project, project_xy, utm_epsg
from geo.core.grid import CITY_CELL_M, Grid, grid_around
from layers.models import Feature, Layer, PopulationSource, Raster, Release

_MOST_THREADS = 4


@dataclass(frozen=True, slots=True, eq=False)
class _Ground:
    """What a city's places alone decide: the parts into which they cut the cells of the grid.

    Cells outside all places, half of a city's bounds or more, are in none of the arrays; a cell on a border has a part in
    each of its places, which may differ in people and in distance.

    Attributes
    ----------
    polygons_m
        Shape ``(p,)``: the places in the grid's system.
    cells
        Shape ``(k,)``: flat index of the cell of each part.
    parts
        Shape ``(p, k)``: share of its cell for each part; a part is in one place alone.
    partial
        Shape ``(m,)``: the parts that are not whole cells.
    east, south
        Shape ``(m,)``: of these, the way from the centre of the cell to the centroid of the part, in cells.
    edge_m
        Shape ``(p,)``: metres from each place to the edge of what the data cover.
    """

    polygons_m: NDArray[np.object_]
    cells: NDArray[np.int64]
    parts: sparse.csr_matrix
    partial: NDArray[np.int64]
    east: NDArray[np.float64]
    south: NDArray[np.float64]
    edge_m: NDArray[np.float64]


def _ground_of(places: CityPlaces, grid: Grid) -> _Ground:
    polygons_m = project(places.geometries_4326, STORAGE_EPSG, grid.epsg)
    cut = cell_parts(polygons_m, grid)
    # Whole cells are measured at their centres whatever the rounding of their centroids.
    is_partial = cut.shares.data < 1.0
    cells = cut.shares.indices.astype(np.int64)
    numbers = np.arange(cells.size, dtype=cut.shares.indices.dtype)
    parts = sparse.csr_matrix((cut.shares.data, numbers, cut.shares.indptr), shape=(len(polygons_m), cells.size))
    edge_m = edge_distance_m(polygons_m, shapely.union_all(polygons_m))
    partial = np.flatnonzero(is_partial)
    return _Ground(polygons_m, cells, parts, partial, cut.east[partial], cut.south[partial], edge_m)


@dataclass(frozen=True, slots=True, eq=False)
class _People:
    """People inside the grid, and in a whole cell as populated as each part of a cell that lies in a place."""

    total: float
    per_cell: NDArray[np.float64]


def _people_of(release: Release, source: PopulationSource, grid: Grid, ground: _Ground) -> _People:
    if source.layer.kind == Layer.Kind.RASTER:
        people = _people_of_raster(release, grid)
        return _People(float(people.sum()), people[ground.cells])
    polygons_m, counts = _areas_read(release, source, grid.epsg)
    total = float(people_from_polygons(polygons_m, counts, grid).sum())
    shares = sparse.csr_matrix(
        (ground.parts.data, ground.cells, ground.parts.indptr),
        shape=(len(ground.polygons_m), grid.n_cells),
    )
    people = people_of_parts(polygons_m, counts, ground.polygons_m, shares, grid)
    return _People(total, people / ground.parts.data)


def _areas_read(
    release: Release, source: PopulationSource, epsg: int
) -> tuple[NDArray[np.object_], NDArray[np.float64]]:
    """Read census areas in a projected system, and the people of each."""
    found = (
        Feature.objects.of(release)
        .order_by("number")
        .values_list(AsWKB("geometry"), KeyTextTransform(source.field, "attributes"))
    )
    rows = [(bytes(wkb), float(people) if people is not None else math.nan) for wkb, people in found]
    polygons_m = project(shapely.from_wkb([wkb for wkb, _ in rows]), STORAGE_EPSG, epsg)
    return polygons_m, np.array([people for _, people in rows])


def _people_of_raster(release: Release, grid: Grid) -> NDArray[np.float64]:
    values, corners, nodata = _raster_read(release, grid.epsg)
    return people_from_raster(values, corners, grid, nodata=nodata)


def _raster_read(release: Release, epsg: int) -> tuple[NDArray[Any], NDArray[np.float64], float | None]:
    """Read a raster's values, the corners of its pixels in a projected system, and the value that stands for no data."""
    raster = Raster.objects.get(release=release)
    with rasterio.open(settings.RASTER_DIR / raster.file) as file:
        values = file.read(1)
        corners = pixel_corners(tuple(file.transform)[:6], values.shape)
        nodata = file.nodata
    if raster.epsg != epsg:
        corners = project_xy(corners.reshape(-1, 2), raster.epsg, epsg).reshape(corners.shape)
    return values, corners, nodata


_AROUND_M = 5_000.0
"""How far beyond a city's places people are kept at hand: a new settlement may lie outside all of them."""

_STEP_M = 1_000.0
"""The ground where people are kept grows by steps of this, so that it stays the same while a boundary is drawn."""


@dataclass(frozen=True, slots=True, eq=False)
class _Inhabitants:
    """A city's people, wherever they live: on cells, or in census areas."""

    epsg: int
    grid: Grid | None = None
    per_cell: NDArray[np.float64] | None = None
    areas_m: NDArray[np.object_] | None = None
    counts: NDArray[np.float64] | None = None

    def within(self, shapes_m: NDArray[np.object_]) -> NDArray[np.float64]:
        """Count the people inside shapes in our system."""
        if self.grid is not None and self.per_cell is not None:
            return people_in_cells(self.per_cell, shapes_m, self.grid)
        if self.areas_m is None or self.counts is None:
            raise AssertionError
        return people_in_areas(self.areas_m, self.counts, shapes_m)


def people_within(reading: CityReading, geometries_4326: NDArray[np.object_]) -> NDArray[np.float64]:
    """Count the people inside any shapes, as they are counted in places: by exact shares of cells, or of census areas.

    Parameters
    ----------
    reading : CityReading
        What was read of the city.
    geometries_4326 : ndarray
        Shape ``(n,)``: valid polygons in EPSG:4326; None and empty ones hold nobody.

    Returns
    -------
    ndarray
        Shape ``(n,)``; NaN where the city has no population source. People of a raster who live farther than some
        kilometres from all places of the city are not counted.
    """
    if reading.population is None:
        return np.full(len(geometries_4326), np.nan)
    release, source = reading.population
    cell_m = reading.index.cell_m if reading.index else CITY_CELL_M
    places = reading.places
    standard = arrays.get(content_key("grid", places.key, cell_m), lambda: grid_for(places, cell_m))
    x_min, y_min, x_max, y_max = standard.bounds_m
    box_m = (
        math.floor((x_min - _AROUND_M) / _STEP_M) * _STEP_M,
        math.floor((y_min - _AROUND_M) / _STEP_M) * _STEP_M,
        math.ceil((x_max + _AROUND_M) / _STEP_M) * _STEP_M,
        math.ceil((y_max + _AROUND_M) / _STEP_M) * _STEP_M,
    )
    key = content_key("inhabitants", release.content_hash, source.field, standard.epsg, cell_m, box_m)
    living: _Inhabitants = arrays.get(key, lambda: _inhabitants_of(release, source, standard, box_m))
    shapes = np.empty(len(geometries_4326), dtype=object)
    shapes[:] = geometries_4326
    return living.within(project(shapes, STORAGE_EPSG, living.epsg))


def _inhabitants_of(
    release: Release, source: PopulationSource, standard: Grid, box_m: tuple[float, float, float, float]
) -> _Inhabitants:
    if source.layer.kind != Layer.Kind.RASTER:
        areas_m, counts = _areas_read(release, source, standard.epsg)
        return _Inhabitants(standard.epsg, areas_m=areas_m, counts=counts)
    values, corners, nodata = _raster_read(release, standard.epsg)
    x, y = corners[..., 0], corners[..., 1]
    inside = (max(box_m[0], x.min()), max(box_m[1], y.min()), min(box_m[2], x.max()), min(box_m[3], y.max()))
    grid = standard
    if inside[0] < inside[2] and inside[1] < inside[3]:
        grid = grid_around(inside, standard.epsg, standard.cell_m, standard.cell_m)
    return _Inhabitants(standard.epsg, grid, people_from_raster(values, corners, grid, nodata=nodata))


@dataclass(frozen=True, slots=True, eq=False)
class CityInputs:
    """All that coverage of a city is computed from."""

    places: CityPlaces
    services: tuple[ServiceRow, ...]
    population: PopulationRow | None
    grid: Grid
    arrays: CoverageInputs
    key: str
    warnings: tuple[str, ...]


def grid_for(places: CityPlaces, cell_m: float = CITY_CELL_M) -> Grid:
    """Return the analysis grid of a city: square cells around its places, in the UTM zone of their centre.

    The grid needs no margin for facilities, because distances to facilities outside it are exact.
    """
    west, south, east, north = shapely.total_bounds(places.geometries_4326)
    epsg = utm_epsg((west + east) / 2, (south + north) / 2)
    bounds = tuple(shapely.total_bounds(project(places.geometries_4326, STORAGE_EPSG, epsg)))
    return grid_around((bounds[0], bounds[1], bounds[2], bounds[3]), epsg, cell_m, cell_m)


def _cost_m(facilities_m: NDArray[np.object_], grid: Grid, ground: _Ground) -> NDArray[np.float32]:
    """Measure from each part of the ground: whole cells at their centres, the others at their centroids."""
    wanted = np.zeros((grid.n_rows, grid.n_cols), dtype=bool)
    wanted.flat[ground.cells] = True
    # The cells beside a partial one tell which way and how fast its cost rises.
    beside = np.zeros_like(wanted)
    beside.flat[ground.cells[ground.partial]] = True
    wanted[1:] |= beside[:-1]
    wanted[:-1] |= beside[1:]
    wanted[:, 1:] |= beside[:, :-1]
    wanted[:, :-1] |= beside[:, 1:]
    of_cells = straight_cost_m(facilities_m, grid, only=wanted.ravel())
    cost = of_cells[ground.cells]
    cost[ground.partial] = cost_off_centre_m(of_cells, grid, ground.cells[ground.partial], ground.east, ground.south)
    return cost


def _measured(
    asked: list[tuple[str, ServiceRow]],
    facilities_m: Callable[[ServiceRow], NDArray[np.object_]],
    grid: Grid,
    ground: _Ground,
) -> dict[str, NDArray[np.float32]]:
    """Measure services side by side, one thread a processor; the database is read on this thread alone, meanwhile."""
    with ThreadPoolExecutor(max(1, min(os.cpu_count() or 1, _MOST_THREADS))) as pool:
        under_way = {key: pool.submit(_cost_m, facilities_m(service), grid, ground) for key, service in asked}
        return {key: cost.result() for key, cost in under_way.items()}


def inputs_read(reading: CityReading, question: Question, cell_m: float | None = None) -> CityInputs:
    """Assemble the inputs of a city's coverage; what is unchanged since the last time is not computed again.

    Raises
    ------
    NotFound
        Where the question names an unknown service.
    """
    places, population = reading.places, reading.population
    services, warnings = services_asked(reading.city, reading.supplied, question)
    if cell_m is None:
        cell_m = reading.index.cell_m if reading.index else CITY_CELL_M
    grid = arrays.get(content_key("grid", places.key, cell_m), lambda: grid_for(places, cell_m))
    grid_key = content_key([grid.epsg, grid.x_min_m, grid.y_max_m, grid.cell_m, grid.n_rows, grid.n_cols])
    places_key = content_key("fractions", grid_key, places.key)
    people_key = (
        content_key("people", places_key, population[0].content_hash, population[1].field) if population else "nobody"
    )
    cost_keys = [content_key("cost", places_key, s.release_hash, s.where) for s in services]
    key = content_key("coverage", places_key, people_key, cost_keys)

    def facilities_m(service: ServiceRow) -> NDArray[np.object_]:
        facilities = facilities_read(service.release_id, service.where)
        return project(facilities, STORAGE_EPSG, grid.epsg) if len(facilities) else facilities

    def ground() -> _Ground:
        return cast(_Ground, arrays.get(places_key, lambda: _ground_of(places, grid)))

    def people() -> _People | None:
        return arrays.get(people_key, lambda: _people_of(*population, grid, ground())) if population else None

    def assemble() -> CoverageInputs:
        land = ground()
        missing = [(k, s) for k, s in zip(cost_keys, services, strict=True) if k not in arrays]
        measured = _measured(missing, facilities_m, grid, land)
        costs = np.empty((len(services), land.cells.size), dtype=np.float32)
        for row, (cost_key, service) in enumerate(zip(cost_keys, services, strict=True)):

            def cost(k: str = cost_key, s: ServiceRow = service) -> NDArray[np.float32]:
                return measured[k] if k in measured else _cost_m(facilities_m(s), grid, land)

            costs[row] = arrays.get(cost_key, cost)
        living = people()
        per_cell = living.per_cell if living else np.zeros(land.cells.size)
        return prepare(land.parts, per_cell, costs, grid.cell_m, land.edge_m)

    assembled = arrays.get(key, assemble)
    row = None
    if population is None:
        warnings = (*warnings, "No population source is set: shares of people are empty.")
    else:
        release, source = population
        living = people()
        row = PopulationRow(
            layer_code=source.layer.code, name_fa=source.layer.name_fa, name_en=source.layer.name_en, field=source.field,
            source=source.source or source.layer.source, source_fa=source.source_fa or ("" if source.source else source.layer.source_fa),
            reference_date=source.reference_date or release.reference_date,
            release_id=release.pk, release_number=release.number, release_hash=release.content_hash,
            total=living.total if living else 0.0,
        )  # fmt: skip
    return CityInputs(places, services, row, grid, assembled, key, warnings)


def cached_column(key: str, compute: Any) -> Any:
    """Return one service's coverage at one threshold, kept with the other arrays."""
    return arrays.get(key, compute)


def people_counter(reading: CityReading | None) -> Callable[[NDArray[np.object_]], NDArray[np.float64]] | None:
    """Return what counts the people inside any polygons of a city, as `people_within`; None where nobody counted them."""
    return partial(people_within, reading) if reading and reading.population else None

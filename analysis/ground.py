"""The ground of a city: its places on a grid, the people on it, wherever they live."""

from __future__ import annotations

import math
from collections.abc import Callable
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
from analysis.core.coverage import edge_distance_m, united
from analysis.core.population import (
    people_from_polygons,
    people_from_raster,
    people_in_areas,
    people_in_cells,
    people_of_parts,
    pixel_corners,
)
from analysis.selectors import CityPlaces, CityReading
from geo.core.cell_shares import cell_parts
from geo.core.crs import STORAGE_EPSG, project, project_xy, utm_epsg
from geo.core.grid import CITY_CELL_M, Grid, grid_around
from layers.models import Feature, Layer, PopulationSource, Raster, Release


def grid_for(places: CityPlaces, cell_m: float = CITY_CELL_M) -> Grid:
    """Return the analysis grid of a city: square cells around its places, in the UTM zone of their centre.

    The grid needs no margin for facilities, because distances to facilities outside it are exact.
    """
    west, south, east, north = shapely.total_bounds(places.geometries_4326)
    epsg = utm_epsg((west + east) / 2, (south + north) / 2)
    xy = project_xy(shapely.get_coordinates(places.geometries_4326), STORAGE_EPSG, epsg)
    (x_min, y_min), (x_max, y_max) = xy.min(axis=0), xy.max(axis=0)
    return grid_around((x_min, y_min, x_max, y_max), epsg, cell_m, cell_m)


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
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
    key
        Hash of all this.
    """

    polygons_m: NDArray[np.object_]
    cells: NDArray[np.int64]
    parts: sparse.csr_matrix
    partial: NDArray[np.int64]
    east: NDArray[np.float64]
    south: NDArray[np.float64]
    edge_m: NDArray[np.float64]
    key: str


def ground_of(places: CityPlaces, grid: Grid) -> Ground:
    """Cut the cells of a grid by the places of a city."""
    polygons_m = project(places.geometries_4326, STORAGE_EPSG, grid.epsg)
    cut = cell_parts(polygons_m, grid)
    # Whole cells are measured at their centres whatever the rounding of their centroids.
    is_partial = cut.shares.data < 1.0
    cells = cut.shares.indices.astype(np.int64)
    numbers = np.arange(cells.size, dtype=cut.shares.indices.dtype)
    parts = sparse.csr_matrix((cut.shares.data, numbers, cut.shares.indptr), shape=(len(polygons_m), cells.size))
    edge_m = edge_distance_m(polygons_m, _extent(polygons_m, places))
    partial = np.flatnonzero(is_partial)
    return Ground(
        polygons_m, cells, parts, partial, cut.east[partial], cut.south[partial], edge_m, places_key(places, grid)
    )


def _extent(polygons_m: NDArray[np.object_], places: CityPlaces) -> shapely.Geometry:
    """Unite the places of a city.

    Places of one kind mostly tile the land: then their common borders are taken away, a tenth of the work of finding out
    where any of them cross.
    """
    kinds = np.array([row.kind for row in places.rows])
    return shapely.union_all([united(polygons_m[kinds == kind]) for kind in np.unique(kinds)])


def centroids_m(grid: Grid, ground: Ground) -> NDArray[np.float64]:
    """Return the centroid of each part of the ground, shape ``(k, 2)``: of whole cells, their centres."""
    row, col = np.divmod(ground.cells, grid.n_cols)
    xy = np.stack((grid.x_min_m + (col + 0.5) * grid.cell_m, grid.y_max_m - (row + 0.5) * grid.cell_m), axis=1)
    xy[ground.partial, 0] += ground.east * grid.cell_m
    xy[ground.partial, 1] -= ground.south * grid.cell_m
    return xy


def grid_kept(reading: CityReading, cell_m: float | None = None) -> Grid:
    """Return the analysis grid of a city with cells as asked for, or else as its index has them."""
    if cell_m is None:
        cell_m = reading.index.cell_m if reading.index else CITY_CELL_M
    places = reading.places
    return cast(Grid, arrays.get(content_key("grid", places.key, cell_m), lambda: grid_for(places, cell_m)))


def whole_cells(grid: Grid) -> Ground:
    """Return a ground of all cells of a grid, each whole and in one place: what isochrones are drawn from."""
    numbers = np.arange(grid.n_cells, dtype=np.int64)
    parts = sparse.csr_matrix((np.ones(grid.n_cells), numbers, np.array([0, grid.n_cells])))
    none, box = np.empty(0), np.array([shapely.box(*grid.bounds_m)], dtype=object)
    key = content_key("whole", grid.epsg, grid.bounds_m, grid.cell_m)
    return Ground(box, numbers, parts, none.astype(np.int64), none, none, np.zeros(1), key)


def places_key(places: CityPlaces, grid: Grid) -> str:
    """Return the hash of a city's places on a grid."""
    grid_key = content_key([grid.epsg, grid.x_min_m, grid.y_max_m, grid.cell_m, grid.n_rows, grid.n_cols])
    return content_key("fractions", grid_key, places.key)


def ground_kept(places: CityPlaces, grid: Grid) -> Ground:
    """Return the ground of a city's places, computed once for the same content."""
    return cast(Ground, arrays.get(places_key(places, grid), lambda: ground_of(places, grid)))


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """People inside the grid, and in a whole cell as populated as each part of a cell that lies in a place."""

    total: float
    per_cell: NDArray[np.float64]


def people_of(release: Release, source: PopulationSource, grid: Grid, ground: Ground) -> People:
    """Put the people of a source on the parts of the ground."""
    if source.layer.kind == Layer.Kind.RASTER:
        people = _people_of_raster(release, grid)
        return People(float(people.sum()), people[ground.cells])
    polygons_m, counts = areas_read(release, source, grid.epsg)
    total = float(people_from_polygons(polygons_m, counts, grid).sum())
    shares = sparse.csr_matrix(
        (ground.parts.data, ground.cells, ground.parts.indptr),
        shape=(len(ground.polygons_m), grid.n_cells),
    )
    people = people_of_parts(polygons_m, counts, ground.polygons_m, shares, grid)
    return People(total, people / ground.parts.data)


def areas_read(
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
    values, corners, nodata = raster_read(release, grid.epsg)
    return people_from_raster(values, corners, grid, nodata=nodata)


def raster_read(release: Release, epsg: int) -> tuple[NDArray[Any], NDArray[np.float64], float | None]:
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


def people_of_city(reading: CityReading) -> float | None:
    """Count the people of all places of a city, each once; None where nobody counted them."""
    if reading.population is None:
        return None
    outline = np.empty(1, dtype=object)
    outline[0] = shapely.union_all(reading.places.geometries_4326)
    return float(people_within(reading, outline)[0])


def _inhabitants_of(
    release: Release, source: PopulationSource, standard: Grid, box_m: tuple[float, float, float, float]
) -> _Inhabitants:
    if source.layer.kind != Layer.Kind.RASTER:
        areas_m, counts = areas_read(release, source, standard.epsg)
        return _Inhabitants(standard.epsg, areas_m=areas_m, counts=counts)
    values, corners, nodata = raster_read(release, standard.epsg)
    x, y = corners[..., 0], corners[..., 1]
    inside = (max(box_m[0], x.min()), max(box_m[1], y.min()), min(box_m[2], x.max()), min(box_m[3], y.max()))
    grid = standard
    if inside[0] < inside[2] and inside[1] < inside[3]:
        grid = grid_around(inside, standard.epsg, standard.cell_m, standard.cell_m)
    return _Inhabitants(standard.epsg, grid, people_from_raster(values, corners, grid, nodata=nodata))


def people_counter(reading: CityReading | None) -> Callable[[NDArray[np.object_]], NDArray[np.float64]] | None:
    """Return what counts the people inside any polygons of a city, as `people_within`; None where nobody counted them."""
    return partial(people_within, reading) if reading and reading.population else None

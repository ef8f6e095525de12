"""Reads for analyses: from database rows to the arrays the cores take, kept in memory by content."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import rasterio
import shapely
from django.conf import settings
from django.contrib.gis.db.models.functions import AsWKB
from django.db.models import F, Func, OuterRef, Q, Subquery, TextField
from django.db.models.fields.json import KeyTextTransform
from numpy.typing import NDArray
from scipy import sparse

from analysis.caching import ArrayCache, content_key
from analysis.core.cost import straight_cost_m
from analysis.core.coverage import CoverageInputs, edge_distance_m, prepare
from analysis.core.population import people_from_polygons, people_from_raster, people_of_parts, pixel_corners
from analysis.models import Index, Indicator
from analysis.results import PlaceRow, PopulationRow, Question, ServiceRow
from geo.core.crs import STORAGE_EPSG, project, project_xy, utm_epsg
from geo.core.grid import Grid, cell_fractions, grid_around
from geo.errors import InvalidInput, NotFound
from geo.models import Boundary, Place
from geo.querysets import User
from layers.models import Feature, Layer, PopulationSource, Raster, Release, Standard, Supply

CITY_CELL_M = 10.0
MIN_CELL_M, MAX_CELL_M = 1.0, 1000.0
MAX_THRESHOLD_M = 100_000.0
MAX_WEIGHT = 1000.0
_MOST_THREADS = 4

_arrays = ArrayCache(max_bytes=2_000_000_000)
_PARAMETER = re.compile(r"^(threshold|weight)-([a-z0-9-]+)$")


def caches_clear() -> None:
    """Forget all arrays; the next analysis computes them anew."""
    _arrays.clear()


def city_get(code: str, user: User) -> Place:
    """Return a city a user may see.

    Raises
    ------
    NotFound
        Where there is none, or the user may not know of it; the two are not told apart.
    """
    city = Place.objects.visible_to(user).filter(kind=Place.Kind.CITY, code=code).first()
    if city is None:
        known = ", ".join(Place.objects.visible_to(user).cities().values_list("code", flat=True)[:20])
        raise NotFound(
            f"There is no city {code!r}.",
            code="unknown_city",
            remedy=f"Choose one of: {known or 'none is loaded yet'}.",
        )
    return city


def question_from(parameters: Mapping[str, str]) -> Question:
    """Read a question from a query string or a form: ``threshold-<service>``, ``weight-<service>``, ``aggregation``, ``normalisation``.

    Raises
    ------
    InvalidInput
        Where a value is not a number in range or not a known method; which services there are is checked later.
    """
    found: dict[str, dict[str, float]] = {"threshold": {}, "weight": {}}
    for key, value in parameters.items():
        match = _PARAMETER.match(key)
        if match and value != "":
            found[match[1]][match[2]] = number(
                value,
                key,
                1.0 if match[1] == "threshold" else 0.0,
                MAX_THRESHOLD_M if match[1] == "threshold" else MAX_WEIGHT,
            )
    return Question(
        thresholds_m=found["threshold"],
        weights=found["weight"],
        normalisation=_choice(parameters, "normalisation", Index.Normalisation.values),
        aggregation=_choice(parameters, "aggregation", Index.Aggregation.values),
    )


def number(value: str, where: str, low: float, high: float) -> float:
    """Return a number within bounds from a reader's text; Persian digits are read too.

    Raises
    ------
    InvalidInput
        Where it is none.
    """
    try:
        result = float(str(value).translate(_DIGITS))
    except ValueError:
        result = math.nan
    if not low <= result <= high:
        raise InvalidInput(
            f"{str(value)[:40]!r} cannot be used here.",
            code="bad_number",
            where=where,
            remedy=f"Give a number from {low:g} to {high:g}.",
        )
    return result


_DIGITS = str.maketrans("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩٫", "01234567890123456789.")


def _choice(parameters: Mapping[str, str], name: str, choices: list[str]) -> str:
    value = parameters.get(name, "")
    if value and value not in choices:
        raise InvalidInput(
            f"{value[:40]!r} is not a method.",
            code="bad_method",
            where=name,
            remedy=f"Choose one of: {', '.join(choices)}.",
        )
    return value


# ---- places


class _Md5(Func):
    """``md5`` of a geometry's bytes as stored."""

    template = "md5(ST_AsEWKB(%(expressions)s))"
    output_field = TextField()


@dataclass(frozen=True, slots=True, eq=False)
class CityPlaces:
    """The places of a city as arrays: rows and geometries in the same order."""

    rows: tuple[PlaceRow, ...]
    geometries_4326: NDArray[np.object_]
    key: str


def places_read(city: Place, user: User) -> CityPlaces:
    """Return the neighbourhoods and settlements of a city that a user may see, with their editions in force, ordered by path."""
    found = list(
        Boundary.objects.visible_to(user)
        .current()
        .filter(place__path__startswith=city.path + "/", place__kind__in=[Place.Kind.NEIGHBOURHOOD, Place.Kind.SETTLEMENT])
        .order_by("place__path")
        .values_list(
            "place_id", "place__code", "place__kind", "place__name_fa", "place__name_en", "place__zone", "place__parent__kind",
            "place__parent__code", "place__path", "id", _Md5("geometry"), AsWKB("geometry"),
        )
    )  # fmt: skip
    rows = tuple(
        PlaceRow(
            id_,
            code,
            kind,
            name_fa,
            name_en,
            zone,
            parent_code if parent_kind == "district" else "",
            path,
            edition,
            digest,
        )
        for id_, code, kind, name_fa, name_en, zone, parent_kind, parent_code, path, edition, digest, _ in found
    )
    geometries = shapely.from_wkb([bytes(row[-1]) for row in found]) if found else np.empty(0, dtype=object)
    return CityPlaces(rows, geometries, content_key([(row.path, row.edition_hash) for row in rows]))


# ---- services


@dataclass(frozen=True, slots=True, eq=False)
class Supplied:
    """A service of a city with the release, the standard and the weight in force for it."""

    supply: Supply
    release: Release | None
    standard: Standard | None
    indicator_code: str
    weight: float
    facilities: int


def _supplied_read(city: Place, user: User, index: Index | None) -> tuple[Supplied, ...]:
    visible = Layer.objects.visible_to(user).filter(city=city)
    newest = Release.objects.filter(layer=OuterRef("layer")).order_by("-number").values("pk")[:1]
    supplies = list(
        Supply.objects.filter(city=city, layer__in=visible)
        .annotate(newest=Subquery(newest))
        .select_related("service", "service__theme", "layer")
        .order_by("service__position")
    )
    releases = {release.pk: release for release in Release.objects.filter(pk__in=[s.newest for s in supplies])}
    # The general standard of a service first, so that a city's own takes its place.
    found = Standard.objects.filter(Q(city__isnull=True) | Q(city=city), service__in=[s.service for s in supplies])
    standards = {s.service_id: s for s in found.order_by(F("city").asc(nulls_first=True))}
    weights = dict(index.weights.values_list("indicator__service_id", "value")) if index else {}
    indicators = dict(
        Indicator.objects.filter(measure=Indicator.Measure.UNCOVERED_SHARE).values_list("service_id", "code")
    )
    rows = []
    for supply in supplies:
        release, service_id = releases.get(supply.newest), supply.service_id
        rows.append(
            Supplied(
                supply,
                release,
                standards.get(service_id),
                indicators.get(service_id, ""),
                weights.get(service_id, 1.0),
                _facilities_count(release, supply.where) if release else 0,
            )
        )
    return tuple(rows)


def services_read(city: Place, user: User, question: Question) -> tuple[tuple[ServiceRow, ...], tuple[str, ...]]:
    """Return the services of a city whose layers a user may see, with thresholds and weights of the question, and warnings.

    Raises
    ------
    NotFound
        Where the question names a service the city has not.
    """
    return _services_asked(city, _supplied_read(city, user, index_of(city)), question)


def _services_asked(
    city: Place, supplied: tuple[Supplied, ...], question: Question
) -> tuple[tuple[ServiceRow, ...], tuple[str, ...]]:
    codes = [found.supply.service.code for found in supplied]
    for name, asked in (
        ("service", question.services),
        ("threshold", question.thresholds_m),
        ("weight", question.weights),
    ):
        for code in asked:
            if code not in codes:
                raise NotFound(
                    f"{city.name_en} has no service {code!r}.",
                    code="unknown_service",
                    where=name,
                    remedy=f"Choose one of: {', '.join(codes) or 'none'}.",
                )
    rows, warnings = [], []
    for found in supplied:
        supply, release, standard = found.supply, found.release, found.standard
        service, layer = supply.service, supply.layer
        if question.services and service.code not in question.services:
            continue
        if release is None:
            warnings.append(f"{service.name_en}: the layer {layer.code} has no release yet.")
            continue
        threshold_m = question.thresholds_m.get(service.code, standard.threshold_m if standard else None)
        if threshold_m is None:
            warnings.append(f"{service.name_en}: no standard is set, so it is left out; give a threshold.")
            continue
        rows.append(
            ServiceRow(
                code=service.code,
                name_fa=service.name_fa,
                name_en=service.name_en,
                kind=service.kind,
                theme=service.theme.code,
                threshold_m=threshold_m,
                standard_m=standard.threshold_m if standard else threshold_m,
                standard_source=standard.source if standard else "",
                is_verified=bool(standard and standard.is_verified),
                layer_code=layer.code,
                layer_name_fa=layer.name_fa,
                layer_name_en=layer.name_en,
                source=layer.source,
                release_id=release.pk,
                release_number=release.number,
                release_hash=release.content_hash,
                reference_date=release.reference_date,
                facilities=found.facilities,
                where=supply.where,
                indicator_code=found.indicator_code,
                weight=question.weights.get(service.code, found.weight),
            )
        )
    return tuple(rows), tuple(warnings)


def index_of(city: Place) -> Index | None:
    """Return the priority index of a city."""
    return Index.objects.filter(city=city, code="priority").first()


def _facilities_count(release: Release, where: Mapping[str, Any]) -> int:
    if not where:
        return release.row_count

    def count() -> int:
        return Feature.objects.filter(release=release).supplying(where).count()

    return int(_arrays.get(content_key("count", release.content_hash, where), count))


def facilities_read(release_id: int, where: Mapping[str, Any]) -> NDArray[np.object_]:
    """Return the geometries of the features that provide a service, in 4326, in the order of the file."""
    wkb = (
        Feature.objects.filter(release_id=release_id)
        .supplying(where)
        .order_by("number")
        .values_list(AsWKB("geometry"), flat=True)
    )
    geometries: NDArray[np.object_] = shapely.from_wkb([bytes(value) for value in wkb])
    return geometries


# ---- people


@dataclass(frozen=True, slots=True, eq=False)
class _Ground:
    """What a city's places alone decide.

    Cells outside all places, half of a city's bounds or more, are in none of the arrays; a cell on a border has a part in
    each of its places, which may differ in people.

    Attributes
    ----------
    polygons_m
        Shape ``(p,)``: the places in the grid's system.
    cells
        Shape ``(m,)``: flat indices of the cells that lie at least partly in a place.
    parts
        Shape ``(p, k)``: share of a cell for each part; a part is in one place alone.
    column
        Shape ``(k,)``: which of ``cells`` a part belongs to.
    edge_m
        Shape ``(p,)``: metres from each place to the edge of what the data cover.
    """

    polygons_m: NDArray[np.object_]
    cells: NDArray[np.int64]
    parts: sparse.csr_matrix
    column: NDArray[np.integer]
    edge_m: NDArray[np.float64]


def _ground_of(places: CityPlaces, grid: Grid) -> _Ground:
    polygons_m = project(places.geometries_4326, STORAGE_EPSG, grid.epsg)
    fractions = cell_fractions(polygons_m, grid)
    inside = np.zeros(grid.n_cells, dtype=bool)
    inside[fractions.indices] = True
    column = (np.cumsum(inside) - 1).astype(fractions.indices.dtype)[fractions.indices]
    numbers = np.arange(fractions.nnz, dtype=fractions.indices.dtype)
    parts = sparse.csr_matrix((fractions.data, numbers, fractions.indptr), shape=(len(polygons_m), fractions.nnz))
    edge_m = edge_distance_m(polygons_m, shapely.union_all(polygons_m))
    return _Ground(polygons_m, np.flatnonzero(inside), parts, column, edge_m)


def population_read(city: Place) -> tuple[Release, PopulationSource] | None:
    """Return the newest release of a city's population layer, with what it is."""
    source = PopulationSource.objects.filter(city=city).select_related("layer").first()
    release = source.layer.releases.order_by("-number").first() if source else None
    return (release, source) if source and release else None


@dataclass(frozen=True, slots=True, eq=False)
class _People:
    """People inside the grid, and in a whole cell as populated as each part of a cell that lies in a place."""

    total: float
    per_cell: NDArray[np.float64]


def _people_of(release: Release, source: PopulationSource, grid: Grid, ground: _Ground) -> _People:
    if source.layer.kind == Layer.Kind.RASTER:
        people = _people_of_raster(release, grid)
        return _People(float(people.sum()), people[ground.cells][ground.column])
    found = (
        Feature.objects.filter(release=release)
        .order_by("number")
        .values_list(AsWKB("geometry"), KeyTextTransform(source.field, "attributes"))
    )
    rows = [(bytes(wkb), float(people) if people is not None else math.nan) for wkb, people in found]
    polygons_m = project(shapely.from_wkb([wkb for wkb, _ in rows]), STORAGE_EPSG, grid.epsg)
    counts = np.array([people for _, people in rows])
    total = float(people_from_polygons(polygons_m, counts, grid).sum())
    shares = sparse.csr_matrix(
        (ground.parts.data, ground.cells[ground.column], ground.parts.indptr),
        shape=(len(ground.polygons_m), grid.n_cells),
    )
    people = people_of_parts(polygons_m, counts, ground.polygons_m, shares, grid)
    return _People(total, people / ground.parts.data)


def _people_of_raster(release: Release, grid: Grid) -> NDArray[np.float64]:
    raster = Raster.objects.get(release=release)
    with rasterio.open(settings.RASTER_DIR / raster.file) as file:
        values = file.read(1)
        corners = pixel_corners(tuple(file.transform)[:6], values.shape)
        nodata = file.nodata
    if raster.epsg != grid.epsg:
        corners = project_xy(corners.reshape(-1, 2), raster.epsg, grid.epsg).reshape(corners.shape)
    return people_from_raster(values, corners, grid, nodata=nodata)


# ---- everything together


@dataclass(frozen=True, slots=True, eq=False)
class CityReading:
    """What an analysis of a city reads from the database before any question; one reading can answer several questions."""

    city: Place
    places: CityPlaces
    supplied: tuple[Supplied, ...]
    index: Index | None
    population: tuple[Release, PopulationSource] | None


def city_read(city: Place, user: User) -> CityReading:
    """Read what a user may see of a city for an analysis.

    Raises
    ------
    NotFound
        Where the city has no place with a boundary in force.
    """
    places = places_read(city, user)
    if not places.rows:
        raise NotFound(
            f"{city.name_en} has no neighbourhood or settlement with an approved boundary.",
            code="no_places",
            remedy="Load or approve boundaries first.",
        )
    index = index_of(city)
    return CityReading(city, places, _supplied_read(city, user, index), index, population_read(city))


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


def _cost_m(facilities_m: NDArray[np.object_], grid: Grid, cells: NDArray[np.int64]) -> NDArray[np.float32]:
    only = np.zeros(grid.n_cells, dtype=bool)
    only[cells] = True
    return straight_cost_m(facilities_m, grid, only=only)[cells]


def _measured(
    asked: list[tuple[str, ServiceRow]],
    facilities_m: Callable[[ServiceRow], NDArray[np.object_]],
    grid: Grid,
    cells: NDArray[np.int64],
) -> dict[str, NDArray[np.float32]]:
    """Measure services side by side, one thread a processor; the database is read on this thread alone, meanwhile."""
    with ThreadPoolExecutor(max(1, min(os.cpu_count() or 1, _MOST_THREADS))) as pool:
        under_way = {key: pool.submit(_cost_m, facilities_m(service), grid, cells) for key, service in asked}
        return {key: cost.result() for key, cost in under_way.items()}


def inputs_read(reading: CityReading, question: Question, cell_m: float | None = None) -> CityInputs:
    """Assemble the inputs of a city's coverage; what is unchanged since the last time is not computed again.

    Raises
    ------
    NotFound
        Where the question names an unknown service.
    """
    places, population = reading.places, reading.population
    services, warnings = _services_asked(reading.city, reading.supplied, question)
    if cell_m is None:
        cell_m = reading.index.cell_m if reading.index else CITY_CELL_M
    grid = _arrays.get(content_key("grid", places.key, cell_m), lambda: grid_for(places, cell_m))
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
        return cast(_Ground, _arrays.get(places_key, lambda: _ground_of(places, grid)))

    def people() -> _People | None:
        return _arrays.get(people_key, lambda: _people_of(*population, grid, ground())) if population else None

    def assemble() -> CoverageInputs:
        land = ground()
        missing = [(k, s) for k, s in zip(cost_keys, services, strict=True) if k not in _arrays]
        measured = _measured(missing, facilities_m, grid, land.cells)
        costs = np.empty((len(services), land.column.size), dtype=np.float32)
        for row, (cost_key, service) in enumerate(zip(cost_keys, services, strict=True)):

            def cost(k: str = cost_key, s: ServiceRow = service) -> NDArray[np.float32]:
                return measured[k] if k in measured else _cost_m(facilities_m(s), grid, land.cells)

            costs[row] = _arrays.get(cost_key, cost)[land.column]
        living = people()
        per_cell = living.per_cell if living else np.zeros(land.column.size)
        return prepare(land.parts, per_cell, costs, grid.cell_m, land.edge_m)

    arrays = _arrays.get(key, assemble)
    row = None
    if population is None:
        warnings = (*warnings, "No population source is set: shares of people are empty.")
    else:
        release, source = population
        living = people()
        row = PopulationRow(
            layer_code=source.layer.code, name_fa=source.layer.name_fa, name_en=source.layer.name_en, source=source.layer.source, field=source.field,
            reference_date=release.reference_date, release_id=release.pk, release_number=release.number, release_hash=release.content_hash,
            total=living.total if living else 0.0,
        )  # fmt: skip
    return CityInputs(places, services, row, grid, arrays, key, warnings)


def cached_column(key: str, compute: Any) -> Any:
    """Return one service's coverage at one threshold, kept with the other arrays."""
    return _arrays.get(key, compute)

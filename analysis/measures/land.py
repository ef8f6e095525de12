"""Land for each person (saraneh): how many m² of a use there are within a place and within reach of its people."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np
import shapely
from numpy.typing import NDArray

from analysis.caching import arrays, content_key
from analysis.core.capacity import Steps, floating_catchments_in_turn
from analysis.core.changes import changes_to_json
from analysis.core.land import land_each_within_m2, land_reached, land_within
from analysis.core.overlay import overlay
from analysis.measures.asking import Asked, asked, facilities_only, standard_asked, sum_or_none
from analysis.measures.catchments import Catchments, effort_required
from analysis.measures.facilities import Facilities
from analysis.measures.results import CityLand, LandWay, ServiceLand, StandardRow
from analysis.results import Question, ServiceRow
from analysis.selectors import CityReading
from analysis.travel import STRAIGHT, cost_key
from geo.core.cell_shares import cell_fractions
from geo.core.grid import Grid
from geo.errors import InvalidInput
from geo.models import Place
from geo.querysets import User
from layers.models import Standard

Floats = NDArray[np.float64]

SHAPE = "shape"
"""Land is the area of the features themselves."""


def land_compute(
    *,
    city: Place,
    user: User,
    question: Question | None = None,
    m2_per_person: float | None = None,
    cell_m: float | None = None,
    reading: CityReading | None = None,
) -> CityLand:
    """Compute the land of each use for each person: inside a place, and within reach of the people of a place.

    The land is the area of features that are polygons, or a field of areas where they are points. Within reach, land is
    shared equally among the people within the service's threshold of it: of polygons measured in a straight line, each
    cell of the land by itself; else each facility as a whole.

    Parameters
    ----------
    city, user, question, cell_m, reading
        As for `analysis.services.coverage_compute`.
    m2_per_person
        The standard; None for that of the city, of the programme asked for, of the city's size, or the general one.

    Raises
    ------
    NotFound
        Where the city has no places in force, or the question names something it has not.
    InvalidInput
        Where the question names a utility, or one service alone whose land nobody knows.

    Notes
    -----
    Only people of the city's places count, each once; land outside all places counts where it is within reach.
    Reference: [@luo2003].
    """
    what = asked(city=city, user=user, question=question, cell_m=cell_m, reading=reading)
    services = facilities_only(what.inputs.services, what.question)
    standards = what.standards(Standard.Kind.LAND)
    found, warnings = [], []
    for service in services:
        facilities = what.facilities(service)
        is_shape = np.isin(shapely.get_type_id(facilities.geometries_m), (3, 6))
        area_m2 = np.where(is_shape, shapely.area(facilities.geometries_m), facilities.area_m2)
        known = np.isfinite(area_m2)
        # Of no facility at all the land is known: where some is demanded, all of it is lacking.
        is_lacking = not len(facilities) and (service.code in standards or what.question.services == (service.code,))
        if not known.any() and not is_lacking:
            if what.question.services == (service.code,):
                raise InvalidInput(
                    f"Nobody knows the land of the layer {service.layer_code}.",
                    code="no_land",
                    where=service.code,
                    remedy="Bring polygons, or a field “area_m2” with the points.",
                    details={"layer": service.layer_code},
                )
            continue
        if not known.all():
            warnings.append(
                f"{service.name_en}: {int((~known).sum())} of {len(facilities)} facilities have no known area and are left out."
            )
        standard = standards.get(service.code)
        if m2_per_person is not None:
            standard = standard_asked(Standard.Kind.LAND, m2_per_person)
        row = _service(what, service, facilities.only(known), area_m2[known], is_shape[known], standard)
        found.append(replace(row, left_out=int((~known).sum())))
    return CityLand(what.basis(warnings), what.inputs.arrays.ground.population, tuple(found))


def _service(
    what: Asked,
    service: ServiceRow,
    facilities: Facilities,
    area_m2: Floats,
    is_shape: NDArray[np.bool_],
    standard: StandardRow | None,
) -> ServiceLand:
    inputs, residents = what.inputs, what.residents
    measuring = what.measuring(service)
    by_cells = bool(is_shape.all()) and measuring.row.code == STRAIGHT
    way: LandWay = "cells" if by_cells else "facilities"
    demanded = standard.value if standard is not None else 0.0
    key = content_key(
        "land", inputs.key, cost_key(measuring, service), changes_to_json(what.question.changes), service.threshold_m
    )

    def compute() -> tuple[Floats, Floats]:
        each = (
            _each_by_cells(what, facilities.geometries_m, service.threshold_m)
            if by_cells
            else _each_by_facilities(what, service, facilities, area_m2)
        )
        return each, _inside(inputs.ground.polygons_m, facilities.geometries_m, area_m2, is_shape)

    each_m2, inside_m2 = cast(tuple[Floats, Floats], arrays.get(key, compute))
    within_places = land_within(inside_m2, inputs.arrays.ground.population, demanded)
    reached = land_reached(each_m2, inputs.arrays.people, inputs.arrays.place_fractions, demanded)
    city_m2 = _in_city(what, facilities.geometries_m, area_m2, is_shape)
    lacking_m2 = max(demanded * residents.total - city_m2, 0.0)
    return ServiceLand(
        service=service,
        standard=standard,
        source=SHAPE if is_shape.all() else facilities.area_field,
        way=way,
        reach_m=service.threshold_m,
        within=within_places,
        reached=reached,
        city_land_m2=city_m2,
        city_per_person_m2=sum_or_none(city_m2, residents.total),
        city_deficit_m2=None if standard is None else lacking_m2,
        city_deficit_people=None if standard is None else min(lacking_m2 / demanded, residents.total),
        left_out=0,
    )


def _inside(
    places_m: NDArray[np.object_], shapes_m: NDArray[np.object_], area_m2: Floats, is_shape: NDArray[np.bool_]
) -> Floats:
    """Add up the land inside each place: of polygons the shared area, where they overlap once; of points the field."""
    found = np.zeros(len(places_m))
    if is_shape.any():
        found += np.nan_to_num(overlay(places_m, shapes_m[is_shape]).area_m2)
    if not is_shape.all():
        points = shapely.point_on_surface(shapes_m[~is_shape])
        place, point = shapely.STRtree(points).query(places_m, predicate="intersects")
        found += np.bincount(place, weights=area_m2[~is_shape][point], minlength=len(places_m))
    return found


def _in_city(what: Asked, shapes_m: NDArray[np.object_], area_m2: Floats, is_shape: NDArray[np.bool_]) -> float:
    """Add up the land inside the places of a city, each m² once."""
    key = content_key("outline", what.inputs.places.key, what.inputs.grid.epsg)
    outline = cast(NDArray[np.object_], arrays.get(key, lambda: _united(what.inputs.ground.polygons_m)))
    return float(_inside(outline, shapes_m, area_m2, is_shape)[0])


def _united(polygons_m: NDArray[np.object_]) -> NDArray[np.object_]:
    found = np.empty(1, dtype=object)
    found[0] = shapely.union_all(polygons_m)
    return found


def _each_by_cells(what: Asked, shapes_m: NDArray[np.object_], reach_m: float) -> Floats:
    """Share each cell of land among the people within reach of it; m² for a person of each part of the ground."""
    inputs = what.inputs
    wide = _wider(inputs.grid, reach_m)
    cells = _in_wider(inputs.ground.cells, inputs.grid, wide)
    people = np.bincount(cells, weights=what.residents.counted, minlength=wide.n_cells).astype(np.float64)
    united = shapely.union_all(shapes_m)  # where features overlap, land counts once
    land_m2 = np.asarray(cell_fractions(united, wide).sum(axis=0)).ravel() * wide.cell_m**2
    each = land_each_within_m2(land_m2, people, wide, reach_m)
    return np.asarray(each[cells])


def _wider(grid: Grid, margin_m: float) -> Grid:
    """Return the grid with a margin of whole cells, so that land outside it counts."""
    around = int(np.ceil(margin_m / grid.cell_m))
    margin = around * grid.cell_m
    return Grid(
        grid.epsg,
        grid.x_min_m - margin,
        grid.y_max_m + margin,
        grid.cell_m,
        grid.n_rows + 2 * around,
        grid.n_cols + 2 * around,
    )


def _in_wider(cells: NDArray[np.int64], grid: Grid, wide: Grid) -> NDArray[np.int64]:
    row, col = np.divmod(cells, grid.n_cols)
    down, right = (wide.n_rows - grid.n_rows) // 2, (wide.n_cols - grid.n_cols) // 2
    return np.asarray((row + down) * wide.n_cols + col + right)


def _each_by_facilities(what: Asked, service: ServiceRow, facilities: Facilities, area_m2: Floats) -> Floats:
    """Share the land of each facility as a whole among the people who reach it within the threshold."""
    cell_m = what.inputs.grid.cell_m
    effort_required([(what.measuring(service), facilities.geometries_m, service.threshold_m)])
    near = Catchments(
        what.measuring(service),
        what.inputs.grid,
        what.inputs.ground,
        facilities.geometries_m,
        service.threshold_m + cell_m / 2,
        only=what.inputs.arrays.people > 0,
    )
    decay = Steps((service.threshold_m,), (1.0,), blur=cell_m)
    return floating_catchments_in_turn(near, what.residents.counted, area_m2, decay).access

"""Isochrones: from where a point or a facility is within reach. They illustrate; people are counted by cost."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from analysis.core.coverage import covered_share
from analysis.core.isochrones import isochrone
from analysis.ground import whole_cells
from analysis.measures.asking import Asked, asked
from analysis.measures.results import CityIsochrone
from analysis.results import Question
from analysis.selectors import CityReading
from analysis.travel import measuring_for
from geo.core.crs import STORAGE_EPSG, project, project_xy
from geo.core.grid import grid_around
from geo.core.measuring import area_m2
from geo.errors import InvalidInput, NotFound
from geo.models import Place
from geo.querysets import User

MOST_LIMIT_M: Final = 20_000.0
_MOST_SIDE: Final = 1_000
"""Cells along the side of the grid of an isochrone: more are not seen on a screen."""

_FASTER: Final = {"straight": 1.0, "streets": 1.0, "walking": 1.25, "cycling": 6.0, "surface": 6.0}
"""How far one gets at most while walking a metre on level ground: downhill, by bicycle, over land that is driven on."""


def isochrone_compute(
    *,
    city: Place,
    user: User,
    limit_m: float,
    lon: float | None = None,
    lat: float | None = None,
    service: str = "",
    number: int | None = None,
    question: Question | None = None,
    reading: CityReading | None = None,
) -> CityIsochrone:
    """Draw from where a point, or a facility, is within a cost.

    Parameters
    ----------
    city, user, question, reading
        As for `analysis.services.coverage_compute`; of the question, way of travel, source of people and changes count.
    limit_m
        Metres, or time as metres of level walking, 1 to 20,000.
    lon, lat
        The point, in degrees; left out for a facility.
    service, number
        The facility: code of its service, and its row in the layer's newest release.

    Raises
    ------
    NotFound
        Where there is no such facility, or as `analysis.services.coverage_compute`.
    InvalidInput
        Where neither a point nor a facility is given, the point is far from the city, or the limit is out of range.
    """
    if not 1 <= limit_m <= MOST_LIMIT_M:
        raise InvalidInput(
            f"An isochrone of {limit_m:g} m is not possible.",
            code="bad_limit",
            where="limit",
            remedy=f"Give 1 to {MOST_LIMIT_M:,.0f} metres.",
            details={"value": limit_m, "most": MOST_LIMIT_M},
        )
    question = question or Question()
    if service:
        question = Question(
            services=(service,), thresholds_m=question.thresholds_m, travel=question.travel,
            population=question.population, changes=question.changes,
        )  # fmt: skip
    what = asked(city=city, user=user, question=question, cell_m=None, reading=reading)
    goal_m, name = _goal(what, lon, lat, service, number)
    middle = shapely.get_coordinates(shapely.point_on_surface(goal_m[0]))[0]
    at = project_xy(middle[None, :], what.inputs.grid.epsg, STORAGE_EPSG)[0]
    polygons = _drawn(what, goal_m, limit_m)
    people = None
    if what.inputs.population is not None:
        cost = what.measuring().cost_m(goal_m)
        people = float(covered_share(cost, limit_m, what.inputs.grid.cell_m) @ what.residents.counted)
    return CityIsochrone(
        basis=what.basis(),
        lon=round(float(at[0]), 6),
        lat=round(float(at[1]), 6),
        facility=name,
        limit_m=float(limit_m),
        polygons_4326=polygons,
        area_m2=0.0 if polygons.is_empty else float(area_m2(_one(polygons))[0]),
        people=people,
    )


def _goal(
    what: Asked, lon: float | None, lat: float | None, service: str, number: int | None
) -> tuple[NDArray[np.object_], str]:
    epsg = what.inputs.grid.epsg
    if service and number is not None:
        facilities = what.facilities(what.inputs.services[0]) if what.inputs.services else None
        rows = np.flatnonzero(facilities.numbers == number) if facilities is not None else np.empty(0)
        if facilities is None or not rows.size:
            raise NotFound(
                f"There is no facility {number} of the service {service!r}.",
                code="unknown_facility",
                where="number",
                remedy="Give the row that it has in the newest release of its layer.",
                details={"service": service, "number": number},
            )
        row = int(rows[0])
        return facilities.geometries_m[row : row + 1], facilities.names[row] or f"#{number}"
    if lon is None or lat is None:
        raise InvalidInput(
            "An isochrone needs a point, or a facility.",
            code="no_goal",
            where="lon, lat",
            remedy="Give lon and lat, or service and number.",
        )
    west, south, east, north = shapely.total_bounds(what.inputs.places.geometries_4326)
    around = 0.5
    if not (west - around <= lon <= east + around and south - around <= lat <= north + around):
        raise InvalidInput(
            "The point is far from the city.",
            code="far_from_city",
            where="lon, lat",
            remedy="Send longitude first, then latitude, in degrees.",
        )
    return project(_one(shapely.Point(lon, lat)), STORAGE_EPSG, epsg), ""


def _drawn(what: Asked, goal_m: NDArray[np.object_], limit_m: float) -> shapely.MultiPolygon:
    """Measure on a grid of its own around the goal, which may lie at the edge of the city or outside."""
    code = what.inputs.travel.code
    reach_m = limit_m * _FASTER[code]
    cell_m = max(what.inputs.grid.cell_m, math.ceil(2 * reach_m / _MOST_SIDE))
    west, south, east, north = shapely.total_bounds(goal_m)
    box_m = (west - reach_m, south - reach_m, east + reach_m, north + reach_m)
    grid = grid_around(box_m, what.inputs.grid.epsg, cell_m, 2 * cell_m)
    measuring = measuring_for(what.reading, what.question, grid, whole_cells(grid), drawn=what.drawn)
    found = isochrone(measuring.cost_m(goal_m), grid, limit_m)
    if found.is_empty:
        return found
    turned = project(_one(found), grid.epsg, STORAGE_EPSG)[0]
    parts = shapely.get_parts(shapely.make_valid(turned))
    return shapely.MultiPolygon(parts[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON].tolist())


def _one(geometry: shapely.Geometry) -> NDArray[np.object_]:
    found = np.empty(1, dtype=object)
    found[0] = geometry
    return found

"""The facilities of a service one by one, with how much they can take and how much land they have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from analysis.caching import arrays, content_key
from analysis.core.changes import Change
from analysis.results import ServiceRow
from analysis.what_if import facilities_after
from geo.core.crs import STORAGE_EPSG, project_xy
from geo.core.text import normalise
from layers.models import Feature
from layers.reading.schemas import field_named

Floats = NDArray[np.float64]

_CAPACITY: Final = "capacity"
_AREA: Final = ("area_m2", "area", "site_area_m2", "land_m2", "مساحت", "مساحت زمین", "مساحت عرصه")


@dataclass(frozen=True, slots=True, eq=False)
class Facilities:
    """The facilities of one service, those that a scenario moves or adds last.

    Attributes
    ----------
    numbers
        Shape ``(n,)``: rows in the release; 0 for those that a scenario adds.
    names
        As the layer has them; empty where it has none.
    geometries_m
        Shape ``(n,)``: in the system of the analysis grid.
    lon_lat
        Shape ``(n, 2)``: a point of each, in degrees.
    capacity
        Shape ``(n,)``: NaN where nothing is said of it.
    area_m2
        Shape ``(n,)``: land, as the layer has it in a field; NaN where it says none.
    capacity_field, area_field
        Names of the fields; empty where the layer has none.
    """

    numbers: NDArray[np.int64]
    names: tuple[str, ...]
    geometries_m: NDArray[np.object_]
    lon_lat: Floats
    capacity: Floats
    area_m2: Floats
    capacity_field: str
    area_field: str

    def __len__(self) -> int:
        return len(self.names)

    def only(self, keep: NDArray[np.bool_]) -> Facilities:
        """Return some of them."""
        names = tuple(name for name, is_kept in zip(self.names, keep.tolist(), strict=True) if is_kept)
        per_row = {
            field: getattr(self, field)[keep] for field in ("numbers", "geometries_m", "lon_lat", "capacity", "area_m2")
        }
        return replace(self, names=names, **per_row)


def facilities_of(service: ServiceRow, epsg: int, changes: Sequence[Change] = ()) -> Facilities:
    """Read the facilities of a service with the changes of a scenario; those of other services are passed over.

    Parameters
    ----------
    service
        Of a result.
    epsg
        The system of the analysis grid.
    changes
        Of a scenario.
    """
    told: _Told = arrays.get(content_key("facts", service.release_hash, service.where), lambda: _told(service))
    after = facilities_after(service, changes, epsg)
    numbers = np.concatenate((after.before.numbers[after.kept], after.numbers))
    known = {number: row for row, number in enumerate(told.numbers)}
    rows = [known.get(int(number)) for number in numbers]
    capacity = np.array([np.nan if row is None else told.capacity[row] for row in rows], dtype=np.float64)
    for row, number in enumerate(numbers):
        capacity[row] = after.capacities.get(int(number), capacity[row])
    for row, said in enumerate(after.added_capacities, start=int(after.kept.sum())):
        capacity[row] = capacity[row] if said is None else said
    geometries_m = np.concatenate((after.before.geometries_m[after.kept], after.added_m))
    points = shapely.get_coordinates(shapely.point_on_surface(geometries_m)).reshape(-1, 2)
    return Facilities(
        numbers,
        tuple("" if row is None else told.names[row] for row in rows),
        geometries_m,
        project_xy(points, epsg, STORAGE_EPSG) if len(points) else points,
        capacity,
        np.array([np.nan if row is None else told.area_m2[row] for row in rows], dtype=np.float64),
        told.capacity_field,
        told.area_field,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Told:
    """What a layer says of its features."""

    numbers: tuple[int, ...]
    names: tuple[str, ...]
    capacity: Floats
    area_m2: Floats
    capacity_field: str
    area_field: str


def _told(service: ServiceRow) -> _Told:
    found = list(
        Feature.objects.filter(release_id=service.release_id, shelf__in=(0, service.release_id))
        .supplying(service.where)
        .order_by("number")
        .values_list("number", "name", "attributes")
    )
    attributes = [row[2] for row in found]
    field = field_named(_CAPACITY, "facilities")
    also = (*field.also, field.title_fa, field.title_en) if field else ()
    capacity_field, area_field = _field_of(attributes, (_CAPACITY, *also)), _field_of(attributes, _AREA)
    return _Told(
        tuple(row[0] for row in found),
        tuple(row[1] for row in found),
        np.array([_number(row.get(capacity_field)) for row in attributes], dtype=np.float64),
        np.array([_number(row.get(area_field)) for row in attributes], dtype=np.float64),
        capacity_field,
        area_field,
    )


def _field_of(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> str:
    """Return the first of several names under which any of the rows has a number."""
    there: dict[str, str] = {}
    for row in rows:
        for name, value in row.items():
            if np.isfinite(_number(value)):
                there.setdefault(_form(name), name)
    return next((there[_form(name)] for name in names if _form(name) in there), "")


def _form(name: str) -> str:
    return normalise(name).replace(" ", "").replace("_", "")


def _number(value: Any) -> float:
    """Return a number of zero or more, NaN for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return float("nan")
    return float(value) if 0 <= value < float("inf") else float("nan")

"""A city as it would be: the inputs of its coverage with the changes of a scenario, of which only what they touch is measured."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import shapely
from django.contrib.gis.db.models.functions import AsWKB
from numpy.typing import NDArray

from analysis.caching import arrays, content_key, supposed
from analysis.core.changes import (
    CapacityChanged,
    Change,
    FacilityAdded,
    FacilityClosed,
    FacilityMoved,
    OfFacility,
    Position,
    StreetDrawn,
    changes_to_json,
)
from analysis.core.coverage import with_costs
from analysis.results import Question, ScenarioRow, ServiceRow
from analysis.selectors import CityReading
from analysis.travel import Measuring, cost_key, measuring_for
from geo.core.crs import STORAGE_EPSG, project, project_xy
from layers.models import Feature

if TYPE_CHECKING:
    from analysis.inputs import CityInputs

_SAME_DEGREES: Final = 1e-7
"""A facility moved by less, about a centimetre, stays where it is: readers are told positions with so many digits."""

_KNOWN_DEGREES: Final = 1e-6
"""A facility so near to where one stood is taken for it in a later release."""


@dataclass(frozen=True, slots=True, eq=False)
class Facilities:
    """The facilities of a service.

    Attributes
    ----------
    numbers
        Shape ``(n,)``: their rows in the release; 0 for those that a scenario adds.
    geometries_m
        Shape ``(n,)``: in the system of the analysis grid.
    middles
        Shape ``(n, 2)``: longitude and latitude of the point by which each is moved.
    """

    numbers: NDArray[np.int64]
    geometries_m: NDArray[np.object_]
    middles: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.numbers)


def facilities_of(service: ServiceRow, epsg: int) -> Facilities:
    """Read the facilities of a service as they are, in a projected system."""

    def read() -> Facilities:
        rows = list(
            Feature.objects.filter(release_id=service.release_id, shelf__in=(0, service.release_id))
            .supplying(service.where)
            .order_by("number")
            .values_list("number", AsWKB("geometry"))
        )
        shapes: NDArray[np.object_] = shapely.from_wkb([bytes(wkb) for _, wkb in rows]) if rows else _nothing()
        middles = shapely.get_coordinates(shapely.centroid(shapes)).reshape(-1, 2)
        shapes_m = project(shapes, STORAGE_EPSG, epsg) if rows else shapes
        return Facilities(np.array([number for number, _ in rows], dtype=np.int64), shapes_m, middles)

    found: Facilities = arrays.get(content_key("facilities", service.release_hash, service.where, epsg), read)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class FacilitiesAfter:
    """The facilities of a service with the changes of a scenario.

    Attributes
    ----------
    kept
        Shape ``(n,)``: which of the facilities as they are stay where they are.
    added_m
        Shape ``(m,)``: geometries that come to them, those moved first, in the system of the analysis grid.
    numbers
        Shape ``(m,)``: rows of those that were moved, 0 for new ones.
    capacities
        Row to the capacity said for it.
    added_capacities
        For each of ``added_m`` the capacity said for it, or None.
    skipped
        Changes of facilities that are not there, by position in the list of changes.
    """

    before: Facilities
    kept: NDArray[np.bool_]
    added_m: NDArray[np.object_]
    numbers: NDArray[np.int64]
    capacities: dict[int, float]
    added_capacities: tuple[float | None, ...]
    skipped: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many there are then."""
        return int(self.kept.sum()) + len(self.added_m)


def facilities_after(service: ServiceRow, changes: Sequence[Change], epsg: int) -> FacilitiesAfter:
    """Return the facilities of a service with the changes of a scenario; those of other services are passed over.

    A facility is known again by where it stood where the change says so, and by its row otherwise.
    """
    before = facilities_of(service, epsg)
    kept = np.ones(len(before), dtype=bool)
    moved: list[tuple[int, shapely.Geometry]] = []
    new: list[FacilityAdded] = []
    capacities: dict[int, float] = {}
    skipped: list[int] = []
    for position, change in enumerate(changes):
        if isinstance(change, StreetDrawn) or change.service != service.code:
            continue
        if isinstance(change, FacilityAdded):
            new.append(change)
            continue
        row = _row_of(change, before, kept)
        if row is None:
            skipped.append(position)
        elif isinstance(change, CapacityChanged):
            capacities[int(before.numbers[row])] = change.capacity
        elif isinstance(change, FacilityClosed):
            kept[row] = False
        elif not _same(before.middles[row], (change.lon, change.lat), _SAME_DEGREES):
            kept[row] = False
            moved.append((row, _moved(before, row, change, epsg)))
    points = project(shapely.points([(c.lon, c.lat) for c in new]), STORAGE_EPSG, epsg) if new else _nothing()
    added_m = _nothing(len(moved) + len(new))
    added_m[: len(moved)], added_m[len(moved) :] = [shape for _, shape in moved], points
    of_moved = [int(before.numbers[row]) for row, _ in moved]
    return FacilitiesAfter(
        before=before,
        kept=kept,
        added_m=added_m,
        numbers=np.array([*of_moved, *(0 for _ in new)], dtype=np.int64),
        capacities=capacities,
        added_capacities=(*(capacities.get(number) for number in of_moved), *(change.capacity for change in new)),
        skipped=tuple(skipped),
    )


def _row_of(change: OfFacility, before: Facilities, kept: NDArray[np.bool_]) -> int | None:
    """Find the facility that a change is about; None where it is there no longer."""
    row = int(np.searchsorted(before.numbers, change.number))
    is_there = row < len(before) and int(before.numbers[row]) == change.number
    if change.was is None:
        return row if is_there else None
    if is_there and _same(before.middles[row], change.was, _KNOWN_DEGREES):
        return row
    off = np.abs(before.middles - np.array(change.was)).max(axis=1, initial=0.0)
    near = np.flatnonzero((off <= _KNOWN_DEGREES) & kept)
    return int(near[np.argmin(off[near])]) if near.size else None


def facility_known(service: ServiceRow, change: OfFacility, epsg: int) -> OfFacility:
    """Return a change with the facility's row in the newest release, and where it stands; as it is where there is none."""
    before = facilities_of(service, epsg)
    row = _row_of(change, before, np.ones(len(before), dtype=bool))
    if row is None:
        return change
    lon, lat = (round(float(value), 7) for value in before.middles[row])
    return replace(change, number=int(before.numbers[row]), was=(lon, lat))


def _same(middle: NDArray[np.float64], position: Position, degrees: float) -> bool:
    return bool(np.abs(middle - np.array(position)).max() <= degrees)


def _moved(before: Facilities, row: int, change: FacilityMoved, epsg: int) -> shapely.Geometry:
    """Shift a facility so that its middle comes to where the change says."""
    shape = before.geometries_m[row]
    ends = project_xy(np.array([before.middles[row], (change.lon, change.lat)]), STORAGE_EPSG, epsg)
    if shape.geom_type == "Point":
        return shapely.Point(ends[1])
    return shapely.transform(shape, lambda xy: xy + (ends[1] - ends[0]))


def _nothing(n: int = 0) -> NDArray[np.object_]:
    return np.empty(n, dtype=object)


def notice_of(scenario: ScenarioRow) -> str:
    """Return what every result of a scenario says of itself."""
    warnings = (f"This shows the scenario “{scenario.name}”, not the city as it is.",)
    return warnings[0]


def changed_inputs(base: CityInputs, reading: CityReading, question: Question) -> CityInputs:
    """Return the inputs of a city with the changes of a question.

    Only the costs of services that the changes touch are measured: from the facilities that stay, which are kept, and
    those that come, which costs milliseconds. A street that is drawn touches all services that are gone to along streets.

    Parameters
    ----------
    base
        The inputs of the same question without changes.
    reading, question
        As for `inputs_read`.

    Notes
    -----
    Changes of services that the question leaves out are passed over; those of facilities that are not there any longer
    are passed over with a warning.
    """
    by_service: dict[str, list[int]] = defaultdict(list)
    for position, change in enumerate(question.changes):
        if not isinstance(change, StreetDrawn):
            by_service[change.service].append(position)
    drawn = tuple(change for change in question.changes if isinstance(change, StreetDrawn))
    warnings = [*base.warnings, *_notices(base, reading, question, by_service)]
    if question.scenario is not None:
        warnings.insert(0, notice_of(question.scenario))
    services, column_keys, jobs = list(base.services), list(base.column_keys), {}
    is_street_used = False
    for k, service in enumerate(base.services):
        way = as_is = measuring_for(reading, question, base.grid, base.ground, service=service)
        if drawn:
            way = measuring_for(reading, question, base.grid, base.ground, service=service, drawn=drawn)
            is_street_used |= way.key != as_is.key
        if service.code not in by_service and way.key == as_is.key:
            continue
        after = facilities_after(service, question.changes, base.grid.epsg)
        for position in after.skipped:
            warnings.append(
                f"The change {position + 1} is left out: the layer {service.layer_code} does not have this facility any longer."
            )
        out_of_reach = way.left_out(after.added_m) if len(after.added_m) else 0
        if out_of_reach:
            warnings.append(
                f"{service.name_en}: {out_of_reach} of the facilities moved or added stand on no street or on a barrier, and "
                "nobody reaches them."
            )
        services[k] = replace(service, facilities=after.count)
        touched = [question.changes[position] for position in by_service.get(service.code, ())]
        column_keys[k] = content_key("changed", base.column_keys[k], way.key, changes_to_json(touched))
        jobs[k] = (way, service, after, column_keys[k])
    if drawn and not is_street_used:
        warnings.append("Drawn streets change nothing here, because nothing is measured along streets.")
    if not jobs:
        return replace(base, warnings=tuple(warnings))
    key = content_key("what if", base.key, column_keys)
    changed = supposed.get(key, lambda: with_costs(base.arrays, {k: _column(*job) for k, job in jobs.items()}))
    return replace(
        base,
        services=tuple(services),
        arrays=changed,
        column_keys=tuple(column_keys),
        key=key,
        warnings=tuple(warnings),
    )


def _column(way: Measuring, service: ServiceRow, after: FacilitiesAfter, key: str) -> NDArray[np.float32]:
    """Measure one service: what stays, which is kept for the next time, then with what comes."""
    gone = after.before.numbers[~after.kept].tolist()
    if not gone and not len(after.added_m):
        as_is: NDArray[np.float32] = arrays.get(cost_key(way, service), lambda: way.cost_m(after.before.geometries_m))
        return as_is

    def compute() -> NDArray[np.float32]:
        staying = arrays.get(
            content_key("measured", cost_key(way, service), "without", gone),
            lambda: way.measured(after.before.geometries_m[after.kept]),
        )
        return way.of_parts(way.measured_with(staying, after.added_m))

    changed: NDArray[np.float32] = supposed.get(content_key("cost", key), compute)
    return changed


def _notices(base: CityInputs, reading: CityReading, question: Question, by_service: dict[str, list[int]]) -> list[str]:
    """Say which changes have nothing to change, and which were made on an older release."""
    known = {found.supply.service.code for found in reading.supplied}
    warnings: list[str] = []
    for code, positions in by_service.items():
        if code not in known:
            warnings.append(
                f"The change {positions[0] + 1} is left out: the city has no service {code!r} that you may see."
            )
    made_on = question.scenario.made_on if question.scenario else {}
    for service in base.services:
        if service.code in by_service and made_on.get(service.code, service.release_hash) != service.release_hash:
            warnings.append(f"The layer {service.layer_code} has a newer release than the scenario was made on.")
    return warnings

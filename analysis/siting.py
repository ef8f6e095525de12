"""Where new facilities of a service would newly reach most people: a plan that is a scenario at once.

Demand is what the coverage engine counts, gathered in blocks of the analysis grid; costs are measured by the city's way of travel.
What the plan does is then told by the engine itself, cell by cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from analysis.comparing import WhatIf, counted_rows, what_if_compute
from analysis.core.changes import FacilityAdded
from analysis.core.siting.covering import maximal_covering
from analysis.core.siting.curve import Curve, covering_curve
from analysis.core.siting.question import question_of
from analysis.core.siting.result import Siting
from analysis.inputs import CityInputs, inputs_read
from analysis.measures.catchments import effort_required
from analysis.results import PlaceRow, Question, ServiceRow
from analysis.scenarios import role_required
from analysis.selectors import CityReading, city_read
from analysis.services import priority_compute
from analysis.travel import measuring_for
from geo.core.crs import STORAGE_EPSG, project
from geo.errors import InvalidInput
from geo.models import Place
from geo.querysets import User

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

BLOCK_M: Final = 100.0
"""Side of the blocks in which people are gathered: each is reached, or not, by the mean way of its people."""

MOST_SITES: Final = 50
MOST_CANDIDATES: Final = 2000
SPACINGS_M: Final = (100.0, 5000.0)


@dataclass(frozen=True, slots=True)
class SitingQuestion:
    """What is asked.

    Attributes
    ----------
    service
        Code of a service that people go to.
    sites
        At most so many new facilities.
    spacing_m
        Candidates stand so far from each other, where people live.
    by_priority
        Whether a person counts by the priority of the place; else all count the same.
    curve
        Also tell what 1, 2, … up to so many facilities would add; 0 for no such curve.
    question
        Threshold, way of travel and source of people; changes are there already.
    """

    service: str
    sites: int
    spacing_m: float = 400.0
    by_priority: bool = False
    curve: int = 0
    time_limit_s: float = 10.0
    question: Question = field(default_factory=Question)


@dataclass(frozen=True, slots=True)
class Site:
    """A new facility: where it would stand, and whom it alone would newly reach, in the order of the plan."""

    lon: float
    lat: float
    place: PlaceRow | None


@dataclass(frozen=True, slots=True, eq=False)
class CitySiting:
    """A plan of new facilities.

    Attributes
    ----------
    siting
        As proven among the candidates, in blocks.
    sites
        The chosen ones.
    effect
        What the engine says of the plan, cell by cell: this is what is told.
    candidates
        How many there were.
    """

    service: ServiceRow
    asked: SitingQuestion
    siting: Siting
    sites: tuple[Site, ...]
    question: Question
    effect: WhatIf
    candidates: int
    curve: Curve | None

    @property
    def people_gained(self) -> float:
        """People newly within the threshold, each counted once."""
        after = self.effect.after.coverage
        column = after.service_index(self.service.code)
        return float(self.effect.effect.gained_people[counted_rows(after.places), column].sum())


def siting_compute(*, city: Place, user: User, asked: SitingQuestion) -> CitySiting:
    """Choose where new facilities of a service would newly reach most people.

    Raises
    ------
    Forbidden
        Where the user has no role in the city.
    NotFound
        Where the city has no such service, or nobody lives there.
    InvalidInput
        For a utility, or a number out of range.
    LimitExceeded
        Where measuring would take too long.
    """
    role_required(city, user)
    _check(asked)
    reading = city_read(city, user)
    question = replace(asked.question, services=(asked.service,))
    inputs = inputs_read(reading, question)
    service = inputs.services[0]
    if service.kind == "utility":
        raise InvalidInput(
            f"“{service.name_en}” comes by a network: nobody goes to a facility, so there is nothing to site.",
            code="not_for_utilities",
            where="service",
            remedy="Choose a service that people go to.",
            details={"service": service.name},
        )
    demand = _demand(inputs)
    if not demand.people.size:
        raise InvalidInput(
            f"Nobody lives in {city.name_en} by the source of people in use.",
            code="nobody_lives_there",
            where=city.code,
            remedy="Bring a source of people.",
            details={"city": city.name},
        )
    candidates_m = _candidates(demand, asked.spacing_m)
    way = measuring_for(reading, question, inputs.grid, inputs.ground, service=service)
    effort_required([(way, candidates_m, service.threshold_m)])
    costs = np.full((demand.people.size, candidates_m.size + 1), np.inf)
    costs[:, 0] = demand.mean(inputs.arrays.cost_m[0])
    for j, cost in enumerate(way.each_m(candidates_m, 2 * service.threshold_m), start=1):
        costs[:, j] = demand.mean(cost)
    # What is out of reach of a site is no pair; the facilities of today stand as one that is open.
    costs[costs > service.threshold_m] = np.inf
    model = question_of(
        demand.people, costs, priority=_priority(inputs, demand, city, user, reading, question) if asked.by_priority else None,
        existing=[0],
    )  # fmt: skip
    limits: dict[str, Any] = {"time_limit_s": asked.time_limit_s}
    found = maximal_covering(model, service.threshold_m, sites=min(asked.sites, candidates_m.size), **limits)
    curve = (
        covering_curve(model, service.threshold_m, min(asked.curve, candidates_m.size), **limits)
        if asked.curve
        else None
    )
    chosen_m = candidates_m[found.chosen - 1]
    lon_lat = (
        shapely.get_coordinates(project(chosen_m, inputs.grid.epsg, STORAGE_EPSG))
        if chosen_m.size
        else np.empty((0, 2))
    )
    changes = tuple(
        FacilityAdded(asked.service, round(float(lon), 7), round(float(lat), 7), f"new-{number}")
        for number, (lon, lat) in enumerate(lon_lat, start=1)
    )
    planned = replace(asked.question, changes=(*asked.question.changes, *changes))
    effect = what_if_compute(city=city, user=user, question=planned, reading=reading)
    sites = tuple(
        Site(change.lon, change.lat, _place_of(inputs, point)) for change, point in zip(changes, chosen_m, strict=True)
    )
    return CitySiting(service, asked, found, sites, planned, effect, int(candidates_m.size), curve)


def _check(asked: SitingQuestion) -> None:
    numbers = (
        ("sites", asked.sites, 1, MOST_SITES),
        ("spacing_m", asked.spacing_m, *SPACINGS_M),
        ("curve", asked.curve, 0, MOST_SITES),
        ("time_limit_s", asked.time_limit_s, 0.1, 120),
    )
    for name, number, low, high in numbers:
        if not low <= number <= high:
            raise InvalidInput(
                f"{str(number)[:40]!r} cannot be used here.",
                code="bad_number",
                where=name,
                remedy=f"Give a number from {low:g} to {high:g}.",
                details={"value": str(number)[:40], "low": low, "high": high},
            )


@dataclass(frozen=True, slots=True, eq=False)
class _Demand:
    """People gathered in blocks.

    Attributes
    ----------
    block
        Shape ``(k,)``: of each part of the ground, -1 where nobody who is counted lives.
    part_people
        Shape ``(k,)``: each person in one part.
    people, x_m, y_m
        Shape ``(n,)``: of each block, and where the middle of its people is.
    """

    block: Integers
    part_people: Floats
    people: Floats
    x_m: Floats
    y_m: Floats

    def mean(self, cost: NDArray[np.floating]) -> Floats:
        """Return the mean of the parts' costs for the people of each block, infinite where some of them have no way."""
        lived = self.block >= 0
        weighted = self.part_people[lived] * np.asarray(cost, dtype=np.float64)[lived]
        return np.bincount(self.block[lived], weighted, self.people.size) / self.people


def _demand(inputs: CityInputs) -> _Demand:
    grid, ground = inputs.grid, inputs.ground
    # Settlements lie over neighbourhoods: each person is counted in one of them.
    counted = ground.parts[counted_rows(inputs.places.rows)]
    part_people = np.asarray(counted.sum(axis=0)).ravel() * inputs.arrays.people
    lived = np.flatnonzero(part_people > 0)
    row, column = np.divmod(ground.cells[lived], grid.n_cols)
    side = max(round(BLOCK_M / grid.cell_m), 1)
    numbers = (row // side) * (grid.n_cols // side + 1) + column // side
    _, own = np.unique(numbers, return_inverse=True)
    block = np.full(ground.cells.size, -1, dtype=np.int64)
    block[lived] = own
    n = int(own.max(initial=-1)) + 1
    people = np.bincount(own, part_people[lived], n).astype(np.float64)
    x_m = grid.x_min_m + (column + 0.5) * grid.cell_m
    y_m = grid.y_max_m - (row + 0.5) * grid.cell_m
    east_m, north_m = (np.bincount(own, part_people[lived] * at, n) / people for at in (x_m, y_m))
    return _Demand(block, part_people, people, east_m, north_m)


def _candidates(demand: _Demand, spacing_m: float) -> NDArray[np.object_]:
    """Return a point in each square of the spacing in which people live: the block with most of them."""
    squares = np.stack([np.floor(demand.x_m / spacing_m), np.floor(demand.y_m / spacing_m)], axis=1).astype(np.int64)
    _, square = np.unique(squares, axis=0, return_inverse=True)
    order = np.lexsort((np.arange(demand.people.size), -demand.people, square.ravel()))
    first = order[np.unique(square.ravel()[order], return_index=True)[1]]
    if first.size > MOST_CANDIDATES:
        raise InvalidInput(
            f"{first.size} candidates are more than {MOST_CANDIDATES}.",
            code="too_many_candidates",
            where="spacing_m",
            remedy="Let them stand further from each other.",
            details={"candidates": int(first.size), "most": MOST_CANDIDATES},
        )
    return np.asarray(shapely.points(demand.x_m[first], demand.y_m[first]), dtype=object)


def _priority(
    inputs: CityInputs, demand: _Demand, city: Place, user: User, reading: CityReading, question: Question
) -> Floats:
    """Return how much a person of each block counts: the score of the place, the higher where places lie over each other."""
    ranked = priority_compute(
        city=city, user=user, question=replace(question, services=(), changes=()), reading=reading
    )
    # Parts of places that lie over each other share a cell: whoever lives there counts by the higher score.
    _, cell = np.unique(inputs.ground.cells, return_inverse=True)
    table = inputs.ground.parts.tocoo()
    highest = np.zeros(int(cell.max(initial=-1)) + 1)
    np.maximum.at(highest, cell[table.col], ranked.priority.score[table.row])
    return np.clip(demand.mean(highest[cell]), 0.0, 100.0)


def _place_of(inputs: CityInputs, point: Any) -> PlaceRow | None:
    """Return the place in which a point lies; of several the settlement."""
    inside = np.flatnonzero(shapely.covers(inputs.ground.polygons_m, point)).tolist()
    rows: Sequence[PlaceRow] = [inputs.places.rows[i] for i in inside]
    return next((row for row in rows if row.kind == Place.Kind.SETTLEMENT), rows[0] if rows else None)


# ---- records


def siting_record(found: CitySiting) -> dict[str, Any]:
    """Return a plan as JSON."""
    total = found.effect.before.coverage
    column = total.service_index(found.service.code)
    uncovered = float(total.values.uncovered_people[counted_rows(total.places), column].sum())
    return {
        "service": found.service.code,
        "threshold_m": found.service.threshold_m,
        "travel": total.travel.code,
        "candidates": found.candidates,
        "by_priority": found.asked.by_priority,
        "status": found.siting.status,
        "gap": found.siting.gap if np.isfinite(found.siting.gap) else None,
        "people_uncovered_today": round(uncovered, 2),
        "people_gained": round(found.people_gained, 2),
        "people_gained_in_blocks": round(found.siting.people_new, 2),
        "sites": [
            {"lon": site.lon, "lat": site.lat, "place": site.place.code if site.place else None} for site in found.sites
        ],
        "curve": [
            {
                "sites": point.sites, "people": round(point.people, 2), "adds_people": round(point.adds_people, 2),
                "is_nested": point.is_nested, "status": point.status,
            }
            for point in (found.curve.points if found.curve else ())
        ],
    }  # fmt: skip


__all__ = ["BLOCK_M", "CitySiting", "Site", "SitingQuestion", "siting_compute", "siting_record"]

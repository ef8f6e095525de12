"""Where new facilities of a service would help most: a plan that is a scenario at once.

Demand is what the coverage engine counts, gathered in blocks of the analysis grid; costs are measured by the city's way of travel.
What the plan does is then told by the engine itself, cell by cell.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from analysis.comparing import counted_rows
from analysis.core.changes import FacilityAdded
from analysis.core.coverage import covered_share
from analysis.core.siting.curve import Curve
from analysis.core.siting.result import Siting
from analysis.inputs import CityInputs, inputs_read
from analysis.results import CityCoverage, PlaceRow, Question, ServiceRow
from analysis.scenarios import role_required
from analysis.selectors import CityReading, city_read
from analysis.services import coverage_compute
from analysis.siting.asking import BY_PRIORITY, SitingQuestion, asked_required
from analysis.siting.candidates import Candidates, candidates_of
from analysis.siting.demand import Demand, demand_of, priority_of
from analysis.siting.solving import SEED, Told, costs_measured, place_of, solved
from geo.core.crs import STORAGE_EPSG, project
from geo.errors import InvalidInput
from geo.models import Place
from geo.querysets import User

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Site:
    """A new facility, in the order of the plan.

    Attributes
    ----------
    people
        Newly within the threshold by this one beyond those before it: they sum to the people gained by all.
    nearest
        People to whom it would be the nearest, whether newly within the threshold or not; with capacities, those it serves.
    number, name
        Row of the feature in the layer of candidates, 0 for none, and what the layer calls it.
    """

    lon: float
    lat: float
    place: PlaceRow | None
    people: float = 0.0
    nearest: float = 0.0
    number: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """Blocks of people who have the service not near enough today.

    Attributes
    ----------
    lon_lat
        Shape ``(n, 2)``: the middle of their people.
    people
        Shape ``(n,)``.
    is_reached
        Shape ``(n,)``: whether the plan brings them within the threshold.
    is_hopeless
        Shape ``(n,)``: whether no candidate could.
    """

    lon_lat: Floats
    people: Floats
    is_reached: NDArray[np.bool_]
    is_hopeless: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class CitySiting:
    """A plan of new facilities.

    Attributes
    ----------
    siting
        As proven among the candidates, in blocks.
    sites
        The chosen ones: each brings the most people newly within the threshold beyond those before it.
    question
        With the new facilities as changes: what a scenario keeps.
    before, after
        Coverage by this service alone, by the same threshold: what the engine says, cell by cell. This is what is told.
    candidates
        How many there were.
    forbidden
        How many more, on forbidden ground.
    mean_m, farthest_m
        Before and after: distance to the nearest facility, mean of all who have a way, and of the farthest block.
    people_without_way
        Who reaches no facility and no candidate, whatever the distance.
    releases
        By code, the layers used beside those of coverage.
    """

    service: ServiceRow
    asked: SitingQuestion
    siting: Siting
    sites: tuple[Site, ...]
    question: Question
    before: CityCoverage
    after: CityCoverage
    candidates: int
    forbidden: int
    curve: Curve | None
    blocks: Blocks
    mean_m: tuple[float, float]
    farthest_m: tuple[float, float]
    people_without_way: float
    releases: dict[str, Any]
    duration_ms: float

    @property
    def gained(self) -> Floats:
        """Shape ``(places,)``: people of each place newly within the threshold."""
        gained = self.before.values.uncovered_people[:, 0] - self.after.values.uncovered_people[:, 0]
        return np.asarray(np.maximum(gained, 0.0))

    @property
    def people_gained(self) -> float:
        """People newly within the threshold, each counted once: what the sites add, one after the other, cell by cell."""
        return float(sum(site.people for site in self.sites))

    @property
    def people_uncovered(self) -> float:
        """People beyond the threshold today, each counted once."""
        return float(self.before.values.uncovered_people[counted_rows(self.before.places), 0].sum())


def siting_compute(*, city: Place, user: User, asked: SitingQuestion, tell: Told | None = None) -> CitySiting:
    """Choose where new facilities of a service would help most.

    Parameters
    ----------
    tell
        Is told how far it is, and may raise to break it off.

    Raises
    ------
    Forbidden
        Where the user has no role in the city.
    NotFound
        Where the city has no such service or layer, or nobody lives there.
    InvalidInput
        For a utility, a number out of range, a question that cannot be answered.
    LimitExceeded
        Where measuring would take too long.
    """
    started = time.perf_counter()
    role_required(city, user)
    asked_required(asked)
    say = tell or (lambda step, done, of: None)
    say("reading", 0, 0)
    reading = city_read(city, user)
    question = replace(asked.question, services=(asked.service,))
    inputs = inputs_read(reading, question)
    service = _service_required(inputs)
    demand = demand_of(inputs)
    if not demand.people.size:
        raise InvalidInput(
            f"Nobody lives in {city.name_en} by the source of people in use.",
            code="nobody_lives_there",
            where=city.code,
            remedy="Bring a source of people.",
            details={"city": city.name},
        )
    candidates = candidates_of(asked, demand, city, user, inputs.grid.epsg)
    costs, cell_costs = costs_measured(reading, question, inputs, service, demand, candidates, asked, say)
    say("solving", 0, 0)
    counts = asked.by_priority and asked.model in BY_PRIORITY
    weights = priority_of(inputs, demand, city, user, reading, question) if counts else None
    found, curve = solved(asked, inputs, service, demand, costs, weights)
    say("telling", 0, 0)
    order, alone = _in_order(inputs, service, demand, found, cell_costs)
    return _told(
        city, user, reading, asked, inputs, service, demand, candidates, costs, found, curve, order, alone, started
    )


def _service_required(inputs: CityInputs) -> ServiceRow:
    service = inputs.services[0]
    if service.kind == "utility":
        raise InvalidInput(
            f"“{service.name_en}” comes by a network: nobody goes to a facility, so there is nothing to site.",
            code="not_for_utilities",
            where="service",
            remedy="Choose a service that people go to.",
            details={"service": service.name},
        )
    return service


def _in_order(
    inputs: CityInputs,
    service: ServiceRow,
    demand: Demand,
    found: Siting,
    cell_costs: Callable[[Integers], list[NDArray[np.float32]]],
) -> tuple[Integers, Floats]:
    """Put the chosen sites in the order in which each adds most, and tell what each adds, cell by cell."""
    if not found.chosen.size:
        return found.chosen, np.empty(0)
    lived = np.flatnonzero(demand.part_people > 0)
    people, cell_m = demand.part_people[lived], inputs.grid.cell_m
    covered = covered_share(inputs.arrays.cost_m[0][lived], service.threshold_m, cell_m)
    shares = [covered_share(cost[lived], service.threshold_m, cell_m) for cost in cell_costs(found.chosen)]
    waiting, order, adds = list(range(len(shares))), [], []
    while waiting:
        gains = [float(people @ np.maximum(shares[k] - covered, 0.0)) for k in waiting]
        best = int(np.argmax(gains))
        k = waiting.pop(best)
        order.append(int(found.chosen[k]))
        adds.append(gains[best])
        covered = np.maximum(covered, shares[k])
    return np.array(order, dtype=np.int64), np.array(adds)


def _told(
    city: Place,
    user: User,
    reading: CityReading,
    asked: SitingQuestion,
    inputs: CityInputs,
    service: ServiceRow,
    demand: Demand,
    candidates: Candidates,
    costs: Floats,
    found: Siting,
    curve: Curve | None,
    order: Integers,
    adds: Floats,
    started: float,
) -> CitySiting:
    """Put together what is answered; the plan's effect is the engine's."""
    epsg = inputs.grid.epsg
    chosen_m = candidates.points_m[order - 1]
    lon_lat = _lon_lat(chosen_m, epsg)
    changes = tuple(
        FacilityAdded(asked.service, round(float(lon), 7), round(float(lat), 7), f"new-{n}", asked.capacity)
        for n, (lon, lat) in enumerate(lon_lat, start=1)
    )
    planned = replace(asked.question, changes=(*asked.question.changes, *changes))
    now, then = (replace(one, services=(asked.service,)) for one in (asked.question, planned))
    before, after = (coverage_compute(city=city, user=user, question=one, reading=reading) for one in (now, then))
    serves = np.bincount(found.flow_site, found.flow_people, costs.shape[1])
    sites = tuple(
        Site(
            change.lon, change.lat, place_of(inputs, point), people, float(serves[j]), candidates.numbers[j - 1],
            candidates.names[j - 1],
        )
        for change, point, people, j in zip(changes, chosen_m, adds.tolist(), order.tolist(), strict=True)
    )  # fmt: skip
    today_m, planned_m = costs[:, 0], costs[:, [0, *order.tolist()]].min(axis=1)
    limit_m = service.threshold_m
    is_lacking = today_m > limit_m
    blocks_m = np.asarray(shapely.points(demand.x_m[is_lacking], demand.y_m[is_lacking]), dtype=object)
    return CitySiting(
        service=service,
        asked=asked,
        siting=found,
        sites=sites,
        question=planned,
        before=before,
        after=after,
        candidates=int(candidates.points_m.size),
        forbidden=candidates.forbidden,
        curve=curve,
        blocks=Blocks(
            _lon_lat(blocks_m, epsg),
            demand.people[is_lacking],
            (planned_m <= limit_m)[is_lacking],
            (costs.min(axis=1) > limit_m)[is_lacking],
        ),
        mean_m=(_mean(today_m, demand.people), _mean(planned_m, demand.people)),
        farthest_m=(_farthest(today_m), _farthest(planned_m)),
        people_without_way=float(demand.people[~np.isfinite(planned_m)].sum()),
        releases=dict(candidates.releases),
        duration_ms=(time.perf_counter() - started) * 1000,
    )


def _lon_lat(points_m: NDArray[np.object_], epsg: int) -> Floats:
    if not points_m.size:
        return np.empty((0, 2))
    return np.asarray(shapely.get_coordinates(project(points_m, epsg, STORAGE_EPSG)), dtype=np.float64)


def _mean(cost: Floats, people: Floats) -> float:
    """Return the mean of who has a way; NaN where nobody has."""
    has = np.isfinite(cost)
    total = float(people[has].sum())
    return float(cost[has] @ people[has]) / total if total else float("nan")


def _farthest(cost: Floats) -> float:
    has = np.isfinite(cost)
    return float(cost[has].max()) if has.any() else float("nan")


__all__ = ["SEED", "Blocks", "CitySiting", "Site", "siting_compute"]

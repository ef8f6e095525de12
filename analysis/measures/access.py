"""Access with capacity: how much of a service people can count on where facilities are shared by all who reach them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, cast, get_args

import numpy as np
from numpy.typing import NDArray

from analysis.caching import arrays, content_key
from analysis.core.capacity import (
    Access,
    Crowding,
    Decay,
    Gaussian,
    Power,
    Steps,
    access_of_places,
    crowding,
    floating_catchments_in_turn,
    pairs,
    unmet_people,
)
from analysis.core.changes import changes_to_json
from analysis.core.coverage import covered_share
from analysis.measures.asking import Asked, asked, facilities_only, standard_asked, sum_or_none
from analysis.measures.catchments import Catchments, effort_required
from analysis.measures.facilities import Facilities
from analysis.measures.results import CityAccess, Decaying, FacilityAccess, ServiceAccess, StandardRow
from analysis.results import Question, ServiceRow, number_or_none
from analysis.selectors import CityReading
from analysis.travel import LEVEL_M_PER_MIN, cost_key
from geo.errors import InvalidInput
from geo.models import Place
from geo.querysets import User
from layers.models import Standard

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

E2SFCA_LIMIT_M: Final = 30 * LEVEL_M_PER_MIN
"""Thirty minutes on foot, in three zones of ten with the weights 1, 0.68 and 0.22."""

_WEIGHTS: Final = (1.0, 0.68, 0.22)


@dataclass(frozen=True, slots=True)
class HowShared:
    """How capacity is shared.

    Attributes
    ----------
    decay
        ``2sfca``: all within the limit count alike; ``e2sfca``: 1, 0.68 and 0.22 within the thirds of the limit;
        ``gaussian``: exp(−t² / 2w²) with w half of the limit; ``power``: 1 / t. Beyond the limit nobody counts.
    limit_m
        None for the service's threshold, of ``e2sfca`` thirty minutes on foot.
    counts_one
        Whether each facility counts as one, whatever its capacity.
    per_1000
        Capacity that 1,000 people need; None for the standard.
    """

    decay: Decaying = "2sfca"
    limit_m: float | None = None
    counts_one: bool = False
    per_1000: float | None = None

    def __post_init__(self) -> None:
        if self.decay not in get_args(Decaying):
            raise InvalidInput(
                f"{self.decay!r} is not a way in which weights fall.",
                code="bad_decay",
                where="decay",
                remedy=f"Choose one of: {', '.join(get_args(Decaying))}.",
                details={"value": self.decay, "choices": list(get_args(Decaying))},
            )


def access_compute(
    *,
    city: Place,
    user: User,
    question: Question | None = None,
    how: HowShared | None = None,
    cell_m: float | None = None,
    reading: CityReading | None = None,
) -> CityAccess:
    """Compute how much of each service's capacity the people of each place can count on (2SFCA, E2SFCA).

    People share what they reach: in proportion to all who reach it. Facilities are left out, and counted, where nobody
    knows their capacity; utilities are left out.

    Parameters
    ----------
    city, user, question, cell_m, reading
        As for `analysis.services.coverage_compute`. The question's changes of capacities count.
    how
        How capacity is shared.

    Raises
    ------
    NotFound
        Where the city has no places in force, or the question names something it has not.
    InvalidInput
        Where the question names a utility, or one service alone of whose facilities no capacity is known.

    Notes
    -----
    References: [@luo2003], [@luo2009]. Costs are those of `analysis.travel`, measured from the middle of each part of a
    cell, to the facility in both steps. Only people of the city's places count, each once.
    """
    what = asked(city=city, user=user, question=question, cell_m=cell_m, reading=reading)
    how = how or HowShared()
    services = facilities_only(what.inputs.services, what.question)
    standards = what.standards(Standard.Kind.CAPACITY)
    effort_required(
        (what.measuring(service), what.facilities(service).geometries_m, _limit_m(service, how)) for service in services
    )
    found, warnings = [], []
    for service in services:
        facilities = what.facilities(service)
        known = np.ones(len(facilities), dtype=bool) if how.counts_one else np.isfinite(facilities.capacity)
        if len(facilities) and not known.any():
            _capacity_required(service, what.question)
            warnings.append(f"{service.name_en}: no facility has a capacity, so it is left out.")
            continue
        if not known.all():
            warnings.append(
                f"{service.name_en}: {int((~known).sum())} of {len(facilities)} facilities have no capacity and are left out."
            )
        standard = standards.get(service.code)
        if how.per_1000 is not None:
            standard = standard_asked(Standard.Kind.CAPACITY, how.per_1000)
        found.append(_service(what, service, facilities.only(known), how, standard, int((~known).sum())))
    return CityAccess(what.basis(warnings), what.inputs.arrays.ground.population, tuple(found))


def _capacity_required(service: ServiceRow, question: Question) -> None:
    if question.services == (service.code,):
        raise InvalidInput(
            f"No facility of the layer {service.layer_code} has a capacity.",
            code="no_capacity",
            where=service.code,
            remedy="Bring a field “capacity” with the layer, or count each facility as one.",
            details={"layer": service.layer_code},
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Shared:
    """What the catchments of a service give: kept by content, as they take the longest."""

    access: Access
    crowding: Crowding
    reaching: Floats
    """Share of each part's people who reach any facility."""
    no_room: Floats
    """Share of them who reach none, or for whom the nearest has no room."""


def _service(
    what: Asked,
    service: ServiceRow,
    facilities: Facilities,
    how: HowShared,
    standard: StandardRow | None,
    left_out: int,
) -> ServiceAccess:
    arrays_of, residents = what.inputs.arrays, what.residents
    limit_m = _limit_m(service, how)
    decay = _decay(how.decay, limit_m, what.inputs.grid.cell_m)
    capacity = np.ones(len(facilities)) if how.counts_one else facilities.capacity
    need = standard.value / 1000 if standard is not None else None
    measuring = what.measuring(service)
    key = content_key(
        "access", what.inputs.key, cost_key(measuring, service), changes_to_json(what.question.changes), how.decay,
        limit_m, how.counts_one, need,
    )  # fmt: skip

    def compute() -> _Shared:
        cell_m = what.inputs.grid.cell_m
        near = Catchments(
            measuring,
            what.inputs.grid,
            what.inputs.ground,
            facilities.geometries_m,
            limit_m + cell_m / 2,
            only=arrays_of.people > 0,
        )
        # A power of the cost has no value at zero: nobody is taken to be nearer than half a cell.
        catchments = _not_nearer(near, cell_m / 2) if how.decay == "power" else near
        access = floating_catchments_in_turn(catchments, residents.counted, capacity, decay)
        reaching = covered_share(near.cost_m.astype(np.float32), limit_m, cell_m)
        who = np.flatnonzero(near.nearest >= 0)
        to_nearest = pairs(who, near.nearest[who], near.cost_m[who], residents.counted.size, len(facilities))
        crowded = crowding(to_nearest, residents.counted * reaching, capacity, need_per_person=need or 1.0)
        full = np.divide(crowded.people_over, crowded.load, out=np.zeros(len(facilities)), where=crowded.load > 0)
        no_room = 1.0 - reaching
        no_room[who] += reaching[who] * full[near.nearest[who]]
        return _Shared(access, crowded, reaching, no_room)

    shared = cast(_Shared, arrays.get(key, compute))
    access, people = shared.access, arrays_of.people
    per_1000 = access_of_places(access.access, people, arrays_of.place_fractions) * 1000
    unmet = crowded = city_unmet = city_crowded = None
    if need is not None:
        unmet = what.of_places(unmet_people(access.access, people, need))
        city_unmet = float(unmet_people(access.access, residents.counted, need).sum())
        crowded = what.of_places(shared.no_room * people)
        city_crowded = float(shared.no_room @ residents.counted)
    over = shared.crowding.people_over if need is not None else None
    rows = tuple(
        FacilityAccess(
            number=int(facilities.numbers[j]),
            name=facilities.names[j],
            lon=round(float(facilities.lon_lat[j, 0]), 6),
            lat=round(float(facilities.lon_lat[j, 1]), 6),
            capacity=float(capacity[j]),
            load=float(access.load[j]),
            per_1000=number_or_none(access.ratio[j] * 1000) if access.load[j] > 0 else None,
            nearest_people=float(shared.crowding.load[j]),
            people_over=None if over is None else float(over[j]),
        )
        for j in range(len(facilities))
    )
    city_mean = sum_or_none(float(access.access @ residents.counted), residents.total)
    return ServiceAccess(
        service=service,
        standard=standard,
        capacity_field="" if how.counts_one else facilities.capacity_field,
        decay=how.decay,
        limit_m=limit_m,
        steps=tuple(zip(decay.edges, decay.weights, strict=True)) if isinstance(decay, Steps) else (),
        facilities=rows,
        per_1000=per_1000,
        unmet_people=unmet,
        crowded_people=crowded,
        unreached_people=what.of_places((1.0 - shared.reaching) * people),
        city_per_1000=None if city_mean is None else city_mean * 1000,
        city_unmet_people=city_unmet,
        city_crowded_people=city_crowded,
        city_unreached_people=float((1.0 - shared.reaching) @ residents.counted),
        capacity=float(capacity.sum()),
        reached_capacity=access.reached_capacity,
        left_out=left_out,
    )


def _limit_m(service: ServiceRow, how: HowShared) -> float:
    """Return how far people go for a service."""
    return how.limit_m or (E2SFCA_LIMIT_M if how.decay == "e2sfca" else service.threshold_m)


def _decay(name: Decaying, limit_m: float, cell_m: float) -> Decay:
    """Return the weights; a cell that an edge or the limit cuts counts partly, as in coverage."""
    match name:
        case "2sfca":
            return Steps((limit_m,), (1.0,), blur=cell_m)
        case "e2sfca":
            return Steps((limit_m / 3, limit_m * 2 / 3, limit_m), _WEIGHTS, blur=cell_m)
        case "gaussian":
            return Gaussian(width=limit_m / 2, limit=limit_m, blur=cell_m)
        case "power":
            return Power(exponent=1.0, limit=limit_m, blur=cell_m)


def _not_nearer(near: Catchments, least_m: float) -> Iterator[tuple[Integers, Floats]]:
    for part, cost in near:
        yield part, np.maximum(cost, least_m)

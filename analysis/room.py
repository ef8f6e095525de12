"""Room at the nearest facility: who is near enough to one that is full is without the service all the same."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

from analysis.caching import arrays, content_key, supposed
from analysis.core.capacity import crowding, pairs
from analysis.core.changes import StreetDrawn, changes_to_json
from analysis.core.coverage import covered_share
from analysis.inputs import CityInputs
from analysis.measures.facilities import Facilities, facilities_of
from analysis.measures.residents import residents_of
from analysis.results import Question, ServiceRow
from analysis.selectors import CityReading
from analysis.travel import Measuring, cost_key, measuring_for
from layers.models import Service

Floats = NDArray[np.float64]
Costs = NDArray[np.float32]
Integers = NDArray[np.int64]


def room_of(
    inputs: CityInputs, index: int, reading: CityReading, question: Question
) -> tuple[Floats | None, tuple[str, ...]]:
    """Tell which share of each part's people finds room at the facility that is the nearest to them, and what to warn of.

    Everybody within the threshold goes to the nearest facility; where more come than it has room for, all who come have
    the same chance. A facility of unknown capacity has room for all.

    Parameters
    ----------
    inputs, reading, question
        Of one result.
    index
        Column of the service.

    Returns
    -------
    tuple
        Shape ``(parts,)``, 0 to 1; None where capacity does not count, or none is known.

    Notes
    -----
    A facility of capacity c, of which a person needs n, has room for the share min(1, c / (n · P)) of the P people who
    come: capacity as in `analysis.core.capacity.crowding`.
    """
    service = inputs.services[index]
    if service.need_per_1000 is None:
        return None, ()
    warnings: list[str] = []
    if service.kind == Service.Kind.UTILITY:
        warnings.append(f"{service.name_en} comes by a network: its capacity does not count.")
        return None, tuple(warnings)
    changes = tuple(c for c in question.changes if isinstance(c, StreetDrawn) or c.service == service.code)
    facilities = facilities_of(service, inputs.grid.epsg, changes)
    known = np.isfinite(facilities.capacity)
    if not known.any():
        warnings.append(f"{service.name_en}: no facility has a capacity, so capacity does not count.")
        return None, tuple(warnings)
    need = service.need_per_1000 / 1000
    key = content_key("room", inputs.column_keys[index], changes_to_json(changes), service.threshold_m, need)

    def compute() -> Floats:
        nearest, cost_m = _nearest(inputs, reading, question, service, facilities)
        coming = residents_of(inputs).counted * covered_share(
            inputs.arrays.cost_m[index], service.threshold_m, inputs.grid.cell_m
        )
        who = np.flatnonzero(nearest >= 0)
        to_nearest = pairs(who, nearest[who], cost_m[who], coming.size, len(facilities))
        found = crowding(to_nearest, coming, np.where(known, facilities.capacity, 0.0), need_per_person=need)
        full = np.divide(found.people_over, found.load, out=np.zeros(len(facilities)), where=found.load > 0)
        full[~known] = 0.0
        room = np.ones(coming.size)
        room[who] -= full[nearest[who]]
        return room

    if not known.all():
        warnings.append(
            f"{service.name_en}: {int((~known).sum())} of {len(known)} facilities have no capacity, and are taken to have room "
            "for all."
        )
    warnings.append(
        f"{service.name_en}: who finds no room at the nearest facility counts as without it; 1,000 people need "
        f"{service.need_per_1000:.15g}."
    )
    kept = supposed if changes else arrays
    return cast(Floats, kept.get(key, compute)), tuple(warnings)


def _nearest(
    inputs: CityInputs, reading: CityReading, question: Question, service: ServiceRow, facilities: Facilities
) -> tuple[Integers, Costs]:
    """Find the facility nearest to each part: among those that stay, which is kept, and then those that come."""
    drawn = tuple(change for change in question.changes if isinstance(change, StreetDrawn))
    way = measuring_for(reading, question, inputs.grid, inputs.ground, service=service, drawn=drawn)
    own = facilities_of(service, inputs.grid.epsg)
    stands = dict(zip(own.numbers.tolist(), own.geometries_m, strict=True))
    stays = np.array(
        [stands.get(n) is shape for n, shape in zip(facilities.numbers.tolist(), facilities.geometries_m, strict=True)],
        dtype=bool,
    )
    there, come = np.flatnonzero(stays), np.flatnonzero(~stays)
    kept = content_key("nearest", cost_key(way, service), facilities.numbers[there].tolist())
    among, cost = cast(
        tuple[Integers, Costs], arrays.get(kept, lambda: _catch(inputs, way, facilities.geometries_m[there]))
    )
    nearest, cost_m = np.where(among >= 0, there[among] if there.size else -1, -1), cost.copy()
    if come.size:
        new, new_cost = _catch(inputs, way, facilities.geometries_m[come])
        nearer = new_cost < cost_m
        nearest[nearer], cost_m[nearer] = come[new[nearer]], new_cost[nearer]
    return nearest, cost_m


def _catch(inputs: CityInputs, way: Measuring, geometries_m: NDArray[np.object_]) -> tuple[Integers, Costs]:
    everywhere = np.ones(inputs.ground.cells.size, dtype=bool)  # kept for any source of people, whoever lives where
    return way.nearest(geometries_m, everywhere)

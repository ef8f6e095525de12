"""Equity: how unevenly people are near services, who has farther to go, and how far behind those behind are."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from analysis.caching import arrays, content_key
from analysis.core.coverage import covered_share
from analysis.core.equity import (
    concentration_index,
    distance_shortfall,
    gini,
    lorenz,
    palma_ratio,
    settlements_against_rest,
)
from analysis.measures.asking import Asked, asked
from analysis.measures.results import CityEquity, ServiceEquity
from analysis.results import Question, ServiceRow
from analysis.selectors import CityReading
from analysis.services import priority_compute
from geo.errors import InvalidInput
from geo.models import Place
from geo.querysets import User

Floats = NDArray[np.float64]

_CURVE_POINTS = 101


def equity_compute(
    *,
    city: Place,
    user: User,
    question: Question | None = None,
    cell_m: float | None = None,
    reading: CityReading | None = None,
) -> CityEquity:
    """Compute how unevenly the people of a city are near each of its services.

    Gini, Palma and concentration are of the distance to the nearest facility, of the people who reach any; the shortfall is
    of the distance beyond the threshold, up to twice the threshold, of all people. Settlements are compared with the rest
    of the city by the share of people covered and by the mean distance.

    The parameters are those of `analysis.services.coverage_compute`.

    Raises
    ------
    NotFound, InvalidInput
        As `analysis.services.coverage_compute`.

    Notes
    -----
    Everybody is counted once, where they live: within a part of a cell all have the same distance. The priority of a place
    follows from coverage, of this service too, so that its concentration index tells less than that by settlement.
    """
    what = asked(city=city, user=user, question=question, cell_m=cell_m, reading=reading)
    score = _priority(what, user, cell_m)
    rows = tuple(_service(what, k, service, score) for k, service in enumerate(what.inputs.services))
    return CityEquity(what.basis(), rows)


def _priority(what: Asked, user: User, cell_m: float | None) -> Floats | None:
    """Return the priority of each place; None where the city has none."""
    try:
        ranked = priority_compute(
            city=what.city, user=user, question=replace(what.question, services=()), cell_m=cell_m, reading=what.reading
        )
    except InvalidInput:  # such as weights that are all zero
        return None
    return np.asarray(ranked.priority.score, dtype=np.float64)


def _service(what: Asked, k: int, service: ServiceRow, score: Floats | None) -> ServiceEquity:
    """Return a service's values, kept by all that they are computed from: whoever sees the same is told the same."""
    scores = score.tobytes().hex() if score is not None else None
    key = content_key("equity", what.inputs.column_keys[k], service.threshold_m, scores)
    kept: ServiceEquity = arrays.get(key, lambda: _computed(what, k, service, score))
    return replace(kept, service=service)


def _computed(what: Asked, k: int, service: ServiceRow, score: Floats | None) -> ServiceEquity:
    residents = what.residents
    lived_in = residents.counted > 0
    people, settled = residents.counted[lived_in], residents.in_settlement[lived_in]
    cost = what.inputs.arrays.cost_m[k][lived_in].astype(np.float64)
    is_reached = np.isfinite(cost)
    near, living = cost[is_reached], people[is_reached]
    palma = palma_ratio(near, living)
    curve = lorenz(near, living)
    at = np.linspace(0.0, 1.0, _CURVE_POINTS)
    by_priority = None
    if score is not None:
        of_parts = np.repeat(score, np.diff(what.inputs.ground.parts.indptr))[lived_in]
        if np.isfinite(of_parts).all():
            by_priority = concentration_index(near, living, of_parts[is_reached])
    covered = covered_share(cost.astype(np.float32), service.threshold_m, what.inputs.grid.cell_m)
    return ServiceEquity(
        service=service,
        people=float(living.sum()),
        unreached_people=float(people[~is_reached].sum()),
        gini=gini(near, living),
        palma=palma if math.isfinite(palma) else None,
        by_settlement=concentration_index(near, living, settled[is_reached]),
        by_priority=by_priority,
        shortfall=distance_shortfall(cost, people, service.threshold_m),
        covered=settlements_against_rest(covered, people, settled),
        distance=settlements_against_rest(near, living, settled[is_reached]),
        curve=tuple(
            (float(share), float(value))
            for share, value in zip(at, np.interp(at, curve.people_share, curve.value_share), strict=True)
        ),
    )

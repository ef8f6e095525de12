"""From a city to the core of siting and back: what each pair of people and site costs, and which sites are best."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

from analysis.core.siting.capacitated import capacitated_covering
from analysis.core.siting.centre import p_centre
from analysis.core.siting.covering import maximal_covering, set_covering
from analysis.core.siting.curve import Curve, covering_curve
from analysis.core.siting.median import p_median
from analysis.core.siting.question import Question as CoreQuestion
from analysis.core.siting.question import question_of
from analysis.core.siting.result import Siting
from analysis.forms import MAX_THRESHOLD_M
from analysis.inputs import CityInputs
from analysis.results import PlaceRow, Question, ServiceRow
from analysis.selectors import CityReading
from analysis.siting.asking import MOST_SITES, SitingQuestion
from analysis.siting.candidates import Candidates
from analysis.siting.demand import Demand
from analysis.travel import measuring_for
from geo.errors import InvalidInput, LimitExceeded
from geo.models import Place

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Told how far a plan is: the step, how much of it is done, and of how much; 0 of 0 where that is not known.
Told: TypeAlias = Callable[[str, int, int], None]

MOST_EFFORT_S: Final = 300.0
"""Seconds of a processor that measuring the way to all candidates may take."""

SEED: Final = 0
_TOLD_EVERY: Final = 10


def costs_measured(
    reading: CityReading,
    question: Question,
    inputs: CityInputs,
    service: ServiceRow,
    demand: Demand,
    candidates: Candidates,
    asked: SitingQuestion,
    say: Told,
) -> tuple[Floats, Callable[[Integers], list[NDArray[np.float32]]]]:
    """Measure from each block to the facilities of today (the first column) and to each candidate.

    Returns
    -------
    tuple
        The costs, shape ``(blocks, 1 + candidates)``; and what measures some candidates again, cell by cell.
    """
    way = measuring_for(reading, question, inputs.grid, inputs.ground, service=service)
    limit_m = 2 * service.threshold_m if _is_covering(asked) else MAX_THRESHOLD_M
    seconds = way.effort_s(candidates.points_m, limit_m)
    if seconds > MOST_EFFORT_S:
        raise LimitExceeded(
            f"Measuring the way to {candidates.points_m.size:,} candidates would take about {seconds:,.0f} s, "
            f"more than {MOST_EFFORT_S:.0f} s.",
            code="too_much_work",
            where="candidates",
            remedy="Let them stand further from each other, or choose fewer.",
            details={
                "candidates": int(candidates.points_m.size),
                "seconds": round(seconds),
                "most": round(MOST_EFFORT_S),
            },
        )
    m = candidates.points_m.size
    costs = np.full((demand.people.size, m + 1), np.inf)
    costs[:, 0] = demand.mean(inputs.arrays.cost_m[0])
    for j, cost in enumerate(way.each_m(candidates.points_m, limit_m), start=1):
        costs[:, j] = demand.mean(cost)
        if j % _TOLD_EVERY == 0:
            say("measuring", j, m)

    def again(chosen: Integers) -> list[NDArray[np.float32]]:
        return list(way.each_m(candidates.points_m[chosen - 1], limit_m))

    return costs, again


def _is_covering(asked: SitingQuestion) -> bool:
    return asked.model in ("mclp", "lscp", "capacitated")


def solved(
    asked: SitingQuestion,
    inputs: CityInputs,
    service: ServiceRow,
    demand: Demand,
    costs: Floats,
    weights: Floats | None,
) -> tuple[Siting, Curve | None]:
    """Put the question to the core; the facilities of today stand as one site that is open."""
    limit_m, m = service.threshold_m, costs.shape[1] - 1
    sites = min(asked.sites or MOST_SITES, m)
    money = None if asked.site_cost is None else np.full(m + 1, asked.site_cost, dtype=np.int64)
    limits: dict[str, Any] = {"budget": asked.budget, "time_limit_s": asked.time_limit_s}
    if not _is_covering(asked):
        # Who reaches nothing at all asks for nothing; they are told apart.
        some = _weighed(np.asarray(np.isfinite(costs).any(axis=1)), weights)
        model = question_of(demand.people, costs, priority=some, existing=[0], site_costs=money)
        if asked.model == "p-median":
            return p_median(model, sites=sites, seed=SEED, **limits), None
        return p_centre(model, sites=sites, unreachable="leave_out", **limits), None
    within = np.where(costs <= limit_m, costs, np.inf)  # what is out of reach of a site is no pair
    if asked.model == "capacitated":
        capacities = np.full(m + 1, float(asked.capacity or 0.0))
        capacities[0] = np.inf
        # Who is near enough today stays where they are.
        others = _weighed(~np.isfinite(within[:, 0]), weights)
        model = question_of(
            demand.people, within, priority=others, existing=[0], site_costs=money, capacities=capacities
        )
        return capacitated_covering(model, limit_m, sites=sites, **limits), None
    model = question_of(demand.people, within, priority=weights, existing=[0], site_costs=money)
    if asked.model == "lscp":
        if asked.must_reach_all:
            _all_in_reach_required(inputs, demand, within)
        fewest = set_covering(
            model, limit_m, unreachable="leave_out", sites=None if asked.sites is None else sites, **limits
        )
        return _few_enough(fewest), None
    found = maximal_covering(model, limit_m, sites=sites, seed=SEED, **limits)
    return found, _curve(asked, model, limit_m, m)


def _weighed(counts: NDArray[np.bool_], weights: Floats | None) -> Floats:
    """Return how much a person of each block counts: not at all where ``counts`` says so."""
    return counts.astype(np.float64) if weights is None else weights * counts


def _curve(asked: SitingQuestion, model: CoreQuestion, limit_m: float, m: int) -> Curve | None:
    if not asked.curve:
        return None
    return covering_curve(model, limit_m, min(asked.curve, m), time_limit_s=asked.time_limit_s)


def _few_enough(found: Siting) -> Siting:
    if found.chosen.size > MOST_SITES:
        raise InvalidInput(
            f"Reaching everybody takes {found.chosen.size} new facilities, and a plan has at most {MOST_SITES}.",
            code="too_many_sites",
            where="threshold_m",
            remedy="Choose a larger threshold, or ask for the most people with fewer facilities.",
            details={"n": int(found.chosen.size), "most": MOST_SITES},
        )
    return found


def _all_in_reach_required(inputs: CityInputs, demand: Demand, within: Floats) -> None:
    """Refuse where somebody is out of reach of everything, and say who."""
    lost = np.flatnonzero(~np.isfinite(within).any(axis=1))
    if not lost.size:
        return
    people = float(demand.people[lost].sum())
    points = shapely.points(demand.x_m[lost], demand.y_m[lost])
    by_place: dict[PlaceRow, float] = {}
    for point, persons in zip(points, demand.people[lost].tolist(), strict=True):
        place = place_of(inputs, point)
        if place is not None:
            by_place[place] = by_place.get(place, 0.0) + persons
    worst = max(by_place, key=lambda place: by_place[place], default=None)
    remedy = "Choose candidates nearer to each other or a larger threshold, or leave these people out."
    if worst is None:
        raise InvalidInput(
            f"{people:,.0f} people are out of reach of every candidate.",
            code="people_out_of_reach", where="candidates", remedy=remedy, details={"n": round(people)},
        )  # fmt: skip
    raise InvalidInput(
        f"{people:,.0f} people are out of reach of every candidate, most of them in {worst.name_en}.",
        code="people_out_of_reach",
        where="candidates",
        remedy=remedy,
        details={"n": round(people), "place": worst.name, "place_fa": worst.name_fa, "place_en": worst.name_en},
    )


def place_of(inputs: CityInputs, point: Any) -> PlaceRow | None:
    """Return the place in which a point lies; of several the settlement."""
    inside = np.flatnonzero(shapely.covers(inputs.ground.polygons_m, point)).tolist()
    rows: Sequence[PlaceRow] = [inputs.places.rows[i] for i in inside]
    return next((row for row in rows if row.kind == Place.Kind.SETTLEMENT), rows[0] if rows else None)


__all__ = ["MOST_EFFORT_S", "SEED", "Told", "costs_measured", "place_of", "solved"]

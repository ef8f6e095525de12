"""What changes do to a city, and scenarios side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from analysis import selectors
from analysis.core.coverage import Coverage
from analysis.core.what_if import Comparison, Effect, compare, effect_of
from analysis.ground import people_of_city
from analysis.inputs import inputs_read
from analysis.models import Scenario
from analysis.results import CityPriority, PlaceRow, Question, ServiceRow, number_or_none
from analysis.scenarios import role_required, scenario_question
from analysis.selectors import CityReading, services_asked
from analysis.services import place_record, priority_compute
from analysis.what_if import changed_inputs, notice_of
from geo.errors import InvalidInput, LimitExceeded
from geo.models import Place
from geo.querysets import User

MOST_SIDES: Final = 6
"""Scenarios that are compared at once."""


def counted_rows(places: Sequence[PlaceRow]) -> NDArray[np.int64]:
    """Return the rows that may be added up: settlements lie over neighbourhoods, and are added only where there are no others."""
    rows = [i for i, place in enumerate(places) if place.kind != Place.Kind.SETTLEMENT]
    return np.array(rows or range(len(places)), dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class WhatIf:
    """A city as it is, and as it would be.

    Attributes
    ----------
    before, after
        The city as it is, by its own weights and limits, measured as the question asks; and the answer to the question.
    effect
        People newly covered and no longer covered; rows and columns follow places and services.
    """

    before: CityPriority
    after: CityPriority
    effect: Effect


def what_if_compute(*, city: Place, user: User, question: Question, reading: CityReading | None = None) -> WhatIf:
    """Answer a question about a city, and tell who gains and who loses against the city as it is.

    A question changes what would be built, but also limits and weights; both states are measured in the same way of
    travel, with the same source of people and the same need of capacity.

    The parameters are those of `analysis.services.coverage_compute`.

    Raises
    ------
    Forbidden
        Where the user has no role in the city.
    NotFound, InvalidInput
        As `analysis.services.priority_compute`.
    """
    role_required(city, user)
    reading = reading or selectors.city_read(city, user)
    today = _today(question, reading)
    as_is = inputs_read(reading, today)
    unchanged = as_is if today == question.as_is else inputs_read(reading, question.as_is)
    changed = changed_inputs(unchanged, reading, question) if question.changes else unchanged
    before = priority_compute(city=city, user=user, question=today, reading=reading, inputs=as_is)
    after = priority_compute(city=city, user=user, question=question, reading=reading, inputs=changed)
    limits_before_m, limits_after_m = (
        [service.threshold_m for service in side.coverage.services] for side in (before, after)
    )
    effect = effect_of(
        as_is.arrays,
        changed.arrays,
        limits_before_m,
        limits_after_m,
        before.coverage.rooms,
        after.coverage.rooms,
    )
    return WhatIf(before, after, effect)


def _today(question: Question, reading: CityReading) -> Question:
    """Return the question that the city as it is answers."""
    bare = replace(question.as_is, thresholds_m={})
    rows, _ = services_asked(reading.city, reading.supplied, bare, lambda: people_of_city(reading))
    return question.today([row.code for row in rows])


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One of the results that are compared; ``scenario`` is None for the city as it is."""

    scenario: Scenario | None
    result: CityPriority


@dataclass(frozen=True, slots=True, eq=False)
class CityComparison:
    """Scenarios of a city side by side; the first side is the one that the others are compared with.

    Attributes
    ----------
    services
        For each service that all sides have, its row on each side: thresholds may differ.
    values
        Their columns follow ``services``, their rows ``places``.
    """

    city: Place
    sides: tuple[Side, ...]
    places: tuple[PlaceRow, ...]
    services: tuple[tuple[ServiceRow, ...], ...]
    values: Comparison
    warnings: tuple[str, ...]


def scenarios_compared(*, city: Place, user: User, scenarios: Sequence[Scenario | None]) -> CityComparison:
    """Compare scenarios of a city with the first of them; None stands for the city as it is.

    The city as it is keeps its own limits and weights, and is measured as the first scenario is, as in `what_if_compute`.

    Raises
    ------
    Forbidden
        Where the user has no role in the city.
    InvalidInput
        Where fewer than two are given, one twice, or they have no service in common.
    LimitExceeded
        Where more than `MOST_SIDES` are given.
    """
    role_required(city, user)
    numbers = [scenario.pk if scenario else 0 for scenario in scenarios]
    if len(numbers) < 2 or len(set(numbers)) < len(numbers):
        raise InvalidInput(
            "Two different scenarios or more can be compared, or one with the city as it is.",
            code="not_comparable",
            where="with",
            remedy="Give numbers such as now,3,5.",
        )
    if len(numbers) > MOST_SIDES:
        raise LimitExceeded(
            f"No more than {MOST_SIDES} scenarios are compared at once.",
            code="too_many_scenarios",
            where="with",
            remedy="Compare some of them.",
        )
    reading = selectors.city_read(city, user)
    questions = [scenario_question(scenario, user) if scenario else None for scenario in scenarios]
    first = next(question for question in questions if question is not None)
    sides = tuple(
        Side(
            scenario,
            priority_compute(city=city, user=user, question=question or _today(first, reading), reading=reading),
        )
        for scenario, question in zip(scenarios, questions, strict=True)
    )
    codes = [
        service.code
        for service in sides[0].result.coverage.services
        if all(side.result.coverage.service_index(service.code) is not None for side in sides)
    ]
    if not codes:
        raise InvalidInput("The scenarios have no service in common.", code="not_comparable", where="with")
    columns = [[side.result.coverage.service_index(code) or 0 for code in codes] for side in sides]
    places = sides[0].result.coverage.places
    values = compare(
        [
            (_chosen(side.result.coverage.values, chosen), side.result.priority)
            for side, chosen in zip(sides, columns, strict=True)
        ],
        counted_rows(places),
    )
    services = tuple(
        tuple(side.result.coverage.services[chosen[k]] for side, chosen in zip(sides, columns, strict=True))
        for k in range(len(codes))
    )
    return CityComparison(city, sides, places, services, values, _differences(sides))


def _chosen(values: Coverage, columns: list[int]) -> Coverage:
    """Return coverage with some of its services."""
    tables = (
        "population_share",
        "area_share",
        "uncovered_people",
        "mean_distance_m",
        "unreachable_people",
        "edge_flag",
    )
    return Coverage(
        thresholds_m=values.thresholds_m[columns],
        area_m2=values.area_m2,
        population=values.population,
        **{name: getattr(values, name)[:, columns] for name in tables},
    )


def _differences(sides: Sequence[Side]) -> tuple[str, ...]:
    """Say what differs between the sides besides the changes, and what each of them was warned of."""
    notices = {notice_of(side.result.coverage.scenario) for side in sides if side.result.coverage.scenario}
    warnings = [warning for side in sides for warning in side.result.coverage.warnings if warning not in notices]
    results = [side.result for side in sides]
    if (
        len(
            {
                tuple((s.code, s.threshold_m, s.weight, s.need_per_1000) for s in result.coverage.services)
                for result in results
            }
        )
        > 1
    ):
        warnings.append("The scenarios differ in thresholds, weights or services too, not only in what would be built.")
    if len({result.coverage.travel.code for result in results}) > 1:
        warnings.append("The scenarios differ in the way of travel.")
    if len({result.coverage.population.layer_code if result.coverage.population else "" for result in results}) > 1:
        warnings.append("The scenarios differ in how people are counted.")
    if len({(result.normalisation, result.aggregation) for result in results}) > 1:
        warnings.append("The scenarios differ in the method of the index.")
    return tuple(dict.fromkeys(warnings))


# ---- as JSON: numbers as they are, for people with a role in the city


def what_if_record(found: WhatIf) -> dict[str, Any]:
    """Return what changes do: of each place, and of the city, only what differs from how it is."""
    before, after, effect = found.before.coverage, found.after.coverage, found.effect
    differs = (
        (before.values.uncovered_people != after.values.uncovered_people)
        | (effect.gained_people > 0)
        | (effect.lost_people > 0)
    )
    is_moved = (found.before.priority.score != found.after.priority.score) | (
        found.before.priority.rank != found.after.priority.rank
    )
    counted = counted_rows(after.places)
    return {
        "places": {
            after.places[i].code: {
                "score": score_told(found.after, i),
                "rank": int(found.after.priority.rank[i]),
                "services": {
                    after.services[k].code: [
                        *uncovered_told(found.after, i, k),
                        round(float(effect.gained_people[i, k]), 2),
                        round(float(effect.lost_people[i, k]), 2),
                    ]
                    for k in np.flatnonzero(differs[i]).tolist()
                },
            }
            for i in np.flatnonzero(differs.any(axis=1) | is_moved).tolist()
        },
        "totals": {
            after.services[k].code: {
                **total_told(found.after, k),
                "gained": round(float(effect.gained_people[counted, k].sum()), 2),
                "lost": round(float(effect.lost_people[counted, k].sum()), 2),
            }
            for k in np.flatnonzero(differs.any(axis=0)).tolist()
        },
        "warnings": [
            warning for warning in after.warnings if not after.scenario or warning != notice_of(after.scenario)
        ],
    }


def score_told(result: CityPriority, i: int) -> float:
    """Return the score of a place, 0 to 100."""
    return round(float(result.priority.score[i]), 4)


def uncovered_told(result: CityPriority, i: int, k: int) -> list[float | None]:
    """Return the share and the number of people of a place who are not covered; no share where nobody lives."""
    values = result.coverage.values
    share = number_or_none(values.population_share[i, k])
    return [None if share is None else round(1.0 - share, 6), round(float(values.uncovered_people[i, k]), 2)]


def total_told(result: CityPriority, k: int) -> dict[str, float | None]:
    """Return how many people of a city are not covered by a service, and their share."""
    values, counted = result.coverage.values, counted_rows(result.coverage.places)
    people, uncovered = float(values.population[counted].sum()), float(values.uncovered_people[counted, k].sum())
    return {
        "uncovered_people": round(uncovered, 2),
        "uncovered_share": round(uncovered / people, 6) if people > 0 else None,
    }


def comparison_record(found: CityComparison) -> dict[str, Any]:
    """Return scenarios side by side: each list has one value per side, and the first side is compared with."""
    values = found.values
    fewer, down = values.fewer_uncovered, values.ranks_down
    return {
        "city": found.city.code,
        "sides": [
            {
                "scenario": side.scenario.pk if side.scenario else None,
                "name": side.scenario.name if side.scenario else None,
                "version": side.scenario.version if side.scenario else None,
                "travel": side.result.coverage.travel.code,
            }
            for side in found.sides
        ],
        "services": [
            {
                "code": rows[0].code,
                "name": rows[0].name_fa,
                "name_en": rows[0].name_en,
                "thresholds_m": [row.threshold_m for row in rows],
            }
            for rows in found.services
        ],
        "totals": {
            rows[0].code: {
                "uncovered_people": _rounded(values.total_uncovered[:, k], 2),
                "uncovered_share": _rounded(_shares(values.total_uncovered[:, k], values.total_people), 6),
                "fewer_uncovered": _rounded(values.total_uncovered[0, k] - values.total_uncovered[:, k], 2),
            }
            for k, rows in enumerate(found.services)
        },
        "places": [
            {
                **place_record(place),
                "score": _rounded(values.score[:, i], 4),
                "rank": values.rank[:, i].tolist(),
                "ranks_down": down[:, i].tolist(),
                "services": {
                    rows[0].code: {
                        "uncovered_people": _rounded(values.uncovered_people[:, i, k], 2),
                        "uncovered_share": _rounded(1.0 - values.population_share[:, i, k], 6),
                        "fewer_uncovered": _rounded(fewer[:, i, k], 2),
                    }
                    for k, rows in enumerate(found.services)
                },
            }
            for i, place in enumerate(found.places)
        ],
        "warnings": list(found.warnings),
    }


def _shares(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0))


def _rounded(values: NDArray[np.float64], digits: int) -> list[float | None]:
    return [None if (number := number_or_none(value)) is None else round(number, digits) for value in values.tolist()]

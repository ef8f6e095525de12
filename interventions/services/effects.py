"""What a proposal would do to coverage and to the index: the coverage engine's what-if, kept with the key of its inputs.

A proposal that gives a service at a point is one facility more, at several points as many more. Effects are computed on all layers of
the city, so that everybody who may see a proposal is told the same; whom one tells of services is decided where they are shown.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from django.contrib.gis.geos import MultiPoint, Point

from analysis.caching import content_key
from analysis.comparing import counted_rows, what_if_compute
from analysis.core.changes import FacilityAdded
from analysis.core.coverage import covered_share
from analysis.inputs import inputs_read
from analysis.results import Question
from analysis.selectors import CityReading, city_key, city_read
from geo.errors import InvalidInput, NotFound
from geo.models import Place
from geo.querysets import system_user
from geo.services.restoring import city_of
from interventions.core.portfolio import Demand
from interventions.models import Need, Proposal

LEAST_PEOPLE: Final = 0.5
"""Of a place: fewer newly covered are none."""

_FORM: Final = 1
"""Of what is kept; another number lets everything be computed again."""

Effect = dict[str, Any]
"""What is kept: ``key``; ``service``, ``threshold_m`` and ``travel``; ``people`` newly covered in all; ``places``, each with its code, people
newly covered, score and rank before and after. With ``key`` alone where nothing can be computed."""


def effect_refresh(proposal: Proposal, cities: Cities | None = None) -> Effect:
    """Return the computed effect of a proposal, computed and kept again where what it was computed from has changed.

    A proposal without service or without a point has none, and one in no city, or for a service that the city does not measure.
    """
    cities = cities or Cities()
    key, city = _key(proposal, cities)
    kept: Effect = proposal.effect
    if kept.get("key") == key:
        return kept
    effect: Effect = {"key": key} | (_computed(proposal, city, cities) if city is not None else {})
    # Nothing that people said changes, and so neither does the version.
    Proposal.objects.filter(pk=proposal.pk).update(effect=effect)
    proposal.effect = effect
    return effect


def effects_refresh(proposals: Iterable[Proposal], time_limit_s: float) -> int:
    """Bring the effects of proposals up to date as long as the time allows, at least one; return how many still wait."""
    cities, until, waiting = Cities(), time.monotonic() + time_limit_s, 0
    for position, proposal in enumerate(proposals):
        if position and time.monotonic() > until:
            waiting += proposal.effect.get("key") != _key(proposal, cities)[0]
        else:
            effect_refresh(proposal, cities)
    return waiting


def demand_of(proposals: Sequence[Proposal]) -> Demand:
    """Return whom proposals serve, for `interventions.core.portfolio`: each number is a position in ``proposals``.

    A proposal whose effect is computed serves the parts of cells that it newly covers, so that two clinics side by side count people
    once; any other the people of the needs that it answers, each need once.
    """
    cities = Cities()
    rows: list[int] = []
    units: list[int] = []
    shares: list[float] = []
    people: list[float] = []
    known: dict[tuple[Any, ...], int] = {}

    def unit(key: tuple[Any, ...], persons: float) -> int:
        if key not in known:
            known[key] = len(people)
            people.append(persons)
        return known[key]

    for number, proposal in enumerate(proposals):
        effect = effect_refresh(proposal, cities)
        if effect.get("people"):
            for key, persons, share in _cells(proposal, cities):
                rows.append(number)
                units.append(unit(key, persons))
                shares.append(share)
            continue
        for need in proposal.needs.all():
            rows.append(number)
            units.append(unit(("need", need.pk), float(need.people_affected)))
            shares.append(1.0)
    return Demand(rows, units, shares, people, [1.0] * len(people))


class Cities:
    """Cities as they are read once for many proposals."""

    def __init__(self) -> None:
        self._keys: dict[int, str] = {}
        self._readings: dict[int, CityReading] = {}

    def key(self, city: Place) -> str:
        """Return the key of all that is known of a city."""
        if city.pk not in self._keys:
            self._keys[city.pk] = city_key(city, system_user())
        return self._keys[city.pk]

    def reading(self, city: Place) -> CityReading:
        """Return all that is known of a city."""
        if city.pk not in self._readings:
            self._readings[city.pk] = city_read(city, system_user())
        return self._readings[city.pk]


@dataclass(frozen=True, slots=True)
class _Facilities:
    changes: tuple[FacilityAdded, ...]
    city: Place


def _facilities(proposal: Proposal) -> _Facilities | None:
    """Return the facilities that a proposal adds to a city, sharing its capacity alike; None where it adds none."""
    shape = proposal.geometry
    if proposal.service is None or not isinstance(shape, Point | MultiPoint):
        return None
    need: Need | None = proposal.needs.select_related("place").order_by("pk").first()
    try:
        city = city_of(need.place if need else proposal.round.place)
    except InvalidInput:
        return None
    points = [shape.coords] if isinstance(shape, Point) else list(shape.coords)
    each = None if proposal.capacity is None else proposal.capacity / len(points)
    code = proposal.service.code
    changes = tuple(
        FacilityAdded(code, x, y, "proposal" if len(points) == 1 else f"proposal-{n}", each)
        for n, (x, y) in enumerate(points, start=1)
    )
    return _Facilities(changes, city)


def _key(proposal: Proposal, cities: Cities) -> tuple[str, Place | None]:
    found = _facilities(proposal)
    if found is None:
        return content_key("effect", _FORM), None
    parts = [(change.service, change.lon, change.lat, change.capacity) for change in found.changes]
    return content_key("effect", _FORM, cities.key(found.city), parts[0] if len(parts) == 1 else parts), found.city


def _computed(proposal: Proposal, city: Place, cities: Cities) -> Effect:
    facilities = _facilities(proposal)
    if facilities is None:
        return {}
    question, code = Question(changes=facilities.changes), facilities.changes[0].service
    try:
        found = what_if_compute(city=city, user=system_user(), question=question, reading=cities.reading(city))
    except NotFound:  # no boundaries, nobody counted, or nothing to measure
        return {}
    before, after = found.before.coverage, found.after.coverage
    k = after.service_index(code)
    if k is None or after.population is None:
        return {}
    gained = found.effect.gained_people[:, k]
    old, new = found.before.priority, found.after.priority
    rows = np.flatnonzero(gained >= LEAST_PEOPLE)
    return {
        "service": code,
        "city": city.code,
        "threshold_m": after.services[k].threshold_m,
        "travel": after.travel.code,
        "people": round(float(gained[counted_rows(after.places)].sum()), 1),
        "places": [
            [
                before.places[i].code,
                round(float(gained[i]), 1),
                round(float(old.score[i]), 2),
                round(float(new.score[i]), 2),
                int(old.rank[i]),
                int(new.rank[i]),
            ]
            for i in sorted(rows.tolist(), key=lambda i: -gained[i])
        ],
    }


def _cells(proposal: Proposal, cities: Cities) -> list[tuple[tuple[Any, ...], float, float]]:
    """Return the parts of cells that a proposal newly covers: their names, their people, and the share that is new."""
    facilities = _facilities(proposal)
    if facilities is None:
        return []
    reading, code = cities.reading(facilities.city), facilities.changes[0].service
    before = inputs_read(reading, Question())
    after = inputs_read(reading, Question(changes=facilities.changes))
    k = next((k for k, service in enumerate(after.services) if service.code == code), None)
    if k is None:
        return []
    limit_m, cell_m = after.services[k].threshold_m, after.arrays.cell_m
    was, now = (covered_share(one.arrays.reaches[k].cost_m, limit_m, cell_m) for one in (before, after))
    counted = after.arrays.ground.people[counted_rows(reading.places.rows)]
    persons = np.asarray(counted.sum(axis=0)).ravel()
    share = np.maximum(now - was, 0.0)
    found = np.flatnonzero((share > 0) & (persons > 0))
    return [((facilities.city.pk, k, int(i)), float(persons[i]), float(share[i])) for i in found]


__all__ = ["LEAST_PEOPLE", "Cities", "Effect", "demand_of", "effect_refresh", "effects_refresh"]

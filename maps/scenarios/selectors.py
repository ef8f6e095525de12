"""What the interface of scenarios reads: services, sides of a comparison, and whether newer data have come."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Final

from django.db.models import Max

from analysis.ground import people_of_city
from analysis.models import Scenario
from analysis.results import Question, ServiceRow
from analysis.scenarios import role_required, scenario_get
from analysis.selectors import CityReading, city_get, city_read, services_asked
from geo.errors import InvalidInput
from geo.models import Place
from geo.querysets import User
from layers.models import Release, Standard
from layers.standards import standard_for


def what_if_city(code: str, user: User) -> Place:
    """Return a city in which a user may try changes.

    Raises
    ------
    NotFound, Forbidden
        Where there is none the user may know of, or the user has no role in it.
    """
    city = city_get(code, user)
    role_required(city, user)
    return city


class _Readings:
    """What was read of cities for people who drag something about: a drag asks many times a second about one moment.

    Whoever asks again within `_LASTS_S`, and holds the values as they were then, is answered from the same reading.
    """

    _MOST: Final = 32
    _LASTS_S: Final = 10.0

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[int, int | None, str], tuple[float, CityReading]] = OrderedDict()

    def get(self, city: Place, user: User, since: str) -> CityReading:
        """Return what a user may see of a city, now or when the values of this key were told."""
        with self._lock:
            read_at, reading = self._kept.get((city.pk, user.pk, since), (-self._LASTS_S, None))
        if reading is not None and time.monotonic() - read_at < self._LASTS_S:
            return reading
        return city_read(city, user)

    def keep(self, city: Place, user: User, since: str, reading: CityReading) -> None:
        """Keep what was read of a city under the key of the values that were told."""
        key = (city.pk, user.pk, since)
        with self._lock:
            if key in self._kept and self._kept[key][1] is reading:
                return
            self._kept[key] = (time.monotonic(), reading)
            self._kept.move_to_end(key)
            while len(self._kept) > self._MOST:
                self._kept.popitem(last=False)


readings: Final = _Readings()


def service_row(reading: CityReading, code: str) -> ServiceRow:
    """Return a service of a city, whether a standard is set for it or not.

    Raises
    ------
    NotFound
        Where the city has no such service.
    InvalidInput
        Where its layer has no release yet.
    """
    rows, warnings = services_asked(reading.city, reading.supplied, Question({code: 1.0}, services=(code,)))
    if not rows:
        raise InvalidInput(warnings[0], code="no_facilities", where="service")
    return rows[0]


def capacity_standards(reading: CityReading, programme: str) -> dict[str, Standard]:
    """Return which standard says how much capacity 1,000 people need, by the code of the service; services without one are left out."""
    found = {
        one.supply.service.code: standard_for(
            one.standards, Standard.Kind.CAPACITY, programme=programme, people=lambda: people_of_city(reading)
        )
        for one in reading.supplied
    }
    return {code: standard for code, standard in found.items() if standard is not None}


def sides_of(text: str, city: Place, user: User) -> list[Scenario | None]:
    """Read which scenarios are compared, such as ``now,3,5``.

    Raises
    ------
    InvalidInput
        Where a part is neither ``now`` nor a number.
    NotFound
        Where there is no such scenario of the city that the user may see.
    """
    sides: list[Scenario | None] = []
    for part in text[:200].split(","):
        if part == "now":
            sides.append(None)
        elif part.isdecimal() and len(part) <= 9:
            sides.append(scenario_get(int(part), user, city))
        else:
            raise InvalidInput(
                f"{part[:40]!r} is not the number of a scenario.",
                code="bad_scenario",
                where="with",
                remedy="Give numbers such as now,3,5.",
                details={"value": part[:40]},
            )
    return sides


def chosen(parameters: Mapping[str, str], name: str, choices: Sequence[str]) -> str:
    """Return what a parameter chooses; the first choice where it is left out.

    Raises
    ------
    InvalidInput
        Where it is none.
    """
    value = parameters.get(name) or choices[0]
    if value not in choices:
        raise InvalidInput(
            f"{value[:40]!r} is not a {name} of a comparison.",
            code="bad_choice",
            where=name,
            remedy=f"Choose one of: {', '.join(choices)}.",
            details={"value": value[:40], "choices": list(choices)},
        )
    return value


def newer_releases(scenarios: Sequence[Scenario]) -> dict[int, list[str]]:
    """Return for each scenario the codes of services whose layers have a newer release than its changes were made on."""
    layers = {(one.city_id, made["layer"]) for one in scenarios for made in one.releases.values()}
    newest = {
        (city, code): number
        for city, code, number in Release.objects.filter(
            layer__city__in={city for city, _ in layers}, layer__code__in={code for _, code in layers}
        )
        .values_list("layer__city", "layer__code")
        .annotate(newest=Max("number"))
    }
    return {
        one.pk: [
            service
            for service, made in one.releases.items()
            if newest.get((one.city_id, made["layer"]), made["release"]) > made["release"]
        ]
        for one in scenarios
    }

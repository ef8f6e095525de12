"""Places side by side: what is needed, unanswered and done in each part of a country, a province, a county.

Down to counties the numbers are the sums of `interventions.models.Tally`; inside a county they are counted when asked. People
with a role see exact numbers of the parts they have it in; all others those of published places, without small numbers of people.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, Final

from django.db import connection

from analysis.disclosure import is_insider, suppressed
from geo.errors import NotFound
from geo.models import Place
from geo.querysets import User, assigned_q, is_administrator
from interventions.core.transitions import RUNNING_ACTIONS
from interventions.models import AREA_DEPTH, Activation, Committee, Sector
from interventions.querysets import LEADING_ROLES
from interventions.selectors.counting import COLUMNS, STAGES, counted_sql
from interventions.selectors.rights import paths_around
from interventions.selectors.rows import NamedRow

_WITHIN: Final = "(p.path = %(path)s OR p.path ~>=~ (%(path)s || '/') AND p.path ~<~ (%(path)s || '0'))"
_PART: Final = "array_to_string((string_to_array(p.path, '/'))[1:%(depth)s], '/')"
_OF_TALLIES: Final = f"""
SELECT {_PART}, t.sector_id, t.is_public,
    {", ".join(f"{'max' if name == 'severity_max' else 'sum'}(t.{name})" for name in COLUMNS)}
FROM interventions_tally AS t JOIN geo_place AS p ON p.id = t.place_id WHERE {_WITHIN}
GROUP BY 1, 2, 3
"""  # noqa: S608 - made of the names above
_OF_NEEDS: Final = f"""
WITH {counted_sql(f"FROM geo_place AS p WHERE {_WITHIN}")}
SELECT path, sector_id, is_public, {", ".join(COLUMNS)} FROM counted
"""  # noqa: S608 - made of the names above
_LATE: Final = f"""
WITH hidden AS MATERIALIZED (
    SELECT p.id FROM geo_place AS c JOIN geo_place AS p
        ON p.path = c.path OR p.path ~>=~ (c.path || '/') AND p.path ~<~ (c.path || '0')
    WHERE c.kind = 'city' AND NOT c.is_published
)
SELECT {_PART}, count(*),
    count(*) FILTER (WHERE a.is_public AND p.is_published AND a.place_id NOT IN (SELECT id FROM hidden))
FROM interventions_action AS a JOIN geo_place AS p ON p.id = a.place_id
WHERE a.ends_on < %(day)s AND a.ends_on BETWEEN %(since)s AND %(until)s AND a.state = ANY(%(running)s) AND {_WITHIN}
GROUP BY 1
"""  # noqa: S608 - made of the names above


@dataclass(frozen=True, slots=True)
class Sums:
    """What is counted of a place or of a sector.

    Attributes
    ----------
    needs
        Needs by the stage of their furthest answer, by the names of `interventions.core.gaps.Stage`.
    people_in_gap
        People whom needs without a decision affect, at least: of each place the need that affects most, for one sector
        after another. None where it is too small a number to be told to the public, or is of several sectors.
    actions_late
        Actions still running after their last day; None where that is not asked.
    """

    needs: Mapping[str, int]
    people_in_gap: int | None
    actions_running: int
    actions_done: int
    actions_late: int | None = None

    @property
    def needs_all(self) -> int:
        """All needs."""
        return sum(self.needs.values())

    @property
    def in_gap(self) -> int:
        """Needs about which nothing is decided."""
        return self.needs["unanswered"] + self.needs["proposed"]


@dataclass(frozen=True, slots=True)
class CommitteeRow:
    """A crisis committee at work in a place."""

    pk: int
    committee: NamedRow
    place: NamedRow
    path: str
    reason: str
    activated_at: datetime
    may_stand_down: bool


@dataclass(frozen=True, slots=True)
class PartRow:
    """A part of a place."""

    place: NamedRow
    kind: str
    path: str
    sums: Sums
    committees: tuple[CommitteeRow, ...]
    is_exact: bool


@dataclass(frozen=True, slots=True)
class SectorRow:
    """A sector in a place, and its needs without a decision in each part, in the order of the parts."""

    sector: NamedRow
    sums: Sums
    in_gap_of_parts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SideBySide:
    """A place with its parts.

    Attributes
    ----------
    around
        The places around it, the outermost first.
    areas_waiting
        Areas in which something was written that the sums do not have yet.
    crisis_committees
        Crisis committees that the reader may set to work here.
    places_led
        The place and its parts, where the reader leads them.
    """

    place: Place
    around: tuple[Place, ...]
    sums: Sums
    parts: tuple[PartRow, ...]
    sectors: tuple[SectorRow, ...]
    committees: tuple[CommitteeRow, ...]
    is_exact: bool
    areas_waiting: int
    crisis_committees: tuple[Committee, ...]
    places_led: tuple[Place, ...]


def place_of_network(path: str, user: User) -> Place:
    """Return the place of a path, or the country with most needs for none.

    Raises
    ------
    NotFound
        Where there is no such place, or the user may not see it.
    """
    seen = Place.objects.visible_to(user)
    if path:
        found = seen.filter(path=path).first()
    else:
        sums: dict[str, int] = defaultdict(int)
        for part, _sector, is_public, *values in _rows(_OF_ALL):
            sums[part] += 0 if is_public else sum(map(int, values[: len(STAGES)]))
        countries = list(seen.filter(kind=Place.Kind.COUNTRY, parent=None))
        found = max(countries, key=lambda country: (sums[country.path], country.path), default=None)
    if found is None:
        raise NotFound(
            f"There is no place “{path[:80]}”.",
            code="unknown_place",
            where="place",
            remedy="Choose one from the page of the network.",
            details={"place": path[:80]},
        )
    return found


_OF_ALL: Final = _OF_TALLIES.replace(_PART, "split_part(p.path, '/', 1)").replace(f"WHERE {_WITHIN}", "")


def side_by_side(place: Place, user: User, *, today: date, areas_waiting: int = 0) -> SideBySide:
    """Return a place and its parts with what is needed, unanswered and done in each."""
    depth = place.path.count("/") + 2
    asked = {"path": place.path, "depth": depth}
    parts = list(Place.objects.filter(parent=place).visible_to(user).order_by("path"))
    held = set(Place.objects.filter(assigned_q(user), parent=place).values_list("path", flat=True))
    is_exact = is_insider(user, place)
    if is_administrator(user):
        held = {part.path for part in parts}
    of_part: dict[tuple[str, bool], list[list[int]]] = defaultdict(list)
    of_sector: dict[int, list[list[int]]] = defaultdict(list)
    gap: dict[tuple[str, int], int] = defaultdict(int)
    for path, sector, is_public, *values in _rows(_OF_TALLIES if depth <= AREA_DEPTH else _OF_NEEDS, **asked):
        numbers = [int(value) for value in values]
        of_part[path, is_public].append(numbers)
        if is_public != is_exact:
            of_sector[sector].append(numbers)
        if is_public != (path in held):
            gap[path, sector] = numbers[0] + numbers[1]
    late = late_in_parts(place, today)
    committees = _committees(place, user)
    led = _led((place, *parts), user)
    rows = tuple(
        PartRow(
            place=_named(part),
            kind=part.get_kind_display(),
            path=part.path,
            sums=_sums(
                of_part[part.path, part.path not in held],
                late=late.get(part.path, (0, 0))[part.path in held],
                exactly=part.path in held,
            ),
            committees=tuple(row for row in committees if f"{row.path}/".startswith(f"{part.path}/")),
            is_exact=part.path in held,
        )
        for part in parts
    )
    sectors = Sector.objects.filter(pk__in=list(of_sector)).order_by("position", "code")
    return SideBySide(
        place=place,
        around=tuple(Place.objects.visible_to(user).filter(path__in=paths_around(place)[:-1]).order_by("path")),
        sums=_sums(
            [numbers for found in of_sector.values() for numbers in found],
            late=sum(found[is_exact] for found in late.values()),
            exactly=is_exact,
        ),
        parts=rows,
        sectors=tuple(
            SectorRow(
                _named(sector),
                _sums(of_sector[sector.pk], exactly=is_exact, is_one_sector=True),
                tuple(gap[row.path, sector.pk] for row in rows),
            )
            for sector in sectors
        ),
        committees=committees,
        is_exact=is_exact,
        areas_waiting=areas_waiting,
        crisis_committees=_to_activate(place) if led else (),
        places_led=led,
    )


def late_in_parts(
    place: Place, today: date, *, since: date = date.min, until: date = date.max
) -> dict[str, tuple[int, int]]:
    """Return how many actions still run past their last day, one within a span: by the path of a part, public ones and all."""
    asked = {"path": place.path, "depth": place.path.count("/") + 2, "since": since, "until": until}
    found = _rows(_LATE, **asked, day=today, running=sorted(RUNNING_ACTIONS))
    return {path: (public, exact) for path, exact, public in found}


def _rows(sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def _sums(found: Iterable[list[int]], *, late: int | None = None, exactly: bool, is_one_sector: bool = False) -> Sums:
    total = dict.fromkeys(COLUMNS, 0)
    for numbers in found:
        for name, value in zip(COLUMNS, numbers, strict=True):
            total[name] += value
    people = total["people_in_gap"]
    is_told = exactly or not (suppressed(people) or suppressed(total["people_in_gap_withheld"]))
    return Sums(
        MappingProxyType({stage: total[stage] for stage in STAGES}),
        people if is_one_sector and is_told else None,
        total["actions_running"],
        total["actions_done"],
        late,
    )


def _committees(place: Place, user: User) -> tuple[CommitteeRow, ...]:
    active = Activation.objects.active().visible_to(user).within(place).select_related("committee", "place")
    led = set(Place.objects.filter(assigned_q(user, roles=LEADING_ROLES)).within(place).values_list("pk", flat=True))
    return tuple(
        CommitteeRow(
            pk=row.pk,
            committee=_named(row.committee),
            place=_named(row.place),
            path=row.place.path,
            reason=row.reason,
            activated_at=row.activated_at,
            may_stand_down=is_administrator(user) or row.place_id in led,
        )
        for row in active
    )


def _led(places: Iterable[Place], user: User) -> tuple[Place, ...]:
    """Return those places that a user leads."""
    if is_administrator(user):
        return tuple(places)
    leading = Place.objects.filter(assigned_q(user, roles=LEADING_ROLES), pk__in=[place.pk for place in places])
    held = set(leading.values_list("pk", flat=True))
    return tuple(place for place in places if place.pk in held)


def _to_activate(place: Place) -> tuple[Committee, ...]:
    """Return the crisis committees of a place and those around it."""
    around = Committee.objects.filter(is_crisis=True, place__path__in=paths_around(place))
    return tuple(around.select_related("place").order_by("place__path", "position", "code"))


def _named(thing: Any) -> NamedRow:
    return NamedRow(thing.code, thing.name_fa, thing.name_en)


__all__ = [
    "CommitteeRow",
    "PartRow",
    "SectorRow",
    "SideBySide",
    "Sums",
    "late_in_parts",
    "place_of_network",
    "side_by_side",
]

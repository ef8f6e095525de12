"""What these pages read: change sets with their ground, what lies around it, editions, past days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
import shapely
from django.contrib.gis.db.models.functions import AsWKB
from django.contrib.gis.geos import Polygon
from django.db.models import Count, Prefetch, QuerySet
from django.utils import timezone

from analysis.ground import people_counter
from analysis.selectors import people_reading
from geo.core.crs import STORAGE_EPSG
from geo.core.lineage import difference
from geo.core.measuring import area_m2
from geo.db.shapes import to_shapely
from geo.errors import NotFound
from geo.models import Boundary, Change, ChangeSet, Place
from geo.querysets import User
from geo.selectors import EDITED_KINDS, change_sets_read, lasting_shapes
from maps.pages import selectors as pages_selectors
from maps.pages.outlines import Drawing
from maps.reviews.permissions import waiting_for
from maps.reviews.sheets import Side

PER_PAGE: Final = 40
_MOST_WAITING: Final = 300
"""Open change sets looked through for those that wait for one person."""


# ---------------------------------------------------------------- lists


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of a list of change sets.

    Attributes
    ----------
    counts : mapping
        How many there are under each filter.
    waiting : mapping
        By number, the names of those it waits for.
    """

    change_sets: tuple[ChangeSet, ...]
    counts: Mapping[str, int]
    waiting: Mapping[int, list[str]]
    pages: int


def change_sets_listed(
    city: Place, user: User, *, show: str, page: int, place: Place | None, reader_name: str
) -> Listed:
    """Read a page of the change sets of a city with what they touch, as far as the user may see it.

    Parameters
    ----------
    show : str
        ``open``, ``mine`` (waiting for the reader), ``all``, or a status.
    page : int
        From 1; the last one where there are fewer.
    place : Place or None
        Only those that touch it.
    reader_name : str
        Whose are ``mine``, as `waiting_for` names people.
    """
    found = change_sets_read(city, user, place=place).order_by("-updated_at", "-pk")
    counts = dict(found.order_by().values_list("status").annotate(n=Count("pk", distinct=True)))
    counts["all"] = sum(counts.values())
    counts["open"] = sum(counts.get(status, 0) for status in ("draft", "proposed", "returned"))
    still_open = list(found.filter(status__in=("draft", "proposed", "returned"))[:_MOST_WAITING])
    waiting = waiting_for(still_open)
    mine = [each.pk for each in still_open if reader_name and reader_name in waiting[each.pk]]
    counts["mine"] = len(mine)
    if show == "mine":
        found = found.filter(pk__in=mine)
    elif show == "open":
        found = found.filter(status__in=("draft", "proposed", "returned"))
    elif show != "all":
        found = found.filter(status=show)
    changes = Change.objects.visible_to(user).select_related("place").order_by("place__code")
    total = counts.get(show, 0)
    pages = max(-(-total // PER_PAGE), 1)
    start = (min(page, pages) - 1) * PER_PAGE
    shown: QuerySet[ChangeSet] = found.prefetch_related(Prefetch("changes", queryset=changes))
    return Listed(tuple(shown[start : start + PER_PAGE]), counts, waiting, pages)


# ---------------------------------------------------------------- one change set


def sides_of(changes: Iterable[Change]) -> list[Side]:
    """Return the places of a change set before and after, neighbourhoods first."""
    found = [
        Side(
            code=change.place.code,
            name=new_name(change),
            before=to_shapely(change.base.geometry) if change.base else None,
            after=to_shapely(change.boundary.geometry) if change.boundary else None,
            is_settlement=change.place.kind == Place.Kind.SETTLEMENT,
            disputed=to_shapely(change.boundary.disputed) if change.boundary and change.boundary.disputed else None,
        )
        for change in changes
    ]
    return sorted(found, key=lambda side: (side.is_settlement, side.code))


def new_name(change: Change) -> str:
    """Return the name a place will have, in the reader's language."""
    place = change.place
    renamed = Place(name_fa=change.name_fa or place.name_fa, name_en=change.name_en or place.name_en)
    return renamed.name


def around_read(
    city: Place, user: User, shapes: Sequence[shapely.Geometry], leaving_out: Iterable[str], day: date
) -> dict[str, tuple[str, shapely.Geometry]]:
    """Return the neighbourhoods in force on a day around some shapes, as far as the user may see them."""
    given = [shape for shape in shapes if shape is not None and not shape.is_empty]
    if not given:
        return {}
    west, south, east, north = (float(v) for v in shapely.total_bounds(given))
    wider_x, wider_y = (east - west) * 0.9 + 1e-4, (north - south) * 0.9 + 1e-4
    box = Polygon.from_bbox((west - wider_x, south - wider_y, east + wider_x, north + wider_y))
    box.srid = STORAGE_EPSG
    rows = (
        Boundary.objects.visible_to(user)
        .as_of(day)
        .filter(
            geometry__bboverlaps=box,
            place__path__startswith=city.path + "/",
            place__kind=Place.Kind.NEIGHBOURHOOD,
        )
        .exclude(place__code__in=list(leaving_out))
        .order_by("place__code")
        .values_list("place__code", "place__name_fa", "place__name_en", AsWKB("geometry"))
    )
    return {
        code: (Place(name_fa=name_fa, name_en=name_en).name, shapely.from_wkb(bytes(wkb)))
        for code, name_fa, name_en, wkb in rows
    }


def day_of_context(change_set: ChangeSet) -> date:
    """Return the day whose neighbours are drawn around a change set: that of its effect once decided, else today."""
    if change_set.status == ChangeSet.Status.APPROVED and change_set.valid_from:
        return change_set.valid_from
    return timezone.localdate()


def day_of_edition(edition: Boundary) -> date:
    """Return a day on which an edition and its neighbours go together: the last of its time, else today."""
    today = timezone.localdate()
    if edition.status != Boundary.Status.APPROVED:
        return today
    last: date = edition.valid.upper - timedelta(days=1) if edition.valid.upper else max(today, edition.valid.lower)
    return last


@dataclass(frozen=True, slots=True)
class Measured:
    """What a place gains and loses; people are None where nobody counts them, areas where there is no boundary."""

    before_m2: float | None
    after_m2: float | None
    gained_m2: float
    lost_m2: float
    people_gained: float | None
    people_lost: float | None


def measured(city: Place, user: User, changes: Sequence[Change], sides: Sequence[Side]) -> dict[str, Measured]:
    """Return what each place of a change set gains and loses, by code.

    What was written down when the set was saved is taken as it is; what was not is measured now.
    """
    by_code = {side.code: side for side in sides}
    areas_m2 = _areas_m2([shape for side in sides for shape in (side.before, side.after)])
    area_of = {side.code: (areas_m2[2 * i], areas_m2[2 * i + 1]) for i, side in enumerate(sides)}
    unsaid = [by_code[c.place.code] for c in changes if c.gained_m2 is None or c.people_gained is None]
    now = {side.code: found for side, found in zip(unsaid, _measured_now(city, user, unsaid), strict=True)}
    result = {}
    for change in changes:
        code = change.place.code
        before_m2, after_m2 = area_of[code]
        again = now.get(code)
        if again is None:
            told = (change.gained_m2, change.lost_m2, change.people_gained, change.people_lost)
        elif change.gained_m2 is None:
            told = again
        else:
            told = (change.gained_m2, change.lost_m2, *again[2:])
        gained_m2, lost_m2, people_gained, people_lost = told
        result[code] = Measured(before_m2, after_m2, gained_m2 or 0.0, lost_m2 or 0.0, people_gained, people_lost)
    return result


def compared(city: Place, user: User, before: shapely.Geometry, after: shapely.Geometry) -> Measured:
    """Return what one edition of a place has more and less than another."""
    side = Side("", "", before, after)
    before_m2, after_m2 = _areas_m2([before, after])
    return Measured(before_m2, after_m2, *_measured_now(city, user, [side])[0])


def _measured_now(
    city: Place, user: User, sides: Sequence[Side]
) -> list[tuple[float, float, float | None, float | None]]:
    if not sides:
        return []
    found = [difference(side.before, side.after) for side in sides]
    count = people_counter(people_reading(city, user))
    if count is None:
        return [(each.gained_m2, each.lost_m2, None, None) for each in found]
    pieces = np.array([each.gained for each in found] + [each.lost for each in found], dtype=object)
    people = count(pieces).tolist()
    return [(each.gained_m2, each.lost_m2, people[i], people[len(found) + i]) for i, each in enumerate(found)]


def _areas_m2(shapes: Sequence[shapely.Geometry | None]) -> list[float | None]:
    there = [shape for shape in shapes if shape is not None]
    areas = iter(area_m2(there).tolist() if there else [])
    return [None if shape is None else next(areas) for shape in shapes]


@dataclass(frozen=True, slots=True)
class Replaced:
    """A boundary that somebody has replaced since a change set was drawn on it; ``now`` is None where the place ended."""

    place: Place
    base: Boundary | None
    now: Boundary | None


def replaced_since(change_set: ChangeSet, changes: Iterable[Change]) -> list[Replaced]:
    """Return the boundaries under an open change set that are not in force any more."""
    if not change_set.is_open:
        return []
    given = list(changes)
    lasting = lasting_shapes([change.place for change in given])
    found = []
    for change in given:
        now = lasting.get(change.place_id)
        if change.base_id != (now.pk if now else None):
            found.append(Replaced(change.place, change.base, now))
    return found


def locator_read(city: Place, user: User) -> Drawing | None:
    """Return the small drawing of the whole city; None where it has no boundary in force."""
    try:
        return pages_selectors.drawing_read(city, user)
    except NotFound:
        return None


def place_names(city: Place, user: User, codes: Iterable[str]) -> dict[str, str]:
    """Return the reader's names of those of some places that the user may see, by code."""
    places = Place.objects.visible_to(user).within(city).filter(code__in=set(codes), kind__in=EDITED_KINDS)
    return {place.code: place.name for place in places}

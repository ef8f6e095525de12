"""Which editions are items, for whom, and which one an identifier names.

An item is one edition of a place's boundary. The edition in force today has the identifier of its place (the codes of its
path, joined by dots); any other edition is named ``place@number``, so that every identifier means one thing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import shapely
from django.contrib.gis.db.models import Extent
from django.contrib.gis.db.models.functions import AsWKB
from django.contrib.postgres.fields.ranges import RangeEndsWith, RangeStartsWith
from django.db import DataError, InternalError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import Count, F, IntegerField, Max, Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from geo.db.paths import Under
from geo.db.shapes import to_geos
from geo.errors import InvalidInput, NotFound
from geo.models import Boundary, Change, Place
from geo.querysets import User
from maps.ogc.parameters import Query

_IDENTIFIER: Final = re.compile(r"(?P<place>[a-z0-9.-]{1,600})(?:@(?P<edition>[0-9]{1,18}))?")


@dataclass(frozen=True, slots=True)
class Page:
    """A page of items.

    Attributes
    ----------
    rows : tuple of Boundary
        With what `editions` adds to each.
    matched : int
        How many items there are on all pages (`/req/core/fc-numberMatched`).
    """

    rows: tuple[Boundary, ...]
    matched: int


def editions(user: User) -> QuerySet[Boundary]:
    """Return the editions a user may see.

    Each has ``city_code``, ``valid_from``, ``wkb``, ``open_changes``, and the names that its change gives the place.
    """
    cities = Place.objects.filter(Under(OuterRef("place__path"), F("path")), kind=Place.Kind.CITY)
    pending = (
        Change.objects.visible_to(user)
        .filter(place=OuterRef("place"), change_set__status__in=("draft", "proposed", "returned"))
        .order_by()
        .values("place")
        .annotate(n=Count("pk"))
        .values("n")
    )
    found: QuerySet[Boundary] = (
        Boundary.objects.visible_to(user)
        .filter(place__in=Place.objects.visible_to(user).order_by().values("pk"))
        .select_related("place")
        .defer("geometry", "disputed")
        .annotate(
            city_code=Subquery(cities.values("code")[:1]),
            valid_from=RangeStartsWith("valid"),
            valid_to=RangeEndsWith("valid"),
            wkb=AsWKB("geometry"),
            open_changes=Coalesce(Subquery(pending, output_field=IntegerField()), 0),
            new_name_fa=F("change__name_fa"),
            new_name_en=F("change__name_en"),
        )
    )
    return found


def in_force(edition: Boundary, day: date) -> bool:
    """Tell whether an edition is the one in force on a day."""
    low, high = edition.valid.lower, edition.valid.upper
    is_then = (low is None or low <= day) and (high is None or day < high)
    return edition.status == Boundary.Status.APPROVED and is_then


def identifier_of(edition: Boundary, today: date) -> str:
    """Return the identifier of an edition."""
    place = edition.place.path.replace("/", ".")
    return place if in_force(edition, today) else f"{place}@{edition.pk}"


def page_read(query: Query, user: User) -> Page:
    """Return the items that were asked for.

    Where neither a day nor a status is asked for, these are the editions in force today; where a status is named, those of
    that status of all times.

    Raises
    ------
    InvalidInput
        If the database cannot evaluate the filter.
    """
    found = editions(user).filter(query.condition)
    names_status = "status" in query.names
    if not names_status:
        found = found.filter(status=Boundary.Status.APPROVED)
    if query.span is not None:
        found = found.filter(valid__overlap=DateRange(*query.span, bounds="[]"))
    elif not names_status:
        found = found.filter(valid__contains=timezone.localdate())
    if query.area_4326 is not None:
        found = found.filter(geometry__intersects=to_geos(query.area_4326))
    try:
        with transaction.atomic():
            matched = found.count()
            rows = tuple(
                found.order_by("place__path", "valid__startswith", "pk")[query.offset : query.offset + query.limit]
            )
    except (DataError, InternalError) as error:
        raise InvalidInput(
            "The filter cannot be evaluated.",
            code="bad_filter",
            where="parameter filter",
            remedy="Check its values and geometries.",
        ) from error
    return Page(rows, matched)


def item_get(identifier: str, user: User) -> Boundary:
    """Return the item of an identifier.

    Raises
    ------
    NotFound
        If there is none, or the user may not see it: which of the two is not said.
    """
    match = _IDENTIFIER.fullmatch(identifier)
    missing = NotFound(
        "There is no such boundary here, or you may not see it.",
        code="unknown_item",
        where=f"item {identifier[:80]}",
        remedy="See the identifiers in /ogc/collections/boundaries/items.",
    )
    if match is None:
        raise missing
    found = editions(user).filter(place__path=match["place"].replace(".", "/"))
    if match["edition"]:
        found = found.filter(pk=int(match["edition"]))
    else:
        found = found.filter(status=Boundary.Status.APPROVED, valid__contains=timezone.localdate())
    edition = found.first()
    if edition is None:
        raise missing
    return edition


def geometry_of(edition: Boundary) -> shapely.Geometry:
    """Return the geometry of an edition read by `editions`, longitude first."""
    return shapely.from_wkb(bytes(edition.wkb))  # type: ignore[attr-defined]


def extent_read(user: User) -> dict[str, Any]:
    """Return the extent in space and time of what a user may see in force or approved (`/req/core/fc-md-extent`)."""
    found = (
        Boundary.objects.visible_to(user)
        .approved()
        .aggregate(
            box=Extent("geometry"),
            first=Min(RangeStartsWith("valid")),
            last=Max("valid__endswith"),
            endless=Count("pk", filter=Q(valid__upper_inf=True)),
        )
    )
    if found["box"] is None:
        return {}
    ends = [found["first"], None if found["endless"] else found["last"]]
    interval = [f"{day.isoformat()}T00:00:00Z" if day else None for day in ends]
    return {
        "spatial": {"bbox": [list(found["box"])], "crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84"},
        "temporal": {"interval": [interval]},
    }

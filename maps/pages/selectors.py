"""What pages read from the database beside results: places, drawings, base layers, catalogue, what waits for whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from django.conf import settings
from django.contrib.gis.db.models.functions import AsWKB
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.urls import reverse
from django.utils.translation import ngettext

from analysis import selectors as analysis_selectors
from analysis.disclosure import may_analyse
from analysis.selectors import CityPlaces
from geo.core.measuring import area_m2
from geo.core.text import squeezed
from geo.errors import NotFound
from geo.models import Assignment, Boundary, ChangeSet, Place
from geo.querysets import User, is_administrator
from layers.models import Layer, Release, Standard, Supply
from maps.models import Publication
from maps.pages import formats, outlines
from maps.pages.figures import SETTLEMENT
from maps.pages.outlines import Drawing
from maps.pages.reader import language
from maps.tiles.queries import terrain_raster
from maps.tiles.terrain import raster_bounds_4326

BASE_LAYERS: Final[Mapping[str, str]] = {
    "roads": "roads",
    "river": "water",
    "water": "water",
    "buildings": "buildings",
    "elevation": "terrain",
    "green": "green",
    "green-areas": "green",
    "parks": "green",
    "bus-lines": "transit",
}
"""Codes of a city's own layers that the base map is drawn from, and the part each plays."""

_drawings: dict[str, Drawing] = {}
_MOST_DRAWINGS: Final = 64


def drawing_of(places: CityPlaces) -> Drawing:
    """Return the drawing of a city's places, made once for the same editions."""
    if places.key not in _drawings:
        while len(_drawings) >= _MOST_DRAWINGS:
            _drawings.pop(next(iter(_drawings)))
        _drawings[places.key] = outlines.draw(
            [row.code for row in places.rows], [row.kind == SETTLEMENT for row in places.rows], places.geometries_4326
        )
    return _drawings[places.key]


def drawing_read(city: Place, user: User) -> Drawing:
    """Return the drawing of a city's places that a user may see.

    Raises
    ------
    NotFound
        Where there are none.
    """
    places = analysis_selectors.places_read(city, user)
    if not places.rows:
        raise NotFound(
            f"{city.name_en} has no place with a boundary in force.",
            code="no_places",
            remedy="Load or approve boundaries first.",
            details={"city": city.name},
        )
    return drawing_of(places)


def place_get(city: Place, code: str, user: User) -> Place:
    """Return a neighbourhood or settlement of a city.

    Raises
    ------
    NotFound
        Where there is none, or the user may not know of it.
    """
    place = (
        Place.objects.visible_to(user)
        .filter(path__startswith=city.path + "/", code=code, kind__in=[Place.Kind.NEIGHBOURHOOD, Place.Kind.SETTLEMENT])
        .select_related("parent")
        .first()
    )
    if place is None:
        raise NotFound(
            f"{city.name_en} has no place {code!r}.",
            code="unknown_place",
            where=city.code,
            remedy="Choose one from the list on the city's page.",
            details={"city": city.name, "place": code},
        )
    return place


def editions_read(place: Place, user: User, most: int = 20) -> list[tuple[Boundary, float]]:
    """Return the editions of a place's boundary that a user may see, the newest first, each with its area in m²."""
    return _with_areas(Boundary.objects.visible_to(user).filter(place=place).order_by("-valid", "-version")[:most])


def edition_read(edition_id: int, user: User) -> tuple[Boundary, float] | None:
    """Return one edition of a boundary with its area in m²; None where the user may not see it."""
    found = _with_areas(Boundary.objects.visible_to(user).filter(pk=edition_id))
    return found[0] if found else None


def _with_areas(editions: QuerySet[Boundary]) -> list[tuple[Boundary, float]]:
    found = list(editions.annotate(wkb=AsWKB("geometry")))
    areas_m2 = area_m2(shapely.from_wkb([bytes(edition.wkb) for edition in found])) if found else np.zeros(0)
    return list(zip(found, areas_m2.tolist(), strict=True))


def base_layers(city: Place, user: User) -> list[dict[str, Any]]:
    """Return the layers the base map of a city is drawn from: code, role and, of the terrain, the bounds of its data."""
    visible = Layer.objects.visible_to(user).filter(city=city, code__in=BASE_LAYERS, releases__isnull=False)
    found: list[dict[str, Any]] = []
    for code, kind in visible.distinct().order_by("code").values_list("code", "kind"):
        role = BASE_LAYERS[code]
        if (kind == Layer.Kind.RASTER) != (role == "terrain"):
            continue
        layer: dict[str, Any] = {"code": code, "role": role, "kind": kind}
        if role == "terrain":
            file, _content_hash = terrain_raster(city.code, user)
            layer["bounds"] = list(raster_bounds_4326(settings.RASTER_DIR / file))
        found.append(layer)
    return found


def cities_visible(user: User) -> list[Place]:
    """Return the cities a user may see, by name."""
    return list(Place.objects.visible_to(user).cities().select_related("parent__parent").order_by("name_fa", "code"))


@dataclass(frozen=True, slots=True)
class Found:
    """One answer of the search."""

    name: str
    kind: str
    context: str
    address: str


def search(text: str, user: User, most: int = 30) -> list[Found]:
    """Find cities, neighbourhoods and settlements by a part of their name in either language, spaces or not."""
    if not squeezed(text):
        return []
    kinds = [Place.Kind.CITY, Place.Kind.NEIGHBOURHOOD, Place.Kind.SETTLEMENT]
    places = Place.objects.visible_to(user).filter(kind__in=kinds).matching(text).order_by("kind", "name_fa")[:most]
    cities = {city.path: city for city in cities_visible(user)}
    found = []
    for place in places:
        if place.kind == Place.Kind.CITY:
            found.append(Found(place.name, place.get_kind_display(), "", f"/{place.code}/"))
            continue
        city = next((c for path, c in cities.items() if place.path.startswith(path + "/")), None)
        if city is not None:
            found.append(Found(place.name, place.get_kind_display(), city.name, f"/{city.code}/{place.code}/"))
    return found


def publications_latest(user: User, most: int = 6, city: Place | None = None) -> list[Publication]:
    """Return the newest published maps."""
    found = (
        Publication.objects.visible_to(user)
        .filter(withdrawn_at__isnull=True)
        .select_related("city")
        .defer(*Publication.HEAVY)
    )
    return list((found.filter(city=city) if city else found)[:most])


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that waits for the reader: what, how many, and where it is done."""

    text: str
    address: str


def _changes_waiting(user: User) -> list[Waiting]:
    """Return by city the changes of boundaries that wait for the user: to be decided on, or to be drawn again."""
    sets = ChangeSet.objects.visible_to(user)
    decided = Place.objects.approvable_by(user)
    proposed = sets.filter(status=ChangeSet.Status.PROPOSED, changes__place__in=decided).exclude(author=user.pk)
    returned = sets.filter(status=ChangeSet.Status.RETURNED, author=user.pk)
    waiting = []
    for city, n in _by_city(proposed):
        text = ngettext(
            "%(n)s change of boundaries in %(city)s waits for a decision",
            "%(n)s changes of boundaries in %(city)s wait for a decision",
            n,
        ) % {"n": formats.number(n, language()), "city": city.name}
        waiting.append(Waiting(text, reverse("changes", args=[city.code]) + "?show=proposed"))
    for city, n in _by_city(returned):
        text = ngettext(
            "%(n)s of your changes of boundaries in %(city)s was returned",
            "%(n)s of your changes of boundaries in %(city)s were returned",
            n,
        ) % {"n": formats.number(n, language()), "city": city.name}
        waiting.append(Waiting(text, reverse("changes", args=[city.code]) + "?show=mine"))
    return waiting


def _by_city(change_sets: QuerySet[ChangeSet]) -> list[tuple[Place, int]]:
    rows = list(change_sets.order_by("place__path").values("place").annotate(n=Count("pk", distinct=True)))
    cities = Place.objects.in_bulk([row["place"] for row in rows])
    return [(cities[row["place"]], row["n"]) for row in rows]


def attention(user: User) -> list[Waiting]:
    """Return what waits for a signed-in user, from what is stored."""
    if not user.is_authenticated:
        return []
    lang, found = language(), []
    found += _changes_waiting(user)
    mine = Layer.objects.filter(city__in=Place.objects.analysable_by(user))
    newest = Release.objects.filter(layer=OuterRef("pk")).order_by("-number").values("warnings")[:1]
    warned = (
        mine.annotate(newest_warnings=Subquery(newest))
        .exclude(newest_warnings=[])
        .exclude(newest_warnings__isnull=True)
        .count()
    )
    if warned:
        text = ngettext(
            "the last import of %(n)s layer had warnings", "the last imports of %(n)s layers had warnings", warned
        )
        found.append(Waiting(text % {"n": formats.number(warned, lang)}, "/layers/?show=warnings"))
    used = Supply.objects.filter(city__in=Place.objects.analysable_by(user)).values("service")
    unverified = Standard.objects.filter(service__in=used, is_verified=False).values("service").distinct().count()
    if unverified:
        text = ngettext(
            "%(n)s standard in use has not been checked against an official text",
            "%(n)s standards in use have not been checked against an official text",
            unverified,
        )
        found.append(
            Waiting(
                text % {"n": formats.number(unverified, lang)},
                "/admin/layers/standard/?is_verified__exact=0" if is_administrator(user) else "",
            )
        )
    hidden = Place.objects.analysable_by(user).filter(kind=Place.Kind.CITY, is_published=False)
    for city in hidden[:5]:
        found.append(
            Waiting(
                ngettext("%(city)s is not published yet", "%(city)s is not published yet", 1) % {"city": city.name},
                f"/{city.code}/",
            )
        )
    return found


def roles_of(user: User) -> list[Assignment]:
    """Return a user's own assignments."""
    if not user.is_authenticated:
        return []
    return list(Assignment.objects.filter(user_id=user.pk).select_related("place"))


def may_draw(city: Place, user: User) -> bool:
    """Tell whether a user may edit any boundary of a city."""
    return bool(user.is_authenticated and Place.objects.within(city).editable_by(user).exists())


def may_publish(city: Place, user: User) -> bool:
    """Tell whether a user may publish results of a city."""
    return may_analyse(city, user)

"""What the catalogue reads: the layers that a reader may see, with their newest releases and how fresh these are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.conf import settings
from django.contrib.gis.db.models import Extent
from django.db.models import Case, CharField, DateField, F, Func, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.fields.json import KeyTextTransform
from django.utils import timezone

from geo.errors import NotFound
from geo.models import Place
from geo.querysets import User, assigned_q, is_administrator
from layers.models import Feature, Layer, Release, Supply, Theme
from layers.querysets import EDITORS
from maps.catalogue.asked import Wanted
from maps.tiles.terrain import raster_bounds_4326

PAGE: Final = 100


class _Months(Func):
    """A number of months as an interval."""

    template = "make_interval(months => %(expressions)s::integer)"


class _Later(Func):
    """A day some months later."""

    template = "(%(expressions)s)::date"
    arg_joiner = " + "
    output_field = DateField()


@dataclass(frozen=True, slots=True)
class Entry:
    """A layer with its newest release, as lists show it.

    Attributes
    ----------
    freshness : str
        See `maps.catalogue.asked.FRESHNESS`.
    due : date or None
        When the next release is wanted.
    """

    layer: Layer
    release: Release | None
    freshness: str
    due: date | None
    services: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of a list of layers.

    Attributes
    ----------
    total : int
        Layers that fit what is wanted, on all pages.
    there_are : int
        Layers that the reader may see at all, in this city or in all.
    """

    entries: tuple[Entry, ...]
    total: int
    there_are: int
    page: int
    pages: int
    themes: tuple[Theme, ...]
    kinds: tuple[str, ...]
    cities: tuple[Place, ...]
    warned: int
    archived: int


def layers_listed(user: User, wanted: Wanted, city: Place | None = None, today: date | None = None) -> Listing:
    """Return the layers that a reader may see and asks for, by city, theme and name."""
    seen = Layer.objects.visible_to(user)
    if city is not None:
        seen = seen.filter(city=city)
    current = seen.current()
    archived = seen.editable_by(user).filter(archived_at__isnull=False)
    found = with_freshness(archived if wanted.show == "archived" else current, today)
    found = found.matching(wanted.text) if wanted.text else found
    chosen = {
        "theme__code": wanted.theme,
        "kind": wanted.kind,
        "city__code": wanted.city,
        "freshness": wanted.freshness,
    }
    found = found.filter(**{name: value for name, value in chosen.items() if value})
    if wanted.show == "warnings":
        found = found.filter(_warned_q())
    total = found.count()
    pages = max(-(-total // PAGE), 1)
    page = min(wanted.page, pages)
    order = ("theme__position", "theme__code", "name_fa", "code")
    found = found.select_related("city__parent__parent", "theme").order_by("city__name_fa", "city__code", *order)
    return Listing(
        entries=tuple(_entries(list(found[(page - 1) * PAGE : page * PAGE]), user)),
        total=total,
        there_are=current.count(),
        page=page,
        pages=pages,
        themes=tuple(Theme.objects.filter(pk__in=current.order_by().values("theme"))),
        kinds=tuple(current.order_by("kind").values_list("kind", flat=True).distinct()),
        cities=tuple(Place.objects.filter(pk__in=current.order_by().values("city")).order_by("name_fa", "code")),
        warned=with_freshness(current, today).filter(_warned_q()).count(),
        archived=archived.count(),
    )


def with_freshness(layers: QuerySet[Layer], today: date | None = None) -> Any:
    """Add to layers what their newest release describes (``described``), when the next is due, and how fresh that is."""
    newest = Release.objects.filter(layer=OuterRef("pk")).order_by("-number")
    return layers.annotate(
        newest=Subquery(newest.values("pk")[:1]),
        described=Subquery(newest.values("reference_date")[:1]),
        newest_warnings=Subquery(newest.values("warnings")[:1]),
        due=_Later(F("described"), _Months(F("renewed_months"))),
    ).annotate(
        freshness=Case(
            When(newest__isnull=True, then=Value("empty")),
            When(due__isnull=True, then=Value("unknown")),
            When(due__lt=today or timezone.localdate(), then=Value("old")),
            default=Value("fresh"),
            output_field=CharField(),
        )
    )


def _warned_q() -> Q:
    return Q(newest_warnings__isnull=False) & ~Q(newest_warnings=[])


def _entries(layers: list[Any], user: User) -> list[Entry]:
    releases = Release.objects.defer("content_hash", "how", "difference").in_bulk([layer.newest for layer in layers])
    supplied: dict[int, list[str]] = {}
    supplies = Supply.objects.visible_to(user).filter(layer__in=[layer.pk for layer in layers])
    for supply in supplies.select_related("service").order_by("service__position"):
        supplied.setdefault(supply.layer_id, []).append(supply.service.name)
    return [
        Entry(one, releases.get(one.newest), one.freshness, one.due, tuple(supplied.get(one.pk, ()))) for one in layers
    ]


def may_edit_any(user: User) -> bool:
    """Tell whether a user may change layers anywhere."""
    if is_administrator(user):
        return True
    return Place.objects.cities().filter(assigned_q(user, roles=EDITORS)).exists()


def layer_get(city: Place, code: str, user: User) -> Any:
    """Return a layer of a city that a user may see, archived or not, with its freshness.

    Raises
    ------
    NotFound
        Where there is none, or the user may not know of it; the two are not told apart.
    """
    seen = Layer.objects.visible_to(user).filter(city=city, code=code)
    found = with_freshness(seen).select_related("city", "theme").first()
    if found is None:
        raise NotFound(
            f"{city.name_en} has no layer {code[:60]!r}.",
            code="unknown_layer",
            where=city.code,
            remedy="Choose one from the list of the city's data.",
            details={"city": city.name, "layer": code[:60]},
        )
    return found


def release_get(layer: Layer, number: int | None) -> Release | None:
    """Return a release of a layer, the newest where no number is given; None where it has none.

    Raises
    ------
    NotFound
        Where the layer has no release of that number.
    """
    if number is None:
        return layer.releases.select_related("author").order_by("-number").first()
    found = layer.releases.select_related("author").filter(number=number).first()
    if found is None:
        raise NotFound(
            f"The layer has no release {number}.",
            code="unknown_release",
            where=layer.code,
            remedy="Choose one from the list of its releases.",
            details={"layer": layer.name, "release": number},
        )
    return found


def releases_of(layer: Layer, most: int = 50) -> list[Release]:
    """Return the releases of a layer, the newest first."""
    found = layer.releases.select_related("author").defer("content_hash", "how")
    return list(found.annotate(restored=KeyTextTransform("restored", "how")).order_by("-number")[:most])


def bounds_of(layer: Layer, release: Release | None) -> tuple[float, float, float, float] | None:
    """Return west, south, east and north of what a release holds; None where it holds nothing."""
    if release is None:
        return None
    if release.bounds_4326 is not None:
        return release.bounds_4326
    if layer.kind == Layer.Kind.RASTER:
        raster = getattr(release, "raster", None)
        path = settings.RASTER_DIR / raster.file if raster else None
        return raster_bounds_4326(path) if path is not None and path.is_file() else None
    box = Feature.objects.of(release).aggregate(box=Extent("geometry"))["box"]
    return tuple(box) if box else None

"""The items of a layer: what is asked of them, the page that answers it, and each as a GeoJSON feature."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import shapely
from django.contrib.gis.db.models import GeometryField
from django.contrib.gis.db.models.functions import AsWKB
from django.db import DataError, InternalError, transaction
from django.db.models import F, Q, QuerySet, Value
from django.http import QueryDict
from shapely.geometry import mapping

from analysis.disclosure import suppressed
from geo.core.crs import STORAGE_EPSG
from geo.db.shapes import to_geos
from geo.db.spatial import BoxesOverlap
from geo.errors import InvalidInput, NotFound
from layers.models import Feature
from maps.ogc.crs import DEFAULT, Crs, crs_of, to_crs
from maps.ogc.filtering import LANGUAGES, equals, filter_of
from maps.ogc.layers.selection import Collection, annotated
from maps.ogc.parameters import CARRIED, DEFAULT_LIMIT, area_of, known_only, span_of, whole_number
from maps.tiles.expressions import InTileCrs

MOST_LIMIT: Final = 10_000
OF_ITEMS: Final = (
    "f", "limit", "after", "bbox", "bbox-crs", "datetime", "crs", "filter", "filter-lang", "filter-crs",
)  # fmt: skip
_LARGEST_NUMBER: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Query:
    """What was asked of the items; `after` is the number behind which the page begins."""

    limit: int = DEFAULT_LIMIT
    after: int = 0
    crs: Crs = DEFAULT
    area_4326: shapely.Geometry | None = None
    condition: Q = field(default_factory=Q)
    names: frozenset[str] = frozenset()

    @property
    def is_all(self) -> bool:
        """Whether every item is asked for."""
        return self.area_4326 is None and not self.condition


@dataclass(frozen=True, slots=True)
class Item:
    """A feature as it is stored."""

    number: int
    name: str
    attributes: dict[str, Any]
    geometry_4326: shapely.Geometry


@dataclass(frozen=True, slots=True)
class Page:
    """A page of items; `has_more` tells whether another follows."""

    items: tuple[Item, ...]
    matched: int
    has_more: bool


def query_of(given: QueryDict, collection: Collection) -> Query:
    """Read the query of the items (`/req/core/query-param-invalid`).

    Raises
    ------
    InvalidInput
        Naming the parameter that cannot be used.
    """
    own = tuple(name for name in collection.scalars if name not in OF_ITEMS)
    carried = tuple(name for name in CARRIED if name not in own and name not in OF_ITEMS)
    sent = known_only(given, (*OF_ITEMS, *own, *carried))
    box_crs = crs_of(sent["bbox-crs"], "parameter bbox-crs") if "bbox-crs" in sent else DEFAULT
    condition, names = Q(), set[str]()
    for name in own:
        if name in sent:
            condition &= equals(name, sent[name], collection.vocabulary)
            names.add(name)
    language = sent.get("filter-lang", LANGUAGES[0])
    if language not in LANGUAGES:
        raise InvalidInput(
            "There is no such filter language.",
            code="unknown_language",
            where="parameter filter-lang",
            remedy=f"Give {' or '.join(LANGUAGES)}.",
        )
    filter_crs = crs_of(sent["filter-crs"], "parameter filter-crs") if "filter-crs" in sent else DEFAULT
    if "filter" in sent:
        found = filter_of(sent["filter"], language, filter_crs, collection.vocabulary)
        condition &= found.condition
        names |= found.names
    if "datetime" in sent:
        span_of(
            sent["datetime"]
        )  # nothing here has a time of its own, so every time fits (`/req/core/fc-time-response`)
    return Query(
        limit=min(whole_number(sent, "limit", DEFAULT_LIMIT, 1), MOST_LIMIT),
        after=min(whole_number(sent, "after", 0, 0), _LARGEST_NUMBER),
        crs=crs_of(sent["crs"], "parameter crs") if "crs" in sent else DEFAULT,
        area_4326=area_of(sent["bbox"], box_crs) if "bbox" in sent else None,
        condition=condition,
        names=frozenset(names),
    )


def page_read(collection: Collection, query: Query) -> Page:
    """Return the items that were asked for, in the order of their numbers.

    Raises
    ------
    InvalidInput
        If the database cannot evaluate the filter.
    """
    release = collection.release
    if release is None:
        return Page((), 0, has_more=False)
    found = _asked(Feature.objects.of(release), collection, query)
    try:
        with transaction.atomic():
            matched = release.row_count if query.is_all else found.count()
            rows = list(_columns(found.filter(number__gt=query.after).order_by("number"))[: query.limit + 1])
    except (DataError, InternalError) as error:
        raise InvalidInput(
            "The filter cannot be evaluated.",
            code="bad_filter",
            where="parameter filter",
            remedy="Check its values and geometries.",
        ) from error
    return Page(_items(rows[: query.limit]), matched, has_more=len(rows) > query.limit)


def item_get(collection: Collection, identifier: str) -> Item:
    """Return the item of an identifier: its number in the release.

    Raises
    ------
    NotFound
        If there is none.
    """
    rows: list[Any] = []
    if collection.release and identifier.isascii() and identifier.isdigit() and int(identifier[:11]) <= _LARGEST_NUMBER:
        rows = list(_columns(Feature.objects.of(collection.release).filter(number=int(identifier[:11])))[:1])
    if not rows:
        raise NotFound(
            "There is no such feature in this layer.",
            code="unknown_item",
            where=f"item {identifier[:80]}",
            remedy=f"See the identifiers in /ogc/{collection.path}/items.",
        )
    return _items(rows)[0]


def features_of(items: tuple[Item, ...], collection: Collection, crs: Crs) -> list[dict[str, Any]]:
    """Return items as GeoJSON features in a CRS (`/req/geojson/content`, `/req/crs/geojson`)."""
    geometries = np.empty(len(items), dtype=object)
    geometries[:] = [item.geometry_4326 for item in items]
    return [
        {
            "type": "Feature",
            "id": item.number,
            "geometry": mapping(geometry),
            "properties": properties_of(item, collection),
        }
        for item, geometry in zip(items, to_crs(geometries, crs), strict=True)
    ]


def properties_of(item: Item, collection: Collection) -> dict[str, Any]:
    """Return the attributes as they are stored, with the name where it is none of them; small counts of people are left out."""
    found = item.attributes if not item.name or "name" in item.attributes else {"name": item.name, **item.attributes}
    return {name: _told(value) if name in collection.hidden else value for name, value in found.items()}


def _told(value: Any) -> Any:
    return value if isinstance(value, int | float) and not suppressed(value) else None


def _asked(found: QuerySet[Feature], collection: Collection, query: Query) -> QuerySet[Feature]:
    if query.area_4326 is not None:
        area = Value(to_geos(query.area_4326), output_field=GeometryField(srid=STORAGE_EPSG))
        found = found.filter(BoxesOverlap(F("geometry_3857"), InTileCrs(area)), geometry__intersects=area.value)
    return annotated(found, collection, query.names).filter(query.condition)


def _columns(found: QuerySet[Feature]) -> QuerySet[Any, Any]:
    return found.annotate(wkb=AsWKB("geometry")).values_list("number", "name", "attributes", "wkb")


def _items(rows: list[Any]) -> tuple[Item, ...]:
    geometries = shapely.from_wkb([bytes(row[3]) for row in rows])
    return tuple(
        Item(number, name, attributes, geometry)
        for (number, name, attributes, _), geometry in zip(rows, geometries, strict=True)
    )

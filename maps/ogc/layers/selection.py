"""Which layers are collections, for whom, and what can be asked of each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from django.db.models import (
    BooleanField,
    Case,
    DateTimeField,
    Expression,
    F,
    FloatField,
    Func,
    QuerySet,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast, Left
from django.db.models.lookups import Exact
from django.utils.translation import gettext as _

from analysis.disclosure import is_insider, people_fields
from geo.db import sql
from geo.errors import NotFound
from geo.models import Place
from geo.querysets import User
from layers.models import Feature, Layer, Release
from maps.ogc.filtering import Vocabulary
from maps.ogc.queryables import Queryable, Type

GEOMETRIES: Final[dict[str, str]] = {
    Layer.Kind.POINT: "Point",
    Layer.Kind.LINE: "LineString",
    Layer.Kind.POLYGON: "Polygon",
}
_TYPES: Final[dict[str, Type]] = {
    "text": "string", "string": "string", "integer": "integer", "number": "number", "boolean": "boolean", "date": "date",
    "datetime": "datetime",
}  # fmt: skip
_MOST_FIELDS: Final = 1_000
"""Fields of a release that can be filtered by."""


@dataclass(frozen=True, slots=True)
class Collection:
    """A layer as a collection.

    Attributes
    ----------
    layer : Layer
        With its city and theme.
    release : Release or None
        The newest.
    vocabulary : Vocabulary
        What can be filtered by; properties are written under these names.
    hidden : frozenset of str
        Fields that say how many people there are, of which this reader is not told small numbers.
    """

    layer: Layer
    release: Release | None
    vocabulary: Vocabulary
    hidden: frozenset[str]

    @property
    def identifier(self) -> str:
        """Its name in addresses."""
        return f"{self.layer.city.code}.{self.layer.code}"

    @property
    def path(self) -> str:
        """Its address below the landing page."""
        return f"collections/{self.identifier}"

    @property
    def scalars(self) -> tuple[str, ...]:
        """The queryables that are no geometry."""
        return tuple(name for name, item in self.vocabulary.queryables.items() if item.type != "geometry")


def layers_seen(user: User) -> QuerySet[Layer]:
    """Return the layers that are collections for a user."""
    seen: QuerySet[Layer] = Layer.objects.visible_to(user).current()
    return (
        seen.filter(city__kind=Place.Kind.CITY)
        .exclude(kind=Layer.Kind.RASTER)
        .select_related("city", "theme")
        .order_by("city__code", "code")
    )


def collection_get(identifier: str, user: User) -> Collection:
    """Return the collection of a layer.

    Raises
    ------
    NotFound
        If there is none, or the user may not see it: which of the two is not said.
    """
    city, _dot, code = identifier.partition(".")
    layer = layers_seen(user).filter(city__code=city, code=code).first() if code and "\0" not in identifier else None
    if layer is None:
        raise no_collection(identifier)
    return collection_of(layer, user)


def no_collection(identifier: str) -> NotFound:
    """Return the error for a collection that is not there, or not for this reader."""
    return NotFound(
        "There is no such collection here, or you may not see it.",
        code="unknown_collection",
        where=f"collection {identifier[:130]}",
        remedy="See the collections in /ogc/collections.",
    )


def collection_of(layer: Layer, user: User) -> Collection:
    """Return a layer that a user may see as a collection."""
    release = layer.releases.order_by("-number").first()
    is_told = is_insider(user, layer.city)
    hidden = frozenset[str]() if is_told else people_fields(layer)
    fields = _fields(release, layer) if release else {}
    queryables = {
        "name": Queryable("name", _("Name"), "string", "name"),
        **{name: item for name, item in fields.items() if name not in hidden},
        "geometry": Queryable("geometry", _("Geometry"), "geometry", "geometry", geometry=GEOMETRIES[layer.kind]),
    }
    vocabulary = Vocabulary(queryables, "number", {"id": ""}, has_text_days=True)
    return Collection(layer, release, vocabulary, hidden)


def _fields(release: Release, layer: Layer) -> dict[str, Queryable]:
    """Return the fields of a release as queryables, in order."""
    told = {str(item.get("name")): item for item in layer.schema}
    known: dict[str, Queryable] = {}
    for name, kind in _types_of(release):
        if name in ("geometry", "name") or "\0" in name or len(known) >= _MOST_FIELDS:
            continue
        schema = told.get(name, {})
        title = str(schema.get("title_en") or name)
        unit = f" ({schema['unit']})" if schema.get("unit") else ""
        known[name] = Queryable(name, f"{title}{unit}", kind, f"field_{len(known)}")
    return known


def _types_of(release: Release) -> list[tuple[str, Type]]:
    """Return names and types of the fields: as they were read, else as they are found in the rows."""
    if release.fields:
        return [(str(item["name"]), _TYPES.get(str(item.get("type")), "string")) for item in release.fields]
    return _types_found(release.pk, release.shelf)


@lru_cache(maxsize=1000)
def _types_found(release: int, shelf: int) -> list[tuple[str, Type]]:
    rows = sql.rows("maps", "fields_found", {"release": release, "shelf": shelf}, {"feature": Feature})
    types: dict[str, Type] = {"number": "number", "boolean": "boolean"}
    return [(name, types.get(kinds[0], "string") if kinds and len(kinds) == 1 else "string") for name, kinds in rows]


def annotated(found: QuerySet[Feature], collection: Collection, names: frozenset[str]) -> QuerySet[Feature]:
    """Give features the typed values of the fields that a filter speaks of."""
    columns: dict[str, Expression] = {}
    for name in names:
        item = collection.vocabulary.queryables[name]
        if item.lookup.startswith("field_"):
            columns[item.lookup] = _value_of(name, item.type)
    return found.alias(**columns)


def _value_of(name: str, kind: Type) -> Expression:
    """Return the value of a field as what it is, NULL where a row has something else there."""
    text = Func(
        F("attributes"), Value(name), template="(%(expressions)s)", arg_joiner=" ->> ", output_field=TextField()
    )
    if kind in ("integer", "number"):
        return _where_typed(name, "number", Cast(text, FloatField()))
    if kind == "boolean":
        return _where_typed(name, "boolean", Cast(text, BooleanField()))
    if kind == "date":
        return Left(text, 10)
    return Cast(text, DateTimeField()) if kind == "datetime" else text


def _where_typed(name: str, json_type: str, value: Expression) -> Expression:
    stored = Func(
        F("attributes"), Value(name), template="(%(expressions)s)", arg_joiner=" -> ", output_field=TextField()
    )
    found = Func(stored, function="jsonb_typeof", output_field=TextField())
    return Case(When(Exact(found, Value(json_type)), then=value))

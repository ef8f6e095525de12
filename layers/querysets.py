"""Querysets of layers and what they hold; visibility follows the layer and its city."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, Final, Self

from django.contrib.gis.db.models import GeometryField
from django.contrib.gis.geos import GEOSGeometry
from django.db import transaction
from django.db.models import Exists, F, Func, IntegerField, Max, OuterRef, Q, QuerySet, Subquery, Value

from geo.core.crs import STORAGE_EPSG, TILE_EPSG
from geo.core.text import normalise
from geo.db.paths import Under
from geo.db.spatial import BoxesOverlap, SpatialQuerySet
from geo.querysets import User, assigned_q, is_administrator
from layers.partitions import partitions_drop

if TYPE_CHECKING:
    from layers.models import Release


EDITORS: Final = ("analyst", "planner", "administrator")
"""The roles that may change layers, and see all of them."""


def layer_seen_q(user: User, layer: str = "") -> Q:
    """Return the condition "a user may see this layer".

    A layer is seen by everybody, by everybody signed in, or by people with a role in its city (all of them, or only some
    roles); the first two only where the city itself is published.

    Parameters
    ----------
    layer : str
        Lookup of the layer from the queryset's model, such as ``release__layer``; empty for layers themselves.
    """
    at = f"{layer}__" if layer else ""
    if is_administrator(user):
        return Q()
    open_to = ["public", "signed-in"] if user.is_authenticated and user.is_active else ["public"]
    is_open = Q(**{f"{at}visibility__in": open_to, f"{at}city__is_published": True})
    return is_open | _assigned_and_named_q(user, at)


def _assigned_and_named_q(user: User, at: str) -> Q:
    """Return the condition "the user has a role over the layer's city, and it is one of those that may see the layer"."""
    from geo.models import Assignment

    if not (user.is_authenticated and user.is_active):
        return Q(pk__in=[])
    named = OuterRef(f"{at}seen_by_roles")
    held = Assignment.objects.filter(user_id=user.pk).alias(
        _roles=Func(named, function="cardinality", output_field=IntegerField()),
        _position=Func(named, F("role"), function="array_position", output_field=IntegerField()),
    )
    under = Under(OuterRef(f"{at}city__path"), F("place__path"))
    return Q(Exists(held.filter(under, Q(_roles=0) | Q(_position__isnull=False) | Q(role__in=EDITORS))))


def supplying_q(where: Mapping[str, Any]) -> Q:
    """Return the condition "the feature's attributes have the values given"; a list of values means any of them."""
    found = Q()
    for field, wanted in where.items():
        values = wanted if isinstance(wanted, list) else [wanted]
        found &= reduce(or_, (Q(attributes__contains={field: value}) for value in values))
    return found


class LayerQuerySet(QuerySet[Any]):
    """Layers."""

    def visible_to(self, user: User) -> Self:
        """Keep the layers a user may see."""
        return self.filter(layer_seen_q(user))

    def editable_by(self, user: User) -> Self:
        """Keep the layers whose data and description a user may change."""
        if is_administrator(user):
            return self
        return self.filter(assigned_q(user, "city__path", roles=EDITORS))

    def current(self) -> Self:
        """Leave out archived layers."""
        return self.filter(archived_at__isnull=True)

    def matching(self, text: str) -> Self:
        """Keep layers in whose names, owner, source or description every word is found, in either language."""
        found = self
        for word in normalise(text).split():
            found = found.filter(search_name__contains=word)
        return found


class ReleaseQuerySet(QuerySet[Any]):
    """Releases of layers."""

    def visible_to(self, user: User) -> Self:
        """Keep the releases of layers a user may see."""
        return self.filter(layer_seen_q(user, "layer"))

    def latest(self) -> Self:  # type: ignore[override]
        """Keep the newest release of each layer."""
        newest = self.model.objects.filter(layer=OuterRef("layer")).order_by("-number").values("pk")[:1]
        return self.filter(pk=Subquery(newest))

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete them with all they hold; the tables that large ones have of their own go too."""
        with transaction.atomic():
            partitions_drop(self.order_by().values_list("shelf", flat=True))
            return super().delete()

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]

    def next_number(self, layer: Any) -> int:
        """Return the number a new release of a layer gets."""
        return int(self.filter(layer=layer).aggregate(top=Max("number"))["top"] or 0) + 1


class OfReleaseQuerySet(SpatialQuerySet):
    """What a release holds: features, or a raster."""

    def visible_to(self, user: User) -> Self:
        """Keep what belongs to layers a user may see."""
        return self.filter(layer_seen_q(user, "release__layer"))


class _InTiles(Func):
    function = "ST_Transform"
    output_field = GeometryField(srid=TILE_EPSG)


class FeatureQuerySet(OfReleaseQuerySet):
    """Features."""

    tile_field = "geometry_3857"

    def of(self, release: Release | Any) -> Self:
        """Keep the features of a release; names its shelf too, so that one partition is looked at."""
        return self.filter(release_id=release.pk, shelf=release.shelf)

    def near_box(self, geometry: GEOSGeometry) -> Self:
        """Keep what overlaps a geometry's box, by the index."""
        return self.filter(
            BoxesOverlap(
                F("geometry_3857"),
                _InTiles(
                    Value(geometry, output_field=GeometryField(srid=geometry.srid or STORAGE_EPSG)), Value(TILE_EPSG)
                ),
            )
        )

    def intersecting(self, geometry: GEOSGeometry) -> Self:
        """Keep what shares at least a point with a geometry."""
        return super(FeatureQuerySet, self.near_box(geometry)).intersecting(geometry)

    def supplying(self, where: Mapping[str, Any]) -> Self:
        """Keep the features whose attributes have the values given; a list of values means any of them."""
        return self.filter(supplying_q(where))


class UploadQuerySet(QuerySet[Any]):
    """Files on their way in."""

    def visible_to(self, user: User) -> Self:
        """Keep the uploads of cities whose layers a user may change."""
        if is_administrator(user):
            return self
        if not (user.is_authenticated and user.is_active):
            return self.none()
        return self.filter(assigned_q(user, "city__path", roles=EDITORS))


class FieldMappingQuerySet(QuerySet[Any]):
    """Kept mappings of fields."""

    def visible_to(self, user: User) -> Self:
        """Keep the mappings of layers a user may change."""
        if is_administrator(user):
            return self
        return self.filter(assigned_q(user, "layer__city__path", roles=EDITORS))


class AttachmentQuerySet(QuerySet[Any]):
    """Photos and documents about features."""

    def visible_to(self, user: User) -> Self:
        """Keep public ones of layers a user may see, and all in cities where the user has a role."""
        if is_administrator(user):
            return self
        seen = self.filter(layer_seen_q(user, "layer"))
        return seen.filter(Q(is_public=True, archived_at__isnull=True) | assigned_q(user, "layer__city__path"))


class OfCityQuerySet(QuerySet[Any]):
    """Settings of a city that are as visible as the city itself."""

    def visible_to(self, user: User) -> Self:
        """Keep those of cities a user may see."""
        if is_administrator(user):
            return self
        return self.filter(Q(city__isnull=True) | Q(city__is_published=True) | assigned_q(user, "city__path"))


class TaxonomyQuerySet(QuerySet[Any]):
    """Words shared by all cities (themes, services): everybody sees them."""

    def visible_to(self, user: User) -> Self:
        """Keep all."""
        return self

"""Querysets of layers and what they hold; visibility follows the layer and its city."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Any, Self

from django.db.models import Max, OuterRef, Q, QuerySet, Subquery

from geo.db.spatial import SpatialQuerySet
from geo.querysets import User, assigned_q, is_administrator


class LayerQuerySet(QuerySet[Any]):
    """Layers."""

    def visible_to(self, user: User) -> Self:
        """Keep published layers of published cities, and all layers where the user is assigned."""
        if is_administrator(user):
            return self
        return self.filter(Q(is_published=True, city__is_published=True) | assigned_q(user, "city__path"))


class ReleaseQuerySet(QuerySet[Any]):
    """Releases of layers."""

    def visible_to(self, user: User) -> Self:
        """Keep the releases of layers a user may see."""
        if is_administrator(user):
            return self
        return self.filter(
            Q(layer__is_published=True, layer__city__is_published=True) | assigned_q(user, "layer__city__path")
        )

    def latest(self) -> Self:  # type: ignore[override]
        """Keep the newest release of each layer."""
        newest = self.model.objects.filter(layer=OuterRef("layer")).order_by("-number").values("pk")[:1]
        return self.filter(pk=Subquery(newest))

    def next_number(self, layer: Any) -> int:
        """Return the number a new release of a layer gets."""
        return int(self.filter(layer=layer).aggregate(top=Max("number"))["top"] or 0) + 1


class OfReleaseQuerySet(SpatialQuerySet):
    """What a release holds: features, or a raster."""

    tile_field = "geometry_3857"

    def visible_to(self, user: User) -> Self:
        """Keep what belongs to layers a user may see."""
        if is_administrator(user):
            return self
        return self.filter(
            Q(release__layer__is_published=True, release__layer__city__is_published=True)
            | assigned_q(user, "release__layer__city__path")
        )

    def supplying(self, where: Mapping[str, Any]) -> Self:
        """Keep the features whose attributes have the values given; a list of values means any of them."""
        found = self
        for field, wanted in where.items():
            values = wanted if isinstance(wanted, list) else [wanted]
            found = found.filter(reduce(or_, (Q(attributes__contains={field: value}) for value in values)))
        return found


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

"""Which rows tiles are made of, as far as a reader may see them."""

from __future__ import annotations

from django.db.models import QuerySet

from geo.errors import InvalidInput, NotFound
from geo.models import Place
from geo.querysets import User
from layers.models import Layer


def visible_layers(city_code: str, layer_code: str, user: User) -> QuerySet[Layer]:
    """Return the one layer of these codes, if the user may see it."""
    visible: QuerySet[Layer] = Layer.objects.visible_to(user)
    return visible.filter(city__kind=Place.Kind.CITY, city__code=city_code, code=layer_code)


def no_city(city_code: str) -> NotFound:
    """Return the error for a city that is not there, or not for this reader: the two look the same."""
    return NotFound(
        "There is no such city here.", code="no_such_city", where=city_code, remedy="Check the address, or log in."
    )


def no_layer(city_code: str, layer_code: str) -> NotFound:
    """Return the error for a layer that is not there, or not for this reader: the two look the same."""
    return NotFound(
        "There is no such layer here.",
        code="no_such_layer",
        where=f"{city_code}/{layer_code}",
        remedy="Check the address, or log in.",
    )


def is_raster(layer_code: str) -> InvalidInput:
    """Return the error for a raster that was asked for as vector tiles."""
    return InvalidInput(
        "A raster has no vector tiles.",
        code="is_raster",
        where=layer_code,
        remedy="Choose a layer of points, lines or polygons.",
    )

"""What TileJSON says about the tiles of a city: where they are, at which zooms, with which fields, from which source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.gis.db.models import Extent
from django.contrib.postgres.aggregates import BoolOr
from django.db.models import Q

from geo.models import Boundary, Place
from geo.querysets import User
from layers.models import Feature, Layer
from maps.tiles.address import DEEPEST_ZOOM
from maps.tiles.queries import FEATURE_ATTRIBUTES, PLACE_KINDS
from maps.tiles.selection import is_raster, newest_release, no_city, no_layer, visible_layers
from maps.tiles.zooms import EVERY_ZOOM, Zooms, zoom_columns, zooms_of

Bounds = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Description:
    """What a client must know before it asks for tiles.

    Attributes
    ----------
    name, attribution : str
        In the reader's language; the source and licence.
    bounds_4326 : tuple or None
        West, south, east, north; None if there is nothing.
    zooms : Zooms
        Below the first, tiles are empty; below the second they hold the main features alone.
    layer : str
        Name of the MVT layer.
    fields : dict
        Properties of its features.
    """

    name: str
    attribution: str
    bounds_4326: Bounds | None
    zooms: Zooms
    layer: str
    fields: dict[str, str]

    def as_tilejson(self, template: str) -> dict[str, Any]:
        """Return a TileJSON 3.0.0 object; `template` is the tiles' full address with ``{z}/{x}/{y}`` in it."""
        answer: dict[str, Any] = {
            "tilejson": "3.0.0",
            "name": self.name,
            "attribution": self.attribution,
            "scheme": "xyz",
            "tiles": [template],
            "minzoom": self.zooms.first,
            "maxzoom": DEEPEST_ZOOM,
            "wholezoom": self.zooms.whole,
            "vector_layers": [
                {"id": self.layer, "fields": self.fields, "minzoom": self.zooms.first, "maxzoom": DEEPEST_ZOOM}
            ],
        }
        if self.bounds_4326:
            answer["bounds"] = list(self.bounds_4326)
        return answer


def place_description(city_code: str, user: User) -> Description:
    """Describe the tiles of a city's neighbourhoods and settlements.

    Raises
    ------
    NotFound
        If there is no such city, or the user may not see it.
    """
    city = Place.objects.visible_to(user).filter(kind=Place.Kind.CITY, code=city_code).first()
    if city is None:
        raise no_city(city_code)
    boundaries = (
        Boundary.objects.visible_to(user)
        .current()
        .filter(place__path__startswith=city.path + "/", place__kind__in=PLACE_KINDS)
    )
    return Description(
        name=city.name,
        attribution=" · ".join(boundaries.order_by("source").values_list("source", flat=True).distinct()),
        bounds_4326=boundaries.aggregate(box=Extent("geometry"))["box"],
        zooms=EVERY_ZOOM,
        layer="places",
        fields=dict.fromkeys(("code", "kind", "name_fa", "name_en"), "String"),
    )


def layer_description(city_code: str, layer_code: str, user: User) -> Description:
    """Describe the tiles of a layer's newest release.

    Raises
    ------
    NotFound
        If there is no such layer, or the user may not see it.
    InvalidInput
        If the layer is a raster.
    """
    layer = (
        visible_layers(city_code, layer_code, user)
        .annotate(release=newest_release("pk"), shelf=newest_release("shelf"), _rows=newest_release("row_count"))
        .annotate(**zoom_columns())
        .first()
    )
    if layer is None:
        raise no_layer(city_code, layer_code)
    if layer.kind == Layer.Kind.RASTER:
        raise is_raster(layer_code)
    held = Feature.objects.filter(release=layer.release, shelf=layer.shelf or 0).aggregate(
        box=Extent("geometry"), **{name: BoolOr(Q(attributes__has_key=name)) for name in FEATURE_ATTRIBUTES}
    )
    fields = {
        "number": "Number",
        "name": "String",
        "services": "String: codes of the services provided, each between commas",
    }
    return Description(
        name=layer.name,
        attribution=" · ".join(part for part in (layer.source_text, layer.licence) if part),
        bounds_4326=held["box"],
        zooms=zooms_of(vars(layer)) if layer.release else EVERY_ZOOM,
        layer="features",
        fields=fields | {name: "String, Number or Boolean" for name in FEATURE_ATTRIBUTES if held[name]},
    )

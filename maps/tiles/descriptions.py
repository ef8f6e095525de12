"""What TileJSON says about the tiles of a city: where they are, at which zooms, with which fields, from which source."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.contrib.gis.db.models import Extent
from django.contrib.postgres.aggregates import BoolOr
from django.db.models import Q

from geo.models import Boundary, Place
from geo.querysets import User
from layers.models import Feature, Release
from maps.tiles.address import DEEPEST_ZOOM
from maps.tiles.drawing import OWN_SHAPE_STEPS
from maps.tiles.queries import PLACE_KINDS, layer_source, whole_zoom
from maps.tiles.rows import FEATURE_ATTRIBUTES
from maps.tiles.selection import no_city

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
    whole_zoom : int
        From which zoom on every feature is drawn by itself; below it, what is small is drawn together.
    layer : str
        Name of the MVT layer.
    fields : dict
        Properties of its features.
    """

    name: str
    attribution: str
    bounds_4326: Bounds | None
    whole_zoom: int
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
            "minzoom": 0,
            "maxzoom": DEEPEST_ZOOM,
            "wholezoom": self.whole_zoom,
            "vector_layers": [{"id": self.layer, "fields": self.fields, "minzoom": 0, "maxzoom": DEEPEST_ZOOM}],
        }
        if self.whole_zoom:
            answer["description"] = (
                f"No feature is left out. Below zoom {self.whole_zoom} features smaller than {OWN_SHAPE_STEPS // 8} pixels are drawn on "
                "a grid of one or two pixels; those that look the same there are drawn once, and the property count says how many "
                "they are. What stands for several has no number, name or attributes."
            )
            answer["generalisation"] = {"below_zoom": self.whole_zoom, "count": "count", "is_complete": True}
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
        whole_zoom=0,
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
    layer, source = layer_source(city_code, layer_code, user)
    whole = whole_zoom(source) if source else 0
    held = held_by(source.release) if source else Held(None, ())
    fields = {
        "number": "Number",
        "name": "String",
        **({"count": "Number: features drawn as one"} if whole else {}),
        "services": "String: codes of the services provided, each between commas",
    }
    return Description(
        name=layer.name,
        attribution=" · ".join(part for part in (layer.source_text, layer.licence) if part),
        bounds_4326=held.bounds_4326,
        whole_zoom=whole,
        layer="features",
        fields=fields | dict.fromkeys(held.attributes, "String, Number or Boolean"),
    )


@dataclass(frozen=True, slots=True)
class Held:
    """What a release holds, as far as its tiles tell: where, and which of the attributes that tiles carry."""

    bounds_4326: Bounds | None
    attributes: tuple[str, ...]


@lru_cache(maxsize=1000)
def held_by(release_id: int) -> Held:
    """Return what a release holds: as it was told when it was stored, else as the rows say; it never changes."""
    release = Release.objects.get(pk=release_id)
    if release.bounds_4326 and release.fields:
        names = {str(told.get("name")) for told in release.fields}
        return Held(release.bounds_4326, tuple(name for name in FEATURE_ATTRIBUTES if name in names))
    columns = {f"has_{name}": BoolOr(Q(attributes__has_key=name)) for name in FEATURE_ATTRIBUTES}
    held = Feature.objects.of(release).aggregate(box=Extent("geometry"), **columns)
    return Held(held["box"], tuple(name for name in FEATURE_ATTRIBUTES if held[f"has_{name}"]))

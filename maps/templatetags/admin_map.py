"""Which tiles lie below the maps of the admin."""

from __future__ import annotations

import json
from typing import Final

from django import template
from django.urls import reverse

from layers.models import Layer

register = template.Library()

BASE_LAYERS: Final = ("river", "roads", "buildings")
"""Layers that help to find one's way, drawn from below upwards, where a city has them."""


@register.simple_tag
def admin_base_map(city_code: str) -> str:
    """Return, as JSON, the TileJSON addresses of a city's places and of the layers that help to find one's way.

    Whether the reader may see them is decided where the tiles are answered.
    """
    if not city_code:
        return "{}"
    present = dict(
        Layer.objects.filter(city__code=city_code, city__kind="city", code__in=BASE_LAYERS).values_list("code", "kind")
    )
    return json.dumps(
        {
            "places": reverse("tiles-places-json", args=[city_code]),
            "layers": [
                {"url": reverse("tiles-layer-json", args=[city_code, code]), "kind": present[code]}
                for code in BASE_LAYERS
                if present.get(code) in (Layer.Kind.LINE, Layer.Kind.POLYGON)
            ],
        }
    )

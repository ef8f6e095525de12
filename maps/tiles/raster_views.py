"""Addresses of rasters: coloured tiles, TileJSON, legends, and the value at a point."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analysis.disclosure import SMALL_COUNT, is_insider, with_people_noted
from geo.errors import InvalidInput
from layers.models import Layer, Raster
from maps.tiles.address import TileAddress
from maps.tiles.cache import cached
from maps.tiles.queries import Tile
from maps.tiles.rasters import (
    DEEPEST_RASTER_ZOOM,
    DRAWING,
    TILE_PX,
    UNITS,
    Look,
    classes_of,
    colour_tile,
    point_of,
    purpose_of,
    square_m,
    value_at,
)
from maps.tiles.selection import no_layer, visible_layers
from maps.tiles.terrain import raster_bounds_4326
from maps.tiles.views import cached_response, tile_answer, tile_template

_MOST_DECIMALS: Final = 6


@dataclass(frozen=True, slots=True)
class Shown:
    """A raster that the reader may see, and how."""

    layer: Layer
    raster: Raster
    look: Look

    @property
    def state(self) -> str:
        """Names all that its tiles depend on."""
        return f"{self.raster.release.content_hash[:20]}-{self.look.purpose}-{'few' if self.look.is_guarded else 'all'}"

    @property
    def unit(self) -> str:
        """Of what is shown in colours."""
        return UNITS.get(self.look.purpose, "") or self._said_unit

    @property
    def unit_of_value(self) -> str:
        """Of the value at a point."""
        return "people" if self.look.counts_people else self.unit

    @property
    def _said_unit(self) -> str:
        return next((str(told["unit"]) for told in self.layer.schema if told.get("unit")), "")


def _shown(request: HttpRequest, city: str, code: str) -> Shown:
    """Return the newest raster of a layer; whether the reader may see it is decided first."""
    layer = with_people_noted(visible_layers(city, code, request.user)).select_related("city").first()
    if layer is None:
        raise no_layer(city, code)
    if layer.kind != Layer.Kind.RASTER:
        raise InvalidInput(
            "This layer is no raster.",
            code="is_no_raster",
            where=code,
            remedy="Ask for its vector tiles instead.",
        )
    raster = Raster.objects.filter(release__layer=layer).select_related("release").order_by("-release__number").first()
    if raster is None:
        raise no_layer(city, code)
    purpose = purpose_of(layer)
    is_guarded = purpose == Layer.Purpose.POPULATION and not is_insider(request.user, layer.city)
    return Shown(layer, raster, Look(settings.RASTER_DIR / raster.file, purpose, is_guarded))


@require_safe
def raster(request: HttpRequest, city: str, code: str, z: str, x: str, y: str) -> HttpResponse:
    """Answer a coloured tile of a raster."""
    address = TileAddress.parse(z, x, y, deepest=DEEPEST_RASTER_ZOOM)

    def draw(known: Sequence[str]) -> Tile:
        shown = _shown(request, city, code)
        if shown.state in known:
            return Tile(shown.state, None)
        parts = ("raster", DRAWING, shown.state, shown.raster.file, f"{address.z}/{address.x}/{address.y}")
        return Tile(shown.state, cached(parts, lambda: colour_tile(shown.look, address), is_packed=False))

    return tile_answer(request, address.z, "image/png", draw)


@require_safe
def raster_json(request: HttpRequest, city: str, code: str) -> HttpResponse:
    """Answer the TileJSON of a raster."""
    shown = _shown(request, city, code)
    answer = {
        "tilejson": "3.0.0",
        "name": shown.layer.name,
        "attribution": _attribution(shown),
        "scheme": "xyz",
        "tiles": [tile_template(request, reverse("tiles-raster", args=[city, code, 0, 0, 0]))],
        "tileSize": TILE_PX,
        "minzoom": 0,
        "maxzoom": DEEPEST_RASTER_ZOOM,
        "bounds": list(raster_bounds_4326(shown.look.file)),
        "legend": request.build_absolute_uri(reverse("tiles-raster-legend", args=[city, code])),
    }
    return _with_tag(request, shown, JsonResponse(answer, json_dumps_params={"ensure_ascii": False}))


@require_safe
def legend_json(request: HttpRequest, city: str, code: str) -> HttpResponse:
    """Answer what the colours of a raster mean."""
    shown = _shown(request, city, code)
    return _with_tag(request, shown, JsonResponse(_legend(shown), json_dumps_params={"ensure_ascii": False}))


@require_safe
def legend_html(request: HttpRequest, city: str, code: str) -> HttpResponse:
    """Answer the legend as a part of a page."""
    shown = _shown(request, city, code)
    return _with_tag(request, shown, render(request, "maps/tiles/legend.html", {"legend": _legend(shown)}))


@require_safe
def value(request: HttpRequest, city: str, code: str) -> HttpResponse:
    """Answer the value of a raster at a point, with its unit, source and date."""
    lon, lat = point_of(request.GET)
    shown = _shown(request, city, code)
    found = value_at(shown.look, lon, lat)
    if found is None:
        return _with_tag(request, shown, HttpResponse(status=204))
    number, is_kept_back = found
    release = shown.raster.release
    answer: dict[str, Any] = {
        "value": number,
        "unit": shown.unit_of_value,
        "lon": lon,
        "lat": lat,
        "pixel_m": shown.raster.pixel_m,
        "square_m": square_m(shown.look),
        "layer": shown.layer.code,
        "title": shown.layer.name,
        "source": shown.layer.source_text,
        "licence": shown.layer.licence,
        "reference_date": release.reference_date.isoformat() if release.reference_date else None,
        "release": release.number,
    }
    if is_kept_back:
        answer |= {"is_kept_back": True, "note": _few()}
    return _with_tag(request, shown, JsonResponse(answer, json_dumps_params={"ensure_ascii": False}))


def _legend(shown: Shown) -> dict[str, Any]:
    classes = classes_of(shown.look)
    edges = (classes.least, *classes.bounds, classes.greatest)
    entries = [
        {"from": _short(low), "to": _short(high), "colour": colour}
        for low, high, colour in zip(edges[:-1], edges[1:], classes.colours, strict=True)
    ]
    answer: dict[str, Any] = {
        "title": shown.layer.name,
        "purpose": shown.look.purpose,
        "unit": shown.unit,
        "classes": entries,
        "no_data": "transparent",
        "source": shown.layer.source_text,
        "reference_date": shown.raster.release.reference_date and shown.raster.release.reference_date.isoformat(),
    }
    if shown.look.is_guarded:
        entries[0]["from"] = 0.0  # the least value would tell of few people
        answer["note"] = _("Shown by larger squares; squares with fewer than %(n)s people are in the lowest class.") % {
            "n": SMALL_COUNT
        }
    return answer


def _few() -> str:
    return _("Fewer than %(n)s people are not told.") % {"n": SMALL_COUNT}


def _short(number: float) -> float:
    return round(number, _MOST_DECIMALS)


def _attribution(shown: Shown) -> str:
    return " · ".join(part for part in (shown.layer.source_text, shown.layer.licence) if part)


def _with_tag(request: HttpRequest, shown: Shown, response: HttpResponse) -> HttpResponse:
    """Name the answer by what it was made from and in which language, and spare those who have it."""
    told = (
        f"{DRAWING}-{shown.state}-{get_language()}-{request.get_full_path()}-{shown.layer.name}-{_attribution(shown)}"
    )
    etag = f'W/"{hashlib.sha256(told.encode()).hexdigest()[:32]}"'
    response["ETag"] = etag
    return cached_response(request, get_conditional_response(request, etag=etag, response=response) or response)

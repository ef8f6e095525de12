"""Addresses of tiles, as answers: cached by content, compressed, empty ones without a body."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.http import parse_etags
from django.views.decorators.http import require_safe

from geo.errors import NotFound
from maps.tiles.address import TileAddress
from maps.tiles.descriptions import Description, layer_description, place_description
from maps.tiles.queries import Tile, layer_tile, place_tile, terrain_raster
from maps.tiles.terrain import DEEPEST_TERRAIN_ZOOM, TILE_PX, raster_bounds_4326, terrain_tile

SCHEME: Final = "3"
"""Part of every ETag: raise it when tiles are drawn differently from the same data."""

MAX_AGE_S: Final = 300
"""How long a tile that everybody may see is kept without asking whether it has changed."""

MVT: Final = "application/vnd.mapbox-vector-tile"
WHOLE_ZOOM_HEADER: Final = "X-Tile-Whole-Zoom"
"""On a tile of a dense layer in which small features are drawn together: from where on each is drawn by itself."""


@require_safe
def places(request: HttpRequest, city: str, z: str, x: str, y: str) -> HttpResponse:
    """Answer a tile of a city's neighbourhoods and settlements."""
    address = TileAddress.parse(z, x, y)
    return tile_answer(request, address.z, MVT, lambda known: place_tile(city, address, request.user, known))


@require_safe
def layer(request: HttpRequest, city: str, code: str, z: str, x: str, y: str) -> HttpResponse:
    """Answer a tile of a layer's newest release."""
    address = TileAddress.parse(z, x, y)
    return tile_answer(request, address.z, MVT, lambda known: layer_tile(city, code, address, request.user, known))


@require_safe
def terrain(request: HttpRequest, city: str, z: str, x: str, y: str) -> HttpResponse:
    """Answer a terrain tile of a city's elevation raster."""
    address = TileAddress.parse(z, x, y, deepest=DEEPEST_TERRAIN_ZOOM)

    def draw(known: Sequence[str]) -> Tile:
        file, content_hash = terrain_raster(city, request.user)
        state = content_hash[:20]
        return Tile(state, None if state in known else terrain_tile(settings.RASTER_DIR / file, address))

    return tile_answer(request, address.z, "image/png", draw)


@require_safe
def places_json(request: HttpRequest, city: str) -> HttpResponse:
    """Answer the TileJSON of a city's places."""
    return _tilejson(request, place_description(city, request.user), reverse("tiles-places", args=[city, 0, 0, 0]))


@require_safe
def layer_json(request: HttpRequest, city: str, code: str) -> HttpResponse:
    """Answer the TileJSON of a layer."""
    return _tilejson(
        request, layer_description(city, code, request.user), reverse("tiles-layer", args=[city, code, 0, 0, 0])
    )


@require_safe
def terrain_json(request: HttpRequest, city: str) -> HttpResponse:
    """Answer the TileJSON of a city's terrain, with the encoding that map clients need to know."""
    file, _ = terrain_raster(city, request.user)
    answer = {
        "tilejson": "3.0.0",
        "tiles": [tile_template(request, reverse("tiles-terrain", args=[city, 0, 0, 0]))],
        "encoding": "terrarium",
        "tileSize": TILE_PX,
        "minzoom": 0,
        "maxzoom": DEEPEST_TERRAIN_ZOOM,
        "bounds": list(raster_bounds_4326(settings.RASTER_DIR / file)),
    }
    return cached_response(request, JsonResponse(answer))


@require_safe
def unknown(request: HttpRequest, rest: str) -> HttpResponse:
    """Answer any other address below ``/tiles/`` in the same form as the errors of tiles."""
    raise NotFound(
        "There are no such tiles.",
        code="no_such_tiles",
        where=rest,
        remedy="See /tiles/<city>/places.json and /tiles/<city>/layers/<code>.json.",
    )


def tile_answer(request: HttpRequest, z: int, content_type: str, draw: Callable[[Sequence[str]], Tile]) -> HttpResponse:
    """Answer a tile, or that there is nothing in it, or that the reader has it.

    Parameters
    ----------
    draw : callable
        Is given the states that the reader has, and gives the tile.
    """
    tile = draw(_known_states(request))
    if tile.data is None:
        response = HttpResponse(status=304)
    elif tile.data:
        response = _packed_or_not(request, tile.data) if tile.is_packed else HttpResponse(tile.data)
        response["Content-Type"] = content_type
    else:
        response = HttpResponse(status=204)
    response["ETag"] = f'W/"{SCHEME}-{tile.state}"'
    if z < tile.whole_zoom:
        response[WHOLE_ZOOM_HEADER] = str(tile.whole_zoom)
    return cached_response(request, response)


def _packed_or_not(request: HttpRequest, packed: bytes) -> HttpResponse:
    """Answer what is kept as it is to those who can read it, and unpacked to others."""
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        response = HttpResponse(packed)
        response["Content-Encoding"] = "gzip"
    else:
        response = HttpResponse(gzip.decompress(packed))
    patch_vary_headers(response, ("Accept-Encoding",))
    return response


def cached_response(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Let caches keep what everybody may see; what needs an account stays in the reader's own browser, asked for each time."""
    if request.user.is_anonymous:
        patch_cache_control(response, public=True, max_age=MAX_AGE_S)
    else:
        patch_cache_control(response, private=True, no_cache=True)
    return response


def _known_states(request: HttpRequest) -> list[str]:
    """Return the states whose tiles the reader says to have. Compression weakens an ETag, which does not matter here."""
    start = f'"{SCHEME}-'
    etags = (tag.removeprefix("W/") for tag in parse_etags(request.headers.get("If-None-Match", "")))
    return [tag[len(start) : -1] for tag in etags if tag.startswith(start)][:8]


def _tilejson(request: HttpRequest, description: Description, first_tile: str) -> HttpResponse:
    answer: dict[str, Any] = description.as_tilejson(tile_template(request, first_tile))
    return cached_response(request, JsonResponse(answer, json_dumps_params={"ensure_ascii": False}))


def tile_template(request: HttpRequest, first_tile: str) -> str:
    """Return the full address of tiles with ``{z}/{x}/{y}`` in it, made from that of the first."""
    return request.build_absolute_uri(first_tile).replace("/0/0/0.", "/{z}/{x}/{y}.")

"""OGC API – Tiles (OGC 20-057): the tile sets of a layer or of a city's places, and the tile matrix set they are in."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest
from django.utils.translation import gettext as _

from maps.ogc.answering import JSON, link, url
from maps.ogc.layers.documents import MVT, REL, STYLE
from maps.tiles.address import DEEPEST_ZOOM, HALF_WORLD_M
from maps.tiles.descriptions import Description

MATRIX_SET: Final = "WebMercatorQuad"
MATRIX_SET_URI: Final = f"http://www.opengis.net/def/tilematrixset/OGC/1.0/{MATRIX_SET}"
CRS_3857: Final = "http://www.opengis.net/def/crs/EPSG/0/3857"
_TILE_PX: Final = 256
_PIXEL_M: Final = 0.00028
_SCALE_0: Final = 2 * HALF_WORLD_M / _TILE_PX / _PIXEL_M

CONFORMANCE: Final = tuple(
    f"http://www.opengis.net/spec/{part}"
    for part in (
        "ogcapi-tiles-1/1.0/conf/core",
        "ogcapi-tiles-1/1.0/conf/tileset",
        "ogcapi-tiles-1/1.0/conf/tilesets-list",
        "ogcapi-tiles-1/1.0/conf/geodata-tilesets",
        "ogcapi-tiles-1/1.0/conf/mvt",
        "ogcapi-tiles-1/1.0/conf/tilejson",
        "tms/2.0/conf/tilematrixset",
        "tms/2.0/conf/json-tilematrixset",
    )
)


def tilesets(request: HttpRequest, path: str, about: Description) -> dict[str, Any]:
    """Return the list of tile sets of a collection (`/req/tilesets-list/tileset-success`): there is one."""
    return {
        "links": [link(url(request, f"{path}/tiles"), "self", JSON)],
        "tilesets": [tileset(request, path, about)],
    }


def tileset(request: HttpRequest, path: str, about: Description) -> dict[str, Any]:
    """Return a tile set (`/req/tileset/success`)."""
    address = url(request, f"{path}/tiles/{MATRIX_SET}")
    found: dict[str, Any] = {
        "title": about.name,
        "attribution": about.attribution,
        "tileMatrixSetURI": MATRIX_SET_URI,
        "crs": CRS_3857,
        "dataType": "vector",
        "layers": [{"id": about.layer, "dataType": "vector", "minTileMatrix": "0", "maxTileMatrix": str(DEEPEST_ZOOM)}],
        "links": [
            link(address, "self", JSON),
            link(url(request, f"tileMatrixSets/{MATRIX_SET}"), f"{REL}tiling-scheme", JSON, MATRIX_SET),
            link(f"{address}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}", "item", MVT, _("Tiles"), templated=True),
            link(f"{address}?f=tilejson", "describedby", JSON, "TileJSON"),
            link(url(request, f"{path}/styles/default"), f"{REL}styles", STYLE, _("Style of the map")),
        ],
    }
    if about.bounds_4326:
        west, south, east, north = about.bounds_4326
        found["boundingBox"] = {
            "lowerLeft": [west, south],
            "upperRight": [east, north],
            "crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
        }
    return found


def tilejson(request: HttpRequest, path: str, about: Description) -> dict[str, Any]:
    """Return the TileJSON of a tile set, with the addresses of this service."""
    return about.as_tilejson(template(request, path))


def template(request: HttpRequest, path: str) -> str:
    """Return the address of tiles with ``{z}/{y}/{x}`` in it."""
    return url(request, f"{path}/tiles/{MATRIX_SET}/0/0/0").removesuffix("0/0/0") + "{z}/{y}/{x}"


def matrix_sets(request: HttpRequest) -> dict[str, Any]:
    """Return the list of tile matrix sets (`/req/tilematrixsets/…`): there is one."""
    address = url(request, f"tileMatrixSets/{MATRIX_SET}")
    return {
        "tileMatrixSets": [
            {"id": MATRIX_SET, "title": MATRIX_SET, "uri": MATRIX_SET_URI, "links": [link(address, "self", JSON)]}
        ]
    }


def matrix_set() -> dict[str, Any]:
    """Return WebMercatorQuad (OGC 17-083r4, annex D.1), for the zooms that tiles have."""
    return {
        "id": MATRIX_SET,
        "title": "Google Maps Compatible for the World",
        "uri": MATRIX_SET_URI,
        "crs": CRS_3857,
        "orderedAxes": ["X", "Y"],
        "wellKnownScaleSet": "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
        "tileMatrices": [
            {
                "id": str(z),
                "scaleDenominator": _SCALE_0 / 2**z,
                "cellSize": 2 * HALF_WORLD_M / _TILE_PX / 2**z,
                "cornerOfOrigin": "topLeft",
                "pointOfOrigin": [-HALF_WORLD_M, HALF_WORLD_M],
                "matrixWidth": 2**z,
                "matrixHeight": 2**z,
                "tileWidth": _TILE_PX,
                "tileHeight": _TILE_PX,
            }
            for z in range(DEEPEST_ZOOM + 1)
        ],
    }

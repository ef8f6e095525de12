"""What the service says about a layer: the collection, its queryables and its schema."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from geo.querysets import User
from layers.models import Layer
from maps.ogc.answering import HTML, JSON, SCHEMA, link, url
from maps.ogc.bodies import GEOJSON
from maps.ogc.crs import CRS84, SUPPORTED
from maps.ogc.layers.selection import Collection, collection_of, layers_seen
from maps.tiles.descriptions import held_by

REL: Final = "http://www.opengis.net/def/rel/ogc/1.0/"
MVT: Final = "application/vnd.mapbox-vector-tile"
STYLE: Final = "application/vnd.mapbox.style+json"


def collections(request: HttpRequest, user: User) -> list[dict[str, Any]]:
    """Return all layers that a user may see, in short."""
    return [_short(request, layer, f"{layer.city.code}.{layer.code}") for layer in layers_seen(user)]


def collection(request: HttpRequest, found: Collection) -> dict[str, Any]:
    """Return one layer (`/req/core/sfc-md-success`, `/req/crs/fc-md-crs-list`, `/req/crs/fc-md-storageCrs`)."""
    return _short(request, found.layer, found.identifier) | _extent(found)


def _short(request: HttpRequest, layer: Layer, identifier: str) -> dict[str, Any]:
    address = url(request, f"collections/{identifier}")
    template = request.build_absolute_uri(reverse("tiles-layer-json", args=[layer.city.code, layer.code]))
    return {
        "id": identifier,
        "title": f"{layer.city.name}: {layer.name}",
        "description": _about(layer),
        "attribution": " · ".join(part for part in (layer.source_text, layer.licence) if part),
        "itemType": "feature",
        "crs": list(SUPPORTED),
        "storageCrs": CRS84,
        "links": [
            link(address, "self", JSON),
            link(f"{address}?f=html", "alternate", HTML),
            link(f"{address}/items", "items", GEOJSON, layer.name),
            link(f"{address}/items?f=html", "items", HTML, layer.name),
            link(f"{address}/queryables", f"{REL}queryables", SCHEMA, _("What can be filtered by")),
            link(f"{address}/schema", f"{REL}schema", SCHEMA, _("What a feature says")),
            link(f"{address}/tiles", f"{REL}tilesets-vector", JSON, _("Vector tiles")),
            link(template, "describedby", JSON, "TileJSON"),
            link(f"{address}/styles/default", f"{REL}styles", STYLE, _("Style of the map")),
        ],
    }


def _about(layer: Layer) -> str:
    """Return what the layer is, in the reader's language, else in the other."""
    told = [layer.description_fa, layer.description_en]
    if not (get_language() or "").startswith("fa"):
        told.reverse()
    return told[0] or told[1] or layer.name


def _extent(found: Collection) -> dict[str, Any]:
    release = found.release
    if release is None:
        return {}
    bounds = release.bounds_4326 or bounds_found(found)
    extent: dict[str, Any] = {}
    if bounds:
        extent["spatial"] = {"bbox": [list(bounds)], "crs": CRS84}
    if release.reference_date:
        day = f"{release.reference_date.isoformat()}T00:00:00Z"
        extent["temporal"] = {"interval": [[day, day]]}
    return {"extent": extent} if extent else {}


def bounds_found(found: Collection) -> tuple[float, float, float, float] | None:
    """Return the bounds of the rows of a release that does not say its own."""
    return held_by(found.release.pk).bounds_4326 if found.release else None


def queryables(request: HttpRequest, found: Collection) -> dict[str, Any]:
    """Return what can be filtered by, as JSON Schema (`/req/queryables/get-queryables-response`)."""
    return _schema(request, found, "queryables") | {
        "properties": {name: item.schema() for name, item in found.vocabulary.queryables.items()},
        "additionalProperties": False,
    }


def schema(request: HttpRequest, found: Collection) -> dict[str, Any]:
    """Return what a feature says, as JSON Schema."""
    properties: dict[str, Any] = {"id": {"type": "integer", "readOnly": True, "x-ogc-role": "id"}}
    properties |= {name: item.schema() | {"readOnly": True} for name, item in found.vocabulary.queryables.items()}
    properties["geometry"]["x-ogc-role"] = "primary-geometry"
    properties |= {name: {"type": ["number", "null"], "readOnly": True} for name in sorted(found.hidden)}
    return _schema(request, found, "schema") | {"properties": properties}


def _schema(request: HttpRequest, found: Collection, name: str) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": url(request, f"{found.path}/{name}"),
        "type": "object",
        "title": found.layer.name,
    }


__all__ = ["MVT", "REL", "STYLE", "collection", "collection_of", "collections", "queryables", "schema"]

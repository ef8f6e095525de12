"""What the service says about itself: landing page, conformance, the collection, its queryables and its schema."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest
from django.utils.translation import gettext as _

from geo.models import Place
from geo.querysets import User
from maps.ogc.answering import HTML, JSON, OPENAPI, SCHEMA, link, url
from maps.ogc.bodies import GEOJSON
from maps.ogc.crs import CRS84, SUPPORTED
from maps.ogc.layers import documents as layer_documents
from maps.ogc.layers import tiles as layer_tiles
from maps.ogc.layers.selection import layers_seen
from maps.ogc.queryables import QUERYABLES, READ_ONLY, WRITABLE
from maps.ogc.selectors import extent_read

COLLECTION: Final = "boundaries"
PATH: Final = f"collections/{COLLECTION}"
_REL: Final = "http://www.opengis.net/def/rel/ogc/1.0/"
_SPEC: Final = "http://www.opengis.net/spec/"

CONFORMANCE: Final = tuple(
    f"{_SPEC}{part}"
    for part in (
        "ogcapi-features-1/1.0/conf/core",
        "ogcapi-features-1/1.0/conf/geojson",
        "ogcapi-features-1/1.0/conf/html",
        "ogcapi-features-1/1.0/conf/oas30",
        "ogcapi-features-2/1.0/conf/crs",
        "ogcapi-features-3/1.0/conf/queryables",
        "ogcapi-features-3/1.0/conf/queryables-query-parameters",
        "ogcapi-features-3/1.0/conf/filter",
        "ogcapi-features-3/1.0/conf/features-filter",
        "ogcapi-features-4/1.0/conf/create-replace-delete",
        "ogcapi-features-4/1.0/conf/update",
        "ogcapi-features-4/1.0/conf/optimistic-locking-etags",
        "ogcapi-features-4/1.0/conf/features",
        "cql2/1.0/conf/cql2-text",
        "cql2/1.0/conf/cql2-json",
        "cql2/1.0/conf/basic-cql2",
        "cql2/1.0/conf/advanced-comparison-operators",
        "cql2/1.0/conf/case-insensitive-comparison",
        "cql2/1.0/conf/basic-spatial-functions",
        "cql2/1.0/conf/basic-spatial-operators",
        "cql2/1.0/conf/basic-spatial-functions-plus",
        "cql2/1.0/conf/spatial-functions",
    )
)
"""The classes the service conforms to. ``basic-spatial-operators`` is the name that one had before its standard was final,
for which QGIS still looks."""


def landing(request: HttpRequest) -> dict[str, Any]:
    """Return the landing page (`/req/core/root-success`)."""
    return {
        "title": _("Mahalleh: boundaries"),
        "description": _(
            "Boundaries of neighbourhoods, informal settlements and what lies above them, in all editions."
        ),
        "links": [
            link(url(request), "self", JSON),
            link(f"{url(request)}?f=html", "alternate", HTML),
            link(url(request, "api"), "service-desc", OPENAPI, _("Definition of the service")),
            link(url(request, "api?f=html"), "service-doc", HTML, _("Description of the service")),
            link(url(request, "conformance"), "conformance", JSON, _("Standards it conforms to")),
            link(url(request, "collections"), "data", JSON, _("Collections")),
            link(url(request, "tileMatrixSets"), f"{_REL}tiling-schemes", JSON, _("Grids of the tiles")),
        ],
    }


def conformance() -> dict[str, Any]:
    """Return the declaration of conformance (`/req/core/conformance-success`)."""
    return {"conformsTo": [*CONFORMANCE, *layer_tiles.CONFORMANCE]}


def collections(request: HttpRequest, user: User) -> dict[str, Any]:
    """Return the list of collections (`/req/core/fc-md-success`)."""
    address = url(request, "collections")
    cities = Place.objects.visible_to(user).filter(kind=Place.Kind.CITY, layers__in=layers_seen(user)).distinct()
    styles = [
        link(url(request, f"collections/{city.code}/styles/default"), f"{_REL}styles", layer_documents.STYLE, city.name)
        for city in cities.order_by("code")
    ]
    return {
        "links": [link(address, "self", JSON), link(f"{address}?f=html", "alternate", HTML), *styles],
        "collections": [collection(request, user), *layer_documents.collections(request, user)],
    }


def collection(request: HttpRequest, user: User) -> dict[str, Any]:
    """Return the one collection (`/req/core/sfc-md-success`, `/req/crs/fc-md-crs-list`, `/req/crs/fc-md-storageCrs`)."""
    address = url(request, PATH)
    found: dict[str, Any] = {
        "id": COLLECTION,
        "title": _("Boundaries"),
        "description": _(
            "One feature for each edition of a boundary. Without datetime and status these are the editions in force today; "
            "datetime gives those of another day, status=draft the drafts you may see. What you write becomes a draft that "
            "somebody else has to approve."
        ),
        "itemType": "feature",
        "crs": list(SUPPORTED),
        "storageCrs": CRS84,
        "links": [
            link(address, "self", JSON),
            link(f"{address}?f=html", "alternate", HTML),
            link(f"{address}/items", "items", GEOJSON, _("Boundaries")),
            link(f"{address}/items?f=html", "items", HTML, _("Boundaries")),
            link(f"{address}/queryables", f"{_REL}queryables", SCHEMA, _("What can be filtered by")),
            link(f"{address}/schema", f"{_REL}schema", SCHEMA, _("What a feature says")),
        ],
    }
    extent = extent_read(user)
    return found | ({"extent": extent} if extent else {})


def queryables(request: HttpRequest) -> dict[str, Any]:
    """Return what can be filtered by, as JSON Schema (`/req/queryables/get-queryables-response`)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": url(request, f"{PATH}/queryables"),
        "type": "object",
        "title": _("Boundaries"),
        "properties": {name: item.schema() for name, item in QUERYABLES.items()},
        "additionalProperties": False,
    }


def schema(request: HttpRequest) -> dict[str, Any]:
    """Return what a feature says and what of it can be written, as JSON Schema (`/req/features/schema`)."""
    properties: dict[str, Any] = {"id": {"type": "string", "readOnly": True, "x-ogc-role": "id"}}
    for name, item in QUERYABLES.items():
        properties[name] = item.schema() | ({} if name in WRITABLE or name == "geometry" else {"readOnly": True})
    properties["geometry"]["x-ogc-role"] = "primary-geometry"
    properties |= {name: told | {"readOnly": True} for name, told in READ_ONLY.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": url(request, f"{PATH}/schema"),
        "type": "object",
        "title": _("Boundaries"),
        "properties": properties,
        "required": ["code", "city", "name_fa", "name_en", "source", "geometry"],
        "additionalProperties": False,
    }

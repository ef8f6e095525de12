"""The definition of the service in OpenAPI 3.0 (`/req/oas30/oas-definition-2`): the one list of its addresses and parameters."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest

from maps.ogc.answering import HTML, JSON, PROBLEM, SCHEMA, url
from maps.ogc.bodies import GEOJSON, MERGE_PATCH
from maps.ogc.crs import CRS84, SUPPORTED
from maps.ogc.documents import PATH
from maps.ogc.filtering import LANGUAGES
from maps.ogc.parameters import DEFAULT_LIMIT, MOST_LIMIT, OF_DOCUMENTS
from maps.ogc.queryables import QUERYABLES, SCALARS

_CRS_URI: Final[dict[str, Any]] = {"type": "string", "format": "uri"}


def definition(request: HttpRequest) -> dict[str, Any]:
    """Return the definition, with the addresses relative to the landing page."""
    items, item = f"/{PATH}/items", f"/{PATH}/items/{{featureId}}"
    listed = ["f", "limit", "offset", "bbox", "bbox-crs", "datetime", "crs", "filter", "filter-lang", "filter-crs"]
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "Mahalleh: boundaries",
            "version": "1.0.0",
            "description": "OGC API – Features, Parts 1 to 4. Reading what is public needs no account; writing, and reading drafts, does.",
        },
        "servers": [{"url": url(request).rstrip("/")}],
        "paths": {
            "/": _get("Landing page", JSON),
            "/api": _get("This definition", "application/vnd.oai.openapi+json;version=3.0"),
            "/conformance": _get("Standards the service conforms to", JSON),
            "/collections": _get("Collections", JSON),
            f"/{PATH}": _get("The collection", JSON),
            f"/{PATH}/queryables": _get("What can be filtered by", SCHEMA),
            f"/{PATH}/schema": _get("What a feature says", SCHEMA),
            items: {
                "get": _operation(
                    "Boundaries", "getFeatures", [*listed, *SCALARS], {"200": _content("A page of features", GEOJSON)}
                ),
                "post": _write("Create a place as a draft", "createFeature", {"201": "The draft, at Location"}, GEOJSON, ["Content-Crs"]),
                "options": _operation("Methods allowed", "optionsOfFeatures", [], {"200": {"description": "See Allow."}}),
            },
            item: {
                "parameters": [_reference("featureId")],
                "get": _operation("One boundary", "getFeature", [*OF_DOCUMENTS, "crs"], {"200": _content("The feature", GEOJSON)}),
                "put": _write("Replace a boundary: drafts another edition", "replaceFeature", _QUEUED, GEOJSON, ["Content-Crs", "If-Match"]),
                "patch": _write("Change a boundary: drafts another edition", "updateFeature", _QUEUED, MERGE_PATCH, ["Content-Crs", "If-Match"]),
                "delete": _write("End a place: drafts its end", "deleteFeature", {"202": "Waits for approval"}, "", ["If-Match"]),
                "options": _operation("Methods allowed", "optionsOfFeature", [], {"200": {"description": "See Allow."}}),
            },
            **_of_layers(),
        },
        "components": {
            "parameters": _parameters(),
            "schemas": {
                "feature": {
                    "type": "object",
                    "required": ["type", "geometry", "properties"],
                    "properties": {
                        "type": {"type": "string", "enum": ["Feature"]},
                        "geometry": {"type": "object", "nullable": True},
                        "properties": {"type": "object", "nullable": True},
                    },
                },
                "problem": {
                    "type": "object",
                    "properties": {name: {"type": "string"} for name in ("title", "code", "where", "remedy")},
                },
            },
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic"},
                "session": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
            },
        },
        "security": [{}, {"basic": []}, {"session": []}],
    }  # fmt: skip


def _of_layers() -> dict[str, Any]:
    """Return the addresses of layers: read only; each has queryables of its own as further parameters of its items."""
    one = "/collections/{collectionId}"
    listed = ["f", "limit", "after", "bbox", "bbox-crs", "datetime", "crs", "filter", "filter-lang", "filter-crs"]
    told: tuple[tuple[str, str, str, str, list[str], Any], ...] = (
        ("", "describeLayer", "A layer", JSON, [], OF_DOCUMENTS),
        ("/queryables", "getLayerQueryables", "What a layer can be filtered by", SCHEMA, [], OF_DOCUMENTS),
        ("/schema", "getLayerSchema", "What a feature of a layer says", SCHEMA, [], OF_DOCUMENTS),
        ("/items", "getLayerFeatures", "Features of a layer", GEOJSON, [], listed),
        (
            "/items/{featureId}",
            "getLayerFeature",
            "One feature of a layer",
            GEOJSON,
            ["featureId"],
            [*OF_DOCUMENTS, "crs"],
        ),
        ("/tiles", "getTileSetsList", "Tile sets of a layer, or of a city's places", JSON, [], OF_DOCUMENTS),
        ("/tiles/WebMercatorQuad", "getTileSet", "The tile set", JSON, [], OF_DOCUMENTS),
        (
            "/tiles/WebMercatorQuad/{tileMatrix}/{tileRow}/{tileCol}",
            "getTile",
            "A vector tile",
            _MVT,
            _OF_TILE,
            OF_DOCUMENTS,
        ),
        ("/styles", "getStyles", "Styles of a layer, or of a whole city", JSON, [], OF_DOCUMENTS),
        ("/styles/default", "getStyle", "The style", _STYLE, [], OF_DOCUMENTS),
    )
    found: dict[str, Any] = {
        f"{one}{path}": {
            "parameters": [_reference(name) for name in ("collectionId", *in_path)],
            "get": _operation(summary, name, list(asked), {"200": _content(summary, kind)}),
        }
        for path, name, summary, kind, in_path, asked in told
    }
    found["/tileMatrixSets"] = _get("Grids of the tiles", JSON)
    found["/tileMatrixSets/WebMercatorQuad"] = _get("The grid WebMercatorQuad", JSON)
    return found


_MVT: Final = "application/vnd.mapbox-vector-tile"
_STYLE: Final = "application/vnd.mapbox.style+json"
_OF_TILE: Final = ["tileMatrix", "tileRow", "tileCol"]

_QUEUED: Final = {"200": "The draft was written again, or nothing changed", "202": "Waits for approval"}


def _parameters() -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {
        "f": {"schema": {"type": "string", "enum": ["json", "html"]}},
        "limit": {"schema": {"type": "integer", "minimum": 1, "maximum": MOST_LIMIT, "default": DEFAULT_LIMIT}},
        "after": {"schema": {"type": "integer", "minimum": 0, "default": 0}},
        "offset": {"schema": {"type": "integer", "minimum": 0, "default": 0}},
        "bbox": {
            "schema": {
                "type": "array",
                "oneOf": [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}],
                "items": {"type": "number"},
            }
        },
        "bbox-crs": {"schema": _CRS_URI | {"default": CRS84, "enum": list(SUPPORTED)}},
        "datetime": {"schema": {"type": "string"}},
        "crs": {"schema": _CRS_URI | {"default": CRS84, "enum": list(SUPPORTED)}},
        "filter": {"schema": {"type": "string"}},
        "filter-lang": {"schema": {"type": "string", "enum": list(LANGUAGES), "default": LANGUAGES[0]}},
        "filter-crs": {"schema": _CRS_URI | {"default": CRS84}},
    }
    found |= {name: {"schema": QUERYABLES[name].schema()} for name in SCALARS}
    named: dict[str, Any] = {
        name: {"name": name, "in": "query", "required": False, "style": "form", "explode": False, **told}
        for name, told in found.items()
    }
    headers = {
        "Content-Crs": "The reference system of the body, as <uri>; longitude, latitude if absent",
        "If-Match": "The ETag with which the item was read; PUT and PATCH may say it by the property etag of the body instead",
    }
    named |= {
        name: {
            "name": name,
            "in": "header",
            "required": False,
            "description": text,
            "schema": {"type": "string"},
        }
        for name, text in headers.items()
    }
    named["featureId"] = {"name": "featureId", "in": "path", "required": True, "schema": {"type": "string"}}
    for name in ("collectionId", "tileMatrix", "tileRow", "tileCol"):
        named[name] = {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    return named


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/parameters/{name}"}


def _content(description: str, *types: str) -> dict[str, Any]:
    return {"description": description, "content": {kind: {"schema": {"type": "object"}} for kind in (*types, HTML)}}


def _refused(*statuses: str) -> dict[str, Any]:
    content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/problem"}}}
    told = {"description": "What is wrong, where, and what to do", "content": content}
    return dict.fromkeys(statuses, told)


def _operation(summary: str, name: str, parameters: list[str], responses: dict[str, Any]) -> dict[str, Any]:
    return {
        "summary": summary,
        "operationId": name,
        "tags": ["boundaries"],
        "parameters": [_reference(parameter) for parameter in parameters],
        "responses": responses | _refused("400", "401", "404"),
    }


def _get(summary: str, content_type: str) -> dict[str, Any]:
    name = "get" + "".join(word.capitalize() for word in summary.split()[:3])
    return {"get": _operation(summary, name, list(OF_DOCUMENTS), {"200": _content(summary, content_type)})}


def _write(summary: str, name: str, responses: dict[str, str], body: str, headers: list[str]) -> dict[str, Any]:
    found = _operation(summary, name, headers, {status: {"description": text} for status, text in responses.items()})
    found["responses"] |= _refused("403", "409", "412", "413", "415", "428")
    found["security"] = [{"basic": []}, {"session": []}]
    if body:
        content = {
            kind: {"schema": {"$ref": "#/components/schemas/feature"}} for kind in dict.fromkeys((body, GEOJSON, JSON))
        }
        found["requestBody"] = {"required": True, "content": content}
    return found

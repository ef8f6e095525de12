"""The addresses of layers' collections, their tiles and styles."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from geo.errors import InvalidInput
from geo.models import Place
from maps.ogc.answering import HTML, JSON, SCHEMA, answering, document, link, page, tagged, url, wants_html
from maps.ogc.bodies import GEOJSON
from maps.ogc.crs import DEFAULT, crs_of
from maps.ogc.layers import documents, items, styles, tiles
from maps.ogc.layers.selection import Collection, collection_get, layers_seen, no_collection
from maps.ogc.parameters import OF_DOCUMENTS, known_only
from maps.tiles.address import TileAddress
from maps.tiles.descriptions import Description, layer_description, place_description
from maps.tiles.queries import layer_tile, place_tile
from maps.tiles.views import MVT, tile_answer

_COLUMNS_SHOWN = 8


@answering("GET")
def collection(request: HttpRequest, identifier: str) -> HttpResponse:
    """Answer the collection of a layer (`/req/core/sfc-md-op`)."""
    known_only(request.GET, OF_DOCUMENTS)
    found = collection_get(identifier, request.user)
    content = documents.collection(request, found)
    if not wants_html(request):
        return document(request, content)
    return page(request, "layer_collection", {"collection": content, "found": found})


@answering("GET")
def queryables(request: HttpRequest, identifier: str) -> HttpResponse:
    """Answer what a layer can be filtered by (`/req/queryables/get-queryables-op`)."""
    known_only(request.GET, OF_DOCUMENTS)
    content = documents.queryables(request, collection_get(identifier, request.user))
    return page(request, "schema", {"schema": content}) if wants_html(request) else document(request, content, SCHEMA)


@answering("GET")
def schema(request: HttpRequest, identifier: str) -> HttpResponse:
    """Answer what the features of a layer say."""
    known_only(request.GET, OF_DOCUMENTS)
    content = documents.schema(request, collection_get(identifier, request.user))
    return page(request, "schema", {"schema": content}) if wants_html(request) else document(request, content, SCHEMA)


@answering("GET")
def features(request: HttpRequest, identifier: str) -> HttpResponse:
    """Answer a page of a layer's features (`/req/core/fc-op`)."""
    collection = collection_get(identifier, request.user)
    query = items.query_of(request.GET, collection)
    is_page = wants_html(request)
    found = items.page_read(collection, query)
    links = _links(request, collection, query, found)
    if is_page:
        return _page_of_features(request, collection, found, links)
    content = {
        "type": "FeatureCollection",
        "numberMatched": found.matched,
        "numberReturned": len(found.items),
        "links": links,
        "features": items.features_of(found.items, collection, query.crs),
    }
    response = document(request, content, GEOJSON)
    response["Content-Crs"] = f"<{query.crs.uri}>"
    return response


@answering("GET")
def feature(request: HttpRequest, identifier: str, number: str) -> HttpResponse:
    """Answer a feature of a layer (`/req/core/f-op`)."""
    sent = known_only(request.GET, (*OF_DOCUMENTS, "crs"))
    crs = crs_of(sent["crs"], "parameter crs") if "crs" in sent else DEFAULT
    collection = collection_get(identifier, request.user)
    found = items.item_get(collection, number)
    if wants_html(request):
        told = {"found": collection, "item": found, "properties": items.properties_of(found, collection)}
        return page(request, "layer_item", told | {"wkt": found.geometry_4326.wkt[:5_000]})
    (content,) = items.features_of((found,), collection, crs)
    address = url(request, f"{collection.path}/items/{found.number}")
    content["links"] = [
        link(address, "self", GEOJSON),
        link(f"{address}?f=html", "alternate", HTML),
        link(url(request, collection.path), "collection", JSON),
    ]
    release = collection.release
    response = tagged(request, content, GEOJSON, f"{release.content_hash[:16]}-{found.number}" if release else "")
    response["Content-Crs"] = f"<{crs.uri}>"
    return response


def _links(request: HttpRequest, collection: Collection, query: items.Query, found: items.Page) -> list[dict[str, Any]]:
    """Return the links of a page of items: the next begins behind the last number of this one."""
    address = url(request, f"{collection.path}/items")

    def of_page(**changes: str) -> str:
        given = request.GET.copy()
        for name, value in changes.items():
            given[name] = value
        text = given.urlencode()
        return f"{address}?{text}" if text else address

    links = [link(of_page(), "self", GEOJSON), link(of_page(f="html"), "alternate", HTML)]
    if found.has_more:
        after = of_page(after=str(found.items[-1].number), limit=str(query.limit))
        links.append(link(after, "next", GEOJSON))
    links.append(link(url(request, collection.path), "collection", JSON))
    return links


def _page_of_features(
    request: HttpRequest, collection: Collection, found: items.Page, links: list[dict[str, Any]]
) -> HttpResponse:
    columns = [name for name in collection.scalars if name != "name"][:_COLUMNS_SHOWN]
    rows = []
    for item in found.items:
        told = items.properties_of(item, collection)
        rows.append({"number": item.number, "name": item.name, "cells": [told.get(name) for name in columns]})
    following = next((told["href"] for told in links if told["rel"] == "next"), "")
    context = {"found": collection, "rows": rows, "columns": columns, "matched": found.matched}
    return page(request, "layer_items", context | {"next": "?" + following.partition("?")[2] if following else ""})


# ---------------------------------------------------------------- tiles and styles


def _described(identifier: str, request: HttpRequest) -> tuple[str, Description]:
    """Return the path of a collection that has tiles, and what they are: a layer's, or, named as a city, its places'."""
    if "." not in identifier:
        return f"collections/{_city(identifier, request).code}", place_description(identifier, request.user)
    found = collection_get(identifier, request.user)
    return found.path, layer_description(found.layer.city.code, found.layer.code, request.user)


def _city(identifier: str, request: HttpRequest) -> Place:
    seen = Place.objects.visible_to(request.user).filter(kind=Place.Kind.CITY)
    city = seen.filter(code=identifier).first() if "\0" not in identifier else None
    if city is None:
        raise no_collection(identifier)
    return city


@answering("GET")
def tilesets(request: HttpRequest, identifier: str) -> HttpResponse:
    """Answer the tile sets of a collection (`/req/tilesets-list/tileset-op`)."""
    known_only(request.GET, OF_DOCUMENTS)
    return document(request, tiles.tilesets(request, *_described(identifier, request)))


@answering("GET")
def tileset(request: HttpRequest, identifier: str, matrix_set: str) -> HttpResponse:
    """Answer a tile set, or as TileJSON with ``f=tilejson`` (`/req/tileset/success`)."""
    sent = known_only(request.GET, OF_DOCUMENTS)
    path, about = _described(identifier, request)
    _known_matrix_set(matrix_set)
    if sent.get("f") == "tilejson":
        return document(request, tiles.tilejson(request, path, about))
    return document(request, tiles.tileset(request, path, about))


@answering("GET")
def tile(request: HttpRequest, identifier: str, matrix_set: str, z: str, y: str, x: str) -> HttpResponse:
    """Answer a tile of a collection: row before column, as the standard has it (`/req/core/tc-op`)."""
    sent = known_only(request.GET, OF_DOCUMENTS)
    if sent.get("f", "mvt") not in ("mvt", MVT):
        raise InvalidInput("Tiles are vector tiles.", code="unknown_format", where="parameter f", remedy="Give mvt.")
    _known_matrix_set(matrix_set)
    address = TileAddress.parse(z, x, y)
    city, _dot, code = identifier.partition(".")
    if code:
        draw = partial(_layer_tile, identifier, address, request)
    else:
        draw = partial(place_tile, _city(city, request).code, address, request.user)
    response = tile_answer(request, address.z, MVT, draw)
    patch_vary_headers(response, ("Authorization",))
    return response


def _layer_tile(identifier: str, address: TileAddress, request: HttpRequest, known: Any) -> Any:
    city, _dot, code = identifier.partition(".")
    return layer_tile(city, code, address, request.user, known)


def _known_matrix_set(name: str) -> None:
    if name != tiles.MATRIX_SET:
        raise no_collection(f"tile matrix set {name}")


@answering("GET")
def matrix_sets(request: HttpRequest) -> HttpResponse:
    """Answer the tile matrix sets."""
    known_only(request.GET, OF_DOCUMENTS)
    return document(request, tiles.matrix_sets(request))


@answering("GET")
def matrix_set(request: HttpRequest, name: str) -> HttpResponse:
    """Answer a tile matrix set."""
    known_only(request.GET, OF_DOCUMENTS)
    _known_matrix_set(name)
    return document(request, tiles.matrix_set())


@answering("GET")
def style_list(request: HttpRequest, identifier: str) -> HttpResponse:
    """Answer the styles of a collection: there is one."""
    known_only(request.GET, OF_DOCUMENTS)
    path, about = _described(identifier, request)
    links = [link(url(request, f"{path}/styles/default"), "stylesheet", documents.STYLE)]
    return document(request, {"default": "default", "styles": [{"id": "default", "title": about.name, "links": links}]})


@answering("GET")
def style(request: HttpRequest, identifier: str) -> HttpResponse:
    """Answer the style of a layer or of a whole city, with which MapLibre and QGIS draw it."""
    known_only(request.GET, OF_DOCUMENTS)
    if "." in identifier:
        found = collection_get(identifier, request.user)
        about = layer_description(found.layer.city.code, found.layer.code, request.user)
        shown = [(identifier, found.layer, about)]
        content = styles.style_of_layers(about.name, shown, {identifier: tiles.template(request, found.path)})
    else:
        content = _style_of_city(request, _city(identifier, request))
    return document(request, content, documents.STYLE)


def _style_of_city(request: HttpRequest, city: Place) -> dict[str, Any]:
    shown, templates = [], {}
    for layer in layers_seen(request.user).filter(city=city, releases__isnull=False).distinct():
        name = f"{city.code}.{layer.code}"
        shown.append((name, layer, layer_description(city.code, layer.code, request.user)))
        templates[name] = tiles.template(request, f"collections/{name}")
    content = styles.style_of_layers(city.name, shown, templates)
    places = place_description(city.code, request.user)
    return styles.with_places(content, city.code, tiles.template(request, f"collections/{city.code}"), places)

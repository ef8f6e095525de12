"""The addresses of the service. Each is read as JSON or as a page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from geo.errors import NotFound
from geo.models import Boundary, Place
from maps.ogc import documents, openapi, writing
from maps.ogc.answering import HTML, JSON, OPENAPI, SCHEMA, answering, document, link, page, tagged, url, wants_html
from maps.ogc.bodies import GEOJSON, MERGE_PATCH, crs_of_body, json_body
from maps.ogc.crs import DEFAULT as DEFAULT_CRS
from maps.ogc.crs import Crs, crs_of
from maps.ogc.features import features_of, properties_of, state_of
from maps.ogc.parameters import OF_DOCUMENTS, Query, known_only, query_of
from maps.ogc.preconditions import precondition_of
from maps.ogc.queryables import QUERYABLES
from maps.ogc.selectors import geometry_of, identifier_of, item_get, page_read
from maps.ogc.signing_in import may_write

BODY_TYPES = (GEOJSON, JSON)
PATCH_TYPES = (MERGE_PATCH, GEOJSON, JSON)


@answering("GET")
def landing(request: HttpRequest) -> HttpResponse:
    """Answer the landing page (`/req/core/root-op`)."""
    known_only(request.GET, OF_DOCUMENTS)
    content = documents.landing(request)
    return page(request, "landing", content) if wants_html(request) else document(request, content)


@answering("GET")
def api(request: HttpRequest) -> HttpResponse:
    """Answer the definition of the service (`/req/core/api-definition-op`)."""
    known_only(request.GET, OF_DOCUMENTS)
    content = openapi.definition(request)
    if not wants_html(request):
        return document(request, content, OPENAPI)
    operations = [
        {"method": method.upper(), "path": path, **told}
        for path, methods in content["paths"].items()
        for method, told in methods.items()
        if isinstance(told, dict)
    ]
    return page(request, "api", {"definition": content, "operations": operations, "queryables": QUERYABLES.values()})


@answering("GET")
def conformance(request: HttpRequest) -> HttpResponse:
    """Answer the declaration of conformance (`/req/core/conformance-op`)."""
    known_only(request.GET, OF_DOCUMENTS)
    content = documents.conformance()
    return page(request, "conformance", content) if wants_html(request) else document(request, content)


@answering("GET")
def collections(request: HttpRequest) -> HttpResponse:
    """Answer the collections (`/req/core/fc-md-op`)."""
    known_only(request.GET, OF_DOCUMENTS)
    content = documents.collections(request, request.user)
    if wants_html(request):
        return page(request, "collections", {"collection": content["collections"][0]})
    return document(request, content)


@answering("GET")
def collection(request: HttpRequest) -> HttpResponse:
    """Answer the collection (`/req/core/sfc-md-op`)."""
    known_only(request.GET, OF_DOCUMENTS)
    content = documents.collection(request, request.user)
    return page(request, "collection", {"collection": content}) if wants_html(request) else document(request, content)


@answering("GET")
def queryables(request: HttpRequest) -> HttpResponse:
    """Answer what can be filtered by (`/req/queryables/get-queryables-op`)."""
    known_only(request.GET, OF_DOCUMENTS)
    content = documents.queryables(request)
    return page(request, "schema", {"schema": content}) if wants_html(request) else document(request, content, SCHEMA)


@answering("GET")
def schema(request: HttpRequest) -> HttpResponse:
    """Answer what a feature says (`/req/features/schema`)."""
    known_only(request.GET, OF_DOCUMENTS)
    content = documents.schema(request)
    return page(request, "schema", {"schema": content}) if wants_html(request) else document(request, content, SCHEMA)


@answering("GET", "HEAD", "POST", "OPTIONS")
def items(request: HttpRequest) -> HttpResponse:
    """Answer a page of boundaries, or draft a new place (`/req/core/fc-op`, `/req/create-replace-delete/insert-post-op`)."""
    if request.method == "OPTIONS":
        return _options(request, "GET, HEAD, OPTIONS, POST", "Accept-Post", BODY_TYPES)
    if request.method == "POST":
        known_only(request.GET, ())
        user = may_write(request, request.user)
        written = writing.create(json_body(request, BODY_TYPES), crs_of_body(request), user)
        return _written(request, written, 201)
    query = query_of(request.GET)
    is_page = wants_html(request)
    found = page_read(query, request.user)
    links = _links_of_items(request, query, found.matched, len(found.rows))
    if is_page:
        today = timezone.localdate()
        rows = [{"id": identifier_of(row, today), "edition": row} for row in found.rows]
        paging = {told["rel"]: _as_page(told["href"]) for told in links if told["rel"] in ("next", "prev")}
        shown = {"rows": rows, "matched": found.matched, "first": query.offset + 1, "paging": paging}
        return page(request, "items", shown | {"last": query.offset + len(rows)})
    content = {
        "type": "FeatureCollection",
        "numberMatched": found.matched,
        "numberReturned": len(found.rows),
        "links": links,
        "features": features_of(found.rows, query.crs),
    }
    response = document(request, content, GEOJSON)
    response["Content-Crs"] = f"<{query.crs.uri}>"
    return response


@answering("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS")
def item(request: HttpRequest, identifier: str) -> HttpResponse:
    """Answer a boundary, or draft its replacement, change or end (`/req/core/f-op`, `/req/features/resource-endpoint`)."""
    if request.method == "OPTIONS":
        return _options_of_item(request)
    if request.method in ("GET", "HEAD"):
        sent = known_only(request.GET, (*OF_DOCUMENTS, "crs"))
        crs = crs_of(sent["crs"], "parameter crs") if "crs" in sent else DEFAULT_CRS
        found = item_get(identifier, request.user)
        if wants_html(request):
            return _item_page(request, found)
        return _feature(request, found, crs, 200)
    known_only(request.GET, ())
    user = may_write(request, request.user)
    if_match = request.headers.get("If-Match", "")
    if request.method == "DELETE":
        return _written(request, writing.end(identifier, precondition_of(if_match), user), 202)
    write, types = (writing.replace, BODY_TYPES) if request.method == "PUT" else (writing.update, PATCH_TYPES)
    body = json_body(request, types)
    said = precondition_of(if_match, body, is_kept=_is_qgis(request))
    written = write(identifier, said, body, crs_of_body(request), user)
    return _written(request, written, 200 if written.is_immediate else 202)


def _options(request: HttpRequest, allow: str, header: str, types: tuple[str, ...]) -> HttpResponse:
    """Answer the methods that the reader may use (`/req/create-replace-delete/options-response`)."""
    response = HttpResponse(status=200, headers={"Allow": allow, header: ", ".join(types)})
    if not Place.objects.editable_by(request.user).exists():
        response["Allow"] = "GET, HEAD, OPTIONS"
        del response[header]
    return response


def _options_of_item(request: HttpRequest) -> HttpResponse:
    """Answer the methods for an item.

    QGIS is not told of PATCH: where it knows of it, it sends what was changed alone, and with that no word of the state it
    read, so that every such write would be refused. Otherwise it replaces the whole feature, and the property ``etag`` in
    it says the state.
    """
    if _is_qgis(request):
        return _options(request, "DELETE, GET, HEAD, OPTIONS, PUT", "Accept", BODY_TYPES)
    return _options(request, "DELETE, GET, HEAD, OPTIONS, PATCH, PUT", "Accept-Patch", (MERGE_PATCH,))


def _is_qgis(request: HttpRequest) -> bool:
    return "QGIS/" in request.headers.get("User-Agent", "")


def _feature(
    request: HttpRequest, found: Boundary, crs: Crs, status: int, more: dict[str, Any] | None = None
) -> HttpResponse:
    """Answer one feature, with the entity tag of its state (`/req/core/f-success`)."""
    (feature,) = features_of([found], crs)
    address = url(request, f"{documents.PATH}/items/{feature['id']}")
    feature["links"] = [
        link(address, "self", GEOJSON),
        link(f"{address}?f=html", "alternate", HTML),
        link(url(request, documents.PATH), "collection", JSON),
    ]
    response = tagged(request, feature, GEOJSON, state_of(found), status, more)
    response["Content-Crs"] = f"<{crs.uri}>"
    return response


def _written(request: HttpRequest, written: writing.Written, status: int) -> HttpResponse:
    """Answer what came of a write: the draft, and the change set that it waits in."""
    told: dict[str, Any] = {}
    if written.saved is not None:
        change_set = written.saved.change_set
        told["changeSet"] = {
            "id": change_set.pk,
            "version": change_set.version,
            "status": change_set.status,
            "findings": len(written.saved.findings),
            "moved_m": round(written.saved.moved_m, 3),
            "contested": list(written.saved.contested),
        }
    if written.item is None:
        return tagged(request, told, JSON, "", status)
    crs = crs_of_body(request)
    response = _feature(request, written.item, crs, status, told)
    identifier = identifier_of(written.item, timezone.localdate())
    response["Location"] = response["Content-Location"] = url(request, f"{documents.PATH}/items/{identifier}")
    return response


def _item_page(request: HttpRequest, found: Boundary) -> HttpResponse:
    geometry = geometry_of(found)
    context = {
        "identifier": identifier_of(found, timezone.localdate()),
        "place": found.place,
        "edition": found,
        "properties": properties_of(found),
        "wkt": geometry.wkt,
        "bounds": geometry.bounds,
    }
    return page(request, "item", context)


def _links_of_items(request: HttpRequest, query: Query, matched: int, returned: int) -> list[dict[str, Any]]:
    """Return the links of a page of items, to the next one too (`/req/core/fc-links`, `/rec/core/fc-next-1`)."""
    address = url(request, f"{documents.PATH}/items")

    def of_page(**changes: str) -> str:
        given = request.GET.copy()
        for name, value in changes.items():
            given[name] = value
        text = given.urlencode()
        return f"{address}?{text}" if text else address

    links = [link(of_page(), "self", GEOJSON), link(of_page(f="html"), "alternate", HTML)]
    step = {"limit": str(query.limit)}
    if query.offset + returned < matched and returned:
        links.append(link(of_page(offset=str(query.offset + query.limit), **step), "next", GEOJSON))
    if query.offset:
        links.append(link(of_page(offset=str(max(query.offset - query.limit, 0)), **step), "prev", GEOJSON))
    links.append(link(url(request, documents.PATH), "collection", JSON))
    return links


def _as_page(address: str) -> str:
    """Return the query of a link, which a page asked for again by the same browser stays a page with."""
    return "?" + address.partition("?")[2]


@answering("GET")
def unknown(request: HttpRequest, rest: str) -> HttpResponse:
    """Answer any other address in the form of the service."""
    raise NotFound("There is nothing here.", code="unknown_address", where=rest[:80], remedy="Begin at /ogc/.")

"""The OGC API – Features service: what the standard asks of reading, who sees what, and what hostile questions get."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Callable
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest
import shapely
from django.contrib.auth.models import User
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely.geometry import shape

from geo.core.crs import project
from geo.db.shapes import to_geos
from geo.models import Assignment, Boundary, Place

pytestmark = pytest.mark.django_db

WEST, SOUTH, STEP = 48.36, 33.48, 0.01
ROOT = "/ogc/collections/boundaries"
ITEMS = f"{ROOT}/items"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
GEOJSON = "application/geo+json"


def cell(i: int, j: int) -> shapely.Polygon:
    return shapely.box(WEST + i * STEP, SOUTH + j * STEP, WEST + (i + 1) * STEP, SOUTH + (j + 1) * STEP)


def place_of(parent: Place | None, code: str, kind: str, geometry: Any = None, **more: Any) -> Place:
    told = {"name_fa": f"محلهٔ {code}", "name_en": f"Quarter {code.upper()}", "is_published": True} | more
    place = Place.objects.create(kind=kind, code=code, parent=parent, **told)
    if geometry is not None:
        edition_of(place, geometry)
    return place


def edition_of(
    place: Place,
    geometry: Any,
    status: str = "approved",
    start: date | None = date(2020, 3, 20),
    stop: date | None = None,
    **more: Any,
) -> Boundary:
    return Boundary.objects.create(
        place=place,
        geometry=to_geos(shapely.MultiPolygon([geometry])),
        valid=DateRange(start, stop),
        status=status,
        source=more.pop("source", "survey of 1399"),
        **more,
    )


@pytest.fixture
def town(db: None) -> Any:
    """Two by two neighbourhoods and a settlement, with a past, a draft and hidden things."""
    Place.objects.filter(kind="city").update(is_published=False)  # nothing but the town is public
    Place.objects.filter(kind__in=("country", "province", "county")).update(is_published=False)
    country = place_of(None, "ogcland", "country")
    city = place_of(country, "ogctown", "city", name_fa="شهر", name_en="Ogctown")
    quarters = {f"q{i}{j}": place_of(city, f"q{i}{j}", "neighbourhood", cell(i, j)) for i in (0, 1) for j in (0, 1)}
    camp = place_of(city, "camp", "settlement", cell(3, 0), name_en="O'Brien's 100%_camp", name_fa="کوی ۱۰")
    old = edition_of(quarters["q00"], cell(0, 0).buffer(-0.001), start=date(2010, 1, 1), stop=date(2020, 3, 20))
    draft = edition_of(quarters["q11"], cell(1, 1).buffer(0.001), status="draft", start=timezone.localdate(), version=2)
    hidden = place_of(city, "zzhush", "settlement", cell(4, 0), is_published=False)
    return SimpleNamespace(
        country=country,
        city=city,
        quarters=quarters,
        camp=camp,
        old=old,
        draft=draft,
        hidden=hidden,
        prefix="ogcland.ogctown",
    )


@pytest.fixture
def insider(town: Any) -> Client:
    user = User.objects.create_user("ogc-viewer", password=None)
    Assignment.objects.create(user=user, role="viewer", place=town.city)
    client = Client()
    client.force_login(user)
    return client


def ask(path: str = ITEMS, client: Client | None = None, **query: Any) -> Any:
    address = (
        f"{path}?{urlencode({name.replace('_', '-') if name in DASHED else name: v for name, v in query.items()})}"
    )
    response = (client or Client()).get(address if query else path)
    assert response.status_code == 200, response.content[:500]
    return response.json()


DASHED = {"bbox_crs", "filter_crs", "filter_lang"}


def codes(answer: dict[str, Any]) -> list[str]:
    return [feature["properties"]["code"] for feature in answer["features"]]


def refused(response: Any, *statuses: int) -> dict[str, Any]:
    """Check that an answer is a refusal that says where and what to do."""
    assert response.status_code in (statuses or (400,)), (response.status_code, response.content[:300])
    assert response["Content-Type"] == "application/problem+json"
    told = response.json()
    assert told["title"]
    assert told["code"]
    assert told.get("where")
    return told


# ---------------------------------------------------------------- Part 1: Core


def test_every_document_links_to_the_next(town: Any) -> None:
    landing = ask("/ogc/")
    by_rel = {link["rel"]: link for link in landing["links"]}
    assert {"self", "service-desc", "conformance", "data"} <= set(by_rel)
    assert by_rel["service-desc"]["type"] == "application/vnd.oai.openapi+json;version=3.0"
    for rel in ("service-desc", "conformance", "data"):
        response = Client().get(by_rel[rel]["href"])
        assert response.status_code == 200
        assert response["Content-Type"] == by_rel[rel]["type"]
    (collection,) = ask(by_rel["data"]["href"])["collections"]
    assert collection == ask(ROOT)
    assert collection["id"] == "boundaries"
    assert collection["itemType"] == "feature"
    assert collection["extent"]["temporal"]["interval"] == [["2010-01-01T00:00:00Z", None]]
    west, south, east, north = collection["extent"]["spatial"]["bbox"][0]
    assert (west, south, north) == pytest.approx((WEST, SOUTH, SOUTH + 2 * STEP))
    assert east == pytest.approx(WEST + 4 * STEP)  # the hidden settlement, farther east, does not show
    rels = {link["rel"] for link in collection["links"]}
    assert {"items", "http://www.opengis.net/def/rel/ogc/1.0/queryables", "self"} <= rels
    for link in collection["links"]:
        assert Client().get(link["href"]).status_code == 200, link


def test_conformance_names_the_classes_of_all_parts() -> None:
    classes = set(ask("/ogc/conformance")["conformsTo"])
    for part, names in {
        "ogcapi-features-1": ("core", "geojson", "html", "oas30"),
        "ogcapi-features-2": ("crs",),
        "ogcapi-features-3": ("queryables", "filter", "features-filter"),
        "ogcapi-features-4": ("create-replace-delete", "update", "optimistic-locking-etags", "features"),
        "cql2": ("cql2-text", "cql2-json", "basic-cql2", "basic-spatial-functions", "advanced-comparison-operators"),
    }.items():
        assert {f"http://www.opengis.net/spec/{part}/1.0/conf/{name}" for name in names} <= classes


def test_the_definition_names_every_address_and_parameter(town: Any) -> None:
    Place.objects.filter(kind="city", code="khorramabad").update(is_published=True)  # for its layers
    definition = ask("/ogc/api")
    assert definition["openapi"].startswith("3.0")
    for path, methods in definition["paths"].items():
        feature = "1" if "{collectionId}" in path else f"{town.prefix}.q00"
        path = path.replace("{featureId}", feature).replace("{collectionId}", "khorramabad.clinic")
        address = "/ogc" + path.replace("{tileMatrix}/{tileRow}/{tileCol}", "0/0/0")
        assert Client().get(address).status_code == 200, address
        for told in methods.values():
            for parameter in told.get("parameters", []) if isinstance(told, dict) else told:
                name = parameter["$ref"].removeprefix("#/components/parameters/")
                assert definition["components"]["parameters"][name]["name"] == name
    listed = [
        p["$ref"].rsplit("/", 1)[1] for p in definition["paths"]["/collections/boundaries/items"]["get"]["parameters"]
    ]
    limit = definition["components"]["parameters"]["limit"]["schema"]
    assert (limit["maximum"], limit["default"]) == (1000, 100)
    values = {
        "f": "json", "limit": "5", "offset": "0", "bbox": "48,33,49,34", "bbox-crs": CRS84, "crs": CRS84,
        "datetime": "2024-01-01", "filter": "version=1", "filter-lang": "cql2-text", "filter-crs": CRS84, "version": "1",
        "valid_from": "2020-03-20",
    }  # fmt: skip
    for name in listed:
        assert Client().get(ITEMS, {name: values.get(name, "x")}).status_code == 200, name


def test_items_are_the_editions_in_force(town: Any) -> None:
    answer = ask()
    assert answer["type"] == "FeatureCollection"
    assert codes(answer) == ["camp", "q00", "q01", "q10", "q11"]
    assert (answer["numberMatched"], answer["numberReturned"]) == (5, 5)
    by_id = {feature["id"]: feature for feature in answer["features"]}
    feature = by_id[f"{town.prefix}.q00"]
    assert shape(feature["geometry"]).equals(cell(0, 0))
    assert feature["properties"] == {
        "code": "q00", "name_fa": "محلهٔ q00", "name_en": "Quarter Q00", "kind": "neighbourhood", "city": "ogctown",
        "status": "approved", "certainty": "modelled", "source": "survey of 1399", "version": 1,
        "edition": Boundary.objects.current().get(place=town.quarters["q00"]).pk, "valid_from": "2020-03-20",
        "valid_to": None, "illustrative": False, "open_changes": 0, "etag": feature["properties"]["etag"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name_en ILIKE 'QUARTER q0%'", ["q00", "q01"]), ("code NOT ILIKE 'Q%'", ["camp"]), ("valid_from >= '2020-03-20T'", [
            "camp", "q00", "q01", "q10", "q11"]), ("valid_from > '2020-03-20T'", []), ("(valid_to IS NULL)", [
            "camp", "q00", "q01", "q10", "q11"]), ("NOT ((valid_to IS NULL))", []), ("(etag IS NULL)", []), ("(id IS NULL)", []),
        ("NOT ((illustrative IS NULL)) AND code = 'camp'", ["camp"]),
    ],
)  # fmt: skip
def test_the_text_before_cql2_that_gdal_writes(town: Any, text: str, expected: list[str]) -> None:
    assert codes(ask(filter=text, filter_lang="cql-text", city="ogctown")) == expected
    past = ask(filter="NOT ((valid_to IS NULL))", filter_lang="cql-text", datetime="2015-01-01")
    assert codes(past) == ["q00"]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("name_en ILIKE 'a%'", "cql2-text"), ("valid_from >= '2020-03-20T'", "cql2-text"), ("valid_to IS NULL", "cql2-text"),
        ("password IS NULL", "cql-text"), ("author_id IS NULL", "cql-text"), ("etag = 'x'", "cql-text"), ("version ILIKE '1'", "cql-text"),
        ("name_en ILIKE 1", "cql-text"), ("name_en ILIKE", "cql-text"), ("valid_from >= '2020-13-20T'", "cql-text"),
        ("valid_from >= '2020-03-20X'", "cql-text"), ('{"op":"isNull","args":[{"property":"valid_to"}]}', "cql2-json"),
    ],
)  # fmt: skip
def test_what_only_the_text_before_cql2_knows(town: Any, text: str, language: str) -> None:
    refused(Client().get(ITEMS, {"filter": text, "filter-lang": language}))


def test_an_item_is_the_feature_of_the_list(town: Any) -> None:
    listed = {feature["id"]: feature for feature in ask()["features"]}
    for identifier, feature in listed.items():
        response = Client().get(f"{ITEMS}/{identifier}")
        assert response["Content-Type"] == GEOJSON
        single = response.json()
        assert {"self", "collection", "alternate"} <= {link["rel"] for link in single.pop("links")}
        assert single == feature


def test_paging_gives_each_item_once(town: Any) -> None:
    seen, address, pages = [], f"{ITEMS}?limit=2", 0
    while address:
        answer = Client().get(address).json()
        assert answer["numberMatched"] == 5
        assert answer["numberReturned"] == len(answer["features"]) <= 2
        seen += codes(answer)
        links = {link["rel"]: link["href"] for link in answer["links"]}
        assert ("prev" in links) == (pages > 0)
        address, pages = links.get("next"), pages + 1
    assert seen == ["camp", "q00", "q01", "q10", "q11"]
    assert pages == 3


def test_a_limit_above_the_maximum_is_the_maximum(town: Any) -> None:
    for limit in ("1001", "999999999999999999999999999999"):
        assert ask(limit=limit)["numberReturned"] == 5


@pytest.mark.parametrize(
    ("bbox", "expected"),
    [
        ((WEST + 0.001, SOUTH + 0.001, WEST + 0.002, SOUTH + 0.002), ["q00"]),
        ((WEST, SOUTH, WEST + STEP, SOUTH), ["q00", "q10"]),  # a line along two edges
        ((WEST + STEP, SOUTH + STEP, WEST + STEP, SOUTH + STEP), ["q00", "q01", "q10", "q11"]),  # the corner of four
        ((WEST + 0.001, SOUTH + 0.001, -100, WEST + 0.002, SOUTH + 0.002, 100), None),
        ((0, 0, 1, 1), []),
        ((170, -80, WEST + 0.001, 80), ["q00", "q01"]),  # across the 180th meridian, and on
        ((-180, -90, 180, 90), ["camp", "q00", "q01", "q10", "q11"]),
    ],
)
def test_bbox(town: Any, bbox: tuple[float, ...], expected: list[str] | None) -> None:
    if expected is None:  # with heights: x, y, z, x, y, z
        x0, y0, z0, x1, y1, z1 = bbox
        bbox, expected = (x0, y0, z0, x1, y1, z1), ["q00"]
    assert codes(ask(bbox=",".join(map(str, bbox)))) == expected


def test_bbox_in_other_reference_systems(town: Any) -> None:
    inside = shapely.box(WEST + 0.001, SOUTH + 0.001, WEST + 0.002, SOUTH + 0.002)
    for epsg in (3857, 32639, 32640):
        box = ",".join(map(repr, project(inside, 4326, epsg)[0].bounds))
        assert codes(ask(bbox=box, bbox_crs=f"{EPSG}{epsg}")) == ["q00"]
    west, south, east, north = inside.bounds
    assert codes(ask(bbox=f"{south},{west},{north},{east}", bbox_crs=f"{EPSG}4326")) == ["q00"]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("2015-06-01", {"q00": "2010-01-01"}),
        ("2015-06-01T12:00:00Z", {"q00": "2010-01-01"}),
        ("2020-03-19", {"q00": "2010-01-01"}),
        ("2020-03-20", None),
        ("2020-03-19T21:00:00Z", None),  # the 20th in Tehran
        ("2009-12-31", {}),
        ("../2009-12-31", {}),
        ("/2015-01-01", {"q00": "2010-01-01"}),
        ("2025-01-01/..", None),
    ],
)
def test_datetime(town: Any, when: str, expected: dict[str, str] | None) -> None:
    found = {f["properties"]["code"]: f["properties"]["valid_from"] for f in ask(datetime=when)["features"]}
    assert found == (
        dict.fromkeys(("camp", "q00", "q01", "q10", "q11"), "2020-03-20") if expected is None else expected
    )


def test_an_interval_gives_every_edition_under_an_identifier_of_its_own(town: Any) -> None:
    answer = ask(datetime="2015-01-01/2024-01-01")
    identifiers = [feature["id"] for feature in answer["features"]]
    assert len(set(identifiers)) == len(identifiers) == 6
    past = f"{town.prefix}.q00@{town.old.pk}"
    assert past in identifiers
    assert ask(f"{ITEMS}/{past}")["properties"]["valid_to"] == "2020-03-20"


def test_html_says_the_same(town: Any) -> None:
    for path in (
        "/ogc/",
        "/ogc/api",
        "/ogc/conformance",
        "/ogc/collections",
        ROOT,
        f"{ROOT}/queryables",
        f"{ROOT}/schema",
    ):
        response = Client().get(path, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
        assert response.status_code == 200
        assert response["Content-Type"].startswith("text/html"), path
        assert (
            Client()
            .get(path, {"f": "json"}, headers={"Accept": "text/html"})["Content-Type"]
            .startswith("application/")
        )
    client = Client()
    listing = client.get(ITEMS, {"f": "html", "limit": "2"}).content.decode()
    assert "محلهٔ q00" in listing
    assert 'rel="next"' in listing
    client.cookies["django_language"] = client.cookies["language"] = "en"
    listing = client.get(ITEMS, {"f": "html", "limit": "2"}).content.decode()
    assert "Quarter Q00" in listing
    single = client.get(f"{ITEMS}/{town.prefix}.q00", {"f": "html"}).content.decode()
    assert "survey of 1399" in single
    assert "MULTIPOLYGON" in single
    assert "Content-Security-Policy" in client.get("/ogc/", {"f": "html"}).headers


def test_head_is_get_without_a_body(town: Any) -> None:
    for path in ("/ogc/", ITEMS, f"{ITEMS}/{town.prefix}.q00"):
        asked, told = Client().head(path), Client().get(path)
        assert (asked.status_code, asked.content) == (200, b"")
        assert (asked["ETag"], asked["Content-Type"]) == (told["ETag"], told["Content-Type"])


def test_what_a_connection_carries_along_is_no_error(town: Any) -> None:
    """GDAL and QGIS add the query of a connection's address to every request."""
    for path in (
        "/ogc/",
        "/ogc/api",
        "/ogc/conformance",
        "/ogc/collections",
        ROOT,
        f"{ROOT}/queryables",
        f"{ITEMS}/{town.prefix}.q00",
    ):
        assert Client().get(path, {"status": "draft", "datetime": "2024-01-01"}).status_code == 200


def test_unknown_things_are_refused_with_their_place(town: Any) -> None:
    assert refused(Client().get(ITEMS, {"colour": "red"}))["where"] == "parameter colour"
    assert refused(Client().get("/ogc/", {"x": "1"}))["where"] == "parameter x"
    refused(Client().get(ITEMS, {"f": "xml"}))
    refused(Client().get(f"{ITEMS}?limit=1&limit=2"))
    for path in (
        "/ogc/nothing",
        "/ogc/collections/roads",
        "/ogc/collections/roads/items",
        f"{ITEMS}/nothing",
        f"{ITEMS}/a@9",
    ):
        refused(Client().get(path), 404)
    response = Client().put(ITEMS, "{}", content_type=GEOJSON)
    assert response.status_code == 405
    assert "POST" in response["Allow"]


# ---------------------------------------------------------------- Part 2: CRS


@pytest.mark.parametrize("epsg", [3857, 32639, 32723])
def test_geometries_in_metres(town: Any, epsg: int) -> None:
    response = Client().get(ITEMS, {"crs": f"{EPSG}{epsg}", "code": "q00"})
    assert response["Content-Crs"] == f"<{EPSG}{epsg}>"
    (feature,) = response.json()["features"]
    expected = project(cell(0, 0), 4326, epsg)[0]
    assert shapely.hausdorff_distance(shape(feature["geometry"]), expected) < 1e-6


def test_4326_is_latitude_first_and_crs84_longitude_first(town: Any) -> None:
    default = Client().get(f"{ITEMS}/{town.prefix}.q00")
    assert default["Content-Crs"] == f"<{CRS84}>"
    assert shape(default.json()["geometry"]).bounds[0] == pytest.approx(WEST)
    swapped = Client().get(f"{ITEMS}/{town.prefix}.q00", {"crs": f"{EPSG}4326"})
    assert swapped["Content-Crs"] == f"<{EPSG}4326>"
    assert shape(swapped.json()["geometry"]).bounds[0] == pytest.approx(SOUTH)
    assert (
        Client().get(f"{ITEMS}/{town.prefix}.q00", {"crs": "[EPSG:4326]"}).json()["geometry"]
        == swapped.json()["geometry"]
    )


def test_the_collection_lists_every_reference_system(town: Any) -> None:
    collection = ask(ROOT)
    assert collection["storageCrs"] == collection["crs"][0] == CRS84
    assert {f"{EPSG}4326", f"{EPSG}3857", f"{EPSG}32639", f"{EPSG}32723", f"{EPSG}32601", f"{EPSG}32760"} <= set(
        collection["crs"]
    )
    for name in ("crs", "bbox-crs", "filter-crs"):
        for wrong in ("EPSG:4326", f"{EPSG}9999", "", "http://example.org/", f"{EPSG}4326'--"):
            assert name in refused(Client().get(ITEMS, {name: wrong, "bbox": "1,2,3,4"}))["where"]


# ---------------------------------------------------------------- Part 3: Filtering

SQUARE = f"POLYGON(({WEST} {SOUTH},{WEST + 0.005} {SOUTH},{WEST + 0.005} {SOUTH + 0.005},{WEST} {SOUTH + 0.005},{WEST} {SOUTH}))"
ALL = ["camp", "q00", "q01", "q10", "q11"]
EQUAL: list[tuple[str, Any, list[str]]] = [
    ("code = 'q00'", {"op": "=", "args": [{"property": "code"}, "q00"]}, ["q00"]),
    ("'q00' = code", {"op": "=", "args": ["q00", {"property": "code"}]}, ["q00"]),
    ('"code" <> \'q00\'', {"op": "<>", "args": [{"property": "code"}, "q00"]}, ["camp", "q01", "q10", "q11"]),
    (
        "code = 'q00' OR code = 'q01' AND kind = 'settlement'",  # AND binds more than OR
        {"op": "or", "args": [
            {"op": "=", "args": [{"property": "code"}, "q00"]},
            {"op": "and", "args": [
                {"op": "=", "args": [{"property": "code"}, "q01"]},
                {"op": "=", "args": [{"property": "kind"}, "settlement"]}]}]},
        ["q00"],
    ),
    (
        "(code = 'q00' OR code = 'q01') AND NOT kind = 'settlement'",
        {"op": "and", "args": [
            {"op": "or", "args": [
                {"op": "=", "args": [{"property": "code"}, "q00"]},
                {"op": "=", "args": [{"property": "code"}, "q01"]}]},
            {"op": "not", "args": [{"op": "=", "args": [{"property": "kind"}, "settlement"]}]}]},
        ["q00", "q01"],
    ),
    ("name_en LIKE 'Quarter Q0%'", {"op": "like", "args": [{"property": "name_en"}, "Quarter Q0%"]}, ["q00", "q01"]),
    ("name_en LIKE '%Q_1'", {"op": "like", "args": [{"property": "name_en"}, "%Q_1"]}, ["q01", "q11"]),
    ("name_en LIKE '%100\\%\\_%'", {"op": "like", "args": [{"property": "name_en"}, "%100\\%\\_%"]}, ["camp"]),
    ("name_en NOT LIKE 'Quarter%'",
     {"op": "not", "args": [{"op": "like", "args": [{"property": "name_en"}, "Quarter%"]}]}, ["camp"]),
    ("name_en = 'O''Brien''s 100%_camp'", {"op": "=", "args": [{"property": "name_en"}, "O'Brien's 100%_camp"]}, ["camp"]),
    ("CASEI(name_en) = CASEI('quarter q00')",
     {"op": "=", "args": [{"op": "casei", "args": [{"property": "name_en"}]}, {"op": "casei", "args": ["quarter q00"]}]},
     ["q00"]),
    ("CASEI(name_en) LIKE casei('QUARTER%1')",
     {"op": "like", "args": [{"op": "casei", "args": [{"property": "name_en"}]}, {"op": "casei", "args": ["QUARTER%1"]}]},
     ["q01", "q11"]),
    ("name_fa LIKE 'کوی%'", {"op": "like", "args": [{"property": "name_fa"}, "کوی%"]}, ["camp"]),
    ("kind IN ('settlement', 'city')", {"op": "in", "args": [{"property": "kind"}, ["settlement", "city"]]}, ["camp"]),
    ("kind NOT IN ('settlement')",
     {"op": "not", "args": [{"op": "in", "args": [{"property": "kind"}, ["settlement"]]}]}, ["q00", "q01", "q10", "q11"]),
    ("version BETWEEN 1 AND 2.5", {"op": "between", "args": [{"property": "version"}, 1, 2.5]}, ALL),
    ("version > 1", {"op": ">", "args": [{"property": "version"}, 1]}, []),
    ("city IS NULL", {"op": "isNull", "args": [{"property": "city"}]}, []),
    ("city IS NOT NULL", {"op": "not", "args": [{"op": "isNull", "args": [{"property": "city"}]}]}, ALL),
    ("city = 'ogctown' AND TRUE", {"op": "and", "args": [{"op": "=", "args": [{"property": "city"}, "ogctown"]}, True]}, ALL),
    ("FALSE", False, []),
    ("valid_from = DATE('2020-03-20')", {"op": "=", "args": [{"property": "valid_from"}, {"date": "2020-03-20"}]}, ALL),
    ("valid_from < TIMESTAMP('2020-03-20T00:00:00Z')",
     {"op": "<", "args": [{"property": "valid_from"}, {"timestamp": "2020-03-20T00:00:00Z"}]}, []),
    ("T_AFTER(valid_from, DATE('2020-01-01'))",
     {"op": "t_after", "args": [{"property": "valid_from"}, {"date": "2020-01-01"}]}, ALL),
    ("T_DURING(valid_from, INTERVAL('2020-01-01', '..'))",
     {"op": "t_during", "args": [{"property": "valid_from"}, {"interval": ["2020-01-01", ".."]}]}, ALL),
    (f"S_INTERSECTS(geometry, POINT({WEST + 0.001} {SOUTH + 0.001}))",
     {"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "Point", "coordinates": [WEST + 0.001, SOUTH + 0.001]}]},
     ["q00"]),
    (f"s_intersects(geometry, BBOX({WEST - 1},{SOUTH},{WEST + 0.001},{SOUTH + 1}))",
     {"op": "s_intersects", "args": [{"property": "geometry"}, {"bbox": [WEST - 1, SOUTH, WEST + 0.001, SOUTH + 1]}]},
     ["q00", "q01"]),
    (f"S_CONTAINS(geometry, {SQUARE})",
     {"op": "s_contains", "args": [{"property": "geometry"}, shapely.geometry.mapping(shapely.from_wkt(SQUARE))]}, ["q00"]),
    (f"S_WITHIN({SQUARE}, geometry)",
     {"op": "s_within", "args": [shapely.geometry.mapping(shapely.from_wkt(SQUARE)), {"property": "geometry"}]}, ["q00"]),
    (f"S_INTERSECTS(geometry, GEOMETRYCOLLECTION(POINT(0 0), MULTIPOINT(({WEST + 0.001} {SOUTH + 0.001}))))",
     {"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "GeometryCollection", "geometries": [
         {"type": "Point", "coordinates": [0, 0]}, {"type": "MultiPoint", "coordinates": [[WEST + 0.001, SOUTH + 0.001]]}]}]},
     ["q00"]),
    (f"S_DISJOINT(geometry,\n {SQUARE})",
     {"op": "s_disjoint", "args": [{"property": "geometry"}, shapely.geometry.mapping(shapely.from_wkt(SQUARE))]},
     ["camp", "q01", "q10", "q11"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "tree", "expected"), EQUAL, ids=[row[0][:50] for row in EQUAL])
def test_both_encodings_give_the_same(town: Any, text: str, tree: Any, expected: list[str]) -> None:
    assert codes(ask(filter=text)) == expected
    assert codes(ask(filter=json.dumps(tree), filter_lang="cql2-json")) == expected


def test_a_filter_in_another_reference_system(town: Any) -> None:
    x, y = project(shapely.Point(WEST + 0.001, SOUTH + 0.001), 4326, 32639)[0].coords[0]
    assert codes(ask(filter=f"S_INTERSECTS(geometry, POINT({x} {y}))", filter_crs=f"{EPSG}32639")) == ["q00"]
    swapped = f"S_INTERSECTS(geometry, POINT({SOUTH + 0.001} {WEST + 0.001}))"
    assert codes(ask(filter=swapped, filter_crs=f"{EPSG}4326")) == ["q00"]
    assert codes(ask(filter=swapped)) == []


def test_queryables_are_parameters_too(town: Any) -> None:
    assert codes(ask(code="q00")) == ["q00"]
    assert codes(ask(kind="settlement", city="ogctown")) == ["camp"]
    assert codes(ask(version="1", valid_from="2020-03-20", limit="2")) == ["camp", "q00"]
    assert codes(ask(name_en="O'Brien's 100%_camp")) == ["camp"]
    assert codes(ask(code="q00", filter="kind = 'settlement'")) == []


def test_queryables_are_a_schema_of_what_filters_may_name(town: Any) -> None:
    response = Client().get(f"{ROOT}/queryables")
    assert response["Content-Type"] == "application/schema+json"
    schema = response.json()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"http://testserver{ROOT}/queryables"
    assert list(schema["properties"]) == [
        "code", "name_fa", "name_en", "kind", "city", "status", "certainty", "source", "version", "valid_from", "geometry",
    ]  # fmt: skip
    assert "neighbourhood" in schema["properties"]["kind"]["enum"]
    assert ask(f"{ROOT}/schema")["properties"]["version"]["readOnly"] is True


UNUSABLE = [
    "", "code", "code =", "code = 'x", "= 'x'", "code == 'x'", "code = 'x' AND", "(code = 'x'", "code = 'x')", "NOT",
    "password = 'x'", "place__code = 'x'", "author = 1", "place.parent.code = 'x'", "pk = 1", "id = 1", "geometry = 'x'",
    "change_set__author__password LIKE 'p%'", "author__password IS NULL", '"author__password" = \'x\'',
    "code = 'x'; DROP TABLE geo_boundary", "code = 'x' -- ", "code = 'x' /* */", "1 = 1", "'a' = 'a'", "code LIKE code",
    "code = 1", "version = 'x'", "version = TRUE", "version = 1e999", "version = 99999999999999999999999", "version LIKE '1'",
    "code LIKE 'x\\'", "code IN ()", "version IN (1, 'x')", "kind BETWEEN", "valid_from = 'yesterday'", "valid_from = DATE('x')",
    "valid_from > DATE('2024-02-30')", "T_AFTER(code, DATE('2024-01-01'))", "T_OVERLAPS(valid_from, DATE('2024-01-01'))",
    "T_DURING(valid_from, INTERVAL('2025-01-01', '2024-01-01'))", "pg_sleep(10) = 1", "sleep(code) = 'x'",
    "S_INTERSECTS(code, POINT(1 2))", "S_INTERSECTS(geometry, geometry)", "S_INTERSECTS(geometry, 'x')", "S_INTERSECTS(geometry)",
    "S_INTERSECTS(geometry, POINT(1 2)", "S_INTERSECTS(geometry, POINT(x y))", "S_INTERSECTS(geometry, POINT(1e9 0))",
    "S_INTERSECTS(geometry, POINT(nan nan))", "S_INTERSECTS(geometry, POLYGON((0 0, 1 1)))", "S_FLIES(geometry, POINT(1 2))",
    "S_WITHIN(geometry, POLYGON((0 0, 2 2, 2 0, 0 2, 0 0)))", "S_INTERSECTS(geometry, BBOX(1,2,3))", "S_INTERSECTS(geometry, BBOX(1,2,3,'4'))",
    "S_INTERSECTS(geometry, GEOMETRYCOLLECTION EMPTY)", "S_INTERSECTS(geometry, GEOMETRYCOLLECTION(GEOMETRYCOLLECTION(POINT(1 2))))",
    "A_CONTAINS(code, 'x')", "CASEI(version) = 1", "code = 'a\0b'",
    "version = 1 + 1", "NOT " * 500 + "code = 'x'", "(" * 500 + "code = 'x'" + ")" * 500, "x" * 30_000,
]  # fmt: skip


@pytest.mark.parametrize("text", UNUSABLE, ids=[text[:40].replace("\0", "0") or "empty" for text in UNUSABLE])
def test_filters_that_cannot_be_used_say_where(town: Any, text: str) -> None:
    assert "filter" in refused(Client().get(ITEMS, {"filter": text}))["where"]


UNUSABLE_TREES: list[Any] = [
    "{", "null", "[]", "{}", '"x"', "1", '{"op": "="}', '{"op": "=", "args": 1}', '{"op": "=", "args": []}',
    '{"op": ["="], "args": [1, 2]}', '{"op": "and", "args": [true]}', '{"op": "=", "args": [{"property": "author_id"}, 1]}',
    '{"op": "=", "args": [{"property": ["code"]}, "x"]}', '{"op": "=", "args": [{"property": "code", "x": 1}, "x"]}',
    '{"op": "=", "args": [{"property": "version"}, NaN]}', '{"op": "=", "args": [{"property": "version"}, 1e999]}',
    '{"op": "=", "args": [{"property": "version"}, ' + "9" * 400 + "]}", '{"op": "in", "args": [{"property": "code"}, "x"]}',
    '{"op": "like", "args": [{"property": "code"}, {"property": "code"}]}', '{"op": "casei", "args": ["x"]}',
    '{"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "Point", "coordinates": [1]}]}',
    '{"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "Point", "coordinates": ["a", "b"]}]}',
    '{"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "Polygon", "coordinates": [[[0,0],[1,1],[1,0]]]}]}',
    '{"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "Curve", "coordinates": [1, 2]}]}',
    '{"op": "s_intersects", "args": [{"property": "geometry"}, {"type": ["Point"], "coordinates": [1, 2]}]}',
    '{"op": "t_after", "args": [{"property": "valid_from"}, {"interval": ["2024-01-01"]}]}',
    '{"op": "t_after", "args": [{"property": "valid_from"}, {"date": 5}]}', '{"op": "isNull", "args": ["x"]}',
    '{"op":"not","args":[' * 300 + "true" + "]}" * 300, "[" * 100_000,
]  # fmt: skip


@pytest.mark.parametrize("text", UNUSABLE_TREES, ids=[text[:60] for text in UNUSABLE_TREES])
def test_trees_that_cannot_be_used_say_where(town: Any, text: str) -> None:
    assert "filter" in refused(Client().get(ITEMS, {"filter": text, "filter-lang": "cql2-json"}))["where"]


def test_an_error_names_its_character_and_its_remedy(town: Any) -> None:
    told = refused(Client().get(ITEMS, {"filter": "kind = 'x' AND colour = 'red'"}))
    assert told["where"] == "filter, character 16"
    assert told["code"] == "unknown_queryable"
    assert "name_fa" in told["remedy"]
    tree = {"op": "and", "args": [True, {"op": "=", "args": [{"property": "colour"}, "red"]}]}
    told = refused(Client().get(ITEMS, {"filter": json.dumps(tree), "filter-lang": "cql2-json"}))
    assert told["where"] == "filter.args[1]"


words = st.sampled_from(
    ["code", "kind", "version", "valid_from", "geometry", "=", "<>", "<", "AND", "OR", "NOT", "LIKE", "IN", "BETWEEN", "IS", "NULL",
     "(", ")", ",", "'a'", "'%'", "1", "-1.5", "TRUE", "DATE", "S_INTERSECTS", "POINT", "BBOX", "1 2", "CASEI", "\"", "'", ";", "\\", "ی"]
)  # fmt: skip


@given(parts=st.lists(words, max_size=14))
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)
def test_no_words_in_any_order_break_the_filter(town: Any, parts: list[str]) -> None:
    response = Client().get(ITEMS, {"filter": " ".join(parts), "limit": "1"})
    assert response.status_code in (200, 400)


# ---------------------------------------------------------------- hostile parameters


@pytest.mark.parametrize(
    "bbox",
    ["", "1,2,3", "1,2,3,4,5", "1,2,3,4,5,6,7", "a,b,c,d", "nan,nan,nan,nan", "1,2,inf,4", "-inf,2,3,4", "1e9,1e9,2e9,2e9",
     "1,4,3,2", "200,0,210,1", "0,91,1,92", "1;2;3;4", "1,2,3,4'--", ",,,", "1e400,0,1,1", "9" * 5000 + ",0,1,1"],
)  # fmt: skip
def test_bad_boxes(town: Any, bbox: str) -> None:
    assert refused(Client().get(ITEMS, {"bbox": bbox}))["where"] == "parameter bbox"


@pytest.mark.parametrize(
    "bbox", ["1e9,1e9,2e9,2e9", "nan,0,1,1", "5,5,1,1", "-1e300,-1e300,1e300,1e300", "3e7,0,4e7,1"]
)
@pytest.mark.parametrize("epsg", [3857, 32639])
def test_bad_boxes_in_metres(town: Any, bbox: str, epsg: int) -> None:
    assert refused(Client().get(ITEMS, {"bbox": bbox, "bbox-crs": f"{EPSG}{epsg}"}))["where"] == "parameter bbox"


@pytest.mark.parametrize("name", ["limit", "offset"])
@pytest.mark.parametrize("value", ["-1", "x", "", "nan", "1e9", "1.5", "0x10", "١٢x", " 1", "1'--", "9" * 5000])
def test_bad_numbers(town: Any, name: str, value: str) -> None:
    assert refused(Client().get(ITEMS, {name: value}))["where"] == f"parameter {name}"


def test_bad_limits_and_offsets(town: Any) -> None:
    refused(Client().get(ITEMS, {"limit": "0"}))
    refused(Client().get(ITEMS, {"offset": "9" * 30}))
    assert ask(offset="1000")["features"] == []


@pytest.mark.parametrize(
    "when",
    ["", "x", "2024", "2024-13-01", "2024-02-30", "2024-01-01/2023-01-01", "a/b", "2024-01-01/2024-01-02/2024-01-03",
     "2024-01-01T99:00:00Z", "0000-01-01", "99999-01-01", "nan", "2024-01-01T00:00", "9999-12-31T23:59:59Z"],
)  # fmt: skip
def test_bad_times(town: Any, when: str) -> None:
    assert refused(Client().get(ITEMS, {"datetime": when}))["where"] == "parameter datetime"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("version", "x"),
        ("version", "9" * 40),
        ("version", "1.5"),
        ("version", ""),
        ("valid_from", "x"),
        ("code", "a\0b"),
        ("kind", "\0"),
    ],
)
def test_bad_values_of_queryables(town: Any, name: str, value: str) -> None:
    assert name in refused(Client().get(ITEMS, {name: value}))["where"]


@pytest.mark.parametrize(
    "identifier",
    ["a'--", "..%2f..", "a@b", "a@", "@1", "a@" + "9" * 30, "x" * 5000, "%00", "ogcland.ogctown.q00@0", "ی"],
)
def test_bad_identifiers(town: Any, identifier: str) -> None:
    refused(Client().get(f"{ITEMS}/{identifier}"), 404)


def test_a_geometry_that_a_zone_cannot_express_is_said(town: Any) -> None:
    place_of(
        town.city, "far", "settlement", shapely.box(-42.5, -0.1, -41.5, 0.1)
    )  # a quarter of the globe from zone 39
    refused(Client().get(ITEMS, {"crs": f"{EPSG}32639"}))
    assert Client().get(ITEMS, {"crs": f"{EPSG}32623"}).status_code == 200


# ---------------------------------------------------------------- who sees what


def test_drafts_and_hidden_places_are_for_insiders(town: Any, insider: Client) -> None:
    assert codes(ask(client=insider)) == ["camp", "q00", "q01", "q10", "q11", "zzhush"]
    (draft,) = ask(client=insider, status="draft")["features"]
    assert draft["id"] == f"{town.prefix}.q11@{town.draft.pk}"
    assert codes(ask(client=insider, filter="status = 'draft'")) == ["q11"]
    assert ask(f"{ITEMS}/{draft['id']}", client=insider)["properties"]["status"] == "draft"
    for query in (
        {"status": "draft"},
        {"filter": "status = 'draft'"},
        {"filter": "code = 'zzhush'"},
        {"code": "zzhush"},
    ):
        answer = ask(**query)
        assert (answer["features"], answer["numberMatched"]) == ([], 0)
    for identifier in (draft["id"], f"{town.prefix}.zzhush"):
        response = Client().get(f"{ITEMS}/{identifier}")
        missing = Client().get(f"{ITEMS}/{town.prefix}.nothing@1")
        assert response.status_code == 404
        assert {**response.json(), "where": "", "place": ""} == {**missing.json(), "where": "", "place": ""}
    assert "zzhush" not in Client().get(ITEMS, {"filter": "status <> 'x'", "datetime": "../.."}).content.decode()


def test_nothing_shows_through_an_unpublished_city(town: Any, insider: Client) -> None:
    Place.objects.filter(pk=town.city.pk).update(is_published=False)
    assert ask()["features"] == []
    assert "extent" not in ask(ROOT)
    assert len(ask(client=insider)["features"]) == 6


def test_all_editions_of_a_status_are_given_where_it_is_named(town: Any) -> None:
    assert ask(status="approved")["numberMatched"] == 6
    assert ask(status="approved", datetime=timezone.localdate().isoformat())["numberMatched"] == 5


# ---------------------------------------------------------------- entity tags


def test_the_tag_is_strong_and_changes_with_the_state(town: Any) -> None:
    path = f"{ITEMS}/{town.prefix}.q00"
    first = Client().get(path)
    assert first["ETag"].startswith('"')
    assert Client().get(path)["ETag"] == first["ETag"]
    assert Client().get(path, headers={"If-None-Match": first["ETag"]}).status_code == 304
    assert Client().get(path, {"crs": f"{EPSG}3857"})["ETag"] != first["ETag"]
    Place.objects.filter(pk=town.quarters["q00"].pk).update(name_en="Renamed")
    second = Client().get(path, headers={"If-None-Match": first["ETag"]})
    assert second.status_code == 200
    assert second["ETag"] != first["ETag"]


def test_compression_keeps_the_tag_strong_and_of_its_own(town: Any) -> None:
    path = f"{ITEMS}/{town.prefix}.q00"
    plain, packed = Client().get(path), Client().get(path, headers={"Accept-Encoding": "gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert packed["ETag"].startswith('"')
    assert packed["ETag"] != plain["ETag"]
    assert packed.content == Client().get(path, headers={"Accept-Encoding": "gzip"}).content
    assert "Accept-Encoding" in packed["Vary"]


def test_answers_to_insiders_are_not_kept_for_others(town: Any, insider: Client) -> None:
    assert "private" in insider.get(ITEMS)["Cache-Control"]
    assert {"Cookie", "Authorization"} <= {name.strip() for name in Client().get(ITEMS)["Vary"].split(",")}


def test_a_page_of_items_asks_few_questions_of_the_database(
    town: Any, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    with django_assert_max_num_queries(4):  # the count, the page, and the savepoint around them
        ask()


def test_the_next_edition_takes_the_place_over(town: Any) -> None:
    """An edition approved for a later day is not in force before it."""
    now = Boundary.objects.current().get(place=town.quarters["q00"])
    later = timezone.localdate() + timedelta(days=30)
    now.valid = DateRange(now.valid.lower, later)
    now.save(update_fields=["valid"])
    future = edition_of(town.quarters["q00"], cell(0, 0).buffer(0.0005), start=later, version=3)
    assert ask(f"{ITEMS}/{town.prefix}.q00")["properties"]["edition"] == now.pk
    assert ask(code="q00", datetime=later.isoformat())["features"][0]["id"] == f"{town.prefix}.q00@{future.pk}"
    assert math.isclose(
        shape(ask(f"{ITEMS}/{town.prefix}.q00@{future.pk}")["geometry"]).area, cell(0, 0).buffer(0.0005).area
    )

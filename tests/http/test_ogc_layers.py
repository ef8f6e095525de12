"""OGC API – Features and – Tiles of layers: who sees which, what can be asked, pages, and documents that clients use as they are."""

from __future__ import annotations

import json
import math
import urllib.parse
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import shapely
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from geo.core.crs import project
from geo.db import sql
from geo.models import Assignment, Place
from layers.models import Feature, Layer, PopulationSource, Release, Theme

pytestmark = pytest.mark.django_db

WEST, SOUTH = 48.36, 33.48
ROOT = "/ogc/collections"
ROADS = [
    {
        "class": "arterial",
        "width_m": 9,
        "lanes": 2,
        "is_paved": True,
        "built": "1998-05-01",
        "seen": "2024-01-01T10:00:00Z",
    },
    {
        "class": "alley",
        "width_m": 10.5,
        "lanes": 1,
        "is_paved": False,
        "built": "2010-12-31",
        "seen": "2024-06-01T10:00:00Z",
    },
    {"class": "alley", "width_m": 100, "lanes": None, "is_paved": True, "built": None},
    {"class": "کوچهٔ «دوم»", "width_m": "wide", "built": "not a day"},
    {},
]


def layer_of(town: Any, code: str, kind: str, shapes: Any, rows: list[dict[str, Any]], **more: Any) -> Layer:
    names = more.pop("names", [""] * len(rows))
    fields = more.pop("fields", [])
    given = {"name_fa": f"لایهٔ {code}", "name_en": f"Layer {code}", "source": "survey", "licence": "CC0"}
    layer = Layer.objects.create(
        city=town.city, theme=town.theme, code=code, kind=kind, **{**given, "visibility": "public", **more}
    )
    release = Release.objects.create(
        layer=layer, number=1, file_name="f", file_sha256="0" * 64, content_hash=f"{layer.pk:064d}", row_count=len(rows),
        reference_date=date(2024, 1, 1), fields=fields,
    )  # fmt: skip
    wkb = shapely.to_wkb(shapely.set_srid(np.asarray(shapes, dtype=object), 4326), hex=True, include_srid=True)
    records = [
        (release.pk, i + 1, name, shape, json.dumps(row))
        for i, (name, shape, row) in enumerate(zip(names, wkb, rows, strict=True))
    ]
    sql.copy_rows(Feature, ("release_id", "number", "name", "geometry", "attributes"), records)
    return layer


@pytest.fixture
def town(db: None, settings: Any, tmp_path: Path) -> Any:
    settings.CACHE_DIR = tmp_path / "cache"
    city = Place.objects.create(kind="city", code="ogctown", name_fa="شهر", name_en="Ogctown", is_published=True)
    theme = Theme.objects.create(code="ogc-theme", name_fa="آزمون", name_en="Test")
    found = SimpleNamespace(city=city, theme=theme)
    lines = [shapely.LineString([(WEST + i * 0.01, SOUTH), (WEST + i * 0.01 + 0.005, SOUTH + 0.003)]) for i in range(5)]
    found.lines = lines
    found.roads = layer_of(found, "roads", "line", lines, ROADS, names=["A", "B", "C", "D", "E"])
    return found


def items(query: str = "", *, layer: str = "roads", client: Client | None = None, status: int = 200) -> Any:
    answer = (client or Client()).get(f"{ROOT}/ogctown.{layer}/items{query}")
    assert answer.status_code == status, answer.content[:500]
    return answer.json()


def numbers(filter_text: str, **more: str) -> list[int]:
    query = urllib.parse.urlencode({"filter": filter_text, **more})
    return [feature["id"] for feature in items(f"?{query}")["features"]]


# ---------------------------------------------------------------- collections


def test_every_layer_that_may_be_seen_is_a_collection_and_no_other(town: Any) -> None:
    layer_of(town, "secret", "line", town.lines, ROADS, visibility="assigned")
    layer_of(town, "old", "line", town.lines, ROADS, archived_at="2024-01-01T00:00:00Z")
    layer_of(town, "members", "line", town.lines, ROADS, visibility="signed-in")
    Layer.objects.create(
        city=town.city, theme=town.theme, code="picture", kind="raster", name_fa="a", name_en="a", source="s", visibility="public"
    )  # fmt: skip

    def seen(client: Client) -> set[str]:
        found = client.get(ROOT).json()["collections"]
        return {one["id"] for one in found if one["id"].startswith("ogctown.")}

    assert seen(Client()) == {"ogctown.roads"}
    user = User.objects.create_user("ogc-reader")
    client = Client()
    client.force_login(user)
    assert seen(client) == {"ogctown.roads", "ogctown.members"}
    Assignment.objects.create(user=user, role="viewer", place=town.city)
    assert seen(client) == {"ogctown.roads", "ogctown.members", "ogctown.secret"}
    for path in ("", "/items", "/items/1", "/queryables", "/schema", "/tiles", "/tiles/WebMercatorQuad",
                 "/tiles/WebMercatorQuad/0/0/0", "/styles", "/styles/default"):  # fmt: skip
        for code in ("secret", "members", "picture", "nothing", "old"):
            answer = Client().get(f"{ROOT}/ogctown.{code}{path}")
            expected = 400 if code == "picture" and path.endswith("0/0/0") else 404
            if code == "old" and path.endswith("0/0/0"):
                expected = 200  # kept for the maps that show it
            assert answer.status_code == expected, (code, path)
        assert Client().get(f"{ROOT}/ogctown.roads{path}").status_code == 200


def test_a_collection_says_what_it_is(town: Any) -> None:
    client = Client()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    found = client.get(f"{ROOT}/ogctown.roads").json()
    assert found["title"] == "Ogctown: Layer roads"
    assert found["attribution"] == "survey · CC0"
    assert found["extent"]["spatial"]["bbox"][0] == pytest.approx([WEST, SOUTH, WEST + 0.045, SOUTH + 0.003])
    assert found["extent"]["temporal"]["interval"][0][0] == "2024-01-01T00:00:00Z"
    rels = {told["rel"].rsplit("/", 1)[-1] for told in found["links"]}
    assert {"self", "items", "queryables", "tilesets-vector", "styles", "describedby"} <= rels
    assert all(told["href"].startswith("http://testserver/") for told in found["links"])


def test_queryables_are_the_fields_of_the_release_or_those_found(town: Any) -> None:
    found = Client().get(f"{ROOT}/ogctown.roads/queryables").json()["properties"]
    assert set(found) == {"name", "geometry", "class", "width_m", "lanes", "is_paved", "built", "seen"}
    types = {name: told.get("type") for name, told in found.items()}
    assert types["lanes"] == "number"
    assert types["is_paved"] == "boolean"
    assert types["width_m"] == "string"  # one row says "wide"
    told = [
        {"name": "width_m", "type": "number"},
        {"name": "built", "type": "date"},
        {"name": "lanes", "type": "integer"},
    ]
    Release.objects.filter(layer=town.roads).update(fields=told)
    found = Client().get(f"{ROOT}/ogctown.roads/queryables").json()["properties"]
    assert found["width_m"]["type"] == "number"
    assert (found["built"]["type"], found["built"]["format"]) == ("string", "date")
    assert "class" not in found


# ---------------------------------------------------------------- items


def test_features_come_as_they_are_stored(town: Any) -> None:
    found = items()
    assert (found["numberMatched"], found["numberReturned"]) == (5, 5)
    for i, feature in enumerate(found["features"]):
        assert feature["id"] == i + 1
        assert feature["properties"] == {"name": "ABCDE"[i], **ROADS[i]}
        assert shapely.geometry.shape(feature["geometry"]).equals_exact(town.lines[i], 0)
    one = Client().get(f"{ROOT}/ogctown.roads/items/2")
    assert one.json()["properties"]["width_m"] == 10.5
    assert Client().get(f"{ROOT}/ogctown.roads/items/2", headers={"If-None-Match": one["ETag"]}).status_code == 304
    for wrong in ("6", "0", "x", "-1", "9" * 40, "١"):
        assert Client().get(f"{ROOT}/ogctown.roads/items/{wrong}").status_code == 404


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("width_m > 9.5", [2, 3]),  # as texts, 100 would be less than 9
        ("width_m BETWEEN 9 AND 10.5", [1, 2]),
        ("width_m = 100", [3]),
        ("width_m <> 100", [1, 2]),
        ("width_m IN (9, 100)", [1, 3]),
        ("width_m IS NULL", [4, 5]),  # what is no number has no value as one
        ("lanes >= 1 AND is_paved = TRUE", [1]),
        ("is_paved = FALSE", [2]),
        ("class LIKE 'al%'", [2, 3]),
        ("CASEI(class) = CASEI('ALLEY')", [2, 3]),
        ("class = 'کوچهٔ «دوم»'", [4]),
        ("\"class\" = 'arterial' OR name = 'E'", [1, 5]),
        ("NOT class = 'alley'", [1, 4]),
        ("built > DATE('2000-01-01')", [2]),
        ("T_BEFORE(built, DATE('2000-01-01'))", [1]),
        ("T_DURING(built, INTERVAL('1998-01-01','2011-01-01'))", [1, 2]),
        ("seen >= TIMESTAMP('2024-03-01T00:00:00Z')", [2]),
        (f"S_INTERSECTS(geometry, BBOX({WEST - 0.001},{SOUTH - 0.001},{WEST + 0.012},{SOUTH + 0.01}))", [1, 2]),
        (f"S_INTERSECTS(geometry, POINT({WEST} {SOUTH})) AND width_m < 10", [1]),
        ("TRUE", [1, 2, 3, 4, 5]),
        ("FALSE", []),
    ],
)
def test_filters_compare_with_the_type_of_the_field(town: Any, text: str, expected: list[int]) -> None:
    Feature.objects.filter(release__layer=town.roads, number=4).update(
        attributes={"class": "کوچهٔ «دوم»", "width_m": "wide"}
    )
    types = {
        "class": "text",
        "width_m": "number",
        "lanes": "integer",
        "is_paved": "boolean",
        "built": "date",
        "seen": "datetime",
    }
    Release.objects.filter(layer=town.roads).update(
        fields=[{"name": name, "type": kind} for name, kind in types.items()]
    )
    assert numbers(text) == expected


def test_a_filter_may_be_json_and_properties_may_be_parameters(town: Any) -> None:
    tree = {
        "op": "and",
        "args": [
            {"op": ">", "args": [{"property": "lanes"}, 0]},
            {"op": "=", "args": [{"property": "is_paved"}, False]},
        ],
    }
    assert numbers(json.dumps(tree), **{"filter-lang": "cql2-json"}) == [2]
    assert [one["id"] for one in items("?class=alley&lanes=1")["features"]] == [2]
    assert [one["id"] for one in items("?is_paved=true&limit=1")["features"]] == [1]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("?filter=secret=1", "unknown_queryable"),
        ("?filter=attributes=1", "unknown_queryable"),
        ("?filter=release_id=1", "unknown_queryable"),
        ("?filter=lanes='two'", "bad_value"),
        ("?filter=is_paved=1", "bad_value"),
        ("?lanes=two", "bad_filter"),
        ("?filter=class='a' AND", "bad_filter"),
        ("?filter=class LIKE 'a\\'", "bad_filter"),
        ("?filter=S_INTERSECTS(class, POINT(1 2))", "bad_filter"),
        ("?nothing=1", "unknown_parameter"),
        ("?offset=5", "unknown_parameter"),
        ("?after=-1", "bad_number"),
        ("?limit=0", "bad_number"),
        ("?bbox=1,2,3", "bad_bbox"),
        ("?bbox=NaN,0,1,1", "bad_bbox"),
        ("?crs=EPSG:9999", "unknown_crs"),
        ("?datetime=tomorrow", "bad_date"),
        ("?filter-lang=sql&filter=1", "unknown_language"),
        ("?filter=class='\0'", "bad_value"),
    ],
)
def test_wrong_questions_say_what_is_wrong(town: Any, query: str, code: str) -> None:
    assert items(query.replace("\0", "%00"), status=400)["code"] == code


def test_names_of_fields_cannot_break_out(town: Any) -> None:
    hostile = [
        'a"; DROP TABLE layers_feature; --',
        "b' OR '1'='1",
        "%(release)s",
        "{0}",
        "<b>x</b>",
        "0",
        "f",
        "limit",
        "geometry",
    ]
    rows = [dict.fromkeys(hostile, f"v{i}") for i in range(3)]
    points = [shapely.Point(WEST + i * 0.001, SOUTH) for i in range(3)]
    layer_of(town, "hostile", "point", points, rows)
    found = Client().get(f"{ROOT}/ogctown.hostile/queryables").json()["properties"]
    assert set(hostile) <= set(found)
    for name in hostile:
        if name in ("f", "limit", "geometry"):
            continue
        tree = json.dumps({"op": "=", "args": [{"property": name}, "v1"]})
        query = urllib.parse.urlencode({"filter": tree, "filter-lang": "cql2-json"})
        assert [one["id"] for one in items(f"?{query}", layer="hostile")["features"]] == [2], name
    page = Client().get(f"{ROOT}/ogctown.hostile/items?f=html").content.decode()
    assert "<b>x</b>" not in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page


def test_pages_go_on_behind_the_last_number(town: Any) -> None:
    seen, address = [], f"{ROOT}/ogctown.roads/items?limit=2&filter=name<>'B'"
    for _ in range(5):
        found = Client().get(address).json()
        assert found["numberMatched"] == 4
        seen += [one["id"] for one in found["features"]]
        following = [told["href"] for told in found["links"] if told["rel"] == "next"]
        if not following:
            break
        address = following[0].removeprefix("http://testserver")
        assert "after=" in address
    assert seen == [1, 3, 4, 5]


def test_boxes_and_reference_systems(town: Any) -> None:
    box = f"{WEST - 0.001},{SOUTH - 0.001},{WEST + 0.011},{SOUTH + 0.01}"
    assert [one["id"] for one in items(f"?bbox={box}")["features"]] == [1, 2]
    utm = "http://www.opengis.net/def/crs/EPSG/0/32639"
    answer = Client().get(f"{ROOT}/ogctown.roads/items?crs={utm}&limit=1")
    assert answer["Content-Crs"] == f"<{utm}>"
    shape = shapely.geometry.shape(answer.json()["features"][0]["geometry"])
    assert shape.equals_exact(project([town.lines[0]], 4326, 32639)[0], 1e-6)
    beside = f"{WEST + 0.0001},{SOUTH + 0.0025},{WEST + 0.0005},{SOUTH + 0.003}"
    assert items(f"?bbox={beside}")["features"] == []  # its box overlaps, the line does not


def test_answers_have_entity_tags_and_pages_for_people(town: Any) -> None:
    for path in ("", "/items", "/items/1", "/queryables", "/schema", "/tiles", "/styles/default"):
        answer = Client().get(f"{ROOT}/ogctown.roads{path}")
        assert answer["ETag"]
        again = Client().get(f"{ROOT}/ogctown.roads{path}", headers={"If-None-Match": answer["ETag"]})
        assert again.status_code == 304
        assert Client().post(f"{ROOT}/ogctown.roads{path}").status_code == 405
    for path in ("", "/items", "/items/1", "/queryables", "/schema"):
        page = Client().get(f"{ROOT}/ogctown.roads{path}?f=html")
        assert page.status_code == 200
        assert page["Content-Type"].startswith("text/html")
    assert "لایهٔ roads" in Client().get(f"{ROOT}?f=html").content.decode()


def test_small_counts_of_people_are_not_told_to_outsiders_nor_found_by_filters(town: Any) -> None:
    squares = [shapely.box(WEST + i * 0.01, SOUTH, WEST + i * 0.01 + 0.005, SOUTH + 0.005) for i in range(3)]
    layer = layer_of(
        town,
        "census",
        "polygon",
        squares,
        [{"people": 4, "homes": 2}, {"people": 250, "homes": 60}, {"people": 0, "homes": 0}],
    )
    PopulationSource.objects.create(city=town.city, layer=layer, field="people")
    assert [one["properties"]["people"] for one in items(layer="census")["features"]] == [None, 250, 0]
    assert items("/1", layer="census")["properties"]["people"] is None
    assert items("?filter=people=4", layer="census", status=400)["code"] == "unknown_queryable"
    assert items("?people=4", layer="census", status=400)["code"] == "unknown_parameter"
    assert "people" not in Client().get(f"{ROOT}/ogctown.census/queryables").json()["properties"]
    user = User.objects.create_user("ogc-insider")
    Assignment.objects.create(user=user, role="viewer", place=town.city)
    client = Client()
    client.force_login(user)
    assert [one["properties"]["people"] for one in items(layer="census", client=client)["features"]] == [4, 250, 0]
    assert [one["id"] for one in items("?filter=people<10", layer="census", client=client)["features"]] == [1, 3]


# ---------------------------------------------------------------- tiles and styles


def test_tile_sets_say_where_the_tiles_are(town: Any) -> None:
    found = Client().get(f"{ROOT}/ogctown.roads/tiles").json()
    (tileset,) = found["tilesets"]
    assert tileset["dataType"] == "vector"
    assert tileset["tileMatrixSetURI"].endswith("/WebMercatorQuad")
    template = next(told for told in tileset["links"] if told["rel"] == "item")
    assert template["templated"] is True
    z = 12
    x = int((WEST + 180) / 360 * 2**z)
    y = int((1 - math.asinh(math.tan(math.radians(SOUTH))) / math.pi) / 2 * 2**z)
    address = template["href"].format(tileMatrix=z, tileRow=y, tileCol=x).removeprefix("http://testserver")
    tile = Client().get(address)
    assert tile["Content-Type"] == "application/vnd.mapbox-vector-tile"
    assert tile.content == Client().get(f"/tiles/ogctown/layers/roads/{z}/{x}/{y}.mvt").content
    assert Client().get(address, headers={"If-None-Match": tile["ETag"]}).status_code == 304
    told = Client().get(f"{ROOT}/ogctown.roads/tiles/WebMercatorQuad?f=tilejson").json()
    assert told["tilejson"] == "3.0.0"
    assert told["tiles"][0].format(z=z, x=x, y=y).endswith(f"/tiles/WebMercatorQuad/{z}/{y}/{x}")
    assert Client().get(f"{ROOT}/ogctown.roads/tiles/WorldCRS84Quad").status_code == 404
    assert Client().get(f"{ROOT}/ogctown.roads/tiles/WorldCRS84Quad/0/0/0").status_code == 404
    assert Client().get(f"{ROOT}/ogctown.roads/tiles/WebMercatorQuad/0/0/0?f=png").status_code == 400
    assert Client().get(f"{ROOT}/ogctown.roads/tiles/WebMercatorQuad/0/x/0").status_code == 400


def test_the_grid_is_the_one_of_the_standard() -> None:
    grid = Client().get("/ogc/tileMatrixSets/WebMercatorQuad").json()
    first, second = grid["tileMatrices"][:2]
    assert first["scaleDenominator"] == pytest.approx(559082264.028717, rel=1e-12)
    assert first["cellSize"] == pytest.approx(156543.033928041, rel=1e-12)
    assert first["pointOfOrigin"] == pytest.approx([-20037508.3427892, 20037508.3427892])
    assert (second["matrixWidth"], second["tileWidth"]) == (2, 256)
    assert Client().get("/ogc/tileMatrixSets").json()["tileMatrixSets"][0]["id"] == "WebMercatorQuad"
    assert Client().get("/ogc/tileMatrixSets/other").status_code == 404


def test_the_style_of_a_layer_names_only_this_host(town: Any) -> None:
    answer = Client().get(f"{ROOT}/ogctown.roads/styles/default")
    assert answer["Content-Type"] == "application/vnd.mapbox.style+json"
    style = answer.json()
    assert style["version"] == 8
    (source,) = style["sources"].values()
    assert source["tiles"] == [f"http://testserver{ROOT}/ogctown.roads/tiles/WebMercatorQuad/{{z}}/{{y}}/{{x}}"]
    assert not {"sprite", "glyphs"} & set(style)
    drawn = [layer for layer in style["layers"] if "source" in layer]
    assert {layer["source-layer"] for layer in drawn} == {"features"}
    assert {layer["source"] for layer in drawn} == set(style["sources"])
    assert len({layer["id"] for layer in style["layers"]}) == len(style["layers"])


def test_the_style_of_a_city_holds_what_the_reader_may_see(town: Any) -> None:
    layer_of(town, "parks", "polygon", [shapely.box(WEST, SOUTH, WEST + 0.01, SOUTH + 0.01)], [{}])
    layer_of(town, "stops", "point", [shapely.Point(WEST, SOUTH)], [{}])
    layer_of(town, "secret", "line", town.lines, ROADS, visibility="assigned")
    style = Client().get(f"{ROOT}/ogctown/styles/default").json()
    assert set(style["sources"]) == {"ogctown", "ogctown.roads", "ogctown.parks", "ogctown.stops"}
    order = [layer["id"] for layer in style["layers"]]
    assert order.index("ogctown.parks-fill") < order.index("ogctown.roads-line") < order.index("ogctown.stops-circle")
    assert "secret" not in json.dumps(style)
    tiles = style["sources"]["ogctown"]["tiles"][0].removeprefix("http://testserver").format(z=0, x=0, y=0)
    assert Client().get(tiles).status_code == 204  # no places yet
    assert Client().get(f"{ROOT}/nowhere/styles/default").status_code == 404
    listed = Client().get(ROOT).json()["links"]
    assert any(told["href"].endswith(f"{ROOT}/ogctown/styles/default") for told in listed)


def test_conformance_names_the_classes_of_tiles() -> None:
    told = Client().get("/ogc/conformance").json()["conformsTo"]
    assert "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/mvt" in told
    assert "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/filter" in told


def test_the_demo_city_is_there_as_layers(demo_city: Place, client_as: Callable[[str], Any]) -> None:
    found = Client().get(f"{ROOT}/khorramabad.clinic/items?limit=3").json()
    assert found["numberReturned"] == 3
    style = Client().get(f"{ROOT}/khorramabad/styles/default").json()
    assert len(style["sources"]) > 10

"""What strangers to geometry, or enemies of the service, send to the workbench: refused with its place, or mended and shown, soon."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import shapely
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely.geometry import mapping, shape

from geo.models import Boundary, ChangeSet, Place, WorkingCopy

pytestmark = pytest.mark.django_db

API = "/api/v1/"
CITY = f"{API}cities/khorramabad/"
LON, LAT = 48.35, 33.49
MOST_S = 2.0
"""Seconds of a processor that an answer may take here, whatever else the machine does."""


_WARM: list[bool] = []


@pytest.fixture
def planner(demo_city: Place, client_as: Callable[[str], Client]) -> Client:
    client = client_as("planner")
    if not _WARM:  # what is read once a process is not what is measured here
        client.get(f"{CITY}partition")
        client.post(f"{CITY}readout", json.dumps({"edits": [{"code": "warm", "geometry": BOX}]}), "application/json")
        _WARM.append(True)
    return client


@pytest.fixture
def edition(demo_city: Place) -> int:
    found = Boundary.objects.current().get(place__code="n001", place__path__startswith=demo_city.path + "/")
    return int(found.pk)


def ring(points: Any) -> list[list[float]]:
    closed = [[float(x), float(y)] for x, y in points]
    return [*closed, closed[0]]


def polygon(points: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [ring(points)]}


def circle(n: int, radius: float, digits: int = 7) -> dict[str, Any]:
    turn = np.linspace(0, 2 * np.pi, n, endpoint=False)
    return polygon(np.round(np.c_[LON + radius * np.cos(turn), LAT + radius * np.sin(turn)], digits))


def scribble(n: int) -> dict[str, Any]:
    return polygon(np.round(np.random.default_rng(5).random((n, 2)) * 0.05 + [LON, LAT], 5))


def comb(teeth: int) -> dict[str, Any]:
    """A valid shape whose thousand teeth lie over the whole city."""
    x = np.linspace(LON - 0.05, LON + 0.05, teeth)
    y = np.where(np.arange(teeth) % 2, LAT + 0.05, LAT - 0.05)
    return polygon([*np.round(np.c_[x, y], 7), (LON + 0.05, LAT + 0.06), (LON - 0.05, LAT + 0.06)])


BOX = mapping(shapely.box(LON, LAT, LON + 0.002, LAT + 0.002))
BOW = polygon([(LON, LAT), (LON + 0.01, LAT + 0.01), (LON + 0.01, LAT), (LON, LAT + 0.01)])

REFUSED: dict[str, tuple[Any, str]] = {
    "1e9": (polygon([(1e9, 0), (1e9, 1), (0, 1)]), "out_of_range"),
    "1e300": (polygon([(1e300, 0), (1e300, 1), (0, 1)]), "out_of_range"),
    "latitude first": (polygon([(LAT, LON), (LAT + 0.01, LON), (LAT, LON + 0.01)]), "far_away"),
    "half the world": (polygon([(0, -80), (100, -80), (100, 80), (0, 80)]), "far_away"),
    "the whole world": (polygon([(-180, -90), (180, -90), (180, 90), (-180, 90)]), "crosses_antimeridian"),
    "flat": (polygon([(LON, LAT), (LON + 0.01, LAT), (LON + 0.005, LAT)]), "beyond_repair"),
    "one point": (polygon([(LON, LAT)] * 5), "beyond_repair"),
    "empty": ({"type": "Polygon", "coordinates": []}, "bad_geometry"),
    "empty ring": ({"type": "Polygon", "coordinates": [[]]}, "bad_geometry"),
    "empty parts": ({"type": "MultiPolygon", "coordinates": [[], []]}, "bad_geometry"),
    "two points": ({"type": "Polygon", "coordinates": [[[LON, LAT], [LON, LAT]]]}, "open_ring"),
    "open": ({"type": "Polygon", "coordinates": [ring([(LON, LAT), (49, 34), (49, 33), (48, 33)])[:-1]]}, "open_ring"),
    "a point": ({"type": "Point", "coordinates": [LON, LAT]}, "not_polygonal"),
    "a line": ({"type": "LineString", "coordinates": [[LON, LAT], [LON, 34]]}, "not_polygonal"),
    "a collection": ({"type": "GeometryCollection", "geometries": [BOX]}, "bad_geometry"),
    "a feature": ({"type": "Feature", "geometry": BOX, "properties": {}}, "bad_geometry"),
    "a text": ("POLYGON ((0 0, 1 1, 1 0, 0 0))", "bad_geometry"),
    "a number": (7, "bad_geometry"),
    "no coordinates": ({"type": "Polygon"}, "bad_geometry"),
    "a tree as type": ({"type": ["Polygon"], "coordinates": []}, "bad_geometry"),
    "texts": ({"type": "Polygon", "coordinates": [[["48", "33"], ["49", "33"], ["49", "34"], ["48", "33"]]]}, "bad_position"),
    "nulls": ({"type": "Polygon", "coordinates": [[[None, None]] * 4]}, "bad_position"),
    "ragged": ({"type": "Polygon", "coordinates": [[[LON, LAT], [LON], [LON, LAT, 1], [LON, LAT]]]}, "bad_position"),
    "too deep": ({"type": "Polygon", "coordinates": [[[[LON, LAT]] * 4]]}, "bad_position"),
    "huge integers": (polygon([(LON, LAT), (10**30, LAT), (LON, 34)]), "out_of_range"),
    "hole outside": ({"type": "Polygon", "coordinates": [circle(9, 0.01)["coordinates"][0], circle(9, 0.02)["coordinates"][0]]}, "beyond_repair"),
}  # fmt: skip
HEAVY: dict[str, tuple[Any, str]] = {
    "200,001 vertices": (circle(200_001, 0.01, digits=4), "too_many_vertices"),
    "200,000 scribbled": (scribble(200_000), "too_many_vertices"),
    "180,000 in parts": (
        {"type": "MultiPolygon", "coordinates": [[scribble(60_000)["coordinates"][0]] for _ in range(3)]},
        "too_many_vertices",
    ),
    "15,000 scribbled": (scribble(15_000), "invalid"),
    "3,000 scribbled": (scribble(3_000), "invalid"),
    "300 scribbled": (scribble(300), "invalid"),
    "19,000 teeth": (comb(19_000), "too_many_crossings"),
    "2,000 teeth": (comb(2_000), "too_many_crossings"),
}


def timed(client: Client, path: str, body: Any, method: str = "post", **headers: str) -> Any:
    text = body if isinstance(body, bytes | str) else json.dumps(body)
    start = time.process_time()
    response = getattr(client, method)(f"{CITY}{path}", text, content_type="application/json", headers=headers)
    taken_s = time.process_time() - start
    assert taken_s < MOST_S, f"{path} took {taken_s:.2f} s"
    return response


def refusal(response: Any) -> dict[str, Any]:
    """Return a problem that says what, where and what to do."""
    assert response["Content-Type"] == "application/problem+json"
    told = response.json()
    assert 400 <= told["status"] == response.status_code < 500
    assert told["title"]
    assert told["code"]
    assert told["where"]
    return dict(told)


@pytest.mark.parametrize("name", [*REFUSED, *HEAVY])
def test_a_broken_shape_is_refused_with_its_place(name: str, planner: Client, edition: int) -> None:
    geometry, code = (REFUSED | HEAVY)[name]
    readout = refusal(timed(planner, "readout", {"edits": [{"code": "n001", "geometry": geometry}]}))
    assert readout["code"] == code
    assert "edits[0]" in readout["where"] or "n001" in readout["where"]
    for repair in (False, True):
        body = {"edits": [{"code": "n001", "base_edition_id": edition, "geometry": geometry}], "repair": repair}
        assert refusal(timed(planner, "change-sets", body))["where"]
    assert ChangeSet.objects.count() == 0


@pytest.mark.parametrize("name", ["5,000 vertices", "19,000 vertices"])
def test_a_large_shape_is_measured_in_time(name: str, planner: Client, edition: int) -> None:
    geometry = circle(int(name.split(" ")[0].replace(",", "")), 0.012)
    body = timed(planner, "readout", {"edits": [{"code": "n001", "geometry": geometry}]})
    assert body.status_code == 200
    assert body.json()["places"]["n001"]["people"] > 0
    saved = timed(
        planner, "change-sets", {"edits": [{"code": "n001", "base_edition_id": edition, "geometry": geometry}]}
    )
    assert saved.status_code == 201


def test_a_shape_that_crosses_itself_is_mended_and_shown(planner: Client, edition: int) -> None:
    edits = [{"code": "n001", "base_edition_id": edition, "geometry": BOW}]
    body = timed(planner, "readout", {"edits": edits}).json()
    assert "خودش را قطع می‌کند" in body["notes"]["n001"]
    mended = shape(body["repaired"]["n001"])
    assert mended.is_valid
    assert mended.area == pytest.approx(0.5 * 0.01**2)
    broken = body["findings"][0]
    assert (broken["kind"], broken["codes"]) == ("invalid", ["n001"])
    assert broken["where"] == pytest.approx([LON + 0.005, LAT + 0.005])
    way = broken["repairs"][0]
    preview = timed(planner, "repair", {"edits": edits, "finding": broken["key"], "repair": way["key"]}).json()
    assert shapely.equals(shape(preview["changes"]["n001"]["geometry"]), mended)

    refused = refusal(timed(planner, "change-sets", {"edits": edits}))
    assert refused["code"] == "invalid"
    assert "48.355" in refused["where"]
    saved = timed(planner, "change-sets", {"edits": edits, "repair": True})
    assert saved.status_code == 201
    assert "خودش را قطع می‌کند" in saved.json()["notes"]["n001"]
    stored = Boundary.objects.get(pk=saved.json()["changes"][0]["edition"]).geometry
    assert stored.valid


def test_repeated_points_and_heights_are_dropped(planner: Client, edition: int) -> None:
    corners = [(LON, LAT)] * 3 + [(LON + 0.01, LAT)] * 2 + [(LON, LAT + 0.01)]
    high = {"type": "Polygon", "coordinates": [[[x, y, 7] for x, y in ring(corners)]]}
    for geometry in (polygon(corners), high):
        body = timed(planner, "readout", {"edits": [{"code": "n001", "geometry": geometry}]})
        assert body.status_code == 200
        edits = [{"code": "n001", "base_edition_id": edition, "geometry": geometry}]
        saved = timed(planner, "change-sets", {"edits": edits})
        assert saved.status_code == 201
        stored = shape(json.loads(Boundary.objects.get(pk=saved.json()["changes"][0]["edition"]).geometry.geojson))
        assert not stored.has_z
        assert all(
            one != two
            for one, two in zip(stored.geoms[0].exterior.coords, stored.geoms[0].exterior.coords[1:], strict=False)
        )


BODIES: dict[str, tuple[bytes, int]] = {
    "nothing": (b"", 400), "rubbish": (b"\xff\xfe{", 400), "half": (b'{"edits": [', 400), "a list": (b"[]", 400), "null": (b"null", 400),
    "NaN": (b'{"edits": [{"code": "n001", "geometry": {"type": "Polygon", "coordinates": [[[NaN, 1]]]}}]}', 400),
    "Infinity": (b'{"edits": [{"code": "n001", "geometry": {"type": "Polygon", "coordinates": [[[Infinity, 1]]]}}]}', 400),
    "1e999": (b'{"edits": [{"code": "n001", "geometry": {"type": "Polygon", "coordinates": [[[1e999, 1]]]}}]}', 400),
    "a long number": (b'{"edits": [' + b"9" * 5000 + b"]}", 400),
    "deep": (b'{"edits": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", 400),
    "deep objects": (b'{"document":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}", 400),
    "a null character": (b'{"edits": [], "title": "a\\u0000b", "document": {"a": "\\u0000"}, "places": ["\\u0000"]}', 400),
    "half a character": (b'{"edits": [], "title": "a\\ud800b", "document": {"\\udfff": 1}, "places": ["\\ud800"]}', 400),
    "501 edits": (json.dumps({"edits": [{"code": "p", "geometry": None}] * 501, "places": ["a"] * 501, "document": 1}).encode(), 400),
    "a bad code": (b'{"edits": [{"code": "../n001", "geometry": null}], "places": ["../x"], "document": "x"}', 400),
    "codes as numbers": (b'{"edits": [{"code": 7}], "places": [7], "document": [], "finding": 1}', 400),
    "too large": (b'{"edits": [], "x": "' + b"x" * 5_000_000 + b'"}', 413),
}  # fmt: skip


@pytest.mark.parametrize("path", ["readout", "topology", "repair", "change-sets", "working-copy", "presence"])
def test_a_broken_body_is_refused(path: str, planner: Client) -> None:
    method = "put" if path in ("working-copy", "presence") else "post"
    for name, (text, status) in BODIES.items():
        response = timed(planner, path, text, method)
        if path == "presence" and name in ("nothing", "NaN"):
            assert response.status_code in (200, 400), name  # nothing is asked of it, so nothing is missing
        else:
            assert refusal(response)["status"] == status, name
        assert ChangeSet.objects.count() == WorkingCopy.objects.count() == 0, name


def test_what_is_not_json_is_refused(planner: Client) -> None:
    for path in ("readout", "change-sets", "repair"):
        form = planner.post(f"{CITY}{path}", {"edits": "[]"})
        assert refusal(form)["status"] == 415
        assert planner.post(f"{CITY}{path}", b"x", content_type="text/xml").status_code == 415
    assert planner.delete(f"{CITY}readout").status_code == 405


@pytest.mark.parametrize(
    "edit",
    [
        {"code": "n001", "geometry": BOX, "base_edition_id": 10**30},
        {"code": "n001", "geometry": BOX, "base_edition_id": -1},
        {"code": "n001", "geometry": BOX, "base_edition_id": "seven"},
        {"code": "n001", "geometry": BOX, "kind": "palace"},
        {"code": "n001", "geometry": BOX, "certainty": "certain"},
        {"code": "n001", "geometry": BOX, "name_fa": "x" * 5_000},
        {"code": "n001", "geometry": BOX, "disputed": BOX},
        {"code": "n001", "geometry": BOX, "disputed": {"type": "LineString", "coordinates": [[1e9, 1], [2, 2]]}},
        {"code": "n001", "geometry": BOX, "from": ["nowhere"]},
        {"code": "n001", "geometry": BOX, "from": "n002"},
        {"code": "edit", "geometry": BOX, "kind": "settlement", "name_fa": "ن", "name_en": "N", "source": "s"},
        {"code": "nothing-to-end", "geometry": None},
    ],
    ids=lambda edit: json.dumps({k: v for k, v in edit.items() if k != "geometry"})[:40],
)
def test_a_broken_edit_is_refused(edit: dict[str, Any], planner: Client, edition: int) -> None:
    told = {"base_edition_id": edition, **edit} if edit["code"] == "n001" else edit
    assert refusal(timed(planner, "change-sets", {"title": "x", "edits": [told]}))
    assert ChangeSet.objects.count() == 0


def test_one_bad_edit_keeps_all_from_being_written(planner: Client, edition: int) -> None:
    good = {"code": "n001", "base_edition_id": edition, "geometry": BOX}
    bad = {"code": "n002", "base_edition_id": edition, "geometry": BOX}
    before = Boundary.objects.count()
    assert timed(planner, "change-sets", {"edits": [good, bad]}).status_code == 409
    assert timed(planner, "change-sets", {"edits": [good, good]}).status_code == 400
    assert timed(planner, "readout", {"edits": [good, good]}).status_code == 400
    assert Boundary.objects.count() == before


@pytest.mark.parametrize(
    "query",
    [
        "as_of=0000-00-00",
        "as_of=99999-01-01",
        "as_of=9999-12-31",
        "change_set=-1",
        "change_set=1e9",
        f"change_set={10**30}",
    ],
)
def test_questions_without_sense_are_refused(query: str, planner: Client) -> None:
    response = planner.get(f"{CITY}partition?{query}")
    assert response.status_code in (200, 400, 404)
    assert response.status_code != 200 or query == "as_of=9999-12-31"


def test_hostile_files_are_refused(planner: Client) -> None:
    def traced(name: str, content: bytes) -> Any:
        start = time.process_time()
        response = planner.post(f"{CITY}trace", {"file": SimpleUploadedFile(name, content)})
        assert time.process_time() - start < MOST_S, name
        return response

    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        for suffix in ("shp", "shx", "dbf"):
            archive.writestr(f"a.{suffix}", b"\x00" * 60_000_000)
    way_out = io.BytesIO()
    with zipfile.ZipFile(way_out, "w") as archive:
        archive.writestr("../../a.shp", b"x")
    feature = {"type": "Feature", "properties": {}, "geometry": scribble(150_000)}
    files = {
        "bomb.zip": bomb.getvalue(),
        "out.zip": way_out.getvalue(),
        "scribble.geojson": json.dumps(feature).encode(),
        "nan.geojson": b'{"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":[[[NaN,1],[2,2],[3,1],[NaN,1]]]}}',
        "far.geojson": json.dumps({**feature, "geometry": polygon([(1e9, 0), (1e9, 1), (0, 1)])}).encode(),
        "points.geojson": json.dumps({**feature, "geometry": {"type": "Point", "coordinates": [LON, LAT]}}).encode(),
        "deep.geojson": b'{"type":"Feature","geometry":' + b"[" * 100_000,
        "x" * 300 + ".geojson": b"{}",
        "\u202egpj.nosjoeg": b"{}",
    }
    for name, content in files.items():
        response = traced(name, content)
        assert refusal(response), name
        assert "/tmp" not in response.content.decode(), name  # noqa: S108
    assert traced("large.geojson", b" " * 5_100_000).status_code == 413


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["type", "coordinates", "a"]), inner, max_size=3)
    ),
    max_leaves=12,
)
degrees = st.floats(-1e10, 1e10) | st.floats(48.3, 48.4) | st.sampled_from([33.45, 33.5, 48.3, 48.35, 0.0, -180.0])
shapes = st.builds(
    lambda kind, points: {"type": kind, "coordinates": [points] if kind == "Polygon" else [[points]]},
    st.sampled_from(["Polygon", "MultiPolygon"]),
    st.lists(st.tuples(degrees, degrees), min_size=3, max_size=7).map(lambda points: [*points, points[0]]),
)


@given(geometry=json_values | shapes)
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_geometry_at_all_breaks_the_readout(geometry: Any, planner: Client) -> None:
    response = timed(planner, "readout", {"edits": [{"code": "n001", "geometry": geometry}]})
    if response.status_code != 200:
        refusal(response)

"""Exports over HTTP: the form, the zip, the bare file, the codebook, and what outsiders are not told."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import threading
import zipfile
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import shapely
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.signals import request_finished
from django.db import close_old_connections
from django.test import Client, RequestFactory

from geo.models import Place
from layers import writing
from layers.models import Layer, PopulationSource
from layers.reading import RasterPlan, read_raster
from maps.exports import views
from tests.db.exporting import Row, declared, release_put, rows_of

pytestmark = pytest.mark.django_db
ADDRESS = "/khorramabad/layers/exported/export/"


def content(response: Any) -> bytes:
    """Return what was answered; the client of the tests closes a stream at its end."""
    return b"".join(response.streaming_content) if response.streaming else response.content


def go_away(response: Any) -> None:
    """End a request before its end, as a server does; the connection to the database is the test's and stays."""
    request_finished.disconnect(close_old_connections)
    response.close()
    request_finished.connect(close_old_connections)


def left_over() -> list[Path]:
    folder = Path(settings.VAR_DIR) / "exports"
    return list(folder.iterdir()) if folder.is_dir() else []


def turns_free() -> int:
    taken = 0
    while views._free.acquire(blocking=False):
        taken += 1
    for _ in range(taken):
        views._free.release()
    return taken


@pytest.mark.parametrize("form", ["gpkg", "shp", "geojson", "geojsonseq", "fgb", "parquet", "kml", "csv", "xlsx"])
def test_a_layer_is_downloaded(form: str, demo_city: Place, client: Client) -> None:
    release_put(demo_city, rows_of("polygon"), fields=declared())
    response = client.get(ADDRESS, {"format": form})
    assert response.status_code == 200
    assert response["Content-Type"] == "application/zip"
    name = f"khorramabad-exported-v1-epsg4326-{form}.zip"
    assert response["Content-Disposition"] == f'attachment; filename="{name}"'
    assert "private" in response["Cache-Control"]
    with zipfile.ZipFile(io.BytesIO(content(response))) as archive:
        assert archive.testzip() is None
        book = json.loads(archive.read("codebook.json"))
        for told in book["files"]:
            assert hashlib.sha256(archive.read(told["name"])).hexdigest() == told["sha256"]
        assert {one["name"] for one in book["files"]} | {"README.txt", "codebook.csv", "codebook.json"} == set(
            archive.namelist()
        )
    assert not left_over()
    assert turns_free() == views.AT_ONCE


def test_the_data_alone(demo_city: Place, client: Client) -> None:
    release_put(demo_city, rows_of("point"), kind="point")
    response = client.get(ADDRESS, {"format": "geojson", "bare": "1"}, headers={"Accept-Encoding": "gzip"})
    assert response["Content-Type"] == "application/geo+json"
    assert 'filename="khorramabad-exported-v1-epsg4326.geojson"' in response["Content-Disposition"]
    data = content(response)
    assert len(json.loads(data)["features"]) == 4
    assert response["Repr-Digest"] == f"sha-256=:{b64encode(hashlib.sha256(data).digest()).decode()}:"
    assert int(response["Content-Length"]) == len(data)
    assert not left_over()


def test_a_reference_system_is_named_as_people_do(demo_city: Place, client: Client) -> None:
    release_put(demo_city, rows_of("point"), kind="point")
    for query in (
        {"crs": "EPSG:32639"},
        {"crs": "۳۲۶۳۹"},
        {"crs": "4326", "crs-other": "32639"},
        {"crs": "", "crs-other": "epsg:32639"},
    ):
        data = content(client.get(ADDRESS, {"format": "csv", "bare": "1", **query}))
        row = next(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
        point = shapely.from_wkt(row["wkt"])
        assert 200_000 < point.x < 300_000
        assert 3_700_000 < point.y < 3_720_000
        assert float(row["lon"]) == pytest.approx(48.351234567891, abs=1e-9)


def test_an_earlier_release_stays_to_be_had(demo_city: Place, client: Client) -> None:
    release_put(demo_city, rows_of("point"), kind="point")
    release_put(demo_city, rows_of("point")[:2], kind="point")
    for query, count in (({}, 2), ({"release": "1"}, 4), ({"release": "۲"}, 2), ({"release": ""}, 2)):
        document = json.loads(content(client.get(ADDRESS, {"format": "geojson", "bare": "1", **query})))
        assert len(document["features"]) == count


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"format": "dwg"}, 400, "bad_format"),
        ({"format": "cog"}, 400, "bad_format"),
        ({"format": "kml", "crs": "32639"}, 400, "crs_not_of_format"),
        ({"format": "geojson", "crs": "3857"}, 400, "crs_not_of_format"),
        ({"format": "gpkg", "crs": "degrees"}, 400, "bad_crs"),
        ({"format": "gpkg", "crs": "999999"}, 400, "unknown_crs"),
        ({"format": "gpkg", "crs": "32601"}, 400, "crs_elsewhere"),
        ({"format": "gpkg", "release": "9"}, 404, "unknown_release"),
        ({"format": "gpkg", "release": "-1"}, 400, "bad_release"),
        ({"format": "gpkg", "bbox": "1,2,3,4"}, 400, "window_of_rows"),
        ({"format": "gpkg", "bbox": "1,2,3"}, 400, "bad_window"),
        ({"format": "gpkg", "fields": "a"}, 400, "unknown_parameter"),
        ({"format": "../../etc/passwd"}, 400, "bad_format"),
    ],
)
def test_what_cannot_be_had_is_refused_with_a_remedy(
    query: dict[str, str], status: int, code: str, demo_city: Place, client: Client
) -> None:
    release_put(demo_city, rows_of("point"), kind="point")
    response = client.get(ADDRESS, query, headers={"Accept": "application/json"})
    assert response.status_code == status
    problem = json.loads(response.content)
    assert problem["code"] == code
    assert problem["remedy"]
    assert not left_over()
    assert turns_free() == views.AT_ONCE


def test_only_reading_is_possible(demo_city: Place, client: Client) -> None:
    release_put(demo_city, rows_of("point"), kind="point")
    assert client.post(ADDRESS, {"format": "csv"}).status_code == 405
    head = client.head(ADDRESS, {"format": "gpkg"})
    assert head.status_code == 200
    assert head["Content-Type"] == "application/zip"
    assert head.content == b""


def test_the_form_offers_what_there_is_in_both_languages(demo_city: Place, client: Client) -> None:
    release_put(demo_city, rows_of("point"), kind="point")
    release_put(demo_city, rows_of("point"), kind="point")
    for language in ("fa", "en"):
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
        page = client.get(ADDRESS).content.decode()
        assert f'action="{ADDRESS}"' in page
        assert 'method="get"' in page
        for one in writing.formats_for("point"):
            assert f'<option value="{one.code}"' in page
        assert 'value="cog"' not in page
        for value in ("4326", "3857", "32639"):
            assert f'<option value="{value}"' in page
        assert 'name="crs-other"' in page
        assert 'name="release"' in page
        assert "codebook.csv" in page
    assert "Download" in page
    raster = client.get("/khorramabad/layers/elevation/export/").content.decode()
    assert '<option value="cog"' in raster
    assert 'name="bbox"' in raster
    assert 'value="gpkg"' not in raster


def test_what_the_form_sends_is_understood(demo_city: Place, client: Client) -> None:
    """A browser sends empty values too."""
    release_put(demo_city, rows_of("point"), kind="point")
    sent = {"format": "gpkg", "crs": "", "crs-other": "", "release": "1"}
    assert content(client.get(ADDRESS, sent))[:2] == b"PK"


def test_the_codebook_has_an_address_of_its_own(demo_city: Place, client: Client) -> None:
    release_put(demo_city, rows_of("polygon"), fields=declared())
    book = json.loads(client.get(f"{ADDRESS}codebook.json", {"format": "shp", "crs": "32639"}).content)
    assert book["format"] == "shp"
    assert book["crs"]["epsg"] == 32639
    assert all(len(one["name"]) <= 10 for one in book["fields"])
    table = client.get(f"{ADDRESS}codebook.csv").content.decode("utf-8-sig")
    assert any(row["name"] == "floors" for row in csv.DictReader(io.StringIO(table)))
    raster = json.loads(client.get("/khorramabad/layers/elevation/export/codebook.json").content)
    assert raster["raster"]["width"] > 0
    assert not left_over()


def test_who_may_not_see_a_layer_cannot_take_it_out(demo_city: Place, client_as: Callable[[str], Client]) -> None:
    release_put(demo_city, rows_of("point"), kind="point", visibility="assigned", seen_by_roles=["agency"])
    seen = {"agency", "analyst", "planner", "administrator"}
    for name in ("anonymous", "planner_elsewhere", "viewer", "reporter", "supervisor", *sorted(seen)):
        for suffix in ("", "?format=csv&bare=1", "?format=gpkg", "codebook.json", "codebook.csv"):
            response = client_as(name).get(f"{ADDRESS}{suffix}")
            assert response.status_code == (200 if name in seen else 404), (name, suffix)
            go_away(response)


def test_outsiders_are_not_told_of_few_people(demo_city: Place, client_as: Callable[[str], Client]) -> None:
    rows = [
        Row(str(value), shapely.Point(48.3 + value / 1e4, 33.4), {"counted": value, "population": value, "homes": 2})
        for value in (0, 4, 10, 300)
    ]
    schema = [{"name": "counted", "type": "integer", "unit": "people"}]
    release = release_put(demo_city, rows, kind="point", schema=schema)

    def told(name: str, field: str = "counted") -> list[Any]:
        document = json.loads(content(client_as(name).get(ADDRESS, {"format": "geojson", "bare": "1"})))
        return [feature["properties"][field] for feature in document["features"]]

    assert told("anonymous") == told("planner_elsewhere") == [0, None, 10, 300]
    assert told("viewer") == told("administrator") == [0, 4, 10, 300]
    book = json.loads(client_as("anonymous").get(f"{ADDRESS}codebook.json").content)
    assert book["suppression"]["applied"] is True
    assert next(one for one in book["fields"] if one["name"] == "counted")["withheld"] == 1
    # Also where it is not the schema that says what is counted, but the city's source of people, or the name alone.
    Layer.objects.filter(pk=release.layer_id).update(schema=[])
    assert told("anonymous") == [0, 4, 10, 300]
    PopulationSource.objects.update_or_create(city=demo_city, defaults={"layer": release.layer, "field": "counted"})
    assert told("anonymous") == [0, None, 10, 300]
    assert told("anonymous", "population") == [0, None, 10, 300]
    assert told("viewer", "population") == [0, 4, 10, 300]


PEOPLE = "/khorramabad/layers/population/export/"


def test_people_on_a_raster_are_told_to_outsiders_by_squares(
    demo_city: Place, client_as: Callable[[str], Client], tmp_path: Path
) -> None:
    """Every square is the sum of its pixels, wherever a window begins; where few live, nothing is told."""
    layer = Layer.objects.get(city=demo_city, code="population")
    Layer.objects.filter(pk=layer.pk).update(visibility="public")
    stored = layer.releases.order_by("-number").first().raster

    def squares(name: str, **query: str) -> tuple[Any, Any]:
        path = tmp_path / "people.tif"
        path.write_bytes(content(client_as(name).get(PEOPLE, {"format": "cog", "bare": "1", **query})))
        with rasterio.open(path) as file:
            return file.read(1, masked=True).astype(float).filled(np.nan), file.transform

    with rasterio.open(Path(settings.RASTER_DIR) / stored.file) as file:
        whole = file.read(1, masked=True).astype(float).filled(np.nan)
        transform = file.transform
    exact, _ = squares("viewer")
    np.testing.assert_array_equal(exact, whole)
    told, moved = squares("anonymous")
    side = round(moved.a / transform.a)
    assert moved.a >= 100 > moved.a / 2
    padded = np.full([-(-n // side) * side for n in whole.shape], np.nan)
    padded[: whole.shape[0], : whole.shape[1]] = whole
    sums = np.nansum(padded.reshape(padded.shape[0] // side, side, padded.shape[1] // side, side), axis=(1, 3))
    assert told.shape == sums.shape
    is_few = (sums > 0) & (sums < 10)
    assert is_few.any()
    assert np.isnan(told[is_few]).all()
    known = np.isfinite(told)
    np.testing.assert_allclose(told[known], sums[known], rtol=1e-6)
    assert not ((told > 0) & (told < 10)).any()
    assert (told >= 10).any()
    # A window shows whole squares of the same grid, whatever it cuts.
    for window in ("48.33,33.46,48.36,33.49", "48.3301,33.4603,48.3599,33.4897"):
        part, place = squares("planner_elsewhere", bbox=window)
        column, row = (round(value) for value in ~moved @ (place.c, place.f))
        assert (place.a, place.e) == (moved.a, moved.e)
        np.testing.assert_array_equal(part, told[row : row + part.shape[0], column : column + part.shape[1]])
    book = json.loads(client_as("anonymous").get(f"{PEOPLE}codebook.json").content)
    assert book["suppression"]["applied"] is True
    assert book["suppression"]["squares_withheld"] == int(is_few.sum())
    assert "squares" in book["method"]
    assert json.loads(client_as("viewer").get(f"{PEOPLE}codebook.json").content)["suppression"] == {"applied": False}
    refused = client_as("anonymous").get(
        PEOPLE, {"format": "cog", "crs": "4326"}, headers={"Accept": "application/json"}
    )
    assert refused.status_code == 400
    assert json.loads(refused.content)["code"] == "crs_of_squares"
    assert client_as("viewer").get(PEOPLE, {"format": "cog", "crs": "4326", "bare": "1"}).status_code == 200
    assert not left_over()


def test_a_raster_that_a_city_counts_its_people_on_is_guarded_whatever_it_is_called(
    demo_city: Place, client_as: Callable[[str], Client]
) -> None:
    elevation = Layer.objects.get(city=demo_city, code="elevation")
    address = "/khorramabad/layers/elevation/export/codebook.json"

    def is_guarded() -> bool:
        return bool(json.loads(client_as("anonymous").get(address).content)["suppression"]["applied"])

    assert not is_guarded()
    PopulationSource.objects.filter(city=demo_city).update(layer=elevation)
    assert is_guarded()


def test_a_reader_who_goes_away_leaves_nothing(demo_city: Place) -> None:
    rows = [Row("", shapely.Point(48.3, 33.4), {"i": i}) for i in range(3000)]
    release_put(demo_city, rows, kind="point")
    threads = threading.active_count()
    for after in (0, 1, 2, 4):
        request = RequestFactory().get(ADDRESS, {"format": "gpkg"})
        request.user = AnonymousUser()
        response: Any = views.export(request, "khorramabad", "exported")
        pieces = iter(response)
        for _ in range(after):
            next(pieces)
        assert turns_free() == views.AT_ONCE - 1
        go_away(response)
        assert not left_over()
        assert turns_free() == views.AT_ONCE
    assert threading.active_count() == threads


def test_a_server_makes_only_so_many_at_a_time(demo_city: Place, client: Client) -> None:
    release_put(demo_city, rows_of("point"), kind="point")
    open_ = [client.get(ADDRESS, {"format": "csv"}) for _ in range(views.AT_ONCE)]
    busy = client.get(ADDRESS, {"format": "csv"}, headers={"Accept": "application/json"})
    assert busy.status_code == 429
    assert json.loads(busy.content)["code"] == "too_many_exports"
    assert client.get(ADDRESS).status_code == 200
    for response in open_:
        go_away(response)
    assert content(client.get(ADDRESS, {"format": "csv"}))[:2] == b"PK"


def test_a_window_of_a_raster(demo_city: Place, client: Client, tmp_path: Path) -> None:
    query = {"format": "cog", "bare": "1", "bbox": "48.33,33.46,48.36,33.49", "crs": "4326"}
    response = client.get("/khorramabad/layers/elevation/export/", query)
    assert response["Content-Type"].startswith("image/tiff")
    path = tmp_path / "part.tif"
    path.write_bytes(content(response))
    with rasterio.open(path) as file:
        assert file.crs.to_epsg() == 4326
        assert file.bounds.left == pytest.approx(48.33)
        assert file.bounds.top == pytest.approx(33.49)
        assert np.isfinite(file.read(1)).all()
    plan = read_raster(path)
    assert isinstance(plan, RasterPlan)
    assert plan.is_loadable, plan.problems
    outside = client.get("/khorramabad/layers/elevation/export/", {"format": "cog", "bbox": "1,1,2,2"})
    assert outside.status_code == 400

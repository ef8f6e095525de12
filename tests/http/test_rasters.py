"""Rasters as coloured tiles, legends and values: what they show, to whom, and what of people is kept back."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import rasterio
import rasterio.shutil
import shapely
from affine import Affine
from django.contrib.auth.models import User
from django.test import Client
from PIL import Image

from geo.core.crs import project
from geo.models import Assignment, Place
from layers.models import Layer, PopulationSource, Raster, Release, Theme

pytestmark = pytest.mark.django_db

WEST, SOUTH = 48.36, 33.48
PIXEL_M = 20.0
CORNER = project([shapely.Point(WEST, SOUTH)], 4326, 32639)[0]


def tile_at(lon: float, lat: float, z: int) -> tuple[int, int, int]:
    width = 2**z
    y = int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * width)
    return z, int((lon + 180) / 360 * width), y


@pytest.fixture
def town(db: None, settings: Any, tmp_path: Path) -> Any:
    settings.RASTER_DIR, settings.CACHE_DIR = tmp_path / "rasters", tmp_path / "cache"
    settings.RASTER_DIR.mkdir()
    city = Place.objects.create(kind="city", code="rastertown", name_fa="شهر", name_en="Rastertown", is_published=True)
    return SimpleNamespace(
        city=city, theme=Theme.objects.create(code="raster-theme", name_fa="آ", name_en="T"), dir=settings.RASTER_DIR
    )


def raster_of(
    town: Any, code: str, values: Any, purpose: str = "general", *, pixel_degrees: float | None = None, **more: Any
) -> Layer:
    """Store values, row 0 northernmost, as a COG in UTM 39N, or in degrees, whose lower left corner is at WEST, SOUTH."""
    values = np.asarray(values, dtype="float32")
    side, x, y = (pixel_degrees, WEST, SOUTH) if pixel_degrees else (PIXEL_M, CORNER.x, CORNER.y)
    transform = Affine(side, 0, x, 0, -side, y + values.shape[0] * side)
    epsg = 4326 if pixel_degrees else 32639
    profile = {
        "driver": "GTiff",
        "width": values.shape[1],
        "height": values.shape[0],
        "count": 1,
        "dtype": "float32",
        "crs": f"EPSG:{epsg}",
    }
    plain = town.dir / f"{code}-plain.tif"
    with rasterio.open(plain, "w", **profile, transform=transform, nodata=-9999) as target:
        target.write(values, 1)
    rasterio.shutil.copy(plain, town.dir / f"{code}.tif", driver="COG", blocksize=256, overview_resampling="average")
    given = {"name_fa": f"لایهٔ {code}", "name_en": code, "source": "survey", "licence": "CC0", "visibility": "public"}
    layer = Layer.objects.create(
        city=town.city, theme=town.theme, code=code, kind="raster", purpose=purpose, **{**given, **more}
    )
    release = Release.objects.create(
        layer=layer, number=1, file_name="f", file_sha256="0" * 64, content_hash=f"{layer.pk:064d}", row_count=1,
        reference_date=date(2024, 1, 1),
    )  # fmt: skip
    Raster.objects.create(
        release=release, file=f"{code}.tif", epsg=epsg, width=values.shape[1], height=values.shape[0],
        pixel_m=None if pixel_degrees else PIXEL_M,
    )  # fmt: skip
    return layer


def insider(town: Any) -> Client:
    user, _ = User.objects.get_or_create(username="raster-insider")
    Assignment.objects.get_or_create(user=user, role="viewer", place=town.city)
    client = Client()
    client.force_login(user)
    return client


def lonlat(row: int, column: int, n_rows: int) -> tuple[float, float]:
    """The middle of a pixel."""
    x, y = CORNER.x + (column + 0.5) * PIXEL_M, CORNER.y + (n_rows - row - 0.5) * PIXEL_M
    point = project([shapely.Point(x, y)], 32639, 4326)[0]
    return point.x, point.y


def image(code: str, address: tuple[int, int, int], client: Client | None = None) -> np.ndarray:
    answer = (client or Client()).get("/tiles/rastertown/rasters/{}/{}/{}/{}.png".format(code, *address))
    assert answer.status_code == 200, answer.content[:300]
    assert answer["Content-Type"] == "image/png"
    picture = Image.open(io.BytesIO(answer.content))
    assert picture.size == (256, 256)
    return np.asarray(picture.convert("RGBA"))


def at(picture: np.ndarray, address: tuple[int, int, int], lon: float, lat: float) -> tuple[int, ...]:
    z, x, y = address
    column = ((lon + 180) / 360 * 2**z - x) * 256
    row = ((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**z - y) * 256
    return tuple(int(part) for part in picture[int(row), int(column)])


def value(code: str, lon: float, lat: float, client: Client | None = None) -> Any:
    return (client or Client()).get(f"/api/rastertown/rasters/{code}/value?lon={lon}&lat={lat}")


def rgba(colour: str) -> tuple[int, ...]:
    return (*bytes.fromhex(colour[1:]), 255)


# ---------------------------------------------------------------- colours


@pytest.mark.parametrize("purpose", ["slope", "hazard", "general"])
def test_pixels_have_the_colour_that_the_legend_gives_their_value(town: Any, purpose: str) -> None:
    values = np.tile(np.arange(100, dtype="float32"), (100, 1))
    values[:10, :10] = -9999
    raster_of(town, "steep", values, purpose)
    legend = Client().get("/tiles/rastertown/rasters/steep/legend.json").json()
    assert legend["purpose"] == purpose
    assert len(legend["classes"]) == 5
    assert all(a["to"] == b["from"] for a, b in zip(legend["classes"], legend["classes"][1:], strict=False))
    assert (legend["classes"][0]["from"], legend["classes"][-1]["to"]) == (0, 99)
    for column in (3, 27, 50, 71, 96):
        lon, lat = lonlat(60, column, 100)
        address = tile_at(lon, lat, 17)
        (expected,) = [
            one["colour"]
            for one in legend["classes"]
            if one["from"] <= column < one["to"] + (one is legend["classes"][-1])
        ]
        assert at(image("steep", address), address, lon, lat) == rgba(expected), column
    lon, lat = lonlat(5, 5, 100)
    address = tile_at(lon, lat, 17)
    assert at(image("steep", address), address, lon, lat)[3] == 0, "no data is transparent"


def test_distant_views_are_drawn_from_overviews(town: Any) -> None:
    rng = np.random.default_rng(4)
    values = np.where(np.arange(1200)[None, :] < 600, 10, 90) + rng.uniform(-5, 5, (1200, 1200))
    raster_of(town, "wide", values, "hazard")
    with rasterio.open(town.dir / "wide.tif") as source:
        assert source.overviews(1)
    legend = Client().get("/tiles/rastertown/rasters/wide/legend.json").json()["classes"]
    low, high = (
        at(image("wide", tile_at(*point, 9)), tile_at(*point, 9), *point)
        for point in (lonlat(600, 300, 1200), lonlat(600, 900, 1200))
    )
    assert low in {rgba(one["colour"]) for one in legend[:3]}
    assert high in {rgba(one["colour"]) for one in legend[2:]}
    assert low != high
    assert image("wide", tile_at(*lonlat(600, 600, 1200), 5)).any()


def test_one_value_everywhere_is_one_class(town: Any) -> None:
    raster_of(town, "flat", np.full((20, 20), 7.0), "elevation")
    (only,) = Client().get("/tiles/rastertown/rasters/flat/legend.json").json()["classes"]
    address = tile_at(*lonlat(10, 10, 20), 17)
    assert at(image("flat", address), address, *lonlat(10, 10, 20)) == rgba(only["colour"])
    raster_of(town, "none", np.full((20, 20), -9999.0))
    assert Client().get("/tiles/rastertown/rasters/none/{}/{}/{}.png".format(*address)).status_code == 204
    assert Client().get("/tiles/rastertown/rasters/none/legend.json").status_code == 200


def test_the_legend_is_a_part_of_a_page_too(town: Any) -> None:
    raster_of(town, "steep", np.arange(400.0).reshape(20, 20), "slope", name_fa="<b>شیب</b>")
    page = Client().get("/tiles/rastertown/rasters/steep/legend.html")
    assert page["Content-Type"].startswith("text/html")
    text = page.content.decode()
    assert "#993404" in text
    assert "<b>شیب</b>" not in text
    assert "style=" not in text, "the content security policy would refuse it"


def test_tilejson_says_where_the_tiles_are(town: Any) -> None:
    raster_of(town, "steep", np.arange(400.0).reshape(20, 20), "slope")
    told = Client().get("/tiles/rastertown/rasters/steep.json").json()
    assert told["tiles"] == ["http://testserver/tiles/rastertown/rasters/steep/{z}/{x}/{y}.png"]
    assert told["bounds"][:2] == pytest.approx([WEST, SOUTH], abs=1e-3)
    assert Client().get(told["legend"].removeprefix("http://testserver")).status_code == 200


# ---------------------------------------------------------------- values


def test_values_at_points(town: Any) -> None:
    values = np.arange(2500, dtype="float32").reshape(50, 50)
    values[0, 0] = -9999
    raster_of(town, "height", values, "elevation")
    for row, column in ((10, 20), (49, 49), (0, 1)):
        told = value("height", *lonlat(row, column, 50)).json()
        assert told["value"] == values[row, column]
        assert (told["unit"], told["source"], told["licence"], told["reference_date"]) == (
            "m",
            "survey",
            "CC0",
            "2024-01-01",
        )
    assert value("height", *lonlat(0, 0, 50)).json()["value"] is None
    assert value("height", *lonlat(-1, 10, 50)).status_code == 204
    assert value("height", 0, 0).status_code == 204
    assert value("height", 180, 90).status_code == 204


@pytest.mark.parametrize(
    "query", ["", "?lon=48", "?lon=x&lat=1", "?lon=NaN&lat=1", "?lon=181&lat=1", "?lon=1&lat=91", "?lon=1e999&lat=1"]
)
def test_wrong_points_say_what_is_wrong(town: Any, query: str) -> None:
    raster_of(town, "height", np.ones((5, 5)), "elevation")
    answer = Client().get(f"/api/rastertown/rasters/height/value{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_coordinate")


# ---------------------------------------------------------------- people


def test_few_people_are_not_told_to_outsiders(town: Any) -> None:
    values = np.zeros((40, 40), dtype="float32")
    values[5, 5], values[5, 25], values[25, 25] = 4, 30, 10
    raster_of(town, "people", values, "population")
    few, many, limit, nobody = (lonlat(r, c, 40) for r, c in ((5, 5), (5, 25), (25, 25), (30, 5)))
    told = value("people", *few).json()
    assert told["value"] is None
    assert told["is_kept_back"] is True
    assert told["note"]
    assert value("people", *many).json()["value"] == 30
    assert value("people", *limit).json()["value"] == 10
    assert value("people", *nobody).json()["value"] == 0
    beside = lonlat(6, 26, 40)
    assert value("people", *beside).json()["value"] == 30, "the square, not the pixel: nothing is found by subtraction"
    assert value("people", *beside).json()["square_m"] >= 100
    assert value("people", *beside, insider(town)).json()["value"] == 0
    assert value("people", *beside, insider(town)).json()["square_m"] is None
    assert value("people", *few, insider(town)).json()["value"] == 4
    assert value("people", *few, insider(town)).json()["unit"] == "people"


def test_pictures_and_values_have_the_same_squares_where_pixels_are_higher_than_wide(town: Any) -> None:
    """Pixels of 49 by 59 m: four of them side by side and two above each other make a square."""
    degrees = 0.000527
    values = np.zeros((40, 40), dtype="float32")
    values[4, 8], values[4, 11] = 6, 6
    values[16, 30] = 9
    values[24:] = np.random.default_rng(4).uniform(
        0.5, 2.5, (16, 40)
    )  # so that 12 people in a square are in a higher class
    raster_of(town, "people", values, "population", pixel_degrees=degrees)
    first, last, beside, few = (
        (WEST + (column + 0.5) * degrees, SOUTH + (40 - row - 0.5) * degrees)
        for row, column in ((4, 8), (5, 11), (4, 12), (16, 30))
    )
    assert [value("people", *point).json()["value"] for point in (first, last, beside, few)] == [12, 12, 0, None]
    lowest = rgba(Client().get("/tiles/rastertown/rasters/people/legend.json").json()["classes"][0]["colour"])
    seen = {
        point: at(image("people", tile_at(*point, 14)), tile_at(*point, 14), *point)
        for point in (first, last, beside, few)
    }
    assert seen[first] == seen[last] != lowest
    assert seen[beside][3] == 0
    assert seen[few] == lowest


def test_outsiders_see_people_by_squares_and_few_people_in_the_lowest_class(town: Any) -> None:
    values = np.zeros((64, 64), dtype="float32")
    values[3, 3] = 9  # alone in its square of 8 by 8 pixels
    values[20, 20] = 9
    values[21, 21] = 900  # one square together
    values[40:48, 40:48] = 2
    raster_of(town, "people", values, "population")
    legend = Client().get("/tiles/rastertown/rasters/people/legend.json").json()
    colours = [rgba(one["colour"]) for one in legend["classes"]]

    def seen(row: int, column: int, client: Client | None = None) -> tuple[int, ...]:
        point = lonlat(row, column, 64)
        return at(image("people", tile_at(*point, 14), client), tile_at(*point, 14), *point)

    assert seen(3, 3) == colours[0]
    assert seen(6, 6) == colours[0], "the whole square, not the pixel"
    assert seen(6, 6, insider(town))[3] == 0
    assert seen(20, 20) == seen(21, 21)
    assert seen(20, 20) != colours[0]
    assert seen(60, 10)[3] == 0, "nobody lives there"
    assert legend["classes"][0]["from"] == 0
    assert legend["note"]
    assert "note" not in insider(town).get("/tiles/rastertown/rasters/people/legend.json").json()


def test_no_picture_for_outsiders_is_given_to_insiders_or_the_other_way(town: Any) -> None:
    values = np.zeros((64, 64), dtype="float32")
    values[::8, ::8] = 5
    raster_of(town, "people", values, "population")
    url = "/tiles/rastertown/rasters/people/{}/{}/{}.png".format(*tile_at(*lonlat(32, 32, 64), 15))
    first, second = Client().get(url), insider(town).get(url)
    assert first.content != second.content
    assert first["ETag"] != second["ETag"]
    assert Client().get(url).content == first.content
    assert insider(town).get(url).content == second.content
    assert "public" in first["Cache-Control"]
    assert "private" in second["Cache-Control"]
    assert Client().get(url, headers={"If-None-Match": second["ETag"]}).status_code == 200


def test_where_a_city_counts_its_people_few_are_not_told_without_a_further_query(
    town: Any, django_assert_num_queries: Callable[[int], Any]
) -> None:
    values = np.zeros((64, 64), dtype="float32")
    values[3, 3] = 9
    layer = raster_of(town, "counted", values)
    url = "/tiles/rastertown/rasters/counted/{}/{}/{}.png".format(*tile_at(*lonlat(3, 3, 64), 14))
    with django_assert_num_queries(2):  # the layer, as far as it may be seen, and its newest raster
        plain = Client().get(url)
    PopulationSource.objects.create(city=town.city, layer=layer)
    with django_assert_num_queries(2):
        guarded = Client().get(url)
    assert value("counted", *lonlat(3, 3, 64)).json()["is_kept_back"] is True
    assert value("counted", *lonlat(3, 3, 64), insider(town)).json()["value"] == 9
    assert plain.content != guarded.content


# ---------------------------------------------------------------- rights, caching, errors


def test_rasters_that_may_not_be_seen_are_not_found(town: Any) -> None:
    layer = raster_of(town, "secret", np.arange(400.0).reshape(20, 20), "slope")
    z, x, y = tile_at(*lonlat(10, 10, 20), 15)
    paths = (f"/tiles/rastertown/rasters/secret/{z}/{x}/{y}.png", "/tiles/rastertown/rasters/secret.json",
             "/tiles/rastertown/rasters/secret/legend.json", "/tiles/rastertown/rasters/secret/legend.html",
             f"/api/rastertown/rasters/secret/value?lon={WEST}&lat={SOUTH}")  # fmt: skip
    for path in paths:
        assert Client().get(path).status_code in (200, 204)
    Layer.objects.filter(pk=layer.pk).update(visibility="assigned")
    for path in paths:  # the tile is kept by now, and yet not given
        assert Client().get(path).status_code == 404
        assert insider(town).get(path).status_code in (200, 204)


def test_caching_and_errors(town: Any) -> None:
    raster_of(town, "steep", np.arange(400.0).reshape(20, 20), "slope")
    Layer.objects.create(
        city=town.city,
        theme=town.theme,
        code="lines",
        kind="line",
        name_fa="a",
        name_en="a",
        source="s",
        visibility="public",
    )
    Layer.objects.create(
        city=town.city,
        theme=town.theme,
        code="empty",
        kind="raster",
        name_fa="a",
        name_en="a",
        source="s",
        visibility="public",
    )
    z, x, y = tile_at(*lonlat(10, 10, 20), 15)
    url = f"/tiles/rastertown/rasters/steep/{z}/{x}/{y}.png"
    first = Client().get(url)
    assert Client().get(url, headers={"If-None-Match": first["ETag"]}).status_code == 304
    (town.dir / "steep.tif").unlink()
    assert Client().get(url).content == first.content, "finished tiles are kept"
    for path, status, code in (
        (f"/tiles/rastertown/rasters/steep/{z}/{x}/{y + 5}.png", 404, "raster_missing"),
        (f"/tiles/rastertown/rasters/lines/{z}/{x}/{y}.png", 400, "is_no_raster"),
        (f"/tiles/rastertown/rasters/empty/{z}/{x}/{y}.png", 404, "no_such_layer"),
        (f"/tiles/rastertown/rasters/nothing/{z}/{x}/{y}.png", 404, "no_such_layer"),
        (f"/tiles/nowhere/rasters/steep/{z}/{x}/{y}.png", 404, "no_such_layer"),
        ("/tiles/rastertown/rasters/steep/19/0/0.png", 404, "no_such_zoom"),
        ("/tiles/rastertown/rasters/steep/x/0/0.png", 400, "bad_tile"),
    ):
        answer = Client().get(path)
        assert (answer.status_code, answer.json()["code"]) == (status, code), path
    assert Client().post(url).status_code == 405


def test_beyond_the_raster_there_is_nothing(town: Any) -> None:
    raster_of(town, "steep", np.arange(400.0).reshape(20, 20), "slope")
    for z, x, y in ((15, 0, 0), (3, 0, 7), tile_at(WEST + 0.5, SOUTH, 14)):
        answer = Client().get(f"/tiles/rastertown/rasters/steep/{z}/{x}/{y}.png")
        assert (answer.status_code, answer.content) == (204, b"")


def test_the_demo_city_has_rasters(demo_city: Place) -> None:
    for code in ("elevation", "slope", "flood"):
        answer = Client().get(f"/tiles/khorramabad/rasters/{code}/legend.json")
        assert answer.status_code == 200, (code, answer.content)
        legend = answer.json()
        assert len(legend["classes"]) >= 2
        assert legend["purpose"] in ("population", "elevation", "slope", "hazard")

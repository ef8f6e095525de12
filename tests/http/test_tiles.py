"""Vector and terrain tiles: what they hold, who gets them, how they are cached, and that none is unbounded."""

from __future__ import annotations

import gzip
import json
import math
import warnings
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import geopandas
import numpy as np
import pytest
import rasterio
import shapely
import shapely.affinity
from affine import Affine
from django.contrib.auth.models import AnonymousUser, User
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.core.crs import project
from geo.db import sql
from geo.models import Assignment, Boundary, Place
from geo.services import to_geos
from layers.models import Feature, Layer, Raster, Release, Service, Supply, Theme
from maps.tiles import drawing, expressions, overview, queries
from maps.tiles.address import HALF_WORLD_M, TileAddress
from maps.tiles.queries import layer_tile
from tests.http.tile_reading import read_tile

pytestmark = pytest.mark.django_db

WEST, SOUTH, STEP = 48.36, 33.48, 0.01
"""A town of two by two neighbourhoods, a hundredth of a degree each (about 930 m by 1,110 m)."""


def tile_at(lon: float, lat: float, z: int) -> tuple[int, int, int]:
    width = 2**z
    x = int((lon + 180) / 360 * width)
    y = int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * width)
    return z, x, y


def url_of(what: str, z: int, x: int, y: int, city: str = "tiletown") -> str:
    return f"/tiles/{city}/{what}/{z}/{x}/{y}.mvt"


def decode(
    data: bytes, address: tuple[int, int, int], layer: str, folder: Path, **options: Any
) -> geopandas.GeoDataFrame:
    """Read a tile with GDAL, in Web Mercator metres."""
    z, x, y = address
    file = folder / str(z) / str(x) / f"{y}.mvt"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    names, found = read_tile(file, **options)
    assert names == [layer]
    return found


def wavy(start: tuple[float, float], end: tuple[float, float], n: int = 400) -> list[tuple[float, float]]:
    """A boundary with many vertices, as surveyed ones have."""
    t = np.linspace(0, 1, n)
    (x0, y0), (x1, y1) = start, end
    wobble = 0.0008 * np.sin(t * 37) * np.sin(t * math.pi)
    return list(
        zip(x0 + (x1 - x0) * t - wobble * np.sign(y1 - y0), y0 + (y1 - y0) * t + wobble * np.sign(x1 - x0), strict=True)
    )


def neighbourhoods() -> list[shapely.Polygon]:
    """Four polygons that share wavy edges and tile the town without gap or overlap.

    Each ring begins somewhere else on its way, so that what depends on the beginning differs between neighbours.
    """
    p = [[(WEST + i * STEP, SOUTH + j * STEP) for i in range(3)] for j in range(3)]
    lines = [wavy(p[j][i], p[j][i + 1]) for j in range(3) for i in range(2)]
    lines += [wavy(p[j][i], p[j + 1][i]) for i in range(3) for j in range(2)]
    cells = shapely.polygonize([shapely.LineString(line) for line in lines]).geoms
    turned = []
    for number, cell in enumerate(sorted(cells, key=lambda g: (g.centroid.y, g.centroid.x))):
        ring = list(cell.exterior.coords)[:-1]
        turned.append(shapely.Polygon(np.roll(ring, 137 * (number + 1), axis=0)))
    return turned


@pytest.fixture
def town(db: None, settings: Any, tmp_path: Path) -> Any:
    """A small published city with something unpublished of every kind."""
    settings.RASTER_DIR = tmp_path / "rasters"
    settings.RASTER_DIR.mkdir()
    settings.CACHE_DIR = tmp_path / "cache"
    country = Place.objects.create(
        kind="country", code="tileland", name_fa="کاشی‌ستان", name_en="Tileland", is_published=True
    )
    city = Place.objects.create(
        kind="city", code="tiletown", parent=country, name_fa="کاشی‌شهر", name_en="Tiletown", is_published=True
    )
    theme = Theme.objects.create(code="tile-theme", name_fa="آزمون", name_en="Test")
    cells = neighbourhoods()
    names = ["q1", "q2", "q3", "q4"]
    for code, cell in zip(names, cells, strict=True):
        place_of(city, code, cell)
    tiny = shapely.box(WEST + 0.004, SOUTH + 0.004, WEST + 0.00402, SOUTH + 0.00402)
    place_of(city, "tiny", tiny, kind="settlement")
    place_of(
        city, "hidden", shapely.box(WEST, SOUTH, WEST + 0.003, SOUTH + 0.003), is_published=False, kind="settlement"
    )
    place_of(city, "draft", shapely.box(WEST, SOUTH, WEST + 0.002, SOUTH + 0.002), status="draft", kind="settlement")
    return SimpleNamespace(city=city, theme=theme, cells=dict(zip(names, cells, strict=True)), tiny=tiny)


def place_of(
    city: Place,
    code: str,
    shape: shapely.Polygon,
    *,
    kind: str = "neighbourhood",
    is_published: bool = True,
    status: str = "approved",
) -> Place:
    place = Place.objects.create(
        kind=kind, code=code, parent=city, name_fa=f"محله {code}", name_en=f"Quarter {code}", is_published=is_published
    )
    Boundary.objects.create(
        place=place,
        geometry=to_geos(shapely.MultiPolygon([shape])),
        valid=DateRange(date(2020, 3, 20), None),
        status=status,
        source="survey of 1399",
    )
    return place


def layer_of(
    town: Any,
    code: str,
    kind: str,
    shapes: Any,
    attributes: list[dict[str, Any]] | None = None,
    *,
    is_published: bool = True,
    names: list[str] | None = None,
) -> Layer:
    layer, _ = Layer.objects.get_or_create(
        city=town.city,
        code=code,
        defaults={
            "theme": town.theme,
            "kind": kind,
            "name_fa": code,
            "name_en": code,
            "source": "test",
            "licence": "CC0",
            "visibility": "public" if is_published else "assigned",
        },
    )
    number = Release.objects.next_number(layer)
    release = Release.objects.create(
        layer=layer,
        number=number,
        file_name="f",
        file_sha256="0" * 64,
        content_hash=f"{number:064d}",
        row_count=len(shapes),
        reference_date=date(2024, 1, 1),
    )
    wkb = shapely.to_wkb(shapely.set_srid(np.asarray(shapes, dtype=object), 4326), hex=True, include_srid=True)
    texts = [json.dumps(row) for row in attributes] if attributes else ["{}"] * len(wkb)
    rows = (
        (release.pk, i + 1, names[i] if names else "", w, t) for i, (w, t) in enumerate(zip(wkb, texts, strict=True))
    )
    sql.copy_rows(Feature, ("release_id", "number", "name", "geometry", "attributes"), rows)
    return layer


def in_3857(geometry: Any) -> Any:
    return project([geometry], 4326, 3857)[0]


# ---------------------------------------------------------------- places


def test_places_come_back_by_name_and_shape(town: Any, tmp_path: Path) -> None:
    address = tile_at(WEST + STEP, SOUTH + STEP, 11)
    answer = Client().get(url_of("places", *address))
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/vnd.mapbox-vector-tile"
    read = decode(answer.content, address, "places", tmp_path).set_index("code")
    assert sorted(read.index) == ["q1", "q2", "q3", "q4", "tiny"]
    assert set(read.columns) - {"geometry", "mvt_id"} == {"kind", "name_fa", "name_en"}
    assert read.loc["q1", "name_fa"] == "محله q1"
    assert read.loc["tiny", "kind"] == "settlement"
    step_m = TileAddress(*address).width_m / expressions.EXTENT
    for code, cell in town.cells.items():
        drawn, true = read.loc[code, "geometry"], in_3857(cell)
        assert shapely.hausdorff_distance(drawn.exterior, true.exterior) <= 1.5 * step_m
        assert abs(drawn.area / true.area - 1) < 0.02


@pytest.mark.parametrize("z", [9, 11, 13, 15])
def test_neighbours_show_no_gap_and_no_overlap(town: Any, tmp_path: Path, z: int) -> None:
    address = tile_at(WEST + STEP, SOUTH + STEP, z)
    read = decode(Client().get(url_of("places", *address)).content, address, "places", tmp_path)
    cells = read[read["kind"] == "neighbourhood"].geometry
    assert len(cells) == 4
    step_m = TileAddress(*address).width_m / expressions.EXTENT
    together = shapely.union_all(cells.array)
    assert sum(cells.area) - together.area < step_m**2  # no overlap
    holes = [ring for part in shapely.get_parts(together) for ring in part.interiors]
    assert not holes
    assert len(shapely.get_parts(together)) == 1


def test_fewer_vertices_at_lower_zooms(town: Any, tmp_path: Path) -> None:
    counts = []
    for z in (4, 8, 12):
        address = tile_at(WEST + STEP, SOUTH + STEP, z)
        read = decode(Client().get(url_of("places", *address)).content, address, "places", tmp_path / str(z))
        counts.append(int(shapely.get_num_coordinates(read.geometry.array).sum()))
    assert counts[0] < 40
    assert counts[0] < counts[1] < counts[2]


@pytest.mark.parametrize("z", [0, 3, 6])
def test_nothing_is_dropped_for_being_small(town: Any, tmp_path: Path, z: int) -> None:
    address = tile_at(WEST, SOUTH, z)
    answer = Client().get(url_of("places", *address))
    read = decode(answer.content, address, "places", tmp_path)
    assert sorted(read["code"]) == ["q1", "q2", "q3", "q4", "tiny"]
    assert (read.geometry.area > 0).all()
    step_m = TileAddress(*address).width_m / expressions.EXTENT
    assert read.geometry.array.centroid.distance(in_3857(town.tiny)).max() < 0.03 * 111_000 + 3 * step_m


def test_a_boundary_has_no_gap_across_tiles(town: Any, tmp_path: Path) -> None:
    z, x, y = tile_at(WEST + STEP, SOUTH + STEP, 14)
    parts = []
    for dx in (-2, -1, 0, 1, 2):
        for dy in (-2, -1, 0, 1, 2):
            address = (z, x + dx, y + dy)
            answer = Client().get(url_of("places", *address))
            if answer.status_code == 200:
                read = decode(answer.content, address, "places", tmp_path, CLIP="NO")
                parts += list(read[read["code"] == "q2"].geometry)
    assert len(parts) > 1
    whole = shapely.union_all(parts)
    true = in_3857(town.cells["q2"])
    assert whole.symmetric_difference(true).area / true.area < 0.002


def test_drafts_unpublished_and_past_places_are_not_in_the_tile(town: Any, tmp_path: Path) -> None:
    old = place_of(town.city, "past", shapely.box(WEST, SOUTH, WEST + 0.001, SOUTH + 0.001))
    Boundary.objects.filter(place=old).update(valid=DateRange(date(2010, 1, 1), date(2015, 1, 1)))
    address = tile_at(WEST + STEP, SOUTH + STEP, 11)

    def codes(client: Client) -> list[str]:
        return sorted(decode(client.get(url_of("places", *address)).content, address, "places", tmp_path)["code"])

    assert codes(Client()) == ["q1", "q2", "q3", "q4", "tiny"]
    user = User.objects.create_user("tiles-viewer")
    Assignment.objects.create(user=user, role="viewer", place=town.city)
    insider = Client()
    insider.force_login(user)
    assert codes(insider) == [
        "hidden",
        "q1",
        "q2",
        "q3",
        "q4",
        "tiny",
    ]  # even insiders see no draft on the map of what is in force


def test_the_tile_changes_when_an_edition_does(town: Any) -> None:
    address = tile_at(WEST + STEP, SOUTH + STEP, 12)
    before = Client().get(url_of("places", *address))
    Place.objects.filter(code="q1", parent=town.city).update(name_en="Renamed")
    after = Client().get(url_of("places", *address), headers={"If-None-Match": before["ETag"]})
    assert after.status_code == 200
    assert b"Renamed" in after.content
    Boundary.objects.filter(place__code="q4", place__parent=town.city).update(status="withdrawn")
    last = Client().get(url_of("places", *address), headers={"If-None-Match": after["ETag"]})
    assert last.status_code == 200
    assert b"Quarter q4" not in last.content


# ---------------------------------------------------------------- layers


def test_features_come_back_with_their_attributes(town: Any, tmp_path: Path) -> None:
    points = [shapely.Point(WEST + 0.001 * i, SOUTH + 0.001 * i) for i in range(5)]
    rows = [{"class": "public", "capacity": 10 + i, "owner": "a private person", "homes": 3} for i in range(5)]
    rows[4] = {"class": "private"}
    layer = layer_of(town, "clinics", "point", points, rows, names=[f"درمانگاه {i}" for i in range(5)])
    wanted = {
        "tile-clinic": {},
        "tile-hospital": {"class": "public"},
        "tile-bath": {"class": ["private", "other"]},
        "tile-none": {"class": "public", "capacity": [3, 4]},
        "tile-absent": {"nothing": "at all"},
    }
    for code, where in wanted.items():
        service = Service.objects.create(code=code, name_fa=code, name_en=code, theme=town.theme)
        Supply.objects.create(city=town.city, service=service, layer=layer, where=where)
    address = tile_at(WEST, SOUTH, 12)
    answer = Client().get(url_of("layers/clinics", *address))
    read = decode(answer.content, address, "features", tmp_path).sort_values("number").set_index("number")
    assert list(read.index) == [1, 2, 3, 4, 5]
    assert set(read.columns) - {"geometry", "mvt_id"} == {"name", "class", "capacity", "services"}
    assert read.loc[2, "name"] == "درمانگاه 1"
    assert read.loc[2, "capacity"] == 11
    assert read.loc[2, "services"] == ",tile-clinic,tile-hospital,"
    assert read.loc[5, "services"] == ",tile-bath,tile-clinic,"
    assert b"private person" not in answer.content
    step_m = TileAddress(*address).width_m / expressions.EXTENT
    for number, point in enumerate(points, 1):
        assert read.loc[number, "geometry"].distance(in_3857(point)) < step_m


def test_lines_shorter_than_a_step_stay_visible(town: Any, tmp_path: Path) -> None:
    lines = [shapely.LineString([(WEST, SOUTH + 0.001 * i), (WEST + 0.00001, SOUTH + 0.001 * i)]) for i in range(6)]
    layer_of(town, "lanes", "line", lines)
    address = tile_at(WEST, SOUTH, 8)
    read = decode(Client().get(url_of("layers/lanes", *address)).content, address, "features", tmp_path)
    assert sorted(read["number"]) == [1, 2, 3, 4, 5, 6]
    assert (read.geometry.length > 0).all()


def test_what_bends_around_a_tile_is_not_in_it(town: Any) -> None:
    """Its box overlaps the tile, so that it is read; nothing of it lies there."""
    z, x, y = tile_at(WEST + 0.005, SOUTH + 0.005, 16)
    west, south, east, north = TileAddress(z, x, y).bounds_3857
    width = east - west
    reach = 0.3 * width
    near = shapely.LineString(
        [(west - reach, south - reach), (east + reach, south - reach), (east + reach, north + reach)]
    )
    far = shapely.affinity.scale(near, 3, 3)
    shapes = {
        "line": [near, far],
        "polygon": [bend.buffer(0.05 * width, join_style="mitre", cap_style="flat") for bend in (near, far)],
    }
    for kind, bends in shapes.items():
        layer_of(town, f"bent-{kind}", kind, project(bends, 3857, 4326), [{"class": "alley"}] * 2)
        assert overlapping(f"bent-{kind}", (z, x, y)) == 2
        answer = Client().get(url_of(f"layers/bent-{kind}", z, x, y))
        assert (answer.status_code, answer.content) == (204, b"")
        assert Client().get(url_of(f"layers/bent-{kind}", z, x + 1, y)).status_code == 200


def test_the_newest_release_is_shown(town: Any, tmp_path: Path) -> None:
    layer_of(town, "stops", "point", [shapely.Point(WEST, SOUTH)], names=["old"])
    address = tile_at(WEST, SOUTH, 10)
    first = Client().get(url_of("layers/stops", *address))
    layer_of(
        town, "stops", "point", [shapely.Point(WEST, SOUTH), shapely.Point(WEST + 0.001, SOUTH)], names=["new", "newer"]
    )
    second = Client().get(url_of("layers/stops", *address), headers={"If-None-Match": first["ETag"]})
    assert second.status_code == 200
    assert first["ETag"] != second["ETag"]
    assert sorted(decode(second.content, address, "features", tmp_path)["name"]) == ["new", "newer"]


def test_unpublished_layers_are_not_found(town: Any) -> None:
    layer_of(town, "secret", "point", [shapely.Point(WEST, SOUTH)], is_published=False)
    address = tile_at(WEST, SOUTH, 10)
    assert Client().get(url_of("layers/secret", *address)).status_code == 404
    assert Client().get("/tiles/tiletown/layers/secret.json").status_code == 404
    user = User.objects.create_superuser("tiles-admin")
    client = Client()
    client.force_login(user)
    assert client.get(url_of("layers/secret", *address)).status_code == 200


def test_a_layer_without_release_is_empty(town: Any) -> None:
    Layer.objects.create(
        city=town.city,
        theme=town.theme,
        code="planned",
        kind="point",
        name_fa="a",
        name_en="a",
        source="s",
        visibility="public",
    )
    answer = Client().get(url_of("layers/planned", 0, 0, 0))
    assert (answer.status_code, answer.content) == (204, b"")
    assert Client().get("/tiles/tiletown/layers/planned.json").json()["minzoom"] == 0


# ---------------------------------------------------------------- never unbounded


def limit_features(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """Set the most features that a tile shows one by one low, so that a small layer is a dense one."""
    for module in (overview, queries):
        monkeypatch.setattr(module, "MOST_IN_TILE", most)


def dense_layer(town: Any, n: int = 900) -> Layer:
    """Buildings on a lattice of 0.0003 degrees."""
    side = math.isqrt(n)
    i, j = np.divmod(np.arange(side * side), side)
    x, y = WEST + i * 0.0003, SOUTH + j * 0.0003
    return layer_of(town, "buildings", "polygon", shapely.box(x, y, x + 0.0001, y + 0.0001))


def brute_force_detail_zoom(n_side: int, most: int) -> int:
    """The rule of the detail zoom, the slow way: count centres in tiles zoom by zoom."""
    i, j = np.divmod(np.arange(n_side * n_side), n_side)
    lon, lat = WEST + i * 0.0003 + 0.00005, SOUTH + j * 0.0003 + 0.00005
    centres = project(shapely.points(lon, lat), 4326, 3857)
    x, y = shapely.get_x(centres), shapely.get_y(centres)
    for z in range(19):
        width = 2 * HALF_WORLD_M / 2**z
        column, row = np.floor((x + HALF_WORLD_M) / width), np.floor((HALF_WORLD_M - y) / width)
        if np.unique(column * 2**z + row, return_counts=True)[1].max() <= most:
            return z
    return 19


def counts_of(layer: str, address: tuple[int, int, int], folder: Path) -> geopandas.GeoDataFrame:
    answer = Client().get(url_of(f"layers/{layer}", *address))
    assert answer.status_code == 200, answer.content[:300]
    found = decode(answer.content, address, "features", folder, CLIP="NO")
    for name, otherwise in (("count", 1), ("number", None), ("class", None), ("kind", None)):
        if name not in found:
            found[name] = otherwise
    found["count"] = found["count"].fillna(1)
    return found


def overlapping(layer: str, address: tuple[int, int, int]) -> int:
    """How many features' boxes overlap a tile and its margin of 64 steps, counted by the database."""
    statement = """SELECT count(*) FROM layers_feature JOIN layers_release ON layers_release.id = release_id
                    JOIN layers_layer ON layers_layer.id = layer_id JOIN geo_place ON geo_place.id = city_id
                   WHERE geo_place.code = 'tiletown' AND layers_layer.code = %s
                     AND geometry_3857 && ST_TileEnvelope(%s, %s, %s, margin => 64.0 / 4096)"""
    with connection.cursor() as cursor:
        cursor.execute(statement, [layer, *address])
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize("most", [100, 300])
def test_a_dense_layer_is_complete_at_every_zoom(
    town: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    limit_features(monkeypatch, most)
    dense_layer(town)
    whole = brute_force_detail_zoom(30, most)
    assert 8 < whole < 18
    described = Client().get("/tiles/tiletown/layers/buildings.json").json()
    assert (described["minzoom"], described["wholezoom"]) == (0, whole)
    assert described["generalisation"] == {"below_zoom": whole, "count": "count", "is_complete": True}
    assert "count" in described["vector_layers"][0]["fields"]
    for z in range(19):
        address = tile_at(WEST + 0.004, SOUTH + 0.004, z)
        found = counts_of("buildings", address, tmp_path)
        assert found["count"].sum() == overlapping("buildings", address), z
        if z < whole:
            assert found["number"].notna().sum() == (found["count"] == 1).sum()  # what stands alone keeps its number
        else:
            assert (found["count"] == 1).all()


def test_buildings_drawn_together_lie_where_they_are(
    town: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_features(monkeypatch, 100)
    dense_layer(town)
    whole = brute_force_detail_zoom(30, 100)
    i, j = np.divmod(np.arange(900), 30)
    x, y = WEST + i * 0.0003, SOUTH + j * 0.0003
    true = project(shapely.box(x, y, x + 0.0001, y + 0.0001), 4326, 3857)
    for z in (8, 11, whole - 1):
        address = tile_at(WEST + 0.004, SOUTH + 0.004, z)
        found = counts_of("buildings", address, tmp_path)
        pixel_m = 2 * HALF_WORLD_M / 2**z / 512
        boxes = np.asarray(found.geometry.values)
        assert shapely.is_valid(boxes).all()
        near, _ = shapely.STRtree(boxes).query(true, predicate="dwithin", distance=pixel_m)
        inside = shapely.intersects(true, shapely.box(*TileAddress(*address).bounds_3857))
        assert set(np.flatnonzero(inside)) <= set(near), "every building has a box within a pixel"
        shown = shapely.area(shapely.union_all(boxes))
        # The same as the buffer of their union, which takes a thousand times as long where the buffers overlap.
        assert shown <= shapely.area(shapely.union_all(shapely.buffer(true, 2 * pixel_m)))


def test_areas_larger_than_four_pixels_keep_their_shape_and_what_is_said_of_them(
    town: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_features(monkeypatch, 100)
    i, j = np.divmod(np.arange(400), 20)
    x, y = WEST + i * 0.0003, SOUTH + j * 0.0003
    ring = shapely.Point(WEST + 0.02, SOUTH + 0.01).buffer(0.008) - shapely.Point(WEST + 0.02, SOUTH + 0.01).buffer(
        0.004
    )
    shapes = [ring, *shapely.box(x, y, x + 0.0001, y + 0.0001)]
    layer_of(town, "buildings", "polygon", shapes, [{"kind": "park"}] + [{}] * 400, names=["ring"] + [""] * 400)
    address = tile_at(WEST + 0.02, SOUTH + 0.01, 12)
    found = counts_of("buildings", address, tmp_path)
    assert found["count"].sum() == overlapping("buildings", address)
    (park,) = found[found["kind"] == "park"].itertuples()
    assert (park.number, park.name) == (1, "ring")
    whole = in_3857(ring).intersection(shapely.box(*TileAddress(*address).bounds_3857).buffer(2000))
    assert shapely.symmetric_difference(park.geometry, whole).area < 0.02 * whole.area


def test_points_and_lines_drawn_together_say_how_many(
    town: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_features(monkeypatch, 100)
    i = np.arange(400)
    x, y = WEST + (i % 20) * 0.0003, SOUTH + (i // 20) * 0.0003
    layer_of(town, "stops", "point", shapely.points(x, y))
    streets = shapely.linestrings(np.stack([np.c_[x, y], np.c_[x + 0.0002, y]], axis=1))
    layer_of(town, "roads", "line", streets, [{"class": "arterial" if n % 2 else "alley"} for n in i])
    for z in (4, 10, 12, 14, 15, 16):
        address = tile_at(WEST + 0.002, SOUTH + 0.002, z)
        for layer in ("stops", "roads"):
            found = counts_of(layer, address, tmp_path)
            assert found["count"].sum() == overlapping(layer, address), (layer, z)
    assert len(counts_of("stops", tile_at(WEST, SOUTH, 4), tmp_path)) == 1
    found = counts_of("roads", tile_at(WEST + 0.002, SOUTH + 0.002, 14), tmp_path)
    assert set(found["class"].dropna()) == {"arterial", "alley"}


def test_lines_that_become_the_same_are_drawn_once_for_each_class(
    town: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_features(monkeypatch, 10)
    lines = [shapely.LineString([(WEST, SOUTH + k * 1e-7), (WEST + STEP, SOUTH + k * 1e-7)]) for k in range(30)]
    layer_of(town, "roads", "line", lines, [{"class": "ring" if k % 3 == 0 else "alley"} for k in range(30)])
    found = counts_of("roads", tile_at(WEST, SOUTH, 12), tmp_path)
    assert sorted(zip(found["class"], found["count"], strict=True)) == [("alley", 20), ("ring", 10)]
    assert found["number"].isna().all()


def test_a_new_release_is_measured_anew(town: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit_features(monkeypatch, 100)
    dense_layer(town)
    address = tile_at(WEST, SOUTH, 5)
    assert counts_of("buildings", address, tmp_path)["count"].sum() == 900
    layer_of(town, "buildings", "polygon", [shapely.box(WEST, SOUTH, WEST + 0.001, SOUTH + 0.001)])
    only = Client().get(url_of("layers/buildings", *address))
    assert "X-Tile-Whole-Zoom" not in only
    assert len(decode(only.content, address, "features", tmp_path / "b")) == 1
    dense_layer(town)
    assert counts_of("buildings", address, tmp_path / "c")["count"].sum() == 900


def test_every_building_is_in_some_tile_of_the_whole_zoom(
    town: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_features(monkeypatch, 100)
    dense_layer(town)
    zoom = brute_force_detail_zoom(30, 100)
    west, north, east, south = *tile_at(WEST, SOUTH + 0.009, zoom)[1:], *tile_at(WEST + 0.009, SOUTH, zoom)[1:]
    seen: set[int] = set()
    for x in range(west, east + 1):
        for y in range(north, south + 1):
            answer = Client().get(url_of("layers/buildings", zoom, x, y))
            assert "X-Tile-Whole-Zoom" not in answer
            if answer.status_code == 200:
                seen |= set(decode(answer.content, (zoom, x, y), "features", tmp_path)["number"])
    assert seen == set(range(1, 901))


def test_a_pile_in_one_spot_is_one_point_that_says_how_many(
    town: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_features(monkeypatch, 100)
    layer_of(town, "pile", "point", [shapely.Point(WEST, SOUTH)] * 101)
    found = counts_of("pile", tile_at(WEST, SOUTH, 18), tmp_path)
    assert found["count"].tolist() == [101]


def test_more_shapes_than_a_tile_may_hold_is_refused(town: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    limit_features(monkeypatch, 100)
    monkeypatch.setattr(drawing, "MOST_FEATURES", 100)
    layer_of(town, "pile", "polygon", [shapely.box(WEST, SOUTH, WEST + STEP, SOUTH + STEP)] * 101)
    answer = Client().get(url_of("layers/pile", *tile_at(WEST, SOUTH, 18)))
    assert answer.status_code == 413
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "tile_too_dense"


def test_a_layer_tile_of_too_many_bytes_is_refused_and_not_kept(town: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    layer_of(town, "roads", "line", [shapely.LineString([(WEST, SOUTH), (WEST + STEP, SOUTH)])])
    url = url_of("layers/roads", *tile_at(WEST, SOUTH, 12))
    monkeypatch.setattr(drawing, "MOST_BYTES", 10)
    assert Client().get(url).status_code == 413
    monkeypatch.setattr(drawing, "MOST_BYTES", 10_000)
    assert Client().get(url).status_code == 200


def test_a_tile_of_too_many_bytes_is_refused(town: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "MOST_BYTES", 50)
    assert Client().get(url_of("places", 0, 0, 0)).status_code == 413


# ---------------------------------------------------------------- one query, by index


def test_one_query_decides_and_one_draws(town: Any, django_assert_num_queries: Callable[[int], Any]) -> None:
    layer_of(town, "roads", "line", [shapely.LineString([(WEST, SOUTH), (WEST + STEP, SOUTH)])], [{"class": "alley"}])
    elevation(town)
    address = tile_at(WEST + 0.001, SOUTH + 0.001, 12)
    for url, n_first in (
        (url_of("places", *address), 1),
        (url_of("layers/roads", *address), 2),
        (url_of("layers/roads", *address), 1),  # kept since
        ("/tiles/tiletown/terrain/12/{1}/{2}.png".format(*address), 1),
    ):
        with django_assert_num_queries(n_first):
            answer = Client().get(url)
        assert answer.status_code == 200
        with django_assert_num_queries(1):
            again = Client().get(url, headers={"If-None-Match": answer["ETag"]})
        assert again.status_code == 304
    with django_assert_num_queries(1):
        assert Client().get(url_of("layers/none", *address)).status_code == 404
    with django_assert_num_queries(0):
        assert Client().get(url_of("places", 3, 8, 0)).status_code == 404


def test_the_first_tile_of_a_dense_layer_takes_two_queries_and_others_one(
    town: Any, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Callable[[int], Any]
) -> None:
    limit_features(monkeypatch, 100)
    dense_layer(town)
    for z, n in ((0, 2), (1, 1), (0, 1)):  # the boxes are read once
        with django_assert_num_queries(n):
            assert Client().get(url_of("layers/buildings", *tile_at(WEST, SOUTH, z))).status_code == 200


def test_a_tile_the_reader_has_is_not_drawn_again(town: Any) -> None:
    layer_of(town, "roads", "line", [shapely.LineString([(WEST, SOUTH), (WEST + STEP, SOUTH)])])
    tile = TileAddress(*tile_at(WEST, SOUTH, 12))
    state = layer_tile("tiletown", "roads", tile, AnonymousUser()).state
    with CaptureQueriesContext(connection) as captured:
        assert layer_tile("tiletown", "roads", tile, AnonymousUser(), [state]).data is None
    assert len(captured) == 1
    assert "layers_feature" not in captured[0]["sql"]


def explained(statement: str, options: str) -> str:
    _, start, rest = statement.partition("COPY (")
    if start:
        statement, _, _ = rest.rpartition(") TO STDOUT")
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN ({options}) {statement}")
        rows = cursor.fetchall()
    return json.dumps(rows[0][0]) if not isinstance(rows[0][0], str) else "\n".join(row[0] for row in rows)


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", []) for node in nodes(child))]


def test_the_index_on_release_and_place_finds_the_features(town: Any) -> None:
    dense_layer(town, 40_000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE layers_feature")
    tile = TileAddress(*tile_at(WEST + 0.02, SOUTH + 0.02, 16))
    layer_tile("tiletown", "buildings", TileAddress(0, 0, 0), AnonymousUser())
    with CaptureQueriesContext(connection) as captured:
        data = layer_tile("tiletown", "buildings", tile, AnonymousUser()).data
    assert data
    (drawing_it,) = [query["sql"] for query in captured if "layers_feature" in query["sql"] and "LIMIT" in query["sql"]]
    found = [
        node
        for node in nodes(json.loads(explained(drawing_it, "ANALYZE, FORMAT JSON"))[0]["Plan"])
        if node.get("Index Name") == "feature_shared_tile"
    ]
    conditions = [node["Index Cond"] for node in found]
    assert any("geometry_3857 &&" in condition and "release_id =" in condition for condition in conditions)
    assert all(node["Actual Rows"] < 1000 for node in found)


# ---------------------------------------------------------------- caching, compression, errors


def test_caching_and_compression(town: Any) -> None:
    url = url_of("places", *tile_at(WEST + STEP, SOUTH + STEP, 12))
    plain = Client().get(url)
    assert "public" in plain["Cache-Control"]
    assert "max-age=300" in plain["Cache-Control"]
    packed = Client().get(url, headers={"Accept-Encoding": "gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert len(packed.content) < len(plain.content)
    for etag in (plain["ETag"], packed["ETag"], f'"other", {plain["ETag"]}'):
        again = Client().get(url, headers={"If-None-Match": etag, "Accept-Encoding": "gzip"})
        assert (again.status_code, again.content) == (304, b"")
    assert Client().get(url, headers={"If-None-Match": '"1-nonsense"'}).status_code == 200
    user = User.objects.create_user("tiles-private")
    Assignment.objects.create(user=user, role="viewer", place=town.city)
    client = Client()
    client.force_login(user)
    mine = client.get(url)
    assert "private" in mine["Cache-Control"]
    assert "public" not in mine["Cache-Control"]
    assert "Cookie" in mine["Vary"]
    assert mine["ETag"] != plain["ETag"]  # another set of places is visible
    assert client.get(url, headers={"If-None-Match": plain["ETag"]}).status_code == 200
    assert Client().head(url)["ETag"] == plain["ETag"]
    assert Client().post(url).status_code == 405


def test_empty_tiles_have_no_body(town: Any) -> None:
    answer = Client().get(url_of("places", 10, 0, 0))
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("tiletown/places/19/0/0.mvt", 404, "no_such_zoom"),
        ("tiletown/places/3/8/0.mvt", 404, "no_such_tile"),
        ("tiletown/places/3/0/8.mvt", 404, "no_such_tile"),
        ("tiletown/places/-1/0/0.mvt", 400, "bad_tile"),
        ("tiletown/places/1.5/0/0.mvt", 400, "bad_tile"),
        ("tiletown/places/۱/0/0.mvt", 400, "bad_tile"),
        ("tiletown/places/1/99999999999999999999/0.mvt", 400, "bad_tile"),
        ("nowhere/places/0/0/0.mvt", 404, "no_such_city"),
        ("tileland/places/0/0/0.mvt", 404, "no_such_city"),
        ("tiletown/layers/nothing/0/0/0.mvt", 404, "no_such_layer"),
        ("tiletown/layers/elevation/0/0/0.mvt", 400, "is_raster"),
        ("tiletown/layers/elevation.json", 400, "is_raster"),
        ("tiletown/terrain/15/0/0.png", 404, "no_such_zoom"),
        ("nowhere/terrain/0/0/0.png", 404, "no_such_layer"),
        ("nowhere/places.json", 404, "no_such_city"),
        ("tiletown/layers/nothing.json", 404, "no_such_layer"),
        ("anything/else", 404, "no_such_tiles"),
    ],
)
def test_wrong_addresses_say_what_is_wrong(town: Any, path: str, status: int, code: str) -> None:
    elevation(town)
    answer = Client().get(f"/tiles/{path}")
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == code
    assert answer.json()["remedy"]


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    z=st.text(min_size=1, max_size=6),
    x=st.integers(-10, 10**12),
    y=st.text("0123456789.-eE%٣ ", min_size=1, max_size=8),
)
def test_no_address_breaks_the_server(town: Any, z: str, x: int, y: str) -> None:
    from urllib.parse import quote

    answer = Client().get(f"/tiles/tiletown/places/{quote(z, safe='')}/{x}/{quote(y, safe='')}.mvt")
    assert answer.status_code in (200, 204, 301, 400, 404)


# ---------------------------------------------------------------- TileJSON


def test_tilejson_says_where_the_tiles_are(town: Any) -> None:
    layer_of(
        town,
        "roads",
        "line",
        [shapely.LineString([(WEST, SOUTH), (WEST + STEP, SOUTH + STEP)])],
        [{"class": "alley", "secret": 1}],
    )
    answer = Client().get("/tiles/tiletown/layers/roads.json").json()
    assert answer["tilejson"] == "3.0.0"
    assert answer["tiles"] == ["http://testserver/tiles/tiletown/layers/roads/{z}/{x}/{y}.mvt"]
    assert (answer["minzoom"], answer["maxzoom"]) == (0, 18)
    assert answer["bounds"] == pytest.approx([WEST, SOUTH, WEST + STEP, SOUTH + STEP])
    assert answer["attribution"] == "test · CC0"
    (described,) = answer["vector_layers"]
    assert described["id"] == "features"
    assert set(described["fields"]) == {"number", "name", "services", "class"}
    places = Client().get("/tiles/tiletown/places.json").json()
    assert places["vector_layers"][0]["id"] == "places"
    assert places["attribution"] == "survey of 1399"
    west, south, east, north = places["bounds"]
    assert WEST - 0.001 < west < WEST + 0.001
    assert SOUTH + 2 * STEP - 0.001 < north < SOUTH + 2 * STEP + 0.001
    assert east > west
    assert north > south


# ---------------------------------------------------------------- terrain


def elevation(town: Any, *, nodata: bool = True) -> Path:
    """A slope rising 10 m a pixel to the east, in UTM 39N, one corner without data."""
    from django.conf import settings

    west_m, south_m = project([shapely.Point(WEST, SOUTH)], 4326, 32639)[0].coords[0]
    heights = np.tile(1000 + 10 * np.arange(100, dtype="float32"), (120, 1))
    if nodata:
        heights[:20, :20] = -9999
    file = settings.RASTER_DIR / "elevation-test.tif"
    profile = {"driver": "GTiff", "width": 100, "height": 120, "count": 1, "dtype": "float32", "crs": "EPSG:32639"}
    transform = Affine(20, 0, west_m, 0, -20, south_m + 120 * 20)
    with rasterio.open(file, "w", **profile, transform=transform, nodata=-9999 if nodata else None) as target:
        target.write(heights, 1)
    layer = Layer.objects.create(
        city=town.city,
        theme=town.theme,
        code="elevation",
        kind="raster",
        name_fa="ارتفاع",
        name_en="Elevation",
        source="t",
        visibility="public",
    )
    release = Release.objects.create(
        layer=layer, number=1, file_name="e", file_sha256="0" * 64, content_hash="e" * 64, row_count=12_000
    )
    Raster.objects.create(release=release, file=file.name, epsg=32639, width=100, height=120)
    return file


def heights_of(png: bytes) -> np.ndarray:
    with warnings.catch_warnings(), rasterio.MemoryFile(png) as memory:
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)  # a PNG is not meant to be
        image = memory.open()
        red, green, blue = (band.astype(float) for band in image.read([1, 2, 3]))
        assert (image.width, image.height) == (256, 256)
    return red * 256 + green + blue / 256 - 32768


@pytest.mark.parametrize("nodata", [True, False])
def test_terrain_tiles_hold_the_heights(town: Any, nodata: bool) -> None:
    file = elevation(town, nodata=nodata)
    z, x, y = tile_at(WEST + 0.010, SOUTH + 0.010, 14)
    answer = Client().get(f"/tiles/tiletown/terrain/{z}/{x}/{y}.png")
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
    drawn = heights_of(answer.content)
    west, south, east, north = TileAddress(z, x, y).bounds_3857
    with rasterio.open(file) as source:
        compared = 0
        for row in range(4, 256, 21):
            for column in range(4, 256, 21):
                point = shapely.Point(
                    west + (column + 0.5) * (east - west) / 256, north - (row + 0.5) * (north - south) / 256
                )
                at = project([point], 3857, 32639)[0]
                i, j = source.index(at.x, at.y)
                if 2 < i < 118 and 2 < j < 98 and not (nodata and i < 23 and j < 23):
                    true = 1000 + 10 * ((at.x - source.bounds.left) / 20 - 0.5)
                    assert abs(drawn[row, column] - true) < 3
                    compared += 1
    assert compared > 50
    assert drawn.min() > 900  # no cliff to zero or to the nodata value where there are no data
    described = Client().get("/tiles/tiletown/terrain.json").json()
    assert described["encoding"] == "terrarium"
    assert described["maxzoom"] == 14


def test_terrain_ends_where_the_raster_ends(town: Any) -> None:
    elevation(town)
    assert Client().get("/tiles/tiletown/terrain/14/0/0.png").status_code == 204


def test_terrain_of_an_unpublished_layer_is_not_found(town: Any) -> None:
    elevation(town)
    Layer.objects.filter(code="elevation", city=town.city).update(visibility="assigned")
    z, x, y = tile_at(WEST + 0.01, SOUTH + 0.01, 12)
    assert Client().get(f"/tiles/tiletown/terrain/{z}/{x}/{y}.png").status_code == 404


def test_a_missing_raster_file_is_a_clear_answer(town: Any) -> None:
    elevation(town).unlink()
    z, x, y = tile_at(WEST + 0.01, SOUTH + 0.01, 13)
    answer = Client().get(f"/tiles/tiletown/terrain/{z}/{x}/{y}.png")
    assert (answer.status_code, answer.json()["code"]) == (404, "raster_missing")


# ---------------------------------------------------------------- the cities


def test_the_demo_city_is_whole_in_its_tiles(demo_city: Place, tmp_path: Path) -> None:
    described = Client().get("/tiles/khorramabad/places.json").json()
    west, south, east, north = described["bounds"]
    address = next(
        candidate for z in range(14, -1, -1) if (candidate := tile_at(west, south, z)) == tile_at(east, north, z)
    )
    read = decode(Client().get(url_of("places", *address, city="khorramabad")).content, address, "places", tmp_path)
    expected = (
        Boundary.objects.visible_to(AnonymousUser())
        .current()
        .filter(place__path__startswith=demo_city.path + "/", place__kind__in=queries.PLACE_KINDS)
    )
    assert sorted(read["code"]) == sorted(expected.values_list("place__code", flat=True))
    assert len(read) > 20


def test_the_demo_terrain_is_drawn(demo_city: Place) -> None:
    described = Client().get("/tiles/khorramabad/terrain.json").json()
    west, south, east, north = described["bounds"]
    z, x, y = tile_at((west + east) / 2, (south + north) / 2, 12)
    heights = heights_of(Client().get(f"/tiles/khorramabad/terrain/{z}/{x}/{y}.png").content)
    assert 900 < heights.min() < heights.max() < 3500

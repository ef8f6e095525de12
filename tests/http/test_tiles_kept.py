"""Finished tiles: kept by content, never out of date, never given to those who may not see them; and the bytes they are made of."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import shapely
from django.contrib.auth.models import User
from django.test import Client

from geo.core.crs import project
from geo.db import sql
from geo.models import Assignment, Place
from layers.models import Feature, Layer, Release, Service, Supply, Theme
from maps.tiles import cache, drawing
from maps.tiles.address import HALF_WORLD_M, TileAddress
from maps.tiles.encoding import Properties, Runs, Shapes, boxes, encode, joined, outlines
from maps.tiles.grid import BUFFER, SPARED, is_fan, shapes_of, shapes_of_rows
from maps.tiles.rows import Rows
from tests.http.tile_reading import read_tile

WEST, SOUTH = 48.36, 33.48


@pytest.fixture
def town(db: None, settings: Any, tmp_path: Path) -> Any:
    settings.CACHE_DIR = tmp_path / "cache"
    city = Place.objects.create(kind="city", code="kepttown", name_fa="ش", name_en="Kepttown", is_published=True)
    theme = Theme.objects.create(code="kept-theme", name_fa="آ", name_en="T")
    layer = Layer.objects.create(
        city=city, theme=theme, code="roads", kind="line", name_fa="ر", name_en="R", source="s", visibility="public"
    )
    release_of(layer, 40)
    return SimpleNamespace(city=city, theme=theme, layer=layer, folder=tmp_path / "cache" / "tiles")


def release_of(layer: Layer, n: int) -> Release:
    number = Release.objects.next_number(layer)
    release = Release.objects.create(
        layer=layer, number=number, file_name="f", file_sha256="0" * 64, content_hash=f"{number:064d}", row_count=n,
        reference_date=date(2024, 1, 1),
    )  # fmt: skip
    lines = [shapely.LineString([(WEST + i * 1e-4, SOUTH), (WEST + i * 1e-4, SOUTH + 0.002)]) for i in range(n)]
    wkb = shapely.to_wkb(shapely.set_srid(np.array(lines, dtype=object), 4326), hex=True, include_srid=True)
    rows = [(release.pk, i + 1, f"{number}-{i}", w, json.dumps({"class": "alley"})) for i, w in enumerate(wkb)]
    sql.copy_rows(Feature, ("release_id", "number", "name", "geometry", "attributes"), rows)
    return release


def url(z: int = 14) -> str:
    x = int((WEST + 0.001 + 180) / 360 * 2**z)
    y = int((1 - math.asinh(math.tan(math.radians(SOUTH + 0.001))) / math.pi) / 2 * 2**z)
    return f"/tiles/kepttown/layers/roads/{z}/{x}/{y}.mvt"


def kept(town: Any) -> list[Path]:
    return sorted(file for file in town.folder.glob("*/*") if file.is_file())


def test_a_tile_is_drawn_once(town: Any, django_assert_num_queries: Callable[[int], Any]) -> None:
    first = Client().get(url())
    assert len(kept(town)) == 1
    with django_assert_num_queries(1):  # whether it may be seen, and nothing more
        second = Client().get(url())
    assert second.content == first.content
    packed = Client().get(url(), headers={"Accept-Encoding": "gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == first.content
    assert "Accept-Encoding" in packed["Vary"]


def test_an_empty_tile_is_kept_too(town: Any, django_assert_num_queries: Callable[[int], Any]) -> None:
    assert Client().get("/tiles/kepttown/layers/roads/14/0/0.mvt").status_code == 204
    with django_assert_num_queries(1):
        assert Client().get("/tiles/kepttown/layers/roads/14/0/0.mvt").status_code == 204


@pytest.mark.parametrize(
    "spoil", [lambda d: d[:-1], lambda d: b"", lambda d: d[:10] + b"x" + d[11:], lambda d: b"x" * 100]
)
def test_a_file_that_is_broken_is_drawn_again(town: Any, spoil: Callable[[bytes], bytes]) -> None:
    first = Client().get(url()).content
    (file,) = kept(town)
    whole = file.read_bytes()
    file.write_bytes(spoil(whole))
    assert Client().get(url()).content == first
    assert file.read_bytes() == whole


def test_who_may_not_see_the_layer_gets_no_kept_tile(town: Any) -> None:
    assert Client().get(url()).status_code == 200
    Layer.objects.filter(pk=town.layer.pk).update(visibility="signed-in")
    assert Client().get(url()).status_code == 404
    user = User.objects.create_user("kept-reader")
    client = Client()
    client.force_login(user)
    assert client.get(url()).status_code == 200
    Layer.objects.filter(pk=town.layer.pk).update(visibility="assigned", seen_by_roles=["agency"])
    assert client.get(url()).status_code == 404
    assignment = Assignment.objects.create(user=user, role="viewer", place=town.city)
    assert client.get(url()).status_code == 404
    Assignment.objects.filter(pk=assignment.pk).update(role="agency")
    assert client.get(url()).status_code == 200
    Layer.objects.filter(pk=town.layer.pk).update(visibility="public")
    Place.objects.filter(pk=town.city.pk).update(is_published=False)
    assert Client().get(url()).status_code == 404
    known = client.get(url())["ETag"]
    assert Client().get(url(), headers={"If-None-Match": known}).status_code == 404


def test_whatever_a_tile_depends_on_makes_another(town: Any, tmp_path: Path) -> None:
    first = Client().get(url())
    release_of(town.layer, 3)
    second = Client().get(url())
    assert second["ETag"] != first["ETag"]
    assert second.content != first.content
    service = Service.objects.create(code="kept-service", theme=town.theme, name_fa="خ", name_en="S")
    supply = Supply.objects.create(city=town.city, service=service, layer=town.layer, where={"class": "alley"})
    third = Client().get(url())
    assert third["ETag"] != second["ETag"]
    assert b",kept-service," in third.content
    supply.where = {"class": ["street", "lane"]}
    supply.save()
    fourth = Client().get(url())
    assert fourth["ETag"] != third["ETag"]
    assert b",kept-service," not in fourth.content


def test_old_tiles_go_when_there_are_too_many(town: Any, settings: Any) -> None:
    Client().get(url())
    size = sum(file.stat().st_size for file in kept(town))
    settings.TILE_CACHE_BYTES = size * 5
    for z in range(10, 18):
        assert Client().get(url(z)).status_code == 200
        assert sum(file.stat().st_size for file in kept(town)) <= size * 6
    cache.sweep()
    assert sum(file.stat().st_size for file in kept(town)) <= size * 5
    assert kept(town)


def test_a_disk_that_takes_nothing_is_no_reason_not_to_answer(town: Any, settings: Any, tmp_path: Path) -> None:
    first = Client().get(url()).content
    (tmp_path / "blocked").write_text("a file where the folder should be")
    settings.CACHE_DIR = tmp_path / "blocked"
    assert Client().get(url()).content == first


# ---------------------------------------------------------------- the bytes


def decoded(shapes: Shapes, folder: Path, properties: Properties | None = None) -> Any:
    """Write features as the one tile of zoom 0 and read them with GDAL, in steps of its grid."""
    file = folder / "0" / "0" / "0.mvt"
    file.parent.mkdir(parents=True, exist_ok=True)
    numbered = properties or Properties()
    numbered.add_numbers("number", np.arange(len(shapes)), np.arange(len(shapes)))
    file.write_bytes(encode("features", shapes, numbered))
    _, found = read_tile(file, CLIP="NO")
    step = 2 * HALF_WORLD_M / 4096
    moved = shapely.transform(
        found.geometry.values, lambda xy: np.rint((xy - (-HALF_WORLD_M, HALF_WORLD_M)) / (step, -step))
    )
    return found.assign(geometry=moved)


def test_shapes_come_back_as_they_were(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    areas = []
    for i in range(300):
        x, y = rng.integers(0, 3900, 2)
        whole = shapely.box(x, y, x + 60, y + 50)
        hole = shapely.box(x + 10, y + 10, x + 20 + i % 7, y + 20)
        other = shapely.box(x + 70, y, x + 90, y + 30)
        areas.append([whole, whole - hole, shapely.MultiPolygon([whole - hole, other])][i % 3])
    lines = []
    for i in range(200):
        xy = np.cumsum(rng.integers(1, 40, (2 + i % 5, 2)), axis=0)
        lines.append(shapely.LineString(xy) if i % 2 else shapely.MultiLineString([xy, xy[::-1] + 500]))
    spots = [
        shapely.Point(*rng.integers(0, 4096, 2)) if i % 2 else shapely.MultiPoint(rng.integers(0, 4096, (3, 2)))
        for i in range(50)
    ]
    parts = [np.array(part, dtype=object) for part in (areas, lines, spots)]
    found = decoded(joined([outlines(part) for part in parts]), tmp_path)
    assert found["number"].tolist() == list(range(550))
    for mine, theirs in zip(np.concatenate(parts), found.geometry.values, strict=True):
        assert shapely.equals(mine, theirs), (mine, theirs)


def test_outer_rings_turn_as_the_format_says() -> None:
    ring = shapely.box(10, 10, 20, 20) - shapely.box(12, 12, 14, 14)
    for shape in (ring, shapely.reverse(ring)):
        outer, inner = rings(outlines(np.array([shape], dtype=object)).commands.tolist())
        assert signed_area(outer) == 100
        assert signed_area(inner) == -4
    ((only),) = rings(boxes(np.array([[3, 4, 8, 10]])).commands.tolist())
    assert signed_area(only) == 30


def rings(commands: list[int]) -> list[list[tuple[int, int]]]:
    """Follow the pen, as the specification describes it."""
    x = y = i = 0
    found: list[list[tuple[int, int]]] = []
    while i < len(commands):
        kind, count = commands[i] & 7, commands[i] >> 3
        i += 1
        if kind == 7:
            continue
        for _ in range(count):
            dx, dy = ((n >> 1) ^ -(n & 1) for n in commands[i : i + 2])
            x, y, i = x + dx, y + dy, i + 2
            if kind == 1:
                found.append([])
            found[-1].append((x, y))
    return found


def signed_area(ring: list[tuple[int, int]]) -> float:
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, ring[1:] + ring[:1], strict=True)) / 2


def test_values_of_every_type_come_back(tmp_path: Path) -> None:
    values = ["سلام", "", "<b>", 0, -1, 2**40, 1.5, -0.25, 1e300, 127, 128, 16_384]
    properties = Properties()
    for i, value in enumerate(values):
        properties.add(f"v{i}", np.array([0]), [json.dumps(value).encode()], is_json=True)
    properties.add("yes", np.array([0]), [b"true"], is_json=True)
    for i, nothing in enumerate((b"", b"null", b"[1]", b'{"a": 1}')):
        properties.add(f"n{i}", np.array([0]), [nothing], is_json=True)
    properties.add_texts("text", np.array([0]), ["خانه\x1f".encode() * 40])
    found = decoded(boxes(np.array([[1, 1, 9, 9]])), tmp_path, properties).iloc[0]
    for i, value in enumerate(values):
        assert found[f"v{i}"] == value
    assert found["yes"] == 1
    assert found["text"] == "خانه\x1f" * 40
    assert not [name for name in found.index if name.startswith("n") and name != "number"]


def test_nothing_becomes_invalid_or_vanishes_on_the_grid(tmp_path: Path) -> None:
    """Slivers, spikes, stars and specks, as surveys have them, brought to a coarse grid."""
    rng = np.random.default_rng(11)
    shapes = []
    for _ in range(400):
        turn = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 30)))
        reach = rng.uniform(0.05, 1, len(turn)) * 10 ** rng.uniform(-6, -2.5)
        x, y = WEST + rng.uniform(0, 0.02), SOUTH + rng.uniform(0, 0.02)
        shapes.append(shapely.make_valid(shapely.Polygon(np.c_[x + reach * np.cos(turn), y + reach * np.sin(turn)])))
    shapes = [s for s in shapes if s.geom_type in ("Polygon", "MultiPolygon") and s.area > 0]
    web = project(np.array(shapes, dtype=object), 4326, 3857)
    for z in (8, 12, 15, 18):
        x = int((WEST + 0.01 + 180) / 360 * 2**z)
        y = int((1 - math.asinh(math.tan(math.radians(SOUTH + 0.01))) / math.pi) / 2 * 2**z)
        tile = TileAddress(z, x, y)
        kept_ones, drawn = shapes_of(web, tile)
        margin_m = tile.width_m / 64
        reach = shapely.box(*tile.bounds_3857).buffer(margin_m, join_style="mitre")
        assert set(kept_ones.tolist()) == set(np.flatnonzero(shapely.intersects(web, reach)).tolist()), z
        if len(drawn):
            found = decoded(drawn, tmp_path)
            assert len(found) == len(drawn)
            assert shapely.is_valid(found.geometry.values).all()
            assert (shapely.area(found.geometry.values) > 0).all()


def rows_of(geometries: list[Any]) -> Rows:
    wkb = shapely.to_wkb(np.array(geometries, dtype=object), byte_order=1)
    return Rows(
        numbers=np.arange(len(wkb))[::-1].copy(),  # found in another order than that of their numbers
        attributes={},
        services=None,
        wkb=np.frombuffer(b"".join(wkb), dtype=np.uint8),
        ends=np.cumsum([len(one) for one in wkb]),
        _names=b"",
        _name_ends=np.zeros(len(wkb), dtype=np.int64),
    )


def test_no_ring_that_crosses_or_touches_itself_passes_as_simple() -> None:
    """Every ring of three or four vertices on 16 points and of five or six on nine, and very many larger ones, against GEOS."""
    rng = np.random.default_rng(3)
    corners = []
    for m, side in ((3, 4), (4, 4), (5, 3), (6, 3)):
        every = np.indices((side**2,) * m).reshape(m, -1).T
        corners.append(np.stack([every % side, every // side], axis=-1))
    corners += [
        rng.integers(0, width, (60_000, m, 2)) for m, width in ((5, 5), (7, 3), (7, 5), (8, 4), (9, 6), (12, 40))
    ]
    n_simple = 0
    for xy in corners:
        xy = xy[(xy != np.roll(xy, 1, axis=1)).any(axis=2).all(axis=1)]
        runs = Runs(xy[:, :, 0].ravel(), xy[:, :, 1].ravel(), np.full(len(xy), xy.shape[1]))
        runs = runs.reversed(runs.twice_areas() < 0)
        passed = is_fan(runs)
        drawn = np.stack([runs.x, runs.y], axis=1).reshape(xy.shape)[passed]
        assert shapely.is_valid(shapely.polygons(drawn)).all()
        assert (shapely.area(shapely.polygons(drawn)) > 0).all()
        n_simple += int(passed.sum())
        if xy.shape[1] <= 4:  # a triangle, and whatever has four corners, is always seen whole from one of them
            valid = shapely.is_valid(shapely.polygons(xy))
            in_line = (np.abs(bends(xy)) == 0).any(axis=1)
            assert passed[valid & ~in_line].all()
    assert n_simple > 30_000


def bends(xy: np.ndarray) -> np.ndarray:
    before, after = xy - np.roll(xy, 1, axis=1), np.roll(xy, -1, axis=1) - xy
    return before[..., 0] * after[..., 1] - before[..., 1] * after[..., 0]


def test_a_spiral_that_turns_more_than_once_does_not_pass_as_simple() -> None:
    turn = np.linspace(0, 4.5 * np.pi, 14)
    spiral = np.rint(np.c_[np.cos(turn), np.sin(turn)] * np.linspace(900, 1000, 14)[:, None]).astype(np.int64)
    ring = np.concatenate([[[0, 0]], spiral]) + 2000
    runs = Runs(ring[:, 0].copy(), ring[:, 1].copy(), np.array([len(ring)]))
    assert not is_fan(runs.reversed(runs.twice_areas() < 0))[0]


def test_what_goes_as_arrays_is_drawn_as_what_goes_through_geos(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    tile = TileAddress(14, 10_400, 6_570)
    west, south, east, north = tile.bounds_3857
    step_m = tile.width_m / 4096
    shapes: list[Any] = []
    for i in range(900):
        x, y = (
            rng.uniform(west - 40 * step_m, east + 40 * step_m),
            rng.uniform(south - 40 * step_m, north + 40 * step_m),
        )
        turn = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 9)))
        reach = rng.uniform(0.2, 1, len(turn)) * 10 ** rng.uniform(-0.5, 1.2) * step_m
        ring = np.c_[x + reach * np.cos(turn), y + reach * np.sin(turn)]
        area = shapely.Polygon(ring)
        hole = area.buffer(20 * step_m) - area if area.is_valid else area.buffer(0)
        line = shapely.LineString(ring)
        shapes.append(
            [area, shapely.reverse(area), shapely.MultiPolygon([area]), hole, line, shapely.MultiLineString([line]),
             shapely.MultiLineString([line, shapely.LineString(ring + 50 * step_m)]), shapely.Point(x, y),
             shapely.MultiPoint([(x, y)]), shapely.MultiPoint([(x, y), (x + 9 * step_m, y)])][i % 10]
        )  # fmt: skip
    shapes = [shape for shape in shapes if shape.is_valid and not shape.is_empty]
    rows = rows_of(shapes)
    positions, drawn = shapes_of_rows(rows, tile)
    assert (np.diff(rows.numbers[positions]) > 0).all()
    found = decoded(drawn, tmp_path).geometry.values
    whole = np.array(shapes, dtype=object)
    kept, by_geos = shapes_of(whole, tile)
    other = dict(zip(kept.tolist(), decoded(by_geos, tmp_path).geometry.values, strict=True))
    assert set(positions.tolist()) == set(kept.tolist())
    assert shapely.is_valid(found).all()
    reach = shapely.box(-BUFFER, -BUFFER, 4096 + BUFFER, 4096 + BUFFER)
    n_same = 0
    for position, mine in zip(positions.tolist(), found, strict=True):
        theirs = other[position]
        if reach.contains_properly(theirs):
            assert shapely.equals(mine, theirs) or mine.area == theirs.area == 1, (mine, theirs)
            n_same += 1
        else:
            assert shapely.hausdorff_distance(mine.intersection(reach), theirs) < 2.5
    assert n_same > 700


def test_only_what_goes_on_far_beyond_a_tile_is_cut_off(tmp_path: Path) -> None:
    tile = TileAddress(14, 10_400, 6_570)
    west, _, _, north = tile.bounds_3857
    step_m = tile.width_m / 4096

    def at(*xy: tuple[int, int]) -> np.ndarray:
        return np.array(xy) * (step_m, -step_m) + (west, north)

    near = shapely.Polygon(at((10, 10), (-SPARED, 10), (-SPARED, 40), (10, 40)))
    far = shapely.Polygon(at((10, 10), (-SPARED - 9, 10), (-SPARED - 9, 40), (10, 40)))
    around = shapely.Polygon(at((-99, -99), (5000, -99), (5000, 5000), (-99, 5000)))
    beside = shapely.LineString(at((-10, -90), (-90, -90), (-90, 30)))
    positions, drawn = shapes_of_rows(rows_of([near, far, around, beside]), tile)
    assert positions.tolist() == [2, 1, 0]  # in the order of their numbers
    lefts = [round(shape.bounds[0]) for shape in decoded(drawn, tmp_path).geometry.values]
    assert lefts == [-BUFFER, -BUFFER, -SPARED]


def test_many_numbers_are_found_as_few_are(town: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    release = town.layer.releases.get()
    source = drawing.Source(town.layer.pk, "line", release.pk, release.shelf, release.content_hash, 40, "", {})
    z, x, y = (int(part) for part in url().removesuffix(".mvt").split("/")[-3:])
    found = []
    for many in (1, 10_000):
        monkeypatch.setattr(drawing, "MANY_NUMBERS", many)
        rows = drawing._rows(source, TileAddress(z, x, y), np.array([3, 5, 7, 10_001]))
        found.append(sorted(zip(rows.numbers.tolist(), rows.names(np.arange(len(rows))), strict=True)))
    assert found[0] == found[1] == [(3, b"1-2"), (5, b"1-4"), (7, b"1-6")]


@pytest.mark.parametrize("separator", ["|", "\x1f"])
@pytest.mark.parametrize("types", [("text", "integer", "object"), ("object", "object", "object"), ()])
def test_names_and_attributes_come_as_they_are_written(
    town: Any, tmp_path: Path, types: tuple[str, ...], separator: str
) -> None:
    names = ["", separator, f"a{separator}b", "«خانه»", "x" * 300]
    rows: list[dict[str, Any]] = [
        {"kind": "خانه"}, {"class": "5", "floors": 5}, {"class": f"a{separator}b", "kind": 3, "capacity": 7},
        {"class": None, "kind": ["x"]}, {"kind": True, "floors": -2},
    ]  # fmt: skip
    fields = [{"name": name, "type": of} for name, of in zip(("class", "floors", "kind"), types, strict=False)]
    release = Release.objects.create(
        layer=town.layer,
        number=9,
        file_name="f",
        file_sha256="0" * 64,
        content_hash="9" * 64,
        row_count=5,
        fields=fields,
    )
    line = shapely.LineString([[WEST, SOUTH], [WEST, SOUTH + 0.001]])
    wkb = shapely.to_wkb(shapely.set_srid(line, 4326), hex=True, include_srid=True)
    sql.copy_rows(
        Feature,
        ("release_id", "number", "name", "geometry", "attributes"),
        [(release.pk, i + 1, names[i], wkb, json.dumps(rows[i])) for i in range(5)],
    )
    file = tmp_path / url().split("roads/")[1]
    file.parent.mkdir(parents=True)
    file.write_bytes(Client().get(url()).content)
    found = read_tile(file)[1].set_index("number")
    assert found["name"].fillna("").tolist() == names
    assert found["class"].dropna().to_dict() == {2: "5", 3: f"a{separator}b"}
    assert found["floors"].dropna().to_dict() == {2: 5, 5: -2}
    assert {number: str(kind) for number, kind in found["kind"].dropna().items()} == {1: "خانه", 3: "3", 5: "1"}
    assert ("capacity" in found) == (not types)  # where it is told which fields there are, others are not looked for

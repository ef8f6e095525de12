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
from maps.tiles import cache
from maps.tiles.address import HALF_WORLD_M, TileAddress
from maps.tiles.drawing import shapes_of
from maps.tiles.encoding import Properties, Shapes, boxes, encode, joined, outlines
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
        properties.add(f"v{i}", np.array([0]), [value])
    properties.add("yes", np.array([0]), [True])
    found = decoded(boxes(np.array([[1, 1, 9, 9]])), tmp_path, properties).iloc[0]
    for i, value in enumerate(values):
        assert found[f"v{i}"] == value
    assert found["yes"] == 1


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

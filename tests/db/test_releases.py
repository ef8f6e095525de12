"""Releases are stored whole or not at all, in one pass, the large ones apart; and differ from the one before as they say."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import rasterio
import shapely
from django.core.management import call_command
from django.db import connection, transaction
from rasterio import Affine

from geo.errors import InvalidInput
from geo.models import Place
from layers.models import Feature, Layer, Raster, Release
from layers.reading import FieldRule, Plan, ReadingOptions, read_file, read_raster, reading
from layers.reading.request import BATCH_ROWS
from layers.services import LayerSpec, layer_put, raster_release_create, release_create
from layers.services.releases import Cancelled, release_difference
from layers.services.rows_to_copy import OWN_SHELF_ROWS, attribute_texts

pytestmark = pytest.mark.django_db

WEST, SOUTH = 48.3, 33.4


@pytest.fixture
def layer(demo_city: Place) -> Layer:
    return layer_put(LayerSpec(demo_city, "housing", "some-houses", "polygon", "خانه‌ها", "Houses", "A survey"))


def squares(n: int, side: float = 5e-5) -> np.ndarray:
    rows = np.arange(n)
    x, y = WEST + rows % 300 * 1e-4, SOUTH + rows // 300 * 1e-4
    return shapely.box(x, y, x + side, y + side)


def eastward(shape: shapely.Geometry, degrees: float) -> shapely.Geometry:
    return shapely.transform(shape, lambda xy: xy + np.array([degrees, 0]))


def written(path: Path, shapes: Sequence[Any], **columns: Sequence[Any]) -> Path:
    path.unlink(missing_ok=True)
    data = [np.array(v, dtype=object) if isinstance(v[0], str) else np.asarray(v) for v in columns.values()]
    pyogrio.raw.write(
        path, shapely.to_wkb(np.array(shapes, dtype=object)), data, list(columns), geometry_type="Polygon",
        crs="EPSG:4326", driver="ESRI Shapefile" if path.suffix == ".shp" else "GPKG",
    )  # fmt: skip
    return path


def houses(path: Path, n: int) -> Path:
    return written(
        path, squares(n), name=[f"خانه {i}" for i in range(n)], kind=["house", "shop"] * (n // 2) + ["house"] * (n % 2),
        floors=[i % 7 for i in range(n)],
    )  # fmt: skip


def stored(layer: Layer, path: Path, options: ReadingOptions | None = None, **more: Any) -> Release:
    with reading(path, options or ReadingOptions(name_field="name")) as file:
        return release_create(layer=layer, reading=file, **more)


def partitions() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'layers_feature'::regclass")
        return {name for (name,) in cursor.fetchall()}


def plan_of(query: Any) -> str:
    return json.dumps(json.loads(query.explain(format="json", verbose=False)))


# Small and large


def test_a_small_release_lies_on_the_common_shelf(layer: Layer, tmp_path: Path) -> None:
    before = partitions()
    release = stored(layer, houses(tmp_path / "a.gpkg", 300), reference_date=date(2026, 1, 1))
    assert (release.number, release.shelf, release.row_count) == (1, 0, 300)
    assert partitions() == before
    feature = Feature.objects.of(release).get(number=2)
    assert feature.name == "خانه 1"
    assert feature.attributes == {"name": "خانه 1", "kind": "shop", "floors": 1}
    assert feature.geometry.srid == 4326
    assert shapely.from_wkb(bytes(feature.geometry.wkb)).equals(squares(2)[1])
    assert release.bounds_4326 == pytest.approx(shapely.total_bounds(squares(300)))
    assert release.difference == {}
    assert {f["name"]: (f["type"], f["filled"]) for f in release.fields} == {
        "name": ("text", 300), "kind": ("text", 300), "floors": ("integer", 300),
    }  # fmt: skip
    assert release.quality["filled"] == {"name": 1.0, "kind": 1.0, "floors": 1.0}
    assert release.quality["problems"] == {"error": {}, "repaired": {}, "warning": {}}
    assert release.how == {"name_field": "name"}


def test_a_large_release_has_a_table_of_its_own_that_is_part_of_the_whole(layer: Layer, tmp_path: Path) -> None:
    before = partitions()
    release = stored(layer, houses(tmp_path / "a.gpkg", OWN_SHELF_ROWS))
    assert release.shelf == release.pk
    table = f"layers_feature_{release.pk}"
    assert partitions() == before | {table}
    assert Feature.objects.of(release).count() == Feature.objects.filter(release=release).count() == OWN_SHELF_ROWS
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename = %s", [table])
        indexes = " ".join(definition for (definition,) in cursor.fetchall())
        cursor.execute("SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass", [table])
        constraints = {name for (name,) in cursor.fetchall()}
        cursor.execute(f"SELECT count(*) FROM {table} WHERE ST_SRID(geometry) = 4326 AND ST_SRID(geometry_3857) = 3857")
        assert cursor.fetchone() == (OWN_SHELF_ROWS,)
    assert "USING gist (geometry_3857)" in indexes
    assert "UNIQUE INDEX" in indexes
    assert {"feature_geometry_valid", "feature_geometry_not_empty", "feature_of_release"} <= constraints
    assert "feature_shelf" not in constraints


def test_a_tile_of_a_large_release_is_found_by_its_index_in_its_table_alone(layer: Layer, tmp_path: Path) -> None:
    release = stored(layer, houses(tmp_path / "a.gpkg", OWN_SHELF_ROWS))
    middle = Feature.objects.of(release).get(number=10_000).geometry_3857.centroid
    span = 2 * 20037508.342789244 / 2**18
    x, y = int((middle.x + 20037508.342789244) / span), int((20037508.342789244 - middle.y) / span)
    query = Feature.objects.of(release).in_tile(18, x, y)
    assert 0 < query.count() < 500
    plan = plan_of(query)
    assert f"layers_feature_{release.pk}_geometry_3857_idx" in plan
    # Layers are so few that they are read whole.
    assert not re.search(r'"Seq Scan"[^{}]*"Relation Name": "layers_feature', plan)
    assert "layers_feature_shared" not in plan
    # The shared table is not read for it, nor its table for others.
    small = stored(layer, houses(tmp_path / "b.gpkg", 10))
    assert f"layers_feature_{release.pk}" not in plan_of(Feature.objects.of(small))


def test_a_file_that_does_not_say_how_many_rows_it_has_is_divided_all_the_same(layer: Layer, tmp_path: Path) -> None:
    for n, is_large in ((OWN_SHELF_ROWS - 1, False), (OWN_SHELF_ROWS, True)):
        with reading(houses(tmp_path / "a.gpkg", n), ReadingOptions(name_field="name")) as file:
            file._facts.count = -1
            release = release_create(layer=layer, reading=file)
        assert bool(release.shelf) is is_large
        assert Feature.objects.of(release).count() == n


def test_rows_of_a_plan_and_of_a_stream_are_the_same_to_the_last_bit(layer: Layer, tmp_path: Path) -> None:
    path = houses(tmp_path / "a.gpkg", 20_500)
    before = partitions()
    plan = read_file(path, name_field="name")
    assert isinstance(plan, Plan)
    first = release_create(layer=layer, plan=plan, reference_date=date(2026, 1, 1))
    again = stored(layer, path, reference_date=date(2026, 1, 1))
    assert again == first
    assert partitions() == before | {f"layers_feature_{first.pk}"}


def test_the_hash_of_the_content_is_of_shapes_names_and_attributes(layer: Layer, tmp_path: Path) -> None:
    """Written here once more: whoever changes it makes every city loaded again after the update get new releases."""
    path = written(
        tmp_path / "a.gpkg", squares(3), name=["a", "خرم‌آباد \"x\"", "c\td"], n=[1, 2, 3], x=[0.1, float("nan"), 1e20],
    )  # fmt: skip
    plan = read_file(path, name_field="name")
    assert isinstance(plan, Plan)
    shapes, names, attributes = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()
    for geometry, name, row in zip(plan.rows.geometries_4326, plan.rows.names, plan.rows.attributes(), strict=True):
        shapes.update(shapely.to_wkb(geometry, byte_order=1))
        names.update(f"{name}\x1e".encode())
        attributes.update(json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode())
    digest = hashlib.sha256(shapes.digest() + names.digest() + attributes.digest())
    release = release_create(layer=layer, plan=plan)
    assert release.content_hash == digest.hexdigest()
    assert [json.loads(text) for text in attribute_texts(plan.rows).to_pylist()] == list(plan.rows.attributes())
    assert list(Feature.objects.of(release).order_by("number").values_list("attributes", flat=True)) == list(
        plan.rows.attributes()
    )


def test_the_same_rows_are_stored_once_and_another_day_is_another_release(layer: Layer, tmp_path: Path) -> None:
    path = houses(tmp_path / "a.gpkg", 50)
    day = date(2026, 1, 1)
    first = stored(layer, path, reference_date=day)
    assert stored(layer, path, reference_date=day) == first
    assert Release.objects.filter(layer=layer).count() == 1
    assert stored(layer, path, reference_date=date(2026, 2, 1)).number == 2
    assert Feature.objects.filter(release__layer=layer).count() == 100


# Whole or not at all


@pytest.mark.parametrize("n", [200, 40_000])
def test_an_error_at_the_end_leaves_nothing(n: int, layer: Layer, tmp_path: Path) -> None:
    shapes = list(squares(n))
    shapes[-1] = shapely.Polygon([(48.3, 33.4), (48.31, 33.41), (48.31, 33.4), (48.3, 33.41)])
    before = partitions(), Feature.objects.count()
    with pytest.raises(InvalidInput) as refused:
        stored(layer, written(tmp_path / "a.gpkg", shapes, name=["a"] * n))
    assert refused.value.code == "invalid_geometry"
    assert f"row {n}" in refused.value.where
    assert (partitions(), Feature.objects.count()) == before
    assert not layer.releases.exists()


@pytest.mark.parametrize("n", [200, 60_000])
def test_an_import_can_be_called_off_between_batches(n: int, layer: Layer, tmp_path: Path) -> None:
    before = partitions()
    said: list[tuple[str, int, int]] = []
    threads = threading.active_count()
    with pytest.raises(Cancelled) as called_off:
        stored(
            layer, houses(tmp_path / "a.gpkg", n),
            progress=lambda step, done, of: said.append((step, done, of)), is_cancelled=lambda: bool(said) or n == 200,
        )  # fmt: skip
    assert called_off.value.status == 409
    assert len(said) == (0 if n == 200 else 1)
    assert partitions() == before
    assert not layer.releases.exists()
    assert threading.active_count() == threads  # nothing reads on


def test_progress_tells_every_batch(layer: Layer, tmp_path: Path) -> None:
    said: list[tuple[str, int, int]] = []
    stored(layer, houses(tmp_path / "a.gpkg", 40_000), progress=lambda *what: said.append(what))
    done = [*range(BATCH_ROWS, 40_000, BATCH_ROWS), 40_000]
    assert said == [
        *(("storing", rows, 40_000) for rows in done), ("indexing", 40_000, 40_000), ("comparing", 40_000, 40_000),
    ]  # fmt: skip


def test_a_fault_of_the_program_while_reading_is_raised_where_it_is_stored(layer: Layer, tmp_path: Path) -> None:
    def broken(done: int, of: int) -> None:
        raise ZeroDivisionError

    with (
        reading(houses(tmp_path / "a.gpkg", 100), progress=broken) as file,
        pytest.raises(ZeroDivisionError),
        transaction.atomic(),
    ):
        release_create(layer=layer, reading=file)
    assert not layer.releases.exists()


def test_names_and_texts_of_every_kind_come_back(layer: Layer, tmp_path: Path) -> None:
    names = ["n" * 400, "خ" * 350, 'quo"te \\ back', "new line", "", "😀" * 301]
    path = written(tmp_path / "a.gpkg", squares(6), name=names, note=[f"{name}|" for name in names])
    release = stored(layer, path)
    found = list(Feature.objects.of(release).order_by("number").values_list("name", "attributes__note"))
    assert [name for name, _ in found] == [name[:300] for name in names]
    assert [note for _, note in found] == [f"{name}|" for name in names]


# What changed


def test_the_difference_by_name_and_place(layer: Layer, tmp_path: Path) -> None:
    shapes, names = list(squares(8)), ["a", "b", "c", "d", "twin", "twin", "", "gone"]
    first = stored(layer, written(tmp_path / "a.gpkg", shapes, name=names, n=list(range(8))))
    assert first.difference == {}
    shapes = [
        shapes[0],  # unchanged
        eastward(shapes[1], 1e-3),  # moved by some 93 m
        eastward(shapes[2], 1e-6),  # by some 9 cm
        shapes[3],  # another attribute
        shapes[4],
        eastward(shapes[5], 1e-3),  # one of two of the name
        shapes[6],
        squares(9)[8],  # new
    ]
    names = ["a", "b", "c", "d", "twin", "twin", "", "new"]
    second = stored(layer, written(tmp_path / "b.gpkg", shapes, name=names, n=[0, 1, 2, 33, 4, 5, 6, 8]))
    found = second.difference
    counts = {what: found[what] for what in ("added", "removed", "moved", "changed", "unchanged")}
    # Of the twins one stayed; the other, the only one of its name that is left on either side, moved.
    assert counts == {"added": 1, "removed": 1, "moved": 2, "changed": 2, "unchanged": 3}
    assert (found["against"], found["by"]) == (1, "name")
    assert [example["name"] for example in found["examples"]["added"]] == ["new"]
    assert [example["name"] for example in found["examples"]["removed"]] == ["gone"]
    assert {example["name"] for example in found["examples"]["moved"]} == {"b", "twin"}
    assert {example["name"] for example in found["examples"]["changed"]} == {"c", "d"}
    moved = next(example for example in found["examples"]["moved"] if example["name"] == "b")
    assert (moved["row"], moved["row_before"]) == (2, 2)
    assert (moved["lon"], moved["lat"]) == pytest.approx((WEST + 1.1e-3 + 2.5e-5, SOUTH + 2.5e-5), abs=1e-5)
    assert release_difference(second) == found


def test_the_difference_by_key_sees_through_new_names_places_and_orders(layer: Layer, tmp_path: Path) -> None:
    layer.key_field = "id"
    layer.save()
    stored(layer, written(tmp_path / "a.gpkg", squares(4), name=list("abcd"), id=[10, 11, 12, 13]))
    shapes = list(squares(5))[::-1]
    second = stored(layer, written(tmp_path / "b.gpkg", shapes, name=list("EDxba"), id=[14, 13, 12, 11, 10]))
    found = second.difference
    counts = {what: found[what] for what in ("added", "removed", "moved", "changed", "unchanged")}
    assert counts == {"added": 1, "removed": 0, "moved": 0, "changed": 2, "unchanged": 2}
    assert {example["key"] for example in found["examples"]["changed"]} == {"12", "13"}


def test_no_more_than_fifty_examples_are_kept(layer: Layer, tmp_path: Path) -> None:
    stored(layer, houses(tmp_path / "a.gpkg", 10))
    found = stored(layer, houses(tmp_path / "b.gpkg", 300)).difference
    assert (found["added"], found["unchanged"], len(found["examples"]["added"])) == (290, 10, 50)


def test_the_difference_between_a_shared_and_a_large_release(layer: Layer, tmp_path: Path) -> None:
    stored(layer, houses(tmp_path / "a.gpkg", 1_000))
    started = time.monotonic()
    found = stored(layer, houses(tmp_path / "b.gpkg", OWN_SHELF_ROWS)).difference
    assert found["added"] == OWN_SHELF_ROWS - 1_000
    assert found["unchanged"] == 1_000
    assert time.monotonic() - started < 30  # rows are joined, not searched one by one


# How it was read


def test_the_mapping_and_options_are_kept_with_the_release(layer: Layer, tmp_path: Path) -> None:
    options = ReadingOptions(
        name_field="name", near=(48, 33, 49, 34), mapping=(FieldRule("floors", "storeys", "number"),), fields=["floors"]
    )
    release = stored(layer, houses(tmp_path / "a.gpkg", 10), options)
    assert release.how["mapping"][0]["name"] == "storeys"
    assert release.how["fields"] == ["floors"]
    assert "near" not in release.how
    assert [f["name"] for f in release.fields] == ["storeys"]


def test_the_command_stores_a_file_as_it_goes_by(demo_city: Place, tmp_path: Path, capsys: Any) -> None:
    path = houses(tmp_path / "houses.gpkg", OWN_SHELF_ROWS)
    call_command(
        "import_layer", demo_city.code, "new-houses", str(path), "--theme", "housing", "--name-fa", "خانه", "--name-en",
        "Houses", "--source", "A survey", "--name-field", "name",
    )  # fmt: skip
    layer = Layer.objects.get(code="new-houses")
    assert (layer.kind, layer.releases.get().row_count) == ("polygon", OWN_SHELF_ROWS)
    assert layer.releases.get().shelf
    said = capsys.readouterr().err
    assert "20,000 rows" in said


# Rasters


def test_a_raster_release_keeps_its_statistics(demo_city: Place, tmp_path: Path) -> None:
    layer = layer_put(LayerSpec(demo_city, "hazards", "some-heights", "raster", "ارتفاع", "Heights", "A survey"))
    values = np.random.default_rng(3).normal(1_200_000, 2, (700, 600)).astype("float32")
    values[:50] = -1
    path = tmp_path / "heights.tif"
    with rasterio.open(
        path, "w", driver="GTiff", height=700, width=600, count=1, dtype="float32", crs="EPSG:32639", nodata=-1,
        transform=Affine(20, 0, 253_000, 0, -20, 3_709_000),
    ) as dataset:  # fmt: skip
        dataset.write(values, 1)
    plan = read_raster(path)
    release = raster_release_create(layer=layer, plan=plan, path=path)
    raster = Raster.objects.get(release=release)
    there = values[50:].astype("float64")
    assert raster.mean == pytest.approx(there.mean(), rel=1e-12)
    assert raster.deviation == pytest.approx(there.std(), rel=1e-9)
    assert sum(raster.histogram["pixels"]) == there.size
    np.testing.assert_array_equal(
        raster.histogram["pixels"], np.histogram(there, np.linspace(there.min(), there.max(), 33))[0]
    )
    assert release.bounds_4326 == pytest.approx(plan.bounds_4326)


def test_a_raster_of_classes_keeps_how_many_pixels_each_has(demo_city: Place, tmp_path: Path) -> None:
    layer = layer_put(LayerSpec(demo_city, "hazards", "some-classes", "raster", "رده‌ها", "Classes", "A survey"))
    path = tmp_path / "classes.tif"
    with rasterio.open(
        path, "w", driver="GTiff", height=2, width=4, count=1, dtype="uint8", crs="EPSG:32639",
        transform=Affine(20, 0, 253_000, 0, -20, 3_709_000),
    ) as dataset:  # fmt: skip
        dataset.write(np.array([[1, 1, 2, 7], [7, 7, 7, 2]], dtype="uint8"), 1)
    release = raster_release_create(layer=layer, plan=read_raster(path), path=path)
    raster = Raster.objects.get(release=release)
    assert raster.histogram == {"values": [1, 2, 7], "pixels": [2, 2, 4]}
    assert raster.mean == pytest.approx(34 / 8)


def test_storing_a_shapefile_leaves_gdal_as_it_was(layer: Layer, tmp_path: Path) -> None:
    """It is begun in one thread and ended in another; what is written afterwards still has its letters."""
    written(tmp_path / "a.shp", squares(3), name=["خرم‌آباد"] * 3)
    with reading(tmp_path / "a.shp", ReadingOptions(name_field="name")) as file:
        assert file.kind == "polygon"
        release_create(layer=layer, reading=file)
    written(tmp_path / "b.shp", squares(3), name=["خرم‌آباد"] * 3)
    plan = read_file(tmp_path / "b.shp", name_field="name")
    assert isinstance(plan, Plan)
    assert plan.rows.names == ("خرم‌آباد",) * 3

"""The same three places in every format and reference system come out as the same rows."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely

from geo.core.crs import project
from layers.reading import Plan, RasterPlan, read_file, read_table, read_vector, summary

Write = Callable[..., Path]

PLACES = [shapely.Point(48.35, 33.48), shapely.Point(48.36, 33.49), shapely.Point(48.37, 33.5)]
# As typed on an Arabic keyboard, with a stray space; and as they are stored.
TYPED = ["علي\u200cآباد", " پشت  بازار", "ماسور"]
STORED = ("علی\u200cآباد", "پشت بازار", "ماسور")


def codes(plan: Plan | RasterPlan) -> list[str]:
    return [problem.code for problem in plan.problems]


@pytest.mark.parametrize("suffix", [".gpkg", ".fgb", ".shp", ".geojson"])
@pytest.mark.parametrize("epsg", [4326, 32639, 4674])
def test_every_format_in_every_system_gives_the_same_rows(suffix: str, epsg: int, write_layer: Write) -> None:
    there = project(PLACES, 4326, epsg)
    path = write_layer(f"stops{suffix}", list(there), crs=f"EPSG:{epsg}", name=TYPED, lines=[3, 1, 2])

    plan = read_vector(path, name_field="name")

    assert plan.is_loadable, summary(plan)
    assert plan.problems == ()
    assert plan.crs == f"EPSG:{epsg}"
    assert plan.kind == "point"
    assert plan.file_name == path.name
    assert plan.rows.names == STORED
    assert plan.rows.numbers.tolist() == [1, 2, 3]
    assert list(plan.rows.attributes()) == [{"name": n, "lines": v} for n, v in zip(STORED, (3, 1, 2), strict=True)]
    # A hundredth of a millimetre; the datum of 4674 is that of 4326 to within its accuracy.
    moved = shapely.distance(plan.rows.geometries_4326, np.array(PLACES))
    assert moved.max() < 1e-10
    if suffix != ".shp":
        assert plan.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_table_gives_the_same_rows_and_counts_the_header_as_row_1(tmp_path: Path) -> None:
    path = tmp_path / "stops.csv"
    lines = [f"{name},{point.x},{point.y},{n}" for name, point, n in zip(TYPED, PLACES, (3, 1, 2), strict=True)]
    path.write_text("\n".join(["name,lon,lat,lines", *lines]), encoding="utf-8")

    plan = read_table(path, name_field="name", fields=["lines"])

    assert plan.is_loadable, summary(plan)
    assert plan.rows.names == STORED
    assert plan.rows.numbers.tolist() == [2, 3, 4]
    assert list(plan.rows.attributes()) == [{"lines": 3}, {"lines": 1}, {"lines": 2}]
    assert shapely.equals(plan.rows.geometries_4326, np.array(PLACES)).all()


def test_values_become_json_and_what_json_cannot_say_becomes_null(write_geojson: Write) -> None:
    properties = {
        "whole": 3, "real": 2.5, "text": "ك", "yes": True, "none": None, "day": "2022-08-01",
        "moment": "2022-08-01T12:30:00Z", "list": ["ي", "b"], "object": {"k": [1, None]},
    }  # fmt: skip
    plan = read_vector(write_geojson(PLACES[:1], [properties]))

    (attributes,) = plan.rows.attributes()
    assert json.loads(json.dumps(attributes, allow_nan=False)) == attributes
    assert attributes["day"] == "2022-08-01"
    assert datetime.datetime.fromisoformat(attributes["moment"]) == datetime.datetime(
        2022, 8, 1, 12, 30, tzinfo=datetime.UTC
    )
    del attributes["moment"], attributes["day"]
    assert attributes == {
        "whole": 3, "real": 2.5, "text": "ک", "yes": True, "list": ["ی", "b"], "object": {"k": [1, None]},
    }  # fmt: skip
    assert plan.rows.columns["none"] == [None]


@pytest.mark.parametrize("suffix", [".gpkg", ".fgb", ".shp"])
def test_nan_dates_and_gaps_survive_every_binary_format(suffix: str, write_layer: Write, tmp_path: Path) -> None:
    path = tmp_path / f"values{suffix}"
    driver = {".gpkg": "GPKG", ".fgb": "FlatGeobuf", ".shp": "ESRI Shapefile"}[suffix]
    gap = np.array([False, True, False])
    pyogrio.raw.write(
        path, geometry=shapely.to_wkb(np.array(PLACES)), geometry_type="Point", crs="EPSG:4326", driver=driver,
        fields=["count", "share", "day"],
        field_data=[np.array([7, 0, 9]), np.array([0.5, np.nan, np.inf]),
                    np.array(["2020-01-01", "NaT", "2021-12-31"], dtype="datetime64[D]")],
        field_mask=[gap, None, None], **({"SPATIAL_INDEX": "NO"} if suffix == ".fgb" else {}),
    )  # fmt: skip

    plan = read_vector(path)

    assert plan.rows.columns["count"] == [7, None, 9]
    assert all(isinstance(value, int) for value in plan.rows.columns["count"] if value is not None)
    assert plan.rows.columns["share"][:2] == [0.5, None]
    # A .dbf has no infinity; GDAL writes it as a gap or a large number, either way JSON can say it.
    assert json.dumps(plan.rows.columns, allow_nan=False)
    # FlatGeobuf knows moments only, so its days carry a midnight.
    assert [day and day[:10] for day in plan.rows.columns["day"]] == ["2020-01-01", None, "2021-12-31"]


def test_fields_are_chosen_by_their_cleaned_names(write_geojson: Write) -> None:
    path = write_geojson(PLACES[:1], [{"نام محلي": "ماسور", "كد": 7, "other": 1}])

    plan = read_vector(path, name_field="نام محلی", fields=["کد"])

    assert plan.rows.names == ("ماسور",)
    assert plan.rows.fields == ("کد",)


def test_a_missing_field_is_named_with_those_that_exist(write_geojson: Write) -> None:
    plan = read_vector(write_geojson(PLACES[:1], [{"nome": "x"}]), name_field="name")

    (problem,) = plan.problems
    assert (problem.code, problem.field) == ("no_such_field", "name")
    assert "'nome'" in problem.remedy


def test_a_geopackage_with_several_layers_wants_a_choice(write_layer: Write) -> None:
    write_layer("city.gpkg", PLACES, layer="stops")
    path = write_layer("city.gpkg", [shapely.box(48.3, 33.4, 48.4, 33.5)], layer="areas", append=True)

    (problem,) = read_vector(path).problems
    assert problem.code == "several_layers"
    assert "'stops', 'areas'" in problem.message
    assert "--layer" in problem.remedy
    assert read_vector(path, layer="areas").kind == "polygon"
    assert codes(read_vector(path, layer="roads")) == ["no_such_layer"]


def test_a_shapefile_comes_as_file_folder_or_zip(write_layer: Write, tmp_path: Path) -> None:
    path = write_layer("shape/stops.shp", PLACES, name=STORED)
    archive = tmp_path / "stops.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for part in sorted(path.parent.iterdir()):
            zipped.write(part, f"export 2022/{part.name}")
        zipped.writestr("__MACOSX/export 2022/._stops.shp", b"clutter")

    alone, folder, packed = (read_file(p, name_field="name") for p in (path, path.parent, archive))

    for plan in (alone, folder, packed):
        assert isinstance(plan, Plan)
        assert plan.is_loadable, summary(plan)
        assert plan.rows.names == STORED
    assert alone.sha256 == folder.sha256
    assert packed.sha256 == hashlib.sha256(archive.read_bytes()).hexdigest()
    assert set(tmp_path.iterdir()) == {archive, path.parent}  # nothing was unpacked beside it


def test_odd_file_names_mean_nothing_to_gdal(write_layer: Write, tmp_path: Path) -> None:
    plain = write_layer("stops.gpkg", PLACES)
    for name in ("a!b.gpkg", "http:x.gpkg", "محله ۱.gpkg", "a?b=c.gpkg", "x.zip.gpkg", "GPKG:a.gpkg"):
        odd = tmp_path / name
        os.replace(plain, odd)
        plan = read_vector(odd)
        assert plan.is_loadable, summary(plan)
        assert plan.file_name == name
        plain = odd


def test_geojson_without_crs_is_longitude_and_latitude_and_may_be_overruled(write_geojson: Write) -> None:
    (metres,) = project(PLACES[:1], 4326, 32639)
    assert read_vector(write_geojson(PLACES)).crs == "EPSG:4326"
    plan = read_vector(write_geojson([metres]), source_epsg=32639)
    assert plan.is_loadable, summary(plan)
    assert shapely.distance(plan.rows.geometries_4326[0], PLACES[0]) < 1e-9


def test_read_file_passes_on_only_what_the_content_needs(write_raster: Write, write_geojson: Write) -> None:
    options = {"layer": None, "x_field": None, "band": None, "repair": True, "non_negative": True, "near": None}
    assert isinstance(read_file(write_raster(np.ones((2, 2), np.float32)), **options), RasterPlan)
    assert isinstance(read_file(write_geojson(PLACES), **options), Plan)
    with pytest.raises(TypeError, match="epsg"):
        read_file(write_geojson(PLACES), epsg=4326)

"""Exports: every format read back by what reads it elsewhere, and by the project itself."""

from __future__ import annotations

import csv
import io
import json
import math
import threading
import time
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pyogrio.raw
import pytest
import rasterio
import shapely
from django.core.management import call_command
from pyproj import Transformer

from geo.errors import Conflict, CrsError, InvalidInput, LimitExceeded
from geo.models import Place
from layers import writing
from layers.models import Feature, Layer, Release
from layers.reading import Plan, read_file
from layers.writing.batches import Facts, Told, batches, shortened
from layers.writing.columns import survey
from layers.writing.formats import FORMATS
from layers.writing.rows import MOST_BYTES
from tests.db.exporting import ATTRIBUTES, LONG, Row, declared, release_put, rows_of

pytestmark = pytest.mark.django_db

VECTOR = ("gpkg", "shp", "geojson", "geojsonseq", "fgb", "parquet", "kml", "csv", "xlsx")
SEEN = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
NOON = datetime(2024, 5, 6, 12)
CODEBOOK = {"codebook.csv", "codebook.json", "README.txt"}


def exported(release: Release, folder: Path, form: str, epsg: int | None = None) -> tuple[Path, dict[str, Any]]:
    """Export as people do, unpack, and return the file of the data and the codebook."""
    path = writing.export(release, format=form, epsg=epsg, folder=folder)
    target = folder / f"{form}-{epsg}-{release.pk}"
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert set(archive.namelist()) >= CODEBOOK
        archive.extractall(target)
    book = json.loads((target / "codebook.json").read_text(encoding="utf-8"))
    suffix = ".shp" if form == "shp" else FORMATS[form].suffix
    return next(
        file for file in target.iterdir() if file.suffix == suffix and file.name not in {*CODEBOOK, "long-texts.csv"}
    ), book


def read_back(path: Path, form: str) -> tuple[list[dict[str, Any]], list[Any]]:
    """Read a file with what others read it with: GDAL, Arrow, a CSV parser. Return values and geometries."""
    if form == "csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows: list[dict[str, Any]] = list(csv.DictReader(file))
        return rows, [
            shapely.from_wkt(row["wkt"]) if row.get("wkt") else shapely.Point(float(row["lon"]), float(row["lat"]))
            for row in rows
        ]
    if form == "parquet":
        table = pq.read_table(path)
        return table.drop_columns(["geometry"]).to_pylist(), shapely.from_wkb(table["geometry"].to_pylist()).tolist()
    if form == "xlsx":
        _, table = pyogrio.raw.read_arrow(path, HEADERS="FORCE")
        rows = table.to_pylist()
        return rows, [
            shapely.from_wkt(row["wkt"]) if row.get("wkt") else shapely.Point(row["lon"], row["lat"]) for row in rows
        ]
    meta, table = pyogrio.raw.read_arrow(path)
    name = meta["geometry_name"] or "wkb_geometry"
    return table.drop_columns([name]).to_pylist(), shapely.from_wkb(table[name].to_pylist()).tolist()


def same_place(found: Any, expected: shapely.Geometry, tolerance: float = 1e-9) -> None:
    """Check that two geometries have the same vertices, whatever they begin with, and collections of one are single."""
    single = [one.geoms[0] if hasattr(one, "geoms") and len(one.geoms) == 1 else one for one in (found, expected)]
    a, b = (shapely.normalize(shapely.set_precision(one, 0)) for one in single)
    assert a.geom_type == b.geom_type
    assert shapely.equals_exact(a, b, tolerance), (a.wkt, b.wkt)


# What each format says for the first row's attributes that are neither text nor whole numbers.
TOLD: dict[str, dict[str, Any]] = {
    "gpkg": {"open": True, "built": date(1998, 3, 21), "seen": SEEN, "noon": NOON.replace(tzinfo=UTC)},
    "shp": {
        "open": True,
        "built": date(1998, 3, 21),
        "seen": "2024-05-06T07:08:09+00:00",
        "noon": "2024-05-06T12:00:00",
    },
    "geojson": {"open": True, "built": date(1998, 3, 21), "seen": SEEN, "noon": NOON},
    "geojsonseq": {"open": True, "built": date(1998, 3, 21), "seen": SEEN, "noon": NOON},
    "fgb": {"open": True, "built": "1998-03-21", "seen": "2024-05-06T07:08:09+00:00", "noon": NOON},
    "parquet": {"open": True, "built": date(1998, 3, 21), "seen": SEEN, "noon": NOON},
    "kml": {"open": True, "built": "1998-03-21", "seen": "2024-05-06T07:08:09+00:00", "noon": "2024-05-06T12:00:00"},
    "csv": {"open": "true", "built": "1998-03-21", "seen": "2024-05-06T07:08:09+00:00", "noon": "2024-05-06T12:00:00"},
    "xlsx": {"open": True, "built": date(1998, 3, 21), "seen": "2024-05-06T07:08:09+00:00", "noon": NOON},
}


@pytest.mark.parametrize("is_declared", [True, False], ids=["declared", "inferred"])
@pytest.mark.parametrize("geometries", ["point", "line", "polygon", "mixed polygon", "mixed point"])
@pytest.mark.parametrize("form", VECTOR)
def test_every_value_comes_back(
    form: str, geometries: str, is_declared: bool, demo_city: Place, tmp_path: Path
) -> None:
    rows = rows_of(geometries)
    fields = declared() if is_declared else []
    release = release_put(demo_city, rows, kind=geometries.split()[-1], fields=fields)
    path, book = exported(release, tmp_path, form)
    found, shapes = read_back(path, form)
    full = {one["full_name"]: one["name"] for one in book["fields"]}
    if form == "fgb":  # which puts rows that are near one another together
        order = [next(i for i, row in enumerate(found) if row[full["name"]] == (one.name or None)) for one in rows]
        found, shapes = [found[i] for i in order], [shapes[i] for i in order]
    assert len(found) == len(rows) == book["row_count"]
    for shape, row in zip(shapes, rows, strict=True):
        same_place(shape, row.geometry)

    def of(key: str, row: int) -> Any:
        name = full[key]
        if form == "kml" and key == "name":
            name = "Name"
        value = found[row][name]
        return None if form == "csv" and value == "" else value

    def text(value: str) -> str:
        if form == "csv" and value.startswith(("=", "+", "@")):
            value = f"'{value}"
        return shortened(value, FORMATS[form]) if FORMATS[form].longest_text else value

    assert [of("name", i) for i in range(4)] == [text("خانه\u200cی یک"), text("@two"), "سه", None]
    for key in ("نوع کاربری", "کد", "formula", "note"):
        assert [of(key, i) for i in range(4)] == [
            None if row.get(key) is None else text(row[key]) for row in ATTRIBUTES
        ], key
    number: Callable[[Any], Any] = (lambda v: None if v is None else float(v)) if form == "csv" else (lambda v: v)
    whole: Callable[[Any], Any] = (lambda v: None if v is None else int(v)) if form in ("csv", "kml") else (lambda v: v)
    assert [whole(of("floors", i)) for i in range(4)] == [3, -12, 2_000_000_000, None]
    assert [number(of("share", i)) for i in range(4)] == [1, 2.5, 0.1, None]
    told = TOLD[form] | ({"seen": SEEN.isoformat()} if form == "xlsx" else {})
    assert {key: of(key, 0) for key in told} == told
    assert [of(key, 3) for key in told] == [None] * len(told)
    if is_declared:
        assert [of("nothing", i) for i in range(4)] == [None] * 4


# The parts of what comes back that another format cannot keep, or that reading does to everything.
@pytest.mark.parametrize("geometries", ["point", "polygon"])
@pytest.mark.parametrize("form", VECTOR)
def test_the_project_reads_what_it_writes(form: str, geometries: str, demo_city: Place, tmp_path: Path) -> None:
    rows = rows_of(geometries)
    release = release_put(demo_city, rows, kind=geometries, fields=declared())
    path, book = exported(release, tmp_path, form)
    full = {one["full_name"]: one["name"] for one in book["fields"]}
    label = "Name" if form == "kml" else full["name"]
    extra = {"wkt_field": "wkt", "source_epsg": 4326} if form in ("csv", "xlsx") and geometries == "polygon" else {}
    plan = read_file(path, name_field=label, **extra)
    assert isinstance(plan, Plan)
    assert plan.is_loadable, plan.problems
    order = np.argsort(plan.rows.names) if form == "fgb" else range(4)
    expected = sorted(rows, key=lambda row: row.name) if form == "fgb" else rows
    for index, row in zip(order, expected, strict=True):
        same_place(plan.rows.geometries_4326[index], row.geometry)
        assert plan.rows.names[index] == (f"'{row.name}" if form == "csv" and row.name[:1] == "@" else row.name)
        kept = plan.rows.columns
        assert kept[full["نوع کاربری"]][index] == row.attributes.get("نوع کاربری")
        built = kept[full["built"]][index]
        assert (built and str(built)[:10]) == row.attributes.get("built")
        share = kept[full["share"]][index]
        assert (share if share is None else float(share)) == row.attributes.get("share")
        floors = kept[full["floors"]][index]
        assert (floors if floors is None else int(floors)) == row.attributes.get("floors")


@pytest.mark.parametrize("epsg", [32639, 3857, 4674, 3844, 2100, 31467])
@pytest.mark.parametrize("form", ["gpkg", "shp", "fgb", "parquet", "csv", "xlsx"])
def test_x_comes_before_y_in_every_reference_system(form: str, epsg: int, demo_city: Place, tmp_path: Path) -> None:
    """Also where the system itself names latitude or northing first (4674, 3844, 31467)."""
    lon, lat = {4674: (-46.39, -23.96), 2100: (23.7, 38.0), 3844: (26.1, 44.4), 31467: (9.2, 48.8)}.get(
        epsg, (48.35, 33.48)
    )
    rows = [Row("", shapely.Point(lon, lat), {"a": 1}), Row("", shapely.Point(lon + 0.01, lat), {"a": 2})]
    path, book = exported(release_put(demo_city, rows, kind="point"), tmp_path, form, epsg)
    found, shapes = read_back(path, form)
    x, y = Transformer.from_crs(4326, epsg, always_xy=True).transform(lon, lat)
    first = next(shape for row, shape in zip(found, shapes, strict=True) if int(row["a"]) == 1)
    assert abs(first.x - x) < 1e-6
    assert abs(first.y - y) < 1e-6
    assert book["crs"]["epsg"] == epsg
    if form in ("csv", "xlsx"):
        assert float(found[0]["lon"]) == pytest.approx(lon, abs=1e-9)
        assert float(found[0]["lat"]) == pytest.approx(lat, abs=1e-9)
    plan = read_file(path, **({"source_epsg": epsg, "wkt_field": "wkt"} if form in ("csv", "xlsx") else {}))
    assert isinstance(plan, Plan)
    index = [str(value) for value in plan.rows.columns["a"]].index("1")
    same_place(plan.rows.geometries_4326[index], rows[0].geometry, 1e-7 if epsg in (2100, 3844, 31467) else 1e-9)
    if form == "parquet":
        assert geopandas.read_parquet(path).crs.to_epsg() == epsg
        geo = json.loads(pq.read_schema(path).metadata[b"geo"])
        column = geo["columns"]["geometry"]
        assert geo["version"] == "1.1.0"
        assert column["crs"]["id"] == {"authority": "EPSG", "code": epsg}
        assert column["geometry_types"] == ["Point"]
        assert column["bbox"] == pytest.approx(
            [min(s.x for s in shapes), min(s.y for s in shapes), max(s.x for s in shapes), max(s.y for s in shapes)]
        )


@pytest.mark.parametrize("form", ["kml", "geojson", "geojsonseq"])
def test_formats_of_longitude_and_latitude_take_no_other_system(form: str, demo_city: Place) -> None:
    release = release_put(demo_city, rows_of("point"), kind="point")
    assert writing.export_of(release, format=form, epsg=4326).epsg == 4326
    with pytest.raises(CrsError) as caught:
        writing.export_of(release, format=form, epsg=32639)
    assert caught.value.code == "crs_not_of_format"
    assert "gpkg" in caught.value.remedy


@pytest.mark.parametrize(
    ("epsg", "code"),
    [
        (999999, "unknown_crs"),
        (4979, "crs_not_of_map"),
        (5703, "crs_not_of_map"),
        (4978, "crs_not_of_map"),
        (2056, "crs_elsewhere"),
        (32661, "crs_elsewhere"),
        (32601, "crs_elsewhere"),
        (32638, None),
        (32640, None),
    ],
)
def test_reference_systems_that_do_not_fit_are_refused_before_anything_is_written(
    epsg: int, code: str | None, demo_city: Place, tmp_path: Path
) -> None:
    release = release_put(demo_city, rows_of("point"), kind="point")
    if code is None:  # the zones beside are in use at the edges
        path, _ = exported(release, tmp_path, "gpkg", epsg)
        _, shapes = read_back(path, "gpkg")
        lon, lat = Transformer.from_crs(epsg, 4326, always_xy=True).transform(shapes[0].x, shapes[0].y)
        assert abs(lon - 48.351234567891) < 1e-7
        assert abs(lat - 33.4876543219) < 1e-7
        return
    with pytest.raises(CrsError) as caught:
        writing.export_of(release, format="gpkg", epsg=epsg)
    assert caught.value.code == code
    assert caught.value.remedy


def test_geojson_is_as_the_standard_wants_it(demo_city: Place, tmp_path: Path) -> None:
    path, _ = exported(release_put(demo_city, rows_of("polygon"), kind="polygon"), tmp_path, "geojson")
    document = json.loads(path.read_text(encoding="utf-8"))
    assert "crs" not in document
    for feature in document["features"]:
        ring = shapely.LinearRing(feature["geometry"]["coordinates"][0])
        assert ring.is_ccw
    assert document["features"][0]["properties"]["note"] == LONG


def test_rows_are_counted_and_described(demo_city: Place, tmp_path: Path) -> None:
    schema = [
        {
            "name": "floors",
            "type": "integer",
            "unit": "floor",
            "title_fa": "طبقات",
            "title_en": "Floors",
            "description": "Above ground.",
        }
    ]
    release = release_put(demo_city, rows_of("polygon"), fields=declared(), schema=schema)
    path, book = exported(release, tmp_path, "gpkg", 32639)
    floors = next(one for one in book["fields"] if one["name"] == "floors")
    assert floors == {
        "name": "floors", "full_name": "floors", "type": "integer", "unit": "floor", "title_fa": "طبقات", "title_en": "Floors",
        "description": "Above ground.", "filled": 3, "minimum": -12, "maximum": 2_000_000_000, "withheld": 0, "cut": 0,
    }  # fmt: skip
    built = next(one for one in book["fields"] if one["name"] == "built")
    assert (built["minimum"], built["maximum"]) == ("1998-03-21", "2022-08-01")
    assert book["layer"]["name_fa"] == "لایه‌ی آزمون"
    assert book["source_fa"] == "برداشت ۱۴۰۳"
    assert book["licence"] == "CC-BY-4.0"
    assert book["release"] == {
        "number": 1, "reference_date": "2024-05-06", "imported_at": "2024-05-07T00:00:00+00:00", "file_name": "brought.gpkg",
        "file_sha256": "a" * 64, "content_hash": "b" * 64,
    }  # fmt: skip
    assert book["crs"]["epsg"] == 32639
    assert book["written_by"].startswith("Mahalleh ")
    assert book["files"] == [
        {"name": path.name, "bytes": path.stat().st_size, "sha256": writing.packing.sha256_of(path)}
    ]
    with (path.parent / "codebook.csv").open(encoding="utf-8-sig", newline="") as file:
        table = list(csv.DictReader(file))
    told = {row["name"]: row["value"] for row in table if row["part"] == "data"}
    assert told["row_count"] == "4"
    assert told["source"] == "Survey of 1403"
    fields = {row["name"]: row for row in table if row["part"] == "field"}
    assert fields["floors"]["unit"] == "floor"
    assert fields["floors"]["minimum"] == "'-12" or fields["floors"]["minimum"] == "-12"
    assert all(not (cell or "").startswith(("=", "+", "@")) for row in table for cell in row.values())
    readme = (path.parent / "README.txt").read_text(encoding="utf-8")
    assert "لایه‌ی آزمون" in readme
    assert "CC-BY-4.0" in readme


def test_what_a_format_cannot_hold_is_kept_beside_it(demo_city: Place, tmp_path: Path) -> None:
    ring = [(48.3 + 0.1 * math.cos(t), 33.4 + 0.1 * math.sin(t)) for t in np.linspace(0, 2 * math.pi, 3000)[:-1]]
    rows = [
        Row("دایره", shapely.Polygon(ring), {"note": LONG, "emoji": "🏠" * 20_000}),
        Row("", shapely.box(48, 33, 48.1, 33.1), {"note": "کوتاه"}),
    ]
    release = release_put(demo_city, rows)
    for form, most in (("shp", 254), ("xlsx", 32_767)):
        path, book = exported(release, tmp_path, form)
        with (path.parent / "long-texts.csv").open(encoding="utf-8-sig", newline="") as file:
            csv.field_size_limit(10_000_000)
            kept = {(row["row"], row["field"]): row["text"] for row in csv.DictReader(file)}
        assert kept[("1", "note")] == LONG
        assert kept[("1", "emoji")] == "🏠" * 20_000
        cut = {one["name"]: one["cut"] for one in book["fields"] if "cut" in one}
        assert cut == {"name": 0, "note": 1, "emoji": 1}
        found, _ = pyogrio.raw.read_arrow(path)[1].to_pylist() if form == "shp" else read_rows_only(path), None
        assert LONG.startswith(found[0]["note"])
        assert len(found[0]["note"].encode() if form == "shp" else found[0]["note"].encode("utf-16-le")) <= most * (
            1 if form == "shp" else 2
        )
        assert found[1]["note"] == "کوتاه"
    assert shapely.from_wkt(kept[("1", "wkt")]).equals_exact(rows[0].geometry, 1e-12)


def read_rows_only(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pyogrio.raw.read_arrow(path, HEADERS="FORCE")[1].to_pylist()
    return rows


def test_names_of_fields_are_unique_and_told_in_the_codebook(demo_city: Place, tmp_path: Path) -> None:
    attributes = {
        "fid": 1,
        "FID": 2,
        "geom": "g",
        "name": "n",
        "نوع ساختمان شماره یک": "a",
        "نوع ساختمان شماره دو": "b",
        "wkt": "w",
        "lon": 5,
        'a"b': "q",
        "100%": "p",
        "description": "d",
        "geometry": "h",
    }
    release = release_put(demo_city, [Row("label", shapely.Point(48.3, 33.4), attributes)], kind="point")
    for form in VECTOR:
        path, book = exported(release, tmp_path, form)
        names = [one["name"] for one in book["fields"]]
        assert len({name.casefold() for name in names}) == len(names)
        found, _ = read_back(path, form)
        by_full = {one["full_name"]: one["name"] for one in book["fields"]}
        for key, value in attributes.items():
            if key == "name":
                continue
            # Own columns of the table come last under the same full name.
            name = next(one["name"] for one in book["fields"] if one["full_name"] == key)
            assert str(found[0][name]) == str(value), (form, key)
        assert str(found[0]["Name" if form == "kml" else by_full["name"] if form != "kml" else ""]) in ("label", "n")
        if form == "shp":
            assert all(name.isascii() and len(name) <= 10 for name in names)


def test_codes_and_huge_numbers_keep_all_their_digits(demo_city: Place, tmp_path: Path) -> None:
    rows = [
        Row(
            "",
            shapely.Point(48.3, 33.4),
            {
                "big": 9_007_199_254_740_993,
                "huge": 12345678901234567890123,
                "jalali": "1402-02-31",
                "mixed": 12,
                "price": 1234567890.123456,
            },
        ),
        Row(
            "", shapely.Point(48.4, 33.4), {"big": 1, "huge": 5, "jalali": "1402-05-01", "mixed": "12/1", "price": 1e-7}
        ),
    ]
    release = release_put(demo_city, rows, kind="point")
    for form in ("gpkg", "parquet", "geojson", "csv", "xlsx", "shp", "kml", "fgb"):
        path, book = exported(release, tmp_path, form)
        if form == "geojson":  # GDAL would read the days of the Persian calendar as others
            document = json.loads(path.read_text(encoding="utf-8"))
            found = [feature["properties"] for feature in document["features"]]
        else:
            found, _ = read_back(path, form)
        first = next((row for row in found if str(row["jalali"]) == "1402-02-31"), None)
        assert first, (form, found)
        assert int(first["big"]) == 9_007_199_254_740_993, form
        assert first["huge"] == "12345678901234567890123"
        assert str(first["mixed"]) == "12"
        assert float(first["price"]) == 1234567890.123456
        assert {one["name"]: one["type"] for one in book["fields"]}["jalali"] == "text"


def test_types_that_do_not_hold_are_found_out(demo_city: Place, tmp_path: Path) -> None:
    """A release whose fields were declared wrong, or not all of them, loses nothing."""
    rows = [
        Row("", shapely.Point(48.3, 33.4), {"n": 1, "d": "2024-01-02"}),
        Row("", shapely.Point(48.4, 33.4), {"n": "twelve", "d": "soon", "more": True}),
    ]
    fields = [{"name": "n", "type": "integer"}, {"name": "d", "type": "date"}]
    release = release_put(demo_city, rows, kind="point", fields=fields)
    path, book = exported(release, tmp_path, "gpkg")
    found, _ = read_back(path, "gpkg")
    assert [(row["n"], row["d"], row["more"]) for row in found] == [("1", "2024-01-02", None), ("twelve", "soon", True)]
    assert [one["type"] for one in book["fields"]] == ["object", "text", "boolean"]
    Feature.objects.filter(release=release, number=2).update(attributes={"n": "twelve", "d": "soon"})
    path, book = exported(release, tmp_path, "csv")
    assert [row["n"] for row in read_back(path, "csv")[0]] == ["1", "twelve"]


def test_few_people_are_not_told(demo_city: Place, tmp_path: Path) -> None:
    people = [0, 3, 9.5, 10, 250, None]
    rows = [
        Row(str(i), shapely.Point(48.3 + i / 100, 33.4), {"people": value, "other": 3})
        for i, value in enumerate(people)
    ]
    release = release_put(demo_city, rows, kind="point")
    for form in VECTOR:
        (tmp_path / form).mkdir()
        export = writing.export_of(release, format=form, below={"people": 10.0})
        bare = writing.bare_file(export, tmp_path / form)
        path = bare.path
        if form == "shp":
            with zipfile.ZipFile(path) as archive:
                archive.extractall(tmp_path / form)
            path = next((tmp_path / form).glob("*.shp"))
        found, _ = read_back(path, form)
        label = "Name" if form == "kml" else "name"
        told = {str(row[label]): None if row["people"] in (None, "") else float(row["people"]) for row in found}
        assert told == {"0": 0, "1": None, "2": None, "3": 10, "4": 250, "5": None}, form
        assert {int(float(row["other"])) for row in found} == {3}
        book = writing.codebook(export, bare.written)
        one = next(one for one in book["fields"] if one["full_name"] == "people")
        assert (one["withheld"], one["filled"], one["minimum"]) == (2, 3, 0)
        assert book["suppression"]["below"] == 10
        assert "۱۰" in book["suppression"]["note_fa"]


def test_batches_stay_small_whatever_the_rows_are(demo_city: Place) -> None:
    """Rows of megabytes come a few at a time, small ones by thousands, and in order."""
    angles = np.linspace(0, 2 * np.pi, 150_000)[:-1]
    big = shapely.Polygon(np.column_stack([48.3 + 0.1 * np.cos(angles), 33.4 + 0.1 * np.sin(angles)]))
    rows = [Row("", shapely.box(48, 33, 48.001, 33.001), {"i": i}) for i in range(1500)]
    rows += [Row("", big, {"i": 1500 + i}) for i in range(40)]
    release = release_put(demo_city, rows)
    form = FORMATS["gpkg"]
    found = survey(release, form, {})
    told = Told([Facts() for _ in found.columns])
    given = list(batches(release, found.columns, form, 4326, told))
    assert pa.concat_arrays([batch.columns[0] for batch in given]).to_pylist() == list(range(1540))
    assert max(batch.shapes.nbytes for batch in given) < MOST_BYTES + 3_000_000
    assert [batch.first for batch in given][:2] == [1, 1 + len(given[0])]
    assert told.n_rows == 1540


def test_a_release_that_lost_rows_is_not_exported_as_if_whole(demo_city: Place, tmp_path: Path) -> None:
    release = release_put(demo_city, rows_of("point"), kind="point")
    Feature.objects.filter(release=release, number=3).delete()
    for form in VECTOR:
        with pytest.raises(Conflict, match="Only 3 of 4"):
            writing.export(release, format=form, folder=tmp_path)
    assert not _left_over()


def test_an_empty_release_and_rows_without_attributes_are_files_too(demo_city: Place, tmp_path: Path) -> None:
    empty = release_put(demo_city, [], code="empty", kind="line")
    bare = release_put(demo_city, [Row("", shapely.Point(48.3, 33.4), {})], code="bare", kind="point")
    for form in VECTOR:
        path, book = exported(empty, tmp_path, form)
        assert path.stat().st_size or form == "geojsonseq"
        assert book["row_count"] == 0
        path, book = exported(bare, tmp_path, form)
        assert book["row_count"] == 1
        same_place(read_back(path, form)[1][0], shapely.Point(48.3, 33.4))


def _left_over() -> list[Path]:
    from django.conf import settings

    folder = Path(settings.VAR_DIR) / "exports"
    return list(folder.iterdir()) if folder.is_dir() else []


def test_nothing_is_left_when_the_reader_goes_away(demo_city: Place) -> None:
    rows = [Row("", shapely.Point(48.3, 33.4), {"i": i}) for i in range(3000)]
    release = release_put(demo_city, rows, kind="point")
    threads = threading.active_count()
    for form in VECTOR:
        for after in (0, 1, 3, 6):
            pieces = writing.zip_stream(writing.export_of(release, format=form))
            for _ in range(after):
                next(pieces)
            pieces.close()
            assert not _left_over()
    assert threading.active_count() == threads


def test_the_zip_begins_at_once_and_is_the_same_each_time(demo_city: Place) -> None:
    release = release_put(demo_city, rows_of("polygon"))
    export = writing.export_of(release, format="csv")
    started = time.monotonic()
    pieces = writing.zip_stream(export)
    first = next(pieces)
    assert time.monotonic() - started < 1
    assert "لایه‌ی آزمون".encode() in first
    with zipfile.ZipFile(io.BytesIO(first + b"".join(pieces))) as archive:
        names = archive.namelist()
        data = {name: archive.read(name) for name in names if name != "README.txt"}
    with zipfile.ZipFile(io.BytesIO(b"".join(writing.zip_stream(export)))) as archive:
        assert {name: archive.read(name) for name in names if name != "README.txt"} == data
    assert names[0] == "README.txt"


def test_the_codebook_alone_says_the_same(demo_city: Place, tmp_path: Path) -> None:
    release = release_put(demo_city, rows_of("polygon"), fields=declared())
    _, book = exported(release, tmp_path, "gpkg", 32639)
    alone = writing.codebook_alone(writing.export_of(release, format="gpkg", epsg=32639))
    assert alone | {"files": book["files"]} == json.loads(json.dumps(book))


def test_refusals_say_what_to_do(demo_city: Place) -> None:
    release = release_put(demo_city, rows_of("point"), kind="point")
    with pytest.raises(InvalidInput) as caught:
        writing.export_of(release, format="cog")
    assert (caught.value.code, "gpkg" in caught.value.remedy) == ("bad_format", True)
    with pytest.raises(InvalidInput) as caught:
        writing.export_of(release, format="gpkg", window_4326=(48, 33, 49, 34))
    assert caught.value.code == "window_of_rows"
    Release.objects.filter(pk=release.pk).update(row_count=1_048_576)
    release.refresh_from_db()
    with pytest.raises(LimitExceeded) as caught:
        writing.export_of(release, format="xlsx")
    assert caught.value.code == "too_many_rows_for_format"


# ---- rasters


@pytest.fixture
def elevation(demo_city: Place) -> Release:
    return Release.objects.select_related("layer__city", "layer__theme", "raster").get(
        layer__city=demo_city, layer__code="elevation"
    )


def test_a_raster_goes_out_as_it_is_stored(elevation: Release, tmp_path: Path) -> None:
    path, book = exported(elevation, tmp_path, "cog")
    with rasterio.open(path) as file, rasterio.open(writing.rasters.raster_path(elevation.raster)) as stored:
        assert file.crs.to_epsg() == elevation.raster.epsg == book["crs"]["epsg"]
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert np.array_equal(file.read(1), stored.read(1))
    assert book["raster"]["width"] == elevation.raster.width
    assert book["raster"]["minimum"] == pytest.approx(elevation.raster.minimum)


def test_a_window_of_a_raster_has_the_same_pixels(elevation: Release, tmp_path: Path) -> None:
    box = (48.33, 33.46, 48.36, 33.49)
    export = writing.export_of(elevation, format="cog", window_4326=box)
    path = writing.bare_file(export, tmp_path).path
    with rasterio.open(path) as part, rasterio.open(writing.rasters.raster_path(elevation.raster)) as whole:
        assert part.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert 0 < part.width < whole.width
        window = whole.window(*part.bounds)
        assert window.col_off == pytest.approx(round(window.col_off), abs=1e-6)
        expected = whole.read(
            1, window=rasterio.windows.Window(round(window.col_off), round(window.row_off), part.width, part.height)
        )
        assert np.array_equal(part.read(1), expected)
        lon_lat = rasterio.warp.transform_bounds(part.crs, 4326, *part.bounds)
        assert lon_lat[0] <= box[0]
        assert lon_lat[1] <= box[1]
        assert lon_lat[2] >= box[2]
        assert lon_lat[3] >= box[3]


@pytest.mark.parametrize("epsg", [4326, 3857])
def test_a_raster_in_another_system_lies_at_the_same_place(epsg: int, elevation: Release, tmp_path: Path) -> None:
    Layer.objects.filter(pk=elevation.layer_id).update(purpose="elevation")
    elevation.layer.refresh_from_db()
    path, book = exported(elevation, tmp_path, "cog", epsg)
    with rasterio.open(path) as moved, rasterio.open(writing.rasters.raster_path(elevation.raster)) as stored:
        assert moved.crs.to_epsg() == epsg
        assert moved.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        rng = np.random.default_rng(4)
        left, bottom, right, top = stored.bounds
        xs, ys = rng.uniform(left + 2000, right - 2000, 50), rng.uniform(bottom + 2000, top - 2000, 50)
        to = Transformer.from_crs(elevation.raster.epsg, epsg, always_xy=True)
        there = [value[0] for value in moved.sample(np.column_stack(to.transform(xs, ys)))]
        here = [value[0] for value in stored.sample(np.column_stack([xs, ys]))]
    assert np.median(np.abs(np.array(there) - np.array(here))) < 3
    assert "resampled (bilinear)" in book["method"]


def test_people_are_added_up_when_their_raster_is_moved(demo_city: Place, tmp_path: Path) -> None:
    layer = Layer.objects.get(city=demo_city, code="population")
    Layer.objects.filter(pk=layer.pk).update(purpose="population")
    release = layer.releases.select_related("layer__city", "layer__theme", "raster").get()
    path, _ = exported(release, tmp_path, "cog", 4326)
    with rasterio.open(path) as moved:
        total = float(moved.read(1, masked=True).sum())
    assert total == pytest.approx(release.raster.total, rel=0.01)


@pytest.mark.parametrize(
    ("box", "code"),
    [((10, 10, 11, 11), "window_elsewhere"), ((49, 33, 48, 34), "bad_window"), ((math.nan, 33, 48, 34), "bad_window")],
)
def test_windows_that_are_none_are_refused(box: Any, code: str, elevation: Release) -> None:
    with pytest.raises(InvalidInput) as caught:
        writing.export_of(elevation, format="cog", window_4326=box)
    assert caught.value.code == code


# ---- the command


def test_the_command_writes_files_and_zips(
    demo_city: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    release_put(demo_city, rows_of("point"), kind="point")
    call_command("export_layer", "khorramabad", "exported", str(tmp_path / "a.gpkg"), crs=32639)
    assert pyogrio.read_info(tmp_path / "a.gpkg")["crs"] == "EPSG:32639"
    call_command("export_layer", "khorramabad", "exported", str(tmp_path / "a.zip"), format="shp", release=1)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert {Path(name).suffix for name in archive.namelist()} >= {".shp", ".shx", ".dbf", ".prj", ".cpg", ".json"}
    for arguments, options in (
        (("nowhere", "exported", "a.gpkg"), {}),
        (("khorramabad", "exported", "b.gpkg"), {"release": 7}),
        (("khorramabad", "exported", "b.unknown"), {}),
        (("khorramabad", "exported", "b.kml"), {"crs": 32639}),
    ):
        with pytest.raises(SystemExit) as caught:
            call_command("export_layer", *arguments[:2], str(tmp_path / arguments[2]), **options)
        assert caught.value.code == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.gpkg", "a.zip"]
    assert not _left_over()

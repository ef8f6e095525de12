"""Every format comes back as it was written: values, geometry, nulls, Persian text, dates."""

from __future__ import annotations

import datetime
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely
from pyproj import CRS

from layers.reading import Plan, read_file, summary

NAMES = ["خرم‌آباد", "گلدشت‌شرقی", None, "<b>O'Neill & «باغ»</b>", "=SUM(A1)", "São Vicente"]
COUNTS = [1, -2, 3, 2**31, 5, 6]
SHARES = [0.1, 1e-12, None, -1234.5678901234, 1e12, 0.0]
DAYS = ["2022-08-01", "1999-12-31", None, "2024-02-29", "1970-01-01", "2025-03-21"]
X = [48.3 + i / 7 for i in range(6)]
Y = [33.4 + i / 11 for i in range(6)]
SHAPES: dict[str, list[Any]] = {
    "point": [shapely.Point(x, y) for x, y in zip(X, Y, strict=True)],
    "line": [shapely.LineString([(x, y), (x + 0.001234567891, y), (x, y + 0.002)]) for x, y in zip(X, Y, strict=True)],
    "polygon": [
        shapely.Polygon(
            [(x, y), (x, y + 0.01), (x + 0.01, y + 0.01), (x + 0.01, y)],
            [[(x + 0.002, y + 0.002), (x + 0.004, y + 0.002), (x + 0.004, y + 0.004)]],
        )
        for x, y in zip(X, Y, strict=True)
    ],
}
GDAL = {
    ".gpkg": "GPKG", ".geojson": "GeoJSON", ".geojsonl": "GeoJSONSeq", ".fgb": "FlatGeobuf", ".shp": "ESRI Shapefile",
    ".kml": "LIBKML", ".kmz": "LIBKML", ".gml": "GML", ".gdb": "OpenFileGDB",
}  # fmt: skip
FORMATS = {
    ".gpkg": "GPKG", ".geojson": "GeoJSON", ".geojsonl": "GeoJSONSeq", ".fgb": "FlatGeobuf", ".shp": "ESRI Shapefile",
    ".kml": "KML", ".kmz": "KML", ".gml": "GML", ".gdb": "OpenFileGDB", ".parquet": "Parquet",
}  # fmt: skip


def column_data() -> dict[str, Any]:
    return {
        "title": np.array(NAMES, dtype=object),
        "count": np.array(COUNTS, dtype=np.int64),
        "share": np.array([np.nan if v is None else v for v in SHARES]),
        "day": np.array([np.datetime64("NaT") if v is None else v for v in DAYS], dtype="datetime64[D]"),
    }


def write(path: Path, kind: str, *, crs: str = "EPSG:4326", shapes: list[Any] | None = None) -> Path:
    shapes = shapes or SHAPES[kind]
    if path.suffix == ".parquet":
        return write_parquet(path, shapes)
    columns = column_data()
    options: dict[str, Any] = {}
    if path.suffix == ".fgb":
        options["SPATIAL_INDEX"] = "NO"
    if path.suffix in (".geojson", ".geojsonl"):
        options["COORDINATE_PRECISION"] = "15"
    if path.suffix == ".shp":
        options["encoding"] = "UTF-8"
    if path.suffix == ".gdb":
        options["TARGET_ARCGIS_VERSION"] = "ARCGIS_PRO_3_2_OR_LATER"  # which knows whole numbers and dates
    pyogrio.raw.write(
        path,
        geometry=shapely.to_wkb(np.array(shapes, dtype=object)),
        field_data=list(columns.values()),
        fields=list(columns),
        geometry_type=shapes[0].geom_type,
        crs=crs,
        driver=GDAL[path.suffix],
        **options,
    )
    return path


def table_of(shapes: list[Any], **geometry: Any) -> pa.Table:
    columns = {
        "title": pa.array(NAMES),
        "count": pa.array(COUNTS, pa.int64()),
        "share": pa.array(SHARES, pa.float64()),
        "day": pa.array([None if v is None else datetime.date.fromisoformat(v) for v in DAYS]),
    }
    table = pa.table(columns | {"geometry": pa.array(shapely.to_wkb(np.array(shapes, dtype=object)), pa.binary())})
    geo = {
        "version": "1.1.0",
        "primary_column": "geometry",
        "columns": {"geometry": {"encoding": "WKB", "geometry_types": []} | geometry},
    }
    return table.replace_schema_metadata({b"geo": json.dumps(geo).encode()})


def write_parquet(path: Path, shapes: list[Any], **geometry: Any) -> Path:
    pq.write_table(table_of(shapes, **geometry), path, row_group_size=4)
    return path


def zipped(path: Path) -> Path:
    """Zip a file or folder, with all its parts."""
    target = path.with_suffix(".zip")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        parts = sorted(path.iterdir()) if path.is_dir() else sorted(path.parent.glob(f"{path.stem}.*"))
        for part in parts:
            if part != target:
                archive.write(part, f"شهر/{path.name}/{part.name}" if path.is_dir() else f"شهر/{part.name}")
    return target


def values(plan: Plan, name: str) -> list[Any]:
    return list(plan.rows.columns[name])


def assert_as_written(plan: Plan, kind: str, names: list[str | None] = NAMES) -> None:
    assert plan.is_loadable, summary(plan)
    assert plan.kind == kind
    expected = np.array(SHAPES[kind], dtype=object)
    found = plan.rows.geometries_4326
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        single = shapely.get_geometry(one, 0) if one.geom_type.startswith("Multi") else one
        # Rings may start anywhere and turn either way; every vertex is where it was.
        assert single.geom_type == other.geom_type
        assert shapely.get_num_coordinates(single) == shapely.get_num_coordinates(other)
        assert shapely.hausdorff_distance(single, other) <= 1e-9
    assert values(plan, "title") == names
    assert [None if v is None else int(v) for v in values(plan, "count")] == COUNTS
    for one, other in zip(values(plan, "share"), SHARES, strict=True):
        assert one is None if other is None else one == pytest.approx(other, rel=1e-12, abs=1e-15)
    # KML has no dates among the attributes: the text is as the writer put it.
    days = [None if v is None else str(v)[:10] for v in values(plan, "day")]
    assert [v.replace("/", "-") if v and plan.format == "KML" else v for v in days] == DAYS


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("suffix", FORMATS)
def test_what_was_written_comes_back(suffix: str, kind: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"layer{suffix}", kind)
    plan = read_file(path)
    assert plan.format == FORMATS[suffix]
    assert plan.crs == "EPSG:4326"
    assert_as_written(plan, kind)


@pytest.mark.parametrize("suffix", [s for s in FORMATS if s != ".kmz"])
def test_one_layer_of_any_format_may_come_in_a_zip(suffix: str, tmp_path: Path) -> None:
    path = zipped(write(tmp_path / f"layer{suffix}", "polygon"))
    plan = read_file(path)
    assert plan.format == FORMATS[suffix]
    assert plan.file_name == "layer.zip"
    assert_as_written(plan, "polygon")


@pytest.mark.parametrize("suffix", [".gpkg", ".fgb", ".shp", ".gml", ".gdb"])
def test_coordinates_of_another_system_come_back_as_degrees(suffix: str, tmp_path: Path) -> None:
    from geo.core.crs import project

    shapes = project(np.array(SHAPES["polygon"], dtype=object), 4326, 32639)
    plan = read_file(write(tmp_path / f"layer{suffix}", "polygon", crs="EPSG:32639", shapes=list(shapes)))
    assert plan.crs == "EPSG:32639"
    assert_as_written(plan, "polygon")


def test_gml_without_its_schema_is_read_alike(tmp_path: Path) -> None:
    path = write(tmp_path / "layer.gml", "line")
    (tmp_path / "layer.xsd").unlink()
    plan = read_file(path)
    assert_as_written(plan, "line")
    assert list(tmp_path.iterdir()) == [path]


def test_a_gpx_gives_its_waypoints_routes_and_tracks_as_layers(tmp_path: Path) -> None:
    path = tmp_path / "walk.gpx"
    path.write_text(
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<gpx version="1.1" creator="test" xmlns="http://www.topografix.com/GPX/1/1">'
        '<wpt lat="33.4876543211" lon="48.3512345678"><ele>1147.8</ele><time>2024-05-01T06:30:00Z</time>'
        "<name>چشمهٔ گلستان</name></wpt>"
        '<wpt lat="33.49" lon="48.36"/>'
        '<rte><name>مسیر ۱</name><rtept lat="33.4" lon="48.3"/><rtept lat="33.41" lon="48.31"/></rte>'
        "<trk><name>پیاده‌روی</name><trkseg>"
        '<trkpt lat="33.4" lon="48.3"/><trkpt lat="33.42" lon="48.33"/></trkseg><trkseg>'
        '<trkpt lat="33.5" lon="48.4"/><trkpt lat="33.51" lon="48.41"/></trkseg></trk></gpx>',
        encoding="utf-8",
    )
    plan = read_file(path)
    assert [p.code for p in plan.problems] == ["several_layers"]
    assert "'waypoints', 'routes', 'tracks'" in plan.problems[0].message
    points = read_file(path, layer="waypoints", name_field="name")
    assert points.is_loadable, summary(points)
    assert shapely.get_coordinates(points.rows.geometries_4326)[0] == pytest.approx(
        (48.3512345678, 33.4876543211), abs=1e-9
    )
    assert points.rows.names == ("چشمهٔ گلستان", "")
    assert values(points, "ele") == [1147.8, None]
    assert str(values(points, "time")[0]).startswith("2024-05-01T06:30:00")
    routes, tracks = (read_file(path, layer=layer, name_field="name") for layer in ("routes", "tracks"))
    assert (routes.kind, routes.rows.names) == ("line", ("مسیر ۱",))
    assert tracks.rows.names == ("پیاده‌روی",)
    assert shapely.get_num_geometries(tracks.rows.geometries_4326).tolist() == [2]


def test_a_kml_by_hand_gives_names_text_and_typed_data(tmp_path: Path) -> None:
    path = tmp_path / "places.kml"
    path.write_text(
        '<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>'
        '<Schema name="s" id="s"><SimpleField name="people" type="int"/></Schema>'
        "<Folder><name>محله‌ها</name>"
        "<Placemark><name>گلدشت</name><description><![CDATA[<b>شرقی</b>]]></description>"
        '<ExtendedData><SchemaData schemaUrl="#s"><SimpleData name="people">4200</SimpleData></SchemaData></ExtendedData>'
        "<Point><coordinates>48.3512345678,33.4876543211,1200</coordinates></Point></Placemark>"
        '<Placemark><name>بی‌جمعیت</name><ExtendedData><Data name="note"><value>یادداشت</value></Data></ExtendedData>'
        "<Point><coordinates>48.36,33.49</coordinates></Point></Placemark>"
        "</Folder></Document></kml>",
        encoding="utf-8",
    )
    plan = read_file(path, name_field="Name")
    assert plan.is_loadable, summary(plan)
    assert plan.rows.names == ("گلدشت", "بی‌جمعیت")
    assert values(plan, "people") == [4200, None]
    assert values(plan, "note") == [None, "یادداشت"]
    assert values(plan, "description")[0] == "<b>شرقی</b>"
    assert shapely.get_coordinates(plan.rows.geometries_4326)[0] == pytest.approx(
        (48.3512345678, 33.4876543211), abs=1e-9
    )
    assert "tessellate" not in plan.rows.columns


def test_a_sequence_of_features_may_have_record_separators_and_blank_lines(tmp_path: Path) -> None:
    features = [
        json.dumps({"type": "Feature", "properties": {"نام": name}, "geometry": shapely.geometry.mapping(shape)}, ensure_ascii=False)
        for name, shape in zip(NAMES, SHAPES["point"], strict=True)
    ]  # fmt: skip
    for name, text in {
        "a.geojsonl": "\n".join(features),
        "b.geojson": "\n".join(features) + "\n",
        "c.ndjson": "\n\n".join(features) + "\r\n",
        "d.geojsons": "".join(f"\x1e{feature}\n" for feature in features),
    }.items():
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        plan = read_file(path)
        assert plan.format == "GeoJSONSeq", name
        assert plan.is_loadable, summary(plan)
        assert values(plan, "نام") == NAMES


def test_a_long_first_feature_is_still_seen_as_the_first_of_a_sequence(tmp_path: Path) -> None:
    ring = shapely.Point(48.3, 33.4).buffer(0.01, quad_segs=400)
    path = tmp_path / "long.geojsonl"
    feature = json.dumps({"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(ring)})
    path.write_text(f"{feature}\n{feature}\n")
    assert len(feature) > 40_000
    plan = read_file(path)
    assert (plan.format, len(plan.rows)) == ("GeoJSONSeq", 2)
    path.write_text(f"{feature}\n")
    assert (read_file(path).format, len(read_file(path).rows)) == ("GeoJSON", 1)


# GeoParquet


def test_a_geoparquet_says_its_reference_system_as_projjson(tmp_path: Path) -> None:
    from geo.core.crs import project

    shapes = list(project(np.array(SHAPES["line"], dtype=object), 4326, 32639))
    path = write_parquet(tmp_path / "utm.parquet", shapes, crs=CRS.from_epsg(32639).to_json_dict())
    plan = read_file(path)
    assert plan.crs == "EPSG:32639"
    assert_as_written(plan, "line")
    unknown = read_file(write_parquet(tmp_path / "unknown.parquet", shapes, crs=None))
    assert [p.code for p in unknown.problems] == ["no_crs"]
    assert_as_written(read_file(tmp_path / "unknown.parquet", source_epsg=32639), "line")


def test_every_plain_type_of_a_geoparquet_is_kept(tmp_path: Path) -> None:
    shapes = SHAPES["point"][:2]
    moment = datetime.datetime(2024, 5, 1, 6, 30, tzinfo=datetime.UTC)
    table = pa.table({
        "whole": pa.array([2**53 + 1, None], pa.int64()),
        "small": pa.array([1, None], pa.uint8()),
        "half": pa.array([0.5, None], pa.float32()),
        "truth": pa.array([True, None]),
        "when": pa.array([moment, None], pa.timestamp("us", tz="UTC")),
        "kind": pa.array(["مسکونی", None]).dictionary_encode(),
        "long": pa.array(["بلند", None], pa.large_string()),
        "bbox": pa.array([{"xmin": 1.0, "ymin": 1.0, "xmax": 1.0, "ymax": 1.0}, None]),
        "raw": pa.array([b"\x00\xff", None], pa.binary()),
        "geom": pa.array(shapely.to_wkb(np.array(shapes, dtype=object)), pa.large_binary()),
    })  # fmt: skip
    geo = {
        "version": "1.1.0",
        "primary_column": "geom",
        "columns": {
            "geom": {
                "encoding": "WKB",
                "geometry_types": ["Point"],
                "covering": {"bbox": {key: ["bbox", key] for key in ("xmin", "ymin", "xmax", "ymax")}},
            }
        },
    }
    path = tmp_path / "types.parquet"
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), path)
    plan = read_file(path)
    assert plan.is_loadable, summary(plan)
    first = {name: column[0] for name, column in plan.rows.columns.items()}
    assert first == {
        "whole": 2**53 + 1, "small": 1, "half": 0.5, "truth": True, "when": first["when"], "kind": "مسکونی", "long": "بلند",
    }  # fmt: skip
    assert str(first["when"]).startswith("2024-05-01T06:30:00")
    assert all(column[1] is None for column in plan.rows.columns.values())
    assert [(p.code, p.field) for p in plan.problems] == [("binary_field", "raw")]


def test_nested_columns_of_a_geoparquet_are_refused_unless_left_out(tmp_path: Path) -> None:
    table = table_of(SHAPES["point"]).append_column("sources", pa.array([[{"dataset": "x"}]] * 6))
    path = tmp_path / "nested.parquet"
    pq.write_table(table, path)
    plan = read_file(path)
    (problem,) = plan.errors
    assert (problem.code, problem.field) == ("nested_field", "sources")
    assert "--fields" in problem.remedy
    assert read_file(path, fields=["title", "count"]).is_loadable


def test_other_parquet_files_are_explained(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"a": [1]}), path)
    assert [p.code for p in read_file(path).problems] == ["no_geometry_column"]
    write_parquet(path, SHAPES["point"], encoding="point")
    assert [p.code for p in read_file(path).problems] == ["unsupported_geometry"]


def test_repeated_values_of_a_geoparquet_are_written_out_piece_by_piece(tmp_path: Path) -> None:
    """A dictionary makes a small file of many rows with one large geometry and text."""
    n = 3_000
    ring = shapely.Point(48.3, 33.4).buffer(0.01, quad_segs=500)
    table = pa.table({
        "text": pa.array(["م" * 5_000] * n),
        "geometry": pa.array([shapely.to_wkb(ring)] * n, pa.binary()),
    })  # fmt: skip
    geo = {"primary_column": "geometry", "columns": {"geometry": {"encoding": "WKB"}}}
    path = tmp_path / "repeated.parquet"
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), path)
    assert path.stat().st_size < 200_000
    from layers.reading.arrow_layers import open_batches
    from layers.reading.limits import DEFAULT
    from layers.reading.source import open_source

    with open_source(path, DEFAULT) as source, open_batches(source, None, limits=DEFAULT) as opened:
        sizes = [(batch.num_rows, batch.nbytes) for batch in opened.batches]
    assert sum(rows for rows, _ in sizes) == n
    assert len(sizes) > 3
    assert max(size for _, size in sizes) < 40 << 20


# Tables


def write_workbook(path: Path, layer: str = "برگه", *, append: bool = False, **columns: Any) -> Path:
    data = [np.array(v, dtype=object) if isinstance(v[0], str) else np.asarray(v) for v in columns.values()]
    pyogrio.raw.write(
        path, geometry=None, field_data=data, fields=list(columns), geometry_type=None, driver="XLSX", layer=layer,
        append=append,
    )  # fmt: skip
    return path


def test_a_workbook_with_coordinates_comes_back(tmp_path: Path) -> None:
    columns = column_data() | {"lon": np.array(X), "lat": np.array(Y)}
    path = write_workbook(tmp_path / "table.xlsx", **columns)
    for form in (path, zipped(path)):
        plan = read_file(form)
        assert plan.format == "XLSX"
        assert_as_written(plan, "point")


def test_a_workbook_with_persian_headers_and_digits_is_understood(tmp_path: Path) -> None:
    path = write_workbook(
        tmp_path / "table.xlsx",
        **{
            "نام": ["الف", "ب"],
            "طول جغرافیایی": ["۴۸٫۳۵", "۴۸٫۳۶"],
            "عرض جغرافیایی": ["۳۳٫۴۸", "۳۳٫۴۹"],
            "ظرفیت": ["۱۲", "۳۰"],
        },
    )
    plan = read_file(path, name_field="نام")
    assert plan.is_loadable, summary(plan)
    assert shapely.get_coordinates(plan.rows.geometries_4326) == pytest.approx(
        np.array([[48.35, 33.48], [48.36, 33.49]])
    )
    assert values(plan, "ظرفیت") == [12, 30]
    assert plan.rows.names == ("الف", "ب")


def test_a_workbook_and_a_table_may_hold_geometries_as_text(tmp_path: Path) -> None:
    shapes = SHAPES["polygon"]
    texts = [shapely.to_wkt(shape, rounding_precision=-1) for shape in shapes]
    columns = column_data()
    book = write_workbook(tmp_path / "book.xlsx", **columns, wkt=texts)
    assert_as_written(read_file(book, source_epsg=4326), "polygon")
    table = tmp_path / "areas.csv"
    lines = ["title;count;share;day;wkt"]
    for row in zip(NAMES, COUNTS, SHARES, DAYS, texts, strict=True):
        lines.append(";".join("" if v is None else f'"{v}"' for v in row))
    table.write_text("\n".join(lines), encoding="utf-8")
    assert_as_written(read_file(table, source_epsg=4326), "polygon")
    assert_as_written(read_file(zipped(table), source_epsg=4326), "polygon")


def test_the_sheets_of_a_workbook_are_its_layers(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "two.xlsx", "یک", lon=[48.3], lat=[33.4], a=["x"])
    write_workbook(path, "دو", append=True, lon=[48.3, 48.4], lat=[33.4, 33.5], b=["y", "z"])
    plan = read_file(path)
    assert [p.code for p in plan.problems] == ["several_layers"]
    assert "'یک', 'دو'" in plan.problems[0].message
    assert len(read_file(path, layer="دو").rows) == 2
    assert [p.code for p in read_file(path, layer="سه").problems] == ["no_such_layer"]


def test_only_the_values_saved_with_formulas_are_read(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "f.xlsx", lon=[48.3], lat=[33.4], total=[7])
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = next(name for name in parts if "worksheets/sheet" in name)
    parts[sheet] = parts[sheet].replace(b"<v>7</v>", b'<f>WEBSERVICE("http://127.0.0.1:9/x")</f><v>7</v>')
    assert b"WEBSERVICE" in parts[sheet]
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    plan = read_file(path)
    assert plan.is_loadable, summary(plan)
    assert values(plan, "total") == [7]


# Layers of a geodatabase


def test_the_layers_of_a_geodatabase_are_chosen_by_name(tmp_path: Path) -> None:
    path = tmp_path / "city.gdb"
    for number, layer in enumerate(("stops", "parks")):
        pyogrio.raw.write(
            path, geometry=shapely.to_wkb(np.array(SHAPES["point"][: number + 1], dtype=object)), fields=["title"],
            field_data=[np.array(NAMES[: number + 1], dtype=object)], geometry_type="Point", crs="EPSG:4326",
            driver="OpenFileGDB", layer=layer, append=number > 0,
        )  # fmt: skip
    for form in (path, zipped(path)):
        plan = read_file(form)
        assert [p.code for p in plan.problems] == ["several_layers"]
        assert len(read_file(form, layer="parks").rows) == 2
        assert [p.code for p in read_file(form, layer="none").problems] == ["no_such_layer"]


@pytest.mark.parametrize("suffix", [".geojson", ".geojsonl"])
def test_what_looks_like_a_date_comes_back_as_it_is_written(suffix: str, tmp_path: Path) -> None:
    """GDAL would make another day of the first two columns, and another text of most."""
    written = {
        "jalali": ("1402/05/01", "1402/05/31", None),
        "jalali_iso": ("1402-05-01", "1402-02-31", "1402-12-29"),
        "slashed": ("2020/01/31", "2020/02/01", "2020/02/02"),
        "odd": ("2020-01-31", "spring", "2020-02-01"),
        "impossible": ("2021-02-29", "2020-02-29", "2020-02-28"),
        "clock": ("12:30:00", "12:31:00", None),
        "day": ("2020-02-29", None, "1999-12-31"),
        "moment": ("2020-01-31T10:00:00Z", "2020-01-31T10:00:00.25+03:30", None),
        "local": ("2020-01-31T10:00:00", "2021-01-31T23:59:59", "2021-01-31T00:00:00"),
    }
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [48.3, 33.4 + row / 100]},
            "properties": {name: values[row] for name, values in written.items()},
        }
        for row in range(3)
    ]
    path = tmp_path / f"dates{suffix}"
    if suffix == ".geojson":
        path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    else:
        path.write_text("\n".join(map(json.dumps, features)) + "\n")
    plan = read_file(path)
    assert isinstance(plan, Plan)
    assert plan.problems == (), summary(plan)
    assert plan.format == FORMATS[suffix]
    assert {name: tuple(values) for name, values in plan.rows.columns.items()} == written
    types = {field.name: field.type for field in plan.fields}
    assert types == dict.fromkeys(written, "text") | {"day": "date", "moment": "datetime", "local": "datetime"}

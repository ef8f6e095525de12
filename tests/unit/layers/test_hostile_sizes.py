"""Files that ask for more than they are: packed bombs, ten thousand attributes, lying headers, cut-off ends.

Each is read in a process of its own, whose memory and time are measured and bounded.
"""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layers.reading import Limits, Plan, read_file, summary

ROOT = Path(__file__).resolve().parents[3]
READER = """
import json, sys, time
from pathlib import Path
from layers.reading import ReadingOptions, reading
def most():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
base, start = most(), time.process_time()
with reading(Path(sys.argv[1]), ReadingOptions(**json.loads(sys.argv[2]))) as file:
    file.read()
    plan = file.plan()
peak = most()
print(json.dumps({"codes": [p.code for p in plan.errors], "messages": [p.message for p in plan.errors],
                  "more_mb": (peak - base) / 1024, "seconds": time.process_time() - start}))
"""
SECONDS = 20  # of computing, whatever else the machine does
MEGABYTES = 400
POINT = shapely.to_wkb(shapely.Point(48.3, 33.4))
KML = '<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{}</Document></kml>'
PLACEMARK = "<Placemark>{}<Point><coordinates>48.3,33.4</coordinates></Point></Placemark>"


@dataclass(frozen=True)
class Outcome:
    codes: list[str]
    messages: list[str]
    more_mb: float
    seconds: float


def read_apart(path: Path, **options: Any) -> Outcome:
    """Read a file in another process; it must end by itself, with an error, in bounded time and memory."""
    done = subprocess.run(
        [sys.executable, "-c", READER, str(path), json.dumps(options)],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    outcome = Outcome(**json.loads(done.stdout))
    assert outcome.codes, "nothing was refused"
    assert outcome.more_mb < MEGABYTES, outcome
    assert outcome.seconds < SECONDS, outcome
    return outcome


def archive(path: Path, members: dict[str, bytes | str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for name, data in members.items():
            packed.writestr(name, data)
    return path


def write(
    path: Path, columns: dict[str, Any], *, n: int = 1, driver: str, is_table: bool = False, **options: Any
) -> Path:
    pyogrio.raw.write(
        path,
        geometry=None if is_table else np.array([POINT] * n, dtype=object),
        fields=list(columns),
        field_data=[np.asarray(values) for values in columns.values()],
        geometry_type=None if is_table else "Point",
        crs=None if is_table else "EPSG:4326",
        driver=driver,
        **options,
    )
    return path


# Bombs


def test_zip_bombs_of_every_kind_are_refused_before_they_go_off(tmp_path: Path) -> None:
    spaces = b" " * 80_000_000
    bombs = {
        "bomb.kmz": {"doc.kml": KML.encode() + spaces},
        "kml.zip": {"a.kml": KML.encode() + spaces},
        "json.zip": {"a.geojson": b'{"type": "FeatureCollection", "features": [' + spaces + b"]}"},
        "book.xlsx": {"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook>" + spaces + b"</workbook>"},
        "gdb.zip": {"a.gdb/a00000001.gdbtable": spaces, "a.gdb/a00000001.gdbtablx": b"x"},
    }
    for name, members in bombs.items():
        path = archive(tmp_path / name, members)
        assert path.stat().st_size < 1_000_000
        assert read_apart(path).codes == ["archive_too_large"], name


def test_a_list_of_a_million_files_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "many.zip"
    entry = zipfile.ZipInfo("a")
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr(entry, b"")
    data = path.read_bytes()
    start = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x05\x06")
    one = data[start:end]
    count = 1_000_000
    tail = bytearray(data[end:])
    tail[8:12] = b"\xff\xff\xff\xff"
    tail[12:16] = (len(one) * count).to_bytes(4, "little")
    path.write_bytes(data[:start] + one * count + bytes(tail))
    outcome = read_apart(path)
    assert outcome.codes == ["archive_too_large"]
    assert outcome.more_mb < 30


def test_a_workbook_of_too_many_cells_is_refused_by_its_size(tmp_path: Path) -> None:
    row = b'<row><c t="inlineStr"><is><t>' + bytes(range(65, 91)) * 2 + b"</t></is></c></row>"
    rows = row * 1_800_000
    noise = np.random.default_rng(3).bytes(1_600_000)
    members = {
        "[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>",
        "xl/worksheets/sheet1.xml": b"<worksheet><sheetData>" + rows + b"</sheetData></worksheet>",
        "docProps/noise.bin": noise,
    }  # fmt: skip
    path = archive(tmp_path / "cells.xlsx", members)
    assert read_apart(path).codes == ["file_too_large"]


def test_markup_nested_without_end_is_refused(tmp_path: Path) -> None:
    """A tree of it would exhaust the stack of whoever builds or frees it."""
    deep = 200_000
    for name, text in {
        "a.kml": KML.format("<Folder>" * deep + "</Folder>" * deep),
        "a.gml": '<a xmlns:gml="http://www.opengis.net/gml">' + "<gml:b>" * deep + "</gml:b>" * deep + "</a>",
        "a.gpx": "<gpx>" + "<extensions>" * deep + "</extensions>" * deep + "</gpx>",
    }.items():
        path = tmp_path / name
        path.write_text(text)
        assert read_apart(path).codes == ["unsafe_file"], name
    json_path = tmp_path / "a.geojsonl"
    feature = '{"type":"Feature","properties":{"a":%s},"geometry":null}' % ("[" * deep + "]" * deep)
    json_path.write_text(f"{feature}\n{feature}\n")
    assert read_apart(json_path).codes == ["broken_file"]


def test_a_parquet_bomb_is_refused(tmp_path: Path) -> None:
    n = 60
    geo = {"primary_column": "geometry", "columns": {"geometry": {"encoding": "WKB"}}}
    table = pa.table(
        {"text": pa.array(["x" * 10_000_000 + str(i) for i in range(n)]), "geometry": pa.array([POINT] * n)}
    )
    path = tmp_path / "bomb.parquet"
    table = table.replace_schema_metadata({"geo": json.dumps(geo)})
    pq.write_table(table, path, compression="zstd", use_dictionary=False, write_statistics=False)
    assert path.stat().st_size < 1_000_000
    assert read_apart(path).codes == ["archive_too_large"]


def test_one_value_repeated_a_million_times_is_refused_not_written_out(tmp_path: Path) -> None:
    n = 500_000
    geo = {"primary_column": "geometry", "columns": {"geometry": {"encoding": "WKB"}}}
    ring = shapely.to_wkb(shapely.Point(48.3, 33.4).buffer(0.01, quad_segs=4_000))
    table = pa.table({"geometry": pa.DictionaryArray.from_arrays(np.zeros(n, np.int32), pa.array([ring]))})
    path = tmp_path / "repeated.parquet"
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), path)
    assert path.stat().st_size < 400_000
    assert n * len(ring) > 100e9
    outcome = read_apart(path)
    assert outcome.codes == ["too_many_vertices"]


@cache
def packed_of(data: bytes) -> bytes:
    return zlib.compress(data, 9)


def pbf(blocks: list[tuple[bytes, bytes, int]]) -> bytes:
    """Write blocks of kind, data as said to unpack to some size."""

    def number(value: int) -> bytes:
        out = bytearray()
        while value > 0x7F:
            out.append(value & 0x7F | 0x80)
            value >>= 7
        return bytes([*out, value])

    file = bytearray()
    for kind, data, said in blocks:
        packed = packed_of(data)
        blob = b"\x10" + number(said) + b"\x1a" + number(len(packed)) + packed
        header = b"\x0a" + number(len(kind)) + kind + b"\x18" + number(len(blob))
        file += len(header).to_bytes(4, "big") + header + blob
    return bytes(file)


def test_bombs_and_lies_of_an_openstreetmap_extract_are_refused(tmp_path: Path) -> None:
    head = (b"OSMHeader", b"\x22\x0eOsmSchema-V0.6", 16)
    zeros = bytes(31 << 20)
    path = tmp_path / "a.osm.pbf"
    path.write_bytes(pbf([head, *[(b"OSMData", zeros, len(zeros))] * 40]))
    assert path.stat().st_size < 2_000_000
    assert read_apart(path, layer="roads").codes == ["archive_too_large"]
    path.write_bytes(pbf([head, (b"OSMData", bytes(100), 1 << 40)]))
    assert read_apart(path, layer="roads").codes == ["archive_too_large"]
    path.write_bytes(pbf([head, (b"OSMData", zeros, 100)]))
    assert read_apart(path, layer="roads").codes == ["broken_file"]
    path.write_bytes(pbf([head, (b"Other", b"x", 1)]))
    assert [p.code for p in read_file(path, layer="roads").errors] == ["broken_file"]
    path.write_bytes(pbf([head])[:-3])
    assert [p.code for p in read_file(path, layer="roads").errors] == ["broken_file"]
    path.write_bytes(b"\x00\x01\x00\x00" + pbf([head])[4:] + bytes(70_000))
    assert [p.code for p in read_file(path, layer="roads").errors] == ["broken_file"]


def test_numbers_of_nodes_spread_wide_take_no_more_room(tmp_path: Path) -> None:
    """An index by number would take half a kilobyte on disk for each."""
    path = tmp_path / "spread.osm"
    n = 150_000
    with path.open("w") as file:
        file.write('<osm version="0.6">')
        file.writelines(f'<node id="{1 + i * 7919}" lat="33.4{i % 1000:03d}" lon="48.3"/>' for i in range(n))
        file.write(f'<way id="1"><nd ref="1"/><nd ref="{1 + 7919 * (n - 1)}"/><tag k="man_made" v="pier"/></way></osm>')
    assert read_apart(path, layer="roads").codes == ["no_rows"]


# Ten thousand attributes


def write_sheet(path: Path, rows: str) -> Path:
    """Write a workbook with one sheet of the given rows, from a good one."""
    write(path, {"lon": [48.3], "lat": [33.4]}, driver="XLSX", is_table=True, layer="s")
    with zipfile.ZipFile(path) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    sheet = next(name for name in parts if "worksheets/sheet" in name)
    before, _, rest = parts[sheet].decode().partition("<sheetData>")
    _, _, after = rest.partition("</sheetData>")
    return archive(path, parts | {sheet: f"{before}<sheetData>{rows}</sheetData>{after}"})


def wide(path: Path, n: int) -> Path:
    names = [f"f{i}" for i in range(n)]
    match path.suffix:
        case ".geojson" | ".geojsonl":
            feature = json.dumps({
                "type": "Feature", "properties": dict.fromkeys(names, 1),
                "geometry": {"type": "Point", "coordinates": [48.3, 33.4]},
            })  # fmt: skip
            is_one = path.suffix == ".geojson"
            path.write_text(f'{{"type":"FeatureCollection","features":[{feature}]}}' if is_one else f"{feature}\n" * 3)
        case ".csv":
            path.write_text(",".join(["lon", "lat", *names]) + "\n" + ",".join(["48.3", "33.4"] + ["1"] * n) + "\n")
        case ".kml":
            data = "".join(f'<Data name="{name}"><value>1</value></Data>' for name in names)
            path.write_text(KML.format(PLACEMARK.format(f"<ExtendedData>{data}</ExtendedData>")))
        case ".gml":
            fields = "".join(f"<ogr:{name}>1</ogr:{name}>" for name in names)
            path.write_text(
                '<ogr:FeatureCollection xmlns:ogr="http://ogr.maptools.org/" xmlns:gml="http://www.opengis.net/gml/3.2">'
                f"<ogr:featureMember><ogr:a>{fields}<ogr:geom><gml:Point><gml:pos>48.3 33.4</gml:pos></gml:Point>"
                "</ogr:geom></ogr:a></ogr:featureMember></ogr:FeatureCollection>"
            )
        case ".gpx":
            more = "".join(f"<e:{name}>1</e:{name}>" for name in names)
            path.write_text(
                '<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1" xmlns:e="http://e"><wpt lat="33.4" lon="48.3">'
                f"<extensions>{more}</extensions></wpt></gpx>"
            )
        case ".parquet":
            geo = {"primary_column": "geometry", "columns": {"geometry": {"encoding": "WKB"}}}
            table = pa.table({name: pa.array([1]) for name in names} | {"geometry": pa.array([POINT])})
            pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), path)
        case ".osm":
            tags = "".join(f'<tag k="{name}" v="1"/>' for name in names)
            path.write_text(
                '<osm version="0.6"><node id="1" lat="33.4" lon="48.3"><tag k="shop" v="bakery"/>'
                + tags
                + "</node></osm>"
            )
        case ".fgb":
            write(path, {name: [1] for name in names}, driver="FlatGeobuf", SPATIAL_INDEX="NO")
        case ".gdb":
            write(path, {name: [1] for name in names}, driver="OpenFileGDB")
        case ".xlsx":
            cells = [f'<c t="inlineStr"><is><t>{name}</t></is></c>' for name in ["lon", "lat", *names]]
            numbers = "<c><v>48.3</v></c><c><v>33.4</v></c>" + "<c><v>1</v></c>" * n
            write_sheet(path, f"<row>{''.join(cells)}</row><row>{numbers}</row>")
        case ".gpkg":
            write(path, {name: [1] for name in names}, driver="GPKG")
    return path


@pytest.mark.parametrize(
    ("suffix", "n"),
    [(".geojson", 10_000), (".geojsonl", 10_000), (".csv", 10_000), (".kml", 10_000), (".gml", 10_000), (".gpx", 10_000),
     (".parquet", 10_000), (".fgb", 10_000), (".xlsx", 10_000), (".gdb", 600), (".gpkg", 1_900)],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_ten_thousand_attributes_are_refused_quickly(suffix: str, n: int, tmp_path: Path) -> None:
    outcome = read_apart(wide(tmp_path / f"wide{suffix}", n))
    if suffix == ".gpx":  # of which GDAL then gives no row at all
        assert outcome.codes == ["broken_file"], outcome
        return
    assert outcome.codes == ["too_many_fields"], outcome
    assert "attributes" in outcome.messages[0] or "columns" in outcome.messages[0]


def test_ten_thousand_tags_of_a_node_are_only_those_of_the_rule(tmp_path: Path) -> None:
    plan = read_file(wide(tmp_path / "wide.osm", 10_000), layer="bakery")
    assert plan.is_loadable, summary(plan)
    assert len(plan.rows.fields) < 10


# Headers that lie


def patched(path: Path, at: int, data: bytes) -> Path:
    content = bytearray(path.read_bytes())
    content[at : at + len(data)] = data
    path.write_bytes(content)
    return path


def test_a_shapefile_that_promises_more_rows_than_it_has(tmp_path: Path) -> None:
    for part, at, data in (
        (".dbf", 4, b"\xff\xff\xff\x7f"),  # rows
        (".dbf", 10, b"\x01\x00"),  # bytes of a row
        (".shp", 24, b"\x7f\xff\xff\xff"),  # length
        (".shx", 100, b"\x7f\xff\xff\xf0"),  # where the first row is
    ):
        path = write(tmp_path / "a.shp", {"n": np.arange(50)}, n=50, driver="ESRI Shapefile")
        patched(path.with_suffix(part), at, data)
        outcome = read_apart(path)
        assert outcome.codes[0] in ("broken_file", "no_geometry", "mislabelled"), (part, at, outcome)


def test_a_polygon_that_promises_two_thousand_million_vertices(tmp_path: Path) -> None:
    path = tmp_path / "a.shp"
    pyogrio.raw.write(
        path, geometry=np.array([shapely.to_wkb(shapely.box(48, 33, 49, 34))], dtype=object), fields=["n"],
        field_data=[np.array([1])], geometry_type="Polygon", crs="EPSG:4326", driver="ESRI Shapefile",
    )  # fmt: skip
    patched(path, 100 + 8 + 40, b"\xff\xff\xff\x7f")
    assert read_apart(path).codes[0] in ("broken_file", "no_geometry")


def test_a_flatgeobuf_that_promises_more_rows_than_it_has(tmp_path: Path) -> None:
    path = write(tmp_path / "a.fgb", {"n": np.arange(50)}, n=50, driver="FlatGeobuf", SPATIAL_INDEX="NO")
    content = path.read_bytes()
    at = content.index((50).to_bytes(8, "little"))
    for said in (2**62, 10**9, 51):
        path.write_bytes(content[:at] + said.to_bytes(8, "little") + content[at + 8 :])
        assert read_apart(path).codes[0] in ("too_many_rows", "broken_file"), said


def test_a_geodatabase_that_lies_about_its_tables(tmp_path: Path) -> None:
    for at, data in ((4, b"\xff\xff\xff\x7f"), (24, b"\xff" * 8), (32, b"\xff" * 8), (8, b"\xff\xff\xff\x7f")):
        path = tmp_path / f"at{at}.gdb"
        write(path, {"n": np.arange(50, dtype=np.int32)}, n=50, driver="OpenFileGDB")
        table = max(path.glob("*.gdbtable"), key=lambda part: part.name)
        patched(table, at, data)
        if at == 8:  # the largest row is only a hint
            plan = read_file(path)
            assert plan.errors or len(plan.rows) == 50
        else:
            assert read_apart(path).codes == ["broken_file"], at


def test_a_workbook_that_names_a_cell_far_away(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    head = '<row r="1"><c r="A1" t="inlineStr"><is><t>lon</t></is></c><c r="B1" t="inlineStr"><is><t>lat</t></is></c></row>'
    for cell in ("XFD1048576", "A1048576", "ZZZZZZ99999999999"):
        write_sheet(path, f'{head}<row r="{cell.lstrip("XFDAZ")}"><c r="{cell}"><v>1</v></c></row>')
        outcome = read_apart(path, x_field="lon", y_field="lat")
        assert outcome.codes[0] in ("broken_file", "too_many_fields", "no_rows", "bad_coordinate", "too_many_rows"), (
            cell
        )


def test_a_parquet_footer_that_lies(tmp_path: Path) -> None:
    geo = {"primary_column": "geometry", "columns": {"geometry": {"encoding": "WKB"}}}
    path = tmp_path / "a.parquet"
    table = pa.table({"geometry": pa.array([POINT] * 77)}).replace_schema_metadata({"geo": json.dumps(geo)})
    pq.write_table(table, path, use_dictionary=False, compression="none")
    content = path.read_bytes()
    for tail in (b"\xff\xff\xff\x7fPAR1", b"\x00\x00\x00\x00PAR1", b"\x10\x00\x00\x00PAR1", b"12345678"):
        path.write_bytes(content[:-8] + tail)
        assert read_apart(path).codes == ["broken_file"], tail
    # The number of rows, as the footer writes it, twice as large.
    footer = int.from_bytes(content[-8:-4], "little")
    head, tail = content[: -8 - footer], content[-8 - footer :]
    path.write_bytes(head + tail.replace(b"\x9a\x01", b"\xb4\x02"))
    assert read_apart(path).codes == ["broken_file"]


# Cut off


def good(folder: Path) -> dict[str, bytes]:
    """A good file of every new format."""
    names = np.array([f"نام {i}" for i in range(60)], dtype=object)
    columns = {"name": names, "n": np.arange(60)}
    for suffix, driver in ((".kml", "LIBKML"), (".gml", "GML"), (".geojsonl", "GeoJSONSeq")):
        write(folder / f"good{suffix}", columns, n=60, driver=driver)
    write(folder / "good.gpx", {"name": names}, n=60, driver="GPX", layer="waypoints")
    points = {"lon": np.linspace(48, 49, 60), "lat": np.linspace(33, 34, 60)}
    write(folder / "good.xlsx", columns | points, driver="XLSX", is_table=True, layer="s")
    geo = {"primary_column": "geometry", "columns": {"geometry": {"encoding": "WKB"}}}
    table = pa.table({"name": pa.array(names.tolist()), "geometry": pa.array([POINT] * 60)})
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), folder / "good.parquet")
    archive(folder / "good.kmz", {"doc.kml": (folder / "good.kml").read_bytes()})
    gdb = write(folder / "city.gdb", {"name": names}, n=60, driver="OpenFileGDB")
    archive(folder / "good.zip", {f"city.gdb/{part.name}": part.read_bytes() for part in gdb.iterdir()})
    nodes = "".join(f'<node id="{i}" lat="33.4" lon="48.{i}"><tag k="shop" v="bakery"/></node>' for i in range(1, 60))
    (folder / "good.osm").write_text(f'<osm version="0.6">{nodes}</osm>')
    return {path.suffix: path.read_bytes() for path in folder.glob("good.*") if path.suffix != ".xsd"}


@pytest.fixture(scope="module")
def good_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return good(tmp_path_factory.mktemp("good"))


OPTIONS: dict[str, dict[str, Any]] = {".osm": {"layer": "bakery"}}
NEW = [".kml", ".kmz", ".gml", ".gpx", ".geojsonl", ".xlsx", ".parquet", ".zip", ".osm"]


@pytest.mark.parametrize("suffix", NEW)
def test_the_whole_file_is_read_and_a_cut_one_is_not(suffix: str, good_files: dict[str, bytes], tmp_path: Path) -> None:
    data = good_files[suffix]
    path = tmp_path / f"a{suffix}"
    path.write_bytes(data)
    whole = read_file(path, **OPTIONS.get(suffix, {}))
    assert whole.is_loadable, summary(whole)
    for kept in (0.02, 0.3, 0.6, 0.95, 0.999):
        path.write_bytes(data[: max(8, int(len(data) * kept))])
        plan = read_file(path, **OPTIONS.get(suffix, {}))
        assert isinstance(plan, Plan)
        assert not plan.is_loadable, (kept, summary(plan))
        (problem,) = plan.errors
        assert problem.code in ("broken_file", "broken_archive", "mislabelled", "unsupported_format", "several_layers")
        assert problem.remedy
        if suffix in (".kml", ".gml", ".gpx", ".osm", ".geojsonl") and 0.3 <= kept < 0.99:
            assert problem.row == pytest.approx(kept * 60, abs=8), (kept, problem)


def test_markup_that_is_cut_off_is_told_by_line_and_row(tmp_path: Path) -> None:
    path = tmp_path / "a.kml"
    marks = [PLACEMARK.format(f"<name>{i}</name>") for i in range(20)]
    path.write_text(KML.format("\n".join(marks))[:-200])
    (problem,) = read_file(path).errors
    assert problem.message.startswith("The KML file is cut off at line 18, character")
    assert problem.row == 18


def test_a_broken_line_of_a_sequence_is_named(tmp_path: Path) -> None:
    feature = '{"type":"Feature","properties":{"n":1},"geometry":{"type":"Point","coordinates":[48.3,33.4]}}'
    path = tmp_path / "a.geojsonl"
    for bad in (
        '{"type":"Feature","properties":{',
        "plain words",
        '{"type":"Topology"}',
        "[1,2]",
        '{"type":"Feature"} x',
    ):
        path.write_text("\n".join([feature, feature, "", bad, feature]))
        (problem,) = read_file(path).errors
        assert (problem.code, problem.row) == ("broken_file", 3), bad
        assert "Line 4" in problem.message
    path.write_bytes("\n".join([feature, feature.replace('"n":1', '"n":"نام"')]).encode("cp1256", "replace"))
    (problem,) = read_file(path).errors
    assert (problem.code, problem.row) == ("wrong_encoding", 2)


# Limits of size, and anything at all


def test_formats_that_become_a_tree_have_a_smaller_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.kml"
    path.write_bytes(KML.split("{")[0].encode() + b" " * (129 << 20))
    assert read_apart(path).codes == ["file_too_large"]


def test_the_limit_of_rows_holds_where_the_file_does_not_say_how_many(
    good_files: dict[str, bytes], tmp_path: Path
) -> None:
    for suffix in (".gpx", ".gml", ".geojsonl", ".parquet", ".kml", ".osm", ".xlsx"):
        path = tmp_path / f"a{suffix}"
        path.write_bytes(good_files[suffix])
        plan = read_file(path, limits=Limits(rows=50), **OPTIONS.get(suffix, {}))
        assert [p.code for p in plan.errors] == ["too_many_rows"], suffix


@settings(
    max_examples=250, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    suffix=st.sampled_from(NEW),
    start=st.floats(0, 1),
    length=st.integers(0, 300),
    replacement=st.binary(max_size=300),
)
def test_no_damage_whatever_becomes_a_traceback(
    suffix: str, start: float, length: int, replacement: bytes, good_files: dict[str, bytes], tmp_path: Path
) -> None:
    data = good_files[suffix]
    at = int(start * len(data))
    path = tmp_path / f"any{suffix}"
    path.write_bytes(data[:at] + replacement + data[at + length :])
    plan = read_file(path, **OPTIONS.get(suffix, {}))
    if plan.is_loadable and isinstance(plan, Plan):
        assert not shapely.is_missing(plan.rows.geometries_4326).any()
    for problem in plan.problems:
        assert problem.message
        assert problem.remedy or problem.severity != "error"

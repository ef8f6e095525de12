"""Files that are broken, empty, not what they seem, or hostile: one located message each, never a traceback."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layers.reading import Limits, Plan, RasterPlan, read_file, read_raster, read_table, read_vector, summary

Write = Callable[..., Path]

POINTS = [shapely.Point(48.3 + i / 1000, 33.4 + i / 2000) for i in range(200)]
AREAS = [point.buffer(0.0004, quad_segs=2) for point in POINTS]
SUFFIXES = [".gpkg", ".fgb", ".shp", ".geojson"]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(200)
VRT = b'<OGRVRTDataSource><OGRVRTLayer name="layer"><SrcDataSource>%s</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>'
STREAMED = b'{"type": "gdal_streamed_alg", "command_line": "gdal vector pipeline ! read %s ! write --of=stream x"}'


def only(plan: Plan | RasterPlan) -> tuple[str, str, str]:
    """Give code, message and remedy of a plan's only problem, which must be an error with a remedy."""
    (problem,) = plan.problems
    assert problem.severity == "error"
    assert problem.message.endswith(".")
    assert problem.remedy
    assert not plan.is_loadable
    return problem.code, problem.message, problem.remedy


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".csv", ".tif", ".zip"])
def test_an_empty_file_says_so(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"nothing{suffix}"
    path.touch()
    for part in (".shx", ".dbf") if suffix == ".shp" else ():
        path.with_suffix(part).touch()
    code, message, _ = only(read_file(path))
    assert code == "empty_file"
    assert "0 bytes" in message


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_layer_without_rows_says_so(suffix: str, write_layer: Write) -> None:
    path = write_layer(f"none{suffix}", [], kind="Point", id=np.empty(0, dtype=np.int64))
    assert only(read_vector(path))[0] == "no_rows"


def test_tables_without_rows_say_so(tmp_path: Path) -> None:
    path = tmp_path / "none.csv"
    path.write_text("name,lon,lat\n\n")
    assert only(read_table(path))[0] == "no_rows"
    path.write_text("\n \n")
    assert only(read_table(path))[0] == "no_rows"


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_that_is_cut_off_loads_nothing(suffix: str, kept: float, write_layer: Write) -> None:
    path = write_layer(f"areas{suffix}", AREAS)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    plan = read_vector(path)
    code, _, _ = only(plan)
    assert code == "broken_file"
    assert len(plan.rows) == 0
    if suffix != ".gpkg":  # a damaged database says nothing about rows
        expected = kept * len(AREAS)
        assert plan.problems[0].row == pytest.approx(expected, rel=0.35)


def test_damage_in_the_middle_of_a_geopackage_does_not_lose_rows_silently(write_layer: Write) -> None:
    path = write_layer("stops.gpkg", POINTS * 25)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = np.random.default_rng(1).bytes(3000)
    path.write_bytes(data)
    assert only(read_vector(path))[0] == "broken_file"


def test_a_shapefile_with_parts_of_two_files_is_told_from_a_good_one(write_layer: Write) -> None:
    path = write_layer("one/stops.shp", POINTS)
    other = write_layer("two/stops.shp", POINTS[:150])
    shutil.copy(other.with_suffix(".dbf"), path.with_suffix(".dbf"))
    plan = read_vector(path)
    assert only(plan)[0] == "broken_file"
    assert plan.problems[0].row == 151
    data = other.with_suffix(".dbf").read_bytes()
    other.with_suffix(".dbf").write_bytes(data[:-40])
    cut = read_vector(other)
    assert only(cut)[0] == "broken_file"
    assert 140 < (cut.problems[0].row or 0) <= 150


@pytest.mark.parametrize("part", [".shx", ".dbf"])
def test_a_shapefile_without_a_part_names_it(part: str, write_layer: Write) -> None:
    path = write_layer("stops.shp", POINTS)
    path.with_suffix(part).unlink()
    code, message, _ = only(read_vector(path))
    assert code == "missing_part"
    assert part in message
    assert only(read_vector(path.with_suffix(".prj")))[0] == "unsupported_format"


def test_broken_json_names_the_row(write_geojson: Write) -> None:
    path = write_geojson(POINTS)
    text = path.read_text()
    place = text.index("33.4385")  # the 78th point
    path.write_text(text[:place] + '"' + text[place:])
    plan = read_vector(path)
    assert only(plan)[0] == "broken_file"
    assert plan.problems[0].row == 78


# Not what it seems


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".csv", ".tif"])
def test_a_picture_under_another_name_is_called_a_picture(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"map{suffix}"
    path.write_bytes(PNG)
    for part in (".shx", ".dbf") if suffix == ".shp" else ():
        path.with_suffix(part).write_bytes(PNG)
    code, message, _ = only(read_file(path))
    assert code == "mislabelled"
    assert "PNG image" in message


@pytest.mark.parametrize("named", [*SUFFIXES, ".csv", ".tif"])
@pytest.mark.parametrize("content", [".gpkg", ".fgb", ".geojson"])
def test_the_name_must_fit_the_content(named: str, content: str, write_layer: Write) -> None:
    path = write_layer(f"stops{content}", POINTS)
    renamed = path.with_name(f"renamed{named}")
    path.rename(renamed)
    plan = read_file(renamed)
    if named == content:
        assert plan.is_loadable
    else:
        code, _, remedy = only(plan)
        assert code == "mislabelled"
        assert content in remedy


@pytest.mark.parametrize("content", [VRT, STREAMED, b"\n  " + VRT, b" " + STREAMED])
@pytest.mark.parametrize("suffix", [*SUFFIXES, ".json", ".csv", ".tif", ".vrt", ""])
def test_no_other_driver_can_be_smuggled_in(content: bytes, suffix: str, write_layer: Write, tmp_path: Path) -> None:
    target = write_layer("secret.geojson", POINTS)
    path = tmp_path / f"bait{suffix}"
    path.write_bytes(content % os.fsencode(target))
    for part in (".shx", ".dbf") if suffix == ".shp" else ():
        path.with_suffix(part).write_bytes(b"x" * 200)
    plan = read_file(path)
    assert only(plan)[0] in ("mislabelled", "unsupported_format")
    assert isinstance(plan, RasterPlan) or len(plan.rows) == 0


@pytest.mark.parametrize(
    "text",
    [
        '{"type": "Topology", "objects": {}, "arcs": []}',
        '{"geometryType": "esriGeometryPoint", "features": []}',
        '{"a": 1}',
        '{"x":' * 100_000,
    ],
)
def test_other_json_is_not_geojson(text: str, tmp_path: Path) -> None:
    path = tmp_path / "other.geojson"
    path.write_text(text)
    assert only(read_vector(path))[0] in ("unsupported_format", "broken_file")


def test_a_web_page_saved_instead_of_a_file_is_called_a_web_page(tmp_path: Path) -> None:
    path = tmp_path / "download.geojson"
    path.write_text("<!DOCTYPE html><html><body>Please log in</body></html>")
    assert "web page" in only(read_file(path))[1]


def test_a_readers_wrong_file_is_named(write_layer: Write, write_raster: Write, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("lon,lat\n48.3,33.4\n")
    raster = write_raster(np.ones((2, 2), np.float32))
    layer = write_layer("a.gpkg", POINTS)
    for plan in (read_vector(table), read_vector(raster), read_table(layer), read_raster(layer)):
        assert only(plan)[0].startswith("not_a_")


# Hostile


def test_only_regular_files_of_this_machine_are_opened(write_layer: Write, tmp_path: Path) -> None:
    real = write_layer("stops.geojson", POINTS)
    link = tmp_path / "link.geojson"
    link.symlink_to(real)
    pipe = tmp_path / "pipe.geojson"
    os.mkfifo(pipe)
    folder = tmp_path / "empty"
    folder.mkdir()
    expected = {
        link: "unsafe_path",
        pipe: "unsafe_path",
        folder: "not_one_shapefile",
        tmp_path / "absent.gpkg": "not_found",
        Path(f"/vsizip/{real}"): "unsafe_path",
        Path("/vsicurl/http://example.org/a.geojson"): "unsafe_path",
        Path("nul\x00.geojson"): "unreadable",
        Path("x" * 5000 + ".geojson"): "unreadable",
        Path("/dev/zero"): "unsafe_path",
    }
    assert {path: only(read_file(path))[0] for path in expected} == expected


def test_a_shapefile_whose_part_is_a_link_is_refused(write_layer: Write, tmp_path: Path) -> None:
    path = write_layer("stops.shp", POINTS)
    secret = tmp_path / "elsewhere"
    path.with_suffix(".dbf").rename(secret)
    path.with_suffix(".dbf").symlink_to(secret)
    assert only(read_vector(path))[0] == "unsafe_path"


def test_a_geopackage_that_reads_from_elsewhere_is_refused(write_layer: Write) -> None:
    path = write_layer("stops.gpkg", POINTS)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "INSERT INTO sqlite_master VALUES ('table', 'bait', 'bait', 0, "
            "'CREATE VIRTUAL TABLE bait USING VirtualOGR(''/etc/passwd'')')"
        )
    connection.close()
    code, message, _ = only(read_vector(path))
    assert code == "unsafe_file"
    assert "VirtualOGR" in message


@pytest.mark.parametrize("suffix", ["-wal", "-journal"])
def test_a_geopackage_still_being_written_is_refused(suffix: str, write_layer: Write) -> None:
    path = write_layer("stops.gpkg", POINTS)
    path.with_name(f"stops.gpkg{suffix}").write_bytes(b"changes")
    code, _, remedy = only(read_vector(path))
    assert code == "unsaved_changes"
    assert "Close the program" in remedy


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_reading_a_geopackage_leaves_nothing_beside_it(mode: str, write_layer: Write) -> None:
    path = write_layer("alone/stops.gpkg", POINTS)
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA journal_mode = {mode}")
    connection.close()
    before = path.read_bytes()
    assert read_vector(path).is_loadable
    assert list(path.parent.iterdir()) == [path]
    assert path.read_bytes() == before


@pytest.fixture
def parts(write_layer: Write) -> dict[str, bytes]:
    """The parts of a good shapefile."""
    path = write_layer("good/stops.shp", POINTS)
    return {f"stops{p.suffix}": p.read_bytes() for p in path.parent.iterdir()}


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize(
    "name", ["../stops.shp", "/etc/stops.shp", "a/../../stops.shp", "C:\\stops.shp", "..\\stops.shp"]
)
def test_a_zip_cannot_write_outside(name: str, parts: dict[str, bytes], tmp_path: Path) -> None:
    members = {name if n == "stops.shp" else n: data for n, data in parts.items()}
    assert only(read_vector(zipped(tmp_path / "x.zip", members)))[0] == "unsafe_archive"
    assert not (tmp_path.parent / "stops.shp").exists()


def test_a_zip_with_a_link_is_refused(parts: dict[str, bytes], tmp_path: Path) -> None:
    path = zipped(tmp_path / "x.zip", {n: d for n, d in parts.items() if n != "stops.dbf"})
    link = zipfile.ZipInfo("stops.dbf")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    assert only(read_vector(path))[0] == "unsafe_archive"


def test_a_zip_bomb_is_refused_before_it_goes_off(parts: dict[str, bytes], tmp_path: Path) -> None:
    bomb = zipped(tmp_path / "bomb.zip", parts | {"stops.dbf": bytes(60_000_000)})
    assert bomb.stat().st_size < 200_000
    plan = read_vector(bomb)
    assert only(plan)[0] == "archive_too_large"
    with pytest.raises(Exception, match="MB") as caught:
        plan.require_loadable()
    assert caught.value.status == 413
    many = zipped(tmp_path / "many.zip", parts | {f"{i}.txt": b"" for i in range(200)})
    assert only(read_vector(many))[0] == "archive_too_large"


def test_a_zip_that_lies_about_sizes_is_found_out(parts: dict[str, bytes], tmp_path: Path) -> None:
    path = zipped(tmp_path / "lies.zip", parts | {"stops.dbf": bytes(3_000_000)})
    data = bytearray(path.read_bytes())
    real, told = (3_000_000).to_bytes(4, "little"), (3_000).to_bytes(4, "little")
    assert data.count(real) == 2
    path.write_bytes(data.replace(real, told))
    assert only(read_vector(path))[0] in ("archive_too_large", "broken_archive")


def test_other_zips_are_explained(parts: dict[str, bytes], write_layer: Write, tmp_path: Path) -> None:
    two = parts | {f"other{n[5:]}": data for n, data in parts.items()}
    assert only(read_vector(zipped(tmp_path / "two.zip", two)))[0] == "not_one_shapefile"
    package = {"city.gpkg": write_layer("city.gpkg", POINTS).read_bytes()}
    plan = read_vector(zipped(tmp_path / "package.zip", package))
    assert plan.problems == ()
    assert (plan.format, len(plan.rows)) == ("GPKG", len(POINTS))
    lacking = {n: d for n, d in parts.items() if n != "stops.shx"}
    assert only(read_vector(zipped(tmp_path / "lacking.zip", lacking)))[0] == "missing_part"
    whole = zipped(tmp_path / "cut.zip", parts).read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[: len(whole) // 2])
    assert only(read_vector(tmp_path / "cut.zip"))[0] == "broken_archive"
    assert only(read_vector(zipped(tmp_path / "sheet.zip", {"xl/workbook.xml": b"<x/>"})))[0] == "mislabelled"


# Too large


def test_limits_are_kept_and_named(write_layer: Write, tmp_path: Path) -> None:
    path = write_layer("stops.gpkg", POINTS, a=list(range(200)), b=list(range(200)))
    for limits, code in (
        (Limits(file_bytes=1000), "file_too_large"),
        (Limits(rows=199), "too_many_rows"),
        (Limits(fields=1), "too_many_fields"),
        (Limits(vertices=100), "too_many_vertices"),
    ):
        plan = read_vector(path, limits=limits)
        assert only(plan)[0] == code
        with pytest.raises(Exception) as caught:
            plan.require_loadable()
        assert caught.value.status == 413
    table = tmp_path / "t.csv"
    table.write_text("lon,lat\n" + "48.3,33.4\n" * 200)
    cut = read_table(table, limits=Limits(rows=199))
    assert only(cut)[0] == "too_many_rows"
    assert cut.problems[0].row == 201
    assert only(read_table(table, limits=Limits(file_bytes=100)))[0] == "file_too_large"


def test_problems_are_capped_but_all_counted_and_errors_come_first(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("lon,lat,name\n" + "48.3,33.4,??????\n" + "x,33.4,a\n" * 500 + "48.3,y,b\n" * 30)
    plan = read_table(path, limits=Limits(problems=110, problems_per_code=105))
    assert plan.n_errors == 530
    assert plan.counts["error"] == {"bad_coordinate": 530}
    assert len(plan.problems) == 106
    assert [p.severity for p in plan.problems] == ["error"] * 105 + ["warning"]
    assert "and 425 more" in summary(plan, shown=106)


# Anything at all


@pytest.fixture(scope="module")
def good_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A good file of every format, as bytes."""
    import pyogrio
    import rasterio
    from rasterio import Affine

    folder = tmp_path_factory.mktemp("good")
    names = np.array([f"نام {i}" for i in range(30)], dtype=object)
    files = {}
    for suffix, driver in (
        (".gpkg", "GPKG"),
        (".fgb", "FlatGeobuf"),
        (".shp", "ESRI Shapefile"),
        (".geojson", "GeoJSON"),
    ):
        path = folder / f"good{suffix}"
        pyogrio.raw.write(
            path, geometry=shapely.to_wkb(np.array(AREAS[:30])), fields=["name", "n"], field_data=[names, np.arange(30)],
            geometry_type="Polygon", crs="EPSG:4326", driver=driver, encoding="UTF-8",
        )  # fmt: skip
    with rasterio.open(
        folder / "good.tif", "w", driver="GTiff", width=40, height=30, count=1, dtype="float32", crs="EPSG:32639",
        transform=Affine(20, 0, 253_000, 0, -20, 3_709_000), compress="deflate",
    ) as dataset:  # fmt: skip
        dataset.write(np.random.default_rng(2).random((1, 30, 40), dtype=np.float32))
    rows = "".join(f"{n},{p.x},{p.y}\n" for n, p in zip(names, POINTS, strict=False))
    (folder / "good.csv").write_text("name,lon,lat\n" + rows, encoding="utf-8")
    for path in folder.iterdir():
        files[path.suffix] = path.read_bytes()
    return files


@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    suffix=st.sampled_from([".gpkg", ".fgb", ".shp", ".shx", ".dbf", ".geojson", ".tif", ".csv"]),
    start=st.floats(0, 1),
    length=st.integers(0, 300),
    replacement=st.binary(max_size=300),
)
def test_no_damage_whatever_becomes_a_traceback(
    suffix: str, start: float, length: int, replacement: bytes, good_files: dict[str, bytes], tmp_path: Path
) -> None:
    data = good_files[suffix]
    at = int(start * len(data))
    is_part = suffix in (".shp", ".shx", ".dbf")
    for part in (".shp", ".shx", ".dbf", ".prj", ".cpg") if is_part else ():
        (tmp_path / f"any{part}").write_bytes(good_files[part])
    (tmp_path / f"any{suffix}").write_bytes(data[:at] + replacement + data[at + length :])
    plan = read_file(tmp_path / ("any.shp" if is_part else f"any{suffix}"))
    if plan.is_loadable and isinstance(plan, Plan):
        assert not shapely.is_missing(plan.rows.geometries_4326).any()
        assert shapely.is_valid(plan.rows.geometries_4326).all()
    for problem in plan.problems:
        assert problem.message
        assert problem.remedy or problem.severity != "error"

"""Rasters in other files than GeoTIFF: their values come through, and what is wrong with them is told."""

from __future__ import annotations

import os
import shutil
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from numpy.typing import NDArray

from layers.reading import ACCEPTED, Limits, Problem, RasterPlan, is_raster, read_file, read_raster, summary
from layers.reading.plan import RefusedError
from layers.reading.raster import store_raster

Write = Callable[..., Path]

# Three rows of four pixels.
VALUES = np.array([[0.5, 1, 2, 3], [4, 5, -9999, 7], [8, 9.25, 10, 11]], dtype=np.float32)
PLACE = (20.0, 0.0, 253_000.0, 0.0, -20.0, 3_709_000.0)
SUFFIXES = {"AAIGrid": ".asc", "HFA": ".img", "netCDF": ".nc", "XYZ": ".xyz", "ENVI": ".dat", "EHdr": ".bil"}


@pytest.fixture
def write_grid(tmp_path: Path, write_raster: Write) -> Write:
    """Return a function that writes pixels in a format, with the parts that its driver makes, into a folder."""

    def write(driver: str, values: NDArray[Any] = VALUES, **profile: Any) -> Path:
        source = write_raster(values, **({} if driver == "XYZ" else {"nodata": -9999}) | profile)
        folder = tmp_path / driver
        folder.mkdir(exist_ok=True)
        path = folder / f"grid{SUFFIXES[driver]}"
        if driver in ("ENVI", "EHdr"):  # which the others are not copied into
            with rasterio.open(source) as file:
                said = {key: file.profile[key] for key in ("width", "height", "count", "dtype", "crs", "transform")}
                pixels, nodata = file.read(), file.nodata
            with (
                rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="FALSE"),  # the driver opens anew what it has made
                rasterio.open(path, "w", driver=driver, nodata=nodata, **said) as made,
            ):
                made.write(pixels)
        else:
            rasterio.shutil.copy(source, path, driver=driver)
        for part in folder.glob("*.aux.xml"):
            part.unlink()
        return path

    return write


def zipped(*parts: Path, to: Path | None = None, more: Mapping[str, bytes] | None = None) -> Path:
    """Put files into a zip in a folder of its own."""
    path = (to or parts[0].parent) / "grid.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in parts:
            archive.write(part, f"data/{part.name}")
        for name, content in (more or {}).items():
            archive.writestr(name, content)
    return path


def parts_of(path: Path) -> list[Path]:
    return [part for part in sorted(path.parent.glob(f"{path.stem}.*")) if part.suffix != ".zip"]


def only(plan: RasterPlan, code: str) -> Problem:
    assert [p.code for p in plan.problems if p.severity == "error"] == [code], summary(plan)
    assert plan.errors[0].remedy
    return plan.errors[0]


def kept(path: Path, plan: RasterPlan) -> NDArray[Any]:
    """Return the pixels as they are stored, after a look at what the stored file says."""
    target = path.with_name("kept.tif")
    store_raster(path, plan, target)
    with rasterio.open(target) as file:
        assert file.driver == "GTiff"
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert (file.count, file.crs.to_epsg(), file.width, file.height) == (1, plan.epsg, plan.width, plan.height)
        assert file.transform[:6] == pytest.approx(plan.transform)
        values = file.read(1, masked=True)
    assert {part.name for part in target.parent.glob("kept.tif*")} == {"kept.tif"}
    return values.astype(np.float64).filled(np.nan)


def assert_holds_values(path: Path, plan: RasterPlan, n_valid: int = 11) -> None:
    assert plan.is_loadable, summary(plan)
    assert plan.epsg == 32639
    assert plan.transform == pytest.approx(PLACE)
    assert (plan.width, plan.height, plan.bands, plan.valid_pixels) == (4, 3, 1, n_valid)
    expected = VALUES.astype(np.float64)
    if n_valid == 11:
        expected = np.where(expected == -9999, np.nan, expected)
        assert (plan.minimum, plan.maximum, plan.total) == (0.5, 11, 60.75)
    np.testing.assert_array_equal(kept(path, plan), expected)


@pytest.mark.parametrize("driver", ["HFA", "netCDF"])
def test_a_file_that_says_all_itself(driver: str, write_grid: Write) -> None:
    path = write_grid(driver)
    assert is_raster(path)
    plan = read_raster(path)
    assert plan.format == driver
    assert_holds_values(path, plan)
    assert read_file(path).sha256 == plan.sha256


@pytest.mark.parametrize("driver", ["AAIGrid", "ENVI", "EHdr", "HFA", "netCDF"])
def test_a_zip_with_all_parts(driver: str, write_grid: Write) -> None:
    path = zipped(*parts_of(write_grid(driver)), more={"data/readme.txt": b"About the data"})
    assert is_raster(path)
    plan = read_raster(path)
    assert plan.format == driver
    assert_holds_values(path, plan)


def test_a_zipped_geotiff_with_its_place_beside_it(write_raster: Write, tmp_path: Path) -> None:
    path = write_raster(VALUES, nodata=-9999)
    assert_holds_values(zipped(path), read_raster(zipped(path)))
    with pytest.warns(rasterio.errors.NotGeoreferencedWarning):
        bare = write_raster(VALUES, nodata=-9999, transform=None, crs=None)
    world = b"20\n0\n0\n-20\n253010\n3708990\n"
    projection = rasterio.crs.CRS.from_epsg(32639).to_wkt(version="WKT1_ESRI").encode()
    both = zipped(bare, to=tmp_path, more={"data/raster.tfw": world, "data/raster.prj": projection})
    assert_holds_values(both, read_raster(both))
    only(read_raster(zipped(bare)), "no_georeference")


def test_a_grid_as_text_stands_alone_where_its_system_is_named(write_grid: Write) -> None:
    path = write_grid("AAIGrid")
    assert "--source-epsg" in only(read_raster(path), "no_crs").remedy  # the .prj beside it is not read
    plan = read_raster(path, source_epsg=32639)
    assert plan.is_crs_named
    assert_holds_values(path, plan)
    renamed = path.with_suffix(".txt")
    shutil.copy(path, renamed)
    assert read_raster(renamed, source_epsg=32639).total == 60.75


def test_decimals_that_begin_late_are_kept(tmp_path: Path) -> None:
    """The driver looks at the beginning only to decide whether the numbers are whole."""
    rows = ["1 " * 400] * 3000 + ["1.5 " * 400]
    path = tmp_path / "late.asc"
    path.write_text("ncols 400\nnrows 3001\nxllcorner 253000\nyllcorner 3700000\ncellsize 10\n" + "\n".join(rows))
    assert read_raster(path, source_epsg=32639).total == 400 * 3001.5


def test_points_on_a_grid(write_grid: Write, tmp_path: Path) -> None:
    path = write_grid("XYZ")
    plan = read_raster(path, source_epsg=32639)
    assert plan.format == "XYZ"
    assert_holds_values(path, plan, n_valid=12)
    projection = rasterio.crs.CRS.from_epsg(32639).to_wkt(version="WKT1_ESRI").encode()
    both = zipped(path, more={"data/grid.prj": projection})
    assert_holds_values(both, read_raster(both), n_valid=12)
    wrong = zipped(path, more={"data/grid.prj": b"PROJCS[nonsense"})
    only(read_raster(wrong), "unknown_crs")
    holes = tmp_path / "holes.xyz"
    holes.write_text("x y z\n0 0 1\n7 3 2\n1 19 4\n")
    only(read_raster(holes, source_epsg=32639), "broken_file")
    words = tmp_path / "words.xyz"
    words.write_text("a letter to a friend\n")
    only(read_raster(words), "mislabelled")


@pytest.fixture
def tile(tmp_path: Path) -> Path:
    """Write an SRTM tile of heights with one void."""
    heights = (np.arange(1201 * 1201) % 4000).astype(">i2")
    heights[5] = -32768
    path = tmp_path / "N33E048.hgt"
    path.write_bytes(heights.tobytes())
    return path


def test_an_srtm_tile_lies_where_its_name_says(tile: Path, tmp_path: Path) -> None:
    near = (48.28, 33.40, 48.44, 33.55)
    plan = read_raster(tile, near=near)
    assert plan.problems == ()
    assert (plan.format, plan.epsg, plan.width, plan.valid_pixels) == ("SRTMHGT", 4326, 1201, 1201 * 1201 - 1)
    west, south, east, north = plan.bounds_4326 or (0, 0, 0, 0)
    assert (west, south, east, north) == pytest.approx((48, 33, 49, 34), abs=1e-3)
    packed = zipped(tile)
    again = read_raster(packed, near=near)
    assert again.total == plan.total
    values = kept(packed, again)
    assert np.isnan(values[0, 5])
    assert (values[0, 6], values[3, 398]) == (6, (3 * 1201 + 398) % 4000)
    longer = tile.with_name("n33e048.SRTMGL1.hgt")
    tile.rename(longer)
    assert read_raster(longer).total == plan.total
    unnamed = longer.rename(tmp_path / "khorramabad.hgt")
    only(read_raster(unnamed), "mislabelled")
    short = tmp_path / "N34E048.hgt"
    short.write_bytes(b"\x00\x01" * 1201 * 1200)
    only(read_raster(short), "mislabelled")


def test_numbers_packed_into_smaller_ones_are_unpacked(write_raster: Write) -> None:
    packed = np.array([[0, 10, -32768], [20, 30, 40]], dtype=np.int16)
    path = write_raster(packed, nodata=-32768)
    with rasterio.open(path, "r+") as file:
        file.scales, file.offsets = (0.5,), (100.0,)
    plan = read_raster(path)
    assert (plan.dtype, plan.minimum, plan.maximum, plan.valid_pixels) == ("float32", 100, 120, 5)
    np.testing.assert_array_equal(kept(path, plan), [[100, 105, np.nan], [110, 115, 120]])


def test_only_the_band_that_is_meant_is_kept(write_raster: Write) -> None:
    path = write_raster(np.stack([VALUES, VALUES + 1]), nodata=-9999)
    plan = read_raster(path, band=2)
    assert kept(path, plan)[0, 0] == 1.5


def test_a_mask_of_pixels_without_data_is_kept(write_raster: Write) -> None:
    values = np.arange(12, dtype=np.uint8).reshape(3, 4)
    path = write_raster(values, crs=None)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK="YES"), rasterio.open(path, "r+") as file:
        file.write_mask(values != 3)
    plan = read_raster(path, source_epsg=32639)
    assert plan.valid_pixels == 11
    np.testing.assert_array_equal(kept(path, plan), np.where(values == 3, np.nan, values))


def test_a_file_changed_meanwhile_is_not_stored(write_grid: Write, tmp_path: Path) -> None:
    path = write_grid("HFA")
    plan = read_raster(path)
    path.write_bytes(path.read_bytes() + b"\x00")
    with pytest.raises(RefusedError) as refused:
        store_raster(path, plan, tmp_path / "kept.tif")
    assert refused.value.problem.code == "file_changed"
    assert not (tmp_path / "kept.tif").exists()


# Hostile files


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("1 2 3 4\n5 6 7 8\n9 10 11\n", "broken_file", "holds 11"),
        ("1 2 3 4\n5 6 7 8\n9 10 11 12 13\n", "broken_file", "holds 13"),
        ("1 2 3 4\n5 six 7 8\n9 10 11 12\n", "broken_file", "Line 7 of the ASCII grid holds 'six'"),
        ("1,5 2 3 4\n5 6 7 8\n9 10 11 12\n", "broken_file", "'1,5'"),
        ("", "broken_file", "holds 0"),
    ],
)
def test_a_grid_as_text_holds_what_it_announces(text: str, code: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "grid.asc"
    path.write_text("ncols 4\nnrows 3\nxllcorner 253000\nyllcorner 3708940\ncellsize 20\n" + text)
    assert says in only(read_raster(path, source_epsg=32639), code).message


@pytest.mark.parametrize(
    ("columns", "rows", "code"),
    [
        (2_000_000_000, 2_000_000_000, "raster_too_large"),
        (2_000_000, 100, "broken_file"),
        (10**30, 3, "raster_too_large"),
        (0, 3, "broken_file"),
    ],
)
def test_a_grid_as_text_that_lies_about_its_size(columns: int, rows: int, code: str, tmp_path: Path) -> None:
    path = tmp_path / "grid.asc"
    path.write_text(f"ncols {columns}\nnrows {rows}\nxllcorner 0\nyllcorner 0\ncellsize 20\n1 2 3 4\n")
    only(read_raster(path, source_epsg=32639), code)


def test_a_file_of_one_endless_word_is_no_grid(tmp_path: Path) -> None:
    path = tmp_path / "grid.asc"
    path.write_bytes(b"ncols 4\nnrows 3\ncellsize 20\n" + b"1" * (4 << 20))
    only(read_raster(path, source_epsg=32639), "broken_file")


@pytest.mark.parametrize("driver", ["ENVI", "EHdr"])
def test_plain_pixels_that_are_cut_off_name_the_row(driver: str, write_grid: Write) -> None:
    """The driver would make zeros of what is not there."""
    path = write_grid(driver)
    path.write_bytes(path.read_bytes()[:20])
    assert only(read_raster(zipped(*parts_of(path))), "broken_file").row == 2


@pytest.mark.parametrize("driver", ["ENVI", "EHdr"])
def test_a_header_that_lies_about_its_pixels(driver: str, write_grid: Write) -> None:
    path = write_grid(driver)
    header = path.with_suffix(".hdr")
    text = header.read_text()
    rows = "lines   = 3" if driver == "ENVI" else "NROWS          3"
    assert rows in text
    header.write_text(text.replace(rows, rows.replace("3", "300000000")))
    only(read_raster(zipped(*parts_of(path))), "raster_too_large")
    header.write_text(text.replace(rows, rows.replace("3", "30000")))
    only(read_raster(zipped(*parts_of(path))), "broken_file")
    header.write_text(text.replace(rows, rows.replace("3", "-3")))
    assert read_raster(zipped(*parts_of(path))).errors


def test_plain_pixels_without_their_header_are_half_a_raster(write_grid: Write) -> None:
    path = write_grid("EHdr")
    assert "in one zip" in only(read_raster(path), "unsupported_format").remedy
    assert is_raster(path)  # so that the remedy is told
    only(read_raster(path.with_suffix(".hdr")), "unsupported_format")


@pytest.mark.parametrize("driver", ["HFA", "netCDF", "AAIGrid", "XYZ"])
def test_a_file_that_is_cut_off_anywhere_is_refused(driver: str, write_grid: Write) -> None:
    values = np.random.default_rng(3).random((90, 70), np.float32)
    path = write_grid(driver, values)
    whole = path.read_bytes()
    for share in range(1, 20):
        path.write_bytes(whole[: len(whole) * share // 20])
        plan = read_raster(path, source_epsg=32639)
        if driver == "XYZ" and plan.is_loadable:  # whole rows that are left are a raster, as far as can be known
            assert plan.height < 90
            continue
        assert not plan.is_loadable, share
        assert plan.errors[0].code in ("broken_file", "mislabelled", "unsupported_format"), plan.errors


# What GDAL says of such a file may be no text at all, which its log cannot take.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("driver", ["HFA", "netCDF", "AAIGrid", "EHdr", "ENVI"])
def test_bytes_changed_at_random_never_break_the_reader(driver: str, write_grid: Write) -> None:
    path = write_grid(driver)
    parts = parts_of(path)
    wholes = {part: part.read_bytes() for part in parts}
    random = np.random.default_rng(9)
    for _ in range(60):
        for part, whole in wholes.items():
            data = bytearray(whole)
            for at in random.integers(0, len(data), 3):
                data[at] = int(random.integers(0, 256))
            part.write_bytes(data)
        plan = read_raster(zipped(*parts), source_epsg=32639)
        assert plan.is_loadable or all(problem.remedy for problem in plan.errors)


def test_an_imagine_file_that_leads_elsewhere_is_refused(write_grid: Write) -> None:
    path = write_grid("HFA")
    whole = path.read_bytes()
    at = whole.index(b"\x00RasterDMS\x00") + 1  # the node that says where the pixels are
    path.write_bytes(whole[:at] + b"ExternalRasterDMS" + whole[at + 17 :])
    assert "other files" in only(read_raster(path), "unsafe_file").message
    at = whole.index(b"IMGFormatInfo\x00")
    data = struct.unpack("<I", whole[at - 8 : at - 4])[0]
    changed = bytearray(whole)
    changed[at : at + 64] = b"RRDNamesList".ljust(64, b"\x00")
    changed[data : data + 4] = b"../a"
    path.write_bytes(changed)
    only(read_raster(path), "unsafe_file")


def test_an_imagine_file_whose_contents_go_in_a_circle(write_grid: Write) -> None:
    path = write_grid("HFA")
    data = bytearray(path.read_bytes())
    at = data.index(b"IMGFormatInfo\x00") - 24
    data[at : at + 4] = struct.pack("<I", at)
    path.write_bytes(data)
    read_raster(path)  # comes back, whatever it says


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("grid.nc", b"\x89HDF\r\n\x1a\n" + bytes(500)),
        ("grid.grb", b"GRIB" + bytes(500)),
        ("grid.img", b"\x89PNG\r\n\x1a\n" + bytes(500)),
        ("grid.asc", b"<VRTDataset rasterXSize='4' rasterYSize='3'></VRTDataset>"),
        ("grid.nc", b"<VRTDataset rasterXSize='4' rasterYSize='3'></VRTDataset>"),
        ("grid.xyz", b"<VRTDataset rasterXSize='4' rasterYSize='3'></VRTDataset>"),
    ],
)
def test_other_content_behind_a_rasters_name_is_refused(name: str, head: bytes, tmp_path: Path) -> None:
    """netCDF-4 is HDF5, in which a variable can lie in any other file of the machine; it is not read."""
    path = tmp_path / name
    path.write_bytes(head)
    plan = read_raster(path, source_epsg=32639)
    assert plan.errors[0].code in ("mislabelled", "unsupported_format")
    assert read_raster(zipped(path)).errors


def test_a_virtual_dataset_beside_plain_pixels_is_not_opened(write_grid: Write, tmp_path: Path) -> None:
    secret = tmp_path / "secret.tif"
    shutil.copy(write_grid("HFA"), secret)
    header = f"<VRTDataset rasterXSize='4' rasterYSize='3'><SourceFilename>{secret}</SourceFilename></VRTDataset>"
    path = tmp_path / "hostile.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("grid.bil", bytes(48))
        archive.writestr("grid.hdr", header)
    assert not read_raster(path).is_loadable


def test_side_files_in_a_zip_are_not_unpacked(write_grid: Write) -> None:
    path = write_grid("EHdr")
    more = {
        "data/grid.aux.xml": b"<PAMDataset><SRS>EPSG:4326</SRS></PAMDataset>",
        "data/grid.bil.aux.xml": b"<PAMDataset><PAMRasterBand band='1'><NoDataValue>4</NoDataValue></PAMRasterBand></PAMDataset>",
        "data/grid.stx": b"1 0 0 0 0",
        "data/grid.clr": b"0 0 0 0",
        "data/grid.bil.ovr": b"II*\x00",
    }
    packed = zipped(*parts_of(path), more=more)
    assert_holds_values(packed, read_raster(packed))


def test_a_zip_with_two_rasters_is_refused(write_grid: Write) -> None:
    first, second = write_grid("HFA"), write_grid("netCDF")
    only(read_raster(zipped(first, second)), "not_one_file")


def test_a_netcdf_file_with_several_variables_wants_one(tmp_path: Path) -> None:
    path = tmp_path / "two.nc"
    path.write_bytes(two_variables())
    assert "gdal_translate" in only(read_raster(path, source_epsg=32639), "several_rasters").remedy


def two_variables() -> bytes:
    """Return a netCDF file of two variables on one grid."""

    def text(value: str) -> bytes:
        return struct.pack(">I", len(value)) + value.encode().ljust(-(-len(value) // 4) * 4, b"\x00")

    names = ("rain", "snow")
    head = b"CDF\x01" + bytes(4) + struct.pack(">II", 10, 2)
    head += text("lat") + struct.pack(">I", 3) + text("lon") + struct.pack(">I", 4) + bytes(8)
    length = len(head) + 8 + sum(len(text(name)) + 4 + 8 + 8 + 12 for name in names)
    head += struct.pack(">II", 11, len(names))
    for n, name in enumerate(names):
        head += text(name) + struct.pack(">III", 2, 0, 1) + bytes(8) + struct.pack(">III", 5, 48, length + 48 * n)
    return head + bytes(48 * len(names))


def test_a_raster_with_too_many_pixels_is_refused_unread(write_grid: Write) -> None:
    for driver in ("AAIGrid", "HFA", "netCDF", "XYZ"):
        path = write_grid(driver)
        only(read_raster(path, source_epsg=32639, limits=Limits(pixels=11)), "raster_too_large")


def test_a_grid_that_is_far_away_or_turned_is_told_like_a_geotiff(write_grid: Write) -> None:
    path = write_grid("HFA", crs="EPSG:32640")
    only(read_raster(path, near=(48.28, 33.40, 48.44, 33.55)), "far_from_city")
    only(read_raster(path, source_epsg=4326), "wrong_crs")


def test_links_are_not_followed(write_grid: Write, tmp_path: Path) -> None:
    link = tmp_path / "link.img"
    os.symlink(write_grid("HFA"), link)
    only(read_raster(link), "unsafe_path")
    assert not is_raster(link)


def test_what_is_accepted_is_told() -> None:
    for word in (".asc", ".img", "netCDF", ".hgt", ".xyz", "ENVI"):
        assert word in ACCEPTED

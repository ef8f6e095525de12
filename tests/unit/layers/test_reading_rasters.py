"""Rasters: what they hold is counted, and what makes them useless is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from rasterio import Affine
from rasterio.errors import NotGeoreferencedWarning

from layers.reading import Limits, Problem, RasterPlan, read_raster, summary

Write = Callable[..., Path]

KHORRAMABAD = (48.28, 33.40, 48.44, 33.55)
# Three rows of four pixels: people, of whom there are 66.
PEOPLE = np.arange(12, dtype=np.float32).reshape(3, 4)


def only(plan: RasterPlan, code: str, severity: str = "error") -> Problem:
    assert [(p.severity, p.code) for p in plan.problems] == [(severity, code)], summary(plan)
    assert plan.is_loadable is (severity != "error")
    assert plan.problems[0].remedy
    return plan.problems[0]


def test_a_good_raster_is_described_and_counted(write_raster: Write) -> None:
    path = write_raster(PEOPLE, nodata=-1)
    plan = read_raster(path, non_negative=True, near=KHORRAMABAD)
    assert plan.problems == ()
    assert (plan.epsg, plan.crs, plan.dtype, plan.nodata) == (32639, "EPSG:32639", "float32", -1)
    assert (plan.width, plan.height, plan.band, plan.bands) == (4, 3, 1, 1)
    assert (plan.valid_pixels, plan.minimum, plan.maximum, plan.total) == (12, 0, 11, 66)
    assert plan.transform == (20, 0, 253_000, 0, -20, 3_709_000)
    west, south, east, north = plan.bounds_4326 or (0, 0, 0, 0)
    assert 48.2 < west < east < 48.5
    assert 33.4 < south < north < 33.6
    assert east - west == pytest.approx(80 / (111_320 * np.cos(np.radians(33.5))), rel=0.05)


def test_pixels_without_data_are_not_counted(write_raster: Write) -> None:
    values = PEOPLE.copy()
    values[0, 0], values[1, 1] = -1, np.nan
    plan = read_raster(write_raster(values, nodata=-1), non_negative=True)
    assert "1 pixels are NaN" in only(plan, "nan_pixels", "warning").message
    assert (plan.valid_pixels, plan.total) == (10, 66 - 0 - 5)
    declared = read_raster(write_raster(values * [[1], [1], [1]], nodata=np.nan))
    assert declared.problems == ()
    assert declared.valid_pixels == 11


def test_windows_of_any_layout_see_every_pixel_once(write_raster: Write) -> None:
    values = np.random.default_rng(4).integers(0, 9, (700, 900)).astype(np.float32)
    for layout in (
        {},
        {"tiled": True, "blockxsize": 128, "blockysize": 256},
        {"blockysize": 700, "compress": "deflate"},
    ):
        plan = read_raster(write_raster(values, **layout))
        assert (plan.valid_pixels, plan.total) == (630_000, values.sum(dtype=np.float64))


def test_negative_counts_are_located(write_raster: Write) -> None:
    values = PEOPLE.copy()
    values[1, 2] = -3
    path = write_raster(values)
    problem = only(read_raster(path, non_negative=True), "negative_values")
    assert problem.row == 2
    assert "column 3" in problem.message
    assert "-3" in problem.message
    assert problem.lon == pytest.approx(48.343, abs=0.01)
    assert read_raster(path).is_loadable  # elevations may be negative


def test_an_undeclared_mark_for_no_data_is_recognised(write_raster: Write) -> None:
    values = PEOPLE.copy()
    values[0] = -9999
    assert "-9999" in only(read_raster(write_raster(values)), "undeclared_nodata", "warning").remedy
    assert "-a_nodata -9999" in only(read_raster(write_raster(values), non_negative=True), "negative_values").remedy
    assert read_raster(write_raster(values, nodata=-9999), non_negative=True).problems == ()


def test_infinite_pixels_are_located(write_raster: Write) -> None:
    values = PEOPLE.copy()
    values[2, 3] = np.inf
    assert only(read_raster(write_raster(values)), "not_finite").row == 3


@pytest.mark.parametrize("empty", [-1, np.nan])
def test_a_raster_without_any_value_is_refused(empty: float, write_raster: Write) -> None:
    plan = read_raster(write_raster(np.full((3, 4), empty, np.float32), nodata=empty))
    only(plan, "no_values")
    assert plan.total is None


def test_nobody_anywhere_is_worth_a_warning(write_raster: Write) -> None:
    only(read_raster(write_raster(PEOPLE * 0), non_negative=True), "all_zero", "warning")


def test_a_raster_without_a_place_is_refused(write_raster: Write) -> None:
    with pytest.warns(NotGeoreferencedWarning):
        path = write_raster(PEOPLE, transform=None)
    only(read_raster(path), "no_georeference")


def test_a_raster_without_a_system_needs_one_named(write_raster: Write) -> None:
    path = write_raster(PEOPLE, crs=None)
    assert "--source-epsg" in only(read_raster(path), "no_crs").remedy
    assert read_raster(path, source_epsg=32639).epsg == 32639
    only(read_raster(path, source_epsg=99), "unknown_crs")


def test_a_system_without_a_code_is_refused(write_raster: Write) -> None:
    path = write_raster(PEOPLE, crs="+proj=tmerc +lat_0=31 +lon_0=47.123 +k=1 +x_0=2e5 +y_0=3.4e6 +ellps=intl +units=m")
    only(read_raster(path), "unusable_crs")


@pytest.mark.parametrize(
    ("transform", "code"),
    [
        (Affine(17, 10, 253_000, 10, -17, 3_709_000), "rotated"),
        (Affine(20, 0, 253_000, 0, 20, 3_709_000), "upside_down"),
        (Affine(-20, 0, 253_000, 0, -20, 3_709_000), "upside_down"),
    ],
)
def test_rasters_that_are_not_upright_are_refused(transform: Affine, code: str, write_raster: Write) -> None:
    assert "gdalwarp" in only(read_raster(write_raster(PEOPLE, transform=transform)), code).remedy


def test_the_wrong_system_is_recognised(write_raster: Write) -> None:
    path = write_raster(PEOPLE, crs="EPSG:4326")
    assert "--source-epsg 32639" in only(read_raster(path, near=KHORRAMABAD), "wrong_crs").remedy
    degrees = write_raster(PEOPLE, transform=Affine(0.001, 0, 48.35, 0, -0.001, 33.5))
    only(read_raster(degrees), "wrong_crs")
    elsewhere = write_raster(PEOPLE, crs="EPSG:32640")
    only(read_raster(elsewhere, near=KHORRAMABAD), "far_from_city")


def test_a_picture_is_no_raster_of_values(write_raster: Write) -> None:
    path = write_raster(np.zeros((3, 3, 4), np.uint8), photometric="RGB")
    only(read_raster(path), "picture")
    assert read_raster(path, band=2).band == 2
    only(read_raster(path, band=4), "no_such_band")


def test_several_bands_want_a_choice(write_raster: Write) -> None:
    path = write_raster(np.stack([PEOPLE, PEOPLE * 2]))
    plan = read_raster(path)
    only(plan, "several_bands", "warning")
    assert plan.total == 66
    assert read_raster(path, band=2).total == 132


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex_pixels_are_refused(dtype: str, write_raster: Write) -> None:
    assert "Float32" in only(read_raster(write_raster(PEOPLE.astype(dtype))), "wrong_dtype").remedy


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float64"])
def test_plain_numbers_of_any_type_are_read(dtype: str, write_raster: Write) -> None:
    assert read_raster(write_raster(PEOPLE.astype(dtype))).total == 66


def test_a_raster_that_is_too_large_is_refused_unread(write_raster: Write) -> None:
    # Sparse: gigabytes of pixels in a few kilobytes of file.
    path = write_raster(np.ones((1, 1), np.uint8))
    import rasterio

    with rasterio.open(
        path, "w", driver="GTiff", width=30_000, height=30_000, count=1, dtype="float32", crs="EPSG:32639",
        transform=Affine(20, 0, 253_000, 0, -20, 3_709_000), tiled=True, sparse_ok=True,
    ):  # fmt: skip
        pass
    assert path.stat().st_size < 1 << 20
    assert "30,000 × 30,000" in only(read_raster(path), "raster_too_large").message
    assert only(read_raster(write_raster(PEOPLE), limits=Limits(pixels=11)), "raster_too_large")


def test_a_raster_that_is_cut_off_names_the_row_of_pixels(write_raster: Write) -> None:
    values = np.random.default_rng(5).random((3000, 2000), np.float32)
    path = write_raster(values, tiled=True, blockxsize=256, blockysize=256)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 9 // 10])
    problem = only(read_raster(path), "broken_file")
    assert problem.row is not None
    assert problem.row > 1


def test_files_beside_a_raster_are_not_read(write_raster: Write) -> None:
    path = write_raster(PEOPLE, crs=None)
    path.with_name("raster.tif.aux.xml").write_text("<PAMDataset><SRS>EPSG:32639</SRS></PAMDataset>")
    only(read_raster(path), "no_crs")

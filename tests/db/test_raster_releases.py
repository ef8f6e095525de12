"""Rasters of any format become releases: one band, in the reference system meant, as a cloud-optimised GeoTIFF."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from django.conf import settings
from django.core.management import call_command
from numpy.typing import NDArray

from geo.errors import InvalidInput
from geo.models import Place
from layers.models import Layer, Release
from layers.reading import is_raster, read_raster
from layers.services import LayerSpec, layer_put, raster_release_create
from tests.db.bringing import SOUTH, WEST

pytestmark = pytest.mark.django_db

HEIGHTS = np.array([[1200.5, 1201], [-9999, 1203.25]])
GRID = f"ncols 2\nnrows 2\nxllcorner {WEST}\nyllcorner {SOUTH}\ncellsize 0.01\nNODATA_value -9999\n" + "\n".join(
    " ".join(map(str, row)) for row in HEIGHTS
)


@pytest.fixture
def layer(demo_city: Place) -> Layer:
    return layer_put(LayerSpec(demo_city, "housing", "heights", "raster", "ارتفاع", "Heights", "A survey"))


@pytest.fixture
def grid(tmp_path: Path) -> Path:
    """Write a zip with an ASCII grid and its reference system."""
    path = tmp_path / "heights.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("heights/heights.asc", GRID)
        archive.writestr("heights/heights.prj", rasterio.crs.CRS.from_epsg(4326).to_wkt(version="WKT1_ESRI"))
    return path


def bands(path: Path, **profile: Any) -> Path:
    """Write a GeoTIFF of two bands."""
    values = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    transform = rasterio.Affine(0.01, 0, WEST, 0, -0.01, SOUTH + 0.1)
    options = {"crs": "EPSG:4326", "transform": transform, "nodata": -1} | profile
    with rasterio.open(path, "w", driver="GTiff", width=4, height=3, count=2, dtype="int16", **options) as file:
        file.write(values)
    return path


def pixels(release: Release) -> tuple[NDArray[Any], int]:
    with rasterio.open(Path(settings.RASTER_DIR) / release.raster.file) as file:
        assert (file.driver, file.count) == ("GTiff", 1)
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        return file.read(1), int(file.crs.to_epsg())


def stored(layer: Layer, path: Path, **options: Any) -> Release:
    return raster_release_create(layer=layer, plan=read_raster(path, **options), path=path)


def test_a_zipped_grid_is_imported_by_command(layer: Layer, grid: Path) -> None:
    assert is_raster(grid)
    call_command("import_layer", "khorramabad", "heights", str(grid))
    release = layer.releases.get()
    values, epsg = pixels(release)
    np.testing.assert_array_equal(values, HEIGHTS)
    assert epsg == release.raster.epsg == 4326
    assert (release.row_count, release.raster.minimum, release.raster.maximum) == (3, 1200.5, 1203.25)
    assert release.raster.mean == pytest.approx(HEIGHTS[HEIGHTS > 0].mean())
    call_command("import_layer", "khorramabad", "heights", str(grid))
    assert layer.releases.count() == 1
    assert not list(Path(settings.RASTER_DIR).glob("*.plain"))
    assert not list(Path(settings.RASTER_DIR).glob(".part-*"))


def test_another_band_is_another_release(layer: Layer, tmp_path: Path) -> None:
    path = bands(tmp_path / "two.tif")
    first, second = stored(layer, path), stored(layer, path, band=2)
    assert (first.number, second.number) == (1, 2)
    assert pixels(first)[0].tolist() == np.arange(12).reshape(3, 4).tolist()
    assert pixels(second)[0].tolist() == np.arange(12, 24).reshape(3, 4).tolist()
    assert (second.raster.minimum, second.raster.mean) == (12, 17.5)
    assert stored(layer, path, band=2) == second


def test_the_system_that_was_named_is_the_one_that_is_kept(layer: Layer, tmp_path: Path) -> None:
    path = bands(tmp_path / "bare.tif", crs=None)
    release = stored(layer, path, source_epsg=4326)
    assert pixels(release)[1] == release.raster.epsg == 4326
    other = stored(layer, path, source_epsg=4258)  # ETRS89: the same degrees by another name
    assert pixels(other)[1] == other.raster.epsg == 4258
    assert other.number == 2


def test_a_file_changed_after_it_was_read_is_not_stored(layer: Layer, grid: Path) -> None:
    def noted(text: str) -> None:
        with zipfile.ZipFile(grid, "a") as archive:
            archive.writestr(f"heights/{text}.txt", text)

    noted("a file that no other test has stored")
    plan = read_raster(grid)
    noted("changed")
    with pytest.raises(InvalidInput) as refused:
        raster_release_create(layer=layer, plan=plan, path=grid)
    assert refused.value.code == "file_changed"
    assert not layer.releases.exists()

"""Parts of rasters, read around a city and asked at points."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import rasterio
from django.conf import settings
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.windows import Window, from_bounds

from geo.core.crs import project_xy
from layers.models import Raster, Release

_MOST_PIXELS: Final = 30_000_000
_CORNERS: Final = 20


@dataclass(frozen=True, slots=True, eq=False)
class RasterWindow:
    """Pixels of a part of a raster.

    Attributes
    ----------
    values
        Shape ``(rows, columns)``.
    is_known
        Where there is a value.
    affine
        From column and row to x and y in ``epsg``, as rasterio has it.
    pixel_m
        Side of a pixel, about.
    """

    values: NDArray[Any]
    is_known: NDArray[np.bool_]
    affine: tuple[float, ...]
    epsg: int
    pixel_m: float

    def pixels_of(self, xy_m: NDArray[np.float64], epsg: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return column and row, in pixels from the corner of the window, of points in a projected system."""
        xy = project_xy(xy_m, epsg, self.epsg) if epsg != self.epsg else xy_m
        return _pixels_of(xy, self.affine)


def raster_window(
    release: Release, bounds_m: tuple[float, float, float, float], epsg: int, *, is_classes: bool = False
) -> RasterWindow | None:
    """Read the pixels of a raster that lie within bounds; coarser where they were too many.

    Parameters
    ----------
    release
        A release of a raster layer.
    bounds_m, epsg
        The bounds and their projected system.
    is_classes
        Whether values are codes, which are never mixed.

    Returns
    -------
    RasterWindow or None
        None where the raster lies elsewhere.
    """
    raster = Raster.objects.get(release=release)
    x = np.linspace(bounds_m[0], bounds_m[2], _CORNERS)
    y = np.linspace(bounds_m[1], bounds_m[3], _CORNERS)
    xy = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    there = project_xy(xy, epsg, raster.epsg) if epsg != raster.epsg else xy
    with rasterio.open(settings.RASTER_DIR / raster.file) as file:
        (west, south), (east, north) = there.min(axis=0), there.max(axis=0)
        asked = from_bounds(west, south, east, north, file.transform)
        col, row = max(math.floor(asked.col_off) - 2, 0), max(math.floor(asked.row_off) - 2, 0)
        col_end = min(math.ceil(asked.col_off + asked.width) + 2, file.width)
        row_end = min(math.ceil(asked.row_off + asked.height) + 2, file.height)
        if col >= col_end or row >= row_end:
            return None
        window = Window(col, row, col_end - col, row_end - row)
        coarser = max(math.ceil(math.sqrt(window.width * window.height / _MOST_PIXELS)), 1)
        shape = (math.ceil(window.height / coarser), math.ceil(window.width / coarser))
        found = file.read(
            1, window=window, out_shape=shape, masked=True, resampling=Resampling.nearest if is_classes else Resampling.average
        )  # fmt: skip
        a, b, c, d, e, f = tuple(file.transform)[:6]
        wide, high = window.width / shape[1], window.height / shape[0]
        affine = (a * wide, b * high, a * col + b * row + c, d * wide, e * high, d * col + e * row + f)
        is_known = ~np.ma.getmaskarray(found)
    values = np.ma.getdata(found)
    if np.issubdtype(values.dtype, np.floating):
        is_known &= np.isfinite(values)
    column, line = _pixels_of(there[[0, -1]], affine)
    in_pixels = math.hypot(column[1] - column[0], line[1] - line[0])
    pixel_m = math.hypot(bounds_m[2] - bounds_m[0], bounds_m[3] - bounds_m[1]) / max(in_pixels, 1e-9)
    return RasterWindow(values, is_known, affine, raster.epsg, pixel_m)


def _pixels_of(xy: NDArray[np.float64], affine: tuple[float, ...]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return column and row of points in the system of the pixels."""
    a, b, c, d, e, f = affine
    x, y, whole = xy[:, 0] - c, xy[:, 1] - f, a * e - b * d
    return (e * x - b * y) / whole, (a * y - d * x) / whole

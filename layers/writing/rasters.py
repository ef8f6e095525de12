"""Rasters as cloud-optimised GeoTIFF: as they are stored, or a window of them, or in another reference system."""

from __future__ import annotations

import math
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import rasterio
import rasterio.shutil
import rasterio.windows
from affine import Affine
from django.conf import settings
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.warp import calculate_default_transform, transform_bounds
from rasterio.windows import Window

from geo.core.crs import STORAGE_EPSG
from geo.errors import InvalidInput, LimitExceeded
from layers.models import Raster
from layers.reading.quiet import quiet
from layers.squares import LEAST_SQUARE_M, people_added, square_px
from layers.writing.systems import Bounds

_MOST_PIXELS: Final = 400_000_000
_PIXELS_AT_ONCE: Final = 4_000_000
_HAIR: Final = 1e-6
"""Of a pixel: what rounding makes of an edge that lies on another."""
_RESAMPLING: Final = {
    "population": Resampling.sum,
    "elevation": Resampling.bilinear,
    "slope": Resampling.bilinear,
}
"""By the layer's purpose: people are added up, heights lie between their neighbours; all else is the nearest pixel's."""


@dataclass(frozen=True, slots=True)
class RasterFacts:
    """What a raster that was written holds."""

    width: int
    height: int
    dtype: str
    nodata: float | None
    minimum: float | None
    maximum: float | None
    method: str
    withheld: int = 0
    """Squares of which the people are not told."""


def raster_path(raster: Raster) -> Path:
    """Return where a raster lies."""
    path: Path = settings.RASTER_DIR / raster.file
    return path


def require_window(raster: Raster, window_4326: Bounds | None) -> Bounds:
    """Return the bounds in degrees of what is wanted of a raster.

    Raises
    ------
    InvalidInput
        Where the window is no box, or beside the raster.
    """
    with rasterio.open(raster_path(raster)) as source:
        whole: Bounds = transform_bounds(source.crs, STORAGE_EPSG, *source.bounds)
    if window_4326 is None:
        return whole
    west, south, east, north = window_4326
    if not (all(map(math.isfinite, window_4326)) and west < east and south < north):
        raise InvalidInput(
            "The window is not a box.", code="bad_window", where="bbox", remedy="Give west,south,east,north in degrees."
        )
    if west >= whole[2] or east <= whole[0] or south >= whole[3] or north <= whole[1]:
        raise InvalidInput(
            "The window lies beside the raster.",
            code="window_elsewhere",
            where="bbox",
            remedy=f"Stay within {', '.join(f'{value:.5f}' for value in whole)}.",
        )
    return max(west, whole[0]), max(south, whole[1]), min(east, whole[2]), min(north, whole[3])


def raster_write(raster: Raster, path: Path, epsg: int, window_4326: Bounds | None, purpose: str) -> RasterFacts:
    """Write a raster, or a part of it, as a cloud-optimised GeoTIFF.

    Raises
    ------
    LimitExceeded
        Where it would have too many pixels.
    """
    stored = raster_path(raster)
    if window_4326 is None and epsg == raster.epsg:
        shutil.copyfile(stored, path)
        return _facts(path, "as stored")
    with quiet(), rasterio.open(stored) as source:
        is_moved = epsg != raster.epsg
        grid = _grid(source, epsg, window_4326)
        if grid["width"] * grid["height"] > _MOST_PIXELS:
            raise LimitExceeded(
                f"The raster would have {grid['width'] * grid['height'] / 1e6:,.0f} million pixels.",
                code="raster_too_large",
                where="bbox",
                remedy="Ask for a window of it.",
            )
        method = _RESAMPLING.get(purpose, Resampling.nearest) if is_moved else Resampling.nearest
        nodata = source.nodata
        if is_moved and nodata is None and np.issubdtype(np.dtype(source.dtypes[0]), np.floating):
            nodata = math.nan
        extra = {"add_alpha": True} if is_moved and nodata is None else {"nodata": nodata}
        with WarpedVRT(source, crs=f"EPSG:{epsg}", resampling=method, **grid, **extra) as moved:
            rasterio.shutil.copy(
                moved, path, driver="COG", compress="deflate", predictor="yes", blocksize=256,
                overview_resampling="average" if method != Resampling.nearest else "nearest",
            )  # fmt: skip
    return _facts(path, f"resampled ({method.name})" if is_moved else "window, pixels as stored")


def squares_write(raster: Raster, path: Path, window_4326: Bounds | None, below: float) -> RasterFacts:
    """Write a raster of people for readers who are not told of few: added up over squares, without those of few people.

    The squares begin in the corner of the raster and do not depend on the window, so that no two exports can be
    subtracted from each other. Where nothing is known or too few live, there is no data.
    """
    plain = path.with_name(f"{path.stem}.plain.tif")
    with quiet(), rasterio.open(raster_path(raster)) as source:
        columns, rows = square_px(source)
        grid = _grid(source, raster.epsg, window_4326)
        first_col, first_row = (round(part) for part in ~source.transform @ (grid["transform"].c, grid["transform"].f))
        left, top = first_col // columns, first_row // rows
        right = math.ceil(min(first_col + grid["width"], source.width) / columns)
        bottom = math.ceil(min(first_row + grid["height"], source.height) / rows)
        withheld = 0
        profile = {
            "driver": "GTiff", "width": right - left, "height": bottom - top, "count": 1, "dtype": "float32",
            "nodata": math.nan, "crs": source.crs,
            "transform": source.transform @ Affine.translation(left * columns, top * rows) @ Affine.scale(columns, rows),
        }  # fmt: skip
        at_once = max(1, _PIXELS_AT_ONCE // (source.width * rows))
        with rasterio.open(plain, "w", **profile) as made:
            for row in range(top, bottom, at_once):
                n = min(at_once, bottom - row)
                window = Window(
                    left * columns, row * rows,
                    min(right * columns, source.width) - left * columns, min((row + n) * rows, source.height) - row * rows,
                )  # fmt: skip
                people = people_added(source.read(1, window=window, masked=True), rows, columns)
                few = (people > 0) & (people < below)
                withheld += int(few.sum())
                people[few] = np.nan
                made.write(people.astype(np.float32), 1, window=Window(0, row - top, right - left, n))
        side_m = raster.pixel_m * columns if raster.pixel_m and not source.crs.is_geographic else LEAST_SQUARE_M
    try:
        with rasterio.open(plain) as made:
            rasterio.shutil.copy(made, path, driver="COG", compress="deflate", predictor="yes", blocksize=256)
    finally:
        plain.unlink(missing_ok=True)
    said = f"people added up over squares of about {side_m:.0f} m; squares of few people are left out"
    return replace(_facts(path, said), withheld=withheld)


def _grid(source: Any, epsg: int, window_4326: Bounds | None) -> dict[str, Any]:
    """Return the pixels wanted: those of the raster itself where the reference system is its own."""
    if source.crs.to_epsg() == epsg:
        bounds = transform_bounds(STORAGE_EPSG, source.crs, *window_4326) if window_4326 else source.bounds
        asked = source.window(*bounds)
        # Whole pixels: those that the window touches.
        first_col, first_row = (max(math.floor(offset + _HAIR), 0) for offset in (asked.col_off, asked.row_off))
        last_col = min(math.ceil(asked.col_off + asked.width - _HAIR), source.width)
        last_row = min(math.ceil(asked.row_off + asked.height - _HAIR), source.height)
        width, height = max(last_col - first_col, 1), max(last_row - first_row, 1)
        window = rasterio.windows.Window(first_col, first_row, width, height)
        return {"transform": source.window_transform(window), "width": width, "height": height}
    target = rasterio.crs.CRS.from_epsg(epsg)
    transform, width, height = calculate_default_transform(
        source.crs, target, source.width, source.height, *source.bounds
    )
    if window_4326 is None:
        return {"transform": transform, "width": width, "height": height}
    west, south, east, north = transform_bounds(STORAGE_EPSG, target, *window_4326)
    size_x, size_y = transform.a, -transform.e
    return {
        "transform": rasterio.transform.from_origin(west, north, size_x, size_y),
        "width": max(math.ceil((east - west) / size_x), 1),
        "height": max(math.ceil((north - south) / size_y), 1),
    }


def _facts(path: Path, method: str) -> RasterFacts:
    lowest = highest = None
    with rasterio.open(path) as file:
        for _, window in file.block_windows(1):
            values = file.read(1, window=window, masked=True)
            if values.count():
                low, high = float(values.min()), float(values.max())
                if math.isfinite(low) and math.isfinite(high):
                    lowest = low if lowest is None else min(lowest, low)
                    highest = high if highest is None else max(highest, high)
        nodata = file.nodata
        return RasterFacts(
            file.width, file.height, file.dtypes[0],
            nodata if nodata is None or math.isfinite(nodata) else None, lowest, highest, method,
        )  # fmt: skip

"""Squares in which people are told to readers who are not told of few: pixels of a raster, added up.

They begin in the corner of the raster, the same wherever people are told, so that nothing can be found by subtraction.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from geo.core.crs import TILE_EPSG

LEAST_SQUARE_M: Final = 100.0
"""How wide squares are at least."""
_DEGREE_M: Final = 111_320.0
_EARTH_M: Final = 6_378_137.0


def pixel_sides_m(source: Any) -> tuple[float, float]:
    """Return how wide and high a pixel of a raster is on the ground, in its middle."""
    wide_m, high_m = abs(source.transform.a), abs(source.transform.e)
    if source.crs.is_geographic:
        middle = (source.bounds.top + source.bounds.bottom) / 2
        wide_m, high_m = wide_m * _DEGREE_M * max(math.cos(math.radians(middle)), 0.01), high_m * _DEGREE_M
    else:
        metres = source.crs.linear_units_factor[1]
        wide_m, high_m = wide_m * metres, high_m * metres
        if source.crs.to_epsg() == TILE_EPSG:
            shrunk = 1 / math.cosh((source.bounds.top + source.bounds.bottom) / 2 / _EARTH_M)
            wide_m, high_m = wide_m * shrunk, high_m * shrunk
    return wide_m, high_m


def square_px(source: Any) -> tuple[int, int]:
    """Return how many pixels wide and high the squares are in which people are told."""
    wide, high = (2 ** max(0, math.ceil(math.log2(LEAST_SQUARE_M / side_m))) for side_m in pixel_sides_m(source))
    return min(wide, source.width), min(high, source.height)


def people_added(band: Any, rows: int, columns: int) -> NDArray[np.float64]:
    """Add up the pixels of each square; NaN where none is known."""
    values = np.where(np.ma.getmaskarray(band), np.nan, np.ma.getdata(band).astype(np.float64))
    values[~np.isfinite(values)] = np.nan
    high, wide = (math.ceil(n / side) * side for n, side in zip(values.shape, (rows, columns), strict=True))
    padded = np.full((high, wide), np.nan)
    padded[: values.shape[0], : values.shape[1]] = values
    squares = padded.reshape(high // rows, rows, wide // columns, columns)
    known = np.isfinite(squares).any(axis=(1, 3))
    return np.where(known, np.nansum(squares, axis=(1, 3)), np.nan)


__all__ = ["LEAST_SQUARE_M", "people_added", "pixel_sides_m", "square_px"]

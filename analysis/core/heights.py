"""Heights and classes at points, from the pixels of a raster."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float64]

#: Heights are smoothed by a bell curve of this standard deviation (metres): pieces of street are shorter than pixels
#: are wide, and the noise of the pixels would pass for slopes.
SMOOTHING_M: Final = 20.0

# A bell curve narrower than this, in pixels, smooths nothing.
_NARROWEST: Final = 0.3


def smoothed(values: NDArray[np.floating], pixel_m: float, smoothing_m: float = SMOOTHING_M) -> Floats:
    """Smooth heights; pixels that are not known are left out of the mean, and stay unknown.

    Parameters
    ----------
    values
        Shape ``(rows, columns)``: metres, NaN where unknown.
    pixel_m
        Side of a pixel in metres.
    smoothing_m
        Standard deviation of the bell curve.

    Examples
    --------
    >>> smoothed(np.array([[0.0, 0.0, 9.0, 0.0, 0.0]]), pixel_m=20.0).round(1).tolist()
    [[0.5, 2.2, 3.6, 2.2, 0.5]]
    """
    height = np.asarray(values, dtype=np.float64)
    sigma = smoothing_m / pixel_m
    if sigma < _NARROWEST:
        return height
    known = np.isfinite(height)
    weighted = ndimage.gaussian_filter(np.where(known, height, 0.0), sigma, mode="nearest", truncate=3.0)
    weight = ndimage.gaussian_filter(known.astype(np.float64), sigma, mode="nearest", truncate=3.0)
    return np.where(known, weighted / np.where(known, weight, 1.0), np.nan)


def between_pixels(values: NDArray[np.floating], column: Floats, row: Floats) -> Floats:
    """Interpolate linearly between the centres of pixels.

    Parameters
    ----------
    values
        Shape ``(rows, columns)``, NaN where unknown.
    column, row
        Shape ``(n,)``: in pixels from the corner of the first one, whose centre is (0.5, 0.5).

    Returns
    -------
    ndarray
        Shape ``(n,)``: from the neighbouring centres that are known; NaN outside the pixels and where none of them is.

    Examples
    --------
    >>> heights_m = np.array([[10.0, 20.0], [10.0, np.nan]])
    >>> between_pixels(heights_m, np.array([1.0, 1.0, 1.9, 3.0]), np.array([0.5, 1.5, 0.5, 0.5])).tolist()
    [15.0, 10.0, 20.0, nan]
    """
    rows, columns = values.shape
    inside = (column >= 0) & (column <= columns) & (row >= 0) & (row <= rows)
    x = np.clip(np.where(inside, column, 0.0) - 0.5, 0.0, columns - 1)
    y = np.clip(np.where(inside, row, 0.0) - 0.5, 0.0, rows - 1)
    west, north = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    east, south = np.minimum(west + 1, columns - 1), np.minimum(north + 1, rows - 1)
    across, down = x - west, y - north
    total, weight = np.zeros(len(x)), np.zeros(len(x))
    for r, c, share in (
        (north, west, (1 - down) * (1 - across)),
        (north, east, (1 - down) * across),
        (south, west, down * (1 - across)),
        (south, east, down * across),
    ):
        value = values[r, c].astype(np.float64)
        known = np.isfinite(value)
        total += np.where(known, value, 0.0) * share
        weight += np.where(known, share, 0.0)
    found = np.divide(total, weight, out=np.full(len(x), np.nan), where=weight > 1e-9)
    return np.where(inside, found, np.nan)


def at_pixels(values: NDArray[np.integer], column: Floats, row: Floats, outside: int) -> NDArray[np.int64]:
    """Give the value of the pixel that each point lies in, and ``outside`` for points in none.

    Examples
    --------
    >>> at_pixels(np.array([[1, 2]]), np.array([0.9, 1.1, 2.5]), np.array([0.5, 0.5, 0.5]), outside=-1).tolist()
    [1, 2, -1]
    """
    c, r = np.floor(column).astype(np.int64), np.floor(row).astype(np.int64)
    inside = (c >= 0) & (c < values.shape[1]) & (r >= 0) & (r < values.shape[0])
    return np.where(inside, values[np.where(inside, r, 0), np.where(inside, c, 0)], outside).astype(np.int64)

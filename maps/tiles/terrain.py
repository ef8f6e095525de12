"""Terrain tiles: a city's elevation raster as PNG squares that map clients read as heights.

Encoding "terrarium" (256 px): height in metres = red · 256 + green + blue / 256 − 32768.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.io import MemoryFile
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform_bounds
from scipy import ndimage

from geo.core.crs import STORAGE_EPSG, TILE_EPSG
from geo.errors import NotFound
from maps.tiles.address import TileAddress

TILE_PX: Final = 256
DEEPEST_TERRAIN_ZOOM: Final = 14
"""About 8 m a pixel in Khorramabad: finer than the elevation rasters a city has."""

_LOWEST_M: Final = -32768.0
_HIGHEST_M: Final = 32767.0 + 255 / 256


@lru_cache(maxsize=512)
def terrain_tile(file: Path, tile: TileAddress) -> bytes:
    """Draw one terrain tile; empty where the raster does not reach.

    Pixels of the tile without a height take that of the nearest pixel that has one, so that hill shading shows no cliff
    at the edge of the data.

    Parameters
    ----------
    file : Path
        Elevation in metres, any reference system; the name of a raster's file changes with its content.
    tile : TileAddress
        Zoom up to `DEEPEST_TERRAIN_ZOOM`.

    Raises
    ------
    NotFound
        If the file is not there.
    """
    heights_m = _heights_m(file, tile)
    known = np.isfinite(heights_m)
    if not known.any():
        return b""
    if not known.all():
        nearest = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
        heights_m = heights_m[tuple(nearest)]
    return _png(terrarium(heights_m), tile)


def terrarium(heights_m: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Encode heights as red, green and blue.

    Parameters
    ----------
    heights_m : (r, c) float64
        Finite; cut off at what the encoding can express.

    Returns
    -------
    (3, r, c) uint8

    Examples
    --------
    >>> terrarium(np.array([[0.0, 1148.5]]))[:, 0].tolist()
    [[128, 132], [0, 124], [0, 128]]
    """
    steps = np.round((np.clip(heights_m, _LOWEST_M, _HIGHEST_M) - _LOWEST_M) * 256).astype(np.uint32)
    return np.stack([steps >> 16, (steps >> 8) & 255, steps & 255]).astype(np.uint8)


def raster_bounds_4326(file: Path) -> tuple[float, float, float, float]:
    """Return west, south, east, north of a raster in degrees.

    Raises
    ------
    NotFound
        If the file is not there.
    """
    with _opened(file) as source:
        west, south, east, north = transform_bounds(source.crs, STORAGE_EPSG, *source.bounds)
    return west, south, east, north


def _heights_m(file: Path, tile: TileAddress) -> NDArray[np.float64]:
    """Return the heights on a tile's pixels, NaN where there is none."""
    with _opened(file) as source:
        west, south, east, north = transform_bounds(source.crs, TILE_EPSG, *source.bounds)
        bounds = tile.bounds_3857
        if bounds[0] >= east or bounds[2] <= west or bounds[1] >= north or bounds[3] <= south:
            return np.full((TILE_PX, TILE_PX), np.nan)
        with WarpedVRT(
            source,
            crs=TILE_EPSG,
            transform=_transform(tile),
            width=TILE_PX,
            height=TILE_PX,
            resampling=Resampling.bilinear,
            add_alpha=source.nodata is None,
        ) as warped:
            heights_m: NDArray[np.float64] = warped.read(1).astype(np.float64)
            known = warped.read_masks(1) if warped.nodata is not None else warped.read(warped.count)
            heights_m[known == 0] = np.nan
    return heights_m


def _opened(file: Path) -> rasterio.DatasetReader:
    if not file.is_file():
        raise NotFound(
            "The file of the elevation raster is missing.",
            code="raster_missing",
            where=file.name,
            remedy="Import the layer again.",
        )
    return rasterio.open(file)


def _transform(tile: TileAddress) -> Affine:
    """Return the transformation from the tile's pixels to Web Mercator metres."""
    west, _, _, north = tile.bounds_3857
    pixel_m = tile.width_m / TILE_PX
    return Affine(pixel_m, 0.0, west, 0.0, -pixel_m, north)


def _png(bands: NDArray[np.uint8], tile: TileAddress) -> bytes:
    profile = {"driver": "PNG", "width": TILE_PX, "height": TILE_PX, "count": 3, "dtype": "uint8"}
    with MemoryFile() as memory:
        with memory.open(**profile, crs=TILE_EPSG, transform=_transform(tile), zlevel=6) as image:
            image.write(bands)
        return bytes(memory.read())

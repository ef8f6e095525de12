"""The overview of a large release: the box of every feature, small enough to be kept whole, from which distant views are drawn.

It is made once from the rows of the release, which never change, and kept as a file named by their content.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from layers.models import Feature
from maps.tiles.address import DEEPEST_ZOOM, HALF_WORLD_M, TileAddress
from maps.tiles.cache import keep_file
from maps.tiles.encoding import EXTENT, Integers
from maps.tiles.rows import columns_read

MOST_IN_TILE: Final = 10_000
"""The most features that a tile shows one by one; at zooms where one holds more, what is small is drawn together."""

FINE_CELLS: Final = 60_000
"""Where a tile holds more features than this, cells are two pixels wide instead of one: a tile has 65,536 of them."""

_FORM: Final = "1"


@dataclass(frozen=True, slots=True)
class Overview:
    """Boxes of all features of a release.

    Attributes
    ----------
    numbers : (n,) int64
        Of the rows.
    boxes : (n, 4) float32
        West, north, east, south as shares of the Web Mercator square, y from the north.
    most : tuple of int
        For each zoom, how many features the fullest tile holds, each counted where its centre is.
    """

    numbers: Integers
    boxes: NDArray[np.float64]
    most: tuple[int, ...]

    @property
    def whole_zoom(self) -> int:
        """From which zoom on every feature is drawn by itself; one more than the deepest if there is none."""
        return next((z for z, n in enumerate(self.most) if n <= MOST_IN_TILE), DEEPEST_ZOOM + 1)

    def cell_steps(self, z: int) -> int:
        """Return how wide the cells are at a zoom, in steps of the tile's grid: one CSS pixel, or two."""
        return 8 if self.most[z] <= FINE_CELLS else 16

    def in_tile(self, tile: TileAddress, buffer: int) -> tuple[Integers, NDArray[np.float64]]:
        """Return the rows whose box overlaps a tile and its margin, and their boxes in steps from its upper left corner."""
        scale = float(2**tile.z)
        margin = buffer / EXTENT / scale
        west, north = tile.x / scale - margin, tile.y / scale - margin
        east, south = (tile.x + 1) / scale + margin, (tile.y + 1) / scale + margin
        box = self.boxes
        rows = np.flatnonzero((box[:, 0] <= east) & (box[:, 2] >= west) & (box[:, 1] <= south) & (box[:, 3] >= north))
        origin = np.array([tile.x, tile.y, tile.x, tile.y], dtype=np.float64)
        return rows, (box[rows] * scale - origin) * EXTENT


def overview_of(release_id: int, shelf: int, content_hash: str) -> Overview:
    """Return the overview of a release, made from its rows where it is not at hand."""
    return _loaded(release_id, shelf, content_hash, settings.CACHE_DIR)


@lru_cache(maxsize=16)
def _loaded(release_id: int, shelf: int, content_hash: str, folder: Path) -> Overview:
    file = folder / "overviews" / f"{release_id}-{content_hash[:32]}-{_FORM}.npy"
    try:
        table = np.load(file)
        is_whole = table.ndim == 2 and table.shape[0] == 5 and table.dtype == np.float64
    except (OSError, ValueError, EOFError):
        is_whole = False
    if not is_whole:
        table = boxes_read(release_id, shelf)
        keep_file(file, table)
    boxes = np.ascontiguousarray(table[1:].T)
    return Overview(table[0].astype(np.int64), boxes, crowding(boxes))


def boxes_read(release_id: int, shelf: int) -> NDArray[np.float64]:
    """Return number, west, north, east and south (5, n) of the rows of a release."""
    numbers, *sides = columns_read("overview", {"release": release_id, "shelf": shelf}, {"feature": Feature})
    if numbers is None:
        return np.empty((5, 0), dtype=np.float64)
    west, north, east, south = (np.frombuffer(side or b"", dtype=">f8") for side in sides)
    width_m = 2 * HALF_WORLD_M
    return np.array(
        [
            np.frombuffer(numbers, dtype=">i4"),
            (west + HALF_WORLD_M) / width_m,
            (HALF_WORLD_M - north) / width_m,
            (east + HALF_WORLD_M) / width_m,
            (HALF_WORLD_M - south) / width_m,
        ],
        dtype=np.float64,
    )


def crowding(boxes: NDArray[np.float64]) -> tuple[int, ...]:
    """Return for each zoom how many centres of boxes the fullest tile holds.

    Examples
    --------
    >>> crowding(np.array([[0.1, 0.1, 0.1, 0.1], [0.4, 0.1, 0.4, 0.1], [0.9, 0.9, 0.9, 0.9]]))[:3]
    (3, 2, 1)
    """
    if not len(boxes):
        return (0,) * (DEEPEST_ZOOM + 1)
    width = 2**DEEPEST_ZOOM
    centres = ((boxes[:, :2] + boxes[:, 2:]) / 2 * width).astype(np.int64).clip(0, width - 1)
    codes = np.sort(_interleaved(centres[:, 0]) | (_interleaved(centres[:, 1]) << 1))
    found = []
    for z in range(DEEPEST_ZOOM + 1):
        of_tile = codes >> (2 * (DEEPEST_ZOOM - z))
        starts = np.flatnonzero(np.concatenate([[True], of_tile[1:] != of_tile[:-1]]))
        found.append(int(np.diff(np.append(starts, len(codes))).max()))
    return tuple(found)


def _interleaved(values: Integers) -> Integers:
    """Return the bits of numbers below 2**31 with a gap after each."""
    spread = values.copy()
    for shift, mask in ((16, 0x0000FFFF0000FFFF), (8, 0x00FF00FF00FF00FF), (4, 0x0F0F0F0F0F0F0F0F)):
        spread = (spread | (spread << shift)) & mask
    for shift, mask in ((2, 0x3333333333333333), (1, 0x5555555555555555)):
        spread = (spread | (spread << shift)) & mask
    return spread

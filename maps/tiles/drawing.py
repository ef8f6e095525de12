"""Draws the features of a release into a tile: none is left out.

Where a tile shows features one by one, every vertex is moved to the nearest step of the tile's grid, the same for all, so what touches
still touches. What is smaller than a step is drawn one step wide. At zooms where tiles would be too full for that, features smaller
than four pixels become boxes on a grid of pixels, and those that become the same box are drawn once, with their number as ``count``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.errors import LimitExceeded
from layers.models import Layer
from maps.tiles.address import TileAddress
from maps.tiles.encoding import EXTENT, Integers, Properties, Shapes, boxes, chosen, dashes, dots, encode, joined
from maps.tiles.grid import BUFFER, shapes_of, shapes_of_rows
from maps.tiles.overview import Overview, overview_of
from maps.tiles.rows import FEATURE_ATTRIBUTES, NO_ROWS, Column, Rows, rows_read

DRAWING: Final = "4"
"""The version of all this: part of the name of every finished tile. Raise it when the same features are drawn differently."""

MOST_FEATURES: Final = 250_000
"""The most features drawn with their own geometry in one tile."""

MANY_NUMBERS: Final = 500
"""From so many features on, PostgreSQL is quicker to look through all that lie in a tile than to find each by its number."""

MOST_BYTES: Final = 8_000_000
"""The largest tile that is sent, before compression."""

OWN_SHAPE_STEPS: Final = 32
"""From this size on (4 CSS px) an area keeps its shape at every zoom."""

SIMPLER_STEPS: Final = 2
"""How far, where things are drawn together, an outline may be from where it is: a quarter of a pixel."""


@dataclass(frozen=True, slots=True)
class Source:
    """What a tile is drawn from: the newest release of a layer, as a reader who may see it was told."""

    layer: int
    kind: str
    release: int
    shelf: int
    content_hash: str
    rows: int
    supplies: str
    fields: Mapping[str, str]

    @property
    def state(self) -> str:
        """Names all that the tiles of this source depend on."""
        return f"{self.release}-{self.content_hash[:16]}{self.supplies[:8]}"

    @property
    def attribute_types(self) -> dict[str, str]:
        """The attributes that its tiles carry, with their types; all, where it is not told which fields the release has."""
        fields = self.fields or dict.fromkeys(FEATURE_ATTRIBUTES, "object")
        return {name: fields[name] for name in FEATURE_ATTRIBUTES if name in fields}

    @property
    def overview(self) -> Overview:
        """The boxes of the release."""
        return overview_of(self.release, self.shelf, self.content_hash)


def draw(source: Source, tile: TileAddress, whole_zoom: int) -> bytes:
    """Draw a tile; empty where nothing lies in it.

    Raises
    ------
    LimitExceeded
        If even so it is larger than a tile may be.
    """
    if tile.z >= whole_zoom:
        drawn = _whole(source, tile)
    elif source.kind == Layer.Kind.LINE:
        drawn = _lines(source, tile)
    else:
        drawn = _generalised(source, tile)
    if len(drawn) > MOST_BYTES:
        raise _too_dense()
    return drawn


def _too_dense() -> LimitExceeded:
    return LimitExceeded(
        "More lies in this tile than one tile may hold.",
        code="tile_too_dense",
        remedy=f"Ask for deeper zooms; a tile holds at most {MOST_FEATURES} shapes and {MOST_BYTES} bytes.",
    )


# ---------------------------------------------------------------- one by one


def _whole(source: Source, tile: TileAddress) -> bytes:
    rows = _rows(source, tile, None)
    if not len(rows):
        return b""
    kept, shapes = shapes_of_rows(rows, tile)
    properties = Properties()
    _describe(properties, rows, kept, 0)
    return encode("features", shapes, properties)


def _describe(properties: Properties, rows: Rows, kept: Integers, start: int) -> None:
    """Give features, the first at position `start`, all that tiles say about them; `kept` are their positions among the rows."""
    at, chosen_ones = np.arange(start, start + len(kept)), kept.tolist()
    properties.add_numbers("number", at, rows.numbers[kept])
    properties.add_texts("name", at, rows.names(kept))
    columns = dict(rows.attributes)
    if rows.services:
        columns["services"] = rows.services
    for name, column in columns.items():
        properties.add(name, at, [column.values[i] for i in chosen_ones], is_json=column.is_json)


def _rows(source: Source, tile: TileAddress, numbers: Integers | None) -> Rows:
    """Read the features whose box overlaps a tile and its margin; only those of these numbers, where some are given."""
    if numbers is not None and not len(numbers):
        return NO_ROWS
    if numbers is not None and len(numbers) > MOST_FEATURES:
        raise _too_dense()
    west, south, east, north = tile.bounds_3857
    margin_m = tile.width_m * BUFFER / EXTENT
    found = rows_read(
        source.attribute_types,
        {
            "supplies": bool(source.supplies),
            "layer": source.layer,
            "release": source.release,
            "shelf": source.shelf,
            "west": west - margin_m,
            "south": south - margin_m,
            "east": east + margin_m,
            "north": north + margin_m,
            **_wanted(numbers),
            "most": MOST_FEATURES + 1,
        },
    )
    if len(found) > MOST_FEATURES:
        raise _too_dense()
    return found


def _wanted(numbers: Integers | None) -> dict[str, str | None]:
    """Return the numbers as values of the statement: few are found by number, many among those that lie in the tile."""
    listed = None if numbers is None else f"{{{','.join(map(str, numbers.tolist()))}}}"
    is_few = numbers is not None and len(numbers) < MANY_NUMBERS
    return {"few": listed if is_few else None, "many": None if is_few else listed}


# ---------------------------------------------------------------- drawn together


def _generalised(source: Source, tile: TileAddress) -> bytes:
    """Draw what is small as boxes of cells or as points in them, and the rest as it is."""
    overview = source.overview
    is_point = source.kind == Layer.Kind.POINT
    rows, found = overview.in_tile(tile, BUFFER)
    if not len(rows):
        return b""
    step = overview.cell_steps(tile.z)
    is_small = (found[:, 2:] - found[:, :2]).max(axis=1) < (step if is_point else OWN_SHAPE_STEPS)
    cells, counts, numbers = together(found[is_small], overview.numbers[rows[is_small]], step)
    drawn = dots(cells[:, :2] + step // 2) if is_point else boxes(cells)
    properties = Properties()
    parts = [drawn]
    properties.add_numbers("count", np.arange(len(drawn)), counts)
    alone = np.flatnonzero(counts == 1)
    properties.add_numbers("number", alone, numbers[alone])
    large = _rows(source, tile, overview.numbers[rows[~is_small]])
    if len(large):
        kept, shapes = shapes_of_rows(large, tile, SIMPLER_STEPS)
        _describe(properties, large, kept, len(drawn))
        parts.append(shapes)
    return encode("features", joined(parts), properties)


def together(found: NDArray[np.float64], numbers: Integers, step: int) -> tuple[Integers, Integers, Integers]:
    """Bring boxes to a grid of cells and draw those that become the same once.

    Parameters
    ----------
    found : (n, 4) float64
        Boxes in steps.
    numbers : (n,) int64
        Of their features.
    step : int
        Width of a cell in steps.

    Returns
    -------
    tuple
        The boxes (m, 4) in steps, at least a cell wide and high; how many features each stands for; and the least of their numbers.
    """
    low, high = found[:, :2] / step, found[:, 2:] / step
    is_narrow = high - low < 1
    first = np.where(is_narrow, np.floor((low + high) / 2), np.rint(low)).astype(np.int64)
    size = np.where(is_narrow, 1, np.maximum(np.rint(high) - first, 1)).astype(np.int64)
    reach = EXTENT  # columns and rows of cells, from far enough outside on, make one number to sort by
    keys = ((((first[:, 0] + reach) << 20 | (first[:, 1] + reach)) << 10) | size[:, 0].clip(0, 1023)) << 10
    keys |= size[:, 1].clip(0, 1023)
    if not len(keys):
        return np.empty((0, 4), dtype=np.int64), numbers[:0], numbers[:0]
    order = np.argsort(keys)
    keys = keys[order]
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    counts = np.diff(np.append(starts, len(keys)))
    least = np.minimum.reduceat(numbers[order], starts)
    first, size = first[order[starts]], size[order[starts]]
    return np.concatenate([first, first + size], axis=1) * step, counts, least


def _lines(source: Source, tile: TileAddress) -> bytes:
    """Draw short lines as dashes of a pixel, and long ones on a grid of pixels; those that become the same are drawn once."""
    overview = source.overview
    rows, found = overview.in_tile(tile, BUFFER)
    if not len(rows):
        return b""
    step = overview.cell_steps(tile.z)
    is_short = (found[:, 2:] - found[:, :2]).max(axis=1) < step
    cells, counts, numbers = together(found[is_short], overview.numbers[rows[is_short]], step)
    properties = Properties()
    parts = [dashes(cells[:, :2] + step // 2 * np.array([0, 1]), step)]
    properties.add_numbers("count", np.arange(len(cells)), counts)
    alone = np.flatnonzero(counts == 1)
    properties.add_numbers("number", alone, numbers[alone])
    large = _rows(source, tile, overview.numbers[rows[~is_short]])
    if len(large):
        order = np.argsort(large.numbers)
        kept, shapes = shapes_of(_on_grid(large.geometries(order), tile, step), tile)
        kept = order[kept]
        column = large.attributes.get("class", Column([b""] * len(large), is_json=False))
        classes = [column.values[i] for i in kept.tolist()]
        first, tallies = _alike(shapes, classes)
        at = np.arange(len(cells), len(cells) + len(first))
        properties.add_numbers("count", at, tallies)
        one = tallies == 1
        properties.add_numbers("number", at[one], large.numbers[kept[first]][one])
        properties.add("class", at, [classes[i] for i in first.tolist()], is_json=column.is_json)
        parts.append(chosen(shapes, first))
    return encode("features", joined(parts), properties)


def _on_grid(geometries_3857: NDArray[np.object_], tile: TileAddress, step: int) -> NDArray[np.object_]:
    """Move every vertex of lines to the nearest corner of a cell of the tile; lines that end where they begin are kept as they are."""
    west, _, _, north = tile.bounds_3857
    cell_m = tile.width_m / EXTENT * step
    moved = shapely.transform(
        geometries_3857, lambda xy: np.rint((xy - (west, north)) / cell_m) * cell_m + (west, north)
    )
    return np.where(shapely.is_valid(moved), moved, geometries_3857)


def _alike(shapes: Shapes, classes: list[bytes]) -> tuple[Integers, Integers]:
    """Return the position of the first of each kind of equal shapes of a class, and how many there are."""
    ends = np.cumsum(shapes.counts)
    seen: dict[tuple[bytes, bytes], int] = {}
    first: list[int] = []
    tallies: list[int] = []
    for i, (end, count) in enumerate(zip(ends.tolist(), shapes.counts.tolist(), strict=True)):
        place = seen.setdefault((shapes.commands[end - count : end].tobytes(), classes[i]), len(first))
        if place == len(first):
            first.append(i)
            tallies.append(0)
        tallies[place] += 1
    return np.array(first, dtype=np.int64), np.array(tallies, dtype=np.int64)

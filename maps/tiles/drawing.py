"""Draws the features of a release into a tile: none is left out.

Where a tile shows features one by one, every vertex is moved to the nearest step of the tile's grid, the same for all, so what touches
still touches. What is smaller than a step is drawn one step wide. At zooms where tiles would be too full for that, features smaller
than four pixels become boxes on a grid of pixels, and those that become the same box are drawn once, with their number as ``count``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.db import sql
from geo.errors import LimitExceeded
from layers.models import Feature, Layer, Service, Supply
from maps.tiles.address import TileAddress
from maps.tiles.encoding import EXTENT, Integers, Properties, Shapes, boxes, dashes, dots, encode, joined, outlines
from maps.tiles.overview import Overview, overview_of

DRAWING: Final = "3"
"""The version of all this: part of the name of every finished tile. Raise it when the same features are drawn differently."""

BUFFER: Final = 64
"""Steps drawn beyond each edge (8 CSS px), so that outlines meet across tiles."""

FEATURE_ATTRIBUTES: Final = ("class", "kind", "width_m", "floors", "name_fa", "name_en", "capacity")
"""The attributes that tiles carry, where a layer has them: what a map needs to draw and name things, and nothing about people."""

MOST_FEATURES: Final = 250_000
"""The most features drawn with their own geometry in one tile."""

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

    @property
    def state(self) -> str:
        """Names all that the tiles of this source depend on."""
        return f"{self.release}-{self.content_hash[:16]}{self.supplies[:8]}"

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
    if not rows:
        return b""
    kept, shapes = shapes_of(_geometries(rows), tile)
    properties = Properties()
    _describe(properties, [rows[i] for i in kept.tolist()], 0)
    return encode("features", shapes, properties)


def _describe(properties: Properties, rows: list[Any], start: int) -> None:
    """Give features, the first at position `start`, all that tiles say about them."""
    at = np.arange(start, start + len(rows))
    properties.add_numbers("number", at, np.array([row[0] for row in rows], dtype=np.int64))
    properties.add("name", at, [row[1] for row in rows])
    columns = zip(*json.loads(f"[{','.join(row[2] for row in rows)}]"), strict=True)
    for name, values in zip(FEATURE_ATTRIBUTES, columns, strict=True):
        if values.count(None) == len(values):
            continue
        has = [i for i, value in enumerate(values) if value is not None and not isinstance(value, list | dict)]
        properties.add(name, at[has], [values[i] for i in has])
    provides = [i for i, row in enumerate(rows) if row[3]]
    properties.add("services", at[provides], [rows[i][3] for i in provides])


def _rows(source: Source, tile: TileAddress, numbers: Integers | None) -> list[Any]:
    """Read the features whose box overlaps a tile and its margin; only those of these numbers, where some are given."""
    if numbers is not None and not len(numbers):
        return []
    if numbers is not None and len(numbers) > MOST_FEATURES:
        raise _too_dense()
    west, south, east, north = tile.bounds_3857
    margin_m = tile.width_m * BUFFER / EXTENT
    found = sql.rows(
        "maps",
        "tile_features",
        {
            **{f"attribute_{i}": name for i, name in enumerate(FEATURE_ATTRIBUTES)},
            "supplies": bool(source.supplies),
            "layer": source.layer,
            "release": source.release,
            "shelf": source.shelf,
            "west": west - margin_m,
            "south": south - margin_m,
            "east": east + margin_m,
            "north": north + margin_m,
            "numbers": None if numbers is None else numbers.tolist(),
            "most": MOST_FEATURES + 1,
        },
        {"feature": Feature, "supply": Supply, "service": Service},
    )
    if len(found) > MOST_FEATURES:
        raise _too_dense()
    return sorted(found, key=itemgetter(0))  # here, as the database would read by number instead of by place


def _geometries(rows: list[Any]) -> NDArray[np.object_]:
    return np.asarray(shapely.from_wkb([bytes(row[4]) for row in rows]), dtype=object)


def shapes_of(geometries_3857: NDArray[np.object_], tile: TileAddress) -> tuple[Integers, Shapes]:
    """Bring geometries to a tile's grid.

    Returns
    -------
    tuple
        Positions of those that touch the tile or its margin, in the order of their shapes; and the shapes.
    """
    west, _, _, north = tile.bounds_3857
    scale = EXTENT / tile.width_m

    def moved(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return (xy - (west, north)) * (scale, -scale)

    bounds = shapely.bounds(geometries_3857)
    low, high = moved(bounds[:, :2]), moved(bounds[:, 2:])
    reach_low, reach_high = np.minimum(low, high), np.maximum(low, high)
    across = (reach_low < -BUFFER).any(axis=1) | (reach_high > EXTENT + BUFFER).any(axis=1)
    if across.any():
        geometries_3857 = geometries_3857.copy()
        geometries_3857[across] = _clipped(geometries_3857[across], tile)
    kept = np.flatnonzero(~shapely.is_empty(geometries_3857))
    snapped, parts, order = _snapped(geometries_3857[kept], moved), [], []
    for dimension in (2, 1, 0):
        of_dimension = np.flatnonzero(shapely.get_dimensions(snapped) == dimension)
        if len(of_dimension):
            parts.append(outlines(snapped[of_dimension]))
            order.append(kept[of_dimension])
    return (np.concatenate(order), joined(parts)) if parts else (np.empty(0, dtype=np.int64), boxes(_NO_BOXES))


_NO_BOXES: Final = np.empty((0, 4), dtype=np.int64)


def _clipped(geometries: NDArray[np.object_], tile: TileAddress) -> NDArray[np.object_]:
    """Cut off what is beyond a tile's margin; where cutting leaves less than there was (a touching corner), nothing is left."""
    west, south, east, north = tile.bounds_3857
    margin_m = tile.width_m * BUFFER / EXTENT
    reach = shapely.box(west - margin_m, south - margin_m, east + margin_m, north + margin_m)
    try:
        cut = shapely.intersection(geometries, reach)
    except shapely.GEOSException:
        cut = shapely.intersection(shapely.make_valid(geometries), reach)
    found = np.asarray(cut, dtype=object)
    dimensions = shapely.get_dimensions(geometries)
    for i in np.flatnonzero((shapely.get_dimensions(found) != dimensions) | (shapely.get_type_id(found) == 7)):
        found[i] = _of_dimension(found[i], int(dimensions[i]))
    return found


def _of_dimension(geometry: shapely.Geometry, dimension: int) -> shapely.Geometry:
    parts = shapely.get_parts(geometry)
    parts = shapely.get_parts(parts[shapely.get_dimensions(parts) == dimension])
    if not len(parts):
        return shapely.Point()
    return (shapely.MultiPoint, shapely.MultiLineString, shapely.MultiPolygon)[dimension](list(parts))


def _snapped(geometries: NDArray[np.object_], moved: Callable[[Any], Any]) -> NDArray[np.object_]:
    """Move every vertex to the nearest step; what would not be valid so is rounded with care, what would vanish is kept."""
    collections = np.flatnonzero(shapely.get_type_id(geometries) == 7)
    for i in collections:
        geometries[i] = _of_dimension(geometries[i], int(shapely.get_dimensions(geometries[i])))
    snapped = np.asarray(shapely.transform(geometries, lambda xy: np.rint(moved(xy))), dtype=object)
    broken = np.flatnonzero(~shapely.is_valid(snapped))
    for i in broken:
        snapped[i] = _with_care(shapely.transform(geometries[i], moved))
    return snapped


def _with_care(geometry: shapely.Geometry) -> shapely.Geometry:
    dimension = int(shapely.get_dimensions(geometry))
    try:
        rounded = shapely.set_precision(geometry, 1.0)
    except shapely.GEOSException:
        rounded = shapely.set_precision(shapely.make_valid(geometry), 1.0)
    if shapely.get_type_id(rounded) == 7:
        rounded = _of_dimension(rounded, dimension)
    if not rounded.is_empty and shapely.get_dimensions(rounded) == dimension:
        return rounded
    spot = shapely.point_on_surface(geometry)
    x, y = np.floor([spot.x, spot.y])
    return shapely.box(x, y, x + 1, y + 1) if dimension == 2 else shapely.LineString([(x, y), (x + 1, y)])


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
    large = _rows(source, tile, overview.numbers[rows[~is_small]])
    return _with_large(drawn, counts, numbers, large, tile)


def _with_large(drawn: Shapes, counts: Integers, numbers: Integers, large: list[Any], tile: TileAddress) -> bytes:
    properties = Properties()
    parts = [drawn]
    properties.add_numbers("count", np.arange(len(drawn)), counts)
    alone = np.flatnonzero(counts == 1)
    properties.add_numbers("number", alone, numbers[alone])
    if large:
        simpler = shapely.simplify(_geometries(large), SIMPLER_STEPS * tile.width_m / EXTENT)
        kept, shapes = shapes_of(np.asarray(simpler, dtype=object), tile)
        _describe(properties, [large[i] for i in kept.tolist()], len(drawn))
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
    order = np.lexsort((numbers, keys))
    keys, numbers = keys[order], numbers[order]
    starts = (
        np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])) if len(keys) else np.empty(0, dtype=np.int64)
    )
    counts = np.diff(np.append(starts, len(keys)))
    first, size = first[order][starts], size[order][starts]
    return np.concatenate([first, first + size], axis=1) * step, counts, numbers[starts]


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
    if large:
        kept, shapes = shapes_of(_on_grid(_geometries(large), tile, step), tile)
        rows_kept = [large[i] for i in kept.tolist()]
        classes = [json.loads(row[2])[FEATURE_ATTRIBUTES.index("class")] for row in rows_kept]
        kept_first, tallies = _alike(shapes, classes)
        at = np.arange(len(cells), len(cells) + len(kept_first))
        properties.add_numbers("count", at, tallies)
        one = tallies == 1
        properties.add_numbers("number", at[one], np.array([rows_kept[i][0] for i in kept_first], dtype=np.int64)[one])
        named = [k for k, i in enumerate(kept_first) if classes[i] is not None]
        properties.add("class", at[named], [classes[kept_first[k]] for k in named])
        parts.append(_chosen(shapes, kept_first))
    return encode("features", joined(parts), properties)


def _on_grid(geometries_3857: NDArray[np.object_], tile: TileAddress, step: int) -> NDArray[np.object_]:
    """Move every vertex of lines to the nearest corner of a cell of the tile; lines that end where they begin are kept as they are."""
    west, _, _, north = tile.bounds_3857
    cell_m = tile.width_m / EXTENT * step
    moved = shapely.transform(
        geometries_3857, lambda xy: np.rint((xy - (west, north)) / cell_m) * cell_m + (west, north)
    )
    return np.where(shapely.is_valid(moved), moved, geometries_3857)


def _alike(shapes: Shapes, classes: list[Any]) -> tuple[list[int], Integers]:
    """Return the position of the first of each kind of equal shapes of a class, and how many there are."""
    ends = np.cumsum(shapes.counts)
    seen: dict[tuple[bytes, Any], int] = {}
    first: list[int] = []
    tallies: list[int] = []
    for i, (end, count) in enumerate(zip(ends.tolist(), shapes.counts.tolist(), strict=True)):
        place = seen.setdefault((shapes.commands[end - count : end].tobytes(), classes[i]), len(first))
        if place == len(first):
            first.append(i)
            tallies.append(0)
        tallies[place] += 1
    return first, np.array(tallies, dtype=np.int64)


def _chosen(shapes: Shapes, positions: list[int]) -> Shapes:
    ends = np.cumsum(shapes.counts)
    commands = [shapes.commands[ends[i] - shapes.counts[i] : ends[i]] for i in positions]
    return Shapes(shapes.kinds[positions], np.concatenate(commands), shapes.counts[positions])

"""Mapbox vector tiles (version 2), written from arrays: every number of all features at once, no loop over features.

In the message of a feature everything is a variable-length integer: keys, lengths, tags and the commands of its geometry. So the
features of a tile are one long array of integers, which is put together by positions and turned into bytes in one go.
"""

from __future__ import annotations

import struct
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

EXTENT: Final = 4096
"""Steps of a tile's own grid: 8 to a CSS pixel where a tile is drawn 512 px wide."""

Integers = NDArray[np.int64]

POINT, LINE, POLYGON = 1, 2, 3
_MOVE, _CLOSE = 9, 15


@dataclass(frozen=True, slots=True)
class Shapes:
    """Geometries as commands.

    Attributes
    ----------
    kinds : (n,) int64
        `POINT`, `LINE` or `POLYGON`.
    commands : int64
        Of all features one after the other.
    counts : (n,) int64
        How many of them belong to each.
    """

    kinds: Integers
    commands: Integers
    counts: Integers

    def __len__(self) -> int:
        return len(self.kinds)


@dataclass(slots=True)
class Properties:
    """Properties of features: keys and values, each written once and then named by position.

    Attributes
    ----------
    keys : list of str
        In order of position.
    values : list of bytes
        One or several values each, as they stand in the tile, in order of position.
    """

    keys: list[str] = field(default_factory=list)
    values: list[bytes] = field(default_factory=list)
    _n_values: int = 0
    _known: dict[Hashable, int] = field(default_factory=dict)
    _owners: list[Integers] = field(default_factory=list)
    _pairs: list[Integers] = field(default_factory=list)

    def add(self, key: str, owners: Integers, values: Sequence[Any]) -> None:
        """Give features (by position) a property; values are texts, numbers or truth values."""
        if not len(owners):
            return
        places = []
        for value in values:
            # Texts stand for themselves; 1, 1.0 and True are equal and yet three values.
            identity = value if value.__class__ is str else (value.__class__, value)
            place = self._known.get(identity)
            if place is None:
                place = self._known[identity] = self._n_values
                self.values.append(_value(value))
                self._n_values += 1
            places.append(place)
        self._give(key, owners, np.array(places, dtype=np.int64))

    def add_numbers(self, key: str, owners: Integers, numbers: Integers) -> None:
        """Give features a property of whole numbers, zero or more."""
        if not len(owners):
            return
        distinct, places = np.unique(np.asarray(numbers, dtype=np.int64), return_inverse=True)
        told = np.stack(
            [np.full_like(distinct, 0x22), 1 + _sizes(distinct), np.full_like(distinct, 0x28), distinct], axis=1
        )
        self.values.append(_as_bytes(told.ravel())[0].tobytes())
        self._give(key, owners, places.ravel() + self._n_values)
        self._n_values += len(distinct)

    def tags(self, n: int) -> tuple[Integers, Integers]:
        """Return the tags of all features one after the other, and how many each has."""
        if not self._owners:
            return np.empty(0, dtype=np.int64), np.zeros(n, dtype=np.int64)
        owners, pairs = np.concatenate(self._owners), np.concatenate(self._pairs)
        order = np.argsort(owners, kind="stable")
        return pairs[order].ravel(), 2 * np.bincount(owners, minlength=n).astype(np.int64)

    def _give(self, key: str, owners: Integers, places: Integers) -> None:
        if key not in self.keys:
            self.keys.append(key)
        self._owners.append(np.asarray(owners, dtype=np.int64))
        self._pairs.append(np.stack([np.full(len(owners), self.keys.index(key)), places], axis=1))


def encode(name: str, shapes: Shapes, properties: Properties) -> bytes:
    """Write one layer as a tile.

    Parameters
    ----------
    name : str
        Of the layer.
    shapes, properties
        Of the same features in the same order.

    Returns
    -------
    bytes
        Empty where there is no feature.
    """
    n = len(shapes)
    if n == 0:
        return b""
    tags, n_tags = properties.tags(n)
    tag_bytes, geometry_bytes = _bytes_of_parts(tags, n_tags), _bytes_of_parts(shapes.commands, shapes.counts)
    lengths = 1 + _sizes(tag_bytes) + tag_bytes + 2 + 1 + _sizes(geometry_bytes) + geometry_bytes
    counts = 8 + n_tags + shapes.counts
    starts = np.cumsum(counts) - counts
    numbers = np.empty(int(counts.sum()), dtype=np.int64)
    numbers[starts], numbers[starts + 1] = 0x12, lengths
    numbers[starts + 2], numbers[starts + 3] = 0x12, tag_bytes
    numbers[_spread(starts + 4, n_tags)] = tags
    middle = starts + 4 + n_tags
    numbers[middle], numbers[middle + 1] = 0x18, shapes.kinds
    numbers[middle + 2], numbers[middle + 3] = 0x22, geometry_bytes
    numbers[_spread(middle + 4, shapes.counts)] = shapes.commands
    parts = [_field(0x0A, name.encode()), _as_bytes(numbers)[0].tobytes()]
    parts += [_field(0x1A, key.encode()) for key in properties.keys]
    parts += properties.values
    parts.append(b"\x28" + _varint(EXTENT) + b"\x78\x02")
    return _field(0x1A, b"".join(parts))


def boxes(boxes: Integers) -> Shapes:
    """Return boxes as commands.

    Parameters
    ----------
    boxes : (n, 4) int64
        First and last column and row in steps, y downwards.
    """
    a, b, c, d = boxes.T
    zero = np.zeros_like(a)
    columns = [zero + _MOVE, _zigzag(a), _zigzag(b), zero + _line_to(3), _zigzag(c - a), zero, zero, _zigzag(d - b)]
    columns += [_zigzag(a - c), zero, zero + _CLOSE]
    return _same_for_all(POLYGON, columns)


def dashes(starts: Integers, width: int) -> Shapes:
    """Return level lines as commands, from points (n, 2) on."""
    x, y = starts.T
    zero = np.zeros_like(x)
    columns = [zero + _MOVE, _zigzag(x), _zigzag(y), zero + _line_to(1), zero + 2 * width, zero]
    return _same_for_all(LINE, columns)


def dots(points: Integers) -> Shapes:
    """Return points (n, 2) as commands."""
    x, y = points.T
    return _same_for_all(POINT, [np.full_like(x, _MOVE), _zigzag(x), _zigzag(y)])


def joined(parts: Sequence[Shapes]) -> Shapes:
    """Return shapes one after the other."""
    return Shapes(
        np.concatenate([part.kinds for part in parts]),
        np.concatenate([part.commands for part in parts]),
        np.concatenate([part.counts for part in parts]),
    )


def outlines(geometries: NDArray[np.object_]) -> Shapes:
    """Return geometries of one dimension, in steps of the tile's grid, as commands.

    Parameters
    ----------
    geometries : (n,) object
        All points, all lines or all polygons, single or multiple, none empty, with whole coordinates; polygons valid.
    """
    dimension = int(shapely.get_dimensions(geometries[0]))
    if dimension == 2:
        geometries = shapely.orient_polygons(geometries, exterior_cw=False)
    is_single = bool((shapely.get_type_id(geometries) == (0, 1, 3)[dimension]).all())
    _, coordinates, offsets = shapely.to_ragged_array(geometries, include_z=False)
    xy = np.rint(coordinates).astype(np.int64)
    if dimension == 0:
        return _of_points(xy, np.arange(len(geometries) + 1) if is_single else offsets[0])
    runs = offsets[0]
    if dimension == 1:
        of_feature = np.arange(len(geometries) + 1) if is_single else offsets[1]
    else:
        of_feature = offsets[1] if is_single else offsets[1][offsets[2]]
    return _of_runs(xy, runs[: of_feature[-1] + 1], of_feature, is_ring=dimension == 2)


def _of_points(xy: Integers, of_feature: Integers) -> Shapes:
    """Return points of features as commands: one MoveTo for all of a feature."""
    n_points = np.diff(of_feature)
    first = np.zeros(len(xy), dtype=bool)
    first[of_feature[:-1]] = True
    moves = _zigzag(xy - np.where(first[:, None], 0, np.roll(xy, 1, axis=0)))
    counts = 1 + 2 * n_points
    starts = np.cumsum(counts) - counts
    commands = np.empty(int(counts.sum()), dtype=np.int64)
    commands[starts] = (n_points << 3) | 1
    commands[_spread(starts + 1, 2 * n_points)] = moves.ravel()
    return Shapes(np.full(len(n_points), POINT, dtype=np.int64), commands, counts)


def _of_runs(xy: Integers, runs: Integers, of_feature: Integers, *, is_ring: bool) -> Shapes:
    """Return lines or rings as commands.

    Parameters
    ----------
    xy : (v, 2) int64
        Vertices.
    runs : (r + 1,) int
        Where each line or ring begins among the vertices.
    of_feature : (n + 1,) int
        Where each feature begins among the runs.
    """
    runs, of_feature = runs.astype(np.int64), of_feature.astype(np.int64)
    xy = xy[: runs[-1]]
    keep = np.ones(len(xy), dtype=bool)
    keep[1:] = (xy[1:] != xy[:-1]).any(axis=1)
    keep[runs[:-1]] = True
    if is_ring:
        keep[runs[1:] - 1] = False  # ClosePath says it
    kept_before = np.concatenate([[0], np.cumsum(keep)])
    runs, xy = kept_before[runs], xy[keep]
    n_vertices = np.diff(runs)
    first = np.zeros(len(xy), dtype=bool)
    first[runs[:-1]] = True
    before = np.roll(xy, 1, axis=0)
    starts_feature = np.zeros(len(runs) - 1, dtype=bool)
    starts_feature[of_feature[:-1]] = True
    before[runs[:-1][starts_feature]] = 0  # the pen begins at the corner of the tile
    moves = _zigzag(xy - before)
    per_run = 2 + 2 * n_vertices + int(is_ring)
    starts = np.cumsum(per_run) - per_run
    commands = np.empty(int(per_run.sum()), dtype=np.int64)
    commands[starts], commands[starts + 3] = _MOVE, ((n_vertices - 1) << 3) | 2
    at = _spread(starts + 1, 2 * n_vertices)
    at += np.repeat(~first, 2)  # behind the LineTo
    commands[at] = moves.ravel()
    if is_ring:
        commands[starts + per_run - 1] = _CLOSE
    total = np.concatenate([[0], np.cumsum(per_run)])
    counts = np.diff(total[of_feature])
    return Shapes(np.full(len(counts), POLYGON if is_ring else LINE, dtype=np.int64), commands, counts)


def _same_for_all(kind: int, columns: list[Integers]) -> Shapes:
    n = len(columns[0])
    commands = np.stack(columns, axis=1).astype(np.int64).ravel()
    return Shapes(np.full(n, kind, dtype=np.int64), commands, np.full(n, len(columns), dtype=np.int64))


def _line_to(n: int) -> int:
    return (n << 3) | 2


def _zigzag(values: Integers) -> Integers:
    return (values << 1) ^ (values >> 63)


def _spread(starts: Integers, counts: Integers) -> Integers:
    """Return the positions ``start, start + 1, …`` of every feature, as many as it has."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    return np.repeat(starts - (ends - counts), counts) + np.arange(total)


def _sizes(values: Integers) -> Integers:
    """Return how many bytes each takes as a variable-length integer."""
    sizes = np.ones(len(values), dtype=np.int64)
    for bits in (7, 14, 21, 28, 35):
        sizes += values >= (1 << bits)
    return sizes


def _bytes_of_parts(values: Integers, counts: Integers) -> Integers:
    total = np.concatenate([[0], np.cumsum(_sizes(values))])
    ends = np.cumsum(counts)
    found: Integers = total[ends] - total[ends - counts]
    return found


def _as_bytes(values: Integers) -> tuple[NDArray[np.uint8], Integers]:
    """Return all values as variable-length integers, and where each ends."""
    sizes = _sizes(values)
    ends = np.cumsum(sizes)
    starts = ends - sizes
    content = np.empty(int(ends[-1]) if len(ends) else 0, dtype=np.uint8)
    is_longer = np.arange(len(values))
    k = 0
    while len(is_longer):
        left = sizes[is_longer] > k + 1
        content[starts[is_longer] + k] = ((values[is_longer] >> (7 * k)) & 127) | (left << 7)
        is_longer = is_longer[left]
        k += 1
    return content, ends


def _varint(value: int) -> bytes:
    content = bytearray()
    while value > 127:
        content.append(value & 127 | 128)
        value >>= 7
    content.append(value)
    return bytes(content)


def _field(key: int, content: bytes) -> bytes:
    n = len(content)
    return bytes((key, n)) + content if n < 128 else bytes((key,)) + _varint(n) + content


def _value(value: Any) -> bytes:
    """Return a value as it stands in the tile."""
    if isinstance(value, str):
        message = _field(0x0A, value.encode())
    elif isinstance(value, bool):
        message = b"\x38" + bytes([value])
    elif isinstance(value, int) and -(2**62) < value < 2**62:
        message = b"\x28" + _varint(value) if value >= 0 else b"\x30" + _varint(-2 * value - 1)
    else:
        message = b"\x19" + struct.pack("<d", value)
    return _field(0x22, message)


__all__ = ["EXTENT", "Properties", "Shapes", "boxes", "dashes", "dots", "encode", "joined", "outlines"]

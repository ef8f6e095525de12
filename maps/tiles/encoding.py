"""Mapbox vector tiles (version 2), written from arrays: every number of all features at once, no loop over features.

In the message of a feature everything is a variable-length integer: keys, lengths, tags and the commands of its geometry. So the
features of a tile are one long array of integers, which is put together by positions and turned into bytes in one go.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

EXTENT: Final = 4096
"""Steps of a tile's own grid: 8 to a CSS pixel where a tile is drawn 512 px wide."""

Integers = NDArray[np.int64]

POINT, LINE, POLYGON = 1, 2, 3
_MOVE, _CLOSE = 9, 15

_AT_ONCE: Final = 4096
"""Features written at once: their integers stay in the processor's cache."""


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


@dataclass(frozen=True, slots=True)
class Runs:
    """Lines or rings on the grid, one after the other.

    Attributes
    ----------
    x, y : (v,) int64
        Vertices.
    counts : (r,) int64
        How many of them belong to each.
    """

    x: Integers
    y: Integers
    counts: Integers

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def firsts(self) -> Integers:
        """Where each begins among the vertices."""
        return np.cumsum(self.counts) - self.counts

    def of(self, are_chosen: NDArray[np.bool_]) -> Runs:
        """Return some of them."""
        if are_chosen.all():
            return self
        vertices = np.repeat(are_chosen, self.counts)
        return Runs(self.x[vertices], self.y[vertices], self.counts[are_chosen])

    def thinned(self, *, is_ring: bool) -> Runs:
        """Leave out vertices that repeat the one before, and of rings the last, which is the first again."""
        lasts = np.cumsum(self.counts) - 1
        keep = np.ones(len(self.x), dtype=bool)
        keep[:-1] = (self.x[1:] != self.x[:-1]) | (self.y[1:] != self.y[:-1])
        keep[lasts] = not is_ring
        return Runs(self.x[keep], self.y[keep], np.add.reduceat(keep.astype(np.int64), self.firsts))

    def twice_areas(self) -> Integers:
        """Return twice the area of rings: above zero where they turn as outer rings turn."""
        after = np.arange(1, len(self.x) + 1)
        after[np.cumsum(self.counts) - 1] = self.firsts
        found: Integers = np.add.reduceat(self.x * self.y[after] - self.x[after] * self.y, self.firsts)
        return found

    def reversed(self, are_chosen: NDArray[np.bool_]) -> Runs:
        """Return all, some of them from the last vertex to the first."""
        if not are_chosen.any():
            return self
        at = np.arange(len(self.x))
        ends = 2 * self.firsts + self.counts - 1
        at = np.where(np.repeat(are_chosen, self.counts), np.repeat(ends, self.counts) - at, at)
        return Runs(self.x[at], self.y[at], self.counts)


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
    _known: dict[bytes, int] = field(default_factory=dict)
    _owners: list[Integers] = field(default_factory=list)
    _pairs: list[Integers] = field(default_factory=list)

    def add_texts(self, key: str, owners: Integers, texts: Sequence[bytes]) -> None:
        """Give features (by position) a text, in UTF-8: quickest where most differ."""
        self._give(key, owners, np.array(self._places(_texts(texts)), dtype=np.int64))

    def add(self, key: str, owners: Integers, values: Sequence[bytes], *, is_json: bool = False) -> None:
        """Give features (by position) a text in UTF-8, or a text, number or truth value as JSON; empty ones and others nothing."""
        places = dict.fromkeys(values, -1)
        told = {value: json.loads(value) if is_json else value.decode() for value in places if value}
        told = {value: meant for value, meant in told.items() if isinstance(meant, str | int | float)}
        places.update(zip(told, self._places([_value(meant) for meant in told.values()]), strict=True))
        found = np.fromiter(map(places.__getitem__, values), dtype=np.int64, count=len(values))
        has = found >= 0
        self._give(key, owners[has], found[has])

    def add_numbers(self, key: str, owners: Integers, numbers: Integers) -> None:
        """Give features a property of whole numbers, zero or more."""
        if not len(owners):
            return
        distinct, places = np.unique(np.asarray(numbers, dtype=np.int64), return_inverse=True)
        told = np.stack(
            [np.full_like(distinct, 0x22), 1 + _sizes(distinct), np.full_like(distinct, 0x28), distinct], axis=1
        )
        self.values.append(_as_bytes(told.ravel()))
        self._give(key, owners, places.ravel() + self._n_values)
        self._n_values += len(distinct)

    def tags(self, n: int) -> tuple[Integers, Integers]:
        """Return the tags of all features one after the other, and how many each has."""
        if not self._owners:
            return np.empty(0, dtype=np.int64), np.zeros(n, dtype=np.int64)
        owners, pairs = np.concatenate(self._owners), np.concatenate(self._pairs)
        order = np.argsort(owners, kind="stable")
        return pairs[order].ravel(), 2 * np.bincount(owners, minlength=n).astype(np.int64)

    def _places(self, values: list[bytes]) -> list[int]:
        """Return the position of each value, written if it is new."""
        known, n_before = self._known, len(self._known)
        others = self._n_values - n_before
        places = [known.setdefault(value, others + len(known)) for value in values]
        self.values += islice(known, n_before, None)
        self._n_values += len(known) - n_before
        return places

    def _give(self, key: str, owners: Integers, places: Integers) -> None:
        if not len(owners):
            return
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
    parts = [_field(0x0A, name.encode())]
    tags_before, commands_before = _before(n_tags), _before(shapes.counts)
    for first in range(0, n, _AT_ONCE):
        last = min(first + _AT_ONCE, n)
        some = slice(first, last)
        parts.append(
            _features(
                shapes.kinds[some],
                tags[tags_before[first] : tags_before[last]],
                n_tags[some],
                shapes.commands[commands_before[first] : commands_before[last]],
                shapes.counts[some],
            )
        )
    parts += [_field(0x1A, key.encode()) for key in properties.keys]
    parts += properties.values
    parts.append(b"\x28" + _varint(EXTENT) + b"\x78\x02")
    return _field(0x1A, b"".join(parts))


def _features(kinds: Integers, tags: Integers, n_tags: Integers, commands: Integers, n_commands: Integers) -> bytes:
    tag_bytes, geometry_bytes = _bytes_of_parts(tags, n_tags), _bytes_of_parts(commands, n_commands)
    lengths = 1 + _sizes(tag_bytes) + tag_bytes + 2 + 1 + _sizes(geometry_bytes) + geometry_bytes
    counts = 8 + n_tags + n_commands
    starts = np.cumsum(counts) - counts
    numbers = np.empty(int(counts.sum()), dtype=np.int64)
    numbers[starts], numbers[starts + 1] = 0x12, lengths
    numbers[starts + 2], numbers[starts + 3] = 0x12, tag_bytes
    numbers[_spread(starts + 4, n_tags)] = tags
    middle = starts + 4 + n_tags
    numbers[middle], numbers[middle + 1] = 0x18, kinds
    numbers[middle + 2], numbers[middle + 3] = 0x22, geometry_bytes
    numbers[_spread(middle + 4, n_commands)] = commands
    return _as_bytes(numbers)


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
    if len(parts) == 1:
        return parts[0]
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
    if dimension == 1:
        of_feature = np.arange(len(geometries) + 1) if is_single else offsets[1]
    else:
        of_feature = offsets[1] if is_single else offsets[1][offsets[2]]
    of_feature = of_feature.astype(np.int64)
    counts = np.diff(offsets[0][: of_feature[-1] + 1]).astype(np.int64)
    xy = xy[: int(counts.sum())]
    runs = Runs(np.ascontiguousarray(xy[:, 0]), np.ascontiguousarray(xy[:, 1]), counts)
    return strokes(runs.thinned(is_ring=dimension == 2), of_feature, is_ring=dimension == 2)


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


def strokes(runs: Runs, of_feature: Integers, *, is_ring: bool) -> Shapes:
    """Return lines or rings, thinned, as commands.

    Parameters
    ----------
    of_feature : (n + 1,) int64
        Where each feature begins among the runs.
    """
    n_vertices, firsts = runs.counts, runs.firsts
    per_run = 2 + 2 * n_vertices + int(is_ring)
    total = np.concatenate([[0], np.cumsum(per_run)])
    starts = total[:-1]
    commands = np.empty(int(total[-1]), dtype=np.int64)
    commands[starts], commands[starts + 3] = _MOVE, ((n_vertices - 1) << 3) | 2
    if is_ring:
        commands[total[1:] - 1] = _CLOSE
    at = np.repeat(starts + 2 - 2 * firsts, n_vertices) + 2 * np.arange(len(runs.x))
    at[firsts] -= 1  # all others stand behind the LineTo
    begins = firsts[of_feature[:-1]]  # where the pen begins at the corner of the tile
    for offset, values in ((0, runs.x), (1, runs.y)):
        moves = values.copy()
        moves[1:] -= values[:-1]
        moves[begins] = values[begins]
        commands[at + offset] = _zigzag(moves)
    counts = np.diff(total[of_feature])
    return Shapes(np.full(len(counts), POLYGON if is_ring else LINE, dtype=np.int64), commands, counts)


def chosen(shapes: Shapes, positions: Integers) -> Shapes:
    """Return some shapes, in the order of their positions."""
    if len(positions) == len(shapes) and (positions[1:] > positions[:-1]).all():
        return shapes
    starts, counts = np.cumsum(shapes.counts) - shapes.counts, shapes.counts[positions]
    return Shapes(shapes.kinds[positions], shapes.commands[_spread(starts[positions], counts)], counts)


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


def _sizes(values: Integers) -> NDArray[np.uint8]:
    """Return how many bytes each takes as a variable-length integer."""
    sizes = np.ones(len(values), dtype=np.uint8)
    largest = int(values.max(initial=0))
    for bits in (7, 14, 21, 28, 35):
        if largest >> bits:
            sizes += values >= (1 << bits)
    return sizes


def _before(counts: Integers | NDArray[np.uint8]) -> Integers:
    """Return how many belong to those before each, and last to all."""
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])


def _bytes_of_parts(values: Integers, counts: Integers) -> Integers:
    total = _before(_sizes(values))
    ends = np.cumsum(counts)
    found: Integers = total[ends] - total[ends - counts]
    return found


def _as_bytes(values: Integers) -> bytes:
    """Return all values as variable-length integers."""
    sizes = _sizes(values)
    ends = np.cumsum(sizes, dtype=np.int64)
    content = np.empty(int(ends[-1]) if len(ends) else 0, dtype=np.uint8)
    at = ends - sizes
    content[at] = values & 127
    longer = np.flatnonzero(sizes > 1)
    at, values = at[longer], values[longer]
    while len(values):
        content[at] |= 128
        at, values = at + 1, values >> 7
        content[at] = values & 127
        is_longer = values > 127
        at, values = at[is_longer], values[is_longer]
    return content.tobytes()


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


def _texts(contents: Sequence[bytes]) -> list[bytes]:
    """Return texts in UTF-8 as they stand in the tile."""
    most = len(_SHORT_TEXTS)
    return [
        _SHORT_TEXTS[n] + content if (n := len(content)) < most else _field(0x22, _field(0x0A, content))
        for content in contents
    ]


_SHORT_TEXTS: Final = [bytes((0x22, n + 2, 0x0A, n)) for n in range(126)]
"""What stands before a text of so many bytes."""


def _value(value: Any) -> bytes:
    """Return a value as it stands in the tile."""
    if isinstance(value, str):
        return _texts([value.encode()])[0]
    if isinstance(value, bool):
        message = b"\x38" + bytes([value])
    elif isinstance(value, int) and -(2**62) < value < 2**62:
        message = b"\x28" + _varint(value) if value >= 0 else b"\x30" + _varint(-2 * value - 1)
    else:
        message = b"\x19" + struct.pack("<d", value)
    return _field(0x22, message)


__all__ = [
    "EXTENT",
    "Properties",
    "Runs",
    "Shapes",
    "boxes",
    "chosen",
    "dashes",
    "dots",
    "encode",
    "joined",
    "outlines",
    "strokes",
]

"""What is remembered of a file while its rows go by: fields, bounds, first rows, doubles, where the problems are.

All of it is small whatever the file's size: a few numbers for a field, and thirty-odd bytes for a row.
"""

from collections.abc import Collection, Iterator, Mapping, Sized
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from layers.reading.examination import Checked
from layers.reading.plan import FieldFacts, Json, Kind, Problem, ProblemLog, Rows, Trouble
from layers.reading.projection import Bounds

PREVIEW_ROWS: Final = 100
MAX_TROUBLES: Final = 200
_EXAMPLES: Final = 5
_TYPE_OF: Final[Mapping[frozenset[type], str]] = {
    frozenset(): "empty",
    frozenset({bool}): "boolean",
    frozenset({int}): "integer",
    frozenset({float}): "number",
    frozenset({int, float}): "number",
    frozenset({str}): "text",
}
_SHOWN_VERTICES: Final = 200
_DEGREES_10_M: Final = 1e-4
# A large odd number, which spreads sums of hashes over all 64 bits.
_MIX: Final = np.int64(0x2545F4914F6CDD1D)


class _Field:
    """What one attribute holds so far."""

    def __init__(self) -> None:
        self.kinds: set[type] = set()
        self.filled = 0
        self.examples: list[Json] = []

    def look(self, values: list[Json], kinds: set[type]) -> None:
        """Look at some more of its values, which are of these kinds."""
        kinds = kinds - {type(None)}
        self.kinds |= kinds
        self.filled += len(values) - values.count(None) if kinds else 0
        if len(self.examples) < _EXAMPLES and kinds:
            for value in values[: 20 * _EXAMPLES]:
                if value is not None and value not in self.examples:
                    self.examples.append(value)
                    if len(self.examples) == _EXAMPLES:
                        return

    def facts(self, name: str, declared: str | None) -> FieldFacts:
        """Say it."""
        kind = _TYPE_OF.get(frozenset(self.kinds), "object")
        if kind == "text" and declared:
            kind = declared
        shown = (value[:100] if isinstance(value, str) else value for value in self.examples)
        return FieldFacts(name, kind, self.filled, tuple(shown))


class Whole:
    """Sums over all rows of a file, brought up to date by each batch.

    Attributes
    ----------
    n_rows
        Rows so far, without those left out.
    """

    def __init__(self, log: ProblemLog) -> None:
        self._log = log
        self.n_rows = 0
        self._fields: dict[str, _Field] = {}
        self._bounds: NDArray[np.float64] | None = None
        self._preview: list[Rows] = []
        self._previewed = 0
        self._troubles: list[Trouble] = []
        self._doubles = _Doubles()

    def look(self, rows: Rows, shape_hashes: NDArray[np.int64] | None) -> None:
        """Look at the rows of a batch."""
        self.n_rows += len(rows)
        kinds = {name: set(map(type, values)) for name, values in rows.columns.items()}
        for name, values in rows.columns.items():
            self._fields.setdefault(name, _Field()).look(values, kinds[name])
        if not len(rows):
            return
        boxes = shapely.bounds(rows.geometries_4326)
        there = boxes[np.isfinite(boxes[:, 0])]
        if len(there):
            box = np.concatenate((there[:, :2].min(axis=0), there[:, 2:].max(axis=0)))
            self._bounds = box if self._bounds is None else np.concatenate(
                (np.minimum(self._bounds[:2], box[:2]), np.maximum(self._bounds[2:], box[2:]))
            )  # fmt: skip
        if self._previewed < PREVIEW_ROWS:
            self._preview.append(rows.part(0, PREVIEW_ROWS - self._previewed))
            self._previewed += len(self._preview[-1])
        self._doubles.look(rows, boxes, shape_hashes, kinds)

    def look_at_problems(self, mark: int, numbers: NDArray[np.int64], checked: Checked) -> None:
        """Keep the geometries of rows that problems were told of since a mark of the log."""
        for row, problem in self._log.rows_since(mark):
            if len(self._troubles) >= MAX_TROUBLES:
                return
            at = int(np.searchsorted(numbers, row))
            if at < len(numbers) and numbers[at] == row and (shown := _shown(checked.placed[at])) is not None:
                self._troubles.append(Trouble(row, problem.severity, problem.code, shown))

    def finish(self, kind: Kind | None, *, is_joined: bool = False) -> None:
        """Report what shows only when all rows of a layer are known; rows that are joined may well share a geometry."""
        self._doubles.report(self._log, kind, is_joined=is_joined)

    def fields(self, types: Mapping[str, str]) -> tuple[FieldFacts, ...]:
        """Say what the attributes hold; ``types`` says which texts are dates."""
        return tuple(field.facts(name, types.get(name)) for name, field in self._fields.items())

    @property
    def bounds_4326(self) -> Bounds | None:
        """Degrees around all rows without an error."""
        return None if self._bounds is None else tuple(self._bounds.tolist())  # type: ignore[return-value]

    @property
    def preview(self) -> Rows:
        """The first rows."""
        return joined(self._preview)

    @property
    def troubles(self) -> tuple[Trouble, ...]:
        """Geometries with problems."""
        return tuple(self._troubles)


def joined(parts: list[Rows]) -> Rows:
    """Put batches of rows together."""
    if len(parts) < 2:
        return parts[0] if parts else Rows()
    columns: dict[str, list[Json]] = {name: [] for part in parts for name in part.columns}
    for part in parts:
        for name, values in columns.items():
            values.extend(part.columns.get(name) or [None] * len(part))
    return Rows(
        np.concatenate([part.geometries_4326 for part in parts]),
        np.concatenate([part.numbers for part in parts]),
        tuple(name for part in parts for name in part.names),
        columns,
    )


def _shown(geometry: shapely.Geometry | None) -> shapely.Geometry | None:
    """Give a geometry as it can be shown on a map; None if it is not in degrees, or there is none."""
    if geometry is None or geometry.is_empty:
        return None
    xy = shapely.get_coordinates(geometry)
    if not np.isfinite(xy).all() or (np.abs(xy) > (180, 90)).any():
        return None
    if len(xy) > _SHOWN_VERTICES:
        extent = float(np.ptp(xy, axis=0).max())
        geometry = shapely.simplify(geometry, extent / _SHOWN_VERTICES, preserve_topology=False)
        if geometry.is_empty or shapely.get_num_coordinates(geometry) > 10 * _SHOWN_VERTICES:
            geometry = shapely.box(*xy.min(axis=0), *xy.max(axis=0))
    return geometry


class _Doubles:
    """Rows that are there twice: the same in all, the same geometry, or one name at one place."""

    def __init__(self) -> None:
        self._numbers: list[NDArray[np.int64]] = []
        self._centres: list[NDArray[np.float32]] = []
        self._shapes: list[NDArray[np.int64]] = []
        self._contents: list[NDArray[np.int64]] = []
        self._names: list[NDArray[np.int64]] = []

    def look(
        self,
        rows: Rows,
        boxes: NDArray[np.float64],
        shape_hashes: NDArray[np.int64] | None,
        kinds: Mapping[str, set[type]],
    ) -> None:
        """Remember the hashes of a batch."""
        if shape_hashes is None:
            shape_hashes = _hashes(shapely.to_wkb(rows.geometries_4326))
        names = _hashes(rows.names)
        centres = (boxes[:, :2] + boxes[:, 2:]) / 2
        cells = np.floor(np.nan_to_num(centres) / _DEGREES_10_M).astype(np.int64)
        contents = names
        for name, values in rows.columns.items():
            is_nested = kinds[name] & {list, dict}
            contents = contents * _MIX + _hashes(map(repr, values) if is_nested else values, len(values))
        is_placed = np.isfinite(boxes[:, 0])
        named = np.fromiter(map(bool, rows.names), dtype=bool, count=len(rows)) & is_placed
        self._numbers.append(rows.numbers)
        self._centres.append(centres.astype(np.float32))
        # A row with a problem has no geometry, and is double with none; nor is one without a name.
        self._shapes.append(np.where(is_placed, shape_hashes, -rows.numbers))
        self._contents.append(contents)
        self._names.append(np.where(named, (names * _MIX + cells[:, 0]) * _MIX + cells[:, 1], -rows.numbers))

    def report(self, log: ProblemLog, kind: Kind | None, *, is_joined: bool) -> None:
        """Tell of every row that was there before, once."""
        if not self._numbers:
            return
        numbers, centres = _put_together(self._numbers), _put_together(self._centres)
        doubled, first_shape = _again(_put_together(self._shapes))
        contents = _put_together(self._contents)
        is_same_row = contents[doubled] == contents[first_shape]
        del contents
        named, first_named = _again(_put_together(self._names))
        is_apart = ~np.isin(named, doubled)
        named, first_named = named[is_apart], first_named[is_apart]

        def told(code: str, rows: NDArray[np.intp], first: NDArray[np.intp], what: str, remedy: str) -> None:
            before = dict(zip(rows.tolist(), first.tolist(), strict=True))

            def describe(at: int) -> Problem:
                message = what.format(row=int(numbers[before[at]]))
                lon, lat = (float(value) for value in centres[at])
                return Problem("warning", code, message, remedy, int(numbers[at]), lon=lon, lat=lat)

            log.add_rows("warning", code, rows, describe)

        told("duplicate_row", doubled[is_same_row], first_shape[is_same_row],
             "The row is the same as row {row} in everything.", "Delete one of them.")  # fmt: skip
        if is_joined:
            return
        doubled, first_shape = doubled[~is_same_row], first_shape[~is_same_row]
        if kind != "point":
            told("duplicate_geometry", doubled, first_shape,
                 "The row has exactly the geometry of row {row}.", "Delete one of them, or draw them apart.")  # fmt: skip
        elif len(doubled):
            # Several practices in one house are usual: it is told once.
            row, other = int(numbers[doubled[0]]), int(numbers[first_shape[0]])

            def same_place(n: int, _: int) -> Problem:
                message = f"{n:,} rows are exactly where another row is: row {row} is where row {other} is."
                return Problem("warning", "same_place", message, "Check that they are different things.", row)

            log.add_whole("warning", "same_place", len(doubled), len(numbers), same_place)
        if kind != "line":  # the parts of a street have one name
            told("duplicate_name", named, first_named,
                 "The row has the name of row {row}, and is at its place within some metres.",
                 "Delete one of them if they are the same thing.")  # fmt: skip


def _hashes(values: Collection[Json] | NDArray[np.object_] | Iterator[str], n: int | None = None) -> NDArray[np.int64]:
    """Give Python's own hash of each value, which lasts as long as the process."""
    count = len(values) if n is None and isinstance(values, Sized) else -1 if n is None else n
    return np.fromiter(map(hash, values), dtype=np.int64, count=count)


def _put_together(parts: list[NDArray[Any]]) -> NDArray[Any]:
    """Make one array of many, and let the many go."""
    whole = np.concatenate(parts)
    parts.clear()
    return whole


def _again(hashes: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Give the positions of hashes that were there before, in order, and of each the first with the same."""
    order = np.argsort(hashes, kind="stable")
    ranked = hashes[order]
    starts = np.concatenate(([True], ranked[1:] != ranked[:-1]))
    again = np.flatnonzero(~starts)
    if not len(again):
        return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp)
    first = order[np.flatnonzero(starts)[np.searchsorted(np.flatnonzero(starts), again) - 1]]
    rows = order[again]
    ranks = np.argsort(rows, kind="stable")
    return rows[ranks], first[ranks]


__all__ = ["MAX_TROUBLES", "PREVIEW_ROWS", "Whole", "joined"]

"""Rows joined to places or to features of a layer: each takes the geometry of its partner, by a column with codes or names.

Nothing disappears silently: rows without a partner are errors unless they are to be left out, things without a row are
listed, and sums tell what is lost with the rows that found nothing.
"""

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.core.text import normalise
from layers.reading.places import Found, Joining, Lonely, Places, Total, cell_text
from layers.reading.plan import Json, Problem, ProblemLog, RefusedError, first_names
from layers.reading.projection import Reference, reference_of
from layers.reading.request import BATCH_ROWS, Raw, Stream, Wanted
from layers.reading.wording import option

MOST_LISTED: Final = 500
"""Names told of each side."""
_MOST_TOTALS: Final = 200
_DIFFERENT: Final = object()
_NOTHING: Final = Found(-1, None)


@dataclass(slots=True)
class _Names:
    """Rows with one name that found nothing."""

    row: int
    several: int
    rows: int = 0


class JoinedStream:
    """A stream of rows with the geometries of their partners; see `layers.reading.request.Stream`.

    Parameters
    ----------
    stream
        The rows; geometries of their own are not used.
    wanted
        ``code_field``, ``pairs``, ``sum_fields`` and ``leave_out``.
    places
        What they are joined to.
    log
        Where rows without a partner are told.
    progress
        Told how many rows are done, where they are gathered before any is given.

    Attributes
    ----------
    n_rows
        Rows done so far.

    Raises
    ------
    RefusedError
        On being made, where there is no such column.
    """

    def __init__(
        self, stream: Stream, wanted: Wanted, places: Places, log: ProblemLog, progress: Callable[[int], object]
    ) -> None:
        self._stream, self._options, self._places, self._log = stream, wanted.options, places, log
        self._progress = progress
        self.names, self.types = stream.names, stream.types
        columns = list(stream.names.clean.values())
        self._column = self._named(str(wanted.options.code_field), columns, "code_field")
        self._sums = frozenset(self._named(name, columns, "sum_fields") for name in wanted.options.sum_fields)
        self._pairs = {normalise(name): partner for name, partner in wanted.options.pairs.items()}
        self.n_rows = self._n_matched = 0
        self._by: Counter[str] = Counter()
        self._used: Counter[int] = Counter()
        self._lonely: dict[str, _Names] = {}
        self._totals: dict[str, list[int | float] | None] = {}

    @staticmethod
    def _named(given: str, columns: list[str], kind: str) -> str:
        column = next((name for name in columns if normalise(name) == normalise(given)), None)
        if column is None:
            raise RefusedError(
                "no_such_field",
                f"The table has no column '{given}'.",
                f"Its columns are {first_names(columns, 40)}; name another with {option(kind)}.",
                row=1,
            )
        return column

    def reference(self) -> Reference:
        """Give the reference system of the geometries taken."""
        return reference_of("EPSG:4326", None)

    def batches(self) -> Iterator[Raw]:
        """Give the rows with the geometries of their partners; of several rows of one partner, one where they are added up."""
        if not self._sums:
            for raw in self._stream.batches():
                yield self._joined(raw)[0]
            self._tell_repeated()
            return
        sums = _Sums(self._sums, self._column)
        for raw in self._stream.batches():
            sums.add(*self._joined(raw))
            self._progress(self.n_rows)
        yield from sums.batches(self._places, self._log, self.names.kept)

    def _joined(self, raw: Raw) -> tuple[Raw, NDArray[np.int64]]:
        """Give rows with geometries, and the position of each one's partner (-1 for none); the sums are brought up to date."""
        cells = [cell_text(value) for value in raw.columns[self._column]]
        known = {cell: self._found(cell) for cell in set(cells)}
        found = [known[cell] for cell in cells]
        partners = np.fromiter((one.at for one in found), dtype=np.int64, count=len(cells))
        partners[raw.refused] = -1
        geometries = np.full(len(cells), None, dtype=object)
        matched = partners >= 0
        for index in np.flatnonzero(matched).tolist():
            geometries[index] = self._places.partners[partners[index]].geometry
        self.n_rows += len(cells)
        self._n_matched += int(matched.sum())
        self._used.update(partners[matched].tolist())
        self._by.update(found[index].by or "" for index in np.flatnonzero(matched).tolist())
        self._add_up(raw.columns, matched)
        lonely = ~matched & ~raw.refused
        self._tell(np.flatnonzero(lonely), cells, found, raw.numbers)
        rows = Raw(geometries, raw.refused | lonely, raw.numbers, raw.columns)
        if self._options.leave_out and lonely.any():
            return _part(rows, ~lonely), partners[~lonely]
        return rows, partners

    def _found(self, cell: str) -> Found:
        if not cell:
            return _NOTHING
        return self._places.find(self._pairs.get(normalise(cell), cell))

    def _tell(self, lonely: NDArray[np.intp], cells: list[str], found: list[Found], numbers: NDArray[np.int64]) -> None:
        for index in lonely.tolist():
            names = self._lonely.get(cells[index])
            if names is None:
                if len(self._lonely) >= MOST_LISTED:
                    continue
                names = self._lonely[cells[index]] = _Names(int(numbers[index]), found[index].several)
            names.rows += 1
        if self._options.leave_out:

            def left_out(index: int) -> Problem:
                message = f"The row of {cells[index][:40]!r} has no partner, and is left out."
                return Problem("repaired", "row_left_out", message, "", int(numbers[index]), self._column)

            self._log.add_rows("repaired", "row_left_out", lonely, left_out)
            return
        is_shared = np.array([found[index].several > 0 for index in lonely.tolist()], dtype=bool)
        self._log.add_rows(
            "error",
            "shared_name",
            lonely[is_shared],
            lambda index: self._shared(cells[index], found[index], numbers[index]),
        )
        code = "not_in_layer" if self._places.layer else "unknown_place"
        self._log.add_rows("error", code, lonely[~is_shared], lambda index: self._unknown(cells[index], numbers[index]))

    def _tell_repeated(self) -> None:
        several = [n for n in self._used.values() if n > 1]
        if several:
            message = (
                f"{len(several):,} things have several rows, {sum(several):,} in all, and would be stored as often."
            )
            remedy = f"If the rows are parts of a whole, such as ages, have them added up with {option('sum_fields')}."
            self._log.add(Problem("warning", "several_rows", message, remedy, field=self._column))

    def _shared(self, cell: str, found: Found, number: int) -> Problem:
        remedy = "Write the code of the one that is meant, or its name as nothing else is called; or delete the row."
        message = f"{found.several:,} things are called {cell[:40]!r}, so it stands for none of them."
        return Problem("error", "shared_name", message, remedy, int(number), self._column)

    def _unknown(self, cell: str, number: int) -> Problem:
        if self._places.layer:
            layer = self._places.layer
            what = (
                f"Layer {layer!r} has nothing called {cell[:40]!r}." if cell else "The row names nothing of the layer."
            )
            remedy = f"Write its name as the layer has it; or leave such rows out with {option('leave_out')}."
            return Problem("error", "not_in_layer", what, remedy, int(number), self._column)
        what = f"There is no place {cell[:40]!r}." if cell else "The place is not named."
        remedy = (
            f"Write its name or code as the city's places have it; or leave such rows out with {option('leave_out')}."
        )
        return Problem("error", "unknown_place", what, remedy, int(number), self._column)

    def _add_up(self, columns: dict[str, list[Json]], matched: NDArray[np.bool_]) -> None:
        is_matched = matched.tolist()
        for name, values in columns.items():
            sums = self._totals.get(name, [0, 0])
            if name == self._column or sums is None:
                continue
            there = [value for value in values if value is not None]
            if not all(type(value) in (int, float) for value in there):
                self._totals[name] = None
                continue
            if not there:
                continue
            mine = [value for value, is_in in zip(values, is_matched, strict=True) if is_in and value is not None]
            self._totals[name] = [sums[0] + _sum(there), sums[1] + _sum(mine)]

    def facts(self) -> Joining:
        """Say how the rows read so far found their partners."""
        unused = [at for at in range(len(self._places)) if at not in self._used]
        close = self._places.close([name for name in self._lonely if name], self._used)
        partners = self._places.partners
        lonely = tuple(
            Lonely(
                name, names.row, names.rows, names.several,
                tuple((self._written(at), partners[at].label) for at in close.get(name, ())),
            )
            for name, names in self._lonely.items()
        )  # fmt: skip
        totals = [Total(name, *sums) for name, sums in self._totals.items() if sums is not None]
        return Joining(
            field=self._column,
            layer=self._places.layer,
            release=self._places.release,
            rows=self.n_rows,
            matched=self._n_matched,
            by=dict(self._by),
            is_left_out=self._options.leave_out,
            partners=len(partners),
            used=len(self._used),
            repeated=sum(n > 1 for n in self._used.values()),
            lonely=lonely,
            unused=tuple(
                (partners[at].code, partners[at].name, *_middle(partners[at].geometry)) for at in unused[:MOST_LISTED]
            ),
            totals=tuple(totals[:_MOST_TOTALS]),
        )

    def _written(self, at: int) -> str:
        """Give what is to be written for a partner: its name, where nothing else is called so."""
        one = self._places.partners[at]
        return one.name if self._places.find(one.name).at == at else one.code or one.name


class _Sums:
    """One row of each partner: some columns added up, of the others what is the same in all its rows."""

    def __init__(self, sums: frozenset[str], column: str) -> None:
        self._sums, self._column = sums, column
        self._rows: dict[int, dict[str, Json]] = {}
        self._numbers: dict[int, int] = {}
        self._others: list[Raw] = []
        self._n = 0

    def add(self, raw: Raw, partners: NDArray[np.int64]) -> None:
        """Take some more rows; those without a partner stay for themselves."""
        self._n += len(partners)
        alone = partners < 0
        if alone.any():
            self._others.append(_part(raw, alone))
        for index in np.flatnonzero(~alone).tolist():
            at = int(partners[index])
            row = self._rows.setdefault(at, {})
            self._numbers.setdefault(at, int(raw.numbers[index]))
            for name, values in raw.columns.items():
                value = values[index]
                if name in self._sums:
                    self._add_value(row, name, value, int(raw.numbers[index]))
                elif name not in row:
                    row[name] = value
                elif row[name] != value and name != self._column:  # of several spellings the first is kept
                    row[name] = _DIFFERENT

    @staticmethod
    def _add_value(row: dict[str, Json], name: str, value: Json, number: int) -> None:
        if value is None:
            row.setdefault(name, None)
        elif type(value) in (int, float):
            row[name] = (row.get(name) or 0) + value
        else:
            raise RefusedError(
                "not_a_number", f"{str(value)[:40]!r} is no number, and cannot be added up.",
                f"Leave '{name}' out of {option('sum_fields')}.", row=number, field=name,
            )  # fmt: skip

    def batches(self, places: Places, log: ProblemLog, kept: Collection[str]) -> Iterator[Raw]:
        """Give the rows, in the order in which their partners come in the file, then those without a partner."""
        found = list(self._rows)
        differing: Counter[str] = Counter()
        for start in range(0, len(found), BATCH_ROWS):
            part = found[start : start + BATCH_ROWS]
            geometries = np.full(len(part), None, dtype=object)
            geometries[:] = [places.partners[at].geometry for at in part]
            columns: dict[str, list[Json]] = {}
            for name in self._rows[part[0]]:
                values = [self._rows[at].get(name) for at in part]
                differing[name] += sum(value is _DIFFERENT for value in values)
                columns[name] = [None if value is _DIFFERENT else value for value in values]
            numbers = np.array([self._numbers[at] for at in part], dtype=np.int64)
            yield Raw(geometries, np.zeros(len(part), dtype=bool), numbers, columns)
        yield from self._others
        for name, n in differing.items():
            if n and name in kept:
                message = f"'{name}' differs among the rows that are added up, for {n:,} of {len(found):,} things, and is left empty there."
                log.add(Problem("warning", "differing_values", message, "Leave the column out.", field=name))


def _part(raw: Raw, kept: NDArray[np.bool_]) -> Raw:
    at = np.flatnonzero(kept).tolist()
    columns = {name: [values[index] for index in at] for name, values in raw.columns.items()}
    return replace(
        raw, geometries=raw.geometries[kept], refused=raw.refused[kept], numbers=raw.numbers[kept], columns=columns
    )


def _sum(values: list[Json]) -> int | float:
    """Add numbers up: whole ones exactly, others without losing what is small beside what is large."""
    return math.fsum(values) if any(type(value) is float for value in values) else int(sum(values))


def _middle(geometry: shapely.Geometry) -> tuple[float, float]:
    west, south, east, north = geometry.bounds
    return round((west + east) / 2, 6), round((south + north) / 2, 6)


__all__ = ["MOST_LISTED", "JoinedStream"]

"""The rows of a layer while they are checked: which are still good, their coordinates, and what was found."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from layers.reading.limits import DEFAULT, Limits
from layers.reading.plan import Kind, Problem, ProblemLog, Severity
from layers.reading.projection import Bounds, Floats, Reference

Mask = NDArray[np.bool_]
Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Rules:
    """What a layer's geometries are checked against.

    Attributes
    ----------
    reference
        The reference system their coordinates are in.
    expect
        The kind they must be; None if any one kind will do.
    repair
        Mend what can be mended, and leave out rows without a geometry, saying so.
    near
        Bounds of the city in degrees (west, south, east, north); None if unknown.
    limits
        Sizes accepted.
    """

    reference: Reference
    expect: Kind | None = None
    repair: bool = False
    near: Bounds | None = None
    limits: Limits = DEFAULT


@dataclass(slots=True)
class Seen:
    """What the checks remember from one batch of rows to the next.

    Attributes
    ----------
    kind
        What the layer holds: settled by the first batch with a geometry.
    n_placed, n_away
        Rows that could be placed, and those of them that lie far from the city.
    samples
        Some vertices of each of the first batches, as they stand in the file.
    """

    kind: Kind | None = None
    n_placed: int = 0
    n_away: int = 0
    samples: list[Floats] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Checked:
    """Geometries after the checks.

    Attributes
    ----------
    geometries_4326
        Shape ``(n,)``; None where an error was found.
    placed
        Shape ``(n,)``; as far as the checks came, those with an error too: for showing where a problem is.
    kept
        Shape ``(n,) bool``; False for rows that a repair leaves out.
    kind
        What they are; None if there is none.
    """

    geometries_4326: NDArray[np.object_]
    placed: NDArray[np.object_]
    kept: Mask
    kind: Kind | None


class Examination:
    """The rows under check.

    Attributes
    ----------
    geometries, numbers
        As given to `layers.reading.checks.check_geometries`; the geometries change as they are placed and mended.
    rules, log, seen
        What they are checked against, where problems go, and what is remembered of the batches before.
    good, kept
        Shape ``(n,) bool``: no error found so far; not left out by a repair.
    kind
        What the layer holds, once known.
    xy, owner
        Shape ``(v, 2)`` and ``(v,)``: the vertices of the good rows and the row of each, in order.
    sample
        Some of the vertices as they stand in the file.
    """

    def __init__(
        self,
        geometries: NDArray[np.object_],
        numbers: NDArray[np.int64],
        rules: Rules,
        log: ProblemLog,
        refused: Mask | None,
        seen: Seen,
    ) -> None:
        self.geometries = geometries.copy()
        self.numbers = numbers
        self.rules = rules
        self.log = log
        self.seen = seen
        self.good = np.ones(len(geometries), dtype=bool) if refused is None else ~refused
        self.kept = np.ones(len(geometries), dtype=bool)
        self.kind: Kind | None = None
        self.xy: Floats = np.empty((0, 2))
        self.owner: Indices = np.empty(0, dtype=np.intp)
        self.sample: Floats = self.xy

    def report(
        self,
        severity: Severity,
        code: str,
        indices: Indices,
        describe: Callable[[int], tuple[str, str]],
        *,
        placed: bool = True,
    ) -> None:
        """Record one problem per row; errors take the row out of further checks."""

        def problem(index: int) -> Problem:
            message, remedy = describe(index)
            lon, lat = self.place_of(index) if placed else (None, None)
            return Problem(severity, code, message, remedy, int(self.numbers[index]), lon=lon, lat=lat)

        self.log.add_rows(severity, code, indices, problem)
        if severity == "error":
            self.drop(indices)

    def report_whole(self, code: str, indices: Indices, of: int, say: Callable[[str], tuple[str, str]]) -> None:
        """Record one error for many rows at once, naming the first.

        ``say`` gives message and remedy for a phrase such as "All 3 rows", and is asked when the file has been read.
        """
        first = int(self.numbers[indices[0]])

        def problem(n: int, of: int) -> Problem:
            message, remedy = say(f"All {n:,} rows" if n >= of else f"{n:,} of {of:,} rows")
            return Problem("error", code, message, remedy, first)

        self.log.add_whole("error", code, len(indices), of, problem)
        self.drop(indices)

    def drop(self, indices: Indices) -> None:
        """Take rows out of further checks."""
        if not len(indices):
            return
        self.good[indices] = False
        mask = self.good[self.owner]
        self.xy, self.owner = self.xy[mask], self.owner[mask]

    def place_of(self, index: int) -> tuple[float | None, float | None]:
        """Longitude and latitude of a row's first vertex, once coordinates are degrees."""
        first = int(np.searchsorted(self.owner, index))
        if first >= len(self.owner) or self.owner[first] != index:
            return None, None
        x, y = self.xy[first]
        return (float(x), float(y)) if abs(x) <= 180 and abs(y) <= 90 else (None, None)

    def owners_of(self, mask: Mask) -> Indices:
        """Give the rows that have a vertex in a mask over vertices."""
        return np.unique(self.owner[mask])

    def good_indices(self) -> Indices:
        """Give the rows without an error so far."""
        return np.flatnonzero(self.good)

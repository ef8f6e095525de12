"""What is wrong with a file: problems with their place and remedy, and the log that counts them while it is read."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from layers.reading.limits import DEFAULT, Limits
from layers.reading.wording import COMMAND, Wording

Severity: TypeAlias = Literal["error", "repaired", "warning"]
Json: TypeAlias = Any  # str, int, float, bool, None, and lists and dicts of them: what PostgreSQL keeps as jsonb

_SEVERITIES: Final[tuple[Severity, ...]] = ("error", "repaired", "warning")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a file, located, in words for the person who brought the file.

    Attributes
    ----------
    severity
        ``error``: the file cannot be loaded; ``repaired``: mended because that was asked for; ``warning``: loaded as
        it is, but worth a look.
    code
        Stable machine-readable name.
    message, remedy
        What is wrong with which value, and what to do; complete English sentences.
    row
        Row in the file as its reader counts it: the first feature of a layer is 1; in a table the header is row 1.
        None if the whole file is meant.
    field
        Attribute concerned; None for the geometry or the file.
    lon, lat
        Where, degrees in EPSG:4326, when that can be said.
    """

    severity: Severity
    code: str
    message: str
    remedy: str = ""
    row: int | None = None
    field: str | None = None
    lon: float | None = None
    lat: float | None = None

    @property
    def where(self) -> str:
        """The place in words: ``row 3, field 'name', at 48.36, 33.49``; empty for the whole file."""
        parts = []
        if self.row is not None:
            parts.append(f"row {self.row}")
        if self.field is not None:
            parts.append(f"field '{self.field}'")
        if self.lon is not None and self.lat is not None:
            parts.append(f"at {self.lon:.6g}, {self.lat:.6g}")
        return ", ".join(parts)

    def __str__(self) -> str:
        """One line for a log or a terminal."""
        place = f"{self.where}: " if self.where else ""
        return f"{self.severity}: {place}{self.message} {self.remedy}".rstrip()

    def as_dict(self) -> dict[str, Json]:
        """Give the problem as JSON-safe values, for an API or a release's record."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


class RefusedError(Exception):
    """Reading cannot go on; carries the one problem that stops it. Never leaves `layers.reading`."""

    def __init__(
        self, code: str, message: str, remedy: str, *, row: int | None = None, field: str | None = None
    ) -> None:
        super().__init__(message)
        self.problem = Problem("error", code, message, remedy, row=row, field=field)


@dataclass(slots=True)
class _Whole:
    """One problem of the whole file, counted up batch by batch: how many rows, of how many, and its words."""

    severity: Severity
    n: int
    of: int
    say: "Callable[[int, int], Problem]"
    is_touched: bool = True


class ProblemLog:
    """Collects problems while a file is read: counts all, keeps a bounded number of each kind."""

    def __init__(self, limits: Limits = DEFAULT, wording: Wording = COMMAND) -> None:
        self._limits, self._wording = limits, wording
        self._kept: list[Problem] = []
        self._counts: Counter[tuple[Severity, str]] = Counter()
        self._whole: dict[tuple[str, str | None], _Whole] = {}

    def add(self, problem: Problem) -> None:
        """Record one problem."""
        key = (problem.severity, problem.code)
        self._counts[key] += 1
        if self._counts[key] <= self._limits.problems_per_code:
            self._kept.append(problem)

    def add_rows(
        self, severity: Severity, code: str, indices: NDArray[np.integer[Any]], describe: Callable[[int], Problem]
    ) -> None:
        """Record one problem for each of many rows; only those that are kept are put into words.

        ``describe`` gives the problem of one index and must use the same severity and code.
        """
        if not len(indices):
            return
        key = (severity, code)
        room = max(0, self._limits.problems_per_code - self._counts[key])
        self._kept.extend(describe(int(index)) for index in indices[:room])
        self._counts[key] += len(indices)

    def add_whole(
        self,
        severity: Severity,
        code: str,
        n: int,
        of: int,
        say: Callable[[int, int], Problem],
        field: str | None = None,
    ) -> None:
        """Record one problem of many rows, to be told once for the whole file.

        Parameters
        ----------
        severity, code, field
            Of the problem; batches that report the same code and field are added up.
        n, of
            How many rows it concerns, of how many in this batch.
        say
            Puts it into words from the sums of both; the one of the first batch is asked.
        """
        found = self._whole.get((code, field))
        if found is None:
            self._whole[code, field] = _Whole(severity, n, of, say)
            return
        found.n += n
        found.of += of
        found.is_touched = True

    def end_batch(self, rows: int) -> None:
        """Say that a batch is over: what was whole before is now less so, if it did not happen in it."""
        for found in self._whole.values():
            if not found.is_touched:
                found.of += rows
            found.is_touched = False

    @property
    def mark(self) -> int:
        """How many problems are kept so far, for `rows_since`."""
        return len(self._kept)

    def rows_since(self, mark: int) -> list[tuple[int, Problem]]:
        """Give the rows that problems were kept of since a mark was taken, with the problem of each."""
        return [(problem.row, problem) for problem in self._kept[mark:] if problem.row is not None]

    @property
    def has_errors(self) -> bool:
        """True once any error was recorded."""
        return any(severity == "error" for severity, _ in self._counts) or any(
            found.severity == "error" for found in self._whole.values()
        )

    def problems(self) -> tuple[Problem, ...]:
        """Give what is kept, in the caller's words, errors first, then by row; no more than the limit."""
        order = {severity: position for position, severity in enumerate(_SEVERITIES)}
        kept = [*(found.say(found.n, found.of) for found in self._whole.values()), *self._kept]
        ranked = sorted(kept, key=lambda p: (order[p.severity], p.row or 0))
        return tuple(replace(p, remedy=self._wording.say(p.remedy)) for p in ranked[: self._limits.problems])

    def counts(self) -> dict[Severity, dict[str, int]]:
        """Give how many problems there were, by severity and code, whether kept or not."""
        result: dict[Severity, dict[str, int]] = {severity: {} for severity in _SEVERITIES}
        every = self._counts + Counter((found.severity, code) for (code, _), found in self._whole.items())
        for (severity, code), count in sorted(every.items()):
            result[severity][code] = count
        return result


def first_names(names: Iterable[str], shown: int = 12) -> str:
    """List names for a message, not more than fit in a sentence."""
    listed = list(names)
    text = ", ".join(f"'{name}'" for name in listed[:shown])
    return text + (f" and {len(listed) - shown} more" if len(listed) > shown else "") if listed else "none"

"""A file of rows read from its beginning to its end, in batches: memory holds one batch, whatever the file's size.

```python
with reading(path, ReadingOptions(near=bounds)) as file:
    for rows in file.batches():
        ...                     # checked, in EPSG:4326; None where a row has an error
    plan = file.plan()          # what was found, without the rows
```
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from operator import is_
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import shapely

from layers.reading.candidates import candidates, some_points
from layers.reading.checks import check_geometries
from layers.reading.encodings import encoding_samples
from layers.reading.examination import Rules, Seen
from layers.reading.joining import JoinedStream
from layers.reading.limits import DEFAULT, WHOLE, Limits
from layers.reading.mapping import FieldMapper
from layers.reading.places import Joining, Places
from layers.reading.plan import Candidate, Kind, Plan, Problem, ProblemLog, RefusedError, Rows
from layers.reading.projection import Floats, Reference
from layers.reading.quiet import settled
from layers.reading.request import Facts, FieldRule, Raw, ReadingOptions, Stream, Wanted, labels_of, rows_of
from layers.reading.source import Source, open_source
from layers.reading.table import TableStream
from layers.reading.vector import VectorStream
from layers.reading.whole import Whole, joined
from layers.reading.wording import COMMAND, Wording, option

#: Told how many rows are done, and of how many (-1 if unknown).
Progress: TypeAlias = Callable[[int, int], object]


class Reading:
    """One file while it is read. Its problems are in `log`; nothing raises for a bad file.

    ``is_refused`` is true once reading cannot go on; then the rows given so far are not the file's.

    Parameters
    ----------
    path
        A file, or the folder of a shapefile.
    options
        How to read it.
    limits
        Sizes accepted.
    wording
        How remedies call the options: in the caller's words.
    progress
        Told after each batch.
    places
        What rows are joined to, where they name it (``code_field``).
    only
        Refuse any other kind of file.
    """

    def __init__(
        self,
        path: Path,
        options: ReadingOptions,
        *,
        limits: Limits = DEFAULT,
        wording: Wording = COMMAND,
        progress: Progress | None = None,
        places: Places | None = None,
        only: Literal["table", "vector"] | None = None,
    ) -> None:
        self._only = only
        self.path, self.options = Path(path), options
        self.log = ProblemLog(limits, wording)
        self._wanted = Wanted(options, limits)
        self._progress, self._places = progress, places
        self._facts = Facts()
        self._seen = Seen()
        self._whole = Whole(self.log)
        self._stack = ExitStack()
        self._stream: Stream | None = None
        self._reference: Reference | None = None
        self._mapper: FieldMapper | None = None
        self._peeked: list[Rows] = []
        self._rest: Iterator[Rows] | None = None
        self._given = False
        self._n_read = 0
        self.is_refused = False
        self._candidates: tuple[Candidate, ...] = ()

    # Opening and closing

    def open(self) -> None:
        """Open the file; what is wrong with it goes into the log."""
        try:
            self._stack.enter_context(settled())
            source = self._stack.enter_context(open_source(self.path, self._wanted.limits, rules=self.options.rules))
            self._facts.format, self._facts.sha256 = source.format, source.sha256
            for noticed in source.warnings:
                self.log.add(noticed)
            try:
                self._stream = stream = self._streamed(source)
            finally:  # of a file that was refused for its text, they help to choose
                self._facts.encoding_samples = encoding_samples(source, self._facts, self.options.encoding)
            self._mapper = FieldMapper(self.options.mapping, [*stream.names.kept], self.log)
            self._reference = self._placed(stream)
            self._facts.crs = self._reference.label
        except RefusedError as refused:
            self._refuse(refused)
            self._stream = None

    def close(self) -> None:
        """Let the file go, wherever reading is."""
        if self._rest is not None:
            close = getattr(self._rest, "close", None)
            if close is not None:
                close()
        self._stack.close()

    def _refuse(self, refused: RefusedError) -> None:
        self.is_refused = True
        self.log.add(refused.problem)

    def _streamed(self, source: Source) -> Stream:
        only = self._only or ("table" if source.way == "table" else "vector")
        if source.way == "raster" or (only == "table") != (source.way == "table"):
            code, what = ("not_a_table", "table") if only == "table" else ("not_a_vector_file", "vector layer")
            raise RefusedError(code, f"The file is a {source.format}, not a {what}.", "Choose another file.")
        opened = TableStream if source.way == "table" else VectorStream
        stream: Stream = opened(source, self._wanted, self._facts, self.log)
        if self.options.code_field:
            return JoinedStream(stream, self._wanted, self._places or Places([]), self.log, self._tell)
        return stream

    def _placed(self, stream: Stream) -> Reference:
        """Find the reference system; where there is none, say in which the coordinates would lie in the city."""
        try:
            return stream.reference()
        except RefusedError as refused:
            if refused.problem.code != "no_crs" or self.options.near is None:
                raise
            raw = next(iter(stream.batches()), None)
            xy = shapely.get_coordinates(raw.geometries) if raw is not None else np.empty((0, 2))
            self._candidates = candidates(self._changed(xy[np.isfinite(xy).all(axis=1)]), self.options.near)
            if not self._candidates:
                raise
            best = self._candidates[0]
            said = [option("source_epsg", best.epsg)]
            said += [option("swap_xy")] if best.swap_xy else []
            said += [option("scale", best.scale)] if best.scale != 1 else []
            problem = refused.problem
            remedy = f"As {best.label} they would lie in the city: read the file with {' and '.join(said)}."
            raise RefusedError(problem.code, problem.message, remedy, row=problem.row) from refused

    # Rows

    @property
    def count(self) -> int:
        """Rows in the file as far as it says, -1 if it does not."""
        return self._facts.count

    @property
    def kind(self) -> Kind | None:
        """What the layer holds; reads on to the first rows that say it. None if there are none, or there are errors first."""
        if not self._given:
            self._rest = self._rest if self._rest is not None else self._read()
            while self._seen.kind is None and not self.log.has_errors and (rows := next(self._rest, None)) is not None:
                self._peeked.append(rows)
        return self._seen.kind

    def require_kind(self) -> Kind:
        """Return what the layer holds, or raise what is wrong with a file that does not say it, which is then read to its end.

        Raises
        ------
        InvalidInput, LimitExceeded
            See `Plan.require_loadable`.
        """
        kind = self.kind
        if kind is None:
            self.read()
            self.plan().require_loadable()
            raise RuntimeError("Rows without a kind have no error.")
        return kind

    @property
    def sha256(self) -> str:
        """Hash of the file's bytes."""
        return self._facts.sha256

    def batches(self) -> Iterator[Rows]:
        """Give the rows, once: not more than `BATCH_ROWS`, and about 32 MB, at a time."""
        if self._given:
            raise RuntimeError("The rows of a file are given once.")
        self._given = True
        rest = self._rest if self._rest is not None else self._read()
        self._rest = rest
        while self._peeked:
            yield self._peeked.pop(0)
        yield from rest

    def read(self) -> None:
        """Read to the end, keeping nothing: for the plan."""
        for _ in self.batches():
            pass

    def _read(self) -> Iterator[Rows]:
        stream, reference = self._stream, self._reference
        if stream is None or reference is None:
            return
        rules = self._wanted.rules(reference)
        n_kept = 0
        try:
            for raw in stream.batches():
                rows = self._checked(raw, rules)
                n_kept += len(rows)
                self._n_read += len(raw.numbers)
                self.log.end_batch(len(raw.numbers))
                self._tell(stream.n_rows if isinstance(stream, JoinedStream) else self._n_read)
                yield rows
        except RefusedError as refused:
            self._refuse(refused)
            return
        if not n_kept:
            self.log.add(
                Problem("error", "no_rows", "No row has a geometry, so none is left.", "Export the layer again.")
            )
        self._whole.finish(self._seen.kind, is_joined=isinstance(stream, JoinedStream))

    def _tell(self, done: int) -> None:
        if self._progress:
            self._progress(done, self._facts.count)

    def _checked(self, raw: Raw, rules: Rules) -> Rows:
        stream = self._stream
        assert stream is not None  # noqa: S101 - `_read` has looked
        mark = self.log.mark
        columns = {name: values for name, values in raw.columns.items() if name in stream.names.kept}
        if self.options.mapping and self._mapper is not None:
            columns = self._mapper.apply(columns, raw.numbers)
        labels = labels_of(raw.columns, stream.names.name, len(raw.numbers))
        geometries = raw.geometries
        is_own = not isinstance(stream, JoinedStream)
        if is_own and (self.options.swap_xy or self.options.scale is not None):
            geometries = shapely.transform(geometries, self._changed)
        checked = check_geometries(geometries, raw.numbers, rules, self.log, raw.refused, self._seen)
        rows = rows_of(checked.geometries_4326, raw.numbers, columns, labels, checked.kept)
        if (
            raw.wkb is not None
            and len(rows) == len(raw.numbers)
            and all(map(is_, rows.geometries_4326, raw.geometries))
        ):
            rows = replace(rows, wkb=raw.wkb)
        hashes = None if raw.shape_hashes is None else raw.shape_hashes[checked.kept]
        self._whole.look(rows, hashes)
        self._whole.look_at_problems(mark, raw.numbers, checked)
        return rows

    def _changed(self, xy: Floats) -> Floats:
        xy = xy[:, ::-1] if self.options.swap_xy else xy
        return xy if self.options.scale is None else xy * self.options.scale

    # What was found

    def joining(self) -> Joining | None:
        """Say how the rows read so far found what they are joined to; None where they are not joined."""
        return self._stream.facts() if isinstance(self._stream, JoinedStream) else None

    def plan(self, rows: Rows | None = None) -> Plan:
        """Say what was found so far, or of all once the batches are exhausted; with the rows if they are given."""
        facts, whole, seen = self._facts, self._whole, self._seen
        types = self._stream.types if self._stream else {}
        near = self.options.near
        found = self._candidates
        points: tuple[tuple[float, float], ...] = ()
        if not found and near is not None and seen.samples and (seen.n_away > 0 or self.log.has_errors):
            sample = np.concatenate(seen.samples)
            found = candidates(sample, near, besides=(facts.crs,))
            if found and self._reference is not None:
                points = some_points(self._reference.to_lon_lat(sample))
        return Plan(
            file_name=self.path.name,
            format=facts.format,
            sha256=facts.sha256,
            problems=self.log.problems(),
            counts=self.log.counts(),
            layer=facts.layer,
            crs=facts.crs,
            encoding=facts.encoding,
            kind=seen.kind,
            rows=Rows() if rows is None else rows,
            n_rows=whole.n_rows,
            fields=whole.fields(self._mapper.types(types) if self._mapper else dict(types)),
            bounds_4326=whole.bounds_4326,
            preview=whole.preview,
            troubles=whole.troubles,
            is_crs_guessed=facts.is_crs_guessed,
            is_encoding_guessed=facts.is_encoding_guessed,
            is_plausible=None if near is None or not seen.n_placed else seen.n_away < seen.n_placed / 2,
            candidates=found,
            points=points,
            encoding_samples=facts.encoding_samples,
            layers=facts.layers,
        )


@contextmanager
def reading(
    path: Path,
    options: ReadingOptions | None = None,
    *,
    limits: Limits = DEFAULT,
    wording: Wording = COMMAND,
    progress: Progress | None = None,
    places: Places | None = None,
) -> Iterator[Reading]:
    """Open a file of rows for reading; see `Reading`."""
    file = Reading(path, options or ReadingOptions(), limits=limits, wording=wording, progress=progress, places=places)
    try:
        file.open()
        yield file
    finally:
        file.close()


def read_rows(
    path: Path,
    options: ReadingOptions,
    *,
    limits: Limits = WHOLE,
    wording: Wording = COMMAND,
    places: Places | None = None,
    only: Literal["table", "vector"] | None = None,
) -> Plan:
    """Read a file whole: the plan with all rows in memory."""
    file = Reading(path, options, limits=limits, wording=wording, places=places, only=only)
    try:
        file.open()
        rows = list(file.batches())
        return file.plan(Rows() if file.is_refused else joined(rows))
    finally:
        file.close()


__all__ = ["FieldRule", "Progress", "Reading", "ReadingOptions", "read_rows", "reading"]

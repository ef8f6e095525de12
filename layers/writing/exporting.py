"""A release into files of a format: what is asked for is checked first, then written bit by bit."""

from __future__ import annotations

import csv
import shutil
import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from geo.core.crs import STORAGE_EPSG
from geo.errors import CrsError, InvalidInput, LimitExceeded
from layers.models import Layer, Release
from layers.writing.batches import LONG_TEXTS, Batch, ContradictedError, Facts, Told, batches
from layers.writing.columns import Survey, survey
from layers.writing.formats import Format, format_of, require_speaks
from layers.writing.names import file_stem
from layers.writing.pumping import pumped
from layers.writing.rasters import RasterFacts, raster_write, require_window, squares_write
from layers.writing.sinks import Layout, inert, sink_for
from layers.writing.systems import Bounds, crs_required


@dataclass(frozen=True, slots=True)
class Export:
    """What is asked for; made by `export_of`, which checks it.

    Attributes
    ----------
    below
        Fields that count people, and the number under which they are not told.
    pixels_below
        Of a raster that counts people: they are told by squares, and not where they are fewer; 0 where all are told.
    window_4326
        Of a raster: the part that is wanted, degrees.
    """

    release: Release
    form: Format
    epsg: int
    below: Mapping[str, float] = field(default_factory=dict)
    pixels_below: float = 0.0
    window_4326: Bounds | None = None

    @property
    def layer(self) -> Layer:
        """Whose release it is."""
        layer: Layer = self.release.layer
        return layer

    @property
    def stem(self) -> str:
        """Name of its files, without ending."""
        return file_stem(self.layer.city.code, self.layer.code, self.release.number, self.epsg)


@dataclass(frozen=True, slots=True)
class Written:
    """What was written.

    Attributes
    ----------
    files
        The data, and texts that the format would have cut.
    told, survey, layout
        What the codebook says of rows; None for a raster.
    raster
        What it says of pixels.
    """

    files: list[Path]
    told: Told | None = None
    survey: Survey | None = None
    layout: Layout | None = None
    raster: RasterFacts | None = None


def export_of(
    release: Release,
    *,
    format: str,  # noqa: A002 - the word everybody uses
    epsg: int | None = None,
    below: Mapping[str, float] | None = None,
    pixels_below: float = 0.0,
    window_4326: Bounds | None = None,
) -> Export:
    """Return what is asked for, once it is sure that it can be had.

    Parameters
    ----------
    format
        Code of one of `layers.writing.formats.FORMATS`.
    epsg
        Reference system; degrees for rows and the raster's own for a raster where it is left out.
    below, pixels_below, window_4326
        As in `Export`.

    Raises
    ------
    InvalidInput, CrsError, LimitExceeded
        Where it cannot be had.
    """
    kind = release.layer.kind
    form = format_of(format, kind)
    is_raster = kind == Layer.Kind.RASTER
    chosen = epsg or (release.raster.epsg if is_raster else STORAGE_EPSG)
    require_speaks(form, chosen)
    if window_4326 is not None and not is_raster:
        raise InvalidInput(
            "A window can be cut out of a raster only.",
            code="window_of_rows",
            where="bbox",
            remedy="Leave it out; the rows within a box are at /ogc/.",
        )
    if form.most_rows and release.row_count > form.most_rows:
        raise LimitExceeded(
            f"A worksheet holds {form.most_rows:,} rows, and the release has {release.row_count:,}.",
            code="too_many_rows_for_format",
            where="format",
            remedy="Choose csv, parquet or gpkg.",
            details={"most": form.most_rows, "rows": release.row_count},
        )
    if is_raster and pixels_below and chosen != release.raster.epsg:
        # Squares laid otherwise could be subtracted from these.
        raise CrsError(
            f"People are told by squares in the raster's own reference system only, EPSG:{release.raster.epsg}.",
            code="crs_of_squares",
            where="crs",
            remedy="Leave the reference system out.",
            details={"epsg": release.raster.epsg},
        )
    bounds = require_window(release.raster, window_4326) if is_raster else release.bounds_4326
    crs_required(chosen, bounds)
    return Export(release, form, chosen, dict(below or {}), pixels_below if is_raster else 0.0, window_4326)


def export_write(export: Export, folder: Path) -> Generator[int, None, Written]:
    """Write the files of an export into a folder, yielding the rows done so far, again and again.

    Closing the generator ends the writing; the folder is the caller's to remove.
    """
    if export.form.is_raster:
        return (yield from _raster(export, folder))
    try:
        return (yield from _rows(export, folder, is_trusting=True))
    except ContradictedError:
        # The types that the import found do not hold: look at all values, and begin again.
        for file in folder.iterdir():
            file.unlink()
        yield 0
        return (yield from _rows(export, folder, is_trusting=False))


def layout_of(export: Export, found: Survey) -> Layout:
    """Return what the file of some rows is to be."""
    kind = str(export.layer.kind)
    is_plain = kind == "point" and not found.has_multi
    is_table = export.form.code in _TABLES
    return Layout(
        export.form,
        export.stem,
        export.layer.name_fa,
        found.columns,
        export.epsg,
        kind,
        is_multi=found.has_multi,
        is_mixed=found.has_multi and found.has_single,
        has_points=is_table,
        has_shapes=is_table and not (is_plain and export.epsg == STORAGE_EPSG),
    )


_TABLES: Final = frozenset({"csv", "xlsx"})


def _rows(export: Export, folder: Path, *, is_trusting: bool) -> Generator[int, None, Written]:
    release, form = export.release, export.form
    found = survey(release, form, export.below, is_trusting=is_trusting)
    if release.bounds_4326 is None:
        crs_required(export.epsg, found.bounds_4326)
    yield 0
    layout = layout_of(export, found)
    told = Told([Facts() for _ in found.columns])
    sink = sink_for(form)
    long_texts = LongTexts(folder / LONG_TEXTS)
    rows = batches(
        release,
        found.columns,
        form,
        export.epsg,
        told,
        is_multi=layout.is_mixed and form.is_one_kind and not (form.code == "shp" and layout.kind != "point"),
        wants_points=layout.has_points,
        long_texts=long_texts,
    )

    def work(given: Iterator[Batch]) -> list[Path]:
        return sink(folder, layout, given, told, long_texts)

    with long_texts, closing(pumped(rows, work)) as pumping:
        files = yield from pumping
    return Written([*files, *long_texts.files], told, found, layout)


def _raster(export: Export, folder: Path) -> Generator[int, None, Written]:
    path = folder / f"{export.stem}{export.form.suffix}"
    raster, window, epsg = export.release.raster, export.window_4326, export.epsg
    purpose, below = str(export.layer.purpose), export.pixels_below

    def work(_: Iterator[Batch]) -> RasterFacts:
        if below:
            return squares_write(raster, path, window, below)
        return raster_write(raster, path, epsg, window, purpose)

    with closing(pumped(iter(()), work)) as pumping:
        facts = yield from pumping
    return Written([path], raster=facts)


class LongTexts:
    """A table of the texts that the format cannot hold whole; made with the first of them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None
        self._writer: Any = None
        self._lock = threading.Lock()

    def __call__(self, row: int, name: str, text: str) -> None:
        """Keep one text; attributes come from the thread that reads, geometries from the one that writes."""
        with self._lock:
            if self._file is None:
                self._file = self._path.open("w", encoding="utf-8-sig", newline="")
                self._writer = csv.writer(self._file)
                self._writer.writerow(["row", "field", "text"])
            self._writer.writerow([row, inert(name), inert(text)])

    def __enter__(self) -> LongTexts:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    @property
    def files(self) -> list[Path]:
        """The table, where there is one."""
        return [self._path] if self._file is not None else []


def emptied(folder: Path) -> None:
    """Remove a folder and all in it."""
    shutil.rmtree(folder, ignore_errors=True)

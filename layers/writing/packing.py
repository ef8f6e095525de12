"""An export as a download: a zip that begins before its data are written, or the bare file."""

from __future__ import annotations

import datetime
import hashlib
import shutil
import tempfile
import time
import zipfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from layers.models import Release
from layers.writing.batches import Facts, Told, batches
from layers.writing.codebook import (
    CSV_NAME,
    JSON_NAME,
    README_NAME,
    codebook,
    codebook_csv,
    codebook_json,
    readme,
    sha256_of,
)  # fmt: skip
from layers.writing.columns import survey
from layers.writing.exporting import Export, Written, export_of, export_write, layout_of

_CHUNK_BYTES: Final = 1 << 18
_STALE_S: Final = 6 * 3600
_PREFIX: Final = "export-"


class _Sink:
    """A file that can only be written to, and is emptied again and again."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes, /) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: whoever takes the parts does."""

    def close(self) -> None:
        """Do nothing: what was written stays to be taken."""

    def taken(self) -> bytes:
        """Return what was written since the last time."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


@contextmanager
def export_folder() -> Iterator[Path]:
    """Make a folder for the files of one export, and remove it whatever happens."""
    parent = Path(settings.VAR_DIR) / "exports"
    parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _sweep(parent)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(parent: Path) -> None:
    """Remove what a server that was killed left behind."""
    for folder in parent.glob(f"{_PREFIX}*"):
        try:
            if time.time() - folder.stat().st_mtime > _STALE_S:
                shutil.rmtree(folder, ignore_errors=True)
        except FileNotFoundError:
            continue


def zip_stream(export: Export) -> Generator[bytes, None, None]:
    """Give the zip of an export piece by piece, with its codebook.

    Its first file, a text for people, is sent at once, and ends with blanks that are sent while the data are being written: so
    that a reader, and whatever is between, sees that it goes on, and that it is seen here when nobody reads any more.
    """
    with export_folder() as folder:
        sink = _Sink()
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            with archive.open(_info(export, README_NAME, zipfile.ZIP_STORED), "w") as text:
                text.write(readme(export).encode())
                yield sink.taken()
                writing = export_write(export, folder)
                try:
                    while True:
                        next(writing)
                        text.write(b" ")
                        yield sink.taken()
                except StopIteration as end:
                    written: Written = end.value
                finally:
                    writing.close()
            yield from _packed(archive, sink, export, written)
        yield sink.taken()


def _packed(archive: zipfile.ZipFile, sink: _Sink, export: Export, written: Written) -> Iterator[bytes]:
    hashes: dict[str, tuple[int, str]] = {}
    for path in written.files:
        digest = hashlib.sha256()
        is_packed = export.form.is_packed and path.suffix == export.form.suffix
        info = _info(export, path.name, zipfile.ZIP_STORED if is_packed else zipfile.ZIP_DEFLATED)
        info.file_size = path.stat().st_size
        with path.open("rb") as file, archive.open(info, "w") as entry:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
                entry.write(chunk)
                if part := sink.taken():
                    yield part
        hashes[path.name] = info.file_size, digest.hexdigest()
        path.unlink()
    book = codebook(export, written, hashes)
    archive.writestr(_info(export, CSV_NAME, zipfile.ZIP_DEFLATED), codebook_csv(book))
    archive.writestr(_info(export, JSON_NAME, zipfile.ZIP_DEFLATED), codebook_json(book))
    yield sink.taken()


def _info(export: Export, name: str, method: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, date_time=export.release.created_at.astimezone(datetime.UTC).timetuple()[:6])
    info.compress_type = method
    info.external_attr = 0o644 << 16
    return info


@dataclass(frozen=True, slots=True)
class Bare:
    """The data alone, complete."""

    path: Path
    sha256: str
    written: Written


def bare_file(export: Export, folder: Path) -> Bare:
    """Write the data of an export, without the codebook; the parts of a Shapefile, and texts that were cut, as a zip."""
    writing = export_write(export, folder)
    try:
        while True:
            next(writing)
    except StopIteration as end:
        written: Written = end.value
    path = written.files[0]
    if len(written.files) > 1 or export.form.suffix == ".zip":
        path = folder / f"{export.stem}.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for file in written.files:
                info = _info(export, file.name, zipfile.ZIP_DEFLATED)
                info.file_size = file.stat().st_size
                with file.open("rb") as data, archive.open(info, "w") as entry:
                    shutil.copyfileobj(data, entry, _CHUNK_BYTES)
    return Bare(path, sha256_of(path), written)


def codebook_alone(export: Export) -> dict[str, Any]:
    """Return the codebook of an export without writing its data: the rows are gone through all the same, for their facts."""
    if export.form.is_raster:
        with export_folder() as folder:
            return codebook(export, bare_file(export, folder).written)
    found = survey(export.release, export.form, export.below, is_trusting=False)
    told = Told([Facts() for _ in found.columns])
    for _ in batches(export.release, found.columns, export.form, export.epsg, told, long_texts=lambda *_: None):
        pass
    return codebook(export, Written([], told, found, layout_of(export, found)))


def export(
    release: Release,
    *,
    format: str,  # noqa: A002 - the word everybody uses
    epsg: int | None = None,
    folder: Path,
    is_bare: bool = False,
) -> Path:
    """Write a release into a folder, and return the file: a zip with its codebook, or the data alone.

    Parameters
    ----------
    format
        Code of one of `layers.writing.formats.FORMATS`.
    epsg
        Reference system; degrees, or the raster's own, where it is left out.

    Raises
    ------
    InvalidInput, CrsError, LimitExceeded
        Where it cannot be had.
    """
    wanted = export_of(release, format=format, epsg=epsg)
    if is_bare:
        return bare_file(wanted, folder).path
    path = folder / f"{wanted.stem}-{wanted.form.code}.zip"
    with path.open("wb") as file:
        for part in zip_stream(wanted):
            file.write(part)
    return path

"""A zip unpacked without trusting anything it says about itself: neither names, nor sizes, nor kinds.

No name in a zip becomes a name on disk, except the numbered parts of a File Geodatabase, which must look like that.
"""

import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Final

from layers.reading.grids import tile_name
from layers.reading.limits import Limits
from layers.reading.plan import RefusedError, first_names
from layers.reading.recognise import ACCEPTED, ARCHIVES, content_of, is_named_as_readable

#: Files in an archive of which only known parts are unpacked: a workbook, a geodatabase, a KMZ with pictures.
MAX_PARTS: Final = 10_000

_PARTS: Final = (".shp", ".shx", ".dbf", ".prj", ".cpg")
_NEEDED: Final = frozenset({".shp", ".shx", ".dbf"})
_GEODATABASE_PART: Final = re.compile(r"a[0-9a-f]{8}\.(gdbtable|gdbtablx)|gdb|timestamps")
_NESTED: Final = frozenset({".zip", ".kmz", ".gz", ".tgz", ".7z", ".rar", ".tar", ".bz2", ".xz", ".zst"})
# What lies beside the data in a zip and is not the data, unless nothing else is there.
_BESIDE: Final = frozenset({".txt", ".xml"})
# Made by programs beside plain pixels; the pixels say the same.
_STATISTICS: Final = frozenset({".stx", ".sta", ".clr", ".enp", ".ovr", ".rrd"})
# What belongs to a raster: where its pixels lie, and in which reference system.
_RASTER_PARTS: Final = (".prj", ".tfw")
_RASTER_SUFFIXES: Final = frozenset({".tif", ".tiff", ".asc", ".img", ".nc", ".hgt", ".xyz"})
_CHUNK_BYTES: Final = 1 << 20
# Below this an archive cannot do harm, however well it is packed.
_HARMLESS_BYTES: Final = 10 * _CHUNK_BYTES
_END_BYTES: Final = 65_557
_ENTRY_BYTES: Final = 46


def unpack(path: Path, folder: Path, limits: Limits) -> Path:
    """Unpack the one layer or file of a zip into a folder.

    Parameters
    ----------
    path
        The zip file.
    folder
        Where it is written to.
    limits
        Members, unpacked size and ratio accepted. Sizes are counted while unpacking, not believed.

    Returns
    -------
    Path
        ``layer.shp`` with its parts, the folder ``layer.gdb``, or ``layer`` with the ending the member had; of a
        raster with its ``.prj``, ``.tfw`` and ``.hdr`` beside it.

    Raises
    ------
    RefusedError
        If the zip is damaged, encrypted, has unsafe members, unpacks to too much, holds another archive, or not
        exactly one shapefile, geodatabase or file.
    """
    with opened(path) as archive:
        members = safe_members(archive, path, limits, MAX_PARTS)
        geodatabases = {place for member in members if (place := _geodatabase_of(member)) is not None}
        if geodatabases:
            return _unpack_geodatabase(archive, members, sorted(geodatabases), folder, limits)
        if len(members) > limits.archive_members:
            raise _too_many(len(members), limits.archive_members)
        if any(_suffix(member) == ".shp" for member in members):
            parts = _parts_of_shapefile(members)
            room = limits.file_bytes
            for suffix, member in parts.items():
                room -= unpack_member(archive, member, folder / f"layer{suffix}", room)
            return folder / "layer.shp"
        header = _header_of_raw(members)
        member, beside = header if header else (_only_file(members), {})
        target = folder / (tile_name(PurePosixPath(member.filename).name) or f"layer{_suffix(member)}")
        room = limits.file_bytes - unpack_member(archive, member, target, limits.file_bytes)
        for suffix, part in (beside or _parts_of_raster(members, member)).items():
            room -= unpack_member(archive, part, folder / f"layer{suffix}", room)
    if member.file_size == 0:
        raise RefusedError("empty_file", f"'{_shown(member)}' in the zip is empty.", "Export it again.")
    if not header and content_of(target) in ARCHIVES:
        raise _nested(_shown(member))
    return target


def holds_raster(path: Path) -> bool:
    """Say whether the one file of a zip is a raster, by its name; False where the zip cannot be looked at."""
    try:
        with opened(path) as archive:
            members = [member for member in archive.infolist()[:MAX_PARTS] if not _is_clutter(member.filename)]
            if any(_suffix(member) == ".shp" or _geodatabase_of(member) is not None for member in members):
                return False
            return bool(_header_of_raw(members)) or _suffix(_only_file(members)) in _RASTER_SUFFIXES
    except RefusedError:
        return False


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip; whatever is wrong with it while it is read becomes one located refusal.

    Raises
    ------
    RefusedError
        If it is damaged or its list of files is too long to be looked at.
    """
    try:
        _require_short_list(path)
        with zipfile.ZipFile(path) as archive:
            yield archive
    except RefusedError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        raise RefusedError(
            "broken_archive", f"The zip cannot be unpacked: {error}.", "Make the zip again, with ordinary compression."
        ) from error


def safe_members(archive: zipfile.ZipFile, path: Path, limits: Limits, most: int) -> list[zipfile.ZipInfo]:
    """List the files of a zip, without folders and the clutter of operating systems.

    Raises
    ------
    RefusedError
        If there are too many, one leads out of the zip, is a link or encrypted, or all together are too large.
    """
    members = archive.infolist()
    if len(members) > most:
        raise _too_many(len(members), most)
    for member in members:
        place = PurePosixPath(member.filename.replace("\\", "/"))
        kind = stat.S_IFMT(member.external_attr >> 16)
        if place.is_absolute() or ".." in place.parts or ":" in member.filename:
            raise RefusedError(
                "unsafe_archive", f"The zip holds a path that leads out of it: '{_shown(member)}'.", "Make it again."
            )
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise RefusedError(
                "unsafe_archive", f"'{_shown(member)}' in the zip is a link or a device.", "Zip the files themselves."
            )
        if member.flag_bits & 0x1:
            raise RefusedError("encrypted_archive", "The zip is encrypted.", "Zip it without a password.")
    unpacked = sum(member.file_size for member in members)
    ratio = unpacked / max(1, path.stat().st_size)
    if unpacked > limits.file_bytes or (unpacked > _HARMLESS_BYTES and ratio > limits.archive_ratio):
        raise RefusedError(
            "archive_too_large",
            f"The zip unpacks to {unpacked / 1e6:,.0f} MB, {ratio:,.0f} times its size.",
            f"Keep below {limits.file_bytes / 1e6:,.0f} MB and {limits.archive_ratio} times.",
        )
    return [member for member in members if not member.is_dir() and not _is_clutter(member.filename)]


def unpack_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, room: int) -> int:
    """Write one file of a zip to disk, counting its bytes; gives their number.

    Raises
    ------
    RefusedError
        As soon as there are more than the zip says, or than there is room for.
    """
    written = 0
    with archive.open(member) as packed, target.open("wb") as plain:
        while chunk := packed.read(_CHUNK_BYTES):
            written += len(chunk)
            if written > min(room, member.file_size):
                raise RefusedError(
                    "archive_too_large", f"'{_shown(member)}' unpacks to more than the zip says.", "Make it again."
                )
            plain.write(chunk)
    return written


def _require_short_list(path: Path) -> None:
    """Refuse a zip whose list of files would fill the memory before a single one is looked at."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = max(0, size - _END_BYTES)
        file.seek(start)
        tail = file.read()
        at = tail.rfind(b"PK\x05\x06")
        if at < 0 or len(tail) < at + 22:
            raise RefusedError(
                "broken_archive", "The zip is cut off: its list of files is missing.", "Upload it again."
            )
        length = int.from_bytes(tail[at + 12 : at + 16], "little")
        if length == 0xFFFFFFFF and at >= 20 and tail[at - 20 : at - 16] == b"PK\x06\x07":
            file.seek(min(size, int.from_bytes(tail[at - 12 : at - 4], "little")))
            length = int.from_bytes(file.read(56)[40:48], "little")
    if length > 4 * _ENTRY_BYTES * MAX_PARTS:
        raise _too_many(length // _ENTRY_BYTES, MAX_PARTS)


def _too_many(found: int, most: int) -> RefusedError:
    return RefusedError(
        "archive_too_large",
        f"The zip holds about {found:,} files, more than {most:,}.",
        "Zip the parts of one layer only.",
    )


def _nested(name: str) -> RefusedError:
    return RefusedError(
        "nested_archive", f"'{name}' in the zip is an archive itself.", "Bring that archive alone, or unpack it first."
    )


def _shown(member: zipfile.ZipInfo) -> str:
    return member.filename[:100]


def _suffix(member: zipfile.ZipInfo) -> str:
    return PurePosixPath(member.filename).suffix.lower()


def _is_clutter(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return "__MACOSX" in parts or parts[-1].startswith(".")


def _only_file(members: list[zipfile.ZipInfo]) -> zipfile.ZipInfo:
    nested = [member for member in members if _suffix(member) in _NESTED]
    if nested:
        raise _nested(_shown(nested[0]))
    readable = [member for member in members if is_named_as_readable(member.filename)]
    data = [member for member in readable if _suffix(member) not in _BESIDE] or readable
    if len(data) != 1:
        raise RefusedError(
            "not_one_file",
            f"The zip holds {len(data)} files with data; its files are {first_names(map(_shown, members))}.",
            f"Zip one layer only: {ACCEPTED}.",
        )
    return data[0]


def _header_of_raw(members: list[zipfile.ZipInfo]) -> tuple[zipfile.ZipInfo, dict[str, zipfile.ZipInfo]] | None:
    """Find plain pixels and what belongs to them; None where no file is a header of the one beside it."""
    headers = [member for member in members if _suffix(member) == ".hdr"]
    if len(headers) != 1:
        return None
    stem = PurePosixPath(headers[0].filename).with_suffix("")
    pixels = [
        member
        for member in members
        if _suffix(member) not in {".hdr", *_RASTER_PARTS, *_BESIDE, *_STATISTICS}
        and stem in (PurePosixPath(member.filename), PurePosixPath(member.filename).with_suffix(""))
    ]
    if len(pixels) != 1 or _suffix(pixels[0]) in _RASTER_SUFFIXES - {".img"}:
        return None
    return pixels[0], {".hdr": headers[0], **_parts_of_raster(members, pixels[0])}


def _parts_of_raster(members: list[zipfile.ZipInfo], raster: zipfile.ZipInfo) -> dict[str, zipfile.ZipInfo]:
    """Find the files of the same name that say where a raster lies."""
    stem = PurePosixPath(raster.filename).with_suffix("")
    parts: dict[str, zipfile.ZipInfo] = {}
    for member in members:
        if _suffix(member) in _RASTER_PARTS and PurePosixPath(member.filename).with_suffix("") == stem:
            if _suffix(member) in parts:
                raise RefusedError(
                    "unsafe_archive",
                    f"The zip holds two files '{PurePosixPath(member.filename).name}'.",
                    "Make the zip again.",
                )
            parts[_suffix(member)] = member
    return parts


def _geodatabase_of(member: zipfile.ZipInfo) -> PurePosixPath | None:
    """Say in which geodatabase folder a file is; None if in none."""
    place = PurePosixPath(member.filename.replace("\\", "/"))
    return next((parent for parent in place.parents if parent.suffix.lower() == ".gdb"), None)


def _unpack_geodatabase(
    archive: zipfile.ZipFile,
    members: list[zipfile.ZipInfo],
    geodatabases: list[PurePosixPath],
    folder: Path,
    limits: Limits,
) -> Path:
    if len(geodatabases) > 1:
        raise RefusedError(
            "not_one_file",
            f"The zip holds {len(geodatabases)} geodatabases: {first_names(map(str, geodatabases))}.",
            "Zip one of them only.",
        )
    target = folder / "layer.gdb"
    target.mkdir()
    room = limits.file_bytes
    for member in members:
        place = PurePosixPath(member.filename.replace("\\", "/"))
        name = place.name.lower()
        if place.parent == geodatabases[0] and _GEODATABASE_PART.fullmatch(name):
            if (target / name).exists():
                raise RefusedError("unsafe_archive", f"The zip holds two files '{name}'.", "Make the zip again.")
            room -= unpack_member(archive, member, target / name, room)
    return target


def _parts_of_shapefile(members: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    shapes = [member.filename for member in members if _suffix(member) == ".shp"]
    if len(shapes) != 1:
        raise RefusedError(
            "not_one_shapefile",
            f"The zip holds {len(shapes)} shapefiles; its files are {first_names(map(_shown, members))}.",
            "Zip one shapefile with all its parts, or one file of another format.",
        )
    stem = PurePosixPath(shapes[0]).with_suffix("")
    parts: dict[str, zipfile.ZipInfo] = {}
    for member in members:
        place = PurePosixPath(member.filename)
        suffix = place.suffix.lower()
        if place.with_suffix("") != stem or suffix not in _PARTS:
            continue
        if suffix in parts:
            raise RefusedError("unsafe_archive", f"The zip holds two files '{place.name}'.", "Make the zip again.")
        parts[suffix] = member
    missing = sorted(_NEEDED - parts.keys())
    if missing:
        raise RefusedError(
            "missing_part",
            f"The shapefile in the zip lacks its {first_names(missing)} part.",
            "Zip all parts (.shp, .shx, .dbf, .prj, .cpg) together.",
        )
    for suffix in _NEEDED:
        if parts[suffix].file_size == 0:
            raise RefusedError("empty_file", f"'{_shown(parts[suffix])}' in the zip is empty.", "Export it again.")
    return parts

"""A zip with one shapefile, unpacked without trusting anything it says about itself."""

import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Final

from layers.reading.limits import Limits
from layers.reading.plan import RefusedError, first_names

_PARTS: Final = (".shp", ".shx", ".dbf", ".prj", ".cpg")
_NEEDED: Final = frozenset({".shp", ".shx", ".dbf"})
_CHUNK_BYTES: Final = 1 << 20
# Below this an archive cannot do harm, however well it is packed.
_HARMLESS_BYTES: Final = 10 * _CHUNK_BYTES


def unpack_shapefile(path: Path, folder: Path, limits: Limits) -> Path:
    """Unpack the one shapefile of a zip into a folder, under names of our own.

    Parameters
    ----------
    path
        The zip file.
    folder
        Where ``layer.shp``, ``layer.shx`` … are written. No name in the zip becomes a name on disk.
    limits
        Members, unpacked size and ratio accepted. Sizes are counted while unpacking, not believed.

    Raises
    ------
    RefusedError
        If the zip is damaged, encrypted, has unsafe members, unpacks to too much, or has not exactly one shapefile.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = _safe_members(archive, path, limits)
            parts = _parts_of_shapefile(members)
            room = limits.file_bytes
            for suffix, member in parts.items():
                room -= _unpack(archive, member, folder / f"layer{suffix}", room)
    except RefusedError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        raise RefusedError(
            "broken_archive", f"The zip cannot be unpacked: {error}.", "Make the zip again, with ordinary compression."
        ) from error
    return folder / "layer.shp"


def _safe_members(archive: zipfile.ZipFile, path: Path, limits: Limits) -> list[zipfile.ZipInfo]:
    members = archive.infolist()
    if len(members) > limits.archive_members:
        raise RefusedError(
            "archive_too_large",
            f"The zip holds {len(members):,} files, more than {limits.archive_members:,}.",
            "Zip the parts of one shapefile only.",
        )
    for member in members:
        place = PurePosixPath(member.filename.replace("\\", "/"))
        kind = stat.S_IFMT(member.external_attr >> 16)
        if place.is_absolute() or ".." in place.parts or ":" in member.filename:
            raise RefusedError(
                "unsafe_archive", f"The zip holds a path that leads out of it: '{member.filename}'.", "Make it again."
            )
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise RefusedError(
                "unsafe_archive", f"'{member.filename}' in the zip is a link or a device.", "Zip the files themselves."
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


def _is_clutter(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return "__MACOSX" in parts or parts[-1].startswith(".")


def _parts_of_shapefile(members: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    shapes = [member.filename for member in members if PurePosixPath(member.filename).suffix.lower() == ".shp"]
    if len(shapes) != 1:
        raise RefusedError(
            "not_one_shapefile",
            f"The zip holds {len(shapes)} shapefiles; its files are {first_names(m.filename for m in members)}.",
            "Zip one shapefile with all its parts; other formats are brought without a zip.",
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
            raise RefusedError("empty_file", f"'{parts[suffix].filename}' in the zip is empty.", "Export it again.")
    return parts


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, room: int) -> int:
    written = 0
    with archive.open(member) as packed, target.open("wb") as plain:
        while chunk := packed.read(_CHUNK_BYTES):
            written += len(chunk)
            if written > min(room, member.file_size):
                raise RefusedError(
                    "archive_too_large", f"'{member.filename}' unpacks to more than the zip says.", "Make it again."
                )
            plain.write(chunk)
    return written

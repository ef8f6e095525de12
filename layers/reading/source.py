"""From a path someone gave to a file that is safe to open: what it is, by content, and its hash.

The name of a file is never trusted and never reaches GDAL: the content is recognised by its first bytes, compared
with what the name says, and opened under a name of our own in a private folder, which only the known parts of the
format are linked into. So a virtual dataset or any other driver behind a harmless extension finds nothing to open,
and no side file is read that was not meant.
"""

import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from layers.reading.archive import unpack_shapefile
from layers.reading.containers import stage_geopackage
from layers.reading.limits import Limits
from layers.reading.plan import RefusedError, first_names

Format: TypeAlias = Literal["GPKG", "GeoJSON", "ESRI Shapefile", "FlatGeobuf", "CSV", "GTiff"]

FORMATS: Final[tuple[Format, ...]] = ("GPKG", "GeoJSON", "ESRI Shapefile", "FlatGeobuf", "CSV", "GTiff")
ACCEPTED: Final = "GeoPackage, GeoJSON, Shapefile (a folder, or a zip with one), FlatGeobuf, CSV or GeoTIFF"
#: Parts of a shapefile, in the order in which they are hashed; the first three must be there.
SHAPEFILE_PARTS: Final = (".shp", ".shx", ".dbf", ".prj", ".cpg")

_FORMAT_OF_SUFFIX: Final[Mapping[str, str]] = {
    ".gpkg": "GPKG", ".geojson": "GeoJSON", ".json": "GeoJSON", ".shp": "ESRI Shapefile", ".fgb": "FlatGeobuf",
    ".csv": "CSV", ".tsv": "CSV", ".txt": "CSV", ".tif": "GTiff", ".tiff": "GTiff", ".zip": "zip archive",
}  # fmt: skip
_SUFFIX_OF_FORMAT: Final[Mapping[str, str]] = {
    "GPKG": ".gpkg", "GeoJSON": ".geojson", "ESRI Shapefile": ".shp", "FlatGeobuf": ".fgb", "CSV": ".csv",
    "GTiff": ".tif", "zip archive": ".zip",
}  # fmt: skip
_MAGIC: Final[tuple[tuple[bytes, str], ...]] = (
    (b"\x00\x00\x27\x0a", "ESRI Shapefile"),
    (b"fgb\x03fgb", "FlatGeobuf"),
    (b"II*\x00", "GTiff"), (b"MM\x00*", "GTiff"), (b"II+\x00", "GTiff"), (b"MM\x00+", "GTiff"),
    (b"PK\x03\x04", "zip archive"), (b"PK\x05\x06", "zip archive"),
    (b"\x89PNG", "PNG image"), (b"\xff\xd8\xff", "JPEG image"), (b"GIF8", "GIF image"), (b"%PDF", "PDF document"),
    (b"\x1f\x8b", "gzip archive"), (b"7z\xbc\xaf", "7-zip archive"), (b"Rar!", "RAR archive"),
)  # fmt: skip
_GEOPACKAGE_IDS: Final = (b"GPKG", b"GP10", b"GP11")
_XML_KINDS: Final = (
    (b"<ogrvrt", "virtual dataset (VRT)"), (b"<vrt", "virtual dataset (VRT)"), (b"<kml", "KML file"),
    (b"<osm", "OpenStreetMap XML file"), (b"<html", "web page"), (b"<!doctype html", "web page"),
    (b"gml", "GML file"), (b"<gpx", "GPX file"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Source:
    """A file that may be opened.

    Attributes
    ----------
    name
        The name it came under.
    format
        What its content is.
    path
        Where to open it: a private name without side files. Gone when the source is closed.
    sha256
        Hash of its bytes, hexadecimal.
    """

    name: str
    format: Format
    path: Path
    sha256: str


@contextmanager
def open_source(path: Path, limits: Limits) -> Iterator[Source]:
    """Recognise, check and stage a file or shapefile folder for reading.

    Raises
    ------
    RefusedError
        If there is no such file, or it is a link, empty, too large, of an unknown kind, or not what its name says.
    """
    name = path.name or str(path)
    with tempfile.TemporaryDirectory(prefix="reading-") as folder:
        stage = Path(folder)
        parts = _regular_parts(path)
        if parts is None:
            _require_not_a_part(path)
            _require_size(name, [path], limits)
            content = content_of(path)
            _require_name_fits(name, content)
            if content == "zip archive":
                # The hash is of what was brought, the zip itself.
                yield Source(name, "ESRI Shapefile", unpack_shapefile(path, stage, limits), _sha256([path]))
                return
            if content != "ESRI Shapefile":
                staged = stage / f"layer{_SUFFIX_OF_FORMAT[content]}"
                if content == "GPKG":
                    stage_geopackage(path, staged)
                else:
                    staged.symlink_to(path.absolute())
                yield Source(name, _format(content), staged, _sha256([path]))
                return
            parts = _shapefile_parts(path.parent, path.stem)
        _require_size(name, list(parts.values()), limits)
        missing = [part for part in SHAPEFILE_PARTS[:3] if part not in parts]
        if missing:
            raise RefusedError(
                "missing_part",
                f"The shapefile lacks its {first_names(missing)} part.",
                "Bring all parts (.shp, .shx, .dbf, .prj, .cpg) together, best in one zip.",
            )
        if content_of(parts[".shp"]) != "ESRI Shapefile":
            _require_name_fits(parts[".shp"].name, content_of(parts[".shp"]))
        for suffix, part in parts.items():
            (stage / f"layer{suffix}").symlink_to(part.absolute())
        yield Source(name, "ESRI Shapefile", stage / "layer.shp", _sha256(list(parts.values())))


def content_of(path: Path) -> str:
    """Say what a file is from its first bytes: one of `FORMATS`, ``zip archive``, or a description for a message."""
    with path.open("rb") as file:
        head = file.read(4096)
    if not head:
        return "empty file"
    if head.startswith(b"SQLite format 3\x00"):
        return "GPKG" if head[68:72] in _GEOPACKAGE_IDS else "SQLite database that is not a GeoPackage"
    for magic, content in _MAGIC:
        if head.startswith(magic):
            is_workbook = content == "zip archive" and (b"[Content_Types].xml" in head or b"xl/" in head)
            return "spreadsheet" if is_workbook else content
    if b"OSMHeader" in head[:64]:
        return "OpenStreetMap PBF file"
    text = _as_text(head)
    if text is None:
        return "binary file of an unknown kind"
    text = text.lstrip()
    if text.startswith("{"):
        return "GeoJSON"
    if text.startswith("<"):
        lowered = text.lower().encode(errors="replace")
        return next((kind for mark, kind in _XML_KINDS if mark in lowered), "XML file")
    return "CSV"


def _as_text(head: bytes) -> str | None:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head[: len(head) // 2 * 2].decode("utf-16", errors="replace").lstrip("\ufeff")
    if b"\x00" in head:
        return None
    # Only the shape of the text matters here, and ASCII is the same in every encoding that is left.
    return head.removeprefix(b"\xef\xbb\xbf").decode("latin-1")


def _regular_parts(path: Path) -> dict[str, Path] | None:
    """Check that a path is a plain file (None) or a folder with one shapefile (its parts)."""
    if str(path).startswith("/vsi"):
        raise RefusedError("unsafe_path", "Virtual paths (/vsi…) are not read.", "Give the path of a file.")
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError as error:
        raise RefusedError("not_found", f"There is no file '{path}'.", "Check the path.") from error
    except (OSError, ValueError) as error:
        raise RefusedError("unreadable", f"'{path}' cannot be opened: {error}.", "Check the path.") from error
    if stat.S_ISLNK(mode):
        raise RefusedError("unsafe_path", f"'{path.name}' is a symbolic link.", "Give the file itself.")
    if stat.S_ISREG(mode):
        if not os.access(path, os.R_OK):
            raise RefusedError("unreadable", f"'{path.name}' may not be read.", "Change the permissions of the file.")
        return None
    if not stat.S_ISDIR(mode):
        raise RefusedError("unsafe_path", f"'{path.name}' is not a regular file.", "Give the path of a file.")
    shapes = sorted(item for item in path.iterdir() if item.suffix.lower() == ".shp")
    if len(shapes) != 1:
        raise RefusedError(
            "not_one_shapefile",
            f"The folder holds {len(shapes)} shapefiles ({first_names(item.name for item in shapes)}), not one.",
            "Give the path of the .shp file meant." if shapes else f"Give a file: {ACCEPTED}.",
        )
    return _shapefile_parts(path, shapes[0].stem)


def _shapefile_parts(folder: Path, stem: str) -> dict[str, Path]:
    found = {
        item.suffix.lower(): item
        for item in sorted(folder.iterdir())
        if item.stem == stem and item.suffix.lower() in SHAPEFILE_PARTS
    }
    for part in found.values():
        if not stat.S_ISREG(os.lstat(part).st_mode):
            raise RefusedError("unsafe_path", f"'{part.name}' is not a regular file.", "Bring the files themselves.")
    return {suffix: found[suffix] for suffix in SHAPEFILE_PARTS if suffix in found}


def _require_size(name: str, paths: list[Path], limits: Limits) -> None:
    sizes = {path: path.stat().st_size for path in paths}
    for path, size in sizes.items():
        # A .cpg or .prj without content is as good as none.
        if size == 0 and path.suffix.lower() not in (".cpg", ".prj"):
            raise RefusedError("empty_file", f"'{path.name}' is empty (0 bytes).", "Export or upload it again.")
    total = sum(sizes.values())
    if total > limits.file_bytes:
        raise RefusedError(
            "file_too_large",
            f"'{name}' has {total / 1e6:,.0f} MB, more than the {limits.file_bytes / 1e6:,.0f} MB accepted.",
            "Split it by area, or leave out layers and attributes that are not needed.",
        )


def _require_name_fits(name: str, content: str) -> None:
    suffix = Path(name).suffix.lower()
    named = _FORMAT_OF_SUFFIX.get(suffix)
    known = content in _SUFFIX_OF_FORMAT
    if named == content or (known and named is None and content != "CSV"):
        return
    if known and named is not None:
        words = "text" if content == "CSV" else content
        raise RefusedError(
            "mislabelled",
            f"The file is named {suffix}, but its content is {words}.",
            f"Rename it to {_SUFFIX_OF_FORMAT[content]} if that is what it is, or export it again as {named}."
            if content != "CSV"
            else f"Open it in a text editor to see what it is, and export it again as {named}.",
        )
    if named is not None:
        raise RefusedError(
            "mislabelled",
            f"The file is named {suffix}, but its content is a {content}.",
            f"Export it again as {named}.",
        )
    described = (
        "text of an unknown kind" if content == "CSV" else f"a{'n' if content[0] in 'aeiouAEIOU' else ''} {content}"
    )
    raise RefusedError("unsupported_format", f"'{name}' is {described}.", f"Convert it to {ACCEPTED}.")


def _require_not_a_part(path: Path) -> None:
    if path.suffix.lower() in SHAPEFILE_PARTS[1:]:
        raise RefusedError(
            "unsupported_format",
            f"'{path.name}' is only one part of a shapefile.",
            "Give the .shp file, the folder, or a zip with all parts.",
        )


def _format(content: str) -> Format:
    return next(known for known in FORMATS if known == content)


def _sha256(paths: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    return digest.hexdigest()

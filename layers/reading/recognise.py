"""What a file is, by its content: names are never trusted, and only compared with what was found."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Final, Literal, TypeAlias

from layers.reading.grids import IMAGINE, NETCDF, is_points_on_a_grid, is_text_grid, is_tile
from layers.reading.plan import RefusedError

Format: TypeAlias = Literal[
    "GPKG", "GeoJSON", "GeoJSONSeq", "ESRI Shapefile", "FlatGeobuf", "KML", "GPX", "GML", "OpenFileGDB", "Parquet",
    "CSV", "XLSX", "OSM", "GTiff", "AAIGrid", "HFA", "netCDF", "SRTMHGT", "XYZ", "ENVI", "EHdr",
]  # fmt: skip

FORMATS: Final[tuple[Format, ...]] = (
    "GPKG", "GeoJSON", "GeoJSONSeq", "ESRI Shapefile", "FlatGeobuf", "KML", "GPX", "GML", "OpenFileGDB", "Parquet",
    "CSV", "XLSX", "OSM", "GTiff", "AAIGrid", "HFA", "netCDF", "SRTMHGT", "XYZ", "ENVI", "EHdr",
)  # fmt: skip
#: Those of them that are rasters; GDAL's drivers have the same names.
RASTERS: Final[frozenset[Format]] = frozenset({
    "GTiff", "AAIGrid", "HFA", "netCDF", "SRTMHGT", "XYZ", "ENVI", "EHdr",
})  # fmt: skip
ACCEPTED: Final = (
    "GeoPackage, GeoJSON (also one feature per line), Shapefile (a folder, or a zip with one), FlatGeobuf, GeoParquet, "
    "KML or KMZ, GPX, GML, File Geodatabase (a zip with the .gdb folder), CSV, XLSX, OpenStreetMap (.pbf, .osm), "
    "GeoTIFF, ESRI ASCII grid (.asc), ERDAS Imagine (.img), netCDF (classic), SRTM (.hgt), points on a grid (.xyz), or "
    "a zip with one of these and its .prj, or with ENVI or BIL pixels and their .hdr"
)
ZIP: Final = "zip archive"
#: Archives within which nothing is looked for: a zip in a zip is refused as any other.
ARCHIVES: Final = frozenset({
    ZIP, "KMZ", "gzip archive", "7-zip archive", "RAR archive", "bzip2 archive", "xz archive", "Zstandard archive",
    "tar archive",
})  # fmt: skip

_SUFFIX_OF_CONTENT: Final[Mapping[str, str]] = {
    "GPKG": ".gpkg", "GeoJSON": ".geojson", "GeoJSONSeq": ".geojsonl", "ESRI Shapefile": ".shp", "FlatGeobuf": ".fgb",
    "KML": ".kml", "KMZ": ".kmz", "GPX": ".gpx", "GML": ".gml", "Parquet": ".parquet", "CSV": ".csv", "XLSX": ".xlsx",
    "OSM": ".osm", "OSM PBF": ".pbf", "GTiff": ".tif", "AAIGrid": ".asc", "HFA": ".img", "netCDF": ".nc",
    "SRTMHGT": ".hgt", "XYZ": ".xyz", ZIP: ".zip",
}  # fmt: skip
# What a name promises; where a format has two forms, either will do.
_CONTENTS_OF_SUFFIX: Final[Mapping[str, tuple[str, ...]]] = {
    ".gpkg": ("GPKG",), ".geojson": ("GeoJSON", "GeoJSONSeq"), ".json": ("GeoJSON", "GeoJSONSeq"),
    ".geojsonl": ("GeoJSONSeq", "GeoJSON"), ".geojsons": ("GeoJSONSeq", "GeoJSON"), ".jsonl": ("GeoJSONSeq", "GeoJSON"),
    ".ndjson": ("GeoJSONSeq", "GeoJSON"), ".geojsonseq": ("GeoJSONSeq", "GeoJSON"), ".shp": ("ESRI Shapefile",),
    ".fgb": ("FlatGeobuf",), ".kml": ("KML",), ".kmz": ("KMZ",), ".gpx": ("GPX",), ".gml": ("GML",), ".xml": ("GML",),
    ".parquet": ("Parquet",), ".geoparquet": ("Parquet",), ".csv": ("CSV",), ".tsv": ("CSV",),
    ".txt": ("CSV", "AAIGrid"),
    ".xlsx": ("XLSX",), ".osm": ("OSM",), ".pbf": ("OSM PBF",), ".tif": ("GTiff",), ".tiff": ("GTiff",),
    ".asc": ("AAIGrid",), ".img": ("HFA",), ".nc": ("netCDF",), ".hgt": ("SRTMHGT",), ".xyz": ("XYZ",), ".zip": (ZIP,),
}  # fmt: skip
_MAGIC: Final[tuple[tuple[bytes, str], ...]] = (
    (b"\x00\x00\x27\x0a", "ESRI Shapefile"), (b"fgb\x03fgb", "FlatGeobuf"), (b"PAR1", "Parquet"),
    (IMAGINE, "HFA"), *((magic, "netCDF") for magic in NETCDF), (b"\x89HDF", "netCDF-4 or HDF5 file"),
    (b"GRIB", "GRIB file"), (b"II*\x00", "GTiff"), (b"MM\x00*", "GTiff"), (b"II+\x00", "GTiff"), (b"MM\x00+", "GTiff"),
    (b"\x89PNG", "PNG image"), (b"\xff\xd8\xff", "JPEG image"), (b"GIF8", "GIF image"), (b"%PDF", "PDF document"),
    (b"\x1f\x8b", "gzip archive"), (b"7z\xbc\xaf", "7-zip archive"), (b"Rar!", "RAR archive"),
    (b"BZh", "bzip2 archive"), (b"\xfd7zXZ", "xz archive"), (b"(\xb5/\xfd", "Zstandard archive"),
    (b"\xd0\xcf\x11\xe0", "old Office document (.xls, .doc)"), (b"PARE", "encrypted Parquet file"),
)  # fmt: skip
_GEOPACKAGE_IDS: Final = (b"GPKG", b"GP10", b"GP11")
_HEAD_BYTES: Final = 4096
_ROOT: Final = re.compile(r"<\s*(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)")
_PROLOGUE: Final = re.compile(r"\s*(?:<\?.*?\?>|<!--.*?-->|<!(?:doctype|DOCTYPE)\b[^>\[]*>?)", re.DOTALL)
_GML_NAMESPACE: Final = "opengis.net/gml"
# Of one feature in a sequence; a longer one makes the file look like one GeoJSON, which then says what is wrong.
_LONGEST_LINE_BYTES: Final = 64 << 20


def suffix_of(content: str) -> str:
    """Give the ending that a file with this content should have."""
    return _SUFFIX_OF_CONTENT[content]


def is_named_as_readable(name: str) -> bool:
    """Say whether a name promises a file that is read."""
    return Path(name).suffix.lower() in _CONTENTS_OF_SUFFIX


def format_of(content: str) -> Format:
    """Give the format of a content, whatever form of it there is."""
    plain = "OSM" if content == "OSM PBF" else "KML" if content == "KMZ" else content
    return next(known for known in FORMATS if known == plain)


def content_of(path: Path) -> str:
    """Say what a file is from its first bytes: a format, one of its forms, or a description for a message.

    The forms are ``OSM PBF``, ``KMZ`` and ``zip archive``; a GeoJSON of which the first line is already a whole
    feature and not the last is a ``GeoJSONSeq``.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        if not head:
            return "empty file"
        if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            return _content_of_zip(head, path)
        binary = _content_of_binary(head)
        if binary is not None:
            return binary
        if is_tile(path):  # which has no mark but its name and size
            return "SRTMHGT"
        text = _as_text(head)
        if text is None:
            return "binary file of an unknown kind"
        text = text.lstrip()
        if text.startswith(("{", "\x1e")):
            return "GeoJSONSeq" if _is_sequence(text, file) else "GeoJSON"
    if is_text_grid(head):
        return "AAIGrid"
    if path.suffix.lower() == ".xyz" and is_points_on_a_grid(head):
        return "XYZ"
    return _content_of_markup(text, path) if text.startswith("<") else "CSV"


def require_name_fits(name: str, content: str) -> None:
    """Refuse a file of an unknown kind, or whose name says something else than its content.

    Raises
    ------
    RefusedError
        Naming both.
    """
    suffix = Path(name).suffix.lower()
    named = _CONTENTS_OF_SUFFIX.get(suffix, ())
    known = content in _SUFFIX_OF_CONTENT
    if content in named or (known and not named and content != "CSV"):
        return
    promised = "OpenStreetMap PBF" if suffix == ".pbf" else named[0] if named else ""
    if known and named:
        words = "text" if content == "CSV" else content
        raise RefusedError(
            "mislabelled",
            f"The file is named {suffix}, but its content is {words}.",
            f"Rename it to {_SUFFIX_OF_CONTENT[content]} if that is what it is, or export it again as {promised}."
            if content != "CSV"
            else f"Open it in a text editor to see what it is, and export it again as {promised}.",
        )
    if named:
        raise RefusedError(
            "mislabelled",
            f"The file is named {suffix}, but its content is {_with_article(content)}.",
            f"Export it again as {promised}.",
        )
    described = "text of an unknown kind" if content == "CSV" else _with_article(content)
    raise RefusedError("unsupported_format", f"'{name}' is {described}.", f"Convert it to {ACCEPTED}.")


def _with_article(content: str) -> str:
    return f"a{'n' if content[0] in 'aeiouAEIOU' else ''} {content}"


def _content_of_binary(head: bytes) -> str | None:
    if head.startswith(b"SQLite format 3\x00"):
        return "GPKG" if head[68:72] in _GEOPACKAGE_IDS else "SQLite database that is not a GeoPackage"
    for magic, content in _MAGIC:
        if head.startswith(magic):
            return content
    if b"OSMHeader" in head[:64]:
        return "OSM PBF"
    return "tar archive" if head[257:262] == b"ustar" else None


def _content_of_zip(head: bytes, path: Path) -> str:
    # The first name in the archive tells enough: what is really in it is looked at when it is opened.
    length = int.from_bytes(head[26:28], "little")
    first = head[30 : 30 + length].decode("utf-8", errors="replace") if head.startswith(b"PK\x03\x04") else ""
    is_workbook = first == "[Content_Types].xml" or first.startswith("xl/") or b"[Content_Types].xml" in head
    if is_workbook or path.suffix.lower() == ".xlsx":
        return "XLSX"
    return "KMZ" if path.suffix.lower() == ".kmz" else ZIP


def _is_sequence(text: str, file: IO[bytes]) -> bool:
    """Say whether the first line is a whole object and another one follows it."""
    if text.startswith("\x1e"):
        return True
    first, line_end, rest = text.partition("\n")
    if line_end and not first.rstrip().endswith("}"):
        return False
    if not line_end and not file.readline(_LONGEST_LINE_BYTES).rstrip(b" \t\r\n").endswith(b"}"):
        return False
    return (rest + file.read(_HEAD_BYTES).decode("latin-1")).lstrip().startswith("{")


def _content_of_markup(text: str, path: Path) -> str:
    lowered = text.lower()
    while match := _PROLOGUE.match(text):
        text = text[match.end() :]
    root = _ROOT.match(text.lstrip())
    name = root[1].lower() if root else ""
    kinds = {"kml": "KML", "gpx": "GPX", "osm": "OSM", "html": "web page", "schema": "XML schema"}
    if "<!doctype html" in lowered[:512]:
        return "web page"
    if name in kinds:
        return kinds[name]
    if "vrt" in name or "<ogrvrt" in lowered:
        return "virtual dataset (VRT)"
    if name.startswith("gdal_"):
        return "description of a network service (GDAL)"
    # A file whose head is all prologue is told by its name, and then by the parser.
    if _GML_NAMESPACE in lowered or (not name and path.suffix.lower() == ".gml"):
        return "GML"
    if not name and path.suffix.lower() in (".kml", ".gpx", ".osm"):
        return _CONTENTS_OF_SUFFIX[path.suffix.lower()][0]
    return "XML file"


def _as_text(head: bytes) -> str | None:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head[: len(head) // 2 * 2].decode("utf-16", errors="replace").lstrip("\ufeff")
    if b"\x00" in head:
        return None
    # Only the shape of the text matters here, and ASCII is the same in every encoding that is left.
    return head.removeprefix(b"\xef\xbb\xbf").decode("latin-1")

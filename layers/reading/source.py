"""From a path someone gave to a file that is safe to open: what it is, by content, how it is opened, and its hash.

The name of a file is never trusted and never reaches GDAL: the content is recognised by its first bytes, compared
with what the name says, checked, and opened under a name of our own in a private folder, which only the known parts
of the format are linked or unpacked into. So a virtual dataset or any other driver behind a harmless extension finds
nothing to open, and no side file is read that was not meant.
"""

import hashlib
import os
import stat
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import pyogrio

from layers.reading import gdal_options
from layers.reading.archive import unpack
from layers.reading.containers import (
    require_sound_geopackage,
    require_whole_geodatabase,
    require_whole_shapefile,
    shortened_names,
    stage_geopackage,
)
from layers.reading.geojson import broken_line
from layers.reading.grids import (
    RAW_SUFFIXES,
    header_driver,
    require_sound_imagine,
    require_whole_netcdf,
    require_whole_text_grid,
    tile_name,
)
from layers.reading.limits import Limits
from layers.reading.markup import require_safe_markup
from layers.reading.osm_file import MAX_TEMPORARY_MB, require_whole_pbf
from layers.reading.osm_rules import Rules, default_rules
from layers.reading.parquet import require_sound_parquet
from layers.reading.plan import Problem, RefusedError, first_names
from layers.reading.recognise import (
    ACCEPTED,
    FORMATS,
    RASTERS,
    ZIP,
    Format,
    content_of,
    format_of,
    require_name_fits,
    suffix_of,
)
from layers.reading.wording import option
from layers.reading.workbook import stage_kmz, stage_workbook

__all__ = [
    "ACCEPTED", "FORMATS", "SHAPEFILE_PARTS", "Format", "Source", "SourceLayer", "Way",
    "chosen_layer", "content_of", "open_source",
]  # fmt: skip

gdal_options.guard()

Way: TypeAlias = Literal["gdal", "arrow", "table", "raster"]

#: Parts of a shapefile, in the order in which they are hashed; the first three must be there.
SHAPEFILE_PARTS: Final = (".shp", ".shx", ".dbf", ".prj", ".cpg")

_LON_LAT: Final = "EPSG:4326"
#: XML that becomes a tree in memory, many times as large.
_TREE_BYTES: Final = 128 << 20
_UNREADABLE: Final = (RuntimeError, OSError, ValueError, LookupError, MemoryError)
_KINDS: Final = {"Point": "point", "LineString": "line", "Polygon": "polygon"}

_DRIVER: Final[Mapping[Format, str]] = {
    "GPKG": "GPKG", "GeoJSON": "GeoJSON", "GeoJSONSeq": "GeoJSONSeq", "ESRI Shapefile": "ESRI Shapefile",
    "FlatGeobuf": "FlatGeobuf", "KML": "LIBKML", "GPX": "GPX", "GML": "GML", "OpenFileGDB": "OpenFileGDB",
    "XLSX": "XLSX", "OSM": "OSM",
}  # fmt: skip
_WAY: Final[Mapping[Format, Way]] = {
    "Parquet": "arrow", "OSM": "arrow", "CSV": "table", "XLSX": "table", **dict.fromkeys(RASTERS, "raster"),
}  # fmt: skip
# A prefix makes GDAL use that driver and no other.
_PREFIX: Final[Mapping[Format, str]] = {"GeoJSON": "GeoJSON:", "GeoJSONSeq": "GeoJSONSeq:"}
_OPEN_OPTIONS: Final[Mapping[Format, Mapping[str, str]]] = {
    "GeoJSON": {"DATE_AS_STRING": "YES"},
    # Nothing is written beside the file, no schema is fetched, and none is looked for where the file says it is.
    "GML": {"WRITE_GFS": "NO", "DOWNLOAD_SCHEMA": "NO", "USE_SCHEMA_IMPORT": "NO", "REFRESH_CACHE": "NO"},
    "XLSX": {"HEADERS": "FORCE", "FIELD_TYPES": "AUTO"},
    "OpenFileGDB": {"LIST_ALL_TABLES": "NO"},
}
_CRS: Final[Mapping[Format, str]] = {"KML": _LON_LAT, "GPX": _LON_LAT, "OSM": _LON_LAT}
_NAME_FIELD: Final[Mapping[Format, str]] = {"KML": "Name", "GPX": "name", "OSM": "name"}
_HOUSEKEEPING: Final[Mapping[Format, frozenset[str]]] = {
    "KML": frozenset({"id", "altitudeMode", "tessellate", "extrude", "visibility", "drawOrder", "icon"}),
    "GML": frozenset({"gml_id", "fid"}),
}  # fmt: skip
_ROOTS: Final[Mapping[Format, tuple[frozenset[str], frozenset[str]]]] = {
    "KML": (frozenset({"kml"}), frozenset({"placemark"})),
    "GPX": (frozenset({"gpx"}), frozenset({"wpt", "rte", "trk"})),
    "GML": (frozenset(), frozenset({"featuremember", "member"})),
    "OSM": (frozenset({"osm"}), frozenset({"node", "way", "relation"})),
}


@dataclass(frozen=True, slots=True)
class SourceLayer:
    """One layer, sheet or rule by which a file can be read.

    Attributes
    ----------
    name
        What it is chosen by.
    kind
        ``point``, ``line`` or ``polygon``; empty if mixed or unknown.
    rows
        How many; −1 where that is known only after reading.
    """

    name: str
    kind: str = ""
    rows: int = -1


@dataclass(frozen=True, slots=True)
class Source:
    """A file that may be opened, and how.

    Attributes
    ----------
    name
        The name it came under.
    format
        What its content is; that of what is in it, for a zip.
    path
        Where to open it: a private name without side files. Gone when the source is closed.
    sha256
        Hash of its bytes as they were brought, hexadecimal.
    way
        Who reads it: ``gdal`` (rows with geometry), ``arrow`` (`layers.reading.arrow_layers`), ``table`` (rows whose
        place is in columns) or ``raster``.
    driver
        GDAL's name of the driver that must be the one that opens it; empty where GDAL does not.
    target
        What GDAL is given to open.
    open_options
        Options it is to be opened with.
    layers
        What one may choose from; empty if there is only one, which need not be named.
    encoding
        Encoding of its text where the format or the file fixes it; None if it has to be found.
    crs
        Reference system that the format fixes; None if the file has to say.
    housekeeping
        Attributes made by the driver that say nothing about the row; left out unless they are asked for.
    name_field
        Attribute that usually holds the name of a row; None if there is no such custom.
    rules
        For OpenStreetMap: what becomes which layer.
    warnings
        What was noticed on the way and keeps nobody from reading it.
    """

    name: str
    format: Format
    path: Path
    sha256: str = ""
    way: Way = "gdal"
    driver: str = ""
    target: str = ""
    open_options: Mapping[str, str] = field(default_factory=dict)
    layers: tuple[SourceLayer, ...] = ()
    encoding: str | None = None
    crs: str | None = None
    housekeeping: frozenset[str] = frozenset()
    name_field: str | None = None
    rules: Rules | None = None
    warnings: tuple[Problem, ...] = ()


@contextmanager
def open_source(path: Path, limits: Limits, *, rules: Rules | None = None) -> Iterator[Source]:
    """Recognise, check and stage a file, shapefile folder or geodatabase folder for reading.

    Parameters
    ----------
    path
        What was brought.
    limits
        Sizes accepted.
    rules
        What becomes a layer of OpenStreetMap data; those of the taxonomy if None.

    Raises
    ------
    RefusedError
        If there is no such file, or it is a link, empty, too large, of an unknown kind, not what its name says, or
        could make its reader do more than read it.
    """
    name = path.name or str(path)
    # Hashed while it is checked: both let other threads run.
    with tempfile.TemporaryDirectory(prefix="reading-") as folder, ThreadPoolExecutor(1, "file hashed") as beside:
        stage = Path(folder)
        mode = _mode(path)
        if stat.S_ISDIR(mode) and path.suffix.lower() == ".gdb":
            staged = _stage_geodatabase(path, stage, limits)
            yield _source(name, "OpenFileGDB", staged, beside.submit(_sha256_of_folder, path), limits)
            return
        parts = _shapefile_in(path) if stat.S_ISDIR(mode) else None
        if parts is None:
            _require_not_a_part(path)
            _require_size(name, [path], limits)
            content = content_of(path)
            require_name_fits(name, content)
            if content != "ESRI Shapefile":
                sha256 = beside.submit(_sha256, [path])
                staged, kind = _stage(path, content, stage, limits)
                yield _source(name, kind, staged, sha256, limits, rules)
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
        for suffix, part in parts.items():
            (stage / f"layer{suffix}").symlink_to(part.absolute())
        sha256 = beside.submit(_sha256, list(parts.values()))
        yield _source(name, "ESRI Shapefile", stage / "layer.shp", sha256, limits)


def chosen_layer(source: Source, wanted: str | None) -> str | None:
    """Say which layer of a file to read; None if it has only one and no names for it.

    Raises
    ------
    RefusedError
        If the layer asked for is not there, or none is asked for and there are several.
    """
    what = "GeoPackage" if source.format == "GPKG" else "workbook" if source.format == "XLSX" else "file"
    names = [layer.name for layer in source.layers]
    if wanted is not None:
        if wanted in names:
            return wanted
        if not names:
            raise RefusedError(
                "no_such_layer", f"A {source.format} file has one layer only.", f"Leave {option('layer')} out."
            )
        raise RefusedError(
            "no_such_layer",
            f"The {what} has no layer '{wanted[:100]}' with {'rows' if source.format == 'XLSX' else 'geometry'}.",
            f"Its layers are {first_names(names)}; choose one with {option('layer')}.",
        )
    if len(names) <= 1:
        return names[0] if names else None
    raise RefusedError(
        "several_layers",
        f"OpenStreetMap data can become {len(names)} layers: {first_names(names, 60)}."
        if source.format == "OSM"
        else f"The {what} has {len(names)} layers: {first_names(names)}.",
        f"Choose one with {option('layer')}.",
    )


# From content to a source


def _stage(path: Path, content: str, stage: Path, limits: Limits, *, is_ours: bool = False) -> tuple[Path, Format]:
    """Put a file of a known content into the private folder, under a name that its driver knows."""
    # An SRTM tile says where it lies by its name only.
    staged = stage / (tile_name(path.name) if content == "SRTMHGT" else f"layer{suffix_of(content)}")
    if content == ZIP:
        inner = unpack(path, stage, limits)
        if inner.is_dir():
            return inner, "OpenFileGDB"
        header = inner.with_suffix(".hdr")
        if header.exists() and (driver := header_driver(header)):
            return inner, format_of(driver)
        found = content_of(inner)
        require_name_fits(inner.name, found)
        return _stage(inner, found, stage, limits, is_ours=True)
    if content == "KMZ":
        return stage_kmz(path, stage, limits), "KML"
    if content == "XLSX":
        stage_workbook(path, staged := stage / "workbook.xlsx", limits)
    elif content == "GPKG" and not is_ours:
        stage_geopackage(path, staged)
    elif path != staged:
        staged.symlink_to(path.absolute())
    return staged, format_of(content)


def _source(
    name: str, kind: Format, staged: Path, sha256: Future[str], limits: Limits, rules: Rules | None = None
) -> Source:
    return replace(_checked(name, kind, staged, limits, rules), sha256=sha256.result())


def _checked(name: str, kind: Format, staged: Path, limits: Limits, rules: Rules | None) -> Source:
    source = Source(
        name, kind, staged,
        way=_WAY.get(kind, "gdal"),
        driver=_DRIVER.get(kind, ""),
        target=f"{_PREFIX.get(kind, '')}{staged}",
        open_options=_OPEN_OPTIONS.get(kind, {}),
        encoding=None if kind in RASTERS | {"ESRI Shapefile", "CSV", "GeoJSON"} else "utf-8",
        crs=_CRS.get(kind),
        housekeeping=_HOUSEKEEPING.get(kind, frozenset()),
        name_field=_NAME_FIELD.get(kind),
    )  # fmt: skip
    match kind:
        case "GPKG":
            views = require_sound_geopackage(staged)
            return replace(source, layers=_listed(source, without=views, kept=_has_geometry))
        case "ESRI Shapefile":
            _require_shapefile(staged)
            require_whole_shapefile(staged)
            return replace(source, warnings=_shortened(shortened_names(staged)))
        case "KML" | "GPX" | "GML" | "OSM":
            return _markup_source(source, rules)
        case "OpenFileGDB":
            require_whole_geodatabase(staged)
            return replace(source, layers=_listed(source, kept=_has_geometry))
        case "XLSX":
            return replace(source, layers=_listed(source, kept=_has_rows))
        case "Parquet":
            require_sound_parquet(staged, limits)
        case "AAIGrid":
            require_whole_text_grid(staged, limits)
        case "HFA":
            require_sound_imagine(staged)
        case "netCDF":
            require_whole_netcdf(staged)
        case "GeoJSONSeq":
            fault = broken_line(staged)
            if fault is not None:
                raise fault
    return source


def _shortened(names: list[str]) -> tuple[Problem, ...]:
    if not names:
        return ()
    message = (
        f"{len(names):,} names of attributes seem shortened to the 10 characters of a shapefile: {first_names(names)}."
    )
    remedy = "Look up what each means before sums are made of them; a GeoPackage keeps whole names."
    return (Problem("warning", "shortened_names", message, remedy),)


def _markup_source(source: Source, rules: Rules | None) -> Source:
    counted = 0
    if source.format == "OSM" and content_of(source.path) != "OSM":
        require_whole_pbf(source.path)
    elif source.path.suffix != ".kmz":  # of which each part was looked at
        size = source.path.stat().st_size
        if source.format in ("KML", "GML") and size > _TREE_BYTES:
            raise RefusedError(
                "file_too_large",
                f"A {source.format} file of {size / 1e6:,.0f} MB takes too much memory; "
                f"{_TREE_BYTES / 1e6:,.0f} MB are accepted.",
                "Bring it as a GeoPackage or FlatGeobuf.",
            )
        roots, rows = _ROOTS[source.format]
        counted = require_safe_markup(source.path, roots, row_of=rows, what=f"{source.format} file")
    if source.format == "OSM":
        rules = rules or default_rules()
        options = {"MAX_TMPFILE_SIZE": str(MAX_TEMPORARY_MB), "TAGS_FORMAT": "JSON"}
        layers = tuple(SourceLayer(rule.code, "" if rule.geometry == "any" else rule.geometry) for rule in rules.rules)
        return replace(source, rules=rules, open_options=options, layers=layers)
    # A GPX file has five layers, of which the points of routes and tracks repeat the others.
    repeated = frozenset({"route_points", "track_points"}) if source.format == "GPX" else frozenset()
    layers = _listed(source, without=repeated, kept=_has_geometry)
    filled = tuple(layer for layer in layers if layer.rows != 0)
    found = sum(layer.rows for layer in layers)
    # GDAL gives up on a file that it finds strange with a warning only, which would lose rows silently.
    if source.format in ("KML", "GPX") and all(layer.rows >= 0 for layer in layers) and found < counted:
        raise RefusedError(
            "broken_file",
            f"Only {found:,} of {counted:,} rows can be read; the next one is broken or has too many attributes.",
            "Export it again, with only the attributes that are needed.",
            row=found + 1,
        )
    return replace(source, layers=filled or layers)


def _listed(source: Source, *, kept: Any, without: frozenset[str] = frozenset()) -> tuple[SourceLayer, ...]:
    """List the layers of a file that can be read, by the driver of its format only."""
    found = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name, geometry in pyogrio.list_layers(source.target).tolist():
                if name in without:
                    continue
                info = pyogrio.read_info(
                    source.target, layer=name, force_feature_count=True, **dict(source.open_options)
                )
                if info["driver"] != source.driver:
                    raise RefusedError(
                        "mislabelled",
                        f"The content is not {source.format} but {info['driver']}.",
                        "Export the file again.",
                    )
                if kept(geometry, info):
                    plain = str(geometry or "").removeprefix("Multi").removesuffix(" Z").removeprefix("2.5D ")
                    found.append(SourceLayer(str(name), _KINDS.get(plain, ""), int(info["features"])))
    except _UNREADABLE as error:
        if "number of fields" in str(error):
            raise RefusedError(
                "too_many_fields",
                f"A sheet has more attributes than the {gdal_options.MAX_WORKSHEET_COLUMNS:,} that are read.",
                "Export only the attributes that are needed.",
            ) from error
        detail = " ".join(str(error).replace(str(source.path), "the file").split(";")[0].split())[:160]
        raise RefusedError(
            "broken_file",
            f"The file cannot be read: {detail.rstrip('. ')}.",
            "Copy, export or upload it again; it may be cut off.",
        ) from error
    if not found:
        if source.format == "XLSX":
            raise RefusedError("no_rows", "No sheet of the workbook has a header and rows.", "Save it again.")
        raise RefusedError("no_layers", f"The {source.format} file has no layer with geometry.", "Export one into it.")
    return tuple(found)


def _has_geometry(geometry: str | None, _: Mapping[str, Any]) -> bool:
    return geometry is not None


def _has_rows(_: str | None, info: Mapping[str, Any]) -> bool:
    return bool(info["features"] != 0 and len(info["fields"]))


# What was given


def _mode(path: Path) -> int:
    """Check that a path is a plain file or a folder, and give its mode."""
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
    if stat.S_ISREG(mode) and not os.access(path, os.R_OK):
        raise RefusedError("unreadable", f"'{path.name}' may not be read.", "Change the permissions of the file.")
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise RefusedError("unsafe_path", f"'{path.name}' is not a regular file.", "Give the path of a file.")
    return mode


def _shapefile_in(folder: Path) -> dict[str, Path]:
    shapes = sorted(item for item in folder.iterdir() if item.suffix.lower() == ".shp")
    if len(shapes) != 1:
        raise RefusedError(
            "not_one_shapefile",
            f"The folder holds {len(shapes)} shapefiles ({first_names(item.name for item in shapes)}), not one.",
            "Give the path of the .shp file meant." if shapes else f"Give a file: {ACCEPTED}.",
        )
    return _shapefile_parts(folder, shapes[0].stem)


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


def _require_shapefile(shp: Path) -> None:
    content = content_of(shp)
    if content != "ESRI Shapefile":
        require_name_fits(shp.name, content)


def _stage_geodatabase(path: Path, stage: Path, limits: Limits) -> Path:
    target = stage / "layer.gdb"
    target.mkdir()
    parts = [item for item in sorted(path.iterdir()) if item.suffix.lower() in (".gdbtable", ".gdbtablx")]
    parts += [path / name for name in ("gdb", "timestamps") if (path / name).exists()]
    for part in parts:
        if not stat.S_ISREG(os.lstat(part).st_mode):
            raise RefusedError("unsafe_path", f"'{part.name}' is not a regular file.", "Bring the files themselves.")
    _require_size(path.name, [part for part in parts if part.stat().st_size], limits)
    for part in parts:
        (target / part.name).symlink_to(part.absolute())
    return target


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


def _require_not_a_part(path: Path) -> None:
    if path.suffix.lower() in SHAPEFILE_PARTS[1:]:
        raise RefusedError(
            "unsupported_format",
            f"'{path.name}' is only one part of a shapefile.",
            "Give the .shp file, the folder, or a zip with all parts.",
        )
    if path.suffix.lower() in RAW_SUFFIXES | {".hdr"}:
        raise RefusedError(
            "unsupported_format",
            f"'{path.name}' is only one part of a raster of plain pixels.",
            "Bring the pixels and their header (.hdr) in one zip.",
        )


def _sha256(paths: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    return digest.hexdigest()


def _sha256_of_folder(path: Path) -> str:
    return _sha256([item for item in sorted(path.iterdir()) if stat.S_ISREG(os.lstat(item).st_mode)])

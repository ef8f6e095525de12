"""The words of uploads: states, steps, the sentence that says what was found, faults by kind, formats taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from layers.models import Upload
from maps.pages import formats
from maps.pages.reader import language
from maps.problems import Told, fault_told

State = Upload.State


def n_(value: float | None) -> str:
    """Write a number as the reader does."""
    return formats.number(value, language())


def quoted(name: str) -> str:
    """Put a name of either script between the reader's quotation marks."""
    return f"«\u2068{name}\u2069»" if language() == "fa" else f"“\u2068{name}\u2069”"


def size(n_bytes: int) -> str:
    """Write the size of a file.

    Examples
    --------
    >>> from django.utils.translation import override
    >>> with override("en"):
    ...     size(300), size(2_464), size(1_250_000_000), size(1_000_000)
    ('300 bytes', '2.5 KB', '1.3 GB', '1 MB')
    """
    for limit, unit in ((1e9, _("GB")), (1e6, _("MB")), (1e3, _("KB"))):
        if n_bytes >= limit:
            value = n_bytes / limit
            is_whole = value >= 100 or round(value, 1) == round(value)
            return f"{formats.number(value, language(), 0 if is_whole else 1)} {unit}"
    return f"{n_(n_bytes)} {_('bytes')}"


# ---- what a file holds


def things(kind: str | None, count: int) -> str:
    """Say how many features of which kind there are."""
    n = n_(count)
    if kind == "point":
        return ngettext("%(n)s point", "%(n)s points", count) % {"n": n}
    if kind == "line":
        return ngettext("%(n)s line", "%(n)s lines", count) % {"n": n}
    if kind == "polygon":
        return ngettext("%(n)s polygon", "%(n)s polygons", count) % {"n": n}
    return ngettext("%(n)s row", "%(n)s rows", count) % {"n": n}


def state_sentence(upload: Upload) -> str:
    """Say in one sentence how an upload stands."""
    file = quoted(upload.file_name)
    if upload.state == State.RECEIVED:
        return _("%(file)s has arrived and waits for its examination.") % {"file": file}
    if upload.state == State.EXAMINING:
        return _("%(file)s is being examined. Nothing is stored yet.") % {"file": file}
    if upload.state == State.STORING:
        return _("%(file)s is being stored in %(layer)s.") % {"file": file, "layer": layer_name(upload)}
    if upload.state == State.STORED:
        return _stored(upload)
    if upload.state == State.CANCELLED:
        return _("%(file)s was given up; nothing of it was stored or kept.") % {"file": file}
    if upload.state == State.FAILED and not upload.report:
        return _("%(file)s could not be examined.") % {"file": file}
    if upload.state == State.FAILED:
        return _("%(file)s could not be stored; the layer is as it was.") % {"file": file}
    return finding(upload)


def finding(upload: Upload) -> str:
    """Say what an examination found, and whether it can be stored."""
    report = upload.report
    file, errors = quoted(upload.file_name), report.get("counts", {}).get("error", {})
    if report.get("kind") == "raster" and report.get("raster"):
        found = _("%(file)s holds a raster of %(columns)s by %(rows)s pixels") % {
            "file": file,
            "columns": n_(report["raster"]["width"]),
            "rows": n_(report["raster"]["height"]),
        }
    elif report.get("n_rows"):
        found = _("%(file)s holds %(things)s") % {"file": file, "things": things(report.get("kind"), report["n_rows"])}
    else:
        found = ""
    if not report.get("is_loadable"):
        first = min(errors, key=lambda code: (code not in _FIRST, -errors[code]), default="")
        said = next((one for one in report.get("problems", []) if one.get("code") == first), None)
        why = fault(first, said and fault_told(said)).title if first else _("it has errors")
        if not found:
            return _("%(file)s cannot be stored yet: %(why)s.") % {"file": file, "why": lower(why)}
        return _("%(found)s. It cannot be stored yet: %(why)s.") % {"found": found, "why": lower(why)}
    attention = sum(report.get("counts", {}).get("warning", {}).values())
    if upload.layer_id is None and not upload.new_layer:
        return _("%(found)s and can be stored, once you say in which layer.") % {"found": found}
    text = _("%(found)s and can be stored in %(layer)s.") % {"found": found, "layer": layer_name(upload)}
    if attention:
        text += " " + ngettext(
            "One thing below deserves a look first.", "%(n)s things below deserve a look first.", attention
        ) % {"n": n_(attention)}
    return text


_FIRST: Final = ("no_crs", "wrong_crs", "several_layers", "swapped_coordinates")


def _stored(upload: Upload) -> str:
    release = upload.release
    if release is None:
        return _("%(file)s is stored.") % {"file": quoted(upload.file_name)}
    return _("%(things)s of %(file)s are now release %(number)s of %(layer)s.") % {
        "things": things(upload.layer.kind if upload.layer else None, release.row_count),
        "file": quoted(upload.file_name),
        "number": n_(release.number),
        "layer": layer_name(upload),
    }


def layer_name(upload: Upload) -> str:
    """Return the name of the layer that an upload is for, in the reader's language."""
    if upload.layer is not None:
        return quoted(upload.layer.name)
    name = upload.new_layer.get("name_en" if language() == "en" else "name_fa") or upload.new_layer.get("code", "")
    return _("the new layer %(name)s") % {"name": quoted(str(name))} if name else _("a new layer")


def lower(text: str) -> str:
    """Return a title as it stands inside a sentence."""
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


STATES: Final[Mapping[str, str | Promise]] = {
    State.RECEIVED: gettext_lazy("waits for its examination"),
    State.EXAMINING: gettext_lazy("is being examined"),
    State.EXAMINED: gettext_lazy("examined, not stored yet"),
    State.STORING: gettext_lazy("is being stored"),
    State.STORED: gettext_lazy("stored"),
    State.FAILED: gettext_lazy("failed"),
    State.CANCELLED: gettext_lazy("given up"),
}


def state_word(upload: Upload) -> str:
    """Say in a few words how an upload stands, for a list."""
    if upload.state == State.STORED and upload.release is not None:
        return _("stored as release %(number)s") % {"number": n_(upload.release.number)}
    return str(STATES[upload.state])


def step_word(upload: Upload) -> str:
    """Say what a worker does for an upload at the moment."""
    known: dict[str, Callable[[], str]] = {
        "": lambda: _("Waiting for a free worker"),
        "reading": lambda: _("Reading and checking the rows"),
        "comparing": lambda: _("Comparing with the last release"),
        "counting": lambda: _("Counting what the file offers"),
        "reporting": lambda: _("Writing the report"),
        "storing": lambda: _("Storing the rows"),
        "indexing": lambda: _("Building the index"),
        "finishing": lambda: _("Finishing"),
    }
    text = known.get(upload.step, known["reading"] if upload.state == State.EXAMINING else known["storing"])()
    if upload.of:
        done = _("%(done)s of %(of)s") % {"done": n_(min(upload.done, upload.of)), "of": n_(upload.of)}
        return f"{text} · {done}"
    return f"{text} · {n_(upload.done)}" if upload.done else text


# ---- faults by kind


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of fault in the reader's words.

    Attributes
    ----------
    title
        What it is, in a few words.
    advice
        What can be done; empty where the title says it.
    """

    title: str
    advice: str


_FAULTS: Final[dict[str, tuple[str | Promise, str | Promise]]] = {
    "no_crs": (
        gettext_lazy("The file does not say its coordinate system"),
        gettext_lazy("Choose below the one that puts the data into the city."),
    ),
    "unknown_crs": (
        gettext_lazy("The coordinate system of the file is not known"),
        gettext_lazy("Name it below."),
    ),
    "wrong_crs": (
        gettext_lazy("The coordinate system of the file cannot be right"),
        gettext_lazy("Choose below one that puts the data into the city."),
    ),
    "unusable_crs": (
        gettext_lazy("The coordinate system of the file cannot be used"),
        gettext_lazy("Name another one below, or export the file again."),
    ),
    "far_from_city": (
        gettext_lazy("Data lie far from the city"),
        gettext_lazy("Check that it is the right file and the right coordinate system."),
    ),
    "swapped_coordinates": (
        gettext_lazy("Longitude and latitude are exchanged"),
        gettext_lazy("Choose below to exchange them back."),
    ),
    "wrong_unit": (
        gettext_lazy("Coordinates are in feet, not in metres"),
        gettext_lazy("Choose below to read them as feet."),
    ),
    "far_from_crs_area": (
        gettext_lazy("Data lie outside the area of their coordinate system"),
        gettext_lazy("Check the coordinate system below."),
    ),
    "out_of_range": (
        gettext_lazy("Coordinates are outside the range of their system"),
        gettext_lazy("Check the coordinate system, or correct these rows in the file."),
    ),
    "null_island": (
        gettext_lazy("Coordinates are exactly (0, 0)"),
        gettext_lazy("A missing place was written as a number. Give the true one, or delete the row."),
    ),
    "not_finite": (
        gettext_lazy("A coordinate is not a number"),
        gettext_lazy("Correct the row in the file."),
    ),
    "bad_coordinate": (
        gettext_lazy("A coordinate cannot be read"),
        gettext_lazy("Correct the row in the file."),
    ),
    "antimeridian": (gettext_lazy("A shape crosses the date line"), ""),
    "invalid_geometry": (
        gettext_lazy("Shapes are not valid"),
        gettext_lazy("Look at the repair offered and accept it, or redraw them in the file."),
    ),
    "broken_geometry": (
        gettext_lazy("Shapes cannot be read"),
        gettext_lazy("Accept the repair, which leaves these rows out, or export the file again."),
    ),
    "repaired": (gettext_lazy("Shapes were repaired"), ""),
    "no_geometry": (
        gettext_lazy("Rows have no place"),
        gettext_lazy("Accept the repair, which leaves these rows out, or add their places in the file."),
    ),
    "geometry_collection": (
        gettext_lazy("Rows mix several kinds of shapes"),
        gettext_lazy("Accept the repair, which keeps the kind of the layer."),
    ),
    "wrong_geometry_type": (
        gettext_lazy("Rows are of another kind than the layer"),
        gettext_lazy("Choose another layer, or bring points, lines and polygons in files of their own."),
    ),
    "unsupported_geometry": (gettext_lazy("A kind of shape is not supported"), ""),
    "heights_dropped": (gettext_lazy("Heights are not stored"), gettext_lazy("Nothing to do.")),
    "duplicate_row": (
        gettext_lazy("Rows are there twice"),
        gettext_lazy("Delete one of each pair in the file, if they mean the same thing."),
    ),
    "duplicate_geometry": (
        gettext_lazy("Different rows have the same shape"),
        gettext_lazy("Look whether they mean the same thing."),
    ),
    "same_place": (
        gettext_lazy("Several points lie at the same place"),
        gettext_lazy("Look whether they mean the same thing."),
    ),
    "duplicate_name": (
        gettext_lazy("Several rows have the same name and place"),
        gettext_lazy("Look whether they mean the same thing."),
    ),
    "undeclared_encoding": (
        gettext_lazy("The file does not say in which encoding its text is"),
        gettext_lazy("Look at the texts below; where they look wrong, choose another encoding."),
    ),
    "unknown_encoding": (
        gettext_lazy("The encoding that the file names is not known"),
        gettext_lazy("Choose one below."),
    ),
    "wrong_encoding": (
        gettext_lazy("Texts do not fit their encoding"),
        gettext_lazy("Choose another encoding below."),
    ),
    "lost_letters": (
        gettext_lazy("Letters were lost before the file came here"),
        gettext_lazy("Question marks stand for them. Export the file again in UTF-8."),
    ),
    "text_cut": (gettext_lazy("Texts were cut by the file's format"), gettext_lazy("Bring long texts as GeoPackage.")),
    "bad_value": (
        gettext_lazy("Values do not fit the type of their field"),
        gettext_lazy("Choose another type for the field, or correct the values in the file."),
    ),
    "bad_unit": (
        gettext_lazy("A unit cannot be converted"),
        gettext_lazy("Both units must measure the same; the type must be a number."),
    ),
    "binary_field": (gettext_lazy("A field with binary content is left out"), ""),
    "unread_value": (gettext_lazy("Values could not be read"), ""),
    "duplicate_fields": (gettext_lazy("Two fields have the same name"), gettext_lazy("Rename one of them.")),
    "no_such_field": (gettext_lazy("A field that was asked for is not in the file"), ""),
    "no_such_layer": (gettext_lazy("The file has no such layer"), gettext_lazy("Choose one of its layers below.")),
    "several_layers": (
        gettext_lazy("The file has several layers"),
        gettext_lazy("Choose below which one is meant."),
    ),
    "no_layers": (gettext_lazy("The file has no layer with shapes"), ""),
    "no_rows": (gettext_lazy("The file has no rows"), ""),
    "no_header": (
        gettext_lazy("The table has no row of titles"),
        gettext_lazy("Put the names of the columns into the first row."),
    ),
    "no_coordinates": (
        gettext_lazy("The table does not say where its rows are"),
        gettext_lazy("Name below the columns with the coordinates, or the one with the codes or names of places."),
    ),
    "no_geometry_column": (gettext_lazy("The file has no column with shapes"), ""),
    "unknown_place": (
        gettext_lazy("Places that the rows name are not known here"),
        gettext_lazy("Say below what they stand for, or leave such rows out; what is lost with them is told there."),
    ),
    "not_in_layer": (
        gettext_lazy("The layer has nothing of the name that rows give"),
        gettext_lazy("Say below what they stand for, or leave such rows out; what is lost with them is told there."),
    ),
    "shared_name": (
        gettext_lazy("Rows give a name that several things have"),
        gettext_lazy("Write the code of the one that is meant."),
    ),
    "several_rows": (
        gettext_lazy("Several rows belong to one thing"),
        gettext_lazy("If they are parts of a whole, such as ages, tick below the columns that are added up."),
    ),
    "row_left_out": (gettext_lazy("Rows that belong to nothing are left out"), ""),
    "differing_values": (
        gettext_lazy("Columns differ among rows that are added up"),
        gettext_lazy("They are left empty there."),
    ),
    "ragged_row": (gettext_lazy("Rows have more or fewer columns than the title row"), ""),
    "missing_part": (
        gettext_lazy("A part of the shapefile is missing"),
        gettext_lazy("Zip the .shp, .shx, .dbf, .prj and .cpg parts together."),
    ),
    "not_one_shapefile": (gettext_lazy("The zip must hold one shapefile"), ""),
    "unsupported_format": (
        gettext_lazy("This kind of file cannot be read here"),
        gettext_lazy("Bring it in one of the formats listed on the page for importing."),
    ),
    "mislabelled": (gettext_lazy("The file is not what its name says"), ""),
    "broken_file": (gettext_lazy("The file is damaged or cut off"), gettext_lazy("Export or copy it again.")),
    "broken_archive": (gettext_lazy("The zip is damaged"), gettext_lazy("Make it again.")),
    "nested_archive": (
        gettext_lazy("There is an archive inside the archive"),
        gettext_lazy("Zip the files themselves."),
    ),
    "encrypted_archive": (gettext_lazy("The zip has a password"), gettext_lazy("Make it without one.")),
    "unsafe_archive": (gettext_lazy("The archive is not safe to unpack"), gettext_lazy("Make it again.")),
    "unsafe_path": (gettext_lazy("The archive has paths that lead out of it"), gettext_lazy("Make it again.")),
    "unsafe_file": (gettext_lazy("The file is not safe to read"), ""),
    "unreadable": (gettext_lazy("The file cannot be read"), gettext_lazy("Export it again.")),
    "empty_file": (gettext_lazy("The file is empty"), ""),
    "unsaved_changes": (
        gettext_lazy("The file holds changes that are not saved in it"),
        gettext_lazy("Close the program that has it open, then bring it again."),
    ),
    "file_too_large": (gettext_lazy("The file is too large"), gettext_lazy("Split it by area.")),
    "archive_too_large": (gettext_lazy("The archive unpacks to too much"), ""),
    "too_many_rows": (gettext_lazy("The file has too many rows"), gettext_lazy("Split it by area.")),
    "too_many_fields": (gettext_lazy("The file has too many fields"), ""),
    "too_many_vertices": (gettext_lazy("Shapes have too many points"), gettext_lazy("Simplify them.")),
    "text_too_long": (gettext_lazy("A text is too long"), ""),
    "not_a_raster": (gettext_lazy("The file is not a raster"), ""),
    "picture": (
        gettext_lazy("This is a picture without a place"),
        gettext_lazy("Export it as GeoTIFF with its coordinate system."),
    ),
    "several_rasters": (gettext_lazy("The file holds several rasters"), gettext_lazy("Bring the one that is meant.")),
    "file_changed": (gettext_lazy("The file was changed while it was read"), gettext_lazy("Bring it again.")),
    "no_georeference": (gettext_lazy("The raster does not say where it is"), ""),
    "rotated": (gettext_lazy("The raster is rotated"), gettext_lazy("Warp it to north up.")),
    "upside_down": (gettext_lazy("The raster is upside down"), ""),
    "raster_too_large": (gettext_lazy("The raster is too large"), ""),
    "no_such_band": (gettext_lazy("The raster has no such band"), ""),
    "several_bands": (
        gettext_lazy("The raster has several bands"),
        gettext_lazy("Choose below which one is meant."),
    ),
    "no_values": (gettext_lazy("The raster has no values"), ""),
    "negative_values": (gettext_lazy("Pixels are below zero"), ""),
    "nan_pixels": (gettext_lazy("Pixels are not numbers; they count as without data"), ""),
    "undeclared_nodata": (gettext_lazy("A value that means “no data” is not declared"), ""),
    "all_zero": (gettext_lazy("All pixels are zero"), ""),
    "too_much_memory": (gettext_lazy("The file needs more memory than it may have"), gettext_lazy("Split it by area.")),
    "too_much_time": (gettext_lazy("The file took longer than it may"), gettext_lazy("Split it by area.")),
    "too_much_disk": (
        gettext_lazy("The file unpacks to more than there is room for"),
        gettext_lazy("Split it by area."),
    ),
    "reading_broke_down": (
        gettext_lazy("Reading the file broke down"),
        gettext_lazy("It is probably damaged. Export it again, best as GeoPackage."),
    ),
    "gave_up": (
        gettext_lazy("It was tried several times without success"),
        gettext_lazy("Examine it again; if that fails too, tell the administrator."),
    ),
    "layer_missing": (
        gettext_lazy("The new layer is not described yet"),
        gettext_lazy("Say below what it is called and where it comes from."),
    ),
    "stale_version": (
        gettext_lazy("This upload was changed meanwhile, in another window or by somebody else"),
        gettext_lazy(
            "The page shows how it stands now; what you had chosen is kept in the form. Look, and decide again."
        ),
    ),
    "wrong_state": (
        gettext_lazy("This cannot be done in the state that the upload is in now"),
        gettext_lazy("The page shows how it stands."),
    ),
    "not_loadable": (gettext_lazy("The file has errors, and is stored whole or not at all"), ""),
    "upload_gone": (gettext_lazy("The file is not kept any more"), gettext_lazy("Bring it again.")),
    "too_many_uploads": (
        gettext_lazy("You have too many uploads open"),
        gettext_lazy("Store or give up some of those listed below first."),
    ),
    "no_file": (gettext_lazy("There is no file, or it is empty"), gettext_lazy("Choose one.")),
    "layer_exists": (gettext_lazy("The city has a layer with this code already"), ""),
    "kind_changed": (
        gettext_lazy("The layer holds another kind of shapes"),
        gettext_lazy("Choose another layer, or make a new one."),
    ),
    "csrf": (gettext_lazy("The page was open for too long"), gettext_lazy("Load it again, then send the file.")),
    "cancelled": (gettext_lazy("It was given up meanwhile"), ""),
}


def fault(code: str, said: Told | None = None) -> Fault:
    """Tell a kind of fault by its heading here; one without a heading is told as `maps.problems` tells the first of its kind."""
    title, advice = _FAULTS.get(code, ("", ""))
    if title or said is None:
        return Fault(str(title) or _("Other: %(code)s") % {"code": code.replace("_", " ")}, str(advice))
    return Fault(said.message.rstrip("."), said.remedy)


SEVERITIES: Final[Mapping[str, str | Promise]] = {
    "error": gettext_lazy("stands in the way"),
    "repaired": gettext_lazy("will be repaired"),
    "warning": gettext_lazy("deserves a look"),
}


# ---- fields

TYPES: Final[Mapping[str, str | Promise]] = {
    "text": gettext_lazy("text"),
    "integer": gettext_lazy("whole number"),
    "number": gettext_lazy("any number"),
    "boolean": gettext_lazy("yes or no"),
    "date": gettext_lazy("date"),
    "datetime": gettext_lazy("date and time"),
}
FOUND_TYPES: Final[Mapping[str, str | Promise]] = {
    **TYPES,
    "object": gettext_lazy("mixed"),
    "empty": gettext_lazy("empty"),
}


def units() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return units by what they measure, for a list to choose from."""
    return [
        (
            _("length"),
            [("m", _("metres")), ("km", _("kilometres")), ("cm", _("centimetres")), ("mm", _("millimetres")),
             ("ft", _("feet")), ("in", _("inches")), ("mi", _("miles"))],
        ),
        (
            _("area"),
            [("m2", _("square metres")), ("ha", _("hectares")), ("km2", _("square kilometres")), ("ft2", _("square feet"))],
        ),
        (_("share"), [("share", _("share of one")), ("percent", _("per cent")), ("permille", _("per mille"))]),
        (
            pgettext("unit", "count"),
            [("one", _("ones")), ("thousand", _("thousands")), ("million", _("millions"))],
        ),
    ]  # fmt: skip


# ---- coordinate systems


def crs_name(epsg: int | None, label: str = "") -> str:
    """Say what a coordinate system is, with its number."""
    if epsg is None:
        return f"\u2068{label}\u2069" if label else ""
    if epsg == 4326:
        name = _("longitude and latitude (WGS 84)")
    elif epsg in (3857, 900913):
        name = _("web Mercator")
    elif 32601 <= epsg <= 32660 or 32701 <= epsg <= 32760:
        name = _("UTM zone %(zone)s, %(half)s") % {
            "zone": formats.digits(epsg % 100, language()),
            "half": _("north") if epsg < 32700 else _("south"),
        }
    else:
        return f"\u2066EPSG:{epsg}\u2069"
    return f"{name} · \u2066EPSG:{epsg}\u2069"


def candidate_name(candidate: Mapping[str, Any]) -> str:
    """Say how a candidate reads the coordinates."""
    name = crs_name(int(candidate["epsg"]))
    extra = []
    if candidate.get("swap_xy"):
        extra.append(_("x and y exchanged back"))
    if float(candidate.get("scale") or 1) != 1:
        extra.append(_("read as feet"))
    return ("، " if language() == "fa" else ", ").join([name, *extra])


# ---- encodings

_ENCODINGS: Final[Mapping[str, str | Promise]] = {
    "utf-8": gettext_lazy("the usual one today"),
    "cp1256": gettext_lazy("Persian and Arabic Windows"),
    "cp1252": gettext_lazy("Western European Windows"),
    "iso8859-6": gettext_lazy("Arabic, as on old Unix and web pages"),
    "cp720": gettext_lazy("Arabic DOS"),
}


def encoding_name(codec: str) -> str:
    """Say what an encoding is; empty for one that is rare here."""
    return str(_ENCODINGS.get(codec, ""))


# ---- formats

_SHAPES: Final = gettext_lazy("shapes with fields")
FORMATS: Final[tuple[tuple[str, str, str | Promise], ...]] = (
    ("GeoPackage", "parks.gpkg", _SHAPES),
    ("Shapefile", "parks.zip", gettext_lazy("all parts in one zip: .shp .shx .dbf, and .prj .cpg if there are any")),
    ("GeoJSON", "parks.geojson", gettext_lazy("also one feature per line: parks.geojsonl")),
    ("FlatGeobuf", "parks.fgb", _SHAPES),
    ("GeoParquet", "parks.parquet", _SHAPES),
    ("KML, KMZ", "parks.kml", gettext_lazy("from Google Earth")),
    ("GPX", "walk.gpx", gettext_lazy("tracks and points of a phone or GPS")),
    ("GML", "parks.gml", _SHAPES),
    ("File Geodatabase", "city.gdb.zip", gettext_lazy("the .gdb folder in one zip")),
    (
        "Excel, CSV",
        "schools.xlsx",
        gettext_lazy("a table with longitude and latitude, with WKT, or with codes or names of neighbourhoods"),
    ),
    ("OpenStreetMap", "city.osm.pbf", gettext_lazy("facilities and roads by rules that you can read")),
    ("GeoTIFF", "people.tif", gettext_lazy("a raster such as people, elevation or slope")),
    (
        "ASCII grid, Imagine, netCDF, SRTM, XYZ",
        "heights.asc",
        gettext_lazy("rasters too; with their .prj in one zip, as ENVI and BIL with their .hdr"),
    ),
)
"""What is taken: name, an example, and what to know about it."""

ACCEPT: Final = (
    ".gpkg,.zip,.geojson,.json,.geojsonl,.geojsons,.ndjson,.fgb,.parquet,.geoparquet,.kml,.kmz,.gpx,.gml,"
    ".xlsx,.csv,.tsv,.txt,.pbf,.osm,.tif,.tiff,.asc,.img,.nc,.hgt,.xyz"
)

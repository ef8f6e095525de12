"""The codebook of an export: what the fields are, where the data are from, how they were made, and what is not told."""

from __future__ import annotations

import csv
import datetime
import hashlib
import io
import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from layers.models import Release
from layers.writing.batches import LONG_TEXTS
from layers.writing.columns import NAME
from layers.writing.exporting import Export, Written
from layers.writing.sinks import inert
from layers.writing.systems import crs_required

JSON_NAME: Final = "codebook.json"
CSV_NAME: Final = "codebook.csv"
README_NAME: Final = "README.txt"

_WITHHELD_EN: Final = "Counts of people above 0 and below {below} are left empty, so that nobody can be recognised."
_WITHHELD_FA: Final = "شمار افرادی که بیش از ۰ و کمتر از {below} است خالی گذاشته شده تا کسی شناخته نشود."


@cache
def version() -> str:
    """Return the version of Mahalleh that writes."""
    project = tomllib.loads((Path(settings.BASE_DIR) / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def sha256_of(path: Path) -> str:
    """Return the hash of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def codebook(export: Export, written: Written, hashes: Mapping[str, tuple[int, str]] | None = None) -> dict[str, Any]:
    """Return the codebook of what was written.

    Parameters
    ----------
    hashes
        Name of each file to its bytes and their SHA-256.
    """
    release, layer = export.release, export.layer
    told = written.told
    crs = crs_required(export.epsg)
    book: dict[str, Any] = {
        "codebook": "1.0",
        "written_by": f"Mahalleh {version()}",
        "city": {"code": layer.city.code, "name_fa": layer.city.name_fa, "name_en": layer.city.name_en},
        "layer": {
            "code": layer.code, "name_fa": layer.name_fa, "name_en": layer.name_en, "kind": layer.kind,
            "theme": layer.theme.code, "description_fa": layer.description_fa, "description_en": layer.description_en,
        },
        "release": {
            "number": release.number,
            "reference_date": _plain(release.reference_date),
            "imported_at": release.created_at.astimezone(datetime.UTC).isoformat(timespec="seconds"),
            "file_name": release.file_name, "file_sha256": release.file_sha256, "content_hash": release.content_hash,
        },
        "owner": layer.owner,
        "source": layer.source,
        "source_fa": layer.source_fa or layer.source,
        "licence": layer.licence or "not stated",
        "is_illustrative": layer.city.is_illustrative,
        "format": export.form.code,
        "crs": {"epsg": export.epsg, "name": crs.name, "axes": "x, y: longitude or easting first"},
        "row_count": told.n_rows if told else None,
        "method": _method(release, written),
        "notes": _notes(export, written),
        "suppression": _suppression(export, written),
        "fields": _fields(export, written),
        "files": [
            {"name": name, "bytes": size, "sha256": sha256} for name, (size, sha256) in (hashes or {}).items()
        ],
    }  # fmt: skip
    if written.raster:
        raster = written.raster
        book["raster"] = {
            "width": raster.width, "height": raster.height, "type": raster.dtype, "no_data": raster.nodata,
            "minimum": raster.minimum, "maximum": raster.maximum,
        }  # fmt: skip
    return book


def codebook_json(book: Mapping[str, Any]) -> bytes:
    """Return a codebook as JSON, for programs."""
    return (json.dumps(book, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


_CSV: Final = (
    "part", "name", "value", "full_name", "type", "unit", "title_fa", "title_en", "description", "filled", "minimum",
    "maximum", "withheld", "cut",
)  # fmt: skip


def codebook_csv(book: Mapping[str, Any]) -> bytes:
    """Return a codebook as a table, for people: first what it says of the whole, then a line for each field."""
    with io.StringIO(newline="") as file:
        writer = csv.DictWriter(file, _CSV, restval="", lineterminator="\r\n")
        writer.writeheader()
        for name, value in _flat(book):
            writer.writerow({"part": "data", "name": name, "value": _cell(value)})
        for one in book["fields"]:
            writer.writerow({"part": "field"} | {key: _cell(value) for key, value in one.items() if key in _CSV})
        return ("\ufeff" + file.getvalue()).encode()


def readme(export: Export) -> str:
    """Return what somebody should know who opens the download without a word about it."""
    layer, release = export.layer, export.release
    day = release.reference_date.isoformat() if release.reference_date else "–"
    illustrative = "\nداده‌های نمایشی، نه مرزهای رسمی. Illustrative data, not official ones.\n"
    return (
        f"{layer.name_fa} — {layer.city.name_fa}\n"
        f"نسخه {release.number}، تاریخ مرجع: {day}\n"
        f"منبع: {layer.source_fa or layer.source}\nپروانه: {layer.licence or 'نامشخص'}\n"
        f"شرح فیلدها، واحدها و روش در {CSV_NAME} و {JSON_NAME} آمده است.\n\n"
        f"{layer.name_en} — {layer.city.name_en}\n"
        f"Release {release.number}, reference date: {day}\n"
        f"Source: {layer.source}\nLicence: {layer.licence or 'not stated'}\n"
        f"Fields, units and method are in {CSV_NAME} and {JSON_NAME}.\n"
        f"{illustrative if layer.city.is_illustrative else ''}"
    )


def _method(release: Release, written: Written) -> str:
    if written.raster:
        return f"Raster: {written.raster.method}."
    said = "The rows of the release, all of them; geometries stored in EPSG:4326"
    return f"{said}, attributes cleaned at the import (Persian letters, spaces)."


def _notes(export: Export, written: Written) -> list[str]:
    form, told = export.form, written.told
    if told is None or written.survey is None or written.layout is None:
        return []
    notes = []
    types = {column.type for column in written.survey.columns}
    if told.n_long:
        notes.append(f"{told.n_long} texts are longer than the format can hold; they are whole in {LONG_TEXTS}.")
    if form.code == "csv":
        notes.append("Texts that begin with = + - @ or a tab have an apostrophe before them.")
    if form.code == "gpkg" and "datetime" in types:
        notes.append("Times without a zone are marked as UTC, because the format has no others.")
    if form.code == "fgb":
        notes.append("Rows are in the order of their places, as the format wants it.")
    if form.code == "shp":
        notes.append("Names of fields are cut to ten letters; full_name says them whole. Text is UTF-8 (.cpg).")
    if written.layout.is_mixed and form.is_one_kind and form.code != "shp":
        notes.append("Single geometries are collections of one, because others in the layer are collections.")
    if any(column.type in form.as_text for column in written.survey.columns):
        notes.append("Dates or times that the format has no type for are ISO 8601 text.")
    return notes


def _suppression(export: Export, written: Written) -> dict[str, Any]:
    columns = [column for column in written.survey.columns if column.below] if written.survey else []
    below = max((column.below for column in columns), default=export.pixels_below)
    if not below:
        return {"applied": False}
    of_squares = {"squares_withheld": written.raster.withheld} if written.raster else {}
    return {
        "applied": True,
        "fields": [column.name for column in columns],
        **of_squares,
        "below": below,
        "note_en": _WITHHELD_EN.format(below=f"{below:g}"),
        "note_fa": _WITHHELD_FA.format(below=f"{below:g}".translate(_PERSIAN)),
    }


_PERSIAN: Final = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


def _fields(export: Export, written: Written) -> list[dict[str, Any]]:
    if written.survey is None or written.told is None or written.layout is None:
        return []
    fields = [
        {
            "name": column.name, "full_name": column.key if column.key != NAME else "name", "type": column.type,
            "unit": column.unit, "title_fa": column.title_fa, "title_en": column.title_en,
            "description": column.description, "filled": facts.filled, "minimum": _plain(facts.minimum),
            "maximum": _plain(facts.maximum), "withheld": facts.withheld, "cut": facts.cut,
        }
        for column, facts in zip(written.survey.columns, written.told.facts, strict=True)
    ]  # fmt: skip
    layout = written.layout
    if layout.has_points:
        lon, lat = ("lon", "lat") if layout.is_point_itself else ("point_lon", "point_lat")
        inside = "" if layout.is_point_itself else " of a point in the geometry"
        fields += [
            _place_field(lon, "number", "طول جغرافیایی", f"Longitude{inside}", "degree"),
            _place_field(lat, "number", "عرض جغرافیایی", f"Latitude{inside}", "degree"),
        ]
    if layout.has_shapes:
        fields.append(_place_field("wkt", "text", "هندسه", f"Geometry in EPSG:{export.epsg}, x before y", ""))
    return fields


def _place_field(name: str, kind: str, title_fa: str, title_en: str, unit: str) -> dict[str, Any]:
    return {"name": name, "full_name": name, "type": kind, "unit": unit, "title_fa": title_fa, "title_en": title_en}


def _flat(book: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in book.items():
        if name == "fields" and not prefix:
            continue
        if isinstance(value, Mapping):
            found += _flat(value, f"{prefix}{name}.")
        elif name == "files":
            for one in value:
                found += _flat(one, f"file {one['name']}.")
        elif isinstance(value, Sequence) and not isinstance(value, str):
            found += [(f"{prefix}{name}", one) for one in value]
        else:
            found.append((f"{prefix}{name}", value))
    return found


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return inert(value) if isinstance(value, str) else value


def _plain(value: Any) -> Any:
    """Return a value as JSON can say it."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.isoformat() if isinstance(value, (datetime.date, datetime.datetime)) else value

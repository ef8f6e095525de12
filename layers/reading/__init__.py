"""Files into rows: what a file holds, checked and located, before anything is written.

`reading` goes through a file of rows in batches; `read_file` looks at the content and reads it whole, a raster too.
Neither raises for a bad file: a problem names its row, what is wrong with which value, and the remedy.
"""

from collections.abc import Collection
from dataclasses import fields as fields_of
from pathlib import Path
from typing import Any

from layers.reading.archive import holds_raster
from layers.reading.city import CityDescriptionError, read_city
from layers.reading.city_parts import CityDescription
from layers.reading.grids import RAW_SUFFIXES
from layers.reading.limits import DEFAULT, WHOLE, Limits
from layers.reading.places import Joining, Partner, Places
from layers.reading.plan import Candidate, FieldFacts, Kind, Plan, Problem, RasterPlan, Rows, Trouble, summary
from layers.reading.projection import Bounds
from layers.reading.raster import read_raster
from layers.reading.reading import FieldRule, Reading, ReadingOptions, read_rows, reading
from layers.reading.recognise import ACCEPTED, RASTERS, ZIP, content_of
from layers.reading.wording import COMMAND, DESCRIPTION, Wording

__all__ = [
    "ACCEPTED", "COMMAND", "DEFAULT", "DESCRIPTION", "WHOLE", "Bounds", "Candidate", "CityDescription", "CityDescriptionError",
    "FieldFacts", "FieldRule", "Joining", "Kind", "Limits", "Partner", "Places", "Plan", "Problem", "RasterPlan", "Reading",
    "ReadingOptions", "Rows", "Trouble", "Wording",
    "is_raster", "read_city", "read_file", "read_raster", "read_table", "read_vector", "reading", "summary",
]  # fmt: skip

_RASTER = frozenset({"source_epsg", "near", "band", "non_negative"})


def read_file(
    path: Path,
    *,
    limits: Limits | None = None,
    wording: Wording = COMMAND,
    places: Places | None = None,
    **options: Any,
) -> Plan | RasterPlan:
    """Read any accepted file whole, by what its content is.

    Parameters
    ----------
    path
        As for `read_vector`, `read_table` and `read_raster`.
    limits
        Sizes accepted; `WHOLE` for rows and `DEFAULT` for a raster if None.
    wording, places
        As for `layers.reading.reading.Reading`.
    **options
        Those of `ReadingOptions`; the ones that mean nothing for the content found are not used. So a caller can
        pass on what a form or a city description holds without knowing the kind of file.

    Raises
    ------
    TypeError
        For an option that no reader knows: a mistake of the caller, not of the file.
    """
    path = Path(path)
    unknown = options.keys() - {field.name for field in fields_of(ReadingOptions)}
    if unknown:
        raise TypeError(f"read_file has no option {sorted(unknown)}")
    if is_raster(path):
        asked = {name: value for name, value in options.items() if name in _RASTER and value is not None}
        return read_raster(path, **asked, limits=limits or DEFAULT, wording=wording)
    return read_rows(path, ReadingOptions(**options), limits=limits or WHOLE, wording=wording, places=places)


def is_raster(path: Path) -> bool:
    """Say whether a file is read by `read_raster`, by its first bytes; False where it cannot be looked at."""
    try:
        if not path.is_file() or path.is_symlink():
            return False
        content = content_of(path)
        return content in RASTERS or path.suffix.lower() in RAW_SUFFIXES or (content == ZIP and holds_raster(path))
    except (OSError, ValueError):
        return False


def read_vector(
    path: Path,
    *,
    layer: str | None = None,
    source_epsg: int | None = None,
    encoding: str | None = None,
    fields: Collection[str] | None = None,
    name_field: str | None = None,
    expect: Kind | None = None,
    repair: bool = False,
    near: Bounds | None = None,
    limits: Limits = WHOLE,
    wording: Wording = COMMAND,
) -> Plan:
    """Read a vector file whole into rows in EPSG:4326, with every problem located. Never raises for a bad file.

    Parameters
    ----------
    path
        A file, a folder with one shapefile, or a .zip with one.
    layer, source_epsg, encoding, fields, name_field, expect, repair, near
        As in `ReadingOptions`.
    limits
        Sizes accepted.
    wording
        How remedies call these options: in the caller's words.

    Returns
    -------
    Plan
        Loadable only if it has no error. Feature 1 of the layer is row 1.
    """
    options = ReadingOptions(layer, source_epsg, encoding, fields, name_field, expect=expect, repair=repair, near=near)
    return read_rows(path, options, limits=limits, wording=wording, only="vector")


def read_table(
    path: Path,
    *,
    x_field: str | None = None,
    y_field: str | None = None,
    source_epsg: int | None = None,
    encoding: str | None = None,
    fields: Collection[str] | None = None,
    name_field: str | None = None,
    expect: Kind | None = None,
    repair: bool = False,
    near: Bounds | None = None,
    limits: Limits = WHOLE,
    wording: Wording = COMMAND,
) -> Plan:
    """Read a table with coordinates whole into rows in EPSG:4326. Never raises for a bad file.

    Parameters
    ----------
    path
        A .csv, .tsv or .txt file with a header row.
    x_field, y_field
        Columns with the coordinates; found by their names (lon/lat, longitude/latitude, x/y, طول/عرض …) if None. A
        column with geometries as WKT text (``geometry``, ``wkt`` …) is taken where there are no such columns.
    source_epsg
        EPSG code of the coordinates. May be left out only if the columns' names say that they are degrees.
    encoding
        Encoding of the text; UTF-8 or what a byte order mark says if None, else guessed, saying so.
    fields, name_field, expect, repair, near, limits, wording
        As for `read_vector`.

    Returns
    -------
    Plan
        Loadable only if it has no error. Columns in which every value is a number become numbers.
    """
    options = ReadingOptions(
        None, source_epsg, encoding, fields, name_field, x_field, y_field, expect=expect, repair=repair, near=near
    )
    return read_rows(path, options, limits=limits, wording=wording, only="table")

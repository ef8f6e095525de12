"""Files into plans: what a file holds, checked and located, before anything is written.

`read_file` looks at the content and calls the reader for it. Every reader gives a frozen plan and never raises for a
bad file: a problem names its row, what is wrong with which value, and the remedy.
"""

from pathlib import Path
from typing import Any

from layers.reading.city import CityDescriptionError, read_city
from layers.reading.city_parts import CityDescription
from layers.reading.limits import DEFAULT, Limits
from layers.reading.plan import Plan, Problem, RasterPlan, Rows, summary
from layers.reading.raster import read_raster
from layers.reading.source import content_of
from layers.reading.table import read_table
from layers.reading.vector import read_vector
from layers.reading.wording import COMMAND, DESCRIPTION, Wording

__all__ = [
    "COMMAND", "DEFAULT", "DESCRIPTION", "CityDescription", "CityDescriptionError", "Limits", "Plan", "Problem",
    "RasterPlan", "Rows", "Wording",
    "read_city", "read_file", "read_raster", "read_table", "read_vector", "summary",
]  # fmt: skip

_ONLY_TABLE = frozenset({"x_field", "y_field"})
_ONLY_VECTOR = frozenset({"layer"})
_ROWS = frozenset({"encoding", "fields", "name_field", "expect", "repair"})
_ONLY_RASTER = frozenset({"band", "non_negative"})


def read_file(path: Path, **options: Any) -> Plan | RasterPlan:
    """Read any accepted file, by what its content is.

    Parameters
    ----------
    path
        As for `read_vector`, `read_table` and `read_raster`.
    **options
        Those of all three readers; the ones that mean nothing for the content found are not used. So a caller can
        pass on what a form or a city description holds without knowing the kind of file.

    Raises
    ------
    TypeError
        For an option that no reader knows: a mistake of the caller, not of the file.
    """
    path = Path(path)
    every = {"source_epsg", "near", "limits", "wording"} | _ONLY_TABLE | _ONLY_VECTOR | _ROWS | _ONLY_RASTER
    unknown = options.keys() - every
    if unknown:
        raise TypeError(f"read_file has no option {sorted(unknown)}")
    content = _content(path)
    if content == "GTiff":
        return read_raster(path, **_without(options, _ONLY_TABLE | _ONLY_VECTOR | _ROWS))
    if content == "CSV":
        return read_table(path, **_without(options, _ONLY_VECTOR | _ONLY_RASTER))
    return read_vector(path, **_without(options, _ONLY_TABLE | _ONLY_RASTER))


def _content(path: Path) -> str:
    try:
        return content_of(path) if path.is_file() and not path.is_symlink() else ""
    except (OSError, ValueError):
        return ""


def _without(options: dict[str, Any], left_out: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in left_out}

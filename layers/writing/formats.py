"""The formats that layers go out in, and what each of them can hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from geo.core.crs import STORAGE_EPSG
from geo.errors import CrsError, InvalidInput
from layers.writing.worksheet import MEDIA_TYPE

Shape = Literal["wkb", "kml"]


@dataclass(frozen=True, slots=True)
class Format:
    """One format.

    Attributes
    ----------
    code
        As it is asked for.
    suffix
        How names of its files end, with the dot.
    media_type
        Of its files.
    driver
        Of GDAL; empty where it is not GDAL that writes it.
    is_raster
        Whether it holds pixels and no rows.
    is_lon_lat
        Whether its coordinates are always degrees, longitude first (EPSG:4326).
    is_packed
        Whether its files are compressed already, so that a zip need not do it again.
    shape
        How geometries are taken from the database.
    is_one_kind
        Whether a layer holds either single geometries or collections of them, so that a mixture is brought to the latter.
    as_text
        Types of fields that go out as ISO 8601 text, because the format has no such type, or spoils it.
    longest_text
        What one text may hold: bytes of UTF-8 (`is_byte_limit`) or characters; 0 for no limit.
    is_byte_limit
        What `longest_text` counts.
    most_rows
        How many rows a file may hold; 0 for no limit.
    longest_name
        Letters that the name of a field may have; 0 for no limit.
    is_ascii_names
        Whether names of fields are ASCII.
    taken_names
        Names, in small letters, that the format needs itself.
    """

    code: str
    suffix: str
    media_type: str
    driver: str = ""
    is_raster: bool = False
    is_lon_lat: bool = False
    is_packed: bool = False
    shape: Shape = "wkb"
    is_one_kind: bool = False
    as_text: frozenset[str] = frozenset()
    longest_text: int = 0
    is_byte_limit: bool = False
    most_rows: int = 0
    longest_name: int = 0
    is_ascii_names: bool = False
    taken_names: frozenset[str] = field(default_factory=frozenset)


_TIMES: Final = frozenset({"datetime", "instant"})
_COLUMNS: Final = frozenset({"wkt", "lon", "lat", "point_lon", "point_lat"})
_OF_KML: Final = frozenset({
    "name", "description", "timestamp", "begin", "end", "altitudemode", "tessellate", "extrude", "visibility",
    "draworder", "icon", "id", "snippet", "styleurl",
})  # fmt: skip

FORMATS: Final[Mapping[str, Format]] = {
    one.code: one
    for one in (
        Format("gpkg", ".gpkg", "application/geopackage+sqlite3", "GPKG", is_one_kind=True,
               taken_names=frozenset({"fid", "geom", "ogc_fid", "rowid"})),
        Format("shp", ".zip", "application/zip", "ESRI Shapefile", is_one_kind=True, as_text=_TIMES, longest_text=254,
               is_byte_limit=True, longest_name=10, is_ascii_names=True, taken_names=frozenset({"fid", "shape"})),
        Format("geojson", ".geojson", "application/geo+json", "GeoJSON", is_lon_lat=True),
        Format("geojsonseq", ".geojsonl", "application/geo+json-seq", "GeoJSONSeq", is_lon_lat=True,
               as_text=frozenset({"date"})),
        Format("fgb", ".fgb", "application/flatgeobuf", "FlatGeobuf", is_one_kind=True,
               as_text=frozenset({"date", "instant"}), taken_names=frozenset({"fid"})),
        Format("parquet", ".parquet", "application/vnd.apache.parquet", is_packed=True,
               taken_names=frozenset({"geometry", "bbox"})),
        Format("kml", ".kml", "application/vnd.google-earth.kml+xml", is_lon_lat=True, shape="kml",
               as_text=_TIMES | {"date"}, taken_names=_OF_KML),
        Format("csv", ".csv", "text/csv; charset=utf-8", as_text=_TIMES, taken_names=_COLUMNS),
        Format("xlsx", ".xlsx", MEDIA_TYPE, is_packed=True,
               as_text=frozenset({"instant"}), longest_text=32_767, most_rows=1_048_575, taken_names=_COLUMNS),
        Format("cog", ".tif", "image/tiff; application=geotiff; profile=cloud-optimized", is_raster=True,
               is_packed=True),
    )
}  # fmt: skip


def formats_for(kind: str) -> list[Format]:
    """Return the formats that a layer of a kind can go out in.

    Examples
    --------
    >>> [one.code for one in formats_for("raster")]
    ['cog']
    """
    return [one for one in FORMATS.values() if one.is_raster == (kind == "raster")]


def format_of(code: str, kind: str) -> Format:
    """Return the format of a code for a layer of a kind.

    Raises
    ------
    InvalidInput
        Where there is none, or it does not hold such data.
    """
    choices = [one.code for one in formats_for(kind)]
    if code not in choices:
        raise InvalidInput(
            f"A layer of this kind cannot be exported as {code!r}.",
            code="bad_format",
            where="format",
            remedy=f"Choose one of: {', '.join(choices)}.",
            details={"value": code, "choices": choices},
        )
    return FORMATS[code]


def require_speaks(form: Format, epsg: int) -> None:
    """Refuse a reference system that a format does not speak.

    Raises
    ------
    CrsError
        With the formats that do.
    """
    if form.is_lon_lat and epsg != STORAGE_EPSG:
        choices = [one.code for one in FORMATS.values() if not (one.is_lon_lat or one.is_raster)]
        raise CrsError(
            f"The format {form.code} always holds longitude and latitude (EPSG:4326), not EPSG:{epsg}.",
            code="crs_not_of_format",
            where="crs",
            remedy=f"Leave the reference system out, or choose one of: {', '.join(choices)}.",
            details={"format": form.code, "epsg": epsg, "choices": choices},
        )

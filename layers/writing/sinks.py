"""Rows into files: what each format's file is made with. Every one of them takes batches and keeps none."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
import pyogrio
import shapely

from layers.reading.quiet import quiet
from layers.writing.batches import Batch, Told, arrow_type
from layers.writing.columns import Column
from layers.writing.formats import Format
from layers.writing.kml import write_kml
from layers.writing.systems import projjson
from layers.writing.worksheet import write_xlsx

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
FORMULA: Final = "^([=+\\-@\\t\\r\\n＝＋－＠])"
"""What text begins with that a spreadsheet would run."""


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """What a file is to be.

    Attributes
    ----------
    stem
        Its name without ending.
    title
        Of the layer.
    kind
        ``point``, ``line`` or ``polygon``.
    is_multi, is_mixed
        Whether its geometries are collections; whether some are and some not.
    has_points, has_shapes
        Of a table: whether it has columns with the longitude and latitude of a point, and one with the geometry as text.
    """

    form: Format
    stem: str
    title: str
    columns: Sequence[Column]
    epsg: int
    kind: str
    is_multi: bool = False
    is_mixed: bool = False
    has_points: bool = False
    has_shapes: bool = True

    @property
    def is_point_itself(self) -> bool:
        """Whether the point that a table says is the geometry, and not one in it."""
        return self.kind == "point" and not (self.is_multi or self.is_mixed)


Sink = Callable[[Path, Layout, Iterator[Batch], Told, Any], list[Path]]
"""Writes into a folder and returns the files; the last argument takes texts that the format would cut."""


def sink_for(form: Format) -> Sink:
    """Return what writes a format."""
    if form.driver:
        return write_by_gdal
    return {"parquet": write_parquet, "csv": write_csv, "kml": _kml, "xlsx": _xlsx}[form.code]


# ---- GDAL

_OPTIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "GeoJSON": {"RFC7946": "YES", "COORDINATE_PRECISION": "15"},
    "GeoJSONSeq": {"COORDINATE_PRECISION": "15"},
    "GPKG": {"GEOMETRY_NAME": "geom"},
}
_GEOMETRY: Final = "the geometry"
_KINDS: Final = {"point": "Point", "line": "LineString", "polygon": "Polygon"}


def write_by_gdal(folder: Path, layout: Layout, rows: Iterator[Batch], told: Told, long_texts: Any) -> list[Path]:
    """Write a file by GDAL: GeoPackage, Shapefile, GeoJSON, GeoJSONSeq, FlatGeobuf."""
    form = layout.form
    is_shapefile = form.code == "shp"
    path = folder / f"{layout.stem}{'.shp' if is_shapefile else form.suffix}"
    fields = [pa.field(column.name, arrow_type(column, form)) for column in layout.columns]
    schema = pa.schema([*fields, pa.field(_GEOMETRY, pa.binary())])
    arrow = (pa.RecordBatch.from_arrays([*batch.columns, batch.shapes], schema=schema) for batch in rows)
    kind = _KINDS[layout.kind]
    if layout.is_mixed and not form.is_one_kind:
        kind = "Unknown"
    elif layout.is_multi and not (is_shapefile and layout.kind != "point"):
        kind = f"Multi{kind}"
    options = dict(_OPTIONS.get(form.driver, {}))
    if form.code == "fgb":
        options["TEMPORARY_DIR"] = str(folder)
    with quiet():
        pyogrio.write_arrow(
            pa.RecordBatchReader.from_batches(schema, arrow),
            path,
            layer=layout.stem,
            driver=form.driver,
            geometry_name=_GEOMETRY,
            geometry_type=kind,
            crs=f"EPSG:{layout.epsg}",
            layer_options=options,
            **({"encoding": "UTF-8"} if is_shapefile else {}),
        )
    return sorted(folder.glob(f"{layout.stem}.*")) if is_shapefile else [path]


# ---- Arrow


def write_parquet(folder: Path, layout: Layout, rows: Iterator[Batch], told: Told, long_texts: Any) -> list[Path]:
    """Write GeoParquet 1.1: well-known binary, x before y, with the reference system and the bounds in its metadata."""
    path = folder / f"{layout.stem}{layout.form.suffix}"
    fields = [pa.field(column.name, arrow_type(column, layout.form)) for column in layout.columns]
    schema = pa.schema([*fields, pa.field("geometry", pa.binary(), nullable=False)])
    # Without a copy of the schema: readers would look for the metadata in it, which are known only at the end.
    with pa.parquet.ParquetWriter(
        path, schema, compression="zstd", write_page_checksum=True, store_schema=False
    ) as writer:
        waiting: list[pa.RecordBatch] = []
        for batch in rows:
            waiting.append(pa.RecordBatch.from_arrays([*batch.columns, batch.shapes], schema=schema))
            if sum(one.nbytes for one in waiting) >= _GROUP_BYTES or sum(map(len, waiting)) >= _GROUP_ROWS:
                writer.write_table(pa.Table.from_batches(waiting))
                waiting = []
        if waiting:
            writer.write_table(pa.Table.from_batches(waiting, schema))
        geometry = {
            "encoding": "WKB",
            "geometry_types": sorted(told.geometry_types),
            "crs": projjson(layout.epsg),
        } | ({"bbox": list(told.bounds)} if told.bounds else {})
        about = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": geometry}}
        writer.add_key_value_metadata({"geo": json.dumps(about)})
    return [path]


_GROUP_BYTES: Final = 32 << 20
_GROUP_ROWS: Final = 65_536


def write_csv(folder: Path, layout: Layout, rows: Iterator[Batch], told: Told, long_texts: Any) -> list[Path]:
    """Write a table for spreadsheets: UTF-8 with a byte order mark, no cell that could run as a formula."""
    path = folder / f"{layout.stem}{layout.form.suffix}"
    fields = [pa.field(column.name, arrow_type(column, layout.form)) for column in layout.columns]
    head = [inert(field.name) for field in fields]
    if layout.has_points:
        names = ("lon", "lat") if layout.is_point_itself else ("point_lon", "point_lat")
        head += names
        fields += [pa.field(name, pa.float64()) for name in names]
    if layout.has_shapes:
        head.append("wkt")
        fields.append(pa.field("wkt", pa.string()))
    schema = pa.schema(fields)
    with path.open("wb") as file:
        file.write(BYTE_ORDER_MARK)
        file.write((",".join('"' + name.replace('"', '""') + '"' for name in head) + "\n").encode())
        with pa.csv.CSVWriter(file, schema, write_options=pa.csv.WriteOptions(include_header=False)) as writer:
            for batch in rows:
                cells = [inert_column(column) for column in batch.columns] + place_columns(batch, layout)
                writer.write_batch(pa.RecordBatch.from_arrays(cells, schema=schema))
    return [path]


def place_columns(batch: Batch, layout: Layout) -> list[pa.Array]:
    """Return the columns of a table that say where its rows are."""
    found = []
    if layout.has_points and batch.lon_lat is not None:
        found += [pa.array(batch.lon_lat[:, 0]), pa.array(batch.lon_lat[:, 1])]
    if layout.has_shapes:
        geometries = shapely.from_wkb(batch.shapes.to_numpy(zero_copy_only=False))
        found.append(pa.array(shapely.to_wkt(geometries, rounding_precision=-1, trim=True), pa.string()))
    return found


def inert(cell: str) -> str:
    """Return a text that a spreadsheet shows and does not run.

    Examples
    --------
    >>> inert("=HYPERLINK(1)"), inert("Centro")
    ("'=HYPERLINK(1)", 'Centro')
    """
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")) else cell


def inert_column(column: pa.Array) -> pa.Array:
    """Return a column whose texts a spreadsheet shows and does not run; numbers stay numbers."""
    if not pa.types.is_string(column.type):
        return column
    return pc.replace_substring_regex(column, pattern=FORMULA, replacement="'\\1")


def _kml(folder: Path, layout: Layout, rows: Iterator[Batch], told: Told, long_texts: Any) -> list[Path]:
    path = folder / f"{layout.stem}{layout.form.suffix}"
    write_kml(path, layout.title, layout.columns, rows)
    return [path]


def _xlsx(folder: Path, layout: Layout, rows: Iterator[Batch], told: Told, long_texts: Any) -> list[Path]:
    path = folder / f"{layout.stem}{layout.form.suffix}"
    names = [column.name for column in layout.columns]
    if layout.has_points:
        names += ("lon", "lat") if layout.is_point_itself else ("point_lon", "point_lat")
    if layout.has_shapes:
        names.append("wkt")
    write_xlsx(path, names, _tables(rows, layout), long_texts)
    return [path]


def _tables(rows: Iterator[Batch], layout: Layout) -> Iterator[tuple[int, list[pa.Array]]]:
    for batch in rows:
        yield batch.first, [*batch.columns, *place_columns(batch, layout)]

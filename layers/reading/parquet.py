"""GeoParquet, read by Arrow: its metadata, which columns can be kept, and its rows in batches of bounded size.

Three numbers in such a file are only said, not measured: how many rows there are, how large a column is once
unpacked, and how long its repeated values are. None of them is believed where it costs memory.
"""

import itertools
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from layers.reading.limits import Limits
from layers.reading.plan import RefusedError, first_names
from layers.reading.wording import option

GEOMETRY: Final = "wkb_geometry"
LON_LAT: Final = "EPSG:4326"

#: Bytes that the texts and geometries of one batch may take once repeated values are written out.
BATCH_BYTES: Final = 32 << 20
_FOOTER_BYTES: Final = 32 << 20
_THRIFT_CONTAINER: Final = 1_000_000
_PAGE_BUFFER_BYTES: Final = 1 << 20
_LON_LAT_IDS: Final = (("OGC", "CRS84"), ("EPSG", "4326"))
_UNREADABLE: Final = (pa.ArrowException, OSError, ValueError, MemoryError, KeyError, OverflowError)


@dataclass(frozen=True, slots=True)
class ParquetLayer:
    """What the metadata of a GeoParquet file say.

    Attributes
    ----------
    geometry
        Name of the column with the geometries, well-known binary.
    crs
        Reference system as PROJJSON, or ``EPSG:4326`` where the format's default holds; None if undefined.
    fields
        Attributes that can be kept, with their types as pyogrio names them.
    nested
        Attributes that hold lists or records.
    binary
        Attributes that hold bytes.
    n_rows
        Rows said to be there.
    """

    geometry: str
    crs: str | None
    fields: dict[str, str]
    nested: tuple[str, ...]
    binary: tuple[str, ...]
    n_rows: int


def require_sound_parquet(path: Path, limits: Limits) -> ParquetLayer:
    """Look at the metadata of a GeoParquet file and refuse what cannot or should not be read.

    Raises
    ------
    RefusedError
        If it is cut off, unpacks to too much, has too many columns or rows, or no geometry as well-known binary.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - 8))
        tail = file.read()
    footer = int.from_bytes(tail[:4], "little")
    if size < 12 or tail[4:] != b"PAR1" or footer > size - 12:
        raise RefusedError("broken_file", "The Parquet file is cut off: its last part is missing.", "Upload it again.")
    if footer > _FOOTER_BYTES:
        raise RefusedError(
            "too_many_fields",
            f"The description of the Parquet file takes {footer / 1e6:,.0f} MB.",
            "Export fewer columns, in fewer and larger row groups.",
        )
    try:
        with _opened(path) as file:
            return _described(file, size, limits)
    except _UNREADABLE as error:
        raise broken(error) from error


def parquet_batches(
    path: Path, layer: ParquetLayer, columns: Collection[str] | None, limits: Limits, batch_rows: int
) -> Iterator[pa.RecordBatch]:
    """Give the rows in batches, the geometry last and called ``wkb_geometry``.

    Raises
    ------
    RefusedError
        If an attribute that is to be kept holds lists or records, or the file breaks off.
    """
    wanted = [name for name in layer.fields if columns is None or name in columns]
    nested = [name for name in layer.nested if columns is None or name in columns]
    if nested:
        raise RefusedError(
            "nested_field",
            f"The attribute {first_names(nested)} holds lists or records, which a layer does not keep.",
            f"Write its parts into columns of their own, or name the attributes to keep with {option('fields')}.",
            field=nested[0],
        )
    done = 0
    try:
        with _opened(path, repeated=_repeated(path, [*wanted, layer.geometry])) as file:
            for batch in file.iter_batches(batch_size=batch_rows, columns=[*wanted, layer.geometry]):
                for piece in _pieces(batch.select([*wanted, layer.geometry])):
                    done += piece.num_rows
                    if done > limits.rows:
                        raise RefusedError(
                            "too_many_rows", f"The layer has more than {limits.rows:,} rows.", "Cut it to the city."
                        )
                    yield piece.rename_columns([*wanted, GEOMETRY])
    except _UNREADABLE as error:
        raise broken(error, row=done + 1) from error
    if done != layer.n_rows:
        message = f"Only {done:,} of {layer.n_rows:,} rows can be read: the file is damaged."
        raise RefusedError("broken_file", message, "Copy or upload it again.", row=done + 1)


def broken(error: BaseException, *, row: int | None = None) -> RefusedError:
    """Give the refusal of a file that Arrow cannot read."""
    detail = " ".join(str(error).split())[:160].rstrip(". ") or type(error).__name__
    return RefusedError(
        "broken_file", f"The Parquet file cannot be read: {detail}.", "Copy, export or upload it again.", row=row
    )


def _opened(path: Path, *, repeated: Collection[str] = ()) -> pq.ParquetFile:
    return pq.ParquetFile(
        path,
        read_dictionary=list(repeated) or None,
        buffer_size=_PAGE_BUFFER_BYTES,
        pre_buffer=False,
        thrift_string_size_limit=_FOOTER_BYTES,
        thrift_container_size_limit=_THRIFT_CONTAINER,
        page_checksum_verification=True,
    )


def _described(file: pq.ParquetFile, size: int, limits: Limits) -> ParquetLayer:
    metadata = file.metadata
    if metadata.num_columns > 2 * limits.fields:
        message = f"The rows have {metadata.num_columns:,} attributes, more than {limits.fields:,}."
        raise RefusedError("too_many_fields", message, "Export only the attributes that are needed.")
    if metadata.num_rows > limits.rows:
        message = f"The layer has {metadata.num_rows:,} rows, more than {limits.rows:,}."
        raise RefusedError("too_many_rows", message, "Cut it to the city, or split it.")
    groups = [metadata.row_group(position) for position in range(metadata.num_row_groups)]
    unpacked = sum(max(0, group.total_byte_size) for group in groups)
    if unpacked > 4 * limits.file_bytes or (unpacked > 10 << 20 and unpacked > limits.archive_ratio * size):
        raise RefusedError(
            "archive_too_large",
            f"The Parquet file unpacks to {unpacked / 1e6:,.0f} MB, {unpacked / size:,.0f} times its size.",
            f"Keep below {4 * limits.file_bytes / 1e6:,.0f} MB and {limits.archive_ratio} times.",
        )
    schema = file.schema_arrow
    geo = _geo(schema.metadata or {})
    name, column = _geometry_column(geo, schema)
    covering = _covering(column)
    others = [entry for entry in schema if entry.name not in (name, covering)]
    return ParquetLayer(
        name,
        _crs(column),
        {entry.name: _type(entry.type) for entry in others if _is_plain(entry.type)},
        tuple(entry.name for entry in others if pa.types.is_nested(_plain(entry.type))),
        tuple(entry.name for entry in others if _is_binary(_plain(entry.type))),
        int(metadata.num_rows),
    )


def _geo(metadata: dict[bytes, bytes]) -> dict[str, Any]:
    text = metadata.get(b"geo")
    if text is None:
        raise RefusedError(
            "no_geometry_column",
            "The Parquet file does not say which column holds geometries (it has no 'geo' metadata).",
            "Write it as GeoParquet, for example with GeoPandas or with GDAL 3.5 or newer.",
        )
    try:
        geo = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RefusedError(
            "broken_file", "The 'geo' metadata of the Parquet file is not JSON.", "Write it again as GeoParquet."
        ) from error
    return geo if isinstance(geo, dict) else {}


def _geometry_column(geo: dict[str, Any], schema: pa.Schema) -> tuple[str, dict[str, Any]]:
    columns = geo.get("columns")
    name = geo.get("primary_column")
    column = columns.get(name) if isinstance(columns, dict) and isinstance(name, str) else None
    if not isinstance(column, dict) or schema.names.count(name) != 1:
        raise RefusedError(
            "no_geometry_column",
            "The 'geo' metadata of the Parquet file name no column of it as the geometry.",
            "Write it again as GeoParquet.",
        )
    encoding = str(column.get("encoding"))
    if encoding != "WKB" or not _is_binary(_plain(schema.field(name).type)):
        raise RefusedError(
            "unsupported_geometry",
            f"The geometries are written as {encoding[:40]!r}, not as well-known binary (WKB).",
            "Write the file with geometry_encoding = WKB, the default of GeoParquet.",
            field=str(name),
        )
    return str(name), column


def _crs(column: dict[str, Any]) -> str | None:
    if "crs" not in column:
        return LON_LAT
    crs = column["crs"]
    if crs is None:
        return None
    if not isinstance(crs, dict):
        return str(crs)[:1000]
    identity = crs.get("id")
    if isinstance(identity, dict) and (str(identity.get("authority")), str(identity.get("code"))) in _LON_LAT_IDS:
        return LON_LAT
    return json.dumps(crs)


def _covering(column: dict[str, Any]) -> str | None:
    """Name the column that repeats the bounds of each geometry, for quick searches."""
    bbox = (column.get("covering") or {}).get("bbox") if isinstance(column.get("covering"), dict) else None
    path = bbox.get("xmin") if isinstance(bbox, dict) else None
    return str(path[0]) if isinstance(path, list) and path else None


def _plain(kind: pa.DataType) -> pa.DataType:
    if isinstance(kind, pa.BaseExtensionType):
        return _plain(kind.storage_type)
    return _plain(kind.value_type) if pa.types.is_dictionary(kind) else kind


def _is_binary(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_binary_view(kind)
        or pa.types.is_fixed_size_binary(kind)
    ) and not pa.types.is_decimal(kind)


def _is_plain(kind: pa.DataType) -> bool:
    return not pa.types.is_nested(_plain(kind)) and not _is_binary(_plain(kind))


def _type(kind: pa.DataType) -> str:
    plain = _plain(kind)
    if pa.types.is_boolean(plain):
        return "bool"
    if pa.types.is_integer(plain):
        return "int64"
    if pa.types.is_floating(plain) or pa.types.is_decimal(plain):
        return "float64"
    if pa.types.is_date(plain):
        return "datetime64[D]"
    return "datetime64[ms]" if pa.types.is_timestamp(plain) else "object"


def _repeated(path: Path, names: list[str]) -> list[str]:
    """Name the texts and geometries that the file keeps once for many rows."""
    with _opened(path) as file:
        metadata, schema = file.metadata, file.schema_arrow
        found = set()
        for position in range(metadata.num_row_groups):
            group = metadata.row_group(position)
            for index in range(group.num_columns):
                chunk = group.column(index)
                if any("DICTIONARY" in encoding for encoding in chunk.encodings):
                    found.add(chunk.path_in_schema)
        return [name for name in names if name in found and _has_length(_plain(schema.field(name).type))]


def _has_length(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_string(kind))


def _pieces(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Write repeated values out, in pieces that fit into memory."""
    bytes_of_row = np.zeros(batch.num_rows, dtype=np.int64)
    for column in batch.columns:
        if pa.types.is_dictionary(column.type) and _has_length(column.type.value_type):
            sizes = pc.take(pc.binary_length(column.dictionary), column.indices)
            bytes_of_row += np.asarray(pc.fill_null(sizes, 0).to_numpy(zero_copy_only=False), dtype=np.int64)
    if bytes_of_row.max(initial=0) > 8 * BATCH_BYTES:
        raise RefusedError("text_too_long", "A value of a row is far too large.", "Export the layer again.")
    place = np.cumsum(bytes_of_row) // BATCH_BYTES
    starts = [0, *(np.flatnonzero(np.diff(place)) + 1).tolist(), batch.num_rows]
    for start, end in itertools.pairwise(starts):
        piece = batch.slice(start, end - start)
        arrays = [
            column.dictionary_decode() if pa.types.is_dictionary(column.type) else _stored(column)
            for column in piece.columns
        ]
        yield pa.RecordBatch.from_arrays(arrays, names=piece.schema.names)


def _stored(column: pa.Array) -> pa.Array:
    return column.storage if isinstance(column.type, pa.BaseExtensionType) else column

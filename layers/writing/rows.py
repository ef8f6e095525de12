"""The rows of a release out of the database in batches of bounded size, column by column.

For each batch PostgreSQL puts the values of a column behind one another and says how long each is: so a column comes as
two runs of bytes, which are an Arrow column already, and nothing is done here for a single row. A release never changes, so
that each batch can ask for the rows after the last one, without a cursor that would keep a transaction open.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from django.db import connection

from geo.errors import Conflict
from layers.models import Feature, Release
from layers.writing.columns import NAME, Column
from layers.writing.formats import Shape

FIRST_ROWS: Final = 1_024
MOST_ROWS: Final = 8_192
WANTED_BYTES: Final = 8 << 20
MOST_BYTES: Final = 32 << 20
"""Of a batch, without its last row."""


@dataclass(frozen=True, slots=True, eq=False)
class Raw:
    """Some rows: texts as the database has them, null where there is no value."""

    texts: list[pa.Array]
    shapes: pa.Array
    n_bytes: int

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.shapes)


def raw_batches(
    release: Release, columns: Sequence[Column], shape: Shape = "wkb", *, is_multi: bool = False
) -> Iterator[Raw]:
    """Give the rows of a release in their order.

    Parameters
    ----------
    columns
        Which values.
    shape
        Geometries as well-known binary, or as KML.
    is_multi
        Whether single geometries are made collections of one.

    Raises
    ------
    Conflict
        Where rows are missing at the end, because somebody took the release away meanwhile.
    """
    done, last, wanted = 0, -1, FIRST_ROWS
    while True:
        last, raw = _batch(release, columns, shape, is_multi, last, wanted)
        if raw is None:
            break
        done += len(raw)
        yield raw
        fitting = WANTED_BYTES * len(raw) // max(raw.n_bytes, 1)
        wanted = max(1, min(MOST_ROWS, wanted * 4, fitting))
    if done != release.row_count:
        raise Conflict(
            f"Only {done:,} of {release.row_count:,} rows are there.",
            code="release_incomplete",
            where=str(release),
            remedy="Ask again; if it stays so, tell the administrator.",
            details={"done": done, "of": release.row_count},
        )


_TABLE: Final = Feature._meta.db_table
_SHAPES: Final = {"wkb": "ST_AsBinary({geometry}, 'NDR')", "kml": "convert_to(ST_AsKML({geometry}, 15), 'UTF8')"}


def _statement(n: int, shape: Shape, is_multi: bool) -> str:
    """Return the statement of one batch for a number of values; the values themselves are parameters of their own."""
    geometry = _SHAPES[shape].format(geometry="ST_Multi(geometry)" if is_multi else "geometry")
    values = "".join(f", %s AS v{i}" for i in range(n))
    weight = "".join(f" + coalesce(octet_length(v{i}), 0)" for i in range(n))
    joined = "".join(
        f", string_agg(v{i}, ''), string_agg(int4send(coalesce(octet_length(v{i}), -1)), ''::bytea)" for i in range(n)
    )
    return f"""
    COPY (
        SELECT count(*), max(number), string_agg(shape, ''::bytea), string_agg(int4send(octet_length(shape)), ''::bytea){joined}
        FROM (
            SELECT *, sum(octet_length(shape){weight}) OVER (ORDER BY number ROWS UNBOUNDED PRECEDING)
                      - octet_length(shape){weight} AS before
            FROM (
                SELECT number, {geometry} AS shape{values}
                FROM {_TABLE}
                WHERE release_id = %%s AND shelf = %%s AND number > %%s ORDER BY number LIMIT %%s
            ) AS next_rows
        ) AS weighed WHERE before < {MOST_BYTES}
    ) TO STDOUT (FORMAT BINARY)
    """  # noqa: S608 - nothing in it comes from outside


def _batch(
    release: Release, columns: Sequence[Column], shape: Shape, is_multi: bool, last: int, rows: int
) -> tuple[int, Raw | None]:
    value = {True: "nullif(name, '')", False: "attributes ->> %s"}
    values = tuple(value[column.key == NAME] for column in columns)
    keys = [column.key for column in columns if column.key != NAME]
    text = _statement(len(columns), shape, is_multi) % values
    with connection.cursor() as cursor:
        composed = connection.ops.compose_sql(text, [*keys, release.pk, release.shelf, last, rows])  # type: ignore[attr-defined]
        with cursor.copy(composed) as copy:
            answer = b"".join(bytes(part) for part in copy)
    count, top, *parts = _fields(answer)
    if count is None or not int.from_bytes(count, "big"):
        return last, None
    shapes = _column(parts[0], parts[1], pa.binary())
    texts = [_column(parts[2 + 2 * i], parts[3 + 2 * i], pa.string()) for i in range(len(columns))]
    return int.from_bytes(top or b"", "big"), Raw(texts, shapes, len(answer))


_HEAD_BYTES: Final = 19
"""What PostgreSQL's binary COPY begins with: its signature, flags, and the length of an extension."""


def _fields(answer: bytes) -> list[memoryview | None]:
    """Return the fields of the only row of a binary COPY."""
    whole = memoryview(answer)
    (n,) = struct.unpack_from("!h", answer, _HEAD_BYTES)
    at = _HEAD_BYTES + 2
    found: list[memoryview | None] = []
    for _ in range(n):
        (length,) = struct.unpack_from("!i", answer, at)
        at += 4
        found.append(None if length < 0 else whole[at : at + length])
        at += max(length, 0)
    return found


def _column(joined: memoryview | None, lengths: memoryview | None, kind: pa.DataType) -> pa.Array:
    """Return the Arrow column of values that stand behind one another; a length of −1 is null."""
    length = np.frombuffer(lengths or b"", dtype=">i4").astype(np.int32)
    is_null = length < 0
    offsets = np.zeros(len(length) + 1, dtype=np.int32)
    np.cumsum(np.maximum(length, 0), out=offsets[1:])
    valid = pa.py_buffer(np.packbits(~is_null, bitorder="little").tobytes()) if is_null.any() else None
    return pa.Array.from_buffers(kind, len(length), [valid, pa.py_buffer(offsets), pa.py_buffer(joined or b"")])

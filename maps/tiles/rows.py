"""Features as the database tells them for a tile: column by column, each as one value, so that no row costs anything of its own."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import shapely
from django.db import connection
from django.db.models import Model
from numpy.typing import NDArray

from geo.db import sql
from layers.models import Feature, Service, Supply
from maps.tiles.encoding import Integers

FEATURE_ATTRIBUTES: Final = ("class", "kind", "width_m", "floors", "name_fa", "name_en", "capacity")
"""The attributes that tiles carry, where a layer has them: what a map needs to draw and name things, and nothing about people."""

_TEXTS: Final = ("text", "date", "datetime")
_PLAIN: Final = (*_TEXTS, "integer", "number", "boolean")
"""Types of fields whose values are all of one kind: they need not be told as JSON, which takes PostgreSQL longer."""

_SEPARATOR: Final = b"\x1f"
_COPY_HEADER_BYTES: Final = 19
_NO_INTEGERS: Final = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Column:
    """An attribute of features: of each its value, as a text or as JSON; empty where it has none."""

    values: list[bytes]
    is_json: bool


@dataclass(frozen=True, slots=True)
class Rows:
    """Features, in the order in which they were found.

    Attributes
    ----------
    numbers : (n,) int64
        Of the rows.
    attributes : dict
        Those of the layer that tiles carry.
    services : Column, optional
        The codes, each between commas; None where the layer supplies none.
    wkb : uint8
        Well-known binary, little endian, of all features one after the other.
    ends : (n,) int64
        Where each ends.
    """

    numbers: Integers
    attributes: Mapping[str, Column]
    services: Column | None
    wkb: NDArray[np.uint8]
    ends: Integers
    _names: bytes
    _name_ends: Integers

    def __len__(self) -> int:
        return len(self.numbers)

    def names(self, positions: Integers) -> list[bytes]:
        """Return the names of some of the features."""
        return _cut(self._names, self._name_ends, positions)

    def geometries(self, positions: Integers) -> NDArray[np.object_]:
        """Return some of the features' geometries."""
        return np.asarray(
            shapely.from_wkb([bytes(part) for part in _cut(self.wkb.data, self.ends, positions)]), dtype=object
        )


NO_ROWS: Final = Rows(_NO_INTEGERS, {}, None, np.empty(0, dtype=np.uint8), _NO_INTEGERS, b"", _NO_INTEGERS)


def _cut(data: Any, ends: Integers, positions: Integers) -> list[Any]:
    starts = np.concatenate([[0], ends[:-1]])
    return [data[a:b] for a, b in zip(starts[positions].tolist(), ends[positions].tolist(), strict=True)]


def rows_read(types: Mapping[str, str], values: Mapping[str, Any]) -> Rows:
    """Read the features whose box overlaps a rectangle.

    Parameters
    ----------
    types : mapping
        Those of `FEATURE_ATTRIBUTES` that the layer has, with their types; others are not looked for.
    values : mapping
        The other values of ``tile_features.sql``.
    """
    told = dict(values)
    for i, name in enumerate(FEATURE_ATTRIBUTES):
        told |= {f"attribute_{i}": name if name in types else None, f"is_plain_{i}": types.get(name) in _PLAIN}
    tables = {"feature": Feature, "supply": Supply, "service": Service}
    columns = columns_read("tile_features", told, tables)
    numbers, name_lengths, names, *texts, lengths, wkb = columns
    found = _integers(numbers)
    *lists, services = [text.split(_SEPARATOR) if text is not None else [] for text in texts]
    if any(len(values) not in (0, len(found)) for values in lists):  # a text holds the separator itself
        return rows_read(dict.fromkeys(types, "object"), values)
    return Rows(
        numbers=found,
        attributes={
            name: Column(values, is_json=types[name] not in _TEXTS)
            for name, values in zip(FEATURE_ATTRIBUTES, lists, strict=True)
            if values
        },
        services=Column(services, is_json=False) if services else None,
        wkb=np.frombuffer(wkb or b"", dtype=np.uint8),
        ends=np.cumsum(_integers(lengths)),
        _names=names or b"",
        _name_ends=np.cumsum(_integers(name_lengths)),
    )


def columns_read(name: str, values: Mapping[str, Any], tables: Mapping[str, type[Model]]) -> list[bytes | None]:
    """Run a statement that copies out one row, and return its values as PostgreSQL sends them in binary; None for NULL.

    Parameters
    ----------
    name : str
        Stem of the file in ``maps/sql``.
    """
    with connection.cursor() as cursor, cursor.copy(cursor.mogrify(_statement(name, **tables), values)) as copy:
        copied = b"".join(copy)
    (n,) = struct.unpack_from(">h", copied, _COPY_HEADER_BYTES)
    at = _COPY_HEADER_BYTES + 2
    found: list[bytes | None] = []
    for _ in range(n):
        (length,) = struct.unpack_from(">i", copied, at)
        at += 4
        found.append(copied[at : at + length] if length >= 0 else None)
        at += max(length, 0)
    return found


@cache
def _statement(name: str, **tables: type[Model]) -> str:
    attributes = [sql.compose("maps", "tile_attribute", numbers={"n": n}) for n in range(len(FEATURE_ATTRIBUTES))]
    with connection.cursor() as cursor:
        return sql.compose("maps", name, tables, lists={"attributes": attributes}).as_string(cursor.connection)


def _integers(column: bytes | None) -> Integers:
    return np.frombuffer(column, dtype=">i4").astype(np.int64) if column else _NO_INTEGERS

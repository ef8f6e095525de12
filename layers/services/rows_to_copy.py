"""Rows as PostgreSQL's binary COPY takes them, made in threads of their own while the rows before are being written.

GDAL, GEOS, hashing and the database's driver all let other threads run meanwhile, so that reading and checking a file
takes the time of the slower of the two, not of both.
"""

from __future__ import annotations

import hashlib
import json
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from json.encoder import encode_basestring
from typing import Any, Final, Generic, Protocol, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from layers.reading.plan import Json, Rows

Item = TypeVar("Item")

COLUMNS: Final = ("release_id", "number", "shelf", "name", "geometry", "attributes")
#: A release of so many rows has a table of its own.
OWN_SHELF_ROWS: Final = 20_000
_WAITING_BATCHES: Final = 1
_NAME_CHARACTERS: Final = 300
# The beginning of a row, up to its name: for each value its size comes first, in network order.
_HEAD: Final = np.dtype([
    ("values", ">i2"), ("key_size", ">i4"), ("key", ">i8"), ("number_size", ">i4"), ("number", ">i4"),
    ("shelf_size", ">i4"), ("shelf", ">i8"), ("name_size", ">i4"),
])  # fmt: skip
_JSONB: Final = np.dtype([("size", ">i4"), ("version", "i1")])
_JSONB_VERSION: Final = 1
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_LOOK_S: Final = 0.2
_ESCAPED: Final = np.isin(np.arange(256), [*range(0x20), *b'"\\'])
"""Of each byte, whether it cannot stand in a text of JSON as it is; those of longer characters all can."""


class Batches(Protocol):
    """Where rows come from."""

    @property
    def count(self) -> int:
        """How many there will be, -1 if nobody knows."""
        ...

    @property
    def has_errors(self) -> bool:
        """Whether an error was found so far, so that nothing will be stored."""
        ...

    def batches(self) -> Iterator[Rows]:
        """Give them."""
        ...


class ContentHash:
    """A hash of rows: the same for the same rows in the same order, in whatever batches they come."""

    def __init__(self) -> None:
        self._geometries, self._names, self._attributes = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()

    def add(self, geometries: pa.Array, names: pa.Array, attributes: pa.Array) -> None:
        """Add rows: shapes in well-known binary and attributes in JSON, both of which say where they end; and names."""
        self._geometries.update(_bytes_of(geometries))
        self._names.update(_bytes_of(pc.binary_join_element_wise(names, b"\x1e", b"")))
        self._attributes.update(_bytes_of(attributes))

    def hexdigest(self) -> str:
        """Give the hash of all rows added so far."""
        parts = (self._geometries, self._names, self._attributes)
        return hashlib.sha256(b"".join(part.digest() for part in parts)).hexdigest()


class _Ahead(Generic[Item]):
    """What an iterator gives, fetched by a thread of its own while what came before is being used."""

    def __init__(self, items: Iterator[Item], name: str) -> None:
        self._items = items
        self._queue: queue.Queue[tuple[Item] | BaseException | None] = queue.Queue(_WAITING_BATCHES)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Item]:
        """Give the items as they come; an error of the thread is raised here."""
        while (found := self._next()) is not None:
            if isinstance(found, BaseException):
                raise found
            yield found[0]

    def _next(self) -> tuple[Item] | BaseException | None:
        while not self._is_over.is_set():
            try:
                return self._queue.get(timeout=_LOOK_S)
            except queue.Empty:
                continue
        return None

    def close(self) -> None:
        """Stop the thread, and wait until it has."""
        self._is_over.set()
        while self._thread.is_alive():
            while not self._queue.empty():
                self._queue.get_nowait()
            self._thread.join(_LOOK_S)

    def _run(self) -> None:
        try:
            for item in self._items:
                if not self._put((item,)):
                    return
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is raised where it is waited for
            self._put(error)
        else:
            self._put(None)

    def _put(self, found: tuple[Item] | BaseException | None) -> bool:
        while not self._is_over.is_set():
            try:
                self._queue.put(found, timeout=_LOOK_S)
            except queue.Full:
                continue
            return True
        return False


class Stored:
    """The rows of a release on their way into the database: one thread reads and checks, one packs, and the caller writes.

    Attributes
    ----------
    shelf
        Which part of the table they go to, once `settle` has returned.
    done
        Rows handed over so far.
    """

    def __init__(self, rows: Batches, release_id: int) -> None:
        self._count, self._release_id = rows.count, release_id
        self._content = ContentHash()
        self._first: list[Rows] = []
        self._read = _Ahead(_sound(rows), "rows read")
        self._batches = iter(self._read)
        self._packed: _Ahead[tuple[int, memoryview]] | None = None
        self.shelf = 0
        self.done = 0

    def settle(self) -> int:
        """Return the shelf once it is known whether there are many rows."""
        n = self._count
        while n < OWN_SHELF_ROWS and (rows := next(self._batches, None)) is not None:
            self._first.append(rows)
            n = sum(map(len, self._first))
        self.shelf = self._release_id if n >= OWN_SHELF_ROWS else 0
        return self.shelf

    def chunks(self) -> Iterator[memoryview]:
        """Give the rows as they come; an error of a thread is raised here."""
        self._packed = _Ahead(self._pack(), "rows packed")
        for n, chunk in self._packed:
            self.done += n
            yield chunk

    def close(self) -> None:
        """Stop reading and packing, and wait until both have."""
        self._read.close()
        if self._packed is not None:
            self._packed.close()

    @property
    def content_hash(self) -> str:
        """Of all rows handed over: the same for the same rows, however they came."""
        return self._content.hexdigest()

    def _pack(self) -> Iterator[tuple[int, memoryview]]:
        while self._first:
            rows = self._first.pop(0)
            yield len(rows), packed(rows, self._release_id, self.shelf, self._content)
        for rows in self._batches:
            yield len(rows), packed(rows, self._release_id, self.shelf, self._content)


def _sound(rows: Batches) -> Iterator[Rows]:
    """Give the batches until an error was found; the rest is read for its problems only."""
    for batch in rows.batches():
        if len(batch) and not rows.has_errors:
            yield batch


def packed(rows: Rows, release_id: int, shelf: int, content: ContentHash) -> memoryview:
    """Give rows in the binary form of COPY for `COLUMNS`, and add them to the hash of the content.

    The geometries go without their reference system, which is that of the column.
    """
    geometries = _binary(rows.wkb if rows.wkb is not None else shapely.to_wkb(rows.geometries_4326, byte_order=1))
    attributes = _binary(attribute_texts(rows))
    names = _binary(rows.names)
    content.add(geometries, names, attributes)
    if pc.max(pc.binary_length(names)).as_py() > _NAME_CHARACTERS:
        names = _binary([name[:_NAME_CHARACTERS] for name in rows.names])
    heads = np.empty(len(rows), dtype=_HEAD)
    heads["values"], heads["key_size"], heads["key"] = len(COLUMNS), 8, release_id
    heads["number_size"], heads["number"] = 4, rows.numbers
    heads["shelf_size"], heads["shelf"] = 8, shelf
    heads["name_size"] = _sizes(names)
    jsonb = np.empty(len(rows), dtype=_JSONB)
    jsonb["size"], jsonb["version"] = _sizes(attributes) + 1, _JSONB_VERSION
    pieces = (_each(heads), names, _each(_sizes(geometries).astype(">i4")), geometries, _each(jsonb), attributes)
    return _bytes_of(pc.binary_join_element_wise(*pieces, b""))


def _binary(values: Any) -> pa.Array:
    """Give texts or bytes as an array that Arrow puts together: of a batch, which is far smaller than the 2 GB it may hold."""
    found = values if isinstance(values, pa.Array) else pa.array(values)
    return found.cast(pa.binary())


def _sizes(values: pa.Array) -> NDArray[np.int64]:
    return np.asarray(pc.binary_length(values), dtype=np.int64)


def _each(values: NDArray[Any]) -> pa.Array:
    """Give the bytes of each item of an array."""
    whole = pa.Array.from_buffers(pa.binary(values.dtype.itemsize), len(values), [None, pa.py_buffer(values)])
    return whole.cast(pa.binary())


def _bytes_of(values: pa.Array) -> memoryview:
    """Give the bytes of all items, one after the other."""
    _, offsets, data = values.buffers()
    if data is None:
        return memoryview(b"")
    at = np.frombuffer(offsets, dtype=np.int32)[values.offset : values.offset + len(values) + 1]
    return memoryview(data)[int(at[0]) : int(at[-1])]


def attribute_texts(rows: Rows) -> pa.Array:
    """Give each row's attributes as JSON text, keys in order; what is null is left out. Made column by column."""
    if not rows.columns:
        return pa.array(["{}"] * len(rows), pa.string())
    members = [_members(name, rows.columns[name]) for name in sorted(rows.columns)]
    # Each member begins with a comma; the first one's is not wanted.
    listed = pc.binary_join_element_wise("{", *members, "").cast(pa.binary())
    return pc.binary_join_element_wise(pc.binary_replace_slice(listed, 1, 2, b""), b"}", b"").cast(pa.string())


def _members(name: str, values: list[Json]) -> pa.Array:
    """Give a column's members of the rows' objects, empty where there is no value."""
    kinds = set(map(type, values))
    is_full = type(None) not in kinds
    kinds.discard(type(None))
    key = "," + encode_basestring(name) + ":"
    kind = kinds.pop() if len(kinds) == 1 else None
    # Arrow's joining goes astray over nulls (26.0), so that none is given to it.
    texts = None
    if kind is not None and kind in _PLAIN:
        texts = _PLAIN[kind](values if is_full else [kind() if value is None else value for value in values])
    if texts is None:
        texts = pa.array(["" if value is None else _ENCODER.encode(value) for value in values], pa.string())
    members = pc.binary_join_element_wise(key, texts, "")
    return members if is_full else pc.if_else(pa.array([value is not None for value in values]), members, "")


def _plain_integers(values: list[Json]) -> pa.Array | None:
    try:
        return pc.cast(pa.array(values, pa.int64()), pa.string())
    except (OverflowError, pa.ArrowInvalid):
        return None


def _plain_numbers(values: list[Json]) -> pa.Array | None:
    """Write floats as Python does, where neither it nor Arrow writes an exponent; Arrow leaves the point out of whole ones."""
    numbers = np.array(values, dtype=np.float64)
    sizes = np.abs(numbers)
    if ((sizes >= 1e15) | ((sizes < 1e-4) & (sizes > 0))).any():
        return None
    texts = pc.cast(pa.array(numbers), pa.string())
    if pc.any(pc.match_substring(texts, "e")).as_py():
        return None
    return pc.if_else(pc.match_substring(texts, "."), texts, pc.binary_join_element_wise(texts, ".0", ""))


def _plain_texts(values: list[Json]) -> pa.Array | None:
    texts = pa.array(values, pa.string())
    if _ESCAPED[np.frombuffer(_bytes_of(texts), dtype=np.uint8)].any():
        return None
    return pc.binary_join_element_wise('"', texts, '"', "")


_PLAIN: Final[Mapping[Any, Callable[[list[Json]], pa.Array | None]]] = {
    int: _plain_integers, float: _plain_numbers, str: _plain_texts,
}  # fmt: skip
"""How values of one kind become JSON all at once; None where some are not so simple."""

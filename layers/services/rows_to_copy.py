"""Rows as PostgreSQL's binary COPY takes them, made in threads of their own while the rows before are being written.

GDAL, GEOS, hashing and the database's driver all let other threads run meanwhile, so that reading and checking a file
takes the time of the slower of the two, not of both.
"""

from __future__ import annotations

import hashlib
import json
import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from json.encoder import encode_basestring
from typing import Any, Final, Generic, Protocol, TypeVar

import numpy as np
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
# 0.0 and -0.0 are one key of a dictionary and two numbers, so that floats with a zero are said one by one.
_SAY: Final[Mapping[type, Callable[[Any], str]]] = {int: int.__repr__, float: float.__repr__, str: encode_basestring}


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

    def add(self, geometries: Sequence[bytes], names: Sequence[bytes], attributes: Sequence[bytes]) -> None:
        """Add rows: shapes in well-known binary and attributes in JSON, both of which say where they end; and names."""
        self._geometries.update(b"".join(geometries))
        self._names.update(b"\x1e".join([*names, b""]))
        self._attributes.update(b"".join(attributes))

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
        self._packed: _Ahead[tuple[int, bytes]] | None = None
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

    def chunks(self) -> Iterator[bytes]:
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

    def _pack(self) -> Iterator[tuple[int, bytes]]:
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


def packed(rows: Rows, release_id: int, shelf: int, content: ContentHash) -> bytes:
    """Give rows in the binary form of COPY for `COLUMNS`, and add them to the hash of the content.

    The geometries go without their reference system, which is that of the column.
    """
    geometries: list[bytes] = shapely.to_wkb(rows.geometries_4326, byte_order=1).tolist()
    attributes = _encoded(attribute_texts(rows))
    names = _encoded(rows.names)
    sizes = np.fromiter(map(len, geometries), dtype=np.int64, count=len(geometries))
    content.add(geometries, names, attributes)
    names = [name if len(name) <= _NAME_CHARACTERS else name.decode()[:_NAME_CHARACTERS].encode() for name in names]
    heads = np.empty(len(rows), dtype=_HEAD)
    heads["values"], heads["key_size"], heads["key"] = len(COLUMNS), 8, release_id
    heads["number_size"], heads["number"] = 4, rows.numbers
    heads["shelf_size"], heads["shelf"] = 8, shelf
    heads["name_size"] = np.fromiter(map(len, names), dtype=np.int64, count=len(names))
    jsonb = np.empty(len(rows), dtype=_JSONB)
    jsonb["size"] = np.fromiter(map(len, attributes), dtype=np.int64, count=len(attributes)) + 1
    jsonb["version"] = _JSONB_VERSION
    pieces = zip(_each(heads), names, _each(sizes.astype(">i4")), geometries, _each(jsonb), attributes, strict=True)
    return b"".join(chain.from_iterable(pieces))


def _each(values: NDArray[Any]) -> list[bytes]:
    """Give the bytes of each item of an array."""
    parts: list[bytes] = values.view(f"V{values.dtype.itemsize}").tolist()
    return parts


def _encoded(texts: Sequence[str]) -> list[bytes]:
    """Encode many short texts at once."""
    joined = "\x1e".join(texts)
    if joined.count("\x1e") != len(texts) - 1:  # one has the separator in it
        return [text.encode() for text in texts]
    return joined.encode().split(b"\x1e")


def attribute_texts(rows: Rows) -> list[str]:
    """Give each row's attributes as JSON text, keys in order; what is null is left out.

    Made column by column: a text that comes again is put into quotation marks once.
    """
    if not rows.columns:
        return ["{}"] * len(rows)
    columns = [_texts(name, rows.columns[name]) for name in sorted(rows.columns)]
    if all(is_full for _, is_full in columns):
        return ["{" + ",".join(texts) + "}" for texts in zip(*(texts for texts, _ in columns), strict=True)]
    return ["{" + ",".join(filter(None, texts)) + "}" for texts in zip(*(texts for texts, _ in columns), strict=True)]


def _texts(name: str, values: list[Json]) -> tuple[list[str], bool]:
    """Give a column's members of the rows' objects, empty where there is no value; and whether all have one."""
    key = encode_basestring(name) + ":"
    kinds = set(map(type, values))
    is_full = type(None) not in kinds
    kinds.discard(type(None))
    encode = _ENCODER.encode
    if len(kinds) == 1 and (say := _SAY.get(next(iter(kinds)))):
        texts = {value: key + say(value) if value is not None else "" for value in set(values)}
        if kinds == {float} and 0.0 in texts:
            return [key + say(value) if value is not None else "" for value in values], is_full
        return [texts[value] for value in values], is_full
    known: dict[tuple[type, Json], str] = {(type(None), None): ""}
    if kinds & {list, dict}:
        return [key + encode(value) if value is not None else "" for value in values], is_full
    for value in values:
        if (type(value), value) not in known:
            known[type(value), value] = key + encode(value)
    return [known[type(value), value] for value in values], is_full

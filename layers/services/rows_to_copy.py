"""Rows as PostgreSQL's binary COPY takes them, made in a thread of their own while the rows before are being written.

GDAL, GEOS, hashing and the database's driver all let other threads run meanwhile, so that reading and checking a file
takes the time of the slower of the two, not of both.
"""

from __future__ import annotations

import hashlib
import json
import queue
import struct
import threading
from binascii import hexlify
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, repeat
from json.encoder import encode_basestring
from typing import Any, Final, Protocol

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.core.crs import STORAGE_EPSG
from layers.reading.plan import Json, Rows

COLUMNS: Final = ("release_id", "number", "shelf", "name", "geometry", "attributes")
#: A release of so many rows has a table of its own.
OWN_SHELF_ROWS: Final = 20_000
_WAITING_BATCHES: Final = 2
_NAME_CHARACTERS: Final = 300
# The beginning of a row, up to its name: for each value its size comes first, in network order.
_HEAD: Final = np.dtype([
    ("values", ">i2"), ("key_size", ">i4"), ("key", ">i8"), ("number_size", ">i4"), ("number", ">i4"),
    ("shelf_size", ">i4"), ("shelf", ">i8"), ("name_size", ">i4"),
])  # fmt: skip
_JSONB: Final = np.dtype([("size", ">i4"), ("version", "i1")])
_JSONB_VERSION: Final = 1
# Of a geometry in well-known binary of little-endian order, what follows its type if that says its reference system.
_SRID_HEX: Final = b"20" + hexlify(struct.pack("<i", STORAGE_EPSG)).upper()
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


class Stored:
    """The rows of a release on their way into the database.

    Attributes
    ----------
    shelf
        Which part of the table they go to, once `settle` has returned.
    done
        Rows handed over so far.
    """

    def __init__(self, rows: Batches, release_id: int) -> None:
        self._rows, self._release_id = rows, release_id
        self._digest = hashlib.sha256()
        self._queue: queue.Queue[tuple[int, bytes] | BaseException | int | None] = queue.Queue(_WAITING_BATCHES)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._produce, name="rows to copy", daemon=True)
        self.shelf = 0
        self.done = 0

    def settle(self) -> int:
        """Start reading; return the shelf once it is known whether there are many rows."""
        self._thread.start()
        first = self._next()
        self.shelf = first if isinstance(first, int) else 0
        return self.shelf

    def chunks(self) -> Iterator[bytes]:
        """Give the rows as they come; an error of the reading thread is raised here."""
        while (item := self._next()) is not None:
            if isinstance(item, tuple):
                self.done += item[0]
                yield item[1]

    def close(self) -> None:
        """Stop reading, and wait until it has."""
        self._is_over.set()
        while self._thread.is_alive():
            while not self._queue.empty():
                self._queue.get_nowait()
            self._thread.join(_LOOK_S)

    @property
    def content_hash(self) -> str:
        """Of all rows handed over: the same for the same rows, however they came."""
        return self._digest.hexdigest()

    def _next(self) -> tuple[int, bytes] | int | None:
        item = self._queue.get()
        if isinstance(item, BaseException):
            raise item
        return item

    def _put(self, item: tuple[int, bytes] | BaseException | int | None) -> bool:
        while not self._is_over.is_set():
            try:
                self._queue.put(item, timeout=_LOOK_S)
            except queue.Full:
                continue
            return True
        return False

    def _produce(self) -> None:
        try:
            self._read()
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is raised where it is waited for
            self._put(error)
        else:
            self._put(None)

    def _read(self) -> None:
        waiting: list[Rows] = []
        shelf: int | None = self._release_id if self._rows.count >= OWN_SHELF_ROWS else None
        if shelf is not None and not self._put(shelf):
            return
        for rows in self._rows.batches():
            if self._is_over.is_set():
                return
            if self._rows.has_errors:
                waiting.clear()  # the rest is read for its problems only
                continue
            waiting.append(rows)
            if shelf is None and sum(map(len, waiting)) >= OWN_SHELF_ROWS:
                shelf = self._release_id
                self._put(shelf)
            if shelf is not None and not self._hand_over(waiting, shelf):
                return
        if shelf is None:
            self._put(0)
        self._hand_over(waiting, shelf or 0)

    def _hand_over(self, waiting: list[Rows], shelf: int) -> bool:
        while waiting:
            rows = waiting.pop(0)
            if len(rows) and not self._put((len(rows), packed(rows, self._release_id, shelf, self._digest))):
                return False
        return True


def packed(rows: Rows, release_id: int, shelf: int, digest: hashlib._Hash) -> bytes:
    """Give rows in the binary form of COPY for `COLUMNS`, and add them to the hash of the content.

    The geometries go without their reference system, which is that of the column; the hash is of geometries with it.
    """
    geometries: list[bytes] = shapely.to_wkb(rows.geometries_4326, byte_order=1).tolist()
    attributes = _encoded(attribute_texts(rows))
    names = _encoded(rows.names)
    sizes = np.fromiter(map(len, geometries), dtype=np.int64, count=len(geometries))
    said = hexlify(b"".join(geometries)).upper()
    ends = 2 * np.cumsum(sizes)
    starts = (ends - 2 * sizes).tolist()
    firsts = [said[start : start + 8] for start in starts]
    rests = [said[start + 10 : end] for start, end in zip(starts, ends.tolist(), strict=True)]
    content = zip(
        firsts, repeat(_SRID_HEX), rests, repeat(b"\x1f"), names, repeat(b"\x1f"), attributes, repeat(b"\x1e")
    )  # fmt: skip
    digest.update(b"".join(chain.from_iterable(content)))
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

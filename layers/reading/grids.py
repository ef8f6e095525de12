"""Rasters in other files than GeoTIFF: what must hold of each before GDAL reads it.

GDAL believes the headers of these formats: what a short file lacks becomes zeros, and a word among the numbers becomes
one too. An Imagine file can say that its pixels lie in another file. So each is gone through here first.
"""

import math
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from layers.reading.limits import Limits
from layers.reading.plan import RefusedError

_HEADER_BYTES: Final = 65_536
_CHUNK_BYTES: Final = 1 << 20


def cut_off(message: str, row: int | None = None) -> RefusedError:
    """Give the refusal of a raster that is not whole."""
    return RefusedError("broken_file", message, "Copy or upload it again; it may be cut off.", row=row)


# ESRI ASCII grid

_GRID_HEAD: Final = re.compile(rb"\s*(ncols|nrows)\s+\d", re.IGNORECASE)
_GRID_LINE: Final = re.compile(rb"\s*([A-Za-z_]+)\s+(\S+)\s*")
_NUMBERS: Final = b"0123456789+-.eE \t\r\n"
_NO_NUMBERS: Final = re.compile(rb"[-+]?(?:nan|inf|infinity|1\.#qnan|1\.#ind|1\.#inf)", re.IGNORECASE)


def is_text_grid(head: bytes) -> bool:
    """Say whether a file that begins so is an ESRI ASCII grid."""
    return _GRID_HEAD.match(head) is not None


def require_whole_text_grid(path: Path, limits: Limits) -> None:
    """Refuse an ESRI ASCII grid that holds other than the numbers its header announces.

    Raises
    ------
    RefusedError
        Naming the line of a word, or how many numbers there are.
    """
    with path.open("rb") as file:
        said: dict[bytes, bytes] = {}
        lines = 0
        start = 0
        while (found := _GRID_LINE.fullmatch(line := file.readline(_HEADER_BYTES))) and not _NO_NUMBERS.match(line):
            said[found[1].lower()] = found[2]
            lines, start = lines + 1, file.tell()
        columns, rows = (
            int(text) if (text := said.get(key, b"")[:12]).isdigit() else 0 for key in (b"ncols", b"nrows")
        )
        if not (columns and rows):
            raise cut_off("The ASCII grid does not say how many columns and rows it has (ncols, nrows).")
        require_few_pixels(columns, rows, limits)
        file.seek(start)
        numbers = _numbers_in(file, lines)
    if numbers != columns * rows:
        raise cut_off(
            f"The ASCII grid announces {columns:,} × {rows:,} = {columns * rows:,} numbers and holds {numbers:,}.",
            row=1 + numbers // columns if numbers < columns * rows else None,
        )


def _numbers_in(file: IO[bytes], lines: int) -> int:
    """Count the numbers up to the end of a file, of which so many lines are read."""
    numbers, rest = 0, b""
    while chunk := file.read(_CHUNK_BYTES):
        text = rest + chunk
        end = max(text.rfind(b" "), text.rfind(b"\n"), text.rfind(b"\t"), text.rfind(b"\r")) + 1
        text, rest = text[:end], text[end:]
        if len(rest) > _HEADER_BYTES:
            raise _word(rest, lines)
        numbers += _counted(text, lines)
        lines += text.count(b"\n")
    return numbers + _counted(rest, lines)


def _counted(text: bytes, lines: int) -> int:
    words = text.split()
    if text.translate(None, _NUMBERS):
        for word in words:
            if word.translate(None, _NUMBERS) and not _NO_NUMBERS.fullmatch(word):
                raise _word(word, lines + text[: text.find(word)].count(b"\n"))
    return len(words)


def _word(word: bytes, lines: int) -> RefusedError:
    shown = word[:40].decode("ascii", errors="replace")
    return RefusedError(
        "broken_file",
        f"Line {lines + 1:,} of the ASCII grid holds '{shown}', which is not a number.",
        "Export it again, with a point before the decimals.",
    )


def require_few_pixels(columns: int, rows: int, limits: Limits) -> None:
    """Refuse a raster with more pixels than are read.

    Raises
    ------
    RefusedError
        Naming how many there are.
    """
    if columns * rows > limits.pixels:
        raise RefusedError(
            "raster_too_large",
            f"The raster has {columns:,} × {rows:,} = {columns * rows:,} pixels, more than {limits.pixels:,}.",
            "Cut it to the city (gdalwarp -te), or make its pixels larger.",
        )


# Points on a grid

_POINT: Final = re.compile(
    rb"\s*[-+]?[\d.]+(?:[eE][-+]?\d+)?(?:[ \t]+|[ \t]*[,;][ \t]*)[-+]?[\d.]+(?:[eE][-+]?\d+)?"
    rb"(?:[ \t]+|[ \t]*[,;][ \t]*)(?:[-+]?[\d.]+(?:[eE][-+]?\d+)?|nan)\s*",
    re.IGNORECASE,
)
_POINT_HEAD: Final = re.compile(rb"[\s\"']*(?:x|lon|longitude|easting)\b", re.IGNORECASE)


def is_points_on_a_grid(head: bytes) -> bool:
    """Say whether a text begins with lines of x, y and a value, perhaps under a line with their names."""
    lines = head.removeprefix(b"\xef\xbb\xbf").splitlines()[:2]
    return any(_POINT.fullmatch(line) for line in (lines[1:] if lines and _POINT_HEAD.match(lines[0]) else lines[:1]))


# SRTM

_TILE: Final = re.compile(r"([NS]\d{2}[EW]\d{3})\b.*\.hgt", re.IGNORECASE)
_TILE_SIDES: Final = (1201, 3601)


def tile_name(name: str) -> str:
    """Give the name of an SRTM tile, which alone says where it lies, as its driver knows it; empty if it is none.

    Examples
    --------
    >>> tile_name("n33e048.SRTMGL1.hgt"), tile_name("khorramabad.hgt")
    ('N33E048.hgt', '')
    """
    found = _TILE.fullmatch(name)
    return f"{found[1].upper()}.hgt" if found else ""


def is_tile(path: Path) -> bool:
    """Say whether a file is named and as large as an SRTM tile, which has no other mark."""
    return bool(tile_name(path.name)) and path.stat().st_size in {2 * side * side for side in _TILE_SIDES}


# Plain pixels with a header beside them

#: Endings of files of plain pixels, which need a header.
RAW_SUFFIXES: Final = frozenset({".bil", ".bip", ".bsq", ".flt"})
_EHDR: Final = re.compile(r"^\s*nrows\s+\d", re.IGNORECASE | re.MULTILINE)


def header_driver(header: Path) -> str:
    """Give the driver of plain pixels with this header, ``ENVI`` or ``EHdr``; empty if it is neither's."""
    text = _header_text(header)
    if text.lstrip().startswith("ENVI"):
        return "ENVI"
    return "EHdr" if _EHDR.search(text) else ""


def require_whole_raw(path: Path, columns: int, rows: int, bands: int, bits: int) -> None:
    """Refuse a file of plain pixels that is shorter than its header says.

    Raises
    ------
    RefusedError
        Naming the first row of pixels that is not whole.
    """
    text = _header_text(path.with_suffix(".hdr"))

    def number(name: str) -> int:
        found = re.search(rf"^\s*{name}\s*[= ]\s*(\d{{1,15}})\s*$", text, re.IGNORECASE | re.MULTILINE)
        return int(found[1]) if found else 0

    skipped = number("header offset") or number("skipbytes")
    row_bytes = max(math.ceil(columns * bands * (number("nbits") or bits) / 8), number("totalrowbytes"))
    there = path.stat().st_size - skipped
    # The last row need not be filled up.
    if there < row_bytes * (rows - 1) + math.ceil(columns * (number("nbits") or bits) / 8):
        raise cut_off(
            f"The header announces {skipped + row_bytes * rows:,} bytes, and the file has {path.stat().st_size:,}.",
            row=max(0, there) // row_bytes + 1,
        )


def _header_text(header: Path) -> str:
    with header.open("rb") as file:
        return file.read(_HEADER_BYTES).decode("latin-1")


# ERDAS Imagine

IMAGINE: Final = b"EHFA_HEADER_TAG\x00"
_MOST_ENTRIES: Final = 100_000
_ENTRY: Final = struct.Struct("<6I64s32s")
_OUTSIDE: Final = frozenset({"externalrasterdms", "imgexternalraster"})
_NAMING: Final = frozenset({"rrdnameslist", "eimg_rrdnameslist", "dependentfile", "eimg_dependentfile"})


def require_sound_imagine(path: Path) -> None:
    """Refuse an Imagine file that is cut off or leads to others.

    Raises
    ------
    RefusedError
        Saying which.
    """
    size = path.stat().st_size
    with path.open("rb") as file:

        def at(offset: int, count: int) -> bytes:
            file.seek(offset)
            data = file.read(count)
            if len(data) != count:
                raise cut_off("The Imagine file ends within its list of contents.")
            return data

        (head,) = struct.unpack("<I", at(16, 4))
        (root,) = struct.unpack("<I", at(head + 8, 4))
        waiting, seen = [root], {0}
        while waiting:
            here = waiting.pop()
            if here in seen:
                continue
            seen.add(here)
            if len(seen) > _MOST_ENTRIES:
                raise cut_off("The list of contents of the Imagine file does not end.")
            following, _, _, child, data, data_size, name, kind = _ENTRY.unpack(at(here, _ENTRY.size))
            waiting += [following, child]
            words = {text.split(b"\x00")[0].decode("latin-1").strip().lower() for text in (name, kind)}
            if words & _OUTSIDE:
                raise _leads_out()
            if data and data + data_size > size:
                raise cut_off("The Imagine file ends within its contents.")
            if words & _NAMING and set(at(data, min(data_size, _HEADER_BYTES))) & set(b"/\\"):
                raise _leads_out()


def _leads_out() -> RefusedError:
    return RefusedError(
        "unsafe_file",
        "The Imagine file leads to other files, which are not read.",
        "Export it as GeoTIFF, or as an Imagine file of less than 4 GB without pyramids.",
    )


# netCDF

NETCDF: Final = (b"CDF\x01", b"CDF\x02", b"CDF\x05")
_TYPE_BYTES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 4, 6: 8, 7: 1, 8: 2, 9: 4, 10: 8, 11: 8}
_MOST_ITEMS: Final = 10_000


@dataclass(slots=True)
class _NetCdf:
    """The header of a netCDF file in the classic format, read from its beginning."""

    file: IO[bytes]
    version: int
    dims: list[int] = field(default_factory=list)
    records: int = 0

    def number(self, *, is_wide: bool = False) -> int:
        size = 8 if is_wide or self.version == 5 else 4
        return int.from_bytes(self.taken(size), "big")

    def taken(self, size: int) -> bytes:
        if size > 16 * _CHUNK_BYTES:
            raise cut_off("The header of the netCDF file is broken.")
        data = self.file.read(size)
        if len(data) != size:
            raise cut_off("The netCDF file ends within its header.")
        return data

    def items(self) -> Iterator[int]:
        """Give the places of a list, of which the kind and length come first."""
        self.taken(4)
        length = self.number()
        if length > _MOST_ITEMS:
            raise cut_off("The header of the netCDF file is broken.")
        yield from range(length)

    def text(self) -> str:
        length = self.number()
        return self.taken(-(-length // 4) * 4)[:length].decode("utf-8", errors="replace")

    def attributes(self) -> None:
        for _ in self.items():
            self.text()
            size = _TYPE_BYTES.get(int.from_bytes(self.taken(4), "big"), 1)
            self.taken(-(-self.number() * size // 4) * 4)


def require_whole_netcdf(path: Path) -> None:
    """Refuse a netCDF file in the classic format that is shorter than its header says.

    Raises
    ------
    RefusedError
        Naming the variable that is not whole.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = _NetCdf(file, file.read(4)[3])
        records = head.number()
        is_open = records == (1 << (64 if head.version == 5 else 32)) - 1
        for _ in head.items():
            head.text()
            head.dims.append(head.number())
        head.attributes()
        variables = []
        for _ in head.items():
            name = head.text()
            shape = [head.number() for _ in range(min(head.number(), 1024))]
            if any(dim >= len(head.dims) for dim in shape):
                raise cut_off("The header of the netCDF file is broken.")
            head.attributes()
            of_one = _TYPE_BYTES.get(int.from_bytes(head.taken(4), "big"), 1)
            head.number()
            begin = head.number(is_wide=head.version != 1)
            is_record = bool(shape) and head.dims[shape[0]] == 0
            sides = [head.dims[dim] for dim in (shape[1:] if is_record else shape)]
            variables.append((name, begin, math.prod(sides) * of_one, is_record))
    of_records = [length for _, _, length, is_record in variables if is_record]
    step = sum(-(-length // 4) * 4 for length in of_records) if len(of_records) > 1 else sum(of_records)
    for name, begin, length, is_record in variables:
        n = (0 if is_open else records) if is_record else 1
        end = begin + length + (n - 1) * step if n else 0
        if end > size:
            raise cut_off(
                f"The variable '{name[:40]}' of the netCDF file needs {end:,} bytes, and the file has {size:,}."
            )

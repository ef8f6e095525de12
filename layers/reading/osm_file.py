"""OpenStreetMap files before GDAL reads them: whether a .pbf is whole and unpacks to what it should.

A .pbf is a row of blocks, each with its length and the size it unpacks to in front. Each is unpacked once, to see
that it is what it says: GDAL ends at a broken block as if it were the last.
"""

import zlib
from pathlib import Path
from typing import Final

from layers.reading.plan import RefusedError

#: Places of nodes that GDAL keeps in memory; beyond it, in a file without a name in the temporary folder.
MAX_TEMPORARY_MB: Final = 64

# Set by the format: https://wiki.openstreetmap.org/wiki/PBF_Format
_HEADER_BYTES: Final = 64 << 10
_BLOCK_BYTES: Final = 32 << 20
# Real extracts unpack to two or three times their size.
_RATIO: Final = 50
_HARMLESS_BYTES: Final = 10 << 20
_UNPACKED_BYTES: Final = 4 << 30
_REMEDY: Final = "Download or copy it again."


def require_whole_pbf(path: Path) -> None:
    """Refuse a .pbf file that is cut off or unpacks to much more than it should.

    Raises
    ------
    RefusedError
        Naming the block.
    """
    size = path.stat().st_size
    unpacked = block = 0
    with path.open("rb") as file:
        while length := file.read(4):
            block += 1
            header_bytes = int.from_bytes(length, "big")
            if len(length) < 4 or not 0 < header_bytes <= _HEADER_BYTES:
                raise _broken(block, "its header has an impossible length")
            fields = _fields(file.read(header_bytes))
            kind, data_bytes = fields.get(1), fields.get(3)
            if not isinstance(kind, bytes) or not isinstance(data_bytes, int) or not 0 < data_bytes <= 2 * _BLOCK_BYTES:
                raise _broken(block, "its header cannot be read")
            if (block == 1) != (kind == b"OSMHeader") or kind not in (b"OSMHeader", b"OSMData"):
                raise _broken(block, f"it is a {kind[:20]!r}")
            if file.tell() + data_bytes > size:
                raise _broken(block, "the file is cut off")
            unpacked += _unpacked_bytes(file.read(data_bytes), block)
            if unpacked > _UNPACKED_BYTES or (unpacked > _HARMLESS_BYTES and unpacked > _RATIO * size):
                raise _too_large(f"The .pbf file unpacks to more than {unpacked / 1e6:,.0f} MB.")
    if block < 2:
        raise RefusedError("no_rows", "The .pbf file has no data.", _REMEDY)


def _broken(block: int, why: str) -> RefusedError:
    return RefusedError("broken_file", f"The .pbf file is broken at block {block:,}: {why}.", _REMEDY)


def _too_large(message: str) -> RefusedError:
    return RefusedError("archive_too_large", message, "Cut the area of the city out of it, with Osmium for example.")


def _unpacked_bytes(data: bytes, block: int) -> int:
    """Unpack a block and give its size; refuse one that says another, or is packed in a way that is not read."""
    fields = _fields(data)
    plain, said, packed = fields.get(1), fields.get(2), fields.get(3)
    if isinstance(plain, bytes):
        return len(plain)
    if not isinstance(said, int) or not isinstance(packed, bytes):
        raise _broken(block, "it is not packed with zlib, as .pbf files commonly are")
    if said > _BLOCK_BYTES:
        raise _too_large(f"Block {block:,} of the .pbf file unpacks to {said / 1e6:,.0f} MB.")
    unpacker = zlib.decompressobj()
    try:
        found = len(unpacker.decompress(packed, said + 1))
    except zlib.error as error:
        raise _broken(block, "it cannot be unpacked") from error
    if found != said or not unpacker.eof:
        raise _broken(block, f"it does not unpack to the {said:,} bytes it says")
    return found


def _fields(data: bytes) -> dict[int, int | bytes]:
    """Take the few fields of a block's header apart."""
    found: dict[int, int | bytes] = {}
    at = 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while at < len(data) and shift < 70:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
            shift += 7
        return value

    while at < len(data):
        key = number()
        if key & 7 == 0:
            found[key >> 3] = number()
        elif key & 7 == 2:
            length = number()
            found[key >> 3] = data[at : at + length]
            at += length
        else:
            break
    return found

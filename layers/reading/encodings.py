"""How some texts of a file would read in each encoding they may be in: a person sees at once which is right."""

import codecs
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Final

from layers.reading.plan import RefusedError
from layers.reading.request import Facts
from layers.reading.source import Source
from layers.reading.text import codec_of

#: What files brought here are in, the likeliest first.
LIKELY: Final = ("utf-8", "cp1256", "cp1252", "iso8859-6", "cp720")
_TEXTS: Final = 5
_CHARACTERS: Final = 60
_LOOKED_AT_BYTES: Final = 1 << 20
_DBF_BYTES: Final = 4 << 20
_MARKS: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
# Cells of a table, texts of JSON: what stands between the marks that both are put together with.
_PIECE: Final = re.compile(rb"[^,;\t|\"\r\n{}\[\]:]+")


def encoding_samples(source: Source, facts: Facts, asked: str | None) -> dict[str, tuple[str, ...]]:
    """Give the first texts of a file that are not ASCII, in each likely encoding; bytes that are wrong in it as U+FFFD.

    Parameters
    ----------
    source
        The file.
    facts
        What is known of it; an encoding that was found is among those given.
    asked
        The encoding that somebody named.

    Returns
    -------
    dict
        Encoding to texts, not more than five of each, the same ones in the same order. Empty where there is nothing to
        choose: the format fixes the encoding, all text is ASCII, or it is UTF-8 throughout and nobody said otherwise.
    """
    is_plain = facts.encoding == "utf-8" and not facts.is_encoding_guessed and not asked
    try:
        if source.format == "ESRI Shapefile":
            table = source.path.with_suffix(".dbf")
            texts = _some(chain(_dbf_names(table), dbf_texts(table)))
        elif source.format in ("CSV", "GeoJSON") and not is_plain:
            texts = _some(_pieces(source.path))
        else:
            return {}
    except OSError:
        return {}
    if not texts:
        return {}
    names = dict.fromkeys((*LIKELY, *_known(facts.encoding), *_known(asked or "")))
    return {name: tuple(read_as(text, name) for text in texts) for name in names}


def read_as(text: bytes, codec: str) -> str:
    r"""Read bytes in an encoding; a character that a field was too short for is left out at the end.

    Examples
    --------
    >>> read_as("پارک".encode("cp1256"), "cp1256"), read_as(b"\xc7", "utf-8"), read_as(b"a\xff", "utf-8")
    ('پارک', '', 'a�')
    """
    return codecs.getincrementaldecoder(codec)(errors="replace").decode(text)[:_CHARACTERS].strip()


def dbf_texts(dbf: Path) -> Iterator[bytes]:
    """Give different texts of a dBASE table that are not ASCII, up to a few megabytes."""
    with dbf.open("rb") as file:
        header = file.read(32)
        rows, start, length = (
            int.from_bytes(header[4:8], "little"),
            int.from_bytes(header[8:10], "little"),
            int.from_bytes(header[10:12], "little"),
        )
        described = file.read(max(0, start - 32))
        fields, offset = [], 1
        for at in range(0, len(described) - 31, 32):
            if described[at] == 0x0D:
                break
            width = described[at + 16]
            if described[at + 11 : at + 12] in (b"C", b"M"):
                fields.append((offset, offset + width))
            offset += width
        told: set[bytes] = set()
        room = _DBF_BYTES
        step = max(1, (1 << 20) // max(1, length))
        file.seek(start)
        for _ in range(0, rows, step):
            chunk = file.read(step * length)
            if chunk.isascii():
                continue
            for row in range(0, len(chunk) - length + 1, length):
                for first, last in fields:
                    text = chunk[row + first : row + last].rstrip(b" \x00")
                    if not text.isascii() and text not in told:
                        told.add(text)
                        room -= len(text)
                        yield text
                if room < 0:
                    return


def _dbf_names(dbf: Path) -> Iterator[bytes]:
    """Give the names of a dBASE table's fields."""
    with dbf.open("rb") as file:
        start = int.from_bytes(file.read(32)[8:10], "little")
        described = file.read(max(0, start - 32))
    for at in range(0, len(described) - 31, 32):
        if described[at] == 0x0D:
            return
        yield described[at : at + 11].split(b"\x00")[0]


def _pieces(path: Path) -> Iterator[bytes]:
    """Give the texts of the first megabyte of a file of text; none where a mark says its encoding."""
    with path.open("rb") as file:
        data = file.read(_LOOKED_AT_BYTES)
    if data.startswith(_MARKS):
        return
    for found in _PIECE.finditer(data):
        if not (found.end() == len(data) == _LOOKED_AT_BYTES):  # the last may go on
            yield found[0].strip()


def _some(texts: Iterable[bytes]) -> list[bytes]:
    """Take the first different texts that are not ASCII."""
    found: dict[bytes, None] = {}
    for text in texts:
        if not text.isascii():
            found[text] = None
            if len(found) == _TEXTS:
                break
    return list(found)


def _known(encoding: str) -> tuple[str, ...]:
    try:
        return (codec_of(encoding),) if encoding else ()
    except RefusedError:
        return ()

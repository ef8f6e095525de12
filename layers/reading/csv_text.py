"""A table of text on its way to rows: its encoding, its separator, and its cells, a part of the file at a time.

Written by people and spreadsheets: any of four separators, a byte order mark or none, UTF-8 or a Windows code page.
Rows are counted as a spreadsheet shows them: the header is row 1.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

import numpy as np
from numpy.typing import NDArray

from layers.reading.limits import Limits
from layers.reading.plan import Problem, ProblemLog, RefusedError
from layers.reading.text import codec_of, guess_encoding, note_guessed_encoding
from layers.reading.wording import option

_SEPARATORS: Final = ",;\t|"
_BYTE_ORDER_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
# A geometry as text can be long; above this a cell is refused by the reader, whatever its attribute limit.
_CELL_CHARACTERS: Final = 32 << 20
_BATCH_CHARACTERS: Final = 8 << 20
_CHUNK_BYTES: Final = 1 << 20
_GUESS_BYTES: Final = 4 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Some rows of a table as text: column by column, their numbers in the file, which have a wrong length."""

    columns: list[list[str]]
    numbers: NDArray[np.int64]
    ragged: NDArray[np.bool_]


class CsvText:
    """A table of text whose encoding and separator are known.

    Attributes
    ----------
    codec, is_guessed
        Its encoding, and whether that was guessed.
    header
        The cells of the first row.
    decimal_comma
        Whether numbers may have a comma: where it marks the fraction, it cannot separate the cells.

    Raises
    ------
    RefusedError
        On being made, where the text is not in one encoding, or has no header.
    """

    def __init__(self, path: Path, encoding: str | None, limits: Limits, log: ProblemLog) -> None:
        self._path, self._limits, self._log = path, limits, log
        self._codec, self.is_guessed = _codec_of_file(path, encoding, log)
        self.codec = "utf-8" if self._codec == "utf-8-sig" else self._codec
        csv.field_size_limit(max(csv.field_size_limit(), _CELL_CHARACTERS))
        with self._text() as stream:
            self._separator, self._skipped = _separator_of(stream)
        self.decimal_comma = self._separator == ";"
        self.header = self._header()

    def batches(self, rows: int, *, is_told: bool = False) -> Iterator[Cells]:
        """Give the rows below the header, so many or fewer at a time; those of a wrong length are told unless they were."""
        with self._text() as stream:
            reader = self._reader(stream)
            width = len(self.header)
            number, found, size, is_header = self._skipped, 0, 0, True
            cells: list[list[str]] = []
            numbers: list[int] = []
            ragged: list[bool] = []
            try:
                for row in reader:
                    number += 1
                    if not any(cell.strip() for cell in row):
                        continue
                    if is_header:
                        is_header = False
                        continue
                    if len(row) != width:
                        if not is_told:
                            message = f"The row has {len(row)} values, the header {width}."
                            remedy = "Put texts that hold the separator between quotation marks."
                            self._log.add(Problem("error", "ragged_row", message, remedy, number))
                        ragged.append(True)
                        row = (row + [""] * width)[:width]
                    else:
                        ragged.append(False)
                    cells.append(row)
                    numbers.append(number)
                    found += 1
                    if found > self._limits.rows:
                        message = f"The table has more than {self._limits.rows:,} rows."
                        raise RefusedError("too_many_rows", message, "Cut it to the city.", row=number)
                    size += sum(map(len, row))
                    if len(cells) == rows or size > _BATCH_CHARACTERS:
                        yield _cells(cells, numbers, ragged)
                        cells, numbers, ragged, size = [], [], [], 0
            except csv.Error as error:
                raise _unreadable(error, number + 1) from error
            if cells:
                yield _cells(cells, numbers, ragged)

    def _header(self) -> list[str]:
        number = self._skipped
        with self._text() as stream:
            try:
                for row in self._reader(stream):
                    number += 1
                    if any(cell.strip() for cell in row):
                        return row
            except csv.Error as error:
                raise _unreadable(error, number + 1) from error
        raise RefusedError("no_rows", "The table holds nothing but blank lines.", "Export it again.")

    def _reader(self, stream: TextIO) -> Iterator[list[str]]:
        for _ in range(self._skipped):
            stream.readline()
        return csv.reader(stream, delimiter=self._separator, strict=True)

    def _text(self) -> TextIO:
        return io.TextIOWrapper(self._path.open("rb"), encoding=self._codec, newline="")


def _cells(rows: list[list[str]], numbers: list[int], ragged: list[bool]) -> Cells:
    columns = [list(values) for values in zip(*rows, strict=True)]
    return Cells(columns, np.array(numbers, dtype=np.int64), np.array(ragged, dtype=bool))


def _unreadable(error: csv.Error, row: int) -> RefusedError:
    return RefusedError(
        "broken_file",
        f"The table cannot be read on from here: {error}.",
        "Look for a quotation mark that is not closed.",
        row=row,
    )


def _separator_of(stream: TextIO) -> tuple[str, int]:
    """Give the separator, and how many lines come before the table."""
    first = stream.readline()
    # Spreadsheets write the separator into a first line of its own.
    if match := re.fullmatch(f"sep=([{_SEPARATORS}])\\s*", first, re.IGNORECASE):
        return match[1], 1
    while first and not first.strip():
        first = stream.readline()
    return max(_SEPARATORS, key=first.count), 0


def _codec_of_file(path: Path, encoding: str | None, log: ProblemLog) -> tuple[str, bool]:
    with path.open("rb") as file:
        head = file.read(4)
    codec = codec_of(encoding) if encoding else None
    mark = next((name for mark, name in _BYTE_ORDER_MARKS if head.startswith(mark)), None)
    codec = codec or mark
    is_guessed = False
    if codec is None:
        codec = _guess(path)
        is_guessed = codec != "utf-8"
        if is_guessed:
            note_guessed_encoding(log, codec)
    _require_text(path, codec)
    # A mark stands before the text also where its encoding is given by name.
    return ("utf-8-sig" if codec == "utf-8" else codec), is_guessed


def _guess(path: Path) -> str:
    """Guess from the whole file whether it is UTF-8, and if not, from a few megabytes of it what it is."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    sample = bytearray()
    is_utf_8 = True
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            if not chunk.isascii() and len(sample) < _GUESS_BYTES:
                sample += chunk
            if is_utf_8:
                try:
                    decoder.decode(chunk)
                except UnicodeDecodeError:
                    is_utf_8 = False
                    sample += chunk
            elif len(sample) >= _GUESS_BYTES:
                break
        if is_utf_8:
            try:
                decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                is_utf_8 = False
    return "utf-8" if is_utf_8 else guess_encoding(bytes(sample))


def _require_text(path: Path, codec: str) -> None:
    """Refuse a file that is not text in an encoding throughout, naming the row."""
    decoder = codecs.getincrementaldecoder(codec)()
    row, position = 1, 0
    with path.open("rb") as file:
        while True:
            chunk = file.read(_CHUNK_BYTES)
            waiting = len(decoder.getstate()[0])
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                likely = guess_encoding(error.object[max(0, error.start - _CHUNK_BYTES) :])
                before = error.object[: error.start].decode(codec, errors="ignore")
                raise RefusedError(
                    "wrong_encoding",
                    f"The text is not in the encoding {codec}: byte {position - waiting + error.start + 1:,} is wrong.",
                    f"Name the true encoding, which may be {likely}, with {option('encoding', likely)}.",
                    row=row + before.count("\n"),
                ) from error
            at = text.find("\x00")
            if at >= 0:
                row += text.count("\n", 0, at)
                remedy = "Export it again as CSV in UTF-8."
                raise RefusedError("broken_file", "The table holds a zero byte.", remedy, row=row)
            if not chunk:
                return
            row += text.count("\n")
            position += len(chunk)

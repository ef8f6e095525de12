"""GeoJSON before GDAL sees it: its text encoding, what it says of its reference system, and where it is broken."""

import codecs
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from layers.reading.plan import RefusedError
from layers.reading.text import codec_of, guess_encoding
from layers.reading.wording import option

#: What coordinates are in unless the file says otherwise (RFC 7946, section 4).
CRS84: Final = "EPSG:4326"

_CHUNK_BYTES: Final = 1 << 20
_HEAD_BYTES: Final = 1 << 16
# A Python reader tells exactly where a file is broken but needs some ten times its size in memory.
_EXPLAINED_BYTES: Final = 32 << 20
_FEATURE: Final = re.compile(rb'"type"\s*:\s*"Feature"')
_CRS: Final = re.compile(r'"crs"\s*:\s*\{.*?"(?:name|href)"\s*:\s*"([^"]+)"\s*\}', re.DOTALL)
_CRS_NAME: Final = re.compile(r"(?:EPSG:[\d.]*:?|crs:OGC:[\d.]*:?CRS)(\d+)", re.IGNORECASE)
_LONGEST_LINE_BYTES: Final = 64 << 20
_TOO_COMPLEX: Final = "too complex"
_GDAL_PLACE: Final = re.compile(r"line (\d+), character (\d+)")


@dataclass(frozen=True, slots=True)
class Text:
    """A GeoJSON file as UTF-8, and the encoding it came in."""

    path: Path
    encoding: str


def as_utf8(path: Path, encoding: str | None) -> Text:
    """Make sure that a GeoJSON file is UTF-8, as RFC 7946 demands; write a UTF-8 copy beside it where it is not.

    Raises
    ------
    RefusedError
        If the text is not in the encoding named, or in UTF-8 if none is; says near which row.
    """
    with path.open("rb") as file:
        mark = file.read(3)
    codec = codec_of(encoding) if encoding else "utf-8"
    if mark[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        codec = "utf-16"
    copy = path.with_name("utf-8.geojson") if codec not in ("utf-8", "utf-8-sig") else None
    _decode(path, codec, copy)
    return Text(copy or path, codec)


def _decode(path: Path, codec: str, copy: Path | None) -> None:
    decoder = codecs.getincrementaldecoder(codec)()
    rows = 0
    tail = b""
    with path.open("rb") as file, (copy or Path("/dev/null")).open("wb") as target:
        while True:
            chunk = file.read(_CHUNK_BYTES)
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                before = tail + chunk[: max(0, error.start)]
                row = rows + len(_FEATURE.findall(before))
                raise _wrong_encoding(codec, chunk, error, row) from error
            if copy is not None:
                target.write(text.encode("utf-8", errors="replace"))
            if not chunk:
                return
            # Counted with a short overlap, so that a match on the border of two chunks is seen once.
            matches = [match.end() for match in _FEATURE.finditer(tail + chunk)]
            rows += len(matches)
            border = max(matches[-1] if matches else 0, len(tail) + len(chunk) - 40)
            tail = (tail + chunk)[border:]


def _wrong_encoding(codec: str, chunk: bytes, error: UnicodeDecodeError, row: int) -> RefusedError:
    likely = guess_encoding(chunk)
    near = chunk[max(0, error.start - 20) : error.start + 20].decode(likely, errors="replace")
    name = "UTF-8, which GeoJSON must be" if codec == "utf-8" else codec
    return RefusedError(
        "wrong_encoding",
        f"The text is not in {name}: near {' '.join(near.split())!r}.",
        f"Export it in UTF-8, or name its encoding, which may be {likely}, with {option('encoding', likely)}.",
        row=row or None,
    )


def declared_crs(path: Path) -> str | None:
    """Give the reference system a GeoJSON file names in the old ``crs`` member near its start; None if none.

    GDAL silently takes longitude and latitude when it does not know the name, which would put rows in the wrong
    place; so the name is looked at first.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES).decode("utf-8", errors="replace")
    # What stands inside the features is theirs; the member of the whole file comes before them.
    match = _CRS.search(head.partition('"features"')[0])
    return match.group(1) if match else None


def is_known_crs(name: str) -> bool:
    """Say whether a ``crs`` name is one that GDAL understands: an EPSG code or CRS84."""
    return _CRS_NAME.search(name) is not None


def fault(path: Path, message: str) -> RefusedError:
    """Turn GDAL's refusal of a GeoJSON file into a located problem.

    Parameters
    ----------
    path
        The file, in UTF-8.
    message
        What GDAL says.
    """
    place = _GDAL_PLACE.search(message)
    if _TOO_COMPLEX in message:
        row = _row_at(path, int(place[1]), int(place[2])) if place else None
        return RefusedError(
            "too_many_vertices",
            "One feature is too large to be read: it has more than some 200,000 vertices.",
            "Simplify it, or split it into several rows.",
            row=row,
        )
    if path.stat().st_size <= _EXPLAINED_BYTES:
        found = _explained(path)
        if found is not None:
            return found
    detail = message.removeprefix("Failed to read GeoJSON data").lstrip("; ")
    where = f" ({detail})" if detail else ""
    return RefusedError(
        "broken_file",
        f"The GeoJSON cannot be read{where}.",
        "Export or upload it again; it may be cut off or edited by hand.",
        row=_row_at(path, int(place[1]), int(place[2])) if place else None,
    )


def broken_line(path: Path) -> RefusedError | None:
    """Find the first line of a sequence of features that is not one; None if every line is.

    GDAL passes over such a line with a warning, which would lose a row silently.
    """
    row = 0
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(_LONGEST_LINE_BYTES), b""), start=1):
            text = line.strip(b" \t\r\n\x1e").removeprefix(codecs.BOM_UTF8)
            if not text:
                continue
            row += 1
            if len(line) >= _LONGEST_LINE_BYTES:
                return RefusedError(
                    "too_many_vertices", f"Line {number:,} is longer than 64 MB.", "Simplify the feature.", row=row
                )
            try:
                # The shape of a line is all that is asked; what is in it, GDAL reads.
                is_feature = text.endswith(b"}") and _FEATURE.search(text) is not None and _is_json(text)
            except UnicodeDecodeError as error:
                return _wrong_encoding("utf-8", text, error, row)
            if not is_feature:
                return RefusedError(
                    "broken_file",
                    f"Line {number:,} is not a whole feature: {text[-60:].decode('utf-8', errors='replace')!r}.",
                    "Write each feature on one line of its own, in UTF-8; the file may be cut off.",
                    row=row,
                )
    return None


def collected(path: Path) -> Path:
    """Write a sequence of features that `broken_line` finds whole as one collection beside it."""
    target = path.with_name("collected.geojson")
    with path.open("rb") as lines, target.open("wb") as file:
        file.write(b'{"type":"FeatureCollection","features":[')
        before = b"\n"
        for line in lines:
            if text := line.strip(b" \t\r\n\x1e").removeprefix(codecs.BOM_UTF8):
                file.write(before + text)
                before = b",\n"
        file.write(b"\n]}\n")
    return target


def _is_json(text: bytes) -> bool:
    try:
        parsed = json.loads(text.decode("utf-8"))
    except (json.JSONDecodeError, RecursionError):
        return False
    return isinstance(parsed, dict) and parsed.get("type") == "Feature"


def _explained(path: Path) -> RefusedError | None:
    data = path.read_bytes().removeprefix(codecs.BOM_UTF8)
    text = data.decode("utf-8", errors="replace")
    try:
        parsed = json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and _FEATURE.match(data.lstrip()[1:].lstrip()):
            return RefusedError(
                "unsupported_format",
                "The file is a sequence of features, one per line, not one GeoJSON.",
                "Convert it to GeoJSON with one FeatureCollection, or to GeoPackage.",
            )
        row = len(_FEATURE.findall(text[: error.pos].encode()))
        what = (
            "is cut off" if error.pos >= len(text.rstrip()) - 1 or error.msg.startswith("Unterminated") else "is broken"
        )
        return RefusedError(
            "broken_file",
            f"The GeoJSON {what} at line {error.lineno}, character {error.colno}: {error.msg}.",
            "Export or upload it again.",
            row=row or None,
        )
    except RecursionError:
        return RefusedError("broken_file", "The JSON is nested too deeply to be GeoJSON.", "Export it again.")
    kind = parsed.get("type") if isinstance(parsed, dict) else None
    if kind not in ("FeatureCollection", "Feature"):
        what = f"its type is {kind!r}" if kind else "it has no type"
        return RefusedError(
            "unsupported_format",
            f"The file is JSON but not a GeoJSON FeatureCollection: {what}.",
            "Export it as GeoJSON (RFC 7946).",
        )
    return None


def _row_at(path: Path, line: int, character: int) -> int | None:
    """Count the features that begin before a place in the text."""
    rows = 0
    with path.open("rb") as file:
        for number, text in enumerate(file, start=1):
            if number == line:
                return (rows + len(_FEATURE.findall(text[:character]))) or None
            rows += len(_FEATURE.findall(text))
    return None

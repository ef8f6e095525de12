"""Formats that are a zip of XML parts (XLSX, KMZ) made safe for GDAL: only the parts that hold data, each looked at.

What is checked here and what GDAL opens are the same bytes: the parts are written once more, unpacked, under the
names the format demands, so that no second list of files and no second part of one name can show GDAL something
else. Pictures, links, macros and other parts stay behind. Formulas are not evaluated; the values saved with them are
read.
"""

import re
import zipfile
from pathlib import Path
from typing import Final

from layers.reading.archive import MAX_PARTS, opened, safe_members, unpack_member
from layers.reading.limits import Limits
from layers.reading.markup import require_safe_text
from layers.reading.plan import RefusedError

_CHUNK_BYTES: Final = 1 << 20
_WORKBOOK: Final = "xl/workbook.xml"
# What the reader of worksheets looks at: the list of sheets, the shared texts, the formats of dates, and the sheets.
_PARTS: Final = re.compile(
    r"\[Content_Types\]\.xml|_rels/\.rels|xl/workbook\.xml|xl/_rels/workbook\.xml\.rels|xl/styles\.xml"
    r"|xl/sharedStrings\.xml|xl/worksheets/[\w.-]{1,100}\.xml",
    re.IGNORECASE,
)
# A part that is as large as the limit of a table of text is one: cells take many times their size in memory.
_ROWS: Final = frozenset({"row"})
_DOCUMENT: Final = re.compile(r"[^/\\][^\\]{0,200}\.kml", re.IGNORECASE)
_DOCUMENT_BYTES: Final = 128 << 20


def stage_workbook(path: Path, target: Path, limits: Limits) -> None:
    """Write the readable parts of a workbook to a new file, without compression.

    Raises
    ------
    RefusedError
        If it is not a workbook, is damaged or too large, or a part declares entities or cannot be parsed.
    """
    with opened(path) as archive:
        members = safe_members(archive, path, limits, MAX_PARTS)
        parts = {member.filename: member for member in members if _PARTS.fullmatch(member.filename)}
        if len({name.lower() for name in parts}) < sum(bool(_PARTS.fullmatch(m.filename)) for m in members):
            raise RefusedError("unsafe_archive", "The workbook holds two parts of one name.", "Save it again.")
        if _WORKBOOK not in parts:
            is_binary = any(member.filename.lower() == "xl/workbook.bin" for member in members)
            raise RefusedError(
                "unsupported_format",
                "The file is a binary workbook (.xlsb)." if is_binary else "The file is a zip but not a workbook.",
                "Save it as an Excel workbook (.xlsx), or as CSV in UTF-8.",
            )
        total = sum(member.file_size for member in parts.values())
        if total > limits.table_bytes:
            raise RefusedError(
                "file_too_large",
                f"The cells of the workbook take {total / 1e6:,.0f} MB, more than {limits.table_bytes / 1e6:,.0f} MB.",
                "Cut it to the city, or bring it as a GeoPackage.",
            )
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as staged:
            for name, member in parts.items():
                _copy(archive, member, staged, name)


def stage_kmz(path: Path, folder: Path, limits: Limits) -> Path:
    """Write the one document of a KMZ to ``layer.kml``, or its documents to ``layer.kmz``, and nothing else.

    Raises
    ------
    RefusedError
        If there is none, it is damaged or too large, or a document declares entities or cannot be parsed.
    """
    with opened(path) as archive:
        members = safe_members(archive, path, limits, MAX_PARTS)
        documents = [member for member in members if _DOCUMENT.fullmatch(member.filename)]
        if not documents or len({member.filename for member in documents}) < len(documents):
            raise RefusedError(
                "not_one_document",
                "The KMZ holds two documents of one name." if documents else "The KMZ holds no KML document.",
                "Save it again as KMZ, or bring the .kml alone.",
            )
        total = sum(member.file_size for member in documents)
        if total > _DOCUMENT_BYTES:
            raise RefusedError(
                "file_too_large",
                f"The documents of the KMZ take {total / 1e6:,.0f} MB, more than {_DOCUMENT_BYTES / 1e6:,.0f} MB.",
                "Bring the layer as a GeoPackage or FlatGeobuf.",
            )
        # The reader takes the first document for the one that leads to the others.
        documents.sort(key=lambda member: (member.filename.lower() != "doc.kml", member.filename.count("/")))
        if len(documents) == 1:
            unpack_member(archive, documents[0], target := folder / "layer.kml", _DOCUMENT_BYTES)
            return target
        with zipfile.ZipFile(target := folder / "layer.kmz", "w", zipfile.ZIP_STORED) as staged:
            for member in documents:
                _copy(archive, member, staged, member.filename, frozenset({"kml"}), frozenset({"placemark"}))
        return target


def _copy(
    archive: zipfile.ZipFile,
    member: zipfile.ZipInfo,
    staged: zipfile.ZipFile,
    name: str,
    roots: frozenset[str] = frozenset(),
    rows: frozenset[str] = _ROWS,
) -> None:
    what = f"part '{name[:100]}'"
    with archive.open(member) as part:
        require_safe_text(part, roots, row_of=rows, what=what)
    written = 0
    with archive.open(member) as part, staged.open(zipfile.ZipInfo(name), "w") as copy:
        while chunk := part.read(_CHUNK_BYTES):
            written += len(chunk)
            if written > member.file_size:
                raise RefusedError("archive_too_large", f"The {what} is larger than the zip says.", "Save it again.")
            copy.write(chunk)

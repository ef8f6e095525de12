"""What has to be known about a shapefile's parts and about a GeoPackage before GDAL reads them.

GDAL passes over damage that loses rows: a shapefile that is cut off gives rows without geometry, a damaged GeoPackage
simply fewer rows. Both show in a few numbers at fixed places.
"""

import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import quote

from layers.reading.plan import RefusedError
from layers.reading.text import codec_of

_SHP_HEADER_BYTES: Final = 100
_DBF_HEADER_BYTES: Final = 32
_INDEX_ENTRY_BYTES: Final = 8
_SQLITE_HEADER_BYTES: Final = 100
# Code pages of the .dbf header that are set on purpose; 0x57 ("ANSI") is written by default whatever the text is in.
_CODEC_OF_LANGUAGE: Final = {0x03: "cp1252", 0x7D: "cp1255", 0x7E: "cp1256", 0xC9: "cp1251", 0xCA: "cp1254"}
_TABLE_MODULES: Final = frozenset({"rtree", "fts3", "fts4", "fts5"})
_MODULE: Final = re.compile(r"create\s+virtual\s+table.+?\busing\s+\W?(\w+)", re.IGNORECASE | re.DOTALL)


def declared_codec(shp: Path) -> str | None:
    """Give the encoding that a shapefile declares for its text in the .cpg part or the .dbf header; None if none.

    Raises
    ------
    RefusedError
        If it declares one that does not exist.
    """
    cpg = shp.with_suffix(".cpg")
    if cpg.exists():
        name = cpg.read_bytes()[:100].decode("ascii", errors="replace").strip()
        if name:
            return codec_of(name)
    with shp.with_suffix(".dbf").open("rb") as file:
        header = file.read(_DBF_HEADER_BYTES)
    return _CODEC_OF_LANGUAGE.get(header[29]) if len(header) == _DBF_HEADER_BYTES else None


def require_whole_shapefile(shp: Path) -> None:
    """Refuse a shapefile whose parts are cut off or do not belong together.

    Raises
    ------
    RefusedError
        Naming the first row that is missing.
    """
    remedy = "Export or upload all parts again."
    sizes = {suffix: shp.with_suffix(suffix).stat().st_size for suffix in (".shp", ".shx", ".dbf")}
    with shp.open("rb") as file:
        header = file.read(_SHP_HEADER_BYTES)
    with shp.with_suffix(".dbf").open("rb") as file:
        table = file.read(_DBF_HEADER_BYTES)
    if len(header) < _SHP_HEADER_BYTES or len(table) < _DBF_HEADER_BYTES or sizes[".shx"] < _SHP_HEADER_BYTES:
        raise RefusedError("broken_file", "A part of the shapefile is cut off within its header.", remedy)
    shapes = (sizes[".shx"] - _SHP_HEADER_BYTES) // _INDEX_ENTRY_BYTES
    declared = 2 * int.from_bytes(header[24:28], "big")
    if sizes[".shp"] < declared:
        row = _first_row_beyond(shp.with_suffix(".shx"), sizes[".shp"])
        message = f"The .shp part has {sizes['.shp']:,} of {declared:,} bytes: it is cut off."
        raise RefusedError("broken_file", message, remedy, row=row)
    records = int.from_bytes(table[4:8], "little")
    start = int.from_bytes(table[8:10], "little")
    length = max(1, int.from_bytes(table[10:12], "little"))
    whole = max(0, sizes[".dbf"] - start) // length
    if whole < records:
        message = f"The .dbf part holds {whole:,} of {records:,} rows: it is cut off."
        raise RefusedError("broken_file", message, remedy, row=whole + 1)
    if shapes != records:
        message = f"The .shx part has {shapes:,} rows, the .dbf part {records:,}: they do not belong together."
        raise RefusedError("broken_file", message, remedy, row=min(shapes, records) + 1)


def _first_row_beyond(shx: Path, size: int) -> int | None:
    entries = shx.read_bytes()[_SHP_HEADER_BYTES:]
    for row in range(len(entries) // _INDEX_ENTRY_BYTES):
        at = row * _INDEX_ENTRY_BYTES
        offset = 2 * int.from_bytes(entries[at : at + 4], "big")
        content = 2 * int.from_bytes(entries[at + 4 : at + 8], "big")
        if offset + _INDEX_ENTRY_BYTES + content > size:
            return row + 1
    return None


def stage_geopackage(path: Path, staged: Path) -> None:
    """Make a GeoPackage available under another name, so that reading it leaves nothing beside the original.

    Raises
    ------
    RefusedError
        If it has changes that are not yet in the file.
    """
    for suffix in ("-wal", "-journal"):
        unsaved = path.with_name(path.name + suffix)
        if unsaved.exists() and unsaved.stat().st_size:
            raise RefusedError(
                "unsaved_changes",
                f"'{unsaved.name}' beside the file holds changes that are not yet in it.",
                "Close the program that has the GeoPackage open (QGIS, for example), then try again.",
            )
    with path.open("rb") as file:
        header = file.read(_SQLITE_HEADER_BYTES)
    if header[18:20] == b"\x01\x01":
        staged.symlink_to(path.absolute())
    else:
        # In write-ahead mode SQLite makes two files beside the database even to read it, whatever link led there.
        shutil.copyfile(path, staged)


def require_sound_geopackage(path: Path) -> frozenset[str]:
    """Refuse a GeoPackage that is damaged or uses more than plain tables.

    Returns
    -------
    frozenset of str
        The names of its views, which compute what they show and are not read as layers.

    Raises
    ------
    RefusedError
        If so.
    """
    real = path.resolve()
    try:
        with closing(sqlite3.connect(f"file:{quote(str(real))}?mode=ro&immutable=1", uri=True)) as connection:
            connection.execute("PRAGMA trusted_schema = OFF")
            schema = connection.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_master").fetchall()
            for _, name, sql in schema:
                module = _MODULE.search(sql)
                if module and module[1].lower() not in _TABLE_MODULES:
                    raise RefusedError(
                        "unsafe_file",
                        f"The table '{name}' of the GeoPackage reads from elsewhere (module {module[1]}).",
                        "Export the layers into a new GeoPackage.",
                    )
            verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except (sqlite3.Error, UnicodeDecodeError) as error:
        verdict = str(error)
    else:
        if verdict == "ok":
            return frozenset(name for kind, name, _ in schema if kind == "view")
    detail = " ".join(str(verdict).split())[:160]
    raise RefusedError(
        "broken_file",
        f"The GeoPackage is damaged: {detail}.",
        "Copy or upload it again; it may be cut off. SQLite's '.recover' can save what is left.",
    )

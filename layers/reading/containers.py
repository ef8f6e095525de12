"""What has to be known about the parts of a shapefile or geodatabase and about a GeoPackage before GDAL reads them.

GDAL passes over damage that loses rows: a shapefile that is cut off gives rows without geometry, a damaged GeoPackage
simply fewer rows. Both show in a few numbers at fixed places.
"""

import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import quote

from layers.reading.plan import RefusedError
from layers.reading.text import codec_of

_SHP_HEADER_BYTES: Final = 100
_DBF_HEADER_BYTES: Final = 32
_INDEX_ENTRY_BYTES: Final = 8
_LONGEST_NAME: Final = 10
# Four letters or more and no vowel among them: prvnc_n, cnty_nm.
_WITHOUT_VOWELS: Final = re.compile(rb"(?=(?:[^a-z]*[a-z]){4})[^aeiou]*", re.IGNORECASE)
_SEVERAL: Final = 3
_SQLITE_HEADER_BYTES: Final = 100
_TABLE_HEADER_BYTES: Final = 40
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
    if length < _row_bytes(shp.with_suffix(".dbf"), start):
        message = "The .dbf part says that its rows are shorter than their attributes together."
        raise RefusedError("broken_file", message, remedy)
    whole = max(0, sizes[".dbf"] - start) // length
    if whole < records:
        message = f"The .dbf part holds {whole:,} of {records:,} rows: it is cut off."
        raise RefusedError("broken_file", message, remedy, row=whole + 1)
    if shapes != records:
        message = f"The .shx part has {shapes:,} rows, the .dbf part {records:,}: they do not belong together."
        raise RefusedError("broken_file", message, remedy, row=min(shapes, records) + 1)


def shortened_names(shp: Path) -> list[str]:
    """Name the attributes of a shapefile whose names were probably shortened to the 10 characters it can keep.

    Names of just this length are cut; names without vowels are abbreviated, as R does it.
    """
    with shp.with_suffix(".dbf").open("rb") as file:
        start = int.from_bytes(file.read(_DBF_HEADER_BYTES)[8:10], "little")
    names = [described[:11].partition(b"\x00")[0] for described in _described(shp.with_suffix(".dbf"), start)]
    cut = [name for name in names if len(name) == _LONGEST_NAME]
    bare = [name for name in names if _WITHOUT_VOWELS.fullmatch(name)]
    found = cut + (bare if len(bare) >= _SEVERAL else [])
    return [name.decode("utf-8", errors="replace") for name in names if name in found]


def _row_bytes(dbf: Path, start: int) -> int:
    """Add up the widths of the attributes that a dBASE table describes, and the mark of deleted rows."""
    return 1 + sum(described[16] for described in _described(dbf, start))


def _described(dbf: Path, start: int) -> Iterator[bytes]:
    """Give the descriptions of a dBASE table's attributes, 32 bytes each."""
    with dbf.open("rb") as file:
        file.seek(_DBF_HEADER_BYTES)
        head = file.read(max(0, start - _DBF_HEADER_BYTES))
    for at in range(0, len(head) - 31, 32):
        if head[at] == 0x0D:
            return
        yield head[at : at + 32]


def _first_row_beyond(shx: Path, size: int) -> int | None:
    entries = shx.read_bytes()[_SHP_HEADER_BYTES:]
    for row in range(len(entries) // _INDEX_ENTRY_BYTES):
        at = row * _INDEX_ENTRY_BYTES
        offset = 2 * int.from_bytes(entries[at : at + 4], "big")
        content = 2 * int.from_bytes(entries[at + 4 : at + 8], "big")
        if offset + _INDEX_ENTRY_BYTES + content > size:
            return row + 1
    return None


def require_whole_geodatabase(folder: Path) -> None:
    """Refuse a File Geodatabase whose tables are missing, cut off, or are something else.

    Parameters
    ----------
    folder
        The staged folder; only its numbered parts are looked at.

    Raises
    ------
    RefusedError
        Naming the part.
    """
    tables = sorted(folder.glob("*.gdbtable"))
    if not (folder / "a00000001.gdbtable").exists():
        raise RefusedError(
            "missing_part",
            "The geodatabase lacks its list of tables (a00000001.gdbtable).",
            "Zip the whole .gdb folder with all its files.",
        )
    for table in tables:
        index = table.with_suffix(".gdbtablx")
        if not index.exists():
            raise RefusedError(
                "missing_part",
                f"The geodatabase lacks '{index.name}'.",
                "Zip the whole .gdb folder with all its files.",
            )
        with table.open("rb") as file:
            header = file.read(_TABLE_HEADER_BYTES)
        size = table.stat().st_size
        declared = int.from_bytes(header[24:32], "little")
        fields_at = int.from_bytes(header[32:40], "little")
        rows = int.from_bytes(header[4:8], "little")
        is_whole = len(header) == _TABLE_HEADER_BYTES and size >= declared and fields_at < size and rows <= size
        if not is_whole or header[:4] not in (b"\x03\x00\x00\x00", b"\x04\x00\x00\x00"):
            message = f"The part '{table.name}' of the geodatabase is cut off or broken."
            raise RefusedError("broken_file", message, "Zip the .gdb folder again while no program has it open.")


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

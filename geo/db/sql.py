"""Set-based statements kept in ``<app>/sql/*.sql``: read once, identifiers and values never mixed with text.

The only module that imports psycopg outside the settings. In the files ``%(name)s`` marks a value and ``{name}`` an
identifier (table or column); literal braces and per cent signs are doubled.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.models import Model
from psycopg import sql

_ROOT = Path(__file__).resolve().parent.parent.parent


@cache
def statement(app: str, name: str) -> str:
    """Return the text of ``<app>/sql/<name>.sql``."""
    return (_ROOT / app / "sql" / f"{name}.sql").read_text(encoding="utf-8")


def compose(
    app: str,
    name: str,
    tables: Mapping[str, type[Model] | str] | None = None,
    numbers: Mapping[str, int] | None = None,
    lists: Mapping[str, Sequence[sql.Composed]] | None = None,
) -> sql.Composed:
    """Return a statement with its identifiers filled in.

    Parameters
    ----------
    app, name : str
        Folder and stem of the file.
    tables : mapping, optional
        What each ``{key}`` stands for: a model (its table) or a name.
    numbers : mapping, optional
        Whole numbers that are part of the statement itself, where it can take no values: bounds of a partition.
    lists : mapping, optional
        Expressions from files of their own, which stand with commas between them: columns that differ in a number.
    """
    names: dict[str, sql.Composable] = {
        key: sql.Identifier(value if isinstance(value, str) else value._meta.db_table)
        for key, value in (tables or {}).items()
    }
    names |= {key: sql.Literal(int(value)) for key, value in (numbers or {}).items()}
    names |= {key: sql.SQL(", ").join(expressions) for key, expressions in (lists or {}).items()}
    return sql.SQL(statement(app, name)).format(**names)


def rows(
    app: str,
    name: str,
    parameters: Mapping[str, Any],
    tables: Mapping[str, type[Model] | str] | None = None,
    numbers: Mapping[str, int] | None = None,
) -> list[tuple[Any, ...]]:
    """Run a statement of a file and return all its rows."""
    with connection.cursor() as cursor:
        cursor.execute(compose(app, name, tables, numbers), dict(parameters))
        return list(cursor.fetchall()) if cursor.description else []


_COPY_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_COPY_END = b"\xff\xff"
_ON_THE_WAY_BYTES = 4 << 20


def copy_binary(
    table: type[Model] | str, columns: Sequence[str], chunks: Iterable[bytes | memoryview], *, is_new: bool = False
) -> None:
    """Write rows that are in PostgreSQL's binary form already, inside the transaction that is open.

    An error raised by the chunks ends the statement, and with it the transaction.

    Parameters
    ----------
    table : model class or str
        Whose table is filled, or its name.
    columns : sequence of str
        Column names, in the order of each row's values.
    chunks : iterable of bytes
        Whole rows: the number of values in two bytes, and for each value its length in four bytes and its bytes.
    is_new : bool
        Whether the table was made in this transaction, so that its rows need not be looked at again by vacuum.
    """
    name = table if isinstance(table, str) else table._meta.db_table
    command = sql.SQL("COPY {table} ({columns}) FROM STDIN ({options})").format(
        table=sql.Identifier(name),
        columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
        options=sql.SQL("FORMAT binary, FREEZE" if is_new else "FORMAT binary"),
    )
    with connection.cursor() as cursor, cursor.copy(command) as copy:
        _widen_way()
        copy.write(_COPY_HEADER)
        for chunk in chunks:
            copy.write(chunk)
        copy.write(_COPY_END)


def _widen_way() -> None:
    """Let more bytes be on their way through a local socket, so that the server has work while other threads run here.

    The system may allow less; over a network it finds the size by itself.
    """
    with socket.socket(fileno=os.dup(connection.connection.fileno())) as way:
        if way.family == socket.AF_UNIX:
            way.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _ON_THE_WAY_BYTES)


@contextmanager
def settings(values: Mapping[str, str]) -> Iterator[None]:
    """Change settings of PostgreSQL for some statements of the transaction that is open, and put them back.

    After an error they are put back with the transaction.
    """
    with connection.cursor() as cursor:
        before = {}
        for name, value in values.items():
            cursor.execute("SELECT current_setting(%s), set_config(%s, %s, true)", [name, name, value])
            before[name] = cursor.fetchone()[0]
        yield
        for name, value in before.items():
            cursor.execute("SELECT set_config(%s, %s, true)", [name, value])


def next_key(table: type[Model]) -> int:
    """Take the next key of a table's sequence, for a row that others name before it is written."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, %s))", [table._meta.db_table, table._meta.pk.column])
        return int(cursor.fetchone()[0])


def lock(number: int) -> None:
    """Wait for a lock that one transaction holds at a time, until it ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def rows_changed(table: type[Model]) -> int:
    """Return how many rows of a table, its partitions included, the transaction that is open has written so far."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_xact_user_tables"
            " WHERE relid = %(table)s::regclass OR relid IN (SELECT relid FROM pg_partition_tree(%(table)s::regclass))",
            {"table": table._meta.db_table},
        )
        return int(cursor.fetchone()[0])


def analyze(table: type[Model] | str, columns: Sequence[str] = ()) -> None:
    """Tell PostgreSQL's planner what is in a table now, or in some of its columns."""
    name = table if isinstance(table, str) else table._meta.db_table
    listed = sql.SQL(" ({columns})").format(columns=sql.SQL(", ").join(map(sql.Identifier, columns)))
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("ANALYZE {table}").format(table=sql.Identifier(name)) + (listed if columns else sql.SQL(""))
        )


def copy_rows(
    table: type[Model], columns: Sequence[str], values: Iterable[Sequence[Any]], types: Sequence[str] | None = None
) -> None:
    """Write many rows with ``COPY … FROM STDIN`` inside the transaction that is open.

    Parameters
    ----------
    table : model class
        Whose table is filled.
    columns : sequence of str
        Column names, in the order of each row's values.
    values : iterable of sequences
        The rows. Geometry goes as EWKB in hexadecimal text, JSON as text.
    types : sequence of str, optional
        PostgreSQL type names where psycopg cannot guess.
    """
    command = sql.SQL("COPY {table} ({columns}) FROM STDIN").format(
        table=sql.Identifier(table._meta.db_table), columns=sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor, cursor.copy(command) as copy:
        if types:
            copy.set_types(types)
        for row in values:
            copy.write_row(row)

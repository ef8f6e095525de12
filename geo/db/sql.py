"""Set-based statements kept in ``<app>/sql/*.sql``: read once, identifiers and values never mixed with text.

The only module that imports psycopg outside the settings. In the files ``%(name)s`` marks a value and ``{name}`` an
identifier (table or column); literal braces and per cent signs are doubled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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


def compose(app: str, name: str, tables: Mapping[str, type[Model] | str] | None = None) -> sql.Composed:
    """Return a statement with its identifiers filled in.

    Parameters
    ----------
    app, name : str
        Folder and stem of the file.
    tables : mapping, optional
        What each ``{key}`` stands for: a model (its table) or a name.
    """
    names = {
        key: sql.Identifier(value if isinstance(value, str) else value._meta.db_table)
        for key, value in (tables or {}).items()
    }
    return sql.SQL(statement(app, name)).format(**names)


def rows(
    app: str, name: str, parameters: Mapping[str, Any], tables: Mapping[str, type[Model] | str] | None = None
) -> list[tuple[Any, ...]]:
    """Run a statement of a file and return all its rows."""
    with connection.cursor() as cursor:
        cursor.execute(compose(app, name, tables), dict(parameters))
        return list(cursor.fetchall()) if cursor.description else []


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

"""The tables that large releases have of their own: they go with their release, in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.db import OperationalError, connection, transaction

from geo.db import sql

#: Of the lock that whoever makes or removes a release holds until the end of the transaction: attaching and dropping a
#: table locks the table of releases, and two transactions that have both written to it would wait for each other.
RELEASING: Final = 0x6C61796572  # "layer"

#: The columns that features are searched by, and PostgreSQL's planner should know; looking at all takes five times as long.
SEARCHED_BY: Final = ("shelf", "release_id", "geometry_3857")

_FEATURES: Final = "layers_feature"
_WAIT: Final = "2s"
"""Dropping a table locks the table of all features for a moment; while it waits for that lock, all readers wait for it."""
_LOCK_NOT_HAD: Final = "55P03"


def table_of(shelf: int) -> str:
    """Return the name of the table of a large release."""
    return f"{_FEATURES}_{shelf}"


def partition_create(shelf: int) -> str:
    """Make the table of a large release, which is not yet part of the table of all features; return its name."""
    table = table_of(shelf)
    sql.rows("layers", "partition_create", {}, {"partition": table, "features": _FEATURES}, {"shelf": shelf})
    return table


def partition_attach(shelf: int) -> None:
    """Make the table of a large release, filled by now and its release there, part of the table of all features."""
    table = table_of(shelf)
    sql.rows("layers", "partition_index", {}, {"partition": table})
    sql.rows("layers", "partition_attach", {}, {"partition": table, "features": _FEATURES}, {"shelf": shelf})
    sql.rows("layers", "partition_settle", {}, {"partition": table})
    sql.analyze(table, SEARCHED_BY)


def partitions_drop(shelves: Iterable[int]) -> int:
    """Drop the tables of large releases, with their rows, inside a transaction; return how many.

    A table that somebody reads for long is left: its rows are deleted with the release, and `partitions_sweep` drops it.
    """
    tables = [table_of(shelf) for shelf in sorted(shelves) if shelf]
    if not tables:
        return 0
    sql.lock(RELEASING)
    with connection.cursor() as cursor:  # a table of which something is still to be checked cannot be dropped
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    return sum(map(_drop, tables))


def partitions_sweep() -> int:
    """Drop the tables whose release is gone; return how many. What is being read for long is left for the next time."""
    with transaction.atomic():
        orphans = _orphans()
        if not orphans:
            return 0
        sql.lock(RELEASING)
        return sum(map(_drop, _orphans()))


def _orphans() -> list[str]:
    return [name for (name,) in sql.rows("layers", "partitions_orphaned", {"features": _FEATURES})]


def _drop(table: str) -> bool:
    try:
        with transaction.atomic(), sql.settings({"lock_timeout": _WAIT}):
            sql.rows("layers", "partition_drop", {}, {"partition": table})
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != _LOCK_NOT_HAD:
            raise
        return False
    return True

"""How the database answers the queries of a page: its time for them, and what is wrong with its plans."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

BIG_ROWS: Final = 200_000
"""A table of more rows is not read from one end to the other for a page; one of fewer is read in some hundredths of a second."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How one query was answered, in so many milliseconds with the planning."""

    sql: str
    ms: float
    root: dict[str, Any]

    @property
    def indexes(self) -> tuple[str, ...]:
        """The indexes that were used."""
        return tuple(sorted({node["Index Name"] for node in _nodes(self.root) if "Index Name" in node}))


def queries_of(asked: Sequence[dict[str, str]]) -> list[str]:
    """Return those of the captured queries that read, in their order."""
    return [
        one["sql"] for one in asked if re.match(r"\s*(SELECT|WITH)\b", one["sql"], re.I) and "INSERT" not in one["sql"]
    ]


def shape_of(sql: str) -> str:
    """Return a query without its values, so that those that differ in nothing else are told once."""
    return re.sub(r"(, \?)+", ", …", re.sub(r"'(?:[^']|'')*'|\b\d+(\.\d+)?\b", "?", sql))


def explained(sql: str) -> Plan:
    """Have the database answer a query, and tell how it did."""
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + sql)
        found = cursor.fetchone()[0]
    (told,) = json.loads(found) if isinstance(found, str) else found
    return Plan(sql, told["Planning Time"] + told["Execution Time"], told["Plan"])


def big_tables(least: int = BIG_ROWS) -> frozenset[str]:
    """Return the tables that have more rows than that, as the database estimates them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND reltuples > %s", [least])
        return frozenset(name for (name,) in cursor.fetchall())


def faults(plan: Plan, big: frozenset[str]) -> tuple[str, ...]:
    """Return what is wrong with a plan: a big table read from one end to the other, or rows put aside on the disk."""
    found = set[str]()
    for node in _nodes(plan.root):
        if node["Node Type"] == "Seq Scan" and node["Relation Name"] in big and node["Actual Loops"]:
            found.add(f"reads all of {node['Relation Name']}")
        if node.get("Sort Space Type") == "Disk":
            found.add(f"sorts {node['Sort Space Used']} kB on the disk")
        if node.get("Hash Batches", 1) > 1 or node.get("HashAgg Batches", 0) > 1:
            found.add(f"puts rows aside on the disk ({node['Node Type']})")
    return tuple(sorted(found))


def described(plan: Plan) -> str:
    """Return a plan as lines: each node with its table or index, its rows and its time."""
    return "\n".join(_lines(plan.root, 0))


def _lines(node: dict[str, Any], depth: int) -> Iterator[str]:
    of = " ".join(str(node[key]) for key in ("Relation Name", "Index Name", "CTE Name") if key in node)
    condition = " ".join(str(node[key]) for key in ("Index Cond", "Filter", "Join Filter", "Hash Cond") if key in node)
    rows = f"{node['Actual Rows']:.0f}×{node['Actual Loops']}"
    yield f"{'  ' * depth}{node['Node Type']} {of} rows {rows} ms {node['Actual Total Time']:.1f} {condition[:160]}"
    for child in node.get("Plans", ()):
        yield from _lines(child, depth + 1)


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)

"""Results as tables: the same rows for JSON, workbooks and runs, with what each column means and what the public is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from analysis.disclosure import SMALL_COUNT, suppressed
from analysis.measures.results import Basis

Row = dict[str, Any]
Telling = Literal["plain", "people", "part", "split", "share", "mean", "derived"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    name, unit
        The unit is empty for texts and shares.
    title_fa, title_en, description, description_fa
        For the codebook; without words of its own, the title is all there is to say in Persian.
    telling
        What the public is told: ``plain`` everything; ``people`` no small count; ``part`` no small count of the people of
        ``whole``, nor one that leaves few over; ``split`` no part of the people of ``whole`` where any of the row's splits is
        small, as the others would tell it; ``share`` of the people of ``whole``, likewise; ``mean`` over the people of
        ``whole``, unless they are few; ``derived`` from the columns of ``whole``, unless one of them is kept back.
    whole
        Column of the people that a part, a share or a mean is of; of what is derived, the columns, with spaces between.
    """

    name: str
    title_fa: str
    title_en: str
    unit: str = ""
    description: str = ""
    telling: Telling = "plain"
    whole: str = "population"
    description_fa: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows with the values of columns by name; a value that nobody knows is None, never NaN."""

    name: str
    columns: tuple[Column, ...]
    rows: Sequence[Row]

    def told(self, is_insider: bool) -> list[Row]:
        """Return the rows as a reader may see them; to outsiders each says in ``withheld`` what is kept from them."""
        return [dict(row) for row in self.rows] if is_insider else [_public(row, self.columns) for row in self.rows]


@dataclass(frozen=True, slots=True)
class Answer:
    """A result in tables.

    Attributes
    ----------
    measure
        ``coverage``, ``access``, ``land``, ``equity``, ``curves``, ``groups``, ``utility`` or ``frequency``.
    method
        In a sentence, with its references.
    parameters
        What it was computed with, JSON-safe.
    """

    measure: str
    basis: Basis
    method: str
    parameters: Mapping[str, Any]
    tables: tuple[Table, ...]
    details: Mapping[str, Any] = field(default_factory=dict)

    def rows(self, is_insider: bool = True) -> dict[str, list[Row]]:
        """Return the rows of each table as a reader may see them."""
        return {table.name: table.told(is_insider) for table in self.tables}


_NOBODY: Final = 0.005
"""Fewer people than this are an error of floating point, not people."""


def _public(row: Row, columns: Sequence[Column]) -> Row:
    shown = dict(row)
    withheld: list[str] = []
    splits = [row.get(column.name) for column in columns if column.telling == "split"]
    has_few = any(_few(float(value)) for value in splits if value is not None)
    for column in sorted(columns, key=lambda column: column.telling == "derived"):
        value = row.get(column.name)
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            continue
        if (
            _is_kept(column, float(value), row)
            or (column.telling == "split" and has_few)
            or (column.telling == "derived" and not set(withheld).isdisjoint(column.whole.split()))
        ):
            shown[column.name] = None
            withheld.append(column.name)
    return shown | {"withheld": withheld} if withheld else shown


def _is_kept(column: Column, value: float, row: Row) -> bool:
    """Tell whether a value is kept from the public."""
    whole = row.get(column.whole)
    people = float(whole) if isinstance(whole, (int, float)) else None
    match column.telling:
        case "plain" | "derived":
            return False
        case "split":
            return _few(people)
        case "people":
            return _few(value)
        case "mean":
            return _few(people)
        case "part":
            return _few(value) or _few(people) or (people is not None and _few(people - value))
        case "share":
            return people is not None and (_few(people) or _few(people * value) or _few(people * (1 - value)))


def _few(count: float | None) -> bool:
    return count is not None and count >= _NOBODY and suppressed(count)


WITHHELD_EN: Final = (
    f"Counts of people above 0 and below {SMALL_COUNT}, and what they could be worked out from, are left empty."
)
WITHHELD_FA: Final = "شمار افرادی که بیش از ۰ و کمتر از ۱۰ است، و آنچه از آن به دست می‌آید، خالی گذاشته شده است."

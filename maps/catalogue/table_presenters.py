"""The table of a layer's rows as texts, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from layers.models import Layer
from layers.reading.schemas import field_named
from maps.catalogue import wording
from maps.catalogue.asked import FIELD_ORDER, NAME_ORDER, ROW_ORDER, Table
from maps.catalogue.rows import MOST_COUNTED, Column, Page, Row
from maps.pages import formats
from maps.pages.reader import language

ENGLISH_NAME: Final = "name_en"
MOST_COLUMNS: Final = 8
"""Fields that the table of rows shows; all of them are on the page of each row."""


@dataclass(frozen=True, slots=True)
class Header:
    """The head of a column."""

    title: str
    unit: str
    query: str
    direction: str
    is_number: bool
    css: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """A value in the table."""

    text: str
    is_number: bool
    title: str
    is_hidden: bool = False


@dataclass(frozen=True, slots=True)
class RowView:
    """A row of the table; ``box`` is west, south, east and north, for the map."""

    number: int
    number_text: str
    name: str
    address: str
    lon: float
    lat: float
    box: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class TableView:
    """A page of rows."""

    headers: tuple[Header, ...]
    rows: tuple[RowView, ...]
    sentence: str
    more_fields: str
    first: str
    earlier: str
    later: str
    without_text: str
    text: str
    hides: bool


def table_view(layer: Layer, page: Page, table: Table, columns: Sequence[Column]) -> TableView:
    """Present a page of rows."""
    lang = language()
    is_translated = name_is_translated(columns)
    shown = [column for column in columns if not (is_translated and column.name == ENGLISH_NAME)][:MOST_COLUMNS]
    titles = titles_of(layer, columns)
    units = {row["name"]: row.get("unit", "") for row in layer.schema}
    headers = [
        _header(_("Row"), "", ROW_ORDER, table, is_number=True, css="row-number"),
        _header(_("Name"), "", FIELD_ORDER + ENGLISH_NAME if is_translated else NAME_ORDER, table, is_number=False),
    ]
    headers += [
        _header(
            titles[c.name],
            units.get(c.name, ""),
            "" if c.is_guarded else FIELD_ORDER + c.name,
            table,
            is_number=_is_number(c),
        )
        for c in shown
    ]
    left = len(columns) - len(shown) - is_translated
    more = ngettext(
        "%(n)s further field is on the page of each row.", "%(n)s further fields are on the page of each row.", left
    )
    return TableView(
        headers=tuple(headers),
        rows=tuple(_row_view(layer, row, shown, titles) for row in page.rows),
        sentence=_table_sentence(page, table),
        more_fields=more % {"n": formats.number(left, lang)} if left else "",
        first=table.query() if page.earlier else "",
        earlier=table.query(before=page.earlier) if page.earlier else "",
        later=table.query(after=page.later) if page.later else "",
        without_text=table.query(text="") if table.text else "",
        text=table.text,
        hides=any(row.hidden for row in page.rows),
    )


def _header(title: str, unit: str, column: str, table: Table, *, is_number: bool, css: str = "") -> Header:
    is_sorted = bool(column) and table.sort == column
    direction = ("descending" if table.is_reversed else "ascending") if is_sorted else ""
    return Header(title, unit, table.sorted_by(column) if column else "", direction, is_number, css)


def _table_sentence(page: Page, table: Table) -> str:
    lang = language()
    if page.count is None:
        return _("More than %(n)s rows") % {"n": formats.number(MOST_COUNTED, lang)}
    text = ngettext("%(n)s row", "%(n)s rows", page.count) % {"n": formats.number(page.count, lang)}
    return _("%(rows)s with “%(text)s”") % {"rows": text, "text": table.text} if table.text else text


def _is_number(column: Column) -> bool:
    return column.type in ("integer", "number")


def _row_view(layer: Layer, row: Row, columns: Sequence[Column], titles: Mapping[str, str]) -> RowView:
    number = formats.number(row.number, language())
    return RowView(
        number=row.number,
        number_text=number,
        name=name_of(row),
        address=reverse("layer-row", args=[layer.city.code, layer.code, row.number]),
        lon=row.lon,
        lat=row.lat,
        box=",".join(f"{value:.6f}" for value in row.box),
        cells=tuple(cell_of(row, column, titles[column.name]) for column in columns),
    )


def name_is_translated(columns: Sequence[Column]) -> bool:
    """Tell whether rows have a name in the language of the reader besides their own."""
    return language() == "en" and any(column.name == ENGLISH_NAME for column in columns)


def name_of(row: Row) -> str:
    """Return what a row is called, in the reader's language where it says so."""
    translated = row.attributes.get(ENGLISH_NAME) if language() == "en" else None
    return str(translated or "") or row.name or wording.row_name(row.number)


def cell_of(row: Row, column: Column, title: str) -> Cell:
    """Present one value of a row; a number of people that is too small is not told."""
    if column.name in row.hidden:
        return Cell(_("fewer than 10"), _is_number(column), title, is_hidden=True)
    return Cell(wording.value(row.attributes.get(column.name)), _is_number(column), title)


def titles_of(layer: Layer, columns: Sequence[Column]) -> dict[str, str]:
    """Return what the fields are called: the layer's own titles, else those of standard fields, else the names in the data."""
    lang = language()
    said = {row["name"]: row.get(f"title_{lang}") or row.get("title_en") or row.get("title_fa") for row in layer.schema}
    titles = {}
    for column in columns:
        standard = field_named(column.name, layer.purpose)
        usual = getattr(standard, f"title_{lang}") if standard is not None else column.name
        titles[column.name] = said.get(column.name) or usual
    return titles

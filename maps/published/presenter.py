"""From the document of a publication to what its templates print, in one language; used by both kinds of page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.utils.translation import gettext as _

from maps.pages import formats
from maps.pages.classes import NO_DATA
from maps.pages.formats import Language
from maps.pages.presenters import word
from maps.published import wording
from maps.published.document import told_from_json
from maps.published.freeze import SETTLEMENT, WITHHELD

BAR_WIDTH: Final = 72
"""Length of the legend's longest bar, in the template's units."""
FILLS: Final = {NO_DATA: "url(#no-data)", WITHHELD: "url(#withheld)"}
"""Patterns of the template for places without a colour."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A number of the table, as printed and as sorted by."""

    key: str
    text: str
    sort: str


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the table."""

    index: int
    code: str
    name: str
    is_settlement: bool
    fill: str
    cells: tuple[Cell, ...]
    reasons: str


@dataclass(frozen=True, slots=True)
class LegendRow:
    """A class of the legend; the bar is as long as its share of the people."""

    fill: str
    bounds: str
    people: str
    places: str
    bar: str


@dataclass(frozen=True, slots=True)
class Source:
    """A line of the list of sources."""

    role: str
    name: str
    source: str
    licence: str
    day: str


@dataclass(frozen=True, slots=True)
class Heading:
    """A column's heading."""

    key: str
    name: str
    is_shown: bool


@dataclass(frozen=True, slots=True)
class Definition:
    """A line of the codebook."""

    key: str
    unit: str
    meaning: str


@dataclass(frozen=True, slots=True)
class View:
    """All that the templates of a published map print."""

    language: Language
    direction: str
    title: str
    city: str
    city_code: str
    is_illustrative: bool
    scenario: str
    measure: str
    facts: tuple[tuple[str, str], ...]
    headings: tuple[Heading, ...]
    has_reasons: bool
    lines: tuple[Line, ...]
    legend: tuple[LegendRow, ...]
    settlements: str
    facility: str
    withheld: str
    without_data: str
    sources: tuple[Source, ...]
    method: tuple[str, ...]
    codebook: tuple[Definition, ...]
    published_on: str
    run: Mapping[str, str]


def view(document: Mapping[str, Any], language: Language) -> View:
    """Return what to print of a document; the language must be the active one, so that the words are its own."""
    rows = document["rows"]
    columns = [column for column in document["columns"] if column["in_table"]]
    return View(
        language=language,
        direction="rtl" if language == "fa" else "ltr",
        title=wording.named(document, language, "title"),
        city=wording.named(document, language, "city_name"),
        city_code=document["city_code"],
        is_illustrative=bool(document["is_illustrative"]),
        scenario=document.get("scenario", ""),
        measure=wording.measure_line(document, language),
        facts=_facts(document, language),
        headings=tuple(
            Heading(
                column["key"],
                wording.column_name(document, column["key"], language),
                column["key"] == document["shown"],
            )
            for column in columns
        ),
        has_reasons=any(row["reasons"] for row in rows),
        lines=tuple(_line(document, index, row, columns, language) for index, row in enumerate(rows)),
        legend=_legend(document, language),
        settlements=_count(sum(row["kind"] == SETTLEMENT for row in rows), language),
        facility=_facility(document, language),
        withheld=_count(sum(row["class"] == WITHHELD for row in rows), language),
        without_data=_count(sum(row["class"] == NO_DATA for row in rows), language),
        sources=_sources(document, language),
        method=tuple(wording.method(document, language)),
        codebook=codebook(document, language),
        published_on=formats.day(date.fromisoformat(document["published_on"]), language),
        run={str(key): str(value) for key, value in document["run"].items()},
    )


def codebook(document: Mapping[str, Any], language: Language) -> tuple[Definition, ...]:
    """Return what every column of the downloads means; the language must be the active one."""
    return tuple(
        Definition(
            column["key"],
            str(wording.UNIT_NAMES[column["unit"]]),
            wording.column_meaning(document, column["key"], language),
        )
        for column in document["columns"]
    )


def _facts(document: Mapping[str, Any], language: Language) -> tuple[tuple[str, str], ...]:
    """Return the two or three numbers a reader should take away, each with its name."""
    totals = document["totals"]
    found = [(_("Residents"), formats.number(totals["population"], language))]
    if document["measure"] != "priority" and totals["population_known"]:
        uncovered = totals["uncovered_people"]
        share = formats.percent(uncovered / totals["population_known"], language)
        count = formats.number(uncovered, language)
        found.append((_("Not covered"), _("%(count)s (%(share)s)") % {"count": count, "share": share}))
    if totals["neighbourhoods"]:
        found.append((_("Neighbourhoods"), formats.number(totals["neighbourhoods"], language)))
    return tuple(found)


def _line(
    document: Mapping[str, Any],
    index: int,
    row: Mapping[str, Any],
    columns: Sequence[Mapping[str, Any]],
    language: Language,
) -> Line:
    return Line(
        index=index,
        code=row["code"],
        name=wording.named(row, language),
        is_settlement=row["kind"] == SETTLEMENT,
        fill=FILLS.get(row["class"]) or document["classes"][row["class"]]["colour"],
        cells=tuple(
            Cell(
                column["key"],
                wording.cell_text(row["numbers"][column["key"]], column, language),
                sort_key(row["numbers"][column["key"]]),
            )
            for column in columns
        ),
        reasons=formats.listing([wording.service_word(document, code, language) for code in row["reasons"]], language),
    )


def sort_key(number: Any) -> str:
    """Return what a cell is sorted by: its number or the bound that is told of it; empty where nothing is.

    Examples
    --------
    >>> sort_key(12.5), sort_key(["below", 10]), sort_key(None)
    ('12.5', '10', '')
    """
    value = told_from_json(number).value
    return "" if value is None else str(value)


def _legend(document: Mapping[str, Any], language: Language) -> tuple[LegendRow, ...]:
    classes = document["classes"]
    most = max((item["people"] for item in classes), default=0) or 1
    return tuple(
        LegendRow(
            fill=item["colour"],
            bounds=wording.bounds_text(document, item["lower"], item["upper"], language),
            people=formats.number(item["people"], language),
            places=formats.number(item["places"], language),
            bar=f"{BAR_WIDTH * item['people'] / most:.1f}",
        )
        for item in reversed(classes)
    )


def _count(count: int, language: Language) -> str:
    return formats.number(count, language) if count else ""


def _facility(document: Mapping[str, Any], language: Language) -> str:
    """Return how the dots of the map are called; nothing where it has none."""
    if "facility" not in document["backdrops"]:
        return ""
    return _("%(thing)s (%(count)s)") % {
        "thing": wording.service_word(document, document["service"], language),
        "count": formats.number(document["facilities"], language),
    }


def _sources(document: Mapping[str, Any], language: Language) -> tuple[Source, ...]:
    """Return the sources, those that differ in nothing but what they are of as one."""
    named: dict[tuple[str, str, str, str | None], list[str]] = {}
    for source in document["sources"]:
        text = wording.sourced(source, "source", language)
        key = (source["role"], text, source["licence"], source["reference_date"])
        named.setdefault(key, []).append(wording.named(source, language))
    return tuple(
        Source(
            role=str(wording.ROLE_NAMES[role]),
            name=formats.listing([word(name) for name in names], language),
            source=source,
            licence=licence,
            day=formats.day(date.fromisoformat(day), language) if day else "",
        )
        for (role, source, licence, day), names in named.items()
    )

"""Scenarios side by side as tables: CSV, and a workbook with a codebook that says what everything in it is."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any, Final

from analysis.comparing import CityComparison, comparison_record
from analysis.core.changes import changes_to_json
from analysis.measures.tables import Column
from analysis.version import code_version
from layers.writing.sinks import inert
from layers.writing.worksheet import Sheet, write_sheets

_SIDE: Final = (
    Column("side", "ستون مقایسه", "Side", description="1 is the side that the others are compared with"),
    Column("scenario", "شمارهٔ سناریو", "Number of the scenario", description="Empty for the city as it is"),
    Column("scenario_name", "نام سناریو", "Name of the scenario"),
)
_PLACE: Final = (
    Column("place", "کد مکان", "Code of the place"),
    Column("place_name_fa", "نام فارسی", "Persian name"),
    Column("place_name_en", "نام انگلیسی", "English name"),
    Column("kind", "نوع", "Kind", description="neighbourhood or settlement"),
)
_COVERED: Final = (
    Column("service", "کد خدمت", "Code of the service"),
    Column("threshold_m", "آستانه", "Threshold", "m", "Metres, or time as metres of level walking"),
    Column("uncovered_people", "جمعیت بی‌پوشش", "People not covered", "people"),
    Column("uncovered_share", "سهم بی‌پوشش", "Share of people not covered", "", "0 to 1; empty where nobody lives"),
    Column(
        "fewer_uncovered",
        "کاهش جمعیت بی‌پوشش",
        "People fewer not covered",
        "people",
        "Than on side 1; below 0 there are more",
    ),
)
_RANKED: Final = (
    Column("score", "امتیاز اولویت", "Priority score", "", "0 to 100, 100 is the highest need"),
    Column("rank", "رتبه", "Rank", "", "1 is the highest need"),
    Column("ranks_down", "تغییر رتبه", "Ranks changed", "", "Above 0 the place is needier than on side 1"),
)
_COVERAGE: Final = (*_PLACE, *_SIDE, *_COVERED)
_PRIORITY: Final = (*_PLACE, *_SIDE, *_RANKED)
_TOTALS: Final = (*_SIDE, *_COVERED)
_CODEBOOK: Final = ("part", "sheet", "name", "value", "unit", "title_fa", "title_en", "description")


def comparison_sheets(found: CityComparison) -> list[Sheet]:
    """Return a comparison as sheets: coverage and priority by place, totals, and the codebook."""
    told = comparison_record(found)
    sides = [(number, side["scenario"], side["name"] or "") for number, side in enumerate(told["sides"], start=1)]

    def covered(values: dict[str, Any], service: dict[str, Any], k: int) -> tuple[Any, ...]:
        of_side = (values[name][k] for name in ("uncovered_people", "uncovered_share", "fewer_uncovered"))
        return (service["code"], service["thresholds_m"][k], *of_side)

    def place(row: dict[str, Any]) -> tuple[Any, ...]:
        return (row["code"], row["name"], row["name_en"], row["kind"])

    coverage = [
        (*place(row), *side, *covered(row["services"][service["code"]], service, k))
        for row in told["places"]
        for service in told["services"]
        for k, side in enumerate(sides)
    ]
    priority = [
        (*place(row), *side, *(row[name][k] for name in ("score", "rank", "ranks_down")))
        for row in told["places"]
        for k, side in enumerate(sides)
    ]
    totals = [
        (*side, *covered(told["totals"][service["code"]], service, k))
        for service in told["services"]
        for k, side in enumerate(sides)
    ]
    tables = (("coverage", _COVERAGE, coverage), ("priority", _PRIORITY, priority), ("totals", _TOTALS, totals))
    return [
        *(Sheet(name, [column.name for column in columns], rows) for name, columns, rows in tables),
        Sheet("codebook", _CODEBOOK, list(_codebook(found, tables))),
    ]


def comparison_xlsx(found: CityComparison) -> bytes:
    """Return a comparison as a workbook; texts are never formulas."""
    file = io.BytesIO()
    write_sheets(file, comparison_sheets(found))
    return file.getvalue()


def comparison_csv(found: CityComparison, sheet: str = "coverage") -> bytes:
    """Return one sheet of a comparison as CSV in UTF-8: ``coverage``, ``priority``, ``totals`` or ``codebook``."""
    chosen = next(one for one in comparison_sheets(found) if one.name == sheet)
    with io.StringIO(newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(chosen.names)
        for row in chosen.rows:
            writer.writerow([inert(value) if isinstance(value, str) else value for value in row])
        return ("\ufeff" + file.getvalue()).encode()


def _codebook(
    found: CityComparison, tables: Sequence[tuple[str, Sequence[Column], Sequence[Any]]]
) -> Iterator[Sequence[Any]]:
    def said(name: str, value: Any, description: str = "") -> Sequence[Any]:
        return ("data", "", name, value, "", "", "", description)

    covered = found.sides[0].result.coverage
    yield said("measure", "comparison of scenarios")
    yield said("city", found.city.code, f"{found.city.name_fa} – {found.city.name_en}")
    yield said("is_illustrative", "yes" if found.city.is_illustrative else "no")
    yield said("written_by", f"Mahalleh {code_version()}")
    yield said("cell_m", covered.cell_m, "Side of a cell of the analysis grid")
    yield said("epsg", covered.epsg, "Projected system in which was measured")
    for number, side in enumerate(found.sides, start=1):
        result = side.result.coverage
        name = f"side {number}"
        yield said(
            f"{name}.scenario",
            side.scenario.pk if side.scenario else "now",
            side.scenario.name if side.scenario else "",
        )
        if side.scenario:
            yield said(f"{name}.version", side.scenario.version, f"Saved {side.scenario.saved_at.isoformat()}")
            yield said(f"{name}.note", side.scenario.note)
        yield said(f"{name}.travel", result.travel.code, f"{result.travel.name_fa} – {result.travel.name_en}")
        if result.population is not None:
            people = result.population
            yield said(f"{name}.population", f"{people.layer_code}, release {people.release_number}", people.source)
        yield said(f"{name}.normalisation", side.result.normalisation)
        yield said(f"{name}.aggregation", side.result.aggregation)
        yield said(f"{name}.inputs_key", result.inputs_key, "Hash of all editions, releases and changes that were used")
        for service in result.services:
            source = f"{service.layer_code}, release {service.release_number}: {service.source}"
            yield said(f"{name}.{service.code}", service.facilities, f"Facilities; weight {service.weight:g}; {source}")
        for change in changes_to_json(result.changes):
            yield said(
                f"{name}.change", change["type"], str({key: value for key, value in change.items() if key != "type"})
            )
    for warning in found.warnings:
        yield said("warning", warning)
    for sheet, columns, _ in tables:
        for column in columns:
            yield (
                "field", sheet, column.name, None, column.unit, column.title_fa, column.title_en, column.description,
            )  # fmt: skip

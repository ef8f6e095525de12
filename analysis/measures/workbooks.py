"""Measures as workbooks: a sheet for each table, and a codebook that says what everything in them is."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any

from analysis.measures.tables import WITHHELD_EN, WITHHELD_FA, Answer, Table
from analysis.version import code_version
from layers.writing.worksheet import Sheet, write_sheets

_CODEBOOK = ("part", "sheet", "name", "value", "unit", "title_fa", "title_en", "description")


def workbook(answer: Answer, *, is_insider: bool) -> bytes:
    """Return a measure as a workbook (XLSX), as a reader may see it.

    Texts are never formulas. What is kept from outsiders is empty; the codebook says so.
    """
    file = io.BytesIO()
    sheets = [_sheet(table, is_insider) for table in answer.tables]
    write_sheets(file, [*sheets, Sheet("codebook", _CODEBOOK, list(_codebook(answer, is_insider)))])
    return file.getvalue()


def _sheet(table: Table, is_insider: bool) -> Sheet:
    names = [column.name for column in table.columns]
    return Sheet(table.name, names, [[row.get(name) for name in names] for row in table.told(is_insider)])


def _codebook(answer: Answer, is_insider: bool) -> Iterator[Sequence[Any]]:
    basis = answer.basis

    def said(name: str, value: Any, description: str = "") -> Sequence[Any]:
        return ("data", "", name, value, "", "", "", description)

    yield said("measure", answer.measure)
    yield said("city", basis.city.code, f"{basis.city.name_fa} – {basis.city.name_en}")
    yield said("method", answer.method)
    yield said("written_by", f"Mahalleh {code_version()}")
    yield said("is_illustrative", "yes" if basis.city.is_illustrative else "no")
    yield said("travel", basis.travel.code, f"{basis.travel.name_fa} – {basis.travel.name_en}")
    for layer in basis.travel.layers:
        yield said(f"travel.{layer.use}", f"{layer.layer_code}, release {layer.release_number}", layer.source)
    yield said("cell_m", basis.cell_m, "Side of a cell of the analysis grid")
    yield said("epsg", basis.epsg, "Projected system in which was measured")
    if basis.population is not None:
        people = basis.population
        day = people.reference_date.isoformat() if people.reference_date else ""
        yield said("population", f"{people.layer_code}, release {people.release_number}", people.source)
        yield said("population.reference_date", day)
        yield said("population.total", round(basis.people, 1), "People of all places, each counted once")
    yield said("inputs_key", basis.inputs_key, "Hash of all editions and releases that were used")
    for name, value in answer.parameters.items():
        yield said(f"parameter.{name}", value if isinstance(value, (str, int, float)) else repr(value))
    for warning in basis.warnings:
        yield said("warning", warning)
    yield said("suppression", "none" if is_insider else f"{WITHHELD_EN} {WITHHELD_FA}")
    for table in answer.tables:
        for column in table.columns:
            yield (
                "field", table.name, column.name, None, column.unit, column.title_fa, column.title_en,
                column.description,
            )  # fmt: skip

"""Workbooks of several tables, with a codebook in Persian and English: what was asked, of which data, and what each column is."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from analysis.measures.tables import Column
from layers.writing.worksheet import Sheet, write_sheets

CODEBOOK: Final = (
    "part", "sheet", "name", "value", "unit", "title_fa", "title_en", "description_fa", "description",
)  # fmt: skip
"""Columns of the codebook: its rows are of the part ``data`` or ``field``."""

SOURCES: Final = (
    Column("use", "کاربرد", "Use", description="What it was read for", description_fa="برای چه خوانده شده است"),
    Column("layer", "کد لایه", "Code of the layer"),
    Column("release", "شمارهٔ نسخه", "Number of the release"),
    Column(
        "reference_date",
        "تاریخ مرجع",
        "Reference date",
        description="Empty where it is not known",
        description_fa="اگر دانسته نباشد خالی است",
    ),
    Column("source", "منبع", "Source"),
    Column(
        "content_hash",
        "چکیدهٔ محتوا",
        "Hash of the content",
        description="The same hash is the same data",
        description_fa="چکیدهٔ یکسان، دادهٔ یکسان",
    ),
)
"""Columns of `source_rows`."""

PLACE: Final = (
    Column("place_code", "کد محدوده", "Code of the place"),
    Column("kind", "نوع", "Kind", description="neighbourhood or settlement", description_fa="محله یا سکونتگاه"),
    Column("name_fa", "نام فارسی", "Persian name"),
    Column("name_en", "نام انگلیسی", "English name"),
)
"""Who a place is, as the first columns of tables of places."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something to be said once: a name for programs, a value, and what it is for people."""

    name: str
    value: Any
    title_fa: str
    title_en: str
    unit: str = ""
    description_fa: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Tabled:
    """A sheet and what its columns are; the rows have a value for each column."""

    name: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]


SUMMARY: Final = (
    Column("name", "نام", "Name"),
    Column("value", "مقدار", "Value"),
    Column("unit", "واحد", "Unit"),
    Column("title_fa", "عنوان فارسی", "Persian title"),
    Column("title_en", "عنوان انگلیسی", "English title"),
    Column("description_fa", "توضیح فارسی", "Description in Persian"),
    Column("description", "توضیح انگلیسی", "Description in English"),
)


def summary_of(facts: Sequence[Fact]) -> Tabled:
    """Return the sheet of the figures that are not of a place, a site or a set."""
    return Tabled("summary", SUMMARY, [(one.name, _plain(one.value), *_told(one)) for one in facts])


def codebook_workbook(tables: Sequence[Tabled], facts: Sequence[Fact]) -> bytes:
    """Return tables and their codebook as a workbook (XLSX). Texts are never formulas."""
    file = io.BytesIO()
    sheets = [Sheet(one.name, [column.name for column in one.columns], one.rows) for one in tables]
    write_sheets(file, [*sheets, Sheet("codebook", CODEBOOK, list(_codebook(tables, facts)))])
    return file.getvalue()


def source_rows(inputs: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Return the releases of layers that a run names among its inputs, for the columns of `SOURCES`."""
    used: list[tuple[str, Mapping[str, Any]]] = []
    if people := inputs.get("population"):
        used.append(("population", people))
    used += [(f"service {code}", one) for code, one in (inputs.get("services") or {}).items()]
    used += [(f"travel {use}", one) for use, one in (inputs.get("travel") or {}).items()]
    used += [("siting", {"layer": code, **one}) for code, one in (inputs.get("siting_layers") or {}).items()]
    return [(use, *(one.get(column.name) for column in SOURCES[1:])) for use, one in used]


def basis_facts(inputs: Mapping[str, Any]) -> Iterator[Fact]:
    """Tell what is no layer among the inputs of a run: boundaries, stored values, the grid."""
    if boundaries := inputs.get("boundaries"):
        yield Fact(
            "boundaries", boundaries["content_hash"], "چکیدهٔ ویرایش‌های مرز", "Hash of the boundary editions",
            description=f"{boundaries['count']} editions", description_fa=f"{boundaries['count']} ویرایش",
        )  # fmt: skip
    if values := inputs.get("values"):
        yield Fact("values", values["content_hash"], "چکیدهٔ مقدارهای شاخص‌ها", "Hash of the stored values of indicators")
    if grid := inputs.get("grid"):
        yield Fact("cell_m", grid["cell_m"], "ضلع یاختهٔ شبکهٔ تحلیل", "Side of a cell of the analysis grid", "m")
        yield Fact("epsg", grid["epsg"], "سامانهٔ تصویر اندازه‌گیری", "Projected system in which was measured")


def _codebook(tables: Sequence[Tabled], facts: Sequence[Fact]) -> Iterator[Sequence[Any]]:
    for one in facts:
        yield ("data", "", one.name, _plain(one.value), *_told(one))
    for table in tables:
        for column in table.columns:
            yield (
                "field", table.name, column.name, None, column.unit, column.title_fa, column.title_en,
                column.description_fa, column.description,
            )  # fmt: skip


def _told(one: Fact) -> tuple[str, str, str, str, str]:
    return (one.unit, one.title_fa, one.title_en, one.description_fa, one.description)


def _plain(value: Any) -> Any:
    """Return what a cell can hold: what has parts as JSON; nothing for what is empty."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (Mapping, list, tuple)):
        return json.dumps(value, ensure_ascii=False) if value else None
    return None if value == "" else value


__all__ = [
    "CODEBOOK", "PLACE", "SOURCES", "SUMMARY", "Fact", "Tabled", "basis_facts", "codebook_workbook", "source_rows",
    "summary_of",
]  # fmt: skip

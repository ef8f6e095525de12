"""Who does what where, and people in need, as CSV and workbooks with the field names of the HDX Humanitarian API (HAPI).

`operational-presence <https://hdx-hapi.readthedocs.io/en/latest/data_usage_guides/coordination_and_context/>`_ and
`humanitarian-needs <https://hdx-hapi.readthedocs.io/en/latest/data_usage_guides/affected_people/>`_: its columns in its words, then
those of ours, since neighbourhoods lie below the second administrative level. Sectors and kinds of organisations keep our codes.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date
from typing import Any, Final, Literal

from analysis.disclosure import SMALL_COUNT
from analysis.measures.tables import WITHHELD_EN, WITHHELD_FA, Column, Row, Table
from analysis.version import code_version
from geo.models import Place
from geo.querysets import User
from interventions.models import Organisation
from interventions.selectors import paths_around
from interventions.selectors.actions import PeopleRow, PresenceRow, people_rows, presence_rows
from layers.writing.sinks import inert
from layers.writing.worksheet import Sheet, write_sheets

Kind = Literal["operational_presence", "humanitarian_needs"]
KINDS: Final[tuple[Kind, ...]] = ("operational_presence", "humanitarian_needs")

_LOCATION: Final = (
    Column("location_code", "کد کشور", "Location code", description="ISO 3166-1 alpha-3 where the country is Iran, else our code"),
    Column("location_name", "کشور", "Location"),
    Column("admin1_code", "کد استان", "Admin 1 code", description="Our code of the province"),
    Column("admin1_name", "استان", "Admin 1"),
    Column("admin2_code", "کد شهرستان", "Admin 2 code", description="Our code of the county"),
    Column("admin2_name", "شهرستان", "Admin 2"),
    Column("admin_level", "سطح", "Admin level", description="The lowest of the levels 0 to 2 that is named"),
)  # fmt: skip
_PERIOD: Final = (
    Column("reference_period_start", "آغاز دوره", "Start of the reference period", description="Day, ISO 8601"),
    Column("reference_period_end", "پایان دوره", "End of the reference period", description="Day, ISO 8601"),
)
_OURS: Final = (
    Column("place_code", "کد جا", "Code of the place", description="Not of HAPI: neighbourhood, settlement or city"),
    Column("place_name", "جا", "Place", description="Not of HAPI; in Persian"),
)
_SECTOR: Final = (
    Column("sector_code", "کد حوزه", "Sector code", description="Of the network's own sectors"),
    Column("sector_name", "حوزه", "Sector"),
)

_PRESENCE: Final = (
    *_LOCATION,
    Column("org_acronym", "کد دستگاه", "Acronym of the organisation", description="Our code of it"),
    Column("org_name", "دستگاه", "Organisation"),
    Column("org_type_code", "کد گونهٔ دستگاه", "Code of the type of organisation", description="Of our own types"),
    Column("org_type_description", "گونهٔ دستگاه", "Type of organisation"),
    *_SECTOR,
    *_PERIOD,
    *_OURS,
    Column("actions", "شمار اقدام‌ها", "Actions", description="Not of HAPI: actions that are not cancelled"),
)
_NEEDS: Final = (
    *_LOCATION,
    *_SECTOR,
    Column("category", "دسته", "Category", description="total, or a group of people: women, children, older, disabled"),
    Column("population_status", "وضعیت جمعیت", "Population status", description="AFF affected, INN in need, TGT targeted, REA reached"),
    Column("population", "جمعیت", "Population", "people", "At least: of the need or the action that concerns most", "part", "_whole"),
    *_PERIOD,
    *_OURS,
)  # fmt: skip


def tables_of(city: Place, user: User) -> dict[Kind, Table]:
    """Return both tables as far as a user may see what they are made of."""
    around = {place.path: place for place in Place.objects.filter(path__in=paths_around(city))}
    presence = [_presence(row, around) for row in presence_rows(city, user)]
    needs = [_people(row, around) for row in people_rows(city, user)]
    return {
        "operational_presence": Table("operational_presence", _PRESENCE, presence),
        "humanitarian_needs": Table("humanitarian_needs", _NEEDS, needs),
    }


def csv_bytes(table: Table, *, is_insider: bool) -> bytes:
    """Return a table as CSV in UTF-8, with the mark by which spreadsheets know it; no text of it is a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    names = [column.name for column in table.columns]
    writer.writerow(names)
    for row in table.told(is_insider):
        writer.writerow([_cell(row.get(name)) for name in names])
    return ("\ufeff" + out.getvalue()).encode()


def workbook(city: Place, tables: Sequence[Table], *, is_insider: bool) -> bytes:
    """Return tables as a workbook, with a codebook that says what every field is and what is not told."""
    file = io.BytesIO()
    sheets = []
    for table in tables:
        names = [column.name for column in table.columns]
        sheets.append(Sheet(table.name, names, [[row.get(name) for name in names] for row in table.told(is_insider)]))
    book: list[list[Any]] = [
        ["data", "", "city", city.code, "", "", "", f"{city.name_fa} – {city.name_en}"],
        ["data", "", "written_by", f"Mahalleh {code_version()}", "", "", "", ""],
        ["data", "", "is_illustrative", "yes" if city.is_illustrative else "no", "", "", "", ""],
        ["data", "", "schema", "HDX HAPI: operational-presence, humanitarian-needs", "", "", "", "Field names are its own"],
        ["data", "", "suppression", "none" if is_insider else f"{WITHHELD_EN} {WITHHELD_FA}", "", "", "", f"below {SMALL_COUNT}"],
    ]  # fmt: skip
    book += [
        ["field", table.name, column.name, None, column.unit, column.title_fa, column.title_en, column.description]
        for table in tables
        for column in table.columns
    ]
    head = ("part", "sheet", "name", "value", "unit", "title_fa", "title_en", "description")
    write_sheets(file, [*sheets, Sheet("codebook", head, book)])
    return file.getvalue()


def _cell(value: Any) -> Any:
    return inert(value) if isinstance(value, str) else "" if value is None else value


def _location(place: Place, around: dict[str, Place]) -> Row:
    found = {one.kind: one for path, one in around.items() if f"{place.path}/".startswith(f"{path}/")}
    country, province, county = (found.get(kind) for kind in ("country", "province", "county"))
    return {
        "location_code": ("IRN" if country.code in ("iran", "ir") else country.code) if country else None,
        "location_name": country.name_en if country else None,
        "admin1_code": province.code if province else None,
        "admin1_name": province.name_en if province else None,
        "admin2_code": county.code if county else None,
        "admin2_name": county.name_en if county else None,
        "admin_level": 2 if county else 1 if province else 0,
        "place_code": place.code,
        "place_name": place.name_fa,
    }


def _period(first: date, last: date) -> Row:
    return {"reference_period_start": first.isoformat(), "reference_period_end": last.isoformat()}


def _presence(row: PresenceRow, around: dict[str, Place]) -> Row:
    return {
        **_location(row.place, around),
        "org_acronym": row.organisation.code,
        "org_name": row.organisation.name_fa or row.organisation.name_en,
        "org_type_code": row.organisation_kind,
        "org_type_description": str(Organisation.Kind(row.organisation_kind).label),
        "sector_code": row.sector.code,
        "sector_name": row.sector.name_en or row.sector.name_fa,
        **_period(row.starts_on, row.ends_on),
        "actions": row.actions,
    }


def _people(row: PeopleRow, around: dict[str, Place]) -> Row:
    return {
        **_location(row.place, around),
        "sector_code": row.sector.code,
        "sector_name": row.sector.name_en or row.sector.name_fa,
        "category": row.group or "total",
        "population_status": row.status,
        "population": row.people,
        "_whole": row.whole,
        **_period(row.starts_on, row.ends_on),
    }

"""The facility of each service that most people of a place have nearest, as a table. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from analysis.measures.answers import distances_answer
from analysis.measures.results import CityDistances
from maps.pages import formats, measured
from maps.pages.reader import language


@dataclass(frozen=True, slots=True)
class NearestRow:
    """One service of the table; ``number`` is the facility's row, 0 for one that a scenario adds."""

    service_code: str
    service_name: str
    facility: str
    number: int
    distance_text: str
    share_text: str
    others_text: str


def nearest_view(result: CityDistances, place: str, *, is_insider: bool) -> tuple[NearestRow, ...]:
    """Present the nearest facilities of a place; services that nobody goes to are left out."""
    lang = language()
    tables = distances_answer(result).rows(is_insider)
    rows = {row["service"]: row for row in tables.get("nearest", []) if row["code"] == place}
    return tuple(
        NearestRow(
            service_code=one.service.code,
            service_name=one.service.name,
            facility=str(row["name"]) or _("number %(n)s") % {"n": formats.number(row["number"], lang)},
            number=int(row["number"]),
            distance_text=_told(row, "mean_distance_m")
            or measured.cost_text(row["mean_distance_m"], one.service, result.basis.travel),
            share_text=_told(row, "share") or formats.percent(row["share"], lang),
            others_text=formats.number(row["others"], lang),
        )
        for one in result.services
        if (row := rows.get(one.service.code)) is not None
    )


def _told(row: Mapping[str, Any], name: str) -> str:
    """Say that a value was kept back; empty where it was not."""
    return _("withheld") if row[name] is None else ""

"""Outcomes as a table: the columns that `interventions.services.outcomes_plan` reads, and behind them what came of them."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from typing import Any, Final

from geo.models import Place
from geo.querysets import User, assigned_q, is_administrator
from interventions.core.transitions import OUTCOME
from interventions.core.years import Year
from interventions.selectors.outcomes import AREA_KINDS, Changed, ChangeRow
from interventions.services.outcomes import COLUMNS
from layers.writing.sinks import inert

TOLD: Final = (
    "place_name", "indicator_name", "unit", "year_before", "year_before_error", "change", "change_error", "verdict",
    "effect", "effect_error", "effect_verdict", "was_acted_in", "is_comparison",
)  # fmt: skip
_VALUES: Final = COLUMNS[3:8]


def csv_bytes(found: Changed) -> bytes:
    """Return what changed as CSV in UTF-8, with the mark by which spreadsheets know it; no text of it is a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([*COLUMNS, *TOLD])
    indicators = {one.pk: one for one in found.indicators}
    for row in found.rows:
        one = indicators[row.indicator]
        told: Sequence[Any] = (row.place.name_fa, one.name.name_fa, one.unit, *_told(row, found.year))
        # A row of a table has one source: what comes from another one gets a row of its own.
        for said, values in _by_source(row, found.year) or [(("", ""), {})]:
            key = [row.place.code, one.name.code, found.year.number]
            cells = [*key, *(values.get(name, "") for name in _VALUES), *said, *told]
            writer.writerow([inert(cell) if isinstance(cell, str) else cell for cell in cells])
            told = [""] * len(TOLD)
    return ("\ufeff" + out.getvalue()).encode()


def _by_source(row: ChangeRow, year: Year) -> list[tuple[tuple[str, str], dict[str, float]]]:
    """Return the values entered for the year with their errors, by their source."""
    found: dict[tuple[str, str], dict[str, float]] = {}
    for kind, value in (("baseline", row.baseline), ("target", row.target), ("measured", row.measured)):
        if value is None or value.year != year:
            continue
        values = found.setdefault((value.source, value.source_fa), {})
        values[kind] = value.value
        if value.error is not None:
            values[f"{kind}_error"] = value.error
    return list(found.items())


def _told(row: ChangeRow, year: Year) -> tuple[Any, ...]:
    before = row.baseline if row.baseline is not None and row.baseline.year != year else None
    found: list[Any] = [
        "" if before is None else before.value,
        "" if before is None or before.error is None else before.error,
    ]
    for estimate in (row.change, row.effect):
        if estimate is None:
            found += ["", "", "withheld" if row.is_withheld else "unknown"]
        else:
            error: float | str = round(estimate.error, 6) if math.isfinite(estimate.error) else ""
            found += [round(estimate.value, 6), error, estimate.verdict]
    return (*found, "yes" if row.is_acted_in else "no", "yes" if row.is_comparison else "no")


def places_measured_by(city: Place, user: User) -> list[Place]:
    """Return the places of a city whose values a user may enter: the city, then its settlements and neighbourhoods."""
    found = Place.objects.within(city)
    if not is_administrator(user):
        found = found.filter(assigned_q(user, roles=tuple(sorted(OUTCOME["enter"].roles))))
    kinds = [Place.Kind.CITY, Place.Kind.DISTRICT, *AREA_KINDS]
    return sorted(found.filter(kind__in=kinds), key=lambda one: (kinds.index(Place.Kind(one.kind)), one.name))

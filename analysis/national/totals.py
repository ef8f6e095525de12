"""What came of a national run: totals of provinces and of the country, problems, and what a city takes by its size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np

from analysis.models import NationalCity, NationalRun
from geo.models import Place

SIZES: Final = (3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000)
"""Cells of the grid below which a city belongs to a class."""


def national_answer(national: NationalRun, only: Place | None = None) -> dict[str, Any]:
    """Return what a national run says, as JSON.

    Returns
    -------
    dict
        ``run``, ``country``, ``question``, ``code_version``; ``total`` (see `added`), ``provinces`` (the same of each, with
        ``code``, ``name``, ``name_en``), ``cities`` (what each was counted as and took, with the numbers of its runs),
        ``problems``, and ``sizes`` (see `by_size`).
    """
    rows = national.cities.filter(done_at__isnull=False).select_related("city").order_by("city__path")
    if only is not None:
        rows = rows.filter(city__in=Place.objects.within(only))
    found: Sequence[NationalCity] = list(rows)
    provinces = []
    for province in Place.objects.within(national.country).filter(kind=Place.Kind.PROVINCE):
        inside = [row for row in found if row.city.path.startswith(f"{province.path}/")]
        if inside:
            named = {"code": province.code, "name": province.name_fa, "name_en": province.name_en}
            provinces.append(named | added(inside))
    return {
        "run": national.pk,
        "country": national.country.code,
        "question": national.question,
        "code_version": national.code_version,
        "total": added(found),
        "provinces": provinces,
        "cities": [_city(row) for row in found if not row.problem],
        "problems": [
            {"city": row.city.code, "name_en": row.city.name_en, **row.problem} for row in found if row.problem
        ],
        "sizes": by_size(row for row in found if not row.problem),
    }


def _city(row: NationalCity) -> dict[str, Any]:
    return {
        "code": row.city.code, "name": row.city.name_fa, "name_en": row.city.name_en, "people": row.people,
        "places": row.places, "cells": row.cells, "seconds": row.seconds, "cpu_seconds": row.cpu_seconds,
        "memory_mb": row.memory_mb, "coverage": row.coverage_id, "priority": row.priority_id, "totals": row.totals,
    }  # fmt: skip


def added(rows: Sequence[NationalCity]) -> dict[str, Any]:
    """Add cities up.

    Returns
    -------
    dict
        ``cities``, ``problems``, ``people`` and ``area_m2`` of their neighbourhoods, and by service ``cities`` that have it,
        ``people`` of these, ``uncovered_people``, ``covered_share`` (None without people), ``uncovered_m2``,
        ``unreachable_people``; ``settlements``, the same of informal settlements.
    """
    totals = [row.totals for row in rows if not row.problem]
    whole = {"cities": len(rows), "problems": sum(1 for row in rows if row.problem)}
    return whole | _added(totals) | {"settlements": _added([total["settlements"] for total in totals])}


def _added(totals: Sequence[dict[str, Any]]) -> dict[str, Any]:
    services: dict[str, dict[str, Any]] = {}
    for total in totals:
        for code, values in total["services"].items():
            one = services.setdefault(code, {"cities": 0, "people": 0.0, **dict.fromkeys(values, 0.0)})
            one["cities"] += 1
            one["people"] += total["people"]
            for name, value in values.items():
                one[name] += value
    for one in services.values():
        one["covered_share"] = 1 - one["uncovered_people"] / one["people"] if one["people"] else None
    return {
        "people": sum(total["people"] for total in totals),
        "area_m2": sum(total["area_m2"] for total in totals),
        "services": services,
    }


def by_size(rows: Iterable[NationalCity]) -> list[dict[str, Any]]:
    """Return what a city takes by its size, so that a larger country, or a continent, can be planned for.

    Returns
    -------
    list of dict
        For each class of `SIZES` that has a city, the smallest first: ``below`` (cells; None for the last), ``cities``,
        ``cells`` and ``places`` of a city on average, ``seconds`` and ``cpu_seconds`` of one on average,
        ``cpu_seconds_a_million_cells``, and ``memory_mb``, the most that the process had of any.
    """
    classes: dict[int, list[NationalCity]] = {}
    for row in rows:
        classes.setdefault(int(np.searchsorted(SIZES, row.cells, side="right")), []).append(row)
    table = []
    for number, inside in sorted(classes.items()):
        cells, cpu = sum(row.cells for row in inside), sum(row.cpu_seconds for row in inside)
        n = len(inside)
        table.append({
            "below": SIZES[number] if number < len(SIZES) else None,
            "cities": n,
            "cells": cells / n,
            "places": sum(row.places for row in inside) / n,
            "seconds": sum(row.seconds for row in inside) / n,
            "cpu_seconds": cpu / n,
            "cpu_seconds_a_million_cells": cpu / cells * 1e6 if cells else None,
            "memory_mb": max(row.memory_mb for row in inside),
        })  # fmt: skip
    return table

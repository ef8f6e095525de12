"""Measures as JSON."""

from __future__ import annotations

from typing import Any

from analysis.measures.results import Basis
from analysis.measures.tables import Answer
from maps.problems import text_told


def answer_json(found: Answer, *, is_insider: bool) -> dict[str, Any]:
    """Return a measure as a reader may see it; what is kept from outsiders is null, and named in ``withheld`` of its row."""
    return {
        "measure": found.measure,
        "method": found.method,
        **basis_json(found.basis),
        "parameters": dict(found.parameters),
        "units": {
            table.name: {column.name: column.unit for column in table.columns if column.unit} for table in found.tables
        },
        "tables": found.rows(is_insider),
    }


def basis_json(basis: Basis) -> dict[str, Any]:
    """Return what a measure was computed from."""
    return {
        "city": basis.city.code,
        "travel": {
            "code": basis.travel.code,
            "name_fa": basis.travel.name_fa,
            "name_en": basis.travel.name_en,
            "is_time": basis.travel.is_time,
        },
        "people": basis.people if basis.population is not None else None,
        "inputs": dict(basis.inputs),
        "inputs_key": basis.inputs_key,
        "warnings": [text_told(warning) for warning in basis.warnings],
        "duration_ms": round(basis.duration_ms, 2),
    }

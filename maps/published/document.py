"""What is stored of a published map beside its two pages: everything said on it, as JSON, in both languages or none.

The pages, the table of our own page and the downloads are all made from this one document, so they cannot disagree.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Final

from maps.pages.telling import Told
from maps.published.drawing import Drawing
from maps.published.freeze import Frozen, Row, totals

FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class ServiceFact:
    """A service as the result used it."""

    code: str
    name_fa: str
    name_en: str
    threshold_m: float
    standard_m: float
    standard_source: str
    is_verified: bool
    weight: float | None = None
    standard_source_fa: str = ""


@dataclass(frozen=True, slots=True)
class SourceFact:
    """Where some of the data come from; ``role`` is ``boundaries``, ``population``, ``service`` or ``backdrop``."""

    role: str
    name_fa: str
    name_en: str
    source: str
    licence: str = ""
    reference_date: date | None = None
    source_fa: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a published map says besides its numbers.

    Attributes
    ----------
    service : str
        Code of the service the colour is about; empty for priority.
    scenario : str
        Name of the scenario that is shown; empty for the city as it is.
    travel : dict
        How distances were measured: ``name_fa``, ``name_en``, and ``is_time`` where metres stand for time; empty for a
        straight line.
    """

    slug: str
    title_fa: str
    title_en: str
    city_code: str
    city_name_fa: str
    city_name_en: str
    is_illustrative: bool
    published_on: date
    service: str
    services: tuple[ServiceFact, ...]
    sources: tuple[SourceFact, ...]
    cell_m: float
    normalisation: str = ""
    aggregation: str = ""
    facilities: int = 0
    run: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    scenario: str = ""
    travel: dict[str, Any] = field(default_factory=dict)


def document(frozen: Frozen, facts: Facts, drawing: Drawing) -> dict[str, Any]:
    """Return the JSON document of a publication."""
    said = asdict(facts)
    said["published_on"] = facts.published_on.isoformat()
    said["sources"] = [
        {**asdict(source), "reference_date": source.reference_date.isoformat() if source.reference_date else None}
        for source in facts.sources
    ]
    said["services"] = [asdict(service) for service in facts.services]
    said["warnings"] = list(facts.warnings)
    return {
        "format": FORMAT,
        **said,
        "measure": frozen.measure,
        "shown": frozen.shown,
        "columns": [asdict(column) for column in frozen.columns],
        "classes": [asdict(legend_class) for legend_class in frozen.classes],
        "rows": [_row_json(row) for row in frozen.rows],
        "totals": totals(frozen),
        "backdrops": sorted(kind for kind, shapes in drawing.numbers["backdrops"].items() if shapes),
        "backdrops_left_out": list(drawing.left_out),
        "tolerance_m": drawing.tolerance_m,
    }


def told_json(told: Told) -> float | list[Any] | None:
    """Return a told number as JSON: itself where exact, None where there is none, else what is known of it.

    Examples
    --------
    >>> told_json(Told(12.0)), told_json(Told(10.0, "below")), told_json(Told(None, "withheld"))
    (12.0, ['below', 10.0], ['withheld', None])
    """
    return told.value if told.kind in ("exact", "none") else [told.kind, told.value]


def told_from_json(value: float | list[Any] | None) -> Told:
    """Return a told number from what `told_json` wrote.

    Examples
    --------
    >>> told_from_json(["below", 10.0]), told_from_json(None).kind
    (Told(value=10.0, kind='below'), 'none')
    """
    if isinstance(value, list):
        return Told(value[1], value[0])
    return Told(value, "none" if value is None else "exact")


def _row_json(row: Row) -> dict[str, Any]:
    return {
        "code": row.code,
        "kind": row.kind,
        "name_fa": row.name_fa,
        "name_en": row.name_en,
        "class": row.class_index,
        "numbers": {key: told_json(told) for key, told in row.numbers.items()},
        "reasons": list(row.reasons),
    }

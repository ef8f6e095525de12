"""Releases to export: rows with everything that formats spoil, and layers to hold them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import shapely

from geo.db.shapes import to_geos
from geo.models import Place
from layers.models import Feature, Layer, Release, Theme

LONG = ("نشانی بسیار بلند با «گیومه»، " * 2000).strip()
"""More than a worksheet's cell holds, and far more than a Shapefile's."""


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    geometry: shapely.Geometry
    attributes: dict[str, Any]


ATTRIBUTES: list[dict[str, Any]] = [
    {
        "نوع کاربری": "مسکونی\u200cتجاری",
        "کد": "007",
        "floors": 3,
        "share": 1,
        "open": True,
        "built": "1998-03-21",
        "seen": "2024-05-06T07:08:09+00:00",
        "noon": "2024-05-06T12:00:00",
        "note": LONG,
        "formula": '=HYPERLINK("http://evil/";"click")',
        "nothing": None,
    },
    {"نوع کاربری": "A & B <i>\"'</i>, ;", "floors": -12, "share": 2.5, "open": False, "built": "2022-08-01"},
    {"کد": "0123", "share": 0.1, "floors": 2_000_000_000, "formula": "+1", "note": "line\nbreak"},
    {},
]
"""Of four rows; what is missing is null."""

TYPES = {
    "نوع کاربری": "text", "کد": "text", "floors": "integer", "share": "number", "open": "boolean", "built": "date",
    "seen": "datetime", "noon": "datetime", "note": "text", "formula": "text", "nothing": "empty",
}  # fmt: skip

_SQUARE = shapely.box(48.30000000012345, 33.4, 48.31, 33.41)
_HOLED = shapely.Polygon(
    shapely.box(48.2, 33.3, 48.29, 33.39).exterior.coords,
    [list(shapely.box(48.22, 33.32, 48.24, 33.34).exterior.coords)[::-1]],
)
GEOMETRIES: dict[str, list[shapely.Geometry]] = {
    "point": [
        shapely.Point(48.351234567891, 33.4876543219),
        shapely.Point(48.36, 33.49),
        shapely.Point(48.37, 33.5),
        shapely.Point(48.38, 33.51),
    ],
    "line": [shapely.LineString([(48.35, 33.48), (48.3512345678912, 33.49), (48.36, 33.5)])] * 4,
    "polygon": [_SQUARE, _HOLED, shapely.box(48.4, 33.4, 48.41, 33.41), shapely.box(48.5, 33.4, 48.51, 33.41)],
    "mixed polygon": [_SQUARE, shapely.MultiPolygon([_HOLED, shapely.box(48.4, 33.4, 48.41, 33.41)]), _HOLED, _SQUARE],
    "mixed point": [shapely.Point(48.3, 33.4), shapely.MultiPoint([(48.36, 33.49), (48.37, 33.5)])] * 2,
}


def rows_of(geometries: str) -> list[Row]:
    """Return four rows; the last has no name."""
    names = ["خانه\u200cی یک", "@two", "سه", ""]
    return [Row(*parts) for parts in zip(names, GEOMETRIES[geometries], ATTRIBUTES, strict=True)]


def release_put(
    city: Place,
    rows: Sequence[Row],
    *,
    code: str = "exported",
    kind: str = "polygon",
    fields: list[dict[str, Any]] | None = None,
    **of_layer: Any,
) -> Release:
    """Make a layer with one release of these rows, as an import would."""
    layer, _ = Layer.objects.get_or_create(
        city=city,
        code=code,
        defaults={
            "theme": Theme.objects.order_by("pk").first(),
            "kind": kind,
            "name_fa": "لایه‌ی آزمون",
            "name_en": "Test layer",
            "source": "Survey of 1403",
            "source_fa": "برداشت ۱۴۰۳",
            "licence": "CC-BY-4.0",
            "visibility": "public",
        }
        | of_layer,
    )
    bounds = shapely.total_bounds([row.geometry for row in rows]).tolist() if rows else [None] * 4
    release = Release.objects.create(
        layer=layer,
        number=Release.objects.next_number(layer),
        reference_date=date(2024, 5, 6),
        file_name="brought.gpkg",
        file_sha256="a" * 64,
        content_hash="b" * 64,
        row_count=len(rows),
        fields=fields if fields is not None else [],
        west=bounds[0], south=bounds[1], east=bounds[2], north=bounds[3],
    )  # fmt: skip
    Release.objects.filter(pk=release.pk).update(created_at=datetime(2024, 5, 7, tzinfo=UTC))
    for number, row in enumerate(rows, start=1):
        kept = {key: value for key, value in row.attributes.items() if value is not None}
        Feature.objects.create(
            release=release, number=number, name=row.name, geometry=to_geos(row.geometry), attributes=kept
        )
    return Release.objects.select_related("layer__city", "layer__theme").get(pk=release.pk)


def declared() -> list[dict[str, Any]]:
    """Return the fields of the rows as an import says them."""
    return [{"name": name, "type": type_, "filled": 1} for name, type_ in TYPES.items()]

"""From which zooms on a layer has tiles: none is ever unbounded, and what is left out is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Case, Expression, IntegerField, Q, Value, When

from maps.tiles.address import DEEPEST_ZOOM
from maps.tiles.expressions import MOST_FEATURES, DetailZoom
from maps.tiles.selection import newest_features

MAIN_CLASSES: Final = (
    "motorway",
    "trunk",
    "primary",
    "secondary",
    "tertiary",
    "highway",
    "ring",
    "arterial",
    "collector",
)
"""Values of the attribute `class` that a map of a whole city shows. A layer too dense to be whole there shows these alone."""


@dataclass(frozen=True, slots=True)
class Zooms:
    """From which zooms on a layer has tiles, and whole ones.

    Between the two a tile holds the features of `MAIN_CLASSES` alone. Below the first it is empty.
    """

    first: int
    whole: int


EVERY_ZOOM: Final = Zooms(first=0, whole=0)

remembered_zooms: dict[tuple[str, str], tuple[int, Zooms]] = {}
"""Per city and layer code: the newest release seen, and its zooms. A release never changes, so this never goes stale."""


def zoom_columns() -> dict[str, Expression]:
    """Return the zooms of the newest release, for a query of layers that has its number of rows as ``_rows``."""
    features = newest_features()
    return {
        "whole_zoom": _zero_if_few(DetailZoom(features, "geometry_3857")),
        "first_zoom": _zero_if_few(DetailZoom(features.filter(is_main()), "geometry_3857")),
    }


def zooms_of(row: Mapping[str, Any]) -> Zooms:
    """Return what `zoom_columns` computed, within the zooms there are."""
    whole = min(row["whole_zoom"], DEEPEST_ZOOM)
    return Zooms(first=min(row["first_zoom"], whole), whole=whole)


def _zero_if_few(zoom: DetailZoom) -> Expression:
    """Spare small layers the counting."""
    return Case(When(_rows__lte=MOST_FEATURES, then=Value(0)), default=zoom, output_field=IntegerField())


def is_main() -> Q:
    """Return the condition "belongs on a map of the whole city"."""
    return Q(attributes__class__in=MAIN_CLASSES)

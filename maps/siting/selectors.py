"""What the pages of siting read beside plans: services, layers that may be chosen, facilities of today, the drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from analysis.ground import grid_kept
from analysis.results import Question, ServiceRow
from analysis.selectors import CityReading, services_asked
from analysis.siting import MOST_CANDIDATES
from analysis.what_if import facilities_of
from geo.errors import MahallehError
from geo.models import Place
from geo.querysets import User
from layers.models import Layer, Release
from maps.assets import worker_url
from maps.pages.outlines import Drawing
from maps.pages.reader import language
from maps.pages.selectors import base_layers, drawing_read


@dataclass(frozen=True, slots=True)
class LayerRow:
    """A layer that may be chosen."""

    code: str
    name: str
    kind: str
    rows: int
    fields: tuple[str, ...]


def services_of(reading: CityReading) -> tuple[ServiceRow, ...]:
    """Return the services of a city that people go to and that have a standard."""
    rows, _ = services_asked(reading.city, reading.supplied, Question())
    return tuple(row for row in rows if row.kind != "utility")


def layers_to_choose(city: Place, user: User) -> tuple[LayerRow, ...]:
    """Return the layers of points and polygons of a city that a user may see and that have data."""
    layers = Layer.objects.visible_to(user).current().filter(city=city, kind__in=("point", "polygon"))
    newest: dict[int, Release] = {}
    for release in Release.objects.filter(layer__in=layers).order_by("layer_id", "-number"):
        newest.setdefault(release.layer_id, release)
    return tuple(
        LayerRow(
            layer.code,
            layer.name,
            layer.kind,
            newest[layer.pk].row_count,
            tuple(str(field["name"]) for field in newest[layer.pk].fields),
        )
        for layer in layers
        if layer.pk in newest
    )


def candidate_layers(found: Sequence[LayerRow]) -> list[LayerRow]:
    """Return the layers whose features may be candidates: with a condition, also a larger one may."""
    return [row for row in found if row.rows <= MOST_CANDIDATES or row.fields]


def facilities_today(reading: CityReading, code: str) -> list[list[float]]:
    """Return longitude and latitude of the facilities of a service as they are; none where the reader may not see them."""
    rows, _ = services_asked(reading.city, reading.supplied, Question({code: 1.0}))
    row = next((one for one in rows if one.code == code), None)
    if row is None:
        return []
    middles = facilities_of(row, grid_kept(reading, None).epsg).middles
    return [[round(lon, 6), round(lat, 6)] for lon, lat in middles.tolist()]


def drawing_or_none(city: Place, user: User) -> Drawing | None:
    """Return the drawing of a city; None where no place has a boundary that the user may see."""
    try:
        return drawing_read(city, user)
    except MahallehError:
        return None


def map_config(city: Place, user: User, drawing: Drawing) -> dict[str, Any]:
    """Return what the browser needs to draw the city."""
    return {
        "language": language(),
        "urls": {"tiles": f"/tiles/{city.code}/", "worker": worker_url()},
        "bounds": list(drawing.bounds_4326),
        "layers": base_layers(city, user),
        "colours": ["rgba(0,0,0,0)"],
        "points": {},
    }

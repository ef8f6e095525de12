"""What the browser needs to draw the live map of a layer, and the drawing that stands where it cannot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import shapely
from django.urls import NoReverseMatch, reverse

from geo.core.crs import STORAGE_EPSG, TILE_EPSG, project
from geo.errors import MahallehError
from geo.querysets import User
from layers.models import Layer, Release
from maps.assets import worker_url
from maps.catalogue.rows import Row
from maps.pages import selectors as pages_selectors
from maps.pages.outlines import Drawing
from maps.pages.reader import language

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class MapView:
    """The map of a layer.

    Attributes
    ----------
    drawing : Drawing or None
        The city's places, for readers without a live map; None where it has none.
    frame : tuple of float or None
        Where the layer lies in the drawing: x, y, width and height.
    config : dict
        For the live map; empty where there is nothing to draw.
    """

    drawing: Drawing | None
    frame: Box | None
    config: dict[str, Any]


def map_of(
    layer: Layer, release: Release | None, box: Box | None, user: User, *, is_newest: bool, chosen: Row | None = None
) -> MapView:
    """Return the map of a layer; of an older release, whose tiles are not made any more, the drawing alone.

    Parameters
    ----------
    box
        What is shown: the bounds of the release, or of one row.
    chosen : Row, optional
        The row that is chosen on it.
    """
    city = layer.city
    try:
        drawing = pages_selectors.drawing_read(city, user)
    except MahallehError:  # no place with a boundary that this reader may see
        drawing = None
    frame = _frame(drawing, box) if drawing is not None and box is not None else None
    if release is None or box is None or not is_newest:
        return MapView(drawing, frame, {})
    source = _source(layer)
    if not source:
        return MapView(drawing, frame, {})
    base = [
        one for one in pages_selectors.base_layers(city, user) if one["code"] != layer.code or one["role"] == "terrain"
    ]
    config = {
        "language": language(),
        "urls": {
            "tiles": f"/tiles/{city.code}/",
            "worker": worker_url(),
            "page": reverse("layer", args=[city.code, layer.code]),
        },
        "bounds": list(box),
        "layers": base,
        "colours": ["rgba(0,0,0,0)"],
        "points": {},
        "shown": {"kind": layer.kind, **source},
        "chosen": chosen.number if chosen else None,
        "at": [chosen.lon, chosen.lat] if chosen else None,
    }
    return MapView(drawing, frame, config)


def _source(layer: Layer) -> dict[str, str]:
    """Return where the tiles of a layer are described."""
    name = "tiles-raster-json" if layer.kind == Layer.Kind.RASTER else "tiles-layer-json"
    try:
        return {"url": reverse(name, args=[layer.city.code, layer.code])}
    except NoReverseMatch:
        return {}


def _frame(drawing: Drawing, box: Box) -> Box:
    """Return where a box in degrees lies in a drawing of the city, cut to the sheet."""
    corners = [shapely.box(*drawing.bounds_4326), shapely.box(*box)]
    sheet, shown = (shape.bounds for shape in project(corners, STORAGE_EPSG, TILE_EPSG))
    scale = drawing.width / max(sheet[2] - sheet[0], 1e-9)
    west, east = (min(max((x - sheet[0]) * scale, 0.0), drawing.width) for x in (shown[0], shown[2]))
    north, south = (min(max((sheet[3] - y) * scale, 0.0), drawing.height) for y in (shown[3], shown[1]))
    return round(west, 1), round(north, 1), round(max(east - west, 4.0), 1), round(max(south - north, 4.0), 1)

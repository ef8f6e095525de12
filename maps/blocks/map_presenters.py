"""The form of a place as its maps draw it: GeoJSON for the live one, outlines of blocks for the drawing. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from analysis.core.path_counts import homes_beside
from analysis.settlement_form import PlaceGround, SettlementForm
from geo.core.crs import STORAGE_EPSG, project
from maps.pages.outlines import path_of

Geometries = NDArray[np.object_]

DEEPEST: Final = 5
"""Layers from this on are drawn alike."""

_DIGITS: Final = 6
_SIDE: Final = 1000.0


@dataclass(frozen=True, slots=True)
class BlockShape:
    """A block of the drawing."""

    d: str
    css: str
    number: int


@dataclass(frozen=True, slots=True)
class FormDrawing:
    """Blocks as paths in units from the upper left corner."""

    width: float
    height: float
    blocks: tuple[BlockShape, ...]
    streets: str


def layer_css(k: int) -> str:
    """Name the class of a layer: the deeper the darker.

    Examples
    --------
    >>> layer_css(0), layer_css(1), layer_css(9)
    ('none', 'l1', 'l5')
    """
    return "none" if k <= 0 else f"l{min(k, DEEPEST)}"


def form_drawing(form: SettlementForm) -> FormDrawing:
    """Draw the blocks of a place by their k."""
    west, south, east, north = shapely.bounds(form.outline)
    scale = _SIDE / max(east - west, north - south)

    def placed(geometries: Geometries) -> Geometries:
        return np.asarray(
            shapely.transform(geometries, lambda xy: (xy - (west, north)) * (scale, -scale)), dtype=object
        )

    shapes = placed(shapely.simplify(form.blocks.polygons, 0.5 / scale))
    lines = shapely.get_parts(placed(shapely.simplify(form.streets, 0.5 / scale)))
    return FormDrawing(
        (east - west) * scale,
        (north - south) * scale,
        tuple(
            BlockShape(
                path_of(shape),
                layer_css(int(form.complexity.k[i]) if form.complexity.homes[i] else 0),
                i,
            )
            for i, shape in enumerate(shapes)
        ),
        "".join(_d(line) for line in lines if line.geom_type == "LineString"),
    )


def _d(line: Any) -> str:
    points = shapely.get_coordinates(line).round().astype(int).tolist()
    return "M" + "L".join(f"{x} {y}" for x, y in points)


def form_geojson(form: SettlementForm, ground: PlaceGround, path_width_m: float) -> str:
    """Return as JSON what the live map draws, in EPSG:4326: plots by layer, homes without access, streets by width, pieces of paths."""
    parcels = form.parcels
    lacks = (form.complexity.layer > 1) | (form.complexity.layer < 0)
    stands_on = parcels.building_parcel
    hidden = (
        np.flatnonzero((stands_on >= 0) & lacks[np.maximum(stands_on, 0)]) if lacks.size else np.empty(0, dtype=int)
    )
    metres = np.where(np.isnan(form.street_width_m), -1.0, form.street_width_m.round(1))
    # A street that only touches the outline leaves a point of itself inside.
    is_line = np.isin(shapely.get_type_id(form.streets), (1, 5))
    layers = form.complexity.layer.tolist()
    parts = {
        "plots": _features(
            form, parcels.polygons, [{"layer": layer, "block": block} for layer, block in zip(layers, parcels.block.tolist(), strict=True)]
        ),
        "homes": _features(form, form.houses[hidden], [{} for _ in hidden]),
        "streets": _features(form, form.streets[is_line], [{"width": width} for width in metres[is_line].tolist()]),
        "blocks": _features(form, form.blocks.polygons, [{"block": i} for i in range(len(form.blocks.polygons))]),
        "pieces": pieces_geojson(ground, path_width_m),
    }  # fmt: skip
    return "{" + ",".join(f'"{name}":{text}' for name, text in parts.items()) + "}"


def pieces_geojson(ground: PlaceGround, path_width_m: float) -> str:
    """Return as JSON the pieces that paths can be put together from, each with its name, its length, and the homes that it would touch."""
    names, lengths, touched, joins = [], [], [], []
    for block, own in ground.blocks.items():
        graph = own.graph
        chosen = np.flatnonzero(~graph.along_street)
        first, _ = homes_beside(graph.lines[chosen], own.buildings, path_width_m)
        names += [f"{block}-{edge}" for edge in chosen.tolist()]
        lengths += graph.length_m[chosen].round(1).tolist()
        touched += np.diff(first).tolist()
        joins += (graph.is_street[graph.u[chosen]] | graph.is_street[graph.v[chosen]]).tolist()
    return _collection(
        ground.lines_4326,
        [
            {"name": name, "m": length, "homes": homes, "street": joined}
            for name, length, homes, joined in zip(names, lengths, touched, joins, strict=True)
        ],
        with_id=True,
    )


def _features(form: SettlementForm, shapes: Geometries, properties: Sequence[dict[str, Any]]) -> str:
    placed = project(shapes, form.epsg, STORAGE_EPSG) if len(shapes) else shapes
    return _collection(np.asarray(placed, dtype=object), properties)


def _collection(shapes: Geometries, properties: Sequence[dict[str, Any]], *, with_id: bool = False) -> str:
    """Write a feature collection: geometries by the library, which is many times quicker than to build them as objects."""
    rounded = shapely.transform(shapes, lambda xy: xy.round(_DIGITS)) if len(shapes) else shapes
    features = []
    for number, (text, told) in enumerate(zip(shapely.to_geojson(rounded), properties, strict=True)):
        own = f'"id":{number},' if with_id else ""
        words = json.dumps(told, separators=(",", ":"))
        features.append(f'{{"type":"Feature",{own}"properties":{words},"geometry":{text}}}')
    return f'{{"type":"FeatureCollection","features":[{",".join(features)}]}}'


__all__ = ["DEEPEST", "FormDrawing", "form_drawing", "form_geojson", "layer_css", "pieces_geojson"]

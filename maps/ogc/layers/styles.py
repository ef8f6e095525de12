"""Styles (MapLibre style specification 8) of one layer, and of a whole city: what MapLibre and QGIS draw the tiles with at once.

Nothing in them lies elsewhere: no fonts, no icons, only tiles of this host. Colours are those of the site's own maps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from layers.models import Layer
from maps.tiles.address import DEEPEST_ZOOM
from maps.tiles.descriptions import Description

INK, PAPER, ACCENT = "#1b2430", "#fbfaf7", "#0f6b6b"
_COLOURS: Final = {
    "health": "#b4452f", "education": "#8a5a00", "green": "#3d7a3d", "sport": "#3d7a3d", "transport": "#5d6670", "roads": "#8b929a",
    "water": "#2f6f9f", "sewer": "#6b5b3e", "power": "#a06a00", "gas": "#8c4a7e", "buildings": "#a89f91", "safety": "#a23b3b",
}  # fmt: skip
_ORDER: Final = (Layer.Kind.POLYGON, Layer.Kind.LINE, Layer.Kind.POINT)

Shown = tuple[str, Layer, Description]
"""The identifier of a collection, its layer, and what its tiles are."""


def style_of_layers(name: str, shown: Sequence[Shown], templates: dict[str, str]) -> dict[str, Any]:
    """Return a style of layers, areas lowest and points on top.

    Parameters
    ----------
    templates : dict
        The full address of the tiles of each collection.
    """
    ordered = sorted(shown, key=lambda told: (_ORDER.index(told[1].kind), told[0]))
    layers = [_background()]
    for identifier, layer, about in ordered:
        layers += [
            {"id": f"{identifier}-{kind}", "type": kind, "source": identifier, "source-layer": about.layer, **told}
            for kind, told in _paints(layer)
        ]
    sources = {identifier: _source(templates[identifier], about) for identifier, _, about in ordered}
    return _style(name, sources, layers)


def with_places(style: dict[str, Any], identifier: str, template: str, about: Description) -> dict[str, Any]:
    """Return a style with the places of the city on top: outlines, and a thin tint of settlements."""
    common = {"source": identifier, "source-layer": about.layer}
    is_settlement = ["==", ["get", "kind"], "settlement"]
    more = [
        {
            "id": f"{identifier}-settlements", "type": "fill", **common, "filter": is_settlement,
            "paint": {"fill-color": "#7a1f5c", "fill-opacity": 0.12},
        },
        {
            "id": f"{identifier}-outlines", "type": "line", **common,
            "paint": {
                "line-color": ["case", is_settlement, "#7a1f5c", INK],
                "line-width": ["interpolate", ["linear"], ["zoom"], 10, 0.5, 16, 1.5],
                "line-opacity": 0.7,
            },
        },
    ]  # fmt: skip
    sources = style["sources"] | {identifier: _source(template, about)}
    return style | {"sources": sources, "layers": [*style["layers"], *more]}


def _style(name: str, sources: dict[str, Any], layers: list[dict[str, Any]]) -> dict[str, Any]:
    boxes = [source["bounds"] for source in sources.values() if "bounds" in source]
    style: dict[str, Any] = {"version": 8, "name": name}
    if boxes:
        west, south = min(box[0] for box in boxes), min(box[1] for box in boxes)
        east, north = max(box[2] for box in boxes), max(box[3] for box in boxes)
        style |= {"center": [(west + east) / 2, (south + north) / 2], "zoom": 12}
    return style | {"sources": sources, "layers": layers}


def _background() -> dict[str, Any]:
    return {"id": "background", "type": "background", "paint": {"background-color": PAPER}}


def _source(template: str, about: Description) -> dict[str, Any]:
    source: dict[str, Any] = {
        "type": "vector",
        "tiles": [template],
        "minzoom": 0,
        "maxzoom": DEEPEST_ZOOM,
        "attribution": about.attribution,
    }
    return source | ({"bounds": list(about.bounds_4326)} if about.bounds_4326 else {})


def _paints(layer: Layer) -> list[tuple[str, dict[str, Any]]]:
    colour = _COLOURS.get(layer.theme.code, _COLOURS.get(layer.code, ACCENT))
    if layer.kind == Layer.Kind.POLYGON:
        outline = {"line-color": colour, "line-width": 0.5}
        return [
            ("fill", {"paint": {"fill-color": colour, "fill-opacity": 0.55}}),
            ("line", {"minzoom": 15, "paint": outline}),
        ]
    if layer.kind == Layer.Kind.LINE:
        width = ["interpolate", ["linear"], ["zoom"], 10, 0.6, 14, 1.5, 18, 6]
        return [("line", {"paint": {"line-color": colour, "line-width": width}})]
    radius = ["interpolate", ["linear"], ["zoom"], 10, 2, 14, 4, 18, 8]
    circle = {
        "circle-color": colour,
        "circle-radius": radius,
        "circle-stroke-color": "#ffffff",
        "circle-stroke-width": 1,
    }
    return [("circle", {"paint": circle})]

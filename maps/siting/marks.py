"""A plan as shapes: squares of people for the drawing, features for the live map. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def drawn_squares(middles: Sequence[tuple[float, float]], side: float) -> str:
    """Return one SVG path of squares around points of the drawing.

    Examples
    --------
    >>> drawn_squares([(10.0, 20.0)], 4.0)
    'M8 18h4v4h-4z'
    """
    half = side / 2
    return "".join(f"M{x - half:.5g} {y - half:.5g}h{side:.3g}v{side:.3g}h-{side:.3g}z" for x, y in middles)


def plan_features(
    result: Mapping[str, Any], existing: Sequence[Sequence[float]], numbers: Sequence[str]
) -> dict[str, Any]:
    """Return what the live map shows, each a collection of points: people reached and left, facilities of today, new sites."""
    return {
        "people": _collection(
            {"lon_lat": [lon, lat], "people": people, "is_reached": is_reached}
            for name, is_reached in (("left", False), ("reached", True))
            for lon, lat, people in result[name]
        ),
        "existing": _collection({"lon_lat": one} for one in existing),
        "sites": _collection(
            {"lon_lat": [site["lon"], site["lat"]], "number": n, "text": text}
            for n, (site, text) in enumerate(zip(result["sites"], numbers, strict=True), start=1)
        ),
    }


def _collection(points: Any) -> dict[str, Any]:
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": list(one["lon_lat"])},
                "properties": {name: value for name, value in one.items() if name != "lon_lat"},
            }
            for one in points
        ],
    }


__all__ = ["drawn_squares", "plan_features"]

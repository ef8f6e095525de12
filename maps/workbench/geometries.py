"""Geometries in bodies: areas and lines as they were drawn, bounded, every fault with its place."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.core.geojson import shape_of
from geo.core.validity import MAX_VERTICES
from geo.errors import GeometryError, LimitExceeded
from maps.workbench.effort import MOST_VERTICES


def polygon_of(tree: Any, where: str, *, room: int = MAX_VERTICES) -> shapely.Geometry | None:
    """Read a polygon as it was drawn, valid or not; None for null.

    Parameters
    ----------
    tree : Any
        What stands in the body.
    where : str
        Where it stands.
    room : int
        Vertices that the request may still have.

    Raises
    ------
    GeometryError
        Where it is none, with the member in question.
    LimitExceeded
        Where it has too many vertices.
    """
    if tree is None:
        return None
    found = _polygon_at_once(tree, where, min(room, MOST_VERTICES))
    if found is None:  # not as simple as it should be: look closer, and say where
        found = shapely.force_2d(shape_of(tree, where, most_vertices=MAX_VERTICES))
    if found.geom_type not in ("Polygon", "MultiPolygon"):
        raise GeometryError(
            f"A {found.geom_type} is not an area.",
            code="not_polygonal",
            where=f"{where}.type",
            remedy="Send a polygon, or null where the place ends.",
        )
    return found


def _polygon_at_once(tree: Any, where: str, most: int) -> shapely.Geometry | None:
    """Read a polygon ring by ring; None where it is not one of finite numbers and closed rings.

    Raises
    ------
    LimitExceeded
        Where it has too many vertices; nothing else of it is looked at then.
    """
    try:
        polygons = {"Polygon": lambda c: [c], "MultiPolygon": list}[tree["type"]](tree["coordinates"])
        n = sum(len(ring) for polygon in polygons for ring in polygon)
    except (TypeError, KeyError):
        return None
    if n > most:
        raise LimitExceeded(
            f"The geometry has {n:,} vertices, more than {most:,}.",
            code="too_many_vertices",
            where=where,
            remedy="Simplify it, or send fewer shapes at once.",
        )
    try:
        made = []
        for polygon in polygons:
            rings = [np.array(ring) for ring in polygon]
            if not rings or not all(_is_ring(ring) for ring in rings):
                return None
            shell, *holes = (shapely.linearrings(ring[:, :2].astype(np.float64)) for ring in rings)
            made.append(shapely.polygons(shell, holes or None))
    except (TypeError, ValueError, OverflowError, shapely.errors.ShapelyError):
        return None
    if not made:
        return None
    return made[0] if tree["type"] == "Polygon" else shapely.multipolygons(made)


def _is_ring(xy: NDArray[Any]) -> bool:
    return (
        xy.dtype.kind in "fi"
        and xy.ndim == 2
        and len(xy) >= 4
        and 2 <= xy.shape[1] <= 4
        and bool(np.isfinite(xy).all())
        and bool((xy[0, :2] == xy[-1, :2]).all())
    )


def lines_of(tree: Any, where: str) -> shapely.Geometry | None:
    """Read lines; None for null.

    Raises
    ------
    GeometryError, LimitExceeded
        As `polygon_of`.
    """
    if tree is None:
        return None
    found = shape_of(tree, where, most_vertices=MAX_VERTICES)
    if found.geom_type not in ("LineString", "MultiLineString"):
        raise GeometryError(
            f"A {found.geom_type} is not a line.", code="not_lines", where=f"{where}.type", remedy="Send lines."
        )
    return shapely.force_2d(found)

"""Giving land to places: what belongs to nobody, or to two at once. Neighbours receive the vertices, nobody moves."""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import numpy as np
import shapely

from geo.core.noding import Geometries, are_inside, cells, codes_beside, noded, united, with_vertices
from geo.core.validity import as_multipolygon
from geo.errors import GeometryError

#: Geometries of places in EPSG:4326 by code.
Polygons: TypeAlias = Mapping[str, shapely.Geometry]


def joined(parts: Iterable[shapely.Geometry]) -> shapely.MultiPolygon:
    """Unite polygons that share their edges exactly; no vertex is lost or moved.

    Examples
    --------
    >>> joined([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)]).area
    2.0
    """
    array = np.array(list(parts), dtype=object)
    return as_multipolygon(array[0] if len(array) == 1 else united(array))


def free_land(polygons: Polygons, shape: shapely.Geometry) -> tuple[dict[str, shapely.Geometry], Geometries]:
    """Find what a shape covers of nobody's land.

    Parameters
    ----------
    polygons
        All places.
    shape
        A valid polygon or multipolygon, snapped to the places beside it.

    Returns
    -------
    tuple of dict and ndarray
        All places, those beside the shape with the vertices that it puts on them, and the free pieces, perhaps none.
    """
    beside = codes_beside(polygons, shape)
    after, shape = noded(polygons, shape, beside)
    pieces = cells([shape, *(after[code] for code in beside)])
    pieces = pieces[are_inside(pieces, shape)]
    for code in beside:
        pieces = pieces[~are_inside(pieces, after[code])]
    return _with_corners(polygons, beside, pieces), pieces


def with_land(polygons: Polygons, free: Geometries, into: str) -> dict[str, shapely.Geometry]:
    """Give free pieces to a place that they lie along.

    Raises
    ------
    GeometryError
        If they do not, or there are none.
    """
    if not len(free):
        raise GeometryError(
            "The shape covers only land that belongs to places already.",
            code="nothing_covered",
            where=into,
            remedy="Cut it out of the place it lies in.",
        )
    grown = joined([polygons[into], *free])
    if len(grown.geoms) > shapely.get_num_geometries(polygons[into]):
        x, y = shapely.get_coordinates(free[0])[0]
        raise GeometryError(
            f"The land does not lie along {into}.",
            code="not_neighbours",
            where=f"{into} at {x:.7f}, {y:.7f}",
            remedy="Give it to a place that it shares a boundary with.",
        )
    return {**polygons, into: grown}


def without_overlap(polygons: Polygons, winner: str, loser: str) -> dict[str, shapely.Geometry]:
    """Let one of two places that overlap keep the land.

    Raises
    ------
    GeometryError
        If nothing would be left of the other.

    Examples
    --------
    >>> both = {"a": shapely.box(0, 0, 2, 1), "b": shapely.box(1, 0, 3, 1)}
    >>> without_overlap(both, "a", "b")["b"].bounds
    (2.0, 0.0, 3.0, 1.0)
    """
    noded_all, shape = noded(polygons, polygons[winner], [loser])
    pieces = cells([shape, noded_all[loser]])
    pieces = pieces[are_inside(pieces, noded_all[loser])]
    rest = pieces[~are_inside(pieces, shape)]
    if not len(rest):
        x, y = shapely.get_coordinates(polygons[loser])[0]
        raise GeometryError(
            f"Nothing would be left of {loser}.",
            code="nothing_left",
            where=f"{loser} at {x:.7f}, {y:.7f}",
            remedy="Merge the two places, or redraw one of them.",
        )
    after = _with_corners(polygons, codes_beside(polygons, polygons[loser]), rest)
    after[loser] = joined(rest)
    return after


def _with_corners(polygons: Polygons, beside: Iterable[str], pieces: Geometries) -> dict[str, shapely.Geometry]:
    """Give places the corners of the pieces that lie on their edges, and none of those that came to nothing."""
    corners = np.unique(shapely.get_coordinates(pieces), axis=0)
    return {**polygons, **{code: with_vertices(polygons[code], corners) for code in beside}}

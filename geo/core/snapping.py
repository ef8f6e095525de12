"""Bringing a drawn line or polygon onto the boundaries beside it, so that both share their vertices."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from scipy.spatial import cKDTree

from geo.core.crs import GeometryLike, as_geometries
from geo.core.measuring import distance_m, metres_per_degree
from geo.core.noding import ON_EDGE_DEG, Floats, edges, is_among, lines_of, rebuilt, rounded, with_vertices

#: At save, what is nearer than this to a neighbour's boundary is taken to lie on it.
SNAP_TOLERANCE_M: Final = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """The edges of what is snapped to, taken apart once for all that is snapped to them.

    Attributes
    ----------
    start, end
        Of each edge, shape ``(m, 2)``, in EPSG:4326.
    """

    start: Floats
    end: Floats

    def __len__(self) -> int:
        """Return the number of edges."""
        return len(self.start)

    def joined(self, lines: Iterable[Floats]) -> "Targets":
        """Return these with the edges of some more lines, given by their coordinates."""
        more = list(lines)
        return Targets(
            np.concatenate((self.start, *(line[:-1] for line in more))),
            np.concatenate((self.end, *(line[1:] for line in more))),
        )


def targets_of(geometries_4326: GeometryLike) -> Targets:
    """Take lines and polygons in EPSG:4326 apart into the edges that `snap` looks for.

    Examples
    --------
    >>> len(targets_of([shapely.box(0, 0, 1, 1), shapely.LineString([(0, 0), (2, 2)])]))
    5
    """
    targets = as_geometries(geometries_4326)
    is_polygon = shapely.get_type_id(targets) % 3 == 0
    outlines = np.where(is_polygon & (shapely.get_type_id(targets) > 0), shapely.boundary(targets), targets)
    return Targets(*edges(outlines[~shapely.is_missing(outlines)]))


def snap(
    geometry_4326: shapely.Geometry, targets_4326: GeometryLike | Targets, tolerance_m: float = SNAP_TOLERANCE_M
) -> tuple[shapely.Geometry, float]:
    """Move the vertices of a geometry onto targets within a tolerance; targets stay as they are.

    A vertex near a vertex of a target goes there exactly; otherwise one near an edge goes to the nearest point of
    it, rounded. Then each vertex of a target within the tolerance of an edge is put into that edge, so that the two
    run along each other vertex by vertex. What lies on a target by a rounding is not moved, so that snapping again
    changes nothing. The neighbour takes the vertices on its edges by `nodes_inserted`.

    Parameters
    ----------
    geometry_4326
        A point, line, polygon or multipolygon in EPSG:4326.
    targets_4326
        Lines and polygons to snap to, in EPSG:4326, or their edges as `targets_of` gives them.
    tolerance_m
        How far a vertex may move, in metres.

    Returns
    -------
    tuple of Geometry and float
        The geometry, and how far its vertices moved at most, in metres. Where snapping would break a valid
        polygon, because it is itself hardly wider than the tolerance, it comes back as it was, with 0.

    Examples
    --------
    >>> west, drawn = shapely.box(0, 0, 1e-3, 1e-3), shapely.box(1.002e-3, 0, 2e-3, 1e-3)
    >>> snapped, moved_m = snap(drawn, west)
    >>> snapped.touches(west), round(moved_m, 2)
    (True, 0.22)
    """
    if geometry_4326.is_empty:
        return geometry_4326, 0.0
    targets = targets_4326 if isinstance(targets_4326, Targets) else targets_of(targets_4326)
    start, end = targets.start, targets.end
    box = shapely.bounds(geometry_4326)
    middle_lat = float(box[1] + box[3]) / 2
    scale = np.stack(metres_per_degree(middle_lat))
    margin = 2 * tolerance_m / scale
    near = ((np.minimum(start, end) <= box[2:] + margin) & (np.maximum(start, end) >= box[:2] - margin)).all(axis=1)
    start, end = start[near], end[near]
    if not len(start):
        return geometry_4326, 0.0
    corners = np.unique(np.concatenate((start, end)), axis=0)

    _, xy, line_of = lines_of(geometry_4326)
    moved = _moved(xy, corners, start, end, scale, tolerance_m)
    changed = np.flatnonzero((moved != xy).any(axis=1))
    snapped, moved_m = geometry_4326, 0.0
    if len(changed):
        moved_m = float(distance_m(shapely.points(xy[changed]), shapely.points(moved[changed])).max())
        snapped = rebuilt(geometry_4326, *_without_repeats(moved, line_of))
        if snapped is None:
            return geometry_4326, 0.0
    followed = _following(snapped, corners, scale, tolerance_m)
    for candidate in (followed, snapped):
        if candidate.is_valid or not geometry_4326.is_valid:
            return candidate, moved_m
    return geometry_4326, 0.0


def nodes_inserted(
    geometry_4326: shapely.Geometry, points_4326: GeometryLike | Floats, *, within_deg: float = ON_EDGE_DEG
) -> shapely.Geometry:
    """Give a neighbour the vertices that lie on its edges, so that a boundary snapped to it is shared.

    Parameters
    ----------
    geometry_4326
        A polygon, multipolygon or line in EPSG:4326.
    points_4326
        Geometries whose vertices are meant, or coordinates of shape ``(m, 2)``.
    within_deg
        How near to an edge is on it; the rounding of new vertices by default.

    Returns
    -------
    Geometry
        The geometry itself if nothing lies on its edges.

    Examples
    --------
    >>> square = nodes_inserted(shapely.box(0, 0, 2, 2), shapely.Point(1, 0))
    >>> len(square.exterior.coords), square.area
    (6, 4.0)
    """
    if isinstance(points_4326, np.ndarray) and points_4326.dtype != object:
        points = np.asarray(points_4326, dtype=np.float64).reshape(-1, 2)
    else:
        points = shapely.get_coordinates(as_geometries(points_4326))
    return with_vertices(geometry_4326, points, within_deg=within_deg)


def _moved(xy: Floats, corners: Floats, start: Floats, end: Floats, scale: Floats, tolerance_m: float) -> Floats:
    """Move each vertex to the corner within reach, or else to the edge within reach, or not at all."""
    # About a point nearby, or large coordinates would round the metres.
    origin = xy.mean(axis=0)
    own, there = (xy - origin) * scale, (corners - origin) * scale
    distance, corner = cKDTree(there).query(own, distance_upper_bound=np.nextafter(tolerance_m, np.inf))
    at_corner = np.isfinite(distance)
    moved = xy.copy()
    moved[at_corner] = corners[corner[at_corner]]

    rest = np.flatnonzero(~at_corner)
    a, b = (start - origin) * scale, (end - origin) * scale
    tree = shapely.STRtree(shapely.linestrings(np.stack((a, b), axis=1)))
    found, edge = tree.query_nearest(shapely.points(own[rest]), max_distance=tolerance_m, all_matches=False)
    vertex = rest[found]
    step = b[edge] - a[edge]
    along = ((own[vertex] - a[edge]) * step).sum(axis=1) / np.maximum((step**2).sum(axis=1), 1e-300)
    foot = start[edge] + np.clip(along, 0, 1)[:, None] * (end[edge] - start[edge])
    is_off = np.hypot(*(xy[vertex] - foot).T) > ON_EDGE_DEG
    moved[vertex[is_off]] = rounded(foot[is_off])
    return moved


def _without_repeats(xy: Floats, line_of: np.ndarray) -> tuple[Floats, np.ndarray]:
    """Drop vertices that have come together with the one before them."""
    repeats = np.append(False, (xy[1:] == xy[:-1]).all(axis=1) & (line_of[1:] == line_of[:-1]))
    return xy[~repeats], line_of[~repeats]


def _following(geometry: shapely.Geometry, corners: Floats, scale: Floats, tolerance_m: float) -> shapely.Geometry:
    """Put each corner of the targets within reach of an edge into that edge."""
    if geometry.geom_type.endswith("Point"):
        return geometry
    _, xy, line_of = lines_of(geometry)
    fresh = corners[~is_among(corners, xy)]
    origin = xy.mean(axis=0)
    local = rebuilt(geometry, (xy - origin) * scale, line_of)
    grown = with_vertices(local, (fresh - origin) * scale, within_deg=tolerance_m)
    if grown is local:
        return geometry
    _, grown_xy, grown_of = lines_of(grown)
    # The plane is only for choosing: coordinates are taken over from the targets and the geometry exactly.
    exact = np.concatenate((xy, fresh))
    plane = np.concatenate(((xy - origin) * scale, (fresh - origin) * scale))
    _, index = cKDTree(plane).query(grown_xy)
    return rebuilt(geometry, exact[index], grown_of)

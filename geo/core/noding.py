"""Making lines meet in shared vertices, and finding the cells between them.

Boundaries are compared vertex by vertex, so two that meet must both have a vertex there. Nothing that exists is
moved: a vertex that is put into an edge bends it by a rounding at most, and both its sides alike.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.errors import GeometryError

#: New vertices are rounded to this many decimals of a degree, about a centimetre.
DECIMALS: Final = 7
#: What is nearer than this to an edge lies on it: the diagonal of the rounding, with a margin.
ON_EDGE_DEG: Final = 1.5e-7

#: A boundary is crossed a few times; thousands are a scribble, or a raster's staircase on a smooth line.
MAX_CROSSINGS: Final = 2_000

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Geometries = NDArray[np.object_]


def rounded(xy: Iterable[float] | Floats) -> Floats:
    """Round new coordinates to `DECIMALS`.

    Examples
    --------
    >>> rounded((48.123456789, 33.0)).tolist()
    [48.1234568, 33.0]
    """
    result: Floats = np.asarray(xy, dtype=np.float64).round(DECIMALS)
    return result


def with_vertices(geometry: shapely.Geometry, points: Floats, *, within_deg: float = ON_EDGE_DEG) -> shapely.Geometry:
    """Put points that lie on the edges of a geometry into them as vertices.

    Parameters
    ----------
    geometry
        A polygon, multipolygon or line; heights are dropped.
    points
        Shape ``(m, 2)``. Those that are vertices already, or lie on no edge, are passed over.
    within_deg
        How near to an edge is on it, in the units of the coordinates.

    Returns
    -------
    Geometry
        The same geometry itself if no point lies on it. The points are taken over exactly.

    Examples
    --------
    >>> with_vertices(shapely.LineString([(0, 0), (2, 0)]), np.array([[1.0, 1e-8], [1.0, 1.0]])).wkt
    'LINESTRING (0 0, 1 1e-8, 2 0)'
    """
    points = _inside_box(points, shapely.bounds(geometry), within_deg)
    if not len(points):
        return geometry
    _, xy, line_of = lines_of(geometry)
    points = np.unique(points, axis=0)
    points = points[~is_among(points, xy)]
    at, along, found = _nearest_edges(xy, line_of, points, within_deg)
    if not len(at):
        return geometry
    order = np.lexsort((along, at))
    where = at[order] + 1
    grown = np.insert(xy, where, points[found[order]], axis=0)
    result = rebuilt(geometry, grown, np.insert(line_of, where, line_of[at[order]]))
    return geometry if result is None else result


def noded(
    polygons: Mapping[str, shapely.Geometry], cutter: shapely.Geometry, targets: Iterable[str]
) -> tuple[dict[str, shapely.Geometry], shapely.Geometry]:
    """Give polygons and what cuts some of them a vertex wherever they meet.

    Parameters
    ----------
    polygons
        All places; those beside a target get the vertices that lie on their boundary too.
    cutter
        A line or polygon.
    targets
        Which of the polygons it cuts.

    Returns
    -------
    tuple of dict and Geometry
        All polygons, those that did not change as they were, and the cutter.

    Raises
    ------
    GeometryError
        If the lines run so close to each other that rounding keeps making new crossings, or cross more often than
        `MAX_CROSSINGS`.
    """
    targets = list(targets)
    result = dict(polygons)
    near = codes_beside(polygons, cutter)
    for attempt in range(5):
        corners = shapely.get_coordinates(cutter)
        lines = shapely.boundary(np.array([result[code] for code in targets], dtype=object))
        vertices = shapely.get_coordinates(lines)
        cut = _outline(cutter)
        met = shapely.get_coordinates(shapely.intersection(lines, cut))
        met = met[~(is_among(met, vertices) & is_among(met, corners))]
        # Vertices of one that lie on the other by a rounding do not meet in floating point.
        on_target = corners[_is_on(corners, lines) & ~is_among(corners, vertices)]
        on_cutter = vertices[_is_on(vertices, np.array([cut])) & ~is_among(vertices, corners)]
        if not len(met) and not len(on_target) and not len(on_cutter):
            return result, cutter
        if len(met) > MAX_CROSSINGS:
            raise GeometryError(
                f"The line crosses the boundaries more than {MAX_CROSSINGS:,} times.",
                code="too_many_crossings",
                where=f"{met[0, 0]:.7f}, {met[0, 1]:.7f}",
                remedy="Simplify it, or draw it along the boundary.",
            )
        fresh = _settled(met, np.concatenate((vertices, corners)), is_rounded=attempt < 2)
        points = np.concatenate((fresh, on_target, on_cutter))
        for code in near:
            result[code] = with_vertices(result[code], points)
        cutter = with_vertices(cutter, points)
    x, y = met[0] if len(met) else points[0]
    raise GeometryError(
        "The line runs too close along the boundary to tell where they cross.",
        code="too_close",
        where=f"{x:.7f}, {y:.7f}",
        remedy="Draw it along the boundary, or clearly away from it.",
    )


def cells(geometries: Iterable[shapely.Geometry]) -> Geometries:
    """Give the smallest areas that noded lines and outlines enclose, as polygons; loose ends enclose nothing.

    Examples
    --------
    >>> diagonal = shapely.LineString([(0, 0), (1, 1)])
    >>> [cell.area for cell in cells([shapely.box(0, 0, 1, 1), diagonal])]
    [0.5, 0.5]
    """
    outlines = np.array([_outline(geometry) for geometry in geometries], dtype=object)
    start, end = edges(outlines)
    swap = (start[:, 0] > end[:, 0]) | ((start[:, 0] == end[:, 0]) & (start[:, 1] > end[:, 1]))
    low, high = np.where(swap[:, None], end, start), np.where(swap[:, None], start, end)
    once = np.unique(np.hstack((low, high)), axis=0)
    result: Geometries = shapely.get_parts(shapely.polygonize(shapely.linestrings(once.reshape(-1, 2, 2))))
    return result


def united(parts: Geometries) -> shapely.Geometry:
    """Unite polygons; where they share their edges exactly, as they should, no vertex is lost or moved.

    Examples
    --------
    >>> united(np.array([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)])).area
    2.0
    """
    try:
        union = shapely.coverage_union_all(parts)
    except shapely.errors.GEOSException:
        # Faces that overlap or do not meet in vertices, as boundaries from elsewhere may, are no coverage.
        return shapely.union_all(parts)
    return union if union.is_valid else shapely.union_all(parts)


def are_inside(parts: Geometries, geometry: shapely.Geometry) -> NDArray[np.bool_]:
    """Tell which cells of a noded drawing lie in one of its polygons; each lies wholly in or out."""
    shapely.prepare(geometry)
    result: NDArray[np.bool_] = shapely.contains(geometry, shapely.point_on_surface(parts))
    return result


def codes_beside(
    polygons: Mapping[str, shapely.Geometry], shape: shapely.Geometry, margin_deg: float = ON_EDGE_DEG
) -> list[str]:
    """Give the places whose bounds meet those of a shape."""
    if not polygons:
        return []
    west, south, east, north = shapely.bounds(shape) + np.array([-1, -1, 1, 1]) * margin_deg
    boxes = shapely.bounds(np.array(list(polygons.values()), dtype=object))
    meets = (boxes[:, 0] <= east) & (boxes[:, 2] >= west) & (boxes[:, 1] <= north) & (boxes[:, 3] >= south)
    return [code for code, is_beside in zip(polygons, meets, strict=True) if is_beside]


def edges(geometries: Geometries) -> tuple[Floats, Floats]:
    """Give the start and end of each edge of lines and outlines, each of shape ``(m, 2)``."""
    lines = shapely.get_parts(geometries)
    xy, line_of = shapely.get_coordinates(lines, return_index=True)
    joined = line_of[1:] == line_of[:-1]
    return xy[:-1][joined], xy[1:][joined]


def lines_of(geometry: shapely.Geometry) -> tuple[Geometries, Floats, Integers]:
    """Give the rings or lines of a geometry, their coordinates, and the ring or line of each."""
    parts = shapely.get_parts(np.array([geometry], dtype=object))
    lines = shapely.get_rings(parts) if geometry.geom_type.endswith("Polygon") else parts
    xy, line_of = shapely.get_coordinates(lines, return_index=True)
    return lines, xy, line_of.astype(np.int64)


def rebuilt(geometry: shapely.Geometry, xy: Floats, line_of: Integers) -> shapely.Geometry | None:
    """Make a geometry of the same structure from other coordinates, as `lines_of` gives them.

    None if a ring or line is left with too few vertices.
    """
    kind = geometry.geom_type
    is_polygonal = kind.endswith("Polygon")
    smallest = 4 if is_polygonal else 1 if kind.endswith("Point") else 2
    if np.bincount(line_of).min() < smallest:
        return None
    if kind.endswith("Point"):
        points = shapely.points(xy)
        return points[0] if kind == "Point" else shapely.multipoints(points)
    if not is_polygonal:
        lines = shapely.linestrings(xy, indices=line_of)
        return lines[0] if kind in ("LineString", "LinearRing") else shapely.multilinestrings(lines)
    parts = shapely.get_parts(np.array([geometry], dtype=object))
    rings = shapely.linearrings(xy, indices=line_of)
    polygons = shapely.polygons(rings, indices=shapely.get_rings(parts, return_index=True)[1])
    return polygons[0] if kind == "Polygon" else shapely.multipolygons(polygons)


def is_among(points: Floats, vertices: Floats) -> NDArray[np.bool_]:
    """Tell which points are exactly one of the vertices."""
    if not len(points) or not len(vertices):
        return np.zeros(len(points), dtype=bool)
    result: NDArray[np.bool_] = np.isin(_as_complex(points), _as_complex(vertices))
    return result


def _as_complex(xy: Floats) -> NDArray[np.complex128]:
    return np.ascontiguousarray(xy[:, :2]).view(np.complex128)[:, 0]


def _outline(geometry: shapely.Geometry) -> shapely.Geometry:
    return geometry.boundary if geometry.geom_type.endswith("Polygon") else geometry


def _is_on(points: Floats, lines: Geometries) -> NDArray[np.bool_]:
    collection = shapely.geometrycollections(lines)
    shapely.prepare(collection)
    result: NDArray[np.bool_] = shapely.dwithin(collection, shapely.points(points), ON_EDGE_DEG)
    return result


def _settled(points: Floats, vertices: Floats, *, is_rounded: bool) -> Floats:
    """Move each new vertex onto a vertex that is as good as there, or else to its rounding."""
    if not len(points):
        return points
    tree = shapely.STRtree(shapely.points(vertices))
    # Not further than what counts as on an edge, or the vertex would not be put into the edge that was met.
    reach = 0.99 * ON_EDGE_DEG
    index, nearest = tree.query_nearest(shapely.points(points), max_distance=reach, all_matches=False)
    result = rounded(points) if is_rounded else points.copy()
    result[index] = vertices[nearest]
    return result


def _inside_box(points: Floats, box: Floats, margin: float) -> Floats:
    keep = (points >= box[:2] - margin).all(axis=1) & (points <= box[2:] + margin).all(axis=1)
    return points[keep]


def _nearest_edges(xy: Floats, line_of: Integers, points: Floats, within: float) -> tuple[Integers, Floats, Integers]:
    """Find the edge on which each point lies.

    Returns
    -------
    tuple of ndarray
        For each point found: the index of the first vertex of its edge, how far along the edge it lies (in (0, 1)),
        and the index of the point.
    """
    first = np.flatnonzero(line_of[1:] == line_of[:-1])
    if not len(points) or not len(first):
        return np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0, dtype=np.int64)
    low, high = points.min(axis=0) - within, points.max(axis=0) + within
    a, b = xy[first], xy[first + 1]
    first = first[((np.minimum(a, b) <= high) & (np.maximum(a, b) >= low)).all(axis=1)]
    tree = shapely.STRtree(shapely.linestrings(np.stack((xy[first], xy[first + 1]), axis=1)))
    found, edge = tree.query_nearest(shapely.points(points), max_distance=within, all_matches=False)
    at = first[edge]
    step = xy[at + 1] - xy[at]
    along = ((points[found] - xy[at]) * step).sum(axis=1) / np.maximum((step**2).sum(axis=1), 1e-300)
    between = (along > 0) & (along < 1)
    return at[between], along[between], found[between].astype(np.int64)

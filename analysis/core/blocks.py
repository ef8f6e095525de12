"""Street blocks: the land between streets, and the streets that lead out of the settlement."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.core.crs import GeometryLike, as_geometries
from geo.errors import GeometryError, InvalidInput

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Lines are cut where they meet on a grid of this size (metres).
GRID_M: Final = 0.001

#: Land with less than this between streets is where lines were drawn twice, not a block (m²).
LEAST_BLOCK_M2: Final = 1.0

_POLYGONS: Final = (3, 6)
_LINES: Final = (1, 2, 5)


@dataclass(frozen=True, slots=True, eq=False)
class StreetBlocks:
    """Blocks and the streets around and inside them, in metres of the projection that was given.

    Attributes
    ----------
    polygons
        Shape ``(b,)``: the blocks. They do not overlap and together are the settlement.
    streets
        Shape ``(e,)``: pieces of streets from which one can leave the settlement along streets.
    unconnected
        Shape ``(u,)``: pieces from which one cannot; they give no access.
    unconnected_length_m
        Length of these.
    access_length_m
        Shape ``(b,)``: length of connected streets inside each block, such as a dead end that enters it.
    street_share
        Shape ``(b,)``: share of each block's outline that runs along connected streets.
    """

    polygons: Geometries
    streets: Geometries
    unconnected: Geometries
    unconnected_length_m: float
    access_length_m: Floats
    street_share: Floats


def street_blocks(streets: GeometryLike, boundary: GeometryLike, *, outside_m: float = 1.0) -> StreetBlocks:
    """Cut a settlement into blocks along its streets.

    A street is connected to the outside if streets lead from it to the boundary of the settlement. So streets should
    be given as far as the boundary or beyond; the boundary itself is no street unless a street runs along it.

    Parameters
    ----------
    streets
        Lines in metres, anywhere; they may cross without a common vertex. Missing and empty ones are left out.
    boundary
        The settlement: a polygon or several, in the same projection.
    outside_m
        A street that ends within this distance of the boundary leaves the settlement there.

    Returns
    -------
    StreetBlocks
        Streets that enter a block and end there stay as lines in it. Without streets the settlement is one block.

    Raises
    ------
    GeometryError
        If the boundary is no valid polygon, or a street is no line.
    InvalidInput
        If the distance is negative or not finite.

    Examples
    --------
    A square cut by one street, with a second one that begins nowhere:

    >>> middle, nowhere = shapely.LineString([(0, 50), (100, 50)]), shapely.LineString([(10, 20), (30, 20)])
    >>> found = street_blocks([middle, nowhere], shapely.box(0, 0, 100, 100))
    >>> sorted(shapely.area(found.polygons).tolist()), shapely.length(found.streets).sum(), found.unconnected_length_m
    ([5000.0, 5000.0], np.float64(100.0), 20.0)
    >>> found.street_share.round(3).tolist()
    [0.333, 0.333]
    """
    if not (np.isfinite(outside_m) and outside_m >= 0):
        raise InvalidInput(f"A distance of {outside_m} m is not possible.", code="bad_distance")
    land = _settlement(boundary)
    lines = _street_lines(streets)
    outline = shapely.boundary(land)
    shapely.prepare(land)
    leaves = np.flatnonzero(~shapely.contains(land, lines))
    lines[leaves] = shapely.intersection(lines[leaves], land)
    lines = _simple_lines(lines)
    noded = _noded(np.append(lines, outline))
    ways = noded[_on_any(noded, lines)]
    faces = shapely.get_parts(shapely.polygonize(noded))
    # A hole of the settlement is a face too.
    faces = faces[shapely.contains(land, shapely.point_on_surface(faces)) & (shapely.area(faces) >= LEAST_BLOCK_M2)]
    is_connected = _leads_out(ways, outline, outside_m)
    return _described(faces, ways[is_connected], ways[~is_connected])


def bounded_by_streets(blocks: GeometryLike) -> StreetBlocks:
    """Take blocks that somebody else cut along streets: their whole outline counts as connected streets.

    Parameters
    ----------
    blocks
        Polygons in metres that do not overlap.

    Raises
    ------
    GeometryError
        If one is no valid polygon.

    Examples
    --------
    >>> bounded_by_streets([shapely.box(0, 0, 10, 10)]).street_share.tolist()
    [1.0]
    """
    polygons = as_geometries(blocks)
    require_polygons(polygons, "block")
    polygons = shapely.get_parts(polygons)
    outlines = shapely.get_parts(shapely.boundary(polygons))
    nothing = np.empty(0, dtype=np.object_)
    zero, one = np.zeros(len(polygons)), np.ones(len(polygons))
    return StreetBlocks(polygons, outlines, nothing, 0.0, zero, one)


def _described(faces: Geometries, streets: Geometries, unconnected: Geometries) -> StreetBlocks:
    """Measure what each block has of streets, along its outline and inside."""
    share, inside = np.zeros(len(faces)), np.zeros(len(faces))
    if len(streets) and len(faces):
        middle = shapely.line_interpolate_point(streets, 0.5, normalized=True)
        tree = shapely.STRtree(faces)
        length = shapely.length(streets)
        # The pieces were cut where they meet: each lies on outlines as a whole or in one block as a whole.
        edge, face = tree.query(middle, predicate="dwithin", distance=GRID_M)
        on_outline = shapely.dwithin(middle[edge], shapely.boundary(faces[face]), GRID_M)
        np.add.at(share, face[on_outline], length[edge[on_outline]])
        np.add.at(inside, face[~on_outline], length[edge[~on_outline]])
        share = np.minimum(share / shapely.length(faces), 1.0)
    return StreetBlocks(faces, streets, unconnected, float(shapely.length(unconnected).sum()), inside, share)


def _leads_out(ways: Geometries, outline: shapely.Geometry, outside_m: float) -> NDArray[np.bool_]:
    """Tell which noded pieces hang together with one that comes to the outline of the settlement."""
    if not len(ways):
        return np.zeros(0, dtype=bool)
    ends = np.stack((shapely.get_point(ways, 0), shapely.get_point(ways, -1)), axis=1)
    xy = np.round(shapely.get_coordinates(ends.ravel()) / GRID_M).astype(np.int64)
    _, node = np.unique(xy, axis=0, return_inverse=True)
    node = node.reshape(-1, 2)
    n = int(node.max()) + 1
    component = connected_components(coo_array((np.ones(len(node)), node.T), shape=(n, n)), directed=False)[1]
    shapely.prepare(outline)
    comes_out = shapely.dwithin(outline, ways, max(outside_m, GRID_M))
    return np.isin(component[node[:, 0]], component[node[comes_out, 0]])


def _on_any(pieces: Geometries, lines: Geometries) -> NDArray[np.bool_]:
    """Tell which noded pieces are of streets, and which of the outline alone."""
    is_on = np.zeros(len(pieces), dtype=bool)
    if len(lines) and len(pieces):
        middle = shapely.line_interpolate_point(pieces, 0.5, normalized=True)
        is_on[shapely.STRtree(lines).query(middle, predicate="dwithin", distance=2 * GRID_M)[0]] = True
    return is_on


def _noded(lines: Geometries) -> Geometries:
    parts = shapely.get_parts(shapely.unary_union(lines, grid_size=GRID_M))
    return np.asarray(parts[(shapely.get_type_id(parts) == 1) & ~shapely.is_empty(parts)])


def _settlement(boundary: GeometryLike) -> shapely.Geometry:
    polygons = as_geometries(boundary)
    if not len(polygons) or (shapely.is_missing(polygons) | shapely.is_empty(polygons)).all():
        raise GeometryError(
            "The settlement has no outline.", code="empty_settlement", remedy="Give a polygon that is not empty."
        )
    require_polygons(polygons, "settlement")
    return shapely.set_precision(shapely.unary_union(polygons), GRID_M)


def _street_lines(streets: GeometryLike) -> Geometries:
    lines = as_geometries(streets)
    is_other = ~np.isin(shapely.get_type_id(lines), (*_LINES, -1)) & ~shapely.is_empty(lines)
    if is_other.any():
        raise GeometryError(
            "A street is not a line.",
            code="street_not_line",
            where=f"street {np.flatnonzero(is_other)[0]}",
            remedy="Give the middle lines of streets.",
        )
    lines = lines[~shapely.is_missing(lines) & ~shapely.is_empty(lines)]
    if not np.isfinite(shapely.get_coordinates(lines)).all():
        raise GeometryError("A coordinate of a street is not a finite number.", code="not_finite")
    return np.asarray(lines)


def _simple_lines(lines: Geometries) -> Geometries:
    parts = shapely.get_parts(lines)
    while (shapely.get_type_id(parts) > 2).any():
        parts = shapely.get_parts(parts)
    return np.asarray(parts[np.isin(shapely.get_type_id(parts), (1, 2)) & ~shapely.is_empty(parts)])


def require_polygons(polygons: Geometries, what: str) -> None:
    """Refuse what is no valid polygon, naming the first."""
    is_polygon = np.isin(shapely.get_type_id(polygons), _POLYGONS) & ~shapely.is_empty(polygons)
    bad = np.flatnonzero(~is_polygon | ~shapely.is_valid(polygons))
    if len(bad):
        reason = shapely.is_valid_reason(polygons[bad[0]]) if is_polygon[bad[0]] else "not a polygon, or empty"
        raise GeometryError(
            f"The outline of a {what} is not a valid polygon.",
            code="bad_polygon",
            where=f"{what} {bad[0]}",
            remedy="Draw or repair it: it must not be empty or cross itself.",
            details={"what": what, "reason": str(reason)},
        )

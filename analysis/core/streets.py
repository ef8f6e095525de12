"""The street network: road lines cut where they meet, and how they hang together.

Every vertex of a line is a node and every straight piece an edge. That keeps slopes, one-way rules and the nearest
point of a street simple; what it costs in size, `street_search` takes away again before anything is searched.
"""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from geo.core.crs import GeometryLike, as_geometries
from geo.errors import GeometryError, InvalidInput

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Int32 = NDArray[np.int32]
Booleans = NDArray[np.bool_]

#: Crossings are computed; what is nearer to each other than this is one point (metres).
ROUNDING_M: Final = 1e-6

#: Pairs of pieces that may cross are looked at so many at a time.
_BATCH: Final = 2_000_000


@dataclass(frozen=True, slots=True)
class Roads:
    """What is known about road lines, one value a line; what is left out has the value said here for all.

    Attributes
    ----------
    road_class
        Name of the class, such as ``residential``; empty by default.
    oneway
        1 if traffic runs as the line is drawn, -1 against it, 0 both ways (default).
    is_stairs, is_bridge, is_tunnel
        False by default.
    level
        The storey of the crossing rule (OSM ``layer``), 0 by default.
    speed_kmh
        Speed of vehicles; NaN (default) where the class decides.
    may_walk
        Whether people on foot may use it, True by default.
    """

    road_class: ArrayLike | None = None
    oneway: ArrayLike | None = None
    is_stairs: ArrayLike | None = None
    is_bridge: ArrayLike | None = None
    is_tunnel: ArrayLike | None = None
    level: ArrayLike | None = None
    speed_kmh: ArrayLike | None = None
    may_walk: ArrayLike | None = None


@dataclass(frozen=True, slots=True)
class StreetGraph:
    """A noded street network in metres: nodes are the vertices of the lines, edges their straight pieces.

    Attributes
    ----------
    node_xy_m
        Shape ``(n, 2)``.
    u, v
        Shape ``(m,)`` int32: the nodes that an edge runs from and to, in the direction of its line.
    length_m
        Shape ``(m,)``, above 0.
    line
        Shape ``(m,)`` int32: the line it is a piece of.
    class_names, class_code
        The classes, and shape ``(m,)`` int32: the class of each edge.
    oneway, is_stairs, is_bridge, is_tunnel, speed_kmh, may_walk
        Shape ``(m,)``: as in `Roads`.
    component
        Shape ``(n,)`` int32: connected component of each node, one-way rules aside; 0 has the longest streets.
    component_length_m, component_nodes
        Shape ``(c,)``: length of streets and number of nodes of each component.
    n_zero_length
        Pieces of no length that were dropped.
    n_crossings
        New nodes where lines cross without sharing a vertex.
    """

    node_xy_m: Floats
    u: Int32
    v: Int32
    length_m: Floats
    line: Int32
    class_names: tuple[str, ...]
    class_code: Int32
    oneway: NDArray[np.int8]
    is_stairs: Booleans
    is_bridge: Booleans
    is_tunnel: Booleans
    speed_kmh: Floats
    may_walk: Booleans
    component: Int32
    component_length_m: Floats
    component_nodes: Integers
    n_zero_length: int
    n_crossings: int

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.node_xy_m)

    @property
    def n_edges(self) -> int:
        """Number of edges."""
        return len(self.u)

    @property
    def share_outside_largest(self) -> float:
        """Share of the length of all streets that does not hang together with the longest component; 0 if empty."""
        whole_m = float(self.component_length_m.sum())
        return 1.0 - float(self.component_length_m[0]) / whole_m if whole_m else 0.0

    @property
    def is_enterable(self) -> Booleans:
        """Shape ``(m,)``: edges that a house can stand at; nobody steps onto a bridge or into a tunnel from its side."""
        return ~(self.is_bridge | self.is_tunnel)


def street_graph(
    lines_m: GeometryLike, roads: Roads | None = None, *, is_cut_at_crossings: bool = False, snap_m: float = 0.0
) -> StreetGraph:
    """Node road lines.

    Lines that have a vertex in common are joined there whatever their levels, as in OpenStreetMap. Where
    ``is_cut_at_crossings``, lines of one level that cross without a vertex are cut too, unless one is a bridge or a
    tunnel; and the end of a line that lies on another is joined to it in any case.

    Parameters
    ----------
    lines_m
        Lines and multilines in a metric system; missing and empty ones are passed over, heights are not used.
    roads
        Their attributes, arrays of the same length.
    is_cut_at_crossings
        For roads that were not drawn as a network.
    snap_m
        Vertices nearer to each other than this are one node, whatever their levels, and an end nearer than this to
        a line lies on it. With 0 only equal coordinates are one.

    Returns
    -------
    StreetGraph
        Without nodes if there are no lines.

    Raises
    ------
    GeometryError
        If a geometry is no line (``not_lines``) or a coordinate is not finite (``not_finite``).
    InvalidInput
        If an attribute has another length (``street_attributes``) or an impossible value (``bad_oneway``,
        ``bad_speed``), or ``snap_m`` is negative (``bad_snap``).

    Examples
    --------
    >>> cross = shapely.from_wkt(["LINESTRING (0 0, 10 0)", "LINESTRING (5 -5, 5 5)"])
    >>> street_graph(cross).n_edges, street_graph(cross, is_cut_at_crossings=True).length_m.tolist()
    (2, [5.0, 5.0, 5.0, 5.0])
    """
    geometries = as_geometries(lines_m)
    known = _filled(roads or Roads(), len(geometries))
    if not (np.isfinite(snap_m) and snap_m >= 0):
        raise InvalidInput("The distance for joining vertices must be a number of metres, 0 or more.", code="bad_snap")
    start, end, line, is_first, is_last = _pieces(geometries)
    n_crossings = 0
    if is_cut_at_crossings and len(line):
        at_level = np.where(known.is_bridge | known.is_tunnel, np.nan, known.level)[line]
        touch_m = max(snap_m, ROUNDING_M)
        cut, share, point, n_crossings = _cuts(start, end, at_level, is_first, is_last, touch_m)
        start, end, line = _cut_pieces(start, end, line, cut, share, point)
        snap_m = touch_m
    xy = np.concatenate((start, end)) + 0.0  # -0.0 and 0.0 are one
    node_xy, node = _nodes(xy, snap_m)
    u, v = node[: len(line)], node[len(line) :]
    kept = u != v
    n_zero = int((~kept).sum())
    u, v, line = u[kept], v[kept], line[kept]
    node_xy, u, v = _used(node_xy, u, v)
    length = np.hypot(*(node_xy[u] - node_xy[v]).T)
    component, component_length, component_nodes = _components(len(node_xy), u, v, length)
    return StreetGraph(
        node_xy_m=node_xy,
        u=u.astype(np.int32),
        v=v.astype(np.int32),
        length_m=length,
        line=line.astype(np.int32),
        class_names=known.class_names,
        class_code=known.class_code[line],
        oneway=known.oneway[line],
        is_stairs=known.is_stairs[line],
        is_bridge=known.is_bridge[line],
        is_tunnel=known.is_tunnel[line],
        speed_kmh=known.speed_kmh[line],
        may_walk=known.may_walk[line],
        component=component,
        component_length_m=component_length,
        component_nodes=component_nodes,
        n_zero_length=n_zero,
        n_crossings=n_crossings,
    )


@dataclass(frozen=True, slots=True)
class _Known:
    """`Roads` with a value for every line."""

    class_names: tuple[str, ...]
    class_code: Int32
    oneway: NDArray[np.int8]
    is_stairs: Booleans
    is_bridge: Booleans
    is_tunnel: Booleans
    level: Floats
    speed_kmh: Floats
    may_walk: Booleans


def _filled(roads: Roads, n: int) -> _Known:
    given = {field.name: getattr(roads, field.name) for field in fields(roads)}
    for name, values in given.items():
        if values is not None and np.shape(values) != (n,):
            raise InvalidInput(
                f"There are {n:,} lines, but {name} has the shape {np.shape(values)}.",
                code="street_attributes",
                where=name,
                remedy="Give one value for each line.",
            )

    def column(name: str, default: object, kind: type) -> NDArray:
        return np.full(n, default, dtype=kind) if given[name] is None else np.asarray(given[name], dtype=kind)

    names, code = np.unique(column("road_class", "", str), return_inverse=True)
    oneway = column("oneway", 0, np.float64)
    if not np.isin(oneway, (-1, 0, 1)).all():
        raise InvalidInput("A one-way value must be -1, 0 or 1.", code="bad_oneway", where="oneway")
    speed = column("speed_kmh", np.nan, np.float64)
    if (speed <= 0).any() or np.isinf(speed).any():
        raise InvalidInput("A speed must be above 0 km/h.", code="bad_speed", where="speed_kmh")
    return _Known(
        class_names=tuple(map(str, names)),
        class_code=code.astype(np.int32),
        oneway=oneway.astype(np.int8),
        is_stairs=column("is_stairs", False, np.bool_),
        is_bridge=column("is_bridge", False, np.bool_),
        is_tunnel=column("is_tunnel", False, np.bool_),
        level=column("level", 0.0, np.float64),
        speed_kmh=speed,
        may_walk=column("may_walk", True, np.bool_),
    )


def _pieces(geometries: NDArray[np.object_]) -> tuple[Floats, Floats, Integers, Booleans, Booleans]:
    """Give start, end and line of every straight piece, and whether its start or end is one of its line."""
    kinds = shapely.get_type_id(geometries)
    wrong = (kinds != -1) & ~np.isin(kinds, (1, 2, 5)) & ~shapely.is_empty(geometries)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise GeometryError(
            f"Streets are lines, but this is a {shapely.GeometryType(kinds[row]).name.lower()}.",
            code="not_lines",
            where=f"row {row}",
            remedy="Choose a layer of lines.",
        )
    parts, line_of_part = shapely.get_parts(geometries, return_index=True)
    xy, part = shapely.get_coordinates(parts, return_index=True)
    if not np.isfinite(xy).all():
        row = int(line_of_part[part[~np.isfinite(xy).all(axis=1)][0]])
        raise GeometryError("A coordinate of a street is not finite.", code="not_finite", where=f"row {row}")
    joined = part[1:] == part[:-1]
    beginning = np.ones(len(xy), dtype=bool)
    beginning[1:] = ~joined
    ending = np.ones(len(xy), dtype=bool)
    ending[:-1] = ~joined
    first = np.flatnonzero(joined)
    line = line_of_part[part[first]].astype(np.int64)
    return xy[first], xy[first + 1], line, beginning[first], ending[first + 1]


def _cuts(
    start: Floats, end: Floats, level: Floats, is_first: Booleans, is_last: Booleans, touch_m: float
) -> tuple[Integers, Floats, Floats, int]:
    """Find where pieces must be cut: the piece, the share along it, the point; and the number of plain crossings."""
    tree = shapely.STRtree(shapely.linestrings(np.stack((start, end), axis=1)))
    low, high = np.minimum(start, end) - touch_m, np.maximum(start, end) + touch_m
    found = tree.query(shapely.box(low[:, 0], low[:, 1], high[:, 0], high[:, 1]))
    found = found[:, found[0] < found[1]]
    cuts: list[tuple[Integers, Floats, Floats]] = []
    n_crossings = 0
    for begin in range(0, found.shape[1], _BATCH):
        a, b = found[:, begin : begin + _BATCH]
        is_level = level[a] == level[b]  # bridges and tunnels are NaN: equal to nothing
        touched = np.zeros(len(a), dtype=bool)
        for one, other in ((a, b), (b, a)):
            for ends, is_end in ((start, is_first), (end, is_last)):
                share, off = _foot(ends[one], start[other], end[other])
                length = np.hypot(*(end[other] - start[other]).T)
                inside = (share * length > touch_m) & ((1 - share) * length > touch_m) & (off <= touch_m)
                # What lies on both levels is cut; so is what the end of a line lies on.
                on = inside & (is_level | is_end[one])
                cuts.append((other[on], share[on], ends[one][on]))
                touched |= off <= touch_m
        way_a, way_b, between = end[a] - start[a], end[b] - start[b], start[b] - start[a]
        turn = way_a[:, 0] * way_b[:, 1] - way_a[:, 1] * way_b[:, 0]
        with np.errstate(divide="ignore", invalid="ignore"):
            along_a = (between[:, 0] * way_b[:, 1] - between[:, 1] * way_b[:, 0]) / turn
            along_b = (between[:, 0] * way_a[:, 1] - between[:, 1] * way_a[:, 0]) / turn
        crossing = (along_a > 0) & (along_a < 1) & (along_b > 0) & (along_b < 1) & is_level & ~touched
        point = start[a][crossing] + along_a[crossing, None] * way_a[crossing]
        cuts += [(a[crossing], along_a[crossing], point), (b[crossing], along_b[crossing], point)]
        n_crossings += int(crossing.sum())
    piece, share, point = (np.concatenate(columns) for columns in zip(*cuts, strict=True)) if cuts else _NOTHING
    return piece, share, point, n_crossings


_NOTHING: Final = (np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros((0, 2)))


def _foot(point: Floats, start: Floats, end: Floats) -> tuple[Floats, Floats]:
    """Give the share along each piece of the point's nearest one on it, and how far it is."""
    way, to = end - start, point - start
    square = (way**2).sum(axis=1)
    share = np.clip(np.divide((to * way).sum(axis=1), square, out=np.zeros(len(way)), where=square > 0), 0.0, 1.0)
    return share, np.hypot(*(to - share[:, None] * way).T)


def _cut_pieces(
    start: Floats, end: Floats, line: Integers, cut: Integers, share: Floats, point: Floats
) -> tuple[Floats, Floats, Integers]:
    """Cut pieces at points; the pieces stay in the order of their lines."""
    number = np.arange(len(line))
    piece = np.concatenate((number, cut, number))
    along = np.concatenate((np.full(len(line), -1.0), share, np.full(len(line), 2.0)))
    order = np.lexsort((along, piece))
    xy, piece = np.concatenate((start, point, end))[order], piece[order]
    joined = piece[1:] == piece[:-1]
    return xy[:-1][joined], xy[1:][joined], line[piece[:-1][joined]]


def _nodes(xy: Floats, snap_m: float) -> tuple[Floats, Integers]:
    """Give the distinct points, and the number of the one that each is."""
    if not len(xy):
        return np.zeros((0, 2)), np.zeros(0, dtype=np.int64)
    order = np.lexsort((xy[:, 1], xy[:, 0]))
    sorted_xy = xy[order]
    is_new = np.ones(len(xy), dtype=bool)
    is_new[1:] = (sorted_xy[1:] != sorted_xy[:-1]).any(axis=1)
    # Numbered as they first come, so that neighbours along a line are neighbours in memory.
    first = order[is_new]
    by_first = np.argsort(first)
    number = np.empty(len(first), dtype=np.int64)
    number[by_first] = np.arange(len(first))
    node = np.empty(len(xy), dtype=np.int64)
    node[order] = number[np.cumsum(is_new) - 1]
    points = xy[first[by_first]]
    if snap_m > 0 and len(points):
        near = cKDTree(points).query_pairs(snap_m, output_type="ndarray")
        if len(near):
            ones = np.ones(len(near), dtype=np.int8)
            n, group = connected_components(coo_array((ones, near.T), shape=(len(points), len(points))), directed=False)
            first = np.full(n, len(points))
            np.minimum.at(first, group, np.arange(len(points)))
            points, node = points[first], group[node].astype(np.int64)
    return points, node


def _used(node_xy: Floats, u: Integers, v: Integers) -> tuple[Floats, Integers, Integers]:
    """Leave out nodes without an edge: what remains of lines of no length."""
    used = np.zeros(len(node_xy), dtype=bool)
    used[u] = used[v] = True
    number = np.cumsum(used) - 1
    return node_xy[used], number[u], number[v]


def _components(n: int, u: Integers, v: Integers, length_m: Floats) -> tuple[Int32, Floats, Integers]:
    """Label the nodes by component, the longest first, and give length and nodes of each."""
    if not n:
        return np.zeros(0, dtype=np.int32), np.zeros(0), np.zeros(0, dtype=np.int64)
    count, label = connected_components(coo_array((np.ones(len(u), np.int8), (u, v)), shape=(n, n)), directed=False)
    total_m = np.bincount(label[u], weights=length_m, minlength=count)
    order = np.argsort(-total_m, kind="stable")
    rank = np.empty(count, dtype=np.int32)
    rank[order] = np.arange(count, dtype=np.int32)
    component: Int32 = rank[label]
    nodes = np.bincount(component, minlength=count).astype(np.int64)
    return component, np.asarray(total_m[order], dtype=np.float64), nodes

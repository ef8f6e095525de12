"""The edges of a block's parcels as a network that new paths can follow."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from analysis.core.complexity import TOUCH_M
from analysis.core.parcels import SNAP_M, common_edges

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

_NOTHING: Final = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class ParcelGraph:
    """Stretches of parcels' edges between the nodes where they meet.

    Attributes
    ----------
    node_xy_m
        Shape ``(v, 2)``.
    is_street
        Shape ``(v,)``: nodes on a connected street, or on open land that is access.
    u, v
        Shape ``(m,)``: the ends of each stretch.
    length_m
        Shape ``(m,)``.
    lines
        Shape ``(m,)``: each stretch as a line.
    along_street
        Shape ``(m,)``: stretches that run along a connected street.
    node_first, node_parcel
        Parcels that have node i on their outline: ``node_parcel[node_first[i]:node_first[i + 1]]``, ascending.
    component
        Shape ``(v,)``: nodes of one component hang together; all streets are one component, 0.
    """

    node_xy_m: Floats
    is_street: Booleans
    u: Integers
    v: Integers
    length_m: Floats
    lines: Geometries
    along_street: Booleans
    node_first: Integers
    node_parcel: Integers
    component: Integers


def parcel_graph(polygons: Geometries, streets: Geometries, is_access: Booleans) -> ParcelGraph:
    """Make the network of one block.

    Parameters
    ----------
    polygons
        Shape ``(n,)``: parcels of one block that have the corners of their common edges in common.
    streets
        Connected streets, in metres.
    is_access
        Shape ``(n,)``: open land that gives access like a street.

    Examples
    --------
    Two plots, a street along the southern edge of both; the border between them is the only way north:

    >>> graph = parcel_graph(shapely.box([0, 5], 0, [5, 10], 5), np.array([shapely.LineString([(0, 0), (10, 0)])]),
    ...     np.zeros(2, dtype=bool))
    >>> sorted(graph.length_m.tolist()), graph.is_street.tolist()
    ([5.0, 5.0, 5.0, 10.0, 10.0], [True, True, False, True])
    """
    edges, sides, xy, _ = common_edges(polygons, np.zeros(len(polygons), dtype=np.int64))
    edges, sides, xy = _cut_by(edges, sides, xy, streets)
    is_street = np.zeros(len(xy), dtype=bool)
    near = _near_any(shapely.points(xy), streets)
    is_street[near] = True
    beside = (is_access[sides] & (sides >= 0)).any(axis=1)
    is_street[edges[beside].ravel()] = True
    kept, stretches = _stretches(edges, len(xy), is_street)
    number = np.full(len(xy), -1, dtype=np.int64)
    number[kept] = np.arange(len(kept))
    ends = np.array([(one[0], one[-1]) for one in stretches], dtype=np.int64).reshape(-1, 2)
    u, v = number[ends[:, 0]], number[ends[:, 1]]
    count = np.array([len(one) for one in stretches], dtype=np.int64)
    along = np.concatenate([_NOTHING, *stretches])
    lines = shapely.linestrings(xy[along], indices=np.repeat(np.arange(len(stretches)), count))
    if not len(stretches):
        lines = np.empty(0, dtype=np.object_)
    middle = shapely.line_interpolate_point(lines, 0.5, normalized=True)
    along_street = is_street[kept][u] & is_street[kept][v]
    along_street[along_street] = np.isin(np.flatnonzero(along_street), _near_any(middle, streets))
    node_first, node_parcel = _incidence(number[edges], sides, len(kept))
    component = _components(u, v, is_street[kept])
    return ParcelGraph(
        xy[kept], is_street[kept], u, v, shapely.length(lines), lines, along_street, node_first, node_parcel, component
    )


def _cut_by(edges: Integers, sides: Integers, xy: Floats, streets: Geometries) -> tuple[Integers, Integers, Floats]:
    """Put nodes where streets cross parcels' edges or end on them."""
    if not (len(streets) and len(edges)):
        return edges, sides, xy
    segments = shapely.linestrings(xy[edges])
    tree = shapely.STRtree(segments)
    street, edge = tree.query(streets, predicate="intersects")
    met, of = shapely.get_coordinates(shapely.intersection(segments[edge], streets[street]), return_index=True)
    ends = shapely.get_coordinates(shapely.boundary(streets))
    end, near = tree.query(shapely.points(ends), predicate="dwithin", distance=TOUCH_M)
    at, edge = np.concatenate((met, ends[end])), np.concatenate((edge[of], near))
    start, span = xy[edges[edge, 0]], xy[edges[edge, 1]] - xy[edges[edge, 0]]
    length = np.hypot(*span.T)
    way = ((at - start) * span).sum(axis=1) / length
    inside = (way > SNAP_M) & (way < length - SNAP_M)
    edge, way, length, start, span = edge[inside], way[inside], length[inside], start[inside], span[inside]
    order = np.lexsort((way, edge))
    order = order[np.append(True, (np.diff(edge[order]) != 0) | (np.diff(way[order]) > SNAP_M))[: len(order)]]
    edge, way = edge[order], way[order]
    new_xy = start[order] + span[order] * (way / length[order])[:, None]
    new = len(xy) + np.arange(len(edge))
    is_first = np.append(True, np.diff(edge) != 0)[: len(edge)]
    is_last = np.append(np.diff(edge) != 0, True)[: len(edge)]
    begin = np.where(is_first, edges[edge, 0], new - 1)
    pieces = np.stack((begin, new), axis=1)
    tails = np.stack((new[is_last], edges[edge[is_last], 1]), axis=1)
    whole = np.setdiff1d(np.arange(len(edges)), edge)
    owner = np.concatenate((whole, edge, edge[is_last]))
    return np.concatenate((edges[whole], pieces, tails)), sides[owner], np.concatenate((xy, new_xy))


def _near_any(points: Geometries, streets: Geometries) -> Integers:
    if not (len(streets) and len(points)):
        return _NOTHING
    return np.unique(shapely.STRtree(points).query(streets, predicate="dwithin", distance=TOUCH_M)[1])


def _stretches(edges: Integers, n: int, is_street: Booleans) -> tuple[Integers, list[Integers]]:
    """Follow edges from node to node where something can be decided: a fork, an end, or a street."""
    degree = np.bincount(edges.ravel(), minlength=n)
    is_kept = (degree > 0) & ((degree != 2) | is_street)
    # A ring that meets nothing keeps one node.
    component = connected_components(coo_array((np.ones(len(edges)), edges.T), shape=(n, n)), directed=False)[1]
    lonely = np.flatnonzero((degree > 0) & ~np.isin(component, component[is_kept]))
    is_kept[lonely[np.unique(component[lonely], return_index=True)[1]]] = True
    both = np.concatenate((edges, edges[:, ::-1]))
    order = np.argsort(both[:, 0], kind="stable")
    first = np.searchsorted(both[order, 0], np.arange(n + 1)).tolist()
    towards = both[order, 1].tolist()
    kept = is_kept.tolist()
    found: list[Integers] = []
    for start in np.flatnonzero(is_kept).tolist():
        for following in towards[first[start] : first[start + 1]]:
            chain = [start, following]
            while not kept[chain[-1]]:
                here = first[chain[-1]]
                chain.append(towards[here + 1] if towards[here] == chain[-2] else towards[here])
            # Each stretch is met from both ends; a loop leads nowhere.
            if chain[0] < chain[-1] and (len(chain) == 2 or chain[0] != chain[-1]):
                found.append(np.array(chain, dtype=np.int64))
    return np.flatnonzero(is_kept).astype(np.int64), found


def _incidence(ends: Integers, sides: Integers, n: int) -> tuple[Integers, Integers]:
    node, parcel = np.repeat(ends, 2, axis=1).ravel(), np.tile(sides, (1, 2)).ravel()
    known = (node >= 0) & (parcel >= 0)
    pairs = np.unique(np.stack((node[known], parcel[known]), axis=1), axis=0)
    return np.searchsorted(pairs[:, 0], np.arange(n + 1)).astype(np.int64), pairs[:, 1]


def _components(u: Integers, v: Integers, is_street: Booleans) -> Integers:
    """Number components so that all nodes on streets are in component 0."""
    n = len(is_street)
    if not n:
        return _NOTHING
    street = np.flatnonzero(is_street)
    hub = np.full(len(street), n)
    pairs = np.stack((np.concatenate((u, street)), np.concatenate((v, hub))))
    label = connected_components(coo_array((np.ones(pairs.shape[1]), pairs), shape=(n + 1, n + 1)), directed=False)[1]
    return np.where(label[:n] == label[n], 0, label[:n] + 1).astype(np.int64)

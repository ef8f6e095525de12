"""Paths through a block, so that what is near in a straight line is near on foot."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import dijkstra

from analysis.core.parcel_graph import ParcelGraph

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

#: Detours between places that are nearer to each other than this do not matter (metres).
NEAR_M: Final = 30.0

# Paths that are added between two looks at all detours.
_AT_ONCE: Final = 8


def with_through_paths(graph: ParcelGraph, is_built: Booleans, limit: float) -> tuple[Booleans, float | None]:
    """Add the shortest ways between the places with the worst detours until none is above a limit.

    Parameters
    ----------
    graph
        Of the block.
    is_built
        Shape ``(m,)``: stretches with a path already.
    limit
        Largest ratio of the way along streets and paths to the straight line.

    Returns
    -------
    tuple
        Stretches with a path; the largest ratio that is left, None where there is nothing to compare.
    """
    built = is_built.copy()
    n = len(graph.node_xy_m)
    hopeless: set[tuple[int, int]] = set()
    if not built.any():
        return built, None
    while True:
        open_way = built | graph.along_street
        here = np.unique(np.concatenate((graph.u[built], graph.v[built])))
        there = np.unique(np.concatenate((here, np.flatnonzero(graph.is_street))))
        way = dijkstra(_lengths(graph, np.where(open_way, graph.length_m, np.inf), n), directed=False, indices=here)
        away = np.hypot(*(graph.node_xy_m[here][:, None] - graph.node_xy_m[there]).transpose(2, 0, 1))
        ratio = np.where(away > NEAR_M, way[:, there] / np.maximum(away, NEAR_M), 0.0)
        # Streets that are joined outside the block alone have no way that could be measured here.
        ratio[~np.isfinite(ratio)] = 0.0
        worst = float(ratio.max(initial=0.0))
        if worst == 0.0:
            return built, None
        for a, b in hopeless:
            ratio[here == a, np.searchsorted(there, b)] = 0.0
        chosen = _worst_pairs(ratio, graph.node_xy_m[here], graph.node_xy_m[there], limit)
        if not chosen:
            return built, worst
        # What is there already is half as dear, unless the way would be too long; then the shortest of all is taken.
        prices = [_lengths(graph, np.where(open_way, part * graph.length_m, graph.length_m), n) for part in (0.5, 1.0)]
        for one, other in chosen:
            a, b = int(here[one]), int(there[other])
            added = built.copy()
            for matrix in prices:
                _, back = dijkstra(matrix, directed=False, indices=a, return_predecessors=True)
                along = _along(graph, back, b)
                if graph.length_m[along].sum() <= limit * away[one, other]:
                    break
            added[along] = True
            added &= ~graph.along_street
            if (added == built).all():
                hopeless.add((a, b))
            built = added


def _worst_pairs(ratio: Floats, here: Floats, there: Floats, limit: float) -> list[tuple[int, int]]:
    """Return some of the pairs above the limit, the worst first, whose ends are not near those of one before."""
    above = np.flatnonzero(ratio > limit)
    # Ties to nine decimals are in the order of nodes, so that rounding decides nothing.
    above = above[np.argsort(-np.round(ratio.ravel()[above], 9), kind="stable")]
    one, other = np.unravel_index(above, ratio.shape)
    chosen: list[tuple[int, int]] = []
    while len(one) and len(chosen) < _AT_ONCE:
        pair = (int(one[0]), int(other[0]))
        chosen.append(pair)
        apart = np.ones(len(one), dtype=bool)
        for end in (here[pair[0]], there[pair[1]]):
            for ends in (here[one], there[other]):
                apart &= np.hypot(*(ends - end).T) > 2 * NEAR_M
        one, other = one[apart], other[apart]
    return chosen


def _lengths(graph: ParcelGraph, price: Floats, n: int) -> csr_array:
    """Make the matrix of a graph; of stretches between the same nodes the shortest counts."""
    usable = np.isfinite(price)
    u, v, w = np.minimum(graph.u, graph.v)[usable], np.maximum(graph.u, graph.v)[usable], price[usable]
    order = np.lexsort((w, v, u))
    is_first = np.append(True, (np.diff(u[order]) != 0) | (np.diff(v[order]) != 0))[: len(order)]
    chosen = order[is_first]
    return coo_array((w[chosen], (u[chosen], v[chosen])), shape=(n, n)).tocsr()


def _along(graph: ParcelGraph, back: NDArray[np.integer], node: int) -> Sequence[int]:
    stretches = []
    while back[node] >= 0:
        before = int(back[node])
        between = np.flatnonzero(((graph.u == before) & (graph.v == node)) | ((graph.u == node) & (graph.v == before)))
        stretches.append(int(between[np.argmin(graph.length_m[between])]))
        node = before
    return stretches

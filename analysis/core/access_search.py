"""The search for short networks of paths that touch every parcel: growing, pruning, tearing out and growing again.

The question is a Steiner tree of groups: streets are the root, and of the nodes on each parcel's outline one must be
in the tree. All functions take the arrays of `Web`.
"""

import heapq
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from analysis.core.parcel_graph import ParcelGraph

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Web:
    """A parcel graph made ready for the search.

    Attributes
    ----------
    xy_m, is_root
        Shape ``(v, 2)`` and ``(v,)``: nodes, and those on streets.
    u, v, length_m
        Shape ``(m,)``: stretches.
    first, towards, stretch
        The other end and the stretch of each of a node's stretches.
    node_first, node_parcel
        Parcels that still need access on each node.
    parcel_first, parcel_node
        Nodes of each such parcel.
    home_first, home
        Homes that each stretch touches.
    home_price_m
        Metres of path that one home less is worth.
    """

    xy_m: Floats
    is_root: Booleans
    u: Integers
    v: Integers
    length_m: Floats
    first: Integers
    towards: Integers
    stretch: Integers
    node_first: Integers
    node_parcel: Integers
    parcel_first: Integers
    parcel_node: Integers
    home_first: Integers
    home: Integers
    home_price_m: float


def web_of(graph: ParcelGraph, needing: Integers, home_first: Integers, home: Integers, home_price_m: float) -> Web:
    """Make a graph ready for the search.

    Parameters
    ----------
    graph
        Of the block.
    needing
        Parcels without access that some path can reach.
    home_first, home
        Homes that each stretch touches.
    home_price_m
        Metres of path that one home less is worth.
    """
    n, m = len(graph.node_xy_m), len(graph.u)
    ends, others = np.concatenate((graph.u, graph.v)), np.concatenate((graph.v, graph.u))
    order = np.argsort(ends, kind="stable")
    first = np.searchsorted(ends[order], np.arange(n + 1)).astype(np.int64)
    node = np.repeat(np.arange(n, dtype=np.int64), np.diff(graph.node_first))
    place = np.searchsorted(needing, graph.node_parcel)
    hit = place < len(needing)
    hit[hit] = needing[place[hit]] == graph.node_parcel[hit]
    node, parcel = node[hit], place[hit].astype(np.int64)
    node_first = np.searchsorted(node, np.arange(n + 1)).astype(np.int64)
    by_parcel = np.argsort(parcel, kind="stable")
    parcel_first = np.searchsorted(parcel[by_parcel], np.arange(len(needing) + 1)).astype(np.int64)
    return Web(
        graph.node_xy_m, graph.is_street, graph.u, graph.v, graph.length_m, first, others[order],
        np.tile(np.arange(m, dtype=np.int64), 2)[order], node_first, parcel, parcel_first, node[by_parcel],
        home_first, home, home_price_m,
    )  # fmt: skip


def access_tree(web: Web, seed: int, starts: int, rounds: int) -> Booleans:
    """Find stretches that connect every parcel of a web with a street, at little cost.

    Parameters
    ----------
    web
        From `web_of`; every parcel of it can be reached.
    seed
        Of the random choices; the same seed gives the same stretches.
    starts
        Trees to begin with; the first goes from one nearest parcel to the next, the others the same over lengths
        that were changed at random.
    rounds
        So often a part of the best tree is torn out and grown again.

    Returns
    -------
    ndarray
        Shape ``(m,)``: the stretches to build.
    """
    rng = np.random.default_rng(seed)
    return np.asarray(
        _searched(
            web.xy_m, web.is_root, web.u, web.v, web.length_m, web.first, web.towards, web.stretch, web.node_first,
            web.node_parcel, web.parcel_first, web.home_first, web.home, web.home_price_m, rng, starts, rounds,
        )
    )  # fmt: skip


@njit(cache=True, nogil=True)
def _searched(  # type: ignore[no-untyped-def]
    xy, is_root, u, v, length, first, towards, stretch, node_first, node_parcel, parcel_first, home_first, home, price,
    rng, starts, rounds,
):  # fmt: skip
    m, p = u.size, parcel_first.size - 1
    price_of = np.empty(m)
    for e in range(m):
        price_of[e] = length[e] + price * (home_first[e + 1] - home_first[e])
    n_homes = 0
    for k in range(home.size):
        n_homes = max(n_homes, home[k] + 1)
    seen = np.zeros(n_homes, np.int64)
    weight = price_of.copy()
    best, best_cost = np.zeros(m, np.bool_), np.inf
    for start in range(starts):
        tree = np.zeros(m, np.bool_)
        if start > 0:
            for e in range(m):
                weight[e] = price_of[e] * (0.7 + 0.6 * rng.random())
        _grow(tree, is_root, weight, first, towards, stretch, node_first, node_parcel, p, -1)
        _prune(tree, is_root, u, v, price_of, first, towards, stretch, node_first, node_parcel, p)
        cost = _cost(tree, length, home_first, home, price, seen, start + 1)
        if cost < best_cost - 1e-9:
            best, best_cost = tree, cost
    current, current_cost = best.copy(), best_cost
    kept = np.empty(m, np.int64)
    for turn in range(rounds):
        n_kept = 0
        for e in range(m):
            if current[e]:
                kept[n_kept] = e
                n_kept += 1
        if n_kept == 0:
            break
        middle = kept[int(rng.random() * n_kept)]
        x, y = xy[u[middle], 0], xy[u[middle], 1]
        # Between a few stretches and a good part of the tree; small holes are the more frequent.
        wanted = 3 + int((rng.random() ** 2) * min(n_kept, 60))
        away = np.empty(n_kept)
        for k in range(n_kept):
            e = kept[k]
            away[k] = min(
                (xy[u[e], 0] - x) ** 2 + (xy[u[e], 1] - y) ** 2, (xy[v[e], 0] - x) ** 2 + (xy[v[e], 1] - y) ** 2
            )
        far = np.sort(away)[min(wanted, n_kept) - 1]
        tree = current.copy()
        for k in range(n_kept):
            if away[k] <= far and rng.random() < 0.9:
                tree[kept[k]] = False
        spread = 1.6 * rng.random() ** 2
        for e in range(m):
            weight[e] = price_of[e] * (1.0 - spread / 2 + spread * rng.random())
        # A node near the hole that must be visited may turn out to be where paths should fork.
        near = -1
        if rng.random() < 0.5:
            near = towards[first[u[middle]] + int(rng.random() * (first[u[middle] + 1] - first[u[middle]]))]
            for _ in range(int(rng.random() * 4)):
                near = towards[first[near] + int(rng.random() * (first[near + 1] - first[near]))]
        _grow(tree, is_root, weight, first, towards, stretch, node_first, node_parcel, p, near)
        _prune(tree, is_root, u, v, price_of, first, towards, stretch, node_first, node_parcel, p)
        cost = _cost(tree, length, home_first, home, price, seen, starts + turn + 1)
        # A little worse is taken now and then, ever less, to leave what cannot be improved bit by bit.
        slack = 0.002 * best_cost * (1.0 - turn / rounds) * rng.random()
        if cost <= current_cost + slack:
            current, current_cost = tree, cost
            if cost < best_cost - 1e-9:
                best, best_cost = tree.copy(), cost
    return best


@njit(cache=True, nogil=True)
def _cost(tree, length, home_first, home, price, seen, mark):  # type: ignore[no-untyped-def]
    """Return the length, and for each home that is touched, once, its price."""
    total = 0.0
    for e in range(tree.size):
        if tree[e]:
            total += length[e]
            for k in range(home_first[e], home_first[e + 1]):
                if seen[home[k]] != mark:
                    seen[home[k]] = mark
                    total += price
    return total


@njit(cache=True, nogil=True)
def _grow(tree, is_root, weight, first, towards, stretch, node_first, node_parcel, p, also):  # type: ignore[no-untyped-def]
    """Add the shortest ways from what hangs together with streets to what does not yet, the nearest first.

    What does not yet is a parcel without access, a part of the tree that was cut off, or the node ``also``.
    """
    n = is_root.size
    served = np.zeros(p, np.bool_)
    in_tree = np.zeros(n, np.bool_)
    for node in range(n):
        for k in range(first[node], first[node + 1]):
            if tree[stretch[k]]:
                in_tree[node] = True
        if in_tree[node] or is_root[node]:
            for k in range(node_first[node], node_first[node + 1]):
                served[node_parcel[k]] = True
    connected = np.zeros(n, np.bool_)
    way = np.full(n, np.inf)
    by = np.full(n, -1, np.int64)
    back = np.full(n, -1, np.int64)
    heap = [(0.0, 0)]
    heap.pop()
    stack = np.empty(n, np.int64)
    for node in range(n):
        if is_root[node] and not connected[node]:
            _connect(node, connected, way, tree, first, towards, stretch, heap, stack)
    while len(heap) > 0:
        far, node = heapq.heappop(heap)
        if far > way[node]:
            continue
        is_wanted = (in_tree[node] or node == also) and not connected[node]
        if not connected[node] and not is_wanted:
            for k in range(node_first[node], node_first[node + 1]):
                if not served[node_parcel[k]]:
                    is_wanted = True
        if is_wanted:
            here = node
            while not connected[here]:
                for k in range(node_first[here], node_first[here + 1]):
                    served[node_parcel[k]] = True
                tree[by[here]] = True
                in_tree[here] = True
                here = back[here]
            _connect(node, connected, way, tree, first, towards, stretch, heap, stack)
            continue
        for k in range(first[node], first[node + 1]):
            other = towards[k]
            if connected[other]:
                continue
            further = far + weight[stretch[k]]
            if further < way[other]:
                way[other] = further
                by[other] = stretch[k]
                back[other] = node
                heapq.heappush(heap, (further, other))


@njit(cache=True, nogil=True)
def _connect(start, connected, way, tree, first, towards, stretch, heap, stack):  # type: ignore[no-untyped-def]
    """Mark all nodes that the tree joins with one as connected, and let the search go on from them."""
    connected[start] = True
    stack[0] = start
    size = 1
    while size > 0:
        size -= 1
        node = stack[size]
        way[node] = 0.0
        heapq.heappush(heap, (0.0, node))
        for k in range(first[node], first[node + 1]):
            if tree[stretch[k]] and not connected[towards[k]]:
                connected[towards[k]] = True
                stack[size] = towards[k]
                size += 1


@njit(cache=True, nogil=True)
def _prune(tree, is_root, u, v, price_of, first, towards, stretch, node_first, node_parcel, p):  # type: ignore[no-untyped-def]
    """Take away ends that no parcel needs, the dearest first."""
    n = is_root.size
    degree = np.zeros(n, np.int64)
    for e in range(u.size):
        if tree[e]:
            degree[u[e]] += 1
            degree[v[e]] += 1
    count = np.zeros(p, np.int64)
    for node in range(n):
        if degree[node] > 0 or is_root[node]:
            for k in range(node_first[node], node_first[node + 1]):
                count[node_parcel[k]] += 1
    heap = [(0.0, 0)]
    heap.pop()
    for node in range(n):
        if degree[node] == 1 and not is_root[node]:
            heapq.heappush(heap, (-_last(node, tree, price_of, first, stretch)[0], node))
    while len(heap) > 0:
        node = heapq.heappop(heap)[1]
        if degree[node] != 1:
            continue
        is_needed = False
        for k in range(node_first[node], node_first[node + 1]):
            if count[node_parcel[k]] < 2:
                is_needed = True
        if is_needed:
            continue
        k = _last(node, tree, price_of, first, stretch)[1]
        other = towards[k]
        tree[stretch[k]] = False
        degree[node] = 0
        degree[other] -= 1
        for at in range(node_first[node], node_first[node + 1]):
            count[node_parcel[at]] -= 1
        if degree[other] == 1 and not is_root[other]:
            heapq.heappush(heap, (-_last(other, tree, price_of, first, stretch)[0], other))


@njit(cache=True, nogil=True)
def _last(node, tree, price_of, first, stretch):  # type: ignore[no-untyped-def]
    for k in range(first[node], first[node + 1]):
        if tree[stretch[k]]:
            return price_of[stretch[k]], k
    return 0.0, -1

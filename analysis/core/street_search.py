"""Shortest ways over a whole street network: eliminate nodes once, then sweep.

Taking a node out of a graph and joining its neighbours by the ways through it leaves every other shortest way as it
was (Gaussian elimination over (min, +), [@carre1971]). Nodes are taken out by falling ease: dead ends, the inner
nodes of streets, then junctions with few neighbours. A question is then answered without a heap by one sweep over the
nodes in that order and one back ([@delling2013]); what was too dense to take out is searched by Dijkstra's algorithm
([@dijkstra1959]). Both sweeps serve many services at a time.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]

#: Nodes with more neighbours than this are not taken out. Streets of cities stay below it; large square grids do not.
MOST_NEIGHBOURS: Final = 100


@dataclass(frozen=True, slots=True)
class Elimination:
    """A graph made ready for sweeps. Nodes are numbered by `place`: first those taken out, in order, then the core.

    Attributes
    ----------
    place
        Shape ``(n,)`` int32: place of each node.
    n_out
        How many nodes were taken out.
    first
        Shape ``(n + 1,)``: where the arcs of each place begin. A place that was taken out has arcs to later places,
        one of the core has arcs to its neighbours there.
    to
        Shape ``(a,)`` int32: the places that arcs run to.
    out, into
        Shape ``(a,)``: cost along the arc and against it; one array where all streets cost the same both ways.
    """

    place: Int32
    n_out: int
    first: Int64
    to: Int32
    out: Floats
    into: Floats


def eliminated(
    n: int, u: Int32, v: Int32, forward: Floats, backward: Floats, most_neighbours: int = MOST_NEIGHBOURS
) -> Elimination:
    """Make a graph ready for sweeps.

    Parameters
    ----------
    n
        Number of nodes.
    u, v
        Shape ``(m,)`` int32: the ends of each edge; several edges may join the same two nodes.
    forward, backward
        Shape ``(m,)`` float64: cost from u to v and from v to u, not negative, ``inf`` where there is no way.
    most_neighbours
        Nodes with more neighbours stay; 0 leaves all to Dijkstra's algorithm, 2 takes out dead ends and the inner
        nodes of streets.
    """
    is_symmetric = bool(np.array_equal(forward, backward))
    found = _taken_out(n, u, v, forward, backward, is_symmetric, most_neighbours)
    order, n_out, start, count, neighbour, out, into = found
    place = _places(n, order, n_out, start, count, neighbour)
    first, to, arc_out, arc_into = _arranged(place, start, count, neighbour, out, into, is_symmetric)
    return Elimination(place, int(n_out), first, to, arc_out, arc_into)


def settle(made: Elimination, cost: Floats) -> None:
    """Lower the costs at all nodes to what the cheapest way to a node with a given cost comes to.

    Parameters
    ----------
    made
        The graph.
    cost
        Shape ``(n, s)`` float64 in order of places, changed in place: what it costs to stop at each node, ``inf``
        where one cannot; then the least of going along streets to some node and stopping there, for s services.
    """
    _up(made.first, made.to, made.into, made.n_out, cost)
    if made.n_out < len(made.place):
        for service in range(cost.shape[1]):
            _dijkstra(made.first, made.to, made.into, made.n_out, cost, service, _NOBODY)
    _down(made.first, made.to, made.out, made.n_out, cost)


def settle_nearest(made: Elimination, cost: Floats, nearest: Int32) -> None:
    """Do as `settle` does, and keep where each way leads.

    Parameters
    ----------
    made, cost
        As for `settle`.
    nearest
        Shape ``(n, s)`` int32, changed in place: at nodes with a cost, the number of the facility; elsewhere -1.
    """
    _up_nearest(made.first, made.to, made.into, made.n_out, cost, nearest)
    if made.n_out < len(made.place):
        for service in range(cost.shape[1]):
            _dijkstra(made.first, made.to, made.into, made.n_out, cost, service, nearest)
    _down_nearest(made.first, made.to, made.out, made.n_out, cost, nearest)


_NOBODY: Final = np.zeros((0, 0), dtype=np.int32)


@njit(cache=True, nogil=True)
def _taken_out(n, u, v, forward, backward, is_symmetric, most_neighbours):  # type: ignore[no-untyped-def]
    """Take nodes out by the least number of neighbours; give their order and, of all, the arcs they had then.

    The arcs of a node are a stretch of a pool; a stretch that is full moves to the end of the pool, doubled. Where all
    costs are the same both ways, ``out`` and ``into`` are one array.
    """
    count = np.zeros(n, np.int64)
    for edge in range(u.size):
        count[u[edge]] += 1
        count[v[edge]] += 1
    start = np.empty(n, np.int64)
    room = np.empty(n, np.int64)
    used = 0
    for node in range(n):
        start[node] = used
        room[node] = count[node] + 2
        used += room[node]
        count[node] = 0
    neighbour = np.empty(2 * used + 16, np.int32)
    out = np.empty(neighbour.size, np.float64)
    into = out if is_symmetric else np.empty(neighbour.size, np.float64)
    for edge in range(u.size):
        a, b = u[edge], v[edge]
        if a == b:
            continue
        for turn in range(2):
            at = start[a] + count[a]
            neighbour[at] = b
            out[at] = forward[edge] if turn == 0 else backward[edge]
            into[at] = backward[edge] if turn == 0 else forward[edge]
            count[a] += 1
            a, b = b, a
    # Several edges between two nodes become one arc.
    seen = np.full(n, -1, np.int64)
    for node in range(n):
        end = start[node]
        for at in range(start[node], start[node] + count[node]):
            other = neighbour[at]
            known = seen[other]
            if known >= start[node] and known < end and neighbour[known] == other:
                out[known] = min(out[known], out[at])
                into[known] = min(into[known], into[at])
            else:
                seen[other] = end
                neighbour[end] = other
                out[end] = out[at]
                into[end] = into[at]
                end += 1
        count[node] = end - start[node]
    # Nodes wait in lists by the number of their neighbours.
    head = np.full(most_neighbours + 1, -1, np.int32)
    after = np.full(n, -1, np.int32)
    before = np.full(n, -1, np.int32)
    for node in range(n - 1, -1, -1):
        if count[node] <= most_neighbours:
            _wait(node, count[node], head, after, before)
    order = np.empty(n, np.int32)
    n_out = 0
    is_out = np.zeros(n, np.bool_)
    mark = np.full(n, -1, np.int64)
    least = 0
    while least <= most_neighbours:
        node = head[least]
        if node < 0:
            least += 1
            continue
        _leave(node, least, head, after, before)
        order[n_out] = node
        n_out += 1
        is_out[node] = True
        begin, many = start[node], count[node]
        for i in range(many):
            x = neighbour[begin + i]
            to_node, from_node = into[begin + i], out[begin + i]  # x to node, node to x
            old = count[x]
            gone = -1
            for at in range(start[x], start[x] + old):
                mark[neighbour[at]] = at
                if neighbour[at] == node:
                    gone = at
            last = start[x] + count[x] - 1
            if gone != last:
                neighbour[gone], out[gone], into[gone] = neighbour[last], out[last], into[last]
                mark[neighbour[gone]] = gone
            count[x] -= 1
            if count[x] + many > room[x]:
                wanted = 2 * (count[x] + many)
                if used + wanted > neighbour.size:
                    size = 2 * (used + wanted)
                    neighbour, out = _longer(neighbour, size), _longer(out, size)
                    into = out if is_symmetric else _longer(into, size)
                for k in range(count[x]):
                    neighbour[used + k] = neighbour[start[x] + k]
                    out[used + k] = out[start[x] + k]
                    into[used + k] = into[start[x] + k]
                    mark[neighbour[used + k]] = used + k
                start[x], room[x] = used, wanted
                used += wanted
            low = start[x]
            for j in range(many):
                y = neighbour[begin + j]
                if y == x:
                    continue
                there, back = to_node + out[begin + j], into[begin + j] + from_node
                at = mark[y]
                if at >= low and at < low + count[x] and neighbour[at] == y:
                    out[at] = min(out[at], there)
                    into[at] = min(into[at], back)
                else:
                    at = low + count[x]
                    neighbour[at], out[at], into[at] = y, there, back
                    mark[y] = at
                    count[x] += 1
            if old <= most_neighbours:
                if count[x] != old:
                    _leave(x, old, head, after, before)
                    if count[x] <= most_neighbours:
                        _wait(x, count[x], head, after, before)
            elif count[x] <= most_neighbours:
                _wait(x, count[x], head, after, before)
            if count[x] < least:
                least = count[x]
    end = n_out
    for node in range(n):
        if not is_out[node]:
            order[end] = node
            end += 1
    return order, n_out, start, count, neighbour, out, into


@njit(cache=True, nogil=True)
def _wait(node, many, head, after, before):  # type: ignore[no-untyped-def]
    after[node] = head[many]
    before[node] = -1
    if head[many] >= 0:
        before[head[many]] = node
    head[many] = node


@njit(cache=True, nogil=True)
def _leave(node, many, head, after, before):  # type: ignore[no-untyped-def]
    if before[node] >= 0:
        after[before[node]] = after[node]
    else:
        head[many] = after[node]
    if after[node] >= 0:
        before[after[node]] = before[node]


@njit(cache=True, nogil=True)
def _longer(values, size):  # type: ignore[no-untyped-def]
    longer = np.empty(size, values.dtype)
    longer[: values.size] = values
    return longer


@njit(cache=True, nogil=True)
def _places(n, order, n_out, start, count, neighbour):  # type: ignore[no-untyped-def]
    """Number the nodes so that those taken out come before their neighbours then, and near them in memory.

    The neighbours that a node had when it was taken out are all ancestors of it in the tree of first neighbours:
    children before parents, depth first, is as good an order as the one found.
    """
    rank = np.empty(n, np.int32)
    for k in range(n):
        rank[order[k]] = k
    child = np.full(n + 1, -1, np.int32)
    sibling = np.full(n, -1, np.int32)
    for k in range(n_out - 1, -1, -1):
        node = order[k]
        parent = n
        for at in range(start[node], start[node] + count[node]):
            other = rank[neighbour[at]]
            if other < parent:
                parent = other
        if parent >= n_out:
            parent = n
        sibling[k] = child[parent]
        child[parent] = k
    place = np.empty(n, np.int32)
    stack = np.empty(n + 1, np.int32)
    done = 0
    depth = 0
    stack[0] = n
    while depth >= 0:
        k = stack[depth]
        below = child[k]
        if below >= 0:
            child[k] = sibling[below]
            depth += 1
            stack[depth] = below
        else:
            if k < n:
                place[order[k]] = done
                done += 1
            depth -= 1
    for k in range(n_out, n):
        place[order[k]] = k
    return place


@njit(cache=True, nogil=True)
def _arranged(place, start, count, neighbour, out, into, is_symmetric):  # type: ignore[no-untyped-def]
    """Put the arcs in the order of places."""
    n = place.size
    node_at = np.empty(n, np.int32)
    for node in range(n):
        node_at[place[node]] = node
    first = np.zeros(n + 1, np.int64)
    for k in range(n):
        first[k + 1] = first[k] + count[node_at[k]]
    to = np.empty(first[n], np.int32)
    arc_out = np.empty(first[n], np.float64)
    arc_into = arc_out if is_symmetric else np.empty(first[n], np.float64)
    for k in range(n):
        node = node_at[k]
        for i in range(count[node]):
            at = first[k] + i
            to[at] = place[neighbour[start[node] + i]]
            arc_out[at] = out[start[node] + i]
            arc_into[at] = into[start[node] + i]
    return first, to, arc_out, arc_into


@njit(cache=True, nogil=True)
def _up(first, to, into, n_out, cost):  # type: ignore[no-untyped-def]
    n_services = cost.shape[1]
    for k in range(n_out):
        here = cost[k]
        is_reached = False
        for service in range(n_services):
            is_reached |= here[service] < np.inf
        if not is_reached:
            continue
        for arc in range(first[k], first[k + 1]):
            there = cost[to[arc]]
            step = into[arc]
            for service in range(n_services):
                there[service] = min(there[service], here[service] + step)


@njit(cache=True, nogil=True)
def _down(first, to, out, n_out, cost):  # type: ignore[no-untyped-def]
    n_services = cost.shape[1]
    for k in range(n_out - 1, -1, -1):
        here = cost[k]
        for arc in range(first[k], first[k + 1]):
            there = cost[to[arc]]
            step = out[arc]
            for service in range(n_services):
                here[service] = min(here[service], there[service] + step)


@njit(cache=True, nogil=True)
def _up_nearest(first, to, into, n_out, cost, nearest):  # type: ignore[no-untyped-def]
    for k in range(n_out):
        for arc in range(first[k], first[k + 1]):
            x, step = to[arc], into[arc]
            for service in range(cost.shape[1]):
                found = cost[k, service] + step
                if found < cost[x, service]:
                    cost[x, service] = found
                    nearest[x, service] = nearest[k, service]


@njit(cache=True, nogil=True)
def _down_nearest(first, to, out, n_out, cost, nearest):  # type: ignore[no-untyped-def]
    for k in range(n_out - 1, -1, -1):
        for arc in range(first[k], first[k + 1]):
            x, step = to[arc], out[arc]
            for service in range(cost.shape[1]):
                found = cost[x, service] + step
                if found < cost[k, service]:
                    cost[k, service] = found
                    nearest[k, service] = nearest[x, service]


@njit(cache=True, nogil=True)
def _dijkstra(first, to, into, n_out, cost, service, nearest):  # type: ignore[no-untyped-def]
    """Settle one service over the core, by a binary heap in which outdated entries are passed over."""
    n = first.size - 1
    size = n - n_out + first[n] - first[n_out]
    key = np.empty(size, np.float64)
    node = np.empty(size, np.int32)
    length = 0
    for k in range(n_out, n):
        if cost[k, service] < np.inf:
            length = _pushed(key, node, length, cost[k, service], k)
    while length > 0:
        here, k = key[0], node[0]
        length = _popped(key, node, length)
        if here > cost[k, service]:
            continue
        for arc in range(first[k], first[k + 1]):
            x = to[arc]
            found = here + into[arc]
            if found < cost[x, service]:
                cost[x, service] = found
                if nearest.size:
                    nearest[x, service] = nearest[k, service]
                length = _pushed(key, node, length, found, x)


@njit(cache=True, nogil=True)
def _pushed(key, node, length, cost, k):  # type: ignore[no-untyped-def]
    at = length
    while at > 0:
        above = (at - 1) >> 1
        if key[above] <= cost:
            break
        key[at], node[at] = key[above], node[above]
        at = above
    key[at], node[at] = cost, k
    return length + 1


@njit(cache=True, nogil=True)
def _popped(key, node, length):  # type: ignore[no-untyped-def]
    length -= 1
    cost, k = key[length], node[length]
    at = 0
    while True:
        below = 2 * at + 1
        if below >= length:
            break
        if below + 1 < length and key[below + 1] < key[below]:
            below += 1
        if key[below] >= cost:
            break
        key[at], node[at] = key[below], node[below]
        at = below
    key[at], node[at] = cost, k
    return length

"""The inner loops of parcels, compiled; what they are given was checked and prepared by `analysis.core.parcels`."""

import math
from typing import Final

import numpy as np
from numba import njit

# Points on an outline nearer to one of its corners than this would only crowd it (metres).
_BESIDE_CORNER_M: Final = 0.1

# Centres of circles that are the same are found a rounding apart: on a grid this fine they are one (a micrometre).
_FINE: Final = 1e6

_ONE: Final = np.uint64(0x9E3779B97F4A7C15)
_TWO: Final = np.uint64(0xC2B2AE3D27D4EB4F)
_MIX: Final = np.uint64(0xBF58476D1CE4E5B9)
_HALF: Final = np.uint64(29)


@njit(cache=True, nogil=True)
def outline_points(xy, first, step_m, drawn_in_m):  # type: ignore[no-untyped-def]
    """Return the corners of rings and where their edges, before they were drawn in, cross the lines of a grid.

    Two walls that touch cross the same lines in the same places, so that the points of the one lie opposite to those of
    the other, and the border between their cells is straight. Land is on the left of every ring.
    """
    total = 0
    found, ring = np.empty((0, 2)), np.empty(0, dtype=np.int64)
    for is_written in (False, True):
        if is_written:
            found, ring = np.empty((total, 2)), np.empty(total, dtype=np.int64)
        total = 0
        for r in range(len(first) - 1):
            for i in range(first[r], first[r + 1] - 1):
                x, y = xy[i]
                dx, dy = xy[i + 1, 0] - x, xy[i + 1, 1] - y
                length = math.hypot(dx, dy)
                if length == 0.0:
                    continue
                if is_written:
                    found[total, 0], found[total, 1], ring[total] = x, y, r
                total += 1
                if abs(dx) >= abs(dy):
                    start, span = x + drawn_in_m * dy / length, dx
                else:
                    start, span = y - drawn_in_m * dx / length, dy
                low, high = min(start, start + span), max(start, start + span)
                for line in range(math.floor(low / step_m) + 1, math.ceil(high / step_m)):
                    way = (line * step_m - start) / span
                    if min(way, 1.0 - way) * length < _BESIDE_CORNER_M:
                        continue
                    if is_written:
                        found[total, 0], found[total, 1], ring[total] = x + way * dx, y + way * dy, r
                    total += 1
    return found, ring


@njit(cache=True, nogil=True)
def _place(one, two):  # type: ignore[no-untyped-def]
    mixed = one * _ONE + two * _TWO
    mixed = (mixed ^ (mixed >> _HALF)) * _MIX
    return mixed ^ (mixed >> _HALF)


@njit(cache=True, nogil=True)
def cells_of_triangles(corners, first, sites, first_site, owner):  # type: ignore[no-untyped-def]
    """Walk around the Voronoi cells of sites, those of one owner together, from one Delaunay triangle to the next.

    The corners of cells are the centres of the circles around triangles. Where a triangle has corners of an owner and
    of others, the border of the owner's land comes in through one edge and leaves through another, so that borders
    never fork, and the two sides of a border have its corners in common to the last bit.

    Parameters
    ----------
    corners
        Shape ``(triangles * 4, 2)``: closed triangles, their corners sites to the last bit; no -0.0.
    first
        Shape ``(blocks + 1,)``: where the triangles of each block begin.
    sites
        Shape ``(sites, 2)``; no -0.0.
    first_site
        Shape ``(blocks + 1,)``: where the sites of each block begin.
    owner
        Shape ``(sites,)``: -1 for nobody's, which get no cell.

    Returns
    -------
    tuple of ndarray
        Corners of closed rings; ``(rings + 1,)`` where each begins; ``(rings,)`` whose it is; ``(k,)`` owners whose
        border is not closed, none if the triangles are a triangulation in which owners' sites lie inside.
    """
    n = len(corners) // 4
    corner, beyond = np.empty((n, 3), dtype=np.int64), np.full((n, 3), -1, dtype=np.int64)
    centre = np.empty((n, 2))
    most = 1
    for b in range(len(first_site) - 1):
        most = max(most, first_site[b + 1] - first_site[b])
    size = 8
    while size < 8 * most:
        size *= 2
    table = np.full(size, -1, dtype=np.int64)
    corner_bits, site_bits = corners.view(np.uint64), sites.view(np.uint64)
    for b in range(len(first_site) - 1):
        size = 8
        while size < 8 * (first_site[b + 1] - first_site[b]):
            size *= 2
        mask = np.uint64(size - 1)
        for s in range(first_site[b], first_site[b + 1]):
            at = _place(site_bits[s, 0], site_bits[s, 1]) & mask
            while table[at] >= 0:
                at = (at + np.uint64(1)) & mask
            table[at] = s
        for t in range(first[b], first[b + 1]):
            for c in range(3):
                i = 4 * t + c
                at = _place(corner_bits[i, 0], corner_bits[i, 1]) & mask
                while table[at] >= 0 and (sites[table[at], 0] != corners[i, 0] or sites[table[at], 1] != corners[i, 1]):
                    at = (at + np.uint64(1)) & mask
                corner[t, c] = table[at]
            x, y = corners[4 * t]
            x1, y1, x2, y2 = (
                corners[4 * t + 1, 0] - x,
                corners[4 * t + 1, 1] - y,
                corners[4 * t + 2, 0] - x,
                corners[4 * t + 2, 1] - y,
            )
            twice = 2.0 * (x1 * y2 - y1 * x2)
            if twice < 0.0:  # against the clock, all of them
                corner[t, 1], corner[t, 2] = corner[t, 2], corner[t, 1]
            square1, square2 = x1 * x1 + y1 * y1, x2 * x2 + y2 * y2
            if twice == 0.0:  # so small that its area is lost
                centre[t, 0], centre[t, 1] = x + (x1 + x2) / 3.0, y + (y1 + y2) / 3.0
            else:
                centre[t, 0] = x + (y2 * square1 - y1 * square2) / twice
                centre[t, 1] = y + (x1 * square2 - x2 * square1) / twice
            centre[t] = np.rint(centre[t] * _FINE) / _FINE
        table[:size] = -1
        # The triangle beyond each edge between two owners.
        for t in range(first[b], first[b + 1]):
            for c in range(3):
                i, j = corner[t, c], corner[t, (c + 1) % 3]
                if owner[i] == owner[j]:
                    continue
                at = _place(np.uint64(min(i, j)), np.uint64(max(i, j))) & mask
                while table[at] >= 0:
                    u, d = table[at] // 3, table[at] % 3
                    if corner[u, d] == j and corner[u, (d + 1) % 3] == i:
                        beyond[t, c], beyond[u, d] = u, t
                        break
                    at = (at + np.uint64(1)) & mask
                if table[at] < 0:
                    table[at] = 3 * t + c
        table[:size] = -1
    # Three corners of borders in each triangle at most, and one more for each ring, which has at least three.
    found, ends, whose = np.empty((4 * n + 1, 2)), np.zeros(n + 1, dtype=np.int64), np.empty(n, dtype=np.int64)
    is_done, is_open = np.zeros((n, 3), dtype=np.bool_), np.zeros(max(owner.max(), 0) + 1, dtype=np.bool_)
    written = rings = 0
    for start in range(n):
        for edge in range(3):
            mine = owner[corner[start, edge]]
            if mine < 0 or is_done[start, edge] or owner[corner[start, (edge + 1) % 3]] == mine:
                continue
            begin = written
            t, c = start, edge
            while t >= 0 and not is_done[t, c]:
                is_done[t, c] = True
                if written == begin or found[written - 1, 0] != centre[t, 0] or found[written - 1, 1] != centre[t, 1]:
                    found[written] = centre[t]
                    written += 1
                t = beyond[t, c]
                if t >= 0:
                    c = 0
                    while owner[corner[t, c]] != mine or owner[corner[t, (c + 1) % 3]] == mine:
                        c += 1
            if t < 0:
                is_open[mine] = True
                written = begin
                continue
            if found[written - 1, 0] != found[begin, 0] or found[written - 1, 1] != found[begin, 1]:
                found[written] = found[begin]
                written += 1
            if written - begin < 4:  # no land
                written = begin
                continue
            whose[rings] = mine
            rings += 1
            ends[rings] = written
    return found[:written].copy(), ends[: rings + 1].copy(), whose[:rings].copy(), np.flatnonzero(is_open)


@njit(cache=True, nogil=True)
def edges_of_blocks(place, ring, parcel, first):  # type: ignore[no-untyped-def]
    """Number corners block by block, and find edges with the parcels on their two sides.

    Parameters
    ----------
    place
        Shape ``(corners,)``: a number for the place of each corner.
    ring, parcel
        Shape ``(corners,)``: the ring and the parcel that each belongs to.
    first
        Shape ``(blocks + 1,)``: where the corners of each block begin.

    Returns
    -------
    tuple of ndarray
        Shape ``(m, 2)`` nodes and ``(m, 2)`` parcels of edges; shape ``(nodes,)`` a corner of each node, and its block.
    """
    edges, sides = np.empty((len(place), 2), dtype=np.int64), np.empty((len(place), 2), dtype=np.int64)
    corner, block = np.empty(len(place), dtype=np.int64), np.empty(len(place), dtype=np.int64)
    node = np.empty(len(place), dtype=np.int64)
    m = nodes = 0
    for b in range(len(first) - 1):
        low, high = first[b], first[b + 1]
        order = np.argsort(place[low:high], kind="mergesort") + low
        begin = nodes
        for q in range(len(order)):
            if q == 0 or place[order[q]] != place[order[q - 1]]:
                corner[nodes], block[nodes] = order[q], b
                nodes += 1
            node[order[q]] = nodes - 1
        n = nodes - begin
        start = np.empty(high - low, dtype=np.int64)
        key = np.empty(high - low, dtype=np.int64)
        count = 0
        for i in range(low, high - 1):
            if ring[i] == ring[i + 1] and node[i] != node[i + 1]:
                start[count] = i
                key[count] = (min(node[i], node[i + 1]) - begin) * n + max(node[i], node[i + 1]) - begin
                count += 1
        order = np.argsort(key[:count], kind="mergesort")
        for q in range(count):
            i = start[order[q]]
            if q and key[order[q]] == key[order[q - 1]]:
                if sides[m - 1, 1] < 0:
                    sides[m - 1, 1] = parcel[i]
                continue
            edges[m, 0], edges[m, 1] = min(node[i], node[i + 1]), max(node[i], node[i + 1])
            sides[m, 0], sides[m, 1] = parcel[i], -1
            m += 1
    return edges[:m].copy(), sides[:m].copy(), corner[:nodes].copy(), block[:nodes].copy()

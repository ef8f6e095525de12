"""How short a network of paths that touches every parcel can be at best."""

import heapq

import numpy as np
from numba import njit

from analysis.core.access_search import Web


def least_length_m(web: Web) -> float:
    """Bound the length of any tree from below by dual ascent [@wong1984]; 0 without parcels."""
    return float(
        _dual_ascent(
            web.is_root,
            web.u,
            web.v,
            web.length_m,
            web.first,
            web.towards,
            web.stretch,
            web.parcel_first,
            web.parcel_node,
        )
    )


@njit(cache=True, nogil=True)
def _dual_ascent(is_root, u, v, length, first, towards, stretch, parcel_first, parcel_node):  # type: ignore[no-untyped-def]
    """Raise cuts between parcels and the root until each parcel has a way of price nought."""
    n, m, p = is_root.size, u.size, parcel_first.size - 1
    # What is left of the length of each stretch, from u to v and from v to u.
    left = np.empty((m, 2))
    left[:, 0], left[:, 1] = length, length
    bound = 0.0
    mark = np.full(n, -1, np.int64)
    stack = np.empty(n, np.int64)
    heap = [(0, 0)]
    heap.pop()
    for parcel in range(p):
        heapq.heappush(heap, (parcel_first[parcel + 1] - parcel_first[parcel], parcel))
    turn = 0
    while len(heap) > 0:
        parcel = heapq.heappop(heap)[1]
        turn += 1
        size = 0
        members = 0
        reached = False
        for k in range(parcel_first[parcel], parcel_first[parcel + 1]):
            mark[parcel_node[k]] = turn
            stack[members] = parcel_node[k]
            members += 1
        while size < members and not reached:
            node = stack[size]
            size += 1
            if is_root[node]:
                reached = True
                break
            for k in range(first[node], first[node + 1]):
                other, e = towards[k], stretch[k]
                # The way that leads to the node.
                if mark[other] != turn and left[e, 0 if v[e] == node else 1] <= 0.0:
                    mark[other] = turn
                    stack[members] = other
                    members += 1
        if reached:
            continue
        # The smallest set of nodes first keeps cuts from hiding each other.
        if len(heap) > 0 and members > heap[0][0]:
            heapq.heappush(heap, (members, parcel))
            continue
        least = np.inf
        for at in range(members):
            node = stack[at]
            for k in range(first[node], first[node + 1]):
                if mark[towards[k]] != turn:
                    e = stretch[k]
                    least = min(least, left[e, 0 if v[e] == node else 1])
        if least == np.inf:
            continue
        for at in range(members):
            node = stack[at]
            for k in range(first[node], first[node + 1]):
                if mark[towards[k]] != turn:
                    e = stretch[k]
                    side = 0 if v[e] == node else 1
                    left[e, side] = left[e, side] - least if left[e, side] - least > 1e-12 else 0.0
        bound += least
        heapq.heappush(heap, (members, parcel))
    return bound

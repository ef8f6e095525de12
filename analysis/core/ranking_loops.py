"""The inner loops of many rankings, compiled; what they are given was checked and prepared by `analysis.core.ranking`."""

import math
from typing import Final

import numpy as np
from numba import njit

# S and R of VIKOR that differ by less do not differ: sums of the same terms may do so in their last digit.
_NO_RANGE: Final = 1e-9


@njit(cache=True, nogil=True)
def sums(terms, share, found):  # type: ignore[no-untyped-def]
    """Sum share × term over indicators, four at a time in their order, for every place."""
    n, k = share.shape
    p = terms.shape[2]
    for i in range(n):
        here = terms[i if terms.shape[0] > 1 else 0]
        row = found[i]
        row[:] = 0.0
        q = 0
        while q + 4 <= k:
            a, b, c, d = share[i, q], share[i, q + 1], share[i, q + 2], share[i, q + 3]
            one, two, three, four = here[q], here[q + 1], here[q + 2], here[q + 3]
            for j in range(p):
                row[j] = (((row[j] + a * one[j]) + b * two[j]) + c * three[j]) + d * four[j]
            q += 4
        while q < k:
            a, one = share[i, q], here[q]
            for j in range(p):
                row[j] += a * one[j]
            q += 1


@njit(cache=True, nogil=True)
def distances(known, present, share, found):  # type: ignore[no-untyped-def]
    """TOPSIS; weights of a place need no scaling, as both distances have the same factor."""
    n, k = share.shape
    p = known.shape[2]
    full = np.ones(p)
    far = np.empty(p)
    for i in range(n):
        at = i if known.shape[0] > 1 else 0
        near = found[i]
        near[:] = 0.0
        far[:] = 0.0
        for q in range(k):
            square = share[i, q] * share[i, q]
            s = known[at, q]
            here = present[at, q] if present.size else full
            for j in range(p):
                near[j] += square * (s[j] * s[j])
                far[j] += square * ((here[j] - s[j]) * (here[j] - s[j]))
        for j in range(p):
            up, down = math.sqrt(near[j]), math.sqrt(far[j])
            if up + down > 0.0:
                near[j] = 100.0 * (up / (up + down))
            else:
                near[j] = _distance_of_tiny(known[at, :, j], present[at, :, j] if present.size else full[:1], share[i])


@njit(cache=True, nogil=True)
def _distance_of_tiny(s, here, share):  # type: ignore[no-untyped-def]
    """TOPSIS of a place whose only weights are so small that their squares are lost."""
    largest = 0.0
    for q in range(share.size):
        if here[min(q, here.size - 1)] > 0.0:
            largest = max(largest, share[q])
    if largest == 0.0:
        return 0.0
    near, far = 0.0, 0.0
    for q in range(share.size):
        if here[min(q, here.size - 1)] > 0.0:
            square = (share[q] / largest) ** 2
            near += square * s[q] * s[q]
            far += square * (1.0 - s[q]) ** 2
    return 100.0 * math.sqrt(near) / (math.sqrt(near) + math.sqrt(far))


@njit(cache=True, nogil=True)
def regrets(known, present, share, weight, found):  # type: ignore[no-untyped-def]
    """VIKOR; places without any weight have no part in the best and the worst."""
    n, k = share.shape
    p = known.shape[2]
    full = np.ones(p)
    most = np.empty(p)
    for i in range(n):
        at = i if known.shape[0] > 1 else 0
        total = found[i]
        total[:] = 0.0
        most[:] = 0.0
        for q in range(k):
            w = share[i, q]
            s = known[at, q]
            here = present[at, q] if present.size else full
            for j in range(p):
                lost = w * (here[j] - s[j])
                total[j] += lost
                most[j] = max(most[j], lost)
        low_s, high_s, low_r, high_r = np.inf, -np.inf, np.inf, -np.inf
        for j in range(p):
            if weight[i, j] > 0.0:
                total[j] /= weight[i, j]
                most[j] /= weight[i, j]
                low_s, high_s = min(low_s, total[j]), max(high_s, total[j])
                low_r, high_r = min(low_r, most[j]), max(high_r, most[j])
        is_s, is_r = high_s - low_s > _NO_RANGE, high_r - low_r > _NO_RANGE
        for j in range(p):
            of_s = (total[j] - low_s) / (high_s - low_s) if is_s else 0.5
            of_r = (most[j] - low_r) / (high_r - low_r) if is_r else 0.5
            found[i, j] = 100.0 * (1.0 - 0.5 * of_s - 0.5 * of_r)


@njit(cache=True, nogil=True)
def stretch(values):  # type: ignore[no-untyped-def]
    """Stretch scores of shape ``(n, k, p)`` to 0 and 1 where they stand; NaN where no places differ."""
    for i in range(values.shape[0]):
        for q in range(values.shape[1]):
            row = values[i, q]
            low, high = np.inf, -np.inf
            for j in range(row.size):
                if row[j] == row[j]:
                    low, high = min(low, row[j]), max(high, row[j])
            for j in range(row.size):
                row[j] = (row[j] - low) / (high - low) if high > low else np.nan


@njit(cache=True, nogil=True)
def unpack(packed, ranks):  # type: ignore[no-untyped-def]
    """Give each place the position of the first that has its score."""
    n, p = packed.shape
    for i in range(n):
        before, rank = -1, 0
        for at in range(p):
            tick = packed[i, at] // p
            if tick != before:
                before, rank = tick, at + 1
            ranks[i, packed[i, at] - tick * p] = rank

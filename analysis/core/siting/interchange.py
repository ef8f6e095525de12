"""Interchange of open for closed sites [@teitz1968], every swap judged in one pass over the offers [@whitaker1983]."""

import numpy as np
from numba import njit

from analysis.core.siting.allocation import Allocation
from analysis.core.siting.columns import Booleans

#: A move that saves less than this share of the whole is none: rounding must not turn in circles.
_LEAST_SHARE = 1e-12


def improved(
    asked: Allocation, is_open: Booleans, *, swaps: bool = True, per_price: bool = False
) -> tuple[float, Booleans]:
    """Open sites while that saves, and exchange one for another while that does; return the cost and the open sites.

    Parameters
    ----------
    asked
        The question.
    is_open
        Shape ``(sites,)``: to begin with, within the limits; it is not changed.
    swaps
        Exchange, too. If not, this is greed.
    per_price
        Open what saves most per unit of money, rather than most.

    Notes
    -----
    With d1 and d2 a row's best and second-best offer, opening j saves Σ max(d1 − c_j, 0), closing r loses Σ (d2 − d1)
    over the rows that r serves, and both at once save gain_j − loss_r + Σ (d2 − max(d1, c_j)) over those rows of r with
    c_j < d2 [@resende2007]. Ties go to the least number in, then to the least number out.
    """
    found = is_open.copy()
    total = _improve(
        asked.first,
        asked.site,
        asked.cost,
        asked.fallback,
        asked.price,
        asked.budget,
        asked.most,
        found,
        swaps,
        per_price,
    )
    return total, found


@njit(cache=True, nogil=True)
def _improve(first, site, cost, fallback, price, budget, most, is_open, swaps, per_price):  # type: ignore[no-untyped-def]
    n, m = fallback.size, price.size
    slot = np.full(m, -1, np.int32)
    while True:
        n_open = 0
        spent = 0
        for j in range(m):
            slot[j] = -1
            if is_open[j]:
                slot[j] = n_open
                n_open += 1
                spent += price[j]
        gain, loss = np.zeros(m), np.zeros(n_open)
        extra = np.zeros((m, n_open if swaps else 0))
        total = 0.0
        for i in range(n):
            begin, stop = first[i], first[i + 1]
            best, second, server = fallback[i], fallback[i], -1
            for at in range(begin, stop):
                if is_open[site[at]]:
                    if server < 0:
                        server, best = slot[site[at]], cost[at]
                    else:
                        second, stop = cost[at], at
                        break
            total += best
            if server >= 0:
                loss[server] += second - best
            for at in range(begin, stop):
                j = site[at]
                c = cost[at]
                if c >= second:
                    break
                if slot[j] >= 0:
                    continue
                if c < best:
                    gain[j] += best - c
                if swaps and server >= 0:
                    extra[j, server] += second - max(best, c)
        best_score, into, out = 0.0, -1, -1
        for j in range(m):
            if slot[j] >= 0:
                continue
            if n_open < most and (budget < 0 or spent + price[j] <= budget):
                score = gain[j] / max(price[j], 1) if per_price else gain[j]
                if gain[j] > _LEAST_SHARE * total and score > best_score:
                    best_score, into, out = score, j, -1
        # Opening alone never loses; swaps are only asked for where nothing more can be opened to advantage.
        if into < 0 and swaps:
            best_score = _LEAST_SHARE * total
            for j in range(m):
                if slot[j] >= 0:
                    continue
                for r in range(m):
                    if slot[r] < 0 or (budget >= 0 and spent + price[j] - price[r] > budget):
                        continue
                    score = gain[j] - loss[slot[r]] + extra[j, slot[r]]
                    if score > best_score:
                        best_score, into, out = score, j, r
        if into < 0:
            return total
        is_open[into] = True
        if out >= 0:
            is_open[out] = False


__all__ = ["improved"]

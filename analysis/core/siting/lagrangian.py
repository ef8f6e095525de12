"""What no choice can undercut: Lagrangian bounds of an allocation, and what they rule out.

Each row gets a price λ_i for being served, at most its fallback. Then L(λ) = Σ λ_i + min Σ_j ρ_j y_j over the choices that
are allowed, with ρ_j = Σ_i min(c_ij − λ_i, 0), is a lower bound [@cornuejols1977], and subgradients raise it [@held1974].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numba import njit

from analysis.core.siting.allocation import Allocation
from analysis.core.siting.columns import Booleans, Floats

#: The step is halved after so many turns that did not raise the bound.
_PATIENCE: Final = 30

#: Turns end when the step is this small.
_LEAST_STEP: Final = 1e-4

#: How often the price of money is halved in on.
_HALVINGS: Final = 40


@dataclass(slots=True, eq=False)
class Ascent:
    """Where raising the bound has got to.

    Attributes
    ----------
    bound
        The best so far.
    prices
        Shape ``(rows,)``: λ with that bound.
    reduced
        Shape ``(sites,)``: ρ of these prices, the price of money included.
    picked
        Shape ``(sites,)``: which sites the relaxed question chose there.
    step
        Of the next turn.
    """

    bound: float
    prices: Floats
    reduced: Floats
    picked: Booleans
    step: float

    @property
    def is_stuck(self) -> bool:
        """Whether more turns would hardly raise it."""
        return self.step < _LEAST_STEP


def begin(asked: Allocation, is_open: Booleans) -> Ascent:
    """Start from the prices that a choice suggests: between a row's best and its second-best offer."""
    prices = _suggested(asked.first, asked.site, asked.cost, asked.fallback, is_open)
    return Ascent(-np.inf, prices, np.zeros(asked.n_sites), np.zeros(asked.n_sites, np.bool_), 1.0)


def ascend(asked: Allocation, ascent: Ascent, upper: float, turns: int) -> None:
    """Raise the bound by so many turns at most, or until it meets the cost of a choice that is known."""
    ascent.bound, ascent.step = _ascend(
        asked.first, asked.site, asked.cost, asked.fallback, asked.price, asked.budget, asked.most,
        ascent.prices, ascent.reduced, ascent.picked, ascent.bound, ascent.step, upper, turns,
    )  # fmt: skip


def ruled_out(asked: Allocation, ascent: Ascent, upper: float) -> tuple[Booleans, Booleans, Booleans]:
    """Tell which sites, and which offers, no choice that costs less than `upper` makes use of.

    Returns
    -------
    tuple of ndarray
        Shape ``(sites,)``: certainly closed; certainly open. Shape ``(offers,)``: certainly not what the row takes.
    """
    rho, picked = ascent.reduced, ascent.picked
    spare = upper - ascent.bound
    inside, outside = rho[picked], rho[~picked]
    is_full = int(picked.sum()) >= asked.most
    # Opening one more either takes the place of the dearest that is open, or just adds to them.
    displaced = max(float(inside.max(initial=-np.inf)), -np.inf) if is_full else 0.0
    if not np.isfinite(displaced):
        displaced = 0.0
    rise = np.where(picked, 0.0, np.maximum(rho - displaced, 0.0))
    successor = min(float(outside.min(initial=0.0)), 0.0) if is_full else 0.0
    fall = np.where(picked, successor - rho, 0.0)
    row = np.repeat(np.arange(asked.fallback.size), np.diff(asked.first))
    offer = rise[asked.site] + np.maximum(asked.cost - ascent.prices[row], 0.0)
    # A little more than the gap, so that rounding rules nothing out.
    limit = spare + 1e-9 * abs(upper)
    return rise > limit, fall > limit, offer > limit


@njit(cache=True, nogil=True)
def _suggested(first, site, cost, fallback, is_open):  # type: ignore[no-untyped-def]
    prices = np.empty(fallback.size)
    for i in range(fallback.size):
        best, second, found = fallback[i], fallback[i], 0
        for at in range(first[i], first[i + 1]):
            if is_open[site[at]]:
                if found == 0:
                    best = cost[at]
                else:
                    second = cost[at]
                    break
                found += 1
        # A fallback that stands for "never" is no price.
        last = cost[first[i + 1] - 1] if first[i + 1] > first[i] else fallback[i]
        prices[i] = min((best + second) / 2, max(last, best))
    return prices


@njit(cache=True, nogil=True)
def _pick(rho, price, budget, most, reduced, picked):  # type: ignore[no-untyped-def]
    """Choose what lowers the bound most; return by how much. Money is limited through a price of its own."""
    low, high = 0.0, 0.0
    value = _pick_at(rho, price, 0.0, most, reduced, picked)
    if budget < 0:
        return value
    spent = 0.0
    for j in range(rho.size):
        if picked[j]:
            spent += price[j]
    if spent <= budget:
        return value
    for j in range(rho.size):
        if price[j] > 0:
            high = max(high, -rho[j] / price[j])
    best, best_mu = value, 0.0
    for _ in range(_HALVINGS):
        mu = (low + high) / 2
        value = _pick_at(rho, price, mu, most, reduced, picked) - mu * budget
        if value > best:
            best, best_mu = value, mu
        spent = 0.0
        for j in range(rho.size):
            if picked[j]:
                spent += price[j]
        if spent > budget:
            low = mu
        else:
            high = mu
    return _pick_at(rho, price, best_mu, most, reduced, picked) - best_mu * budget


@njit(cache=True, nogil=True)
def _pick_at(rho, price, mu, most, reduced, picked):  # type: ignore[no-untyped-def]
    for j in range(rho.size):
        reduced[j] = rho[j] + mu * price[j]
        picked[j] = False
    value = 0.0
    order = np.argsort(reduced, kind="mergesort")
    for k in range(min(most, rho.size)):
        j = order[k]
        if reduced[j] >= 0:
            break
        picked[j] = True
        value += reduced[j]
    return value


@njit(cache=True, nogil=True)
def _ascend(first, site, cost, fallback, price, budget, most, prices, reduced, picked, bound, step, upper, turns):  # type: ignore[no-untyped-def]
    n, m = fallback.size, price.size
    at_prices, direction = prices.copy(), np.zeros(n)
    rho, at_reduced, at_picked = np.empty(m), np.empty(m), np.empty(m, np.bool_)
    idle = 0
    for _ in range(turns):
        rho[:] = 0.0
        low = 0.0
        for i in range(n):
            p = at_prices[i]
            low += p
            for at in range(first[i], first[i + 1]):
                if cost[at] >= p:
                    break
                rho[site[at]] += cost[at] - p
        low += _pick(rho, price, budget, most, at_reduced, at_picked)
        if low > bound:
            # A rise that is next to nothing does not count as one.
            idle = 0 if low > bound + 1e-3 * (upper - bound) else idle + 1
            bound = low
            prices[:], reduced[:], picked[:] = at_prices, at_reduced, at_picked
        else:
            idle += 1
        if idle >= _PATIENCE:
            step /= 2
            idle = 0
            at_prices[:] = prices
            direction[:] = 0.0
        if bound >= upper or step < _LEAST_STEP:
            break
        norm = 0.0
        for i in range(n):
            p = at_prices[i]
            slope = 1.0
            for at in range(first[i], first[i + 1]):
                if cost[at] >= p:
                    break
                if at_picked[site[at]]:
                    slope -= 1.0
            direction[i] = slope + 0.9 * direction[i]
            if p >= fallback[i] and direction[i] > 0:
                direction[i] = 0.0
            norm += direction[i] * direction[i]
        if norm == 0.0:
            step = 0.0
            break
        size = step * (upper - low) / norm
        for i in range(n):
            floor = cost[first[i]] if first[i + 1] > first[i] else fallback[i]
            at_prices[i] = min(max(at_prices[i] + size * direction[i], min(floor, fallback[i])), fallback[i])
    return bound, step


__all__ = ["Ascent", "ascend", "begin", "ruled_out"]

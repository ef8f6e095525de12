"""The nearest weights by which enough linear comparisons hold, whichever: exact, or the best until time ran out."""

import heapq
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog, nnls

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

Distance = Literal["l1", "l2"]

_SOLVED, _INFEASIBLE = 0, 2
_PRECISION: Final = 1e-10
# A comparison that misses by less holds.
_SLACK: Final = 1e-11


@dataclass(frozen=True, slots=True, eq=False)
class Programme:
    """At least ``needed`` of the rows must have ``row · w ≥ margin``, for weights w ≥ 0 that sum to 1.

    Attributes
    ----------
    rows
        Shape ``(r, k)``, from −1 to 1.
    needed
        How many.
    start
        Shape ``(k,)``: the weights to stay close to.
    margin
        Zero or more.
    """

    rows: Floats
    needed: int
    start: Floats
    margin: float


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """The answer to a programme.

    Attributes
    ----------
    weights
        Shape ``(k,)``; None if none were found.
    bound
        No weights are closer than this.
    is_impossible
        Whether it is proven that there are none.
    """

    weights: Floats | None
    bound: float
    is_impossible: bool


def distance_of(change: Floats, distance: Distance) -> float:
    """Return Σ |Δw| or √Σ Δw²."""
    return float(np.abs(change).sum() if distance == "l1" else np.sqrt(np.square(change).sum()))


def cheapest(programme: Programme, distance: Distance, time_limit_s: float) -> Nearest:
    """Find the nearest weights by branch and bound: each row must hold, or is given up, of which only so many may be.

    Parameters
    ----------
    programme
        What must hold.
    distance
        ``l1``: each node is a linear program for HiGHS. ``l2``: each node is a least distance to a polyhedron.
    time_limit_s
        After which the best so far is answered.

    Notes
    -----
    The node with the smallest bound is opened first. A node asks only for the rows that were branched on, so that it
    is small however many places there are. One mixed-integer program of all rows, of 400 places by 30 indicators, was
    not proven by HiGHS in 5 s where this takes between 0.03 and 4 s.

    Examples
    --------
    >>> programme = Programme(np.array([[-1.0, 1.0]]), 1, np.array([0.8, 0.2]), 0.0)
    >>> found = cheapest(programme, "l2", 1.0)
    >>> found.weights.round(6).tolist(), round(found.bound, 6)
    ([0.5, 0.5], 0.424264)
    """
    started = time.monotonic()
    rows, start, needed, margin = programme.rows, programme.start, programme.needed, programme.margin
    can_hold = rows.max(axis=1) >= margin
    if can_hold.sum() < needed:
        return Nearest(None, 0.0, is_impossible=True)
    nearest = _nearest_of(programme, distance)
    best = _dived(programme, nearest)
    most = np.inf if best is None else distance_of(best - start, distance)
    order = itertools.count()
    open_bound = np.inf
    nodes = [(0.0, next(order), np.zeros(len(rows), dtype=np.bool_), ~can_hold, start)]
    while nodes:
        bound, _, forced, given_up, at = nodes[0]
        if bound >= most - _PRECISION or time.monotonic() - started > time_limit_s:
            break
        heapq.heappop(nodes)
        gap = margin - rows @ at
        holds = (gap <= _SLACK) | forced
        missing = needed - int((holds & ~given_up).sum())
        open_rows = np.flatnonzero(~holds & ~given_up)
        if missing <= 0:
            best, most = at, bound
            continue
        if open_rows.size < missing:
            continue
        # If most must hold, the hardest decides soonest; if few must, the easiest.
        pick = open_rows[gap[open_rows].argmax() if 2 * missing > open_rows.size else gap[open_rows].argmin()]
        with_it, without = forced.copy(), given_up.copy()
        with_it[pick] = without[pick] = True
        if len(rows) - without.sum() >= needed:
            heapq.heappush(nodes, (bound, next(order), forced, without, at))
        try:
            there = nearest(with_it)
        except _NotSolved:
            # What is not solved is not closed: nothing above this node's bound is proven.
            open_bound = min(open_bound, bound)
            continue
        if there is not None:
            far = max(distance_of(there - start, distance), bound)
            if far < most:
                heapq.heappush(nodes, (far, next(order), with_it, given_up, there))
    # Where every node was closed without weights, no choice of rows has any.
    is_impossible = best is None and not nodes and open_bound == np.inf
    bound = min(nodes[0][0] if nodes else np.inf, most, open_bound)
    return Nearest(best, bound if np.isfinite(bound) else 0.0, is_impossible=is_impossible)


class _NotSolved(Exception):
    """The solver of a node gave up."""


def _nearest_of(programme: Programme, distance: Distance) -> Callable[[Mask], Floats | None]:
    if distance == "l1":
        return lambda held: _nearest_l1(programme, held)
    k = programme.start.size
    # Spans the changes that leave the sum of the weights.
    basis = np.linalg.svd(np.ones((1, k)))[2][1:].T
    return lambda held: _nearest_l2(programme, held, basis)


def _dived(programme: Programme, nearest: Callable[[Mask], Floats | None]) -> Floats | None:
    """Ask for the easier half of the rows still missing, again and again: some weights soon, if not the nearest."""
    at: Floats | None = programme.start
    forced = np.zeros(len(programme.rows), dtype=np.bool_)
    while at is not None:
        gap = programme.margin - programme.rows @ at
        holds = (gap <= _SLACK) | forced
        missing = programme.needed - int(holds.sum())
        if missing <= 0:
            return at
        rest = np.flatnonzero(~holds)
        forced[rest[np.argsort(gap[rest], kind="stable")[: (missing + 1) // 2]]] = True
        try:
            at = nearest(forced)
        except _NotSolved:
            return None
    return None


def _nearest_l1(programme: Programme, held: Mask) -> Floats | None:
    """Return the nearest by l1 by which these rows hold; None if there is none."""
    rows, start = programme.rows[held], programme.start
    k = start.size
    eye = np.eye(k)
    answer = linprog(
        np.r_[np.zeros(k), np.ones(k)],
        A_ub=np.vstack((np.hstack((-rows, np.zeros_like(rows))), np.hstack((eye, -eye)), np.hstack((-eye, -eye)))),
        b_ub=np.r_[np.full(len(rows), -programme.margin), start, -start],
        A_eq=np.r_[np.ones(k), np.zeros(k)][None],
        b_eq=[1.0],
        bounds=(0, 1),
        options={"primal_feasibility_tolerance": _PRECISION, "dual_feasibility_tolerance": _PRECISION},
    )
    if answer.status == _INFEASIBLE:
        return None
    if answer.status != _SOLVED:
        raise _NotSolved
    return _tidy(answer.x[:k])


def _nearest_l2(programme: Programme, held: Mask, basis: Floats) -> Floats | None:
    """Return the nearest by l2 by which these rows hold; None if there is none.

    Least distance programming [@lawson1974]: min ‖y‖ subject to G y ≥ h is the residual of a non-negative least squares
    problem. ``basis`` spans the changes that leave the sum of the weights.
    """
    rows, start = programme.rows[held], programme.start
    g = np.vstack((rows @ basis, basis))
    h = np.r_[programme.margin - rows @ start, -start]
    if (h <= 0).all():
        return start
    matrix = np.vstack((g.T, h))
    target = np.r_[np.zeros(basis.shape[1]), 1.0]
    try:
        solution, _ = nnls(matrix, target, maxiter=20 * matrix.shape[1] + 100)
    except RuntimeError as error:
        raise _NotSolved from error
    residual = matrix @ solution - target
    if -residual[-1] <= _PRECISION:
        return None
    return _tidy(start + basis @ (residual[:-1] / -residual[-1]))


def _tidy(weights: Floats) -> Floats:
    """Take away what rounding left below zero and beside one."""
    weights = np.maximum(weights, 0.0)
    return np.asarray(weights / weights.sum())

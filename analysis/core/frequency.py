"""Frequency of public transport: how many departures a week leave from within reach, each line counted once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.errors import InvalidInput

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

Reached = tuple[NDArray[np.integer], NDArray[np.floating]]
"""Cells that reach a line, each once, and which share of each does."""

_WHOLE: Final = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Frequency:
    """Departures a week within reach of cells.

    Attributes
    ----------
    departures
        Shape ``(cells,)``: mean over the people of the cell.
    lines
        Shape ``(cells,)``: number of lines, likewise.
    class_share
        Shape ``(classes + 1, cells)``: share of each cell with no departure, then in each class; adds up to 1.
    """

    departures: Floats
    lines: Floats
    class_share: Floats


def frequency(
    reached: Iterable[Reached],
    departures_week: NDArray[np.floating],
    edges: Sequence[float],
    n_cells: int,
    *,
    adds_up: bool = True,
) -> Frequency:
    """Add up the departures of the lines within reach of each cell, and sort its people into classes of them.

    Parameters
    ----------
    reached
        For each line the cells that reach any of its stops, and the share of each that does (`covered_share` of the cost
        to the nearest of them). Taken one after the other, so that only one line's cells are in memory.
    departures_week
        Shape ``(lines,)``: departures a week, zero or more. A line without departures serves nobody.
    edges
        Where classes begin, ascending, the first zero: a class holds what is at least its edge and less than the next.
    n_cells
        Number of cells.
    adds_up
        False takes the greatest instead of the sum: where stops tell their own departures and nobody knows which of them
        the same lines serve, a sum would count a line as often as it stops.

    Raises
    ------
    InvalidInput
        If a number of departures is negative or not finite, the edges are not ascending from zero, or there is not one
        catchment for each line.

    Notes
    -----
    Departures within reach as in [@poelman2015]; there departures of stops near to each other are added up and the
    greatest of overlapping catchments is taken, here each line counts once, however many of its stops are near.

    A cell that the limit cuts reaches a line with a share of its people. Shares of several lines are nested: who reaches
    the line of the lesser share reaches that of the greater one, too, as the lines' stops are approached from one side.
    So the people with none are those beyond the nearest stop, as in coverage; the mean does not depend on it.

    Examples
    --------
    Two lines of 30 and 20 departures; half of the second cell reaches the first line:

    >>> near = [(np.array([0, 1]), np.array([1.0, 0.5])), (np.array([0]), np.array([1.0]))]
    >>> found = frequency(near, np.array([30.0, 20.0]), (0.0, 40.0), n_cells=3)
    >>> found.departures.tolist(), found.lines.tolist()
    ([50.0, 15.0, 0.0], [2.0, 0.5, 0.0])
    >>> found.class_share.tolist()
    [[0.0, 0.5, 1.0], [0.0, 0.5, 0.0], [1.0, 0.0, 0.0]]
    """
    weekly = np.asarray(departures_week, dtype=np.float64)
    steps = np.asarray(edges, dtype=np.float64)
    _require_departures(weekly)
    _require_edges(steps)
    join = np.add if adds_up else np.maximum
    whole, whole_lines = np.zeros(n_cells), np.zeros(n_cells)
    cut_cells: list[Integers] = []
    cut_shares: list[Floats] = []
    cut_weekly: list[Floats] = []
    count = 0
    for (cells, shares), each in zip(reached, weekly, strict=False):
        count += 1
        if each == 0:
            continue
        share = np.clip(np.asarray(shares, dtype=np.float64), 0.0, _WHOLE)
        at = np.asarray(cells, dtype=np.int64)
        full = at[share == _WHOLE]
        whole[full] = join(whole[full], each)
        whole_lines[full] += 1
        partly = (share > 0) & (share < _WHOLE)
        cut_cells.append(at[partly])
        cut_shares.append(share[partly])
        cut_weekly.append(np.full(int(partly.sum()), each))
    if count != weekly.size:
        raise InvalidInput("There is not one catchment for each line.", code="length_mismatch")
    class_share = np.zeros((steps.size + 1, n_cells))
    cell = np.concatenate(cut_cells) if cut_cells else np.empty(0, dtype=np.int64)
    share = np.concatenate(cut_shares) if cut_shares else np.empty(0)
    each_cut = np.concatenate(cut_weekly) if cut_weekly else np.empty(0)
    order = np.lexsort((-share, cell))
    cell, share, each_cut = cell[order], share[order], each_cut[order]
    first = np.flatnonzero(np.r_[True, cell[1:] != cell[:-1]]) if cell.size else np.empty(0, dtype=np.int64)
    length = np.diff(np.r_[first, cell.size])
    top = np.ones(n_cells)  # who reaches whole lines alone
    top[cell[first]] -= share[first]
    _sort_into(class_share, np.arange(n_cells), whole, top, steps)
    lines = whole_lines.copy()
    departures = whole * top
    level = whole[cell[first]]
    for rank in range(int(length.max(initial=0))):  # at most as many as lines that cut one cell
        more = length > rank
        first, length, level = first[more], length[more], level[more]
        row = first + rank
        level = join(level, each_cut[row])
        is_last = length == rank + 1
        below = np.where(is_last, 0.0, share[np.minimum(row + 1, share.size - 1)])
        band = share[row] - below
        _sort_into(class_share, cell[row], level, band, steps)
        departures[cell[row]] += level * band
        lines[cell[row]] += share[row]
    return Frequency(departures, lines, class_share)


def _sort_into(class_share: Floats, cell: Integers, departures: Floats, share: Floats, edges: Floats) -> None:
    """Add shares of cells, each cell at most once, to the classes of their departures; in place."""
    number = np.where(departures > 0, np.searchsorted(edges, departures, side="right"), 0)
    class_share[number, cell] += share


def _require_departures(weekly: Floats) -> None:
    if weekly.ndim != 1 or not (np.isfinite(weekly).all() and (weekly >= 0).all()):
        raise InvalidInput("A number of departures is negative or not finite.", code="bad_departures")


def _require_edges(edges: Floats) -> None:
    if edges.size == 0 or edges[0] != 0 or not np.isfinite(edges).all() or (np.diff(edges) <= 0).any():
        raise InvalidInput(
            "The edges of classes must be ascending from zero, and finite.",
            code="bad_edges",
            remedy="Give 0 first, then greater numbers.",
        )

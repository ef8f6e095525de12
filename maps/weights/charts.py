"""Orders of places side by side, as lines from column to column. Pure: positions in, coordinates out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Final

import numpy as np
from numpy.typing import NDArray

ROW: Final = 26.0
"""Height of a place."""
HEAD: Final = 44.0
_WIDE: Final = 22
NAMES: Final = 170.0
"""Width for names on either side."""
GAP: Final = 170.0
"""Between two columns."""
MOST: Final = 20
"""Places that are drawn."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A place in one order: where its mark stands, and its rank."""

    x: float
    y: float
    rank: str


@dataclass(frozen=True, slots=True)
class Line:
    """A place through all orders."""

    code: str
    name: str
    points: str
    stops: tuple[Stop, ...]
    css: str
    left_y: float
    right_y: float


@dataclass(frozen=True, slots=True)
class Orders:
    """The chart.

    Attributes
    ----------
    left_x, right_x
        Where names on either side begin.
    columns
        Where a column stands, and the lines of its name.
    """

    width: float
    height: float
    left_x: float
    right_x: float
    columns: tuple[tuple[float, tuple[str, ...]], ...]
    lines: tuple[Line, ...]


def orders_drawn(
    ranks: NDArray[np.int64], codes: Sequence[str], names: Sequence[str], columns: Sequence[str], texts: Sequence[Sequence[str]],
    *, is_rtl: bool, most_marked: int = 3,
) -> Orders:  # fmt: skip
    """Draw several orders of places, the first one on the side where reading begins.

    Parameters
    ----------
    ranks
        Shape ``(sets, places)``; two or more sets.
    texts
        The same, as they are written.
    most_marked
        So many places are drawn strongly: those whose ranks differ most.
    """
    kept = np.argsort(ranks.mean(axis=0), kind="stable")[:MOST]
    shown = ranks[:, kept]
    # Places that share a rank stand below each other.
    rows = np.argsort(np.argsort(shown, axis=1, kind="stable"), axis=1, kind="stable")
    count = len(ranks)
    xs = [NAMES + GAP * k for k in range(count)]
    width = 2 * NAMES + GAP * (count - 1)
    if is_rtl:
        xs = [width - x for x in xs]
    spread = shown.max(axis=0) - shown.min(axis=0)
    strong = {int(i) for i in np.argsort(-spread, kind="stable")[:most_marked] if spread[i] > 0}
    lines = []
    for i, place in enumerate(kept.tolist()):
        stops = tuple(Stop(xs[k], HEAD + ROW * (float(rows[k, i]) + 0.5), texts[k][place]) for k in range(count))
        css = "is-strong" if i in strong else "is-same" if spread[i] == 0 else ""
        points = " ".join(f"{stop.x:g},{stop.y:g}" for stop in stops)
        first, last = (stops[-1], stops[0]) if is_rtl else (stops[0], stops[-1])
        lines.append(Line(codes[place], names[place], points, stops, css, first.y, last.y))
    # The strong ones last, so that they lie over the others.
    lines.sort(key=lambda line: line.css == "is-strong")
    return Orders(
        width, HEAD + ROW * len(kept) + 8, NAMES - 16, width - NAMES + 16,
        tuple((x, tuple(wrap(name, _WIDE, max_lines=2, placeholder="…"))) for x, name in zip(xs, columns, strict=True)), tuple(lines),
    )  # fmt: skip


__all__ = ["Line", "Orders", "Stop", "orders_drawn"]

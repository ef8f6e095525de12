"""Charts of measures as plain geometry: histograms, Lorenz curves, pairs of bars, lines. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from maps.pages.outlines import nice_length

PLOT: Final = (8.0, 24.0, 712.0, 184.0)
"""Left, top, right and bottom of a histogram's plot."""
SIDE: Final = 300.0
"""Side of a Lorenz curve's square; it begins at `LORENZ_AT`."""
LORENZ_AT: Final = (48.0, 12.0)
_MOST_BARS: Final = 14
_NOTHING: Final = 1e-6
"""Values below this are errors of floating point."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a histogram; ``title`` says what it shows."""

    x: float
    y: float
    width: float
    height: float
    css: str
    title: str
    range_text: str
    people_text: str
    share_text: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark of an axis."""

    at: float
    text: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many people live in places of each value."""

    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    limit_x: float | None
    limit_text: str
    limit_anchor: str

    @property
    def is_mixed(self) -> bool:
        """Whether the mark lies within a class."""
        return any(bar.css == "mixed" for bar in self.bars)


@dataclass(frozen=True, slots=True)
class Point:
    """A point that can be pointed at."""

    x: float
    y: float
    title: str


@dataclass(frozen=True, slots=True)
class Curve:
    """A line with points that can be pointed at."""

    line: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Bin:
    """A class of a histogram: from ``low`` to below ``high`` (None: and more), and the people in it."""

    low: float
    high: float | None
    people: float


def bins_of(values: NDArray[np.float64], people: NDArray[np.float64]) -> tuple[Bin, ...]:
    """Sort people by the value of their place into classes of a round width; the last takes all beyond.

    Parameters
    ----------
    values, people
        Shape ``(places,)``; places without a value or without people are left out.

    Examples
    --------
    >>> bins_of(np.array([0.5, 1.5, 9.0, np.nan]), np.array([10.0, 20.0, 0.0, 5.0]))
    (Bin(low=0.0, high=0.2, people=0.0), Bin(low=0.2, high=0.4, people=0.0), Bin(low=0.4, high=0.6, people=10.0), \
Bin(low=0.6, high=0.8, people=0.0), Bin(low=0.8, high=1.0, people=0.0), Bin(low=1.0, high=1.2, people=0.0), \
Bin(low=1.2, high=1.4, people=0.0), Bin(low=1.4, high=None, people=20.0))
    """
    known = np.isfinite(values) & (people > 0)
    values, people = np.clip(values[known], 0.0, None), people[known]
    if not values.size:
        return ()
    order = np.argsort(values)
    reached = np.searchsorted(np.cumsum(people[order]), 0.97 * people.sum())
    top = float(values[order][min(int(reached), values.size - 1)])
    if top < _NOTHING:
        return (Bin(0.0, None, float(people.sum())),)
    step = nice_length_of(top)
    count = min(max(math.ceil(round(top / step, 6)), 1), _MOST_BARS)
    at = np.minimum(np.floor(values / step + 1e-9).astype(int), count - 1)
    sums = np.bincount(at, weights=people, minlength=count)
    return tuple(
        Bin(round(i * step, 9), round((i + 1) * step, 9) if i < count - 1 else None, float(total))
        for i, total in enumerate(sums)
    )


def nice_length_of(top: float) -> float:
    """Return a round width that divides a length into seven to fourteen classes, whatever its magnitude."""
    scale = 10.0 ** (9 - math.floor(math.log10(top)))
    step = nice_length(top * scale / 7) / scale
    return step if top / step <= _MOST_BARS else step * 2


def histogram(
    bins: Sequence[Bin],
    *,
    mark: float | None,
    mark_text: str,
    value_text: Callable[[float], str],
    people_text: Callable[[float], str],
    share_text: Callable[[float], str],
    title: Callable[[str, str], str],
    and_more: Callable[[str], str],
    between: Callable[[str, str], str],
) -> Histogram | None:
    """Draw classes as bars; those below ``mark`` are painted as lacking, the one it lies in as mixed.

    Returns None where there are no classes.
    """
    if not bins:
        return None
    left, top, right, bottom = PLOT
    step = bins[0].high - bins[0].low if bins[0].high is not None else 1.0
    each = (right - left) / len(bins)
    tallest = max(one.people for one in bins) or 1.0
    total = sum(one.people for one in bins) or 1.0
    bars = []
    for i, one in enumerate(bins):
        height = round((bottom - top) * one.people / tallest, 1)
        text = value_text(one.low)
        ends = and_more(text) if one.high is None else between(text, value_text(one.high))
        end = one.high if one.high is not None else one.low + step
        css = "plain" if mark is None else "lacking" if end <= mark + 1e-9 else "enough" if one.low >= mark else "mixed"
        bars.append(
            Bar(
                x=round(left + i * each + 1, 1),
                y=round(bottom - height, 1),
                width=round(each - 2, 1),
                height=height,
                css=css,
                title=title(ends, people_text(one.people)),
                range_text=ends,
                people_text=people_text(one.people),
                share_text=share_text(one.people / total),
            )
        )
    skip = 2 if len(bins) > 8 else 1
    marks = tuple(
        Mark(round(left + i * each, 1), value_text(one.low), "start" if i == 0 else "middle")
        for i, one in enumerate(bins)
        if i % skip == 0
    )
    limit_x = None
    if mark is not None and mark <= step * len(bins):
        limit_x = round(left + each * mark / step, 1)
    anchor = (
        "middle" if limit_x is None or left + 80 < limit_x < right - 80 else "start" if limit_x < right / 2 else "end"
    )
    return Histogram(tuple(bars), marks, limit_x, mark_text, anchor)


def lorenz(curve: Sequence[tuple[float, float]], title: Callable[[float, float], str]) -> Curve:
    """Draw a Lorenz curve in its square, with a point at every tenth of the people.

    Examples
    --------
    >>> lorenz([(0.0, 0.0), (1.0, 1.0)], lambda people, value: f"{people} {value}").line
    '48.0,312.0 348.0,12.0'
    """
    left, top = LORENZ_AT

    def at(people: float, value: float) -> tuple[float, float]:
        return round(left + SIDE * people, 1), round(top + SIDE * (1 - value), 1)

    points = []
    shares, values = zip(*curve, strict=True)
    for tenth in range(1, 10):
        value = float(np.interp(tenth / 10, shares, values))
        x, y = at(tenth / 10, value)
        points.append(Point(x, y, title(tenth / 10, value)))
    return Curve(" ".join(f"{x},{y}" for x, y in (at(*pair) for pair in curve)), tuple(points))

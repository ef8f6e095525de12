"""How values become the few colours of a map: class bounds, and the class of a value. Pure.

Light is good and dark is worse, so that the eye goes to need. Shares are cut at fixed bounds, the same on every map and
table, so that services can be compared. Counts and scores are cut at quantiles of the city as it stands with its standard
question, and the bounds stay frozen while a reader moves a threshold or a weight: what changes is the place, not the ruler.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

import numpy as np

Ramp = Literal["deficit", "priority"]

N_CLASSES: Final = 5
COLOURS: Final[dict[Ramp, tuple[str, ...]]] = {
    "deficit": ("#ffffd4", "#fed98e", "#fe9929", "#e0701a", "#993404"),
    "priority": ("#e3f4e9", "#93d8b8", "#3fa9ab", "#37659e", "#2e1e3c"),
}
"""ColorBrewer's YlOrBr (one step lightened, so that ink is readable on it), and steps of the *mako* ramp, a relative of viridis
whose hues leave the magenta of settlements free."""
NO_DATA: Final = -1
_NOTHING: Final = 1e-9
"""Less than this is an error of floating point."""


@dataclass(frozen=True, slots=True)
class Classes:
    """Bounds of classes.

    Attributes
    ----------
    ramp : str
        Which colours.
    bounds : tuple of float
        Ascending, one more than there are classes. A class holds its lower bound and not its upper one; the last class
        holds both, and takes in whatever lies beyond.
    """

    ramp: Ramp
    bounds: tuple[float, ...]

    @property
    def count(self) -> int:
        """The number of classes."""
        return len(self.bounds) - 1

    @property
    def colours(self) -> tuple[str, ...]:
        """A colour for each class, lightest first; fewer classes than colours use the ends of the ramp."""
        ramp = COLOURS[self.ramp]
        return tuple(ramp[self.step(index)] for index in range(self.count))

    def step(self, index: int) -> int:
        """Return which colour of the ramp a class has (0 is the lightest)."""
        return N_CLASSES - 1 if self.count == 1 else round(index * (N_CLASSES - 1) / (self.count - 1))

    def of(self, value: float | None) -> int:
        """Return the class of a value, `NO_DATA` where there is none.

        Examples
        --------
        >>> Classes("deficit", (0.0, 0.5, 1.0)).of(0.5), Classes("deficit", (0.0, 0.5, 1.0)).of(7.0), Classes("deficit", (0.0, 1.0)).of(None)
        (1, 1, -1)
        """
        if value is None or not math.isfinite(value):
            return NO_DATA
        return min(max(int(np.searchsorted(self.bounds, value, side="right")) - 1, 0), self.count - 1)


SHARE: Final = Classes("deficit", (0.0, 0.2, 0.4, 0.6, 0.8, 1.0))
"""Share of people without the service, in fifths: the same on every map and in the heat table."""


def quantile(values: Sequence[float | None], ramp: Ramp, *, count: int = N_CLASSES) -> Classes:
    """Cut values at quantiles, rounded to numbers a reader can hold in mind.

    Parameters
    ----------
    values : sequence
        One per place; missing ones are left out, and so are zeros (which would otherwise fill whole classes).
    ramp : str
        Which colours.
    count : int
        Wanted number of classes; there are fewer where many values are equal.

    Examples
    --------
    >>> quantile([0.0, 130.0, 420.0, 980.0, 1510.0, 2720.0], "deficit").bounds
    (0.0, 360.0, 760.0, 1200.0, 1800.0, 2800.0)
    >>> quantile([None], "deficit").bounds
    (0.0, 1.0)
    """
    present = np.array([v for v in values if v is not None and math.isfinite(v) and v > _NOTHING], dtype=np.float64)
    if present.size == 0:
        return Classes(ramp, (0.0, 1.0))
    inner = np.quantile(present, np.arange(1, count) / count)
    bounds = [0.0, *(two_digits(float(value)) for value in inner), two_digits(float(present.max()), up=True)]
    unique = [bounds[0], *(after for before, after in pairwise(sorted(bounds)) if after > before)]
    return Classes(ramp, tuple(unique))


def two_digits(value: float, *, up: bool = False) -> float:
    """Round a number above zero to two significant digits.

    Examples
    --------
    >>> two_digits(1234.0), two_digits(1234.0, up=True), two_digits(0.0567)
    (1200.0, 1300.0, 0.057)
    """
    if value < _NOTHING:
        return 0.0
    exponent = math.floor(math.log10(value)) - 1
    unit = 10.0**exponent
    rounded = math.ceil(value / unit - 1e-9) if up else math.floor(value / unit + 0.5)
    return round(rounded * unit, max(0, -exponent))


@dataclass(frozen=True, slots=True)
class Bin:
    """One bar of a histogram: the values from `low` to `high`, the people and places there, and the class of its middle."""

    low: float
    high: float
    people: float
    places: int
    class_index: int


def histogram(
    values: Sequence[float | None], people: Sequence[float], classes: Classes, *, bins: int = 24
) -> list[Bin]:
    """Count people by the value of the place they live in.

    Every bar lies within one class, so that its colour is true: each class gets bars in proportion to its width, at least one.

    Examples
    --------
    >>> [(b.people, b.class_index) for b in histogram([0.1, 0.7, None], [100.0, 50.0, 9.0], Classes("deficit", (0.0, 0.5, 1.0)), bins=2)]
    [(100.0, 0), (50.0, 1)]
    """
    low, high = classes.bounds[0], classes.bounds[-1]
    edges: list[float] = [low]
    for start, end in pairwise(classes.bounds):
        parts = max(1, round(bins * (end - start) / (high - low)))
        edges.extend(start + (end - start) * (part + 1) / parts for part in range(parts))
    present = [
        (min(max(v, low), high), p) for v, p in zip(values, people, strict=True) if v is not None and math.isfinite(v)
    ]
    xs = np.array([v for v, _ in present])
    ps = np.array([p for _, p in present])
    index = (
        np.clip(np.searchsorted(edges, xs, side="right") - 1, 0, len(edges) - 2) if present else np.array([], dtype=int)
    )
    totals = np.bincount(index, weights=ps, minlength=len(edges) - 1) if present else np.zeros(len(edges) - 1)
    places = np.bincount(index, minlength=len(edges) - 1)
    return [
        Bin(start, end, float(totals[i]), int(places[i]), classes.of((start + end) / 2))
        for i, (start, end) in enumerate(pairwise(edges))
    ]

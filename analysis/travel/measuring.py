"""What every way of travel has in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from analysis.results import TravelRow

Costs = NDArray[np.float32]
Numbers = NDArray[np.int64]
Parts = NDArray[np.bool_]

LEVEL_M_PER_MIN: Final = 5000.0 / 60.0
"""A time is told as the metres that are walked meanwhile on level ground, at 5 km/h: one limit then fits every way of travel."""


class Measuring(Protocol):
    """What measures one city's ground in one way of travel."""

    @property
    def key(self) -> str:
        """Hash of all it measures with but for the facilities: the ground, streets, heights, speeds."""

    @property
    def row(self) -> TravelRow:
        """The way of travel, and the layers it is measured on."""

    def prepare(self) -> None:
        """Read what is measured on, so that measuring can go on in other threads; the database is read on this one alone."""

    def measured(self, facilities_m: NDArray[np.object_]) -> Costs:
        """Measure to the nearest facility from wherever this way of travel measures: the cells of a grid, or the parts.

        Parameters
        ----------
        facilities_m
            Shape ``(n,)``: geometries of any type in the grid's system, or a collection of them; none reaches nothing.

        Returns
        -------
        ndarray
            Shape ``(m,)``, ``inf`` where none is reached; `of_parts` tells the parts of the ground.
        """

    def measured_with(self, measured: Costs, added_m: NDArray[np.object_]) -> Costs:
        """Give, as a new array, what would be measured with more facilities; only what comes nearer is searched."""

    def of_parts(self, measured: Costs) -> Costs:
        """Give the cost of each part of the ground, shape ``(k,)``: metres, or time as metres of level walking."""

    def cost_m(self, facilities_m: NDArray[np.object_]) -> Costs:
        """Measure from each part of the ground to the nearest facility: `of_parts` of `measured`."""

    def each_m(self, facilities_m: NDArray[np.object_], limit_m: float) -> Iterator[Costs]:
        """Measure from each part of the ground to one facility after the other; beyond the limit it may be ``inf``."""

    def effort_s(self, facilities_m: NDArray[np.object_], limit_m: float) -> float:
        """Tell roughly how many seconds of a processor `each_m` takes: from sizes alone, at once."""

    def nearest(self, facilities_m: NDArray[np.object_], only: Parts) -> tuple[Numbers, Costs]:
        """Tell for each part of the ground which facility is the nearest, -1 where none is reached, and its cost.

        Parameters
        ----------
        facilities_m
            Shape ``(n,)``.
        only
            Shape ``(k,)``: the parts that are asked for. Of others nothing need be said.
        """

    def left_out(self, facilities_m: NDArray[np.object_]) -> int:
        """Count the facilities that nobody can reach, wherever they live: far from every street, or on a barrier."""

    def stranded(self) -> Parts | None:
        """Tell which parts of the ground reach nothing, whatever there is; None where every part can."""

    def warnings(self) -> tuple[str, ...]:
        """Say what the data leave in doubt, whichever service is asked about."""

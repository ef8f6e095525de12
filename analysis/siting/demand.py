"""Who needs a facility: people gathered in blocks of the analysis grid, and how much each counts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from analysis.comparing import counted_rows
from analysis.inputs import CityInputs
from analysis.results import Question
from analysis.selectors import CityReading
from analysis.services import priority_compute
from geo.models import Place
from geo.querysets import User

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

BLOCK_M: Final = 100.0
"""Side of the blocks in which people are gathered: each is reached, or not, by the mean way of its people."""


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """People gathered in blocks.

    Attributes
    ----------
    block
        Shape ``(k,)``: of each part of the ground, -1 where nobody who is counted lives.
    part_people
        Shape ``(k,)``: each person in one part.
    people, x_m, y_m
        Shape ``(n,)``: of each block, and where the middle of its people is.
    """

    block: Integers
    part_people: Floats
    people: Floats
    x_m: Floats
    y_m: Floats

    def mean(self, cost: NDArray[np.floating]) -> Floats:
        """Return the mean of the parts' costs for the people of each block, infinite where some of them have no way."""
        lived = self.block >= 0
        weighted = self.part_people[lived] * np.asarray(cost, dtype=np.float64)[lived]
        return np.bincount(self.block[lived], weighted, self.people.size) / self.people


def demand_of(inputs: CityInputs) -> Demand:
    """Gather the people of a city in blocks."""
    grid, ground = inputs.grid, inputs.ground
    # Settlements lie over neighbourhoods: each person is counted in one of them.
    counted = ground.parts[counted_rows(inputs.places.rows)]
    part_people = np.asarray(counted.sum(axis=0)).ravel() * inputs.arrays.people
    lived = np.flatnonzero(part_people > 0)
    row, column = np.divmod(ground.cells[lived], grid.n_cols)
    side = max(round(BLOCK_M / grid.cell_m), 1)
    numbers = (row // side) * (grid.n_cols // side + 1) + column // side
    _, own = np.unique(numbers, return_inverse=True)
    block = np.full(ground.cells.size, -1, dtype=np.int64)
    block[lived] = own
    n = int(own.max(initial=-1)) + 1
    people = np.bincount(own, part_people[lived], n).astype(np.float64)
    x_m = grid.x_min_m + (column + 0.5) * grid.cell_m
    y_m = grid.y_max_m - (row + 0.5) * grid.cell_m
    east_m, north_m = (np.bincount(own, part_people[lived] * at, n) / people for at in (x_m, y_m))
    return Demand(block, part_people, people, east_m, north_m)


def priority_of(
    inputs: CityInputs, demand: Demand, city: Place, user: User, reading: CityReading, question: Question
) -> Floats:
    """Return how much a person of each block counts: the score of the place, the higher where places lie over each other."""
    ranked = priority_compute(
        city=city, user=user, question=replace(question, services=(), changes=()), reading=reading
    )
    # Parts of places that lie over each other share a cell: whoever lives there counts by the higher score.
    _, cell = np.unique(inputs.ground.cells, return_inverse=True)
    table = inputs.ground.parts.tocoo()
    highest = np.zeros(int(cell.max(initial=-1)) + 1)
    np.maximum.at(highest, cell[table.col], ranked.priority.score[table.row])
    return np.clip(demand.mean(highest[cell]), 0.0, 100.0)


__all__ = ["BLOCK_M", "Demand", "demand_of", "priority_of"]

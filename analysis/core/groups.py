"""Coverage of groups of people: women, children, older people, wherever the data tell where they live."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.core.coverage import CoverageInputs, coverage, prepare
from geo.errors import InvalidInput

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class GroupCoverage:
    """Coverage of several groups; as in `analysis.core.coverage.Coverage` with the groups as the first axis.

    Attributes
    ----------
    groups
        Their names.
    thresholds_m
        Shape ``(services,)``.
    population
        Shape ``(groups, places)``: people of the group.
    population_share, uncovered_people, mean_distance_m, unreachable_people
        Shape ``(groups, places, services)``; shares and means are NaN where nobody of the group lives.
    """

    groups: tuple[str, ...]
    thresholds_m: Floats
    population: Floats
    population_share: Floats
    uncovered_people: Floats
    mean_distance_m: Floats
    unreachable_people: Floats


def group_inputs(inputs: CoverageInputs, people: NDArray[np.floating]) -> CoverageInputs:
    """Give the inputs of one group, for curves, percentiles and single services of it.

    Parameters
    ----------
    inputs
        For all people; its places and costs are used.
    people
        Shape ``(cells,)``: people of the group.

    Raises
    ------
    InvalidInput
        If the people do not fit the cells, or are negative or not finite.
    """
    return prepare(inputs.place_fractions, people, inputs.cost_m, inputs.cell_m, inputs.edge_distance_m)


def coverage_of_groups(
    inputs: CoverageInputs,
    people: NDArray[np.floating],
    groups: Sequence[str],
    thresholds_m: Sequence[float] | NDArray[np.floating],
) -> GroupCoverage:
    """Compute the coverage of each group by every service.

    Parameters
    ----------
    inputs
        From `analysis.core.coverage.prepare`, for all people; its places and costs are used.
    people
        Shape ``(groups, cells)``: people of each group in each cell. Groups may overlap: older women are in two.
    groups
        Name of each group.
    thresholds_m
        Shape ``(services,)``: metres.

    Raises
    ------
    InvalidInput
        If shapes do not fit, or as for `analysis.core.coverage.coverage`.

    Examples
    --------
    >>> from scipy import sparse
    >>> inputs = prepare(sparse.csr_matrix([[1.0, 1.0]]), np.array([30.0, 10.0]), np.array([[50.0, 500.0]]), 100.0)
    >>> women, children = np.array([15.0, 5.0]), np.array([9.0, 1.0])
    >>> found = coverage_of_groups(inputs, np.stack((women, children)), ["women", "children"], [100.0])
    >>> found.population_share[:, 0, 0].tolist()
    [0.75, 0.9]
    """
    living = np.asarray(people, dtype=np.float64)
    if living.ndim != 2 or living.shape != (len(groups), inputs.people.size):
        raise InvalidInput(
            f"{len(groups)} groups in {inputs.people.size} cells do not fit people of shape {living.shape}.",
            code="length_mismatch",
        )
    shape = (len(groups), inputs.n_places, inputs.n_services)
    result = GroupCoverage(
        groups=tuple(groups),
        thresholds_m=np.asarray(thresholds_m, dtype=np.float64),
        population=np.empty(shape[:2]),
        population_share=np.empty(shape),
        uncovered_people=np.empty(shape),
        mean_distance_m=np.empty(shape),
        unreachable_people=np.empty(shape),
    )
    for number, row in enumerate(living):
        found = coverage(group_inputs(inputs, row), thresholds_m)
        result.population[number] = found.population
        for name in ("population_share", "uncovered_people", "mean_distance_m", "unreachable_people"):
            getattr(result, name)[number] = getattr(found, name)
    return result

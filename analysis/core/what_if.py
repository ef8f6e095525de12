"""What a change does: who gains and who loses, place by place; and several results side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.core.coverage import Coverage, CoverageInputs, covered_share
from analysis.core.index import Priority
from geo.errors import InvalidInput

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Rooms = Sequence[NDArray[np.float64] | None]


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """Who would be covered that is not now, and the other way round.

    Attributes
    ----------
    gained_people, lost_people
        Shape ``(places, services)``: people newly within the threshold, and no longer within it. A place can have both:
        a facility that moves is nearer to some and further from others. Their difference is that of the people covered.
    """

    gained_people: Floats
    lost_people: Floats


def effect_of(
    before: CoverageInputs,
    after: CoverageInputs,
    thresholds_before_m: Sequence[float] | NDArray[np.floating],
    thresholds_after_m: Sequence[float] | NDArray[np.floating],
    rooms_before: Rooms = (),
    rooms_after: Rooms = (),
) -> Effect:
    """Tell who gains and who loses between two states of one city.

    Parameters
    ----------
    before, after
        The same places, people and services in the same order; only costs differ.
    thresholds_before_m, thresholds_after_m
        Shape ``(services,)``: metres.
    rooms_before, rooms_after
        For each service what `analysis.core.coverage.coverage_of` takes as room; empty where everybody finds room.

    Raises
    ------
    InvalidInput
        If places, people or services are not the same, or there is not one threshold per service.

    Notes
    -----
    A cell cut by a threshold counts partly, as in `analysis.core.coverage.coverage`.

    Examples
    --------
    >>> from scipy import sparse
    >>> from analysis.core.coverage import prepare, with_cost
    >>> ground = sparse.csr_matrix([[1.0, 1.0, 1.0]])
    >>> before = prepare(ground, np.array([30.0, 10.0, 5.0]), np.array([[0.0, 900.0, 900.0]]), 20.0)
    >>> after = with_cost(before, 0, np.array([900.0, 0.0, 900.0]))
    >>> effect = effect_of(before, after, [500.0], [500.0])
    >>> effect.gained_people.tolist(), effect.lost_people.tolist()
    ([[10.0]], [[30.0]])
    """
    first, second = (np.asarray(t, dtype=np.float64) for t in (thresholds_before_m, thresholds_after_m))
    same = before.ground is after.ground or (
        before.n_places == after.n_places
        and before.people.shape == after.people.shape
        and np.array_equal(before.people, after.people)
        and np.array_equal(before.ground.population, after.ground.population)
    )
    if not same or not first.shape == second.shape == (before.n_services,) == (after.n_services,):
        raise InvalidInput(
            "Only two states of the same places, people and services can be compared person by person.",
            code="not_comparable",
        )
    gained, lost = np.zeros((before.n_places, before.n_services)), np.zeros((before.n_places, before.n_services))
    people = before.ground.people
    cells = before.ground.cells
    for k, (old_m, new_m) in enumerate(zip(first.tolist(), second.tolist(), strict=True)):
        old, new = before.reaches[k].cost_m, after.reaches[k].cost_m
        old_room, new_room = (rooms[k] if rooms else None for rooms in (rooms_before, rooms_after))
        if old_m == new_m and old_room is new_room and (old is new or np.array_equal(old, new)):
            continue
        was, now = covered_share(old, old_m, before.cell_m), covered_share(new, new_m, after.cell_m)
        was = was if old_room is None else was * old_room[cells]
        now = now if new_room is None else now * new_room[cells]
        change = now - was
        gained[:, k] = people @ np.maximum(change, 0.0)
        lost[:, k] = people @ np.maximum(-change, 0.0)
    return Effect(gained, lost)


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Several results of one city; the first is the one that the others are compared with.

    Attributes
    ----------
    uncovered_people, population_share
        Shape ``(results, places, services)``, as in `analysis.core.coverage.Coverage`.
    score, rank
        Shape ``(results, places)``, as in `analysis.core.index.Priority`.
    total_uncovered, total_people
        Shape ``(results, services)`` and ``(results,)``: sums over the places that may be added up.
    """

    uncovered_people: Floats
    population_share: Floats
    score: Floats
    rank: Integers
    total_uncovered: Floats
    total_people: Floats

    @property
    def fewer_uncovered(self) -> Floats:
        """Shape ``(results, places, services)``: how many people fewer are uncovered than in the first result."""
        return self.uncovered_people[:1] - self.uncovered_people

    @property
    def ranks_down(self) -> Integers:
        """Shape ``(results, places)``: by how many ranks a place is needier (above 0) or less needy than in the first."""
        return self.rank[:1] - self.rank


def compare(results: Sequence[tuple[Coverage, Priority]], counted: NDArray[np.integer]) -> Comparison:
    """Put results of the same places and services side by side.

    Parameters
    ----------
    results
        Two or more.
    counted
        Shape ``(n,)``: rows of the places that are added up: they must not overlap.

    Raises
    ------
    InvalidInput
        If there are fewer than two, or places or services differ.

    Examples
    --------
    >>> from scipy import sparse
    >>> from analysis.core.coverage import coverage, prepare
    >>> from analysis.core.index import aggregate
    >>> inputs = prepare(sparse.csr_matrix([[1.0]]), np.array([40.0]), np.array([[300.0]]), 20.0)
    >>> found = [coverage(inputs, [t]) for t in (200.0, 400.0)]
    >>> both = compare([(c, aggregate(1 - c.population_share, [1.0])) for c in found], np.array([0]))
    >>> both.fewer_uncovered[:, 0, 0].tolist(), both.score[:, 0].tolist()
    ([0.0, 40.0], [100.0, 0.0])
    """
    shapes = {covered.population_share.shape for covered, _ in results}
    if len(results) < 2 or len(shapes) != 1:
        raise InvalidInput(
            "Two results or more of the same places and services can be compared.", code="not_comparable"
        )
    uncovered = np.stack([covered.uncovered_people for covered, _ in results])
    people = np.stack([covered.population for covered, _ in results])
    return Comparison(
        uncovered_people=uncovered,
        population_share=np.stack([covered.population_share for covered, _ in results]),
        score=np.stack([priority.score for _, priority in results]),
        rank=np.stack([priority.rank for _, priority in results]),
        total_uncovered=uncovered[:, counted].sum(axis=1),
        total_people=people[:, counted].sum(axis=1),
    )

"""Gaps: against loops over needs, by hand, and invariants."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import InvalidInput
from interventions.core.gaps import Gaps, Needs, Stage, gaps

PLACES, SECTORS = 3, 2
Row = tuple[int, int, int, int]


@st.composite
def networks(draw: st.DrawFn) -> tuple[list[Row], list[tuple[int, int]]]:
    needs = draw(
        st.lists(
            st.tuples(st.integers(0, PLACES - 1), st.integers(0, SECTORS - 1), st.integers(0, 5000), st.integers(1, 5)),
            max_size=15,
        )
    )
    if not needs:
        return needs, []
    links = st.tuples(st.integers(0, len(needs) - 1), st.sampled_from(list(Stage)))
    return needs, draw(st.lists(links, max_size=25))


def found_of(needs: list[Row], links: list[tuple[int, int]]) -> Gaps:
    place, sector, people, severity = (
        (list(column) for column in zip(*needs, strict=True)) if needs else ([], [], [], [])
    )
    return gaps(
        Needs(place, sector, people, severity),
        [need for need, _ in links],
        [stage for _, stage in links],
        places=PLACES,
        sectors=SECTORS,
    )


@given(networks())
@settings(derandomize=True, deadline=None, max_examples=200)
def test_it_is_what_a_loop_over_needs_finds(network) -> None:
    needs, links = network
    found = found_of(needs, links)
    stages = [max([stage for need, stage in links if need == i], default=Stage.UNANSWERED) for i in range(len(needs))]
    assert found.stage.tolist() == stages
    for place in range(PLACES):
        for sector in range(SECTORS):
            for stage in Stage:
                here = [
                    (people, severity)
                    for i, (p, s, people, severity) in enumerate(needs)
                    if (p, s, stages[i]) == (place, sector, stage)
                ]
                assert found.counts[place, sector, stage] == len(here)
                assert found.people[place, sector, stage] == max([people for people, _ in here], default=0)
                assert found.severity_max[place, sector, stage] == max([severity for _, severity in here], default=0)


@given(networks())
@settings(derandomize=True, deadline=None, max_examples=100)
def test_every_need_is_in_one_stage(network) -> None:
    needs, links = network
    found = found_of(needs, links)
    assert found.counts.sum() == len(needs) == found.needs.sum()
    unanswered, proposed, decided, under_way, done = (found.counts[:, :, stage] for stage in Stage)
    assert (found.open == unanswered + proposed + decided + under_way).all()
    assert (found.open == found.needs - done).all()
    assert (found.gap == found.needs - decided - under_way - done).all()
    assert (found.people_in_gap <= found.people_open).all()
    assert (found.people_open <= found.people.max(axis=2)).all()
    assert ((found.people_in_gap > 0) <= (found.gap > 0)).all()
    assert found.people_in_gap_of_places.tolist() == [max(row) for row in found.people_in_gap.tolist()]
    assert found.people_in_gap_of_sectors.tolist() == [sum(c) for c in zip(*found.people_in_gap.tolist(), strict=True)]


@given(networks(), st.sampled_from(list(Stage)), st.data())
@settings(derandomize=True, deadline=None, max_examples=100)
def test_one_more_answer_never_widens_the_gap(network, stage: Stage, data) -> None:
    needs, links = network
    if not needs:
        return
    more = [*links, (data.draw(st.integers(0, len(needs) - 1)), stage)]
    before, after = found_of(needs, links), found_of(needs, more)
    assert (after.gap <= before.gap).all()
    assert (after.open <= before.open).all()
    assert (after.people_in_gap <= before.people_in_gap).all()
    assert (after.needs == before.needs).all()
    # The order of links, and one told twice, change nothing.
    assert (found_of(needs, [*more[::-1], more[0]]).stage == after.stage).all()


def test_people_of_several_needs_are_not_added() -> None:
    found = found_of([(0, 0, 900, 2), (0, 0, 400, 5), (1, 0, 50, 1), (0, 1, 1000, 3)], [(0, Stage.DECIDED)])
    assert found.people_open.tolist() == [[900, 1000], [50, 0], [0, 0]]
    assert found.people_in_gap.tolist() == [[400, 1000], [50, 0], [0, 0]]
    assert found.people_in_gap_of_places.tolist() == [1000, 50, 0]
    assert found.people_in_gap_of_sectors.tolist() == [450, 1000]
    assert found.severity_max[0, 0].tolist() == [5, 0, 2, 0, 0]


def test_nothing_is_needed() -> None:
    nothing = gaps(Needs([], [], [], []), [], [], places=0, sectors=0)
    assert nothing.counts.shape == (0, 0, 5)
    assert nothing.people_in_gap_of_places.tolist() == []


@pytest.mark.parametrize(
    ("needs", "links", "where"),
    [
        (Needs([3], [0], [1], [1]), ([], []), "place"),
        (Needs([0], [2], [1], [1]), ([], []), "sector"),
        (Needs([0], [0], [-1], [1]), ([], []), "people"),
        (Needs([0], [0], [1], [0]), ([], []), "severity"),
        (Needs([0], [0], [1], [1, 2]), ([], []), "severity"),
        (Needs([0], [0], [1], [1]), ([1], [0]), "link_need"),
        (Needs([0], [0], [1], [1]), ([0], [5]), "link_stage"),
        (Needs([0], [0], [1], [1]), ([0], []), "link_stage"),
    ],
)
def test_columns_that_do_not_fit_are_refused(needs: Needs, links: tuple[list[int], list[int]], where: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        gaps(needs, *links, places=PLACES, sectors=SECTORS)
    assert caught.value.where == where


def test_two_million_needs_are_counted() -> None:
    rng = np.random.default_rng(0)
    n, places, sectors = 2_000_000, 60_000, 12
    needs = Needs(
        rng.integers(0, places, n), rng.integers(0, sectors, n), rng.integers(1, 5000, n), rng.integers(1, 6, n)
    )
    found = gaps(needs, rng.integers(0, n, n), rng.integers(0, 5, n), places=places, sectors=sectors)
    assert found.counts.sum() == n

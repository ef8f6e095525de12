"""Neighbours in rank and near misses against direct sums, Shapley values and plain loops."""

# mypy: disable-error-code="assignment, no-untyped-def"

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.core.explaining import near_misses, neighbours_in_rank
from analysis.core.index import aggregate, competition_rank
from analysis.core.ranking import METHODS, Method, ranks_of_many, scores_of_many
from geo.errors import InvalidInput


@st.composite
def cases(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, int]:
    p, k = draw(st.integers(1, 7)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    scores = rng.random((p, k)).round(1)
    scores[rng.random((p, k)) < draw(st.sampled_from([0.0, 0.3]))] = np.nan
    weights = rng.integers(0, 4, k).astype(float)
    weights[int(rng.integers(k))] = 1.0
    return scores, weights, int(rng.integers(p))


@pytest.mark.parametrize("method", METHODS)
@given(cases())
@settings(derandomize=True, deadline=None, max_examples=60)
def test_neighbours_are_next_in_rank_and_their_points_add_up(method: Method, case) -> None:
    scores, weights, place = case
    points = scores_of_many(scores, weights[None], method)[0]
    ranks = ranks_of_many(points[None])[0]
    found = neighbours_in_rank(scores, weights, place, method)
    assert found.rank == ranks[place]
    assert found.tied == tuple(j for j in range(len(scores)) if j != place and ranks[j] == ranks[place])
    for side, among in (
        (found.above, [j for j in range(len(scores)) if ranks[j] < ranks[place]]),
        (found.below, [j for j in range(len(scores)) if ranks[j] > ranks[place]]),
    ):
        if side is None:
            assert not among
            continue
        nearest = min(abs(int(ranks[j]) - int(ranks[place])) for j in among)
        assert side.place == min(j for j in among if abs(int(ranks[j]) - int(ranks[place])) == nearest)
        assert side.rank == ranks[side.place]
        assert side.points == pytest.approx(points[side.place] - points[place], abs=1e-7)
        assert side.points_of.sum() == pytest.approx(side.points, abs=1e-7)
        # What is alike, or has no weight, accounts for nothing where contributions do not depend on each other.
        if method == "arithmetic" and not np.isnan(scores[[place, side.place]]).any():
            np.testing.assert_allclose(
                side.points_of, 100 * weights / weights.sum() * (scores[side.place] - scores[place]), atol=1e-9
            )
        assert not np.isnan(side.points_of).any()


def test_means_use_the_contributions_that_the_page_shows() -> None:
    rng = np.random.default_rng(3)
    scores, weights = rng.random((9, 4)), np.array([4.0, 3.0, 2.0, 1.0])
    for method in ("arithmetic", "geometric"):
        priority = aggregate(scores, weights, method)
        place = int(np.flatnonzero(priority.rank == 5)[0])
        found = neighbours_in_rank(scores, weights, place, method)
        assert found.above is not None
        np.testing.assert_allclose(
            found.above.points_of, priority.contributions[found.above.place] - priority.contributions[place], atol=1e-9
        )


@pytest.mark.parametrize("method", ["topsis", "vikor", "vikor-fixed"])
def test_replacing_in_balanced_orders_comes_near_shapley_values(method: Method) -> None:
    """Over all 24 orders by hand; TOPSIS and VIKOR bend little enough for eight of them to come near."""
    rng = np.random.default_rng(8)
    scores, weights = rng.random((10, 4)), np.array([0.4, 0.3, 0.2, 0.1])
    points = scores_of_many(scores, weights[None], method)[0]
    place = int(np.flatnonzero(competition_rank(points) == 4)[0])
    found = neighbours_in_rank(scores, weights, place, method).above
    assert found is not None

    def score(row: np.ndarray) -> float:
        if method == "topsis":
            return float(scores_of_many(row[None], weights[None], method)[0, 0])
        low, high = (scores.min(axis=0), scores.max(axis=0)) if method == "vikor" else (0.0, 1.0)
        loss, mine = weights * (high - scores) / (high - low), weights * (high - row) / (high - low)
        s, r = loss.sum(axis=1), loss.max(axis=1)
        return float(100 - 50 * (mine.sum() - s.min()) / np.ptp(s) - 50 * (mine.max() - r.min()) / np.ptp(r))

    shapley = np.zeros(4)
    for order in itertools.permutations(range(4)):
        row = scores[place].copy()
        for q in order:
            before = score(row)
            row[q] = scores[found.place, q]
            shapley[q] += (score(row) - before) / math.factorial(4)
    np.testing.assert_allclose(found.points_of, shapley, atol=0.05 * np.abs(shapley).max())


@given(
    st.lists(st.sampled_from([0.0, 20.0, 20.0, 33.3, 50.0, 51.0, 100.0]), max_size=8),
    st.integers(1, 9),
    st.floats(0, 40),
)
@settings(derandomize=True, deadline=None)
def test_near_misses_are_those_within_the_distance(points: list[float], first: int, within: float) -> None:
    ranks = [1 + sum(other > one for other in points) for one in points]
    inside = [one for one, rank in zip(points, ranks, strict=True) if rank <= first]
    outside = [one for one, rank in zip(points, ranks, strict=True) if rank > first]
    expected = set()
    for j, (one, rank) in enumerate(zip(points, ranks, strict=True)):
        if outside and inside:
            gap = one - max(outside) if rank <= first else min(inside) - one
            if gap <= within:
                expected.add((j, rank, rank <= first))
    found = near_misses(np.array(points), first, within)
    assert {(miss.place, miss.rank, miss.is_inside) for miss in found} == expected
    assert [miss.points for miss in found] == sorted(miss.points for miss in found)
    assert all(miss.points >= 0 for miss in found)


def test_bad_input_is_refused() -> None:
    good = np.full((2, 2), 0.5)
    for arguments, code in (
        ((good, [1, 1], 2), "bad_place"),
        ((good, [0, 0], 1), "bad_weight"),
        ((good, [1], 1), "length_mismatch"),
        ((good * 4, [1, 1], 1), "bad_score"),
        ((good, [1, 1], 1, "borda"), "bad_method"),
    ):
        with pytest.raises(InvalidInput) as caught:
            neighbours_in_rank(*arguments)
        assert caught.value.code == code
    for arguments, code in (
        ((np.array([np.nan]), 1, 1.0), "bad_score"),
        ((np.array([1.0]), 0, 1.0), "bad_line"),
        ((np.array([1.0]), 1, -1.0), "bad_number"),
        ((np.array([1.0]), 1, math.inf), "bad_number"),
    ):
        with pytest.raises(InvalidInput) as caught:
            near_misses(*arguments)
        assert caught.value.code == code

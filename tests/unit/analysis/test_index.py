"""The priority index against direct formulas, a worked example, and what must hold for any scores."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from analysis.core.index import GEOMETRIC_FLOOR, aggregate, competition_rank
from analysis.core.normalising import normalise
from geo.errors import InvalidInput

METHODS = ("arithmetic", "geometric")
score = st.floats(0, 1, width=32)
some_scores = hnp.array_shapes(min_dims=2, max_dims=2, max_side=6).flatmap(
    lambda shape: hnp.arrays(np.float64, shape, elements=score)
)


@st.composite
def scores_and_weights(draw: st.DrawFn, missing: bool = True) -> tuple[np.ndarray, np.ndarray]:
    scores = draw(some_scores)
    if missing:
        scores[draw(hnp.arrays(bool, scores.shape))] = np.nan
    weights = draw(hnp.arrays(np.float64, scores.shape[1], elements=st.floats(0, 10, width=32)))
    weights[draw(st.integers(0, scores.shape[1] - 1))] = 1.0
    return scores, weights


def test_the_worked_example() -> None:
    """Three neighbourhoods, two indicators; on paper.

    Clinic coverage 90 %, 50 %, 10 % (goalposts 0 and 100 %): need 0.1, 0.5, 0.9.
    Mean distance to a park 1000, 300, 400 m (goalposts 200 and 1000 m): need 1, 0.125, 0.25.
    Weights 3 : 1. Scores 100 (0.75 need + 0.25 need): 32.5, 40.625, 73.75.
    """
    clinic = normalise(np.array([0.9, 0.5, 0.1]), "more-is-better", "goalpost", (0.0, 1.0))
    park = normalise(np.array([1000.0, 300.0, 400.0]), "more-is-worse", "goalpost", (200.0, 1000.0))
    result = aggregate(np.column_stack((clinic, park)), [3, 1], "arithmetic")
    assert result.score == pytest.approx([32.5, 40.625, 73.75])
    assert result.rank.tolist() == [3, 2, 1]
    assert result.contributions == pytest.approx(np.array([[7.5, 25], [37.5, 3.125], [67.5, 6.25]]))
    assert result.weights.tolist() == [0.75, 0.25]
    assert result.reliability.tolist() == [1, 1, 1]


def test_the_geometric_mean_by_direct_formula() -> None:
    scores, weights = np.array([[0.9, 0.1, 0.4], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]), [2.0, 1.0, 1.0]
    well = [1 - 0.99 * s for s in (0.9, 0.1, 0.4)]
    expected = 100 * (1 - well[0] ** 0.5 * well[1] ** 0.25 * well[2] ** 0.25) / 0.99
    result = aggregate(scores, weights, "geometric")
    assert result.score == pytest.approx([expected, 0, 100])
    logs = [0.5 * math.log(well[0]), 0.25 * math.log(well[1]), 0.25 * math.log(well[2])]
    assert result.contributions[0] == pytest.approx([expected * part / sum(logs) for part in logs])
    assert result.contributions[1].tolist() == [0, 0, 0]
    assert GEOMETRIC_FLOOR == 0.01


def test_the_geometric_mean_hides_a_bad_value_less() -> None:
    uneven = np.array([[1.0, 0.0]])
    assert aggregate(uneven, [1, 1], "geometric").score[0] > aggregate(uneven, [1, 1], "arithmetic").score[0] == 50


@given(some_scores)
@settings(derandomize=True, deadline=None)
def test_equal_scores_give_that_score_by_both_methods(scores: np.ndarray) -> None:
    equal = np.repeat(scores[:, :1], scores.shape[1], axis=1)
    for method in METHODS:
        found = aggregate(equal, np.arange(1, scores.shape[1] + 1), method)
        np.testing.assert_allclose(found.score, 100 * equal[:, 0], atol=1e-9)


@given(scores_and_weights())
@settings(derandomize=True, deadline=None)
def test_contributions_sum_to_the_score_and_nothing_is_ever_nan(case: tuple[np.ndarray, np.ndarray]) -> None:
    for method in METHODS:
        result = aggregate(*case, method)
        np.testing.assert_allclose(result.contributions.sum(axis=1), result.score, atol=1e-9)
        assert (result.contributions >= 0).all()
        assert ((result.score >= 0) & (result.score <= 100)).all()
        assert ((result.reliability >= 0) & (result.reliability <= 1)).all()
        assert result.rank.min() == 1
        assert result.weights.sum() == pytest.approx(1)


@given(scores_and_weights(missing=False))
@settings(derandomize=True, deadline=None)
def test_arithmetic_is_the_weighted_mean(case: tuple[np.ndarray, np.ndarray]) -> None:
    scores, weights = case
    np.testing.assert_allclose(
        aggregate(scores, weights).score, 100 * np.average(scores, axis=1, weights=weights), atol=1e-9
    )


@given(scores_and_weights(), st.floats(0.001, 1000), st.randoms(use_true_random=False))
@settings(derandomize=True, deadline=None)
def test_scale_of_weights_and_order_do_not_matter(case: tuple[np.ndarray, np.ndarray], scale: float, rng) -> None:
    scores, weights = case
    place, indicator = list(range(scores.shape[0])), list(range(scores.shape[1]))
    rng.shuffle(place)
    rng.shuffle(indicator)
    for method in METHODS:
        one = aggregate(scores, weights, method)
        other = aggregate(scores[place][:, indicator], weights[indicator] * scale, method)
        np.testing.assert_allclose(other.score, one.score[place], atol=1e-9)
        np.testing.assert_allclose(other.contributions, one.contributions[place][:, indicator], atol=1e-9)
        np.testing.assert_allclose(other.reliability, one.reliability[place], atol=1e-12)


@given(scores_and_weights(missing=False), st.data())
@settings(derandomize=True, deadline=None)
def test_a_place_that_is_worse_in_everything_is_never_ranked_behind(
    case: tuple[np.ndarray, np.ndarray], data: st.DataObject
) -> None:
    scores, weights = case
    better = scores[0] * data.draw(hnp.arrays(np.float64, scores.shape[1], elements=score))
    for method in METHODS:
        result = aggregate(np.vstack((scores, better)), weights, method)
        assert result.rank[0] <= result.rank[-1]


@given(scores_and_weights(missing=False), st.floats(0, 10))
@settings(derandomize=True, deadline=None)
def test_a_constant_indicator_moves_no_place_past_another(case: tuple[np.ndarray, np.ndarray], weight: float) -> None:
    scores, weights = case
    constant = normalise(np.full(len(scores), 7.0), "more-is-worse", "min-max")
    assert constant.tolist() == [0.5] * len(scores)
    before = np.round(aggregate(scores, weights).score, 6)
    after = aggregate(np.column_stack((scores, constant)), [*weights, weight]).score
    order = np.argsort(before, kind="stable")
    assert (np.diff(after[order])[np.diff(before[order]) > 0] > 0).all()


def test_a_missing_indicator_lowers_reliability_and_not_the_score() -> None:
    scores = np.array([[0.8, np.nan, 0.8], [0.8, 0.8, 0.8], [np.nan, np.nan, np.nan]])
    for method in METHODS:
        result = aggregate(scores, [1, 2, 1], method)
        assert result.score == pytest.approx([80, 80, 0])
        assert result.rank.tolist() == [1, 1, 3]
        assert result.reliability == pytest.approx([0.5, 1, 0])
        assert result.present.tolist() == [[True, False, True], [True] * 3, [False] * 3]
    unweighted = aggregate(np.array([[0.3, np.nan]]), [1, 0])
    assert unweighted.reliability.tolist() == [1]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=8), st.floats(0.01, 100), st.floats(-1000, 1000))
@settings(derandomize=True, deadline=None)
def test_units_do_not_matter(values: list[float], factor: float, shift: float) -> None:
    raw = np.array(values)
    for direction in ("more-is-better", "more-is-worse"):
        one = normalise(raw, direction, "goalpost", (-500.0, 2000.0))
        posts = (-500 * factor + shift, 2000 * factor + shift)
        np.testing.assert_allclose(normalise(raw * factor + shift, direction, "goalpost", posts), one, atol=1e-6)
        if np.ptp(raw) > 1:
            np.testing.assert_allclose(
                normalise(raw * factor + shift, direction, "min-max"), normalise(raw, direction, "min-max"), atol=1e-3
            )


@given(hnp.arrays(np.float64, st.integers(1, 8), elements=st.floats(allow_infinity=False)))
@settings(derandomize=True, deadline=None)
def test_scores_are_between_zero_and_one_and_missing_stays_missing(values: np.ndarray) -> None:
    for direction in ("more-is-better", "more-is-worse"):
        for method, posts in (("min-max", None), ("goalpost", (-1e300, 1.5e308))):
            scores = normalise(values, direction, method, posts)
            np.testing.assert_array_equal(np.isnan(scores), np.isnan(values))
            assert ((scores >= 0) & (scores <= 1))[~np.isnan(values)].all()


def test_goalposts_cut_off_beyond_them() -> None:
    values = np.array([-5.0, 0.0, 50.0, 100.0, 900.0, np.nan])
    worse = normalise(values, "more-is-worse", "goalpost", (0, 100))
    assert worse[:5].tolist() == [0, 0, 0.5, 1, 1]
    better = normalise(values, "more-is-better", "goalpost", (0, 100))
    assert better[:5].tolist() == [1, 1, 0.5, 0, 0]


def test_min_max_of_nothing_or_of_one_value() -> None:
    assert np.isnan(normalise(np.array([np.nan, np.nan]), "more-is-worse", "min-max")).all()
    one = normalise(np.array([np.nan, 3.0]), "more-is-worse", "min-max")
    assert np.isnan(one[0])
    assert one[1] == 0.5


def test_ranks_are_those_of_a_competition() -> None:
    assert competition_rank(np.array([50.0, 80.0, 50.0, 10.0, 80.0])).tolist() == [3, 1, 3, 5, 1]
    assert competition_rank(np.array([0.1 + 0.2, 0.3])).tolist() == [1, 1]
    assert competition_rank(np.array([])).tolist() == []


@pytest.mark.parametrize(
    ("values", "direction", "method", "posts", "message"),
    [
        ([math.inf], "more-is-worse", "min-max", None, "infinite"),
        ([1.0], "more-is-worse", "goalpost", None, "needs two goalposts"),
        ([1.0], "more-is-worse", "goalpost", (1.0, 1.0), "not two ascending"),
        ([1.0], "more-is-worse", "goalpost", (2.0, 1.0), "not two ascending"),
        ([1.0], "more-is-worse", "goalpost", (math.nan, 1.0), "not two ascending"),
        ([1.0], "up", "min-max", None, "not a direction"),
        ([1.0], "more-is-worse", "rank", None, "not a method of normalising"),
    ],
)
def test_impossible_indicators_are_refused(values, direction, method, posts, message) -> None:
    with pytest.raises(InvalidInput, match=message):
        normalise(np.array(values), direction, method, posts)


@pytest.mark.parametrize(
    ("scores", "weights", "method", "message"),
    [
        ([[0.5, 0.5]], [1.0], "arithmetic", "do not fit"),
        ([0.5, 0.5], [1.0, 1.0], "arithmetic", "do not fit"),
        ([[0.5, 1.5]], [1.0, 1.0], "arithmetic", "outside 0 to 1"),
        ([[0.5, -0.1]], [1.0, 1.0], "geometric", "outside 0 to 1"),
        ([[0.5, 0.5]], [1.0, -1.0], "arithmetic", "negative"),
        ([[0.5, 0.5]], [1.0, math.nan], "arithmetic", "negative or not a number"),
        ([[0.5, 0.5]], [0.0, 0.0], "arithmetic", "All weights are zero"),
        ([[0.5, 0.5]], [1.0, 1.0], "harmonic", "not a method of aggregating"),
    ],
)
def test_impossible_weights_and_scores_are_refused(scores, weights, method, message) -> None:
    with pytest.raises(InvalidInput, match=message):
        aggregate(np.array(scores), weights, method)

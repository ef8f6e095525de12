"""Outliers and the relative scores, against scikit-criteria, pymcdm, scipy, COINr's example, and what must always hold."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pymcdm import normalizations
from scipy import stats
from skcriteria.preprocessing.scalers import MinMaxScaler, StandarScaler, matrix_scale_by_cenit_distance

from analysis.core.normalising import KURTOSIS_LIMIT, SKEWNESS_LIMIT, normalise, shape_of, winsorise
from geo.errors import InvalidInput

RELATIVE = ("min-max", "z", "percentile")
DIRECTIONS = ("more-is-better", "more-is-worse")
POSTS = {"goalpost": (-500.0, 2000.0)}
whole = st.integers(-50, 50).map(float)
columns = hnp.arrays(np.float64, st.integers(1, 12), elements=whole)


@st.composite
def some_missing(draw: st.DrawFn) -> np.ndarray:
    values = draw(columns)
    values[draw(hnp.arrays(bool, values.shape))] = np.nan
    return values


def columns_of(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).lognormal(2, 1.5, (40, 3))


def test_min_max_is_that_of_other_tools() -> None:
    table = columns_of(1)
    for direction, objective in zip(DIRECTIONS, (-1, 1), strict=True):
        ours = np.column_stack([normalise(column, direction, "min-max") for column in table.T])
        peers = matrix_scale_by_cenit_distance(table, np.full(3, objective))
        np.testing.assert_allclose(ours, peers, atol=1e-14)
        other = np.column_stack([normalizations.minmax_normalization(c, objective == -1) for c in table.T])
        np.testing.assert_allclose(ours, other, atol=1e-14)
    ours = np.column_stack([normalise(column, "more-is-worse", "min-max") for column in table.T])
    scaled = MinMaxScaler("matrix")._transform_matrix(table)
    np.testing.assert_allclose(ours, scaled, atol=1e-14)


def test_z_is_the_normal_distribution_function_of_the_standard_score_of_other_tools() -> None:
    table = columns_of(2)
    peers = StandarScaler("matrix")._transform_matrix(table)
    for direction, sign in zip(DIRECTIONS, (-1, 1), strict=True):
        ours = np.column_stack([normalise(column, direction, "z") for column in table.T])
        np.testing.assert_allclose(ours, stats.norm.cdf(sign * peers), rtol=1e-11)


def test_percentiles_are_ranks_of_scipy() -> None:
    values = np.round(columns_of(3)[:, 0])
    assert len(set(values.tolist())) < len(values)
    expected = (stats.rankdata(values, "average") - 1) / (len(values) - 1)
    np.testing.assert_allclose(normalise(values, "more-is-worse", "percentile"), expected, atol=1e-15)
    # As spreadsheets and the Social Vulnerability Index rank them, where no two values are equal.
    distinct = columns_of(3)[:, 1]
    below = [(distinct < value).sum() / (len(distinct) - 1) for value in distinct]
    np.testing.assert_allclose(normalise(distinct, "more-is-worse", "percentile"), below, atol=1e-15)


@given(some_missing())
@settings(derandomize=True, deadline=None)
def test_scores_are_between_zero_and_one_and_missing_stays_missing(values: np.ndarray) -> None:
    for method in RELATIVE:
        for direction in DIRECTIONS:
            scores = normalise(values, direction, method)
            np.testing.assert_array_equal(np.isnan(scores), np.isnan(values))
            assert ((scores >= 0) & (scores <= 1))[~np.isnan(values)].all()


@given(columns)
@settings(derandomize=True, deadline=None)
def test_order_is_kept_and_turned_round(values: np.ndarray) -> None:
    for method in RELATIVE:
        worse, better = (normalise(values, direction, method) for direction in DIRECTIONS[::-1])
        order = np.argsort(values, kind="stable")
        steps = np.diff(values[order])
        assert (np.diff(worse[order])[steps > 0] > 0).all()
        np.testing.assert_allclose(np.diff(worse[order])[steps == 0], 0, atol=1e-15)
        np.testing.assert_allclose(better, 1 - worse, atol=1e-12)


@given(
    some_missing(),
    st.sampled_from([0.001, 0.3048, 1.0, 60.0, 1e6]),
    st.integers(-1000, 1000),
    st.randoms(use_true_random=False),
)
@settings(derandomize=True, deadline=None)
def test_units_and_order_of_places_do_not_matter(values: np.ndarray, factor: float, shift: float, rng) -> None:
    turn = list(range(len(values)))
    rng.shuffle(turn)
    for method in (*RELATIVE, "goalpost"):
        low, high = POSTS.get(method, (0.0, 0.0))
        posts = (low, high) if method in POSTS else None
        moved = (low * factor + shift, high * factor + shift) if method in POSTS else None
        one = normalise(values, "more-is-worse", method, posts)
        other = normalise(values[turn] * factor + shift, "more-is-worse", method, moved)
        np.testing.assert_allclose(other, one[turn], atol=1e-6)


def test_places_that_do_not_differ_get_half_and_nothing_stays_nothing() -> None:
    for method in RELATIVE:
        for direction in DIRECTIONS:
            assert normalise(np.full(4, 7.0), direction, method).tolist() == [0.5] * 4
            alone = normalise(np.array([np.nan, 3.0]), direction, method)
            assert np.isnan(alone[0])
            assert alone[1] == 0.5
            assert np.isnan(normalise(np.full(3, np.nan), direction, method)).all()
            assert normalise(np.array([]), direction, method).shape == (0,)


def test_the_largest_and_the_smallest_numbers_make_scores_too() -> None:
    for extreme in (1.7e308, 5e-324):
        for method in RELATIVE:
            scores = normalise(np.array([-extreme, 0.0, extreme]), "more-is-worse", method)
            assert scores[0] < scores[1] == 0.5 < scores[2]
    assert normalise(np.array([-1e308, 1e308]), "more-is-worse", "goalpost", (0.0, 1e-300)).tolist() == [0, 1]


def test_a_spread_of_z() -> None:
    """Standard deviation 1 and mean 0: Φ(±1) = 0.8413, 0.1587 (any table)."""
    assert normalise(np.array([-1.0, 1.0]), "more-is-worse", "z") == pytest.approx([0.15866, 0.84134], abs=1e-5)


def test_the_example_of_coinr() -> None:
    """https://bluefoxr.github.io/COINr/reference/winsorise.html, and its test with one outlier."""
    found = winsorise(np.array([*range(1, 11), 30.0, 100.0]))
    assert found.values.tolist() == [*range(1, 11), 30, 30]
    assert np.flatnonzero(found.is_moved).tolist() == [11]
    found = winsorise(np.array([*range(1, 11), 100.0]))
    assert found.values.tolist() == [*range(1, 11), 10]
    assert found.is_within_rule


def test_low_outliers_are_moved_up_and_one_too_many_is_told() -> None:
    low = winsorise(-np.array([*range(1, 11), 30.0, 100.0]))
    assert low.values.tolist() == [*range(-1, -11, -1), -30, -30]
    # Two outliers and one move allowed: as COINr's test, the rule is not met.
    found = winsorise(np.array([*range(1, 21), 100.0, 200.0]), at_most=1)
    assert found.values.tolist() == [*range(1, 21), 100, 100]
    assert (found.is_moved.sum(), found.is_within_rule) == (1, False)
    assert winsorise(np.array([*range(1, 21), 100.0, 200.0])).is_within_rule
    # Two that tie move together or not at all.
    tied = np.array([*([1.0, 2.0] * 15), 100.0, 100.0])
    assert winsorise(tied, at_most=1).is_moved.sum() == 0
    assert winsorise(tied, at_most=2).values.max() == 2


def test_a_difference_is_never_wiped_out() -> None:
    lonely = np.array([*([0.0] * 20), 9.0])
    found = winsorise(lonely)
    np.testing.assert_array_equal(found.values, lonely)
    assert not found.is_within_rule
    assert found.skewness is not None
    assert found.skewness > SKEWNESS_LIMIT
    for values in ([1.0, 1.0, 1.0, 1.0], [1.0, 2.0, 900.0], [np.nan, np.nan], []):
        few = winsorise(np.array(values))
        np.testing.assert_array_equal(few.values, values)
        assert (few.is_within_rule, few.skewness, few.kurtosis) == (True, None, None)


@given(hnp.arrays(np.float64, st.integers(4, 40), elements=st.floats(-1e6, 1e6, width=32)), st.integers(0, 8))
@settings(derandomize=True, deadline=None)
def test_outliers_move_inwards_only_and_no_more_than_allowed(values: np.ndarray, at_most: int) -> None:
    values = values**3
    found = winsorise(values, at_most)
    assert found.is_moved.sum() <= at_most
    np.testing.assert_array_equal(found.values[~found.is_moved], values[~found.is_moved])
    assert set(found.values.tolist()) <= set(values.tolist())
    order = np.argsort(values, kind="stable")
    assert (np.diff(found.values[order]) >= 0).all()
    if found.is_within_rule and found.skewness is not None and found.kurtosis is not None:
        assert abs(found.skewness) <= SKEWNESS_LIMIT or found.kurtosis <= KURTOSIS_LIMIT


def test_skewness_and_kurtosis_are_those_of_scipy() -> None:
    for seed in range(5):
        values = columns_of(seed)[:, 0]
        expected = (stats.skew(values, bias=False), stats.kurtosis(values, bias=False))
        assert shape_of(np.append(values, np.nan)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: normalise(np.array([math.inf]), "more-is-worse", "z"), "bad_indicator"),
        (lambda: normalise(np.ones((2, 2)), "more-is-worse", "z"), "length_mismatch"),
        (lambda: normalise(np.array([1.0]), "more-is-worse", "rank"), "bad_method"),
        (lambda: normalise(np.array([1.0]), "down", "z"), "bad_direction"),
        (lambda: winsorise(np.array([1.0]), -1), "bad_number"),
        (lambda: winsorise(np.array([1.0, math.inf])), "bad_indicator"),
    ],
)
def test_impossible_values_are_refused(call, code: str) -> None:
    with pytest.raises(InvalidInput) as error:
        call()
    assert error.value.code == code

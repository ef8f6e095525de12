"""Pairwise comparisons against Saaty's published examples, pymcdm, and what must hold for any matrix."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pymcdm.weights.subjective import AHP

from analysis.core.pairwise import RANDOM_INDEX, combined_comparisons, comparison_matrix, pairwise_weights
from geo.errors import InvalidInput

#: Saaty 1990, how to choose a house: size, transport, neighbourhood, age, yard, modern, condition, financing.
HOUSE = [
    [1, 5, 3, 7, 6, 6, 1 / 3, 1 / 4],
    [1 / 5, 1, 1 / 3, 5, 3, 3, 1 / 5, 1 / 7],
    [1 / 3, 3, 1, 6, 3, 4, 6, 1 / 5],
    [1 / 7, 1 / 5, 1 / 6, 1, 1 / 3, 1 / 4, 1 / 7, 1 / 8],
    [1 / 6, 1 / 3, 1 / 3, 3, 1, 1 / 2, 1 / 5, 1 / 6],
    [1 / 6, 1 / 3, 1 / 4, 4, 2, 1, 1 / 5, 1 / 6],
    [3, 5, 1 / 6, 7, 5, 5, 1, 1 / 2],
    [4, 7, 5, 8, 6, 6, 2, 1],
]

#: Saaty 2008, consumption of coffee, wine, tea, beer, sodas, milk, water.
DRINKS = [
    [1, 9, 5, 2, 1, 1, 1 / 2],
    [1 / 9, 1, 1 / 3, 1 / 9, 1 / 9, 1 / 9, 1 / 9],
    [1 / 5, 3, 1, 1 / 3, 1 / 4, 1 / 3, 1 / 9],
    [1 / 2, 9, 3, 1, 1 / 2, 1, 1 / 3],
    [1, 9, 4, 2, 1, 2, 1 / 2],
    [1, 9, 3, 1, 1 / 2, 1, 1 / 3],
    [2, 9, 9, 3, 2, 3, 1],
]


def random_matrix(rng: np.random.Generator, size: int) -> np.ndarray:
    scale = np.r_[1 / np.arange(9, 1, -1), np.arange(1, 10)]
    upper = np.triu(rng.choice(scale, (size, size)), 1)
    return upper + np.eye(size) + np.divide(1, upper, out=np.zeros_like(upper), where=upper > 0).T


def test_the_house() -> None:
    """λ = 9.669 and CI = 0.238 as printed; CR = 0.169 there with the older random index 1.41 of eight criteria."""
    found = pairwise_weights(HOUSE)
    assert found.shares.round(3).tolist() == [0.173, 0.054, 0.188, 0.018, 0.031, 0.036, 0.167, 0.333]
    about = found.consistency
    assert about is not None
    assert round(about.largest_eigenvalue, 3) == 9.669
    assert round(about.index, 3) == 0.238
    assert round(about.index / 1.41, 3) == 0.169
    assert about.ratio == pytest.approx(about.index / 1.40)
    assert not about.is_consistent


def test_the_comparison_most_at_odds_is_the_one_that_was_printed_as_such() -> None:
    """Neighbourhood against condition, 6 where the weights say about 1; changed to 1/2, λ = 8.811 and CR = 0.083."""
    about = pairwise_weights(HOUSE).consistency
    assert about is not None
    assert (about.most_at_odds, about.said) == ((2, 6), 6)
    assert about.implied == pytest.approx(0.188 / 0.167, abs=0.01)
    changed = [list(row) for row in HOUSE]
    changed[2][6], changed[6][2] = 1 / 2, 2
    better = pairwise_weights(changed).consistency
    assert better is not None
    assert better.largest_eigenvalue == pytest.approx(8.811, abs=0.001)
    assert round(better.ratio, 3) == 0.083
    assert better.is_consistent


def test_the_drinks() -> None:
    found = pairwise_weights(DRINKS)
    assert found.shares.round(3).tolist() == [0.177, 0.019, 0.042, 0.116, 0.190, 0.129, 0.327]
    assert found.consistency is not None
    assert round(found.consistency.ratio, 3) == 0.022


def test_weights_are_those_of_another_tool() -> None:
    rng = np.random.default_rng(3)
    for size in (2, 3, 5, 8, 12, 15):
        matrix = random_matrix(rng, size)
        np.testing.assert_allclose(pairwise_weights(matrix).shares, AHP(matrix=matrix)(), rtol=1e-9)


def test_random_indices_are_those_of_random_matrices() -> None:
    """Means of 1,500 matrices each; their standard error is below 0.01 for three indicators and 0.002 for fifteen."""
    rng = np.random.default_rng(5)
    for size in (3, 4, 6, 9, 11, 15):
        largest = np.linalg.eigvals(np.stack([random_matrix(rng, size) for _ in range(1500)])).real.max(axis=1)
        index = float(((largest - size) / (size - 1)).mean())
        assert index == pytest.approx(RANDOM_INDEX[size - 1], abs=0.04 if size == 3 else 0.02)


@given(hnp.arrays(np.float64, st.integers(1, 15), elements=st.floats(0.1, 10)))
@settings(derandomize=True, deadline=None)
def test_comparisons_that_agree_give_the_weights_they_are_made_from(weights: np.ndarray) -> None:
    found = pairwise_weights(weights[:, None] / weights)
    np.testing.assert_allclose(found.shares, weights / weights.sum(), rtol=1e-9)
    about = found.consistency
    assert about is not None
    assert about.ratio == pytest.approx(0, abs=1e-9)
    assert about.is_consistent
    assert about.most_at_odds is None


@given(st.integers(1, 8), st.integers(0, 10_000), st.randoms(use_true_random=False))
@settings(derandomize=True, deadline=None)
def test_weights_sum_to_one_in_any_order(size: int, seed: int, rng) -> None:
    matrix = random_matrix(np.random.default_rng(seed), size)
    turn = list(range(size))
    rng.shuffle(turn)
    one, other = pairwise_weights(matrix), pairwise_weights(matrix[turn][:, turn])
    assert one.shares.sum() == pytest.approx(1, abs=1e-12)
    assert (one.shares > 0).all()
    np.testing.assert_allclose(other.shares, one.shares[turn], rtol=1e-7)
    assert one.consistency is not None
    assert other.consistency is not None
    assert one.consistency.index == pytest.approx(other.consistency.index, abs=1e-9)
    if size < 3:
        assert (one.consistency.ratio, one.consistency.most_at_odds) == (0, None)


def test_changing_the_comparison_most_at_odds_to_what_is_implied_helps() -> None:
    rng = np.random.default_rng(8)
    for size in (3, 5, 7):
        for _ in range(10):
            matrix = random_matrix(rng, size)
            before = pairwise_weights(matrix).consistency
            assert before is not None
            assert before.most_at_odds is not None
            i, j = before.most_at_odds
            assert before.said == matrix[i, j] > before.implied
            matrix[i, j], matrix[j, i] = before.implied, 1 / before.implied
            after = pairwise_weights(matrix).consistency
            assert after is not None
            assert after.index < before.index


def test_a_matrix_from_one_number_for_each_two() -> None:
    matrix = comparison_matrix(3, {(0, 1): 3, (2, 0): 0.5, (1, 2): 1})
    assert matrix.tolist() == [[1, 3, 2], [1 / 3, 1, 1], [0.5, 1, 1]]
    assert comparison_matrix(1, {}).tolist() == [[1]]
    # 0.33 and 0.14 are meant as 1/3 and 1/7.
    rounded = pairwise_weights([[1, 3, 7], [0.33, 1, 2], [0.14, 0.5, 1]])
    assert rounded.shares == pytest.approx(pairwise_weights([[1, 3, 7], [1 / 3, 1, 2], [1 / 7, 0.5, 1]]).shares)


def test_institutions_that_say_the_opposite_cancel_out() -> None:
    one = np.array([[1, 9, 3], [1 / 9, 1, 1], [1 / 3, 1, 1]])
    assert combined_comparisons([one, one.T]) == pytest.approx(np.ones((3, 3)))
    assert combined_comparisons([one, one, one]) == pytest.approx(one)


@pytest.mark.parametrize(
    ("call", "code", "where"),
    [
        (lambda: pairwise_weights([[1, 2]]), "length_mismatch", ""),
        (lambda: pairwise_weights(np.zeros((0, 0))), "length_mismatch", ""),
        (lambda: pairwise_weights(np.ones((16, 16))), "too_many_comparisons", ""),
        (lambda: pairwise_weights([[1, 0], [2, 1]]), "bad_comparison", "indicators 0 and 1"),
        (lambda: pairwise_weights([[1, -2], [-0.5, 1]]), "bad_comparison", "indicators 0 and 1"),
        (lambda: pairwise_weights([[1, math.nan], [1, 1]]), "bad_comparison", "indicators 0 and 1"),
        (lambda: pairwise_weights([[1, 3, 1], [1 / 3, 1, 2], [1, 2, 1]]), "bad_comparison", "indicators 1 and 2"),
        (lambda: pairwise_weights([[1, 1], [1, 2]]), "bad_comparison", "indicators 1 and 1"),
        (lambda: comparison_matrix(0, {}), "no_indicators", ""),
        (lambda: comparison_matrix(2, {}), "bad_comparison", "indicators 0 and 1"),
        (lambda: comparison_matrix(2, {(0, 1): 2, (1, 0): 0.5}), "bad_comparison", "indicators 1 and 0"),
        (lambda: comparison_matrix(2, {(0, 2): 2}), "bad_comparison", "indicators 0 and 2"),
        (lambda: comparison_matrix(2, {(0, 1): 0}), "bad_comparison", "indicators 0 and 1"),
        (lambda: combined_comparisons([]), "length_mismatch", ""),
        (lambda: combined_comparisons([np.ones((2, 2)), np.ones((3, 3))]), "length_mismatch", ""),
    ],
)
def test_comparisons_that_cannot_be_meant_are_refused(call, code: str, where: str) -> None:
    with pytest.raises(InvalidInput) as error:
        call()
    assert (error.value.code, error.value.where) == (code, where)

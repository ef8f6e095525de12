"""Groups of people: each as if it were everybody, and groups that make up everybody add up."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from analysis.core.coverage import coverage, distance_percentiles_m, prepare
from analysis.core.groups import coverage_of_groups, group_inputs
from geo.errors import InvalidInput


def test_groups_by_hand() -> None:
    inputs = prepare(
        sparse.csr_matrix([[1.0, 1.0], [0.0, 0.0]]), np.array([30.0, 10.0]), np.array([[0.0, 900.0]]), 100.0
    )
    found = coverage_of_groups(inputs, np.array([[15.0, 5.0], [0.0, 8.0], [0.0, 0.0]]), ["a", "b", "c"], [100.0])
    assert found.groups == ("a", "b", "c")
    assert found.population[:, 0].tolist() == [20, 8, 0]
    assert found.population_share[:2, 0, 0].tolist() == [0.75, 0]
    assert np.isnan(found.population_share[2]).all()
    assert found.uncovered_people[:, 0, 0].tolist() == [5, 8, 0]
    assert found.mean_distance_m[:2, 0, 0].tolist() == [225, 900]
    assert distance_percentiles_m(group_inputs(inputs, np.array([0.0, 8.0])), 0, [50])[0].tolist() == [900]


@given(st.integers(0, 10_000), st.floats(0, 800))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_women_and_men_add_up_to_people(seed: int, threshold_m: float) -> None:
    rng = np.random.default_rng(seed)
    places = sparse.csr_matrix(rng.uniform(0, 1, (4, 30)) * (rng.random((4, 30)) < 0.4))
    people, share = rng.gamma(1, 5, 30), rng.random(30)
    cost = rng.uniform(0, 900, (2, 30))
    cost[:, rng.random(30) < 0.1] = np.inf
    inputs = prepare(places, people, cost, 50.0)
    whole = coverage(inputs, [threshold_m, 300.0])
    parts = coverage_of_groups(
        inputs, np.stack((people * share, people * (1 - share))), ["w", "m"], [threshold_m, 300.0]
    )
    np.testing.assert_allclose(parts.population.sum(axis=0), whole.population)
    for name in ("uncovered_people", "unreachable_people"):
        np.testing.assert_allclose(getattr(parts, name).sum(axis=0), getattr(whole, name), atol=1e-9)
    alone = coverage(prepare(places, people * share, cost, 50.0), [threshold_m, 300.0])
    np.testing.assert_array_equal(parts.population_share[0], alone.population_share)


def test_what_does_not_fit_is_refused() -> None:
    inputs = prepare(sparse.csr_matrix([[1.0]]), np.ones(1), np.ones((1, 1)), 10.0)
    for code, people, groups, thresholds in (
        ("length_mismatch", np.ones(1), ["a"], [1.0]),
        ("length_mismatch", np.ones((2, 1)), ["a"], [1.0]),
        ("length_mismatch", np.ones((1, 2)), ["a"], [1.0]),
        ("bad_population", -np.ones((1, 1)), ["a"], [1.0]),
        ("bad_threshold", np.ones((1, 1)), ["a"], [1.0, 2.0]),
        ("bad_threshold", np.ones((1, 1)), ["a"], [-1.0]),
    ):
        with pytest.raises(InvalidInput) as caught:
            coverage_of_groups(inputs, people, groups, thresholds)
        assert caught.value.code == code
    assert coverage_of_groups(inputs, np.ones((0, 1)), [], [1.0]).population_share.shape == (0, 1, 1)

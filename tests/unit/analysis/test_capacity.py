"""Floating catchments: the published example, formulas written out, and what must hold for any city."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from analysis.core.capacity import (
    E2SFCA,
    Decay,
    Gaussian,
    Pairs,
    Power,
    Steps,
    access_of_places,
    crowding,
    floating_catchments,
    floating_catchments_in_turn,
    floating_catchments_of_cells,
    pairs,
    pairs_of_table,
    unmet_people,
    within,
)
from geo.errors import InvalidInput

DECAYS = [within(15.0), E2SFCA, Gaussian(10.0, 30.0), Gaussian(8.0), Power(1.5, 25.0)]


def by_hand(cost: np.ndarray, people: np.ndarray, capacity: np.ndarray, decay: Decay) -> tuple[np.ndarray, np.ndarray]:
    """R_j and A_i in plain loops, with the weights from their own definitions."""

    def weight(t: float) -> float:
        if isinstance(decay, Steps):
            return next((w for edge, w in zip(decay.edges, decay.weights, strict=True) if t <= edge), 0.0)
        if t > decay.limit or np.isinf(t):
            return 0.0
        return np.exp(-(t**2) / (2 * decay.width**2)) if isinstance(decay, Gaussian) else 1 / t**decay.exponent

    n, m = cost.shape
    ratio = np.zeros(m)
    for j in range(m):
        wanted = sum(weight(cost[k, j]) * people[k] for k in range(n))
        ratio[j] = capacity[j] / wanted if wanted > 0 else 0.0
    return ratio, np.array([sum(weight(cost[i, j]) * ratio[j] for j in range(m)) for i in range(n)])


@st.composite
def cities(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Costs, people and capacities, some of them zero, some costs infinite."""
    rng = np.random.default_rng(draw(st.integers(0, 100_000)))
    n, m = draw(st.integers(1, 8)), draw(st.integers(0, 6))
    cost = rng.uniform(0.1, 50, (n, m))
    cost[rng.random((n, m)) < 0.2] = np.inf
    cost[rng.random((n, m)) < 0.1] = 15.0
    people = rng.integers(0, 100, n) * (rng.random(n) < 0.8)
    return cost, people.astype(float), rng.integers(0, 50, m).astype(float)


def test_the_published_hospital_example() -> None:
    people, supply = np.array([100.0, 50.0, 10.0]), np.array([15.0, 20.0, 100.0])
    near = pairs_of_table(np.array([[1.0, 80.0, 40.0], [80.0, 1.0, 40.0], [40.0, 40.0, 1.0]]), 60.0)
    result = floating_catchments(near, people, supply, Power(exponent=1.0, limit=60.0))
    assert result.access.round(6).tolist() == [0.331444, 0.579828, 7.286418]
    assert result.access @ people == pytest.approx(135, abs=1e-12)
    assert result.reached_capacity == 135


def test_two_steps_by_hand() -> None:
    # Ten seats within 10 min of 20 + 30 people, six within 10 min of the 30 alone; nobody is near the third.
    cost = np.array([[10.0, 12.0, np.inf], [3.0, 9.0, 99.0]])
    result = floating_catchments(pairs_of_table(cost), np.array([20.0, 30.0]), np.array([10.0, 6.0, 5.0]), within(10.0))
    assert result.ratio.tolist() == [0.2, 0.2, 0.0]
    assert result.access.tolist() == [0.2, 0.4]
    assert result.load.tolist() == [50, 30, 0]
    assert result.reached_capacity == 16


def test_the_enhanced_weights_by_hand() -> None:
    # Weights 0.68 and 0.22 of 100 and 50 people: load 79.
    result = floating_catchments(pairs_of_table(np.array([[20.0], [25.0]])), np.array([100.0, 50.0]), np.array([7.9]))
    assert result.access == pytest.approx([0.068, 0.022])


@given(cities(), st.sampled_from(DECAYS))
@settings(derandomize=True, deadline=None, max_examples=120)
def test_pairs_and_tables_give_what_plain_loops_give(city, decay: Decay) -> None:
    cost, people, capacity = city
    ratio, access = by_hand(cost, people, capacity, decay)
    order = np.random.default_rng(1).permutation(cost.size)
    demand, supply = np.divmod(order, max(cost.shape[1], 1))
    for result in (
        floating_catchments(pairs_of_table(cost, 60.0), people, capacity, decay),
        floating_catchments(pairs(demand, supply, cost.ravel()[order], *cost.shape), people, capacity, decay),
        floating_catchments_of_cells(cost.T, people, capacity, decay),
    ):
        np.testing.assert_allclose(result.ratio, ratio, rtol=1e-12)
        np.testing.assert_allclose(result.access, access, rtol=1e-12, atol=1e-15)
        assert result.decay == decay


@given(cities(), st.sampled_from(DECAYS))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_capacity_is_conserved(city, decay: Decay) -> None:
    cost, people, capacity = city
    result = floating_catchments(pairs_of_table(cost), people, capacity, decay)
    assert people @ result.access == pytest.approx(capacity[result.load > 0].sum())
    assert result.reached_capacity == pytest.approx(capacity[result.load > 0].sum())


@given(cities(), st.sampled_from(DECAYS))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_other_numbering_changes_nothing(city, decay: Decay) -> None:
    cost, people, capacity = city
    rng = np.random.default_rng(2)
    row, col = rng.permutation(people.size), rng.permutation(capacity.size)
    one = floating_catchments(pairs_of_table(cost), people, capacity, decay)
    other = floating_catchments(pairs_of_table(cost[row][:, col]), people[row], capacity[col], decay)
    np.testing.assert_allclose(other.access, one.access[row], rtol=1e-12)
    np.testing.assert_allclose(other.ratio, one.ratio[col], rtol=1e-12)


@given(cities(), st.floats(0, 30))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_more_capacity_never_takes_access_from_anybody(city, more: float) -> None:
    cost, people, capacity = city
    before = floating_catchments(pairs_of_table(cost), people, capacity)
    after = floating_catchments(pairs_of_table(cost), people, capacity + more)
    assert (after.access >= before.access - 1e-12).all()


@given(
    cities(), st.sampled_from([Steps((15.0, 30.0), (1.0, 0.4), 4.0), Gaussian(10.0, 30.0, 4.0), Power(1.5, 25.0, 4.0)])
)
@settings(max_examples=30, deadline=None)
def test_blurred_edges_keep_capacity_and_cut_nobody_off_at_once(city, decay: Decay) -> None:
    cost, people, capacity = city
    near = [(np.flatnonzero(np.isfinite(column)), column[np.isfinite(column)]) for column in cost.T]
    found = floating_catchments_in_turn(near, people, capacity, decay)
    table = floating_catchments(pairs_of_table(cost), people, capacity, decay)
    np.testing.assert_allclose(found.access, table.access, rtol=1e-12)
    assert found.access @ people == pytest.approx(found.reached_capacity)
    far = np.linspace(0.1, 40.0, 4_000)
    assert np.abs(np.diff(decay(far)[100:])).max() < 0.02  # no step is left, but that of 1 / t next to zero


def test_catchments_in_turn_are_as_many_as_facilities() -> None:
    one = (np.array([0]), np.array([5.0]))
    for catchments in ([], [one, one]):
        with pytest.raises(InvalidInput) as refused:
            floating_catchments_in_turn(catchments, np.array([10.0]), np.array([20.0]))
        assert refused.value.code == "length_mismatch"
    with pytest.raises(InvalidInput):
        Steps((10.0,), (1.0,), blur=-1.0)


def test_a_facility_that_only_empty_cells_reach_gives_nothing() -> None:
    result = floating_catchments(pairs_of_table(np.array([[5.0], [40.0]])), np.array([0.0, 10.0]), np.array([7.0]))
    assert result.access.tolist() == [0, 0]
    assert result.reached_capacity == 0


@pytest.mark.parametrize(("n", "m"), [(0, 0), (3, 0), (0, 2)])
def test_nothing_to_share_or_nobody_to_share_it(n: int, m: int) -> None:
    for result in (
        floating_catchments(pairs_of_table(np.empty((n, m))), np.ones(n), np.ones(m)),
        floating_catchments_of_cells(np.empty((m, n)), np.ones(n), np.ones(m)),
    ):
        assert result.access.tolist() == [0] * n
        assert result.ratio.tolist() == [0] * m
        assert result.reached_capacity == 0


@pytest.mark.parametrize("threshold", [0.0, 1e9])
def test_thresholds_of_nothing_and_of_everything(threshold: float) -> None:
    cost = np.array([[0.0, 5.0], [7.0, np.inf]])
    result = floating_catchments(
        pairs_of_table(cost), np.array([10.0, 30.0]), np.array([20.0, 40.0]), within(threshold)
    )
    assert result.access.tolist() == ([2, 0] if threshold == 0 else [0.5 + 4, 0.5])


def test_places_have_the_mean_access_of_their_people() -> None:
    places = sparse.csr_matrix([[1.0, 0.5, 0.0], [0.0, 0.5, 1.0], [0.0, 0.0, 0.0]])
    found = access_of_places(np.array([1.0, 2.0, 3.0]), np.array([10.0, 20.0, 0.0]), places)
    assert found[:2].tolist() == [(10 * 1 + 10 * 2) / 20, 2]
    assert np.isnan(found[2])


def test_unmet_people_by_hand() -> None:
    # Of a need of 0.2: nothing, a quarter, all of it, more.
    found = unmet_people(np.array([0.0, 0.05, 0.2, 9.0]), np.full(4, 100.0), 0.2)
    assert found.tolist() == pytest.approx([100, 75, 0, 0])


def test_crowding_by_hand() -> None:
    # 0 and 1 go to the first (10 + 40 people, 20 seats), 2 to the second (30 people, 60 seats), 3 reaches none.
    cost = np.array([[5.0, 9.0], [7.0, 7.0], [8.0, 6.0], [31.0, np.inf]])
    result = crowding(pairs_of_table(cost), np.array([10.0, 40.0, 30.0, 8.0]), np.array([20.0, 60.0]), limit=30.0)
    assert result.load.tolist() == [50, 30]
    assert result.people_over.tolist() == [30, 0]
    assert result.unmet_people.tolist() == pytest.approx([6, 24, 0, 8])
    assert result.unreached_people.tolist() == [0, 0, 0, 8]
    half = crowding(pairs_of_table(cost), np.full(4, 10.0), np.array([20.0, 60.0]), limit=30.0, need_per_person=4.0)
    assert half.people_over.tolist() == [15, 0]


@given(cities(), st.floats(0, 60), st.floats(0.01, 5))
@settings(derandomize=True, deadline=None, max_examples=80)
def test_crowding_counts_everybody_once(city, limit: float, need: float) -> None:
    cost, people, capacity = city
    result = crowding(pairs_of_table(cost), people, capacity, limit, need)
    expected = np.zeros(capacity.size)
    for i, row in enumerate(np.where(cost <= limit, cost, np.inf)):
        if row.size and np.isfinite(row.min()):
            expected[row.argmin()] += people[i]
    np.testing.assert_allclose(result.load, expected)
    assert result.load.sum() + result.unreached_people.sum() == pytest.approx(people.sum())
    assert result.unmet_people.sum() == pytest.approx(result.people_over.sum() + result.unreached_people.sum())
    assert (result.unmet_people <= people + 1e-9).all()


def test_what_does_not_fit_is_refused() -> None:
    one, near = np.ones(1), pairs_of_table(np.ones((1, 1)))
    zero = np.zeros(1, dtype=int)
    for code, make in (
        ("length_mismatch", lambda: pairs(zero, zero, np.ones(2), 1, 1)),
        ("length_mismatch", lambda: pairs_of_table(np.ones(3))),
        ("length_mismatch", lambda: floating_catchments(near, np.ones(2), one)),
        ("length_mismatch", lambda: floating_catchments(near, one, np.ones(2))),
        ("length_mismatch", lambda: floating_catchments_of_cells(one, one, one)),
        ("length_mismatch", lambda: access_of_places(one, one, sparse.csr_matrix((1, 2)))),
        ("length_mismatch", lambda: unmet_people(one, np.ones(2), 1.0)),
        ("bad_pair", lambda: pairs(zero, zero + 1, one, 1, 1)),
        ("bad_pair", lambda: pairs(zero - 1, zero, one, 1, 1)),
        ("bad_cost", lambda: pairs(zero, zero, -one, 1, 1)),
        ("bad_cost", lambda: pairs(zero, zero, one * np.nan, 1, 1)),
        ("bad_cost", lambda: pairs_of_table(-np.ones((1, 1)))),
        ("bad_cost", lambda: pairs_of_table(np.full((1, 1), np.nan))),
        ("bad_cost", lambda: floating_catchments_of_cells(-np.ones((1, 1)), one, one)),
        ("bad_cost", lambda: Power(1.0)(np.zeros(1))),
        ("bad_population", lambda: floating_catchments(near, -one, one)),
        ("bad_population", lambda: floating_catchments(near, one * np.nan, one)),
        ("bad_capacity", lambda: floating_catchments(near, one, -one)),
        ("bad_capacity", lambda: floating_catchments(near, one, one * np.inf)),
        ("bad_standard", lambda: unmet_people(one, one, 0.0)),
        ("bad_standard", lambda: crowding(near, one, one, need_per_person=np.inf)),
        ("bad_threshold", lambda: crowding(near, one, one, limit=-1.0)),
        ("bad_decay", lambda: Steps((), ())),
        ("bad_decay", lambda: Steps((5.0,), (1.0, 0.5))),
        ("bad_decay", lambda: Steps((5.0, 4.0), (1.0, 0.5))),
        ("bad_decay", lambda: within(-1.0)),
        ("bad_decay", lambda: within(np.nan)),
        ("bad_decay", lambda: within(np.inf)),
        ("bad_decay", lambda: Steps((5.0,), (-1.0,))),
        ("bad_decay", lambda: Gaussian(0.0)),
        ("bad_decay", lambda: Gaussian(1.0, np.nan)),
        ("bad_decay", lambda: Power(np.inf)),
    ):
        with pytest.raises(InvalidInput) as caught:
            make()
        assert caught.value.code == code


def test_a_fault_late_in_many_pairs_is_found() -> None:
    n = 100_000
    ends, cost = np.zeros(n, dtype=int), np.ones(n)
    assert isinstance(pairs(ends, ends, cost, 1, 1), Pairs)
    for index in (0, n // 2, n - 1):
        worse = cost.copy()
        worse[index] = np.nan
        with pytest.raises(InvalidInput):
            pairs(ends, ends, worse, 1, 1)

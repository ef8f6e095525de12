"""The smallest change of weights against a complete grid, against every choice of rows, and as proven by another solver."""

# mypy: disable-error-code="arg-type, comparison-overlap, operator, union-attr"

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, linprog, milp, minimize

from analysis.core.ranking import METHODS, Method, ranks_of_many, scores_of_many
from analysis.core.weight_changes import WeightChange, smallest_weight_change
from analysis.core.weight_programs import Programme, cheapest, distance_of
from analysis.core.weight_search import searched
from geo.errors import InvalidInput

GRID = np.array([(a, b, 40 - a - b) for a in range(41) for b in range(41 - a)]) / 40


def rank(scores: np.ndarray, weights: np.ndarray, place: int, method: Method) -> int:
    return int(ranks_of_many(scores_of_many(scores, weights[None], method))[0, place])


def checked(change: WeightChange, scores: np.ndarray, weights: np.ndarray, method: Method, distance: str) -> None:
    """What any answer must be, whatever it is."""
    share = weights / weights.sum()
    assert change.rank_before == rank(scores, share, change.place, method)
    assert change.moves == ("in" if change.rank_before > change.first else "out")
    if change.weights is None:
        assert change.reason is not None
        assert change.distance is None
        assert change.rank_after is None
        return
    assert change.reason is None
    assert change.distance is not None
    assert (change.weights >= 0).all()
    assert change.weights.sum() == pytest.approx(1, abs=1e-12)
    assert change.distance == pytest.approx(distance_of(change.weights - share, distance), abs=1e-12)
    assert change.rank_after == rank(scores, change.weights, change.place, method)
    assert (change.rank_after <= change.first) == (change.moves == "in")
    assert change.bound <= change.distance + 1e-12


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("distance", ["l1", "l2"])
def test_no_weights_of_a_complete_grid_are_nearer(method: Method, distance: str) -> None:
    rng = np.random.default_rng(METHODS.index(method))
    for _ in range(25):
        p = int(rng.integers(2, 8))
        # Rounded, so that there are ties and places at least as bad in everything.
        scores, weights = rng.random((p, 3)).round(int(rng.integers(1, 3))), rng.dirichlet([1, 1, 1])
        place, first = int(rng.integers(p)), int(rng.integers(1, p + 1))
        change = smallest_weight_change(scores, weights, place, first, method, distance)
        checked(change, scores, weights, method, distance)
        ranks = ranks_of_many(scores_of_many(scores, GRID, method))[:, place]
        flips = (ranks <= first) != (change.rank_before <= first)
        if change.weights is None:
            assert not flips.any()
        elif flips.any():
            nearest = min(distance_of(weight - weights, distance) for weight in GRID[flips])
            # VIKOR jumps, so that a search can miss the nearest a little.
            assert change.distance <= nearest * (1.1 if method.startswith("vikor") else 1) + 1e-6
        if method in ("arithmetic", "geometric"):
            assert change.is_proven


@pytest.mark.parametrize("distance", ["l1", "l2"])
def test_the_branching_finds_the_best_of_every_choice_of_rows(distance: str) -> None:
    rng = np.random.default_rng(11)
    for _ in range(12):
        rows, start = rng.uniform(-1, 1, (6, 4)), rng.dirichlet(np.ones(4))
        needed = int(rng.integers(1, 6))
        found = cheapest(Programme(rows, needed, start, 0.01), distance, 20.0)
        best = np.inf
        for choice in itertools.combinations(range(6), needed):
            best = min(best, one_choice(rows[list(choice)], start, distance))
        if found.weights is None:
            assert found.is_impossible
            assert best == np.inf
        else:
            assert ((rows @ found.weights >= 0.01 - 1e-8).sum()) >= needed
            assert distance_of(found.weights - start, distance) == pytest.approx(best, abs=2e-6)
            assert found.bound == pytest.approx(best, abs=2e-6)


def one_choice(rows: np.ndarray, start: np.ndarray, distance: str) -> float:
    """The nearest weights by which all of these rows hold, by solvers that the service does not use for it."""
    k = start.size
    if linprog(np.zeros(k), -rows, np.full(len(rows), -0.01), np.ones((1, k)), [1.0]).status == 2:
        return np.inf
    if distance == "l1":
        eye = np.eye(k)
        answer = milp(
            np.r_[np.zeros(k), np.ones(k)],
            bounds=Bounds(0, 1),
            constraints=[
                LinearConstraint(np.hstack((rows, 0 * rows)), 0.01, np.inf),
                LinearConstraint(np.hstack((eye, -eye)), -np.inf, start),
                LinearConstraint(np.hstack((eye, eye)), start, np.inf),
                LinearConstraint(np.r_[np.ones(k), np.zeros(k)][None], 1, 1),
            ],
        )
        return float(answer.fun)
    feasible = linprog(np.zeros(k), -rows, np.full(len(rows), -0.01), np.ones((1, k)), [1.0]).x
    answer = minimize(
        lambda w: ((w - start) ** 2).sum(),
        feasible,
        jac=lambda w: 2 * (w - start),
        method="SLSQP",
        bounds=[(0, 1)] * k,
        constraints=[
            {"type": "eq", "fun": lambda w: w.sum() - 1, "jac": lambda w: np.ones(k)},
            {"type": "ineq", "fun": lambda w: rows @ w - 0.01, "jac": lambda w: rows},
        ],
        options={"ftol": 1e-14, "maxiter": 500},
    )
    return float(np.sqrt(answer.fun))


def test_the_worked_example() -> None:
    """Scores 60·w₁ + 0·w₂ + 30·w₃ against 0, 60, 30, on paper.

    With weights 0.6, 0.3, 0.1 the first place has 39 points, the second 21. The second is ahead from w₁ = w₂ on: 0.15 of
    weight has to go from the first to the second, Σ|Δw| = 0.3, √ΣΔw² = 0.15·√2; through the third weight it is no shorter.
    """
    scores, weights = np.array([[0.6, 0.0, 0.3], [0.0, 0.6, 0.3]]), np.array([6.0, 3.0, 1.0])
    change = smallest_weight_change(scores, weights, 1, 1)
    assert (change.distance, change.rank_after) == (pytest.approx(0.3), 1)
    straight = smallest_weight_change(scores, weights, 1, 1, distance="l2")
    assert straight.distance == pytest.approx(0.15 * 2**0.5)
    assert straight.weights == pytest.approx([0.45, 0.45, 0.1])
    # Out of the first one, the first place must be behind by more than a tie.
    out = smallest_weight_change(scores, weights, 0, 1, distance="l2")
    assert (out.moves, out.rank_after) == ("out", 2)
    assert out.distance == pytest.approx(0.15 * 2**0.5, abs=1e-6)


def test_what_cannot_be_moved_is_told_with_its_reason() -> None:
    better = np.array([[0.9, 0.8], [0.5, 0.4], [0.7, 0.6]])
    for method in ("arithmetic", "geometric"):
        for distance in ("l1", "l2"):
            change = smallest_weight_change(better, [1, 1], 1, 2, method, distance)
            assert (change.reason, change.is_proven) == ("whatever-the-weights", True)
    for method in ("topsis", "vikor", "vikor-fixed"):
        change = smallest_weight_change(better, [1, 1], 1, 2, method)
        assert (change.reason, change.is_proven) == ("not-found", False)
    assert smallest_weight_change(better, [1, 1], 1, 3).reason == "all-inside"
    assert smallest_weight_change(better[:, :1], [1], 1, 1).reason == "one-indicator"
    one = smallest_weight_change(better[:1], [1, 1], 0, 1)
    assert (one.reason, one.rank_before, one.weights) == ("all-inside", 1, None)


def test_more_than_a_tie_can_be_asked_for() -> None:
    """In the worked example the second place is ahead by 60·(w₂ − w₁) points: two of them need w₂ − w₁ = 1/30 more."""
    scores, weights = np.array([[0.6, 0.0, 0.3], [0.0, 0.6, 0.3]]), np.array([6.0, 3.0, 1.0])
    change = smallest_weight_change(scores, weights, 1, 1, ahead_points=2.0)
    assert (change.distance, change.rank_after, change.is_proven) == (pytest.approx(0.3 + 1 / 30), 1, True)
    out = smallest_weight_change(scores, weights, 0, 1, ahead_points=2.0)
    assert (out.distance, out.rank_after) == (pytest.approx(0.3 + 1 / 30), 2)
    # That nobody can be ahead by so much proves nothing of being ahead.
    none = smallest_weight_change(scores, weights, 1, 1, ahead_points=61.0)
    assert (none.weights, none.reason, none.is_proven) == (None, "not-found", False)
    for points in (-1.0, np.nan, 101.0):
        with pytest.raises(InvalidInput):
            smallest_weight_change(scores, weights, 1, 1, ahead_points=points)


def test_a_tie_is_enough_to_get_in_and_not_enough_to_get_out() -> None:
    # Alike in the second indicator only: with all the weight there, they tie.
    scores = np.array([[0.9, 0.4], [0.5, 0.4]])
    change = smallest_weight_change(scores, [1, 1], 1, 1)
    assert change.weights == pytest.approx([0, 1])
    assert (change.rank_after, change.is_proven) == (1, True)
    assert smallest_weight_change(scores, [1, 1], 0, 1).reason == "whatever-the-weights"


@given(st.integers(0, 10_000), st.sampled_from(METHODS), st.sampled_from(["l1", "l2"]))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_with_gaps_and_zero_weights_the_answer_is_checked_too(seed: int, method: Method, distance: str) -> None:
    rng = np.random.default_rng(seed)
    p, k = int(rng.integers(1, 7)), int(rng.integers(1, 5))
    scores, weights = rng.random((p, k)).round(1), rng.integers(0, 3, k).astype(float)
    scores[rng.random((p, k)) < 0.2] = np.nan
    weights[int(rng.integers(k))] = 1.0
    place, first = int(rng.integers(p)), int(rng.integers(1, 4))
    change = smallest_weight_change(scores, weights, place, first, method, distance)
    checked(change, scores, weights, method, distance)
    again = smallest_weight_change(scores, weights, place, first, method, distance)
    assert (again.weights is None) == (change.weights is None)
    if change.weights is not None:
        assert again.weights.tobytes() == change.weights.tobytes()


def test_the_search_comes_near_what_is_proven() -> None:
    rng = np.random.default_rng(1)
    ratios = []
    for _ in range(12):
        scores, share = rng.random((30, 6)), rng.dirichlet(np.full(6, 5.0))
        order = np.argsort(ranks_of_many(scores_of_many(scores, share[None], "arithmetic"))[0])
        place = int(order[8])
        proven = smallest_weight_change(scores, share, place, 5, distance="l2")
        assert proven.is_proven

        def flips(many: np.ndarray, scores: np.ndarray = scores, place: int = place) -> np.ndarray:
            return ranks_of_many(scores_of_many(scores, many, "arithmetic"))[:, place] <= 5

        found = searched(flips, share, "l2", 1)
        assert found is not None
        assert proven.distance is not None
        ratios.append(distance_of(found - share, "l2") / proven.distance)
    assert min(ratios) >= 1 - 1e-6
    assert np.median(ratios) <= 1.02
    assert max(ratios) <= 1.2


def test_thirty_indicators_of_400_places_are_proven() -> None:
    rng = np.random.default_rng(0)
    scores = rng.random((400, 30))
    order = np.argsort(ranks_of_many(scores_of_many(scores, np.ones((1, 30)), "arithmetic"))[0])
    for place in (order[10], order[199]):
        change = smallest_weight_change(scores, np.ones(30), int(place), 10, distance="l2", time_limit_s=60)
        checked(change, scores, np.ones(30), "arithmetic", "l2")
        assert change.is_proven


def test_what_runs_out_of_time_is_not_called_proven() -> None:
    rng = np.random.default_rng(0)
    scores = rng.random((400, 30))
    order = np.argsort(ranks_of_many(scores_of_many(scores, np.ones((1, 30)), "arithmetic"))[0])
    change = smallest_weight_change(scores, np.ones(30), int(order[200]), 10, time_limit_s=0.0)
    checked(change, scores, np.ones(30), "arithmetic", "l1")
    assert change.weights is not None
    assert not change.is_proven
    assert change.distance is not None
    assert change.bound < change.distance


def test_bad_input_is_refused() -> None:
    good = np.full((3, 2), 0.5)
    for arguments, code in (
        ((good, [1, 1], 3, 1), "bad_place"),
        ((good, [1, 1], -1, 1), "bad_place"),
        ((good, [1, 1], 0, 0), "bad_line"),
        ((good, [0, 0], 0, 1), "bad_weight"),
        ((good, [1], 0, 1), "length_mismatch"),
        ((good + 1, [1, 1], 0, 1), "bad_score"),
        ((good, [1, 1], 0, 1, "borda"), "bad_method"),
        ((good, [1, 1], 0, 1, "vikor", "l3"), "bad_method"),
    ):
        with pytest.raises(InvalidInput) as caught:
            smallest_weight_change(*arguments)
        assert caught.value.code == code

"""Siting against spopt on the same random data, and against what is published of structures that anybody can rebuild."""

import itertools
import math
from typing import Any

import numpy as np
import pulp  # type: ignore[import-untyped]
import pytest
from spopt.locate import LSCP, MCLP, PCenter, PMedian  # type: ignore[import-untyped]

from analysis.core.siting.centre import p_centre
from analysis.core.siting.covering import maximal_covering, set_covering
from analysis.core.siting.median import p_median
from analysis.core.siting.question import question_of

#: spopt and what it stands on warn of their own future.
pytestmark = pytest.mark.filterwarnings("ignore")


def town(seed: int, n: int = 60, m: int = 18) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(seed)
    at, sites = rng.random((n, 2)), rng.random((m, 2))
    existing = np.zeros(m, dtype=int)
    existing[rng.choice(m, 2, replace=False)] = seed % 2
    return rng.integers(1, 90, n), np.hypot(*(at[:, None] - sites).transpose(2, 0, 1)), existing


def solved(model: Any) -> Any:
    model = model.solve(pulp.PULP_CBC_CMD(msg=False))
    assert model.problem.status == 1
    return model


@pytest.mark.parametrize("seed", range(4))
def test_spopt_finds_the_same_values(seed: int) -> None:
    people, costs, existing = town(seed)
    kept = np.flatnonzero(existing)
    asked = question_of(people, costs, existing=kept)
    given = existing if seed % 2 else None
    reach = float(np.sort(costs, axis=1)[:, 2].max())
    fewest = set_covering(asked, reach)
    theirs = solved(LSCP.from_cost_matrix(costs, reach, predefined_facilities_arr=given))
    assert (fewest.value + kept.size, fewest.status) == (theirs.problem.objective.value(), "optimal")
    # spopt counts existing facilities among p.
    p = 4 + kept.size
    most = maximal_covering(asked, 0.2, sites=4)
    theirs = solved(MCLP.from_cost_matrix(costs, people, 0.2, p_facilities=p, predefined_facilities_arr=given))
    assert most.value + most.weight_before == pytest.approx(theirs.problem.objective.value())
    median = p_median(asked, sites=4)
    theirs = solved(PMedian.from_cost_matrix(costs, people, p_facilities=p, predefined_facilities_arr=given))
    assert median.value == pytest.approx(theirs.problem.objective.value())
    assert median.status == most.status == "optimal"
    centre = p_centre(asked, sites=4)
    theirs = solved(PCenter.from_cost_matrix(costs, p_facilities=p, predefined_facilities_arr=given))
    assert centre.value == pytest.approx(theirs.problem.objective.value())


def queens(n: int) -> Any:
    """0 or 1 from each square to those that a queen on it holds, 2 to all others."""
    squares = np.array(list(itertools.product(range(n), repeat=2)))
    over, up = (squares[:, None, k] - squares[None, :, k] for k in range(2))
    holds = (over == 0) | (up == 0) | (abs(over) == abs(up))
    return np.where(np.eye(n * n), 0.0, np.where(holds, 1.0, 2.0))


@pytest.mark.parametrize(("n", "published"), [(4, 2), (5, 3), (6, 3), (7, 4), (8, 5)])
def test_the_fewest_queens_that_hold_a_board_are_those_published(n: int, published: int) -> None:
    # Domination numbers of the queens' graph, Östergård & Weakley 2001 [@ostergard2001].
    asked = question_of(np.ones(n * n), queens(n))
    found = set_covering(asked, 1.0)
    assert (found.value, found.bound, found.status) == (published, published, "optimal")
    assert p_centre(asked, sites=published).value == 1.0
    assert p_centre(asked, sites=published - 1).value == 2.0
    assert maximal_covering(asked, 1.0, sites=published).value == n * n
    assert p_median(asked, sites=published).value == n * n - published


def test_a_perfect_code_covers_everything_exactly_once() -> None:
    # Hamming's code [@hamming1950]: 16 words of 7 bits, every other word differs in one bit from exactly one of them.
    words = np.array(list(itertools.product([0, 1], repeat=7)))
    costs = (words[:, None] != words).sum(axis=2).astype(float)
    asked = question_of(np.ones(128), costs)
    fewest = set_covering(asked, 1.0)
    assert (fewest.value, fewest.status) == (16.0, "optimal")
    assert (np.bincount(fewest.server, minlength=128)[fewest.chosen] == 8).all()
    assert p_median(asked, sites=16).value == 112.0
    assert p_centre(asked, sites=16).value == 1.0
    for p in (1, 5, 16):
        most = maximal_covering(asked, 1.0, sites=p)
        assert (most.value, most.status) == (8.0 * p, "optimal")


def test_lines_of_the_fano_plane() -> None:
    # Seven points and seven lines, three on each; any two points are on one line. Two lines cover 5, three cover 6 or 7
    # (through one point: 7), worked out by hand.
    lines = [(0, 1, 2), (0, 3, 4), (0, 5, 6), (1, 3, 5), (1, 4, 6), (2, 3, 6), (2, 4, 5)]
    costs = np.full((7, 7), math.inf)
    for j, line in enumerate(lines):
        costs[list(line), j] = 1.0
    asked = question_of(np.ones(7), costs)
    assert [maximal_covering(asked, 1.0, sites=p).value for p in (1, 2, 3)] == [3.0, 5.0, 7.0]
    assert set_covering(asked, 1.0).value == 3.0


def test_a_path_of_equal_people_by_hand() -> None:
    # Fifteen points one apart: p medians stand in the middle of p equal runs, the sum of a run of 2k + 1 being k(k + 1).
    costs = abs(np.arange(15.0)[:, None] - np.arange(15.0))
    asked = question_of(np.ones(15), costs)
    for p, run in ((1, 15), (3, 5), (5, 3)):
        k = (run - 1) // 2
        assert p_median(asked, sites=p).value == p * k * (k + 1)
        assert p_centre(asked, sites=p).value == k
        assert set_covering(asked, float(k)).value == p

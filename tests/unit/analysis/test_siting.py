"""Siting against every choice there is, on small questions with existing, forbidden and priced sites."""

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import linprog

from analysis.core.siting import branch as branching
from analysis.core.siting import search as searching
from analysis.core.siting.allocation import allocation_of, cost_of, is_affordable
from analysis.core.siting.branch import branched
from analysis.core.siting.capacitated import capacitated_covering
from analysis.core.siting.centre import p_centre
from analysis.core.siting.covering import maximal_covering, set_covering
from analysis.core.siting.curve import GREEDY_SHARE, covering_curve
from analysis.core.siting.interchange import improved
from analysis.core.siting.lagrangian import ascend, begin, ruled_out
from analysis.core.siting.median import p_median
from analysis.core.siting.question import Question, question_of
from analysis.core.siting.radius import by_solver
from analysis.core.siting.result import Siting
from analysis.core.siting.solver import now
from geo.errors import InvalidInput

INF = math.inf
T = 3.0
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


@st.composite
def asked(draw: st.DrawFn, with_capacities: bool = False) -> tuple[Question, int | None, int | None]:
    """A small question and its limits: a number, a budget, or both."""
    n, m = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    costs = draw(st.lists(st.sampled_from([0.0, 1, 2, 3, 4, 5, 7, INF]), min_size=n * m, max_size=n * m))
    states = draw(st.lists(st.sampled_from("cccef"), min_size=m, max_size=m))
    free = states.count("c")
    prices = draw(st.lists(st.integers(0, 6), min_size=m, max_size=m))
    least = min((c for c, s in zip(prices, states, strict=True) if s == "c"), default=0)
    sites = draw(st.none() | st.integers(0, free))
    budget = draw(st.integers(least, 20) if sites is None else st.none() | st.integers(least, 20))
    capacities = draw(st.lists(st.sampled_from([0.0, 2, 3, 5, INF]), min_size=m, max_size=m))
    question = question_of(
        draw(st.lists(st.integers(0, 5), min_size=n, max_size=n)),
        np.array(costs).reshape(n, m),
        priority=draw(st.lists(st.sampled_from([0.5, 1.0, 2.0]), min_size=n, max_size=n)),
        existing=[j for j, s in enumerate(states) if s == "e"],
        forbidden=[j for j, s in enumerate(states) if s == "f"],
        site_costs=prices,
        capacities=capacities if with_capacities else None,
    )
    return question, sites, budget


def dense(question: Question) -> Any:
    costs = np.full((question.size, question.n_sites), INF)
    costs[question.demand, question.site] = question.cost
    return costs


def choices(question: Question, sites: int | None, budget: int | None) -> Iterator[tuple[int, ...]]:
    """Every choice within the limits."""
    assert question.site_costs is not None
    for size in range(question.candidates.size + 1):
        for chosen in itertools.combinations(question.candidates.tolist(), size):
            spent = sum(int(question.site_costs[j]) for j in chosen)
            if (sites is None or size <= sites) and (budget is None or spent <= budget):
                yield chosen


def to_nearest(question: Question, chosen: tuple[int, ...]) -> Any:
    """The cost of each point to its nearest site, existing ones included."""
    is_open = [*np.flatnonzero(question.is_existing).tolist(), *chosen]
    return dense(question)[:, is_open].min(axis=1, initial=INF)


def check(question: Question, found: Siting, sites: int | None, budget: int | None) -> None:
    """What holds of every result."""
    assert found.status == "optimal"
    assert tuple(found.chosen.tolist()) in set(choices(question, sites, budget))
    assert question.site_costs is not None
    assert found.spent == sum(question.site_costs[found.chosen].tolist())
    people, weight = question.people.sum(), question.weight.sum()
    assert found.people_before + found.people_new + found.people_uncovered == pytest.approx(people, abs=1e-5)
    assert found.weight_before + found.weight_new + found.weight_uncovered == pytest.approx(weight, abs=1e-5)
    assert not np.isnan(found.served_share).any()
    served = np.bincount(found.flow_demand, weights=found.flow_people, minlength=question.size)
    assert served == pytest.approx(found.served_share * question.people, abs=1e-5)
    assert found.is_open[found.flow_site].all()
    on = found.server >= 0
    assert found.server_cost[on] == pytest.approx(dense(question)[on, found.server[on]])
    assert np.isinf(found.server_cost[~on]).all()


@FEW
@given(asked())
def test_maximal_covering_is_the_best_of_all_choices(case: tuple[Question, int | None, int | None]) -> None:
    question, sites, budget = case
    found = maximal_covering(question, T, sites=sites, budget=budget)
    check(question, found, sites, budget)
    before = question.weight[to_nearest(question, ()) <= T].sum()
    best = max(question.weight[to_nearest(question, c) <= T].sum() for c in choices(question, sites, budget)) - before
    assert found.value == found.weight_new == pytest.approx(best, abs=1e-9)
    assert found.weight_before == pytest.approx(before)
    assert found.bound >= found.value
    # Whoever is covered goes to the nearest open site.
    way = to_nearest(question, tuple(found.chosen.tolist()))
    assert found.server_cost.tolist() == np.where(way <= T, way, INF).tolist()
    # Without any one of them less is covered.
    for j in found.chosen.tolist():
        fewer = to_nearest(question, tuple(k for k in found.chosen.tolist() if k != j))
        assert question.weight[fewer <= T].sum() - before < found.value


@FEW
@given(asked())
def test_set_covering_has_the_fewest_sites_of_all_choices(case: tuple[Question, int | None, int | None]) -> None:
    question, sites, budget = case
    is_needy = question.weight > 0
    everything = tuple(question.candidates.tolist())
    lost = np.flatnonzero(is_needy & (to_nearest(question, everything) > T))
    is_needy[lost] = False
    fits = [c for c in choices(question, sites, budget) if (to_nearest(question, c)[is_needy] <= T).all()]

    def ask(unreachable: Any) -> Siting:
        return set_covering(question, T, unreachable=unreachable, sites=sites, budget=budget)

    if lost.size:
        with pytest.raises(InvalidInput) as refused:
            ask("refuse")
        assert refused.value.code == "demand_out_of_reach"
        assert refused.value.details["demand"] == [str(i) for i in lost.tolist()]
    if not fits:
        with pytest.raises(InvalidInput) as refused:
            ask("leave_out")
        fewest = min(len(c) for c in choices(question, None, None) if (to_nearest(question, c)[is_needy] <= T).all())
        if sites is not None and fewest > sites:
            assert (refused.value.code, refused.value.details["needed"]) == ("too_few_sites", fewest)
        else:
            assert refused.value.code == "too_little_money"
            spend = [c for c in choices(question, sites, None) if (to_nearest(question, c)[is_needy] <= T).all()]
            assert question.site_costs is not None
            least = min(sum(int(question.site_costs[j]) for j in c) for c in spend)
            assert refused.value.details["needed"] == least
        return
    found = ask("leave_out")
    check(question, found, sites, budget)
    assert found.left_out.tolist() == lost.tolist()
    assert (found.server_cost[is_needy] <= T).all()
    assert found.value == found.bound == min(len(c) for c in fits)


@FEW
@given(asked(), st.sampled_from([None, 0.0, 2.5, 6.0]))
def test_the_median_costs_least_of_all_choices(
    case: tuple[Question, int | None, int | None], penalty: float | None
) -> None:
    question, sites, budget = case
    is_needy = question.weight > 0
    limit = INF if penalty is None else penalty

    def paid(chosen: tuple[int, ...]) -> float:
        way = np.minimum(to_nearest(question, chosen), limit)[is_needy]
        return float((question.weight[is_needy] * way).sum())

    best = min(paid(c) for c in choices(question, sites, budget))
    if math.isinf(best):
        with pytest.raises(InvalidInput) as refused:
            p_median(question, sites=sites, budget=budget, penalty=penalty)
        assert refused.value.code in ("demand_out_of_reach", "too_few_sites", "too_little_money")
        return
    found = p_median(question, sites=sites, budget=budget, penalty=penalty)
    check(question, found, sites, budget)
    assert found.value == pytest.approx(best, abs=1e-9)
    assert paid(tuple(found.chosen.tolist())) == pytest.approx(best, abs=1e-9)
    assert found.bound <= found.value
    if penalty is None:
        assert np.isfinite(found.server_cost[is_needy]).all()


@FEW
@given(asked())
def test_the_centre_has_the_least_largest_cost_of_all_choices(
    case: tuple[Question, int | None, int | None],
) -> None:
    question, sites, budget = case
    is_needy = question.weight > 0
    lost = np.flatnonzero(is_needy & np.isinf(to_nearest(question, tuple(question.candidates.tolist()))))
    is_needy[lost] = False
    best = min(to_nearest(question, c)[is_needy].max(initial=0.0) for c in choices(question, sites, budget))
    if math.isinf(best):
        with pytest.raises(InvalidInput) as refused:
            p_centre(question, sites=sites, budget=budget, unreachable="leave_out")
        assert refused.value.code in ("too_few_sites", "too_little_money")
        return
    found = p_centre(question, sites=sites, budget=budget, unreachable="leave_out")
    check(question, found, sites, budget)
    assert found.value == found.bound == best
    assert found.server_cost[is_needy].max(initial=0.0) == best
    assert found.left_out.tolist() == lost.tolist()


def served_at_most(question: Question, is_open: list[int], may_split: bool) -> float:
    """The most weight that open sites serve: a linear programme of its own, or every assignment."""
    assert question.capacities is not None
    costs, room = dense(question), question.capacities
    pairs = [(i, j) for i in range(question.size) for j in is_open if costs[i, j] <= T]
    if may_split:
        if not pairs:
            return 0.0
        points, at = sorted({i for i, _ in pairs}), [j for j in is_open if math.isfinite(room[j])]
        rows = [[float(i == k) for i, _ in pairs] for k in points] + [[float(j == k) for _, j in pairs] for k in at]
        most = [question.people[k] for k in points] + [room[k] for k in at]
        return -float(linprog([-question.priority[i] for i, _ in pairs], A_ub=rows, b_ub=most).fun)
    options = [[None, *(j for k, j in pairs if k == i)] for i in range(question.size)]
    best = 0.0
    for plan in itertools.product(*options):
        load = {j: sum(question.people[i] for i, k in enumerate(plan) if k == j) for j in is_open}
        if all(load[j] <= room[j] for j in is_open):
            best = max(best, sum(question.weight[i] for i, k in enumerate(plan) if k is not None))
    return best


@settings(FEW, max_examples=40)
@given(asked(with_capacities=True), st.booleans())
def test_capacitated_covering_is_the_best_of_all_choices(
    case: tuple[Question, int | None, int | None], may_split: bool
) -> None:
    question, sites, budget = case
    existing = np.flatnonzero(question.is_existing).tolist()
    before = served_at_most(question, existing, may_split)
    best = max(served_at_most(question, [*existing, *c], may_split) for c in choices(question, sites, budget))
    found = capacitated_covering(question, T, sites=sites, budget=budget, may_split=may_split)
    check(question, found, sites, budget)
    assert found.weight_before == pytest.approx(before, abs=1e-5)
    assert found.value == pytest.approx(best - before, abs=1e-5)
    load = np.bincount(found.flow_site, weights=found.flow_people, minlength=question.n_sites)
    assert question.capacities is not None
    assert (load <= question.capacities * (1 + 1e-6)).all()
    assert (dense(question)[found.flow_demand, found.flow_site] <= T).all()
    if not may_split:
        assert set(np.round(found.served_share, 9).tolist()) <= {0.0, 1.0}
        assert np.unique(found.flow_demand).size == found.flow_demand.size


@settings(FEW, max_examples=40)
@given(asked())
def test_the_curve_is_the_best_for_each_number(case: tuple[Question, int | None, int | None]) -> None:
    question, _, _ = case
    most = question.candidates.size
    curve = covering_curve(question, T, most)
    before = question.weight[to_nearest(question, ()) <= T].sum()
    last = 0.0
    for p, point in enumerate(curve.points, 1):
        best = max(question.weight[to_nearest(question, c) <= T].sum() for c in choices(question, p, None)) - before
        assert point.weight == pytest.approx(best)
        assert (point.status, point.sites) == ("optimal", p)
        assert point.adds_weight == pytest.approx(point.weight - last)
        assert point.adds_weight >= 0
        last = point.weight
        if curve.order.size:
            greedy = curve.order_weight[min(p, curve.order.size) - 1]
            assert GREEDY_SHARE * point.weight <= greedy + 1e-9 <= point.weight + 2e-9
    if curve.points:
        assert curve.points[-1].weight == pytest.approx(curve.coverable_weight)
    chosen_before: set[int] = set()
    for point in curve.points:
        assert point.is_nested == (chosen_before <= set(point.chosen.tolist()))
        chosen_before = set(point.chosen.tolist())


def random_allocation(seed: int, with_budget: bool, n: int = 25, m: int = 9, must: int = 0) -> Any:
    """Rows with some offers; integer costs, so that ties abound. The first rows must be served."""
    rng = np.random.default_rng(seed)
    row, site = np.nonzero(rng.random((n, m)) < 0.6)
    cost = rng.integers(0, 12, row.size).astype(float)
    price = rng.integers(1, 9, m)
    fallback = np.where(np.arange(n) < must, INF, rng.integers(5, 15, n).astype(float))
    return allocation_of(row, site, cost, fallback, price, 4, 11 if with_budget else None)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("with_budget", [False, True])
def test_bounds_and_branching_agree_with_every_choice(seed: int, with_budget: bool) -> None:
    asked = random_allocation(seed, with_budget)
    every = [np.array(bits, dtype=bool) for bits in itertools.product([False, True], repeat=asked.n_sites)]
    allowed = [c for c in every if is_affordable(asked, c)]
    values = [cost_of(asked, c) for c in allowed]
    best = min(values)
    start = np.zeros(asked.n_sites, bool)
    ascent = begin(asked, start)
    ascend(asked, ascent, best, 300)
    assert ascent.bound <= best + 1e-9
    assert ascent.bound > 0.8 * best
    # What is ruled out below a cost is in no choice below that cost.
    upper = best * 1.02
    closed, certain, offers = ruled_out(asked, ascent, upper)
    row = np.repeat(np.arange(asked.fallback.size), np.diff(asked.first))
    for choice, value in zip(allowed, values, strict=True):
        if value < upper:
            assert not (choice & closed).any()
            assert choice[certain].all()
            paid = asked.fallback.copy()
            np.minimum.at(paid, row[choice[asked.site]], asked.cost[choice[asked.site]])
            gone = offers & choice[asked.site]
            # A row may take another offer of the same cost, but none is taken that was ruled out alone.
            for at in np.flatnonzero(gone & (asked.cost == paid[row])):
                same = choice[asked.site] & (row == row[at]) & (asked.cost == paid[row[at]])
                assert (~offers[same]).any()
    # Branching alone, from a choice that is far off.
    ascent = begin(asked, start)
    ascend(asked, ascent, cost_of(asked, start), 5)
    chosen, value, bound = branched(asked, ascent, start, cost_of(asked, start), INF)
    assert (value, cost_of(asked, chosen)) == (best, best)
    assert best * (1 - 1e-8) <= bound <= best
    assert is_affordable(asked, chosen)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("with_budget", [False, True])
def test_the_solver_finds_the_best_choice_that_serves_all_who_must_be(seed: int, with_budget: bool) -> None:
    asked = random_allocation(seed, with_budget, must=8)
    every = [np.array(bits, dtype=bool) for bits in itertools.product([False, True], repeat=asked.n_sites)]
    best = min(cost_of(asked, c) for c in every if is_affordable(asked, c))
    found, bound = by_solver(asked, now() + 60)
    if math.isinf(best):
        assert found is None
        assert math.isinf(bound)
    else:
        assert found is not None
        assert is_affordable(asked, found)
        assert cost_of(asked, found) == best
        assert bound == pytest.approx(best)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("with_budget", [False, True])
def test_no_single_opening_or_exchange_betters_what_interchange_ends_with(seed: int, with_budget: bool) -> None:
    asked = random_allocation(seed, with_budget, 40, 14)
    begun = np.zeros(14, bool)
    begun[[0]] = True
    total, found = improved(asked, begun)
    assert total == pytest.approx(cost_of(asked, found))
    assert total < cost_of(asked, begun)
    for into in np.flatnonzero(~found):
        for out in [None, *np.flatnonzero(found)]:
            other = found.copy()
            other[into] = True
            if out is not None:
                other[out] = False
            if is_affordable(asked, other):
                assert cost_of(asked, other) >= total - 1e-9
    assert begun.sum() == 1


def test_branching_that_is_cut_off_proves_no_more_than_it_did(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = random_allocation(3, False, 60, 20)
    best = searching.search(asked, INF).value
    start = np.zeros(20, bool)
    ascent = begin(asked, start)
    ascend(asked, ascent, cost_of(asked, start), 3)
    low = ascent.bound
    bounds = []
    for turns in (1, 4, 16):
        clock = iter([0.0] * turns)
        monkeypatch.setattr(branching, "now", lambda clock=clock: next(clock, 2.0))
        _, value, bound = branched(asked, ascent, start, cost_of(asked, start), 1.0)
        assert low <= bound <= best <= value
        bounds.append(bound)
    assert bounds[0] < best * (1 - 1e-6)
    assert bounds == sorted(bounds)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("with_budget", [False, True])
def test_branching_and_highs_prove_the_same(monkeypatch: pytest.MonkeyPatch, seed: int, with_budget: bool) -> None:
    asked = random_allocation(100 + seed, with_budget, 60, 18)
    values = []
    for small in (0, 10**9):
        monkeypatch.setattr(searching, "_SMALL", small)
        found = searching.search(asked, INF if not small else now() + 60)
        assert found.bound >= found.value * (1 - 1e-8)
        values.append(found.value)
    assert values[0] == values[1]


def test_the_same_question_gets_the_same_answer_and_numbering_does_not_change_its_value() -> None:
    rng = np.random.default_rng(5)
    costs, people = rng.random((60, 15)).round(2), rng.integers(1, 50, 60)
    first, second = (p_median(question_of(people, costs), sites=4) for _ in range(2))
    assert first.chosen.tolist() == second.chosen.tolist()
    assert first.value == second.value
    rows, cols = rng.permutation(60), rng.permutation(15)
    other = p_median(question_of(people[rows], costs[rows][:, cols]), sites=4)
    assert other.value == pytest.approx(first.value)
    covered = [maximal_covering(question_of(w, c), 0.1, sites=3).value
               for w, c in ((people, costs), (people[rows], costs[rows][:, cols]))]  # fmt: skip
    assert covered[0] == covered[1]


def test_sparse_costs_are_the_same_question_as_dense_ones_and_a_stored_zero_is_a_cost() -> None:
    costs = np.array([[0.0, 2.0, INF], [INF, 0.0, 5.0], [1.0, INF, 0.0]])
    row, col = np.nonzero(np.isfinite(costs))
    stored = sparse.coo_array((costs[row, col], (row, col)), shape=(3, 3))
    for matrix in (stored, stored.tocsr(), stored.tocsc()):
        one, two = question_of([1, 2, 3], costs), question_of([1, 2, 3], matrix)
        for name in ("first", "site", "cost"):
            assert getattr(one, name).tolist() == getattr(two, name).tolist()
    assert p_median(question_of([1, 2, 3], stored), sites=3).value == 0.0


def test_a_search_that_is_cut_off_is_not_called_optimal() -> None:
    rng = np.random.default_rng(3)
    at, sites = rng.random((900, 2)), rng.random((120, 2))
    costs = np.hypot(*(at[:, None] - sites).transpose(2, 0, 1))
    question = question_of(rng.integers(1, 50, 900), costs)
    hurried = p_median(question, sites=20, time_limit_s=1e-6)
    assert hurried.status != "optimal"
    assert 0 <= hurried.bound < hurried.value
    assert hurried.gap > 1e-6
    proven = p_median(question, sites=20, time_limit_s=60)
    assert hurried.bound <= proven.value <= hurried.value
    assert hurried.gap == pytest.approx((hurried.value - hurried.bound) / hurried.bound if hurried.bound else INF)


@pytest.mark.parametrize("seed", range(3))
def test_answers_that_are_cut_off_lie_on_both_sides_of_the_best(seed: int) -> None:
    rng = np.random.default_rng(seed)
    at, sites = rng.random((150, 2)), rng.random((25, 2))
    costs = np.hypot(*(at[:, None] - sites).transpose(2, 0, 1))
    question = question_of(
        rng.integers(1, 50, 150),
        costs,
        existing=[0],
        capacities=rng.integers(100, 500, 25),
        site_costs=rng.integers(1, 9, 25),
    )
    reach = float(np.sort(costs, axis=1)[:, 3].max())
    asks: list[Callable[[float], Siting]] = [
        lambda s: set_covering(question, reach, time_limit_s=s),
        lambda s: p_centre(question, sites=6, time_limit_s=s),
        lambda s: p_median(question, budget=20, time_limit_s=s),
        lambda s: maximal_covering(question, 0.2, sites=5, time_limit_s=s),
        lambda s: capacitated_covering(question, 0.2, sites=5, time_limit_s=s),
        lambda s: capacitated_covering(question, 0.2, budget=20, time_limit_s=s),
    ]
    for ask in asks:
        hurried, best = ask(1e-9), ask(60)
        assert best.status == "optimal"
        low, high = sorted((hurried.value, hurried.bound))
        assert low - 1e-6 <= best.value <= high + 1e-6
        assert hurried.weight_before == pytest.approx(best.weight_before)
        assert hurried.status == "optimal" or hurried.gap > 1e-6
        # Even greed is worth something.
        assert hurried.value == pytest.approx(best.value, rel=0.5)


def test_a_budget_holds_to_the_last_unit() -> None:
    # Two sites cost one rial more than there is, of a million millions: no tolerance lets that pass.
    half = 500_000_000_001
    question = question_of([5, 5, 4], np.where(np.eye(3), 0.0, INF), site_costs=[half, half, half - 2])
    found = maximal_covering(question, 1.0, budget=2 * half - 1)
    assert found.spent == 2 * half - 2
    assert (found.value, found.status) == (9.0, "optimal")
    rng = np.random.default_rng(0)
    many = question_of(
        rng.integers(1, 9, 12), np.where(np.eye(12), 0.0, INF), site_costs=rng.integers(10**11, 2 * 10**11, 12)
    )
    assert many.site_costs is not None
    for money in (7 * 10**11, 10**12):
        spent = maximal_covering(many, 1.0, budget=money)
        best = max(
            many.people[list(c)].sum()
            for k in range(13)
            for c in itertools.combinations(range(12), k)
            if sum(many.site_costs[list(c)].tolist()) <= money
        )
        assert spent.spent is not None
        assert spent.spent <= money
        assert spent.value == best


def test_nothing_to_do_is_an_answer() -> None:
    empty = question_of([], np.zeros((0, 2)))
    assert maximal_covering(empty, T, sites=1).value == 0
    assert p_median(empty, sites=1).status == "optimal"
    assert p_centre(empty, sites=1).value == 0
    assert set_covering(empty, T).chosen.tolist() == []
    assert [p.weight for p in covering_curve(empty, T, 2).points] == [0, 0]
    nowhere = question_of([3.0], np.zeros((1, 0)))
    assert maximal_covering(nowhere, T, sites=0).people_uncovered == 3
    assert p_median(nowhere, sites=0, penalty=7.0).value == 21
    out_of_reach = question_of([3.0], [[9.0]], capacities=[5.0])
    assert maximal_covering(out_of_reach, T, sites=1).chosen.tolist() == []
    assert capacitated_covering(out_of_reach, T, sites=1).status == "optimal"


COSTS = [[1.0, 9.0], [9.0, 1.0]]


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: question_of([1, -1], COSTS), "bad_amount"),
        (lambda: question_of([1, math.nan], COSTS), "bad_amount"),
        (lambda: question_of([1, 1e300], COSTS), "bad_amount"),
        (lambda: question_of([1], COSTS), "length_mismatch"),
        (lambda: question_of([1, 1], [[1.0, math.nan], [1.0, 1.0]]), "bad_cost"),
        (lambda: question_of([1, 1], [[1.0, -1.0], [1.0, 1.0]]), "bad_cost"),
        (lambda: question_of([1, 1], "near"), "not_numbers"),
        (lambda: question_of([1, 1], COSTS, priority=[1]), "length_mismatch"),
        (lambda: question_of([1, 1], COSTS, existing=[2]), "no_such_site"),
        (lambda: question_of([1, 1], COSTS, existing=[-1]), "no_such_site"),
        (lambda: question_of([1, 1], COSTS, existing=[0.5]), "not_whole"),  # type: ignore[list-item]
        (lambda: question_of([1, 1], COSTS, existing=[0], forbidden=[0]), "existing_and_forbidden"),
        (lambda: question_of([1, 1], COSTS, site_costs=[1.5, 2.5]), "not_whole"),  # type: ignore[list-item]
        (lambda: question_of([1, 1], COSTS, site_costs=[1, -2]), "bad_amount"),
        (lambda: question_of([1, 1], COSTS, site_costs=[1]), "length_mismatch"),
        (lambda: question_of([1, 1], COSTS, site_costs=[2**61, 2**62]), "not_whole"),
        (lambda: question_of([1, 1], COSTS, capacities=[1, -2]), "bad_amount"),
        (lambda: question_of([1], sparse.coo_array(([1.0, 2.0], ([0, 0], [0, 0])), shape=(1, 1))), "duplicate_pair"),
        (lambda: question_of([1], sparse.coo_array(([-1.0], ([0], [0])), shape=(1, 1))), "bad_cost"),
        (lambda: maximal_covering(question_of([1, 1], COSTS), T), "no_limit"),
        (lambda: maximal_covering(question_of([1, 1], COSTS), T, sites=3), "too_many_sites"),
        (lambda: maximal_covering(question_of([1, 1], COSTS), T, sites=-1), "bad_limit"),
        (lambda: maximal_covering(question_of([1, 1], COSTS), T, sites=1.5), "bad_limit"),  # type: ignore[arg-type]
        (lambda: maximal_covering(question_of([1, 1], COSTS), T, budget=9), "no_site_costs"),
        (lambda: maximal_covering(question_of([1, 1], COSTS, site_costs=[4, 5]), T, budget=3), "budget_too_small"),
        (lambda: maximal_covering(question_of([1, 1], COSTS), math.nan, sites=1), "bad_threshold"),
        (lambda: maximal_covering(question_of([1, 1], COSTS), T, sites=1, time_limit_s=0), "bad_time_limit"),
        (lambda: set_covering(question_of([1, 1], COSTS), 0.5), "demand_out_of_reach"),
        (lambda: set_covering(question_of([1, 1], COSTS), T, unreachable="perhaps"), "bad_choice"),  # type: ignore[arg-type]
        (lambda: set_covering(question_of([1, 1], COSTS), T, sites=1), "too_few_sites"),
        (lambda: set_covering(question_of([1, 1], COSTS, site_costs=[2, 2]), T, budget=3), "too_little_money"),
        (lambda: p_median(question_of([1, 1], [[1.0, INF], [INF, INF]]), sites=1), "demand_out_of_reach"),
        (lambda: p_median(question_of([1, 1], [[1.0, INF], [INF, 1]]), sites=1), "too_few_sites"),
        (lambda: p_median(question_of([1, 1], COSTS), sites=1, penalty=-1.0), "bad_penalty"),
        (lambda: p_centre(question_of([1, 1], [[1.0, INF], [INF, 1]]), sites=1), "too_few_sites"),
        (lambda: p_centre(question_of([1, 1], [[1.0, INF], [INF, INF]]), sites=1), "demand_out_of_reach"),
        (lambda: capacitated_covering(question_of([1, 1], COSTS), T, sites=1), "no_capacities"),
        (lambda: covering_curve(question_of([1, 1], COSTS), T, 3), "too_many_sites"),
    ],
)
def test_what_cannot_be_is_refused_in_words(make: Any, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        make()
    assert refused.value.code == code
    assert refused.value.message.endswith(".")
    assert refused.value.remedy.endswith(".")
    assert refused.value.where


def test_forbidden_sites_that_leave_demand_out_of_reach_are_named() -> None:
    question = question_of([1, 1], COSTS, forbidden=[1])
    with pytest.raises(
        InvalidInput, match="Demand point 1 is within reach of forbidden sites only, such as site 1"
    ) as refused:
        set_covering(question, T)
    assert refused.value.details["demand"] == ["1"]
    left = set_covering(question, T, unreachable="leave_out")
    assert (left.chosen.tolist(), left.left_out.tolist(), left.people_uncovered) == ([0], [1], 1.0)

"""Moran's I, global and local, against esda, every permutation of small cases, and data without any pattern."""

import csv
import sys
import warnings
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from analysis.core.neighbours import Neighbours, neighbours_of
from analysis.core.pattern import KINDS, false_discovery, local_moran, moran
from geo.errors import InvalidInput

#: Five in a row, one pair apart and an island.
LINKS = [(0, 1), (1, 2), (2, 3), (3, 4), (5, 6)]


def board(side: int) -> Neighbours:
    number = np.arange(side * side).reshape(side, side)
    across = np.column_stack((number[:, :-1].ravel(), number[:, 1:].ravel()))
    down = np.column_stack((number[:-1].ravel(), number[1:].ravel()))
    return neighbours_of(side * side, np.r_[across, down])


@pytest.fixture(scope="module")
def st_louis() -> tuple[np.ndarray, object, Neighbours]:
    """Homicide rates of 78 counties, as libpysal ships them."""
    import libpysal

    lines = Path(libpysal.examples.get_path("stl.gal")).read_text(encoding="utf-8").splitlines()
    pairs = zip(lines[1::2], lines[2::2], strict=True)
    near = {int(head.split()[0]) - 1: [int(n) - 1 for n in line.split()] for head, line in pairs}
    with Path(libpysal.examples.get_path("stl_hom.csv")).open(encoding="utf-8", newline="") as file:
        values = np.array([float(row["HR8893"]) for row in csv.DictReader(file)])
    links = [(one, other) for one, others in near.items() for other in others]
    return values, libpysal.weights.W(near), neighbours_of(78, links)


def test_all_places_as_esda(st_louis: tuple) -> None:
    import esda

    values, graph, neighbours = st_louis
    peer, found = esda.Moran(values, graph, permutations=0), moran(values, neighbours, permutations=9999)
    assert found.i == pytest.approx(peer.I, rel=1e-12)
    assert round(found.i, 3) == 0.244  # As documented by esda.
    assert found.expected == pytest.approx(peer.EI)
    assert found.z == pytest.approx(peer.z_rand, rel=1e-9)
    assert found.p_analytic == pytest.approx(peer.p_rand, rel=1e-6)
    assert found.p_permuted < 0.01
    assert found.places == 78


def test_each_place_as_esda(st_louis: tuple, monkeypatch: pytest.MonkeyPatch) -> None:
    import esda
    from esda import crand, significance

    # As Python: to compile them takes half a minute each time.
    for module, name in ((crand, "compute_chunk"), (crand, "vec_permutations"), (crand, "_prepare_univariate")):
        monkeypatch.setattr(module, name, getattr(module, name).py_func)
    monkeypatch.setattr(crand, "boolean", np.bool_)
    plain = significance._permutation_significance.py_func
    for module in (crand, significance):
        monkeypatch.setattr(module, "_permutation_significance", plain, raising=False)
    moran_module = sys.modules["esda.moran"]
    monkeypatch.setattr(moran_module, "_moran_local_crand", moran_module._moran_local_crand.py_func)
    monkeypatch.setattr(moran_module, "_prepare_univariate", crand._prepare_univariate)
    values, graph, neighbours = st_louis
    with warnings.catch_warnings():
        # Its next version will double p, as is done here.
        warnings.simplefilter("ignore", DeprecationWarning)
        peer = esda.Moran_Local(values, graph, permutations=9999, seed=1)
    found = local_moran(values, neighbours, seed=2)
    np.testing.assert_allclose(found.i, peer.Is, atol=1e-12)
    np.testing.assert_array_equal(found.kind, peer.q)
    # Both estimate the same with 9,999 draws: 0.05 is more than four standard errors of 2 p.
    np.testing.assert_allclose(found.p, np.minimum(2 * peer.p_sim, 1), atol=0.05)
    assert np.corrcoef(np.log(found.p), np.log(peer.p_sim))[0, 1] > 0.99


@given(hnp.arrays(np.float64, 16, elements=st.integers(0, 9).map(float)))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_random_values_as_esda(values: np.ndarray) -> None:
    import esda
    import libpysal

    if np.ptp(values) == 0:
        return
    graph = libpysal.weights.lat2W(4, 4)
    peer, local = esda.Moran(values, graph, permutations=0), esda.Moran_Local(values, graph, permutations=0)
    found, each = moran(values, board(4), permutations=9), local_moran(values, board(4), permutations=9)
    assert found.i == pytest.approx(peer.I, abs=1e-12)
    if peer.VI_rand > 1e-9:
        assert found.z == pytest.approx(peer.z_rand, abs=1e-6)
    np.testing.assert_allclose(each.i, local.Is, atol=1e-12)
    # A mean of neighbours that is the mean of all may lie on either side by rounding.
    lag = np.asarray(board(4).weights @ (values - values.mean()))
    sure = (np.abs(lag) > 1e-9) & (np.abs(values - values.mean()) > 1e-9)
    np.testing.assert_array_equal(each.kind[sure], local.q[sure])


def test_the_pseudo_p_is_that_of_all_permutations() -> None:
    values = np.array([1.0, 2.0, 4.0, 9.0, 7.0, 3.0, 5.0])
    neighbours = neighbours_of(7, LINKS)
    z = values - values.mean()
    dense = neighbours.weights.toarray()
    chance = np.array([z[list(turn)] @ dense @ z[list(turn)] for turn in permutations(range(7))])
    own = z @ dense @ z
    exact = min(1, 2 * min((chance >= own - 1e-9).mean(), (chance <= own + 1e-9).mean()))
    found = moran(values, neighbours, seed=3, permutations=20_000)
    assert found.p_permuted == pytest.approx(exact, abs=0.02)
    local = local_moran(values, neighbours, seed=3, permutations=20_000)
    for place in range(7):
        near = np.flatnonzero(dense[place])
        means = np.array(
            [z[list(some)].mean() for some in permutations([k for k in range(7) if k != place], len(near))]
        )
        lag = z[near].mean()
        exact = min(1, 2 * min((means >= lag - 1e-9).mean(), (means <= lag + 1e-9).mean()))
        assert local.p[place] == pytest.approx(exact, abs=0.02)


def test_the_same_seed_gives_the_same_numbers_and_another_one_others() -> None:
    values = np.random.default_rng(4).random(25)
    one, same, other = (local_moran(values, board(5), seed=seed, permutations=499) for seed in (7, 7, 8))
    assert one.p.tobytes() == same.p.tobytes()
    assert one.p.tobytes() != other.p.tobytes()
    assert moran(values, board(5), seed=7) == moran(values, board(5), seed=7)


def test_a_corner_of_high_values_is_found_and_survives_correction() -> None:
    values = np.random.default_rng(5).normal(0, 1, (12, 12))
    values[:4, :4] += 4
    found = local_moran(values.ravel(), board(12), permutations=19_999)
    kinds = found.significant().reshape(12, 12)
    # The corner itself has two neighbours only, which chance too finds high now and then.
    assert (kinds[1:3, 1:3] == KINDS.index("high-high")).all()
    # Of 36 places without pattern, one false discovery would be among the 5 % that are allowed.
    assert (kinds[6:, 6:] > 0).sum() <= 1
    assert (found.significant(0.05, "bonferroni").reshape(12, 12)[6:, 6:] == 0).all()
    assert (found.p <= found.p_false_discovery).all()
    assert (found.p_false_discovery <= found.p_bonferroni + 1e-15).all()
    few = found.significant(0.01, "bonferroni")
    assert set(np.flatnonzero(few).tolist()) < set(np.flatnonzero(found.significant(0.05, "none")).tolist())
    assert moran(values.ravel(), board(12)).p_permuted == 2 / 1000


def test_without_pattern_correction_keeps_its_promise() -> None:
    """120 boards of chance: raw p calls about one place of twenty significant, corrected p finds any on few boards."""
    rng = np.random.default_rng(6)
    near = board(7)
    found = [local_moran(rng.normal(size=49), near, seed=seed, permutations=1999) for seed in range(120)]
    raw = np.mean([(one.p <= 0.05).mean() for one in found])
    assert 0.03 < raw < 0.06
    # The binomial chance of more than 13 of 120 at 5 % is 0.4 %.
    for correction in ("false-discovery", "bonferroni"):
        assert sum(one.significant(0.05, correction).any() for one in found) <= 13
    p = [moran(rng.normal(size=49), near, seed=seed, permutations=199).p_permuted for seed in range(120)]
    assert np.mean(np.array(p) <= 0.1) < 0.2
    assert 0.4 < np.mean(p) < 0.6


@given(hnp.arrays(np.float64, st.integers(1, 12), elements=st.floats(0, 1)))
@settings(derandomize=True, deadline=None)
def test_false_discoveries_as_scipy(p: np.ndarray) -> None:
    np.testing.assert_allclose(false_discovery(p), stats.false_discovery_control(p), atol=1e-12)


def test_missing_places_and_islands_are_told_and_do_not_matter() -> None:
    """Place 2 has no value: 0, 1 and 3, 4 stay pairs; 7 is an island that counts in the mean."""
    values = np.array([1.0, 2.0, np.nan, 9.0, 7.0, 3.0, 5.0, 4.0])
    found = local_moran(values, neighbours_of(8, LINKS), permutations=99)
    assert found.is_tested.tolist() == [True, True, False, True, True, True, True, False]
    for place in (2, 7):
        assert (found.i[place], found.kind[place], found.p[place], found.p_bonferroni[place]) == (0, 0, 1, 1)
    without = local_moran(np.delete(values, 2), neighbours_of(7, [(0, 1), (2, 3), (4, 5)]), permutations=99)
    np.testing.assert_allclose(np.delete(found.i, 2), without.i)
    np.testing.assert_array_equal(np.delete(found.p, 2), without.p)
    everywhere = moran(values, neighbours_of(8, LINKS))
    assert everywhere.places == 7
    assert everywhere == moran(np.delete(values, 2), neighbours_of(7, [(0, 1), (2, 3), (4, 5)]))


@given(
    hnp.arrays(np.float64, 9, elements=st.integers(0, 5).map(float)),
    st.sampled_from([0.01, 1e9]),
    st.integers(-100, 100),
)
@settings(derandomize=True, deadline=None)
def test_units_do_not_matter(values: np.ndarray, factor: float, shift: int) -> None:
    if np.ptp(values) == 0:
        return
    one = local_moran(values, board(3), permutations=99)
    other = local_moran(values * factor + shift, board(3), permutations=99)
    np.testing.assert_allclose(other.i, one.i, atol=1e-6)
    np.testing.assert_allclose(other.p, one.p, atol=1e-12)
    np.testing.assert_array_equal(other.kind, one.kind)


@pytest.mark.parametrize(
    ("values", "links", "draws", "code"),
    [
        ([1.0, 2.0, 3.0], [(0, 1)], 9, "too_few_values"),
        ([1.0, 2.0, 3.0, np.nan], [(0, 1)], 9, "too_few_values"),
        ([1.0, 1.0, 1.0, 1.0], [(0, 1)], 9, "nothing_differs"),
        ([1.0, 2.0, 3.0, 4.0], [], 9, "no_neighbours"),
        ([1.0, 2.0, 3.0, 4.0, np.nan], [(0, 4)], 9, "no_neighbours"),
        ([1.0, 2.0, 3.0, np.inf], [(0, 1)], 9, "bad_indicator"),
        ([1.0, 2.0, 3.0, 4.0], [(0, 1)], 0, "bad_number"),
    ],
)
def test_places_without_a_pattern_to_find_are_refused(values, links, draws, code: str) -> None:
    for measure in (moran, local_moran):
        with pytest.raises(InvalidInput) as error:
            measure(np.array(values), neighbours_of(len(values), links), permutations=draws)
        assert error.value.code == code


def test_other_impossible_questions_are_refused() -> None:
    found = local_moran(np.arange(9.0), board(3), permutations=9)
    for call, code in (
        (lambda: moran(np.arange(3.0), board(3)), "length_mismatch"),
        (lambda: false_discovery([0.5, 1.5]), "bad_number"),
        (lambda: false_discovery([np.nan]), "bad_number"),
        (lambda: found.significant(0.0), "bad_number"),
        (lambda: found.significant(0.05, "hope"), "bad_method"),
    ):
        with pytest.raises(InvalidInput) as error:
            call()
        assert error.value.code == code

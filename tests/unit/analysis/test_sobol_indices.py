"""Sobol indices against closed forms (Ishigami, Sobol's g, linear models) and SALib."""

# mypy: disable-error-code="import-untyped, no-any-return, no-untyped-call, no-untyped-def"

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.core.sobol_indices import SobolIndices, design, sobol_indices
from geo.errors import InvalidInput

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from SALib.analyze import sobol as salib_analyze
    from SALib.sample import sobol as salib_sample
    from SALib.test_functions import Ishigami, Sobol_G


def indices_of(model, columns: int, base_draws: int, seed: int = 1) -> tuple[SobolIndices, np.ndarray]:
    """Our indices of a model, and its outputs in the order of SALib: A, A with each factor from B, B, row by row."""
    a, b = design(columns, base_draws, seed)
    mixed = [np.where(np.arange(columns) == i, b, a) for i in range(columns)]
    f_a, f_b, f_ab = model(a), model(b), np.stack([model(m) for m in mixed])
    found = sobol_indices(f_a[:, None], f_b[:, None], f_ab[:, :, None], seed=seed)
    return found, np.column_stack((f_a, *f_ab, f_b)).ravel()


def ishigami(x: np.ndarray) -> np.ndarray:
    return Ishigami.evaluate(2 * np.pi * x - np.pi)


def test_ishigami_in_closed_form() -> None:
    """a = 7, b = 0.1: V = a²/8 + bπ⁴/5 + b²π⁸/18 + 1/2, V₁ = (1 + bπ⁴/5)²/2, V₂ = a²/8, V₁₃ = 8b²π⁸/225."""
    v1, v2, v13 = 0.5 * (1 + 0.1 * np.pi**4 / 5) ** 2, 49 / 8, 8 * 0.01 * np.pi**8 / 225
    v = v1 + v2 + v13
    assert v == pytest.approx(49 / 8 + 0.1 * np.pi**4 / 5 + 0.01 * np.pi**8 / 18 + 0.5)
    found, _ = indices_of(ishigami, 3, 8192)
    np.testing.assert_allclose(found.first[0], [v1 / v, v2 / v, 0], atol=0.01)
    np.testing.assert_allclose(found.total[0], [(v1 + v13) / v, v2 / v, v13 / v], atol=0.01)
    assert found.variance[0] == pytest.approx(v, rel=0.01)


def test_the_g_function_in_closed_form() -> None:
    a = np.array([0.0, 1.0, 4.5, 9.0, 99.0, 99.0, 99.0, 99.0])
    found, _ = indices_of(lambda x: Sobol_G.evaluate(x, a), 8, 8192)
    part = 1 / (3 * (1 + a) ** 2)
    whole = np.prod(1 + part) - 1
    np.testing.assert_allclose(found.first[0], part / whole, atol=0.01)
    np.testing.assert_allclose(found.total[0], part * np.prod(1 + part) / (1 + part) / whole, atol=0.01)


@pytest.mark.parametrize("seed", [1, 2])
def test_total_indices_are_those_of_salib_and_first_ones_near_them(seed: int) -> None:
    problem = {"num_vars": 3, "names": ["a", "b", "c"], "bounds": [[0, 1]] * 3}
    found, outputs = indices_of(ishigami, 3, 4096, seed)
    peer = salib_analyze.analyze(problem, outputs, calc_second_order=False, seed=seed)
    np.testing.assert_allclose(found.total[0], peer["ST"], atol=1e-9)
    # It has another estimator of the first order.
    np.testing.assert_allclose(found.first[0], peer["S1"], atol=0.02)
    # By its own sample too.
    x = salib_sample.sample(problem, 4096, calc_second_order=False, seed=seed)
    peer = salib_analyze.analyze(problem, ishigami(x), calc_second_order=False, seed=seed)
    np.testing.assert_allclose(found.total[0], peer["ST"], atol=0.02)
    np.testing.assert_allclose(found.first[0], peer["S1"], atol=0.02)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=5), st.floats(-1e6, 1e6))
@settings(derandomize=True, deadline=None, max_examples=15)
def test_a_linear_model_shares_its_variance_by_squares(factors: list[float], far: float) -> None:
    squares = np.square(factors)
    found, _ = indices_of(lambda x: far + x @ np.array(factors), len(factors), 1024)
    assert not any(np.isnan(getattr(found, name)).any() for name in found.__slots__)
    if squares.sum() > 1e-4:
        np.testing.assert_allclose(found.first[0], squares / squares.sum(), atol=0.03)
        np.testing.assert_allclose(found.total[0], squares / squares.sum(), atol=0.03)


def test_intervals_hold_the_true_index_about_as_often_as_they_say() -> None:
    """Drawn again with 60 seeds: 95 % intervals hold it at least 80 % of the time, and are not as wide as everything."""
    held, width = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        # Plain draws, as evenly drawn ones are more exact than drawing rows again can know.
        a, b = rng.random((256, 2)), rng.random((256, 2))
        model = lambda x: (x @ np.array([1.0, 2.0]))[:, None]  # noqa: E731
        mixed = np.stack([model(np.c_[b[:, 0], a[:, 1]]), model(np.c_[a[:, 0], b[:, 1]])])
        found = sobol_indices(model(a), model(b), mixed, seed=seed)
        held.append(
            [
                found.first_low[0, 0] <= 0.2 <= found.first_high[0, 0],
                found.total_low[0, 1] <= 0.8 <= found.total_high[0, 1],
            ]
        )
        width.append(found.total_high[0, 1] - found.total_low[0, 1])
    assert (np.mean(held, axis=0) >= 0.8).all()
    assert np.mean(width) < 0.4


def test_what_never_changes_depends_on_nothing() -> None:
    found = sobol_indices(np.full((8, 1), 0.1), np.full((8, 1), 0.1), np.full((3, 8, 1), 0.1))
    for values in (found.first, found.total, found.first_low, found.first_high, found.total_low, found.total_high):
        assert values.tolist() == [[0, 0, 0]]
    assert found.variance.tolist() == [0]


def test_the_design_is_even_and_the_same_again() -> None:
    a, b = design(5, 64, seed=3)
    for columns in (a, b):
        assert (np.sort(np.floor(columns * 64), axis=0) == np.arange(64)[:, None]).all()
        assert ((columns > 0) & (columns < 1)).all()
    assert design(5, 64, seed=3)[1].tobytes() == b.tobytes()
    assert abs(np.corrcoef(a.T, b.T)[:5, 5:]).max() < 0.5


def test_bad_input_is_refused() -> None:
    for columns, draws, code in (
        (1, 1000, "bad_draws"),
        (1, 1, "bad_draws"),
        (0, 8, "too_many_factors"),
        (20_000, 8, "too_many_factors"),
    ):
        with pytest.raises(InvalidInput) as caught:
            design(columns, draws, 1)
        assert caught.value.code == code
    good = np.ones((4, 1))
    for f_a, f_ab, code in (
        (np.ones(4), np.ones((1, 4, 1)), "length_mismatch"),
        (good, np.ones((1, 3, 1)), "length_mismatch"),
        (np.full((4, 1), np.nan), np.ones((1, 4, 1)), "bad_output"),
    ):
        with pytest.raises(InvalidInput) as caught:
            sobol_indices(f_a, f_a, f_ab)
        assert caught.value.code == code

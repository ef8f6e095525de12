"""What ranks depend on, against moments in closed form, complete enumeration, and quadrature."""

# mypy: disable-error-code="arg-type, attr-defined, no-any-return, no-untyped-call"

import numpy as np
import pytest
from scipy import integrate, stats

from analysis.core.indicator_draws import NORMALISATIONS, Indicators, scores_of_draws
from analysis.core.rank_draws import Choices, Dirichlet, Within
from analysis.core.ranking import METHODS, ranks_of_many, scores_of_many
from analysis.core.sensitivity import sensitivity
from geo.errors import InvalidInput


def places(p: int = 15, k: int = 4, errors: float | None = None) -> Indicators:
    rng = np.random.default_rng(2)
    values = rng.uniform(30, 70, (p, k))
    return Indicators(
        values, ["more-is-worse"] * k, np.tile([0.0, 100.0], (k, 1)), None if errors is None else np.full(k, errors)
    )


def test_weights_and_errors_by_their_moments() -> None:
    """Score 100 Σ w (s + σe) of Dirichlet weights: every variance is known.

    Var_w(E) = 100² s'Cs with the covariance C of the weights, Var_e(E) = 100² Σ μ²σ², and the whole
    100² (s'Cs + Σ (μ² + C_kk) σ²).
    """
    given_, weights, c = places(errors=2.0), np.array([0.4, 0.3, 0.2, 0.1]), 6.0
    found = sensitivity(given_, weights, Choices(Dirichlet(c)), {"all": [0, 1, 2, 3]}, places=[3], base_draws=4096)
    assert found.factors == ("all", "errors")
    assert found.outputs == (("mean-shift", None), ("rank", 3), ("score", 3))
    s, sigma = given_.values[3] / 100, 0.02
    covariance = (np.diag(weights) - np.outer(weights, weights)) / (c + 1)
    of_weights = 1e4 * s @ covariance @ s
    of_errors = 1e4 * sigma**2 * np.sum(weights**2)
    whole = of_weights + 1e4 * sigma**2 * np.sum(weights**2 + np.diag(covariance))
    assert found.indices.variance[2] == pytest.approx(whole, rel=0.05)
    np.testing.assert_allclose(found.indices.first[2], [of_weights / whole, of_errors / whole], atol=0.03)
    np.testing.assert_allclose(found.indices.total[2], [1 - of_errors / whole, 1 - of_weights / whole], atol=0.03)


def test_two_dirichlet_weights_by_quadrature() -> None:
    """The score of place (1, 0) is 100 G/(G + H), gamma variates: Var E(·|G) by integrating twice."""
    two = Indicators(np.eye(2), ["more-is-worse"] * 2, np.tile([0.0, 1.0], (2, 1)))
    found = sensitivity(two, [3, 1], Choices(Dirichlet(8.0)), {"g": [0], "h": [1]}, places=[0], base_draws=4096)
    g, h = stats.gamma(6.0), stats.gamma(2.0)

    def variance_of_mean(own: object, other: object, *, is_g: bool) -> float:
        def mean(x: float) -> float:
            part = (lambda y: x / (x + y)) if is_g else (lambda y: y / (x + y))
            return integrate.quad(lambda y: part(y) * other.pdf(y), 0, 60)[0]

        square = integrate.quad(lambda x: mean(x) ** 2 * own.pdf(x), 0, 60)[0]
        return square - 0.75**2

    whole = stats.beta(6, 2).var()
    of_g, of_h = variance_of_mean(g, h, is_g=True), variance_of_mean(h, g, is_g=False)
    np.testing.assert_allclose(found.indices.first[2], [of_g / whole, of_h / whole], atol=0.02)
    np.testing.assert_allclose(found.indices.total[2], [1 - of_h / whole, 1 - of_g / whole], atol=0.02)
    assert found.indices.variance[2] == pytest.approx(1e4 * whole, rel=0.03)


def test_methods_by_complete_enumeration() -> None:
    given_, weights = places(), np.array([1.0, 2.0, 3.0, 4.0])
    found = sensitivity(given_, weights, Choices(None, NORMALISATIONS, METHODS), places=[0, 7], base_draws=4096)
    assert found.factors == ("normalisation", "aggregation")
    every = np.array(
        [[scores_of_many(scores_of_draws(given_, n), weights[None], m)[0] for m in METHODS] for n in NORMALISATIONS]
    )
    ranks = np.array([ranks_of_many(of_one) for of_one in every]).astype(float)
    shift = np.abs(ranks - ranks[0, 0]).mean(axis=2)
    outputs = [shift, ranks[:, :, 0], ranks[:, :, 7], every[:, :, 0], every[:, :, 7]]
    for at, table in enumerate(outputs):
        whole = table.var()
        first = np.array([table.mean(axis=1).var(), table.mean(axis=0).var()]) / whole
        total = np.array([table.var(axis=0).mean(), table.var(axis=1).mean()]) / whole
        np.testing.assert_allclose(found.indices.variance[at], whole, rtol=0.03)
        np.testing.assert_allclose(found.indices.first[at], first, atol=0.03)
        np.testing.assert_allclose(found.indices.total[at], total, atol=0.03)


def test_errors_and_normalisation_by_drawing_each_for_the_other() -> None:
    """By 4,000 draws of errors, each normalised in every way: means and variances over one and over the other."""
    given_, weights = places(errors=6.0), np.array([1.0, 2.0, 3.0, 4.0])
    found = sensitivity(given_, weights, Choices(None, NORMALISATIONS), places=[2], base_draws=4096)
    assert found.factors == ("normalisation", "errors")
    deviates = np.random.default_rng(77).standard_normal((4000, *given_.values.shape))
    table = np.empty((4000, len(NORMALISATIONS)))
    for at, normalisation in enumerate(NORMALISATIONS):
        drawn = scores_of_draws(given_, normalisation, deviates)[:, 2]
        table[:, at] = 100 * drawn @ weights / weights.sum()
    whole = table.var()
    first = np.array([table.mean(axis=0).var(), table.mean(axis=1).var()]) / whole
    total = np.array([table.var(axis=1).mean(), table.var(axis=0).mean()]) / whole
    assert total.min() > 0.1
    assert found.indices.variance[2] == pytest.approx(whole, rel=0.06)
    np.testing.assert_allclose(found.indices.first[2], first, atol=0.04)
    np.testing.assert_allclose(found.indices.total[2], total, atol=0.04)


def test_errors_alone_explain_everything() -> None:
    found = sensitivity(places(errors=5.0), np.ones(4), Choices(None, ("z",)), places=[1], base_draws=512)
    assert found.factors == ("errors",)
    np.testing.assert_allclose(found.indices.first, 1.0, atol=1e-9)
    np.testing.assert_allclose(found.indices.total, 1.0, atol=0.15)


def test_factors_that_cannot_matter_are_left_out_or_zero() -> None:
    values = np.column_stack((np.linspace(10, 90, 9), np.full(9, 40.0), np.linspace(90, 10, 9) ** 2 / 100))
    given_ = Indicators(values, ["more-is-worse"] * 3, np.tile([0.0, 100.0], (3, 1)))
    # The second indicator is the same everywhere: its weight moves scores, and no place past another.
    found = sensitivity(given_, [1, 1, 1], Choices(Within(0.9)), places=[4], base_draws=256)
    assert found.factors == ("0", "1", "2")
    assert found.indices.total[:2, 1].tolist() == [0, 0]
    assert found.indices.total[0, 0] > 0.1
    without = sensitivity(given_, [1, 0, 1], Choices(Within(0.9)), base_draws=256)
    assert without.factors == ("0", "2")


@pytest.mark.parametrize("law", [Within(0.5), Dirichlet(20.0)])
def test_the_same_bytes_on_any_number_of_threads(law: Within | Dirichlet) -> None:
    choices = Choices(law, NORMALISATIONS, METHODS)
    one = sensitivity(places(200, 20, 5.0), np.ones(20), choices, places=[5], base_draws=1024, threads=1)
    other = sensitivity(places(200, 20, 5.0), np.ones(20), choices, places=[5], base_draws=1024, threads=3)
    for name in one.indices.__slots__:
        assert getattr(one.indices, name).tobytes() == getattr(other.indices, name).tobytes()
    assert not np.isnan(one.indices.first).any()


def test_one_place_depends_on_nothing() -> None:
    found = sensitivity(
        Indicators([[5.0, 6.0]], ["more-is-worse"] * 2, [[0, 10], [0, 10]]), [1, 1], Choices(), base_draws=8
    )
    assert found.indices.variance.tolist() == [0]
    assert found.indices.first.tolist() == [[0, 0]]


def test_bad_input_is_refused() -> None:
    given_ = places()
    for change, code in (
        ({"groups": {"a": [0], "b": [0]}}, "bad_group"),
        ({"groups": {"a": [9]}}, "bad_group"),
        ({"groups": {"errors": [0]}}, "bad_group"),
        ({"places": [15]}, "bad_place"),
        ({"base_draws": 100}, "bad_draws"),
        ({"choices": Choices(None)}, "nothing_drawn"),
        ({"weights": [1, 0, 0, 0]}, "nothing_drawn"),
        ({"weights": [0, 0, 0, 0]}, "bad_weight"),
        ({"choices": Choices(Within(2.0))}, "bad_share"),
        ({"indicators": Indicators(np.empty((0, 4)), ["more-is-worse"] * 4)}, "no_places"),
    ):
        with pytest.raises(InvalidInput) as caught:
            sensitivity(**{"indicators": given_, "weights": np.ones(4), "choices": Choices(), **change})
        assert caught.value.code == code

"""What ranks depend on: the uncertainty of each factor of an index, in shares of the variance of what comes out."""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from analysis.core.indicator_draws import Indicators, drawn_scores
from analysis.core.rank_draws import Choices, Within, checked_choices
from analysis.core.ranking import aggregated, checked_weights_many, ranked
from analysis.core.sobol_indices import SobolIndices, design, sobol_indices
from geo.errors import InvalidInput

Floats = NDArray[np.float64]
Int64 = NDArray[np.int64]

Output = Literal["mean-shift", "rank", "score"]

NORMALISATION: Final = "normalisation"
AGGREGATION: Final = "aggregation"
ERRORS: Final = "errors"

_OF_ERRORS: Final = 6
# Base rows worked on at once hold no more numbers than this.
_NUMBERS_AT_ONCE: Final = 2_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Sensitivity:
    """How much each factor has to do with each output.

    Attributes
    ----------
    factors
        Names of groups of weights, then ``normalisation``, ``aggregation`` and ``errors`` where these are drawn.
    outputs
        ``("mean-shift", None)``, or ``("rank", place)`` or ``("score", place)`` for each place asked for.
    indices
        One row for each output, one column for each factor.
    base_draws
        N: the index was worked out N · (factors + 2) times.
    """

    factors: tuple[str, ...]
    outputs: tuple[tuple[Output, int | None], ...]
    indices: SobolIndices
    base_draws: int


def sensitivity(
    indicators: Indicators,
    weights: Sequence[float] | NDArray[np.floating],
    choices: Choices,
    groups: Mapping[str, Sequence[int]] | None = None,
    places: Sequence[int] = (),
    base_draws: int = 1024,
    seed: int = 1,
    resamples: int = 200,
    threads: int | None = None,
) -> Sensitivity:
    """Tell which choices and errors the ranks depend on.

    Parameters
    ----------
    indicators, weights, choices
        As for `analysis.core.uncertainty.rank_uncertainty`.
    groups
        Names of groups of weights and the numbers of their indicators (a sector, or one indicator); weights of one
        group are one factor. Each indicator is in one group at most; weights of those in none are not drawn. None:
        every indicator by itself, by its number.
    places
        Of these the rank and the score are outputs too, besides the mean shift of all ranks,
        R̄ = Σ |rank − published rank| / p.
    base_draws
        N, a power of two.
    seed
        The same seed gives the same bytes.
    resamples
        As for `analysis.core.sobol_indices.sobol_indices`.
    threads
        At most so many; as many as there are processors if None.

    Returns
    -------
    Sensitivity
        In the order mean shift, ranks, scores. A factor that is not drawn (one method only, no errors, a group
        without any weight) is not among the factors.

    Raises
    ------
    InvalidInput
        If what is given cannot be used, or nothing is drawn at all.

    Notes
    -----
    Reference: [@saisana2005]. Weights `Within` a share of themselves are independent factors before they are
    scaled to sum to 1; Dirichlet weights are independent gamma variates over their sum. Which method is drawn goes by
    a number between 0 and 1 cut into equal parts. All errors together are one factor: draws of it are pseudo-random.

    Examples
    --------
    Only the first indicator differs between places, so that only its weight can matter to their scores:

    >>> two = Indicators([[8, 5], [2, 5]], ["more-is-worse"] * 2, [[0, 10], [5, 10]])
    >>> found = sensitivity(two, [1, 1], Choices(Within(0.5)), {"clinics": [0], "parks": [1]}, places=[0])
    >>> found.factors, found.outputs[2], found.indices.variance[:2].tolist()
    (('clinics', 'parks'), ('score', 0), [0.0, 0.0])
    >>> found.indices.first[2].round(1).tolist()
    [0.5, 0.5]
    """
    checked_choices(choices)
    p, k = indicators.values.shape
    given = checked_weights_many(np.asarray(weights, dtype=np.float64).reshape(1, -1), k)[0]
    asked = [int(place) for place in places]
    if unknown := [place for place in asked if not 0 <= place < p]:
        raise InvalidInput(f"There is no place {unknown[0]} among {p}.", code="bad_place")
    if p == 0:
        raise InvalidInput("There is no place to rank.", code="no_places")
    factors = _factors(indicators, given, choices, groups)
    if not factors:
        raise InvalidInput(
            "Nothing is drawn, so there is nothing to depend on.",
            code="nothing_drawn",
            remedy="Draw weights, give several methods, or give errors.",
        )
    a, b = design(max(factors[-1].span.stop, 1), base_draws, seed)
    model = _Model(indicators, given, choices, factors, asked, seed)
    outputs: list[tuple[Output, int | None]] = [("mean-shift", None)]
    outputs += [("rank", place) for place in asked] + [("score", place) for place in asked]
    f_a, f_b = np.empty((base_draws, len(outputs))), np.empty((base_draws, len(outputs)))
    f_ab = np.empty((len(factors), base_draws, len(outputs)))

    def work(part: slice) -> None:
        f_a[part], f_b[part], f_ab[:, part] = model.answers(a[part], b[part], part)

    # Parts do not depend on the threads, as each has a stream of errors of its own.
    rows = max(_NUMBERS_AT_ONCE // (k * p), 1)
    parts = [slice(start, min(start + rows, base_draws)) for start in range(0, base_draws, rows)]
    with ThreadPoolExecutor(min(threads or os.cpu_count() or 1, len(parts))) as pool:
        for _ in pool.map(work, parts):
            pass
    indices = sobol_indices(f_a, f_b, f_ab, resamples, seed)
    return Sensitivity(tuple(factor.name for factor in factors), tuple(outputs), indices, base_draws)


@dataclass(frozen=True, slots=True)
class _Factor:
    """A factor, the columns of the design that it has, and of a group of weights the indicators."""

    name: str
    span: slice
    members: tuple[int, ...] = ()


def _factors(
    indicators: Indicators, weights: Floats, choices: Choices, groups: Mapping[str, Sequence[int]] | None
) -> list[_Factor]:
    k = weights.size
    if groups is None:
        groups = {str(number): [number] for number in range(k)}
    members = [int(number) for group in groups.values() for number in group]
    if any(not 0 <= number < k for number in members) or len(set(members)) != len(members):
        raise InvalidInput(
            "A group names an indicator that does not exist, or that another group has.", code="bad_group"
        )
    if taken := {NORMALISATION, AGGREGATION, ERRORS} & set(groups):
        raise InvalidInput(f"A group cannot be called “{min(taken)}”.", code="bad_group")
    factors: list[_Factor] = []
    at = 0
    for name, group in groups.items() if choices.weights is not None else ():
        drawn = tuple(int(number) for number in group if weights[number] > 0)
        if drawn:
            factors.append(_Factor(name, slice(at, at + len(drawn)), drawn))
            at += len(drawn)
    # Whoever is alone keeps its whole weight, however it is drawn.
    if np.count_nonzero(weights) == 1:
        factors, at = [], 0
    for name, given in ((NORMALISATION, choices.normalisations), (AGGREGATION, choices.aggregations)):
        if len(given) > 1:
            factors.append(_Factor(name, slice(at, at + 1)))
            at += 1
    if indicators.uncertain.size:
        factors.append(_Factor(ERRORS, slice(at, at)))
    return factors


class _Model:
    """The index as a function of a row of numbers between 0 and 1, and of a draw of errors."""

    def __init__(
        self,
        indicators: Indicators,
        weights: Floats,
        choices: Choices,
        factors: list[_Factor],
        places: list[int],
        seed: int,
    ) -> None:
        self._indicators, self._weights, self._choices = indicators, weights, choices
        self._factors, self._places, self._seed = factors, places, seed
        self._exact = np.concatenate([drawn_scores(indicators, method, None) for method in choices.normalisations])
        zero = np.zeros(1, np.int64)
        _, published = self._ranking(weights[None], zero, zero, None)
        self._published = published[0]

    def answers(self, a: Floats, b: Floats, part: slice) -> tuple[Floats, Floats, Floats]:
        """Return the outputs of A, of B, and of A with each factor from B."""
        errors = (self._errors(part, 0), self._errors(part, 1))
        loose = (self._loose_weights(a), self._loose_weights(b))
        normalisation = (self._choice(NORMALISATION, a), self._choice(NORMALISATION, b))
        aggregation = (self._choice(AGGREGATION, a), self._choice(AGGREGATION, b))

        def outputs(weights: Floats, n: int, g: int, scores: Floats | None) -> Floats:
            total = weights.sum(axis=1)
            share = np.where((total > 0)[:, None], weights, self._weights)
            share /= share.sum(axis=1)[:, None]
            points, ranks = self._ranking(share, normalisation[n], aggregation[g], scores)
            shift = np.abs(ranks - self._published).mean(axis=1)
            return np.column_stack((shift, ranks[:, self._places], points[:, self._places]))

        of_a = self._scores(normalisation[0], errors[0])
        f_a = outputs(loose[0], 0, 0, of_a)
        f_b = outputs(loose[1], 1, 1, self._scores(normalisation[1], errors[1]))
        f_ab = []
        for factor in self._factors:
            if factor.members:
                mixed = loose[0].copy()
                mixed[:, factor.members] = loose[1][:, factor.members]
                f_ab.append(outputs(mixed, 0, 0, of_a))
            elif factor.name == NORMALISATION:
                f_ab.append(outputs(loose[0], 1, 0, self._scores(normalisation[1], errors[0])))
            elif factor.name == AGGREGATION:
                f_ab.append(outputs(loose[0], 0, 1, of_a))
            else:
                f_ab.append(outputs(loose[0], 0, 0, self._scores(normalisation[0], errors[1])))
        return f_a, f_b, np.stack(f_ab)

    def _errors(self, part: slice, which: int) -> Floats | None:
        columns = self._indicators.uncertain
        if not columns.size:
            return None
        rng = np.random.default_rng([self._seed, _OF_ERRORS, which, part.start])
        return rng.standard_normal((part.stop - part.start, columns.size, self._exact.shape[2]))

    def _loose_weights(self, rows: Floats) -> Floats:
        """Draw weights that need not sum to 1."""
        drawn = np.repeat(self._weights[None], len(rows), axis=0)
        law = self._choices.weights
        for factor in self._factors:
            if not factor.members or law is None:
                continue
            members, numbers = list(factor.members), rows[:, factor.span]
            if isinstance(law, Within):
                drawn[:, members] *= 1.0 + law.share * (2.0 * numbers - 1.0)
            else:
                drawn[:, members] = gammaincinv(law.concentration * self._weights[members], numbers) / law.concentration
        return drawn

    def _choice(self, name: str, rows: Floats) -> Int64:
        for factor in self._factors:
            if factor.name == name and not factor.members:
                given = self._choices.normalisations if name == NORMALISATION else self._choices.aggregations
                return (rows[:, factor.span.start] * len(given)).astype(np.int64)
        return np.zeros(len(rows), np.int64)

    def _scores(self, normalisation: Int64, errors: Floats | None) -> Floats | None:
        """Score each draw's values; None where they are exact."""
        if errors is None:
            return None
        scores = self._exact[normalisation]
        for number, name in enumerate(self._choices.normalisations):
            here = np.flatnonzero(normalisation == number)
            if here.size:
                scores[here[:, None], self._indicators.uncertain] = drawn_scores(self._indicators, name, errors[here])
        return scores

    def _ranking(
        self, share: Floats, normalisation: Int64, aggregation: Int64, scores: Floats | None
    ) -> tuple[Floats, NDArray[np.int32]]:
        points = np.empty((len(share), self._exact.shape[2]))
        for number, method in enumerate(self._choices.aggregations):
            for at, exact in enumerate(self._exact):
                here = np.flatnonzero((aggregation == number) & (normalisation == at))
                if here.size:
                    found = np.empty((here.size, points.shape[1]))
                    aggregated(exact[None] if scores is None else scores[here], share[here], method, found)
                    points[here] = found
        ranks = np.empty(points.shape, np.int32)
        ranked(points, ranks)
        return points, ranks

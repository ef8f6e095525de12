"""Rankings drawn at random: weights, methods and values vary as they might have been chosen or measured."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from analysis.core.indicator_draws import NORMALISATIONS, Indicators, Normalisation, drawn_scores
from analysis.core.ranking import Method, aggregated, checked_method, in_parts, ranked
from geo.errors import InvalidInput

Floats = NDArray[np.float64]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]

MOST_DRAWS: Final = 1_000_000
#: Scores with drawn errors are kept between rankings up to so many; beyond that they are drawn again.
MOST_KEPT: Final = 16_000_000

# Streams of random numbers, apart from each other.
_OF_WEIGHTS, _OF_CHOICES, _OF_ERRORS = 1, 2, 3
# Errors of so many values are drawn from one stream, whatever the threads.
_ERRORS_AT_ONCE: Final = 100_000


@dataclass(frozen=True, slots=True)
class Dirichlet:
    """Weights drawn from a Dirichlet distribution with the given weights as its mean.

    Attributes
    ----------
    concentration
        One or more: a weight w has the variance w(1 − w)/(concentration + 1). A weight of zero stays zero.
    """

    concentration: float


@dataclass(frozen=True, slots=True)
class Within:
    """Each weight drawn evenly within a share of itself, by itself; only then are they scaled to sum to 1.

    Attributes
    ----------
    share
        Above 0, up to 1: 0.25 is ±25 %.
    """

    share: float


@dataclass(frozen=True, slots=True)
class Choices:
    """What is drawn besides the errors of the values.

    Attributes
    ----------
    weights
        How weights are drawn; None leaves them as they are.
    normalisations, aggregations
        Among which one is drawn for each ranking, all as likely. The first of each is the one that is published.
    """

    weights: Dirichlet | Within | None = Within(0.25)
    normalisations: tuple[Normalisation, ...] = ("goalpost",)
    aggregations: tuple[Method, ...] = ("arithmetic",)


@dataclass(frozen=True, slots=True, eq=False)
class KeptDraws:
    """What stays when only weights change: a slider asks it again and again, with `analysis.core.uncertainty.rank_uncertainty_of`.

    Attributes
    ----------
    indicators, choices, draws, seed
        As given.
    exact
        Shape ``(len(normalisations), k, p)``: scores of the values as they are.
    normalisation, aggregation
        Shape ``(draws,)``: which of the choices each draw has.
    swing
        Shape ``(draws, k)``: between −1 and 1, where weights are drawn `Within` a share; else empty. The same for all
        weights, so that an answer does not tremble as a slider moves.
    with_errors
        Shape ``(draws, u, p)``: scores of the columns that have errors, if they are few enough to be kept.
    """

    indicators: Indicators
    choices: Choices
    draws: int
    seed: int
    exact: Floats
    normalisation: Int64
    aggregation: Int64
    swing: Floats
    with_errors: Floats | None


def kept_draws(
    indicators: Indicators,
    choices: Choices,
    draws: int = 10_000,
    seed: int = 1,
    threads: int | None = None,
    *,
    keep_errors: bool = True,
) -> KeptDraws:
    """Draw what does not depend on the weights.

    Parameters
    ----------
    indicators, choices, draws, seed, threads
        As for `analysis.core.uncertainty.rank_uncertainty`.
    keep_errors
        Whether scores with errors are kept too, where they are no more than `MOST_KEPT`. It changes no answer, only
        how fast it comes.

    Raises
    ------
    InvalidInput
        If the choices cannot be used, or there are no draws or too many.
    """
    checked_choices(choices)
    if not 1 <= draws <= MOST_DRAWS:
        raise InvalidInput(
            f"{draws:,} rankings cannot be drawn.", code="bad_draws", remedy=f"Draw from 1 to {MOST_DRAWS:,}."
        )
    if seed < 0:
        raise InvalidInput("A seed is negative.", code="bad_seed", remedy="Give a whole number of zero or more.")
    p, k = indicators.values.shape
    exact = np.concatenate([drawn_scores(indicators, method, None) for method in choices.normalisations])
    rng = np.random.default_rng([seed, _OF_CHOICES])
    normalisation = rng.integers(len(choices.normalisations), size=draws)
    aggregation = rng.integers(len(choices.aggregations), size=draws)
    swing = np.empty((0, k))
    if isinstance(choices.weights, Within):
        swing = np.random.default_rng([seed, _OF_WEIGHTS]).uniform(-1.0, 1.0, (draws, k))
    kept = KeptDraws(indicators, choices, draws, seed, exact, normalisation, aggregation, swing, None)
    numbers = draws * indicators.uncertain.size * p
    if not keep_errors or not 0 < numbers <= MOST_KEPT:
        return kept
    with_errors = np.empty((draws, indicators.uncertain.size, p))

    def work(part: slice) -> None:
        _draw_errors(kept, part, with_errors[part])

    _in_streams(kept, work, threads)
    return replace(kept, with_errors=with_errors)


def drawn_weights(kept: KeptDraws, weights: Floats) -> Floats:
    """Return the weights of each draw, shape ``(draws, k)``, around ``weights`` that sum to 1; each row sums to 1."""
    law = kept.choices.weights
    if law is None:
        return np.repeat(weights[None], kept.draws, axis=0)
    if isinstance(law, Within):
        drawn = weights * (1.0 + law.share * kept.swing)
    else:
        # Gamma variates over their sum. A share of 0.1 % of a concentration of one or more cannot lose them all.
        shape = law.concentration * weights
        drawn = np.random.default_rng([kept.seed, _OF_WEIGHTS]).standard_gamma(shape, (kept.draws, weights.size))
    total = drawn.sum(axis=1)
    drawn[total <= 0] = weights
    return np.asarray(drawn / drawn.sum(axis=1)[:, None])


def drawn_ranks(kept: KeptDraws, weights: Floats, threads: int | None = None) -> Int32:
    """Return the ranks of each draw, shape ``(draws, p)``, around ``weights`` that sum to 1."""
    share = drawn_weights(kept, weights)
    p = kept.exact.shape[2]
    ranks = np.empty((kept.draws, p), np.int32)
    columns = kept.indicators.uncertain
    methods = kept.choices.aggregations
    if not columns.size:
        for a, normalised in enumerate(kept.exact):
            for b, method in enumerate(methods):
                here = np.flatnonzero((kept.normalisation == a) & (kept.aggregation == b))
                _rank_rows(normalised[None], share, method, ranks, here, threads)
        return ranks

    def work(part: slice) -> None:
        if kept.with_errors is None:
            noisy = np.empty((part.stop - part.start, columns.size, p))
            _draw_errors(kept, part, noisy)
        else:
            noisy = kept.with_errors[part]
        values = kept.exact[kept.normalisation[part]]
        values[:, columns] = noisy
        for b, method in enumerate(methods):
            here = np.flatnonzero(kept.aggregation[part] == b)
            if here.size:
                found = np.empty((here.size, p), np.int32)
                rank_into(values[here], share[part][here], method, found)
                ranks[part.start + here] = found

    _in_streams(kept, work, threads)
    return ranks


def _rank_rows(values: Floats, share: Floats, method: Method, ranks: Int32, rows: Int64, threads: int | None) -> None:
    """Rank so many draws of the same scores by the same method."""

    def work(part: slice) -> None:
        found = np.empty((part.stop - part.start, values.shape[2]), np.int32)
        rank_into(values, share[rows[part]], method, found)
        ranks[rows[part]] = found

    in_parts(work, rows.size, values.shape[2], rows.size * values[0].size, threads)


def rank_into(values: Floats, share: Floats, method: Method, ranks: Int32) -> None:
    """Write the ranks of rankings whose input was checked; arguments as of `analysis.core.ranking.aggregated`."""
    scores = np.empty(ranks.shape)
    aggregated(values, share, method, scores)
    ranked(scores, ranks)


def _rows_a_stream(kept: KeptDraws) -> int:
    errors_each = int(kept.indicators.uncertain.size * kept.exact.shape[2])
    return max(_ERRORS_AT_ONCE // max(errors_each, 1), 1)


def _in_streams(kept: KeptDraws, work: Callable[[slice], None], threads: int | None) -> None:
    """Do ``work`` for slices of draws that share a stream of random numbers."""
    rows = _rows_a_stream(kept)
    parts = [slice(start, min(start + rows, kept.draws)) for start in range(0, kept.draws, rows)]
    with ThreadPoolExecutor(min(threads or os.cpu_count() or 1, len(parts))) as pool:
        for _ in pool.map(work, parts):
            pass


def _draw_errors(kept: KeptDraws, part: slice, found: Floats) -> None:
    """Write scores of the columns with errors, of draws that share a stream."""
    rng = np.random.default_rng([kept.seed, _OF_ERRORS, part.start])
    deviates = rng.standard_normal(found.shape)
    for a, method in enumerate(kept.choices.normalisations):
        here = kept.normalisation[part] == a
        if here.any():
            found[here] = drawn_scores(kept.indicators, method, deviates[here])


def checked_choices(choices: Choices) -> None:
    """Refuse what cannot be drawn."""
    law = choices.weights
    if isinstance(law, Dirichlet) and not 1.0 <= law.concentration < 1e9:
        raise InvalidInput(
            f"{law.concentration:g} is not a concentration of weights.",
            code="bad_concentration",
            remedy="Give one or more; the more, the closer are drawn weights to the given ones.",
        )
    if isinstance(law, Within) and not 0.0 < law.share <= 1.0:
        raise InvalidInput(
            f"Weights cannot be drawn within a share of {law.share:g} of themselves.",
            code="bad_share",
            remedy="Give a share above 0, up to 1, such as 0.25.",
        )
    for given in (choices.normalisations, choices.aggregations):
        if not given or len(set(given)) != len(given):
            raise InvalidInput(
                "Methods of normalising and of aggregating are needed, one or more of each, none twice.",
                code="bad_method",
            )
    for method in choices.normalisations:
        if method not in NORMALISATIONS:
            raise InvalidInput(f"“{method}” is not a method of normalising.", code="bad_method")
    for aggregation in choices.aggregations:
        checked_method(aggregation)

"""Many rankings at once: the same places under thousands of weights, as drawing at random and sliders need them.

Every ranking is worked out by itself in a fixed order of sums, so that the answer is the same bytes on any number of
threads and however many rankings are asked for together.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from analysis.core.index import GEOMETRIC_FLOOR
from analysis.core.ranking_loops import distances, regrets, stretch, sums, unpack
from geo.errors import InvalidInput

Floats = NDArray[np.float64]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]

Method = Literal["arithmetic", "geometric", "topsis", "vikor", "vikor-fixed"]
METHODS: Final[tuple[Method, ...]] = ("arithmetic", "geometric", "topsis", "vikor", "vikor-fixed")

#: Places that can be ranked together: the distribution of ranks is a square of them.
MOST_PLACES: Final = 10_000

# Scores that differ by less are ties, as in `analysis.core.index`.
_TICKS_A_POINT: Final = 1e9
_HIGHEST_TICK: Final = 100_000_000_000
# What is worked on at once stays in the processor's own memory.
_NUMBERS_AT_ONCE: Final = 100_000
# Less than this is done before threads have started.
_WORTH_A_THREAD: Final = 2_000_000


def scores_of_many(
    scores: NDArray[np.floating], weights_many: NDArray[np.floating], method: Method, threads: int | None = None
) -> Floats:
    """Put the scores of several indicators together, once for each set of weights.

    Parameters
    ----------
    scores
        Shape ``(p, k)``: 0 to 1, 1 is the worst need; NaN where missing. The other weights are then scaled up for that
        place.
    weights_many
        Shape ``(n, k)``: zero or more, not all zero in any row; only the proportions in a row matter.
    method
        ``arithmetic`` and ``geometric`` as in `analysis.core.index.aggregate`. ``topsis``: 100 · D⁻/(D⁺ + D⁻), with
        the distances D⁺ = √Σ w²(1 − s)² from the worst need there can be and D⁻ = √Σ w²s² from none.
        ``vikor-fixed``: 100 · (1 − Q), with S = Σ w (1 − s), R = max w (1 − s) and
        Q = ½ (S − S*)/(S⁻ − S*) + ½ (R − R*)/(R⁻ − R*) between the least and the most that any place of this ranking
        has; a fraction without a range (10⁻⁹) is ½. ``vikor``, the method as published: the same after each indicator
        has been stretched between the least and the largest score of any place; those in which no places differ are
        left out, and a place that has no others has 50.
    threads
        At most so many; as many as there are processors if None.

    Returns
    -------
    ndarray
        Shape ``(n, p)``, 0 to 100, 100 is the highest need; 0 for a place without any indicator that has a weight.

    Raises
    ------
    InvalidInput
        If shapes do not fit, a score is outside [0, 1], a weight is negative or not finite, all weights of a row
        are zero, there are too many places, or the method is unknown.

    Notes
    -----
    Reference: [@oecd2008], step 6; [@hwang1981] for TOPSIS and [@opricovic2004] for VIKOR, both with the
    ends of the scale as the ideal and its opposite, so that a score means the same whatever the other places are
    (but for S and R, and in ``vikor`` for the stretching).

    Examples
    --------
    >>> scores_of_many(np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([[3.0, 1.0], [1.0, 1.0]]), "arithmetic").tolist()
    [[75.0, 50.0], [50.0, 50.0]]
    >>> scores_of_many(np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([[3.0, 1.0]]), "topsis").tolist()
    [[75.0, 50.0]]
    >>> scores_of_many(np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([[3.0, 1.0]]), "vikor").tolist()
    [[100.0, 0.0]]
    """
    known = checked_scores(scores)
    share = checked_weights_many(weights_many, known.shape[1])
    checked_method(method)
    values = np.ascontiguousarray(known.T)
    found = np.empty((len(share), len(known)))

    def work(part: slice) -> None:
        aggregated(values[None], share[part], method, found[part])

    in_parts(work, len(share), len(known), len(share) * known.size, threads)
    return found


def ranks_of_many(scores_many: NDArray[np.floating], threads: int | None = None) -> Int32:
    """Rank places in each of many rankings, 1 for the largest score, as `analysis.core.index.competition_rank` does.

    Parameters
    ----------
    scores_many
        Shape ``(n, p)``: 0 to 100. Scores that agree to nine decimals are ties: they share the better rank, and the
        next ones are left out.
    threads
        At most so many; as many as there are processors if None.

    Returns
    -------
    ndarray
        Shape ``(n, p)``.

    Raises
    ------
    InvalidInput
        If a score is outside 0 to 100 or not a number, or there are too many places.

    Examples
    --------
    >>> ranks_of_many(np.array([[50.0, 80.0, 50.0, 10.0], [1.0, 2.0, 3.0, 4.0]])).tolist()
    [[2, 1, 2, 4], [4, 3, 2, 1]]
    """
    many = np.asarray(scores_many, dtype=np.float64)
    if many.ndim != 2:
        raise InvalidInput(f"Scores of shape {many.shape} are not rankings of places.", code="length_mismatch")
    if not ((many >= 0) & (many <= 100)).all():
        raise InvalidInput("A score is outside 0 to 100.", code="bad_score")
    checked_number_of_places(many.shape[1])
    ranks = np.empty(many.shape, np.int32)

    def work(part: slice) -> None:
        ranked(many[part], ranks[part])

    in_parts(work, len(many), many.shape[1], many.size * 10, threads)
    return ranks


def ranked(scores_many: Floats, ranks: Int32) -> None:
    """Write the ranks of scores that are known to be between 0 and 100."""
    # Score and number of a place in one whole number: sorting these is several times as fast as sorting through an
    # index, and 10^11 ticks times 10^4 places fit.
    packed = np.rint(scores_many * _TICKS_A_POINT).astype(np.int64)
    np.subtract(_HIGHEST_TICK, packed, out=packed)
    packed *= packed.shape[1]
    packed += np.arange(packed.shape[1])
    packed.sort(axis=1)
    unpack(packed, ranks)


def aggregated(values: Floats, share: Floats, method: Method, found: Floats) -> None:
    """Write the scores of rankings whose input was checked.

    Parameters
    ----------
    values
        Shape ``(1, k, p)`` if all rankings are of the same scores, else ``(n, k, p)``; NaN where missing.
    share
        Shape ``(n, k)``: summing to 1 in each row.
    method
        How.
    found
        Shape ``(n, p)``: where they are written.
    """
    has_any = None
    if method == "vikor":
        # Whoever has only indicators in which no places differ is between the best and the worst, not without data.
        has_any = _weight(values, share, found.shape) > 0
        values = values.copy()
        stretch(values)
    is_gap = np.isnan(values)
    has_gaps = bool(is_gap.any())
    known = np.where(is_gap, 0.0, values) if has_gaps else values
    present = np.ascontiguousarray(~is_gap).astype(np.float64) if has_gaps else np.empty((0, 0, 0))
    weight = _weight(values, share, found.shape)
    if method == "topsis":
        distances(known, present, share, found)
    elif method in ("vikor", "vikor-fixed"):
        regrets(known, present, share, weight, found)
    elif method == "geometric":
        sums(np.log1p(-(1.0 - GEOMETRIC_FLOOR) * known), share, found)
        np.divide(found, weight, out=found, where=weight > 0)
        np.expm1(found, out=found)
        found *= -100.0 / (1.0 - GEOMETRIC_FLOOR)
    else:
        sums(known, share, found)
        np.divide(found, weight, out=found, where=weight > 0)
        found *= 100.0
    if has_gaps:
        found[weight <= 0] = 0.0
    if has_any is not None:
        found[has_any & (weight <= 0)] = 50.0
    np.clip(found, 0.0, 100.0, out=found)


def _weight(values: Floats, share: Floats, shape: tuple[int, ...]) -> Floats:
    """Return how much of all weight the indicators have that are there, of each place in each ranking."""
    weight = np.ones(shape)
    if np.isnan(values).any():
        sums(np.ascontiguousarray(~np.isnan(values)).astype(np.float64), share, weight)
    return weight


def in_parts(work: Callable[[slice], None], n: int, width: int, effort: int, threads: int | None) -> None:
    """Do ``work`` for slices of ``n`` rows, on several threads where the effort is worth it; pass on what it raises."""
    rows = max(_NUMBERS_AT_ONCE // max(width, 1), 1)
    parts = [slice(start, min(start + rows, n)) for start in range(0, n, rows)]
    workers = min(threads or os.cpu_count() or 1, len(parts), max(effort // _WORTH_A_THREAD, 1))
    if workers <= 1:
        for part in parts:
            work(part)
        return
    with ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(work, parts):
            pass


def checked_scores(scores: NDArray[np.floating]) -> Floats:
    """Return scores as float64, or refuse them."""
    known = np.asarray(scores, dtype=np.float64)
    if known.ndim != 2 or known.shape[1] == 0:
        raise InvalidInput(f"Scores of shape {known.shape} are not places by indicators.", code="length_mismatch")
    if not (np.isnan(known) | ((known >= 0) & (known <= 1))).all():
        raise InvalidInput("A score is outside 0 to 1.", code="bad_score", remedy="Normalise the indicator first.")
    checked_number_of_places(len(known))
    return known


def checked_weights_many(weights_many: NDArray[np.floating], k: int) -> Floats:
    """Return weights that sum to 1 in each row, or refuse them."""
    array = np.asarray(weights_many, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != k:
        raise InvalidInput(f"Weights of shape {array.shape} do not fit {k} indicators.", code="length_mismatch")
    if not (np.isfinite(array) & (array >= 0)).all():
        raise InvalidInput("A weight is negative or not a number.", code="bad_weight", remedy="Give zero or more.")
    largest = array.max(axis=1, initial=0.0)
    if (largest == 0).any():
        raise InvalidInput("All weights are zero.", code="bad_weight", remedy="Give at least one a weight.")
    # By the largest first, so that neither very large nor very small weights lose their proportions.
    scaled = array / largest[:, None]
    return np.asarray(scaled / scaled.sum(axis=1)[:, None])


def checked_method(method: str) -> None:
    """Refuse a method that there is not."""
    if method not in METHODS:
        raise InvalidInput(f"“{method}” is not a method of aggregating.", code="bad_method")


def checked_number_of_places(p: int) -> None:
    """Refuse more places than can be ranked together."""
    if p > MOST_PLACES:
        raise InvalidInput(
            f"{p:,} places are more than can be ranked together.",
            code="too_many_places",
            remedy=f"Rank up to {MOST_PLACES:,} at a time.",
        )

"""A search for near weights that flip something, where no exact method is known: an answer, not a proof."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from analysis.core.weight_programs import Distance

Floats = NDArray[np.float64]
IsFlipped = Callable[[Floats], NDArray[np.bool_]]

_CONCENTRATIONS: Final = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
_OF_EACH: Final = 300
_LINES: Final = 400
_STARTS: Final = 8
_SAME_WAY: Final = 0.8
_ROUNDS: Final = 40
_OF_A_ROUND: Final = 160


def searched(is_flipped: IsFlipped, start: Floats, distance: Distance, seed: int) -> Floats | None:
    """Search for the nearest weights that flip what ``start`` does not.

    Parameters
    ----------
    is_flipped
        Tells it for weights of shape ``(n, k)``.
    start
        Shape ``(k,)``, summing to 1.
    distance
        ``l1`` or ``l2``.
    seed
        The same seed finds the same.

    Returns
    -------
    ndarray or None
        Shape ``(k,)``, summing to 1: weights that do flip it. None if none were met, which proves nothing.

    Notes
    -----
    Single indicators and weights drawn near and far; from those that flip, straight towards the start as far as they
    flip; from the nearest of them, and the nearest in other directions, steps at random that are kept if they flip and are
    nearer, shorter when few are.
    """
    rng = np.random.default_rng([seed, 7])
    k = start.size
    # A weight of zero may rise too.
    towards = 0.9 * start + 0.1 / k
    drawn = [rng.dirichlet(np.maximum(c * towards * k, 1e-3), _OF_EACH) for c in _CONCENTRATIONS]
    # Every single indicator, and each left out.
    without = np.where(np.eye(k, dtype=np.bool_), 0.0, start)
    without = without[without.sum(axis=1) > 0]
    many = np.concatenate((np.eye(k), without / without.sum(axis=1)[:, None], _few(k, rng), *drawn))
    many = many[is_flipped(many)]
    if not len(many):
        return None
    many = _pulled(is_flipped, many[np.argsort(_far(many, start, distance), kind="stable")][:_LINES], start)
    ends = [_descended(is_flipped, one, start, distance, rng) for one in _apart(many, start, distance)]
    return ends[int(_far(np.array(ends), start, distance).argmin())]


def _apart(many: Floats, start: Floats, distance: Distance) -> list[Floats]:
    """Pick the nearest, then the nearest in other directions."""
    order = np.argsort(_far(many, start, distance), kind="stable")
    way = many[order] - start
    way /= np.maximum(np.sqrt((way**2).sum(axis=1)), 1e-300)[:, None]
    picked: list[int] = []
    for at in range(len(order)):
        if len(picked) < _STARTS and all(way[at] @ way[other] < _SAME_WAY for other in picked):
            picked.append(at)
    return [many[order[at]] for at in picked]


def _descended(
    is_flipped: IsFlipped, best: Floats, start: Floats, distance: Distance, rng: np.random.Generator
) -> Floats:
    """Step at random from weights that flip to nearer ones that do."""
    k = start.size
    step = 0.5
    for _ in range(_ROUNDS):
        far = _far(best[None], start, distance)[0]
        # Some steps move all weights, others two of them; each goes a little towards the start as well.
        move = rng.standard_normal((_OF_A_ROUND, k))
        is_sparse = np.arange(_OF_A_ROUND) % 2 == 1
        move[is_sparse] *= rng.random((_OF_A_ROUND, k))[is_sparse] < 2.0 / k
        move *= step * far / np.sqrt(k)
        pulled = best + (start - best) * (rng.random(_OF_A_ROUND) * step)[:, None]
        tried = np.maximum(pulled + move, 0.0)
        # Setting a weight back to where it was makes a change simple, and by l1 small.
        is_back = (rng.random(tried.shape) < 1.0 / k) & (np.arange(_OF_A_ROUND) % 4 == 0)[:, None]
        tried = np.where(is_back, start, tried)
        tried = tried[tried.sum(axis=1) > 0]
        tried /= tried.sum(axis=1)[:, None]
        tried = tried[_far(tried, start, distance) < far * (1 - 1e-9)]
        tried = tried[is_flipped(tried)] if len(tried) else tried
        if len(tried):
            tried = _pulled(is_flipped, tried, start)
            best = tried[_far(tried, start, distance).argmin()]
        step = min(step * 1.2, 1.0) if len(tried) > 4 else step * 0.8
    return best


def _few(k: int, rng: np.random.Generator) -> Floats:
    """Draw weights of few indicators alone: where all others have none, orders differ that differ nowhere else."""
    drawn = rng.dirichlet(np.full(k, 0.7), 8 * _OF_EACH) * (rng.random((8 * _OF_EACH, k)) < 2.5 / k)
    drawn = drawn[drawn.sum(axis=1) > 0]
    return np.asarray(drawn / drawn.sum(axis=1)[:, None])


def _far(many: Floats, start: Floats, distance: Distance) -> Floats:
    change = many - start
    return np.asarray(np.abs(change).sum(axis=1) if distance == "l1" else np.sqrt((change**2).sum(axis=1)))


def _pulled(is_flipped: IsFlipped, many: Floats, start: Floats) -> Floats:
    """Halve each way to the start again and again, keeping an end that flips."""
    inner, outer = np.zeros(len(many)), np.ones(len(many))
    for _ in range(35):
        middle = (inner + outer) / 2
        at = start + (many - start) * middle[:, None]
        flips = is_flipped(at)
        inner, outer = np.where(flips, inner, middle), np.where(flips, middle, outer)
    return np.asarray(start + (many - start) * outer[:, None])

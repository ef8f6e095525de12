"""Ten thousand rankings drawn at random against scikit-criteria one by one, and a slider that moves one weight."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

from analysis.core.indicator_draws import NORMALISATIONS, Indicators
from analysis.core.rank_draws import Choices, Dirichlet, KeptDraws, Within, drawn_ranks, drawn_weights, kept_draws
from analysis.core.ranking import METHODS, Method
from analysis.core.uncertainty import rank_uncertainty, rank_uncertainty_of
from tests.benchmarks.measuring import Report, Row
from tests.benchmarks.peers_installed import PeerProcess, peers_ready

LIMIT_MS, SLIDER_LIMIT_MS = 500.0, 100.0
REQUIRED = 20.0
BY_PEER = 200
"""So many rankings the peer is asked for; its time is multiplied up to ours, as the row says."""

CASES: dict[str, Method] = {"rankings drawn, weighted sum": "arithmetic", "rankings drawn, TOPSIS": "topsis"}
SLIDER = "a weight moved, ranks and intervals"


def index_cases(report: Report, runs: int, places: int = 400, indicators: int = 30, draws: int = 10_000) -> None:
    """Measure drawn rankings with their summary, and a moved weight on draws that were kept.

    Parameters
    ----------
    report
        Where the rows go.
    runs
        Interleaved runs of each.
    places, indicators, draws
        How many.
    """
    rng = np.random.default_rng(7)
    values, weights = rng.random((places, indicators)), np.ones(indicators)
    given = Indicators(values, ["more-is-worse"] * indicators, np.tile([0.0, 1.0], (indicators, 1)))
    size = f"{draws:,} of {places} × {indicators}"
    with tempfile.TemporaryDirectory() as folder:
        peer = _peer(report, Path(folder), given, weights, min(BY_PEER, draws))
        for name, method in CASES.items():
            choices = Choices(Within(0.25), aggregations=(method,))
            rank_uncertainty(given, weights, choices, draws=10)  # once before, so that compiled code is loaded
            ours: list[float] = []
            theirs: list[float] = []
            for _ in range(runs):
                started = perf_counter()
                rank_uncertainty(given, weights, choices, draws=draws)
                ours.append((perf_counter() - started) * 1000)
                if peer is not None:
                    theirs.append(peer.run_ms(method) * draws / min(BY_PEER, draws))
            if peer is not None:
                expected = drawn_ranks(_kept(given, method, min(BY_PEER, draws)), weights / weights.sum())
                np.testing.assert_array_equal(
                    np.load(Path(folder) / "ranks.npy"), expected, err_msg="The peer computed something else."
                )
                label = f"scikit-criteria, {min(BY_PEER, draws)} and multiplied"
                report.add(Row(name, size, median(ours), label, median(theirs), runs, REQUIRED))
            report.add(Row(name, size, median(ours), f"the limit of {LIMIT_MS:g} ms", LIMIT_MS, runs, 1.0))
        if peer is not None:
            peer.close()
    _slider_cases(report, runs, given, draws)


def _slider_cases(report: Report, runs: int, given: Indicators, draws: int) -> None:
    """Move one weight, by the plainest choices and by all there are at once; with errors on fewer draws."""
    k = given.values.shape[1]
    size = f"{draws:,} of {len(given.values)} × {k}"
    noisy = Indicators(given.values, given.directions, given.goalposts, np.full(k, 0.05))
    fewer = max(draws // 10, 1)
    for case, indicators, choices, of in (
        (SLIDER, given, Choices(Within(0.25)), draws),
        ("  by all methods", given, Choices(Dirichlet(100.0), NORMALISATIONS, METHODS), draws),
        ("  by all methods, with errors", noisy, Choices(Dirichlet(100.0), NORMALISATIONS, METHODS), fewer),
    ):
        kept = kept_draws(indicators, choices, of)
        weights = np.ones(k)
        rank_uncertainty_of(kept, weights)
        times: list[float] = []
        for run in range(max(runs, 3)):
            weights[0] = 1.5 + 0.1 * run
            started = perf_counter()
            rank_uncertainty_of(kept, weights)
            times.append((perf_counter() - started) * 1000)
        of_size = size if of == draws else f"{of:,} of {len(given.values)} × {k}"
        limit = f"the limit of {SLIDER_LIMIT_MS:g} ms"
        required = 1.0 if case == SLIDER else None  # the others are told, not judged
        report.add(Row(case, of_size, median(times), limit, SLIDER_LIMIT_MS, len(times), required))


def _kept(given: Indicators, method: Method, draws: int) -> KeptDraws:
    return kept_draws(given, Choices(Within(0.25), aggregations=(method,)), draws)


def _peer(report: Report, folder: Path, given: Indicators, weights: np.ndarray, draws: int) -> PeerProcess | None:
    if not peers_ready(report):
        return None
    share = drawn_weights(_kept(given, "arithmetic", draws), weights / weights.sum())
    np.savez(folder / "city.npz", scores=given.values, weights=share)
    peer = PeerProcess(_BY_SCIKIT_CRITERIA, folder)
    if peer.is_there:
        return peer
    report.note("scikit-criteria is not installed, so drawn rankings are compared with nobody.")
    peer.close()
    return None


_BY_SCIKIT_CRITERIA = """
import sys, time, warnings
warnings.simplefilter("ignore")
import numpy as np
import skcriteria
from skcriteria.agg.simple import WeightedSumModel
from skcriteria.agg.topsis import TOPSIS
folder = sys.argv[1]
city = np.load(folder + "/city.npz")
scores, weights = city["scores"], city["weights"]
# Its TOPSIS takes the ideals from the data: two rows of ends are added, which take the first and the last rank.
ends = np.vstack((scores, np.ones(scores.shape[1]), np.zeros(scores.shape[1])))
best = [max] * scores.shape[1]
print("ready", flush=True)
for line in sys.stdin:
    ranks = []
    started = time.perf_counter()
    if line.strip() == "topsis":
        method = TOPSIS()
        for weight in weights:
            ranks.append(method.evaluate(skcriteria.mkdm(ends * weight, best)).rank_)
    else:
        method = WeightedSumModel()
        for weight in weights:
            ranks.append(method.evaluate(skcriteria.mkdm(scores, best, weights=weight)).rank_)
    ms = (time.perf_counter() - started) * 1000
    ranks = np.array(ranks)
    np.save(folder + "/ranks.npy", ranks[:, :-2] - 1 if line.strip() == "topsis" else ranks)
    print(ms, flush=True)
"""

__all__ = ["CASES", "SLIDER", "index_cases"]

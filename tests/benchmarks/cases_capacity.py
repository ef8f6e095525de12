"""Floating catchments of a million pairs against PySAL's `access`, from the same pairs."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

from analysis.core.capacity import E2SFCA, Decay, floating_catchments, pairs, within
from tests.benchmarks.measuring import Report, Row
from tests.benchmarks.peers_installed import PeerProcess, peers_ready

CASES: dict[str, tuple[Decay, float]] = {"2SFCA": (within(30.0), 5.0), "E2SFCA": (E2SFCA, 40.0)}
"""Weights of each method, and how many times as fast as the peer it must be."""
_MOST_COST = 40.0


def capacity_cases(report: Report, runs: int, demand: int = 5_000, supply: int = 500, near: int = 1_000_000) -> None:
    """Measure both methods on so many random pairs, each with everything from arrays of pairs to access.

    Parameters
    ----------
    report
        Where the rows go.
    runs
        Interleaved runs of each.
    demand, supply, near
        Places, facilities, and pairs of them within `_MOST_COST` minutes; a quarter is too far to count.
    """
    rng = np.random.default_rng(20)
    start, end = np.divmod(rng.choice(demand * supply, near, replace=False), supply)
    city = {
        "demand": start,
        "supply": end,
        "cost": rng.uniform(0.0, _MOST_COST, near),
        "people": rng.gamma(2.0, 500.0, demand),
        "capacity": rng.gamma(2.0, 50.0, supply),
    }
    size = f"{demand:,} × {supply:,}, {near:,} pairs"
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / "city.npz", **city)
        peer = PeerProcess(_BY_PYSAL, Path(folder)) if peers_ready(report) else None
        if peer is not None and not peer.is_there:
            report.note("PySAL's access is not installed, so floating catchments are compared with nobody.")
            peer.close()
            peer = None
        for name, (decay, required) in CASES.items():
            ours: list[float] = []
            theirs: list[float] = []
            access = _ours(city, decay)  # once before, so that compiled code is loaded
            for _ in range(runs):
                started = perf_counter()
                access = _ours(city, decay)
                ours.append((perf_counter() - started) * 1000)
                if peer is not None:
                    theirs.append(peer.run_ms(name))
            if peer is None:
                report.add(Row(name, size, median(ours), "nobody here", None, runs))
                continue
            np.testing.assert_allclose(
                access, np.load(Path(folder) / "access.npy"), rtol=1e-9, err_msg="The peer computed something else."
            )
            report.add(Row(name, size, median(ours), "PySAL access", median(theirs), runs, required))
        if peer is not None:
            peer.close()


def _ours(city: dict[str, np.ndarray], decay: Decay) -> np.ndarray:
    people, capacity = city["people"], city["capacity"]
    near = pairs(city["demand"], city["supply"], city["cost"], people.size, capacity.size)
    return floating_catchments(near, people, capacity, decay).access


_BY_PYSAL = """
import sys, time, warnings
import numpy as np, pandas as pd
from access import weights
from access.fca import two_stage_fca
warnings.simplefilter("ignore")
folder = sys.argv[1]
city = np.load(folder + "/city.npz")
demand = pd.DataFrame({"demand": city["people"]}, index=pd.RangeIndex(city["people"].size, name="geoid"))
supply = pd.DataFrame({"supply": city["capacity"]}, index=pd.RangeIndex(city["capacity"].size, name="geoid"))
cost = pd.DataFrame({"origin": city["demand"], "dest": city["supply"], "cost": city["cost"]})
steps = weights.step_fn({10: 1.0, 20: 0.68, 30: 0.22})
print("ready", flush=True)
for line in sys.stdin:
    weight = steps if line.strip() == "E2SFCA" else None
    started = time.perf_counter()
    access = two_stage_fca(demand, supply, cost, 30.0, weight_fn=weight)
    ms = (time.perf_counter() - started) * 1000
    np.save(folder + "/access.npy", access.reindex(demand.index, fill_value=0.0).to_numpy())
    print(ms, flush=True)
"""

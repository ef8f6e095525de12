"""Times over a friction surface against scikit-image's minimum cost paths, on real and on invented ground."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import rasterio
from scipy.ndimage import gaussian_filter
from skimage.graph import MCP_Geometric

from analysis.core.friction import (
    TOBLER_FLAT_KMH,
    FrictionCosts,
    Neighbours,
    Surface,
    friction_costs,
    friction_surface,
    with_facilities,
)
from geo.core.grid import Grid
from tests.benchmarks.city import ROOT
from tests.benchmarks.measuring import Report, Row, interleaved_ms

DATA = Path(os.environ.get("MAHALLEH_DATA") or ROOT.parent / "shared" / "data")
SERVICES = 12
FACILITIES = 25
REQUIRED = 1.5
"""How many times as fast as the peer one search must be, in one thread as the peer's."""
_CELL_M = 30.0
_LARGE = 1_000_000


def friction_cases(report: Report, runs: int, side: int) -> None:
    """Measure one service and many on the elevation of Porto Alegre and on invented hills.

    Parameters
    ----------
    report
        Where the rows go.
    runs
        Interleaved runs of each.
    side
        Cells along a side of the invented hills.
    """
    rng = np.random.default_rng(30)
    grounds = {"hills": gaussian_filter(rng.normal(size=(side, side)), 15) * 1_500}
    real = DATA / "porto_alegre" / "poa_elevation.tif"
    if real.exists():
        with rasterio.open(real) as file:
            grounds = {"Porto Alegre": file.read(1).astype(np.float64), **grounds}
    else:
        report.note(f"There is no elevation of Porto Alegre at {DATA}: only invented hills are measured.")
    for name, height in grounds.items():
        _measure(report, runs, name, height)


def _measure(report: Report, runs: int, name: str, height: np.ndarray) -> None:
    rows, cols = height.shape
    rng = np.random.default_rng(31)
    services = [rng.integers(0, height.size, FACILITIES) for _ in range(SERVICES)]
    walked = {1: TOBLER_FLAT_KMH}
    grid, classes = Grid(32722, 0.0, rows * _CELL_M, _CELL_M, rows, cols), np.ones(height.size, dtype=np.int64)
    steep, directional = (
        friction_surface(classes, walked, grid, elevation_m=height.ravel(), slope=slope)
        for slope in ("steepness", "directional")
    )
    seconds = (steep.slowness_s_per_m * _CELL_M).reshape(rows, cols)

    many = SERVICES if height.size < _LARGE else SERVICES // 3

    def peer(number: int = 0) -> np.ndarray:
        starts = np.stack(np.divmod(services[number], cols), axis=1)
        return MCP_Geometric(seconds, fully_connected=True).find_costs(starts)[0].ravel()

    def ours(surface: Surface, asked: int, neighbours: Neighbours = 8) -> FrictionCosts:
        return friction_costs(surface, services[:asked], neighbours=neighbours)

    np.testing.assert_allclose(ours(steep, 1).time_s[0], peer(), rtol=1e-6, err_msg="The peer computed something else.")
    few = {
        "peer": peer,
        "one service, isotropic": lambda: ours(steep, 1),
        "one service by direction, 16 neighbours": lambda: ours(directional, 1, 16),
    }
    times = interleaved_ms(few, runs)
    size = f"{name}, {rows:,} × {cols:,}"
    label = "skimage MCP_Geometric"
    alone = times["one service, isotropic"]
    report.add(Row("friction, one service", size, alone, label, times["peer"], runs, REQUIRED))
    case = "friction by direction, 16 neighbours"
    by_direction = times["one service by direction, 16 neighbours"]
    report.add(Row(case, size, by_direction, f"{label}, isotropic, 8", times["peer"], runs))
    several = {"ours": lambda: ours(steep, many), "peer": lambda: [peer(number) for number in range(many)]}
    times = interleaved_ms(several, runs if many == SERVICES else 1)
    case = f"friction, {many} services in threads"
    report.add(Row(case, size, times["ours"], f"{label}, one by one", times["peer"], runs))
    before = ours(steep, 1)
    added = np.array([height.size // 3])
    times = interleaved_ms({"ours": lambda: with_facilities(steep, before, 0, added)}, runs)
    report.add(Row("friction, a facility added", size, times["ours"], "", None, runs))

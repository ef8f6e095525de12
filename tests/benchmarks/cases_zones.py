"""People of zones by exact shares of cells, against exactextract (as exact) and rasterstats (whole cells alone)."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

import geopandas
import numpy as np
import rasterio
from exactextract import exact_extract
from rasterio.transform import from_origin

from analysis.core.population import people_in_cells
from analysis.selectors import places_read
from geo.core.crs import STORAGE_EPSG, project
from geo.core.grid import Grid, grid_around
from geo.querysets import system_user
from tests.benchmarks.measuring import Report, Row, interleaved_ms
from tests.benchmarks.peers_installed import PeerProcess, peers_ready
from tests.benchmarks.question import city

CELL_M: Final = 5.0
_EPSG: Final = 32639


def zones_cases(report: Report, runs: int, cell_m: float = CELL_M) -> None:
    """Measure the people of all places of the demo city, from a raster in a file and polygons in memory.

    Parameters
    ----------
    report
        Where the rows go.
    runs
        Interleaved runs of each.
    cell_m
        Side of a pixel; smaller ones make a larger raster of the same city.
    """
    places = project(places_read(city(), system_user()).geometries_4326, STORAGE_EPSG, _EPSG)
    frame = geopandas.GeoDataFrame({"zone": np.arange(len(places))}, geometry=places, crs=_EPSG)
    west, south, east, north = frame.total_bounds
    grid = grid_around((west, south, east, north), _EPSG, cell_m, 4 * cell_m)
    people = np.random.default_rng(12).gamma(0.5, 0.4, grid.n_cells).astype(np.float32)
    size = f"{len(places)} zones, {grid.n_cols:,} × {grid.n_rows:,} pixels"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        raster = folder / "people.tif"
        _written(raster, grid, people)
        frame.to_file(folder / "zones.gpkg", driver="GPKG")

        def ours() -> np.ndarray:
            with rasterio.open(raster) as file:
                return people_in_cells(file.read(1).ravel(), places, grid)

        def theirs() -> np.ndarray:
            return exact_extract(raster, frame, ["sum"], output="pandas")["sum"].to_numpy()

        expected = ours()
        np.testing.assert_allclose(theirs(), expected, rtol=1e-4, err_msg="The peer computed something else.")
        times = interleaved_ms({"ours": ours, "exactextract": theirs}, runs)
        report.add(Row("people of zones, exact", size, times["ours"], "exactextract", times["exactextract"], runs, 1.0))
        if not peers_ready(report):
            return
        peer = PeerProcess(_BY_RASTERSTATS, folder)
        if not peer.is_there:
            report.note("rasterstats is not installed, so zones are compared with exactextract alone.")
            peer.close()
            return
        mine: list[float] = []
        other: list[float] = []
        for _ in range(runs):
            mine.append(_ms(ours))
            other.append(peer.run_ms())
        # It counts a pixel whole where its centre is inside, so that zones differ a little, and the city hardly.
        counted = np.load(folder / "counted.npy")
        assert abs(counted.sum() / expected.sum() - 1) < 2e-3, "The peer computed something else."
        peer.close()
        report.add(
            Row("people of zones, exact", size, median(mine), "rasterstats, whole pixels", median(other), runs, 4.0)
        )
        off = np.abs(counted / np.maximum(expected, 1.0) - 1).max()
        report.note(f"Counting pixels whole, rasterstats is off by up to {off:.1%} in a zone.")


def _written(path: Path, grid: Grid, people: np.ndarray) -> None:
    with rasterio.open(
        path, "w", driver="GTiff", width=grid.n_cols, height=grid.n_rows, count=1, dtype="float32", crs=f"EPSG:{grid.epsg}",
        transform=from_origin(grid.x_min_m, grid.y_max_m, grid.cell_m, grid.cell_m), tiled=True, compress="deflate",
    ) as file:  # fmt: skip
        file.write(people.reshape(grid.n_rows, grid.n_cols), 1)


def _ms(job: Callable[[], object]) -> float:
    started = perf_counter()
    job()
    return (perf_counter() - started) * 1000


_BY_RASTERSTATS = """
import sys, time, warnings
import geopandas, numpy as np
from rasterstats import zonal_stats
warnings.simplefilter("ignore")
folder = sys.argv[1]
zones = geopandas.read_file(folder + "/zones.gpkg")
print("ready", flush=True)
for line in sys.stdin:
    started = time.perf_counter()
    found = zonal_stats(zones, folder + "/people.tif", stats=["sum"])
    ms = (time.perf_counter() - started) * 1000
    np.save(folder + "/counted.npy", np.array([zone["sum"] or 0.0 for zone in found], dtype=float))
    print(ms, flush=True)
"""

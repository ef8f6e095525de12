"""The parts of the method, each against the library that does the same: shares of cells, nearest facility, people of places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import rasterio
import rasterio.features
import shapely
from django.conf import settings
from exactextract import exact_extract
from exactextract.raster import NumPyRasterSource
from scipy.spatial import cKDTree

from analysis import selectors
from analysis.core.cost import straight_cost_m
from analysis.core.population import people_from_raster, pixel_corners
from analysis.inputs import inputs_read
from analysis.results import Question
from geo.core.cell_shares import cell_fractions
from geo.core.crs import STORAGE_EPSG, project
from geo.core.grid import Grid
from geo.querysets import system_user
from layers.models import Raster
from tests.benchmarks.measuring import Report, Row, interleaved_ms
from tests.benchmarks.question import city


def parts_cases(report: Report, runs: int) -> None:
    """Measure the three parts, checking that both sides give the same."""
    place, user = city(), system_user()
    inputs = inputs_read(selectors.city_read(place, user), Question())
    grid = inputs.grid
    polygons_m = project(inputs.places.geometries_4326, STORAGE_EPSG, grid.epsg)
    _shares(report, runs, polygons_m, grid)
    inside = np.zeros(grid.n_cells, dtype=bool)
    inside[cell_fractions(polygons_m, grid).indices] = True
    layers = [
        project(selectors.facilities_read(s.release_id, s.where), STORAGE_EPSG, grid.epsg) for s in inputs.services
    ]
    _nearest_points(report, runs, [g for g in layers if (shapely.get_type_id(g) == 0).all()], grid, inside)
    lines = [g for g in layers if (shapely.get_type_id(g) % 4 == 1).all()]
    outlines = [shapely.boundary(g) for g in layers if (shapely.get_dimensions(g) == 2).all()]
    _nearest_lines(report, runs, (lines or outlines)[0], grid, inside)
    raster = Raster.objects.get(release_id=inputs.population.release_id) if inputs.population else None
    if raster:
        _people(report, runs, settings.RASTER_DIR / raster.file, polygons_m, grid)


def _shares(report: Report, runs: int, polygons_m: np.ndarray, grid: Grid) -> None:
    x_min, y_min, x_max, y_max = grid.bounds_m
    cells = np.arange(grid.n_cells, dtype=np.int32).reshape(grid.n_rows, grid.n_cols)
    table = geopandas.GeoDataFrame(geometry=polygons_m, crs=grid.epsg)
    bounds = {"xmin": x_min, "ymin": y_min, "xmax": x_max, "ymax": y_max}
    source = NumPyRasterSource(cells, **bounds, srs_wkt=table.crs.to_wkt())

    def peer() -> Any:
        return exact_extract(source, table, ["values", "coverage"], output="pandas")

    theirs = float(sum(values.sum() for values in peer()["coverage"]))
    assert abs(cell_fractions(polygons_m, grid).sum() / theirs - 1) < 1e-6
    times = interleaved_ms({"ours": lambda: cell_fractions(polygons_m, grid), "peer": peer}, runs)
    size = f"{len(polygons_m)} × {grid.n_cells:,} cells"
    report.add(Row("shares of cells in places", size, times["ours"], "exactextract", times["peer"], runs))


def _nearest_points(report: Report, runs: int, layers: list[np.ndarray], grid: Grid, inside: np.ndarray) -> None:
    centres = grid.centres_m()[inside]
    coordinates = [shapely.get_coordinates(layer) for layer in layers]

    def ours() -> list[np.ndarray]:
        return [straight_cost_m(layer, grid, only=inside) for layer in layers]

    def peer() -> list[np.ndarray]:
        return [cKDTree(points).query(centres, workers=-1)[0] for points in coordinates]

    for mine, theirs in zip(ours(), peer(), strict=True):
        np.testing.assert_allclose(mine[inside], theirs, rtol=1e-5)
    times = interleaved_ms({"ours": ours, "peer": peer}, runs)
    size = f"{len(layers)} × {len(centres):,} cells"
    report.add(Row("nearest facility", size, times["ours"], "scipy cKDTree, all processors", times["peer"], runs))


def _nearest_lines(report: Report, runs: int, layer: np.ndarray, grid: Grid, inside: np.ndarray) -> None:
    centres = shapely.points(grid.centres_m()[inside])

    def ours() -> np.ndarray:
        return straight_cost_m(layer, grid, only=inside)

    def peer() -> np.ndarray:
        tree = shapely.STRtree(layer)
        (asked, _), found = tree.query_nearest(centres, return_distance=True, all_matches=False)
        distances = np.empty(len(centres))
        distances[asked] = found
        return distances

    np.testing.assert_allclose(ours()[inside], peer(), rtol=1e-5, atol=1e-3)
    times = interleaved_ms({"ours": ours, "peer": peer}, min(runs, 3))
    size = f"{len(layer):,} × {len(centres):,} cells"
    report.add(Row("nearest main (lines)", size, times["ours"], "shapely STRtree.query_nearest", times["peer"], runs))


def _people(report: Report, runs: int, path: Path, polygons_m: np.ndarray, grid: Grid) -> None:
    with rasterio.open(path) as file:
        assert file.crs.to_epsg() == grid.epsg, "exactextract needs polygons in the raster's own system."
    table = geopandas.GeoDataFrame(geometry=polygons_m, crs=grid.epsg)

    def ours() -> np.ndarray:
        with rasterio.open(path) as file:
            values, corners = file.read(1), pixel_corners(tuple(file.transform)[:6], file.shape)
            people = people_from_raster(values, corners, grid, nodata=file.nodata)
        return np.asarray(cell_fractions(polygons_m, grid) @ people)

    def exactly() -> np.ndarray:
        return np.asarray(exact_extract(path, table, "sum", output="pandas")["sum"])

    def by_centres() -> np.ndarray:
        """Count whole pixels by their centre, as rasterio's masks do: quick, and wrong along every border."""
        people = np.zeros(len(polygons_m))
        with rasterio.open(path) as file:
            values = file.read(1)
            for i, polygon in enumerate(polygons_m):
                window = rasterio.features.geometry_window(file, [polygon])
                rows, columns = window.toslices()
                mask = rasterio.features.geometry_mask(
                    [polygon], (window.height, window.width), file.window_transform(window), invert=True
                )
                people[i] = values[rows, columns][mask].sum()
        return people

    mine = ours()
    np.testing.assert_allclose(mine, exactly(), rtol=1e-3, atol=0.5)
    times = interleaved_ms({"ours": ours, "exactextract": exactly, "rasterio": by_centres}, runs)
    size = f"{len(polygons_m)} places"
    report.add(
        Row("people of places from a raster", size, times["ours"], "exactextract, sum", times["exactextract"], runs)
    )
    worst = np.abs(by_centres() / np.maximum(mine, 1) - 1).max()
    label = f"rasterio masks (up to {worst:.0%} off)"
    report.add(Row("people of places from a raster", size, times["ours"], label, times["rasterio"], runs))

"""A city that tiles the plane without gap or overlap, made of seeded Voronoi cells with crooked boundaries."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import shapely

from geo.core.partition import Partition, partition_of, polygons_of

WEST, SOUTH, SIZE = 48.30, 33.45, 0.10


def city(n_places: int, *, seed: int, bends: int = 3) -> Partition:
    """Give a city of places ``p000``, ``p001`` …, its vertices as unround as those of real files."""
    rng = np.random.default_rng(seed)
    # A jittered lattice, so that no cell is a needle.
    side = int(np.ceil(np.sqrt(n_places)))
    column, row = np.divmod(rng.permutation(side * side)[:n_places], side)
    x = WEST + (column + 0.5 + rng.uniform(-0.3, 0.3, n_places)) * SIZE / side
    y = SOUTH + (row + 0.5 + rng.uniform(-0.3, 0.3, n_places)) * SIZE / side
    box = shapely.box(WEST, SOUTH, WEST + SIZE, SOUTH + SIZE)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(np.stack((x, y), axis=1)), extend_to=box))
    # Cells are cut by the box one by one: their common corners on it are made one by rounding.
    cut = shapely.set_precision(shapely.intersection(cells, box), 1e-9)
    straight = partition_of({f"p{index:03}": cell for index, cell in enumerate(cut)})
    crooked = Partition(tuple(_bent(arc, bends, rng) for arc in straight.arcs), straight.faces)
    polygons = polygons_of(crooked)
    assert shapely.coverage_is_valid(np.array(list(polygons.values())))
    assert all(polygon.is_valid for polygon in polygons.values())
    return partition_of(polygons)


def _bent(arc: np.ndarray, bends: int, rng: np.random.Generator) -> np.ndarray:
    """Put vertices into each edge, some hundredths of its length to its sides."""
    points = [arc[:1]]
    for start, end in pairwise(arc):
        along = np.arange(1, bends + 1)[:, None] / (bends + 1)
        step = end - start
        # Less towards the ends, so that edges that meet at a sharp angle do not cross.
        aside = np.array([-step[1], step[0]]) * rng.uniform(-0.1, 0.1, (bends, 1)) * along * (1 - along)
        points += [start + along * step + aside, end[None]]
    return np.concatenate(points)


def uncovered_deg2(partition: Partition) -> float:
    """Give what the faces cover twice: the sum of their areas less the area of their union, in square degrees."""
    polygons = np.array(list(partition.polygons.values()))
    return float(shapely.area(polygons).sum() - shapely.union_all(polygons).area)

"""How much work a drawn shape makes, estimated before it is done: a scribble is refused, not computed for minutes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.errors import GeometryError, LimitExceeded

MOST_VERTICES: Final = 20_000
"""Of one shape: what can be measured in a second or two. No boundary drawn by hand has a tenth of it."""

MOST_CROSSINGS: Final = 5_000
"""How often the edges of a shape may cross edges in force, each counted once for every place it bounds."""

MOST_CROSSINGS_IN_ALL: Final = 20_000
"""How often those of all shapes of a request may."""

AROUND_DEGREES: Final = 0.5
"""How far beyond a city's places something may be drawn: some fifty kilometres."""

_PAIRS_A_VERTEX: Final = 10
"""How many edges may lie near an edge, on average, for a shape to be mended."""

_STEP: Final = 1_000_000
"""Pairs of edges looked at in one go."""

_MOST_PAIRS: Final = 1_000_000
"""Pairs of edges looked at in all: more have long edges that lie over everything."""


def is_mendable(geometry: shapely.Geometry) -> bool:
    """Tell whether mending a shape that crosses itself is sure to end soon: it is small, and its edges are spread.

    Examples
    --------
    >>> is_mendable(shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]))
    True
    >>> is_mendable(shapely.Polygon(np.random.default_rng(1).random((15_000, 2))))
    False
    """
    n = int(shapely.get_num_coordinates(geometry))
    if n > MOST_VERTICES:
        return False
    lines = _lines(_ends_of([geometry]))
    tree = shapely.STRtree(lines)
    most, step, pairs = max(1_000, _PAIRS_A_VERTEX * n), max(1, _STEP // max(n, 1)), 0
    for start in range(0, len(lines), step):
        pairs += tree.query(lines[start : start + step]).shape[1]
        if pairs > most:
            return False
    return True


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """The boundaries in force, made ready for the question how often others cross them.

    Attributes
    ----------
    tree : STRtree
        Their edges.
    known : frozenset
        Their edges as numbers, either way round the same.
    around : Polygon
        Where something may be drawn; None where there are no boundaries.
    """

    tree: shapely.STRtree
    known: frozenset[tuple[float, ...]]
    around: shapely.Geometry | None


def ground_of(in_force: Iterable[shapely.Geometry]) -> Ground:
    """Make boundaries ready to be compared with."""
    shapes = list(in_force)
    xy = _ends_of(shapes)
    around = None
    if len(xy):
        around = shapely.box(*(shapely.total_bounds(shapes) + np.array([-1, -1, 1, 1]) * AROUND_DEGREES))
    return Ground(shapely.STRtree(_lines(xy)), frozenset(map(tuple, xy.tolist())), around)


def effort_required(drawn: Sequence[tuple[str, shapely.Geometry]], ground: Ground) -> None:
    """Refuse a shape that lies far from the city, or crosses the boundaries in force so often that it falls into thousands of bits.

    Parameters
    ----------
    drawn : sequence of tuple
        Where each shape stands in the request, and the shape.
    ground : Ground
        The boundaries in force.

    Raises
    ------
    GeometryError, LimitExceeded
        Naming the shape.

    Examples
    --------
    >>> effort_required([("a", shapely.box(0.8, 0.8, 2, 2))], ground_of([shapely.box(1, 1, 3, 3)]))
    """
    if ground.around is None:
        return
    in_all = 0
    for where, shape in drawn:
        _near_required(where, shape, ground.around)
        # Most edges of an edited place are those it had: only the others can cross anything.
        own = _lines(np.array([e for e in _ends_of([shape]).tolist() if tuple(e) not in ground.known]).reshape(-1, 4))
        step = max(1, _STEP // len(ground.tree))
        crossings = looked_at = 0
        for start in range(0, len(own), step):
            some = own[start : start + step]
            looked_at += ground.tree.query(some).shape[1]
            if looked_at <= _MOST_PAIRS:
                crossings += ground.tree.query(some, predicate="crosses").shape[1]
            most = min(MOST_CROSSINGS, MOST_CROSSINGS_IN_ALL - in_all)
            if crossings > most or looked_at > _MOST_PAIRS:
                raise LimitExceeded(
                    "The shape crosses the boundaries in force more often than can be worked out.",
                    code="too_many_crossings",
                    where=where,
                    remedy="Draw it along the boundaries in force, or simplify it.",
                )
        in_all += crossings


def _near_required(where: str, shape: shapely.Geometry, around: shapely.Geometry) -> None:
    west, south, east, north = shapely.bounds(shape)
    if not around.covers(shapely.box(west, south, east, north)):
        raise GeometryError(
            f"The shape reaches {west:.4f}, {south:.4f} to {east:.4f}, {north:.4f}, far from the city.",
            code="far_away",
            where=where,
            remedy="Give longitude first, then latitude, in degrees.",
        )


def _ends_of(geometries: Iterable[shapely.Geometry]) -> NDArray[np.float64]:
    """Return the ends of all edges of polygons, shape ``(n, 4)``, the lower end first.

    Examples
    --------
    >>> _ends_of([shapely.box(0, 0, 1, 1)]).tolist()[0]
    [1.0, 0.0, 1.0, 1.0]
    """
    rings = shapely.get_rings(shapely.get_parts(np.array(list(geometries), dtype=object)))
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    same = ring[1:] == ring[:-1]
    ends = np.hstack((xy[:-1][same], xy[1:][same]))
    turned = (ends[:, 0] > ends[:, 2]) | ((ends[:, 0] == ends[:, 2]) & (ends[:, 1] > ends[:, 3]))
    ends[turned] = ends[turned][:, [2, 3, 0, 1]]
    return ends


def _lines(ends: NDArray[np.float64]) -> NDArray[np.object_]:
    lines: NDArray[np.object_] = shapely.linestrings(ends.reshape(-1, 2, 2))
    return lines

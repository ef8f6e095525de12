"""Snapping a change set's edits at save: to the neighbours that stay, and to each other, without opening shared edges."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.core.partition import Partition, partition_of, polygons_of
from geo.core.snapping import SNAP_TOLERANCE_M, Targets, snap, targets_of
from geo.core.validity import as_multipolygon
from geo.services.edits import Edit

Shapes = Mapping[str, shapely.Geometry]


def snapped(edits: Sequence[Edit], near: Shapes, free: Collection[str] = ()) -> tuple[list[Edit], float]:
    """Move the vertices of edits onto neighbouring boundaries within the tolerance of the workbench.

    Parameters
    ----------
    edits : sequence of Edit
        With valid geometries in EPSG:4326.
    near : mapping of str to Geometry
        Neighbours that are not edited, by code; they stay as they are.
    free : collection of str
        Codes of settlements: they lie freely, are moved onto neighbourhoods, and nothing is moved onto them.

    Returns
    -------
    tuple of list of Edit and float
        The edits, and how far the farthest vertex moved, in metres.
    """
    drawn = {edit.code: edit.geometry for edit in edits if edit.geometry is not None}
    tiles, farthest_m = tiles_snapped({code: shape for code, shape in drawn.items() if code not in free}, near)
    moved = dict(tiles)
    loose = [code for code in free if code in drawn]
    targets = targets_of([*near.values(), *tiles.values()]) if loose and (near or tiles) else None
    for code in loose:
        if targets is not None:
            moved[code], moved_m = snap(drawn[code], targets, SNAP_TOLERANCE_M)
            farthest_m = max(farthest_m, moved_m)
    return [
        replace(edit, geometry=as_multipolygon(moved[edit.code]))
        if edit.code in moved and moved[edit.code] is not edit.geometry
        else edit
        for edit in edits
    ], farthest_m


def tiles_snapped(tiles: Shapes, near: Shapes) -> tuple[dict[str, shapely.Geometry], float]:
    """Move the edges of neighbourhoods that match no neighbour's onto those that are near.

    What two of them share already is moved for both, and only at its ends: snapped one by one, each would be drawn to
    vertices the other has, and the ground between them would open.

    Returns
    -------
    tuple of dict and float
        The neighbourhoods by code, those that did not change as they were, and the largest move in metres.
    """
    result = dict(tiles)
    if not tiles or shapely.coverage_is_valid(np.array([*tiles.values(), *near.values()], dtype=object)):
        return result, 0.0
    partition = partition_of({**near, **tiles})
    arcs = list(partition.arcs)
    loose = [index for index, users in enumerate(partition.users) if len(users) == 1 and users[0] in tiles]
    loose.sort(key=lambda index: partition.users[index][0])
    # The ends of edges come first: all edges that meet in one must meet there afterwards.
    ends = np.array([arcs[index][end] for index in loose for end in (0, -1)]).reshape(-1, 2)
    targets = targets_of(list(near.values()))
    ends_moved, farthest_m = _points_snapped(ends, targets)
    lines: list[NDArray[np.float64]] = []
    owner = ""
    for index in loose:
        if partition.users[index][0] != owner:
            owner = partition.users[index][0]
            targets, lines = targets.joined(lines) if lines else targets, []
        moved, moved_m = _line_snapped(arcs[index], targets)
        arcs[index], farthest_m = moved, max(farthest_m, moved_m)
        lines.append(moved)
    where = {tuple(old): new for old, new in zip(ends.tolist(), ends_moved, strict=True)}
    arcs = [_ends_put(arc, original, where) for arc, original in zip(arcs, partition.arcs, strict=True)]
    after = polygons_of(Partition(tuple(arcs), {code: partition.faces[code] for code in tiles}))
    fitted = {code: shapely.remove_repeated_points(shape) for code, shape in after.items()}
    if not all(shape.is_valid and not shape.is_empty for shape in fitted.values()):
        return result, 0.0  # hardly wider than the tolerance: better as drawn than broken
    pairs = enumerate(zip(arcs, partition.arcs, strict=True))
    changed = {index for index, (a, b) in pairs if a is not b and not np.array_equal(a, b)}
    for code in tiles:
        if changed & set(_arcs_of(partition, code)):
            result[code] = fitted[code]
    return result, farthest_m


def _arcs_of(partition: Partition, code: str) -> Iterable[int]:
    return (max(number, ~number) for polygon in partition.faces[code] for ring in polygon for number in ring)


def _points_snapped(points: NDArray[np.float64], targets: Targets) -> tuple[NDArray[np.float64], float]:
    if not len(points) or not len(targets):
        return points, 0.0
    moved, moved_m = snap(shapely.MultiPoint(points), targets, SNAP_TOLERANCE_M)
    return shapely.get_coordinates(moved), moved_m


def _line_snapped(arc: NDArray[np.float64], targets: Targets) -> tuple[NDArray[np.float64], float]:
    if not len(targets):
        return arc, 0.0
    moved, moved_m = snap(shapely.LineString(arc), targets, SNAP_TOLERANCE_M)
    return shapely.get_coordinates(moved), moved_m


def _ends_put(
    arc: NDArray[np.float64], original: NDArray[np.float64], where: Mapping[tuple[float, ...], NDArray[np.float64]]
) -> NDArray[np.float64]:
    first, last = (where.get(tuple(original[end].tolist())) for end in (0, -1))
    if first is None and last is None:
        return arc
    arc = arc.copy()
    arc[0] = arc[0] if first is None else first
    arc[-1] = arc[-1] if last is None else last
    return arc

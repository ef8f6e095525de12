"""Edits of single arcs: the faces on both sides follow, so that neither a gap nor an overlap can arise."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from geo.core.noding import Floats, rounded
from geo.core.partition.checking import refuse_faults
from geo.core.partition.model import Partition, with_arcs
from geo.errors import GeometryError, InvalidInput


def vertex_move(partition: Partition, arc: int, index: int, xy: Sequence[float]) -> Partition:
    """Move one vertex; a node moves in all arcs that end there.

    Parameters
    ----------
    partition
        The partition before.
    arc, index
        Which vertex: from 0, the last one of a closed arc being its first.
    xy
        Longitude and latitude, rounded as all new vertices are.

    Raises
    ------
    InvalidInput
        If there is no such arc or vertex, or the coordinate is not a longitude and latitude.
    GeometryError
        If a boundary would cross itself or another.

    Examples
    --------
    >>> import shapely
    >>> from geo.core.partition import partition_of
    >>> p = partition_of({"west": shapely.box(0, 0, 1, 1), "east": shapely.box(1, 0, 2, 1)})
    >>> p.arcs[0].tolist()  # the shared one
    [[1.0, 1.0], [1.0, 0.0]]
    >>> moved = vertex_move(p, 0, 0, (1.5, 1))
    >>> moved.polygons["west"].area, moved.polygons["east"].area
    (1.25, 0.75)
    """
    line = _arc(partition, arc)
    index = _index(line, index, 0, len(line))
    target = _lon_lat([xy])[0]
    if index not in (0, len(line) - 1):
        moved = line.copy()
        moved[index] = target
        return _accepted(partition, {arc: moved})
    return _accepted(partition, _node_moved(partition, line[index], target))


def vertex_add(partition: Partition, arc: int, index: int, xy: Sequence[float]) -> Partition:
    """Add a vertex to an arc; it becomes its vertex number ``index``, between the present ``index - 1`` and ``index``.

    Raises
    ------
    InvalidInput
        If there is no such arc or place in it, or the coordinate is not a longitude and latitude.
    GeometryError
        If a boundary would cross itself or another, or the vertex repeats the one beside it.
    """
    line = _arc(partition, arc)
    index = _index(line, index, 1, len(line))
    return _accepted(partition, {arc: np.insert(line, index, _lon_lat([xy])[0], axis=0)})


def vertex_remove(partition: Partition, arc: int, index: int) -> Partition:
    """Remove a vertex from an arc; nodes, where arcs meet, stay.

    Raises
    ------
    InvalidInput
        If there is no such vertex.
    GeometryError
        If it is a node, or what remains would be no ring or would cross another boundary.
    """
    line = _arc(partition, arc)
    index = _index(line, index, 0, len(line))
    if index not in (0, len(line) - 1):
        return _accepted(partition, {arc: np.delete(line, index, axis=0)})
    if not _is_free_ring(partition, arc):
        raise GeometryError(
            "Boundaries meet at this vertex, so it cannot be removed.",
            code="node",
            where=f"arc {arc} at {line[index, 0]:.7f}, {line[index, 1]:.7f}",
            remedy="Move it, or merge the places that meet here.",
        )
    return _accepted(partition, {arc: np.concatenate((line[1:-1], line[1:2]))})


def arc_replace(
    partition: Partition, arc: int, coordinates: Sequence[Sequence[float]] | NDArray[np.float64]
) -> Partition:
    """Give an arc another course; where its ends differ, their nodes move in all arcs.

    Vertices that the arc has already keep all their decimals; others are rounded.

    Raises
    ------
    InvalidInput
        If there is no such arc, or the coordinates are not two or more longitudes and latitudes.
    GeometryError
        If a closed arc would be opened, or a boundary would cross itself or another.
    """
    line = _arc(partition, arc)
    course = _lon_lat(coordinates, known=line)
    if len(course) < 2:
        raise InvalidInput("An arc needs at least two vertices.", code="bad_arc", where=f"arc {arc}")
    is_closed = bool((line[0] == line[-1]).all())
    if is_closed and (course[0] != course[-1]).any():
        raise GeometryError(
            "The arc is closed, and the new course is not.",
            code="open_ring",
            where=f"arc {arc} at {course[-1, 0]:.7f}, {course[-1, 1]:.7f}",
            remedy="End where it begins.",
        )
    changed: dict[int, Floats] = {}
    if not _is_free_ring(partition, arc):
        for end in (0,) if is_closed else (0, -1):
            if (course[end] != line[end]).any():
                changed.update(_node_moved(partition, line[end], course[end], changed))
    changed[arc] = course
    return _accepted(partition, changed)


def _node_moved(
    partition: Partition, node: Floats, target: Floats, changed: dict[int, Floats] | None = None
) -> dict[int, Floats]:
    """Give all arcs that end at a node with that end moved, on top of what has been changed already."""
    earlier = changed or {}
    moved: dict[int, Floats] = {}
    west_south, east_north = partition.bounds[:, :2], partition.bounds[:, 2:]
    for index in np.flatnonzero(((west_south <= node) & (node <= east_north)).all(axis=1)).tolist():
        line = partition.arcs[index]
        ends = [end for end in (0, -1) if (line[end] == node).all()]
        if ends:
            copy = earlier.get(index, line).copy()
            copy[ends] = target
            moved[index] = copy
    return moved


def _accepted(partition: Partition, changed: dict[int, Floats]) -> Partition:
    for index, line in changed.items():
        repeated = np.flatnonzero((line[1:] == line[:-1]).all(axis=1))
        if repeated.size:
            x, y = line[repeated[0]]
            raise GeometryError(
                "Two vertices that follow each other would be one.",
                code="repeated_vertex",
                where=f"arc {index} at {x:.7f}, {y:.7f}",
                remedy="Remove one of the two instead.",
            )
    result = with_arcs(partition, changed)
    touched = {code for index in changed for code in partition.users[index]}
    refuse_faults(partition.polygons, result.polygons, touched)
    return result


def _is_free_ring(partition: Partition, arc: int) -> bool:
    """Tell whether an arc is a ring that no other arc touches, so that its first vertex is like any other."""
    line = partition.arcs[arc]
    return bool((line[0] == line[-1]).all()) and set(_node_moved(partition, line[0], line[0])) == {arc}


def _arc(partition: Partition, arc: int) -> Floats:
    if not isinstance(arc, int) or not 0 <= arc < len(partition.arcs):
        raise InvalidInput(
            f"There is no arc {arc!r}.", code="unknown_arc", where=f"arc {arc}", remedy="Load the boundaries again."
        )
    return partition.arcs[arc]


def _index(line: Floats, index: int, low: int, high: int) -> int:
    if not isinstance(index, int) or not low <= index < high:
        raise InvalidInput(
            f"There is no vertex {index!r} between {low} and {high - 1}.",
            code="unknown_vertex",
            where=f"vertex {index}",
            remedy="Load the boundaries again.",
        )
    return index


def _lon_lat(coordinates: Sequence[Sequence[float]] | NDArray[np.float64], known: Floats | None = None) -> Floats:
    try:
        xy = np.asarray(coordinates, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        xy = np.zeros(0)
    if xy.ndim != 2 or xy.shape[1] != 2:
        raise InvalidInput("A vertex is not [longitude, latitude].", code="bad_vertex", remedy="Give two numbers.")
    bad = np.flatnonzero(~((np.abs(xy[:, 0]) <= 180) & (np.abs(xy[:, 1]) <= 90)))  # true for NaN
    if bad.size:
        raise InvalidInput(
            f"The coordinate {xy[bad[0], 0]:g}, {xy[bad[0], 1]:g} is not a longitude and latitude.",
            code="out_of_range",
            where=f"vertex {bad[0]}",
            remedy="Give degrees in EPSG:4326, longitude first.",
        )
    if known is None:
        return rounded(xy)
    kept = set(map(tuple, known.tolist()))
    is_new = np.array([tuple(point) not in kept for point in xy.tolist()], dtype=bool)
    return np.where(is_new[:, None], rounded(xy), xy)

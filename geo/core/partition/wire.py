"""The partition as JSON: what the browser receives, keeps and sends back."""

from collections.abc import Mapping
from itertools import chain
from typing import Any, Final

import numpy as np

from geo.core.crs import STORAGE_EPSG
from geo.core.noding import Floats
from geo.core.partition.model import Face, Partition, frozen
from geo.core.snapping import SNAP_TOLERANCE_M
from geo.core.validity import MAX_VERTICES
from geo.errors import GeometryError, InvalidInput, LimitExceeded

#: More places than any city has neighbourhoods.
MAX_FACES: Final = 20_000


def to_json(partition: Partition, *, tolerance_m: float = SNAP_TOLERANCE_M) -> dict[str, Any]:
    """Write a partition with plain lists and numbers.

    ``~i`` is written as the negative integer it is (``~0`` is −1), as in TopoJSON.

    Examples
    --------
    >>> from geo.core.partition import partition_of
    >>> import shapely
    >>> document = to_json(partition_of({"a": shapely.box(0, 0, 1, 1)}))
    >>> document["faces"], document["tolerance_m"]
    ({'a': [[[0]]]}, 0.5)
    """
    return {
        "tolerance_m": tolerance_m,
        "arcs": [arc.tolist() for arc in partition.arcs],
        "faces": {
            code: [[list(ring) for ring in polygon] for polygon in face] for code, face in partition.faces.items()
        },
    }


def from_json(document: object) -> Partition:
    """Read a partition, whoever wrote it.

    Raises
    ------
    InvalidInput
        If the document is not of the form that `to_json` writes.
    GeometryError
        If a coordinate is not a longitude and latitude, or the arcs of a ring do not meet.
    LimitExceeded
        If there are more faces than `MAX_FACES` or more vertices than a boundary may have.

    Examples
    --------
    >>> p = from_json({"arcs": [[[0, 0], [1, 0], [1, 1], [0, 0]]], "faces": {"a": [[[0]]]}})
    >>> p.polygons["a"].area
    0.5
    """
    if not isinstance(document, Mapping):
        raise _malformed("The partition is not an object.", "")
    arcs, faces = document.get("arcs"), document.get("faces")
    if not isinstance(arcs, list) or not isinstance(faces, Mapping):
        raise _malformed("The partition has no list of arcs or no object of faces.", "")
    if len(faces) > MAX_FACES:
        raise LimitExceeded(f"The partition has {len(faces):,} faces, more than {MAX_FACES:,}.", code="too_many_faces")
    if sum(len(arc) for arc in arcs if isinstance(arc, list)) > MAX_VERTICES:
        raise LimitExceeded(
            f"The partition has more than {MAX_VERTICES:,} vertices.",
            code="too_many_vertices",
            remedy="Simplify the boundaries.",
        )
    read_arcs = tuple(_arc(arc, f"arcs[{index}]") for index, arc in enumerate(arcs))
    read_faces = {code: _face(face, read_arcs, f"faces.{code}") for code, face in faces.items()}
    return Partition(read_arcs, read_faces)


def _arc(arc: object, where: str) -> Floats:
    # bool is an int to Python, and NumPy would read a text as a number.
    if (
        not isinstance(arc, list)
        or len(arc) < 2
        or not all(isinstance(point, list) and len(point) == 2 for point in arc)
        or not all(type(value) in (int, float) for value in chain.from_iterable(arc))
    ):
        raise _malformed("An arc is not a list of at least two [longitude, latitude].", where)
    try:
        xy = np.array(arc, dtype=np.float64)
    except OverflowError:
        xy = np.full((1, 2), np.inf)
    bad = np.flatnonzero(~((np.abs(xy[:, 0]) <= 180) & (np.abs(xy[:, 1]) <= 90)))  # true for NaN
    if bad.size:
        raise GeometryError(
            "A coordinate is not a longitude and latitude.",
            code="out_of_range",
            where=f"{where}[{bad[0]}]",
            remedy=f"Give degrees in EPSG:{STORAGE_EPSG}, longitude first.",
        )
    return frozen(xy)


def _face(face: object, arcs: tuple[Floats, ...], where: str) -> Face:
    if not isinstance(face, list) or not face:
        raise _malformed("A face is not a list of polygons.", where)
    polygons = []
    for p, polygon in enumerate(face):
        if not isinstance(polygon, list) or not polygon:
            raise _malformed("A polygon is not a list of rings.", f"{where}[{p}]")
        polygons.append(tuple(_ring(ring, arcs, f"{where}[{p}][{r}]") for r, ring in enumerate(polygon)))
    return tuple(polygons)


def _ring(ring: object, arcs: tuple[Floats, ...], where: str) -> tuple[int, ...]:
    if not isinstance(ring, list) or not ring or not all(type(number) is int for number in ring):
        raise _malformed("A ring is not a list of arc numbers.", where)
    for number in ring:
        if max(number, ~number) >= len(arcs):
            raise _malformed(f"There is no arc {max(number, ~number)}.", where)
    ends = [(arcs[i][0], arcs[i][-1]) if i >= 0 else (arcs[~i][-1], arcs[~i][0]) for i in ring]
    for (_, end), (start, _) in zip(ends, [*ends[1:], ends[0]], strict=True):
        if (end != start).any():
            raise GeometryError(
                "Two arcs that follow each other in a ring do not meet.",
                code="open_ring",
                where=where,
                remedy="Load the boundaries again.",
            )
    return tuple(ring)


def _malformed(message: str, where: str) -> InvalidInput:
    return InvalidInput(
        message, code="bad_partition", where=where, remedy='Give {"arcs": [[[x, y], …], …], "faces": {…}}.'
    )

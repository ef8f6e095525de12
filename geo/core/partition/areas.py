"""Edits that make and unmake faces: split, merge, cut out, fill a gap, add beside."""

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.core.measuring import area_m2
from geo.core.mending import Polygons, free_land, joined, with_land
from geo.core.noding import Geometries, are_inside, cells, codes_beside, edges, is_among, noded, rounded
from geo.core.partition.checking import refuse_faults
from geo.core.partition.model import Partition, face_of, located, partition_of
from geo.core.snapping import SNAP_TOLERANCE_M, snap
from geo.core.validity import as_multipolygon, problems
from geo.errors import GeometryError, InvalidInput, LimitExceeded

#: More vertices than a hand draws or a street has; noding takes time in proportion to what it crosses.
MAX_DRAWN_VERTICES: Final = 20_000

LineLike: TypeAlias = shapely.Geometry | Sequence[Sequence[float]] | NDArray[np.float64]


def split(partition: Partition, code: str, line: LineLike, new_code: str) -> Partition:
    """Divide a place by a line; the larger side keeps the code, the left one if they are equal.

    Ends and vertices within `SNAP_TOLERANCE_M` of the boundary lie on it; what of the line is outside is ignored.
    A line that crosses the place several times divides it into what is on its two sides, each perhaps of several
    parts. Parts of the place that it does not reach stay with the larger side.

    Parameters
    ----------
    partition
        The partition before.
    code, new_code
        The place, and the code of its new part.
    line
        A line, or its coordinates, in EPSG:4326; closed if it goes around what is to be the new part.

    Raises
    ------
    InvalidInput
        If the place does not exist, or the new code does.
    GeometryError
        If the line does not go through, or crosses itself.

    Examples
    --------
    >>> p = partition_of({"a": shapely.box(0, 0, 2, 1)})
    >>> parts = split(p, "a", [(0.5, -1), (0.5, 2)], "b").polygons
    >>> parts["a"].area, parts["b"].area
    (1.5, 0.5)
    """
    face_of(partition, code)
    _refuse_taken(partition, new_code)
    before = partition.polygons
    drawn = _line(line)
    drawn, _ = snap(drawn, before[code])
    if not drawn.is_simple:
        raise _no_split(code, drawn, "The line crosses itself.", "Draw a line that does not cross itself.")
    after, drawn = noded(before, drawn, [code])
    pieces = cells([after[code], drawn])
    pieces = pieces[are_inside(pieces, after[code])]
    side = _sides(pieces, drawn)
    if side is None:
        message = "It is not clear which side of the line is which."
        raise _no_split(code, drawn, message, "Draw a shorter line, and split the rest afterwards.")
    left, right = pieces[side > 0], pieces[side < 0]
    if not len(left) or not len(right):
        message = "The line does not divide the place."
        raise _no_split(code, drawn, message, "Draw it from boundary to boundary, or as a ring.")
    new = right if area_m2(left).sum() >= area_m2(right).sum() else left
    is_new = np.isin(pieces, new)
    after[code], after[new_code] = joined(pieces[~is_new]), joined(pieces[is_new])
    return _accepted(before, after)


def merge(partition: Partition, keep: str, gone: str) -> Partition:
    """Join two places that share a boundary into the first of them.

    Raises
    ------
    InvalidInput
        If one of the places does not exist, or both are one.
    GeometryError
        If they share no boundary.

    Examples
    --------
    >>> p = partition_of({"west": shapely.box(0, 0, 1, 1), "east": shapely.box(1, 0, 2, 1)})
    >>> {code: polygon.area for code, polygon in merge(p, "west", "east").polygons.items()}
    {'west': 2.0}
    """
    face_of(partition, keep)
    face_of(partition, gone)
    if keep == gone:
        raise InvalidInput("A place cannot be merged with itself.", code="same_place", where=keep)
    if not any(keep in users and gone in users for users in partition.users):
        raise GeometryError(
            f"{keep} and {gone} share no boundary.",
            code="not_neighbours",
            where=located(gone, shapely.get_coordinates(partition.polygons[gone])[0]),
            remedy="Choose a neighbour, or fill the gap between them first.",
        )
    after = dict(partition.polygons)
    after[keep] = joined([after[keep], after.pop(gone)])
    return _accepted(partition.polygons, after)


def cut_out(partition: Partition, code: str, polygon: shapely.Geometry, new_code: str) -> Partition:
    """Make what a polygon covers of a place a place of its own.

    What the polygon covers of other places stays theirs.

    Raises
    ------
    InvalidInput
        If the place does not exist, or the new code does.
    GeometryError
        If the polygon is broken, or covers nothing of the place or all of it.

    Examples
    --------
    >>> p = partition_of({"a": shapely.box(0, 0, 3, 3)})
    >>> parts = cut_out(p, "a", shapely.box(1, 1, 2, 2), "b").polygons
    >>> parts["a"].area, len(parts["a"].geoms[0].interiors), parts["b"].area
    (8.0, 1, 1.0)
    """
    face_of(partition, code)
    _refuse_taken(partition, new_code)
    before = partition.polygons
    _refuse_broken(polygon, new_code)
    drawn, _ = snap(_rounded(polygon, new_code, [before[code]]), before[code])
    after, drawn = noded(before, drawn, [code])
    pieces = cells([after[code], drawn])
    pieces = pieces[are_inside(pieces, after[code])]
    is_new = are_inside(pieces, drawn)
    if is_new.all() or not is_new.any():
        raise GeometryError(
            f"The shape covers {'all' if is_new.any() else 'nothing'} of {code}.",
            code="nothing_left" if is_new.any() else "nothing_covered",
            where=located(code, shapely.get_coordinates(drawn)[0]),
            remedy="Draw it so that it covers a part of the place.",
        )
    after[code], after[new_code] = joined(pieces[~is_new]), joined(pieces[is_new])
    return _accepted(before, after)


def fill_gap(partition: Partition, gap_polygon: shapely.Geometry, into_code: str) -> Partition:
    """Give land that belongs to nobody to a place beside it.

    What the polygon covers of places stays theirs.

    Raises
    ------
    InvalidInput
        If the place does not exist.
    GeometryError
        If the polygon is broken or covers no free land, or the land does not lie along the place.

    Examples
    --------
    >>> p = partition_of({"a": shapely.box(0, 0, 1, 1), "b": shapely.box(2, 0, 3, 1)})
    >>> fill_gap(p, shapely.box(1, 0, 2, 1), "b").polygons["b"].area
    2.0
    """
    face_of(partition, into_code)
    before = partition.polygons
    after, free = free_land(before, _snapped(before, gap_polygon, into_code))
    return _accepted(before, with_land(after, free, into_code))


def add(partition: Partition, code: str, polygon: shapely.Geometry) -> Partition:
    """Add a new place beside the others; land that belongs to one of them stays theirs.

    Raises
    ------
    InvalidInput
        If there is a place of this code.
    GeometryError
        If the polygon is broken or covers no free land.

    Examples
    --------
    >>> p = partition_of({"a": shapely.box(0, 0, 1, 1)})
    >>> add(p, "b", shapely.box(0.5, 0, 2, 1)).polygons["b"].bounds
    (1.0, 0.0, 2.0, 1.0)
    """
    _refuse_taken(partition, code)
    before = partition.polygons
    after, free = free_land(before, _snapped(before, polygon, code))
    if not len(free):
        raise GeometryError(
            "The shape covers only land that belongs to places already.",
            code="nothing_covered",
            where=located(code, shapely.get_coordinates(polygon)[0]),
            remedy="Cut it out of the place it lies in.",
        )
    after[code] = joined(free)
    return _accepted(before, after)


def _snapped(polygons: Polygons, polygon: shapely.Geometry, code: str) -> shapely.Geometry:
    """Check a drawn polygon and bring it onto the places beside it."""
    _refuse_broken(polygon, code)
    margin_deg = SNAP_TOLERANCE_M / 50_000  # generous up to 60° of latitude
    beside = [polygons[name] for name in codes_beside(polygons, polygon, margin_deg)]
    return snap(_rounded(polygon, code, beside), beside)[0]


def _accepted(before: Polygons, after: Polygons) -> Partition:
    touched = {code for code, polygon in after.items() if polygon is not before.get(code)}
    refuse_faults(before, after, touched)
    return partition_of(after)


def _sides(pieces: Geometries, line: shapely.Geometry) -> NDArray[np.int64] | None:
    """Tell on which side of the line each piece lies: 1 left, −1 right, 0 if the line does not reach it.

    Across each stretch of the line the side changes; the first stretch in each part of the place says which is which.
    None if a piece would lie on both sides.
    """
    start, end = edges(np.array([line], dtype=object))
    forwards = {edge: k for k, edge in enumerate(map(tuple, np.hstack((start, end)).tolist()))}
    left_of, right_of = np.full((2, len(forwards)), -1)
    for index, piece in enumerate(shapely.orient_polygons(pieces)):
        # Shells turn anticlockwise: a piece lies to the left of the edges that it walks.
        walked_start, walked_end = edges(np.array([piece.boundary], dtype=object))
        for edge in map(tuple, np.hstack((walked_start, walked_end)).tolist()):
            if (k := forwards.get(edge)) is not None:
                left_of[k] = index
            elif (k := forwards.get(edge[2:] + edge[:2])) is not None:
                right_of[k] = index
    beside: list[set[int]] = [set() for _ in pieces]
    through = np.flatnonzero((left_of >= 0) & (right_of >= 0))
    for left, right in zip(left_of[through].tolist(), right_of[through].tolist(), strict=True):
        beside[left].add(right)
        beside[right].add(left)
    side = np.zeros(len(pieces), dtype=np.int64)
    for seed in left_of[through].tolist():
        if side[seed]:
            continue
        side[seed] = 1
        waiting = [seed]
        while waiting:
            here = waiting.pop()
            for other in beside[here]:
                if side[other] == side[here]:
                    return None
                if not side[other]:
                    side[other] = -side[here]
                    waiting.append(other)
    return side


def _line(line: LineLike) -> shapely.LineString:
    """Read a line, rounded as all new vertices are."""
    if isinstance(line, shapely.Geometry):
        if line.geom_type not in ("LineString", "LinearRing"):
            raise GeometryError(
                f"A {line.geom_type} is not a line.", code="not_a_line", where="line", remedy="Draw one line."
            )
        xy = shapely.get_coordinates(line)
    else:
        try:
            xy = np.asarray(line, dtype=np.float64)
        except (TypeError, ValueError, OverflowError):
            xy = np.zeros(0)
    _refuse_endless(len(xy), "line")
    if xy.ndim != 2 or xy.shape[1] != 2 or len(xy) < 2:
        raise GeometryError(
            "The line is not a list of at least two [longitude, latitude].",
            code="not_a_line",
            where="line",
            remedy="Draw one line.",
        )
    fault = next(iter(problems(shapely.LineString(xy))), None) if np.isfinite(xy).all() else None
    bad = np.flatnonzero(~((np.abs(xy[:, 0]) <= 180) & (np.abs(xy[:, 1]) <= 90)))  # true for NaN
    if bad.size or (fault is not None and fault.severity == "error"):
        raise GeometryError(
            fault.message if fault else "A coordinate of the line is not a finite number.",
            code=fault.code if fault else "not_finite",
            where=f"line[{bad[0]}]" if bad.size else "line",
            remedy=fault.remedy if fault else "Correct or remove the vertex.",
        )
    xy = rounded(xy)
    xy = xy[np.append(True, (xy[1:] != xy[:-1]).any(axis=1))]
    if len(xy) < 2:
        raise GeometryError("The line has no length.", code="not_a_line", where="line", remedy="Draw one line.")
    return shapely.LineString(xy)


def _refuse_endless(n_vertices: int, where: str) -> None:
    if n_vertices > MAX_DRAWN_VERTICES:
        raise LimitExceeded(
            f"The drawing has {n_vertices:,} vertices, more than {MAX_DRAWN_VERTICES:,}.",
            code="too_many_vertices",
            where=where,
            remedy="Simplify it first.",
        )


def _refuse_broken(polygon: shapely.Geometry, code: str) -> None:
    _refuse_endless(int(shapely.get_num_coordinates(polygon)), code)
    found = [problem for problem in problems(polygon) if problem.severity != "note"]
    if found:
        at = "" if found[0].x is None else f" at {found[0].x:.7f}, {found[0].y:.7f}"
        raise GeometryError(found[0].message, code=found[0].code, where=f"{code}{at}", remedy=found[0].remedy)


def _rounded(polygon: shapely.Geometry, code: str, known: Sequence[shapely.Geometry]) -> shapely.MultiPolygon:
    """Round the vertices of a drawn polygon, except those that it shares with what is known."""
    whole = as_multipolygon(polygon)
    corners = shapely.get_coordinates(known)
    result = shapely.transform(whole, lambda xy: np.where(is_among(xy, corners)[:, None], xy, rounded(xy)))
    if not result.is_valid:
        raise GeometryError(
            "The shape is hardly wider than a centimetre somewhere.",
            code="too_narrow",
            where=located(code, shapely.get_coordinates(whole)[0]),
            remedy="Draw it wider.",
        )
    return result


def _refuse_taken(partition: Partition, code: str) -> None:
    if not isinstance(code, str) or not code:
        raise InvalidInput("The new place has no code.", code="bad_code", remedy="Give it a code.")
    if code in partition.faces:
        raise InvalidInput(
            f"There is a place {code} already.", code="code_taken", where=code, remedy="Choose another code."
        )


def _no_split(code: str, line: shapely.Geometry, message: str, remedy: str) -> GeometryError:
    where = located(code, shapely.get_coordinates(line)[0])
    return GeometryError(message, code="no_split", where=where, remedy=remedy)

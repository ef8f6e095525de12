"""Streets that are drawn on a plan, joined to those that there are."""

from collections import defaultdict
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.errors import LimitExceeded

Lines = NDArray[np.object_]
Point = tuple[float, float]

#: The end of a drawn street is led to a street that is no further away than this (metres).
JOIN_M: Final = 30.0

#: What is drawn at most, together: more than a plan has, and less than takes seconds to join.
MOST_DRAWN_KM: Final = 200.0
MOST_DRAWN_POSITIONS: Final = 5_000
MOST_DRAWN_CROSSINGS: Final = 10_000

# What is nearer to a vertex than this is that vertex (metres).
_SAME_M: Final = 1e-3


def joined(
    lines_m: Lines,
    drawn_m: Lines,
    *,
    is_apart: NDArray[np.bool_],
    is_bridge: NDArray[np.bool_],
    join_m: float = JOIN_M,
) -> Lines:
    """Give streets and drawn streets with a common vertex wherever they meet.

    An end of a drawn street is led to the nearest street, if one is near enough, whatever that street is. In between, drawn
    streets meet those that they cross, unless one of the two is a bridge or a tunnel.

    Parameters
    ----------
    lines_m
        Shape ``(n,)``: linestrings in metres.
    drawn_m
        Shape ``(k,)``: likewise, in the order in which they are built: a later one may end at an earlier one.
    is_apart
        Shape ``(n,)``: bridges and tunnels among the streets.
    is_bridge
        Shape ``(k,)``: bridges among the drawn ones.
    join_m
        How far an end may be from a street.

    Returns
    -------
    ndarray
        Shape ``(n + k,)``: the streets with more vertices, then the drawn ones.

    Examples
    --------
    >>> street, path = shapely.from_wkt(["LINESTRING (0 0, 100 0)", "LINESTRING (50 60, 50 5)"])
    >>> both = joined(np.array([street]), np.array([path]), is_apart=np.array([False]), is_bridge=np.array([False]))
    >>> [line.wkt for line in both]
    ['LINESTRING (0 0, 50 0, 100 0)', 'LINESTRING (50 60, 50 0)']
    """
    known: list[shapely.LineString] = [*lines_m]
    apart = [*is_apart.tolist()]
    tree = shapely.STRtree(lines_m)
    added: dict[int, list[Point]] = defaultdict(list)
    for number, line in enumerate(drawn_m):
        own = len(lines_m) + number
        xy = shapely.get_coordinates(line)
        for end in (0, -1):
            found = _nearest(tree, known, len(lines_m), shapely.Point(xy[end]), join_m)
            if found is not None:
                at, point = found
                xy[end] = point
                added[at].append(point)
        line = shapely.LineString(xy)
        if not is_bridge[number]:
            near = [*tree.query(line, predicate="intersects").tolist(), *range(len(lines_m), own)]
            for at in near:
                for point in [] if apart[at] else _meetings(line, known[at]):
                    same = _vertex(known[at], point)
                    added[at].append(same)
                    added[own].append(same)
        known.append(line)
        apart.append(bool(is_bridge[number]))
    for at, points in added.items():
        known[at] = _with_vertices(known[at], points)
    result = np.empty(len(known), dtype=object)
    result[:] = known
    return result


def _nearest(
    tree: shapely.STRtree, known: list[shapely.LineString], n: int, end: shapely.Point, join_m: float
) -> tuple[int, Point] | None:
    """Find the street that an end is led to, and the point of it."""
    near = [*tree.query(end, predicate="dwithin", distance=join_m).tolist(), *range(n, len(known))]
    if not near:
        return None
    distance = [float(known[at].distance(end)) for at in near]
    best = int(np.argmin(distance))
    if distance[best] > join_m:
        return None
    line = known[near[best]]
    point = line.interpolate(line.project(end))
    return near[best], _vertex(line, (point.x, point.y))


def _meetings(line: shapely.LineString, other: shapely.LineString) -> list[Point]:
    """Give the points in which two lines meet; of a stretch in common, its vertices."""
    return [(float(x), float(y)) for x, y in shapely.get_coordinates(line.intersection(other))]


def _vertex(line: shapely.LineString, point: Point) -> Point:
    """Give the line's own vertex in place of a point that is all but the same."""
    xy = shapely.get_coordinates(line)
    away = np.hypot(*(xy - point).T)
    nearest = int(away.argmin())
    return (float(xy[nearest, 0]), float(xy[nearest, 1])) if away[nearest] <= _SAME_M else point


def _with_vertices(line: shapely.LineString, points: list[Point]) -> shapely.LineString:
    """Put vertices into a line, each where it is nearest; those that it has already are left."""
    xy = shapely.get_coordinates(line)
    there = {tuple(row) for row in xy.tolist()}
    new = [point for point in dict.fromkeys(points) if point not in there]
    if not new:
        return line
    along = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))))
    at = [line.project(shapely.Point(point)) for point in new]
    order = np.argsort(np.concatenate((along, at)), kind="stable")
    return shapely.LineString(np.concatenate((xy, new))[order])


def drawn_required(lines_m: Lines) -> None:
    """Refuse drawn streets that would take long to join: to each other, and to those that there are.

    Parameters
    ----------
    lines_m
        Shape ``(n,)``: drawn streets in a projected system.

    Raises
    ------
    LimitExceeded
        Where they are longer than `MOST_DRAWN_KM`, have more positions than `MOST_DRAWN_POSITIONS`, or meet each other more
        often than `MOST_DRAWN_CROSSINGS` times (``too_much_drawn``).

    Examples
    --------
    >>> drawn_required(shapely.linestrings([[(0, 0), (900, 0)], [(0, 0), (0, 900)]]))
    >>> drawn_required(shapely.linestrings([[(0, 0), (900_000, 0)]]))
    Traceback (most recent call last):
    geo.errors.LimitExceeded: changes: The drawn streets are 900 km long, more than 200 km. Draw fewer or shorter streets.
    """
    length_km = float(shapely.length(lines_m).sum()) / 1000
    positions = int(shapely.get_num_coordinates(lines_m).sum())
    if length_km > MOST_DRAWN_KM:
        raise LimitExceeded(
            f"The drawn streets are {length_km:,.0f} km long, more than {MOST_DRAWN_KM:,.0f} km.",
            code="too_much_drawn",
            where="changes",
            remedy="Draw fewer or shorter streets.",
        )
    if positions > MOST_DRAWN_POSITIONS:
        raise LimitExceeded(
            f"The drawn streets have {positions:,} positions, more than {MOST_DRAWN_POSITIONS:,}.",
            code="too_much_drawn",
            where="changes",
            remedy="Draw fewer or shorter streets.",
        )
    xy, line = shapely.get_coordinates(lines_m, return_index=True)
    joined_up = np.flatnonzero(line[1:] == line[:-1])
    pieces = shapely.linestrings(np.stack((xy[joined_up], xy[joined_up + 1]), axis=1))
    crossings = shapely.STRtree(pieces).query(pieces, predicate="crosses").shape[1] // 2
    if crossings > MOST_DRAWN_CROSSINGS:
        raise LimitExceeded(
            f"The drawn streets cross each other {crossings:,} times, more than {MOST_DRAWN_CROSSINGS:,}.",
            code="too_much_drawn",
            where="changes",
            remedy="Draw fewer or shorter streets.",
        )

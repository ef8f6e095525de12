"""What an edit may not do: leave a face broken, or lay one face over another."""

from collections.abc import Collection

import numpy as np
import shapely

from geo.core.mending import Polygons
from geo.core.partition.model import located
from geo.core.validity import problems
from geo.errors import GeometryError


def refuse_faults(before: Polygons, after: Polygons, touched: Collection[str]) -> None:
    """Refuse an edit after which a touched face is invalid, or overlaps a face that it did not overlap before.

    Arcs that cross always do one of the two.

    Raises
    ------
    GeometryError
        With the place and the point of the fault.
    """
    codes = [code for code in after if code in touched]
    polygons = np.array([after[code] for code in codes], dtype=object)
    for code, polygon, is_valid in zip(codes, polygons, shapely.is_valid(polygons), strict=True):
        if is_valid:
            continue
        fault = next(problem for problem in problems(polygon) if problem.severity != "note")
        at = shapely.get_coordinates(polygon)[0] if fault.x is None else np.array([fault.x, fault.y])
        raise GeometryError(
            f"The boundary of {code} would cross or touch itself.",
            code="crossing",
            where=located(code, at),
            remedy="Move the vertex elsewhere, or remove vertices that are in the way.",
        )
    others = list(after)
    for code, other in _overlapping(after, codes, others):
        if code in before and other in before and _overlap(before[code], before[other]):
            continue
        shared = shapely.intersection(after[code], after[other])
        raise GeometryError(
            f"{code} would lie over {other}.",
            code="overlap",
            where=located(code, shapely.get_coordinates(shapely.point_on_surface(shared))[0]),
            remedy="Keep the boundary on its own side, or give the land away by moving the shared boundary.",
        )


def _overlapping(after: Polygons, codes: list[str], others: list[str]) -> list[tuple[str, str]]:
    every = np.array([after[code] for code in others], dtype=object)
    boxes = shapely.bounds(every)
    pairs = []
    for code in codes:
        west, south, east, north = shapely.bounds(after[code])
        near = (boxes[:, 0] < east) & (boxes[:, 2] > west) & (boxes[:, 1] < north) & (boxes[:, 3] > south)
        for index in np.flatnonzero(near):
            if others[index] != code and _overlap(after[code], every[index]):
                pairs.append((code, others[index]))
    return pairs


def _overlap(a: shapely.Geometry, b: shapely.Geometry) -> bool:
    return bool(shapely.relate_pattern(a, b, "T********"))

"""Do the neighbourhoods of a city tile it: gaps, overlaps, slivers and broken shapes, where they are, how to mend them.

Boundaries are compared vertex by vertex first, which is fast; only where they differ are shapes laid over each other
and measured.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.core.measuring import area_m2, length_m, metres_per_degree, width_m
from geo.core.mending import Polygons, free_land, with_land, without_overlap
from geo.core.noding import ON_EDGE_DEG, Geometries, Integers, are_inside, cells, codes_beside, edges, united
from geo.core.snapping import SNAP_TOLERANCE_M
from geo.core.validity import as_multipolygon, problems, repair
from geo.errors import GeometryError, InvalidInput

#: A gap or overlap nowhere wider than this is a sliver: two drawings of one line rather than contested land.
SLIVER_WIDTH_M: Final = 1.0

Kind: TypeAlias = Literal["gap", "overlap", "sliver", "invalid"]


@dataclass(frozen=True)
class Repair:
    """One way to mend a fault.

    Attributes
    ----------
    key
        Names the repair within its finding, for example ``give_gap:n001``.
    label_code
        What it does: ``give_gap`` (free land goes to a place), ``give_overlap`` (one of two keeps the land) or
        ``mend`` (a broken shape is made valid).
    into
        The place that receives the land, or whose shape is mended.
    """

    key: str
    label_code: str
    into: str
    _polygons: Polygons = field(repr=False, compare=False)
    _finding: tuple[str, shapely.Geometry, tuple[str, ...]] = field(repr=False, compare=False)

    @cached_property
    def changes(self) -> dict[str, shapely.Geometry]:
        """The new geometry of each place that changes, worked out when first asked for; neighbours only gain vertices.

        Raises
        ------
        GeometryError
            If this repair cannot be made here.
        """
        _, geometry, codes = self._finding
        if self.label_code == "mend":
            return {self.into: as_multipolygon(repair(self._polygons[self.into])[0])}
        if self.label_code == "give_gap":
            after, free = free_land(_sound(self._polygons), as_multipolygon(geometry))
            after = with_land(after, free, self.into)
        else:
            after = _sound(self._polygons)
            for loser in codes:
                if loser != self.into:
                    after = without_overlap(after, self.into, loser)
        return {code: after[code] for code in after if after[code] is not self._polygons[code]}


@dataclass(frozen=True)
class Finding:
    """One fault of the tiling.

    Attributes
    ----------
    kind
        ``gap``: land of nobody between places; ``overlap``: land of two; ``sliver``: either, but nowhere wider than
        `SLIVER_WIDTH_M`; ``invalid``: a shape that crosses or touches itself.
    codes
        The places it concerns: around a gap, the one with the longest shared boundary first.
    geometry_4326
        The gap, the overlap, or the point where a shape is broken.
    area_m2, width_m
        Its area, and its width at the widest; 0 for a broken shape.
    where
        Longitude and latitude of a point in it.
    repairs
        The ways to mend it, the likeliest first.
    is_overlap
        Tells a sliver of an overlap from one of a gap.
    """

    kind: Kind
    codes: tuple[str, ...]
    geometry_4326: shapely.Geometry
    area_m2: float
    width_m: float
    where: tuple[float, float]
    repairs: tuple[Repair, ...] = ()
    is_overlap: bool = False

    @property
    def key(self) -> str:
        """Name the fault by kind, places and position to about a metre, so that it is known again at the next check."""
        return f"{self.kind}:{'+'.join(sorted(self.codes))}:{self.where[0]:.5f},{self.where[1]:.5f}"


def findings(
    polygons: Polygons, *, outline: shapely.Geometry | None = None, tolerance_m: float = SNAP_TOLERANCE_M
) -> list[Finding]:
    """Find all faults of a city.

    Parameters
    ----------
    polygons
        The neighbourhoods in EPSG:4326 by code.
    outline
        What they should cover. Without it only gaps enclosed by neighbourhoods are found.
    tolerance_m
        Gaps and overlaps nowhere wider than this are left out.

    Returns
    -------
    list of Finding
        Broken shapes first, then overlaps, then gaps, each by area, the largest first.

    Raises
    ------
    GeometryError
        If a geometry is missing, empty, not polygonal, or has a coordinate that is not finite.

    Examples
    --------
    >>> places = {"a": shapely.box(0, 0, 2e-3, 1e-3), "b": shapely.box(1e-3, 0, 3e-3, 1e-3)}
    >>> [(f.kind, f.codes, round(f.width_m, -1), [r.key for r in f.repairs]) for f in findings(places)]
    [('overlap', ('a', 'b'), 110.0, ['give_overlap:a', 'give_overlap:b'])]
    """
    return _found(dict(polygons), None, None, outline, tolerance_m)


def findings_near(
    polygons: Polygons,
    changed: Collection[str],
    *,
    before: Polygons | None = None,
    outline: shapely.Geometry | None = None,
    tolerance_m: float = SNAP_TOLERANCE_M,
) -> list[Finding]:
    """Find the faults that concern some places, as after an edit; much faster than all of a city.

    Parameters
    ----------
    polygons
        All neighbourhoods as they are now.
    changed
        Codes of the places that were changed, made or ended.
    before
        The neighbourhoods before: a gap that a place left behind by moving away or ending is then found too.
    outline, tolerance_m
        As for `findings`.

    Examples
    --------
    >>> places = {"a": shapely.box(0, 0, 2e-3, 1e-3), "b": shapely.box(1e-3, 0, 3e-3, 1e-3)}
    >>> [f.codes for f in findings_near({**places, "c": shapely.box(0, 0, 1e-3, 1e-3)}, {"b"})]
    [('a', 'b')]
    """
    polygons = dict(polygons)
    return _found(polygons, frozenset(changed) & polygons.keys(), _left(before, changed), outline, tolerance_m)


def repaired(polygons: Polygons, finding: Finding, key: str) -> dict[str, shapely.Geometry]:
    """Give the new geometries of the places that a repair changes.

    Parameters
    ----------
    polygons
        The neighbourhoods as they are now.
    finding
        What was found in them.
    key
        Of one of its repairs.

    Raises
    ------
    InvalidInput
        If the finding has no such repair, or one of its places no longer exists.
    GeometryError
        If the repair cannot be made here.

    Examples
    --------
    >>> places = {"a": shapely.box(0, 0, 2e-3, 1e-3), "b": shapely.box(1e-3, 0, 3e-3, 1e-3)}
    >>> changes = repaired(places, findings(places)[0], "give_overlap:a")
    >>> {code: polygon.bounds for code, polygon in changes.items()}
    {'b': (0.002, 0.0, 0.003, 0.001)}
    """
    for way in finding.repairs:
        if way.key == key and set(finding.codes) <= polygons.keys():
            return Repair(way.key, way.label_code, way.into, dict(polygons), way._finding).changes
    raise InvalidInput(
        f"There is no repair {key!r} for this {finding.kind}.",
        code="unknown_repair",
        where=", ".join(finding.codes),
        remedy="Check the boundaries again.",
    )


def _found(
    polygons: dict[str, shapely.Geometry],
    only: Collection[str] | None,
    left: Geometries | None,
    outline: shapely.Geometry | None,
    tolerance_m: float,
) -> list[Finding]:
    if not polygons:
        return []
    names = list(polygons)
    every = np.array([polygons[name] for name in names], dtype=object)
    is_chosen = np.array([only is None or name in only for name in names], dtype=bool)
    _refuse_unusable(names, every)
    is_broken = ~shapely.is_valid(every)
    broken = [_broken(names[index], polygons) for index in np.flatnonzero(is_broken & is_chosen).tolist()]
    every = _valid(every, is_broken)
    near = np.arange(len(names))
    if only is not None:
        beside = {code for name in only for code in codes_beside(polygons, polygons[name])}
        near = np.flatnonzero([name in beside for name in names])
    is_off = np.zeros(len(names), dtype=bool)
    is_off[near] = ~shapely.is_empty(shapely.coverage_invalid_edges(every[near]))
    pairs = _overlapping(every, near, is_off)
    is_off[pairs] = True
    overlaps = _overlaps(polygons, names, every, pairs[is_chosen[pairs].any(axis=1)], tolerance_m)
    gaps = _gaps(every, is_off, outline)
    if only is not None:
        reach = every[is_chosen] if left is None else np.concatenate((every[is_chosen], left))
        gaps = gaps[shapely.dwithin(gaps[:, None], reach[None, :], ON_EDGE_DEG).any(axis=1)] if len(reach) else gaps[:0]
    return broken + overlaps + _around(gaps, polygons, names, every, tolerance_m)


def _refuse_unusable(names: list[str], every: Geometries) -> None:
    """Refuse what is no area at all; broken areas are findings."""
    is_area = np.isin(shapely.get_type_id(every), (3, 6)) & ~shapely.is_empty(every)
    is_finite = np.isfinite(shapely.bounds(every)).all(axis=1)
    for index in np.flatnonzero(~(is_area & is_finite)).tolist():
        raise GeometryError(
            f"{names[index]} has no area, or a coordinate that is not a finite number.",
            code="not_finite" if is_area[index] else "not_polygonal",
            where=names[index],
            remedy="Draw it as a polygon.",
        )


def _overlapping(every: Geometries, near: Integers, is_off: NDArray[np.bool_]) -> Integers:
    """Find the pairs that share land, shape ``(n, 2)``: one of them has a boundary that does not match."""
    off = np.flatnonzero(is_off)
    if not len(off):
        return np.zeros((0, 2), dtype=np.int64)
    # A place that lies wholly inside another does not disturb the other's boundary, so all are looked at.
    one, two = shapely.STRtree(every[near]).query(every[off], predicate="intersects")
    pairs = np.unique(np.sort(np.stack((off[one], near[two]), axis=1), axis=1), axis=0)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    share_land = shapely.relate_pattern(every[pairs[:, 0]], every[pairs[:, 1]], "T********")
    result: Integers = pairs[np.asarray(share_land, dtype=bool)]
    return result


def _overlaps(
    polygons: Polygons, names: list[str], every: Geometries, pairs: Integers, tolerance_m: float
) -> list[Finding]:
    shared = _polygonal(shapely.intersection(every[pairs[:, 0]], every[pairs[:, 1]]))
    measured = _measured(shared, tolerance_m)
    result = []
    for index, area, width, where in measured:
        codes = (names[pairs[index, 0]], names[pairs[index, 1]])
        kind: Kind = "sliver" if width <= SLIVER_WIDTH_M else "overlap"
        subject = (kind, shared[index], codes)
        # Nobody is left with nothing.
        left_over = 1 - shapely.area(shared[index]) / shapely.area(every[pairs[index]])
        repairs = tuple(
            Repair(f"give_overlap:{winner}", "give_overlap", winner, polygons, subject)
            for winner, rest_of_other in zip(codes, left_over[::-1], strict=True)
            if rest_of_other > 1e-6
        )
        result.append(Finding(kind, codes, shared[index], area, width, where, repairs, is_overlap=True))
    return result


def _gaps(every: Geometries, is_off: NDArray[np.bool_], outline: shapely.Geometry | None) -> Geometries:
    """Give what the places enclose, or the outline has, without belonging to any of them."""
    # Where boundaries match, equal edges need only be struck out; the few others are laid over each other before.
    parts = np.append(every[~is_off], shapely.union_all(every[is_off])) if is_off.any() else every
    union = united(parts)
    if outline is not None:
        return _parts(_polygonal(np.array([shapely.difference(outline, union)], dtype=object)))
    whole = shapely.get_parts(union)
    if len(whole) == 1:
        # One part without holes, as most are, encloses nothing; with holes, these are the gaps.
        holes = shapely.get_rings(whole)[1:]
        return cells(holes) if len(holes) else np.empty(0, dtype=object)
    # Not only holes: land between two parts of the city that touch at both its ends is enclosed as well.
    enclosed = cells([union])
    return enclosed[~are_inside(enclosed, union)]


def _parts(geometries: Geometries) -> Geometries:
    parts: Geometries = shapely.get_parts(geometries)
    return parts


def _around(
    gaps: Geometries, polygons: Polygons, names: list[str], every: Geometries, tolerance_m: float
) -> list[Finding]:
    result = []
    for index, area, width, where in _measured(gaps, tolerance_m):
        gap = gaps[index]
        start, end = edges(np.array([gap.boundary], dtype=object))
        middle = shapely.points((start + end) / 2)
        step_m = length_m(shapely.linestrings(np.stack((start, end), axis=1)))
        shares = []
        for code in codes_beside(polygons, gap):
            place = every[names.index(code)]
            shapely.prepare(place)
            shared_m = float(step_m[shapely.dwithin(place, middle, ON_EDGE_DEG)].sum())
            if shared_m > 0:
                shares.append((-shared_m, code))
        codes = tuple(code for _, code in sorted(shares))
        kind: Kind = "sliver" if width <= SLIVER_WIDTH_M else "gap"
        subject = (kind, gap, codes)
        repairs = tuple(Repair(f"give_gap:{code}", "give_gap", code, polygons, subject) for code in codes)
        result.append(Finding(kind, codes, gap, area, width, where, repairs))
    return result


def _measured(shapes: Geometries, tolerance_m: float) -> list[tuple[int, float, float, tuple[float, float]]]:
    """Give index, area, width and a point of the shapes that are wider than the tolerance, the largest first."""
    if not len(shapes):
        return []
    east, north = metres_per_degree(shapely.bounds(shapes)[:, 1])
    # No circle of the tolerance fits into less than its own area.
    index = np.flatnonzero(shapely.area(shapes) * east * north > 0.9 * np.pi / 4 * tolerance_m**2)
    area, width = area_m2(shapes[index]), width_m(shapes[index])
    inside = shapely.get_coordinates(shapely.point_on_surface(shapes[index]))
    order = [k for k in np.lexsort((index, -area)).tolist() if width[k] > tolerance_m]
    return [(int(index[k]), float(area[k]), float(width[k]), (float(inside[k, 0]), float(inside[k, 1]))) for k in order]


def _broken(code: str, polygons: Polygons) -> Finding:
    fault = next(problem for problem in problems(polygons[code]) if problem.severity != "note")
    if fault.x is None or fault.y is None:
        x, y = (float(value) for value in shapely.get_coordinates(polygons[code])[0])
    else:
        x, y = fault.x, fault.y
    point = shapely.Point(x, y)
    subject = ("invalid", point, (code,))
    repairs = (Repair(f"mend:{code}", "mend", code, polygons, subject),) if fault.severity == "repairable" else ()
    return Finding("invalid", (code,), point, 0.0, 0.0, (x, y), repairs)


def _valid(every: Geometries, is_broken: NDArray[np.bool_]) -> Geometries:
    """Make broken shapes valid, for comparison only."""
    bad = np.flatnonzero(is_broken)
    if not len(bad):
        return every
    every = every.copy()
    every[bad] = _polygonal(shapely.make_valid(every[bad], method="structure", keep_collapsed=False))
    return every


def _sound(polygons: Polygons) -> dict[str, shapely.Geometry]:
    """Give all places, refusing a repair while one of them is broken: it could not be told in from out."""
    for code, polygon in polygons.items():
        if not polygon.is_valid:
            raise GeometryError(
                f"The boundary of {code} is broken.", code="invalid", where=code, remedy="Mend this place first."
            )
    return dict(polygons)


def _polygonal(geometries: Geometries) -> Geometries:
    """Keep the polygons of mixed results: where outlines only touch, there is nothing to measure."""
    result = np.empty(len(geometries), dtype=object)
    for index, geometry in enumerate(geometries):
        parts = shapely.get_parts(geometry)
        result[index] = shapely.MultiPolygon(list(parts[(shapely.get_type_id(parts) == 3) & ~shapely.is_empty(parts)]))
    return result


def _left(before: Mapping[str, shapely.Geometry] | None, changed: Collection[str]) -> Geometries | None:
    if before is None:
        return None
    return np.array([before[code] for code in changed if code in before], dtype=object)

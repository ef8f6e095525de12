"""Narrow passages and small plots: the marks by which worn fabric is known on the ground."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from geo.core.crs import GeometryLike, as_geometries
from geo.errors import InvalidInput

Floats = NDArray[np.float64]

#: A passage narrower than this lets no fire engine through; the mark of worn fabric in Iran (metres).
NARROW_M: Final = 6.0

#: A plot smaller than this is small; the mark of fine-grained fabric in Iran (m²).
SMALL_PLOT_M2: Final = 200.0

#: Nobody calls the land between two fronts further apart than this a passage (metres).
WIDEST_M: Final = 40.0

# Fronts are looked for every so many metres of a street, and on both sides in at least so many places.
_STEP_M: Final = 5.0
_FEWEST: Final = 2


@dataclass(frozen=True, slots=True)
class Share:
    """A share of what is known, and how much is not.

    Attributes
    ----------
    share
        0 to 1; None where nothing is known.
    below
        Metres of passage, or plots, under the limit.
    known
        Metres or plots whose size is known.
    unknown
        Metres or plots whose size is not.
    limit
        Metres or m².
    """

    share: float | None
    below: float
    known: float
    unknown: float
    limit: float


def narrow_passages(streets: GeometryLike, width_m: ArrayLike, limit_m: float = NARROW_M) -> Share:
    """Compute which share of the length of streets is narrower than a limit.

    Parameters
    ----------
    streets
        Shape ``(n,)``: lines in metres, cut to the place that is asked about.
    width_m
        Shape ``(n,)``: from data or `front_widths`; NaN where unknown.
    limit_m
        Widths below this are narrow; one of exactly this width is not.

    Raises
    ------
    InvalidInput
        If lengths differ, a width is negative or infinite, or the limit is not possible.

    Examples
    --------
    >>> lines = [shapely.LineString([(0, 0), (30, 0)]), shapely.LineString([(0, 0), (0, 10)]),
    ...     shapely.LineString([(0, 0), (5, 0)])]
    >>> found = narrow_passages(lines, [4.0, 6.0, np.nan])
    >>> found.share, found.below, found.unknown
    (0.75, 30.0, 5.0)
    """
    lines = as_geometries(streets)
    width = np.asarray(width_m, dtype=np.float64)
    if width.shape != (len(lines),):
        raise InvalidInput(f"{width.size} widths do not fit {len(lines)} streets.", code="length_mismatch")
    return _share(width, np.nan_to_num(shapely.length(lines)), limit_m, "width")


def small_plots(area_m2: ArrayLike, limit_m2: float = SMALL_PLOT_M2) -> Share:
    """Compute which share of plots is smaller than a limit.

    Parameters
    ----------
    area_m2
        Shape ``(n,)``: in m²; NaN where unknown.
    limit_m2
        Plots below this are small; one of exactly this size is not.

    Raises
    ------
    InvalidInput
        If an area is negative or infinite, or the limit is not possible.

    Examples
    --------
    >>> found = small_plots([80.0, 199.9, 200.0, 400.0])
    >>> found.share, found.below, found.known
    (0.5, 2.0, 4.0)
    """
    area = np.asarray(area_m2, dtype=np.float64).ravel()
    return _share(area, np.ones(area.size), limit_m2, "area")


def front_widths(streets: GeometryLike, fronts: GeometryLike, widest_m: float = WIDEST_M) -> Floats:
    """Estimate the widths of streets from what stands along them.

    Every five metres a line is drawn across the street to both sides, to the first front; where there is one on
    both sides, their two distances add up to a width. The width of the street is the median, which a gap between
    houses or a house that stands back does not move [@araldi2019].

    Parameters
    ----------
    streets
        Shape ``(n,)``: middle lines in metres, not quite in the middle is good enough.
    fronts
        Polygons in metres: plots, or buildings where there are none. Buildings that stand back from the edge of
        their plot make streets look wider.
    widest_m
        Fronts further apart than this do not belong to one street.

    Returns
    -------
    ndarray
        Shape ``(n,)``: metres; NaN where fronts were met on both sides in fewer than two places; one is enough
        for a street shorter than ten metres, which has only one.

    Raises
    ------
    InvalidInput
        If a street is no line, or the width is not possible.

    Notes
    -----
    What covers the middle line itself, such as a building over a passage, is left out at that place.

    Examples
    --------
    An alley of 4 m between two rows of houses:

    >>> rows = [shapely.box(0, 2, 50, 10), shapely.box(0, -10, 50, -2)]
    >>> front_widths([shapely.LineString([(0, 0), (50, 0)])], rows).tolist()
    [4.0]
    """
    lines, polygons = as_geometries(streets), as_geometries(fronts)
    if not (np.isfinite(widest_m) and widest_m > 0):
        raise InvalidInput(f"A largest width of {widest_m} m is not possible.", code="bad_number", where="width")
    is_line = np.isin(shapely.get_type_id(lines), (1, 2, 5, -1))
    if not is_line.all():
        raise InvalidInput(
            "A street is not a line.", code="street_not_line", where=f"street {np.flatnonzero(~is_line)[0]}"
        )
    parts, street = shapely.get_parts(lines, return_index=True)
    length = shapely.length(parts)
    count = np.maximum(np.floor(length / _STEP_M), 1).astype(np.int64)
    count[~(length > 0)] = 0
    part = np.repeat(np.arange(len(parts)), count)
    place = np.arange(len(part)) - np.repeat(np.cumsum(count) - count, count)
    at = (place + 0.5) * length[part] / count[part]
    middle = shapely.get_coordinates(shapely.line_interpolate_point(parts[part], at))
    reach = np.minimum(0.5, length[part] / 4)
    before = shapely.get_coordinates(shapely.line_interpolate_point(parts[part], at - reach))
    after = shapely.get_coordinates(shapely.line_interpolate_point(parts[part], at + reach))
    along = after - before
    norm = np.hypot(*along.T)
    good = norm > 0
    across = np.stack((-along[:, 1], along[:, 0]), axis=1) / np.where(good, norm, 1.0)[:, None]
    sides = [_first_front(middle, middle + side * widest_m * across, polygons) for side in (1.0, -1.0)]
    width = sides[0] + sides[1]
    met = np.flatnonzero(good & np.isfinite(width) & (width <= widest_m) & (width > 0))
    return _medians(width[met], street[part[met]], np.bincount(street[part], minlength=len(lines)))


def _first_front(start: Floats, end: Floats, polygons: NDArray[np.object_]) -> Floats:
    """Return the distance along each ray to the first polygon; infinite if there is none, NaN inside one."""
    far = np.full(len(start), np.inf)
    if not (len(start) and len(polygons)):
        return far
    rays, points = shapely.linestrings(np.stack((start, end), axis=1)), shapely.points(start)
    ray, polygon = shapely.STRtree(polygons).query(rays, predicate="intersects")
    np.minimum.at(far, ray, shapely.distance(points[ray], shapely.intersection(rays[ray], polygons[polygon])))
    return np.where(far > 0, far, np.nan)


def _medians(width: Floats, street: NDArray[np.integer], places: NDArray[np.integer]) -> Floats:
    result = np.full(len(places), np.nan)
    order = np.lexsort((width, street))
    width, street = width[order], street[order]
    first = np.searchsorted(street, np.arange(len(places)))
    n = np.bincount(street, minlength=len(places))
    enough = np.flatnonzero((n >= _FEWEST) | ((n == 1) & (places == 1)))
    low, high = first[enough] + (n[enough] - 1) // 2, first[enough] + n[enough] // 2
    result[enough] = (width[low] + width[high]) / 2
    return result


def _share(size: Floats, weight: Floats, limit: float, what: str) -> Share:
    if not (np.isfinite(limit) and limit > 0):
        raise InvalidInput(f"A limit of {limit} is not possible.", code="bad_number", where=what)
    bad = np.isinf(size) | (size < 0)
    if bad.any():
        raise InvalidInput(
            f"The {what} {size[bad][0]} is negative or infinite.", code="bad_number",
            where=f"{what} {np.flatnonzero(bad)[0]}", remedy="Leave it missing if it is not known.",
        )  # fmt: skip
    is_known = ~np.isnan(size)
    known, below = float(weight[is_known].sum()), float(weight[is_known & (size < limit)].sum())
    return Share(below / known if known > 0 else None, below, known, float(weight[~is_known].sum()), float(limit))

"""Which place came from which, and what an edit gave and took: in shares of land and of people."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.core.measuring import area_m2

#: A smaller share of both places is the rounding of a vertex, not an inheritance.
SMALLEST_SHARE: Final = 1e-5

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
#: The people living in each of some geometries (EPSG:4326), shape ``(n,)``.
People = Callable[[NDArray[np.object_]], Floats]


@dataclass(frozen=True, slots=True)
class Descent:
    """What one place handed on to another.

    Attributes
    ----------
    predecessor, successor
        Codes of places; the successor is empty where land went to nobody.
    share_of_predecessor_area
        The share of the predecessor's land that the successor received; over its successors these sum to 1. Land that
        several successors cover, as settlements may, is divided equally among them.
    share_of_successor_area
        The share of the successor's land that came from the predecessor; what is missing to 1 belonged to nobody.
        0 where the successor is nobody. Where predecessors covered the same land each is credited with all it had, so
        over predecessors that overlapped these sum to more than 1.
    share_of_predecessor_people, share_of_successor_people
        The same in people; None if nobody counted them or nobody lives there.
    """

    predecessor: str
    successor: str
    share_of_predecessor_area: float
    share_of_successor_area: float
    share_of_predecessor_people: float | None = None
    share_of_successor_people: float | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """What a boundary gained and lost: geometries in EPSG:4326, perhaps empty, and their areas in m²."""

    gained: shapely.MultiPolygon
    lost: shapely.MultiPolygon
    gained_m2: float
    lost_m2: float


def lineage(
    before: Mapping[str, shapely.Geometry], after: Mapping[str, shapely.Geometry], *, people: People | None = None
) -> list[Descent]:
    """Tell for each place of before to whom its land and people went.

    Parameters
    ----------
    before, after
        Valid polygons in EPSG:4326 by code; only the places touched by an edit, or all.
    people
        Counts the people in geometries, exactly and additively; they are counted in the pieces handed on.

    Returns
    -------
    list of Descent
        By predecessor in the order of ``before``, the largest share first. Shares below `SMALLEST_SHARE` of both
        places are left out and the others scaled, so that those of each predecessor sum to 1.

    Examples
    --------
    >>> whole = {"a": shapely.box(0, 0, 4e-3, 1e-3)}
    >>> parts = {"a": shapely.box(0, 0, 3e-3, 1e-3), "b": shapely.box(3e-3, 0, 4e-3, 1e-3)}
    >>> [(d.predecessor, d.successor, round(d.share_of_predecessor_area, 3)) for d in lineage(whole, parts)]
    [('a', 'a', 0.75), ('a', 'b', 0.25)]
    """
    old_codes, new_codes = list(before), list(after)
    old = np.array([before[code] for code in old_codes], dtype=object)
    new = np.array([after[code] for code in new_codes], dtype=object)
    if not len(old):
        return []
    position = {code: index for index, code in enumerate(new_codes)}
    same_code = np.array([position.get(code, -1) for code in old_codes])
    namesakes = np.array([after.get(code) for code in old_codes], dtype=object)
    unchanged = np.where(_are_equal(old, namesakes), same_code, -1)
    one, two, pieces = _pieces(old, new, unchanged)
    rest = _rest(old, new, one, two, unchanged)
    lost = np.flatnonzero(~shapely.is_empty(rest))
    from_index = np.concatenate((one, lost))
    to_index = np.concatenate((two, np.full(len(lost), -1)))
    pieces = np.concatenate((pieces, rest[lost]))

    area = area_m2(pieces)
    whole_old, whole_new = area_m2(old), area_m2(new)
    fragments, owner, weight = _divided(pieces, from_index, area, whole_old)
    is_divided = bool((weight < 1).any())
    given_m2 = _summed(weight * area_m2(fragments), owner, len(area)) if is_divided else area
    of_old = given_m2 / whole_old[from_index]
    is_heir = to_index >= 0
    of_new = np.zeros(len(area))
    of_new[is_heir] = area[is_heir] / whole_new[to_index[is_heir]]
    keep = (of_old >= SMALLEST_SHARE) | (of_new >= SMALLEST_SHARE)
    from_index, to_index, pieces = from_index[keep], to_index[keep], pieces[keep]
    of_old = _scaled(of_old[keep], from_index, len(old))
    of_new = np.minimum(of_new[keep], 1.0)

    people_of_old = people_of_new = None
    if people is not None:
        counted = np.asarray(people(pieces), dtype=np.float64)
        given = counted
        if is_divided:
            given = _summed(weight * np.asarray(people(fragments), dtype=np.float64), owner, len(area))[keep]
        people_of_old = _scaled(given, from_index, len(old))
        whole = np.asarray(people(new), dtype=np.float64) if len(new) else np.zeros(0)
        people_of_new = np.full(len(counted), np.nan)
        heirs = np.flatnonzero(to_index >= 0)
        total = whole[to_index[heirs]]
        people_of_new[heirs] = np.where(total > 0, np.minimum(counted[heirs] / np.maximum(total, 1e-300), 1.0), np.nan)
    return [
        Descent(
            old_codes[from_index[k]],
            new_codes[to_index[k]] if to_index[k] >= 0 else "",
            float(of_old[k]),
            float(of_new[k]),
            _or_none(people_of_old, k),
            _or_none(people_of_new, k),
        )
        for k in np.lexsort((to_index, -of_old, from_index)).tolist()
    ]


def difference(before_geom: shapely.Geometry | None, after_geom: shapely.Geometry | None) -> Difference:
    """Tell what a boundary gained and lost.

    Parameters
    ----------
    before_geom, after_geom
        Valid polygons in EPSG:4326; None for a place that is new, or ends.

    Examples
    --------
    >>> change = difference(shapely.box(0, 0, 2e-3, 1e-3), shapely.box(1e-3, 0, 3e-3, 1e-3))
    >>> change.gained.bounds, round(change.gained_m2), round(change.lost_m2)
    ((0.002, 0.0, 0.003, 0.001), 12309, 12309)
    """
    nothing = shapely.MultiPolygon()
    old = nothing if before_geom is None else before_geom
    new = nothing if after_geom is None else after_geom
    gained, lost = _polygonal(shapely.difference(new, old)), _polygonal(shapely.difference(old, new))
    gained_m2, lost_m2 = (float(value) for value in area_m2([gained, lost]))
    return Difference(gained, lost, gained_m2, lost_m2)


def _are_equal(one: NDArray[np.object_], two: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Tell which pairs have the same vertices, wherever their rings begin and whichever way they turn."""
    result: NDArray[np.bool_] = shapely.equals_exact(shapely.normalize(one), shapely.normalize(two), 0.0)
    return result


def _pieces(
    old: NDArray[np.object_], new: NDArray[np.object_], unchanged: Integers
) -> tuple[Integers, Integers, NDArray[np.object_]]:
    """Lay the places before over those after: for each pair that shares land, the two and the land.

    A place that did not change handed on nothing, whatever overlaps it.
    """
    kept = np.flatnonzero(unchanged >= 0)
    changed = np.flatnonzero(unchanged < 0)
    if not len(new) or not len(changed):
        return kept, unchanged[kept], old[kept]
    found, two = shapely.STRtree(new).query(old[changed], predicate="intersects")
    one = changed[found]
    pieces = np.empty(len(one), dtype=object)
    pieces[:] = [_polygonal(shared) for shared in shapely.intersection(old[one], new[two])]
    has_land = ~shapely.is_empty(pieces)
    return (
        np.concatenate((kept, one[has_land])),
        np.concatenate((unchanged[kept], two[has_land])),
        np.concatenate((old[kept], pieces[has_land])),
    )


def _divided(
    pieces: NDArray[np.object_], from_index: Integers, area: Floats, whole: Floats
) -> tuple[NDArray[np.object_], Integers, Floats]:
    """Divide land that several pieces of one place before cover among them.

    Returns
    -------
    tuple of ndarray
        Fragments of pieces, the piece of each, and how much of the fragment is that piece's: 1, or an equal share.
        Where nothing overlaps, the pieces themselves.
    """
    fragments, owner, weight = list(pieces), list(range(len(pieces))), [1.0] * len(pieces)
    crowded = np.bincount(from_index, weights=area, minlength=len(whole)) > whole * (1 + SMALLEST_SHARE)
    for index in np.flatnonzero(crowded).tolist():
        cells: list[tuple[shapely.Geometry, list[int]]] = []
        for piece in np.flatnonzero(from_index == index).tolist():
            left, cut = pieces[piece], []
            for land, holders in cells:
                shared = _polygonal(shapely.intersection(land, left))
                if shared.is_empty:
                    cut.append((land, holders))
                    continue
                cut += [(shared, [*holders, piece]), (_polygonal(shapely.difference(land, shared)), holders)]
                left = _polygonal(shapely.difference(left, shared))
            cells = [(land, holders) for land, holders in [*cut, (left, [piece])] if not land.is_empty]
        rows = [(land, holder, 1 / len(holders)) for land, holders in cells for holder in holders]
        kept = [k for k, piece in enumerate(owner) if from_index[piece] != index]
        fragments = [fragments[k] for k in kept] + [land for land, _, _ in rows]
        owner = [owner[k] for k in kept] + [holder for _, holder, _ in rows]
        weight = [weight[k] for k in kept] + [part for _, _, part in rows]
    found = np.empty(len(fragments), dtype=object)
    found[:] = fragments
    return found, np.array(owner, dtype=np.int64), np.array(weight)


def _rest(
    old: NDArray[np.object_], new: NDArray[np.object_], one: Integers, two: Integers, unchanged: Integers
) -> NDArray[np.object_]:
    """Give the land of each place before that belongs to no place after."""
    rest = np.full(len(old), shapely.MultiPolygon(), dtype=object)
    for index in np.flatnonzero(unchanged < 0).tolist():
        heirs = new[two[one == index]]
        rest[index] = _polygonal(shapely.difference(old[index], shapely.union_all(heirs)))
    return rest


def _summed(values: Floats, owner: Integers, n: int) -> Floats:
    result: Floats = np.bincount(owner, weights=values, minlength=n).astype(np.float64)
    return result


def _scaled(values: Floats, owner: Integers, n: int) -> Floats:
    """Scale values so that those of each owner sum to 1; NaN where they sum to 0."""
    total = np.bincount(owner, weights=values, minlength=n)[owner]
    return np.where(total > 0, values / np.maximum(total, 1e-300), np.nan)


def _or_none(values: Floats | None, index: int) -> float | None:
    return None if values is None or np.isnan(values[index]) else float(values[index])


def _polygonal(geometry: shapely.Geometry) -> shapely.MultiPolygon:
    parts = shapely.get_parts(geometry)
    return shapely.MultiPolygon(list(parts[(shapely.get_type_id(parts) == 3) & ~shapely.is_empty(parts)]))

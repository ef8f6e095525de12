"""The partition itself: arcs, the faces they bound, and the way from polygons to arcs and back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.core.noding import Floats, Integers
from geo.core.validity import as_multipolygon
from geo.errors import GeometryError, InvalidInput

#: Signed numbers of arcs, head to tail; ``~i`` is arc ``i`` walked backwards.
Ring: TypeAlias = tuple[int, ...]
#: The shell and then the holes.
Face: TypeAlias = tuple[tuple[Ring, ...], ...]


@dataclass(frozen=True, eq=False)
class Partition:
    """Places that share their boundaries: what is stored is each piece of boundary once.

    Shells are walked anticlockwise and holes clockwise, so that a face lies to the left of its arcs, and an arc
    between two faces is walked forwards by one and backwards by the other. Values are never changed; each edit gives
    a new partition that shares what it did not touch.

    Attributes
    ----------
    arcs
        Each of shape ``(k, 2)``: longitude and latitude, k ≥ 2. An arc without a node is closed.
    faces
        For each place its polygons, each a shell and holes, each of signed arc numbers.
    """

    arcs: tuple[Floats, ...]
    faces: Mapping[str, Face] = field(default_factory=dict)

    @cached_property
    def polygons(self) -> dict[str, shapely.MultiPolygon]:
        """The geometry of each face; treat it as read-only, `polygons_of` gives a copy."""
        return _built(self.arcs, self.faces)

    @cached_property
    def users(self) -> tuple[tuple[str, ...], ...]:
        """For each arc the codes of the faces it bounds, in the order of the faces."""
        users: list[list[str]] = [[] for _ in self.arcs]
        for code, face in self.faces.items():
            for number in chain.from_iterable(chain.from_iterable(face)):
                index = max(number, ~number)
                if code not in users[index]:
                    users[index].append(code)
        return tuple(tuple(codes) for codes in users)

    @cached_property
    def bounds(self) -> Floats:
        """West, south, east, north of each arc, shape ``(n_arcs, 4)``."""
        if not self.arcs:
            return np.zeros((0, 4))
        first = np.cumsum([0, *(len(arc) for arc in self.arcs[:-1])])
        xy = np.concatenate(self.arcs)
        return np.hstack((np.minimum.reduceat(xy, first), np.maximum.reduceat(xy, first)))


def partition_of(polygons: Mapping[str, shapely.Geometry]) -> Partition:
    """Find the arcs that places share.

    Only exactly equal vertices are one: a neighbour that passes a vertex without having it itself keeps its own arc
    there (see `geo.core.snapping`). Arcs end at nodes: where other than two edges meet, because three boundaries
    meet there, or a boundary touches itself. Repeated vertices are dropped.

    Parameters
    ----------
    polygons
        Polygons and multipolygons in EPSG:4326 by the code of the place. Rings may turn either way.

    Raises
    ------
    GeometryError
        If a geometry is missing, empty, not polygonal or has a coordinate that is not finite.

    Examples
    --------
    >>> p = partition_of({"west": shapely.box(0, 0, 1, 1), "east": shapely.box(1, 0, 2, 1)})
    >>> len(p.arcs), p.faces["east"]
    (3, (((0, 1),),))
    >>> p.faces["west"]
    (((-1, 2),),)
    """
    polygons = dict(sorted(polygons.items()))
    parts, part_face = shapely.get_parts(_checked(polygons), return_index=True)
    rings, ring_part = shapely.get_rings(shapely.orient_polygons(parts), return_index=True)
    xy, ring = _open_rings(rings)
    vertex, n_vertices = _numbered(xy)
    size = np.bincount(ring, minlength=len(rings))
    if len(size) and size.min() < 3:
        code = list(polygons)[part_face[ring_part[int(size.argmin())]]]
        raise GeometryError("A ring has fewer than three corners.", code="degenerate_ring", where=code)
    first = np.cumsum(size) - size
    following = np.arange(1, len(xy) + 1)
    following[first + size - 1] = first

    # Edge k of the concatenated rings goes from vertex k to the vertex that follows it in its ring.
    ahead = vertex[following]
    low, high = np.minimum(vertex, ahead), np.maximum(vertex, ahead)
    _, sample, edge = np.unique(low * n_vertices + high, return_index=True, return_inverse=True)
    degree = np.bincount(np.concatenate((low[sample], high[sample])), minlength=n_vertices)
    is_node = degree[vertex] != 2

    piece, start = _pieces(is_node, ring, first, size)
    along = (np.arange(len(xy)) - start[ring]) % size[ring]
    order = np.lexsort((along, piece))
    piece_first = np.flatnonzero(np.diff(piece[order], prepend=-1))
    arc_key = np.minimum.reduceat(edge[order], piece_first) if len(order) else np.zeros(0, dtype=np.int64)
    return _assembled(polygons, xy, vertex, order, piece_first, arc_key, following, part_face, ring_part, ring)


def polygons_of(partition: Partition) -> dict[str, shapely.MultiPolygon]:
    """Give the polygon of each place, in EPSG:4326.

    Examples
    --------
    >>> polygons_of(partition_of({"a": shapely.box(0, 0, 1, 1)}))["a"].area
    1.0
    """
    return dict(partition.polygons)


def face_of(partition: Partition, code: str) -> Face:
    """Give the rings of a place.

    Raises
    ------
    InvalidInput
        If the partition has no such place.
    """
    try:
        return partition.faces[code]
    except KeyError:
        raise InvalidInput(
            f"There is no place {code!r} in the partition.",
            code="unknown_place",
            where=code,
            remedy="Name a neighbourhood of this city.",
        ) from None


def frozen(arc: Floats) -> Floats:
    """Give coordinates as an array that cannot be written to."""
    arc = np.ascontiguousarray(arc, dtype=np.float64)
    arc.flags.writeable = False
    return arc


def with_arcs(partition: Partition, changed: Mapping[int, Floats]) -> Partition:
    """Replace the coordinates of some arcs; polygons of faces that do not use them are carried over."""
    arcs = list(partition.arcs)
    touched: set[str] = set()
    for index, arc in changed.items():
        arcs[index] = frozen(arc)
        touched.update(partition.users[index])
    result = Partition(tuple(arcs), partition.faces)
    rebuilt = _built(result.arcs, {code: partition.faces[code] for code in partition.faces if code in touched})
    # The caches of a frozen value may be filled in before anyone has seen it.
    vars(result)["polygons"] = {**partition.polygons, **rebuilt}
    vars(result)["users"] = partition.users
    return result


def _checked(polygons: Mapping[str, shapely.Geometry]) -> NDArray[np.object_]:
    array = np.empty(len(polygons), dtype=object)
    for index, (code, geometry) in enumerate(polygons.items()):
        try:
            array[index] = as_multipolygon(geometry)
        except GeometryError as error:
            raise GeometryError(error.message, code=error.code, where=code, remedy=error.remedy) from error
    xy, owner = shapely.get_coordinates(array, return_index=True)
    bad = np.flatnonzero(~np.isfinite(xy).all(axis=1))
    if bad.size:
        raise GeometryError(
            "A coordinate is not a finite number.",
            code="not_finite",
            where=list(polygons)[owner[bad[0]]],
            remedy="Correct or remove the vertex.",
        )
    return array


def _open_rings(rings: NDArray[np.object_]) -> tuple[Floats, Integers]:
    """Give the vertices of rings without their closing vertex and without repetitions, and the ring of each."""
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    if not len(xy):
        return xy, ring
    # The closing vertex repeats the first one, so dropping what equals its predecessor's successor is enough.
    last = np.append(ring[1:] != ring[:-1], True)
    repeated = np.append((xy[1:] == xy[:-1]).all(axis=1), False)
    keep = ~(last | repeated)
    return xy[keep] + 0.0, ring[keep].astype(np.int64)  # + 0.0 makes one zero of two


def _numbered(xy: Floats) -> tuple[Integers, int]:
    """Number vertices so that equal coordinates have equal numbers."""
    if not len(xy):
        return np.zeros(0, dtype=np.int64), 0
    order = np.lexsort((xy[:, 1], xy[:, 0]))
    ordered = xy[order]
    new = np.append(True, (ordered[1:] != ordered[:-1]).any(axis=1))
    number = np.empty(len(xy), dtype=np.int64)
    number[order] = np.cumsum(new) - 1
    return number, int(new.sum())


def _pieces(is_node: NDArray[np.bool_], ring: Integers, first: Integers, size: Integers) -> tuple[Integers, Integers]:
    """Number the stretches between nodes of each ring, and give where each ring starts.

    A ring starts at its first node, or at its first vertex if it has none.
    """
    start = first.copy()
    nodes = np.flatnonzero(is_node)
    rings_with, at = np.unique(ring[nodes], return_index=True)
    start[rings_with] = nodes[at]
    begins = is_node.copy()
    begins[start] = True
    count = np.cumsum(begins) - 1
    n_pieces = np.bincount(ring[begins], minlength=len(size))
    offset = np.cumsum(n_pieces) - n_pieces
    # Vertices before the first node of their ring close its last piece.
    before_start = np.arange(len(ring)) < start[ring]
    piece = np.where(before_start, offset[ring] + n_pieces[ring] - 1, count)
    return piece.astype(np.int64), start


def _assembled(
    polygons: Mapping[str, shapely.Geometry],
    xy: Floats,
    vertex: Integers,
    order: Integers,
    piece_first: Integers,
    arc_key: Integers,
    following: Integers,
    part_face: Integers,
    ring_part: Integers,
    ring: Integers,
) -> Partition:
    """Make each stretch of boundary an arc once, and write the rings in arcs."""
    arcs: list[Floats] = []
    arc_walk: list[tuple[int, int]] = []
    number_of: dict[int, int] = {}
    faces: dict[str, list[list[list[int]]]] = {code: [] for code in polygons}
    codes = list(polygons)
    bounds = [*piece_first.tolist(), len(order)]
    last_ring = last_part = -1
    for k, key in enumerate(arc_key.tolist()):
        walk = order[bounds[k] : bounds[k + 1]]
        end = following[walk[-1]]
        if key not in number_of:
            number_of[key] = len(arcs)
            arcs.append(frozen(np.concatenate((xy[walk], xy[end : end + 1]))))
            arc_walk.append(_sense(vertex, walk, int(end)))
            signed = number_of[key]
        else:
            signed = number_of[key]
            if _sense(vertex, walk, int(end)) != arc_walk[signed]:
                signed = ~signed
        this_ring = int(ring[walk[0]])
        this_part = int(ring_part[this_ring])
        face = faces[codes[part_face[this_part]]]
        if this_part != last_part:
            face.append([])
        if this_ring != last_ring:
            face[-1].append([])
        face[-1][-1].append(signed)
        last_ring, last_part = this_ring, this_part
    return Partition(
        tuple(arcs),
        {code: tuple(tuple(tuple(r) for r in polygon) for polygon in face) for code, face in faces.items()},
    )


def _sense(vertex: Integers, walk: Integers, end: int) -> tuple[int, int]:
    """Tell which way a stretch is walked, by the edge at its lowest vertex: the same both ways but for its order.

    The ends alone do not tell, as they are one vertex in a closed stretch.
    """
    begin, final = int(vertex[walk[0]]), int(vertex[end])
    if begin != final:
        return begin, final
    inner = vertex[walk]
    at = int(inner.argmin())
    return int(inner[at]), int(inner[(at + 1) % len(inner)])


def _built(arcs: tuple[Floats, ...], faces: Mapping[str, Face]) -> dict[str, shapely.MultiPolygon]:
    """Join arcs into rings, rings into polygons, polygons into the geometry of each face, all at once."""
    xy: list[Floats] = []
    ring_size: list[int] = []
    ring_part: list[int] = []
    part_face: list[int] = []
    for face_index, (code, face) in enumerate(faces.items()):
        for polygon in face:
            for ring in polygon:
                walked = [arcs[i][:-1] if i >= 0 else arcs[~i][:0:-1] for i in ring]
                size = sum(map(len, walked))
                if size < 3:
                    raise GeometryError(
                        "A ring of the boundary has fewer than three corners.",
                        code="degenerate_ring",
                        where=located(code, walked[0][0]),
                        remedy="Keep at least three corners, or merge the place into a neighbour.",
                    )
                xy += walked
                xy.append(walked[0][:1])
                ring_size.append(size + 1)
                ring_part.append(len(part_face))
            part_face.append(face_index)
    if not xy:
        return {}
    rings = shapely.linearrings(np.concatenate(xy), indices=np.repeat(np.arange(len(ring_size)), ring_size))
    parts = shapely.polygons(rings, indices=np.asarray(ring_part))
    whole = shapely.multipolygons(parts, indices=np.asarray(part_face))
    return dict(zip(faces, whole, strict=True))


def located(code: str, xy: Floats) -> str:
    """Name a place and a point in it, for the ``where`` of an error."""
    return f"{code} at {xy[0]:.7f}, {xy[1]:.7f}"

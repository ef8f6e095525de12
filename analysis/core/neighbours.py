"""Which places are neighbours, and which are surrounded by places of the worst class."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import sparse

from geo.errors import InvalidInput

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

Contiguity = Literal["queen", "rook"]

# Where borders are drawn with a gap, what runs alongside for less than this many gaps is a corner.
_GAPS_OF_A_CORNER: Final = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """Which places are neighbours of which.

    Attributes
    ----------
    weights
        Shape ``(p, p)``, sparse rows: 1/n for each of the n neighbours of a place; zero on the diagonal. A place without
        neighbours has an empty row.
    islands
        Numbers of the places without neighbours, ascending.
    """

    weights: sparse.csr_array
    islands: tuple[int, ...]

    @property
    def size(self) -> int:
        """Number of places."""
        return int(self.weights.shape[0])

    def only(self, is_kept: Flags) -> "Neighbours":
        """Return the same among some of the places; neighbours of those left out count less, or become islands.

        Examples
        --------
        >>> row = neighbours_of(3, [(0, 1), (1, 2)])
        >>> row.only(np.array([True, True, False])).weights.toarray().tolist()
        [[0.0, 1.0], [1.0, 0.0]]
        """
        kept = np.flatnonzero(is_kept)
        pairs = self.weights[kept][:, kept].tocoo()
        return _standardised(len(kept), pairs.coords[0], pairs.coords[1])


def neighbours_of(count: int, pairs: Sequence[tuple[int, int]] | NDArray[np.integer]) -> Neighbours:
    """Make neighbours from pairs of places.

    Parameters
    ----------
    count
        Number of places.
    pairs
        Numbers of two places each; either order, and more than once is once.

    Raises
    ------
    InvalidInput
        If a number is not that of a place, or a place is paired with itself.

    Examples
    --------
    >>> neighbours_of(4, [(0, 1), (1, 2)]).weights.toarray().tolist()
    [[0.0, 1.0, 0.0, 0.0], [0.5, 0.0, 0.5, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]
    >>> neighbours_of(4, [(0, 1), (1, 2)]).islands
    (3,)
    """
    array = np.asarray(pairs, dtype=np.int64).reshape(-1, 2)
    is_bad = (array < 0).any(axis=1) | (array >= count).any(axis=1) | (array[:, 0] == array[:, 1])
    if is_bad.any():
        raise InvalidInput(
            "A pair of neighbours is not of two of the places.",
            code="bad_neighbours",
            where=f"pair {np.flatnonzero(is_bad)[0]}",
        )
    return _standardised(count, np.r_[array[:, 0], array[:, 1]], np.r_[array[:, 1], array[:, 0]])


def contiguity(
    polygons: Sequence[Any] | NDArray[np.object_], kind: Contiguity = "queen", gap: float = 0.0
) -> Neighbours:
    """Find the neighbours of places by their common borders.

    Parameters
    ----------
    polygons
        Shape ``(p,)``: polygons of shapely, in a plane, of one system.
    kind
        ``queen``: places that touch at all, also at a corner; ``rook``: places that share a piece of border.
        Places that overlap are neighbours by both.
    gap
        In the unit of the polygons: borders up to so far apart count as touching, for borders that were not drawn on
        one another. By ``rook`` they must then run within the gap of each other for more than ten gaps.

    Returns
    -------
    Neighbours
        With islands named. Who touches only water, a street or a park between places is an island without ``gap``.

    Raises
    ------
    InvalidInput
        If a place has no polygon, an empty or an invalid one, the gap is negative or not finite, or the kind is unknown.

    Notes
    -----
    Names as on a chessboard, [@cliff1981].

    Examples
    --------
    >>> squares = [shapely.box(x, y, x + 1, y + 1) for x, y in ((0, 0), (1, 0), (1, 1), (5, 5))]
    >>> contiguity(squares, "queen").weights.toarray()[0].tolist(), contiguity(squares, "queen").islands
    ([0.0, 0.5, 0.5, 0.0], (3,))
    >>> contiguity(squares, "rook").weights.toarray()[0].tolist()
    [0.0, 1.0, 0.0, 0.0]
    """
    shapes = np.empty(len(polygons), dtype=object)
    shapes[:] = list(polygons)
    if kind not in ("queen", "rook"):
        raise InvalidInput(f"“{kind}” is not a kind of contiguity.", code="bad_method")
    if not (np.isfinite(gap) and gap >= 0):
        raise InvalidInput("The gap between borders is negative or not a number.", code="bad_number",
                           remedy="Give zero or more.")  # fmt: skip
    is_good = np.isin(shapely.get_type_id(shapes), (3, 6)) & ~shapely.is_empty(shapes) & shapely.is_valid(shapes)
    if not is_good.all():
        raise InvalidInput(
            "A place has no valid polygon.",
            code="bad_geometry",
            where=f"place {np.flatnonzero(~is_good)[0]}",
            remedy="Leave it out, or correct its boundary.",
        )
    tree = shapely.STRtree(shapes)
    if gap > 0:
        one, other = tree.query(shapes, predicate="dwithin", distance=gap)
    else:
        one, other = tree.query(shapes, predicate="intersects")
    once = one < other
    one, other = one[once], other[once]
    if kind == "rook" and len(one):
        if gap > 0:
            borders = shapely.boundary(shapes)
            near = shapely.buffer(shapes[other], gap)
            shared = shapely.length(shapely.intersection(borders[one], near))
            is_shared = shared > _GAPS_OF_A_CORNER * gap
        else:
            is_shared = shapely.length(shapely.intersection(shapes[one], shapes[other])) > 0
        one, other = one[is_shared], other[is_shared]
    return neighbours_of(len(shapes), np.column_stack((one, other)))


@dataclass(frozen=True, slots=True, eq=False)
class Surrounded:
    """Places that are not in the worst class, and how many of their neighbours are.

    Attributes
    ----------
    is_surrounded
        Shape ``(p,)``.
    worst_neighbours, neighbours
        Shape ``(p,)``: how many neighbours are in the worst class, and how many there are.
    """

    is_surrounded: Flags
    worst_neighbours: NDArray[np.int64]
    neighbours: NDArray[np.int64]


def surrounded(is_worst: Flags, neighbours: Neighbours, more_than: float = 0.5) -> Surrounded:
    """Find the places that are not in the worst class but whose neighbours mostly are.

    Parameters
    ----------
    is_worst
        Shape ``(p,)``: is the place in the worst class?
    neighbours
        Of the same places.
    more_than
        Share of the neighbours, 0 to 1, that must be exceeded; 1 for all of them. A place without neighbours is never
        surrounded.

    Raises
    ------
    InvalidInput
        If lengths differ or the share is outside 0 to 1.

    Notes
    -----
    The Climate and Economic Justice Screening Tool asks for all neighbours, and for a low income that is at or above
    the 50th percentile besides, [@cejst2022].

    Examples
    --------
    >>> row = neighbours_of(4, [(0, 1), (1, 2), (2, 3)])
    >>> surrounded(np.array([True, False, True, False]), row).is_surrounded.tolist()
    [False, True, False, True]
    """
    worst = np.asarray(is_worst, dtype=bool)
    if worst.shape != (neighbours.size,):
        raise InvalidInput(
            f"Classes of shape {worst.shape} do not fit {neighbours.size} places.", code="length_mismatch"
        )
    if not 0 <= more_than <= 1:
        raise InvalidInput(f"{more_than:g} is not a share between 0 and 1.", code="bad_number")
    links = neighbours.weights.astype(bool).astype(np.int64)
    count = np.asarray(links.sum(axis=1)).ravel()
    bad = np.asarray(links @ worst.astype(np.int64)).ravel()
    enough = (bad == count) if more_than == 1 else bad > more_than * count
    return Surrounded(~worst & enough & (count > 0), bad, count)


def _standardised(count: int, rows: NDArray[np.integer], columns: NDArray[np.integer]) -> Neighbours:
    links = sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(count, count))
    links.sum_duplicates()
    links.sort_indices()
    number = np.diff(links.indptr)
    links.data = 1.0 / np.repeat(number, number)
    return Neighbours(links, tuple(np.flatnonzero(number == 0).tolist()))

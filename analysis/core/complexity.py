"""Block complexity: through how many neighbours' parcels the most hidden home is from a street."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array, csr_array

from analysis.core.parcels import Parcels, common_edges
from geo.core.crs import GeometryLike, as_geometries
from geo.errors import InvalidInput

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

#: A parcel that is no further from a street touches it (metres).
TOUCH_M: Final = 0.01

#: The largest complexity of a block that is not called complex.
SIMPLE_K: Final = 2


@dataclass(frozen=True, slots=True, eq=False)
class Complexity:
    """How hidden parcels are, and blocks with them.

    Attributes
    ----------
    layer
        Shape ``(n,)``: 1 for a parcel that touches a connected street, 2 for its neighbours, and so on; 0 for open
        land that is access itself, -1 for a parcel that no neighbours lead to.
    k
        Shape ``(b,)``: number of layers of each block; 0 for a block without any parcel that can be reached.
    homes
        Shape ``(b,)``: homes in each block.
    homes_without_access
        Shape ``(b,)``: those on parcels that touch no connected street: of layer 2 and more, or -1.
    homes_unreached
        Shape ``(b,)``: those of layer -1.
    homes_by_layer
        Shape ``(b, layers)``: homes on parcels of layer 1, 2 …
    unreached
        Indices of the parcels of layer -1.
    """

    layer: Integers
    k: Integers
    homes: Floats
    homes_without_access: Floats
    homes_unreached: Floats
    homes_by_layer: Floats
    unreached: Integers

    @property
    def is_complex(self) -> Booleans:
        """Shape ``(b,)``: k above 2, the mark of missing access in the literature, or homes that are not reached."""
        return (self.k > SIMPLE_K) | (self.homes_unreached > 0)


@dataclass(frozen=True, slots=True, eq=False)
class PlaceComplexity:
    """Blocks summed up by place; every array has the shape ``(places,)``.

    Attributes
    ----------
    blocks, complex_blocks
        Number of blocks with homes, and of those that are complex.
    homes, homes_without_access
        Sums.
    mean_k
        Mean of k weighted by homes; NaN for a place without homes.
    largest_k
        0 for a place without homes.
    share_without_access
        Share of the homes, 0 to 1; NaN for a place without homes.
    """

    blocks: Integers
    complex_blocks: Integers
    homes: Floats
    homes_without_access: Floats
    mean_k: Floats
    largest_k: Integers
    share_without_access: Floats


def parcel_layers(pairs: ArrayLike, is_first: ArrayLike) -> Integers:
    """Peel parcels from the streets inwards.

    Parameters
    ----------
    pairs
        Shape ``(m, 2)``: parcels that have an edge in common.
    is_first
        Shape ``(n,)``: whether a parcel touches a street.

    Returns
    -------
    ndarray
        Shape ``(n,)``: the layer, 1 where ``is_first``; -1 where no neighbours lead to.

    Raises
    ------
    InvalidInput
        If a pair names a parcel that does not exist.

    Notes
    -----
    Reference: [@bettencourt2025]; the layers are those of the nested duals of [@brelsford2018] counted by parcels.

    Examples
    --------
    Four in a row behind each other, and one apart:

    >>> parcel_layers([(0, 1), (1, 2), (2, 3)], [True, False, False, False, False]).tolist()
    [1, 2, 3, 4, -1]
    """
    first = np.asarray(is_first, dtype=bool)
    n = first.size
    both = np.asarray(pairs, dtype=np.int64).reshape(-1, 2)
    if len(both) and not (both.min() >= 0 and both.max() < n):
        raise InvalidInput("A pair of neighbours names a parcel that does not exist.", code="unknown_parcel")
    graph = _graph(both, n)
    layer = np.where(first, 1, -1).astype(np.int64)
    front, number = first, 1
    while front.any():
        number += 1
        front = (np.asarray(graph @ front.astype(np.int64)) > 0) & (layer < 0)
        layer[front] = number
    return layer


def block_complexity(parcels: Parcels, streets: GeometryLike, homes: ArrayLike | None = None) -> Complexity:
    """Compute the complexity k of blocks.

    Parcels that touch a connected street are layer 1; those that have an edge in common with them are layer 2, and so
    on; k is the number of layers [@brelsford2018; @bettencourt2025]. To touch a street a corner is enough, as in the
    tool of [@brelsford2018]; neighbours have an edge in common. Open land that touches a connected street, directly
    or by other open land, gives access like the street.

    Parameters
    ----------
    parcels
        From `analysis.core.parcels.cells_of_buildings` or `analysis.core.plots.tiled_plots`.
    streets
        Lines in metres that are connected to the outside: `analysis.core.blocks.StreetBlocks.streets`.
    homes
        Shape ``(n,)``: homes on each parcel; the number of buildings by default.

    Raises
    ------
    InvalidInput
        If homes do not fit the parcels, or are negative or not finite.

    Examples
    --------
    Nine plots with streets all around; the one in the middle has none:

    >>> from analysis.core.plots import tiled_plots
    >>> x, y = np.meshgrid([0, 10, 20], [0, 10, 20])
    >>> plots = shapely.box(x, y, x + 10, y + 10).ravel()
    >>> block = shapely.box(0, 0, 30, 30)
    >>> found = block_complexity(tiled_plots([block], plots), block.exterior, homes=np.ones(9))
    >>> found.layer.tolist(), found.k.tolist(), found.homes_without_access.tolist()
    ([1, 1, 1, 1, 2, 1, 1, 1, 1], [2], [1.0])
    """
    n = len(parcels.polygons)
    living = parcels.homes.astype(np.float64) if homes is None else np.asarray(homes, dtype=np.float64)
    if living.shape != (n,):
        raise InvalidInput(f"{living.size} numbers of homes do not fit {n} parcels.", code="length_mismatch")
    if not (np.isfinite(living) & (living >= 0)).all():
        raise InvalidInput("A number of homes is negative or not finite.", code="bad_homes")
    with ThreadPoolExecutor(1) as beside:
        is_touched = beside.submit(touches, parcels.polygons, as_geometries(streets))
        pairs = neighbours(parcels)
        layer = layers_of(parcels, pairs, is_touched.result())
    return counted(parcels, layer, living)


def neighbours(parcels: Parcels) -> Integers:
    """Return the pairs of parcels of a block that have an edge in common, shape ``(m, 2)``."""
    _, sides, _, _ = common_edges(parcels.polygons, parcels.block)
    sides = sides[(sides >= 0).all(axis=1)]
    n = len(parcels.polygons)
    return np.stack(np.divmod(np.unique(sides[:, 0] * n + sides[:, 1]), n), axis=1) if n else sides


def touches(polygons: NDArray[np.object_], lines: NDArray[np.object_]) -> Booleans:
    """Tell which parcels some line touches or runs through."""
    lines = lines[~shapely.is_missing(lines) & ~shapely.is_empty(lines)]
    is_touched = np.zeros(len(polygons), dtype=bool)
    if len(lines) and len(polygons):
        _, found = shapely.STRtree(polygons).query(lines, predicate="dwithin", distance=TOUCH_M)
        is_touched[found] = True
    return is_touched


def layers_of(parcels: Parcels, pairs: Integers, is_touched: Booleans) -> Integers:
    """Peel parcels of which some are touched by streets; open land that is access itself is layer 0."""
    is_open = parcels.is_open_land
    if not is_open.any():
        return parcel_layers(pairs, is_touched)
    among = pairs[is_open[pairs].all(axis=1)]
    is_access = (parcel_layers(among, is_touched & is_open) > 0) & is_open
    beside = np.zeros(len(is_open), dtype=bool)
    beside[pairs[is_access[pairs[:, 0]], 1]] = True
    beside[pairs[is_access[pairs[:, 1]], 0]] = True
    layer = parcel_layers(pairs[~is_access[pairs].any(axis=1)], (is_touched | beside) & ~is_access)
    layer[is_access] = 0
    return layer


def counted(parcels: Parcels, layer: Integers, homes: Floats) -> Complexity:
    """Sum layers up by block. Open land has a layer, but is no home: it does not count towards k."""
    b = parcels.n_blocks
    is_plot = ~parcels.is_open_land
    k = np.zeros(b, dtype=np.int64)
    np.maximum.at(k, parcels.block[is_plot], np.maximum(layer[is_plot], 0))
    deepest = int(layer.max(initial=1))
    by_layer = np.zeros((b, deepest))
    is_reached = layer > 0
    np.add.at(by_layer, (parcels.block[is_reached], layer[is_reached] - 1), homes[is_reached])
    total, without, never = (
        np.asarray(np.bincount(parcels.block[chosen], homes[chosen], minlength=b), dtype=np.float64)
        for chosen in (np.ones(len(layer), dtype=bool), (layer < 0) | (layer > 1), layer < 0)
    )
    return Complexity(layer, k, total, without, never, by_layer, np.flatnonzero(layer < 0).astype(np.int64))


def complexity_by_place(found: Complexity, place: ArrayLike, n_places: int) -> PlaceComplexity:
    """Sum blocks up by place.

    Parameters
    ----------
    found
        From `block_complexity`.
    place
        Shape ``(b,)``: the place that each block lies in, -1 for none.
    n_places
        Number of places.

    Raises
    ------
    InvalidInput
        If places do not fit the blocks.

    Examples
    --------
    >>> parcels = Parcels(shapely.box([0, 9], 0, [1, 10], 1), np.array([0, 1]), 2, np.arange(2),
    ...     np.zeros(2, dtype=bool), np.array([0, 0, 0, 1]))
    >>> found = counted(parcels, np.array([1, 3]), parcels.homes.astype(float))
    >>> of = complexity_by_place(found, [0, 0], 1)
    >>> of.mean_k.tolist(), of.share_without_access.tolist(), of.complex_blocks.tolist()
    ([1.5], [0.25], [1])
    """
    number = np.asarray(place, dtype=np.int64)
    if number.shape != found.k.shape or (number.size and not (number.min() >= -1 and number.max() < n_places)):
        raise InvalidInput("The places of blocks do not fit the blocks.", code="length_mismatch")
    counts = (number >= 0) & (found.homes > 0)
    number, k, homes = number[counts], found.k[counts], found.homes[counts]
    blocks = np.bincount(number, minlength=n_places).astype(np.int64)
    complex_blocks = np.bincount(number[found.is_complex[counts]], minlength=n_places).astype(np.int64)
    total, without = (
        np.asarray(np.bincount(number, values, minlength=n_places), dtype=np.float64)
        for values in (homes, found.homes_without_access[counts])
    )
    largest = np.zeros(n_places, dtype=np.int64)
    np.maximum.at(largest, number, k)
    nothing = np.full(n_places, np.nan)
    mean = np.divide(np.bincount(number, homes * k, minlength=n_places), total, out=nothing.copy(), where=total > 0)
    share = np.divide(without, total, out=nothing, where=total > 0)
    return PlaceComplexity(blocks, complex_blocks, total, without, mean, largest, share)


def _graph(pairs: Integers, n: int) -> csr_array:
    both = np.concatenate((pairs, pairs[:, ::-1]))
    return coo_array((np.ones(len(both), dtype=np.int64), (both[:, 0], both[:, 1])), shape=(n, n)).tocsr()

"""Per-capita land (saraneh): how many m² of a use there are for each resident, within a place and within their reach."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, signal, sparse

from geo.core.grid import Grid
from geo.errors import InvalidInput

Floats = NDArray[np.float64]

#: Land that fewer people reach is reached by nobody: sums by Fourier transforms are no finer for the largest cities.
FEWEST_PEOPLE: Final = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class PerCapitaLand:
    """Land of a use for each resident of places, against a standard; every array has the shape ``(places,)``.

    Attributes
    ----------
    standard_m2
        m² for each resident that there should be.
    people
        Residents.
    land_m2
        Land within the place, or what its residents' part of the land within their reach adds up to.
    per_capita_m2
        Land for each resident; NaN for a place without residents.
    balance_m2
        ``per_capita_m2`` minus the standard, negative where land is lacking; NaN as above.
    deficit_m2
        m² that are lacking in the place as a whole; 0 if none are. By reach: Σ over its cells of what each lacks, so
        that too much in one corner does not hide too little in another.
    deficit_people
        Residents for whom there is no land: ``deficit_m2`` / ``standard_m2``, at most all; 0 if the standard is 0.
    """

    standard_m2: float
    people: Floats
    land_m2: Floats
    per_capita_m2: Floats
    balance_m2: Floats
    deficit_m2: Floats
    deficit_people: Floats


def land_within(land_m2: NDArray[np.floating], people: NDArray[np.floating], standard_m2: float) -> PerCapitaLand:
    """Compare the land of a use within each place with the standard.

    Parameters
    ----------
    land_m2
        Shape ``(places,)``: land of the use inside each place (`analysis.core.overlay.overlay`).
    people
        Shape ``(places,)``: residents.
    standard_m2
        m² for each resident, for the band of the city's size; zero or more.

    Raises
    ------
    InvalidInput
        If lengths differ, or a number is negative or not finite.

    Examples
    --------
    >>> parks = land_within(np.array([600.0, 900.0]), np.array([100.0, 100.0]), standard_m2=8.0)
    >>> parks.per_capita_m2.tolist(), parks.deficit_m2.tolist(), parks.deficit_people.tolist()
    ([6.0, 9.0], [200.0, 0.0], [25.0, 0.0])
    """
    land, living = _counted(land_m2, "bad_land"), _counted(people, "bad_population")
    if land.ndim != 1 or land.shape != living.shape:
        raise InvalidInput("Land and people of places differ in length.", code="length_mismatch")
    _require_standard(standard_m2)
    return _compared(land, living, np.maximum(standard_m2 * living - land, 0.0), standard_m2)


def land_reached(
    reached_m2: NDArray[np.floating],
    people: NDArray[np.floating],
    place_fractions: sparse.csr_matrix,
    standard_m2: float,
) -> PerCapitaLand:
    """Compare the land of a use within reach of each place's people with the standard.

    Parameters
    ----------
    reached_m2
        Shape ``(cells,)``: m² for each resident of a cell: from `land_each_within_m2`, or the access of
        `analysis.core.capacity.floating_catchments_of_cells` with the land as capacity for costs along streets.
    people
        Shape ``(cells,)``: residents.
    place_fractions
        Shape ``(places, cells)``: share of each cell inside each place.
    standard_m2
        m² for each resident; zero or more.

    Raises
    ------
    InvalidInput
        If lengths differ, or a number is negative or not finite.

    Examples
    --------
    One cell of a place has too much, the other too little:

    >>> places = sparse.csr_matrix([[1.0, 1.0]])
    >>> parks = land_reached(np.array([12.0, 6.0]), np.array([10.0, 10.0]), places, standard_m2=8.0)
    >>> parks.per_capita_m2.tolist(), parks.deficit_m2.tolist(), parks.deficit_people.tolist()
    ([9.0], [20.0], [2.5])
    """
    each, living = _counted(reached_m2, "bad_land"), _counted(people, "bad_population")
    if each.shape != living.shape or living.shape != (place_fractions.shape[1],):
        raise InvalidInput(
            "Cells of places do not fit land and people.", code="length_mismatch", remedy="Compute all on one grid."
        )
    _require_standard(standard_m2)
    lacking = living * np.maximum(standard_m2 - each, 0.0)
    land, residents, deficit = (np.asarray(place_fractions @ values) for values in (each * living, living, lacking))
    return _compared(land, residents, deficit, standard_m2)


def land_each_within_m2(
    land_m2: NDArray[np.floating], people: NDArray[np.floating], grid: Grid, threshold_m: float
) -> Floats:
    """Share the land of every cell equally among the people within a straight distance of it.

    A_i = Σ_j f(d_ij) S_j / Σ_k f(d_kj) P_k, the two-step floating catchment area [@luo2003] with land as capacity and
    cells as facilities.

    Parameters
    ----------
    land_m2
        Shape ``(n_cells,)``: land of the use in each cell.
    people
        Shape ``(n_cells,)``: residents.
    grid
        The grid.
    threshold_m
        Straight distance between the centres of cells. A cell that the threshold cuts counts partly, as in
        `analysis.core.coverage`; a cell reaches itself at every threshold.

    Returns
    -------
    ndarray
        Shape ``(n_cells,)``: m² for a resident of each cell, 0 where none is reached. Σ P_i A_i is the land that
        anybody reaches.

    Raises
    ------
    InvalidInput
        If lengths differ, or a number is negative or not finite.

    Examples
    --------
    >>> grid = Grid(epsg=32639, x_min_m=0.0, y_max_m=10.0, cell_m=10.0, n_rows=1, n_cols=3)
    >>> land_each_within_m2(np.array([0.0, 100.0, 0.0]), np.array([5.0, 15.0, 80.0]), grid, 0.0).round(6).tolist()
    [0.0, 6.666667, 0.0]
    >>> land_each_within_m2(np.array([0.0, 100.0, 0.0]), np.array([5.0, 15.0, 80.0]), grid, 15.0).round(6).tolist()
    [1.0, 1.0, 1.0]
    """
    land, living = _counted(land_m2, "bad_land"), _counted(people, "bad_population")
    if land.shape != (grid.n_cells,) or living.shape != land.shape:
        raise InvalidInput("Land and people do not fit the grid.", code="length_mismatch")
    if not (math.isfinite(threshold_m) and threshold_m >= 0):
        raise InvalidInput(f"A threshold of {threshold_m} m is not possible.", code="bad_threshold")
    shape = (grid.n_rows, grid.n_cols)
    disc = _disc(grid, threshold_m)
    land, living = land.reshape(shape), living.reshape(shape)
    reach = _near(living, disc)
    is_reached = _anybody_near(living, disc) & (reach > FEWEST_PEOPLE)
    ratio = np.divide(land, reach, out=np.zeros(shape), where=is_reached & (land > 0))
    each = _near(ratio, disc)
    # What a transform leaves where there is nothing is not land.
    each[~_anybody_near(ratio, disc)] = 0.0
    return np.maximum(each, 0.0).ravel()


def _disc(grid: Grid, threshold_m: float) -> Floats:
    """Give the weights of the cells around one, no wider than the grid can use."""
    far = threshold_m / grid.cell_m + 0.5
    rows, cols = min(math.ceil(far), grid.n_rows - 1), min(math.ceil(far), grid.n_cols - 1)
    distance = np.hypot(*np.ogrid[-rows : rows + 1, -cols : cols + 1])
    disc = np.clip(far - distance, 0.0, 1.0)
    disc[rows, cols] = 1.0
    return np.asarray(disc)


def _near(values: Floats, disc: Floats) -> Floats:
    return np.asarray(signal.oaconvolve(values, disc, mode="full"))[
        disc.shape[0] // 2 : disc.shape[0] // 2 + values.shape[0],
        disc.shape[1] // 2 : disc.shape[1] // 2 + values.shape[1],
    ]


def _anybody_near(values: Floats, disc: Floats) -> NDArray[np.bool_]:
    """Tell which cells have a cell with a value above zero within the disc: exactly, from distances."""
    if not (values > 0).any():
        return np.zeros(values.shape, dtype=bool)
    _, (row, col) = ndimage.distance_transform_edt(values <= 0, return_indices=True)
    here_row, here_col = np.indices(values.shape)
    down, right = np.abs(row - here_row), np.abs(col - here_col)
    inside = (down <= disc.shape[0] // 2) & (right <= disc.shape[1] // 2)
    weight = disc[
        np.minimum(down, disc.shape[0] // 2) + disc.shape[0] // 2,
        np.minimum(right, disc.shape[1] // 2) + disc.shape[1] // 2,
    ]
    return np.asarray(inside & (weight > 0))


def _compared(land: Floats, people: Floats, deficit: Floats, standard_m2: float) -> PerCapitaLand:
    each = np.divide(land, people, out=np.full(land.shape, np.nan), where=people > 0)
    lacking = np.minimum(deficit / standard_m2, people) if standard_m2 > 0 else np.zeros_like(deficit)
    return PerCapitaLand(float(standard_m2), people, land, each, each - standard_m2, deficit, lacking)


def _counted(values: NDArray[np.floating], code: str) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if not (np.isfinite(array) & (array >= 0)).all():
        raise InvalidInput("A number of m² or of people is negative or not finite.", code=code)
    return array


def _require_standard(standard_m2: float) -> None:
    if not (math.isfinite(standard_m2) and standard_m2 >= 0):
        raise InvalidInput(
            f"A standard of {standard_m2} m² is not possible.", code="bad_standard", remedy="Give m², zero or more."
        )

"""People on the grid: census areas and population rasters moved onto cells without changing their total.

Within a census area or a pixel people are taken to live evenly (areal weighting, [@goodchild1980]): that is the
assumption, and the smaller the source's areas, the less it matters.
"""

from typing import Final, cast

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import sparse

from geo.core.cell_shares import cell_fractions
from geo.core.crs import GeometryLike, as_geometries
from geo.core.grid import Grid
from geo.errors import InvalidInput

Floats = NDArray[np.float64]

_POLYGON: Final = 3
_POLYGONAL: Final = (3, 6)

# Pixels are handed to the polygon method in batches, so that memory does not follow the size of the raster.
_BATCH: Final = 50_000


def people_from_polygons(polygons_m: GeometryLike, people: NDArray[np.floating], grid: Grid) -> Floats:
    """Spread the people of areas evenly over them, and add them up by cell.

    Parameters
    ----------
    polygons_m
        Valid polygons in the grid's system, for example census sectors. They may overlap; then people add up.
    people
        Shape ``(n,)``: people in each area. NaN (not published) counts as nobody.
    grid
        The grid. People outside it are left out: of an area partly inside, the share of its area that is inside.

    Returns
    -------
    ndarray
        Shape ``(n_cells,)``, people per cell. The sum is that of ``people`` if all areas are inside the grid, to a
        relative 1e-9.

    Raises
    ------
    InvalidInput
        If a number is negative or infinite, or an area with people has no geometry.

    Examples
    --------
    >>> grid = Grid(epsg=32639, x_min_m=0.0, y_max_m=2.0, cell_m=2.0, n_rows=1, n_cols=3)
    >>> people_from_polygons([shapely.box(0, 0, 3, 2)], np.array([30.0]), grid).tolist()
    [20.0, 10.0, 0.0]
    """
    polygons = as_geometries(polygons_m)
    count = _counted(polygons, people)
    lived_in = np.flatnonzero(count > 0)
    polygons, count = polygons[lived_in], count[lived_in] * _shares_inside(polygons[lived_in], grid)
    fractions = cell_fractions(polygons, grid)
    covered = np.asarray(fractions.sum(axis=1)).ravel()
    # Dividing by the sum of the shares, not by the area, makes the total exact however small the area is.
    density = np.divide(count, covered, out=np.zeros_like(count), where=covered > 0)
    result = np.asarray(fractions.T @ density, dtype=np.float64)
    # Areas too small to show in any cell, such as slivers of one square millimetre, live in the cell of a point.
    for index in np.flatnonzero((covered == 0) & (count > 0)):
        result[_cell_of(polygons[index], grid)] += count[index]
    return result


def people_of_parts(
    sources_m: GeometryLike,
    people: NDArray[np.floating],
    places_m: GeometryLike,
    fractions: sparse.csr_matrix,
    grid: Grid,
) -> Floats:
    """Count the people of areas in every part of a cell that lies in a place.

    Unlike people on the grid, who are spread over whole cells, these stay on their side of every border within a cell:
    a place has exactly the people of the land it shares with each area, however the areas and the cells lie.

    Parameters
    ----------
    sources_m, people
        As for `people_from_polygons`.
    places_m
        Shape ``(p,)``: valid polygons in the grid's system.
    fractions
        Shape ``(p, n_cells)``: `geo.core.cell_shares.cell_fractions` of the places.
    grid
        The grid.

    Returns
    -------
    ndarray
        Shape ``(fractions.nnz,)``: people, in the order of ``fractions.data``.

    Raises
    ------
    InvalidInput
        As for `people_from_polygons`.

    Examples
    --------
    An area of 2 × 2 m with 8 people lies in one half of a cell of 4 m, a place in the other half and a half of the area:

    >>> grid = Grid(epsg=32639, x_min_m=0.0, y_max_m=4.0, cell_m=4.0, n_rows=1, n_cols=1)
    >>> place = shapely.box(1, 0, 4, 4)
    >>> people_of_parts([shapely.box(0, 0, 2, 2)], np.array([8.0]), [place], cell_fractions(place, grid), grid).tolist()
    [4.0]
    """
    sources, places = as_geometries(sources_m), as_geometries(places_m)
    count = _counted(sources, people)
    lived_in = np.flatnonzero(count > 0)
    sources, count = sources[lived_in], count[lived_in]
    place, source = shapely.STRtree(sources).query(places, predicate="intersects")
    pieces, pair = shapely.get_parts(shapely.intersection(places[place], sources[source]), return_index=True)
    is_land = shapely.get_type_id(pieces) == _POLYGON  # two outlines may share lines and points besides
    pieces, place, source = pieces[is_land], place[pair[is_land]], source[pair[is_land]]
    living = count[source] * shapely.area(pieces) / shapely.area(sources)[source]

    shares = cell_fractions(pieces, grid)
    covered = np.asarray(shares.sum(axis=1)).ravel()
    density = np.divide(living, covered, out=np.zeros_like(living), where=covered > 0)
    of_piece = np.repeat(np.arange(len(pieces)), np.diff(shares.indptr))
    cell, number = shares.indices.astype(np.int64), shares.data * density[of_piece]
    place_of = place[of_piece]
    for tiny in np.flatnonzero((covered == 0) & (living > 0)):  # slivers that show in no cell
        cell = np.append(cell, _cell_of(pieces[tiny], grid))
        number, place_of = np.append(number, living[tiny]), np.append(place_of, place[tiny])

    part_place = np.repeat(np.arange(len(places)), np.diff(fractions.indptr))
    part_key = part_place * grid.n_cells + fractions.indices
    found = np.searchsorted(part_key, place_of * grid.n_cells + cell)
    # A part too small for the place's own shares is counted with the next of the same place.
    first, last = fractions.indptr[place_of], fractions.indptr[place_of + 1] - 1
    has_part = last >= first
    found = np.clip(found, first, np.maximum(last, first))[has_part]
    return np.asarray(np.bincount(found, weights=number[has_part], minlength=part_key.size), dtype=np.float64)


def people_from_raster(
    values: NDArray[np.number], corners_m: Floats, grid: Grid, *, nodata: float | None = None
) -> Floats:
    """Move a raster of people per pixel onto the grid.

    Parameters
    ----------
    values
        Shape ``(r, c)``: people in each pixel (not per km²).
    corners_m
        Shape ``(r + 1, c + 1, 2)``: x, y of the corners of the pixels in the grid's system. For a raster in another
        system, the corners of `pixel_corners` projected; a pixel is then a quadrilateral with straight sides.
    grid
        The grid. People outside it are left out, in proportion to the area of their pixel.
    nodata
        The value that stands for "no data", which counts as nobody, as NaN does.

    Returns
    -------
    ndarray
        Shape ``(n_cells,)``, people per cell; the total of what is inside is kept to a relative 1e-9.

    Raises
    ------
    InvalidInput
        If a value is negative or infinite, or the shapes do not fit.

    Examples
    --------
    One pixel of 4 × 2 m with 8 people over two cells of 2 m:

    >>> grid = Grid(epsg=32639, x_min_m=0.0, y_max_m=2.0, cell_m=2.0, n_rows=1, n_cols=3)
    >>> corners_m = pixel_corners((4.0, 0.0, 0.0, 0.0, -2.0, 2.0), (1, 1))
    >>> people_from_raster(np.array([[8.0]]), corners_m, grid).tolist()
    [4.0, 4.0, 0.0]
    """
    if values.ndim != 2 or corners_m.shape != (values.shape[0] + 1, values.shape[1] + 1, 2):
        raise InvalidInput(
            f"A raster of shape {values.shape} does not fit corners of shape {corners_m.shape}.",
            code="length_mismatch",
            remedy="Give (r, c) values and (r + 1, c + 1, 2) corners.",
        )
    count = _checked(values, nodata, "pixel")
    if not np.isfinite(corners_m).all():
        raise InvalidInput("A corner of a pixel is not finite.", code="not_finite")
    x, y = corners_m[..., 0], corners_m[..., 1]
    if (x == x[:1]).all() and (y == y[:, :1]).all():
        # Pixels along the axes: the share of a pixel in a cell is a product of two shares of lengths.
        to_cols = _length_shares((x[0] - grid.x_min_m) / grid.cell_m, grid.n_cols)
        to_rows = _length_shares((grid.y_max_m - y[:, 0]) / grid.cell_m, grid.n_rows)
        return np.asarray(to_rows.T @ (to_cols.T @ count.T).T, dtype=np.float64).ravel()
    result = np.zeros(grid.n_cells)
    row, col = np.nonzero(count)
    for start in range(0, row.size, _BATCH):
        r, c = row[start : start + _BATCH], col[start : start + _BATCH]
        quads = np.stack((corners_m[r, c], corners_m[r, c + 1], corners_m[r + 1, c + 1], corners_m[r + 1, c]), axis=1)
        result += people_from_polygons(shapely.polygons(quads), count[r, c], grid)
    return result


def people_in_cells(people: Floats, shapes_m: GeometryLike, grid: Grid) -> Floats:
    """Count the people of cells inside shapes: of a cell partly inside, the share of its area that is.

    Parameters
    ----------
    people
        Shape ``(n_cells,)``: people in each cell of the grid.
    shapes_m
        Valid polygons in the grid's system; None and empty ones hold nobody. What lies outside the grid holds nobody.
    grid
        The grid.

    Returns
    -------
    ndarray
        Shape ``(n,)``. Counts of shapes that do not overlap add up to that of their union.

    Examples
    --------
    >>> grid = Grid(epsg=32639, x_min_m=0.0, y_max_m=2.0, cell_m=2.0, n_rows=1, n_cols=2)
    >>> people_in_cells(np.array([8.0, 4.0]), [shapely.box(1, 0, 4, 2), None], grid).tolist()
    [8.0, 0.0]
    """
    shapes = _with_land(shapes_m)
    return np.asarray(cell_fractions(shapes, grid) @ people, dtype=np.float64)


def people_in_areas(areas_m: GeometryLike, people: NDArray[np.floating], shapes_m: GeometryLike) -> Floats:
    """Count the people of census areas inside shapes: of an area partly inside, the share of its land that is.

    Parameters
    ----------
    areas_m
        Valid polygons in one projected system. They may overlap; then people add up.
    people
        Shape ``(k,)``: people in each area; NaN (not published) counts as nobody.
    shapes_m
        Valid polygons in the same system; None and empty ones hold nobody.

    Returns
    -------
    ndarray
        Shape ``(n,)``.

    Examples
    --------
    >>> people_in_areas([shapely.box(0, 0, 4, 1)], np.array([8.0]), [shapely.box(1, 0, 9, 1)]).tolist()
    [6.0]
    """
    areas, shapes = as_geometries(areas_m), _with_land(shapes_m)
    size = shapely.area(areas)
    lived_in = np.flatnonzero((np.nan_to_num(people) > 0) & (size > 0))
    areas, density = areas[lived_in], people[lived_in] / size[lived_in]
    shape, area = shapely.STRtree(areas).query(shapes, predicate="intersects")
    shared_m2 = shapely.area(shapely.intersection(shapes[shape], areas[area]))
    return np.bincount(shape, weights=shared_m2 * density[area], minlength=len(shapes)).astype(np.float64)


def pixel_corners(affine: tuple[float, float, float, float, float, float], shape: tuple[int, int]) -> Floats:
    """Give the corners of a raster's pixels, shape ``(r + 1, c + 1, 2)``, x then y, in the raster's own system.

    Parameters
    ----------
    affine
        ``(a, b, c, d, e, f)`` with x = a·col + b·row + c and y = d·col + e·row + f, as rasterio orders them.
    shape
        ``(r, c)`` of the raster.

    Examples
    --------
    >>> pixel_corners((10.0, 0.0, 100.0, 0.0, -10.0, 50.0), (1, 1)).tolist()
    [[[100.0, 50.0], [110.0, 50.0]], [[100.0, 40.0], [110.0, 40.0]]]
    """
    a, b, c, d, e, f = affine
    row, col = np.arange(shape[0] + 1.0)[:, None], np.arange(shape[1] + 1.0)
    corners = np.empty((row.size, col.size, 2))
    corners[..., 0] = a * col + b * row + c
    corners[..., 1] = d * col + e * row + f
    return corners


def _with_land(shapes_m: GeometryLike) -> NDArray[np.object_]:
    """Return the shapes, with an empty polygon for what has no land."""
    shapes = as_geometries(shapes_m).copy()
    shapes[~np.isin(shapely.get_type_id(shapes), _POLYGONAL)] = shapely.Polygon()
    return shapes


def _counted(polygons: NDArray[np.object_], people: NDArray[np.floating]) -> Floats:
    """Give the people of each area, and refuse what does not fit the areas."""
    count = _checked(people, None, "area")
    if count.shape != (len(polygons),):
        raise InvalidInput(
            f"{len(polygons)} areas cannot be given {count.size} numbers of people.", code="length_mismatch"
        )
    homeless = np.flatnonzero((count > 0) & (shapely.is_missing(polygons) | shapely.is_empty(polygons)))
    if homeless.size:
        raise InvalidInput(
            f"An area with {count[homeless[0]]:g} people has no geometry.",
            code="people_without_area",
            where=f"area {homeless[0]}",
            remedy="Draw it, or set its people to zero.",
        )
    return count


def _checked(people: NDArray[np.number], nodata: float | None, unit: str) -> Floats:
    """Give people as float64 with nobody where there is no data, and refuse what cannot be a number of people."""
    count = np.array(people, dtype=np.float64)
    missing = np.isnan(count)
    if nodata is not None:
        # Compared in the raster's own precision: -3.4e38 as a float32 is not the float64 of the same digits.
        value = np.asarray(nodata, dtype=np.float64)
        if np.issubdtype(people.dtype, np.floating):
            with np.errstate(over="ignore"):
                value = value.astype(people.dtype).astype(np.float64)
        missing |= count == value
    count[missing] = 0.0
    wrong = np.flatnonzero(~((count >= 0) & np.isfinite(count)))
    if wrong.size:
        where = ", ".join(str(i) for i in np.unravel_index(wrong[0], count.shape))
        raise InvalidInput(
            f"{count.flat[wrong[0]]:g} is not a number of people.",
            code="bad_population",
            where=f"{unit} {where}",
            remedy="Correct it, or name it as the value that stands for no data.",
        )
    return count


def _shares_inside(polygons: NDArray[np.object_], grid: Grid) -> Floats:
    """Give the share of each polygon's area that lies inside the grid."""
    x_min, y_min, x_max, y_max = grid.bounds_m
    bounds = shapely.bounds(polygons)
    inside = (bounds[:, :2] >= (x_min, y_min)).all(axis=1) & (bounds[:, 2:] <= (x_max, y_max)).all(axis=1)
    share = np.ones(len(polygons))
    partly = np.flatnonzero(~inside)
    area = shapely.area(polygons[partly])
    area_inside = shapely.area(shapely.intersection(polygons[partly], shapely.box(*grid.bounds_m)))
    share[partly] = np.divide(area_inside, area, out=np.zeros_like(area), where=area > 0)
    return share


def _cell_of(polygon: shapely.Geometry, grid: Grid) -> int:
    point = cast(shapely.Point, polygon.representative_point())
    col = min(max(int((point.x - grid.x_min_m) // grid.cell_m), 0), grid.n_cols - 1)
    row = min(max(int((grid.y_max_m - point.y) // grid.cell_m), 0), grid.n_rows - 1)
    return row * grid.n_cols + col


def _length_shares(edges: Floats, n_cells: int) -> sparse.csr_matrix:
    """Give the share of each pixel's side in each cell, ``(n_pixels, n_cells)``; ``edges`` are in cells."""
    n_pixels = edges.size - 1
    order = np.arange(n_pixels)
    if edges[-1] < edges[0]:
        edges, order = edges[::-1], order[::-1]
    if not (np.diff(edges) > 0).all():
        raise InvalidInput("The pixels have no size, or fold over.", code="bad_raster")
    cuts = np.unique(np.concatenate((edges, np.arange(n_cells + 1.0))))
    middle = (cuts[:-1] + cuts[1:]) / 2
    pixel = np.searchsorted(edges, middle, side="right") - 1
    cell = np.floor(middle).astype(np.int64)
    keep = (pixel >= 0) & (pixel < n_pixels) & (cell >= 0) & (cell < n_cells)
    share = np.diff(cuts)[keep] / np.diff(edges)[pixel[keep]]
    return sparse.csr_matrix((share, (order[pixel[keep]], cell[keep])), shape=(n_pixels, n_cells))

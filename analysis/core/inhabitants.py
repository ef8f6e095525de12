"""People inside any shape somebody draws, whether or not it is a place: by exact shares of cells, or of census areas."""

import numpy as np
import shapely
from numpy.typing import NDArray

from analysis.core.population import Floats
from geo.core.cell_shares import cell_fractions
from geo.core.crs import GeometryLike, as_geometries
from geo.core.grid import Grid

_POLYGONAL = (3, 6)


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


def _with_land(shapes_m: GeometryLike) -> NDArray[np.object_]:
    """Return the shapes, with an empty polygon for what has no land."""
    shapes = as_geometries(shapes_m).copy()
    shapes[~np.isin(shapely.get_type_id(shapes), _POLYGONAL)] = shapely.Polygon()
    return shapes

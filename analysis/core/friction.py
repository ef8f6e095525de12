"""Friction surface: how long it takes from every cell to the nearest facility over land cover and slopes.

Every class of land cover has a speed, or is a barrier; a walk over a slope is slower or faster by Tobler's function
[@tobler1993]. The least time is found by one search that starts from all facilities of a service at once
[@dijkstra1959], as in AccessMod [@ray2008]; what is to be looked at next waits in buckets [@dial1969].
"""

import math
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
import shapely
from numba import njit
from numpy.typing import NDArray

from geo.core.crs import GeometryLike, as_geometries
from geo.core.grid import Grid
from geo.errors import InvalidInput

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: How slopes count: by the direction of the walk; as the mean of there and back; by the steepness of each cell alone.
Slope = Literal["directional", "both-ways", "steepness"]
#: Which way is walked: people to the facility, or from it to them, as an ambulance does.
Direction = Literal["to-facility", "from-facility"]
Neighbours = Literal[8, 16]

#: What Tobler's function gives on flat ground, km/h: the speed for a class where nothing better is known.
TOBLER_FLAT_KMH: Final = 6.0 * math.exp(-3.5 * 0.05)

# How fast the speed falls with the slope, and the slope downhill at which it is greatest.
_TOBLER_FALL: Final = 3.5
_TOBLER_BEST: Final = 0.05

# Barriers around the grid, so that no neighbour has to be looked for outside it: a knight's move goes two cells far.
_RIM: Final = 2

_NOBODY: Final = np.zeros(0, dtype=np.int64)

# The greatest finite float32.
_LONGEST_S: Final = float(np.finfo(np.float32).max)

# Buckets of the queue: a power of two. Times beyond the last one are equal to it.
_RING: Final = 4096
_LAST_BUCKET: Final = 1e15

# Row and column of a move, then of the two cells beside a diagonal move, or that a knight's move crosses.
_STRAIGHT: Final = tuple((dr, dc, 0, 0, 0, 0) for dr, dc in ((-1, 0), (0, -1), (0, 1), (1, 0)))
_DIAGONAL: Final = tuple((dr, dc, dr, 0, 0, dc) for dr in (-1, 1) for dc in (-1, 1))
_KNIGHT: Final = (
    *((dr, dc, 0, dc // 2, dr, dc // 2) for dr in (-1, 1) for dc in (-2, 2)),
    *((dr, dc, dr // 2, 0, dr // 2, dc) for dr in (-2, 2) for dc in (-1, 1)),
)


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """What a walk over each cell costs. `friction_surface` makes one, checked.

    Attributes
    ----------
    grid
        The grid.
    slowness_s_per_m
        Shape ``(n_cells,)``: seconds a metre on flat ground; ``inf`` for a barrier. With the slope ``steepness`` it
        holds the cell's steepness too.
    is_walked
        Shape ``(n_cells,)``: where slopes between cells count.
    elevation_m
        Shape ``(n_cells,)``, NaN where unknown; None if slopes between cells do not count.
    slope
        How slopes count; None if there is no elevation.
    cells_without_elevation
        Cells, other than barriers, whose elevation is unknown: they are walked as flat.
    """

    grid: Grid
    slowness_s_per_m: Floats
    is_walked: NDArray[np.bool_]
    elevation_m: Floats | None
    slope: Slope | None
    cells_without_elevation: int

    @property
    def is_barrier(self) -> NDArray[np.bool_]:
        """Shape ``(n_cells,)``: which cells cannot be entered."""
        return np.isinf(self.slowness_s_per_m)


@dataclass(frozen=True, slots=True, eq=False)
class FrictionCosts:
    """The times to the nearest facility of each service.

    Attributes
    ----------
    time_s
        Shape ``(services, n_cells)``, seconds, float32; ``inf`` for barriers and for cells that reach nothing.
    facilities_on_barrier, facilities_outside
        Shape ``(services,)``: facilities that nobody can reach, because their cell is a barrier or not in the grid.
    direction, neighbours, limit_s
        As asked for.
    """

    time_s: NDArray[np.float32]
    facilities_on_barrier: Integers
    facilities_outside: Integers
    direction: Direction
    neighbours: Neighbours
    limit_s: float


def friction_surface(
    classes: NDArray[np.integer],
    speeds_kmh: Mapping[int, float],
    grid: Grid,
    *,
    elevation_m: NDArray[np.floating] | None = None,
    slope: Slope = "directional",
    driven: Collection[int] = (),
) -> Surface:
    """Make a friction surface of land cover and, where it is given, elevation.

    Parameters
    ----------
    classes
        Shape ``(n_cells,)``: class of the land cover of each cell.
    speeds_kmh
        Speed on flat ground for every class that occurs, km/h; 0 is a barrier.
    grid
        The grid.
    elevation_m
        Shape ``(n_cells,)``: metres; NaN where unknown, which is walked as flat. None leaves slopes out.
    slope
        ``directional``: the slope from cell to cell, uphill or downhill. ``both-ways``: the mean of the times there
        and back, the same in both directions. ``steepness``: the steepest slope at each cell by central
        differences, mean of up and down, whichever way it is crossed.
    driven
        Classes on which slopes do not count, such as roads with buses.

    Raises
    ------
    InvalidInput
        If shapes do not fit, a class has no speed, a speed is negative or not finite, an elevation is infinite, or a
        choice is unknown.

    Notes
    -----
    On a slope s (rise over run, positive uphill) a class of speed v is walked at v·exp(−3.5·(|s + 0.05| − 0.05)), so
    that v is the speed on flat ground and `TOBLER_FLAT_KMH` gives Tobler's own function. Reference: [@tobler1993].

    Examples
    --------
    >>> grid = Grid(epsg=32639, x_min_m=0.0, y_max_m=10.0, cell_m=10.0, n_rows=1, n_cols=3)
    >>> friction_surface(np.array([1, 2, 3]), {1: 3.6, 2: 36.0, 3: 0.0}, grid).slowness_s_per_m.tolist()
    [1.0, 0.1, inf]
    """
    codes = np.asarray(classes)
    if codes.shape != (grid.n_cells,):
        raise InvalidInput(
            f"Land cover of shape {codes.shape} does not fit {grid.n_cells} cells.", code="length_mismatch"
        )
    if slope not in ("directional", "both-ways", "steepness"):
        raise InvalidInput(f"“{slope}” is not a way of counting slopes.", code="bad_slope")
    slowness = _slowness(codes, speeds_kmh)
    walked = ~np.isin(codes, np.fromiter(driven, dtype=np.int64))
    if elevation_m is None:
        return Surface(grid, slowness, walked, None, None, 0)
    height: Floats = np.asarray(elevation_m, dtype=np.float64)
    if height.shape != (grid.n_cells,):
        raise InvalidInput(
            f"Elevations of shape {height.shape} do not fit {grid.n_cells} cells.", code="length_mismatch"
        )
    if np.isinf(height).any():
        raise InvalidInput("An elevation is infinite.", code="bad_elevation", remedy="Use NaN where it is unknown.")
    unknown = int((np.isnan(height) & np.isfinite(slowness)).sum())
    if slope == "steepness":
        steep = _steepness(height.reshape(grid.n_rows, grid.n_cols), grid.cell_m).ravel()
        factor = (_times_slower(steep) + _times_slower(-steep)) / 2
        return Surface(grid, np.where(walked, slowness * factor, slowness), walked, None, slope, unknown)
    return Surface(grid, slowness, walked, height, slope, unknown)


def friction_costs(
    surface: Surface,
    services: Sequence[NDArray[np.integer]],
    *,
    direction: Direction = "to-facility",
    neighbours: Neighbours = 16,
    limit_s: float = math.inf,
    threads: int | None = None,
) -> FrictionCosts:
    """Find the least time between every cell and the nearest facility of each service.

    Parameters
    ----------
    surface
        From `friction_surface`.
    services
        For each service the cells of its facilities (`cells_of_points`), −1 for those outside the grid.
    direction
        Which way is walked; only with the slope ``directional`` it makes a difference.
    neighbours
        8: steps to the sides and corners. 16: also knight's moves, which bring the longest detour on open ground
        from 8.2 % down to 2.7 %.
    limit_s
        Cells further than this count as not reached, which saves their time.
    threads
        Services searched at a time; as many as there are processors if left out.

    Raises
    ------
    InvalidInput
        If a facility's cell does not exist, the limit is negative or NaN, or a choice is unknown.

    Notes
    -----
    A step costs its length in each cell it crosses at that cell's speed: half in either cell for a step to a side or
    corner, a quarter in each of four cells for a knight's move. A step to a corner is refused between two barriers
    that touch there, so that a river one cell wide holds; a knight's move is refused if it crosses a barrier.
    Reference: least costs [@dijkstra1959]; on land cover and slopes [@ray2008].

    Examples
    --------
    Cells of 10 m at 1 m/s, 0.1 s/m in the second one, a facility in the first:

    >>> grid = Grid(epsg=32639, x_min_m=0.0, y_max_m=10.0, cell_m=10.0, n_rows=1, n_cols=4)
    >>> surface = friction_surface(np.array([1, 2, 1, 0]), {0: 0.0, 1: 3.6, 2: 36.0}, grid)
    >>> friction_costs(surface, [np.array([0])]).time_s.tolist()
    [[0.0, 5.5, 11.0, inf]]
    """
    grid = surface.grid
    if direction not in ("to-facility", "from-facility"):
        raise InvalidInput(f"“{direction}” is not a direction of walking.", code="bad_walk_direction")
    if neighbours not in (8, 16):
        raise InvalidInput(f"A cell cannot have {neighbours} neighbours.", code="bad_neighbours", remedy="Say 8 or 16.")
    if not limit_s >= 0:
        raise InvalidInput(f"A limit of {limit_s} s is not possible.", code="bad_threshold")
    asked = [_checked_cells(cells, grid) for cells in services]
    inside = [cells[cells >= 0] for cells in asked]
    barrier = surface.is_barrier
    starts = [np.unique(cells[~barrier[cells]]) for cells in inside]
    search = _Search(surface, direction, neighbours, limit_s)
    time_s = np.empty((len(asked), grid.n_cells), dtype=np.float32)

    def fill(number: int) -> None:
        time_s[number] = search.times(starts[number])

    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        list(pool.map(fill, range(len(asked))))
    return FrictionCosts(
        time_s=time_s,
        facilities_on_barrier=np.array([int(barrier[cells].sum()) for cells in inside], dtype=np.int64),
        facilities_outside=np.array([int((cells < 0).sum()) for cells in asked], dtype=np.int64),
        direction=direction,
        neighbours=neighbours,
        limit_s=float(limit_s),
    )


def with_facilities(
    surface: Surface, costs: FrictionCosts, service_index: int, cells: NDArray[np.integer]
) -> FrictionCosts:
    """Give the same times with facilities added to one service; only what comes nearer is searched.

    Parameters
    ----------
    surface
        What the times were found on.
    costs
        From `friction_costs`; it is left as it is.
    service_index
        Row of the service.
    cells
        Cells of the new facilities, −1 for those outside the grid.

    Returns
    -------
    FrictionCosts
        Equal to `friction_costs` with these facilities from the start. One that is taken away needs a new search.

    Raises
    ------
    InvalidInput
        If there is no such service, a cell does not exist, or the times are not of this surface.
    """
    if not 0 <= service_index < len(costs.time_s):
        raise InvalidInput(f"There is no service number {service_index}.", code="unknown_service")
    if costs.time_s.shape[1] != surface.grid.n_cells:
        raise InvalidInput("The times are not of this surface.", code="length_mismatch")
    asked = _checked_cells(cells, surface.grid)
    inside = asked[asked >= 0]
    is_blocked = surface.is_barrier[inside]
    search = _Search(surface, costs.direction, costs.neighbours, costs.limit_s)
    time_s, on_barrier = costs.time_s.copy(), costs.facilities_on_barrier.copy()
    outside = costs.facilities_outside.copy()
    time_s[service_index] = search.times(np.unique(inside[~is_blocked]), time_s[service_index])
    on_barrier[service_index] += int(is_blocked.sum())
    outside[service_index] += asked.size - inside.size
    return replace(costs, time_s=time_s, facilities_on_barrier=on_barrier, facilities_outside=outside)


def facilities_in_turn(
    surface: Surface,
    facilities: Iterable[NDArray[np.integer]],
    *,
    direction: Direction = "to-facility",
    neighbours: Neighbours = 16,
    limit_s: float = math.inf,
) -> Iterator[NDArray[np.float32]]:
    """Find the least time between every cell and one facility after the other, each as `friction_costs` does.

    What is searched of the surface is what lies within the limit, so that many facilities of a short reach take no
    longer than a few of a long one.

    Parameters
    ----------
    surface, direction, neighbours, limit_s
        As for `friction_costs`.
    facilities
        For each facility its cells, −1 for those outside the grid.

    Yields
    ------
    ndarray
        Shape ``(n_cells,)``, seconds; ``inf`` beyond the limit.

    Examples
    --------
    >>> grid = Grid(epsg=32639, x_min_m=0.0, y_max_m=10.0, cell_m=10.0, n_rows=1, n_cols=3)
    >>> surface = friction_surface(np.array([1, 1, 1]), {1: 3.6}, grid)
    >>> [times.tolist() for times in facilities_in_turn(surface, [np.array([0]), np.array([2])], limit_s=10.0)]
    [[0.0, 10.0, inf], [inf, 10.0, 0.0]]
    """
    grid, barrier = surface.grid, surface.is_barrier
    quickest = float(surface.slowness_s_per_m.min(initial=math.inf))
    # Downhill one walks faster than on flat ground.
    most = limit_s / (quickest * _slower(-_TOBLER_BEST) * grid.cell_m) if quickest > 0 else math.inf
    around = math.ceil(most) + _RIM if most < max(grid.n_rows, grid.n_cols) else max(grid.n_rows, grid.n_cols)
    for cells in facilities:
        asked = _checked_cells(cells, grid)
        inside = asked[asked >= 0]
        starts = np.unique(inside[~barrier[inside]])
        times = np.full((grid.n_rows, grid.n_cols), np.inf, dtype=np.float32)
        if starts.size:
            row, col = np.divmod(starts, grid.n_cols)
            top, left = max(int(row.min()) - around, 0), max(int(col.min()) - around, 0)
            bottom, right = min(int(row.max()) + around + 1, grid.n_rows), min(int(col.max()) + around + 1, grid.n_cols)
            part = _part_of(surface, top, bottom, left, right)
            found = _Search(part, direction, neighbours, limit_s).times((row - top) * (right - left) + col - left)
            times[top:bottom, left:right] = found.reshape(bottom - top, right - left)
        yield times.ravel()


def _part_of(surface: Surface, top: int, bottom: int, left: int, right: int) -> Surface:
    """Cut a rectangle of rows and columns out of a surface."""
    grid = surface.grid
    shape = (grid.n_rows, grid.n_cols)
    small = replace(
        grid, x_min_m=grid.x_min_m + left * grid.cell_m, y_max_m=grid.y_max_m - top * grid.cell_m,
        n_rows=bottom - top, n_cols=right - left,
    )  # fmt: skip

    def cut(values: NDArray[Any]) -> NDArray[Any]:
        return np.ascontiguousarray(values.reshape(shape)[top:bottom, left:right]).ravel()

    return replace(
        surface,
        grid=small,
        slowness_s_per_m=cut(surface.slowness_s_per_m),
        is_walked=cut(surface.is_walked),
        elevation_m=None if surface.elevation_m is None else cut(surface.elevation_m),
    )


def nearest_facility(
    surface: Surface,
    cells: NDArray[np.integer],
    facility: NDArray[np.integer],
    *,
    direction: Direction = "to-facility",
    neighbours: Neighbours = 16,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Find which facility takes the least time from every cell, by one search from all of them.

    Parameters
    ----------
    surface, direction, neighbours
        As for `friction_costs`.
    cells, facility
        Shape ``(k,)`` each: cells at which facilities are reached, −1 for those outside the grid, and the facility of
        each. Of several in a cell the least number stands for all.

    Returns
    -------
    tuple of ndarray
        Shape ``(n_cells,)`` each: seconds, ``inf`` where none is reached, and the facility, −1 there. Where several are
        equally near it is one of them.

    Examples
    --------
    >>> grid = Grid(epsg=32639, x_min_m=0.0, y_max_m=10.0, cell_m=10.0, n_rows=1, n_cols=5)
    >>> surface = friction_surface(np.array([1, 1, 1, 1, 0]), {0: 0.0, 1: 3.6}, grid)
    >>> times, who = nearest_facility(surface, np.array([3, 0]), np.array([0, 1]))
    >>> times.tolist(), who.tolist()
    ([0.0, 10.0, 10.0, 0.0, inf], [1, 1, 0, 0, -1])
    """
    asked, numbers = _checked_cells(cells, surface.grid), np.asarray(facility, dtype=np.int64)
    if numbers.shape != asked.shape:
        raise InvalidInput("There is not one facility for each cell.", code="length_mismatch")
    reached = asked >= 0
    reached[reached] = ~surface.is_barrier[asked[reached]]
    order = np.argsort(numbers[reached], kind="stable")
    starts, first = np.unique(asked[reached][order], return_index=True)
    search = _Search(surface, direction, neighbours, math.inf)
    return search.nearest(starts, numbers[reached][order][first])


def people_on_barrier(surface: Surface, people: NDArray[np.floating]) -> float:
    """Count the people whose cell is a barrier: they reach nothing, and land cover or people are wrong there.

    Parameters
    ----------
    surface
        The surface.
    people
        Shape ``(n_cells,)``.

    Raises
    ------
    InvalidInput
        If people do not fit the grid, or are negative or not finite.
    """
    living = np.asarray(people, dtype=np.float64)
    if living.shape != (surface.grid.n_cells,):
        raise InvalidInput("People do not fit the grid of the surface.", code="length_mismatch")
    if not (np.isfinite(living) & (living >= 0)).all():
        raise InvalidInput("The number of people in a cell is negative or not finite.", code="bad_population")
    return float(living[surface.is_barrier].sum())


def cells_of_points(points_m: GeometryLike, grid: Grid) -> Integers:
    """Give the cell of each point, shape ``(n,)``; −1 outside the grid and for missing and empty points.

    Parameters
    ----------
    points_m
        Points in the grid's system; of other shapes their centroid.
    grid
        The grid.

    Examples
    --------
    >>> grid = Grid(epsg=32639, x_min_m=0.0, y_max_m=4.0, cell_m=2.0, n_rows=2, n_cols=2)
    >>> cells_of_points([shapely.Point(3, 1), shapely.Point(9, 9), None], grid).tolist()
    [3, -1, -1]
    """
    points = as_geometries(points_m)
    xy = np.full((len(points), 2), np.nan)
    known = ~(shapely.is_missing(points) | shapely.is_empty(points))
    xy[known] = shapely.get_coordinates(shapely.centroid(points[known]))
    return _cells_at(xy[:, 0], xy[:, 1], grid)


def cells_crossed(lines_m: GeometryLike, grid: Grid) -> Integers:
    """Give the cells that lines cross, each once, ascending.

    All cells on the way of a line hang together by their sides, so that a bridge one cell wide leads over a barrier.

    Parameters
    ----------
    lines_m
        Lines in the grid's system; what lies outside the grid is left out.
    grid
        The grid.

    Examples
    --------
    >>> grid = Grid(epsg=32639, x_min_m=0.0, y_max_m=4.0, cell_m=2.0, n_rows=2, n_cols=2)
    >>> cells_crossed(shapely.LineString([(0.5, 3.0), (3.5, 2.5), (3.5, 0.5)]), grid).tolist()
    [0, 1, 3]
    """
    xy, line = shapely.get_coordinates(as_geometries(lines_m), return_index=True)
    col, row = (xy[:, 0] - grid.x_min_m) / grid.cell_m, (grid.y_max_m - xy[:, 1]) / grid.cell_m
    if not (np.isfinite(col) & np.isfinite(row)).all():
        raise InvalidInput("A coordinate of a line is not finite.", code="not_finite")
    joined = np.flatnonzero(line[1:] == line[:-1])
    rows, cols = _pieces((row[joined], row[joined + 1], grid.n_rows), (col[joined], col[joined + 1], grid.n_cols))
    inside = (rows >= 0) & (rows < grid.n_rows) & (cols >= 0) & (cols < grid.n_cols)
    # Through a corner: the cell beside it joins the two.
    corner = np.flatnonzero(inside[1:] & inside[:-1] & (np.abs(np.diff(rows)) == 1) & (np.abs(np.diff(cols)) == 1))
    is_crossed = np.zeros(grid.n_cells, dtype=bool)
    is_crossed[rows[inside] * grid.n_cols + cols[inside]] = True
    is_crossed[rows[corner] * grid.n_cols + cols[corner + 1]] = True
    return np.flatnonzero(is_crossed)


def burnt(classes: NDArray[np.integer], cells: NDArray[np.integer], code: int) -> NDArray[np.integer]:
    """Give the land cover with one class put over some cells, as a street over fields or a bridge over a river.

    Where streets of several classes meet the last one burnt in stays, so burn in the fastest last.

    Parameters
    ----------
    classes
        Shape ``(n_cells,)``: land cover; it is left as it is.
    cells
        Flat indices, for example from `cells_crossed`.
    code
        The class of the street.

    Raises
    ------
    InvalidInput
        If a cell does not exist.

    Examples
    --------
    >>> burnt(np.array([7, 7, 7]), np.array([1]), 100).tolist()
    [7, 100, 7]
    """
    at = np.asarray(cells, dtype=np.int64)
    if ((at < 0) | (at >= classes.size)).any():
        raise InvalidInput("The cell of a street does not exist.", code="bad_cell_index")
    changed = np.array(classes, dtype=np.result_type(classes, np.min_scalar_type(code)))
    changed[at] = code
    return changed


class _Search:
    """The arrays all services share, with barriers around them, and the moves."""

    def __init__(self, surface: Surface, direction: Direction, neighbours: Neighbours, limit_s: float) -> None:
        grid = surface.grid
        self._shape = (grid.n_rows, grid.n_cols)
        self._wide = grid.n_cols + 2 * _RIM
        self._limit_s = limit_s
        by_slope = surface.elevation_m is not None
        walked = surface.is_walked & by_slope
        # A barrier is in the part that slopes do not change.
        self._fixed = self._rimmed(np.where(walked & ~surface.is_barrier, 0.0, surface.slowness_s_per_m), np.inf)
        self._walked = self._rimmed(np.where(walked & ~surface.is_barrier, surface.slowness_s_per_m, 0.0), 0.0)
        height = surface.elevation_m if surface.elevation_m is not None else np.zeros(grid.n_cells)
        self._height = self._rimmed(height, 0.0)
        # The search goes from the facility outwards: the walk to it is the other way round.
        self._sign = 0
        if by_slope:
            self._sign = 2 if surface.slope == "both-ways" else -1 if direction == "to-facility" else 1
        # A bucket holds about a quarter of a step; how much exactly hardly matters.
        open_ground = surface.slowness_s_per_m[~surface.is_barrier]
        typical = np.median(open_ground[:: max(open_ground.size // 10_000, 1)]) if open_ground.size else 1.0
        self._width_s = max(float(typical) * grid.cell_m / 4, 1e-9)
        moves = np.array(_STRAIGHT + _DIAGONAL + (_KNIGHT if neighbours == 16 else ()), dtype=np.int64)
        self._ways = moves[:, 0::2] * self._wide + moves[:, 1::2]
        self._length_m = np.hypot(moves[:, 0], moves[:, 1]) * grid.cell_m

    def times(self, starts: Integers, before: NDArray[np.float32] | None = None) -> Floats:
        """Return the seconds between each cell and the nearest start, or what they were before if that is less.

        ``inf`` for barriers and where none is reached.
        """
        cost = np.full(self._fixed.size, np.inf) if before is None else self._rimmed(before.astype(np.float64), np.inf)
        self._searched(starts, cost, _NOBODY)
        return self._told(cost)

    def nearest(self, starts: Integers, numbers: Integers) -> tuple[NDArray[np.float32], Integers]:
        """Return the seconds between each cell and the nearest start, and the number of that start, -1 where none is."""
        cost, who = np.full(self._fixed.size, np.inf), np.full(self._fixed.size, -1, dtype=np.int64)
        who[self._inside_rim(starts)] = numbers
        self._searched(starts, cost, who)
        times = self._told(cost).astype(np.float32)
        found = who.reshape(-1, self._wide)[_RIM:-_RIM, _RIM:-_RIM].ravel()
        found[np.isinf(times)] = -1
        return times, found

    def _searched(self, starts: Integers, cost: Floats, who: Integers) -> None:
        cost[np.isinf(self._fixed)] = -1.0  # less than any time: barriers are never entered
        _spread(
            self._fixed, self._walked, self._height, self._sign, self._ways, self._length_m, self._inside_rim(starts),
            self._limit_s, self._width_s, cost, who,
        )  # fmt: skip

    def _told(self, cost: Floats) -> Floats:
        cost[cost < 0] = np.inf
        inner: Floats = cost.reshape(-1, self._wide)[_RIM:-_RIM, _RIM:-_RIM].ravel()
        # A cliff may take longer than float32 can tell.
        inner[inner > min(self._limit_s, _LONGEST_S)] = np.inf
        return inner

    def _inside_rim(self, cells: Integers) -> Integers:
        row, col = np.divmod(cells, self._shape[1])
        return np.asarray((row + _RIM) * self._wide + col + _RIM)

    def _rimmed(self, values: Floats, rim: float) -> Floats:
        return np.pad(values.reshape(self._shape), _RIM, constant_values=rim).ravel()


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _spread(
    fixed: Floats,
    walked: Floats,
    height: Floats,
    sign: int,
    ways: Integers,
    length_m: Floats,
    starts: Integers,
    limit_s: float,
    width_s: float,
    cost: Floats,
    who: Integers,
) -> None:
    """Lower ``cost`` to the least time from the starts; where ``who`` has a number for each start, hand it on.

    Cells to be looked at wait in a ring of buckets of equal width, lists of entries (time, cell, next entry); what is
    beyond the ring waits aside until the ring has come near. Within a bucket the order does not matter: a cell whose
    time falls once more is entered once more. An entry whose time is no longer that of its cell was beaten.
    """
    times, cells, following = np.empty(65_536), np.empty(65_536, dtype=np.int64), np.empty(65_536, dtype=np.int64)
    ring = np.full(_RING, -1, dtype=np.int64)
    used, unused, waiting = 0, -1, 0
    aside, aside_least = -1, np.inf
    for start in starts:
        cost[start] = 0.0
        if used == times.size:
            times, cells, following = _doubled(times, cells, following)
        times[used], cells[used], following[used] = 0.0, start, ring[0]
        ring[0] = used
        used += 1
        waiting += 1
    n_ways = length_m.size
    shares = length_m / 2
    shares[8:] /= 2
    least_factor = _slower(-_TOBLER_BEST)
    now = 0
    while waiting > 0 or aside >= 0:
        if waiting == 0:
            now = _bucket(aside_least, width_s)
        if aside >= 0 and _bucket(aside_least, width_s) < now + _RING:
            entry, aside, aside_least = aside, -1, np.inf
            while entry >= 0:
                after, at = following[entry], _bucket(times[entry], width_s)
                if at < now + _RING:
                    following[entry], ring[at % _RING] = ring[at % _RING], entry
                    waiting += 1
                else:
                    following[entry], aside = aside, entry
                    aside_least = min(aside_least, times[entry])
                entry = after
        if (now - 1) * width_s > limit_s:
            return
        slot = now % _RING
        while ring[slot] >= 0:
            entry = ring[slot]
            key, node = times[entry], cells[entry]
            ring[slot], following[entry], unused = following[entry], unused, entry
            waiting -= 1
            if key != cost[node]:
                continue
            rigid_here, soft_here = fixed[node], walked[node]
            least = rigid_here + soft_here * least_factor
            for way in range(n_ways):
                other = node + ways[way, 0]
                share = shares[way]
                # Not even if the other half of the way took no time.
                if cost[other] <= key + share * least:
                    continue
                rigid = rigid_here + fixed[other]
                soft = soft_here + walked[other]
                if way >= 4:
                    one, two = node + ways[way, 1], node + ways[way, 2]
                    if way >= 8:
                        rigid += fixed[one] + fixed[two]
                        soft += walked[one] + walked[two]
                        if rigid == np.inf:
                            continue
                    elif fixed[one] == np.inf and fixed[two] == np.inf:
                        continue
                if sign != 0 and soft > 0:
                    slope = (height[other] - height[node]) / length_m[way]
                    if not np.isfinite(slope):
                        slope = 0.0
                    if sign == 2:
                        soft *= 0.5 * (_slower(slope) + _slower(-slope))
                    else:
                        soft *= _slower(sign * slope)
                new = key + share * (rigid + soft)
                if new < cost[other]:
                    cost[other] = new
                    if who.size:
                        who[other] = who[node]
                    if unused >= 0:
                        entry, unused = unused, following[unused]
                    else:
                        if used == times.size:
                            times, cells, following = _doubled(times, cells, following)
                        entry = used
                        used += 1
                    times[entry], cells[entry] = new, other
                    at = _bucket(new, width_s)
                    if at < now + _RING:
                        following[entry], ring[at % _RING] = ring[at % _RING], entry
                        waiting += 1
                    else:
                        following[entry], aside = aside, entry
                        aside_least = min(aside_least, new)
        now += 1


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _slower(slope: float) -> float:
    """How many times as long a slope takes as flat ground."""
    return math.exp(_TOBLER_FALL * (abs(slope + _TOBLER_BEST) - _TOBLER_BEST))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _bucket(time_s: float, width_s: float) -> int:
    """Give the number of a time's bucket; all times beyond any sense share the last."""
    return int(min(time_s / width_s, _LAST_BUCKET))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _doubled(times: Floats, cells: Integers, following: Integers) -> tuple[Floats, Integers, Integers]:
    n = times.size
    more = np.empty(2 * n), np.empty(2 * n, dtype=np.int64), np.empty(2 * n, dtype=np.int64)
    more[0][:n], more[1][:n], more[2][:n] = times, cells, following
    return more


def _times_slower(slope: Floats) -> Floats:
    with np.errstate(over="ignore"):  # a cliff nobody can climb
        return np.asarray(np.exp(_TOBLER_FALL * (np.abs(slope + _TOBLER_BEST) - _TOBLER_BEST)))


def _steepness(height: Floats, cell_m: float) -> Floats:
    """Give the greatest slope at each cell by central differences; flat where its own or a neighbour's elevation is unknown."""
    rises = [np.gradient(height, cell_m, axis=axis) for axis in (0, 1) if height.shape[axis] > 1]
    steep = np.sqrt(sum((np.square(rise) for rise in rises), start=np.zeros(height.shape)))
    return np.where(np.isnan(height), 0.0, np.nan_to_num(steep, nan=0.0))


def _checked_cells(cells: NDArray[np.integer], grid: Grid) -> Integers:
    asked = np.asarray(cells, dtype=np.int64).ravel()
    if ((asked < -1) | (asked >= grid.n_cells)).any():
        raise InvalidInput("The cell of a facility does not exist.", code="bad_cell_index")
    return asked


def _slowness(codes: NDArray[np.integer], speeds_kmh: Mapping[int, float]) -> Floats:
    present, where = np.unique(codes, return_inverse=True)
    slowness = np.empty(present.size)
    for number, code in enumerate(present.tolist()):
        if code not in speeds_kmh:
            raise InvalidInput(
                f"The land cover class {code} has no speed.",
                code="unknown_class",
                remedy="Give it a speed in km/h; 0 makes it a barrier.",
            )
        speed = float(speeds_kmh[code])
        if not (math.isfinite(speed) and speed >= 0):
            raise InvalidInput(
                f"The land cover class {code} cannot have a speed of {speed} km/h.",
                code="bad_speed",
                remedy="Give a number of km/h; 0 makes it a barrier.",
            )
        slowness[number] = 3.6 / speed if speed > 0 else math.inf
    return np.asarray(slowness[where.ravel()])


def _cells_at(x_m: Floats, y_m: Floats, grid: Grid) -> Integers:
    col, row = np.floor((x_m - grid.x_min_m) / grid.cell_m), np.floor((grid.y_max_m - y_m) / grid.cell_m)
    inside = (col >= 0) & (col < grid.n_cols) & (row >= 0) & (row < grid.n_rows)  # false for NaN too
    return np.where(inside, np.where(inside, row, 0) * grid.n_cols + np.where(inside, col, 0), -1).astype(np.int64)


def _pieces(*axes: tuple[Floats, Floats, int]) -> tuple[Integers, Integers]:
    """Cut straight lines at the lines of the grid, and give row and column of each piece, in order along the lines.

    ``axes`` are the two ends of each line from the grid's corner, in cells, and the number of cells: of rows, of columns.
    """
    n_lines = axes[0][0].size
    line, at = [np.arange(n_lines)] * 2, [np.zeros(n_lines), np.ones(n_lines)]
    for start, end, n_cells in axes:
        low = np.clip(np.ceil(np.minimum(start, end)), 0, n_cells).astype(np.int64)
        high = np.clip(np.floor(np.maximum(start, end)), -1, n_cells).astype(np.int64)
        n_cuts = np.where(start == end, 0, np.maximum(high - low + 1, 0))
        cut_line = np.repeat(np.arange(n_lines), n_cuts)
        number = np.arange(cut_line.size) - np.repeat(np.cumsum(n_cuts) - n_cuts, n_cuts) + low[cut_line]
        line.append(cut_line)
        at.append((number - start[cut_line]) / (end - start)[cut_line])
    of_line, share = np.concatenate(line), np.clip(np.concatenate(at), 0.0, 1.0)
    order = np.lexsort((share, of_line))
    of_line, share = of_line[order], share[order]
    has_no_length = (axes[0][0] == axes[0][1]) & (axes[1][0] == axes[1][1])
    piece = np.flatnonzero((of_line[1:] == of_line[:-1]) & ((share[1:] > share[:-1]) | has_no_length[of_line[1:]]))
    middle, of_line = (share[piece] + share[piece + 1]) / 2, of_line[piece]
    row, col = (np.floor(start[of_line] + middle * (end - start)[of_line]).astype(np.int64) for start, end, _ in axes)
    return row, col

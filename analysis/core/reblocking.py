"""Reblocking: the shortest new paths along parcels' edges that give every parcel access."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from analysis.core.access_bound import least_length_m
from analysis.core.access_search import access_tree, web_of
from analysis.core.parcel_graph import ParcelGraph
from analysis.core.path_counts import WIDTH_M, BlockGround, Recount, homes_beside, lacks, recount, require_numbers
from analysis.core.through_paths import with_through_paths
from geo.errors import InvalidInput

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

Goal = Literal["least-length", "least-homes", "through-streets"]

#: Where homes matter most, a path may be so much longer for each home that it leaves alone (metres).
HOME_PRICE_M: Final = 500.0

# Work of the search: with these 1,000 parcels take between one second and two.
_STARTS: Final = 8
_FEWEST_ROUNDS: Final = 1_000
_ROUNDS_A_PARCEL: Final = 2
_MOST_ROUNDS: Final = 3_000


@dataclass(frozen=True, slots=True, eq=False)
class Reblocking:
    """New paths of a block.

    Attributes
    ----------
    goal
        What they were chosen for.
    paths
        Lines in metres, each between two places where paths fork, end, or meet a street.
    path_length_m
        Shape ``(paths,)``.
    recount
        What they do.
    unreachable
        Indices of parcels that no path along edges can reach from a street.
    bound_m
        No network of paths can be shorter; None where length is not the goal.
    detour
        The largest ratio of the way along streets and paths to the straight line, between places that are further
        apart than `analysis.core.through_paths.NEAR_M`, of which one is on a new path; None where it was not asked for or there are none.
    seed
        That was used.
    stretches
        Indices of the stretches of the block's graph that the paths follow, ascending.
    """

    goal: Goal
    paths: Geometries
    path_length_m: Floats
    recount: Recount
    unreachable: Integers
    bound_m: float | None
    detour: float | None
    seed: int
    stretches: Integers

    @property
    def gap(self) -> float | None:
        """By how much the paths may at most be longer than the shortest, as a share of their length."""
        if self.bound_m is None:
            return None
        return max(1.0 - self.bound_m / self.recount.length_m, 0.0) if self.recount.length_m > 0 else 0.0


def reblock(
    ground: BlockGround,
    goal: Goal = "least-length",
    *,
    width_m: float = WIDTH_M,
    cost_per_m: float = 0.0,
    detour_limit: float = 3.0,
    seed: int = 0,
) -> Reblocking:
    """Find new paths along parcels' edges that give every parcel access.

    A parcel has access if a path or a connected street touches it, a corner is enough. The shortest such paths are a
    Steiner tree of groups, for which no fast exact method is known: paths are grown from one nearest parcel to the
    next as in the tool of [@brelsford2018], ends that nobody needs are pruned, and then parts are torn out and grown
    again. How far the result can be from the shortest is told by a bound from dual ascent [@wong1984].

    Parameters
    ----------
    ground
        From `analysis.core.path_counts.block_ground`.
    goal
        ``least-length``: the shortest paths. ``least-homes``: each home that is touched counts like `HOME_PRICE_M`
        metres of path. ``through-streets``: the shortest, then more until the ratio of the way along streets and
        paths to the straight line is nowhere above ``detour_limit``, or no edges are left that would help.
    width_m
        Of a path; buildings within half of it are touched.
    cost_per_m
        Of a path, in any currency.
    detour_limit
        Above 1.
    seed
        Of the search. The same seed gives the same paths.

    Returns
    -------
    Reblocking
        Without new paths where all parcels that can be reached have access already.

    Raises
    ------
    InvalidInput
        If a number is not possible or the goal is unknown.

    Examples
    --------
    Nine plots of 10 m with streets around: one border of 10 m leads to the plot in the middle.

    >>> from analysis.core.path_counts import block_ground
    >>> from analysis.core.plots import tiled_plots
    >>> x, y = np.meshgrid([0, 10, 20], [0, 10, 20])
    >>> block = shapely.box(0, 0, 30, 30)
    >>> parcels = tiled_plots([block], shapely.box(x, y, x + 10, y + 10).ravel())
    >>> found = reblock(block_ground(parcels, 0, block.exterior), cost_per_m=3.0)
    >>> found.recount.length_m, found.recount.cost, found.bound_m, found.recount.served.tolist()
    (10.0, 30.0, 10.0, [4])
    >>> found.recount.k_before, found.recount.k_after
    (2, 1)
    """
    _require_question(goal, detour_limit, seed)
    require_numbers(width_m, cost_per_m)
    graph = ground.graph
    needing, unreachable = _needing(ground)
    home_first, home = homes_beside(graph.lines, ground.buildings, width_m)
    web = web_of(graph, needing, home_first, home, HOME_PRICE_M if goal == "least-homes" else 0.0)
    rounds = min(_FEWEST_ROUNDS + _ROUNDS_A_PARCEL * len(needing), _MOST_ROUNDS)
    is_built = access_tree(web, seed, _STARTS, rounds) if len(needing) else np.zeros(len(graph.u), dtype=bool)
    bound = None
    if goal == "least-length":
        bound = least_length_m(web) if len(needing) else 0.0
    detour = None
    if goal == "through-streets":
        is_built, detour = with_through_paths(graph, is_built, detour_limit)
    paths = _merged(graph, is_built)
    counts = recount(ground, paths, width_m=width_m, cost_per_m=cost_per_m)
    return Reblocking(
        goal,
        paths,
        shapely.length(paths),
        counts,
        np.intersect1d(ground.index[unreachable], counts.without_access),
        bound,
        detour,
        seed,
        np.flatnonzero(is_built).astype(np.int64),
    )


def _needing(ground: BlockGround) -> tuple[Integers, Integers]:
    """Return the parcels without access that paths can reach, and those that none can."""
    graph = ground.graph
    node = np.repeat(np.arange(len(graph.node_xy_m)), np.diff(graph.node_first))
    can = np.zeros(len(ground.index), dtype=bool)
    can[graph.node_parcel[graph.component[node] == 0]] = True
    lacking = lacks(ground.layer) & ~ground.parcels.is_open_land
    return np.flatnonzero(lacking & can).astype(np.int64), np.flatnonzero(lacking & ~can).astype(np.int64)


def _merged(graph: ParcelGraph, is_built: Booleans) -> Geometries:
    """Join stretches between forks, ends and streets."""
    chosen = np.flatnonzero(is_built)
    if not len(chosen):
        return np.empty(0, dtype=np.object_)
    ends = np.concatenate((graph.u[chosen], graph.v[chosen]))
    is_through = (np.bincount(ends, minlength=len(graph.is_street)) == 2) & ~graph.is_street
    left = {int(edge): (int(graph.u[edge]), int(graph.v[edge])) for edge in chosen}
    at: dict[int, list[int]] = {}
    for edge, pair in left.items():
        for node in pair:
            at.setdefault(node, []).append(edge)
    paths = []
    starts = sorted(node for node in at if not is_through[node])
    for start in [*starts, *sorted(node for node in at if is_through[node])]:
        for edge in at[start]:
            if edge not in left:
                continue
            here, xy = start, [graph.node_xy_m[start][None]]
            while edge in left:
                u, v = left.pop(edge)
                stretch = shapely.get_coordinates(graph.lines[edge])
                xy.append(stretch[1:] if u == here else stretch[-2::-1])
                here = v if u == here else u
                if not is_through[here]:
                    break
                edge = next((other for other in at[here] if other in left), -1)
            paths.append(shapely.LineString(np.concatenate(xy)))
    return np.array(paths, dtype=np.object_)


def _require_question(goal: str, detour_limit: float, seed: int) -> None:
    if goal not in ("least-length", "least-homes", "through-streets"):
        raise InvalidInput(f"“{goal}” is not a goal of reblocking.", code="bad_goal")
    if not (np.isfinite(detour_limit) and detour_limit > 1):
        raise InvalidInput(
            f"A detour of {detour_limit} times the straight line is not possible.",
            code="bad_detour",
            remedy="Give a number above 1, such as 2.",
        )
    if seed < 0:
        raise InvalidInput(f"A seed of {seed} is not possible.", code="bad_seed", remedy="Give zero or more.")

"""Capacity: how much of a service each person can count on where facilities are shared by all who reach them.

The two-step floating catchment area [@luo2003] and its enhancement by weights that fall with the cost [@luo2009].
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import sparse

from geo.errors import InvalidInput

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Steps:
    """Weights by zones of the cost: the first edge that is not below the cost decides; beyond the last nobody counts.

    Attributes
    ----------
    edges
        Ascending, zero or more, in the unit of the costs.
    weights
        One for each zone, zero or more.
    blur
        Over so much of the cost, half of it on either side of an edge, the weight passes from one to the next: the size
        of a cell, so that a cell that an edge cuts counts partly.

    Examples
    --------
    >>> E2SFCA(np.array([0.0, 10.0, 10.5, 30.0, 31.0])).tolist()
    [1.0, 1.0, 0.68, 0.22, 0.0]
    >>> Steps((100.0,), (1.0,), blur=20.0)(np.array([90.0, 100.0, 105.0, 110.0])).tolist()
    [1.0, 0.5, 0.25, 0.0]
    """

    edges: tuple[float, ...]
    weights: tuple[float, ...]
    blur: float = 0.0

    def __post_init__(self) -> None:
        if not self.edges or len(self.edges) != len(self.weights):
            raise InvalidInput("Every zone needs one edge and one weight.", code="bad_decay")
        ascending = (0.0, *self.edges)
        if not all(low <= high < math.inf for low, high in zip(ascending, self.edges, strict=False)):
            raise InvalidInput("The edges of zones must be ascending, finite and not negative.", code="bad_decay")
        if not all(0 <= weight < math.inf for weight in self.weights):
            raise InvalidInput("A weight of a zone is negative or not finite.", code="bad_decay")
        _require_blur(self.blur)

    def __call__(self, cost: NDArray[np.floating]) -> Floats:
        """Give the weight of each cost."""
        if self.blur > 0:
            falls = np.subtract(self.weights, (*self.weights[1:], 0.0))
            cost = np.asarray(cost, dtype=np.float64)
            weight = np.zeros(cost.shape)
            for edge, fall in zip(self.edges, falls, strict=True):
                weight += fall * _inside(cost, edge, self.blur)
            return weight
        return _stepped(np.asarray(cost, dtype=np.float64), np.array(self.edges), np.array(self.weights))


@dataclass(frozen=True, slots=True)
class Gaussian:
    """exp(−cost² / 2 width²) up to a limit, and 0 beyond it; ``blur`` as in `Steps`, at the limit.

    Examples
    --------
    >>> Gaussian(width=10.0, limit=30.0)(np.array([0.0, 10.0, 31.0])).round(4).tolist()
    [1.0, 0.6065, 0.0]
    """

    width: float
    limit: float = math.inf
    blur: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.width < math.inf or not self.limit >= 0:
            raise InvalidInput("The width must be above zero, the limit not below it.", code="bad_decay")
        _require_blur(self.blur)

    def __call__(self, cost: NDArray[np.floating]) -> Floats:
        """Give the weight of each cost."""
        cost = np.asarray(cost, dtype=np.float64)
        return np.asarray(_inside(cost, self.limit, self.blur) * np.exp(-0.5 * np.square(cost / self.width)))


@dataclass(frozen=True, slots=True)
class Power:
    """cost^−exponent up to a limit, and 0 beyond it, as in gravity models; a cost of zero is refused; ``blur`` as above.

    Examples
    --------
    >>> Power(exponent=1.0, limit=60.0)(np.array([1.0, 40.0, 61.0])).tolist()
    [1.0, 0.025, 0.0]
    """

    exponent: float
    limit: float = math.inf
    blur: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.exponent < math.inf or not self.limit >= 0:
            raise InvalidInput("The exponent must be above zero, the limit not below it.", code="bad_decay")
        _require_blur(self.blur)

    def __call__(self, cost: NDArray[np.floating]) -> Floats:
        """Give the weight of each cost."""
        cost = np.asarray(cost, dtype=np.float64)
        share = _inside(cost, self.limit, self.blur)
        if ((share > 0) & (cost <= 0)).any():
            raise InvalidInput(
                "A cost of zero has no weight by a power.", code="bad_cost", remedy="Give it the least cost there is."
            )
        with np.errstate(divide="ignore", invalid="ignore"):  # of those that are not counted
            return np.where(share > 0, share * cost**-self.exponent, 0.0)


Decay = Steps | Gaussian | Power


def _inside(cost: NDArray[np.floating], limit: float, blur: float) -> Floats:
    """Give 1 for costs up to a limit, 0 beyond, and what lies between over a width around it."""
    if blur > 0 and limit < math.inf:
        return np.asarray(np.clip((limit - cost) / blur + 0.5, 0.0, 1.0), dtype=np.float64)
    return np.asarray(cost <= limit, dtype=np.float64)


def _require_blur(blur: float) -> None:
    if not 0 <= blur < math.inf:
        raise InvalidInput("The width of an edge must be zero or more, and finite.", code="bad_decay")


#: Weights of the enhanced method: 1, 0.68 and 0.22 within 10, 20 and 30 minutes.
E2SFCA: Final = Steps((10.0, 20.0, 30.0), (1.0, 0.68, 0.22))


def within(threshold: float) -> Steps:
    """Give the weights of the plain method: 1 up to a threshold, which is included, in the unit of the costs."""
    return Steps((threshold,), (1.0,))


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Costs from demand to supply, for the pairs that are near enough to matter. `pairs` makes them, checked.

    Attributes
    ----------
    demand, supply
        Shape ``(k,)``: numbers of the two ends; a pair may be there once only.
    cost
        Shape ``(k,)``: zero or more, ``inf`` if not reached; in the unit of the decay.
    n_demand, n_supply
        How many there are, those without any pair included.
    """

    demand: Integers
    supply: Integers
    cost: Floats
    n_demand: int
    n_supply: int


@dataclass(frozen=True, slots=True, eq=False)
class Access:
    """What everybody can count on.

    Attributes
    ----------
    access
        Shape ``(n_demand,)``: capacity per person, A_i; 0 where nothing is reached.
    ratio
        Shape ``(n_supply,)``: capacity per (weighted) person in the catchment, R_j; 0 where nobody is in it.
    load
        Shape ``(n_supply,)``: (weighted) people in the catchment. Somebody who reaches two facilities is in both.
    reached_capacity
        Sum of the capacities of facilities that anybody reaches; Σ P_i A_i equals it.
    decay
        As used.
    """

    access: Floats
    ratio: Floats
    load: Floats
    reached_capacity: float
    decay: Decay


@dataclass(frozen=True, slots=True, eq=False)
class Crowding:
    """What happens if everybody goes to the nearest facility.

    Attributes
    ----------
    load
        Shape ``(n_supply,)``: people whose nearest facility it is.
    people_over
        Shape ``(n_supply,)``: people beyond its capacity.
    unmet_people
        Shape ``(n_demand,)``: people who reach nothing, and the share of those at a full facility that it has no room
        for. The sum is that of ``people_over`` and of the people who reach nothing.
    unreached_people
        Shape ``(n_demand,)``: people who reach nothing.
    """

    load: Floats
    people_over: Floats
    unmet_people: Floats
    unreached_people: Floats


def pairs(
    demand: NDArray[np.integer],
    supply: NDArray[np.integer],
    cost: NDArray[np.floating],
    n_demand: int,
    n_supply: int,
) -> Pairs:
    """Check plain arrays and make `Pairs` of them; see there.

    Raises
    ------
    InvalidInput
        If lengths differ, a number of an end does not exist, or a cost is negative or NaN.
    """
    start, end = np.asarray(demand, dtype=np.int64), np.asarray(supply, dtype=np.int64)
    price = np.asarray(cost, dtype=np.float64)
    if price.ndim != 1 or not start.shape == end.shape == price.shape:
        raise InvalidInput("Demand, supply and cost of pairs differ in length.", code="length_mismatch")
    fault = _fault(start, end, price, n_demand, n_supply)
    if fault == _NO_SUCH_END:
        raise InvalidInput("A pair has an end that does not exist.", code="bad_pair")
    if fault == _NO_COST:
        raise InvalidInput("A cost is negative or not a number.", code="bad_cost", remedy="Use inf for unreachable.")
    return Pairs(start, end, price, n_demand, n_supply)


def pairs_of_table(cost: NDArray[np.floating], limit: float = math.inf) -> Pairs:
    """Make pairs of a whole table of costs, leaving out what is beyond a limit.

    Parameters
    ----------
    cost
        Shape ``(n_demand, n_supply)``: from demand to supply; ``inf`` if not reached.
    limit
        Pairs of a greater cost are left out: give the threshold, or the last edge.

    Raises
    ------
    InvalidInput
        If it is not a table, or a cost is negative or NaN.

    Examples
    --------
    >>> pairs_of_table(np.array([[5.0, 40.0], [np.inf, 10.0]]), 30.0).cost.tolist()
    [5.0, 10.0]
    """
    table = np.asarray(cost, dtype=np.float64)
    if table.ndim != 2:
        raise InvalidInput("Costs of demand by supply must be a table.", code="length_mismatch")
    if not (table >= 0).all():  # false for NaN too
        raise InvalidInput("A cost is negative or not a number.", code="bad_cost", remedy="Use inf for unreachable.")
    near = np.isfinite(table) & (table <= limit)
    start, end = np.nonzero(near)
    return Pairs(start.astype(np.int64), end.astype(np.int64), table[near], table.shape[0], table.shape[1])


def floating_catchments(
    between: Pairs, people: NDArray[np.floating], capacity: NDArray[np.floating], decay: Decay = E2SFCA
) -> Access:
    """Compute the capacity per person that each demand can count on (2SFCA, E2SFCA).

    R_j = S_j / Σ_k W(t_kj) P_k; A_i = Σ_j W(t_ij) R_j. The cost is from demand to supply in both steps.

    Parameters
    ----------
    between
        From `pairs` or `pairs_of_table`.
    people
        Shape ``(n_demand,)``.
    capacity
        Shape ``(n_supply,)``: in any unit, such as beds or seats; zero for a facility that is closed.
    decay
        `within` a threshold for the plain method; `E2SFCA`, for costs in minutes, or others.

    Raises
    ------
    InvalidInput
        If lengths do not fit, or people or capacities are negative or not finite.

    Notes
    -----
    References: [@luo2003], [@luo2009]; steps 1 and 2 of either.
    Capacity is conserved: Σ P_i A_i = Σ S_j over facilities that anybody reaches.

    Examples
    --------
    20 seats; 30 people near them and 10 near them and near other 40 seats of their own:

    >>> near = pairs(np.array([0, 1, 1]), np.array([0, 0, 1]), np.array([5.0, 5.0, 5.0]), 2, 2)
    >>> floating_catchments(near, np.array([30.0, 10.0]), np.array([20.0, 40.0]), within(10.0)).access.tolist()
    [0.5, 4.5]
    """
    living, seats = _checked(people, capacity, between.n_demand, between.n_supply)
    weight = decay(between.cost)
    load = _added(between.demand, between.supply, weight, living, between.n_supply)
    ratio = _ratio(seats, load)
    access = _added(between.supply, between.demand, weight, ratio, between.n_demand)
    return Access(access, ratio, load, float(seats[load > 0].sum()), decay)


def floating_catchments_of_cells(
    cost: NDArray[np.floating], people: NDArray[np.floating], capacity: NDArray[np.floating], decay: Decay = E2SFCA
) -> Access:
    """Compute the same from whole rows of costs, as searches over a grid or a street network give them.

    Parameters
    ----------
    cost
        Shape ``(n_supply, n_cells)``: from each cell to each facility; ``inf`` if not reached. One row is worked on at
        a time, so that a large table may lie in a file.
    people
        Shape ``(n_cells,)``.
    capacity, decay
        As for `floating_catchments`.

    Raises
    ------
    InvalidInput
        As for `floating_catchments` and `pairs`.

    Examples
    --------
    >>> cost = np.array([[5.0, 5.0], [np.inf, 5.0]])
    >>> floating_catchments_of_cells(cost, np.array([30.0, 10.0]), np.array([20.0, 40.0]), within(10.0)).access.tolist()
    [0.5, 4.5]
    """
    if cost.ndim != 2:
        raise InvalidInput("Costs of supply by cell must be a table.", code="length_mismatch")

    def catchments() -> Iterator[tuple[Integers, Floats]]:
        for number in range(cost.shape[0]):
            row = np.asarray(cost[number], dtype=np.float64)
            if not (row >= 0).all():
                raise InvalidInput("A cost is negative or not a number.", code="bad_cost", where=f"facility {number}")
            reaching = np.flatnonzero(np.isfinite(row))
            yield reaching, row[reaching]

    return floating_catchments_in_turn(catchments(), people, capacity, decay, n_demand=cost.shape[1])


def floating_catchments_in_turn(
    catchments: Iterable[tuple[Integers, Floats]],
    people: NDArray[np.floating],
    capacity: NDArray[np.floating],
    decay: Decay = E2SFCA,
    *,
    n_demand: int | None = None,
) -> Access:
    """Compute the same from one catchment after another, so that no more than one need be held at a time.

    Parameters
    ----------
    catchments
        For each facility, in order, the numbers of the demand that reaches it, each once, and their finite costs.
    people, capacity, decay
        As for `floating_catchments`.
    n_demand
        How many demands there must be; as many as there are people by default.

    Raises
    ------
    InvalidInput
        As for `floating_catchments`; if there are more or fewer catchments than capacities.

    Examples
    --------
    >>> near = [(np.array([0, 1]), np.array([5.0, 5.0])), (np.array([1]), np.array([5.0]))]
    >>> floating_catchments_in_turn(near, np.array([30.0, 10.0]), np.array([20.0, 40.0]), within(10.0)).access.tolist()
    [0.5, 4.5]
    """
    n_cells, n_supply = np.size(people) if n_demand is None else n_demand, np.size(capacity)
    living, seats = _checked(people, capacity, n_cells, n_supply)
    load, ratio, access = np.zeros(n_supply), np.zeros(n_supply), np.zeros(n_cells)
    number = -1
    for number, (reaching, cost) in enumerate(catchments):
        if number >= n_supply:
            break
        weight = decay(cost)
        load[number] = weight @ living[reaching]
        ratio[number] = _ratio(seats[number : number + 1], load[number : number + 1])[0]
        access[reaching] += ratio[number] * weight
    if number != n_supply - 1:
        raise InvalidInput("There is not one catchment for each facility.", code="length_mismatch")
    return Access(access, ratio, load, float(seats[load > 0].sum()), decay)


def access_of_places(
    access: NDArray[np.floating], people: NDArray[np.floating], place_fractions: sparse.csr_matrix
) -> Floats:
    """Give each place the mean access of its people.

    Parameters
    ----------
    access
        Shape ``(cells,)``: from `floating_catchments_of_cells`.
    people
        Shape ``(cells,)``.
    place_fractions
        Shape ``(places, cells)``: share of each cell inside each place.

    Returns
    -------
    ndarray
        Shape ``(places,)``; NaN for a place without people.

    Examples
    --------
    >>> access_of_places(np.array([1.0, 4.0]), np.array([20.0, 10.0]), sparse.csr_matrix([[1.0, 1.0]])).tolist()
    [2.0]
    """
    living, value = np.asarray(people, dtype=np.float64), np.asarray(access, dtype=np.float64)
    _fit_places(place_fractions, living, value)
    population = np.asarray(place_fractions @ living)
    total = np.asarray(place_fractions @ (living * value))
    mean: Floats = np.divide(total, population, out=np.full(population.shape, np.nan), where=population > 0)
    return mean


def unmet_people(access: NDArray[np.floating], people: NDArray[np.floating], need_per_person: float) -> Floats:
    """Count the people whose need the capacity they can count on does not meet: P_i · max(0, 1 − A_i / need).

    Parameters
    ----------
    access, people
        Shape ``(n,)``: by demand or cell. Add up over places by ``place_fractions @ unmet``.
    need_per_person
        The standard, in units of capacity per person, such as 0.2 seats; above zero.

    Raises
    ------
    InvalidInput
        If lengths differ or the need is not above zero.

    Examples
    --------
    >>> unmet_people(np.array([0.05, 0.3]), np.array([100.0, 100.0]), need_per_person=0.2).tolist()
    [75.0, 0.0]
    """
    living, value = np.asarray(people, dtype=np.float64), np.asarray(access, dtype=np.float64)
    if living.shape != value.shape:
        raise InvalidInput("Access and people differ in length.", code="length_mismatch")
    _require_need(need_per_person)
    return np.asarray(living * np.clip(1.0 - value / need_per_person, 0.0, 1.0))


def crowding(
    between: Pairs,
    people: NDArray[np.floating],
    capacity: NDArray[np.floating],
    limit: float = math.inf,
    need_per_person: float = 1.0,
) -> Crowding:
    """Send everybody to the nearest facility within a limit, and count the people it has no room for.

    Unlike in `floating_catchments`, everybody is counted at one facility: that of the least cost, of equals that of
    the lowest number.

    Parameters
    ----------
    between, people, capacity
        As for `floating_catchments`.
    limit
        Greatest cost at which a facility is used.
    need_per_person
        Units of capacity that a person takes up; above zero.

    Raises
    ------
    InvalidInput
        As for `floating_catchments`; if the limit is negative or NaN, or the need is not above zero.

    Examples
    --------
    >>> near = pairs(np.array([0, 1, 1]), np.array([0, 0, 1]), np.array([5.0, 5.0, 9.0]), 3, 2)
    >>> result = crowding(near, np.array([30.0, 10.0, 7.0]), np.array([20.0, 40.0]))
    >>> result.load.tolist(), result.people_over.tolist(), result.unmet_people.tolist()
    ([40.0, 0.0], [20.0, 0.0], [15.0, 5.0, 7.0])
    """
    living, seats = _checked(people, capacity, between.n_demand, between.n_supply)
    _require_need(need_per_person)
    if not limit >= 0:
        raise InvalidInput(f"A limit of {limit} is not possible.", code="bad_threshold")
    nearest = _nearest(between.demand, between.supply, between.cost, limit, between.n_demand)
    served = nearest >= 0
    load = np.bincount(nearest[served], weights=living[served], minlength=between.n_supply).astype(np.float64)
    over = np.maximum(load - seats / need_per_person, 0.0)
    share = np.divide(over, load, out=np.zeros_like(load), where=load > 0)
    unreached = np.where(served, 0.0, living)
    unmet = unreached.copy()
    unmet[served] = living[served] * share[nearest[served]]
    return Crowding(load, over, unmet, unreached)


_NO_SUCH_END: Final = 1
_NO_COST: Final = 2


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _fault(demand: Integers, supply: Integers, cost: Floats, n_demand: int, n_supply: int) -> int:
    fault = 0
    for pair in range(cost.size):
        is_there = 0 <= demand[pair] < n_demand and 0 <= supply[pair] < n_supply
        if not is_there:
            return _NO_SUCH_END
        if not cost[pair] >= 0:
            fault = _NO_COST
    return fault


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _stepped(cost: Floats, edges: Floats, weights: Floats) -> Floats:
    # Counting the edges that are passed, without a branch: which zone a cost is in cannot be foretold.
    flat = cost.ravel()
    weight = np.empty(flat.size)
    of_zone = np.append(weights, 0.0)
    for number in range(flat.size):
        zone = 0
        for edge in edges:
            zone += flat[number] > edge
        weight[number] = of_zone[zone]
    return weight.reshape(cost.shape)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _added(source: Integers, target: Integers, weight: Floats, value: Floats, n_targets: int) -> Floats:
    """Add up weight · value of the sources at each target."""
    total = np.zeros(n_targets)
    for pair in range(source.size):
        total[target[pair]] += weight[pair] * value[source[pair]]
    return total


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _nearest(demand: Integers, supply: Integers, cost: Floats, limit: float, n_demand: int) -> Integers:
    nearest = np.full(n_demand, -1, dtype=np.int64)
    least = np.full(n_demand, np.inf)
    for pair in range(cost.size):
        start, end, price = demand[pair], supply[pair], cost[pair]
        if price > limit or price == np.inf:
            continue
        if price < least[start] or (price == least[start] and end < nearest[start]):
            least[start], nearest[start] = price, end
    return nearest


def _ratio(seats: Floats, load: Floats) -> Floats:
    return np.divide(seats, load, out=np.zeros_like(load), where=load > 0)


def _checked(
    people: NDArray[np.floating], capacity: NDArray[np.floating], n_demand: int, n_supply: int
) -> tuple[Floats, Floats]:
    living, seats = np.asarray(people, dtype=np.float64), np.asarray(capacity, dtype=np.float64)
    if living.shape != (n_demand,) or seats.shape != (n_supply,):
        raise InvalidInput(
            f"People of shape {living.shape} and capacities of shape {seats.shape} do not fit "
            f"{n_demand} demands and {n_supply} facilities.",
            code="length_mismatch",
        )
    if not (np.isfinite(living) & (living >= 0)).all():
        raise InvalidInput("A number of people is negative or not finite.", code="bad_population")
    if not (np.isfinite(seats) & (seats >= 0)).all():
        raise InvalidInput("A capacity is negative or not finite.", code="bad_capacity")
    return living, seats


def _fit_places(place_fractions: sparse.csr_matrix, *values: Floats) -> None:
    if any(value.shape != (place_fractions.shape[1],) for value in values):
        raise InvalidInput(
            "The cells of places do not fit the values.", code="length_mismatch", remedy="Compute all on one grid."
        )


def _require_need(need_per_person: float) -> None:
    if not 0 < need_per_person < math.inf:
        raise InvalidInput(
            f"A need of {need_per_person} per person is not possible.",
            code="bad_standard",
            remedy="Give a number above zero.",
        )

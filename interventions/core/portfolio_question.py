"""The question of a portfolio: whom proposals serve, what they cost, what may be chosen.

Rials are whole numbers up to 10¹⁸ and are summed as such.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from geo.errors import InvalidInput
from interventions.core.columns import Floats, floats, integers

Reason = Literal["excluded", "adds_nothing", "exclusive", "ceiling", "no_money"]
Selection: TypeAlias = frozenset[int]

#: No unit has more people, and no weight is larger.
_MOST: Final = 1e12


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """Who would be newly served, and by which proposals. Units of demand are a cell and a service together.

    Attributes
    ----------
    proposal, unit, share
        One row for each proposal and unit that it newly serves, with the share of the unit's people, above 0 up to 1
        (a cell that a threshold cuts is served in part). Of two rows of one proposal and unit the larger share holds.
    people
        People of each unit who are not served now, or all of them where shares are of all. A person lacking two
        services is in two units.
    priority
        Weight of each person of a unit, zero or more.
    """

    proposal: ArrayLike
    unit: ArrayLike
    share: ArrayLike
    people: ArrayLike
    priority: ArrayLike


@dataclass(frozen=True, slots=True)
class Group:
    """Proposals of one sector, one county …, of which not too little and not too much may be chosen.

    Attributes
    ----------
    name
        What errors call it.
    proposals
        Their numbers; groups may overlap.
    floor_irr, ceiling_irr
        What must, and may, be spent on them, in rials; None for no ceiling.
    fewest
        How many of them must be chosen.
    """

    name: str
    proposals: Selection
    floor_irr: int = 0
    ceiling_irr: int | None = None
    fewest: int = 0


@dataclass(frozen=True, slots=True)
class Rules:
    """What may be chosen.

    Attributes
    ----------
    budget_irr
        What may be spent, in rials.
    groups
        Floors and ceilings.
    forced_in, forced_out
        Proposals that are chosen, or not, whatever they add.
    exclusive
        Pairs of proposals of which at most one may be chosen.
    """

    budget_irr: int
    groups: tuple[Group, ...] = ()
    forced_in: Selection = frozenset()
    forced_out: Selection = frozenset()
    exclusive: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """The arguments, checked; units that the same proposals serve are one set.

    Attributes
    ----------
    costs
        Rials.
    rules
        What may be chosen.
    serves
        Sets by proposals: 1 where the proposal serves it.
    weights, heads
        People × priority, and people, of each set.
    demand
        Its checked columns.
    """

    costs: tuple[int, ...]
    rules: Rules
    serves: sparse.csr_array
    weights: Floats
    heads: Floats
    demand: Demand = field(repr=False)

    @property
    def size(self) -> int:
        """How many proposals there are."""
        return len(self.costs)

    def mask(self, selection: Collection[int]) -> Floats:
        """Give 1 for each proposal selected."""
        mask = np.zeros(self.size)
        mask[list(selection)] = 1.0
        return mask

    def times_served(self, selection: Collection[int]) -> Floats:
        """Give by how many selected proposals each set is served."""
        return np.asarray(self.serves @ self.mask(selection), dtype=np.float64)

    def value(self, selection: Collection[int]) -> float:
        """Give people × priority served, each once."""
        return math.fsum(self.weights[self.times_served(selection) > 0])

    def people(self, selection: Collection[int]) -> float:
        """Give people served, each once."""
        return math.fsum(self.heads[self.times_served(selection) > 0])

    def cost(self, selection: Iterable[int]) -> int:
        """Give rials."""
        return sum(self.costs[j] for j in selection)

    def gains(self, times_served: Floats) -> Floats:
        """Give what each proposal would add to those that serve each set so many times."""
        return np.asarray(self.serves.T @ np.where(times_served > 0, 0.0, self.weights), dtype=np.float64)

    def losses(self, times_served: Floats) -> Floats:
        """Give what each chosen proposal alone serves."""
        return np.asarray(self.serves.T @ np.where(times_served == 1, self.weights, 0.0), dtype=np.float64)

    def bound(self) -> float:
        """Give what nothing can exceed: the sum of what each adds alone, the dearest cut to fit the budget."""
        alone = self.gains(np.zeros(self.weights.size))
        total = math.fsum(self.weights)
        left: float = self.rules.budget_irr
        reached = 0.0
        free = [j for j in range(self.size) if j not in self.rules.forced_out]
        for j in sorted(free, key=lambda j: -per_rial(float(alone[j]), self.costs[j])):
            share = 1.0 if self.costs[j] <= left else left / self.costs[j]
            reached += share * float(alone[j])
            left = max(left - self.costs[j], 0)
        return min(total, reached * (1 + 1e-12))

    def against(self, selection: Selection) -> Callable[[int], Reason | None]:
        """Give what tells the first reason against adding one more proposal; None where there is none."""
        rules = self.rules
        blocked = {b if a in selection else a for a, b in rules.exclusive if a in selection or b in selection}
        left_irr = rules.budget_irr - self.cost(selection)
        ceilings = [
            (group.proposals, group.ceiling_irr - self.cost(group.proposals & selection))
            for group in rules.groups
            if group.ceiling_irr is not None
        ]

        def reason(j: int) -> Reason | None:
            if j in rules.forced_out:
                return "excluded"
            if j in blocked:
                return "exclusive"
            if any(self.costs[j] > room_irr for members, room_irr in ceilings if j in members):
                return "ceiling"
            return "no_money" if self.costs[j] > left_irr else None

        return reason

    def ceilings(self) -> list[tuple[Selection, int]]:
        """Give proposals and the rials that may be spent on them; all of them and the budget first."""
        ceilings = [(frozenset(range(self.size)), self.rules.budget_irr)]
        return ceilings + [(g.proposals, g.ceiling_irr) for g in self.rules.groups if g.ceiling_irr is not None]

    def is_allowed(self, selection: Selection) -> bool:
        """Tell whether a selection meets all rules."""
        rules = self.rules
        return (
            rules.forced_in <= selection
            and rules.forced_out.isdisjoint(selection)
            and not any(a in selection and b in selection for a, b in rules.exclusive)
            and all(self.cost(selection & members) <= most_irr for members, most_irr in self.ceilings())
            and not any(self.lacks(group, selection) for group in rules.groups)
        )

    def lacks(self, group: Group, selection: Selection) -> bool:
        """Tell whether a floor of a group is not met."""
        inside = selection & group.proposals
        return self.cost(inside) < group.floor_irr or len(inside) < group.fewest


def question_of(costs_irr: Sequence[int], demand: Demand, rules: Rules) -> Question:
    """Check the arguments of `interventions.core.portfolio.portfolio`, and find the sets of units."""
    costs = tuple(int(cost) for cost in costs_irr)
    n = len(costs)
    if any(cost < 0 for cost in costs):
        raise InvalidInput("A value of the column is missing or out of range.", code="out_of_range", where="costs_irr")
    people = floats(demand.people, "people", least=0, most=_MOST)
    priority = floats(demand.priority, "priority", people.size, least=0, most=_MOST)
    proposal = integers(demand.proposal, "proposal", least=0, most=n - 1)
    unit = integers(demand.unit, "unit", proposal.size, least=0, most=people.size - 1)
    share = floats(demand.share, "share", proposal.size, least=0, most=1)
    _require_sense(costs, rules)
    serves, of_set, of_unit, parts = _sets(proposal, unit, share, n)
    # Empty columns of whole numbers come from `bincount` as whole numbers.
    heads = np.bincount(of_set, parts * people[of_unit], serves.shape[0]).astype(np.float64)
    weights = np.bincount(of_set, parts * people[of_unit] * priority[of_unit], serves.shape[0]).astype(np.float64)
    return Question(costs, rules, serves, weights, heads, Demand(proposal, unit, share, people, priority))


def _require_sense(costs: tuple[int, ...], rules: Rules) -> None:
    numbers = [*rules.forced_in, *rules.forced_out, *(j for pair in rules.exclusive for j in pair)]
    numbers += [j for group in rules.groups for j in group.proposals]
    if any(not 0 <= j < len(costs) for j in numbers):
        raise InvalidInput("A rule names a proposal that does not exist.", code="out_of_range", where="rules")
    if rules.budget_irr < 0 or any(
        g.floor_irr < 0 or g.fewest < 0 or (g.ceiling_irr is not None and g.ceiling_irr < g.floor_irr)
        for g in rules.groups
    ):
        raise InvalidInput(
            "A limit of money is below zero, or a ceiling below its floor.", code="out_of_range", where="rules"
        )
    if rules.forced_in & rules.forced_out or any(a == b or {a, b} <= rules.forced_in for a, b in rules.exclusive):
        raise InvalidInput(
            "Proposals that must be chosen are excluded, or exclude each other.",
            code="rules_contradict",
            where="forced_in",
            remedy="Free one of them.",
        )
    limits = [("budget_irr", range(len(costs)), rules.budget_irr)]
    limits += [(g.name, g.proposals, g.ceiling_irr) for g in rules.groups if g.ceiling_irr is not None]  # type: ignore[misc]
    for name, members, most in limits:
        if sum(costs[j] for j in rules.forced_in.intersection(members)) > most:
            raise InvalidInput(
                "The proposals that must be chosen cost more than may be spent on them.",
                code="rules_contradict",
                where=name,
                remedy="Free one of them, or allow more money.",
            )


def _sets(
    proposal: np.ndarray, unit: np.ndarray, share: Floats, n: int
) -> tuple[sparse.csr_array, np.ndarray, np.ndarray, Floats]:
    """Find the sets of proposals that serve some part of some unit together.

    Of proposals with shares 1, 0.6 and 0.6 of a unit, the first three fifths of its people are served by any of them
    and the rest by the first alone: the unit has a part for each of its different shares.

    Returns
    -------
    serves, of_set, of_unit, parts
        Sets by proposals, 1 where it belongs to it; and for each part of a unit its set, its unit and its size.
    """
    proposal, unit, share = (column[share > 0] for column in (proposal, unit, share))
    order = np.lexsort((proposal, -share, unit))
    proposal, unit, share = proposal[order], unit[order], share[order]
    _, starts = np.unique(unit, return_index=True)
    ends = np.r_[starts, unit.size][1:]
    known: dict[bytes, int] = {}
    of_set: list[int] = []
    of_unit: list[int] = []
    parts: list[float] = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        for stop, part in _falls(share[start:end]):
            members = proposal[start : start + stop]
            if stop < end - start or share[start] != share[end - 1]:
                members = np.unique(members)
            of_set.append(known.setdefault(members.tobytes(), len(known)))
            of_unit.append(int(unit[start]))
            parts.append(part)
    indices = [np.frombuffer(key, dtype=np.int64) for key in known]
    pointers = np.cumsum([0, *(len(members) for members in indices)])
    members = np.concatenate(indices) if indices else np.empty(0, dtype=np.int64)
    serves = sparse.csr_array((np.ones(members.size), members, pointers), shape=(len(known), n))
    serves.sum_duplicates()
    serves.data[:] = 1.0
    return serves, np.array(of_set, dtype=np.int64), np.array(of_unit, dtype=np.int64), np.array(parts)


def _falls(falling: Floats) -> Iterator[tuple[int, float]]:
    """Give where a falling column falls, and by how much: how many are at least as large, and the part that is theirs."""
    if falling[0] == falling[-1]:
        yield falling.size, float(falling[0])
        return
    lower = np.r_[falling[1:], 0.0]
    for i in np.flatnonzero(falling > lower).tolist():
        yield i + 1, float(falling[i] - lower[i])


def per_rial(gain: float, cost: int) -> float:
    """Give what a rial gains; infinite where it costs nothing and gains something."""
    return math.inf if cost == 0 and gain > 0 else gain / max(cost, 1)


__all__ = ["Demand", "Group", "Question", "Reason", "Rules", "Selection", "per_rial", "question_of"]

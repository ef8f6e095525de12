"""Overlaps of undertakings: the same work, for the same people, at the same place and time, by two institutions.

Proposals and actions are compared in four respects: ground, sector, time and beneficiaries. In each, what two have in
common is a share of the smaller one's (the overlap coefficient of Simpson [@simpson1960]), so that a small project
within a large programme counts as much as one beside its like. Pairs are found by a tree of boxes [@leutenegger1997].
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
import shapely
from numpy.typing import ArrayLike

from geo.errors import GeometryError, InvalidInput, LimitExceeded
from interventions.core.columns import Booleans, Floats, Integers, finite, floats, integers

#: From this share on in every respect, two undertakings are one to those who live there.
SAME_FROM: Final = 0.5

#: Undertakings so near and so soon after each other should know of each other.
NEAR_M: Final = 200.0
NEAR_DAYS: Final = 90.0

#: More pairs than this are no list to look through.
MOST_PAIRS: Final = 2_000_000

_AT_ONCE: Final = 256
_QUARTER_SEGMENTS: Final = 16


class Likeness(IntEnum):
    """What two undertakings are to each other; the gravest first."""

    SAME = 0
    OVERLAPPING = 1
    ADJACENT = 2


@dataclass(frozen=True, slots=True, eq=False)
class Undertakings:
    """Proposals and actions, one row each.

    Attributes
    ----------
    geometry
        Where, in one metric system: points, lines or areas.
    reach_m
        How far it works beyond its geometry, in metres: above 0 for points and lines.
    sector
        Number of its sector.
    start_day, end_day
        Numbers of its first and last day; −inf and inf where an end is open.
    groups
        Bits of the groups of people it is for (bit g for group g, up to 62); 0 for everybody.
    place, organisation
        Their numbers; −1 for a place not known.
    """

    geometry: ArrayLike
    reach_m: ArrayLike
    sector: ArrayLike
    start_day: ArrayLike
    end_day: ArrayLike
    groups: ArrayLike
    place: ArrayLike
    organisation: ArrayLike


@dataclass(frozen=True, slots=True, eq=False)
class Overlaps:
    """Pairs of undertakings, one row each; the gravest first, of these the highest score.

    Attributes
    ----------
    first, second
        Numbers of the two, the smaller first.
    likeness
        `Likeness`: ``SAME`` where every respect is at least `SAME_FROM`; ``OVERLAPPING`` where every one is above 0;
        ``ADJACENT`` where sector and groups are, and ground and time are at most `near_m` and `near_days` apart.
    space, sector, time, beneficiaries
        Shares in common, 0 to 1.
    score
        The least of the four.
    distance_m
        Metres between what they reach; 0 where that meets.
    days_apart
        Days between the end of one and the beginning of the other; 0 where they meet or overlap.
    is_same_place, is_same_organisation
        Whether they name the same.
    """

    first: Integers
    second: Integers
    likeness: Integers
    space: Floats
    sector: Floats
    time: Floats
    beneficiaries: Floats
    score: Floats
    distance_m: Floats
    days_apart: Floats
    is_same_place: Booleans
    is_same_organisation: Booleans

    @property
    def is_done_twice(self) -> Booleans:
        """Two institutions doing the same thing in the same place at the same time."""
        return np.asarray((self.likeness == Likeness.SAME) & ~self.is_same_organisation)


def overlaps(
    undertakings: Undertakings,
    *,
    of: ArrayLike | None = None,
    kinship: ArrayLike | None = None,
    near_m: float = NEAR_M,
    near_days: float = NEAR_DAYS,
) -> Overlaps:
    """Find the pairs of undertakings that overlap or are near to each other.

    Parameters
    ----------
    undertakings
        All of them.
    of
        Numbers of those whose pairs are asked for; all where None.
    kinship
        Sectors by sectors, symmetric: how much two are the same work, 0 to 1. Equal sectors only, where None.
    near_m, near_days
        What is near, zero or more.

    Raises
    ------
    InvalidInput
        Where columns do not fit (``lengths_differ``, ``out_of_range``); ``bad_geometry`` where one is missing or
        reaches nothing.
    LimitExceeded
        For more than `MOST_PAIRS` pairs.

    Examples
    --------
    Two clinics 100 m from each other with a reach of 500 m, one of them until day 20, the other from day 11.

    >>> two = Undertakings(
    ...     geometry=shapely.points([[0, 0], [100, 0]]),
    ...     reach_m=[500, 500],
    ...     sector=[3, 3],
    ...     start_day=[1, 11],
    ...     end_day=[20, 30],
    ...     groups=[0b11, 0b01],
    ...     place=[7, 7],
    ...     organisation=[1, 2],
    ... )
    >>> found = overlaps(two)
    >>> Likeness(found.likeness[0]).name, found.is_done_twice.tolist(), found.time.tolist(), found.beneficiaries.tolist()
    ('SAME', [True], [0.5], [1.0])
    >>> found.space.round(3).tolist()
    [0.873]
    """
    rows = _Rows.of(undertakings)
    near_m = float(finite([near_m], "near_m", least=0)[0])
    near_days = float(finite([near_days], "near_days", least=0)[0])
    asked = np.arange(rows.size) if of is None else np.unique(integers(of, "of", least=0, most=rows.size - 1))
    kin = _kinship(kinship, rows.sector)
    first, second, sector = _candidates(rows, asked, kin, near_m, near_days)
    time, days_apart = rows.time(first, second)
    beneficiaries = rows.beneficiaries(first, second)
    distance_m = rows.distance_m(first, second)
    space = np.zeros(first.size)
    meet = np.flatnonzero(distance_m <= 0)
    space[meet] = rows.space(first[meet], second[meet])
    score = np.minimum.reduce([space, sector, time, beneficiaries])
    likeness = np.where(score >= SAME_FROM, Likeness.SAME, np.where(score > 0, Likeness.OVERLAPPING, Likeness.ADJACENT))
    order = np.lexsort((second, first, -score, likeness))
    a, b = first[order], second[order]
    return Overlaps(
        first=a,
        second=b,
        likeness=likeness[order],
        space=space[order],
        sector=sector[order],
        time=time[order],
        beneficiaries=beneficiaries[order],
        score=score[order],
        distance_m=distance_m[order],
        days_apart=days_apart[order],
        is_same_place=(rows.place[a] == rows.place[b]) & (rows.place[a] >= 0),
        is_same_organisation=rows.organisation[a] == rows.organisation[b],
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Undertakings, checked."""

    geometry: np.ndarray
    reach_m: Floats
    sector: Integers
    start_day: Floats
    end_day: Floats
    groups: Integers
    place: Integers
    organisation: Integers
    is_point: Booleans

    @property
    def size(self) -> int:
        return self.reach_m.size

    @classmethod
    def of(cls, given: Undertakings) -> _Rows:
        geometry = np.asarray(given.geometry, dtype=object)
        n = geometry.size
        reach_m = finite(given.reach_m, "reach_m", n, least=0)
        start_day = floats(given.start_day, "start_day", n)
        end_day = floats(given.end_day, "end_day", n)
        if not ((start_day <= end_day) & (start_day < math.inf) & (end_day > -math.inf)).all():
            raise InvalidInput(
                "A value of the column is missing or out of range.", code="out_of_range", where="end_day"
            )
        is_missing = shapely.is_missing(geometry) | shapely.is_empty(geometry)
        reaches_nothing = (reach_m == 0) & ~(shapely.area(geometry) > 0)
        if (is_missing | reaches_nothing).any():
            row = int(np.flatnonzero(is_missing | reaches_nothing)[0])
            raise GeometryError(
                "An undertaking has no geometry, or no reach around its point or line.",
                where=f"geometry[{row}]",
                remedy="Give the area of its place, or a reach above zero.",
            )
        return cls(
            geometry,
            reach_m,
            integers(given.sector, "sector", n, least=0),
            start_day,
            end_day,
            integers(given.groups, "groups", n, least=0),
            integers(given.place, "place", n, least=-1),
            integers(given.organisation, "organisation", n),
            shapely.get_type_id(geometry) == shapely.GeometryType.POINT,
        )

    def time(self, first: Integers, second: Integers) -> tuple[Floats, Floats]:
        """Give the share of the shorter one's days in common, and the days between."""
        begin = np.maximum(self.start_day[first], self.start_day[second])
        end = np.minimum(self.end_day[first], self.end_day[second])
        days = self.end_day - self.start_day + 1
        shorter = np.minimum(days[first], days[second])
        # Of two that never end, any day in common counts in full.
        is_endless = np.isinf(shorter)
        common = np.maximum(end - begin + 1, 0.0)
        share = np.where(is_endless, common > 0, common / np.where(is_endless, 1.0, shorter))
        return np.minimum(share, 1.0), np.maximum(begin - end - 1, 0.0)

    def beneficiaries(self, first: Integers, second: Integers) -> Floats:
        """Give the share of the smaller set of groups in common."""
        one, other = self.groups[first], self.groups[second]
        smaller = np.minimum(np.bitwise_count(one), np.bitwise_count(other)).astype(np.float64)
        common = np.bitwise_count(one & other).astype(np.float64)
        # Everybody includes whoever the other is for.
        return np.asarray(np.where(smaller == 0, 1.0, common / np.maximum(smaller, 1.0)))

    def distance_m(self, first: Integers, second: Integers) -> Floats:
        """Give the metres between what two reach."""
        apart = shapely.distance(self.geometry[first], self.geometry[second])
        return np.asarray(np.maximum(apart - self.reach_m[first] - self.reach_m[second], 0.0))

    def space(self, first: Integers, second: Integers) -> Floats:
        """Give the share of the smaller footprint in common."""
        share = np.zeros(first.size)
        circles = self.is_point[first] & self.is_point[second]
        a, b = first[circles], second[circles]
        apart = shapely.distance(self.geometry[a], self.geometry[b])
        share[circles] = _circles_in_common(apart, self.reach_m[a], self.reach_m[b])
        a, b = first[~circles], second[~circles]
        used = np.unique(np.concatenate([a, b]))
        if used.size:
            drawn = shapely.buffer(self.geometry[used], self.reach_m[used], quad_segs=_QUARTER_SEGMENTS)
            shapely.prepare(drawn)
            areas = shapely.area(drawn)
            i, j = np.searchsorted(used, a), np.searchsorted(used, b)
            common = np.minimum(areas[i], areas[j])
            # Where one lies within the other nothing need be cut.
            cut = ~(shapely.contains_properly(drawn[i], drawn[j]) | shapely.contains_properly(drawn[j], drawn[i]))
            common[cut] = shapely.area(shapely.intersection(drawn[i[cut]], drawn[j[cut]]))
            share[~circles] = common / np.maximum(np.minimum(areas[i], areas[j]), np.finfo(np.float64).tiny)
        return np.asarray(np.clip(share, 0.0, 1.0))


def _circles_in_common(apart: Floats, one: Floats, other: Floats) -> Floats:
    """Give the area of two circles' lens as a share of the smaller circle's."""
    small, large = np.minimum(one, other), np.maximum(one, other)
    is_lens = (apart < small + large) & (apart > large - small)
    d = np.where(is_lens, apart, 1.0)
    s, r = np.where(is_lens, small, 1.0), np.where(is_lens, large, 1.0)
    to_small = np.clip((d**2 + s**2 - r**2) / (2 * d * s), -1.0, 1.0)
    to_large = np.clip((d**2 + r**2 - s**2) / (2 * d * r), -1.0, 1.0)
    kite = np.sqrt(np.maximum((-d + s + r) * (d + s - r) * (d - s + r) * (d + s + r), 0.0)) / 2
    lens = s**2 * np.arccos(to_small) + r**2 * np.arccos(to_large) - kite
    return np.asarray(np.where(is_lens, lens / (math.pi * s**2), (apart <= large - small).astype(np.float64)))


def _kinship(given: ArrayLike | None, sector: Integers) -> Floats | None:
    if given is None:
        return None
    kin = np.asarray(given, dtype=np.float64)
    most = int(sector.max(initial=-1)) + 1
    if kin.ndim != 2 or kin.shape[0] != kin.shape[1] or kin.shape[0] < most:
        raise InvalidInput("The columns differ in length.", code="lengths_differ", where="kinship")
    if not ((kin >= 0) & (kin <= 1) & (kin == kin.T)).all():
        raise InvalidInput("A value of the column is missing or out of range.", code="out_of_range", where="kinship")
    return kin


def _candidates(
    rows: _Rows, asked: Integers, kin: Floats | None, near_m: float, near_days: float
) -> tuple[Integers, Integers, Floats]:
    """Find the pairs of kindred sectors and groups that are near in space and time, each once."""
    is_asked = np.zeros(rows.size, dtype=bool)
    is_asked[asked] = True
    found: list[tuple[Integers, Integers, Floats]] = []
    pairs = 0
    for mine, theirs, share in _boxes_that_meet(rows, asked, kin, near_m):
        # Of two that are both asked for, the one of the smaller number finds the other.
        once = (mine < theirs) | (~is_asked[theirs] & (mine != theirs))
        one, other = np.minimum(mine, theirs)[once], np.maximum(mine, theirs)[once]
        near = (rows.time(one, other)[1] <= near_days) & (rows.beneficiaries(one, other) > 0)
        one, other = one[near], other[near]
        near = rows.distance_m(one, other) <= near_m
        found.append((one[near], other[near], np.full(int(near.sum()), share)))
        pairs += found[-1][0].size
        if pairs > MOST_PAIRS:
            raise LimitExceeded(
                f"More than {MOST_PAIRS} pairs of undertakings overlap or are near to each other.",
                code="too_many_pairs",
                where="undertakings",
                remedy="Ask for fewer at once: one county, one sector or one year.",
                details={"most": MOST_PAIRS},
            )
    if not found:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0)
    first, second, sector = (np.concatenate(column) for column in zip(*found, strict=True))
    return first, second, sector


def _boxes_that_meet(
    rows: _Rows, asked: Integers, kin: Floats | None, near_m: float
) -> Iterator[tuple[Integers, Integers, float]]:
    """Give pairs whose boxes meet, with the kinship of their sectors, some hundreds of those asked for at once."""
    if not asked.size:
        return
    bounds = shapely.bounds(rows.geometry)
    # Half of what is near on each side; a hair more, since boxes are rounded.
    margin = rows.reach_m + near_m / 2 + 1e-6
    boxes = shapely.box(*(bounds + margin[:, None] * np.array([-1.0, -1.0, 1.0, 1.0])).T)
    by_sector = {int(sector): np.flatnonzero(rows.sector == sector) for sector in np.unique(rows.sector)}
    trees = {sector: shapely.STRtree(boxes[members]) for sector, members in by_sector.items()}
    for sector, members in by_sector.items():
        mine = np.intersect1d(members, asked, assume_unique=True)
        for other, theirs in by_sector.items():
            share = float(sector == other) if kin is None else float(kin[sector, other])
            if share <= 0:
                continue
            for start in range(0, mine.size, _AT_ONCE):
                some = mine[start : start + _AT_ONCE]
                i, j = trees[other].query(boxes[some])
                yield some[i], theirs[j], share


__all__ = [
    "MOST_PAIRS",
    "NEAR_DAYS",
    "NEAR_M",
    "SAME_FROM",
    "Likeness",
    "Overlaps",
    "Undertakings",
    "overlaps",
]

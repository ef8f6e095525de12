"""What institutions undertake at the same place and time: proposals that stand and actions still to be done, compared."""

from __future__ import annotations

import math
import posixpath
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import shapely
from django.contrib.gis.db.models.functions import AsWKB
from django.db.models import QuerySet

from geo.core.crs import STORAGE_EPSG, project, utm_epsg_of
from geo.models import Boundary, Place
from geo.querysets import User
from interventions.core.overlap import Likeness, Undertakings, overlaps
from interventions.core.transitions import STANDING_PROPOSALS, ProposalState
from interventions.models import PEOPLE_GROUPS, Action, Proposal, in_readers_language
from interventions.querysets import proposals_about
from interventions.selectors.rights import paths_around
from interventions.selectors.rows import NamedRow

MAX_UNDERTAKINGS: Final = 1000
"""Proposals, and as many actions, that are compared at once."""

REACH_M: Final = 500.0
"""How far a point or a line is taken to work, where the service it gives has no threshold of its own."""

_NAMES: Final = ("code", "name_fa", "name_en")
_OF_SIDE: Final = (
    "pk", "organisation_id", "title_fa", "title_en", "starts_on", "ends_on", "state",
    *(f"organisation__{name}" for name in _NAMES), *(f"sector__{name}" for name in _NAMES),
)  # fmt: skip
"""What is read of hundreds at once, as tuples: to make records of them takes longer than all the rest."""


@dataclass(frozen=True, slots=True)
class Undertaking:
    """An action, or a proposal that is no action yet.

    Attributes
    ----------
    groups
        Of `interventions.models.PEOPLE_GROUPS`, those that its needs are for alone; empty for everybody.
    proposal
        Of an action, the number of the proposal it carries out.
    """

    pk: int
    is_action: bool
    title_fa: str
    title_en: str
    organisation: NamedRow
    place: NamedRow
    sector: NamedRow
    starts_on: date | None
    ends_on: date | None
    state: str
    groups: tuple[str, ...]
    proposal: int | None

    @property
    def title(self) -> str:
        """The title in the language of the reader, or in the other where it was not written in that."""
        return in_readers_language(self.title_fa, self.title_en)


@dataclass(frozen=True, slots=True)
class OverlapRow:
    """Two undertakings that are the same, or nearly, at the same place and time.

    Attributes
    ----------
    likeness
        Of `interventions.core.overlap.Likeness`.
    space, time, beneficiaries
        Shares of the smaller one that they have in common, 0 to 1.
    is_done_twice
        Two institutions doing the same thing in the same place at the same time.
    """

    first: Undertaking
    second: Undertaking
    likeness: Likeness
    space: float
    time: float
    beneficiaries: float
    score: float
    distance_m: float
    days_apart: float
    is_done_twice: bool


def overlaps_of(city: Place, user: User, *, with_adjacent: bool = False) -> tuple[OverlapRow, ...]:
    """Return which institutions undertake the same in a city, as far as the user may see both: the gravest first.

    Compared are actions still to be done and proposals that stand and are no actions yet; the public is told of public actions
    alone. What is for a whole place counts with its boundary. One institution's own undertakings are its own affair.

    Parameters
    ----------
    with_adjacent : bool
        Whether to name those too that are only near in space or time.
    """
    compared = _compared(_undertaken(city, user))
    return tuple(
        row
        for row in compared
        if row.first.organisation.code != row.second.organisation.code
        and (with_adjacent or row.likeness != Likeness.ADJACENT)
    )


def overlaps_with(records: Sequence[Proposal] | Sequence[Action], user: User) -> dict[int, tuple[OverlapRow, ...]]:
    """Return by number what else a user may see that does the like of some proposals, or of some actions: the gravest first.

    Those asked for are the first of each pair. Drafts are compared, too, so that their authors see it before others do. What is
    withdrawn, refused, done or cancelled, and a proposal without needs, is like nothing.
    """
    if not records:
        return {}
    numbers = [one.pk for one in records]
    asked = (
        _actions(Action.objects.filter(pk__in=numbers).running())
        if isinstance(records[0], Action)
        else _proposals(Proposal.objects.filter(pk__in=numbers, state__in=[*STANDING_PROPOSALS, ProposalState.DRAFT]))
    )
    if not asked:
        return {}
    own = {(side.is_action, side.pk) for side, *_ in asked}
    root = _around({place for *_, places in asked for place in places})
    every = [*asked, *(one for one in _undertaken(root, user) if (one[0].is_action, one[0].pk) not in own)]
    found: dict[int, list[OverlapRow]] = defaultdict(list)
    for row in _compared(every, of=range(len(asked))):
        for one, turned in ((row.first, row), (row.second, _turned(row))):
            if (one.is_action, one.pk) in own:
                found[one.pk].append(turned)
    return {number: tuple(rows) for number, rows in found.items()}


_Area = tuple[int, str]
"""Number and path of a place."""

_Side = tuple[Undertaking, int, Any, float, list[_Area]]
"""An undertaking, the number of its organisation, its geometry or None, its reach in metres, and its places."""


def _undertaken(root: Place, user: User) -> list[_Side]:
    """Return the actions to be done and the standing proposals of a place's subtree that a user may see."""
    actions = Action.objects.visible_to(user).within(root).running().order_by("pk")[:MAX_UNDERTAKINGS]
    proposals = (
        Proposal.objects.visible_to(user)
        .standing()
        .filter(pk__in=proposals_about(root), actions__isnull=True)
        .order_by("pk")[:MAX_UNDERTAKINGS]
    )
    return [*_actions(actions), *_proposals(proposals)]


def _actions(found: QuerySet[Action]) -> list[_Side]:
    """Return actions as undertakings."""
    rows = list(
        found.values_list(
            *_OF_SIDE, *(f"place__{name}" for name in _NAMES), "place_id", "place__path", "proposal_id",
            AsWKB("geometry"),
        )
    )  # fmt: skip
    groups = _groups(Action.needs.through, "action", [row[0] for row in rows])
    shapes = _shapes(row[-1] for row in rows)
    return [
        (
            Undertaking(
                row[0], True, row[2], row[3], NamedRow(*row[7:10]), NamedRow(*row[13:16]), NamedRow(*row[10:13]),
                row[4], row[5], row[6], groups.get(row[0], ()), row[18],
            ),
            row[1], shape, REACH_M, [(row[16], row[17])],
        )
        for row, shape in zip(rows, shapes, strict=True)
    ]  # fmt: skip


def _proposals(found: QuerySet[Proposal]) -> list[_Side]:
    """Return proposals as undertakings; without those that answer nothing."""
    rows = list(
        found.values_list(
            *_OF_SIDE, *(f"round__place__{name}" for name in _NAMES), "effect__threshold_m", AsWKB("geometry")
        )
    )
    numbers = [row[0] for row in rows]
    groups = _groups(Proposal.needs.through, "proposal", numbers)
    answered: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    told = ("place_id", "place__path", *(f"{of}__{name}" for of in ("place", "sector") for name in _NAMES))
    for number, *need in (
        Proposal.needs.through.objects.filter(proposal__in=numbers)
        .order_by("need")
        .values_list("proposal_id", *(f"need__{name}" for name in told))
    ):
        answered[number].append(tuple(need))
    sides: list[_Side] = []
    for row, shape in zip(rows, _shapes(row[-1] for row in rows), strict=True):
        needs = answered[row[0]]
        if not needs:
            continue
        places = {need[0]: need for need in needs}
        place = NamedRow(*needs[0][2:5]) if len(places) == 1 else NamedRow(*row[13:16])
        sector = NamedRow(*(row[10:13] if row[10] is not None else needs[0][5:8]))
        sides.append(
            (
                Undertaking(
                    row[0], False, row[2], row[3], NamedRow(*row[7:10]), place, sector, row[4], row[5], row[6],
                    groups.get(row[0], ()), None,
                ),
                row[1], shape, REACH_M if row[16] is None else float(row[16]), [need[:2] for need in places.values()],
            )
        )  # fmt: skip
    return sides


def _shapes(found: Iterable[Any]) -> list[Any]:
    """Return geometries from their well-known binary; None where there is none."""
    read: list[Any] = shapely.from_wkb([None if one is None else bytes(one) for one in found]).tolist()
    return read


def _groups(links: Any, record: str, numbers: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """Return by number the groups of people that records' needs are for; none, which is everybody, where one is for others, too.

    A need is for groups alone where those counted make up all whom it affects: else the rest may be anybody.
    """
    named: dict[int, set[str]] = defaultdict(set)
    open_to_all: set[int] = set()
    counts_of = ("people_affected", *(f"{group}_affected" for group in PEOPLE_GROUPS))
    for number, affected, *counts in links.objects.filter(**{f"{record}__in": numbers}).values_list(
        f"{record}_id", *(f"need__{name}" for name in counts_of)
    ):
        if 0 < affected <= sum(count or 0 for count in counts):
            named[number].update(group for group, count in zip(PEOPLE_GROUPS, counts, strict=True) if count)
        else:
            open_to_all.add(number)
    return {
        number: tuple(group for group in PEOPLE_GROUPS if group in groups)
        for number, groups in named.items()
        if number not in open_to_all
    }


def _around(places: Iterable[_Area]) -> Place:
    """Return the city in which places lie, or the place around all of them where there is none."""
    common = posixpath.commonpath([path for _, path in places])
    found: Place | None = None
    for found in Place.objects.filter(path__in=paths_around(Place(path=common))).order_by("path"):
        if found.kind == Place.Kind.CITY:
            break
    return found or Place.objects.get(path=common)


def _compared(sides: Sequence[_Side], of: Iterable[int] | None = None) -> list[OverlapRow]:
    """Compare undertakings that lie somewhere, all with all or some with all; the gravest first."""
    drawn = _drawn({place for _, _, shape, _, places in sides if shape is None for place in places})
    rows: list[tuple[Undertaking, int, Any, float]] = []
    asked: list[int] | None = None if of is None else []
    wanted = set(range(len(sides)) if of is None else of)
    for number, (side, organisation, shape, reach_m, places) in enumerate(sides):
        parts = [shape] if shape is not None else [drawn[path] for _, path in places if path in drawn]
        if parts:
            if asked is not None and number in wanted:
                asked.append(len(rows))
            rows.append((side, organisation, parts[0] if len(parts) == 1 else shapely.union_all(parts), reach_m))
    if len(rows) < 2:
        return []
    shapes = [shape for *_, shape, _ in rows]
    metric = project(shapes, STORAGE_EPSG, utm_epsg_of(shapes))
    number_of: dict[str, dict[str, int]] = {
        kind: {code: k for k, code in enumerate(sorted({getattr(side, kind).code for side, *_ in rows}))}
        for kind in ("sector", "place")
    }
    found = overlaps(
        Undertakings(
            geometry=metric,
            reach_m=np.where(shapely.area(metric) > 0, 0.0, [reach_m for *_, reach_m in rows]),
            sector=[number_of["sector"][side.sector.code] for side, *_ in rows],
            start_day=[side.starts_on.toordinal() if side.starts_on else -math.inf for side, *_ in rows],
            end_day=[side.ends_on.toordinal() if side.ends_on else math.inf for side, *_ in rows],
            groups=[sum(1 << PEOPLE_GROUPS.index(group) for group in side.groups) for side, *_ in rows],
            place=[number_of["place"][side.place.code] for side, *_ in rows],
            organisation=[organisation for _, organisation, *_ in rows],
        ),
        of=asked,
    )
    pairs = [
        OverlapRow(
            first=rows[int(found.first[k])][0],
            second=rows[int(found.second[k])][0],
            likeness=Likeness(int(found.likeness[k])),
            space=float(found.space[k]),
            time=float(found.time[k]),
            beneficiaries=float(found.beneficiaries[k]),
            score=float(found.score[k]),
            distance_m=float(found.distance_m[k]),
            days_apart=float(found.days_apart[k]),
            is_done_twice=bool(found.is_done_twice[k]),
        )
        for k in range(found.first.size)
    ]
    # An action that carries out a proposal does not overlap with it.
    return [
        pair for pair in pairs if not (_carries_out(pair.first, pair.second) or _carries_out(pair.second, pair.first))
    ]


def _carries_out(one: Undertaking, other: Undertaking) -> bool:
    return one.is_action and not other.is_action and one.proposal == other.pk


def _turned(row: OverlapRow) -> OverlapRow:
    return OverlapRow(
        row.second, row.first, row.likeness, row.space, row.time, row.beneficiaries, row.score, row.distance_m,
        row.days_apart, row.is_done_twice,
    )  # fmt: skip


def _drawn(places: set[_Area]) -> dict[str, Any]:
    """Return by path the areas of places: their own boundaries, or all of those inside where one has none."""
    current = Boundary.objects.current()
    own = list(current.filter(place__in=[pk for pk, _ in places]).values_list("place__path", AsWKB("geometry")))
    found = dict(zip((path for path, _ in own), _shapes(shape for _, shape in own), strict=True))
    for _, path in places:
        if path not in found:
            inside = current.filter(place__in=Place.objects.within(Place(path=path)))
            shapes = _shapes(inside.values_list(AsWKB("geometry"), flat=True))
            if shapes:
                found[path] = shapely.union_all(shapes)
    return found


__all__ = ["MAX_UNDERTAKINGS", "REACH_M", "OverlapRow", "Undertaking", "overlaps_of", "overlaps_with"]

"""What changed in a year: indicators of places before and after, real change told from noise and from places where nothing was done.

A family is what is judged together: the places of one kind in one county (places that lie in no county, with their neighbours). So a
place has the same verdict on the page of its city, its county, its province and the country. Readers without a role are told of
published places and public actions alone; their families are of these, and numbers of few people are left out.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final, Literal

import numpy as np
from django.db.models import Case, Count, DateField, Exists, F, OuterRef, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce

from analysis.disclosure import is_insider, is_unit_of_people, suppressed
from analysis.models import Indicator, IndicatorValue
from geo.models import Place
from geo.placed import held_q
from geo.querysets import User, is_administrator
from interventions.core.change import LEVEL, Change, Measured, Overall, Tested, change, comparable
from interventions.core.gaps import STAGE_OF_ACTION, STAGE_OF_PROPOSAL, Stage
from interventions.core.transitions import OUTCOME, RUNNING_ACTIONS, ActionState
from interventions.core.years import Year, year_of
from interventions.models import AREA_DEPTH, Action, Need, YearTally
from interventions.selectors.counting import YEAR_COLUMNS
from interventions.selectors.national import late_in_parts
from interventions.selectors.rights import roles_at
from interventions.selectors.rows import NamedRow, named_row

Verdict = Literal["better", "worse", "unclear", "unknown"]
AreaVerdict = Literal["better", "worse", "mixed", "unclear", "unknown"]
AREA_VERDICTS: Final[tuple[AreaVerdict, ...]] = ("better", "worse", "mixed", "unclear", "unknown")
AREA_KINDS: Final = (Place.Kind.SETTLEMENT, Place.Kind.NEIGHBOURHOOD)
"""Kinds of places that pages call areas; others are told beside them with their own values."""

_BEGUN: Final = (ActionState.UNDER_WAY, ActionState.SUSPENDED, ActionState.DONE)


@dataclass(frozen=True, slots=True)
class IndicatorRow:
    """An indicator: what is measured, in which unit, and which direction is good."""

    pk: int
    name: NamedRow
    domain: str
    unit: str
    is_more_better: bool
    definition_fa: str
    definition_en: str


@dataclass(frozen=True, slots=True)
class ValueRow:
    """A value as it was entered; its error is None where nobody knows it."""

    pk: int
    value: float
    error: float | None
    source: str
    source_fa: str
    year: Year


@dataclass(frozen=True, slots=True)
class Estimate:
    """A difference with its standard error (infinite where it is not known) and what it is worth."""

    value: float
    error: float
    p: float
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """An indicator in a place and year.

    Attributes
    ----------
    change
        Measured less baseline; None where one of them is missing.
    effect
        The change less that of the comparison places; None for these, and where there are too few of them.
    target_share
        The change as a share of what was aimed at; None where there is no target, or it is where things stood before.
    is_acted_in, is_comparison
        Whether something was done there in the year; whether it is one of the places compared with.
    is_withheld
        Whether numbers of few people are not told to this reader.
    """

    place: NamedRow
    path: str
    kind: str
    indicator: int
    baseline: ValueRow | None
    target: ValueRow | None
    measured: ValueRow | None
    change: Estimate | None
    effect: Estimate | None
    target_share: float | None
    is_acted_in: bool
    is_comparison: bool
    is_withheld: bool

    @property
    def verdict(self) -> Verdict:
        """Of the change."""
        return self.change.verdict if self.change else "unknown"


@dataclass(frozen=True, slots=True)
class OverallRow:
    """The mean effect on all places of a family in which something was done."""

    estimate: Estimate
    places: int
    compared: int


@dataclass(frozen=True, slots=True)
class AreaRow:
    """A place over all its indicators."""

    place: NamedRow
    path: str
    kind: str
    verdict: AreaVerdict
    is_acted_in: bool
    better: int
    worse: int
    measured: int
    is_beyond_others: bool


@dataclass(frozen=True, slots=True)
class Done:
    """What was done in a place in a year.

    Attributes
    ----------
    at_work, finished, late
        Actions at work on any day of the year; finished in it; that should have ended in it and did not, or later.
    spent_irr
        Spent on those at work, as of their last reports.
    people_reached
        Of each place the action that reached most, added up; None where it is too small a number to be told.
    needs, answered
        Needs reported in the year; those of them about which something is decided by now.
    """

    at_work: int
    finished: int
    late: int
    spent_irr: Decimal
    people_reached: int | None
    needs: int
    answered: int


@dataclass(frozen=True, slots=True)
class PartSums:
    """How many areas of a part got better or worse."""

    place: NamedRow
    path: str
    counts: Mapping[AreaVerdict, int]

    @property
    def areas(self) -> int:
        """Areas of which anything was measured."""
        return sum(self.counts.values()) - self.counts["unknown"]


@dataclass(frozen=True, slots=True)
class Changed:
    """What changed in a place in a year.

    Attributes
    ----------
    years
        Years of which anything was entered, the latest first.
    rows
        By indicator, kind of place and place.
    overall
        By indicator and family, a kind and the path of what lies around it.
    areas
        Neighbourhoods and settlements.
    parts
        The places directly inside, with their areas counted; none inside a city.
    """

    place: Place
    year: Year
    years: tuple[Year, ...]
    indicators: tuple[IndicatorRow, ...]
    rows: tuple[ChangeRow, ...]
    overall: Mapping[tuple[int, str, str], OverallRow]
    areas: tuple[AreaRow, ...]
    parts: tuple[PartSums, ...]
    done: Done
    is_exact: bool

    def counts(self) -> dict[AreaVerdict, int]:
        """Return how many areas got better, got worse, and so on."""
        return {verdict: sum(area.verdict == verdict for area in self.areas) for verdict in AREA_VERDICTS}


@dataclass(slots=True)
class _Cell:
    """What is known of a place and an indicator, by kind of value."""

    place: Place
    indicator: int
    values: dict[str, ValueRow] = field(default_factory=dict)
    is_withheld: bool = False

    @property
    def baseline(self) -> ValueRow | None:
        return self.values.get("baseline") or self.values.get("before")


def may_measure(place: Place, user: User) -> bool:
    """Tell whether a user may enter values of a place, and so of all places in it."""
    return not OUTCOME["enter"].roles.isdisjoint(roles_at(user, place))


def changed_in(place: Place, user: User, year: Year | None, *, today: date) -> Changed:
    """Return what changed in a place and inside it in a year, as far as a user may know.

    Parameters
    ----------
    year
        None for the latest with a measured value.
    """
    exact = is_insider(user, place)
    years, latest = _years(place, user)
    chosen = year or latest or year_of(today).previous
    scope = _scope(place)
    cells = _cells(scope, user, chosen)
    acted = _acted_in(scope, user, chosen, cells)
    families: dict[tuple[int, str, str], list[_Cell]] = defaultdict(list)
    for cell in cells:
        families[cell.indicator, cell.place.kind, family_path(cell.place.path)].append(cell)
    levels = _levels(families)
    indicators = {row.pk: row for row in indicator_rows({cell.indicator for cell in cells})}
    rows: list[ChangeRow] = []
    overall: dict[tuple[int, str, str], OverallRow] = {}
    for key, members in families.items():
        is_more_better = indicators[key[0]].is_more_better
        judged, mean = _judged(members, acted, levels[key[1:]], is_more_better)
        inside = [row for row in judged if row.path == place.path or row.path.startswith(f"{place.path}/")]
        rows += inside
        if inside and mean is not None:
            overall[key] = mean
    order = {pk: k for k, pk in enumerate(indicators)}
    kinds = list(Place.Kind.values)
    rows.sort(key=lambda row: (order[row.indicator], kinds.index(row.kind), row.path))
    areas = _areas(rows)
    shown = {row.indicator for row in rows}
    return Changed(
        place=place,
        year=chosen,
        years=years,
        indicators=tuple(row for row in indicators.values() if row.pk in shown),
        rows=tuple(rows),
        overall=overall,
        areas=areas,
        parts=_parts(place, user, areas),
        done=_done(place, user, chosen, today, exact),
        is_exact=exact,
    )


def indicator_rows(wanted: Iterable[int] | None = None) -> tuple[IndicatorRow, ...]:
    """Return indicators by domain, all of those whose values are brought by people, or those wanted."""
    found = Indicator.objects.stored() if wanted is None else Indicator.objects.filter(pk__in=list(wanted))
    domains = list(Indicator.Domain.values)
    return tuple(
        IndicatorRow(
            pk=one.pk,
            name=named_row(one),
            domain=one.domain,
            unit=one.unit,
            is_more_better=one.direction == Indicator.Direction.MORE_IS_BETTER,
            definition_fa=one.definition_fa,
            definition_en=one.definition_en,
        )
        for one in sorted(found, key=lambda one: (domains.index(one.domain), one.position, one.code))
    )


def family_path(path: str) -> str:
    """Return the place around what is judged together: the county, or what is next around where there is none.

    Examples
    --------
    >>> family_path("iran/lorestan/county/city/s01"), family_path("iran/lorestan/county"), family_path("iran")
    ('iran/lorestan/county', 'iran/lorestan', '')
    """
    parts = path.split("/")
    return "/".join(parts[: min(len(parts) - 1, AREA_DEPTH)])


def _scope(place: Place) -> Q:
    """Return the condition "of a family that a page needs": the subtree, and what is judged together with any of it."""
    around = family_path(place.path)
    if place.path.count("/") >= AREA_DEPTH:
        return Q(place__path=around) | Q(place__path__startswith=f"{around}/")
    beside = Q(place__parent=place.parent_id) if place.parent_id else Q(place__parent=None)
    return Q(place__path=place.path) | Q(place__path__startswith=f"{place.path}/") | beside


def _years(place: Place, user: User) -> tuple[tuple[Year, ...], Year | None]:
    found = IndicatorValue.objects.in_force().visible_to(user).within(place).order_by()
    told = list(found.values_list("year_begins_on", "kind").distinct())
    years = sorted({year_of(begins) for begins, _ in told}, reverse=True)
    measured = [year_of(begins) for begins, kind in told if kind == IndicatorValue.Kind.MEASURED]
    return tuple(years), max(measured, default=years[0] if years else None)


def _cells(scope: Q, user: User, year: Year) -> list[_Cell]:
    of_year = Q(year_begins_on=year.begins_on) | Q(
        year_begins_on=year.previous.begins_on, kind=IndicatorValue.Kind.MEASURED
    )
    found = IndicatorValue.objects.in_force().visible_to(user).filter(scope).filter(of_year)
    few = _few(found, user)
    cells: dict[tuple[int, int], _Cell] = {}
    for row in found.order_by("pk").select_related("place"):
        cell = cells.setdefault((row.indicator_id, row.place_id), _Cell(row.place, row.indicator_id))
        if row.pk in few:
            cell.is_withheld = True
            continue
        is_before = row.year_begins_on != year.begins_on
        cell.values["before" if is_before else row.kind] = ValueRow(
            row.pk, row.value, row.error, row.source, row.source_fa, year.previous if is_before else year
        )
    for cell in cells.values():
        if cell.is_withheld:
            cell.values.clear()
    return list(cells.values())


def _few(found: QuerySet[IndicatorValue], user: User) -> frozenset[int]:
    """Return the values that are too small numbers of people for this reader."""
    if is_administrator(user):
        return frozenset()
    of_people = [
        pk for pk, unit in Indicator.objects.values_list("pk", "unit") if is_unit_of_people(unit)
    ]  # fmt: skip
    counted = found.filter(indicator__in=of_people)
    few = {pk for pk, value in counted.values_list("pk", "value") if suppressed(value)}
    return frozenset(few - set(counted.filter(held_q(user)).values_list("pk", flat=True)) if few else few)


def _acted_in(scope: Q, user: User, year: Year, cells: Sequence[_Cell]) -> frozenset[str]:
    """Return the paths of places in which an action was at work in the year, and of those around these."""
    if not cells:
        return frozenset()
    found = _at_work(Action.objects.visible_to(user).filter(scope), year)
    paths = set(found.order_by().values_list("place__path", flat=True).distinct())
    return frozenset("/".join(path.split("/")[:end]) for path in paths for end in range(1, path.count("/") + 2))


def _at_work(actions: QuerySet[Action], year: Year) -> QuerySet[Action]:
    ended: Any = Case(
        When(state=ActionState.DONE, then=F("done_on")), default=Value(None), output_field=DateField()
    )  # what is not done goes on
    return actions.annotate(begun=Coalesce("started_on", "starts_on"), ended=ended).filter(
        Q(ended__isnull=True) | Q(ended__gte=year.begins_on), state__in=_BEGUN, begun__lte=year.ends_on
    )


def _levels(families: Mapping[tuple[int, str, str], Sequence[_Cell]]) -> dict[tuple[str, str], float]:
    """Return by kind and place around the chance of a false alarm allowed to each indicator: all together have `LEVEL`."""
    counted: dict[tuple[str, str], int] = defaultdict(int)
    for (_, kind, around), members in families.items():
        counted[kind, around] += any(cell.baseline and "measured" in cell.values for cell in members)
    return {key: LEVEL / max(n, 1) for key, n in counted.items()}


def _judged(
    members: Sequence[_Cell], acted: frozenset[str], level: float, is_more_better: bool
) -> tuple[list[ChangeRow], OverallRow | None]:
    """Return the rows of an indicator in a family, and the mean effect where there is one."""
    before = [(cell.baseline.value, cell.baseline.error) if cell.baseline else (None, None) for cell in members]
    after = [
        (cell.values["measured"].value, cell.values["measured"].error) if "measured" in cell.values else (None, None)
        for cell in members
    ]
    columns = [
        np.array([math.nan if pair[part] is None else pair[part] for pair in pairs], dtype=float)
        for pairs in (before, after)
        for part in (0, 1)
    ]
    is_helped = np.array([cell.place.path in acted for cell in members], dtype=bool)
    is_measured = ~(np.isnan(columns[0]) | np.isnan(columns[2]))
    is_compared = comparable(np.where(is_measured, columns[0], math.nan), is_helped)
    alone = change(_measured(columns, np.zeros(len(members), dtype=bool)), level=level).change
    kept = np.flatnonzero(is_helped | is_compared)
    effects: dict[int, Estimate] = {}
    mean: OverallRow | None = None
    if kept.size:
        found: Change = change(_measured([column[kept] for column in columns], is_compared[kept]), level=level)
        effects = {
            int(k): told
            for at, k in enumerate(kept)
            if (told := _estimate(found.effect, at, is_more_better)) is not None
        }
        mean = _mean(found.overall, is_more_better)
    rows = []
    for k, cell in enumerate(members):
        if cell.values.keys() <= {"before"} and not cell.is_withheld:
            continue  # nothing of this year
        rows.append(
            ChangeRow(
                place=named_row(cell.place),
                path=cell.place.path,
                kind=cell.place.kind,
                indicator=cell.indicator,
                baseline=cell.baseline,
                target=cell.values.get("target"),
                measured=cell.values.get("measured"),
                change=_estimate(alone, k, is_more_better),
                effect=effects.get(k),
                target_share=_target_share(cell),
                is_acted_in=bool(is_helped[k]),
                is_comparison=bool(is_compared[k]),
                is_withheld=cell.is_withheld,
            )
        )
    return rows, mean


def _measured(columns: Sequence[Any], is_comparison: Any) -> Measured:
    baseline, baseline_error, measured, measured_error = columns
    return Measured(baseline, baseline_error, measured, measured_error, is_comparison)


def _estimate(found: Tested, k: int, is_more_better: bool) -> Estimate | None:
    if not found.is_known[k]:
        return None
    return Estimate(
        float(found.estimate[k]),
        float(found.error[k]),
        float(found.p_holm[k]),
        good_or_bad(found.verdict[k], is_more_better),
    )


def _mean(found: Overall, is_more_better: bool) -> OverallRow | None:
    if found.verdict == "unknown":
        return None
    estimate = Estimate(found.estimate, found.error, found.p, good_or_bad(found.verdict, is_more_better))
    return OverallRow(estimate, found.places, found.compared)


def good_or_bad(verdict: str, is_more_better: bool) -> Verdict:
    """Return whether what rose or fell became better.

    Examples
    --------
    >>> good_or_bad("rose", True), good_or_bad("rose", False), good_or_bad("unclear", True)
    ('better', 'worse', 'unclear')
    """
    if verdict == "unknown":
        return "unknown"
    if verdict == "unclear":
        return "unclear"
    return "better" if (verdict == "rose") == is_more_better else "worse"


def _target_share(cell: _Cell) -> float | None:
    before, target, after = cell.baseline, cell.values.get("target"), cell.values.get("measured")
    if before is None or target is None or after is None or target.value == before.value:
        return None
    return (after.value - before.value) / (target.value - before.value)


def _areas(rows: Iterable[ChangeRow]) -> tuple[AreaRow, ...]:
    of_area: dict[str, list[ChangeRow]] = defaultdict(list)
    for row in rows:
        if row.kind in AREA_KINDS:
            of_area[row.path].append(row)
    return tuple(
        AreaRow(
            place=found[0].place,
            path=path,
            kind=found[0].kind,
            verdict=area_verdict([row.verdict for row in found]),
            is_acted_in=found[0].is_acted_in,
            better=sum(row.verdict == "better" for row in found),
            worse=sum(row.verdict == "worse" for row in found),
            measured=sum(row.change is not None for row in found),
            is_beyond_others=any(
                row.verdict == "better" and row.effect is not None and row.effect.verdict == "better" for row in found
            ),
        )
        for path, found in sorted(of_area.items())
    )


def area_verdict(verdicts: Iterable[Verdict]) -> AreaVerdict:
    """Return what became of a place over all its indicators.

    Examples
    --------
    >>> area_verdict(["better", "unclear"]), area_verdict(["better", "worse"]), area_verdict(["unknown"])
    ('better', 'mixed', 'unknown')
    """
    found = set(verdicts)
    if {"better", "worse"} <= found:
        return "mixed"
    return next((verdict for verdict in ("better", "worse", "unclear") if verdict in found), "unknown")  # type: ignore[return-value]


def _parts(place: Place, user: User, areas: Sequence[AreaRow]) -> tuple[PartSums, ...]:
    if place.path.count("/") >= AREA_DEPTH:
        return ()
    depth = place.path.count("/") + 2
    counts: dict[str, dict[AreaVerdict, int]] = defaultdict(lambda: dict.fromkeys(AREA_VERDICTS, 0))
    for area in areas:
        counts["/".join(area.path.split("/")[:depth])][area.verdict] += 1
    parts = Place.objects.filter(parent=place).visible_to(user).order_by("path")
    return tuple(PartSums(named_row(part), part.path, counts[part.path]) for part in parts)


def _done(place: Place, user: User, year: Year, today: date, exact: bool) -> Done:
    kept = done_kept(place, year, today, exact=exact) if place.path.count("/") + 1 < AREA_DEPTH else None
    return kept or done_counted(place, user, year, today, exact=exact)


def done_counted(place: Place, user: User, year: Year, today: date, *, exact: bool) -> Done:
    """Return what was done in a place in a year, counted now."""
    actions = Action.objects.visible_to(user).within(place)
    at_work = list(_at_work(actions, year).values_list("place_id", "spent_irr", "people_reached", "state", "done_on"))
    ended = Q(ends_on__gte=year.begins_on, ends_on__lte=year.ends_on)
    late = ended & (
        Q(state__in=RUNNING_ACTIONS, ends_on__lt=today) | Q(state=ActionState.DONE, done_on__gt=F("ends_on"))
    )
    reached: dict[int, int] = defaultdict(int)
    for where, _, people, _, _ in at_work:
        reached[where] = max(reached[where], people)
    needs = Need.objects.within(place).counted().filter(
        reported_at__date__gte=year.begins_on, reported_at__date__lte=year.ends_on
    )  # fmt: skip
    if not exact:
        needs = needs.filter(place__in=Place.objects.within(place).visible_to(user).order_by().values("pk"))
    counted = needs.aggregate(n=Count("pk"), answered=Count("pk", filter=_decided(user, exact)))
    return Done(
        at_work=len(at_work),
        finished=sum(state == ActionState.DONE and on is not None and on <= year.ends_on for *_, state, on in at_work),
        late=actions.filter(late).count(),
        spent_irr=sum((spent for _, spent, *_ in at_work), Decimal(0)),
        people_reached=_told(list(reached.values()), exactly=exact),
        needs=counted["n"],
        answered=counted["answered"],
    )


def done_kept(place: Place, year: Year, today: date, *, exact: bool) -> Done | None:
    """Return what was done in a country or a province by the sums that are kept; None of years whose sums are not."""
    kept = YearTally.objects.filter(is_public=not exact)
    if not kept.filter(year_begins_on=year.begins_on).exists():
        return None
    inside = Q(place__path=place.path) | Q(place__path__startswith=f"{place.path}/")
    rows = kept.filter(inside, year_begins_on=year.begins_on)
    sums = {name: value or 0 for name, value in rows.aggregate(**{name: Sum(name) for name in YEAR_COLUMNS}).items()}
    running = late_in_parts(place, today, since=year.begins_on, until=year.ends_on)
    people = sums["people_reached"]
    return Done(
        at_work=sums["at_work"],
        finished=sums["finished"],
        late=sums["finished_late"] + sum(found[exact] for found in running.values()),
        spent_irr=Decimal(sums["spent_irr"]),
        people_reached=people if exact or not (suppressed(people) or suppressed(sums["people_withheld"])) else None,
        needs=sums["needs"],
        answered=sums["answered"],
    )


def _decided(user: User, exact: bool) -> Q:
    """Return the condition "a need about which something is decided"."""
    actions = Action.objects.filter(state__in=[s for s, stage in STAGE_OF_ACTION.items() if stage >= Stage.DECIDED])
    if not exact:
        actions = actions.visible_to(user)
    proposals = [state for state, stage in STAGE_OF_PROPOSAL.items() if stage >= Stage.DECIDED]
    by_action = Exists(Action.needs.through.objects.filter(need=OuterRef("pk"), action__in=actions))
    by_proposal = Exists(Need.proposals.through.objects.filter(need=OuterRef("pk"), proposal__state__in=proposals))
    return Q(by_action) | Q(by_proposal)


def _told(by_place: Sequence[int], *, exactly: bool) -> int | None:
    withheld = sum(people for people in by_place if suppressed(people))
    return sum(by_place) if exactly or not (suppressed(sum(by_place)) or suppressed(withheld)) else None


__all__ = [
    "AREA_KINDS", "AREA_VERDICTS", "AreaRow", "AreaVerdict", "ChangeRow", "Changed", "Done", "Estimate", "IndicatorRow", "OverallRow",
    "PartSums", "ValueRow", "Verdict", "area_verdict", "changed_in", "done_counted", "done_kept", "family_path", "good_or_bad",
    "indicator_rows", "may_measure",
]  # fmt: skip

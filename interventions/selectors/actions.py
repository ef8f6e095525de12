"""Who does what, where and when: actions as rows, gaps between needs and answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

import numpy as np
import shapely
from django.contrib.gis.db.models.functions import AsWKB
from django.db.models import (
    Case,
    Count,
    IntegerField,
    Max,
    Min,
    OuterRef,
    PositiveSmallIntegerField,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)

from analysis.disclosure import is_insider
from geo.errors import NotFound
from geo.models import Place
from geo.querysets import User
from interventions.core.gaps import Gaps, Needs, gaps
from interventions.core.transitions import RUNNING_ACTIONS, ActionState
from interventions.models import PEOPLE_GROUPS, Action, Need, Progress, Sector, in_readers_language
from interventions.querysets import need_stage
from interventions.selectors.rows import NamedRow, named_row

MAX_ACTIONS: Final = 1000
"""Actions that one answer has at most, those that are late first."""


@dataclass(frozen=True, slots=True)
class ActionFilter:
    """Which actions are asked for.

    Attributes
    ----------
    area
        A place with all inside it, instead of the whole city.
    sectors, organisations
        Codes; empty for all.
    states
        Of `ActionState`; empty for all.
    since, until
        Those that run on any day between the two.
    is_late
        Only those that are late.
    """

    area: Place | None = None
    sectors: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    is_late: bool = False


@dataclass(frozen=True, slots=True)
class ActionRow:
    """One action: who does what, where and when, and how far it is.

    Attributes
    ----------
    is_late
        Whether it should be done by now, or begun, and is not.
    done_percent
        As of the last report; 100 once it is done, None where nobody has reported.
    """

    pk: int
    title_fa: str
    title_en: str
    organisation: NamedRow
    organisation_kind: str
    place: NamedRow
    place_path: str
    sector: NamedRow
    approach: str
    state: str
    starts_on: date
    ends_on: date
    started_on: date | None
    done_on: date | None
    budget_irr: Decimal
    spent_irr: Decimal
    people_targeted: int
    people_reached: int
    done_percent: int | None
    is_late: bool
    is_public: bool
    is_running: bool
    geometry: Any

    @property
    def title(self) -> str:
        """The title in the language of the reader, or in the other where it was not written in that."""
        return in_readers_language(self.title_fa, self.title_en)


@dataclass(frozen=True, slots=True)
class ActionMark:
    """One action as a map and a calendar of all of them need it.

    Attributes
    ----------
    lon_lat
        Its own place on the map, in degrees; None where it is for a whole place.
    """

    pk: int
    title_fa: str
    title_en: str
    state: str
    starts_on: date
    ends_on: date
    is_late: bool
    place_path: str
    lon_lat: tuple[float, float] | None

    @property
    def title(self) -> str:
        """The title in the language of the reader, or in the other where it was not written in that."""
        return in_readers_language(self.title_fa, self.title_en)


@dataclass(frozen=True, slots=True, eq=False)
class GapMatrix:
    """Needs of places by sectors, by how far they are answered.

    Attributes
    ----------
    places, sectors
        Of the rows and the columns: those with any need.
    found
        The counts, in the same order.
    """

    places: tuple[NamedRow, ...]
    sectors: tuple[NamedRow, ...]
    found: Gaps


# ---- actions


def action_marks(
    place: Place, user: User, today: date, asked: ActionFilter | None = None, *, limit: int = MAX_ACTIONS
) -> tuple[ActionMark, ...]:
    """Return the actions of a place's subtree that a user may see: late ones first, then what ends first."""
    wanted = asked or ActionFilter()
    found: QuerySet[Any] = _ordered(Action.objects.visible_to(user).within(wanted.area or place), today)
    if wanted.sectors:
        found = found.filter(sector__code__in=wanted.sectors)
    if wanted.organisations:
        found = found.filter(organisation__code__in=wanted.organisations)
    if wanted.states:
        found = found.filter(state__in=wanted.states)
    if wanted.since is not None:
        found = found.filter(ends_on__gte=wanted.since)
    if wanted.until is not None:
        found = found.filter(starts_on__lte=wanted.until)
    if wanted.is_late:
        found = found.filter(lateness=1)
    rows: list[tuple[Any, ...]] = list(found.values_list(*_OF_MARK, AsWKB("geometry"))[:limit])
    return tuple(
        ActionMark(number, fa, en, state, first, last, lateness == 1, path, at)
        for (number, fa, en, state, first, last, lateness, path, _), at in zip(rows, _points(rows), strict=True)
    )


_OF_MARK: Final = ("pk", "title_fa", "title_en", "state", "starts_on", "ends_on", "lateness", "place__path")
"""What is read of hundreds of actions at once, as tuples: to make records of them takes longer than all the rest."""


def _points(rows: Sequence[tuple[Any, ...]]) -> list[tuple[float, float] | None]:
    """Return a point in each geometry that ends a row; None where there is none."""
    shapes = shapely.from_wkb([None if row[-1] is None else bytes(row[-1]) for row in rows])
    points = shapely.point_on_surface(shapes)
    xy = np.stack([shapely.get_x(points), shapely.get_y(points)], axis=1).round(6).tolist() if rows else []
    return [None if row[-1] is None else (x, y) for row, (x, y) in zip(rows, xy, strict=True)]


def action_rows(numbers: Sequence[int], today: date) -> tuple[ActionRow, ...]:
    """Return the rows of actions that `action_marks` found, in this order."""
    found = {one.pk: one for one in with_progress(Action.objects.filter(pk__in=numbers), today)}
    return tuple(action_row(found[number]) for number in numbers if number in found)


@dataclass(frozen=True, slots=True)
class ActionChoices:
    """Of what the actions are that a user may see: what a filter can ask for."""

    places: tuple[NamedRow, ...]
    organisations: tuple[NamedRow, ...]
    sectors: tuple[NamedRow, ...]


def action_choices(place: Place, user: User) -> ActionChoices:
    """Return the places, institutions and sectors that occur among the actions of a place's subtree."""
    names = [f"{one}__{name}" for one in ("place", "organisation", "sector") for name in ("code", "name_fa", "name_en")]
    seen = set(Action.objects.visible_to(user).within(place).order_by().values_list(*names).distinct())
    return ActionChoices(*(tuple(NamedRow(*row) for row in {row[k : k + 3] for row in seen}) for k in (0, 3, 6)))


@dataclass(frozen=True, slots=True)
class RunningSums:
    """How many actions are still to be done, of how many institutions, and how many of them are late."""

    actions: int
    institutions: int
    late: int


def running_sums(place: Place, user: User, today: date) -> RunningSums:
    """Count the actions of a place's subtree that a user may see and that are still to be done."""
    running = Action.objects.visible_to(user).within(place).running().order_by()
    return RunningSums(
        **running.aggregate(
            actions=Count("pk"),
            institutions=Count("organisation", distinct=True),
            late=Count("pk", filter=_late_q(today)),
        )
    )


def _late_q(today: date) -> Q:
    return Q(state__in=RUNNING_ACTIONS, ends_on__lt=today) | Q(state=ActionState.PLANNED, starts_on__lt=today)


def action_get(place: Place, number: int, user: User) -> Action:
    """Return an action of a place's subtree.

    Raises
    ------
    NotFound
        Where there is none, or the user may not see it.
    """
    found: Action | None = (
        Action.objects.visible_to(user)
        .within(place)
        .select_related(
            "organisation__place", "place", "sector", "round", "proposal", "handed_from__organisation", "author"
        )
        .filter(pk=number)
        .first()
    )
    if found is None:
        raise NotFound(
            f"There is no action {number} here, or you may not see it.",
            code="unknown_action",
            where=place.code,
            remedy="Choose one from the list of actions.",
        )
    return found


def _ordered(actions: QuerySet[Action], today: date) -> QuerySet[Any]:
    """Return actions with whether they are late (``lateness`` 1): those first, then what ends first."""
    states = [ActionState.UNDER_WAY, ActionState.SUSPENDED, ActionState.PLANNED, ActionState.DONE]
    annotated: QuerySet[Any] = actions.annotate(
        lateness=Case(When(_late_q(today), then=Value(1)), default=Value(0), output_field=IntegerField()),
        order=Case(
            *(When(state=state, then=Value(k)) for k, state in enumerate(states)),
            default=Value(len(states)),
            output_field=IntegerField(),
        ),
    )
    return annotated.order_by("-lateness", "order", "ends_on", "pk")


def with_progress(actions: QuerySet[Action], today: date) -> QuerySet[Any]:
    """Return actions with what `action_row` reads: the last report, and whether they are late (``lateness`` 1)."""
    last = Progress.objects.filter(action=OuterRef("pk")).order_by("-reported_at", "-pk")
    found: QuerySet[Any] = (
        _ordered(actions, today).select_related("organisation", "place", "sector").defer("text_fa", "text_en")
    )
    told: QuerySet[Any] = found.annotate(
        percent=Subquery(last.values("done_percent")[:1], output_field=PositiveSmallIntegerField())
    )
    return told


def action_row(action: Any) -> ActionRow:
    """Return the row of an action of `with_progress`."""
    is_done = action.state == ActionState.DONE
    return ActionRow(
        pk=action.pk,
        title_fa=action.title_fa,
        title_en=action.title_en,
        organisation=named_row(action.organisation),
        organisation_kind=action.organisation.kind,
        place=named_row(action.place),
        place_path=action.place.path,
        sector=named_row(action.sector),
        approach=action.approach,
        state=action.state,
        starts_on=action.starts_on,
        ends_on=action.ends_on,
        started_on=action.started_on,
        done_on=action.done_on,
        budget_irr=action.budget_irr,
        spent_irr=action.spent_irr,
        people_targeted=action.people_targeted,
        people_reached=action.people_reached,
        done_percent=100 if is_done else action.percent,
        is_late=action.lateness == 1,
        is_public=action.is_public,
        is_running=action.state in RUNNING_ACTIONS,
        geometry=action.geometry,
    )


# ---- gaps


def gap_matrix(place: Place, user: User) -> GapMatrix:
    """Return needs less what is decided and done, of the places inside a place by sectors.

    People with a role in the place are told about its whole subtree; all others about the published places in it, and only what
    public actions and proposals answer. Numbers of people are exact here: pages tell the public no small ones.
    """
    needs = Need.objects.counted()
    if is_insider(user, place):
        needs, told = needs.within(place), None
    else:
        needs, told = needs.filter(place__in=_places_seen(place, user)), Action.objects.visible_to(user)
    rows = list(
        needs.order_by("pk")
        .annotate(stage=need_stage(told))
        .values_list("pk", "place_id", "sector_id", "people_affected", "severity", "stage")
    )
    places = list(Place.objects.filter(pk__in={row[1] for row in rows}).order_by("path"))
    sectors = list(Sector.objects.filter(pk__in={row[2] for row in rows}).order_by("position", "code"))
    place_number = {found.pk: k for k, found in enumerate(places)}
    sector_number = {found.pk: k for k, found in enumerate(sectors)}
    found = gaps(
        Needs(
            place=[place_number[row[1]] for row in rows],
            sector=[sector_number[row[2]] for row in rows],
            people=[row[3] for row in rows],
            severity=[row[4] for row in rows],
        ),
        range(len(rows)),
        [row[5] for row in rows],
        places=len(places),
        sectors=len(sectors),
    )
    return GapMatrix(tuple(map(named_row, places)), tuple(map(named_row, sectors)), found)


def _places_seen(place: Place, user: User) -> list[int]:
    """Return the places inside a place that a user may see: asked once of each, not of each record that lies there."""
    return list(Place.objects.visible_to(user).within(place).order_by().values_list("pk", flat=True))


# ---- presence and people, as humanitarian data exchanges name them


@dataclass(frozen=True, slots=True)
class PresenceRow:
    """An organisation at work in a place and sector, from its first action to its last."""

    place: Place
    organisation: NamedRow
    organisation_kind: str
    sector: NamedRow
    starts_on: date
    ends_on: date
    actions: int


@dataclass(frozen=True, slots=True)
class PeopleRow:
    """People of a place and sector: affected, in need, targeted or reached; ``group`` is empty for all of them.

    Attributes
    ----------
    people, whole
        Of the need or action that concerns most, so that nobody is counted twice; of the group and of all.
    """

    place: Place
    sector: NamedRow
    status: str
    group: str
    people: int
    whole: int
    starts_on: date
    ends_on: date


def presence_rows(place: Place, user: User) -> tuple[PresenceRow, ...]:
    """Return who works where in which sector, as far as the user may see their actions; cancelled ones are no presence."""
    found = (
        Action.objects.visible_to(user)
        .within(place)
        .exclude(state=ActionState.CANCELLED)
        .order_by("place__path", "sector__position", "sector__code", "organisation__code", "pk")
        .values_list(
            "place_id", "organisation__code", "organisation__name_fa", "organisation__name_en", "organisation__kind",
            "sector__code", "sector__name_fa", "sector__name_en", "starts_on", "ends_on", "done_on",
        )
    )  # fmt: skip
    places = Place.objects.in_bulk({row[0] for row in found})
    grouped: dict[tuple[Any, ...], list[tuple[date, date]]] = {}
    for row in found:
        grouped.setdefault(row[:8], []).append((row[8], max(row[8], row[10] or row[9])))
    return tuple(
        PresenceRow(
            place=places[key[0]],
            organisation=NamedRow(key[1], key[2], key[3]),
            organisation_kind=key[4],
            sector=NamedRow(key[5], key[6], key[7]),
            starts_on=min(begin for begin, _ in spans),
            ends_on=max(end for _, end in spans),
            actions=len(spans),
        )
        for key, spans in grouped.items()
    )


def people_rows(place: Place, user: User) -> tuple[PeopleRow, ...]:
    """Return how many people of each place and sector are affected (AFF), in need (INN), targeted (TGT) and reached (REA).

    Affected are those of needs that stand; in need those of needs not met yet; targeted and reached those of actions to be done
    or done. What the user may not see is left out.
    """
    needs = Need.objects.within(place).counted()
    actions = Action.objects.within(place).standing()
    if not is_insider(user, place):
        needs = needs.filter(place__in=_places_seen(place, user))
        actions = actions.visible_to(user)
    met = Action.needs.through.objects.filter(action__in=actions.filter(state=ActionState.DONE)).values("need_id")
    found: list[PeopleRow] = []
    places: dict[int, Place] = {}

    def add(rows: Any, status: str) -> None:
        places.update(Place.objects.in_bulk({row["place_id"] for row in rows} - set(places)))
        for row in rows:
            sector = NamedRow(row["sector__code"], row["sector__name_fa"], row["sector__name_en"])
            for group in ("", *PEOPLE_GROUPS):
                people = row.get(group or "all")
                if people:
                    found.append(
                        PeopleRow(
                            places[row["place_id"]],
                            sector,
                            status,
                            group,
                            people,
                            row["all"],
                            row["first"],
                            row["last"],
                        )
                    )

    keys = ("place_id", "sector__code", "sector__name_fa", "sector__name_en")
    groups = {group: Max(f"{group}_affected") for group in PEOPLE_GROUPS}
    of_needs = {
        "all": Max("people_affected"), **groups, "first": Min("reported_at__date"), "last": Max("reported_at__date"),
    }  # fmt: skip
    for status, chosen in (("AFF", needs), ("INN", needs.exclude(pk__in=met))):
        add(list(chosen.order_by().values(*keys).annotate(**of_needs)), status)
    for status, field in (("TGT", "people_targeted"), ("REA", "people_reached")):
        of_actions = {"all": Max(field), "first": Min("starts_on"), "last": Max("ends_on")}
        add(list(actions.order_by().values(*keys).annotate(**of_actions)), status)
    order = {"AFF": 0, "INN": 1, "TGT": 2, "REA": 3}
    return tuple(sorted(found, key=lambda row: (row.place.path, row.sector.code, order[row.status], row.group)))

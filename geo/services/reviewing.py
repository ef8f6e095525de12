"""Deciding change sets: proposed, then approved by a second person, returned with a comment, or withdrawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import shapely
from django.contrib.postgres.fields import DateRangeField
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import F, Func, Q, Value
from django.utils import timezone

from geo.db.shapes import to_shapely
from geo.errors import Conflict, Forbidden, InvalidInput
from geo.models import Boundary, Change, ChangeSet, Place, Review
from geo.querysets import is_administrator
from geo.selectors.partitions import lasting_shapes, near_shapes
from geo.services.edits import StaleEdit, TopologyRefused, text_checked
from geo.services.findings import REFUSED_KINDS, findings_of
from geo.services.requirements import conflict_of
from geo.services.retrying import in_one_transaction
from geo.services.rights import deciding_required, editing_required

_Status = ChangeSet.Status
_Action = Review.Action

_FROM: Final[Mapping[str, tuple[str, ...]]] = {
    _Action.PROPOSED: (_Status.DRAFT, _Status.RETURNED),
    _Action.APPROVED: (_Status.PROPOSED,),
    _Action.RETURNED: (_Status.PROPOSED,),
    _Action.WITHDRAWN: (_Status.DRAFT, _Status.PROPOSED, _Status.RETURNED),
}
"""From which statuses each step may be taken."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A change set whose row, and the rows of whose places, nobody else can write to now."""

    change_set: ChangeSet
    changes: tuple[Change, ...]
    user: Any

    @property
    def places(self) -> list[Place]:
        """The places touched."""
        return [change.place for change in self.changes]

    @property
    def standing_places(self) -> list[Place]:
        """The places touched, without new ones that come from others: who may decide on those may decide on these."""
        descended = set(self.change_set.descents.values_list("successor", flat=True))
        return [
            change.place
            for change in self.changes
            if not (change.base_id is None and not change.place.is_published and change.place_id in descended)
        ]


@in_one_transaction
def change_set_propose(change_set: ChangeSet, user: Any, version: int, comment: str = "") -> ChangeSet:
    """Ask for a decision on a change set.

    Raises
    ------
    Forbidden
        Where a place is not the user's to edit.
    StaleEdit
        Where the set has been saved since, or an edition it is based on replaced.
    Conflict
        Where it is not a draft.
    """
    held = _held(change_set, user, version, _Action.PROPOSED)
    editing_required(held.standing_places, user)
    _bases_required(held)
    _editions_put(held, Boundary.Status.DRAFT, Boundary.Status.PROPOSED)
    return _done(held, _Action.PROPOSED, _Status.PROPOSED, comment)


@in_one_transaction
def change_set_return(change_set: ChangeSet, user: Any, version: int, comment: str = "") -> ChangeSet:
    """Give a proposed change set back to its author, saying why.

    Raises
    ------
    InvalidInput
        Where nothing is said.
    Forbidden, StaleEdit, Conflict
        As for `change_set_approve`.
    """
    held = _held(change_set, user, version, _Action.RETURNED)
    deciding_required(held.standing_places, user)
    if not comment.strip():
        raise InvalidInput(
            "A change set is returned with a comment.",
            code="no_comment",
            where="comment",
            remedy="Say what is to be changed.",
        )
    _editions_put(held, Boundary.Status.PROPOSED, Boundary.Status.DRAFT)
    return _done(held, _Action.RETURNED, _Status.RETURNED, comment, is_decision=True)


@in_one_transaction
def change_set_withdraw(change_set: ChangeSet, user: Any, version: int, comment: str = "") -> ChangeSet:
    """Give a change set up; its draft editions are kept as withdrawn.

    Raises
    ------
    Forbidden
        Where the user neither made it nor may edit all places it touches.
    StaleEdit, Conflict
        As for `change_set_propose`.
    """
    held = _held(change_set, user, version, _Action.WITHDRAWN)
    editing_required(held.standing_places, user)
    for status in (Boundary.Status.DRAFT, Boundary.Status.PROPOSED):
        _editions_put(held, status, Boundary.Status.WITHDRAWN)
    return _done(held, _Action.WITHDRAWN, _Status.WITHDRAWN, comment)


@in_one_transaction
def change_set_approve(
    change_set: ChangeSet, user: Any, version: int, comment: str = "", *, acknowledged: Sequence[str] = ()
) -> ChangeSet:
    """Put all editions of a change set in force on its day, at once.

    Parameters
    ----------
    change_set : ChangeSet
        Proposed.
    user : user
        Planner, supervisor or administrator of every place touched, and nobody who drew it.
    version : int
        The version the user looked at.
    comment : str
        What is said about it.
    acknowledged : sequence of str
        Keys of gaps and overlaps that are meant, besides those the author named.

    Raises
    ------
    Forbidden
        Where the user drew it, or may not decide on all places touched.
    StaleEdit
        Where the set, or an edition it is based on, has been replaced since.
    TopologyRefused
        Where it would open gaps or overlaps that are not acknowledged.
    Conflict
        Where it is not proposed, or somebody else approved the same at this moment.
    """
    # Approvals of one city follow each other: two that are sound by themselves can clash where their places meet.
    held = _held(change_set, user, version, _Action.APPROVED, is_city_locked=True)
    drawn_by = set(
        held.change_set.reviews.filter(action__in=(_Action.SAVED, _Action.RESTORED)).values_list("author", flat=True)
    )
    if user.pk in drawn_by | {held.change_set.author_id}:
        raise Forbidden(
            "A change set is approved by a second person, and you drew this one.",
            code="own_change_set",
            where=f"change set {held.change_set.pk}",
            remedy="Ask a colleague with the right.",
        )
    deciding_required(held.standing_places, user)
    bases = _bases_required(held)
    day = _day_of(held, bases)
    known = sorted({*held.change_set.acknowledged, *acknowledged})
    _topology_required(held, bases, day, known)

    ending = [base.pk for base in bases.values()]
    replaced = Boundary.objects.filter(pk__in=ending)
    replaced.filter(valid__startswith__gte=day).update(status=Boundary.Status.WITHDRAWN)
    replaced.filter(Q(valid__startswith__lt=day) | Q(valid__lower_inf=True)).update(
        valid=Func(F("valid__startswith"), Value(day), function="daterange", output_field=DateRangeField())
    )
    held.change_set.boundaries.filter(status=Boundary.Status.PROPOSED).update(
        status=Boundary.Status.APPROVED, valid=DateRange(day, None)
    )
    _places_put(held)
    held.change_set.valid_from = day
    held.change_set.acknowledged = known
    return _done(held, _Action.APPROVED, _Status.APPROVED, comment, is_decision=True)


# ---------------------------------------------------------------- what must hold


def _held(change_set: ChangeSet, user: Any, version: int, action: _Action, *, is_city_locked: bool = False) -> _Held:
    """Lock the set, its city where asked, then its places in the order of their numbers; always in this order."""
    if not getattr(user, "pk", None):
        raise Forbidden("Change sets are decided by people with an account.", code="no_account", remedy="Sign in.")
    stored = ChangeSet.objects.select_for_update(no_key=True).get(pk=change_set.pk)
    if is_city_locked:
        stored.place = Place.objects.select_for_update(no_key=True).get(pk=stored.place_id)
    if stored.version != version:
        raise StaleEdit(
            f"The change set is at version {stored.version}, not {version}.",
            code="stale_version",
            where=f"change set {stored.pk}",
            remedy="Look at what was changed, and decide again.",
        )
    if stored.status not in _FROM[action]:
        raise Conflict(
            f"The change set is {stored.status}; it cannot be {action}.",
            code="wrong_status",
            where=f"change set {stored.pk}",
            remedy="Look at what was decided.",
        )
    touched = Change.objects.filter(change_set=stored).order_by().values("place")
    locked = Place.objects.filter(pk__in=touched).order_by("pk").select_for_update(no_key=True)
    places = {place.pk: place for place in locked}
    changes = tuple(stored.changes.select_related("base", "boundary").order_by("place"))
    for change in changes:
        change.place = places[change.place_id]
    return _Held(stored, changes, user)


def _bases_required(held: _Held) -> dict[str, Boundary]:
    """Return the editions in force of the places touched, by code; refuse where one is not the base any more."""
    lasting = lasting_shapes(held.places)
    conflicts = {
        change.place.code: conflict_of(
            to_shapely(change.boundary.geometry) if change.boundary else None, lasting.get(change.place_id), change.base
        )
        for change in held.changes
        if change.base_id != (lasting[change.place_id].pk if change.place_id in lasting else None)
    }
    if conflicts:
        raise StaleEdit(
            f"The boundary of {', '.join(sorted(conflicts))} has been replaced since it was drawn on.",
            conflicts=conflicts,
            where=f"place {min(conflicts)}",
            remedy="Return the change set; its author can then choose mine, theirs, or what does not clash of each.",
        )
    return {change.place.code: lasting[change.place_id] for change in held.changes if change.place_id in lasting}


def _day_of(held: _Held, bases: Mapping[str, Boundary]) -> date:
    """Return the day the set takes effect: its own, else today, or the day the last edition it replaces begins."""
    begins: dict[str, date] = {code: base.valid.lower for code, base in bases.items() if base.valid.lower is not None}
    day: date | None = held.change_set.valid_from
    if day is None:
        return max([timezone.localdate(), *begins.values()])
    late = sorted(code for code, begin in begins.items() if begin > day)
    if late:
        raise InvalidInput(
            f"The boundary of {late[0]} that is to be replaced begins on {begins[late[0]]}, after {day}.",
            code="too_early",
            where=f"place {late[0]}",
            remedy="Return the change set, and let it take effect on that day or later.",
        )
    return day


def _topology_required(held: _Held, bases: Mapping[str, Boundary], day: date, acknowledged: Sequence[str]) -> None:
    """Refuse gaps and overlaps that the set would open on its day, or on a later one when neighbours change.

    An overlap counts as acknowledged only by who may decide on all places that overlap.
    """
    drawn = [change for change in held.changes if change.place.kind == Place.Kind.NEIGHBOURHOOD]
    if not drawn:
        return
    before = {c.place.code: to_shapely(bases[c.place.code].geometry) for c in drawn if c.place.code in bases}
    after = {c.place.code: to_shapely(c.boundary.geometry) for c in drawn if c.boundary}
    around: list[shapely.Geometry] = [*before.values(), *after.values()]
    city, touched = held.change_set.place, [place.pk for place in held.places]
    for moment in _moments(city, day):
        near = near_shapes(city, around, leaving_out=touched, day=moment)
        found = findings_of(
            before=near | before,
            after=near | after,
            changed={change.place.code for change in drawn},
            acknowledged=acknowledged,
        )
        opened = [row for row in found if row["is_new"] and row["kind"] in REFUSED_KINDS]
        refused = [row for row in opened if not (row["is_acknowledged"] and _may_acknowledge(held, row))]
        if refused:
            worst = max(refused, key=lambda row: row["area_m2"])
            raise TopologyRefused(
                f"{len(refused)} new gaps or overlaps would be open; the largest has {worst['area_m2']:,.0f} m².",
                findings=refused,
                where=f"{worst['kind']} at {worst['lon']:.6f}, {worst['lat']:.6f}",
                remedy="Return it to be mended, or acknowledge each that is meant.",
            )


def _moments(city: Place, day: date) -> list[date]:
    """Return the day and those after it on which the city's neighbourhoods change; almost always the day alone."""
    later = (
        Boundary.objects.approved()
        .filter(
            place__path__startswith=city.path + "/",
            place__kind=Place.Kind.NEIGHBOURHOOD,
            valid__overlap=DateRange(day, None),
        )
        .order_by()
        .values_list("valid__startswith", "valid__endswith")
        .distinct()
    )
    return sorted({day, *(moment for pair in later for moment in pair if moment is not None and moment > day)})


def _may_acknowledge(held: _Held, finding: Mapping[str, Any]) -> bool:
    if not finding["is_overlap"] or is_administrator(held.user):
        return True
    places = Place.objects.within(held.change_set.place).filter(code__in=finding["codes"])
    foreign = places.exclude(pk__in=[place.pk for place in held.places])
    return foreign.count() == foreign.approvable_by(held.user).count()


# ---------------------------------------------------------------- what is written


def _editions_put(held: _Held, old: str, new: str) -> None:
    held.change_set.boundaries.filter(status=old).update(status=new)


def _places_put(held: _Held) -> None:
    """Rename what is renamed, and publish new places where all they come from is published."""
    froms: dict[int, list[Place]] = {}
    for descent in held.change_set.descents.select_related("predecessor"):
        if descent.successor_id is not None:
            froms.setdefault(descent.successor_id, []).append(descent.predecessor)
    for change in held.changes:
        place = change.place
        was = (place.is_published, place.name_fa, place.name_en)
        if change.base_id is None:
            above = [p for p in froms.get(place.pk, []) if p.pk != place.pk] or [held.change_set.place]
            place.is_published = place.is_published or all(p.is_published for p in above)
        place.name_fa, place.name_en = change.name_fa or place.name_fa, change.name_en or place.name_en
        if was != (place.is_published, place.name_fa, place.name_en):
            place.save()


def _done(held: _Held, action: _Action, status: _Status, comment: str, *, is_decision: bool = False) -> ChangeSet:
    """Write the step into the set and its history."""
    change_set = held.change_set
    change_set.status = status
    change_set.version += 1
    if is_decision:
        change_set.reviewer, change_set.reviewed_at = held.user, timezone.now()
    change_set.save()
    Review.objects.create(
        change_set=change_set,
        author=held.user,
        action=action,
        comment=text_checked(comment, "comment"),
        version=change_set.version,
    )
    return change_set

"""Bringing back what was: an old edition of a place, or all that a change set has replaced; as a new draft."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

from geo.db.shapes import to_shapely
from geo.errors import Conflict, InvalidInput, NotFound
from geo.models import Boundary, Change, ChangeSet, Descent, Place
from geo.selectors.partitions import lasting_shapes
from geo.services.ancestry import PeopleOf
from geo.services.change_sets import change_set_save
from geo.services.edits import Edit, Saved


def boundary_restore(boundary: Boundary, user: Any, *, people_of: PeopleOf | None = None) -> Saved:
    """Draft a new edition of a place equal to an old one; it takes effect when somebody else approves it.

    Neighbours stay as they are: where they have moved since, the findings say so.

    Raises
    ------
    NotFound
        Where the user may not see the edition.
    InvalidInput
        Where it is like the one in force.
    Forbidden, Conflict
        As for `change_set_save`.
    """
    found: Boundary | None = Boundary.objects.visible_to(user).select_related("place").filter(pk=boundary.pk).first()
    if found is None:
        raise NotFound(
            "There is no such edition.", where=f"edition {boundary.pk}", remedy="Look in the history of the place."
        )
    base = lasting_shapes([found.place]).get(found.place_id)
    return change_set_save(
        city=city_of(found.place),
        user=user,
        edits=[_edit_back(found.place, found, base)],
        title=f"{found.place.code} v{found.version}",
        people_of=people_of,
        is_restored=True,
    )


def change_set_restore(
    change_set: ChangeSet,
    user: Any,
    *,
    title: str = "",
    comment: str = "",
    valid_from: date | None = None,
    people_of: PeopleOf | None = None,
) -> Saved:
    """Draft the undoing of an approved change set; it takes effect when somebody else approves it.

    Every place that it touched gets the boundary back that it had before: places that it made end, and places that it
    ended come back. Where a place has been changed again since, that is undone too, and ``overtaken`` names it. Names
    stay as they are: they belong to the place and not to an edition.

    Parameters
    ----------
    change_set : ChangeSet
        Approved.
    user : user
        Who must hold a role of planner or administrator over every place touched.
    title, comment : str
        Of the new change set.
    valid_from : date, optional
        The day it is to take effect; the day of its approval if None.
    people_of : callable, optional
        Counts people.

    Raises
    ------
    NotFound
        Where the user may not see the change set.
    Conflict
        Where it was never approved.
    InvalidInput
        Where all of it has been undone already.
    Forbidden, StaleEdit
        As for `change_set_save`.
    """
    found: ChangeSet | None = (
        ChangeSet.objects.visible_to(user).select_related("place").filter(pk=change_set.pk).first()
    )
    if found is None:
        raise NotFound("There is no such change set.", where=f"change set {change_set.pk}", remedy="Look in the list.")
    if found.status != ChangeSet.Status.APPROVED:
        raise Conflict(
            f"The change set is {found.status}; only what was approved can be undone.",
            code="not_approved",
            where=f"change set {found.pk}",
            remedy="Withdraw it instead, where it is still open.",
            details={"status": found.status, "number": found.pk},
        )
    # Of all places, whoever may see them: who may not edit one of them is refused when it is saved.
    changes = list(Change.objects.filter(change_set=found).select_related("place", "base", "boundary"))
    lasting = lasting_shapes([change.place for change in changes])
    froms = _ground_back(found.descents.select_related("predecessor", "successor"))
    edits = [
        replace(_edit_back(change.place, change.base, now), from_codes=tuple(sorted(froms.get(change.place.code, ()))))
        for change in changes
        for now in [lasting.get(change.place_id)]
        if change.base is not None or now is not None
    ]
    try:
        saved = change_set_save(
            city=found.place,
            user=user,
            edits=edits,
            title=(title or f"↶ {found.title or f'#{found.pk}'}")[:200],
            comment=comment,
            valid_from=valid_from,
            people_of=people_of,
            is_restored=True,
        )
    except InvalidInput as error:
        if error.code != "no_edits":
            raise
        raise InvalidInput(
            "All of the change set has been undone already.",
            code="nothing_to_undo",
            where=f"change set {found.pk}",
            remedy="Look at the history of its places.",
            details={"number": found.pk},
        ) from error
    overtaken = sorted(change.place.code for change in changes if _is_overtaken(change, lasting.get(change.place_id)))
    return replace(saved, overtaken=tuple(overtaken))


def _edit_back(place: Place, old: Boundary | None, now: Boundary | None) -> Edit:
    """Return the edit that gives a place an old edition again, in place of the one in force; None ends it."""
    if old is None:
        return Edit(code=place.code, base_edition_id=now.pk if now else None, geometry=None)
    return Edit(
        code=place.code,
        base_edition_id=now.pk if now else None,
        geometry=to_shapely(old.geometry),
        source=old.source,
        source_fa=old.source_fa,
        certainty=old.certainty,
        disputed=to_shapely(old.disputed) if old.disputed else None,
        is_revival=now is None,
    )


def _ground_back(descents: Iterable[Descent]) -> dict[str, set[str]]:
    """Return, by place before, the places that its ground comes back from."""
    froms: dict[str, set[str]] = {}
    for descent in descents:
        if descent.successor is not None and descent.successor_id != descent.predecessor_id:
            froms.setdefault(descent.predecessor.code, set()).add(descent.successor.code)
    return froms


def _is_overtaken(change: Change, now: Boundary | None) -> bool:
    return (now.pk if now else None) != change.boundary_id


def city_of(place: Place) -> Place:
    """Return the city that a place lies in.

    Raises
    ------
    InvalidInput
        Where it lies in none.
    """
    parts = place.path.split("/")
    above = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    city: Place | None = Place.objects.filter(kind=Place.Kind.CITY, path__in=above).first()
    if city is None:
        raise InvalidInput("The place lies in no city.", code="no_city", where=f"place {place.path}")
    return city

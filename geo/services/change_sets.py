"""Saving change sets: all edits of a set are stored as draft editions, or none is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import shapely

from geo.db.shapes import to_shapely
from geo.errors import InvalidInput
from geo.models import Change, ChangeSet, Place, Review
from geo.selectors.partitions import near_shapes
from geo.services.ancestry import Ancestry, PeopleOf, ancestry_of
from geo.services.drafts import changes_put, descents_put, places_made
from geo.services.edits import Edit, Saved, edits_checked, text_checked
from geo.services.findings import findings_of
from geo.services.requirements import (
    Standing,
    bases_required,
    changing,
    kind_of,
    rights_required,
    standing_of,
    version_required,
)
from geo.services.retrying import in_one_transaction
from geo.services.snapping import snapped


@in_one_transaction
def change_set_save(
    *,
    city: Place,
    user: Any,
    edits: Sequence[Edit],
    title: str = "",
    comment: str = "",
    valid_from: date | None = None,
    change_set: ChangeSet | None = None,
    version: int | None = None,
    acknowledged: Sequence[str] = (),
    people_of: PeopleOf | None = None,
    repair: bool = False,
    is_restored: bool = False,
) -> Saved:
    """Store edits of a city's boundaries as draft editions, all or none.

    Parameters
    ----------
    city : Place
        The city.
    user : user
        Who draws; must hold a role of planner or administrator over every place touched.
    edits : sequence of Edit
        The whole change set: what an earlier save held and this one lacks is dropped from it. An edit that changes
        nothing of the edition it is based on is passed over.
    title, comment : str
        What it is about.
    valid_from : date, optional
        The day it is to take effect; the day of its approval if None.
    change_set, version : ChangeSet and int, optional
        The set saved again and the version it was opened with. The object is brought up to date.
    acknowledged : sequence of str
        Keys of findings that are meant as they are.
    people_of : callable, optional
        Gives the people inside each of an array of geometries in EPSG:4326; without it, people are left unsaid.
    repair : bool
        Mend geometries that are not valid, and say so in ``notes``; otherwise they are refused.
    is_restored : bool
        The geometries are stored editions: not moved onto their neighbours' edges.

    Raises
    ------
    Forbidden
        Where a place touched is not the user's to edit.
    StaleEdit
        Where an edition, or the change set, has been replaced since; with mine, theirs and ancestor.
    GeometryError, LimitExceeded, InvalidInput
        Where an edit cannot be stored as it is.
    CodeTaken
        Where a new place has the code of another one; it names one that is free.
    Conflict
        Where the set is no longer a draft.
    """
    title, comment = text_checked(title, "title", 200), text_checked(comment, "comment")
    checked, notes = edits_checked(edits, repair=repair)
    standing = standing_of(city, user, checked, change_set)
    checked = changing(checked, standing)
    rights_required(city, checked, standing, user)
    if change_set is not None:
        version_required(change_set, version, checked, standing)
    bases_required(city, checked, standing)
    _day_required(valid_from, checked, standing)

    drawing = _drawing_of(city, checked, standing, acknowledged, people_of, is_snapped=not is_restored)
    saved = _change_set_put(
        change_set or ChangeSet(place=city, author=user),
        title=title,
        comment=comment,
        valid_from=valid_from,
        findings=drawing.findings,
        acknowledged=sorted({text_checked(key, "acknowledged", 500) for key in acknowledged}),
    )
    places_made(city, drawing.edits, standing)
    changes_put(saved, drawing.edits, standing, drawing.ancestry, user)
    descents_put(saved, standing, drawing.ancestry)
    action = Review.Action.RESTORED if is_restored else Review.Action.SAVED
    Review.objects.create(change_set=saved, author=user, action=action, comment=comment, version=saved.version)
    return Saved(
        change_set=saved,
        findings=tuple(drawing.findings),
        notes=notes,
        moved_m=drawing.moved_m,
        contested=_contested(saved, [standing.places[edit.code] for edit in drawing.edits]),
    )


@dataclass(frozen=True, slots=True)
class _Drawing:
    """Edits as they are stored, and what follows from them."""

    edits: list[Edit]
    moved_m: float
    findings: list[dict[str, Any]]
    ancestry: Ancestry


def _drawing_of(
    city: Place,
    edits: list[Edit],
    standing: Standing,
    acknowledged: Sequence[str],
    people_of: PeopleOf | None,
    *,
    is_snapped: bool,
) -> _Drawing:
    """Snap edits to their neighbours, check how they meet, and compare with what is in force."""
    before = {e.code: to_shapely(standing.bases[e.code].geometry) for e in edits if e.code in standing.bases}
    drawn = [edit.geometry for edit in edits if edit.geometry is not None]
    touched = [standing.places[edit.code].pk for edit in edits if edit.code in standing.places]
    near = near_shapes(city, [*before.values(), *drawn], leaving_out=touched)
    kinds = {edit.code: kind_of(edit, standing) for edit in edits}
    tiles = {code for code, kind in kinds.items() if kind == Place.Kind.NEIGHBOURHOOD}
    moved_m = 0.0
    if is_snapped:
        edits, moved_m = snapped(edits, near, free=set(kinds) - tiles)
    findings = findings_of(
        before=near | _among(tiles, before),
        after=near | _among(tiles, {e.code: e.geometry for e in edits if e.geometry is not None}),
        changed=tiles,
        acknowledged=acknowledged,
    )
    return _Drawing(edits, moved_m, findings, ancestry_of(edits, before, kinds, people_of))


def _among(codes: set[str], shapes: Mapping[str, shapely.Geometry]) -> dict[str, shapely.Geometry]:
    return {code: shape for code, shape in shapes.items() if code in codes}


def _day_required(valid_from: date | None, edits: Sequence[Edit], standing: Standing) -> None:
    for edit in edits:
        base = standing.bases.get(edit.code)
        if valid_from and base and base.valid.lower and base.valid.lower > valid_from:
            raise InvalidInput(
                f"The boundary that is to be replaced begins on {base.valid.lower}, after {valid_from}.",
                code="too_early",
                where=f"place {edit.code}, valid_from",
                remedy="Let the change take effect on that day or later.",
            )


def _change_set_put(change_set: ChangeSet, **values: Any) -> ChangeSet:
    """Make a set, or bring one up to date: a draft again, one version on, without its old changes."""
    for name, value in values.items():
        setattr(change_set, name, value)
    change_set.status = ChangeSet.Status.DRAFT
    if change_set.pk:
        change_set.version += 1
        change_set.changes.all().delete()
        change_set.descents.all().delete()
    change_set.save()
    return change_set


def _contested(change_set: ChangeSet, places: Sequence[Place]) -> tuple[str, ...]:
    others = (
        Change.objects.filter(place__in=[place.pk for place in places], change_set__in=ChangeSet.objects.open())
        .exclude(change_set=change_set)
        .order_by("place__code")
    )
    return tuple(others.values_list("place__code", flat=True).distinct())


__all__ = ["change_set_save"]

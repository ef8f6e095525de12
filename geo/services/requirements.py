"""What must hold before a change set is saved: the set is a draft, the places are the user's, the bases are in force."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import shapely
from django.db.models import Q

from geo.core.codes import free_code
from geo.db.shapes import to_geos, to_shapely
from geo.errors import Conflict, Forbidden, InvalidInput
from geo.models import Boundary, Change, ChangeSet, Place
from geo.selectors.partitions import EDITED_KINDS, codes_taken
from geo.services.edits import CodeTaken, Edit, StaleEdit
from geo.services.rights import editing_required

_SAVED_AGAIN: Final = (ChangeSet.Status.DRAFT, ChangeSet.Status.RETURNED)

_SAME_DEGREES: Final = 2e-7
"""Vertices put into an edge bend it by a rounding; a boundary that only got some is the same boundary."""


@dataclass(slots=True)
class Standing:
    """What stands where a change set is to be saved; rows of places are locked.

    Attributes
    ----------
    places : dict of str to Place
        By code: those that edits name, also as predecessors, and those the set held.
    held : dict of str to Change
        By code: what the set holds so far.
    bases : dict of str to Boundary
        By code: the editions in force, on which new ones must be based.
    opened : dict of int to Boundary
        By number: the editions that edits say they are based on.
    """

    places: dict[str, Place]
    held: dict[str, Change]
    bases: dict[str, Boundary] = field(default_factory=dict)
    opened: dict[int, Boundary] = field(default_factory=dict)


def standing_of(city: Place, user: Any, edits: Sequence[Edit], change_set: ChangeSet | None) -> Standing:
    """Lock the set and then the places, in the order of their numbers, and read the editions in question.

    Raises
    ------
    Forbidden
        Where nobody is signed in.
    Conflict
        Where the set is no longer a draft.
    InvalidInput
        Where a place named is none that is drawn.
    """
    if not getattr(user, "pk", None):
        raise Forbidden("Boundaries are drawn by people with an account.", code="no_account", remedy="Sign in.")
    held = _held(change_set, city) if change_set is not None else {}
    codes = {code for edit in edits for code in (edit.code, *edit.from_codes)} | set(held)
    standing = Standing(_places_locked(city, codes), held)
    asked = {edit.base_edition_id for edit in edits if edit.base_edition_id is not None}
    by_number = {place.pk: place for place in standing.places.values()}
    editions = Boundary.objects.filter(
        Q(status="approved", valid__upper_inf=True) | Q(pk__in=asked), place__in=list(by_number)
    )
    for edition in editions.order_by("valid"):
        edition.place = by_number[edition.place_id]
        if edition.status == Boundary.Status.APPROVED and edition.valid.upper is None:
            standing.bases[edition.place.code] = edition
        if edition.pk in asked:
            standing.opened[edition.pk] = edition
    return standing


def _held(change_set: ChangeSet, city: Place) -> dict[str, Change]:
    """Lock a set that is saved again, bring the object up to date, and return what it holds, by code."""
    stored = ChangeSet.objects.select_for_update(no_key=True).get(pk=change_set.pk)
    if stored.place_id != city.pk:
        raise InvalidInput("The change set belongs to another city.", where=f"change set {stored.pk}")
    if stored.status not in _SAVED_AGAIN:
        raise Conflict(
            f"The change set is {stored.status}, and can no longer be changed.",
            code="not_a_draft",
            where=f"change set {stored.pk}",
            remedy="Return or withdraw it first, or begin a new one.",
        )
    for name in ("version", "status", "author_id", "created_at"):
        setattr(change_set, name, getattr(stored, name))
    return {change.place.code: change for change in stored.changes.select_related("place", "boundary")}


def _places_locked(city: Place, codes: set[str]) -> dict[str, Place]:
    rows = (
        Place.objects.within(city)
        .exclude(pk=city.pk)
        .filter(code__in=codes)
        .order_by("pk")
        .select_for_update(no_key=True, of=("self",))
        .select_related("parent")
    )
    places: dict[str, Place] = {}
    for place in rows:
        if place.kind not in EDITED_KINDS or place.code in places:
            raise InvalidInput(
                "Only neighbourhoods and settlements are drawn here, each with a code of its own.",
                code="not_drawn_here",
                where=f"place {place.code}",
                remedy="Choose another code, or import the boundary.",
            )
        places[place.code] = place
    return places


def changing(edits: Iterable[Edit], standing: Standing) -> list[Edit]:
    """Return the edits that change something of what they are based on.

    Raises
    ------
    InvalidInput
        Where none does.
    """
    kept = [edit for edit in edits if _changes_something(edit, standing)]
    if not kept:
        raise InvalidInput("The change set changes nothing.", code="no_edits", remedy="Change a place first.")
    return kept


def _changes_something(edit: Edit, standing: Standing) -> bool:
    place = standing.places.get(edit.code)
    base = standing.opened.get(edit.base_edition_id) if edit.base_edition_id is not None else None
    if place is None or base is None or base.place_id != place.pk or edit.geometry is None:
        return True
    said = (
        (edit.name_fa, place.name_fa),
        (edit.name_en, place.name_en),
        (edit.certainty, base.certainty),
    )
    if any(new and new != old for new, old in said) or not is_source_of(edit, base):
        return True
    old_lines = to_shapely(base.disputed) if base.disputed else None
    if not (edit.disputed is None or (old_lines is not None and shapely.equals(edit.disputed, old_lines))):
        return True
    return not is_same_shape(edit.geometry, to_shapely(base.geometry))


def is_source_of(edit: Edit, edition: Boundary) -> bool:
    """Tell whether an edit leaves the source as an edition says it, in whichever language it was read."""
    return edit.source in ("", edition.source, edition.source_fa)


def is_same_shape(a: shapely.Geometry, b: shapely.Geometry) -> bool:
    """Tell whether two polygons are the same but for vertices on their straight edges.

    Examples
    --------
    >>> from geo.core.snapping import nodes_inserted
    >>> square = shapely.box(0, 0, 2, 2)
    >>> is_same_shape(square, nodes_inserted(square, shapely.Point(1, 0)))
    True
    >>> is_same_shape(square, shapely.box(0, 0, 2, 2.001))
    False
    """
    if (abs(shapely.bounds(a) - shapely.bounds(b)) > _SAME_DEGREES).any():
        return False
    if shapely.equals_exact(shapely.normalize(a), shapely.normalize(b)):
        return True
    for one, other in ((shapely.boundary(a), b), (shapely.boundary(b), a)):
        shapely.prepare(one)
        if not shapely.dwithin(one, shapely.points(shapely.get_coordinates(other)), _SAME_DEGREES).all():
            return False
    return True


def rights_required(city: Place, edits: Sequence[Edit], standing: Standing, user: Any) -> None:
    """Refuse who may not edit every place touched, dropped, or taken ground from; of a new place, the one above.

    Raises
    ------
    Forbidden
        With the codes of the places in question.
    InvalidInput
        Where a predecessor is none of the city's places.
    """
    for edit in edits:
        for code in edit.from_codes:
            if code not in standing.places:
                raise InvalidInput(
                    f"{code!r} is no neighbourhood or settlement of {city.code}.",
                    code="unknown_predecessor",
                    where=f"place {edit.code}",
                    remedy="Name places of the city.",
                )
    # Whoever draws a new place under a code that is taken is told that, and not of whose place it is.
    clashing = _clashing(edits, standing)
    made = [edit for edit in edits if edit.code not in standing.places or edit.code in clashing]
    above = [parent_of(edit, city, standing) for edit in made if not edit.from_codes]
    # A new place of this very set is the user's by the places it comes from, which are asked for as well.
    descended = {edit.code for edit in edits if edit.from_codes}
    own = {code for code, change in standing.held.items() if change.base_id is None and not change.place.is_published}
    named = {code for edit in edits for code in (edit.code, *edit.from_codes)} | set(standing.held)
    editing_required(
        [*(standing.places[code] for code in named & set(standing.places) - (own & descended) - clashing), *above], user
    )


def _clashing(edits: Iterable[Edit], standing: Standing) -> set[str]:
    """Return the codes of new places that are those of other places."""
    return {
        edit.code
        for edit in edits
        if edit.base_edition_id is None
        and not edit.is_revival
        and edit.code in standing.places
        and edit.code not in standing.held
        and edit.geometry is not None
    }


def version_required(change_set: ChangeSet, version: int | None, edits: Sequence[Edit], standing: Standing) -> None:
    """Refuse a save of a set that somebody else saved meanwhile.

    Raises
    ------
    InvalidInput
        Where no version is given.
    StaleEdit
        With what they saved.
    """
    if version is None:
        raise InvalidInput(
            "The version that the change set was opened with is missing.",
            code="no_version",
            where=f"change set {change_set.pk}",
            remedy="Send it along.",
        )
    if version == change_set.version:
        return
    mine, held, bases = {edit.code: edit.geometry for edit in edits}, standing.held, standing.bases

    def theirs(code: str) -> Boundary | None:
        return held[code].boundary if code in held else bases.get(code)

    raise StaleEdit(
        f"The change set was saved by somebody else: it is at version {change_set.version}, not {version}.",
        code="stale_version",
        conflicts={
            code: conflict_of(mine.get(code), theirs(code), bases.get(code))
            for code in sorted(set(mine) | set(held))
            if code not in held or code not in mine or not _is_drawn_so(mine[code], theirs(code))
        },
        where=f"change set {change_set.pk}",
    )


def bases_required(city: Place, edits: Sequence[Edit], standing: Standing) -> None:
    """Refuse edits of what has been replaced since; nothing has been written yet.

    Raises
    ------
    StaleEdit
        With mine, theirs and the common ancestor of each place.
    CodeTaken
        Where the code of a new place is that of another one, and the edit does not say that it revives it.
    Conflict
        Where a place is to be revived that somebody else is drawing.
    InvalidInput
        Where a place is to end that has no boundary.
    """
    conflicts: dict[str, dict[str, Any]] = {}
    if clashing := _clashing(edits, standing):
        taken = min(clashing)
        raise CodeTaken(taken, free_code(taken, codes_taken(city)))
    for edit in edits:
        base = standing.bases.get(edit.code)
        if edit.base_edition_id != (base.pk if base else None):
            opened = standing.opened.get(edit.base_edition_id) if edit.base_edition_id is not None else None
            conflicts[edit.code] = conflict_of(edit.geometry, base, opened)
        elif base is None and edit.geometry is None:
            raise InvalidInput("There is no boundary to end.", code="nothing_to_end", where=f"place {edit.code}")
        elif base is None and edit.code in standing.places and edit.code not in standing.held:
            _revival_required(standing.places[edit.code])
    if conflicts:
        raise StaleEdit(
            f"The boundary of {', '.join(sorted(conflicts))} has been replaced since it was opened.",
            conflicts=conflicts,
            where=f"place {min(conflicts)}",
        )


def _revival_required(place: Place) -> None:
    """Refuse the code of a place that somebody else is drawing; one that has ended may be revived."""
    if not Boundary.objects.filter(place=place, status__in=("approved", "withdrawn")).exists():
        raise Conflict(
            "The code belongs to a place that somebody else is drawing.",
            code="code_taken",
            where=f"place {place.code}",
            remedy="Choose another code.",
        )


def conflict_of(mine: shapely.Geometry | None, theirs: Boundary | None, ancestor: Boundary | None) -> dict[str, Any]:
    """Return both sides of a conflict and their common ancestor as GeoJSON."""

    def drawn(geometry: shapely.Geometry | None) -> Any:
        return None if geometry is None else json.loads(shapely.to_geojson(geometry))

    return {
        "mine": drawn(mine),
        "theirs": drawn(to_shapely(theirs.geometry)) if theirs else None,
        "ancestor": drawn(to_shapely(ancestor.geometry)) if ancestor else None,
        "edition": theirs.pk if theirs else None,
        "version": theirs.version if theirs else None,
        "change_set": theirs.change_set_id if theirs else None,
    }


def _is_drawn_so(geometry: shapely.Geometry | None, edition: Boundary | None) -> bool:
    if geometry is None or edition is None:
        return geometry is None and edition is None
    return is_same_shape(geometry, to_shapely(edition.geometry))


def parent_of(edit: Edit, city: Place, standing: Standing) -> Place:
    """Return the place above a new one: that of its first predecessor, else the district it is drawn in, else the city."""
    if edit.from_codes:
        return standing.places[edit.from_codes[0]].parent or city
    if edit.geometry is None:
        return city
    district = (
        Boundary.objects.lasting()
        .filter(
            place__parent=city,
            place__kind=Place.Kind.DISTRICT,
            geometry__contains=to_geos(shapely.point_on_surface(edit.geometry)),
        )
        .select_related("place")
        .first()
    )
    return district.place if district else city


def kind_of(edit: Edit, standing: Standing) -> str:
    """Return the kind of the place: its own, else that asked for, else that of its predecessors."""
    if edit.code in standing.places:
        kind: str = standing.places[edit.code].kind
        return kind
    froms = [standing.places[code].kind for code in edit.from_codes]
    return edit.kind or (froms[0] if froms else Place.Kind.NEIGHBOURHOOD)

"""Rows that a save writes: new places, draft editions, changes, lineage. The caller has checked everything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import Max, ProtectedError
from django.utils import timezone

from geo.db.shapes import to_geos
from geo.errors import InvalidInput
from geo.models import Boundary, Change, ChangeSet, Descent, Place
from geo.services.ancestry import Ancestry
from geo.services.edits import Edit
from geo.services.places import place_checked
from geo.services.requirements import Standing, is_source_of, kind_of, parent_of
from geo.services.rights import roles_inherited

_OF_EDITION: Final = ("geometry", "disputed", "valid", "status", "source", "source_fa", "certainty", "author")


def places_made(city: Place, edits: Sequence[Edit], standing: Standing) -> None:
    """Make the rows of new places, unpublished until the approval, and bring those of drafts up to date.

    Raises
    ------
    InvalidInput
        Where a name or code is missing or malformed.
    """
    made: list[tuple[Place, tuple[str, ...]]] = []
    for edit in edits:
        if edit.code not in standing.places:
            made.append((_new_place(city, edit, standing), edit.from_codes))
        elif edit.code in standing.held and standing.held[edit.code].base_id is None:
            _new_place_renamed(standing.places[edit.code], edit)
    if not made:
        return
    # In one order, so that two people who make the same places wait, and never for each other.
    made.sort(key=lambda pair: pair[0].path)
    Place.objects.bulk_create([place for place, _ in made])
    standing.places |= {place.code: place for place, _ in made}
    roles_inherited(list(standing.places.values()), made)


def _new_place(city: Place, edit: Edit, standing: Standing) -> Place:
    froms = [standing.places[code] for code in edit.from_codes]
    place = Place(
        kind=kind_of(edit, standing),
        code=edit.code,
        parent=parent_of(edit, city, standing),
        name_fa=edit.name_fa,
        name_en=edit.name_en,
        zone=froms[0].zone if froms else "",
        is_published=False,
        is_illustrative=any(p.is_illustrative for p in froms) if froms else city.is_illustrative,
    )
    place.derive()
    place_checked(lambda: place.clean_fields(exclude=["parent"]), place.path)
    place_checked(place.clean, place.path)
    return place


def _new_place_renamed(place: Place, edit: Edit) -> None:
    """Take the names over at once: nobody but those who draw sees a place that is not published."""
    named = (edit.name_fa or place.name_fa, edit.name_en or place.name_en)
    if place.is_published or named == (place.name_fa, place.name_en):
        return
    place.name_fa, place.name_en = named
    place_checked(lambda: place.clean_fields(exclude=["parent"]), place.path)
    place.save()


def changes_put(
    change_set: ChangeSet, edits: Sequence[Edit], standing: Standing, ancestry: Ancestry, user: Any
) -> None:
    """Write a draft edition for every place that stays, a change for every place, and drop what is left over.

    Raises
    ------
    InvalidInput
        Where an edition does not say its source, and nothing it comes from does.
    """
    editions = {e.code: _edition(change_set, e, standing, user) for e in edits if e.geometry is not None}
    kept = [edition for edition in editions.values() if edition.pk is not None]
    fresh = [edition for edition in editions.values() if edition.pk is None]
    if kept:
        Boundary.objects.bulk_update(kept, _OF_EDITION)
    _numbered(fresh)
    Boundary.objects.bulk_create(fresh)
    Change.objects.bulk_create(
        [
            Change(
                change_set=change_set,
                place=standing.places[edit.code],
                base=standing.bases.get(edit.code),
                boundary=editions.get(edit.code),
                name_fa=_renamed(edit.name_fa, standing.places[edit.code].name_fa),
                name_en=_renamed(edit.name_en, standing.places[edit.code].name_en),
                **ancestry.differences.get(edit.code, {}),
            )
            for edit in edits
        ]
    )
    _dropped([change for code, change in standing.held.items() if code not in editions])


def _edition(change_set: ChangeSet, edit: Edit, standing: Standing, user: Any) -> Boundary:
    place, held = standing.places[edit.code], standing.held.get(edit.code)
    edition = held.boundary if held else None
    if edition is None:
        edition = Boundary(place=place, change_set=change_set)
    sources: Mapping[str, Boundary] = standing.bases
    like = sources.get(edit.code) or next((sources[code] for code in edit.from_codes if code in sources), None)
    edition.geometry = to_geos(edit.geometry)
    edition.disputed = to_geos(edit.disputed) if edit.disputed is not None else None
    edition.valid = DateRange(change_set.valid_from or timezone.localdate(), None)
    edition.status, edition.author = Boundary.Status.DRAFT, user
    if like and is_source_of(edit, like):
        edition.source, edition.source_fa = like.source, like.source_fa
    elif not is_source_of(edit, edition) or edit.source_fa:
        edition.source, edition.source_fa = edit.source, edit.source_fa
    edition.certainty = edit.certainty or (like.certainty if like else edition.certainty)
    if not edition.source:
        raise InvalidInput(
            "The boundary does not say where it comes from.",
            code="no_source",
            where=f"place {edit.code}, source",
            remedy="Name the survey, image, document or person.",
        )
    return edition


def _numbered(editions: Sequence[Boundary]) -> None:
    """Number new editions after the last of their places; the rows of the places are locked."""
    found = Boundary.objects.filter(place__in=[edition.place_id for edition in editions]).order_by()
    last = dict(found.values_list("place").annotate(last=Max("version")))
    for edition in editions:
        edition.version = 1 + last.get(edition.place_id, 0)


def _dropped(changes: Sequence[Change]) -> None:
    """Throw away the draft editions that a set holds no longer, and new places that nothing is left of."""
    if not changes:
        return
    gone = [change.boundary_id for change in changes if change.boundary_id]
    Boundary.objects.filter(pk__in=gone, status=Boundary.Status.DRAFT).delete()
    new = [change.place_id for change in changes if change.base_id is None]
    for place in Place.objects.filter(pk__in=new, is_published=False, boundaries=None, changes=None) if new else ():
        # What others have hung on it meanwhile, such as a need, keeps the place; nobody outside sees it.
        with suppress(ProtectedError):
            place.delete()


def descents_put(change_set: ChangeSet, standing: Standing, ancestry: Ancestry) -> None:
    """Write which place comes from which."""
    Descent.objects.bulk_create(
        [
            Descent(
                change_set=change_set,
                kind=row.kind,
                predecessor=standing.places[row.predecessor],
                successor=standing.places[row.successor] if row.successor else None,
                share_of_predecessor=row.share_of_predecessor,
                share_of_successor=row.share_of_successor,
                share_of_people=row.share_of_people,
            )
            for row in ancestry.descents
        ]
    )


def _renamed(new: str, old: str) -> str:
    return new if new and new != old else ""

"""Writes: whatever a client creates, replaces, changes or removes becomes a draft that somebody else has to approve.

Nothing in force changes by a write. So it is answered as the standard answers what is queued (`/req/create-replace-delete/
put-response` C, `delete-response` C): 202, with the draft. A created item, and a draft that is written again, are there at
once: 201 and 200.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

import shapely
from django.utils.translation import gettext as _

from analysis.ground import people_counter
from analysis.selectors import people_reading
from geo.core.text import clean_name
from geo.db.shapes import to_shapely
from geo.errors import Conflict, InvalidInput, NotFound
from geo.models import Boundary, Change, ChangeSet, Place
from geo.querysets import User
from geo.services import Edit, Saved, change_set_save
from maps.ogc.bodies import boundary_of
from maps.ogc.crs import Crs
from maps.ogc.preconditions import Precondition, goes_on, held, saved_by_program, stale
from maps.ogc.queryables import QUERYABLES, READ_ONLY, WRITABLE
from maps.ogc.selectors import editions

_LONGEST: Final = 300
_MEMBERS: Final = frozenset({"type", "id", "geometry", "properties", "links", "bbox", "crs"})
_UPDATED: Final = (ChangeSet.Status.DRAFT, ChangeSet.Status.RETURNED)


@dataclass(frozen=True, slots=True)
class Written:
    """What came of a write.

    Attributes
    ----------
    item : Boundary or None
        The draft, or what was there already if the write changes nothing; None where the place is to end.
    saved : Saved or None
        The change set; None if the write changes nothing.
    is_immediate : bool
        Whether the item itself is now as sent: it is a draft.
    """

    item: Boundary | None
    saved: Saved | None
    is_immediate: bool = False


def create(body: dict[str, Any], crs: Crs, user: User) -> Written:
    """Draft a new place (`/req/create-replace-delete/insert-post-op`).

    Raises
    ------
    InvalidInput
        If the body is no feature that can be stored; `where` names the member.
    NotFound
        If the user sees no such city.
    Forbidden
        If the user may not draw there.
    Conflict
        If the code is taken.
    """
    told = _properties(body)
    geometry = boundary_of(body.get("geometry"), crs)
    for name in ("code", "city", "name_fa", "name_en", "source"):
        if not told.get(name):
            raise InvalidInput(
                f"The property {name!r} is missing.",
                code="missing_property",
                where=f"properties.{name}",
                remedy="A new place needs code, city, name_fa, name_en and source.",
            )
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", told["code"]) or len(told["code"]) > 80:
        raise InvalidInput(
            "The code is not of small Latin letters, digits and single hyphens.",
            code="bad_code",
            where="properties.code",
            remedy="Write a code such as n001.",
        )
    city = _city_get(told["city"], user)
    # Of places that are not the user's to edit nothing is said here: the service refuses them all alike.
    if Place.objects.within(city).editable_by(user).filter(code=told["code"]).exists():
        raise Conflict(
            "A place of this city has the code already.",
            code="code_taken",
            where="properties.code",
            remedy="Choose another code, or replace that place.",
        )
    edit = _edit(told["code"], None, geometry, told)
    saved = _save(city, user, edit)
    return Written(_drafted(saved, told["code"], user), saved, is_immediate=True)


def replace(identifier: str, said: Precondition, body: dict[str, Any], crs: Crs, user: User) -> Written:
    """Draft another edition of a place, or write a draft again (`/req/create-replace-delete/put-op`).

    Parameters
    ----------
    identifier : str
        Which item.
    said : Precondition
        In which state it was read.
    body : dict
        A feature.
    crs : Crs
        Of the body.

    Raises
    ------
    PreconditionFailed
        If that is no longer the state of the item.
    InvalidInput, NotFound, Forbidden, Conflict
        As `create`.
    """
    return _rewrite(identifier, said, body, crs, user, is_whole=True)


def update(identifier: str, said: Precondition, body: dict[str, Any], crs: Crs, user: User) -> Written:
    """Draft an edition that differs in some members alone, by JSON Merge Patch (`/req/features/update-json-merge-patch`)."""
    return _rewrite(identifier, said, body, crs, user, is_whole=False)


def end(identifier: str, said: Precondition, user: User) -> Written:
    """Draft the end of a place (`/req/create-replace-delete/delete-op`).

    Raises
    ------
    PreconditionFailed
        As `replace`.
    Conflict
        If the item is not in force: a draft is withdrawn in the workbench.
    """
    with held(identifier, said, user) as known:
        item = known.item
        if item.status != Boundary.Status.APPROVED:
            raise Conflict(
                "A draft is not removed here.",
                code="not_in_force",
                where=f"item {identifier}",
                remedy="Withdraw its change set in the workbench.",
            )
        place = item.place
        edit = Edit(code=place.code, base_edition_id=item.pk, geometry=None)
        return Written(None, _save(_city_of(item, user), user, edit))


def _rewrite(
    identifier: str, said: Precondition, body: dict[str, Any], crs: Crs, user: User, *, is_whole: bool
) -> Written:
    with held(identifier, said, user) as known:
        item = known.item
        told = _properties(body, is_patch=not is_whole)
        _same_place(told, body, item, identifier)
        geometry = shapely.from_wkb(bytes(item.wkb))  # type: ignore[attr-defined]
        if is_whole or "geometry" in body:
            geometry = boundary_of(body.get("geometry"), crs, geometry)
        is_draft = item.status != Boundary.Status.APPROVED
        change_set = _own_set(item) if is_draft else None
        if known.own is not None:
            if not is_whole or not goes_on(known.own, item, told, geometry):
                raise stale(identifier)
            change_set = known.own.change_set
        base = item.change.base_id if is_draft else item.pk
        if is_draft:
            # A draft is written whole, so what this body leaves out stays as the draft has it.
            change = item.change
            before = {"name_fa": change.name_fa, "name_en": change.name_en}
            before |= {"source": item.source, "certainty": item.certainty}
            told = {name: value for name, value in before.items() if value} | told
        lines = to_shapely(item.disputed) if item.disputed else None
        edit = _edit(item.place.code, base, geometry, told, lines)
        try:
            saved = _save(_city_of(item, user), user, edit, change_set, said.etag)
        except InvalidInput as error:
            if error.code != "no_edits":
                raise
            return Written(item, None, is_immediate=True)
        return Written(_drafted(saved, item.place.code, user), saved, is_immediate=is_draft)


def _properties(body: dict[str, Any], *, is_patch: bool = False) -> dict[str, str]:
    """Return the properties of a body that can be written; what can only be read is passed over (`/req/features/schema`).

    A property without a value is one left out, as programs send every column of a table; in a patch it would be unset,
    which none of them can be.

    Raises
    ------
    InvalidInput
        Naming a member that is unknown or not a text.
    """
    for member in body:
        if member not in _MEMBERS:
            raise _unknown(member, f"{member}"[:60], sorted(_MEMBERS - {"crs"}))
    if body.get("crs") is not None:
        raise InvalidInput(
            "The member 'crs' is not part of GeoJSON.",
            code="unknown_property",
            where="crs",
            remedy="Name the reference system in the header Content-Crs.",
        )
    if body.get("type", "Feature") != "Feature":
        raise InvalidInput("The body is not a feature.", code="not_a_feature", where="type", remedy="Send one feature.")
    given = body.get("properties") or {}
    if not isinstance(given, dict):
        raise InvalidInput("The properties are not an object.", code="bad_properties", where="properties")
    told: dict[str, str] = {}
    for name, value in given.items():
        where = f"properties.{str(name)[:60]}"
        if name in READ_ONLY or (name in QUERYABLES and name not in WRITABLE) or name == "id":
            continue
        if name not in WRITABLE:
            raise _unknown(name, where, WRITABLE)
        if value is None and not is_patch:
            continue
        if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST or "\0" in value:
            raise InvalidInput(
                f"This is not a text of at most {_LONGEST} characters.",
                code="bad_property",
                where=where,
                remedy="Leave it out, or send a text. It cannot be unset.",
            )
        choices = QUERYABLES[name].choices
        if choices and value not in choices:
            raise InvalidInput(
                f"{value[:40]!r} is not known.", code="bad_property", where=where, remedy=f"Give {', '.join(choices)}."
            )
        told[name] = clean_name(value) if name.startswith("name_") else value.strip()
        if name.startswith("name_") and len(told[name]) > 200:
            raise InvalidInput("The name is longer than 200 characters.", code="bad_property", where=where)
    return told


def _unknown(name: object, where: str, known: Any) -> InvalidInput:
    return InvalidInput(
        f"There is no member {str(name)[:60]!r} here.",
        code="unknown_property",
        where=where,
        remedy=f"What can be written is {', '.join(known)}.",
    )


def _same_place(told: dict[str, str], body: dict[str, Any], item: Boundary, identifier: str) -> None:
    """Refuse a body that would make the item another place (`/req/create-replace-delete/put-rid`)."""
    place = item.place
    kept = {"code": place.code, "kind": place.kind, "city": item.city_code}  # type: ignore[attr-defined]
    wrong = [f"properties.{name}" for name, value in kept.items() if told.get(name, value) != value]
    if body.get("id") not in (None, identifier, place.path.replace("/", ".")):
        wrong.insert(0, "id")
    if wrong:
        raise InvalidInput(
            "A write cannot make the item another one.",
            code="other_item",
            where=wrong[0],
            remedy="Leave it as it was read, or create a new item.",
        )


def _edit(
    code: str,
    base_edition_id: int | None,
    geometry: shapely.Geometry,
    told: dict[str, str],
    disputed: shapely.Geometry | None = None,
) -> Edit:
    return Edit(
        code=code,
        base_edition_id=base_edition_id,
        geometry=geometry,
        name_fa=told.get("name_fa", ""),
        name_en=told.get("name_en", ""),
        kind=told.get("kind", ""),
        source=told.get("source", ""),
        certainty=told.get("certainty", ""),
        disputed=disputed,
    )


def _own_set(item: Boundary) -> ChangeSet:
    """Return the change set of a draft, if the draft is all there is in it and it is not being decided on.

    Raises
    ------
    Conflict
        Otherwise.
    """
    change_set = item.change_set if Change.objects.filter(boundary=item).exists() else None
    if change_set is None or change_set.status not in _UPDATED or change_set.changes.count() != 1:
        raise Conflict(
            "This edition cannot be written any more, or other places are drawn together with it.",
            code="not_writable",
            where=f"edition {item.pk}",
            remedy="Write to the place's edition in force, or continue in the workbench.",
        )
    return change_set


def _save(city: Place, user: User, edit: Edit, change_set: ChangeSet | None = None, etag: str = "") -> Saved:
    title = change_set.title if change_set else _("%(code)s, by a GIS program") % {"code": edit.code}
    saved = change_set_save(
        city=city,
        user=user,
        edits=[edit],
        title=title,
        comment=change_set.comment if change_set else "",
        valid_from=change_set.valid_from if change_set else None,
        change_set=change_set,
        version=change_set.version if change_set else None,
        acknowledged=change_set.acknowledged if change_set else (),
        people_of=people_counter(people_reading(city, user)),
    )
    saved_by_program(saved, etag)
    return saved


def _drafted(saved: Saved, code: str, user: User) -> Boundary:
    return editions(user).get(change__change_set=saved.change_set, place__code=code)


def _city_of(item: Boundary, user: User) -> Place:
    code = item.city_code  # type: ignore[attr-defined]
    if item.place.kind not in (Place.Kind.NEIGHBOURHOOD, Place.Kind.SETTLEMENT) or not code:
        raise Conflict(
            "Only neighbourhoods and informal settlements of a city are drawn here.",
            code="not_drawn_here",
            where=f"place {item.place.code}",
            remedy="Import the boundaries of districts, cities and what lies above them.",
        )
    return _city_get(code, user)


def _city_get(code: str, user: User) -> Place:
    city = Place.objects.visible_to(user).cities().filter(code=code).first()
    if city is None:
        raise NotFound(
            "There is no such city here, or you may not see it.",
            code="unknown_city",
            where="properties.city",
            remedy="Give the code of a city.",
        )
    return city

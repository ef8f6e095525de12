"""On which state of a boundary a write is based: no write that does not say so, and none that is based on a past one.

A client says it by the header ``If-Match`` with the entity tag it read (`/req/optimistic-locking-etags`), or by sending back
the property ``etag`` in the body. The second is for programs that send all properties of a feature when they replace it but
no such header, as QGIS does: so they are safe as they are. A body that carries the property is held to it even if the
header says ``*``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import shapely
from django.db import transaction

from geo.errors import InvalidInput, NotFound
from geo.models import Boundary, Change, ChangeSet, Place, Review
from geo.querysets import User
from geo.services import Saved, StaleEdit
from maps.errors import PreconditionFailed, PreconditionRequired
from maps.ogc.features import state_of
from maps.ogc.queryables import ETAG
from maps.ogc.selectors import item_get

_THROUGH: Final = "OGC API – Features"
"""What the history of a change set says of a save by a program, and after it the state it was based on: the same in every
language."""

NAMED: Final = ("name_fa", "name_en", "source", "certainty")


@dataclass(frozen=True, slots=True)
class Precondition:
    """What a write says of the state it is based on.

    Attributes
    ----------
    if_match : str
        The header; empty if there was none.
    etag : str
        The property of the body; empty if there was none.
    is_kept : bool
        Whether the client goes on sending the state it read first after it has written: QGIS writes geometry and
        attributes one after the other, each time to the item it read, and passes over what it is answered.
    """

    if_match: str = ""
    etag: str = ""
    is_kept: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """An item that is kept from other writers.

    Attributes
    ----------
    item : Boundary
        As the client knows it.
    own : Change or None
        The draft that the same client made of it before and does not know by name.
    """

    item: Boundary
    own: Change | None = None


def precondition_of(if_match: str, body: dict[str, Any] | None = None, *, is_kept: bool = False) -> Precondition:
    """Read the precondition of a write.

    Raises
    ------
    PreconditionRequired
        If there is none.
    InvalidInput
        If the property is not a text.
    """
    properties = (body or {}).get("properties")
    etag = properties.get(ETAG) if isinstance(properties, dict) else None
    if etag is not None and (not isinstance(etag, str) or not 0 < len(etag) <= 100):
        raise InvalidInput(
            "The property 'etag' is not one that was read here.",
            code="bad_property",
            where=f"properties.{ETAG}",
            remedy="Send it back as it was read, or leave it out and send the header If-Match.",
        )
    if not if_match.strip() and not etag:
        raise PreconditionRequired(
            "The write does not say on which state of the boundary it is based.",
            where="If-Match",
            remedy=(
                "Read the item, and send its ETag in the header If-Match, or, with PUT and PATCH, its property etag in the "
                "body. In QGIS edit a layer that has the property etag; to delete, use an authentication of the type "
                "“API Header” with the headers Authorization and If-Match: *, as the page /ogc/?f=html says."
            ),
        )
    return Precondition(if_match.strip(), etag or "", is_kept)


@contextmanager
def held(identifier: str, said: Precondition, user: User) -> Iterator[Held]:
    """Give the item of an identifier in the state that the client knows, kept from other writers until the write is done.

    Raises
    ------
    PreconditionFailed
        If the item is in another state.
    NotFound
        If the user sees no such item.
    """
    with transaction.atomic():
        found = item_get(identifier, user)
        own = _own_draft(found, user, said)
        # The same rows in the same order as the service locks them, so that two writers never wait for each other.
        if own is not None:
            ChangeSet.objects.select_for_update(no_key=True).get(pk=own.change_set_id)
        if found.status != Boundary.Status.APPROVED and found.change_set_id:
            ChangeSet.objects.select_for_update(no_key=True).get(pk=found.change_set_id)
        else:
            Place.objects.select_for_update(no_key=True).get(pk=found.place_id)
        try:
            item = item_get(identifier, user)  # as it stands now that nobody else can write it
        except NotFound as error:
            raise stale(identifier) from error
        state = state_of(item)
        if said.if_match and not _matches(said.if_match, state):
            raise stale(identifier)
        if not said.etag or said.etag == state:
            own = None
        else:
            own = _own_draft(item, user, said) if own is not None else None
            if own is None or (own.boundary_id != item.pk and said.etag != state_of(item, unseen=1)):
                raise stale(identifier)
        try:
            yield Held(item, own if own is not None and own.boundary_id != item.pk else None)
        except StaleEdit as error:
            raise stale(identifier) from error


def stale(identifier: str) -> PreconditionFailed:
    """Return the refusal of a write that is based on a past state."""
    return PreconditionFailed(
        "The boundary, or what is proposed for it, has changed since it was read.",
        where=f"item {identifier[:80]}",
        remedy="Read it again, look at what has changed, and write again with the new ETag.",
    )


def saved_by_program(saved: Saved, etag: str) -> None:
    """Let the history of a change set say that this save came from a program, and on which state it was based."""
    steps = Review.objects.filter(change_set=saved.change_set, version=saved.change_set.version)
    steps.filter(action=Review.Action.SAVED).update(comment=_said_of(etag))


def _said_of(etag: str) -> str:
    return f"{_THROUGH} {etag}".strip()


def _own_draft(item: Boundary, user: User, said: Precondition) -> Change | None:
    """Return the draft that the same client wrote last on the same reading, if nobody, nor the user elsewhere, went on with it.

    It is the item itself, or a draft of it that nothing else is in.
    """
    if not said.etag or not said.is_kept:
        return None
    drafts = Change.objects.filter(boundary__isnull=False, change_set__status=ChangeSet.Status.DRAFT)
    if item.status == Boundary.Status.APPROVED:
        drafts = drafts.filter(base=item.pk, change_set__author=user.pk)
    else:
        drafts = drafts.filter(boundary=item.pk)
    change = drafts.select_related("change_set", "boundary").order_by("-change_set_id").first()
    if change is None or change.change_set.changes.count() != 1:
        return None
    last = Review.objects.filter(change_set=change.change_set).order_by("-at", "-pk").first()
    told = (user.pk, _said_of(said.etag), change.change_set.version)
    return change if last is not None and (last.author_id, last.comment, last.version) == told else None


def goes_on(own: Change, item: Boundary, told: dict[str, str], geometry: shapely.Geometry) -> bool:
    """Tell whether a body holds something of its own wherever the draft does: so whoever sent it knew the draft.

    Parameters
    ----------
    own : Change
        The draft.
    item : Boundary
        The edition in force, which both are based on.
    told, geometry
        What the body says.
    """
    place, draft = item.place, own.boundary
    base = {"name_fa": place.name_fa, "name_en": place.name_en, "source": item.source, "certainty": item.certainty}
    drafted = {
        "name_fa": own.name_fa or place.name_fa,
        "name_en": own.name_en or place.name_en,
        "source": draft.source if draft else "",
        "certainty": draft.certainty if draft else "",
    }
    if any(drafted[name] != base[name] and told.get(name, base[name]) == base[name] for name in NAMED):
        return False
    before = shapely.from_wkb(bytes(item.wkb))  # type: ignore[attr-defined]
    is_moved = draft is None or not shapely.from_wkb(bytes(draft.geometry.wkb)).equals(before)
    return not (is_moved and geometry.equals(before))


def _matches(if_match: str, state: str) -> bool:
    """Evaluate ``If-Match`` by RFC 9110 §13.1.1: strong comparison, any representation of the current state.

    Examples
    --------
    >>> _matches('"1-ab.0f", "1-cd.0f.gz"', "1-cd"), _matches('W/"1-cd.0f"', "1-cd"), _matches("*", "1-cd")
    (True, False, True)
    """
    if if_match.strip() == "*":
        return True
    tags = re.findall(r'(W/)?"([^"]*)"', if_match)
    return any(not weak and (tag == state or tag.startswith(f"{state}.")) for weak, tag in tags)

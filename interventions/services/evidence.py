"""Photos and documents that show a need or an action, made harmless before they are kept (`layers.services.files`)."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from geo.errors import Forbidden, InvalidInput, LimitExceeded
from geo.querysets import User
from interventions.models import Action, Evidence, Need
from interventions.querysets import LEADING_ROLES
from interventions.selectors.rights import roles_at, roles_for
from interventions.services.recording import log_write, point_at, state_next, ticket_taken
from layers.services.files import (
    Incoming,
    file_kept,
    file_name,
    file_write,
    plain_name,
    thumbnail_file_name,
    title_required,
)

MOST_OF_A_RECORD: Final = 50
"""Photos and documents that one need or action has at most, archived ones included."""


def evidence_add(
    *,
    user: User,
    file: Incoming,
    title: str,
    action: Action | None = None,
    need: Need | None = None,
    is_public: bool = False,
    keeps_location: bool = False,
    ticket: UUID | None = None,
    at: datetime | None = None,
) -> Evidence:
    """Keep a photo (JPEG, PNG, WebP) or a document (PDF) of an action or of a need.

    Parameters
    ----------
    title : str
        What it shows, in words for people who cannot see it.
    is_public : bool
        Whether everybody who sees the action sees it; only who supervises or administers the place may say so, and of an action
        alone: needs are never public.
    keeps_location : bool
        Whether the place that a camera wrote into the photo is kept.
    ticket : UUID, optional
        Named by who sends, so that sending again keeps no second one: what was sent under it is returned as it was kept.

    Raises
    ------
    Forbidden, Conflict
        As the table of transitions says of ``attach``; where the ticket is that of another photo or document (``ticket_taken``).
    LimitExceeded
        Where the file, the picture or the list is too large.
    InvalidInput
        Where it is no such file, cannot be read, has no title, or is of no one thing.
    """
    if (action is None) == (need is None):
        raise InvalidInput(
            "Evidence is of one need or of one action.",
            code="bad_evidence",
            where="evidence",
            remedy="Name one of the two.",
        )
    said = title_required(title)
    with transaction.atomic():
        record = _locked(action, need)
        known = Evidence.objects.filter(pk=ticket).first() if ticket is not None else None
        if known is not None:
            # The record is locked: of two sendings at once the second waits, and finds what the first kept.
            if (known.author_id, known.action_id, known.need_id) != (user.pk, action and action.pk, need and need.pk):
                raise ticket_taken()
            return known
        roles = roles_for(user, record.place, record.organisation)
        state = state_next(record, "attach", state=record.state, roles=roles)
        kept = file_kept(file, keeps_location=keeps_location)
        if record.evidence.count() >= MOST_OF_A_RECORD:
            raise LimitExceeded(
                f"There are {MOST_OF_A_RECORD} photos and documents here already.",
                code="too_many_attachments",
                where="evidence",
                remedy="Add only what says something new.",
                details={"most": MOST_OF_A_RECORD},
            )
        made: Evidence = Evidence.objects.create(
            id=ticket or uuid4(),
            action=action,
            need=need,
            kind=Evidence.Kind.PHOTO if kept.is_photo else Evidence.Kind.DOCUMENT,
            title=said,
            file_name=plain_name(file.name or "", kept),
            media_type=kept.media_type,
            size=len(kept.data),
            sha256=kept.sha256,
            width=kept.width,
            height=kept.height,
            taken_at=kept.taken_at,
            point=point_at((kept.lon, kept.lat), "evidence") if kept.lon is not None and kept.lat is not None else None,
            is_public=is_public and action is not None and not roles.isdisjoint(LEADING_ROLES),
            author_id=user.pk,
        )
        log_write(
            record, "attach", user=user, state_from=state, state_to=state, at=at, details={"evidence": str(made.pk)}
        )
        file_write(_folder(made), kept)
        return made


def evidence_change(
    *, user: User, evidence: Evidence, is_public: bool | None = None, is_archived: bool | None = None
) -> Evidence:
    """Show evidence to everybody or not, put it away or bring it back.

    Its author may put it away, as long as the person has the roles to add some; who supervises or administers may do all.

    Raises
    ------
    Forbidden
        Where the person may not.
    """
    with transaction.atomic():
        held: Evidence = Evidence.objects.select_for_update(of=("self",)).get(pk=evidence.pk)
        record = held.action or held.need
        assert record is not None  # noqa: S101 - the database keeps it so
        is_leader = not roles_at(user, record.place).isdisjoint(LEADING_ROLES)
        is_own = held.author_id is not None and held.author_id == user.pk
        still = is_own and not roles_for(user, record.place, record.organisation).isdisjoint({"reporter", "agency"})
        if not is_leader and not (still and is_public is None):
            raise Forbidden(
                "You may not change this photo or document.",
                code="may_not_edit_attachment",
                where=str(held.pk),
                remedy="Ask the supervisor of the place.",
            )
        before = {"evidence": str(held.pk), "is_public": held.is_public, "is_archived": held.archived_at is not None}
        if is_public is not None:
            held.is_public = is_public and held.action_id is not None
        if is_archived is not None and is_archived != (held.archived_at is not None):
            held.archived_at = timezone.now() if is_archived else None
        held.save(update_fields=["is_public", "archived_at"])
        log_write(record, "attach", user=user, state_from=record.state, state_to=record.state, details=before)
        return held


def evidence_file_name(evidence: Evidence) -> str:
    """Return where the file is in the file storage: a folder for each need or action, a name by content."""
    return file_name(_folder(evidence), evidence.sha256, evidence.media_type)


def evidence_thumbnail_name(evidence: Evidence) -> str:
    """Return where the small picture of a photo is in the file storage."""
    return thumbnail_file_name(_folder(evidence), evidence.sha256)


def _folder(evidence: Evidence) -> str:
    return f"evidence/action-{evidence.action_id}" if evidence.action_id else f"evidence/need-{evidence.need_id}"


def _locked(action: Action | None, need: Need | None) -> Action | Need:
    """Return the record as it is now, kept from being changed, so that two at a time cannot pass the limit."""
    found: Action | Need
    if action is not None:
        found = Action.objects.select_for_update(of=("self",), no_key=True).get(pk=action.pk)
    else:
        assert need is not None  # noqa: S101 - asked before
        found = Need.objects.select_for_update(of=("self",), no_key=True).get(pk=need.pk)
    return found


__all__ = ["MOST_OF_A_RECORD", "evidence_add", "evidence_change", "evidence_file_name", "evidence_thumbnail_name"]

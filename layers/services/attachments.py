"""Writes of attachments: photos and documents about features, made harmless before they are kept (`layers.services.files`)."""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.utils import timezone

from geo.errors import Forbidden, LimitExceeded
from geo.querysets import User, assigned_q, is_administrator
from layers.models import Attachment, Layer
from layers.permissions import may_edit_layers
from layers.querysets import EDITORS
from layers.services.files import (
    Incoming,
    file_kept,
    file_name,
    file_write,
    plain_name,
    thumbnail_file_name,
    title_required,
)

MOST_OF_A_FEATURE: Final = 50
"""Attachments that one feature has at most, archived ones included."""

ATTACHERS: Final = (*EDITORS, "reporter", "agency")
"""The roles that may add photos and documents; what they add is for people with a role until an editor makes it public."""


def may_attach(layer: Layer, user: User) -> bool:
    """Tell whether a user may add photos and documents to the features of a layer."""
    if is_administrator(user):
        return True
    seen = Layer.objects.visible_to(user).filter(pk=layer.pk)
    return bool(user.is_authenticated and seen.filter(assigned_q(user, "city__path", roles=ATTACHERS)).exists())


def attachment_add(
    *,
    layer: Layer,
    feature_key: str,
    author: User,
    file: Incoming,
    title: str,
    is_public: bool = False,
    keeps_location: bool = False,
) -> Attachment:
    """Keep a photo (JPEG, PNG, WebP) or a document (PDF) about a feature of a layer.

    What it is, is told by its content; its name and what the sender calls it are not heeded.

    Parameters
    ----------
    feature_key : str
        Value of the layer's key field, or the row number where it has none.
    title : str
        What it shows, in words for people who cannot see it.
    is_public : bool
        Whether everybody who sees the layer sees it; only editors may say so.
    keeps_location : bool
        Whether the place that a camera wrote into the photo is kept.

    Raises
    ------
    Forbidden
        Where the person may not add anything here.
    LimitExceeded
        Where the file, the picture or the list is too large.
    InvalidInput
        Where it is no such file, cannot be read, or has no title.
    """
    if not may_attach(layer, author):
        raise Forbidden(
            f"You may not add photos or documents in {layer.city.name_en}.",
            code="may_not_attach",
            where=layer.code,
            remedy="Ask the administrator for a role there.",
            details={"city": layer.city.name},
        )
    said = title_required(title)
    kept = file_kept(file, keeps_location=keeps_location)
    with transaction.atomic():
        Layer.objects.select_for_update().get(pk=layer.pk)  # else two at a time could pass the limit
        if layer.attachments.filter(feature_key=feature_key).count() >= MOST_OF_A_FEATURE:
            raise LimitExceeded(
                f"There are {MOST_OF_A_FEATURE} photos and documents here already.",
                code="too_many_attachments",
                where=feature_key,
                remedy="Add only what says something new.",
                details={"most": MOST_OF_A_FEATURE},
            )
        made: Attachment = Attachment.objects.create(
            layer=layer,
            feature_key=feature_key,
            kind=Attachment.Kind.PHOTO if kept.is_photo else Attachment.Kind.DOCUMENT,
            title=said,
            file_name=plain_name(file.name or "", kept),
            media_type=kept.media_type,
            size=len(kept.data),
            sha256=kept.sha256,
            width=kept.width,
            height=kept.height,
            taken_at=kept.taken_at,
            lon=kept.lon,
            lat=kept.lat,
            is_public=is_public and may_edit_layers(layer.city, author),
            author_id=author.pk,
        )
        file_write(_folder(made), kept)
    return made


def attachment_change(
    attachment: Attachment, user: User, *, is_public: bool | None = None, is_archived: bool | None = None
) -> Attachment:
    """Show an attachment to everybody or not, put it away or bring it back; its author may put it away, editors may do all.

    Raises
    ------
    Forbidden
        Where the person may not.
    """
    is_editor = may_edit_layers(attachment.layer.city, user)
    is_own = attachment.author_id is not None and attachment.author_id == user.pk and may_attach(attachment.layer, user)
    if not is_editor and not (is_own and is_public is None):
        raise Forbidden(
            "You may not change this photo or document.",
            code="may_not_edit_attachment",
            where=str(attachment.pk),
            remedy="Ask an analyst or planner of the city.",
            details={"city": attachment.layer.city.name},
        )
    with transaction.atomic():
        held: Attachment = Attachment.objects.select_for_update().get(pk=attachment.pk)
        if is_public is not None:
            held.is_public = is_public
        if is_archived is not None and is_archived != (held.archived_at is not None):
            held.archived_at = timezone.now() if is_archived else None
        held.save(update_fields=["is_public", "archived_at"])
    return held


def stored_name(attachment: Attachment) -> str:
    """Return where an attachment's file is in the file storage: a folder per layer, a name by content."""
    return file_name(_folder(attachment), attachment.sha256, attachment.media_type)


def thumbnail_name(attachment: Attachment) -> str:
    """Return where the small picture of a photo is in the file storage."""
    return thumbnail_file_name(_folder(attachment), attachment.sha256)


def _folder(attachment: Attachment) -> str:
    return f"attachments/{attachment.layer_id}"

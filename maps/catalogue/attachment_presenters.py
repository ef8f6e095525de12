"""Attachments as pages show them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from geo.querysets import User
from layers.models import Attachment, Layer
from maps.catalogue import wording
from maps.pages import formats
from maps.pages.reader import language


@dataclass(frozen=True, slots=True)
class AttachmentView:
    """A photo or document.

    Attributes
    ----------
    of : tuple of str
        Name and address of the row it is about; both empty where the newest release has no such row.
    """

    id: str
    title: str
    is_photo: bool
    address: str
    small: str
    change: str
    facts: str
    place: str
    of: tuple[str, str]
    is_public: bool
    is_archived: bool
    may_archive: bool
    may_publish: bool


def attachment_views(
    layer: Layer,
    found: Iterable[Attachment],
    user: User,
    *,
    is_editor: bool,
    may_attach: bool,
    rows: Mapping[str, tuple[int, str]] | None = None,
) -> tuple[AttachmentView, ...]:
    """Present attachments."""
    return tuple(
        _view(layer, one, is_editor, is_editor or (may_attach and one.author_id == user.pk), rows or {})
        for one in found
    )


def _view(
    layer: Layer, one: Attachment, is_editor: bool, may_archive: bool, rows: Mapping[str, tuple[int, str]]
) -> AttachmentView:
    lang = language()
    when = one.taken_at or one.created_at
    facts = [
        wording.stamp(when),
        one.author.get_username() if one.author and (is_editor or may_archive) else "",
        "" if one.kind == Attachment.Kind.PHOTO else f"PDF, {wording.megabytes(one.size)}",
        "" if one.is_public else _("for people with a role"),
    ]
    number, name = rows.get(one.feature_key, (0, ""))
    title = name or (_("Row %(n)s") % {"n": formats.number(number, lang)} if number else "")
    return AttachmentView(
        id=str(one.pk),
        title=one.title,
        is_photo=one.kind == Attachment.Kind.PHOTO,
        address=reverse("attachment", args=[one.pk]),
        small=reverse("attachment-small", args=[one.pk]),
        change=reverse("attachment-change", args=[one.pk]),
        facts=" · ".join(f"\u2068{fact}\u2069" for fact in facts if fact),
        place=f"{formats.number(one.lat, lang, 5)}, {formats.number(one.lon, lang, 5)}"
        if one.lat is not None and one.lon is not None
        else "",
        of=(title, reverse("layer-row", args=[layer.city.code, layer.code, number])) if number else ("", ""),
        is_public=one.is_public,
        is_archived=one.archived_at is not None,
        may_archive=may_archive,
        may_publish=is_editor,
    )

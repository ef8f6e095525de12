"""Photos and documents of actions and needs, as their pages list them."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from analysis.disclosure import is_insider
from geo.querysets import User
from interventions.models import Action, Evidence, Need
from interventions.querysets import LEADING_ROLES
from interventions.selectors import roles_for
from interventions.selectors.rights import ACTING_ROLES
from maps.pages import formats
from maps.pages.reader import language


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """A photo or document, in the words that the catalogue's list of attachments shows."""

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


def evidence_views(record: Action | Need, user: User) -> list[EvidenceView]:
    """Return the photos and documents of an action or a need that a user may see, and what the user may do with each.

    Those of needs are never public: who sees them, is told of no choice.
    """
    lang, is_action = language(), isinstance(record, Action)
    roles = roles_for(user, record.place, record.organisation)
    leads, acts = not roles.isdisjoint(LEADING_ROLES), not roles.isdisjoint(ACTING_ROLES)
    insider = is_insider(user, record.place)

    def facts(one: Evidence) -> str:
        told = (
            formats.day(timezone.localtime(one.taken_at or one.created_at), lang),
            "" if one.kind == Evidence.Kind.PHOTO else "PDF",
            "" if one.is_public or not insider or not is_action else _("for people with a role"),
        )
        return " · ".join(filter(None, told))

    return [
        EvidenceView(
            title=one.title,
            is_photo=one.kind == Evidence.Kind.PHOTO,
            address=reverse("evidence", args=[one.pk]),
            small=reverse("evidence-small", args=[one.pk]),
            change=reverse("evidence-change", args=[one.pk]),
            facts=facts(one),
            place=f"{formats.number(one.point.y, lang, 5)}, {formats.number(one.point.x, lang, 5)}"
            if one.point
            else "",
            of=("", ""),
            is_public=one.is_public,
            is_archived=one.archived_at is not None,
            may_archive=leads or (acts and one.author_id == user.pk),
            may_publish=leads and is_action,
        )
        for one in record.evidence.visible_to(user)
    ]


__all__ = ["EvidenceView", "evidence_views"]

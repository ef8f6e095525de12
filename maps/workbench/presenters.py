"""Change sets as JSON: what a reader may see of them, and what the reader may do with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils import timezone

from geo.core.lineage import difference
from geo.db.shapes import to_shapely
from geo.models import Boundary, Change, ChangeSet, Place
from geo.querysets import User
from geo.services import Saved
from maps.problems import text_told
from maps.reviews.permissions import steps_of
from maps.workbench.selectors import geojson


def saved_json(saved: Saved, shown: ChangeSet, user: User) -> dict[str, Any]:
    """Return a change set as it stands after a save, with what was done to what was sent."""
    return {
        **change_set_json(shown, user),
        "notes": {code: text_told(note) for code, note in saved.notes.items()},
        "moved_m": round(saved.moved_m, 4),
        "contested": list(saved.contested),
        "overtaken": list(saved.overtaken),
    }


def change_set_json(change_set: ChangeSet, user: User) -> dict[str, Any]:
    """Return what a user may see of a change set, as `geo.selectors.change_set_read` gives it."""
    return {
        "id": change_set.pk,
        "version": change_set.version,
        "status": change_set.status,
        "title": change_set.title,
        "comment": change_set.comment,
        "valid_from": change_set.valid_from.isoformat() if change_set.valid_from else None,
        "city": change_set.place.code,
        "author": _name(change_set.author),
        "reviewer": _name(change_set.reviewer),
        "created_at": change_set.created_at.isoformat(),
        "updated_at": change_set.updated_at.isoformat(),
        "reviewed_at": change_set.reviewed_at.isoformat() if change_set.reviewed_at else None,
        "findings": findings_json(change_set.findings, change_set.place, user),
        "acknowledged": list(change_set.acknowledged),
        "changes": [_change_json(change) for change in change_set.changes.all()],
        "descents": [
            {
                "kind": one.kind,
                "predecessor": one.predecessor.code,
                "successor": one.successor.code if one.successor else None,
                "share_of_predecessor": one.share_of_predecessor,
                "share_of_successor": one.share_of_successor,
                "share_of_people": one.share_of_people,
            }
            for one in change_set.descents.all()
        ],
        "reviews": [
            {
                "action": one.action,
                "author": _name(one.author),
                "comment": one.comment,
                "version": one.version,
                "at": timezone.localtime(one.at).isoformat(),
            }
            for one in change_set.reviews.all()
        ],
        "may": may(change_set, user),
    }


def diff_json(change_set: ChangeSet, user: User) -> dict[str, Any]:
    """Return what each place of a change set was and would be, and the ground between."""
    return {
        "change_set": {
            "id": change_set.pk,
            "version": change_set.version,
            "status": change_set.status,
            "title": change_set.title,
        },
        "changes": [_diff(change) for change in change_set.changes.all()],
    }


def may(change_set: ChangeSet, user: User) -> dict[str, bool]:
    """Tell what a user may do with a change set; the services decide again when it is done."""
    steps = steps_of(change_set, user)
    return {
        "save": steps.propose,  # what may be proposed may be drawn on
        "propose": steps.propose,
        "approve": steps.approve,
        "return": steps.return_,
        "withdraw": steps.withdraw,
        "restore": steps.restore,
    }


def findings_json(findings: Iterable[Mapping[str, Any]], city: Place, user: User) -> list[dict[str, Any]]:
    """Return the tasks that concern places a user may know of."""
    tasks = list(findings)
    named = {code for task in tasks for code in task["codes"]}
    if not named:
        return []
    seen = Place.objects.visible_to(user).within(city).filter(code__in=named)
    visible = set(seen.values_list("code", flat=True))
    return [{**task, "where": [task["lon"], task["lat"]]} for task in tasks if set(task["codes"]) <= visible]


def _change_json(change: Change) -> dict[str, Any]:
    return {
        "code": change.place.code,
        "name_fa": change.name_fa or change.place.name_fa,
        "name_en": change.name_en or change.place.name_en,
        "kind": change.place.kind,
        "what": change.kind,
        "base_edition_id": change.base_id,
        "edition": change.boundary_id,
        "source": change.boundary.source_text if change.boundary else "",
        "certainty": change.boundary.certainty if change.boundary else "",
        "gained_m2": change.gained_m2,
        "lost_m2": change.lost_m2,
        "people_gained": change.people_gained,
        "people_lost": change.people_lost,
    }


def _diff(change: Change) -> dict[str, Any]:
    before, after = _shape(change.base), _shape(change.boundary)
    ground = difference(before, after)
    return {
        **_change_json(change),
        "before": geojson(before),
        "after": geojson(after),
        "gained": geojson(ground.gained),
        "lost": geojson(ground.lost),
    }


def _shape(edition: Boundary | None) -> Any:
    return to_shapely(edition.geometry) if edition else None


def _name(user: Any) -> str | None:
    return user.get_username() if user else None

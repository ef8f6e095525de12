"""Pages of actions: who does what, where and when, in one city; one action with all that belongs to it; files."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

import numpy as np
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analysis.disclosure import is_insider
from analysis.selectors import city_get, places_read
from geo.core.crs import STORAGE_EPSG, TILE_EPSG, project_xy
from geo.errors import InvalidInput, MahallehError
from geo.models import Place
from geo.querysets import User, assigned_q, is_administrator
from interventions.core.transitions import ACTION, NEEDS_REASON, RUNNING_ACTIONS, events_open
from interventions.models import Action, Milestone, Need, Organisation, Progress
from interventions.querysets import LEADING_ROLES
from interventions.selectors import history_of, paths_around, roles_for
from interventions.selectors.actions import (
    MAX_ACTIONS,
    ActionChoices,
    ActionMark,
    action_choices,
    action_get,
    action_marks,
    action_row,
    action_rows,
    gap_matrix,
    running_sums,
    with_progress,
)
from interventions.selectors.overlapping import overlaps_of
from interventions.services.actions import STEPS
from layers.services.files import MOST_BYTES
from layers.writing.worksheet import MEDIA_TYPE
from maps.actions import exporting, presenters
from maps.actions.calendar import calendar_of
from maps.actions.forms import actions_state_from
from maps.assets import worker_url
from maps.catalogue.refusals import refusal_text
from maps.pages import formats
from maps.pages import selectors as pages_selectors
from maps.pages.evidence import evidence_views
from maps.pages.measured import Choice
from maps.pages.reader import language, page_of
from maps.pages.selectors import may_draw

PAGE: Final = 50
"""Actions in the table and the calendar of one page; the map shows all."""

WORKERS = ACTION["enter"].roles
"""Roles that may enter actions."""


@require_safe
def actions(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with what is done in a city: a sentence, a map, a table, a calendar, overlaps and gaps."""
    place = city_get(city, request.user)
    state = actions_state_from(request, place)
    insider, today, lang = is_insider(request.user, place), timezone.localdate(), language()
    marks = action_marks(place, request.user, today, state.asked)
    overlaps = overlaps_of(place, request.user)
    calendar = calendar_of(marks, today, state.begin, lang)
    points = _points(place, request.user)
    page = min(page_of(request), max(math.ceil(len(marks) / PAGE), 1))
    shown = action_rows([mark.pk for mark in marks[(page - 1) * PAGE : page * PAGE]], today)
    views = [
        presenters.action_view(place.code, row, today, is_insider=insider, calendar=calendar, places=points)
        for row in shown
    ]
    gaps = gap_matrix(place, request.user)
    keep = {name: value for name, value in state.kept.items() if value}
    context = {
        "city": place,
        "tab": "actions",
        "may_draw": may_draw(place, request.user),
        "may_enter": _may_enter(place, request.user),
        "sentence": presenters.sentence(place.name, running_sums(place, request.user, today), overlaps),
        "views": views,
        "page_before": urlencode(keep | {"page": page - 1}) if page > 1 else "",
        "page_after": urlencode(keep | {"page": page + 1}) if page * PAGE < len(marks) else "",
        "is_cut": len(marks) >= MAX_ACTIONS,
        "state": state,
        "choices": _choices(action_choices(place, request.user), state.kept),
        "overlaps": [presenters.overlap_view(place.code, row, _proposal_address(place)) for row in overlaps],
        "gaps": presenters.gap_view(gaps, is_insider=insider),
        "calendar": calendar,
        "earlier": urlencode(keep | {"from": formats.day_in_figures(calendar.earlier, lang)}),
        "later": urlencode(keep | {"from": formats.day_in_figures(calendar.later, lang)}),
        "key": [(presenters.STATE_CSS[one.value], presenters.state_name(one.value)) for one in Action.State],
        "filters": [
            ("area", _("Place")),
            ("sector", _("Sector")),
            ("organisation", _("Institution")),
            ("state", _("State")),
        ],
        "example": formats.day_in_figures(today, lang),
    } | _map(place, request.user, marks, points)
    return render(request, "maps/actions/actions.html", context)


def _may_enter(place: Place, user: User) -> bool:
    """Tell whether a user has a role by which actions are entered in a city, or in a part of it."""
    return is_administrator(user) or (
        user.is_authenticated and Place.objects.within(place).filter(assigned_q(user, roles=tuple(WORKERS))).exists()
    )


def _points(city: Place, user: User) -> dict[str, tuple[float, float]]:
    """Return a point of each place that a user may see, and of the city."""
    places = places_read(city, user)
    found: dict[str, tuple[float, float]] = {}
    for row, shape in zip(places.rows, places.geometries_4326, strict=True):
        point = shape.representative_point()
        found[row.path] = (round(point.x, 6), round(point.y, 6))
    return found


def _choices(found: ActionChoices, kept: Mapping[str, str]) -> dict[str, list[Choice]]:
    """Return what the lists of the filter offer: only what there is."""
    offered = {"area": found.places, "organisation": found.organisations, "sector": found.sectors}
    return {
        name: [Choice(row.code, row.name, kept[name] == row.code) for row in sorted(rows, key=lambda row: row.name)]
        for name, rows in offered.items()
    } | {"state": [Choice(one.value, str(one.label), kept["state"] == one.value) for one in Action.State]}


def _proposal_address(city: Place) -> Any:
    def address(number: int) -> str:
        try:
            return reverse("proposal", args=[city.code, number])
        except NoReverseMatch:
            return ""

    return address


def _map(
    city: Place, user: User, found: Sequence[ActionMark], places: Mapping[str, tuple[float, float]]
) -> dict[str, Any]:
    """Return the drawing of the city with a mark for each action, and what the live map needs."""
    try:
        drawing = pages_selectors.drawing_read(city, user)
    except MahallehError:  # no place with a boundary that this reader may see
        return {"drawing": None, "marks": [], "config": {}}
    features = presenters.map_features(found, places)
    by_pk = {mark.pk: mark for mark in found}
    marks = []
    points = [feature["geometry"]["coordinates"] for feature in features["features"]]
    for feature, (x, y) in zip(features["features"], drawing_points(drawing, points), strict=True):
        one, turn = by_pk[feature["id"]], feature["properties"]["turn"]
        marks.append((round(x + 16 * turn, 1), round(y, 1), presenters.STATE_CSS[one.state], one.is_late, one.title))
    config = {
        "language": language(),
        "urls": {"tiles": f"/tiles/{city.code}/", "worker": worker_url()},
        "bounds": list(drawing.bounds_4326),
        "layers": pages_selectors.base_layers(city, user),
        "colours": ["rgba(0,0,0,0)"],
        "points": {},
        "actions": features,
    }
    return {"drawing": drawing, "marks": marks, "config": config}


def drawing_points(drawing: Any, lon_lat: list[list[float]]) -> list[tuple[float, float]]:
    """Return where points in degrees lie in a drawing of the city."""
    west, south, east, north = drawing.bounds_4326
    xy = project_xy(np.array([[west, south], [east, north], *lon_lat]), STORAGE_EPSG, TILE_EPSG)
    scale = drawing.width / max(xy[1, 0] - xy[0, 0], 1e-9)
    return list(zip(((xy[2:, 0] - xy[0, 0]) * scale).tolist(), ((xy[1, 1] - xy[2:, 1]) * scale).tolist(), strict=True))


# ---- one action


@require_safe
def action(request: HttpRequest, city: str, number: int) -> HttpResponse:
    """Answer with one action: what it is, how far it is, what may be done with it, and what was done."""
    return action_page(request, city_get(city, request.user), number)


def action_page(
    request: HttpRequest,
    city: Place,
    number: int,
    error: MahallehError | None = None,
    kept: Mapping[str, str] | None = None,
) -> HttpResponse:
    """Render the page of an action, after a refusal with what was typed."""
    user, lang, today = request.user, language(), timezone.localdate()
    found = action_get(city, number, user)
    row = action_row(with_progress(Action.objects.filter(pk=found.pk), today).get())
    insider = is_insider(user, found.place)
    roles = roles_for(user, found.place, found.organisation)
    events = events_open(ACTION, state=found.state, roles=roles)
    view = presenters.action_view(city.code, row, today, is_insider=insider, places=_points(city, user))
    context = {
        "city": city,
        "tab": "actions",
        "action": found,
        "view": view,
        "is_insider": insider,
        "steps": [(event, _step_name(event), ("action", event) in NEEDS_REASON) for event in events if event in STEPS],
        "may_hand_over": "hand-over" in events,
        "organisations": _takers(found, user) if "hand-over" in events else [],
        "may_report": "report" in events,
        "may_amend": "amend" in events,
        "may_attach": "attach" in events,
        "may_publish": not roles.isdisjoint(LEADING_ROLES),
        "milestones": [
            {
                "row": step,
                "late": step.reached_on is None and step.due_on < today and found.state in RUNNING_ACTIONS,
                "due": formats.day_in_figures(step.due_on, lang),
            }
            for step in Milestone.objects.visible_to(user).filter(action=found).order_by("due_on", "pk")
        ],
        "reports": [
            (one, presenters.grouped(one.spent_irr, lang))
            for one in Progress.objects.visible_to(user).filter(action=found)[:20]
        ],
        "spent_entry": presenters.grouped(found.spent_irr, lang),
        "needs": Need.objects.visible_to(user).filter(actions=found).select_related("place", "sector"),
        "handed_to": Action.objects.visible_to(user).filter(handed_from=found).select_related("organisation").first(),
        "handed_from": Action.objects.visible_to(user)
        .filter(pk=found.handed_from_id)
        .select_related("organisation")
        .first()
        if found.handed_from_id
        else None,
        "attachments": evidence_views(found, user),
        "history": [
            (one, presenters.event_name(one.event), presenters.state_name(one.state_to) if one.state_to else "")
            for one in history_of(found, user)
        ],
        "refusal": refusal_text(error) if error else None,
        "wrong": error.where.split(", ")[-1] if error else "",
        "kept": kept or {},
        "today_entry": formats.day_in_figures(today, lang),
        "most_mb": MOST_BYTES // 1_000_000,
        "proposal_address": _proposal_address(city)(found.proposal_id) if found.proposal_id and insider else "",
        "percent": formats.number(row.done_percent or 0, lang),
    }
    return render(request, "maps/actions/action.html", context, status=error.status if error else 200)


def _step_name(event: str) -> str:
    return {
        "start": _("Start"),
        "suspend": _("Suspend"),
        "finish": _("It is done"),
        "reopen": _("Take up again"),
        "cancel": _("Cancel"),
    }[event]


def _takers(action: Action, user: User) -> list[Organisation]:
    """Return the organisations to which an action can be handed over."""
    found = Organisation.objects.visible_to(user).approved().exclude(pk=action.organisation_id).select_related("place")
    return list(found.filter(place__path__in=paths_around(action.place)))


# ---- files


@require_safe
def export(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with who works where, or with people in need, as CSV (``of`` names the table) or both as a workbook."""
    place = city_get(city, request.user)
    insider = is_insider(request.user, place)
    form, of = request.GET.get("format", "xlsx"), request.GET.get("of", exporting.KINDS[0])
    if form not in ("csv", "xlsx") or of not in exporting.KINDS:
        raise InvalidInput(
            "There is no such file.",
            code="bad_format",
            where="format, of",
            remedy=f"Choose format=csv or xlsx, and of one of {', '.join(exporting.KINDS)}.",
        )
    tables = exporting.tables_of(place, request.user)
    if form == "csv":
        response = HttpResponse(
            exporting.csv_bytes(tables[of], is_insider=insider), content_type="text/csv; charset=utf-8"
        )
    else:
        data = exporting.workbook(place, list(tables.values()), is_insider=insider)
        response = HttpResponse(data, content_type=MEDIA_TYPE)
    name = of if form == "csv" else "actions"
    response["Content-Disposition"] = f'attachment; filename="{place.code}-{name}.{form}"'
    response["Cache-Control"] = "private, no-cache"
    return response

"""Pages about the past: the history of a place, and a city on a day."""

from __future__ import annotations

from datetime import date

import numpy as np
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from analysis.ground import people_counter
from analysis.selectors import city_get, people_reading
from geo.core.measuring import area_m2
from geo.db.shapes import to_shapely
from geo.errors import Forbidden, InvalidInput, MahallehError, NotFound
from geo.models import Boundary, Place
from geo.selectors import PlaceHistory, days_of_change, history_read, shapes_read
from geo.services import boundary_restore
from maps.pages import outlines
from maps.pages import selectors as pages_selectors
from maps.pages.dates import day_typed
from maps.reviews import history_presenters, permissions, presenters, refusals, selectors, sentences
from maps.reviews.forms import number_from
from maps.reviews.sheets import Side


@require_http_methods(["GET", "HEAD", "POST"])
def history(request: HttpRequest, city: str, place: str) -> HttpResponse:
    """Answer what a place has been; bring an old edition back as a draft."""
    if request.method == "POST" and not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    in_city = city_get(city, request.user)
    found = pages_selectors.place_get(in_city, place, request.user)
    if request.method != "POST":
        return _history_page(request, in_city, found)
    try:
        edition = _edition(history_read(found, request.user), request.POST.get("restore", ""))
        if not permissions.may_restore(found, request.user):
            raise Forbidden(
                "You may not draw a boundary of this place.",
                code="not_your_place",
                where=f"place {found.code}",
                remedy="Ask the administrator for the role of planner there.",
            )
        saved = boundary_restore(edition, request.user, people_of=people_counter(people_reading(in_city, request.user)))
    except NotFound:
        raise
    except MahallehError as error:
        return _history_page(request, in_city, found, refusals.refusal_of(error, {found.code: found.name}))
    messages.success(
        request, _("Restored as a draft. Propose it, and it comes into force when somebody else approves it.")
    )
    return redirect("change", in_city.code, saved.change_set.pk)


def _edition(history: PlaceHistory, text: str) -> Boundary:
    number = number_from(text)
    edition = next((e for e in history.editions if e.pk == number), None)
    if edition is None:
        raise NotFound(
            "There is no such edition of this boundary.",
            code="unknown_edition",
            where=history.place.code,
            remedy="Choose one from the list.",
        )
    return edition


def _history_page(
    request: HttpRequest, city: Place, place: Place, refusal: refusals.Refusal | None = None
) -> HttpResponse:
    today = timezone.localdate()
    read = history_read(place, request.user)
    first, second = _pair(request, read, today)
    is_insider = permissions.has_role(place, request.user)
    shapes = np.array([to_shapely(edition.geometry) for edition in read.editions], dtype=object)
    view = history_presenters.history_view(
        read,
        area_m2(shapes).tolist() if len(shapes) else [],
        today,
        chosen=(first.pk if first else None, second.pk if second else None),
        is_insider=is_insider,
        may_restore=permissions.may_restore(place, request.user),
    )
    context = {
        "city": city,
        "place": place,
        "tab": "history",
        "view": view,
        "comparison": _comparison(request, city, place, view, first, second, is_insider) if first and second else None,
        "has_result": any(row.is_in_force for row in view.rows),
        "refusal": refusal,
        "locator": selectors.locator_read(city, request.user),
    }
    return render(request, "maps/reviews/history.html", context, status=refusal.status if refusal else 200)


def _pair(request: HttpRequest, read: PlaceHistory, today: date) -> tuple[Boundary | None, Boundary | None]:
    """Return the two editions to compare: those asked for, else the one in force with the approved one before it."""
    asked_a, asked_b = request.GET.get("a", ""), request.GET.get("b", "")
    approved = [e for e in read.editions if e.status == Boundary.Status.APPROVED]
    current = next((e for e in approved if history_presenters.is_approved_on(e, today)), None)
    current = current or next(iter(approved), None)
    before = None
    if current is not None:
        older = [
            e for e in approved if e.pk != current.pk and (e.valid.lower or today) < (current.valid.lower or today)
        ]
        before = next(iter(older), None)
    second = _edition(read, asked_b) if asked_b else current
    first = _edition(read, asked_a) if asked_a else before
    return (first, second) if first and second else (None, None)


def _comparison(
    request: HttpRequest,
    city: Place,
    place: Place,
    view: history_presenters.HistoryView,
    first: Boundary,
    second: Boundary,
    is_insider: bool,
) -> history_presenters.Comparison:
    rows = {row.number: row for row in view.rows}
    before, after = to_shapely(first.geometry), to_shapely(second.geometry)
    disputed = to_shapely(second.disputed) if second.disputed else None
    side = Side(place.code, place.name, before, after, place.kind == Place.Kind.SETTLEMENT, disputed)
    around_before, around = (
        selectors.around_read(city, request.user, [before, after], [place.code], selectors.day_of_edition(edition))
        for edition in (first, second)
    )
    own = selectors.compared(city, request.user, before, after)
    return history_presenters.comparison_of(
        place,
        rows[first.pk],
        rows[second.pk],
        own,
        presenters.pictures_of([side], around, place.code, around_before=around_before),
        is_insider=is_insider,
    )


@require_safe
def as_of(request: HttpRequest, city: str) -> HttpResponse:
    """Answer which boundaries a city had on a day, or will have by what is approved."""
    in_city = city_get(city, request.user)
    today = timezone.localdate()
    text, wrong = request.GET.get("date", "").strip(), ""
    day = today
    if text:
        try:
            day = day_typed(text, "date")
        except InvalidInput:
            wrong = text[:40]
    now = shapes_read(in_city, request.user)
    then = now if day == today else shapes_read(in_city, request.user, as_of=day)
    days = days_of_change(in_city, request.user)
    view = history_presenters.day_view(in_city, day, today, then, now, days)
    shapes = {**then.neighbourhoods, **then.settlements}
    context = {
        "city": in_city,
        "tab": "as-of",
        "view": view,
        "entry": wrong or view.entry,
        "wrong": wrong,
        "examples": [sentences.left_to_right(text) for text in ("1404/01/15", "2025-04-04")],
        "is_today": day == today,
        "drawing": outlines.draw(
            list(shapes), [code in then.settlements for code in shapes], np.array(list(shapes.values()), dtype=object)
        )
        if shapes
        else None,
    }
    return render(request, "maps/reviews/as_of.html", context, status=400 if wrong else 200)

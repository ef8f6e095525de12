"""Pages of change sets: the list, and one of them with what may be done about it."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from analysis.ground import people_counter
from analysis.selectors import city_get, people_reading
from geo import services
from geo.errors import MahallehError, NotFound
from geo.models import ChangeSet, Place
from geo.selectors import change_set_read
from maps.pages import selectors as pages_selectors
from maps.pages.selectors import may_draw
from maps.reviews import list_presenters, permissions, presenters, refusals, selectors, sentences
from maps.reviews.forms import StepAsked, listing_from, step_from

_DONE: Final = {
    "propose": lambda: _("Proposed. It now waits for a decision."),
    "approve": lambda: _("Approved. Its boundaries are in force from their day."),
    "return": lambda: _("Returned to its author with your comment."),
    "withdraw": lambda: _("Withdrawn. Its drawings are kept, and nothing of them comes into force."),
    "restore": lambda: _("Drafted. Propose it, and all is as it was before when somebody else approves it."),
}


@require_safe
def changes(request: HttpRequest, city: str) -> HttpResponse:
    """Answer what is proposed in a city, by whom, and whom it waits for."""
    in_city = city_get(city, request.user)
    listing = listing_from(request.GET.dict())
    place = pages_selectors.place_get(in_city, listing.place, request.user) if listing.place else None
    reader = permissions.shown_name(request.user) if request.user.is_authenticated else ""
    listed = selectors.change_sets_listed(
        in_city, request.user, show=listing.show, page=listing.page, place=place, reader_name=reader
    )
    context = {
        "city": in_city,
        "tab": "changes",
        "place": place,
        "listing": listing,
        "without_place": listing.query(place=""),
        "view": list_presenters.list_view(listed, listing, has_account=request.user.is_authenticated),
        "is_empty": not listed.counts["all"],
        "may_draw": may_draw(in_city, request.user),
        "has_role": permissions.has_role(in_city, request.user),
    }
    return render(request, "maps/reviews/changes.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def change(request: HttpRequest, city: str, number: int) -> HttpResponse:
    """Answer what a change set changes; take a step with it."""
    in_city = city_get(city, request.user)
    found = _change_set(in_city, number, request)
    if request.method != "POST":
        return _change_page(request, in_city, found)
    asked = None
    try:
        asked = step_from(request.POST.dict(), request.POST.getlist("acknowledged"))
        shown = _take(found, request, asked)
    except NotFound:
        raise
    except MahallehError as error:
        names = selectors.place_names(in_city, request.user, getattr(error, "conflicts", {}))
        refusal = refusals.refusal_of(error, names)
        kept = {
            "comment": request.POST.get("comment", "")[:10_000],
            "acknowledged": request.POST.getlist("acknowledged"),
            # What was said of another step is not offered as the reason for undoing it all.
            "is_other": request.POST.get("step") != "restore" and bool(request.POST.get("comment")),
        }
        return _change_page(
            request, in_city, _change_set(in_city, number, request), refusal, asked.version if asked else None, kept
        )
    messages.success(request, _DONE[asked.step]())
    return redirect("change", in_city.code, shown)


def _change_set(city: Place, number: int, request: HttpRequest) -> ChangeSet:
    found = change_set_read(number, request.user)
    if found.place_id != city.pk:
        raise NotFound(
            "There is no such change set.",
            code="unknown_change_set",
            where=f"change set {number}",
            remedy="Look in the list.",
        )
    return found


def _take(change_set: ChangeSet, request: HttpRequest, asked: StepAsked) -> int:
    """Take a step, and return the number of the change set to show next."""
    user = request.user
    if asked.step == "restore":
        return _undone(change_set, request, asked)
    if asked.step == "propose":
        services.change_set_propose(change_set, user, asked.version, asked.comment)
    elif asked.step == "approve":
        services.change_set_approve(change_set, user, asked.version, asked.comment, acknowledged=asked.acknowledged)
    elif asked.step == "return":
        services.change_set_return(change_set, user, asked.version, asked.comment)
    else:
        services.change_set_withdraw(change_set, user, asked.version, asked.comment)
    return change_set.pk


def _undone(change_set: ChangeSet, request: HttpRequest, asked: StepAsked) -> int:
    """Draft the undoing of a change set, and say what else it undoes."""
    people_of = people_counter(people_reading(change_set.place, request.user))
    saved = services.change_set_restore(change_set, request.user, comment=asked.comment, people_of=people_of)
    if saved.overtaken:
        names = selectors.place_names(change_set.place, request.user, saved.overtaken)
        told = sentences.few([names.get(code, code) for code in saved.overtaken])
        messages.warning(request, _("Changed again since, which would be undone too: %(names)s.") % {"names": told})
    return saved.change_set.pk


def _change_page(
    request: HttpRequest,
    city: Place,
    change_set: ChangeSet,
    refusal: refusals.Refusal | None = None,
    seen_version: int | None = None,
    kept: dict[str, Any] | None = None,
) -> HttpResponse:
    """Render the page of a change set, after a refusal with what was typed."""
    user = request.user
    touched = list(change_set.changes.all())
    sides = selectors.sides_of(touched)
    chosen = request.GET.get("place")
    if chosen and chosen not in {side.code for side in sides}:
        raise NotFound(
            f"The change set touches no place {chosen[:80]!r}.",
            code="unknown_place",
            where="place",
            remedy="Choose one from its table.",
        )
    shapes = [shape for side in sides for shape in (side.before, side.after)]
    around = selectors.around_read(
        city, user, shapes, [side.code for side in sides], selectors.day_of_context(change_set)
    )
    codes = {code for row in change_set.findings for code in row.get("codes", ())}
    view = presenters.change_view(
        change_set,
        sides,
        selectors.measured(city, user, touched, sides),
        around,
        selectors.place_names(city, user, codes) | {side.code: side.name for side in sides},
        permissions.waiting_for([change_set])[change_set.pk],
        chosen,
    )
    context = {
        "city": city,
        "tab": "changes",
        "change_set": change_set,
        "view": view,
        "steps": permissions.steps_of(change_set, user),
        "replaced": [presenters.replaced_row(each) for each in selectors.replaced_since(change_set, touched)],
        "hides_some": len(touched) < permissions.places_touched(change_set),
        "refusal": refusal,
        "since": presenters.steps_since(change_set, seen_version) if refusal and seen_version is not None else (),
        "kept": kept or {"comment": "", "acknowledged": []},
        "locator": selectors.locator_read(city, user),
        "touched": {side.code: "touched" for side in sides},
    }
    return render(request, "maps/reviews/change.html", context, status=refusal.status if refusal else 200)

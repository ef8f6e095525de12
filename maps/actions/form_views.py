"""Forms of actions: entered, changed, taken a step further, reported on."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from analysis.selectors import city_get
from geo.errors import Conflict, Forbidden, InvalidInput, LimitExceeded, MahallehError, NotFound
from geo.models import Place
from geo.querysets import User, assigned_q, is_administrator
from interventions.models import Action, Approach, Milestone, Need, Organisation, Proposal, Sector
from interventions.querysets import LEADING_ROLES
from interventions.selectors import paths_around
from interventions.selectors.actions import action_get
from interventions.services import (
    action_amend,
    action_enter,
    action_from_proposal,
    action_hand_over,
    action_step,
    milestone_put,
    milestone_reach,
    progress_report,
)
from maps.actions import presenters
from maps.actions.forms import action_spec_from, day, entered, progress_spec_from, whole
from maps.actions.views import WORKERS, action_page
from maps.catalogue.refusals import refusal_text
from maps.needs.selectors import map_config
from maps.pages import formats
from maps.pages.reader import language

_REFUSED = (InvalidInput, Conflict, LimitExceeded)
"""What a person can mend: the form comes again with what was typed."""


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def enter(request: HttpRequest, city: str) -> HttpResponse:
    """Enter an action, or that of an accepted proposal (``proposal``)."""
    place = city_get(city, request.user)
    places = _places(place, request.user)
    if not places:
        raise Forbidden(
            "Your roles in this place do not allow this.",
            code="role_missing",
            where=place.code,
            remedy=f"It takes one of the roles {', '.join(sorted(WORKERS))}.",
        )
    text = request.POST.get("proposal") or request.GET.get("proposal") or ""
    proposal = _proposal(place, text, request.user) if text else None
    if request.method != "POST":
        return _form(request, place, places, None, proposal=proposal)
    try:
        if proposal is not None:
            data = request.POST
            made = action_from_proposal(
                user=request.user,
                proposal=proposal,
                sector=Sector.objects.filter(code=data.get("sector", "")[:60]).first(),
                starts_on=day(data, "starts_on") if data.get("starts_on") else None,
                ends_on=day(data, "ends_on") if data.get("ends_on") else None,
            )
        else:
            spec = action_spec_from(request.POST.dict(), place, request.user, request.POST.getlist("needs"))
            made = action_enter(user=request.user, spec=spec)
    except _REFUSED as error:
        return _form(request, place, places, None, error, proposal=proposal)
    messages.success(request, _("Entered."))
    return redirect("action", place.code, made.pk)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def amend(request: HttpRequest, city: str, number: int) -> HttpResponse:
    """Say an action otherwise."""
    place = city_get(city, request.user)
    found = action_get(place, number, request.user)
    places = _places(place, request.user)
    if not places:
        raise Forbidden(
            "Your roles in this place do not allow this.",
            code="role_missing",
            where=place.code,
            remedy=f"It takes one of the roles {', '.join(sorted(WORKERS))}.",
        )
    if request.method != "POST":
        return _form(request, place, places, found)
    try:
        data = request.POST.dict() | {"organisation": str(found.organisation_id)}
        spec = action_spec_from(data, place, request.user, request.POST.getlist("needs"))
        action_amend(user=request.user, action=found, spec=spec, version=_version(request))
    except _REFUSED as error:
        return _form(request, place, places, found, error)
    messages.success(request, _("Saved."))
    return redirect("action", place.code, number)


@login_required
@require_POST
def step(request: HttpRequest, city: str, number: int) -> HttpResponse:
    """Take an action a step further, or hand it over."""
    place = city_get(city, request.user)
    found = action_get(place, number, request.user)
    data = request.POST
    kept = {name: data.get(name, "")[:2000] for name in ("event", "reason", "day", "to")}
    try:
        if kept["event"] == "hand-over":
            to = Organisation.objects.visible_to(request.user).filter(pk=whole(kept["to"], "to", 2**31)).first()
            if to is None:
                raise InvalidInput(
                    "Nobody is chosen.", code="bad_choice", where="to", remedy="Choose the organisation."
                )
            made = action_hand_over(
                user=request.user, action=found, to=to, reason=kept["reason"], version=_version(request)
            )
            messages.success(request, _("Handed over. This is the action of the other organisation."))
            return redirect("action", place.code, made.pk)
        action_step(
            user=request.user,
            action=found,
            event=kept["event"],
            day=day(kept, "day") if kept["day"] else None,
            reason=kept["reason"],
            version=_version(request),
        )
    except _REFUSED as error:
        return action_page(request, place, number, error, kept)
    messages.success(request, _("Done."))
    return redirect("action", place.code, number)


@login_required
@require_POST
def progress(request: HttpRequest, city: str, number: int) -> HttpResponse:
    """Take a report of progress."""
    place = city_get(city, request.user)
    found = action_get(place, number, request.user)
    kept = {name: request.POST.get(name, "")[:4000] for name in ("done_percent", "spent_irr", "people_reached", "text")}
    try:
        progress_report(
            user=request.user, action=found, spec=progress_spec_from(kept), version=_version(request)
        )  # fmt: skip
    except _REFUSED as error:
        return action_page(request, place, number, error, kept)
    messages.success(request, _("Reported."))
    return redirect("action", place.code, number)


@login_required
@require_POST
def milestones(request: HttpRequest, city: str, number: int) -> HttpResponse:
    """Set a milestone, or say on which day one was reached."""
    place = city_get(city, request.user)
    found = action_get(place, number, request.user)
    kept = {
        name: request.POST.get(name, "")[:400]
        for name in ("milestone", "milestone_fa", "milestone_en", "due_on", "reached_on")
    }
    try:
        if kept["milestone"]:
            chosen = Milestone.objects.filter(action=found, pk=whole(kept["milestone"], "milestone", 2**62)).first()
            if chosen is None:
                raise InvalidInput(
                    "The milestone is one of another action.",
                    code="other_action",
                    where="milestone",
                    remedy="Choose one of this action.",
                )
            reached = day(kept, "reached_on") if kept["reached_on"] else None
            milestone_reach(user=request.user, milestone=chosen, reached_on=reached)
        else:
            milestone_put(
                user=request.user,
                action=found,
                due_on=day(kept, "due_on"),
                title_fa=kept["milestone_fa"],
                title_en=kept["milestone_en"],
            )
    except _REFUSED as error:
        return action_page(request, place, number, error, kept)
    messages.success(request, _("Saved."))
    return redirect("action", place.code, number)


# ---- parts


def _version(request: HttpRequest) -> int:
    """Return the version of the action that the person had before them."""
    return whole(request.POST.get("version", ""), "version", 2**31)


def _places(city: Place, user: User) -> list[Place]:
    """Return the places of a city in which a user has a role by which actions are entered."""
    found = Place.objects.within(city) | Place.objects.filter(pk=city.pk)
    if not is_administrator(user):
        found = found.filter(assigned_q(user, roles=tuple(WORKERS)))
    kinds = [Place.Kind.CITY, Place.Kind.SETTLEMENT, Place.Kind.NEIGHBOURHOOD]
    return sorted(found.filter(kind__in=kinds), key=lambda one: (kinds.index(Place.Kind(one.kind)), one.name))


def _organisations(city: Place, user: User) -> list[Organisation]:
    """Return for whom a user may enter actions: all that work in the city for who leads there, else the user's own."""
    works = Organisation.objects.approved().filter(Q(place__path__in=paths_around(city)) | Q(place__path__startswith=f"{city.path}/"))  # fmt: skip
    leads = is_administrator(user) or Place.objects.within(city).filter(assigned_q(user, roles=LEADING_ROLES)).exists()
    if not leads:
        works = works.filter(pk__in=Organisation.objects.of_member(user).order_by().values("pk"))
    return sorted(works, key=lambda one: one.name)


def _proposal(city: Place, text: str, user: User) -> Proposal:
    number = whole(text, "proposal", 2**62)
    found: Proposal | None = (
        Proposal.objects.visible_to(user).filter(pk=number).select_related("organisation", "round__place").first()
    )
    if (
        found is None
        or not found.needs.filter(Q(place__path=city.path) | Q(place__path__startswith=f"{city.path}/")).exists()
    ):
        raise NotFound(
            "There is no such proposal here, or you may not see it.",
            code="unknown_proposal",
            where=str(number),
            remedy="Choose one from the list of proposals.",
        )
    return found


def _form(
    request: HttpRequest,
    city: Place,
    places: list[Place],
    action: Action | None,
    error: MahallehError | None = None,
    *,
    proposal: Proposal | None = None,
) -> HttpResponse:
    user, data = request.user, request.POST.dict() if error else None
    values = entered(action, data)
    if data is None and action is None and request.GET.get("place"):
        values["place"] = request.GET["place"][:80]
    chosen = set(request.POST.getlist("needs")) if error else set()
    if action is not None and error is None:
        chosen = {str(pk) for pk in action.needs.values_list("pk", flat=True)}
    needs = Need.objects.visible_to(user).within(city).counted().select_related("place", "sector")
    context: dict[str, Any] = {
        "city": city,
        "tab": "actions",
        "action": action,
        "proposal": proposal,
        "values": values,
        "places": places,
        "organisations": [action.organisation] if action else _organisations(city, user),
        "sectors": Sector.objects.all(),
        "approaches": Approach.choices,
        "needs": [
            (str(need.pk), f"{need.place.name} · {need.sector.name}: {need.text}", str(need.pk) in chosen)
            for need in needs.order_by("place__path", "-severity", "pk")[:200]
        ],
        "version": action.version if action else "",
        "example": formats.day_in_figures(timezone.localdate(), language()),
        "refusal": refusal_text(error) if error else None,
        "wrong": error.where.split(", ")[-1] if error else "",
        "budget_text": presenters.money(action.budget_irr, language()) if action else "",
        "config": {"map": map_config(city, user)},
    }
    return render(request, "maps/actions/form.html", context, status=error.status if error else 200)

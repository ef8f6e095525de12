"""Pages of proposals, for people with a role in a city: the list, the form, one proposal and what may be done with it."""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from geo.errors import Conflict, Forbidden, GeometryError, InvalidInput, LimitExceeded
from geo.models import Place
from geo.querysets import User
from interventions.core.transitions import PROPOSAL, STANDING_PROPOSALS, ProposalState
from interventions.models import Action, Assessment, Proposal
from interventions.selectors import (
    Offering,
    ProposalFound,
    capacities_near,
    history_of,
    offering_of,
    organisation_labels,
    proposal_found,
    proposal_get,
    proposal_rows,
    proposals_found,
    rounds_of,
)
from interventions.services import (
    Ruling,
    assessment_say,
    assessments_ask,
    decisions_take,
    effect_refresh,
    effects_refresh,
    proposal_return,
    proposal_save,
    proposal_submit,
    proposal_withdraw,
)
from maps.blocks.prefill import plan_values
from maps.capacities.presenters import near_sentence
from maps.needs.selectors import city_of_workers, map_config, services_of
from maps.pages.reader import language, page_of
from maps.pages.typed import Typed
from maps.proposals import presenters
from maps.proposals.forms import spec_from, typed_from, typed_of, version_of
from maps.siting.offers import planned_values

Refusals = (InvalidInput, Conflict, GeometryError, LimitExceeded)
PAGE: Final = 50

EFFECTS_S: Final = 1.0
"""Seconds that a list spends on effects that are out of date."""


# ---- the list


@login_required
@require_safe
def proposals(request: HttpRequest, city: str) -> HttpResponse:
    """Answer which proposals there are."""
    place = city_of_workers(city, request)
    asked = request.GET.get("round", "")
    found = proposals_found(place, request.user)
    rounds = rounds_of(place, request.user)
    chosen = next((row for row in rounds if str(row.pk) == asked), None)
    if chosen is not None:
        found = found.filter(round=chosen.pk)
    page = page_of(request)
    start = (page - 1) * PAGE
    every = list(found[start : start + PAGE])
    effects_refresh([one for one in every if one.service_id], EFFECTS_S)
    rows = proposal_rows(every, request.user)
    total = found.count()
    waiting = found.filter(state=ProposalState.SUBMITTED).count()
    chosen_query = f"round={chosen.pk}&" if chosen else ""
    context = {
        "city": place,
        "tab": "proposals",
        "finding": presenters.list_sentence(total, waiting),
        "rows": [presenters.proposal_view(row, place.code) for row in rows],
        "rounds": [(row.pk, row.name, row == chosen) for row in rounds],
        "may_offer": offering_of(request.user, place).is_possible,
        "page_before": f"?{chosen_query}page={page - 1}" if page > 1 else "",
        "page_after": f"?{chosen_query}page={page + 1}" if start + PAGE < total else "",
    }
    return render(request, "maps/proposals/list.html", context)


# ---- the form


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with the form; take in a draft or hand it in."""
    place = city_of_workers(city, request)
    offering = offering_of(request.user, place)
    if request.method != "POST":
        wanted = request.GET.get("need", "")
        first = Typed(
            {
                "round": str(offering.rounds[0].pk) if offering.rounds else "",
                "organisation": str(offering.organisations[0].pk) if len(offering.organisations) == 1 else "",
                **plan_values(request.GET, place, request.user),
            },
            {"needs": [str(one.pk) for one in offering.needs if str(one.pk) == wanted], "departments": []},
        )
        first.values = {**first.values, **planned_values(request.GET.dict(), place, request.user)}
        return _form_page(request, place, offering, first)
    typed = typed_from(request.POST)
    if not offering.is_possible:
        raise Forbidden(
            "Your roles in this place do not allow this.",
            code="role_missing",
            remedy=f"It takes one of the roles {', '.join(sorted(PROPOSAL['draft'].roles))}.",
        )
    spec = spec_from(typed, offering)
    if spec is not None:
        act = proposal_submit if typed.values["do"] == "submit" else proposal_save
        try:
            made = act(user=request.user, spec=spec)
        except Refusals as error:
            typed.refuse(error)
        else:
            return _done(request, place, made)
    return _form_page(request, place, offering, typed, status=400)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, city: str, number: int) -> HttpResponse:
    """Answer with the form filled in with a draft or returned proposal; keep it or hand it in."""
    place = city_of_workers(city, request)
    found = proposal_found(number, request.user, place)
    offering = offering_of(request.user, place)
    if request.method != "POST":
        if "amend" not in found.events:
            raise Forbidden(
                "This proposal cannot be changed by you, or not any more.",
                code="role_missing",
                where=f"proposal {number}",
                remedy="Only drafts and returned proposals are changed, by their organisation or the supervisor.",
            )
        return _form_page(request, place, offering, typed_of(found.proposal), found=found)
    typed = typed_from(request.POST)
    spec = spec_from(typed, offering, found.proposal)
    status = 400
    theirs = None
    if spec is not None:
        act = proposal_submit if typed.values["do"] == "submit" else proposal_save
        try:
            made = act(user=request.user, spec=spec, proposal=found.proposal, version=version_of(typed))
        except Conflict as error:
            status = 409
            if error.code == "stale":
                # What was typed stays; the next try is based on what stands now, which is shown beside it.
                typed.values = {**typed.values, "version": str(found.proposal.version)}
                theirs = presenters.proposal_view(found.row, place.code)
            typed.refuse(error)
        except Refusals as error:
            typed.refuse(error)
        else:
            return _done(request, place, made)
    return _form_page(request, place, offering, typed, found=found, theirs=theirs, status=status)


def _done(request: HttpRequest, city: Place, made: Proposal) -> HttpResponse:
    effect_refresh(made)
    if made.state == ProposalState.SUBMITTED:
        messages.success(request, _("The proposal is handed in."))
    else:
        messages.success(request, _("The draft is kept. Nobody but your organisation and the supervisor sees it."))
    return redirect("proposal", city.code, made.pk)


def _capacities(found: ProposalFound, city: Place, user: User) -> dict[str, str]:
    """Return how many capacities there are where a proposal works that may help in its sector, and where they are listed."""
    places = tuple({need.place.pk: need.place for need in found.needs}.values())
    sector = found.proposal.sector.code if found.proposal.sector else ""
    asked = {"area": places[0].code if len(places) == 1 else "", "sector": sector}
    query = urlencode({name: value for name, value in asked.items() if value})
    return {
        "capacities_text": near_sentence(capacities_near(places, city, user, sector)),
        "capacities_address": f"{reverse('capacities', args=[city.code])}?{query}",
    }


def _form_page(
    request: HttpRequest,
    city: Place,
    offering: Offering,
    typed: Typed,
    *,
    found: ProposalFound | None = None,
    theirs: presenters.ProposalView | None = None,
    status: int = 200,
) -> HttpResponse:
    values = typed.values
    needs = list(offering.needs)
    if found is not None:
        known = {need.pk for need in needs}
        needs = [need for need in needs if need.round_id == found.proposal.round_id]
        needs += [need for need in found.needs if need.pk not in known]
    groups: dict[str, list[dict[str, Any]]] = {}
    for need in sorted(needs, key=lambda one: (one.place.name, -one.severity, one.pk)):
        groups.setdefault(need.place.name, []).append(
            {
                "pk": str(need.pk),
                "place": need.place.code,
                "text": need.text,
                "sector": need.sector.name,
                "people": presenters.people_text(need.people_affected),
                "is_chosen": str(need.pk) in typed.lists.get("needs", []),
            }
        )
    organisations = offering.organisations
    if found is not None and found.proposal.organisation not in organisations:
        organisations = (*organisations, found.proposal.organisation)
    context = {
        "city": city,
        "tab": "proposals",
        "found": found,
        "theirs": theirs,
        "typed": typed,
        "is_persian": language() == "fa",
        "is_possible": found is not None or offering.is_possible,
        "rounds": [(str(one.pk), one.name, str(one.pk) == values.get("round")) for one in offering.rounds],
        "organisations": [
            (str(pk), label, str(pk) == values.get("organisation")) for pk, label in organisation_labels(organisations)
        ],
        "groups": list(groups.items()),
        "services": [(one.code, one.name, one.code == values.get("service")) for one in services_of(city)],
        "dates": [
            {"name": name, "label": label, "value": values.get(name, ""), "wrong": typed.wrong.get(name, "")}
            for name, label in (("starts_on", _("Begins on")), ("ends_on", _("Ends on")))
        ],
        "config": {"map": map_config(city, request.user)},
    }
    return render(request, "maps/proposals/form.html", context, status=status)


# ---- one proposal


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def proposal_page(request: HttpRequest, city: str, number: int) -> HttpResponse:
    """Answer what a proposal offers, what it would do and what is said of it; take the reader's step."""
    place = city_of_workers(city, request)
    if request.method != "POST":
        return _proposal_page(request, place, number)
    proposal = proposal_get(number, request.user, place)
    typed = typed_from(request.POST)
    step = typed.values["do"]
    try:
        _step(request, place, proposal, step, typed)
    except Refusals as error:
        typed.refuse(error)
        return _proposal_page(request, place, number, typed, 409 if isinstance(error, Conflict) else 400)
    messages.success(request, presenters.done_sentence(step))
    return redirect("proposal", place.code, number)


def _step(request: HttpRequest, city: Place, proposal: Proposal, step: str, typed: Typed) -> None:
    user, reason = request.user, typed.values["reason"]
    if step == "withdraw":
        proposal_withdraw(user=user, proposal=proposal, reason=reason)
    elif step == "return":
        proposal_return(user=user, proposal=proposal, reason=reason, version=version_of(typed))
    elif step in ("accept", "refuse", "reconsider"):
        decisions_take(user=user, rulings=[Ruling(proposal, step, reason, version_of(typed))])
    elif step == "ask":
        found = proposal_found(proposal.pk, user, city)
        chosen = [one for one in found.departments if str(one.pk) in typed.lists["departments"]]
        assessments_ask(user=user, proposal=proposal, organisations=chosen)
    elif step == "say":
        number = typed.values["assessment"]
        key = int(number) if number.isascii() and number.isdecimal() and len(number) < 19 else 0
        assessment = Assessment.objects.visible_to(user).filter(proposal=proposal, pk=key).first()
        if assessment is None:
            raise InvalidInput(
                "There is no such choice here, or you may not see it.",
                code="unknown_choice",
                where="assessment",
                remedy="Choose one of those offered.",
            )
        assessment_say(user=user, assessment=assessment, event=typed.values["event"], reason=reason)
    else:
        raise InvalidInput(
            f"“{step[:40]}” is no step of a proposal.",
            code="unknown_event",
            where="do",
            remedy="Choose one of those offered.",
            details={"value": step[:40]},
        )


def _proposal_page(
    request: HttpRequest, city: Place, number: int, typed: Typed | None = None, status: int = 200
) -> HttpResponse:
    effect_refresh(proposal_get(number, request.user, city))
    found = proposal_found(number, request.user, city)
    proposal, view = found.proposal, presenters.proposal_view(found.row, city.code)
    lang = language()
    effects = [("fa", "rtl", proposal.effect_fa), ("en", "ltr", proposal.effect_en)]
    context = {
        "city": city,
        "tab": "proposals",
        "found": found,
        "proposal": proposal,
        "view": view,
        "effects": [one for one in sorted(effects, key=lambda one: one[0] != lang) if one[2]],
        "effect_places": presenters.effect_places(found.row.effect),
        "index_sentence": presenters.index_sentence(found.row.effect),
        "needs": [(need, reverse("need", args=[city.code, need.pk])) for need in found.needs],
        **_capacities(found, city, request.user),
        "actions": Action.objects.visible_to(request.user)
        .within(city)
        .filter(proposal=proposal)
        .select_related("organisation"),
        "speaking": [one for one in view.assessments if one.events],
        "may": set(found.events),
        "is_standing": proposal.state in STANDING_PROPOSALS,
        "asked": {one.organisation_id for one in proposal.assessments.all()},
        "history": presenters.history_view(history_of(proposal, request.user)),
        "typed": typed or Typed({"reason": ""}, {"departments": []}),
        "config": {
            "map": map_config(city, request.user),
            "geometry": json.loads(proposal.geometry.geojson) if proposal.geometry else None,
        },
    }
    return render(request, "maps/proposals/proposal.html", context, status=status)

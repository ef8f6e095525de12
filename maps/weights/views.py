"""Pages of institutions' weights, for people with a role in the city: side by side, one of them, and the form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from analysis.indicators import IndicatorRow, indicator_rows
from analysis.indices.weighing import MOST_SETS, GivenWeights, WeightComparison, domain_weights, weights_compare
from analysis.indices.weights_workbook import weights_workbook
from analysis.selectors import city_get, places_read
from geo.errors import Conflict, Forbidden, InvalidInput, NotFound
from geo.models import Place
from interventions.core.transitions import WEIGHTS
from interventions.models import Organisation, WeightSet
from interventions.selectors import (
    WeightSetFound,
    history_of,
    keeping_of,
    weight_set_events,
    weight_set_found,
    weight_sets_of,
)
from interventions.services import weight_set_review, weight_set_save
from layers.writing.worksheet import MEDIA_TYPE
from maps.pages.reader import language
from maps.pages.selectors import drawing_read
from maps.pages.typed import Typed
from maps.problems import problem_of
from maps.weights import form_presenters, presenters, set_presenters, words
from maps.weights.forms import (
    CompareState,
    Draft,
    compare_state_from,
    domains_of,
    draft_from,
    points_left,
    spec_from,
    typed_first,
    typed_from,
    typed_of,
    version_of,
)

Refusals = (InvalidInput, Conflict)


# ---- side by side


@login_required
@require_safe
def compare(request: HttpRequest, city: str) -> HttpResponse:
    """Answer how institutions rank the places of a city by their weights, and where they disagree."""
    place = city_get(city, request.user)
    known = indicator_rows(place, request.user)
    state = compare_state_from(request.GET, _kind_of(place, request))
    every, kept = _sets_of(place, request)
    chosen = _chosen(state, every, kept)
    view, problem = None, None
    if chosen:
        try:
            found = _compared(place, request, chosen, known, state)
            view = presenters.compare_view(found, chosen, city=place.code, kind=state.kind, known=known)
        except InvalidInput as error:
            problem = problem_of(error)
    listed = every if state.with_archived else kept
    labels = set_presenters.labels_of(listed)
    context = {
        "city": place,
        "tab": "index",
        "view": view,
        "problem": problem,
        "sets": [
            set_presenters.set_view(
                one, labels[one.pk], city=place.code, kind=state.kind, known=known, is_chosen=one in chosen,
                may_change=bool(weight_set_events(one, request.user)),
            )
            for one in listed
        ],
        "kinds": presenters.kinds_view(state.kind),
        "may_keep": bool(keeping_of(request.user, place)),
        "away": len(every) - len(kept),
        "with_archived": state.with_archived,
        "drawing": drawing_read(place, request.user) if view else None,
        "fills": view.fills if view else {},
        "query": request.GET.urlencode(),
    }  # fmt: skip
    return render(request, "maps/weights/compare.html", context, status=400 if problem else 200)


@login_required
@require_safe
def export(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with the comparison that the address asks for as a workbook."""
    place = city_get(city, request.user)
    known = indicator_rows(place, request.user)
    state = compare_state_from(request.GET, _kind_of(place, request))
    chosen = _chosen(state, *_sets_of(place, request))
    if not chosen:
        raise NotFound(
            "No institution keeps weights here yet.",
            code="no_weights",
            remedy="Keep weights of an institution first.",
        )
    found = _compared(place, request, chosen, known, state)
    content = weights_workbook(found, [set_presenters.set_told(one) for one in chosen], state.question)
    response = HttpResponse(content, content_type=MEDIA_TYPE)
    response["Content-Disposition"] = f'attachment; filename="{place.code}-weights.xlsx"'
    response["Cache-Control"] = "private, no-cache"
    return response


def _sets_of(city: Place, request: HttpRequest) -> tuple[list[WeightSet], list[WeightSet]]:
    """Return all sets of weights of a city, and those that are not put away."""
    every = list(weight_sets_of(city, request.user, with_archived=True))
    return every, [one for one in every if one.archived_at is None]


def _kind_of(city: Place, request: HttpRequest) -> str:
    """Return which places are ranked where nobody says: settlements lie over neighbourhoods and are ranked among themselves."""
    rows = places_read(city, request.user).rows
    return "settlement" if any(row.kind == Place.Kind.SETTLEMENT for row in rows) else ""


def _chosen(state: CompareState, every: Sequence[WeightSet], kept: list[WeightSet]) -> list[WeightSet]:
    if not state.chosen:
        return kept[:MOST_SETS]
    by_key = {one.pk: one for one in every}
    for number in state.chosen:
        if number not in by_key:
            raise NotFound(
                f"There is no set of weights {number} here, or you may not see it.",
                code="unknown_weights",
                remedy="Choose one from the list of weights.",
                details={"number": number},
            )
    return [by_key[number] for number in state.chosen]


def _compared(
    city: Place, request: HttpRequest, sets: Sequence[WeightSet], known: Sequence[IndicatorRow], state: CompareState
) -> WeightComparison:
    given = [
        GivenWeights(str(one.pk), one.weights, tuple((a, b, value) for a, b, value in one.comparisons)) for one in sets
    ]
    codes = [one.code for one in known]
    return weights_compare(city=city, user=request.user, sets=given, known=codes, question=state.question)


# ---- one set


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def weight_set(request: HttpRequest, city: str, number: int) -> HttpResponse:
    """Answer what an institution says counts; put it away, or take it out again."""
    place = city_get(city, request.user)
    known = indicator_rows(place, request.user)
    found = weight_set_found(number, request.user, place)
    problem = None
    if request.method == "POST":
        event = request.POST.get("do", "")[:20]
        try:
            weight_set_review(user=request.user, weight_set=found.weight_set, event=event)
        except Refusals as error:
            problem = problem_of(error)
        else:
            messages.success(request, set_presenters.done_sentence(event))
            return redirect("weight-set", place.code, number)
    one = found.weight_set
    context = {
        "city": place,
        "tab": "index",
        "problem": problem,
        "set": set_presenters.set_view(
            one, one.organisation.name, city=place.code, kind=_kind_of(place, request), known=known, is_chosen=False,
            may_change=bool(found.events),
        ),
        "view": set_presenters.one_view(one, known),
        "events": found.events,
        "history": set_presenters.history_view(history_of(one, request.user)),
    }  # fmt: skip
    return render(request, "maps/weights/set.html", context, status=problem["status"] if problem else 200)


# ---- the form


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with the form of an institution's weights; keep them."""
    place = city_get(city, request.user)
    known = indicator_rows(place, request.user)
    organisations = keeping_of(request.user, place)
    if not organisations:
        raise _not_allowed()
    if request.method != "POST":
        typed = typed_first(known, request.GET.dict())
        if len(organisations) == 1:
            typed.values = {**typed.values, "organisation": str(organisations[0].pk)}
        return _form_page(request, place, known, organisations, typed)
    return _form_sent(request, place, known, organisations)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def amend(request: HttpRequest, city: str, number: int) -> HttpResponse:
    """Answer with the form filled in with a set of weights; change it."""
    place = city_get(city, request.user)
    known = indicator_rows(place, request.user)
    found = weight_set_found(number, request.user, place)
    if "amend" not in found.events:
        raise _not_allowed()
    organisations = (found.weight_set.organisation,)
    if request.method != "POST":
        return _form_page(request, place, known, organisations, typed_of(found.weight_set, known), found=found)
    return _form_sent(request, place, known, organisations, found)


def _not_allowed() -> Forbidden:
    return Forbidden(
        "Your roles in this place do not allow this.",
        code="role_missing",
        remedy=f"It takes one of the roles {', '.join(sorted(WEIGHTS['record'].roles))}.",
    )


def _form_sent(
    request: HttpRequest,
    city: Place,
    known: Sequence[IndicatorRow],
    organisations: Sequence[Organisation],
    found: WeightSetFound | None = None,
) -> HttpResponse:
    typed = typed_from(request.POST, known)
    if found is not None:
        typed.values = {**typed.values, "organisation": str(found.weight_set.organisation_id)}
    draft = draft_from(typed, known)
    if typed.values["do"] == "look":
        if request.POST.get("part") == "live":
            context = {"live": _live(request, city, known, typed, draft)}
            return render(request, "maps/weights/_live.html", context)
        return _form_page(request, city, known, organisations, typed, found=found, draft=draft)
    spec = spec_from(typed, draft, city, organisations) if draft is not None else None
    status, theirs = 400, False
    if spec is not None:
        try:
            made = weight_set_save(
                user=request.user,
                spec=spec,
                weight_set=found.weight_set if found else None,
                version=version_of(typed),
            )
        except Conflict as error:
            status = 409
            if error.code == "stale" and found is not None:
                # What was typed stays; the next try is based on what stands now, which is shown beside it.
                typed.values = {**typed.values, "version": str(found.weight_set.version)}
                theirs = True
            typed.refuse(error)
        except InvalidInput as error:
            typed.refuse(error)
        else:
            messages.success(request, set_presenters.done_sentence("amend" if found else "record"))
            return redirect("weight-set", city.code, made.pk)
    return _form_page(
        request, city, known, organisations, typed, found=found, draft=draft, is_stale=theirs, status=status
    )


def _live(
    request: HttpRequest, city: Place, known: Sequence[IndicatorRow], typed: Typed, draft: Draft | None
) -> form_presenters.LiveView:
    """Say what the weights that are typed lead to."""
    how, left = typed.values.get("how", ""), points_left(typed, known)
    if draft is None:
        return form_presenters.live_view(how=how, points=left, problem=next(iter(typed.wrong.values()), ""))
    try:
        weights, compared = draft.weights, None
        if draft.comparisons:
            members = domains_of([one for one in known if one.code in draft.weights])
            codes = {domain: [one.code for one in rows] for domain, rows in members.items()}
            compared = domain_weights(codes, draft.comparisons)
            weights = dict(compared.weights)
        state = compare_state_from(request.GET, _kind_of(city, request))
        ranked = weights_compare(
            city=city, user=request.user, sets=[GivenWeights("", weights)], known=[one.code for one in known],
            question=state.question,
        )  # fmt: skip
    except InvalidInput as error:
        told = problem_of(error)
        return form_presenters.live_view(how=how, points=left, problem=f"{told['title']} {told.get('remedy', '')}")
    return form_presenters.live_view(
        how=how, points=left, compared=compared, shares=form_presenters.shares_of(weights), known=known, ranked=ranked
    )


def _form_page(
    request: HttpRequest,
    city: Place,
    known: Sequence[IndicatorRow],
    organisations: Sequence[Organisation],
    typed: Typed,
    *,
    found: WeightSetFound | None = None,
    draft: Draft | None = None,
    is_stale: bool = False,
    status: int = 200,
) -> HttpResponse:
    if draft is None and not typed.wrong:
        draft = draft_from(probe := Typed(typed.values, typed.lists), known)
        live = _live(request, city, known, probe, draft)
    else:
        live = _live(request, city, known, Typed(typed.values, typed.lists, dict(typed.wrong)), draft)
    differences: tuple[Any, ...] = ()
    if is_stale and found is not None and draft is not None:
        differences = form_presenters.difference_views(found.weight_set.weights, _weights_of(draft, known), known)
    context = {
        "city": city,
        "tab": "index",
        "form": form_presenters.form_view(known, organisations, typed, live.odd_field),
        "typed": typed,
        "found": found,
        "live": live,
        "is_stale": is_stale,
        "differences": differences,
        "is_persian": language() == "fa",
        "words": {
            "pairs": words.pair_words(),
            "domains": {code: words.domain_name(code) for code in domains_of(known)},
        },
    }
    return render(request, "maps/weights/form.html", context, status=status)


def _weights_of(draft: Draft, known: Sequence[IndicatorRow]) -> dict[str, float]:
    """Return what a draft weighs, of comparisons what follows from them."""
    if not draft.comparisons:
        return dict(draft.weights)
    members = domains_of([one for one in known if one.code in draft.weights])
    codes = {domain: [one.code for one in rows] for domain, rows in members.items()}
    return dict(domain_weights(codes, draft.comparisons).weights)

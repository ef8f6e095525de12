"""Pages of needs, for people with a role in a city: the list, the form, one need and what may be done with it."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode
from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from geo.errors import Conflict, Forbidden, GeometryError, InvalidInput, LimitExceeded
from geo.models import Place
from interventions.core.transitions import NEED, NEEDS_REASON
from interventions.models import Approach, Need, Sector
from interventions.selectors import (
    NeedFound,
    NeedRow,
    Reporting,
    capacities_near,
    history_of,
    need_found,
    need_get,
    need_rows,
    needs_found,
    organisation_labels,
    reporting_of,
    rounds_of,
)
from interventions.services import evidence_add, need_amend, need_report, need_review
from layers.services.files import MOST_BYTES
from maps.capacities.presenters import near_sentence
from maps.needs import presenters, selectors
from maps.needs.forms import (
    PAGE,
    STANDINGS,
    body_from,
    list_state_from,
    spec_of,
    typed_from,
    typed_of,
    wrong_sentences,
)
from maps.offline.selectors import form_config
from maps.pages import formats
from maps.pages.evidence import evidence_views
from maps.pages.files import takes_file
from maps.pages.reader import language
from maps.pages.typed import Typed

Refusals = (InvalidInput, Conflict, GeometryError, LimitExceeded)
PHOTO_TYPES: Final = ("image/jpeg", "image/png", "image/webp", "application/pdf")
EVENTS: Final = ("confirm", "merge", "reject", "reopen", "withdraw")


# ---- the list


@login_required
@require_safe
def needs(request: HttpRequest, city: str) -> HttpResponse:
    """Answer which needs there are."""
    place = selectors.city_of_workers(city, request)
    state = list_state_from(request.GET.dict())
    found = needs_found(place, request.user, state.asked(request.user))
    start = (state.page - 1) * PAGE
    total = found.count()
    rows = need_rows(found[start : start + PAGE], request.user)
    reporting = reporting_of(request.user, place)
    parts = (
        Place.objects.visible_to(request.user)
        .within(place)
        .filter(kind__in=(Place.Kind.NEIGHBOURHOOD, Place.Kind.SETTLEMENT))
    )
    lang = language()
    context = {
        "city": place,
        "tab": "needs",
        "state": state,
        "rows": [presenters.need_view(row, place.code) for row in rows],
        "total_text": formats.number(total, lang),
        "total": total,
        "finding": presenters.list_sentence(total, state.standing),
        "may_report": reporting.is_possible,
        "areas": [(one.code, one.name, one.code == state.area) for one in parts.order_by("-kind", "name_fa", "code")],
        "sectors": [(one.code, one.name, one.code == state.sector) for one in Sector.objects.all()],
        "standings": [(code, word, code == state.standing) for code, word in presenters.standing_words(STANDINGS)],
        "severities": [(n, word, n == state.severity) for n, word in presenters.severity_words()],
        "rounds": [(row.pk, row.name, row.pk == state.round) for row in rounds_of(place, request.user)],
        "page_before": state.query(page=str(state.page - 1) if state.page > 2 else "") if state.page > 1 else "",
        "page_after": state.query(page=str(state.page + 1)) if start + PAGE < total else "",
    }
    return render(request, "maps/needs/list.html", context)


# ---- the form


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with the form; without script, take it in, after those that may say the same were shown."""
    place = selectors.city_of_workers(city, request)
    reporting = reporting_of(request.user, place)
    if request.method != "POST":
        if not reporting.is_possible and not reporting.rounds:
            return _form_page(request, place, reporting, Typed({"ticket": str(uuid4())}))
        if not reporting.is_possible:
            raise Forbidden(
                "Your roles in this place do not allow this.",
                code="role_missing",
                remedy=f"It takes one of the roles {', '.join(sorted(NEED['report'].roles))}.",
            )
        first = {
            "ticket": str(uuid4()),
            "round": str(reporting.rounds[0].pk),
            "organisation": str(reporting.organisations[0].pk) if len(reporting.organisations) == 1 else "",
            "place": request.GET.get("area", "")[:100]
            or (reporting.areas[0].code if len(reporting.areas) == 1 else ""),
        }
        return _form_page(request, place, reporting, Typed(first))
    typed = typed_from(request.POST)
    body = body_from(typed)
    similar: tuple[NeedRow, ...] = ()
    if body is not None:
        try:
            spec = spec_of(body, request.user, place)
            if typed.values["seen"] != "1":
                similar = selectors.similar_needs(spec, request.user)
            if not similar:
                made = need_report(user=request.user, spec=spec)
                messages.success(request, _("The need is reported."))
                return redirect("need", place.code, made.pk)
        except Refusals as error:
            typed.refuse(error)
    return _form_page(request, place, reporting, typed, similar=similar, status=200 if similar else 400)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def amend(request: HttpRequest, city: str, number: int) -> HttpResponse:
    """Answer with the form filled in with a need; say it otherwise."""
    place = selectors.city_of_workers(city, request)
    found = need_found(number, request.user, place)
    reporting = reporting_of(request.user, place)
    if request.method != "POST":
        if "amend" not in found.events:
            need_review_refused(found)
        return _form_page(request, place, reporting, typed_of(found.need), need=found.need)
    typed = typed_from(request.POST)
    typed.values = {
        **typed.values,
        "round": str(found.need.round_id),
        "organisation": str(found.need.organisation_id),
        "ticket": "",
    }
    body = body_from(typed)
    if body is not None:
        version = typed.values["version"]
        try:
            need_amend(
                user=request.user,
                need=found.need,
                spec=spec_of(body, request.user, place),
                version=int(version) if version.isascii() and version.isdecimal() and len(version) < 10 else 0,
            )
        except Conflict as error:
            if error.code != "stale":
                typed.refuse(error)
                return _form_page(request, place, reporting, typed, need=found.need, status=409)
            # What was typed stays; the next try is based on what stands now, which is shown beside it.
            typed.values = {**typed.values, "version": str(found.need.version)}
            typed.refuse(error)
            return _form_page(request, place, reporting, typed, need=found.need, theirs=found, status=409)
        except Refusals as error:
            typed.refuse(error)
        else:
            messages.success(request, _("The need is amended."))
            return redirect("need", place.code, number)
    return _form_page(request, place, reporting, typed, need=found.need, status=400)


def need_review_refused(found: NeedFound) -> None:
    """Say why a need cannot be amended: nobody may any more, or not this person.

    Raises
    ------
    Forbidden
        Always.
    """
    raise Forbidden(
        "This need cannot be amended by you, or not any more.",
        code="role_missing",
        where=f"need {found.need.pk}",
        remedy="Only a reported need is amended, in time, by its organisation or the supervisor.",
    )


def _form_page(
    request: HttpRequest,
    city: Place,
    reporting: Reporting,
    typed: Typed,
    *,
    need: Need | None = None,
    theirs: NeedFound | None = None,
    similar: tuple[NeedRow, ...] = (),
    status: int = 200,
) -> HttpResponse:
    values = typed.values
    chosen_round = next((one for one in reporting.rounds if str(one.pk) == values.get("round")), None)
    # One form serves all rounds that are open; which sectors and areas each is about, the service decides.
    sectors = list(chosen_round.sectors.all()) if chosen_round and len(reporting.rounds) == 1 else []
    approaches = chosen_round.approaches if chosen_round and len(reporting.rounds) == 1 else []
    areas = list(reporting.areas)
    if need is not None and need.place not in areas:
        areas.append(need.place)
    labels = organisation_labels(reporting.organisations)
    words = presenters.severity_words()
    config = form_config(request, city, worker="needs-worker", wrong=wrong_sentences())
    config["photo"] = {"most": MOST_BYTES, "types": PHOTO_TYPES}
    context = {
        "city": city,
        "tab": "needs",
        "need": need,
        "theirs": theirs,
        "typed": typed,
        "config": config,
        "reporting": reporting,
        "rounds": [(str(one.pk), one.name, str(one.pk) == values.get("round")) for one in reporting.rounds],
        "organisations": [(str(pk), label, str(pk) == values.get("organisation")) for pk, label in labels],
        "areas": [(one.code, one.name, one.code == values.get("place")) for one in areas],
        "sectors": [(one.code, one.name, one.code == values.get("sector")) for one in sectors or Sector.objects.all()],
        "approaches": [
            (code, label, code == values.get("approach"))
            for code, label in Approach.choices
            if not approaches or code in approaches
        ],
        "severities": [(str(n), word, str(n) == values.get("severity")) for n, word in words],
        "groups": [
            (group, word, values.get(group, ""), typed.wrong.get(group, "")) for group, word in presenters.group_words()
        ],
        "services": [(one.code, one.name, one.code == values.get("service")) for one in selectors.services_of(city)],
        "similar": [presenters.need_view(row, city.code) for row in similar],
        "most_mb": MOST_BYTES // 1_000_000,
        "photo_types": PHOTO_TYPES,
    }
    return render(request, "maps/needs/form.html", context, status=status)


# ---- one need


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def need_page(request: HttpRequest, city: str, number: int) -> HttpResponse:
    """Answer what a need says, what became of it, and what the reader may do; do it."""
    place = selectors.city_of_workers(city, request)
    if request.method != "POST":
        return _need_page(request, place, number)
    need = need_get(number, request.user, place)
    typed = typed_from(request.POST)
    event = typed.values["do"]
    try:
        into = _other(typed, request, place) if event == "merge" else None
        need_review(user=request.user, need=need, event=event, into=into, reason=typed.values["reason"])
    except Refusals as error:
        typed.refuse(error)
        return _need_page(request, place, number, event, typed, 409 if isinstance(error, Conflict) else 400)
    messages.success(request, presenters.done_sentence(event))
    return redirect("need", place.code, number)


@takes_file
def photos(request: HttpRequest, city: str, number: int) -> HttpResponse:
    """Take a photo or document of a need, where no script sends several; what is too large is refused before it is read."""
    place = selectors.city_of_workers(city, request)
    need = need_get(number, request.user, place)
    typed = Typed({name: request.POST.get(name, "")[:300] for name in ("title", "keeps_location", "file")})
    try:
        file = request.FILES.get("file")
        if file is None:
            raise InvalidInput("No file was chosen.", code="no_file", where="file", remedy="Choose one.")
        evidence_add(
            user=request.user,
            need=need,
            file=file,
            title=typed.values["title"] or need.text[:150],
            keeps_location=bool(typed.values["keeps_location"]),
        )
    except Refusals as error:
        typed.refuse(error)
        return _need_page(request, place, number, "photos", typed, error.status)
    messages.success(request, _("Added."))
    return redirect("need", place.code, number)


def _other(typed: Typed, request: HttpRequest, city: Place) -> Need:
    """Return the need that is named to merge into, among those the reader may see.

    Raises
    ------
    InvalidInput, NotFound
        Where none is named, or there is none.
    """
    text = (typed.values["number"].strip() or typed.values["into"].strip()).removeprefix("#")
    number = "".join(str(int(letter)) for letter in text if letter.isdecimal())
    if not number or len(number) > 15:
        raise InvalidInput(
            "No other need is chosen.", code="no_choice", where="into", remedy="Choose the one that says the same."
        )
    return need_get(int(number), request.user, city)


def _need_page(
    request: HttpRequest, city: Place, number: int, event: str = "", typed: Typed | None = None, status: int = 200
) -> HttpResponse:
    found = need_found(number, request.user, city)
    need = found.need
    view = presenters.need_view(found.row, city.code)
    alike: tuple[NeedRow, ...] = ()
    if "merge" in found.events:
        alike = selectors.similar_of(need, request.user)
    config = selectors.map_config(city, request.user)
    proposals = list(need.proposals.visible_to(request.user).select_related("organisation")[:50])
    actions = list(need.actions.visible_to(request.user).select_related("organisation")[:50])
    context: dict[str, Any] = {
        "city": city,
        "tab": "needs",
        "found": found,
        "need": need,
        "view": view,
        "groups": presenters.groups_of(need),
        "texts": presenters.texts_of(need),
        "indicator": selectors.indicator_text(
            city, need.place.code, need.service.code if need.service else "", request.user
        ),
        "events": [one for one in EVENTS if one in found.events],
        "reasons": {one: ("need", one) in NEEDS_REASON for one in EVENTS},
        "may_amend": "amend" in found.events,
        "alike": [presenters.need_view(row, city.code) for row in alike],
        "merged": [presenters.need_view(row, city.code) for row in found.merged],
        "proposals": proposals,
        "actions": actions,
        "history": presenters.history_view(history_of(need, request.user), city.code),
        "typed": typed or Typed(),
        "event": event,
        "attachments": evidence_views(need, request.user),
        "may_attach": "attach" in found.events,
        "most_mb": MOST_BYTES // 1_000_000,
        "photo_types": PHOTO_TYPES,
        "config": {
            "language": language(),
            "csrf": get_token(request) if "attach" in found.events else "",
            "api": f"/api/v1/cities/{city.code}/needs",
            "number": need.pk,
            "photo": {"most": MOST_BYTES, "types": PHOTO_TYPES},
            "map": config,
            "geometry": presenters.geometry_json(need),
            "place": need.place.code,
        },
        "capacities_text": near_sentence(
            capacities_near((need.place,), city, request.user, need.sector.code),
        ),
        "capacities_address": f"{reverse('capacities', args=[city.code])}?"
        + urlencode({"area": need.place.code, "sector": need.sector.code}),
        "place_address": reverse("place", args=[city.code, need.place.code]),
    }
    return render(request, "maps/needs/need.html", context, status=status)

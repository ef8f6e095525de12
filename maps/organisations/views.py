"""Pages of organisations: the list with what waits for approval, one of them with its members and its work, the form."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from analysis.selectors import city_get
from geo.errors import Conflict, Forbidden, InvalidInput, MahallehError
from geo.models import Place
from geo.querysets import User
from interventions.core.transitions import MEMBERSHIP, NEEDS_REASON, OrganisationState
from interventions.models import Organisation
from interventions.querysets import LEADING_ROLES
from interventions.selectors import (
    OrganisationFound,
    history_of,
    memberships_chosen,
    memberships_waiting,
    organisation_found,
    organisation_rows,
    organisations_found,
    paths_around,
    roles_at,
    waiting_for,
    works_around,
)
from interventions.services import (
    members_enter,
    membership_apply,
    membership_review,
    memberships_amend,
    memberships_review,
    organisation_apply,
    organisation_put,
    organisation_review,
    organisations_review,
)
from maps.organisations import presenters
from maps.organisations.forms import (
    PAGE,
    STANDINGS,
    list_state_from,
    members_from,
    no_choice,
    numbers_from,
    spec_from,
    typed_from,
    typed_of,
)
from maps.pages import formats
from maps.pages.reader import language
from maps.pages.typed import Typed
from maps.problems import problem_of

Refusals = (InvalidInput, Conflict)

_LINE: Final = re.compile(r"line (\d+)")
_PERSON: Final = re.compile(r"membership ([^,]+)")


# ---- the list


@require_http_methods(["GET", "HEAD", "POST"])
def organisations(request: HttpRequest, city: str) -> HttpResponse:
    """Answer who works in a city, first what waits for the reader's approval; approve several at once."""
    place = city_get(city, request.user)
    if request.method != "POST":
        return _list_page(request, place)
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    typed = typed_from(request.POST)
    try:
        done = _approve(typed, place, request.user)
    except Refusals as error:
        typed.refuse(error)
        return _list_page(request, place, typed, 409 if isinstance(error, Conflict) else 400)
    messages.success(request, done)
    return redirect("organisations", place.code)


def _approve(typed: Typed, city: Place, user: User) -> str:
    """Approve or refuse the organisations that are ticked, or approve all people who ask to be members of some; say so."""
    step = typed.values["do"]
    if step in ("approve", "refuse"):
        chosen = _chosen(typed, "organisations", city, user)
        organisations_review(user=user, organisations=chosen, event=step, reason=typed.values["reason"])
        return presenters.done_sentence(step, len(chosen))
    if step == "approve-members":
        asking = memberships_waiting(_chosen(typed, "bodies", city, user), user)
        memberships_review(user=user, memberships=asking, event="approve")
        return presenters.members_done_sentence("approve", len(asking))
    raise _unknown(step)


def _chosen(typed: Typed, name: str, city: Place, user: User) -> list[Organisation]:
    numbers = set(numbers_from(typed, name))
    found = list(organisations_found(city, user).filter(pk__in=numbers))
    if len(found) != len(numbers):
        raise no_choice(name)
    return found


def _unknown(step: str) -> InvalidInput:
    return InvalidInput(
        f"{step[:40]!r} is nothing that can be done to an organisation here.",
        code="unknown_event",
        where="do",
        remedy="Choose one of those offered.",
    )


def _list_page(request: HttpRequest, city: Place, typed: Typed | None = None, status: int = 200) -> HttpResponse:
    user = request.user
    state = list_state_from(request.GET.dict())
    works_here = user.is_authenticated and works_around(user, city)
    waiting = waiting_for(user, city)
    found = organisations_found(city, user, state.asked)
    # Who waits or is suspended does not work here now.
    total = found.count() if state.is_narrowed else found.filter(state=OrganisationState.APPROVED).count()
    if not state.is_narrowed:
        # These stand above the list already.
        found = found.exclude(pk__in=[row.pk for row in waiting.organisations])
    start = (state.page - 1) * PAGE
    shown = list(found[start : start + PAGE + 1])
    views = _views(organisation_rows(shown[:PAGE], user, city), city, works_here)
    context = {
        "city": city,
        "tab": "organisations",
        "state": state,
        "finding": presenters.list_sentence(total, city.name, is_narrowed=state.is_narrowed),
        "waiting_sentence": presenters.waiting_sentence(waiting),
        "waiting": _views(waiting.organisations, city, works_here),
        "with_members": _views(waiting.with_members, city, works_here),
        "groups": presenters.grouped(views),
        "typed": typed or Typed(),
        "kinds": [(code, word, code == state.kind) for code, word in presenters.kind_words().items()],
        "areas": [
            (one.code, one.name, one.code == state.area)
            for one in Place.objects.visible_to(user)
            .within(city)
            .filter(kind__in=(Place.Kind.NEIGHBOURHOOD, Place.Kind.SETTLEMENT))
            .order_by("-kind", "name_fa", "code")
        ],
        "standings": [(code, word, code == state.standing) for code, word in presenters.standing_words(STANDINGS)],
        "page_before": state.query(page=str(state.page - 1) if state.page > 2 else "") if state.page > 1 else "",
        "page_after": state.query(page=str(state.page + 1)) if len(shown) > PAGE else "",
    }
    return render(request, "maps/organisations/list.html", context, status=status)


def _views(rows: Any, city: Place, works_here: bool) -> list[presenters.OrganisationView]:
    return [presenters.organisation_view(row, city.code, works_here=works_here) for row in rows]


# ---- one organisation


@require_http_methods(["GET", "HEAD", "POST"])
def organisation(request: HttpRequest, city: str, key: str) -> HttpResponse:
    """Answer what an organisation is and does, and to whom it concerns who its members are; do something with it or them."""
    place = city_get(city, request.user)
    if request.method != "POST":
        return _page(request, place, organisation_found(key, request.user, place))
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    found = organisation_found(key, request.user, place)
    typed = typed_from(request.POST)
    step = typed.values["do"]
    act = _STEPS.get(step)
    try:
        if act is None:
            raise _unknown(step)
        done = act(found, typed, request.user)
    except Refusals as error:
        _refuse(typed, error)
        return _page(request, place, found, typed, 409 if isinstance(error, Conflict) else 400)
    messages.success(request, done)
    # Who left an organisation that is not told to everybody may not see it any more.
    seen = Organisation.objects.visible_to(request.user).filter(pk=found.organisation.pk).exists()
    return redirect("organisation", place.code, key) if seen else redirect("organisations", place.code)


def _refuse(typed: Typed, error: MahallehError) -> None:
    """Note what was refused; of one of many people, with the line or the name."""
    line, person = _LINE.match(error.where), _PERSON.match(error.where)
    if line is None and person is None:
        typed.refuse(error)
        return
    told = problem_of(error)
    sentence = " ".join(str(told[name]) for name in ("title", "remedy") if told.get(name))
    if line is not None:
        # What the reading of the table says names the line itself.
        own = error.code in ("unknown_account", "unknown_place", "twice")
        words = _("Line %(n)s: %(what)s") % {"n": formats.digits(line[1], language()), "what": sentence}
        typed.wrong["table"] = sentence if own else words
    elif person is not None:
        typed.wrong["members"] = f"{formats.isolated(person[1], language())}: {sentence}"


def _review(event: str) -> Callable[[OrganisationFound, Typed, User], str]:
    def act(found: OrganisationFound, typed: Typed, user: User) -> str:
        organisation_review(user=user, organisation=found.organisation, event=event, reason=typed.values["reason"])
        return presenters.done_sentence(event)

    return act


def _join(found: OrganisationFound, typed: Typed, user: User) -> str:
    membership_apply(user=user, organisation=found.organisation)
    return presenters.done_sentence("join")


def _leave(found: OrganisationFound, typed: Typed, user: User) -> str:
    if found.own is None:
        raise InvalidInput(
            "You are no member of this organisation.", code="no_member", where="do", remedy="There is nothing to end."
        )
    membership_review(user=user, membership=found.own, event="end")
    return presenters.done_sentence("leave")


def _members(event: str) -> Callable[[OrganisationFound, Typed, User], str]:
    def act(found: OrganisationFound, typed: Typed, user: User) -> str:
        numbers = set(numbers_from(typed, "members"))
        chosen = memberships_chosen(found.organisation, numbers, user)
        if len(chosen) != len(numbers):
            raise no_choice("members")
        places = _assigned(found, typed)
        if event == "places":
            memberships_amend(user=user, memberships=chosen, places=places)
        elif event in ("contact", "no-contact"):
            memberships_amend(user=user, memberships=chosen, is_contact=event == "contact")
        else:
            # Approved without a place ticked, a member keeps the places assigned, or works wherever the organisation does.
            given = places if event == "approve" and places else None
            memberships_review(user=user, memberships=chosen, event=event, places=given, reason=typed.values["reason"])
        return presenters.members_done_sentence(event, len(chosen))

    return act


def _members_waiting(found: OrganisationFound, typed: Typed, user: User) -> str:
    asking = memberships_waiting([found.organisation], user)
    memberships_review(user=user, memberships=asking, event="approve")
    return presenters.members_done_sentence("approve", len(asking))


def _members_enter(found: OrganisationFound, typed: Typed, user: User) -> str:
    # Before the table is read: who does not lead here learns nothing of who has an account.
    if roles_at(user, found.organisation.place).isdisjoint(MEMBERSHIP["approve"].roles):
        raise Forbidden(
            "Your roles in this place do not allow this.",
            code="role_missing",
            remedy=f"It takes one of the roles {', '.join(sorted(MEMBERSHIP['approve'].roles))}.",
        )
    members = members_from(typed.values["table"], (found.organisation.place, *found.places))
    members_enter(user=user, organisation=found.organisation, members=members)
    return presenters.members_done_sentence("enter", len(members))


def _assigned(found: OrganisationFound, typed: Typed) -> list[Place]:
    """Return the places that are ticked, of those offered."""
    wanted = set(numbers_from(typed, "places"))
    places = [place for place in found.places if place.pk in wanted]
    if len(places) != len(wanted):
        raise no_choice("places")
    return places


_STEPS: Final[dict[str, Callable[[OrganisationFound, Typed, User], str]]] = {
    **{event: _review(event) for event in ("approve", "refuse", "suspend", "restore")},
    "join": _join,
    "leave": _leave,
    "members-waiting": _members_waiting,
    "members-enter": _members_enter,
    **{
        f"members-{event}": _members(event) for event in ("approve", "refuse", "end", "places", "contact", "no-contact")
    },
}


def _page(
    request: HttpRequest, city: Place, found: OrganisationFound, typed: Typed | None = None, status: int = 200
) -> HttpResponse:
    user, body = request.user, found.organisation
    works_here = user.is_authenticated and works_around(user, city)
    view = presenters.organisation_view(found.row, city.code, works_here=works_here)
    context = {
        "city": city,
        "tab": "organisations",
        "found": found,
        "body": body,
        "view": view,
        "sentence": presenters.page_sentence(view),
        "abouts": [
            (code, direction, text)
            for code, direction, text in (("fa", "rtl", body.about_fa), ("en", "ltr", body.about_en))
            if text
        ],
        "is_suspended": body.state == OrganisationState.SUSPENDED,
        "events": [one for one in found.events if one in ("approve", "refuse", "suspend", "restore")],
        "reasons": {event: ("organisation", event) in NEEDS_REASON for event in ("refuse", "suspend")},
        "may_amend": "amend" in found.events,
        "own_sentence": presenters.own_sentence(found),
        "members": [presenters.member_view(row) for row in found.members],
        "members_sentence": presenters.members_sentence(found),
        "members_waiting": found.row.waiting or 0,
        "places": [(place.pk, place.name) for place in found.places],
        "history": presenters.history_view(history_of(body, user)),
        "happened": presenters.happened_view(found.happened),
        "typed": typed or Typed(),
    }
    return render(request, "maps/organisations/organisation.html", context, status=status)


# ---- the form


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with the form of an organisation; apply for it, or enter it where one leads."""
    place = city_get(city, request.user)
    offered = _offered(place, request.user)
    if request.method != "POST":
        return _form_page(request, place, offered, Typed({"kind": "ngo", "place": place.path}))
    typed = typed_from(request.POST)
    try:
        spec = spec_from(typed, offered)
        leads = not roles_at(request.user, spec.place).isdisjoint(LEADING_ROLES)
        made = (organisation_put if leads else organisation_apply)(user=request.user, spec=spec)
    except Refusals as error:
        typed.refuse(error)
        return _form_page(request, place, offered, typed, status=400)
    messages.success(
        request,
        _("The organisation is entered.")
        if leads
        else _("You have applied for the organisation. The supervisor of the place decides."),
    )
    return redirect("organisation", place.code, organisation_rows([made], request.user, place)[0].key)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def amend(request: HttpRequest, city: str, key: str) -> HttpResponse:
    """Answer with the form filled in with an organisation; say it otherwise."""
    place = city_get(city, request.user)
    found = organisation_found(key, request.user, place)
    if "amend" not in found.events:
        raise Forbidden(
            "This organisation cannot be amended by you, or not any more.",
            code="role_missing",
            where=f"organisation {found.organisation.code}",
            remedy="The supervisor of its place amends it while it waits or works.",
        )
    if request.method != "POST":
        return _form_page(request, place, [], typed_of(found.organisation), known=found.organisation)
    typed = typed_from(request.POST)
    try:
        organisation_put(user=request.user, spec=spec_from(typed, [], known=found.organisation))
    except Refusals as error:
        typed.refuse(error)
        status = 409 if isinstance(error, Conflict) else 400
        return _form_page(request, place, [], typed, known=found.organisation, status=status)
    messages.success(request, _("The organisation is amended."))
    return redirect("organisation", place.code, key)


def _offered(city: Place, user: User) -> list[Place]:
    """Return the places in which an organisation of the city may work: around it, but for the country, it, and its parts."""
    kinds = (Place.Kind.NEIGHBOURHOOD, Place.Kind.SETTLEMENT)
    seen = Place.objects.visible_to(user)
    around = seen.filter(path__in=paths_around(city)).exclude(kind=Place.Kind.COUNTRY).order_by("-path")
    return [*around, *seen.within(city).filter(kind__in=kinds).order_by("-kind", "name_fa", "code")]


def _form_page(
    request: HttpRequest,
    city: Place,
    offered: list[Place],
    typed: Typed,
    *,
    known: Organisation | None = None,
    status: int = 200,
) -> HttpResponse:
    values = typed.values
    context = {
        "city": city,
        "tab": "organisations",
        "known": known,
        "key": organisation_rows([known], request.user, city)[0].key if known else "",
        "typed": typed,
        "leads": not roles_at(request.user, city).isdisjoint(LEADING_ROLES),
        "kinds": [(code, word, code == values.get("kind")) for code, word in presenters.kind_words().items()],
        "places": [
            (one.path, one.name, str(one.get_kind_display()), one.path == values.get("place")) for one in offered
        ],
    }
    return render(request, "maps/organisations/form.html", context, status=status)

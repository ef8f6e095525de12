"""The page of councils and committees: who sits there, what their sectors wait for, and crisis committees with their dates."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from analysis.selectors import city_get
from geo.errors import Conflict, InvalidInput
from geo.models import Place
from geo.querysets import User
from interventions.core.transitions import OrganisationState
from interventions.models import Committee, Council, Organisation, Seat
from interventions.selectors import (
    ActivationRow,
    CommitteeWork,
    CouncilRow,
    CouncilsFound,
    SeatRow,
    accounts_named,
    councils_found,
    organisation_labels,
    organisations_found,
    works_around,
)
from interventions.services import CouncilSpec, council_put, seat_end, seat_give
from maps.organisations.forms import no_choice, numbers_from, typed_from
from maps.pages import formats
from maps.pages.reader import language
from maps.pages.typed import Typed

Refusals = (InvalidInput, Conflict)


@dataclass(frozen=True, slots=True)
class CommitteeView:
    """A committee and its sectors: how many needs of each wait, and where they are listed."""

    name: str
    place: str
    is_crisis: bool
    sectors: tuple[tuple[str, str, str], ...]
    needs_text: str
    unanswered_text: str
    has_unanswered: bool


@dataclass(frozen=True, slots=True)
class SeatView:
    """A seat: what somebody is there, and who, as far as the reader may know."""

    pk: int
    position: str
    who: str
    person: str


@dataclass(frozen=True, slots=True)
class CouncilView:
    """A council with its seats, those of its committees apart."""

    pk: int
    name: str
    place: str
    house: str
    seats: tuple[tuple[str, tuple[SeatView, ...]], ...]
    is_led: bool


@require_http_methods(["GET", "HEAD", "POST"])
def councils(request: HttpRequest, city: str) -> HttpResponse:
    """Answer who sits in which council and committee and what waits for them; give and take seats."""
    place = city_get(city, request.user)
    if request.method != "POST":
        return _page(request, place, councils_found(place, request.user))
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    typed = typed_from(request.POST)
    found = councils_found(place, request.user)
    try:
        done = _step(found, typed, place, request.user)
    except Refusals as error:
        typed.refuse(error)
        return _page(request, place, found, typed, 409 if isinstance(error, Conflict) else 400)
    messages.success(request, done)
    return redirect("councils", place.code)


def _step(found: CouncilsFound, typed: Typed, city: Place, user: User) -> str:
    """Give or take a seat, or enter a council; say so."""
    values = typed.values
    if values["do"] == "unseat":
        number = _number(typed, "seat")
        seat = Seat.objects.filter(pk=number, council__in=[one.pk for one in found.councils]).first()
        if seat is None:
            raise no_choice("seat")
        seat_end(user=user, seat=seat, reason=values["reason"])
        return _("The seat is taken away.")
    if values["do"] == "seat":
        council = Council.objects.filter(
            pk__in=[one.pk for one in found.councils], pk=_number(typed, "council")
        ).first()
        if council is None:
            raise no_choice("council")
        if values["position"] not in Seat.Position.values:
            raise no_choice("position")
        seat_give(
            user=user,
            council=council,
            committee=_committee(found, typed),
            position=values["position"],
            organisation=_organisation(typed, city, user),
            person=_person(values["account"].strip(), council, found),
        )
        return _("The seat is given.")
    if values["do"] == "council":
        seen = [one.place for one in found.councils] + list(found.led)
        place = next((one for one in seen if one.path == values["place"]), None)
        if place is None:
            raise no_choice("place")
        for name in ("name_fa", "name_en"):
            if not values[name].strip():
                raise InvalidInput(
                    "The name is missing.", code="no_name", where=name, remedy="Write it, in this language too."
                )
        spec = CouncilSpec(place, values["name_fa"], values["name_en"], values["house_fa"], values["house_en"])
        council_put(user=user, spec=spec)
        return _("The council is entered.")
    raise InvalidInput(
        f"{values['do'][:40]!r} is nothing that can be done to a council here.",
        code="unknown_event",
        where="do",
        remedy="Choose one of those offered.",
    )


def _number(typed: Typed, name: str) -> int:
    typed.lists = {**typed.lists, name: [typed.values[name][:40]] if typed.values[name] else []}
    numbers = numbers_from(typed, name)
    if not numbers:
        raise no_choice(name)
    return numbers[0]


def _committee(found: CouncilsFound, typed: Typed) -> Committee | None:
    if not typed.values["committee"]:
        return None
    number = _number(typed, "committee")
    if number not in {one.pk for one in found.committees}:
        raise no_choice("committee")
    return Committee.objects.get(pk=number)


def _organisation(typed: Typed, city: Place, user: User) -> Organisation | None:
    if not typed.values["organisation"]:
        return None
    chosen = organisations_found(city, user).filter(pk=_number(typed, "organisation")).first()
    if chosen is None:
        raise no_choice("organisation")
    return chosen


def _person(account: str, council: Council, found: CouncilsFound) -> User | None:
    # Only who leads there is told whether somebody has an account; all others are refused by the service.
    if not account or not any(one.pk == council.pk and one.is_led for one in found.councils):
        return None
    person = accounts_named([account]).get(account)
    if person is None:
        raise InvalidInput(
            f"There is no account {account[:60]!r}.",
            code="unknown_account",
            where="account",
            remedy="Write the name by which the person signs in. An administrator makes accounts.",
        )
    return person


# ---- the page


def _page(
    request: HttpRequest, city: Place, found: CouncilsFound, typed: Typed | None = None, status: int = 200
) -> HttpResponse:
    user = request.user
    works_here = user.is_authenticated and works_around(user, city)
    views = [_council_view(row) for row in found.councils]
    committees = [_committee_view(row, city, works_here) for row in found.committees]
    leads = bool(found.led) or any(row.is_led for row in found.councils)
    now = [_activation_view(row) for row in found.activations if row.is_active]
    context: dict[str, Any] = {
        "city": city,
        "tab": "councils",
        "finding": _sentence(found, city),
        "active": now,
        "before": [_activation_view(row) for row in found.activations if not row.is_active],
        "committees": [one for one in committees if not one.is_crisis],
        "crisis_committees": [one for one in committees if one.is_crisis],
        "councils": views,
        "leads": leads,
        "network_address": reverse("network-part", args=[city.path]),
        "typed": typed or Typed(),
    }
    if leads:
        values = context["typed"].values
        bodies = tuple(organisations_found(city, user).filter(state=OrganisationState.APPROVED)[:500])
        context |= {
            "seat_councils": [
                (str(row.pk), view.name, str(row.pk) == values.get("council"))
                for row, view in zip(found.councils, views, strict=True)
                if row.is_led
            ],
            "seat_committees": [
                (str(row.pk), row.committee.name, str(row.pk) == values.get("committee")) for row in found.committees
            ],
            "positions": [
                (code, word, code == values.get("position", Seat.Position.MEMBER.value))
                for code, word in Seat.Position.choices
            ],
            "organisations": [
                (str(pk), label, str(pk) == values.get("organisation")) for pk, label in organisation_labels(bodies)
            ],
            "council_places": [
                (place.path, place.name, str(place.get_kind_display()), place.path == values.get("place"))
                for place in found.led
            ],
        }
    return render(request, "maps/organisations/councils.html", context, status=status)


def _sentence(found: CouncilsFound, city: Place) -> str:
    """Say how many needs of the city nothing answers, for how many committees, and whether a crisis committee is at work."""
    lang = language()
    sectors = {sector.code: waits for row in found.committees for sector, _needs, waits in row.sectors}
    unanswered = sum(sectors.values())
    committees = sum(not row.is_crisis for row in found.committees)
    name = formats.isolated(city.name, lang)
    if not committees:
        return _("No committee of %(city)s is entered yet") % {"city": name}
    n = {"n": formats.number(committees, lang), "city": name, "needs": formats.number(unanswered, lang)}
    if not unanswered:
        return ngettext(
            "%(n)s committee works on the needs of %(city)s", "%(n)s committees work on the needs of %(city)s", committees
        ) % n  # fmt: skip
    return ngettext(
        "%(n)s committee; %(needs)s needs of %(city)s wait for an answer",
        "%(n)s committees; %(needs)s needs of %(city)s wait for an answer",
        committees,
    ) % n  # fmt: skip


def _committee_view(row: CommitteeWork, city: Place, works_here: bool) -> CommitteeView:
    lang = language()

    def address(code: str) -> str:
        if not works_here:
            return ""
        return f"{reverse('needs', args=[city.code])}?{urlencode({'sector': code, 'standing': 'unanswered'})}"

    return CommitteeView(
        name=row.committee.name,
        place=row.place.name,
        is_crisis=row.is_crisis,
        sectors=tuple(
            (sector.name, formats.number(waits, lang), address(sector.code) if waits else "")
            for sector, _needs, waits in row.sectors
        ),
        needs_text=formats.number(row.needs, lang),
        unanswered_text=formats.number(row.unanswered, lang),
        has_unanswered=bool(row.unanswered),
    )


def _council_view(row: CouncilRow) -> CouncilView:
    is_english = language() == "en"
    groups = groupby(row.seats, key=lambda seat: seat.committee)
    return CouncilView(
        pk=row.pk,
        name=row.name_en if is_english else row.name_fa,
        place=row.place.name,
        house=(row.house_en or row.house_fa) if is_english else (row.house_fa or row.house_en),
        seats=tuple(
            (committee.name if committee else "", tuple(_seat_view(seat) for seat in seats))
            for committee, seats in groups
        ),
        is_led=row.is_led,
    )


def _seat_view(row: SeatRow) -> SeatView:
    who = row.organisation.name if row.organisation else ""
    if not who and not row.person:
        who = _("a person, whose name is not told here")
    return SeatView(row.pk, str(Seat.Position(row.position).label), who, row.person)


@dataclass(frozen=True, slots=True)
class ActivationView:
    """A crisis committee at work, or that was: where, since and until when, and why."""

    committee: str
    place: str
    address: str
    dates: str
    reason: str


def _activation_view(row: ActivationRow) -> ActivationView:
    lang = language()
    since = formats.day(timezone.localtime(row.activated_at), lang)
    until = formats.day(timezone.localtime(row.stood_down_at), lang) if row.stood_down_at else ""
    return ActivationView(
        committee=row.committee.name,
        place=row.place.name,
        address=reverse("network-part", args=[row.path]),
        dates=_("from %(since)s until %(until)s") % {"since": since, "until": until}
        if until
        else _("since %(since)s") % {"since": since},
        reason=row.reason,
    )
